//! The buttons: confirm, cancel, back to draft, count stock.

use super::schema::M;
use super::session::{Session, Vals};
use super::trouble::{Done, Trouble};
use super::value::Value;
use super::version::Version;
use serde_json::{Value as Json, json};

impl Session<'_> {
    fn state(&self, id: i64) -> Done<String> {
        match self.store.row(M::Order, id) {
            Some(row) => Ok(self.store.get(M::Order, row, "state").str().to_owned()),
            None => Err(Trouble::missing(M::Order.name(), id, self.env.uid)),
        }
    }

    fn set_state(&mut self, id: i64, state: &str) -> Done<()> {
        let vals = Vals::from_iter([("state".to_owned(), Json::from(state))]);
        self.write(M::Order, &[id], &vals)
    }

    /// Confirms. 16 does so again and again, later versions refuse the second time; the date becomes now each time.
    pub(super) fn confirm(&mut self, ids: &[i64]) -> Done<Json> {
        for &id in ids {
            let state = self.state(id)?;
            if self.version() >= Version::V17 && !matches!(state.as_str(), "draft" | "sent") {
                return Err(Trouble::user(
                    "Some orders are not in a state requiring confirmation.",
                ));
            }
            if matches!(state.as_str(), "cancel" | "done") {
                return Err(Trouble::user(
                    "It is not allowed to confirm an order in the following states: cancel, done",
                ));
            }
        }
        for &id in ids {
            let vals = Vals::from_iter([
                ("state".to_owned(), Json::from("sale")),
                (
                    "date_order".to_owned(),
                    Json::from(super::value::stamp(self.env.now)),
                ),
            ]);
            self.write(M::Order, &[id], &vals)?;
        }
        Ok(Json::Bool(true))
    }

    /// Cancels. Up to 18 an order that is no draft brings up a wizard and stays as it is, unless the context says not to warn.
    pub(super) fn cancel(&mut self, ids: &[i64]) -> Done<Json> {
        let mut open = Vec::new();
        for &id in ids {
            if self.state(id)? != "draft" {
                open.push(id);
            }
        }
        let warns = self.version() < Version::V19 && !self.env.disable_cancel_warning;
        if let (true, Some(first)) = (warns, open.first()) {
            return Ok(cancel_wizard(*first));
        }
        for &id in ids {
            self.set_state(id, "cancel")?;
            let open = self.open_pickings(id);
            self.cancel_pickings(&open)?;
        }
        Ok(Json::Bool(true))
    }

    /// Back to draft, where that is possible.
    pub(super) fn draft(&mut self, ids: &[i64]) -> Done<Json> {
        for &id in ids {
            if matches!(self.state(id)?.as_str(), "cancel" | "sent") {
                self.set_state(id, "draft")?;
            }
        }
        Ok(Json::Bool(true))
    }

    /// Creates or reuses the quant of a product: counting is done on it.
    pub(super) fn count(&mut self, vals: &Vals) -> Done<i64> {
        let product = vals
            .get("product_id")
            .and_then(Json::as_i64)
            .unwrap_or_default();
        if self.store.row(M::Product, product).is_none() {
            return self.create(M::Quant, vals);
        }
        let place = vals.get("location_id").and_then(Json::as_i64);
        let quant = self.quant_of(product, place.unwrap_or(super::seed::STOCK));
        let id = quant.id;
        self.store.put(M::Quant, quant);
        self.write(M::Quant, &[id], vals)?;
        Ok(id)
    }

    /// Makes counted quantities true. Answers nothing at all.
    pub(super) fn apply_count(&mut self, ids: &[i64]) -> Done<()> {
        for &id in ids {
            let Some(row) = self.store.row(M::Quant, id) else {
                return Err(Trouble::missing(M::Quant.name(), id, self.env.uid));
            };
            let mut row = row.clone();
            let counted = self.store.slot(M::Quant, "inventory_quantity");
            let quantity = self.store.slot(M::Quant, "quantity");
            row.slots[quantity] = Value::Number(row.slots[counted].number());
            row.slots[counted] = Value::Empty;
            row.written = self.env.now;
            let get = |name: &str| self.store.get(M::Quant, &row, name);
            let (product, location) = (get("product_id").id(), get("location_id"));
            self.store.put(M::Quant, row);
            if let Some(product) = product {
                self.reserve_waiting(product, location);
            }
        }
        Ok(())
    }
}

/// The question that 16 asks instead of cancelling.
fn cancel_wizard(order: i64) -> Json {
    json!({
        "name": "Cancel Sales Order",
        "view_mode": "form",
        "res_model": "sale.order.cancel",
        "view_id": 992,
        "type": "ir.actions.act_window",
        "context": {
            "default_use_template": true,
            "default_template_id": 14,
            "default_order_id": order,
            "mark_so_as_canceled": true,
            "default_email_layout_xmlid": "mail.mail_notification_layout_with_responsible_signature",
            "model_description": "Sales Order",
        },
        "target": "new",
    })
}
