//! A shop and an ERP that agree, and the hub between them.

use crate::plant::{needs_a_parcel, plant};
use crate::row::Row;
use crate::sides::Served;
use comptoir_engine::flow::{Caps, Flow};
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_engine::reconcile::repair::repair;
use comptoir_engine::reconcile::{Drift, Reconciled, Scope, reconcile};
use comptoir_model::Decimal;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_rules::agree::Difference;
use comptoir_rules::policy::{Confirm, LineProducts, OrderPolicy, Tables};
use comptoir_rules::stock::StockPolicy;
use comptoir_rules::table::Table;
use comptoir_sim::catalogue::DOUBLE_SKU;
use comptoir_sim::market::{Erp, ErpKind, Others, Shop, ShopKind};
use comptoir_store::{Store, StoreError, StoreOptions, StoreUrl, WorkState};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What has not settled by then will not.
const LONGEST: Duration = Duration::from_secs(30);
/// So many of the products are ordered; of the others the stock is planted.
const ORDERED: usize = 2;
/// Nothing is polled unless the test says so.
const NEVER_MS: i64 = 24 * 3_600_000;

/// What becomes of the ERP's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are confirmed; stock and parcels go back.
    Confirmed,
    /// A person confirms them.
    Drafts,
}

/// An order that both sides have.
#[derive(Debug, Clone)]
pub struct Sold {
    /// In the shop.
    pub id: u64,
    /// In the ERP.
    pub erp: i64,
    /// Its parcel, when one has left.
    pub parcel: Option<i64>,
}

/// The two systems.
pub struct Pair {
    pub shop: Served<Shop>,
    pub erp: Served<Erp>,
    /// What is sold, and of which stock is planted.
    pub skus: Vec<String>,
    mode: Mode,
    store: Store,
    _folder: tempfile::TempDir,
}

/// The hub at work.
struct AtWork {
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    owners: Vec<JoinHandle<Result<(), StoreError>>>,
}

impl AtWork {
    async fn ends(self) {
        self.stop.send(true).unwrap();
        for owner in self.owners {
            owner.await.unwrap().unwrap();
        }
    }
}

impl Pair {
    pub async fn open(shop: ShopKind, erp: ErpKind, mode: Mode, orders: usize) -> Self {
        let shop = Shop::new(shop, 5, 0, Duration::ZERO, Others(0), 0.0);
        let shop = Served::shop("shop", shop).await;
        let erp = Erp::new(erp, 5, &shop.catalogue(), Others(0), 0.0);
        let erp = Served::erp(erp).await;
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::sqlite(folder.path().join("comptoir.db"));
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        let mut pair = Pair {
            shop,
            erp,
            skus: Vec::new(),
            mode,
            store,
            _folder: folder,
        };
        pair.skus = pair.counted_on_both_sides();
        assert!(pair.skus.len() >= 8, "{:?}", pair.skus);
        for sku in pair.skus.clone() {
            pair.count(&sku, 500);
            if let Some(shop) = pair.shop.prestashop() {
                shop.set_stock(&sku, 500);
            }
        }
        for _ in 0..orders {
            pair.sell(1);
        }
        pair
    }

    fn counted_on_both_sides(&self) -> Vec<String> {
        let goods = self.shop.catalogue().erp_products();
        let names = goods.into_iter().filter(|product| !product.service);
        let names: BTreeSet<String> = names.map(|product| product.sku).collect();
        let in_shop = |sku: &str| match (self.shop.woocommerce(), self.shop.prestashop()) {
            (Some(shop), _) => shop.stock(sku).is_some(),
            (_, Some(shop)) => shop.stock(sku).is_some(),
            _ => false,
        };
        let in_erp = |sku: &str| match (self.erp.odoo(), self.erp.dolibarr()) {
            (Some(erp), _) => erp.stock(sku, None).is_some(),
            (_, Some(erp)) => erp.product_of(sku).is_some(),
            _ => false,
        };
        names
            .into_iter()
            .filter(|sku| sku != DOUBLE_SKU && in_shop(sku) && in_erp(sku))
            .collect()
    }

    /// Somebody counts in the ERP.
    pub fn count(&self, sku: &str, quantity: i64) {
        if let Some(erp) = self.erp.odoo() {
            erp.set_stock_by_hand(sku, quantity.into()).unwrap();
        }
        if let Some(erp) = self.erp.dolibarr() {
            let product = erp.product_of(sku).unwrap();
            erp.set_stock(product, 1, quantity.into());
        }
    }

