//! Bad input, case by case: the program as it is built, between a simulated shop and a simulated ERP. Each case must be told with its own
//! code and words, must have its page, must show no secret, and must lose nothing: once the cause is put right both sides agree.

// What a failed case saw, and what could not be run, is said to whoever runs the tests.
#![allow(clippy::print_stderr)]

mod bench;
mod data;
mod files;
mod full;
mod hooks;
mod keys;
mod outage;
mod power;
mod process;
mod revisions;
mod sites;
mod wire;
mod words;
