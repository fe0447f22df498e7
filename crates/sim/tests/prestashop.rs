//! The simulated PrestaShop answers what was taped the way the real one did: same status, same codes, same shape.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_model::Decimal;
use comptoir_sim::prestashop::{Line, Sale, Shop, ShopOptions, Trouble};
use comptoir_sim::server::Server;
use serde_json::Value;
use std::collections::BTreeSet;

const KEY: &str = "TAPEKEYTAPEKEYTAPEKEYTAPEKEYTAPE";

async fn shop() -> (Shop, Server) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shop = Shop::new(ShopOptions {
        key: KEY.to_owned(),
        now: "2026-11-22T04:05:00Z".parse().unwrap(),
        ..ShopOptions::default()
    });
    for number in 1..=10 {
        shop.place(&Sale {
            email: format!("buyer{number}@example.test"),
            guest: false,
            company: None,
            lines: vec![Line {
                product: (1, 1),
                sku: "demo_1".to_owned(),
                quantity: 2,
                price: Decimal::new(1912, 2),
                tax: Some(1),
            }],
            shipping: Decimal::from(7),
            voucher: Some(10),
            state: 11,
            message: String::new(),
        });
    }
    shop.slip(9, 1);
    let server = Server::start(shop.router()).await.unwrap();
    (shop, server)
}

/// The taped exchanges of a file.
fn taped(name: &str) -> Vec<Value> {
    let path = format!(
        "{}/../connectors/src/prestashop/tapes/8.2.1/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    match serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() {
        Value::Array(exchanges) => exchanges,
        exchange => vec![exchange],
    }
}

/// Asks as the tape did; a key that the tape's shop did not know stays unknown.
async fn ask(server: &Server, exchange: &Value) -> (u16, String) {
    let request = &exchange["request"];
    let method = request["method"].as_str().unwrap().parse().unwrap();
    let url = format!("{}{}", server.url(), request["path"].as_str().unwrap());
    let mut call = reqwest::Client::new().request(method, url);
    if request["headers"]["authorization"].is_string() {
        let unknown = exchange["note"]
            .as_str()
            .unwrap()
            .starts_with("unknown key");
        let key = if unknown { "KEY_TAPE" } else { KEY };
        call = call.header(
            "authorization",
            format!("Basic {}", BASE64.encode(format!("{key}:"))),
        );
    }
    if let Some(body) = request["body"].as_str() {
        call = call
            .header("content-type", "text/xml")
            .body(body.to_owned());
    }
    let response = call.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The error codes of a body, JSON or XML.
fn codes(body: &str) -> BTreeSet<String> {
    if let Ok(json) = serde_json::from_str::<Value>(body) {
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        return errors
            .iter()
            .map(|error| error["code"].to_string())
            .collect();
    }
    let parts = body.split("<code><![CDATA[").skip(1);
    parts
        .map(|part| part.split("]]>").next().unwrap().to_owned())
        .collect()
}

/// What a list is called, and the fields of its first row.
fn shape(body: &str) -> Option<(String, BTreeSet<String>)> {
    let json: Value = serde_json::from_str(body).ok()?;
    let (name, list) = json.as_object()?.iter().next()?;
    let first = list.as_array()?.first()?.as_object()?;
    Some((name.clone(), first.keys().cloned().collect()))
}

#[tokio::test]
async fn refusals_are_those_of_the_tapes() {
    let (shop, server) = shop().await;
    for name in [
        "001-auth-errors",
        "003-api-root-json",
        "025-orders-page-beyond",
        "027-orders-since-no-date-flag",
        "041-order-history-unknown-state",
        "071-errors-xml",
    ] {
        for exchange in taped(name) {
            let (status, body) = ask(&server, &exchange).await;
            let response = &exchange["response"];
            let note = exchange["note"].as_str().unwrap();
            assert_eq!(
                u64::from(status),
                response["status"].as_u64().unwrap(),
                "{name}: {note}"
            );
            assert_eq!(
                codes(&body),
                codes(response["body"].as_str().unwrap()),
                "{name}: {note}"
            );
        }
    }
    shop.set_trouble(Trouble {
        disabled: true,
        ..Trouble::default()
    });
    let exchange = &taped("074-webservice-disabled")[0];
    let (status, body) = ask(&server, exchange).await;
    assert_eq!(
        (status, codes(&body)),
        (503, BTreeSet::from(["22".to_owned()]))
    );
    shop.set_trouble(Trouble {
        mail_broken: true,
        ..Trouble::default()
    });
    let exchange = &taped("039-order-history-500-but-done")[0];
    let (status, body) = ask(&server, exchange).await;
    assert_eq!(
        (status, codes(&body)),
        (500, BTreeSet::from(["46".to_owned()]))
    );
    assert_eq!(
        shop.row("orders", 9).unwrap()["current_state"],
        "2",
        "and it is done"
    );
}

#[tokio::test]
async fn lists_have_the_shape_of_the_tapes() {
    let (_, server) = shop().await;
    for name in [
        "024-orders-page",
        "026-orders-since",
        "028-orders-filter-ge-ignored",
        "030-order-carriers",
        "033-order-payments-of-reference",
        "034-order-histories",
        "040-order-after-500",
        "045-order-slips",
        "046-order-slips-none",
        "047-order-cart-rules",
    ] {
        let exchange = &taped(name)[0];
        let (status, body) = ask(&server, exchange).await;
        assert_eq!(status, 200, "{name}");
        let expected = shape(exchange["response"]["body"].as_str().unwrap());
        // The tape's reference is not one of this shop.
        if name != "033-order-payments-of-reference" {
            assert_eq!(shape(&body), expected, "{name}: {body}");
        }
    }
}

#[tokio::test]
async fn orders_have_every_field_of_the_tape_but_its_rows() {
    let (_, server) = shop().await;
    let exchange = &taped("017-order-b2b-order")[0];
    let (_, body) = ask(&server, exchange).await;
    let (_, ours) = shape(&body).unwrap();
    let (_, mut theirs) = shape(exchange["response"]["body"].as_str().unwrap()).unwrap();
    theirs.remove("associations");
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn a_single_record_as_json_loses_its_zeros() {
    let (_, server) = shop().await;
    let (_, body) = ask(&server, &taped("021-order-single-json")[0]).await;
    let order: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(order["order"]["valid"], "1");
    assert!(order["order"].get("delivery_number").is_none());
}
