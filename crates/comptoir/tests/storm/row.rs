//! One line for each storm, for the table that `scripts/storm` makes.

use crate::run::{Outcome, Storm};
use std::fs::File;
use std::io::Write;

/// Prints a storm in figures, and adds them, divided by tabs, to the file of `COMPTOIR_STORM_ROWS`. `scripts/storm` knows their order.
pub fn tell(store: &str, seed: u64, storm: &Storm, outcome: &Outcome) {
    let findings = &outcome.findings;
    let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let figures = [
        ("store", store.to_owned()),
        ("copy put back", yes(storm.restore.is_some())),
        ("seed", seed.to_string()),
        ("kills", outcome.kills.to_string()),
        ("between effect and answer", outcome.between.to_string()),
        ("orders", storm.orders.to_string()),
        ("lost", findings.lost.to_string()),
        ("doubled", findings.doubled.to_string()),
        ("doubled customers", findings.doubled_customers.to_string()),
        ("violations", findings.violations.to_string()),
        ("overwritten", findings.overwritten.to_string()),
        ("undone", findings.undone.to_string()),
        ("undone unseen", findings.unseen.to_string()),
        ("all findings", findings.wrong.len().to_string()),
        ("faults ended early", yes(outcome.quieted)),
        ("seconds", format!("{:.1}", outcome.seconds)),
    ];
    let words: Vec<String> = figures
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    println!("{}", words.join(", "));
    if let Some(path) = std::env::var_os("COMPTOIR_STORM_ROWS") {
        let values = figures.map(|(_, value)| value);
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        writeln!(file, "{}", values.join("\t")).unwrap();
    }
}
