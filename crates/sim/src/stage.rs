//! A simulated shop and a simulated ERP side by side behind one address, with faults on every wire, people who work by hand on both
//! sides, and a report counted from what the two hold. Nothing here knows what stands between them.

use crate::catalogue::{Catalogue, catalogue};
use crate::fault::{FaultRates, Faults};
use crate::hooks::{HookFaults, HookRates};
use crate::odoo::people::{Person, Touched};
use crate::odoo::{Erp, ErpOptions, ErpOrder, ErpProduct, ErpTax, Version};
use crate::people::People;
use crate::traps::Expected;
use crate::woocommerce::{Shop, ShopOptions, ShopOrder};
use axum::routing::{get, post};
use axum::{Json, Router};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a stage is set.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// The seed of everything.
    pub seed: u64,
    /// Orders of the shop.
    pub orders: usize,
    /// The span over which they are placed; zero: all are there at the start.
    pub over: Duration,
    /// How often each kind of fault strikes on each wire, per request, 0 to 1; 0 is no fault at all.
    pub faults: f64,
    /// People work on both sides by hand while orders come.
    pub people: bool,
    /// Which Odoo is simulated.
    pub erp: Version,
}

/// The path of the shop below the stage's address.
pub const SHOP: &str = "/shop";
/// The path of the ERP.
pub const ERP: &str = "/erp";
/// The database's name in the simulated ERP.
const DATABASE: &str = "simulated";
const SHOP_KEY: &str = "ck_simulated";
const SHOP_SECRET: &str = "cs_simulated";
const ERP_KEY: &str = "simulated-key";
/// The webhook secret of the simulated shop.
pub const WEBHOOK_SECRET: &str = "simulated-webhook-secret";

/// The stage. Clones are the same.
#[derive(Clone)]
pub struct Stage {
    /// The shop.
    pub shop: Shop,
    /// The ERP.
    pub erp: Erp,
    /// Faults before the shop.
    pub shop_faults: Faults,
    /// Faults before the ERP.
    pub erp_faults: Faults,
    /// Faults of webhooks.
    pub hook_faults: HookFaults,
    options: StageOptions,
    home: String,
    touched: Arc<Mutex<Vec<Touched>>>,
}

/// Sums by currency, as decimal strings, over orders that people of neither side touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sums {
    /// What the shop charged for the orders that should be in the ERP.
    pub shop: BTreeMap<String, Decimal>,
    /// What the ERP holds of the shop's orders.
    pub erp: BTreeMap<String, Decimal>,
}

/// Counts of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OrderCounts {
    /// Placed in the shop.
    pub shop: usize,
    /// In the ERP, each counted once.
    pub erp: usize,
    /// More orders in the ERP than the one each should have.
    pub doubled: usize,
    /// Orders that should be in the ERP and are not.
    pub missing: usize,
}

/// Counts of customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CustomerCounts {
    /// More customers in the ERP with one e-mail address than one.
    pub doubled: usize,
}

/// What shop and ERP hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Orders.
    pub orders: OrderCounts,
    /// Customers.
    pub customers: CustomerCounts,
    /// Sums: equal when every order that should be in the ERP is there, at its price.
    pub total: Sums,
    /// Orders confirmed at another total than the shop charged, or set back to an older version of the shop's order.
    pub order_violations: usize,
    /// Orders that people of the ERP touched and that no longer are as those people left them.
    pub edits_overwritten: usize,
    /// Orders that people of the ERP deleted and that were made again.
    pub deletions_undone: usize,
    /// Calls by system and operation.
    pub calls: BTreeMap<String, u64>,
    /// Faults by wire and kind.
    pub faults: BTreeMap<String, u64>,
    /// Orders of the shop not placed yet.
    pub waiting: usize,
}

impl Stage {
    /// A stage that will be served at `home`, such as `http://127.0.0.1:4000`.
    pub fn new(options: StageOptions, home: &str) -> Stage {
        let goods = catalogue(options.seed);
        let shop = Shop::new(ShopOptions {
            seed: options.seed,
            orders: options.orders,
            key: SHOP_KEY.to_owned(),
            secret: SHOP_SECRET.to_owned(),
            over: options.over,
            home: Some(format!("{home}{SHOP}")),
            webhook_secret: WEBHOOK_SECRET.to_owned(),
            ..ShopOptions::default()
        });
        let erp = Erp::new(
            ErpOptions {
                seed: options.seed,
                version: options.erp,
                database: DATABASE.to_owned(),
                key: ERP_KEY.to_owned(),
                race_rate: options.faults,
                languages: vec!["en_US".to_owned(), "fr_FR".to_owned()],
                ..ErpOptions::default()
            },
            erp_products(&goods),
            erp_taxes(&goods),
            goods
                .currencies
                .iter()
                .map(|code| crate::currency(code))
                .collect(),
        );
        let (rates, hooks) = if options.faults > 0.0 {
            (wire_rates(options.faults), hook_rates())
        } else {
            (FaultRates::NONE, HookRates::default())
        };
        Stage {
            shop,
            erp,
            shop_faults: Faults::new(options.seed, rates, crate::woocommerce::error_body),
            erp_faults: Faults::new(options.seed ^ 0xE49, rates, crate::odoo::error_body),
            hook_faults: HookFaults::new(options.seed, hooks),
            home: home.to_owned(),
            options,
            touched: Arc::default(),
        }
    }

