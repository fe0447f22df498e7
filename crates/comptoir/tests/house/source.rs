//! The tree as the checks see it: files, and Rust without comments and literals.

use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A file of the tree: its path from the root, with `/`, and its text (empty when it is no UTF-8).
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub text: String,
}

impl Source {
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// Every file but build products, databases and what belongs to git.
pub fn tree() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(root().join(&folder)).expect("a folder of the tree");
        for entry in entries {
            let entry = entry.expect("an entry of the tree");
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = folder.join(&name);
            if entry.file_type().expect("its sort").is_dir() {
                let hidden = name.starts_with('.') && name != ".ci" && name != ".github";
                if !hidden && name != "target" {
                    folders.push(path);
                }
            } else if name == ".git" {
                // Of a second work tree: a path to the first one.
            } else if ![".db", ".db-shm", ".db-wal", ".snap.new"]
                .iter()
                .any(|end| name.ends_with(end))
            {
                let bytes = std::fs::read(root().join(&path)).expect("a file of the tree");
                found.push(Source {
                    path: path.to_string_lossy().replace('\\', "/"),
                    text: String::from_utf8(bytes).unwrap_or_default(),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(
        found
            .iter()
            .any(|source| source.path == "crates/model/src/code.rs")
    );
    found
}

/// A piece of Rust source.
enum Piece {
    Comment,
    Literal,
    Code,
}

/// The first piece of `rest` and its length in characters. Enough of the grammar to tell comments and literals from code.
fn piece(rest: &[char]) -> (Piece, usize) {
    let until = |from: usize, end: &[char]| {
        (from..rest.len())
            .find(|&at| rest[at..].starts_with(end))
            .map_or(rest.len(), |at| at + end.len())
    };
    match rest {
        ['/', '/', ..] => (Piece::Comment, until(2, &['\n']).saturating_sub(1).max(2)),
        ['/', '*', ..] => (Piece::Comment, until(2, &['*', '/'])),
        ['"', ..] => (Piece::Literal, quoted(rest)),
        ['\'', '\\', ..] => (Piece::Literal, until(3, &['\''])),
        ['\'', _, '\'', ..] => (Piece::Literal, 3),
        [first, ..] if first.is_alphabetic() || *first == '_' => {
            let word = rest
                .iter()
                .take_while(|c| c.is_alphanumeric() || **c == '_')
                .count();
            let hashes = rest[word..].iter().take_while(|c| **c == '#').count();
            let raw = matches!(rest[..word], ['r'] | ['b', 'r'] | ['c', 'r']);
            if raw && rest.get(word + hashes) == Some(&'"') {
                let mut end = vec!['"'];
                end.extend(std::iter::repeat_n('#', hashes));
                (Piece::Literal, until(word + hashes + 1, &end))
            } else {
                (Piece::Code, word)
            }
        }
        _ => (Piece::Code, 1),
    }
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The code alone, without comments and literals; line breaks stay, so that line numbers hold.
pub fn code(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (sort, length) = piece(&chars[at..]);
        let text = &chars[at..at + length];
        match sort {
            Piece::Code => code.extend(text),
            Piece::Comment | Piece::Literal => {
                code.push(' ');
                code.extend(text.iter().filter(|c| **c == '\n'));
            }
        }
        at += length;
    }
    code
}

/// What is compiled into the product: code before the file's own tests.
pub fn product_code(text: &str) -> String {
    let own = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    code(own)
}

/// The lines (from 1) on which `word` stands as a whole word.
pub fn lines_with(text: &str, word: &str) -> Vec<usize> {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let whole = line.match_indices(word).any(|(at, _)| {
            let after = &line[at + word.len()..];
            let is_macro = word == "env" && after.starts_with('!');
            !part(line[..at].chars().next_back()) && !part(after.chars().next()) && !is_macro
        });
        if whole {
            lines.push(index + 1);
        }
    }
    lines
}
