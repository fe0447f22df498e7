//! Pure document to document work: look-up tables, the order a target should hold, totals, rounding, what a shop may sell, what left. Nothing here waits or reads a clock.

pub mod agree;
pub mod buyer;
pub mod order;
pub mod policy;
pub mod shipment;
pub mod stock;
pub mod table;
pub mod tax;
pub mod total;
pub mod vat;
