//! The Odoo connector on a scripted server, on both of its APIs.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod odoo_server;

use comptoir_connectors::odoo::SPEC;
use comptoir_kit::clock::Clock;
use comptoir_kit::contract::{LogCapture, Reading, Suite};
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::account::{Account, Severity};
use comptoir_model::address::Address;
use comptoir_model::code::Code;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Life, Line, LineKind, LineTax, Order};
use comptoir_model::port::{Connector, Cursor, Query, Record, Seen, Step, Write, Written};
use odoo_server::{DATABASE, KEY, LOGIN, Server, Trouble};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::instrument::WithSubscriber;

/// Both faces: 16 speaks `/jsonrpc`, 19 `/json/2`.
const VERSIONS: [u32; 2] = [16, 19];

fn open_with(address: &str, changes: Value) -> Arc<dyn Connector> {
    let mut settings = json!({"url": address, "database": DATABASE, "login": LOGIN, "key": KEY});
    settings
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    (SPEC.open)(settings, Kit::new("erp".parse().unwrap())).unwrap()
}

fn open(server: &Server) -> Arc<dyn Connector> {
    open_with(&server.address, json!({}))
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(id: &str, product: &str, quantity: &str, price: &str) -> Line {
    Line {
        id: id.to_owned(),
        product: Some(product.into()),
        title: format!("Line {id}"),
        quantity: dec(quantity),
        unit_price: dec(price),
        taxes: vec![LineTax {
            code: "10".to_owned(),
            amount: Decimal::ZERO,
        }],
        ..Line::default()
    }
}

fn order(number: &str) -> Order {
    let mut order = Order::empty("", "EUR".parse().unwrap());
    order.reference = number.to_owned();
    order.origin = format!("shop-fr {number}");
    order.dates.placed = Some("2026-10-25T00:30:00Z".parse().unwrap());
    order.customer = Some("7".into());
    order.bill_to.id = Some("7".into());
    order.ship_to.id = Some("8".into());
    order.placement.price_list = Some("1".into());
    order.lines = vec![
        line("line-1", "61", "3", "15"),
        line("line-2", "62", "2", "18.9"),
        Line {
            taxes: Vec::new(),
            ..line("shipping-1", "63", "1", "6.9")
        },
    ];
    order
}

fn write(kind: Kind, step: Step, id: &str, document: Document) -> Write {
    Write {
        key: WriteKey(format!("shop-fr/{kind}/{id}")),
        kind,
        step,
        target: None,
        document,
        before: None,
        expects: None,
    }
}

fn create(id: &str, order: Order) -> Write {
    write(
        Kind::Order,
        Step::Create,
        id,
        Document::Order(Box::new(order)),
    )
}

fn person(id: &str, name: &str) -> Write {
    let customer = Customer {
        name: name.to_owned(),
        email: format!("{id}@example.test"),
        language: "fr".to_owned(),
        address: Address {
            line1: "12 rue de l’Église".to_owned(),
            city: "Lyon".to_owned(),
            postcode: "69003".to_owned(),
            country: Some("FR".parse().unwrap()),
            ..Address::default()
        },
        ..Customer::default()
    };
    write(
        Kind::Customer,
        Step::Create,
        id,
        Document::Customer(Box::new(customer)),
    )
}

/// A step on an order that was written, decided on what was seen.
fn next(of: &Write, step: Step, seen: &Record) -> Write {
    Write {
        step,
        target: Some(seen.id.clone()),
        document: seen.document.clone(),
        before: None,
        expects: Some(seen.version.clone()),
        ..of.clone()
    }
}

async fn one(connector: &dyn Connector, write: &Write) -> Result<Written, Fault> {
    let results = connector.write(std::slice::from_ref(write)).await;
    assert_eq!(results.len(), 1);
    results.into_iter().next().unwrap()
}

async fn created(connector: &dyn Connector, write: &Write) -> Record {
    one(connector, write).await.unwrap().seen.unwrap()
}

fn held(record: &Record) -> &Order {
    record.document.as_order().unwrap()
}

fn number(id: &RemoteId) -> i64 {
    id.as_str().parse().unwrap()
}

#[tokio::test]
async fn the_contract_holds_on_both_faces() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut suite = Suite::new(&SPEC, [KEY]);
        suite.declarations();
        let mut bad = order("1003");
        bad.lines[0].product = Some("999".into());
        let batch: Vec<Write> = vec![
            create("1", order("1001")),
            create("2", order("1002")),
            create("3", bad),
            create("4", order("1004")),
        ];
        let results = suite
            .batch(&*connector, &batch, &BTreeMap::from([(2, Code::Refused)]))
            .await;
        for at in [0, 1, 3] {
            let made = results[at].as_ref().unwrap();
            suite.proof(&*connector, &batch[at], &made.id).await;
        }
        let people = [
            person("a", "Anne"),
            person("b", "Bob"),
            person("c", "Chloé"),
        ];
        let results = suite.batch(&*connector, &people, &BTreeMap::new()).await;
        suite
            .proof(&*connector, &people[0], &results[0].as_ref().unwrap().id)
            .await;
        let seen = created(&*connector, &batch[0]).await;
        let confirm = next(&batch[0], Step::Confirm, &seen);
        let done = suite
            .batch(
                &*connector,
                std::slice::from_ref(&confirm),
                &BTreeMap::new(),
            )
            .await;
        suite
            .proof(&*connector, &confirm, &done[0].as_ref().unwrap().id)
            .await;
        server.erp().put(
            "sale.order",
            json!({"name": "S00000", "state": "draft", "currency_id": false}),
        );
        let orders = Reading {
            unreadable: 1,
            ..Reading::of(Kind::Order, 3)
        };
        suite.reading(&*connector, &orders).await;
        suite
            .reading(&*connector, &Reading::of(Kind::Customer, 3))
            .await;
        suite
            .reading(&*connector, &Reading::of(Kind::Product, 4))
            .await;
        server.erp().troubles.push((
            "res.partner.search_read".to_owned(),
            Trouble::Refused("odoo.exceptions.AccessError"),
        ));
        let query = [Query::Email("a@example.test".to_owned())];
        let fault = connector.find(Kind::Customer, &query).await.unwrap_err();
        suite.classified("a missing right", &fault, Next::Locked, Code::MissingRight);
        suite.finish().assert_passed();
    }
}

