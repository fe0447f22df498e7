//! What is stored of an answer.

use serde_json::{Map, Value};

/// Never kept: password hashes, keys, tokens, card data. Most of it is never asked for.
const NEVER: &[&str] = &[
    "passwd",
    "secure_key",
    "reset_password_token",
    "reset_password_validity",
    "last_passwd_gen",
    "download_hash",
    "card_number",
    "card_brand",
    "card_expiration",
    "card_holder",
    "ip_registration_newsletter",
    "token",
];

/// A row as it came, without what is never kept. What is no JSON is not kept at all.
pub(super) fn value(json: &str) -> Value {
    let mut value: Value = serde_json::from_str(json).unwrap_or_default();
    strip(&mut value);
    value
}

/// The text of a row.
pub(super) fn raw(json: &str) -> String {
    value(json).to_string()
}

/// The rows that make one document, by their resource.
pub(super) fn bundle<'a>(parts: impl IntoIterator<Item = (&'static str, Vec<&'a str>)>) -> String {
    let mut whole = Map::new();
    for (name, rows) in parts {
        if !rows.is_empty() {
            let rows = rows.into_iter().map(value).collect();
            whole.insert(name.to_owned(), Value::Array(rows));
        }
    }
    Value::Object(whole).to_string()
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|name, _| !NEVER.contains(&name.as_str()));
            object.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}
