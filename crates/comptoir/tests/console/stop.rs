//! Can I stop it? What a person paused stays so until a person resumes it.

use crate::bench::{Bench, Setup};
use crate::client::user;
use crate::process::wait;
use std::time::Duration;

fn writes(bench: &Bench) -> u64 {
    bench.stage.erp.writes()
}

/// Everything is paused before the first order: they are read and stored, nothing reaches the ERP, not even after a restart or under a new
/// revision; then everything goes on, and both sides agree.
#[test]
fn the_red_switch_holds_until_it_is_lifted_and_loses_nothing() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "operator");
    bench.settle();
    bench.agree();
    ana.fill(
        "/stop",
        "/stop",
        &[("scope", "all"), ("why", "stock count <b>today</b>")],
    )
    .is(303);
    let page = ana
        .get("/")
        .says(&["Everything is paused", "stock count &lt;b&gt;today"]);
    assert!(!page.body.contains("<b>today"));
    drop(serve);
    let before = writes(&bench);
    let order = bench.stage.shop.orders()[0].id;
    let serve = bench.serve();
    bench.does(&["sync", "orders", &order.to_string()]);
    bench.does(&["config", "push"]);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(
        writes(&bench),
        before,
        "nothing is written while it is paused"
    );
    let mut again = crate::client::Client::new(&serve);
    again.cookies = ana.cookies.clone();
    again
        .fill("/stop", "/stop/resume", &[("scope", "all")])
        .is(303);
    again.get("/stop").says(&["Everything runs"]);
    bench.settle();
    bench.agree();
    again
        .get("/log")
        .says(&["paused", "resumed", "stock count"]);
}

/// A paused flow waits under a cause of its own, which a new revision does not lift.
#[test]
fn a_paused_flow_waits_and_goes_on() {
    let bench = Bench::new(Setup::default());
    bench.does(&["pause", "orders", "--why", "new price list"]);
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "viewer");
    let waiting = || {
        bench.status()["orders"]["waiting"]
            .as_u64()
            .unwrap_or_default()
    };
    let all = bench.stage.shop.orders().len() as u64;
    assert!(wait("all are read", Duration::from_secs(30), || waiting() == all));
    bench.does(&["config", "push"]);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((writes(&bench), waiting()), (0, all));
    ana.get("/stop")
        .says(&["new price list", "Some of it is paused"]);
    bench.does(&["resume", "orders"]);
    assert_eq!(bench.run(&["resume", "orders"]).code, 1);
    bench
        .run(&["pause", "order"])
        .told(3, "CMP-0503")
        .says(&["orders"]);
    bench.settle();
    bench.agree();
}
