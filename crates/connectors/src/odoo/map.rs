//! Odoo's records as canonical documents.

use super::key::line_kind;
use super::wire::{self, Link};
use comptoir_kit::time;
use comptoir_model::Decimal;
use comptoir_model::address::Address;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::{Digest, Document};
use comptoir_model::equation::settle_rounding;
use comptoir_model::fault::Fault;
use comptoir_model::key::{RemoteId, WriteKey};
use comptoir_model::money::Currency;
use comptoir_model::order::{
    Dates, Life, Line, LineKind, LineTax, Order, Placement, Shipped, Status, Totals,
};
use comptoir_model::port::Record;
use comptoir_model::product::Product;

/// Decimals kept of a quantity or a unit price: beyond them there is only the noise of floats.
const DECIMALS: u32 = 8;

/// A line with what had to be asked beside it.
#[derive(Debug, Clone)]
pub(super) struct HeldLine {
    pub(super) line: wire::OrderLine,
    /// Its product's SKU.
    pub(super) sku: String,
    /// Our key, if it is ours.
    pub(super) key: Option<WriteKey>,
}

/// An order as Odoo holds it now.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) order: wire::Order,
    pub(super) lines: Vec<HeldLine>,
    /// Both, as they came.
    pub(super) raw: String,
}

fn id(link: &Option<Link>) -> Option<RemoteId> {
    link.as_ref().map(|link| RemoteId(link.0.to_string()))
}

/// Where an order stands, by Odoo's word.
pub(super) fn life(state: &str) -> Life {
    match state {
        "draft" | "sent" => Life::Draft,
        "sale" => Life::Open,
        "done" => Life::Completed,
        "cancel" => Life::Cancelled,
        // A state of another module, such as one that waits for an approval.
        _ => Life::OnHold,
    }
}

fn contact(link: &Option<Link>) -> Address {
    Address {
        id: id(link),
        ..Address::default()
    }
}

/// The order as a document.
///
/// # Errors
/// A bug fault naming the field that does not fit.
pub(super) fn order(held: &Held) -> Result<Order, Fault> {
    let wire = &held.order;
    let code = wire.currency_id.as_ref().map_or("", |link| &link.1);
    let currency: Currency = code
        .parse()
        .map_err(|_| Fault::bug("the order has no currency").at("currency_id"))?;
    let mut order = Order::empty(wire.name.clone(), currency);
    order.reference = wire.client_order_ref.clone();
    order.origin = wire.origin.clone();
    order.status = Status {
        word: wire.state.clone(),
        life: life(&wire.state),
        shipped: match wire.delivery_status.as_str() {
            "pending" => Shipped::No,
            "started" | "partial" => Shipped::Partly,
            "full" => Shipped::Yes,
            _ => Shipped::Unknown,
        },
        ..Status::default()
    };
    order.dates = Dates {
        placed: instant(&wire.date_order, "date_order")?,
        ..Dates::default()
    };
    order.customer = id(&wire.partner_id);
    order.bill_to = contact(&wire.partner_invoice_id);
    order.ship_to = contact(&wire.partner_shipping_id);
    order.note = note_from_html(&wire.note);
    order.lines = held
        .lines
        .iter()
        .map(|line| self::line(line, currency))
        .collect();
    order.placement = Placement {
        company: id(&wire.company_id),
        warehouse: id(&wire.warehouse_id),
        price_list: id(&wire.pricelist_id),
        fiscal_position: id(&wire.fiscal_position_id),
        team: id(&wire.team_id),
        payment_term: id(&wire.payment_term_id),
        carrier: id(&wire.carrier_id),
    };
    order.totals = Totals {
        total: money(wire.amount_total, currency),
        tax: money(wire.amount_tax, currency),
        ..Totals::default()
    };
    settle_rounding(&mut order);
    Ok(order)
}

fn instant(text: &str, field: &str) -> Result<Option<jiff::Timestamp>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    time::utc(text)
        .map(Some)
        .map_err(|bad| Fault::bug(bad.to_string()).at(field))
}

/// An amount without the noise of floats: `1.1500000000000001` is 1.15.
fn money(amount: Decimal, currency: Currency) -> Decimal {
    currency.round(amount).normalize()
}

fn number(number: Decimal) -> Decimal {
    number.round_dp(DECIMALS).normalize()
}

/// A line as a document.
pub(super) fn line(held: &HeldLine, currency: Currency) -> Line {
    let wire = &held.line;
    let net = money(wire.price_subtotal, currency);
    let tax = money(wire.price_tax, currency);
    let hundred = Decimal::ONE_HUNDRED;
    let subtotal = match wire.discount {
        none if none.is_zero() => net,
        all if all >= hundred => money(wire.price_unit * wire.product_uom_qty, currency),
        part => money(net * hundred / (hundred - part), currency),
    };
    // Odoo tells the tax of a line as one amount; of several taxes the shares are not known.
    let one = wire.tax_ids.len() == 1;
    Line {
        id: wire.id.to_string(),
        kind: match (&held.key, wire.display_type.as_str()) {
            (_, "line_note" | "line_section" | "line_subsection") => LineKind::Note,
            (Some(key), _) => line_kind(key),
            (None, _) => LineKind::Item,
        },
        product: id(&wire.product_id),
        sku: held.sku.clone(),
        title: wire.name.clone(),
        quantity: number(wire.product_uom_qty),
        unit_price: number(wire.price_unit),
        subtotal,
        net,
        tax,
        taxes: wire
            .tax_ids
            .iter()
            .map(|id| LineTax {
                code: id.to_string(),
                amount: if one { tax } else { Decimal::ZERO },
            })
            .collect(),
        ..Line::default()
    }
}

