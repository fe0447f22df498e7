//! Write-back on the scripted shop.

use super::shop::{TestShop, Traits};
use super::stage::*;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::money::Currency;
use comptoir_model::order::Order;
use comptoir_model::port::Write;
use serde_json::json;

#[tokio::test]
async fn only_what_differs_is_written_and_notes_come_once() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    let connector = basic(&shop);
    let mut write = update("1", |order| {
        order.status.word = "processing".to_owned();
        order
            .attributes
            .insert("_tracking_number".to_owned(), "6A12345678901".into());
        order
            .attributes
            .insert("_erp_id".to_owned(), "SO-77".into());
        order
            .attributes
            .insert("order_note".to_owned(), "Packed.".into());
        order
            .attributes
            .insert("customer_order_note".to_owned(), "On its way.".into());
    });
    write.before = Some(Document::Order(Box::new({
        let mut before = Order::empty("", "EUR".parse::<Currency>().unwrap());
        before.status.word = "processing".to_owned();
        before
            .attributes
            .insert("_erp_id".to_owned(), "SO-77".into());
        before
    })));
    for _ in 0..2 {
        let result = connector.write(std::slice::from_ref(&write)).await;
        let seen = result[0].as_ref().unwrap().seen.clone().unwrap();
        let attributes = &seen.document.as_order().unwrap().attributes;
        assert_eq!(attributes["_tracking_number"], "6A12345678901");
    }
    let sent = &shop.asked("/orders/batch")[0].body["update"][0];
    let expected = json!({
        "meta_data": [{"key": "_tracking_number", "value": "6A12345678901"}], "id": 1,
    });
    assert_eq!(*sent, expected);
    let notes = shop.state().notes[&1].clone();
    let expected = json!([
        {"note": "On its way.", "customer_note": true}, {"note": "Packed.", "customer_note": false},
    ]);
    assert_eq!(json!(notes), expected);
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved() {
    let shop = TestShop::start(Traits {
        batch_limit: 3,
        ..HTTPS
    })
    .await;
    add_orders(&shop);
    let connector = basic(&shop);
    let writes: Vec<Write> = (1..=7).map(|id| completed(&id.to_string())).collect();
    let results = connector.write(&writes).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let sizes: Vec<usize> = shop
        .asked("/orders/batch")
        .iter()
        .map(|asked| asked.body["update"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [7, 3, 4, 2, 2]);
    assert!((1..=7).all(|id| shop.state().orders[&id]["status"] == "completed"));
}

#[tokio::test]
async fn an_order_that_moved_is_not_written() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    let connector = basic(&shop);
    let version = shop.state().orders[&1]["date_modified_gmt"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut same = completed("1");
    same.expects = Some(version);
    let mut moved = completed("2");
    moved.expects = Some("2020-01-01T00:00:00".to_owned());
    let results = connector.write(&[same, moved]).await;
    assert!(results[0].is_ok());
    assert_eq!(fault(results[1].clone()).0, Next::Moved);
    assert_eq!(shop.state().orders[&2]["status"], "processing");
}

#[tokio::test]
async fn what_is_the_shops_own_is_not_written() {
    let shop = TestShop::start(HTTPS).await;
    add_orders(&shop);
    let connector = basic(&shop);
    for name in ["_reduced_stock", "shipping.pickup", "gateway_token"] {
        let write = update("1", |order| {
            order.attributes.insert(name.to_owned(), "x".into());
        });
        let results = connector.write(&[write]).await;
        assert_eq!(fault(results[0].clone()).1, Code::UnknownField, "{name}");
    }
    assert_eq!(shop.asked("/orders/batch").len(), 0);
}
