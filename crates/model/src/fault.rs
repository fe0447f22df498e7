//! What a connector answers when something did not work: not what happened, but what the engine must do next.

use crate::code::Code;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// What the engine does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Not done, and sure not to be done: try again, not before `after` when the vendor said so.
    Later {
        /// How long to wait, when told.
        after: Option<Duration>,
    },
    /// Sent, no sure answer: ask the operation's proof before anything else.
    Unknown,
    /// Refused for good: a person changes the data or the mapping.
    Refused,
    /// Credentials or rights: the connection pauses, one alert.
    Locked,
    /// The record is not there any more.
    Gone,
    /// The target is no longer as it was when this was decided; nothing was done: observe and decide again.
    Moved,
    /// The connector met what it does not understand: held, with a report.
    Bug,
}

/// A fault. `why` says it in a person's words and never holds a secret or personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What to do next.
    pub next: Next,
    /// The page of the error docs.
    pub code: Code,
    /// What happened, short.
    pub why: String,
    /// The field the target complains about, by the target's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

impl Fault {
    /// A fault of any sort.
    pub fn new(next: Next, code: Code, why: impl Into<String>) -> Self {
        Fault {
            next,
            code,
            why: why.into(),
            field: None,
        }
    }

    /// [`Next::Later`] without a hint how long.
    pub fn later(code: Code, why: impl Into<String>) -> Self {
        Fault::new(Next::Later { after: None }, code, why)
    }

    /// [`Next::Unknown`].
    pub fn unknown(code: Code, why: impl Into<String>) -> Self {
        Fault::new(Next::Unknown, code, why)
    }

    /// [`Next::Refused`].
    pub fn refused(code: Code, why: impl Into<String>) -> Self {
        Fault::new(Next::Refused, code, why)
    }

    /// [`Next::Locked`].
    pub fn locked(code: Code, why: impl Into<String>) -> Self {
        Fault::new(Next::Locked, code, why)
    }

    /// [`Next::Gone`].
    pub fn gone(code: Code, why: impl Into<String>) -> Self {
        Fault::new(Next::Gone, code, why)
    }

    /// [`Next::Moved`].
    pub fn moved(why: impl Into<String>) -> Self {
        Fault::new(Next::Moved, Code::TargetMoved, why)
    }

    /// [`Next::Bug`].
    pub fn bug(why: impl Into<String>) -> Self {
        Fault::new(Next::Bug, Code::NotUnderstood, why)
    }

    /// The same fault, naming a field.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The same fault, with the vendor's waiting time.
    pub fn after(mut self, wait: Duration) -> Self {
        self.next = Next::Later { after: Some(wait) };
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.why)?;
        match &self.field {
            Some(field) => write!(f, " (field `{field}`)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
