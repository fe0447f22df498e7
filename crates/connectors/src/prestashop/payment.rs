//! How an order was paid. Payments hang on the reference, so a basket that became several orders shares them.

use super::order::Reader;
use super::wire::{OrderWire, PaymentWire, SiblingWire};
use comptoir_model::Decimal;
use comptoir_model::money::{Currency, allocate};
use comptoir_model::order::{Paid, Status};
use comptoir_model::payment::{Payment, PaymentKind, PaymentState};

/// The payments of an order, the first naming the module that the buyer chose.
pub(super) fn payments(
    wire: &OrderWire,
    rows: &[PaymentWire],
    siblings: &[SiblingWire],
    status: &Status,
    reader: Reader<'_>,
) -> Vec<Payment> {
    let Some(currency) = reader.tables.currency(&wire.id_currency) else {
        return Vec::new();
    };
    let share = Share::of(wire, rows, siblings, currency);
    let made: Vec<Payment> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let own = index == 0 || row.payment_method == wire.payment;
            Payment {
                method: method(if own {
                    &wire.module
                } else {
                    &row.payment_method
                }),
                title: row.payment_method.clone(),
                transaction: row.transaction_id.trim().to_owned(),
                kind: PaymentKind::Sale,
                state: PaymentState::Done,
                amount: share.take(row.amount).normalize(),
                // A currency that is not known any more cannot be compared with the order's.
                currency: reader.tables.currency(&row.id_currency).unwrap_or(currency),
                fee: None,
                at: reader.clock.instant(&row.date_add),
            }
        })
        .collect();
    if made.is_empty() && !wire.module.is_empty() {
        return vec![expected(wire, status, reader, currency)];
    }
    made
}

/// What was chosen and has not been paid yet, as far as the shop knows.
fn expected(wire: &OrderWire, status: &Status, reader: Reader<'_>, currency: Currency) -> Payment {
    let promised = reader.settings.promise_methods.contains(&wire.module);
    let (kind, state) = match status.paid {
        Paid::Yes | Paid::Refunded => (PaymentKind::Sale, PaymentState::Done),
        Paid::Failed => (PaymentKind::Sale, PaymentState::Failed),
        _ if promised => (PaymentKind::Promise, PaymentState::Pending),
        _ => (PaymentKind::Sale, PaymentState::Pending),
    };
    Payment {
        method: method(&wire.module),
        title: wire.payment.clone(),
        transaction: String::new(),
        kind,
        state,
        amount: wire.total_paid_tax_incl.normalize(),
        currency,
        fee: None,
        at: None,
    }
}

fn method(word: &str) -> String {
    match word.trim() {
        "" => "other".to_owned(),
        word => word.to_owned(),
    }
}

/// This order's part of payments that several orders share.
struct Share {
    totals: Vec<Decimal>,
    own: Option<usize>,
    unit: Decimal,
}

impl Share {
    /// Payments that are this order's total are its own; those that are the total of all orders of the reference are shared by their totals.
    fn of(
        wire: &OrderWire,
        rows: &[PaymentWire],
        siblings: &[SiblingWire],
        currency: Currency,
    ) -> Self {
        let unit = currency.minor_unit();
        let paid: Decimal = rows.iter().map(|row| row.amount).sum();
        let totals: Vec<Decimal> = siblings
            .iter()
            .map(|order| order.total_paid_tax_incl)
            .collect();
        let all: Decimal = totals.iter().sum();
        let own = siblings
            .iter()
            .position(|order| order.id == wire.id.as_str());
        let shared =
            siblings.len() > 1 && (paid - all).abs() <= unit * Decimal::from(siblings.len());
        Share {
            own: own.filter(|_| shared),
            totals,
            unit,
        }
    }

    fn take(&self, amount: Decimal) -> Decimal {
        match self.own {
            Some(own) => allocate(amount, &self.totals, self.unit)[own],
            None => amount,
        }
    }
}