    /// A buyer orders two each of so many products.
    pub fn sell(&self, products: usize) -> u64 {
        let goods: Vec<(&str, u32)> = self.skus[..products]
            .iter()
            .map(|sku| (sku.as_str(), 2))
            .collect();
        if let Some(shop) = self.shop.woocommerce() {
            return shop.sell(&goods).unwrap();
        }
        let shop = self.shop.prestashop().unwrap();
        shop.sell("ada@example.test", &goods).unwrap()
    }

    /// The warehouse sends an order, or so many of its first line; answers the parcel.
    pub fn ship(&self, sold: &Sold, part: Option<Decimal>, number: &str) -> i64 {
        if let Some(erp) = self.erp.odoo() {
            let shipped = match part {
                Some(many) => {
                    erp.ship_part_by_hand(sold.erp, &[(self.skus[0].as_str(), many)], number)
                }
                None => erp.ship_by_hand(sold.erp, number),
            };
            return shipped.unwrap();
        }
        let erp = self.erp.dolibarr().unwrap();
        let shipped = match part {
            Some(many) => erp.ship_part(sold.erp, &[(erp.to_ship(sold.erp)[0].0, many)], number),
            None => erp.ship(sold.erp, number),
        };
        shipped.unwrap()
    }

    /// Somebody writes a number on a parcel.
    pub fn track(&self, parcel: i64, number: &str) {
        if let Some(erp) = self.erp.odoo() {
            erp.track_by_hand(parcel, number).unwrap();
        }
        if let Some(erp) = self.erp.dolibarr() {
            erp.track(parcel, number);
        }
    }

    async fn hub(&self) -> Arc<Hub> {
        let connections = vec![self.shop.connection(), self.erp.connection()];
        let store = self.store.clone();
        let mut hub = Hub::new(store, connections, self.flows(), "test".to_owned())
            .await
            .unwrap();
        hub.patience.first_ms = 20;
        hub.patience.longest_ms = 300;
        hub.idle_ms = 30;
        hub.has_ended = |_| true;
        Arc::new(hub)
    }

    async fn at_work(&self) -> AtWork {
        let hub = self.hub().await;
        let (stop, stopped) = watch::channel(false);
        let owners = hub.connections.values().map(|connection| {
            tokio::spawn(owner::run(hub.clone(), connection.clone(), stopped.clone()))
        });
        AtWork {
            owners: owners.collect(),
            hub,
            stop,
        }
    }

    fn flows(&self) -> Vec<Flow> {
        let tables = self.shop.tables();
        let table = |name: &str| Table::new(tables.get(name).into_iter().flatten().cloned());
        let named = |sku: &str| Some(sku.to_owned());
        let policy = OrderPolicy {
            confirm: match self.mode {
                Mode::Confirmed => Confirm::Always,
                Mode::Drafts => Confirm::Never,
            },
            products: LineProducts {
                fee: named("FEE"),
                rounding: named("ROUNDING"),
                discount: named("DISCOUNT"),
                without_sku: named("NOSKU"),
            },
            tables: Tables {
                taxes: Table::new(self.erp.taxes(&self.shop)),
                payment_methods: table("payment_methods"),
                shipping_methods: table("shipping_methods"),
                price_lists: Table::default(),
            },
            ..OrderPolicy::default()
        };
        let orders = Flow {
            name: "orders".parse().unwrap(),
            kind: Kind::Order,
            source: "shop".parse().unwrap(),
            target: "erp".parse().unwrap(),
            mode: comptoir_engine::flow::Mode::Live,
            start: None,
            statuses: self.shop.statuses(),
            tests: false,
            countries: Vec::new(),
            except_countries: Vec::new(),
            poll_ms: NEVER_MS,
            cron: None,
            quiet: None,
            time_zone: "UTC".to_owned(),
            caps: Caps::default(),
            policy,
            stock: StockPolicy {
                zeros_at_most_percent: 100,
                ..StockPolicy::default()
            },
            shipment: Default::default(),
            revision: 1,
            rules: Default::default(),
        };
        let back = |kind: Kind| Flow {
            name: kind.as_str().parse().unwrap(),
            kind,
            source: orders.target.clone(),
            target: orders.source.clone(),
            ..orders.clone()
        };
        match self.mode {
            Mode::Confirmed => vec![back(Kind::Stock), back(Kind::Shipment), orders],
            Mode::Drafts => vec![orders],
        }
    }

