//! Vouchers. The shop takes them off the order and says the sum with and without tax; it does not say which lines they lower. Here they are
//! taken off the lines, so that every line bears its own tax: free shipping off the shipping, the rest off all lines by their amounts, or
//! off the lines of one rate when only that explains the tax of the voucher.

use super::wire::{CartRuleWire, DetailWire, OrderWire};
use comptoir_model::Decimal;
use comptoir_model::money::{Currency, allocate};
use comptoir_model::order::{Allocation, Discount, DiscountKind};

/// The id of the one shipping line.
pub(super) const SHIPPING: &str = "shipping";

/// An amount without tax, and its tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Amount {
    pub(super) net: Decimal,
    pub(super) tax: Decimal,
}

impl Amount {
    /// From the shop's two figures.
    pub(super) fn of(with_tax: Decimal, without: Decimal) -> Self {
        Amount {
            net: without,
            tax: with_tax - without,
        }
    }

    fn is_zero(&self) -> bool {
        self.net.is_zero() && self.tax.is_zero()
    }

    fn minus(self, other: Amount) -> Amount {
        Amount {
            net: self.net - other.net,
            tax: self.tax - other.tax,
        }
    }
}

/// What the vouchers take off.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Off the shipping.
    pub(super) shipping: Amount,
    /// Off each line, in their order.
    pub(super) lines: Vec<Amount>,
    /// Off nothing that is there.
    pub(super) rest: Amount,
}

/// Spreads the vouchers of an order.
pub(super) fn spread(
    order: &OrderWire,
    details: &[DetailWire],
    rules: &[CartRuleWire],
    currency: Currency,
) -> Shares {
    let all = Amount::of(
        order.total_discounts_tax_incl,
        order.total_discounts_tax_excl,
    );
    let mut shares = Shares {
        lines: vec![Amount::default(); details.len()],
        ..Shares::default()
    };
    let shipping = Amount::of(order.total_shipping_tax_incl, order.total_shipping_tax_excl);
    let free = rules.iter().any(|rule| rule.free_shipping && !rule.deleted);
    if free && all.net >= shipping.net {
        shares.shipping = shipping;
    }
    let goods = all.minus(shares.shipping);
    if goods.is_zero() {
        return shares;
    }
    let amounts: Vec<Amount> = details
        .iter()
        .map(|detail| Amount::of(detail.total_price_tax_incl, detail.total_price_tax_excl))
        .collect();
    let chosen = chosen(&amounts, details, goods, currency);
    if chosen.is_empty() {
        shares.rest = goods;
        return shares;
    }
    let nets: Vec<Decimal> = chosen.iter().map(|index| amounts[*index].net).collect();
    let taxes: Vec<Decimal> = chosen.iter().map(|index| amounts[*index].tax).collect();
    // In steps of a minor unit; what the shop has beyond them goes to the first.
    let unit = currency.minor_unit();
    let nets = allocate(goods.net, &nets, unit);
    let taxes = allocate(goods.tax, &taxes, unit);
    for ((index, net), tax) in chosen.iter().zip(nets).zip(taxes) {
        shares.lines[*index] = Amount { net, tax };
    }
    shares
}

/// The lines that a voucher lowers: all that cost something, unless its tax fits the lines of one rate only.
fn chosen(
    amounts: &[Amount],
    details: &[DetailWire],
    goods: Amount,
    currency: Currency,
) -> Vec<usize> {
    let priced: Vec<usize> = (0..amounts.len())
        .filter(|index| amounts[*index].net > Decimal::ZERO)
        .collect();
    let fits = |lines: &[usize]| {
        let net: Decimal = lines.iter().map(|index| amounts[*index].net).sum();
        let tax: Decimal = lines.iter().map(|index| amounts[*index].tax).sum();
        let allowed = currency.minor_unit() * Decimal::from(lines.len() + 1);
        net >= goods.net && (goods.net * tax / net - goods.tax).abs() <= allowed
    };
    if priced.is_empty() || fits(&priced) {
        return priced;
    }
    let taxes_of = |index: usize| -> Vec<&str> {
        let taxes = &details[index].associations.taxes;
        taxes.iter().map(|tax| tax.id.as_str()).collect()
    };
    for first in &priced {
        let taxes = taxes_of(*first);
        let alike = priced
            .iter()
            .copied()
            .filter(|index| taxes_of(*index) == taxes);
        let alike: Vec<usize> = alike.collect();
        if fits(&alike) {
            return alike;
        }
    }
    priced
}

/// The vouchers as discounts that the lines already are after.
pub(super) fn discounts(
    rules: &[CartRuleWire],
    shares: &Shares,
    details: &[DetailWire],
) -> Vec<Discount> {
    let living: Vec<&CartRuleWire> = rules.iter().filter(|rule| !rule.deleted).collect();
    let only = living.len() == 1;
    let shipping = Allocation {
        line: SHIPPING.to_owned(),
        net: shares.shipping.net.normalize(),
    };
    let lines = details
        .iter()
        .zip(&shares.lines)
        .map(|(detail, share)| Allocation {
            line: detail.id.clone(),
            net: share.net.normalize(),
        });
    let allocations: Vec<Allocation> = lines
        .chain([shipping])
        .filter(|share| !share.net.is_zero())
        .collect();
    living
        .into_iter()
        .map(|rule| Discount {
            code: rule.name.trim().to_owned(),
            kind: if rule.free_shipping {
                DiscountKind::FreeShipping
            } else {
                DiscountKind::Unknown
            },
            net: rule.value_tax_excl.normalize(),
            tax: (rule.value - rule.value_tax_excl).normalize(),
            in_lines: true,
            allocations: if only {
                allocations.clone()
            } else {
                Vec::new()
            },
        })
        .collect()
}
