//! A call to make and the answer to it.

use crate::decode;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
    /// HEAD.
    Head,
    /// OPTIONS.
    Options,
}

impl Method {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
            Method::Options => "OPTIONS",
        }
    }
}

/// Whether a call changes anything. It decides what a lost answer means: nothing for a read, `Unknown` for a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing, whatever its method.
    Read,
    /// May change something.
    Write,
}

/// Who goes first when calls wait for a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Orders, their customers and everything a person waits for.
    Orders,
    /// Shipments, refunds and invoices.
    Shipments,
    /// Stock and prices.
    Stock,
    /// Products and bulk reads.
    Catalogue,
}

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The operation's name, for counting and logs (`orders.list`).
    pub what: &'static str,
    /// Method.
    pub method: Method,
    /// Path below the base address, without query.
    pub path: String,
    /// Query parameters, not yet encoded, in order.
    pub query: Vec<(String, String)>,
    /// Headers beside those of [`super::HttpOptions`] and of the auth.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Option<Vec<u8>>,
    /// After how long the call is given up, waiting for a slot included; none takes that of the options.
    pub deadline: Option<Duration>,
    /// Whether it changes anything.
    pub effect: Effect,
    /// Its place in the queue.
    pub priority: Priority,
}

impl Call {
    /// A call without query and body. A GET, HEAD or OPTIONS reads, anything else writes until [`Call::reading`] says otherwise.
    pub fn new(what: &'static str, method: Method, path: impl Into<String>) -> Self {
        let reads = matches!(method, Method::Get | Method::Head | Method::Options);
        Call {
            what,
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            deadline: None,
            effect: if reads { Effect::Read } else { Effect::Write },
            priority: Priority::Orders,
        }
    }

    /// A GET.
    pub fn get(what: &'static str, path: impl Into<String>) -> Self {
        Call::new(what, Method::Get, path)
    }

    /// A POST that writes.
    pub fn post(what: &'static str, path: impl Into<String>) -> Self {
        Call::new(what, Method::Post, path)
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.query.push((name.into(), value.to_string()));
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body to JSON, with its content type.
    ///
    /// # Errors
    /// A [`Next::Bug`] when the value has no JSON form.
    pub fn json(self, value: &impl Serialize) -> Result<Self, Fault> {
        let body =
            serde_json::to_vec(value).map_err(|_| Fault::bug("the request has no JSON form"))?;
        Ok(self.body("application/json", body))
    }

    /// Sets the body and its content type.
    pub fn body(mut self, content_type: &str, body: Vec<u8>) -> Self {
        self.headers
            .push(("content-type".to_owned(), content_type.to_owned()));
        self.body = Some(body);
        self
    }

    /// Says that the call changes nothing although its method might.
    pub fn reading(mut self) -> Self {
        self.effect = Effect::Read;
        self
    }

    /// Sets the deadline.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the priority.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }
}

/// An answer of any status: what it means is the connector's to say.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Header names in lower case, and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, uncompressed.
    pub body: Vec<u8>,
    /// Whether the call changed anything.
    pub effect: Effect,
    /// When the answer came (UTC).
    pub at: Timestamp,
}

impl std::fmt::Debug for Answer {
    /// Status and size only: bodies hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

impl Answer {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as text, with broken UTF-8 replaced.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.json_bytes())
    }

    /// Whether the body looks like JSON, whatever its content type says.
    pub fn is_json(&self) -> bool {
        serde_json::from_slice::<&serde_json::value::RawValue>(self.json_bytes()).is_ok()
    }

    /// The body read as JSON; a byte order mark is ignored and the content type is not asked.
    ///
    /// # Errors
    /// [`Code::NotUnderstood`] naming the path, never the content: a [`Next::Bug`] for a read, [`Next::Unknown`] for a write that
    /// answered 2xx, since it may well have been done.
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        decode::json(self.json_bytes()).map_err(|fault| {
            let done_perhaps = self.effect == Effect::Write && self.is_success();
            Fault {
                next: if done_perhaps {
                    Next::Unknown
                } else {
                    fault.next
                },
                ..fault
            }
        })
    }

    /// Like [`Answer::json`] for an owned value; none when the body is something else.
    pub fn json_if<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.json_bytes()).ok()
    }

    /// How long `Retry-After` asks to wait: seconds, or a date compared with the answer's own `Date`. At most one day.
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let until = http_date(text)?;
                let now = self.header("date").and_then(http_date).unwrap_or(self.at);
                Duration::try_from(until.duration_since(now)).unwrap_or_default()
            }
        };
        Some(wait.min(LONGEST_WAIT))
    }

    /// A fault [`Next::Later`] with what [`Answer::retry_after`] says.
    pub fn later(&self, code: Code, why: impl Into<String>) -> Fault {
        Fault::new(
            Next::Later {
                after: self.retry_after(),
            },
            code,
            why,
        )
    }

    fn json_bytes(&self) -> &[u8] {
        self.body
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(&self.body)
    }
}

/// No vendor's wait is believed beyond this: some servers send an epoch where seconds belong.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// A date of an HTTP header (RFC 9110, the form that senders must use).
pub(crate) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()
}
