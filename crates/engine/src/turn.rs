//! A pass over what is due for one target: gather, then decide and act in rounds until every record has settled, waits or is held.
//!
//! Many records go through their turns together: their questions are asked in one call, their writes go out as batches, and
//! each round costs one commit, however many records are in it: what was learnt in the last round and the intents of this one
//! are stored together, before the calls.

use crate::answers::Answers;
use crate::connection::Connection;
use crate::decide::{
    Case, Decision, OrderLink, Party, Proposal, Source, Target, Verdict, decide, first_sight,
};
use crate::flow::{Flow, Mode};
use crate::hub::Hub;
use crate::point::Point;
use crate::{execute, gather, prove, schedule};
use comptoir_model::account::Account;
use comptoir_model::cause::Cause;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{FlowName, Kind, RemoteId, WriteKey};
use comptoir_model::port::Query;
use comptoir_store::{
    Commit, JournalPut, LinkPut, LinkState, Ownership, WorkPut, WorkRow, WorkState,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Records worked on together.
const PASS: usize = 400;
/// Rounds before a pass gives the rest back to the queue; far above what one record needs.
const ROUNDS: usize = 40;
/// What may be noted of a record in one round: its link, its version, its buyer and an address.
const NOTES: u32 = 4;
/// Writes of one record before it is held (DESIGN: a record that has not settled after 8 writes).
const WRITES: u32 = 8;
/// How often a record may be looked at again in one pass because it moved under our hands.
const MOVES: u32 = 5;
/// Creates are capped per this span.
const HOUR_MS: i64 = 3_600_000;
/// A row of a flow that is off is looked at again after this long; a new revision wakes it at once.
const OFF_MS: i64 = 24 * 3_600_000;
/// A shadow decision is made anew after this long, so that waiting ends.
const SHADOW_MS: i64 = 24 * 3_600_000;

/// One record on its way through a pass.
pub struct Item {
    /// Its row of work.
    pub work: WorkRow,
    /// Its flow.
    pub flow: Arc<Flow>,
    /// The source's record.
    pub source: Source,
    /// Its buyer's key.
    pub buyer: RemoteId,
    /// Its link.
    pub link: Option<OrderLink>,
    /// The target's record.
    pub target: Option<Target>,
    /// How often it moved under our hands in this pass.
    pub moves: u32,
    /// What was written in this pass.
    pub writes: u32,
    /// A refusal made us look whether what we took for known in the target is still there.
    pub checked: bool,
    /// Its end, once it has one.
    pub end: Option<End>,
}

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

/// Everything a pass shares between its records.
pub struct Pass<'a> {
    /// The hub.
    pub hub: &'a Hub,
    /// The target.
    pub connection: &'a Connection,
    /// Its probe.
    pub account: Arc<Account>,
    /// The right to write to it; none for a preview, which stores nothing.
    pub ownership: Option<&'a Ownership>,
    /// When the pass began (unix ms, the database's clock).
    pub now: i64,
    /// Answers.
    pub answers: Answers,
    /// Buyers, by source connection and key.
    pub parties: BTreeMap<(String, RemoteId), Party>,
    /// Keys of writes with an unknown outcome.
    pub open: BTreeSet<WriteKey>,
    /// Identifiers that creates with an unknown outcome have claimed.
    pub claimed: BTreeSet<(Kind, Query)>,
    /// Keys of orders that we confirmed in this pass, or whose confirmation was proved in it.
    pub confirmed: BTreeSet<WriteKey>,
    /// When each flow created in the last rolling hour (unix ms), oldest first: what its cap counts.
    pub created: BTreeMap<FlowName, Vec<i64>>,
    /// Whether a call to the target went well in this pass.
    pub reached: bool,
    /// The fault that pauses the connection, if one came.
    pub stop: Option<Fault>,
    /// What was learnt and is not stored yet: stored with the next intents or by [`Pass::keep`], always before the next call.
    pub learnt: Commit,
}

impl<'a> Pass<'a> {
    /// A pass that begins now.
    pub fn new(
        hub: &'a Hub,
        connection: &'a Connection,
        account: Arc<Account>,
        ownership: Option<&'a Ownership>,
        now: i64,
    ) -> Self {
        Pass {
            hub,
            connection,
            account,
            ownership,
            now,
            answers: Answers::default(),
            parties: BTreeMap::new(),
            open: BTreeSet::new(),
            claimed: BTreeSet::new(),
            confirmed: BTreeSet::new(),
            created: BTreeMap::new(),
            reached: false,
            stop: None,
            learnt: Commit::default(),
        }
    }

