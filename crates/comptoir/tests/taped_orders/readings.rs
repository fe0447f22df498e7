//! The orders of the tapes: every answer of a real shop that shows a whole order, word for word.

use comptoir_kit::tape::{Exchange, read_folder};
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::{Path, PathBuf};

/// One order as a shop once showed it.
#[derive(Debug, Clone)]
pub struct Reading {
    /// `version/id tape`, as the table names it.
    pub name: String,
    /// The order's id.
    pub id: u64,
    /// Its JSON as recorded.
    pub json: String,
    /// The same, parsed.
    pub value: Value,
}

impl Reading {
    /// A text of it.
    pub fn text(&self, field: &str) -> &str {
        self.value[field].as_str().unwrap_or_default()
    }
}

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../connectors/src/woocommerce/tapes")
        .join(version)
}

/// Every exchange of a shop, with the name of its tape.
pub fn exchanges(version: &str) -> Vec<(String, Exchange)> {
    let tapes = read_folder(&folder(version)).unwrap();
    let of = |(name, tape): (String, comptoir_kit::tape::Tape)| {
        let exchanges = tape.exchanges().into_iter();
        exchanges.map(move |exchange| (name.clone(), exchange))
    };
    tapes.into_iter().flat_map(of).collect()
}

/// The orders of a shop, each as often as it was recorded saying something else.
pub fn readings(version: &str) -> Vec<Reading> {
    let mut found: Vec<Reading> = Vec::new();
    for (tape, exchange) in exchanges(version) {
        let body = exchange.response.body.as_str();
        let items: Vec<&RawValue> = match serde_json::from_str(body) {
            Ok(list) => list,
            Err(_) => serde_json::from_str(body).ok().into_iter().collect(),
        };
        for item in items {
            let mut value: Value = serde_json::from_str(item.get()).unwrap();
            // Refunds and products have no billing address, and a list of chosen fields has no lines.
            if value["billing"].is_null() || value["line_items"].is_null() {
                continue;
            }
            value.as_object_mut().unwrap().remove("_links");
            let id = value["id"].as_u64().unwrap();
            let known = |known: &&Reading| known.id == id && known.value == value;
            if found.iter().find(known).is_none() {
                found.push(Reading {
                    name: format!("{version}/{id} {tape}"),
                    id,
                    json: item.get().to_owned(),
                    value,
                });
            }
        }
    }
    found
}

/// The readings in rounds: each order once per round, in the order of the tapes.
pub fn rounds(readings: Vec<Reading>) -> Vec<Vec<Reading>> {
    let mut rounds: Vec<Vec<Reading>> = Vec::new();
    for reading in readings {
        let free = rounds
            .iter()
            .position(|round| round.iter().all(|other| other.id != reading.id));
        match free {
            Some(free) => rounds[free].push(reading),
            None => rounds.push(vec![reading]),
        }
    }
    rounds
}
