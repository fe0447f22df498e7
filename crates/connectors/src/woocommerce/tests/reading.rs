//! Reading on the scripted shop, and the contract suite.

use super::shop::{KEY, SECRET, TestShop, Traits};
use super::stage::*;
use crate::woocommerce::SPEC;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Life;
use comptoir_model::port::{Connector, Cursor, Query, Record, Seen, Unreadable};
use std::collections::BTreeMap;

#[tokio::test]
async fn the_contract_holds() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    add_customers(&shop, 1..=7);
    add_products(&shop);
    let connector = basic(&shop);
    let mut suite = Suite::new(&SPEC, [KEY, SECRET, HOOK_SECRET]);
    suite.declarations();
    let orders = Reading {
        unreadable: 1,
        pages_at_most: 10,
        ..Reading::of(Kind::Order, 7)
    };
    suite.reading(&*connector, &orders).await;
    suite
        .reading(&*connector, &Reading::of(Kind::Customer, 7))
        .await;
    suite
        .reading(&*connector, &Reading::of(Kind::Product, 5))
        .await;
    let shipped = update("2", |order| order.status.word = "shipped".to_owned());
    let writes = [completed("1"), shipped, completed("999"), completed("3")];
    let bad = BTreeMap::from([(1, Code::Refused), (2, Code::RecordGone)]);
    let results = suite.batch(&*connector, &writes, &bad).await;
    let made = results[0].as_ref().unwrap();
    let seen = made.seen.as_ref().unwrap().document.as_order().unwrap();
    assert_eq!(seen.status.life, Life::Completed);
    suite
        .proof(&*connector, &writes[0], &RemoteId::from("1"))
        .await;
    let report = suite.finish();
    report.assert_passed();
    assert!(report.checks.len() > 40, "{report}");
}

/// Reads to the end: the ids of what is new or changed, and where to go on.
async fn read_on(connector: &dyn Connector, kind: Kind, since: &Cursor) -> (Vec<String>, Cursor) {
    let (mut ids, mut cursor) = (Vec::new(), since.clone());
    loop {
        let page = connector.changes(kind, &cursor).await.unwrap();
        let id = |item: Result<Record, Unreadable>| match item {
            Ok(record) => record.id.0,
            Err(unreadable) => unreadable.id.unwrap().0,
        };
        ids.extend(page.items.into_iter().map(id));
        cursor = page.next;
        if !page.more {
            return (ids, cursor);
        }
    }
}

#[tokio::test]
async fn two_changes_of_one_second_are_two_changes() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    let connector = basic(&shop);
    let (ids, cursor) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8"]);
    let (ids, cursor) = read_on(&*connector, Kind::Order, &cursor).await;
    assert!(
        ids.is_empty(),
        "the overlap repeats nothing unchanged: {ids:?}"
    );
    // Completed within the second of its last change.
    shop.state().orders.get_mut(&6).unwrap()["status"] = "completed".into();
    let (ids, _) = read_on(&*connector, Kind::Order, &cursor).await;
    assert_eq!(ids, ["6"]);
}

#[tokio::test]
async fn an_order_put_in_the_trash_is_read_as_trashed() {
    let shop = TestShop::start(HTTPS).await;
    shop.state().orders.insert(1, order(1, 1));
    let connector = basic(&shop);
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.more), (1, false));
    let mut trashed = order(1, 9);
    trashed["status"] = "trash".into();
    shop.state().orders.insert(1, trashed);
    let page = connector.changes(Kind::Order, &page.next).await.unwrap();
    let record = page.items[0].as_ref().unwrap();
    assert_eq!(
        record.document.as_order().unwrap().status.life,
        Life::Trashed
    );
}

#[tokio::test]
async fn a_shop_that_ignores_the_time_is_refused_instead_of_read_for_ever() {
    let shop = TestShop::start(Traits {
        deaf: true,
        ..HTTPS
    })
    .await;
    shop.state().orders.insert(1, order(1, -900));
    shop.state().orders.insert(2, order(2, 1));
    let connector = basic(&shop);
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    let second = connector.changes(Kind::Order, &page.next).await;
    assert!(matches!(
        fault(second),
        (Next::Locked, Code::UnsupportedVersion)
    ));
}

#[tokio::test]
async fn customers_deleted_meanwhile_hide_no_new_one() {
    let shop = TestShop::start(HTTPS).await;
    add_customers(&shop, 1..=7);
    let connector = basic(&shop);
    let (ids, cursor) = read_on(&*connector, Kind::Customer, &Cursor::start()).await;
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7"]);
    for id in [1, 2, 4, 5, 7] {
        shop.state().customers.remove(&id);
    }
    add_customers(&shop, [8, 9]);
    let (ids, cursor) = read_on(&*connector, Kind::Customer, &cursor).await;
    assert_eq!(ids, ["8", "9"]);
    let before = shop.asked("/customers").len();
    let (ids, _) = read_on(&*connector, Kind::Customer, &cursor).await;
    assert_eq!((ids.len(), shop.asked("/customers").len() - before), (0, 1));
}

