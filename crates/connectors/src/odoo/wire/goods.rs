//! What Odoo answers about stock, kits and transfers.

use super::Link;
use comptoir_kit::decode;
use comptoir_model::Decimal;
use serde::Deserialize;

/// `product.product`, as far as its stock goes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct Goods {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) default_code: String,
    #[serde(rename = "type", deserialize_with = "decode::text")]
    pub(in crate::odoo) sort: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(in crate::odoo) is_storable: bool,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_tmpl_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) uom_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) qty_available: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) free_qty: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) outgoing_qty: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) incoming_qty: Decimal,
    /// The attribute values that make the variant.
    #[serde(
        rename = "product_template_attribute_value_ids",
        deserialize_with = "decode::or_default"
    )]
    pub(in crate::odoo) values: Vec<i64>,
}

impl Goods {
    /// Whether its stock is kept: 16 has a type of its own for that, 19 a flag beside `consu`.
    pub(in crate::odoo) fn is_counted(&self) -> bool {
        self.is_storable || self.sort == "product"
    }
}

/// A row of any model that moves with stock.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct Moved {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) write_date: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) bom_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) quantity: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) reserved_quantity: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) product_qty: Decimal,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) state: String,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) default_code: String,
    pub(in crate::odoo) active: Option<bool>,
}

/// `mrp.bom`: a bill of materials.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct Bom {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_tmpl_id: Option<Link>,
    /// The one variant that it is of; none for all of the template.
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) product_qty: Decimal,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_uom_id: Option<Link>,
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) sequence: i64,
}

/// `mrp.bom.line`: a component of one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct BomLine {
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) bom_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) product_qty: Decimal,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_uom_id: Option<Link>,
    /// The attribute values that a variant must have for the line to count.
    #[serde(
        rename = "bom_product_template_attribute_value_ids",
        deserialize_with = "decode::or_default"
    )]
    pub(in crate::odoo) values: Vec<i64>,
}

/// `product.template.attribute.value`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct AttributeValue {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) attribute_id: Option<Link>,
}

/// `uom.uom`. What says how many of its reference unit it is has another name in each version.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct Unit {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(alias = "factor_inv", deserialize_with = "decode::decimal")]
    pub(in crate::odoo) factor: Decimal,
}

/// `stock.picking`: a transfer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct Picking {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) state: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) sale_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) picking_type_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) picking_type_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) date_done: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) carrier_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) carrier_tracking_ref: String,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) carrier_tracking_url: String,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) write_date: String,
}

/// `stock.picking.type`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct PickingType {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) warehouse_id: Option<Link>,
}

/// `stock.move`: so many of a product in a transfer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct StockMove {
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) product_uom_qty: Decimal,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_uom: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(in crate::odoo) state: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) picking_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) sale_line_id: Option<Link>,
    #[serde(
        rename = "quantity",
        alias = "quantity_done",
        deserialize_with = "decode::decimal"
    )]
    pub(in crate::odoo) done: Decimal,
}

/// `sale.order.line`, as far as what left of it goes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::odoo) struct SoldLine {
    #[serde(deserialize_with = "decode::integer")]
    pub(in crate::odoo) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(in crate::odoo) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(in crate::odoo) product_uom_qty: Decimal,
    #[serde(
        rename = "product_uom_id",
        alias = "product_uom",
        deserialize_with = "decode::or_none"
    )]
    pub(in crate::odoo) unit: Option<Link>,
}
