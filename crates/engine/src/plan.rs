//! A plan: what each record would have written, kept so that exactly that can be allowed later, and nothing else.

use crate::decide::{Proposal, Verdict};
use crate::hub::Hub;
use crate::preview::{Next, PLANNED, Preview};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::port::Step;
use comptoir_store::{StoreError, WorkRow};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A stored plan of one flow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The digest of everything in the configuration that its flow uses. Under another one the plan is refused whole.
    pub bound: String,
    /// What each record would have written.
    pub records: BTreeMap<RemoteId, Planned>,
    /// Marks of the buyers and contacts that would be made first. Which of a buyer's orders brings the buyer along is chance.
    pub buyers: BTreeSet<String>,
}

/// What one record would have written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The digest of the source's record that it was decided on.
    pub input: String,
    /// A mark of each of its own writes, in order.
    pub writes: Vec<String>,
}

impl Plan {
    /// The plan of these previews; records that would write nothing are not in it.
    pub fn of(bound: String, previews: &[Preview]) -> Self {
        let mut plan = Plan {
            bound,
            ..Plan::default()
        };
        for preview in previews {
            if !matches!(preview.next, Next::Write(_)) {
                continue;
            }
            plan.records
                .insert(preview.record.id.clone(), planned(preview));
            let buyers = preview.before.iter().filter(|write| is_buyer(write));
            plan.buyers.extend(buyers.map(mark));
        }
        plan
    }

    /// The plan as it is stored.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain data always has a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// A stored plan; none where it is not one.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// Whether a record would still do what was planned for it. Whose identifiers a buyer takes may have become known meanwhile: that
    /// buyer is simply not made.
    pub fn stands(&self, preview: &Preview) -> bool {
        self.records
            .get(&preview.record.id)
            .is_some_and(|wanted| same(wanted, &planned(preview)))
    }

    /// Whether a write is one of those that were planned for a record, decided on the same version of its source.
    pub fn allows(&self, record: &RemoteId, input: Digest, proposal: &Proposal) -> bool {
        let Some(planned) = self.records.get(record) else {
            return false;
        };
        if planned.input != input.to_string() {
            return false;
        }
        let marks = [mark(proposal), mark_of_new(proposal)];
        if is_buyer(proposal) {
            return marks.iter().any(|mark| self.buyers.contains(mark));
        }
        marks.iter().any(|mark| planned.writes.contains(mark))
    }
}

/// The plans that some rows of work were approved under.
#[derive(Debug, Default)]
pub struct Plans(BTreeMap<String, Plan>);

impl Plans {
    /// Loads the plans that these approvals name.
    ///
    /// # Errors
    /// The store's.
    pub async fn load<'a>(
        &mut self,
        hub: &Hub,
        approvals: impl Iterator<Item = Option<&'a str>>,
    ) -> Result<(), StoreError> {
        let ids: BTreeSet<&str> = approvals
            .flatten()
            .filter(|approved| Verdict::of(Some(approved)).is_none())
            .collect();
        for id in ids {
            let row = hub.store.plan(id).await?;
            if let Some(plan) = row.and_then(|row| Plan::from_json(&row.items)) {
                self.0.insert(id.to_owned(), plan);
            }
        }
        Ok(())
    }

    /// Whether a record of a flow that does not write by itself may be written so: a person answered for it, or it was planned just so.
    pub fn allow(&self, work: &WorkRow, input: Digest, proposal: &Proposal) -> bool {
        let Some(approved) = work.approved.as_deref() else {
            return false;
        };
        match Verdict::of(Some(approved)) {
            Some(Verdict::Repair) => false,
            Some(_) => true,
            None => self
                .0
                .get(approved)
                .is_some_and(|plan| plan.allows(&work.src, input, proposal)),
        }
    }
}

fn is_buyer(proposal: &Proposal) -> bool {
    proposal.subject.kind == Kind::Customer
}

fn planned(preview: &Preview) -> Planned {
    let own = preview.writes().filter(|write| !is_buyer(write));
    Planned {
        input: preview.input.to_string(),
        writes: own.map(mark).collect(),
    }
}

/// A write for a buyer who was new when it was planned stands also once that buyer is there.
fn same(wanted: &Planned, now: &Planned) -> bool {
    wanted.input == now.input && wanted.writes == now.writes
}

/// What identifies a write: its key, its step and what it writes. A step that only changes a state is its own description: what the
/// target's record says by then is not ours.
fn mark(proposal: &Proposal) -> String {
    let document = match &proposal.document {
        Document::Order(order) if names_planned(order) => Some(without_buyer(order)),
        _ => None,
    };
    marked(proposal, document.as_ref().unwrap_or(&proposal.document))
}

/// The mark that a write would have had while its buyer was still to be made.
fn mark_of_new(proposal: &Proposal) -> String {
    let document = match &proposal.document {
        Document::Order(order) => without_buyer(order),
        Document::Customer(customer) => {
            let mut customer = customer.clone();
            customer.parent = customer.parent.map(|_| RemoteId::from(PLANNED));
            Document::Customer(customer)
        }
        other => other.clone(),
    };
    marked(proposal, &document)
}

fn marked(proposal: &Proposal, document: &Document) -> String {
    let head = format!(
        "{} {} {}",
        proposal.step.as_str(),
        proposal.subject.kind,
        proposal.key()
    );
    match proposal.step {
        Step::Confirm | Step::Cancel => head,
        Step::Create | Step::Update => format!("{head} {}", Digest::of(&document.to_json())),
    }
}

fn names_planned(order: &Order) -> bool {
    let planned = Some(RemoteId::from(PLANNED));
    order.customer == planned || order.bill_to.id == planned || order.ship_to.id == planned
}

fn without_buyer(order: &Order) -> Document {
    let mut order = order.clone();
    order.customer = None;
    order.bill_to.id = None;
    order.ship_to.id = None;
    Document::Order(Box::new(order))
}
