//! What people do in the warehouse: count, send, send in parts, follow parcels, call off, put kits together. And what one sees there.

use super::hand::{product, vals};
use super::schema::M;
use super::session::Session;
use super::shelf::Levels;
use super::trouble::{Done, Trouble};
use super::value::{Value, float};
use super::{Erp, store::Store};
use rust_decimal::Decimal;
use serde_json::json;

/// A delivery of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct ErpDelivery {
    /// Its id.
    pub id: i64,
    /// Its number, such as `WH/OUT/00001`.
    pub name: String,
    /// `confirmed`, `assigned`, `done` or `cancel`.
    pub state: String,
    /// Tracking numbers, as people wrote them.
    pub tracking: String,
    /// The delivery that this holds the rest of.
    pub backorder_of: Option<i64>,
    /// SKU and quantity of what has left with it.
    pub left: Vec<(String, Decimal)>,
}

/// What is there of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErpStock {
    /// Physically there.
    pub on_hand: Decimal,
    /// Reserved for deliveries.
    pub reserved: Decimal,
    /// To go out, reserved or not.
    pub outgoing: Decimal,
}

impl ErpStock {
    /// What can still be promised.
    pub fn available(&self) -> Decimal {
        self.on_hand - self.reserved.max(self.outgoing)
    }
}

impl Erp {
    /// What is there of a product, in one warehouse or in all; none when there is no such product.
    pub fn stock(&self, sku: &str, warehouse: Option<i64>) -> Option<ErpStock> {
        let state = self.state();
        let ids = state.store.with_text(M::Product, "default_code", sku);
        let Levels {
            on_hand,
            reserved,
            outgoing,
        } = state.store.levels(*ids.first()?, warehouse);
        Some(ErpStock {
            on_hand,
            reserved,
            outgoing,
        })
    }

    /// The deliveries of an order, by id.
    pub fn deliveries(&self, order: i64) -> Vec<ErpDelivery> {
        let state = self.state();
        let store = &state.store;
        let ids = store.pointing(M::Picking, "sale_id", order);
        ids.iter().map(|id| delivery(store, *id)).collect()
    }

    /// A person opens one more warehouse, from which goods leave.
    ///
    /// # Errors
    /// What Odoo would tell that person.
    pub fn add_warehouse_by_hand(&self, name: &str, code: &str) -> Result<i64, String> {
        self.by_hand(|session| {
            let place = json!({"name": "Stock", "complete_name": format!("{code}/Stock"),
                "usage": "internal", "company_id": 1});
            let stock = session.create(M::Location, &vals(place))?;
            let warehouse =
                json!({"name": name, "code": code, "company_id": 1, "lot_stock_id": stock});
            let id = session.create(M::Warehouse, &vals(warehouse))?;
            session.write(M::Location, &[stock], &vals(json!({"warehouse_id": id})))?;
            let leaving =
                json!({"name": "Delivery Orders", "code": "outgoing", "warehouse_id": id});
            session.create(M::PickingType, &vals(leaving))?;
            Ok(id)
        })
    }

    /// A person counts a product in one warehouse: so many are on hand.
    ///
    /// # Errors
    /// When there is no such product or warehouse.
    pub fn count_by_hand(&self, warehouse: i64, sku: &str, on_hand: Decimal) -> Result<(), String> {
        self.by_hand(|session| {
            let product = product(session, sku)?;
            let place = session
                .store
                .follow(M::Warehouse, &Value::Ref(warehouse), "lot_stock_id");
            let place = place
                .id()
                .ok_or_else(|| Trouble::user("There is no such warehouse."))?;
            let counted = json!({"product_id": product, "location_id": place,
                "inventory_quantity": float(on_hand)});
            let quant = session.count(&vals(counted))?;
            session.apply_count(&[quant])
        })
    }

