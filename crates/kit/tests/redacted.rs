//! The redactor on every recorded answer of real systems in this tree, as if they were recorded once more: what is known to stand in
//! them of people (all of it invented) is gone, and everything else is as it was.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_kit::tape::{Redactor, read_folder};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Found by reading the tapes.
const PEOPLE: &[&str] = &[
    "Marie",
    "D'Exemple",
    "Exemple-Übér",
    "Société Exemple",
    "Client Exemple",
    "John",
    "DOE",
    "花子",
    "12 rue de l’Église",
    "Hohe Straße 5",
    "Bahnhofstraße 1",
    "Calle del Ejemplo",
    "1 rue de la Paix",
    "千代田1-1",
    "Bât. B",
    "Villeurbanne",
    "Beverly Hills",
    "69003",
    "SW1A 1AA",
    "99 00 12 34",
    "199001234",
    "39 98 12 34",
    "010-0199",
    "FR11123456782",
    "FR 11 123 456 782",
    "12345678200010",
    "X1234567A",
    "client322411",
    "marie.",
    "nouveau.21524",
    "wc_order_",
    "gravatar",
    "Dummy-Pass",
    "Livrer après 18h",
    "Sonner 2",
    "interphone",
    "Mozilla/5.0",
    "203.0.113.9",
    "ck_TAPE",
    "cs_TAPE",
];

/// Parts of what must be left: what connectors read.
const SYSTEMS: &[&str] = &[
    "\"total\":\"",
    "FR-TVA 20-1",
    "Mug émaillé",
    "flat_rate",
    "processing",
    "8.541666666666666",
    "ps_wirepayment",
    "IDSELEVFT",
    "2026-11-22 05:38:13",
    "total_paid_tax_incl",
    "CO2610-0124",
    "10.33300000",
    "(PROV281)",
    "sqlfilters",
    "sale.order",
    "tape_322171",
    "write_date",
    "psycopg2",
    "Europe/Paris",
    "11.0.1",
];

fn folders() -> Vec<PathBuf> {
    let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/src");
    let folders = |path: PathBuf| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path())
    };
    let all = folders(connectors).flat_map(|system| folders(system.join("tapes")));
    let mut all: Vec<PathBuf> = all.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// The names and the sorts of everything in a document, in order.
fn shape(value: &Value, shape: &mut String) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| {
            shape.push_str(name);
            self::shape(inner, shape);
        }),
        Value::Array(items) => items.iter().for_each(|inner| self::shape(inner, shape)),
        Value::String(_) => shape.push('"'),
        Value::Number(_) => shape.push('0'),
        other => shape.push_str(&other.to_string()),
    }
    shape.push(';');
}

fn shape_of(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text).ok()?;
    let mut text = String::new();
    shape(&value, &mut text);
    Some(text)
}

/// A text with what JSON escapes written out.
fn plain(text: &str) -> String {
    let value: Result<Value, _> = serde_json::from_str(text);
    value.map_or(text.to_owned(), |value| value.to_string())
}

#[test]
fn people_go_from_recorded_answers_and_what_connectors_read_stays() {
    let folders = folders();
    assert!(folders.len() >= 6, "{folders:?}");
    let mut left: BTreeMap<String, String> = BTreeMap::new();
    let mut all = String::new();
    for folder in &folders {
        let mut redactor = Redactor::default();
        let mut texts = Vec::new();
        for (name, tape) in read_folder(folder).unwrap() {
            for exchange in tape.exchanges() {
                let request = &exchange.request;
                redactor.request(&request.path, request.body.as_deref());
                let path = redactor.body(&exchange.request.path);
                texts.push((name.clone(), exchange.request.path, path));
                for body in exchange
                    .request
                    .body
                    .into_iter()
                    .chain([exchange.response.body])
                {
                    let clean = redactor.body(&body);
                    texts.push((name.clone(), body, clean));
                }
            }
        }
        for (name, raw, clean) in texts {
            let clean = redactor.again(&clean);
            assert_eq!(shape_of(&clean), shape_of(&raw), "{name}: another shape");
            let clean = plain(&clean);
            for person in PEOPLE.iter().filter(|person| clean.contains(**person)) {
                left.insert(
                    format!("{person} in {}/{name}", folder.display()),
                    clean.chars().take(300).collect(),
                );
            }
            all.push_str(&clean);
        }
    }
    assert!(left.is_empty(), "{left:#?}");
    for kept in SYSTEMS {
        assert!(all.contains(kept), "{kept} is gone");
    }
}

#[test]
fn each_of_them_stands_in_the_recorded_answers() {
    let mut all = String::new();
    for folder in folders() {
        for (_, tape) in read_folder(&folder).unwrap() {
            for exchange in tape.exchanges() {
                let request = exchange.request;
                let texts = [
                    request.path,
                    request.body.unwrap_or_default(),
                    exchange.response.body,
                ];
                texts.iter().for_each(|text| all.push_str(&plain(text)));
            }
        }
    }
    let absent: Vec<_> = PEOPLE
        .iter()
        .filter(|person| !all.contains(**person))
        .collect();
    assert!(absent.is_empty(), "these prove nothing: {absent:?}");
}
