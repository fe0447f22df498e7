//! The one executor: intents first, then the calls in batches, then what they did.

use crate::answers::stored_value;
use crate::batch::{self, Answered};
use crate::decide::{OrderLink, Proposal, Target, claims_of, content_digest};
use crate::doubt;
use crate::end::End;
use crate::gather::record_put;
use crate::note::{link_row, wakes};
use crate::point::Point;
use crate::turn::{Item, Pass};
use comptoir_model::cause::Cause;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Operation, Step, Write, Written};
use comptoir_store::{
    Commit, IdentityPut, IntentOutcome, IntentPut, IntentState, JournalPut, LinkPut, LinkState,
    Reserved, StoreError,
};
use std::sync::atomic::{AtomicU32, Ordering};

/// One write on its way.
pub struct Sent {
    index: usize,
    proposal: Proposal,
    intent: String,
    settle_at: i64,
}

/// Makes the calls. Each write's intent is stored by now.
pub async fn call(pass: &Pass<'_>, items: &[Item], sent: &[Sent]) -> Vec<Answered> {
    if sent.is_empty() {
        return Vec::new();
    }
    let breakpoints = &pass.hub.breakpoints;
    breakpoints.pass(Point::IntentsStored).await;
    let writes = sent.iter().map(|sent| {
        let tries = items[sent.index].work.tries;
        (tries, write_of(&sent.proposal))
    });
    let answers = batch::call(pass.connection, writes.collect()).await;
    breakpoints.pass(Point::Called).await;
    answers
}

/// Notes what the calls did. Answers how many writes were made.
pub async fn note_writes(
    pass: &mut Pass<'_>,
    items: &mut [Item],
    sent: Vec<Sent>,
    answers: Vec<Answered>,
) -> Result<usize, StoreError> {
    let count = sent.len();
    if count == 0 {
        return Ok(0);
    }
    let ended = pass.hub.store.now().await?;
    let mut commit = std::mem::take(&mut pass.learnt);
    let failed = answers
        .iter()
        .filter(|answered| passing(&answered.result))
        .count();
    let all_failed = failed == answers.len() && (answers.len() > 1 || !pass.reached);
    let mut doubtful = Vec::new();
    for (sent, answered) in sent.into_iter().zip(answers) {
        match answered.result {
            Ok(written) => done(pass, items, sent, written, ended, &mut commit),
            Err(fault) => {
                if may_be_stale(&items[sent.index], &sent, &fault) {
                    items[sent.index].checked = true;
                    doubtful.push((sent.index, fault.clone()));
                }
                let how = Failed {
                    all: all_failed,
                    alone: answered.alone,
                    ended,
                };
                not_done(pass, items, &sent, fault, how, &mut commit);
            }
        }
    }
    pass.reached |= failed < count;
    pass.learnt = commit;
    if !doubtful.is_empty() && pass.stop.is_none() {
        doubt::recheck(pass, items, doubtful).await?;
    }
    Ok(count)
}

/// A create that was refused, perhaps because a contact or product that we took for known is not there any more.
fn may_be_stale(item: &Item, sent: &Sent, fault: &Fault) -> bool {
    matches!(fault.next, Next::Refused | Next::Gone)
        && sent.proposal.step == Step::Create
        && !item.checked
}

/// Whether a result is a passing fault of the connection rather than of the record.
fn passing(result: &Result<Written, Fault>) -> bool {
    matches!(
        result,
        Err(Fault {
            next: Next::Later { .. } | Next::Unknown,
            ..
        })
    )
}

