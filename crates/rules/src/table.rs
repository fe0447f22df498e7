//! Look-up tables: what a value of one system is called in another. A merchant edits them as CSV.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The row that stands for every value without a row of its own.
pub const WILDCARD: &str = "*";

/// One table: from a value of the source to a value of the target.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Table {
    rows: BTreeMap<String, String>,
}

impl Table {
    /// A table of these rows; the last row of a value wins.
    pub fn new(rows: impl IntoIterator<Item = (String, String)>) -> Self {
        Table {
            rows: rows
                .into_iter()
                .map(|(from, to)| (from.trim().to_owned(), to.trim().to_owned()))
                .collect(),
        }
    }

    /// What `from` becomes, and the row that said so: its own, else the wildcard's. Outer spaces do not count.
    pub fn get(&self, from: &str) -> Option<Hit<'_>> {
        let own = self.rows.get_key_value(from.trim());
        own.or_else(|| self.rows.get_key_value(WILDCARD))
            .map(|(row, to)| Hit { row, to })
    }

    /// Rows in the order of their values.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rows
            .iter()
            .map(|(from, to)| (from.as_str(), to.as_str()))
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// A row that answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit<'a> {
    /// The row's `from`.
    pub row: &'a str,
    /// The row's `to`.
    pub to: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_row_beats_the_wildcard() {
        let table = Table::new([
            ("*".to_owned(), "other".to_owned()),
            (" bacs ".to_owned(), "Bank".to_owned()),
        ]);
        assert_eq!(table.get("bacs").map(|hit| hit.to), Some("Bank"));
        assert_eq!(table.get("cod").map(|hit| hit.row), Some("*"));
        assert_eq!(Table::default().get("bacs"), None);
    }
}
