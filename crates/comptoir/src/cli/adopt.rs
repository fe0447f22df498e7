//! `adopt`: links orders that the ERP already holds, by the shop's number, so that nothing is created twice.

use super::{Context, patiently};
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace};
use clap::Args;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::{Connector, Cursor, Query};
use comptoir_store::{Commit, LinkPut, LinkState};
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct AdoptArguments {
    /// The flow.
    flow: FlowName,
    /// A CSV file with the columns shop_id and erp_id, instead of asking the ERP by number.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Numbers asked for in one call.
const BATCH: usize = 200;

#[derive(Debug, Default, serde::Serialize)]
struct Adopted {
    read: usize,
    linked: usize,
    already_linked: usize,
    ambiguous: Vec<String>,
    unknown: usize,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: AdoptArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let config = workspace
        .config
        .flows
        .get(&arguments.flow)
        .ok_or_else(|| Failure::no_flow(&arguments.flow))?;
    let connections = workspace.connections().await?;
    let find = |name: &ConnectionName| {
        connections
            .iter()
            .find(|connection| connection.name == *name)
    };
    let (Some(source), Some(target)) = (find(&config.from), find(&config.to)) else {
        return Err(Failure::new(
            exit::CONFIGURATION,
            "the flow names no connection",
        ));
    };
    let mut adopted = Adopted::default();
    if let Some(path) = arguments.csv {
        let pairs = read_pairs(&path)?;
        adopted.read = pairs.len();
        store_pairs(
            &workspace,
            source.name.clone(),
            target.name.clone(),
            pairs,
            &mut adopted,
        )
        .await?;
    } else {
        let mut cursor = Cursor::start();
        loop {
            let page = patiently(|| source.connector.changes(Kind::Order, &cursor)).await?;
            let numbers: BTreeMap<String, RemoteId> = page
                .items
                .iter()
                .filter_map(|item| item.as_ref().ok())
                .filter_map(|record| {
                    let order = record.document.as_order()?;
                    Some((order.number.clone(), record.id.clone()))
                })
                .collect();
            adopted.read += numbers.len();
            let pairs = by_number(target.connector.as_ref(), numbers, &mut adopted).await?;
            store_pairs(
                &workspace,
                source.name.clone(),
                target.name.clone(),
                pairs,
                &mut adopted,
            )
            .await?;
            out::progress(format!("{} {}", adopted.read, adopted.linked));
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        out::progress_done();
    }
    if context.json {
        out::json(&adopted);
    } else {
        out::line(format!(
            "{} {}, {} {}, {} {}",
            context.either("read", "lues"),
            adopted.read,
            context.either("linked", "liées"),
            adopted.linked,
            context.either("ambiguous", "ambiguës"),
            adopted.ambiguous.len()
        ));
    }
    Ok(if adopted.ambiguous.is_empty() {
        exit::OK
    } else {
        exit::FINDINGS
    })
}

async fn by_number(
    target: &dyn Connector,
    numbers: BTreeMap<String, RemoteId>,
    adopted: &mut Adopted,
) -> Result<Vec<(RemoteId, RemoteId)>, Failure> {
    let numbers: Vec<(String, RemoteId)> = numbers.into_iter().collect();
    let mut pairs = Vec::new();
    for chunk in numbers.chunks(BATCH) {
        let queries: Vec<Query> = chunk
            .iter()
            .map(|(number, _)| Query::Reference(number.clone()))
            .collect();
        let answers = patiently(|| target.find(Kind::Order, &queries)).await?;
        for ((number, id), candidates) in chunk.iter().zip(answers) {
            match candidates.as_slice() {
                [only] => pairs.push((id.clone(), only.id.clone())),
                [] => adopted.unknown += 1,
                _ => adopted.ambiguous.push(number.clone()),
            }
        }
    }
    Ok(pairs)
}

fn read_pairs(path: &std::path::Path) -> Result<Vec<(RemoteId, RemoteId)>, Failure> {
    let bad = |error: csv::Error| {
        Failure::new(exit::CONFIGURATION, format!("{}: {error}", path.display()))
    };
    let mut reader = csv::Reader::from_path(path).map_err(bad)?;
    let headers = reader.headers().map_err(bad)?.clone();
    let column = |name: &str| headers.iter().position(|header| header.trim() == name);
    let (Some(shop), Some(erp)) = (column("shop_id"), column("erp_id")) else {
        let text = format!(
            "{}: the first line must name shop_id and erp_id",
            path.display()
        );
        return Err(Failure::new(exit::CONFIGURATION, text));
    };
    let mut pairs = Vec::new();
    for row in reader.records() {
        let row = row.map_err(bad)?;
        if let (Some(shop), Some(erp)) = (row.get(shop), row.get(erp)) {
            pairs.push((RemoteId::from(shop.trim()), RemoteId::from(erp.trim())));
        }
    }
    Ok(pairs)
}

/// Stores the links that are new; an order that is linked already keeps its link.
async fn store_pairs(
    workspace: &Workspace,
    source: ConnectionName,
    target: ConnectionName,
    pairs: Vec<(RemoteId, RemoteId)>,
    adopted: &mut Adopted,
) -> Result<(), Failure> {
    let store = &workspace.store;
    let keys: Vec<(RemoteId, String)> = pairs
        .iter()
        .map(|(id, _)| (id.clone(), String::new()))
        .collect();
    let known = store.links(&source, Kind::Order, &keys, &target).await?;
    let now = store.now().await?;
    let mut commit = Commit::default();
    for (id, dst_id) in pairs {
        if known.contains_key(&(id.clone(), String::new())) {
            adopted.already_linked += 1;
            continue;
        }
        adopted.linked += 1;
        let src = RecordKey {
            connection: source.clone(),
            kind: Kind::Order,
            id,
        };
        commit.links.push(LinkPut {
            key: Some(WriteKey::of(&src, "")),
            src,
            part: String::new(),
            dst: target.clone(),
            dst_kind: Kind::Order,
            dst_id,
            state: LinkState::Adopted,
            sole: true,
            base: None,
            put: None,
            at: now,
        });
    }
    store.commit(None, commit).await?;
    Ok(())
}