#[tokio::test]
async fn a_probe_tells_what_the_database_has() {
    for (version, decimals) in [(16, Some(2)), (19, None)] {
        let server = Server::start(version).await;
        let account = open(&server).probe().await.unwrap();
        assert_eq!(account.version, format!("Odoo {version}.0"));
        assert_eq!(account.price_decimals, decimals);
        assert_eq!(account.currency, "EUR".parse().ok());
        let uuid = "6f1c0a52-0000-4000-8000-000000000001";
        assert_eq!(
            account.site,
            format!("{}/{DATABASE}#{uuid}", server.address)
        );
        assert!(
            account
                .choice("taxes", "TVA 20 % TTC")
                .unwrap()
                .includes_tax
        );
        assert_eq!(
            account.choice("price_lists", "USD").unwrap().currency,
            "USD".parse().ok()
        );
        assert_eq!(account.choices["companies"].len(), 2);
        assert_eq!(account.fields["order"], ["reference"]);
        // No carriers: the app is not installed.
        let told = |account: &Account| -> Vec<(Severity, String)> {
            let notices = account.notices.iter();
            notices
                .map(|notice| (notice.severity, notice.detail.clone()))
                .collect()
        };
        let carriers = "`delivery.carrier` is not used: no installed app brings it".to_owned();
        assert_eq!(told(&account), [(Severity::Info, carriers.clone())]);
        server.erp().denied = vec!["sale.order"];
        let account = open(&server).probe().await.unwrap();
        let right = "the user of the key may not create `sale.order`".to_owned();
        assert_eq!(
            told(&account),
            [(Severity::Info, carriers), (Severity::Error, right)]
        );
    }
}

