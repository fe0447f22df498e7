//! Answers from tapes.

use crate::http::{Method, Outgoing};
use crate::tape::{Exchange, unfold};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How bodies are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bodies {
    /// Not at all.
    #[default]
    Ignored,
    /// As JSON, without regard to key order; the fields of [`Matching::ignored_fields`] do not count. What is no JSON is compared as text.
    Compared,
}

/// How a request finds its tape. Method and path must be equal; the order of query parameters does not count.
#[derive(Debug, Clone)]
pub struct Matching {
    /// Whether and how bodies are compared.
    pub bodies: Bodies,
    /// Top-level fields of a JSON body that do not count, such as the `id` of a JSON-RPC request.
    pub ignored_fields: Vec<String>,
    /// Query parameters that do not count; by default those that authorise (`oauth_*`, `consumer_key`, `consumer_secret`). A trailing
    /// `*` stands for anything.
    pub ignored_parameters: Vec<String>,
    /// Whether the last of the exchanges that answer a request answers it again and again. Otherwise each answers once.
    pub repeat: bool,
}

impl Default for Matching {
    fn default() -> Self {
        Matching {
            bodies: Bodies::Ignored,
            ignored_fields: Vec::new(),
            ignored_parameters: ["oauth_*", "consumer_key", "consumer_secret"]
                .map(str::to_owned)
                .to_vec(),
            repeat: true,
        }
    }
}

impl Matching {
    /// The default, with bodies compared as JSON.
    pub fn with_bodies() -> Self {
        Matching {
            bodies: Bodies::Compared,
            ..Matching::default()
        }
    }
}

/// A request that was sent to tapes.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The operation's name.
    pub what: &'static str,
    /// Method.
    pub method: Method,
    /// Path and query, auth included.
    pub path: String,
    /// Headers, auth included.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<String>,
}

/// Tapes that answer. Clones are the same.
#[derive(Debug, Clone)]
pub struct Replay(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    exchanges: Vec<Exchange>,
    matching: Matching,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    used: Vec<bool>,
    sent: Vec<Sent>,
}

impl Replay {
    /// Tapes, each answering once in their order (see [`Matching::repeat`]).
    pub fn new(exchanges: Vec<Exchange>, matching: Matching) -> Self {
        let state = Mutex::new(State {
            used: vec![false; exchanges.len()],
            sent: Vec::new(),
        });
        Replay(Arc::new(Shared {
            exchanges,
            matching,
            state,
        }))
    }

    /// What was sent, in order, answered or not.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The notes of tapes that nothing asked for.
    pub fn unused(&self) -> Vec<String> {
        let state = self.state();
        self.0
            .exchanges
            .iter()
            .zip(&state.used)
            .filter(|(_, used)| !**used)
            .map(|(exchange, _)| exchange.note.clone())
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, outgoing: &Outgoing) -> Result<crate::http::Parts, String> {
        let body = outgoing
            .body
            .as_ref()
            .map(|body| String::from_utf8_lossy(body).into_owned());
        let mut state = self.state();
        state.sent.push(Sent {
            what: outgoing.what,
            method: outgoing.method,
            path: outgoing.path_and_query(),
            headers: outgoing.headers.clone(),
            body: body.clone(),
        });
        let mut fitting = Vec::new();
        let mut nearest = None;
        for (index, exchange) in self.0.exchanges.iter().enumerate() {
            match self.difference(exchange, outgoing, body.as_deref()) {
                None => fitting.push(index),
                Some((distance, why)) => {
                    if nearest.as_ref().is_none_or(|(least, _)| distance < *least) {
                        nearest = Some((distance, format!("`{}`: {why}", exchange.note)));
                    }
                }
            }
        }
        let fresh = fitting.iter().find(|index| !state.used[**index]).copied();
        let chosen = fresh.or(fitting.last().copied().filter(|_| self.0.matching.repeat));
        let Some(index) = chosen else {
            let method = outgoing.method.as_str();
            let path = outgoing.url.path();
            let nearest = nearest.map_or("there are none".to_owned(), |(_, why)| why);
            return Err(if fitting.is_empty() {
                format!("no tape answers {method} {path}; the nearest is {nearest}")
            } else {
                format!("all tapes of {method} {path} are used up")
            });
        };
        state.used[index] = true;
        let response = &self.0.exchanges[index].response;
        Ok((
            response.status,
            unfold(&response.headers),
            response.body.clone().into_bytes(),
        ))
    }

    /// What keeps an exchange from answering a request, and how near it is. No values: they may be secrets.
    fn difference(
        &self,
        exchange: &Exchange,
        outgoing: &Outgoing,
        body: Option<&str>,
    ) -> Option<(u8, String)> {
        let (path, query) = split(&exchange.request.path);
        if decode(outgoing.url.path()) != decode(path) {
            return Some((3, "another path".to_owned()));
        }
        if exchange.request.method != outgoing.method.as_str() {
            return Some((2, "another method".to_owned()));
        }
        let taped = self.counted(pairs(query));
        let asked = self.counted(outgoing.query.clone());
        let mut differing: Vec<&str> = taped
            .iter()
            .filter(|pair| !asked.contains(pair))
            .chain(asked.iter().filter(|pair| !taped.contains(pair)))
            .map(|(name, _)| name.as_str())
            .collect();
        differing.dedup();
        if taped != asked {
            return Some((1, format!("other parameters: {}", differing.join(", "))));
        }
        if self.0.matching.bodies == Bodies::Compared
            && self.body_form(exchange.request.body.as_deref()) != self.body_form(body)
        {
            return Some((0, "another body".to_owned()));
        }
        None
    }

    fn counted(&self, pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        let ignored = |name: &str| {
            self.0.matching.ignored_parameters.iter().any(|pattern| {
                match pattern.strip_suffix('*') {
                    Some(prefix) => name.starts_with(prefix),
                    None => name == pattern,
                }
            })
        };
        let mut counted: Vec<_> = pairs
            .into_iter()
            .filter(|(name, _)| !ignored(name))
            .collect();
        counted.sort();
        counted
    }

    fn body_form(&self, body: Option<&str>) -> Value {
        let text = body.unwrap_or_default();
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(mut object)) => {
                for field in &self.0.matching.ignored_fields {
                    object.shift_remove(field);
                }
                Value::Object(object)
            }
            Ok(value) => value,
            Err(_) => Value::String(text.to_owned()),
        }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.split_once('?').unwrap_or((path, ""))
}

/// Query parameters, decoded; `+` is a space.
fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = |text: &str| decode(&text.replace('+', " "));
            (plain(name), plain(value))
        })
        .collect()
}

fn decode(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}
