//! WooCommerce through its REST API v3, the order side: see README.md.

mod batch;
mod diagnose;
mod fault;
mod find;
mod hooks;
mod keep;
mod map;
mod mark;
mod note;
mod party;
mod payment;
mod probe;
mod read;
mod rights;
mod roster;
mod settings;
mod shipment;
mod stock;
mod tax;
mod tracking;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use settings::{AuthMode, Settings, ShippingKey, Tracking, WeightUnit};

use async_trait::async_trait;
use comptoir_kit::http::{Answer, Call, Http, HttpOptions};
use comptoir_kit::spec::{Kit, Spec};
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::money::RoundingMode;
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Hint, HookReport, Incoming, Operation, Page,
    Proof, Query, Reads, Seen, Step, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use jiff::Timestamp;
use schemars::schema_for;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// Where the API begins, below the shop's address.
const API: &str = "wp-json/wc/v3";

/// Orders per batch of updates. A hundred took up to half a minute on a small server, and status changes send e-mails.
const BATCH: usize = 25;

/// PHP's own limit on a request is 30 to 300 s on common hosts.
const SETTLE: u32 = 300;

/// Halves of tax go down where prices include it: 9.99 with 20 % is 8.33 and 1.66.
const ROUNDING: Rounding = Rounding {
    included_mode: Some(RoundingMode::HalfDown),
    ..Rounding::PER_LINE
};

static CAPABILITIES: Capabilities = Capabilities {
    reads: &[
        Reads {
            kind: Kind::Order,
            cursor: "time of change, with the trash read beside it",
            changes: true,
            page: 100,
            ids: 100,
        },
        Reads {
            kind: Kind::Customer,
            cursor: "highest id: new accounts; changed ones are told by webhooks only",
            changes: true,
            page: 100,
            ids: 100,
        },
        Reads {
            kind: Kind::Product,
            cursor: "time of change, variations with their product",
            changes: true,
            page: 50,
            ids: 100,
        },
        Reads {
            kind: Kind::Stock,
            cursor: "time of change of products and of variations; the trash is met by the nightly comparison",
            changes: true,
            page: 100,
            ids: 100,
        },
        Reads {
            kind: Kind::Refund,
            cursor: "",
            changes: false,
            page: 0,
            ids: 20,
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
            // Values are set, not added, so a second time changes nothing; notes are looked up first.
            guard: Guard::None,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 120,
            batch: BATCH,
            overwrites: true,
            reserves_stock: false,
            compares: false,
        },
        Operation {
            kind: Kind::Stock,
            step: Step::Update,
            // A quantity is set, whatever was sold meanwhile: the shop knows no condition.
            guard: Guard::None,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 120,
            batch: 100,
            overwrites: true,
            reserves_stock: false,
            compares: false,
        },
        Operation {
            kind: Kind::Shipment,
            step: Step::Create,
            // Looked for in the order before it is written, and the note to the buyer among the order's notes.
            guard: Guard::Find,
            proof: Proof::State,
            settle_seconds: SETTLE,
            deadline_seconds: 120,
            batch: BATCH,
            overwrites: false,
            reserves_stock: false,
            compares: false,
        },
    ],
    hooks: true,
    // No delivery is ever sent again, and the sixth failure in a row switches the webhook off.
    hooks_resent: false,
    slots: 2,
    rounding: ROUNDING,
};

/// The connector's page.
pub static SPEC: Spec = Spec {
    name: "woocommerce",
    title: "WooCommerce",
    summary: "Orders, refunds, customers, products and stock of a WooCommerce shop; order status, notes, meta data, stock and shipments back.",
    capabilities: &CAPABILITIES,
    level: Verification::Live {
        run: &["8.9.3", "9.9.5", "10.6.2", "11.0.1"],
        tapes: &["8.5.2", "11.0.1"],
    },
    settings: || schema_for!(Settings),
    setup: include_str!("setup.en.md"),
    setup_fr: include_str!("setup.fr.md"),
    open: |value, kit| Ok(Arc::new(Shop::open(value, kit)?)),
};

/// An opened shop.
struct Shop {
    settings: Settings,
    mode: AuthMode,
    http: Http,
    kit: Kit,
    /// Whether it lists the variations of all products (since WooCommerce 10.3), once that was asked.
    lists_variations: OnceCell<bool>,
}

impl Shop {
    fn open(value: serde_json::Value, kit: Kit) -> Result<Self, Fault> {
        let settings: Settings = comptoir_kit::spec::settings(value)?;
        let settings = settings.checked()?;
        let mode = settings.mode();
        let http = kit.http.open(&settings.url, options(&settings, mode))?;
        Ok(Shop {
            settings,
            mode,
            http,
            kit,
            lists_variations: OnceCell::new(),
        })
    }

    /// Makes a call and takes a success with JSON only.
    async fn ask(&self, call: Call) -> Result<Answer, Fault> {
        fault::success(self.http.send(call).await?, self.mode)
    }
}

fn options(settings: &Settings, mode: AuthMode) -> HttpOptions {
    HttpOptions {
        auth: settings.auth(mode),
        slots: CAPABILITIES.slots,
        ..HttpOptions::default()
    }
}

/// The path of a resource.
fn path(resource: impl AsRef<str>) -> String {
    format!("{API}/{}", resource.as_ref())
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
            Kind::Customer => self.new_customers(since).await,
            Kind::Product => self.product_changes(since).await,
            Kind::Stock => self.stock_changes(since).await,
            other => Err(Fault::bug(format!("changes of {other} are not offered"))),
        }
    }

    fn cursor_since(&self, kind: Kind, at: Timestamp) -> Cursor {
        read::cursor_since(kind, at)
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        match kind {
            Kind::Order | Kind::Customer | Kind::Product => self.read_by_id(kind, ids).await,
            Kind::Stock => self.read_stock(ids).await,
            Kind::Refund => self.read_refunds(ids).await,
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

    fn hear(&self, call: &Incoming) -> Result<Vec<Hint>, Fault> {
        hooks::hear(call, &self.kit.webhook_secrets)
    }

    async fn tend_hooks(&self, address: &str) -> Result<HookReport, Fault> {
        self.tend(address).await
    }

    fn rests(&self) -> Option<Duration> {
        self.http.rests()
    }
}
