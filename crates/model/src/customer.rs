//! People and companies that buy.

use crate::Attributes;
use crate::address::Address;
use crate::key::RemoteId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A buyer, or in a target one contact of a buyer (`parent` then names it).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Customer {
    /// The company or person this contact belongs to, for an address that an ERP keeps as a contact of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<RemoteId>,
    /// What a contact is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<ContactRole>,
    /// Whether it is a company. A company's address carries the person to reach.
    pub is_company: bool,
    /// The name to show: the company, else the person.
    pub name: String,
    /// E-mail address.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Telephone number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// VAT number as typed, without spaces.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub vat_number: String,
    /// Main address.
    pub address: Address,
    /// Other addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Language code, or empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// Customer groups.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// No account: known by e-mail only.
    pub guest: bool,
    /// Our reference in a target.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// What has no field of its own.
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// What a contact of a customer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactRole {
    /// Invoices go there.
    Invoice,
    /// Goods go there.
    Delivery,
    /// Another contact.
    Other,
}
