//! What no tape holds: orders as other shops have them, made from taped rows.

use super::settings;
use crate::prestashop::gather::{Gathered, assemble};
use crate::prestashop::order::Reader;
use crate::prestashop::read::Item;
use crate::prestashop::tables::{CarrierWire, CurrencyWire, StateWire, Tables, Tax};
use comptoir_model::Decimal;
use comptoir_model::equation::{self, Equation, Tolerance};
use comptoir_model::order::{DiscountKind, Order, Paid};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::collections::HashMap;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn row(value: Value) -> Box<RawValue> {
    to_raw_value(&value).unwrap()
}

fn tables() -> Tables {
    let tax = |code: &str, rate: &str, deleted| Tax {
        code: code.to_owned(),
        name: code.to_owned(),
        rate: dec(rate),
        deleted,
    };
    let state = |id: &str, paid| StateWire {
        id: id.to_owned(),
        paid,
        ..StateWire::default()
    };
    let currency = |id: &str, iso: &str| CurrencyWire {
        id: id.to_owned(),
        iso_code: iso.to_owned(),
    };
    Tables {
        states: HashMap::from([
            ("1".to_owned(), state("1", false)),
            ("2".to_owned(), state("2", true)),
        ]),
        taxes: HashMap::from([
            ("1".to_owned(), tax("TVA 20%", "20", false)),
            ("3".to_owned(), tax("TVA 5.5%", "5.5", false)),
            ("9".to_owned(), tax("GST 5%", "5", false)),
            ("10".to_owned(), tax("QST 9.975%", "9.975", false)),
        ]),
        carriers: HashMap::from([(
            "7".to_owned(),
            CarrierWire {
                id: "7".to_owned(),
                id_reference: "2".to_owned(),
                name: "Post".to_owned(),
                url: String::new(),
                deleted: true,
            },
        )]),
        currencies: HashMap::from([
            ("1".to_owned(), currency("1", "EUR")),
            ("2".to_owned(), currency("2", "JPY")),
        ]),
        ..Tables::default()
    }
}

/// An order of 100.00 at 20 % and 50.00 at 5.5 %, shipping 10.00 at 20 %.
fn order() -> Value {
    json!({
        "id": 40, "id_currency": "1", "id_carrier": "7", "current_state": "1", "module": "ps_wirepayment", "payment": "Bank wire",
        "date_add": "2026-10-25 02:30:00", "date_upd": "2026-10-25 02:30:00", "reference": "ABCDEFGHI",
        "total_discounts_tax_incl": "0.000000", "total_discounts_tax_excl": "0.000000", "total_paid": "184.750000",
        "total_paid_tax_incl": "184.750000", "total_paid_tax_excl": "160.000000", "total_paid_real": "0.000000",
        "total_shipping_tax_incl": "12.000000", "total_shipping_tax_excl": "10.000000", "carrier_tax_rate": "20.000",
        "total_wrapping_tax_incl": "0.000000", "total_wrapping_tax_excl": "0.000000", "conversion_rate": "1.000000",
    })
}

fn detail(id: u64, net: &str, gross: &str, taxes: &[&str]) -> Value {
    let taxes: Vec<Value> = taxes.iter().map(|id| json!({ "id": id })).collect();
    json!({
        "id": id, "id_order": "40", "product_id": "3", "product_attribute_id": "0", "product_reference": "S", "product_name": "Thing",
        "product_quantity": "1", "unit_price_tax_excl": net, "total_price_tax_excl": net, "total_price_tax_incl": gross,
        "associations": {"taxes": taxes},
    })
}

fn rule(net: &str, gross: &str, free_shipping: &str) -> Value {
    json!({"id": 1, "id_order": "40", "name": "Off", "value": gross, "value_tax_excl": net, "free_shipping": free_shipping})
}

fn goods() -> Vec<Box<RawValue>> {
    vec![
        row(detail(1, "100.00", "120.00", &["1"])),
        row(detail(2, "50.00", "52.75", &["3"])),
    ]
}

fn read_item(order: Value, all: Gathered) -> Item {
    let (settings, tables) = (settings(), tables());
    let clock = settings.clock().unwrap();
    let reader = Reader {
        settings: &settings,
        clock: &clock,
        tables: &tables,
    };
    assemble(&[row(order)], &all, reader).remove(0)
}

