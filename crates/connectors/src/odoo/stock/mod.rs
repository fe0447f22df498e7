//! Stock: what can still be promised of each product, by warehouse.
//!
//! Odoo works the quantities out for the warehouse that the context names: one call for each warehouse and any number of products, with
//! no right beyond those of sales (measured on 19.0: 26 ms for 100 products). The context says `warehouse_id` from 18 on and `warehouse`
//! before; both are sent, and the other one is passed over.
//!
//! `free_qty` knows reservations only. What is confirmed and not reserved yet (no stock, or reserved by hand as on 16) is in
//! `outgoing_qty`; what was picked out of a reservation is free again in it. So what can be promised is the smaller of `free_qty` and on
//! hand − outgoing.

mod kit;
mod stream;

pub(super) use stream::changes;

use super::fault;
use super::rpc::Ask;
use super::session::{Session, present};
use super::wire::{Goods, Link};
use comptoir_kit::batch::number;
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Record, Seen};
use comptoir_model::product::Component;
use comptoir_model::stock::{Level, Stock};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Decimals kept of a quantity: beyond them there is only the noise of floats.
const DECIMALS: u32 = 8;
/// Products per call: what is read of each is worked out when asked.
const AT_ONCE: usize = 500;

/// Fields of `product.product` that say what it is.
const PRODUCT: &[&str] = &[
    "default_code",
    "type",
    "is_storable",
    "product_tmpl_id",
    "uom_id",
];
/// And how much there is of it.
const LEVELS: [&str; 4] = ["qty_available", "free_qty", "outgoing_qty", "incoming_qty"];

/// Stock by the ids of products. An archived product is gone.
pub(super) async fn by_ids(session: &Session, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
    let numbers: BTreeSet<i64> = ids.iter().filter_map(number).collect();
    let numbers: Vec<i64> = numbers.into_iter().collect();
    let mut found: HashMap<RemoteId, Record> = of_products(session, &numbers)
        .await?
        .into_iter()
        .map(|record| (record.id.clone(), record))
        .collect();
    let mut answered = BTreeSet::new();
    let seen = |id: &RemoteId| match found.remove(id) {
        Some(record) => Seen::Record(Box::new(record)),
        None => Seen::Gone(id.clone()),
    };
    Ok(ids
        .iter()
        .filter(|id| answered.insert((*id).clone()))
        .map(seen)
        .collect())
}

/// Stock of the products that are there and not archived.
async fn of_products(session: &Session, ids: &[i64]) -> Result<Vec<Record>, Fault> {
    let mut records = Vec::with_capacity(ids.len());
    for part in ids.chunks(AT_ONCE) {
        let domain = json!([["id", "in", part]]);
        records.extend(selection(session, domain, None).await?);
    }
    Ok(records)
}

/// Stock of the products after one, by id.
async fn after(session: &Session, id: i64, limit: u32) -> Result<Vec<Record>, Fault> {
    selection(session, json!([["id", ">", id]]), Some(limit)).await
}

/// Stock of the products that fit: one call for each warehouse, and those about kits beside the others.
async fn selection(
    session: &Session,
    domain: Value,
    limit: Option<u32>,
) -> Result<Vec<Record>, Fault> {
    let warehouses = session.warehouses().await?;
    let first = warehouses.first().copied();
    let products = rows(session, domain, limit, first).await?;
    if products.is_empty() {
        return Ok(Vec::new());
    }
    let (kits, levels) = tokio::try_join!(
        kit::explode(session, &products),
        levels(session, &products, &warehouses)
    )?;
    let record = |product: &Goods| record(product, &kits, &levels);
    Ok(products.iter().map(record).collect())
}

/// Rows of products as they are in one warehouse.
async fn rows(
    session: &Session,
    domain: Value,
    limit: Option<u32>,
    warehouse: Option<i64>,
) -> Result<Vec<Goods>, Fault> {
    let known = &session.known.product;
    let mut fields = present(known, PRODUCT);
    fields.extend(present(known, &LEVELS));
    if warehouse.is_some() && !known.contains_key("free_qty") {
        let why = "Odoo shows no quantities of products; is the app Inventory installed?";
        return Err(Fault::locked(Code::UnsupportedVersion, why));
    }
    let mut ask = Ask::search("stock", "product.product", domain, &fields)
        .option("order", json!("id"))
        .priority(Priority::Stock);
    if let Some(limit) = limit {
        ask = ask.option("limit", json!(limit));
    }
    if let Some(id) = warehouse {
        // 16 and 17 go by the one, 18 and 19 by the other.
        ask = ask
            .context("warehouse", json!(id))
            .context("warehouse_id", json!(id));
    }
    session.rpc.call(ask).await.map_err(fault::of_everything)
}

