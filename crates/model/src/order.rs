//! A sale, in one shape for every system: the shop's order and the ERP's sales order are both this document.
//!
//! In a document read from a system every reference is an id of that system. In a document about to be written every
//! reference is an id of the target.

use crate::Attributes;
use crate::address::Address;
use crate::key::RemoteId;
use crate::money::Currency;
use crate::payment::Payment;
use crate::shipment::Shipment;
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an order is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// A cart, a quotation, a payment not made yet: may still vanish.
    #[default]
    Draft,
    /// Placed and to be worked on.
    Open,
    /// Placed, but stopped until something happens (a bank transfer arrives).
    OnHold,
    /// Delivered and closed.
    Completed,
    /// Called off.
    Cancelled,
    /// Put in the bin, still readable by id.
    Trashed,
}

/// How much of an order is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Paid {
    /// Not known to this system.
    #[default]
    Unknown,
    /// Nothing yet.
    No,
    /// In part.
    Partly,
    /// In full.
    Yes,
    /// Paid and given back in full.
    Refunded,
    /// The payment failed.
    Failed,
}

/// How much of an order has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shipped {
    /// Not known to this system.
    #[default]
    Unknown,
    /// Nothing.
    No,
    /// In part.
    Partly,
    /// In full.
    Yes,
}

/// The three states of an order, and the system's own word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The system's own word for it, such as `processing` or `sale`. Filters match on it.
    pub word: String,
    /// Life of the order.
    pub life: Life,
    /// Payment.
    #[serde(default)]
    pub paid: Paid,
    /// Fulfilment.
    #[serde(default)]
    pub shipped: Shipped,
}

/// Dates of an order, each an instant in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Dates {
    /// When the buyer placed it.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed: Option<Timestamp>,
    /// When it was paid.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paid: Option<Timestamp>,
    /// When it was completed.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed: Option<Timestamp>,
    /// When it was cancelled.
    #[schemars(with = "Option<String>")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Goods or a service of the catalogue.
    #[default]
    Item,
    /// A gift card that is sold (used as payment it is a [`Payment`]).
    GiftCard,
    /// A bundle: its price may stand here, on its components, or on both sides in part; each amount is counted where it stands.
    Bundle,
    /// A part of a bundle; `parent` names the bundle's line.
    Component,
    /// Shipping, when a system keeps it as a line.
    Shipping,
    /// A fee, when a system keeps it as a line.
    Fee,
    /// A discount, when a system keeps it as a line.
    Discount,
    /// The explicit line that makes a total equal to the cent.
    Rounding,
    /// Text without a price.
    Note,
}

/// A tax on one line, shipping line or fee. Several may stand on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LineTax {
    /// The code of the [`TaxLine`] it belongs to. In a document to be written: the target's id of the tax.
    pub code: String,
    /// The amount after discounts.
    #[schemars(with = "String")]
    pub amount: Decimal,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// The line's id in its system; in a document to be written, the part of our key that names it (`line-7`).
    pub id: String,
    /// What it is.
    #[serde(default)]
    pub kind: LineKind,
    /// The bundle's line, of a component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The product or variant; none when it has been deleted or never existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<RemoteId>,
    /// Stock keeping unit as the source gives it, trimmed; empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sku: String,
    /// What the buyer read.
    pub title: String,
    /// Ordered quantity; may be fractional, and zero after an edit.
    #[schemars(with = "String")]
    pub quantity: Decimal,
    /// Price of one before discounts and without tax, at the source's precision (`net` rules the sum). In a document of an ERP: as the
    /// ERP keeps it, with tax when the line's taxes are included in prices.
    #[schemars(with = "String")]
    pub unit_price: Decimal,
    /// Net of the whole line before discounts.
    #[schemars(with = "String")]
    pub subtotal: Decimal,
    /// Net of the whole line after discounts.
    #[schemars(with = "String")]
    pub net: Decimal,
    /// Tax of the whole line after discounts, as the source charged it; its sum, even when `taxes` is silent.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// The taxes one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
    /// The source's tax class, such as `reduced-rate`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tax_class: String,
    /// What has no field of its own.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// One shipping line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ShippingLine {
    /// Id in its system.
    pub id: String,
    /// The method's key, such as `flat_rate`; the look-up table of shipping methods reads it.
    pub method: String,
    /// What the buyer read.
    pub title: String,
    /// Net after discounts.
    #[schemars(with = "String")]
    pub net: Decimal,
    /// Tax.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// Taxes one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// A fee, or with a negative amount a discount that the source keeps as a fee.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Fee {
    /// Id in its system.
    pub id: String,
    /// What the buyer read.
    pub title: String,
    /// Net.
    #[schemars(with = "String")]
    pub net: Decimal,
    /// Tax.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// Taxes one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<LineTax>,
}

/// How a discount was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiscountKind {
    /// The source does not say.
    #[default]
    Unknown,
    /// A percentage.
    Percent,
    /// An amount.
    Fixed,
    /// Free shipping.
    FreeShipping,
}

/// A share of a discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Allocation {
    /// The line or shipping line it lowers.
    pub line: String,
    /// Net amount, positive.
    #[schemars(with = "String")]
    pub net: Decimal,
}

/// A discount. Amounts are positive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Discount {
    /// Coupon code, or empty.
    pub code: String,
    /// How it was meant.
    #[serde(default)]
    pub kind: DiscountKind,
    /// Net amount of all allocations.
    #[schemars(with = "String")]
    pub net: Decimal,
    /// Tax that was not charged because of it.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// Whether the lines' `net` already is after this discount. Then it is information only and never subtracted again.
    pub in_lines: bool,
    /// Shares per line, when the source gives them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
}

