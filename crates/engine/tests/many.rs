//! Very many items of stock, of which a few change: the fewest calls. (`cargo bench --bench flows -- --flow c` measures memory and time.)

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use async_trait::async_trait;
use comptoir_engine::connection::Connection;
use comptoir_engine::flow::{Caps, Flow, Mode};
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_model::account::Account;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads,
    Record, Seen, Step, Write, Written,
};
use comptoir_model::rounding::Rounding;
use comptoir_model::stock::{Level, Stock};
use comptoir_store::{Store, StoreOptions, StoreUrl, WorkState};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Items per page.
const PAGE: usize = 500;
/// Items per call of a write.
const BATCH: usize = 100;
/// One item in so many changes.
const EVERY: usize = 100;

static CAPABILITIES: Capabilities = Capabilities {
    reads: &[Reads {
        kind: Kind::Stock,
        cursor: "the item after",
        changes: true,
        page: PAGE as u32,
        ids: PAGE,
    }],
    finds: &[],
    writes: &[Operation {
        kind: Kind::Stock,
        step: Step::Update,
        guard: Guard::None,
        proof: Proof::State,
        settle_seconds: 0,
        deadline_seconds: 60,
        batch: BATCH,
        overwrites: true,
        reserves_stock: false,
        compares: false,
    }],
    hooks: false,
    hooks_resent: false,
    slots: 2,
    rounding: Rounding::PER_LINE,
};

/// A shop or an ERP of which the items are made up while they are read: it takes no memory that would count.
#[derive(Default)]
struct Side {
    items: AtomicUsize,
    /// How many of each item there are.
    quantity: AtomicUsize,
    /// Items that differ from that.
    other: Mutex<BTreeMap<usize, i64>>,
    pages: AtomicUsize,
    /// Items of each write.
    writes: Mutex<Vec<usize>>,
}

impl Side {
    fn record(&self, item: usize) -> Record {
        let usual = i64::try_from(self.quantity.load(Ordering::SeqCst)).unwrap();
        let other = self.other.lock().unwrap().get(&item).copied();
        Record {
            id: RemoteId(item.to_string()),
            version: String::new(),
            document: Document::Stock(Stock {
                sku: format!("SKU-{item}"),
                managed: true,
                levels: vec![Level::pool(other.unwrap_or(usual).into())],
                ..Stock::default()
            }),
            raw: None,
        }
    }

    fn written(&self, write: &Write) -> Result<Written, Fault> {
        let item: usize = write.target.as_ref().unwrap().as_str().parse().unwrap();
        let stock = write.document.as_stock().unwrap();
        let quantity = stock.levels[0].available.unwrap();
        let quantity = i64::try_from(quantity).unwrap();
        self.other.lock().unwrap().insert(item, quantity);
        let seen = self.record(item);
        Ok(Written {
            id: seen.id.clone(),
            seen: Some(seen),
        })
    }
}

#[async_trait]
impl Connector for Side {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        Ok(Account {
            title: "Many".to_owned(),
            version: String::new(),
            site: "many.example".to_owned(),
            time_zone: String::new(),
            currency: None,
            price_decimals: None,
            quantity_decimals: None,
            choices: BTreeMap::new(),
            fields: BTreeMap::new(),
            notices: Vec::new(),
        })
    }

    async fn changes(&self, _: Kind, since: &Cursor) -> Result<Page, Fault> {
        let items = self.items.load(Ordering::SeqCst);
        let from: usize = since.0.parse().unwrap_or(0);
        if from < items {
            self.pages.fetch_add(1, Ordering::SeqCst);
        }
        let until = (from + PAGE).min(items);
        Ok(Page {
            items: (from..until).map(|item| Ok(self.record(item))).collect(),
            gone: Vec::new(),
            next: Cursor(until.to_string()),
            more: until < items,
        })
    }

    async fn read(&self, _: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let item =
            |id: &RemoteId| Seen::Record(Box::new(self.record(id.as_str().parse().unwrap())));
        Ok(ids.iter().map(item).collect())
    }

    async fn find(&self, _: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        Ok(vec![Vec::new(); queries.len()])
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        self.writes.lock().unwrap().push(batch.len());
        batch.iter().map(|write| self.written(write)).collect()
    }
}

