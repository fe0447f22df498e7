//! Every order that a real WooCommerce was recorded showing, through the real connectors, engine and store, into the simulator of an
//! Odoo: imported with the total the shop charged, to the cent, or left for the reason that the table gives. The table was written by
//! hand from the recorded amounts.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod readings;
mod shop;

use comptoir_engine::connection::Connection;
use comptoir_engine::flow::{Caps, Flow, Mode};
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_kit::clock::Clock;
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId};
use comptoir_model::money::Currency;
use comptoir_model::port::Hint;
use comptoir_rules::policy::{LineProducts, OrderPolicy, Tables};
use comptoir_rules::table::Table;
use comptoir_sim::odoo::{Erp, ErpOptions, ErpOrder, ErpProduct, ErpTax, Version};
use comptoir_sim::server::Server;
use comptoir_store::{Store, StoreOptions, StoreUrl, WorkRow, WorkState};
use readings::{Reading, readings, rounds};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const TABLE: &str = include_str!("table.txt");

/// A row of the table.
struct Row {
    total: Decimal,
    currency: Currency,
    outcomes: [&'static str; 2],
}

fn table() -> BTreeMap<&'static str, Row> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let [name, charged, in_16, in_19] = cells[..] else {
            panic!("{line}: four cells");
        };
        let (total, currency) = charged.split_once(' ').unwrap();
        let row = Row {
            total: total.parse().unwrap(),
            currency: currency.parse().unwrap(),
            outcomes: [in_16, in_19],
        };
        (name, row)
    })
    .collect()
}

#[test]
fn every_recorded_order_has_a_row_with_what_was_charged() {
    let table = table();
    let all: Vec<Reading> = ["8.5.2", "11.0.1"].into_iter().flat_map(readings).collect();
    let known: BTreeSet<&str> = all.iter().map(|reading| reading.name.as_str()).collect();
    let named: BTreeSet<&str> = table.keys().copied().collect();
    assert_eq!(known, named);
    for reading in &all {
        let row = &table[reading.name.as_str()];
        let total: Decimal = reading.text("total").parse().unwrap();
        assert_eq!(
            (total, reading.text("currency")),
            (row.total, row.currency.code()),
            "{}",
            reading.name
        );
    }
}

#[tokio::test]
async fn recorded_orders_of_8_5_2_come_into_odoo_16() {
    all_rounds("8.5.2", Version::V16).await;
}

#[tokio::test]
async fn recorded_orders_of_8_5_2_come_into_odoo_19() {
    all_rounds("8.5.2", Version::V19).await;
}

#[tokio::test]
async fn recorded_orders_of_11_0_1_come_into_odoo_16() {
    all_rounds("11.0.1", Version::V16).await;
}

#[tokio::test]
async fn recorded_orders_of_11_0_1_come_into_odoo_19() {
    all_rounds("11.0.1", Version::V19).await;
}

