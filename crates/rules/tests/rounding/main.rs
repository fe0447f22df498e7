//! Rounding and allocation against `rounding_cases.json`: every case that was recomputed with its stated method, and the list of the
//! others with why they do not apply (docs/rounding.md).

// A test ends at what it does not expect.
#![allow(clippy::unwrap_used)]

use comptoir_model::Decimal;
use comptoir_model::money::{RoundingMode, allocate};
use comptoir_model::rounding::{RoundAt, RoundTarget, Rounding};
use comptoir_rules::tax::{Amounts, Priced, compute};
use serde_json::Value;

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../vectors/rounding_cases.json")).unwrap()
}

fn recomputed(case: &Value) -> bool {
    case["reference_check"]
        .as_str()
        .unwrap()
        .starts_with("recomputed")
}

fn dec(value: &Value) -> Decimal {
    value.as_str().unwrap().parse().unwrap()
}

fn rounding(case: &Value) -> Rounding {
    Rounding {
        at: match case["rounding"].as_str().unwrap() {
            "per_unit" => RoundAt::Unit,
            "per_line" => RoundAt::Line,
            "per_rate_group" => RoundAt::RateGroup,
            "none" => RoundAt::Nowhere,
            other => panic!("{other}"),
        },
        mode: serde_json::from_value(case["rounding_mode"].clone()).unwrap(),
        included_mode: None,
        target: match case["rounding_target"].as_str() {
            Some("net") => RoundTarget::Net,
            _ => RoundTarget::Tax,
        },
        increment: None,
    }
}

/// Lines with their discounts taken off the price, and an order's discount spread by largest remainder.
fn lines(case: &Value, step: Decimal) -> (Vec<Priced>, Vec<Decimal>) {
    let mut lines: Vec<Priced> = case["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            let off = line.get("discount_percent").map_or(Decimal::ZERO, dec);
            Priced {
                price: dec(&line["unit_price"]) * (Decimal::ONE_HUNDRED - off)
                    / Decimal::ONE_HUNDRED,
                quantity: dec(&line["qty"]),
                rates: line["rates"].as_array().unwrap().iter().map(dec).collect(),
            }
        })
        .collect();
    let mut shares = Vec::new();
    if let Some(discount) = case.get("order_discount") {
        let weights: Vec<Decimal> = lines
            .iter()
            .map(|line| line.price * line.quantity)
            .collect();
        shares = allocate(dec(discount), &weights, step);
        for (line, share) in lines.iter_mut().zip(&shares) {
            line.price = line.price * line.quantity - share;
            line.quantity = Decimal::ONE;
        }
    }
    (lines, shares)
}

#[test]
fn every_recomputed_case_comes_out() {
    let mut tried = 0;
    let mut wrong = Vec::new();
    for case in cases().iter().filter(|case| recomputed(case)) {
        tried += 1;
        let decimals = u32::try_from(case["decimals"].as_u64().unwrap()).unwrap();
        let step = Decimal::new(1, decimals);
        let (lines, shares) = lines(case, step);
        let included = case["prices_include_tax"].as_bool().unwrap();
        let computed = compute(&lines, rounding(case), included, step);
        let net: Decimal = computed.iter().map(|line| line.net).sum();
        let tax: Decimal = computed.iter().map(|line| line.tax).sum();
        let exact = case["rounding"] == "none";
        // Where nothing is rounded the note says at how many decimals to compare.
        let same = |is: Decimal, should: &Value| {
            let should = dec(should);
            let near = |x: Decimal| x.round_dp(decimals);
            is == should || (exact && decimals > 2 && near(is) == near(should))
        };
        let list = |field: &str, is: &[Decimal]| {
            case["expected"].get(field).is_none_or(|should| {
                let should: Vec<Decimal> = should.as_array().unwrap().iter().map(dec).collect();
                should == is
            })
        };
        let taxes: Vec<Decimal> = computed.iter().map(|line| line.tax).collect();
        let expected = case["expected"].as_object().unwrap();
        let right = [("net", net), ("tax", tax), ("gross", net + tax)]
            .iter()
            .all(|(field, is)| expected.get(*field).is_none_or(|should| same(*is, should)))
            && list("line_tax", &taxes)
            && list("allocated", &shares);
        let known = ["net", "tax", "gross", "line_tax", "allocated"];
        assert!(expected.keys().all(|field| known.contains(&field.as_str())));
        if !right {
            wrong.push(format!(
                "{}: {net} + {tax} {shares:?}, {}",
                case["id"], case["expected"]
            ));
        }
    }
    assert_eq!(tried, 41);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn allocations_are_exact_and_most_come_out_as_their_systems_have_them() {
    // These put the remainder last, first, or nowhere: only the sum is common.
    let elsewhere = ["RC-002", "RC-004", "RC-005", "RC-006"];
    for case in cases().iter().filter(|case| case["kind"] == "allocation") {
        let numbers = |value: &Value| -> Vec<Decimal> {
            let numbers = value.as_array().unwrap().iter();
            numbers
                .map(|number| number.as_i64().unwrap().into())
                .collect()
        };
        let total = Decimal::from(case["total_minor_units"].as_i64().unwrap());
        let shares = allocate(total, &numbers(&case["weights"]), Decimal::ONE);
        assert_eq!(shares.iter().sum::<Decimal>(), total, "{case}");
        let same = shares == numbers(&case["expected"]["parts"]);
        let id = case["id"].as_str().unwrap();
        assert_eq!(same, !elsewhere.contains(&id), "{case} {shares:?}");
    }
}

#[test]
fn a_step_is_rounded_to_in_every_direction() {
    for case in cases().iter().filter(|case| case["kind"] == "primitive") {
        let (value, step) = (dec(&case["value"]), dec(&case["increment"]));
        for (word, mode) in [
            ("nearest", RoundingMode::HalfUp),
            ("down", RoundingMode::Down),
            ("up", RoundingMode::Up),
        ] {
            let expected = dec(&case["expected"][word]);
            assert_eq!(mode.to_step(value, step), expected, "{case} {word}");
        }
    }
}

#[test]
fn rounding_the_net_amount_is_the_other_answer_to_an_exact_half() {
    // 2.99 with 4 %: 0.115 of tax.
    let line = Priced {
        price: "2.99".parse().unwrap(),
        quantity: Decimal::ONE,
        rates: vec!["4".parse().unwrap()],
    };
    let with = |target| {
        let rounding = Rounding {
            target,
            ..Rounding::PER_LINE
        };
        compute(
            std::slice::from_ref(&line),
            rounding,
            true,
            Decimal::new(1, 2),
        )[0]
    };
    let amounts = |net: &str, tax: &str| Amounts {
        net: net.parse().unwrap(),
        tax: tax.parse().unwrap(),
    };
    assert_eq!(with(RoundTarget::Tax), amounts("2.87", "0.12"));
    assert_eq!(with(RoundTarget::Net), amounts("2.88", "0.11"));
}

#[test]
fn the_page_lists_every_case_that_was_not_recomputed_and_no_other() {
    let page = include_str!("../../../../docs/rounding.md");
    for case in cases() {
        let row = format!("| {} |", case["id"].as_str().unwrap());
        assert_eq!(page.contains(&row), !recomputed(&case), "{row}");
    }
}
