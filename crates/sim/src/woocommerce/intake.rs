//! An order that comes in through the API: from its body to an order with its money computed.

use super::order::{Address, CouponLine, Fee, Ids, Line, Order, ShippingLine};
use super::products::merge_meta;
use super::sales::{decimal, set_status};
use super::state::{State, second};
use crate::basket::{Terms, ring_up, take_off};
use crate::currency;
use crate::orders::{Coupon, euro};
use comptoir_model::money::RoundingMode;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;

fn text<'a>(body: &'a Value, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn items<'a>(body: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    body.get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// The order a body describes.
pub(crate) fn order(state: &mut State, body: &Value) -> Order {
    let now = second(Timestamp::now());
    let mut ids = state.ids.clone();
    let money = match text(body, "currency") {
        "" => euro(),
        code => currency(code),
    };
    let mut order = Order::empty(ids.post(), money);
    (order.created, order.modified) = (now, now);
    order.key = format!("wc_order_api{}", order.id);
    order.created_via = "rest-api".to_owned();
    order.customer = body
        .get("customer_id")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    address(body.get("billing"), &mut order.billing);
    address(body.get("shipping"), &mut order.shipping);
    order.payment_method = text(body, "payment_method").to_owned();
    order.payment_title = text(body, "payment_method_title").to_owned();
    order.transaction = text(body, "transaction_id").to_owned();
    order.note = text(body, "customer_note").to_owned();
    merge_meta(&mut order.meta, body, &mut ids);
    // Without an address the shop taxes where it is itself.
    let to = if order.shipping.country.is_empty() {
        &order.billing
    } else {
        &order.shipping
    };
    order.place = match to.country.as_str() {
        "" => ("FR".to_owned(), String::new()),
        country => (country.to_owned(), to.state.clone()),
    };
    for item in items(body, "line_items") {
        let line = line(state, item, &mut ids);
        order.lines.push(line);
    }
    order.shipping_lines = items(body, "shipping_lines")
        .map(|item| shipping_line(item, &mut ids))
        .collect();
    order.fees = items(body, "fee_lines")
        .map(|item| fee(item, &mut ids))
        .collect();
    let terms = Terms {
        include_tax: false,
        at_subtotal: false,
        decimals: state.look.decimals,
    };
    let taken = redeem(&mut order, state, body, terms);
    ring_up(&mut order, &state.catalogue, terms);
    order.coupons = taken
        .iter()
        .map(|(coupon, taken)| coupon_line(coupon, taken, &order, &mut ids))
        .collect();
    for line in &mut order.tax_lines {
        line.id = ids.item();
    }
    match text(body, "status") {
        "" => {}
        status => set_status(&mut order, status, ids.note()),
    }
    if body.get("set_paid") == Some(&Value::Bool(true)) {
        order.paid = Some(now);
        if order.status == "pending" {
            set_status(&mut order, "processing", ids.note());
        }
    }
    state.ids = ids;
    order
}

/// Takes the coupons of a body off the lines, one after the other: what each took of each line. Unknown codes are left out.
fn redeem(
    order: &mut Order,
    state: &State,
    body: &Value,
    terms: Terms,
) -> Vec<(Coupon, Vec<Decimal>)> {
    let mut redeemed = Vec::new();
    for item in items(body, "coupon_lines") {
        let code = text(item, "code").to_lowercase();
        let Some(coupon) = state.coupons.iter().find(|coupon| coupon.code == code) else {
            continue;
        };
        let amounts: Vec<Decimal> = order.lines.iter().map(|line| line.total).collect();
        let units: Vec<Decimal> = order.lines.iter().map(|line| line.quantity).collect();
        let taken = take_off(coupon.off, &amounts, &units, terms);
        for (line, taken) in order.lines.iter_mut().zip(&taken) {
            line.total -= *taken;
        }
        redeemed.push((coupon.clone(), taken));
    }
    redeemed
}

fn coupon_line(coupon: &Coupon, taken: &[Decimal], order: &Order, ids: &mut Ids) -> CouponLine {
    let taxes = order.lines.iter().zip(taken).map(|(line, taken)| {
        let tax = (*taken * line.subtotal_tax).checked_div(line.subtotal);
        tax.unwrap_or_default()
    });
    let round = |amount: Decimal| RoundingMode::HalfUp.round(amount, order.decimals);
    CouponLine {
        id: ids.item(),
        meta_id: ids.meta(),
        coupon: coupon.id,
        code: coupon.code.clone().into_owned(),
        kind: coupon.kind(),
        nominal: coupon.nominal(),
        free_shipping: coupon.free_shipping(),
        discount: taken.iter().sum(),
        discount_tax: round(taxes.sum()),
    }
}

