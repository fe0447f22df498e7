//! The demonstration with other systems: shops and an ERP of any kind, orders there, stock and parcels back, and the comparison of both
//! sides at the end.

use super::{DemoArguments, Erp, FAULTS, Folder, LONGEST, OVER, Shop};
use crate::cli::serve::{self, told_to_stop};
use crate::cli::{Context, reconcile};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace, owner_name};
use crate::{config, out};
use comptoir_engine::hub::Hub;
use comptoir_engine::reconcile::{Reconciled, Scope, Stopped};
use comptoir_model::key::Kind;
use comptoir_sim::market::{self, ErpKind, Others, Settings, ShopKind};
use comptoir_sim::server::Server;
use comptoir_sim::stage;
use comptoir_store::WorkState;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Items beside those that are ordered.
const OTHERS: Others = Others(200);

/// The systems, each on a port of its own.
struct Market {
    shops: Vec<(&'static str, market::Shop, Server)>,
    erp: market::Erp,
    at_erp: Server,
}

impl Market {
    async fn open(arguments: &DemoArguments) -> std::io::Result<Self> {
        let rate = if arguments.no_faults { 0.0 } else { FAULTS };
        let mut shops = Vec::new();
        for (index, shop) in arguments.shops.iter().enumerate() {
            let (name, kind) = match shop {
                Shop::Woocommerce => ("woocommerce", ShopKind::Woocommerce),
                Shop::Prestashop => ("prestashop", ShopKind::Prestashop),
            };
            let seed = arguments.seed + 1_000 * index as u64;
            let shop = market::Shop::new(kind, seed, arguments.orders, OVER, OTHERS, rate);
            let server = Server::start(shop.router()).await?;
            shops.push((name, shop, server));
        }
        let kind = match arguments.erp {
            Erp::Dolibarr => ErpKind::Dolibarr,
            _ => ErpKind::Odoo,
        };
        let goods = comptoir_sim::catalogue::catalogue(arguments.seed);
        let erp = market::Erp::new(kind, arguments.seed, &goods, OTHERS, rate);
        let at_erp = Server::start(erp.router()).await?;
        Ok(Market { shops, erp, at_erp })
    }

    fn workspace(&self) -> Result<BTreeMap<String, String>, Failure> {
        let main = format!(
            "{}\nstore = \"sqlite:comptoir.db\"\nretry_first_ms = 50\nretry_longest_seconds = 1\ntries = 30\nidle_ms = 50\n",
            stage::MARK
        );
        let mut files = BTreeMap::from([("comptoir.toml".to_owned(), main)]);
        let erp = self.erp.settings(&self.at_erp.url());
        files.insert("connections/erp.toml".to_owned(), connection(&erp)?);
        let share = if self.shops.len() > 1 { "0.5" } else { "1" };
        for (name, shop, server) in &self.shops {
            let settings = shop.settings(&server.url());
            files.insert(format!("connections/{name}.toml"), connection(&settings)?);
            let mut tables = shop.tables();
            tables.insert("taxes", self.erp.taxes(shop));
            let mut named = String::new();
            for (table, rows) in tables {
                files.insert(format!("tables/{table}-{name}.csv"), stage::csv(&rows));
                named.push_str(&format!("{table} = \"{table}-{name}\"\n"));
            }
            let statuses = toml::Value::from(shop.statuses());
            files.insert(format!("flows/orders-{name}.toml"), format!(
                "kind = \"order\"\nfrom = \"{name}\"\nto = \"erp\"\nmode = \"live\"\nstatuses = {statuses}\nevery_ms = 500\n\n[policy.products]\nfee = \"FEE\"\nrounding = \"ROUNDING\"\ndiscount = \"DISCOUNT\"\nwithout_sku = \"NOSKU\"\n\n[tables]\n{named}"
            ));
            files.insert(format!("flows/stock-{name}.toml"), format!(
                "kind = \"stock\"\nfrom = \"erp\"\nto = \"{name}\"\nmode = \"live\"\nevery_ms = 500\n\n[stock]\nshare = \"{share}\"\nzeros_at_most_percent = 100\n"
            ));
            files.insert(format!("flows/shipments-{name}.toml"), format!(
                "kind = \"shipment\"\nfrom = \"erp\"\nto = \"{name}\"\nmode = \"live\"\nevery_ms = 500\n"
            ));
        }
        Ok(files)
    }

    fn quiet(&self) {
        self.shops.iter().for_each(|(_, shop, _)| shop.quiet());
        self.erp.quiet();
    }

    fn placed(&self) -> usize {
        self.shops.iter().map(|(_, shop, _)| shop.placed()).sum()
    }

    fn struck(&self) -> u64 {
        self.shops
            .iter()
            .map(|(_, shop, _)| shop.struck())
            .sum::<u64>()
            + self.erp.struck()
    }

