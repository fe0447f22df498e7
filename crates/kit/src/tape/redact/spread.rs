//! Texts that fields gave away, looked for everywhere else: as whole words, the longest first, in time that grows with the text alone.

use super::json::edited;
use std::collections::HashMap;
use std::ops::Range;

/// What is looked for, by its first word.
#[derive(Debug, Default)]
pub(super) struct Spread(HashMap<String, Vec<Entry>>);

#[derive(Debug)]
struct Entry {
    /// Bytes before its first word.
    lead: usize,
    old: String,
    new: String,
}

impl Spread {
    /// Looks for one more text. The first placeholder of a text stays.
    pub(super) fn insert(&mut self, old: &str, new: &str) {
        let Some(word) = words(old).next() else {
            return;
        };
        let entries = self.0.entry(old[word.clone()].to_owned()).or_default();
        if !entries.iter().any(|entry| entry.old == old) {
            entries.push(Entry {
                lead: word.start,
                old: old.to_owned(),
                new: new.to_owned(),
            });
            // "Ann Lee" before "Ann".
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.old.len()));
        }
    }

    /// A text without them, and how many there were; none when it holds none.
    pub(super) fn without(&self, text: &str) -> Option<(String, usize)> {
        let mut edits = Vec::new();
        let mut end = 0;
        for word in words(text) {
            let entries = self.0.get(&text[word.clone()]).into_iter().flatten();
            let mut found =
                entries.filter_map(|entry| Some((entry.place(text, word.start)?, entry)));
            let free = found.find(|(place, _)| place.start >= end);
            if let Some((place, entry)) = free {
                end = place.end;
                edits.push((place, entry.new.clone()));
            }
        }
        (!edits.is_empty()).then(|| (edited(text, &edits), edits.len()))
    }
}

impl Entry {
    /// Its place in a text where its first word stands, if all of it stands there and nothing more of a word.
    fn place(&self, text: &str, word: usize) -> Option<Range<usize>> {
        let start = word.checked_sub(self.lead)?;
        let rest = text.get(start..)?.strip_prefix(&self.old)?;
        let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let alone = !part(text[..start].chars().next_back()) && !part(rest.chars().next());
        alone.then_some(start..start + self.old.len())
    }
}

/// The places of words: runs of letters and digits.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(char::is_alphanumeric)?;
        let rest = &text[start..];
        let length = rest
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(rest.len());
        at = start + length;
        Some(start..at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_go_and_the_longest_first() {
        let mut spread = Spread::default();
        for (old, new) in [
            ("Ann", "A"),
            ("Ann Lee", "B"),
            ("+44 20 7946", "C"),
            ("Ann", "never"),
        ] {
            spread.insert(old, new);
        }
        let text = "Ann, Annie; Ann Lee (Ann Leeds) on +44 20 7946, not 1+44 20 79467 – MyAnn";
        let (clean, count) = spread.without(text).unwrap();
        assert_eq!(
            clean,
            "A, Annie; B (A Leeds) on C, not 1+44 20 79467 – MyAnn"
        );
        assert_eq!(count, 4);
        assert_eq!(spread.without("Anne"), None);
    }
}
