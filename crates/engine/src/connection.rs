//! One connected system as the engine sees it.

use comptoir_model::account::Account;
use comptoir_model::key::{ConnectionName, Kind};
use comptoir_model::port::{Connector, Operation};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// A connector with its name, what its probe found, and the bells that shorten waiting.
pub struct Connection {
    /// Its name.
    pub name: ConnectionName,
    /// The connector.
    pub connector: Arc<dyn Connector>,
    /// Rung when something is due for it as a target. Losing a ring costs time only: the store is asked again anyway.
    pub due: Notify,
    /// Rung when there is a reason to read from it.
    pub look: Notify,
    /// Overrides every operation's settle time, in seconds (a simulator works on nothing after its connection is cut).
    pub settle_seconds: Option<u32>,
    /// One reader at a time: whoever comes second finds that nothing is left to read.
    pub reading: tokio::sync::Mutex<()>,
    account: RwLock<Option<Arc<Account>>>,
    /// More pages of stock wait to be read.
    reads_on: AtomicBool,
    /// Items of stock that are news since its targets were rung.
    gathered: AtomicUsize,
    /// Kinds that may not be read, until when.
    closed: Mutex<BTreeMap<Kind, Instant>>,
}

impl Connection {
    /// A connection that has not been probed yet.
    pub fn new(name: ConnectionName, connector: Arc<dyn Connector>) -> Self {
        Connection {
            name,
            connector,
            due: Notify::new(),
            look: Notify::new(),
            settle_seconds: None,
            reading: tokio::sync::Mutex::new(()),
            account: RwLock::new(None),
            reads_on: AtomicBool::new(false),
            gathered: AtomicUsize::new(0),
            closed: Mutex::default(),
        }
    }

    /// Notes whether more pages of stock wait to be read.
    pub fn reads_on(&self, more: bool) {
        self.reads_on.store(more, Ordering::Relaxed);
    }

    /// Whether its stock is being read: what is due because of it gets company soon.
    pub fn is_reading_stock(&self) -> bool {
        self.reads_on.load(Ordering::Relaxed)
    }

    /// Counts items of stock that are news. Answers how many there are since the last [`Connection::gathered`].
    pub fn gather(&self, items: usize) -> usize {
        self.gathered.fetch_add(items, Ordering::Relaxed) + items
    }

    /// The targets are told.
    pub fn gathered(&self) {
        self.gathered.store(0, Ordering::Relaxed);
    }

    /// Whether a kind may not be read for now.
    pub fn is_closed(&self, kind: Kind) -> bool {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed
            .get(&kind)
            .is_some_and(|until| Instant::now() < *until)
    }

    /// Leaves a kind unread for a while.
    pub fn close(&self, kind: Kind, wait: Duration) {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert(kind, Instant::now() + wait);
    }

    /// What the last probe found.
    pub fn account(&self) -> Option<Arc<Account>> {
        self.account
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
            .clone()
    }

    /// Keeps what a probe found.
    pub fn set_account(&self, account: Arc<Account>) {
        *self
            .account
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(account);
    }

    /// How long the vendor may still work on a request whose outcome is unknown, in milliseconds.
    pub fn settle_ms(&self, operation: &Operation) -> i64 {
        i64::from(self.settle_seconds.unwrap_or(operation.settle_seconds)) * 1_000
    }
}
