//! The Odoo simulator over HTTP: against the tapes, and by itself.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

mod load;
mod orders;
mod people;
mod rights;
mod served;
mod speed;
mod tapes;
mod tolerated;
mod versions;
mod warehouse;
