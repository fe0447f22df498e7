//! The connector on its tapes. They are stubs until real answers are recorded: `comptoir tape record`, see README.md.

use super::*;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_kit::http::Effect;
use comptoir_kit::tape::{Exchange, Matching, Replay, read_folder};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::WriteKey;
use comptoir_model::order::{Life, Order, Paid};
use std::collections::BTreeMap;
use std::path::Path;

/// From the crate's folder, where tests run.
const TAPES: &str = "template/tapes";

const KEY: &str = "key_of_the_stub";

const LATER: Next = Next::Later { after: None };

/// What the recorded refusals mean. Written by hand, from the vendor's documents and from looking at the system.
const MEANS: &[(&str, &[(Next, Code)])] = &[
    ("008-bad-status", &[(Next::Refused, Code::Refused)]),
    ("009-key-unknown", &[(Next::Locked, Code::WrongKey)]),
    ("010-scope-missing", &[(Next::Locked, Code::MissingRight)]),
    ("011-slow-down", &[(LATER, Code::TooManyRequests)]),
    ("012-no-api", &[(Next::Locked, Code::WrongAddress)]),
    (
        "013-server-error",
        &[
            (LATER, Code::ServerError),
            (Next::Unknown, Code::ServerError),
        ],
    ),
    ("014-no-such-order", &[(Next::Gone, Code::RecordGone)]),
];

fn tapes() -> Vec<(String, Vec<Exchange>)> {
    let tapes = read_folder(Path::new(TAPES)).unwrap();
    let exchanges = tapes
        .into_iter()
        .map(|(name, tape)| (name, tape.exchanges()));
    exchanges.collect()
}

/// A connection that the tapes of successes answer, and the one refusal that a batch needs.
fn shop() -> (Arc<dyn Connector>, Replay) {
    let refused = |name: &str| MEANS.iter().any(|(tape, _)| *tape == name);
    let answers = tapes().into_iter();
    let answers = answers.filter(|(name, _)| !refused(name) || name == "008-bad-status");
    let exchanges = answers.flat_map(|(_, exchanges)| exchanges).collect();
    let replay = Replay::new(exchanges, Matching::with_bodies());
    let name = "shop".parse().unwrap();
    let http = comptoir_kit::http::HttpMaker::replaying("shop".parse().unwrap(), replay.clone());
    let kit = Kit::new(name).with_http(http);
    let value = serde_json::json!({"url": "https://shop.example", "key": KEY});
    ((SPEC.open)(value, kit).unwrap(), replay)
}

fn update(id: &str, status: &str) -> Write {
    let mut order = Order::empty(format!("T-100{id}"), "EUR".parse().unwrap());
    order.status.word = status.to_owned();
    Write {
        key: WriteKey(format!("erp/order/{id}")),
        kind: Kind::Order,
        step: Step::Update,
        target: Some(id.into()),
        document: Document::Order(Box::new(order)),
        before: None,
        expects: None,
    }
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let (connector, replay) = shop();
    let mut suite = Suite::new(&SPEC, [KEY]);
    suite.declarations();
    for (name, means) in MEANS {
        let (_, exchanges) = tapes().into_iter().find(|(tape, _)| tape == name).unwrap();
        assert_eq!(exchanges.len(), means.len(), "{name}");
        for (exchange, (next, code)) in exchanges.iter().zip(*means) {
            let effect = match exchange.request.method.as_str() {
                "GET" => Effect::Read,
                _ => Effect::Write,
            };
            let answer = exchange.answer(effect, Timestamp::UNIX_EPOCH);
            suite.classified(name, &fault::of(&answer).unwrap(), *next, *code);
        }
    }
    let expected = Reading {
        unreadable: 1,
        ..Reading::of(Kind::Order, 3)
    };
    suite.reading(&*connector, &expected).await;
    let writes = [
        update("1", "done"),
        update("2", "lost"),
        update("3", "done"),
    ];
    let bad = BTreeMap::from([(1, Code::Refused)]);
    suite.batch(&*connector, &writes, &bad).await;
    suite.proof(&*connector, &writes[0], &"1".into()).await;
    suite.finish().assert_passed();
    connector.probe().await.unwrap();
    let ids = ["1".into(), "99".into()];
    connector.read(Kind::Order, &ids).await.unwrap();
    assert_eq!(replay.unused(), [""; 0], "tapes that nothing asks for");
}

#[tokio::test]
async fn an_order_is_what_the_shop_says() {
    let (connector, _) = shop();
    let page = connector.changes(Kind::Order, &Cursor::start()).await;
    let page = page.unwrap();
    let record = page.items[0].as_ref().unwrap();
    let order = record.document.as_order().unwrap();
    assert_eq!((record.id.as_str(), order.number.as_str()), ("1", "T-1001"));
    assert_eq!(
        (order.status.life, order.status.paid),
        (Life::Open, Paid::Yes)
    );
    let line = &order.lines[0];
    assert_eq!((line.sku.as_str(), line.unit_price), ("MUG", 10.into()));
    assert_eq!(order.taxes[0].rate, Some(20.into()));
    assert_eq!(order.totals.total, Decimal::from(36));
    assert_eq!(order.totals.rounding, Decimal::ZERO);
    let unreadable = page.items[1].as_ref().unwrap_err();
    assert_eq!(unreadable.fault.field.as_deref(), Some("total"));
}

#[tokio::test]
async fn what_is_not_there_is_gone() {
    let (connector, _) = shop();
    let ids = ["1".into(), "99".into()];
    let seen = connector.read(Kind::Order, &ids).await.unwrap();
    assert!(matches!(&seen[0], Seen::Record(record) if record.id.as_str() == "1"));
    assert_eq!(seen[1], Seen::Gone("99".into()));
}
