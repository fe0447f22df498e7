//! Bad input, case by case: the program as it is built, between a simulated shop and a simulated ERP. Each case must be told with its own
//! code and words, must have its page, must show no secret, and must lose nothing: once the cause is put right both sides agree.

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
