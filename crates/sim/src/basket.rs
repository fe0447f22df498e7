//! The money of a basket as WooCommerce computes it.
//!
//! Reproduced, from the tapes and the sources they name:
//! - a percent coupon takes its share of each line rounded down to the minor unit, and spreads what is missing of the whole
//!   one minor unit at a time from the first line; a fixed coupon takes the same amount of each unit;
//! - tax is rounded per line and rate (half up; half down when prices include tax), or kept exact and rounded once when the
//!   shop rounds at subtotal level;
//! - line totals are net even when prices include tax: net is gross minus the rounded tax;
//! - shipping is taxed like the goods: at the standard rate as soon as one line is.

use crate::catalogue::Catalogue;
use crate::woocommerce::order::{Fee, Line, LineTax, Order, ShippingLine, TaxLine};
use comptoir_model::money::RoundingMode;
use rust_decimal::Decimal;

/// How the shop computes: what its settings were when the order was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Catalogue prices include tax.
    pub include_tax: bool,
    /// Tax is rounded once per rate, not per line.
    pub at_subtotal: bool,
    /// Decimals of the currency.
    pub decimals: u32,
}

impl Terms {
    fn mode(self) -> RoundingMode {
        if self.include_tax {
            RoundingMode::HalfDown
        } else {
            RoundingMode::HalfUp
        }
    }

    fn round(self, amount: Decimal) -> Decimal {
        self.mode().round(amount, self.decimals)
    }

    fn unit(self) -> Decimal {
        Decimal::new(1, self.decimals)
    }
}

/// One rate on one amount.
#[derive(Debug, Clone, Copy)]
struct Rate {
    id: u64,
    percent: Decimal,
    compound: bool,
}

/// What a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Off {
    /// Percent of each line.
    Percent(Decimal),
    /// An amount of the whole.
    Fixed(Decimal),
    /// Nothing but the shipping.
    Shipping,
}

/// What `off` takes of each amount, in the order of the amounts. `units` is the number of pieces of each.
pub(crate) fn take_off(
    off: Off,
    amounts: &[Decimal],
    units: &[Decimal],
    terms: Terms,
) -> Vec<Decimal> {
    match off {
        Off::Shipping => vec![Decimal::ZERO; amounts.len()],
        Off::Percent(percent) => percent_off(percent, amounts, terms),
        Off::Fixed(amount) => fixed_off(amount, amounts, units, terms),
    }
}

fn percent_off(percent: Decimal, amounts: &[Decimal], terms: Terms) -> Vec<Decimal> {
    let share = |amount: Decimal| amount * percent / Decimal::ONE_HUNDRED;
    let floor = |amount: Decimal| (amount / terms.unit()).floor() * terms.unit();
    let mut taken: Vec<Decimal> = amounts.iter().map(|amount| floor(share(*amount))).collect();
    let whole = terms.round(share(amounts.iter().sum()));
    let missing = whole - taken.iter().sum::<Decimal>();
    spread(&mut taken, amounts, missing, terms.unit());
    taken
}

fn fixed_off(
    amount: Decimal,
    amounts: &[Decimal],
    units: &[Decimal],
    terms: Terms,
) -> Vec<Decimal> {
    let all: Decimal = units.iter().sum();
    if all.is_zero() {
        return vec![Decimal::ZERO; amounts.len()];
    }
    let each = (amount / all / terms.unit()).floor() * terms.unit();
    let mut taken: Vec<Decimal> = amounts
        .iter()
        .zip(units)
        .map(|(amount, units)| (each * units).min(*amount))
        .collect();
    let most = amount.min(amounts.iter().sum());
    let missing = most - taken.iter().sum::<Decimal>();
    spread(&mut taken, amounts, missing, terms.unit());
    taken
}

/// Adds what is missing one unit at a time, first line first, never more than a line's amount.
fn spread(taken: &mut [Decimal], amounts: &[Decimal], mut missing: Decimal, unit: Decimal) {
    let mut moved = true;
    while missing >= unit && moved {
        moved = false;
        for (taken, amount) in taken.iter_mut().zip(amounts) {
            if missing >= unit && *taken + unit <= *amount {
                *taken += unit;
                missing -= unit;
                moved = true;
            }
        }
    }
}

/// Turns the lines' amounts from catalogue terms (with tax when prices include it) into net amounts, sets every tax and sum.
pub(crate) fn ring_up(order: &mut Order, shop: &Catalogue, terms: Terms) {
    let to = order.taxed_at();
    for line in &mut order.lines {
        let rates = if line.taxable {
            rates_of(shop, &to, &line.tax_class)
        } else {
            Vec::new()
        };
        tax_line(line, &rates, terms);
    }
    settle(order, shop, terms);
}

/// Sets every tax and sum from the lines' net amounts: what the shop does after a person edited an order.
pub(crate) fn recalculate(order: &mut Order, shop: &Catalogue) {
    let terms = Terms {
        include_tax: false,
        at_subtotal: order.at_subtotal,
        decimals: order.decimals,
    };
    ring_up(order, shop, terms);
}

