//! One compiled rule, and how it is applied.

use super::expression::{Expression, is_missing, to_json, to_text};
use super::mapped::{Failure, Mapped};
use super::path::{Path, Step};
use super::row::{OnMissing, Place, Row, Wrong};
use super::target::{BadTarget, List, Target};
use super::{document, empty_scope, function, mapped, shape};
use crate::order::Reason;
use crate::table::Table;
use comptoir_model::code::Code;
use comptoir_model::order::Order;
use rhai::{Dynamic, Engine, ImmutableString, Map, Scope};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Fields that say who a buyer is: a value of theirs never stands in a cause.
const PERSONAL: [&str; 6] = ["email", "vat_number", "note", "bill_to", "ship_to", "raw"];
/// Of an address, what many share.
const SHARED: [&str; 4] = ["country", "postcode", "subdivision", "region"];

/// Where a value comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A field.
    From(Path),
    /// Fixed.
    Value(Value),
    /// Computed.
    Expr(Box<Expression>),
}

/// A compiled rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) place: Place,
    pub(super) target: Target,
    pub(super) origin: Origin,
    pub(super) when: Option<Expression>,
    pub(super) lookup: Option<String>,
    pub(super) default: Option<Value>,
    pub(super) on_missing: OnMissing,
}

impl Rule {
    /// Whether it reads a variable.
    pub(super) fn reads(&self, variable: &str) -> bool {
        let origin = match &self.origin {
            Origin::From(path) => path.root() == variable,
            Origin::Value(_) => false,
            Origin::Expr(expression) => expression.reads(variable),
        };
        origin || self.when.as_ref().is_some_and(|when| when.reads(variable))
    }

    /// Whether it writes something whatever the order says.
    pub(super) fn always_writes(&self) -> bool {
        let sure = self.default.is_some() && self.on_missing == OnMissing::Default;
        let fixed = matches!(self.origin, Origin::Value(_)) && self.lookup.is_none();
        self.when.is_none() && (sure || fixed)
    }
}

/// Compiles a row.
pub(super) fn compile(
    engine: &Engine,
    tables: &BTreeMap<String, Table>,
    place: Place,
    row: Row,
) -> Result<Rule, Vec<Wrong>> {
    let target = match Target::parse(&row.to) {
        Ok(target) => target,
        Err(bad) => return Err(vec![bad_target(&place, &row.to, bad)]),
    };
    let mut wrong = Vec::new();
    let list = target.list().map(List::name);
    let expression = |setting, text: &str, wrong: &mut Vec<Wrong>| {
        let compiled = Expression::compile(engine, &empty_scope(), text, list);
        match compiled {
            Ok(expression) => {
                wrong.extend(unknown_tables(
                    &place,
                    setting,
                    &function::tables_in(text),
                    tables,
                ));
                Some(expression)
            }
            Err(bad) => {
                let mut problem =
                    Wrong::new(&place, setting, bad.what[0].clone(), bad.what[1].clone());
                problem.unknown = bad.unknown;
                wrong.push(problem);
                None
            }
        }
    };
    let when = row
        .when
        .as_deref()
        .map(|text| expression("when", text, &mut wrong));
    let origin = match (&row.from, &row.value, &row.expr) {
        (Some(from), None, None) => path(&place, from, list)
            .map_err(|problem| wrong.push(problem))
            .ok()
            .map(Origin::From),
        (None, Some(value), None) => fixed(&place, "value", value)
            .map_err(|problem| wrong.push(problem))
            .ok()
            .map(Origin::Value),
        (None, None, Some(text)) => expression("expr", text, &mut wrong)
            .map(|expression| Origin::Expr(Box::new(expression))),
        _ => {
            wrong.push(Wrong::new(
                &place,
                "to",
                "a rule has exactly one of `from`, `value` and `expr`",
                "une règle a exactement un de `from`, `value` et `expr`",
            ));
            None
        }
    };
    if let Some(default) = &row.default
        && let Err(problem) = fixed(&place, "default", default)
    {
        wrong.push(problem);
    }
    if let Some(table) = &row.lookup {
        wrong.extend(unknown_tables(
            &place,
            "lookup",
            std::slice::from_ref(table),
            tables,
        ));
    }
    wrong.extend(bad_document(&place, &target, &row));
    let on_missing = match (row.on_missing, &row.default) {
        (Some(OnMissing::Default), None) => {
            wrong.push(Wrong::new(
                &place,
                "on_missing",
                "`on_missing = \"default\"` needs a `default`",
                "`on_missing = \"default\"` demande un `default`",
            ));
            OnMissing::Skip
        }
        (Some(asked), _) => asked,
        (None, Some(_)) => OnMissing::Default,
        // As with the tables of a flow: a value without a row stops that record only.
        (None, None) if row.lookup.is_some() => OnMissing::Hold,
        (None, None) => OnMissing::Skip,
    };
    match (origin, wrong.is_empty()) {
        (Some(origin), true) => Ok(Rule {
            place,
            target,
            origin,
            when: when.flatten(),
            lookup: row.lookup,
            default: row.default,
            on_missing,
        }),
        _ => Err(wrong),
    }
}

