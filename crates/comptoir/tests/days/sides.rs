//! The simulated systems of a day, each kind behind one face: its connection, its faults, and what its people do.

use comptoir_engine::connection::Connection;
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::key::ConnectionName;
use comptoir_sim::catalogue::{Catalogue, ErpProduct};
use comptoir_sim::dolibarr::{self, Dolibarr, DolibarrOptions, HeldOrder, Packer};
use comptoir_sim::fault::{FaultRates, Faults};
use comptoir_sim::odoo::{self, ErpOptions, ErpTax};
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Items that nobody orders, whose stock changes all the same.
pub const OTHERS: usize = 3_000;

/// Names of those items.
pub fn others() -> impl Iterator<Item = String> {
    (0..OTHERS).map(|number| format!("G-{number:04}"))
}

/// How often each kind of fault strikes, per request.
const FAULTS: f64 = 0.01;

fn faults(seed: u64, body: comptoir_sim::fault::ErrorBody) -> Faults {
    let rates = FaultRates {
        retry_after: 0,
        slow_for: Duration::from_millis(50),
        restart_for: Duration::from_millis(100),
        ..FaultRates::all(FAULTS)
    };
    Faults::new(seed, rates, body)
}

fn connect(system: &str, name: &str, settings: serde_json::Value) -> Connection {
    let mut all = comptoir_connectors::ALL.iter();
    let spec = all.find(|spec| spec.name == system).unwrap();
    let name: ConnectionName = name.parse().unwrap();
    let kit = Kit::new(name.clone());
    let mut connection = Connection::new(name, (spec.open)(settings, kit).unwrap());
    // The simulators work on nothing once a connection is cut.
    connection.settle_seconds = Some(1);
    connection
}

/// A shop of the day.
pub struct Shop {
    shop: woocommerce::Shop,
    faults: Faults,
    server: Server,
    name: &'static str,
}

impl Shop {
    pub async fn open(name: &'static str, seed: u64, orders: usize, over: Duration) -> Self {
        let shop = woocommerce::Shop::new(woocommerce::ShopOptions {
            seed,
            orders,
            over,
            ..woocommerce::ShopOptions::default()
        });
        let goods: Vec<(String, i64)> = others().map(|sku| (sku, 0)).collect();
        shop.put_on_sale(&goods);
        let faults = faults(seed, woocommerce::error_body);
        let server = Server::start(faults.before(shop.router())).await.unwrap();
        Shop {
            shop,
            faults,
            server,
            name,
        }
    }

    pub fn connection(&self) -> Connection {
        let settings =
            json!({"url": self.server.url(), "key": "ck_simulated", "secret": "cs_simulated"});
        connect("woocommerce", self.name, settings)
    }

    pub fn catalogue(&self) -> Catalogue {
        self.shop.catalogue()
    }

    pub async fn arrive(&self) {
        self.shop.arrive().await;
    }

    pub fn placed(&self) -> usize {
        self.shop.orders().len()
    }

    pub fn quiet(&self) {
        self.faults.quiet();
    }

    pub fn writes(&self) -> u64 {
        self.shop.writes()
    }

    /// Someone of the shop changes a stock by hand, which is not theirs to say.
    pub fn step(&self, dice: &mut StdRng) {
        if dice.random_bool(0.3) {
            let sku = format!("G-{:04}", dice.random_range(0..OTHERS));
            self.shop
                .set_stock(&sku, Some(dice.random_range(0..50).into()));
        }
    }

    /// What buyers of its orders were mailed with a tracking number: each number once.
    pub fn told_twice(&self) -> Vec<String> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for order in self.shop.orders() {
            for mail in self.shop.mails(order.id) {
                for word in mail.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
                    if word.starts_with("TRACK-") {
                        *seen.entry(word.to_owned()).or_default() += 1;
                    }
                }
            }
        }
        let twice = seen.into_iter().filter(|(_, times)| *times > 1);
        twice.map(|(number, _)| number).collect()
    }
}

