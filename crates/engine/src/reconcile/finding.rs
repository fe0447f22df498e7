//! What a comparison finds: each drift with its probable cause, and whether the machine may repair it.

use crate::decide::Proposal;
use comptoir_model::Decimal;
use comptoir_model::key::RemoteId;
use comptoir_rules::agree::Difference;
use comptoir_store::WorkState;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which side deviates from what both agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The one the flow reads.
    Source,
    /// The one it writes.
    Target,
}

/// The probable cause of a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The source has it so since the hub read it last: placed, changed or called off meanwhile, and its hint or its poll is still out.
    NotRead,
    /// The target holds it under our key, and the store does not know: an older copy of the store was put back.
    LostLink,
    /// Somebody deleted it in the target.
    DeletedInTarget,
    /// Somebody deleted it in the source.
    DeletedInSource,
    /// Somebody changed in the target what the hub had left there.
    EditedInTarget,
    /// Somebody called it off in the target.
    CalledOffInTarget,
    /// The source called it off, and the flow's policy or a person left it in the target.
    CalledOffInSource,
    /// Somebody set it back to a draft in the target.
    SetBack,
    /// It was entered by hand, copied, or made by another program.
    TypedIn,
    /// The target comes to another sum of what it was told, and nobody has touched it since.
    Computed,
    /// Somebody, or another program, set the quantity in the target.
    SetByHand,
    /// The target has lost what it was told.
    TakenOut,
}

/// What can be done about a drift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// It is read and booked.
    Book,
    /// It is linked to the target's record, and nothing is written.
    Link,
    /// It is read and the target's record follows.
    Follow,
    /// The quantity is put.
    Put,
    /// It is told to the shop's order again; the buyer is not.
    Tell,
    /// No: what a person did is not overwritten.
    HandEdit,
    /// No: what a person deleted is not made again unasked.
    Deleted,
    /// No: the machine deletes nothing that it did not make.
    Surplus,
    /// No: the buyer has been told already.
    Told,
    /// No: there is no number to tell.
    NoNumber,
    /// No: the flow's policy leaves it as it is.
    Policy,
    /// No: the flow may not write.
    Shadow,
    /// No: it would be held, under this cause.
    Held(String),
}

impl Remedy {
    /// Whether the machine may do it.
    pub fn is_repairable(&self) -> bool {
        matches!(
            self,
            Remedy::Book | Remedy::Link | Remedy::Follow | Remedy::Put | Remedy::Tell
        )
    }
}

/// One difference between the two sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The source's record; of a double the target's.
    pub record: RemoteId,
    /// The number people read, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub number: String,
    /// The target's record, where there is one.
    pub target: Option<RemoteId>,
    /// How they differ.
    #[serde(flatten)]
    pub difference: Difference,
    /// Which side deviates.
    pub side: Side,
    /// The probable cause.
    pub why: Why,
    /// Whether the machine may repair it.
    pub repairable: bool,
    /// What can be done, or why nothing.
    pub remedy: Remedy,
    /// What a repair would write, as decided on what was just read.
    #[serde(skip)]
    pub writes: Vec<Proposal>,
}

impl Drift {
    /// A drift of a record and its remedy, without writes.
    pub fn new(
        record: &RemoteId,
        target: Option<&RemoteId>,
        difference: Difference,
        (side, why): (Side, Why),
        remedy: Remedy,
    ) -> Self {
        Drift {
            record: record.clone(),
            number: String::new(),
            target: target.cloned(),
            difference,
            side,
            why,
            repairable: remedy.is_repairable(),
            remedy,
            writes: Vec::new(),
        }
    }

    /// The same with the number people read.
    pub fn numbered(self, number: &str) -> Self {
        Drift {
            number: number.to_owned(),
            ..self
        }
    }

    /// Whether two comparisons found the same.
    pub fn is_same(&self, other: &Drift) -> bool {
        self.record == other.record
            && self.target == other.target
            && self.difference.word() == other.difference.word()
    }
}

/// What the compared pairs come to, in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sums {
    /// Pairs.
    pub orders: usize,
    /// Of the source.
    pub source: Decimal,
    /// Of the target.
    pub target: Decimal,
    /// Rounding lines in the target's.
    pub rounding: Decimal,
}

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciled {
    /// Pairs that were compared.
    pub compared: usize,
    /// Records that are none of the flow's business.
    pub skipped: usize,
    /// Records that are held for a person: known, and no drift.
    pub held: usize,
    /// Records that are under way.
    pub under_way: usize,
    /// What the compared orders come to, by currency.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<String, Sums>,
    /// What differs.
    pub drift: Vec<Drift>,
}

impl Reconciled {
    /// Counts a record that is not settled. Answers whether it is settled and to be compared.
    pub(super) fn is_settled(&mut self, state: WorkState) -> bool {
        match state {
            WorkState::Done => return true,
            WorkState::Held => self.held += 1,
            WorkState::Due | WorkState::Waiting => self.under_way += 1,
            WorkState::Skipped => self.skipped += 1,
        }
        false
    }

    /// Drifts that the machine may repair.
    pub fn repairable(&self) -> impl Iterator<Item = &Drift> {
        self.drift.iter().filter(|drift| drift.repairable)
    }
}
