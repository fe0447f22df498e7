//! Shipments (`expedition`) of customers' orders.
//!
//! The stream brings those whose `tms` moved, and those of orders that are being shipped, were delivered or cancelled, and whose `tms`
//! moved: what a person does to an order changes whether its last shipment completes it.

use super::api::{Api, List};
use super::demand;
use super::filter;
use super::read::{self, Item};
use super::shipped;
use super::sweep::Sweep;
use super::wire::{Order, Raw, Shipment as Wire, Small};
use comptoir_kit::batch::number;
use comptoir_kit::decode;
use comptoir_kit::http::Priority;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use serde_json::value::RawValue;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

/// Orders per page of the stream beside the shipments.
const ORDERS: usize = 50;

/// What changed since a cursor.
pub(super) async fn changes(api: &Api, since: &Cursor, page: usize) -> Result<Page, Fault> {
    let mut sweep = Sweep::open(since)?;
    if sweep.begins() {
        let newest = demand::newest(api).await?;
        sweep.begin(api.clock.now(), demand::begin(api, newest));
    }
    let mut items = Vec::new();
    let mut more = true;
    if let Some(after) = sweep.after() {
        let rows = swept(api, &sweep, after, page).await?;
        for (row, item) in rows.iter().zip(items_of(api, &rows).await?) {
            let wire = decoded(row).unwrap_or_default();
            let id = read::brief(row).id;
            let version = match &item {
                Some(Ok(record)) => record.version.clone(),
                _ => Digest::of(row.get().as_bytes()).to_string(),
            };
            if sweep.take(id, &version, shipped::at(&wire))
                && let Some(item) = item
            {
                items.push(item);
            }
        }
        if rows.len() < page {
            sweep.through();
        }
    }
    if sweep.after().is_none() {
        let changed = demand::orders_since(api, sweep.orders(), ORDERS).await?;
        let there: BTreeSet<RemoteId> = items.iter().filter_map(id_of).collect();
        let in_shipping = |order: &&Order| matches!(order.state(), -1 | 2 | 3);
        for order in changed.orders.iter().filter(in_shipping) {
            let rows = of_order(api, order.id).await?;
            let of_order = items_of(api, &rows).await?.into_iter().flatten();
            items.extend(of_order.filter(|item| id_of(item).is_none_or(|id| !there.contains(&id))));
        }
        more = changed.more;
        sweep.took_orders(changed.next, changed.more, api.clock.now());
    }
    Ok(Page {
        items,
        gone: Vec::new(),
        next: sweep.cursor(),
        more,
    })
}

fn id_of(item: &Item) -> Option<RemoteId> {
    match item {
        Ok(record) => Some(record.id.clone()),
        Err(unreadable) => unreadable.id.clone(),
    }
}

/// The next page of shipments.
async fn swept(api: &Api, sweep: &Sweep, after: i64, page: usize) -> Result<Raw, Fault> {
    let mut filter = format!("(t.rowid:>:{after})");
    if let Some(since) = sweep.since(demand::overlap(&api.settings)) {
        filter = format!("{} and {filter}", filter::since(since, &api.zone()));
    }
    let list = List {
        filter: &filter,
        priority: Priority::Shipments,
        ..List::of("shipments.changes", "shipments", page)
    };
    api.list(list).await
}

/// All shipments of an order.
async fn of_order(api: &Api, order: i64) -> Result<Raw, Fault> {
    let path = format!("orders/{order}/shipment");
    match api
        .get_as("shipments.of_order", &path, &[], Priority::Shipments)
        .await
    {
        Ok(rows) => Ok(rows),
        Err(fault) if fault.next == Next::Gone => Ok(Raw::new()),
        Err(fault) => Err(fault),
    }
}

/// Shipments by id. What a list leaves out is asked for by itself; one without goods of an order is none.
pub(super) async fn by_ids(api: &Api, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
    let numbers: Vec<i64> = ids.iter().filter_map(number).collect();
    let mut rows = listed(api, "shipments", &numbers).await?;
    let there: BTreeSet<i64> = rows.iter().map(|row| read::brief(row).id).collect();
    let mut found: HashMap<RemoteId, Seen> = HashMap::new();
    for number in numbers.iter().filter(|number| !there.contains(number)) {
        match one(api, "shipments", *number).await? {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => {}
            Err(unreadable) => {
                let id = RemoteId(number.to_string());
                found.insert(id, Seen::Unreadable(Box::new(unreadable)));
            }
        }
    }
    for item in items_of(api, &rows).await?.into_iter().flatten() {
        if let Some(id) = id_of(&item) {
            found.insert(id, read::seen(item));
        }
    }
    let mut answered = BTreeSet::new();
    Ok(ids
        .iter()
        .filter(|id| answered.insert((*id).clone()))
        .map(|id| found.remove(id).unwrap_or_else(|| Seen::Gone(id.clone())))
        .collect())
}

async fn listed(api: &Api, path: &str, numbers: &[i64]) -> Result<Raw, Fault> {
    if numbers.is_empty() {
        return Ok(Raw::new());
    }
    let filter = filter::ids(numbers);
    let list = List {
        filter: &filter,
        priority: Priority::Shipments,
        ..List::of("shipments.read", path, numbers.len())
    };
    api.list(list).await
}

