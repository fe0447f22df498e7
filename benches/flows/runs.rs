//! One run of one contender: start, load, wait for the end state, compare both sides.

use crate::mock::{Books, Knobs};
use crate::orders;
use crate::process::{self, Contender, Mock, Process, Usage};
use crate::senders::{self, Delivery};
use crate::wire::Line;
use crate::workspace::{self, Tuning};
use anyhow::{Context, Result, bail};
use comptoir_store::{Store, StoreOptions, StoreUrl, WorkState};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Senders of a burst.
const SENDERS: usize = 16;
/// How long nothing may move before a run is given up.
const STALLED: Duration = Duration::from_secs(45);

/// What one run measured.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Orders that were to be booked.
    pub orders: u64,
    /// Seconds from the first delivery (or the start of the process) to the last sale order.
    pub wall: f64,
    /// CPU seconds of the contender.
    pub cpu: f64,
    /// CPU seconds of the mock meanwhile.
    pub mock_cpu: f64,
    /// MiB at most.
    pub peak: f64,
    /// Bytes given to the disk.
    pub written: f64,
    /// Milliseconds from sent to booked, sorted.
    pub latency: Vec<f64>,
    /// Milliseconds to the acknowledgement, sorted.
    pub acknowledged: Vec<f64>,
    /// Calls of the ERP.
    pub erp_calls: u64,
    /// Calls of the shop.
    pub shop_calls: u64,
    /// Calls of the ERP by name.
    pub by_name: BTreeMap<String, u64>,
    /// Rows and bytes of Comptoir's database file.
    pub database: Option<(i64, u64)>,
    /// What the comparison of both sides found wrong.
    pub wrong: Vec<String>,
    /// Load average of the machine.
    pub load: f64,
}

impl Outcome {
    /// Orders per second.
    pub fn rate(&self) -> f64 {
        self.orders as f64 / self.wall.max(1e-9)
    }

    /// CPU seconds per thousand orders.
    pub fn cpu_per_thousand(&self) -> f64 {
        self.cpu * 1_000.0 / self.orders.max(1) as f64
    }

    /// Calls of the ERP per order.
    pub fn calls_per_order(&self) -> f64 {
        self.erp_calls as f64 / self.orders.max(1) as f64
    }
}

/// The value below which `part` of a sorted list lies.
pub fn percentile(sorted: &[f64], part: f64) -> f64 {
    let at = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(at).copied().unwrap_or_default()
}

/// How deliveries come.
#[derive(Debug, Clone, Copy)]
pub enum Load {
    /// All at once, sixteen senders in closed loop.
    Burst,
    /// So many per second.
    Steady(u32),
    /// None: the orders are in the shop before the start.
    Backfill,
}

/// A contender under way.
struct Running {
    process: Process,
    address: String,
    dir: Option<TempDir>,
}

impl Running {
    async fn start(
        contender: Contender,
        mock: &mut Mock,
        load: Load,
        tuning: Tuning,
    ) -> Result<Self> {
        let backfill = matches!(load, Load::Backfill);
        if contender == Contender::Bare {
            let (process, address) = process::start_bare(mock, backfill)?;
            return Ok(Running {
                process,
                address,
                dir: None,
            });
        }
        let dir = tempfile::tempdir()?;
        workspace::write(dir.path(), &mock.address, tuning)?;
        let address = process::free_address()?;
        let process = process::start_comptoir(dir.path(), &address)?;
        let running = Running {
            process,
            address,
            dir: Some(dir),
        };
        if !backfill {
            probed(mock, Duration::from_secs(30)).await?;
        }
        Ok(running)
    }
}

