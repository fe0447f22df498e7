//! Dated rates: the embedded table, and a merchant's rows before it.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The class of rate that most goods have.
pub const STANDARD: &str = "standard";
/// The class of what is taxed at nothing.
pub const ZERO: &str = "zero";
/// Classes of the embedded table that a country may have several rates of.
const LOWER: [&str; 3] = ["reduced", "super_reduced", "parking"];

/// One rate in one place, from a day on until before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Country (ISO, or `XI`).
    pub country: String,
    /// Territory, or empty.
    #[serde(default)]
    pub territory: String,
    /// Class: `standard`, `reduced`, `super_reduced`, `parking`, or a merchant's own word.
    pub class: String,
    /// Per cent.
    pub rate: Decimal,
    /// First day; none: since always.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// First day that it does not hold any more; none: to this day.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Who says so.
    #[serde(default)]
    pub source: String,
}

impl Rate {
    fn holds(&self, on: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_to.is_none_or(|to| on < to)
    }
}

/// Rows that go before the embedded ones, as `tables/vat_rates.csv` gives them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rates {
    rows: Vec<Rate>,
}

/// A row that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadRate {
    /// The line of the file.
    pub line: usize,
    /// What is wrong.
    pub why: String,
}

static EMBEDDED: LazyLock<Rates> =
    LazyLock::new(|| Rates::read(include_str!("../../data/vat/rates.csv")).unwrap_or_default());

/// The day the embedded rates other than the standard ones were read.
pub const AS_OF: &str = "2026-09-29";

impl Rates {
    /// The embedded table.
    pub fn embedded() -> &'static Rates {
        &EMBEDDED
    }

    /// Reads CSV with the columns `country`, `class`, `rate`, and if given `territory`, `valid_from`, `valid_to`, `source`; comma or
    /// semicolon.
    pub fn read(text: &str) -> Result<Rates, BadRate> {
        let text = text.trim_start_matches('\u{feff}');
        let head = text.lines().next().unwrap_or_default();
        let separator = if head.contains(';') { b';' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let bad = |line: usize, why: String| BadRate { line, why };
        let headers = reader
            .headers()
            .map_err(|error| bad(1, error.to_string()))?
            .clone();
        let column = |name: &str| headers.iter().position(|h| h.eq_ignore_ascii_case(name));
        for needed in ["country", "class", "rate"] {
            if column(needed).is_none() {
                return Err(bad(1, format!("the first line names no column `{needed}`")));
            }
        }
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| bad(0, error.to_string()))?;
            let line = row
                .position()
                .map_or(0, |position| position.line() as usize);
            let field = |name: &str| column(name).and_then(|at| row.get(at)).unwrap_or_default();
            let day = |name: &str| match field(name) {
                "" => Ok(None),
                text => text
                    .parse::<Date>()
                    .map(Some)
                    .map_err(|_| bad(line, format!("`{name}` is no day like 2026-01-31: {text}"))),
            };
            let rate = field("rate").trim_end_matches('%').trim().replace(',', ".");
            rows.push(Rate {
                country: field("country").to_ascii_uppercase(),
                territory: field("territory").to_ascii_uppercase(),
                class: field("class").to_owned(),
                rate: rate
                    .parse()
                    .map_err(|_| bad(line, format!("`rate` is no number: {rate}")))?,
                valid_from: day("valid_from")?,
                valid_to: day("valid_to")?,
                source: field("source").to_owned(),
            });
        }
        Ok(Rates { rows })
    }

    /// Its rows.
    pub fn rows(&self) -> &[Rate] {
        &self.rows
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rates that goods of a class may have in a place on a day: these rows first, then the embedded ones. One, unless the embedded
    /// table must say for a country with several lower rates; none when neither table knows.
    pub fn on(&self, country: &str, territory: &str, class: &str, day: Date) -> Vec<Decimal> {
        if class == ZERO {
            return vec![Decimal::ZERO];
        }
        let own = self.of(country, territory, &[class], day);
        let found = match own.is_empty() {
            false => own,
            true if class == "reduced" => EMBEDDED.of(country, territory, &LOWER, day),
            true => EMBEDDED.of(country, territory, &[class], day),
        };
        let mut rates: Vec<Decimal> = found.into_iter().map(|row| row.rate).collect();
        rates.sort();
        rates.dedup();
        rates
    }

    /// Rows of the territory; those of its country too, unless the territory has rates of its own for everything.
    fn of(&self, country: &str, territory: &str, classes: &[&str], day: Date) -> Vec<&Rate> {
        let holds = |row: &&Rate| classes.contains(&row.class.as_str()) && row.holds(day);
        let rows = || self.rows.iter().filter(|row| row.country == country);
        let of_country = || rows().filter(|row| row.territory.is_empty()).filter(holds);
        if territory.is_empty() {
            return of_country().collect();
        }
        let own = || rows().filter(|row| row.territory == territory);
        let mut found: Vec<&Rate> = own().filter(holds).collect();
        let apart = EMBEDDED.rows.iter().any(|row| {
            row.country == country && row.territory == territory && row.class == STANDARD
        });
        if !apart {
            found.extend(of_country());
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_embedded_table_reads_whole_and_no_two_standard_rates_hold_at_once() {
        let text = include_str!("../../data/vat/rates.csv");
        let rates = Rates::read(text).unwrap();
        assert_eq!(rates.rows().len(), text.lines().count() - 1);
        for a in rates.rows().iter().filter(|row| row.class == STANDARD) {
            for b in rates.rows() {
                let same = a.country == b.country && a.territory == b.territory;
                if same && b.class == STANDARD && a != b {
                    let day = b.valid_from.unwrap_or(Date::MIN);
                    assert!(!a.holds(day), "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_rate_is_the_one_of_its_day() {
        let none = Rates::default();
        for (country, day, rate) in [
            ("DE", date(2020, 12, 31), "16"),
            ("DE", date(2021, 1, 1), "19"),
            ("IE", date(2020, 9, 1), "21"),
            ("IE", date(2021, 3, 1), "23"),
            ("FI", date(2024, 9, 1), "25.5"),
        ] {
            assert_eq!(
                none.on(country, "", STANDARD, day),
                [dec(rate)],
                "{country} {day}"
            );
        }
        assert!(none.on("DE", "", STANDARD, date(1990, 1, 1)).is_empty());
    }

    #[test]
    fn a_merchants_rows_go_first_and_a_territory_with_its_own_rates_borrows_none() {
        let own = Rates::read(
            "country;territory;class;rate;valid_from;valid_to;source\nFR;;books;5,5 %;;;us\nPT;PT-20;standard;18;;;us\n",
        )
        .unwrap();
        let day = date(2026, 10, 1);
        assert_eq!(own.on("FR", "", "books", day), [dec("5.5")]);
        assert_eq!(own.on("PT", "PT-20", STANDARD, day), [dec("18")]);
        assert_eq!(
            Rates::default().on("PT", "PT-20", STANDARD, day),
            [dec("16")]
        );
        assert!(own.on("PT", "PT-30", "reduced", day).is_empty());
        assert_eq!(
            Rates::default().on("FR", "", "reduced", day),
            [dec("2.1"), dec("5.5"), dec("10")]
        );
        assert_eq!(own.on("FR", "", ZERO, day), [Decimal::ZERO]);
        let bad = Rates::read("country,class,rate\nFR,books,much\n").unwrap_err();
        assert_eq!(bad.line, 2);
    }
}
