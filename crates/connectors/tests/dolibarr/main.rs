//! The Dolibarr connector on a simulator, and on a live Dolibarr where one is given.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod given;
mod live;
