//! Quantities of products at places.

use crate::key::RemoteId;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place that holds goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Id in its system.
    pub id: RemoteId,
    /// Name.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
}

/// How much of a product is at a place. Negative amounts happen and are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stock {
    /// The product or variant.
    pub product: RemoteId,
    /// The place; none where the system knows one pool only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// Whether the system counts it at all.
    pub managed: bool,
    /// Physically there, when told.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<Decimal>,
    /// What can still be promised.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Decimal>,
    /// Expected in, when told.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Decimal>,
    /// Whether orders are taken below zero.
    #[serde(default)]
    pub backorders: bool,
    /// When the reading that saw this began (UTC).
    #[schemars(with = "String")]
    pub as_of: Timestamp,
}