    /// When a flow may create again, if its cap does not allow one more now.
    fn capped_until(&self, flow: &Flow) -> Option<i64> {
        let cap = flow.caps.creates_per_hour as usize;
        let created = self.created.get(&flow.name)?;
        let recent = &created[created.partition_point(|at| *at <= self.now - HOUR_MS)..];
        (cap > 0 && recent.len() >= cap).then(|| recent[recent.len() - cap] + HOUR_MS)
    }

    /// Stores what was learnt, as the owner. A preview stores nothing.
    pub async fn store(&self, commit: Commit) -> Result<(), comptoir_store::StoreError> {
        if self.ownership.is_some() {
            self.hub.store.commit(self.ownership, commit).await?;
        }
        Ok(())
    }

    /// Stores what was learnt, if anything was.
    pub async fn keep(&mut self) -> Result<(), comptoir_store::StoreError> {
        let learnt = std::mem::take(&mut self.learnt);
        if !learnt.is_empty() {
            self.store(learnt).await?;
            self.hub.breakpoints.pass(Point::OutcomesStored).await;
        }
        Ok(())
    }
}

/// What a pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Records worked on.
    pub records: usize,
    /// Writes made.
    pub writes: usize,
    /// Whether the connection must pause.
    pub paused: bool,
}

/// Works on what is due for `connection` once.
pub async fn pass(
    hub: &Hub,
    connection: &Connection,
    account: Arc<Account>,
    ownership: &Ownership,
) -> Result<(Report, Option<Fault>), comptoir_store::StoreError> {
    let now = hub.store.now().await?;
    let mut pass = Pass::new(hub, connection, account, Some(ownership), now);
    prove::clear_up(&mut pass).await?;
    if let Some(fault) = pass.stop.take() {
        return Ok((
            Report {
                paused: true,
                ..Report::default()
            },
            Some(fault),
        ));
    }
    let works = hub.store.due(&connection.name, now, PASS).await?;
    let works = set_aside(&pass, works).await?;
    let mut items = gather::items(&mut pass, works).await?;
    load_caps(&mut pass, &items).await?;
    let mut report = Report {
        records: items.len(),
        ..Report::default()
    };
    for _ in 0..ROUNDS {
        if items.is_empty() || pass.stop.is_some() {
            break;
        }
        report.writes += round(&mut pass, &mut items).await?;
        settle(&mut pass, &mut items);
    }
    for item in &mut items {
        item.end = Some(End::Due);
    }
    settle(&mut pass, &mut items);
    pass.keep().await?;
    report.paused = pass.stop.is_some();
    Ok((report, pass.stop))
}

/// Rows whose flow is off or keeps quiet now are parked, so that they do not stand in front of others.
async fn set_aside(
    pass: &Pass<'_>,
    works: Vec<WorkRow>,
) -> Result<Vec<WorkRow>, comptoir_store::StoreError> {
    let mut kept = Vec::with_capacity(works.len());
    let mut commit = Commit::default();
    for work in works {
        let (cause, until) = match pass.hub.flow(&work.flow) {
            None => (Cause::Off, pass.now + OFF_MS),
            Some(flow) => match schedule::quiet_until(&flow, pass.now) {
                Some(until) => (Cause::Quiet(flow.name.to_string()), until),
                None => {
                    kept.push(work);
                    continue;
                }
            },
        };
        commit.work.push(WorkPut {
            flow: work.flow,
            kind: work.kind,
            src: work.src,
            state: WorkState::Waiting,
            cause: Some(cause.to_string()),
            due: Some(until),
            done: None,
            tries: work.tries,
            rounds: work.rounds,
            decided: work.want,
            since: Some(work.since),
        });
    }
    if !commit.work.is_empty() {
        pass.store(commit).await?;
    }
    Ok(kept)
}

async fn load_caps(pass: &mut Pass<'_>, items: &[Item]) -> Result<(), comptoir_store::StoreError> {
    let capped: BTreeSet<&FlowName> = items
        .iter()
        .filter(|item| item.flow.caps.creates_per_hour > 0)
        .map(|item| &item.flow.name)
        .collect();
    for flow in capped {
        let created = pass
            .hub
            .store
            .creates_since(flow, pass.now - HOUR_MS)
            .await?;
        pass.created.insert(flow.clone(), created);
    }
    Ok(())
}

