//! Creating: once, whole, and each for itself.

use crate::given::*;
use crate::server::{Server, Trouble};
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, LineKind};
use comptoir_model::port::{Query, Write};
use serde_json::json;

#[tokio::test]
async fn an_order_is_made_as_decided_and_read_back() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut decided = order("1001");
        decided.note = "Sonner <2 fois>".to_owned();
        decided.placement.company = Some("2".into());
        decided
            .attributes
            .insert("reference".to_owned(), json!("pi_123"));
        let seen = created(&*connector, &create("1", decided)).await;
        let order = held(&seen);
        assert_eq!(order.status.life, Life::Draft);
        assert_eq!(order.totals.total, dec("89.70"));
        assert_eq!(
            order.dates.placed,
            Some("2026-10-25T00:30:00Z".parse().unwrap())
        );
        assert_eq!(
            (order.reference.as_str(), order.note.as_str()),
            ("1001", "Sonner <2 fois>")
        );
        assert_eq!(order.ship_to.id, Some("8".into()));
        assert_eq!(order.placement.company, Some("2".into()));
        let kinds: Vec<LineKind> = order.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Item, LineKind::Item, LineKind::Shipping]);
        assert_eq!(order.lines[0].sku, "MUG");
        // No tax is said as such, not left to the product's own.
        assert!(order.lines[2].taxes.is_empty() && order.lines[2].tax.is_zero());
        let erp = server.erp();
        assert_eq!(
            erp.get("sale.order", number(&seen.id))["reference"],
            "pi_123"
        );
        assert!(erp.by_key("shop-fr__order__1__shipping-1").is_some());
    }
}

#[tokio::test]
async fn fifty_orders_take_few_calls() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        connector.probe().await.unwrap();
        server.erp().calls.clear();
        let batch: Vec<Write> = (0..50)
            .map(|n| create(&n.to_string(), order(&format!("10{n}"))))
            .collect();
        let results = connector.write(&batch).await;
        assert!(
            results
                .iter()
                .all(|result| result.as_ref().is_ok_and(|written| written.seen.is_some()))
        );
        assert_eq!(
            server.erp().calls,
            [
                "ir.model.data.search_read",
                "product.pricelist.read",
                "sale.order.load",
                "sale.order.read",
                "sale.order.line.search_read",
                "product.product.read",
            ]
        );
    }
}

#[tokio::test]
async fn one_bad_item_fails_alone_and_says_where() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut wrong_product = order("1002");
        wrong_product.lines[1].product = Some("999".into());
        let mut wrong_currency = order("1003");
        wrong_currency.placement.price_list = Some("2".into());
        let mut wrong_field = order("1004");
        wrong_field
            .attributes
            .insert("x_nope".to_owned(), json!("1"));
        let mut no_product = order("1005");
        no_product.lines[0].product = None;
        let all = [
            order("1001"),
            wrong_product,
            wrong_currency,
            wrong_field,
            no_product,
            order("1006"),
        ];
        let batch: Vec<Write> = all
            .into_iter()
            .enumerate()
            .map(|(at, order)| create(&at.to_string(), order))
            .collect();
        let results = connector.write(&batch).await;
        let told: Vec<Option<(Code, &str)>> = results
            .iter()
            .map(|result| {
                result
                    .as_ref()
                    .err()
                    .map(|fault| (fault.code, fault.field.as_deref().unwrap_or_default()))
            })
            .collect();
        assert_eq!(
            told,
            [
                None,
                Some((Code::Refused, "product_id")),
                Some((Code::CurrencyDiffers, "pricelist_id")),
                Some((Code::UnknownField, "x_nope")),
                Some((Code::MissingField, "product_id")),
                None,
            ]
        );
        assert_eq!(server.erp().rows("sale.order").len(), 2);
        // A customer that Odoo refuses without saying why.
        let mut company = person("x", "Exemple SARL");
        if let Document::Customer(customer) = &mut company.document {
            customer.vat_number = "FR00000000000".to_owned();
        }
        let people = [person("a", "Anne"), company, person("b", "Bob")];
        let results = connector.write(&people).await;
        assert!(results[0].is_ok() && results[2].is_ok());
        let fault = results[1].as_ref().unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Refused, Code::Refused));
        assert!(!fault.to_string().contains("Marie"));
        assert!(fault.why.contains("the customer"), "{fault}");
    }
}

#[tokio::test]
async fn a_batch_refused_as_a_whole_is_halved() {
    let server = Server::start(19).await;
    let connector = open(&server);
    let refused = Trouble::Refused("odoo.exceptions.ValidationError");
    server
        .erp()
        .troubles
        .push(("sale.order.load".to_owned(), refused));
    let batch: Vec<Write> = (0..4)
        .map(|n| create(&n.to_string(), order(&n.to_string())))
        .collect();
    assert!(connector.write(&batch).await.iter().all(Result::is_ok));
    let loads = server
        .erp()
        .calls
        .iter()
        .filter(|call| *call == "sale.order.load")
        .count();
    assert_eq!(loads, 3);
}

