//! The contract of the store: one suite, run on SQLite and on PostgreSQL.
//!
//! PostgreSQL is the one of `COMPTOIR_TEST_POSTGRES`, which `scripts/test` sets. A test without it fails; none is skipped.
#![allow(clippy::unwrap_used)] // Helpers of tests, too, stop at the first thing that is not as it should be.

mod commit;
mod console;
mod full;
mod hint;
mod intent;
mod journal;
mod kill;
mod link;
mod make;
mod open;
mod owner;
mod place;
mod plan;
mod record;
mod revision;
mod secret;
mod stock;
mod work;
