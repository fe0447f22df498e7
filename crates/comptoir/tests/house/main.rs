//! The rules of the house that no compiler checks: who may import whom, what each crate may touch, and that codes, pages and
//! connectors stay in step. Every check is a function from what is there to what is wrong with it; it runs over this tree, where
//! it must find nothing, and over planted mistakes, each of which it must find.

mod imports;
mod pages;
mod source;
mod tidy;

use comptoir_model::code::{Code, Language};
use serde_json::{Value, json};
use source::{Source, code, tree};
use std::process::Command;

fn nothing_wrong(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

fn planted(path: &str, text: &str) -> Vec<Source> {
    vec![Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }]
}

/// How many mistakes a check finds in one planted file.
fn found(check: fn(&[Source]) -> Vec<String>, path: &str, text: &str) -> usize {
    check(&planted(path, text)).len()
}

#[test]
fn crates_depend_on_one_another_as_designed() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(source::root())
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("its JSON");
    let members = metadata["packages"].as_array().map_or(0, Vec::len);
    assert!(
        members >= 8,
        "{members} crates: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    nothing_wrong(imports::wrong_dependencies(&metadata));
}

#[test]
fn a_wrong_dependency_is_found() {
    let wrong = |from: &str, to: &str, kind: Value| {
        let dependencies = json!([{"name": to, "kind": kind}]);
        let packages = json!([{"name": from, "dependencies": dependencies}]);
        imports::wrong_dependencies(&json!({ "packages": packages })).len()
    };
    assert_eq!(wrong("comptoir-engine", "comptoir-store", Value::Null), 0);
    assert_eq!(wrong("comptoir-engine", "comptoir-kit", Value::Null), 1);
    assert_eq!(wrong("comptoir-engine", "comptoir-kit", json!("build")), 1);
    assert_eq!(wrong("comptoir-engine", "comptoir-sim", json!("dev")), 0);
    assert_eq!(
        wrong("comptoir-connectors", "comptoir-store", Value::Null),
        1
    );
    assert_eq!(wrong("comptoir-connectors", "reqwest", Value::Null), 1);
    assert_eq!(wrong("comptoir-kit", "reqwest", Value::Null), 0);
    assert_eq!(wrong("comptoir-rules", "sqlx", Value::Null), 1);
    assert_eq!(wrong("comptoir-extras", "serde", Value::Null), 1);
}

#[test]
fn crates_use_only_what_is_theirs() {
    let tree = tree();
    nothing_wrong(imports::banned_words(&tree));
    nothing_wrong(imports::sql_elsewhere(&tree));
    nothing_wrong(imports::unlinted_crates(&tree));
}

#[test]
fn a_banned_word_is_found_in_code_but_not_in_words_about_it() {
    let check = imports::banned_words;
    assert_eq!(
        found(
            check,
            "crates/engine/src/x.rs",
            "use tokio::net::TcpStream;"
        ),
        2
    );
    assert_eq!(
        found(
            check,
            "crates/engine/src/x.rs",
            "// TcpStream\n/* TcpStream */ let a = \"TcpStream\";"
        ),
        0
    );
    assert_eq!(
        found(
            check,
            "crates/connectors/src/a/mod.rs",
            "use reqwest::Client;"
        ),
        1
    );
    assert_eq!(
        found(
            check,
            "crates/connectors/src/a/mod.rs",
            "fn f(p: &sqlx::PgPool) {}"
        ),
        1
    );
    assert_eq!(
        found(
            check,
            "crates/connectors/tests/a.rs",
            "fn f(p: &sqlx::PgPool) {}"
        ),
        1
    );
    assert_eq!(
        found(check, "crates/store/src/x.rs", "fn f(p: &sqlx::PgPool) {}"),
        0
    );
    assert_eq!(
        found(check, "crates/kit/src/x.rs", "use std::{env, fs};"),
        1
    );
    assert_eq!(
        found(
            check,
            "crates/kit/src/x.rs",
            "let v = env!(\"CARGO_PKG_VERSION\");"
        ),
        0
    );
    assert_eq!(
        found(check, "crates/comptoir/src/x.rs", "std::env::var(\"X\")"),
        0
    );
    assert_eq!(
        found(check, "crates/rules/src/x.rs", "pub async fn f() {}"),
        1
    );
    assert_eq!(
        found(check, "crates/engine/src/decide/x.rs", "f().await"),
        1
    );
    assert_eq!(found(check, "crates/engine/src/turn.rs", "f().await"), 0);
    assert_eq!(
        found(
            check,
            "crates/kit/src/x.rs",
            "#[cfg(test)]\nmod tests { use std::env; }"
        ),
        0
    );
}

#[test]
fn a_folder_of_tests_inside_src_may_start_servers_when_it_is_declared_for_tests() {
    let test = "crates/connectors/src/a/tests/server.rs";
    let mut sources = planted(test, "use tokio::net::TcpListener;");
    assert_eq!(imports::banned_words(&sources).len(), 2);
    sources.extend(planted(
        "crates/connectors/src/a/mod.rs",
        "#[cfg(test)]\nmod tests;",
    ));
    assert_eq!(imports::banned_words(&sources).len(), 0);
}

#[test]
fn sql_and_a_crate_without_lints_are_found() {
    let sql = imports::sql_elsewhere;
    assert_eq!(found(sql, "crates/engine/src/x.rs", "q(\"SELECT 1\")"), 1);
    assert_eq!(found(sql, "crates/store/src/x.rs", "q(\"SELECT 1\")"), 0);
    let lints = imports::unlinted_crates;
    assert_eq!(found(lints, "crates/x/Cargo.toml", "[package]"), 1);
    assert_eq!(
        found(lints, "crates/x/Cargo.toml", "[lints]\nworkspace = true\n"),
        0
    );
}