fn rates_of(shop: &Catalogue, to: &(String, String), class: &str) -> Vec<Rate> {
    shop.rates(&to.0, &to.1, class)
        .into_iter()
        .map(|tax| Rate {
            id: tax.id,
            percent: tax.rate,
            compound: tax.compound,
        })
        .collect()
}

fn tax_line(line: &mut Line, rates: &[Rate], terms: Terms) {
    let subtotal = taxes_on(line.subtotal, rates, terms);
    let total = taxes_on(line.total, rates, terms);
    line.subtotal_tax = subtotal.iter().sum();
    line.total_tax = total.iter().sum();
    if terms.include_tax {
        line.subtotal -= line.subtotal_tax;
        line.total -= line.total_tax;
    }
    line.taxes = rates
        .iter()
        .zip(subtotal.into_iter().zip(total))
        .map(|(rate, (subtotal, total))| LineTax {
            rate: rate.id,
            total,
            subtotal: Some(subtotal),
        })
        .collect();
}

/// The tax of each rate on an amount.
fn taxes_on(amount: Decimal, rates: &[Rate], terms: Terms) -> Vec<Decimal> {
    let exact = if terms.include_tax {
        inside(amount, rates)
    } else {
        on_top(amount, rates)
    };
    if terms.at_subtotal {
        // Kept with the six decimals that `dp=6` can show.
        return exact.into_iter().map(|tax| tax.round_dp(6)).collect();
    }
    exact.into_iter().map(|tax| terms.round(tax)).collect()
}

fn on_top(amount: Decimal, rates: &[Rate]) -> Vec<Decimal> {
    let part = |base: Decimal, rate: &Rate| base * rate.percent / Decimal::ONE_HUNDRED;
    let simple: Decimal = rates
        .iter()
        .filter(|rate| !rate.compound)
        .map(|rate| part(amount, rate))
        .sum();
    rates
        .iter()
        .map(|rate| {
            let base = if rate.compound {
                amount + simple
            } else {
                amount
            };
            part(base, rate)
        })
        .collect()
}

fn inside(amount: Decimal, rates: &[Rate]) -> Vec<Decimal> {
    let whole: Decimal = rates.iter().map(|rate| rate.percent).sum();
    rates
        .iter()
        .map(|rate| amount * rate.percent / (Decimal::ONE_HUNDRED + whole))
        .collect()
}

/// Shipping and fee taxes, the tax lines and the sums.
fn settle(order: &mut Order, shop: &Catalogue, terms: Terms) {
    let to = order.taxed_at();
    let taxable = order.lines.iter().filter(|line| line.taxable);
    let mut classes = taxable.map(|line| line.tax_class.as_str());
    let first = classes.next();
    let class = match classes.any(str::is_empty) {
        true => Some(""),
        false => first,
    };
    let shipping_rates = class.map_or_else(Vec::new, |class| rates_of(shop, &to, class));
    // Shipping and fees are net in both sorts of shop, and their tax is rounded at once.
    let net = Terms {
        include_tax: false,
        at_subtotal: false,
        ..terms
    };
    for line in &mut order.shipping_lines {
        tax_shipping(line, &shipping_rates, net);
    }
    for fee in &mut order.fees {
        let rates = match fee.taxable {
            true => rates_of(shop, &to, &fee.tax_class),
            false => Vec::new(),
        };
        tax_fee(fee, &rates, net);
    }
    order.include_tax |= terms.include_tax;
    order.at_subtotal = terms.at_subtotal;
    order.decimals = terms.decimals;
    order.tax_lines = tax_lines(order, shop);
    sum_up(order);
}

fn tax_shipping(line: &mut ShippingLine, rates: &[Rate], terms: Terms) {
    let taxes = taxes_on(line.total, rates, terms);
    line.total_tax = taxes.iter().sum();
    line.taxes = named(rates, taxes);
}

fn tax_fee(fee: &mut Fee, rates: &[Rate], terms: Terms) {
    let taxes = taxes_on(fee.total, rates, terms);
    fee.total_tax = taxes.iter().sum();
    fee.taxes = named(rates, taxes);
}

fn named(rates: &[Rate], taxes: Vec<Decimal>) -> Vec<LineTax> {
    rates
        .iter()
        .zip(taxes)
        .map(|(rate, total)| LineTax {
            rate: rate.id,
            total,
            subtotal: None,
        })
        .collect()
}

