//! Orders, from the shop's rows to the canonical document.

use super::discount::{self, Amount, SHIPPING, Shares};
use super::local::ShopClock;
use super::settings::Settings;
use super::tables::Tables;
use super::tax::{Ledger, On};
use super::wire::{
    AddressWire, CartRuleWire, CustomerWire, DetailWire, MessageWire, OrderWire, PaymentWire,
    SiblingWire, SlipWire,
};
use super::{keep, mark, party, payment, product, refund, status};
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::address::Address;
use comptoir_model::document::Document;
use comptoir_model::equation::settle_rounding;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::money::Currency;
use comptoir_model::order::{
    Dates, Discount, DiscountKind, Fee, Line, LineKind, Order, RefundMention, ShippingLine, Totals,
};
use comptoir_model::port::Record;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

/// The rows of one order.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts<'a> {
    pub(super) order: &'a str,
    pub(super) details: Vec<&'a RawValue>,
    pub(super) rules: Vec<&'a RawValue>,
    pub(super) slips: Vec<&'a RawValue>,
    pub(super) payments: Vec<&'a RawValue>,
    pub(super) messages: Vec<&'a RawValue>,
    pub(super) siblings: Vec<&'a RawValue>,
    pub(super) customer: Option<&'a RawValue>,
    pub(super) invoice: Option<&'a RawValue>,
    pub(super) delivery: Option<&'a RawValue>,
}

/// What orders are read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) settings: &'a Settings,
    pub(super) clock: &'a ShopClock,
    pub(super) tables: &'a Tables,
}

/// The rows, decoded.
struct Wires {
    order: OrderWire,
    details: Vec<DetailWire>,
    rules: Vec<CartRuleWire>,
    slips: Vec<SlipWire>,
    payments: Vec<PaymentWire>,
    messages: Vec<MessageWire>,
    siblings: Vec<SiblingWire>,
    customer: Option<CustomerWire>,
    invoice: AddressWire,
    delivery: AddressWire,
}

impl<'a> Parts<'a> {
    /// The rows as they are stored.
    pub(super) fn raw(&self) -> String {
        let texts = |rows: &[&'a RawValue]| rows.iter().map(|row| row.get()).collect::<Vec<_>>();
        let one =
            |row: Option<&'a RawValue>| row.map(RawValue::get).into_iter().collect::<Vec<_>>();
        keep::bundle([
            ("orders", vec![self.order]),
            ("order_details", texts(&self.details)),
            ("order_cart_rules", texts(&self.rules)),
            ("order_slips", texts(&self.slips)),
            ("order_payments", texts(&self.payments)),
            ("messages", texts(&self.messages)),
            ("same_reference", texts(&self.siblings)),
            ("customers", one(self.customer)),
            ("invoice_address", one(self.invoice)),
            ("delivery_address", one(self.delivery)),
        ])
    }

    fn decoded(&self) -> Result<Wires, Fault> {
        Ok(Wires {
            order: decode::json(self.order.as_bytes())?,
            details: many(&self.details)?,
            rules: many(&self.rules)?,
            slips: many(&self.slips)?,
            payments: many(&self.payments)?,
            messages: many(&self.messages)?,
            siblings: many(&self.siblings)?,
            customer: one(self.customer)?,
            invoice: one(self.invoice)?.unwrap_or_default(),
            delivery: one(self.delivery)?.unwrap_or_default(),
        })
    }
}

fn one<T: DeserializeOwned>(row: Option<&RawValue>) -> Result<Option<T>, Fault> {
    row.map(|row| decode::json(row.get().as_bytes()))
        .transpose()
}

fn many<T: DeserializeOwned>(rows: &[&RawValue]) -> Result<Vec<T>, Fault> {
    rows.iter()
        .map(|row| decode::json(row.get().as_bytes()))
        .collect()
}

/// An order's record.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn record(parts: &Parts<'_>, reader: Reader<'_>) -> Result<Record, Fault> {
    let wires = parts.decoded()?;
    let order = decode_order(&wires, reader)?;
    Ok(Record {
        id: wires.order.id,
        version: wires.order.date_upd,
        document: Document::Order(Box::new(order)),
        raw: Some(parts.raw()),
    })
}

