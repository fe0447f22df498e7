//! VAT numbers: how they are written, and whether one can exist at all. Whether it does exist only its member state knows (VIES).
//!
//! The 27 member states and Northern Ireland are the crate `eu-vat`'s; `other` has what that crate leaves out.

mod other;

use comptoir_model::address::Country;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A VAT number in canonical form: prefix and national part, capitals and digits only.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VatNumber {
    /// `FR`, `EL` for Greece, `XI`, `GB`, `CH` (whose numbers begin with CHE), `NO`.
    pub prefix: String,
    /// What follows; for `CH` it begins with `E`.
    pub national: String,
}

impl fmt::Display for VatNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.prefix, self.national)
    }
}

impl VatNumber {
    /// The member state that gave it, by ISO code or `XI`; none for others.
    pub fn member(&self) -> Option<&str> {
        match self.prefix.as_str() {
            "EL" => Some("GR"),
            "GB" | "CH" | "NO" => None,
            other => Some(other),
        }
    }
}

/// What is doubtful about a number that is written like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The check digits do not fit.
    CheckDigit,
    /// A part of it (a date, a province) cannot be.
    Part,
    /// Libraries of repute disagree about numbers like this.
    Disputed,
}

/// What is wrong with a text that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// No country knows the prefix, and the address did not help.
    Country,
    /// Too long or too short.
    Length,
    /// Letters or digits where there should be others.
    Shape,
}

/// How a text reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// A number that can exist.
    Good(VatNumber),
    /// Written like a number, and doubtful. Registers have such numbers: only theirs is a verdict.
    Doubtful(VatNumber, Doubt),
    /// No number.
    Bad(Flaw),
}

/// What a doubtful number counts as before its register is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Doubtful {
    /// As a number: the register is asked, and its answer counts.
    #[default]
    Ask,
    /// As badly written: nobody is asked.
    Reject,
}

/// Prefixes of the Union's numbers, Greece's by both its names.
const UNION: [&str; 29] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "GR", "ES", "FI", "FR", "HR", "HU", "IE",
    "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
];

/// Reads a number as a buyer typed it; nothing when nothing was typed. `country` is the address's, for numbers without a prefix.
pub fn read(text: &str, country: Option<Country>) -> Option<Reading> {
    let typed = squeezed(text);
    if typed.is_empty() {
        return None;
    }
    let Some((prefix, national)) = split(&typed, country) else {
        return Some(Reading::Bad(Flaw::Country));
    };
    // Why own: `eu-vat` 0.1.11 panics on letters that are not ASCII.
    if !national.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Some(Reading::Bad(Flaw::Shape));
    }
    let national = domestic(&prefix, national, text);
    Some(match prefix.as_str() {
        "GB" => other::british(national),
        "CH" => other::swiss(national),
        "NO" => other::norwegian(national),
        _ => of_the_union(&prefix, national),
    })
}

/// Without what people put between the characters, in capitals.
fn squeezed(text: &str) -> String {
    const BETWEEN: &[char] = &[
        '-', '.', '/', ':', '(', ')', '\'', '_', '–', '—', '\u{2011}',
    ];
    text.chars()
        .filter(|c| !c.is_whitespace() && !BETWEEN.contains(c))
        .flat_map(char::to_uppercase)
        .collect()
}

/// Prefix and rest. A prefix that was typed is believed before the address.
fn split(typed: &str, country: Option<Country>) -> Option<(String, String)> {
    let known =
        |prefix: &str| UNION.contains(&prefix) || matches!(prefix, "GB" | "UK" | "CH" | "NO");
    let canonical = |prefix: &str| match prefix {
        "GR" => "EL".to_owned(),
        "UK" | "IM" => "GB".to_owned(),
        "MC" => "FR".to_owned(),
        other => other.to_owned(),
    };
    if let Some(prefix) = typed.get(..2).filter(|prefix| known(prefix)) {
        return Some((canonical(prefix), typed[2..].to_owned()));
    }
    let prefix = canonical(country?.code());
    known(&prefix).then(|| (prefix, typed.to_owned()))
}

/// Forms in which a country writes its numbers at home.
fn domestic(prefix: &str, national: String, text: &str) -> String {
    match prefix {
        // Hungary's tax number 12345678-1-42: the first eight are the VAT number.
        "HU" if national.len() == 11 && text.matches('-').count() == 2 => {
            national.get(..8).unwrap_or_default().to_owned()
        }
        // Belgium's old numbers lack the leading zero.
        "BE" if national.len() == 9 => format!("0{national}"),
        _ => national,
    }
}

fn of_the_union(prefix: &str, national: String) -> Reading {
    let written = VatNumber {
        prefix: prefix.to_owned(),
        national,
    };
    match eu_vat::Vat::parse(&written.to_string()) {
        Ok(vat) => {
            let number = VatNumber {
                prefix: vat.country().code().to_owned(),
                national: vat.number().to_owned(),
            };
            if is_disputed(&number) {
                Reading::Doubtful(number, Doubt::Disputed)
            } else {
                Reading::Good(number)
            }
        }
        Err(eu_vat::Error::BadChecksum) => Reading::Doubtful(written, Doubt::CheckDigit),
        Err(eu_vat::Error::OutOfRange) => Reading::Doubtful(written, Doubt::Part),
        Err(eu_vat::Error::WrongLength { .. }) => Reading::Bad(Flaw::Length),
        Err(_) => Reading::Bad(Flaw::Shape),
    }
}

/// Numbers that `eu-vat` takes and other libraries of repute do not. Why own: the crate has no word for doubt, and takes BE 0000000000,
/// which nobody was ever given.
fn is_disputed(number: &VatNumber) -> bool {
    let national = number.national.as_str();
    match number.prefix.as_str() {
        // New Belgian numbers begin with 1; how far they go is not said alike everywhere, nor whether any begins with 00.
        "BE" => national.starts_with('1') || national.starts_with("00"),
        // Estonia has given numbers that begin with 10.
        "EE" => !national.starts_with("10"),
        "XI" => other::is_disputed_british(national),
        _ => false,
    }
}
