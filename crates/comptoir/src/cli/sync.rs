//! `sync`: looks at records now, without waiting for a poll: some by id, those of a span of time, or everything.
//!
//! It leaves hints in the store; the running hub fetches and decides them like any other.

use super::{Context, patiently};
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace};
use clap::Args;
use comptoir_engine::connection::Connection;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId};
use comptoir_model::port::{Cursor, Hint};
use jiff::Timestamp;

#[derive(Debug, Args)]
pub struct SyncArguments {
    /// The flow.
    flow: FlowName,
    /// Ids of records in the source.
    ids: Vec<String>,
    /// Records placed at this instant or later, such as 2026-11-01T00:00:00Z.
    #[arg(long, conflicts_with = "ids")]
    from: Option<Timestamp>,
    /// Records placed before this instant.
    #[arg(long, conflicts_with = "ids")]
    until: Option<Timestamp>,
    /// Everything: the source is read again from its beginning. What is unchanged stays as it is.
    #[arg(long, conflicts_with_all = ["ids", "from", "until"])]
    all: bool,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: SyncArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let config = workspace
        .config
        .flows
        .get(&arguments.flow)
        .ok_or_else(|| Failure::no_flow(&arguments.flow))?;
    let (store, source, kind) = (&workspace.store, &config.from, config.kind);
    if arguments.all {
        store.read_again(source, kind).await?;
        report(context, None);
        return Ok(exit::OK);
    }
    let ids: Vec<RemoteId> = if arguments.from.is_some() || arguments.until.is_some() {
        let connections = workspace.connections().await?;
        let connection = connections
            .iter()
            .find(|connection| connection.name == *source);
        match connection {
            Some(connection) => placed_within(connection, kind, &arguments).await?,
            None => Vec::new(),
        }
    } else {
        arguments.ids.iter().map(RemoteId::from).collect()
    };
    if ids.is_empty()
        && arguments.ids.is_empty()
        && arguments.from.is_none()
        && arguments.until.is_none()
    {
        let text = context.either(
            "Name records by id, or a span with --from and --until, or --all.",
            "Nommer des fiches par identifiant, ou une période avec --from et --until, ou --all.",
        );
        return Err(Failure::new(exit::USAGE, text));
    }
    hint(&workspace, source, kind, &ids).await?;
    store.touch(&arguments.flow, kind, &ids).await?;
    report(context, Some(ids.len()));
    Ok(exit::OK)
}

async fn hint(
    workspace: &Workspace,
    source: &ConnectionName,
    kind: Kind,
    ids: &[RemoteId],
) -> Result<(), Failure> {
    for id in ids {
        let hint = Hint {
            kind,
            id: Some(id.clone()),
        };
        workspace.store.hint(source, hint).await?;
    }
    Ok(())
}

/// The ids of records that were placed in the span asked for. Reads the whole source: a span is of the time of placing, and no
/// cursor knows that.
async fn placed_within(
    connection: &Connection,
    kind: Kind,
    arguments: &SyncArguments,
) -> Result<Vec<RemoteId>, Failure> {
    let within = |placed: Timestamp| {
        arguments.from.is_none_or(|from| placed >= from)
            && arguments.until.is_none_or(|until| placed < until)
    };
    let mut ids = Vec::new();
    let mut read = 0;
    let mut cursor = Cursor::start();
    loop {
        let page = patiently(|| connection.connector.changes(kind, &cursor)).await?;
        read += page.items.len();
        for record in page.items.into_iter().flatten() {
            let placed = record
                .document
                .as_order()
                .and_then(|order| order.dates.placed);
            if placed.is_some_and(within) {
                ids.push(record.id);
            }
        }
        out::progress(format!("{read} / {}", ids.len()));
        cursor = page.next;
        if !page.more {
            out::progress_done();
            return Ok(ids);
        }
    }
}

fn report(context: &Context, records: Option<usize>) {
    if context.json {
        out::json(&serde_json::json!({ "hinted": records }));
        return;
    }
    let will = context.either(
        "the running hub looks at them now",
        "le hub en marche les examine maintenant",
    );
    match records {
        Some(count) => out::line(format!("{count}: {will}")),
        None => out::line(context.either(
            "Everything is read again by the running hub.",
            "Le hub en marche relit tout.",
        )),
    }
}
