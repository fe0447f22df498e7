//! What an administrator adds through the API to what a sale costs: tax classes, tax rates and coupons.

use super::answer::{Answer, Answered};
use super::sales::decimal;
use super::settings::{coupon_json, tax_json};
use super::state::State;
use crate::basket::Off;
use crate::catalogue::ShopTax;
use crate::orders::Coupon;
use serde_json::{Value, json};
use std::borrow::Cow;

fn text(body: &Value, field: &str) -> String {
    let text = body.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// `POST /taxes/classes`.
pub(crate) fn create_class(state: &mut State, body: &Value) -> Answered {
    let name = text(body, "name");
    let slug: Vec<String> = name
        .to_lowercase()
        .split(|sign: char| !sign.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let slug = slug.join("-");
    if state.tax_classes.iter().any(|(known, _)| *known == slug) {
        return Err(Answer::error(
            400,
            "woocommerce_rest_tax_class_exists",
            "Cannot create existing resource.",
        ));
    }
    let document = json!({ "slug": slug, "name": name });
    let place = state.look.api(&format!("taxes/classes/{slug}"));
    state.tax_classes.push((slug, name));
    state.writes += 1;
    Ok(Answer::created(&document, place))
}

/// `POST /taxes`.
pub(crate) fn create_rate(state: &mut State, body: &Value) -> Answered {
    let owned = |field: &str| Cow::Owned(text(body, field));
    let known = state.catalogue.taxes.iter().map(|tax| tax.id).max();
    let tax = ShopTax {
        id: known.unwrap_or_default() + 1,
        country: owned("country"),
        state: owned("state"),
        rate: decimal(body.get("rate")).unwrap_or_default(),
        name: owned("name"),
        priority: body
            .get("priority")
            .and_then(Value::as_u64)
            .and_then(|priority| u32::try_from(priority).ok())
            .unwrap_or(1),
        compound: body.get("compound") == Some(&Value::Bool(true)),
        class: match text(body, "class").as_str() {
            "" | "standard" => Cow::Borrowed(""),
            own => Cow::Owned(own.to_owned()),
        },
        erp: "",
        mapped: false,
    };
    let document = tax_json(&tax, &state.look);
    let place = state.look.api(&format!("taxes/{}", tax.id));
    state.catalogue.taxes.push(tax);
    state.writes += 1;
    Ok(Answer::created(&document, place))
}

/// `POST /coupons`. Codes are kept in lower case.
pub(crate) fn create_coupon(state: &mut State, body: &Value) -> Answered {
    let amount = decimal(body.get("amount")).unwrap_or_default();
    let free = body.get("free_shipping") == Some(&Value::Bool(true));
    let coupon = Coupon {
        id: state.ids.post(),
        code: Cow::Owned(text(body, "code").to_lowercase()),
        off: match text(body, "discount_type").as_str() {
            _ if free && amount.is_zero() => Off::Shipping,
            "percent" => Off::Percent(amount),
            _ => Off::Fixed(amount),
        },
    };
    let document = coupon_json(&coupon, &state.look);
    let place = state.look.api(&format!("coupons/{}", coupon.id));
    state.coupons.push(coupon);
    state.writes += 1;
    Ok(Answer::created(&document, place))
}
