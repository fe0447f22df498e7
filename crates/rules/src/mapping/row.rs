//! One rule as a person writes it, and where it stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What to do when a rule finds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    /// Hold the record for a person.
    Hold,
    /// Write nothing; a later rule for the same field may.
    Skip,
    /// Write `default`.
    Default,
}

/// One rule: `[[rule]]` of a flow or of a rule set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The field that is written, such as `placement.warehouse` or `lines[].title`.
    pub to: String,
    /// Where the value stands in the order or in the shop's own answer: `ship_to.country`, `raw.meta_data[vat_number]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// A fixed value: a text, a whole number, yes or no, or a list of texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// An expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// The look-up table the value goes through: a file under `tables/`, without `.csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<String>,
    /// An expression that is true or false: the rule counts only where it is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The value where none is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// What to do where none is found. Unset: `default` where there is one, `hold` where a table has no row, else `skip`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
}

/// Where a rule stands: what messages, causes and explanations name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file in the workspace.
    pub file: String,
    /// The line of its `[[rule]]`, from 1; 0 when it is not known.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// What is wrong with a rule: found when the configuration loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where the rule stands.
    pub place: Place,
    /// The setting of it that is wrong (`to`, `from`, `expr` …).
    pub setting: &'static str,
    /// What is wrong, in English and in French.
    pub what: Box<[String; 2]>,
    /// A word that is not known, and those that are.
    pub unknown: Option<(String, Vec<String>)>,
    /// What to do, in English and in French, where no word is to be suggested.
    pub fix: Option<Box<[String; 2]>>,
}

impl Wrong {
    /// A wrong setting of the rule at this place.
    pub fn new(
        place: &Place,
        setting: &'static str,
        english: impl Into<String>,
        french: impl Into<String>,
    ) -> Self {
        Wrong {
            place: place.clone(),
            setting,
            what: Box::new([english.into(), french.into()]),
            unknown: None,
            fix: None,
        }
    }

    /// With the words that would have been right.
    pub fn known<'a>(mut self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known = known.into_iter().map(str::to_owned).collect();
        self.unknown = Some((word.to_owned(), known));
        self
    }

    /// With this way out.
    pub fn fix(mut self, english: impl Into<String>, french: impl Into<String>) -> Self {
        self.fix = Some(Box::new([english.into(), french.into()]));
        self
    }
}
