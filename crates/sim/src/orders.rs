//! The generator of orders: seeded, with every trap, computed as WooCommerce computes.
//!
//! How many: 1 to 9 lines, a fifth with a coupon, a fifth by guests, buyers who come back, a dozen of countries. From 60 orders
//! on there is at least one of every trap. Orders planted to be held are at most 5 % of all, but at least one of each sort,
//! which under 120 orders is more than 5 %.

mod draft;
mod plant;

use crate::basket::{Terms, erp_difference, ring_up};
use crate::buyers::{Buyer, buyers};
use crate::catalogue::Catalogue;
use crate::seed::Seed;
use crate::traps::{Expected, Trap};
use crate::woocommerce::order::{Ids, Order};
use comptoir_model::equation::Tolerance;
use comptoir_model::money::Currency;
use draft::Draft;
pub(crate) use draft::{COUPONS, Coupon};
use rust_decimal::Decimal;

/// What the generator made: orders without dates, oldest first, and the accounts of the shop.
pub(crate) struct Generated {
    pub orders: Vec<Order>,
    pub accounts: Vec<Buyer>,
}

/// The orders of a seed.
pub(crate) fn generate(seed: u64, count: usize, shop: &Catalogue, ids: &mut Ids) -> Generated {
    let (accounts, guests) = buyers(seed, count);
    let traps = assign(seed, count);
    let orders = traps
        .into_iter()
        .enumerate()
        .map(|(index, trap)| {
            let mut stream = Seed::of(seed, index as u64 + 1);
            let mut draft = Draft::new(&mut stream, shop, &accounts, &guests);
            if let Some(trap) = trap {
                plant::plant(trap, &mut draft, &mut stream, shop, &accounts, &guests);
            }
            finish(draft, trap, &mut stream, shop, ids)
        })
        .collect();
    Generated { orders, accounts }
}

/// Which order gets which trap.
fn assign(seed: u64, count: usize) -> Vec<Option<Trap>> {
    let mut stream = Seed::of(seed, 0x7247);
    let mut places: Vec<usize> = (0..count).collect();
    stream.shuffle(&mut places);
    let mut free = places.into_iter();
    let mut assigned = vec![None; count];
    // Skipped and held ones come first in scarce room: a small demonstration should still show them.
    let mut wanted: Vec<Trap> = Trap::ALL.to_vec();
    wanted.sort_by_key(|trap| !trap.holds());
    let held = Trap::ALL.iter().filter(|trap| trap.holds());
    let more = (count / 25).saturating_sub(held.clone().count());
    wanted.extend(held.cycle().take(more));
    for (trap, place) in wanted.into_iter().zip(&mut free) {
        assigned[place] = Some(trap);
    }
    let harmless: Vec<Trap> = Trap::ALL
        .iter()
        .copied()
        .filter(|trap| !trap.holds() && !trap.skips())
        .collect();
    let skipped: Vec<Trap> = Trap::ALL.iter().copied().filter(|t| t.skips()).collect();
    for place in free {
        assigned[place] = if stream.chance(0.04) {
            stream.pick(&skipped).copied()
        } else if stream.chance(0.3) {
            stream.pick(&harmless).copied()
        } else {
            None
        };
    }
    assigned
}

/// Computes the order. One that an ERP with coarser unit prices could not book within the rounding tolerance is made simpler,
/// because what is expected of an order may not hang on chance.
fn finish(
    mut draft: Draft,
    trap: Option<Trap>,
    stream: &mut Seed,
    shop: &Catalogue,
    ids: &mut Ids,
) -> Order {
    let mut order = draft.price(shop);
    let simpler: [fn(&mut Draft); 3] = [Draft::single_pieces, Draft::without_coupon, Draft::net];
    for simplify in simpler {
        if within_tolerance(&order, shop) {
            break;
        }
        simplify(&mut draft);
        order = draft.price(shop);
    }
    draft::number(&mut order, ids, stream);
    if let Some(trap) = trap {
        plant::after(trap, &mut order, shop, ids, stream);
        order.traps.push(trap);
        order.expected = expected(trap, shop);
    }
    describe(&mut order);
    order
}

fn within_tolerance(order: &Order, shop: &Catalogue) -> bool {
    let lines = order.lines.len() + order.shipping_lines.len() + order.fees.len();
    let allowed = Tolerance::default().amount(lines.max(1), order.currency);
    erp_difference(order, shop).abs() <= allowed
}

fn expected(trap: Trap, shop: &Catalogue) -> Expected {
    let missing = shop.missing_rows();
    let value = |table: &str| {
        missing
            .iter()
            .find(|row| row.table == table)
            .map(|row| row.from.clone())
            .unwrap_or_default()
    };
    trap.expected(&value("tax"), &value("payment"), &value("shipping"))
}

/// Traps that an order has by chance are named too.
fn describe(order: &mut Order) {
    let mut found = vec![if order.include_tax {
        Trap::TaxInclusive
    } else {
        Trap::TaxExclusive
    }];
    if order.customer == 0 {
        found.push(Trap::Guest);
    }
    if !order.billing.company.is_empty() {
        found.push(Trap::Company);
    }
    if order.tax_lines.len() > 1 && order.place.0 != "CA" {
        found.push(Trap::SeveralRates);
    }
    for coupon in &order.coupons {
        found.push(match coupon.kind {
            "fixed_cart" => Trap::CouponFixed,
            _ if coupon.free_shipping => Trap::FreeShipping,
            _ => Trap::CouponPercent,
        });
    }
    for trap in found {
        if !order.traps.contains(&trap) {
            order.traps.push(trap);
        }
    }
}

impl Draft {
    /// The order with its money, without ids.
    fn price(&self, shop: &Catalogue) -> Order {
        let terms = Terms {
            include_tax: self.include_tax,
            at_subtotal: self.at_subtotal,
            decimals: self.currency.exponent(),
        };
        let mut order = self.order(shop, terms);
        ring_up(&mut order, shop, terms);
        draft::price_coupons(&mut order, self, terms);
        order
    }
}

/// EUR, which every shop of this simulator counts in.
pub(crate) fn euro() -> Currency {
    crate::currency("EUR")
}

/// `amount` euros in another currency, in steps that survive an ERP with two decimals in unit prices.
pub(crate) fn convert(amount: Decimal, currency: Currency) -> Decimal {
    match currency.code() {
        "JPY" => (amount * Decimal::from(160)).round(),
        "KWD" => (amount * Decimal::new(33, 2)).round_dp(2),
        _ => amount,
    }
}

#[cfg(test)]
mod tests;