    /// Orders arrive one shop after the other while people of all sides work.
    async fn arrive(&self, seed: u64) {
        let arriving = async {
            for (_, shop, _) in &self.shops {
                shop.arrive().await;
            }
        };
        let people = async {
            let mut dice = StdRng::seed_from_u64(seed);
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.erp.step(&mut dice);
                self.shops
                    .iter()
                    .for_each(|(_, shop, _)| shop.step(&mut dice));
            }
        };
        tokio::select! {
            () = arriving => {}
            () = people => {}
        }
    }
}

fn connection(settings: &Settings) -> Result<String, Failure> {
    let values = toml::to_string(&settings.values)
        .map_err(|error| Failure::new(exit::CONFIGURATION, error.to_string()))?;
    Ok(format!(
        "# A simulator; its keys are no secrets.\nconnector = \"{}\"\nsettle_seconds = 1\n{values}",
        settings.connector
    ))
}

/// Runs the demonstration.
pub async fn run(context: &Context, arguments: &DemoArguments) -> Result<u8, Failure> {
    let began = Instant::now();
    let folder = Folder::new()?;
    let market = Market::open(arguments).await?;
    config::write(&folder.0, &market.workspace()?)?;
    let workspace = Workspace::open(&folder.0, Role::Serve).await?;
    let hub = Arc::new(workspace.hub(&owner_name()).await?);
    let (stop, stopped) = watch::channel(false);
    let mut tasks = serve::start(&hub, &workspace, stopped);
    let names: Vec<&str> = market.shops.iter().map(|(name, ..)| *name).collect();
    out::talk(format!(
        "{} {} + {:?} ({} {})",
        context.either(
            "Simulators, no real systems:",
            "Des simulateurs, pas de vrais systèmes :"
        ),
        names.join(", "),
        arguments.erp,
        arguments.orders * names.len(),
        context.either("orders", "commandes"),
    ));
    let day = async {
        market.arrive(arguments.seed).await;
        market.quiet();
        market.erp.track_the_rest();
        // What people of a shop set by hand without a word is found by the reading of everything that each night brings.
        for connection in hub.connections.values() {
            hub.store.read_again(&connection.name, Kind::Stock).await?;
            connection.look.notify_one();
        }
        evening(context, &market, &hub).await
    };
    let reports = tokio::select! {
        reports = day => reports?,
        () = told_to_stop() => BTreeMap::new(),
    };
    for (flow, report) in &reports {
        reconcile::show(context, flow, report);
    }
    let agree = !reports.is_empty() && reports.values().all(settled);
    let struck = context.either("faults met", "pannes rencontrées");
    let verdict = match agree {
        true => context.either("✓ both sides agree", "✓ les deux côtés concordent"),
        false => context.either("✗ the sides do not agree", "✗ les côtés ne concordent pas"),
    };
    let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    out::line(format!(
        "{} {struck}\n{verdict} ({seconds} s, seed {})",
        market.struck(),
        arguments.seed
    ));
    if !arguments.once {
        out::talk(format!(
            "comptoir status --workspace {}",
            folder.0.display()
        ));
        told_to_stop().await;
    }
    stop.send(true).ok();
    while tasks.join_next().await.is_some() {}
    hub.store.close().await;
    Ok(if agree { exit::OK } else { exit::FINDINGS })
}

fn settled(report: &Reconciled) -> bool {
    report.drift.is_empty() && report.under_way == 0
}

/// Waits until nothing is under way any more and both sides agree, or for as long as it is worth.
async fn evening(
    context: &Context,
    market: &Market,
    hub: &Hub,
) -> Result<BTreeMap<String, Reconciled>, Failure> {
    let deadline = Instant::now() + LONGEST;
    loop {
        let counts = hub.store.counts().await?;
        let open = counts
            .iter()
            .filter(|row| matches!(row.state, WorkState::Due | WorkState::Waiting));
        let open: u64 = open.map(|row| row.count).sum();
        let under_way = context.either("under way", "en cours");
        out::progress(format!("{} + {open} {under_way}", market.placed()));
        if open == 0 || Instant::now() > deadline {
            let mut reports = BTreeMap::new();
            for flow in &hub.flows {
                let report =
                    comptoir_engine::reconcile::reconcile(hub, flow, Scope::default()).await;
                let report = report.map_err(|stopped| match stopped {
                    Stopped::Store(error) => error.into(),
                    Stopped::Fault(fault) => Failure::new(exit::FINDINGS, fault.to_string()),
                });
                reports.insert(flow.name.to_string(), report?);
            }
            if reports.values().all(settled) || Instant::now() > deadline {
                out::progress_done();
                return Ok(reports);
            }
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
