//! A hub between the fake shop and the fake ERP, over a store in a temporary folder that can be stopped and opened again.

use crate::fakes::Erp;
use crate::shop::Shop;
use comptoir_engine::connection::Connection;
use comptoir_engine::decide::Verdict;
use comptoir_engine::flow::{Caps, Flow, Mode};
use comptoir_engine::hub::Hub;
use comptoir_engine::observe::{self, Stopped};
use comptoir_engine::point::{Breakpoints, Point};
use comptoir_engine::preview::{self, Preview};
use comptoir_engine::stock::{self, Forecasts};
use comptoir_engine::turn;
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::{Life, Line, LineTax, Order, Status};
use comptoir_rules::policy::{LineProducts, OrderPolicy, Tables};
use comptoir_rules::table::Table;
use comptoir_store::{Ownership, Store, StoreOptions, StoreUrl};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The bench.
pub struct Bench {
    folder: tempfile::TempDir,
    /// The shop.
    pub shop: Shop,
    /// The ERP.
    pub erp: Erp,
    /// The flow, as the next run takes it.
    pub flow: Flow,
    /// More flows, of what goes back to the shop.
    pub back: Vec<Flow>,
    /// Waits of tests are short.
    pub tries: u32,
    ids: Vec<RemoteId>,
}

impl Bench {
    /// A live flow whose tables fit the fakes.
    pub fn new() -> Self {
        let name = |text: &str| text.parse().unwrap();
        let row = |from: &str, to: &str| Table::new([(from.to_owned(), to.to_owned())]);
        let policy = OrderPolicy {
            products: LineProducts {
                rounding: Some("ROUNDING".to_owned()),
                ..LineProducts::default()
            },
            tables: Tables {
                taxes: row("VAT-20", "VAT 20 %"),
                ..Tables::default()
            },
            ..OrderPolicy::default()
        };
        Bench {
            folder: tempfile::tempdir().unwrap(),
            shop: Shop::default(),
            erp: Erp::with_skus(&["MUG", "CUP", "ROUNDING"]),
            flow: Flow {
                name: "orders".parse().unwrap(),
                kind: Kind::Order,
                source: name("shop"),
                target: name("erp"),
                mode: Mode::Live,
                start: None,
                statuses: vec!["processing".to_owned()],
                tests: false,
                countries: Vec::new(),
                except_countries: Vec::new(),
                poll_ms: 0,
                cron: None,
                quiet: None,
                time_zone: "UTC".to_owned(),
                caps: Caps::default(),
                policy,
                rules: Default::default(),
                stock: Default::default(),
                shipment: Default::default(),
                revision: 1,
            },
            back: Vec::new(),
            tries: 3,
            ids: Vec::new(),
        }
    }

    /// Adds a live flow of a kind back from the ERP to the shop.
    pub fn add_back(&mut self, kind: Kind) -> &mut Flow {
        let flow = Flow {
            name: kind.as_str().parse().unwrap(),
            kind,
            source: self.flow.target.clone(),
            target: self.flow.source.clone(),
            ..self.flow.clone()
        };
        self.back.push(flow);
        let last = self.back.len() - 1;
        &mut self.back[last]
    }

    /// The state of a record of a flow, as `state cause`.
    pub async fn stands_in(&self, flow: &str, kind: Kind, id: &str) -> String {
        let store = self.store().await;
        let id = RemoteId::from(id);
        let (flow, ids) = (flow.parse().unwrap(), std::slice::from_ref(&id));
        let works = store.work(&flow, kind, ids).await.unwrap();
        works.get(&id).map_or_else(
            || "unknown".to_owned(),
            |work| {
                format!(
                    "{} {}",
                    work.state.as_str(),
                    work.cause.as_deref().unwrap_or("-")
                )
            },
        )
    }

    /// Places or changes an order of the shop.
    pub fn put(&mut self, id: &str, order: Order) {
        if !self.ids.contains(&id.into()) {
            self.ids.push(id.into());
        }
        self.shop.put(id, order);
    }

    /// Adds an item that cannot be read.
    pub fn put_unreadable(&mut self, id: &str) {
        self.ids.push(id.into());
        self.shop.put_unreadable(id);
    }

