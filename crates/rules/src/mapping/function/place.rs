//! Places: countries, postcodes, telephone numbers, distances, and what lies where.

use super::{Answer, Tables, error, known, number_of, text_of};
use crate::mapping::expression::to_text;
use comptoir_model::Decimal;
use comptoir_model::address::Country;
use rhai::{Array, Engine, ImmutableString, Map};
use std::str::FromStr;
use std::sync::Arc;

/// Members of the European Union. Territories with rules of their own are a matter of VAT, not of this list.
const EU: &str = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// Country, its calling code, and what is dialled before a number at home and left out abroad.
const CALLING: &[(&str, &str, &str)] = &[
    ("AT", "43", "0"),
    ("AU", "61", "0"),
    ("BE", "32", "0"),
    ("BG", "359", "0"),
    ("BR", "55", "0"),
    ("CA", "1", "1"),
    ("CH", "41", "0"),
    ("CN", "86", "0"),
    ("CY", "357", ""),
    ("CZ", "420", ""),
    ("DE", "49", "0"),
    ("DK", "45", ""),
    ("DZ", "213", "0"),
    ("EE", "372", ""),
    ("ES", "34", ""),
    ("FI", "358", "0"),
    ("FR", "33", "0"),
    ("GB", "44", "0"),
    ("GF", "594", "0"),
    ("GP", "590", "0"),
    ("GR", "30", ""),
    ("HR", "385", "0"),
    ("HU", "36", "06"),
    ("IE", "353", "0"),
    ("IN", "91", "0"),
    ("IS", "354", ""),
    ("IT", "39", ""),
    ("JP", "81", "0"),
    ("LI", "423", ""),
    ("LT", "370", "0"),
    ("LU", "352", ""),
    ("LV", "371", ""),
    ("MA", "212", "0"),
    ("MC", "377", ""),
    ("MQ", "596", "0"),
    ("MT", "356", ""),
    ("NL", "31", "0"),
    ("NO", "47", ""),
    ("NZ", "64", "0"),
    ("PL", "48", ""),
    ("PT", "351", ""),
    ("RE", "262", "0"),
    ("RO", "40", "0"),
    ("SE", "46", "0"),
    ("SI", "386", "0"),
    ("SK", "421", "0"),
    ("TN", "216", ""),
    ("TR", "90", "0"),
    ("UA", "380", "0"),
    ("US", "1", "1"),
];

pub(super) fn register(engine: &mut Engine, tables: &Tables) {
    engine.register_fn("country", |text: &str| {
        Country::from_str(text)
            .map(|country| country.code().to_owned())
            .unwrap_or_default()
    });
    engine.register_fn("eu", |country: &str| {
        EU.split(' ').any(|member| member == country)
    });
    engine.register_fn("phone", phone);
    engine.register_fn("postcode_between", postcode_between);
    engine.register_fn("distance_km", |from: &str, to: &str| -> Answer<Decimal> {
        kilometres(point(from)?, point(to)?)
    });
    engine.register_fn("on_hand", |stock: &mut Map, place: &str, sku: &str| {
        on_hand(stock, place, sku)
    });
    engine.register_fn("covers", |stock: &mut Map, place: &str, lines: Array| {
        covers(stock, place, &lines)
    });
    engine.register_fn(
        "first_covering",
        |stock: &mut Map, lines: Array, places: Array| -> Answer<String> {
            for place in &places {
                let place = text_of(place)?;
                if covers(stock, &place, &lines)? {
                    return Ok(place);
                }
            }
            Ok(String::new())
        },
    );
    let of = Arc::clone(tables);
    engine.register_fn("nearest", move |here: &str, table: &str| {
        nearest(&of, here, table, |_| Ok(true))
    });
    let of = Arc::clone(tables);
    engine.register_fn(
        "nearest_covering",
        move |here: &str, table: &str, stock: Map, lines: Array| {
            nearest(&of, here, table, |place| covers(&stock, place, &lines))
        },
    );
}