/// A hub between two of them, at work.
struct Work {
    shop: Arc<Side>,
    erp: Arc<Side>,
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    owners: Vec<JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

fn flow() -> Flow {
    Flow {
        name: "stock".parse().unwrap(),
        kind: Kind::Stock,
        source: "erp".parse().unwrap(),
        target: "shop".parse().unwrap(),
        mode: Mode::Live,
        start: None,
        statuses: Vec::new(),
        tests: false,
        countries: Vec::new(),
        except_countries: Vec::new(),
        poll_ms: 3_600_000,
        cron: None,
        quiet: None,
        time_zone: "UTC".to_owned(),
        caps: Caps::default(),
        policy: Default::default(),
        stock: Default::default(),
        shipment: Default::default(),
        revision: 1,
        rules: Default::default(),
    }
}

impl Work {
    /// Both sides have so many items, seven of each, and the hub knows it.
    async fn begin(items: usize) -> Self {
        let side = || {
            let side = Side::default();
            side.items.store(items, Ordering::SeqCst);
            side.quantity.store(7, Ordering::SeqCst);
            Arc::new(side)
        };
        let (shop, erp, folder) = (side(), side(), tempfile::tempdir().unwrap());
        let url = StoreUrl::sqlite(folder.path().join("many.db"));
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        let connections = vec![
            Connection::new("shop".parse().unwrap(), shop.clone()),
            Connection::new("erp".parse().unwrap(), erp.clone()),
        ];
        let hub = Hub::new(store, connections, vec![flow()], "test".to_owned());
        let mut hub = hub.await.unwrap();
        hub.idle_ms = 50;
        let (hub, (stop, stopped)) = (Arc::new(hub), watch::channel(false));
        let owners = hub.connections.values().map(|connection| {
            let (hub, connection, stopped) = (hub.clone(), connection.clone(), stopped.clone());
            tokio::spawn(async move { owner::run(hub, connection, stopped).await.unwrap() })
        });
        let owners = owners.collect();
        let work = Work {
            shop,
            erp,
            hub,
            stop,
            owners,
            _folder: folder,
        };
        work.until_done(items).await;
        work
    }

    /// Waits until so many items are decided.
    async fn until_done(&self, items: usize) {
        let until = Instant::now() + Duration::from_secs(300);
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let counts = self.hub.store.counts().await.unwrap();
            let done = counts.iter().filter(|row| row.state == WorkState::Done);
            let done: u64 = done.map(|row| row.count).sum();
            if done == items as u64 && counts.iter().map(|row| row.count).sum::<u64>() == done {
                return;
            }
            assert!(Instant::now() < until, "{counts:?}");
        }
    }

    /// One item in a hundred changes in the ERP; everything is read again until the shop shows it.
    async fn change_and_compare(&self, items: usize) {
        let changed: BTreeMap<usize, i64> =
            (0..items).step_by(EVERY).map(|item| (item, 9)).collect();
        *self.erp.other.lock().unwrap() = changed.clone();
        self.erp.pages.store(0, Ordering::SeqCst);
        self.shop.writes.lock().unwrap().clear();
        let erp = "erp".parse().unwrap();
        self.hub.store.read_again(&erp, Kind::Stock).await.unwrap();
        let until = Instant::now() + Duration::from_secs(300);
        while *self.shop.other.lock().unwrap() != changed {
            assert!(Instant::now() < until, "the shop does not show it");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.until_done(items).await;
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        for owner in self.owners {
            owner.await.unwrap();
        }
        self.hub.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_of_very_many_items_takes_the_fewest_calls() {
    let items = 5_000;
    let work = Work::begin(items).await;
    work.change_and_compare(items).await;
    assert_eq!(work.erp.pages.load(Ordering::SeqCst), items / PAGE);
    let writes = work.shop.writes.lock().unwrap().clone();
    assert_eq!(writes.iter().sum::<usize>(), items / EVERY, "{writes:?}");
    // A call for each page would be ten. A few where this machine is so slow that something has waited long enough.
    let fewest = (items / EVERY).div_ceil(BATCH);
    assert!(writes.len() <= fewest + 2, "{writes:?}");
    work.end().await;
}
