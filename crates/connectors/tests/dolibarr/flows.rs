//! Stock and shipments, read from the simulator.

use crate::given::*;
use crate::served::{Served, VERSIONS};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Connector, Cursor, Seen, Step};
use comptoir_model::shipment::{Shipment, ShipmentState};
use comptoir_model::stock::Stock;
use comptoir_sim::dolibarr::{DolibarrOptions, Falls, Trouble};
use serde_json::json;
use std::collections::BTreeSet;

/// Everything that waits of a kind, and the cursor after it.
pub async fn drain(
    connector: &dyn Connector,
    kind: Kind,
    since: &Cursor,
) -> (Vec<RemoteId>, Cursor) {
    let (mut since, mut ids) = (since.clone(), Vec::new());
    loop {
        let page = connector.changes(kind, &since).await.unwrap();
        ids.extend(page.items.into_iter().map(|item| item.unwrap().id));
        since = page.next;
        if !page.more {
            return (ids, since);
        }
    }
}

pub async fn stock(connector: &dyn Connector, id: &RemoteId) -> Stock {
    match read(connector, Kind::Stock, id).await {
        Seen::Record(record) => record.document.as_stock().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

pub async fn shipment(connector: &dyn Connector, id: &RemoteId) -> Shipment {
    match read(connector, Kind::Shipment, id).await {
        Seen::Record(record) => record.document.as_shipment().unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

/// Places as `1:20/15`: on hand and available.
async fn at(connector: &dyn Connector, id: &RemoteId) -> String {
    let stock = stock(connector, id).await;
    let shown = stock.levels.iter().map(|level| {
        let place = level.location.as_ref().unwrap();
        format!(
            "{place}:{}/{}",
            level.on_hand.unwrap(),
            level.available.unwrap()
        )
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn number(id: &RemoteId) -> i64 {
    id.as_str().parse().unwrap()
}

fn ids(ids: &[i64]) -> Vec<RemoteId> {
    ids.iter().map(|id| RemoteId(id.to_string())).collect()
}

#[tokio::test]
async fn stock_follows_movements_and_orders() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = &*served.connector;
        let mug = served.products[0].clone();
        let other = served.erp.warehouse("WH2");
        served.erp.set_stock(number(&mug), 1, dec("20"));
        served.erp.set_stock(number(&mug), other, dec("5"));
        // What a supplier brings is not to be promised yet.
        served.erp.expect(number(&mug), dec("50"));
        let (all, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
        assert_eq!(
            all.iter().collect::<BTreeSet<_>>(),
            served.products.iter().collect()
        );
        assert_eq!(at(connector, &mug).await, "1:20/20 2:5/5");
        assert!(!stock(connector, &served.products[1]).await.managed);
        let (_, since) = drain(connector, Kind::Stock, &since).await;
        assert_eq!(drain(connector, Kind::Stock, &since).await.0, []);

        let order = served.erp.sell(number(&mug), dec("7"));
        let (changed, since) = drain(connector, Kind::Stock, &since).await;
        assert_eq!(changed, std::slice::from_ref(&mug));
        assert_eq!(at(connector, &mug).await, "1:20/13 2:5/5");
        let line = served.erp.to_ship(order)[0].0;
        served.erp.ship_part(order, &[(line, dec("3"))], "");
        let (changed, since) = drain(connector, Kind::Stock, &since).await;
        assert_eq!(changed, std::slice::from_ref(&mug));
        assert_eq!(at(connector, &mug).await, "1:17/13 2:5/5");
        // Closed short: the rest is free again.
        served.erp.close_order(order);
        let (changed, since) = drain(connector, Kind::Stock, &since).await;
        assert_eq!(changed, std::slice::from_ref(&mug));
        assert_eq!(at(connector, &mug).await, "1:17/17 2:5/5");
        // Another connection goes on where this one stood, and reads what is open anew.
        served.erp.sell(number(&mug), dec("2"));
        let fresh = served.open(json!({"ships_from": other.to_string()}));
        let (changed, _) = drain(&*fresh, Kind::Stock, &since).await;
        assert_eq!(changed, std::slice::from_ref(&mug));
        assert_eq!(at(&*fresh, &mug).await, "1:17/17 2:5/3");
        served.erp.delete("products", number(&mug));
        assert!(matches!(
            read(connector, Kind::Stock, &mug).await,
            Seen::Gone(_)
        ));
    }
}

#[tokio::test]
async fn an_order_that_loses_a_line_frees_its_product() {
    let served = Served::of(20).await;
    let connector = &*served.connector;
    let mug = served.products[0].clone();
    served.erp.set_stock(number(&mug), 1, dec("20"));
    let customer = served.customer("a").await;
    let write = create("1", served.order("1001", &customer, None));
    let seen = created(connector, &write).await;
    created(connector, &next(&write, Step::Confirm, &seen)).await;
    let (_, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
    assert_eq!(at(connector, &mug).await, "1:20/15.5");
    let order = number(&seen.id);
    served.erp.edit("orders", order, "statut", json!("0"));
    served.erp.edit("orders", order, "lines", json!([]));
    served.erp.edit("orders", order, "statut", json!("1"));
    let (changed, _) = drain(connector, Kind::Stock, &since).await;
    assert!(changed.contains(&mug), "{changed:?}");
    assert_eq!(at(connector, &mug).await, "1:20/20");
}

#[tokio::test]
async fn orders_of_kits_take_their_parts() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = served.open(json!({"kits": true}));
        let connector = &*connector;
        let mug = served.products[0].clone();
        let inner = served.erp.product("KIT-IN", false, "20");
        let outer = served.erp.product("KIT-OUT", false, "20");
        served.erp.kit(inner, &[(number(&mug), dec("2"))]);
        served
            .erp
            .kit(outer, &[(inner, dec("1.5")), (number(&mug), dec("1"))]);
        served.erp.set_stock(number(&mug), 1, dec("20"));
        let (_, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
        let kit = stock(connector, &RemoteId(outer.to_string())).await;
        assert!(kit.managed && kit.levels.is_empty());
        let parts: Vec<(RemoteId, String)> = kit
            .components
            .into_iter()
            .map(|part| (part.product, part.quantity.to_string()))
            .collect();
        assert_eq!(parts, [(mug.clone(), "4".to_owned())]);
        let order = served.erp.sell(outer, dec("3"));
        let (changed, since) = drain(connector, Kind::Stock, &since).await;
        assert!(changed.contains(&mug), "{changed:?}");
        assert_eq!(at(connector, &mug).await, "1:20/8");
        let line = served.erp.to_ship(order)[0].0;
        served.erp.ship_part(order, &[(line, dec("1"))], "");
        let (changed, _) = drain(connector, Kind::Stock, &since).await;
        assert!(changed.contains(&mug), "{changed:?}");
        assert_eq!(at(connector, &mug).await, "1:16/8");
    }
}

#[tokio::test]
async fn when_stock_goes_down_is_a_setting_else_asked() {
    for (admin, falls, setting, available) in [
        (true, Falls::Shipment, None, "1:20/15"),
        (false, Falls::Shipment, None, "1:20/15"),
        // No rule: the virtual stock says 20, and 5 are promised all the same.
        (true, Falls::Never, None, "1:20/15"),
        (false, Falls::Shipment, Some("order"), "1:20/20"),
        (false, Falls::Shipment, Some("invoice"), "1:20/15"),
    ] {
        let served = Served::with(DolibarrOptions {
            admin,
            falls,
            ..DolibarrOptions::default()
        })
        .await;
        let connector = served.open(json!({"stock_falls": setting}));
        let mug = served.products[0].clone();
        served.erp.set_stock(number(&mug), 1, dec("20"));
        served.erp.sell(number(&mug), dec("5"));
        assert_eq!(at(&*connector, &mug).await, available, "{setting:?}");
        let account = connector.probe().await.unwrap();
        let told = |code| account.notices.iter().any(|notice| notice.code == code);
        let unsaid = setting.is_none() && (!admin || falls == Falls::Never);
        assert_eq!(told(Code::MissingSetting), unsaid);
    }
}

#[tokio::test]
async fn missing_rights_are_said_and_stop_these_flows_only() {
    for version in VERSIONS {
        let served = Served::with(DolibarrOptions {
            version,
            stocks: false,
            shipments: false,
            ..DolibarrOptions::default()
        })
        .await;
        let connector = &*served.connector;
        let account = connector.probe().await.unwrap();
        for right in ["“Read stocks”", "“Read sendings”"] {
            let mut notices = account.notices.iter();
            assert!(
                notices.any(|notice| notice.detail.contains(right)),
                "{right}"
            );
        }
        assert_eq!(
            connector
                .changes(Kind::Product, &Cursor::start())
                .await
                .unwrap()
                .items
                .len(),
            3
        );
        for kind in [Kind::Stock, Kind::Shipment] {
            let fault = connector.changes(kind, &Cursor::start()).await.unwrap_err();
            assert_eq!((fault.next, fault.code), (Next::Locked, Code::MissingRight));
        }
    }
}

#[tokio::test]
async fn shipments_are_read_in_parts_and_name_the_shops_lines() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = &*served.connector;
        let customer = served.customer("a").await;
        let (_, since) = drain(connector, Kind::Shipment, &Cursor::start()).await;
        let write = create("1", served.order("1001", &customer, None));
        let seen = created(connector, &write).await;
        created(connector, &next(&write, Step::Confirm, &seen)).await;
        let order = number(&seen.id);
        let lines = served.erp.to_ship(order);
        assert_eq!(lines.len(), 2, "the service is not shipped");

        let part = [(lines[0].0, dec("2"))];
        let first = served.erp.pack(order, &part, 1, "").unwrap();
        let (changed, since) = drain(connector, Kind::Shipment, &since).await;
        assert_eq!(changed, ids(&[first]));
        let first = changed[0].clone();
        let draft = shipment(connector, &first).await;
        assert_eq!((draft.state, draft.completes), (ShipmentState::Open, false));
        assert!(draft.parcels.is_empty() && draft.shipped_at.is_none());
        served.erp.send_off(number(&first));
        let (changed, since) = drain(connector, Kind::Shipment, &since).await;
        assert_eq!(changed, std::slice::from_ref(&first));
        let gone = shipment(connector, &first).await;
        assert_eq!(gone.order, seen.id);
        assert_eq!(
            (gone.state, gone.completes),
            (ShipmentState::Shipped, false)
        );
        assert_eq!(gone.lines.len(), 1);
        let key = write.key.part("line-1");
        assert_eq!(gone.lines[0].key, Some(key));
        assert_eq!(gone.lines[0].quantity, dec("2"));
        assert_eq!(gone.lines[0].sku, "MUG-1");

        served.erp.track(number(&first), "6A1; 6A2");
        let (changed, since) = drain(connector, Kind::Shipment, &since).await;
        assert_eq!(changed, std::slice::from_ref(&first));
        let tracked = shipment(connector, &first).await.parcels;
        assert_eq!(tracked.len(), 2);
        assert_eq!(tracked[1].tracking, "6A2");
        assert_eq!(tracked[1].carrier, "Generic transport service");

        let rest = served.erp.ship(order, "6A3").unwrap();
        let (changed, since) = drain(connector, Kind::Shipment, &since).await;
        assert_eq!(changed, ids(&[rest]));
        let rest = changed[0].clone();
        assert!(shipment(connector, &rest).await.completes);
        assert!(!shipment(connector, &first).await.completes);
        served.erp.deliver(number(&rest));
        assert_eq!(
            shipment(connector, &rest).await.state,
            ShipmentState::Delivered
        );
        let (_, since) = drain(connector, Kind::Shipment, &since).await;
        assert_eq!(drain(connector, Kind::Shipment, &since).await.0, []);
        served.erp.delete_shipment(number(&first));
        assert!(matches!(
            read(connector, Kind::Shipment, &first).await,
            Seen::Gone(_)
        ));
    }
}

#[tokio::test]
async fn an_order_closed_short_is_completed_by_what_left_last() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = &*served.connector;
        let mug = number(&served.products[0]);
        let order = served.erp.sell(mug, dec("5"));
        let line = served.erp.to_ship(order)[0].0;
        let sent = served
            .erp
            .ship_part(order, &[(line, dec("2"))], "6A1")
            .unwrap();
        let called_off = served.erp.pack(order, &[(line, dec("3"))], 1, "").unwrap();
        let (_, since) = drain(connector, Kind::Shipment, &Cursor::start()).await;
        let sent = RemoteId(sent.to_string());
        assert!(!shipment(connector, &sent).await.completes);
        served.erp.call_off(called_off);
        let off = RemoteId(called_off.to_string());
        let seen = shipment(connector, &off).await;
        assert_eq!(
            (seen.state, seen.completes),
            (ShipmentState::Cancelled, false)
        );
        let (_, since) = drain(connector, Kind::Shipment, &since).await;
        served.erp.close_order(order);
        let (changed, _) = drain(connector, Kind::Shipment, &since).await;
        assert!(
            changed.contains(&sent) && changed.contains(&off),
            "{changed:?}"
        );
        assert!(shipment(connector, &sent).await.completes);
        assert!(shipment(connector, &off).await.completes);
    }
}

#[tokio::test]
async fn what_fails_meanwhile_is_for_later_and_nothing_is_lost() {
    let served = Served::of(17).await;
    let connector = &*served.connector;
    let mug = served.products[0].clone();
    served.erp.set_stock(number(&mug), 1, dec("20"));
    let (_, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
    served.erp.sell(number(&mug), dec("5"));
    for call in ["GET orders", "GET products"] {
        served.erp.trouble(call, Trouble::FailedBefore);
        let fault = connector.changes(Kind::Stock, &since).await.unwrap_err();
        assert!(matches!(fault.next, Next::Later { .. }), "{fault}");
    }
    let (changed, _) = drain(connector, Kind::Stock, &since).await;
    assert!(changed.contains(&mug));
    assert_eq!(at(connector, &mug).await, "1:20/15");
}

#[tokio::test]
async fn people_who_write_at_the_same_moment_delay_and_double_nothing() {
    let served = Served::with(DolibarrOptions {
        seed: 7,
        race_rate: 0.4,
        ..DolibarrOptions::default()
    })
    .await;
    let connector = &*served.connector;
    let mut delayed = 0;
    let mut until_done = async |write| {
        for _ in 0..20 {
            match one(connector, &write).await {
                Ok(written) => return written,
                Err(fault) => assert_eq!(fault.code, Code::Contention, "{fault}"),
            }
            delayed += 1;
        }
        panic!("it is never done");
    };
    let customer = until_done(person("a")).await.id;
    for n in 0..12 {
        let number = format!("10{n:02}");
        let write = create(&number, served.order(&number, &customer, None));
        let seen = until_done(write.clone()).await.seen.unwrap();
        until_done(next(&write, Step::Confirm, &seen)).await;
    }
    assert!(delayed > 3, "{delayed}");
    let orders = served.erp.orders();
    assert_eq!(orders.len(), 12);
    let numbers: BTreeSet<&str> = orders.iter().map(|order| order.number.as_str()).collect();
    assert!(numbers.len() == 12 && orders.iter().all(|order| order.state == 1));
}

#[tokio::test]
async fn many_products_and_shipments_come_in_pages() {
    let served = Served::of(17).await;
    let connector = &*served.connector;
    let mut sold = Vec::new();
    for n in 0..230 {
        let product = served.erp.product(&format!("SKU-{n}"), false, "20");
        if n < 120 {
            served.erp.set_stock(product, 1, dec("3"));
            let order = served.erp.sell(product, dec("1"));
            sold.push(served.erp.ship(order, "6A").unwrap());
        }
    }
    let (all, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 233);
    assert!(all.len() <= 233 + 120, "{}", all.len());
    drain(connector, Kind::Stock, &since).await;
    let (all, _) = drain(connector, Kind::Shipment, &Cursor::start()).await;
    let all: BTreeSet<RemoteId> = all.into_iter().collect();
    assert_eq!(all, ids(&sold).into_iter().collect());
}
