//! An order as expressions and paths see it: amounts are exact numbers, what is not there is an empty text or nothing.

use comptoir_model::address::Address;
use comptoir_model::order::{Fee, Line, LineTax, Order, ShippingLine, Totals};
use comptoir_model::payment::Payment;
use comptoir_model::{Attributes, Decimal};
use jiff::Timestamp;
use rhai::{Dynamic, Map};
use serde::Serialize;
use serde_json::Value;
use std::str::FromStr;

/// Nesting of a raw document that is followed; deeper parts are left out.
const DEPTH: usize = 16;

fn map<const N: usize>(fields: [(&str, Dynamic); N]) -> Dynamic {
    let map: Map = fields
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect();
    Dynamic::from_map(map)
}

fn text(text: impl AsRef<str>) -> Dynamic {
    Dynamic::from(rhai::ImmutableString::from(text.as_ref()))
}

fn maybe<T: AsRef<str>>(value: Option<T>) -> Dynamic {
    value.map_or_else(|| text(""), text)
}

fn number(value: Decimal) -> Dynamic {
    Dynamic::from_decimal(value)
}

fn some_number(value: Option<Decimal>) -> Dynamic {
    value.map_or(Dynamic::UNIT, number)
}

fn instant(value: Option<Timestamp>) -> Dynamic {
    value.map_or_else(|| text(""), |at| text(at.to_string()))
}

/// The word that an enum of the model is written as.
fn word<T: Serialize>(value: &T) -> Dynamic {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => text(word),
        _ => text(""),
    }
}

fn list<T>(items: &[T], each: impl Fn(&T) -> Dynamic) -> Dynamic {
    Dynamic::from_array(items.iter().map(each).collect())
}

/// The fields of an order by their names.
pub fn fields(order: &Order) -> Vec<(&'static str, Dynamic)> {
    let presentment = order.presentment.as_ref();
    vec![
        ("number", text(&order.number)),
        ("reference", text(&order.reference)),
        ("origin", text(&order.origin)),
        ("purchase_order", text(&order.purchase_order)),
        ("channel", text(&order.channel)),
        ("test", order.test.into()),
        (
            "status",
            map([
                ("word", text(&order.status.word)),
                ("life", word(&order.status.life)),
                ("paid", word(&order.status.paid)),
                ("shipped", word(&order.status.shipped)),
            ]),
        ),
        (
            "dates",
            map([
                ("placed", instant(order.dates.placed)),
                ("paid", instant(order.dates.paid)),
                ("completed", instant(order.dates.completed)),
                ("cancelled", instant(order.dates.cancelled)),
            ]),
        ),
        ("currency", text(order.currency.code())),
        (
            "presentment",
            map([
                (
                    "currency",
                    maybe(presentment.map(|seen| seen.currency.code())),
                ),
                (
                    "total",
                    some_number(presentment.and_then(|seen| seen.total)),
                ),
                ("rate", some_number(presentment.and_then(|seen| seen.rate))),
            ]),
        ),
        ("prices_include_tax", order.prices_include_tax.into()),
        (
            "customer",
            maybe(order.customer.as_ref().map(|id| id.as_str())),
        ),
        ("email", text(&order.email)),
        ("vat_number", text(&order.vat_number)),
        ("exemption", text(&order.exemption)),
        ("bill_to", address(&order.bill_to)),
        ("ship_to", address(&order.ship_to)),
        ("language", text(&order.language)),
        ("note", text(&order.note)),
        ("tags", list(&order.tags, |tag| text(tag))),
        ("lines", list(&order.lines, line)),
        ("shipping", list(&order.shipping, shipping)),
        ("fees", list(&order.fees, fee)),
        (
            "discounts",
            list(&order.discounts, |discount| {
                map([
                    ("code", text(&discount.code)),
                    ("kind", word(&discount.kind)),
                    ("net", number(discount.net)),
                    ("tax", number(discount.tax)),
                    ("in_lines", discount.in_lines.into()),
                    (
                        "allocations",
                        list(&discount.allocations, |share| {
                            map([("line", text(&share.line)), ("net", number(share.net))])
                        }),
                    ),
                ])
            }),
        ),
        (
            "taxes",
            list(&order.taxes, |tax| {
                map([
                    ("code", text(&tax.code)),
                    ("title", text(&tax.title)),
                    ("rate", some_number(tax.rate)),
                    ("compound", tax.compound.into()),
                    ("amount", number(tax.amount)),
                    ("shipping", number(tax.shipping)),
                    ("channel_liable", tax.channel_liable.into()),
                ])
            }),
        ),
        ("payments", list(&order.payments, payment)),
        (
            "refunds",
            list(&order.refunds, |refund| {
                map([
                    ("id", text(refund.id.as_str())),
                    ("amount", number(refund.amount)),
                ])
            }),
        ),
        ("totals", totals(Some(&order.totals))),
        ("original_totals", totals(order.original_totals.as_ref())),
        ("attributes", attributes(&order.attributes)),
    ]
}

