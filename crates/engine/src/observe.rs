//! Observe: polls and hints. A page, the work it makes due and the new cursor are stored in one transaction.

use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::point::Point;
use crate::readers::Readers;
use crate::retry;
use crate::schedule;
use crate::stock;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use comptoir_store::{
    Commit, JournalPut, Ownership, RecordPut, RecordState, ReservePut, StoreError, StreamPut,
    WorkDue, WorkState,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Hints taken at once.
const HINTS: usize = 1_000;

/// What one observation did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    /// Records that were new or had changed.
    pub changed: usize,
    /// Calls of the connector.
    pub calls: usize,
    /// The next poll (unix ms), if any stream is polled.
    pub next_at: Option<i64>,
}

/// Why an observation stopped.
#[derive(Debug)]
pub enum Stopped {
    /// The system.
    Fault(Fault),
    /// The store.
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped::Store(error)
    }
}

/// The flows that read a kind from a connection.
fn readers(hub: &Hub, connection: &Connection, kind: Kind) -> Vec<Arc<Flow>> {
    hub.flows
        .iter()
        .filter(|flow| {
            flow.source == connection.name
                && flow.kind == kind
                && flow.mode != crate::flow::Mode::Off
        })
        .cloned()
        .collect()
}

/// Reads what was hinted, then every stream whose time has come.
pub async fn observe(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
) -> Result<Observed, Stopped> {
    let mut observed = Observed::default();
    let polls = take_hints(hub, connection, ownership, &mut observed).await?;
    let kinds: BTreeSet<Kind> = hub
        .flows
        .iter()
        .filter(|flow| flow.source == connection.name && flow.mode != crate::flow::Mode::Off)
        .map(|flow| flow.kind)
        .filter(|kind| *kind != Kind::Stock)
        .collect();
    let _reading = connection.reading.lock().await;
    for kind in kinds
        .into_iter()
        .filter(|kind| !connection.is_closed(*kind))
    {
        let read = poll(hub, connection, ownership, kind, &polls, &mut observed).await;
        on_its_own(hub, connection, kind, read)?;
    }
    if !connection.is_closed(Kind::Stock) {
        let hinted = polls.contains(&Kind::Stock);
        let read = stock::listing::poll(hub, connection, ownership, hinted, &mut observed).await;
        on_its_own(hub, connection, Kind::Stock, read)?;
    }
    Ok(observed)
}

/// A right that is missing for what goes back to a shop does not stop the orders: only that kind rests for a while. The probe names
/// the right too.
fn on_its_own(
    hub: &Hub,
    connection: &Connection,
    kind: Kind,
    read: Result<(), Stopped>,
) -> Result<(), Stopped> {
    match read {
        Err(Stopped::Fault(fault)) if kind != Kind::Order && fault.code == Code::MissingRight => {
            tracing::warn!(connection = %connection.name, %kind, %fault, "is not read");
            connection.close(
                kind,
                Duration::from_millis(hub.patience.locked_ms.unsigned_abs()),
            );
            Ok(())
        }
        read => read,
    }
}

/// Reads a stream now, whenever its time would come.
pub async fn poll_now(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    kind: Kind,
) -> Result<(), Stopped> {
    let _reading = connection.reading.lock().await;
    let mut observed = Observed::default();
    poll(
        hub,
        connection,
        ownership,
        kind,
        &BTreeSet::from([kind]),
        &mut observed,
    )
    .await
}

