//! A pass over what is due for one target: gather, then decide and act in rounds until every record has settled, waits or is held.
//!
//! Many records go through their turns together: their questions are asked in one call, their writes go out as batches, and
//! each round costs one commit, however many records are in it: what was learnt in the last round and the intents of this one
//! are stored together, before the calls.

use crate::answers::Answers;
use crate::connection::Connection;
use crate::decide::{Case, Decision, OrderLink, Party, Proposal, Source, Target, Verdict, decide};
use crate::end::{End, settle};
use crate::flow::{Flow, Mode};
use crate::hub::Hub;
use crate::note::{link, rebase};
use crate::plan::Plans;
use crate::point::Point;
use crate::{execute, gather, prove, schedule, stock};
use comptoir_model::account::Account;
use comptoir_model::cause::Cause;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{FlowName, Kind, RemoteId, WriteKey};
use comptoir_model::port::Query;
use comptoir_store::{Commit, Ownership, Scope, WorkPut, WorkRow, WorkState};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::sync::Notify;

/// Records worked on together.
const PASS: usize = 400;
/// What goes this road: documents. Stock has one of its own.
const KINDS: &[Kind] = &[Kind::Order, Kind::Shipment];
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
/// What comes by itself is looked for again after this long, so that waiting ends.
const COMES_BY_ITSELF_MS: i64 = 24 * 3_600_000;
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
    /// The source's own answer, where a rule reads it.
    pub raw: Option<String>,
    /// Its buyer's key.
    pub buyer: RemoteId,
    /// Its link.
    pub link: Option<OrderLink>,
    /// Of a shipment: the shop's order that its order was made from.
    pub sold: Option<RemoteId>,
    /// Of a shipment: another shop sold it.
    pub sold_elsewhere: bool,
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
    /// Root documents that were taken into this pass.
    pub roots: BTreeSet<(FlowName, String)>,
    /// When each flow created in the last rolling hour (unix ms), oldest first: what its cap counts.
    pub created: BTreeMap<FlowName, Vec<i64>>,
    /// Whether a call to the target went well in this pass.
    pub reached: bool,
    /// The fault that pauses the connection, if one came.
    pub stop: Option<Fault>,
    /// The plans under which records of flows that do not write by themselves may be written, by id.
    pub plans: Plans,
    /// What was learnt and is not stored yet: stored with the next intents or by [`Pass::keep`], always before the next call.
    pub learnt: Commit,
}

impl Item {
    /// The target's record that it is about, as far as that is known.
    pub fn target_id(&self) -> Option<&RemoteId> {
        self.link
            .as_ref()
            .map(|link| &link.id)
            .or(self.sold.as_ref())
    }
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
            roots: BTreeSet::new(),
            created: BTreeMap::new(),
            reached: false,
            stop: None,
            plans: Plans::default(),
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
    pub async fn store(&self, mut commit: Commit) -> Result<(), comptoir_store::StoreError> {
        if self.ownership.is_none() {
            return Ok(());
        }
        let (hub, name) = (self.hub, &self.connection.name);
        if !hub.pushes_stock_of(name) {
            hub.store.commit(self.ownership, commit).await?;
            return Ok(());
        }
        stock::stir_takers(hub, &mut commit).await?;
        let reserved = Commit {
            reserved: commit.reserved.clone(),
            ..Commit::default()
        };
        hub.store.commit(self.ownership, commit).await?;
        stock::hint_reserved(hub, name, &reserved).await
    }

