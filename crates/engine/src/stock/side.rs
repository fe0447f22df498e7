//! One connection as a side of its flows of stock: what a page of its items changes, and what is decided because of it.

use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::observe::Stopped;
use comptoir_model::Decimal;
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Page, Record, Unreadable};
use comptoir_model::stock::Stock;
use comptoir_store::{
    Commit, JournalPut, KitPut, LevelMark, LevelPut, LevelRow, LevelsSeen, Ownership, ReserveRow,
    StoreError, WorkDue,
};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// So much on its way is looked at whole, rather than asked for by the name of each item of a page.
const IN_FLIGHT: usize = 500;
/// Items forgotten together after a reading of everything.
const GONE: usize = 500;
/// The items of a page, by what they are.
#[derive(Default)]
struct Sorted {
    fresh: Vec<(RemoteId, Stock)>,
    unchanged: Vec<Unchanged>,
    unreadable: Vec<Unreadable>,
}

/// An item that reads as it is stored.
struct Unchanged {
    id: RemoteId,
    sku: String,
    mark: LevelMark,
}

impl Sorted {
    fn take(&mut self, record: Record, marks: &HashMap<RemoteId, LevelMark>) {
        let Record { id, document, .. } = record;
        let known = marks.get(&id).copied();
        let mark = known.filter(|mark| mark.digest == Digest::of(&document.to_json()));
        let Document::Stock(stock) = document else {
            return;
        };
        match mark {
            Some(mark) => self.unchanged.push(Unchanged {
                id,
                sku: stock.sku,
                mark,
            }),
            None => self.fresh.push((id, stock)),
        }
    }
}

/// One connection as a side of its flows of stock.
pub(super) struct Side<'a> {
    pub(super) hub: &'a Hub,
    pub(super) connection: &'a Connection,
    pub(super) flows: &'a [Arc<Flow>],
    /// Everything is being read: items may be unknown to a flow although they are not news.
    pub(super) whole: bool,
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
    pub(super) async fn commit(&self, page: Page, began: i64) -> Result<Commit, StoreError> {
        let ids: Vec<RemoteId> = page
            .items
            .iter()
            .filter_map(|item| match item {
                Ok(record) => Some(record.id.clone()),
                Err(item) => item.id.clone(),
            })
            .chain(page.gone.iter().cloned())
            .collect();
        let store = &self.hub.store;
        let marks = store.level_marks(&self.connection.name, &ids).await?;
        let mut seen = Sorted::default();
        for item in page.items {
            match item {
                Ok(record) => seen.take(record, &marks),
                Err(item) => seen.unreadable.push(item),
            }
        }
        let fresh = seen.fresh.iter().map(|(id, _)| id.clone());
        let unreadable = seen.unreadable.iter().filter_map(|item| item.id.clone());
        let ids: Vec<RemoteId> = fresh
            .chain(unreadable)
            .chain(page.gone.iter().cloned())
            .collect();
        let known = store.levels(&self.connection.name, &ids).await?;
        let mut commit = Commit::default();
        let mut changed: Vec<RemoteId> = Vec::new();
        let mut skus: BTreeSet<String> = BTreeSet::new();
        for (id, stock) in seen.fresh {
            let before = known.get(&id);
            changed.push(id.clone());
            skus.insert(stock.sku.clone());
            skus.extend(before.map(|before| before.stock.sku.clone()));
            self.note_kit(&id, before, &stock, &mut commit);
            let level = self.level(id, stock, began);
            let want = LevelPut::digest(&level.stock);
            commit.due.extend(self.due(&level.item, want, began));
            commit.levels.push(level);
        }
        for item in seen.unreadable {
            self.unreadable(item, &known, began, &mut commit);
        }
        for id in page.gone {
            if let Some(before) = known.get(&id) {
                skus.insert(before.stock.sku.clone());
                self.gone(before, &mut commit);
                changed.push(id);
            }
        }
        if self.whole {
            self.take_up(&seen.unchanged, began, &mut commit).await?;
        }
        self.stir_pairs(&skus, &mut commit).await?;
        changed.extend(self.landed(&seen.unchanged, began).await?);
        self.stir_kits(changed, &mut commit).await?;
        commit.levels_seen.push(LevelsSeen {
            connection: self.connection.name.clone(),
            items: seen.unchanged.into_iter().map(|item| item.id).collect(),
            as_of: began,
        });
        Ok(commit)
    }

    /// What is no news may be unknown to a flow all the same, when everything is read: the flow may be new.
    async fn take_up(
        &self,
        unchanged: &[Unchanged],
        began: i64,
        commit: &mut Commit,
    ) -> Result<(), StoreError> {
        let ids: Vec<RemoteId> = unchanged.iter().map(|item| item.id.clone()).collect();
        let store = &self.hub.store;
        for flow in self.leaving() {
            let open = store.levels_without_work(&self.connection.name, &flow.name, &ids);
            let open = open.await?;
            let open = unchanged.iter().filter(|item| open.contains(&item.id));
            let due = open.map(|item| self.due_of(flow, &item.id, item.mark.digest, began));
            commit.due.extend(due);
        }
        Ok(())
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

    fn due(&self, item: &RemoteId, want: Digest, at: i64) -> Vec<WorkDue> {
        let leaving = self.leaving();
        leaving
            .map(|flow| self.due_of(flow, item, want, at))
            .collect()
    }

    fn due_of(&self, flow: &Flow, item: &RemoteId, want: Digest, at: i64) -> WorkDue {
        WorkDue {
            flow: flow.name.clone(),
            kind: Kind::Stock,
            src: item.clone(),
            dst: flow.target.clone(),
            root: format!("{}/{}/{}", self.connection.name, Kind::Stock, item),
            want,
            at,
        }
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
        unchanged: &[Unchanged],
        began: i64,
    ) -> Result<Vec<RemoteId>, StoreError> {
        if self.leaving().next().is_none() {
            return Ok(Vec::new());
        }
        let Some(oldest) = unchanged.iter().map(|item| item.mark.as_of).min() else {
            return Ok(Vec::new());
        };
        let (store, name) = (&self.hub.store, &self.connection.name);
        let rows = match store.all_in_flight(name, oldest, IN_FLIGHT).await? {
            Some(rows) => rows,
            None => {
                let skus: Vec<String> = unchanged.iter().map(|item| item.sku.clone()).collect();
                store.in_flight(name, &skus, oldest).await?
            }
        };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let mut by_sku: HashMap<&str, Vec<&ReserveRow>> = HashMap::new();
        for row in &rows {
            by_sku.entry(&row.sku).or_default().push(row);
        }
        let mut landed = Vec::new();
        for item in unchanged {
            let of_item = by_sku.get(item.sku.as_str()).into_iter().flatten();
            let left: Decimal = of_item
                .map(|row| row.in_flight(item.mark.as_of) - row.in_flight(began))
                .sum();
            if !left.is_zero() {
                landed.push(item.id.clone());
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
    pub(super) async fn forget(
        &self,
        whole_since: i64,
        ownership: &Ownership,
    ) -> Result<(), Stopped> {
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
