//! Money that was paid, promised or moved for an order.

use crate::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a payment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// Taken at once.
    #[default]
    Sale,
    /// Reserved, not taken yet.
    Authorization,
    /// Taken from a reservation.
    Capture,
    /// A reservation given up.
    Void,
    /// Paid with a gift card.
    GiftCard,
    /// To be paid later: bank transfer, cash on delivery.
    Promise,
}

/// Whether a payment happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// Not yet, or not told.
    #[default]
    Pending,
    /// Yes.
    Done,
    /// It failed.
    Failed,
}

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// The method's key, such as `bacs` or `stripe`; the look-up table of payment methods reads it.
    pub method: String,
    /// What the buyer read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The gateway's transaction id.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction: String,
    /// What it is.
    #[serde(default)]
    pub kind: PaymentKind,
    /// Whether it happened.
    #[serde(default)]
    pub state: PaymentState,
    /// Amount in `currency`, positive.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Currency of the amount.
    pub currency: Currency,
    /// Fee the gateway kept, in `currency`.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Decimal>,
    /// When, in UTC.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}
