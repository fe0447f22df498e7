//! A simulated shop of any kind.

use super::{Others, Settings, faults};
use crate::catalogue::{Catalogue, catalogue};
use crate::fault::Faults;
use crate::{prestashop, woocommerce};
use axum::Router;
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// Which shop is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShopKind {
    /// WooCommerce 11.
    Woocommerce,
    /// PrestaShop 8.2.
    Prestashop,
}

enum Held {
    Woocommerce(woocommerce::Shop),
    Prestashop(prestashop::Shop, String),
}

/// A shop with orders that arrive, and faults before it.
pub struct Shop {
    held: Held,
    faults: Faults,
    others: Others,
}

impl Shop {
    /// A shop of a kind. `rate` is how often each kind of fault strikes, per request. Items beside the catalogue are sold by the simulated
    /// WooCommerce only.
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
                    held: Held::Woocommerce(shop),
                    faults,
                    others,
                }
            }
            ShopKind::Prestashop => {
                let options = prestashop::ShopOptions {
                    seed,
                    orders,
                    over,
                    ..prestashop::ShopOptions::default()
                };
                let key = options.key.clone();
                let shop = prestashop::Shop::in_business(options);
                let faults = faults(seed, rate, prestashop::error_body);
                Shop {
                    held: Held::Prestashop(shop, key),
                    faults,
                    others: Others(0),
                }
            }
        }
    }

    /// What it answers over HTTP, behind its faults.
    pub fn router(&self) -> Router {
        self.faults.before(match &self.held {
            Held::Woocommerce(shop) => shop.router(),
            Held::Prestashop(shop, _) => shop.router(),
        })
    }

    /// What a connection to it is set to, when it is served at `address`.
    pub fn settings(&self, address: &str) -> Settings {
        match &self.held {
            Held::Woocommerce(_) => Settings {
                connector: "woocommerce",
                values: json!({"url": address, "key": "ck_simulated", "secret": "cs_simulated"}),
            },
            Held::Prestashop(_, key) => Settings {
                connector: "prestashop",
                values: json!({"url": address, "key": key, "time_zone": "Europe/Paris"}),
            },
        }
    }

    /// The simulated WooCommerce, if it is one: for what people do by hand.
    pub fn woocommerce(&self) -> Option<&woocommerce::Shop> {
        match &self.held {
            Held::Woocommerce(shop) => Some(shop),
            Held::Prestashop(..) => None,
        }
    }

    /// The simulated PrestaShop, if it is one.
    pub fn prestashop(&self) -> Option<&prestashop::Shop> {
        match &self.held {
            Held::Prestashop(shop, _) => Some(shop),
            Held::Woocommerce(_) => None,
        }
    }

    /// What it sells, and what an ERP must know to book its orders.
    pub fn catalogue(&self) -> Catalogue {
        match &self.held {
            Held::Woocommerce(shop) => shop.catalogue(),
            Held::Prestashop(shop, _) => shop.catalogue().unwrap_or_else(|| catalogue(0)),
        }
    }

    /// Rows of look-up tables that its orders need: payment and shipping methods, and taxes as the simulated Odoo names them.
    pub fn tables(&self) -> BTreeMap<&'static str, Vec<(String, String)>> {
        match &self.held {
            Held::Woocommerce(shop) => shop.catalogue().tables(),
            Held::Prestashop(shop, _) => shop.tables(),
        }
    }

    /// Its words for orders to book.
    pub fn statuses(&self) -> Vec<String> {
        match &self.held {
            Held::Woocommerce(shop) => {
                let words = shop.catalogue().statuses;
                words.into_iter().map(str::to_owned).collect()
            }
            Held::Prestashop(shop, _) => shop.statuses(),
        }
    }

    /// Lets all its orders arrive.
    pub async fn arrive(&self) {
        match &self.held {
            Held::Woocommerce(shop) => shop.arrive().await,
            Held::Prestashop(shop, _) => shop.arrive().await,
        }
    }

    /// Orders placed so far.
    pub fn placed(&self) -> usize {
        match &self.held {
            Held::Woocommerce(shop) => shop.orders().len(),
            Held::Prestashop(shop, _) => shop.orders().len(),
        }
    }

    /// No faults any more.
    pub fn quiet(&self) {
        self.faults.quiet();
    }

    /// Calls that changed something.
    pub fn writes(&self) -> u64 {
        match &self.held {
            Held::Woocommerce(shop) => shop.writes(),
            Held::Prestashop(shop, _) => shop.writes(),
        }
    }

    /// Faults that struck.
    pub fn struck(&self) -> u64 {
        self.faults.struck()
    }

    /// Now and then someone of the shop sets a stock by hand, which is not theirs to say.
    pub fn step(&self, dice: &mut StdRng) {
        let Held::Woocommerce(shop) = &self.held else {
            return;
        };
        if self.others.0 > 0 && dice.random_bool(0.3) {
            let sku = Others::sku(dice.random_range(0..self.others.0));
            shop.set_stock(&sku, Some(dice.random_range(0..50).into()));
        }
    }

    /// What its buyers were mailed more than once of parcels: WooCommerce by number, PrestaShop by mail, since its one field has the
    /// numbers of all parcels of an order.
    pub fn told_twice(&self) -> Vec<String> {
        let said: Vec<String> = match &self.held {
            Held::Woocommerce(shop) => {
                let orders = shop.orders();
                let mails = orders.iter().flat_map(|order| shop.mails(order.id));
                mails.flat_map(|mail| numbers(&mail)).collect()
            }
            Held::Prestashop(shop, _) => {
                let mails = shop.mailed().into_iter();
                mails.filter(|mail| mail.contains("TRACK-")).collect()
            }
        };
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for what in said {
            *seen.entry(what).or_default() += 1;
        }
        let twice = seen.into_iter().filter(|(_, times)| *times > 1);
        twice.map(|(what, _)| what).collect()
    }
}

/// The tracking numbers in a text.
fn numbers(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let numbers = words.filter(|word| word.starts_with("TRACK-"));
    numbers.map(str::to_owned).collect()
}
