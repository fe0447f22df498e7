//! Measures the store: `cargo run -p comptoir-store --example throughput -- sqlite:FILE` (a new file) or `-- postgres://…`.
//!
//! Prints what one machine does with made-up orders: hints, small commits one after the other and many at once, pages as `observe`
//! stores them, and rounds as `execute` does.
#![allow(clippy::print_stdout)] // What it measures is its output.

use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::{Hint, Step};
use comptoir_store::{
    Commit, IntentOutcome, IntentPut, IntentState, JournalPut, LinkPut, LinkState, RecordPut,
    RecordState, Store, StoreError, StoreOptions, StoreUrl, WorkDue, WorkPut, WorkState,
};
use std::time::{Duration, Instant};

/// Records per page and per round, as in the engine.
const PAGE: usize = 400;
const SHOP: &str = "shop";
const ERP: &str = "erp";

#[tokio::main]
async fn main() -> Result<(), StoreError> {
    let address = std::env::args().nth(1).unwrap_or_default();
    let options = StoreOptions {
        schema: Some(format!("throughput_{}", std::process::id())),
        ..StoreOptions::default()
    };
    let store = Store::open(&StoreUrl::parse(&address)?, options).await?;
    println!("durability: {}", store.durability().await?);
    for at_once in [1, 64] {
        hints(&store, at_once).await?;
        small_commits(&store, at_once).await?;
    }
    orders(&store, 10_000).await?;
    reads(&store).await?;
    for (name, rows, bytes) in store.sizes().await?.lines() {
        println!("{name}: {rows} rows, {bytes} bytes");
    }
    store.close().await;
    Ok(())
}

fn name<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, StoreError> {
    text.parse()
        .map_err(|error: T::Err| StoreError::Damaged(error.to_string()))
}

fn rate(what: &str, count: usize, took: Duration) {
    let each = took.as_secs_f64() / count as f64;
    println!(
        "{what}: {count} in {:.2} s, {:.0}/s, {:.3} ms each",
        took.as_secs_f64(),
        1.0 / each,
        each * 1e3
    );
}

/// Runs `count` steps, so many at once.
async fn many<F>(
    what: &str,
    count: usize,
    at_once: usize,
    step: impl Fn(usize) -> F,
) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>> + Send + 'static,
{
    let began = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..count {
        if tasks.len() == at_once
            && let Some(ended) = tasks.join_next().await
        {
            ended.map_err(|error| StoreError::Damaged(error.to_string()))??;
        }
        tasks.spawn(step(n));
    }
    tasks
        .join_all()
        .await
        .into_iter()
        .collect::<Result<(), _>>()?;
    rate(
        &format!("{what}, {at_once} at once"),
        count,
        began.elapsed(),
    );
    Ok(())
}

async fn hints(store: &Store, at_once: usize) -> Result<(), StoreError> {
    let shop: ConnectionName = name(SHOP)?;
    many("hints", 500 * at_once.min(20), at_once, |n| {
        let (store, shop) = (store.clone(), shop.clone());
        let id = Some(RemoteId::from(format!("{at_once}-{n}")));
        let hint = Hint {
            kind: Kind::Order,
            id,
        };
        async move { store.hint(&shop, hint).await }
    })
    .await
}

async fn small_commits(store: &Store, at_once: usize) -> Result<(), StoreError> {
    let erp: ConnectionName = name(ERP)?;
    many("commits of one journal entry", 1_000, at_once, |n| {
        let (store, connection) = (store.clone(), erp.clone());
        let entry = JournalPut {
            connection,
            at: 1,
            flow: None,
            kind: Kind::Order,
            src: RemoteId::from(n.to_string()),
            intent: None,
            what: serde_json::json!({"event": "seen"}),
        };
        let commit = Commit {
            journal: vec![entry],
            ..Commit::default()
        };
        async move { store.commit(None, commit).await.map(drop) }
    })
    .await
}

