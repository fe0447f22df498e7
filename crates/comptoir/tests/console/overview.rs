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
    let bench = Bench::new(Setup::default());
    let mut bench = bench;
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "viewer");
    bench.settle();
    bench.erp.off();
    let told = wait("the alarm", Duration::from_secs(30), || {
        ana.get("/")
            .body
            .contains("erp does not answer as it should")
    });
    assert!(told, "{}", serve.log());
    ana.get("/systems").says(&[
        "1 system does not answer"
            .replace(' ', "\u{a0}")
            .split('\u{a0}')
            .next()
            .unwrap(),
        "In trouble",
    ]);
    bench.erp_on();
}
