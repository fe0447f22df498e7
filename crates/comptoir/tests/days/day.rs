//! One day: the systems, the hub between them, and what must hold in the evening.

use crate::sides::Served;
use comptoir_engine::flow::{Caps, Flow, Mode};
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_engine::reconcile::{Reconciled, Scope, reconcile};
use comptoir_model::key::{FlowName, Kind};
use comptoir_rules::policy::{LineProducts, OrderPolicy, Tables};
use comptoir_rules::stock::StockPolicy;
use comptoir_rules::table::Table;
use comptoir_sim::market::{Erp, ErpKind, Others, Shop, ShopKind};
use comptoir_store::{Store, StoreError, StoreOptions, StoreUrl, WorkState};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Orders arrive over this span.
const OVER: Duration = Duration::from_secs(5);
/// Items that nobody orders, whose stock changes all the same.
const OTHERS: Others = Others(3_000);
/// How often each kind of fault strikes, per request.
const FAULTS: f64 = 0.01;
/// What has not settled by then will not.
const LONGEST: Duration = Duration::from_secs(120);

/// A day.
pub struct Day {
    shops: Vec<Served<Shop>>,
    erp: Served<Erp>,
    kind: ErpKind,
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    owners: Vec<JoinHandle<Result<(), StoreError>>>,
    seed: u64,
    orders: usize,
    _folder: tempfile::TempDir,
}

impl Day {
    pub async fn begin(
        shops: &[(&'static str, ShopKind)],
        kind: ErpKind,
        seed: u64,
        orders: usize,
    ) -> Self {
        let mut open = Vec::new();
        for (index, (name, kind)) in shops.iter().enumerate() {
            // The second shop sells the same goods in other orders; numbers and buyers may be the same.
            let seed = seed + 1_000 * index as u64;
            let shop = Shop::new(*kind, seed, orders, OVER, OTHERS, FAULTS);
            open.push(Served::shop(name, shop).await);
        }
        let goods = open[0].catalogue();
        let erp = Served::erp(Erp::new(kind, seed, &goods, OTHERS, FAULTS)).await;
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::sqlite(folder.path().join("comptoir.db"));
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        let mut connections: Vec<_> = open.iter().map(Served::<Shop>::connection).collect();
        connections.push(erp.connection());
        let share = if open.len() > 1 { "0.5" } else { "1" };
        let flows = shops.iter().zip(&open).flat_map(|((name, _), shop)| {
            // Each shop has rates of its own, of the same ERP.
            flows(name, shop, &erp, share)
        });
        let mut hub = Hub::new(store, connections, flows.collect(), "test".to_owned())
            .await
            .unwrap();
        hub.patience.first_ms = 20;
        hub.patience.longest_ms = 300;
        hub.patience.tries = 40;
        hub.idle_ms = 30;
        let (hub, (stop, stopped)) = (Arc::new(hub), watch::channel(false));
        let owners = hub.connections.values().map(|connection| {
            tokio::spawn(owner::run(hub.clone(), connection.clone(), stopped.clone()))
        });
        let owners = owners.collect();
        Day {
            shops: open,
            erp,
            kind,
            hub,
            stop,
            owners,
            seed,
            orders,
            _folder: folder,
        }
    }

    /// Orders arrive and people work; then everything is quiet and settles.
    pub async fn pass(&self) {
        let arriving = async {
            for shop in &self.shops {
                shop.arrive().await;
            }
        };
        let people = async {
            let mut dice = StdRng::seed_from_u64(self.seed);
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.erp.step(&mut dice);
                self.shops.iter().for_each(|shop| shop.step(&mut dice));
            }
        };
        tokio::select! {
            () = arriving => {}
            () = people => {}
        }
        self.shops.iter().for_each(|shop| shop.quiet());
        self.erp.quiet();
        self.settle().await;
        self.warehouse_ends().await;
        self.settle().await;
    }

    /// The warehouse works on alone, and every parcel gets its number.
    async fn warehouse_ends(&self) {
        let mut dice = StdRng::seed_from_u64(self.seed ^ 7);
        for _ in 0..self.orders {
            self.erp.step(&mut dice);
        }
        self.erp.track_the_rest();
        // What people of the shop set by hand without a word is found by reading everything, as every night does.
        self.read_everything().await;
    }

    async fn read_everything(&self) {
        for connection in self.hub.connections.values() {
            self.hub
                .store
                .read_again(&connection.name, Kind::Stock)
                .await
                .unwrap();
            connection.look.notify_one();
        }
    }

    /// Waits until nothing is due and nothing waits, for a while on end.
    async fn settle(&self) {
        let deadline = Instant::now() + LONGEST;
        let mut calm = 0;
        while calm < 25 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let counts = self.hub.store.counts().await.unwrap();
            let open: u64 = counts
                .iter()
                .filter(|row| matches!(row.state, WorkState::Due | WorkState::Waiting))
                .map(|row| row.count)
                .sum();
            let seen: u64 = counts
                .iter()
                .filter(|row| row.kind == Kind::Order)
                .map(|row| row.count)
                .sum();
            let placed: usize = self.shops.iter().map(|shop| shop.placed()).sum();
            let waits = self.waits_for_numbers().await;
            calm = if open == waits && seen == placed as u64 {
                calm + 1
            } else {
                0
            };
            assert!(
                Instant::now() < deadline,
                "seed {}: {open} open, {seen} of {placed} orders seen: {}",
                self.seed,
                self.open().await
            );
        }
    }

