//! Write-back to orders: status, meta data, notes.
//!
//! - `status.word`: the shop's status;
//! - attribute `order_note`: a private note; `customer_order_note`: a note that the shop sends to the buyer;
//! - any other attribute: meta data under its name.
//!
//! With a document from before, only what differs is written. Status and meta data go out in one batch; notes have no batch. A status that
//! is not one of WooCommerce's is looked up first, because a batch takes any word.

use super::batch::{Route, Update};
use super::note::plain;
use super::probe::StatusRow;
use super::wire::{Mark, NoteWire};
use super::{Shop, keep, path};
use comptoir_kit::batch::with_seen;
use comptoir_kit::http::{Call, Priority, encode};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::port::{Step, Write, Written};
use serde_json::{Value, json};

/// Attribute that becomes a private note.
pub(super) const PRIVATE_NOTE: &str = "order_note";

/// Attribute that becomes a note to the buyer.
pub(super) const CUSTOMER_NOTE: &str = "customer_order_note";

/// Statuses that every shop has and an order may be given.
const SETTABLE: &[&str] = &[
    "cancelled",
    "completed",
    "failed",
    "on-hold",
    "pending",
    "processing",
    "refunded",
];

/// What one write changes.
#[derive(Debug, PartialEq)]
struct Change {
    id: RemoteId,
    /// The item of the batch; none when neither status nor meta data change.
    item: Option<Value>,
    /// Notes and whether the buyer gets them.
    notes: Vec<(String, bool)>,
}

impl Change {
    /// The status that it sets.
    fn status(&self) -> Option<&str> {
        self.item.as_ref()?.get("status")?.as_str()
    }
}

impl Shop {
    pub(super) async fn write_orders(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut results: Vec<Result<Change, Fault>> = batch.iter().map(change).collect();
        self.refuse_moved(batch, &mut results).await;
        self.refuse_unknown_statuses(&mut results).await;
        self.send_changes(&mut results).await;
        for result in &mut results {
            if let Ok(change) = result
                && let Err(fault) = self.add_notes(change).await
            {
                *result = Err(fault);
            }
        }
        self.read_back(results).await
    }

    /// Refuses writes that were decided on another version than the shop has now. The shop has no such check of its own, so a change in the
    /// moment between is not seen.
    async fn refuse_moved(&self, batch: &[Write], results: &mut [Result<Change, Fault>]) {
        let ids: Vec<&str> = batch
            .iter()
            .zip(results.iter())
            .filter(|(write, result)| write.expects.is_some() && result.is_ok())
            .filter_map(|(write, _)| write.target.as_ref().map(RemoteId::as_str))
            .collect();
        if ids.is_empty() {
            return;
        }
        let call = Call::get("orders.versions", path("orders"))
            .query("include", ids.join(","))
            .query("per_page", ids.len().min(100))
            .query("_fields", "id,date_modified_gmt");
        let marks: Result<Vec<Mark>, Fault> = match self.ask(call).await {
            Ok(answer) => answer.json(),
            Err(fault) => Err(fault),
        };
        for (write, result) in batch.iter().zip(results) {
            let (Some(expected), Ok(change)) = (&write.expects, &result) else {
                continue;
            };
            match &marks {
                Err(fault) => *result = Err(fault.clone()),
                Ok(marks) => {
                    let now = marks.iter().find(|mark| mark.id == change.id);
                    if now.is_some_and(|mark| mark.date_modified_gmt != *expected) {
                        *result = Err(Fault::moved("the order changed in the shop meanwhile"));
                    }
                }
            }
        }
    }

    /// Sends what changes in the orders themselves.
    async fn send_changes(&self, results: &mut [Result<Change, Fault>]) {
        let places = results.iter().enumerate();
        let (places, updates): (Vec<usize>, Vec<Update>) = places
            .filter_map(|(place, result)| {
                let change = result.as_ref().ok()?;
                Some((place, (change.id.clone(), change.item.clone()?)))
            })
            .unzip();
        let outcomes = self.send_updates(&route(Step::Update), &updates).await;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if let Err(fault) = outcome {
                results[place] = Err(fault);
            }
        }
    }

    /// Refuses statuses that the shop does not have: a batch takes any word and makes the order `pending`.
    async fn refuse_unknown_statuses(&self, results: &mut [Result<Change, Fault>]) {
        let words: Vec<String> = results
            .iter()
            .flatten()
            .filter_map(|change| Some(change.status()?.to_owned()))
            .collect();
        let unknown = self.unknown_statuses(&words).await;
        for result in results {
            let word = result.as_ref().ok().and_then(Change::status);
            if let Some(fault) = word.and_then(|word| status_fault(&unknown, word)) {
                *result = Err(fault);
            }
        }
    }

    /// Those of the words that are no status of the shop. WooCommerce's own are not asked for.
    pub(super) async fn unknown_statuses(&self, words: &[String]) -> Result<Vec<String>, Fault> {
        let own: Vec<&String> = words
            .iter()
            .filter(|word| !SETTABLE.contains(&word.as_str()))
            .collect();
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let call = Call::get("statuses.list", path("reports/orders/totals"));
        let rows: Vec<StatusRow> = self.ask(call).await?.json()?;
        let unknown = |word: &&String| rows.iter().all(|row| row.slug != **word);
        Ok(own.into_iter().filter(unknown).cloned().collect())
    }

    /// Adds notes that are not there yet: adding is no setting, and a write may come twice.
    async fn add_notes(&self, change: &Change) -> Result<(), Fault> {
        if change.notes.is_empty() {
            return Ok(());
        }
        let resource = format!("orders/{}/notes", encode(change.id.as_str()));
        let answer = self.ask(Call::get("notes.list", path(&resource))).await?;
        let present: Vec<NoteWire> = answer.json()?;
        for (text, to_buyer) in &change.notes {
            let same = |note: &NoteWire| {
                note.customer_note == *to_buyer && plain(&note.note) == plain(text)
            };
            if present.iter().any(same) {
                continue;
            }
            let call = Call::post("notes.create", path(&resource))
                .json(&json!({ "note": text, "customer_note": to_buyer }))?;
            self.ask(call).await?;
        }
        Ok(())
    }

    /// What the orders look like now. When that cannot be read, the writes are done all the same.
    async fn read_back(&self, results: Vec<Result<Change, Fault>>) -> Vec<Result<Written, Fault>> {
        let done = results.iter().flatten().map(|change| change.id.clone());
        let ids: Vec<RemoteId> = done.collect();
        let seen = match ids.is_empty() {
            true => Vec::new(),
            false => self.read_by_id(Kind::Order, &ids).await.unwrap_or_default(),
        };
        let done = results
            .into_iter()
            .map(|result| result.map(|change| change.id));
        with_seen(done.collect(), seen)
    }
}

