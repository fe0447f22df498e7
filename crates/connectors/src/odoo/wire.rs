//! What Odoo answers, as far as it is read. Null is `false`, dates are UTC without a zone, numbers are floats.

mod goods;

pub(super) use goods::{
    AttributeValue, Bom, BomLine, Goods, Moved, Picking, PickingType, SoldLine, StockMove, Unit,
};

use comptoir_kit::decode;
use comptoir_model::Decimal;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A many2one: id and display name. `false` where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Link(
    #[serde(deserialize_with = "decode::integer")] pub(super) i64,
    #[serde(deserialize_with = "decode::text")] pub(super) String,
);

/// `sale.order`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Order {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) state: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) client_order_ref: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) origin: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) note: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_order: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) write_date: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount_tax: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) amount_total: Decimal,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) currency_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) partner_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) partner_invoice_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) partner_shipping_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) company_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) warehouse_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) pricelist_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) fiscal_position_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) team_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) payment_term_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) carrier_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) delivery_status: String,
}

/// Fields of `sale.order` that are read when the instance has them.
pub(super) const ORDER: &[&str] = &[
    "name",
    "state",
    "client_order_ref",
    "origin",
    "note",
    "date_order",
    "write_date",
    "amount_tax",
    "amount_total",
    "currency_id",
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "company_id",
    "warehouse_id",
    "pricelist_id",
    "fiscal_position_id",
    "team_id",
    "payment_term_id",
    "carrier_id",
    "delivery_status",
];

/// `sale.order.line`. The field of its taxes is `tax_id` in 16 and `tax_ids` in 19.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderLine {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) order_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) display_type: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) product_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) product_uom_qty: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) price_unit: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) discount: Decimal,
    #[serde(alias = "tax_id", deserialize_with = "decode::or_default")]
    pub(super) tax_ids: Vec<i64>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) price_subtotal: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) price_tax: Decimal,
    #[serde(deserialize_with = "decode::text")]
    pub(super) write_date: String,
}

/// Fields of `sale.order.line` that are read, beside that of its taxes.
pub(super) const ORDER_LINE: &[&str] = &[
    "order_id",
    "name",
    "display_type",
    "product_id",
    "product_uom_qty",
    "price_unit",
    "discount",
    "price_subtotal",
    "price_tax",
    "write_date",
];

/// `res.partner`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Partner {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) is_company: bool,
    #[serde(deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) vat: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) street: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) street2: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) zip: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) city: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) country_code: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) state_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) lang: String,
    #[serde(rename = "ref", deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) parent_id: Option<Link>,
    #[serde(rename = "type", deserialize_with = "decode::text")]
    pub(super) role: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) company_name: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) commercial_partner_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) write_date: String,
}

/// Fields of `res.partner` that are read when the instance has them.
pub(super) const PARTNER: &[&str] = &[
    "name",
    "is_company",
    "email",
    "phone",
    "vat",
    "street",
    "street2",
    "zip",
    "city",
    "country_code",
    "state_id",
    "lang",
    "ref",
    "parent_id",
    "type",
    "company_name",
    "write_date",
];

/// `product.product`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Product {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) default_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) barcode: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    pub(super) active: Option<bool>,
    #[serde(rename = "type", deserialize_with = "decode::text")]
    pub(super) sort: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) is_storable: bool,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) product_tmpl_id: Option<Link>,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) weight: Decimal,
    #[serde(deserialize_with = "decode::text")]
    pub(super) hs_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) write_date: String,
}

/// Fields of `product.product` that are read when the instance has them.
pub(super) const PRODUCT: &[&str] = &[
    "default_code",
    "barcode",
    "name",
    "active",
    "type",
    "is_storable",
    "product_tmpl_id",
    "weight",
    "hs_code",
    "write_date",
];

/// What is known of any record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Brief {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) order_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) write_date: String,
}

/// `ir.model.data`: an external id.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ExternalId {
    pub(super) name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) model: String,
    #[serde(deserialize_with = "decode::integer")]
    pub(super) res_id: i64,
}

/// What `get_metadata` tells of a record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    /// The first of its external ids, with its module.
    #[serde(deserialize_with = "decode::text")]
    xmlid: String,
    /// All of them; not told by every version.
    #[serde(deserialize_with = "decode::or_default")]
    xmlids: Vec<MetadataId>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct MetadataId {
    #[serde(deserialize_with = "decode::text")]
    xmlid: String,
}

impl Metadata {
    /// Its external ids, each with its module.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let all = self.xmlids.iter().map(|id| id.xmlid.as_str());
        std::iter::once(self.xmlid.as_str()).chain(all)
    }
}

/// The answer of `load()`: without ids nothing was done.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Loaded {
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) ids: Option<Vec<i64>>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
}

/// A message of `load()`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    #[serde(rename = "type", deserialize_with = "decode::text")]
    pub(super) kind: String,
    /// The rows of the call it is about.
    pub(super) rows: Option<Rows>,
    /// The record it is about, where rows are not told.
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) record: Option<i64>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) field: String,
    /// Never shown: it repeats what was sent.
    #[serde(deserialize_with = "decode::text")]
    pub(super) message: String,
}

/// Rows from and to, both inclusive.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Rows {
    pub(super) from: usize,
}

/// One field of `fields_get`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Field {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) readonly: bool,
    /// `[16, 2]` of a number that is rounded; `false`, `null` or 0 of one that is not.
    #[serde(default)]
    digits: Value,
}

impl Field {
    /// To how many decimals a number is rounded.
    pub(super) fn decimals(&self) -> Option<u32> {
        self.digits.get(1)?.as_u64()?.try_into().ok()
    }
}

/// `fields_get`.
pub(super) type Fields = BTreeMap<String, Field>;

/// `common.version` and the version of the web client.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ServerVersion {
    /// `16.0`, `saas~18.2`, `19.0+e`.
    #[serde(alias = "version")]
    pub(super) server_version: String,
}

/// `res.users.context_get`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct UserContext {
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) uid: Option<i64>,
}

/// The companies of `res.users`.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct User {
    #[serde(default, deserialize_with = "decode::or_none")]
    pub(super) company_id: Option<Link>,
    #[serde(default, deserialize_with = "decode::or_default")]
    pub(super) company_ids: Vec<i64>,
}

/// A row of any of the small models that a table may point to.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Small {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) code: String,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) company_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) country_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) currency_id: Option<Link>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) tax_calculation_rounding_method: String,
    #[serde(deserialize_with = "decode::decimal_option")]
    pub(super) amount: Option<Decimal>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) amount_type: String,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) price_include: bool,
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) digits: Option<i64>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) value: String,
}

/// Records as they came, so that one that cannot be decoded stops no other.
pub(super) type Raw = Vec<Box<RawValue>>;