    /// Shipments that wait for a tracking number: until people give it one.
    async fn waits_for_numbers(&self) -> u64 {
        let mut count = 0;
        for flow in self
            .hub
            .flows
            .iter()
            .filter(|flow| flow.kind == Kind::Shipment)
        {
            let rows = self.hub.store.open_work(&flow.name, 100_000).await.unwrap();
            let waits = rows.iter().filter(|row| row.state == WorkState::Waiting);
            count += waits
                .filter(|row| row.cause.as_deref() == Some("tracking:shipment"))
                .count() as u64;
        }
        count
    }

    async fn open(&self) -> String {
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        for flow in &self.hub.flows {
            for row in self.hub.store.open_work(&flow.name, 100_000).await.unwrap() {
                let cause = row.cause.unwrap_or_default();
                *causes
                    .entry(format!("{} {} {cause}", flow.name, row.state.as_str()))
                    .or_default() += 1;
            }
        }
        let paused = self.hub.store.connections().await.unwrap().into_iter();
        let paused: Vec<String> = paused
            .filter_map(|row| Some(format!("{} {}", row.name, row.pause_cause?)))
            .collect();
        format!("{causes:?} {paused:?}")
    }

    /// In the evening: both sides agree, nobody was told twice, and more cycles write nothing.
    pub async fn judge(self, seed: u64) {
        for flow in &self.hub.flows {
            let report = self.compared(flow).await;
            println!(
                "seed {seed} {}: {} compared, {} held, {} skipped",
                flow.name, report.compared, report.held, report.skipped
            );
            assert_eq!(report.under_way, 0, "seed {seed} {}", flow.name);
            assert!(
                report.drift.is_empty(),
                "seed {seed} {}: {:#?}",
                flow.name,
                report.drift
            );
            assert!(
                report.compared > 0,
                "seed {seed} {}: nothing was compared",
                flow.name
            );
        }
        self.only_expected_holds(seed).await;
        for shop in &self.shops {
            assert_eq!(shop.told_twice(), Vec::<String>::new(), "seed {seed}");
        }
        println!(
            "seed {seed}: {} orders booked, {} shipments",
            self.erp.booked(),
            self.erp.shipped()
        );
        let writes =
            || self.shops.iter().map(|shop| shop.writes()).sum::<u64>() + self.erp.writes();
        let before = writes();
        for _ in 0..10 {
            for connection in self.hub.connections.values() {
                self.hub.store.poll_now(&connection.name).await.unwrap();
                connection.look.notify_one();
                connection.due.notify_one();
            }
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
        assert_eq!(
            writes(),
            before,
            "seed {seed}: ten more cycles wrote something"
        );
        self.stop.send(true).ok();
        for owner in self.owners {
            owner.await.unwrap().unwrap();
        }
        self.hub.store.close().await;
    }

    /// The comparison of both sides, once everything that people did has been read.
    async fn compared(&self, flow: &Flow) -> Reconciled {
        let deadline = Instant::now() + LONGEST;
        loop {
            let report = reconcile(&self.hub, flow, Scope::default()).await.unwrap();
            let settled = report.drift.is_empty() && report.under_way == 0;
            if settled || Instant::now() > deadline {
                return report;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// What is held is held for a reason that was planted, or that this ERP has for good.
    async fn only_expected_holds(&self, seed: u64) {
        let groups = self.hub.store.holds().await.unwrap();
        let planted = ["row:", "match:product:", "flow:refund", "equation:order"];
        // One currency of the books, one rate per line.
        let of_dolibarr = [
            "refused:CMP-0300",
            "refused:CMP-0415",
            "total:order",
            "currency:order",
        ];
        let fits = |cause: &str| {
            planted.iter().any(|start| cause.starts_with(start))
                || (self.kind == ErpKind::Dolibarr && of_dolibarr.contains(&cause))
        };
        let strange: Vec<String> = groups
            .into_iter()
            .filter(|group| !fits(&group.cause))
            .map(|group| format!("{} × {}", group.count, group.cause))
            .collect();
        assert!(strange.is_empty(), "seed {seed}: {strange:?}");
    }
}

/// Orders of a shop, and stock and shipments back to it.
fn flows(name: &str, shop: &Shop, erp: &Erp, share: &str) -> Vec<Flow> {
    let tables = shop.tables();
    let table = |name: &str| Table::new(tables.get(name).into_iter().flatten().cloned());
    let policy = OrderPolicy {
        products: LineProducts {
            fee: Some("FEE".to_owned()),
            rounding: Some("ROUNDING".to_owned()),
            discount: Some("DISCOUNT".to_owned()),
            without_sku: Some("NOSKU".to_owned()),
        },
        tables: Tables {
            taxes: Table::new(erp.taxes(shop)),
            payment_methods: table("payment_methods"),
            shipping_methods: table("shipping_methods"),
            price_lists: Table::default(),
        },
        ..OrderPolicy::default()
    };
    let orders = Flow {
        name: format!("orders-{name}").parse::<FlowName>().unwrap(),
        kind: Kind::Order,
        source: name.parse().unwrap(),
        target: "erp".parse().unwrap(),
        mode: Mode::Live,
        start: None,
        statuses: shop.statuses(),
        tests: false,
        countries: Vec::new(),
        except_countries: Vec::new(),
        poll_ms: 150,
        cron: None,
        quiet: None,
        time_zone: "UTC".to_owned(),
        caps: Caps {
            creates_per_hour: 0,
        },
        policy,
        rules: Default::default(),
        stock: StockPolicy {
            share: share.parse().unwrap(),
            zeros_at_most_percent: 100,
            ..StockPolicy::default()
        },
        shipment: comptoir_rules::shipment::ShipmentPolicy::default(),
        revision: 1,
    };
    let back = |kind: Kind| Flow {
        name: format!("{kind}-{name}").parse().unwrap(),
        kind,
        source: orders.target.clone(),
        target: orders.source.clone(),
        ..orders.clone()
    };
    vec![back(Kind::Stock), back(Kind::Shipment), orders]
}
