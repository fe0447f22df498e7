//! Comptoir beside the naive loop, on the same mock, in one invocation: `cargo bench -p comptoir --bench flows -- [--quick] [--flow a]`.
//!
//! `docs/performance.md` says what is measured and what came out.

mod bare;
mod bare_stock;
mod call;
mod erp;
mod fixed;
mod goals;
mod mock;
mod orders;
mod process;
mod runs;
mod senders;
mod shelf;
mod shop;
mod stock;
mod wire;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};

/// Measures Comptoir beside the naive loop.
#[derive(Debug, Parser)]
struct Arguments {
    /// One run of each, and fewer orders.
    #[arg(long)]
    quick: bool,
    /// Interleaved runs of each; the median counts.
    #[arg(long)]
    runs: Option<usize>,
    /// One flow only.
    #[arg(long)]
    flow: Option<Flow>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    process: Option<Part>,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Flow {
    /// A burst of webhooks.
    A,
    /// A backfill.
    B,
    /// Stock of a hundred thousand items, of which one in a hundred changed.
    C,
    /// Webhooks at 20 per second.
    Steady,
    /// A burst, with an ERP that takes its time.
    Erp,
    /// Memory at rest, and time to the first webhook.
    Idle,
    /// Kills and faults.
    Faults,
}

/// The other processes of a run, which this program starts itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// Shop and ERP.
    #[command(hide = true)]
    Mock,
    /// The naive loop.
    #[command(hide = true)]
    Bare(bare::BareArguments),
    /// The naive loop of flow C.
    #[command(hide = true)]
    BareStock(bare_stock::StockArguments),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match &arguments.process {
        Some(Part::Mock) => return mock::run(),
        Some(Part::Bare(bare)) => return bare::run(bare),
        Some(Part::BareStock(bare)) => return bare_stock::run(bare),
        None => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let runs = arguments
        .runs
        .unwrap_or(if arguments.quick { 1 } else { 3 });
    let mut report = goals::Report::new(arguments.quick, runs);
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let wanted = |flow| arguments.flow.is_none_or(|only| only == flow);
        if wanted(Flow::A) {
            report.bursts().await?;
        }
        if wanted(Flow::Steady) {
            report.steady().await?;
        }
        if wanted(Flow::Erp) {
            report.slow_erp().await?;
        }
        if wanted(Flow::B) {
            report.backfill().await?;
        }
        if wanted(Flow::C) {
            report.stock().await?;
        }
        if wanted(Flow::Idle) {
            report.idle().await?;
        }
        if wanted(Flow::Faults) {
            report.faults().await?;
        }
        report.table()
    })
}
