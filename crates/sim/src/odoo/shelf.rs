//! What there is of a product, and what a kit is made of.

use super::delivery::OPEN;
use super::schema::M;
use super::store::{Row, Store};
use super::value::Value;
use rust_decimal::Decimal;

/// Goods that a product is delivered as.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub product: i64,
    /// So many in one of the product.
    pub per: Decimal,
    /// The line of the bill of materials that says so, of a kit.
    pub bom_line: Value,
}

/// On hand, reserved and to go out of a product, in one warehouse or in all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Levels {
    pub on_hand: Decimal,
    pub reserved: Decimal,
    pub outgoing: Decimal,
}

impl Store {
    /// The goods that a product is delivered as: itself, or the components of a kit, through kits inside of it.
    pub(super) fn parts(&self, product: i64) -> Vec<Part> {
        let mut parts = Vec::new();
        self.add_parts(product, Decimal::ONE, Value::Empty, 0, &mut parts);
        parts
    }

    fn add_parts(
        &self,
        product: i64,
        per: Decimal,
        bom_line: Value,
        depth: usize,
        parts: &mut Vec<Part>,
    ) {
        let bom = self.kit(product).filter(|_| depth < 8);
        let Some(bom) = bom else {
            parts.push(Part {
                product,
                per,
                bom_line,
            });
            return;
        };
        let made = self.get(M::Bom, bom, "product_qty").number();
        for &id in self.pointing(M::BomLine, "bom_id", bom.id) {
            let Some(line) = self.row(M::BomLine, id) else {
                continue;
            };
            let component = self.get(M::BomLine, line, "product_id").id();
            let used = self.get(M::BomLine, line, "product_qty").number();
            if let Some(component) = component.filter(|_| !made.is_zero()) {
                let line = Value::Ref(id);
                self.add_parts(component, per * used / made, line, depth + 1, parts);
            }
        }
    }

    /// The phantom bill of materials of a product.
    pub(super) fn kit(&self, product: i64) -> Option<&Row> {
        let template = self.follow(M::Product, &Value::Ref(product), "product_tmpl_id");
        let boms = self.pointing(M::Bom, "product_tmpl_id", template.id()?);
        let rows = boms.iter().filter_map(|id| self.row(M::Bom, *id));
        rows.filter(|row| {
            let variant = self.get(M::Bom, row, "product_id").id();
            self.get(M::Bom, row, "type").str() == "phantom"
                && self.get(M::Bom, row, "active").truthy()
                && variant.is_none_or(|variant| variant == product)
        })
        .min_by_key(|row| (self.get(M::Bom, row, "sequence").number(), row.id))
    }

    fn holds(&self, location: &Value, warehouse: Option<i64>) -> bool {
        let inside = self.follow(M::Location, location, "usage").str() == "internal";
        let place = self.follow(M::Location, location, "warehouse_id").id();
        inside && warehouse.is_none_or(|warehouse| place == Some(warehouse))
    }

    /// What is there of a product. Of a kit: how many can be made.
    pub(super) fn levels(&self, product: i64, warehouse: Option<i64>) -> Levels {
        if self.kit(product).is_some() {
            return self.levels_of_kit(product, warehouse);
        }
        let mut levels = Levels::default();
        for &id in self.pointing(M::Quant, "product_id", product) {
            let Some(row) = self.row(M::Quant, id) else {
                continue;
            };
            if self.holds(&self.get(M::Quant, row, "location_id"), warehouse) {
                levels.on_hand += self.get(M::Quant, row, "quantity").number();
                levels.reserved += self.get(M::Quant, row, "reserved_quantity").number();
            }
        }
        for &id in self.pointing(M::StockMove, "product_id", product) {
            let Some(row) = self.row(M::StockMove, id) else {
                continue;
            };
            let open = OPEN.contains(&self.get(M::StockMove, row, "state").str());
            if open && self.holds(&self.get(M::StockMove, row, "location_id"), warehouse) {
                levels.outgoing += self.get(M::StockMove, row, "product_uom_qty").number();
            }
        }
        levels
    }

    fn levels_of_kit(&self, product: i64, warehouse: Option<i64>) -> Levels {
        let parts = self.parts(product);
        let counted = parts
            .iter()
            .filter(|part| self.storable(part.product) && !part.per.is_zero());
        let each: Vec<(Levels, Decimal)> = counted
            .map(|part| (self.levels(part.product, warehouse), part.per))
            .collect();
        let least = |of: fn(&Levels) -> Decimal| {
            let made = each.iter().map(|(levels, per)| (of(levels) / per).floor());
            made.min().unwrap_or_default()
        };
        let free = least(|levels| levels.on_hand - levels.reserved);
        let on_hand = least(|levels| levels.on_hand);
        Levels {
            on_hand,
            reserved: on_hand - free,
            outgoing: least(|levels| levels.outgoing),
        }
    }
}
