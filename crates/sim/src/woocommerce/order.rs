//! An order as the simulated shop keeps it. Amounts keep more decimals than the shop shows; rendering cuts them.

use crate::traps::{Expected, Trap};
use comptoir_model::money::Currency;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

/// A billing or shipping address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Address {
    pub first_name: String,
    pub last_name: String,
    pub company: String,
    pub address_1: String,
    pub address_2: String,
    pub city: String,
    pub state: String,
    pub postcode: String,
    pub country: String,
    pub email: String,
    pub phone: String,
}

/// One entry of `meta_data`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Meta {
    pub id: u64,
    pub key: String,
    pub value: Value,
}

/// One tax on a line. `subtotal` is none on shipping lines and fees, where the shop shows an empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineTax {
    pub rate: u64,
    pub total: Decimal,
    pub subtotal: Option<Decimal>,
}

/// One line of goods.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub id: u64,
    pub name: String,
    pub parent_name: Option<String>,
    pub product: u64,
    pub variation: u64,
    /// None once the product was deleted.
    pub sku: Option<String>,
    pub gtin: String,
    pub quantity: Decimal,
    pub tax_class: String,
    pub taxable: bool,
    pub subtotal: Decimal,
    pub subtotal_tax: Decimal,
    pub total: Decimal,
    pub total_tax: Decimal,
    pub taxes: Vec<LineTax>,
    pub meta: Vec<Meta>,
    /// The bundle's line, of a part.
    pub bundled_by: Option<u64>,
    /// The parts' lines, of a bundle.
    pub bundled_items: Option<Vec<u64>>,
}

impl Line {
    /// The product or variation that is sold.
    pub fn stocked(&self) -> u64 {
        if self.variation > 0 {
            self.variation
        } else {
            self.product
        }
    }
}

/// The sum of one rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaxLine {
    pub id: u64,
    pub rate: u64,
    pub code: String,
    pub label: String,
    pub compound: bool,
    pub percent: Decimal,
    pub tax: Decimal,
    pub shipping: Decimal,
}

/// One shipping line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShippingLine {
    pub id: u64,
    pub method: String,
    pub title: String,
    pub instance: String,
    pub total: Decimal,
    pub total_tax: Decimal,
    pub taxes: Vec<LineTax>,
    pub meta: Vec<Meta>,
}

/// One fee; negative for a discount or a used gift card.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fee {
    pub id: u64,
    pub name: String,
    pub tax_class: String,
    pub taxable: bool,
    pub total: Decimal,
    pub total_tax: Decimal,
    pub taxes: Vec<LineTax>,
    pub meta: Vec<Meta>,
}

/// One coupon.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CouponLine {
    pub id: u64,
    pub meta_id: u64,
    pub coupon: u64,
    pub code: String,
    pub kind: &'static str,
    pub nominal: Decimal,
    pub free_shipping: bool,
    pub discount: Decimal,
    pub discount_tax: Decimal,
}

/// A part of a refund: a line, shipping line or fee of the order. Amounts are positive here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RefundPart {
    pub id: u64,
    pub meta_id: u64,
    pub item: u64,
    pub quantity: Decimal,
    pub total: Decimal,
    pub taxes: Vec<LineTax>,
}

/// A gift card that paid a part of the order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GiftCard {
    pub id: u64,
    pub code: String,
    pub amount: Decimal,
}

/// A refund. `amount` rules, whatever its parts add up to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refund {
    pub id: u64,
    pub meta_id: u64,
    pub created: Timestamp,
    pub amount: Decimal,
    pub reason: String,
    pub full: bool,
    pub parts: Vec<RefundPart>,
    pub meta: Vec<Meta>,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub id: u64,
    pub created: Timestamp,
    pub text: String,
    pub to_customer: bool,
}

/// What somebody of the shop did to an order by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Deed {
    /// Changed a quantity; totals follow.
    Quantity,
    /// Changed the buyer's note.
    Note,
    /// Changed the shipping address.
    Address,
    /// Cancelled it.
    Cancelled,
    /// Took the cancellation back.
    PutBack,
    /// Put it in the trash.
    Trashed,
}

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub id: u64,
    pub number: String,
    pub key: String,
    pub status: String,
    pub currency: Currency,
    /// Decimals its amounts were rounded to.
    pub decimals: u32,
    pub include_tax: bool,
    pub at_subtotal: bool,
    /// Country and state that decide the rates.
    pub place: (String, String),
    pub created: Timestamp,
    pub modified: Timestamp,
    pub paid: Option<Timestamp>,
    pub completed: Option<Timestamp>,
    pub customer: u64,
    pub billing: Address,
    pub shipping: Address,
    pub payment_method: String,
    pub payment_title: String,
    pub transaction: String,
    pub created_via: String,
    pub note: String,
    pub discount_total: Decimal,
    pub discount_tax: Decimal,
    pub shipping_total: Decimal,
    pub shipping_tax: Decimal,
    pub cart_tax: Decimal,
    pub total: Decimal,
    pub total_tax: Decimal,
    pub meta: Vec<Meta>,
    pub lines: Vec<Line>,
    pub tax_lines: Vec<TaxLine>,
    pub shipping_lines: Vec<ShippingLine>,
    pub fees: Vec<Fee>,
    pub coupons: Vec<CouponLine>,
    pub gift_cards: Vec<GiftCard>,
    pub refunds: Vec<Refund>,
    pub notes: Vec<Note>,
    /// What it has taken out of stock, by product or variation.
    pub taken: BTreeMap<u64, Decimal>,
    /// The status before it was cancelled or trashed.
    pub before: Option<String>,
    pub traps: Vec<Trap>,
    pub expected: Expected,
    pub touched: Vec<Deed>,
}

