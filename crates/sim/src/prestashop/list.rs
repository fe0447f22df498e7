//! Lists: what the query asks for, and what comes of it.

use super::answer::Answer;
use super::rows::{Rows, node};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// A query, decoded, in its order.
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

const WARNING: (i64, &str) = (
    3,
    "[PHP Warning #2] Trying to access array offset on value of type bool (WebserviceRequest.php, line 1333)",
);

impl Query {
    pub(crate) fn parse(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Query(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (plain(name), plain(value))
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn as_json(&self) -> bool {
        self.get("output_format") == Some("JSON")
    }

    fn filters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| {
            let field = name.strip_prefix("filter[")?.strip_suffix(']')?;
            Some((field, value.as_str()))
        })
    }
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let hex = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
                let hex = std::str::from_utf8(&hex).ok();
                bytes.push(
                    hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())
                        .unwrap_or(b'?'),
                );
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The list of a resource.
pub(crate) fn list(rows: &Rows, resource: &str, query: &Query, fields: &[&str]) -> Answer {
    let refused =
        |code, message| Answer::errors(query.as_json(), 500, &[(code, message), WARNING, WARNING]);
    let dated = query.get("date") == Some("1");
    let is_date = |field: &str| field == "date_upd" || field == "date_add";
    let usable = |field: &str| fields.contains(&field) && (dated || !is_date(field));
    let mut found: Vec<&Map<String, Value>> = rows.values().collect();
    for (field, condition) in query.filters() {
        if !usable(field) {
            return refused(32, "This filter does not exist.");
        }
        found.retain(|row| passes(&row[field], condition));
    }
    if let Some(sort) = query.get("sort") {
        for key in sort.trim_matches(['[', ']']).split(',').rev() {
            let Some((field, direction)) = key.rsplit_once('_') else {
                return Answer::errors(
                    query.as_json(),
                    400,
                    &[(37, "The \"sort\" value is malformed.")],
                );
            };
            if !usable(field) {
                return refused(38, "Unable to filter by this field.");
            }
            found.sort_by(|a, b| {
                let order = compare(&a[field], &b[field]);
                if direction == "DESC" {
                    order.reverse()
                } else {
                    order
                }
            });
        }
    }
    if let Some(limit) = query.get("limit") {
        let mut numbers = limit.split(',').map(|number| number.parse().unwrap_or(0));
        let (first, second): (usize, Option<usize>) = (numbers.next().unwrap_or(0), numbers.next());
        let (offset, count) = second.map_or((0, first), |count| (first, count));
        found = found.into_iter().skip(offset).take(count).collect();
    }
    let shown: Result<Vec<Value>, ()> = found
        .iter()
        .map(|row| shown(row, query.get("display")))
        .collect();
    match shown {
        Err(()) => refused(35, "Unable to display this field."),
        Ok(rows) if rows.is_empty() => Answer::json(&json!([])),
        Ok(rows) => Answer::json(&json!({ node(resource): rows })),
    }
}

/// A single record: as JSON it loses every field that is zero or empty.
pub(crate) fn single(rows: &Rows, entity: &str, id: u64) -> Answer {
    let Some(row) = rows.get(&id) else {
        return Answer::not_there();
    };
    let mut row = row.clone();
    row.retain(|_, value| !matches!(value.as_str(), Some("" | "0")));
    Answer::json(&json!({ entity: row }))
}

fn shown(row: &Map<String, Value>, display: Option<&str>) -> Result<Value, ()> {
    let fields = match display {
        None => "id",
        Some("full") => return Ok(Value::Object(row.clone())),
        Some(fields) => fields.trim_matches(['[', ']']),
    };
    let mut cut = Map::new();
    for field in fields.split(',') {
        let value = row.get(field).ok_or(())?;
        cut.insert(field.to_owned(), value.clone());
    }
    Ok(Value::Object(cut))
}

/// Whether a value passes a filter. What the webservice does not understand lets everything through.
fn passes(value: &Value, condition: &str) -> bool {
    let Some((before, rest)) = condition.split_once('[') else {
        return text(value) == condition;
    };
    let inner = rest.trim_end_matches(']');
    match before {
        "" => inner
            .split('|')
            .any(|wanted| text(value).eq_ignore_ascii_case(wanted)),
        ">" => compare(value, &Value::String(inner.to_owned())) == Ordering::Greater,
        "<" => compare(value, &Value::String(inner.to_owned())) == Ordering::Less,
        _ => true,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn compare(a: &Value, b: &Value) -> Ordering {
    let (a, b) = (text(a), text(b));
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(&b),
    }
}
