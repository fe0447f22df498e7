//! What the system sends, tolerant of how it writes numbers, texts and nothing.

use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::key::RemoteId;
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Deserialize)]
pub(super) struct Order {
    #[serde(deserialize_with = "decode::id")]
    pub(super) id: RemoteId,
    #[serde(deserialize_with = "decode::text")]
    pub(super) number: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) status: String,
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) paid: bool,
    #[serde(deserialize_with = "decode::text")]
    pub(super) created_at: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) updated_at: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) currency: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) tax: Decimal,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) buyer: Buyer,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) lines: Vec<Line>,
}

/// Who buys.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Buyer {
    #[serde(deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) first_name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) last_name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) street: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) postcode: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) city: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) country: String,
}

/// A line of an order.
#[derive(Debug, Deserialize)]
pub(super) struct Line {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) sku: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) title: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) quantity: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) net: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) tax: Decimal,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) tax_code: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) tax_rate: Option<Decimal>,
}

/// Only what an item that cannot be read may still tell.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    #[serde(default, deserialize_with = "decode::id_option")]
    pub(super) id: Option<RemoteId>,
}

/// What the shop says of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(deserialize_with = "decode::text")]
    pub(super) title: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) version: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) currency: String,
    #[serde(default)]
    pub(super) statuses: Vec<String>,
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Refusal {
    pub(super) error: String,
}

/// What an update writes.
#[derive(Debug, Serialize)]
pub(super) struct StatusChange<'a> {
    pub(super) status: &'a str,
}
