//! Writes: what a body asks for, and what comes of it. Rows are taken one after another; at the first that is refused the shop stops, and
//! what it took stays.

use super::answer::Answer;
use super::rows::{entity, row};
use super::shop::State;
use axum::http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What the shop does beside a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    /// It mails the buyer.
    pub mails: bool,
}

/// One entity of a body: its fields, in their order.
type Fields = Vec<(String, String)>;

/// The entities that stand directly under the root. A wrapper around them is an entity of its own, without an id.
fn entities(body: &str) -> Vec<Fields> {
    let Some(start) = body.find("<prestashop") else {
        return Vec::new();
    };
    let rest = &body[start..];
    let inner = rest.find('>').map_or("", |at| &rest[at + 1..]);
    let inner = inner.split("</prestashop>").next().unwrap_or_default();
    elements(inner)
        .into_iter()
        .map(|(_, fields)| elements(&fields))
        .collect()
}

/// The elements of a text: names and what is inside.
fn elements(text: &str) -> Fields {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let after = &rest[open + 1..];
        let Some(end) = after.find('>') else { break };
        let head = &after[..end];
        let name = head.trim_end_matches('/').split_whitespace().next();
        let name = name.unwrap_or_default().to_owned();
        if head.ends_with('/') {
            found.push((name, String::new()));
            rest = &after[end + 1..];
            continue;
        }
        let inside = &after[end + 1..];
        let Some(stop) = end_of(&name, inside) else {
            break;
        };
        let close = name.len() + 3;
        found.push((name, plain(&inside[..stop])));
        rest = &inside[stop + close..];
    }
    found
}

/// Where an element ends: one of its own name may stand in it.
fn end_of(name: &str, inside: &str) -> Option<usize> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let mut depth = 0usize;
    let mut at = 0;
    loop {
        let stop = at + inside[at..].find(&close)?;
        depth += inside[at..stop].matches(&open).count();
        if depth == 0 {
            return Some(stop);
        }
        depth -= 1;
        at = stop + close.len();
    }
}

/// The text of an element; the entities of the five that XML has are resolved unless elements stand in it.
fn plain(text: &str) -> String {
    if text.contains("</") {
        return text.to_owned();
    }
    let text = text.replace("<![CDATA[", "").replace("]]>", "");
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#39;", "'").replace("&amp;", "&")
}

fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

