//! The functions of expressions. Each ends by itself, costs in proportion to what it is given, and makes no text longer than allowed.
//! `docs/rules.md` lists them for people; a test keeps that list and [`NAMES`] equal.

mod date;
mod list;
mod number;
mod place;
mod text;

use super::expression::LONGEST_TEXT;
use crate::table::Table;
use comptoir_model::Decimal;
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every function that an expression may call.
pub const NAMES: &[&str] = &[
    "abs",
    "add_days",
    "after",
    "after_last",
    "all",
    "any",
    "before",
    "before_last",
    "ceil",
    "contains",
    "count",
    "country",
    "covers",
    "cut",
    "date",
    "days_between",
    "digits",
    "distance_km",
    "ends_with",
    "eu",
    "first",
    "first_covering",
    "floor",
    "format_date",
    "hour",
    "is_empty",
    "join",
    "len",
    "lookup",
    "lower",
    "matches",
    "max",
    "min",
    "nearest",
    "nearest_covering",
    "number",
    "on_hand",
    "pad_left",
    "phone",
    "pluck",
    "postcode_between",
    "replace",
    "round",
    "round_down",
    "round_even",
    "round_up",
    "sku",
    "split",
    "starts_with",
    "sub_string",
    "sum",
    "to_string",
    "trim",
    "upper",
    "weekday",
];

/// What a function answers.
type Answer<T> = Result<T, Box<EvalAltResult>>;

/// The tables an expression may look into.
type Tables = Arc<BTreeMap<String, Table>>;

/// Gives an engine every function.
pub fn register(engine: &mut Engine, tables: Tables) {
    text::register(engine);
    number::register(engine);
    date::register(engine);
    list::register(engine);
    place::register(engine, &tables);
    engine.register_fn(
        "lookup",
        move |table: &str, value: Dynamic| -> Answer<Dynamic> {
            let value = text_of(&value)?;
            let hit = known(&tables, table)?.get(&value);
            Ok(hit.map_or(Dynamic::UNIT, |hit| {
                Dynamic::from(ImmutableString::from(hit.to))
            }))
        },
    );
}

fn known<'a>(tables: &'a Tables, table: &str) -> Answer<&'a Table> {
    tables
        .get(table)
        .ok_or_else(|| error(format!("there is no table tables/{table}.csv")))
}

/// The tables that an expression names as plain texts in `lookup`, `nearest` and `nearest_covering`, so that a wrong name is found before
/// the first order.
pub fn tables_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    // Where the table stands among the arguments.
    for (function, place) in [("lookup(", 0), ("nearest(", 1), ("nearest_covering(", 1)] {
        for (at, _) in text.match_indices(function) {
            // As a method, what stands before the dot is the first argument.
            let place = place - usize::from(place > 0 && text[..at].ends_with('.'));
            let argument = arguments(&text[at + function.len()..])
                .into_iter()
                .nth(place);
            let name = argument.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
            found.extend(name.filter(|name| !name.contains('"')).map(str::to_owned));
        }
    }
    found
}

/// The arguments of a call, from behind its bracket.
fn arguments(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut begin) = (0_usize, false, 0);
    let mut found = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => {
                found.push(text[begin..at].trim());
                return found;
            }
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(text[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    found
}

fn error(words: impl Into<String>) -> Box<EvalAltResult> {
    let words: String = words.into();
    words.into()
}

/// A number of either sort.
fn number_of(value: &Dynamic) -> Answer<Decimal> {
    if let Ok(exact) = value.as_decimal() {
        return Ok(exact);
    }
    value
        .as_int()
        .map(Decimal::from)
        .map_err(|sort| error(format!("a number belongs here, not {}", sort_of(sort))))
}

/// A value as text; numbers without zeros at the end.
fn text_of(value: &Dynamic) -> Answer<String> {
    if value.is_unit() {
        return Ok(String::new());
    }
    super::expression::to_text(value).ok_or_else(|| {
        error(format!(
            "a text belongs here, not {}",
            sort_of(value.type_name())
        ))
    })
}

fn sort_of(sort: &str) -> &str {
    match sort {
        "string" => "a text",
        "i64" | "decimal" => "a number",
        "array" => "a list",
        "map" => "a group of fields",
        "()" => "nothing (the value is missing)",
        other => other,
    }
}

/// A text that was just made, unless it would be longer than allowed. `bytes` is its length.
fn fits(bytes: usize) -> Answer<()> {
    if bytes > LONGEST_TEXT {
        return Err(error(format!(
            "the text would be longer than {LONGEST_TEXT} bytes"
        )));
    }
    Ok(())
}
