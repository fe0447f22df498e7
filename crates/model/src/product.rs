//! Products and their variants.

use crate::Attributes;
use crate::key::RemoteId;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A component of a kit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Component {
    /// The component's id.
    pub product: RemoteId,
    /// How many of it one kit holds.
    #[schemars(with = "String")]
    pub quantity: Decimal,
}

/// A product, or a variant of one (`parent` then names the product).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Product {
    /// The product this is a variant of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<RemoteId>,
    /// Stock keeping unit, trimmed; may be empty and need not be unique.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sku: String,
    /// GTIN (EAN, UPC), digits only.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub gtin: String,
    /// Name.
    pub title: String,
    /// The options that make the variant, such as `Size: S`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<(String, String)>,
    /// Whether it is for sale.
    pub active: bool,
    /// Tax class of the source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tax_class: String,
    /// Weight in kilograms, if given.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_kg: Option<Decimal>,
    /// Harmonised System code.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hs_code: String,
    /// Whether the source counts its stock.
    pub stock_managed: bool,
    /// Components of a kit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}
