//! What may have been done: after a timeout, a crash, or a new owner, the proof is asked before anything is repeated.

use crate::decide::{claims_of, content_digest};
use crate::gather::record_put;
use crate::retry;
use crate::turn::Pass;
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::{ConnectionName, Kind, RecordKey, RemoteId};
use comptoir_model::order::{Life, Line, Order};
use comptoir_model::port::{Guard, Proof, Query, Seen, Step};
use comptoir_rules::shipment::is_shown;
use comptoir_store::{
    Commit, IntentOutcome, IntentRow, IntentState, JournalPut, LinkPut, LinkState, Reserved,
    StoreError, WorkPut, WorkState,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Asks for the proof of every write whose outcome is not known. What cannot be proved yet stays in `pass.open`.
pub async fn clear_up(pass: &mut Pass<'_>) -> Result<(), StoreError> {
    let intents = pass
        .hub
        .store
        .intents(
            &pass.connection.name,
            &[IntentState::Sent, IntentState::Unknown],
        )
        .await?;
    if intents.is_empty() {
        return Ok(());
    }
    let mut by_key: BTreeMap<Kind, Vec<IntentRow>> = BTreeMap::new();
    let mut by_state: Vec<IntentRow> = Vec::new();
    let mut commit = Commit::default();
    let capabilities = pass.connection.connector.capabilities();
    for intent in intents {
        match capabilities
            .operation(intent.kind, intent.step)
            .map(|operation| operation.proof)
        {
            Some(Proof::Key) => by_key.entry(intent.kind).or_default().push(intent),
            Some(Proof::State) => by_state.push(intent),
            Some(Proof::None) | None => nobody_knows(pass, &intent, &mut commit),
        }
    }
    for (kind, intents) in by_key {
        prove_by_key(pass, kind, &intents, &mut commit).await;
    }
    if !by_state.is_empty() && pass.stop.is_none() {
        prove_by_state(pass, &by_state, &mut commit).await?;
    }
    pass.store(commit).await?;
    Ok(())
}

fn outcome(intent: &IntentRow, state: IntentState) -> IntentOutcome {
    IntentOutcome {
        id: intent.id.clone(),
        state,
        fault: None,
        settle_at: None,
    }
}

fn note(pass: &Pass<'_>, intent: &IntentRow, event: &str) -> JournalPut {
    JournalPut {
        connection: pass.connection.name.clone(),
        at: pass.now,
        flow: Some(intent.flow.clone()),
        kind: intent.kind,
        src: intent.src.clone(),
        intent: Some(intent.id.clone()),
        what: serde_json::json!({"event": event, "step": intent.step}),
    }
}

/// Not done, as far as can be told: dropped when the target itself refuses a second one or the vendor's own limit is over.
fn absent(pass: &mut Pass<'_>, intent: &IntentRow, commit: &mut Commit) {
    let operation = pass
        .connection
        .connector
        .capabilities()
        .operation(intent.kind, intent.step);
    let unique = operation.is_some_and(|operation| operation.guard == Guard::Unique);
    let settle_at = operation.map_or(intent.settle_at, |operation| {
        settled(pass, intent, pass.connection.settle_ms(operation))
    });
    if unique || pass.now >= settle_at {
        commit.outcomes.push(outcome(intent, IntentState::Dropped));
        commit.journal.push(note(pass, intent, "proved absent"));
    } else {
        if intent.state == IntentState::Sent {
            commit.outcomes.push(IntentOutcome {
                settle_at: Some(settle_at),
                ..outcome(intent, IntentState::Unknown)
            });
        }
        stays_open(pass, intent);
    }
}

/// When the vendor must have ended this write. What a process sent that is known to have ended has no caller any more: its call ended
/// before this owner began, at the latest, and not only at its own deadline.
fn settled(pass: &Pass<'_>, intent: &IntentRow, settle_ms: i64) -> i64 {
    match pass.ownership {
        Some(own) if own.previous.is_none() && intent.sent_at <= own.since => {
            intent.settle_at.min(own.since + settle_ms)
        }
        _ => intent.settle_at,
    }
}

/// Nobody may write with this key, or create with these identifiers, before its outcome is known.
fn stays_open(pass: &mut Pass<'_>, intent: &IntentRow) {
    pass.open.insert(intent.key.clone());
    if intent.step == Step::Create
        && let Ok(Document::Customer(customer)) = Document::from_json(&intent.document)
    {
        let claims = claims_of(&customer);
        pass.claimed
            .extend(claims.into_iter().map(|claim| (intent.kind, claim)));
    }
}

async fn prove_by_key(pass: &mut Pass<'_>, kind: Kind, intents: &[IntentRow], commit: &mut Commit) {
    let queries: Vec<Query> = intents
        .iter()
        .map(|intent| Query::Key(intent.key.clone()))
        .collect();
    let answers = match retry::read(&pass.hub.patience, || {
        pass.connection.connector.find(kind, &queries)
    })
    .await
    {
        Ok(answers) => answers,
        Err(fault) => return unreachable_now(pass, intents, fault),
    };
    pass.reached = true;
    for (intent, candidates) in intents.iter().zip(answers) {
        match candidates.first() {
            Some(found) => {
                commit.outcomes.push(outcome(intent, IntentState::Proved));
                commit.journal.push(note(pass, intent, "proved done"));
                let source = source_of(pass, intent);
                commit.links.extend(source.map(|src| LinkPut {
                    src,
                    part: intent.part.clone(),
                    dst: pass.connection.name.clone(),
                    dst_kind: kind,
                    dst_id: found.id.clone(),
                    key: Some(intent.key.clone()),
                    state: LinkState::Live,
                    sole: kind == Kind::Order,
                    base: (kind == Kind::Order).then_some(intent.input),
                    put: None,
                    at: pass.now,
                }));
            }
            None => absent(pass, intent, commit),
        }
    }
}

/// The source's record an intent is about: its key begins with the source connection's name.
fn source_of(pass: &Pass<'_>, intent: &IntentRow) -> Option<RecordKey> {
    let connection: ConnectionName = match pass.hub.flow(&intent.flow) {
        Some(flow) => flow.source.clone(),
        None => intent.key.as_str().split('/').next()?.parse().ok()?,
    };
    Some(RecordKey {
        connection,
        kind: intent.kind,
        id: intent.src.clone(),
    })
}

/// Nothing can be asked now: everything stays open and the connection rests.
fn unreachable_now(pass: &mut Pass<'_>, intents: &[IntentRow], fault: Fault) {
    for intent in intents {
        stays_open(pass, intent);
    }
    pass.stop = Some(fault);
}

async fn prove_by_state(
    pass: &mut Pass<'_>,
    intents: &[IntentRow],
    commit: &mut Commit,
) -> Result<(), StoreError> {
    let targets: Vec<RemoteId> = intents
        .iter()
        .filter_map(|intent| intent.target.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let reads = pass.connection.connector.capabilities().reads(Kind::Order);
    // What a flow reads as its source would be no news to it if it was stored here.
    let kept = !pass.hub.reads(&pass.connection.name, Kind::Order);
    let mut seen: HashMap<RemoteId, Order> = HashMap::new();
    for chunk in targets.chunks(reads.map_or(100, |reads| reads.ids.max(1))) {
        let connector = &pass.connection.connector;
        let read = retry::read(&pass.hub.patience, || connector.read(Kind::Order, chunk)).await;
        let answers = match read {
            Ok(answers) => answers,
            Err(fault) => {
                unreachable_now(pass, intents, fault);
                return Ok(());
            }
        };
        for answer in answers {
            if let Seen::Record(record) = answer {
                commit
                    .records
                    .extend(kept.then(|| record_put(pass, &record)));
                if let Document::Order(order) = record.document {
                    seen.insert(record.id, *order);
                }
            }
        }
    }
    pass.reached = true;
    let proved_at = pass.hub.store.now().await?;
    for intent in intents {
        let held = intent.target.as_ref().and_then(|target| seen.get(target));
        match held {
            Some(order) if shows(intent, order) => {
                commit.outcomes.push(outcome(intent, IntentState::Proved));
                commit.journal.push(note(pass, intent, "proved done"));
                if intent.kind == Kind::Shipment {
                    commit.links.extend(shipment_link(pass, intent));
                    continue;
                }
                if reserves(pass, intent) {
                    commit.reserved.push(Reserved {
                        flow: intent.flow.clone(),
                        order: intent.src.clone(),
                        at: proved_at,
                    });
                }
                if intent.step == Step::Confirm {
                    pass.confirmed.insert(intent.key.clone());
                }
                let base = (intent.step == Step::Update).then_some(intent.input);
                let put = (!noted(intent, order)).then(|| content_digest(order));
                relink(pass, intent, put, base, commit).await?;
            }
            _ => absent(pass, intent, commit),
        }
    }
    Ok(())
}

/// Whether a write makes the target reserve goods that a flow of stock counts.
fn reserves(pass: &Pass<'_>, intent: &IntentRow) -> bool {
    let capabilities = pass.connection.connector.capabilities();
    let operation = capabilities.operation(intent.kind, intent.step);
    pass.hub.pushes_stock_of(&pass.connection.name)
        && operation.is_some_and(|operation| operation.reserves_stock)
}

/// The link of a shipment that the shop's order shows.
fn shipment_link(pass: &Pass<'_>, intent: &IntentRow) -> Option<LinkPut> {
    Some(LinkPut {
        src: source_of(pass, intent)?,
        part: String::new(),
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Shipment,
        dst_id: intent.target.clone()?,
        key: Some(intent.key.clone()),
        state: LinkState::Live,
        sole: false,
        base: Some(intent.input),
        put: None,
        at: pass.now,
    })
}

/// Whether the order has another note than our update left: a person wrote it since.
fn noted(intent: &IntentRow, held: &Order) -> bool {
    let words = |note: &str| note.split_whitespace().collect::<String>();
    match Document::from_json(&intent.document) {
        Ok(Document::Order(order)) if intent.step == Step::Update => {
            words(&order.note) != words(&held.note)
        }
        _ => false,
    }
}

/// Our own write changed the target's look: note it, or the next turn takes it for a person's edit.
async fn relink(
    pass: &Pass<'_>,
    intent: &IntentRow,
    put: Option<Digest>,
    base: Option<Digest>,
    commit: &mut Commit,
) -> Result<(), StoreError> {
    let Some(src) = source_of(pass, intent) else {
        return Ok(());
    };
    let part = (src.id.clone(), String::new());
    let mut links = pass
        .hub
        .store
        .links(
            &src.connection,
            Kind::Order,
            std::slice::from_ref(&part),
            &pass.connection.name,
        )
        .await?;
    commit.links.extend(links.remove(&part).map(|row| LinkPut {
        src,
        part: String::new(),
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Order,
        dst_id: row.dst_id,
        key: Some(intent.key.clone()),
        state: row.state,
        sole: true,
        base: base.or(row.base),
        put: put.or(row.put),
        at: pass.now,
    }));
    Ok(())
}

/// Whether the target shows that this write was done.
fn shows(intent: &IntentRow, held: &Order) -> bool {
    if let Ok(Document::Shipment(wanted)) = Document::from_json(&intent.document) {
        return is_shown(&wanted, held);
    }
    match intent.step {
        Step::Confirm => matches!(held.status.life, Life::Open | Life::Completed),
        Step::Cancel => held.status.life == Life::Cancelled,
        Step::Create => true,
        Step::Update => {
            let read = |json: &[u8]| match Document::from_json(json) {
                Ok(Document::Order(order)) => Some(*order),
                _ => None,
            };
            let after = read(&intent.document);
            let before = intent.before.as_deref().and_then(read);
            match (before, after) {
                (Some(before), Some(after)) => reflects(&before, &after, held),
                _ => false,
            }
        }
    }
}

/// Whether `held` has every line that an update added or changed, and none that it removed.
fn reflects(before: &Order, after: &Order, held: &Order) -> bool {
    let same = |a: &Line, b: &Line| {
        a.product == b.product && a.quantity == b.quantity && a.unit_price == b.unit_price
    };
    let in_held = |line: &Line| held.lines.iter().any(|other| same(line, other));
    let by_id = |order: &Order, id: &str| order.lines.iter().find(|line| line.id == id).cloned();
    let added = after
        .lines
        .iter()
        .filter(|line| by_id(before, &line.id).is_none_or(|old| !same(&old, line)));
    let mut removed = before
        .lines
        .iter()
        .filter(|line| by_id(after, &line.id).is_none());
    let header = (before.note == after.note || after.note == held.note)
        && (before.status.word == after.status.word || after.status.word == held.status.word)
        && after.attributes.iter().all(|(name, value)| {
            before.attributes.get(name) == Some(value) || held.attributes.get(name) == Some(value)
        });
    let added_there = added.into_iter().all(in_held);
    let removed_gone = removed.all(|line| {
        let kept = after.lines.iter().filter(|other| same(line, other)).count();
        held.lines.iter().filter(|other| same(line, other)).count() <= kept
    });
    header && added_there && removed_gone
}

/// No proof exists: a person looks. Never repeated by the machine.
fn nobody_knows(pass: &mut Pass<'_>, intent: &IntentRow, commit: &mut Commit) {
    stays_open(pass, intent);
    if pass.now < intent.settle_at || intent.kind == Kind::Customer {
        return;
    }
    commit.outcomes.push(outcome(intent, IntentState::Refused));
    commit.work.push(WorkPut {
        flow: intent.flow.clone(),
        kind: intent.kind,
        src: intent.src.clone(),
        state: WorkState::Held,
        cause: Some(Cause::Unknown(comptoir_model::code::Code::OutcomeUnknown).to_string()),
        due: None,
        done: None,
        tries: 0,
        rounds: 0,
        decided: intent.input,
        since: None,
    });
}
