//! Which items are decided again when orders take something of them.

use crate::flow::Flow;
use crate::hub::Hub;
use comptoir_model::key::{ConnectionName, Kind, RemoteId};
use comptoir_model::port::Hint;
use comptoir_store::{Commit, LevelRow, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The flows that push the stock of an ERP.
fn pushing<'a>(hub: &'a Hub, erp: &'a ConnectionName) -> impl Iterator<Item = &'a Arc<Flow>> {
    hub.working()
        .filter(move |flow| flow.kind == Kind::Stock && flow.source == *erp)
}

/// Notes that a shop's own figures have moved by these orders, and has every item decided again that the orders of this commit take of, or took of before: the
/// items with these stock keeping units,
/// their components, and the kits that these are in.
///
/// # Errors
/// The store's.
pub async fn stir_takers(hub: &Hub, commit: &mut Commit) -> Result<(), StoreError> {
    let mut skus: BTreeMap<ConnectionName, BTreeSet<String>> = BTreeMap::new();
    let mut orders: BTreeMap<_, (ConnectionName, Vec<RemoteId>)> = BTreeMap::new();
    for put in &commit.reserves {
        let of_erp = skus.entry(put.target.clone()).or_default();
        of_erp.extend(put.takes.keys().cloned());
        let of_flow = orders.entry(put.flow.clone());
        let (_, of_flow) = of_flow.or_insert_with(|| (put.target.clone(), Vec::new()));
        of_flow.push(put.order.clone());
    }
    let now = hub.store.now().await?;
    for put in &commit.reserves {
        if let Some(flow) = hub.flow(&put.flow) {
            let sold = put
                .takes
                .keys()
                .map(|sku| (flow.source.clone(), sku.clone(), now));
            commit.sold.extend(sold);
        }
    }
    for (flow, (erp, orders)) in orders {
        let before = hub.store.skus_taken(&flow, &orders).await?;
        if let Some(flow) = hub.flow(&flow) {
            let sold = before
                .iter()
                .map(|sku| (flow.source.clone(), sku.clone(), now));
            commit.sold.extend(sold);
        }
        skus.entry(erp).or_default().extend(before);
    }
    for (erp, skus) in skus {
        let skus: Vec<String> = skus.into_iter().collect();
        let items = related(hub, &erp, &skus).await?;
        for flow in pushing(hub, &erp) {
            let stir = items
                .iter()
                .map(|id| (flow.name.clone(), Kind::Stock, id.clone()));
            commit.stir.extend(stir);
        }
    }
    Ok(())
}

/// The items with these stock keeping units, their components, and the kits that any of these are in.
async fn related(
    hub: &Hub,
    erp: &ConnectionName,
    skus: &[String],
) -> Result<BTreeSet<RemoteId>, StoreError> {
    let levels = hub.store.levels_of_skus(erp, skus).await?;
    let mut items: BTreeSet<RemoteId> = levels.values().flatten().flat_map(goods).collect();
    let parts: Vec<RemoteId> = items.iter().cloned().collect();
    let kits = hub.store.kits_of(erp, &parts).await?;
    items.extend(kits.into_iter().map(|(_, kit)| kit));
    Ok(items)
}

/// An item and its components.
fn goods(level: &LevelRow) -> Vec<RemoteId> {
    let parts = level
        .stock
        .components
        .iter()
        .map(|part| part.product.clone());
    std::iter::once(level.item.clone()).chain(parts).collect()
}

/// Has the ERP's stock of what it has just reserved read again: only a reading that begins after that ends the orders' being in
/// flight. Losing these hints costs time only.
///
/// # Errors
/// The store's.
pub async fn hint_reserved(
    hub: &Hub,
    erp: &ConnectionName,
    commit: &Commit,
) -> Result<(), StoreError> {
    let mut orders: BTreeMap<_, Vec<RemoteId>> = BTreeMap::new();
    for put in &commit.reserved {
        orders
            .entry(put.flow.clone())
            .or_default()
            .push(put.order.clone());
    }
    let mut skus = BTreeSet::new();
    for (flow, orders) in orders {
        skus.extend(hub.store.skus_taken(&flow, &orders).await?);
    }
    let skus: Vec<String> = skus.into_iter().collect();
    let levels = hub.store.levels_of_skus(erp, &skus).await?;
    let items: BTreeSet<RemoteId> = levels.values().flatten().flat_map(goods).collect();
    for id in items {
        let hint = Hint {
            kind: Kind::Stock,
            id: Some(id),
        };
        hub.store.hint(erp, hint).await?;
    }
    if let Some(connection) = hub.connections.get(erp) {
        connection.look.notify_one();
    }
    Ok(())
}
