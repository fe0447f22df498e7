//! Reconcile: both sides are read anew and compared, record by record. Nothing is written, and nothing that is read is believed later.

use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::retry;
use crate::stock::{Known, shown};
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::port::{Cursor, Record, Seen};
use comptoir_model::shipment::{Shipment, ShipmentState};
use comptoir_model::stock::Stock;
use comptoir_rules::agree::{self, Difference};
use comptoir_rules::shipment::{is_shown, translate};
use comptoir_rules::stock::quantity;
use comptoir_store::{LinkState, StoreError, WorkState};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One difference between the two sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// The source's record; of a double the target's.
    pub record: RemoteId,
    /// The target's record, where there is one.
    pub target: Option<RemoteId>,
    /// How they differ.
    #[serde(flatten)]
    pub difference: Difference,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Pairs that were compared.
    pub compared: usize,
    /// Records that are none of the flow's business.
    pub skipped: usize,
    /// Records that are held for a person: known, and no drift.
    pub held: usize,
    /// Records that are under way.
    pub under_way: usize,
    /// What differs.
    pub drift: Vec<Drift>,
}

impl Reconciled {
    fn found(&mut self, record: &RemoteId, target: Option<&RemoteId>, difference: Difference) {
        self.drift.push(Drift {
            record: record.clone(),
            target: target.cloned(),
            difference,
        });
    }

    /// Counts a record by its state. Answers whether it is settled and to be compared.
    fn counts(&mut self, state: Option<WorkState>, record: &RemoteId) -> bool {
        match state {
            Some(WorkState::Done) => return true,
            Some(WorkState::Held) => self.held += 1,
            Some(WorkState::Due | WorkState::Waiting) => self.under_way += 1,
            Some(WorkState::Skipped) => self.skipped += 1,
            // It was not even seen.
            None => self.found(record, None, Difference::Missing),
        }
        false
    }
}

/// Why a comparison stopped.
#[derive(Debug)]
pub enum Stopped {
    /// A system could not be read.
    Fault(Fault),
    /// The store.
    Store(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Stopped::Store(error)
    }
}

/// Compares both sides of a flow.
///
/// # Errors
/// The systems', or the store's.
pub async fn reconcile(hub: &Hub, flow: &Flow) -> Result<Reconciled, Stopped> {
    let sides = hub
        .connections
        .get(&flow.source)
        .zip(hub.connections.get(&flow.target));
    let Some((source, target)) = sides else {
        return Ok(Reconciled::default());
    };
    let run = Run {
        hub,
        flow,
        source,
        target,
    };
    let mut report = Reconciled::default();
    match flow.kind {
        Kind::Order => run.orders(&mut report).await?,
        Kind::Stock => run.stock(&mut report).await?,
        Kind::Shipment => run.shipments(&mut report).await?,
        _ => {}
    }
    Ok(report)
}

struct Run<'a> {
    hub: &'a Hub,
    flow: &'a Flow,
    source: &'a Connection,
    target: &'a Connection,
}

