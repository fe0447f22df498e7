//! Money given back.

use crate::key::RemoteId;
use crate::money::Currency;
use crate::order::LineTax;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Part of an order line that is refunded. Amounts are positive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundLine {
    /// The order's line, shipping line or fee; empty when the source does not say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub line: String,
    /// How many; zero for an amount without goods.
    #[schemars(with = "String")]
    pub quantity: Decimal,
    /// Net amount.
    #[schemars(with = "String")]
    pub net: Decimal,
    /// Tax.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// Taxes one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// A refund of an order. `amount` rules, even when the lines add up to something else (WooCommerce allows that).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// The order.
    pub order: RemoteId,
    /// Amount given back, positive, with tax.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
    /// What it is for; empty for a refund by amount only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<RefundLine>,
    /// Reason in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Whether the gateway was asked to pay it back.
    #[serde(default)]
    pub paid_back: bool,
    /// When (UTC).
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
