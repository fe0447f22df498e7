//! Shipments: the outgoing transfers (`stock.picking`) of sales orders.
//!
//! What a transfer says depends on the others of its order: whether anything is left to ship, and how many whole kits have left so far.
//! So the transfers of an order are read together. Where goods are picked and packed before they leave, only what leaves is a shipment;
//! but 19 makes the transfer that leaves only when the one before it is done, so the inner ones say whether something is left.

mod goods;
mod parcel;

use super::fault;
use super::rpc::Ask;
use super::session::{Session, present};
use super::wire::{Link, Picking, PickingType};
use comptoir_kit::batch::number;
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::time;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Cursor, Page, Record, Seen};
use comptoir_model::shipment::{Shipment, ShipmentState, ShippedLine};
use goods::Shipped;
use jiff::Timestamp;
#[cfg(test)]
pub(super) use parcel::parcels;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Fields of `stock.picking` that are read when the instance has them.
const PICKING: &[&str] = &[
    "name",
    "state",
    "sale_id",
    "picking_type_id",
    "picking_type_code",
    "date_done",
    "carrier_id",
    "carrier_tracking_ref",
    "carrier_tracking_url",
    "write_date",
];
/// Orders whose transfers are read in one call.
const AT_ONCE: usize = 100;

/// Shipments by the ids of transfers. What is no shipment of an order is gone.
pub(super) async fn by_ids(session: &Session, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
    let numbers: BTreeSet<i64> = ids.iter().filter_map(number).collect();
    let wanted = if numbers.is_empty() {
        Vec::new()
    } else {
        pickings(session, vec![json!(["id", "in", numbers])], |ask| ask).await?
    };
    let ids_of = wanted.iter().map(|picking| picking.id).collect();
    let records = records(session, &sales(&wanted), &ids_of).await?;
    let mut found: HashMap<RemoteId, Record> = records
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

/// What changed since a cursor. Quantities that are picked do not move a transfer's `write_date`; that it is done, called off or gets a
/// tracking number does (measured on 19.0).
pub(super) async fn changes(
    session: &Session,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    let cursor = TimestampCursor::open(since, overlap, now)?;
    let from = cursor
        .from()
        .map(|from| json!(["write_date", ">=", time::spaced(from)]));
    let rows = pickings(session, from.into_iter().collect(), |ask| {
        ask.option("limit", json!(page))
            .option("offset", json!(cursor.offset()))
    })
    .await?;
    let stamps: Vec<Stamp> = rows.iter().map(stamp).collect();
    let taken = cursor.take(&stamps, rows.len() >= page as usize);
    let fresh = rows
        .into_iter()
        .zip(&taken.fresh)
        .filter(|(_, fresh)| **fresh);
    let fresh: Vec<Picking> = fresh.map(|(picking, _)| picking).collect();
    let ids = fresh.iter().map(|picking| picking.id).collect();
    let items = records(session, &sales(&fresh), &ids).await?;
    Ok(Page {
        items: items.into_iter().map(Ok).collect(),
        gone: Vec::new(),
        next: taken.next,
        more: taken.more,
    })
}

/// What is remembered of a transfer. A second holds several changes of one, so what it says is part of its version.
fn stamp(picking: &Picking) -> Stamp {
    let says = format!(
        "{}/{}/{}/{}",
        picking.write_date, picking.state, picking.carrier_tracking_ref, picking.date_done
    );
    Stamp {
        id: picking.id.to_string(),
        version: Digest::of(says.as_bytes()).to_string()[..8].to_owned(),
        at: time::utc(&picking.write_date).ok(),
    }
}

/// Transfers of sales orders that fit, inner ones too and returns not, oldest change first.
async fn pickings(
    session: &Session,
    mut domain: Vec<Value>,
    more: impl FnOnce(Ask) -> Ask,
) -> Result<Vec<Picking>, Fault> {
    let known = session.fields_of("stock.picking").await?;
    if !known.contains_key("sale_id") {
        let why = "Odoo's transfers name no sales orders; install the apps Inventory and Sales together, or switch the flows of shipments off";
        return Err(Fault::locked(Code::UnsupportedVersion, why));
    }
    domain.push(json!(["sale_id", "!=", false]));
    domain.push(json!(["picking_type_id.code", "!=", "incoming"]));
    let fields = present(&known, PICKING);
    let ask = Ask::search("shipments", "stock.picking", json!(domain), &fields)
        .option("order", json!("write_date,id"))
        .priority(Priority::Shipments);
    session
        .rpc
        .call(more(ask))
        .await
        .map_err(fault::of_everything)
}

fn sales(pickings: &[Picking]) -> BTreeSet<i64> {
    pickings
        .iter()
        .map(Picking::sale)
        .filter(|id| *id > 0)
        .collect()
}

/// The shipments among these transfers, and for an inner transfer the last shipment of its order: whether that completes the order may
/// have changed.
async fn records(
    session: &Session,
    sales: &BTreeSet<i64>,
    ids: &BTreeSet<i64>,
) -> Result<Vec<Record>, Fault> {
    let mut records = Vec::new();
    let sales: Vec<i64> = sales.iter().copied().collect();
    for part in sales.chunks(AT_ONCE) {
        let all = pickings(session, vec![json!(["sale_id", "in", part])], |ask| ask).await?;
        let (shipped, places) =
            tokio::try_join!(goods::shipped(session, &all), places(session, &all))?;
        let mut by_sale: BTreeMap<i64, Vec<&Picking>> = BTreeMap::new();
        for picking in &all {
            by_sale.entry(picking.sale()).or_default().push(picking);
        }
        let of_part = by_sale.values().flat_map(|of_sale| {
            let wanted = wanted(of_sale, ids);
            wanted.into_iter().map(move |picking| (picking, of_sale))
        });
        // One without goods of the order is none.
        let of_part = of_part.filter(|(picking, _)| shipped.holds_goods(picking.id));
        records
            .extend(of_part.map(|(picking, of_sale)| record(picking, of_sale, &shipped, &places)));
    }
    Ok(records)
}

fn wanted<'a>(of_sale: &[&'a Picking], ids: &BTreeSet<i64>) -> Vec<&'a Picking> {
    let inner = of_sale
        .iter()
        .any(|other| !other.leaves() && ids.contains(&other.id));
    let last = last(of_sale).filter(|_| inner);
    let own = |picking: &&&Picking| {
        picking.leaves() && (ids.contains(&picking.id) || last == Some(picking.id))
    };
    of_sale.iter().filter(own).copied().collect()
}

