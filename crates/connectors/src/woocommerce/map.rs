//! Orders and refunds, from the shop's JSON to the canonical documents.

use super::settings::{Settings, ShippingKey};
use super::wire::{CouponWire, FeeWire, ItemWire, Meta, OrderWire, RefundWire, ShippingWire};
use super::{keep, mark, party, payment, tax};
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::equation::{settle_rounding, sum_of_parts};
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::money::Currency;
use comptoir_model::order::{
    Allocation, Dates, Discount, DiscountKind, Fee, Line, LineKind, LineTax, Order, RefundMention,
    ShippingLine, Totals,
};
use comptoir_model::port::Record;
use comptoir_model::refund::{Refund, RefundLine};
use serde_json::Value;
use std::collections::HashMap;

/// An order's record.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn order(json: &str, settings: &Settings) -> Result<Record, Fault> {
    let wire: OrderWire = decode::json(json.as_bytes())?;
    let order = decode_order(&wire, settings)?;
    Ok(Record {
        id: wire.id,
        version: wire.date_modified_gmt,
        document: Document::Order(Box::new(order)),
        raw: Some(keep::raw(json)),
    })
}

pub(super) fn currency_of(code: &str) -> Result<Currency, Fault> {
    code.parse()
        .map_err(|_| Fault::bug("expected a currency such as EUR").at("currency"))
}

fn decode_order(wire: &OrderWire, settings: &Settings) -> Result<Order, Fault> {
    let currency = currency_of(&wire.currency)?;
    let codes = tax::Codes::of(&wire.tax_lines);
    let number = match wire.number.as_str() {
        "" => wire.id.as_str(),
        number => number,
    };
    let lines = lines(&wire.line_items, &codes);
    let cards = payment::gift_cards(wire, settings);
    let mut order = Order {
        channel: wire.created_via.clone(),
        test: TEST_MARKS
            .iter()
            .any(|(key, value)| keep::has(&wire.meta_data, key, value)),
        status: payment::status(wire, settings),
        dates: Dates {
            placed: payment::instant(&wire.date_created_gmt),
            paid: payment::instant(&wire.date_paid_gmt),
            completed: payment::instant(&wire.date_completed_gmt),
            cancelled: None,
        },
        prices_include_tax: wire.prices_include_tax,
        customer: wire.customer_id.clone(),
        email: wire.billing.email.trim().to_owned(),
        vat_number: keep::first_text(&wire.meta_data, &settings.vat_number_keys),
        purchase_order: keep::first_text(&wire.meta_data, &settings.purchase_order_keys),
        exemption: exemption(&wire.meta_data),
        bill_to: party::address(&wire.billing),
        ship_to: party::address(&wire.shipping),
        language: language(&wire.meta_data),
        note: wire.customer_note.clone(),
        discounts: discounts(&wire.coupon_lines, &lines),
        lines,
        shipping: wire
            .shipping_lines
            .iter()
            .map(|line| shipping(line, &codes, settings))
            .collect(),
        fees: wire
            .fee_lines
            .iter()
            .map(|line| fee(line, &codes))
            .collect(),
        taxes: tax::lines(&wire.tax_lines),
        payments: payment::payments(wire, settings, currency, &cards),
        refunds: mentions(wire),
        // A text that somebody broke never costs an order; the next shipment is refused with it.
        shipments: mark::read(&wire.meta_data, &wire.id).unwrap_or_default(),
        totals: Totals {
            total: wire.total.normalize(),
            tax: wire.total_tax.normalize(),
            rounding: Decimal::ZERO,
        },
        attributes: attributes(wire),
        ..Order::empty(number, currency)
    };
    add_gift_cards(&mut order, &cards);
    settle_rounding(&mut order);
    Ok(order)
}

