//! Transfers and their moves, and the bills of materials of kits.

use super::*;
use crate::odoo::value::Value;

const STATES: &[(&str, &str)] = &[
    ("draft", "Draft"),
    ("waiting", "Waiting Another Operation"),
    ("confirmed", "Waiting"),
    ("assigned", "Ready"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
];
const MOVE_STATES: &[(&str, &str)] = &[
    ("draft", "New"),
    ("waiting", "Waiting Another Move"),
    ("confirmed", "Waiting Availability"),
    ("partially_available", "Partially Available"),
    ("assigned", "Available"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
];
const CODES: &[(&str, &str)] = &[
    ("incoming", "Receipt"),
    ("outgoing", "Delivery"),
    ("internal", "Internal Transfer"),
];

pub(super) fn picking() -> Vec<Field> {
    vec![
        char("name", "Reference").indexed(),
        char("origin", "Source Document").indexed(),
        choice("state", "Status", STATES),
        one("sale_id", "Sales Order", M::Order).indexed(),
        one("partner_id", "Contact", M::Partner),
        one("company_id", "Company", M::Company),
        one("picking_type_id", "Operation Type", M::PickingType).required(),
        choice("picking_type_code", "Type of Operation", CODES).via("picking_type_id", "code"),
        one("location_id", "Source Location", M::Location).required(),
        one("carrier_id", "Carrier", M::Carrier),
        char("carrier_tracking_ref", "Tracking Reference"),
        // No carrier of the simulator has a page to follow parcels on.
        char("carrier_tracking_url", "Tracking URL").computed(|_, _| Value::Empty),
        datetime("scheduled_date", "Scheduled Date"),
        datetime("date_done", "Date of Transfer"),
        one("backorder_id", "Back Order of", M::Picking),
        inverse("move_ids", "Stock Moves", M::StockMove, "picking_id"),
    ]
}

pub(super) fn picking_type() -> Vec<Field> {
    vec![
        char("name", "Operation Type").required(),
        choice("code", "Type of Operation", CODES).required(),
        one("warehouse_id", "Warehouse", M::Warehouse),
        flag("active", "Active"),
    ]
}

pub(super) fn stock_move(version: Version) -> Vec<Field> {
    let mut fields = vec![
        one("product_id", "Product", M::Product)
            .required()
            .indexed(),
        float("product_uom_qty", "Demand").required(),
        float("product_qty", "Real Quantity")
            .computed(|store, row| store.get(M::StockMove, row, "product_uom_qty")),
        one("product_uom", old(version, "UoM", "Unit"), M::Unit).required(),
        choice("state", "Status", MOVE_STATES),
        one("picking_id", "Transfer", M::Picking).indexed(),
        one("sale_line_id", "Sale Line", M::Line).indexed(),
        // Shown by an app that the tapes have not.
        one("bom_line_id", "BoM Line", M::BomLine).hidden(),
        one("location_id", "Source Location", M::Location).required(),
        one(
            "location_dest_id",
            old(version, "Destination Location", "Intermediate Location"),
            M::Location,
        )
        .required(),
        one("company_id", "Company", M::Company).required(),
    ];
    if version < Version::V17 {
        fields.push(float("reserved_availability", "Quantity Reserved").derived());
        fields.push(float("quantity_done", "Quantity Done"));
    } else {
        fields.push(float("quantity", "Quantity"));
        fields.push(flag("picked", "Picked"));
    }
    fields
}

pub(super) fn bom() -> Vec<Field> {
    vec![
        one("product_tmpl_id", "Product", M::Template)
            .required()
            .indexed(),
        one("product_id", "Product Variant", M::Product),
        float("product_qty", "Quantity").required(),
        one("product_uom_id", "Unit", M::Unit).required(),
        choice(
            "type",
            "BoM Type",
            &[("normal", "Manufacture this product"), ("phantom", "Kit")],
        )
        .required(),
        integer("sequence", "Sequence"),
        flag("active", "Active"),
        one("company_id", "Company", M::Company),
        inverse("bom_line_ids", "BoM Lines", M::BomLine, "bom_id"),
    ]
}

pub(super) fn bom_line() -> Vec<Field> {
    vec![
        one("bom_id", "Parent BoM", M::Bom).required().indexed(),
        one("product_id", "Component", M::Product)
            .required()
            .indexed(),
        float("product_qty", "Quantity").required(),
        one("product_uom_id", "Unit", M::Unit).required(),
        // Kits of the simulator are the same for every variant.
        many(
            "bom_product_template_attribute_value_ids",
            "Apply on Variants",
            M::BomLine,
        )
        .computed(|_, _| Value::Refs(Vec::new())),
    ]
}
