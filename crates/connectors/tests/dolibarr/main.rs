//! The Dolibarr connector on the simulator, and on a live Dolibarr where one is given.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod changing;
mod contract;
mod creating;
mod flows;
mod given;
mod live;
mod live_stock;
mod opening;
mod served;
