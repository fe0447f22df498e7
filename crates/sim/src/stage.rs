//! A simulated shop and a simulated ERP side by side behind one address, with faults on every wire, people who work by hand on both
//! sides, and a report counted from what the two hold. Nothing here knows what stands between them.

mod compare;

pub use compare::{NOT_IN_THE_ERP, Undone};

use crate::catalogue::{Catalogue, catalogue};
use crate::fault::{FaultRates, Faults};
use crate::hooks::{HookFaults, HookRates};
use crate::odoo::people::{Person, Touched};
use crate::odoo::{Erp, ErpOptions, ErpProduct, ErpTax, Version};
use crate::people::People;
use crate::withhold::{Withheld, Withholder};
use crate::woocommerce::{Shop, ShopOptions};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use compare::Books;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
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
/// How long a write is waited for whose answer shall be withheld.
const NEXT_WRITE: Duration = Duration::from_secs(3);
/// Key and secret of the simulated shop that may only read.
pub const READER: (&str, &str) = ("ck_simulated_reader", "cs_simulated_reader");
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
    /// Answers of the ERP that are withheld after their effect.
    pub withholder: Withholder,
    options: StageOptions,
    home: String,
    touched: Arc<Mutex<Vec<Touched>>>,
}

/// Sums by currency, as decimal strings, over orders that people of neither side touched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// What the shop charged for the orders that should be in the ERP.
    pub shop: BTreeMap<String, Decimal>,
    /// What the ERP holds of the shop's orders.
    pub erp: BTreeMap<String, Decimal>,
}

/// Counts of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCounts {
    /// Placed in the shop.
    pub shop: usize,
    /// In the ERP, each counted once.
    pub erp: usize,
    /// More orders in the ERP than the one each should have.
    pub doubled: usize,
    /// Untouched orders that should be in the ERP and are not.
    pub missing: usize,
}

/// Counts of customers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerCounts {
    /// More customers in the ERP with one e-mail address than one.
    pub doubled: usize,
}

/// What shop and ERP hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Orders.
    pub orders: OrderCounts,
    /// Customers.
    pub customers: CustomerCounts,
    /// Sums: equal when every order that should be in the ERP is there, at its price.
    pub total: Sums,
    /// Orders confirmed at another total than the shop charged, or set back to an older version of the shop's order. Those that
    /// people of the ERP touched are not looked at, nor are the totals of those that people of the shop changed.
    pub order_violations: usize,
    /// Orders that people of the ERP touched and that no longer are as those people left them, crossings aside.
    pub edits_overwritten: usize,
    /// Those, in words.
    pub overwritten: Vec<String>,
    /// Orders that are not as people of the ERP left them because a write crossed with theirs: whoever sent it had looked at the order
    /// just before, and could not know.
    pub edits_crossed: usize,
    /// Those, in words.
    pub crossed: Vec<String>,
    /// Orders that people of the ERP deleted and that were made again.
    pub deletions_undone: usize,
    /// Those.
    pub undone: Vec<Undone>,
    /// Ids of the shop's orders that people of either side touched.
    pub touched: BTreeSet<String>,
    /// Ids of orders that only people of the shop touched and that are not in the ERP as the shop has them now, and why. Once
    /// everything has settled they must be held.
    pub differing: BTreeMap<String, String>,
    /// Ids of untouched orders that must be held, by cause.
    pub planted: BTreeMap<String, BTreeSet<String>>,
    /// Untouched orders that are not as they must be once everything has settled, in words.
    pub wrong: Vec<String>,
    /// Calls by system and operation.
    pub calls: BTreeMap<String, u64>,
    /// Calls that changed something, by system.
    pub writes: BTreeMap<String, u64>,
    /// Answers of the ERP that were withheld after their effect.
    pub withheld: Withheld,
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
            reader: Some((READER.0.to_owned(), READER.1.to_owned())),
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
            withholder: Withholder::default(),
            home: home.to_owned(),
            options,
            touched: Arc::default(),
        }
    }

    /// Shop, ERP and report on one router.
    pub fn router(&self) -> Router {
        let reporting = self.clone();
        let quieting = self.clone();
        let withholder = self.withholder.clone();
        let erp = self.withholder.before(self.erp.router());
        Router::new()
            .nest(SHOP, self.shop_faults.before(self.shop.router()))
            .nest(ERP, self.erp_faults.before(erp))
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
            // Answers once a write's effect is done and its caller waits for an answer that does not come for some seconds.
            .route(
                "/__sim/withhold",
                post(move || async move {
                    match withholder.next(NEXT_WRITE).await {
                        true => (StatusCode::OK, "withheld\n"),
                        false => (StatusCode::GATEWAY_TIMEOUT, "no write came\n"),
                    }
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
        let deleted = self.erp.deleted_orders();
        let books = Books::new(&erp, &deleted, self.shop.catalogue().statuses.clone());
        report.orders.shop = shop.len();
        report.orders.erp = books.count();
        report.orders.doubled = erp.len() - books.count();
        for order in &shop {
            books.add(order, &mut report);
        }
        report.customers.doubled = self.doubled_customers();
        let touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        compare::hand_edits(&shop, &self.erp, &touched, &mut report);
        drop(touched);
        self.count_wires(&mut report);
        report.withheld = self.withholder.counts();
        report
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

    fn count_wires(&self, report: &mut Report) {
        let calls = [("shop", self.shop.calls()), ("erp", self.erp.calls())];
        for (system, counts) in calls {
            for (what, count) in counts {
                report.calls.insert(format!("{system} {what}"), count);
            }
        }
        let writes = [("shop", self.shop.writes()), ("erp", self.erp.writes())];
        report
            .writes
            .extend(writes.map(|(system, count)| (system.to_owned(), count)));
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

/// Rows of a look-up table as the text of its file.
pub fn csv(rows: &[(String, String)]) -> String {
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