/// The levels of each product that is counted, by warehouse. The rows are of the first warehouse already.
async fn levels(
    session: &Session,
    products: &[Goods],
    warehouses: &[i64],
) -> Result<HashMap<i64, Vec<Level>>, Fault> {
    let counted: Vec<i64> = counted(products).map(|product| product.id).collect();
    let mut levels: HashMap<i64, Vec<Level>> = HashMap::new();
    for (at, warehouse) in warehouses.iter().enumerate() {
        let other;
        let rows = if at == 0 {
            products
        } else if counted.is_empty() {
            break;
        } else {
            let domain = json!([["id", "in", counted]]);
            other = rows(session, domain, None, Some(*warehouse)).await?;
            &other
        };
        for row in self::counted(rows) {
            levels
                .entry(row.id)
                .or_default()
                .push(level(row, *warehouse));
        }
    }
    Ok(levels)
}

fn counted(products: &[Goods]) -> impl Iterator<Item = &Goods> {
    products.iter().filter(|product| product.is_counted())
}

fn exact(quantity: Decimal) -> Decimal {
    quantity.round_dp(DECIMALS).normalize()
}

/// What is of a product in one warehouse.
pub(super) fn level(row: &Goods, warehouse: i64) -> Level {
    let available = row.free_qty.min(row.qty_available - row.outgoing_qty);
    Level {
        location: Some(RemoteId(warehouse.to_string())),
        on_hand: Some(exact(row.qty_available)),
        available: Some(exact(available)),
        incoming: Some(exact(row.incoming_qty)),
    }
}

/// The stock of one product as a record. A kit has no levels of its own, whatever Odoo works out for it.
fn record(
    product: &Goods,
    kits: &HashMap<i64, Vec<Component>>,
    levels: &HashMap<i64, Vec<Level>>,
) -> Record {
    let kit = kits.get(&product.id);
    let mut stock = Stock {
        sku: product.default_code.trim().to_owned(),
        managed: product.is_counted(),
        ..Stock::default()
    };
    match kit {
        Some(components) => {
            stock.managed = !components.is_empty();
            stock.components.clone_from(components);
        }
        None => stock.levels = levels.get(&product.id).cloned().unwrap_or_default(),
    }
    let document = Document::Stock(stock);
    let digest = Digest::of(&document.to_json()).to_string();
    Record {
        id: RemoteId(product.id.to_string()),
        version: digest[..16].to_owned(),
        document,
        raw: None,
    }
}

/// The id of a link; 0 where there is none.
fn target(link: &Option<Link>) -> i64 {
    link.as_ref().map_or(0, |link| link.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// INV-11 of the inventory vectors: of 10 on hand 3 are reserved, 1 is expired, 4 are to go out and 5 to come in.
    #[test]
    fn what_can_be_promised_is_the_smaller_of_what_is_free_and_what_is_left_of_the_demand() {
        let row = |free: i64, outgoing: i64| Goods {
            qty_available: Decimal::from(10),
            free_qty: Decimal::from(free),
            outgoing_qty: Decimal::from(outgoing),
            incoming_qty: Decimal::from(5),
            ..Goods::default()
        };
        let available = |free, outgoing| level(&row(free, outgoing), 1).available;
        // Odoo's own answer to it is a `free_qty` of 6.
        assert_eq!(available(6, 4), Some(Decimal::from(6)));
        // Demand that nothing is reserved for.
        assert_eq!(available(10, 4), Some(Decimal::from(6)));
        assert_eq!(available(0, 12), Some(Decimal::from(-2)));
        let level = level(&row(6, 4), 3);
        assert_eq!(level.location, Some("3".into()));
        assert_eq!(level.on_hand, Some(Decimal::from(10)));
        assert_eq!(level.incoming, Some(Decimal::from(5)));
    }

    #[test]
    fn the_noise_of_floats_goes() {
        let noisy: Decimal = "0.7000000000000002".parse().unwrap();
        assert_eq!(exact(noisy).to_string(), "0.7");
    }
}
