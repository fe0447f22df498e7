//! The shop's batches of updates: always 200, with an answer or an error for each item in the order sent.
//!
//! **A batch is not validated**: the shop refuses an unknown status to a single order and takes it in a batch, where it makes the order
//! `pending` and puts its goods back into stock (measured on 11.0.1). What may not be taken at its word is looked at before it is sent.

use super::settings::AuthMode;
use super::wire::{BatchItem, BatchWire};
use super::{CAPABILITIES, Shop, fault, path};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Priority};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::Step;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

/// How often one batch is halved at most because the shop's PHP died in it: a shop that always dies must not be asked item by item.
const RESCUES: usize = 16;

/// Where a batch goes.
pub(super) struct Route {
    /// The call's name.
    pub(super) what: &'static str,
    /// The resource, without `/batch`.
    pub(super) resource: String,
    /// Kind and step of the operation, whose deadline and size count.
    pub(super) kind: Kind,
    pub(super) step: Step,
    pub(super) priority: Priority,
    /// Whether the same items may be sent again at once when the shop's PHP died in the batch: they set values and tell nobody.
    pub(super) again: bool,
}

/// One update: the record's id and its item. What became of it: the item's own answer.
pub(super) type Update = (RemoteId, Value);
pub(super) type Outcome = Result<Box<RawValue>, Fault>;

/// What came of one call.
enum Sent {
    Answered(Vec<Outcome>),
    /// Send it in halves: the shop did not look at it, or died in it.
    Halve(Fault),
    Failed(Fault),
}

impl Shop {
    /// Sends the updates and answers one outcome for each, in their order. A batch is halved as often as the shop says that it is too large:
    /// such a batch was not looked at.
    pub(super) async fn send_updates(&self, route: &Route, updates: &[Update]) -> Vec<Outcome> {
        let operation = CAPABILITIES.operation(route.kind, route.step);
        let size = operation.map_or(1, |operation| operation.batch);
        let deadline = operation.map_or(60, |operation| operation.deadline_seconds);
        let deadline = Duration::from_secs(u64::from(deadline));
        let mut outcomes = Vec::with_capacity(updates.len());
        let mut waiting: Vec<&[Update]> = updates.chunks(size).rev().collect();
        let mut rescues = RESCUES;
        while let Some(chunk) = waiting.pop() {
            let fault = match self.send_batch(route, chunk, deadline).await {
                Sent::Answered(answers) => {
                    outcomes.extend(answers);
                    continue;
                }
                Sent::Halve(fault) if chunk.len() > 1 => {
                    let is_dead = fault.code != Code::TooLarge;
                    if !is_dead || rescues > 0 {
                        rescues -= usize::from(is_dead);
                        let (first, second) = chunk.split_at(chunk.len() / 2);
                        waiting.extend([second, first]);
                        continue;
                    }
                    fault
                }
                Sent::Halve(fault) | Sent::Failed(fault) => fault,
            };
            outcomes.extend(chunk.iter().map(|_| Err(fault.clone())));
        }
        outcomes
    }

    async fn send_batch(&self, route: &Route, chunk: &[Update], deadline: Duration) -> Sent {
        let items: Vec<&Value> = chunk.iter().map(|(_, item)| item).collect();
        let call = Call::post(route.what, path(format!("{}/batch", route.resource)))
            .json(&json!({ "update": items }))
            .map(|call| call.deadline(deadline).priority(route.priority));
        let answer = match call {
            Ok(call) => self.http.send(call).await,
            Err(fault) => Err(fault),
        };
        let (answer, is_dead) = match answer {
            // 500 from PHP itself: that request runs no more. A 502 or 504 comes from a proxy, and the shop may still be at it.
            Ok(answer) => (Ok(answer.clone()), answer.status == 500),
            Err(fault) => (Err(fault), false),
        };
        let answer = answer.and_then(|answer| fault::success(answer, self.mode));
        let ids: Vec<&RemoteId> = chunk.iter().map(|(id, _)| id).collect();
        match answer.and_then(|answer| outcomes(&answer, &ids, self.mode)) {
            Ok(answers) => Sent::Answered(answers),
            Err(fault) if fault.code == Code::TooLarge => Sent::Halve(fault),
            Err(fault) if is_dead && route.again => Sent::Halve(fault),
            Err(fault) => Sent::Failed(fault),
        }
    }
}

/// What became of each item of a batch that the shop answered.
///
/// # Errors
/// [`comptoir_model::fault::Next::Unknown`] when the answer is no answer to a batch.
pub(super) fn outcomes(
    answer: &Answer,
    ids: &[&RemoteId],
    mode: AuthMode,
) -> Result<Vec<Outcome>, Fault> {
    let answered: BatchWire = answer.json()?;
    let mut answers = answered.update.into_iter();
    // Results come in the order sent; an item without one of its own may have been done.
    let outcome = |id: &&RemoteId| {
        let raw = answers.next().ok_or_else(not_told)?;
        let item: BatchItem = decode::json(raw.get().as_bytes()).map_err(|_| not_told())?;
        match &item.error {
            Some(refusal) => Err(fault::of_item(refusal, mode)),
            None if item.id == id.as_str() => Ok(raw),
            None => Err(not_told()),
        }
    };
    Ok(ids.iter().map(outcome).collect())
}

fn not_told() -> Fault {
    Fault::unknown(
        Code::NotUnderstood,
        "the shop did not say what became of this record",
    )
}
