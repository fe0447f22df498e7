//! Two who work on one workspace: two hubs on one file, two who push, and revisions that cannot be used.

use crate::bench::{Bench, Setup};
use crate::process::wait;
use std::time::Duration;

#[test]
fn two_hubs_on_one_file() {
    let bench = Bench::new(Setup::default());
    let mut first = bench.serve();
    let second = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    let pid = format!("process {}", first.pid());
    second
        .told(4, "CMP-0600")
        .says(&["comptoir serve", &pid, "PostgreSQL"]);
    assert!(first.lives());
    bench.settle();
    bench.agree();
    first.stop();
    // The file is free again.
    bench.serve().stop();
}

#[test]
fn an_address_that_is_in_use() {
    let bench = Bench::new(Setup::default());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let ran = bench.run(&["serve", "--listen", &address]);
    assert_eq!(ran.code, 4, "{ran:?}");
    ran.says(&[&address, "in use", "--listen"]);
}

#[test]
fn a_push_from_an_old_parent() {
    let bench = Bench::new(Setup::default());
    let serve = bench.serve();
    bench.settle();
    bench.replace("flows/orders.toml", "every_ms = 500", "every_ms = 400");
    bench
        .does(&["config", "push", "--parent", "1"])
        .says(&["2"]);
    bench.replace("flows/orders.toml", "every_ms = 400", "every_ms = 300");
    let stale = bench.run(&["config", "push", "--parent", "1"]);
    stale.told(4, "CMP-0505").says(&["revision 2", "pull"]);
    let ran = bench.run(&["config", "rollback", "99"]);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(bench.status()["revision"], 2);
    bench.does(&["config", "pull"]);
    assert!(bench.read("flows/orders.toml").contains("every_ms = 400"));
    bench.agree();
    serve.stop();
}

/// A revision that cannot be opened is said and left; the hub works on.
#[test]
fn a_revision_without_its_secret() {
    let bench = Bench::new(Setup {
        over: Duration::from_secs(2),
        ..Setup::default()
    });
    let serve = bench.serve();
    bench.replace("connections/erp.toml", "${ODOO_KEY}", "${ODOO_KEY_OF_2027}");
    bench.does(&["config", "push"]);
    serve.hear("the new revision cannot be used");
    serve.hear("CMP-0504");
    bench.arrive();
    assert!(wait("orders are booked", Duration::from_secs(20), || bench
        .booked()
        > 3));
    let ran = bench.run(&["check"]);
    ran.told(3, "CMP-0504").says(&[
        "connections/erp.toml",
        "ODOO_KEY_OF_2027",
        "comptoir secret set",
    ]);
    bench.does(&["config", "rollback", "1"]);
    bench.settle();
    bench.agree();
    serve.stop();
}

/// Files that are being edited never stop a hub that watches them.
#[test]
fn a_watched_file_that_is_broken_for_a_while() {
    let bench = Bench::new(Setup::default());
    let serve = bench.watch();
    bench.settle();
    let flow = bench.read("flows/orders.toml");
    bench.write(
        "flows/orders.toml",
        &flow.replace("mode = \"live\"", "mode = \"life\""),
    );
    serve.hear("the changed files are not taken");
    serve.hear("flows/orders.toml:4");
    assert_eq!(bench.status()["revision"], 1);
    bench.write(
        "flows/orders.toml",
        &flow.replace("every_ms = 500", "every_ms = 600"),
    );
    assert!(wait("the next revision", Duration::from_secs(20), || bench
        .status()["revision"]
        == 2));
    bench.settle();
    bench.agree();
    serve.stop();
}
