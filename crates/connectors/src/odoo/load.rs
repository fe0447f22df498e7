//! Creating with `load()`: many records in one call, each once.
//!
//! `load()` finds a record by its external id and would otherwise update it. Two things keep it from overwriting what people changed:
//! the call runs in the mode of a module update with `noupdate`, in which Odoo itself leaves a record alone that already has its
//! external id, and answers its id as if it had made it; and where the user may search external ids, the keys were looked up at most half a minute before,
//! and only those that are not there are loaded. What remains is a record of that key that some other program made without `noupdate`;
//! Comptoir makes none such.
//!
//! Two clients that load one new key at once never make two records: `ir.model.data` has a unique index, and the one that comes second
//! is answered `ids: false` with the database's message about serialization inside. That is [`Code::Contention`], for later.

use super::fault;
use super::rpc::Ask;
use super::session::Session;
use super::wire::{Loaded, Message};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use serde_json::json;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// One record to make.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its place in the batch.
    pub(super) index: usize,
    /// The company to make it in.
    pub(super) company: i64,
    /// Columns. An empty cell would clear a field, so records with other columns go in another call.
    pub(super) columns: Vec<String>,
    /// Its first row, and rows that hold further sub-records only.
    pub(super) rows: Vec<Vec<String>>,
}

/// What one call answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All were made; ids in their order.
    Made(Vec<i64>),
    /// Another transaction came first. Nothing was done.
    Busy,
    /// These, by place, are refused. Nothing was done, and others may be refused when these are left out.
    Bad(BTreeMap<usize, Fault>),
}

/// Loads records, as many in one call as there are with the same columns. A record that is refused is left out and the others are
/// loaded without it; where Odoo does not say which one it is, halves are tried.
pub(super) async fn load(
    session: &Session,
    model: &'static str,
    entries: Vec<Entry>,
    until: Instant,
) -> Vec<(usize, Result<i64, Fault>)> {
    let mut groups: BTreeMap<(i64, Vec<String>), Vec<Entry>> = BTreeMap::new();
    for entry in entries {
        let group = (entry.company, entry.columns.clone());
        groups.entry(group).or_default().push(entry);
    }
    let mut results = Vec::new();
    let mut stack: Vec<Vec<Entry>> = groups.into_values().collect();
    while let Some(mut part) = stack.pop() {
        if part.is_empty() {
            continue;
        }
        let all = |fault: Fault| {
            part.iter()
                .map(move |entry| (entry.index, Err(fault.clone())))
        };
        match once(session, model, &part, until).await {
            Ok(Outcome::Made(ids)) => {
                let made = part.iter().zip(ids);
                results.extend(made.map(|(entry, id)| (entry.index, Ok(id))));
            }
            Ok(Outcome::Busy) => results.extend(all(fault::contention("`load`"))),
            Ok(Outcome::Bad(bad)) if !bad.is_empty() => {
                let mut rest = Vec::new();
                for (place, entry) in part.into_iter().enumerate() {
                    match bad.get(&place) {
                        Some(fault) => results.push((entry.index, Err(about(model, fault)))),
                        None => rest.push(entry),
                    }
                }
                stack.push(rest);
            }
            Ok(Outcome::Bad(_)) if part.len() > 1 => {
                let rest = part.split_off(part.len() / 2);
                stack.extend([part, rest]);
            }
            Ok(Outcome::Bad(_)) => results.extend(all(about(model, &refused("")))),
            Err(fault) if fault::is_about_one(&fault) && part.len() > 1 => {
                let rest = part.split_off(part.len() / 2);
                stack.extend([part, rest]);
            }
            Err(fault) => results.extend(all(fault)),
        }
    }
    results
}

async fn once(
    session: &Session,
    model: &'static str,
    part: &[Entry],
    until: Instant,
) -> Result<Outcome, Fault> {
    let Some(first) = part.first() else {
        return Ok(Outcome::Made(Vec::new()));
    };
    let rows: Vec<&Vec<String>> = part.iter().flat_map(|entry| &entry.rows).collect();
    let ask = Ask::write("load", model, "load", until)
        .arg("fields", &first.columns)
        .arg("data", &rows)
        .context("allowed_company_ids", json!([first.company]))
        .context("mode", json!("update"))
        .context("noupdate", json!(true));
    let loaded: Loaded = session.rpc.call(ask).await?;
    let sizes: Vec<usize> = part.iter().map(|entry| entry.rows.len()).collect();
    outcome(loaded, &sizes)
}

