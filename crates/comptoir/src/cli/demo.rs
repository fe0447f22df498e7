//! `demo`: a simulated shop and a simulated ERP, every trap, faults on; the hub between them; and the proof that both sides agree.

mod market;
mod tally;

use super::explain::{self, explain};
use super::serve::{self, told_to_stop};
use super::{Context, hold, sim};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace, owner_name};
use crate::{console, hooks, out, words};
use clap::Args;
use comptoir_engine::hub::Hub;
use comptoir_model::key::{FlowName, RemoteId};
use comptoir_sim::odoo::Version;
use comptoir_sim::stage::{Stage, StageOptions};
use comptoir_store::WorkState;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally::{Money, Orders, Tally, tally};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Ends with the summary; without it everything goes on running, to be looked at.
    #[arg(long)]
    once: bool,
    /// Orders of the shop.
    #[arg(long, default_value_t = 500)]
    orders: usize,
    /// The seed of everything: the same seed makes the same orders.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// No faults on the wires.
    #[arg(long)]
    no_faults: bool,
    /// The shops to simulate.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "woocommerce")]
    shops: Vec<Shop>,
    /// The ERP to simulate; a number is a version of Odoo.
    #[arg(long, value_enum, default_value_t = Erp::Odoo)]
    erp: Erp,
}

/// A shop that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shop {
    /// WooCommerce 11
    Woocommerce,
    /// PrestaShop 8.2
    Prestashop,
}

/// An ERP that can be simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Erp {
    /// Odoo 19.0
    Odoo,
    /// Dolibarr 17
    Dolibarr,
    /// 16.0
    #[value(name = "16")]
    V16,
    /// 17.0
    #[value(name = "17")]
    V17,
    /// 18.0
    #[value(name = "18")]
    V18,
}

impl Erp {
    /// The version of Odoo, if it is one.
    fn odoo(self) -> Option<Version> {
        Some(match self {
            Erp::Odoo => Version::V19,
            Erp::V16 => Version::V16,
            Erp::V17 => Version::V17,
            Erp::V18 => Version::V18,
            Erp::Dolibarr => return None,
        })
    }
}

/// Orders arrive over this span.
const OVER: Duration = Duration::from_secs(4);
/// How often each of the eight kinds of fault strikes, per request: one request in twelve meets one.
const FAULTS: f64 = 0.01;
/// What has not settled by then will not.
const LONGEST: Duration = Duration::from_secs(120);

