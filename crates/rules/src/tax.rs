//! Tax by arithmetic: what a system that rounds in its own way makes of given prices, and how far two systems differ per tax.
//!
//! Nothing here changes an amount: the shop's is the truth. It says where a cent comes from.

use crate::order::tax_target;
use crate::policy::OrderPolicy;
use comptoir_model::account::Account;
use comptoir_model::money::Currency;
use comptoir_model::order::{LineKind, LineTax, Order};
use comptoir_model::rounding::{RoundAt, RoundTarget, Rounding};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// One priced line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Price of one, with or without tax as `prices_include_tax` says, after discounts.
    pub price: Decimal,
    /// How many.
    pub quantity: Decimal,
    /// Rates in per cent, beside each other.
    pub rates: Vec<Decimal>,
}

/// What a line comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Amounts {
    /// Without tax.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
}

impl Amounts {
    /// With tax.
    pub fn gross(&self) -> Decimal {
        self.net + self.tax
    }
}

/// What a system that rounds like this makes of these lines, one by one; the sum is the document's. In a rate group the rounding of a
/// line is carried to the next one, so that the lines add up to the group's tax.
pub fn compute(
    lines: &[Priced],
    rounding: Rounding,
    prices_include_tax: bool,
    step: Decimal,
) -> Vec<Amounts> {
    let mode = rounding.mode(prices_include_tax);
    let round = |amount: Decimal| mode.to_step(amount, step);
    match rounding.at {
        RoundAt::Nowhere => lines
            .iter()
            .map(|line| exact(line, prices_include_tax))
            .collect(),
        RoundAt::Unit => lines
            .iter()
            .map(|line| {
                let one = Priced {
                    quantity: Decimal::ONE,
                    ..line.clone()
                };
                let one = rounded(&one, rounding, prices_include_tax, &round);
                Amounts {
                    net: one.net * line.quantity,
                    tax: one.tax * line.quantity,
                }
            })
            .collect(),
        RoundAt::Line => lines
            .iter()
            .map(|line| rounded(line, rounding, prices_include_tax, &round))
            .collect(),
        RoundAt::RateGroup => {
            let mut carried: BTreeMap<Vec<Decimal>, Amounts> = BTreeMap::new();
            lines
                .iter()
                .map(|line| {
                    let exact = exact(line, prices_include_tax);
                    let carry = carried.entry(line.rates.clone()).or_default();
                    let (net, tax) = (exact.net + carry.net, exact.tax + carry.tax);
                    let kept = match prices_include_tax {
                        // The price is what the buyer pays: what is not tax is net.
                        true => {
                            let tax = round(tax);
                            let gross = round(net + exact.tax + carry.tax);
                            Amounts {
                                net: gross - tax,
                                tax,
                            }
                        }
                        false => Amounts {
                            net: round(net),
                            tax: round(tax),
                        },
                    };
                    *carry = Amounts {
                        net: net - kept.net,
                        tax: tax - kept.tax,
                    };
                    kept
                })
                .collect()
        }
    }
}

/// Without any rounding.
fn exact(line: &Priced, prices_include_tax: bool) -> Amounts {
    let amount = line.price * line.quantity;
    let rate: Decimal = line.rates.iter().sum();
    match prices_include_tax {
        true => {
            let tax = amount * rate / (Decimal::ONE_HUNDRED + rate);
            Amounts {
                net: amount - tax,
                tax,
            }
        }
        false => Amounts {
            net: amount,
            tax: amount * rate / Decimal::ONE_HUNDRED,
        },
    }
}

/// Rounded by itself. Never both parts of a price that includes tax: one of them is the rest.
fn rounded(
    line: &Priced,
    rounding: Rounding,
    prices_include_tax: bool,
    round: &dyn Fn(Decimal) -> Decimal,
) -> Amounts {
    let gross = round(line.price * line.quantity);
    let taxes = |base: Decimal, over: Decimal| -> Decimal {
        line.rates
            .iter()
            .map(|rate| round(base * rate / over))
            .sum()
    };
    if !prices_include_tax {
        let net = gross;
        return Amounts {
            net,
            tax: taxes(net, Decimal::ONE_HUNDRED),
        };
    }
    let rate: Decimal = line.rates.iter().sum();
    let over = Decimal::ONE_HUNDRED + rate;
    let tax = match rounding.target {
        RoundTarget::Tax => taxes(gross, over),
        RoundTarget::Net => gross - round(gross * Decimal::ONE_HUNDRED / over),
    };
    Amounts {
        net: gross - tax,
        tax,
    }
}

/// Both sides of one tax, or of one set of taxes on the same lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaxGroup {
    /// What the shop calls it.
    pub source_name: String,
    /// The ERP's ids of it.
    pub target_name: String,
    /// Rate in per cent, if known.
    pub rate: Option<Decimal>,
    /// The shop's sums.
    pub source: Amounts,
    /// The ERP's sums; none where it is not known or has none.
    pub target: Option<Amounts>,
    /// Why the two differ.
    pub why: Difference,
}

