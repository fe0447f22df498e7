//! What is kept of an answer beside the canonical document: raw documents without the `never` list, and meta data as attributes.

use super::wire::Meta;
use comptoir_model::Attributes;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;

/// Fields that are never stored, wherever they stand: keys that open the order or files, traces of the buyer's device, hashes of an
/// e-mail address, other people's addresses in coupons, and links without information.
const NEVER: &[&str] = &[
    "_links",
    "avatar_url",
    "cart_hash",
    "customer_ip_address",
    "customer_user_agent",
    "download_url",
    "downloads",
    "email_restrictions",
    "order_key",
    "password",
    "payment_url",
    "post_password",
];

/// Parts of meta keys whose values are secrets, card data or bank accounts.
const SECRET_PARTS: &[&str] = &[
    "account_number",
    "auth_code",
    "card_exp",
    "card_number",
    "cardnumber",
    "client_secret",
    "cvc",
    "cvv",
    "iban",
    "order_key",
    "passwd",
    "password",
    "secret",
    "session",
    "token",
];

/// Meta keys of WordPress and WooCommerce for their own use. They change without anything happening to the order.
const INTERNAL: &[&str] = &[
    // Our own, which has a place of its own in the model.
    super::mark::KEY,
    "_coupons_hash",
    "_debug_log_source",
    "_debug_log_source_pending_deletion",
    "_download_permissions_granted",
    "_edit_last",
    "_edit_lock",
    "_fees_hash",
    "_last_order",
    "_money_spent",
    "_new_order_email_sent",
    "_order_count",
    "_order_stock_reduced",
    "_recorded_coupon_usage_counts",
    "_recorded_sales",
    "_reduced_stock",
    "_restock_refunded_items",
    "_shipping_hash",
    "_taxes_hash",
    "_wp_trash_meta_comments_status",
    "_wp_trash_meta_status",
    "_wp_trash_meta_time",
    "default_password_nag",
    "wc_last_active",
];

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('-', "_");
    SECRET_PARTS.iter().any(|part| key.contains(part))
}

fn is_internal(key: &str) -> bool {
    INTERNAL.contains(&key) || key.starts_with("_woocommerce_persistent_cart")
}

/// An item's JSON without what is never stored, in its shortest form. Copied as it is read: an order is never a tree in memory here.
pub(super) fn raw(json: &str) -> String {
    let mut out = Vec::with_capacity(json.len());
    let mut reader = serde_json::Deserializer::from_str(json);
    let copied = Copier(&mut out).deserialize(&mut reader);
    match (copied, reader.end()) {
        (Ok(_), Ok(())) => String::from_utf8(out).unwrap_or_default(),
        // Items come out of a JSON array, so this is JSON; what is not may hold anything.
        _ => String::new(),
    }
}

/// Copies a value without what is never stored. Answers whether it is an object whose `key` names a secret: a list leaves it out.
struct Copier<'o>(&'o mut Vec<u8>);

impl Copier<'_> {
    fn put<E: serde::de::Error>(self, value: impl serde::Serialize) -> Result<bool, E> {
        serde_json::to_writer(self.0, &value).map_err(E::custom)?;
        Ok(false)
    }
}

impl<'de> DeserializeSeed<'de> for Copier<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Copier<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<bool, E> {
        self.put(value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<bool, E> {
        self.put(value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<bool, E> {
        self.put(value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<bool, E> {
        self.put(value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<bool, E> {
        self.put(value)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<bool, E> {
        self.put(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<bool, A::Error> {
        self.0.push(b'[');
        let first = self.0.len();
        loop {
            let before = self.0.len();
            if before > first {
                self.0.push(b',');
            }
            match items.next_element_seed(Copier(self.0))? {
                Some(false) => {}
                // Nothing was there, or nothing that is kept: the comma goes too.
                Some(true) => self.0.truncate(before),
                None => {
                    self.0.truncate(before);
                    self.0.push(b']');
                    return Ok(false);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        let mut secret = false;
        self.0.push(b'{');
        let first = self.0.len();
        while let Some(Name(name)) = fields.next_key()? {
            if NEVER.contains(&&*name) {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            if self.0.len() > first {
                self.0.push(b',');
            }
            Copier(self.0).put(&*name)?;
            self.0.push(b':');
            let value = self.0.len();
            fields.next_value_seed(Copier(self.0))?;
            if name == "key" {
                let key: Option<String> = serde_json::from_slice(&self.0[value..]).ok();
                secret |= key.is_some_and(|key| is_secret(&key));
            }
        }
        self.0.push(b'}');
        Ok(secret)
    }
}

/// The name of a field, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn clean(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !NEVER.contains(&name.as_str()));
            object.values_mut().for_each(clean);
        }
        Value::Array(items) => {
            items.retain(|item| {
                let key = item.get("key").and_then(Value::as_str);
                !key.is_some_and(is_secret)
            });
            items.iter_mut().for_each(clean);
        }
        _ => {}
    }
}

/// Meta data as attributes. A key met twice becomes a list.
pub(super) fn attributes(meta: &[Meta]) -> Attributes {
    let mut attributes = Attributes::new();
    add(&mut attributes, "", meta);
    attributes
}

/// Adds meta data to attributes, with a prefix before each key.
pub(super) fn add(attributes: &mut Attributes, prefix: &str, meta: &[Meta]) {
    for row in meta {
        if row.key.is_empty() || is_internal(&row.key) || is_secret(&row.key) {
            continue;
        }
        let key = format!("{prefix}{}", row.key);
        let mut value = row.value.clone();
        clean(&mut value);
        match attributes.get_mut(&key) {
            None => {
                attributes.insert(key, value);
            }
            Some(Value::Array(list)) => list.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
}

/// Whether an entry says exactly this.
pub(super) fn has(meta: &[Meta], key: &str, value: &str) -> bool {
    meta.iter()
        .any(|row| row.key == key && row.value.as_str() == Some(value))
}

/// The text of the first of these keys that has one.
pub(super) fn first_text(meta: &[Meta], keys: &[String]) -> String {
    keys.iter()
        .find_map(|key| text(meta, key))
        .unwrap_or_default()
}

/// The text of a key, trimmed; none when it is missing or empty.
pub(super) fn text(meta: &[Meta], key: &str) -> Option<String> {
    meta.iter()
        .filter(|row| row.key == key)
        .find_map(|row| scalar(&row.value))
}

/// A scalar as text; none when it is empty or no scalar.
pub(super) fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Whether meta data under this key may be written: it is neither the shop's own nor a secret.
pub(super) fn is_open(key: &str) -> bool {
    !key.trim().is_empty() && !is_internal(key) && !is_secret(key)
}