fn address(address: &Address) -> Dynamic {
    map([
        ("id", maybe(address.id.as_ref().map(|id| id.as_str()))),
        ("first_name", text(&address.first_name)),
        ("last_name", text(&address.last_name)),
        ("company", text(&address.company)),
        ("line1", text(&address.line1)),
        ("line2", text(&address.line2)),
        ("city", text(&address.city)),
        ("postcode", text(&address.postcode)),
        (
            "country",
            maybe(address.country.as_ref().map(|country| country.code())),
        ),
        ("subdivision", maybe(address.subdivision.as_ref())),
        ("region", text(&address.region)),
        ("phone", text(&address.phone)),
        ("email", text(&address.email)),
    ])
}

/// A line of goods.
pub fn line(line: &Line) -> Dynamic {
    map([
        ("id", text(&line.id)),
        ("kind", word(&line.kind)),
        ("parent", maybe(line.parent.as_ref())),
        (
            "product",
            maybe(line.product.as_ref().map(|id| id.as_str())),
        ),
        ("sku", text(&line.sku)),
        ("title", text(&line.title)),
        ("quantity", number(line.quantity)),
        ("unit_price", number(line.unit_price)),
        ("subtotal", number(line.subtotal)),
        ("net", number(line.net)),
        ("tax", number(line.tax)),
        ("taxes", list(&line.taxes, tax)),
        ("tax_class", text(&line.tax_class)),
        ("attributes", attributes(&line.attributes)),
    ])
}

/// A shipping line.
pub fn shipping(line: &ShippingLine) -> Dynamic {
    map([
        ("id", text(&line.id)),
        ("method", text(&line.method)),
        ("title", text(&line.title)),
        ("net", number(line.net)),
        ("tax", number(line.tax)),
        ("taxes", list(&line.taxes, tax)),
    ])
}

/// A fee.
pub fn fee(fee: &Fee) -> Dynamic {
    map([
        ("id", text(&fee.id)),
        ("title", text(&fee.title)),
        ("net", number(fee.net)),
        ("tax", number(fee.tax)),
        ("taxes", list(&fee.taxes, tax)),
    ])
}

fn tax(tax: &LineTax) -> Dynamic {
    map([("code", text(&tax.code)), ("amount", number(tax.amount))])
}

fn payment(payment: &Payment) -> Dynamic {
    map([
        ("method", text(&payment.method)),
        ("title", text(&payment.title)),
        ("transaction", text(&payment.transaction)),
        ("kind", word(&payment.kind)),
        ("state", word(&payment.state)),
        ("amount", number(payment.amount)),
        ("currency", text(payment.currency.code())),
        ("fee", some_number(payment.fee)),
        ("at", instant(payment.at)),
    ])
}

fn totals(totals: Option<&Totals>) -> Dynamic {
    map([
        ("total", some_number(totals.map(|totals| totals.total))),
        ("tax", some_number(totals.map(|totals| totals.tax))),
        (
            "rounding",
            some_number(totals.map(|totals| totals.rounding)),
        ),
    ])
}

fn attributes(attributes: &Attributes) -> Dynamic {
    let map: Map = attributes
        .iter()
        .map(|(name, value)| (name.as_str().into(), json(value, 0)))
        .collect();
    Dynamic::from_map(map)
}