fn decode_order(wires: &Wires, reader: Reader<'_>) -> Result<Order, Fault> {
    let wire = &wires.order;
    let tables = reader.tables;
    let currency = tables.currency(&wire.id_currency).ok_or_else(|| {
        Fault::bug("the shop's list of currencies does not have the order's").at("id_currency")
    })?;
    let shares = discount::spread(wire, &wires.details, &wires.rules, currency);
    let mut ledger = Ledger::new(tables, currency);
    let lines = lines(&wires.details, &shares, &mut ledger);
    let shipping = shipping(wire, &shares, tables, &mut ledger);
    let fees = wrapping(wire, &mut ledger);
    let refunds = mentions(&wires.slips, currency);
    let back: Decimal = refunds.iter().map(|refund| refund.amount).sum();
    let status = status::status(wire, tables, reader.settings, back);
    let guest = wires
        .customer
        .as_ref()
        .is_none_or(|customer| customer.is_guest);
    let customer = wires.customer.as_ref().filter(|_| !guest);
    let mut order = Order {
        dates: dates(wires, reader.clock),
        payments: payment::payments(wire, &wires.payments, &wires.siblings, &status, reader),
        status,
        customer: customer.map(|customer| customer.id.clone()),
        email: wires
            .customer
            .as_ref()
            .map(|customer| customer.email.trim().to_owned())
            .unwrap_or_default(),
        vat_number: wires.invoice.vat_number.trim().to_owned(),
        bill_to: party::address(&wires.invoice, tables),
        ship_to: ship_to(wires, tables),
        language: tables.language(&wire.id_lang),
        note: note(&wires.messages),
        shipments: mark::as_shown(
            mark::shipments(&wires.messages, &wire.id),
            &wire.shipping_number,
        ),
        discounts: discounts(wires, &shares),
        lines,
        shipping,
        fees,
        taxes: ledger.into_lines(),
        refunds,
        totals: totals(wire, currency),
        attributes: attributes(wires),
        ..Order::empty(number(wire, &wires.siblings), currency)
    };
    settle_rounding(&mut order);
    Ok(order)
}

