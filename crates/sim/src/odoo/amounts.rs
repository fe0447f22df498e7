//! What an order costs, computed as Odoo does, exactly.
//!
//! Up to 17 a line's net is rounded first and the last included tax is what is left; from 18 on the tax is rounded and the
//! net is what is left. Rounded globally, the taxes of a document are summed before they are rounded.

use super::Rounding;
use comptoir_model::money::RoundingMode;
use rust_decimal::Decimal;

/// A percent tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tax {
    /// Its id.
    pub id: i64,
    /// Percent: 20 for 20 %.
    pub rate: Decimal,
    /// Whether prices include it.
    pub included: bool,
    /// Whether taxes after it are charged on it too.
    pub affects_base: bool,
}

/// A line to be taxed.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Quantity times price, less the discount, unrounded.
    pub raw: Decimal,
    /// Its taxes, in order.
    pub taxes: Vec<Tax>,
}

/// Net and tax; the gross is their sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amounts {
    /// Without tax.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
}

impl Amounts {
    /// Net and tax together.
    pub(super) fn gross(&self) -> Decimal {
        self.net + self.tax
    }
}

/// How a company rounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    /// Per line or globally.
    pub rounding: Rounding,
    /// Whether the engine of 18 and later is used.
    pub new_engine: bool,
    /// Decimals of the currency.
    pub decimals: u32,
}

struct Split {
    net: Decimal,
    taxes: Vec<(i64, Decimal)>,
}

impl Policy {
    fn round(&self, amount: Decimal) -> Decimal {
        RoundingMode::HalfUp.round(amount, self.decimals)
    }

    /// A line alone: `price_subtotal` and `price_tax`.
    pub(super) fn line(&self, base: &Base) -> Amounts {
        if self.new_engine {
            return self.document_new(std::slice::from_ref(base));
        }
        let split = self.split_old(base);
        Amounts {
            net: split.net,
            tax: self.round(split.taxes.iter().map(|(_, amount)| amount).sum()),
        }
    }

    /// A whole order.
    pub(super) fn document(&self, bases: &[Base]) -> Amounts {
        if self.new_engine {
            return self.document_new(bases);
        }
        let splits: Vec<Split> = bases.iter().map(|base| self.split_old(base)).collect();
        Amounts {
            net: splits.iter().map(|split| split.net).sum(),
            tax: self.sum_by_tax(&splits),
        }
    }

    fn sum_by_tax(&self, splits: &[Split]) -> Decimal {
        let mut sums: Vec<(i64, Decimal)> = Vec::new();
        for &(id, amount) in splits.iter().flat_map(|split| &split.taxes) {
            match sums.iter_mut().find(|(known, _)| *known == id) {
                Some((_, sum)) => *sum += amount,
                None => sums.push((id, amount)),
            }
        }
        sums.iter().map(|&(_, sum)| self.round(sum)).sum()
    }

    /// Up to 17: the net is rounded in both settings (so they agree for included taxes), and the last included tax takes
    /// what is left of the price.
    fn split_old(&self, base: &Base) -> Split {
        let round_tax = |amount: Decimal| match self.rounding {
            Rounding::PerLine => self.round(amount),
            Rounding::Globally => RoundingMode::HalfUp.round(amount, self.decimals + 5),
        };
        let price = self.round(base.raw);
        let included: Decimal = base.taxes.iter().filter(|t| t.included).map(rate).sum();
        let net = self.round(price / (Decimal::ONE + included));
        let last_included = base.taxes.iter().rposition(|tax| tax.included);
        let mut left = price - net;
        let mut carried = Decimal::ZERO;
        let mut taxes = Vec::with_capacity(base.taxes.len());
        for (position, tax) in base.taxes.iter().enumerate() {
            let amount = if Some(position) == last_included {
                left
            } else {
                round_tax((net + carried) * rate(tax))
            };
            if tax.included {
                left -= amount;
            } else if tax.affects_base {
                carried += amount;
            }
            taxes.push((tax.id, amount));
        }
        Split { net, taxes }
    }

    /// From 18 on, unrounded when rounding is global.
    fn split_new(&self, base: &Base) -> Split {
        let (raw, round): (Decimal, &dyn Fn(Decimal) -> Decimal) = match self.rounding {
            Rounding::PerLine => (self.round(base.raw), &|amount| self.round(amount)),
            Rounding::Globally => (base.raw, &|amount| amount),
        };
        let included: Decimal = base.taxes.iter().filter(|t| t.included).map(rate).sum();
        let within = |tax: &Tax| round(raw * rate(tax) / (Decimal::ONE + included));
        let net = raw
            - base
                .taxes
                .iter()
                .filter(|tax| tax.included)
                .map(within)
                .sum::<Decimal>();
        let mut carried = Decimal::ZERO;
        let mut taxes = Vec::with_capacity(base.taxes.len());
        for tax in &base.taxes {
            let amount = match tax.included {
                true => within(tax),
                false => round((net + carried) * rate(tax)),
            };
            if !tax.included && tax.affects_base {
                carried += amount;
            }
            taxes.push((tax.id, amount));
        }
        Split { net, taxes }
    }

    /// From 18 on. A document whose taxes are all included keeps its gross; any other keeps its net.
    fn document_new(&self, bases: &[Base]) -> Amounts {
        let splits: Vec<Split> = bases.iter().map(|base| self.split_new(base)).collect();
        let tax = self.sum_by_tax(&splits);
        let raw_net: Decimal = splits.iter().map(|split| split.net).sum();
        let keeps_net = bases
            .iter()
            .flat_map(|base| &base.taxes)
            .any(|tax| !tax.included);
        let net = if keeps_net {
            self.round(raw_net)
        } else {
            let raw_tax: Decimal = splits.iter().flat_map(|s| &s.taxes).map(|(_, a)| a).sum();
            self.round(raw_net + raw_tax) - tax
        };
        Amounts { net, tax }
    }
}

fn rate(tax: &Tax) -> Decimal {
    tax.rate / Decimal::ONE_HUNDRED
}