/// Fetches hinted records by id, as many per call as the vendor allows. Answers the kinds that were hinted as "poll now".
async fn take_hints(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    observed: &mut Observed,
) -> Result<BTreeSet<Kind>, Stopped> {
    let mut polls = BTreeSet::new();
    let hints = hub.store.hints(&connection.name, HINTS).await?;
    let began = hub.store.now().await?;
    for kind in Kind::ALL {
        let of_kind: Vec<_> = hints.iter().filter(|hint| hint.kind == kind).collect();
        if of_kind.is_empty() {
            continue;
        }
        if of_kind.iter().any(|hint| hint.remote.is_none()) {
            polls.insert(kind);
        }
        let ids: Vec<RemoteId> = of_kind
            .iter()
            .filter_map(|hint| hint.remote.clone())
            .collect();
        let flows = match kind {
            // Both sides of a flow of stock are read.
            Kind::Stock => stock::listing::flows(hub, connection),
            _ => readers(hub, connection, kind),
        };
        let reads = connection.connector.capabilities().reads(kind);
        let (Some(reads), false) = (reads, flows.is_empty()) else {
            // Nobody reads this kind: what was hinted of it must not stand in front of others.
            let hinted = of_kind.iter().map(|hint| hint.remote.clone()).collect();
            forget_hints(hub, connection, ownership, kind, hinted, began).await?;
            continue;
        };
        for chunk in ids.chunks(reads.ids.max(1)) {
            let seen = retry::read(&hub.patience, || connection.connector.read(kind, chunk))
                .await
                .map_err(Stopped::Fault)?;
            observed.calls += 1;
            let mut commit = if kind == Kind::Stock {
                stock::listing::take(hub, connection, seen, began).await?
            } else {
                let mut sorted = Sorted::default();
                for item in seen {
                    sorted.take(item);
                }
                sorted.commit(hub, connection, kind, &flows, began).await?
            };
            observed.changed += commit.due.len();
            commit.hints_read = chunk
                .iter()
                .map(|id| (connection.name.clone(), kind, Some(id.clone()), began))
                .collect();
            hub.store.commit(Some(ownership), commit).await?;
            ring(hub, &flows);
        }
    }
    Ok(polls)
}

async fn forget_hints(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    kind: Kind,
    hinted: Vec<Option<RemoteId>>,
    began: i64,
) -> Result<(), StoreError> {
    let hints_read = hinted
        .into_iter()
        .map(|id| (connection.name.clone(), kind, id, began))
        .collect();
    let commit = Commit {
        hints_read,
        ..Commit::default()
    };
    hub.store.commit(Some(ownership), commit).await.map(|_| ())
}

/// Reads a stream page by page when its time has come or a hint asks for it.
async fn poll(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    kind: Kind,
    hinted: &BTreeSet<Kind>,
    observed: &mut Observed,
) -> Result<(), Stopped> {
    let flows = readers(hub, connection, kind);
    if flows.is_empty() {
        return Ok(());
    }
    if !connection
        .connector
        .capabilities()
        .reads(kind)
        .is_some_and(|reads| reads.changes)
    {
        return Ok(());
    }
    let now = hub.store.now().await?;
    // Quiet only while every flow that reads here is: one poll serves them all.
    let quiet: Option<i64> = flows
        .iter()
        .map(|flow| schedule::quiet_until(flow, now))
        .min()
        .flatten();
    if let Some(until) = quiet {
        observed.next_at = Some(observed.next_at.map_or(until, |at| at.min(until)));
        return Ok(());
    }
    let stream = hub.store.stream(&connection.name, kind).await?;
    let readers = Readers::of(&flows, |flow| hub.pushes_stock_of(&flow.target));
    let begin = || match readers.since() {
        Some(at) => connection.connector.cursor_since(kind, at),
        None => Cursor::start(),
    };
    let (mut stands, mut cursor, next_at, mut last_new) = match stream {
        Some(row) if !readers.are_within(&Readers::from_stored(&row.readers)) => {
            (row.cursor, begin(), 0, row.last_new)
        }
        Some(row) if row.cursor.is_start() => (row.cursor, begin(), row.next_at, row.last_new),
        Some(row) => (row.cursor.clone(), row.cursor, row.next_at, row.last_new),
        None => (Cursor::start(), begin(), 0, None),
    };
    if next_at > now && !hinted.contains(&kind) {
        observed.next_at = Some(observed.next_at.map_or(next_at, |at| at.min(next_at)));
        return Ok(());
    }
    loop {
        let began = hub.store.now().await?;
        let page = retry::read(&hub.patience, || {
            connection.connector.changes(kind, &cursor)
        })
        .await
        .map_err(Stopped::Fault)?;
        observed.calls += 1;
        let Page {
            items,
            gone,
            next,
            more,
        } = page;
        let mut sorted = Sorted::default();
        for item in items {
            match item {
                Ok(record) => sorted.records.push(record),
                Err(item) => sorted.unreadable.push(item),
            }
        }
        sorted.gone.extend(gone);
        let mut commit = sorted.commit(hub, connection, kind, &flows, began).await?;
        hub.breakpoints.pass(Point::PageRead).await;
        observed.changed += commit.due.len();
        if !commit.due.is_empty() {
            last_new = Some(began);
        }
        cursor = next.clone();
        let read_from = std::mem::replace(&mut stands, next.clone());
        let next_at = if more {
            began
        } else {
            let next = flows.iter().map(|flow| schedule::next_poll(flow, began));
            next.min().unwrap_or(began)
        };
        commit.stream = Some(StreamPut {
            connection: connection.name.clone(),
            kind,
            read_from: Some(read_from),
            cursor: next,
            readers: readers.stored(),
            next_at,
            last_new,
        });
        if !more {
            commit.hints_read = vec![(connection.name.clone(), kind, None, began)];
            observed.next_at = Some(observed.next_at.map_or(next_at, |at| at.min(next_at)));
        }
        hub.store.commit(Some(ownership), commit).await?;
        hub.breakpoints.pass(Point::PageStored).await;
        ring(hub, &flows);
        if !more {
            return Ok(());
        }
    }
}

