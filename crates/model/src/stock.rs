//! What of a product can be sold, and where it lies.

use crate::key::RemoteId;
use crate::product::Component;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place that holds goods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Id in its system.
    pub id: RemoteId,
    /// Name.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
}

/// How much of a product is at one place. Negative amounts happen and are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Level {
    /// The place; none where the system knows one pool only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<RemoteId>,
    /// Physically there, when told.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<Decimal>,
    /// What can still be promised: without what other orders of that system have taken.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Decimal>,
    /// Expected in, when told.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incoming: Option<Decimal>,
}

impl Level {
    /// What is at the one place of a system that knows no other.
    pub fn pool(available: Decimal) -> Self {
        Level {
            available: Some(available),
            ..Level::default()
        }
    }
}

/// The stock of one product or variant: the record's id is the product's. When it was read stands beside the document and not in it,
/// so that an unchanged stock is an unchanged document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Stock {
    /// Stock keeping unit, trimmed; empty when there is none. Several items of a system may carry the same (translated copies).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sku: String,
    /// Whether the system counts it at all. What is not counted is never written, and counting is never switched on.
    pub managed: bool,
    /// Whether orders are taken below zero.
    #[serde(default)]
    pub backorders: bool,
    /// One level per place, by place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// Of a kit that is put together when it is sold: the counted goods in one of it, exploded through kits inside of kits. A kit has no
    /// levels of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
}
