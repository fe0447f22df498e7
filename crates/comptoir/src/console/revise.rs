//! Changes of the configuration from a page: each makes a revision, with its author, that `serve` takes up within a second.

use super::caller::Caller;
use super::refusal::{Refusal, Said};
use crate::config::{self, Files};
use comptoir_model::code::{Code, Language};
use comptoir_model::key::FlowName;

/// The files of the head revision, and its number.
pub async fn head(caller: &Caller) -> Result<(Files, i64), Said> {
    let store = caller.store();
    let broken = |error| caller.broken(error);
    let head = store.head().await.map_err(broken)?.unwrap_or_default();
    let revision = store.revision(head).await.map_err(broken)?;
    Ok((revision.map(|row| row.files).unwrap_or_default(), head))
}

/// Makes changed files the head, unless it has moved since they were read or they are not sound.
pub async fn push(caller: &Caller, head: i64, files: Files) -> Result<i64, Said> {
    if let Err(problems) = config::parse(&files) {
        let text = |language| {
            let texts = problems.iter().map(|problem| problem.text(language));
            texts.collect::<Vec<_>>().join(" ")
        };
        let refusal = Refusal::new(Code::BadRequest);
        return Err(caller.refuse(refusal.with(text(Language::English), text(Language::French))));
    }
    let pushed = caller
        .store()
        .push_revision(Some(head), &caller.person, files);
    pushed.await.map_err(|error| caller.broken(error))
}

/// The file of one of a flow's tables; one that only a rule looks into has the file of its own name.
pub fn table_file(caller: &Caller, flow: &FlowName, table: &str) -> Option<String> {
    let names = &caller.present.config.flows.get(flow)?.tables;
    let name = match table {
        "tax" => &names.taxes,
        "payment" => &names.payment_methods,
        "shipping" => &names.shipping_methods,
        "price_list" => &names.price_lists,
        other => other,
    };
    Some(format!("tables/{name}.csv"))
}

/// Adds a row to a table of a flow, or says anew what its value becomes. Answers the revision.
pub async fn add_row(
    caller: &Caller,
    flow: &FlowName,
    table: &str,
    from: &str,
    to: &str,
) -> Result<i64, Said> {
    let Some(path) = table_file(caller, flow, table) else {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    };
    let (mut files, head) = head(caller).await?;
    let own = ["tax", "payment", "shipping", "price_list"].contains(&table);
    // What a form names is no file name until the configuration has it.
    if !own && !files.contains_key(&path) {
        return Err(caller.refuse(Refusal::new(Code::BadRequest)));
    }
    let text = files.get(&path).cloned().unwrap_or_default();
    let note = format!("{} {}", caller.t("console,", "console,"), caller.person);
    files.insert(path, config::with_row(&text, from, Some(to), &note));
    push(caller, head, files).await
}
