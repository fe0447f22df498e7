//! One line of JSON for each storm, for the table that `scripts/storm` makes.

use crate::run::{Outcome, Storm};
use serde::Serialize;
use std::fs::File;
use std::io::Write;

/// A storm in figures.
#[derive(Debug, Serialize)]
pub struct Row {
    store: String,
    seed: u64,
    put_back: bool,
    kills: usize,
    between: u64,
    orders: usize,
    lost: usize,
    doubled: usize,
    doubled_customers: usize,
    violations: usize,
    overwritten: usize,
    undone: usize,
    unseen: usize,
    other: usize,
    quieted: bool,
    seconds: f64,
}

impl Row {
    pub fn new(store: &str, seed: u64, storm: &Storm, outcome: &Outcome) -> Self {
        let findings = &outcome.findings;
        let counted = findings.overwritten + findings.undone;
        Row {
            store: store.to_owned(),
            seed,
            put_back: storm.restore.is_some(),
            kills: outcome.kills,
            between: outcome.between,
            orders: storm.orders,
            lost: findings.lost,
            doubled: findings.doubled,
            doubled_customers: findings.doubled_customers,
            violations: findings.violations,
            overwritten: findings.overwritten,
            undone: findings.undone,
            unseen: findings.unseen,
            other: findings.wrong.len().saturating_sub(counted),
            quieted: outcome.quieted,
            seconds: (outcome.seconds * 10.0).round() / 10.0,
        }
    }

    /// Prints it, and adds it to the file of `COMPTOIR_STORM_ROWS`.
    pub fn tell(&self) {
        let line = serde_json::to_string(self).unwrap();
        println!("{line}");
        if let Some(path) = std::env::var_os("COMPTOIR_STORM_ROWS") {
            let mut file = File::options()
                .create(true)
                .append(true)
                .open(path)
                .unwrap();
            writeln!(file, "{line}").unwrap();
        }
    }
}
