//! Contacts, companies, places, users and the technical models.

use super::*;
use crate::odoo::value::Value;

pub(super) fn partner(version: Version) -> Vec<Field> {
    let mut fields = vec![
        char("name", "Name").indexed(),
        one("parent_id", "Related Company", M::Partner).indexed(),
        inverse("child_ids", "Contact", M::Partner, "parent_id"),
        char("ref", "Reference").indexed(),
        Field::new("lang", "Language", Kind::Open),
        Field::new("tz", "Timezone", Kind::Open),
        one("user_id", "Salesperson", M::User),
        char("vat", "Tax ID").indexed(),
        char("company_registry", "Company ID"),
        char("website", "Website Link"),
        html("comment", "Notes"),
        flag("active", "Active"),
        char("function", "Job Position"),
        choice("type", "Address Type", ADDRESS),
        char("street", "Street"),
        char("street2", "Street2"),
        char("zip", "Zip"),
        char("city", "City"),
        one("state_id", "State", M::State),
        one("country_id", "Country", M::Country),
        char("country_code", "Country Code").via("country_id", "code"),
        char("email", "Email").indexed(),
        char("email_normalized", "Normalized Email").computed(|store, row| {
            match store.get(M::Partner, row, "email").str().trim() {
                "" => Value::Empty,
                email => Value::text(email.to_lowercase()),
            }
        }),
        char("phone", "Phone"),
        flag("is_company", "Is a Company"),
        choice("company_type", "Company Type", COMPANY_TYPE).computed(|store, row| {
            match store.get(M::Partner, row, "is_company").truthy() {
                true => Value::text("company"),
                false => Value::text("person"),
            }
        }),
        one("company_id", "Company", M::Company),
        one("commercial_partner_id", "Commercial Entity", M::Partner)
            .computed(|store, row| Value::Ref(store.commercial(row))),
        char("company_name", "Company Name"),
        char("barcode", "Barcode"),
        float("credit_limit", "Credit Limit"),
        integer("customer_rank", "Customer Rank"),
        integer("supplier_rank", "Supplier Rank"),
        one("property_product_pricelist", "Pricelist", M::Pricelist),
        one(
            "property_account_position_id",
            "Fiscal Position",
            M::Position,
        ),
        one(
            "property_payment_term_id",
            "Customer Payment Terms",
            M::PaymentTerm,
        ),
        inverse("sale_order_ids", "Sales Order", M::Order, "partner_id"),
    ];
    if version < Version::V19 {
        fields.push(char("mobile", "Mobile"));
    }
    if version > Version::V16 {
        fields.push(
            char("complete_name", "Complete Name")
                .computed(|store, row| Value::text(store.display(M::Partner, row))),
        );
    }
    fields
}

const ADDRESS: &[(&str, &str)] = &[
    ("contact", "Contact"),
    ("invoice", "Invoice Address"),
    ("delivery", "Delivery Address"),
    ("other", "Other Address"),
];
const COMPANY_TYPE: &[(&str, &str)] = &[("person", "Individual"), ("company", "Company")];

pub(super) fn company(version: Version) -> Vec<Field> {
    let mut fields = vec![
        char("name", "Company Name").required(),
        one("partner_id", "Partner", M::Partner),
        one("country_id", "Country", M::Country),
        one("currency_id", "Currency", M::Currency).required(),
        char("vat", "Tax ID").via("partner_id", "vat"),
        char("email", "Email").via("partner_id", "email"),
        choice(
            "tax_calculation_rounding_method",
            "Tax Calculation Rounding Method",
            &[
                ("round_per_line", "Round per Line"),
                ("round_globally", "Round Globally"),
            ],
        ),
        one("account_sale_tax_id", "Default Sale Tax", M::Tax),
        inverse("warehouse_ids", "Warehouses", M::Warehouse, "company_id"),
    ];
    if version >= Version::V18 {
        fields.push(choice(
            "account_price_include",
            "Default Sales Price Include",
            super::trade::PRICE_INCLUDE,
        ));
    }
    fields
}

pub(super) fn currency() -> Vec<Field> {
    vec![
        char("name", "Currency").required().indexed(),
        char("full_name", "Name"),
        char("symbol", "Symbol"),
        float("rounding", "Rounding Factor"),
        integer("decimal_places", "Decimal Places"),
        float("rate", "Current Rate"),
        choice(
            "position",
            "Symbol Position",
            &[("after", "After Amount"), ("before", "Before Amount")],
        ),
        flag("active", "Active"),
    ]
}

pub(super) fn country() -> Vec<Field> {
    vec![
        char("name", "Country Name").required(),
        char("code", "Country Code").indexed(),
        char("vat_label", "Vat Label"),
        one("currency_id", "Currency", M::Currency),
        inverse("state_ids", "States", M::State, "country_id"),
        flag("state_required", "State Required"),
        flag("zip_required", "Zip Required"),
    ]
}

pub(super) fn state() -> Vec<Field> {
    vec![
        one("country_id", "Country", M::Country)
            .required()
            .indexed(),
        char("name", "State Name").required(),
        char("code", "State Code").required().indexed(),
    ]
}

pub(super) fn lang() -> Vec<Field> {
    vec![
        char("name", "Name").required(),
        char("code", "Locale Code").required().indexed(),
        char("iso_code", "ISO code"),
        flag("active", "Active"),
    ]
}

pub(super) fn user() -> Vec<Field> {
    vec![
        char("login", "Login").required().indexed(),
        one("partner_id", "Related Partner", M::Partner).required(),
        char("name", "Name").via("partner_id", "name"),
        char("email", "Email").via("partner_id", "email"),
        Field::new("lang", "Language", Kind::Open).via("partner_id", "lang"),
        Field::new("tz", "Timezone", Kind::Open).via("partner_id", "tz"),
        one("company_id", "Company", M::Company).required(),
        many("company_ids", "Companies", M::Company),
        flag("active", "Active"),
    ]
}

pub(super) fn data() -> Vec<Field> {
    vec![
        char("module", "Module").required(),
        char("name", "External Identifier").required().indexed(),
        char("complete_name", "Complete ID").computed(|store, row| {
            Value::text(format!(
                "{}.{}",
                store.get(M::Data, row, "module").str(),
                store.get(M::Data, row, "name").str()
            ))
        }),
        char("model", "Model Name").required(),
        integer("res_id", "Record ID").indexed(),
        flag("noupdate", "Non Updatable"),
    ]
}

pub(super) fn field_info() -> Vec<Field> {
    vec![
        char("name", "Field Name").required(),
        char("model", "Model Name").required().indexed(),
        char("field_description", "Field Label"),
        char("ttype", "Field Type"),
        char("relation", "Related Model"),
        char("relation_field", "Relation Field"),
        flag("required", "Required"),
        flag("readonly", "Readonly"),
        flag("store", "Stored"),
        choice(
            "state",
            "Type",
            &[("manual", "Custom Field"), ("base", "Base Field")],
        ),
    ]
}

pub(super) fn module() -> Vec<Field> {
    vec![
        char("name", "Technical Name").required().indexed(),
        char("shortdesc", "Module Name"),
        char("latest_version", "Installed Version"),
        choice(
            "state",
            "Status",
            &[("uninstalled", "Not Installed"), ("installed", "Installed")],
        ),
    ]
}

pub(super) fn parameter() -> Vec<Field> {
    vec![
        char("key", "Key").required().indexed(),
        text("value", "Value").required(),
    ]
}

pub(super) fn precision() -> Vec<Field> {
    vec![
        char("name", "Usage").required(),
        integer("digits", "Digits").required(),
    ]
}
