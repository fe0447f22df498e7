//! The hub: the store, the connections, the flows of the head revision, and what all owners of this process share.

use crate::connection::Connection;
use crate::flow::Flow;
use crate::retry::Patience;
use comptoir_model::key::{ConnectionName, FlowName, RecordKey};
use comptoir_store::Store;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    /// Who this process is, as an owner of connections.
    pub owner: String,
    /// Whether another owner is known to have ended (a process of this machine that is gone), so that its lease need not run out.
    pub has_ended: fn(&str) -> bool,
    /// Caps on changes.
    pub caps: CapLedger,
    site_key: [u8; 32],
    flows: RwLock<Arc<Vec<Arc<Flow>>>>,
    approved: Mutex<BTreeSet<RecordKey>>,
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
            owner,
            has_ended: |_| false,
            caps: CapLedger::default(),
            site_key,
            flows: RwLock::new(Arc::new(flows.into_iter().map(Arc::new).collect())),
            approved: Mutex::default(),
        })
    }

    /// The flows as configured now.
    pub fn flows(&self) -> Arc<Vec<Arc<Flow>>> {
        self.flows
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes the flows of another revision.
    pub fn set_flows(&self, flows: Vec<Flow>) {
        *self.flows.write().unwrap_or_else(PoisonError::into_inner) =
            Arc::new(flows.into_iter().map(Arc::new).collect());
    }

    /// A flow by name, unless it is off.
    pub fn flow(&self, name: &FlowName) -> Option<Arc<Flow>> {
        self.flows()
            .iter()
            .find(|flow| flow.name == *name && flow.mode != crate::flow::Mode::Off)
            .cloned()
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

    /// Lets the next writes of a record through although its flow is in shadow: `apply` was told to.
    pub fn approve(&self, records: impl IntoIterator<Item = RecordKey>) {
        self.approved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(records);
    }

    /// Whether `apply` was told to write this record.
    pub fn approved(&self, record: &RecordKey) -> bool {
        self.approved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(record)
    }
}

/// Creates made per flow in the last rolling hour.
#[derive(Debug, Default)]
pub struct CapLedger {
    made: Mutex<HashMap<FlowName, VecDeque<i64>>>,
}

const HOUR_MS: i64 = 3_600_000;

impl CapLedger {
    /// When the flow may create again, if its cap does not allow `more` now.
    pub fn full(&self, flow: &Flow, now: i64, more: usize) -> Option<i64> {
        let cap = flow.caps.creates_per_hour as usize;
        if cap == 0 {
            return None;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let times = made.entry(flow.name.clone()).or_default();
        while times.front().is_some_and(|at| *at <= now - HOUR_MS) {
            times.pop_front();
        }
        if times.len() + more <= cap {
            return None;
        }
        times.front().map(|first| first + HOUR_MS)
    }

    /// Counts one create.
    pub fn count(&self, flow: &Flow, now: i64) {
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(flow.name.clone())
            .or_default()
            .push_back(now);
    }
}
