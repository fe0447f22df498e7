//! The overview, and whether anything is silent.

use crate::bench::{Bench, Setup};
use crate::client::user;
use crate::process::wait;
use std::time::Duration;

#[test]
fn the_overview_shows_systems_flows_and_what_is_held() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "viewer");
    bench.settle();
    let page = ana.get("/").is(200);
    let page = page.says(&[
        "Systems and flows",
        "shop",
        "erp",
        "Orders",
        "held",
        "Needs me",
        "Orders per hour",
    ]);
    assert!(page.body.len() < 100_000, "{}", page.body.len());
    assert!(!page.body.contains(" style="));
    ana.with("accept-language", "fr").get("/").is(200).says(&[
        "Systèmes et flux",
        "Commandes",
        "retenue",
        "À traiter",
    ]);
    ana.get("/systems")
        .says(&["Every system answers", "orders", "Answers"]);
}

/// A system that does not answer is an alarm on the overview and told on its page.
#[test]
fn a_system_that_does_not_answer_is_told_on_the_first_page() {
    let mut bench = Bench::new(Setup {
        orders: 60,
        over: Duration::from_secs(4),
        ..Setup::default()
    });
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "viewer");
    bench.arrive();
    assert!(wait("the first orders", Duration::from_secs(20), || bench
        .booked()
        > 3));
    bench.erp.off();
    let told = wait("the alarm", Duration::from_secs(30), || {
        ana.get("/")
            .body
            .contains("erp does not answer as it should")
    });
    assert!(told, "{}", serve.log());
    ana.get("/systems").says(&["In trouble"]);
    bench.erp_on();
}
