//! The Odoo simulator over HTTP: against the tapes, and by itself.

#![allow(clippy::unwrap_used)]

mod load;
mod orders;
mod people;
mod served;
mod speed;
mod tapes;
