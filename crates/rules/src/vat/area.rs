//! The areas VAT law divides the world into.

use comptoir_model::address::Country;
use jiff::civil::Date;
use jiff::civil::date;

/// Member states of today by ISO code, Greece as `GR`.
const MEMBERS: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT",
    "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
];

/// An area with one VAT of its own, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Area {
    /// A member state's, by ISO code; Northern Ireland, for goods, is `XI`.
    Member(String),
    /// French overseas departments with French VAT at rates of their own: outside the Union's VAT area. The code is their market's.
    FrenchMarket(&'static str),
    /// French overseas departments where VAT does not apply.
    FrenchWithout(&'static str),
    /// Outside.
    Third(String),
}

impl Area {
    /// The area of a country as a whole, at a date.
    pub fn of_country(country: Country, on: Date) -> Self {
        let code = country.code().to_owned();
        if is_member(&code, on) {
            Area::Member(code)
        } else {
            Area::Third(code)
        }
    }

    /// Its code: `FR`, `XI`, `FR-974`, `CH`.
    pub fn code(&self) -> &str {
        match self {
            Area::Member(code) | Area::Third(code) => code,
            Area::FrenchMarket(code) | Area::FrenchWithout(code) => code,
        }
    }

    /// Mainland France or one of the departments that CGI 294 is about.
    pub fn is_french(&self) -> bool {
        match self {
            Area::Member(code) => code == "FR",
            Area::FrenchMarket(_) | Area::FrenchWithout(_) => true,
            Area::Third(_) => false,
        }
    }
}

/// Whether a country (ISO code) was a member state for VAT at a date. Before 2021 the United Kingdom was.
pub fn is_member(code: &str, on: Date) -> bool {
    match code {
        "GB" | "IM" => on < date(2021, 1, 1),
        "HR" => on >= date(2013, 7, 1),
        _ => MEMBERS.contains(&code),
    }
}
