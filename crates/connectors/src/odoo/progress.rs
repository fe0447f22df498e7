//! Opening and probing a database takes some twenty reads. One that was interrupted goes on where it stopped: on a bad line all twenty
//! in a row may never get through.

use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long an answer is still true enough to go on with.
const FRESH: Duration = Duration::from_secs(60);

/// Answers of the interrupted attempt, by what was asked.
#[derive(Default)]
pub(super) struct Progress(Mutex<BTreeMap<String, (Instant, Box<RawValue>)>>);

impl Progress {
    /// What was answered, if it is fresh.
    pub(super) fn known(&self, asked: &str) -> Option<Box<RawValue>> {
        let answers = self.answers();
        let (at, answer) = answers.get(asked)?;
        (at.elapsed() < FRESH).then(|| answer.clone())
    }

    /// Keeps an answer.
    pub(super) fn keep(&self, asked: String, answer: &RawValue) {
        self.answers()
            .insert(asked, (Instant::now(), answer.to_owned()));
    }

    /// It is through: the next one asks everything anew.
    pub(super) fn done(&self) {
        self.answers().clear();
    }

    fn answers(&self) -> MutexGuard<'_, BTreeMap<String, (Instant, Box<RawValue>)>> {
        // Every change is complete before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
