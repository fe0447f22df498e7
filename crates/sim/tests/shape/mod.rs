//! Comparing the shape of two JSON documents: the keys of objects and the types of values.

use serde_json::Value;

/// Differences between the tapes and the simulator that are known and harmless, by the path of the value (`[]` for any place of a
/// list).
pub const TOLERATED: &[(&str, &str)] = &[
    (
        ".meta_data[]",
        "which metadata a record has, and what is in it, is the plug-ins' affair",
    ),
    (".related_ids[]", "the theme's suggestions; none here"),
    (".routes", "the index lists no routes"),
    ("enabled_features[]", "which features are on"),
    (
        ".settings",
        "settings of gateways and shipping methods are shortened",
    ),
    (".namespaces[]", "which plug-ins serve what"),
    (".value", "settings and metadata hold whatever was typed"),
    (".image.id", "an empty text or a number, on the tapes too"),
    (".price", "a number with or without decimals"),
];

/// Lists that may be empty here although the tape's are not, since they depend on the goods of an order.
const MAY_BE_EMPTY: &[&str] = &[
    "meta_data",
    "images",
    "related_ids",
    "refunds",
    "taxes",
    "tax_lines",
    "coupon_lines",
    "shipping_lines",
    "active_plugins",
    "customer",
];

/// What is not the same: missing and additional keys, other types.
pub fn differences(tape: &Value, own: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", tape, own, &mut found);
    found
}

fn tolerated(path: &str) -> bool {
    TOLERATED
        .iter()
        .any(|(ending, _)| path.ends_with(ending) || path.contains(&format!("{ending}.")))
}

fn compare(path: &str, tape: &Value, own: &Value, found: &mut Vec<String>) {
    if tolerated(path) {
        return;
    }
    match (tape, own) {
        // Null says that a value is not there now; its type shows elsewhere.
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(tape), Value::Object(own)) => {
            for (key, value) in tape {
                match own.get(key) {
                    Some(other) => compare(&format!("{path}.{key}"), value, other, found),
                    None if optional(key) => {}
                    None => found.push(format!("{path}.{key} is missing")),
                }
            }
            for key in own.keys() {
                if !tape.contains_key(key) && !optional(key) {
                    found.push(format!("{path}.{key} is not on the tape"));
                }
            }
        }
        (Value::Array(tape), Value::Array(own)) => {
            let name = path.rsplit('.').next().unwrap_or_default();
            // Which orders stand on a page is chance; the single ones were chosen for what is in them.
            let on_a_page = path.starts_with("[]");
            let may = on_a_page || MAY_BE_EMPTY.contains(&name);
            if own.is_empty() && !tape.is_empty() && !may {
                found.push(format!("{path} is empty"));
            }
            // Failed items of a batch have a shape of their own.
            let failed = |item: &Value| item.get("error").is_some();
            for failure in [true, false] {
                let alike = tape.iter().filter(|item| failed(item) == failure);
                let Some(tape) = merged(alike) else { continue };
                for item in own.iter().filter(|item| failed(item) == failure) {
                    compare(&format!("{path}[]"), &tape, item, found);
                }
            }
        }
        (a, b) if kind(a) == kind(b) => {}
        (a, b) => found.push(format!("{path} is {} and not {}", kind(b), kind(a))),
    }
}

/// Links that hang on the order: its customer.
fn optional(key: &str) -> bool {
    matches!(
        key,
        "customer" | "bundled_by" | "bundled_items" | "gift_cards"
    )
}

/// One value with the keys of all items.
fn merged<'a>(mut items: impl Iterator<Item = &'a Value>) -> Option<Value> {
    let mut first = items.next()?.clone();
    for item in items {
        if let (Value::Object(first), Value::Object(item)) = (&mut first, item) {
            for (key, value) in item {
                let known = first.entry(key.clone()).or_insert(Value::Null);
                if known.is_null() || known == &serde_json::json!([]) {
                    *known = value.clone();
                }
            }
        }
    }
    Some(first)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a flag",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[test]
fn a_missing_key_and_another_type_are_seen() {
    let tape = serde_json::json!({ "a": [{ "b": "1", "c": 2 }, { "d": true }] });
    let own = serde_json::json!({ "a": [{ "b": 1, "d": false }], "e": 1 });
    assert_eq!(
        differences(&tape, &own),
        [
            ".a[].b is a number and not a text",
            ".a[].c is missing",
            ".e is not on the tape"
        ]
    );
}
