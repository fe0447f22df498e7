//! Dolibarr's records as canonical documents.

use super::key::line_kind;
use super::wire;
use comptoir_kit::decode::decimal_of;
use comptoir_kit::time;
use comptoir_model::Decimal;
use comptoir_model::address::Address;
use comptoir_model::code::Code;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::document::{Digest, Document};
use comptoir_model::equation::settle_rounding;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::money::Currency;
use comptoir_model::order::{
    Life, Line, LineKind, LineTax, Order, Placement, Shipped, Status, Totals,
};
use comptoir_model::port::Record;
use comptoir_model::product::Product;
use jiff::{Timestamp, ToSpan};

/// An order as Dolibarr holds it now, and as it came.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) order: wire::Order,
    pub(super) raw: String,
}

/// The first letters of a contact's id: contacts and third parties are numbered apart, and both are customers here.
pub(super) const CONTACT: &str = "contact-";

/// The number of a contact.
pub(super) fn contact_number(id: &RemoteId) -> Option<i64> {
    id.as_str().strip_prefix(CONTACT)?.parse().ok()
}

/// How a rate is named in tables and on lines: `20`, or `8.5 (NPR)` with a code. None for what is no rate.
pub(super) fn tax_code(text: &str) -> Option<String> {
    let (rate, code) = match text.split_once('(') {
        Some((rate, code)) => (rate, code.strip_suffix(')')?.trim()),
        None => (text, ""),
    };
    let rate = decimal_of(rate.trim().trim_end_matches('%').trim_end())?;
    Some(named(rate, code))
}

fn named(rate: Decimal, code: &str) -> String {
    let rate = rate.normalize();
    if code.is_empty() {
        rate.to_string()
    } else {
        format!("{rate} ({code})")
    }
}

/// Where an order stands: Dolibarr's word for the number, and its life.
pub(super) fn life(state: i64) -> (&'static str, Life, Shipped) {
    match state {
        -1 => ("cancelled", Life::Cancelled, Shipped::Unknown),
        0 => ("draft", Life::Draft, Shipped::Unknown),
        1 => ("validated", Life::Open, Shipped::No),
        2 => ("in_process", Life::Open, Shipped::Partly),
        3 => ("delivered", Life::Completed, Shipped::Yes),
        // A state of another module, such as one that waits for an approval.
        _ => ("other", Life::OnHold, Shipped::Unknown),
    }
}

/// The order as a document. `books` is the currency that Dolibarr's own amounts are in.
///
/// # Errors
/// A bug fault naming the field that does not fit.
pub(super) fn order(held: &Held, books: Currency) -> Result<Order, Fault> {
    let wire = &held.order;
    let currency = match wire.multicurrency_code.trim() {
        "" => books,
        code => code
            .parse()
            .map_err(|_| Fault::bug("the order's currency is none").at("multicurrency_code"))?,
    };
    let foreign = currency != books;
    let mut order = Order::empty(wire.number.clone(), currency);
    let (word, life, shipped) = life(wire.state());
    order.reference = wire.ref_client.clone();
    order.origin = wire.note_private.clone();
    order.status = Status {
        word: word.to_owned(),
        life,
        shipped,
        ..Status::default()
    };
    order.customer = wire.socid.clone();
    order.bill_to.id = wire.socid.clone();
    order.note = wire.note_public.trim().replace("\r\n", "\n");
    order.lines = wire
        .lines
        .iter()
        .map(|line| self::line(line, currency, foreign))
        .collect();
    order.placement = Placement {
        warehouse: wire.warehouse_id.clone(),
        payment_term: wire.cond_reglement_id.clone(),
        carrier: wire.shipping_method_id.clone(),
        ..Placement::default()
    };
    let (net, total) = if foreign {
        (wire.multicurrency_total_ht, wire.multicurrency_total_ttc)
    } else {
        (wire.total_ht, wire.total_ttc)
    };
    order.totals = Totals {
        total: currency.round(total),
        // Local taxes are taxes as well.
        tax: currency.round(total - net),
        ..Totals::default()
    };
    order.attributes = attributes(wire);
    settle_rounding(&mut order);
    Ok(order)
}

