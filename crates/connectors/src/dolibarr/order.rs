//! An order as Dolibarr's fields: the header and the lines.

use super::api::Api;
use super::map::{self, no_id};
use super::party::storable;
use super::wire::{OrderLine, Small};
use comptoir_kit::batch;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::order::{Line, LineKind, Order};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Fields of an order that a flow may name, beside extra fields (`options_…`).
pub(super) const FIELDS: [&str; 2] = ["mode_reglement_id", "shipping_method_id"];

/// Fields and their values.
pub(super) type Fields = Map<String, Value>;

fn linked(id: &RemoteId, field: &str) -> Result<Value, Fault> {
    batch::number(id)
        .map(Value::from)
        .ok_or_else(|| no_id(field))
}

/// The header's fields. The key is not among them, nor are contacts.
///
/// # Errors
/// [`Code::BadValue`] for a reference that is no id, [`Code::UnknownField`] for a field that cannot be written,
/// [`Code::CurrencyDiffers`] for an order that Dolibarr would book in its own currency.
pub(super) async fn header(api: &Api, order: &Order) -> Result<Fields, Fault> {
    let books = api.settings.currency;
    if order.currency != books {
        let why = format!(
            "Dolibarr keeps its books in {books} and its API takes no prices in another currency; the order is in {}",
            order.currency
        );
        return Err(Fault::refused(Code::CurrencyDiffers, why).at("multicurrency_code"));
    }
    let customer = order.customer.as_ref().ok_or_else(|| {
        Fault::refused(Code::MissingField, "an order needs a customer").at("socid")
    })?;
    let mut fields = Fields::new();
    fields.insert("socid".to_owned(), linked(customer, "socid")?);
    fields.insert("ref_client".to_owned(), json!(order.reference));
    fields.insert(
        "note_public".to_owned(),
        json!(storable(api, order.note.trim())),
    );
    fields.insert(
        "note_private".to_owned(),
        json!(storable(api, &order.origin)),
    );
    if let Some(placed) = order.dates.placed {
        fields.insert("date".to_owned(), json!(placed.as_second()));
    }
    let place = &order.placement;
    let links = [
        ("cond_reglement_id", &place.payment_term),
        ("shipping_method_id", &place.carrier),
        ("warehouse_id", &place.warehouse),
    ];
    for (field, id) in links {
        if let Some(id) = id {
            fields.insert(field.to_owned(), linked(id, field)?);
        }
    }
    let mut extra = Fields::new();
    for (field, value) in &order.attributes {
        match field.as_str() {
            "mode_reglement_id" => {
                let id = payment_type(api, value).await?;
                fields.insert(field.clone(), id);
            }
            "shipping_method_id" => {
                let id = RemoteId(text_of(value)?);
                fields.insert(field.clone(), linked(&id, field)?);
            }
            // What an order that was read has of its own accord.
            "date" | "contacts" | "billed" => {}
            field if is_extra(field) => {
                extra.insert(field.to_owned(), value.clone());
            }
            field => {
                let why = "an order of Dolibarr has no such field that could be written";
                return Err(Fault::refused(Code::UnknownField, why).at(field));
            }
        }
    }
    if !extra.is_empty() {
        fields.insert("array_options".to_owned(), Value::Object(extra));
    }
    Ok(fields)
}

fn is_extra(field: &str) -> bool {
    let name = field.strip_prefix("options_").unwrap_or_default();
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !name.is_empty() && name.chars().all(word)
}

fn text_of(value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Fault::refused(
            Code::BadValue,
            "a text or a number belongs here",
        )),
    }
}

/// The id of a payment type, by id, code (`CB`) or label.
async fn payment_type(api: &Api, value: &Value) -> Result<Value, Fault> {
    let wanted = text_of(value)?.to_lowercase();
    let known = api.learnt().payment_types.clone();
    let types = match known {
        Some(types) => types,
        None => {
            let path = "setup/dictionary/payment_types";
            let rows: Vec<Small> = api.get("payment_types", path, &[("limit", "300")]).await?;
            let mut types = HashMap::new();
            for row in rows {
                for name in [&row.label, &row.code, &row.id] {
                    types.insert(name.trim().to_lowercase(), row.id.clone());
                }
            }
            api.learnt().payment_types = Some(types.clone());
            types
        }
    };
    let id = types.get(&wanted).and_then(|id| id.parse::<i64>().ok());
    id.map(Value::from).ok_or_else(|| {
        let why = "Dolibarr has no payment type of this id, code or label";
        Fault::refused(Code::BadValue, why).at("mode_reglement_id")
    })
}

