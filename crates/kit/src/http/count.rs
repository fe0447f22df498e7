//! What was called, by operation.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The calls of one operation since the account was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counter {
    /// Calls that left or tried to.
    pub calls: u64,
    /// Calls without a whole answer.
    pub lost: u64,
    /// Bytes of request bodies.
    pub sent: u64,
    /// Bytes of answer bodies, uncompressed.
    pub received: u64,
    /// Time in milliseconds, waiting for slots included.
    pub millis: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<BTreeMap<&'static str, Counter>>);

impl Counters {
    pub(crate) fn add(
        &self,
        what: &'static str,
        answered: bool,
        sent: u64,
        received: u64,
        took: Duration,
    ) {
        // A count has no invariant that a panic elsewhere could have broken.
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counter = counters.entry(what).or_default();
        counter.calls += 1;
        counter.lost += u64::from(!answered);
        counter.sent += sent;
        counter.received += received;
        counter.millis += took.as_millis() as u64;
    }

    pub(crate) fn read(&self) -> BTreeMap<&'static str, Counter> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
