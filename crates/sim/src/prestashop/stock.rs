//! The shop's stock: rows by product and combination, what sales take of them, and the sum that a product with combinations shows.

use super::shop::State;
use serde_json::{Map, Value, json};

fn number(row: &Map<String, Value>, name: &str) -> i64 {
    let text = row.get(name).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

impl State {
    /// The row of stock of a product or a combination.
    pub(crate) fn stock_row(&self, product: u64, combination: u64) -> Option<u64> {
        let mut rows = self.table("stock_availables").iter();
        let is_it = |row: &Map<String, Value>| {
            number(row, "id_product") == product as i64
                && number(row, "id_product_attribute") == combination as i64
        };
        rows.find(|(_, row)| is_it(row)).map(|(id, _)| *id)
    }

    /// How many there are.
    pub(crate) fn quantity(&self, stock: u64) -> i64 {
        self.table("stock_availables")
            .get(&stock)
            .map_or(0, |row| number(row, "quantity"))
    }

    /// Sets a quantity, and the sum that follows it.
    pub(crate) fn put_quantity(&mut self, stock: u64, quantity: i64) {
        let Some(row) = self.table_mut("stock_availables").get_mut(&stock) else {
            return;
        };
        row.insert("quantity".to_owned(), json!(quantity.to_string()));
        let product = number(row, "id_product") as u64;
        self.sum_stock(product);
    }

    /// The row of a product with combinations is their sum.
    pub(crate) fn sum_stock(&mut self, product: u64) {
        let own = |row: &&Map<String, Value>| number(row, "id_product") == product as i64;
        let rows = self.table("stock_availables").values().filter(own);
        let parts: Vec<i64> = rows
            .filter(|row| number(row, "id_product_attribute") != 0)
            .map(|row| number(row, "quantity"))
            .collect();
        if parts.is_empty() {
            return;
        }
        let sum: i64 = parts.iter().sum();
        if let Some(id) = self.stock_row(product, 0)
            && let Some(row) = self.table_mut("stock_availables").get_mut(&id)
        {
            row.insert("quantity".to_owned(), json!(sum.to_string()));
        }
    }

    /// Takes the goods of an order off the shelf, or with -1 puts them back. The shop's time of change of a product stays.
    pub(crate) fn take_goods(&mut self, order: u64, sign: i64) {
        if !self.counts_stock() {
            return;
        }
        let lines: Vec<(u64, u64, i64)> = self
            .details_of(order)
            .into_iter()
            .filter_map(|line| self.table("order_details").get(&line))
            .map(|line| {
                let product = number(line, "product_id") as u64;
                let combination = number(line, "product_attribute_id") as u64;
                (product, combination, number(line, "product_quantity"))
            })
            .collect();
        for (product, combination, quantity) in lines {
            if let Some(stock) = self.stock_row(product, combination) {
                let left = self.quantity(stock) - sign * quantity;
                self.put_quantity(stock, left);
            }
        }
    }

    fn setting(&self, name: &str) -> Option<&str> {
        let mut rows = self.table("configurations").values();
        rows.find(|row| row["name"] == json!(name))?["value"].as_str()
    }

    pub(crate) fn counts_stock(&self) -> bool {
        self.setting("PS_STOCK_MANAGEMENT") != Some("0")
    }

    /// Whether a buyer may have so many: of what is there, or below zero where the product or the shop allows it.
    pub(crate) fn sells(&self, stock: u64, quantity: i64) -> bool {
        let Some(row) = self.table("stock_availables").get(&stock) else {
            return false;
        };
        let below_zero = match row["out_of_stock"].as_str() {
            Some("0") => false,
            Some("1") => true,
            _ => self.setting("PS_ORDER_OUT_OF_STOCK") == Some("1"),
        };
        !self.counts_stock() || below_zero || number(row, "quantity") >= quantity
    }
}