    /// A person makes a product a kit of others, so many of each in `made` kits; again, and the kit is another one.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn make_kit_by_hand(
        &self,
        sku: &str,
        made: Decimal,
        parts: &[(&str, Decimal)],
    ) -> Result<i64, String> {
        self.by_hand(|session| {
            let kit = product(session, sku)?;
            let template = session
                .store
                .follow(M::Product, &Value::Ref(kit), "product_tmpl_id");
            let mut lines = Vec::new();
            for (sku, quantity) in parts {
                let part = product(session, sku)?;
                lines.push(
                    json!([0, 0, {"product_id": part, "product_qty": float(*quantity),
                    "product_uom_id": 1}]),
                );
            }
            if let Some(known) = session.store.kit(kit).map(|row| row.id) {
                let mut commands = vec![json!([5, 0, 0])];
                commands.extend(lines);
                let change = json!({"product_qty": float(made), "bom_line_ids": commands});
                session.write(M::Bom, &[known], &vals(change))?;
                return Ok(known);
            }
            let bom = json!({"product_tmpl_id": template.id(), "product_qty": float(made),
                "product_uom_id": 1, "type": "phantom", "sequence": 0, "bom_line_ids": lines});
            session.create(M::Bom, &vals(bom))
        })
    }

    /// A person archives a product, or brings it back.
    ///
    /// # Errors
    /// When there is no such product.
    pub fn archive_by_hand(&self, sku: &str, archived: bool) -> Result<(), String> {
        self.by_hand(|session| {
            let product = product(session, sku)?;
            session.write(M::Product, &[product], &vals(json!({"active": !archived})))
        })
    }

    /// A person has the goods of an order reserved, as far as they are there.
    ///
    /// # Errors
    /// When it has no open delivery.
    pub fn reserve_by_hand(&self, order: i64) -> Result<(), String> {
        self.by_hand(|session| {
            let open = open(session, order)?;
            session.assign_pickings(&open).map(drop)
        })
    }

    /// The warehouse sends a confirmed order: its delivery is done, with a tracking number, and the goods leave the stock.
    ///
    /// # Errors
    /// When it has no open delivery.
    pub fn ship_by_hand(&self, order: i64, tracking: &str) -> Result<i64, String> {
        self.by_hand(|session| ship(session, order, None, tracking))
    }

    /// The warehouse sends so many of each SKU; the rest becomes a backorder.
    ///
    /// # Errors
    /// When it has no open delivery.
    pub fn ship_part_by_hand(
        &self,
        order: i64,
        goods: &[(&str, Decimal)],
        tracking: &str,
    ) -> Result<i64, String> {
        let goods = goods
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), *quantity));
        let goods: Vec<(String, Decimal)> = goods.collect();
        self.by_hand(|session| ship(session, order, Some(&goods), tracking))
    }

    /// The tracking number of a delivery comes, maybe after it has left.
    ///
    /// # Errors
    /// When there is no such delivery.
    pub fn track_by_hand(&self, delivery: i64, tracking: &str) -> Result<(), String> {
        self.by_hand(|session| {
            let tracking = json!({"carrier_tracking_ref": tracking});
            session.write(M::Picking, &[delivery], &vals(tracking))
        })
    }

    /// Whatever of an order has not left is called off.
    ///
    /// # Errors
    /// When it has no open delivery.
    pub fn cancel_backorder_by_hand(&self, order: i64) -> Result<(), String> {
        self.by_hand(|session| {
            let open = open(session, order)?;
            session.cancel_pickings(&open).map(drop)
        })
    }
}

fn open(session: &Session<'_>, order: i64) -> Done<Vec<i64>> {
    let open = session.open_pickings(order);
    if open.is_empty() {
        return Err(Trouble::user("There is nothing to deliver."));
    }
    Ok(open)
}

fn ship(
    session: &mut Session<'_>,
    order: i64,
    goods: Option<&[(String, Decimal)]>,
    tracking: &str,
) -> Done<i64> {
    let picking = open(session, order)?[0];
    session.validate(picking, goods);
    let tracking = json!({"carrier_tracking_ref": tracking});
    session.write(M::Picking, &[picking], &vals(tracking))?;
    Ok(picking)
}

fn delivery(store: &Store, id: i64) -> ErpDelivery {
    let get = |name: &str| store.follow(M::Picking, &Value::Ref(id), name);
    let moves = store.pointing(M::StockMove, "picking_id", id).iter();
    let done = |id: &&i64| store.follow(M::StockMove, &Value::Ref(**id), "state").str() == "done";
    let left = moves.filter(done).map(|id| {
        let of = |name: &str| store.follow(M::StockMove, &Value::Ref(*id), name);
        let sku = store.follow(M::Product, &of("product_id"), "default_code");
        (sku.str().to_owned(), of(store.version.move_done()).number())
    });
    ErpDelivery {
        id,
        name: get("name").str().to_owned(),
        state: get("state").str().to_owned(),
        tracking: get("carrier_tracking_ref").str().to_owned(),
        backorder_of: get("backorder_id").id(),
        left: left.collect(),
    }
}
