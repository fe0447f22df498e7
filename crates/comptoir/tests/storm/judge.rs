//! What must hold after a storm, counted from what the shop, the ERP and the hub say.

use comptoir_sim::stage::Report;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is looked at once a storm has settled.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// What shop and ERP hold.
    pub report: Report,
    /// The hub's counts of orders, of `comptoir status`.
    pub hub: Counts,
    /// Ids of held orders by cause, of `comptoir hold list`.
    pub holds: BTreeMap<String, BTreeSet<String>>,
    /// How often the hub learnt that an order is in the ERP, by its id, for those that people deleted there and that were made
    /// again; of `comptoir explain`.
    pub learnt: BTreeMap<String, usize>,
}

/// The hub's counts of orders by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub seen: u64,
    pub waiting: u64,
    pub held: u64,
}

/// What is wrong. Every number must be 0, and there must be no words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    pub lost: usize,
    pub doubled: usize,
    pub doubled_customers: usize,
    pub violations: usize,
    pub overwritten: usize,
    pub undone: usize,
    /// Deleted before the hub had learnt that it was made: its answer was lost, or the hub was killed before it came, or an older
    /// copy of the store was put back. Odoo keeps no trace of a deleted order, so nobody can tell it from one that was never made.
    /// Counted, and no failure.
    pub unseen: usize,
    pub wrong: Vec<String>,
}

impl Counts {
    /// From the answer of `comptoir status --json`.
    pub fn of(status: &Value) -> Self {
        let count = |name: &str| status["orders"][name].as_u64().expect("a count");
        Counts {
            seen: count("seen"),
            waiting: count("waiting"),
            held: count("held"),
        }
    }
}

/// Held ids by cause, from the answer of `comptoir hold list --json`.
pub fn holds_of(list: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let groups = list.as_array().expect("a list").iter();
    groups
        .map(|group| {
            let ids = group["records"].as_array().expect("records").iter();
            (text(&group["cause"]), ids.map(text).collect())
        })
        .collect()
}

/// How often the hub learnt that an order is in the ERP, from the answer of `comptoir explain --json`.
pub fn learnt_of(explanation: &Value) -> usize {
    let journal = explanation["journal"].as_array().expect("a journal");
    let learnt = |entry: &&Value| match entry["event"].as_str() {
        Some("create" | "linked") => true,
        Some("proved done") => entry["step"] == "create",
        _ => false,
    };
    journal.iter().filter(learnt).count()
}

/// Looks at everything. `orders` is how many the shop was told to place.
pub fn judge(seen: &Seen, orders: usize) -> Findings {
    let report = &seen.report;
    let held: BTreeSet<&String> = seen.holds.values().flatten().collect();
    let mut findings = Findings {
        lost: report.orders.missing,
        doubled: report.orders.doubled,
        doubled_customers: report.customers.doubled,
        violations: report.order_violations,
        overwritten: report.edits_overwritten,
        undone: 0,
        unseen: 0,
        wrong: report.wrong.clone(),
    };
    findings.wrong.extend(report.overwritten.iter().cloned());
    for undone in &report.undone {
        // Once is for the order that is there now.
        if seen.learnt.get(&undone.id) == Some(&1) {
            findings.unseen += 1;
            continue;
        }
        findings.undone += 1;
        let order = &undone.order;
        let line = format!("order {order}: a person deleted it, and it was made again");
        findings.wrong.push(line);
    }
    for (id, why) in &report.differing {
        if !held.contains(id) {
            findings.lost += usize::from(why == comptoir_sim::stage::NOT_IN_THE_ERP);
            findings
                .wrong
                .push(format!("order id {id}: {why}, and it is not held"));
        }
    }
    compare_holds(seen, &mut findings.wrong);
    compare_counts(seen, orders, &mut findings.wrong);
    findings
}

/// Held is what was planted, under its own cause, and beyond that only what people touched.
fn compare_holds(seen: &Seen, wrong: &mut Vec<String>) {
    let nothing = BTreeSet::new();
    for (cause, planted) in &seen.report.planted {
        let held = seen.holds.get(cause).unwrap_or(&nothing);
        for id in planted.difference(held) {
            wrong.push(format!("order id {id}: not held because of {cause}"));
        }
    }
    for (cause, held) in &seen.holds {
        let planted = seen.report.planted.get(cause).unwrap_or(&nothing);
        for id in held.difference(planted) {
            if !seen.report.touched.contains(id) {
                wrong.push(format!(
                    "order id {id}: held because of {cause}, for nothing"
                ));
            }
        }
    }
}

fn compare_counts(seen: &Seen, orders: usize, wrong: &mut Vec<String>) {
    let Seen { report, hub, .. } = seen;
    if report.waiting > 0 || report.orders.shop != orders {
        let (placed, waiting) = (report.orders.shop, report.waiting);
        wrong.push(format!(
            "{placed} of {orders} orders placed, {waiting} to come"
        ));
    }
    if hub.waiting > 0 {
        wrong.push(format!("{} orders are still under way", hub.waiting));
    }
    let listed: usize = seen.holds.values().map(BTreeSet::len).sum();
    if hub.held != listed as u64 {
        wrong.push(format!("{} orders held, {listed} in the list", hub.held));
    }
    // Only an order that was put in the trash before the hub looked may be unknown to it.
    let known = hub.seen + report.touched.len() as u64;
    if known < orders as u64 || hub.seen > orders as u64 {
        wrong.push(format!("the hub has seen {} of {orders} orders", hub.seen));
    }
}

impl Findings {
    /// Whether there are none.
    pub fn is_well(&self) -> bool {
        let unseen = self.unseen;
        *self
            == Findings {
                unseen,
                ..Findings::default()
            }
    }
}
