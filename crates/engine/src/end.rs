//! How records leave a pass, and what of that is stored.

use crate::turn::{Item, Pass};
use comptoir_model::cause::Cause;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::order::Life;
use comptoir_store::{Commit, JournalPut, ReservePut, Reserved, WorkPut, WorkState};
use std::collections::BTreeMap;

/// How a record leaves a pass.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// Both sides agree.
    Done,
    /// Not imported, and why.
    Skipped(String),
    /// A person is needed.
    Held(Vec<Cause>, Option<Fault>),
    /// Until a time (unix ms).
    Waiting(Cause, i64),
    /// Given back to the queue as it is: the connection pauses, or the pass ran out of rounds.
    Due,
}

/// Notes the ends of this round and lets those records go. `seen_by` (unix ms) is not before any look at the target in it.
pub fn settle(pass: &mut Pass<'_>, items: &mut Vec<Item>, seen_by: i64) {
    let counted = pass.hub.pushes_stock_of(&pass.connection.name);
    let mut rest = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let Some(end) = &item.end else {
            rest.push(item);
            continue;
        };
        pass.learnt.work.push(work_put(&item, end));
        if counted && item.flow.kind == Kind::Order {
            note_taken(&item, end, seen_by, &mut pass.learnt);
        }
        if let End::Held(causes, fault) = end {
            pass.learnt.journal.push(JournalPut {
                connection: pass.connection.name.clone(),
                at: pass.now,
                flow: Some(item.flow.name.clone()),
                kind: item.source.key.kind,
                src: item.source.key.id.clone(),
                intent: None,
                what: serde_json::json!({
                    "event": "held",
                    "causes": causes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "fault": fault,
                }),
            });
        }
    }
    *items = rest;
}

/// What a settled order takes of the stock from now on: what the ERP's binding order has reserved, or nothing when it is none of this
/// flow's business.
fn note_taken(item: &Item, end: &End, seen_by: i64, commit: &mut Commit) {
    let held = item
        .target
        .as_ref()
        .and_then(|target| target.order.as_ref());
    let binding =
        held.is_some_and(|order| matches!(order.status.life, Life::Open | Life::Completed));
    match end {
        End::Done if binding => commit.reserved.push(Reserved {
            flow: item.flow.name.clone(),
            order: item.source.key.id.clone(),
            at: seen_by,
        }),
        End::Skipped(_) => commit.reserves.push(ReservePut {
            flow: item.flow.name.clone(),
            order: item.source.key.id.clone(),
            target: item.flow.target.clone(),
            takes: BTreeMap::new(),
        }),
        _ => {}
    }
}

fn work_put(item: &Item, end: &End) -> WorkPut {
    let (state, cause, due, done) = match end {
        End::Done => (WorkState::Done, None, None, Some(item.source.digest)),
        End::Skipped(reason) => (
            WorkState::Skipped,
            Some(reason.clone()),
            None,
            Some(item.source.digest),
        ),
        End::Held(causes, _) => (
            WorkState::Held,
            causes.first().map(ToString::to_string),
            None,
            None,
        ),
        End::Waiting(cause, until) => (
            WorkState::Waiting,
            Some(cause.to_string()),
            Some(*until),
            None,
        ),
        End::Due => (WorkState::Due, None, Some(0), None),
    };
    let tries = match end {
        // What was written in this pass is progress: the next step begins to count anew.
        End::Waiting(Cause::Retry(_), _) if item.writes > 0 => 1,
        End::Waiting(Cause::Retry(_), _) => item.work.tries + 1,
        // Waiting for something else is no success: the count goes on afterwards.
        End::Waiting(..) | End::Due => item.work.tries,
        End::Done | End::Skipped(_) | End::Held(..) => 0,
    };
    WorkPut {
        flow: item.flow.name.clone(),
        kind: item.source.key.kind,
        src: item.source.key.id.clone(),
        state,
        cause,
        due,
        done,
        tries,
        rounds: match end {
            End::Done | End::Skipped(_) => 0,
            _ => item.work.rounds + item.writes,
        },
        decided: item.source.digest,
        since: Some(item.work.since),
    }
}
