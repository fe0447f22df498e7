//! Every statement of the store is asked how SQLite would find its rows: only those named here may read a whole
//! table that grows.

use crate::{Store, StoreOptions, StoreUrl};
use comptoir_model::key::Kind;
use std::collections::BTreeSet;
use std::sync::Mutex;

#[allow(dead_code, clippy::unwrap_used)] // The contract suite uses more of it.
#[path = "../tests/contract/make.rs"]
mod make;

/// Every statement that ran.
static SEEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

pub(crate) fn note(sql: &str) {
    if let Ok(mut seen) = SEEN.lock() {
        seen.insert(sql.to_owned());
    }
}

/// What may read a whole table, or all of a connection, and why.
const MAY_READ_ALL: [(&str, &str); 20] = [
    (
        "FROM level WHERE conn = $1 AND as_of <",
        "once after each reading of everything",
    ),
    (
        "erp_at >= $2) LIMIT",
        "what is on its way to one ERP, up to a limit",
    ),
    (
        "DELETE FROM reserve WHERE dst_conn = $1 AND quantity",
        "once after each reading of everything",
    ),
    ("SELECT count(*)", "a person asks for sizes"),
    (
        "SELECT flow, kind, state, count(*) FROM work",
        "a person asks for counts",
    ),
    ("SELECT name, epoch", "few rows: one per connection"),
    ("UPDATE stream", "few rows: one per connection and kind"),
    (
        "SELECT cause, count(*)",
        "only what waits or is held, by its index",
    ),
    (
        "SELECT kind, remote, at FROM hint",
        "by its index in the order asked for, up to a limit",
    ),
    (
        "AND state IN ('sent', 'unknown') AND state IN",
        "only open intents, by their index",
    ),
    (
        "FROM work WHERE flow = $1 AND state IN ('due', 'waiting', 'held')",
        "a person asks for a plan",
    ),
    (
        "SELECT conn, kind, next_at, last_new FROM stream",
        "few rows: one per connection and kind",
    ),
    (
        "SELECT currency, rank, count(*)",
        "the orders of one day, which the inner question found by their index",
    ),
    (
        "FROM sample WHERE at >= $1",
        "few rows: one per flow and hour, for 60 days",
    ),
    (
        "SELECT n FROM journal_last",
        "one row: the whole key is given",
    ),
    ("FROM journal_last", "few rows: one per connection"),
    ("SELECT name FROM person LIMIT 1", "one row of it"),
    ("FROM halt", "few rows: what a person stopped"),
    (
        "w.flow = $1 AND w.state = 'held'",
        "only what is held, by its index",
    ),
    (
        "approved = NULL WHERE flow = $2",
        "a person made a revision",
    ),
];

/// Whether a step of a plan reads a whole table, or all of one connection or flow.
fn reads_all(step: &str) -> bool {
    let broad = [
        "(conn=?)",
        "(dst_conn=?)",
        "(src_conn=?)",
        "(flow=?)",
        "(kind=?)",
    ];
    // The rows that a statement brings along are a table without an index, and always few.
    let brought = step.contains("CONSTANT ROW") || step == "SCAN v";
    (step.starts_with("SCAN ") && !brought) || broad.iter().any(|end| step.ends_with(end))
}

