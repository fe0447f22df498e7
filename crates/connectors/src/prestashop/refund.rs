//! Credit slips. They record what is given back; whether it was paid out they do not say.

use super::discount::SHIPPING;
use super::keep;
use super::local::ShopClock;
use super::wire::SlipWire;
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::money::Currency;
use comptoir_model::port::Record;
use comptoir_model::refund::{Refund, RefundLine};

/// What a slip gives back, with tax: products and shipping. `amount` is the products' sum, with or without tax as the shop was set, unless
/// a person chose another amount (type 2); then that rules.
pub(super) fn amount(slip: &SlipWire, currency: Currency) -> Decimal {
    let unit = currency.minor_unit();
    let is = |sum: Decimal| (slip.amount - sum).abs() <= unit;
    let products = match slip.order_slip_type.as_str() {
        "2" if !slip.amount.is_zero()
            && !is(slip.total_products_tax_incl)
            && !is(slip.total_products_tax_excl) =>
        {
            slip.amount
        }
        _ => slip.total_products_tax_incl,
    };
    (products + slip.total_shipping_tax_incl).abs().normalize()
}

/// A refund's record.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn record(json: &str, currency: Currency, clock: &ShopClock) -> Result<Record, Fault> {
    let slip: SlipWire = decode::json(json.as_bytes())?;
    let goods = slip
        .associations
        .order_slip_details
        .iter()
        .map(|detail| RefundLine {
            line: detail.id_order_detail.clone(),
            quantity: detail.product_quantity.normalize(),
            net: detail.amount_tax_excl.normalize(),
            tax: (detail.amount_tax_incl - detail.amount_tax_excl).normalize(),
            taxes: Vec::new(),
        });
    let mut lines: Vec<RefundLine> = goods.collect();
    if !slip.total_shipping_tax_incl.is_zero() {
        lines.push(RefundLine {
            line: SHIPPING.to_owned(),
            quantity: Decimal::ZERO,
            net: slip.total_shipping_tax_excl.normalize(),
            tax: (slip.total_shipping_tax_incl - slip.total_shipping_tax_excl).normalize(),
            taxes: Vec::new(),
        });
    }
    let refund = Refund {
        order: slip.id_order.clone(),
        amount: amount(&slip, currency),
        currency,
        lines,
        reason: String::new(),
        paid_back: false,
        at: clock.instant(&slip.date_add),
    };
    Ok(Record {
        id: slip.id,
        version: slip.date_upd,
        document: Document::Refund(refund),
        raw: Some(keep::raw(json)),
    })
}
