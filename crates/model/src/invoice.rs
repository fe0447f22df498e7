//! A reference to a legal document. The number comes from the ERP only; Comptoir never makes one.

use crate::key::RemoteId;
use crate::money::Currency;
use jiff::civil::Date;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An invoice or a credit note as the ERP states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invoice {
    /// The legal number; empty while it is a draft.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// The order it invoices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<RemoteId>,
    /// A credit note.
    pub credit: bool,
    /// Total with tax, positive.
    #[schemars(with = "String")]
    pub total: Decimal,
    /// Currency.
    pub currency: Currency,
    /// Date of the document in the seller's calendar.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// Amount still to pay.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Decimal>,
}