/// One record: none when it is gone, or why it cannot be seen.
async fn one(
    api: &Api,
    path: &str,
    id: i64,
) -> Result<Result<Option<Box<RawValue>>, Unreadable>, Fault> {
    let address = format!("{path}/{id}");
    match api
        .get_as("shipments.read", &address, &[], Priority::Shipments)
        .await
    {
        Ok(row) => Ok(Ok(Some(row))),
        Err(fault) if fault.next == Next::Gone => Ok(Ok(None)),
        Err(fault) if fault.next == Next::Refused => Ok(Err(Unreadable {
            id: Some(RemoteId(id.to_string())),
            fault,
            raw: String::new(),
        })),
        Err(fault) => Err(fault),
    }
}

fn decoded(row: &RawValue) -> Result<Wire, Fault> {
    decode::json(row.get().as_bytes())
}

/// An order of a shipment: as it is, or why it cannot be read; none when it is gone.
type Orders = HashMap<i64, Result<Order, Fault>>;

/// Rows as items, in their order; none for a shipment without goods of an order.
async fn items_of(api: &Api, rows: &Raw) -> Result<Vec<Option<Item>>, Fault> {
    let wires: Vec<Result<Wire, Fault>> = rows.iter().map(|row| decoded(row)).collect();
    let orders = orders(api, &wires).await?;
    let mut of_orders: HashMap<i64, Vec<Wire>> = HashMap::new();
    let mut items = Vec::with_capacity(rows.len());
    for (wire, row) in wires.into_iter().zip(rows) {
        let record = match wire {
            Ok(wire) => record(api, &orders, &mut of_orders, &wire, row).await?,
            Err(fault) => Err(fault),
        };
        items.push(match record {
            Ok(record) => record.map(Ok),
            Err(fault) => Some(Err(Unreadable {
                id: Some(read::brief(row).id)
                    .filter(|id| *id > 0)
                    .map(|id| RemoteId(id.to_string())),
                fault: Fault {
                    code: Code::Unreadable,
                    ..fault
                },
                raw: row.get().to_owned(),
            })),
        });
    }
    Ok(items)
}

/// A shipment as a record: none without goods of an order. The outer fault ends the reading, the inner one is of this shipment.
async fn record(
    api: &Api,
    orders: &Orders,
    of_orders: &mut HashMap<i64, Vec<Wire>>,
    wire: &Wire,
    row: &RawValue,
) -> Result<Result<Option<Record>, Fault>, Fault> {
    let order = match wire.order().and_then(|order| orders.get(&order)) {
        Some(Ok(order)) => order,
        Some(Err(fault)) => return Ok(Err(fault.clone())),
        None => return Ok(Ok(None)),
    };
    // Most orders leave in one shipment: only the others are looked at together.
    let alone = shipped::covers(order, [wire]) && wire.state() != -1;
    let completes = if alone {
        true
    } else {
        let all = match of_orders.entry(order.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let rows = self::of_order(api, order.id).await?;
                let decoded = rows.iter().filter_map(|row| decoded(row).ok());
                place.insert(decoded.collect())
            }
        };
        shipped::completes(order, wire, all)
    };
    let carrier = carrier(api, wire).await?;
    let Some(shipment) = shipped::document(order, wire, completes, &carrier) else {
        return Ok(Ok(None));
    };
    let document = Document::Shipment(shipment);
    let version = Digest::of(&document.to_json()).to_string();
    Ok(Ok(Some(Record {
        id: RemoteId(wire.id.to_string()),
        version: version[..16].to_owned(),
        document,
        raw: Some(row.get().to_owned()),
    })))
}

/// The orders of shipments.
async fn orders(api: &Api, wires: &[Result<Wire, Fault>]) -> Result<Orders, Fault> {
    let wanted: BTreeSet<i64> = wires.iter().flatten().filter_map(Wire::order).collect();
    let wanted: Vec<i64> = wanted.into_iter().collect();
    let mut rows = listed(api, "orders", &wanted).await?;
    let there: BTreeSet<i64> = rows.iter().map(|row| read::brief(row).id).collect();
    let mut orders = Orders::new();
    for id in wanted.iter().filter(|id| !there.contains(id)) {
        match one(api, "orders", *id).await? {
            Ok(Some(row)) => rows.push(row),
            Ok(None) => {}
            Err(unreadable) => {
                orders.insert(*id, Err(unreadable.fault));
            }
        }
    }
    for row in &rows {
        orders.insert(read::brief(row).id, decode::json(row.get().as_bytes()));
    }
    Ok(orders)
}

/// The carrier's name. Some versions tell the id alone.
async fn carrier(api: &Api, wire: &Wire) -> Result<String, Fault> {
    let id = wire.shipping_method_id.trim();
    if !wire.shipping_method.trim().is_empty() || matches!(id, "" | "0") {
        return Ok(wire.shipping_method.clone());
    }
    let known = api.learnt().carriers.clone();
    let names = match known {
        Some(names) => names,
        None => {
            let path = "setup/dictionary/shipping_methods";
            let rows: Vec<Small> = api
                .get_as("carriers", path, &[("limit", "300")], Priority::Shipments)
                .await?;
            let name = |row: Small| {
                let name = if row.label.is_empty() {
                    row.code
                } else {
                    row.label
                };
                (row.id, name)
            };
            let names: HashMap<String, String> = rows.into_iter().map(name).collect();
            api.learnt().carriers = Some(names.clone());
            names
        }
    };
    Ok(names.get(id).cloned().unwrap_or_default())
}