/// The rates of a line as Dolibarr takes them: one, and with a code in brackets.
fn rate(line: &Line) -> Result<String, Fault> {
    let refused = |code, why: &str| Err(Fault::refused(code, why).at("tva_tx"));
    match line.taxes.as_slice() {
        [] => Ok("0".to_owned()),
        [tax] => match map::tax_code(&tax.code) {
            Some(code) => Ok(code),
            None => refused(Code::BadValue, "this is no VAT rate"),
        },
        _ => refused(
            Code::Refused,
            "a line has one VAT rate in Dolibarr; the order has several on one line",
        ),
    }
}

/// A line's fields, all of them: what a change of a line leaves out is emptied, its price included. `place` is its rank; none keeps
/// what is there or puts it last.
///
/// # Errors
/// [`Code::BadValue`] for a product that is no id, or a rate that is none.
pub(super) fn line(api: &Api, line: &Line, there: Option<&OrderLine>) -> Result<Fields, Fault> {
    if let Some(field) = line.attributes.keys().next() {
        let why = "fields of a line beyond its own are not written to Dolibarr";
        return Err(Fault::refused(Code::UnknownField, why).at(field));
    }
    let rate = rate(line)?;
    let code = rate
        .split_once(" (")
        .map(|(_, code)| code.trim_end_matches(')').to_owned());
    let title = [line.title.trim(), line.sku.trim(), "-"];
    let title = title.into_iter().find(|text| !text.is_empty());
    // Without a type a line of free text is refused; for one with a product Dolibarr takes the product's own.
    let sort = match there {
        Some(there) if !there.product_type.is_empty() => there.product_type.clone(),
        _ if line.kind == LineKind::Item => "0".to_owned(),
        _ => "1".to_owned(),
    };
    let mut fields = Fields::new();
    if let Some(product) = &line.product {
        fields.insert("fk_product".to_owned(), linked(product, "fk_product")?);
    }
    fields.insert(
        "desc".to_owned(),
        json!(storable(api, title.unwrap_or_default())),
    );
    fields.insert("qty".to_owned(), number(line.quantity));
    fields.insert("subprice".to_owned(), number(line.unit_price));
    fields.insert("tva_tx".to_owned(), json!(rate));
    if let Some(code) = code {
        fields.insert("vat_src_code".to_owned(), json!(code));
    }
    // A customer's discount would lower the price that the shop charged.
    fields.insert("remise_percent".to_owned(), json!(0));
    fields.insert("product_type".to_owned(), json!(sort));
    fields.insert("ref_ext".to_owned(), json!(line.id));
    Ok(fields)
}

/// A number by its own digits: the JSON has no float.
fn number(number: Decimal) -> Value {
    serde_json::from_str(&number.normalize().to_string()).unwrap_or(Value::Null)
}

/// The contacts of an order: none where the address is the customer's own.
///
/// # Errors
/// [`Code::BadValue`] for the address of another third party.
pub(super) fn contacts(order: &Order) -> Result<Vec<(i64, &'static str)>, Fault> {
    let mut contacts = Vec::new();
    for (address, role) in [(&order.bill_to, "BILLING"), (&order.ship_to, "SHIPPING")] {
        let Some(id) = &address.id else { continue };
        match map::contact_number(id) {
            Some(contact) => contacts.push((contact, role)),
            None if Some(id) == order.customer.as_ref() => {}
            None => {
                let why = "an address of an order in Dolibarr is its customer's or a contact";
                return Err(Fault::refused(Code::BadValue, why).at("contacts"));
            }
        }
    }
    Ok(contacts)
}
