//! The port: what a connector offers and what the engine may ask of it.
//!
//! A connector never retries on its own, never sees the database, never decides. It translates, calls, and says what happened.

use crate::account::Account;
use crate::document::Document;
use crate::fault::Fault;
use crate::key::{Kind, RemoteId, WriteKey};
use crate::rounding::Rounding;
use async_trait::async_trait;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where reading stands. Opaque to the engine: only the connector that made it understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

impl Cursor {
    /// The beginning of time.
    pub fn start() -> Self {
        Cursor::default()
    }

    /// Whether nothing has been read yet.
    pub fn is_start(&self) -> bool {
        self.0.is_empty()
    }
}

/// One record as a system shows it now.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: RemoteId,
    /// The system's own mark of this version (a modification time, an ETag), or empty.
    pub version: String,
    /// What it says.
    pub document: Document,
    /// The answer it was read from, as JSON, without what is on the connector's `never` list.
    pub raw: Option<String>,
}

/// An item that could not be decoded. It is stored as such and never stops its page.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Its id, when at least that could be read.
    pub id: Option<RemoteId>,
    /// Why.
    pub fault: Fault,
    /// The item as it came, without what is on the `never` list.
    pub raw: String,
}

/// One page of changes, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What changed.
    pub items: Vec<Result<Record, Unreadable>>,
    /// Records known to be gone.
    pub gone: Vec<RemoteId>,
    /// Where to go on. Stored in one transaction with the page.
    pub next: Cursor,
    /// Whether another page waits now.
    pub more: bool,
}

/// What a read by id found.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// It is there.
    Record(Box<Record>),
    /// It is there and cannot be decoded.
    Unreadable(Box<Unreadable>),
    /// It is not there.
    Gone(RemoteId),
}

/// A question to a target: who is this?
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "by", content = "value", rename_all = "snake_case")]
pub enum Query {
    /// The record that carries our key.
    Key(WriteKey),
    /// Records with this e-mail address (case does not count).
    Email(String),
    /// Records with this VAT number (without spaces, upper case).
    VatNumber(String),
    /// Products with this SKU.
    Sku(String),
    /// Orders that carry this number of the other side.
    Reference(String),
}

impl Query {
    /// The attribute asked for, as one word.
    pub fn attribute(&self) -> &'static str {
        match self {
            Query::Key(_) => "key",
            Query::Email(_) => "email",
            Query::VatNumber(_) => "vat_number",
            Query::Sku(_) => "sku",
            Query::Reference(_) => "reference",
        }
    }

    /// The value asked for.
    pub fn value(&self) -> &str {
        match self {
            Query::Key(key) => key.as_str(),
            Query::Email(value)
            | Query::VatNumber(value)
            | Query::Sku(value)
            | Query::Reference(value) => value,
        }
    }
}

/// One answer to a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its id.
    pub id: RemoteId,
    /// What a person would recognise it by, without personal data: a number, a SKU, never a name or an e-mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

/// What a write does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes the record.
    Create,
    /// Changes it.
    Update,
    /// Makes it binding.
    Confirm,
    /// Calls it off.
    Cancel,
}

impl Step {
    /// The word used in tables and texts.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Create => "create",
            Step::Update => "update",
            Step::Confirm => "confirm",
            Step::Cancel => "cancel",
        }
    }
}

/// One write. All writes of a batch have the same kind and step.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// The key that the target keeps beside what is created.
    pub key: WriteKey,
    /// Kind.
    pub kind: Kind,
    /// Step.
    pub step: Step,
    /// The target's record; none for a create.
    pub target: Option<RemoteId>,
    /// What the target should look like. References in it are the target's ids.
    pub document: Document,
    /// For an update: what was decided before, so that only what differs is written and hand edits of other fields stay.
    pub before: Option<Document>,
    /// The version the decision was made on. A connector that can tell refuses the write with `Moved` when it is another now.
    pub expects: Option<String>,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The target's record.
    pub id: RemoteId,
    /// What the target looks like now, when the connector read it back.
    pub seen: Option<Record>,
}

/// What protects a write from being done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// The target itself refuses a second one.
    Unique,
    /// The key can be looked up first.
    Find,
    /// Nothing.
    None,
}

/// How an unknown outcome is cleared up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// `find` by our key.
    Key,
    /// `read` the target.
    State,
    /// Nothing proves it: a person looks.
    None,
}

