//! The files of a new connector. They are those of `crates/connectors/template`, a connector of a system that does not exist, which is
//! compiled and tested there as it is; here its names become those of the new one.

use crate::exit::{self, Failure};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A file of the template, by its path in the connector's folder.
macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../../../connectors/template/", $path)))),*]
    };
}

const FILES: &[(&str, &str)] = files![
    "README.md",
    "fault.rs",
    "map.rs",
    "mod.rs",
    "setup.en.md",
    "setup.fr.md",
    "tapes/001-info.json",
    "tapes/002-orders-page-1.json",
    "tapes/003-orders-page-2.json",
    "tapes/004-orders-nothing-new.json",
    "tapes/005-orders-by-id.json",
    "tapes/006-order-update.json",
    "tapes/007-orders-after-update.json",
    "tapes/008-bad-status.json",
    "tapes/009-key-unknown.json",
    "tapes/010-scope-missing.json",
    "tapes/011-slow-down.json",
    "tapes/012-no-api.json",
    "tapes/013-server-error.json",
    "tapes/014-no-such-order.json",
    "tests.rs",
    "wire.rs",
];

/// Where connectors live in the tree, and the list of them.
const FOLDER: &str = "crates/connectors/src";
const LIST: &str = "crates/connectors/src/lib.rs";

/// The longest name: beyond it `cargo fmt` would break lines of the files otherwise.
const LONGEST: usize = 24;

/// Words that Rust or the house keeps: keywords, crates, and names that name no noun.
const RESERVED: &[&str] = &[
    "abstract", "alloc", "as", "async", "await", "become", "box", "break", "common", "comptoir",
    "const", "continue", "core", "crate", "do", "dyn", "else", "enum", "extern", "false", "final",
    "fn", "for", "gen", "helper", "helpers", "if", "impl", "in", "let", "lib", "loop", "macro",
    "main", "match", "misc", "mod", "move", "mut", "override", "priv", "proc", "pub", "ref",
    "return", "self", "shared", "static", "std", "struct", "super", "template", "test", "tests",
    "trait", "true", "try", "type", "types", "typeof", "union", "unsafe", "unsized", "use", "util",
    "utils", "virtual", "where", "while", "yield",
];

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The name of its module and folder.
    pub module: String,
    /// Files written or changed, from the root of the tree.
    pub files: Vec<String>,
}

/// Makes a connector in a source tree. Nothing is written unless everything can be.
///
/// # Errors
/// A name that cannot be one, or a folder that is no source tree of Comptoir; the words say what to do.
pub fn make(folder: &Path, name: &str, title: Option<String>) -> Result<Made, Failure> {
    let root = root_of(folder)?;
    let list = std::fs::read_to_string(root.join(LIST))?;
    let module = module_of(name)?;
    refuse_taken(&root, &list, name, &module)?;
    let title = title_of(name, title)?;
    let list = with_row(&list, &module).ok_or_else(|| {
        failure(
            exit::CONFIGURATION,
            format!("{LIST} has another form than this program knows; use the `comptoir` that this tree builds (`cargo run -p comptoir -- connector new …`)"),
            format!("{LIST} a une autre forme que celle que connaît ce programme ; utiliser le `comptoir` que cette arborescence produit (`cargo run -p comptoir -- connector new …`)"),
        )
    })?;
    let mut files = Vec::new();
    for (path, text) in FILES {
        let path = format!("{FOLDER}/{module}/{path}");
        let target = root.join(&path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(target, renamed(text, name, &module, &title))?;
        files.push(path);
    }
    std::fs::write(root.join(LIST), list)?;
    files.push(LIST.to_owned());
    Ok(Made { module, files })
}

/// A text of the template with the new connector's names.
fn renamed(text: &str, name: &str, module: &str, title: &str) -> String {
    text.replace("template/tapes", &format!("src/{module}/tapes"))
        .replace("till-box", name)
        .replace("till_box", module)
        .replace("Till Box", title)
}

fn failure(exit: u8, english: impl Into<String>, french: impl Into<String>) -> Failure {
    Failure {
        french: Some(french.into()),
        ..Failure::new(exit, english)
    }
}

/// The root of the tree that a folder lies in.
fn root_of(folder: &Path) -> Result<PathBuf, Failure> {
    let whole = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let is_root = |folder: &&Path| folder.join(LIST).is_file();
    let root = whole.ancestors().find(is_root).map(Path::to_owned);
    root.ok_or_else(|| {
        let folder = folder.display();
        failure(
            exit::CONFIGURATION,
            format!("{folder} is in no source tree of Comptoir (there is no {LIST}); run this in a clone of the repository, or name one with --tree"),
            format!("{folder} n'est pas dans une arborescence de Comptoir (il n'y a pas de {LIST}) ; lancer ceci dans un clone du dépôt, ou en nommer un avec --tree"),
        )
    })
}

/// The module of a name, which is its folder too.
fn module_of(name: &str) -> Result<String, Failure> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= LONGEST
        && name.chars().all(word)
        && !name.ends_with('-')
        && !name.contains("--");
    if !fits {
        return Err(failure(
            exit::USAGE,
            format!(
                "`{name}` is no name of a connector: use up to {LONGEST} lower-case letters, digits and single hyphens, beginning with a letter, such as `shop-x`"
            ),
            format!(
                "`{name}` n'est pas un nom de connecteur : jusqu'à {LONGEST} lettres minuscules, chiffres et tirets simples, en commençant par une lettre, par exemple `shop-x`"
            ),
        ));
    }
    if RESERVED.contains(&name) {
        return Err(failure(
            exit::USAGE,
            format!(
                "`{name}` is a word that Rust or the house keeps; take the system's full name, such as `{name}-shop`"
            ),
            format!(
                "`{name}` est un mot réservé par Rust ou par la maison ; prendre le nom complet du système, par exemple `{name}-shop`"
            ),
        ));
    }
    Ok(name.replace('-', "_"))
}