#[tokio::test]
async fn a_probe_tells_one_wrong_setting_from_another() {
    let log = LogCapture::default();
    let run = async {
        for version in VERSIONS {
            let server = Server::start(version).await;
            let code = async |changes: Value| {
                let fault = open_with(&server.address, changes)
                    .probe()
                    .await
                    .unwrap_err();
                assert_eq!(fault.next, Next::Locked, "{fault}");
                assert!(!fault.to_string().contains("not-the-key"), "{fault}");
                fault.code
            };
            assert_eq!(code(json!({"key": "not-the-key"})).await, Code::WrongKey);
            assert_eq!(
                code(json!({"database": "other"})).await,
                Code::WrongDatabase
            );
            assert_eq!(code(json!({"company": "Nobody"})).await, Code::BadValue);
            assert_eq!(code(json!({"language": "xx_XX"})).await, Code::BadValue);
            let missing = (
                "sale.order.fields_get",
                "odoo.exceptions.AccessError",
                Code::MissingRight,
            );
            let absent = (
                "sale.order.fields_get",
                "odoo.exceptions.UserError",
                Code::UnsupportedVersion,
            );
            let keys = (
                "ir.model.data.search_read",
                "odoo.exceptions.AccessError",
                Code::MissingRight,
            );
            for (call, exception, expected) in [missing, absent, keys] {
                server
                    .erp()
                    .troubles
                    .push((call.to_owned(), Trouble::Refused(exception)));
                assert_eq!(code(json!({})).await, expected);
            }
        }
        let old = Server::start(15).await;
        assert_eq!(
            open(&old).probe().await.unwrap_err().code,
            Code::UnsupportedVersion
        );
        let nobody = open_with("http://127.0.0.1:9", json!({}));
        assert_eq!(nobody.probe().await.unwrap_err().code, Code::Unreachable);
        let page = axum::Router::new().fallback(|| async { "<html>A shop</html>" });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, page).await.unwrap() });
        assert_eq!(
            open_with(&address, json!({}))
                .probe()
                .await
                .unwrap_err()
                .code,
            Code::WrongAddress
        );
    };
    run.with_subscriber(log.clone()).await;
    assert!(!log.text().is_empty());
    for secret in [KEY, "not-the-key", "Traceback", "Marie"] {
        assert!(!log.text().contains(secret));
    }
}

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
                "ir.model.data.search_read",
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
        // Twice in one batch: one record.
        let twice = connector
            .write(&[create("9", order("1009")), create("9", order("1009"))])
            .await;
        assert_eq!(twice[0].as_ref().unwrap().id, twice[1].as_ref().unwrap().id);
        assert_eq!(server.erp().rows("sale.order").len(), 2);
    }
}

#[tokio::test]
async fn confirming_twice_is_confirmed_and_keeps_the_shops_date() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let confirm = next(&write, Step::Confirm, &seen);
        for _ in 0..2 {
            let now = one(&*connector, &confirm).await.unwrap().seen.unwrap();
            assert_eq!(held(&now).status.life, Life::Open);
            assert_eq!(
                held(&now).dates.placed,
                Some("2026-10-25T00:30:00Z".parse().unwrap())
            );
        }
        // The answer is lost, then asked for by the state.
        let write = create("2", order("1002"));
        let seen = created(&*connector, &write).await;
        server
            .erp()
            .troubles
            .push(("sale.order.action_confirm".to_owned(), Trouble::Lost));
        let confirm = next(&write, Step::Confirm, &seen);
        assert_eq!(
            one(&*connector, &confirm).await.unwrap_err().next,
            Next::Unknown
        );
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        let Seen::Record(now) = &read[0] else {
            panic!("{read:?}")
        };
        assert_eq!(held(now).status.life, Life::Open);
        assert!(one(&*connector, &confirm).await.is_ok());
    }
}

#[tokio::test]
async fn nothing_is_done_to_an_order_that_moved() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let lines = server.erp().lines_of(number(&seen.id))[0]["id"]
            .as_i64()
            .unwrap();
        // A line's text alone does not touch the order's own time.
        server
            .erp()
            .edit("sale.order.line", lines, json!({"name": "by hand"}));
        for step in [Step::Confirm, Step::Cancel] {
            let fault = one(&*connector, &next(&write, step, &seen))
                .await
                .unwrap_err();
            assert_eq!((fault.next, fault.code), (Next::Moved, Code::TargetMoved));
        }
        assert_eq!(
            server.erp().get("sale.order", number(&seen.id))["state"],
            "draft"
        );
        // A person changed and confirmed it: not taken for our confirmation.
        server
            .erp()
            .edit("sale.order", number(&seen.id), json!({"state": "sale"}));
        let fault = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap_err();
        assert_eq!(fault.next, Next::Moved);
        server.erp().unlink("sale.order", number(&seen.id));
        let fault = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Gone, Code::RecordGone));
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        assert_eq!(read, [Seen::Gone(seen.id.clone())]);
    }
}

