//! What people do in the ERP's pages, and what a test or a demonstration asks it.

use super::amounts::{self, number};
use super::records::row;
use super::shipments::HeldShipment;
use super::stock::whole;
use super::{Dolibarr, HeldOrder, orders, records, shipments, stock};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Dolibarr {
    /// A person opens a warehouse; answers its id. One, `WH1`, is there from the start.
    pub fn warehouse(&self, name: &str) -> i64 {
        stock::add_warehouse(&mut self.state(), name)
    }

    /// A person counts a product in a warehouse.
    pub fn set_stock(&self, product: i64, warehouse: i64, quantity: Decimal) {
        let mut state = self.state();
        let there = state
            .stock
            .get(&(product, warehouse))
            .copied()
            .unwrap_or_default();
        let kits = std::mem::take(&mut state.kits);
        state.shift(product, warehouse, quantity - there);
        state.kits = kits;
    }

    /// A product's stock, by warehouse.
    pub fn stock(&self, product: i64) -> Vec<(i64, Decimal)> {
        let state = self.state();
        let places = state.stock.iter().filter(|((id, _), _)| *id == product);
        places.map(|((_, at), real)| (*at, *real)).collect()
    }

    /// What a supplier is to bring of a product: it counts in the virtual stock.
    pub fn expect(&self, product: i64, quantity: Decimal) {
        self.state().coming.insert(product, quantity);
    }

    /// A person makes a product a kit of these.
    pub fn kit(&self, product: i64, parts: &[(i64, Decimal)]) {
        let parts = parts.iter().map(|(part, each)| (*part, *each, true));
        self.state().kits.insert(product, parts.collect());
    }

    /// A person sells something, and validates the order; answers its id.
    pub fn sell(&self, product: i64, quantity: Decimal) -> i64 {
        let mut state = self.state();
        let customer = records::create(
            &mut state,
            "thirdparties",
            row(json!({"name": "Comptoir du magasin"})),
        );
        let order = json!({
            "socid": customer.unwrap_or_default(), "date": 1,
            "lines": [{"fk_product": product, "qty": quantity.to_string(), "subprice": "10", "tva_tx": "20", "product_type": "0"}],
        });
        let made = orders::create(&mut state, row(order));
        let id = whole(made.ok().as_ref());
        let validated = orders::act(
            &mut state,
            id,
            ("POST", &["validate"]),
            records::row(json!({})),
        );
        validated.map_or(0, |_| id)
    }

    /// A person validates a draft. Nothing happens to what is none.
    pub fn validate(&self, order: i64) {
        orders::act(
            &mut self.state(),
            order,
            ("POST", &["validate"]),
            row(json!({})),
        )
        .ok();
    }

    /// A person changes how many of the line at that place there are, and the price of one; amounts follow.
    pub fn edit_line(&self, order: i64, place: usize, quantity: Decimal, price: Decimal) {
        self.edit_lines(order, |lines| {
            if let Some(line) = lines.get_mut(place).and_then(Value::as_object_mut) {
                line.insert("qty".to_owned(), json!(quantity.to_string()));
                line.insert("subprice".to_owned(), json!(price.to_string()));
                amounts::line(line);
            }
        });
    }

    /// A person adds a line like the first one, of so many.
    pub fn add_line(&self, order: i64, quantity: Decimal) {
        self.edit_lines(order, |lines| {
            let Some(mut line) = lines.first().and_then(Value::as_object).cloned() else {
                return;
            };
            let last = lines.iter().map(|line| whole(line.get("id"))).max();
            let id = (last.unwrap_or_default() + 900_000).to_string();
            line.insert("id".to_owned(), json!(id));
            line.insert("rowid".to_owned(), json!(id));
            line.insert("ref_ext".to_owned(), Value::Null);
            line.insert("qty".to_owned(), json!(quantity.to_string()));
            amounts::line(&mut line);
            lines.push(Value::Object(line));
        });
    }

    fn edit_lines(&self, order: i64, change: impl FnOnce(&mut Vec<Value>)) {
        let mut state = self.state();
        if let Some(row) = state.row("orders", order) {
            if let Some(lines) = row.get_mut("lines").and_then(Value::as_array_mut) {
                change(lines);
            }
            amounts::order(row);
        }
        state.touch("orders", order);
    }

    /// A person enters an order once more, with the same number of the customer; answers its id.
    pub fn copy_order(&self, order: i64) -> Option<i64> {
        let mut state = self.state();
        let mut copy = state.table("orders")?.get(&order)?.clone();
        for field in ["id", "rowid", "ref_ext"] {
            copy.remove(field);
        }
        for line in copy.get_mut("lines").and_then(Value::as_array_mut)? {
            if let Some(line) = line.as_object_mut() {
                line.insert("ref_ext".to_owned(), Value::Null);
            }
        }
        Some(state.add("orders", copy))
    }

    /// A person calls an order off.
    pub fn cancel_order(&self, order: i64) {
        let mut state = self.state();
        if let Some(row) = state.row("orders", order) {
            orders::set_state(row, -1);
        }
        state.touch("orders", order);
    }

    /// A person classifies an order as delivered, whatever was shipped of it.
    pub fn close_order(&self, order: i64) {
        self.edit("orders", order, "statut", json!("3"));
    }

    /// Goods of an order that have not left: its lines, and how many.
    pub fn to_ship(&self, order: i64) -> Vec<(i64, Decimal)> {
        let state = self.state();
        let shipped = |line: i64| -> Decimal {
            let shipments = state.table("shipments").into_iter().flatten();
            let held = shipments.map(|(_, row)| HeldShipment::of(row));
            let of_order = held.filter(|held| held.order == order && held.state >= 0);
            let lines = of_order.flat_map(|held| held.lines);
            lines
                .filter(|(id, _)| *id == line)
                .map(|(_, quantity)| quantity)
                .sum()
        };
        let found = state.table("orders").and_then(|rows| rows.get(&order));
        let lines = found
            .and_then(|row| row.get("lines"))
            .and_then(Value::as_array);
        let goods = lines.into_iter().flatten().filter(|line| {
            let sort = line.get("product_type").and_then(Value::as_str);
            sort != Some("1") && sort != Some("9")
        });
        goods
            .map(|line| (whole(line.get("id")), number(line.get("qty"))))
            .map(|(id, quantity)| (id, quantity - shipped(id)))
            .filter(|(_, rest)| *rest > Decimal::ZERO)
            .collect()
    }

    /// A person packs these lines of an order in a warehouse: a draft, or validated. Answers the shipment's id; none where the order
    /// is not there or nothing is to be shipped.
    pub fn pack(
        &self,
        order: i64,
        lines: &[(i64, Decimal)],
        warehouse: i64,
        tracking: &str,
    ) -> Option<i64> {
        if lines.is_empty() {
            return None;
        }
        let mut state = self.state();
        let customer = state.table("orders")?.get(&order)?.get("socid").cloned();
        let line = |(line, quantity): &(i64, Decimal)| json!({"origin_line_id": line, "qty": quantity.to_string(), "entrepot_id": warehouse});
        let lines: Vec<Value> = lines.iter().map(line).collect();
        let body = json!({
            "socid": customer, "origin_id": order, "tracking_number": tracking, "shipping_method_id": 2, "lines": lines,
        });
        let made = shipments::create(&mut state, row(body)).ok();
        Some(whole(made.as_ref())).filter(|id| *id > 0)
    }

    /// A person ships all that is left of an order from warehouse 1; answers the shipment's id.
    pub fn ship(&self, order: i64, tracking: &str) -> Option<i64> {
        let shipment = self.pack(order, &self.to_ship(order), 1, tracking)?;
        self.send_off(shipment);
        Some(shipment)
    }

    /// A person ships part of an order from warehouse 1; answers the shipment's id.
    pub fn ship_part(&self, order: i64, lines: &[(i64, Decimal)], tracking: &str) -> Option<i64> {
        let shipment = self.pack(order, lines, 1, tracking)?;
        self.send_off(shipment);
        Some(shipment)
    }

    /// A person validates a shipment: the goods leave.
    pub fn send_off(&self, shipment: i64) {
        let body = row(json!({"notrigger": 0}));
        shipments::act(&mut self.state(), shipment, ("POST", &["validate"]), body).ok();
    }

    /// A person writes a tracking number on a shipment.
    pub fn track(&self, shipment: i64, tracking: &str) {
        let body = row(json!({"tracking_number": tracking}));
        shipments::act(&mut self.state(), shipment, ("PUT", &[]), body).ok();
    }

    /// A person classifies a shipment as delivered.
    pub fn deliver(&self, shipment: i64) {
        shipments::act(
            &mut self.state(),
            shipment,
            ("POST", &["close"]),
            row(json!({})),
        )
        .ok();
    }

    /// A person calls a shipment off that has not left.
    pub fn call_off(&self, shipment: i64) {
        let mut state = self.state();
        if let Some(row) = state
            .row("shipments", shipment)
            .filter(|row| whole(row.get("statut")) == 0)
        {
            orders::set_state(row, -1);
            state.touch("shipments", shipment);
        }
    }

    /// A person deletes a shipment: what left with it comes back.
    pub fn delete_shipment(&self, shipment: i64) {
        shipments::act(&mut self.state(), shipment, ("DELETE", &[]), row(json!({}))).ok();
    }

    /// Shipments that are there, by id.
    pub fn shipments(&self) -> Vec<HeldShipment> {
        let state = self.state();
        let rows = state.table("shipments").into_iter().flatten();
        rows.map(|(_, row)| HeldShipment::of(row)).collect()
    }

    /// The id of a product by its reference.
    pub fn product_of(&self, sku: &str) -> Option<i64> {
        let state = self.state();
        let rows = state.table("products").into_iter().flatten();
        let mut fitting =
            rows.filter(|(_, row)| row.get("ref").and_then(Value::as_str) == Some(sku));
        fitting.next().map(|(id, _)| *id)
    }
}

