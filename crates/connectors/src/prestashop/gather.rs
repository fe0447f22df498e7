//! The rows that belong to those of a page, asked for in bulk: a handful of calls a page instead of a handful an order.

use super::Shop;
use super::ask::{List, Mark, Row, grouped};
use super::order::{self, Parts, Reader};
use super::read::{Item, id_of, unreadable};
use super::tables::Tables;
use super::wire::{ADDRESS, COMBINATION, CUSTOMER, MESSAGE, PAYMENT};
use super::{party, product, refund};
use comptoir_kit::decode;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::money::Currency;
use comptoir_model::port::Record;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an order row refers to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Refers {
    #[serde(deserialize_with = "decode::text")]
    id: String,
    #[serde(deserialize_with = "decode::text")]
    reference: String,
    #[serde(deserialize_with = "decode::text")]
    id_customer: String,
    #[serde(deserialize_with = "decode::text")]
    id_address_invoice: String,
    #[serde(deserialize_with = "decode::text")]
    id_address_delivery: String,
    #[serde(deserialize_with = "decode::text")]
    id_currency: String,
    #[serde(deserialize_with = "decode::text")]
    current_state: String,
    #[serde(deserialize_with = "decode::text")]
    id_carrier: String,
}

impl Refers {
    /// Whether the tables have what the order names.
    fn is_known(&self, tables: &Tables) -> bool {
        let zero = |id: &str| matches!(id, "" | "0");
        tables.currencies.contains_key(&self.id_currency)
            && (zero(&self.current_state) || tables.states.contains_key(&self.current_state))
            && (zero(&self.id_carrier) || tables.carriers.contains_key(&self.id_carrier))
    }
}

/// Distinct values that can be asked for.
fn distinct<'a>(values: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let askable =
        |value: &&str| !matches!(*value, "" | "0") && !value.contains(['|', '[', ']', '%', ',']);
    let values: BTreeSet<&str> = values.map(String::as_str).filter(askable).collect();
    values.into_iter().collect()
}

/// All that hangs on the orders of a page.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) details: Vec<Row>,
    pub(super) rules: Vec<Row>,
    pub(super) slips: Vec<Row>,
    pub(super) messages: Vec<Row>,
    pub(super) payments: Vec<Row>,
    pub(super) siblings: Vec<Row>,
    pub(super) customers: Vec<Row>,
    pub(super) addresses: Vec<Row>,
}

impl Shop {
    async fn gather(&self, refers: &[Refers]) -> Result<Gathered, Fault> {
        let orders = distinct(refers.iter().map(|order| &order.id));
        let references = distinct(refers.iter().map(|order| &order.reference));
        let customers = distinct(refers.iter().map(|order| &order.id_customer));
        let addresses = distinct(
            refers
                .iter()
                .flat_map(|order| [&order.id_address_invoice, &order.id_address_delivery]),
        );
        let details = List::of("orders.details", "order_details", "full");
        let rules = List::of("orders.vouchers", "order_cart_rules", "full");
        let slips = List::of("orders.slips", "order_slip", "full");
        let messages = List::of("orders.messages", "messages", MESSAGE);
        let payments = List::of("orders.payments", "order_payments", PAYMENT);
        let siblings = "id,reference,total_paid_tax_incl";
        let siblings = List::of("orders.siblings", "orders", siblings);
        let of_customers = List::of("orders.customers", "customers", CUSTOMER);
        let of_addresses = List::of("orders.addresses", "addresses", ADDRESS);
        Ok(Gathered {
            details: self.rows_by(details, "id_order", &orders).await?,
            rules: self.rows_by(rules, "id_order", &orders).await?,
            slips: self.rows_by(slips, "id_order", &orders).await?,
            messages: self.rows_by(messages, "id_order", &orders).await?,
            payments: self
                .rows_by(payments, "order_reference", &references)
                .await?,
            siblings: self.rows_by(siblings, "reference", &references).await?,
            customers: self.rows_by(of_customers, "id", &customers).await?,
            addresses: self.rows_by(of_addresses, "id", &addresses).await?,
        })
    }

    /// Orders with all that belongs to them, in the order of the rows.
    pub(super) async fn orders(&self, rows: &[Row]) -> Result<Vec<Item>, Fault> {
        let refers = referred(rows);
        let tables = self.tables_for(|tables| refers.iter().all(|order| order.is_known(tables)));
        let tables = tables.await?;
        let gathered = self.gather(&refers).await?;
        let reader = Reader {
            settings: &self.settings,
            clock: &self.clock,
            tables: &tables,
        };
        Ok(assemble(rows, &gathered, reader))
    }

    /// The tables, read again when they do not have what they should.
    pub(super) async fn tables_for(
        &self,
        known: impl Fn(&Tables) -> bool,
    ) -> Result<Arc<Tables>, Fault> {
        let now = self.kit.clock.now();
        let tables = self.tables().await?;
        if known(&tables) {
            return Ok(tables);
        }
        self.tables_after(now).await
    }

    /// Customers with their addresses.
    pub(super) async fn customers(&self, rows: &[Row]) -> Result<Vec<Item>, Fault> {
        let marks: Vec<Mark> = marks(rows);
        let ids = distinct(marks.iter().map(|mark| &mark.id));
        let list = List::of("customers.addresses", "addresses", ADDRESS);
        let addresses = self.rows_by(list, "id_customer", &ids).await?;
        let addresses = grouped(&addresses, |mark| mark.id_customer.clone());
        let tables = self.tables().await?;
        let rows = rows.iter().zip(&marks);
        Ok(rows
            .map(|(row, mark)| {
                let own = addresses.get(&mark.id).map(Vec::as_slice);
                party::customer(row.get(), own.unwrap_or_default(), &tables)
                    .map_err(|fault| unreadable(row.get(), None, fault))
            })
            .collect())
    }

