//! What a spec must say about itself.

use crate::spec::Spec;
use comptoir_model::code::{Code, Language};
use comptoir_model::port::{Capabilities, Guard, Proof};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The longest deadline of an operation, in seconds: a new owner of a connection waits that long before it writes.
const LONGEST_DEADLINE: u32 = 300;

/// What is wrong with a spec; nothing for a sound one.
pub(super) fn faults(spec: &Spec) -> Vec<String> {
    let mut faults = Vec::new();
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if spec.name.is_empty() || !spec.name.chars().all(word) {
        faults.push("`name` is not of lower-case letters, digits and hyphens".to_owned());
    }
    for (name, text) in [
        ("title", spec.title),
        ("summary", spec.summary),
        ("setup", spec.setup),
        ("setup_fr", spec.setup_fr),
    ] {
        if text.trim().is_empty() {
            faults.push(format!("`{name}` is empty"));
        }
    }
    capabilities(spec.capabilities, &mut faults);
    settings(spec, &mut faults);
    faults
}

fn capabilities(capabilities: &Capabilities, faults: &mut Vec<String>) {
    if capabilities.slots == 0 {
        faults.push("no slots".to_owned());
    }
    let mut kinds = BTreeSet::new();
    for reads in capabilities.reads {
        let kind = reads.kind;
        if !kinds.insert(kind) {
            faults.push(format!("{kind}: two ways to read"));
        }
        if reads.changes && (reads.page < 2 || reads.cursor.is_empty()) {
            faults.push(format!(
                "{kind}: changes without a cursor, or fewer than two a page"
            ));
        }
        if reads.ids == 0 {
            faults.push(format!("{kind}: no ids per read"));
        }
    }
    let mut operations = BTreeSet::new();
    for operation in capabilities.writes {
        let (kind, step) = (operation.kind, operation.step);
        let name = format!("{kind} {}", step.as_str());
        if !operations.insert((kind, step)) {
            faults.push(format!("{name}: declared twice"));
        }
        if !(1..=LONGEST_DEADLINE).contains(&operation.deadline_seconds) {
            faults.push(format!("{name}: a deadline is 1 to {LONGEST_DEADLINE} s"));
        }
        if operation.batch == 0 {
            faults.push(format!("{name}: a batch of none"));
        }
        if operation.proof == Proof::Key && !capabilities.finds(kind, "key") {
            faults.push(format!("{name}: proved by key, and nothing finds by key"));
        }
        let state = super::state_of(capabilities, kind);
        if operation.proof == Proof::State && capabilities.reads(state).is_none() {
            faults.push(format!("{name}: proved by state, and nothing reads it"));
        }
        let sent_again = operation.proof != Proof::None && operation.guard != Guard::Unique;
        if sent_again && operation.settle_seconds == 0 {
            faults.push(format!(
                "{name}: without a unique guard it needs a settle time"
            ));
        }
    }
}

fn settings(spec: &Spec, faults: &mut Vec<String>) {
    let schema = (spec.settings)().to_value();
    let mut properties = Vec::new();
    collect(&schema, "", &mut properties);
    if properties.is_empty() {
        faults.push("the settings have no properties".to_owned());
    }
    for (path, property) in properties {
        for text in ["title", "description"] {
            let given = property.get(text).and_then(Value::as_str);
            if given.is_none_or(|given| given.trim().is_empty()) {
                faults.push(format!("setting `{path}` has no {text}"));
            }
        }
    }
}

/// Every property of a schema, at any depth.
fn collect<'a>(schema: &'a Value, path: &str, found: &mut Vec<(String, &'a Map<String, Value>)>) {
    match schema {
        Value::Object(object) => {
            for (name, inner) in object {
                let properties = match (name.as_str(), inner) {
                    ("properties", Value::Object(properties)) => properties,
                    ("default" | "examples" | "enum" | "const", _) => continue,
                    _ => {
                        collect(inner, path, found);
                        continue;
                    }
                };
                for (property, inner) in properties {
                    let path = if path.is_empty() {
                        property.clone()
                    } else {
                        format!("{path}.{property}")
                    };
                    if let Value::Object(inner) = inner {
                        found.push((path.clone(), inner));
                    }
                    collect(inner, &path, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, found)),
        _ => {}
    }
}

/// Whether the error docs can say what a code means.
pub(super) fn has_titles(code: Code) -> bool {
    [Language::English, Language::French]
        .into_iter()
        .all(|language| !code.title(language).is_empty())
}
