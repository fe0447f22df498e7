//! What of the catalogue has stock of its own: products without combinations, and combinations. From the rows of products, combinations and
//! `stock_availables` to the canonical document.
//!
//! A product with combinations has a row of stock too. It is their sum: the shop keeps it, and nobody else writes it.

use super::ask::{Mark, Row, grouped};
use super::product::id_of;
use super::read::unreadable;
use comptoir_kit::decode;
use comptoir_model::Decimal;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Record, Unreadable};
use comptoir_model::stock::{Level, Stock};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Fields of a product that its stock needs.
pub(super) const PRODUCT: &str = "id,reference,is_virtual,cache_is_pack";

/// Fields of a combination that its stock needs.
pub(super) const COMBINATION: &str = "id,id_product,reference";

#[derive(Debug, Clone, Deserialize)]
struct ProductWire {
    #[serde(deserialize_with = "decode::text")]
    id: String,
    #[serde(default, deserialize_with = "decode::text")]
    reference: String,
    #[serde(default, deserialize_with = "decode::flag")]
    is_virtual: bool,
    #[serde(default, deserialize_with = "decode::flag")]
    cache_is_pack: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct CombinationWire {
    #[serde(deserialize_with = "decode::text")]
    id: String,
    #[serde(default, deserialize_with = "decode::text")]
    reference: String,
}

/// A row of stock.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct StockWire {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    id_product_attribute: String,
    #[serde(default, deserialize_with = "decode::text")]
    id_shop: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) quantity: Decimal,
    /// The quantity comes from the shop's own warehouses.
    #[serde(default, deserialize_with = "decode::flag")]
    pub(super) depends_on_stock: bool,
    /// Below zero: 0 refuses orders, 1 takes them, 2 does as the shop does.
    #[serde(default, deserialize_with = "decode::text")]
    out_of_stock: String,
}

/// How the shop keeps stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    /// It counts at all.
    pub(super) counts: bool,
    /// It takes orders below zero where the product does not say.
    pub(super) below_zero: bool,
}

/// Which row of stock an item has.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// This one, and all that it says.
    Row(StockWire, Row),
    /// None: the shop makes it, and it cannot be made from outside.
    Missing,
    /// One for each shop of a multistore, and no telling which is meant.
    Several,
}

/// Something with a stock, or a product with combinations.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) id: RemoteId,
    pub(super) sku: String,
    pub(super) managed: bool,
    below_zero: bool,
    pub(super) place: Place,
}

/// What is read of a handful of products.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    pub(super) products: Vec<Row>,
    pub(super) combinations: Vec<Row>,
    pub(super) stock: Vec<Row>,
}

impl Item {
    /// The same item with its row as it stands now.
    pub(super) fn at(self, place: Place) -> Item {
        Item { place, ..self }
    }

    /// The canonical document.
    pub(super) fn record(&self) -> Record {
        let levels = match &self.place {
            Place::Row(row, _) if self.managed => vec![Level::pool(row.quantity.normalize())],
            _ => Vec::new(),
        };
        let document = Document::Stock(Stock {
            sku: self.sku.clone(),
            managed: self.managed,
            backorders: self.managed && self.below_zero,
            levels,
            components: Vec::new(),
        });
        let digest = Digest::of(&document.to_json()).to_string();
        Record {
            id: self.id.clone(),
            // The shop keeps no time of a change of stock.
            version: digest[..16].to_owned(),
            document,
            raw: None,
        }
    }
}

impl Shelves {
    /// The items of the products, in their order, each product before its combinations.
    pub(super) fn items(
        &self,
        habits: Habits,
        shop: Option<&str>,
    ) -> Vec<Result<Item, Unreadable>> {
        let of_product = |mark: &Mark| mark.id_product.clone();
        let combinations = grouped(&self.combinations, of_product);
        let stock = grouped(&self.stock, of_product);
        let mut items = Vec::new();
        for row in &self.products {
            let mark = decode::json::<Mark>(row.get().as_bytes()).unwrap_or_default();
            let shelf = Shelf {
                habits,
                shop,
                stock: rows_of(stock.get(&mark.id)),
                combinations: rows_of(combinations.get(&mark.id)),
            };
            match decode::json::<ProductWire>(row.get().as_bytes()) {
                Ok(product) => shelf.items(&product, &mut items),
                Err(fault) => items.push(Err(unreadable(row.get(), None, fault))),
            }
        }
        items
    }
}

