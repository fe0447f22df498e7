//! Whether a path exists in an order: asked of the JSON Schema of the type itself, so that no second list can be wrong.

use super::path::{Path, Step};
use comptoir_model::order::Order;
use serde_json::Value;
use std::sync::LazyLock;

/// Where a target books an order, and what was written back into a shop: no rule reads them of a shop's order.
const NOT_READ: [&str; 2] = ["placement", "shipments"];

static ORDER: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(Order).to_value();
    if let Some(fields) = schema["properties"].as_object_mut() {
        fields.retain(|name, _| !NOT_READ.contains(&name.as_str()));
    }
    schema
});

/// A name that a path holds and that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nowhere {
    /// The name.
    pub name: String,
    /// The names that are there.
    pub known: Vec<String>,
}

/// The names of an order's own fields.
pub fn fields() -> Vec<String> {
    names(&ORDER)
}

/// The list that `line` stands for in a rule that writes `lines[]`, `shipping[]` or `fees[]`.
pub fn element(list: &str) -> Option<&'static Value> {
    field(&ORDER, list).and_then(|list| list.get("items").map(resolved))
}

/// Checks the steps after the root of a path; the root is a field of the order, or `line`, which stands for `element`.
///
/// # Errors
/// The first name that is not there.
pub fn check(path: &Path, element: Option<&'static Value>) -> Result<(), Nowhere> {
    let mut here = match (path.root(), element) {
        ("line", Some(element)) => element,
        (root, _) => step(&ORDER, root)?,
    };
    for part in &path.0[1..] {
        // An open map, or a value of any shape: what is in it is only known with the record.
        if is_open(here) {
            return Ok(());
        }
        here = match part {
            Step::Name(name) => step(here, name)?,
            Step::Index(_) | Step::Each => match here.get("items") {
                Some(items) => resolved(items),
                None => {
                    return Err(Nowhere {
                        name: part_text(part),
                        known: names(here),
                    });
                }
            },
        };
    }
    Ok(())
}

fn part_text(part: &Step) -> String {
    match part {
        Step::Name(name) => name.clone(),
        Step::Index(index) => format!("[{index}]"),
        Step::Each => "[]".to_owned(),
    }
}

fn step(here: &'static Value, name: &str) -> Result<&'static Value, Nowhere> {
    field(here, name).ok_or_else(|| Nowhere {
        name: name.to_owned(),
        known: names(here),
    })
}

fn field(here: &'static Value, name: &str) -> Option<&'static Value> {
    here.get("properties")?.get(name).map(resolved)
}

fn names(here: &Value) -> Vec<String> {
    here.get("properties")
        .and_then(Value::as_object)
        .map(|fields| fields.keys().cloned().collect())
        .unwrap_or_default()
}

fn is_open(here: &Value) -> bool {
    here == &Value::Bool(true)
        || here
            .get("additionalProperties")
            .is_some_and(|more| more != &Value::Bool(false))
}

/// What a reference, or a type that may be null, stands for.
fn resolved(here: &'static Value) -> &'static Value {
    if let Some(reference) = here.get("$ref").and_then(Value::as_str) {
        let name = reference.trim_start_matches("#/$defs/");
        return ORDER["$defs"].get(name).map_or(here, resolved);
    }
    for several in ["anyOf", "allOf"] {
        if let Some(Value::Array(options)) = here.get(several) {
            let real = options.iter().find(|option| option["type"] != "null");
            return real.map_or(here, resolved);
        }
    }
    here
}

/// Every path of an order that ends in a plain value; lists by their first element.
#[cfg(test)]
pub(super) fn every_path() -> Vec<String> {
    fn walk(here: &'static Value, path: &str, found: &mut Vec<String>) {
        if is_open(here) {
            return;
        }
        if let Some(items) = here.get("items") {
            return walk(resolved(items), &format!("{path}[0]"), found);
        }
        match here.get("properties").and_then(Value::as_object) {
            Some(fields) => {
                for (name, field) in fields {
                    let dot = if path.is_empty() { "" } else { "." };
                    walk(resolved(field), &format!("{path}{dot}{name}"), found);
                }
            }
            None => found.push(path.to_owned()),
        }
    }
    let mut found = Vec::new();
    walk(&ORDER, "", &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(path: &str) -> Result<(), Nowhere> {
        check(&Path::parse(path).unwrap(), element("lines"))
    }

    #[test]
    fn what_an_order_has_is_found_and_what_it_has_not_is_named() {
        for good in [
            "number",
            "ship_to.country",
            "lines[0].sku",
            "line.tax_class",
            "line.attributes.anything.at.all",
            "attributes[_key]",
            "payments[0].fee",
            "totals.total",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        assert!(checked("placement.company").is_err());
        let nowhere = checked("ship_to.contry").unwrap_err();
        assert_eq!(nowhere.name, "contry");
        assert!(nowhere.known.contains(&"country".to_owned()));
        assert_eq!(checked("shipto.country").unwrap_err().name, "shipto");
        assert_eq!(checked("number[0]").unwrap_err().name, "[0]");
        assert_eq!(checked("number.x").unwrap_err().name, "x");
    }
}