fn ring(hub: &Hub, flows: &[Arc<Flow>]) {
    for flow in flows {
        if let Some(target) = hub.connections.get(&flow.target) {
            target.due.notify_one();
        }
    }
}

/// What was read, by what it is.
#[derive(Default)]
struct Sorted {
    records: Vec<Record>,
    unreadable: Vec<Unreadable>,
    gone: Vec<RemoteId>,
}

impl Sorted {
    fn take(&mut self, seen: Seen) {
        match seen {
            Seen::Record(record) => self.records.push(*record),
            Seen::Unreadable(item) => self.unreadable.push(*item),
            Seen::Gone(id) => self.gone.push(id),
        }
    }

    fn ids(&self) -> Vec<RemoteId> {
        let records = self.records.iter().map(|record| record.id.clone());
        let unreadable = self.unreadable.iter().map(id_of_unreadable);
        let gone = self.gone.iter().cloned();
        records.chain(unreadable).chain(gone).collect()
    }

    /// The commit of everything that is news. What is stored with the same digest already is left out.
    async fn commit(
        self,
        hub: &Hub,
        connection: &Connection,
        kind: Kind,
        flows: &[Arc<Flow>],
        began: i64,
    ) -> Result<Commit, StoreError> {
        let known = Known::of(hub, connection, kind, &self.ids()).await?;
        let mut commit = Commit::default();
        let put = |id: RemoteId, digest: Digest, state: RecordState| RecordPut {
            connection: connection.name.clone(),
            kind,
            id,
            parent: None,
            version: String::new(),
            digest,
            state,
            document: None,
            raw: None,
            seen_at: began,
        };
        let own = |id: &RemoteId| format!("{}/{}/{}", connection.name, kind, id);
        let due = |id: &RemoteId, digest, flows: &[&Arc<Flow>]| {
            due(kind, id, own(id), digest, flows, began)
        };
        for record in self.records {
            let json = record.document.to_json();
            let digest = Digest::of(&json);
            reserve(hub, &known, flows, &record, digest, &mut commit);
            let covered = covering(flows, &record.document);
            let Some(takers) = known.takers(&record.id, digest, RecordState::Live, covered) else {
                continue;
            };
            let root = root_of(connection, &record);
            let mut row = put(record.id.clone(), digest, RecordState::Live);
            row.version = record.version;
            if !takers.is_empty() {
                row.document = Some(json);
                row.raw = record.raw;
            }
            commit.records.push(row);
            let works = self::due(kind, &record.id, root, digest, &takers, began);
            commit.due.extend(works);
        }
        let all: Vec<&Arc<Flow>> = flows.iter().collect();
        for id in self.gone {
            // Only what was known can be missed.
            if known.may_be_missed(&id) {
                let digest = Digest::of(b"gone");
                release(hub, flows, &id, &mut commit);
                commit.due.extend(due(&id, digest, &all));
                commit.records.push(put(id, digest, RecordState::Gone));
            }
        }
        for item in self.unreadable {
            let id = id_of_unreadable(&item);
            let digest = Digest::of(item.raw.as_bytes());
            let state = RecordState::Unreadable;
            let Some(takers) = known.takers(&id, digest, state, all.clone()) else {
                continue;
            };
            commit.journal.push(JournalPut {
                connection: connection.name.clone(),
                at: began,
                flow: None,
                kind,
                src: id.clone(),
                intent: None,
                what: serde_json::json!({"event": "unreadable", "fault": item.fault}),
            });
            commit.due.extend(due(&id, digest, &takers));
            let mut row = put(id, digest, state);
            row.raw = Some(item.raw);
            commit.records.push(row);
        }
        stock::stir_takers(hub, &mut commit).await?;
        Ok(commit)
    }
}

/// The document whose turns come one at a time: a shipment's is its order.
fn root_of(connection: &Connection, record: &Record) -> String {
    match &record.document {
        Document::Shipment(shipment) => {
            format!("{}/{}/{}", connection.name, Kind::Order, shipment.order)
        }
        other => format!("{}/{}/{}", connection.name, other.kind(), record.id),
    }
}

