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

    /// What `from` becomes, and the row that said so: its own, else the longest beginning (`FR-*`), else the narrowest span
    /// (`75000..78999`), else the default `*`. Outer spaces do not count.
    pub fn get(&self, from: &str) -> Option<Hit<'_>> {
        let from = from.trim();
        let own = self.rows.get_key_value(from);
        own.or_else(|| self.beginning(from))
            .or_else(|| self.span(from))
            .or_else(|| self.rows.get_key_value(WILDCARD))
            .map(|(row, to)| Hit { row, to })
    }

    fn beginning(&self, from: &str) -> Option<(&String, &String)> {
        let open = |row: &str| row.len() > 1 && row.ends_with(WILDCARD);
        let fitting = self.rows.iter().filter(|(row, _)| open(row));
        fitting
            .filter(|(row, _)| from.starts_with(&row[..row.len() - 1]))
            .max_by_key(|(row, _)| row.len())
    }

    fn span(&self, from: &str) -> Option<(&String, &String)> {
        let value = whole(from)?;
        let fitting = self.rows.iter().filter_map(|(row, to)| {
            let (low, high) = row.split_once("..")?;
            // Postcodes with as many digits: 01000 is none of 1000 to 1999.
            let alike = low.len() == from.len() && high.len() == from.len();
            let (low, high) = (whole(low)?, whole(high)?);
            (alike && (low..=high).contains(&value)).then_some((high - low, (row, to)))
        });
        fitting.min_by_key(|(width, _)| *width).map(|(_, row)| row)
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

fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// Whether a text fits a pattern in which each `*` stands for any text, also none.
pub fn fits_pattern(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut last = None;
    for piece in pieces {
        if let Some(middle) = last.replace(piece) {
            match rest.split_once(middle) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    match last {
        Some(end) => rest.ends_with(end),
        None => rest.is_empty(),
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

    #[test]
    fn a_beginning_beats_a_span_and_a_span_the_default() {
        let rows = [
            ("*", "rest"),
            ("75000..78999", "Paris"),
            ("75016..75016", "West"),
            ("FR-*", "France"),
            ("FR-2*", "Corsica"),
            ("69*", "Lyon"),
        ];
        let table = Table::new(rows.map(|(from, to)| (from.to_owned(), to.to_owned())));
        for (from, to) in [
            ("FR-20", "Corsica"),
            ("FR-75", "France"),
            ("76000", "Paris"),
            ("75016", "West"),
            ("69003", "Lyon"),
            ("7600", "rest"),
            ("079000", "rest"),
            ("", "rest"),
        ] {
            assert_eq!(table.get(from).map(|hit| hit.to), Some(to), "{from}");
        }
    }

    #[test]
    fn a_star_of_a_pattern_is_any_text() {
        for (pattern, text, fits) in [
            ("GIFT*", "GIFT-20", true),
            ("*-XL", "SHIRT-XL", true),
            ("A*B*C", "A1B2C", true),
            ("A*B*C", "AC", false),
            ("A*A", "A", false),
            ("A", "A", true),
            ("A", "AB", false),
            ("*", "", true),
            ("", "", true),
            ("a**b", "ab", true),
        ] {
            assert_eq!(fits_pattern(pattern, text), fits, "{pattern} {text}");
        }
    }
}
