//! Webhooks of the simulated shop, as a hub hears them.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use comptoir_sim::hooks::{HookFaults, HookRates, hook_signature};
use comptoir_sim::server::Server;
use comptoir_sim::traps::Expected;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use reqwest::Client;
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone)]
struct Hub {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answer: Arc<Mutex<u16>>,
}

async fn hear(State(hub): State<Hub>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    hub.heard.lock().unwrap().push((headers, body));
    StatusCode::from_u16(*hub.answer.lock().unwrap()).unwrap()
}

struct Rig {
    shop: Shop,
    server: Server,
    hub: Hub,
    hub_server: Server,
    http: Client,
}

async fn rig(options: ShopOptions) -> Rig {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shop = Shop::new(ShopOptions {
        seen_as_https: true,
        ..options
    });
    let hub = Hub {
        heard: Arc::default(),
        answer: Arc::new(Mutex::new(200)),
    };
    let router = Router::new()
        .route("/hook", post(hear))
        .with_state(hub.clone());
    Rig {
        server: Server::start(shop.router()).await.unwrap(),
        hub_server: Server::start(router).await.unwrap(),
        shop,
        hub,
        http: Client::builder().no_proxy().build().unwrap(),
    }
}

impl Rig {
    async fn api(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let url = format!("{}/wp-json/wc/v3/{path}", self.server.url());
        let call = self.http.request(method.parse().unwrap(), url);
        let call = call
            .basic_auth("ck_simulated", Some("cs_simulated"))
            .body(body.to_owned());
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        (
            status,
            serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
        )
    }

    async fn subscribe(&self, topic: &str) -> u64 {
        let body = format!(
            r#"{{"topic":"{topic}","delivery_url":"{}/hook","secret":"s3cret"}}"#,
            self.hub_server.url()
        );
        let (status, hook) = self.api("POST", "webhooks", &body).await;
        assert_eq!(status, 201);
        hook["id"].as_u64().unwrap()
    }

    fn heard(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut *self.hub.heard.lock().unwrap())
    }

    fn some_order(&self) -> u64 {
        let orders = self.shop.orders();
        orders
            .iter()
            .find(|order| order.expected == Expected::Imported && order.status == "processing")
            .unwrap()
            .id
    }
}

#[tokio::test]
async fn a_ping_comes_first_and_a_delivery_is_signed() {
    let rig = rig(ShopOptions::default()).await;
    let hook = rig.subscribe("order.updated").await;
    let faults = HookFaults::none();
    rig.shop.run_hooks(&faults).await;
    let pings = rig.heard();
    assert_eq!(pings.len(), 1);
    assert_eq!(pings[0].1, format!("webhook_id={hook}"));
    assert!(!pings[0].0.contains_key("x-wc-webhook-signature"));
    let id = rig.some_order();
    // Three changes are one delivery, with the last state.
    for text in ["one", "two", "three"] {
        let body = format!(r#"{{"customer_note":"{text}"}}"#);
        assert_eq!(rig.api("PUT", &format!("orders/{id}"), &body).await.0, 200);
    }
    rig.shop.run_hooks(&faults).await;
    let heard = rig.heard();
    assert_eq!(heard.len(), 1);
    let (headers, body) = &heard[0];
    let order: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&order["id"], &order["customer_note"]),
        (&id.into(), &"three".into())
    );
    let signature = headers["x-wc-webhook-signature"].to_str().unwrap();
    assert_eq!(signature, hook_signature("s3cret", body.as_bytes()));
    assert_ne!(signature, hook_signature("other", body.as_bytes()));
    assert_eq!(headers["x-wc-webhook-topic"], "order.updated");
    assert_eq!(headers["x-wc-webhook-delivery-id"].len(), 32);
}

/// The shop signs as the recorded shop did: the tapes' signatures are recomputed.
#[test]
fn the_signature_is_that_of_the_tapes() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/src/woocommerce/tapes/11.0.1");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.to_str().unwrap().contains("-webhook-") {
            continue;
        }
        let tape: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let (Some(secret), Some(body)) = (tape["secret"].as_str(), tape["body"].as_str()) else {
            continue;
        };
        let taped = tape["headers"]["x-wc-webhook-signature"].as_str().unwrap();
        assert_eq!(hook_signature(secret, body.as_bytes()), taped);
        checked += 1;
    }
    assert_eq!(checked, 6);
}

