//! Goods that left.

use crate::key::{RemoteId, WriteKey};
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ShippedLine {
    /// The line of the order in the same system; empty when the system does not tell.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub line: String,
    /// Our key on that line of an ERP's order, when it carries one: it names the shop's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<WriteKey>,
    /// The product that was shipped, by its stock keeping unit; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sku: String,
    /// How many of the line. Of a kit: how many whole kits.
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
    /// The order, in the same system.
    pub order: RemoteId,
    /// The number people read.
    pub number: String,
    /// Our key, of a shipment that we wrote into a shop's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<WriteKey>,
    /// State.
    pub state: ShipmentState,
    /// Place it left from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// What is in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<ShippedLine>,
    /// Parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<Parcel>,
    /// When it left (UTC).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// Whether nothing of the order is left to ship once this has left, as its system says. In a document to be written: the order's
    /// status is to say so.
    #[serde(default)]
    pub completes: bool,
    /// In a document to be written: the buyer is to be told now. In one that was read: the buyer was told by us.
    #[serde(default)]
    pub notify: bool,
}

impl Shipment {
    /// Whether a parcel of it can be followed.
    pub fn is_tracked(&self) -> bool {
        self.parcels
            .iter()
            .any(|parcel| !parcel.tracking.is_empty())
    }
}