#[tokio::test]
async fn ids_are_read_in_lists_and_the_rest_one_by_one() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    add_products(&shop);
    let connector = basic(&shop);
    let ids = ["1", "8", "999", "7", "not-a-number"].map(RemoteId::from);
    let seen = connector.read(Kind::Order, &ids).await.unwrap();
    let shown: Vec<&str> = seen
        .iter()
        .map(|seen| match seen {
            Seen::Record(record) => match record.document.as_order().unwrap().status.life {
                Life::Trashed => "trashed",
                _ => "there",
            },
            Seen::Unreadable(_) => "unreadable",
            Seen::Gone(_) => "gone",
        })
        .collect();
    assert_eq!(shown, ["there", "trashed", "gone", "unreadable", "gone"]);
    assert_eq!(shop.asked("/orders").len(), 1);
    assert_eq!(shop.asked("/orders")[0].query["dp"], "6");
    // A variation is in no list of products.
    let seen = connector
        .read(Kind::Product, &["851".into(), "844".into()])
        .await
        .unwrap();
    assert!(
        seen.iter().all(|seen| matches!(seen, Seen::Record(_))),
        "{seen:?}"
    );
}

#[tokio::test]
async fn refunds_are_read_through_their_order() {
    let shop = TestShop::start(HTTPS).await;
    shop.state()
        .orders
        .insert(899, taped("11.0.1/056-order-partly-refunded"));
    let refunds = taped("11.0.1/057-order-refunds-list");
    shop.state()
        .refunds
        .insert(899, refunds.as_array().unwrap().clone());
    let connector = basic(&shop);
    let seen = connector.read(Kind::Order, &["899".into()]).await.unwrap();
    let Seen::Record(record) = &seen[0] else {
        panic!("{seen:?}")
    };
    let mentioned = &record.document.as_order().unwrap().refunds;
    let mut ids: Vec<RemoteId> = mentioned.iter().map(|refund| refund.id.clone()).collect();
    ids.extend(["899-1".into(), "77-1".into(), "odd".into()]);
    let seen = connector.read(Kind::Refund, &ids).await.unwrap();
    let amounts: Vec<String> = seen
        .iter()
        .map(|seen| match seen {
            Seen::Record(record) => match &record.document {
                Document::Refund(refund) => format!("{} {}", refund.order, refund.amount),
                other => panic!("{other:?}"),
            },
            Seen::Gone(_) => "gone".to_owned(),
            Seen::Unreadable(unreadable) => panic!("{unreadable:?}"),
        })
        .collect();
    assert_eq!(
        amounts,
        ["899 15", "899 8.28", "899 3.33", "gone", "gone", "gone"]
    );
}

#[tokio::test]
async fn numbers_addresses_and_skus_are_found() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    // A plug-in numbers orders.
    shop.state().orders.get_mut(&2).unwrap()["number"] = "FR-2026-0042".into();
    add_customers(&shop, 1..=12);
    add_products(&shop);
    let mut odd = taped("11.0.1/080-product-simple");
    odd["id"] = 900.into();
    odd["sku"] = "A,B".into();
    shop.state().products.insert(900, odd);
    let connector = basic(&shop);
    let find = async |kind, queries: &[Query]| -> Vec<Vec<String>> {
        let found = connector.find(kind, queries).await.unwrap();
        let ids = |candidates: Vec<comptoir_model::port::Candidate>| {
            candidates
                .into_iter()
                .map(|candidate| candidate.id.0)
                .collect()
        };
        found.into_iter().map(ids).collect()
    };
    let reference = |text: &str| Query::Reference(text.to_owned());
    let found = find(
        Kind::Order,
        &[reference("1"), reference("2"), reference("FR-2026-0042")],
    )
    .await;
    assert_eq!(found, [vec!["1"], vec![], vec!["2"]]);
    let email = |text: &str| Query::Email(text.to_owned());
    let found = find(
        Kind::Customer,
        &[email("buyer1@example.test"), email("no@example.test")],
    )
    .await;
    assert_eq!(found, [vec!["1"], vec![]]);
    let sku = |text: &str| Query::Sku(text.to_owned());
    let found = find(Kind::Product, &[sku("A,B"), sku("NOPE"), sku("TP-MUG")]).await;
    assert_eq!(found, [vec!["900"], vec![], vec!["844"]]);
    let wrong = connector
        .find(Kind::Order, &[email("x@example.test")])
        .await;
    assert_eq!(fault(wrong).0, Next::Bug);
}
