//! Third parties, contacts, products, warehouses and dictionaries: lists, single records, creates and changes.

use super::filter::{self, Filter};
use super::trouble::{Answer, Done};
use super::{Row, State};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Tables with what an instance begins with.
pub(super) fn seeded() -> BTreeMap<&'static str, BTreeMap<i64, Row>> {
    let warehouse = json!({"id": "1", "ref": "WH1", "label": "WH1"});
    BTreeMap::from([("warehouses", BTreeMap::from([(1, row(warehouse))]))])
}

/// The fields of an object.
pub(super) fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

/// The parts of the API with records of their own: its word for one of them, and the field a create needs.
pub(super) const PARTS: [(&str, &str, &str); 5] = [
    ("orders", "Order", "socid"),
    ("thirdparties", "Thirdparty", "name"),
    ("contacts", "Contact", "lastname"),
    ("products", "Product", "ref"),
    ("shipments", "Shipment", "socid"),
];

/// A page of a list. Its order is by time where that is asked for, else by id.
pub(super) fn list(state: &State, table: &'static str, query: &BTreeMap<String, String>) -> Done {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let count = |name: &str, otherwise: usize| text(name).parse().unwrap_or(otherwise);
    let filter: Option<Filter> = match text("sqlfilters") {
        "" => None,
        filter => Some(filter::parse(filter, state.options.version)?),
    };
    let rows = state
        .table(table)
        .into_iter()
        .flat_map(|rows| rows.values());
    let mut rows: Vec<&Row> = rows
        .filter(|row| filter.as_ref().is_none_or(|filter| filter.fits(row)))
        .collect();
    if text("sortfield").starts_with("t.tms") {
        rows.sort_by_key(|row| filter::modified(row));
    }
    if text("sortorder").starts_with("DESC") {
        rows.reverse();
    }
    let limit = count("limit", 100);
    let page = rows.into_iter().skip(limit * count("page", 0)).take(limit);
    let with_stock = matches!(text("includestockdata"), "1" | "true");
    let page: Vec<Row> = page
        .map(|row| answered(state, table, row, with_stock))
        .collect();
    let of_old = state.options.version < 18 || !matches!(table, "orders" | "shipments");
    if page.is_empty() && of_old {
        return Err(match table {
            "shipments" => Answer::refused(404, "Not Found: No shipment found"),
            _ => Answer::missing("Thirdparties"),
        });
    }
    Ok(json!(page))
}

/// The first record whose field holds this text.
pub(super) fn by_text(state: &State, table: &'static str, field: &str, text: &str) -> Done {
    let rows = state
        .table(table)
        .into_iter()
        .flat_map(|rows| rows.values());
    let mut fitting = rows.filter(|row| row.get(field).and_then(Value::as_str) == Some(text));
    fitting
        .next()
        .map(|row| json!(answered(state, table, row, false)))
        .ok_or_else(|| missing(table))
}

/// One record.
pub(super) fn one(state: &State, table: &'static str, id: i64) -> Done {
    one_with(state, table, id, false)
}

/// One record, a product with its stock where that is asked for.
pub(super) fn one_with(state: &State, table: &'static str, id: i64, with_stock: bool) -> Done {
    let row = state.table(table).and_then(|rows| rows.get(&id));
    row.map(|row| json!(answered(state, table, row, with_stock)))
        .ok_or_else(|| missing(table))
}

fn answered(state: &State, table: &str, row: &Row, with_stock: bool) -> Row {
    let row = shown(row);
    match table {
        "products" => state.with_stock(row, with_stock),
        _ => row,
    }
}

