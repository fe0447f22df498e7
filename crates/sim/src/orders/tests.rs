use super::*;
use crate::catalogue::catalogue;
use comptoir_model::money::RoundingMode;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn made(seed: u64, count: usize) -> Vec<Order> {
    generate(seed, count, &catalogue(seed), &mut Ids::new()).orders
}

/// Σ lines + fees + shipping + tax = total + what gift cards paid, to the minor unit of the order's currency.
fn equation(order: &Order) -> (Decimal, Decimal) {
    let lines: Decimal = order.lines.iter().map(|line| line.total).sum();
    let fees: Decimal = order.fees.iter().map(|fee| fee.total).sum();
    let shipping: Decimal = order.shipping_lines.iter().map(|line| line.total).sum();
    let parts = lines + fees + shipping + order.total_tax;
    let decimals = order.currency.exponent();
    (
        RoundingMode::HalfUp.round(parts, decimals),
        order.total + order.cards(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn money_adds_up_in_every_order(seed in any::<u64>()) {
        for order in made(seed, 120) {
            let (parts, total) = equation(&order);
            prop_assert_eq!(parts, total, "{:?}", order);
            let taxes: Decimal = order.tax_lines.iter().map(|tax| tax.tax + tax.shipping).sum();
            prop_assert_eq!(
                RoundingMode::HalfUp.round(taxes, order.currency.exponent()),
                order.total_tax
            );
            let discount: Decimal = order.lines.iter().map(|line| line.subtotal - line.total).sum();
            prop_assert_eq!(discount, order.discount_total);
            prop_assert!(order.total >= Decimal::ZERO, "{:?}", order);
            prop_assert!(order.lines.iter().all(|line| line.total <= line.subtotal));
        }
    }

    #[test]
    fn every_trap_is_there_and_few_orders_are_held(seed in any::<u64>(), count in 60usize..400) {
        let orders = made(seed, count);
        for trap in Trap::ALL {
            prop_assert!(orders.iter().any(|order| order.traps.contains(trap)), "{trap}");
        }
        let held = orders
            .iter()
            .filter(|order| matches!(order.expected, Expected::Held(_)))
            .count();
        let sorts = Trap::ALL.iter().filter(|trap| trap.holds()).count();
        prop_assert!(held <= (count / 20).max(sorts), "{held} of {count}");
    }

    #[test]
    fn an_order_that_must_arrive_is_within_the_rounding_tolerance(seed in any::<u64>()) {
        let shop = catalogue(seed);
        for order in made(seed, 150) {
            if order.expected == Expected::Imported {
                prop_assert!(within_tolerance(&order, &shop), "{:?}", order);
            }
        }
    }
}

#[test]
fn a_seed_gives_the_same_orders() {
    assert_eq!(made(11, 80), made(11, 80));
    assert_ne!(made(11, 80), made(12, 80));
}

#[test]
fn the_rounding_trap_is_off_by_a_cent_or_two() {
    let shop = catalogue(4);
    for order in made(4, 600) {
        if order.traps.contains(&Trap::Rounding) {
            let off = erp_difference(&order, &shop).abs();
            assert!(
                off >= Decimal::new(1, 2) && off <= Decimal::new(2, 2),
                "{off}"
            );
        }
    }
}

#[test]
fn the_mixture_is_that_of_a_shop() {
    let orders = made(1, 2_000);
    let share = |count: usize| count * 100 / orders.len();
    let guests = share(orders.iter().filter(|order| order.customer == 0).count());
    assert!((15..=30).contains(&guests), "{guests} % guests");
    let coupons = share(
        orders
            .iter()
            .filter(|order| !order.coupons.is_empty())
            .count(),
    );
    assert!((14..=26).contains(&coupons), "{coupons} % with a coupon");
    let mut per_buyer: BTreeMap<u64, usize> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.customer > 0) {
        *per_buyer.entry(order.customer).or_default() += 1;
    }
    assert!(per_buyer.values().filter(|orders| **orders > 1).count() > 200);
    let lines: Vec<usize> = orders.iter().map(|order| order.lines.len()).collect();
    assert!(lines.contains(&1) && lines.contains(&9));
    let countries: std::collections::BTreeSet<_> =
        orders.iter().map(|order| &order.shipping.country).collect();
    assert!(countries.len() >= 10);
}

#[test]
fn held_orders_name_causes_that_exist() {
    for order in made(9, 300) {
        if let Expected::Held(cause) = &order.expected {
            assert!(
                cause.parse::<comptoir_model::cause::Cause>().is_ok(),
                "{cause}"
            );
        }
    }
}