/// What has no field of its own. The date is a day: no instant is made of it, since none was kept.
fn attributes(wire: &wire::Order) -> comptoir_model::Attributes {
    let mut attributes = comptoir_model::Attributes::new();
    if let Some(day) = day(&wire.date) {
        attributes.insert("date".to_owned(), day.into());
    }
    if !wire.mode_reglement_id.is_empty() && wire.mode_reglement_id != "0" {
        let id = wire.mode_reglement_id.clone();
        attributes.insert("mode_reglement_id".to_owned(), id.into());
    }
    if wire.billed {
        attributes.insert("billed".to_owned(), true.into());
    }
    let mut contacts: Vec<String> = wire
        .contacts_ids
        .iter()
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))
        .collect();
    contacts.sort();
    if !contacts.is_empty() {
        attributes.insert("contacts".to_owned(), contacts.into());
    }
    for (field, value) in &wire.array_options {
        if !value.is_null() && value != "" {
            attributes.insert(field.clone(), value.clone());
        }
    }
    attributes
}

/// The day of a midnight, wherever the server is: noon of that day is the same day at Greenwich.
pub(super) fn day(midnight: &str) -> Option<String> {
    let noon = instant(midnight, "UTC")?.checked_add(12.hours()).ok()?;
    Some(time::naive(noon)[..10].to_owned())
}

/// An instant of an answer: seconds since 1970, or a local time of the server's.
pub(super) fn instant(text: &str, zone: &str) -> Option<Timestamp> {
    match text.trim() {
        "" | "0" => None,
        text => match text.parse::<i64>() {
            Ok(seconds) => Timestamp::from_second(seconds).ok(),
            Err(_) => time::local(text, zone).ok().map(|local| local.at),
        },
    }
}

fn line(wire: &wire::OrderLine, currency: Currency, foreign: bool) -> Line {
    let (price, net, total) = if foreign {
        (
            wire.multicurrency_subprice,
            wire.multicurrency_total_ht,
            wire.multicurrency_total_ttc,
        )
    } else {
        (wire.subprice, wire.total_ht, wire.total_ttc)
    };
    let (net, tax) = (currency.round(net), currency.round(total - net));
    let texts = [&wire.label, &wire.desc, &wire.product_label];
    let title = texts.into_iter().find(|text| !text.trim().is_empty());
    // 9 is a title or subtotal of another module.
    let note = wire.product_type == "9";
    Line {
        id: wire.id.to_string(),
        kind: match line_kind(&wire.ref_ext) {
            Some(kind) => kind,
            None if note => LineKind::Note,
            None => LineKind::Item,
        },
        product: wire.fk_product.clone(),
        sku: wire.product_ref.trim().to_owned(),
        title: title
            .map(|title| title.trim().to_owned())
            .unwrap_or_default(),
        quantity: wire.qty.normalize(),
        unit_price: price.normalize(),
        subtotal: currency.round(price * wire.qty),
        net,
        tax,
        taxes: if wire.tva_tx.is_zero() && wire.vat_src_code.is_empty() && tax.is_zero() {
            Vec::new()
        } else {
            vec![LineTax {
                code: named(wire.tva_tx, &wire.vat_src_code),
                amount: tax,
            }]
        },
        ..Line::default()
    }
}

/// The order as a record. Its version is the time of the last change, which holds everything of one second, the state, and a digest
/// of everything a person may edit.
///
/// # Errors
/// As [`order`].
pub(super) fn record(held: &Held, books: Currency) -> Result<Record, Fault> {
    let order = order(held, books)?;
    let mut content = order.clone();
    content.status = Status::default();
    // A draft's number is a stand-in.
    content.number = String::new();
    let digest = Digest::of(&Document::Order(Box::new(content)).to_json()).to_string();
    Ok(Record {
        id: RemoteId(held.order.id.to_string()),
        version: format!(
            "{}/{}/{}",
            held.order.date_modification,
            held.order.state(),
            &digest[..16]
        ),
        document: Document::Order(Box::new(order)),
        raw: Some(held.raw.clone()),
    })
}

/// The part of an order's version that says what is in it, whatever its state.
pub(super) fn content_of(version: &str) -> &str {
    version.rsplit('/').next().unwrap_or_default()
}

fn address(wire: &wire::Party) -> Address {
    let mut lines = wire.address.lines().map(str::trim);
    let line1 = lines.next().unwrap_or_default().to_owned();
    let rest: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    Address {
        line1,
        line2: rest.join(", "),
        postcode: wire.zip.clone(),
        city: wire.town.clone(),
        country: wire.country_code.parse().ok(),
        region: wire.state.clone(),
        ..Address::default()
    }
}

