//! What a probe learns of a connected system.

use crate::code::Code;
use crate::key::RemoteId;
use crate::money::Currency;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How bad a notice is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Works, but a person should look.
    Warning,
    /// Will not work.
    Error,
}

/// Something a probe noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// How bad.
    pub severity: Severity,
    /// Which page of the error docs says what to do.
    pub code: Code,
    /// What was noticed, without personal data.
    pub detail: String,
}

/// One value a look-up table may point to: a tax, a warehouse, a price list …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// Its id.
    pub id: RemoteId,
    /// Its name; a table row may use it when it is unique.
    pub name: String,
    /// For a tax: whether it is included in prices.
    #[serde(default)]
    pub includes_tax: bool,
    /// For a price list: its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// For a tax: its rate in percent.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<rust_decimal::Decimal>,
    /// The company it belongs to, where a system has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<RemoteId>,
}

impl Choice {
    /// Whether a company may use it; any may, where none is named.
    pub fn usable_in(&self, company: Option<&RemoteId>) -> bool {
        company.is_none() || self.company.is_none() || self.company.as_ref() == company
    }
}

/// A connected system as its probe found it. Kept with the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// What it calls itself.
    pub title: String,
    /// Product and version, such as `WooCommerce 11.0.1`.
    pub version: String,
    /// What identifies the site (its own address or database): another one under a known connection is refused, so that a staging copy books nothing.
    pub site: String,
    /// IANA time zone of the system's own dates, or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub time_zone: String,
    /// Its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Decimals it keeps in prices of one unit, when fewer than Comptoir sends would be rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_decimals: Option<u32>,
    /// Decimals it keeps in quantities, when fewer than Comptoir sends would be rounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity_decimals: Option<u32>,
    /// Values that look-up tables may point to, by table (`taxes`, `warehouses`, `price_lists`, `companies`, `fiscal_positions`, `teams`, `carriers`, `payment_terms`, `languages`), and what a shop has to be mapped (`taxes`, `payment_methods`, `shipping_methods`, `statuses`).
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<Choice>>,
    /// Fields a target document may carry under `attributes`, by kind: `order`, `order_line`, `customer`.
    #[serde(default)]
    pub fields: BTreeMap<String, Vec<String>>,
    /// What a person should know.
    #[serde(default)]
    pub notices: Vec<Notice>,
}

impl Account {
    /// The choice of a table by id, or by name when only one has it. Names are compared without regard to case and outer spaces.
    pub fn choice(&self, table: &str, text: &str) -> Option<&Choice> {
        self.choice_in(table, text, None)
    }

    /// The same among the choices that a company may use: its own, and those of no company. Two companies often have a tax of one name.
    pub fn choice_in(
        &self,
        table: &str,
        text: &str,
        company: Option<&RemoteId>,
    ) -> Option<&Choice> {
        let choices = self.choices.get(table)?;
        let text = text.trim();
        if let Some(choice) = choices.iter().find(|choice| choice.id.as_str() == text) {
            return Some(choice);
        }
        let folded = text.to_lowercase();
        let mut named = choices
            .iter()
            .filter(|choice| choice.usable_in(company))
            .filter(|choice| choice.name.trim().to_lowercase() == folded);
        match (named.next(), named.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}
