//! The judge finds what is wrong: each kind of harm, done to an end that is well, is seen.

use crate::judge::{Counts, Findings, Seen, judge};
use comptoir_sim::odoo::{HandOrder, HandPartner, Version};
use comptoir_sim::stage::{NOT_IN_THE_ERP, Report, Stage, StageOptions, Undone};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

fn ids(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|id| (*id).to_owned()).collect()
}

/// Three orders: one imported, one held as planted, one that a person of the shop changed and that is held for that.
fn well() -> Seen {
    let mut report = Report::default();
    report.orders.shop = 3;
    report.orders.erp = 2;
    report.planted.insert("row:tax:x".to_owned(), ids(&["2"]));
    report.touched = ids(&["3"]);
    let differing = ("3".to_owned(), "10 EUR, 8 in the ERP".to_owned());
    report.differing.extend([differing]);
    Seen {
        report,
        hub: Counts {
            seen: 3,
            waiting: 0,
            held: 2,
        },
        holds: BTreeMap::from([
            ("row:tax:x".to_owned(), ids(&["2"])),
            ("changed".to_owned(), ids(&["3"])),
        ]),
        learnt: BTreeMap::new(),
    }
}

/// What the judge says after this harm.
fn after(harm: impl FnOnce(&mut Seen)) -> Findings {
    let mut seen = well();
    harm(&mut seen);
    let findings = judge(&seen, 3);
    assert!(!findings.is_well(), "the judge saw nothing");
    findings
}

#[test]
fn an_end_that_is_well_has_no_findings() {
    assert_eq!(judge(&well(), 3), Findings::default());
}

#[test]
fn every_count_of_harm_is_found() {
    assert_eq!(after(|seen| seen.report.orders.missing = 1).lost, 1);
    assert_eq!(after(|seen| seen.report.orders.doubled = 1).doubled, 1);
    let doubled = after(|seen| seen.report.customers.doubled = 1);
    assert_eq!(doubled.doubled_customers, 1);
    assert_eq!(after(|seen| seen.report.order_violations = 1).violations, 1);
    let overwritten = after(|seen| seen.report.edits_overwritten = 1);
    assert_eq!(overwritten.overwritten, 1);
    let undone = after(|seen| undo(seen, 2));
    assert_eq!((undone.undone, undone.wrong.len()), (1, 1));
}

/// An order that was deleted by hand and made again; the hub has learnt so often that it is there.
fn undo(seen: &mut Seen, learnt: usize) {
    seen.report.deletions_undone = 1;
    seen.report.undone = vec![Undone {
        id: "7".to_owned(),
        order: "1007".to_owned(),
        made: jiff::Timestamp::UNIX_EPOCH,
        deleted: jiff::Timestamp::UNIX_EPOCH,
    }];
    seen.learnt.insert("7".to_owned(), learnt);
}

#[test]
fn a_deletion_that_nobody_could_know_of_is_counted_apart() {
    let mut seen = well();
    undo(&mut seen, 1);
    let findings = judge(&seen, 3);
    assert!(findings.is_well());
    assert_eq!((findings.undone, findings.unseen), (0, 1));
    // Without the hub's journal nothing is excused.
    seen.learnt.clear();
    assert_eq!(judge(&seen, 3).undone, 1);
}

#[test]
fn what_the_hub_learnt_stands_in_its_journal() {
    let journal = serde_json::json!({"journal": [
        {"event": "failed", "step": "create"},
        {"event": "proved absent", "step": "create"},
        {"event": "proved done", "step": "create"},
        {"event": "proved done", "step": "confirm"},
        {"event": "linked", "to": "3"},
        {"event": "create", "to": "4"},
        {"event": "update", "to": "4"},
        {"event": "held"},
    ]});
    assert_eq!(crate::judge::learnt_of(&journal), 3);
}

#[test]
fn an_untouched_order_that_is_wrong_is_found() {
    let wrong = after(|seen| seen.report.wrong.push("order 1: 10 EUR, 9".to_owned()));
    assert_eq!(wrong.wrong, ["order 1: 10 EUR, 9"]);
}

#[test]
fn a_touched_order_that_is_nowhere_is_lost() {
    let lost = after(|seen| {
        seen.holds.remove("changed");
        seen.hub.held = 1;
        let nowhere = ("3".to_owned(), NOT_IN_THE_ERP.to_owned());
        seen.report.differing.extend([nowhere]);
    });
    assert_eq!(lost.lost, 1);
}

#[test]
fn holds_that_are_not_the_planted_ones_are_found() {
    // Held for another reason than planted.
    after(|seen| {
        let held = seen.holds.remove("row:tax:x").unwrap();
        seen.holds.insert("total".to_owned(), held);
    });
    // Planted and not held.
    after(|seen| {
        seen.holds.remove("row:tax:x");
        seen.hub.held = 1;
    });
    // Held for nothing.
    after(|seen| {
        seen.holds.insert("tries".to_owned(), ids(&["1"]));
        seen.hub.held = 3;
    });
}

#[test]
fn an_end_that_is_none_yet_is_found() {
    after(|seen| seen.report.waiting = 1);
    after(|seen| seen.report.orders.shop = 2);
    after(|seen| seen.hub.waiting = 1);
    after(|seen| seen.hub.held = 1);
    after(|seen| seen.hub.seen = 1);
}

/// The report itself, of real simulators: nothing was imported, one order was typed in twice, one buyer too.
#[test]
fn the_report_counts_what_the_simulators_hold() {
    let options = StageOptions {
        seed: 1,
        orders: 60,
        over: Duration::ZERO,
        faults: 0.0,
        people: false,
        erp: Version::V19,
    };
    let stage = Stage::new(options, "http://127.0.0.1:9");
    let before = stage.report();
    assert_eq!((before.orders.shop, before.orders.erp), (60, 0));
    assert!(before.orders.missing > 20, "{before:#?}");
    assert!(!before.planted.is_empty(), "{before:#?}");
    let number = stage.shop.orders()[0].number.clone();
    let partner = HandPartner {
        name: "Jeanne Exemple".to_owned(),
        email: "jeanne@example.test".to_owned(),
        ..HandPartner::default()
    };
    let partner = stage.erp.add_partner_by_hand(&partner).unwrap();
    for _ in 0..2 {
        let order = HandOrder {
            partner,
            reference: number.clone(),
            lines: vec![("ROUNDING".to_owned(), Decimal::ONE)],
        };
        stage.erp.add_order_by_hand(&order).unwrap();
    }
    let report = stage.report();
    assert_eq!((report.orders.erp, report.orders.doubled), (1, 1));
    let seen = Seen {
        report,
        ..Seen::default()
    };
    let findings = judge(&seen, 60);
    assert_eq!(findings.doubled, 1);
    assert!(findings.lost > 20, "{findings:#?}");
}