fn operation(pass: &Pass<'_>, kind: Kind, step: Step) -> Option<&'static Operation> {
    pass.connection
        .connector
        .capabilities()
        .operation(kind, step)
}

/// Notes what is about to be written, to be stored before the calls.
pub fn intend(pass: &mut Pass<'_>, items: &[Item], writes: Vec<(usize, Proposal)>) -> Vec<Sent> {
    let mut sent = Vec::with_capacity(writes.len());
    let mut intents = Vec::with_capacity(writes.len());
    for (index, proposal) in writes {
        let item = &items[index];
        let settle_ms =
            operation(pass, proposal.subject.kind, proposal.step).map_or(0, |operation| {
                pass.connection.settle_ms(operation) + i64::from(operation.deadline_seconds) * 1_000
            });
        let intent = new_id(pass.now);
        intents.push(IntentPut {
            id: intent.clone(),
            flow: item.flow.name.clone(),
            kind: proposal.subject.kind,
            src: proposal.subject.id.clone(),
            part: proposal.part.clone(),
            dst: pass.connection.name.clone(),
            step: proposal.step,
            key: proposal.key(),
            document: proposal.document.to_json(),
            before: proposal.before.as_ref().map(Document::to_json),
            input: item.source.digest,
            revision: item.flow.revision,
            state: IntentState::Sent,
            sent_at: pass.now,
            settle_at: pass.now + settle_ms,
            expects: proposal.expects.clone(),
            target: proposal.target.clone(),
        });
        sent.push(Sent {
            index,
            proposal,
            intent,
            settle_at: pass.now + settle_ms,
        });
    }
    pass.learnt.intents = intents;
    sent
}

/// Unique everywhere, and in the order of sending within one process.
fn new_id(now: i64) -> String {
    static SENT: AtomicU32 = AtomicU32::new(0);
    let nth = SENT.fetch_add(1, Ordering::Relaxed);
    format!("{now:013x}-{nth:08x}-{:08x}", rand::random::<u32>())
}

fn write_of(proposal: &Proposal) -> Write {
    Write {
        key: proposal.key(),
        kind: proposal.subject.kind,
        step: proposal.step,
        target: proposal.target.clone(),
        document: proposal.document.clone(),
        before: proposal.before.clone(),
        expects: proposal.expects.clone(),
    }
}

fn journal(pass: &Pass<'_>, item: &Item, sent: &Sent, what: serde_json::Value) -> JournalPut {
    JournalPut {
        connection: pass.connection.name.clone(),
        at: pass.now,
        flow: Some(item.flow.name.clone()),
        kind: sent.proposal.subject.kind,
        src: sent.proposal.subject.id.clone(),
        intent: Some(sent.intent.clone()),
        what,
    }
}

/// A write that was done: proof, link, the target's new look and the journal, all in one commit.
fn done(
    pass: &mut Pass<'_>,
    items: &mut [Item],
    sent: Sent,
    written: Written,
    ended: i64,
    commit: &mut Commit,
) {
    let item = &mut items[sent.index];
    item.writes += 1;
    commit.outcomes.push(IntentOutcome {
        id: sent.intent.clone(),
        state: IntentState::Proved,
        fault: None,
        settle_at: None,
    });
    let what = serde_json::json!({
        "event": sent.proposal.step,
        "part": sent.proposal.part,
        "to": written.id,
    });
    commit.journal.push(journal(pass, item, &sent, what));
    match sent.proposal.subject.kind {
        Kind::Customer => return buyer_done(pass, &sent, written.id, commit),
        Kind::Shipment => return shipment_done(pass, item, &sent, written, commit),
        _ => {}
    }
    if reserves(pass, &sent.proposal) {
        commit.reserved.push(reserved(item, ended));
    }
    match sent.proposal.step {
        Step::Confirm => {
            pass.confirmed.insert(sent.proposal.key());
        }
        Step::Update => {
            pass.confirmed.remove(&sent.proposal.key());
        }
        Step::Create | Step::Cancel => {}
    }
    if let Some(record) = &written.seen {
        commit.records.push(record_put(pass, record));
    }
    let seen = written.seen.and_then(|record| match record.document {
        Document::Order(order) => Some((*order, record.version)),
        _ => None,
    });
    let put = seen.as_ref().map(|(order, _)| content_digest(order));
    if sent.proposal.step == Step::Create {
        // Also over the link to one that a person deleted and another asked to be made again.
        item.link = None;
    }
    if sent.proposal.step == Step::Create && wakes(pass) {
        let waiting = Cause::Link(Kind::Order, written.id.clone());
        commit.wake.push(waiting.to_string());
    }
    let link = item.link.get_or_insert_with(|| OrderLink {
        id: written.id.clone(),
        gone: false,
        base_digest: None,
        base: None,
        put: None,
    });
    link.put = put;
    if matches!(sent.proposal.step, Step::Create | Step::Update) {
        link.base_digest = Some(item.source.digest);
        link.base = None;
    }
    item.target = seen.map(|(order, version)| Target {
        order: Some(order),
        version,
        fresh: true,
    });
    commit.links.extend(link_row(pass, item));
}

/// A shipment that the shop's order shows now.
fn shipment_done(
    pass: &Pass<'_>,
    item: &mut Item,
    sent: &Sent,
    written: Written,
    commit: &mut Commit,
) {
    item.link = sent.proposal.target.clone().map(|id| OrderLink {
        id,
        gone: false,
        base_digest: Some(item.source.digest),
        base: None,
        put: None,
    });
    item.target = written.seen.and_then(|record| match record.document {
        Document::Order(order) => Some(Target {
            order: Some(*order),
            version: record.version,
            fresh: true,
        }),
        _ => None,
    });
    commit.links.extend(link_row(pass, item));
}

/// Whether a write makes the target reserve goods that a flow of stock counts.
fn reserves(pass: &Pass<'_>, proposal: &Proposal) -> bool {
    pass.hub.pushes_stock_of(&pass.connection.name)
        && operation(pass, proposal.subject.kind, proposal.step)
            .is_some_and(|operation| operation.reserves_stock)
}

/// The target has reserved an order's goods.
fn reserved(item: &Item, at: i64) -> Reserved {
    Reserved {
        flow: item.flow.name.clone(),
        order: item.source.key.id.clone(),
        at,
    }
}

fn buyer_done(pass: &mut Pass<'_>, sent: &Sent, id: RemoteId, commit: &mut Commit) {
    let subject = &sent.proposal.subject;
    let key = (subject.connection.to_string(), subject.id.clone());
    let party = pass.parties.entry(key).or_default();
    if sent.proposal.part.is_empty() {
        party.main = Some(id.clone());
    } else {
        party
            .contacts
            .insert(sent.proposal.part.clone(), id.clone());
    }
    for claim in &sent.proposal.claims {
        let candidates = vec![Candidate {
            id: id.clone(),
            label: String::new(),
        }];
        pass.answers
            .insert(Kind::Customer, claim.clone(), candidates.clone(), pass.now);
        commit.identities.push(IdentityPut {
            dst: pass.connection.name.clone(),
            kind: Kind::Customer,
            attribute: claim.attribute().to_owned(),
            value: stored_value(pass, claim),
            ids: Some(candidates),
            asked_at: Some(pass.now),
            claimed_by: None,
        });
    }
    commit.links.push(LinkPut {
        src: subject.clone(),
        part: sent.proposal.part.clone(),
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Customer,
        dst_id: id,
        key: Some(sent.proposal.key()),
        state: LinkState::Live,
        sole: false,
        base: None,
        put: None,
        at: pass.now,
    });
}

/// The circumstances of a failed write.
struct Failed {
    /// Every write of the round failed.
    all: bool,
    /// It was alone in its call.
    alone: bool,
    /// When the calls had ended (unix ms).
    ended: i64,
}

/// Whether a fault speaks of the connection and never of the record.
fn of_the_connection(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::Unreachable | Code::TooManyRequests | Code::Maintenance
    )
}

