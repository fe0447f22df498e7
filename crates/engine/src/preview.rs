//! Preview: the decisions of a pass without its writes. `plan`, `explain` and shadow are this; it is the same pure function.

use crate::connection::Connection;
use crate::decide::{Decision, Proposal};
use crate::gather;
use crate::hub::Hub;
use crate::turn::{Item, Pass, decide_item, link, rebase};
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RecordKey};
use comptoir_model::port::Query;
use comptoir_store::{Commit, StoreError, WorkRow};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Questions and looks before a preview gives up on a record.
const ROUNDS: usize = 12;

/// What would happen next with one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The source's record.
    pub record: RecordKey,
    /// The next step.
    pub next: Next,
}

/// The next step of a record, as a preview shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing: both sides agree.
    Nothing,
    /// Not imported, and why.
    Skip(String),
    /// Held or waiting, with its causes.
    Stop(Vec<String>),
    /// This would be written.
    Write(Box<Proposal>),
    /// The target could not be asked.
    Unknown(Fault),
}

/// Previews these rows of work. The target is asked and read, nothing is written to it, nothing is stored.
pub async fn preview(
    hub: &Hub,
    connection: &Connection,
    account: Arc<Account>,
    works: Vec<WorkRow>,
) -> Result<Vec<Preview>, StoreError> {
    let now = hub.store.now().await?;
    let mut pass = Pass::new(hub, connection, account, None, now);
    let mut items = gather::items(&mut pass, works).await?;
    let mut previews = Vec::new();
    for _ in 0..ROUNDS {
        if items.is_empty() {
            break;
        }
        items = round(&mut pass, items, &mut previews).await?;
        if let Some(fault) = pass.stop.take() {
            previews.extend(items.drain(..).map(|item| Preview {
                record: item.source.key,
                next: Next::Unknown(fault.clone()),
            }));
        }
    }
    Ok(previews)
}

/// Decides each record once; those that need an answer or a look come back.
async fn round(
    pass: &mut Pass<'_>,
    items: Vec<Item>,
    previews: &mut Vec<Preview>,
) -> Result<Vec<Item>, StoreError> {
    let mut asks: BTreeSet<(Kind, Query)> = BTreeSet::new();
    let mut rest = Vec::new();
    let mut looks = Vec::new();
    // What a preview learns stays in memory.
    let mut forgotten = Commit::default();
    for mut item in items {
        let next = match decide_item(pass, &item) {
            Decision::Nothing => Next::Nothing,
            Decision::Skip(reason) => Next::Skip(reason),
            Decision::Hold(causes) => Next::Stop(causes.iter().map(ToString::to_string).collect()),
            Decision::Wait(cause) => Next::Stop(vec![cause.to_string()]),
            Decision::Write(proposal) => Next::Write(proposal),
            Decision::Ask(questions) => {
                asks.extend(questions);
                rest.push(item);
                continue;
            }
            Decision::Look(_) => {
                looks.push(rest.len());
                rest.push(item);
                continue;
            }
            Decision::Rebase => {
                rebase(pass, &mut item, &mut forgotten);
                rest.push(item);
                continue;
            }
            Decision::Link { subject, part, id } => {
                link(pass, &mut item, subject, part, id, &mut forgotten);
                rest.push(item);
                continue;
            }
        };
        previews.push(Preview {
            record: item.source.key,
            next,
        });
    }
    if !asks.is_empty() {
        gather::ask(pass, asks).await?;
    }
    if !looks.is_empty() && pass.stop.is_none() {
        gather::look(pass, &mut rest, &looks).await?;
    }
    Ok(rest)
}
