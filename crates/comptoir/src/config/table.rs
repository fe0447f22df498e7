//! Look-up tables: CSV under `tables/`.

use super::parse::{TableNames, line_of};
use super::{Files, Problem};
use comptoir_model::code::Code;
use comptoir_rules::policy::Tables;
use comptoir_rules::table::Table;
use std::collections::BTreeMap;

/// The tables of a flow, whose file is `flow`.
pub(super) fn all(flow: &str, files: &Files, names: &TableNames) -> Result<Tables, Problem> {
    let usual = TableNames::default();
    let table = |setting: &str, name: &str, usual: &str| match files.get(&path(name)) {
        Some(text) => read(&path(name), text),
        // A flow without look-ups needs no table; one that names a table means it.
        None if name == usual => Ok(Table::default()),
        None => Err(missing(flow, files, setting, name)),
    };
    Ok(Tables {
        taxes: table("taxes", &names.taxes, &usual.taxes)?,
        payment_methods: table(
            "payment_methods",
            &names.payment_methods,
            &usual.payment_methods,
        )?,
        shipping_methods: table(
            "shipping_methods",
            &names.shipping_methods,
            &usual.shipping_methods,
        )?,
        price_lists: table("price_lists", &names.price_lists, &usual.price_lists)?,
    })
}

pub(super) fn path(name: &str) -> String {
    format!("tables/{name}.csv")
}

fn missing(flow: &str, files: &Files, setting: &str, name: &str) -> Problem {
    let known = files
        .keys()
        .filter_map(|key| key.strip_prefix("tables/")?.strip_suffix(".csv"));
    let text = files.get(flow).map_or("", String::as_str);
    Problem::new(
        Code::UnknownName,
        format!("`{setting} = \"{name}\"` names no table"),
        format!("`{setting} = \"{name}\"` ne nomme aucune table"),
    )
    .file(flow)
    .line(line_of(text, setting))
    .suggest(name, known)
}

/// Every table of the workspace that rules may look into. One that cannot be read is none of theirs: the flow that names it says so.
pub(super) fn every(files: &Files) -> BTreeMap<String, Table> {
    files
        .iter()
        .filter_map(|(path, text)| {
            let name = path.strip_prefix("tables/")?.strip_suffix(".csv")?;
            Some((name.to_owned(), read(path, text).ok()?))
        })
        .collect()
}

/// A look-up table: CSV with the columns `from` and `to` (further columns are notes), comma or semicolon, a byte-order mark allowed.
pub(super) fn read(path: &str, text: &str) -> Result<Table, Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().next().unwrap_or_default();
    let separator = if head.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let headers = reader
        .headers()
        .map_err(|error| Problem::worded(Code::BadTable, error).file(path))?;
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
    };
    let (Some(from), Some(to)) = (column("from"), column("to")) else {
        return Err(Problem::new(
            Code::BadTable,
            "the first line must name the columns `from` and `to`",
            "la première ligne doit nommer les colonnes `from` et `to`",
        )
        .file(path)
        .line(1)
        .fix(
            "begin the file with the line `from,to,note`",
            "commencer le fichier par la ligne `from,to,note`",
        ));
    };
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| Problem::worded(Code::BadTable, error).file(path))?;
        let line = row.position().map(|position| position.line() as usize);
        match (row.get(from), row.get(to)) {
            (Some(from), Some(to)) if !to.is_empty() => rows.push((from.to_owned(), to.to_owned())),
            _ => {
                return Err(Problem::new(
                    Code::BadTable,
                    "the row has no `to`",
                    "la ligne n'a pas de `to`",
                )
                .file(path)
                .line(line)
                .fix(
                    "say what the value becomes, or delete the row",
                    "dire ce que devient la valeur, ou supprimer la ligne",
                ));
            }
        }
    }
    Ok(Table::new(rows))
}
