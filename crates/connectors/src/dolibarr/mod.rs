//! Dolibarr 17 to 22, the side that takes orders, over its REST API.

mod action;
mod api;
mod demand;
mod fault;
mod filter;
mod find;
mod key;
mod kits;
mod map;
mod order;
mod party;
mod probe;
mod read;
mod shipment;
mod shipped;
mod stock;
mod sweep;
#[cfg(test)]
mod tape_tests;
mod update;
mod wire;
mod write;

use api::Api;
use async_trait::async_trait;
use comptoir_kit::page::TimestampCursor;
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::{Kit, Spec, settings};
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::money::Currency;
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads, Seen,
    Step, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use jiff::Timestamp;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use sweep::Sweep;

/// After an unknown outcome: PHP's own limit and a usual proxy's are below it.
const SETTLE: u32 = 120;

static READS: [Reads; 5] = [
    reads(Kind::Order, 50),
    reads(Kind::Customer, 100),
    reads(Kind::Product, 100),
    Reads {
        cursor: "all products by id; then those whose `tms` moved, and those on orders whose `tms` moved",
        ..reads(Kind::Stock, 100)
    },
    Reads {
        cursor: "those whose `tms` moved, by id; and those of orders in shipping whose `tms` moved",
        ..reads(Kind::Shipment, 50)
    },
];

const fn reads(kind: Kind, page: u32) -> Reads {
    Reads {
        kind,
        cursor: "`tms` to the second, with an overlap",
        changes: true,
        page,
        ids: 50,
    }
}

const fn operation(kind: Kind, step: Step) -> Operation {
    Operation {
        kind,
        step,
        guard: Guard::Find,
        proof: Proof::State,
        settle_seconds: SETTLE,
        deadline_seconds: write::DEADLINE.as_secs() as u32,
        batch: 20,
        overwrites: false,
        reserves_stock: false,
        compares: false,
    }
}

static WRITES: [Operation; 5] = [
    Operation {
        proof: Proof::Key,
        ..operation(Kind::Customer, Step::Create)
    },
    Operation {
        proof: Proof::Key,
        ..operation(Kind::Order, Step::Create)
    },
    Operation {
        overwrites: true,
        ..operation(Kind::Order, Step::Update)
    },
    Operation {
        reserves_stock: true,
        ..operation(Kind::Order, Step::Confirm)
    },
    operation(Kind::Order, Step::Cancel),
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
    // Two at once take the same next number and lock each other out: see README.md.
    slots: 1,
    rounding: Rounding::PER_LINE,
};

/// What this connector says about itself.
pub static SPEC: Spec = Spec {
    name: "dolibarr",
    title: "Dolibarr",
    summary: "Books orders and their customers in Dolibarr 17 to 22, reads them back, and reads stock and shipments.",
    capabilities: &CAPABILITIES,
    level: Verification::Tapes(&["17.0.2 (rebranded)"]),
    settings: || schema_for!(Settings),
    setup: include_str!("setup.en.md"),
    setup_fr: include_str!("setup.fr.md"),
    open: |value, kit| Ok(Arc::new(Dolibarr::open(value, kit)?)),
};