    /// Stores what was learnt, if anything was.
    pub async fn keep(&mut self) -> Result<(), comptoir_store::StoreError> {
        let learnt = std::mem::take(&mut self.learnt);
        if !learnt.is_empty() {
            let intends = !learnt.intents.is_empty();
            self.store(learnt).await?;
            if !intends {
                self.hub.breakpoints.pass(Point::OutcomesStored).await;
            }
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
    let mut items = Vec::new();
    admit(&mut pass, ownership, &mut items).await?;
    let mut report = Report::default();
    for _ in 0..ROUNDS {
        if items.is_empty() || pass.stop.is_some() || is_halted(hub, connection, &items).await? {
            break;
        }
        report.writes += round(&mut pass, &mut items).await?;
        let seen_by = match hub.pushes_stock_of(&connection.name) {
            true => hub.store.now().await?,
            false => now,
        };
        settle(&mut pass, &mut items, seen_by);
        // In a burst, what comes while a first few are under way need not wait for their end.
        if !items.is_empty() && pass.roots.len() < PASS && rung(&connection.due).await {
            admit(&mut pass, ownership, &mut items).await?;
        }
    }
    report.records = pass.roots.len();
    for item in &mut items {
        item.end = Some(End::Due);
    }
    settle(&mut pass, &mut items, now);
    pass.keep().await?;
    report.paused = pass.stop.is_some();
    Ok((report, pass.stop))
}

/// Whether the bell rang since it was listened to last. Nothing is lost by taking that note: after a pass with records comes another.
async fn rung(bell: &Notify) -> bool {
    tokio::select! {
        biased;
        () = bell.notified() => true,
        () = std::future::ready(()) => false,
    }
}

/// Takes what is due into the pass, as far as there is place, and no root document twice.
async fn admit(
    pass: &mut Pass<'_>,
    ownership: &Ownership,
    items: &mut Vec<Item>,
) -> Result<(), comptoir_store::StoreError> {
    let (hub, name) = (pass.hub, &pass.connection.name);
    let now = hub.store.now().await?;
    let mut works = hub.store.due(name, KINDS, now, PASS).await?;
    works.retain(|work| !pass.roots.contains(&(work.flow.clone(), work.root.clone())));
    works.truncate(PASS - pass.roots.len());
    let works = set_aside(hub, ownership, works, now).await?;
    let roots = works
        .iter()
        .map(|work| (work.flow.clone(), work.root.clone()));
    pass.roots.extend(roots);
    let admitted = gather::items(pass, works).await?;
    load_caps(pass, &admitted).await?;
    let approvals = admitted.iter().map(|item| item.work.approved.as_deref());
    pass.plans.load(hub, approvals).await?;
    items.extend(admitted);
    Ok(())
}

/// Whether a person stopped something that this pass works on: what was written is proved, nothing more is begun.
async fn is_halted(
    hub: &Hub,
    connection: &Connection,
    items: &[Item],
) -> Result<bool, comptoir_store::StoreError> {
    let halts = hub.store.halts().await?;
    Ok(halts.iter().any(|halt| match &halt.scope {
        Scope::All => true,
        Scope::Connection(name) => *name == connection.name,
        Scope::Flow(name) => items.iter().any(|item| item.flow.name == *name),
    }))
}

/// The flows that a person paused.
pub async fn paused_flows(hub: &Hub) -> Result<BTreeSet<FlowName>, comptoir_store::StoreError> {
    let halts = hub.store.halts().await?.into_iter();
    Ok(halts
        .filter_map(|halt| match halt.scope {
            Scope::Flow(flow) => Some(flow),
            _ => None,
        })
        .collect())
}

/// Rows whose flow is off, paused or keeps quiet now are parked, so that they do not stand in front of others.
pub async fn set_aside(
    hub: &Hub,
    ownership: &Ownership,
    works: Vec<WorkRow>,
    now: i64,
) -> Result<Vec<WorkRow>, comptoir_store::StoreError> {
    let mut kept = Vec::with_capacity(works.len());
    if works.is_empty() {
        return Ok(kept);
    }
    let paused = paused_flows(hub).await?;
    let mut commit = Commit::default();
    for work in works {
        let (cause, until) = match hub.flow(&work.flow) {
            None => (Cause::Off, now + OFF_MS),
            Some(flow) if paused.contains(&flow.name) => {
                (Cause::Paused(flow.name.to_string()), now + OFF_MS)
            }
            Some(flow) => match schedule::quiet_until(&flow, now) {
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
        hub.store.commit(Some(ownership), commit).await?;
    }
    Ok(kept)
}

async fn load_caps(pass: &mut Pass<'_>, items: &[Item]) -> Result<(), comptoir_store::StoreError> {
    let capped: BTreeSet<&FlowName> = items
        .iter()
        .filter(|item| item.flow.caps.creates_per_hour > 0)
        .map(|item| &item.flow.name)
        .filter(|flow| !pass.created.contains_key(*flow))
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
                let until = pass.now + patience(pass, &cause);
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
    if asks.is_empty() && looks.is_empty() && writes.is_empty() {
        return Ok(0);
    }
    let sent = execute::intend(pass, items, writes);
    pass.keep().await?;
    // Each of these is about other records: what one asks need not wait for what another writes.
    let (asked, looked, written) = tokio::join!(
        gather::ask(pass, asks),
        gather::look(pass, items, &looks),
        execute::call(pass, items, &sent),
    );
    gather::note_answers(pass, asked);
    gather::note_looks(pass, items, &looks, looked);
    execute::note_writes(pass, items, sent, written).await
}

/// How long something is waited for before it is looked at again. What comes by itself wakes its records when it does.
fn patience(pass: &Pass<'_>, cause: &Cause) -> i64 {
    match cause {
        Cause::Tracking | Cause::Link(..) => COMES_BY_ITSELF_MS,
        _ => pass.hub.patience.first_ms,
    }
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
    with_case(pass, item, decide)
}

/// Asks something of the case of an item.
pub fn with_case<T>(pass: &Pass<'_>, item: &Item, ask: impl FnOnce(&Case<'_>) -> T) -> T {
    let nobody = Party::default();
    let party = pass
        .parties
        .get(&(item.flow.source.to_string(), item.buyer.clone()))
        .unwrap_or(&nobody);
    let capabilities = pass.connection.connector.capabilities();
    ask(&Case {
        flow: &item.flow,
        account: &pass.account,
        source: &item.source,
        buyer: &item.buyer,
        party,
        link: item.link.as_ref(),
        sold: item.sold.as_ref(),
        sold_elsewhere: item.sold_elsewhere,
        target: item.target.as_ref(),
        answers: &pass.answers,
        open: &pass.open,
        confirmed: pass.confirmed.contains(&WriteKey::of(&item.source.key, "")),
        verdict: Verdict::of(item.work.approved.as_deref()),
        now: pass.now,
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
    let input = item.source.digest;
    if item.flow.mode != Mode::Live && !pass.plans.allow(&item.work, input, &proposal) {
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