/// Refunds by number: the shop lists those of one second in any order, which must not look like a change.
fn mentions(wire: &OrderWire) -> Vec<RefundMention> {
    let mut refunds: Vec<_> = wire.refunds.iter().collect();
    refunds.sort_by_key(|refund| (refund.id.as_str().len(), refund.id.clone()));
    refunds
        .into_iter()
        .map(|refund| RefundMention {
            id: refund_id(&wire.id, &refund.id),
            amount: (-refund.total).normalize(),
        })
        .collect()
}

/// The id of a refund: its order and its own number, since it can only be read through its order.
pub(super) fn refund_id(order: &RemoteId, refund: &RemoteId) -> RemoteId {
    RemoteId(format!("{order}-{refund}"))
}

/// Gift-card plug-ins lower the order's total by what a card paid. A card is a payment and no discount, so the total of the sale is with it.
/// Plug-ins that book the card as a fee or coupon have their sum right already: then the payment would count twice and is left out.
fn add_gift_cards(order: &mut Order, cards: &[Decimal]) {
    let cards: Decimal = cards.iter().sum();
    if cards.is_zero() {
        return;
    }
    let missing = sum_of_parts(order) - order.totals.total;
    if (missing - cards).abs() < missing.abs() {
        order.totals.total = (order.totals.total + cards).normalize();
    } else {
        order
            .payments
            .retain(|payment| payment.method != "gift_card");
    }
}

fn exemption(meta: &[Meta]) -> String {
    match keep::text(meta, "is_vat_exempt").as_deref() {
        Some("yes") => "is_vat_exempt".to_owned(),
        _ => String::new(),
    }
}

fn language(meta: &[Meta]) -> String {
    [
        "wpml_language",
        "pll_language",
        "weglot_language",
        "trp_language",
    ]
    .iter()
    .find_map(|key| keep::text(meta, key))
    .unwrap_or_default()
}

/// Meta data of the order under its keys; that of shipping lines and fees, which have no place of their own, under `shipping.` and `fee.`.
fn attributes(wire: &OrderWire) -> comptoir_model::Attributes {
    let mut attributes = keep::attributes(&wire.meta_data);
    for line in &wire.shipping_lines {
        keep::add(&mut attributes, "shipping.", &line.meta_data);
    }
    for line in &wire.fee_lines {
        keep::add(&mut attributes, "fee.", &line.meta_data);
    }
    attributes
}

/// Order meta that payment plug-ins leave on what was paid in test mode (WooPayments writes `_wcpay_mode`: `test` or `prod`).
const TEST_MARKS: &[(&str, &str)] = &[("_wcpay_mode", "test")];

/// Meta keys of bundle plug-ins: on a component, the cart key of its bundle; on the bundle, its own cart key.
const BUNDLES: &[(&str, &str)] = &[
    ("_bundled_by", "_bundle_cart_key"),
    ("_bundled_by", "_yith_bundle_cart_key"),
    ("_composite_parent", "_composite_cart_key"),
    ("_mnm_container", "_mnm_cart_key"),
];

/// Line meta that a sold gift card carries (WooCommerce Gift Cards, PW Gift Cards, YITH).
const GIFT_CARD_MARKS: &[&str] = &[
    "wc_gc_giftcard_amount",
    "pw_gift_card_amount",
    "_ywgc_amount",
];

fn lines(items: &[ItemWire], codes: &tax::Codes) -> Vec<Line> {
    let mut bundles: HashMap<(&str, String), &str> = HashMap::new();
    for item in items {
        for (child, own) in BUNDLES {
            if let Some(key) = keep::text(&item.meta_data, own) {
                bundles.insert((child, key), &item.id);
            }
        }
    }
    let parents: Vec<Option<String>> = items
        .iter()
        .map(|item| parent(item, &bundles).filter(|parent| *parent != item.id))
        .collect();
    let is_bundle = |id: &str| parents.iter().flatten().any(|parent| parent == id);
    items
        .iter()
        .zip(&parents)
        .map(|(item, parent)| {
            let marked = |mark: &&str| item.meta_data.iter().any(|row| row.key == **mark);
            let kind = match parent {
                Some(_) => LineKind::Component,
                None if is_bundle(&item.id) => LineKind::Bundle,
                None if GIFT_CARD_MARKS.iter().any(marked) => LineKind::GiftCard,
                None => LineKind::Item,
            };
            line(item, codes, kind, parent.clone())
        })
        .collect()
}

