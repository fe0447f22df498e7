//! A second run over unchanged data: everything is read again, and nothing is written.

use crate::judge::{Counts, judge};
use crate::place::{Folder, Place};
use crate::process::{Hub, Sim, Weather, comptoir, free_port, log_end};
use crate::run::{look, name_store, take_turn};
use comptoir_sim::stage::Report;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

const ORDERS: usize = 500;
/// Orders in one page of the simulated shop's API.
const PAGE: usize = 100;
/// Webhooks that the hub wants of the shop.
const TOPICS: u64 = 9;
/// Far longer than any step here takes.
const LONGEST: Duration = Duration::from_secs(180);
/// An id that no order has: looking at it leaves a trace of its own in the shop's counts.
const NOBODY: &str = "999999999";

/// Imports 500 orders without faults, starts the hub anew, has everything read again, and counts the calls.
pub fn second_run(place: &Place) {
    let _turn = take_turn();
    let folder = Folder::new();
    let workspace = folder.path();
    let port = free_port();
    let weather = Weather {
        orders: ORDERS,
        over: 0,
        seed: 1,
        rough: false,
    };
    let sim = Sim::start(workspace, &weather, &format!("http://127.0.0.1:{port}"));
    name_store(workspace, place);
    poll_hourly(workspace);
    let mut hub = Hub::start(workspace, port);
    wait("all orders to be settled", workspace, || {
        hub.still_runs(workspace);
        let counts = Counts::of(&comptoir(workspace, &["status"]));
        counts.seen == ORDERS as u64 && counts.waiting == 0
    });
    wait("the webhooks to be made", workspace, || {
        let calls = sim.report().calls;
        calls.get("shop POST /webhooks") == Some(&TOPICS)
    });
    let findings = judge(&look(&sim, workspace), ORDERS);
    assert!(findings.is_well(), "the first run: {findings:#?}");
    hub.kill(workspace);

    let before = sim.report();
    assert!(before.writes["erp"] > 0, "{before:#?}");
    let mut hub = Hub::start(workspace, port);
    comptoir(workspace, &["sync", "orders", "--all"]);
    wait("everything to be read again", workspace, || {
        hub.still_runs(workspace);
        lists(&sim.report()) > lists(&before)
    });
    // Hints are taken before a stream is read and after it, never between its pages: this one is seen when the reading is over.
    comptoir(workspace, &["sync", "orders", NOBODY]);
    wait("the hint behind it", workspace, || {
        sim.report().calls.contains_key("shop GET /orders/ID")
    });
    wait("what is due to be decided", workspace, || {
        Counts::of(&comptoir(workspace, &["status"])).waiting == 0
    });
    let after = sim.report();
    let mut written = writes(&before, &after);
    // At its start a hub asks the shop whether the key may write orders and products, each with a batch that is empty.
    assert_eq!(written.remove("shop POST /orders/batch"), Some(1));
    assert_eq!(written.remove("shop POST /products/batch"), Some(1));
    assert!(written.is_empty(), "written without need: {written:?}");
    assert_eq!(before.writes, after.writes);
    // A page begins with the last order of the page before, so that nothing slips through between two. The trash is a list of its
    // own, of one empty page.
    let pages = 1 + (ORDERS - PAGE).div_ceil(PAGE - 1);
    let (trash, hint) = (1, 1);
    let read = lists(&after) - lists(&before);
    assert_eq!(read, (pages + trash + hint) as u64, "one read per page");
    let findings = judge(&look(&sim, workspace), ORDERS);
    assert!(findings.is_well(), "the second run: {findings:#?}");
    hub.kill(workspace);
}

/// The polls of the test itself shall be the only ones after the first.
fn poll_hourly(workspace: &Path) {
    let path = workspace.join("flows/orders.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("every_ms = 500\n"), "{text}");
    let hourly = text.replace("every_ms = 500\n", "every_ms = 3600000\n");
    std::fs::write(&path, hourly).unwrap();
}

/// Calls that listed orders of the shop.
fn lists(report: &Report) -> u64 {
    report.calls.get("shop GET /orders").copied().unwrap_or(0)
}

/// Calls that write, made between two reports, by operation.
fn writes(before: &Report, after: &Report) -> BTreeMap<String, u64> {
    let reading = |call: &str| match call.split_once(' ') {
        Some(("shop", call)) => call.starts_with("GET "),
        Some((_, call)) => {
            let method = call.rsplit('.').next().unwrap_or_default();
            let reads = [
                "search",
                "read",
                "fields_get",
                "has_",
                "check_",
                "name_search",
                "context_get",
            ];
            reads.iter().any(|read| method.starts_with(read))
        }
        None => false,
    };
    let calls = after.calls.iter().filter(|(call, _)| !reading(call));
    calls
        .map(|(call, count)| {
            let known = before.calls.get(call).copied().unwrap_or(0);
            (call.clone(), count - known)
        })
        .filter(|(_, count)| *count > 0)
        .collect()
}

fn wait(what: &str, workspace: &Path, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !done() {
        assert!(
            Instant::now() < deadline,
            "waited in vain for {what}: {:#}\n{}",
            comptoir(workspace, &["status"]),
            log_end(workspace)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
