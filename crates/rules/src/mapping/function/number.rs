//! Numbers: always exact, and rounded only where one says so.

use super::{Answer, error, number_of};
use comptoir_model::Decimal;
use comptoir_model::money::RoundingMode;
use rhai::{Dynamic, Engine, ImmutableString};
use rust_decimal::RoundingStrategy;
use std::str::FromStr;

pub(super) fn register(engine: &mut Engine) {
    // Whole numbers divide exactly: half of 3 is 1.5.
    engine.register_fn("/", |a: i64, b: i64| divide(a.into(), b.into()));
    engine.register_fn("/", |a: Decimal, b: i64| divide(a, b.into()));
    engine.register_fn("/", |a: i64, b: Decimal| divide(a.into(), b));
    engine.register_fn("/", divide);
    refuse_mixed(engine);
    for (name, strategy) in [
        ("round_down", RoundingStrategy::ToZero),
        ("round_up", RoundingStrategy::AwayFromZero),
        ("round_even", RoundingStrategy::MidpointNearestEven),
    ] {
        engine.register_fn(
            name,
            move |number: Dynamic, places: i64| -> Answer<Decimal> {
                Ok(number_of(&number)?.round_dp_with_strategy(decimals(places)?, strategy))
            },
        );
    }
    engine.register_fn("round", |number: Dynamic, places: i64| -> Answer<Decimal> {
        Ok(RoundingMode::HalfUp.round(number_of(&number)?, decimals(places)?))
    });
    engine.register_fn("floor", |number: Dynamic| {
        number_of(&number).map(|number| number.floor())
    });
    engine.register_fn("ceil", |number: Dynamic| {
        number_of(&number).map(|number| number.ceil())
    });
    engine.register_fn("abs", |number: Dynamic| {
        number_of(&number).map(|number| number.abs())
    });
    engine.register_fn("min", |a: Dynamic, b: Dynamic| -> Answer<Decimal> {
        Ok(number_of(&a)?.min(number_of(&b)?))
    });
    engine.register_fn("max", |a: Dynamic, b: Dynamic| -> Answer<Decimal> {
        Ok(number_of(&a)?.max(number_of(&b)?))
    });
    engine.register_fn("number", |text: &str| parse(text, "."));
    engine.register_fn("number", parse);
    engine.register_fn("number", |whole: i64| Decimal::from(whole));
    engine.register_fn("number", |exact: Decimal| exact);
}

fn divide(a: Decimal, b: Decimal) -> Answer<Decimal> {
    if b.is_zero() {
        return Err(error("division by zero"));
    }
    a.checked_div(b)
        .ok_or_else(|| error("the number is too large"))
}

fn decimals(places: i64) -> Answer<u32> {
    u32::try_from(places)
        .ok()
        .filter(|places| *places <= 28)
        .ok_or_else(|| error("the number of decimals goes from 0 to 28"))
}

/// A text as a number; `comma` is what stands before its decimals. Spaces are left out.
fn parse(text: &str, comma: &str) -> Answer<Decimal> {
    let bad = || error("this text is no number");
    if text.len() > 64 {
        return Err(bad());
    }
    let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = if comma == "." {
        plain
    } else {
        plain.replace('.', "").replace(comma, ".")
    };
    Decimal::from_str(&plain).map_err(|_| bad())
}

/// A text is never equal to a number nor above it: `ship_to.postcode == 75001` would quietly be false for everyone.
fn refuse_mixed(engine: &mut Engine) {
    fn mixed() -> Answer<bool> {
        Err(error(
            "a text is compared with a number: write the number between quotes, or number(text)",
        ))
    }
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        engine.register_fn(operator, |_: ImmutableString, _: i64| mixed());
        engine.register_fn(operator, |_: i64, _: ImmutableString| mixed());
        engine.register_fn(operator, |_: ImmutableString, _: Decimal| mixed());
        engine.register_fn(operator, |_: Decimal, _: ImmutableString| mixed());
    }
}
