//! Amounts of lines and orders, as Dolibarr computes and writes them.

use super::Row;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// Decimals of unit prices and of totals, as delivered.
const UNIT: u32 = 5;
const TOTAL: u32 = 2;

/// A number of a request: a number or a text; anything else is nothing.
pub(super) fn number(value: Option<&Value>) -> Decimal {
    match value {
        Some(Value::Number(number)) => number.to_string().parse().unwrap_or_default(),
        Some(Value::String(text)) => {
            let end = text.find('(').unwrap_or(text.len());
            text[..end].trim().parse().unwrap_or_default()
        }
        _ => Decimal::ZERO,
    }
}

fn rounded(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// An amount as it is answered.
fn written(amount: Decimal) -> Value {
    json!(format!("{amount:.8}"))
}

/// Computes a line's amounts from its quantity, price, discount and rate.
pub(super) fn line(row: &mut Row) {
    let price = rounded(number(row.get("subprice")), UNIT);
    let discount = Decimal::ONE - number(row.get("remise_percent")) / Decimal::ONE_HUNDRED;
    let net = number(row.get("qty")) * price * discount;
    let rate = number(row.get("tva_tx"));
    let (ht, ttc) = (
        rounded(net, TOTAL),
        rounded(net * (Decimal::ONE + rate / Decimal::ONE_HUNDRED), TOTAL),
    );
    row.insert("subprice".to_owned(), written(price));
    row.insert("tva_tx".to_owned(), json!(format!("{rate:.4}")));
    for (field, amount) in [
        ("total_ht", ht),
        ("total_tva", ttc - ht),
        ("total_ttc", ttc),
    ] {
        row.insert(field.to_owned(), written(amount));
        row.insert(format!("multicurrency_{field}"), written(amount));
    }
    row.insert("multicurrency_subprice".to_owned(), written(price));
}

/// Adds up an order's lines.
pub(super) fn order(row: &mut Row) {
    for field in ["total_ht", "total_tva", "total_ttc"] {
        let lines = row.get("lines").and_then(Value::as_array);
        let sum = lines
            .into_iter()
            .flatten()
            .map(|line| number(line.get(field)));
        let sum = written(sum.sum());
        row.insert(format!("multicurrency_{field}"), sum.clone());
        row.insert(field.to_owned(), sum);
    }
}
