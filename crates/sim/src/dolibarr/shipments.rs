//! Shipments: made from an order's lines as drafts, validated with a number, closed, deleted. Their modification time is not shown.

use super::amounts::number;
use super::orders::set_state;
use super::records::{missing, one, row};
use super::stock::whole;
use super::trouble::{Answer, Done};
use super::{Falls, Row, State};
use rust_decimal::Decimal;
use serde_json::{Value, json};

const SHIPMENTS: &str = "shipments";

/// A shipment as it is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldShipment {
    /// Id.
    pub id: i64,
    /// Its number, `(PROV1)` while it is a draft.
    pub number: String,
    /// The order.
    pub order: i64,
    /// −1 cancelled, 0 draft, 1 validated, 2 closed.
    pub state: i64,
    /// What the people wrote as tracking number.
    pub tracking: String,
    /// Lines of the order, and quantities.
    pub lines: Vec<(i64, Decimal)>,
}

impl HeldShipment {
    pub(super) fn of(row: &Row) -> HeldShipment {
        let text = |field: &str| {
            row.get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let lines = row
            .get("lines")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        HeldShipment {
            id: whole(row.get("id")),
            number: text("ref"),
            order: whole(row.get("origin_id")),
            state: whole(row.get("statut")),
            tracking: text("tracking_number"),
            lines: lines
                .map(|line| {
                    (
                        whole(line.get("origin_line_id")),
                        number(line.get("qty_shipped")),
                    )
                })
                .collect(),
        }
    }
}

/// Creates a draft; answers the bare id. The version names its order in one field or the other.
pub(super) fn create(state: &mut State, mut body: Row) -> Done {
    if !body.contains_key("socid") {
        return Err(Answer::refused(400, "Bad Request: socid field missing"));
    }
    let order_id = whole(body.get("origin_id"));
    let order = state
        .table("orders")
        .and_then(|rows| rows.get(&order_id))
        .cloned();
    let given = body.remove("lines").unwrap_or(json!([]));
    let mut lines = Vec::new();
    for line in given.as_array().into_iter().flatten() {
        lines.push(self::line(state, order.as_ref(), line)?);
    }
    let method = whole(body.get("shipping_method_id"));
    let tracking = body
        .get("tracking_number")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let now = state.tick();
    let origin = if state.options.version < 18 {
        "origin"
    } else {
        "origin_type"
    };
    let mut shipment = row(json!({
        "ref_ext": body.get("ref_ext"), "statut": "0", "status": "0", "socid": whole(body.get("socid")).to_string(),
        "origin_id": order_id.to_string(), "tracking_number": tracking, "tracking_url": tracking, "lines": lines,
        "shipping_method_id": if method > 0 { json!(method.to_string()) } else { Value::Null },
        "shipping_method": if method > 0 { json!("Generic transport service") } else { Value::Null },
        "date_creation": now, "date_valid": "", "date_delivery": "", "entrepot_id": null,
    }));
    shipment.insert(origin.to_owned(), json!("commande"));
    let id = state.add(SHIPMENTS, shipment);
    if let Some(row) = state.row(SHIPMENTS, id) {
        row.insert("ref".to_owned(), json!(format!("(PROV{id})")));
    }
    Ok(json!(id))
}

fn line(state: &mut State, order: Option<&Row>, given: &Value) -> Result<Value, Answer> {
    let id = state.next_id("shipment_lines").to_string();
    let named =
        ["fk_elementdet", "origin_line_id", "fk_origin_line"].map(|field| whole(given.get(field)));
    let origin = named.into_iter().find(|id| *id > 0).unwrap_or_default();
    let lines = order
        .and_then(|order| order.get("lines"))
        .and_then(Value::as_array);
    let of_order = lines
        .into_iter()
        .flatten()
        .find(|line| whole(line.get("id")) == origin)
        .ok_or_else(|| Answer::refused(500, "Internal Server Error: Error creating shipment"))?;
    let quantity = number(given.get("qty")).normalize().to_string();
    let warehouse = whole(given.get("entrepot_id")).to_string();
    let mut line = row(json!({
        "id": id, "line_id": id, "origin_line_id": origin.to_string(), "fk_product": of_order.get("fk_product"),
        "product_ref": of_order.get("product_ref"), "product_type": of_order.get("product_type"), "qty": quantity,
        "qty_shipped": quantity, "qty_asked": of_order.get("qty"), "entrepot_id": warehouse,
        "details_entrepot": [{"entrepot_id": warehouse, "qty_shipped": quantity, "line_id": id}],
    }));
    let origin_field = if state.options.version < 18 {
        "fk_origin_line"
    } else {
        "fk_elementdet"
    };
    line.insert(origin_field.to_owned(), json!(origin.to_string()));
    Ok(Value::Object(line))
}

/// What is done to a shipment that is there.
pub(super) fn act(state: &mut State, id: i64, call: (&str, &[&str]), body: Row) -> Done {
    let shipment = state
        .row(SHIPMENTS, id)
        .ok_or_else(|| missing(SHIPMENTS))?
        .clone();
    match call {
        ("PUT", []) => {
            if let Some(row) = state.row(SHIPMENTS, id) {
                let tracking = body.get("tracking_number").cloned();
                row.extend(body);
                if let Some(tracking) = tracking {
                    row.insert("tracking_url".to_owned(), tracking);
                }
            }
            state.touch(SHIPMENTS, id);
            one(state, SHIPMENTS, id)
        }
        // An integer has to be there, with nothing it is 400.
        ("POST", ["validate"]) if !body.get("notrigger").is_some_and(Value::is_i64) => {
            Err(Answer::refused(
                400,
                "Bad Request: Error when validating parameter notrigger",
            ))
        }
        ("POST", ["validate"]) => validate(state, id, &shipment),
        ("POST", ["close"]) if whole(shipment.get("statut")) == 2 => Err(Answer::already()),
        ("POST", ["close"]) => {
            if let Some(row) = state.row(SHIPMENTS, id) {
                set_state(row, 2);
            }
            state.touch(SHIPMENTS, id);
            one(state, SHIPMENTS, id)
        }
        ("DELETE", []) => {
            remove(state, id, &shipment);
            Ok(json!({"success": {"code": 200, "message": "Shipment deleted"}}))
        }
        _ => Err(Answer::refused(404, "Not Found")),
    }
}

/// Gives it its number, takes the goods out of stock where they leave with the shipment, and sets the order "being shipped".
fn validate(state: &mut State, id: i64, shipment: &Row) -> Done {
    if whole(shipment.get("statut")) > 0 {
        return Err(Answer::already());
    }
    state.shipped += 1;
    let number = format!("SH2610-{:04}", state.shipped);
    move_goods(state, shipment, Decimal::NEGATIVE_ONE);
    let order = whole(shipment.get("origin_id"));
    let validated = |order: &mut Row| {
        let was = whole(order.get("statut"));
        if was == 1 {
            set_state(order, 2);
        }
        was == 1
    };
    if state.row("orders", order).is_some_and(validated) {
        state.touch("orders", order);
    }
    state.touch(SHIPMENTS, id);
    let now = state.now;
    if let Some(row) = state.row(SHIPMENTS, id) {
        set_state(row, 1);
        row.insert("ref".to_owned(), json!(number));
        row.insert("date_valid".to_owned(), json!(now));
    }
    one(state, SHIPMENTS, id)
}

fn move_goods(state: &mut State, shipment: &Row, sign: Decimal) {
    if state.options.falls != Falls::Shipment {
        return;
    }
    let lines = shipment.get("lines").and_then(Value::as_array);
    for line in lines.into_iter().flatten() {
        let (product, warehouse) = (
            whole(line.get("fk_product")),
            whole(line.get("entrepot_id")),
        );
        // Services have no stock.
        if product > 0 && line.get("product_type").and_then(Value::as_str) != Some("1") {
            state.shift(product, warehouse, sign * number(line.get("qty_shipped")));
        }
    }
}

/// Deletes a shipment; what left with it comes back.
pub(super) fn remove(state: &mut State, id: i64, shipment: &Row) {
    if whole(shipment.get("statut")) > 0 {
        move_goods(state, shipment, Decimal::ONE);
    }
    if let Some(rows) = state.tables.get_mut(SHIPMENTS) {
        rows.remove(&id);
    }
}

/// `orders/{id}/shipment`.
pub(super) fn of_order(state: &State, order: i64) -> Done {
    let rows = state
        .table(SHIPMENTS)
        .into_iter()
        .flat_map(|rows| rows.values());
    let of_it = rows.filter(|row| whole(row.get("origin_id")) == order);
    Ok(json!(
        of_it.map(super::records::shown).collect::<Vec<Row>>()
    ))
}
