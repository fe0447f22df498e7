//! Cells of `load`: texts as values.

use super::schema::{Field, Kind, M};
use super::session::Session;
use super::value::{Value, decimal, parse_naive, stamp};
use super::version::Version;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};

/// Why a cell cannot be read, and what an import's user is offered.
pub(super) type Why = (String, Option<Json>);

impl Session<'_> {
    /// A cell's text as the value that `create` takes. `%` in a message stands for the field's label.
    pub(super) fn convert(
        &self,
        field: &Field,
        rest: Option<&str>,
        cell: &Json,
    ) -> Result<Json, Why> {
        if blank(cell) {
            return Ok(match field.kind {
                Kind::Many2many(_) => json!([[6, 0, []]]),
                _ => Json::Bool(false),
            });
        }
        let text = plain(cell);
        let wrong = |what: &str| {
            Err((
                format!("'{text}' does not seem to be {what} for field '%'"),
                None,
            ))
        };
        match field.kind {
            Kind::Boolean => match text.to_lowercase().as_str() {
                "1" | "true" | "yes" => Ok(Json::Bool(true)),
                "0" | "false" | "no" => Ok(Json::Bool(false)),
                _ => Err((
                    format!("Unknown value '{text}' for boolean field '%'"),
                    None,
                )),
            },
            Kind::Integer => match text.parse::<i64>() {
                Ok(number) => Ok(Json::from(number)),
                Err(_) => wrong("an integer"),
            },
            Kind::Float(_) | Kind::Monetary => match decimal(cell) {
                Some(_) => Ok(cell.clone()),
                None => wrong("a number"),
            },
            Kind::Datetime => match parse_naive(&text) {
                // A time in a file is the user's local time.
                Some(local) => Ok(Json::from(stamp(
                    self.zone()
                        .to_ambiguous_timestamp(local)
                        .later()
                        .unwrap_or(self.env.now),
                ))),
                None => wrong("a valid datetime"),
            },
            Kind::Date => match text
                .get(..10)
                .and_then(|day| day.parse::<jiff::civil::Date>().ok())
            {
                Some(day) => Ok(Json::from(day.to_string())),
                None => wrong("a valid date"),
            },
            Kind::Selection(options) => {
                match options
                    .iter()
                    .find(|(value, label)| *value == text || *label == text)
                {
                    Some((value, _)) => Ok(Json::from(*value)),
                    None => Err((
                        format!("Value '{text}' not found in selection field '%'"),
                        None,
                    )),
                }
            }
            Kind::Open if field.name == "lang" => match self.language(&text) {
                Some(code) => Ok(Json::from(code)),
                None => Err((
                    format!("Value '{text}' not found in selection field '%'"),
                    None,
                )),
            },
            Kind::Many2one(target) => self.target(target, rest, &text).map(Json::from),
            Kind::Many2many(target) => {
                let ids: Result<Vec<i64>, _> = text
                    .split(',')
                    .map(|one| self.target(target, rest, one.trim()))
                    .collect();
                Ok(json!([[6, 0, ids?]]))
            }
            _ => Ok(Json::from(text)),
        }
    }

    /// The code of an installed language, given by code or by name.
    fn language(&self, text: &str) -> Option<String> {
        let get = |row, name| self.store.get(M::Lang, row, name);
        let mut rows = self.store.table(M::Lang).rows.values();
        let row = rows.find(|row| {
            let named = get(row, "code").str() == text || get(row, "name").str() == text;
            named && get(row, "active").truthy()
        })?;
        Some(get(row, "code").str().to_owned())
    }

    fn zone(&self) -> TimeZone {
        let own = self.store.follow(M::User, &Value::Ref(self.env.uid), "tz");
        let name = self.env.tz.as_deref().unwrap_or(own.str());
        TimeZone::get(name).unwrap_or(TimeZone::UTC)
    }

    /// The record that a cell names by external id, database id or name.
    fn target(&self, model: M, rest: Option<&str>, text: &str) -> Result<i64, Why> {
        let (how, found) = match rest {
            Some("id") => (
                "external id",
                self.store
                    .external(text)
                    .filter(|row| self.store.get(M::Data, row, "model").str() == model.name())
                    .and_then(|row| self.store.get(M::Data, row, "res_id").id())
                    .filter(|id| self.store.row(model, *id).is_some()),
            ),
            Some(".id") => (
                "database id",
                text.parse()
                    .ok()
                    .filter(|id| self.store.row(model, *id).is_some()),
            ),
            _ => (
                "name",
                self.store
                    .table(model)
                    .rows
                    .values()
                    .find(|row| self.store.display(model, row) == text)
                    .map(|row| row.id),
            ),
        };
        found.ok_or_else(|| {
            let message = format!("No matching record found for {how} '{text}' in field '%'");
            (message, Some(self.possible_values(model, rest)))
        })
    }

    fn possible_values(&self, model: M, rest: Option<&str>) -> Json {
        let mode = match self.version() >= Version::V18 {
            true => "list,form",
            false => "tree,form",
        };
        let mut action = json!({
            "name": "Possible Values",
            "type": "ir.actions.act_window",
            "target": "new",
            "view_mode": mode,
            "views": [[false, "list"], [false, "form"]],
            "context": {"create": false},
            "help": "See all possible values",
        });
        if rest == Some("id") {
            action["res_model"] = Json::from(M::Data.name());
            action["domain"] = json!([["model", "=", model.name()]]);
        } else {
            action["res_model"] = Json::from(model.name());
        }
        action
    }
}

/// An empty cell: it clears the field.
pub(super) fn blank(cell: &Json) -> bool {
    match cell {
        Json::Null | Json::Bool(false) => true,
        Json::String(text) => text.is_empty(),
        _ => false,
    }
}

/// A cell as text.
pub(super) fn plain(cell: &Json) -> String {
    match cell {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
