//! Reconcile: both sides are read anew and compared, record by record. Nothing is written, and nothing that is read is believed later.
//!
//! What differs is handed to the same decisions that a pass makes, with what was just read: what they would write is the repair, and
//! what they hold is for a person.

mod finding;
mod items;
mod orders;
mod parcels;
pub mod repair;
mod side;

pub use finding::{Drift, Reconciled, Remedy, Side, Sums, Why};

use crate::connection::Connection;
use crate::flow::{Flow, Mode};
use crate::hub::Hub;
use crate::retry;
use crate::turn::Pass;
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_store::{StoreError, WorkRow};
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;

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

/// How much is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only what either side says has changed at this instant or later; everything without it. A record that was deleted says nothing:
    /// it is found when everything is compared.
    pub since: Option<Timestamp>,
    /// Gives way to the work of the hub and keeps within the rate that the systems allow: for a comparison that nobody waits for.
    pub patient: bool,
}

/// Compares both sides of a flow.
///
/// # Errors
/// The systems', or the store's.
pub async fn reconcile(hub: &Hub, flow: &Flow, scope: Scope) -> Result<Reconciled, Stopped> {
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
        account: account_of(hub, target).await?,
        scope,
    };
    let mut report = Reconciled::default();
    match flow.kind {
        Kind::Order => orders::compare(&run, &mut report).await?,
        Kind::Stock => items::compare(&run, &mut report).await?,
        Kind::Shipment => parcels::compare(&run, &mut report).await?,
        _ => {}
    }
    Ok(report)
}

/// The target as last probed, else probed now.
async fn account_of(hub: &Hub, target: &Connection) -> Result<Arc<Account>, Stopped> {
    if let Some(account) = target.account() {
        return Ok(account);
    }
    let known = hub.store.connection(&target.name).await?;
    if let Some(account) = known.and_then(|row| row.account) {
        return Ok(Arc::new(account));
    }
    let probed = retry::read(&hub.patience, || target.connector.probe()).await;
    probed.map(Arc::new).map_err(Stopped::Fault)
}

/// One comparison.
struct Run<'a> {
    hub: &'a Hub,
    flow: &'a Flow,
    source: &'a Connection,
    target: &'a Connection,
    account: Arc<Account>,
    scope: Scope,
}

impl<'a> Run<'a> {
    /// A pass that decides and stores nothing.
    async fn pass(&self) -> Result<Pass<'a>, StoreError> {
        let now = self.hub.store.now().await?;
        let account = self.account.clone();
        Ok(Pass::new(self.hub, self.target, account, None, now))
    }

    async fn works(&self, ids: &[RemoteId]) -> Result<HashMap<RemoteId, WorkRow>, StoreError> {
        let store = &self.hub.store;
        store.work(&self.flow.name, self.flow.kind, ids).await
    }

    /// What can be done about a drift when its flow may not write.
    fn shadow(&self) -> Option<Remedy> {
        (self.flow.mode != Mode::Live).then_some(Remedy::Shadow)
    }
}
