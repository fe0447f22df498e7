//! The API and the metrics.

use crate::bench::{Bench, Setup};
use crate::client::{Client, Got, user};
use crate::process::{Serve, wait};
use serde_json::Value;
use std::time::Duration;

fn token(bench: &Bench, name: &str, scopes: &[&str]) -> String {
    let mut arguments = vec!["--json", "token", "add", name];
    for scope in scopes {
        arguments.extend(["--scope", scope]);
    }
    let made = bench.does(&arguments).json();
    made["token"].as_str().expect("a token").to_owned()
}

fn with(serve: &Serve, token: &str) -> Client {
    Client::new(serve).with("authorization", &format!("Bearer {token}"))
}

fn json(got: &Got) -> Value {
    assert_eq!(
        got.header("content-type"),
        "application/json",
        "{}",
        got.body
    );
    serde_json::from_str(&got.body).expect("JSON")
}

fn refused(got: Got, status: u16, code: &str) {
    assert_eq!(got.header("content-type"), "application/problem+json");
    got.refused(status, code);
}

#[test]
fn orders_of_both_systems_come_in_one_shape_page_by_page() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    user(&bench, &serve, "admin");
    bench.settle();
    let mut reader = with(&serve, &token(&bench, "reader", &["read:orders"]));
    let all = bench.stage.shop.orders().len();
    let of_shop =
        |reader: &mut Client| json(&reader.get("/v1/orders?connection=shop&limit=200").is(200));
    assert!(wait("the cards are made", Duration::from_secs(20), || {
        of_shop(&mut reader)["items"].as_array().map(Vec::len) == Some(all)
    }));
    let whole = of_shop(&mut reader);
    let linked = whole["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["links"][0]["connection"] == "erp");
    let linked = linked.expect("an order that is in the ERP");
    let there = linked["links"][0]["id"].as_str().unwrap();
    let one = json(&reader.get(&format!("/v1/orders/erp/{there}")).is(200));
    assert_eq!(one["links"][0]["id"], linked["id"]);
    assert_eq!(
        one["document"]["order"]["totals"]["total"]
            .as_str()
            .map(|text| text.parse::<f64>().unwrap()),
        linked["document"]["order"]["totals"]["total"]
            .as_str()
            .map(|text| text.parse::<f64>().unwrap())
    );
    let mut seen = Vec::new();
    let mut next = String::new();
    loop {
        let page = json(
            &reader
                .get(&format!("/v1/orders?connection=shop&limit=7{next}"))
                .is(200),
        );
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["id"].clone()),
        );
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    let ids: Vec<Value> = whole["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(seen, ids, "every order once, the latest first");
    for bad in [
        "limit=0",
        "limit=x",
        "limit=201",
        "since=yesterday",
        "cursor=zz",
        "connection=Shop%20",
        "unknown=1",
    ] {
        refused(reader.get(&format!("/v1/orders?{bad}")), 422, "CMP-0808");
    }
    refused(reader.get("/v1/orders/erp/none"), 404, "CMP-0807");
    refused(reader.get("/v1/nowhere"), 404, "CMP-0807");
    let later = json(&reader.get("/v1/orders?since=2999-01-01T00:00:00Z").is(200));
    assert_eq!(later["items"], Value::Array(Vec::new()));
}

#[test]
fn a_token_does_what_it_was_made_for_and_no_more() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    user(&bench, &serve, "admin");
    bench.settle();
    let held = token(&bench, "held", &["read:held"]);
    let groups = json(&with(&serve, &held).get("/v1/held").is(200));
    assert!(groups["items"][0]["count"].as_u64() > Some(0), "{groups}");
    let whole = token(&bench, "all", &["read"]);
    for path in [
        "/v1/orders",
        "/v1/customers",
        "/v1/products",
        "/v1/shipments",
        "/v1/refunds",
        "/v1/stock?sku=A",
    ] {
        refused(with(&serve, &held).get(path), 403, "CMP-0812");
        refused(Client::new(&serve).get(path), 401, "CMP-0811");
        refused(with(&serve, "cmp_wrong").get(path), 401, "CMP-0811");
        with(&serve, &whole).get(path).is(200);
    }
    bench.does(&["token", "remove", "held"]);
    refused(with(&serve, &held).get("/v1/held"), 401, "CMP-0811");
    let listed = bench.does(&["--json", "token", "list"]).out;
    assert!(!listed.contains("cmp_"), "a token is shown once");
    let description = json(&Client::new(&serve).get("/v1/openapi.json").is(200));
    assert_eq!(description["openapi"], "3.1.0");
}

#[test]
fn metrics_tell_how_everything_stands() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    bench.settle();
    let text = Client::new(&serve).get("/metrics").is(200).body;
    for part in [
        "comptoir_held_records{flow=\"orders\"",
        "comptoir_lag_seconds{flow=\"orders\"} 0",
        "comptoir_journal_entries_total{connection=\"erp\"}",
        "comptoir_connection_paused{connection=\"shop\"} 0",
    ] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    for line in text.lines() {
        let value = line.rsplit(' ').next().unwrap();
        assert!(
            line.starts_with('#') || value.parse::<f64>().is_ok(),
            "{line}"
        );
    }
    let stranger = Client::new(&serve).with("x-forwarded-for", "198.51.100.7");
    refused(stranger.clone().get("/metrics"), 401, "CMP-0811");
    let mut monitor = stranger.with(
        "authorization",
        &format!("Bearer {}", token(&bench, "prom", &["metrics"])),
    );
    monitor.get("/metrics").is(200);
}
