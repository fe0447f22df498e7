//! A customer or contact as Odoo's fields.

use super::key;
use super::load::Entry;
use super::order::{Cell, Cells, cell};
use super::session::Session;
use super::wire::Small;
use crate::odoo::rpc::Ask;
use comptoir_kit::batch::number;
use comptoir_model::address::{CodeBook, subdivision_in};
use comptoir_model::code::Code;
use comptoir_model::customer::{ContactRole, Customer};
use comptoir_model::fault::Fault;
use comptoir_model::key::WriteKey;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};

/// Odoo's ids of states, by country code and Odoo's own code.
pub(super) type States = HashMap<(String, String), i64>;

/// The states that some customers' addresses name: one call for all of them, none when no address has one.
///
/// # Errors
/// Those of a call.
pub(super) async fn states(session: &Session, customers: &[&Customer]) -> Result<States, Fault> {
    let wanted: BTreeSet<(String, String)> = customers.iter().filter_map(|c| state(c)).collect();
    if wanted.is_empty() {
        return Ok(States::new());
    }
    let mut by_id = HashMap::new();
    for (country, _) in &wanted {
        if let Some(id) = session.country(country).await? {
            by_id.insert(id, country.clone());
        }
    }
    let countries: Vec<&i64> = by_id.keys().collect();
    let codes: BTreeSet<&String> = wanted.iter().map(|(_, code)| code).collect();
    let domain = json!([["country_id", "in", countries], ["code", "in", codes]]);
    let ask = Ask::search(
        "states",
        "res.country.state",
        domain,
        &["code", "country_id"],
    );
    let rows: Vec<Small> = session.rpc.call(ask).await?;
    let state = |row: Small| {
        let country = by_id.get(&row.country_id?.0)?;
        Some(((country.clone(), row.code), row.id))
    };
    Ok(rows.into_iter().filter_map(state).collect())
}

/// Country and Odoo's own code of an address's state.
fn state(customer: &Customer) -> Option<(String, String)> {
    let country = customer.address.country?;
    let code = subdivision_in(CodeBook::Odoo, customer.address.subdivision.as_deref()?)?;
    Some((country.code().to_owned(), code.to_owned()))
}

/// The customer as a row of `load()`.
///
/// # Errors
/// [`Code::BadValue`] for a parent that is no id or a country that Odoo does not have, [`Code::UnknownField`] for a field that this
/// instance does not have.
pub(super) async fn entry(
    session: &Session,
    index: usize,
    key: &WriteKey,
    customer: &Customer,
    states: &States,
) -> Result<Entry, Fault> {
    let cells = cells(session, customer, states).await?;
    let mut columns = vec!["id".to_owned()];
    columns.extend(cells.iter().map(|(field, cell)| cell.column(field)));
    let mut row = vec![format!("{}.{}", session.module, key::name_of(key))];
    row.extend(cells.values().map(Cell::text));
    Ok(Entry {
        index,
        company: session.company,
        columns,
        rows: vec![row],
    })
}

async fn cells(session: &Session, customer: &Customer, states: &States) -> Result<Cells, Fault> {
    let address = &customer.address;
    let mut cells = Cells::new();
    let mut text = |field: &str, text: &str| {
        if !text.trim().is_empty() && session.known.partner.contains_key(field) {
            cells.insert(field.to_owned(), Cell::Text(text.trim().to_owned()));
        }
    };
    text("name", &customer.name);
    text("email", &customer.email);
    text("phone", &customer.phone);
    text("vat", &customer.vat_number);
    text("street", &address.line1);
    text("street2", &address.line2);
    text("zip", &address.postcode);
    text("city", &address.city);
    text("ref", &customer.reference);
    if !customer.is_company && address.company.trim() != customer.name.trim() {
        // A contact at another company than its parent: the name that Odoo shows beside the person's.
        text("company_name", &address.company);
    }
    if let Some(language) = session.language(&customer.language) {
        text("lang", language);
    }
    if customer.parent.is_some() {
        // A contact of the type `contact` would take its parent's address.
        text(
            "type",
            match customer.role {
                Some(ContactRole::Invoice) => "invoice",
                Some(ContactRole::Delivery) => "delivery",
                Some(ContactRole::Other) | None => "other",
            },
        );
    }
    cells.insert("is_company".to_owned(), Cell::Flag(customer.is_company));
    if let Some(parent) = &customer.parent {
        let bad = || Fault::refused(Code::BadValue, "this is no id of a partner").at("parent_id");
        let id = number(parent).ok_or_else(bad)?;
        cells.insert("parent_id".to_owned(), Cell::Link(id));
    }
    if let Some(country) = address.country {
        let id = session.country(country.code()).await?.ok_or_else(|| {
            let why = format!("Odoo has no country `{}`", country.code());
            Fault::refused(Code::BadValue, why).at("country_id")
        })?;
        cells.insert("country_id".to_owned(), Cell::Link(id));
    }
    if let Some(id) = state(customer).and_then(|state| states.get(&state)) {
        cells.insert("state_id".to_owned(), Cell::Link(*id));
    }
    for (field, value) in &customer.attributes {
        let known = session
            .known
            .partner
            .get(field)
            .filter(|known| !known.readonly);
        let known = known.ok_or_else(|| {
            let why = "this Odoo has no such field on its partners, or does not let it be written";
            Fault::refused(Code::UnknownField, why).at(field)
        })?;
        let cell = cell(known, value).map_err(|fault| fault.at(field))?;
        cells.insert(field.clone(), cell);
    }
    Ok(cells)
}
