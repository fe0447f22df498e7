//! kill -9: everything that was acknowledged is there, and nothing is half there.

use crate::make::{document, due, erp, id, journal, record, shop};
use crate::place::{Place, check};
use comptoir_model::key::Kind;
use comptoir_store::{Commit, ServeName, Store, StoreError, StoreUrl};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Where the child works; set only by the test that starts it.
const WHERE: &str = "COMPTOIR_TEST_KILL";
/// Acknowledged commits, and hints, that the parent waits for before it kills.
const ENOUGH: usize = 30;

/// What the child does: commits and hints at once, each said on stdout once it is acknowledged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is the process that the other tests of this file start and kill"]
async fn child() {
    let Ok(words) = std::env::var(WHERE) else {
        return;
    };
    let place = Place::of_words(&words);
    let store = place
        .open_with(|options| options.serve = Some(ServeName::this_process("the child")))
        .await;
    let beside = place.open().await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let store = store.clone();
        tasks.spawn(async move {
            for n in 0.. {
                let name = format!("{task}-{n}");
                store.commit(None, step(&name)).await.unwrap();
                say(&format!("commit {name}"));
            }
        });
        let store = beside.clone();
        tasks.spawn(async move {
            for n in 0.. {
                let name = format!("{task}-{n}");
                store
                    .hint(&shop(), crate::make::hint(Some(&name)))
                    .await
                    .unwrap();
                say(&format!("hint {name}"));
            }
        });
    }
    tasks.join_all().await;
}

/// Rows of five tables, so that half of it would be seen.
fn step(name: &str) -> Commit {
    let document = document(name);
    Commit {
        records: vec![record(name, &document, 1)],
        due: vec![due(name, &document, 1)],
        links: vec![crate::make::link(name, name)],
        journal: vec![journal(name, "create")],
        ..Commit::default()
    }
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nacknowledged {text}").unwrap();
    out.flush().unwrap();
}

/// Starts the child, kills it in the middle, and answers its pid and what it had said.
fn killed(place: &Place, before: impl FnOnce(u32)) -> (u32, Vec<String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env(WHERE, place.words())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let count =
        |said: &[String], what: &str| said.iter().filter(|line| line.starts_with(what)).count();
    while count(&said, "commit") < ENOUGH || count(&said, "hint") < ENOUGH {
        let line = lines.next().expect("the child works on").unwrap();
        said.extend(line.strip_prefix("acknowledged ").map(str::to_owned));
    }
    before(child.id());
    // SIGKILL: nothing of the child runs any more.
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had said before, and nobody had read yet.
    let rest = lines.map_while(Result::ok);
    said.extend(rest.filter_map(|line| line.strip_prefix("acknowledged ").map(str::to_owned)));
    (child.id(), said)
}

async fn everything_acknowledged_is_there(place: &Place, said: &[String]) {
    let store = place.open().await;
    let hints = store.hints(&shop(), 1_000_000).await.unwrap();
    for line in said {
        match line.split_once(' ').unwrap() {
            ("hint", name) => {
                assert!(
                    hints.iter().any(|row| row.remote == Some(id(name))),
                    "lost: {line}"
                );
            }
            (_, name) => {
                let entries = store.journal(&erp(), Kind::Order, &id(name)).await.unwrap();
                assert_eq!(entries.len(), 1, "lost: {line}");
            }
        }
    }
    // And no commit is there in part.
    let rows = place.rows().await;
    assert_eq!(rows["record"], rows["journal"]);
    assert_eq!(rows["work"], rows["journal"]);
    assert_eq!(rows["link"], rows["journal"]);
    assert_eq!(rows["blob"], 2 * rows["journal"]);
    let entries = store.journal_after(&erp(), 0, 1_000_000).await.unwrap();
    assert!(
        (1..).zip(&entries).all(|(n, entry)| entry.n == n),
        "no gaps"
    );
    store.commit(None, step("after")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_nothing_on_sqlite() {
    let place = Place::sqlite();
    for _ in 0..3 {
        let (_, said) = killed(&place, |_| {});
        everything_acknowledged_is_there(&place, &said).await;
        place.run("DELETE FROM journal").await;
        place.run("DELETE FROM journal_last").await;
        for table in ["record", "work", "link", "blob", "hint"] {
            place.run(&format!("DELETE FROM {table}")).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn loses_nothing_on_postgres() {
    check(Place::postgres(), |place| async move {
        place.open().await.close().await;
        let (_, said) = killed(&place, |_| {});
        everything_acknowledged_is_there(&place, &said).await;
    })
    .await;
}

/// The claim of a killed `serve` does not outlive it; while it lives, its name and process are said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frees_the_claim_of_serve() {
    let place = Place::sqlite();
    let mut options = place.options();
    options.serve = Some(ServeName::this_process("the parent"));
    let open = || {
        let (url, options): (StoreUrl, _) = (place.url.clone(), options.clone());
        // From a thread of its own: the callback is not async.
        let opened = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(Store::open(&url, options)).err()
        });
        opened.join().unwrap()
    };
    let mut refused = None;
    let (pid, _) = killed(&place, |_| refused = open());
    match refused {
        Some(StoreError::Busy { name, pid: by }) => {
            assert_eq!((name.as_str(), by), ("the child", pid));
        }
        other => panic!("not refused: {other:?}"),
    }
    assert!(open().is_none(), "free after the kill");
}
