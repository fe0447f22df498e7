//! A simulated shop of any kind.

use super::{Others, Settings, faults};
use crate::catalogue::Catalogue;
use crate::fault::Faults;
use crate::woocommerce;
use axum::Router;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which shop is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopKind {
    /// WooCommerce.
    Woocommerce,
}

/// A shop with orders that arrive, and faults before it.
pub struct Shop {
    shop: woocommerce::Shop,
    faults: Faults,
    others: Others,
}

impl Shop {
    /// A shop of a kind. `rate` is how often each kind of fault strikes, per request.
    pub fn new(
        kind: ShopKind,
        seed: u64,
        orders: usize,
        over: Duration,
        others: Others,
        rate: f64,
    ) -> Self {
        match kind {
            ShopKind::Woocommerce => {
                let shop = woocommerce::Shop::new(woocommerce::ShopOptions {
                    seed,
                    orders,
                    over,
                    ..woocommerce::ShopOptions::default()
                });
                let goods: Vec<(String, i64)> = others.skus().map(|sku| (sku, 0)).collect();
                shop.put_on_sale(&goods);
                let faults = faults(seed, rate, woocommerce::error_body);
                Shop {
                    shop,
                    faults,
                    others,
                }
            }
        }
    }

    /// What it answers over HTTP, behind its faults.
    pub fn router(&self) -> Router {
        self.faults.before(self.shop.router())
    }

    /// What a connection to it is set to, when it is served at `address`.
    pub fn settings(&self, address: &str) -> Settings {
        Settings {
            connector: "woocommerce",
            values: json!({"url": address, "key": "ck_simulated", "secret": "cs_simulated"}),
        }
    }

    /// What it sells, and what an ERP must know to book its orders.
    pub fn catalogue(&self) -> Catalogue {
        self.shop.catalogue()
    }

    /// Lets all its orders arrive.
    pub async fn arrive(&self) {
        self.shop.arrive().await;
    }

    /// Orders placed so far.
    pub fn placed(&self) -> usize {
        self.shop.orders().len()
    }

    /// No faults any more.
    pub fn quiet(&self) {
        self.faults.quiet();
    }

    /// Calls that changed something.
    pub fn writes(&self) -> u64 {
        self.shop.writes()
    }

    /// Faults that struck.
    pub fn struck(&self) -> u64 {
        self.faults.struck()
    }

    /// Now and then someone of the shop sets a stock by hand, which is not theirs to say.
    pub fn step(&self, dice: &mut StdRng) {
        if self.others.0 > 0 && dice.random_bool(0.3) {
            let sku = Others::sku(dice.random_range(0..self.others.0));
            self.shop
                .set_stock(&sku, Some(dice.random_range(0..50).into()));
        }
    }

    /// Tracking numbers that its buyers were mailed more than once.
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