    /// Plants the rows, has them found and repaired, and looks at what is left.
    pub async fn play(self, rows: &[Row]) {
        let work = self.at_work().await;
        self.settle(&work.hub, rows.len()).await;
        let mut sold = self.booked(&work.hub).await;
        let mut given: Vec<Sold> = Vec::new();
        for (row, mut sold) in rows.iter().zip(sold.drain(..)) {
            if needs_a_parcel(&row.deed) {
                let number = format!("TRACK-{:03}", given.len());
                sold.parcel = Some(self.ship(&sold, None, &number));
            }
            given.push(sold);
        }
        self.look(&work.hub, &[Kind::Shipment, Kind::Stock]).await;
        self.settle(&work.hub, rows.len()).await;
        let before = self.compare(&work.hub).await;
        work.ends().await;
        for (kind, report) in &before {
            assert!(report.drift.is_empty(), "{kind}: {:#?}", report.drift);
            assert!(report.compared > 0, "{kind}: nothing is compared");
        }
        let mut expected: BTreeMap<(String, String), &Row> = BTreeMap::new();
        let mut items = self.skus[ORDERED..].iter();
        for (row, sold) in rows.iter().zip(&given) {
            let sku = match row.flow == "stock" {
                true => items.next().unwrap(),
                false => &self.skus[0],
            };
            let key = plant(&self, &row.deed, sold, sku);
            let same = expected.insert((row.flow.clone(), key.clone()), row);
            assert!(same.is_none(), "{}: {key} is planted twice", row.name);
        }
        let hub = self.hub().await;
        let found = self.compare(&hub).await;
        self.judge_found(&expected, &found);
        let work = self.at_work().await;
        for flow in &work.hub.flows {
            let report = &found[flow.kind.as_str()];
            let drifts: Vec<&Drift> = report.repairable().collect();
            repair(&work.hub, flow, &drifts, "plan").await.unwrap();
        }
        let placed = rows.iter().filter(|row| row.deed.starts_with("ordered"));
        self.settle(&work.hub, rows.len() + placed.count()).await;
        let after = self.compare(&work.hub).await;
        work.ends().await;
        self.judge_repaired(&expected, &before, &after).await;
        self.store.close().await;
    }

