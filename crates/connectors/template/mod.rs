//! Till Box through its REST API: see README.md.

mod fault;
mod map;
#[cfg(test)]
mod tests;
mod wire;

use async_trait::async_trait;
use comptoir_kit::auth::Auth;
use comptoir_kit::batch;
use comptoir_kit::http::{Answer, Call, Http, HttpOptions, Method, encode};
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::{Kit, Spec, settings};
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads, Seen,
    Step, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use jiff::Timestamp;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use std::time::Duration;

/// Records per page, and ids per call. Three on purpose: the stub tapes then have two pages. A real system takes 50 to 200.
const PAGE: usize = 3;

/// How far each reading goes back: longer than the system takes to commit and the clocks differ.
const OVERLAP: Duration = Duration::from_secs(120);

static CAPABILITIES: Capabilities = Capabilities {
    reads: &[Reads {
        kind: Kind::Order,
        cursor: "`updated_at` to the second, with an overlap",
        changes: true,
        page: PAGE as u32,
        ids: PAGE,
    }],
    finds: &[],
    writes: &[Operation {
        kind: Kind::Order,
        step: Step::Update,
        // A state is set, not added: a second time changes nothing.
        guard: Guard::None,
        proof: Proof::State,
        settle_seconds: 120,
        deadline_seconds: 60,
        batch: 20,
        overwrites: true,
        reserves_stock: false,
        compares: false,
    }],
    hooks: false,
    hooks_resent: false,
    slots: 2,
    rounding: Rounding::PER_LINE,
};

/// What this connector says about itself.
pub static SPEC: Spec = Spec {
    name: "till-box",
    title: "Till Box",
    summary: "Reads the orders of a Till Box shop, and writes their state back.",
    capabilities: &CAPABILITIES,
    level: Verification::Docs,
    settings: || schema_for!(Settings),
    setup: include_str!("setup.en.md"),
    setup_fr: include_str!("setup.fr.md"),
    open: |value, kit| Ok(Arc::new(Shop::open(value, kit)?)),
};

/// The settings of a connection: title and comment of each are its documentation, its form and its check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where the shop answers, such as `https://shop.example.com`.
    #[schemars(title = "Address")]
    url: String,
    /// The API key of the user that Comptoir works as.
    #[schemars(title = "API key")]
    key: Secret,
}

/// One connection to a shop.
struct Shop {
    http: Http,
    kit: Kit,
}

impl Shop {
    /// Makes no call.
    fn open(value: serde_json::Value, kit: Kit) -> Result<Self, Fault> {
        let Settings { url, key } = settings(value)?;
        let options = HttpOptions {
            auth: Auth::Bearer(key),
            slots: CAPABILITIES.slots,
            ..HttpOptions::default()
        };
        let http = kit.http.open(&url, options)?;
        Ok(Shop { http, kit })
    }

    /// Makes one call and says what its answer means.
    async fn send(&self, call: Call) -> Result<Answer, Fault> {
        let answer = self.http.send(call).await?;
        match fault::of(&answer) {
            Some(fault) => Err(fault),
            None => Ok(answer),
        }
    }

    /// The rows of a list, each as it came: one that cannot be read must not stop the others.
    async fn rows(&self, call: Call) -> Result<Vec<Box<RawValue>>, Fault> {
        self.send(call).await?.json()
    }

    async fn set_status(&self, write: &Write) -> Result<RemoteId, Fault> {
        let (Kind::Order, Step::Update) = (write.kind, write.step) else {
            return Err(Fault::bug("this write is not offered"));
        };
        let (Some(id), Some(order)) = (&write.target, write.document.as_order()) else {
            return Err(Fault::bug("an update names an order and what it becomes"));
        };
        let body = wire::StatusChange {
            status: &order.status.word,
        };
        let path = format!("api/orders/{}", encode(id.as_str()));
        let call = Call::new("orders.update", Method::Put, path).json(&body)?;
        self.send(call).await.map(|_| id.clone())
    }
}

#[async_trait]
impl Connector for Shop {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        let answer = self.send(Call::get("info", "api/info")).await?;
        Ok(map::account(answer.json()?, self.http.origin()))
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        if kind != Kind::Order {
            return Err(Fault::bug(format!("changes of {kind} are not offered")));
        }
        let cursor = TimestampCursor::open(since, OVERLAP, self.kit.clock.now())?;
        let mut call = Call::get("orders.list", "api/orders")
            .query("sort", "updated_at")
            .query("limit", PAGE)
            .query("offset", cursor.offset());
        if let Some(from) = cursor.from() {
            call = call.query("updated_from", from);
        }
        let rows = self.rows(call).await?;
        let items: Vec<map::Item> = rows.iter().map(|row| map::item(row)).collect();
        let stamps: Vec<Stamp> = items.iter().map(map::stamp).collect();
        let taken = cursor.take(&stamps, rows.len() == PAGE);
        // What the overlap repeats unchanged is left out.
        let fresh = items.into_iter().zip(taken.fresh);
        Ok(Page {
            items: fresh.filter_map(|(i, fresh)| fresh.then_some(i)).collect(),
            gone: Vec::new(),
            next: taken.next,
            more: taken.more,
        })
    }

    fn cursor_since(&self, _: Kind, at: Timestamp) -> Cursor {
        TimestampCursor::since(at)
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        if kind != Kind::Order {
            return Err(Fault::bug(format!("{kind} is not read")));
        }
        let names: Vec<&str> = ids.iter().map(RemoteId::as_str).collect();
        let call = Call::get("orders.by-id", "api/orders").query("ids", names.join(","));
        let rows = self.rows(call).await?;
        Ok(map::seen(ids, rows.iter().map(|row| map::item(row))))
    }

    async fn find(&self, _: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        // Nothing is declared under `finds`.
        Ok(vec![Vec::new(); queries.len()])
    }

    async fn write(&self, writes: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut results = Vec::with_capacity(writes.len());
        for write in writes {
            results.push(self.set_status(write).await);
        }
        let done: Vec<RemoteId> = results.iter().flatten().cloned().collect();
        // What could not be read back was written all the same.
        let seen = match done.is_empty() {
            true => Vec::new(),
            false => self.read(Kind::Order, &done).await.unwrap_or_default(),
        };
        batch::with_seen(results, seen)
    }

    fn rests(&self) -> Option<Duration> {
        self.http.rests()
    }
}
