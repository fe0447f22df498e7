//! A connection to the scripted shop, and what stands in it.

use super::shop::{KEY, SECRET, TestShop, Traits};
use crate::woocommerce::SPEC;
use comptoir_kit::clock::Clock;
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::Kit;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::money::Currency;
use comptoir_model::order::Order;
use comptoir_model::port::{Connector, Step, Write};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const HOOK_SECRET: &str = "hook_secret_of_the_test";
pub(super) const HTTPS: Traits = Traits {
    sees_https: true,
    drops_header: false,
    read_only: false,
    batch_limit: 0,
    french: false,
    deaf: false,
};

pub(super) fn connect(shop: &TestShop, more: Value) -> Arc<dyn Connector> {
    let mut value = json!({"url": shop.address, "key": KEY, "secret": SECRET, "page_size": 3});
    for (name, setting) in more.as_object().unwrap() {
        value[name] = setting.clone();
    }
    let clock = Clock::fixed(Timestamp::from_second(1_800_000_100).unwrap());
    let kit = Kit::new("shop".parse().unwrap())
        .with_clock(clock)
        .with_webhook_secrets(vec![Secret::new(HOOK_SECRET)]);
    (SPEC.open)(value, kit).unwrap()
}

pub(super) fn basic(shop: &TestShop) -> Arc<dyn Connector> {
    connect(shop, json!({"auth": "basic"}))
}

pub(super) fn taped(name: &str) -> Value {
    let path = format!(
        "{}/src/woocommerce/tapes/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let tape: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_str(tape["response"]["body"].as_str().unwrap()).unwrap()
}

/// A taped order under another number, changed at a second.
pub(super) fn order(id: u64, second: i64) -> Value {
    let mut order = taped("11.0.1/015-order-guest-simple");
    let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
    order["id"] = id.into();
    order["number"] = id.to_string().into();
    order["date_modified_gmt"] = comptoir_kit::time::naive(at).into();
    order
}

pub(super) fn add_orders(shop: &TestShop) {
    let mut state = shop.state();
    // Four of one second, on pages of three; one in the trash; one that cannot be read.
    for (id, second) in [
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 2),
        (5, 2),
        (6, 5),
        (7, 6),
        (8, 7),
    ] {
        state.orders.insert(id, order(id, second));
    }
    state.orders.get_mut(&7).unwrap()["line_items"][0]["total"] = json!({"odd": true});
    state.orders.get_mut(&8).unwrap()["status"] = "trash".into();
}

pub(super) fn add_customers(shop: &TestShop, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        let mut customer = taped("11.0.1/092-customer");
        customer["id"] = id.into();
        customer["email"] = format!("buyer{id}@example.test").into();
        shop.state().customers.insert(id, customer);
    }
}

pub(super) fn add_products(shop: &TestShop) {
    let mut state = shop.state();
    for name in ["11.0.1/080-product-simple", "11.0.1/081-product-variable"] {
        let product = taped(name);
        state
            .products
            .insert(product["id"].as_u64().unwrap(), product);
    }
    let variations = taped("11.0.1/082-product-variations");
    state
        .variations
        .insert(850, variations.as_array().unwrap().clone());
}

pub(super) fn update(id: &str, change: impl FnOnce(&mut Order)) -> Write {
    let mut order = Order::empty("", "EUR".parse::<Currency>().unwrap());
    change(&mut order);
    Write {
        key: WriteKey(format!("erp/order/{id}")),
        kind: Kind::Order,
        step: Step::Update,
        target: Some(id.into()),
        document: Document::Order(Box::new(order)),
        before: None,
        expects: None,
    }
}

pub(super) fn completed(id: &str) -> Write {
    update(id, |order| order.status.word = "completed".to_owned())
}

pub(super) fn fault<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Next, Code) {
    let fault = result.unwrap_err();
    (fault.next, fault.code)
}