#[test]
fn comments_and_literals_are_told_from_code() {
    let text = "a /* b /* */ 'c' b\"d\\\"d\" r#\"e\"e\"# // f\ng: &'static str '\\'' r";
    let words: Vec<String> = code(text).split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["a", "b", "g:", "&'static", "str", "r"]);
}

#[test]
fn the_engine_names_no_system() {
    nothing_wrong(imports::named_systems(&tree()));
    let check = imports::named_systems;
    assert_eq!(
        found(check, "crates/engine/src/x.rs", "// as OdooOrder does"),
        1
    );
    assert_eq!(found(check, "crates/engine/tests/x.rs", "\"sap\""), 1);
    assert_eq!(
        found(
            check,
            "crates/engine/src/x.rs",
            "// it disappears: a message"
        ),
        0
    );
    assert_eq!(found(check, "crates/sim/src/x.rs", "odoo"), 0);
}

#[test]
fn connectors_are_complete_and_know_nothing_of_one_another() {
    let names: Vec<&str> = comptoir_connectors::ALL
        .iter()
        .map(|spec| spec.name)
        .collect();
    let tree = tree();
    nothing_wrong(imports::incomplete_connectors(&tree, &names));
    nothing_wrong(imports::entangled_connectors(&tree));
}

#[test]
fn an_incomplete_or_entangled_connector_is_found() {
    let mut sources = planted(
        "crates/connectors/src/shop_a/mod.rs",
        "use crate::erp_b::X;",
    );
    sources.extend(planted(
        "crates/connectors/src/erp_b/mod.rs",
        "// shop_a is the other one",
    ));
    sources.extend(planted("crates/connectors/src/erp_b/README.md", "# B"));
    assert_eq!(imports::entangled_connectors(&sources).len(), 1);
    let wrong = imports::incomplete_connectors(&sources, &["erp-b", "crm-c"]);
    assert_eq!(
        wrong.len(),
        3,
        "unlisted shop-a, no folder crm-c, no README of shop_a: {wrong:?}"
    );
}

#[test]
fn names_and_sizes_are_tidy() {
    let tree = tree();
    nothing_wrong(tidy::vague_names(&tree));
    nothing_wrong(tidy::long_files(&tree, tidy::LONG_FILES));
    nothing_wrong(tidy::machine_words(&tree));
}

#[test]
fn a_vague_name_and_a_long_file_are_found() {
    let check = tidy::vague_names;
    assert_eq!(found(check, "crates/kit/src/utils.rs", ""), 1);
    assert_eq!(found(check, "docs/misc/x.md", ""), 1);
    assert_eq!(
        found(check, "crates/kit/src/lib.rs", "pub mod helpers { }"),
        1
    );
    assert_eq!(
        found(check, "crates/kit/src/commonly.rs", "// mod utils"),
        0
    );
    let long = planted("crates/kit/src/x.rs", &"//\n".repeat(601));
    assert_eq!(tidy::long_files(&long, &[]).len(), 1);
    assert_eq!(
        tidy::long_files(&long, &[("crates/kit/src/x.rs", "a table")]).len(),
        0
    );
    assert_eq!(
        tidy::long_files(&long, &[("crates/kit/src/x.rs", "")]).len(),
        1
    );
    assert_eq!(
        tidy::long_files(&[], &[("crates/kit/src/x.rs", "a table")]).len(),
        1
    );
}

#[test]
fn a_machine_path_and_another_registry_are_found() {
    let check = tidy::machine_words;
    let path = |folder: &str| format!("see /{folder}/a/b");
    assert_eq!(found(check, "docs/x.md", &path("home")), 1);
    assert_eq!(
        found(
            check,
            "docs/x.md",
            &format!("`{}`", path("tmp").replace("see ", ""))
        ),
        1
    );
    assert_eq!(
        found(
            check,
            "docs/x.md",
            "crates/store/src/work/x.rs and https://x.example/home/a"
        ),
        0
    );
    assert_eq!(
        found(check, "x.toml", &format!("{}ries.mirror]", "[regist")),
        1
    );
    let lock = |host: &str| format!("source = \"registry+https://{host}/crates.io-index\"");
    assert_eq!(found(check, "Cargo.lock", &lock("mirror.example")), 1);
    assert_eq!(found(check, "Cargo.lock", &lock("github.com/rust-lang")), 0);
}

#[test]
fn every_code_has_its_page_and_every_page_a_code() {
    nothing_wrong(pages::wrong_pages(&tree()));
}

#[test]
fn a_wrong_page_is_found() {
    let good: Vec<Source> = tree()
        .into_iter()
        .filter(|source| source.path.starts_with("docs/errors/"))
        .collect();
    let first = Code::ALL[0];
    let path = format!("docs/errors/{first}.md");
    let with = |change: &dyn Fn(&mut Source)| {
        let mut pages = good.clone();
        change(
            pages
                .iter_mut()
                .find(|source| source.path == path)
                .expect("its page"),
        );
        pages::wrong_pages(&pages).len()
    };
    assert_eq!(with(&|_| ()), 0);
    // Moved away: one page too many, one missing.
    assert_eq!(
        with(&|page| page.path = "docs/errors/CMP-9999.md".to_owned()),
        2
    );
    assert_eq!(with(&|page| page.text.insert(2, 'x')), 1);
    assert_eq!(
        with(&|page| page.text = page.text.replace("\n## What to do\n", "\n")),
        1
    );
    let french = first.title(Language::French).trim_end_matches('.');
    assert_eq!(
        with(&|page| page.text = page.text.replace(french, "autre")),
        1
    );
    assert_eq!(with(&|page| page.text.push_str("See CMP-9998.")), 1);
}
