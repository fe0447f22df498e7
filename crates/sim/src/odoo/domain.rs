//! Search domains: reading them, testing a record, and finding candidates through the indexes.

use super::pattern::{like, unescaped};
use super::schema::{Field, Kind, M, Magic, Source};
use super::store::{Key, Row, Store};
use super::trouble::{Done, Trouble};
use super::value::{Value, cut, decimal, parse_stamp, repr, truthy};
use super::version::Version;
use jiff::Timestamp;
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// A condition ready to be tested.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// A constant leaf, such as `(1, '=', 1)`.
    Always(bool),
    /// The relation in the slot holds one of these ids.
    Among(usize, BTreeSet<i64>),
    Leaf(usize, Operator, Operand),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// With the pattern's wildcards or around it, and whether case counts.
    Like {
        whole: bool,
        case: bool,
        not: bool,
    },
}

/// The right side.
#[derive(Debug)]
pub(super) struct Operand {
    values: Vec<Value>,
    /// Whether "nothing" is among them.
    empty: bool,
    pattern: String,
}

impl Operator {
    fn of(text: &str) -> Option<Operator> {
        let like = |whole, case, not| Operator::Like { whole, case, not };
        Some(match text {
            "=" | "==" => Operator::Equal,
            "!=" | "<>" => Operator::NotEqual,
            "in" => Operator::In,
            "not in" => Operator::NotIn,
            "<" => Operator::Less,
            "<=" => Operator::LessEqual,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterEqual,
            "like" => like(false, true, false),
            "not like" => like(false, true, true),
            "ilike" => like(false, false, false),
            "not ilike" => like(false, false, true),
            "=like" => like(true, true, false),
            "=ilike" => like(true, false, false),
            _ => return None,
        })
    }
}

/// Whether a domain speaks of a field, which then decides about archived records itself.
pub(super) fn mentions(domain: &Json, field: &str) -> bool {
    domain.as_array().is_some_and(|items| {
        items
            .iter()
            .any(|item| item.get(0).and_then(Json::as_str) == Some(field))
    })
}

impl Condition {
    /// Reads a domain.
    pub(super) fn read(store: &Store, model: M, domain: &Json) -> Done<Condition> {
        let items = match domain {
            Json::Null | Json::Bool(false) => return Ok(Condition::Always(true)),
            Json::Array(items) => items,
            other => {
                return Err(Trouble::value(format!(
                    "Domain() invalid item in domain: {}",
                    repr(other)
                )));
            }
        };
        let mut rest = items.iter();
        let mut all = Vec::new();
        while let Some(item) = rest.next() {
            all.push(Condition::item(store, model, item, &mut rest)?);
        }
        Ok(match all.len() {
            0 => Condition::Always(true),
            1 => all.remove(0),
            _ => Condition::All(all),
        })
    }

