//! Answering a list: the page, its headers, only the fields asked for.

use super::answer::{Answer, Answered, php_json};
use super::query::{Page, Query, pick};
use super::render::Look;
use serde_json::Value;

/// A page of documents.
pub(crate) fn answer_list(
    documents: Vec<Value>,
    total: usize,
    page: Page,
    path: &str,
    query: &Query,
    look: &Look,
) -> Answered {
    let mut list = Value::Array(documents);
    if let Some(fields) = query.fields() {
        list = pick(list, &fields, false);
    }
    let answer = Answer::raw(200, php_json(&list));
    Ok(page.headers(answer, total, &look.api(path), query))
}

/// A whole list on one page, with the totals of a page.
pub(crate) fn answer_all(
    documents: Vec<Value>,
    path: &str,
    query: &Query,
    look: &Look,
) -> Answered {
    let page = query.page()?;
    let total = documents.len();
    let shown = page.of(&documents).to_vec();
    answer_list(shown, total, page, path, query, look)
}
