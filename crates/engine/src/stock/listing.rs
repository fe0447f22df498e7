//! Reading stock, on either side: what changed as often as the flows say, and everything once a night.

use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::observe::{Observed, Stopped};
use crate::point::Point;
use crate::retry;
use crate::schedule;
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use comptoir_model::stock::Stock;
use comptoir_store::{
    Commit, JournalPut, KitPut, LevelPut, LevelRow, Ownership, StoreError, StreamPut, WorkDue,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How often a shop's own stock is looked at for new items, and for what others changed there.
const SHOP_MS: i64 = 15 * 60_000;
/// Pages read on end before orders and shipments have their turn again.
const PAGES: usize = 4;
/// Items forgotten together after a reading of everything.
const GONE: usize = 500;

/// What a stream of stock remembers beside its cursor.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Listing {
    /// The flows that read it.
    flows: BTreeSet<FlowName>,
    /// When the last reading of everything began (unix ms).
    whole_since: i64,
    /// Whether that has ended.
    ended: bool,
}

/// The flows of stock that a connection is a side of.
pub fn flows(hub: &Hub, connection: &Connection) -> Vec<Arc<Flow>> {
    let of_stock = hub.working().filter(|flow| flow.kind == Kind::Stock);
    let sides =
        of_stock.filter(|flow| flow.source == connection.name || flow.target == connection.name);
    sides.cloned().collect()
}

/// Reads a connection's stock page by page when its time has come or a hint asks for it.
///
/// # Errors
/// The system's, or the store's.
pub async fn poll(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    hinted: bool,
    observed: &mut Observed,
) -> Result<(), Stopped> {
    let flows = flows(hub, connection);
    let reads = connection.connector.capabilities().reads(Kind::Stock);
    if flows.is_empty() || !reads.is_some_and(|reads| reads.changes) {
        return Ok(());
    }
    let now = hub.store.now().await?;
    let row = hub.store.stream(&connection.name, Kind::Stock).await?;
    let mut listing: Listing = row
        .as_ref()
        .and_then(|row| serde_json::from_str(&row.readers).ok())
        .unwrap_or_default();
    let names: BTreeSet<FlowName> = flows.iter().map(|flow| flow.name.clone()).collect();
    let compare = flows.iter().map(|flow| {
        let minute = schedule::minute_of_day(&flow.stock.compare_at);
        schedule::next_at(flow, minute.unwrap_or_default(), listing.whole_since)
    });
    let compare = compare.min().unwrap_or(i64::MAX);
    let anew =
        row.is_none() || !names.is_subset(&listing.flows) || (listing.ended && compare <= now);
    let (mut stands, mut cursor, next_at) = match row {
        Some(row) if anew => (row.cursor, Cursor::start(), 0),
        Some(row) => (row.cursor.clone(), row.cursor, row.next_at),
        None => (Cursor::start(), Cursor::start(), 0),
    };
    let sooner = |at: i64, observed: &mut Observed| {
        observed.next_at = Some(observed.next_at.map_or(at, |known| known.min(at)));
    };
    if next_at > now && !hinted {
        sooner(next_at.min(compare), observed);
        return Ok(());
    }
    if anew {
        listing.whole_since = now;
        listing.ended = false;
    }
    listing.flows = names;
    let mut pages = 0;
    loop {
        let began = hub.store.now().await?;
        let read = || connection.connector.changes(Kind::Stock, &cursor);
        let page = retry::read(&hub.patience, read)
            .await
            .map_err(Stopped::Fault)?;
        observed.calls += 1;
        let more = page.more;
        let next = page.next.clone();
        let side = Side {
            hub,
            connection,
            flows: &flows,
            whole: !listing.ended,
        };
        let mut commit = side.commit(page, began).await?;
        hub.breakpoints.pass(Point::PageRead).await;
        observed.changed += commit.due.len() + commit.stir.len();
        let whole_ends = !more && !listing.ended;
        listing.ended |= whole_ends;
        let next_at = if more {
            began
        } else {
            next_poll(connection, &flows, began)
        };
        commit.stream = Some(StreamPut {
            connection: connection.name.clone(),
            kind: Kind::Stock,
            read_from: Some(stands),
            cursor: next.clone(),
            readers: serde_json::to_string(&listing).unwrap_or_default(),
            next_at,
            last_new: (!commit.due.is_empty()).then_some(began),
        });
        if !more {
            commit.hints_read = vec![(connection.name.clone(), Kind::Stock, None, began)];
        }
        hub.store.commit(Some(ownership), commit).await?;
        hub.breakpoints.pass(Point::PageStored).await;
        if whole_ends {
            side.forget(listing.whole_since, ownership).await?;
        }
        ring(hub, &flows);
        pages += 1;
        if !more || pages == PAGES {
            sooner(next_at, observed);
            return Ok(());
        }
        stands = next.clone();
        cursor = next;
    }
}