/// Waits until both connections are probed and the empty shop was polled once.
async fn probed(mock: &mut Mock, limit: Duration) -> Result<()> {
    let until = Instant::now() + limit;
    while Instant::now() < until {
        let counts = mock.counts().await?;
        let polled = counts.shop.get("orders").copied().unwrap_or_default() >= 2;
        if polled && counts.erp.contains_key("ir.config_parameter.search_read") {
            tokio::time::sleep(Duration::from_millis(500)).await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("Comptoir did not probe shop and ERP in time")
}

/// Runs one contender on a fresh mock.
pub async fn run(contender: Contender, orders: u64, load: Load, knobs: Knobs) -> Result<Outcome> {
    let mut mock = Mock::start()?;
    let now = jiff::Timestamp::now().as_second();
    let full = match load {
        // Two days ago, ten a second: pages without ties over a whole page.
        Load::Backfill => Knobs {
            published: orders,
            since: now - 172_800,
            per_second: 10,
            ..knobs
        },
        _ => Knobs {
            published: orders,
            since: now,
            per_second: 1_000,
            ..knobs
        },
    };
    let backfill = matches!(load, Load::Backfill);
    mock.set(if backfill { full } else { Knobs::default() })
        .await?;
    let mut began = crate::mock::now_us();
    // An ERP that takes its time has as many calls at once as the bare loop makes.
    let tuning = Tuning {
        at_once: (knobs.call_us > 0).then_some(8),
        ..Tuning::DEFAULT
    };
    let running = Running::start(contender, &mut mock, load, tuning).await?;
    let requests = match load {
        Load::Backfill => Vec::new(),
        _ => senders::prepare(0..orders, &running.address)?,
    };
    let pid = running.process.pid();
    let mut before = Usage::default();
    let mock_before = mock.cpu()?;
    if !backfill {
        mock.set(full).await?;
        mock.forget().await?;
        before = process::usage(pid)?;
        began = crate::mock::now_us();
    }
    let host = running.address.clone();
    let sending = tokio::task::spawn_local(async move {
        match load {
            Load::Burst => senders::burst(requests, SENDERS, &host).await,
            Load::Steady(rate) => {
                senders::steady(requests, Duration::from_secs(1) / rate, &host).await
            }
            Load::Backfill => Vec::new(),
        }
    });
    booked(&mut mock, orders, STALLED).await?;
    let deliveries = sending.await?;
    let after = quiet(pid).await?;
    let mut outcome = measured(&mut mock, began, &deliveries, orders).await?;
    outcome.cpu = after.cpu - before.cpu;
    outcome.peak = after.peak;
    outcome.written = after.written - before.written;
    outcome.mock_cpu = mock.cpu()? - mock_before;
    finish(running, &mut outcome).await?;
    Ok(outcome)
}

/// Waits until so many orders are booked, or nothing has moved for a while.
async fn booked(mock: &mut Mock, orders: u64, stalled: Duration) -> Result<u64> {
    let mut last = (0, Instant::now());
    loop {
        let now = mock.counts().await?.orders;
        if now >= orders {
            return Ok(now);
        }
        if now > last.0 {
            last = (now, Instant::now());
        }
        if last.1.elapsed() > stalled {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a process does nothing any more; what it used by then.
pub async fn quiet(pid: u32) -> Result<Usage> {
    let mut last = process::usage(pid)?;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let now = process::usage(pid)?;
        if now.cpu - last.cpu < 0.015 {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

async fn measured(
    mock: &mut Mock,
    began: u64,
    deliveries: &[Delivery],
    orders: u64,
) -> Result<Outcome> {
    let counts = mock.counts().await?;
    let books = mock.books().await?;
    let last = books.orders.iter().map(|order| order.at).max();
    let sent: HashMap<u64, u64> = deliveries.iter().map(|d| (d.index, d.sent)).collect();
    let latency = books.orders.iter().filter_map(|order| {
        let index = orders::index_of(order.reference.parse().ok()?)?;
        Some(order.at.saturating_sub(*sent.get(&index)?) as f64 / 1_000.0)
    });
    let acknowledged = deliveries.iter().filter(|d| d.acknowledged);
    let acknowledged = acknowledged.map(|d| d.took as f64 / 1_000.0);
    Ok(Outcome {
        orders,
        wall: last.unwrap_or(began).saturating_sub(began) as f64 / 1e6,
        latency: sorted(latency),
        acknowledged: sorted(acknowledged),
        erp_calls: counts.erp.values().sum(),
        shop_calls: counts.shop.values().sum(),
        by_name: counts.erp,
        wrong: compare(&books, orders),
        load: process::load(),
        ..Outcome::default()
    })
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Compares the ERP with what the shop sold: every order once, with its total and its buyer, and no buyer twice.
pub fn compare(books: &Books, orders: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    let (mut doubled, mut totals, mut buyers, mut unknown) = (0, 0, 0, 0);
    for booked in &books.orders {
        if !seen.insert(&booked.reference) {
            doubled += 1;
        }
        let index = booked.reference.parse().ok().and_then(orders::index_of);
        let Some(index) = index.filter(|index| *index < orders) else {
            unknown += 1;
            continue;
        };
        let order = orders::order(index);
        totals += u64::from(order.total() != booked.total);
        buyers += u64::from(orders::email(order.customer) != booked.email);
    }
    let missing = orders.saturating_sub(seen.len() as u64);
    let distinct: BTreeSet<&String> = books.emails.iter().collect();
    let partners = (books.emails.len() - distinct.len()) as u64;
    for (count, what) in [
        (missing, "orders missing"),
        (doubled, "orders doubled"),
        (totals, "totals wrong"),
        (buyers, "orders of another buyer"),
        (unknown, "orders that nobody placed"),
        (partners, "partners doubled"),
    ] {
        if count > 0 {
            wrong.push(format!("{count} {what}"));
        }
    }
    wrong
}

/// Ends a contender, and looks into Comptoir's database.
async fn finish(mut running: Running, outcome: &mut Outcome) -> Result<()> {
    let Some(dir) = &running.dir else {
        running.process.kill();
        return Ok(());
    };
    running.process.stop()?;
    let (rows, bytes, open) = database(dir.path()).await?;
    outcome.database = Some((rows, bytes));
    outcome.wrong.extend(open);
    if !outcome.wrong.is_empty() {
        keep(dir.path(), outcome)?;
    }
    Ok(())
}

/// Says where the log of a run that went wrong is kept.
fn keep(dir: &Path, outcome: &mut Outcome) -> Result<()> {
    let kept = std::env::temp_dir().join(format!("comptoir-bench-{}.log", std::process::id()));
    std::fs::copy(dir.join("serve.log"), &kept)?;
    outcome.wrong.push(format!("log in {}", kept.display()));
    Ok(())
}

/// Rows, bytes, and what is not settled in Comptoir's own books.
async fn database(dir: &Path) -> Result<(i64, u64, Vec<String>)> {
    let path: PathBuf = dir.join("comptoir.db");
    let store = Store::open(&StoreUrl::sqlite(&path), StoreOptions::default()).await?;
    let rows = store.sizes().await?.lines().iter().map(|line| line.1).sum();
    let mut open = Vec::new();
    for counts in store.counts().await? {
        if counts.state != WorkState::Done {
            open.push(format!(
                "{} rows of work {}",
                counts.count,
                counts.state.as_str()
            ));
        }
    }
    for group in store.holds().await? {
        open.push(format!("{} held for {}", group.count, group.cause));
    }
    store.close().await;
    let size = |ending: &str| {
        let file = dir.join(format!("comptoir.db{ending}"));
        std::fs::metadata(file).map_or(0, |meta| meta.len())
    };
    Ok((rows, size("") + size("-wal"), open))
}

/// What an idle hub costs, and how soon it hears.
#[derive(Debug, Clone, Copy, Default)]
pub struct Idle {
    /// Seconds from the start of the process to the first webhook it acknowledged.
    pub start: f64,
    /// MiB after ten seconds.
    pub rss: f64,
}

/// Starts Comptoir and knocks until it answers.
pub async fn idle() -> Result<Idle> {
    let mut mock = Mock::start()?;
    let now = jiff::Timestamp::now().as_second();
    mock.set(Knobs {
        published: 1,
        since: now,
        per_second: 1,
        ..Knobs::default()
    })
    .await?;
    let dir = tempfile::tempdir()?;
    workspace::write(dir.path(), &mock.address, Tuning::DEFAULT)?;
    let address = process::free_address()?;
    let request = senders::request(0, &address)?;
    let began = Instant::now();
    let process = process::start_comptoir(dir.path(), &address)?;
    let mut line = Line::new(&address);
    while !matches!(line.send(&request).await, Ok((200, _))) {
        if began.elapsed() > Duration::from_secs(30) {
            bail!("no webhook was acknowledged");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let start = began.elapsed().as_secs_f64();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let rss = process::usage(process.pid())?.rss;
    Ok(Idle { start, rss })
}

/// What a run with kills and faults ended with.
#[derive(Debug, Clone, Default)]
pub struct Survived {
    /// Orders.
    pub orders: u64,
    /// Deliveries acknowledged with 200.
    pub acknowledged: u64,
    /// Deliveries refused, most of them while it was down.
    pub refused: u64,
    /// Faults injected.
    pub faults: u64,
    /// Acknowledged and never booked.
    pub lost: u64,
    /// Orders that were booked while there were faults.
    pub through: u64,
    /// How many seconds that took, at most as long as was waited.
    pub took: f64,
    /// What the comparison found wrong.
    pub wrong: Vec<String>,
}

/// Waits until every order is booked, or an instant. Answers how many are.
async fn all_there(mock: &mut Mock, orders: u64, until: Instant) -> Result<u64> {
    loop {
        let books = mock.books().await?;
        let there: HashSet<&String> = books.orders.iter().map(|order| &order.reference).collect();
        let there = there.len() as u64;
        if there >= orders || Instant::now() > until {
            return Ok(there);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// A burst into faults of every sort, `kills` kills in the midst of it, restarted at once. Nobody sends again.
pub async fn survive(orders: u64, percent: u64, kills: u32, limit: Duration) -> Result<Survived> {
    let mut mock = Mock::start()?;
    mock.set(Knobs::default()).await?;
    let dir = tempfile::tempdir()?;
    // Short waits, so that a run takes minutes and not hours; nothing else differs.
    let tuning = Tuning {
        every_ms: Some(2_000),
        at_once: None,
        patience: Some((100, 1)),
        ..Tuning::DEFAULT
    };
    workspace::write(dir.path(), &mock.address, tuning)?;
    let address = process::free_address()?;
    let mut process = process::start_comptoir(dir.path(), &address)?;
    probed(&mut mock, Duration::from_secs(30)).await?;
    let knobs = Knobs {
        published: orders,
        since: jiff::Timestamp::now().as_second(),
        per_second: 50,
        faults: percent,
        ..Knobs::default()
    };
    mock.set(knobs).await?;
    let requests = senders::prepare(0..orders, &address)?;
    let began = Instant::now();
    let host = address.clone();
    let sending =
        tokio::task::spawn_local(async move { senders::burst(requests, SENDERS, &host).await });
    let mut dice = orders::Dice::new(orders ^ percent);
    for _ in 0..kills {
        // Soon after the last start: some kills meet the burst, some the work on it, some the recovery.
        tokio::time::sleep(Duration::from_millis(20 + dice.below(250))).await;
        process.kill();
        process = process::start_comptoir(dir.path(), &address)?;
    }
    let deliveries = sending.await?;
    let through = all_there(&mut mock, orders, began + limit).await?;
    let took = began.elapsed().as_secs_f64();
    let faults = mock.counts().await?.faults;
    // What is late by then is waited for without faults; what would come twice has a little time to do so.
    mock.set(Knobs { faults: 0, ..knobs }).await?;
    all_there(&mut mock, orders, Instant::now() + 2 * STALLED).await?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let books = mock.books().await?;
    let there: HashSet<String> = books.orders.iter().map(|o| o.reference.clone()).collect();
    let acknowledged: Vec<&Delivery> = deliveries.iter().filter(|d| d.acknowledged).collect();
    let lost = acknowledged
        .iter()
        .filter(|d| !there.contains(&orders::id_of(d.index).to_string()))
        .count();
    process.stop().context("after the kills")?;
    let (_, _, open) = database(dir.path()).await?;
    let mut survived = Survived {
        orders,
        acknowledged: acknowledged.len() as u64,
        refused: deliveries.len() as u64 - acknowledged.len() as u64,
        faults,
        lost: lost as u64,
        through,
        took,
        wrong: compare(&books, orders),
    };
    survived.wrong.extend(open);
    if !survived.wrong.is_empty() {
        let kept = std::env::temp_dir().join("comptoir-bench-faults.log");
        std::fs::copy(dir.path().join("serve.log"), &kept)?;
        survived.wrong.push(format!("log in {}", kept.display()));
    }
    Ok(survived)
}
