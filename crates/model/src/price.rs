//! Prices of products.

use crate::key::RemoteId;
use crate::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One price of one product or variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// What it is the price of.
    pub product: RemoteId,
    /// Price list, level, market or customer group; empty for the list price.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub list: String,
    /// Amount for one.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
    /// Whether tax is in it.
    pub includes_tax: bool,
    /// From this quantity on.
    #[schemars(with = "String")]
    pub minimum_quantity: Decimal,
    /// Former price shown struck through.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Decimal>,
    /// Valid from (UTC).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Valid until, exclusive (UTC).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}