/// The warehouse that each type of transfer is of.
async fn places(session: &Session, pickings: &[Picking]) -> Result<HashMap<i64, i64>, Fault> {
    let kinds: BTreeSet<i64> = pickings.iter().filter_map(Picking::sort).collect();
    if kinds.is_empty() {
        return Ok(HashMap::new());
    }
    let kinds: Vec<i64> = kinds.into_iter().collect();
    let ask = Ask::read("shipments", "stock.picking.type", "read")
        .ids(&kinds)
        .arg("fields", json!(["warehouse_id"]))
        .priority(Priority::Shipments);
    let rows: Vec<PickingType> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    let place = |row: PickingType| Some((row.id, row.warehouse_id?.0));
    Ok(rows.into_iter().filter_map(place).collect())
}

/// The transfer that left or was called off last.
fn last(of_sale: &[&Picking]) -> Option<i64> {
    let ended = of_sale
        .iter()
        .filter(|picking| picking.leaves() && !picking.is_open());
    let when = |picking: &&&Picking| (picking.ended().to_owned(), picking.id);
    ended.max_by_key(when).map(|picking| picking.id)
}

/// Whether nothing of the order is left once this has left. Of those that have ended only the last one says so, and none of an order of
/// which nothing left at all.
fn completes(picking: &Picking, of_sale: &[&Picking]) -> bool {
    let others = of_sale.iter().filter(|other| other.id != picking.id);
    if others.clone().any(|other| other.is_open()) {
        return false;
    }
    let left = |other: &&Picking| other.leaves() && other.is_done();
    picking.is_open() || (last(of_sale) == Some(picking.id) && of_sale.iter().any(left))
}

