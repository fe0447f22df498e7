//! Repair: hands what may be repaired to the owners of the connections, who read it again and decide it like anything else.
//!
//! A repair writes nothing by itself. It is a plan of exactly the drifts that were found; the owner decides on what it reads then, so that
//! a person who was faster is not overwritten.

use super::Drift;
use crate::decide::REPAIR;
use crate::flow::Flow;
use crate::hub::Hub;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::Hint;
use comptoir_store::StoreError;
use std::collections::BTreeSet;

/// Hands over the repairs of a flow under the id of their plan. Answers how many records.
///
/// # Errors
/// The store's.
pub async fn repair(
    hub: &Hub,
    flow: &Flow,
    drifts: &[&Drift],
    plan: &str,
) -> Result<usize, StoreError> {
    let records: BTreeSet<RemoteId> = drifts
        .iter()
        .filter(|drift| drift.repairable)
        .map(|drift| drift.record.clone())
        .collect();
    let ids: Vec<RemoteId> = records.into_iter().collect();
    let hint = |id: &RemoteId| Hint {
        kind: flow.kind,
        id: Some(id.clone()),
    };
    for id in &ids {
        hub.store.hint(&flow.source, hint(id)).await?;
    }
    if flow.kind == Kind::Stock {
        // What the shop shows is read again too, before anything is put there.
        let items: BTreeSet<&RemoteId> = drifts
            .iter()
            .filter_map(|drift| drift.target.as_ref())
            .collect();
        for item in items {
            hub.store.hint(&flow.target, hint(item)).await?;
        }
    }
    let approval = format!("{REPAIR}{plan}");
    hub.store
        .approve(&flow.name, flow.kind, &ids, &approval)
        .await?;
    for name in [&flow.source, &flow.target] {
        if let Some(connection) = hub.connections.get(name) {
            connection.look.notify_one();
            connection.due.notify_one();
        }
    }
    Ok(ids.len())
}
