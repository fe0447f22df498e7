//! Finding and reading.

use crate::given::*;
use crate::server::{DATABASE, KEY, LOGIN, Server, Trouble};
use comptoir_connectors::odoo::SPEC;
use comptoir_kit::clock::Clock;
use comptoir_kit::spec::Kit;
use comptoir_model::code::Code;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::Document;
use comptoir_model::key::Kind;
use comptoir_model::port::{Cursor, Query, Seen, Step};
use serde_json::json;

#[tokio::test]
async fn buyers_are_found_by_what_identifies_them() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let company = server.erp().put("res.partner", json!({"id": 7, "name": "Exemple SARL", "is_company": true,
            "email": "Info@Example.test", "vat": "FR11123456782", "type": "contact", "commercial_partner_id": [7, "x"]}));
        server.erp().put(
            "res.partner",
            json!({"id": 8, "name": "Stock", "email": "info@example.test", "vat": "FR11123456782",
            "type": "delivery", "parent_id": [7, "x"], "commercial_partner_id": [7, "x"]}),
        );
        for id in [20, 21] {
            server.erp().put(
                "res.partner",
                json!({"id": id, "name": "Twin", "email": "twin@example.test", "type": "contact",
                "commercial_partner_id": [id, "x"]}),
            );
        }
        let delivery = Customer {
            parent: Some("7".into()),
            role: Some(ContactRole::Delivery),
            name: "Marie Exemple".to_owned(),
            ..Customer::default()
        };
        let write = write(
            Kind::Customer,
            Step::Create,
            "42/address-0a1b",
            Document::Customer(Box::new(delivery)),
        );
        let contact = one(&*connector, &write).await.unwrap();
        assert_eq!(
            server.erp().get("res.partner", number(&contact.id))["type"],
            "delivery"
        );
        let queries = [
            Query::Email("info@example.test".to_owned()),
            Query::Email("twin@example.test".to_owned()),
            Query::VatNumber("FR11123456782".to_owned()),
            Query::Key(write.key.clone()),
            Query::Email("nobody@example.test".to_owned()),
        ];
        let found = connector.find(Kind::Customer, &queries).await.unwrap();
        let ids: Vec<Vec<&str>> = found
            .iter()
            .map(|all| all.iter().map(|one| one.id.as_str()).collect())
            .collect();
        let company = company.to_string();
        assert_eq!(
            ids[..3],
            [
                vec![company.as_str()],
                vec!["20", "21"],
                vec![company.as_str()]
            ]
        );
        assert_eq!(found[3][0].id, contact.id);
        assert!(found[4].is_empty());
        let skus = [Query::Sku("MUG".to_owned()), Query::Sku("mug".to_owned())];
        let found = connector.find(Kind::Product, &skus).await.unwrap();
        assert_eq!((found[0][0].id.as_str(), found[1].len()), ("61", 0));
        let made = created(&*connector, &create("1", order("1001"))).await;
        let found = connector
            .find(Kind::Order, &[Query::Reference("1001".to_owned())])
            .await
            .unwrap();
        assert_eq!(found[0][0].id, made.id);
        assert_eq!(found[0][0].label, held(&made).number);
    }
}

#[tokio::test]
async fn an_order_that_may_not_be_seen_is_not_gone_and_stops_no_other() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut ids = Vec::new();
        for n in ["1", "2"] {
            ids.push(created(&*connector, &create(n, order(n))).await.id);
        }
        let refused = Trouble::Refused("odoo.exceptions.AccessError");
        // The two together, then the second half of them.
        for _ in 0..2 {
            server
                .erp()
                .troubles
                .push(("sale.order.read".to_owned(), refused));
        }
        let read = connector.read(Kind::Order, &ids).await.unwrap();
        let Seen::Unreadable(hidden) = &read[1] else {
            panic!("{read:?}")
        };
        assert_eq!(hidden.fault.code, Code::MissingRight);
        assert!(matches!(&read[0], Seen::Record(record) if record.id == ids[0]));
    }
}

#[tokio::test]
async fn a_change_of_a_template_alone_is_met_where_its_variants_do_not_move() {
    let server = Server::start(16).await;
    let clock = Clock::fixed("2026-11-22T06:30:00Z".parse().unwrap());
    let settings = json!({"url": server.address, "database": DATABASE, "login": LOGIN, "key": KEY});
    let kit = Kit::new("erp".parse().unwrap()).with_clock(clock);
    let connector = (SPEC.open)(settings, kit).unwrap();
    let newest = json!({"write_date": "2026-11-22 06:28:00"});
    // Beyond the overlap: the variant itself is not read again.
    let stamp = newest.as_object().unwrap().clone();
    let products = "product.product";
    server
        .erp()
        .tables
        .get_mut(products)
        .unwrap()
        .get_mut(&64)
        .unwrap()
        .extend(stamp);
    let first = connector
        .changes(Kind::Product, &Cursor::start())
        .await
        .unwrap();
    assert_eq!(first.items.len(), 4);
    let none = connector.changes(Kind::Product, &first.next).await.unwrap();
    assert!(none.items.is_empty() && !none.more);
    {
        let mut erp = server.erp();
        let later = json!({"write_date": "2026-11-22 06:29:00", "name": "Renamed"});
        let template = erp
            .tables
            .get_mut("product.template")
            .unwrap()
            .get_mut(&162)
            .unwrap();
        template.extend(later.as_object().unwrap().clone());
        let variant = erp
            .tables
            .get_mut("product.product")
            .unwrap()
            .get_mut(&62)
            .unwrap();
        variant.insert("name".to_owned(), json!("Renamed"));
    }
    let page = connector.changes(Kind::Product, &none.next).await.unwrap();
    let title = |product: &Document| match product {
        Document::Product(product) => product.title.clone(),
        other => panic!("{other:?}"),
    };
    let items = page.items.iter();
    let titles: Vec<String> = items
        .map(|item| title(&item.as_ref().unwrap().document))
        .collect();
    assert_eq!(titles, ["Renamed"]);
    let again = connector.changes(Kind::Product, &page.next).await.unwrap();
    assert!(again.items.is_empty());

    // Odoo is upgraded: from 17 on variants move by themselves, and the same cursor goes on.
    let server = Server::start(17).await;
    let moved = json!({"write_date": "2026-11-22 06:29:30", "name": "Moved"});
    server.erp().edit(products, 61, moved);
    let (url, clock) = (
        &server.address,
        Clock::fixed("2026-11-22T06:30:00Z".parse().unwrap()),
    );
    let settings = json!({"url": url, "database": DATABASE, "login": LOGIN, "key": KEY});
    let kit = Kit::new("erp".parse().unwrap()).with_clock(clock);
    let connector = (SPEC.open)(settings, kit).unwrap();
    let page = connector.changes(Kind::Product, &again.next).await.unwrap();
    let titles: Vec<String> = page
        .items
        .iter()
        .map(|item| title(&item.as_ref().unwrap().document))
        .collect();
    assert_eq!(titles, ["Moved"]);
}