fn record(
    picking: &Picking,
    of_sale: &[&Picking],
    shipped: &Shipped,
    places: &HashMap<i64, i64>,
) -> Record {
    let state = match picking.state.as_str() {
        "done" => ShipmentState::Shipped,
        "cancel" => ShipmentState::Cancelled,
        _ => ShipmentState::Open,
    };
    let place = picking.sort().and_then(|kind| places.get(&kind));
    let shipped_at = time::utc(&picking.date_done).ok();
    let lines: Vec<ShippedLine> = shipped.lines(picking.id);
    let document = Document::Shipment(Shipment {
        order: RemoteId(picking.sale().to_string()),
        number: picking.name.clone(),
        key: None,
        state,
        location: place.map(|id| RemoteId(id.to_string())),
        lines,
        parcels: parcel::parcels(picking),
        shipped_at: shipped_at.filter(|_| state == ShipmentState::Shipped),
        completes: completes(picking, of_sale),
        notify: false,
    });
    let digest = Digest::of(&document.to_json()).to_string();
    Record {
        id: RemoteId(picking.id.to_string()),
        version: digest[..16].to_owned(),
        document,
        raw: None,
    }
}

impl Picking {
    /// Its sales order; 0 where there is none.
    fn sale(&self) -> i64 {
        self.sale_id.as_ref().map_or(0, |Link(id, _)| *id)
    }

    fn sort(&self) -> Option<i64> {
        self.picking_type_id.as_ref().map(|Link(id, _)| *id)
    }

    /// Whether its goods go to the buyer: from a warehouse, or from a supplier (`dropship`, from 17 on).
    fn leaves(&self) -> bool {
        matches!(self.picking_type_code.as_str(), "outgoing" | "dropship")
    }

    fn is_done(&self) -> bool {
        self.state == "done"
    }

    fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "done" | "cancel")
    }

    /// When it ended; what was called off has no date of its own. Times of one form compare as texts.
    fn ended(&self) -> &str {
        if self.date_done.is_empty() {
            &self.write_date
        } else {
            &self.date_done
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picking(id: i64, code: &str, state: &str, time: &str) -> Picking {
        let time = format!("2026-11-25 {time}");
        Picking {
            id,
            picking_type_code: code.to_owned(),
            state: state.to_owned(),
            date_done: if state == "done" {
                time.clone()
            } else {
                String::new()
            },
            write_date: time,
            ..Picking::default()
        }
    }

    fn told(all: &[Picking]) -> Vec<bool> {
        let all: Vec<&Picking> = all.iter().collect();
        let leaving = all.iter().filter(|picking| picking.leaves());
        leaving.map(|picking| completes(picking, &all)).collect()
    }

    #[test]
    fn only_the_last_of_an_order_completes_it() {
        let out = |id, state, time| picking(id, "outgoing", state, time);
        assert_eq!(told(&[out(1, "assigned", "07:00:00")]), [true]);
        assert_eq!(told(&[out(1, "done", "07:00:00")]), [true]);
        let backorder = [out(1, "done", "07:00:00"), out(2, "confirmed", "07:00:00")];
        assert_eq!(told(&backorder), [false, true]);
        let called_off = [out(1, "done", "07:00:00"), out(2, "cancel", "07:05:00")];
        assert_eq!(told(&called_off), [false, true]);
        // Of two warehouses, whichever was later.
        let two = [out(1, "done", "07:09:00"), out(2, "done", "07:05:00")];
        assert_eq!(told(&two), [true, false]);
        // An order that was called off as a whole is not complete.
        assert_eq!(told(&[out(1, "cancel", "07:00:00")]), [false]);
    }

    #[test]
    fn what_is_still_picked_or_packed_is_left_to_ship() {
        let inner = |state| picking(1, "internal", state, "07:05:00");
        let out = picking(2, "outgoing", "done", "07:00:00");
        assert_eq!(told(&[inner("assigned"), out.clone()]), [false]);
        assert_eq!(told(&[inner("cancel"), out.clone()]), [true]);
        // The end of an inner one brings the last shipment again.
        let all = [inner("cancel"), out];
        let all: Vec<&Picking> = all.iter().collect();
        let again = wanted(&all, &BTreeSet::from([1]));
        assert_eq!(again.iter().map(|p| p.id).collect::<Vec<_>>(), [2]);
    }
}
