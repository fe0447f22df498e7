//! Another site under the name of a known connection: a staging copy, a restored database. It must not book a single order.

use crate::bench::{Bench, Setup};
use crate::process::Serve;
use axum::Router;
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::{ERP, Stage, StageOptions};
use std::time::Duration;

/// Another shop and another ERP, which say so themselves.
fn elsewhere() -> Stage {
    let options = StageOptions {
        seed: 8,
        orders: 12,
        over: Duration::ZERO,
        faults: 0.0,
        people: false,
        erp: Version::V19,
    };
    Stage::new(options, "http://staging.example.test")
}

/// A case that has settled once, so that its connections know their sites; twelve of its orders come later.
fn known() -> (Bench, Serve) {
    let bench = Bench::new(Setup {
        orders: 12,
        over: Duration::from_millis(500),
        ..Setup::default()
    });
    let serve = bench.serve();
    for connection in ["shop", "erp"] {
        let known = crate::process::wait(connection, Duration::from_secs(20), || {
            let status = bench.status();
            let rows = status["connections"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            rows.iter()
                .any(|row| row["name"] == connection && !row["version"].is_null())
        });
        assert!(known, "{}", serve.log());
    }
    (bench, serve)
}

#[test]
fn another_database_behind_the_address_of_the_erp() {
    let (mut bench, serve) = known();
    serve.stop();
    let copy = elsewhere();
    bench.erp.on(Router::new().nest(ERP, copy.erp.router()));
    bench.arrive();
    let serve = bench.serve();
    let words = bench.paused("erp", "CMP-0003");
    assert!(words.contains("another site"), "{words}");
    serve.hear("CMP-0003");
    assert!(copy.erp.orders().is_empty());
    assert_eq!(copy.erp.writes(), 0);
    serve.stop();

    bench.erp_on();
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    assert_eq!(copy.erp.writes(), 0);
    serve.stop();
}

#[test]
fn another_shop_behind_the_address_of_the_shop() {
    let (mut bench, serve) = known();
    serve.stop();
    let copy = elsewhere();
    bench.shop.on(copy.router());
    let serve = bench.serve();
    let words = bench.paused("shop", "CMP-0003");
    assert!(
        words.contains("staging.example.test/shop answers in place of"),
        "{words}"
    );
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(bench.booked(), 0);
    assert_eq!(copy.shop.calls().get("GET /orders"), None);
    serve.stop();

    bench.shop_on();
    bench.arrive();
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    serve.stop();
}