/// Notes what an order takes of the stock of the ERP it goes to, until the ERP's figures show it. An order that was done before is in
/// them already.
fn reserve(
    hub: &Hub,
    known: &Known,
    flows: &[Arc<Flow>],
    record: &Record,
    digest: Digest,
    commit: &mut Commit,
) {
    let Some(order) = record.document.as_order() else {
        return;
    };
    for flow in flows
        .iter()
        .filter(|flow| hub.pushes_stock_of(&flow.target))
    {
        if known.is_settled(&record.id, digest, flow) {
            continue;
        }
        let takes = match flow.passes_over(order) {
            None => comptoir_rules::stock::takes(order),
            Some(_) => BTreeMap::new(),
        };
        commit.reserves.push(ReservePut {
            flow: flow.name.clone(),
            order: record.id.clone(),
            target: flow.target.clone(),
            takes,
        });
    }
}

/// An order that is gone takes nothing any more.
fn release(hub: &Hub, flows: &[Arc<Flow>], id: &RemoteId, commit: &mut Commit) {
    let reserving = flows
        .iter()
        .filter(|flow| hub.pushes_stock_of(&flow.target));
    commit.reserves.extend(reserving.map(|flow| ReservePut {
        flow: flow.name.clone(),
        order: id.clone(),
        target: flow.target.clone(),
        takes: BTreeMap::new(),
    }));
}

/// The id of an item that cannot be read; made of its text where it names none.
fn id_of_unreadable(item: &Unreadable) -> RemoteId {
    item.id.clone().unwrap_or_else(|| {
        let digest = Digest::of(item.raw.as_bytes()).to_string();
        RemoteId(format!("unreadable-{}", &digest[..16]))
    })
}

/// What is stored already of the records of a page.
struct Known {
    records: HashMap<RemoteId, (Digest, RecordState)>,
    /// By record and flow.
    work: HashMap<(RemoteId, FlowName), WorkState>,
}

impl Known {
    async fn of(
        hub: &Hub,
        connection: &Connection,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Self, StoreError> {
        let records = hub.store.digests(&connection.name, kind, ids).await?;
        let known: Vec<RemoteId> = records.keys().cloned().collect();
        let work = hub.store.states(kind, &known).await?;
        Ok(Known { records, work })
    }

    /// The flows that are to take it, of those whose business it is; none when nothing of it is news. What is stored just so is news all
    /// the same for a flow that did not take it when it was read before.
    fn takers<'a>(
        &self,
        id: &RemoteId,
        digest: Digest,
        state: RecordState,
        mut covering: Vec<&'a Arc<Flow>>,
    ) -> Option<Vec<&'a Arc<Flow>>> {
        if self.records.get(id) != Some(&(digest, state)) {
            return Some(covering);
        }
        covering.retain(|flow| {
            let work = self.work.get(&(id.clone(), flow.name.clone()));
            matches!(work, None | Some(WorkState::Skipped))
        });
        (!covering.is_empty()).then_some(covering)
    }

    /// Whether a flow has settled this very version.
    fn is_settled(&self, id: &RemoteId, digest: Digest, flow: &Flow) -> bool {
        self.records.get(id) == Some(&(digest, RecordState::Live))
            && matches!(
                self.work.get(&(id.clone(), flow.name.clone())),
                Some(WorkState::Done)
            )
    }

    fn may_be_missed(&self, id: &RemoteId) -> bool {
        self.records
            .get(id)
            .is_some_and(|(_, state)| *state != RecordState::Gone)
    }
}

/// The flows whose business this document is at all.
fn covering<'a>(flows: &'a [Arc<Flow>], document: &Document) -> Vec<&'a Arc<Flow>> {
    let placed = match document {
        Document::Order(order) => order.dates.placed,
        Document::Shipment(shipment) => shipment.shipped_at,
        _ => None,
    };
    flows.iter().filter(|flow| flow.covers(placed)).collect()
}

fn due(
    kind: Kind,
    id: &RemoteId,
    root: String,
    want: Digest,
    flows: &[&Arc<Flow>],
    at: i64,
) -> Vec<WorkDue> {
    flows
        .iter()
        .map(|flow| WorkDue {
            flow: flow.name.clone(),
            kind,
            src: id.clone(),
            dst: flow.target.clone(),
            root: root.clone(),
            want,
            at,
        })
        .collect()
}