fn bad_target(place: &Place, text: &str, bad: BadTarget) -> Wrong {
    match bad {
        BadTarget::Unknown { name, known } => Wrong::new(
            place,
            "to",
            format!("`to = \"{text}\"`: there is no `{name}` that a rule may write"),
            format!("`to = \"{text}\"` : il n'y a pas de `{name}` qu'une règle puisse écrire"),
        )
        .known(&name, known.iter().map(String::as_str)),
        BadTarget::ReadOnly(name) => Wrong::new(
            place,
            "to",
            format!("`to = \"{name}\"`: that is the shop's word, which no rule changes"),
            format!(
                "`to = \"{name}\"` : c'est la parole de la boutique, aucune règle ne la change"
            ),
        )
        .fix(
            "write a field of the ERP instead: `fields.NAME`, or `lines[].fields.NAME`",
            "écrire plutôt un champ de l'ERP : `fields.NOM`, ou `lines[].fields.NOM`",
        ),
    }
}

fn path(place: &Place, text: &str, list: Option<&str>) -> Result<Path, Wrong> {
    let path = Path::parse(text).map_err(|_| {
        Wrong::new(
            place,
            "from",
            format!("`from = \"{text}\"` is no path"),
            format!("`from = \"{text}\"` n'est pas un chemin"),
        )
        .fix(
            "write it as `ship_to.country`, `payments[0].method` or `raw.meta_data[KEY]`",
            "l'écrire comme `ship_to.country`, `payments[0].method` ou `raw.meta_data[CLÉ]`",
        )
    })?;
    if path.0.contains(&Step::Each) {
        let fix = "`line` is the element that the rule writes: `line.sku`";
        let french = "`line` est l'élément que la règle écrit : `line.sku`";
        return Err(Wrong::new(
            place,
            "from",
            format!("`from = \"{text}\"`: `[]` stands in `to` only"),
            format!("`from = \"{text}\"` : `[]` ne va que dans `to`"),
        )
        .fix(fix, french));
    }
    if matches!(path.root(), "raw" | "ext" | "source") {
        return Ok(path);
    }
    match shape::check(&path, list.and_then(shape::element)) {
        Ok(()) => Ok(path),
        Err(nowhere) => {
            let name = nowhere.name;
            let mut known = nowhere.known;
            if name == path.root() {
                known.extend(["raw", "ext", "source"].map(str::to_owned));
            }
            let known = known.iter().map(String::as_str);
            Err(Wrong::new(
                place,
                "from",
                format!("`from = \"{text}\"`: there is no `{name}`"),
                format!("`from = \"{text}\"` : il n'y a pas de `{name}`"),
            )
            .known(&name, known))
        }
    }
}

