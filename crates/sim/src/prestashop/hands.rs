//! What people do by hand: buyers in the shop front, staff in the back office.

use super::sale::{Line, Sale, cents, six};
use super::shop::{Shop, State};
use super::trade::decimal;
use crate::seed::Seed;
use crate::woocommerce::Deed;
use rust_decimal::Decimal;
use serde_json::{Value, json};

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

    /// Staff write another tracking number on an order, or none.
    pub fn track(&self, order: u64, number: &str) {
        let mut state = self.lock();
        let now = state.now_text();
        let own = order.to_string();
        let of_order =
            |row: &serde_json::Map<String, Value>| row["id_order"].as_str() == Some(own.as_str());
        let lines = state.table("order_carriers").iter();
        let lines: Vec<u64> = lines
            .filter(|(_, row)| of_order(row))
            .map(|(id, _)| *id)
            .collect();
        for line in lines {
            if let Some(row) = state.table_mut("order_carriers").get_mut(&line) {
                row.insert("tracking_number".to_owned(), json!(number));
            }
        }
        if let Some(row) = state.table_mut("orders").get_mut(&order) {
            row.insert("shipping_number".to_owned(), json!(number));
            row.insert("date_upd".to_owned(), json!(now));
        }
    }

    /// Staff charge more for the first line of an order, without tax on it.
    pub fn charge_more(&self, order: u64, amount: Decimal) {
        let mut state = self.lock();
        let now = state.now_text();
        let detail = state.details_of(order).into_iter().next();
        if let Some(line) = detail.and_then(|id| state.table_mut("order_details").get_mut(&id)) {
            let many = decimal(line, "product_quantity").max(Decimal::ONE);
            for (sum, each) in [
                ("total_price_tax_excl", "unit_price_tax_excl"),
                ("total_price_tax_incl", "unit_price_tax_incl"),
            ] {
                let all = decimal(line, sum) + amount;
                line.insert(sum.to_owned(), json!(six(all)));
                line.insert(each.to_owned(), json!(six(all / many)));
            }
        }
        if let Some(row) = state.table_mut("orders").get_mut(&order) {
            for name in [
                "total_paid",
                "total_paid_tax_incl",
                "total_paid_tax_excl",
                "total_products",
                "total_products_wt",
            ] {
                let sum = decimal(row, name) + amount;
                row.insert(name.to_owned(), json!(six(sum)));
            }
            row.insert("date_upd".to_owned(), json!(now));
        }
    }

    /// Staff change how many of a line were ordered; amounts and stock follow.
    pub fn change_quantity(&self, detail: u64, quantity: u32) {
        self.lock().change_quantity(detail, quantity);
    }
}

/// Order states of orders that are worked on.
const OPEN: [&str; 4] = ["2", "3", "10", "11"];

impl Shop {
    /// Staff do one thing to some order by hand, as a seed says; none when there is nothing that fits.
    pub fn act(&self, seed: &mut Seed) -> Option<(u64, Deed)> {
        let deeds = [
            Deed::Quantity,
            Deed::Address,
            Deed::Cancelled,
            Deed::PutBack,
        ];
        let deed = deeds[seed.weighted(&[30, 30, 25, 15])];
        let mut state = self.lock();
        let fitting: Vec<u64> = state
            .table("orders")
            .keys()
            .copied()
            .filter(|order| state.fits(*order, deed))
            .collect();
        let order = *seed.pick(&fitting)?;
        state.touch(order, deed, seed);
        Some((order, deed))
    }

    /// Staff do this to an order. False when it cannot be done to that order now.
    pub fn touch(&self, order: u64, deed: Deed, seed: &mut Seed) -> bool {
        let mut state = self.lock();
        let fits = state.fits(order, deed);
        if fits {
            state.touch(order, deed, seed);
        }
        fits
    }
}

impl State {
    fn fits(&self, order: u64, deed: Deed) -> bool {
        let Some(row) = self.table("orders").get(&order) else {
            return false;
        };
        let now = row["current_state"].as_str().unwrap_or_default();
        let last = self
            .known
            .get(&order)
            .and_then(|known| known.touched.last());
        match deed {
            // Lines are changed while nothing is paid, and where no voucher hangs on their sum.
            Deed::Quantity => now == "10" && decimal(row, "total_discounts").is_zero(),
            Deed::Address | Deed::Cancelled => OPEN.contains(&now),
            Deed::PutBack => now == "6" && last == Some(&Deed::Cancelled),
            Deed::Note | Deed::Trashed => false,
        }
    }

    fn touch(&mut self, order: u64, deed: Deed, seed: &mut Seed) {
        match deed {
            Deed::Quantity => {
                let lines = self.details_of(order);
                let Some(line) = seed.pick(&lines).copied() else {
                    return;
                };
                let row = self.table("order_details").get(&line);
                let before = row.map(|row| decimal(row, "product_quantity"));
                let before: u32 = before.and_then(|many| many.try_into().ok()).unwrap_or(0);
                self.change_quantity(line, before + seed.between(1, 2) as u32);
            }
            Deed::Address => self.send_elsewhere(order, seed),
            Deed::Cancelled => {
                self.enter(order, 6);
            }
            Deed::PutBack => {
                self.enter(order, 2);
            }
            Deed::Note | Deed::Trashed => {}
        }
        let at = self.now();
        if let Some(known) = self.known.get_mut(&order) {
            known.touched.push(deed);
            known.modified = at;
        }
    }

    /// The order gets another address, which is a row of its own.
    fn send_elsewhere(&mut self, order: u64, seed: &mut Seed) {
        let now = self.now_text();
        let row = self.table("orders").get(&order);
        let address = row.and_then(|row| row["id_address_delivery"].as_str()?.parse::<u64>().ok());
        let address = address.and_then(|id| self.table("addresses").get(&id).cloned());
        let Some(mut address) = address else {
            return;
        };
        let street = format!("{} avenue de l’Essai", seed.between(1, 99));
        address.insert("address1".to_owned(), json!(street));
        address.remove("id");
        let id = self.add("addresses", Value::Object(address));
        if let Some(row) = self.table_mut("orders").get_mut(&order) {
            row.insert("id_address_delivery".to_owned(), json!(id.to_string()));
            row.insert("date_upd".to_owned(), json!(now));
        }
    }
}

impl State {
    fn change_quantity(&mut self, detail: u64, quantity: u32) {
        let Some(line) = self.table("order_details").get(&detail).cloned() else {
            return;
        };
        let id = |name: &str| -> u64 {
            let text = line.get(name).and_then(|value| value.as_str());
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let order = id("id_order");
        let before = decimal(&line, "product_quantity");
        let after = Decimal::from(quantity);
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
