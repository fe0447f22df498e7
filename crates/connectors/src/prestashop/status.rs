//! What an order state means. The shop's states are rows that anyone may add; their flags tell most of it. Cancelled, refunded and a failed
//! payment have no flags: they are known by their mail template, and by the ids that every installation gives them.

use super::settings::Settings;
use super::tables::{StateWire, Tables};
use super::wire::{OrderWire, in_first_language};
use comptoir_model::Decimal;
use comptoir_model::order::{Life, Paid, Shipped, Status};

/// The highest id of the states that an installation comes with.
pub(super) const LAST_OWN: u64 = 13;

/// What a state stands for beyond its flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its flags say it all.
    Flags,
    /// Called off.
    Cancelled,
    /// The payment failed.
    Failed,
    /// Given back.
    Refunded,
}

/// What a state stands for.
pub(super) fn meaning(state: &StateWire) -> Meaning {
    let flagged = state.paid || state.shipped || state.delivery;
    let template = in_first_language(&state.template);
    match (template.as_str(), state.id.as_str()) {
        ("order_canceled", _) => Meaning::Cancelled,
        ("payment_error", _) => Meaning::Failed,
        ("refund", _) => Meaning::Refunded,
        ("", "6") if !flagged => Meaning::Cancelled,
        ("", "7") if !flagged => Meaning::Refunded,
        ("", "8") if !flagged => Meaning::Failed,
        _ => Meaning::Flags,
    }
}

/// The three states of an order. `back` is what its credit slips give back.
pub(super) fn status(
    wire: &OrderWire,
    tables: &Tables,
    settings: &Settings,
    back: Decimal,
) -> Status {
    let unknown = StateWire::default();
    let state = tables.states.get(&wire.current_state).unwrap_or(&unknown);
    let meaning = meaning(state);
    let life = match settings.statuses.get(&wire.current_state) {
        Some(life) => *life,
        None => life(state, meaning),
    };
    Status {
        word: wire.current_state.clone(),
        life,
        paid: paid(wire, state, meaning, back),
        shipped: match life {
            _ if state.shipped => Shipped::Yes,
            Life::Draft | Life::Open | Life::OnHold => Shipped::No,
            _ => Shipped::Unknown,
        },
    }
}

fn life(state: &StateWire, meaning: Meaning) -> Life {
    match meaning {
        Meaning::Cancelled => Life::Cancelled,
        // A failed payment may be tried again.
        Meaning::Failed => Life::Draft,
        Meaning::Refunded => Life::Completed,
        Meaning::Flags if state.shipped => Life::Completed,
        Meaning::Flags if state.paid => Life::Open,
        Meaning::Flags => Life::OnHold,
    }
}

fn paid(wire: &OrderWire, state: &StateWire, meaning: Meaning, back: Decimal) -> Paid {
    let (total, real) = (wire.total_paid_tax_incl, wire.total_paid_real);
    match meaning {
        Meaning::Refunded => Paid::Refunded,
        Meaning::Failed => Paid::Failed,
        _ if state.paid && total > Decimal::ZERO && back >= total => Paid::Refunded,
        _ if state.paid => Paid::Yes,
        _ if total > Decimal::ZERO && real >= total => Paid::Yes,
        _ if real > Decimal::ZERO => Paid::Partly,
        _ => Paid::No,
    }
}
