//! No room left, on the disk or in the store's own limit. Nothing is acknowledged that was not stored, the hub stays up and says so, and
//! with room again everything goes on.

use crate::bench::{Bench, Setup};
use crate::process::{Serve, wait};
use crate::wire::{deliver, get};
use comptoir_sim::stage::WEBHOOK_SECRET;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Webhooks of ever other orders until there is no room for the next. Every one before was stored, and is answered so.
fn deliver_until_full(serve: &Serve) {
    let address = serve.address();
    for number in 0..20_000 {
        let body = format!("{{\"id\":{}}}", 5_000_000 + number);
        match deliver(&address, WEBHOOK_SECRET, &body) {
            (200, _) => {}
            refused => {
                assert_eq!(refused, (503, "CMP-0601".to_owned()), "after {number}");
                return;
            }
        }
    }
    panic!("there was always room for one more");
}

/// A small file system of its own. None where nobody may mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path) -> Option<Disk> {
        std::fs::create_dir_all(at).expect("a folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"])
            .arg(at);
        let mounted = mount.output().is_ok_and(|ran| ran.status.success());
        mounted.then(|| Disk(at.to_owned()))
    }

    fn filler(&self) -> PathBuf {
        self.0.join("backup-of-something-else")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(self.filler())
            .expect("a file");
        for size in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("removed");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut umount = Command::new("umount");
        umount.arg("--lazy").arg(&self.0).status().ok();
    }
}

#[test]
fn a_full_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("disk");
    let Some(disk) = Disk::mount(&at) else {
        eprintln!("not run: a full disk needs the right to mount a small one (root)");
        return;
    };
    let bench = Bench::at(
        Setup {
            orders: 60,
            over: Duration::from_secs(3),
            ..Setup::default()
        },
        folder,
        at.join("workspace"),
    );
    let mut serve = bench.serve();
    bench.arrive();
    assert!(wait("the first orders", Duration::from_secs(20), || bench
        .booked()
        > 3));
    disk.fill();
    deliver_until_full(&serve);
    assert!(wait(
        "all orders of the shop",
        Duration::from_secs(20),
        || { bench.stage.shop.waiting() == 0 }
    ));
    serve.hear("the store is full; waiting for room");
    serve.hear("CMP-0601");
    // It stays up, and what only reads works beside it.
    std::thread::sleep(Duration::from_secs(2));
    assert!(serve.lives());
    assert_eq!(get(&serve.address(), "/healthz").0, 200);
    assert!(bench.status()["orders"]["seen"].as_u64() < Some(60));
    bench.replace("flows/orders.toml", "every_ms = 500", "every_ms = 400");
    bench.run(&["config", "push"]).told(4, "CMP-0601");
    deliver_until_full(&serve);

    // Started anew it waits for room as well, and finds it when it is there.
    serve.stop();
    let mut serve = bench.serve();
    serve.hear("CMP-0601");
    deliver_until_full(&serve);
    disk.make_room();
    bench.settle();
    bench.agree();
    assert!(serve.lives());
    assert_eq!(
        deliver(&serve.address(), WEBHOOK_SECRET, "{\"id\":1}").0,
        200
    );
    serve.stop();
    drop(bench);
}

/// A first start without any room.
#[test]
fn a_disk_that_is_full_from_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().join("disk");
    let Some(disk) = Disk::mount(&at) else {
        eprintln!("not run: a full disk needs the right to mount a small one (root)");
        return;
    };
    let bench = Bench::at(Setup::default(), folder, at.join("workspace"));
    disk.fill();
    let ran = bench.run(&["serve", "--listen", "127.0.0.1:0"]);
    ran.told(4, "CMP-0601").says(&["Make room"]);
    bench.run(&["status"]).told(4, "CMP-0601");
    disk.make_room();
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    serve.stop();
    drop(bench);
}

/// The limit of SQLite itself (`max_page_count`), which every machine can play.
#[test]
fn a_store_at_its_limit() {
    let mut bench = Bench::new(Setup {
        orders: 200,
        ..Setup::default()
    });
    bench.append("comptoir.toml", "store_at_most_mib = 1\n");
    let mut serve = bench.serve();
    serve.hear("the store is full; waiting for room");
    serve.hear("CMP-0601");
    // While the shop answers, what webhooks tell is read, and their room is free again.
    bench.shop.off();
    deliver_until_full(&serve);
    std::thread::sleep(Duration::from_secs(2));
    assert!(serve.lives());
    assert_eq!(get(&serve.address(), "/healthz").0, 200);
    let orders = bench.status()["orders"].clone();
    assert!(
        orders["seen"].as_u64() < Some(200) || orders["waiting"].as_u64() > Some(0),
        "{orders}"
    );
    serve.stop();
    bench.shop_on();
    bench.replace(
        "comptoir.toml",
        "store_at_most_mib = 1\n",
        "store_at_most_mib = 64\n",
    );
    let serve = bench.serve();
    bench.settle();
    bench.agree();
    serve.stop();
}
