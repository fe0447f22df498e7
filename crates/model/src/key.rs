//! Names and keys. A record is known by `(connection, kind, remote id)`; the connection's name is part of every key and never changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no name: use 1 to 40 lower-case letters, digits and hyphens, beginning with a letter"
)]
pub struct BadName(pub String);

fn checked(text: &str) -> Result<String, BadName> {
    let fits = (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(BadName(text.to_owned()))
    }
}

/// The name of one configured system, such as `shop-fr`. It is part of every key and never changes.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionName(String);

/// The name of one flow, such as `orders-fr`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct FlowName(String);

impl ConnectionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FlowName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConnectionName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        checked(text).map(Self)
    }
}

impl FromStr for FlowName {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        checked(text).map(Self)
    }
}

impl TryFrom<String> for ConnectionName {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl TryFrom<String> for FlowName {
    type Error = BadName;
    fn try_from(text: String) -> Result<Self, BadName> {
        text.parse()
    }
}

impl From<ConnectionName> for String {
    fn from(name: ConnectionName) -> String {
        name.0
    }
}

impl From<FlowName> for String {
    fn from(name: FlowName) -> String {
        name.0
    }
}

impl fmt::Display for ConnectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FlowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A kind of record. One canonical document type each.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A sale.
    Order,
    /// A person or company that buys, or one of its addresses.
    Customer,
    /// A product or one of its variants.
    Product,
    /// A price of a product.
    Price,
    /// A quantity of a product at a place.
    Stock,
    /// A parcel or several that left.
    Shipment,
    /// Money given back.
    Refund,
    /// A legal document of the ERP.
    Invoice,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Order,
        Kind::Customer,
        Kind::Product,
        Kind::Price,
        Kind::Stock,
        Kind::Shipment,
        Kind::Refund,
        Kind::Invoice,
    ];

    /// The word used in keys, tables and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Order => "order",
            Kind::Customer => "customer",
            Kind::Product => "product",
            Kind::Price => "price",
            Kind::Stock => "stock",
            Kind::Shipment => "shipment",
            Kind::Refund => "refund",
            Kind::Invoice => "invoice",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a word is no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of record")]
pub struct UnknownKind(pub String);

impl FromStr for Kind {
    type Err = UnknownKind;
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// The id that a system gives to one of its records, as text. Unique per `(connection, kind)`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct RemoteId(pub String);

impl RemoteId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for RemoteId {
    fn from(id: T) -> Self {
        RemoteId(id.into())
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One record of one connection.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct RecordKey {
    /// Where it lives.
    pub connection: ConnectionName,
    /// What it is.
    pub kind: Kind,
    /// Its id there.
    pub id: RemoteId,
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.connection, self.kind, self.id)
    }
}

/// The key that Comptoir leaves in the target beside what it creates there: `connection/kind/id`, and `/part` for a part of it.
/// A create is looked up by it before it may ever be repeated.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct WriteKey(pub String);

impl WriteKey {
    /// The key of what `record` becomes in a target; `part` is empty for the record itself.
    pub fn of(record: &RecordKey, part: &str) -> Self {
        if part.is_empty() {
            WriteKey(record.to_string())
        } else {
            WriteKey(format!("{record}/{part}"))
        }
    }

    /// The key of one part (a line, an address) of what this key stands for.
    pub fn part(&self, part: &str) -> Self {
        WriteKey(format!("{}/{part}", self.0))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WriteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_name_is_short_lower_case_and_starts_with_a_letter() {
        assert!("shop-fr".parse::<ConnectionName>().is_ok());
        for bad in ["", "Shop", "1shop", "shop fr", "shop/fr", &"a".repeat(41)] {
            assert!(bad.parse::<ConnectionName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_kind_is_read_back_from_its_word() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>(), Ok(kind));
        }
    }

    #[test]
    fn a_write_key_names_the_record_and_its_part() {
        let record = RecordKey {
            connection: "shop-fr".parse().unwrap(),
            kind: Kind::Order,
            id: "1042".into(),
        };
        let key = WriteKey::of(&record, "");
        assert_eq!(key.as_str(), "shop-fr/order/1042");
        assert_eq!(key.part("line-7").as_str(), "shop-fr/order/1042/line-7");
    }
}
