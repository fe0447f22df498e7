//! A simulated ERP of any kind, and its warehouse.

use super::{Others, Settings, Shop, faults};
use crate::catalogue::{Catalogue, ErpProduct, ErpTax as TaxRow};
use crate::dolibarr::{self, Dolibarr, DolibarrOptions, Packer};
use crate::fault::{ErrorBody, Faults};
use crate::odoo::{self, ErpOptions, ErpTax};
use axum::Router;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use serde_json::json;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// VAT rates of the catalogue, which Dolibarr's API does not list.
const RATES: [&str; 13] = [
    "20", "5.5", "19", "7", "21", "6", "10", "22", "9", "8.5", "2.1", "5", "9.975",
];

/// Which ERP is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErpKind {
    /// Odoo 19.
    Odoo,
    /// Dolibarr 17.
    Dolibarr,
}

enum Held {
    Odoo(odoo::Erp),
    Dolibarr(Dolibarr, Mutex<Packer>),
}

/// An ERP with everything that the orders of a catalogue name, and faults before it.
pub struct Erp {
    held: Held,
    faults: Faults,
    others: Others,
    parcels: AtomicU32,
}

impl Erp {
    /// An ERP of a kind. `rate` is how often each kind of fault strikes, per request.
    pub fn new(kind: ErpKind, seed: u64, goods: &Catalogue, others: Others, rate: f64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed ^ 0xE49);
        let mut products = goods.erp_products();
        products.extend(others.skus().map(|sku| ErpProduct {
            name: sku.clone(),
            sku,
            service: false,
        }));
        let held = match kind {
            ErpKind::Odoo => Held::Odoo(odoo_of(seed, rate, goods, &products, &mut dice)),
            ErpKind::Dolibarr => {
                let options = DolibarrOptions {
                    seed,
                    race_rate: rate,
                    wall: true,
                    ..DolibarrOptions::default()
                };
                let erp = Dolibarr::stocked(options, &products, 200);
                Held::Dolibarr(erp, Mutex::new(Packer::new(seed)))
            }
        };
        let body: ErrorBody = match &held {
            Held::Odoo(_) => odoo::error_body,
            Held::Dolibarr(..) => dolibarr::error_body,
        };
        Erp {
            held,
            faults: faults(seed ^ 1, rate, body),
            others,
            parcels: 0.into(),
        }
    }

    /// What it answers over HTTP, behind its faults.
    pub fn router(&self) -> Router {
        self.faults.before(match &self.held {
            Held::Odoo(erp) => erp.router(),
            Held::Dolibarr(erp, _) => erp.router(),
        })
    }

    /// What a connection to it is set to, when it is served at `address`.
    pub fn settings(&self, address: &str) -> Settings {
        match &self.held {
            Held::Odoo(erp) => {
                let options = erp.options();
                Settings {
                    connector: "odoo",
                    values: json!({
                        "url": address, "database": options.database, "login": options.login, "key": options.key,
                    }),
                }
            }
            Held::Dolibarr(erp, _) => Settings {
                connector: "dolibarr",
                values: json!({
                    "url": address, "key": erp.options().key, "currency": "EUR", "time_zone": "UTC", "vat_rates": RATES,
                }),
            },
        }
    }

    /// The simulated Odoo, if it is one: for what people do by hand.
    pub fn odoo(&self) -> Option<&odoo::Erp> {
        match &self.held {
            Held::Odoo(erp) => Some(erp),
            Held::Dolibarr(..) => None,
        }
    }

    /// The simulated Dolibarr, if it is one.
    pub fn dolibarr(&self) -> Option<&Dolibarr> {
        match &self.held {
            Held::Dolibarr(erp, _) => Some(erp),
            Held::Odoo(_) => None,
        }
    }

    /// Faults that struck.
    pub fn struck(&self) -> u64 {
        self.faults.struck()
    }

    /// The taxes of a shop as this ERP names them, as rows of a look-up table.
    pub fn taxes(&self, shop: &Shop) -> Vec<(String, String)> {
        let rows = shop.tables().remove("taxes").unwrap_or_default();
        if let Held::Odoo(_) = self.held {
            return rows;
        }
        let goods = shop.catalogue();
        let named = |name: &str| goods.erp_taxes.iter().find(|tax| tax.name == name);
        let row = |(code, name): (String, String)| {
            let rate = named(&name)?.rate.normalize();
            Some((code, rate.to_string()))
        };
        rows.into_iter().filter_map(row).collect()
    }

    /// No faults any more.
    pub fn quiet(&self) {
        self.faults.quiet();
    }

    /// Calls that changed something.
    pub fn writes(&self) -> u64 {
        match &self.held {
            Held::Odoo(erp) => erp.writes(),
            Held::Dolibarr(erp, _) => erp.writes() as u64,
        }
    }

    /// The warehouse does something: counts, sends an order whole or in part, calls a rest off.
    pub fn step(&self, dice: &mut StdRng) {
        let sku = Others::sku(dice.random_range(0..self.others.0.max(1)));
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
                    packer
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .step(erp);
                }
            }
        }
    }

    fn tracking(&self) -> String {
        let number = self.parcels.fetch_add(1, Ordering::SeqCst);
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
                        erp.track_by_hand(delivery.id, &self.tracking()).ok();
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
            Held::Dolibarr(erp, _) => erp.orders().len(),
        }
    }
}

fn odoo_of(
    seed: u64,
    rate: f64,
    goods: &Catalogue,
    products: &[ErpProduct],
    dice: &mut StdRng,
) -> odoo::Erp {
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
    let tax = |tax: &TaxRow| ErpTax {
        name: tax.name.to_owned(),
        rate: tax.rate,
        included: false,
        affects_base: tax.affects_base,
    };
    let options = ErpOptions {
        seed,
        race_rate: rate,
        history: false,
        ..ErpOptions::default()
    };
    let currencies = goods.currencies.iter().map(|code| crate::currency(code));
    odoo::Erp::new(
        options,
        products.iter().map(product).collect(),
        goods.erp_taxes.iter().map(tax).collect(),
        currencies.collect(),
    )
}
