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

/// The text of a table with one row said anew: what `from` becomes, or that it has no row any more. Everything else stays as it is
/// written; a new row comes last.
pub fn with_row(text: &str, from: &str, to: Option<&str>, note: &str) -> String {
    let bare = text.trim_start_matches('\u{feff}');
    let mut lines: Vec<String> = bare.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        lines.push("from,to,note".to_owned());
    }
    let separator = if lines[0].contains(';') { ';' } else { ',' };
    let headers = cells(&lines[0], separator);
    let column = |name: &str| {
        headers
            .iter()
            .position(|cell| cell.eq_ignore_ascii_case(name))
    };
    let at = column("from").unwrap_or(0);
    let row = to.map(|to| {
        let mut row = vec![String::new(); headers.len().max(2)];
        let none = row.len();
        let values = [("from", from, 0), ("to", to, 1), ("note", note, none)];
        for (name, value, usual) in values {
            if let Some(cell) = row.get_mut(column(name).unwrap_or(usual)) {
                *cell = quoted(value, separator);
            }
        }
        row.join(&separator.to_string())
    });
    let is_it = |line: &String| {
        cells(line, separator)
            .get(at)
            .is_some_and(|cell| cell == from.trim())
    };
    let place = lines.iter().skip(1).position(is_it).map(|index| index + 1);
    match (place, row) {
        (Some(place), Some(row)) => lines[place] = row,
        (Some(place), None) => drop(lines.remove(place)),
        (None, Some(row)) => lines.push(row),
        (None, None) => {}
    }
    let mark = if text.starts_with('\u{feff}') {
        "\u{feff}"
    } else {
        ""
    };
    format!("{mark}{}\n", lines.join("\n"))
}

/// A cell as CSV writes it.
fn quoted(value: &str, separator: char) -> String {
    let value = value.trim().replace(['\n', '\r'], " ");
    match value.contains(['"', separator]) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value,
    }
}

/// The cells of one line.
fn cells(line: &str, separator: char) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator as u8)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    let first = reader.records().next().and_then(Result::ok);
    let first = first.map(|row| row.iter().map(str::to_owned).collect());
    first.unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn becomes(text: &str, from: &str) -> Option<String> {
        let table = read("tables/t.csv", text).ok()?;
        table.get(from).map(|hit| hit.to.to_owned())
    }

    #[test]
    fn a_row_is_added_said_anew_or_taken_out_and_the_rest_stays() {
        let text = "\u{feff}from;to;note\nFR 20;TVA 20;by hand\n";
        let added = with_row(text, "FR 5,5", Some("a \"b\"; c"), "console");
        assert!(added.starts_with(text), "{added}");
        assert_eq!(becomes(&added, "FR 5,5").as_deref(), Some("a \"b\"; c"));
        let anew = with_row(&added, "FR 20", Some("TVA 20 G"), "console");
        assert_eq!(becomes(&anew, "FR 20").as_deref(), Some("TVA 20 G"));
        assert_eq!(anew.lines().count(), 3);
        let without = with_row(&anew, "FR 20", None, "");
        assert_eq!(becomes(&without, "FR 20"), None);
        assert_eq!(becomes(&without, "FR 5,5").as_deref(), Some("a \"b\"; c"));
    }

    #[test]
    fn a_table_that_is_not_there_begins_with_its_row() {
        let text = with_row("", "cod", Some("line\nbreak"), "");
        assert_eq!(text, "from,to,note\ncod,line break,\n");
    }
}