fn parent(item: &ItemWire, bundles: &HashMap<(&str, String), &str>) -> Option<String> {
    let told = item.bundled_by.as_ref().or(item.composite_parent.as_ref());
    if let Some(parent) = told {
        return Some(parent.as_str().to_owned());
    }
    BUNDLES.iter().find_map(|(child, _)| {
        let key = keep::text(&item.meta_data, child)?;
        bundles.get(&(*child, key)).map(|id| (*id).to_owned())
    })
}

fn line(item: &ItemWire, codes: &tax::Codes, kind: LineKind, parent: Option<String>) -> Line {
    let mut attributes = keep::attributes(&item.meta_data);
    if !item.global_unique_id.is_empty() {
        let gtin = Value::String(item.global_unique_id.clone());
        attributes.insert("global_unique_id".to_owned(), gtin);
    }
    // The shop's own `price` is after discounts.
    let unit_price = item.subtotal.checked_div(item.quantity);
    Line {
        id: item.id.clone(),
        kind,
        parent,
        product: item.variation_id.clone().or(item.product_id.clone()),
        sku: item.sku.trim().to_owned(),
        title: item.name.clone(),
        quantity: item.quantity.normalize(),
        unit_price: unit_price.unwrap_or_default().round_dp(8).normalize(),
        subtotal: item.subtotal.normalize(),
        net: item.total.normalize(),
        tax: item.total_tax.normalize(),
        taxes: codes.taxes(&item.taxes),
        tax_class: item.tax_class.clone(),
        attributes,
    }
}

fn shipping(line: &ShippingWire, codes: &tax::Codes, settings: &Settings) -> ShippingLine {
    let method = match (&line.instance_id, settings.shipping_key) {
        (Some(instance), ShippingKey::Instance) => format!("{}:{instance}", line.method_id),
        _ => line.method_id.clone(),
    };
    ShippingLine {
        id: line.id.clone(),
        method,
        title: line.method_title.clone(),
        net: line.total.normalize(),
        tax: line.total_tax.normalize(),
        taxes: codes.taxes(&line.taxes),
    }
}

fn fee(line: &FeeWire, codes: &tax::Codes) -> Fee {
    Fee {
        id: line.id.clone(),
        title: line.name.clone(),
        net: line.total.normalize(),
        tax: line.total_tax.normalize(),
        taxes: codes.taxes(&line.taxes),
    }
}

/// Coupons are in the lines already. The shop says what each took off in all, and per line only their sum: shares are known when one coupon
/// alone took something off.
fn discounts(coupons: &[CouponWire], lines: &[Line]) -> Vec<Discount> {
    let lowering = coupons.iter().filter(|coupon| !coupon.discount.is_zero());
    let alone = lowering.count() == 1;
    coupons
        .iter()
        .map(|coupon| Discount {
            code: coupon.code.clone(),
            kind: coupon_kind(coupon),
            net: coupon.discount.normalize(),
            tax: coupon.discount_tax.normalize(),
            in_lines: true,
            allocations: if alone {
                shares(coupon.discount, lines)
            } else {
                Vec::new()
            },
        })
        .collect()
}

/// What each line gave up, when that is all of the discount: at few decimals the shop's figures differ by a cent.
fn shares(discount: Decimal, lines: &[Line]) -> Vec<Allocation> {
    let shares: Vec<Allocation> = lines
        .iter()
        .filter(|line| line.subtotal > line.net)
        .map(|line| Allocation {
            line: line.id.clone(),
            net: (line.subtotal - line.net).normalize(),
        })
        .collect();
    let sum: Decimal = shares.iter().map(|share| share.net).sum();
    if sum == discount { shares } else { Vec::new() }
}

