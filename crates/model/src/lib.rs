//! The nouns of Comptoir and the port that every connector implements. No I/O, no clock, no async work of its own.
//!
//! Conventions that hold in every document:
//! - amounts are exact decimals in the document's own currency, never floating point;
//! - an amount called `net` is without tax and after discounts; tax stands beside it, as the source charged it;
//! - an instant is UTC; where the source's own clock matters the document says so;
//! - anything a source sends that has no field of its own stays in `attributes`, so nothing is lost.

pub mod account;
pub mod address;
pub mod cause;
pub mod code;
pub mod customer;
pub mod document;
pub mod equation;
pub mod fault;
pub mod invoice;
pub mod key;
pub mod money;
pub mod order;
pub mod payment;
pub mod port;
pub mod price;
pub mod product;
pub mod refund;
pub mod rounding;
pub mod shipment;
pub mod stock;

/// The decimal type of every amount and quantity, so that no crate picks another one.
pub use rust_decimal::Decimal;

/// Fields of a source that have no place of their own, by the source's name for them. Never secrets, never card data.
pub type Attributes = std::collections::BTreeMap<String, serde_json::Value>;
