//! The taxes of an order. A line names its taxes by id and its amounts with and without tax; shipping names a rate, wrapping nothing.

use super::tables::{Tables, Tax, code};
use super::wire::DetailWire;
use comptoir_model::Decimal;
use comptoir_model::money::{Currency, allocate};
use comptoir_model::order::{LineTax, TaxLine};

/// The taxes met in one order.
pub(super) struct Ledger<'a> {
    tables: &'a Tables,
    currency: Currency,
    lines: Vec<TaxLine>,
}

/// Where a tax is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    /// A line or a fee.
    Goods,
    /// Shipping.
    Shipping,
}

impl<'a> Ledger<'a> {
    /// No taxes yet.
    pub(super) fn new(tables: &'a Tables, currency: Currency) -> Self {
        Ledger {
            tables,
            currency,
            lines: Vec::new(),
        }
    }

    /// The tax lines.
    pub(super) fn into_lines(self) -> Vec<TaxLine> {
        self.lines
    }

    /// The taxes of one line, which together are `tax`.
    pub(super) fn of_line(
        &mut self,
        detail: &DetailWire,
        net: Decimal,
        tax: Decimal,
    ) -> Vec<LineTax> {
        let tables = self.tables;
        let ids = detail.associations.taxes.iter();
        let known: Vec<&Tax> = ids.filter_map(|tax| tables.taxes.get(&tax.id)).collect();
        if known.is_empty() {
            return self.of_amounts(net, tax, None, "tax", On::Goods);
        }
        let weights = weights(&known, &detail.tax_computation_method);
        // Amounts have six decimals; the shares keep them, and add up exactly.
        let shares = allocate(tax, &weights, Decimal::new(1, 6));
        let compound = detail.tax_computation_method == "2";
        let taxes = known.iter().zip(shares).enumerate();
        taxes
            .map(|(index, (known, share))| {
                let known = Known::of(known, compound && index > 0);
                self.add(known, share, On::Goods)
            })
            .collect()
    }

    /// The tax of what names none: one of the order's own with the stated rate, or with amounts that fit; else the shop's only one with that
    /// rate; else a key of its own.
    pub(super) fn of_amounts(
        &mut self,
        net: Decimal,
        tax: Decimal,
        stated: Option<Decimal>,
        word: &str,
        on: On,
    ) -> Vec<LineTax> {
        if tax.is_zero() {
            return Vec::new();
        }
        let stated = stated
            .filter(|rate| !rate.is_zero())
            .map(|rate| rate.normalize());
        let known = match self
            .own(net, tax, stated)
            .or_else(|| self.only(net, tax, stated))
        {
            Some(known) => known,
            None => {
                let rate = stated.or_else(|| rate_of(net, tax));
                Known {
                    code: rate.map_or(word.to_owned(), |rate| code(word, rate)),
                    title: String::new(),
                    rate: stated,
                    compound: false,
                }
            }
        };
        vec![self.add(known, tax, on)]
    }

    /// A tax of this order.
    fn own(&self, net: Decimal, tax: Decimal, stated: Option<Decimal>) -> Option<Known> {
        let mut fitting = self.lines.iter().filter(|line| match (stated, line.rate) {
            (Some(stated), Some(rate)) => stated == rate,
            (None, Some(rate)) => self.fits(net, tax, rate),
            _ => false,
        });
        fitting.next().map(|line| Known {
            code: line.code.clone(),
            title: line.title.clone(),
            rate: line.rate,
            compound: line.compound,
        })
    }

    /// The shop's only living tax that fits.
    fn only(&self, net: Decimal, tax: Decimal, stated: Option<Decimal>) -> Option<Known> {
        let living = self.tables.taxes.values().filter(|tax| !tax.deleted);
        let mut fitting = living.filter(|known| match stated {
            Some(stated) => known.rate == stated,
            None => self.fits(net, tax, known.rate),
        });
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Some(Known::of(only, false)),
            _ => None,
        }
    }

    fn fits(&self, net: Decimal, tax: Decimal, rate: Decimal) -> bool {
        (net * rate / Decimal::ONE_HUNDRED - tax).abs() <= self.currency.minor_unit()
    }

    fn add(&mut self, known: Known, amount: Decimal, on: On) -> LineTax {
        let amount = amount.normalize();
        let index = match self.lines.iter().position(|line| line.code == known.code) {
            Some(index) => index,
            None => {
                self.lines.push(TaxLine {
                    code: known.code.clone(),
                    title: known.title,
                    rate: known.rate,
                    compound: known.compound,
                    amount: Decimal::ZERO,
                    shipping: Decimal::ZERO,
                    channel_liable: false,
                });
                self.lines.len() - 1
            }
        };
        let line = &mut self.lines[index];
        line.compound |= known.compound;
        let sum = match on {
            On::Goods => &mut line.amount,
            On::Shipping => &mut line.shipping,
        };
        *sum = (*sum + amount).normalize();
        LineTax {
            code: known.code,
            amount,
        }
    }
}

struct Known {
    code: String,
    title: String,
    rate: Option<Decimal>,
    compound: bool,
}

impl Known {
    fn of(tax: &Tax, compound: bool) -> Self {
        Known {
            code: tax.code.clone(),
            title: tax.name.clone(),
            rate: Some(tax.rate),
            compound,
        }
    }
}

/// How the tax of a line is spread over several: by their rates, or one upon the other (method 2).
fn weights(taxes: &[&Tax], method: &str) -> Vec<Decimal> {
    let mut base = Decimal::ONE;
    let weight = |tax: &&Tax| {
        let share = base * tax.rate / Decimal::ONE_HUNDRED;
        if method == "2" {
            base += share;
        }
        share
    };
    taxes.iter().map(weight).collect()
}

/// The rate that amounts suggest, to a tenth of a percent.
fn rate_of(net: Decimal, tax: Decimal) -> Option<Decimal> {
    let rate = tax.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(net)?;
    Some(rate.round_dp(1).normalize())
}