/// Newer shops tell the type; older ones keep the coupon as it was (`coupon_data`), or a short list (`coupon_info`: id, code, type, amount,
/// free shipping; no type means a fixed cart discount).
fn coupon_kind(coupon: &CouponWire) -> DiscountKind {
    let mut kind = coupon.discount_type.clone();
    let mut free = coupon.free_shipping;
    for row in &coupon.meta_data {
        match row.key.as_str() {
            "coupon_data" => {
                let told = row.value.get("discount_type").and_then(Value::as_str);
                kind = told.unwrap_or(&kind).to_owned();
                free |= row.value.get("free_shipping") == Some(&Value::Bool(true));
            }
            "coupon_info" if kind.is_empty() => {
                let text = keep::scalar(&row.value).unwrap_or_default();
                if let Ok(Value::Array(list)) = serde_json::from_str(&text) {
                    let told = list.get(2).and_then(Value::as_str);
                    kind = told.unwrap_or("fixed_cart").to_owned();
                    free |= list.get(4) == Some(&Value::Bool(true));
                }
            }
            _ => {}
        }
    }
    match kind.as_str() {
        _ if free && coupon.discount.is_zero() => DiscountKind::FreeShipping,
        "percent" | "percent_product" | "sign_up_fee_percent" | "recurring_percent" => {
            DiscountKind::Percent
        }
        "fixed_cart" | "fixed_product" | "sign_up_fee" | "recurring_fee" | "store_credit" => {
            DiscountKind::Fixed
        }
        _ => DiscountKind::Unknown,
    }
}

/// A refund's record. It does not name its order or currency, so both are given; a refund of the list across orders names its order itself.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn refund(json: &str, order: &RemoteId, currency: Currency) -> Result<Record, Fault> {
    let wire: RefundWire = decode::json(json.as_bytes())?;
    let order = wire.parent_id.clone().unwrap_or_else(|| order.clone());
    let codes = tax::Codes::of(&wire.tax_lines);
    let items = wire.line_items.iter().map(|item| {
        let taxes = codes.taxes(&item.taxes);
        refund_line(
            &item.meta_data,
            -item.quantity,
            item.total,
            item.total_tax,
            taxes,
        )
    });
    let shipping = wire.shipping_lines.iter().map(|line| {
        let taxes = codes.taxes(&line.taxes);
        refund_line(
            &line.meta_data,
            Decimal::ZERO,
            line.total,
            line.total_tax,
            taxes,
        )
    });
    let fees = wire.fee_lines.iter().map(|line| {
        let taxes = codes.taxes(&line.taxes);
        refund_line(
            &line.meta_data,
            Decimal::ZERO,
            line.total,
            line.total_tax,
            taxes,
        )
    });
    let refund = Refund {
        order: order.clone(),
        amount: wire.amount.abs().normalize(),
        currency,
        lines: items.chain(shipping).chain(fees).collect(),
        reason: wire.reason.clone(),
        paid_back: wire.refunded_payment,
        at: payment::instant(&wire.date_created_gmt),
    };
    Ok(Record {
        id: refund_id(&order, &wire.id),
        // A refund never changes; it can only be deleted.
        version: wire.date_created_gmt,
        document: Document::Refund(refund),
        raw: Some(keep::raw(json)),
    })
}

/// The shop's amounts are negative; ours are positive.
fn refund_line(
    meta: &[Meta],
    quantity: Decimal,
    net: Decimal,
    tax: Decimal,
    taxes: Vec<LineTax>,
) -> RefundLine {
    RefundLine {
        line: keep::text(meta, "_refunded_item_id").unwrap_or_default(),
        quantity: quantity.normalize(),
        net: (-net).normalize(),
        tax: (-tax).normalize(),
        taxes: taxes
            .into_iter()
            .map(|tax| LineTax {
                amount: (-tax.amount).normalize(),
                ..tax
            })
            .collect(),
    }
}
