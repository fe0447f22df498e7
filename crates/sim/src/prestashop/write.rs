//! Writes: a line of an order's history, a tracking number.

use super::answer::Answer;
use super::rows::row;
use super::shop::State;
use serde_json::{Value, json};

/// The value of an element of the body; entities of the five that XML has are resolved.
fn element(body: &str, name: &str) -> Option<String> {
    let start = body.find(&format!("<{name}>"))? + name.len() + 2;
    let end = start + body[start..].find(&format!("</{name}>"))?;
    let text = body[start..end].replace("<![CDATA[", "").replace("]]>", "");
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    let text = text.replace("&quot;", "\"").replace("&apos;", "'");
    Some(text.replace("&amp;", "&"))
}

fn number(body: &str, name: &str) -> u64 {
    element(body, name)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

/// Appends a state to an order's history. The shop takes the same state again, and dies at one that it does not have.
pub(crate) fn history(state: &mut State, body: &str, mails: bool) -> Answer {
    if !body.trim_start().starts_with("<?xml") && !body.contains("<prestashop") {
        return Answer::errors(
            false,
            500,
            &[
                (
                    3,
                    "[PHP Warning #2] SimpleXMLElement::__construct(): Start tag expected",
                ),
                (127, "XML error : String could not be parsed as XML"),
            ],
        );
    }
    let (order, wanted) = (number(body, "id_order"), number(body, "id_order_state"));
    if !state.table("order_states").contains_key(&wanted)
        || !state.table("orders").contains_key(&order)
    {
        return Answer::dead();
    }
    let id = state.enter(order, wanted);
    if mails && state.trouble.mail_broken {
        return Answer::errors(false, 500, &[(46, "Unable to save resource")]);
    }
    Answer::xml(
        201,
        &format!(
            "<order_history>\n<id><![CDATA[{id}]]></id>\n<id_order_state><![CDATA[{wanted}]]></id_order_state>\n<id_order><![CDATA[{order}]]></id_order>\n</order_history>\n"
        ),
    )
}

/// Changes a carrier line. The order then shows the number, and its time of change stays.
pub(crate) fn carrier(state: &mut State, id: u64, body: &str) -> Answer {
    if number(body, "id") != id {
        return Answer::errors(
            false,
            400,
            &[(90, "id is required when modifying a resource")],
        );
    }
    let Some(line) = state.table_mut("order_carriers").get_mut(&id) else {
        return Answer::errors(false, 404, &[(92, "Invalid ID")]);
    };
    let tracking = element(body, "tracking_number").unwrap_or_default();
    line.insert("tracking_number".to_owned(), json!(tracking));
    let order = line["id_order"].as_str().and_then(|id| id.parse().ok());
    if let Some(order) = order.and_then(|order: u64| state.table_mut("orders").get_mut(&order)) {
        order.insert("shipping_number".to_owned(), json!(tracking));
    }
    Answer::xml(
        200,
        &format!("<order_carrier>\n<id><![CDATA[{id}]]></id>\n</order_carrier>\n"),
    )
}

impl State {
    /// Puts an order into a state: a line of history, a payment and an invoice number when it becomes paid.
    pub(crate) fn enter(&mut self, order: u64, wanted: u64) -> u64 {
        let now = self.now_text();
        let paid = self.table("order_states")[&wanted]["paid"] == json!("1");
        let id = self.next_id("order_histories");
        let line = json!({"id_employee": "0", "id_order": order, "id_order_state": wanted, "date_add": now});
        self.table_mut("order_histories").insert(id, row(id, line));
        let Some(entry) = self.table_mut("orders").get_mut(&order) else {
            return id;
        };
        entry.insert("current_state".to_owned(), json!(wanted.to_string()));
        entry.insert("valid".to_owned(), json!(if paid { "1" } else { "0" }));
        entry.insert("date_upd".to_owned(), json!(now));
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
        id
    }
}