/// The settings of a connection to Dolibarr.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where Dolibarr answers, such as `https://erp.example.com` or `https://example.com/dolibarr`. Without `/api/index.php` behind it.
    #[schemars(title = "Address")]
    pub url: String,
    /// The API key of the user that Comptoir works as, from the user's card in Dolibarr.
    #[schemars(title = "API key")]
    pub key: Secret,
    /// The currency Dolibarr keeps its books in, such as `EUR`. Orders in another one are refused: its API would book them in this one.
    #[schemars(title = "Currency")]
    pub currency: Currency,
    /// The number of the entity (company) to work in, with the module Multicompany. Without it: the user's own.
    #[serde(default)]
    #[schemars(title = "Entity")]
    pub entity: Option<u32>,
    /// The time zone of Dolibarr's server (its PHP), such as `Europe/Paris`. From 18 on it says so itself and this is not read.
    #[serde(default = "default_zone")]
    #[schemars(title = "Time zone")]
    pub time_zone: String,
    /// VAT rates that tables may name, such as `20`, `5.5` or `8.5 (NPR)`, since the API does not list them. Without any: those of
    /// the products, and 0.
    #[serde(default)]
    #[schemars(title = "VAT rates")]
    pub vat_rates: Vec<String>,
    /// The decimals of unit prices (Setup, Limits and accuracy). Dolibarr rounds what has more.
    #[serde(default = "default_decimals")]
    #[schemars(title = "Decimals of unit prices", range(min = 2, max = 8))]
    pub price_decimals: u32,
    /// Whether Dolibarr's connection to its database takes emoji (utf8mb4). As delivered it does not, and refuses a whole order for one
    /// in the buyer's note: Comptoir then writes `□` in its place.
    #[serde(default)]
    #[schemars(title = "Emoji are kept")]
    pub emoji: bool,
    /// When goods leave the stock (Setup, Modules, Stocks: the rule for the decrease of stock): with the `shipment`, when the `order` is
    /// validated, or with the `invoice`. Without it Comptoir asks Dolibarr, and where Comptoir's user is not told takes it for `shipment`.
    #[serde(default)]
    #[schemars(title = "When stock goes down")]
    pub stock_falls: Option<StockFalls>,
    /// The id of the warehouse that goods are shipped from. What validated orders have taken without naming a warehouse is taken off
    /// this one first; without the setting, off the fullest.
    #[serde(default)]
    #[schemars(title = "Warehouse that ships")]
    pub ships_from: Option<String>,
    /// Whether products of Dolibarr are kits of others (virtual products). Their stock is then that of their parts, and reading stock
    /// takes a call for each product.
    #[serde(default)]
    #[schemars(title = "Kits")]
    pub kits: bool,
    /// How many seconds before the last change each reading begins again. Longer than Dolibarr takes to commit and the clocks differ.
    #[serde(default = "default_overlap")]
    #[schemars(title = "Overlap of readings (seconds)")]
    pub overlap_seconds: u32,
}

/// When goods leave Dolibarr's stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockFalls {
    /// With the shipment, validated or closed.
    Shipment,
    /// When the order is validated.
    Order,
    /// With the invoice.
    Invoice,
}

fn default_zone() -> String {
    "UTC".to_owned()
}

fn default_decimals() -> u32 {
    5
}

fn default_overlap() -> u32 {
    300
}

impl Settings {
    fn check(&self) -> Result<(), Fault> {
        let bad = |field: &str, why: &str| Err(Fault::refused(Code::BadValue, why).at(field));
        if self.key.is_empty() {
            return bad("key", "an API key is needed");
        }
        if self.url.contains("index.php") {
            return bad("url", "without `/api/index.php`");
        }
        if comptoir_kit::time::naive_in(Timestamp::UNIX_EPOCH, &self.time_zone).is_err() {
            return bad("time_zone", "no time zone has this name");
        }
        if self
            .vat_rates
            .iter()
            .any(|rate| map::tax_code(rate).is_none())
        {
            return bad(
                "vat_rates",
                "a rate is a number, with a code in brackets or without",
            );
        }
        if !(2..=8).contains(&self.price_decimals) {
            return bad("price_decimals", "from 2 to 8");
        }
        if self
            .ships_from
            .as_ref()
            .is_some_and(|id| id.parse::<u32>().is_err())
        {
            return bad("ships_from", "the id of a warehouse is a number");
        }
        if self.overlap_seconds == 0 {
            return bad("overlap_seconds", "at least one second");
        }
        Ok(())
    }
}

/// One connection to an instance.
struct Dolibarr(Api);

impl Dolibarr {
    fn open(value: serde_json::Value, kit: Kit) -> Result<Self, Fault> {
        let settings: Settings = settings(value)?;
        settings.check()?;
        Ok(Dolibarr(Api::open(settings, kit)?))
    }
}

#[async_trait]
impl Connector for Dolibarr {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        probe::probe(&self.0).await
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        let page = CAPABILITIES.reads(kind).map_or(100, |reads| reads.page) as usize;
        match kind {
            Kind::Stock => stock::changes(&self.0, since, page).await,
            Kind::Shipment => shipment::changes(&self.0, since, page).await,
            _ => read::changes(&self.0, kind, since, page).await,
        }
    }

    fn cursor_since(&self, kind: Kind, at: Timestamp) -> Cursor {
        match kind {
            // What is there now is wanted, however long ago it last moved.
            Kind::Stock => Cursor::start(),
            Kind::Shipment => Sweep::from(Some(at)).cursor(),
            _ => TimestampCursor::since(at),
        }
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        match kind {
            Kind::Stock => stock::by_ids(&self.0, ids).await,
            Kind::Shipment => shipment::by_ids(&self.0, ids).await,
            _ => read::by_ids(&self.0, kind, ids).await,
        }
    }

    async fn find(&self, kind: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        find::find(&self.0, kind, queries).await
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        write::write(&self.0, batch).await
    }

    fn rests(&self) -> Option<Duration> {
        self.0.rests()
    }
}