fn refuse_taken(root: &Path, list: &str, name: &str, module: &str) -> Result<(), Failure> {
    let declared = list
        .lines()
        .any(|line| line.trim() == format!("pub mod {module};"));
    if declared || root.join(FOLDER).join(module).exists() {
        return Err(failure(
            exit::CONFIGURATION,
            format!(
                "there is a connector `{name}` already, in {FOLDER}/{module}; take another name, or remove the folder and its row in {LIST} first"
            ),
            format!(
                "il y a déjà un connecteur `{name}`, dans {FOLDER}/{module} ; prendre un autre nom, ou retirer d'abord le dossier et sa ligne dans {LIST}"
            ),
        ));
    }
    // The house takes the name of one connector in the code of another for a look into it.
    if words_of_connectors(root).contains(module) {
        return Err(failure(
            exit::USAGE,
            format!(
                "`{name}` is also the name of a module of other connectors, so the house would take them for users of it; take the system's full name, such as `{name}-shop`"
            ),
            format!(
                "`{name}` est aussi le nom d'un module d'autres connecteurs, que la maison prendrait pour ses utilisateurs ; prendre le nom complet du système, par exemple `{name}-shop`"
            ),
        ));
    }
    Ok(())
}

/// The names of the modules that connectors are made of, and of the kinds of records.
fn words_of_connectors(root: &Path) -> BTreeSet<String> {
    let kinds = comptoir_model::key::Kind::ALL.map(|kind| kind.to_string());
    let mut words = BTreeSet::from(kinds);
    let mut folders = vec![root.join(FOLDER)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                words.extend(
                    path.file_stem()
                        .map(|stem| stem.to_string_lossy().into_owned()),
                );
            }
        }
    }
    words
}

fn title_of(name: &str, title: Option<String>) -> Result<String, Failure> {
    let Some(title) = title else {
        let words = name.split('-').map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        });
        return Ok(words.collect::<Vec<_>>().join(" "));
    };
    let plain = |c: char| c.is_alphanumeric() || " .&+'-".contains(c);
    if title.trim().is_empty() || title.len() > 40 || !title.chars().all(plain) {
        return Err(failure(
            exit::USAGE,
            "a title is up to 40 letters, digits, spaces and .&+'-",
            "un titre a jusqu'à 40 lettres, chiffres, espaces et .&+'-",
        ));
    }
    Ok(title.trim().to_owned())
}

/// The list with the new connector in its place by the alphabet; none when the list has another form.
fn with_row(list: &str, module: &str) -> Option<String> {
    let list = with_line(list, "pub mod ", module, ";")?;
    with_line(&list, "    ", module, ",")
}

