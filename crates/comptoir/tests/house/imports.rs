//! Who may import whom, and what each crate may touch.

use crate::source::{Source, code, lines_with, product_code};
use serde_json::Value;
use std::collections::BTreeSet;

/// Who may depend on whom, normal dependencies only. A crate that is not in the list may not exist.
const ARROWS: &[(&str, &[&str])] = &[
    ("comptoir-model", &[]),
    ("comptoir-rules", &["comptoir-model"]),
    ("comptoir-kit", &["comptoir-model"]),
    ("comptoir-store", &["comptoir-model"]),
    ("comptoir-sim", &["comptoir-model"]),
    ("comptoir-connectors", &["comptoir-kit", "comptoir-model"]),
    (
        "comptoir-engine",
        &["comptoir-model", "comptoir-rules", "comptoir-store"],
    ),
    (
        "comptoir",
        &[
            "comptoir-model",
            "comptoir-rules",
            "comptoir-kit",
            "comptoir-connectors",
            "comptoir-store",
            "comptoir-engine",
            "comptoir-sim",
        ],
    ),
];

/// Libraries that open a socket or speak SQL, and the only crates that may depend on them.
const KEPT_LIBRARIES: &[(&str, &[&str])] = &[
    ("reqwest", &["comptoir-kit", "comptoir-sim"]),
    ("hyper", &["comptoir-kit", "comptoir-sim"]),
    ("axum", &["comptoir", "comptoir-sim"]),
    ("sqlx", &["comptoir-store"]),
    ("rusqlite", &[]),
    ("tokio-postgres", &[]),
];

const SOCKETS: &[&str] = &[
    "reqwest",
    "hyper",
    "axum",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "std::net",
    "tokio::net",
];

/// Words that the code below a path may not use. `src` only: tests may start servers.
struct Ban {
    paths: &'static [&'static str],
    words: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        paths: &[
            "crates/engine/src/",
            "crates/rules/src/",
            "crates/model/src/",
            "crates/store/src/",
        ],
        words: SOCKETS,
        why: "only the kit, the simulators and the binary open sockets",
    },
    Ban {
        paths: &["crates/connectors/src/"],
        words: SOCKETS,
        why: "a connector calls through `kit::http`",
    },
    Ban {
        paths: &["crates/rules/src/", "crates/engine/src/decide"],
        words: &["async", "await"],
        why: "rules and decide are pure: they never wait",
    },
    Ban {
        paths: &[
            "crates/model/",
            "crates/rules/",
            "crates/kit/",
            "crates/connectors/",
            "crates/engine/",
            "crates/sim/",
            "crates/comptoir/",
        ],
        words: &["sqlx"],
        why: "only the store speaks SQL",
    },
    // `env` as a word of its own; the compile-time macro `env!` is something else and allowed.
    Ban {
        paths: &[
            "crates/model/src/",
            "crates/rules/src/",
            "crates/kit/src/",
            "crates/connectors/src/",
            "crates/store/src/",
            "crates/engine/src/",
        ],
        words: &["env"],
        why: "only the binary reads the environment",
    },
];

/// Systems that the engine must not know of, in any part of a word.
const SYSTEMS: &[&str] = &[
    "woocommerce",
    "odoo",
    "shopify",
    "prestashop",
    "magento",
    "bigcommerce",
    "shopware",
    "netsuite",
    "dolibarr",
    "erpnext",
    "quickbooks",
    "amazon",
];

/// Those with names that other words contain: whole words only.
const SHORT_SYSTEMS: &[&str] = &["sap", "sage", "wix", "xero", "ebay"];

/// Dependencies that point the wrong way, of the answer of `cargo metadata --no-deps`.
pub fn wrong_dependencies(metadata: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
            wrong.push(format!(
                "{name}: no crate of the design (DESIGN section 10)"
            ));
            continue;
        };
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        for dependency in dependencies
            .iter()
            .filter(|dependency| dependency["kind"] != "dev")
        {
            let to = dependency["name"].as_str().expect("a name");
            let ours = to == "comptoir" || to.starts_with("comptoir-");
            if ours && !allowed.contains(&to) {
                wrong.push(format!("{name} → {to}: this arrow is not in the design"));
            }
            let kept = KEPT_LIBRARIES.iter().find(|(library, _)| *library == to);
            if kept.is_some_and(|(_, owners)| !owners.contains(&name)) {
                wrong.push(format!(
                    "{name} → {to}: this library belongs to another crate"
                ));
            }
        }
    }
    wrong
}

