//! A flow: what goes from where to where, under which policies, and when.

use comptoir_model::address::Country;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_model::order::{Life, Order};
use comptoir_rules::mapping::Rules;
use comptoir_rules::policy::OrderPolicy;
use comptoir_rules::shipment::ShipmentPolicy;
use comptoir_rules::stock::StockPolicy;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Whether a flow works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is read for it, nothing decided.
    Off,
    /// Everything is decided and shown, nothing is written.
    #[default]
    Shadow,
    /// Decided and written.
    Live,
}

impl Mode {
    /// The word used in configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Shadow => "shadow",
            Mode::Live => "live",
        }
    }
}

/// How many changes a flow may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Caps {
    /// Creates per rolling hour; 0 means no cap.
    pub creates_per_hour: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Caps {
            creates_per_hour: 5_000,
        }
    }
}

/// One flow as the head revision configures it.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its name.
    pub name: FlowName,
    /// What it carries.
    pub kind: Kind,
    /// Where it reads.
    pub source: ConnectionName,
    /// Where it writes.
    pub target: ConnectionName,
    /// Whether it writes.
    pub mode: Mode,
    /// Records placed before this are none of its business.
    pub start: Option<Timestamp>,
    /// The source's status words that are imported.
    pub statuses: Vec<String>,
    /// Import the source's test records.
    pub tests: bool,
    /// Only orders that go to these countries (ISO 3166-1, two letters); all when empty.
    pub countries: Vec<Country>,
    /// No orders that go to these.
    pub except_countries: Vec<Country>,
    /// Milliseconds between two polls.
    pub poll_ms: i64,
    /// Cron expression of polls instead of the interval, in `time_zone`.
    pub cron: Option<String>,
    /// Hours in which nothing is polled or written, as minutes of the day in `time_zone`: from, until.
    pub quiet: Option<(u16, u16)>,
    /// IANA time zone of `cron` and `quiet`.
    pub time_zone: String,
    /// Caps.
    pub caps: Caps,
    /// Policies of a flow of orders.
    pub policy: OrderPolicy,
    /// Mapping rules of a flow of orders.
    pub rules: Arc<Rules>,
    /// Policies of a flow of stock.
    pub stock: StockPolicy,
    /// Policies of a flow of shipments.
    pub shipment: ShipmentPolicy,
    /// The configuration's revision.
    pub revision: i64,
}

impl Flow {
    /// A live flow of orders from `shop` to `erp` in Paris with every default, for tests.
    #[cfg(test)]
    pub(crate) fn example() -> Self {
        let name = |text: &str| text.parse().unwrap();
        Flow {
            name: "orders".parse().unwrap(),
            kind: Kind::Order,
            source: name("shop"),
            target: name("erp"),
            mode: Mode::Live,
            start: None,
            statuses: vec!["processing".to_owned(), "completed".to_owned()],
            tests: false,
            countries: Vec::new(),
            except_countries: Vec::new(),
            poll_ms: 60_000,
            cron: None,
            quiet: None,
            time_zone: "Europe/Paris".to_owned(),
            caps: Caps::default(),
            policy: OrderPolicy::default(),
            rules: Arc::default(),
            stock: StockPolicy::default(),
            shipment: ShipmentPolicy::default(),
            revision: 1,
        }
    }

    /// Whether an order placed at `placed` is this flow's business at all.
    pub fn covers(&self, placed: Option<Timestamp>) -> bool {
        match (self.start, placed) {
            (Some(start), Some(placed)) => placed >= start,
            _ => true,
        }
    }

    /// The country an order goes to, if it makes the order another flow's business.
    pub fn goes_elsewhere(&self, order: &Order) -> Option<String> {
        let country = order.ship_to.country.or(order.bill_to.country);
        let named = |list: &[Country]| country.is_some_and(|country| list.contains(&country));
        let ours =
            (self.countries.is_empty() || named(&self.countries)) && !named(&self.except_countries);
        let word = country.map_or_else(|| "none".to_owned(), |country| country.to_string());
        (!ours).then(|| format!("country:{word}"))
    }

    /// Why an order is not imported, if it is not.
    pub fn passes_over(&self, order: &Order) -> Option<String> {
        if let Some(elsewhere) = self.goes_elsewhere(order) {
            return Some(elsewhere);
        }
        if order.status.life == Life::Trashed || !self.statuses.contains(&order.status.word) {
            return Some(format!("status:{}", order.status.word));
        }
        if order.test && !self.tests {
            return Some("test".to_owned());
        }
        (!self.covers(order.dates.placed)).then(|| "before-start".to_owned())
    }
}
