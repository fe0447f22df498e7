//! The cookbook of `docs/rules.md`, executed: each recipe is loaded, put on the sample order, and compared with what the page says it gives.

// A test fails by panicking, in its scaffolding too.
#![allow(clippy::unwrap_used)]

use comptoir_model::order::Order;
use comptoir_rules::mapping::{Beside, FUNCTIONS, OnHand, Place, Row, Rules, targets};
use comptoir_rules::table::Table;
use serde_json::Value;
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/rules.md");

/// A fenced block: what stands behind the fence, and its text.
struct Block<'a> {
    info: &'a str,
    text: String,
}

/// The fenced blocks of a part of the page.
fn blocks(part: &str) -> Vec<Block<'_>> {
    let mut found: Vec<Block<'_>> = Vec::new();
    let mut open = false;
    for line in part.lines() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(info) => {
                open = true;
                found.push(Block {
                    info,
                    text: String::new(),
                });
            }
            None if open => {
                let block = found.last_mut().unwrap();
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    found
}

fn sample(info: &str) -> Value {
    let block = blocks(PAGE)
        .into_iter()
        .find(|block| block.info == info)
        .unwrap();
    serde_json::from_str(&block.text).unwrap()
}

fn table(text: &str) -> Table {
    // As in the workspace: a comma, and quotes around what holds one.
    let rows = text.lines().skip(1).map(|line| {
        let (from, to) = line.split_once(',').unwrap();
        (from.to_owned(), to.trim_matches('"').to_owned())
    });
    Table::new(rows)
}

#[derive(serde::Deserialize)]
struct Set {
    rule: Vec<Row>,
}

fn rules(name: &str, part: &[Block<'_>]) -> Rules {
    let mut rows = Vec::new();
    let mut tables = BTreeMap::new();
    for block in part {
        if block.info == "toml" {
            let set: Set =
                toml::from_str(&block.text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let place = |line| Place {
                file: name.to_owned(),
                line,
            };
            rows.extend(
                set.rule
                    .into_iter()
                    .enumerate()
                    .map(|(index, row)| (place(index + 1), row)),
            );
        } else if let Some(table_name) = block.info.strip_prefix("csv ") {
            tables.insert(table_name.to_owned(), table(&block.text));
        }
    }
    Rules::compile(rows, tables).unwrap_or_else(|wrong| panic!("{name}: {wrong:?}"))
}

/// Puts a value at a path such as `lines[0].quantity`.
fn set(document: &mut Value, path: &str, value: Value) {
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = document
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("{path}"));
    match parent {
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = value,
        other => other[last] = value,
    }
}

fn pairs(text: &str) -> Vec<(String, Value)> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let pair = |pair: &str| {
        let (path, value) = pair.split_once(" = ").unwrap_or_else(|| panic!("{pair}"));
        let value = serde_json::from_str(value).unwrap_or_else(|_| panic!("{value}"));
        (path.trim().to_owned(), value)
    };
    text.split(", ").map(pair).collect()
}

#[test]
fn every_recipe_gives_what_its_page_says() {
    let cookbook = PAGE.split("\n## Cookbook\n").nth(1).unwrap();
    let cookbook = cookbook.split("\n## ").next().unwrap();
    let (raw, order) = (sample("json raw").to_string(), sample("json sample"));
    let stock: OnHand = serde_json::from_value(sample("json stock")).unwrap();
    let mut recipes = 0;
    for part in cookbook.split("\n### ").skip(2) {
        let name = part.lines().next().unwrap();
        let blocks = blocks(part);
        let rules = rules(name, &blocks);
        let gives: Vec<&Block<'_>> = blocks
            .iter()
            .filter(|block| block.info == "gives")
            .collect();
        assert_eq!(gives.len(), 1, "{name}");
        for line in gives[0].text.lines() {
            let (changes, wanted) = line
                .split_once('→')
                .unwrap_or_else(|| panic!("{name}: {line}"));
            let mut order = order.clone();
            for (path, value) in pairs(changes) {
                set(&mut order, &path, value);
            }
            let order: Order = serde_json::from_value(order).unwrap();
            let beside = Beside {
                source: "shop-fr",
                raw: Some(&raw),
                stock: Some(&stock),
            };
            let mapped = rules.apply(order, beside);
            let wanted = wanted.trim();
            if wanted == "held" {
                assert!(!mapped.failures.is_empty(), "{name}: {line}");
                continue;
            }
            assert!(
                mapped.failures.is_empty(),
                "{name}: {line}: {:?}",
                mapped.failures
            );
            if wanted == "nothing" {
                assert!(
                    mapped.reasons.is_empty(),
                    "{name}: {line}: {:?}",
                    mapped.reasons
                );
                continue;
            }
            for (to, value) in pairs(wanted) {
                let written = mapped.reasons.iter().rfind(|reason| reason.to == to);
                let written = written.and_then(|reason| reason.value.clone());
                assert_eq!(written, Some(value), "{name}: {line}");
            }
        }
        recipes += 1;
    }
    assert!(recipes >= 30, "{recipes} recipes");
}

#[test]
fn the_page_lists_every_function_and_everything_that_may_be_written() {
    let page: String = PAGE.split("\n## Cookbook\n").next().unwrap().to_owned();
    for function in FUNCTIONS {
        assert!(
            page.contains(&format!("`{function}")),
            "{function} is missing"
        );
    }
    for target in targets() {
        let last = target.rsplit('.').next().unwrap();
        assert!(
            page.contains(&format!("`{target}`"))
                || page.contains(&format!("`.{last}`"))
                || page.contains(&format!("`{last}`")),
            "{target} is missing"
        );
    }
}