/// A record without what the simulator keeps for itself.
pub(super) fn shown(row: &Row) -> Row {
    let fields = row.iter().filter(|(field, _)| !field.starts_with('_'));
    fields
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

pub(super) fn missing(table: &str) -> Answer {
    let part = PARTS.iter().find(|(part, ..)| *part == table);
    Answer::missing(part.map_or("Record", |(_, word, _)| word))
}

/// Creates a third party or contact. It answers the bare id.
pub(super) fn create(state: &mut State, table: &'static str, body: Row) -> Done {
    let needed = PARTS.iter().find(|(part, ..)| *part == table);
    if let Some((.., field)) = needed
        && !body.contains_key(*field)
    {
        return Err(Answer::refused(
            400,
            &format!("Bad Request: {field} field missing"),
        ));
    }
    let mut row = body;
    if table == "thirdparties" {
        let number = state.table(table).map_or(0, BTreeMap::len) + 1;
        row.insert(
            "code_client".to_owned(),
            json!(format!("CU2611-{number:05}")),
        );
    }
    if table == "products" {
        let same = |other: &Row| other.get("ref") == row.get("ref");
        let rows = state
            .table(table)
            .into_iter()
            .flat_map(|rows| rows.values());
        if rows.into_iter().any(same) {
            return Err(Answer::detailed(
                "Internal Server Error: Error creating product",
                "ErrorProductAlreadyExists",
            ));
        }
    }
    // A country is given by its id and shown by its code as well.
    if let Some(id) = row.get("country_id") {
        let code = country_code(super::stock::whole(Some(id)));
        row.insert("country_code".to_owned(), json!(code));
    }
    // What was given as a number is answered as a text.
    for value in row.values_mut().filter(|value| value.is_number()) {
        *value = json!(value.to_string());
    }
    Ok(json!(state.add(table, row)))
}

/// Changes a third party or contact; answers all of it.
pub(super) fn change(state: &mut State, table: &'static str, id: i64, body: Row) -> Done {
    let row = state.row(table, id).ok_or_else(|| missing(table))?;
    row.extend(body);
    state.touch(table, id);
    one(state, table, id)
}

/// Countries have made-up ids, but for France. Overseas departments are no countries of their own in some versions, nor here.
fn country_id(code: &str) -> Option<i64> {
    let letter = |at: usize| {
        let letter = code
            .as_bytes()
            .get(at)
            .filter(|letter| letter.is_ascii_uppercase())?;
        Some(i64::from(letter - b'A'))
    };
    match code {
        "FR" => Some(1),
        "RE" | "GP" | "MQ" | "GF" | "YT" => None,
        _ if code.len() == 2 => Some(1_000 + letter(0)? * 26 + letter(1)?),
        _ => None,
    }
}

fn country_code(id: i64) -> String {
    let letter = |at: i64| u8::try_from(at).map_or('X', |at| char::from(b'A' + at));
    match id - 1_000 {
        place @ 0..676 => [letter(place / 26), letter(place % 26)].iter().collect(),
        _ => "FR".to_owned(),
    }
}

/// A dictionary of the set-up, or what only administrators may read.
pub(super) fn setup(path: &[&str]) -> Done {
    match path {
        ["dictionary", "payment_types"] => Ok(json!([
            {"id": "6", "code": "CB", "label": "Credit card"},
            {"id": "2", "code": "VIR", "label": "Credit transfer"},
        ])),
        ["dictionary", "payment_terms"] => Ok(json!([
            {"id": "1", "code": "RECEP", "label": "Due upon receipt"},
        ])),
        ["dictionary", "shipping_methods"] => Ok(json!([
            {"id": "2", "code": "TRANS", "label": "Generic transport service"},
        ])),
        ["dictionary", "countries", "byCode", code] => match country_id(code) {
            Some(id) => Ok(json!({"id": id.to_string(), "code": code, "label": code})),
            None => Err(Answer::missing("Country")),
        },
        ["dictionary", "states"] => Ok(json!([{"id": "69", "code": "69", "name": "Rhône"}])),
        ["company"] => Err(Answer::refused(
            403,
            "Forbidden: Error API open to admin users only",
        )),
        ["extrafields"] => Err(Answer::refused(
            401,
            "Unauthorized: Only an admin user can get list of extrafields",
        )),
        _ => Err(Answer::refused(404, "Not Found")),
    }
}
