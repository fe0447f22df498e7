//! Pure document to document work: look-up tables, the order a target should hold, totals, rounding. Nothing here waits or reads a clock.

pub mod buyer;
pub mod order;
pub mod policy;
pub mod table;
pub mod total;
