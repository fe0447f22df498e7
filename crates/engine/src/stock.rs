//! Stock on its way from an ERP to a shop: always recomputed from now, so that a thousand changes of an item are one write.
//!
//! A stock write is absolute and may be made again at any time: it needs no intent and no proof. What the shop shows is read again by
//! its own stream, and everything on both sides once a night.

pub mod decide;
mod gather;
pub mod listing;
pub mod pass;
pub mod reckoning;
mod side;
mod stir;
mod zeros;

pub use decide::shown;
pub use gather::Known;
pub use stir::{hint_reserved, stir_takers};
pub use zeros::Forecasts;
