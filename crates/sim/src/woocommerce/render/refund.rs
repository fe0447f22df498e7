//! Refunds as JSON.

use super::{Look, fee, line, metas, money, number, shipping_line, tax_line, taxes};
use crate::woocommerce::order::{Meta, Order, Refund};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// A refund of an order. `amount` is positive, its lines are negative.
pub(crate) fn refund(refund: &Refund, order: &Order, look: &Look, dp: u32, global: bool) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("id", refund.id.into());
    if global {
        put("parent_id", order.id.into());
    }
    put("date_created", look.local(refund.created).into());
    put("date_created_gmt", Look::gmt(refund.created).into());
    put("amount", money(refund.amount, dp).into());
    put("reason", refund.reason.as_str().into());
    put("refunded_by", 1.into());
    put("refunded_payment", false.into());
    let mut meta = refund.meta.clone();
    if look.recent {
        let kind = if refund.full { "full" } else { "partial" };
        meta.insert(
            0,
            Meta {
                id: refund.meta_id,
                key: "_refund_type".to_owned(),
                value: kind.into(),
            },
        );
    }
    put("meta_data", metas(&meta));
    let (lines, shipping, fees) = refund_parts(refund, order, look, dp);
    put("line_items", Value::Array(lines));
    put("shipping_lines", Value::Array(shipping));
    put("tax_lines", refund_taxes(refund, order, dp));
    put("fee_lines", Value::Array(fees));
    let this = format!("orders/{}/refunds/{}", order.id, refund.id);
    let up = [("up", format!("orders/{}", order.id))];
    put("_links", look.links(&this, &["GET", "DELETE"], &up));
    Value::Object(out)
}

type Parts = (Vec<Value>, Vec<Value>, Vec<Value>);

fn refund_parts(refund: &Refund, order: &Order, look: &Look, dp: u32) -> Parts {
    let (mut lines, mut shipping, mut fees) = (Vec::new(), Vec::new(), Vec::new());
    let minus = -Decimal::ONE;
    for part in &refund.parts {
        let tax: Decimal = part.taxes.iter().map(|tax| tax.total).sum();
        let of = json!(part.item.to_string());
        let key = "_refunded_item_id";
        let meta = json!([{
            "id": part.meta_id, "key": key, "value": of, "display_key": key, "display_value": of,
        }]);
        let mut out = if let Some(item) = order.lines.iter().find(|item| item.id == part.item) {
            let mut out = line(item, look, dp);
            out["quantity"] = number(-part.quantity);
            out["subtotal"] = money(-part.total, dp).into();
            out["subtotal_tax"] = money(-tax, dp).into();
            out
        } else if let Some(item) = order
            .shipping_lines
            .iter()
            .find(|item| item.id == part.item)
        {
            shipping_line(item, look, dp)
        } else if let Some(item) = order.fees.iter().find(|item| item.id == part.item) {
            fee(item, look, dp)
        } else {
            continue;
        };
        out["id"] = part.id.into();
        out["total"] = money(-part.total, dp).into();
        out["total_tax"] = money(-tax, dp).into();
        out["taxes"] = taxes(&part.taxes, minus, look, dp);
        out["meta_data"] = meta;
        if order.lines.iter().any(|item| item.id == part.item) {
            lines.push(out);
        } else if order.shipping_lines.iter().any(|item| item.id == part.item) {
            shipping.push(out);
        } else {
            fees.push(out);
        }
    }
    (lines, shipping, fees)
}

fn refund_taxes(refund: &Refund, order: &Order, dp: u32) -> Value {
    let mut out = Vec::new();
    for rate in &order.tax_lines {
        let of_rate = |shipping: bool| -> Decimal {
            refund
                .parts
                .iter()
                .filter(|part| {
                    order.shipping_lines.iter().any(|line| line.id == part.item) == shipping
                })
                .flat_map(|part| &part.taxes)
                .filter(|tax| tax.rate == rate.rate)
                .map(|tax| tax.total)
                .sum()
        };
        let (goods, shipping) = (of_rate(false), of_rate(true));
        if goods.is_zero() && shipping.is_zero() {
            continue;
        }
        let mut line = tax_line(rate, dp);
        line["tax_total"] = money(-goods, dp).into();
        line["shipping_tax_total"] = money(-shipping, dp).into();
        out.push(line);
    }
    Value::Array(out)
}