    /// The path of the database, to copy it.
    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("road.db")
    }

    /// Opens the store.
    pub async fn store(&self) -> Store {
        let url = StoreUrl::sqlite(self.database());
        Store::open(&url, StoreOptions::default()).await.unwrap()
    }

    /// A hub over the store.
    pub async fn hub(&self, breakpoints: Breakpoints) -> Hub {
        let connections = vec![
            Connection::new("shop".parse().unwrap(), Arc::new(self.shop.clone())),
            Connection::new("erp".parse().unwrap(), Arc::new(self.erp.clone())),
        ];
        let mut flows = vec![self.flow.clone()];
        flows.extend(self.back.iter().cloned());
        let mut hub = Hub::new(self.store().await, connections, flows, "test".to_owned())
            .await
            .unwrap();
        hub.patience.first_ms = 1;
        hub.patience.longest_ms = 2;
        hub.patience.tries = self.tries;
        hub.breakpoints = breakpoints;
        hub
    }

    /// Observes and takes turns until nothing is due any more. Answers the fault that would pause the ERP's connection, if one came.
    pub async fn run(&self) -> Option<Fault> {
        work(&self.hub(Breakpoints::default()).await).await
    }

    /// The same, stopped for good when a point is passed for the `nth` time (from 0). Answers whether it got there.
    pub async fn run_until(&self, point: Point, nth: usize) -> bool {
        let passed = Arc::new(AtomicUsize::new(0));
        let counter = passed.clone();
        let breakpoints =
            Breakpoints::at(move |at| at == point && counter.fetch_add(1, Ordering::SeqCst) == nth);
        let hub = self.hub(breakpoints).await;
        let stopped = async {
            while passed.load(Ordering::SeqCst) <= nth {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Whichever comes first; the other future is dropped where it stands, as a kill would leave it.
        tokio::select! {
            biased;
            () = stopped => true,
            _ = work(&hub) => false,
        }
    }

    /// What would be written for everything that is open.
    pub async fn preview(&self) -> Vec<Preview> {
        let hub = self.hub(Breakpoints::default()).await;
        let erp = &hub.connections[&"erp".parse().unwrap()];
        let account = Arc::new(erp.connector.probe().await.unwrap());
        let works = hub.store.open_work(&self.flow.name, 100).await.unwrap();
        preview::preview(&hub, erp, account, works).await.unwrap()
    }

    /// The state of every order in the flow, its links and intents, as text.
    pub async fn state(&self) -> String {
        let store = self.store().await;
        let name = &self.flow.name;
        let works = store.work(name, Kind::Order, &self.ids).await.unwrap();
        let intents = store
            .intents_of(name, Kind::Order, &self.ids)
            .await
            .unwrap();
        let mut text = String::new();
        for id in &self.ids {
            let Some(work) = works.get(id) else {
                text.push_str(&format!("{id}: unknown\n"));
                continue;
            };
            let cause = work.cause.as_deref().unwrap_or("-");
            text.push_str(&format!(
                "{id}: {} {cause} tries {}\n",
                work.state.as_str(),
                work.tries
            ));
            let part = (id.clone(), String::new());
            let links = store
                .links(
                    &self.flow.source,
                    Kind::Order,
                    std::slice::from_ref(&part),
                    &self.flow.target,
                )
                .await
                .unwrap();
            if let Some(link) = links.get(&part) {
                text.push_str(&format!("  link {} {:?}\n", link.dst_id, link.state));
            }
            for intent in intents.iter().filter(|intent| intent.src == *id) {
                let (step, state) = (intent.step.as_str(), intent.state.as_str());
                text.push_str(&format!("  {step} {state}\n"));
            }
        }
        text
    }

    /// The state of one order, as `state cause`.
    pub async fn stands(&self, id: &str) -> String {
        self.stands_in(self.flow.name.as_str(), Kind::Order, id)
            .await
    }

    /// A person answers a held order.
    pub async fn answer(&self, id: &str, verdict: Verdict) {
        let store = self.store().await;
        store
            .approve(&self.flow.name, Kind::Order, &[id.into()], verdict.as_str())
            .await
            .unwrap();
    }

    /// Has an order decided again, whatever its state.
    pub async fn touch(&self, id: &str) {
        let store = self.store().await;
        store
            .touch(&self.flow.name, Kind::Order, &[id.into()])
            .await
            .unwrap();
    }

    /// Lets everything that is held or waits be decided again, as a new revision does.
    pub async fn reconsider(&self) {
        self.store()
            .await
            .reconsider(&self.flow.name)
            .await
            .unwrap();
    }
}

async fn work(hub: &Hub) -> Option<Fault> {
    let shop = &hub.connections[&"shop".parse().unwrap()];
    let erp = &hub.connections[&"erp".parse().unwrap()];
    let own = async |connection: &Connection| {
        hub.store
            .acquire(&connection.name, "test", 60_000, |_| true)
            .await
            .unwrap()
            .unwrap()
    };
    let reader = own(shop).await;
    let writer = own(erp).await;
    let account = Arc::new(erp.connector.probe().await.unwrap());
    let mut way_back = WayBack::new(hub, &reader, &writer).await;
    // Far more than any of the tests needs; a road that never ends is a failure.
    for _ in 0..60 {
        if let Err(Stopped::Fault(fault)) = observe::observe(hub, shop, &reader).await {
            return Some(fault);
        }
        let (report, fault) = turn::pass(hub, erp, account.clone(), &writer)
            .await
            .unwrap();
        if fault.is_some() {
            return fault;
        }
        let back = match way_back.run().await {
            Ok(records) => records,
            Err(fault) => return Some(fault),
        };
        if report.records + back == 0 {
            let soon = hub.store.now().await.unwrap() + 1_000;
            let due = async |connection: &Connection, kinds: &[Kind]| {
                let due = hub.store.due(&connection.name, kinds, soon, 1).await;
                due.unwrap().len()
            };
            let left = due(erp, &[Kind::Order]).await;
            if left + due(shop, &[Kind::Shipment, Kind::Stock]).await == 0 {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    panic!("it does not settle");
}

/// What goes back from the ERP to the shop: nothing when no flow does.
struct WayBack<'a> {
    hub: &'a Hub,
    shop: &'a Connection,
    erp: &'a Connection,
    account: Arc<Account>,
    of_shop: &'a Ownership,
    of_erp: &'a Ownership,
    forecasts: Forecasts,
}

impl<'a> WayBack<'a> {
    async fn new(hub: &'a Hub, of_shop: &'a Ownership, of_erp: &'a Ownership) -> Self {
        let shop = &hub.connections[&"shop".parse().unwrap()];
        WayBack {
            hub,
            shop,
            erp: &hub.connections[&"erp".parse().unwrap()],
            account: Arc::new(shop.connector.probe().await.unwrap()),
            of_shop,
            of_erp,
            forecasts: Forecasts::default(),
        }
    }

    /// Reads the ERP and writes to the shop once. Answers how many records were worked on.
    async fn run(&mut self) -> Result<usize, Fault> {
        if self.hub.flows.len() == 1 {
            return Ok(0);
        }
        if let Err(Stopped::Fault(fault)) = observe::observe(self.hub, self.erp, self.of_erp).await
        {
            return Err(fault);
        }
        let documents = turn::pass(self.hub, self.shop, self.account.clone(), self.of_shop);
        let (report, fault) = documents.await.unwrap();
        if let Some(fault) = fault {
            return Err(fault);
        }
        let items = stock::pass::pass(self.hub, self.shop, self.of_shop, &mut self.forecasts);
        let (of_stock, fault) = items.await.unwrap();
        fault.map_or(Ok(report.records + of_stock.records), Err)
    }
}

/// An order of one mug at 12.00 with tax, ready to be imported.
pub fn order(number: &str, email: &str) -> Order {
    let mut order = Order::empty(number, "EUR".parse().unwrap());
    order.status = Status {
        word: "processing".to_owned(),
        life: Life::Open,
        ..Status::default()
    };
    order.email = email.to_owned();
    order.bill_to.last_name = "Exemple".to_owned();
    order.bill_to.line1 = "1 rue de l’Essai".to_owned();
    order.lines = vec![mug("1", "10.00", "2.00")];
    total(&mut order);
    order
}

/// A line of one mug.
pub fn mug(id: &str, net: &str, tax: &str) -> Line {
    Line {
        id: id.to_owned(),
        product: Some("1".into()),
        sku: "MUG".to_owned(),
        title: "Mug".to_owned(),
        quantity: 1.into(),
        unit_price: net.parse().unwrap(),
        subtotal: net.parse().unwrap(),
        net: net.parse().unwrap(),
        tax: tax.parse().unwrap(),
        taxes: vec![LineTax {
            code: "VAT-20".to_owned(),
            amount: tax.parse().unwrap(),
        }],
        ..Line::default()
    }
}

/// Makes the totals follow the lines.
pub fn total(order: &mut Order) {
    order.totals.tax = order.lines.iter().map(|line| line.tax).sum();
    order.totals.total = order.lines.iter().map(|line| line.net + line.tax).sum();
}
