//! Postal addresses with ISO countries and subdivisions.

use crate::key::RemoteId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

/// An ISO 3166-1 alpha-2 country code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Country([u8; 2]);

/// Why a text is no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ISO 3166-1 country code")]
pub struct BadCountry(pub String);

/// ISO 3166-1 alpha-2, with XK (Kosovo), which shops and ERPs use.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH \
GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB \
LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM \
PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG \
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

impl Country {
    /// The code, such as `FR`.
    pub fn code(&self) -> &str {
        // The constructor admits codes of the table only.
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl FromStr for Country {
    type Err = BadCountry;
    fn from_str(text: &str) -> Result<Self, BadCountry> {
        let upper = text.trim().to_ascii_uppercase();
        // Confusions met in the wild: EL for Greece in VAT numbers, UK for the United Kingdom.
        let code = match upper.as_str() {
            "EL" => "GR",
            "UK" => "GB",
            other => other,
        };
        let known = code.len() == 2 && COUNTRIES.split(' ').any(|country| country == code);
        match <[u8; 2]>::try_from(code.as_bytes()) {
            Ok(bytes) if known => Ok(Country(bytes)),
            _ => Err(BadCountry(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Country {
    type Error = BadCountry;
    fn try_from(text: String) -> Result<Self, BadCountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> String {
        country.code().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A postal address and who is reached there. Every field may be missing: shops keep empty addresses for virtual goods.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Address {
    /// The id of the contact that holds this address in the system the document belongs to, if it has one there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<RemoteId>,
    /// Given name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub first_name: String,
    /// Family name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub last_name: String,
    /// Company, when the address is a company's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// First street line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub line1: String,
    /// Second street line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub line2: String,
    /// Town.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub city: String,
    /// Postal code, as written by the source.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub postcode: String,
    /// Country; none when the source gives none or one that ISO does not know (then it stands in `region`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// ISO 3166-2 code of the state or province, such as `US-CA`, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subdivision: Option<String>,
    /// State or province as the source writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    /// Telephone number as the source writes it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// E-mail address, when this address has its own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
}

impl Address {
    /// Nothing a parcel or an invoice could be sent to.
    pub fn is_empty(&self) -> bool {
        self.line1.is_empty()
            && self.line2.is_empty()
            && self.city.is_empty()
            && self.postcode.is_empty()
            && self.full_name().is_empty()
            && self.company.is_empty()
    }

    /// Given and family name with one space, or what there is of them.
    pub fn full_name(&self) -> String {
        [self.first_name.trim(), self.last_name.trim()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// A text that is the same for the same place and addressee whatever the case and spacing: to tell whether two addresses differ.
    pub fn fingerprint(&self) -> String {
        let fold = |text: &str| {
            text.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .to_lowercase()
        };
        let country = self
            .country
            .map(|c| c.code().to_owned())
            .unwrap_or_default();
        [
            fold(&self.full_name()),
            fold(&self.company),
            fold(&self.line1),
            fold(&self.line2),
            fold(&self.postcode),
            fold(&self.city),
            fold(self.subdivision.as_deref().unwrap_or(&self.region)),
            country,
        ]
        .join("\u{1f}")
    }
}

/// A system whose own codes of states and provinces are in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CodeBook {
    /// WooCommerce 11.0.1, `i18n/states.php`.
    WooCommerce,
    /// Shopify's `worldwide` data, August 2026.
    Shopify,
    /// Odoo's `res.country.state` codes.
    Odoo,
}

/// ISO code by (book, country, the system's own code), and back by (book, ISO code).
struct Subdivisions {
    iso: HashMap<(CodeBook, &'static str, &'static str), &'static str>,
    own: HashMap<(CodeBook, &'static str), &'static str>,
}

static SUBDIVISIONS: LazyLock<Subdivisions> = LazyLock::new(|| {
    let mut table = Subdivisions {
        iso: HashMap::new(),
        own: HashMap::new(),
    };
    let rows = include_str!("../data/subdivisions.csv")
        .lines()
        .filter(|line| !line.starts_with('#'));
    for row in rows {
        let mut cells = row.split(',');
        let Some(iso) = cells.next() else { continue };
        let country = iso.split('-').next().unwrap_or_default();
        let books = [CodeBook::WooCommerce, CodeBook::Shopify, CodeBook::Odoo];
        for (book, code) in books.into_iter().zip(cells) {
            if !code.is_empty() {
                table.iso.insert((book, country, code), iso);
                table.own.insert((book, iso), code);
            }
        }
    }
    table
});

/// The ISO 3166-2 code of a system's own code for a state; none when the table has no such row.
pub fn subdivision_of(book: CodeBook, country: Country, code: &str) -> Option<&'static str> {
    SUBDIVISIONS.iso.get(&(book, country.code(), code)).copied()
}

/// A system's own code for an ISO 3166-2 subdivision; none when that system does not have it.
pub fn subdivision_in(book: CodeBook, iso: &str) -> Option<&'static str> {
    SUBDIVISIONS.own.get(&(book, iso)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_checked_and_the_usual_confusions_resolved() {
        assert_eq!("fr".parse::<Country>().unwrap().code(), "FR");
        assert_eq!("UK".parse::<Country>().unwrap().code(), "GB");
        assert_eq!("EL".parse::<Country>().unwrap().code(), "GR");
        assert!("ZZ".parse::<Country>().is_err());
        assert!("France".parse::<Country>().is_err());
    }

    #[test]
    fn one_place_has_another_code_in_each_system() {
        let mexico: Country = "MX".parse().unwrap();
        let iso = subdivision_of(CodeBook::Shopify, mexico, "BC").unwrap();
        assert_eq!(iso, "MX-BCN");
        assert_eq!(subdivision_in(CodeBook::Odoo, iso), Some("BCN"));
        assert_eq!(subdivision_in(CodeBook::WooCommerce, iso), Some("BC"));
        assert_eq!(subdivision_of(CodeBook::Odoo, mexico, "nowhere"), None);
    }

    #[test]
    fn a_fingerprint_ignores_case_and_spacing_only() {
        let a = Address {
            line1: "12 rue de  l’Église".into(),
            city: "LYON".into(),
            ..Address::default()
        };
        let mut b = Address {
            line1: "12 Rue de l’église ".into(),
            city: "Lyon".into(),
            ..Address::default()
        };
        assert_eq!(a.fingerprint(), b.fingerprint());
        b.postcode = "69003".into();
        assert_ne!(a.fingerprint(), b.fingerprint());
    }
}