/// A line by product, variation or SKU. An unknown product is accepted: it becomes a line without name, product and SKU.
fn line(state: &State, item: &Value, ids: &mut Ids) -> Line {
    let id = |field: &str| item.get(field).and_then(Value::as_u64).filter(|id| *id > 0);
    let named = id("variation_id").or_else(|| id("product_id"));
    let product = named
        .or_else(|| state.product_of(text(item, "sku")))
        .and_then(|id| state.products.get(&id));
    let quantity = decimal(item.get("quantity")).unwrap_or(Decimal::ONE);
    let price: Decimal = product
        .and_then(|product| product.price().parse().ok())
        .unwrap_or_default();
    let subtotal = decimal(item.get("subtotal")).unwrap_or(price * quantity);
    let total = decimal(item.get("total")).unwrap_or(subtotal);
    let parent = product
        .filter(|product| product.parent > 0)
        .and_then(|product| state.products.get(&product.parent));
    let mut meta = Vec::new();
    merge_meta(&mut meta, item, ids);
    Line {
        id: ids.item(),
        name: match (text(item, "name"), product) {
            ("", Some(product)) => product.name.clone(),
            (name, _) => name.to_owned(),
        },
        parent_name: parent.map(|parent| parent.name.clone()),
        product: product.map_or(0, |p| if p.parent > 0 { p.parent } else { p.id }),
        variation: product.map_or(0, |p| if p.parent > 0 { p.id } else { 0 }),
        sku: product.map(|product| product.sku.clone()),
        gtin: product
            .map(|product| product.gtin.clone())
            .unwrap_or_default(),
        quantity,
        tax_class: product
            .map(|product| product.tax_class.clone())
            .unwrap_or_default(),
        taxable: product.is_none_or(|product| product.taxable),
        subtotal,
        subtotal_tax: Decimal::ZERO,
        total,
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta,
        bundled_by: None,
        bundled_items: None,
    }
}

fn shipping_line(item: &Value, ids: &mut Ids) -> ShippingLine {
    let mut meta = Vec::new();
    merge_meta(&mut meta, item, ids);
    ShippingLine {
        id: ids.item(),
        method: text(item, "method_id").to_owned(),
        title: text(item, "method_title").to_owned(),
        instance: text(item, "instance_id").to_owned(),
        total: decimal(item.get("total")).unwrap_or_default(),
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta,
    }
}

fn fee(item: &Value, ids: &mut Ids) -> Fee {
    Fee {
        id: ids.item(),
        name: text(item, "name").to_owned(),
        tax_class: text(item, "tax_class").to_owned(),
        taxable: text(item, "tax_status") != "none",
        total: decimal(item.get("total")).unwrap_or_default(),
        total_tax: Decimal::ZERO,
        taxes: Vec::new(),
        meta: Vec::new(),
    }
}

/// Puts what a body gives of an address into one.
pub(crate) fn address(body: Option<&Value>, into: &mut Address) {
    let Some(body) = body else { return };
    for (field, place) in [
        ("first_name", &mut into.first_name),
        ("last_name", &mut into.last_name),
        ("company", &mut into.company),
        ("address_1", &mut into.address_1),
        ("address_2", &mut into.address_2),
        ("city", &mut into.city),
        ("state", &mut into.state),
        ("postcode", &mut into.postcode),
        ("country", &mut into.country),
        ("email", &mut into.email),
        ("phone", &mut into.phone),
    ] {
        if let Some(value) = body.get(field).and_then(Value::as_str) {
            *place = value.to_owned();
        }
    }
}

/// Changes the quantities of lines named by id; a quantity of 0 removes the line. Says whether anything changed.
pub(crate) fn change_quantities(order: &mut Order, body: &Value) -> bool {
    let mut changed = false;
    for item in items(body, "line_items") {
        let Some(id) = item.get("id").and_then(Value::as_u64) else {
            continue;
        };
        let Some(quantity) = decimal(item.get("quantity")) else {
            continue;
        };
        changed = true;
        if quantity.is_zero() {
            order.lines.retain(|line| line.id != id);
        } else if let Some(line) = order.lines.iter_mut().find(|line| line.id == id) {
            set_quantity(line, quantity, order.decimals);
        }
    }
    changed
}

/// Another quantity at the same price and the same discount.
pub(crate) fn set_quantity(line: &mut Line, quantity: Decimal, decimals: u32) {
    if line.quantity.is_zero() {
        return;
    }
    let scaled = |amount: Decimal| (amount / line.quantity * quantity).round_dp(decimals);
    (line.subtotal, line.total) = (scaled(line.subtotal), scaled(line.total));
    line.quantity = quantity;
}
