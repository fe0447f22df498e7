//! What tests do in the shop by hand, and what they look at: stock, sales, what a buyer was mailed, metadata.

use super::order::Note;
use super::products::merge_meta;
use super::sales;
use super::shop::Shop;
use super::state::second;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Shop {
    /// Stock of a SKU, when it is counted.
    pub fn stock(&self, sku: &str) -> Option<Decimal> {
        let state = self.lock();
        let id = state.product_of(sku)?;
        state.products.get(&id)?.stock
    }

    /// Sets the stock of a SKU by hand, as in the shop's own screen, or with none stops counting it. False when there is no such SKU.
    pub fn set_stock(&self, sku: &str, stock: Option<Decimal>) -> bool {
        let mut state = self.lock();
        let Some(id) = state.product_of(sku) else {
            return false;
        };
        if let Some(product) = state.products.get_mut(&id) {
            product.stock = stock;
            product.manage_stock = stock.is_some();
        }
        state.modify_product(id, second(Timestamp::now()));
        state.hooks.fire("product.updated", id);
        true
    }

    /// Puts more products on sale that are counted, beside those of the catalogue: SKU and stock of each.
    pub fn put_on_sale(&self, goods: &[(String, i64)]) {
        let mut state = self.lock();
        let Some(model) = state
            .products
            .values()
            .find(|product| product.kind == "simple")
            .cloned()
        else {
            return;
        };
        for (id, (sku, stock)) in (100_000..).zip(goods) {
            let product = super::product::Product {
                id,
                sku: sku.clone(),
                name: sku.clone(),
                gtin: String::new(),
                manage_stock: true,
                stock: Some(Decimal::from(*stock)),
                ..model.clone()
            };
            state.add_product(product);
        }
    }

    /// Lets the shop sell a SKU below zero, or no longer.
    pub fn set_backorders(&self, sku: &str, allowed: bool) {
        let mut state = self.lock();
        if let Some(id) = state.product_of(sku) {
            if let Some(product) = state.products.get_mut(&id) {
                product.backorders = if allowed { "notify" } else { "no" }.to_owned();
            }
            state.modify_product(id, second(Timestamp::now()));
        }
    }

    /// The product or variation with a SKU, as order lines and stock name it.
    pub fn product_id(&self, sku: &str) -> Option<u64> {
        self.lock().product_of(sku)
    }

    /// Sells: a paid order of a guest, with these SKUs and quantities. The shop checks no stock here, as its API does not. None when a
    /// SKU is not sold.
    pub fn sell(&self, lines: &[(&str, u32)]) -> Option<u64> {
        let mut state = self.lock();
        let mut items = Vec::new();
        for (sku, quantity) in lines {
            let product = state.products.get(&state.product_of(sku)?)?;
            items.push(match product.parent {
                0 => json!({ "product_id": product.id, "quantity": quantity }),
                parent => json!({
                    "product_id": parent, "variation_id": product.id, "quantity": quantity,
                }),
            });
        }
        let address = json!({
            "first_name": "Camille", "last_name": "Essai", "address_1": "1 rue de l’Essai",
            "city": "Lyon", "postcode": "69003", "country": "FR", "email": "camille@example.test",
        });
        let body = json!({
            "set_paid": true, "payment_method": "stripe", "billing": address, "shipping": address,
            "line_items": items,
        });
        let answer = sales::create(&mut state, &body).ok()?;
        answer.document().get("id").and_then(Value::as_u64)
    }

    /// Somebody changes an order in the back office, in the words of the shop's API. False when the shop refuses.
    pub fn change(&self, order: u64, body: &Value) -> bool {
        sales::update(&mut self.lock(), order, body).is_ok()
    }

    /// Somebody adds a fee without tax to an order.
    pub fn charge(&self, order: u64, amount: Decimal) -> bool {
        let mut state = self.lock();
        let mut ids = state.ids.clone();
        let fee = super::order::Fee {
            id: ids.item(),
            name: "Fee".to_owned(),
            tax_class: String::new(),
            taxable: false,
            total: amount,
            total_tax: Decimal::ZERO,
            taxes: Vec::new(),
            meta: Vec::new(),
        };
        let done = state.change(order, |order, _| {
            order.fees.push(fee);
            order.total += amount;
        });
        state.ids = ids;
        done.is_some()
    }

    /// Somebody deletes an order for good.
    pub fn delete(&self, order: u64) -> bool {
        self.lock().remove(order).is_some()
    }

    /// The lines of an order: the id of each, how many, and what they come to without tax.
    pub fn lines(&self, order: u64) -> Vec<(u64, Decimal, Decimal)> {
        let state = self.lock();
        let lines = state
            .order(order)
            .into_iter()
            .flat_map(|order| &order.lines);
        lines
            .map(|line| (line.id, line.quantity, line.total))
            .collect()
    }

    /// What the buyer of an order was mailed, the oldest first: the text of each note to the buyer, and `completed` for the shop's own mail
    /// about a completed order.
    pub fn mails(&self, order: u64) -> Vec<String> {
        let state = self.lock();
        let notes = state
            .order(order)
            .into_iter()
            .flat_map(|order| &order.notes);
        let completed = format!("to {}.", sales::label("completed"));
        let mail = |note: &Note| {
            if note.to_customer {
                return Some(note.text.clone());
            }
            note.text
                .ends_with(&completed)
                .then(|| "completed".to_owned())
        };
        notes.filter_map(mail).collect()
    }

    /// The metadata of an order under a key.
    pub fn meta(&self, order: u64, key: &str) -> Option<Value> {
        let state = self.lock();
        let entry = state
            .order(order)?
            .meta
            .iter()
            .find(|meta| meta.key == key)?;
        Some(entry.value.clone())
    }

    /// Sets metadata of an order by hand, as a plug-in does.
    pub fn set_meta(&self, order: u64, key: &str, value: Value) {
        let mut state = self.lock();
        let mut ids = state.ids.clone();
        let body = json!({ "meta_data": [{ "key": key, "value": value }] });
        state.change(order, |order, _| {
            merge_meta(&mut order.meta, &body, &mut ids);
        });
        state.ids = ids;
    }
}