/// Runs everything that the hub does in its steady work.
async fn work(store: &Store) -> Result<(), crate::StoreError> {
    use make::{erp, everything, flow, hint, id, ids, key, shop};
    let owner = make::own(store, "owner").await;
    let mut step = everything("1");
    step.hints_read = vec![(shop(), Kind::Order, Some(id("1")), 5)];
    step.wake = vec!["link:order:1".to_owned()];
    step.outcomes = vec![crate::IntentOutcome {
        id: "intent-1".to_owned(),
        state: crate::IntentState::Unknown,
        fault: None,
        settle_at: None,
    }];
    store.commit(Some(&owner), step).await?;
    store.hint(&shop(), hint(Some("1"))).await?;
    store.hints(&shop(), 10).await?;
    store.stream(&shop(), Kind::Order).await?;
    store.poll_now(&shop()).await?;
    let one = ids(["1"]);
    store.digests(&shop(), Kind::Order, &one).await?;
    store.records(&shop(), Kind::Order, &one, true).await?;
    store.records(&shop(), Kind::Order, &one, false).await?;
    store.document(&digest()).await?;
    store.due(&erp(), &[Kind::Order], 5_000, 400).await?;
    let (erp_name, after) = (erp(), id("0"));
    let due = store.due_after(&erp_name, Kind::Stock, 5_000, Some(&after), 400);
    due.await?;
    store.due_count(&erp(), Kind::Stock, 5_000).await?;
    store.levels(&shop(), &one).await?;
    store.level_marks(&shop(), &one).await?;
    store.levels_without_work(&shop(), &flow(), &one).await?;
    let skus = ["SKU-1".to_owned()];
    store.levels_of_skus(&shop(), &skus).await?;
    store.kits_of(&erp(), &one).await?;
    store.levels_before(&shop(), 5_000, 10).await?;
    store.level_count(&shop()).await?;
    store.zeroed_count(&shop(), 5_000).await?;
    store.in_flight(&erp(), &skus, 5_000).await?;
    store.all_in_flight(&erp(), 5_000, 10).await?;
    store.skus_taken(&flow(), &one).await?;
    store.forget_shown(&erp(), 5_000).await?;
    store
        .links_after(&shop(), Kind::Order, &erp(), Some(&id("0")), 10)
        .await?;
    store.work(&flow(), Kind::Order, &one).await?;
    store.open_work(&flow(), 10).await?;
    store.approve(&flow(), Kind::Order, &one, "plan").await?;
    store.resume("row:tax:20").await?;
    store.reconsider(&flow()).await?;
    store.states(Kind::Order, &one).await?;
    store.holds().await?;
    store.held("row:tax:20", 10).await?;
    store.counts().await?;
    let open = [crate::IntentState::Sent, crate::IntentState::Unknown];
    store.intents(&erp(), &open).await?;
    store.intents_of(&flow(), Kind::Order, &one).await?;
    store.creates_since(&flow(), 5_000).await?;
    let parts = [(key("1").id, String::new())];
    store.links(&shop(), Kind::Order, &parts, &erp()).await?;
    store.links_back(&erp(), Kind::Order, &one).await?;
    let (from, to) = (shop(), erp());
    store.links_between(&from, &to, Kind::Order, &one).await?;
    let values = ["hash-1".to_owned()];
    store
        .identities(&erp(), Kind::Customer, "email", &values)
        .await?;
    store.journal(&erp(), Kind::Order, &id("1")).await?;
    store.journal_after(&erp(), 1, 10).await?;
    store.connections().await?;
    store.pause(&erp(), Some(5), None).await?;
    let mut owner = owner;
    store.renew(&mut owner, 1_000).await?;
    store.release(&owner).await?;
    store.head().await?;
    store.site_key().await?;
    look(store).await?;
    store.sizes().await?;
    store.expire(4_000_000_000_000).await?;
    Ok(())
}

/// Everything that a person who looks asks for.
async fn look(store: &Store) -> Result<(), crate::StoreError> {
    use make::{erp, flow, id, ids, shop};
    let one = ids(["1"]);
    store.uncarded(500, 10).await?;
    store.put_cards(&[]).await?;
    store.found_by(&["n:1".to_owned()], 10).await?;
    store.cards_of(&shop(), Kind::Order, &one).await?;
    store.parts_of(&erp(), &id("1")).await?;
    for connection in [None, Some(shop())] {
        let query = crate::CardQuery {
            kind: Kind::Order,
            connection,
            since: 0,
            until: 5_000,
            after: None,
            limit: 10,
        };
        store.cards(&query).await?;
    }
    store.day_sums(&shop(), &[flow()], 0, 5_000).await?;
    store.placed_by(&shop(), 0, 5_000, 1_000).await?;
    store.held_sums(&flow(), &shop()).await?;
    store.activity(&erp(), 500).await?;
    store.overdue(&flow(), Kind::Order, &erp(), 5_000).await?;
    store.pulse().await?;
    store.journal_totals().await?;
    store.streams().await?;
    store.samples(500).await?;
    store.session(b"x", 1_000).await?;
    store.token(b"x").await?;
    store.knocks(&["x".to_owned()]).await?;
    store.audited(10, 10).await?;
    store.halts().await?;
    store.has_people().await?;
    Ok(())
}

fn digest() -> comptoir_model::document::Digest {
    comptoir_model::document::Digest::of(b"x")
}

#[tokio::test]
async fn rows_are_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let url = StoreUrl::sqlite(folder.path().join("store.db"));
    let store = Store::open(&url, StoreOptions::default()).await.unwrap();
    SEEN.lock().unwrap().clear();
    work(&store).await.unwrap();
    let seen = SEEN.lock().unwrap().clone();
    assert!(seen.len() > 50, "{}", seen.len());
    let mut wrong = Vec::new();
    let mut allowed = BTreeSet::new();
    for sql in seen {
        let explain = format!("EXPLAIN QUERY PLAN {sql}");
        let hints = ["INTO hint", "FROM hint"]
            .iter()
            .any(|part| sql.contains(part));
        let db = if hints { &store.hints } else { &store.db };
        let plan = db.ask(&explain, Vec::new()).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.string(3).unwrap()).collect();
        if steps.iter().any(|step| reads_all(step)) {
            match MAY_READ_ALL.iter().find(|(part, _)| sql.contains(part)) {
                Some((part, _)) => drop(allowed.insert(*part)),
                None => wrong.push(format!("{sql}\n    {}", steps.join("\n    "))),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(allowed.len(), MAY_READ_ALL.len(), "only these: {allowed:?}");
}