/// Where updates of orders go. They send mails, so they are never repeated here.
pub(super) fn route(step: Step) -> Route {
    let (kind, priority) = match step {
        Step::Create => (Kind::Shipment, Priority::Shipments),
        _ => (Kind::Order, Priority::Orders),
    };
    Route {
        what: "orders.batch",
        resource: "orders".to_owned(),
        kind,
        step,
        priority,
        again: false,
    }
}

/// The refusal of a word that is no status, or why it could not be looked up.
pub(super) fn status_fault(unknown: &Result<Vec<String>, Fault>, word: &str) -> Option<Fault> {
    match unknown {
        Err(_) if SETTABLE.contains(&word) => None,
        Err(fault) => Some(fault.clone()),
        Ok(words) if words.iter().any(|unknown| unknown == word) => {
            let why = "the shop has no such order status";
            Some(Fault::refused(Code::Refused, why).at("status"))
        }
        Ok(_) => None,
    }
}

fn change(write: &Write) -> Result<Change, Fault> {
    let (Kind::Order, Step::Update) = (write.kind, write.step) else {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    };
    let Some(id) = write.target.clone() else {
        return Err(Fault::bug("an update needs the order's id"));
    };
    let Some(order) = write.document.as_order() else {
        return Err(Fault::bug("an update of an order needs an order"));
    };
    let before = write.before.as_ref().and_then(|before| before.as_order());
    let mut item = serde_json::Map::new();
    let status = order.status.word.trim();
    if !status.is_empty() && before.is_none_or(|before| before.status.word != status) {
        item.insert("status".to_owned(), status.into());
    }
    let meta = meta(order, before)?;
    if !meta.is_empty() {
        item.insert("meta_data".to_owned(), meta.into());
    }
    let item = (!item.is_empty()).then(|| {
        // The shop wants its number; what is no number it refuses by itself.
        let number = id.as_str().parse::<u64>();
        item.insert(
            "id".to_owned(),
            number.map_or(id.as_str().into(), Value::from),
        );
        Value::Object(item)
    });
    Ok(Change {
        notes: notes(order, before)?,
        id,
        item,
    })
}

/// Attributes that are new or other than before.
fn changed<'a>(
    order: &'a Order,
    before: Option<&'a Order>,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    order.attributes.iter().filter(move |(name, value)| {
        before.is_none_or(|old| old.attributes.get(*name) != Some(value))
    })
}

fn meta(order: &Order, before: Option<&Order>) -> Result<Vec<Value>, Fault> {
    let mut rows = Vec::new();
    for (name, value) in changed(order, before) {
        if name == PRIVATE_NOTE || name == CUSTOMER_NOTE {
            continue;
        }
        let of_part = name.starts_with("shipping.") || name.starts_with("fee.");
        if of_part || !keep::is_open(name) {
            let why = "this attribute is the shop's own and cannot be written";
            return Err(Fault::refused(Code::UnknownField, why).at(name));
        }
        rows.push(json!({ "key": name, "value": value }));
    }
    Ok(rows)
}

fn notes(order: &Order, before: Option<&Order>) -> Result<Vec<(String, bool)>, Fault> {
    let mut notes = Vec::new();
    for (name, value) in changed(order, before) {
        let to_buyer = name == CUSTOMER_NOTE;
        if !to_buyer && name != PRIVATE_NOTE {
            continue;
        }
        match value {
            Value::Null => {}
            Value::String(text) if text.trim().is_empty() => {}
            Value::String(text) => notes.push((text.clone(), to_buyer)),
            _ => return Err(Fault::refused(Code::BadValue, "a note is a text").at(name)),
        }
    }
    Ok(notes)
}
