//! The naive loop of flow C: reads every quant, a thousand per call, compares with what it wrote down the last time, and sends what
//! differs in batches of a hundred. It keeps no books beside that file, and reads no orders.

use crate::bare::Systems;
use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Rows per call.
const ROWS: usize = 1_000;
/// Items per batch.
const BATCH: usize = 100;

/// How the loop runs.
#[derive(Debug, Clone, Args)]
pub struct StockArguments {
    /// Shop and ERP, `host:port`.
    #[arg(long)]
    mock: String,
    /// What was written down the last time: the shop's item and its quantity, by product.
    #[arg(long)]
    snapshot: PathBuf,
    /// Calls at once.
    #[arg(long, default_value_t = 8)]
    at_once: usize,
}

#[derive(Deserialize)]
struct Quant {
    product_id: (u64, String),
    quantity: f64,
    reserved_quantity: f64,
}

/// The shop's item and its quantity, by product.
type Snapshot = BTreeMap<u64, (u64, i64)>;

async fn page(systems: Systems, page: usize) -> Result<Vec<Quant>> {
    let domain = json!([[["location_id.usage", "=", "internal"]]]);
    let named = json!({
        "fields": ["product_id", "quantity", "reserved_quantity"],
        "order": "id", "limit": ROWS, "offset": page * ROWS,
    });
    systems
        .call("stock.quant", "search_read", domain, named)
        .await
}

async fn compare(arguments: &StockArguments) -> Result<()> {
    let systems = Systems::open(&arguments.mock)?;
    let mut snapshot: Snapshot = serde_json::from_slice(&std::fs::read(&arguments.snapshot)?)?;
    let pages = snapshot.len().div_ceil(ROWS);
    let mut changed = Vec::new();
    for first in (0..pages).step_by(arguments.at_once) {
        let these = first..(first + arguments.at_once).min(pages);
        let calls: Vec<_> = these
            .map(|at| tokio::spawn(page(systems.clone(), at)))
            .collect();
        for call in calls {
            for quant in call.await?? {
                let (product, _) = quant.product_id;
                let free = (quant.quantity - quant.reserved_quantity).floor().max(0.0) as i64;
                let (item, known) = snapshot.get_mut(&product).context("a new product")?;
                if *known != free {
                    *known = free;
                    changed.push(json!({"id": *item, "stock_quantity": free}));
                }
            }
        }
    }
    for batch in changed.chunks(BATCH) {
        systems
            .put("products/batch", &json!({ "update": batch }))
            .await?;
    }
    std::fs::write(&arguments.snapshot, serde_json::to_vec(&snapshot)?)?;
    Ok(())
}

/// Compares once, then waits to be ended, so that what it used can be read.
pub fn run(arguments: &StockArguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        compare(arguments).await?;
        std::future::pending().await
    })
}
