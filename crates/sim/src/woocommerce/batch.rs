//! Batches: at most 100 items altogether, always 200, one answer per item in the order sent, failed ones as `{id, error}`.

use super::answer::{Answer, Answered};
use super::state::State;
use serde_json::{Map, Value, json};

const MOST: usize = 100;

/// One item.
pub(crate) enum Batch<'a> {
    Create(&'a Value),
    Update(u64, &'a Value),
    Delete(u64),
}

/// Runs a batch.
pub(crate) fn run(
    state: &mut State,
    body: &Value,
    mut one: impl FnMut(&mut State, Batch<'_>) -> Answered,
) -> Answered {
    let items = |name: &str| -> &[Value] {
        body.get(name)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    };
    let total: usize = ["create", "update", "delete"]
        .iter()
        .map(|name| items(name).len())
        .sum();
    if total > MOST {
        return Err(Answer::error(
            413,
            "woocommerce_rest_request_entity_too_large",
            &format!("Unable to accept more than {MOST} items for this request."),
        ));
    }
    let mut out = Map::new();
    for name in ["create", "update", "delete"] {
        let mut results = Vec::new();
        for item in items(name) {
            let id = item
                .as_u64()
                .or_else(|| item.get("id").and_then(Value::as_u64));
            let id = id.unwrap_or_default();
            let answer = match name {
                "create" => one(state, Batch::Create(item)),
                "update" => one(state, Batch::Update(id, item)),
                _ => one(state, Batch::Delete(id)),
            };
            results.push(match answer {
                Ok(answer) => answer.document(),
                Err(error) => {
                    let id = if name == "create" { 0 } else { id };
                    json!({ "id": id, "error": error.document() })
                }
            });
        }
        if !results.is_empty() {
            out.insert(name.to_owned(), Value::Array(results));
        }
    }
    if out.is_empty() {
        // An empty PHP array is a JSON list.
        return Ok(Answer::raw(200, "[]".to_owned()));
    }
    Ok(Answer::ok(&Value::Object(out)))
}
