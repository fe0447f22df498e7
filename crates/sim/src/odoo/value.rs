//! What a field of a record may hold, and how it goes over the wire.

use super::schema::{Field, Kind};
use super::trouble::{Done, Trouble};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::str::FromStr;

/// A value in the database.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Value {
    /// SQL's null; `false` on the wire.
    #[default]
    Empty,
    Bool(bool),
    Int(i64),
    Number(Decimal),
    Text(String),
    Time(Timestamp),
    Day(Date),
    Ref(i64),
    Refs(Vec<i64>),
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    /// The id of a many2one.
    pub(super) fn id(&self) -> Option<i64> {
        match self {
            Value::Ref(id) | Value::Int(id) => Some(*id),
            _ => None,
        }
    }

    /// The ids of a relation of any kind.
    pub(super) fn ids(&self) -> &[i64] {
        match self {
            Value::Refs(ids) => ids,
            Value::Ref(id) => std::slice::from_ref(id),
            _ => &[],
        }
    }

    pub(super) fn str(&self) -> &str {
        match self {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn number(&self) -> Decimal {
        match self {
            Value::Number(number) => *number,
            Value::Int(int) => Decimal::from(*int),
            _ => Decimal::ZERO,
        }
    }

    pub(super) fn truthy(&self) -> bool {
        match self {
            Value::Empty => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Number(value) => !value.is_zero(),
            Value::Text(text) => !text.is_empty(),
            Value::Refs(ids) => !ids.is_empty(),
            Value::Time(_) | Value::Day(_) | Value::Ref(_) => true,
        }
    }

    /// SQL's order, empty last.
    pub(super) fn order(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Empty, Value::Empty) => Ordering::Equal,
            (Value::Empty, _) => Ordering::Greater,
            (_, Value::Empty) => Ordering::Less,
            (Value::Text(a), Value::Text(b)) => a.cmp(b),
            (Value::Time(a), Value::Time(b)) => a.cmp(b),
            (Value::Day(a), Value::Day(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Ref(a), Value::Ref(b)) => a.cmp(b),
            (Value::Refs(a), Value::Refs(b)) => a.cmp(b),
            (Value::Int(_) | Value::Number(_), Value::Int(_) | Value::Number(_)) => {
                self.number().cmp(&other.number())
            }
            _ => Ordering::Equal,
        }
    }

    /// What `read` shows, except the display name of a many2one.
    pub(super) fn wire(&self, kind: &Kind) -> Json {
        match self {
            Value::Empty => match kind {
                Kind::Integer => Json::from(0),
                Kind::Float(_) | Kind::Monetary => Json::from(0.0),
                Kind::Many2many(_) | Kind::One2many(..) => Json::Array(Vec::new()),
                _ => Json::Bool(false),
            },
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Number(value) => Json::from(float(*value)),
            Value::Text(text) => Json::from(text.as_str()),
            Value::Time(time) => Json::from(stamp(*time)),
            Value::Day(day) => Json::from(day.to_string()),
            Value::Ref(id) => Json::from(*id),
            Value::Refs(ids) => Json::from(ids.clone()),
        }
    }
}

/// The nearest float: the numbers of Odoo's JSON.
pub(super) fn float(number: Decimal) -> f64 {
    // A decimal of 28 digits converts digit by digit with an error; its text does not.
    number
        .to_string()
        .parse()
        .unwrap_or_else(|_| number.to_f64().unwrap_or_default())
}

/// `YYYY-MM-DD HH:MM:SS` in UTC, cut to the second.
pub(super) fn stamp(time: Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(time);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        time.year(),
        time.month(),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}

/// A time without its fraction of a second.
pub(super) fn cut(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// A time without zone, or a day, read as UTC. A zone or a `T` is refused.
pub(super) fn parse_stamp(text: &str) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(parse_naive(text)?).ok()
}

/// The same without a zone attached.
pub(super) fn parse_naive(text: &str) -> Option<DateTime> {
    if text.contains(['T', 'Z', '+']) {
        return None;
    }
    if text.len() == 10 {
        return Date::from_str(text)
            .ok()
            .map(|day| day.to_datetime(jiff::civil::Time::midnight()));
    }
    DateTime::from_str(text).ok()
}