impl Run<'_> {
    /// Where reading a side begins.
    fn begin(&self, side: &Connection, kind: Kind) -> Cursor {
        match self.flow.start {
            Some(start) if kind != Kind::Stock => side.connector.cursor_since(kind, start),
            _ => Cursor::start(),
        }
    }

    /// One page of a side; items that cannot be read are held by the flow itself and are left out.
    async fn page(
        &self,
        side: &Connection,
        kind: Kind,
        cursor: &Cursor,
    ) -> Result<(Vec<Record>, Option<Cursor>), Stopped> {
        let read = || side.connector.changes(kind, cursor);
        let page = retry::read(&self.hub.patience, read)
            .await
            .map_err(Stopped::Fault)?;
        let records = page.items.into_iter().filter_map(Result::ok).collect();
        Ok((records, page.more.then_some(page.next)))
    }

    /// Records of a side by their ids, as they are now.
    async fn by_ids(
        &self,
        side: &Connection,
        kind: Kind,
        ids: BTreeSet<RemoteId>,
    ) -> Result<HashMap<RemoteId, Document>, Stopped> {
        let ids: Vec<RemoteId> = ids.into_iter().collect();
        let reads = side.connector.capabilities().reads(kind);
        let mut found = HashMap::new();
        for chunk in ids.chunks(reads.map_or(100, |reads| reads.ids.max(1))) {
            let read = || side.connector.read(kind, chunk);
            let seen = retry::read(&self.hub.patience, read)
                .await
                .map_err(Stopped::Fault)?;
            for seen in seen {
                if let Seen::Record(record) = seen {
                    found.insert(record.id, record.document);
                }
            }
        }
        Ok(found)
    }

    async fn states(&self, ids: &[RemoteId]) -> Result<HashMap<RemoteId, WorkState>, StoreError> {
        let rows = self
            .hub
            .store
            .work(&self.flow.name, self.flow.kind, ids)
            .await?;
        Ok(rows.into_iter().map(|(id, row)| (id, row.state)).collect())
    }

    async fn orders(&self, report: &mut Reconciled) -> Result<(), Stopped> {
        let mut numbers: BTreeSet<String> = BTreeSet::new();
        let mut cursor = Some(self.begin(self.source, Kind::Order));
        let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
        while let Some(at) = cursor {
            let (records, next) = self.page(self.source, Kind::Order, &at).await?;
            cursor = next;
            // A page may repeat what an earlier one held.
            let fresh = records
                .into_iter()
                .filter(|record| seen.insert(record.id.clone()));
            let orders: Vec<(RemoteId, Order)> = fresh
                .filter_map(|record| match record.document {
                    Document::Order(order) => Some((record.id, *order)),
                    _ => None,
                })
                .collect();
            numbers.extend(orders.iter().map(|(_, order)| order.number.clone()));
            self.compare_orders(orders, report).await?;
        }
        self.doubles(&numbers, report).await
    }

    async fn compare_orders(
        &self,
        orders: Vec<(RemoteId, Order)>,
        report: &mut Reconciled,
    ) -> Result<(), Stopped> {
        let ids: Vec<RemoteId> = orders.iter().map(|(id, _)| id.clone()).collect();
        let parts: Vec<(RemoteId, String)> =
            ids.iter().map(|id| (id.clone(), String::new())).collect();
        let (store, flow) = (&self.hub.store, self.flow);
        let mut links = store
            .links(&flow.source, Kind::Order, &parts, &flow.target)
            .await?;
        let states = self.states(&ids).await?;
        let linked = links.values().map(|link| link.dst_id.clone()).collect();
        let targets = self.by_ids(self.target, Kind::Order, linked).await?;
        for (id, order) in orders {
            let link = links.remove(&(id.clone(), String::new()));
            if link.is_none() && flow.passes_over(&order).is_some() {
                report.skipped += 1;
                continue;
            }
            if !report.counts(states.get(&id).copied(), &id) {
                continue;
            }
            let Some(link) = link.filter(|link| link.state != LinkState::Gone) else {
                report.found(&id, None, Difference::Missing);
                continue;
            };
            report.compared += 1;
            match targets.get(&link.dst_id).and_then(Document::as_order) {
                None => report.found(&id, Some(&link.dst_id), Difference::Gone),
                Some(held) => {
                    if let Some(difference) = agree::orders(&order, held, flow.policy.confirm) {
                        report.found(&id, Some(&link.dst_id), difference);
                    }
                }
            }
        }
        Ok(())
    }

    /// Orders of the target that carry a number of the source and that nothing is linked to.
    async fn doubles(
        &self,
        numbers: &BTreeSet<String>,
        report: &mut Reconciled,
    ) -> Result<(), Stopped> {
        let reads = self.target.connector.capabilities().reads(Kind::Order);
        if !reads.is_some_and(|reads| reads.changes) {
            return Ok(());
        }
        let mut cursor = Some(self.begin(self.target, Kind::Order));
        let mut told: BTreeSet<RemoteId> = BTreeSet::new();
        while let Some(at) = cursor {
            let (records, next) = self.page(self.target, Kind::Order, &at).await?;
            cursor = next;
            let ours: Vec<RemoteId> = records
                .into_iter()
                .filter(|record| {
                    let order = record.document.as_order();
                    order.is_some_and(|order| numbers.contains(&order.reference))
                })
                .map(|record| record.id)
                .collect();
            let links = self
                .hub
                .store
                .links_back(&self.target.name, Kind::Order, &ours)
                .await?;
            let linked: BTreeSet<RemoteId> = links.into_iter().map(|link| link.dst_id).collect();
            for id in ours {
                if !linked.contains(&id) && told.insert(id.clone()) {
                    report.found(&id, Some(&id), Difference::Double);
                }
            }
        }
        Ok(())
    }

    async fn stock(&self, report: &mut Reconciled) -> Result<(), Stopped> {
        let mut cursor = Some(Cursor::start());
        while let Some(at) = cursor {
            let (records, next) = self.page(self.source, Kind::Stock, &at).await?;
            cursor = next;
            let items: HashMap<RemoteId, Stock> = records
                .into_iter()
                .filter_map(|record| match record.document {
                    Document::Stock(stock) => Some((record.id, stock)),
                    _ => None,
                })
                .collect();
            self.compare_items(items, report).await?;
        }
        Ok(())
    }

    async fn compare_items(
        &self,
        items: HashMap<RemoteId, Stock>,
        report: &mut Reconciled,
    ) -> Result<(), Stopped> {
        let ids: Vec<RemoteId> = items.keys().cloned().collect();
        let known = Known::load(self.hub, self.flow, &ids).await?;
        let states = self.states(&ids).await?;
        let mut of_shop = BTreeSet::new();
        for stock in items.values() {
            of_shop.extend(
                known
                    .shop(&stock.sku)
                    .iter()
                    .map(|level| level.item.clone()),
            );
        }
        let shop = self.by_ids(self.target, Kind::Stock, of_shop).await?;
        let items: BTreeMap<RemoteId, Stock> = items.into_iter().collect();
        for (id, stock) in items {
            if !report.counts(states.get(&id).copied(), &id) {
                continue;
            }
            if known.erp(&id).is_none_or(|level| level.stock != stock) {
                report.found(&id, None, Difference::NotRead);
                continue;
            }
            let Some(promised) = known.promised(self.flow, &id) else {
                report.skipped += 1;
                continue;
            };
            let should = quantity(promised, self.flow.stock.share);
            for level in known.shop(&stock.sku) {
                let now = shop.get(&level.item).and_then(Document::as_stock);
                match now {
                    None => report.found(&id, Some(&level.item), Difference::Gone),
                    Some(now) if !now.managed => report.skipped += 1,
                    Some(now) => {
                        report.compared += 1;
                        let shows = shown(now);
                        if shows != Some(should) {
                            let difference = Difference::Quantity { should, shows };
                            report.found(&id, Some(&level.item), difference);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn shipments(&self, report: &mut Reconciled) -> Result<(), Stopped> {
        let mut cursor = Some(self.begin(self.source, Kind::Shipment));
        let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
        while let Some(at) = cursor {
            let (records, next) = self.page(self.source, Kind::Shipment, &at).await?;
            cursor = next;
            let fresh = records
                .into_iter()
                .filter(|record| seen.insert(record.id.clone()));
            let shipments: Vec<(RemoteId, Shipment)> = fresh
                .filter_map(|record| match record.document {
                    Document::Shipment(shipment) => Some((record.id, shipment)),
                    _ => None,
                })
                .collect();
            self.compare_shipments(shipments, report).await?;
        }
        Ok(())
    }

    async fn compare_shipments(
        &self,
        shipments: Vec<(RemoteId, Shipment)>,
        report: &mut Reconciled,
    ) -> Result<(), Stopped> {
        let (store, flow) = (&self.hub.store, self.flow);
        let ids: Vec<RemoteId> = shipments.iter().map(|(id, _)| id.clone()).collect();
        let states = self.states(&ids).await?;
        let orders: BTreeSet<RemoteId> = shipments
            .iter()
            .map(|(_, shipment)| shipment.order.clone())
            .collect();
        let orders: Vec<RemoteId> = orders.into_iter().collect();
        let links = store
            .links_between(&flow.target, &flow.source, Kind::Order, &orders)
            .await?;
        let sold: HashMap<RemoteId, RemoteId> = links
            .into_iter()
            .map(|link| (link.dst_id, link.src))
            .collect();
        let shop = self
            .by_ids(self.target, Kind::Order, sold.values().cloned().collect())
            .await?;
        for (id, shipment) in shipments {
            if !report.counts(states.get(&id).copied(), &id) {
                continue;
            }
            let left = matches!(
                shipment.state,
                ShipmentState::Shipped | ShipmentState::Delivered
            );
            let Some(order_id) = sold.get(&shipment.order).filter(|_| left) else {
                report.skipped += 1;
                continue;
            };
            report.compared += 1;
            let key = |connection: &Connection, kind, id: &RemoteId| {
                let record = RecordKey {
                    connection: connection.name.clone(),
                    kind,
                    id: id.clone(),
                };
                WriteKey::of(&record, "")
            };
            let own = key(self.source, Kind::Shipment, &id);
            let of_order = key(self.target, Kind::Order, order_id);
            match shop.get(order_id).and_then(Document::as_order) {
                None => report.found(&id, Some(order_id), Difference::Gone),
                Some(order) => {
                    let wanted = translate(&shipment, order, &own, &of_order, &flow.shipment);
                    if !is_shown(&wanted, order) {
                        report.found(&id, Some(order_id), Difference::NotShown);
                    }
                }
            }
        }
        Ok(())
    }
}
