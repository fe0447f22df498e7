//! One document of any kind, and its digest.

use crate::customer::Customer;
use crate::invoice::Invoice;
use crate::key::Kind;
use crate::order::Order;
use crate::price::Price;
use crate::product::Product;
use crate::refund::Refund;
use crate::shipment::Shipment;
use crate::stock::Stock;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A canonical document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Document {
    /// A sale.
    Order(Box<Order>),
    /// A buyer or one of its contacts.
    Customer(Box<Customer>),
    /// A product or variant.
    Product(Box<Product>),
    /// A price.
    Price(Price),
    /// A quantity.
    Stock(Stock),
    /// A shipment.
    Shipment(Shipment),
    /// A refund.
    Refund(Refund),
    /// A legal document.
    Invoice(Invoice),
}

impl Document {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Document::Order(_) => Kind::Order,
            Document::Customer(_) => Kind::Customer,
            Document::Product(_) => Kind::Product,
            Document::Price(_) => Kind::Price,
            Document::Stock(_) => Kind::Stock,
            Document::Shipment(_) => Kind::Shipment,
            Document::Refund(_) => Kind::Refund,
            Document::Invoice(_) => Kind::Invoice,
        }
    }

    /// The order, if it is one.
    pub fn as_order(&self) -> Option<&Order> {
        match self {
            Document::Order(order) => Some(order),
            _ => None,
        }
    }

    /// The customer, if it is one.
    pub fn as_customer(&self) -> Option<&Customer> {
        match self {
            Document::Customer(customer) => Some(customer),
            _ => None,
        }
    }

    /// The stock, if it is one.
    pub fn as_stock(&self) -> Option<&Stock> {
        match self {
            Document::Stock(stock) => Some(stock),
            _ => None,
        }
    }

    /// The shipment, if it is one.
    pub fn as_shipment(&self) -> Option<&Shipment> {
        match self {
            Document::Shipment(shipment) => Some(shipment),
            _ => None,
        }
    }

    /// The document as JSON text: what is stored, and what the digest is over.
    pub fn to_json(&self) -> Vec<u8> {
        // Serialising to memory fails for maps with keys that are no text only; there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// A document from its JSON text.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

/// SHA-256 of a document's JSON. Two observations with one digest are the same observation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A digest from stored bytes; none when they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Digest)
    }
}

impl fmt::Display for Digest {
    /// By a table: each record that is read has one, and formatting 32 numbers costs more than the digest itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let mut text = String::with_capacity(64);
        for byte in self.0 {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.0[..4] {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}