/// Decides every record once and acts on the decisions. Answers the number of writes.
async fn round(
    pass: &mut Pass<'_>,
    items: &mut [Item],
) -> Result<usize, comptoir_store::StoreError> {
    let mut asks: BTreeSet<(Kind, Query)> = BTreeSet::new();
    let mut looks: Vec<usize> = Vec::new();
    let mut writes: Vec<(usize, Proposal)> = Vec::new();
    let mut claimed: BTreeSet<Query> = BTreeSet::new();
    let mut claimed_keys: BTreeSet<WriteKey> = BTreeSet::new();
    let mut notes = std::mem::take(&mut pass.learnt);
    for (index, item) in items.iter_mut().enumerate() {
        match decide_and_note(pass, item, &mut notes) {
            Decision::Nothing => {
                if item
                    .link
                    .as_ref()
                    .is_some_and(|link| link.base_digest != Some(item.source.digest))
                {
                    rebase(pass, item, &mut notes);
                }
                item.end = Some(End::Done);
            }
            Decision::Skip(reason) => item.end = Some(End::Skipped(reason)),
            Decision::Hold(causes) => item.end = Some(End::Held(causes, None)),
            Decision::Wait(cause) => {
                let until = pass.now + pass.hub.patience.first_ms;
                item.end = Some(End::Waiting(cause, until));
            }
            Decision::Ask(questions) => asks.extend(questions),
            Decision::Look(_) if item.moves > MOVES => {
                let cause = Cause::Retry(Code::TargetMoved);
                item.end = Some(End::Waiting(cause, pass.now + pass.hub.patience.first_ms));
            }
            Decision::Look(_) => looks.push(index),
            // More to note than one round has place for: the next one goes on.
            Decision::Rebase | Decision::Link { .. } => {}
            Decision::Write(proposal) => {
                propose(
                    pass,
                    item,
                    index,
                    *proposal,
                    &mut writes,
                    &mut claimed,
                    &mut claimed_keys,
                );
            }
        }
    }
    pass.learnt = notes;
    if !asks.is_empty() {
        gather::ask(pass, asks).await?;
    }
    if !looks.is_empty() && pass.stop.is_none() {
        gather::look(pass, items, &looks).await?;
    }
    if writes.is_empty() || pass.stop.is_some() {
        return Ok(0);
    }
    execute::run(pass, items, writes).await
}

/// Decides an item. What is only to be noted (a link that was found, the version that stands there) is noted, and it is decided
/// again at once.
fn decide_and_note(pass: &mut Pass<'_>, item: &mut Item, notes: &mut Commit) -> Decision {
    for _ in 0..NOTES {
        match decide_item(pass, item) {
            Decision::Rebase => rebase(pass, item, notes),
            Decision::Link { subject, part, id } => link(pass, item, subject, part, id, notes),
            decision => return decision,
        }
    }
    decide_item(pass, item)
}

/// Runs the pure function on an item.
pub fn decide_item(pass: &Pass<'_>, item: &Item) -> Decision {
    let nobody = Party::default();
    let party = pass
        .parties
        .get(&(item.flow.source.to_string(), item.buyer.clone()))
        .unwrap_or(&nobody);
    let capabilities = pass.connection.connector.capabilities();
    decide(&Case {
        flow: &item.flow,
        account: &pass.account,
        source: &item.source,
        buyer: &item.buyer,
        party,
        link: item.link.as_ref(),
        target: item.target.as_ref(),
        answers: &pass.answers,
        open: &pass.open,
        confirmed: pass.confirmed.contains(&WriteKey::of(&item.source.key, "")),
        verdict: Verdict::of(item.work.approved.as_deref()),
        can_find: &|kind, attribute| capabilities.finds(kind, attribute),
    })
}

