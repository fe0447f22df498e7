//! Decide: a pure function of what is stored. `plan`, `apply`, shadow and repair are this function; that is why a plan can be believed.

mod follow;
mod order;
mod party;
mod shipment;

pub use follow::{content_digest, first_sight, wanted_lines, with_rounding_marked};
pub use party::{address_part, claims_of};

use crate::answers::Answers;
use crate::flow::Flow;
use comptoir_model::account::Account;
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::port::{Query, Step};
use comptoir_model::shipment::Shipment;
use comptoir_rules::mapping::Mapped;
use std::collections::{BTreeMap, BTreeSet};

/// The source's record as last seen.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its key.
    pub key: RecordKey,
    /// Its digest.
    pub digest: Digest,
    /// What it says, if it is an order, as the flow's rules leave it; none when it is gone or cannot be read.
    pub order: Option<Mapped>,
    /// What it says, if it is a shipment.
    pub shipment: Option<Shipment>,
    /// Why it says nothing.
    pub missing: Missing,
}

/// Why a source's record has no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It has one.
    No,
    /// It was deleted.
    Gone,
    /// It cannot be decoded.
    Unreadable,
    /// Its document has expired or was erased.
    Expired,
}

/// The link of the record to the target's.
#[derive(Debug, Clone)]
pub struct OrderLink {
    /// The target's record.
    pub id: RemoteId,
    /// Whether the target said that it is gone.
    pub gone: bool,
    /// The source's digest when it was last written; none when the link was adopted or found.
    pub base_digest: Option<Digest>,
    /// The source's document of that digest, under today's rules, while it is kept; none where it is the source's present one.
    pub base: Option<Mapped>,
    /// [`content_digest`] of the target after our last write.
    pub put: Option<Digest>,
}

/// The target's record as last seen.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it says; none when it is gone.
    pub order: Option<Order>,
    /// The target's mark of that version.
    pub version: String,
    /// Seen in this pass, so that a write may rely on it.
    pub fresh: bool,
}

/// The contacts of one buyer in the target that are known.
#[derive(Debug, Clone, Default)]
pub struct Party {
    /// The customer itself.
    pub main: Option<RemoteId>,
    /// Contacts by part (`address-…`).
    pub contacts: BTreeMap<String, RemoteId>,
}

/// What a person answered to a held record. It is stored with the row of work and gone once the record settles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Write what is proposed, whatever the policy says.
    Apply,
    /// Leave the target as it is.
    Keep,
    /// Make again what was deleted in the target.
    CreateAgain,
    /// Write again what the target has lost, as a comparison of both sides found it.
    Repair,
}

/// How the approval of a plan of repairs begins; the plan's id follows.
pub const REPAIR: &str = "repair:";

impl Verdict {
    /// Every verdict that a person may give.
    pub const ALL: [Verdict; 3] = [Verdict::Apply, Verdict::Keep, Verdict::CreateAgain];

    /// The word that the store keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Apply => "answer:apply",
            Verdict::Keep => "answer:keep",
            Verdict::CreateAgain => "answer:create-again",
            Verdict::Repair => REPAIR,
        }
    }

    /// The verdict a row of work carries; none for a plan's approval.
    pub fn of(approved: Option<&str>) -> Option<Self> {
        if approved.is_some_and(|approved| approved.starts_with(REPAIR)) {
            return Some(Verdict::Repair);
        }
        Verdict::ALL
            .into_iter()
            .find(|verdict| approved == Some(verdict.as_str()))
    }
}

