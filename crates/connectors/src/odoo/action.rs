//! Confirming and cancelling: an action's answer is never believed, the state that is read back is.

use super::fault;
use super::map::{self, Held};
use super::read;
use super::rpc::Ask;
use super::session::Session;
use super::write;
use comptoir_kit::batch::Results;
use comptoir_kit::time;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::order::Life;
use comptoir_model::port::{Step, Write, Written};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use tokio::time::Instant;

/// Confirms or cancels orders.
pub(super) async fn act(
    session: &Session,
    batch: &[Write],
    step: Step,
    until: Instant,
    results: &mut Results,
) {
    let targets = write::targets(session, batch, results).await;
    let mut todo = Vec::new();
    let mut there = Vec::new();
    for (at, (id, held)) in &targets {
        match ready(&batch[*at], step, held) {
            Ok(true) => todo.push((*at, *id)),
            Ok(false) => there.push((*at, *id)),
            Err(fault) => results[*at] = Some(Err(fault)),
        }
    }
    todo.sort_unstable();
    let refused = run(session, step, &todo, until).await;
    let lost = |at: &usize| {
        refused
            .get(at)
            .is_some_and(|fault| fault.next == Next::Unknown)
    };
    let mut look: Vec<(usize, i64)> = there;
    // What is lost may still be under way: a reading now proves nothing.
    look.extend(todo.iter().filter(|(at, _)| !lost(at)));
    if step == Step::Confirm {
        let dated = look.iter().filter(|(at, _)| !refused.contains_key(at));
        let dates = dated.filter_map(|(at, id)| Some((date(&batch[*at], &targets[at].1)?, *id)));
        put_dates_back(session, dates, until).await;
    }
    judge(session, step, &look, &refused, results).await;
    for (at, fault) in refused {
        if results[at].is_none() {
            results[at] = Some(Err(fault));
        }
    }
}

/// Whether an order is still to be worked on; false when it already is what it should become.
fn ready(write: &Write, step: Step, held: &Held) -> Result<bool, Fault> {
    if reached(step, &held.order.state) {
        let same = |expected: &String| {
            map::record(held).map(|now| map::content_of(&now.version) == map::content_of(expected))
        };
        // Confirmed, by us or by a person: done, unless its content is another than what was decided on.
        return match (step, &write.expects) {
            (Step::Confirm, Some(expected)) if !same(expected)? => {
                Err(Fault::moved("the order was changed and confirmed in Odoo"))
            }
            _ => Ok(false),
        };
    }
    write::unmoved(write, held)?;
    if step == Step::Confirm && map::life(&held.order.state) == Life::Cancelled {
        let why = "the order is cancelled in Odoo and cannot be confirmed";
        return Err(Fault::refused(Code::WrongState, why).at("state"));
    }
    Ok(true)
}

fn reached(step: Step, state: &str) -> bool {
    match (step, map::life(state)) {
        (Step::Confirm, life) => matches!(life, Life::Open | Life::Completed),
        (_, life) => life == Life::Cancelled,
    }
}

/// Calls the action for as many as possible at once. Answers those that were refused; halves are tried, since one that is refused
/// undoes the whole call.
async fn run(
    session: &Session,
    step: Step,
    todo: &[(usize, i64)],
    until: Instant,
) -> HashMap<usize, Fault> {
    let mut refused = HashMap::new();
    let mut stack: Vec<&[(usize, i64)]> = vec![todo];
    while let Some(part) = stack.pop() {
        if part.is_empty() {
            continue;
        }
        let ids: Vec<i64> = part.iter().map(|(_, id)| *id).collect();
        let ask = match step {
            Step::Confirm => Ask::write("orders.confirm", "sale.order", "action_confirm", until),
            // 16 asks a person first unless told not to.
            _ => Ask::write("orders.cancel", "sale.order", "action_cancel", until)
                .context("disable_cancel_warning", json!(true)),
        };
        match session.rpc.call::<Value>(ask.ids(&ids)).await {
            Ok(_) => {}
            Err(fault) if fault::is_about_one(&fault) && part.len() > 1 => {
                let (a, b) = part.split_at(part.len() / 2);
                stack.extend([b, a]);
            }
            Err(fault) => refused.extend(part.iter().map(|(at, _)| (*at, fault.clone()))),
        }
    }
    refused
}

/// The date that confirming overwrites: the one decided, else the one that stood there.
fn date(write: &Write, held: &Held) -> Option<String> {
    let placed = write
        .document
        .as_order()
        .and_then(|order| order.dates.placed);
    let date = placed.map_or_else(|| held.order.date_order.clone(), time::spaced);
    let confirmed = reached(Step::Confirm, &held.order.state);
    let stands = confirmed && date == held.order.date_order;
    (!date.is_empty() && !stands).then_some(date)
}

/// Writes the shop's dates back, one call for each date.
async fn put_dates_back(
    session: &Session,
    dates: impl Iterator<Item = (String, i64)>,
    until: Instant,
) {
    let mut by_date: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for (date, id) in dates {
        by_date.entry(date).or_default().push(id);
    }
    for (date, ids) in by_date {
        let ask = Ask::write("orders.date", "sale.order", "write", until)
            .ids(&ids)
            .arg("vals", json!({"date_order": date}));
        if let Err(fault) = session.rpc.call::<Value>(ask).await {
            tracing::warn!(%fault, orders = ids.len(), "confirmed, but the date of the shop is not written back");
        }
    }
}

/// Reads the states back and says what they mean.
async fn judge(
    session: &Session,
    step: Step,
    look: &[(usize, i64)],
    refused: &HashMap<usize, Fault>,
    results: &mut Results,
) {
    let ids: Vec<i64> = look.iter().map(|(_, id)| *id).collect();
    let held = match read::held(session, &ids).await {
        Ok(held) => held,
        // The action ran; only what came of it is not known.
        Err(fault) => {
            for (at, _) in look.iter().filter(|(at, _)| !refused.contains_key(at)) {
                results[*at] = Some(Err(Fault::unknown(fault.code, fault.why.clone())));
            }
            return;
        }
    };
    for (at, id) in look {
        let now = held.get(id);
        let done = now.is_some_and(|held| reached(step, &held.order.state));
        results[*at] = match (done, refused.get(at)) {
            (true, _) => Some(Ok(Written {
                id: RemoteId(id.to_string()),
                seen: now.and_then(|held| map::record(held).ok()),
            })),
            (false, Some(fault)) => Some(Err(wrong_state(fault))),
            (false, None) => {
                let why = format!(
                    "Odoo answered the {} with a question or nothing, and the order's state is unchanged",
                    step.as_str()
                );
                Some(Err(Fault::refused(Code::NotDone, why).at("state")))
            }
        };
    }
}

/// A user error of an action is about the order's state.
fn wrong_state(fault: &Fault) -> Fault {
    if fault.code == Code::Refused {
        let why =
            "Odoo refuses this in the order's present state; doing it in Odoo shows its reason";
        return Fault::refused(Code::WrongState, why).at("state");
    }
    fault.clone()
}
