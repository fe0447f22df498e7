//! The Odoo connector on a scripted server, on both of its APIs.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod asking;
mod changing;
mod contract;
mod creating;
mod given;
mod goods;
mod opening;
mod server;
