//! Write-back: states and tracking numbers.

use crate::stage::*;
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_sim::prestashop::{ShopOptions, Trouble};
use serde_json::json;

fn tracking(id: u64, number: &str) -> comptoir_model::port::Write {
    update(id, |order| {
        order
            .attributes
            .insert("tracking_number".to_owned(), number.into());
    })
}

#[tokio::test]
async fn a_state_and_a_tracking_number_are_written_once() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let mut write = tracking(id, "6A<12>&345");
    if let comptoir_model::document::Document::Order(order) = &mut write.document {
        order.status.word = "4".to_owned();
    }
    let lines = stage.shop.count("order_histories");
    for _ in 0..3 {
        let results = connector.write(std::slice::from_ref(&write)).await;
        let seen = results[0].as_ref().unwrap().seen.clone().unwrap();
        assert_eq!(order(&seen).status.word, "4");
        assert_eq!(order(&seen).attributes["tracking_number"], "6A<12>&345");
    }
    assert_eq!(stage.shop.count("order_histories"), lines + 1);
    let asked = stage.shop.asked();
    let patches = asked
        .iter()
        .filter(|asked| asked.starts_with("PATCH"))
        .count();
    assert_eq!(patches, 1);
    assert!(!asked.iter().any(|asked| asked.contains("sendemail")));
}

#[tokio::test]
async fn a_failure_after_the_state_was_written_is_a_success() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    stage.shop.set_trouble(Trouble {
        mail_broken: true,
        ..Trouble::default()
    });
    let connector = stage.connect(json!({"send_emails": true}));
    let lines = stage.shop.count("order_histories");
    let results = connector.write(&[into_state(id, "4")]).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert_eq!(stage.shop.count("order_histories"), lines + 1);
}

#[tokio::test]
async fn an_order_that_moved_or_is_gone_is_not_written() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let mut moved = into_state(id, "4");
    moved.expects = Some("2020-01-01 00:00:00".to_owned());
    let mut same = into_state(id, "5");
    same.expects = stage.shop.row("orders", id).unwrap()["date_upd"]
        .as_str()
        .map(str::to_owned);
    let results = connector.write(&[moved, into_state(77, "4"), same]).await;
    assert_eq!(fault(results[0].clone()).0, Next::Moved);
    assert_eq!(fault(results[1].clone()).0, Next::Gone);
    assert!(results[2].is_ok());
    assert_eq!(stage.shop.row("orders", id).unwrap()["current_state"], "5");
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_before_anything_is_sent() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let note = update(id, |order| {
        order.attributes.insert("order_note".to_owned(), "x".into());
    });
    let results = connector.write(&[note, into_state(id, "4711")]).await;
    assert_eq!(
        fault(results[0].clone()),
        (Next::Refused, Code::UnknownField)
    );
    assert_eq!(fault(results[1].clone()), (Next::Refused, Code::Refused));
    assert!(
        !stage
            .shop
            .asked()
            .iter()
            .any(|asked| asked.starts_with("P"))
    );
}

#[tokio::test]
async fn a_shop_before_8_takes_states_and_whole_carrier_lines() {
    let stage = Stage::with(ShopOptions {
        now: at("2026-11-22T04:00:00Z"),
        version: "1.7.8.9".to_owned(),
        ..ShopOptions::default()
    })
    .await;
    let id = stage.sell(1)[0];
    let before = stage.shop.row("order_carriers", 1).unwrap();
    let connector = stage.plain();
    let results = connector.write(&[into_state(id, "4")]).await;
    assert!(results[0].is_ok());
    let results = connector.write(&[tracking(id, "6A")]).await;
    assert!(results[0].is_ok(), "{results:?}");
    let mut after = stage.shop.row("order_carriers", 1).unwrap();
    assert_eq!(after["tracking_number"], "6A");
    after.insert("tracking_number".to_owned(), json!(""));
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_key_that_may_only_read_is_told_what_it_lacks() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    stage.shop.revoke("order_histories", "POST");
    let results = stage.plain().write(&[into_state(id, "4")]).await;
    let fault = results[0].clone().unwrap_err();
    assert_eq!((fault.next, fault.code), (Next::Locked, Code::MissingRight));
    assert!(fault.why.contains("order_histories"), "{fault}");
}
