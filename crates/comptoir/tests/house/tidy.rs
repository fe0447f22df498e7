//! Names, sizes, and what belongs to no tree.

use crate::source::{Source, code, lines_with};

const VAGUE_NAMES: &[&str] = &[
    "util", "utils", "common", "helper", "helpers", "types", "misc", "shared",
];

/// The longest Rust file, in lines, unless it stands in [`LONG_FILES`].
const LONGEST: usize = 600;

/// Longer files, and why they are one noun all the same.
pub const LONG_FILES: &[(&str, &str)] = &[];

pub fn vague_names(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        for part in source.path.split('/') {
            let stem = part.split('.').next().unwrap_or_default().to_lowercase();
            if VAGUE_NAMES.contains(&stem.as_str()) {
                wrong.push(format!("{}: `{stem}` names no noun", source.path));
            }
        }
        if !source.is_rust() {
            continue;
        }
        let code = code(&source.text);
        for name in VAGUE_NAMES {
            for line in lines_with(&code, &format!("mod {name}")) {
                wrong.push(format!(
                    "{}:{line}: `mod {name}` names no noun",
                    source.path
                ));
            }
        }
    }
    wrong
}

/// Rust files that ask for a second noun, and exceptions that are none any more.
pub fn long_files(sources: &[Source], allowed: &[(&str, &str)]) -> Vec<String> {
    let lines = |source: &Source| source.text.lines().count();
    let mut wrong = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.is_rust() && lines(source) > LONGEST)
    {
        if !allowed.iter().any(|(path, _)| *path == source.path) {
            wrong.push(format!(
                "{}: {} lines, {LONGEST} at most",
                source.path,
                lines(source)
            ));
        }
    }
    for (path, reason) in allowed {
        let still = sources
            .iter()
            .any(|source| source.path == *path && lines(source) > LONGEST);
        if !still || reason.is_empty() {
            wrong.push(format!("{path}: take it out of the list of long files"));
        }
    }
    wrong
}

/// Places that exist on one machine only, and other registries than crates.io.
pub fn machine_words(sources: &[Source]) -> Vec<String> {
    // Put together here, so that this file does not hold what it looks for.
    let folders = ["work", "tmp", "home", "root", "Users"].map(|folder| format!("/{folder}/"));
    let registries = [
        ("arti", "factory"),
        ("code", "artifact"),
        ("jf", "rog"),
        ("[regi", "stries"),
        ("replace", "-with"),
    ]
    .map(|(head, tail)| format!("{head}{tail}"));
    let mut wrong = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            // `${TMPDIR:-/tmp}/…` is a place on every machine; `src/work/` is one in the tree.
            let on_one_machine = folders.iter().any(|folder| {
                line.match_indices(folder.as_str()).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| !c.is_alphanumeric() && !"_.-}>".contains(c))
                })
            });
            let registry = registries.iter().any(|word| line.contains(word));
            let lock = source.path == "Cargo.lock" && line.starts_with("source = ");
            let crates_io =
                line.contains("\"registry+https://github.com/rust-lang/crates.io-index\"");
            if on_one_machine || registry || (lock && !crates_io) {
                wrong.push(format!("{}:{}: {}", source.path, index + 1, line.trim()));
            }
        }
    }
    wrong
}