/// A JSON number, or a text that is one, exactly.
pub(super) fn decimal(json: &Json) -> Option<Decimal> {
    match json {
        Json::Number(number) => parse_decimal(&number.to_string()),
        Json::String(text) => parse_decimal(text.trim()),
        Json::Bool(value) => Some(Decimal::from(i64::from(*value))),
        _ => None,
    }
}

fn parse_decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_scientific(text))
        .ok()
}

/// A JSON value as Python would print it in an error.
pub(super) fn repr(json: &Json) -> String {
    match json {
        Json::String(text) => format!("'{text}'"),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Null => "None".to_owned(),
        other => other.to_string(),
    }
}

/// A value given to `create` or `write`, for a field that is no relation to many.
pub(super) fn coerce(model: &str, field: &Field, json: &Json) -> Done<Value> {
    let nothing = matches!(json, Json::Null | Json::Bool(false));
    match &field.kind {
        Kind::Boolean => Ok(Value::Bool(truthy(json))),
        _ if nothing => Ok(Value::Empty),
        Kind::Char | Kind::Text | Kind::Html | Kind::Open => Ok(match json {
            Json::String(text) => Value::text(text.as_str()),
            other => Value::text(other.to_string()),
        }),
        Kind::Integer => match decimal(json).and_then(|number| number.trunc().to_i64()) {
            Some(number) => Ok(Value::Int(number)),
            None => Err(Trouble::value(format!(
                "invalid literal for int() with base 10: {}",
                repr(json)
            ))),
        },
        Kind::Float(digits) => match decimal(json) {
            Some(number) => Ok(Value::Number(round(number, *digits))),
            None => Err(Trouble::value(format!(
                "could not convert string to float: {}",
                repr(json)
            ))),
        },
        Kind::Monetary => match decimal(json) {
            Some(number) => Ok(Value::Number(number)),
            None => Err(Trouble::value(format!(
                "could not convert string to float: {}",
                repr(json)
            ))),
        },
        Kind::Selection(options) => match json.as_str() {
            Some(text) if options.iter().any(|(value, _)| *value == text) => Ok(Value::text(text)),
            _ => Err(Trouble::value(format!(
                "Wrong value for {model}.{}: {}",
                field.name,
                repr(json)
            ))),
        },
        Kind::Datetime => match json.as_str().and_then(parse_stamp) {
            Some(time) => Ok(Value::Time(time)),
            None => Err(Trouble::value(format!(
                "time data {} does not match format '%Y-%m-%d %H:%M:%S'",
                repr(json)
            ))),
        },
        Kind::Date => match json
            .as_str()
            .and_then(|text| Date::from_str(text.get(..10)?).ok())
        {
            Some(day) => Ok(Value::Day(day)),
            None => Err(Trouble::value(format!(
                "time data {} does not match format '%Y-%m-%d'",
                repr(json)
            ))),
        },
        Kind::Many2one(_) => match json {
            Json::Number(number) => Ok(number.as_i64().map_or(Value::Empty, Value::Ref)),
            Json::Array(pair) => Ok(pair
                .first()
                .and_then(Json::as_i64)
                .map_or(Value::Empty, Value::Ref)),
            other => Err(Trouble::value(format!(
                "Wrong value for {model}.{}: {}",
                field.name,
                repr(other)
            ))),
        },
        Kind::Many2many(_) | Kind::One2many(..) => Err(Trouble::value(format!(
            "Wrong value for {model}.{}: {}",
            field.name,
            repr(json)
        ))),
    }
}

/// Rounded half up to the digits of the field, when it has any.
pub(super) fn round(number: Decimal, digits: Option<u32>) -> Decimal {
    match digits {
        Some(digits) => comptoir_model::money::RoundingMode::HalfUp.round(number, digits),
        None => number,
    }
}

/// Python's truth.
pub(super) fn truthy(json: &Json) -> bool {
    match json {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(map) => !map.is_empty(),
    }
}
