//! Which record carries which of our keys: external ids (`ir.model.data`), by name and by record.
//!
//! Only the group *Access Rights* may read `ir.model.data`, and it may manage users as well, which the hub's user need not. A user without
//! it may still ask for one name (`check_object_reference`) and for the external ids of records it may read (`get_metadata`). So the
//! search is tried first, and once it is refused the other way is taken for as long as the database stays open.

use super::key;
use super::rpc::{Ask, Rpc};
use super::session::Session;
use super::wire::{ExternalId, Metadata};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::WriteKey;
use serde_json::{Value, json};
use std::collections::HashMap;
use tokio::task::JoinSet;

/// The external ids that fit; none where the user may not search them.
async fn search(session: &Session, domain: Value) -> Result<Option<Vec<ExternalId>>, Fault> {
    if !session.searches_keys() {
        return Ok(None);
    }
    let fields = ["name", "model", "res_id"];
    let ask = Ask::search("keys", "ir.model.data", domain, &fields);
    match session.rpc.call(ask).await {
        Ok(rows) => Ok(Some(rows)),
        Err(fault) if fault.code == Code::MissingRight => {
            session.keys_are_closed();
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// The records of our keys, by key name: one call for any number of them where external ids may be searched, else one call for each.
pub(super) async fn by_names(
    session: &Session,
    model: &'static str,
    names: &[String],
) -> Result<HashMap<String, i64>, Fault> {
    match searched(session, model, names).await? {
        Some(found) => Ok(found),
        None => one_by_one(session, model, names).await,
    }
}

/// The same in one call; none where external ids may not be searched.
pub(super) async fn searched(
    session: &Session,
    model: &'static str,
    names: &[String],
) -> Result<Option<HashMap<String, i64>>, Fault> {
    if names.is_empty() {
        return Ok(Some(HashMap::new()));
    }
    let domain = json!([
        ["module", "=", session.module],
        ["model", "=", model],
        ["name", "in", names]
    ]);
    let rows = search(session, domain).await?;
    Ok(rows.map(|rows| {
        let ours = rows.into_iter().filter(|row| row.model == model);
        ours.map(|row| (row.name, row.res_id)).collect()
    }))
}

/// Asks for each name, as many at once as the connection may make.
async fn one_by_one(
    session: &Session,
    model: &'static str,
    names: &[String],
) -> Result<HashMap<String, i64>, Fault> {
    let size = names.len().div_ceil(session.at_once.max(1));
    let mut lanes = JoinSet::new();
    for part in names.chunks(size) {
        let (rpc, module, part) = (session.rpc.clone(), session.module.clone(), part.to_vec());
        lanes.spawn(async move {
            let mut found = Vec::new();
            for name in part {
                let id = reference(&rpc, &module, model, &name).await?;
                found.extend(id.map(|id| (name, id)));
            }
            Ok::<_, Fault>(found)
        });
    }
    let mut all = HashMap::new();
    while let Some(found) = lanes.join_next().await {
        let lost = |_| Fault::bug("a question to Odoo was given up");
        all.extend(found.map_err(lost)??);
    }
    Ok(all)
}

/// The record of one name. A name that Odoo does not know is a `ValueError`, and nothing else of this call is one. A key left over from
/// a record that is deleted is answered without an id, as is a record that the user may not see.
async fn reference(rpc: &Rpc, module: &str, model: &str, name: &str) -> Result<Option<i64>, Fault> {
    let ask = Ask::read("keys.one", "ir.model.data", "check_object_reference")
        .arg("module", json!(module))
        .arg("xml_id", json!(name))
        .archived_too();
    match rpc.call::<(String, Value)>(ask).await {
        Ok((found, id)) if found == model => Ok(id.as_i64()),
        Ok(_) => Ok(None),
        Err(fault) if fault.code == Code::UnknownField => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The keys of order lines that carry one of ours: one call for any number of lines.
pub(super) async fn of_lines(
    session: &Session,
    lines: &[i64],
) -> Result<HashMap<i64, WriteKey>, Fault> {
    if lines.is_empty() {
        return Ok(HashMap::new());
    }
    let model = "sale.order.line";
    let domain = json!([
        ["module", "=", session.module],
        ["model", "=", model],
        ["res_id", "in", lines]
    ]);
    if let Some(rows) = search(session, domain).await? {
        let key = |row: ExternalId| Some((row.res_id, key::key_of(&row.name)?));
        return Ok(rows.into_iter().filter_map(key).collect());
    }
    let ask = Ask::read("keys.lines", model, "get_metadata").ids(lines);
    let rows: Vec<Metadata> = session.rpc.call(ask).await?;
    let prefix = format!("{}.", session.module);
    let key = |row: Metadata| {
        let mut names = row.names().filter_map(|name| name.strip_prefix(&prefix));
        Some((row.id, names.find_map(key::key_of)?))
    };
    Ok(rows.into_iter().filter_map(key).collect())
}

/// Whether keys can be looked up at all, one way or the other.
///
/// # Errors
/// Those of a call.
pub(super) async fn readable(session: &Session) -> Result<(), Fault> {
    by_names(session, "sale.order", &["-".to_owned()])
        .await
        .map(|_| ())
}
