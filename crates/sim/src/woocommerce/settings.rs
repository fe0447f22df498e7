//! What the shop tells about itself: versions, settings, tax rates, shipping zones, gateways, coupons.

use super::answer::{Answer, Answered};
use super::listing::{answer_all, answer_list};
use super::query::{Query, pick};
use super::render::{ALL_METHODS, Look};
use super::state::State;
use crate::catalogue::ShopTax;
use crate::orders::Coupon;
use serde_json::{Value, json};

fn answer(document: Value, query: &Query, single: bool) -> Answered {
    let document = match query.fields() {
        Some(fields) => pick(document, &fields, single),
        None => document,
    };
    Ok(Answer::ok(&document))
}

/// `GET /wp-json`.
pub(crate) fn index(state: &State, query: &Query) -> Answered {
    let home = &state.look.home;
    let document = json!({
        "name": "Simulated shop",
        "description": "",
        "url": home,
        "home": home,
        "gmt_offset": 1,
        "timezone_string": "Europe/Paris",
        "namespaces": ["oembed/1.0", "wc/v3", "wc/v2", "wc/v1", "wp/v2"],
        "authentication": {
            "application-passwords": {
                "endpoints": { "authorization": format!("{home}/wp-admin/authorize-application.php") },
            },
        },
        "routes": {},
    });
    answer(document, query, false)
}