/// The order as a record. Its version is the time of the last write, which nothing that happens in the same second moves, the state,
/// and a digest of everything a person may edit.
///
/// # Errors
/// As [`order`].
pub(super) fn record(held: &Held) -> Result<Record, Fault> {
    let mut order = Box::new(order(held)?);
    let status = std::mem::take(&mut order.status);
    let dates = std::mem::take(&mut order.dates);
    let mut document = Document::Order(order);
    let digest = Digest::of(&document.to_json()).to_string();
    if let Document::Order(order) = &mut document {
        (order.status, order.dates) = (status, dates);
    }
    Ok(Record {
        id: RemoteId(held.order.id.to_string()),
        version: format!(
            "{}/{}/{}",
            held.order.write_date,
            held.order.state,
            &digest[..16]
        ),
        document,
        raw: Some(held.raw.clone()),
    })
}

/// The part of an order's version that says what is in it, whatever its state and dates.
pub(super) fn content_of(version: &str) -> &str {
    version.rsplit('/').next().unwrap_or_default()
}

/// A partner as a record.
pub(super) fn customer(wire: &wire::Partner, raw: String) -> Record {
    let customer = Customer {
        parent: id(&wire.parent_id),
        role: match wire.role.as_str() {
            "invoice" => Some(ContactRole::Invoice),
            "delivery" => Some(ContactRole::Delivery),
            "other" => Some(ContactRole::Other),
            _ => None,
        },
        is_company: wire.is_company,
        name: wire.name.clone(),
        email: wire.email.trim().to_owned(),
        phone: wire.phone.trim().to_owned(),
        vat_number: wire.vat.clone(),
        address: Address {
            company: wire.company_name.clone(),
            line1: wire.street.clone(),
            line2: wire.street2.clone(),
            postcode: wire.zip.clone(),
            city: wire.city.clone(),
            country: wire.country_code.parse().ok(),
            region: wire
                .state_id
                .as_ref()
                .map(|link| link.1.clone())
                .unwrap_or_default(),
            ..Address::default()
        },
        language: wire.lang.clone(),
        reference: wire.reference.clone(),
        ..Customer::default()
    };
    Record {
        id: RemoteId(wire.id.to_string()),
        version: wire.write_date.clone(),
        document: Document::Customer(Box::new(customer)),
        raw: Some(raw),
    }
}

/// A product variant as a record.
pub(super) fn product(wire: &wire::Product, raw: String) -> Record {
    let mut product = Product {
        sku: wire.default_code.trim().to_owned(),
        gtin: wire.barcode.chars().filter(char::is_ascii_digit).collect(),
        title: wire.name.clone(),
        active: wire.active.unwrap_or(true),
        weight_kg: Some(number(wire.weight)).filter(|weight| !weight.is_zero()),
        hs_code: wire.hs_code.clone(),
        // 16 has a type of its own for goods whose stock is kept, 19 a flag beside `consu`.
        stock_managed: wire.is_storable || wire.sort == "product",
        ..Product::default()
    };
    if let Some(template) = &wire.product_tmpl_id {
        product
            .attributes
            .insert("product_tmpl_id".to_owned(), template.0.into());
    }
    let document = Document::Product(Box::new(product));
    // A template's name changes its variants without moving their time.
    let digest = Digest::of(&document.to_json()).to_string();
    Record {
        id: RemoteId(wire.id.to_string()),
        version: format!("{}/{}", wire.write_date, &digest[..16]),
        document,
        raw: Some(raw),
    }
}

/// A note as Odoo keeps it, from plain text.
pub(super) fn note_to_html(note: &str) -> String {
    let mut html = String::with_capacity(note.len() + 16);
    for c in note.trim().chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\n' => html.push_str("<br>"),
            '\r' => {}
            other => html.push(other),
        }
    }
    format!("<p>{html}</p>")
}

/// A note as plain text: paragraphs and breaks become lines, other tags go.
pub(super) fn note_from_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        text.push_str(&rest[..start]);
        let Some(length) = rest[start..].find('>') else {
            rest = &rest[start..];
            break;
        };
        let tag = rest[start + 1..start + length].to_ascii_lowercase();
        let name: String = tag.chars().take_while(|c| !c.is_whitespace()).collect();
        if matches!(name.as_str(), "br" | "br/" | "/p" | "/div" | "/li") {
            text.push('\n');
        }
        rest = &rest[start + length + 1..];
    }
    text.push_str(rest);
    let plain = text
        .replace("&nbsp;", " ")
        .replace("&#39;", "'")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_as_it_was_written() {
        for note in [
            "Sonner 2 × chez « Léa »",
            "a < b & c > d",
            "one\ntwo",
            "&amp; said",
        ] {
            assert_eq!(note_from_html(&note_to_html(note)), note);
        }
        assert_eq!(note_from_html("<p>one</p><p><b>two</b></p>"), "one\ntwo");
        assert_eq!(note_from_html("a < b"), "a < b");
    }
}
