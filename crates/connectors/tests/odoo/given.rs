//! Documents and writes that the tests begin with.

use crate::server::{DATABASE, KEY, LOGIN, Server};
use comptoir_connectors::odoo::SPEC;
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::address::Address;
use comptoir_model::customer::Customer;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Line, LineTax, Order};
use comptoir_model::port::{Connector, Record, Step, Write, Written};
use serde_json::{Value, json};
use std::sync::Arc;

/// All of them: 16 to 18 speak `/jsonrpc`, 19 `/json/2`.
pub const VERSIONS: [u32; 4] = [16, 17, 18, 19];

pub fn open_with(address: &str, changes: Value) -> Arc<dyn Connector> {
    let mut settings = json!({"url": address, "database": DATABASE, "login": LOGIN, "key": KEY});
    settings
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    (SPEC.open)(settings, Kit::new("erp".parse().unwrap())).unwrap()
}

pub fn open(server: &Server) -> Arc<dyn Connector> {
    open_with(&server.address, json!({}))
}

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn line(id: &str, product: &str, quantity: &str, price: &str) -> Line {
    Line {
        id: id.to_owned(),
        product: Some(product.into()),
        title: format!("Line {id}"),
        quantity: dec(quantity),
        unit_price: dec(price),
        taxes: vec![LineTax {
            code: "10".to_owned(),
            amount: Decimal::ZERO,
        }],
        ..Line::default()
    }
}

pub fn order(number: &str) -> Order {
    let mut order = Order::empty("", "EUR".parse().unwrap());
    order.reference = number.to_owned();
    order.origin = format!("shop-fr {number}");
    order.dates.placed = Some("2026-10-25T00:30:00Z".parse().unwrap());
    order.customer = Some("7".into());
    order.bill_to.id = Some("7".into());
    order.ship_to.id = Some("8".into());
    order.placement.price_list = Some("1".into());
    order.lines = vec![
        line("line-1", "61", "3", "15"),
        line("line-2", "62", "2", "18.9"),
        Line {
            taxes: Vec::new(),
            ..line("shipping-1", "63", "1", "6.9")
        },
    ];
    order
}

pub fn write(kind: Kind, step: Step, id: &str, document: Document) -> Write {
    Write {
        key: WriteKey(format!("shop-fr/{kind}/{id}")),
        kind,
        step,
        target: None,
        document,
        before: None,
        expects: None,
    }
}

pub fn create(id: &str, order: Order) -> Write {
    write(
        Kind::Order,
        Step::Create,
        id,
        Document::Order(Box::new(order)),
    )
}

pub fn person(id: &str, name: &str) -> Write {
    let customer = Customer {
        name: name.to_owned(),
        email: format!("{id}@example.test"),
        language: "fr".to_owned(),
        address: Address {
            line1: "12 rue de l’Église".to_owned(),
            city: "Lyon".to_owned(),
            postcode: "69003".to_owned(),
            country: Some("FR".parse().unwrap()),
            ..Address::default()
        },
        ..Customer::default()
    };
    write(
        Kind::Customer,
        Step::Create,
        id,
        Document::Customer(Box::new(customer)),
    )
}

/// A step on an order that was written, decided on what was seen.
pub fn next(of: &Write, step: Step, seen: &Record) -> Write {
    Write {
        step,
        target: Some(seen.id.clone()),
        document: seen.document.clone(),
        before: None,
        expects: Some(seen.version.clone()),
        ..of.clone()
    }
}

pub async fn one(connector: &dyn Connector, write: &Write) -> Result<Written, Fault> {
    let results = connector.write(std::slice::from_ref(write)).await;
    assert_eq!(results.len(), 1);
    results.into_iter().next().unwrap()
}

pub async fn created(connector: &dyn Connector, write: &Write) -> Record {
    one(connector, write).await.unwrap().seen.unwrap()
}

pub fn held(record: &Record) -> &Order {
    record.document.as_order().unwrap()
}

pub fn number(id: &RemoteId) -> i64 {
    id.as_str().parse().unwrap()
}