/// Someone in the warehouse who ships what is validated: the same seed ships the same.
#[derive(Debug)]
pub struct Packer {
    rng: SmallRng,
    parcels: u32,
}

impl Packer {
    /// A packer.
    pub fn new(seed: u64) -> Packer {
        Packer {
            rng: SmallRng::seed_from_u64(seed ^ 0xD01),
            parcels: 0,
        }
    }

    /// Ships one validated order, all of it or one piece of a line, with a tracking number or, now and then, without; answers the
    /// shipment's id, and none when nothing is to be shipped.
    pub fn step(&mut self, erp: &Dolibarr) -> Option<i64> {
        let open = |order: &HeldOrder| matches!(order.state, 1 | 2);
        let orders = erp.orders().into_iter().filter(open);
        let waiting: Vec<(i64, Vec<(i64, Decimal)>)> = orders
            .map(|order| (order.id, erp.to_ship(order.id)))
            .filter(|(_, rest)| !rest.is_empty())
            .collect();
        if waiting.is_empty() {
            return None;
        }
        let (order, rest) = &waiting[self.rng.random_range(0..waiting.len())];
        let (line, left) = rest[0];
        let part = self.rng.random_range(0..3) == 0 && (rest.len() > 1 || left > Decimal::ONE);
        let lines = if part {
            vec![(line, left.min(Decimal::ONE))]
        } else {
            rest.clone()
        };
        self.parcels += 1;
        let tracking = match self.rng.random_range(0..10) {
            0 => String::new(),
            1 => format!("6A{:09}, 6B{:09}", self.parcels, self.parcels),
            _ => format!("6A{:09}", self.parcels),
        };
        erp.ship_part(*order, &lines, &tracking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{DOUBLE_SKU, catalogue};
    use crate::dolibarr::DolibarrOptions;

    #[test]
    fn a_packer_ships_everything_once_and_stock_adds_up() {
        let goods = catalogue(7).erp_products();
        let erp = Dolibarr::stocked(DolibarrOptions::default(), &goods, 50);
        assert_eq!(erp.product_of(DOUBLE_SKU), None);
        assert_eq!(erp.stock(erp.product_of("SHIP").unwrap_or_default()), []);
        let mug = erp.product_of("MUG").unwrap_or_default();
        let sold = [3, 1, 4].map(|quantity| erp.sell(mug, quantity.into()));
        let mut packer = Packer::new(7);
        let mut steps = 0;
        while packer.step(&erp).is_some() {
            steps += 1;
            assert!(steps < 20, "it never ends");
        }
        assert!(sold.iter().all(|order| erp.to_ship(*order).is_empty()));
        assert_eq!(erp.shipments().len(), steps);
        assert_eq!(erp.stock(mug), [(1, Decimal::from(42))]);
        assert!(
            erp.shipments()
                .iter()
                .all(|sent| sent.number.starts_with("SH2610-"))
        );
    }

    #[test]
    fn what_comes_back_is_there_again() {
        let erp = Dolibarr::new(DolibarrOptions::default());
        let mug = erp.product("MUG", false, "20");
        erp.set_stock(mug, 1, 5.into());
        let order = erp.sell(mug, 2.into());
        let sent = erp.ship(order, "6A1").unwrap_or_default();
        assert_eq!(erp.stock(mug), [(1, Decimal::from(3))]);
        assert_eq!(erp.ship(order, "6A2"), None, "nothing is left");
        erp.delete_shipment(sent);
        assert_eq!(erp.stock(mug), [(1, Decimal::from(5))]);
        assert_eq!(erp.to_ship(order).len(), 1);
    }
}
