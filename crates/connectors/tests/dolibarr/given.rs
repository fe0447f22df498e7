//! Documents and writes that the tests begin with.

use comptoir_connectors::dolibarr::SPEC;
use comptoir_kit::spec::Kit;
use comptoir_model::Decimal;
use comptoir_model::address::Address;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Line, LineTax, Order};
use comptoir_model::port::{Candidate, Connector, Query, Record, Seen, Step, Write, Written};
use serde_json::{Value, json};
use std::sync::Arc;

pub fn open_with(address: &str, key: &str, changes: Value) -> Arc<dyn Connector> {
    let mut settings = json!({"url": address, "key": key, "currency": "EUR"});
    settings
        .as_object_mut()
        .unwrap()
        .extend(changes.as_object().unwrap().clone());
    (SPEC.open)(settings, Kit::new("erp".parse().unwrap())).unwrap()
}

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn line(id: &str, product: &RemoteId, quantity: &str, price: &str, rate: &str) -> Line {
    Line {
        id: id.to_owned(),
        product: Some(product.clone()),
        title: format!("Ligne « {id} » & co"),
        quantity: dec(quantity),
        unit_price: dec(price),
        taxes: vec![LineTax {
            code: rate.to_owned(),
            amount: Decimal::ZERO,
        }],
        ..Line::default()
    }
}

/// An order of a customer, whose goods go to a contact, if one is given.
pub fn order(
    number: &str,
    customer: &RemoteId,
    contact: Option<&RemoteId>,
    lines: Vec<Line>,
) -> Order {
    let mut order = Order::empty("", "EUR".parse().unwrap());
    order.reference = number.to_owned();
    order.origin = format!("shop-fr {number} · Carte");
    order.dates.placed = Some("2026-10-25T00:30:00Z".parse().unwrap());
    order.customer = Some(customer.clone());
    order.bill_to.id = Some(customer.clone());
    order.ship_to.id = Some(contact.unwrap_or(customer).clone());
    order.note = "Sonner 2 × chez « Léa » & fils\nmerci".to_owned();
    order.lines = lines;
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
    let document = Document::Order(Box::new(order));
    write(Kind::Order, Step::Create, id, document)
}

fn address() -> Address {
    Address {
        first_name: "Marie".to_owned(),
        last_name: "Exemple".to_owned(),
        line1: "12 rue de l’Église".to_owned(),
        line2: "2e étage".to_owned(),
        city: "Lyon".to_owned(),
        postcode: "69003".to_owned(),
        country: Some("FR".parse().unwrap()),
        subdivision: Some("FR-69".to_owned()),
        region: "Rhône".to_owned(),
        ..Address::default()
    }
}

pub fn person(id: &str) -> Write {
    let customer = Customer {
        name: "Marie Exemple".to_owned(),
        email: format!("{id}_x@example.test"),
        vat_number: "FR11123456782".to_owned(),
        phone: "+33 1 99 00 12 34".to_owned(),
        language: "fr-FR".to_owned(),
        address: address(),
        ..Customer::default()
    };
    let document = Document::Customer(Box::new(customer));
    write(Kind::Customer, Step::Create, id, document)
}

pub fn contact(id: &str, parent: &RemoteId) -> Write {
    let customer = Customer {
        parent: Some(parent.clone()),
        role: Some(ContactRole::Delivery),
        name: "Marie Exemple".to_owned(),
        address: Address {
            company: "Relais « du coin »".to_owned(),
            ..address()
        },
        ..Customer::default()
    };
    let document = Document::Customer(Box::new(customer));
    let mut write = write(Kind::Customer, Step::Create, id, document);
    write.key = write.key.part("address-0a1b");
    write
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

/// An update of an order that was seen.
pub fn change(of: &Write, seen: &Record, before: &Order, after: &Order) -> Write {
    Write {
        document: Document::Order(Box::new(after.clone())),
        before: Some(Document::Order(Box::new(before.clone()))),
        ..next(of, Step::Update, seen)
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

pub async fn found(connector: &dyn Connector, kind: Kind, query: Query) -> Vec<Candidate> {
    let found = connector.find(kind, &[query]).await.unwrap();
    found.into_iter().next().unwrap()
}

pub async fn read(connector: &dyn Connector, kind: Kind, id: &RemoteId) -> Seen {
    let seen = connector
        .read(kind, std::slice::from_ref(id))
        .await
        .unwrap();
    seen.into_iter().next().unwrap()
}
