//! Products, combinations and their rows of stock.

use super::rows::row;
use super::shop::{Shop, State};
use crate::catalogue::{Catalogue, Item, Sort, TaxClass};
use serde_json::{Value, json};

/// What a product is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goods {
    /// One thing.
    Simple,
    /// Nothing to ship.
    Virtual,
    /// Made of others.
    Pack,
    /// Sold as one of its combinations only.
    Combined,
    /// A combination of this product.
    Of(u64),
}

impl Shop {
    /// Puts something on sale, with so many of it. Answers product and combination; 0 for none.
    pub fn offer(&self, sku: &str, goods: Goods, quantity: i64) -> (u64, u64) {
        let mut state = self.lock();
        let place = match goods {
            Goods::Of(product) => (product, state.next_id("combinations")),
            _ => (state.next_id("products"), 0),
        };
        let now = state.now_text();
        state.offer(place, sku, sku, goods, &now);
        state.shelve(place, quantity, 2);
        place
    }
}

impl State {
    /// The rows of a product, or of a combination.
    fn offer(&mut self, place: (u64, u64), sku: &str, name: &str, goods: Goods, now: &str) {
        let (product, combination) = place;
        if combination != 0 {
            let fields = json!({"id_product": product, "reference": sku, "ean13": "", "upc": "", "weight": "0.000000", "price": "0.000000",
                "minimal_quantity": "1"});
            self.table_mut("combinations")
                .insert(combination, row(combination, fields));
            return;
        }
        let flag = |is: bool| if is { "1" } else { "0" };
        let kind = match goods {
            Goods::Virtual => "virtual",
            Goods::Pack => "pack",
            Goods::Combined => "combinations",
            Goods::Simple | Goods::Of(_) => "standard",
        };
        let fields = json!({"reference": sku, "ean13": "", "upc": "", "active": "1", "id_tax_rules_group": "1", "weight": "0.300000",
            "is_virtual": flag(goods == Goods::Virtual), "cache_is_pack": flag(goods == Goods::Pack), "product_type": kind,
            "price": "0.000000", "name": [{"id": "1", "value": name}, {"id": "2", "value": name}], "date_add": now, "date_upd": now});
        self.table_mut("products")
            .insert(product, row(product, fields));
    }

    /// A row of stock. `out_of_stock`: 0 refuses orders below zero, 1 takes them, 2 does as the shop does.
    fn shelve(&mut self, place: (u64, u64), quantity: i64, out_of_stock: u8) {
        let fields = json!({"id_product": place.0, "id_product_attribute": place.1, "id_shop": "1", "id_shop_group": "0",
            "quantity": quantity, "depends_on_stock": "0", "out_of_stock": out_of_stock, "location": ""});
        self.add("stock_availables", fields);
        self.sum_stock(place.0);
    }

    /// Puts a catalogue on sale. Ids are those of the catalogue.
    pub(crate) fn stock_up(&mut self, catalogue: &Catalogue) {
        let now = self.now_text();
        for item in &catalogue.items {
            let place = place_of(item);
            let goods = match item.sort {
                Sort::Simple => Goods::Simple,
                Sort::Variable => Goods::Combined,
                Sort::Variation => Goods::Of(place.0),
                Sort::Bundle => Goods::Pack,
                Sort::Virtual | Sort::GiftCard => Goods::Virtual,
            };
            self.offer(place, &item.sku, &item.name, goods, &now);
            let resource = if place.1 == 0 {
                "products"
            } else {
                "combinations"
            };
            let id = if place.1 == 0 { place.0 } else { place.1 };
            if let Some(row) = self.table_mut(resource).get_mut(&id) {
                row.insert("ean13".to_owned(), json!(item.gtin));
                row.insert("price".to_owned(), json!(format!("{:.6}", item.price)));
                if item.class == TaxClass::Reduced && place.1 == 0 {
                    row.insert("id_tax_rules_group".to_owned(), json!("2"));
                }
            }
            // What the catalogue does not count is made to order here: the shop counts it all the same, and sells below zero.
            match item.stock {
                Some(stock) => self.shelve(place, stock, 2),
                None => self.shelve(place, 0, 1),
            }
        }
    }

    /// The product and combination that carry a reference; the first of several.
    pub(crate) fn place_of(&self, sku: &str) -> Option<(u64, u64)> {
        let carries = |row: &serde_json::Map<String, Value>| row["reference"] == json!(sku);
        let mut combinations = self.table("combinations").iter();
        if let Some((id, row)) = combinations.find(|(_, row)| carries(row)) {
            let product = row["id_product"].as_str()?.parse().ok()?;
            return Some((product, *id));
        }
        let mut products = self.table("products").iter();
        let (id, _) = products.find(|(_, row)| carries(row))?;
        Some((*id, 0))
    }
}

/// Product and combination of an item of the catalogue.
pub(crate) fn place_of(item: &Item) -> (u64, u64) {
    match item.parent {
        Some(parent) => (parent, item.id),
        None => (item.id, 0),
    }
}