/// A telephone number as `+33612345678`, where it can be told; otherwise its digits as they are.
fn phone(text: &str, country: &str) -> String {
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(32).collect();
    if digits.is_empty() {
        return digits;
    }
    if text.starts_with('+') {
        return format!("+{digits}");
    }
    if let Some(abroad) = digits.strip_prefix("00") {
        return format!("+{abroad}");
    }
    match CALLING.iter().find(|(known, ..)| *known == country) {
        Some((_, code, trunk)) => {
            format!("+{code}{}", digits.strip_prefix(trunk).unwrap_or(&digits))
        }
        None => digits,
    }
}

/// Whether a postcode lies between two, or two beginnings of postcodes, both included. Spaces, hyphens and case do not count.
fn postcode_between(code: &str, from: &str, to: &str) -> bool {
    let plain = |text: &str| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric).take(16);
        letters.collect::<String>().to_ascii_uppercase()
    };
    let (code, from, to) = (plain(code), plain(from), plain(to));
    match (code.get(..from.len()), code.get(..to.len())) {
        (Some(low), Some(high)) => !from.is_empty() && low >= from.as_str() && high <= to.as_str(),
        _ => false,
    }
}

/// `"45.7640,4.8357"`: degrees north, degrees east.
fn point(text: &str) -> Answer<(f64, f64)> {
    let bad = || error("this is no place such as \"45.7640,4.8357\" (degrees north, degrees east)");
    let (north, east) = text.split_once(',').ok_or_else(bad)?;
    let degrees = |text: &str, most: f64| {
        text.trim()
            .parse::<f64>()
            .ok()
            .filter(|value| value.abs() <= most)
    };
    Ok((
        degrees(north, 90.0).ok_or_else(bad)?,
        degrees(east, 180.0).ok_or_else(bad)?,
    ))
}

/// The way over the ground between two places, in kilometres with one decimal. Degrees are no money: floating point is exact enough.
fn kilometres(from: (f64, f64), to: (f64, f64)) -> Answer<Decimal> {
    const EARTH_KM: f64 = 6_371.0;
    let (north, east) = (
        (to.0 - from.0).to_radians() / 2.0,
        (to.1 - from.1).to_radians() / 2.0,
    );
    let half = north.sin().powi(2)
        + from.0.to_radians().cos() * to.0.to_radians().cos() * east.sin().powi(2);
    let distance = 2.0 * EARTH_KM * half.sqrt().min(1.0).asin();
    Decimal::from_str(&format!("{distance:.1}")).map_err(|_| error("the distance cannot be told"))
}

/// The row of a table of places (`from` a name, `to` its point) that is nearest and fits; empty when none does.
fn nearest(
    tables: &Tables,
    here: &str,
    table: &str,
    fits: impl Fn(&str) -> Answer<bool>,
) -> Answer<ImmutableString> {
    let here = point(here)?;
    let mut best: Option<(Decimal, &str)> = None;
    for (place, at) in known(tables, table)?.rows() {
        let distance = kilometres(here, point(at)?)?;
        if best.is_none_or(|(nearest, _)| distance < nearest) && fits(place)? {
            best = Some((distance, place));
        }
    }
    Ok(best.map(|(_, place)| place).unwrap_or_default().into())
}

fn on_hand(stock: &Map, place: &str, sku: &str) -> Decimal {
    let quantity = stock.get(place).and_then(|items| {
        let items = items.as_map_ref().ok()?;
        items.get(sku)?.as_decimal().ok()
    });
    quantity.unwrap_or_default()
}

/// Whether a place has everything that the lines want. Several lines of one SKU are added up; lines without a SKU are no goods to look for.
fn covers(stock: &Map, place: &str, lines: &Array) -> Answer<bool> {
    let mut wanted: std::collections::BTreeMap<String, Decimal> = std::collections::BTreeMap::new();
    for line in lines {
        let line = line
            .as_map_ref()
            .map_err(|_| error("`lines` belongs here"))?;
        let sku = line.get("sku").and_then(to_text).unwrap_or_default();
        let quantity = line.get("quantity").map_or(Ok(Decimal::ZERO), number_of)?;
        if !sku.is_empty() && quantity > Decimal::ZERO {
            let sum = wanted.entry(sku).or_default();
            *sum = sum.saturating_add(quantity);
        }
    }
    Ok(wanted
        .iter()
        .all(|(sku, quantity)| on_hand(stock, place, sku) >= *quantity))
}