/// Which ERP a day has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErpKind {
    Odoo,
    Dolibarr,
}

enum Held {
    Odoo(odoo::Erp),
    Dolibarr(Dolibarr, std::sync::Mutex<Packer>),
}

/// The ERP of the day.
pub struct Erp {
    held: Held,
    faults: Faults,
    server: Server,
    parcels: std::sync::atomic::AtomicU32,
}

impl Erp {
    pub async fn open(kind: ErpKind, seed: u64, goods: &Catalogue) -> Self {
        let mut dice = StdRng::seed_from_u64(seed ^ 0xE49);
        let mut products = goods.erp_products();
        products.extend(others().map(|sku| ErpProduct {
            name: sku.clone(),
            sku,
            service: false,
        }));
        let held = match kind {
            ErpKind::Odoo => Held::Odoo(odoo_of(seed, goods, &products, &mut dice)),
            ErpKind::Dolibarr => {
                let options = DolibarrOptions {
                    seed,
                    race_rate: FAULTS,
                    wall: true,
                    ..DolibarrOptions::default()
                };
                let erp = Dolibarr::stocked(options, &products, 200);
                Held::Dolibarr(erp, std::sync::Mutex::new(Packer::new(seed)))
            }
        };
        let (router, body): (_, comptoir_sim::fault::ErrorBody) = match &held {
            Held::Odoo(erp) => (erp.router(), odoo::error_body),
            Held::Dolibarr(erp, _) => (erp.router(), dolibarr::error_body),
        };
        let faults = faults(seed ^ 1, body);
        let server = Server::start(faults.before(router)).await.unwrap();
        Erp {
            held,
            faults,
            server,
            parcels: 0.into(),
        }
    }

    pub fn connection(&self) -> Connection {
        match &self.held {
            Held::Odoo(erp) => {
                let options = erp.options();
                let settings = json!({
                    "url": self.server.url(), "database": options.database, "login": options.login, "key": options.key,
                });
                connect("odoo", "erp", settings)
            }
            Held::Dolibarr(erp, _) => {
                let rates: Vec<&str> = [
                    "20", "5.5", "19", "7", "21", "6", "10", "22", "9", "8.5", "2.1", "5", "9.975",
                ]
                .to_vec();
                let settings = json!({
                    "url": self.server.url(), "key": erp.options().key, "currency": "EUR", "time_zone": "UTC", "vat_rates": rates,
                });
                connect("dolibarr", "erp", settings)
            }
        }
    }

    /// The taxes of the shop's catalogue as this ERP names them.
    pub fn taxes(&self, goods: &Catalogue) -> Vec<(String, String)> {
        let mapped = goods.taxes.iter().filter(|tax| tax.mapped);
        let row = |tax: &comptoir_sim::catalogue::ShopTax| {
            let name = match &self.held {
                Held::Odoo(_) => tax.erp.to_owned(),
                Held::Dolibarr(..) => tax.rate.normalize().to_string(),
            };
            (tax.code(), name)
        };
        mapped.map(row).collect()
    }

    pub fn quiet(&self) {
        self.faults.quiet();
    }

    pub fn writes(&self) -> u64 {
        match &self.held {
            Held::Odoo(erp) => erp.writes(),
            Held::Dolibarr(erp, _) => erp.writes() as u64,
        }
    }

    /// The warehouse does something: counts, sends an order whole or in part, calls a rest off.
    pub fn step(&self, dice: &mut StdRng) {
        let sku = format!("G-{:04}", dice.random_range(0..OTHERS));
        let counted = Decimal::from(dice.random_range(0..80));
        match &self.held {
            Held::Odoo(erp) => {
                if dice.random_bool(0.5) {
                    erp.set_stock_by_hand(&sku, counted).ok();
                } else {
                    self.send(erp, dice);
                }
            }
            Held::Dolibarr(erp, packer) => {
                if dice.random_bool(0.5) {
                    if let Some(product) = erp.product_of(&sku) {
                        erp.set_stock(product, 1, counted);
                    }
                } else {
                    packer.lock().unwrap().step(erp);
                }
            }
        }
    }