#[tokio::test]
async fn the_sixth_failure_in_a_row_disables_and_the_count_stays() {
    let rig = rig(ShopOptions::default()).await;
    let hook = rig.subscribe("order.updated").await;
    let faults = HookFaults::none();
    rig.shop.run_hooks(&faults).await;
    *rig.hub.answer.lock().unwrap() = 500;
    let id = rig.some_order();
    let change = || rig.api("PUT", "orders/0", "{}");
    assert_eq!(change().await.0, 404);
    for failure in 1..=6 {
        rig.api("PUT", &format!("orders/{id}"), r#"{"customer_note":"x"}"#)
            .await;
        rig.shop.run_hooks(&faults).await;
        let (_, now) = rig.api("GET", &format!("webhooks/{hook}"), "").await;
        let wanted = if failure < 6 { "active" } else { "disabled" };
        assert_eq!(now["status"], wanted, "after {failure}");
    }
    rig.heard();
    // Changes while it is disabled are lost for good; set back to active, one failure is enough.
    rig.api(
        "PUT",
        &format!("orders/{id}"),
        r#"{"customer_note":"lost"}"#,
    )
    .await;
    rig.api("PUT", &format!("webhooks/{hook}"), r#"{"status":"active"}"#)
        .await;
    rig.shop.run_hooks(&faults).await;
    assert!(
        rig.heard()
            .iter()
            .all(|(_, body)| body.starts_with("webhook_id"))
    );
    rig.api("PUT", &format!("orders/{id}"), r#"{"customer_note":"y"}"#)
        .await;
    rig.shop.run_hooks(&faults).await;
    let (_, now) = rig.api("GET", &format!("webhooks/{hook}"), "").await;
    assert_eq!(now["status"], "disabled");
}

#[tokio::test]
async fn the_trash_tells_the_id_and_an_order_that_is_gone_tells_an_error() {
    let rig = rig(ShopOptions::default()).await;
    rig.subscribe("order.updated").await;
    rig.subscribe("order.deleted").await;
    let faults = HookFaults::none();
    rig.shop.run_hooks(&faults).await;
    rig.heard();
    let id = rig.some_order();
    rig.api("DELETE", &format!("orders/{id}"), "").await;
    rig.shop.run_hooks(&faults).await;
    let heard = rig.heard();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].1, format!("{{\"id\":{id}}}"));
    let other = rig.some_order();
    rig.api(
        "PUT",
        &format!("orders/{other}"),
        r#"{"customer_note":"x"}"#,
    )
    .await;
    rig.api("DELETE", &format!("orders/{other}?force=true"), "")
        .await;
    rig.shop.run_hooks(&faults).await;
    let bodies: Vec<String> = rig.heard().into_iter().map(|(_, body)| body).collect();
    assert!(
        bodies
            .iter()
            .any(|body| body.contains("woocommerce_rest_shop_order_invalid_id")),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn a_local_address_is_refused_unless_allowed() {
    let rig = rig(ShopOptions {
        local_hooks: false,
        ..ShopOptions::default()
    })
    .await;
    rig.subscribe("order.updated").await;
    let faults = HookFaults::none();
    rig.shop.run_hooks(&faults).await;
    assert!(rig.heard().is_empty());
    assert_eq!(faults.counts()["refused"], 1);
}

#[tokio::test]
async fn deliveries_are_dropped_doubled_reordered_and_delayed() {
    let rig = rig(ShopOptions {
        orders: 200,
        over: Duration::from_millis(20),
        ..ShopOptions::default()
    })
    .await;
    rig.subscribe("order.created").await;
    let rates = HookRates {
        dropped: 0.2,
        doubled: 0.2,
        reordered: 0.2,
        delayed: 0.2,
        delay: Duration::from_millis(50),
    };
    let faults = HookFaults::new(3, rates);
    rig.shop.arrive().await;
    rig.shop.run_hooks(&faults).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let counts = faults.counts();
    for what in ["dropped", "doubled", "reordered", "delayed"] {
        assert!(counts[what] > 10, "{counts:?}");
    }
    let heard: Vec<u64> = rig
        .heard()
        .iter()
        .filter_map(|(_, body)| serde_json::from_str::<Value>(body).ok()?["id"].as_u64())
        .collect();
    assert!(!heard.is_sorted());
    let mut distinct = heard.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(distinct.len() < heard.len());
    assert_eq!(distinct.len() as u64 + counts["dropped"], 200);
    faults.quiet();
    let id = rig.some_order();
    rig.subscribe("order.updated").await;
    rig.api("PUT", &format!("orders/{id}"), r#"{"customer_note":"x"}"#)
        .await;
    let before = faults.counts()["sent"];
    rig.shop.run_hooks(&faults).await;
    assert_eq!(faults.counts()["sent"], before + 1);
}
