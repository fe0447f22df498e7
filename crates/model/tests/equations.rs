//! The money equations hold of every order whose parts make its total, and of no other.

#![allow(clippy::unwrap_used)]

use comptoir_model::Decimal;
use comptoir_model::equation::{
    Equation, Tolerance, blocking, check, settle_rounding, sum_of_parts,
};
use comptoir_model::order::{Fee, Line, LineTax, Order, Paid, ShippingLine, TaxLine};
use comptoir_model::payment::{Payment, PaymentKind, PaymentState};
use proptest::prelude::*;

/// Net and tax in minor units.
type Part = (i64, i64);

fn part() -> impl Strategy<Value = Part> {
    (-50_000i64..500_000, -10_000i64..100_000)
}

/// An order of these parts in a currency, whose totals are exactly theirs.
fn order(currency: &str, lines: &[Part], shipping: &[Part], fees: &[Part]) -> Order {
    let mut order = Order::empty("1", currency.parse().unwrap());
    let decimals = order.currency.exponent();
    let money = |units: i64| Decimal::new(units, decimals);
    let taxes = |tax: i64| {
        vec![LineTax {
            code: "T".to_owned(),
            amount: money(tax),
        }]
    };
    for (id, (net, tax)) in lines.iter().enumerate() {
        order.lines.push(Line {
            id: id.to_string(),
            net: money(*net),
            tax: money(*tax),
            taxes: taxes(*tax),
            ..Line::default()
        });
    }
    for (net, tax) in shipping {
        order.shipping.push(ShippingLine {
            net: money(*net),
            tax: money(*tax),
            taxes: taxes(*tax),
            ..ShippingLine::default()
        });
    }
    for (net, tax) in fees {
        order.fees.push(Fee {
            net: money(*net),
            tax: money(*tax),
            taxes: taxes(*tax),
            ..Fee::default()
        });
    }
    let of_lines: i64 = lines.iter().chain(fees).map(|(_, tax)| tax).sum();
    let of_shipping: i64 = shipping.iter().map(|(_, tax)| tax).sum();
    order.taxes.push(TaxLine {
        code: "T".to_owned(),
        title: "Tax".to_owned(),
        rate: None,
        compound: false,
        amount: money(of_lines),
        shipping: money(of_shipping),
        channel_liable: false,
    });
    order.totals.tax = money(of_lines + of_shipping);
    order.totals.total = sum_of_parts(&order);
    order
}

fn parts() -> impl Strategy<Value = (String, Vec<Part>, Vec<Part>, Vec<Part>)> {
    (
        prop::sample::select(vec!["EUR".to_owned(), "JPY".to_owned(), "KWD".to_owned()]),
        prop::collection::vec(part(), 1..8),
        prop::collection::vec(part(), 0..3),
        prop::collection::vec(part(), 0..3),
    )
}

fn wrong(order: &Order) -> Vec<Equation> {
    let found = check(order, Tolerance::default());
    blocking(&found)
        .map(|difference| difference.equation)
        .collect()
}

proptest! {
    #[test]
    fn an_order_that_is_the_sum_of_its_parts_passes((currency, lines, shipping, fees) in parts()) {
        let mut order = order(&currency, &lines, &shipping, &fees);
        settle_rounding(&mut order);
        prop_assert!(order.totals.rounding.is_zero());
        prop_assert_eq!(wrong(&order), vec![]);
    }

    #[test]
    fn a_total_off_by_less_than_the_tolerance_is_rounding_and_by_more_is_wrong(
        (currency, lines, shipping, fees) in parts(),
        off in prop::sample::select(vec![-40i64, -6, -2, -1, 1, 2, 6, 40]),
    ) {
        let mut order = order(&currency, &lines, &shipping, &fees);
        let unit = order.currency.minor_unit();
        order.totals.total += unit * Decimal::from(off);
        settle_rounding(&mut order);
        prop_assert_eq!(order.totals.rounding, unit * Decimal::from(off));
        let count = lines.len() + shipping.len() + fees.len();
        let allowed = i64::try_from(count.min(5)).unwrap();
        prop_assert_eq!(wrong(&order).contains(&Equation::Total), off.abs() > allowed);
    }

    #[test]
    fn a_rounding_that_was_not_settled_is_noticed((currency, lines, shipping, fees) in parts()) {
        let mut order = order(&currency, &lines, &shipping, &fees);
        order.totals.rounding = order.currency.minor_unit();
        prop_assert!(wrong(&order).contains(&Equation::Total));
    }

    #[test]
    fn tax_lines_that_are_not_the_tax_are_wrong((currency, lines, shipping, fees) in parts(), off in 6i64..500) {
        let mut order = order(&currency, &lines, &shipping, &fees);
        let more = order.currency.minor_unit() * Decimal::from(off);
        order.taxes[0].amount += more;
        prop_assert!(wrong(&order).contains(&Equation::Tax));
    }

    #[test]
    fn what_was_captured_for_a_paid_order_is_its_total(
        (currency, lines, shipping, fees) in parts(),
        card in 0i64..100,
        off in prop::sample::select(vec![0i64, 6, -6, 1_000]),
    ) {
        let mut order = order(&currency, &lines, &shipping, &fees);
        order.status.paid = Paid::Yes;
        let unit = order.currency.minor_unit();
        let payment = |kind, amount| Payment {
            method: "m".to_owned(),
            title: String::new(),
            transaction: String::new(),
            kind,
            state: PaymentState::Done,
            amount,
            currency: order.currency,
            fee: None,
            at: None,
        };
        let by_card = unit * Decimal::from(card);
        let by_gateway = order.totals.total - by_card + unit * Decimal::from(off);
        order.payments = vec![
            payment(PaymentKind::Sale, by_gateway),
            payment(PaymentKind::GiftCard, by_card),
        ];
        prop_assert_eq!(wrong(&order).contains(&Equation::Payments), off != 0);
    }
}

#[test]
fn a_total_that_the_currency_cannot_hold_is_wrong() {
    for (currency, total, holds) in [
        ("JPY", "1508.28", false),
        ("JPY", "1508.000000", true),
        ("EUR", "80.433", false),
        ("EUR", "80.43", true),
        ("KWD", "15.765", true),
        ("KWD", "15.7651", false),
    ] {
        let mut order = Order::empty("1", currency.parse().unwrap());
        order.totals.total = total.parse().unwrap();
        order.lines.push(Line {
            net: order.totals.total,
            ..Line::default()
        });
        settle_rounding(&mut order);
        let found = check(&order, Tolerance::default());
        assert_eq!(found.is_empty(), holds, "{currency} {total}: {found:?}");
        assert_eq!(blocking(&found).count(), usize::from(!holds));
    }
}