    fn item<'a>(
        store: &Store,
        model: M,
        item: &'a Json,
        rest: &mut impl Iterator<Item = &'a Json>,
    ) -> Done<Condition> {
        let next = |store: &Store, rest: &mut _| match Iterator::next(rest) {
            Some(item) => Condition::item(store, model, item, rest),
            None => Err(Trouble::value("Domain is syntactically not correct.")),
        };
        match item {
            Json::String(word) => match word.as_str() {
                "&" => Ok(Condition::All(vec![next(store, rest)?, next(store, rest)?])),
                "|" => Ok(Condition::Any(vec![next(store, rest)?, next(store, rest)?])),
                "!" => Ok(Condition::Not(Box::new(next(store, rest)?))),
                _ => Err(Trouble::value(format!(
                    "Domain() invalid item in domain: {}",
                    repr(item)
                ))),
            },
            Json::Array(leaf) if leaf.len() == 3 => Condition::leaf(store, model, leaf),
            other => Err(Trouble::value(format!(
                "Domain() invalid item in domain: {other}"
            ))),
        }
    }

    fn leaf(store: &Store, model: M, leaf: &[Json]) -> Done<Condition> {
        if let Some(constant) = leaf[0].as_i64() {
            let equal = leaf[2].as_i64() == Some(constant);
            return Ok(Condition::Always(equal == (leaf[1] == "=")));
        }
        let path = leaf[0].as_str().unwrap_or_default();
        let word = leaf[1].as_str().unwrap_or_default().to_lowercase();
        if word == "child_of" {
            return Condition::child_of(store, model, path, &leaf[2]);
        }
        let Some(operator) = Operator::of(&word) else {
            return Err(invalid_operator(store.version, leaf));
        };
        let (name, deeper) = match path.split_once('.') {
            Some((name, deeper)) => (name, Some(deeper)),
            None => (path, None),
        };
        let Some((slot, field)) = store.schema(model).visible(name) else {
            return Err(unknown_field(store.version, model, path, leaf));
        };
        let target = field.kind.relation();
        if let (Some(deeper), Some(target)) = (deeper, target) {
            let sub = [Json::from(deeper), leaf[1].clone(), leaf[2].clone()];
            let ids = Condition::leaf(store, target, &sub)?.ids(store, target);
            return Ok(Condition::Among(slot, ids));
        }
        if let Some(ids) = named(store, field, operator, &leaf[2]) {
            let among = Condition::Among(slot, ids);
            let negative = matches!(
                operator,
                Operator::NotEqual | Operator::NotIn | Operator::Like { not: true, .. }
            );
            return Ok(match negative {
                true => Condition::Not(Box::new(among)),
                false => among,
            });
        }
        let operand = operand(store.version, field, operator, &leaf[2])?;
        Ok(Condition::Leaf(slot, operator, operand))
    }

    /// A record and everything below it. Only contacts have a hierarchy here.
    fn child_of(store: &Store, model: M, path: &str, value: &Json) -> Done<Condition> {
        let Some((slot, field)) = store.schema(model).visible(path) else {
            return Err(Trouble::value(format!(
                "Invalid field {}.{path}",
                model.name()
            )));
        };
        let mut todo: Vec<i64> = match value {
            Json::Array(items) => items.iter().filter_map(Json::as_i64).collect(),
            other => other.as_i64().into_iter().collect(),
        };
        let partners =
            path == "id" && model == M::Partner || field.kind == Kind::Many2one(M::Partner);
        let mut found = BTreeSet::new();
        while let Some(id) = todo.pop() {
            if found.insert(id) && partners {
                todo.extend_from_slice(store.pointing(M::Partner, "parent_id", id));
            }
        }
        Ok(Condition::Among(slot, found))
    }

    /// Every record that meets it.
    pub(super) fn ids(&self, store: &Store, model: M) -> BTreeSet<i64> {
        match self.candidates(store, model) {
            Some(ids) => ids
                .into_iter()
                .filter(|id| {
                    store
                        .row(model, *id)
                        .is_some_and(|row| self.test(store, model, row))
                })
                .collect(),
            None => store
                .table(model)
                .rows
                .values()
                .filter(|row| self.test(store, model, row))
                .map(|row| row.id)
                .collect(),
        }
    }

    /// Whether a record meets it.
    pub(super) fn test(&self, store: &Store, model: M, row: &Row) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|part| part.test(store, model, row)),
            Condition::Any(any) => any.iter().any(|part| part.test(store, model, row)),
            Condition::Not(part) => !part.test(store, model, row),
            Condition::Always(answer) => *answer,
            Condition::Among(slot, ids) => match store.value(model, row, *slot) {
                Value::Int(id) => ids.contains(&id),
                value => value.ids().iter().any(|id| ids.contains(id)),
            },
            Condition::Leaf(slot, operator, operand) => {
                let field = &store.schema(model).fields[*slot];
                let mut value = store.value(model, row, *slot);
                if let (Value::Time(time), Version::V19) = (&value, store.version) {
                    // 19 compares the times of a domain by the second; earlier versions see the microseconds.
                    value = Value::Time(cut(*time));
                }
                compare(field, &value, *operator, operand)
            }
        }
    }

    /// Ids among which all that meet it are, if the indexes can tell.
    pub(super) fn candidates(&self, store: &Store, model: M) -> Option<Vec<i64>> {
        let mut ids = match self {
            Condition::All(all) => all
                .iter()
                .filter_map(|part| part.candidates(store, model))
                .min_by_key(Vec::len)?,
            Condition::Any(any) => {
                let parts: Option<Vec<Vec<i64>>> = any
                    .iter()
                    .map(|part| part.candidates(store, model))
                    .collect();
                parts?.concat()
            }
            Condition::Among(slot, ids) => through(store, model, *slot, ids)?,
            Condition::Leaf(slot, operator, operand) => {
                leaf_candidates(store, model, *slot, *operator, operand)?
            }
            Condition::Not(_) | Condition::Always(_) => return None,
        };
        ids.sort_unstable();
        ids.dedup();
        Some(ids)
    }

    /// A time before which no record that meets it was last written, if it names one.
    pub(super) fn since(&self, store: &Store, model: M) -> Option<Timestamp> {
        match self {
            Condition::All(all) => all.iter().filter_map(|c| c.since(store, model)).max(),
            Condition::Any(any) => {
                let parts: Option<Vec<Timestamp>> =
                    any.iter().map(|c| c.since(store, model)).collect();
                parts?.into_iter().min()
            }
            Condition::Leaf(slot, operator, operand) => {
                let written = matches!(
                    store.schema(model).fields[*slot].source,
                    Source::Magic(Magic::Written)
                );
                let bounded = matches!(
                    operator,
                    Operator::Greater | Operator::GreaterEqual | Operator::Equal
                );
                match operand.values.first() {
                    Some(Value::Time(time)) if written && bounded => Some(*time),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// A relation compared with a name instead of an id.
fn named(store: &Store, field: &Field, operator: Operator, value: &Json) -> Option<BTreeSet<i64>> {
    let target = field.kind.relation()?;
    let texts: Vec<&str> = match value {
        Json::String(text) => vec![text],
        Json::Array(items) if !items.is_empty() => {
            items.iter().map(Json::as_str).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let matches = |name: &str| {
        texts.iter().any(|text| match operator {
            Operator::Like { whole, case, .. } => like(name, text, whole, case),
            _ => name == *text,
        })
    };
    let rows = store.table(target).rows.values();
    Some(
        rows.filter(|row| matches(&store.display(target, row)))
            .map(|row| row.id)
            .collect(),
    )
}

fn operand(version: Version, field: &Field, operator: Operator, value: &Json) -> Done<Operand> {
    let items = match value {
        Json::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut operand = Operand {
        values: Vec::with_capacity(items.len()),
        empty: false,
        pattern: value.as_str().unwrap_or_default().to_owned(),
    };
    if matches!(operator, Operator::Like { .. }) {
        return Ok(operand);
    }
    for item in items {
        if field.kind == Kind::Boolean {
            operand.values.push(Value::Bool(truthy(item)));
            operand.empty |= !truthy(item);
        } else if matches!(item, Json::Null | Json::Bool(false)) {
            operand.empty = true;
        } else {
            operand.values.push(operand_value(version, field, item)?);
        }
    }
    Ok(operand)
}

fn operand_value(version: Version, field: &Field, item: &Json) -> Done<Value> {
    Ok(match field.kind {
        Kind::Integer | Kind::Many2one(_) | Kind::Many2many(_) | Kind::One2many(..) => {
            let number = decimal(item).ok_or_else(|| {
                Trouble::value(format!(
                    "invalid literal for int() with base 10: {}",
                    repr(item)
                ))
            })?;
            let id = i64::try_from(number.trunc()).unwrap_or_default();
            match field.kind {
                Kind::Integer => Value::Int(id),
                _ => Value::Ref(id),
            }
        }
        Kind::Float(_) | Kind::Monetary => Value::Number(decimal(item).ok_or_else(|| {
            Trouble::value(format!("could not convert string to float: {}", repr(item)))
        })?),
        Kind::Datetime => Value::Time(operand_time(version, item)?),
        Kind::Date => match item.as_str().and_then(|text| text.get(..10)?.parse().ok()) {
            Some(day) => Value::Day(day),
            None => {
                return Err(Trouble::value(format!(
                    "Invalid isoformat string: {}",
                    repr(item)
                )));
            }
        },
        _ => Value::text(match item {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        }),
    })
}

/// A time in a domain: 19 refuses one with a zone, earlier versions hand it to PostgreSQL.
fn operand_time(version: Version, item: &Json) -> Done<Timestamp> {
    let text = item.as_str().unwrap_or_default();
    if let Some(time) = parse_stamp(text) {
        return Ok(time);
    }
    match text.parse::<Timestamp>() {
        Ok(time) if version < Version::V19 => Ok(time),
        Ok(_) => Err(Trouble::value(format!(
            "expecting only datetimes with no timezone: {}",
            repr(item)
        ))),
        Err(_) => Err(Trouble::value(format!(
            "Invalid isoformat string: {}",
            repr(item)
        ))),
    }
}

fn compare(field: &Field, value: &Value, operator: Operator, operand: &Operand) -> bool {
    let many = matches!(field.kind, Kind::Many2many(_) | Kind::One2many(..));
    let among = || {
        if many {
            let ids = value.ids();
            return (operand.empty && ids.is_empty())
                || operand
                    .values
                    .iter()
                    .any(|v| v.id().is_some_and(|id| ids.contains(&id)));
        }
        match value {
            Value::Empty => operand.empty,
            value => operand
                .values
                .iter()
                .any(|other| value.order(other) == Ordering::Equal && !is_mixed(value, other)),
        }
    };
    let ordered = |wanted: &[Ordering]| match (value, operand.values.first()) {
        (Value::Empty, _) | (_, None) => false,
        (value, Some(other)) => wanted.contains(&value.order(other)),
    };
    match operator {
        Operator::Equal | Operator::In => among(),
        Operator::NotEqual | Operator::NotIn => !among(),
        Operator::Less => ordered(&[Ordering::Less]),
        Operator::LessEqual => ordered(&[Ordering::Less, Ordering::Equal]),
        Operator::Greater => ordered(&[Ordering::Greater]),
        Operator::GreaterEqual => ordered(&[Ordering::Greater, Ordering::Equal]),
        Operator::Like { whole, case, not } => {
            let holds = match value {
                Value::Empty => false,
                value => like(value.str(), &operand.pattern, whole, case),
            };
            holds != not
        }
    }
}

/// Values of kinds that have no common order.
fn is_mixed(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| matches!(value, Value::Int(_) | Value::Number(_));
    std::mem::discriminant(a) != std::mem::discriminant(b) && !(number(a) && number(b))
}

fn leaf_candidates(
    store: &Store,
    model: M,
    slot: usize,
    operator: Operator,
    operand: &Operand,
) -> Option<Vec<i64>> {
    let exact = matches!(operator, Operator::Equal | Operator::In) && !operand.empty;
    if store.schema(model).fields[slot].source_is(Magic::Id) && exact {
        return Some(operand.values.iter().filter_map(Value::id).collect());
    }
    let keys: Vec<Key> = match operator {
        Operator::Equal | Operator::In if exact => {
            operand.values.iter().map(Key::of).collect::<Option<_>>()?
        }
        Operator::Like {
            whole: true,
            not: false,
            ..
        } => vec![Key::Text(unescaped(&operand.pattern)?.to_lowercase())],
        _ => return None,
    };
    let table = store.table(model);
    let mut ids = Vec::new();
    for key in &keys {
        ids.extend_from_slice(table.indexed(slot, key)?);
    }
    Some(ids)
}

/// The records whose relation in `slot` holds one of `targets`.
fn through(store: &Store, model: M, slot: usize, targets: &BTreeSet<i64>) -> Option<Vec<i64>> {
    let field = &store.schema(model).fields[slot];
    match field.kind {
        Kind::One2many(many, back) => {
            let back = store.slot(many, back);
            Some(
                targets
                    .iter()
                    .filter_map(|id| store.value(many, store.row(many, *id)?, back).id())
                    .collect(),
            )
        }
        _ if field.source_is(Magic::Id) => Some(targets.iter().copied().collect()),
        _ => {
            let table = store.table(model);
            let mut ids = Vec::new();
            for id in targets {
                ids.extend_from_slice(table.indexed(slot, &Key::Id(*id))?);
            }
            Some(ids)
        }
    }
}

fn tuple(leaf: &[Json]) -> String {
    let parts: Vec<String> = leaf.iter().map(repr).collect();
    format!("({})", parts.join(", "))
}

fn invalid_operator(version: Version, leaf: &[Json]) -> Trouble {
    Trouble::value(match version >= Version::V18 {
        true => format!("Invalid operator in condition {}", tuple(leaf)),
        false => format!("Invalid leaf {}", tuple(leaf)),
    })
}

fn unknown_field(version: Version, model: M, path: &str, leaf: &[Json]) -> Trouble {
    let place = if version >= Version::V18 {
        "condition"
    } else {
        "leaf"
    };
    Trouble::value(format!(
        "Invalid field {}.{path} in {place} {}",
        model.name(),
        tuple(leaf)
    ))
}

impl Field {
    fn source_is(&self, magic: Magic) -> bool {
        matches!(self.source, Source::Magic(own) if own == magic)
    }
}
