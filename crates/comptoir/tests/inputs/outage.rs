//! Systems that are off for a while: an hour of real life in seconds.

use crate::bench::{Bench, Setup};
use crate::process::wait;
use std::time::Duration;

/// The ERP is off while orders arrive, and the hub is started anew meanwhile. Each order is booked once.
#[test]
fn the_erp_is_off_while_orders_arrive() {
    let mut bench = Bench::new(Setup {
        orders: 60,
        over: Duration::from_secs(4),
        ..Setup::default()
    });
    let serve = bench.serve();
    bench.arrive();
    assert!(wait("the first orders", Duration::from_secs(20), || bench
        .booked()
        > 3));
    bench.erp.off();
    let words = bench.paused("erp", "CMP-0200");
    assert!(words.contains("connection"), "{words}");
    // The shop is read on: what arrives waits.
    let before = bench.status()["orders"]["waiting"].clone();
    assert!(wait("orders wait", Duration::from_secs(20), || {
        bench.stage.shop.waiting() == 0
            && bench.status()["orders"]["seen"] == bench.stage.shop.orders().len()
    }));
    let status = bench.status();
    assert!(
        status["orders"]["waiting"].as_u64() > Some(3),
        "{before} {status:#}"
    );
    let booked = bench.booked();
    serve.stop();

    let serve = bench.serve();
    bench.paused("erp", "CMP-0200");
    assert_eq!(bench.pause("shop"), None);
    assert_eq!(bench.booked(), booked);
    let check = bench.check("CMP-0200");
    assert_eq!(check[0][0], "erp");
    bench.erp_on();
    serve.hear("answers again");
    bench.settle();
    bench.agree();
    assert_eq!(bench.pause("erp"), None);
    serve.stop();
}

#[test]
fn the_shop_is_off_for_a_while() {
    let mut bench = Bench::new(Setup {
        orders: 30,
        over: Duration::from_secs(2),
        ..Setup::default()
    });
    bench.shop.off();
    let serve = bench.serve();
    bench.arrive();
    bench.paused("shop", "CMP-0200");
    assert_eq!(bench.pause("erp"), None);
    bench.shop_on();
    bench.settle();
    bench.agree();
    bench.shop.off();
    bench.paused("shop", "CMP-0200");
    // A command that reads from it says so.
    let ran = bench.run(&["sync", "orders", "--from", "2026-01-01T00:00:00Z"]);
    ran.told(5, "CMP-0200");
    bench.shop_on();
    serve.hear("answers again");
    assert!(wait("the pause ends", Duration::from_secs(20), || bench
        .pause("shop")
        .is_none()));
    bench.agree();
    serve.stop();
}