/// About three kilobytes of JSON that differs from order to order.
fn document(side: &str, n: usize) -> Vec<u8> {
    let line = |line: usize| {
        serde_json::json!({
            "id": format!("{n}-{line}"), "sku": format!("SKU-{:05}", (n * 7 + line * 13) % 5_000),
            "name": format!("Article {}", (n + line) % 900), "quantity": (n + line) % 4 + 1,
            "unit_net": format!("{}.{:02}", (n * 31 + line) % 300, (n * 17) % 100),
            "tax": {"rate": "20.0", "amount": format!("{}.{:02}", n % 60, line * 7 % 100)},
        })
    };
    let order = serde_json::json!({
        "side": side, "number": format!("2026-{n:06}"), "currency": "EUR",
        "billing": {"name": format!("Person {n}"), "email": format!("person{n}@example.com"), "city": "Lyon", "country": "FR"},
        "lines": (0..12).map(line).collect::<Vec<_>>(),
    });
    order.to_string().into_bytes()
}

fn record(connection: &ConnectionName, id: String, document: Vec<u8>, raw: bool) -> RecordPut {
    let digest = Digest::of(&document);
    RecordPut {
        connection: connection.clone(),
        kind: Kind::Order,
        id: RemoteId::from(id),
        parent: None,
        version: "2026-01-01 00:00:00".to_owned(),
        digest,
        state: RecordState::Live,
        raw: raw.then(|| format!("{{\"raw\":{}}}", String::from_utf8_lossy(&document))),
        document: Some(document),
        seen_at: 1_000,
    }
}

/// Orders from the first page to the proof: one commit per page, then two per round (intents, outcomes), two writes per order.
async fn orders(store: &Store, count: usize) -> Result<(), StoreError> {
    let (shop, erp): (ConnectionName, ConnectionName) = (name(SHOP)?, name(ERP)?);
    let flow: FlowName = name("orders")?;
    let owner = store
        .acquire(&erp, "throughput", 3_600_000, |_| true)
        .await?;
    let (mut observing, mut intending, mut confirming) =
        (Duration::ZERO, Duration::ZERO, Duration::ZERO);
    let (mut commits, mut rows) = (0, 0);
    for page in (0..count).collect::<Vec<_>>().chunks(PAGE) {
        let mut observed = Commit::default();
        for n in page {
            let record = record(&shop, n.to_string(), document("shop", *n), true);
            observed.due.push(WorkDue {
                flow: flow.clone(),
                kind: Kind::Order,
                src: record.id.clone(),
                dst: erp.clone(),
                root: format!("shop/order/{n}"),
                want: record.digest,
                at: 1_000,
            });
            observed.records.push(record);
        }
        let wants: Vec<Digest> = observed.due.iter().map(|due| due.want).collect();
        rows += page.len() * 4;
        commits += 1;
        let began = Instant::now();
        store.commit(None, observed).await?;
        observing += began.elapsed();
        for step in [Step::Create, Step::Confirm] {
            let intent = |n: &usize| format!("{n:08}-{}", step.as_str());
            let key = |n: &usize| RecordKey {
                connection: shop.clone(),
                kind: Kind::Order,
                id: RemoteId::from(n.to_string()),
            };
            let intents = page.iter().zip(&wants).map(|(n, want)| IntentPut {
                id: intent(n),
                flow: flow.clone(),
                kind: Kind::Order,
                src: key(n).id,
                part: String::new(),
                dst: erp.clone(),
                step,
                key: WriteKey::of(&key(n), ""),
                document: document("erp", *n),
                before: None,
                input: *want,
                revision: 1,
                state: IntentState::Sent,
                sent_at: 1_000,
                settle_at: 61_000,
                expects: None,
                target: None,
            });
            let intended = Commit {
                intents: intents.collect(),
                ..Commit::default()
            };
            let mut confirmed = Commit::default();
            for (n, want) in page.iter().zip(&wants) {
                confirmed.outcomes.push(IntentOutcome {
                    id: intent(n),
                    state: IntentState::Proved,
                    fault: None,
                    settle_at: None,
                });
                let target = format!("S{n}");
                let look = document(step.as_str(), *n);
                confirmed
                    .records
                    .push(record(&erp, target.clone(), look, false));
                confirmed.links.push(LinkPut {
                    src: key(n),
                    part: String::new(),
                    dst: erp.clone(),
                    dst_kind: Kind::Order,
                    dst_id: RemoteId::from(target),
                    key: Some(WriteKey::of(&key(n), "")),
                    state: LinkState::Live,
                    sole: true,
                    base: Some(*want),
                    put: Some(*want),
                    at: 1_000,
                });
                confirmed.journal.push(JournalPut {
                    connection: erp.clone(),
                    at: 1_000,
                    flow: Some(flow.clone()),
                    kind: Kind::Order,
                    src: key(n).id,
                    intent: Some(intent(n)),
                    what: serde_json::json!({"event": step.as_str(), "to": format!("S{n}")}),
                });
                if step == Step::Confirm {
                    confirmed.wake.push(format!("link:order:{n}"));
                    confirmed.work.push(WorkPut {
                        flow: flow.clone(),
                        kind: Kind::Order,
                        src: key(n).id,
                        state: WorkState::Done,
                        cause: None,
                        due: None,
                        done: Some(*want),
                        tries: 0,
                        rounds: 2,
                        decided: *want,
                        since: None,
                    });
                }
            }
            rows += page.len() * (1 + 1 + 2 + 1 + 1) + confirmed.work.len();
            commits += 2;
            let began = Instant::now();
            store.commit(owner.as_ref(), intended).await?;
            intending += began.elapsed();
            let began = Instant::now();
            store.commit(owner.as_ref(), confirmed).await?;
            confirming += began.elapsed();
        }
    }
    rate(
        "observing orders (record, two documents, work)",
        count,
        observing,
    );
    rate("intents", count * 2, intending);
    rate(
        "confirming (outcome, record, document, link, journal, at the end work and wake)",
        count * 2,
        confirming,
    );
    let all = observing + intending + confirming;
    rate("orders from page to proof, two writes each", count, all);
    println!(
        "{commits} commits, {rows} rows written, {:.1} rows per order, {:.0} rows/s",
        rows as f64 / count as f64,
        rows as f64 / all.as_secs_f64()
    );
    Ok(())
}