/// A third party as a record.
pub(super) fn third_party(wire: &wire::Party, raw: String) -> Record {
    let mut customer = Customer {
        is_company: wire.typent_code != "TE_PRIVATE",
        name: wire.name.clone(),
        email: wire.email.trim().to_owned(),
        phone: wire.phone.trim().to_owned(),
        vat_number: wire.tva_intra.split_whitespace().collect(),
        address: address(wire),
        language: wire.default_lang.clone(),
        reference: wire.ref_ext.clone(),
        ..Customer::default()
    };
    if !wire.code_client.is_empty() {
        let code = wire.code_client.clone();
        customer
            .attributes
            .insert("code_client".to_owned(), code.into());
    }
    Record {
        id: RemoteId(wire.id.to_string()),
        version: wire.date_modification.clone(),
        document: Document::Customer(Box::new(customer)),
        raw: Some(raw),
    }
}

/// A contact as a record.
pub(super) fn contact(wire: &wire::Party, raw: String) -> Record {
    let name = format!("{} {}", wire.firstname.trim(), wire.lastname.trim());
    let customer = Customer {
        parent: wire.socid.clone(),
        role: Some(ContactRole::Other),
        name: name.trim().to_owned(),
        email: wire.email.trim().to_owned(),
        phone: wire.phone_pro.trim().to_owned(),
        address: Address {
            first_name: wire.firstname.trim().to_owned(),
            last_name: wire.lastname.trim().to_owned(),
            ..address(wire)
        },
        reference: wire.ref_ext.clone(),
        ..Customer::default()
    };
    Record {
        id: RemoteId(format!("{CONTACT}{}", wire.id)),
        version: wire.date_modification.clone(),
        document: Document::Customer(Box::new(customer)),
        raw: Some(raw),
    }
}

/// A product or service as a record.
pub(super) fn product(wire: &wire::Product, raw: String) -> Record {
    let product = Product {
        sku: wire.reference.trim().to_owned(),
        gtin: wire.barcode.chars().filter(char::is_ascii_digit).collect(),
        title: wire.label.clone(),
        active: wire.status == "1",
        tax_class: wire
            .tva_tx
            .parse()
            .map(|rate| named(rate, &wire.default_vat_code))
            .unwrap_or_default(),
        weight_kg: weight(wire),
        hs_code: wire.customcode.clone(),
        stock_managed: wire.is_counted(),
        ..Product::default()
    };
    let document = Document::Product(Box::new(product));
    // Extra fields and a second change in one second do not move the time.
    let digest = Digest::of(&document.to_json()).to_string();
    Record {
        id: RemoteId(wire.id.to_string()),
        version: format!("{}/{}", wire.date_modification, &digest[..16]),
        document,
        raw: Some(raw),
    }
}

/// A weight in kilograms; the unit is a power of ten of it. Pounds and ounces (98, 99) are left out.
fn weight(wire: &wire::Product) -> Option<Decimal> {
    let factor = match wire.weight_units.unwrap_or_default() {
        unit @ -9..=0 => Decimal::new(1, unit.unsigned_abs() as u32),
        3 => Decimal::ONE_THOUSAND,
        _ => return None,
    };
    Some((wire.weight * factor).normalize()).filter(|weight| !weight.is_zero())
}

/// A reference in a document to be written that is no id of Dolibarr's.
pub(super) fn no_id(field: &str) -> Fault {
    Fault::refused(Code::BadValue, "this is no id of Dolibarr").at(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_one_name() {
        for (written, name) in [
            ("20", "20"),
            ("20.0000", "20"),
            ("5.5 %", "5.5"),
            ("8.500(NPR)", "8.5 (NPR)"),
        ] {
            assert_eq!(tax_code(written).as_deref(), Some(name), "{written}");
        }
        assert_eq!(tax_code("VAT"), None);
        assert_eq!(tax_code("20 (A"), None);
    }

    #[test]
    fn a_day_is_the_same_wherever_its_midnight_was() {
        // Midnight of 25 October 2026 in Greenwich, Paris and New York.
        for midnight in ["1792886400", "1792879200", "1792900800"] {
            assert_eq!(day(midnight).as_deref(), Some("2026-10-25"), "{midnight}");
        }
    }
}
