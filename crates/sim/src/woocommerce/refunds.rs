//! Refunds. `amount` rules over the lines; an amount over what is left answers 500 although it is refused for good.

use super::answer::{Answer, Answered};
use super::listing::answer_list;
use super::order::{LineTax, Order, Refund, RefundPart};
use super::products::merge_meta;
use super::query::Query;
use super::render;
use super::sales::{decimal, no_order, set_status};
use super::state::{State, second};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// `GET /orders/ID/refunds`, the last first.
pub(crate) fn of_order(state: &State, id: u64, query: &Query) -> Answered {
    let order = state.order(id).ok_or_else(no_order)?;
    let refunds: Vec<(&Order, &Refund)> = order.refunds.iter().rev().map(|r| (order, r)).collect();
    answer(
        state,
        &refunds,
        &format!("orders/{id}/refunds"),
        query,
        false,
    )
}

/// `GET /refunds`: of all orders. Unknown to 8.5.2.
pub(crate) fn all(state: &State, query: &Query) -> Answered {
    let mut refunds: Vec<(&Order, &Refund)> = state
        .orders()
        .flat_map(|order| order.refunds.iter().map(move |refund| (order, refund)))
        .collect();
    refunds.sort_by_key(|(_, refund)| std::cmp::Reverse((refund.created, refund.id)));
    answer(state, &refunds, "refunds", query, true)
}

fn answer(
    state: &State,
    refunds: &[(&Order, &Refund)],
    path: &str,
    query: &Query,
    global: bool,
) -> Answered {
    let page = query.page()?;
    let dp = query.decimals(state.look.decimals);
    let documents = page
        .of(refunds)
        .iter()
        .map(|(order, refund)| render::refund(refund, order, &state.look, dp, global))
        .collect();
    answer_list(documents, refunds.len(), page, path, query, &state.look)
}

/// `GET /orders/ID/refunds/REFUND`.
pub(crate) fn read(state: &State, id: u64, refund: u64, query: &Query) -> Answered {
    let order = state.order(id).ok_or_else(no_order)?;
    let found = order.refunds.iter().find(|one| one.id == refund);
    let found = found.ok_or_else(|| Answer::no_such("shop_order_refund"))?;
    let dp = query.decimals(state.look.decimals);
    Ok(Answer::ok(&render::refund(
        found,
        order,
        &state.look,
        dp,
        false,
    )))
}

/// `POST /orders/ID/refunds`.
pub(crate) fn create(state: &mut State, id: u64, body: &Value) -> Answered {
    let order = state.order(id).ok_or_else(no_order)?;
    let left = order.refundable();
    let mut ids = state.ids.clone();
    let number = ids.post();
    let mut parts: Vec<RefundPart> = Vec::new();
    for item in body
        .get("line_items")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let of = item.get("id").and_then(Value::as_u64).unwrap_or_default();
        parts.push(RefundPart {
            id: ids.item(),
            meta_id: ids.meta(),
            item: of,
            quantity: decimal(item.get("quantity")).unwrap_or_default(),
            total: decimal(item.get("refund_total")).unwrap_or_default(),
            taxes: taxes(item, order.lines.iter().any(|line| line.id == of)),
        });
    }
    let of_parts: Decimal = parts.iter().map(with_tax).sum();
    let amount = decimal(body.get("amount")).unwrap_or(of_parts);
    if amount <= Decimal::ZERO || amount > left {
        // 500, and `data` a number: a permanent refusal in the clothes of a passing failure.
        return Err(Answer::error_with(
            500,
            "woocommerce_rest_cannot_create_order_refund",
            "Invalid refund amount.",
            json!(500),
        ));
    }
    let mut meta = Vec::new();
    merge_meta(&mut meta, body, &mut ids);
    let refund = Refund {
        id: number,
        meta_id: ids.meta(),
        created: second(Timestamp::now()),
        amount,
        reason: body
            .get("reason")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        full: amount == left,
        parts,
        meta,
    };
    // Goods of its lines are in stock again with that.
    state.change(id, |order, _| {
        order.refunds.push(refund.clone());
        if refund.full {
            set_status(order, "refunded", ids.note());
        }
    });
    state.ids = ids;
    state.writes += 1;
    let order = state.order(id).ok_or_else(no_order)?;
    let document = render::refund(&refund, order, &state.look, state.look.decimals, false);
    // The shop's own mistake: the route's pattern, not the order's number.
    let place = state
        .look
        .api(&format!("orders/(?P<order_id>[\\d]+)/refunds/{number}"));
    Ok(Answer::created(&document, place))
}

fn with_tax(part: &RefundPart) -> Decimal {
    part.total + part.taxes.iter().map(|tax| tax.total).sum::<Decimal>()
}

fn taxes(item: &Value, of_goods: bool) -> Vec<LineTax> {
    let list = item.get("refund_tax").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|tax| {
            let total = decimal(tax.get("refund_total")).unwrap_or_default();
            LineTax {
                rate: tax.get("id").and_then(Value::as_u64).unwrap_or_default(),
                total,
                subtotal: of_goods.then_some(total),
            }
        })
        .collect()
}
