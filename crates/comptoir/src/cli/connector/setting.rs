//! The settings of a connection in words, from their JSON Schema.

use comptoir_kit::spec::Spec;
use comptoir_model::code::Language;
use serde_json::Value;
use std::fmt::Write as _;

/// One setting.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name in the file.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it is, on one line.
    pub about: String,
    /// The first type that its schema names; empty when it names none.
    pub kind: String,
    /// Whether a connection needs it.
    pub needed: bool,
    /// Whether its value is a secret.
    pub secret: bool,
    /// What holds without it, when that is more than nothing.
    pub default: Option<Value>,
    /// The values that fit, when they are few.
    pub choices: Vec<String>,
}

/// The settings of a connector, in their order.
pub fn all(spec: &Spec) -> Vec<Setting> {
    let schema = (spec.settings)().to_value();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, property)| {
            let text = |field: &str| property[field].as_str().unwrap_or_default();
            let about: Vec<&str> = text("description").split_whitespace().collect();
            Setting {
                name: name.clone(),
                title: text("title").to_owned(),
                about: about.join(" "),
                kind: kind(property),
                needed: required.iter().any(|needed| needed == name),
                secret: property["writeOnly"] == true,
                default: property.get("default").filter(|value| says(value)).cloned(),
                choices: choices(&schema, property),
            }
        })
        .collect()
}

fn kind(property: &Value) -> String {
    let kind = match &property["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    kind.unwrap_or_default().to_owned()
}

/// Whether a default is more than nothing.
fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// The constants of the enumeration that a property is.
fn choices(schema: &Value, property: &Value) -> Vec<String> {
    let alternatives = property["anyOf"].as_array().cloned().unwrap_or_default();
    let named = std::iter::once(property)
        .chain(&alternatives)
        .find_map(|place| place["$ref"].as_str()?.strip_prefix("#/$defs/"));
    let Some(name) = named else {
        return Vec::new();
    };
    let definition = &schema["$defs"][name];
    let constants = definition["oneOf"].as_array().into_iter().flatten();
    let constants = constants.filter_map(|one| one["const"].as_str());
    let listed = definition["enum"].as_array().into_iter().flatten();
    constants
        .chain(listed.filter_map(Value::as_str))
        .map(str::to_owned)
        .collect()
}

/// The settings as a section of a page. What each is stands in English only: it is the program's own text.
pub(super) fn settings(spec: &Spec, language: Language) -> String {
    let mut text = String::new();
    match language {
        Language::English => {
            for setting in all(spec) {
                let _never = writeln!(
                    text,
                    "- `{}`: **{}**, {}. {}",
                    setting.name,
                    setting.title,
                    how(&setting),
                    setting.about
                );
            }
        }
        Language::French => {
            text.push_str("Ce que veut dire chaque réglage est dit plus haut, en anglais (*Settings*).\n\n| réglage | | par défaut |\n|---|---|---|\n");
            for setting in all(spec) {
                let needed = match (setting.needed, setting.secret) {
                    (true, true) => "obligatoire, secret",
                    (true, false) => "obligatoire",
                    (false, _) => "facultatif",
                };
                let default = setting.default.as_ref().map_or(String::new(), shown);
                let _never = writeln!(text, "| `{}` | {needed} | {default} |", setting.name);
            }
        }
    }
    text
}

fn how(setting: &Setting) -> String {
    let mut how = vec![if setting.needed { "needed" } else { "optional" }.to_owned()];
    if setting.secret {
        how.push("a secret: write it as `${NAME}`".to_owned());
    }
    if !setting.choices.is_empty() {
        let choices: Vec<String> = setting
            .choices
            .iter()
            .map(|choice| format!("`{choice}`"))
            .collect();
        how.push(format!("one of {}", choices.join(", ")));
    }
    if let Some(default) = &setting.default {
        how.push(format!("without it {}", shown(default)));
    }
    how.join("; ")
}

/// A default as it is written in the file.
fn shown(value: &Value) -> String {
    format!("`{value}`")
}
