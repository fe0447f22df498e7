//! The hub: the store, the connections, the flows of the head revision, and what all owners of this process share.

use crate::connection::Connection;
use crate::flow::{Flow, Mode};
use crate::point::Breakpoints;
use crate::retry::Patience;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_store::Store;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Everything a process needs to work.
pub struct Hub {
    /// The store.
    pub store: Store,
    /// The connections by name.
    pub connections: BTreeMap<ConnectionName, Arc<Connection>>,
    /// How patient the hub is.
    pub patience: Patience,
    /// How often the store is asked for due work without a bell, in milliseconds.
    pub idle_ms: u64,
    /// How often a system is asked again who it is and what it offers.
    pub probe_every: Duration,
    /// Who this process is, as an owner of connections.
    pub owner: String,
    /// Whether another owner is known to have ended (a process of this machine that is gone), so that its lease need not run out.
    pub has_ended: fn(&str) -> bool,
    /// Where tests stop the engine.
    pub breakpoints: Breakpoints,
    /// The flows of the head revision.
    pub flows: Vec<Arc<Flow>>,
    site_key: [u8; 32],
}

impl Hub {
    /// A hub over an open store.
    pub async fn new(
        store: Store,
        connections: Vec<Connection>,
        flows: Vec<Flow>,
        owner: String,
    ) -> Result<Self, comptoir_store::StoreError> {
        let site_key = store.site_key().await?;
        Ok(Hub {
            store,
            connections: connections
                .into_iter()
                .map(|connection| (connection.name.clone(), Arc::new(connection)))
                .collect(),
            patience: Patience::default(),
            idle_ms: 1_000,
            probe_every: Duration::from_secs(300),
            owner,
            has_ended: |_| false,
            breakpoints: Breakpoints::default(),
            site_key,
            flows: flows.into_iter().map(Arc::new).collect(),
        })
    }

    /// A flow by name, unless it is off.
    pub fn flow(&self, name: &FlowName) -> Option<Arc<Flow>> {
        self.working().find(|flow| flow.name == *name).cloned()
    }

    /// Whether a flow reads a kind from a connection.
    pub fn reads(&self, connection: &ConnectionName, kind: Kind) -> bool {
        self.working()
            .any(|flow| flow.source == *connection && flow.kind == kind)
    }

    /// The flows that are not off.
    pub fn working(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows.iter().filter(|flow| flow.mode != Mode::Off)
    }

    /// Whether a flow pushes the stock of this ERP: what orders take of it matters then.
    pub fn pushes_stock_of(&self, erp: &ConnectionName) -> bool {
        self.reads(erp, Kind::Stock)
    }

    /// A personal identifier as it may be stored and compared: HMAC-SHA256 under this site's own key, in hexadecimal.
    pub fn keyed_hash(&self, text: &str) -> String {
        // A key of any length is accepted by HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.site_key) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        mac.finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