    fn tracking(&self) -> String {
        let number = self
            .parcels
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        format!("TRACK-{number:05}")
    }

    fn send(&self, erp: &odoo::Erp, dice: &mut StdRng) {
        let open: Vec<i64> = erp
            .orders()
            .iter()
            .filter(|order| order.state == "sale")
            .map(|order| order.id)
            .collect();
        if open.is_empty() {
            return;
        }
        let order = open[dice.random_range(0..open.len())];
        match dice.random_range(0..10) {
            0 => drop(erp.cancel_backorder_by_hand(order)),
            1..=4 => {
                let lines = erp
                    .order(order)
                    .map(|order| order.lines.clone())
                    .unwrap_or_default();
                let goods: Vec<(&str, Decimal)> = lines
                    .iter()
                    .take(1)
                    .map(|line| (line.sku.as_str(), Decimal::ONE))
                    .collect();
                // The number sometimes comes later.
                let number = if dice.random_bool(0.5) {
                    String::new()
                } else {
                    self.tracking()
                };
                drop(erp.ship_part_by_hand(order, &goods, &number));
            }
            _ => drop(erp.ship_by_hand(order, &self.tracking())),
        }
    }

    /// Parcels that left without a number get one.
    pub fn track_the_rest(&self) {
        if let Held::Odoo(erp) = &self.held {
            for order in erp.orders() {
                for delivery in erp.deliveries(order.id) {
                    if delivery.state == "done" && delivery.tracking.is_empty() {
                        erp.track_by_hand(delivery.id, &self.tracking()).unwrap();
                    }
                }
            }
        }
        if let Held::Dolibarr(erp, _) = &self.held {
            for shipment in erp.shipments() {
                if shipment.tracking.is_empty() {
                    erp.track(shipment.id, &self.tracking());
                }
            }
        }
    }

    /// How many shipments have left.
    pub fn shipped(&self) -> usize {
        match &self.held {
            Held::Odoo(erp) => {
                let orders = erp.orders();
                let all = orders.iter().flat_map(|order| erp.deliveries(order.id));
                all.filter(|delivery| delivery.state == "done").count()
            }
            Held::Dolibarr(erp, _) => erp.shipments().len(),
        }
    }

    /// Orders it holds.
    pub fn booked(&self) -> usize {
        match &self.held {
            Held::Odoo(erp) => erp.orders().len(),
            Held::Dolibarr(erp, _) => erp.orders().iter().map(|_: &HeldOrder| 1).sum(),
        }
    }
}

fn odoo_of(seed: u64, goods: &Catalogue, products: &[ErpProduct], dice: &mut StdRng) -> odoo::Erp {
    let product = |product: &ErpProduct| {
        if product.service {
            return odoo::ErpProduct::service(product.sku.clone(), product.name.clone());
        }
        let there = if product.sku.starts_with("G-") {
            dice.random_range(0..80)
        } else {
            dice.random_range(50..400)
        };
        odoo::ErpProduct {
            stock: Some(there.into()),
            ..odoo::ErpProduct::new(product.sku.clone(), product.name.clone(), Decimal::ONE)
        }
    };
    let tax = |tax: &comptoir_sim::catalogue::ErpTax| ErpTax {
        name: tax.name.to_owned(),
        rate: tax.rate,
        included: false,
        affects_base: tax.affects_base,
    };
    let options = ErpOptions {
        seed,
        race_rate: FAULTS,
        history: false,
        ..ErpOptions::default()
    };
    let currencies = goods.currencies.iter().map(|code| code.parse().unwrap());
    odoo::Erp::new(
        options,
        products.iter().map(product).collect(),
        goods.erp_taxes.iter().map(tax).collect(),
        currencies.collect(),
    )
}