/// One tax line per rate in use, in the order of their first appearance; ids of lines that stay are kept.
fn tax_lines(order: &Order, shop: &Catalogue) -> Vec<TaxLine> {
    let mut lines: Vec<TaxLine> = Vec::new();
    let goods = order.lines.iter().flat_map(|line| &line.taxes);
    let fees = order.fees.iter().flat_map(|fee| &fee.taxes);
    let shipping = order.shipping_lines.iter().flat_map(|line| &line.taxes);
    let all = goods
        .chain(fees)
        .map(|tax| (tax, false))
        .chain(shipping.map(|tax| (tax, true)));
    for (tax, of_shipping) in all {
        let place = match lines.iter().position(|line| line.rate == tax.rate) {
            Some(place) => place,
            None => {
                let Some(rate) = shop.taxes.iter().find(|rate| rate.id == tax.rate) else {
                    continue;
                };
                let before = order.tax_lines.iter().find(|line| line.rate == tax.rate);
                lines.push(TaxLine {
                    id: before.map_or(0, |line| line.id),
                    rate: rate.id,
                    code: rate.code(),
                    label: rate.name.clone().into_owned(),
                    compound: rate.compound,
                    percent: rate.rate,
                    tax: Decimal::ZERO,
                    shipping: Decimal::ZERO,
                });
                lines.len() - 1
            }
        };
        let line = &mut lines[place];
        if of_shipping {
            line.shipping += tax.total;
        } else {
            line.tax += tax.total;
        }
    }
    lines
}

fn sum_up(order: &mut Order) {
    let net: Decimal = order.lines.iter().map(|line| line.total).sum();
    let fees: Decimal = order.fees.iter().map(|fee| fee.total).sum();
    order.discount_total = order
        .lines
        .iter()
        .map(|line| line.subtotal - line.total)
        .sum();
    order.discount_tax = order
        .lines
        .iter()
        .map(|line| line.subtotal_tax - line.total_tax)
        .sum();
    order.shipping_total = order.shipping_lines.iter().map(|line| line.total).sum();
    order.shipping_tax = order.shipping_lines.iter().map(|line| line.total_tax).sum();
    order.cart_tax = order.tax_lines.iter().map(|line| line.tax).sum();
    let round = |amount: Decimal| RoundingMode::HalfUp.round(amount, order.decimals);
    let tax = order.cart_tax + order.shipping_tax;
    order.total_tax = round(tax);
    order.total = round(net + fees + order.shipping_total + tax) - order.cards();
}

/// What an ERP that keeps two decimals in prices of one unit and rounds tax per line would make of the order, minus what
/// the shop charged. The generator keeps it within what a rounding line may hold.
pub(crate) fn erp_difference(order: &Order, shop: &Catalogue) -> Decimal {
    let to = order.taxed_at();
    let round = |amount: Decimal| RoundingMode::HalfUp.round(amount, order.decimals);
    let with_tax = |net: Decimal, rates: &[Rate]| {
        net + on_top(net, rates).into_iter().map(round).sum::<Decimal>()
    };
    let mut sum = Decimal::ZERO;
    for line in order.lines.iter().filter(|line| !line.quantity.is_zero()) {
        let unit = RoundingMode::HalfUp.round(round(line.total) / line.quantity, 2);
        let rates = if line.taxable {
            rates_of(shop, &to, &line.tax_class)
        } else {
            Vec::new()
        };
        sum += with_tax(round(unit * line.quantity), &rates);
    }
    for line in &order.shipping_lines {
        sum += line.total + line.total_tax;
    }
    for fee in &order.fees {
        sum += fee.total + fee.total_tax;
    }
    sum - order.total - order.cards()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EURO: Terms = Terms {
        include_tax: false,
        at_subtotal: false,
        decimals: 2,
    };

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn rate(percent: &str, compound: bool) -> Rate {
        Rate {
            id: 1,
            percent: d(percent),
            compound,
        }
    }

    #[test]
    fn tax_is_split_as_on_the_tapes() {
        let with_tax = Terms {
            include_tax: true,
            ..EURO
        };
        assert_eq!(
            taxes_on(d("9.99"), &[rate("20", false)], with_tax),
            [d("1.66")]
        );
        assert_eq!(
            taxes_on(d("33.75"), &[rate("20", false)], EURO),
            [d("6.75")]
        );
        // The tape with TPS and a compound TVQ.
        let canada = [rate("5", false), rate("9.975", true)];
        assert_eq!(taxes_on(d("33.75"), &canada, EURO), [d("1.69"), d("3.53")]);
        let at_subtotal = Terms {
            at_subtotal: true,
            ..EURO
        };
        assert_eq!(
            taxes_on(d("0.83"), &[rate("5.5", false)], at_subtotal),
            [d("0.04565")]
        );
    }

    #[test]
    fn coupons_take_what_the_tapes_show() {
        let percent = Off::Percent(d("10"));
        assert_eq!(
            take_off(percent, &[d("37.50"), d("18.90")], &[d("3"), d("1")], EURO),
            [d("3.75"), d("1.89")]
        );
        // 1.66 + 1.67 + 1.67 on the tape; the shop gave the rest to other lines than we do, the sum is the same.
        let fixed = take_off(
            Off::Fixed(d("5")),
            &[d("12.50"), d("18.90"), d("33.33")],
            &[d("1"), d("1"), d("1")],
            EURO,
        );
        assert_eq!(fixed.iter().sum::<Decimal>(), d("5"));
        assert!(
            fixed
                .iter()
                .all(|part| *part == d("1.66") || *part == d("1.67"))
        );
        assert_eq!(
            take_off(
                Off::Fixed(d("5")),
                &[d("2"), d("1")],
                &[d("1"), d("1")],
                EURO
            ),
            [d("2"), d("1")]
        );
    }
}
