//! A call of the ERP, taken out of its request: by name on `/json/2`, by position on `/jsonrpc`.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A text inside a request, borrowed where it has no escapes.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The arguments of a call; each is there when its method has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Arguments<'a> {
    #[serde(borrow)]
    domain: Vec<&'a RawValue>,
    /// Ids.
    pub ids: Vec<u64>,
    /// Rows at most.
    limit: Option<usize>,
    /// Rows to leave out.
    offset: usize,
    #[serde(borrow)]
    /// Columns of a `load()`, or fields to read.
    pub fields: Vec<Text<'a>>,
    #[serde(borrow)]
    /// Rows of a `load()`.
    pub data: Vec<Vec<Text<'a>>>,
    #[serde(skip)]
    /// Values of a `create()`.
    pub values: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    service: &'a str,
    #[serde(borrow)]
    args: Vec<&'a RawValue>,
}

/// A call, taken apart.
pub struct Call<'a> {
    /// Model.
    pub model: &'a str,
    /// Method.
    pub method: &'a str,
    /// Arguments.
    pub arguments: Arguments<'a>,
    /// By `/jsonrpc`, so its answer has an envelope.
    pub enveloped: bool,
}

impl<'a> Call<'a> {
    /// Takes a request apart.
    pub fn parse(target: &'a str, body: &'a [u8]) -> Result<Self> {
        if let Some(path) = target.strip_prefix("/json/2/") {
            let (model, method) = path.split_once('/').context("no method")?;
            return Ok(Call {
                model,
                method,
                arguments: serde_json::from_slice(body)?,
                enveloped: false,
            });
        }
        let Envelope { params } = serde_json::from_slice(body)?;
        if params.service == "common" {
            return Ok(Call {
                model: "common",
                method: "version",
                arguments: Arguments::default(),
                enveloped: true,
            });
        }
        // Database, user, key, model, method, arguments by position.
        let [_, _, _, model, method, by_position, by_name @ ..] = params.args.as_slice() else {
            bail!("too few arguments");
        };
        let first: Vec<&'a RawValue> = serde_json::from_str(by_position.get())?;
        let first = *first.first().context("no argument")?;
        let method: &str = serde_json::from_str(method.get())?;
        let mut arguments = match by_name.first() {
            Some(named) => serde_json::from_str(named.get())?,
            None => Arguments::default(),
        };
        match method {
            "create" => arguments.values = Some(first),
            _ => arguments.domain = serde_json::from_str(first.get())?,
        }
        Ok(Call {
            model: serde_json::from_str(model.get())?,
            method,
            arguments,
            enveloped: true,
        })
    }

    /// Its name, for counting.
    pub fn name(&self) -> String {
        format!("{}.{}", self.model, self.method)
    }

    /// How many orders it writes.
    pub fn order_rows(&self) -> u64 {
        match (self.model, self.method) {
            ("sale.order", "create") => 1,
            ("sale.order", "load") => {
                let rows = self.arguments.data.iter();
                rows.filter(|row| row.first().is_some_and(|id| !id.0.is_empty()))
                    .count() as u64
            }
            _ => 0,
        }
    }

    /// Rows at most.
    pub fn limit(&self) -> usize {
        self.arguments.limit.unwrap_or(usize::MAX)
    }

    /// Rows to leave out.
    pub fn offset(&self) -> usize {
        self.arguments.offset
    }

    /// Whether a field is to be read.
    pub fn asks_for(&self, field: &str) -> bool {
        self.arguments.fields.iter().any(|asked| asked.0 == field)
    }

    /// What a field must be greater than: the value of a term such as `["id", ">", 5]`, texts without their quotes.
    pub fn compares(&self, field: &str) -> Result<Option<&'a str>> {
        for term in self.terms() {
            let (name, how, value): (Text<'a>, Text<'a>, &'a RawValue) =
                serde_json::from_str(term.get())?;
            if name.0 == field && how.0.starts_with('>') {
                return Ok(Some(value.get().trim_matches('"')));
            }
        }
        Ok(None)
    }

    /// The value list of a term of the domain such as `["name", "in", [...]]`.
    pub fn list<T: Deserialize<'a>>(&self, field: &str) -> Result<Option<Vec<T>>> {
        for term in self.terms() {
            let (name, _, value): (Text<'a>, Text<'a>, &'a RawValue) =
                serde_json::from_str(term.get())?;
            if name.0 == field && value.get().starts_with('[') {
                return Ok(Some(serde_json::from_str(value.get())?));
            }
        }
        Ok(None)
    }

    /// The values of all terms about a field.
    pub fn values(&self, field: &str) -> Result<Vec<Text<'a>>> {
        let mut values = Vec::new();
        for term in self.terms() {
            let (name, _, value): (Text<'a>, Text<'a>, &'a RawValue) =
                serde_json::from_str(term.get())?;
            if name.0 == field {
                values.push(serde_json::from_str(value.get())?);
            }
        }
        Ok(values)
    }

    /// The terms of the domain without its operators.
    fn terms(&self) -> impl Iterator<Item = &'a RawValue> {
        let all = self.arguments.domain.iter().copied();
        all.filter(|term| term.get().starts_with('['))
    }
}