/// A write a connector can do.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Operation {
    /// Kind.
    pub kind: Kind,
    /// Step.
    pub step: Step,
    /// Guard.
    pub guard: Guard,
    /// Proof.
    pub proof: Proof,
    /// After an unknown outcome, how long the vendor may still be working on the request, in seconds.
    pub settle_seconds: u32,
    /// After how long a call is given up, in seconds.
    pub deadline_seconds: u32,
    /// Items per call at most.
    pub batch: usize,
    /// Whether doing it again would overwrite what people changed.
    pub overwrites: bool,
    /// Whether it reserves stock in the target.
    pub reserves_stock: bool,
    /// Whether the target changes it only where it still is what [`Write::before`] says (compare-and-set), and answers `Moved` otherwise.
    pub compares: bool,
}

/// How a stream of changes is read.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Reads {
    /// Kind.
    pub kind: Kind,
    /// What the cursor is made of, for the docs.
    pub cursor: &'static str,
    /// Whether changes can be asked for; otherwise `read` by id only.
    pub changes: bool,
    /// Items per page.
    pub page: u32,
    /// Ids per call of `read`.
    pub ids: usize,
}

/// How far a connector has been verified. Never claim more.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Run against live software, and against recorded answers.
    Live {
        /// Versions that were run.
        run: &'static [&'static str],
        /// Versions whose answers were recorded.
        tapes: &'static [&'static str],
    },
    /// Against recorded answers of these versions.
    Tapes(&'static [&'static str]),
    /// Against the vendor's contract file.
    Contract(&'static str),
    /// Written from the documentation.
    Docs,
}

/// What a connector can do. One static per connector.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Capabilities {
    /// What it reads.
    pub reads: &'static [Reads],
    /// What it finds, by kind: the attributes of [`Query`].
    pub finds: &'static [(Kind, &'static [&'static str])],
    /// What it writes.
    pub writes: &'static [Operation],
    /// Whether it takes webhooks.
    pub hooks: bool,
    /// Whether the vendor sends a webhook again that was answered 503.
    pub hooks_resent: bool,
    /// Calls at once, at most.
    pub slots: usize,
    /// How it rounds tax unless its connection's file says otherwise.
    pub rounding: Rounding,
}

impl Capabilities {
    /// The operation for a kind and step.
    pub fn operation(&self, kind: Kind, step: Step) -> Option<&'static Operation> {
        self.writes
            .iter()
            .find(|operation| operation.kind == kind && operation.step == step)
    }

    /// How a kind is read.
    pub fn reads(&self, kind: Kind) -> Option<&'static Reads> {
        self.reads.iter().find(|reads| reads.kind == kind)
    }

    /// Whether a kind can be found by an attribute.
    pub fn finds(&self, kind: Kind, attribute: &str) -> bool {
        self.finds
            .iter()
            .any(|(k, attributes)| *k == kind && attributes.contains(&attribute))
    }
}

/// A webhook as it came in.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// When it came (UTC).
    pub at: Timestamp,
}

impl Incoming {
    /// The first header of this name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

/// "Look at this record": all that is ever believed of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Hint {
    /// Kind.
    pub kind: Kind,
    /// The record; none means "poll now".
    pub id: Option<RemoteId>,
}

/// What the watchdog of webhooks found and did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HookReport {
    /// Topics that are on.
    pub active: Vec<String>,
    /// Topics that had to be made again, each a reason for a catch-up poll.
    pub recreated: Vec<String>,
}

/// What a connector does.
#[async_trait]
pub trait Connector: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &'static Capabilities;

    /// Versions, time zone, currency, rights, tables; the test of the connection.
    async fn probe(&self) -> Result<Account, Fault>;

    /// Changes of a kind since a cursor. A page may repeat what an earlier one held.
    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault>;

    /// Where to begin for what has changed at an instant or later; the start for a system that cannot be asked for that.
    fn cursor_since(&self, _kind: Kind, _at: Timestamp) -> Cursor {
        Cursor::start()
    }

    /// Records by id, in any order, each id answered once.
    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault>;

    /// Candidates for each query, in the order of the queries.
    async fn find(&self, kind: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault>;

    /// Writes of one kind and step; one answer per write, in their order, always.
    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>>;

    /// Verifies and reads a webhook. Pure: no call, no waiting.
    fn hear(&self, _call: &Incoming) -> Result<Vec<Hint>, Fault> {
        Ok(Vec::new())
    }

    /// Makes sure that webhooks come to `address`, and makes those again that the vendor has switched off.
    async fn tend_hooks(&self, _address: &str) -> Result<HookReport, Fault> {
        Ok(HookReport::default())
    }

    /// Calls that this connection makes at once, at most.
    fn slots(&self) -> usize {
        self.capabilities().slots
    }

    /// How long the engine should leave this account alone, as its rate governor learnt it; none when calls may go now.
    fn rests(&self) -> Option<Duration> {
        None
    }
}
