//! Preview: the decisions of a pass without its writes. `plan`, `explain` and shadow are this; it is the same pure function.

use crate::connection::Connection;
use crate::decide::{Decision, Proposal};
use crate::gather;
use crate::hub::Hub;
use crate::note::{link, rebase};
use crate::stock::reckoning;
use crate::turn::{Item, Pass, decide_item};
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_model::port::Query;
use comptoir_store::{Commit, StoreError, WorkRow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Questions and looks before a preview gives up on a record.
const ROUNDS: usize = 12;

/// What would happen with one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The source's record.
    pub record: RecordKey,
    /// What would be written first, such as its buyer. References to what is not there yet are [`PLANNED`].
    pub before: Vec<Proposal>,
    /// The step after that.
    pub next: Next,
}

/// The id that stands for a record which the plan itself would create.
pub const PLANNED: &str = "planned";

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

impl Preview {
    /// Everything that would be written, in order.
    pub fn writes(&self) -> impl Iterator<Item = &Proposal> {
        let last = match &self.next {
            Next::Write(proposal) => Some(proposal.as_ref()),
            _ => None,
        };
        self.before.iter().chain(last)
    }
}

/// What a preview pretends to have done.
#[derive(Default)]
struct Pretended {
    /// By record: what would be written before its own step.
    before: BTreeMap<RecordKey, Vec<Proposal>>,
    /// Identifiers that planned creates take.
    claims: BTreeSet<(Kind, Query)>,
}

impl Pretended {
    /// Takes the create of a buyer or contact as done, so that what follows can be shown too. Someone with the same identifiers is the
    /// same buyer and is created once.
    fn buyer(&mut self, pass: &mut Pass<'_>, item: &Item, proposal: Proposal) {
        let key = (item.flow.source.to_string(), item.buyer.clone());
        let party = pass.parties.entry(key).or_default();
        let planned = RemoteId::from(PLANNED);
        if proposal.part.is_empty() {
            party.main = Some(planned);
        } else {
            party.contacts.insert(proposal.part.clone(), planned);
        }
        let claims: Vec<(Kind, Query)> = proposal
            .claims
            .iter()
            .map(|claim| (Kind::Customer, claim.clone()))
            .collect();
        if claims.iter().any(|claim| self.claims.contains(claim)) {
            return;
        }
        self.claims.extend(claims);
        let before = self.before.entry(item.source.key.clone()).or_default();
        before.push(proposal);
    }

    fn preview(&mut self, record: RecordKey, next: Next) -> Preview {
        Preview {
            before: self.before.remove(&record).unwrap_or_default(),
            record,
            next,
        }
    }
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
    let (of_stock, works): (Vec<WorkRow>, Vec<WorkRow>) =
        works.into_iter().partition(|work| work.kind == Kind::Stock);
    let mut previews = Vec::new();
    for works in of_stock.chunk_by(|a, b| a.flow == b.flow) {
        if let Some(flow) = hub.flow(&works[0].flow) {
            previews.extend(reckoning::preview(hub, &flow, works).await?);
        }
    }
    let mut items = gather::items(&mut pass, works).await?;
    let mut pretended = Pretended::default();
    for _ in 0..ROUNDS {
        if items.is_empty() {
            break;
        }
        items = round(&mut pass, items, &mut pretended, &mut previews).await?;
        if let Some(fault) = pass.stop.take() {
            previews.extend(
                items
                    .drain(..)
                    .map(|item| pretended.preview(item.source.key, Next::Unknown(fault.clone()))),
            );
        }
    }
    Ok(previews)
}

/// Decides each record once; those that need an answer or a look come back.
async fn round(
    pass: &mut Pass<'_>,
    items: Vec<Item>,
    pretended: &mut Pretended,
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
            Decision::Write(proposal) if proposal.subject.kind == Kind::Customer => {
                pretended.buyer(pass, &item, *proposal);
                rest.push(item);
                continue;
            }
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
        previews.push(pretended.preview(item.source.key, next));
    }
    if !asks.is_empty() {
        gather::ask(pass, asks).await?;
    }
    if !looks.is_empty() && pass.stop.is_none() {
        gather::look(pass, &mut rest, &looks).await?;
    }
    Ok(rest)
}
