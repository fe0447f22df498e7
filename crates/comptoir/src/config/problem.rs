//! What is wrong with a configuration: where, what, and the nearest right thing.

use comptoir_model::code::{Code, Language};
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
    /// What is wrong, in English and in French.
    pub what: Box<[String; 2]>,
    /// What to do, in English and in French.
    pub fix: Option<Box<[String; 2]>>,
}

impl Problem {
    /// A problem, in English and in French.
    pub fn new(code: Code, english: impl Into<String>, french: impl Into<String>) -> Self {
        Problem {
            code,
            file: None,
            line: None,
            what: Box::new([english.into(), french.into()]),
            fix: None,
        }
    }

    /// A problem that another program words, in English. In French the code's title says what it is about.
    pub fn worded(code: Code, words: impl fmt::Display) -> Self {
        let title = code.title(Language::French).trim_end_matches('.');
        Problem::new(code, words.to_string(), format!("{title} : {words}"))
    }

    /// In this file.
    pub fn file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// On this line, if it is known.
    pub fn line(mut self, line: impl Into<Option<usize>>) -> Self {
        self.line = line.into();
        self
    }

    /// With this way out, in English and in French.
    pub fn fix(mut self, english: impl Into<String>, french: impl Into<String>) -> Self {
        self.fix = Some(Box::new([english.into(), french.into()]));
        self
    }

    /// With the known word nearest to a mistyped one as the way out, or else all of them.
    pub fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        match nearest(word, known.iter().copied()) {
            Some(near) => self.fix(
                format!("did you mean `{near}`?"),
                format!("vouliez-vous dire `{near}` ?"),
            ),
            None => {
                let known = known.join(", ");
                self.fix(
                    format!("known here: {known}"),
                    format!("connus ici : {known}"),
                )
            }
        }
    }

    /// Where, what and the way out.
    pub fn text(&self, language: Language) -> String {
        let (index, colon) = match language {
            Language::English => (0, ":"),
            Language::French => (1, " :"),
        };
        let mut text = match (&self.file, self.line) {
            (Some(file), Some(line)) => format!("{file}:{line}{colon} "),
            (Some(file), None) => format!("{file}{colon} "),
            _ => String::new(),
        };
        text.push_str(&format!("{} [{}]", self.what[index], self.code));
        if let Some(fix) = &self.fix {
            text.push_str(&format!("\n  → {}", fix[index]));
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
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
