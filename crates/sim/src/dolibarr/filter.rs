//! `sqlfilters`, as far as a hub uses them, with what 17 does to a value with a colon.

use super::Row;
use super::amounts::number;
use super::trouble::Answer;
use serde_json::Value;

/// Whether records fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// All of these.
    And(Vec<Filter>),
    /// Any of these.
    Or(Vec<Filter>),
    /// One comparison.
    Is(String, String, Operand),
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Operand {
    /// A text.
    Text(String),
    /// What is no quoted text is a number, and 0 if it is none.
    Number(i64),
    /// Numbers.
    In(Vec<i64>),
}

/// Reads a filter.
pub(super) fn parse(text: &str, version: u32) -> Result<Filter, Answer> {
    let mut rest = text.trim();
    let bad = || {
        Answer::refused(
            400,
            "Bad Request: Error when validating parameter sqlfilters -> Bad syntax of the search string",
        )
    };
    let filter = sequence(&mut rest, version).ok_or_else(bad)?;
    if rest.is_empty() {
        Ok(filter)
    } else {
        Err(bad())
    }
}

fn sequence(rest: &mut &str, version: u32) -> Option<Filter> {
    let mut parts = vec![term(rest, version)?];
    let mut any = false;
    loop {
        *rest = rest.trim_start();
        let joined = [("and", false), ("or", true)]
            .into_iter()
            .find_map(|(word, any)| Some((rest.strip_prefix(word)?, any)));
        let Some((after, word_is_or)) = joined else {
            break;
        };
        any = word_is_or;
        *rest = after.trim_start();
        parts.push(term(rest, version)?);
    }
    Some(if any {
        Filter::Or(parts)
    } else {
        Filter::And(parts)
    })
}

fn term(rest: &mut &str, version: u32) -> Option<Filter> {
    let inner = rest.strip_prefix('(')?;
    if inner.trim_start().starts_with('(') {
        *rest = inner.trim_start();
        let filter = sequence(rest, version)?;
        *rest = rest.trim_start().strip_prefix(')')?;
        return Some(filter);
    }
    let end = inner.find([')', '('])?;
    let (criterion, after) = inner.split_at(end);
    *rest = after.strip_prefix(')')?;
    comparison(criterion, version)
}

fn comparison(text: &str, version: u32) -> Option<Filter> {
    let (field, rest) = text.split_once(':')?;
    let (operator, value) = rest.split_once(':')?;
    let value = if version < 18 {
        value.split(':').next().unwrap_or_default()
    } else {
        value
    };
    let field = field.strip_prefix("t.")?;
    let quoted = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    let operand = match (operator, quoted) {
        ("in", _) => Operand::In(value.split(',').filter_map(|id| id.parse().ok()).collect()),
        (_, Some(text)) => Operand::Text(text.to_owned()),
        (_, None) => Operand::Number(value.parse().unwrap_or_default()),
    };
    Some(Filter::Is(field.to_owned(), operator.to_owned(), operand))
}

impl Filter {
    /// Whether a record fits.
    pub(super) fn fits(&self, row: &Row) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.fits(row)),
            Filter::Or(parts) => parts.iter().any(|part| part.fits(row)),
            Filter::Is(field, operator, operand) => compare(row, field, operator, operand),
        }
    }
}

/// A record's modification time in seconds.
pub(super) fn modified(row: &Row) -> i64 {
    if let Some(at) = row.get("_tms").and_then(Value::as_i64) {
        return at;
    }
    match row.get("date_modification") {
        Some(Value::String(text)) => {
            let at = format!("{}Z", text.replace(' ', "T"));
            at.parse::<jiff::Timestamp>().map_or(0, |at| at.as_second())
        }
        value => i64::try_from(number(value)).unwrap_or_default(),
    }
}

fn compare(row: &Row, field: &str, operator: &str, operand: &Operand) -> bool {
    let text = row.get(field).and_then(Value::as_str).unwrap_or_default();
    match (field, operand) {
        ("tms", Operand::Text(digits)) => {
            let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
            let at = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", &digits);
            let at = at.and_then(|at| at.in_tz("UTC"));
            at.is_ok_and(|at| modified(row) >= at.timestamp().as_second())
        }
        ("tms", _) => true,
        ("rowid", Operand::Number(after)) if operator == ">" => {
            i64::try_from(number(row.get("id"))).unwrap_or_default() > *after
        }
        ("fk_statut", Operand::In(states)) => {
            let state = i64::try_from(number(row.get("statut"))).unwrap_or_default();
            states.contains(&state)
        }
        ("rowid", Operand::In(ids)) => {
            let id = i64::try_from(number(row.get("id"))).unwrap_or_default();
            ids.contains(&id)
        }
        (_, Operand::Text(value)) if operator == "like" => {
            let (pattern, text) = (value.to_lowercase(), text.to_lowercase());
            like(&pattern, &text)
        }
        (_, Operand::Text(value)) => operator == "=" && text.to_lowercase() == value.to_lowercase(),
        _ => false,
    }
}

/// `%` is any text and `_` any letter.
fn like(pattern: &str, text: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = letters.as_str();
            let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            starts.any(|at| like(rest, &text[at..]))
        }
        Some(letter) => {
            let mut others = text.chars();
            let fits = others
                .next()
                .is_some_and(|other| letter == '_' || letter == other);
            fits && like(letters.as_str(), others.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row() -> Row {
        let row =
            json!({"id": "3", "ref_ext": "shop/order/1:x(y)", "date_modification": 1_795_322_411});
        row.as_object().cloned().unwrap_or_default()
    }

    fn fits(text: &str, version: u32) -> bool {
        parse(text, version).is_ok_and(|filter| filter.fits(&row()))
    }

    #[test]
    fn a_time_with_colons_is_no_filter_in_17() {
        assert!(fits("(t.tms:>=:'2099-12-31 23:59:59')", 17));
        assert!(!fits("(t.tms:>=:'2099-12-31 23:59:59')", 20));
        assert!(!fits("(t.tms:>=:'20991231235959')", 17));
        assert!(fits("(t.tms:>=:'20261122044011')", 17));
    }

    #[test]
    fn brackets_are_refused_and_patterns_get_round_them() {
        assert!(parse("(t.ref_ext:=:'shop/order/1:x(y)')", 17).is_err());
        assert!(fits("(t.ref_ext:like:'SHOP/order/1_x_y_')", 17));
        assert!(fits("((t.rowid:in:9,3) or (t.ref_ext:=:'x'))", 17));
        assert!(!fits("(t.rowid:in:9) and (t.rowid:in:3)", 17));
        assert!(parse("t.ref = 'x' or 1=1", 17).is_err());
    }
}
