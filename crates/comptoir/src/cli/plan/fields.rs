//! Two versions of a document, field by field.

use comptoir_model::document::Document;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its path, such as `lines[line-7].quantity`.
    pub field: String,
    /// What is there; none where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What would be there; none where it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The fields in which a document differs from the one before it; all of them where there is none.
pub fn differing(before: Option<&Document>, after: &Document) -> Vec<Field> {
    let (from, to) = (before.map(flat).unwrap_or_default(), flat(after));
    let names = from.keys().chain(to.keys());
    let names: std::collections::BTreeSet<&String> = names.collect();
    let field = |name: &String| Field {
        field: name.clone(),
        from: from.get(name).cloned(),
        to: to.get(name).cloned(),
    };
    let all = names.into_iter().map(field);
    all.filter(|field| field.from != field.to).collect()
}

/// Every value of a document by its path. What is empty, and what says nothing, is left out.
fn flat(document: &Document) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let json: Value = serde_json::from_slice(&document.to_json()).unwrap_or_default();
    let inner = json.as_object().and_then(|kinds| kinds.values().next());
    walk("", inner.unwrap_or(&json), &mut found);
    found
}

fn walk(path: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let at = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(&at(name), value, found);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                // Lines are known by what they are, not by their place.
                let named = ["id", "code", "line"]
                    .iter()
                    .find_map(|name| item.get(*name)?.as_str())
                    .filter(|name| !name.is_empty());
                let name = named.map_or_else(|| place.to_string(), str::to_owned);
                walk(&format!("{path}[{name}]"), item, found);
            }
        }
        Value::Null | Value::Bool(false) => {}
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => drop(found.insert(path.to_owned(), plain(text))),
        other => drop(found.insert(path.to_owned(), other.to_string())),
    }
}

/// A number without zeros at its end, so that 12.0 and 12.00 are the same.
fn plain(text: &str) -> String {
    match text.parse::<comptoir_model::Decimal>() {
        // A number with a zero in front is an id or a code.
        Ok(number) if !text.starts_with('0') || text.starts_with("0.") => {
            number.normalize().to_string()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::order::{Line, Order};

    #[test]
    fn only_what_differs_is_named_and_lines_by_their_ids() {
        let mut order = Order::empty("1042", "EUR".parse().unwrap());
        order.lines = vec![
            Line {
                id: "line-7".to_owned(),
                title: "Mug".to_owned(),
                quantity: 1.into(),
                ..Line::default()
            },
            Line {
                id: "line-8".to_owned(),
                quantity: 1.into(),
                ..Line::default()
            },
        ];
        order.totals.total = "12.00".parse().unwrap();
        let before = Document::Order(Box::new(order.clone()));
        order.lines.remove(1);
        order.lines[0].quantity = 3.into();
        order.totals.total = "12.000".parse().unwrap();
        order.note = "ring twice".to_owned();
        let after = Document::Order(Box::new(order));
        let named: Vec<(String, Option<String>, Option<String>)> = differing(Some(&before), &after)
            .into_iter()
            .filter(|field| !field.field.starts_with("lines[line-8]"))
            .map(|field| (field.field, field.from, field.to))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            named,
            [
                ("lines[line-7].quantity".to_owned(), some("1"), some("3")),
                ("note".to_owned(), None, some("ring twice")),
            ]
        );
        assert!(differing(Some(&after), &after).is_empty());
        assert!(
            differing(Some(&before), &after)
                .iter()
                .any(|field| field.field == "lines[line-8].quantity" && field.to.is_none())
        );
    }
}
