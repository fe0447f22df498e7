//! Orders, refunds and notes as JSON, for a version of WooCommerce and a number of decimals (`dp`).

mod refund;

pub(crate) use refund::refund;

use super::order::{
    Address, CouponLine, Fee, Line, LineTax, Meta, Note, Order, Refund, ShippingLine, TaxLine,
};
use comptoir_model::money::RoundingMode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Map, Value, json};

/// What rendering depends on besides the record.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Address of the shop.
    pub home: String,
    /// Version of WooCommerce.
    pub version: &'static str,
    /// The site's time zone.
    pub zone: TimeZone,
    /// Whether lines carry a GTIN and links carry hints: versions from about 9 on.
    pub recent: bool,
    /// Decimals of the shop, when `dp` does not say.
    pub decimals: u32,
}

impl Look {
    /// Site-local time without offset.
    pub fn local(&self, at: Timestamp) -> String {
        self.zone
            .to_datetime(at)
            .strftime("%Y-%m-%dT%H:%M:%S")
            .to_string()
    }

    /// UTC without `Z`.
    pub fn gmt(at: Timestamp) -> String {
        at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// The address of an API resource.
    pub fn api(&self, path: &str) -> String {
        format!("{}/wp-json/wc/v3/{path}", self.home)
    }

    /// `_links`: the record, its collection, and what it belongs to.
    pub fn links(&self, this: &str, allow: &[&str], more: &[(&str, String)]) -> Value {
        let mut own = json!({ "href": self.api(this) });
        if self.recent {
            own["targetHints"] = json!({ "allow": allow });
        }
        let collection = this.rsplit_once('/').map_or("", |(head, _)| head);
        let mut links = json!({
            "self": [own],
            "collection": [{ "href": self.api(collection) }],
        });
        for (rel, path) in more {
            links[*rel] = json!([{ "href": self.api(path) }]);
        }
        links
    }
}

/// What may be done with most records.
pub(crate) const ALL_METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// An amount with so many decimals.
pub(crate) fn money(amount: Decimal, dp: u32) -> String {
    let rounded = RoundingMode::HalfUp.round(amount, dp);
    format!("{rounded:.*}", dp as usize)
}

/// A number as PHP shows it: no trailing zeros, no point when whole.
pub(crate) fn number(amount: Decimal) -> Value {
    let amount = amount.normalize();
    match amount.to_i64() {
        Some(whole) if amount.scale() == 0 => whole.into(),
        _ => amount.to_f64().map_or(Value::Null, Value::from),
    }
}

/// An order.
pub(crate) fn order(order: &Order, look: &Look, dp: u32) -> Value {
    let m = |amount| json!(money(amount, dp));
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("id", order.id.into());
    put("parent_id", 0.into());
    put("status", order.status.as_str().into());
    put("currency", order.currency.code().into());
    put("version", look.version.into());
    put("prices_include_tax", order.include_tax.into());
    put("date_created", look.local(order.created).into());
    put("date_modified", look.local(order.modified).into());
    put("discount_total", m(order.discount_total));
    put("discount_tax", m(order.discount_tax));
    put("shipping_total", m(order.shipping_total));
    put("shipping_tax", m(order.shipping_tax));
    put("cart_tax", m(order.cart_tax));
    put("total", m(order.total));
    put("total_tax", m(order.total_tax));
    put("customer_id", order.customer.into());
    put("order_key", order.key.as_str().into());
    put("billing", address(&order.billing, true));
    put("shipping", address(&order.shipping, false));
    put("payment_method", order.payment_method.as_str().into());
    put("payment_method_title", order.payment_title.as_str().into());
    put("transaction_id", order.transaction.as_str().into());
    put("customer_ip_address", ip(order).into());
    put("customer_user_agent", agent(order).into());
    put("created_via", order.created_via.as_str().into());
    put("customer_note", order.note.as_str().into());
    put(
        "date_completed",
        order.completed.map(|at| look.local(at)).into(),
    );
    put("date_paid", order.paid.map(|at| look.local(at)).into());
    put("cart_hash", "".into());
    put("number", order.number.as_str().into());
    put("meta_data", metas(&order.meta));
    put(
        "line_items",
        list(&order.lines, |item| line(item, look, dp)),
    );
    put("tax_lines", list(&order.tax_lines, |tax| tax_line(tax, dp)));
    put(
        "shipping_lines",
        list(&order.shipping_lines, |item| shipping_line(item, look, dp)),
    );
    put("fee_lines", list(&order.fees, |item| fee(item, look, dp)));
    put(
        "coupon_lines",
        list(&order.coupons, |item| coupon(item, look)),
    );
    put("refunds", mentions(order, look, dp));
    put("payment_url", pay_address(order, look).into());
    put("is_editable", order.is_editable().into());
    let unpaid = matches!(
        order.status.as_str(),
        "pending" | "failed" | "checkout-draft"
    );
    put("needs_payment", (unpaid && !order.total.is_zero()).into());
    put("needs_processing", true.into());
    put("date_created_gmt", Look::gmt(order.created).into());
    put("date_modified_gmt", Look::gmt(order.modified).into());
    put("date_completed_gmt", order.completed.map(Look::gmt).into());
    put("date_paid_gmt", order.paid.map(Look::gmt).into());
    put("currency_symbol", symbol(order.currency.code()).into());
    if !order.gift_cards.is_empty() {
        let card = |card: &super::order::GiftCard| json!({ "id": card.id, "code": card.code, "amount": number(card.amount) });
        put("gift_cards", list(&order.gift_cards, card));
    }
    put("_links", order_links(order, look));
    Value::Object(out)
}

fn list<T>(items: &[T], render: impl FnMut(&T) -> Value) -> Value {
    Value::Array(items.iter().map(render).collect())
}

fn ip(order: &Order) -> &'static str {
    if order.created_via == "checkout" {
        "203.0.113.9"
    } else {
        ""
    }
}

