//! Simulated people who work in the ERP while a hub writes to it.

use super::Erp;
use super::hand::HandEdit;
use super::ledger::ErpContents;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use std::sync::Arc;

/// How often a person does what, in parts of the whole.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// Changes a quantity, adds a line, writes a note.
    pub edit: u32,
    /// Confirms.
    pub confirm: u32,
    /// Cancels.
    pub cancel: u32,
    /// Deletes.
    pub delete: u32,
}

impl Default for Habits {
    fn default() -> Self {
        Habits {
            edit: 6,
            confirm: 2,
            cancel: 1,
            delete: 1,
        }
    }
}

/// What a person did.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Changed a draft.
    Edited(HandEdit),
    /// Confirmed a draft.
    Confirmed,
    /// Cancelled a draft or a confirmed order.
    Cancelled,
    /// Deleted a draft or a cancelled order.
    Deleted,
}

/// An order as a person left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// Its id.
    pub order: i64,
    /// Its external id, if it has one.
    pub key: Option<String>,
    /// What was done.
    pub deed: Deed,
    /// What the order says since; what it said last, when it was deleted.
    pub left: Arc<ErpContents>,
}

/// A person: the same seed does the same to the same orders.
#[derive(Debug)]
pub struct Person {
    rng: SmallRng,
    habits: Habits,
    deeds: Vec<Touched>,
}

impl Person {
    /// A person of usual habits.
    pub fn new(seed: u64) -> Person {
        Person::with(seed, Habits::default())
    }

    /// A person of such habits.
    pub fn with(seed: u64, habits: Habits) -> Person {
        Person {
            rng: SmallRng::seed_from_u64(seed),
            habits,
            deeds: Vec::new(),
        }
    }

    /// Everything done so far, in order.
    pub fn deeds(&self) -> &[Touched] {
        &self.deeds
    }

    /// Does one thing to some order; nothing when there is no order, or Odoo would not let them.
    pub fn step(&mut self, erp: &Erp) -> Option<Touched> {
        let id = erp.some_order(&mut self.rng)?;
        let before = erp.order(id)?;
        let deed = self.choose(erp, &before.state, before.lines.len())?;
        let done = match &deed {
            Deed::Edited(edit) => erp.edit_order_by_hand(id, edit),
            Deed::Confirmed => erp.confirm_by_hand(id),
            Deed::Cancelled => erp.cancel_by_hand(id),
            Deed::Deleted => erp.delete_by_hand(id),
        };
        // Someone else was faster, or Odoo refuses: the person shrugs.
        done.ok()?;
        let after = erp.order(id)?;
        let touched = Touched {
            order: id,
            key: after.key.clone().or(before.key),
            deed,
            left: after.contents,
        };
        self.deeds.push(touched.clone());
        Some(touched)
    }

    fn choose(&mut self, erp: &Erp, state: &str, lines: usize) -> Option<Deed> {
        let Habits {
            edit,
            confirm,
            cancel,
            delete,
        } = self.habits;
        let all = edit + confirm + cancel + delete;
        if all == 0 {
            return None;
        }
        let mut pick = self.rng.random_range(0..all);
        let mut is = |share: u32| match pick.checked_sub(share) {
            Some(rest) => {
                pick = rest;
                false
            }
            None => true,
        };
        if is(edit) {
            return (state == "draft").then(|| self.edit(erp, lines)).flatten();
        }
        if is(confirm) {
            return (state == "draft").then_some(Deed::Confirmed);
        }
        if is(cancel) {
            return matches!(state, "draft" | "sale").then_some(Deed::Cancelled);
        }
        matches!(state, "draft" | "cancel").then_some(Deed::Deleted)
    }

    fn edit(&mut self, erp: &Erp, lines: usize) -> Option<Deed> {
        let quantity = Decimal::from(self.rng.random_range(1..10u32));
        let edit = match self.rng.random_range(0..3u32) {
            0 if lines > 0 => HandEdit::Quantity(self.rng.random_range(0..lines), quantity),
            1 => HandEdit::AddLine(erp.some_sku(&mut self.rng)?, quantity),
            _ => HandEdit::Note(format!(
                "call the customer before delivery ({})",
                self.rng.random_range(0..1_000_000u32)
            )),
        };
        Some(Deed::Edited(edit))
    }
}