/// How two sums of one tax differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// To the cent.
    None,
    /// The same sum, split otherwise into net and tax: shown, never held.
    Split,
    /// The ERP rounds otherwise: its way of rounding makes exactly its tax of the shop's amounts.
    Rounding,
    /// At most a minor unit per line, and not by the known ways of rounding.
    Cents,
    /// More than rounding explains.
    Unexplained,
    /// The ERP's side is not known.
    Unknown,
}

/// How the two sides of an order differ, tax by tax. The rounding line is in no group. `None` for the target: not written yet.
pub fn by_tax(
    source: &Order,
    target: Option<&Order>,
    policy: &OrderPolicy,
    account: &Account,
    target_rounding: Rounding,
) -> Vec<TaxGroup> {
    let mut groups: BTreeMap<BTreeSet<String>, TaxGroup> = BTreeMap::new();
    let mut lines: BTreeMap<BTreeSet<String>, Vec<Amounts>> = BTreeMap::new();
    for part in parts(source) {
        let key: BTreeSet<String> = part
            .taxes
            .iter()
            .map(|tax| tax_target(policy, account, &tax.code))
            .collect();
        let group = groups.entry(key.clone()).or_insert_with(|| TaxGroup {
            source_name: name_of(source, part.taxes),
            target_name: key.iter().cloned().collect::<Vec<_>>().join(" + "),
            rate: rate_of(source, part.taxes),
            source: Amounts::default(),
            target: target.map(|_| Amounts::default()),
            why: Difference::Unknown,
        });
        group.source.net += part.amounts.net;
        group.source.tax += part.amounts.tax;
        lines.entry(key).or_default().push(part.amounts);
    }
    let Some(target) = target else {
        return groups.into_values().collect();
    };
    for part in parts(target) {
        let key: BTreeSet<String> = part.taxes.iter().map(|tax| tax.code.clone()).collect();
        let group = groups.entry(key.clone()).or_insert_with(|| TaxGroup {
            source_name: String::new(),
            target_name: key.iter().cloned().collect::<Vec<_>>().join(" + "),
            rate: None,
            source: Amounts::default(),
            target: Some(Amounts::default()),
            why: Difference::Unknown,
        });
        let sums = group.target.get_or_insert_default();
        sums.net += part.amounts.net;
        sums.tax += part.amounts.tax;
    }
    for (key, group) in &mut groups {
        let lines = lines.get(key).map_or(&[][..], Vec::as_slice);
        group.why = why(group, lines, source, target_rounding);
    }
    groups.into_values().collect()
}

fn why(group: &TaxGroup, lines: &[Amounts], source: &Order, rounding: Rounding) -> Difference {
    let Some(target) = group.target else {
        return Difference::Unknown;
    };
    if target == group.source {
        return Difference::None;
    }
    if target.gross() == group.source.gross() {
        return Difference::Split;
    }
    if let Some(rate) = group.rate {
        let as_priced: Vec<Priced> = lines
            .iter()
            .map(|line| Priced {
                price: if source.prices_include_tax {
                    line.gross()
                } else {
                    line.net
                },
                quantity: Decimal::ONE,
                rates: vec![rate],
            })
            .collect();
        let step = rounding.step(source.currency);
        let computed = compute(&as_priced, rounding, source.prices_include_tax, step);
        let tax: Decimal = computed.iter().map(|line| line.tax).sum();
        if tax == target.tax {
            return Difference::Rounding;
        }
    }
    let off = (target.gross() - group.source.gross()).abs();
    match off <= within(source.currency, lines.len()) {
        true => Difference::Cents,
        false => Difference::Unexplained,
    }
}

/// One minor unit per line.
fn within(currency: Currency, lines: usize) -> Decimal {
    currency.minor_unit() * Decimal::from(lines.max(1))
}

struct Part<'a> {
    taxes: &'a [LineTax],
    amounts: Amounts,
}

/// Everything that carries an amount, but for rounding lines.
fn parts(order: &Order) -> impl Iterator<Item = Part<'_>> {
    let part = |net, tax, taxes| Part {
        taxes,
        amounts: Amounts { net, tax },
    };
    let lines = order
        .lines
        .iter()
        .filter(|line| line.kind != LineKind::Rounding)
        .map(move |line| part(line.net, line.tax, line.taxes.as_slice()));
    let shipping = order
        .shipping
        .iter()
        .map(move |line| part(line.net, line.tax, line.taxes.as_slice()));
    let fees = order
        .fees
        .iter()
        .map(move |fee| part(fee.net, fee.tax, fee.taxes.as_slice()));
    lines
        .chain(shipping)
        .chain(fees)
        .filter(|part| !(part.amounts.net.is_zero() && part.amounts.tax.is_zero()))
}

fn name_of(order: &Order, taxes: &[LineTax]) -> String {
    let names = taxes.iter().map(|tax| match order.tax_line(&tax.code) {
        Some(line) if !line.title.is_empty() => line.title.as_str(),
        _ => tax.code.as_str(),
    });
    names.collect::<Vec<_>>().join(" + ")
}

