//! `status`: where everything stands.

use super::Context;
use crate::exit::{self, Failure};
use crate::out;
use crate::words;
use crate::workspace::{Role, Workspace};
use comptoir_model::code::Language;
use comptoir_model::key::Kind;
use comptoir_store::{Counts, WorkState};
use serde::Serialize;
use std::collections::BTreeMap;

/// Counts of orders by state.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Orders {
    /// All that were seen.
    pub seen: u64,
    /// Both sides agree.
    pub done: u64,
    /// Due now or waiting.
    pub waiting: u64,
    /// A person is needed.
    pub held: u64,
    /// Not imported, with a reason.
    pub skipped: u64,
}

impl Orders {
    fn add(&mut self, state: WorkState, count: u64) {
        self.seen += count;
        match state {
            WorkState::Done => self.done += count,
            WorkState::Due | WorkState::Waiting => self.waiting += count,
            WorkState::Held => self.held += count,
            WorkState::Skipped => self.skipped += count,
        }
    }
}

#[derive(Debug, Serialize)]
struct Status {
    revision: i64,
    orders: Orders,
    flows: BTreeMap<String, Orders>,
    connections: Vec<ConnectionStatus>,
    sizes: comptoir_store::Sizes,
}

#[derive(Debug, Serialize)]
struct ConnectionStatus {
    name: String,
    version: Option<String>,
    owner: Option<String>,
    paused_until: Option<i64>,
    pause_cause: Option<String>,
}

/// The counts of each flow.
pub fn by_flow(counts: &[Counts]) -> BTreeMap<String, Orders> {
    let mut flows: BTreeMap<String, Orders> = BTreeMap::new();
    for row in counts {
        flows
            .entry(row.flow.to_string())
            .or_default()
            .add(row.state, row.count);
    }
    flows
}

/// Runs the command.
pub async fn run(context: &Context) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let counts = workspace.store.counts().await?;
    let mut orders = Orders::default();
    for row in counts.iter().filter(|row| row.kind == Kind::Order) {
        orders.add(row.state, row.count);
    }
    // Data speaks one language.
    let language = if context.json {
        Language::English
    } else {
        context.language
    };
    let mut connections = Vec::new();
    for row in workspace.store.connections().await? {
        connections.push(ConnectionStatus {
            name: row.name.to_string(),
            version: row.account.map(|account| account.version),
            owner: row.owner,
            paused_until: row.paused_until,
            pause_cause: row.pause_cause.map(|fault| words::fault(language, &fault)),
        });
    }
    let status = Status {
        revision: workspace.revision,
        orders,
        flows: by_flow(&counts),
        connections,
        sizes: workspace.store.sizes().await?,
    };
    if context.json {
        out::json(&status);
    } else {
        show(context, &status);
    }
    Ok(exit::OK)
}

fn show(context: &Context, status: &Status) {
    let line = |name: &str, orders: &Orders| {
        let text = context.either(
            "seen {seen}, done {done}, waiting {waiting}, held {held}, skipped {skipped}",
            "vues {seen}, faites {done}, en attente {waiting}, retenues {held}, ignorées {skipped}",
        );
        let text = [
            ("{seen}", orders.seen),
            ("{done}", orders.done),
            ("{waiting}", orders.waiting),
            ("{held}", orders.held),
            ("{skipped}", orders.skipped),
        ]
        .iter()
        .fold(text.to_owned(), |text, (mark, count)| {
            text.replace(mark, &count.to_string())
        });
        out::line(format!("{name:<20} {text}"));
    };
    line(context.either("orders", "commandes"), &status.orders);
    for (name, orders) in &status.flows {
        line(&format!("  {name}"), orders);
    }
    for connection in &status.connections {
        let version = connection.version.as_deref().unwrap_or("?");
        let state = match &connection.pause_cause {
            Some(cause) => format!("{}: {cause}", context.either("paused", "suspendue")),
            None => context.either("running", "active").to_owned(),
        };
        out::line(format!("{:<20} {version}, {state}", connection.name));
    }
    for (what, rows, bytes) in status.sizes.lines() {
        out::line(format!("{what:<20} {rows:>9}  {bytes:>12} B"));
    }
}
