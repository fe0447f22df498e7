//! Customers, addresses and products.

use super::settings::{Settings, WeightUnit};
use super::wire::{AddressWire, CustomerWire, ProductWire};
use super::{keep, payment};
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::address::{Address, CodeBook, Country, subdivision_of};
use comptoir_model::customer::Customer;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::port::Record;
use comptoir_model::product::Product;
use serde_json::Value;

/// An address. A country that ISO does not know stands in the region with the state.
pub(super) fn address(wire: &AddressWire) -> Address {
    let country: Option<Country> = wire.country.parse().ok();
    let state = wire.state.trim();
    let region = match country {
        None if !wire.country.trim().is_empty() => format!("{state} {}", wire.country.trim()),
        _ => state.to_owned(),
    };
    Address {
        id: None,
        first_name: wire.first_name.trim().to_owned(),
        last_name: wire.last_name.trim().to_owned(),
        company: wire.company.trim().to_owned(),
        line1: wire.address_1.trim().to_owned(),
        line2: wire.address_2.trim().to_owned(),
        city: wire.city.trim().to_owned(),
        postcode: wire.postcode.trim().to_owned(),
        country,
        subdivision: country.and_then(|country| subdivision(country, state)),
        region: region.trim().to_owned(),
        phone: wire.phone.trim().to_owned(),
        email: wire.email.trim().to_owned(),
    }
}

/// The ISO code of a state: by the table, or the shop's own code where that is the ISO code already (`DE-BY`).
fn subdivision(country: Country, state: &str) -> Option<String> {
    let own = state
        .strip_prefix(country.code())
        .and_then(|rest| rest.strip_prefix('-'));
    match subdivision_of(CodeBook::WooCommerce, country, state) {
        Some(iso) => Some(iso.to_owned()),
        None => own
            .filter(|rest| !rest.is_empty())
            .map(|_| state.to_owned()),
    }
}

/// A customer's record. The main address is the billing address.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn customer(json: &str, settings: &Settings) -> Result<Record, Fault> {
    let wire: CustomerWire = decode::json(json.as_bytes())?;
    let billing = address(&wire.billing);
    let shipping = address(&wire.shipping);
    let person = [wire.first_name.trim(), wire.last_name.trim()].join(" ");
    let name = [
        billing.company.as_str(),
        person.trim(),
        &billing.full_name(),
    ]
    .into_iter()
    .find(|name| !name.is_empty())
    .unwrap_or(wire.email.trim())
    .to_owned();
    let differs = !shipping.is_empty() && shipping.fingerprint() != billing.fingerprint();
    let customer = Customer {
        is_company: !billing.company.is_empty(),
        name,
        email: wire.email.trim().to_owned(),
        phone: billing.phone.clone(),
        vat_number: keep::first_text(&wire.meta_data, &settings.vat_number_keys)
            .split_whitespace()
            .collect(),
        addresses: differs.then_some(shipping).into_iter().collect(),
        address: billing,
        groups: Some(wire.role)
            .filter(|role| !role.is_empty())
            .into_iter()
            .collect(),
        attributes: keep::attributes(&wire.meta_data),
        ..Customer::default()
    };
    Ok(Record {
        id: wire.id,
        version: wire.date_modified_gmt,
        document: Document::Customer(Box::new(customer)),
        raw: Some(keep::raw(json)),
    })
}

/// A product's or variation's record.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn product(json: &str, settings: &Settings) -> Result<Record, Fault> {
    let wire: ProductWire = decode::json(json.as_bytes())?;
    let mut attributes = keep::attributes(&wire.meta_data);
    for (name, value) in [("type", &wire.kind), ("tax_status", &wire.tax_status)] {
        if !value.is_empty() {
            attributes.insert(name.to_owned(), Value::String(value.clone()));
        }
    }
    if wire.is_virtual {
        attributes.insert("virtual".to_owned(), Value::Bool(true));
    }
    let options = wire.attributes.iter().filter(|row| !row.option.is_empty());
    let product = Product {
        options: options
            .map(|row| (row.name.clone(), row.option.clone()))
            .collect(),
        parent: wire.parent_id,
        sku: wire.sku.trim().to_owned(),
        gtin: wire
            .global_unique_id
            .chars()
            .filter(char::is_ascii_digit)
            .collect(),
        title: wire.name,
        active: wire.status == "publish",
        tax_class: wire.tax_class,
        weight_kg: weight(wire.weight, settings.weight_unit),
        stock_managed: !wire.manage_stock.is_empty(),
        attributes,
        ..Product::default()
    };
    Ok(Record {
        id: wire.id,
        version: wire.date_modified_gmt,
        document: Document::Product(Box::new(product)),
        raw: Some(keep::raw(json)),
    })
}

/// Kilograms, rounded to a tenth of a gram; none when the shop's unit is not known.
fn weight(weight: Option<Decimal>, unit: Option<WeightUnit>) -> Option<Decimal> {
    let factor = match unit? {
        WeightUnit::Kg => Decimal::ONE,
        WeightUnit::G => Decimal::new(1, 3),
        // International pound, exact.
        WeightUnit::Lbs => Decimal::new(45_359_237, 8),
        WeightUnit::Oz => Decimal::new(28_349_523_125, 12),
    };
    let kilograms = weight?.checked_mul(factor)?;
    Some(kilograms.round_dp(4).normalize())
}

/// When the shop last changed a record.
pub(super) fn modified(version: &str) -> Option<jiff::Timestamp> {
    payment::instant(version)
}
