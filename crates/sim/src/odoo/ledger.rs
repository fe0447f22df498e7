//! What happened to every order, for whoever checks a run.

use super::schema::M;
use super::store::{Row, Store};
use super::value::Value;
use comptoir_model::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// A caller of the API.
    Hub,
    /// Someone working in the ERP.
    Person,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct ErpLine {
    /// Its id.
    pub id: i64,
    /// Its external id, as `module.name`.
    pub key: Option<String>,
    /// The product's SKU; empty for a section or a note.
    pub sku: String,
    /// Its text.
    pub name: String,
    /// Quantity.
    pub quantity: Decimal,
    /// Price of one, as Odoo keeps it.
    pub price_unit: Decimal,
    /// Discount in percent.
    pub discount: Decimal,
    /// Without tax.
    pub subtotal: Decimal,
    /// With tax.
    pub total: Decimal,
}

/// What an order says at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct ErpContents {
    /// `draft`, `sent`, `sale`, `done` or `cancel`.
    pub state: String,
    /// `client_order_ref`.
    pub client_order_ref: String,
    /// `origin`.
    pub origin: String,
    /// `note`.
    pub note: String,
    /// Currency; none when it has none that is known.
    pub currency: Option<Currency>,
    /// `amount_untaxed`.
    pub untaxed: Decimal,
    /// `amount_tax`.
    pub tax: Decimal,
    /// `amount_total`.
    pub total: Decimal,
    /// Customer.
    pub partner: i64,
    /// Invoice address.
    pub invoice_partner: i64,
    /// Delivery address.
    pub shipping_partner: i64,
    /// `date_order`.
    pub date_order: Option<Timestamp>,
    /// Its lines, in order.
    pub lines: Vec<ErpLine>,
}

/// What an order said from a time on.
#[derive(Debug, Clone, PartialEq)]
pub struct ErpVersion {
    /// Since when.
    pub at: Timestamp,
    /// By whom.
    pub by: Hand,
    /// How many of the versions before it the API had been asked for when it came to be.
    pub looked: usize,
    /// What.
    pub contents: Arc<ErpContents>,
}

/// An order with its history. Reads as its present contents.
#[derive(Debug, Clone, PartialEq)]
pub struct ErpOrder {
    /// Its id.
    pub id: i64,
    /// Its number, such as `S00001`.
    pub name: String,
    /// Its external id, as `module.name`.
    pub key: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom it was made.
    pub created_by: Hand,
    /// Whether a person changed, confirmed, cancelled or deleted it.
    pub touched_by_person: bool,
    /// When and by whom it was deleted.
    pub deleted: Option<(Timestamp, Hand)>,
    /// What it says now (or said last).
    pub contents: Arc<ErpContents>,
    /// How many of its versions there were when the API was asked for it last.
    pub looked: usize,
    /// Everything it has said, oldest first. Only the last without [`super::ErpOptions::history`].
    pub history: Vec<ErpVersion>,
}

impl Deref for ErpOrder {
    type Target = ErpContents;
    fn deref(&self) -> &ErpContents {
        &self.contents
    }
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErpPartner {
    /// Its id.
    pub id: i64,
    /// What it belongs to.
    pub parent: Option<i64>,
    /// Name.
    pub name: String,
    /// E-mail as written.
    pub email: String,
    /// VAT number; a contact below a company carries the company's.
    pub vat: String,
    /// Whether it is a company.
    pub is_company: bool,
    /// `contact`, `invoice`, `delivery` or `other`.
    pub kind: String,
    /// Its external id, as `module.name`.
    pub key: Option<String>,
    /// Whether it came through the API.
    pub created_by_hub: bool,
}

/// The stories of all orders, deleted ones too.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    stories: BTreeMap<i64, ErpOrder>,
    /// Keep only the last version.
    short: bool,
}

impl Ledger {
    /// An empty one; `short` keeps only the last version of each order.
    pub(super) fn new(short: bool) -> Ledger {
        Ledger {
            short,
            ..Ledger::default()
        }
    }