/// `GET /system_status`.
pub(crate) fn system_status(state: &State, query: &Query) -> Answered {
    let look = &state.look;
    let (wordpress, store) = if look.recent {
        (
            "7.1",
            "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore",
        )
    } else {
        ("6.5.5", "WC_Order_Data_Store_CPT")
    };
    let word = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| ((*name).to_owned(), Value::from(*name)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut settings = json!({
        "api_enabled": false,
        "force_ssl": false,
        "currency": "EUR",
        "currency_symbol": "&euro;",
        "currency_position": "left",
        "thousand_separator": ",",
        "decimal_separator": ".",
        "number_of_decimals": look.decimals,
        "geolocation_enabled": false,
        "taxonomies": word(&["external", "grouped", "simple", "variable"]),
        "product_visibility_terms": word(&[
            "exclude-from-catalog", "exclude-from-search", "featured", "outofstock",
            "rated-1", "rated-2", "rated-3", "rated-4", "rated-5",
        ]),
        "woocommerce_com_connected": "no",
        "enforce_approved_download_dirs": true,
        "order_datastore": store,
    });
    if !look.recent {
        settings["HPOS_feature_screen_enabled"] = false.into();
    }
    settings["HPOS_enabled"] = look.recent.into();
    settings["HPOS_sync_enabled"] = false.into();
    if look.recent {
        settings["enabled_features"] = json!(["analytics", "custom_order_tables"]);
    }
    let document = json!({
        "environment": {
            "home_url": look.home,
            "site_url": look.home,
            "version": look.version,
            "wp_version": wordpress,
            "default_timezone": "UTC",
        },
        "security": { "secure_connection": look.home.starts_with("https:"), "hide_errors": true },
        "settings": settings,
        "active_plugins": [],
    });
    answer(document, query, false)
}

/// `GET /settings/GROUP` and `GET /settings/GROUP/ID`.
pub(crate) fn settings(state: &State, group: &str, id: Option<&str>, query: &Query) -> Answered {
    let rows: Vec<(&str, String)> = match group {
        "general" => vec![
            ("woocommerce_store_address", "1 rue de l’Exemple".to_owned()),
            ("woocommerce_store_address_2", String::new()),
            ("woocommerce_store_city", "Paris".to_owned()),
            ("woocommerce_default_country", "FR".to_owned()),
            ("woocommerce_store_postcode", "75002".to_owned()),
            ("woocommerce_allowed_countries", "all".to_owned()),
            ("woocommerce_calc_taxes", "yes".to_owned()),
            ("woocommerce_enable_coupons", "yes".to_owned()),
            ("woocommerce_currency", "EUR".to_owned()),
            ("woocommerce_currency_pos", "left".to_owned()),
            ("woocommerce_price_thousand_sep", ",".to_owned()),
            ("woocommerce_price_decimal_sep", ".".to_owned()),
            (
                "woocommerce_price_num_decimals",
                state.look.decimals.to_string(),
            ),
        ],
        "tax" => vec![
            ("woocommerce_prices_include_tax", "no".to_owned()),
            ("woocommerce_tax_based_on", "shipping".to_owned()),
            ("woocommerce_shipping_tax_class", "inherit".to_owned()),
            ("woocommerce_tax_round_at_subtotal", "no".to_owned()),
            ("woocommerce_tax_classes", String::new()),
            ("woocommerce_tax_display_shop", "excl".to_owned()),
            ("woocommerce_tax_display_cart", "excl".to_owned()),
            ("woocommerce_price_display_suffix", String::new()),
            ("woocommerce_tax_total_display", "itemized".to_owned()),
        ],
        "products" => vec![
            ("woocommerce_weight_unit", "kg".to_owned()),
            ("woocommerce_dimension_unit", "cm".to_owned()),
            ("woocommerce_manage_stock", "yes".to_owned()),
        ],
        _ => {
            return Err(Answer::error(
                404,
                "rest_setting_setting_group_invalid",
                "Invalid setting group.",
            ));
        }
    };
    let row = |(name, value): &(&str, String)| {
        let this = format!("settings/{group}/{name}");
        json!({
            "id": name,
            "label": name,
            "description": "",
            "type": "text",
            "default": "",
            "value": value,
            "group_id": group,
            "_links": state.look.links(&this, &["GET", "POST", "PUT", "PATCH"], &[]),
        })
    };
    match id {
        None => answer(rows.iter().map(row).collect(), query, false),
        Some(id) => {
            let found = rows.iter().find(|(name, _)| *name == id);
            let found = found.ok_or_else(|| {
                Answer::error(404, "rest_setting_setting_invalid", "Invalid setting.")
            })?;
            answer(row(found), query, true)
        }
    }
}

/// `GET /data/currencies/current`.
pub(crate) fn currency(state: &State, query: &Query) -> Answered {
    let document = json!({
        "code": "EUR",
        "name": "Euro",
        "symbol": "&euro;",
        "_links": state.look.links("data/currencies/EUR", &["GET"], &[]),
    });
    answer(document, query, true)
}

pub(super) fn tax_json(tax: &ShopTax, look: &Look) -> Value {
    json!({
        "id": tax.id,
        "country": tax.country,
        "state": tax.state,
        "postcode": "",
        "city": "",
        "rate": format!("{:.4}", tax.rate),
        "name": tax.name,
        "priority": tax.priority,
        "compound": tax.compound,
        "shipping": true,
        "order": 0,
        "class": match &*tax.class {
            "" => "standard",
            own => own,
        },
        "postcodes": [],
        "cities": [],
        "_links": look.links(&format!("taxes/{}", tax.id), ALL_METHODS, &[]),
    })
}

/// `GET /taxes`.
pub(crate) fn taxes(state: &State, query: &Query) -> Answered {
    let rates = state.catalogue.taxes.iter();
    answer_all(
        rates.map(|tax| tax_json(tax, &state.look)).collect(),
        "taxes",
        query,
        &state.look,
    )
}

/// `GET /taxes/ID`.
pub(crate) fn tax(state: &State, id: u64, query: &Query) -> Answered {
    let found = state.catalogue.taxes.iter().find(|tax| tax.id == id);
    let tax = found
        .ok_or_else(|| Answer::error(404, "woocommerce_rest_invalid_id", "Invalid resource ID."))?;
    answer(tax_json(tax, &state.look), query, true)
}

/// `GET /taxes/classes`.
pub(crate) fn tax_classes(state: &State, query: &Query) -> Answered {
    let collection = state.look.api("taxes/classes");
    let class = |(slug, name): (&str, &str)| json!({ "slug": slug, "name": name, "_links": { "collection": [{ "href": collection }] } });
    let classes = [
        ("standard", "Standard rate"),
        ("reduced-rate", "Reduced rate"),
        ("zero-rate", "Zero rate"),
    ];
    let own = state.tax_classes.iter();
    let own = own.map(|(slug, name)| (slug.as_str(), name.as_str()));
    answer_all(
        classes.into_iter().chain(own).map(class).collect(),
        "taxes/classes",
        query,
        &state.look,
    )
}

const ZONES: [(u64, &str); 2] = [
    (0, "Locations not covered by your other zones"),
    (1, "Europe"),
];

/// `GET /shipping/zones`.
pub(crate) fn zones(state: &State, query: &Query) -> Answered {
    let zone = |(id, name): (u64, &str)| {
        let this = format!("shipping/zones/{id}");
        let more = [("describedby", format!("{this}/locations"))];
        json!({
            "id": id, "name": name, "order": 0,
            "_links": state.look.links(&this, ALL_METHODS, &more),
        })
    };
    answer_all(
        ZONES.map(zone).to_vec(),
        "shipping/zones",
        query,
        &state.look,
    )
}

/// `GET /shipping/zones/ID/methods`: every method stands in both zones.
pub(crate) fn zone_methods(state: &State, zone: u64, query: &Query) -> Answered {
    if !ZONES.iter().any(|(id, _)| *id == zone) {
        return Err(Answer::error(
            404,
            "woocommerce_rest_shipping_zone_invalid",
            "Resource does not exist.",
        ));
    }
    let look = &state.look;
    let methods = state.catalogue.shipping.iter().enumerate().map(|(index, method)| {
        let instance = zone * 10 + index as u64 + 1;
        let this = format!("shipping/zones/{zone}/methods/{instance}");
        let more = [("describes", format!("shipping/zones/{zone}"))];
        json!({
            "id": instance,
            "instance_id": instance,
            "title": method.title,
            "order": index + 1,
            "enabled": true,
            "method_id": method.key,
            "method_title": method.title,
            "method_description": "",
            "settings": { "title": setting("title", method.title), "tax_status": setting("tax_status", "taxable"), "cost": setting("cost", "6.90") },
            "_links": look.links(&this, ALL_METHODS, &more),
        })
    });
    let path = format!("shipping/zones/{zone}/methods");
    answer_all(methods.collect(), &path, query, look)
}

fn setting(id: &str, value: &str) -> Value {
    let kind = if id == "tax_status" { "select" } else { "text" };
    let mut out = json!({
        "id": id, "label": id, "description": "", "type": kind, "value": value, "default": "", "tip": "",
        "placeholder": "",
    });
    if kind == "select" {
        out["options"] = json!({ "taxable": "Taxable", "none": "None" });
    }
    out
}

/// `GET /payment_gateways`.
pub(crate) fn gateways(state: &State, query: &Query) -> Answered {
    let look = &state.look;
    let gateways = state
        .catalogue
        .payments
        .iter()
        .enumerate()
        .map(|(index, method)| {
            let this = format!("payment_gateways/{}", method.key);
            json!({
                "id": method.key,
                "title": method.title,
                "description": "",
                "order": index,
                "enabled": true,
                "method_title": method.title,
                "method_description": "",
                "method_supports": ["products", "refunds"],
                "settings": {},
                "_links": look.links(&this, &["GET", "POST", "PUT", "PATCH"], &[]),
            })
        });
    answer_all(gateways.collect(), "payment_gateways", query, look)
}

pub(super) fn coupon_json(coupon: &Coupon, look: &Look) -> Value {
    json!({
        "id": coupon.id,
        "code": coupon.code,
        "amount": super::render::money(coupon.nominal(), 2),
        "status": "publish",
        "date_modified_gmt": "2026-01-01T00:00:00",
        "discount_type": coupon.kind(),
        "description": "",
        "free_shipping": coupon.free_shipping(),
        "_links": look.links(&format!("coupons/{}", coupon.id), ALL_METHODS, &[]),
    })
}

/// `GET /coupons`.
pub(crate) fn coupons(state: &State, query: &Query) -> Answered {
    let page = query.page()?;
    let search = query.get("search").unwrap_or_default().to_lowercase();
    let code = query.get("code").map(str::to_lowercase);
    let documents: Vec<Value> = state
        .coupons
        .iter()
        .filter(|coupon| coupon.code.contains(&search))
        .filter(|coupon| code.as_ref().is_none_or(|code| coupon.code == *code))
        .map(|coupon| coupon_json(coupon, &state.look))
        .collect();
    let total = documents.len();
    let shown = page.of(&documents).to_vec();
    answer_list(shown, total, page, "coupons", query, &state.look)
}
