//! Taxes, price lists, carriers, orders and their lines.

use super::*;
use crate::odoo::value::Value;
use rust_decimal::Decimal;

pub(super) const PRICE_INCLUDE: &[(&str, &str)] = &[
    ("tax_included", "Tax Included"),
    ("tax_excluded", "Tax Excluded"),
];

pub(super) fn tax(version: Version) -> Vec<Field> {
    let mut fields = vec![
        char("name", "Tax Name").required(),
        choice(
            "type_tax_use",
            "Tax Type",
            &[
                ("sale", "Sales"),
                ("purchase", "Purchases"),
                ("none", "None"),
            ],
        )
        .required(),
        choice(
            "amount_type",
            "Tax Computation",
            &[
                ("group", "Group of Taxes"),
                ("fixed", "Fixed"),
                ("percent", "Percentage"),
                ("division", "Percentage Tax Included"),
            ],
        )
        .required(),
        digits("amount", "Amount", Some(4)).required(),
        flag(
            "price_include",
            old(version, "Included in Price", "Price Include"),
        ),
        integer("sequence", "Sequence").required(),
        flag("active", "Active"),
        one("company_id", "Company", M::Company).required(),
        one("country_id", "Country", M::Country).required(),
        one("tax_group_id", "Tax Group", M::TaxGroup).required(),
        flag("include_base_amount", "Affect Base of Subsequent Taxes"),
    ];
    if version < Version::V18 {
        fields.push(char("description", "Label on Invoices"));
    } else {
        fields.push(html("description", "Description"));
        fields.push(choice(
            "price_include_override",
            "Included in Price",
            PRICE_INCLUDE,
        ));
    }
    fields
}

pub(super) fn tax_group() -> Vec<Field> {
    vec![
        char("name", "Name").required(),
        integer("sequence", "Sequence"),
    ]
}

pub(super) fn position() -> Vec<Field> {
    vec![
        char("name", "Fiscal Position").required(),
        integer("sequence", "Sequence"),
        flag("active", "Active"),
        flag("auto_apply", "Detect Automatically"),
        flag("vat_required", "VAT required"),
        one("company_id", "Company", M::Company),
        one("country_id", "Country", M::Country),
    ]
}

pub(super) fn payment_term() -> Vec<Field> {
    vec![
        char("name", "Payment Terms").required(),
        flag("active", "Active"),
        one("company_id", "Company", M::Company),
    ]
}

pub(super) fn pricelist() -> Vec<Field> {
    vec![
        char("name", "Pricelist Name").required(),
        one("currency_id", "Currency", M::Currency).required(),
        one("company_id", "Company", M::Company),
        integer("sequence", "Sequence"),
        flag("active", "Active"),
    ]
}

pub(super) fn team() -> Vec<Field> {
    vec![
        char("name", "Sales Team").required(),
        flag("active", "Active"),
        one("company_id", "Company", M::Company),
    ]
}

/// Invoices. There are none: they are not simulated.
pub(super) fn invoice() -> Vec<Field> {
    vec![
        char("name", "Number"),
        char("ref", "Reference"),
        char("state", "Status"),
        char("invoice_origin", "Origin"),
        one("partner_id", "Partner", M::Partner),
        one("currency_id", "Currency", M::Currency),
        money("amount_total", "Total"),
    ]
}

pub(super) fn carrier() -> Vec<Field> {
    vec![
        char("name", "Delivery Method").required(),
        choice(
            "delivery_type",
            "Provider",
            &[("base_on_rule", "Based on Rules"), ("fixed", "Fixed Price")],
        )
        .required(),
        float("fixed_price", "Fixed Price"),
        one("product_id", "Delivery Product", M::Product).required(),
        one("company_id", "Company", M::Company),
        integer("sequence", "Sequence"),
        flag("active", "Active"),
    ]
}

const STATES_16: &[(&str, &str)] = &[
    ("draft", "Quotation"),
    ("sent", "Quotation Sent"),
    ("sale", "Sales Order"),
    ("done", "Locked"),
    ("cancel", "Cancelled"),
];
const STATES: &[(&str, &str)] = &[
    ("draft", "Quotation"),
    ("sent", "Quotation Sent"),
    ("sale", "Sales Order"),
    ("cancel", "Cancelled"),
];
const INVOICE_STATUS: &[(&str, &str)] = &[
    ("upselling", "Upselling Opportunity"),
    ("invoiced", "Fully Invoiced"),
    ("to invoice", "To Invoice"),
    ("no", "Nothing to Invoice"),
];
const DELIVERY_STATUS: &[(&str, &str)] = &[
    ("pending", "Not Delivered"),
    ("started", "Started"),
    ("partial", "Partially Delivered"),
    ("full", "Fully Delivered"),
];

