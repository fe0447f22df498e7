//! PrestaShop through its webservice: see README.md.

mod amend;
mod ask;
mod discount;
mod fault;
mod find;
mod gather;
mod keep;
mod local;
mod mark;
mod order;
mod party;
mod payment;
mod probe;
mod product;
mod read;
mod refund;
mod restock;
mod rights;
mod settings;
mod shelf;
mod ship;
mod status;
mod stock;
mod tables;
mod tax;
mod wire;
mod write;
mod xml;

#[cfg(test)]
mod tests;

pub use settings::{AuthMode, Settings};

use async_trait::async_trait;
use comptoir_kit::http::{Http, HttpOptions};
use comptoir_kit::spec::{Kit, Spec};
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads, Seen,
    Step, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use jiff::Timestamp;
use local::ShopClock;
use schemars::schema_for;
use shelf::Habits;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use tables::Tables;
use tokio::sync::Mutex;

/// Where the webservice begins, below the shop's address.
const API: &str = "api";

/// PHP's own limit on a request is 30 to 300 s on common hosts.
const SETTLE: u32 = 300;

static CAPABILITIES: Capabilities = Capabilities {
    reads: &[
        Reads {
            kind: Kind::Order,
            cursor: "time of change on the shop's clock, with credit slips read beside it",
            changes: true,
            page: 50,
            ids: 100,
        },
        Reads {
            kind: Kind::Customer,
            cursor: "time of change on the shop's clock; that of an address is not seen",
            changes: true,
            page: 50,
            ids: 100,
        },
        Reads {
            kind: Kind::Product,
            cursor: "time of change on the shop's clock, combinations with their product",
            changes: true,
            page: 50,
            ids: 100,
        },
        Reads {
            kind: Kind::Refund,
            cursor: "time of change on the shop's clock",
            changes: true,
            page: 50,
            ids: 100,
        },
        Reads {
            kind: Kind::Stock,
            cursor: "product by product by id once; then products by their time of change, which stock does not move: the rest comes with the next whole reading",
            changes: true,
            page: 50,
            ids: 100,
        },
    ],
    finds: &[
        (Kind::Order, &["reference"]),
        (Kind::Customer, &["email"]),
        (Kind::Product, &["sku"]),
    ],
    writes: &[
        Operation {
            kind: Kind::Order,
            step: Step::Update,
            // State and tracking number are looked at first; the shop itself takes the same state twice.
            guard: Guard::None,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 240,
            batch: 5,
            overwrites: true,
            reserves_stock: false,
            compares: false,
        },
        Operation {
            kind: Kind::Shipment,
            step: Step::Create,
            // The order's marks, its tracking number and its state are looked at first, and only what is missing is done.
            guard: Guard::Find,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 300,
            batch: 5,
            overwrites: false,
            reserves_stock: false,
            compares: false,
        },
        Operation {
            kind: Kind::Stock,
            step: Step::Update,
            guard: Guard::None,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 300,
            batch: 100,
            overwrites: true,
            reserves_stock: false,
            compares: false,
        },
    ],
    hooks: false,
    hooks_resent: false,
    slots: 2,
    rounding: Rounding::PER_LINE,
};

/// The connector's page.
pub static SPEC: Spec = Spec {
    name: "prestashop",
    title: "PrestaShop",
    summary: "Orders, credit slips, customers, products and stock of a PrestaShop shop; order states, tracking numbers, shipments and quantities back.",
    capabilities: &CAPABILITIES,
    level: Verification::Tapes(&["8.2.1"]),
    settings: || schema_for!(Settings),
    setup: include_str!("setup.en.md"),
    setup_fr: include_str!("setup.fr.md"),
    open: |value, kit| Ok(Arc::new(Shop::open(value, kit)?)),
};

/// An opened shop.
struct Shop {
    settings: Settings,
    clock: ShopClock,
    http: Http,
    kit: Kit,
    /// The small tables and when they were read.
    tables: Mutex<Option<(Timestamp, Arc<Tables>)>>,
    /// How it keeps stock and when that was read.
    habits: Mutex<Option<(Timestamp, Habits)>>,
    /// The first number of its version; 0 until an answer told it.
    major: AtomicU32,
}

impl Shop {
    fn open(value: serde_json::Value, kit: Kit) -> Result<Self, Fault> {
        let settings: Settings = comptoir_kit::spec::settings(value)?;
        let settings = settings.checked()?;
        let clock = settings.clock()?;
        let options = HttpOptions {
            auth: settings.authorisation(),
            slots: CAPABILITIES.slots,
            ..HttpOptions::default()
        };
        let http = kit.http.open(&settings.url, options)?;
        Ok(Shop {
            settings,
            clock,
            http,
            kit,
            tables: Mutex::new(None),
            habits: Mutex::new(None),
            major: AtomicU32::new(0),
        })
    }
}

/// The path of a resource; that of the list of rights for none.
fn path(resource: impl AsRef<str>) -> String {
    match resource.as_ref() {
        "" => API.to_owned(),
        resource => format!("{API}/{resource}"),
    }
}

#[async_trait]
impl Connector for Shop {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        self.account().await
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        match kind {
            Kind::Order => self.order_changes(since).await,
            Kind::Stock => self.stock_changes(since).await,
            kind if gather::is_plain(kind) => self.plain_changes(kind, since).await,
            other => Err(Fault::bug(format!("changes of {other} are not offered"))),
        }
    }

    fn cursor_since(&self, kind: Kind, at: Timestamp) -> Cursor {
        match kind {
            // Nothing tells which stock has changed.
            Kind::Stock => Cursor::start(),
            kind => self.since(kind, at),
        }
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        match kind {
            Kind::Order => self.read_by_id(kind, ids).await,
            Kind::Stock => self.read_stock(ids).await,
            kind if gather::is_plain(kind) => self.read_by_id(kind, ids).await,
            other => Err(Fault::bug(format!("{other} is not read"))),
        }
    }

    async fn find(&self, kind: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        self.candidates(kind, queries).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        match batch.first().map(|write| write.kind) {
            Some(Kind::Stock) => self.write_stock(batch).await,
            Some(Kind::Shipment) => self.write_shipments(batch).await,
            _ => self.write_orders(batch).await,
        }
    }

    fn rests(&self) -> Option<Duration> {
        self.http.rests()
    }
}
