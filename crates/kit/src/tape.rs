//! Tapes: recorded HTTP exchanges, replayed in tests and written by a [`Recording`].
//!
//! ```text
//! {"note": "what this shows",
//!  "request":  {"method", "path" (path and query, no host), "headers" (those that matter), "body" (text or null)},
//!  "response": {"status", "headers" (lower-case names), "body" (text, verbatim)}}
//! ```
//! A file holds one exchange or a few in an array. A webhook delivery is `{"note", "secret", "headers", "body"}`.

mod record;
mod redact;
mod replay;

pub use record::{Recorded, Recording};
pub use redact::{Redactor, Replaced};
pub use replay::{Bodies, Matching, Replay, Sent};

use crate::http::{Answer, Effect};
use comptoir_model::fault::Fault;
use comptoir_model::port::Incoming;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Headers of a tape. A header met twice has its values joined by a line feed.
pub type Headers = BTreeMap<String, String>;

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// What it shows.
    pub note: String,
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub response: Response,
}

/// The request of a tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Method.
    pub method: String,
    /// Path and query, without host.
    pub path: String,
    /// Headers that matter.
    #[serde(default)]
    pub headers: Headers,
    /// Body.
    #[serde(default)]
    pub body: Option<String>,
}

/// The response of a tape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// Headers that matter, names in lower case.
    #[serde(default)]
    pub headers: Headers,
    /// Body, verbatim.
    #[serde(default)]
    pub body: String,
}

/// A recorded webhook delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What it shows.
    pub note: String,
    /// The secret its signature was made with; none for an unsigned one.
    pub secret: Option<String>,
    /// Its headers.
    pub headers: Headers,
    /// Its raw body.
    pub body: String,
}

/// What a tape file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tape {
    /// Exchanges, in the order recorded.
    Exchanges(Vec<Exchange>),
    /// Webhook deliveries.
    Deliveries(Vec<Delivery>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Shape {
    One(Exchange),
    Many(Vec<Exchange>),
    Delivery(Delivery),
    Deliveries(Vec<Delivery>),
}

impl Tape {
    /// Reads a tape's text.
    ///
    /// # Errors
    /// A bug fault when it is no tape.
    pub fn parse(text: &str) -> Result<Tape, Fault> {
        let shape = serde_json::from_str(text)
            .map_err(|_| Fault::bug("this is neither an exchange nor a delivery"))?;
        Ok(match shape {
            Shape::One(exchange) => Tape::Exchanges(vec![exchange]),
            Shape::Many(exchanges) => Tape::Exchanges(exchanges),
            Shape::Delivery(delivery) => Tape::Deliveries(vec![delivery]),
            Shape::Deliveries(deliveries) => Tape::Deliveries(deliveries),
        })
    }

    /// Reads a tape file.
    ///
    /// # Errors
    /// A bug fault naming the file.
    pub fn read(path: &Path) -> Result<Tape, Fault> {
        let name = || path.file_name().unwrap_or_default().display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Fault::bug(format!("{}: {}", name(), error.kind())))?;
        Tape::parse(&text).map_err(|fault| Fault::bug(format!("{}: {}", name(), fault.why)))
    }

    /// Its exchanges; none for deliveries.
    pub fn exchanges(self) -> Vec<Exchange> {
        match self {
            Tape::Exchanges(exchanges) => exchanges,
            Tape::Deliveries(_) => Vec::new(),
        }
    }
}

/// Every tape file of a folder, by file name, in their order.
///
/// # Errors
/// A bug fault for an unreadable folder or file.
pub fn read_folder(folder: &Path) -> Result<Vec<(String, Tape)>, Fault> {
    let unreadable = |_| Fault::bug("the folder of tapes cannot be read");
    let mut tapes = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let name = path.file_stem().unwrap_or_default().display().to_string();
            tapes.push((name, Tape::read(&path)?));
        }
    }
    tapes.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(tapes)
}

impl Exchange {
    /// The answer as a connector sees it, at the time given.
    pub fn answer(&self, effect: Effect, at: Timestamp) -> Answer {
        Answer {
            status: self.response.status,
            headers: unfold(&self.response.headers),
            body: self.response.body.clone().into_bytes(),
            effect,
            at,
        }
    }
}

impl Delivery {
    /// The delivery as it comes in, at the time given.
    pub fn incoming(&self, at: Timestamp) -> Incoming {
        Incoming {
            headers: unfold(&self.headers),
            body: self.body.clone().into_bytes(),
            at,
        }
    }
}

/// Headers one by one, names in lower case.
pub(crate) fn unfold(headers: &Headers) -> Vec<(String, String)> {
    let mut unfolded = Vec::new();
    for (name, values) in headers {
        for value in values.split('\n') {
            unfolded.push((name.to_ascii_lowercase(), value.to_owned()));
        }
    }
    unfolded
}