pub(super) fn order(version: Version) -> Vec<Field> {
    let states = if version == Version::V16 {
        STATES_16
    } else {
        STATES
    };
    let mut fields = vec![
        char("name", "Order Reference").required().indexed(),
        one("company_id", "Company", M::Company).required(),
        one("partner_id", "Customer", M::Partner)
            .required()
            .indexed(),
        one("partner_invoice_id", "Invoice Address", M::Partner)
            .required()
            .indexed(),
        one("partner_shipping_id", "Delivery Address", M::Partner)
            .required()
            .indexed(),
        choice("state", "Status", states),
        char("client_order_ref", "Customer Reference").indexed(),
        char("origin", "Source Document").indexed(),
        char("reference", "Payment Ref."),
        datetime("date_order", "Order Date").required(),
        datetime("commitment_date", "Delivery Date"),
        Field::new("validity_date", "Expiration", Kind::Date),
        html("note", "Terms and conditions"),
        one("fiscal_position_id", "Fiscal Position", M::Position),
        one("payment_term_id", "Payment Terms", M::PaymentTerm),
        one("pricelist_id", "Pricelist", M::Pricelist),
        one("currency_id", "Currency", M::Currency),
        float("currency_rate", "Currency Rate").computed(|store, row| {
            let currency = store.get(M::Order, row, "currency_id");
            store.follow(M::Currency, &currency, "rate")
        }),
        one("user_id", "Salesperson", M::User),
        one("team_id", "Sales Team", M::Team),
        one("warehouse_id", "Warehouse", M::Warehouse),
        one("carrier_id", "Delivery Method", M::Carrier),
        inverse("order_line", "Order Lines", M::Line, "order_id"),
        inverse("picking_ids", "Transfers", M::Picking, "sale_id"),
        money("amount_untaxed", "Untaxed Amount").derived(),
        money("amount_tax", "Taxes").derived(),
        money("amount_total", "Total").derived(),
        choice("invoice_status", "Invoice Status", INVOICE_STATUS).computed(
            |store, row| match store.get(M::Order, row, "state").str() {
                "sale" | "done" => Value::text("to invoice"),
                _ => Value::text("no"),
            },
        ),
        choice("delivery_status", "Delivery Status", DELIVERY_STATUS)
            .computed(|store, row| store.delivery_status(row.id)),
        many("invoice_ids", "Invoices", M::Move).computed(|_, _| Value::Refs(Vec::new())),
        integer("invoice_count", "Invoice Count").computed(|_, _| Value::Int(0)),
    ];
    if version > Version::V16 {
        fields.push(flag("locked", "Locked"));
    } else {
        // Later versions do without either.
        for field in &mut fields {
            field.required |= matches!(field.name, "pricelist_id" | "warehouse_id");
        }
    }
    fields
}

pub(super) fn line(version: Version) -> Vec<Field> {
    let mut fields = vec![
        one("order_id", "Order Reference", M::Order)
            .required()
            .indexed(),
        integer("sequence", "Sequence"),
        one("company_id", "Company", M::Company).via("order_id", "company_id"),
        one("currency_id", "Currency", M::Currency).via("order_id", "currency_id"),
        one("order_partner_id", "Customer", M::Partner).via("order_id", "partner_id"),
        choice("state", "Order Status", STATES_16).via("order_id", "state"),
        choice(
            "display_type",
            "Display Type",
            &[("line_section", "Section"), ("line_note", "Note")],
        ),
        one("product_id", "Product", M::Product).indexed(),
        one("product_template_id", "Product Template", M::Template)
            .via("product_id", "product_tmpl_id"),
        text("name", "Description").required(),
        digits("product_uom_qty", "Quantity", Some(2)).required(),
        one(
            version.line_unit(),
            old(version, "Unit of Measure", "Unit"),
            M::Unit,
        ),
        many(version.line_taxes(), "Taxes", M::Tax),
        digits("price_unit", "Unit Price", price_digits(version)).required(),
        digits("discount", "Discount (%)", Some(2)),
        money("price_subtotal", "Subtotal").derived(),
        float("price_tax", "Total Tax").derived(),
        money("price_total", "Total").derived(),
        float("qty_delivered", "Delivery Quantity"),
        float("qty_invoiced", "Invoiced Quantity").computed(|_, _| Value::Number(Decimal::ZERO)),
        float("customer_lead", "Lead Time").required(),
        flag("is_delivery", "Is a Delivery"),
        flag("is_downpayment", "Is a down payment"),
        float("demand", "Promised").hidden(),
    ];
    if version.knows_manual_prices() {
        let precision = price_digits(version);
        fields.push(digits(
            "technical_price_unit",
            "Technical Price Unit",
            precision,
        ));
    }
    fields
}