#[tokio::test]
async fn one_order_that_cannot_be_confirmed_stops_no_other() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut refused = order("1002");
        refused.origin = "refuse".to_owned();
        let orders = [order("1001"), refused, order("1003"), order("1004")];
        let writes: Vec<Write> = orders
            .into_iter()
            .enumerate()
            .map(|(at, order)| create(&at.to_string(), order))
            .collect();
        let made = connector.write(&writes).await;
        let mut confirms = Vec::new();
        for (write, made) in writes.iter().zip(&made) {
            confirms.push(next(
                write,
                Step::Confirm,
                made.as_ref().unwrap().seen.as_ref().unwrap(),
            ));
        }
        let id = number(confirms[3].target.as_ref().unwrap());
        server
            .erp()
            .edit("sale.order", id, json!({"state": "cancel"}));
        confirms[3].expects = None;
        let results = connector.write(&confirms).await;
        let codes: Vec<Option<Code>> = results
            .iter()
            .map(|result| result.as_ref().err().map(|f| f.code))
            .collect();
        assert_eq!(
            codes,
            [None, Some(Code::WrongState), None, Some(Code::WrongState)]
        );
    }
}

#[tokio::test]
async fn a_confirmed_order_is_cancelled_without_a_question() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let open = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap()
            .seen
            .unwrap();
        for _ in 0..2 {
            let gone = one(&*connector, &next(&write, Step::Cancel, &open))
                .await
                .unwrap()
                .seen
                .unwrap();
            assert_eq!(held(&gone).status.life, Life::Cancelled);
        }
    }
}

#[tokio::test]
async fn an_update_writes_what_differs_and_leaves_what_people_added() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let id = number(&seen.id);
        server.erp().put(
            "sale.order.line",
            json!({"order_id": [id, "x"], "name": "by hand", "product_id": [61, "x"],
            "product_uom_qty": 1.0, "price_unit": 1.0}),
        );
        server
            .erp()
            .edit("sale.order", id, json!({"origin": "by hand"}));
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        let Seen::Record(now) = &read[0] else {
            panic!("{read:?}")
        };
        let mut after = order("1001");
        after.reference = "1001-B".to_owned();
        after.lines.remove(1);
        after.lines[0].quantity = dec("4");
        after.lines.push(line("line-5", "62", "1", "2"));
        let update = Write {
            document: Document::Order(Box::new(after)),
            before: Some(Document::Order(Box::new(order("1001")))),
            ..next(&write, Step::Update, now)
        };
        let done = one(&*connector, &update).await.unwrap().seen.unwrap();
        let texts: Vec<&str> = held(&done)
            .lines
            .iter()
            .map(|line| line.title.as_str())
            .collect();
        assert_eq!(
            texts,
            ["Line line-1", "Line shipping-1", "by hand", "Line line-5"]
        );
        assert_eq!(held(&done).lines[0].quantity, dec("4"));
        assert_eq!(held(&done).reference, "1001-B");
        assert_eq!(held(&done).origin, "by hand");
        assert!(server.erp().by_key("shop-fr__order__1__line-2").is_none());
        assert!(server.erp().by_key("shop-fr__order__1__line-5").is_some());
        // Decided on what is no longer so.
        assert_eq!(
            one(&*connector, &update).await.unwrap_err().next,
            Next::Moved
        );
    }
}

