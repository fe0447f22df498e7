//! Odoo 16 to 19, the side that takes orders: `/jsonrpc` up to 18 and `/json/2` from 19, behind one face.

mod action;
mod external;
mod fault;
mod find;
mod goods;
mod key;
mod load;
mod map;
mod order;
mod partner;
mod probe;
mod progress;
mod read;
mod rpc;
mod session;
mod shipment;
mod stock;
#[cfg(test)]
mod tape_tests;
mod template;
mod update;
mod wire;
mod write;

use async_trait::async_trait;
use comptoir_kit::auth::Auth;
use comptoir_kit::clock::Clock;
use comptoir_kit::http::{Http, HttpOptions};
use comptoir_kit::page::TimestampCursor;
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::{Kit, Spec, settings};
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads, Seen,
    Step, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use jiff::Timestamp;
use progress::Progress;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use session::Session;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// After an unknown outcome: Odoo's own limit on a running request (`limit_time_real`, 120 s as delivered).
const SETTLE: u32 = 120;
/// Calls at once: more gain little on Odoo's side.
const SLOTS: usize = 2;

static READS: [Reads; 5] = [
    reads(Kind::Order, 100),
    reads(Kind::Customer, 200),
    reads(Kind::Product, 200),
    Reads {
        cursor: "every product by id, then the `write_date` of quants, moves, products and bills of materials, with an overlap",
        ..reads(Kind::Stock, 1_000)
    },
    reads(Kind::Shipment, 100),
];

const fn reads(kind: Kind, page: u32) -> Reads {
    Reads {
        kind,
        cursor: "`write_date` to the second, with an overlap",
        changes: true,
        page,
        ids: 100,
    }
}

const fn operation(kind: Kind, step: Step, batch: usize) -> Operation {
    Operation {
        kind,
        step,
        guard: Guard::Find,
        proof: Proof::State,
        settle_seconds: SETTLE,
        deadline_seconds: write::DEADLINE.as_secs() as u32,
        batch,
        overwrites: false,
        reserves_stock: false,
        compares: false,
    }
}

static WRITES: [Operation; 5] = [
    Operation {
        // The unique index of external ids is the guard: see `load`.
        guard: Guard::Unique,
        proof: Proof::Key,
        ..operation(Kind::Customer, Step::Create, 100)
    },
    Operation {
        guard: Guard::Unique,
        proof: Proof::Key,
        ..operation(Kind::Order, Step::Create, 50)
    },
    Operation {
        overwrites: true,
        ..operation(Kind::Order, Step::Update, 50)
    },
    Operation {
        // Confirming one takes up to a second: these fit into one call's time.
        reserves_stock: true,
        ..operation(Kind::Order, Step::Confirm, 20)
    },
    operation(Kind::Order, Step::Cancel, 20),
];

static CAPABILITIES: Capabilities = Capabilities {
    reads: &READS,
    finds: &[
        (Kind::Order, &["key", "reference"]),
        (Kind::Customer, &["key", "email", "vat_number"]),
        (Kind::Product, &["key", "sku"]),
    ],
    writes: &WRITES,
    hooks: false,
    hooks_resent: false,
    slots: SLOTS,
    rounding: Rounding::PER_LINE,
};

/// What this connector says about itself.
pub static SPEC: Spec = Spec {
    name: "odoo",
    title: "Odoo",
    summary: "Books orders and their customers in Odoo 16 to 19, reads them back, and tells stock by warehouse and what was shipped.",
    capabilities: &CAPABILITIES,
    level: Verification::Live {
        run: &["19.0"],
        tapes: &["16.0", "19.0"],
    },
    settings: || schema_for!(Settings),
    setup: include_str!("setup.en.md"),
    setup_fr: include_str!("setup.fr.md"),
    open: |value, kit| Ok(Arc::new(Odoo::open(value, kit)?)),
};

/// Which API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// What the version asks for.
    #[default]
    Auto,
    /// `/jsonrpc`. 19 still has it and announces its removal.
    #[serde(rename = "jsonrpc")]
    JsonRpc,
    /// `/json/2`, from 19 on.
    Json2,
}

/// The settings of a connection to Odoo.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where Odoo answers, such as `https://erp.example.com`. Without `/web` or anything else behind it.
    #[schemars(title = "Address")]
    pub url: String,
    /// The name of the database. The login page or the database manager shows it; on Odoo Online it is the first part of the address.
    #[schemars(title = "Database")]
    pub database: String,
    /// The login of the user that Comptoir works as. Versions up to 18 ask for it; from 19 on the key alone says who it is.
    #[serde(default)]
    #[schemars(title = "Login")]
    pub login: String,
    /// The API key of that user, made in Odoo under My Profile, Account Security. It may expire: note the date.
    #[schemars(title = "API key")]
    pub key: Secret,
    /// The company to work for, by its name or id, when the user has several. Without it: the user's own, and orders may name another.
    /// Stock is told of the warehouses of the company, or of all the user's companies.
    #[serde(default)]
    #[schemars(title = "Company")]
    pub company: Option<String>,
    /// The language of texts that Odoo makes and of customers without a language of their own, such as `fr_FR`. It must be installed.
    #[serde(default)]
    #[schemars(title = "Language")]
    pub language: Option<String>,
    /// The module name of the external ids that Comptoir leaves on what it creates. Never the name of an installed module, and never
    /// changed later: what was created is found by it.
    #[serde(default = "default_module")]
    #[schemars(title = "Module of external ids")]
    pub external_id_module: String,
    /// How many seconds before the last change each reading begins again. Longer than Odoo takes to commit and the clocks differ.
    #[serde(default = "default_overlap")]
    #[schemars(title = "Overlap of readings (seconds)")]
    pub overlap_seconds: u32,
    /// How many calls are made at once, from 1 to 16. On Odoo's side more than two gain little unless it has many workers.
    #[serde(default = "default_slots")]
    #[schemars(title = "Calls at once", range(min = 1, max = 16))]
    pub at_once: usize,
    /// Which API to speak; `auto` takes `/json/2` from 19 on and `/jsonrpc` before.
    #[serde(default)]
    #[schemars(title = "Protocol")]
    pub protocol: Protocol,
}