/// A fixed value. Numbers with decimals are written as texts: TOML's are not exact.
fn fixed(place: &Place, setting: &'static str, value: &Value) -> Result<Value, Wrong> {
    let plain = |value: &Value| value.is_string() || value.is_boolean() || value.is_i64();
    let fits = match value {
        Value::Array(items) => items.iter().all(plain),
        one => plain(one),
    };
    if fits {
        return Ok(value.clone());
    }
    Err(Wrong::new(
        place,
        setting,
        format!("`{setting}` is a text, a whole number, true or false, or a list of these"),
        format!(
            "`{setting}` est un texte, un nombre entier, true ou false, ou une liste de ceux-ci"
        ),
    )
    .fix(
        "write a number with decimals as a text: \"1.50\"",
        "écrire un nombre à décimales comme un texte : \"1.50\"",
    ))
}

fn unknown_tables(
    place: &Place,
    setting: &'static str,
    names: &[String],
    tables: &BTreeMap<String, Table>,
) -> Vec<Wrong> {
    let unknown = names.iter().filter(|name| !tables.contains_key(*name));
    unknown
        .map(|name| {
            Wrong::new(
                place,
                setting,
                format!("there is no table tables/{name}.csv"),
                format!("il n'y a pas de table tables/{name}.csv"),
            )
            .known(name, tables.keys().map(String::as_str))
        })
        .collect()
}

/// `placement.document` with a fixed value that it cannot have.
fn bad_document(place: &Place, target: &Target, row: &Row) -> Vec<Wrong> {
    if *target != Target::Document {
        return Vec::new();
    }
    let given = [("value", &row.value), ("default", &row.default)];
    let texts = given
        .into_iter()
        .filter_map(|(setting, value)| Some((setting, value.as_ref()?.as_str()?)));
    texts
        .filter(|(_, word)| mapped::document(word).is_err())
        .map(|(setting, word)| {
            Wrong::new(
                place,
                setting,
                format!("`placement.document` cannot be \"{word}\""),
                format!("`placement.document` ne peut pas être \"{word}\""),
            )
            .known(word, ["quotation", "order"])
        })
        .collect()
}

/// The rules of a flow on their way through one order.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) tables: &'a BTreeMap<String, Table>,
    pub(super) scope: Scope<'static>,
    pub(super) own: Map,
    /// What is written already, by target and element.
    pub(super) written: BTreeMap<Target, BTreeSet<usize>>,
}

/// What a rule found.
enum Found {
    /// A value, and the table's row that gave it.
    Value(Value, Option<String>),
    Nothing,
    Failed(Box<Failure>),
}

impl Run<'_> {
    /// Applies one rule to the order, or to each element of its list.
    pub(super) fn apply(&mut self, rule: &Rule, mapped: &mut Mapped) {
        let count = match rule.target.list() {
            None => 1,
            Some(List::Lines) => mapped.lines.len(),
            Some(List::Shipping) => mapped.shipping.len(),
            Some(List::Fees) => mapped.fees.len(),
        };
        for element in 0..count {
            let taken = self
                .written
                .get(&rule.target)
                .is_some_and(|elements| elements.contains(&element));
            if taken && rule.target != Target::Tag {
                continue;
            }
            if let Some(list) = rule.target.list() {
                self.scope
                    .set_value("line", element_of(mapped, list, element));
            }
            self.apply_once(rule, element, mapped);
        }
    }

    fn apply_once(&mut self, rule: &Rule, element: usize, mapped: &mut Mapped) {
        let (value, row) = match self.find(rule) {
            Found::Value(value, row) => (value, row),
            Found::Nothing => return,
            Found::Failed(failure) => return mapped.failures.push(*failure),
        };
        let reason = Reason {
            to: name_of(rule, element, mapped),
            from: origin_text(&rule.origin),
            row,
            rule: Some(rule.place.to_string()),
            value: Some(value.clone()),
        };
        if let Target::Own(name) = &rule.target {
            self.own
                .insert(name.as_str().into(), document::json(&value, 0));
            self.scope.set_value("ext", self.own.clone());
        }
        match mapped.write(&rule.target, element, value, &rule.place) {
            Ok(()) => {
                mapped.reasons.push(reason);
                self.written
                    .entry(rule.target.clone())
                    .or_default()
                    .insert(element);
            }
            Err(why) => mapped.failures.push(failure(rule, Code::RuleFailed, why)),
        }
    }

    fn find(&mut self, rule: &Rule) -> Found {
        let failed = |why: String| Found::Failed(Box::new(failure(rule, Code::RuleFailed, why)));
        match rule
            .when
            .as_ref()
            .map(|when| when.eval(self.engine, &mut self.scope))
        {
            None => {}
            Some(Ok(answer)) => match answer.as_bool() {
                Ok(true) => {}
                Ok(false) => return Found::Nothing,
                Err(sort) => return failed(format!("`when` is neither true nor false but {sort}")),
            },
            Some(Err(error)) => return failed(format!("`when`: {error}")),
        }
        let value = match &rule.origin {
            Origin::From(path) => self.walk(path),
            Origin::Value(value) => document::json(value, 0),
            Origin::Expr(expression) => match expression.eval(self.engine, &mut self.scope) {
                Ok(value) => value,
                Err(error) => return failed(format!("`expr`: {error}")),
            },
        };
        if is_missing(&value) {
            return missing(rule, None);
        }
        let Some(table) = &rule.lookup else {
            return match to_json(&value) {
                Some(json) => Found::Value(json, None),
                None => {
                    failed("the value is a group of fields, where one value belongs".to_owned())
                }
            };
        };
        let Some(text) = to_text(&value) else {
            return failed("a list cannot be looked up in a table".to_owned());
        };
        match self.tables.get(table).and_then(|rows| rows.get(&text)) {
            Some(hit) => Found::Value(
                Value::String(hit.to.to_owned()),
                Some(format!("{table}: {} → {}", hit.row, hit.to)),
            ),
            None => missing(rule, Some((table, text))),
        }
    }

    fn walk(&self, path: &Path) -> Dynamic {
        let root = self.scope.get(path.root());
        root.and_then(|root| path.walk(root))
            .unwrap_or(Dynamic::UNIT)
    }
}