/// The sum of one tax over the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TaxLine {
    /// The tax's key: what the look-up table of taxes reads.
    pub code: String,
    /// What the buyer read.
    pub title: String,
    /// Rate in percent (`20`, `5.5`), when the source tells it.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
    /// Charged on top of other taxes.
    #[serde(default)]
    pub compound: bool,
    /// Tax on lines and fees.
    #[schemars(with = "String")]
    pub amount: Decimal,
    /// Tax on shipping.
    #[schemars(with = "String")]
    pub shipping: Decimal,
    /// Collected by the channel (a marketplace), not by the seller.
    #[serde(default)]
    pub channel_liable: bool,
}

/// Sums of an order in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// What the buyer was charged, with tax: the truth.
    #[schemars(with = "String")]
    pub total: Decimal,
    /// Tax in it.
    #[schemars(with = "String")]
    pub tax: Decimal,
    /// Part of `total` that no line explains, within the tolerance: `total` minus everything else. Zero for most orders.
    #[schemars(with = "String")]
    pub rounding: Decimal,
}

/// The buyer's currency, when it is not the order's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Presentment {
    /// Currency the buyer saw.
    pub currency: Currency,
    /// Total the buyer saw, if given.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Decimal>,
    /// Units of the order's currency for one of the buyer's, if given.
    #[schemars(with = "Option<String>")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Decimal>,
}

/// A refund as an order mentions it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RefundMention {
    /// Id of the refund record.
    pub id: RemoteId,
    /// Amount given back, positive, with tax.
    #[schemars(with = "String")]
    pub amount: Decimal,
}

/// Where an ERP books an order. Ids are the ERP's. Empty in a shop's document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Placement {
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<RemoteId>,
    /// Warehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<RemoteId>,
    /// Price list; in some ERPs it decides the currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_list: Option<RemoteId>,
    /// Fiscal position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fiscal_position: Option<RemoteId>,
    /// Sales team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<RemoteId>,
    /// Payment term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_term: Option<RemoteId>,
    /// Delivery carrier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<RemoteId>,
}

impl Placement {
    /// Nothing chosen.
    pub fn is_empty(&self) -> bool {
        *self == Placement::default()
    }
}

/// A sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// The number people read, which need not be the id.
    pub number: String,
    /// The number this order has on the other side (in an ERP: the shop's number).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// Where it came from, in words an ERP user reads.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub origin: String,
    /// The buyer's own order number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purchase_order: String,
    /// How it was placed (`checkout`, `admin`, a marketplace's name).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub channel: String,
    /// A test order of the shop.
    #[serde(default)]
    pub test: bool,
    /// States.
    pub status: Status,
    /// Dates.
    #[serde(default)]
    pub dates: Dates,
    /// Currency of every amount here: the one the shop charged.
    pub currency: Currency,
    /// The buyer's currency, when another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presentment: Option<Presentment>,
    /// Whether the catalogue's prices included tax. Line amounts are net all the same.
    pub prices_include_tax: bool,
    /// The customer's account; none for a guest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<RemoteId>,
    /// The buyer's e-mail.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// VAT number as the buyer typed it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vat_number: String,
    /// Why no VAT was charged, when the source says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub exemption: String,
    /// Who is billed.
    #[serde(default)]
    pub bill_to: Address,
    /// Where the goods go; empty for virtual goods.
    #[serde(default)]
    pub ship_to: Address,
    /// Language of the buyer (BCP 47 or the source's code), or empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The buyer's note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Lines.
    pub lines: Vec<Line>,
    /// Shipping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipping: Vec<ShippingLine>,
    /// Fees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
    /// Discounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// Taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// Payments. The first one names the payment method.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
    /// Refunds the order mentions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<RefundMention>,
    /// In a shop's order: the shipments that we wrote into it, by their keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
    /// Sums as they are now.
    pub totals: Totals,
    /// Sums as they were when the order was placed, when the source keeps both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_totals: Option<Totals>,
    /// Where an ERP books it.
    #[serde(default, skip_serializing_if = "Placement::is_empty")]
    pub placement: Placement,
    /// What has no field of its own; in a document to be written, fields of the target by its own names.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

impl Order {
    /// The tax with this code.
    pub fn tax_line(&self, code: &str) -> Option<&TaxLine> {
        self.taxes.iter().find(|tax| tax.code == code)
    }

    /// An order with this number and currency and nothing in it yet.
    pub fn empty(number: impl Into<String>, currency: Currency) -> Self {
        Order {
            number: number.into(),
            reference: String::new(),
            origin: String::new(),
            purchase_order: String::new(),
            channel: String::new(),
            test: false,
            status: Status::default(),
            dates: Dates::default(),
            currency,
            presentment: None,
            prices_include_tax: false,
            customer: None,
            email: String::new(),
            vat_number: String::new(),
            exemption: String::new(),
            bill_to: Address::default(),
            ship_to: Address::default(),
            language: String::new(),
            note: String::new(),
            tags: Vec::new(),
            lines: Vec::new(),
            shipping: Vec::new(),
            fees: Vec::new(),
            discounts: Vec::new(),
            taxes: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            shipments: Vec::new(),
            totals: Totals::default(),
            original_totals: None,
            placement: Placement::default(),
            attributes: Attributes::new(),
        }
    }
}