/// When a connection's stock is read again: as a source as often as its flows say, as a target now and then.
fn next_poll(connection: &Connection, flows: &[Arc<Flow>], now: i64) -> i64 {
    let next = flows.iter().map(|flow| {
        if flow.source == connection.name {
            schedule::next_poll(flow, now)
        } else {
            now + SHOP_MS
        }
    });
    next.min().unwrap_or(now + SHOP_MS)
}

fn ring(hub: &Hub, flows: &[Arc<Flow>]) {
    for flow in flows {
        if let Some(target) = hub.connections.get(&flow.target) {
            target.due.notify_one();
        }
    }
}

/// Notes items that were read by their ids because a hint named them.
///
/// # Errors
/// The store's.
pub async fn take(
    hub: &Hub,
    connection: &Connection,
    seen: Vec<Seen>,
    began: i64,
) -> Result<Commit, StoreError> {
    let mut page = Page {
        items: Vec::new(),
        gone: Vec::new(),
        next: Cursor::start(),
        more: false,
    };
    for seen in seen {
        match seen {
            Seen::Record(record) => page.items.push(Ok(*record)),
            Seen::Unreadable(item) => page.items.push(Err(*item)),
            Seen::Gone(id) => page.gone.push(id),
        }
    }
    let flows = flows(hub, connection);
    let side = Side {
        hub,
        connection,
        flows: &flows,
        whole: false,
    };
    side.commit(page, began).await
}

/// One connection as a side of its flows of stock.
struct Side<'a> {
    hub: &'a Hub,
    connection: &'a Connection,
    flows: &'a [Arc<Flow>],
    /// Everything is being read: items may be unknown to a flow although they are not news.
    whole: bool,
}