fn missing(rule: &Rule, row: Option<(&String, String)>) -> Found {
    match (rule.on_missing, &rule.default) {
        (OnMissing::Default, Some(default)) => {
            Found::Value(default.clone(), Some("default".to_owned()))
        }
        (OnMissing::Hold, _) => {
            let why = match &row {
                Some((table, value)) => format!("tables/{table}.csv has no row for \"{value}\""),
                None => "there is no value".to_owned(),
            };
            let mut failure = failure(rule, Code::RuleMissing, why);
            failure.row = row
                .filter(|_| is_shared(&rule.origin))
                .map(|(table, value)| (table.clone(), value));
            Found::Failed(Box::new(failure))
        }
        _ => Found::Nothing,
    }
}

/// Whether a value may stand in a cause: it says nothing about who the buyer is.
fn is_shared(origin: &Origin) -> bool {
    let Origin::From(path) = origin else {
        return false;
    };
    let shared = matches!(path.0.get(1), Some(Step::Name(name)) if SHARED.contains(&name.as_str()));
    match path.root() {
        "bill_to" | "ship_to" => shared,
        root => !PERSONAL.contains(&root) && root != "attributes",
    }
}

fn failure(rule: &Rule, code: Code, why: String) -> Failure {
    Failure {
        rule: rule.place.clone(),
        to: rule.target.to_string(),
        code,
        why,
        row: None,
    }
}

fn name_of(rule: &Rule, element: usize, mapped: &Mapped) -> String {
    match rule.target.list() {
        // The element's own id, as the target's line is named.
        Some(list) => {
            let part = mapped.part(list, element);
            rule.target.to_string().replacen(
                &format!("{}[]", list.name()),
                &format!("lines[{part}]"),
                1,
            )
        }
        None => rule.target.to_string(),
    }
}

fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::From(path) => path.to_string(),
        Origin::Value(_) => "value".to_owned(),
        Origin::Expr(expression) => expression.text().to_owned(),
    }
}

fn element_of(order: &Order, list: List, element: usize) -> Dynamic {
    let found = match list {
        List::Lines => order.lines.get(element).map(document::line),
        List::Shipping => order.shipping.get(element).map(document::shipping),
        List::Fees => order.fees.get(element).map(document::fee),
    };
    found.unwrap_or_else(|| Dynamic::from(ImmutableString::new()))
}
