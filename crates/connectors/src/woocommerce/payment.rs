//! How an order was paid: one gateway, gift cards of plug-ins, and what is still promised.

use super::keep;
use super::settings::Settings;
use super::wire::OrderWire;
use comptoir_kit::{decode, time};
use comptoir_model::Decimal;
use comptoir_model::money::Currency;
use comptoir_model::order::{Life, Paid, Shipped, Status};
use comptoir_model::payment::{Payment, PaymentKind, PaymentState};
use jiff::Timestamp;
use serde_json::Value;

/// The instant of a `_gmt` field; none when it is empty or unreadable. Such a date never costs an order.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    time::utc(text).ok()
}

/// What the shop's word says about life, payment and fulfilment.
pub(super) fn status(wire: &OrderWire, settings: &Settings) -> Status {
    let is_paid = instant(&wire.date_paid_gmt).is_some();
    let life = match settings.statuses.get(&wire.status) {
        Some(life) => *life,
        None => life(&wire.status, is_paid),
    };
    let shipped = match life {
        // "Order fulfilled and complete" are WooCommerce's words for it.
        Life::Completed if wire.status != "refunded" => Shipped::Yes,
        Life::Draft | Life::Open | Life::OnHold => Shipped::No,
        _ => Shipped::Unknown,
    };
    Status {
        word: wire.status.clone(),
        life,
        paid: paid(wire, settings, is_paid),
        shipped,
    }
}

fn life(word: &str, is_paid: bool) -> Life {
    match word {
        // A failed payment may be tried again, and the shop cancels what stays unpaid.
        "pending" | "failed" | "checkout-draft" | "auto-draft" | "draft" => Life::Draft,
        "processing" => Life::Open,
        "on-hold" => Life::OnHold,
        // Given back in full after whatever happened; the refunds tell the rest.
        "completed" | "refunded" => Life::Completed,
        "cancelled" => Life::Cancelled,
        "trash" => Life::Trashed,
        _ if is_paid => Life::Open,
        _ => Life::OnHold,
    }
}

fn paid(wire: &OrderWire, settings: &Settings, is_paid: bool) -> Paid {
    let back: Decimal = wire.refunds.iter().map(|refund| -refund.total).sum();
    let promised = settings.promise_methods.contains(&wire.payment_method);
    match wire.status.as_str() {
        "refunded" => Paid::Refunded,
        "failed" => Paid::Failed,
        _ if is_paid && wire.total > Decimal::ZERO && back >= wire.total => Paid::Refunded,
        _ if is_paid => Paid::Yes,
        // Worked on without a date of payment: a gateway that does not tell.
        "processing" | "completed" if !promised => Paid::Unknown,
        _ => Paid::No,
    }
}

/// Amounts of gift cards used as payment: WooCommerce Gift Cards adds `gift_cards` to the order, others keep meta data.
pub(super) fn gift_cards(wire: &OrderWire, settings: &Settings) -> Vec<Decimal> {
    let mut amounts: Vec<Decimal> = wire.gift_cards.iter().map(|card| card.amount).collect();
    for row in &wire.meta_data {
        if settings.gift_card_keys.contains(&row.key) {
            read_amounts(&row.value, &mut amounts);
        }
    }
    amounts.retain(|amount| *amount > Decimal::ZERO);
    amounts
}

/// An amount; amounts by card number; or a list of objects with an `amount`.
fn read_amounts(value: &Value, amounts: &mut Vec<Decimal>) {
    match value {
        Value::Object(object) => match object.get("amount") {
            Some(amount) => read_amounts(amount, amounts),
            None => object
                .values()
                .for_each(|value| read_amounts(value, amounts)),
        },
        Value::Array(items) => items.iter().for_each(|item| read_amounts(item, amounts)),
        _ => amounts.extend(keep::scalar(value).and_then(|text| decode::decimal_of(&text))),
    }
}

/// The payments of an order, the gateway's first: it names the method. `total` is what is left for it after gift cards.
pub(super) fn payments(
    wire: &OrderWire,
    settings: &Settings,
    currency: Currency,
    cards: &[Decimal],
) -> Vec<Payment> {
    let at = instant(&wire.date_paid_gmt);
    let mut payments: Vec<Payment> = gateway(wire, settings, currency, at).into_iter().collect();
    payments.extend(cards.iter().map(|amount| Payment {
        method: "gift_card".to_owned(),
        title: String::new(),
        // A card's code is as good as money, so it is not kept.
        transaction: String::new(),
        kind: PaymentKind::GiftCard,
        // Cards are charged when the order is placed.
        state: PaymentState::Done,
        amount: amount.normalize(),
        currency,
        fee: None,
        at,
    }));
    payments
}

fn gateway(
    wire: &OrderWire,
    settings: &Settings,
    currency: Currency,
    at: Option<Timestamp>,
) -> Option<Payment> {
    let method = match wire.payment_method.as_str() {
        // What the shop itself calls a payment noted by hand.
        "" if at.is_some() && wire.total > Decimal::ZERO => "other",
        "" => return None,
        method => method,
    };
    let reserved = keep::text(&wire.meta_data, "_stripe_charge_captured").as_deref() == Some("no");
    let (kind, state) = match at {
        Some(_) => (PaymentKind::Sale, PaymentState::Done),
        None if wire.status == "failed" => (PaymentKind::Sale, PaymentState::Failed),
        None if settings
            .promise_methods
            .iter()
            .any(|promise| promise == method) =>
        {
            (PaymentKind::Promise, PaymentState::Pending)
        }
        None if reserved => (PaymentKind::Authorization, PaymentState::Done),
        None => (PaymentKind::Sale, PaymentState::Pending),
    };
    Some(Payment {
        method: method.to_owned(),
        title: wire.payment_method_title.clone(),
        transaction: wire.transaction_id.trim().to_owned(),
        kind,
        state,
        amount: wire.total.normalize(),
        currency,
        fee: fee(wire, currency),
        at,
    })
}

/// What Stripe kept, when it is in the order's currency.
fn fee(wire: &OrderWire, currency: Currency) -> Option<Decimal> {
    let paid_out = keep::text(&wire.meta_data, "_stripe_currency");
    if paid_out.is_some_and(|code| !code.eq_ignore_ascii_case(currency.code())) {
        return None;
    }
    let fee = keep::text(&wire.meta_data, "_stripe_fee")?;
    decode::decimal_of(&fee).map(|fee| fee.normalize())
}
