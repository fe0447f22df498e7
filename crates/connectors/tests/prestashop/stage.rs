//! A simulated shop, what is sold in it, and connections to it.

use comptoir_connectors::prestashop::SPEC;
use comptoir_kit::clock::Clock;
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::port::{Connector, Cursor, Record, Step, Unreadable, Write};
use comptoir_sim::prestashop::{Line, Sale, Shop, ShopOptions};
use comptoir_sim::server::Server;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

pub const KEY: &str = "TESTKEYTESTKEYTESTKEYTESTKEYTEST";

/// A shop on the loopback, and the time that it and the hub share.
pub struct Stage {
    pub shop: Shop,
    pub server: Server,
    now: Arc<Mutex<Timestamp>>,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

impl Stage {
    pub async fn open(now: &str) -> Self {
        Stage::with(ShopOptions {
            now: at(now),
            ..ShopOptions::default()
        })
        .await
    }

    pub async fn with(options: ShopOptions) -> Self {
        let now = Arc::new(Mutex::new(options.now));
        let shop = Shop::new(ShopOptions {
            key: KEY.to_owned(),
            ..options
        });
        let server = Server::start(shop.router()).await.unwrap();
        Stage { shop, server, now }
    }

    /// Lets time pass for both.
    pub fn go_to(&self, now: Timestamp) {
        *self.now.lock().unwrap() = now;
        self.shop.set_now(now);
    }

    pub fn pass(&self, seconds: i64) {
        let now = *self.now.lock().unwrap();
        self.go_to(now + SignedDuration::from_secs(seconds));
    }

    pub fn connect(&self, more: Value) -> Arc<dyn Connector> {
        let mut value = json!({
            "url": self.server.url(), "key": KEY, "time_zone": "Europe/Paris", "page_size": 3,
        });
        for (name, setting) in more.as_object().unwrap() {
            value[name] = setting.clone();
        }
        let now = self.now.clone();
        let clock = Clock::from_fn(move || *now.lock().unwrap());
        let kit = Kit::new("shop".parse().unwrap()).with_clock(clock);
        (SPEC.open)(value, kit).unwrap()
    }

    pub fn plain(&self) -> Arc<dyn Connector> {
        self.connect(json!({}))
    }

    /// Sells to so many buyers, a second between them.
    pub fn sell(&self, count: u32) -> Vec<u64> {
        (0..count)
            .map(|number| {
                self.pass(1);
                self.shop
                    .place(&sale(&format!("buyer{number}@example.test")))
            })
            .collect()
    }

    /// How many requests went to a resource.
    pub fn asked(&self, resource: &str) -> usize {
        let start = format!("GET /api/{resource}?");
        let asked = self.shop.asked();
        asked
            .iter()
            .filter(|asked| asked.starts_with(&start))
            .count()
    }
}

/// Two goods of two rates and taxed shipping, paid.
pub fn sale(email: &str) -> Sale {
    Sale {
        email: email.to_owned(),
        guest: false,
        company: None,
        lines: vec![
            line((1, 9), "SHIRT-S", 2, "19.12", Some(1)),
            line((6, 0), "BOOK", 1, "11.95", Some(3)),
        ],
        shipping: dec("7.00"),
        voucher: None,
        state: 2,
        message: String::new(),
    }
}

pub fn line(product: (u64, u64), sku: &str, quantity: u32, price: &str, tax: Option<u64>) -> Line {
    Line {
        product,
        sku: sku.to_owned(),
        quantity,
        price: dec(price),
        tax,
    }
}

/// Reads to the end: what is new or changed, and where to go on.
pub async fn read_on(
    connector: &dyn Connector,
    kind: Kind,
    since: &Cursor,
) -> (Vec<Record>, Cursor) {
    let (mut records, mut cursor) = (Vec::new(), since.clone());
    for _ in 0..100 {
        let page = connector.changes(kind, &cursor).await.unwrap();
        let item = |item: Result<Record, Unreadable>| item.unwrap();
        records.extend(page.items.into_iter().map(item));
        cursor = page.next;
        if !page.more {
            return (records, cursor);
        }
    }
    panic!("reading does not end");
}

pub fn ids(records: &[Record]) -> Vec<u64> {
    records
        .iter()
        .map(|record| record.id.as_str().parse().unwrap())
        .collect()
}

pub fn order(record: &Record) -> &Order {
    record.document.as_order().unwrap()
}

pub fn update(id: u64, change: impl FnOnce(&mut Order)) -> Write {
    let mut order = Order::empty("", "EUR".parse().unwrap());
    change(&mut order);
    Write {
        key: WriteKey(format!("erp/order/{id}")),
        kind: Kind::Order,
        step: Step::Update,
        target: Some(id.to_string().into()),
        document: Document::Order(Box::new(order)),
        before: None,
        expects: None,
    }
}

pub fn into_state(id: u64, state: &str) -> Write {
    update(id, |order| order.status.word = state.to_owned())
}

pub fn fault<T: std::fmt::Debug>(result: Result<T, Fault>) -> (Next, Code) {
    let fault = result.unwrap_err();
    (fault.next, fault.code)
}