async fn reads(store: &Store) -> Result<(), StoreError> {
    let (shop, erp): (ConnectionName, ConnectionName) = (name(SHOP)?, name(ERP)?);
    let flow: FlowName = name("orders")?;
    let ids: Vec<RemoteId> = (0..PAGE).map(|n| RemoteId::from(n.to_string())).collect();
    let parts: Vec<_> = ids.iter().map(|id| (id.clone(), String::new())).collect();
    let time =
        async |what: &str,
               count: usize,
               read: &mut (dyn Future<Output = Result<(), StoreError>> + Send + Unpin)| {
            let began = Instant::now();
            read.await?;
            rate(what, count, began.elapsed());
            Ok::<_, StoreError>(())
        };
    let digests = async { store.digests(&shop, Kind::Order, &ids).await.map(drop) };
    time("reading digests", PAGE, &mut Box::pin(digests)).await?;
    let work = async { store.work(&flow, Kind::Order, &ids).await.map(drop) };
    time("reading work", PAGE, &mut Box::pin(work)).await?;
    let links = async {
        store
            .links(&shop, Kind::Order, &parts, &erp)
            .await
            .map(drop)
    };
    time("reading links", PAGE, &mut Box::pin(links)).await?;
    let intents = async { store.intents_of(&flow, Kind::Order, &ids).await.map(drop) };
    time("reading intents", PAGE * 2, &mut Box::pin(intents)).await?;
    let open = [IntentState::Sent, IntentState::Unknown];
    let open = async { store.intents(&erp, &open).await.map(drop) };
    time("reading open intents", 1, &mut Box::pin(open)).await?;
    let counts = async { store.counts().await.map(drop) };
    time("counting work", 1, &mut Box::pin(counts)).await
}
