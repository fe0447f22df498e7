//! Shipments into orders of the simulated shop.

use super::simulated::{KEY, SECRET, Stage, open, shop};
use super::stage::fault;
use crate::woocommerce::SPEC;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next as Inner, from_fn};
use axum::response::{IntoResponse, Response};
use comptoir_kit::contract::Suite;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::{Connector, Seen, Step, Write, Written};
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState, ShippedLine};
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::Shop;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A shipment of two pieces in one parcel, told to the buyer.
fn shipment(order: u64, number: &str, change: impl FnOnce(&mut Shipment)) -> Write {
    let mut shipment = Shipment {
        order: order.to_string().into(),
        number: number.to_owned(),
        key: None,
        state: ShipmentState::Shipped,
        location: None,
        lines: vec![ShippedLine {
            line: "2001".to_owned(),
            sku: "MUG".to_owned(),
            quantity: 2.into(),
            ..ShippedLine::default()
        }],
        parcels: vec![Parcel {
            tracking: format!("6A{}", number.len()),
            carrier: "Example & Co".to_owned(),
            url: "https://track.example.test/?a=1&b=2".to_owned(),
        }],
        shipped_at: Some("2026-11-25T09:00:00Z".parse().unwrap()),
        completes: false,
        notify: true,
    };
    change(&mut shipment);
    let key = WriteKey(format!("erp/shipment/{number}"));
    shipment.key = Some(key.clone());
    Write {
        key,
        kind: Kind::Shipment,
        step: Step::Create,
        target: Some(shipment.order.clone()),
        document: Document::Shipment(shipment),
        before: None,
        expects: None,
    }
}

fn asked(write: &Write) -> &Shipment {
    write.document.as_shipment().unwrap()
}

fn seen(written: &Written) -> &Order {
    written.seen.as_ref().unwrap().document.as_order().unwrap()
}

fn sell(shop: &Shop) -> u64 {
    let catalogue = shop.catalogue();
    let item = catalogue
        .items
        .iter()
        .find(|item| item.stock.is_some())
        .unwrap();
    shop.sell(&[(&item.sku, 3)]).unwrap()
}

async fn write(connector: &dyn Connector, write: &Write) -> Written {
    let mut results = connector.write(std::slice::from_ref(write)).await;
    results.pop().unwrap().unwrap()
}

#[tokio::test]
async fn parts_are_marked_and_the_last_one_completes() {
    let stage = Stage::of("11.0.1", 0).await;
    let order = sell(&stage.shop);
    let first = shipment(order, "WH/OUT/0001", |_| {});
    let last = shipment(order, "WH/OUT/00012", |shipment| shipment.completes = true);
    let written = write(&*stage.connector, &first).await;
    assert_eq!(
        seen(&written).status.word,
        "processing",
        "a part changes no status"
    );
    assert_eq!(seen(&written).shipments, [asked(&first).clone()]);
    let mut suite = Suite::new(&SPEC, [KEY, SECRET]);
    suite.declarations();
    let gone = shipment(999_999, "WH/OUT/0003", |_| {});
    let bad = [(1, Code::RecordGone)].into();
    let results = suite
        .batch(&*stage.connector, &[last.clone(), gone], &bad)
        .await;
    let target = RemoteId::from(order.to_string());
    suite.proof(&*stage.connector, &last, &target).await;
    suite.finish().assert_passed();
    let written = results[0].as_ref().unwrap();
    assert_eq!(seen(written).status.life, Life::Completed);
    assert_eq!(
        seen(written).shipments,
        [asked(&first).clone(), asked(&last).clone()]
    );
    assert!(
        seen(written)
            .attributes
            .keys()
            .all(|name| !name.contains("comptoir"))
    );
    // The first number is the beginning of the second, and both were told.
    let mails = stage.shop.mails(order);
    assert_eq!(mails.len(), 3, "{mails:?}");
    assert!(mails[0].contains("WH/OUT/0001)") && mails[1].contains("WH/OUT/00012)"));
    assert!(mails[1].contains("Example &amp; Co 6A12 https://track.example.test/?a=1&amp;b=2"));
    assert_eq!(mails[2], "completed");
    // A repeat changes nothing, whoever put the order back meanwhile.
    let writes = stage.shop.writes();
    let repeated = stage.connector.write(&[first, last]).await;
    assert_eq!(repeated[1].as_ref().unwrap().seen, written.seen);
    assert_eq!(stage.shop.writes(), writes);
    let read = stage.connector.read(Kind::Order, &[target]).await.unwrap();
    let Seen::Record(record) = &read[0] else {
        panic!("{read:?}");
    };
    assert_eq!(Some(&**record), written.seen.as_ref());
}

