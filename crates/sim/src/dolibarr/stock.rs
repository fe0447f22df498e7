//! What lies in the warehouses, what open orders ask for, and what moves it.

use super::amounts::number;
use super::records::{missing, row};
use super::trouble::{Answer, Done};
use super::{Falls, Row, State};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

const PRODUCTS: &str = "products";

pub(super) fn whole(value: Option<&Value>) -> i64 {
    i64::try_from(number(value)).unwrap_or_default()
}

fn list<'a>(row: &'a Row, field: &str) -> &'a [Value] {
    row.get(field)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A quantity as it is answered: text, or the number 0 for nothing.
fn written(quantity: Decimal) -> Value {
    if quantity.is_zero() {
        json!(0)
    } else {
        json!(quantity.normalize().to_string())
    }
}

/// A sum as it is answered: a number.
fn summed(quantity: Decimal) -> Value {
    serde_json::from_str(&quantity.normalize().to_string()).unwrap_or_default()
}

impl State {
    /// Moves stock of a product and of the parts that go with it, which moves their `tms`.
    pub(super) fn shift(&mut self, product: i64, warehouse: i64, quantity: Decimal) {
        *self.stock.entry((product, warehouse)).or_default() += quantity;
        self.touch(PRODUCTS, product);
        let parts = self.kits.get(&product).cloned().unwrap_or_default();
        for (part, each, moves) in parts {
            if moves && part != product {
                self.shift(part, warehouse, quantity * each);
            }
        }
    }

    /// What open orders ask for of a product.
    fn ordered(&self, product: i64) -> Decimal {
        let open = |row: &&Row| matches!(whole(row.get("statut")), 1 | 2);
        let orders = self
            .table("orders")
            .into_iter()
            .flat_map(|rows| rows.values());
        let lines = orders.filter(open).flat_map(|row| list(row, "lines"));
        let of_it = lines.filter(|line| whole(line.get("fk_product")) == product);
        of_it.map(|line| number(line.get("qty"))).sum()
    }

    /// What was shipped of a product for orders that are open. Without a rule drafts count as well.
    fn sent(&self, product: i64) -> Decimal {
        let drafts = self.options.falls == Falls::Never;
        let counts = |row: &&Row| {
            let order = self
                .table("orders")
                .and_then(|rows| rows.get(&whole(row.get("origin_id"))));
            let state = whole(row.get("statut"));
            let open = order.is_some_and(|order| matches!(whole(order.get("statut")), 1 | 2));
            open && (state > 0 || (drafts && state == 0))
        };
        let shipments = self
            .table("shipments")
            .into_iter()
            .flat_map(|rows| rows.values());
        let lines = shipments.filter(counts).flat_map(|row| list(row, "lines"));
        let of_it = lines.filter(|line| whole(line.get("fk_product")) == product);
        of_it.map(|line| number(line.get("qty_shipped"))).sum()
    }

    /// Adds the fields of stock to a product's answer. Without the right they are left out, and nothing says so.
    pub(super) fn with_stock(&self, mut row: Row, asked: bool) -> Row {
        if !self.options.stocks {
            return row;
        }
        let id = whole(row.get("id"));
        let places = self.stock.iter().filter(|((product, _), _)| *product == id);
        let places: Vec<(i64, Decimal)> = places.map(|((_, at), real)| (*at, *real)).collect();
        let real: Decimal = places.iter().map(|(_, real)| real).sum();
        row.insert("stock_reel".to_owned(), summed(real));
        if !asked {
            row.insert("stock_theorique".to_owned(), Value::Null);
            row.insert("stock_warehouse".to_owned(), json!([]));
            return row;
        }
        let sent = self.sent(id);
        let promised = match self.options.falls {
            Falls::Shipment => self.ordered(id) - sent,
            Falls::Never => Decimal::ZERO,
        };
        let coming = self.coming.get(&id).copied().unwrap_or_default();
        row.insert(
            "stock_theorique".to_owned(),
            summed(real - promised + coming),
        );
        row.insert(
            "stats_expedition".to_owned(),
            json!({"customers": "0", "nb": "0", "rows": "0", "qty": written(sent)}),
        );
        row.insert("stock_warehouse".to_owned(), warehouses(&places));
        row
    }
}

