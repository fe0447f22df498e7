//! The money equations: what must hold of an order on ingest, and again of what the ERP answers.
//!
//! 1. Σ lines + Σ shipping + Σ fees − Σ discounts not in the lines + Σ tax + rounding = total;
//! 2. Σ tax lines = tax, within one minor unit per taxed line;
//! 3. Σ captured payments − Σ refunds ≤ total when the order says it is paid;
//! 4. per tax |Σ base × rate − tax| ≤ one minor unit per line;
//! 5. the total is a whole number of minor units: nobody can pay 1508.28 JPY, and no ledger holds it.

use crate::money::Currency;
use crate::order::{LineTax, Order, Paid};
use crate::payment::{PaymentKind, PaymentState};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far a total may be from its parts before a person must look, in minor units of the currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// Minor units per line.
    pub per_line: u32,
    /// Minor units at most.
    pub at_most: u32,
}

impl Default for Tolerance {
    fn default() -> Self {
        Tolerance {
            per_line: 1,
            at_most: 5,
        }
    }
}

impl Tolerance {
    /// The amount tolerated for a document of so many lines.
    pub fn amount(&self, lines: usize, currency: Currency) -> Decimal {
        let units = (lines as u64)
            .saturating_mul(u64::from(self.per_line))
            .min(u64::from(self.at_most));
        currency.minor_unit() * Decimal::from(units)
    }
}

/// Which equation does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Equation {
    /// The parts and the total.
    Total,
    /// The tax lines and the tax.
    Tax,
    /// The payments and the total.
    Payments,
    /// Base times rate and one tax.
    Rate,
    /// The total and the smallest unit of its currency.
    Unit,
}

/// An equation that does not hold, written out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Which one.
    pub equation: Equation,
    /// The tax it is about, for [`Equation::Rate`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// The sum of the parts.
    #[schemars(with = "String")]
    pub parts: Decimal,
    /// What the document states.
    #[schemars(with = "String")]
    pub stated: Decimal,
}

impl Difference {
    /// Stated minus parts.
    pub fn amount(&self) -> Decimal {
        self.stated - self.parts
    }
}

/// The sum of everything in the order except `totals.rounding`, with tax.
pub fn sum_of_parts(order: &Order) -> Decimal {
    let lines: Decimal = order.lines.iter().map(|line| line.net).sum();
    let shipping: Decimal = order.shipping.iter().map(|line| line.net).sum();
    let fees: Decimal = order.fees.iter().map(|fee| fee.net).sum();
    let discounts: Decimal = order
        .discounts
        .iter()
        .filter(|discount| !discount.in_lines)
        .map(|discount| discount.net)
        .sum();
    lines + shipping + fees - discounts + order.totals.tax
}

/// Sets `totals.rounding` to what no part explains. The connector calls it once after decoding; whether that much is
/// tolerable is for [`check`] to say.
pub fn settle_rounding(order: &mut Order) {
    order.totals.rounding = (order.totals.total - sum_of_parts(order)).normalize();
}

/// How many lines of any sort carry an amount.
pub fn priced_lines(order: &Order) -> usize {
    order.lines.len() + order.shipping.len() + order.fees.len()
}

/// Every equation that does not hold within the tolerance. Rates are advisory: see [`blocking`].
pub fn check(order: &Order, tolerance: Tolerance) -> Vec<Difference> {
    let allowed = tolerance.amount(priced_lines(order).max(1), order.currency);
    let mut found = Vec::new();
    let parts = sum_of_parts(order);
    if (order.totals.total - parts).abs() > allowed
        || order.totals.total - parts != order.totals.rounding
    {
        found.push(Difference {
            equation: Equation::Total,
            code: String::new(),
            parts,
            stated: order.totals.total,
        });
    }
    let taxes: Decimal = order
        .taxes
        .iter()
        .map(|tax| tax.amount + tax.shipping)
        .sum();
    if !order.taxes.is_empty() && (order.totals.tax - taxes).abs() > allowed {
        found.push(Difference {
            equation: Equation::Tax,
            code: String::new(),
            parts: taxes,
            stated: order.totals.tax,
        });
    }
    let payable = order.currency.round(order.totals.total);
    if payable != order.totals.total {
        found.push(Difference {
            equation: Equation::Unit,
            code: String::new(),
            parts: payable,
            stated: order.totals.total,
        });
    }
    found.extend(check_payments(order, allowed));
    found.extend(check_rates(order));
    found
}

/// The differences that stop an order: a total, a tax or payments that do not add up. A rate that does not recompute is shown, not held.
pub fn blocking(differences: &[Difference]) -> impl Iterator<Item = &Difference> {
    differences
        .iter()
        .filter(|difference| difference.equation != Equation::Rate)
}

fn check_payments(order: &Order, allowed: Decimal) -> Option<Difference> {
    if order.status.paid != Paid::Yes {
        return None;
    }
    let captured: Vec<Decimal> = order
        .payments
        .iter()
        .filter(|payment| payment.state == PaymentState::Done && payment.currency == order.currency)
        .filter(|payment| {
            matches!(
                payment.kind,
                PaymentKind::Sale | PaymentKind::Capture | PaymentKind::GiftCard
            )
        })
        .map(|payment| payment.amount)
        .collect();
    if captured.is_empty() {
        return None;
    }
    let paid: Decimal = captured.iter().sum();
    ((paid - order.totals.total).abs() > allowed).then(|| Difference {
        equation: Equation::Payments,
        code: String::new(),
        parts: paid,
        stated: order.totals.total,
    })
}

/// Equation 4, for taxes with a rate that are not compound and do not stand under a compound one.
fn check_rates(order: &Order) -> Vec<Difference> {
    if order.taxes.iter().any(|tax| tax.compound) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for tax in &order.taxes {
        let Some(rate) = tax.rate else { continue };
        let mut base = Decimal::ZERO;
        let mut lines = 0u32;
        let bases = order
            .lines
            .iter()
            .map(|line| (line.net, &line.taxes))
            .chain(order.shipping.iter().map(|line| (line.net, &line.taxes)))
            .chain(order.fees.iter().map(|fee| (fee.net, &fee.taxes)));
        for (net, taxes) in bases {
            if taxes.iter().any(|LineTax { code, .. }| *code == tax.code) {
                base += net;
                lines += 1;
            }
        }
        let computed = base * rate / Decimal::ONE_HUNDRED;
        let stated = tax.amount + tax.shipping;
        let allowed = order.currency.minor_unit() * Decimal::from(lines.max(1));
        if (computed - stated).abs() > allowed {
            found.push(Difference {
                equation: Equation::Rate,
                code: tax.code.clone(),
                parts: computed,
                stated,
            });
        }
    }
    found
}