    /// Shop, ERP and report on one router.
    pub fn router(&self) -> Router {
        let reporting = self.clone();
        let quieting = self.clone();
        Router::new()
            .nest(SHOP, self.shop_faults.before(self.shop.router()))
            .nest(ERP, self.erp_faults.before(self.erp.router()))
            .route(
                "/__sim/report",
                get(move || async move { Json(reporting.report()) }),
            )
            .route(
                "/__sim/quiet",
                post(move || async move {
                    quieting.quiet();
                    "quiet\n"
                }),
            )
    }

    /// Lets orders arrive, and people work meanwhile, until every order is placed.
    pub async fn arrive(&self) {
        tokio::select! {
            () = self.shop.arrive() => {}
            () = self.people(), if self.options.people => {}
        }
    }

    /// Delivers webhooks for ever.
    pub async fn deliver(&self) {
        self.shop.serve_hooks(self.hook_faults.clone()).await;
    }

    /// No faults any more, on any wire.
    pub fn quiet(&self) {
        self.shop_faults.quiet();
        self.erp_faults.quiet();
        self.hook_faults.quiet();
    }

    /// People of both sides do something from time to time, for ever.
    async fn people(&self) {
        let mut clerk = Person::new(self.options.seed);
        let mut seller = People::new(self.shop.clone(), self.options.seed);
        let pause = self
            .options
            .over
            .div_f64(40.0)
            .max(Duration::from_millis(50));
        loop {
            tokio::time::sleep(pause).await;
            if let Some(touched) = clerk.step(&self.erp) {
                self.touched
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(touched);
            }
            seller.act();
        }
    }

    /// What both sides hold now.
    pub fn report(&self) -> Report {
        let shop = self.shop.orders();
        let erp = self.erp.orders();
        let mut report = Report {
            waiting: self.shop.waiting(),
            ..Report::default()
        };
        let by_number = by_number(&erp);
        report.orders.shop = shop.len();
        report.orders.erp = by_number.len();
        report.orders.doubled = erp.len() - by_number.len();
        for order in &shop {
            let held = by_number.get(order.number.as_str()).copied();
            let untouched =
                order.touched.is_empty() && held.is_none_or(|held| !held.touched_by_person);
            let due = untouched && order.expected == Expected::Imported && !self.was_deleted(order);
            report.orders.missing += usize::from(due && held.is_none());
            let add = |sums: &mut BTreeMap<String, Decimal>, amount: Decimal| {
                *sums.entry(order.currency.to_string()).or_default() += amount;
            };
            if due {
                add(&mut report.total.shop, order.total);
            }
            if let (true, Some(held)) = (untouched, held) {
                add(&mut report.total.erp, held.total);
            }
            report.order_violations +=
                usize::from(untouched && held.is_some_and(|held| violates(order, held)));
        }
        report.customers.doubled = self.doubled_customers();
        self.hand_edits(&mut report);
        self.count_wires(&mut report);
        report
    }

    fn was_deleted(&self, order: &ShopOrder) -> bool {
        self.erp
            .deleted_orders()
            .iter()
            .any(|deleted| deleted.client_order_ref == order.number)
    }

    fn doubled_customers(&self) -> usize {
        let mut seen = BTreeSet::new();
        self.erp
            .partners()
            .iter()
            .filter(|partner| partner.parent.is_none() && partner.created_by_hub)
            .map(|partner| partner.email.trim().to_lowercase())
            .filter(|email| !email.is_empty())
            .filter(|email| !seen.insert(email.clone()))
            .count()
    }

    /// What became of the orders that people of the ERP touched.
    fn hand_edits(&self, report: &mut Report) {
        let touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        let last: BTreeMap<i64, &Touched> = touched.iter().map(|deed| (deed.order, deed)).collect();
        let keys: BTreeSet<String> = self
            .erp
            .orders()
            .into_iter()
            .filter_map(|order| order.key)
            .collect();
        for (id, deed) in last {
            let Some(order) = self.erp.order(id) else {
                continue;
            };
            if order.deleted.is_some() {
                let again = deed.key.as_ref().is_some_and(|key| keys.contains(key));
                report.deletions_undone += usize::from(again);
                continue;
            }
            let (now, left) = (&order.contents, &deed.left);
            let same_lines = now.lines == left.lines;
            report.edits_overwritten += usize::from(!same_lines || now.note != left.note);
        }
    }

