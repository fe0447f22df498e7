//! The road of a record, with its stops: what the engine does when an answer is lost, the power fails, a person edits, or the other
//! side is down.

// A test fails by panicking, in its scaffolding too.
#![allow(clippy::unwrap_used)]

mod bench;
mod fakes;
mod feed;
mod lost_answers;
mod overlap;
mod oversell;
mod owners;
mod people;
mod power_cuts;
mod reconcile;
mod rules;
mod shipments;
mod shop;
mod states;
mod stock;
