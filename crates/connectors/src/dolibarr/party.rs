//! A customer as a third party, or one of its addresses as a contact.

use super::api::Api;
use super::map::no_id;
use super::order::Fields;
use super::wire::Small;
use comptoir_kit::batch::number;
use comptoir_model::address::Address;
use comptoir_model::code::Code;
use comptoir_model::customer::Customer;
use comptoir_model::fault::{Fault, Next};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

/// Dolibarr's id of the type "private individual", the same in every installation.
const PRIVATE: &str = "8";

/// Departments of France with a country code of their own.
const OVERSEAS: [&str; 5] = ["GF", "GP", "MQ", "RE", "YT"];
/// Letters of a telephone number that Dolibarr keeps.
const PHONE: usize = 20;

/// A telephone number that fits: a longer one without what only makes it easier to read.
fn phone(number: &str) -> String {
    let number = number.trim();
    if number.chars().count() <= PHONE {
        return number.to_owned();
    }
    let dialled = |c: &char| c.is_ascii_digit() || *c == '+';
    number.chars().filter(dialled).collect()
}

/// A text that the database can hold: see [`super::Settings::emoji`].
pub(super) fn storable<'a>(api: &Api, text: &'a str) -> Cow<'a, str> {
    let four_bytes = |c: char| c as u32 > 0xFFFF;
    if api.settings.emoji || !text.contains(four_bytes) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(four_bytes, "□"))
}

/// The path and the fields of a customer, without the key.
///
/// # Errors
/// [`Code::BadValue`] for a parent that is no id or a country that Dolibarr does not have.
pub(super) async fn fields(
    api: &Api,
    customer: &Customer,
) -> Result<(&'static str, Fields), Fault> {
    if let Some(field) = customer
        .attributes
        .keys()
        .find(|field| *field != "code_client")
    {
        let why = "fields of a customer beyond its own are not written to Dolibarr";
        return Err(Fault::refused(Code::UnknownField, why).at(field));
    }
    let mut fields = Fields::new();
    let mut text = |field: &str, text: &str| {
        if !text.trim().is_empty() {
            fields.insert(field.to_owned(), json!(storable(api, text.trim())));
        }
    };
    text("email", &customer.email);
    text("zip", &customer.address.postcode);
    text("town", &customer.address.city);
    text("default_lang", &language(&customer.language));
    let path = match &customer.parent {
        Some(parent) => {
            text("phone_pro", &phone(&customer.phone));
            let (first, last) = names(customer);
            text("firstname", first);
            text("lastname", last);
            let parent = number(parent).ok_or_else(|| no_id("socid"))?;
            fields.insert("socid".to_owned(), json!(parent));
            fields.insert("statut".to_owned(), json!(1));
            "contacts"
        }
        None => {
            text("name", &customer.name);
            text("phone", &phone(&customer.phone));
            text("tva_intra", &customer.vat_number);
            fields.insert("client".to_owned(), json!("1"));
            // The next number of the instance's own numbering.
            fields.insert("code_client".to_owned(), json!("-1"));
            if !customer.is_company {
                fields.insert("typent_id".to_owned(), json!(PRIVATE));
            }
            "thirdparties"
        }
    };
    place(api, customer, &mut fields).await?;
    Ok((path, fields))
}

/// First and last name of a contact. The last one is required.
fn names(customer: &Customer) -> (&str, &str) {
    let address = &customer.address;
    let (first, last) = (address.first_name.trim(), address.last_name.trim());
    if last.is_empty() {
        return ("", customer.name.trim());
    }
    (first, last)
}

/// Street, state and country. A contact has no field for its company, and a state that Dolibarr does not know has none either: both
/// are lines of the address, or a parcel would miss them.
async fn place(api: &Api, customer: &Customer, fields: &mut Fields) -> Result<(), Fault> {
    let address = &customer.address;
    let mut state = None;
    if let Some(country) = address.country {
        let own = match country_id(api, country.code()).await? {
            // Some versions keep these as departments of France and not as countries.
            None if OVERSEAS.contains(&country.code()) => country_id(api, "FR").await?,
            own => own,
        };
        let Some(id) = own else {
            let why = format!("Dolibarr has no country {country}");
            return Err(Fault::refused(Code::BadValue, why).at("country_id"));
        };
        state = state_id(api, &id, address).await?;
        fields.insert("country_id".to_owned(), json!(id));
    }
    let company = Some(address.company.trim())
        .filter(|company| customer.parent.is_some() && *company != customer.name.trim());
    let region = Some(address.region.trim()).filter(|_| state.is_none());
    let lines = [
        company.unwrap_or_default(),
        address.line1.trim(),
        address.line2.trim(),
        region.unwrap_or_default(),
    ];
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    if !lines.is_empty() {
        let text = lines.join("\n");
        fields.insert("address".to_owned(), json!(storable(api, &text)));
    }
    if let Some(state) = state {
        fields.insert("state_id".to_owned(), json!(state));
    }
    Ok(())
}

async fn country_id(api: &Api, code: &str) -> Result<Option<String>, Fault> {
    let known = api.learnt().countries.get(code).cloned();
    if let Some(known) = known {
        return Ok(known);
    }
    let path = format!("setup/dictionary/countries/byCode/{code}");
    let id = match api.get::<Small>("countries", &path, &[]).await {
        Ok(row) => Some(row.id),
        Err(fault) if fault.next == Next::Gone => None,
        Err(fault) => return Err(fault),
    };
    api.learnt().countries.insert(code.to_owned(), id.clone());
    Ok(id)
}

/// The state of an address by its ISO code, such as `US-CA`, which Dolibarr knows as `CA`.
async fn state_id(api: &Api, country: &str, address: &Address) -> Result<Option<String>, Fault> {
    let Some((_, code)) = address
        .subdivision
        .as_deref()
        .and_then(|iso| iso.split_once('-'))
    else {
        return Ok(None);
    };
    let known = api.learnt().states.get(country).cloned();
    let states = match known {
        Some(states) => states,
        None => {
            let query = [("country", country), ("limit", "500")];
            let path = "setup/dictionary/states";
            let rows: Vec<Small> = match api.get("states", path, &query).await {
                Ok(rows) => rows,
                Err(fault) if fault.next == Next::Gone => Vec::new(),
                Err(fault) => return Err(fault),
            };
            let states: HashMap<String, String> =
                rows.into_iter().map(|row| (row.code, row.id)).collect();
            let mut learnt = api.learnt();
            learnt.states.insert(country.to_owned(), states.clone());
            states
        }
    };
    Ok(states.get(code).cloned())
}

/// A language as Dolibarr writes it: `fr_FR`. One without its country is left out.
fn language(code: &str) -> String {
    match code.replace('-', "_").split_once('_') {
        Some((language, country)) if language.len() == 2 && country.len() == 2 => {
            format!("{}_{}", language.to_lowercase(), country.to_uppercase())
        }
        _ => String::new(),
    }
}

/// The same fields with the key.
pub(super) fn keyed(mut fields: Fields, key: &str) -> Value {
    fields.insert("ref_ext".to_owned(), json!(key));
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_is_shortened_only_where_it_must_be() {
        assert_eq!(phone(" +33 1 99 00 12 34 "), "+33 1 99 00 12 34");
        assert_eq!(phone("+33 (0) 1 - 99 - 00 - 12 - 34"), "+330199001234");
    }

    #[test]
    fn a_language_needs_its_country() {
        assert_eq!(language("fr-fr"), "fr_FR");
        assert_eq!(language("de_AT"), "de_AT");
        assert_eq!(language("fr"), "");
        assert_eq!(language("de_DE_formal"), "");
    }
}