/// The summary as JSON.
#[derive(Debug, Serialize)]
struct Summary<'a> {
    seed: u64,
    orders: &'a Orders,
    total: &'a BTreeMap<String, Money>,
    agree: bool,
    seconds: f64,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: DemoArguments) -> Result<u8, Failure> {
    let began = Instant::now();
    let version = match (&*arguments.shops, arguments.erp.odoo()) {
        ([Shop::Woocommerce], Some(version)) => version,
        _ => return market::run(context, &arguments).await,
    };
    let folder = Folder::new()?;
    let inside = Context {
        dir: folder.0.clone(),
        ..*context
    };
    let stage_listener = TcpListener::bind("127.0.0.1:0").await?;
    let hub_listener = TcpListener::bind("127.0.0.1:0").await?;
    let hub_address = format!("http://{}", hub_listener.local_addr()?);
    let options = StageOptions {
        seed: arguments.seed,
        orders: arguments.orders,
        over: OVER,
        faults: if arguments.no_faults { 0.0 } else { FAULTS },
        people: false,
        erp: version,
    };
    let stage = Stage::new(options, &format!("http://{}", stage_listener.local_addr()?));
    sim::write_workspace(&inside.dir, &stage, Some(&hub_address))?;
    let served = tokio::spawn(axum::serve(stage_listener, stage.router()).into_future());
    let workspace = Workspace::open(&inside.dir, Role::Serve).await?;
    let hub = Arc::new(workspace.hub(&owner_name()).await?);
    let door = hooks::Door::new(hub.clone());
    let desk = console::Desk::new(hub.clone(), &workspace);
    let web = tokio::spawn(serve::answer(hub_listener, door, desk));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = serve::start(&hub, &workspace, stopped);
    let deliveries = stage.clone();
    let deliveries = tokio::spawn(async move { deliveries.deliver().await });
    say_what_runs(context, &arguments);
    let settled = tokio::select! {
        settled = run_through(context, &stage, &hub) => settled?,
        () = told_to_stop() => false,
        failed = tasks.join_next() => {
            if let Some(Ok(Err(error))) = failed {
                return Err(error.into());
            }
            false
        }
    };
    let counted = tally(&stage, &holds(&workspace).await?);
    let complete = settled && counted.orders.shop == arguments.orders;
    let agree =
        complete && counted.wrong.is_empty() && counted.orders.lost + counted.orders.doubled == 0;
    let summary = Summary {
        seed: arguments.seed,
        orders: &counted.orders,
        total: &counted.total,
        agree,
        seconds: (began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
    };
    if context.json {
        out::json(&summary);
    } else {
        show(&inside, &stage, &workspace, &counted, &summary).await?;
    }
    if !arguments.once {
        let text = context.either(
            "It goes on; look at it from another terminal, end it with Ctrl-C:",
            "Tout continue ; à regarder d'un autre terminal, fin avec Ctrl-C :",
        );
        out::talk(format!(
            "{text}\n  comptoir status --workspace {}",
            inside.dir.display()
        ));
        told_to_stop().await;
    }
    stop.send(true).ok();
    while tasks.join_next().await.is_some() {}
    web.abort();
    served.abort();
    deliveries.abort();
    hub.store.close().await;
    Ok(if agree { exit::OK } else { exit::FINDINGS })
}

/// A folder that goes when the demonstration ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("comptoir-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn say_what_runs(context: &Context, arguments: &DemoArguments) {
    let faults = match (arguments.no_faults, context.either("en", "fr")) {
        (true, "fr") => "sans pannes",
        (true, _) => "no faults",
        (false, "fr") => "pannes de toutes sortes",
        (false, _) => "faults of every kind",
    };
    let text = context.either(
        "A simulated shop (not WooCommerce) and a simulated ERP (not Odoo):",
        "Une boutique simulée (pas WooCommerce) et un ERP simulé (pas Odoo) :",
    );
    let orders = context.either("orders", "commandes");
    out::talk(format!(
        "{text} {} {orders}, {faults}, seed {}",
        arguments.orders, arguments.seed
    ));
}

/// Lets all orders arrive and waits until nothing is left to do. Answers whether that came.
async fn run_through(context: &Context, stage: &Stage, hub: &Hub) -> Result<bool, Failure> {
    let deadline = Instant::now() + LONGEST;
    let arriving = stage.arrive();
    tokio::pin!(arriving);
    let mut arrived = false;
    let mut quiet = 0;
    while Instant::now() < deadline {
        tokio::select! {
            () = &mut arriving, if !arrived => arrived = true,
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
        let counts = hub.store.counts().await?;
        let sum = |states: &[WorkState]| -> u64 {
            let rows = counts.iter().filter(|row| states.contains(&row.state));
            rows.map(|row| row.count).sum()
        };
        let open = sum(&[WorkState::Due, WorkState::Waiting]);
        let seen = open + sum(&[WorkState::Done, WorkState::Skipped, WorkState::Held]);
        let placed = stage.shop.orders().len() as u64;
        out::progress(format!(
            "{placed} {} / {seen} {} / {open} {}",
            context.either("placed", "passées"),
            context.either("seen", "vues"),
            context.either("under way", "en cours")
        ));
        quiet = if arrived && open == 0 && seen == placed {
            quiet + 1
        } else {
            0
        };
        if quiet >= 5 {
            out::progress_done();
            return Ok(true);
        }
    }
    out::progress_done();
    Ok(false)
}

async fn holds(workspace: &Workspace) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let held = hold::list(workspace, comptoir_model::code::Language::English).await?;
    Ok(held
        .into_iter()
        .map(|group| (group.cause, group.records.into_iter().collect()))
        .collect())
}