    /// Everything that was planted is found, as what it is, and nothing else. The stock of what is ordered is left out here: orders that
    /// nobody has read yet take of it, as they do in a shop. In the end it agrees too.
    fn judge_found(
        &self,
        expected: &BTreeMap<(String, String), &Row>,
        found: &BTreeMap<&'static str, Reconciled>,
    ) {
        let mut wrong = Vec::new();
        let mut seen = BTreeSet::new();
        for (kind, report) in found {
            for drift in &report.drift {
                if *kind == "stock" && self.skus[..ORDERED].contains(&drift.number) {
                    continue;
                }
                let key = (String::from(*kind), known_by(kind, drift));
                match expected.get(&key) {
                    None => wrong.push(format!("nobody planted this: {kind} {drift:?}")),
                    Some(row)
                        if row.difference != drift.difference.word()
                            || row.repairable != drift.repairable =>
                    {
                        wrong.push(format!("{}: found as {drift:?}", row.name));
                    }
                    Some(_) => {}
                }
                if !seen.insert(key.clone()) {
                    wrong.push(format!("found twice: {key:?}"));
                }
            }
        }
        for (key, row) in expected {
            if !seen.contains(key) {
                wrong.push(format!("not found: {} ({key:?})", row.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// What is left is what may not be repaired: still a drift, or held since the hub read it.
    async fn judge_repaired(
        &self,
        expected: &BTreeMap<(String, String), &Row>,
        before: &BTreeMap<&'static str, Reconciled>,
        after: &BTreeMap<&'static str, Reconciled>,
    ) {
        let mut left = BTreeSet::new();
        for (kind, report) in after {
            assert_eq!(report.under_way, 0, "{kind}");
            for drift in &report.drift {
                let key = (String::from(*kind), known_by(kind, drift));
                let row = expected.get(&key);
                let row = row.unwrap_or_else(|| panic!("new after the repair: {drift:#?}"));
                assert!(!row.repairable, "not repaired: {}: {drift:#?}", row.name);
                left.insert(key);
            }
        }
        // Some items of the catalogue are held from the start: the ERP has two of that name.
        let held = |reports: &BTreeMap<&'static str, Reconciled>| -> usize {
            reports.values().map(|report| report.held).sum()
        };
        let held = held(after) - held(before);
        let stays = expected.values().filter(|row| !row.repairable).count();
        assert_eq!(left.len() + held, stays, "what is left is drift or held");
        println!(
            "{} rows found, {} repaired, {} left as drift, {held} held",
            expected.len(),
            expected.len() - stays,
            left.len()
        );
    }

    async fn compare(&self, hub: &Hub) -> BTreeMap<&'static str, Reconciled> {
        let mut reports = BTreeMap::new();
        for flow in &hub.flows {
            let report = reconcile(hub, flow, Scope::default()).await.unwrap();
            reports.insert(flow.kind.as_str(), report);
        }
        reports
    }

    /// The pairs of orders that are linked, by the shop's id.
    async fn booked(&self, hub: &Hub) -> Vec<Sold> {
        let (shop, erp) = ("shop".parse().unwrap(), "erp".parse().unwrap());
        let links = hub
            .store
            .links_after(&shop, Kind::Order, &erp, None, 1_000)
            .await
            .unwrap();
        let number = |id: &RemoteId| id.as_str().parse::<i64>().unwrap();
        let mut sold: Vec<Sold> = links
            .iter()
            .map(|link| Sold {
                id: number(&link.src).unsigned_abs(),
                erp: number(&link.dst_id),
                parcel: None,
            })
            .collect();
        sold.sort_by_key(|sold| sold.id);
        sold
    }

    /// Has the hub read these kinds from the ERP, and the stock of the shop.
    async fn look(&self, hub: &Hub, kinds: &[Kind]) {
        for connection in hub.connections.values() {
            for kind in kinds {
                hub.store.read_again(&connection.name, *kind).await.unwrap();
            }
            connection.look.notify_one();
        }
    }

    /// Waits until nothing is due or waits, for a while on end.
    async fn settle(&self, hub: &Hub, orders: usize) {
        let deadline = Instant::now() + LONGEST;
        let mut calm = 0;
        while calm < 12 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let counts = hub.store.counts().await.unwrap();
            let open = |row: &&comptoir_store::Counts| {
                matches!(row.state, WorkState::Due | WorkState::Waiting)
            };
            let open: u64 = counts.iter().filter(open).map(|row| row.count).sum();
            let of_orders = counts.iter().filter(|row| row.kind == Kind::Order);
            let seen: u64 = of_orders.map(|row| row.count).sum();
            let hints = [&"shop", &"erp"].map(|name| name.parse().unwrap());
            let mut hinted = 0;
            for name in &hints {
                hinted += hub.store.hints(name, 10).await.unwrap().len();
            }
            let waits = self.waits_for_numbers(hub).await;
            let settled = open == waits && hinted == 0 && seen >= orders as u64;
            calm = if settled { calm + 1 } else { 0 };
            assert!(
                Instant::now() < deadline,
                "{open} open, {hinted} hinted, {seen} of {orders} seen: {}",
                self.open_causes(hub).await
            );
        }
    }

    async fn open_causes(&self, hub: &Hub) -> String {
        let mut causes: BTreeMap<String, usize> = BTreeMap::new();
        for flow in &hub.flows {
            for row in hub.store.open_work(&flow.name, 1_000).await.unwrap() {
                let cause = row.cause.unwrap_or_default();
                let named = format!("{} {} {cause}", flow.name, row.state.as_str());
                *causes.entry(named).or_default() += 1;
            }
        }
        let rows = hub.store.connections().await.unwrap().into_iter();
        let paused: Vec<String> = rows
            .filter_map(|row| Some(format!("{} {}", row.name, row.pause_cause?)))
            .collect();
        format!("{causes:?} {paused:?}")
    }

    /// Shipments that wait for a number that people may never give.
    async fn waits_for_numbers(&self, hub: &Hub) -> u64 {
        let flow = "shipment".parse().unwrap();
        let rows = hub.store.open_work(&flow, 1_000).await.unwrap();
        let waits = |row: &&comptoir_store::WorkRow| {
            row.state == WorkState::Waiting && row.cause.as_deref() == Some("tracking:shipment")
        };
        rows.iter().filter(waits).count() as u64
    }
}

/// What a drift is known by in the table: the record, of stock the SKU.
fn known_by(kind: &str, drift: &Drift) -> String {
    match kind {
        "stock" => drift.number.clone(),
        _ if drift.difference == Difference::Double => format!("double {}", drift.record),
        _ => drift.record.to_string(),
    }
}
