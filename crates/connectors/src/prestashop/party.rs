//! Addresses and customers.

use super::keep;
use super::tables::Tables;
use super::wire::{AddressWire, CustomerWire};
use comptoir_kit::decode;
use comptoir_model::address::Address;
use comptoir_model::customer::Customer;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::port::Record;
use serde_json::Value;
use serde_json::value::RawValue;

/// An address.
pub(super) fn address(wire: &AddressWire, tables: &Tables) -> Address {
    let country = tables.country(&wire.id_country);
    let (subdivision, region) = tables.region(&wire.id_state, country);
    let phone = match wire.phone.trim() {
        "" => wire.phone_mobile.trim(),
        phone => phone,
    };
    Address {
        id: None,
        first_name: wire.firstname.trim().to_owned(),
        last_name: wire.lastname.trim().to_owned(),
        company: wire.company.trim().to_owned(),
        line1: wire.address1.trim().to_owned(),
        line2: wire.address2.trim().to_owned(),
        city: wire.city.trim().to_owned(),
        postcode: wire.postcode.trim().to_owned(),
        country,
        subdivision,
        region,
        phone: phone.to_owned(),
        email: String::new(),
    }
}

/// A customer's record with its addresses, the oldest living one being the main one.
///
/// # Errors
/// A bug fault with the path that cannot be read.
pub(super) fn customer(
    json: &str,
    addresses: &[&RawValue],
    tables: &Tables,
) -> Result<Record, Fault> {
    let wire: CustomerWire = decode::json(json.as_bytes())?;
    let rows: Result<Vec<AddressWire>, Fault> = addresses
        .iter()
        .map(|row| decode::json(row.get().as_bytes()))
        .collect();
    let living: Vec<AddressWire> = rows?.into_iter().filter(|row| !row.deleted).collect();
    let mut found = living.iter().map(|row| address(row, tables));
    let main = found.next().unwrap_or_default();
    let company = [wire.company.trim(), main.company.as_str()]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned();
    let person = [wire.firstname.trim(), wire.lastname.trim()].join(" ");
    let name = [company.as_str(), person.trim(), wire.email.trim()]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default()
        .to_owned();
    let vat = living
        .iter()
        .map(|row| row.vat_number.trim())
        .find(|vat| !vat.is_empty());
    let mut attributes = comptoir_model::Attributes::new();
    if !wire.siret.trim().is_empty() {
        attributes.insert(
            "siret".to_owned(),
            Value::String(wire.siret.trim().to_owned()),
        );
    }
    let customer = Customer {
        is_company: !company.is_empty(),
        name,
        email: wire.email.trim().to_owned(),
        phone: main.phone.clone(),
        vat_number: vat.unwrap_or_default().split_whitespace().collect(),
        addresses: found.collect(),
        address: main,
        language: tables.language(&wire.id_lang),
        guest: wire.is_guest,
        attributes,
        ..Customer::default()
    };
    let rows = addresses.iter().map(|row| row.get()).collect();
    Ok(Record {
        id: wire.id,
        version: wire.date_upd,
        document: Document::Customer(Box::new(customer)),
        raw: Some(keep::bundle([
            ("customers", vec![json]),
            ("addresses", rows),
        ])),
    })
}