    /// Credit slips. They do not name their currency, so their orders are asked for it.
    pub(super) async fn refunds(&self, rows: &[Row]) -> Result<Vec<Item>, Fault> {
        let marks: Vec<Mark> = marks(rows);
        let ids = distinct(marks.iter().map(|mark| &mark.id_order));
        let list = List::of("slips.currencies", "orders", "id,id_currency");
        let orders = self.rows_by(list, "id", &ids).await?;
        let orders: Vec<Refers> = orders
            .iter()
            .filter_map(|row| decode::json(row.get().as_bytes()).ok())
            .collect();
        let tables = self.tables().await?;
        let currencies: BTreeMap<&str, Currency> = orders
            .iter()
            .filter_map(|order| Some((order.id.as_str(), tables.currency(&order.id_currency)?)))
            .collect();
        let rows = rows.iter().zip(&marks);
        Ok(rows
            .map(|(row, mark)| {
                let currency = currencies.get(mark.id_order.as_str()).copied();
                let missing = || Fault::bug("the order of this slip is not there").at("id_order");
                currency
                    .ok_or_else(missing)
                    .and_then(|currency| refund::record(row.get(), currency, &self.clock))
                    .map_err(|fault| unreadable(row.get(), None, fault))
            })
            .collect())
    }

    /// Products, each followed by its combinations.
    pub(super) async fn with_combinations(&self, products: Vec<Item>) -> Result<Vec<Item>, Fault> {
        let ids: Vec<String> = products
            .iter()
            .filter_map(id_of)
            .map(|id| id.to_string())
            .collect();
        let list = List::of("products.combinations", "combinations", COMBINATION).catalogue();
        let rows = self
            .rows_by(list, "id_product", &distinct(ids.iter()))
            .await?;
        let mut combinations = grouped(&rows, |mark| mark.id_product.clone());
        let mut items = Vec::with_capacity(products.len());
        for product in products {
            let own = id_of(&product).and_then(|id| combinations.remove(id.as_str()));
            let combined = match &product {
                Ok(parent) => combine(parent, own.unwrap_or_default()),
                Err(_) => Vec::new(),
            };
            items.push(product);
            items.extend(combined);
        }
        Ok(items)
    }
}

fn combine(parent: &Record, rows: Vec<&RawValue>) -> Vec<Item> {
    rows.into_iter()
        .map(|row| {
            product::combination(row.get(), parent).map_err(|fault| {
                let own = decode::json::<Mark>(row.get().as_bytes()).ok();
                let id = own.and_then(|mark| product::id_of(parent.id.as_str(), &mark.id));
                unreadable(row.get(), id, fault)
            })
        })
        .collect()
}

fn marks(rows: &[Row]) -> Vec<Mark> {
    rows.iter()
        .map(|row| decode::json(row.get().as_bytes()).unwrap_or_default())
        .collect()
}

fn referred(rows: &[Row]) -> Vec<Refers> {
    rows.iter()
        .map(|row| decode::json(row.get().as_bytes()).unwrap_or_default())
        .collect()
}

/// Orders from their rows and all that hangs on them.
pub(super) fn assemble(rows: &[Row], all: &Gathered, reader: Reader<'_>) -> Vec<Item> {
    let of_order = |mark: &Mark| mark.id_order.clone();
    let own = |mark: &Mark| mark.id.clone();
    let details = grouped(&all.details, of_order);
    let rules = grouped(&all.rules, of_order);
    let slips = grouped(&all.slips, of_order);
    let messages = grouped(&all.messages, of_order);
    let payments = grouped(&all.payments, |mark| mark.order_reference.clone());
    let siblings = grouped(&all.siblings, |mark| mark.reference.clone());
    let customers = grouped(&all.customers, own);
    let addresses = grouped(&all.addresses, own);
    let mut items = Vec::with_capacity(rows.len());
    for (row, refer) in rows.iter().zip(&referred(rows)) {
        let parts = Parts {
            order: row.get(),
            details: list(&details, &refer.id),
            rules: list(&rules, &refer.id),
            slips: list(&slips, &refer.id),
            messages: list(&messages, &refer.id),
            payments: list(&payments, &refer.reference),
            siblings: list(&siblings, &refer.reference),
            customer: first(&customers, &refer.id_customer),
            invoice: first(&addresses, &refer.id_address_invoice),
            delivery: first(&addresses, &refer.id_address_delivery),
        };
        items.push(
            order::record(&parts, reader).map_err(|fault| unreadable(row.get(), None, fault)),
        );
    }
    items
}

type Groups<'a> = BTreeMap<String, Vec<&'a RawValue>>;

fn list<'a>(groups: &Groups<'a>, key: &str) -> Vec<&'a RawValue> {
    groups.get(key).cloned().unwrap_or_default()
}

fn first<'a>(groups: &Groups<'a>, key: &str) -> Option<&'a RawValue> {
    groups.get(key)?.first().copied()
}

/// The kinds whose lists are read by their own time of change alone.
pub(super) fn is_plain(kind: Kind) -> bool {
    matches!(kind, Kind::Refund | Kind::Customer | Kind::Product)
}