/// The reference that buyers see. A basket split into several orders gives all of them the same; the first keeps it, the others count on
/// as the shop's back office does.
fn number(wire: &OrderWire, siblings: &[SiblingWire]) -> String {
    let mut ids: Vec<u64> = siblings
        .iter()
        .filter_map(|sibling| sibling.id.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let own: Option<u64> = wire.id.as_str().parse().ok();
    let position = ids.iter().position(|id| Some(*id) == own).unwrap_or(0);
    match (wire.reference.trim(), position) {
        ("", _) => wire.id.to_string(),
        (reference, 0) => reference.to_owned(),
        (reference, position) => format!("{reference}#{}", position + 1),
    }
}

fn dates(wires: &Wires, clock: &ShopClock) -> Dates {
    let first = wires
        .payments
        .iter()
        .filter_map(|payment| clock.instant(&payment.date_add));
    Dates {
        placed: clock.instant(&wires.order.date_add),
        paid: first.min(),
        completed: None,
        cancelled: None,
    }
}

/// Nothing is shipped of an order without a carrier, but the shop fills in an address all the same; it is kept.
fn ship_to(wires: &Wires, tables: &Tables) -> Address {
    party::address(&wires.delivery, tables)
}

fn lines(details: &[DetailWire], shares: &Shares, ledger: &mut Ledger<'_>) -> Vec<Line> {
    let rows = details.iter().zip(&shares.lines);
    rows.map(|(detail, share)| line(detail, *share, ledger))
        .collect()
}

fn line(detail: &DetailWire, share: Amount, ledger: &mut Ledger<'_>) -> Line {
    let whole = Amount::of(detail.total_price_tax_incl, detail.total_price_tax_excl);
    let (net, tax) = (whole.net - share.net, whole.tax - share.tax);
    let mut attributes = comptoir_model::Attributes::new();
    for (name, value) in [
        ("ean13", &detail.product_ean13),
        ("id_customization", &detail.id_customization),
    ] {
        if !matches!(value.trim(), "" | "0") {
            attributes.insert(name.to_owned(), Value::String(value.trim().to_owned()));
        }
    }
    if !detail.ecotax.is_zero() {
        let ecotax = detail.ecotax.normalize().to_string();
        attributes.insert("ecotax".to_owned(), Value::String(ecotax));
    }
    Line {
        id: detail.id.clone(),
        kind: LineKind::Item,
        parent: None,
        product: product::id_of(&detail.product_id, &detail.product_attribute_id),
        sku: detail.product_reference.trim().to_owned(),
        title: detail.product_name.clone(),
        quantity: detail.product_quantity.normalize(),
        unit_price: detail.unit_price_tax_excl.normalize(),
        subtotal: whole.net.normalize(),
        net: net.normalize(),
        tax: tax.normalize(),
        taxes: ledger.of_line(detail, net, tax),
        tax_class: Some(&detail.id_tax_rules_group)
            .filter(|group| *group != "0")
            .cloned()
            .unwrap_or_default(),
        attributes,
    }
}

/// The one shipping line; none for an order without a carrier or cost.
fn shipping(
    wire: &OrderWire,
    shares: &Shares,
    tables: &Tables,
    ledger: &mut Ledger<'_>,
) -> Vec<ShippingLine> {
    let whole = Amount::of(wire.total_shipping_tax_incl, wire.total_shipping_tax_excl);
    let no_carrier = matches!(wire.id_carrier.as_str(), "" | "0");
    if no_carrier && whole == Amount::default() {
        return Vec::new();
    }
    let net = whole.net - shares.shipping.net;
    let tax = whole.tax - shares.shipping.tax;
    let carrier = tables.carriers.get(&wire.id_carrier);
    vec![ShippingLine {
        id: SHIPPING.to_owned(),
        method: tables.method(&wire.id_carrier),
        title: carrier
            .map(|carrier| carrier.name.clone())
            .unwrap_or_default(),
        net: net.normalize(),
        tax: tax.normalize(),
        taxes: ledger.of_amounts(net, tax, wire.carrier_tax_rate, SHIPPING, On::Shipping),
    }]
}

fn wrapping(wire: &OrderWire, ledger: &mut Ledger<'_>) -> Vec<Fee> {
    let whole = Amount::of(wire.total_wrapping_tax_incl, wire.total_wrapping_tax_excl);
    if whole == Amount::default() {
        return Vec::new();
    }
    vec![Fee {
        id: "wrapping".to_owned(),
        title: "Gift wrapping".to_owned(),
        net: whole.net.normalize(),
        tax: whole.tax.normalize(),
        taxes: ledger.of_amounts(whole.net, whole.tax, None, "wrapping", On::Goods),
    }]
}

/// The vouchers; what they take off nothing that is there stands beside them.
fn discounts(wires: &Wires, shares: &Shares) -> Vec<Discount> {
    let mut discounts = discount::discounts(&wires.rules, shares, &wires.details);
    if shares.rest != Amount::default() {
        discounts.push(Discount {
            code: String::new(),
            kind: DiscountKind::Unknown,
            net: shares.rest.net.normalize(),
            tax: shares.rest.tax.normalize(),
            in_lines: false,
            allocations: Vec::new(),
        });
    }
    discounts
}

/// The shop keeps the total twice. They are equal unless someone wrote into the database; then the sum cannot hold, and a person looks.
fn totals(wire: &OrderWire, currency: Currency) -> Totals {
    let (with_tax, without) = (wire.total_paid_tax_incl, wire.total_paid_tax_excl);
    let differs = (wire.total_paid - with_tax).abs() >= currency.minor_unit();
    let total = if differs { wire.total_paid } else { with_tax };
    Totals {
        total: total.normalize(),
        tax: (with_tax - without).normalize(),
        rounding: Decimal::ZERO,
    }
}

/// Credit slips by number.
fn mentions(slips: &[SlipWire], currency: Currency) -> Vec<RefundMention> {
    let mut slips: Vec<&SlipWire> = slips.iter().collect();
    slips.sort_by_key(|slip| (slip.id.as_str().len(), slip.id.clone()));
    let mention = |slip: &&SlipWire| RefundMention {
        id: RemoteId::clone(&slip.id),
        amount: refund::amount(slip, currency),
    };
    slips.iter().map(mention).collect()
}

/// What the buyer wrote: neither the staff's messages nor private ones.
fn note(messages: &[MessageWire]) -> String {
    let buyers = messages
        .iter()
        .filter(|message| !message.private && matches!(message.id_employee.as_str(), "" | "0"));
    let texts: Vec<&str> = buyers
        .map(|message| message.message.trim())
        .filter(|text| !text.is_empty())
        .collect();
    texts.join("\n")
}

/// What has no field of its own, by the shop's name for it.
fn attributes(wires: &Wires) -> comptoir_model::Attributes {
    let wire = &wires.order;
    let mut attributes = comptoir_model::Attributes::new();
    let mut add = |name: &str, value: &str| {
        let value = value.trim();
        if !matches!(value, "" | "0") {
            attributes.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    };
    add("id_shop", &wire.id_shop);
    add("invoice_number", &wire.invoice_number);
    add("delivery_number", &wire.delivery_number);
    add("tracking_number", &wire.shipping_number);
    add("round_mode", &wire.round_mode);
    add("round_type", &wire.round_type);
    add("gift_message", &wire.gift_message);
    if wire.gift {
        add("gift", "true");
    }
    if wire.total_paid != wire.total_paid_tax_incl {
        let stated = wire.total_paid_tax_incl.normalize().to_string();
        add("total_paid_tax_incl", &stated);
    }
    if let Some(rate) = wire.conversion_rate.filter(|rate| *rate != Decimal::ONE) {
        add("conversion_rate", &rate.normalize().to_string());
    }
    if let Some(customer) = &wires.customer {
        add("siret", &customer.siret);
    }
    for (place, address) in [("invoice", &wires.invoice), ("delivery", &wires.delivery)] {
        add(&format!("{place}.dni"), &address.dni);
        add(&format!("{place}.other"), &address.other);
        if !address.phone.trim().is_empty() {
            add(&format!("{place}.phone_mobile"), &address.phone_mobile);
        }
    }
    attributes
}