/// An order that was recorded more than once is read in rounds of their own: each time by a hub that does not know it yet.
async fn all_rounds(shop: &str, version: Version) {
    let mut wrong = Vec::new();
    for round in rounds(readings(shop)) {
        let scene = Scene::set(shop, version, round.clone()).await;
        scene.settle().await;
        for reading in &round {
            let became = scene.became(reading).await;
            let row = &table()[reading.name.as_str()];
            let expected = row.outcomes[usize::from(version == Version::V19)];
            if became != expected {
                wrong.push(format!("{}: {became}, expected {expected}", reading.name));
            }
        }
        scene.nothing_else(&round);
        scene.stop().await;
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// Orders that were recorded again later, read by a hub that imported them before: what became of each.
const LATER: &[(&str, &str)] = &[
    // A new status and a tracking number are nothing that the ERP's order holds.
    ("11.0.1/907 072-order-update-status", "done"),
    ("11.0.1/907 073-order-update-tracking-meta", "done"),
    // A plug-in for decimal quantities was switched off: 1.375 became 1 in an order that is confirmed.
    (
        "11.0.1/919 099-order-decimal-quantity-cut",
        "held changed:order",
    ),
    // The shop's number of decimals was lowered.
    ("11.0.1/933 134-order-kwd-read-later", "held changed:order"),
    ("8.5.2/20 009-order-partly-refunded", "held flow:refund"),
];

#[tokio::test]
async fn what_is_recorded_later_of_a_known_order_changes_nothing_in_the_erp_by_itself() {
    for version in ["8.5.2", "11.0.1"] {
        let all = readings(version);
        let named = |reading: &&Reading| LATER.iter().any(|(name, _)| *name == reading.name);
        let later: Vec<&Reading> = all.iter().filter(named).collect();
        let is_first = |reading: &&Reading| later.iter().any(|later| later.id == reading.id);
        let first = rounds(all.iter().filter(is_first).cloned().collect()).remove(0);
        let scene = Scene::set(version, Version::V19, first.clone()).await;
        scene.settle().await;
        let (before, writes) = (scene.erp.orders(), scene.erp.writes());
        assert_eq!(before.len(), first.len());
        for reading in later {
            let mut shown = first.clone();
            shown.retain(|order| order.id != reading.id);
            shown.push(reading.clone());
            scene.later(shown, reading).await;
            let row = scene.row(reading).await;
            let became = match row.cause {
                Some(cause) => format!("{} {cause}", row.state.as_str()),
                None => row.state.as_str().to_owned(),
            };
            let expected = LATER.iter().find(|(name, _)| *name == reading.name);
            let expected = expected.map(|(_, became)| *became);
            assert_eq!(Some(became.as_str()), expected, "{}", reading.name);
        }
        assert_eq!(scene.erp.orders(), before);
        assert_eq!(scene.erp.writes(), writes);
        scene.stop().await;
    }
}

/// A recorded shop, a hub and a simulated ERP, at work.
struct Scene {
    erp: Erp,
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    owners: Vec<tokio::task::JoinHandle<Result<(), comptoir_store::StoreError>>>,
    shop: Arc<shop::Recorded>,
    orders: usize,
    _servers: [Server; 2],
    _folder: tempfile::TempDir,
}

impl Scene {
    async fn set(shop: &str, version: Version, orders: Vec<Reading>) -> Scene {
        let erp = erp_for(version, &orders);
        let count = orders.len();
        let (shop, at_shop) = shop::serve(shop, orders).await;
        let at_erp = Server::start(erp.router()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::sqlite(folder.path().join("comptoir.db"));
        let store = Store::open(&url, StoreOptions::default()).await.unwrap();
        let connections = vec![
            connection(
                "woocommerce",
                "shop",
                json!({"url": at_shop.url(), "key": "ck_tape", "secret": "cs_tape", "page_size": 10}),
            ),
            connection(
                "odoo",
                "erp",
                json!({
                    "url": at_erp.url(), "database": erp.options().database,
                    "login": erp.options().login, "key": erp.options().key,
                }),
            ),
        ];
        let mut hub = Hub::new(store, connections, vec![flow()], "test:1".to_owned())
            .await
            .unwrap();
        hub.idle_ms = 20;
        let hub = Arc::new(hub);
        let (stop, stopped) = watch::channel(false);
        let owners = hub.connections.values().map(|connection| {
            tokio::spawn(owner::run(hub.clone(), connection.clone(), stopped.clone()))
        });
        let owners = owners.collect();
        Scene {
            erp,
            hub,
            stop,
            owners,
            shop,
            orders: count,
            _servers: [at_shop, at_erp],
            _folder: folder,
        }
    }

    /// Waits until every order is settled one way or another.
    async fn settle(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let counts = self.hub.store.counts().await.unwrap();
            let sum = |open: bool| -> u64 {
                let is_open =
                    |state: WorkState| matches!(state, WorkState::Due | WorkState::Waiting);
                let rows = counts.iter().filter(|row| is_open(row.state) == open);
                rows.map(|row| row.count).sum()
            };
            if sum(false) == self.orders as u64 && sum(true) == 0 {
                return;
            }
            assert!(Instant::now() < deadline, "not settled: {counts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The shop answers otherwise, and the hub is told to look: a change of how a shop shows an order moves no time of change.
    async fn later(&self, orders: Vec<Reading>, reading: &Reading) {
        self.shop.show(orders);
        let shop: ConnectionName = "shop".parse().unwrap();
        let hint = Hint {
            kind: Kind::Order,
            id: Some(RemoteId(reading.id.to_string())),
        };
        self.hub.store.hint(&shop, hint).await.unwrap();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !self.hub.store.hints(&shop, 1).await.unwrap().is_empty() {
            assert!(Instant::now() < deadline, "the hint is not taken");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.settle().await;
    }

    async fn row(&self, reading: &Reading) -> WorkRow {
        let id = RemoteId(reading.id.to_string());
        let (store, flow) = (&self.hub.store, flow_name());
        let rows = store.work(&flow, Kind::Order, std::slice::from_ref(&id));
        rows.await.unwrap().remove(&id).unwrap()
    }

    /// What became of an order, in the words of the table.
    async fn became(&self, reading: &Reading) -> String {
        let row = self.row(reading).await;
        let orders = self.erp.orders();
        let held: Vec<&ErpOrder> = orders
            .iter()
            .filter(|order| order.client_order_ref == reading.text("number"))
            .collect();
        let cause = row.cause.unwrap_or_default();
        match (row.state, held.as_slice()) {
            (WorkState::Done, [order]) => {
                let total: Decimal = reading.text("total").parse().unwrap();
                let currency = order.currency.map(|currency| currency.to_string());
                assert_eq!(
                    (order.total, currency.as_deref(), order.state.as_str()),
                    (total, Some(reading.text("currency")), "sale"),
                    "{}",
                    reading.name
                );
                imported(order)
            }
            // An order whose totals differ stands as a draft, to be looked at; nothing that is held is confirmed.
            (WorkState::Held, [draft]) if cause == "total:order" && draft.state == "draft" => {
                format!("held {cause}")
            }
            (WorkState::Held, []) => format!("held {cause}"),
            (WorkState::Skipped, []) => format!("skipped {cause}"),
            (state, held) => format!("{} {cause} with {} in the ERP", state.as_str(), held.len()),
        }
    }

    /// The ERP holds nothing that the shop did not show, and nobody twice.
    fn nothing_else(&self, round: &[Reading]) {
        let numbers: BTreeSet<&str> = round.iter().map(|order| order.text("number")).collect();
        let orders = self.erp.orders();
        let held: BTreeSet<&str> = orders
            .iter()
            .map(|order| order.client_order_ref.as_str())
            .collect();
        assert_eq!(held.len(), orders.len(), "an order is doubled");
        assert!(held.is_subset(&numbers), "{held:?}");
        let partners = self.erp.partners();
        let buyers = partners
            .iter()
            .filter(|partner| partner.created_by_hub && partner.parent.is_none());
        let emails: Vec<String> = buyers.map(|buyer| buyer.email.to_lowercase()).collect();
        let distinct: BTreeSet<&String> = emails.iter().collect();
        assert_eq!(distinct.len(), emails.len(), "a buyer is doubled");
    }

    async fn stop(self) {
        self.stop.send(true).ok();
        for owner in self.owners {
            owner.await.unwrap().unwrap();
        }
        self.hub.store.close().await;
    }
}

fn imported(order: &ErpOrder) -> String {
    let lines = order.lines.iter().filter(|line| line.sku == "ROUNDING");
    let rounding: Decimal = lines.map(|line| line.total).sum();
    if rounding.is_zero() {
        "imported".to_owned()
    } else {
        format!("imported, rounding {}", rounding.normalize())
    }
}

fn connection(system: &str, name: &str, settings: serde_json::Value) -> Connection {
    let mut all = comptoir_connectors::ALL.iter();
    let spec = all.find(|spec| spec.name == system).unwrap();
    let name: ConnectionName = name.parse().unwrap();
    // The day after the tapes were recorded.
    let clock = Clock::fixed("2026-11-23T12:00:00Z".parse().unwrap());
    let kit = Kit::new(name.clone()).with_clock(clock);
    Connection::new(name, (spec.open)(settings, kit).unwrap())
}

fn flow_name() -> FlowName {
    "orders".parse().unwrap()
}

fn flow() -> Flow {
    let rows = |rows: &[(&str, &str)]| {
        Table::new(
            rows.iter()
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned())),
        )
    };
    let policy = OrderPolicy {
        products: LineProducts {
            fee: Some("FEE".to_owned()),
            rounding: Some("ROUNDING".to_owned()),
            without_sku: Some("NOSKU".to_owned()),
            ..LineProducts::default()
        },
        tables: Tables {
            taxes: rows(TAXES),
            payment_methods: rows(&[
                ("stripe", "Card"),
                ("bacs", "Transfer"),
                ("cod", "On delivery"),
                ("other", "Other"),
            ]),
            shipping_methods: rows(&[
                ("flat_rate", "SHIP"),
                ("free_shipping", "SHIP"),
                ("local_pickup", "SHIP"),
            ]),
            price_lists: Table::default(),
        },
        ..OrderPolicy::default()
    };
    Flow {
        name: flow_name(),
        kind: Kind::Order,
        source: "shop".parse().unwrap(),
        target: "erp".parse().unwrap(),
        mode: Mode::Live,
        start: None,
        statuses: ["pending", "processing", "on-hold", "completed"]
            .map(str::to_owned)
            .to_vec(),
        tests: false,
        countries: Vec::new(),
        except_countries: Vec::new(),
        poll_ms: 200,
        cron: None,
        quiet: None,
        time_zone: "Europe/Paris".to_owned(),
        caps: Caps::default(),
        policy,
        rules: Default::default(),
        stock: Default::default(),
        shipment: Default::default(),
        revision: 1,
    }
}

/// Taxes of the taped shops and their names in the ERP.
const TAXES: &[(&str, &str)] = &[
    ("FR-TVA 20-1", "20 %"),
    ("FR-TVA 5.5-1", "5.5 %"),
    ("DE-MWST 19-1", "19 %"),
    ("CA-QC-TPS-1 5%", "TPS 5 %"),
    ("CA-QC-TVQ-2 9.975%", "TVQ 9.975 %"),
];

/// An ERP with everything these orders name.
fn erp_for(version: Version, orders: &[Reading]) -> Erp {
    let mut skus = BTreeSet::new();
    let mut currencies = BTreeSet::new();
    for order in orders {
        currencies.insert(order.text("currency").to_owned());
        for line in order.value["line_items"].as_array().unwrap() {
            let sku = line["sku"].as_str().unwrap_or_default();
            skus.extend((!sku.is_empty()).then(|| sku.to_owned()));
        }
    }
    let goods = skus
        .iter()
        .map(|sku| ErpProduct::new(sku, sku, Decimal::ONE));
    let services = ["NOSKU", "FEE", "SHIP", "ROUNDING"].map(|sku| ErpProduct::service(sku, sku));
    let tax = |name: &str, rate: Decimal, affects_base: bool| ErpTax {
        name: name.to_owned(),
        rate,
        included: false,
        affects_base,
    };
    let taxes = vec![
        tax("20 %", Decimal::from(20), false),
        tax("5.5 %", Decimal::new(55, 1), false),
        tax("19 %", Decimal::from(19), false),
        tax("TPS 5 %", Decimal::from(5), true),
        tax("TVQ 9.975 %", Decimal::new(9_975, 3), false),
    ];
    let currencies = currencies.iter().map(|code| code.parse().unwrap());
    let options = ErpOptions {
        version,
        ..ErpOptions::default()
    };
    Erp::new(
        options,
        goods.chain(services).collect(),
        taxes,
        currencies.collect(),
    )
}