fn rate_of(order: &Order, taxes: &[LineTax]) -> Option<Decimal> {
    taxes
        .iter()
        .map(|tax| {
            let line = order.tax_line(&tax.code)?;
            line.rate.filter(|_| !line.compound)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::money::RoundingMode;
    use comptoir_model::order::{Line, TaxLine};
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn order(taxes: &[(&str, &str)]) -> Order {
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        for (net, tax) in taxes {
            order.lines.push(Line {
                net: dec(net),
                tax: dec(tax),
                taxes: vec![LineTax {
                    code: "20".to_owned(),
                    amount: dec(tax),
                }],
                ..Line::default()
            });
        }
        order.taxes = vec![TaxLine {
            code: "20".to_owned(),
            title: "TVA".to_owned(),
            rate: Some(dec("20")),
            compound: false,
            amount: Decimal::ZERO,
            shipping: Decimal::ZERO,
            channel_liable: false,
        }];
        order
    }

    fn why_of(erp: &[(&str, &str)], at: RoundAt) -> Difference {
        // Three times 0.83 with 20 %: 0.17 each per line, 0.50 together.
        let shop = order(&[("0.83", "0.17"), ("0.83", "0.17"), ("0.83", "0.17")]);
        let rounding = Rounding {
            at,
            ..Rounding::PER_LINE
        };
        let (erp, policy) = (order(erp), OrderPolicy::default());
        let groups = by_tax(&shop, Some(&erp), &policy, &account(), rounding);
        assert_eq!(groups.len(), 1);
        groups[0].why
    }

    fn account() -> Account {
        serde_json::from_value(serde_json::json!({"title": "", "version": "", "site": ""})).unwrap()
    }

    #[test]
    fn a_difference_says_what_it_comes_from() {
        for (erp, at, why) in [
            (("2.49", "0.51"), RoundAt::Line, Difference::None),
            (("2.50", "0.50"), RoundAt::Line, Difference::Split),
            (("2.49", "0.50"), RoundAt::RateGroup, Difference::Rounding),
            (("2.49", "0.50"), RoundAt::Line, Difference::Cents),
            (("2.49", "0.91"), RoundAt::Line, Difference::Unexplained),
        ] {
            assert_eq!(why_of(&[erp], at), why, "{erp:?}");
        }
    }

    fn any_rounding() -> impl Strategy<Value = Rounding> {
        let at = prop_oneof![
            Just(RoundAt::Unit),
            Just(RoundAt::Line),
            Just(RoundAt::RateGroup)
        ];
        let mode = prop_oneof![
            Just(RoundingMode::HalfUp),
            Just(RoundingMode::HalfDown),
            Just(RoundingMode::HalfEven),
            Just(RoundingMode::HalfOdd)
        ];
        let target = prop_oneof![Just(RoundTarget::Tax), Just(RoundTarget::Net)];
        (at, mode, target).prop_map(|(at, mode, target)| Rounding {
            at,
            mode,
            target,
            ..Rounding::PER_LINE
        })
    }

    proptest! {
        #[test]
        fn prices_with_tax_are_kept_to_the_cent_however_tax_is_rounded(
            rounding in any_rounding(),
            cents in prop::collection::vec((1i64..100_000, 1i64..20, 0usize..4), 1..9),
        ) {
            let rates = ["0", "5.5", "20", "25.5"];
            let lines: Vec<Priced> = cents.iter().map(|(price, quantity, rate)| Priced {
                price: Decimal::new(*price, 2),
                quantity: Decimal::from(*quantity),
                rates: vec![dec(rates[*rate])],
            }).collect();
            let charged: Decimal = lines.iter().map(|line| line.price * line.quantity).sum();
            let computed = compute(&lines, rounding, true, dec("0.01"));
            let gross: Decimal = computed.iter().map(Amounts::gross).sum();
            prop_assert_eq!(gross, charged);
        }

        #[test]
        fn tax_is_never_further_from_exact_than_half_a_step_per_unit_rounded(
            rounding in any_rounding(),
            cents in prop::collection::vec((1i64..100_000, 1i64..20), 1..9),
        ) {
            let lines: Vec<Priced> = cents.iter().map(|(price, quantity)| Priced {
                price: Decimal::new(*price, 2),
                quantity: Decimal::from(*quantity),
                rates: vec![dec("19")],
            }).collect();
            let exact: Decimal = lines.iter().map(|line| exact(line, false).tax).sum();
            let tax: Decimal = compute(&lines, rounding, false, dec("0.01")).iter().map(|line| line.tax).sum();
            let rounded = match rounding.at {
                RoundAt::Unit => lines.iter().map(|line| line.quantity).sum(),
                RoundAt::Line => Decimal::from(lines.len()),
                _ => Decimal::ONE,
            };
            prop_assert!((tax - exact).abs() <= rounded * dec("0.005"), "{tax} {exact}");
        }
    }
}