fn read(order: Value, all: Gathered) -> Order {
    let record = read_item(order, all).unwrap();
    record.document.as_order().unwrap().clone()
}

fn sound(order: &Order) {
    let found = equation::check(order, Tolerance::default());
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn two_rates_and_shipping_add_up() {
    let all = Gathered {
        details: goods(),
        ..Gathered::default()
    };
    let order = read(order(), all);
    sound(&order);
    assert_eq!(order.totals.rounding, Decimal::ZERO);
    let taxes: Vec<_> = order
        .taxes
        .iter()
        .map(|tax| (tax.code.as_str(), tax.amount, tax.shipping))
        .collect();
    assert_eq!(
        taxes,
        [
            ("TVA 20%", dec("20"), dec("2")),
            ("TVA 5.5%", dec("2.75"), dec("0"))
        ]
    );
    // A carrier that was changed keeps its reference.
    assert_eq!(
        (
            order.shipping[0].method.as_str(),
            order.shipping[0].title.as_str()
        ),
        ("2", "Post")
    );
    // The first of an hour that came twice.
    assert_eq!(
        order.dates.placed.unwrap().to_string(),
        "2026-10-25T00:30:00Z"
    );
}

#[test]
fn a_voucher_on_everything_lowers_every_line_with_its_own_tax() {
    let mut wire = order();
    // 10 % of the goods: 15.00, and 2.28 of tax (2.00 and 0.275).
    wire["total_discounts_tax_excl"] = "15.000000".into();
    wire["total_discounts_tax_incl"] = "17.280000".into();
    for (name, value) in [
        ("total_paid", "167.470000"),
        ("total_paid_tax_incl", "167.470000"),
        ("total_paid_tax_excl", "145.000000"),
    ] {
        wire[name] = value.into();
    }
    let all = Gathered {
        details: goods(),
        rules: vec![row(rule("15.00", "17.28", "0"))],
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| (line.subtotal, line.net, line.tax))
        .collect();
    assert_eq!(
        lines,
        [
            (dec("100"), dec("90"), dec("18")),
            (dec("50"), dec("45"), dec("2.47"))
        ]
    );
    let discount = &order.discounts[0];
    assert!(discount.in_lines);
    let shares: Vec<_> = discount.allocations.iter().map(|share| share.net).collect();
    assert_eq!(shares, [dec("10"), dec("5")]);
}

#[test]
fn a_voucher_whose_tax_fits_one_rate_lowers_the_lines_of_that_rate() {
    let mut wire = order();
    // 20.00 off what is taxed at 5.5 %.
    wire["total_discounts_tax_excl"] = "20.000000".into();
    wire["total_discounts_tax_incl"] = "21.100000".into();
    for (name, value) in [
        ("total_paid", "163.650000"),
        ("total_paid_tax_incl", "163.650000"),
        ("total_paid_tax_excl", "140.000000"),
    ] {
        wire[name] = value.into();
    }
    let all = Gathered {
        details: goods(),
        rules: vec![row(rule("20.00", "21.10", "0"))],
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    assert_eq!(
        (order.lines[0].net, order.lines[1].net, order.lines[1].tax),
        (dec("100"), dec("30"), dec("1.65"))
    );
}

#[test]
fn free_shipping_lowers_the_shipping() {
    let mut wire = order();
    wire["total_discounts_tax_excl"] = "10.000000".into();
    wire["total_discounts_tax_incl"] = "12.000000".into();
    for (name, value) in [
        ("total_paid", "172.750000"),
        ("total_paid_tax_incl", "172.750000"),
        ("total_paid_tax_excl", "150.000000"),
    ] {
        wire[name] = value.into();
    }
    let all = Gathered {
        details: goods(),
        rules: vec![row(rule("10.00", "12.00", "1"))],
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    assert_eq!(order.shipping[0].net, Decimal::ZERO);
    assert_eq!(order.discounts[0].kind, DiscountKind::FreeShipping);
    assert_eq!(order.discounts[0].allocations[0].line, "shipping");
}

#[test]
fn wrapping_is_a_fee_and_finds_its_tax() {
    let mut wire = order();
    for (name, value) in [
        ("total_wrapping_tax_excl", "2.500000"),
        ("total_wrapping_tax_incl", "3.000000"),
        ("total_paid", "187.750000"),
        ("total_paid_tax_incl", "187.750000"),
        ("total_paid_tax_excl", "162.500000"),
    ] {
        wire[name] = value.into();
    }
    let all = Gathered {
        details: goods(),
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    assert_eq!(order.fees[0].taxes[0].code, "TVA 20%");
}

#[test]
fn two_taxes_on_one_line_share_its_tax_exactly() {
    let mut wire = order();
    for (name, value) in [
        ("total_shipping_tax_incl", "0"),
        ("total_shipping_tax_excl", "0"),
        ("total_paid", "114.980000"),
        ("total_paid_tax_incl", "114.980000"),
        ("total_paid_tax_excl", "100.000000"),
    ] {
        wire[name] = value.into();
    }
    let all = Gathered {
        details: vec![row(detail(1, "100.00", "114.98", &["9", "10"]))],
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    let taxes = &order.lines[0].taxes;
    assert_eq!(
        taxes.iter().map(|tax| tax.amount).sum::<Decimal>(),
        dec("14.98")
    );
    assert!(taxes[0].amount > dec("5") && taxes[1].amount < dec("9.98"));
}

#[test]
fn an_order_with_two_totals_does_not_add_up_and_says_so() {
    let mut wire = order();
    wire["total_paid"] = "170.000000".into();
    let all = Gathered {
        details: goods(),
        ..Gathered::default()
    };
    let order = read(wire, all);
    let found = equation::check(&order, Tolerance::default());
    assert_eq!(found[0].equation, Equation::Total);
    assert_eq!(order.totals.total, dec("170"));
    assert_eq!(order.attributes["total_paid_tax_incl"], "184.75");
}

#[test]
fn a_basket_that_became_two_orders_has_two_numbers_and_shares_its_payment() {
    let sibling = |id: u64, total: &str| {
        row(json!({"id": id, "reference": "ABCDEFGHI", "total_paid_tax_incl": total}))
    };
    let payment = json!({"id": 1, "order_reference": "ABCDEFGHI", "id_currency": "1", "amount": "284.75",
        "payment_method": "Bank wire", "date_add": "2026-10-26 10:00:00", "transaction_id": " t1 "});
    let mut wire = order();
    wire["current_state"] = "2".into();
    let all = Gathered {
        details: goods(),
        siblings: vec![sibling(39, "100.00"), sibling(40, "184.75")],
        payments: vec![row(payment)],
        ..Gathered::default()
    };
    let order = read(wire, all);
    sound(&order);
    assert_eq!(order.number, "ABCDEFGHI#2");
    assert_eq!(order.status.paid, Paid::Yes);
    let payment = &order.payments[0];
    assert_eq!(
        (
            payment.method.as_str(),
            payment.transaction.as_str(),
            payment.amount
        ),
        ("ps_wirepayment", "t1", dec("184.75"))
    );
}

#[test]
fn notes_are_the_buyers_and_a_guest_has_no_account() {
    let message = |text: &str, private: &str, employee: &str| {
        row(
            json!({"id": 1, "id_order": "40", "message": text, "private": private, "id_employee": employee}),
        )
    };
    let mut wire = order();
    wire["id_customer"] = "5".into();
    let all = Gathered {
        details: goods(),
        messages: vec![
            message("Ring twice.", "0", "0"),
            message("Suspicious.", "1", "2"),
            message("Answered.", "0", "2"),
        ],
        customers: vec![row(
            json!({"id": 5, "email": "guest@example.test", "is_guest": "1"}),
        )],
        ..Gathered::default()
    };
    let order = read(wire, all);
    assert_eq!(order.note, "Ring twice.");
    assert_eq!(
        (order.customer, order.email.as_str()),
        (None, "guest@example.test")
    );
}

#[test]
fn a_line_that_cannot_be_read_makes_its_order_unreadable_and_no_other() {
    let mut broken = detail(1, "100.00", "120.00", &["1"]);
    broken["total_price_tax_excl"] = json!({"odd": true});
    let all = Gathered {
        details: vec![row(broken)],
        ..Gathered::default()
    };
    let unreadable = read_item(order(), all).unwrap_err();
    assert_eq!(unreadable.id.unwrap().as_str(), "40");
    assert_eq!(
        unreadable.fault.field.as_deref(),
        Some("total_price_tax_excl")
    );
}
