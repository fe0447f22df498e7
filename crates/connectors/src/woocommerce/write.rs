//! Write-back to orders: status, meta data, notes.
//!
//! - `status.word`: the shop's status;
//! - attribute `order_note`: a private note; `customer_order_note`: a note that the shop sends to the buyer;
//! - any other attribute: meta data under its name.
//!
//! With a document from before, only what differs is written. Status and meta data go out in one batch; notes have no batch.

use super::settings::AuthMode;
use super::wire::{BatchWire, Mark, NoteWire};
use super::{BATCH, CAPABILITIES, Shop, fault, keep, path};
use comptoir_kit::batch::with_seen;
use comptoir_kit::http::{Answer, Call, encode};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::port::{Step, Write, Written};
use serde_json::{Value, json};
use std::time::Duration;

/// Attribute that becomes a private note.
pub(super) const PRIVATE_NOTE: &str = "order_note";

/// Attribute that becomes a note to the buyer.
pub(super) const CUSTOMER_NOTE: &str = "customer_order_note";

/// What one write changes.
#[derive(Debug, PartialEq)]
struct Change {
    id: RemoteId,
    /// The item of the batch; none when neither status nor meta data change.
    item: Option<Value>,
    /// Notes and whether the buyer gets them.
    notes: Vec<(String, bool)>,
}

impl Shop {
    pub(super) async fn write_orders(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut results: Vec<Result<Change, Fault>> = batch.iter().map(change).collect();
        self.refuse_moved(batch, &mut results).await;
        self.send_updates(&mut results).await;
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

    /// Sends the updates, each batch halved as often as the shop says that it is too large: such a batch was not looked at.
    async fn send_updates(&self, results: &mut [Result<Change, Fault>]) {
        let mut items: Vec<(usize, RemoteId, Value)> = Vec::new();
        for (index, result) in results.iter().enumerate() {
            if let Ok(Change {
                id,
                item: Some(item),
                ..
            }) = result
            {
                items.push((index, id.clone(), item.clone()));
            }
        }
        let mut waiting: Vec<Vec<_>> = items.chunks(BATCH).map(<[_]>::to_vec).rev().collect();
        while let Some(chunk) = waiting.pop() {
            let outcome = self.send_batch(&chunk).await;
            if let Err(fault) = &outcome
                && fault.code == Code::TooLarge
                && chunk.len() > 1
            {
                let (first, second) = chunk.split_at(chunk.len() / 2);
                waiting.extend([second.to_vec(), first.to_vec()]);
                continue;
            }
            for (position, (index, _, _)) in chunk.iter().enumerate() {
                let fault = match &outcome {
                    Ok(faults) => faults.get(position).cloned().flatten(),
                    Err(fault) => Some(fault.clone()),
                };
                if let Some(fault) = fault {
                    results[*index] = Err(fault);
                }
            }
        }
    }

    async fn send_batch(
        &self,
        chunk: &[(usize, RemoteId, Value)],
    ) -> Result<Vec<Option<Fault>>, Fault> {
        let items: Vec<&Value> = chunk.iter().map(|(_, _, item)| item).collect();
        let deadline = CAPABILITIES
            .operation(Kind::Order, Step::Update)
            .map_or(60, |operation| operation.deadline_seconds);
        let call = Call::post("orders.batch", path("orders/batch"))
            .json(&json!({ "update": items }))?
            .deadline(Duration::from_secs(u64::from(deadline)));
        let answer = self.ask(call).await?;
        let ids: Vec<&RemoteId> = chunk.iter().map(|(_, id, _)| id).collect();
        outcomes(&answer, &ids, self.mode)
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
                note.customer_note == *to_buyer && note.note.trim() == text.trim()
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

/// One fault or none for each item of a batch that the shop answered.
///
/// # Errors
/// [`comptoir_model::fault::Next::Unknown`] when the answer is no answer to a batch.
pub(super) fn outcomes(
    answer: &Answer,
    ids: &[&RemoteId],
    mode: AuthMode,
) -> Result<Vec<Option<Fault>>, Fault> {
    let answered: BatchWire = answer.json()?;
    let outcome = |(position, id): (usize, &&RemoteId)| {
        // Results come in the order sent; an item without one of its own may have been done.
        match answered.update.get(position) {
            Some(item) => match &item.error {
                Some(refusal) => Some(fault::of_item(refusal, mode)),
                None if item.id == id.as_str() => None,
                None => Some(not_told()),
            },
            None => Some(not_told()),
        }
    };
    Ok(ids.iter().enumerate().map(outcome).collect())
}

fn not_told() -> Fault {
    Fault::unknown(
        Code::NotUnderstood,
        "the shop did not say what became of this order",
    )
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
