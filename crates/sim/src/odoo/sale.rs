//! Orders: defaults, totals, confirming and cancelling.

use super::amounts::{Amounts, Base, Policy, Tax};
use super::schema::M;
use super::session::{Session, Vals};
use super::store::Row;
use super::trouble::{Done, Trouble};
use super::value::Value;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

impl Session<'_> {
    pub(super) fn order_defaults(&mut self, vals: &mut Vals) -> Done<()> {
        for (name, value) in [
            ("state", json!("draft")),
            ("company_id", json!(self.env.company)),
            ("user_id", json!(self.env.uid)),
            ("team_id", json!(1)),
            ("warehouse_id", json!(1)),
        ] {
            vals.entry(name).or_insert(value);
        }
        Ok(())
    }

    /// Addresses, price list, currency, date and number of a new order.
    pub(super) fn complete_order(&mut self, row: &mut Row, vals: &Vals) -> Done<()> {
        let slot = |name: &str| self.store.slot(M::Order, name);
        let (name, partner, date) = (slot("name"), slot("partner_id"), slot("date_order"));
        let partner = row.slots[partner].clone();
        if partner == Value::Empty {
            // Refused for that reason, and not for want of a number.
            row.slots[name] = Value::text("New");
            return Ok(());
        }
        for (field, kind) in [
            ("partner_invoice_id", "invoice"),
            ("partner_shipping_id", "delivery"),
        ] {
            let slot = self.store.slot(M::Order, field);
            if row.slots[slot] == Value::Empty {
                row.slots[slot] = Value::Ref(self.address_of(&partner, kind));
            }
        }
        for (field, property) in [
            ("payment_term_id", "property_payment_term_id"),
            ("fiscal_position_id", "property_account_position_id"),
            ("pricelist_id", "property_product_pricelist"),
        ] {
            let slot = self.store.slot(M::Order, field);
            if row.slots[slot] == Value::Empty && !vals.contains_key(field) {
                row.slots[slot] = self.store.follow(M::Partner, &partner, property);
            }
        }
        let pricelist = self.store.slot(M::Order, "pricelist_id");
        if row.slots[pricelist] == Value::Empty && !vals.contains_key("pricelist_id") {
            row.slots[pricelist] = self.default_pricelist();
        }
        let position = self.store.slot(M::Order, "fiscal_position_id");
        if row.slots[position] == Value::Empty && !vals.contains_key("fiscal_position_id") {
            let shipping = self.store.slot(M::Order, "partner_shipping_id");
            row.slots[position] = self.position_for(&row.slots[shipping].clone());
        }
        self.follow_pricelist(row, vals);
        if row.slots[date] == Value::Empty {
            row.slots[date] = Value::Time(super::value::cut(self.env.now));
        }
        if matches!(row.slots[name].str(), "" | "New" | "/") {
            self.store.order_number += 1;
            row.slots[name] = Value::text(format!("S{:05}", self.store.order_number));
        }
        Ok(())
    }

    /// The order takes its currency from the price list, unless it is given one.
    fn follow_pricelist(&self, row: &mut Row, vals: &Vals) {
        if vals.contains_key("currency_id") {
            return;
        }
        let pricelist = &row.slots[self.store.slot(M::Order, "pricelist_id")];
        let currency = match self.store.follow(M::Pricelist, pricelist, "currency_id") {
            Value::Empty => self.store.company_currency(),
            currency => currency,
        };
        row.slots[self.store.slot(M::Order, "currency_id")] = currency;
    }

    pub(super) fn adjust_order(&mut self, row: &mut Row, vals: &Vals) {
        if vals.contains_key("pricelist_id") {
            self.follow_pricelist(row, vals);
        }
        if vals.contains_key("partner_id") {
            let partner = row.slots[self.store.slot(M::Order, "partner_id")].clone();
            for (field, kind) in [
                ("partner_invoice_id", "invoice"),
                ("partner_shipping_id", "delivery"),
            ] {
                if !vals.contains_key(field) {
                    let address = self.address_of(&partner, kind);
                    row.slots[self.store.slot(M::Order, field)] = Value::Ref(address);
                }
            }
        }
    }

    /// The partner's own address of a kind, or the partner.
    fn address_of(&self, partner: &Value, kind: &str) -> i64 {
        let id = partner.id().unwrap_or_default();
        self.store
            .pointing(M::Partner, "parent_id", id)
            .iter()
            .copied()
            .find(|child| {
                self.store
                    .row(M::Partner, *child)
                    .is_some_and(|row| self.store.get(M::Partner, row, "type").str() == kind)
            })
            .unwrap_or(id)
    }

    fn default_pricelist(&self) -> Value {
        let company = self.store.company_currency();
        let lists = self.store.table(M::Pricelist).rows.values();
        let own = |row: &&Row| self.store.get(M::Pricelist, row, "currency_id") == company;
        let mut lists = lists.filter(own);
        lists.next().map_or(Value::Empty, |row| Value::Ref(row.id))
    }

    /// The fiscal position that applies by itself: none at home, else by region.
    fn position_for(&self, partner: &Value) -> Value {
        let country = self.store.follow(M::Partner, partner, "country_id");
        let home = self.store.follow(M::Company, &Value::Ref(1), "country_id");
        if country == Value::Empty || country == home {
            return Value::Empty;
        }
        let code = self.store.follow(M::Country, &country, "code");
        let vat = self.store.follow(M::Partner, partner, "vat").truthy();
        let wanted = match (super::seed::in_union(code.str()), vat) {
            (true, true) => 1,
            (true, false) => 2,
            (false, _) => 3,
        };
        match self.store.row(M::Position, wanted) {
            Some(row) => Value::Ref(row.id),
            None => Value::Empty,
        }
    }

    pub(super) fn line_defaults(&mut self, vals: &mut Vals) -> Done<()> {
        vals.entry("sequence").or_insert(json!(10));
        vals.entry("discount").or_insert(json!(0));
        vals.entry("customer_lead").or_insert(json!(0));
        let note = vals.get("display_type").is_some_and(Json::is_string);
        let quantity = if note { 0 } else { 1 };
        vals.entry("product_uom_qty").or_insert(json!(quantity));
        Ok(())
    }

    /// What a line takes from its product when it is not given.
    pub(super) fn complete_line(&mut self, row: &mut Row, vals: &Vals) -> Done<()> {
        let version = self.version();
        let product = row.slots[self.store.slot(M::Line, "product_id")].clone();
        if product != Value::Empty && !vals.contains_key("name") {
            let name = self.store.name_of(M::Product, &product);
            row.slots[self.store.slot(M::Line, "name")] = Value::text(name);
        }
        if !vals.contains_key("price_unit") {
            row.slots[self.store.slot(M::Line, "price_unit")] = self.list_price(&product);
        }
        self.remember_price(row);
        if !vals.contains_key(version.line_taxes()) {
            row.slots[self.store.slot(M::Line, version.line_taxes())] =
                self.store.follow(M::Product, &product, "taxes_id");
        }
        if !vals.contains_key(version.line_unit()) {
            row.slots[self.store.slot(M::Line, version.line_unit())] =
                self.store.follow(M::Product, &product, "uom_id");
        }
        Ok(())
    }

    /// From 18 on: the price that a new line begins with counts as Odoo's own, whoever said it, until another one is written.
    fn remember_price(&self, row: &mut Row) {
        if self.version().knows_manual_prices() {
            let slot = |name: &str| self.store.slot(M::Line, name);
            row.slots[slot("technical_price_unit")] = row.slots[slot("price_unit")].clone();
        }
    }

    fn list_price(&self, product: &Value) -> Value {
        let price = self.store.follow(M::Product, product, "list_price");
        Value::Number(price.number())
    }

    /// A changed product brings its name, price and taxes. A changed quantity brings the list price back; from 18 on not when another price
    /// was written after the line was made.
    pub(super) fn adjust_line(&mut self, before: &Row, row: &mut Row, vals: &Vals) {
        let version = self.version();
        let slot = |name: &str| self.store.slot(M::Line, name);
        let product = row.slots[slot("product_id")].clone();
        let moved = before.slots[slot("product_id")] != product;
        let counted = before.slots[slot("product_uom_qty")] != row.slots[slot("product_uom_qty")];
        let manual = version.knows_manual_prices()
            && before.slots[slot("technical_price_unit")] != before.slots[slot("price_unit")];
        let repriced = (moved || counted) && !manual;
        let (name, price, taxes) = (slot("name"), slot("price_unit"), slot(version.line_taxes()));
        if repriced && product != Value::Empty && !vals.contains_key("price_unit") {
            row.slots[price] = self.list_price(&product);
            self.remember_price(row);
        }
        if moved && !vals.contains_key("name") {
            row.slots[name] = Value::text(self.store.name_of(M::Product, &product));
        }
        if moved && !vals.contains_key(version.line_taxes()) {
            row.slots[taxes] = self.store.follow(M::Product, &product, "taxes_id");
        }
        // A line that moves to another order leaves a total behind.
        let order = slot("order_id");
        if let Some(left) = before.slots[order].id()
            && before.slots[order] != row.slots[order]
        {
            self.stale.insert(left);
        }
    }

    pub(super) fn check_line_write(&self, row: &Row, vals: &Vals) -> Done<()> {
        let order = self.store.get(M::Line, row, "order_id");
        let locked = self.store.follow(M::Order, &order, "locked").truthy()
            || self.store.follow(M::Order, &order, "state").str() == "done";
        let protected = [
            "product_id",
            "price_unit",
            "product_uom_qty",
            "discount",
            "name",
        ];
        match protected.iter().any(|name| vals.contains_key(*name)) && locked {
            false => Ok(()),
            true => Err(Trouble::user(
                "It is forbidden to modify the following fields in a locked order:\nDescription\nQuantity\nUnit Price",
            )),
        }
    }

    pub(super) fn mark_stale(&mut self, model: M, id: i64) {
        let order = match model {
            M::Line => self.store.follow(M::Line, &Value::Ref(id), "order_id").id(),
            _ => Some(id),
        };
        self.stale.extend(order);
    }

    /// Only drafts and cancelled orders may go.
    pub(super) fn unlink_order(&mut self, id: i64) -> Done<()> {
        let state = self.store.follow(M::Order, &Value::Ref(id), "state");
        if !matches!(state.str(), "draft" | "cancel") {
            return Err(Trouble::user(
                "You can not delete a sent quotation or a confirmed sales order. You must first cancel it.",
            ));
        }
        let lines = self.store.pointing(M::Line, "order_id", id).to_vec();
        self.unlink(M::Line, &lines)?;
        self.stale.remove(&id);
        Ok(())
    }

    pub(super) fn unlink_line(&mut self, id: i64) -> Done<()> {
        let Some(row) = self.store.row(M::Line, id).cloned() else {
            return Ok(());
        };
        let order = self.store.get(M::Line, &row, "order_id");
        let state = self.store.follow(M::Order, &order, "state");
        let note = self.store.get(M::Line, &row, "display_type").truthy();
        if matches!(state.str(), "sale" | "done") && !note {
            return Err(Trouble::user(
                "Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\n\nSet the quantity to 0 instead.",
            ));
        }
        let demand = self.store.get(M::Line, &row, "demand").number();
        self.plan(&row, -demand);
        self.stale.extend(order.id());
        Ok(())
    }

    /// Works out the totals of every order that changed. To be called once, before the transaction ends.
    pub(super) fn settle(&mut self) {
        while let Some(order) = self.stale.pop_first() {
            if let Some(row) = self.store.row(M::Order, order) {
                let row = row.clone();
                self.settle_order(row);
            }
        }
    }

    fn settle_order(&mut self, mut order: Row) {
        let slot = |name: &str| self.store.slot(M::Order, name);
        let amounts = (
            slot("amount_untaxed"),
            slot("amount_tax"),
            slot("amount_total"),
        );
        let confirmed = matches!(order.slots[slot("state")].str(), "sale" | "done");
        let currency = order.slots[slot("currency_id")].clone();
        let decimals = self.store.follow(M::Currency, &currency, "decimal_places");
        let policy = Policy {
            rounding: self.rounding,
            new_engine: self.version().new_taxes(),
            decimals: u32::try_from(decimals.number()).unwrap_or(2),
        };
        let mut bases = Vec::new();
        for id in self.store.pointing(M::Line, "order_id", order.id).to_vec() {
            if let Some(line) = self.store.row(M::Line, id) {
                let line = line.clone();
                bases.push(self.settle_line(line, &policy, confirmed));
            }
        }
        let total = policy.document(&bases);
        let new = [total.net, total.tax, total.gross()].map(Value::Number);
        let slots = [amounts.0, amounts.1, amounts.2];
        if slots
            .iter()
            .zip(&new)
            .any(|(slot, value)| order.slots[*slot] != *value)
        {
            for (slot, value) in slots.into_iter().zip(new) {
                order.slots[slot] = value;
            }
            order.written = self.env.now;
            order.writer = self.env.uid;
            self.store.put(M::Order, order);
        }
    }

    fn settle_line(&mut self, mut line: Row, policy: &Policy, confirmed: bool) -> Base {
        let base = self.base_of(&line);
        let note = self.store.get(M::Line, &line, "display_type").truthy();
        let amounts = if note {
            Amounts::default()
        } else {
            policy.line(&base)
        };
        let slot = |name: &str| self.store.slot(M::Line, name);
        let product = line.slots[slot("product_id")].id();
        let quantity = line.slots[slot("product_uom_qty")].number();
        let goods = product.is_some_and(|product| self.store.delivered_as_goods(product));
        // What was planned once is not planned again, whether it has left or was called off.
        let wanted = match confirmed && goods {
            true => quantity,
            false => Decimal::ZERO,
        };
        let demand = slot("demand");
        let more = wanted - line.slots[demand].number();
        let changes = [
            (slot("price_subtotal"), amounts.net),
            (slot("price_tax"), amounts.tax),
            (slot("price_total"), amounts.gross()),
            (demand, wanted),
        ];
        let mut changed = false;
        for (slot, amount) in changes {
            let value = Value::Number(amount);
            changed |= line.slots[slot] != value;
            line.slots[slot] = value;
        }
        if changed {
            line.written = self.env.now;
            self.plan(&line, more);
            self.store.put(M::Line, line);
        }
        base
    }

    fn base_of(&self, line: &Row) -> Base {
        let number = |name: &str| self.store.get(M::Line, line, name).number();
        let left = Decimal::ONE - number("discount") / Decimal::ONE_HUNDRED;
        let mut taxes: Vec<(i64, Tax)> = Vec::new();
        for &id in self
            .store
            .get(M::Line, line, self.version().line_taxes())
            .ids()
        {
            let Some(row) = self.store.row(M::Tax, id) else {
                continue;
            };
            let get = |name: &str| self.store.get(M::Tax, row, name);
            let sequence = get("sequence").id().unwrap_or_default();
            let tax = Tax {
                id,
                rate: get("amount").number(),
                included: get("price_include").truthy(),
                affects_base: get("include_base_amount").truthy(),
            };
            taxes.push((sequence, tax));
        }
        taxes.sort_by_key(|(sequence, tax)| (*sequence, tax.id));
        Base {
            raw: number("product_uom_qty") * number("price_unit") * left,
            taxes: taxes.into_iter().map(|(_, tax)| tax).collect(),
        }
    }

    /// The quant of a product at a place, made when there is none.
    pub(super) fn quant_of(&mut self, product: i64, location: i64) -> Row {
        let known = self.store.pointing(M::Quant, "product_id", product);
        let mut rows = known.iter().filter_map(|id| self.store.row(M::Quant, *id));
        let here =
            rows.find(|row| self.store.get(M::Quant, row, "location_id").id() == Some(location));
        if let Some(row) = here {
            return row.clone();
        }
        let id = self.store.next_id(M::Quant);
        let mut row = self.store.blank(M::Quant, id, self.env.uid, self.env.now);
        let slot = |name: &str| self.store.slot(M::Quant, name);
        row.slots[slot("product_id")] = Value::Ref(product);
        row.slots[slot("location_id")] = Value::Ref(location);
        row.slots[slot("quantity")] = Value::Number(Decimal::ZERO);
        row.slots[slot("reserved_quantity")] = Value::Number(Decimal::ZERO);
        row.slots[slot("in_date")] = Value::Time(self.env.now);
        row
    }
}
