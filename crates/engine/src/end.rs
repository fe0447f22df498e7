//! How records leave a pass, and what of that is stored.

use crate::turn::{Item, Pass};
use comptoir_model::cause::Cause;
use comptoir_model::fault::Fault;
use comptoir_store::{JournalPut, WorkPut, WorkState};

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

/// Notes the ends of this round and lets those records go.
pub fn settle(pass: &mut Pass<'_>, items: &mut Vec<Item>) {
    let mut rest = Vec::with_capacity(items.len());
    for item in items.drain(..) {
        let Some(end) = &item.end else {
            rest.push(item);
            continue;
        };
        pass.learnt.work.push(work_put(&item, end));
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
