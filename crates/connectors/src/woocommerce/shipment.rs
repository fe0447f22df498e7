//! Shipments into orders: a mark in the order's meta data, tracking numbers in a plug-in's fields, the status, and the buyer told once.
//!
//! Order of calls, so that a crash anywhere is gone on from without telling a buyer twice:
//! 1. read the order: what is there already is not done again;
//! 2. look for the note to the buyer, by the shipment's number and its tracking numbers, and add it when it is not there;
//! 3. mark, tracking numbers and status in one call: the mark says that the buyer was told.
//!
//! After a crash between 2 and 3 the note is found. Where the shop's own mail tells the buyer, it leaves with the change of status in 3,
//! which is in the shop together with the mark or not at all.

use super::batch::Update;
use super::note::{mentions, plain};
use super::settings::{Settings, Tracking};
use super::wire::{DispatchWire, NoteWire};
use super::write::{route, status_fault};
use super::{Shop, mark, path, tracking};
use comptoir_kit::batch::with_seen;
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Priority, encode};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Step, Write, Written};
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of an order.
const FIELDS: &str = "id,status,date_modified_gmt,meta_data";

/// What is to be done in one order.
#[derive(Debug)]
struct Plan {
    order: RemoteId,
    /// The shipment whose note the buyer has to get, unless it is there.
    tell: Option<Shipment>,
    status: Option<String>,
    /// None when all is there.
    item: Option<Map<String, Value>>,
}

impl Shop {
    /// Writes shipments. Several of one order follow each other, each on what the one before left.
    pub(super) async fn write_shipments(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let bug = || Err(Fault::bug("this shipment was not written"));
        let mut results: Vec<Result<RemoteId, Fault>> = batch.iter().map(|_| bug()).collect();
        let mut waiting: Vec<usize> = (0..batch.len()).collect();
        while !waiting.is_empty() {
            let mut met = BTreeSet::new();
            let (round, rest): (Vec<usize>, Vec<usize>) = waiting
                .into_iter()
                .partition(|place| met.insert(batch[*place].target.clone()));
            waiting = rest;
            let writes: Vec<&Write> = round.iter().map(|place| &batch[*place]).collect();
            for (place, result) in round.into_iter().zip(self.ship(&writes).await) {
                results[place] = result;
            }
        }
        let done: BTreeSet<RemoteId> = results.iter().flatten().cloned().collect();
        let done = Vec::from_iter(done);
        // When that cannot be read, the shipments are there all the same.
        let seen = match done.is_empty() {
            true => Vec::new(),
            false => self
                .read_by_id(Kind::Order, &done)
                .await
                .unwrap_or_default(),
        };
        with_seen(results, seen)
    }