fn agent(order: &Order) -> &'static str {
    if order.created_via == "checkout" {
        "Mozilla/5.0 (simulated buyer)"
    } else {
        ""
    }
}

fn pay_address(order: &Order, look: &Look) -> String {
    format!(
        "{}/checkout/order-pay/{}/?pay_for_order=true&key={}",
        look.home, order.id, order.key
    )
}

fn order_links(order: &Order, look: &Look) -> Value {
    let this = format!("orders/{}", order.id);
    let mut more = Vec::new();
    if order.customer > 0 {
        more.push(("customer", format!("customers/{}", order.customer)));
    }
    let mut links = look.links(&this, ALL_METHODS, &more);
    if look.recent {
        let templates = format!("{this}/actions/email_templates");
        links["email_templates"] = json!([{ "embeddable": true, "href": look.api(&templates) }]);
    }
    links
}

/// A billing or shipping address. Only billing has an e-mail.
pub(crate) fn address(address: &Address, billing: bool) -> Value {
    let mut out = json!({
        "first_name": address.first_name,
        "last_name": address.last_name,
        "company": address.company,
        "address_1": address.address_1,
        "address_2": address.address_2,
        "city": address.city,
        "state": address.state,
        "postcode": address.postcode,
        "country": address.country,
    });
    if billing {
        out["email"] = address.email.as_str().into();
    }
    out["phone"] = address.phone.as_str().into();
    out
}

/// Metadata of an order or a customer.
pub(crate) fn metas(entries: &[Meta]) -> Value {
    let one = |meta: &Meta| json!({ "id": meta.id, "key": meta.key, "value": meta.value });
    list(entries, one)
}

/// Metadata of a line, which is shown twice.
fn shown(entries: &[Meta]) -> Value {
    let one = |meta: &Meta| {
        let mut label = meta.key.clone();
        if !label.starts_with('_')
            && let Some(first) = label.get(..1).map(str::to_uppercase)
        {
            label.replace_range(..1, &first);
        }
        json!({
            "id": meta.id,
            "key": meta.key,
            "value": meta.value,
            "display_key": label,
            "display_value": meta.value,
        })
    };
    list(entries, one)
}

/// Tax amounts of a line: with `dp` decimals in recent versions, as the bare number in older ones.
fn taxes(taxes: &[LineTax], sign: Decimal, look: &Look, dp: u32) -> Value {
    let text = |amount: Decimal| {
        if look.recent {
            money(amount * sign, dp)
        } else {
            (amount * sign).normalize().to_string()
        }
    };
    let one = |tax: &LineTax| {
        json!({
            "id": tax.rate,
            "total": text(tax.total),
            "subtotal": tax.subtotal.map(text).unwrap_or_default(),
        })
    };
    list(taxes, one)
}

fn line(line: &Line, look: &Look, dp: u32) -> Value {
    let gone = line.sku.is_none();
    let mut out = json!({
        "id": line.id,
        "name": line.name,
        "product_id": line.product,
        "variation_id": line.variation,
        "quantity": number(line.quantity),
        "tax_class": line.tax_class,
        "subtotal": money(line.subtotal, dp),
        "subtotal_tax": money(line.subtotal_tax, dp),
        "total": money(line.total, dp),
        "total_tax": money(line.total_tax, dp),
        "taxes": taxes(&line.taxes, Decimal::ONE, look, dp),
        "meta_data": shown(&line.meta),
        "sku": line.sku,
    });
    if look.recent {
        out["global_unique_id"] = if gone {
            Value::Null
        } else {
            line.gtin.as_str().into()
        };
    }
    // A JSON number, after discounts.
    out["price"] = line
        .total
        .checked_div(line.quantity)
        .map_or_else(|| 0.into(), number);
    let image = if gone || line.variation > 0 {
        json!(0)
    } else {
        json!("")
    };
    out["image"] = json!({ "id": image, "src": "" });
    out["parent_name"] = line.parent_name.clone().into();
    if let Some(parent) = line.bundled_by {
        out["bundled_by"] = parent.into();
    }
    if let Some(parts) = &line.bundled_items {
        out["bundled_items"] = parts.clone().into();
    }
    out
}

