//! The pages of docs/connectors are what the connectors say now.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REMEDY: &str = "run `cargo run -p comptoir -- connector pages` at the root of the tree";

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors")
}

fn comptoir(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comptoir"));
    command.env_clear().args(arguments).output().unwrap()
}

fn pages(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect()
}

#[test]
fn every_page_is_what_its_connector_says_now() {
    let folder = tempfile::tempdir().unwrap();
    let ran = comptoir(&[
        "connector",
        "pages",
        "--into",
        folder.path().to_str().unwrap(),
    ]);
    assert!(ran.status.success(), "{ran:?}");
    let (made, kept) = (pages(folder.path()), pages(&kept()));
    let stale: Vec<&String> = made
        .keys()
        .filter(|name| made.get(*name) != kept.get(*name))
        .collect();
    let left: Vec<&String> = kept
        .keys()
        .filter(|name| !made.contains_key(*name))
        .collect();
    assert!(
        stale.is_empty() && left.is_empty(),
        "stale: {stale:?}, of no connector: {left:?}; {REMEDY}"
    );
    assert_eq!(made.len(), comptoir_connectors::ALL.len() + 1);
}

#[test]
fn a_page_that_is_of_no_connector_goes_and_what_a_person_wrote_stays() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let mark = pages(&kept())["odoo.md"].lines().next().unwrap().to_owned();
    write("gone.md", &mark);
    write("mine.md", "# Mine");
    let into = folder.path().to_str().unwrap();
    assert!(
        comptoir(&["connector", "pages", "--into", into])
            .status
            .success()
    );
    let there = pages(folder.path());
    assert!(!there.contains_key("gone.md") && there.contains_key("mine.md"));
    let ran = comptoir(&["connector", "pages", "--into", "no/such/folder"]);
    assert!(!ran.status.success());
}

#[test]
fn links_of_pages_lead_somewhere_and_both_languages_are_there() {
    for (name, text) in pages(&kept()) {
        assert!(text.contains("\n## En français\n"), "{name}");
        for link in text
            .split("](")
            .skip(1)
            .map(|rest| rest.split(')').next().unwrap())
        {
            let file = link.split('#').next().unwrap();
            let there = file.starts_with("http") || file.is_empty() || kept().join(file).exists();
            assert!(there, "{name}: {link}");
        }
    }
    let odoo = &pages(&kept())["odoo.md"];
    for part in [
        "## Set-up and rights",
        "## Known limits",
        "`database`: **Database**, needed",
        "### Mise en place et droits",
    ] {
        assert!(odoo.contains(part), "{part}");
    }
}

#[test]
fn the_terminal_lists_and_shows_them() {
    let said = |arguments: &[&str]| String::from_utf8(comptoir(arguments).stdout).unwrap();
    let list = said(&["connector", "list"]);
    for spec in comptoir_connectors::ALL {
        let row = list.lines().find(|line| line.starts_with(spec.name));
        assert!(row.is_some_and(|row| row.contains(spec.title)), "{list}");
    }
    let shown = said(&["connector", "show", "dolibarr"]);
    assert!(shown.contains("Create/modify customers orders"), "{shown}");
    let json: serde_json::Value =
        serde_json::from_str(&said(&["--json", "connector", "show", "odoo"])).unwrap();
    assert_eq!(json["settings"]["properties"]["key"]["writeOnly"], true);
    let wrong = comptoir(&["connector", "show", "odo"]);
    assert!(
        String::from_utf8(wrong.stderr)
            .unwrap()
            .contains("did you mean `odoo`")
    );
}