    /// One shipment of each order.
    async fn ship(&self, writes: &[&Write]) -> Vec<Result<RemoteId, Fault>> {
        let orders: Vec<&RemoteId> = writes
            .iter()
            .filter_map(|write| write.target.as_ref())
            .collect();
        let held = match self.dispatches(&orders).await {
            Ok(held) => held,
            Err(fault) => return writes.iter().map(|_| Err(fault.clone())).collect(),
        };
        let now = self.kit.clock.now();
        let plan = |write: &&Write| plan(write, &held, &self.settings, now);
        let mut plans: Vec<Result<Plan, Fault>> = writes.iter().map(plan).collect();
        self.refuse_unknown_status(&mut plans).await;
        for result in &mut plans {
            if let Ok(plan) = result
                && let Some(shipment) = &plan.tell
                && let Err(fault) = self.tell(&plan.order, shipment).await
            {
                *result = Err(fault);
            }
        }
        let places = plans.iter().enumerate();
        let (places, updates): (Vec<usize>, Vec<Update>) = places
            .filter_map(|(place, plan)| {
                let plan = plan.as_ref().ok()?;
                let item = Value::Object(plan.item.clone()?);
                Some((place, (plan.order.clone(), item)))
            })
            .unzip();
        let outcomes = self.send_updates(&route(Step::Create), &updates).await;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if let Err(fault) = outcome {
                plans[place] = Err(fault);
            }
        }
        let orders = plans.into_iter().map(|plan| plan.map(|plan| plan.order));
        orders.collect()
    }

    /// A status that the shop does not have is refused before anybody is told anything.
    async fn refuse_unknown_status(&self, plans: &mut [Result<Plan, Fault>]) {
        let words: BTreeSet<String> = plans
            .iter()
            .flatten()
            .filter_map(|plan| plan.status.clone())
            .collect();
        let unknown = self.unknown_statuses(&Vec::from_iter(words)).await;
        for plan in plans {
            let status = plan.as_ref().ok().and_then(|plan| plan.status.as_deref());
            if let Some(fault) = status.and_then(|status| status_fault(&unknown, status)) {
                *plan = Err(fault);
            }
        }
    }

    /// The orders as they are now, the trash too.
    async fn dispatches(
        &self,
        ids: &[&RemoteId],
    ) -> Result<BTreeMap<RemoteId, Result<DispatchWire, Fault>>, Fault> {
        let mut found = BTreeMap::new();
        let numbers: Vec<&str> = ids
            .iter()
            .filter(|id| super::read::is_number(id))
            .map(|id| id.as_str())
            .collect();
        if numbers.is_empty() {
            return Ok(found);
        }
        let call = Call::get("shipments.orders", path("orders"))
            .query("include", numbers.join(","))
            .query("per_page", numbers.len());
        for json in super::read::items_of(&self.ask(cut(call)).await?)? {
            add(&mut found, json);
        }
        for number in numbers {
            if found.contains_key(&RemoteId::from(number)) {
                continue;
            }
            let call = Call::get("shipments.order", path(format!("orders/{number}")));
            match self.ask(cut(call)).await {
                Ok(answer) => add(&mut found, answer.json()?),
                Err(fault) if fault.next == Next::Gone => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// Tells the buyer, unless a note to the buyer names this shipment already.
    async fn tell(&self, order: &RemoteId, shipment: &Shipment) -> Result<(), Fault> {
        let resource = format!("orders/{}/notes", encode(order.as_str()));
        let call = Call::get("shipments.notes", path(&resource))
            .query("type", "customer")
            .query("_fields", "note,customer_note")
            .priority(Priority::Shipments);
        let notes: Vec<NoteWire> = self.ask(call).await?.json()?;
        if notes.iter().any(|note| is_about(note, shipment)) {
            return Ok(());
        }
        let text = note(&self.settings.shipment_note, shipment);
        let call = Call::post("shipments.tell", path(&resource))
            .json(&json!({ "note": text, "customer_note": true }))?
            .priority(Priority::Shipments);
        self.ask(call).await.map(drop)
    }
}

fn cut(call: Call) -> Call {
    call.query("_fields", FIELDS).priority(Priority::Shipments)
}

fn add(found: &mut BTreeMap<RemoteId, Result<DispatchWire, Fault>>, json: &RawValue) {
    match decode::json::<DispatchWire>(json.get().as_bytes()) {
        Ok(order) => {
            found.insert(order.id.clone(), Ok(order));
        }
        Err(fault) => {
            if let Some(id) = super::read::unreadable(json.get(), fault.clone()).id {
                found.insert(id, Err(fault));
            }
        }
    }
}

/// What is to be done, and nothing that is there already.
fn plan(
    write: &Write,
    held: &BTreeMap<RemoteId, Result<DispatchWire, Fault>>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Plan, Fault> {
    let (Kind::Shipment, Step::Create) = (write.kind, write.step) else {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    };
    let (Some(id), Some(asked)) = (&write.target, write.document.as_shipment()) else {
        return Err(Fault::bug("a shipment needs the order's id and a shipment"));
    };
    let order = match held.get(id) {
        Some(order) => order.as_ref().map_err(Clone::clone)?,
        None => {
            let why = "the shop does not have this order any more";
            return Err(Fault::gone(Code::RecordGone, why));
        }
    };
    let mut marks = mark::read(&order.meta_data, id)?;
    let before = marks
        .iter()
        .find(|known| known.key.as_ref() == Some(&write.key));
    let before = before.cloned();
    let was_told = before.as_ref().is_some_and(|before| before.notify);
    let shipment = Shipment {
        order: id.clone(),
        key: Some(write.key.clone()),
        notify: asked.notify || was_told,
        ..asked.clone()
    };
    let mut plan = Plan {
        order: id.clone(),
        tell: None,
        status: None,
        item: None,
    };
    if before.as_ref() == Some(&shipment) {
        return Ok(plan);
    }
    refuse_over(write, order, settings)?;
    plan.status = status(order, &shipment, before.as_ref(), settings);
    if asked.notify && !was_told && !mail_tells(&plan, &shipment, settings) {
        plan.tell = Some(shipment.clone());
    }
    let mut meta = Vec::new();
    if settings.tracking == Tracking::ShipmentTracking
        && let Some(items) = tracking::with(&order.meta_data, before.as_ref(), &shipment, now)?
    {
        meta.push(json!({ "key": tracking::KEY, "value": items }));
    }
    mark::put(&mut marks, shipment);
    meta.push(json!({ "key": mark::KEY, "value": mark::text(marks) }));
    let number: u64 = id.as_str().parse().unwrap_or_default();
    let mut item = Map::from_iter([
        ("id".to_owned(), number.into()),
        ("meta_data".to_owned(), meta.into()),
    ]);
    if let Some(status) = &plan.status {
        item.insert("status".to_owned(), status.as_str().into());
    }
    plan.item = Some(item);
    Ok(plan)
}

fn refuse_over(write: &Write, order: &DispatchWire, settings: &Settings) -> Result<(), Fault> {
    if settings.is_over(&order.status) {
        let why = "the order is cancelled, refunded or in the trash in the shop, so the shipment was not written into it; put the order back or let the shipment be";
        return Err(Fault::refused(Code::WrongState, why).at("status"));
    }
    match &write.expects {
        Some(expected) if *expected != order.date_modified_gmt => {
            Err(Fault::moved("the order changed in the shop meanwhile"))
        }
        _ => Ok(()),
    }
}

/// The status that the order gets, if another than it has. A part moves an order on once, and never back from complete.
fn status(
    order: &DispatchWire,
    shipment: &Shipment,
    before: Option<&Shipment>,
    settings: &Settings,
) -> Option<String> {
    let status = if shipment.completes {
        let is_news = !before.is_some_and(|before| before.completes);
        is_news.then_some(&settings.shipped_status)
    } else {
        let is_news = before.is_none() && shipment.state != ShipmentState::Cancelled;
        let partly = settings.partly_shipped_status.as_ref();
        partly.filter(|_| is_news && !settings.is_complete(&order.status))
    };
    status.filter(|status| **status != order.status).cloned()
}

/// Whether the shop's own mail about a completed order tells the buyer all there is to tell: it leaves with the change to that status, and
/// the plug-in puts the tracking number in.
fn mail_tells(plan: &Plan, shipment: &Shipment, settings: &Settings) -> bool {
    let mailed = plan.status.as_deref() == Some("completed");
    mailed && (settings.tracking != Tracking::None || !shipment.is_tracked())
}

/// Whether a note to the buyer is the one about this shipment.
fn is_about(note: &NoteWire, shipment: &Shipment) -> bool {
    let text = plain(&note.note);
    let mut words = shipment.parcels.iter().map(|parcel| &parcel.tracking);
    note.customer_note
        && mentions(&text, &shipment.number)
        && words.all(|word| mentions(&text, word))
}

/// What the buyer reads.
fn note(template: &str, shipment: &Shipment) -> String {
    let line = |parcel: &Parcel| {
        let parts = [&parcel.carrier, &parcel.tracking, &parcel.url];
        let parts = parts.into_iter().map(|part| part.trim());
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    };
    let parcels: Vec<String> = shipment.parcels.iter().map(line).collect();
    let text = template.replace("{number}", shipment.number.trim());
    text.replace("{parcels}", &parcels.join("\n"))
        .trim()
        .to_owned()
}
