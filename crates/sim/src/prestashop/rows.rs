//! The rows of the shop's tables, as the webservice shows them.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Rows of one resource by id.
pub(crate) type Rows = BTreeMap<u64, Map<String, Value>>;

/// The name of a list inside an answer.
pub(crate) fn node(resource: &str) -> &str {
    match resource {
        "order_slip" => "order_slips",
        other => other,
    }
}

/// The name of one record.
pub(crate) fn entity(resource: &str) -> &str {
    match resource {
        "addresses" => "address",
        "countries" => "country",
        "currencies" => "currency",
        "order_histories" => "order_history",
        "order_slip" => "order_slip",
        "taxes" => "tax",
        other => other.strip_suffix('s').unwrap_or(other),
    }
}

/// Fields of resources that may be empty: which exist cannot be told from rows.
pub(crate) fn fields(resource: &str) -> &'static [&'static str] {
    match resource {
        "orders" => &[
            "id",
            "id_address_delivery",
            "id_address_invoice",
            "id_cart",
            "id_currency",
            "id_lang",
            "id_customer",
            "id_carrier",
            "current_state",
            "module",
            "invoice_number",
            "valid",
            "date_add",
            "date_upd",
            "id_shop",
            "secure_key",
            "payment",
            "reference",
            "total_paid",
            "total_paid_tax_incl",
        ],
        "order_details" | "order_cart_rules" | "order_carriers" | "messages" => &["id", "id_order"],
        "order_slip" => &["id", "id_order", "id_customer", "date_add", "date_upd"],
        "order_histories" => &["id", "id_order", "id_order_state", "date_add"],
        "order_payments" => &["id", "order_reference"],
        "customers" => &["id", "email", "date_add", "date_upd"],
        "addresses" => &["id", "id_customer", "deleted", "date_upd"],
        "products" => &["id", "reference", "date_add", "date_upd"],
        "combinations" => &["id", "id_product", "reference"],
        "stock_availables" => &[
            "id",
            "id_product",
            "id_product_attribute",
            "id_shop",
            "quantity",
        ],
        "configurations" => &["id", "name"],
        _ => &["id"],
    }
}

/// A row with an id; all values but ids are texts.
pub(crate) fn row(id: u64, value: Value) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(id));
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            let value = match value {
                Value::Number(number) => Value::String(number.to_string()),
                other => other,
            };
            row.insert(name, value);
        }
    }
    row
}

fn table(rows: impl IntoIterator<Item = (u64, Value)>) -> Rows {
    rows.into_iter()
        .map(|(id, value)| (id, row(id, value)))
        .collect()
}

/// A text in two languages.
fn both(english: &str, french: &str) -> Value {
    json!([{"id": "1", "value": english}, {"id": "2", "value": french}])
}

/// Order states, of each sort at least one, and one of the shop's own.
fn states() -> Rows {
    let state = |paid: u8, shipped: u8, delivery: u8, name: &str, template: &str| {
        json!({"name": both(name, name), "template": both(template, template), "paid": paid, "shipped": shipped, "delivery": delivery,
               "logable": paid, "invoice": paid, "send_email": u8::from(!template.is_empty()), "hidden": 0, "deleted": 0})
    };
    table([
        (1, state(0, 0, 0, "Awaiting check payment", "cheque")),
        (2, state(1, 0, 0, "Payment accepted", "payment")),
        (3, state(1, 0, 1, "Processing in progress", "preparation")),
        (4, state(1, 1, 1, "Shipped", "shipped")),
        (5, state(1, 1, 1, "Delivered", "")),
        (6, state(0, 0, 0, "Canceled", "order_canceled")),
        (7, state(0, 0, 0, "Refunded", "refund")),
        (8, state(0, 0, 0, "Payment error", "payment_error")),
        (10, state(0, 0, 0, "Awaiting bank wire payment", "bankwire")),
        (11, state(1, 0, 0, "Remote payment accepted", "payment")),
        (14, state(0, 0, 0, "Waiting for the workshop", "")),
    ])
}

/// Taxes of two rates, one of them twice.
fn taxes() -> Rows {
    let tax = |rate: &str, name: &str| json!({"rate": rate, "name": both(name, name), "active": 1, "deleted": 0});
    table([
        (1, tax("20.000", "TVA FR 20%")),
        (3, tax("5.500", "TVA FR 5.5%")),
        (5, tax("20.000", "USt. AT 20%")),
    ])
}

/// Two carriers, one of which was edited and so has two ids.
fn carriers() -> Rows {
    let carrier = |name: &str, reference: u64, deleted: u8| {
        json!({"name": name, "id_reference": reference, "active": 1 - deleted, "deleted": deleted,
        "url": if reference == 2 { "https://parcels.example.test/@" } else { "" }})
    };
    table([
        (1, carrier("Click and collect", 1, 0)),
        (2, carrier("My carrier", 2, 1)),
        (5, carrier("My carrier", 2, 0)),
    ])
}

fn settings(zone: &str) -> Rows {
    let setting = |name: &str, value: &str| json!({"name": name, "value": value, "id_shop": "", "id_shop_group": ""});
    table([
        (1, setting("PS_TIMEZONE", zone)),
        (2, setting("PS_CURRENCY_DEFAULT", "1")),
        (3, setting("PS_LANG_DEFAULT", "1")),
        (4, setting("PS_ROUND_TYPE", "2")),
        (5, setting("PS_STOCK_MANAGEMENT", "1")),
        (6, setting("PS_ORDER_OUT_OF_STOCK", "0")),
    ])
}

/// The tables that every shop has.
pub(crate) fn installed(zone: &str, domain: &str) -> BTreeMap<&'static str, Rows> {
    let currency = |iso: &str| json!({ "iso_code": iso });
    let language = |iso: &str, locale: &str| json!({"iso_code": iso, "locale": locale});
    let country = |iso: &str| json!({"iso_code": iso, "contains_states": 0});
    let region = json!({"id_country": 21, "iso_code": "CA", "name": "California"});
    let shop = json!({"name": "Simulated shop", "active": 1, "deleted": 0});
    let url = json!({"id_shop": 1, "domain": domain, "domain_ssl": domain, "physical_uri": "/", "virtual_uri": "", "main": 1});
    let countries = [(1, country("DE")), (8, country("FR")), (21, country("US"))];
    let languages = [(1, language("en", "en-US")), (2, language("fr", "fr-FR"))];
    let mut tables: BTreeMap<&'static str, Rows> = EMPTY
        .iter()
        .map(|resource| (*resource, Rows::new()))
        .collect();
    tables.extend([
        ("order_states", states()),
        ("taxes", taxes()),
        ("carriers", carriers()),
        (
            "currencies",
            table([(1, currency("EUR")), (2, currency("USD"))]),
        ),
        ("languages", table(languages)),
        ("countries", table(countries)),
        ("states", table([(5, region)])),
        ("shops", table([(1, shop)])),
        ("shop_urls", table([(1, url)])),
        ("configurations", settings(zone)),
    ]);
    tables
}

/// Tables that fill with sales.
const EMPTY: &[&str] = &[
    "orders",
    "order_details",
    "order_cart_rules",
    "order_carriers",
    "order_histories",
    "order_payments",
    "order_slip",
    "messages",
    "customers",
    "addresses",
    "products",
    "combinations",
    "stock_availables",
];
