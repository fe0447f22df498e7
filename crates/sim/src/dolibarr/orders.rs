//! Orders: their lines, states, numbers and contacts.

use super::records::{missing, one};
use super::trouble::{Answer, Done};
use super::{Row, State, amounts};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const ORDERS: &str = "orders";

/// An order as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOrder {
    /// Id.
    pub id: i64,
    /// Its number, `(PROV1)` while it is a draft.
    pub number: String,
    /// `ref_ext`.
    pub key: String,
    /// `ref_client`.
    pub reference: String,
    /// −1 cancelled, 0 draft, 1 validated, 2 being shipped, 3 delivered.
    pub state: i64,
    /// With tax.
    pub total: Decimal,
    /// Contacts, as `SHIPPING 3`.
    pub contacts: Vec<String>,
    /// Lines.
    pub lines: Vec<HeldLine>,
}

/// A line as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLine {
    /// Id.
    pub id: i64,
    /// `ref_ext`.
    pub key: String,
    /// Quantity.
    pub quantity: Decimal,
    /// Unit price.
    pub price: Decimal,
    /// With tax.
    pub total: Decimal,
}

impl HeldOrder {
    pub(super) fn of(row: &Row) -> HeldOrder {
        let text = |row: &Row, field: &str| {
            let text = row.get(field).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let line = |line: &Value| {
            let line = line.as_object()?;
            Some(HeldLine {
                id: id_of(line),
                key: text(line, "ref_ext"),
                quantity: amounts::number(line.get("qty")),
                price: amounts::number(line.get("subprice")),
                total: amounts::number(line.get("total_ttc")),
            })
        };
        let list = |field: &str| {
            row.get(field)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        HeldOrder {
            id: id_of(row),
            number: text(row, "ref"),
            key: text(row, "ref_ext"),
            reference: text(row, "ref_client"),
            state: state_of(row),
            total: amounts::number(row.get("total_ttc")),
            contacts: list("_contacts")
                .iter()
                .filter_map(|contact| Some(contact.as_str()?.to_owned()))
                .collect(),
            lines: list("lines").iter().filter_map(line).collect(),
        }
    }
}

fn whole(value: Option<&Value>) -> i64 {
    i64::try_from(amounts::number(value)).unwrap_or_default()
}

fn id_of(row: &Row) -> i64 {
    whole(row.get("id"))
}

fn state_of(row: &Row) -> i64 {
    whole(row.get("statut"))
}

/// Writes a state into both of its fields.
pub(super) fn set_state(row: &mut Row, state: i64) {
    row.insert("statut".to_owned(), json!(state.to_string()));
    row.insert("status".to_owned(), json!(state.to_string()));
}

/// Creates a draft; answers the bare id.
pub(super) fn create(state: &mut State, mut body: Row) -> Done {
    for field in ["socid", "date"] {
        if !body.contains_key(field) {
            return Err(Answer::refused(
                400,
                &format!("Bad Request: {field} field missing"),
            ));
        }
    }
    let socid = whole(body.get("socid"));
    let known = state
        .table("thirdparties")
        .is_some_and(|rows| rows.contains_key(&socid));
    let failed = "Internal Server Error: Error creating order";
    if !known {
        return Err(Answer::database(
            "DB_ERROR_1452",
            "Cannot add or update a child row: a foreign key constraint fails",
            failed,
        ));
    }
    let given = body.remove("lines").unwrap_or(json!([]));
    let mut lines = Vec::new();
    for line in given.as_array().into_iter().flatten() {
        let line = line.as_object().cloned().unwrap_or_default();
        if !line.contains_key("product_type") && !line.contains_key("fk_product") {
            return Err(Answer::database(
                "DB_ERROR_1366",
                "Incorrect integer value: '' for column `product_type`",
                failed,
            ));
        }
        lines.push(Value::Object(self::line(state, line)));
    }
    let date = whole(body.get("date"));
    body.insert("date".to_owned(), json!(date - date.rem_euclid(86_400)));
    body.insert("socid".to_owned(), json!(socid.to_string()));
    body.insert("lines".to_owned(), json!(lines));
    body.insert("multicurrency_code".to_owned(), json!("EUR"));
    body.insert("contacts_ids".to_owned(), json!([]));
    for field in [
        "cond_reglement_id",
        "mode_reglement_id",
        "shipping_method_id",
        "warehouse_id",
    ] {
        if let Some(id) = body.get(field).map(|id| whole(Some(id))) {
            body.insert(field.to_owned(), json!(id.to_string()));
        }
    }
    set_state(&mut body, 0);
    amounts::order(&mut body);
    let id = state.add(ORDERS, body);
    if let Some(row) = state.row(ORDERS, id) {
        row.insert("ref".to_owned(), json!(format!("(PROV{id})")));
    }
    Ok(json!(id))
}

/// A line of a request as it is kept: what is not given is empty.
fn line(state: &mut State, given: Row) -> Row {
    let id = state.next_id("lines");
    filled(state, id, given)
}

fn filled(state: &State, id: i64, given: Row) -> Row {
    let text = |field: &str| match given.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let product = whole(given.get("fk_product"));
    let known = state.table("products").and_then(|rows| rows.get(&product));
    let of_product = |field: &str| {
        known
            .and_then(|row| row.get(field))
            .cloned()
            .unwrap_or_default()
    };
    let mut row = super::records::row(json!({
        "id": id.to_string(), "rowid": id.to_string(), "ref_ext": text("ref_ext"), "desc": text("desc"), "label": null,
        "qty": text("qty"), "subprice": text("subprice"), "remise_percent": text("remise_percent"), "tva_tx": text("tva_tx"),
        "vat_src_code": text("vat_src_code"), "product_type": text("product_type"),
        "fk_product": if product > 0 { json!(product.to_string()) } else { Value::Null },
        "product_ref": of_product("ref"), "product_label": of_product("label"),
    }));
    // A line of a product is of the product's sort, whatever was said.
    if known.is_some() {
        row.insert("product_type".to_owned(), of_product("type"));
    }
    amounts::line(&mut row);
    row
}

/// What is done to an order that is there.
pub(super) fn act(state: &mut State, id: i64, call: (&str, &[&str]), body: Row) -> Done {
    let order = state
        .row(ORDERS, id)
        .ok_or_else(|| missing(ORDERS))?
        .clone();
    match call {
        ("PUT", []) => change(state, id, body),
        ("POST", ["validate"]) => validate(state, id, &order),
        ("POST", ["settodraft"]) if state_of(&order) == 0 => Err(Answer::already()),
        ("POST", ["settodraft"]) => change(state, id, super::records::row(json!({"statut": 0}))),
        ("POST", ["contact", contact, role]) => contact_linked(state, id, contact, role, true),
        ("DELETE", ["contact", contact, role]) => contact_linked(state, id, contact, role, false),
        (method, ["lines", rest @ ..]) => lines(state, (id, &order), (method, rest), body),
        _ => Err(Answer::refused(404, "Not Found")),
    }
}

fn change(state: &mut State, id: i64, body: Row) -> Done {
    if let Some(row) = state.row(ORDERS, id) {
        for (field, value) in body {
            match field.as_str() {
                "id" | "lines" | "date" => {}
                "statut" => set_state(row, whole(Some(&value))),
                // 17 keeps the state in one field and ignores the other.
                "status" => {}
                "date_commande" => {
                    let date = whole(Some(&value));
                    row.insert("date".to_owned(), json!(date - date.rem_euclid(86_400)));
                }
                _ => {
                    row.insert(field, value);
                }
            }
        }
    }
    state.touch(ORDERS, id);
    one(state, ORDERS, id)
}

fn validate(state: &mut State, id: i64, order: &Row) -> Done {
    if state_of(order) > 0 {
        return Err(Answer::already());
    }
    let kept = order.get("ref").and_then(Value::as_str).unwrap_or_default();
    let number = if kept.starts_with("(PROV") {
        state.numbers += 1;
        format!("CO2610-{:04}", state.numbers)
    } else {
        kept.to_owned()
    };
    if let Some(row) = state.row(ORDERS, id) {
        row.insert("ref".to_owned(), json!(number));
        set_state(row, 1);
    }
    state.touch(ORDERS, id);
    one(state, ORDERS, id)
}

fn contact_linked(state: &mut State, id: i64, contact: &str, role: &str, linked: bool) -> Done {
    let name = format!("{role} {contact}");
    let row = state.row(ORDERS, id).ok_or_else(|| missing(ORDERS))?;
    let mut links: Vec<String> = HeldOrder::of(row).contacts;
    if linked && links.contains(&name) {
        return Err(Answer::already());
    }
    links.retain(|link| *link != name);
    if linked {
        links.push(name);
    }
    let ids: Vec<&str> = links
        .iter()
        .filter_map(|link| link.split(' ').next_back())
        .collect();
    row.insert("contacts_ids".to_owned(), json!(ids));
    row.insert("_contacts".to_owned(), json!(links));
    Ok(json!({"success": {"code": 200, "message": "Contact linked to the order"}}))
}

fn lines(state: &mut State, order: (i64, &Row), call: (&str, &[&str]), body: Row) -> Done {
    let (id, row) = order;
    let draft = state_of(row) == 0;
    let mut lines = row
        .get("lines")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let place = |wanted: &str| {
        let is = |line: &Value| line.get("id").and_then(Value::as_str) == Some(wanted);
        lines.iter().position(is)
    };
    let answer = match call {
        ("POST", []) if !draft => return Err(Answer::refused(400, "Bad Request")),
        ("POST", []) => {
            let added = line(state, body);
            let made = id_of(&added);
            lines.push(Value::Object(added));
            Some(json!(made))
        }
        ("PUT", [_]) if !draft => return Ok(json!(false)),
        ("PUT", [wanted]) => {
            let at = place(wanted).ok_or_else(|| missing("lines"))?;
            let mut changed = filled(state, wanted.parse().unwrap_or_default(), body);
            // The product of a line stays.
            for field in ["fk_product", "product_ref", "product_label", "product_type"] {
                changed.insert(field.to_owned(), lines[at][field].clone());
            }
            lines[at] = Value::Object(changed);
            None
        }
        ("DELETE", [_]) if !draft => {
            let why = "Method Not Allowed: ErrorDeleteLineNotAllowedByObjectStatus";
            return Err(Answer::refused(405, why));
        }
        ("DELETE", [wanted]) => {
            let at = place(wanted).ok_or_else(|| missing("lines"))?;
            lines.remove(at);
            None
        }
        _ => return Err(Answer::refused(404, "Not Found")),
    };
    if let Some(row) = state.row(ORDERS, id) {
        row.insert("lines".to_owned(), json!(lines));
        amounts::order(row);
    }
    state.touch(ORDERS, id);
    match answer {
        Some(answer) => Ok(answer),
        None => one(state, ORDERS, id),
    }
}