impl Order {
    /// An order of this currency without anything in it.
    pub fn empty(id: u64, currency: Currency) -> Self {
        let start = Timestamp::UNIX_EPOCH;
        Order {
            id,
            number: id.to_string(),
            key: String::new(),
            status: "pending".to_owned(),
            currency,
            decimals: currency.exponent(),
            include_tax: false,
            at_subtotal: false,
            place: (String::new(), String::new()),
            created: start,
            modified: start,
            paid: None,
            completed: None,
            customer: 0,
            billing: Address::default(),
            shipping: Address::default(),
            payment_method: String::new(),
            payment_title: String::new(),
            transaction: String::new(),
            created_via: "checkout".to_owned(),
            note: String::new(),
            discount_total: Decimal::ZERO,
            discount_tax: Decimal::ZERO,
            shipping_total: Decimal::ZERO,
            shipping_tax: Decimal::ZERO,
            cart_tax: Decimal::ZERO,
            total: Decimal::ZERO,
            total_tax: Decimal::ZERO,
            meta: Vec::new(),
            lines: Vec::new(),
            tax_lines: Vec::new(),
            shipping_lines: Vec::new(),
            fees: Vec::new(),
            coupons: Vec::new(),
            gift_cards: Vec::new(),
            refunds: Vec::new(),
            notes: Vec::new(),
            taken: BTreeMap::new(),
            before: None,
            traps: Vec::new(),
            expected: Expected::Imported,
            touched: Vec::new(),
        }
    }

    /// Country and state that decide the rates.
    pub fn taxed_at(&self) -> (String, String) {
        self.place.clone()
    }

    /// What gift cards paid.
    pub fn cards(&self) -> Decimal {
        self.gift_cards.iter().map(|card| card.amount).sum()
    }

    /// What has not been refunded yet.
    pub fn refundable(&self) -> Decimal {
        self.total
            - self
                .refunds
                .iter()
                .map(|refund| refund.amount)
                .sum::<Decimal>()
    }

    /// What it should have taken out of stock by now: it takes once it is paid or worked on, gives back when it is cancelled or waits for
    /// its payment again, and whatever was refunded by lines is back.
    pub fn takes(&self) -> BTreeMap<u64, Decimal> {
        let takes = match self.status.as_str() {
            "processing" | "on-hold" | "completed" => true,
            "cancelled" | "pending" => false,
            _ => !self.taken.is_empty(),
        };
        let mut out = BTreeMap::new();
        for line in self.lines.iter().filter(|_| takes) {
            let parts = self.refunds.iter().flat_map(|refund| &refund.parts);
            let back: Decimal = parts
                .filter(|part| part.item == line.id)
                .map(|part| part.quantity)
                .sum();
            *out.entry(line.stocked()).or_default() += line.quantity - back;
        }
        out.retain(|id, quantity: &mut Decimal| *id > 0 && !quantity.is_zero());
        out
    }

    /// Whether the shop's own screen lets a person change its lines.
    pub fn is_editable(&self) -> bool {
        matches!(
            self.status.as_str(),
            "pending" | "on-hold" | "auto-draft" | "checkout-draft"
        )
    }
}

/// Numbers that the shop hands out. Orders, refunds and products share one sequence, as WordPress posts do.
#[derive(Debug, Clone)]
pub(crate) struct Ids {
    post: u64,
    item: u64,
    meta: u64,
    note: u64,
}

impl Ids {
    /// Numbers that leave room for the catalogue's own.
    pub fn new() -> Self {
        Ids {
            post: 1_000,
            item: 2_000,
            meta: 16_000,
            note: 500,
        }
    }

    pub fn post(&mut self) -> u64 {
        self.post += 1;
        self.post
    }

    pub fn item(&mut self) -> u64 {
        self.item += 1;
        self.item
    }

    pub fn meta(&mut self) -> u64 {
        self.meta += 1;
        self.meta
    }

    pub fn note(&mut self) -> u64 {
        self.note += 1;
        self.note
    }

    /// A metadata entry.
    pub fn entry(&mut self, key: &str, value: impl Into<Value>) -> Meta {
        Meta {
            id: self.meta(),
            key: key.to_owned(),
            value: value.into(),
        }
    }
}
