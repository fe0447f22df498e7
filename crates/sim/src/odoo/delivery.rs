//! Deliveries: transfers and moves of what orders promise, reservations, what leaves, backorders, and what is called off.

use super::schema::M;
use super::session::Session;
use super::shelf::Part;
use super::store::Row;
use super::trouble::{Done, Trouble};
use super::value::Value;
use super::version::Version;
use rust_decimal::Decimal;
use serde_json::Value as Json;

/// States of a move that is still to be done.
pub(super) const OPEN: [&str; 3] = ["confirmed", "partially_available", "assigned"];

impl Session<'_> {
    /// A record with these values.
    pub(super) fn add(&mut self, model: M, values: &[(&str, Value)]) -> i64 {
        let id = self.store.next_id(model);
        let mut row = self.store.blank(model, id, self.env.uid, self.env.now);
        for (name, value) in values {
            let slot = self.store.slot(model, name);
            row.slots[slot] = value.clone();
        }
        self.store.put(model, row);
        id
    }

    /// Sets values of a record.
    pub(super) fn change(&mut self, model: M, id: i64, values: &[(&str, Value)]) {
        let Some(mut row) = self.store.row(model, id).cloned() else {
            return;
        };
        for (name, value) in values {
            let slot = self.store.slot(model, name);
            row.slots[slot] = value.clone();
        }
        row.written = self.env.now;
        row.writer = self.env.uid;
        self.store.put(model, row);
    }

    fn of(&self, model: M, id: i64, name: &str) -> Value {
        self.store.follow(model, &Value::Ref(id), name)
    }

    /// Plans more (or less) of a line's goods.
    pub(super) fn plan(&mut self, line: &Row, more: Decimal) {
        let get = |name: &str| self.store.get(M::Line, line, name).id();
        let (Some(order), Some(product)) = (get("order_id"), get("product_id")) else {
            return;
        };
        if more.is_zero() {
            return;
        }
        for part in self.store.parts(product) {
            let quantity = part.per * more;
            let known = self.open_moves(line.id, &part);
            if quantity > Decimal::ZERO {
                self.plan_more(order, line.id, &part, known.first().copied(), quantity);
            } else {
                self.plan_less(&known, -quantity);
            }
        }
    }

    fn open_moves(&self, line: i64, part: &Part) -> Vec<i64> {
        let fits = |id: &&i64| {
            let get = |name: &str| self.of(M::StockMove, **id, name);
            OPEN.contains(&get("state").str())
                && get("product_id").id() == Some(part.product)
                && get("bom_line_id") == part.bom_line
        };
        let moves = self.store.pointing(M::StockMove, "sale_line_id", line);
        moves.iter().filter(fits).copied().collect()
    }

    fn plan_more(
        &mut self,
        order: i64,
        line: i64,
        part: &Part,
        known: Option<i64>,
        quantity: Decimal,
    ) {
        if let Some(id) = known {
            let planned = self.of(M::StockMove, id, "product_uom_qty").number() + quantity;
            self.change(
                M::StockMove,
                id,
                &[("product_uom_qty", Value::Number(planned))],
            );
            self.reserve(id);
            return;
        }
        let picking = self.open_picking(order);
        let location = self.of(M::Picking, picking, "location_id");
        let id = self.add(
            M::StockMove,
            &[
                ("product_id", Value::Ref(part.product)),
                ("product_uom_qty", Value::Number(quantity)),
                ("product_uom", Value::Ref(1)),
                ("state", Value::text("confirmed")),
                ("picking_id", Value::Ref(picking)),
                ("sale_line_id", Value::Ref(line)),
                ("bom_line_id", part.bom_line.clone()),
                ("location_id", location),
                ("location_dest_id", Value::Ref(super::seed::CUSTOMERS)),
                ("company_id", Value::Ref(self.env.company)),
            ],
        );
        self.reserve(id);
    }

    /// The last moves give way first; what nothing is left of is called off.
    fn plan_less(&mut self, moves: &[i64], mut less: Decimal) {
        for &id in moves.iter().rev() {
            let planned = self.of(M::StockMove, id, "product_uom_qty").number();
            let taken = less.min(planned);
            if taken.is_zero() {
                continue;
            }
            less -= taken;
            self.release(id);
            if taken == planned {
                self.change(M::StockMove, id, &[("state", Value::text("cancel"))]);
                self.refresh_of(id);
            } else {
                let left = Value::Number(planned - taken);
                self.change(M::StockMove, id, &[("product_uom_qty", left)]);
                self.reserve(id);
            }
        }
    }

    /// The transfer of an order that is still to leave; made when there is none.
    fn open_picking(&mut self, order: i64) -> i64 {
        let open = self.open_pickings(order).first().copied();
        if let Some(id) = open {
            return id;
        }
        let get = |name: &str| self.of(M::Order, order, name);
        let warehouse = match get("warehouse_id") {
            Value::Empty => Value::Ref(1),
            warehouse => warehouse,
        };
        let values = [
            ("origin", get("name")),
            ("state", Value::text("confirmed")),
            ("sale_id", Value::Ref(order)),
            ("partner_id", get("partner_shipping_id")),
            ("carrier_id", get("carrier_id")),
            ("company_id", Value::Ref(self.env.company)),
            (
                "scheduled_date",
                Value::Time(super::value::cut(self.env.now)),
            ),
            ("picking_type_id", self.leaving(&warehouse)),
            (
                "location_id",
                self.store.follow(M::Warehouse, &warehouse, "lot_stock_id"),
            ),
        ];
        self.new_picking(&values)
    }

    fn new_picking(&mut self, values: &[(&str, Value)]) -> i64 {
        self.store.picking_number += 1;
        let sort = values.iter().find(|(name, _)| *name == "picking_type_id");
        let sort = sort.map_or(Value::Empty, |(_, sort)| sort.clone());
        let warehouse = self.store.follow(M::PickingType, &sort, "warehouse_id");
        let code = self.store.follow(M::Warehouse, &warehouse, "code");
        let name = format!("{}/OUT/{:05}", code.str(), self.store.picking_number);
        let id = self.add(M::Picking, values);
        self.change(M::Picking, id, &[("name", Value::text(name))]);
        id
    }

    /// The sort of transfer by which goods leave a warehouse.
    fn leaving(&self, warehouse: &Value) -> Value {
        let rows = self.store.table(M::PickingType).rows.values();
        let mut fitting = rows.filter(|row| {
            let get = |name: &str| self.store.get(M::PickingType, row, name);
            get("code").str() == "outgoing" && get("warehouse_id") == *warehouse
        });
        fitting
            .next()
            .map_or(Value::Empty, |row| Value::Ref(row.id))
    }

    /// The transfers of an order that are still to leave.
    pub(super) fn open_pickings(&self, order: i64) -> Vec<i64> {
        let all = self.store.pointing(M::Picking, "sale_id", order).iter();
        let open = |id: &&i64| {
            let state = self.of(M::Picking, **id, "state");
            !matches!(state.str(), "done" | "cancel")
        };
        all.filter(open).copied().collect()
    }

    fn moves_of(&self, picking: i64) -> Vec<i64> {
        let moves = self.store.pointing(M::StockMove, "picking_id", picking);
        let open = |id: &&i64| OPEN.contains(&self.of(M::StockMove, **id, "state").str());
        moves.iter().filter(open).copied().collect()
    }

    /// Reserves what is free for a move. What is not counted is always there.
    pub(super) fn reserve(&mut self, id: i64) {
        let field = self.version().move_reserved();
        let get = |name: &str| self.of(M::StockMove, id, name);
        let (Some(product), Some(location)) = (get("product_id").id(), get("location_id").id())
        else {
            return;
        };
        let (planned, has) = (get("product_uom_qty").number(), get(field).number());
        let mut more = (planned - has).max(Decimal::ZERO);
        if self.store.storable(product) {
            let quant = self.quant_of(product, location);
            let number = |name: &str| self.store.get(M::Quant, &quant, name).number();
            let free = number("quantity") - number("reserved_quantity");
            more = more.min(free.max(Decimal::ZERO));
            if !more.is_zero() {
                let reserved = Value::Number(number("reserved_quantity") + more);
                let id = quant.id;
                self.store.put(M::Quant, quant);
                self.change(M::Quant, id, &[("reserved_quantity", reserved)]);
            }
        }
        let has = has + more;
        let state = match has {
            has if has >= planned => "assigned",
            has if has > Decimal::ZERO => "partially_available",
            _ => "confirmed",
        };
        let values = [(field, Value::Number(has)), ("state", Value::text(state))];
        self.change(M::StockMove, id, &values);
        self.refresh_of(id);
    }

    /// Gives up what is reserved for a move.
    fn release(&mut self, id: i64) {
        let field = self.version().move_reserved();
        let get = |name: &str| self.of(M::StockMove, id, name);
        let (product, location, has) = (
            get("product_id").id(),
            get("location_id").id(),
            get(field).number(),
        );
        if let (Some(product), Some(location)) = (product, location)
            && self.store.storable(product)
            && !has.is_zero()
        {
            let quant = self.quant_of(product, location);
            let reserved = self
                .store
                .get(M::Quant, &quant, "reserved_quantity")
                .number();
            let id = quant.id;
            self.store.put(M::Quant, quant);
            let left = Value::Number(reserved - has);
            self.change(M::Quant, id, &[("reserved_quantity", left)]);
        }
        self.change(M::StockMove, id, &[(field, Value::Number(Decimal::ZERO))]);
    }

    /// Reserves for whatever waits for a product at a place. Up to 16 nobody does so until told.
    pub(super) fn reserve_waiting(&mut self, product: i64, location: Value) {
        if self.version() < Version::V17 {
            return;
        }
        let moves = self.store.pointing(M::StockMove, "product_id", product);
        let waits = |id: &&i64| {
            let get = |name: &str| self.of(M::StockMove, **id, name);
            matches!(get("state").str(), "confirmed" | "partially_available")
                && get("location_id") == location
        };
        let waiting: Vec<i64> = moves.iter().filter(waits).copied().collect();
        for id in waiting {
            self.reserve(id);
        }
    }

    fn refresh_of(&mut self, done: i64) {
        if let Some(picking) = self.of(M::StockMove, done, "picking_id").id() {
            self.refresh(picking);
        }
    }

    /// The state of a transfer that is still to leave follows its moves. Its `write_date` moves only when the state does.
    fn refresh(&mut self, picking: i64) {
        let moves = self.moves_of(picking);
        let reserved = |id: &i64| self.of(M::StockMove, *id, "state").str() != "confirmed";
        let state = match moves.is_empty() {
            true => "cancel",
            false if moves.iter().any(reserved) => "assigned",
            false => "confirmed",
        };
        if self.of(M::Picking, picking, "state").str() != state {
            self.change(M::Picking, picking, &[("state", Value::text(state))]);
        }
    }

    /// `action_assign`.
    pub(super) fn assign_pickings(&mut self, ids: &[i64]) -> Done<Json> {
        for &picking in ids {
            self.there(picking)?;
            for id in self.moves_of(picking) {
                self.reserve(id);
            }
        }
        Ok(Json::Bool(true))
    }

    /// Calls transfers off. What has left stays.
    pub(super) fn cancel_pickings(&mut self, ids: &[i64]) -> Done<Json> {
        for &picking in ids {
            self.there(picking)?;
            if self.of(M::Picking, picking, "state").str() == "done" {
                return Err(Trouble::user(
                    "You cannot cancel a stock move that has been set to 'Done'. Create a return in order to reverse the moves which took place.",
                ));
            }
            for id in self.moves_of(picking) {
                self.release(id);
                self.change(M::StockMove, id, &[("state", Value::text("cancel"))]);
            }
            self.change(M::Picking, picking, &[("state", Value::text("cancel"))]);
            self.touch_order(picking);
        }
        Ok(Json::Bool(true))
    }

    fn there(&self, picking: i64) -> Done<()> {
        match self.store.row(M::Picking, picking) {
            Some(_) => Ok(()),
            None => Err(Trouble::missing(M::Picking.name(), picking, self.env.uid)),
        }
    }

    /// How far an order is delivered is a column of the order.
    fn touch_order(&mut self, picking: i64) {
        if let Some(order) = self.of(M::Picking, picking, "sale_id").id() {
            self.change(M::Order, order, &[]);
        }
    }

    /// Sends a transfer: all that was planned, or so many of each SKU. The rest becomes a backorder.
    pub(super) fn validate(&mut self, picking: i64, goods: Option<&[(String, Decimal)]>) {
        let mut left: Vec<(i64, Decimal)> = Vec::new();
        let mut backorder = None;
        let mut sent: Vec<(String, Decimal)> = goods.unwrap_or_default().to_vec();
        for id in self.moves_of(picking) {
            let planned = self.of(M::StockMove, id, "product_uom_qty").number();
            let done = match goods {
                None => planned,
                Some(_) => {
                    let product = self.of(M::StockMove, id, "product_id");
                    let sku = self.store.follow(M::Product, &product, "default_code");
                    let of_sku = sent.iter_mut().find(|(name, _)| name == sku.str());
                    of_sku.map_or(Decimal::ZERO, |(_, quantity)| {
                        let done = planned.min(*quantity);
                        *quantity -= done;
                        done
                    })
                }
            };
            left.push((id, done));
        }
        for (id, done) in left {
            self.release(id);
            let planned = self.of(M::StockMove, id, "product_uom_qty").number();
            if done < planned {
                let rest = *backorder.get_or_insert_with(|| self.backorder_of(picking));
                self.hold_back(id, rest, done, planned);
            }
            if !done.is_zero() {
                self.send(id, done);
            }
        }
        let now = Value::Time(super::value::cut(self.env.now));
        let values = [("state", Value::text("done")), ("date_done", now)];
        self.change(M::Picking, picking, &values);
        self.touch_order(picking);
    }

    fn backorder_of(&mut self, picking: i64) -> i64 {
        let names = [
            "origin",
            "sale_id",
            "partner_id",
            "carrier_id",
            "company_id",
            "scheduled_date",
            "picking_type_id",
            "location_id",
        ];
        let mut values: Vec<(&str, Value)> = names
            .map(|name| (name, self.of(M::Picking, picking, name)))
            .to_vec();
        values.push(("state", Value::text("confirmed")));
        values.push(("backorder_id", Value::Ref(picking)));
        self.new_picking(&values)
    }

    /// What of a move does not leave now goes to the backorder: the move itself when nothing of it leaves.
    fn hold_back(&mut self, id: i64, backorder: i64, done: Decimal, planned: Decimal) {
        let to = ("picking_id", Value::Ref(backorder));
        if done.is_zero() {
            self.change(M::StockMove, id, &[to]);
            self.reserve(id);
            return;
        }
        let names = [
            "product_id",
            "product_uom",
            "sale_line_id",
            "bom_line_id",
            "location_id",
            "location_dest_id",
            "company_id",
        ];
        let mut values: Vec<(&str, Value)> = names
            .map(|name| (name, self.of(M::StockMove, id, name)))
            .to_vec();
        values.push(to);
        values.push(("state", Value::text("confirmed")));
        values.push(("product_uom_qty", Value::Number(planned - done)));
        let rest = self.add(M::StockMove, &values);
        self.change(
            M::StockMove,
            id,
            &[("product_uom_qty", Value::Number(done))],
        );
        self.reserve(rest);
    }

    /// So many of a move leave the stock.
    fn send(&mut self, id: i64, done: Decimal) {
        let get = |name: &str| self.of(M::StockMove, id, name);
        let (product, location, line) = (
            get("product_id").id(),
            get("location_id").id(),
            get("sale_line_id").id(),
        );
        if let (Some(product), Some(location)) = (product, location)
            && self.store.storable(product)
        {
            let quant = self.quant_of(product, location);
            let there = self.store.get(M::Quant, &quant, "quantity").number();
            let id = quant.id;
            self.store.put(M::Quant, quant);
            self.change(M::Quant, id, &[("quantity", Value::Number(there - done))]);
        }
        let field = self.version().move_done();
        let mut values = vec![(field, Value::Number(done)), ("state", Value::text("done"))];
        if self.version() >= Version::V17 {
            values.push(("picked", Value::Bool(true)));
        }
        self.change(M::StockMove, id, &values);
        if let Some(line) = line {
            let delivered = Value::Number(self.delivered(line));
            self.change(M::Line, line, &[("qty_delivered", delivered)]);
        }
    }

    /// How many of a line have left; of kits, the whole ones.
    fn delivered(&self, line: i64) -> Decimal {
        let product = self
            .of(M::Line, line, "product_id")
            .id()
            .unwrap_or_default();
        let field = self.version().move_done();
        let left = |part: &Part| -> Decimal {
            let moves = self
                .store
                .pointing(M::StockMove, "sale_line_id", line)
                .iter();
            let fits = |id: &&i64| {
                let get = |name: &str| self.of(M::StockMove, **id, name);
                get("state").str() == "done"
                    && get("product_id").id() == Some(part.product)
                    && get("bom_line_id") == part.bom_line
            };
            moves
                .filter(fits)
                .map(|id| self.of(M::StockMove, *id, field).number())
                .sum()
        };
        let kit = self.store.kit(product).is_some();
        let parts = self.store.parts(product);
        let made = parts.iter().filter(|part| !part.per.is_zero()).map(|part| {
            let whole = left(part) / part.per;
            if kit { whole.floor() } else { whole }
        });
        made.min().unwrap_or_default()
    }
}
