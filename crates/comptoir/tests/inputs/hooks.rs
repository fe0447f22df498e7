//! Webhooks that are none, or that are not what they say.

use crate::bench::{Bench, Setup};
use crate::process::{Serve, has_page, wait};
use crate::wire::{answer, connect, deliver, get, head, post};
use comptoir_sim::hooks::hook_signature;
use comptoir_sim::stage::WEBHOOK_SECRET;
use std::io::Write;
use std::time::{Duration, Instant};

/// A hub that polls once an hour and has read everything: what it learns from now on, webhooks tell.
fn idle(setup: Setup) -> (Bench, Serve) {
    let bench = Bench::new(setup);
    bench.replace("flows/orders.toml", "every_ms = 500", "every_ms = 3600000");
    let serve = bench.serve();
    assert!(wait("the first poll", Duration::from_secs(20), || {
        bench.stage.shop.calls().contains_key("GET /orders")
    }));
    // Its end is stored soon after; there is nothing to see of it when there are no orders.
    std::thread::sleep(Duration::from_millis(500));
    (bench, serve)
}

fn refused(answer: (u16, String), status: u16, code: &str) {
    assert_eq!(answer, (status, code.to_owned()));
    has_page(code);
}

/// Everything a stranger can send, and everything a shop gets wrong. Nothing of it is believed, and the door stays open.
#[test]
fn forged_and_malformed_webhooks() {
    let (bench, serve) = idle(Setup::default());
    bench.settle();
    let (address, writes) = (serve.address(), bench.stage.erp.writes());
    let order = bench.stage.shop.orders()[0].id;
    let body = format!("{{\"id\":{order}}}");
    let topic = ("x-wc-webhook-topic", "order.updated");
    let send = |path: &str, headers: &[(&str, &str)], body: &str| {
        post(&address, path, headers, body.as_bytes())
    };

    refused(send("/hooks/shop", &[topic], &body), 401, "CMP-0700");
    let forged = hook_signature("a-secret-of-someone-else", body.as_bytes());
    for signature in [forged.as_str(), "", "!", "AAAA", &"A".repeat(44)] {
        let headers = [topic, ("x-wc-webhook-signature", signature)];
        refused(send("/hooks/shop", &headers, &body), 401, "CMP-0700");
    }
    refused(deliver(&address, "", &body), 401, "CMP-0700");
    // A right signature of another body.
    let other = hook_signature(WEBHOOK_SECRET, b"{\"id\":1}");
    let headers = [topic, ("x-wc-webhook-signature", other.as_str())];
    refused(send("/hooks/shop", &headers, &body), 401, "CMP-0700");

    for malformed in ["{\"id\":", "", "[1,2]", "null", "\u{0}\u{1}", "id=1042"] {
        refused(
            deliver(&address, WEBHOOK_SECRET, malformed),
            400,
            "CMP-0701",
        );
    }
    let signature = hook_signature(WEBHOOK_SECRET, body.as_bytes());
    let headers = [("x-wc-webhook-signature", signature.as_str())];
    refused(send("/hooks/shop", &headers, &body), 400, "CMP-0701");

    // The ERP's connector hears no webhooks.
    for nobody in [
        "/hooks/shopp",
        "/hooks/SHOP",
        "/hooks/%00",
        "/hooks/..%2Fshop",
        "/hooks/erp",
    ] {
        refused(send(nobody, &headers, &body), 404, "CMP-0703");
    }
    assert_eq!(get(&address, "/hooks/shop").0, 405);
    assert_eq!(get(&address, "/healthz").0, 200);
    assert_eq!(get(&address, "/readyz").0, 200);
    serve.hear("CMP-0700");
    serve.hear("CMP-0701");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(bench.stage.erp.writes(), writes);
    bench.agree();
    serve.stop();
}