    fn count_wires(&self, report: &mut Report) {
        let calls = [("shop", self.shop.calls()), ("erp", self.erp.calls())];
        for (system, counts) in calls {
            for (what, count) in counts {
                report.calls.insert(format!("{system} {what}"), count);
            }
        }
        let faults = [
            ("shop", self.shop_faults.counts()),
            ("erp", self.erp_faults.counts()),
            ("webhooks", self.hook_faults.counts()),
        ];
        for (wire, counts) in faults {
            for (kind, count) in counts {
                report.faults.insert(format!("{wire} {kind}"), count);
            }
        }
    }

    /// A workspace whose connections point at this stage: its files by path. The keys are a simulator's and no secrets.
    pub fn workspace(&self) -> BTreeMap<String, String> {
        let goods = self.shop.catalogue();
        let mut files = BTreeMap::from([
            ("comptoir.toml".to_owned(), MAIN.to_owned()),
            ("connections/shop.toml".to_owned(), self.shop_connection()),
            ("connections/erp.toml".to_owned(), self.erp_connection()),
            ("flows/orders.toml".to_owned(), flow(&goods)),
        ]);
        for (table, rows) in goods.tables() {
            files.insert(format!("tables/{table}.csv"), csv(&rows));
        }
        files
    }

    fn shop_connection(&self) -> String {
        format!(
            "# A simulator, not a WooCommerce; its keys are no secrets.\nconnector = \"woocommerce\"\nurl = \"{}{SHOP}\"\nkey = \"{SHOP_KEY}\"\nsecret = \"{SHOP_SECRET}\"\n",
            self.home
        )
    }

    fn erp_connection(&self) -> String {
        format!(
            "# A simulator, not an Odoo; its key is no secret.\nconnector = \"odoo\"\nurl = \"{}{ERP}\"\ndatabase = \"{DATABASE}\"\nlogin = \"{}\"\nkey = \"{ERP_KEY}\"\n# The simulator works on nothing once a connection is cut.\nsettle_seconds = 1\n",
            self.home,
            self.erp.options().login
        )
    }
}

/// How `comptoir.toml` of a stage's workspace begins.
pub const MARK: &str = "# A workspace for the simulators";

const MAIN: &str =
    "# A workspace for the simulators: impatient, so that a demonstration does not take long.
store = \"sqlite:comptoir.db\"
retry_first_ms = 50
retry_longest_seconds = 1
tries = 30
idle_ms = 50
";

fn flow(goods: &Catalogue) -> String {
    let statuses: Vec<String> = goods
        .statuses
        .iter()
        .map(|status| format!("\"{status}\""))
        .collect();
    format!(
        "kind = \"order\"\nfrom = \"shop\"\nto = \"erp\"\nmode = \"live\"\nstatuses = [{}]\nevery_ms = 500\n\n[policy.products]\nfee = \"FEE\"\nrounding = \"ROUNDING\"\ndiscount = \"DISCOUNT\"\nwithout_sku = \"NOSKU\"\n",
        statuses.join(", ")
    )
}

fn csv(rows: &[(String, String)]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut text = "from,to\n".to_owned();
    for (from, to) in rows {
        text.push_str(&format!("{},{}\n", quoted(from), quoted(to)));
    }
    text
}

fn wire_rates(rate: f64) -> FaultRates {
    FaultRates {
        retry_after: 0,
        slow_for: Duration::from_millis(100),
        restart_for: Duration::from_millis(200),
        ..FaultRates::all(rate)
    }
}

fn hook_rates() -> HookRates {
    HookRates {
        dropped: 0.05,
        doubled: 0.1,
        reordered: 0.1,
        delayed: 0.05,
        delay: Duration::from_millis(500),
    }
}

fn erp_products(goods: &Catalogue) -> Vec<ErpProduct> {
    goods
        .erp_products()
        .into_iter()
        .map(|product| {
            if product.service {
                ErpProduct::service(product.sku, product.name)
            } else {
                ErpProduct::new(product.sku, product.name, Decimal::ONE)
            }
        })
        .collect()
}

fn erp_taxes(goods: &Catalogue) -> Vec<ErpTax> {
    goods
        .erp_taxes
        .iter()
        .map(|tax| ErpTax {
            name: tax.name.to_owned(),
            rate: tax.rate,
            included: false,
            affects_base: tax.affects_base,
        })
        .collect()
}

/// The ERP's orders by the shop's number; the first of several.
fn by_number(orders: &[ErpOrder]) -> BTreeMap<&str, &ErpOrder> {
    let mut found = BTreeMap::new();
    for order in orders {
        found
            .entry(order.client_order_ref.as_str())
            .or_insert(order);
    }
    found
}

/// Whether an order that nobody touched was ever confirmed at another total than the shop charged.
fn violates(order: &ShopOrder, held: &ErpOrder) -> bool {
    let binding = |state: &str| matches!(state, "sale" | "done");
    held.history
        .iter()
        .filter(|version| binding(&version.contents.state))
        .any(|version| version.contents.total != order.total)
}
