//! What needs me? Held by cause, with the fix beside it.

use crate::bench::{Bench, Setup};
use crate::client::{Client, user};

/// A row is taken out of the tax table; every order that needs it is held under one cause, which is told in words. The row typed on the
/// page makes a revision, and everything goes on.
#[test]
fn a_missing_row_is_typed_where_it_is_missed_and_everything_goes_on() {
    let bench = Bench::new(Setup::default());
    let taxes = bench.read("tables/taxes.csv");
    let row = taxes.lines().nth(1).expect("a row").to_owned();
    let (value, to) = row.split_once(',').unwrap();
    let to = to.split(',').next().unwrap().trim_matches('"');
    let value = value.trim_matches('"');
    bench.replace("tables/taxes.csv", &format!("{row}\n"), "");
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "operator");
    bench.settle();
    let cause = format!("row:tax:{value}");
    let page = ana.get("/needs").is(200);
    let page = page.says(&[
        &format!("The tax “{value}” has no row"),
        &format!("data-cause=\"{cause}\""),
    ]);
    let mut french = ana.with("accept-language", "fr");
    french.get("/needs").says(&[
        "n’a pas de ligne dans la table des taxes",
        "Enregistrer, reprendre",
    ]);
    let sheet = ana.get("/needs.csv").is(200);
    assert!(sheet.body.contains(&cause) && sheet.header("content-type").starts_with("text/csv"));
    let mut viewer = user(&bench, &serve, "viewer");
    let seen = viewer.get("/needs").is(200);
    assert!(
        !seen.body.contains("/needs/row"),
        "a viewer is offered nothing to do"
    );
    let fields = [("flow", "orders"), ("cause", cause.as_str()), ("to", to)];
    let done = ana.fill("/needs", "/needs/row", &fields).is(303);
    assert!(done.header("location").contains("revision=2"), "{done:?}");
    ana.get(&done.header("location").replace("&amp;", "&"))
        .says(&["Saved as revision 2"]);
    assert!(page.body.len() < 100_000);
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    bench.settle();
    bench.agree();
    ana.get("/log")
        .says(&["set the row", &format!("tax {value} → {to}, orders")]);
    let pulled = bench.does(&["config", "pull"]);
    assert_eq!(pulled.code, 0);
    assert!(bench.read("tables/taxes.csv").contains(value));
}

/// An answer reaches what it is for, and a record that is not held any more is not touched.
#[test]
fn what_needs_no_order_is_dismissed_with_a_reason() {
    let bench = Bench::new(Setup::default());
    let taxes = bench.read("tables/taxes.csv");
    let kept: Vec<&str> = taxes.lines().take(2).collect();
    bench.write("tables/taxes.csv", &format!("{}\n", kept.join("\n")));
    let serve = bench.serve();
    let mut ana = user(&bench, &serve, "operator");
    bench.settle();
    let held = bench.does(&["--json", "hold", "list"]).json();
    let group = &held[0];
    let cause = group["cause"].as_str().unwrap();
    let record = group["records"][0].as_str().unwrap();
    let one = [
        ("flow", "orders"),
        ("cause", cause),
        ("record", record),
        ("do", "answer:keep"),
        ("why", "a test of ours"),
    ];
    ana.fill("/needs", "/needs/one", &one).is(303);
    bench.settle();
    ana.fill("/stop", "/needs/one", &one)
        .refused(404, "CMP-0807");
    ana.get("/log").says(&["left as it is", "a test of ours"]);
    let status = bench.status();
    assert_eq!(
        status["orders"]["skipped"].as_u64().map(|n| n > 0),
        Some(true),
        "{status:#}"
    );
    let bad = [
        ("flow", "orders"),
        ("cause", cause),
        ("do", "answer:anything"),
    ];
    ana.fill("/stop", "/needs/all", &bad)
        .refused(422, "CMP-0808");
    let mut nobody = Client::new(&serve);
    nobody.post("/needs/all", &one).is(303);
}
