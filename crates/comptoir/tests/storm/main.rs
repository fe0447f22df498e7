//! The whole program in a storm: the real binary as processes, killed with SIGKILL again and again while orders arrive, wires fail and
//! people work by hand on both sides; then both sides are counted.
//!
//! PostgreSQL is the one of `COMPTOIR_TEST_POSTGRES`, which `scripts/test` sets. A test without it fails; none is skipped.
//! `scripts/storm` runs the same storms longer: `COMPTOIR_STORM_RUNS` says how many seeds each test has, `COMPTOIR_STORM_SEED` the
//! first of them, and `COMPTOIR_STORM_ROWS` names a file that gets one line for each run.

// A test fails by panicking and tells by printing, in its scaffolding too.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod again;
mod judge;
mod judge_tests;
mod place;
mod process;
mod row;
mod run;

use place::Place;
use run::{Restore, Storm};

/// 500 orders over 30 seconds, and 20 kills.
fn storm() -> Storm {
    Storm {
        orders: 500,
        over: 30,
        kills: 20,
        restore: None,
    }
}

/// The same with a copy of the store put back in the middle.
fn restored() -> Storm {
    Storm {
        restore: Some(Restore {
            copied_after: 6,
            put_back_after: 13,
        }),
        ..storm()
    }
}

#[test]
fn twenty_kills_on_sqlite() {
    run::all("SQLite", Place::sqlite, &storm());
}

#[test]
fn twenty_kills_on_postgresql() {
    run::all("PostgreSQL", Place::postgres, &storm());
}

#[test]
fn a_copy_put_back_on_sqlite() {
    run::all("SQLite", Place::sqlite, &restored());
}

#[test]
fn a_copy_put_back_on_postgresql() {
    run::all("PostgreSQL", Place::postgres, &restored());
}

#[test]
fn a_second_run_writes_nothing_on_sqlite() {
    again::second_run(&Place::sqlite());
}

#[test]
fn a_second_run_writes_nothing_on_postgresql() {
    again::second_run(&Place::postgres());
}