/// Every request of the writing fails once, before the shop did it and after; the write is repeated until it is done.
#[tokio::test]
async fn a_crash_anywhere_tells_the_buyer_once() {
    for (tracking, mails) in [("none", 2), ("shipment-tracking", 1)] {
        let mut points = 0;
        for done in [false, true] {
            for point in 0.. {
                let shop = shop("11.0.1", 0);
                let order = sell(&shop);
                let count = Arc::new(AtomicUsize::new(0));
                let counted = Arc::clone(&count);
                let router = shop.router().layer(from_fn(move |request, inner| {
                    let place = counted.fetch_add(1, Ordering::SeqCst);
                    failing(place == point, done, request, inner)
                }));
                let server = Server::start(router).await.unwrap();
                let connector = open(&server, json!({ "tracking": tracking }));
                let last = shipment(order, "WH/OUT/7", |shipment| shipment.completes = true);
                let results = connector.write(std::slice::from_ref(&last)).await;
                let asked_for = count.load(Ordering::SeqCst);
                let is_met = point < asked_for;
                let written = match &results[0] {
                    Ok(written) => written.clone(),
                    Err(fault) => {
                        let later = matches!(fault.next, Next::Later { .. } | Next::Unknown);
                        assert!(later, "{fault:?}");
                        write(&*connector, &last).await
                    }
                };
                let at = format!("{tracking}, request {point}, done {done}");
                if written.seen.is_some() {
                    assert_eq!(seen(&written).shipments, [asked(&last).clone()], "{at}");
                }
                assert_eq!(shop.order(order).unwrap().status, "completed", "{at}");
                assert_eq!(
                    shop.mails(order).len(),
                    mails,
                    "{at}: {:?}",
                    shop.mails(order)
                );
                if !is_met {
                    break;
                }
                points += 1;
            }
        }
        assert!(points >= 6, "{tracking}: {points}");
    }
}

async fn failing(now: bool, done: bool, request: Request, inner: Inner) -> Response {
    let answer = match now && !done {
        true => None,
        false => Some(inner.run(request).await),
    };
    match answer {
        Some(answer) if !now => answer,
        _ => {
            let (kind, body) = comptoir_sim::woocommerce::error_body(500);
            let headers = [("content-type", kind)];
            (StatusCode::INTERNAL_SERVER_ERROR, headers, body).into_response()
        }
    }
}

#[tokio::test]
async fn tracking_numbers_stand_in_the_fields_of_the_plug_in() {
    let settings = json!({ "tracking": "shipment-tracking", "partly_shipped_status": "on-hold" });
    let stage = Stage::with("11.0.1", 0, settings).await;
    let order = sell(&stage.shop);
    let mut by_hand = super::stage::update(&order.to_string(), |order| {
        let item = json!([{"tracking_provider": "la-poste", "tracking_number": "BY-HAND", "tracking_id": "1"}]);
        order
            .attributes
            .insert("_wc_shipment_tracking_items".to_owned(), item);
    });
    by_hand.key = WriteKey("hand".to_owned());
    write(&*stage.connector, &by_hand).await;
    // The number comes a day after the goods have left.
    let early = shipment(order, "WH/OUT/1", |shipment| shipment.parcels.clear());
    let written = write(&*stage.connector, &early).await;
    assert_eq!(
        seen(&written).status.word,
        "on-hold",
        "a part has a status of its own"
    );
    let items = |shop: &Shop| shop.meta(order, "_wc_shipment_tracking_items").unwrap();
    assert_eq!(items(&stage.shop).as_array().unwrap().len(), 1);
    let late = shipment(order, "WH/OUT/1", |_| {});
    write(&*stage.connector, &late).await;
    let found = items(&stage.shop);
    assert_eq!(found[0]["tracking_number"], "BY-HAND");
    let expected = json!({
        "tracking_provider": "", "custom_tracking_provider": "Example & Co",
        "custom_tracking_link": "https://track.example.test/?a=1&b=2", "tracking_number": "6A8",
        "date_shipped": "1795597200", "tracking_id": found[1]["tracking_id"],
    });
    assert_eq!(found[1], expected);
    assert_eq!(
        stage.shop.mails(order).len(),
        1,
        "the buyer was told when the goods left"
    );
    // Another number, and a carrier that the plug-in may know; then none.
    let other = shipment(order, "WH/OUT/1", |shipment| {
        shipment.parcels[0] = Parcel {
            tracking: "6B".to_owned(),
            carrier: "La Poste".to_owned(),
            url: String::new(),
        };
    });
    write(&*stage.connector, &other).await;
    let found = items(&stage.shop);
    assert_eq!(
        (&found[1]["tracking_provider"], &found[1]["tracking_number"]),
        (&"la-poste".into(), &"6B".into())
    );
    write(&*stage.connector, &early).await;
    assert_eq!(items(&stage.shop).as_array().unwrap().len(), 1);
    // The mail about the completed order has the number in it, and no note is sent.
    let last = shipment(order, "WH/OUT/2", |shipment| shipment.completes = true);
    let written = write(&*stage.connector, &last).await;
    assert!(seen(&written).shipments[1].notify);
    assert_eq!(stage.shop.mails(order)[1..], ["completed"]);
}

