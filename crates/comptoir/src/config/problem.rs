//! What is wrong with a configuration: where, what, and the nearest right thing.

use comptoir_model::code::Code;
use std::fmt;

/// A problem of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Page of the error docs.
    pub code: Code,
    /// The file in the workspace.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub fix: Option<String>,
}

impl Problem {
    /// A problem.
    pub fn new(code: Code, what: impl Into<String>) -> Self {
        Problem {
            code,
            file: None,
            line: None,
            what: what.into(),
            fix: None,
        }
    }

    /// In this file.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// On this line.
    pub fn line(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }

    /// With this way out.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, "{file}:{line}: ")?,
            (Some(file), None) => write!(f, "{file}: ")?,
            _ => {}
        }
        write!(f, "{} [{}]", self.what, self.code)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  → {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// The known word nearest to a mistyped one, if one is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two words (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left_above = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            let cost = usize::from(x != *y);
            row[j + 1] = (left_above + cost).min(above + 1).min(row[j] + 1);
            left_above = above;
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        let known = ["statuses", "mode", "start", "tolerance"];
        assert_eq!(nearest("statusses", known), Some("statuses"));
        assert_eq!(nearest("colour", known), None);
    }
}