fn rows_of<'a>(rows: Option<&'a Vec<&'a RawValue>>) -> &'a [&'a RawValue] {
    rows.map(Vec::as_slice).unwrap_or_default()
}

/// What belongs to one product.
struct Shelf<'a> {
    habits: Habits,
    shop: Option<&'a str>,
    stock: &'a [&'a RawValue],
    combinations: &'a [&'a RawValue],
}

impl Shelf<'_> {
    fn items(&self, product: &ProductWire, items: &mut Vec<Result<Item, Unreadable>>) {
        let counted = self.habits.counts && !product.is_virtual && !product.cache_is_pack;
        let own = counted && self.combinations.is_empty();
        items.push(self.item(&product.id, "0", &product.reference, own));
        for row in self.combinations {
            items.push(self.combination(product, row, counted));
        }
    }

    fn combination(
        &self,
        product: &ProductWire,
        row: &RawValue,
        counted: bool,
    ) -> Result<Item, Unreadable> {
        let wire: CombinationWire = decode::json(row.get().as_bytes()).map_err(|fault| {
            let mark = decode::json::<Mark>(row.get().as_bytes()).unwrap_or_default();
            unreadable(row.get(), id_of(&product.id, &mark.id), fault)
        })?;
        // As order lines name it.
        let sku = match wire.reference.trim() {
            "" => &product.reference,
            _ => &wire.reference,
        };
        self.item(&product.id, &wire.id, sku, counted)
    }

    fn item(
        &self,
        product: &str,
        combination: &str,
        sku: &str,
        counted: bool,
    ) -> Result<Item, Unreadable> {
        let id = id_of(product, combination).unwrap_or_else(|| RemoteId::from(product));
        let fail = |fault: Fault| {
            let first = self.stock.first().map_or("{}", |row| row.get());
            unreadable(first, Some(id.clone()), fault)
        };
        let place = self.place(combination).map_err(fail)?;
        let below_zero = match &place {
            Place::Row(row, _) => match row.out_of_stock.as_str() {
                "0" => false,
                "1" => true,
                _ => self.habits.below_zero,
            },
            Place::Missing | Place::Several => false,
        };
        let counted = counted && !matches!(place, Place::Missing);
        Ok(Item {
            id,
            sku: sku.trim().to_owned(),
            managed: counted,
            below_zero,
            place,
        })
    }

    /// The row of the shop, or the one that its group shares.
    fn place(&self, combination: &str) -> Result<Place, Fault> {
        let mut own = Vec::new();
        let mut shared = Vec::new();
        for row in self.stock {
            let wire: StockWire = decode::json(row.get().as_bytes())?;
            if wire.id_product_attribute != combination {
                continue;
            }
            let of_all = matches!(wire.id_shop.as_str(), "" | "0");
            if of_all {
                shared.push((wire, *row));
            } else if self.shop.is_none_or(|shop| shop == wire.id_shop) {
                own.push((wire, *row));
            }
        }
        let mut found = if own.is_empty() { shared } else { own };
        Ok(match (found.pop(), found.is_empty()) {
            (None, _) => Place::Missing,
            (Some((wire, row)), true) => Place::Row(wire, row.to_owned()),
            (Some(_), false) => Place::Several,
        })
    }
}

/// The rows of stock by their id.
pub(super) fn by_id(rows: &[Row]) -> BTreeMap<String, (StockWire, Row)> {
    rows.iter()
        .filter_map(|row| {
            let wire: StockWire = decode::json(row.get().as_bytes()).ok()?;
            Some((wire.id.clone(), (wire, row.clone())))
        })
        .collect()
}