/// PHP writes an empty map as a list.
fn warehouses(places: &[(i64, Decimal)]) -> Value {
    if places.is_empty() {
        return json!([]);
    }
    let place = |(at, real): &(i64, Decimal)| {
        let fields = json!({"real": real.normalize().to_string(), "id": at.to_string()});
        (at.to_string(), fields)
    };
    Value::Object(places.iter().map(place).collect::<Map<String, Value>>())
}

/// `products/{id}/stock`.
pub(super) fn of_product(state: &State, id: i64) -> Done {
    let found = state.table(PRODUCTS).and_then(|rows| rows.get(&id));
    let found = found.ok_or_else(|| missing(PRODUCTS))?.clone();
    let found = state.with_stock(found, true);
    match found.get("stock_warehouse") {
        None => Err(state.no_right()),
        Some(places) if places.is_object() => Ok(json!({"stock_warehouses": places})),
        Some(_) => Err(Answer::refused(404, "Not Found: No stock found")),
    }
}

/// `products/{id}/subproducts`.
pub(super) fn parts(state: &State, id: i64) -> Done {
    let parts = state.kits.get(&id).map_or(&[][..], Vec::as_slice);
    let part = |(at, (part, each, moves)): (usize, &(i64, Decimal, bool))| {
        let of_part = state.table(PRODUCTS).and_then(|rows| rows.get(part));
        let field = |name: &str| {
            of_part
                .and_then(|row| row.get(name))
                .cloned()
                .unwrap_or_default()
        };
        json!({
            "rowid": part.to_string(), "qty": each.normalize().to_string(), "fk_product_type": field("type"), "label": field("label"),
            "incdec": if *moves { "1" } else { "0" }, "ref": field("ref"), "rang": (at + 1).to_string(),
        })
    };
    Ok(json!(
        parts.iter().enumerate().map(part).collect::<Vec<Value>>()
    ))
}

/// Adds a part to a kit; answers how many it has. The kit's `tms` stays.
pub(super) fn add_part(state: &mut State, id: i64, body: &Row) -> Done {
    let part = whole(body.get("subproduct_id"));
    let moves = body
        .get("incdec")
        .is_none_or(|incdec| whole(Some(incdec)) == 1);
    let parts = state.kits.entry(id).or_default();
    parts.push((part, number(body.get("qty")), moves));
    Ok(json!(1))
}

/// A movement by a difference, done as often as it is sent; answers the bare id.
pub(super) fn movement(state: &mut State, body: &Row) -> Done {
    for field in ["product_id", "warehouse_id", "qty"] {
        if !body.contains_key(field) {
            return Err(Answer::refused(
                400,
                &format!("Bad Request: {field} field missing"),
            ));
        }
    }
    let (product, warehouse) = (
        whole(body.get("product_id")),
        whole(body.get("warehouse_id")),
    );
    state.shift(product, warehouse, number(body.get("qty")));
    Ok(json!(state.next_id("stockmovements")))
}

/// A constant of the set-up, for administrators.
pub(super) fn constant(state: &State, name: &str) -> Done {
    if !state.options.admin {
        let why = "Forbidden: Error API open to admin users only or to the users with logins defined into constant API_LOGINS_ALLOWED_FOR_CONST_READ";
        return Err(Answer::refused(403, why));
    }
    let on = match name {
        "STOCK_CALCULATE_ON_SHIPMENT" => state.options.falls == Falls::Shipment,
        "PRODUIT_SOUSPRODUITS" => !state.kits.is_empty(),
        _ => false,
    };
    match (on, state.options.version) {
        (true, _) => Ok(json!("1")),
        (false, ..18) => Err(Answer::refused(
            404,
            "Not Found: Error Bad or unknown value for constantname",
        )),
        (false, _) => Err(Answer::refused(
            400,
            "Bad Request: Error Bad or unknown value for constantname",
        )),
    }
}

/// A warehouse; answers the bare id.
pub(super) fn add_warehouse(state: &mut State, name: &str) -> i64 {
    state.add(
        "warehouses",
        row(json!({"ref": name, "label": name, "statut": "1"})),
    )
}