/// What an answer means for records of so many rows each.
///
/// # Errors
/// [`Code::NotUnderstood`] when it has not one id for each.
pub(super) fn outcome(loaded: Loaded, sizes: &[usize]) -> Result<Outcome, Fault> {
    if let Some(ids) = loaded.ids {
        return if ids.len() == sizes.len() {
            Ok(Outcome::Made(ids))
        } else {
            let why = format!(
                "`load` answered {} ids for {} records",
                ids.len(),
                sizes.len()
            );
            Err(Fault::unknown(Code::NotUnderstood, why))
        };
    }
    let errors = loaded
        .messages
        .iter()
        .filter(|message| message.kind != "warning");
    let mut bad = BTreeMap::new();
    for message in errors {
        if fault::is_serialization(&message.message) {
            return Ok(Outcome::Busy);
        }
        if let Some(place) = place(message, sizes) {
            let known = bad.entry(place).or_insert_with(|| refused(&message.field));
            if known.field.is_none() && !message.field.is_empty() {
                *known = refused(&message.field);
            }
        }
    }
    // When one of Odoo's rules refuses a record (a VAT number), the message is told twice: of that record, and of the first one of the
    // call. So the first is only surely bad when a field of it is named, or when it stands alone; else it is tried again without the others.
    let doubtful = |fault: &Fault| fault.field.is_none();
    if bad.len() > 1 && bad.get(&0).is_some_and(doubtful) {
        bad.remove(&0);
    }
    Ok(Outcome::Bad(bad))
}

/// The record a message is about, by the rows it names, else by its number.
fn place(message: &Message, sizes: &[usize]) -> Option<usize> {
    let Some(rows) = message.rows else {
        let place = usize::try_from(message.record?).ok()?;
        return (place < sizes.len()).then_some(place);
    };
    let mut end = 0;
    sizes.iter().position(|size| {
        end += size;
        rows.from < end
    })
}

/// Says whose data is refused: an order is held for its buyer's as well.
fn about(model: &str, fault: &Fault) -> Fault {
    let why = match model {
        "res.partner" => {
            "Odoo refuses the data of the customer or address, often the VAT number; entering the same in Odoo shows its reason"
        }
        "sale.order.line" => {
            "Odoo refuses a line of the order; entering the same in Odoo shows its reason"
        }
        _ => "Odoo refuses the data of the order; entering the same in Odoo shows its reason",
    };
    Fault {
        why: why.to_owned(),
        ..fault.clone()
    }
}

fn refused(field: &str) -> Fault {
    let why = "Odoo refuses the record's data; entering the same in Odoo shows its reason";
    let fault = Fault::refused(Code::Refused, why);
    if field.is_empty() {
        fault
    } else {
        fault.at(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::wire::Rows;

    fn message(row: usize) -> Message {
        Message {
            kind: "error".to_owned(),
            rows: Some(Rows { from: row }),
            record: Some(0),
            field: "country_id".to_owned(),
            message: "x".to_owned(),
        }
    }

    #[test]
    fn a_message_names_the_record_whose_rows_it_means() {
        let loaded = |messages| Loaded {
            ids: None,
            messages,
        };
        let sizes = [3, 1, 2];
        for (row, record) in [(0, 0), (2, 0), (3, 1), (5, 2)] {
            let Ok(Outcome::Bad(bad)) = outcome(loaded(vec![message(row)]), &sizes) else {
                panic!("not bad");
            };
            assert_eq!(
                bad.keys().copied().collect::<Vec<_>>(),
                [record],
                "row {row}"
            );
            assert_eq!(bad[&record].field.as_deref(), Some("country_id"));
        }
        let outside = outcome(loaded(vec![message(6)]), &sizes);
        assert_eq!(outside, Ok(Outcome::Bad(BTreeMap::new())));
    }

    #[test]
    fn the_first_record_is_not_refused_for_another() {
        let rule = |row| Message {
            field: String::new(),
            ..message(row)
        };
        let bad = |messages| {
            let loaded = Loaded {
                ids: None,
                messages,
            };
            let Ok(Outcome::Bad(bad)) = outcome(loaded, &[1, 1, 1]) else {
                panic!("not bad");
            };
            bad.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(bad(vec![rule(0), rule(2)]), [2]);
        assert_eq!(bad(vec![rule(0), rule(1), rule(2)]), [1, 2]);
        assert_eq!(bad(vec![rule(0)]), [0]);
        // Odoo names a field of the record it means.
        assert_eq!(bad(vec![message(0), rule(2)]), [0, 2]);
        assert_eq!(bad(vec![rule(0), message(0), rule(2)]), [0, 2]);
    }
}
