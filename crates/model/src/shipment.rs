//! Goods that left.

use crate::key::RemoteId;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A parcel and how to follow it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Parcel {
    /// Tracking number; may come after the parcel has left.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tracking: String,
    /// Carrier's key or name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub carrier: String,
    /// Page to follow it on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// Part of an order line that is in a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShippedLine {
    /// The order's line.
    pub line: String,
    /// How many of it.
    #[schemars(with = "String")]
    pub quantity: Decimal,
}

/// Where a shipment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShipmentState {
    /// Being prepared.
    Open,
    /// Has left.
    Shipped,
    /// Has arrived.
    Delivered,
    /// Called off.
    Cancelled,
}

/// One shipment of one order, of one parcel or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shipment {
    /// The order.
    pub order: RemoteId,
    /// The number people read.
    pub number: String,
    /// State.
    pub state: ShipmentState,
    /// Place it left from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// What is in it.
    pub lines: Vec<ShippedLine>,
    /// Parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
    /// When it left (UTC).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
}