#[tokio::test]
async fn a_lost_race_is_for_later_and_a_lost_answer_is_proved_by_its_key() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let query = [Query::Key(write.key.clone())];
        server
            .erp()
            .troubles
            .push(("sale.order.load".to_owned(), Trouble::Race));
        let fault = one(&*connector, &write).await.unwrap_err();
        assert_eq!(
            (fault.next, fault.code),
            (Next::Later { after: None }, Code::Contention)
        );
        assert!(connector.find(Kind::Order, &query).await.unwrap()[0].is_empty());
        server
            .erp()
            .troubles
            .push(("sale.order.load".to_owned(), Trouble::Lost));
        let fault = one(&*connector, &write).await.unwrap_err();
        assert_eq!(fault.next, Next::Unknown);
        let found = connector.find(Kind::Order, &query).await.unwrap();
        let again = one(&*connector, &write).await.unwrap();
        assert_eq!(found[0][0].id, again.id);
        assert_eq!(server.erp().rows("sale.order").len(), 1);
        for exception in [
            "psycopg2.errors.SerializationFailure",
            "psycopg2.errors.DeadlockDetected",
        ] {
            server
                .erp()
                .troubles
                .push(("sale.order.load".to_owned(), Trouble::Refused(exception)));
            let fault = one(&*connector, &create("2", order("1002")))
                .await
                .unwrap_err();
            assert_eq!(
                (fault.next, fault.code),
                (Next::Later { after: None }, Code::Contention)
            );
        }
    }
}

#[tokio::test]
async fn what_is_there_already_is_not_overwritten() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        server.erp().edit(
            "sale.order",
            number(&seen.id),
            json!({"client_order_ref": "by hand"}),
        );
        let mut other = order("1001");
        other.lines.truncate(1);
        let again = created(&*connector, &create("1", other)).await;
        assert_eq!(again.id, seen.id);
        assert_eq!(held(&again).reference, "by hand");
        assert_eq!(held(&again).lines.len(), 3);
        // Made by someone else between the look-up and the call: Odoo leaves it alone, and its lines.
        let blind = ("ir.model.data.search_read".to_owned(), Trouble::Blind);
        server.erp().troubles.push(blind);
        let mut other = order("1001");
        other.lines[0].quantity = dec("9");
        let again = created(&*connector, &create("1", other)).await;
        assert_eq!(again.id, seen.id);
        assert_eq!(held(&again).reference, "by hand");
        assert_eq!(held(&again).lines[0].quantity, dec("3"));
        // Twice in one batch: one record.
        let twice = connector
            .write(&[create("9", order("1009")), create("9", order("1009"))])
            .await;
        assert_eq!(twice[0].as_ref().unwrap().id, twice[1].as_ref().unwrap().id);
        assert_eq!(server.erp().rows("sale.order").len(), 2);
    }
}

#[tokio::test]
async fn without_the_right_to_search_keys_nothing_is_doubled_or_overwritten() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        server.erp().plain_user = true;
        let connector = open(&server);
        connector.probe().await.unwrap();
        server.erp().calls.clear();
        let batch = [create("1", order("1001")), create("2", order("1002"))];
        let results = connector.write(&batch).await;
        let seen = results[0].as_ref().unwrap().seen.clone().unwrap();
        assert_eq!(
            server.erp().calls,
            [
                "product.pricelist.read",
                "sale.order.load",
                "sale.order.read",
                "sale.order.line.search_read",
                "product.product.read",
                "sale.order.line.get_metadata",
            ]
        );
        let kinds: Vec<LineKind> = held(&seen).lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Item, LineKind::Item, LineKind::Shipping]);
        // Each key is found by a call of its own; one that is not there is no fault.
        let keys = |ids: &[&str]| -> Vec<Query> {
            let key = |id: &&str| Query::Key(create(id, order("x")).key);
            ids.iter().map(key).collect()
        };
        let found = async |ids: &[&str]| {
            let found = connector.find(Kind::Order, &keys(ids)).await.unwrap();
            let id =
                |all: &Vec<comptoir_model::port::Candidate>| all.first().map(|one| number(&one.id));
            found.iter().map(id).collect::<Vec<_>>()
        };
        let (first, second) = (number(&seen.id), number(&results[1].as_ref().unwrap().id));
        let answers = [Some(first), None, Some(second)];
        assert_eq!(found(&["1", "nobody", "2"]).await, answers);
        let customer = Query::Key(batch[0].key.clone());
        let other = connector.find(Kind::Customer, &[customer]).await.unwrap();
        assert!(other[0].is_empty(), "the key of an order is no customer's");
        // What a person changed stays, and a lost answer makes no second order.
        let changed = json!({"client_order_ref": "by hand"});
        server.erp().edit("sale.order", first, changed);
        let again = created(&*connector, &create("1", order("1001"))).await;
        assert_eq!(
            (number(&again.id), held(&again).reference.as_str()),
            (first, "by hand")
        );
        assert_eq!(server.erp().rows("sale.order").len(), 2);
        // Deleted, with its key left behind: absent.
        server
            .erp()
            .tables
            .get_mut("sale.order")
            .unwrap()
            .remove(&second);
        assert_eq!(found(&["2"]).await, [None]);
    }
}

#[tokio::test]
async fn a_good_first_record_is_not_refused_for_a_bad_one() {
    for version in VERSIONS {
        for bad in [vec![2], vec![0, 2], vec![1, 2], vec![0, 1, 2, 3]] {
            let server = Server::start(version).await;
            let connector = open(&server);
            let people: Vec<Write> = (0..4)
                .map(|at| {
                    let mut write = person(&at.to_string(), "Exemple SARL");
                    if let (true, Document::Customer(customer)) =
                        (bad.contains(&at), &mut write.document)
                    {
                        customer.vat_number = "FR00000000000".to_owned();
                    }
                    write
                })
                .collect();
            let results = connector.write(&people).await;
            let refused: Vec<usize> = (0..4).filter(|at| results[*at].is_err()).collect();
            assert_eq!(refused, bad, "{version}");
            assert_eq!(server.erp().rows("res.partner").len(), 4 - bad.len());
        }
    }
}
