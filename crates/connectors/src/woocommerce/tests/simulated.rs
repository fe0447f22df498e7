//! A connection to the simulated shop.

use crate::woocommerce::SPEC;
use comptoir_kit::spec::Kit;
use comptoir_model::port::Connector;
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const KEY: &str = "ck_simulated";
pub(super) const SECRET: &str = "cs_simulated";

/// A simulated shop, and a connection to it.
pub(super) struct Stage {
    pub(super) shop: Shop,
    pub(super) connector: Arc<dyn Connector>,
    _server: Server,
}

impl Stage {
    pub(super) async fn of(version: &'static str, orders: usize) -> Stage {
        Stage::with(version, orders, json!({})).await
    }

    /// With settings of the connection.
    pub(super) async fn with(version: &'static str, orders: usize, settings: Value) -> Stage {
        let shop = shop(version, orders);
        let server = Server::start(shop.router()).await.unwrap();
        let connector = open(&server, settings);
        Stage {
            shop,
            connector,
            _server: server,
        }
    }
}

pub(super) fn shop(version: &'static str, orders: usize) -> Shop {
    Shop::new(ShopOptions {
        version,
        orders,
        seen_as_https: true,
        ..ShopOptions::default()
    })
}

pub(super) fn open(server: &Server, more: Value) -> Arc<dyn Connector> {
    let mut value = json!({
        "url": server.url(), "key": KEY, "secret": SECRET, "auth": "basic", "page_size": 20,
    });
    for (name, setting) in more.as_object().unwrap() {
        value[name] = setting.clone();
    }
    (SPEC.open)(value, Kit::new("shop".parse().unwrap())).unwrap()
}
