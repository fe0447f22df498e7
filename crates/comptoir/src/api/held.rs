//! What is held, by flow and cause.

use super::list::instant_text;
use super::problem::Problem;
use super::token::{Scope, Token};
use crate::advice;
use axum::Json;
use comptoir_model::code::Language;
use schemars::JsonSchema;
use serde::Serialize;

/// Records of one flow that are held under one cause.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Held {
    /// The flow.
    pub flow: String,
    /// The cause, as `comptoir hold list` shows it.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// How many.
    pub count: u64,
    /// Since when the oldest (RFC 3339).
    pub since: String,
    /// The records' ids in the source, the oldest first; at most 1,000.
    pub records: Vec<String>,
}

/// Everything held.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeldPage {
    /// By flow and cause.
    pub items: Vec<Held>,
}

/// `GET /v1/held`.
pub async fn list(token: Token) -> Result<Json<HeldPage>, Problem> {
    token.needs(Scope("read:held"))?;
    let store = token.desk.store();
    let mut items: Vec<Held> = Vec::new();
    for group in store.holds().await? {
        let rows = store.held(&group.cause, 1_000).await?;
        for row in rows {
            let known = items
                .iter_mut()
                .find(|item| item.flow == row.flow.as_str() && item.cause == group.cause);
            match known {
                Some(item) => {
                    item.count += 1;
                    item.records.push(row.src.to_string());
                }
                None => items.push(Held {
                    flow: row.flow.to_string(),
                    cause: group.cause.clone(),
                    fix: advice::fix(&group.cause, Language::English),
                    count: 1,
                    since: instant_text(row.since),
                    records: vec![row.src.to_string()],
                }),
            }
        }
    }
    Ok(Json(HeldPage { items }))
}
