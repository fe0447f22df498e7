//! How the simulated Odoo is, and what it holds from the start.

use super::version::Version;
use rust_decimal::Decimal;
use std::time::Duration;

/// Where a company rounds its taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Each line by itself.
    PerLine,
    /// Summed over the order first.
    Globally,
}

/// How the simulated Odoo is.
#[derive(Debug, Clone)]
pub struct ErpOptions {
    /// Of everything random.
    pub seed: u64,
    /// Which version it is.
    pub version: Version,
    /// Name of the database.
    pub database: String,
    /// Login of the hub's user.
    pub login: String,
    /// The hub's API key.
    pub key: String,
    /// Where taxes are rounded.
    pub rounding: Rounding,
    /// How often a `load` of a new key loses a race against someone unseen, 0 to 1.
    pub race_rate: f64,
    /// How long a call works between looking and committing. Two that overlap can collide, as in PostgreSQL.
    pub latency: Duration,
    /// The most by which a `write_date` (the transaction's start) lies before the moment its record can be seen.
    pub commit_lag: Duration,
    /// Installed languages.
    pub languages: Vec<String>,
    /// Rights that the hub's user has not: model and `read`, `write`, `create` or `unlink`. None is missing to an administrator.
    /// Without `read` of `account.move` the fields of accounting are closed to it.
    pub forbidden: Vec<(String, String)>,
    /// Whether the app is there that brings bills of materials, and kits with them.
    pub manufacturing: bool,
    /// Country of the company.
    pub country: String,
    /// Keep every version of every order. Off, only the last is kept.
    pub history: bool,
}

impl ErpOptions {
    /// What a user without any right of administration may not: measured on Odoo 19, where *Access Rights* may read external ids and
    /// *Settings* the precisions, and nobody else.
    pub fn not_for_users() -> Vec<(String, String)> {
        let models = ["ir.model.data", "decimal.precision"];
        let rights = ["read", "write", "create", "unlink"];
        let of = |model: &'static str| rights.map(|right| (model.to_owned(), right.to_owned()));
        models.into_iter().flat_map(of).collect()
    }
}

impl Default for ErpOptions {
    fn default() -> Self {
        ErpOptions {
            seed: 1,
            version: Version::V19,
            database: "erp".to_owned(),
            login: "hub@example.test".to_owned(),
            key: "simulated-key".to_owned(),
            rounding: Rounding::PerLine,
            race_rate: 0.0,
            latency: Duration::ZERO,
            commit_lag: Duration::ZERO,
            languages: vec!["en_US".to_owned()],
            forbidden: Vec::new(),
            manufacturing: true,
            country: "FR".to_owned(),
            history: true,
        }
    }
}

/// A product that is there from the start.
#[derive(Debug, Clone)]
pub struct ErpProduct {
    /// Internal reference.
    pub sku: String,
    /// Name.
    pub name: String,
    /// List price in the first currency.
    pub price: Decimal,
    /// Barcode; may be empty.
    pub barcode: String,
    /// On hand; none for a service.
    pub stock: Option<Decimal>,
    /// Names of its taxes.
    pub taxes: Vec<String>,
}

impl ErpProduct {
    /// A product of which there is plenty.
    pub fn new(sku: impl Into<String>, name: impl Into<String>, price: Decimal) -> ErpProduct {
        ErpProduct {
            sku: sku.into(),
            name: name.into(),
            price,
            barcode: String::new(),
            stock: Some(Decimal::from(1_000_000)),
            taxes: Vec::new(),
        }
    }

    /// A service: shipping, rounding, gift wrapping.
    pub fn service(sku: impl Into<String>, name: impl Into<String>) -> ErpProduct {
        ErpProduct {
            stock: None,
            ..ErpProduct::new(sku, name, Decimal::ZERO)
        }
    }
}

/// A sales tax that is there from the start.
#[derive(Debug, Clone)]
pub struct ErpTax {
    /// Name.
    pub name: String,
    /// Percent: 20 for 20 %.
    pub rate: Decimal,
    /// Whether prices include it.
    pub included: bool,
    /// Whether taxes after it on the same line are charged on it too (`include_base_amount`).
    pub affects_base: bool,
}