/// Any JSON. A list of `{key, value}` (or `{name, value}`) becomes a map by key, so that meta data are found by their name in one way:
/// `raw.meta_data[key]`.
pub fn json(value: &Value, depth: usize) -> Dynamic {
    match value {
        _ if depth > DEPTH => Dynamic::UNIT,
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(figure) => match (figure.as_i64(), Decimal::from_str(&figure.to_string())) {
            (Some(whole), _) => whole.into(),
            (None, Ok(exact)) => number(exact),
            (None, Err(_)) => text(figure.to_string()),
        },
        Value::String(words) => text(words),
        Value::Array(items) => match entries(items) {
            Some(entries) => Dynamic::from_map(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.into(), json(value, depth + 1)))
                    .collect(),
            ),
            None => list(items, |item| json(item, depth + 1)),
        },
        Value::Object(fields) => Dynamic::from_map(
            fields
                .iter()
                .map(|(name, value)| (name.as_str().into(), json(value, depth + 1)))
                .collect(),
        ),
    }
}

fn entries(items: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let entry = |item| {
        let item: &serde_json::Map<String, Value> = Value::as_object(item)?;
        let key = item.get("key").or_else(|| item.get("name"))?.as_str()?;
        Some((key, item.get("value")?))
    };
    (!items.is_empty()).then(|| items.iter().map(entry).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::path::Path;
    use crate::mapping::shape;

    /// An order with one of everything.
    fn full() -> Order {
        serde_json::from_value(serde_json::json!({
            "number": "1", "status": {"word": "processing", "life": "open"}, "currency": "EUR", "prices_include_tax": true,
            "lines": [{"id": "1", "title": "Cup", "quantity": "2", "unit_price": "5", "subtotal": "10", "net": "10", "tax": "2",
                "taxes": [{"code": "a", "amount": "2"}]}],
            "shipping": [{"id": "2", "method": "flat", "title": "Post", "net": "5", "tax": "1", "taxes": [{"code": "a", "amount": "1"}]}],
            "fees": [{"id": "3", "title": "Fee", "net": "1", "tax": "0", "taxes": [{"code": "a", "amount": "0"}]}],
            "discounts": [{"code": "X", "net": "1", "tax": "0", "in_lines": true, "allocations": [{"line": "1", "net": "1"}]}],
            "taxes": [{"code": "a", "title": "VAT", "amount": "2", "shipping": "1"}],
            "payments": [{"method": "card", "amount": "19", "currency": "EUR"}],
            "refunds": [{"id": "9", "amount": "1"}],
            "tags": ["one"],
            "totals": {"total": "19", "tax": "3", "rounding": "0"}
        }))
        .unwrap()
    }

    #[test]
    fn every_path_of_the_schema_leads_somewhere_and_nothing_else_does() {
        let order = full();
        let document: Map = fields(&order)
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect();
        let document =
            Dynamic::from_map(Map::from([("order".into(), Dynamic::from_map(document))]));
        let schema = shape::every_path();
        for path in &schema {
            let rooted = Path::parse(&format!("root.order.{path}")).unwrap();
            assert!(
                rooted.walk(&document).is_some(),
                "{path} is in the schema only"
            );
        }
        let mut found = Vec::new();
        leaves(&document.as_map_ref().unwrap()["order"], "", &mut found);
        for path in found {
            assert!(schema.contains(&path), "{path} is in the document only");
        }
    }

    fn leaves(here: &Dynamic, path: &str, found: &mut Vec<String>) {
        if let Ok(items) = here.as_array_ref() {
            for item in items.iter() {
                leaves(item, &format!("{path}[0]"), found);
            }
        } else if let Ok(map) = here.as_map_ref() {
            for (name, value) in map.iter() {
                let dot = if path.is_empty() { "" } else { "." };
                leaves(value, &format!("{path}{dot}{name}"), found);
            }
        } else {
            found.push(path.to_owned());
        }
    }

    #[test]
    fn meta_data_are_found_by_their_key() {
        let raw = serde_json::json!({"meta_data": [{"id": 1, "key": "_vat", "value": "FR1"}, {"id": 2, "key": "n", "value": 1.10}]});
        let raw = json(&raw, 0);
        let at = |path: &str| Path::parse(path).unwrap().walk(&raw);
        assert_eq!(
            at("raw.meta_data[_vat]").unwrap().into_string().unwrap(),
            "FR1"
        );
        assert_eq!(
            at("raw.meta_data[n]").unwrap().as_decimal().unwrap(),
            Decimal::new(11, 1)
        );
        assert!(at("raw.meta_data[none]").is_none());
    }
}
