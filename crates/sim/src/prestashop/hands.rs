//! What people do by hand: buyers in the shop front, staff in the back office.

use super::sale::{Line, Sale, six};
use super::shop::{Shop, State};
use rust_decimal::Decimal;
use serde_json::json;

impl Shop {
    /// How many of a reference there are; none when the shop does not sell it.
    pub fn stock(&self, sku: &str) -> Option<i64> {
        let state = self.lock();
        let (product, combination) = state.place_of(sku)?;
        let stock = state.stock_row(product, combination)?;
        Some(state.quantity(stock))
    }

    /// Somebody counts and enters a quantity. Nothing that has a time of change moves.
    pub fn set_stock(&self, sku: &str, quantity: i64) {
        let mut state = self.lock();
        let place = state.place_of(sku);
        if let Some(stock) = place.and_then(|(product, combination)| {
            let state = &*state;
            state.stock_row(product, combination)
        }) {
            state.put_quantity(stock, quantity);
        }
    }

    /// A buyer orders and pays; none when the shop does not have it, and does not sell below zero.
    pub fn sell(&self, email: &str, goods: &[(&str, u32)]) -> Option<u64> {
        let mut state = self.lock();
        let mut lines = Vec::new();
        for (sku, quantity) in goods {
            let place = state.place_of(sku)?;
            let stock = state.stock_row(place.0, place.1)?;
            if !state.sells(stock, i64::from(*quantity)) {
                return None;
            }
            lines.push(Line {
                product: place,
                sku: (*sku).to_owned(),
                quantity: *quantity,
                price: Decimal::TEN,
                tax: Some(1),
            });
        }
        let sale = Sale {
            email: email.to_owned(),
            guest: false,
            company: None,
            lines,
            shipping: Decimal::from(7),
            voucher: None,
            state: 2,
            message: String::new(),
        };
        Some(state.place(&sale))
    }

    /// A module refuses every change of this row of stock.
    pub fn spoil_stock(&self, row: u64) {
        self.lock().spoilt.insert(row);
    }

    /// While the shop works on the next write, and before its answer, it sells so many of a reference.
    pub fn sell_meanwhile(&self, sku: &str, quantity: i64) {
        self.lock().meanwhile = Some((sku.to_owned(), quantity));
    }

    /// So many of the next writes are answered 500 with nothing in it once they are done.
    pub fn fail_after_writes(&self, count: usize) {
        self.lock().failing = count;
    }

    /// Staff call an order off: its goods are back on the shelf.
    pub fn cancel(&self, order: u64) {
        self.lock().enter(order, 6);
    }

    /// Staff change how many of a line were ordered; amounts and stock follow.
    pub fn change_quantity(&self, detail: u64, quantity: u32) {
        self.lock().change_quantity(detail, quantity);
    }
}

impl State {
    fn change_quantity(&mut self, detail: u64, quantity: u32) {
        let Some(line) = self.table("order_details").get(&detail).cloned() else {
            return;
        };
        let decimal = |row: &serde_json::Map<String, serde_json::Value>, name: &str| {
            let text = row.get(name).and_then(|value| value.as_str());
            text.and_then(|text| text.parse::<Decimal>().ok())
                .unwrap_or_default()
        };
        let id = |name: &str| -> u64 {
            let text = line.get(name).and_then(|value| value.as_str());
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let order = id("id_order");
        let before = decimal(&line, "product_quantity");
        let after = Decimal::from(quantity);
        let cents = |amount: Decimal| super::sale::cents(amount);
        let (net, gross) = (
            cents(decimal(&line, "unit_price_tax_excl") * after),
            cents(decimal(&line, "unit_price_tax_incl") * after),
        );
        let more = (
            net - decimal(&line, "total_price_tax_excl"),
            gross - decimal(&line, "total_price_tax_incl"),
        );
        if let Some(line) = self.table_mut("order_details").get_mut(&detail) {
            line.insert("product_quantity".to_owned(), json!(quantity.to_string()));
            line.insert("total_price_tax_excl".to_owned(), json!(six(net)));
            line.insert("total_price_tax_incl".to_owned(), json!(six(gross)));
        }
        let now = self.now_text();
        if let Some(row) = self.table_mut("orders").get_mut(&order) {
            for (name, more) in [
                ("total_paid", more.1),
                ("total_paid_tax_incl", more.1),
                ("total_paid_tax_excl", more.0),
                ("total_products", more.0),
                ("total_products_wt", more.1),
            ] {
                let sum = decimal(row, name) + more;
                row.insert(name.to_owned(), json!(six(sum)));
            }
            row.insert("date_upd".to_owned(), json!(now));
        }
        if let Some(stock) = self.stock_row(id("product_id"), id("product_attribute_id")) {
            let taken: i64 = (after - before).try_into().unwrap_or(0);
            let left = self.quantity(stock) - taken;
            self.put_quantity(stock, left);
        }
    }
}
