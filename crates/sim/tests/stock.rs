//! Stock of the simulated shop moves with its orders as measured.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use reqwest::Client;
use rust_decimal::Decimal;
use serde_json::{Value, json};

struct Stage {
    shop: Shop,
    server: Server,
    http: Client,
}

impl Stage {
    async fn new() -> Stage {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shop = Shop::new(ShopOptions {
            orders: 0,
            seen_as_https: true,
            ..ShopOptions::default()
        });
        let server = Server::start(shop.router()).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Stage { shop, server, http }
    }

    async fn post(&self, resource: &str, body: Value) -> Value {
        let url = format!("{}/wp-json/wc/v3/{resource}", self.server.url());
        let call = self
            .http
            .post(url)
            .basic_auth("ck_simulated", Some("cs_simulated"));
        let answer = call.body(body.to_string()).send().await.unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    async fn status(&self, order: u64, status: &str) -> Value {
        let item = json!({ "id": order, "status": status });
        let answer = self.post("orders/batch", json!({ "update": [item] })).await;
        answer["update"][0]["status"].clone()
    }
}

#[tokio::test]
async fn an_order_takes_its_goods_once_and_gives_them_back() {
    let stage = Stage::new().await;
    let shop = &stage.shop;
    assert!(shop.set_stock("MUG", Some(Decimal::from(10))));
    assert!(shop.set_stock("TS-S-1", Some(Decimal::from(1))));
    let stock = |sku: &str| shop.stock(sku).unwrap().to_string();
    let order = shop.sell(&[("MUG", 3), ("TS-S-1", 2)]).unwrap();
    assert_eq!(
        (stock("MUG"), stock("TS-S-1")),
        ("7".to_owned(), "-1".to_owned())
    );
    stage.status(order, "completed").await;
    assert_eq!(stock("MUG"), "7", "taken already");
    stage.status(order, "cancelled").await;
    assert_eq!(
        (stock("MUG"), stock("TS-S-1")),
        ("10".to_owned(), "1".to_owned())
    );
    stage.status(order, "processing").await;
    assert_eq!(stock("MUG"), "7");
    // A batch takes any word, and makes the order pending.
    assert_eq!(stage.status(order, "shiped").await, "pending");
    assert_eq!(stock("MUG"), "10");
    stage.status(order, "processing").await;
    let lines = stage.post(&format!("orders/{order}"), json!({})).await["line_items"].clone();
    let part = json!({ "id": lines[0]["id"], "quantity": 2, "refund_total": "1.00" });
    let refund = json!({ "amount": "1.00", "api_refund": false, "line_items": [part] });
    stage.post(&format!("orders/{order}/refunds"), refund).await;
    assert_eq!(stock("MUG"), "9", "two came back");
    assert_eq!(shop.mails(order), ["completed"]);
}

#[tokio::test]
async fn what_is_not_counted_keeps_no_quantity() {
    let stage = Stage::new().await;
    assert!(stage.shop.set_stock("MUG", None));
    let id = stage.shop.product_id("MUG").unwrap();
    let body = json!({ "update": [{ "id": id, "stock_quantity": 5 }] });
    let answer = stage.post("products/batch", body).await;
    let item = &answer["update"][0];
    assert_eq!(
        (&item["manage_stock"], &item["stock_quantity"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(stage.shop.stock("MUG"), None);
}
