//! Value added tax: which treatment a sale should have, at which rate, under which article, and why. A check and a classifier: what a
//! shop charged is never changed here.
//!
//! Law as data: places in `data/vat/territories.csv`, dated rates in `data/vat/rates.csv`, both of them behind what a merchant says.

mod area;
pub mod number;
pub mod place;
pub mod rate;
pub mod sale;
mod service;
mod supply;
pub mod treatment;

use serde::Serialize;

/// A sentence in the two languages of the house.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// English.
    pub english: String,
    /// French.
    pub french: String,
}

impl Words {
    /// Both at once.
    pub fn new(english: impl Into<String>, french: impl Into<String>) -> Self {
        Words {
            english: english.into(),
            french: french.into(),
        }
    }

    /// The one of a language.
    pub fn of(&self, language: comptoir_model::code::Language) -> &str {
        match language {
            comptoir_model::code::Language::English => &self.english,
            comptoir_model::code::Language::French => &self.french,
        }
    }
}