impl Side<'_> {
    fn leaving(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows
            .iter()
            .filter(|flow| flow.source == self.connection.name)
    }

    fn arriving(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows
            .iter()
            .filter(|flow| flow.target == self.connection.name)
    }

    /// The commit of a page: every level with the time of this reading, and what is to be decided because of it.
    async fn commit(&self, page: Page, began: i64) -> Result<Commit, StoreError> {
        let ids: Vec<RemoteId> = page
            .items
            .iter()
            .filter_map(|item| match item {
                Ok(record) => Some(record.id.clone()),
                Err(item) => item.id.clone(),
            })
            .chain(page.gone.iter().cloned())
            .collect();
        let known = self.hub.store.levels(&self.connection.name, &ids).await?;
        let mut commit = Commit::default();
        let mut changed: Vec<RemoteId> = Vec::new();
        let mut skus: BTreeSet<String> = BTreeSet::new();
        let mut unchanged: Vec<(RemoteId, String, i64)> = Vec::new();
        for item in page.items {
            match item {
                Ok(Record {
                    id,
                    document: Document::Stock(stock),
                    ..
                }) => {
                    let before = known.get(&id);
                    if before.is_none_or(|before| before.stock != stock) {
                        changed.push(id.clone());
                        skus.insert(stock.sku.clone());
                        skus.extend(before.map(|before| before.stock.sku.clone()));
                        self.note_kit(&id, before, &stock, &mut commit);
                    } else if let Some(before) = before {
                        unchanged.push((id.clone(), stock.sku.clone(), before.as_of));
                    }
                    let news = self.whole || changed.last() == Some(&id);
                    let level = self.level(id, stock, began);
                    if news {
                        commit.due.extend(self.due(&level, began));
                    }
                    commit.levels.push(level);
                }
                Ok(_) => {}
                Err(item) => self.unreadable(item, &known, began, &mut commit),
            }
        }
        for id in page.gone {
            if let Some(before) = known.get(&id) {
                skus.insert(before.stock.sku.clone());
                self.gone(before, &mut commit);
                changed.push(id);
            }
        }
        self.stir_pairs(&skus, &mut commit).await?;
        changed.extend(self.landed(&unchanged, began).await?);
        self.stir_kits(changed, &mut commit).await?;
        Ok(commit)
    }

    fn level(&self, item: RemoteId, stock: Stock, as_of: i64) -> LevelPut {
        LevelPut {
            connection: self.connection.name.clone(),
            item,
            stock,
            as_of,
            zeroed_at: None,
        }
    }

    fn due(&self, level: &LevelPut, at: i64) -> Vec<WorkDue> {
        let want = LevelPut::digest(&level.stock);
        let due = self.leaving().map(|flow| WorkDue {
            flow: flow.name.clone(),
            kind: Kind::Stock,
            src: level.item.clone(),
            dst: flow.target.clone(),
            root: format!("{}/{}/{}", self.connection.name, Kind::Stock, level.item),
            want,
            at,
        });
        due.collect()
    }

    fn note_kit(
        &self,
        id: &RemoteId,
        before: Option<&LevelRow>,
        stock: &Stock,
        commit: &mut Commit,
    ) {
        let was = before.is_some_and(|before| !before.stock.components.is_empty());
        if self.leaving().next().is_none() || (stock.components.is_empty() && !was) {
            return;
        }
        commit.kits.push(KitPut {
            connection: self.connection.name.clone(),
            kit: id.clone(),
            components: stock
                .components
                .iter()
                .map(|part| part.product.clone())
                .collect(),
        });
    }

    /// An item that cannot be read is there all the same, with what was last known of it.
    fn unreadable(
        &self,
        item: Unreadable,
        known: &HashMap<RemoteId, LevelRow>,
        began: i64,
        commit: &mut Commit,
    ) {
        let id = item.id.unwrap_or_else(|| "unreadable".into());
        if let Some(before) = known.get(&id) {
            commit
                .levels
                .push(self.level(id.clone(), before.stock.clone(), began));
        }
        commit.journal.push(JournalPut {
            connection: self.connection.name.clone(),
            at: began,
            flow: None,
            kind: Kind::Stock,
            src: id,
            intent: None,
            what: serde_json::json!({"event": "unreadable", "fault": item.fault}),
        });
    }

    /// An item that is not there any more: what it was the stock of is decided again.
    fn gone(&self, before: &LevelRow, commit: &mut Commit) {
        let connection = self.connection.name.clone();
        commit
            .levels_gone
            .push((connection.clone(), before.item.clone()));
        if !before.stock.components.is_empty() {
            commit.kits.push(KitPut {
                connection,
                kit: before.item.clone(),
                components: Vec::new(),
            });
        }
        let stir = self
            .leaving()
            .map(|flow| (flow.name.clone(), Kind::Stock, before.item.clone()));
        commit.stir.extend(stir);
    }

    /// What the shop shows has changed: the ERP's items of the same name are decided again.
    async fn stir_pairs(
        &self,
        skus: &BTreeSet<String>,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let skus: Vec<String> = skus.iter().filter(|sku| !sku.is_empty()).cloned().collect();
        if skus.is_empty() {
            return Ok(());
        }
        for flow in self.arriving() {
            let levels = self.hub.store.levels_of_skus(&flow.source, &skus).await?;
            let items = levels.into_values().flatten();
            commit
                .stir
                .extend(items.map(|level| (flow.name.clone(), Kind::Stock, level.item)));
        }
        Ok(())
    }

    /// Of items that read as before: those of which an order was in flight for the last reading and is not for this one.
    async fn landed(
        &self,
        unchanged: &[(RemoteId, String, i64)],
        began: i64,
    ) -> Result<Vec<RemoteId>, StoreError> {
        if self.leaving().next().is_none() {
            return Ok(Vec::new());
        }
        let Some(oldest) = unchanged.iter().map(|(.., as_of)| *as_of).min() else {
            return Ok(Vec::new());
        };
        let skus: Vec<String> = unchanged.iter().map(|(_, sku, _)| sku.clone()).collect();
        let rows = self
            .hub
            .store
            .in_flight(&self.connection.name, &skus, oldest)
            .await?;
        let mut landed = Vec::new();
        for (id, sku, as_of) in unchanged {
            let of_item = rows.iter().filter(|row| row.sku == *sku);
            let left: Decimal = of_item
                .map(|row| row.in_flight(*as_of) - row.in_flight(began))
                .sum();
            if !left.is_zero() {
                landed.push(id.clone());
            }
        }
        Ok(landed)
    }

    /// Decides items again, and the kits that they are in.
    async fn stir_kits(&self, items: Vec<RemoteId>, commit: &mut Commit) -> Result<(), StoreError> {
        if items.is_empty() || self.leaving().next().is_none() {
            return Ok(());
        }
        let kits = self
            .hub
            .store
            .kits_of(&self.connection.name, &items)
            .await?;
        let kits = kits.into_iter().map(|(_, kit)| kit);
        let all: BTreeSet<RemoteId> = items.into_iter().chain(kits).collect();
        for flow in self.leaving() {
            commit.stir.extend(
                all.iter()
                    .map(|id| (flow.name.clone(), Kind::Stock, id.clone())),
            );
        }
        Ok(())
    }

    /// After a reading of everything: what it did not see is gone, and what orders took before it began is in the figures.
    async fn forget(&self, whole_since: i64, ownership: &Ownership) -> Result<(), Stopped> {
        let store = &self.hub.store;
        loop {
            let gone = store
                .levels_before(&self.connection.name, whole_since, GONE)
                .await?;
            if gone.is_empty() {
                break;
            }
            let mut commit = Commit::default();
            for level in &gone {
                self.gone(level, &mut commit);
            }
            let skus = gone.iter().map(|level| level.stock.sku.clone()).collect();
            self.stir_pairs(&skus, &mut commit).await?;
            self.stir_kits(
                gone.into_iter().map(|level| level.item).collect(),
                &mut commit,
            )
            .await?;
            store.commit(Some(ownership), commit).await?;
        }
        if self.leaving().next().is_some() {
            store
                .forget_shown(&self.connection.name, whole_since)
                .await?;
        }
        Ok(())
    }
}
