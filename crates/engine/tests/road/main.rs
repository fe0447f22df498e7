//! The road of a record, with its stops: what the engine does when an answer is lost, the power fails, a person edits, or the other
//! side is down.

mod bench;
mod fakes;
mod lost_answers;
mod people;
mod power_cuts;
mod states;