#[tokio::test]
async fn an_order_that_was_completed_by_hand_gets_the_note() {
    let stage = Stage::with("11.0.1", 0, json!({ "tracking": "shipment-tracking" })).await;
    let order = sell(&stage.shop);
    write(
        &*stage.connector,
        &super::stage::completed(&order.to_string()),
    )
    .await;
    let last = shipment(order, "WH/OUT/2", |shipment| shipment.completes = true);
    write(&*stage.connector, &last).await;
    let mails = stage.shop.mails(order);
    assert_eq!(
        mails.len(),
        2,
        "the mail about the completed order had no number: {mails:?}"
    );
}

#[tokio::test]
async fn an_order_that_is_over_is_left_alone() {
    let stage = Stage::of("11.0.1", 0).await;
    for word in ["cancelled", "refunded"] {
        let order = sell(&stage.shop);
        let over = super::stage::update(&order.to_string(), |order| {
            order.status.word = word.to_owned()
        });
        write(&*stage.connector, &over).await;
        let late = shipment(order, "WH/OUT/2", |shipment| shipment.completes = true);
        let results = stage.connector.write(&[late]).await;
        assert_eq!(fault(results[0].clone()), (Next::Refused, Code::WrongState));
        assert_eq!(stage.shop.order(order).unwrap().status, word);
        assert!(stage.shop.mails(order).is_empty());
    }
}

#[tokio::test]
async fn a_status_that_the_shop_does_not_have_tells_nobody() {
    let stage = Stage::with("11.0.1", 0, json!({ "shipped_status": "shiped" })).await;
    let order = sell(&stage.shop);
    let part = shipment(order, "WH/OUT/1", |_| {});
    let last = shipment(order, "WH/OUT/2", |shipment| shipment.completes = true);
    let results = stage.connector.write(&[part, last]).await;
    assert!(results[0].is_ok(), "a part needs no status: {results:?}");
    let refused = results[1].as_ref().unwrap_err();
    assert_eq!(
        (refused.next, refused.field.as_deref()),
        (Next::Refused, Some("status"))
    );
    assert_eq!(stage.shop.mails(order).len(), 1);
    // The same word in a write of an order: a batch would take it and make the order pending.
    let odd = super::stage::update(&order.to_string(), |order| {
        order.status.word = "shiped".to_owned()
    });
    let results = stage.connector.write(&[odd]).await;
    assert_eq!(fault(results[0].clone()).0, Next::Refused);
    assert_eq!(stage.shop.order(order).unwrap().status, "processing");
}

#[tokio::test]
async fn marks_of_another_order_are_none_and_broken_ones_are_not_written_over() {
    let stage = Stage::of("11.0.1", 0).await;
    let (first, second) = (sell(&stage.shop), sell(&stage.shop));
    write(&*stage.connector, &shipment(first, "WH/OUT/1", |_| {})).await;
    let copied = stage.shop.meta(first, "_comptoir_shipments").unwrap();
    stage.shop.set_meta(second, "_comptoir_shipments", copied);
    let own = shipment(second, "WH/OUT/2", |_| {});
    let written = write(&*stage.connector, &own).await;
    assert_eq!(seen(&written).shipments, [asked(&own).clone()]);
    stage
        .shop
        .set_meta(first, "_comptoir_shipments", Value::from("{\"v\":1"));
    let more = shipment(first, "WH/OUT/3", |_| {});
    let results = stage.connector.write(&[more]).await;
    assert_eq!(fault(results[0].clone()), (Next::Refused, Code::WrongState));
    let read = stage
        .connector
        .read(Kind::Order, &[first.to_string().into()])
        .await
        .unwrap();
    assert!(
        matches!(read[0], Seen::Record(_)),
        "the order itself is read: {read:?}"
    );
    assert_eq!(stage.shop.mails(first).len(), 1);
}
