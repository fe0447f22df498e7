//! The console of the built program, between a simulated shop and a simulated ERP: who gets in, what each role may do, and what people
//! can stop.
// What a failed case saw is said to whoever runs the tests.
#![allow(clippy::print_stderr)]
#![allow(clippy::unwrap_used)] // A test stops at the first thing that is not as it should be.

#[allow(dead_code)]
#[path = "../inputs/bench.rs"]
mod bench;
#[allow(dead_code)]
#[path = "../inputs/power.rs"]
mod power;
#[allow(dead_code)]
#[path = "../inputs/process.rs"]
mod process;
#[allow(dead_code)]
#[path = "../inputs/wire.rs"]
mod wire;

mod api;
mod client;
mod find;
mod needs;
mod overview;
mod roles;
mod sign_in;
mod stop;