fn tax_line(line: &TaxLine, dp: u32) -> Value {
    json!({
        "id": line.id,
        "rate_code": line.code,
        "rate_id": line.rate,
        "label": line.label,
        "compound": line.compound,
        "tax_total": money(line.tax, dp),
        "shipping_tax_total": money(line.shipping, dp),
        "rate_percent": number(line.percent),
        "meta_data": [],
    })
}

fn shipping_line(line: &ShippingLine, look: &Look, dp: u32) -> Value {
    let mut out = json!({
        "id": line.id,
        "method_title": line.title,
        "method_id": line.method,
        "instance_id": line.instance,
        "total": money(line.total, dp),
        "total_tax": money(line.total_tax, dp),
        "taxes": taxes(&line.taxes, Decimal::ONE, look, dp),
    });
    if look.recent {
        out["tax_status"] = "taxable".into();
    }
    out["meta_data"] = shown(&line.meta);
    out
}

fn fee(fee: &Fee, look: &Look, dp: u32) -> Value {
    json!({
        "id": fee.id,
        "name": fee.name,
        "tax_class": fee.tax_class,
        "tax_status": if fee.taxable { "taxable" } else { "none" },
        "amount": "",
        "total": money(fee.total, dp),
        "total_tax": money(fee.total_tax, dp),
        "taxes": taxes(&fee.taxes, Decimal::ONE, look, dp),
        "meta_data": shown(&fee.meta),
    })
}

/// A coupon. Its amounts are bare numbers, whatever `dp` says ("0.9").
fn coupon(coupon: &CouponLine, look: &Look) -> Value {
    let kind = match coupon.kind {
        "fixed_cart" => Value::Null,
        kind => kind.into(),
    };
    let info = json!([coupon.coupon, coupon.code, kind, number(coupon.nominal)]);
    let (key, value): (_, Value) = if look.recent {
        ("coupon_info", info.to_string().into())
    } else {
        ("coupon_data", old_coupon(coupon))
    };
    let mut out = json!({
        "id": coupon.id,
        "code": coupon.code,
        "discount": coupon.discount.normalize().to_string(),
        "discount_tax": coupon.discount_tax.normalize().to_string(),
        "meta_data": [{
            "id": coupon.meta_id,
            "key": key,
            "value": value,
            "display_key": key,
            "display_value": value,
        }],
    });
    if look.recent {
        out["discount_type"] = coupon.kind.into();
        out["nominal_amount"] = number(coupon.nominal);
        out["free_shipping"] = coupon.free_shipping.into();
    }
    out
}

/// What versions before 8.7 kept of a coupon (shortened to what tells coupons apart).
fn old_coupon(coupon: &CouponLine) -> Value {
    json!({
        "id": coupon.coupon,
        "code": coupon.code,
        "amount": coupon.nominal.normalize().to_string(),
        "status": "publish",
        "discount_type": coupon.kind,
        "free_shipping": coupon.free_shipping,
    })
}

/// The refunds an order mentions, the last first, with negative totals.
fn mentions(order: &Order, look: &Look, dp: u32) -> Value {
    let newest: Vec<&Refund> = order.refunds.iter().rev().collect();
    list(&newest, |refund| {
        let tax: Decimal = refund
            .parts
            .iter()
            .flat_map(|part| &part.taxes)
            .map(|tax| tax.total)
            .sum();
        let mut out = json!({
            "id": refund.id,
            "reason": refund.reason,
            "total": money(-refund.amount, dp),
        });
        if look.recent {
            out["total_tax"] = money(-tax, dp).into();
        }
        out
    })
}

/// A note of an order.
pub(crate) fn note(note: &Note, order: u64, look: &Look) -> Value {
    let this = format!("orders/{order}/notes/{}", note.id);
    json!({
        "id": note.id,
        "author": "WooCommerce",
        "date_created": look.local(note.created),
        "date_created_gmt": Look::gmt(note.created),
        "note": note.text,
        "customer_note": note.to_customer,
        "_links": look.links(&this, &["GET", "DELETE"], &[("up", format!("orders/{order}"))]),
    })
}

fn symbol(code: &str) -> &'static str {
    match code {
        "JPY" => "¥",
        "KWD" => "د.ك",
        _ => "€",
    }
}