/// A write that was not done, or may have been.
fn not_done(
    pass: &mut Pass<'_>,
    items: &mut [Item],
    sent: &Sent,
    fault: Fault,
    how: Failed,
    commit: &mut Commit,
) {
    let state = match fault.next {
        Next::Later { .. } | Next::Locked | Next::Moved => IntentState::Dropped,
        Next::Refused | Next::Gone => IntentState::Refused,
        Next::Unknown | Next::Bug => IntentState::Unknown,
    };
    // The call is over on our side; what it left running at the vendor's ends within the settle time from now.
    let settle_at = operation(pass, sent.proposal.subject.kind, sent.proposal.step)
        .map_or(sent.settle_at, |operation| {
            how.ended + pass.connection.settle_ms(operation)
        });
    if state == IntentState::Unknown {
        pass.open.insert(sent.proposal.key());
        if let (Step::Create, Document::Customer(customer)) =
            (sent.proposal.step, &sent.proposal.document)
        {
            let claims = claims_of(customer).into_iter();
            pass.claimed
                .extend(claims.map(|claim| (Kind::Customer, claim)));
        }
    }
    commit.outcomes.push(IntentOutcome {
        id: sent.intent.clone(),
        state,
        fault: Some(fault.clone()),
        settle_at: Some(settle_at),
    });
    let what = serde_json::json!({
        "event": "failed",
        "step": sent.proposal.step,
        "fault": fault,
    });
    let line = journal(pass, &items[sent.index], sent, what);
    commit.journal.push(line);
    let item = &mut items[sent.index];
    item.end = match fault.next {
        Next::Moved => {
            // Observed and decided again in the next round of this pass.
            if let Some(target) = &mut item.target {
                target.fresh = false;
            }
            item.target = None;
            None
        }
        Next::Locked => {
            pass.stop = Some(fault);
            Some(End::Due)
        }
        Next::Gone if item.flow.kind == Kind::Order && item.link.is_some() => {
            if let Some(link) = &mut item.link {
                link.gone = true;
            }
            commit.links.extend(link_row(pass, item));
            None
        }
        Next::Gone => Some(End::Held(vec![Cause::Refused(fault.code)], Some(fault))),
        Next::Refused => Some(End::Held(vec![Cause::Refused(fault.code)], Some(fault))),
        Next::Later { .. } | Next::Unknown if how.all => {
            pass.stop = Some(fault);
            Some(End::Due)
        }
        Next::Later { .. } | Next::Unknown | Next::Bug => {
            // Counted in any case, so that its batch gets smaller; held only for what happened to it alone.
            let tries = item.work.tries + 1;
            let to_blame = how.alone && !of_the_connection(&fault);
            Some(if to_blame && tries >= pass.hub.patience.tries {
                let cause = match fault.next {
                    Next::Bug => Cause::Bug(fault.code),
                    _ => Cause::Tries(fault.code),
                };
                End::Held(vec![cause], Some(fault))
            } else {
                let wait = pass.hub.patience.wait_ms(tries, &fault);
                End::Waiting(Cause::Retry(fault.code), pass.now + wait)
            })
        }
    };
}