    /// Notes what a transaction did to orders.
    pub(super) fn note(
        &mut self,
        store: &Store,
        touched: &BTreeSet<(M, i64)>,
        by: Hand,
        at: Timestamp,
    ) {
        let mut orders = BTreeSet::new();
        for &(model, id) in touched {
            match model {
                M::Order => drop(orders.insert(id)),
                M::Line => {
                    orders.extend(store.follow(M::Line, &Value::Ref(id), "order_id").id());
                }
                _ => {}
            }
        }
        for id in orders {
            match store.row(M::Order, id) {
                Some(row) => self.note_order(store, row, by, at),
                None => {
                    if let Some(story) = self.stories.get_mut(&id)
                        && story.deleted.is_none()
                    {
                        story.deleted = Some((at, by));
                        story.touched_by_person |= by == Hand::Person;
                    }
                }
            }
        }
    }

    /// Notes that the API was asked for orders, and answered.
    pub(super) fn look(&mut self, orders: &BTreeSet<i64>) {
        for id in orders {
            if let Some(story) = self.stories.get_mut(id) {
                story.looked = story.history.len();
            }
        }
    }

    fn note_order(&mut self, store: &Store, row: &Row, by: Hand, at: Timestamp) {
        let contents = Arc::new(contents(store, row));
        let short = self.short;
        let story = self.stories.entry(row.id).or_insert_with(|| ErpOrder {
            id: row.id,
            name: store.get(M::Order, row, "name").str().to_owned(),
            key: None,
            created_at: row.created,
            created_by: by,
            touched_by_person: by == Hand::Person,
            deleted: None,
            contents: contents.clone(),
            looked: 0,
            history: Vec::new(),
        });
        story.key = store.key_of(M::Order, row.id);
        let same = story
            .history
            .last()
            .is_some_and(|last| last.contents == contents);
        if same {
            return;
        }
        story.touched_by_person |= by == Hand::Person;
        story.contents = contents.clone();
        if short {
            story.history.clear();
        }
        story.history.push(ErpVersion {
            at,
            by,
            looked: story.looked,
            contents,
        });
    }

    pub(super) fn order(&self, id: i64) -> Option<&ErpOrder> {
        self.stories.get(&id)
    }

    pub(super) fn orders(&self, deleted: bool) -> Vec<ErpOrder> {
        self.stories
            .values()
            .filter(|order| order.deleted.is_some() == deleted)
            .cloned()
            .collect()
    }
}

fn contents(store: &Store, row: &Row) -> ErpContents {
    let get = |name: &str| store.get(M::Order, row, name);
    let text = |name: &str| get(name).str().to_owned();
    let partner = |name: &str| get(name).id().unwrap_or_default();
    ErpContents {
        state: text("state"),
        client_order_ref: text("client_order_ref"),
        origin: text("origin"),
        note: text("note"),
        currency: store
            .follow(M::Currency, &get("currency_id"), "name")
            .str()
            .parse()
            .ok(),
        untaxed: get("amount_untaxed").number(),
        tax: get("amount_tax").number(),
        total: get("amount_total").number(),
        partner: partner("partner_id"),
        invoice_partner: partner("partner_invoice_id"),
        shipping_partner: partner("partner_shipping_id"),
        date_order: match get("date_order") {
            Value::Time(time) => Some(time),
            _ => None,
        },
        lines: get("order_line")
            .ids()
            .iter()
            .filter_map(|id| store.row(M::Line, *id))
            .map(|row| line(store, row))
            .collect(),
    }
}

fn line(store: &Store, row: &Row) -> ErpLine {
    let get = |name: &str| store.get(M::Line, row, name);
    ErpLine {
        id: row.id,
        key: store.key_of(M::Line, row.id),
        sku: store
            .follow(M::Product, &get("product_id"), "default_code")
            .str()
            .to_owned(),
        name: get("name").str().to_owned(),
        quantity: get("product_uom_qty").number(),
        price_unit: get("price_unit").number(),
        discount: get("discount").number(),
        subtotal: get("price_subtotal").number(),
        total: get("price_total").number(),
    }
}

/// Every contact.
pub(super) fn partners(store: &Store) -> Vec<ErpPartner> {
    let partner = |row: &Row| {
        let get = |name: &str| store.get(M::Partner, row, name);
        let text = |name: &str| get(name).str().to_owned();
        ErpPartner {
            id: row.id,
            parent: get("parent_id").id(),
            name: text("name"),
            email: text("email"),
            vat: text("vat"),
            is_company: get("is_company").truthy(),
            kind: text("type"),
            key: store.key_of(M::Partner, row.id),
            created_by_hub: row.creator == super::HUB,
        }
    };
    store.table(M::Partner).rows.values().map(partner).collect()
}
