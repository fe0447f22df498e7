//! The PrestaShop connector on the simulated shop of `comptoir-sim`.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod business;
mod connecting;
mod contract;
mod faults;
mod reading;
mod shipping;
mod stage;
mod stock;
mod writing;
