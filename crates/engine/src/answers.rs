//! What the target answered to questions: who has this e-mail, VAT number, SKU, key.

use crate::turn::Pass;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Query};
use std::collections::HashMap;

/// How long a found candidate is believed, in milliseconds.
pub const FOUND_FOR_MS: i64 = 24 * 3_600_000;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Who.
    pub candidates: Vec<Candidate>,
    /// When it was asked (unix ms).
    pub asked_at: i64,
}

/// Answers known in one pass over due work: those still believed from earlier, and those asked now.
#[derive(Debug, Default)]
pub struct Answers {
    known: HashMap<Kind, HashMap<Query, Answer>>,
}

impl Answers {
    /// Keeps an answer.
    pub fn insert(&mut self, kind: Kind, query: Query, candidates: Vec<Candidate>, asked_at: i64) {
        let answer = Answer {
            candidates,
            asked_at,
        };
        self.known.entry(kind).or_default().insert(query, answer);
    }

    /// Forgets an answer that was asked for before `now` (unix ms), so that it is asked again. Answers whether there was one.
    pub fn forget_older(&mut self, kind: Kind, query: &Query, now: i64) -> bool {
        let Some(known) = self.known.get_mut(&kind) else {
            return false;
        };
        let old = known.get(query).is_some_and(|answer| answer.asked_at < now);
        old && known.remove(query).is_some()
    }

    /// The candidates, when they have been asked for.
    pub fn get(&self, kind: Kind, query: &Query) -> Option<&[Candidate]> {
        let answer = self.known.get(&kind)?.get(query)?;
        Some(&answer.candidates)
    }

    /// The only candidate; an error says how many there are instead.
    pub fn only(&self, kind: Kind, query: &Query) -> Option<Result<RemoteId, usize>> {
        let candidates = self.get(kind, query)?;
        Some(match candidates {
            [only] => Ok(only.id.clone()),
            more => Err(more.len()),
        })
    }
}

/// Whether a stored answer is still believed. "Nobody" never is: a person, or a write of ours whose answer was lost, may have
/// made it since. "Several" neither: they are there to be merged.
pub fn believed(candidates: usize, asked_at: i64, now: i64) -> bool {
    candidates == 1 && now - asked_at < FOUND_FOR_MS
}

/// An identifier as the store keeps it: personal ones as keyed hashes.
pub fn stored_value(pass: &Pass<'_>, query: &Query) -> String {
    match query {
        Query::Email(value) | Query::VatNumber(value) => pass.hub.keyed_hash(value),
        other => other.value().to_owned(),
    }
}