/// Takes a write into the round, unless the mode, a cap, or another record that creates the same buyer says otherwise.
fn propose(
    pass: &mut Pass<'_>,
    item: &mut Item,
    index: usize,
    proposal: Proposal,
    writes: &mut Vec<(usize, Proposal)>,
    claimed: &mut BTreeSet<Query>,
    claimed_keys: &mut BTreeSet<WriteKey>,
) {
    if item.flow.mode != Mode::Live && item.work.approved.is_none() {
        item.end = Some(End::Waiting(Cause::Shadow, pass.now + SHADOW_MS));
        return;
    }
    if item.work.rounds + item.writes >= WRITES {
        item.end = Some(End::Held(vec![Cause::Rounds], None));
        return;
    }
    if proposal.subject.kind == Kind::Order
        && proposal.target.is_none()
        && let Some(until) = pass.capped_until(&item.flow)
    {
        item.end = Some(End::Waiting(Cause::Cap(item.flow.name.to_string()), until));
        return;
    }
    let kind = proposal.subject.kind;
    let pending = |claim: &Query| pass.claimed.contains(&(kind, claim.clone()));
    if proposal.claims.iter().any(pending) {
        // Whoever creates with these identifiers has no sure answer yet.
        let until = pass.now + pass.hub.patience.first_ms;
        item.end = Some(End::Waiting(
            Cause::Settle(item.flow.target.to_string()),
            until,
        ));
        return;
    }
    let taken = claimed_keys.contains(&proposal.key())
        || proposal.claims.iter().any(|claim| claimed.contains(claim));
    if taken {
        // Someone creates this very buyer in this round: decided again with the answer.
        return;
    }
    if proposal.subject.kind == Kind::Order && proposal.target.is_none() {
        let now = pass.now;
        if let Some(created) = pass.created.get_mut(&item.flow.name) {
            created.push(now);
        }
    }
    claimed_keys.insert(proposal.key());
    claimed.extend(proposal.claims.iter().cloned());
    writes.push((index, proposal));
}

/// Notes the source's version as written.
pub fn rebase(pass: &Pass<'_>, item: &mut Item, notes: &mut Commit) {
    let digest = item.source.digest;
    let Some(link) = &mut item.link else { return };
    link.base_digest = Some(digest);
    link.base = None;
    if let (None, Some(target)) = (link.put, &item.target) {
        let tolerance = item.flow.policy.tolerance;
        link.put = target
            .order
            .as_ref()
            .and_then(|held| first_sight(item.source.order.as_ref(), held, tolerance));
    }
    let row = link_row(pass, item);
    notes.links.extend(row);
}

/// The stored form of an item's link.
pub fn link_row(pass: &Pass<'_>, item: &Item) -> Option<LinkPut> {
    let link = item.link.as_ref()?;
    Some(LinkPut {
        src: item.source.key.clone(),
        part: String::new(),
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Order,
        dst_id: link.id.clone(),
        key: Some(WriteKey::of(&item.source.key, "")),
        state: if link.gone {
            LinkState::Gone
        } else {
            LinkState::Live
        },
        sole: true,
        base: link.base_digest,
        put: link.put,
        at: pass.now,
    })
}

/// Notes a link that was found, for an order or for a buyer.
pub fn link(
    pass: &mut Pass<'_>,
    item: &mut Item,
    subject: comptoir_model::key::RecordKey,
    part: String,
    id: RemoteId,
    notes: &mut Commit,
) {
    notes.journal.push(JournalPut {
        connection: pass.connection.name.clone(),
        at: pass.now,
        flow: Some(item.flow.name.clone()),
        kind: subject.kind,
        src: subject.id.clone(),
        intent: None,
        what: serde_json::json!({"event": "linked", "to": id, "part": part}),
    });
    if subject.kind == Kind::Order {
        item.link = Some(OrderLink {
            id,
            gone: false,
            base_digest: None,
            base: None,
            put: None,
        });
        notes.links.extend(link_row(pass, item));
        return;
    }
    let key = (subject.connection.to_string(), subject.id.clone());
    let party = pass.parties.entry(key).or_default();
    if part.is_empty() {
        party.main = Some(id.clone());
    } else {
        party.contacts.insert(part.clone(), id.clone());
    }
    notes.links.push(LinkPut {
        key: Some(WriteKey::of(&subject, &part)),
        src: subject,
        part,
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Customer,
        dst_id: id,
        state: LinkState::Live,
        sole: false,
        base: None,
        put: None,
        at: pass.now,
    });
}

/// Notes the ends of this round and lets those records go.
fn settle(pass: &mut Pass<'_>, items: &mut Vec<Item>) {
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