pub fn banned_words(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    let product = |source: &&Source| source.is_rust() && !is_test_folder(sources, &source.path);
    for source in sources.iter().filter(product) {
        let bans: Vec<&Ban> = BANS
            .iter()
            .filter(|ban| ban.paths.iter().any(|path| source.path.starts_with(path)))
            .collect();
        if bans.is_empty() {
            continue;
        }
        let code = product_code(&source.text);
        for ban in bans {
            for word in ban.words {
                for line in lines_with(&code, word) {
                    wrong.push(format!("{}:{line}: `{word}`: {}", source.path, ban.why));
                }
            }
        }
    }
    wrong
}

/// Whether a file lies in a folder `tests` inside `src` that its parent declares for tests only.
fn is_test_folder(sources: &[Source], path: &str) -> bool {
    let Some((parent, _)) = path.split_once("/tests/") else {
        return false;
    };
    let declared = format!("{parent}/mod.rs");
    parent.contains("/src/")
        && sources.iter().any(|source| {
            source.path == declared && source.text.contains("#[cfg(test)]\nmod tests;")
        })
}

/// Systems named in the engine, comments and tests included.
pub fn named_systems(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with("crates/engine/"))
    {
        let text = source.text.to_lowercase();
        let mut name = |system: &str, line: usize| {
            wrong.push(format!("{}:{line}: the engine names {system}", source.path));
        };
        for system in SYSTEMS {
            let with = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.contains(system));
            with.for_each(|(index, _)| name(system, index + 1));
        }
        for system in SHORT_SYSTEMS {
            lines_with(&text, system)
                .into_iter()
                .for_each(|line| name(system, line));
        }
    }
    wrong
}

/// SQL statements in literals of product code outside the store.
pub fn sql_elsewhere(sources: &[Source]) -> Vec<String> {
    let starts = ["INSERT INTO ", "DELETE FROM ", "CREATE TABLE ", "SELECT "];
    let mut wrong = Vec::new();
    for source in sources {
        let product = source.path.starts_with("crates/") && source.path.contains("/src/");
        if !product || !source.is_rust() || source.path.starts_with("crates/store/") {
            continue;
        }
        for (index, line) in source.text.lines().enumerate() {
            if starts
                .iter()
                .any(|start| line.contains(&format!("\"{start}")))
            {
                wrong.push(format!(
                    "{}:{}: SQL outside the store",
                    source.path,
                    index + 1
                ));
            }
        }
    }
    wrong
}

/// The folders below `crates/connectors/src`.
fn connector_folders(sources: &[Source]) -> BTreeSet<String> {
    sources
        .iter()
        .filter_map(|source| {
            source
                .path
                .strip_prefix("crates/connectors/src/")?
                .split_once('/')
        })
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

/// Connectors that look into one another.
pub fn entangled_connectors(sources: &[Source]) -> Vec<String> {
    let folders = connector_folders(sources);
    let mut wrong = Vec::new();
    for source in sources.iter().filter(|source| source.is_rust()) {
        let Some((own, _)) = source
            .path
            .strip_prefix("crates/connectors/src/")
            .and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let code = code(&source.text);
        for other in folders.iter().filter(|folder| *folder != own) {
            for line in lines_with(&code, other) {
                wrong.push(format!(
                    "{}:{line}: uses the connector {other}",
                    source.path
                ));
            }
        }
    }
    wrong
}

/// Connectors that are not both a folder and a row of the one list, or that say nothing about themselves.
pub fn incomplete_connectors(sources: &[Source], listed: &[&str]) -> Vec<String> {
    let folders: BTreeSet<String> = connector_folders(sources)
        .iter()
        .map(|folder| folder.replace('_', "-"))
        .collect();
    let listed: BTreeSet<String> = listed.iter().map(|name| (*name).to_owned()).collect();
    let mut wrong: Vec<String> = folders
        .symmetric_difference(&listed)
        .map(|name| format!("{name}: a folder and a row of `ALL` belong together"))
        .collect();
    for folder in connector_folders(sources) {
        let readme = format!("crates/connectors/src/{folder}/README.md");
        if !sources
            .iter()
            .any(|source| source.path == readme && !source.text.trim().is_empty())
        {
            wrong.push(format!("{readme} is missing"));
        }
    }
    wrong
}

/// Crates that would be built without the workspace's lints.
pub fn unlinted_crates(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.path.starts_with("crates/") && source.path.ends_with("/Cargo.toml"))
        .filter(|source| !source.text.contains("[lints]\nworkspace = true"))
        .map(|source| format!("{}: `[lints] workspace = true` is missing", source.path))
        .collect()
}