#[tokio::test]
async fn rounding_lines_of_many_orders_go_in_one_call() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let writes: Vec<Write> = (0..5)
            .map(|n| create(&n.to_string(), order(&n.to_string())))
            .collect();
        let made = connector.write(&writes).await;
        let rounded = |seen: &Record, amounts: [&str; 2], write: &Write| {
            let with = |amount: &str| {
                let mut order = held(seen).clone();
                order.lines.clear();
                if amount != "0" {
                    let rounding = line("rounding", "64", "1", amount);
                    order.lines.push(Line {
                        taxes: Vec::new(),
                        kind: LineKind::Rounding,
                        ..rounding
                    });
                }
                Document::Order(Box::new(order))
            };
            Write {
                document: with(amounts[1]),
                before: Some(with(amounts[0])),
                ..next(write, Step::Update, seen)
            }
        };
        let seen = |result: &Result<Written, Fault>| result.as_ref().unwrap().seen.clone().unwrap();
        let updates: Vec<Write> = writes
            .iter()
            .zip(&made)
            .map(|(write, made)| rounded(&seen(made), ["0", "0.02"], write))
            .collect();
        server.erp().calls.clear();
        let done = connector.write(&updates).await;
        let loads = server
            .erp()
            .calls
            .iter()
            .filter(|call| call.ends_with(".load"))
            .count();
        assert_eq!(loads, 1);
        assert!(
            !server
                .erp()
                .calls
                .iter()
                .any(|call| call == "sale.order.write")
        );
        for result in &done {
            let order = seen(result);
            assert_eq!(held(&order).totals.total, dec("89.72"));
            assert_eq!(held(&order).lines[3].kind, LineKind::Rounding);
        }
        let change = rounded(&seen(&done[0]), ["0.02", "-0.01"], &writes[0]);
        let changed = one(&*connector, &change).await.unwrap().seen.unwrap();
        assert_eq!(held(&changed).totals.total, dec("89.69"));
        let remove = rounded(&changed, ["-0.01", "0"], &writes[0]);
        let removed = one(&*connector, &remove).await.unwrap().seen.unwrap();
        assert_eq!(held(&removed).totals.total, dec("89.70"));
        assert_eq!(held(&removed).lines.len(), 3);
    }
}

#[tokio::test]
async fn an_update_that_is_refused_leaves_nothing_half_done() {
    let server = Server::start(19).await;
    let connector = open(&server);
    let write = create("1", order("1001"));
    let seen = created(&*connector, &write).await;
    let mut after = order("1001");
    after.reference = "1001-B".to_owned();
    after.lines.push(line("line-5", "62", "1", "2"));
    let update = Write {
        document: Document::Order(Box::new(after)),
        before: Some(Document::Order(Box::new(order("1001")))),
        ..next(&write, Step::Update, &seen)
    };
    let refused = Trouble::Refused("odoo.exceptions.UserError");
    server
        .erp()
        .troubles
        .push(("sale.order.write".to_owned(), refused));
    let fault = one(&*connector, &update).await.unwrap_err();
    assert_eq!((fault.next, fault.code), (Next::Refused, Code::Refused));
    assert_eq!(server.erp().lines_of(number(&seen.id)).len(), 3);
}

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
async fn the_older_api_works_on_the_newer_version() {
    let server = Server::start(19).await;
    let connector = open_with(&server.address, json!({"protocol": "jsonrpc"}));
    let seen = created(&*connector, &create("1", order("1001"))).await;
    assert_eq!(held(&seen).totals.total, dec("89.70"));
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 1);
}

#[test]
fn settings_are_checked_when_they_are_read() {
    let kit = || Kit::new("erp".parse().unwrap());
    let good = json!({"url": "https://erp.example.com", "database": "books", "key": "k"});
    assert!((SPEC.open)(good.clone(), kit()).is_ok());
    for (field, value) in [
        ("external_id_module", "My.Module"),
        ("database", " "),
        ("key", ""),
    ] {
        let mut bad = good.clone();
        bad[field] = json!(value);
        let fault = (SPEC.open)(bad, kit()).err().unwrap();
        assert_eq!(
            (fault.code, fault.field.as_deref()),
            (Code::BadValue, Some(field))
        );
    }
    let mut unknown = good;
    unknown["pasword"] = json!("x");
    assert_eq!(
        (SPEC.open)(unknown, kit()).err().unwrap().code,
        Code::UnknownSetting
    );
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
}