/// Everything a decision may look at. Time comes in as a value.
pub struct Case<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// The target as probed.
    pub account: &'a Account,
    /// The source's record.
    pub source: &'a Source,
    /// The buyer's key in the source.
    pub buyer: &'a RemoteId,
    /// The buyer's contacts in the target.
    pub party: &'a Party,
    /// The link, if there is one.
    pub link: Option<&'a OrderLink>,
    /// Of a shipment: the shop's order that its order was made from.
    pub sold: Option<&'a RemoteId>,
    /// Of a shipment: another shop sold it.
    pub sold_elsewhere: bool,
    /// The target's record, if it was looked at.
    pub target: Option<&'a Target>,
    /// Answers to questions.
    pub answers: &'a Answers,
    /// Keys of writes whose outcome is not known yet.
    pub open: &'a BTreeSet<WriteKey>,
    /// The target's order was confirmed by us in this pass.
    pub confirmed: bool,
    /// What a person answered, if the record was held.
    pub verdict: Option<Verdict>,
    /// When the pass began (unix ms).
    pub now: i64,
    /// What kinds the target can be asked about, by attribute.
    pub can_find: &'a dyn Fn(Kind, &str) -> bool,
}

/// One step to write.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What is written about: the order or its buyer.
    pub subject: RecordKey,
    /// The part of it (an address), or empty.
    pub part: String,
    /// The step.
    pub step: Step,
    /// The target's record; none for a create.
    pub target: Option<RemoteId>,
    /// What the target should look like.
    pub document: Document,
    /// What was decided before, for an update.
    pub before: Option<Document>,
    /// The version decided on.
    pub expects: Option<String>,
    /// Identifiers that a create takes: the next one who would create with them waits.
    pub claims: Vec<Query>,
}

impl Proposal {
    /// The key kept in the target.
    pub fn key(&self) -> WriteKey {
        WriteKey::of(&self.subject, &self.part)
    }
}

/// What to do next with a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Both sides agree.
    Nothing,
    /// Not this flow's business, and why (`status:pending`).
    Skip(String),
    /// A person is needed. Several causes may hold it; the first is shown.
    Hold(Vec<Cause>),
    /// Something must happen first.
    Wait(Cause),
    /// Ask the target.
    Ask(Vec<(Kind, Query)>),
    /// Look at the target's record again.
    Look(RemoteId),
    /// The target's record was found: note the link, write nothing.
    Link {
        /// What is linked.
        subject: RecordKey,
        /// Its part.
        part: String,
        /// To what.
        id: RemoteId,
    },
    /// The source changed in nothing that the target holds: note its digest as written.
    Rebase,
    /// Write one step.
    Write(Box<Proposal>),
}

/// Decides the next step for one record.
pub fn decide(case: &Case<'_>) -> Decision {
    if case.open.contains(&WriteKey::of(&case.source.key, "")) {
        return Decision::Wait(Cause::Settle(case.flow.target.to_string()));
    }
    if case.source.key.kind == Kind::Shipment {
        return answered(shipment::decide(case), case);
    }
    // Of two flows of one shop, only one follows an order.
    if let Some(order) = &case.source.order
        && let Some(elsewhere) = case.flow.goes_elsewhere(order)
    {
        return Decision::Skip(elsewhere);
    }
    let decision = match case.link {
        None => order::first_time(case),
        Some(link) if link.gone && case.verdict == Some(Verdict::CreateAgain) => {
            order::first_time(case)
        }
        Some(link) => follow::linked(case, link),
    };
    // What stops an order is looked at once more before it stops: a person may have put it right since.
    let stale = case.target.is_some_and(|target| !target.fresh);
    if let (Decision::Hold(_), true, Some(link)) = (&decision, stale, case.link) {
        return Decision::Look(link.id.clone());
    }
    answered(decision, case)
}

/// What a person said to leave as it is does not stop any more.
fn answered(decision: Decision, case: &Case<'_>) -> Decision {
    match (decision, case.verdict, case.link) {
        (Decision::Hold(_), Some(Verdict::Keep), Some(_)) => Decision::Nothing,
        (Decision::Hold(_), Some(Verdict::Keep), None) => Decision::Skip("dismissed".to_owned()),
        (decision, ..) => decision,
    }
}