/// Adds `HEAD module TAIL` among the lines of that form.
fn with_line(text: &str, head: &str, module: &str, tail: &str) -> Option<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let name = |line: &str| {
        let name = line.strip_prefix(head)?.strip_suffix(tail)?;
        name.chars().all(word).then(|| name.to_owned())
    };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let rows = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| Some((at, name(line)?)));
    let rows: Vec<(usize, String)> = rows.collect();
    let after = rows.iter().find(|(_, other)| other.as_str() > module);
    let at = match after {
        Some((at, _)) => *at,
        None => rows.last()?.0 + 1,
    };
    lines.insert(at, format!("{head}{module}{tail}"));
    Some(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with nothing but the list in it.
    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        let list = include_str!("../../../../connectors/src/lib.rs");
        std::fs::create_dir_all(tree.path().join(FOLDER)).unwrap();
        std::fs::write(tree.path().join(LIST), list).unwrap();
        tree
    }

    fn refused(tree: &Path, name: &str) -> String {
        let failure = make(tree, name, None).unwrap_err();
        assert!(failure.french.is_some(), "{name}: no French words");
        failure.text
    }

    #[test]
    fn every_file_of_the_template_is_copied_and_no_name_of_it_is_left() {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../connectors/template");
        let mut there = Vec::new();
        for folder in ["", "tapes/"] {
            for entry in std::fs::read_dir(template.join(folder)).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_file() {
                    there.push(format!("{folder}{}", entry.file_name().to_string_lossy()));
                }
            }
        }
        there.sort();
        let listed: Vec<&str> = FILES.iter().map(|(path, _)| *path).collect();
        assert_eq!(listed, there);
        let tree = tree();
        let made = make(tree.path(), "shop-x24", Some("Shop & X".to_owned())).unwrap();
        assert_eq!(made.module, "shop_x24");
        for path in &made.files {
            let text = std::fs::read_to_string(tree.path().join(path)).unwrap();
            for left in ["till-", "till_", "Till ", "template"] {
                assert!(!text.contains(left), "{left} in {path}");
            }
        }
        let spec = std::fs::read_to_string(tree.path().join(FOLDER).join("shop_x24/mod.rs"));
        let spec = spec.unwrap();
        assert!(spec.contains("name: \"shop-x24\",\n    title: \"Shop & X\","));
        assert!(spec.contains("level: Verification::Docs,"));
    }

    #[test]
    fn the_list_gets_its_line_by_the_alphabet() {
        let list = "pub mod b;\npub mod d;\n\nlist! {\n    b,\n    d,\n}\n";
        let with = |name: &str| with_row(list, name).unwrap();
        assert!(with("a").starts_with("pub mod a;\npub mod b;\n"));
        assert!(with("c").contains("    b,\n    c,\n    d,\n"));
        assert!(with("e").ends_with("    d,\n    e,\n}\n"));
        assert_eq!(with_row("pub mod b;\n", "c"), None);
    }

    #[test]
    fn names_that_cannot_be_are_refused_with_words_and_nothing_is_written() {
        let tree = tree();
        for name in [
            "",
            "Shop",
            "9shop",
            "-x",
            "x-",
            "a--b",
            "shop_x",
            "../x",
            "a234567890123456789012345",
        ] {
            assert!(refused(tree.path(), name).contains("is no name"), "{name}");
        }
        for name in ["async", "utils", "comptoir"] {
            assert!(refused(tree.path(), name).contains("keeps"), "{name}");
        }
        assert!(refused(tree.path(), "order").contains("module of other"));
        assert!(refused(tree.path(), "odoo").contains("already"));
        let entries = std::fs::read_dir(tree.path().join(FOLDER)).unwrap();
        assert_eq!(entries.count(), 1, "only the list");
        make(tree.path(), "shop-x", None).unwrap();
        assert!(refused(tree.path(), "shop-x").contains("already"));
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(refused(elsewhere.path(), "shop-x").contains("--tree"));
        let title = Some("Shop \"X\"".to_owned());
        assert!(make(tree.path(), "shop-y", title).is_err());
    }

    #[test]
    fn a_folder_inside_of_the_tree_will_do() {
        let tree = tree();
        make(&tree.path().join(FOLDER), "shop-x", None).unwrap();
        assert!(
            tree.path()
                .join(FOLDER)
                .join("shop_x/tapes/001-info.json")
                .is_file()
        );
    }
}