fn number(fields: &Fields, name: &str) -> u64 {
    value(fields, name)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

fn refused(status: u16, code: i64, message: &str) -> Answer {
    Answer::errors(false, status, &[(code, message)])
}

/// What every write needs: XML, that is no JSON.
fn readable(body: &str) -> Result<Vec<Fields>, Answer> {
    if body.contains("<prestashop") {
        return Ok(entities(body));
    }
    let errors = [
        (
            3,
            "[PHP Warning #2] SimpleXMLElement::__construct(): Start tag expected",
        ),
        (127, "XML error : String could not be parsed as XML"),
    ];
    Err(Answer::errors(false, 500, &errors))
}

/// A resource that can be written.
pub(crate) fn write(
    state: &mut State,
    method: &Method,
    resource: &'static str,
    body: &str,
    asked: Asked,
) -> Answer {
    let entities = match readable(body) {
        Ok(entities) => entities,
        Err(answer) => return answer,
    };
    let answer = done(state, method, resource, &entities, asked);
    if let Some((sku, quantity)) = state.meanwhile.take() {
        let place = state.place_of(&sku);
        let stock = place.and_then(|(product, combination)| state.stock_row(product, combination));
        if let Some(stock) = stock {
            let left = state.quantity(stock) - quantity;
            state.put_quantity(stock, left);
        }
    }
    if state.failing > 0 {
        state.failing -= 1;
        return Answer::dead();
    }
    answer
}

fn done(
    state: &mut State,
    method: &Method,
    resource: &'static str,
    entities: &[Fields],
    asked: Asked,
) -> Answer {
    match (method, resource) {
        (&Method::POST, "order_histories") => history(state, entities, asked),
        (&Method::POST, "messages") => message(state, entities),
        (&Method::POST, _) => refused(
            405,
            101,
            &format!("Method POST is not allowed for the resource {resource}"),
        ),
        _ => change(state, method, resource, entities, asked),
    }
}

/// Appends a state to an order's history. The shop takes the same state again, and dies at one that it does not have.
fn history(state: &mut State, entities: &[Fields], asked: Asked) -> Answer {
    let none = Fields::new();
    let fields = entities.first().unwrap_or(&none);
    let (order, wanted) = (number(fields, "id_order"), number(fields, "id_order_state"));
    if !state.table("order_states").contains_key(&wanted)
        || !state.table("orders").contains_key(&order)
    {
        return Answer::dead();
    }
    let id = state.enter(order, wanted);
    state.writes += 1;
    let sends = state.table("order_states")[&wanted]["send_email"] == json!("1");
    if asked.mails && sends {
        if state.trouble.mail_broken {
            return refused(500, 46, "Unable to save resource");
        }
        state.mail(order, &format!("state {wanted}"));
    }
    let shown = row(
        id,
        json!({ "id_order_state": wanted, "id_order": order, "date_add": state.now_text() }),
    );
    shown_as(201, "order_history", &[shown])
}

/// Adds a message. Its text is cleaned of markup, and refused when it is longer than the shop takes.
fn message(state: &mut State, entities: &[Fields]) -> Answer {
    let none = Fields::new();
    let fields = entities.first().unwrap_or(&none);
    if value(fields, "id").is_some() {
        return refused(400, 91, "id is forbidden when adding a new resource");
    }
    let text = value(fields, "message").unwrap_or_default();
    if text.is_empty() {
        return refused(400, 41, "parameter \"message\" required");
    }
    if text.chars().count() > 1600 {
        let why = "Validation error: \"The length of property Message->message is currently too long. It must be between 0 and 1600 chars.\"";
        return refused(400, 85, why);
    }
    let text: String = without_tags(text);
    let of = |name: &str| value(fields, name).unwrap_or("0").to_owned();
    let fields = json!({"id_cart": of("id_cart"), "id_order": of("id_order"), "id_customer": of("id_customer"),
        "id_employee": of("id_employee"), "private": of("private"), "message": text, "date_add": state.now_text()});
    let id = state.add("messages", fields);
    state.writes += 1;
    let shown = state.table("messages")[&id].clone();
    shown_as(201, "message", &[shown])
}

fn without_tags(text: &str) -> String {
    let mut kept = String::new();
    let mut inside = false;
    for sign in text.chars() {
        match sign {
            '<' => inside = true,
            '>' if inside => inside = false,
            sign if !inside => kept.push(sign),
            _ => {}
        }
    }
    kept
}

/// Changes rows: PATCH what is named, PUT everything, so that what is not named is empty then.
fn change(
    state: &mut State,
    method: &Method,
    resource: &'static str,
    entities: &[Fields],
    asked: Asked,
) -> Answer {
    let ids: Vec<u64> = entities
        .iter()
        .filter(|fields| value(fields, "id").is_some_and(|id| !id.is_empty()))
        .map(|fields| number(fields, "id"))
        .collect();
    if ids.iter().collect::<BTreeSet<_>>().len() != ids.len() {
        return refused(400, 89, "id is duplicate in request");
    }
    if ids.len() != entities.len() || ids.is_empty() {
        return refused(400, 90, "id is required when modifying a resource");
    }
    let mut shown = Vec::new();
    for (id, fields) in ids.into_iter().zip(entities) {
        match one(state, method, resource, id, fields, asked) {
            Ok(row) => shown.push(row),
            Err(answer) => return answer,
        }
    }
    shown_as(200, entity(resource), &shown)
}

fn one(
    state: &mut State,
    method: &Method,
    resource: &'static str,
    id: u64,
    fields: &Fields,
    asked: Asked,
) -> Result<Map<String, Value>, Answer> {
    let Some(mut row) = state.table(resource).get(&id).cloned() else {
        return Err(refused(404, 92, "Invalid ID"));
    };
    if *method == Method::PUT {
        for (name, value) in &mut row {
            if name != "id" {
                *value = json!(if value.as_str() == Some("") { "" } else { "0" });
            }
        }
    }
    for (name, value) in fields.iter().filter(|(name, _)| name != "id") {
        if !row.contains_key(name) {
            let why = format!("parameter \"{name}\" can't be found");
            return Err(refused(400, 93, &why));
        }
        row.insert(name.clone(), json!(value));
    }
    if resource == "stock_availables" && state.spoilt.contains(&id) {
        let why = "Validation error: \"a module refuses this\"";
        return Err(refused(400, 85, why));
    }
    valid(resource, &row)?;
    state.table_mut(resource).insert(id, row.clone());
    state.writes += 1;
    after(state, resource, &row, asked)?;
    Ok(row)
}

fn valid(resource: &str, row: &Map<String, Value>) -> Result<(), Answer> {
    if resource != "stock_availables" {
        return Ok(());
    }
    if row["depends_on_stock"] == json!("1") {
        let why = "You cannot update the available stock when it depends on stock.";
        return Err(refused(500, 133, why));
    }
    let quantity = row["quantity"].as_str().unwrap_or_default();
    match quantity.parse::<i32>() {
        Ok(_) => Ok(()),
        Err(_) => {
            let why = "Validation error: \"The range of property StockAvailable-&gt;quantity is currently 0. It must be between -2147483648 and 2147483647.\"";
            Err(refused(400, 85, why))
        }
    }
}

/// What follows a change. A mail that fails is answered as a failure, and the change stays.
fn after(
    state: &mut State,
    resource: &str,
    row: &Map<String, Value>,
    asked: Asked,
) -> Result<(), Answer> {
    let of = |name: &str| -> u64 {
        let text = row.get(name).and_then(Value::as_str);
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    match resource {
        // The sum itself can be overwritten, and stays so until a combination is written.
        "stock_availables" if of("id_product_attribute") == 0 => {}
        "stock_availables" => state.sum_stock(of("id_product")),
        "order_carriers" => {
            let order = of("id_order");
            let tracking = row["tracking_number"].clone();
            let number = tracking.as_str().unwrap_or_default().to_owned();
            if let Some(order) = state.table_mut("orders").get_mut(&order) {
                order.insert("shipping_number".to_owned(), tracking);
            }
            let carrier = state
                .table("orders")
                .get(&order)
                .and_then(|order| order["id_carrier"].as_str()?.parse::<u64>().ok());
            let followed = carrier
                .and_then(|carrier| state.table("carriers").get(&carrier))
                .is_some_and(|carrier| carrier["url"].as_str().is_some_and(|url| !url.is_empty()));
            // Without the carrier's address to follow parcels on the shop sends nothing, and says that all is well.
            if asked.mails && followed {
                if state.trouble.mail_broken {
                    return Err(refused(500, 46, "Unable to save resource"));
                }
                state.mail(order, &format!("in transit {number}"));
            }
        }
        _ => {}
    }
    Ok(())
}

fn shown_as(status: u16, entity: &str, rows: &[Map<String, Value>]) -> Answer {
    let mut text = String::new();
    for row in rows {
        text.push_str(&format!("<{entity}>\n"));
        for (name, value) in row {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            text.push_str(&format!("\t<{name}><![CDATA[{value}]]></{name}>\n"));
        }
        text.push_str(&format!("</{entity}>\n"));
    }
    Answer::xml(status, &text)
}

impl State {
    /// Notes that the buyer of an order was mailed.
    pub(crate) fn mail(&mut self, order: u64, what: &str) {
        self.mailed.push(format!("{order} {what}"));
    }

    /// Puts an order into a state: a line of history, a payment and an invoice number when it becomes paid, its goods back on the shelf when
    /// it is called off.
    pub(crate) fn enter(&mut self, order: u64, wanted: u64) -> u64 {
        let now = self.now_text();
        let paid = self.table("order_states")[&wanted]["paid"] == json!("1");
        let id = self.next_id("order_histories");
        let line = json!({"id_employee": "0", "id_order": order, "id_order_state": wanted, "date_add": now});
        self.table_mut("order_histories").insert(id, row(id, line));
        let Some(entry) = self.table_mut("orders").get_mut(&order) else {
            return id;
        };
        let before = entry["current_state"].as_str().unwrap_or("0").to_owned();
        entry.insert("current_state".to_owned(), json!(wanted.to_string()));
        entry.insert("valid".to_owned(), json!(if paid { "1" } else { "0" }));
        entry.insert("date_upd".to_owned(), json!(now));
        let at = self.now();
        if let Some(known) = self.known.get_mut(&order) {
            known.modified = at;
        }
        let Some(entry) = self.table_mut("orders").get_mut(&order) else {
            return id;
        };
        let unpaid = entry["total_paid_real"].as_str() == Some("0.000000");
        let (reference, total) = (
            entry["reference"].clone(),
            entry["total_paid_tax_incl"].clone(),
        );
        let (method, currency) = (entry["payment"].clone(), entry["id_currency"].clone());
        if paid && unpaid {
            entry.insert("total_paid_real".to_owned(), total.clone());
            entry.insert("invoice_number".to_owned(), json!(order.to_string()));
            let payment = self.next_id("order_payments");
            let fields = json!({"order_reference": reference, "id_currency": currency, "amount": total, "payment_method": method,
                "conversion_rate": "1.000000", "transaction_id": "", "card_number": "", "card_brand": "", "card_expiration": "",
                "card_holder": "", "date_add": now, "id_employee": Value::String(String::new())});
            self.table_mut("order_payments")
                .insert(payment, row(payment, fields));
        }
        let called_off = |state: &str| matches!(state, "6" | "8");
        match (
            called_off(&before),
            called_off(&wanted.to_string()),
            before.as_str(),
        ) {
            (false, true, "0") => {}
            (false, true, _) => self.take_goods(order, -1),
            (true, false, _) | (false, false, "0") => self.take_goods(order, 1),
            _ => {}
        }
        id
    }
}