fn default_module() -> String {
    "comptoir".to_owned()
}

fn default_overlap() -> u32 {
    300
}

fn default_slots() -> usize {
    SLOTS
}

impl Settings {
    fn check(&self) -> Result<(), Fault> {
        let bad = |field: &str, why: &str| Err(Fault::refused(Code::BadValue, why).at(field));
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let module = &self.external_id_module;
        if module.is_empty() || !module.chars().all(word) {
            return bad(
                "external_id_module",
                "use lower-case letters, digits and underscores",
            );
        }
        if self.database.trim().is_empty() {
            return bad("database", "name the database");
        }
        if !(1..=16).contains(&self.at_once) {
            return bad("at_once", "from 1 to 16");
        }
        if self.key.is_empty() {
            return bad("key", "an API key is needed");
        }
        if self.overlap_seconds == 0 {
            return bad("overlap_seconds", "at least one second");
        }
        Ok(())
    }
}

/// One connection to a database.
struct Odoo {
    http: Http,
    settings: Settings,
    clock: Clock,
    session: Mutex<Option<Arc<Session>>>,
    /// Odoo took the key once.
    accepted: AtomicBool,
    progress: Arc<Progress>,
}

impl Odoo {
    fn open(value: serde_json::Value, kit: Kit) -> Result<Self, Fault> {
        let settings: Settings = settings(value)?;
        settings.check()?;
        let options = HttpOptions {
            // `/jsonrpc` takes the key in the body and does not read this header.
            auth: Auth::Bearer(settings.key.clone()),
            slots: settings.at_once,
            deadline: Duration::from_secs(90),
            ..HttpOptions::default()
        };
        Ok(Odoo {
            http: kit.http.open(&settings.url, options)?,
            clock: kit.clock,
            settings,
            session: Mutex::new(None),
            accepted: AtomicBool::new(false),
            progress: Arc::default(),
        })
    }

    /// The opened database; opened by whoever asks first.
    async fn session(&self) -> Result<Arc<Session>, Fault> {
        let mut session = self.session.lock().await;
        if let Some(session) = &*session {
            return Ok(session.clone());
        }
        let opened = Arc::new(Session::open(&self.http, &self.settings, &self.progress).await?);
        self.accepted.store(true, Ordering::Relaxed);
        *session = Some(opened.clone());
        Ok(opened)
    }

    /// Odoo says the same of a key that is wrong and of one that is over; which one it is shows in whether it was good before.
    fn over(&self, fault: Fault) -> Fault {
        if fault.code == Code::WrongKey && self.accepted.load(Ordering::Relaxed) {
            return Fault::locked(
                Code::ExpiredKey,
                "Odoo took this key before and refuses it now: it has expired or was deleted, or its user was archived; make a new API key and put it into the connection",
            );
        }
        fault
    }

    /// Forgets what the instance can do when it no longer knows what was sent: whoever comes next asks again.
    async fn learn_from(&self, faults: impl Iterator<Item = &Fault>) {
        let mut codes = faults.map(|fault| fault.code);
        if codes.any(|code| matches!(code, Code::UnknownField | Code::UnsupportedVersion)) {
            *self.session.lock().await = None;
        }
    }

    /// Opens it anew: after an upgrade of Odoo, fields have other names.
    async fn reopen(&self) -> Result<Arc<Session>, Fault> {
        *self.session.lock().await = None;
        self.session().await
    }
}

#[async_trait]
impl Connector for Odoo {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        let account = async {
            let session = self.reopen().await?;
            let rpc = session.rpc.going_on(&self.progress);
            probe::probe(&session, &rpc, &self.http.origin()).await
        };
        let account = account.await.map_err(|fault| self.over(fault))?;
        self.progress.done();
        Ok(account)
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        let page = CAPABILITIES.reads(kind).map_or(100, |reads| reads.page);
        let overlap = Duration::from_secs(self.settings.overlap_seconds.into());
        let session = self.session().await.map_err(|fault| self.over(fault))?;
        read::changes(&session, kind, since, overlap, page, self.clock.now())
            .await
            .map_err(|fault| self.over(fault))
    }

    fn cursor_since(&self, kind: Kind, at: Timestamp) -> Cursor {
        match kind {
            Kind::Shipment => TimestampCursor::since(at),
            _ => Cursor::start(),
        }
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let session = self.session().await.map_err(|fault| self.over(fault))?;
        let seen = read::by_ids(&session, kind, ids).await;
        seen.map_err(|fault| self.over(fault))
    }

    async fn find(&self, kind: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let session = self.session().await.map_err(|fault| self.over(fault))?;
        let found = find::find(session, kind, queries).await;
        found.map_err(|fault| self.over(fault))
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let results = match self.session().await {
            Ok(session) => {
                let results = write::write(&session, batch).await;
                self.learn_from(results.iter().filter_map(|result| result.as_ref().err()))
                    .await;
                results
            }
            // Nothing was sent.
            Err(fault) => vec![Err(fault); batch.len()],
        };
        let over = |result: Result<Written, Fault>| result.map_err(|fault| self.over(fault));
        results.into_iter().map(over).collect()
    }

    fn slots(&self) -> usize {
        self.settings.at_once
    }

    fn rests(&self) -> Option<Duration> {
        self.http.rests()
    }
}
