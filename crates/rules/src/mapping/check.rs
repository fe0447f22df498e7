//! What can be told of rules before the first order: rules that are never reached, and what the connected target does not have.

use super::row::Wrong;
use super::rule::{Origin, Rule};
use super::target::{Cell, Target};
use crate::table::Table;
use comptoir_model::account::Account;
use std::collections::BTreeMap;

/// Rules after one for the same field that always writes.
pub(super) fn unreachable(rules: &[Rule]) -> Vec<Wrong> {
    let mut sure: BTreeMap<&Target, &Rule> = BTreeMap::new();
    let mut wrong = Vec::new();
    for rule in rules.iter().filter(|rule| rule.target != Target::Tag) {
        if let Some(before) = sure.get(&rule.target) {
            wrong.push(
                Wrong::new(
                    &rule.place,
                    "to",
                    format!("this rule is never reached: {} already writes `{}` for every order", before.place, rule.target),
                    format!("cette règle n'est jamais atteinte : {} écrit déjà `{}` pour toute commande", before.place, rule.target),
                )
                .fix("move it before that one, or delete one of the two", "la placer avant, ou supprimer l'une des deux"),
            );
        } else if rule.always_writes() {
            sure.insert(&rule.target, rule);
        }
    }
    wrong
}

/// What the target does not have.
pub(super) fn against(
    rules: &[Rule],
    tables: &BTreeMap<String, Table>,
    account: &Account,
) -> Vec<Wrong> {
    rules
        .iter()
        .flat_map(|rule| match &rule.target {
            Target::Field(name) => field(rule, account, "order", name),
            Target::CustomerField(name) => field(rule, account, "customer", name),
            Target::Each(_, Cell::Field(name)) => field(rule, account, "order_line", name),
            Target::Placement(spot) => choices(rule, tables, account, spot.choices()),
            _ => Vec::new(),
        })
        .collect()
}

fn field(rule: &Rule, account: &Account, of: &str, name: &str) -> Vec<Wrong> {
    // A target that does not tell its fields is asked with the first order.
    let Some(known) = account.fields.get(of) else {
        return Vec::new();
    };
    if known.iter().any(|known| known == name) {
        return Vec::new();
    }
    let version = &account.version;
    let problem = Wrong::new(
        &rule.place,
        "to",
        format!(
            "`to = \"{}\"`: {version} has no such field that can be written",
            rule.target
        ),
        format!(
            "`to = \"{}\"` : {version} n'a pas de tel champ que l'on puisse écrire",
            rule.target
        ),
    );
    vec![problem.known(name, known.iter().map(String::as_str))]
}

/// Fixed values, defaults, and the rows of the table, none of which may lead nowhere.
fn choices(
    rule: &Rule,
    tables: &BTreeMap<String, Table>,
    account: &Account,
    list: &str,
) -> Vec<Wrong> {
    let mut values: Vec<(&'static str, &str)> = Vec::new();
    match &rule.lookup {
        Some(table) => {
            let rows = tables.get(table).into_iter().flat_map(Table::rows);
            values.extend(rows.map(|(_, to)| ("lookup", to)));
        }
        None => {
            if let Origin::Value(serde_json::Value::String(text)) = &rule.origin {
                values.push(("value", text));
            }
        }
    }
    if let Some(serde_json::Value::String(text)) = &rule.default {
        values.push(("default", text));
    }
    let names = account
        .choices
        .get(list)
        .map(Vec::as_slice)
        .unwrap_or_default();
    values.sort_unstable();
    values.dedup();
    // Two companies may have a choice of one name each: with the record's company it is one.
    let is_there = |text: &str| {
        account.choice(list, text).is_some()
            || names.iter().any(|choice| choice.name.trim() == text.trim())
    };
    let missing = values.into_iter().filter(|(_, text)| !is_there(text));
    missing
        .map(|(setting, text)| {
            let version = &account.version;
            let problem = Wrong::new(
                &rule.place,
                setting,
                format!(
                    "`{}`: {version} has no \"{text}\" among its {list}",
                    rule.target
                ),
                format!(
                    "`{}` : {version} n'a pas de « {text} » parmi ses {list}",
                    rule.target
                ),
            );
            problem.known(text, names.iter().map(|choice| choice.name.as_str()))
        })
        .collect()
}
