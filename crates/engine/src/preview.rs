//! Preview: the decisions of a pass without its writes. `plan`, `explain` and shadow are this; it is the same pure function.

use crate::connection::Connection;
use crate::decide::{Decision, OrderLink, Proposal, Target, content_digest};
use crate::end::End;
use crate::gather;
use crate::hub::Hub;
use crate::note::{link, rebase};
use crate::stock::reckoning;
use crate::turn::{Item, Pass, decide_item};
use comptoir_model::account::Account;
use comptoir_model::cause::Cause;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_model::order::Life;
use comptoir_model::port::{Query, Step};
use comptoir_store::{Commit, StoreError, WorkRow};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Questions and looks before a preview gives up on a record.
const ROUNDS: usize = 16;
/// Steps of one record that are looked ahead: made, changed, confirmed.
const STEPS: usize = 3;

/// What would happen with one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The source's record.
    pub record: RecordKey,
    /// The digest of what the source's record says, which this was decided on.
    pub input: Digest,
    /// What would be written first, such as its buyer. References to what is not there yet are [`PLANNED`].
    pub before: Vec<Proposal>,
    /// The step after that.
    pub next: Next,
    /// The steps after that, where the target books what it is told: the confirmation of an order that is made. A target that computes
    /// another total needs one more step, which no preview can know.
    pub after: Vec<Proposal>,
    /// The target's record that was found and would only be linked.
    pub linked: Option<RemoteId>,
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
        self.before.iter().chain(last).chain(&self.after)
    }
}

/// What a preview pretends to have done.
#[derive(Default)]
struct Pretended {
    /// By record: what would be written before its own steps.
    before: BTreeMap<RecordKey, Vec<Proposal>>,
    /// By record: its own steps.
    steps: BTreeMap<RecordKey, Vec<Proposal>>,
    /// By record: what was found.
    linked: BTreeMap<RecordKey, RemoteId>,
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

    /// Takes a step of the record itself as done, by a target that books what it is told. Answers whether the next one can be decided.
    fn step(&mut self, item: &mut Item, proposal: Proposal) -> bool {
        let steps = self.steps.entry(item.source.key.clone()).or_default();
        let goes_on = pretend(item, &proposal);
        steps.push(proposal);
        goes_on && steps.len() < STEPS
    }

    fn preview(&mut self, item: Item, next: Next) -> Preview {
        let record = item.source.key;
        let mut steps = self.steps.remove(&record).unwrap_or_default().into_iter();
        let own = steps.next().map(|first| Next::Write(Box::new(first)));
        Preview {
            input: item.source.digest,
            before: self.before.remove(&record).unwrap_or_default(),
            next: own.unwrap_or(next),
            after: steps.collect(),
            linked: self.linked.remove(&record),
            record,
        }
    }
}

/// Makes an item look as it would after a step. Answers whether that is known.
fn pretend(item: &mut Item, proposal: &Proposal) -> bool {
    if proposal.subject.kind != Kind::Order {
        return false;
    }
    if let (Step::Create, Document::Order(order)) = (proposal.step, &proposal.document) {
        item.link = Some(OrderLink {
            id: RemoteId::from(PLANNED),
            gone: false,
            base_digest: Some(item.source.digest),
            base: None,
            put: Some(content_digest(order)),
        });
        item.target = Some(Target {
            order: Some((**order).clone()),
            version: String::new(),
            fresh: true,
        });
        return true;
    }
    let held = item
        .target
        .as_mut()
        .and_then(|target| target.order.as_mut());
    let (Some(link), Some(held)) = (&mut item.link, held) else {
        return false;
    };
    match proposal.step {
        Step::Confirm => held.status.life = Life::Open,
        Step::Cancel => held.status.life = Life::Cancelled,
        Step::Create | Step::Update => {
            if let Some(order) = &item.source.order {
                held.totals = order.totals.clone();
                held.currency = order.currency;
            }
        }
    }
    link.base_digest = Some(item.source.digest);
    link.base = None;
    link.put = Some(content_digest(held));
    true
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
    let items = gather::items(&mut pass, works).await?;
    previews.extend(of_items(&mut pass, items).await?);
    Ok(previews)
}

/// Previews items of a pass that has no owner.
pub async fn of_items(
    pass: &mut Pass<'_>,
    mut items: Vec<Item>,
) -> Result<Vec<Preview>, StoreError> {
    let mut previews = Vec::with_capacity(items.len());
    let mut pretended = Pretended::default();
    for _ in 0..ROUNDS {
        if items.is_empty() {
            break;
        }
        items = round(pass, items, &mut pretended, &mut previews).await?;
        if let Some(fault) = pass.stop.take() {
            let unknown = items.drain(..);
            previews
                .extend(unknown.map(|item| pretended.preview(item, Next::Unknown(fault.clone()))));
        }
    }
    Ok(previews)
}

/// Decides each record once; those that need an answer or a look, or have a next step, come back.
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
            Decision::Write(proposal) => {
                if pretended.step(&mut item, *proposal) {
                    rest.push(item);
                    continue;
                }
                Next::Nothing
            }
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
                if subject == item.source.key {
                    pretended.linked.insert(subject.clone(), id.clone());
                }
                link(pass, &mut item, subject, part, id, &mut forgotten);
                rest.push(item);
                continue;
            }
        };
        previews.push(pretended.preview(item, next));
    }
    if !asks.is_empty() {
        let asked = gather::ask(pass, asks).await;
        gather::note_answers(pass, asked);
    }
    if !looks.is_empty() && pass.stop.is_none() {
        let looked = gather::look(pass, &rest, &looks).await;
        gather::note_looks(pass, &mut rest, &looks, looked);
    }
    // A look may end an item: the target could not be read.
    let (rest, ended): (Vec<Item>, Vec<Item>) =
        rest.into_iter().partition(|item| item.end.is_none());
    for item in ended {
        let next = match &item.end {
            Some(End::Held(causes, _)) => {
                Next::Stop(causes.iter().map(ToString::to_string).collect())
            }
            _ => Next::Stop(vec![Cause::Retry(Code::AnswerCut).to_string()]),
        };
        previews.push(pretended.preview(item, next));
    }
    Ok(rest)
}