async fn show(
    context: &Context,
    stage: &Stage,
    workspace: &Workspace,
    counted: &Tally,
    summary: &Summary<'_>,
) -> Result<(), Failure> {
    show_traps(context, counted);
    show_faults(context, stage);
    let flow: FlowName = "orders"
        .parse()
        .map_err(|_| Failure::new(exit::CONFIGURATION, "orders"))?;
    let held = counted.planted.values().flatten().next();
    let examples = [
        (held, context.either("One that is held:", "Une retenue :")),
        (
            counted.rounded.first(),
            context.either(
                "One with a rounding line:",
                "Une avec une ligne d'arrondi :",
            ),
        ),
    ];
    for (id, title) in examples {
        let Some(id) = id else { continue };
        out::line(format!("\n{title}"));
        let explanation = explain(context, workspace, &flow, &RemoteId::from(id.as_str())).await?;
        explain::show(context, &explanation);
    }
    show_sums(context, counted, summary);
    Ok(())
}

fn show_traps(context: &Context, counted: &Tally) {
    out::line(context.either(
        "trap                                  orders  in ERP    held skipped",
        "piège                              commandes dans ERP retenues ignorées",
    ));
    for (trap, sum) in &counted.traps {
        out::line(format!(
            "{:<36} {:>7} {:>7} {:>7} {:>7}",
            trap.name(),
            sum.orders,
            sum.in_erp,
            sum.held,
            sum.skipped
        ));
    }
}

fn show_faults(context: &Context, stage: &Stage) {
    let struck = stage.shop_faults.struck() + stage.erp_faults.struck();
    let text = context.either("Faults met by the hub:", "Pannes rencontrées par le hub :");
    out::line(format!("\n{text} {struck}"));
}

fn show_sums(context: &Context, counted: &Tally, summary: &Summary<'_>) {
    out::line("");
    for (cause, ids) in &counted.planted {
        let text = context.either("held because of", "retenues à cause de");
        out::line(format!("{:>5} {text} {cause}", ids.len()));
    }
    for (currency, money) in &counted.total {
        let Ok(currency) = currency.parse() else {
            continue;
        };
        let amount = |value| words::money(context.language, value, currency);
        out::line(format!(
            "{} {} = ERP {} + {} {} + {} {} ({} {})",
            context.either("shop", "boutique"),
            amount(money.shop),
            amount(money.erp),
            context.either("held", "retenu"),
            amount(money.held),
            context.either("skipped", "ignoré"),
            amount(money.skipped),
            context.either("rounding in it", "dont arrondis"),
            amount(money.rounding)
        ));
    }
    let orders = &counted.orders;
    out::line(format!(
        "{} {} = ERP {} + {} {} + {} {}; {} {}, {} {}",
        context.either("orders: shop", "commandes : boutique"),
        orders.shop,
        orders.erp,
        context.either("held", "retenues"),
        orders.held,
        context.either("skipped", "ignorées"),
        orders.skipped,
        context.either("lost", "perdues"),
        orders.lost,
        context.either("doubled", "doublées"),
        orders.doubled
    ));
    for wrong in &counted.wrong {
        out::line(format!("✗ {wrong}"));
    }
    let verdict = if summary.agree {
        context.either(
            "✓ both sides agree, to the cent",
            "✓ les deux côtés concordent, au centime",
        )
    } else {
        context.either(
            "✗ the two sides do not agree",
            "✗ les deux côtés ne concordent pas",
        )
    };
    out::line(format!(
        "{verdict} ({} s, seed {})",
        summary.seconds, summary.seed
    ));
}