/// The same delivery again and again, one about an order that nobody has, and the shop's ping.
#[test]
fn replayed_deliveries_change_nothing() {
    let (bench, serve) = idle(Setup::default());
    bench.settle();
    let (address, writes) = (serve.address(), bench.stage.erp.writes());
    for order in bench.stage.shop.orders().iter().take(5) {
        let body = format!(
            "{{\"id\":{},\"status\":\"processing\",\"total\":\"0.01\"}}",
            order.id
        );
        for _ in 0..5 {
            assert_eq!(deliver(&address, WEBHOOK_SECRET, &body).0, 200);
        }
    }
    assert_eq!(
        deliver(&address, WEBHOOK_SECRET, "{\"id\":99999999}").0,
        200
    );
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(post(&address, "/hooks/shop", &form, b"webhook_id=7").0, 200);
    let more = post(&address, "/hooks/shop", &form, b"webhook_id=7&id=1");
    refused(more, 401, "CMP-0700");
    std::thread::sleep(Duration::from_secs(1));
    bench.settle();
    assert_eq!(bench.stage.erp.writes(), writes);
    bench.agree();
    serve.stop();
}

/// A record that was deleted before its delivery makes a signed body that is an error: it names nothing, so everything is looked at.
#[test]
fn a_signed_error_makes_the_hub_look() {
    let (bench, serve) = idle(Setup {
        over: Duration::from_millis(500),
        ..Setup::default()
    });
    bench.arrive();
    assert!(wait("orders", Duration::from_secs(20), || {
        bench.stage.shop.waiting() == 0
    }));
    let gone = r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;
    assert_eq!(deliver(&serve.address(), WEBHOOK_SECRET, gone).0, 200);
    bench.settle();
    bench.agree();
    serve.stop();
}

#[test]
fn oversized_webhooks() {
    let (bench, serve) = idle(Setup::default());
    bench.settle();
    let address = serve.address();
    // Larger than a connector reads, and signed rightly.
    let large = format!("{{\"id\":1,\"note\":\"{}\"}}", "x".repeat(3 << 20));
    refused(deliver(&address, WEBHOOK_SECRET, &large), 413, "CMP-0702");
    // Larger than the door takes: the answer comes before the end of the body.
    let mut stream = connect(&address);
    let head = head(
        "/hooks/shop",
        &[("x-wc-webhook-topic", "order.updated")],
        64 << 20,
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let piece = vec![b'x'; 64 << 10];
    for _ in 0..(64 + 2) {
        stream.write_all(&piece).expect("sent");
    }
    refused(answer(stream), 413, "CMP-0702");
    assert_eq!(get(&address, "/healthz").0, 200);
    bench.agree();
    serve.stop();
}

/// A sender that takes its time keeps nobody else waiting, and is sent away.
#[test]
fn a_slow_body() {
    let (bench, serve) = idle(Setup::default());
    let address = serve.address();
    let began = Instant::now();
    let mut slow = connect(&address);
    let head = head(
        "/hooks/shop",
        &[("x-wc-webhook-topic", "order.updated")],
        100,
    );
    slow.write_all(head.as_bytes()).expect("sent");
    slow.write_all(b"{").expect("sent");
    bench.settle();
    assert_eq!(deliver(&address, WEBHOOK_SECRET, "{\"id\":1}").0, 200);
    assert!(began.elapsed() < Duration::from_secs(25));
    refused(answer(slow), 408, "CMP-0705");
    assert!(began.elapsed() < Duration::from_secs(45));
    bench.agree();
    serve.stop();
}

/// Nobody can sign where there is no secret.
#[test]
fn without_a_secret_nothing_is_believed() {
    let mut bench = Bench::new(Setup::default());
    bench.variable("SHOP_WEBHOOK_SECRET", "");
    let serve = bench.serve();
    let address = serve.address();
    refused(deliver(&address, "", "{\"id\":1}"), 401, "CMP-0700");
    bench.settle();
    bench.agree();
    serve.stop();
}
