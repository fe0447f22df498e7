//! Products, places and what lies in them.

use super::*;
use crate::odoo::shelf::Levels;
use crate::odoo::store::Row;
use crate::odoo::store::Store;
use crate::odoo::value::Value;
use rust_decimal::Decimal;

const TYPES_OLD: &[(&str, &str)] = &[
    ("consu", "Consumable"),
    ("service", "Service"),
    ("product", "Storable Product"),
];
const TYPES_NEW: &[(&str, &str)] = &[
    ("consu", "Goods"),
    ("service", "Service"),
    ("combo", "Combo"),
];

/// Fields of the template that a variant shows as its own.
fn shared(version: Version) -> Vec<Field> {
    let mut fields = vec![
        char("name", "Name").required(),
        text("description_sale", "Sales Description"),
        digits("list_price", "Sales Price", price_digits(version)),
        float("weight", "Weight"),
        flag("sale_ok", old(version, "Can be Sold", "Sales")),
        one("uom_id", old(version, "Unit of Measure", "Unit"), M::Unit).required(),
        one("company_id", "Company", M::Company),
        many(
            "taxes_id",
            old(version, "Customer Taxes", "Sales Taxes"),
            M::Tax,
        ),
    ];
    if version < Version::V18 {
        fields.push(choice("detailed_type", "Product Type", TYPES_OLD).required());
    } else {
        fields.push(choice("type", "Product Type", TYPES_NEW).required());
        fields.push(flag("is_storable", "Track Inventory"));
    }
    fields
}

pub(super) fn product(version: Version) -> Vec<Field> {
    let mut fields: Vec<Field> = shared(version)
        .into_iter()
        .map(|field| {
            let name = field.name;
            field.via("product_tmpl_id", name)
        })
        .collect();
    if version < Version::V18 {
        fields.push(choice("type", "Type", TYPES_OLD).via("product_tmpl_id", "detailed_type"));
    }
    fields.extend([
        one("product_tmpl_id", "Product Template", M::Template)
            .required()
            .indexed(),
        char("default_code", "Internal Reference").indexed(),
        char("barcode", "Barcode").indexed(),
        flag("active", "Active"),
        digits("standard_price", "Cost", None),
        digits("lst_price", "Sales Price", price_digits(version))
            .via("product_tmpl_id", "list_price"),
        one("currency_id", "Currency", M::Currency).computed(|store, _| store.company_currency()),
        float("qty_available", "Quantity On Hand").computed(|s, p| level(s, p, |at| at.on_hand)),
        float("free_qty", "Free To Use Quantity ")
            .computed(|s, p| level(s, p, |at| at.on_hand - at.reserved)),
        float("virtual_available", "Forecasted Quantity")
            .computed(|s, p| level(s, p, |at| at.on_hand - at.outgoing)),
        float("outgoing_qty", "Outgoing").computed(|s, p| level(s, p, |at| at.outgoing)),
        float("incoming_qty", "Incoming").computed(|_, _| Value::Number(Decimal::ZERO)),
    ]);
    fields
}

/// What there is of a variant, in the warehouse that the context names.
fn level(store: &Store, product: &Row, how: fn(&Levels) -> Decimal) -> Value {
    Value::Number(how(&store.levels(product.id, store.warehouse)))
}

pub(super) fn template(version: Version) -> Vec<Field> {
    let mut fields = shared(version);
    if version < Version::V18 {
        fields.push(
            choice("type", "Type", TYPES_OLD)
                .computed(|store, row| store.get(M::Template, row, "detailed_type")),
        );
    }
    fields.extend([
        inverse(
            "product_variant_ids",
            "Products",
            M::Product,
            "product_tmpl_id",
        )
        .required(),
        one("product_variant_id", "Product", M::Product).computed(|store, row| {
            store
                .variant(row.id)
                .map_or(Value::Empty, |variant| Value::Ref(variant.id))
        }),
        integer("product_variant_count", "# Product Variants").computed(|store, row| {
            Value::Int(
                store
                    .get(M::Template, row, "product_variant_ids")
                    .ids()
                    .len() as i64,
            )
        }),
        char("default_code", "Internal Reference")
            .computed(|s, row| of_variant(s, row, "default_code")),
        char("barcode", "Barcode").computed(|s, row| of_variant(s, row, "barcode")),
        flag("active", "Active"),
        one("currency_id", "Currency", M::Currency).computed(|store, _| store.company_currency()),
    ]);
    fields
}

fn of_variant(store: &Store, template: &Row, field: &str) -> Value {
    store.variant(template.id).map_or(Value::Empty, |variant| {
        store.get(M::Product, variant, field)
    })
}

pub(super) fn unit() -> Vec<Field> {
    vec![
        char("name", "Unit").required(),
        float("rounding", "Rounding Precision"),
        flag("active", "Active"),
    ]
}

pub(super) fn warehouse() -> Vec<Field> {
    vec![
        char("name", "Warehouse").required(),
        char("code", "Short Name").required(),
        one("company_id", "Company", M::Company)
            .required()
            .indexed(),
        one("lot_stock_id", "Location Stock", M::Location).required(),
        flag("active", "Active"),
    ]
}

pub(super) fn location() -> Vec<Field> {
    vec![
        char("name", "Location Name").required(),
        char("complete_name", "Full Location Name"),
        choice(
            "usage",
            "Location Type",
            &[
                ("supplier", "Vendor Location"),
                ("view", "View"),
                ("internal", "Internal Location"),
                ("customer", "Customer Location"),
                ("inventory", "Inventory Loss"),
            ],
        ),
        one("company_id", "Company", M::Company),
        one("warehouse_id", "Warehouse", M::Warehouse),
        flag("active", "Active"),
    ]
}

pub(super) fn quant(version: Version) -> Vec<Field> {
    vec![
        one("product_id", "Product", M::Product)
            .required()
            .indexed(),
        one("location_id", "Location", M::Location).required(),
        one("company_id", "Company", M::Company).via("location_id", "company_id"),
        float("quantity", "Quantity").derived(),
        float("reserved_quantity", "Reserved Quantity")
            .required()
            .derived(),
        float("available_quantity", "Available Quantity").computed(|store, row| {
            let on_hand = store.get(M::Quant, row, "quantity").number();
            let reserved = store.get(M::Quant, row, "reserved_quantity").number();
            Value::Number(on_hand - reserved)
        }),
        float(
            "inventory_quantity",
            old(version, "Counted Quantity", "Counted"),
        ),
        datetime("in_date", "Incoming Date").required(),
    ]
}
