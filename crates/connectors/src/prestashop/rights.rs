//! What the key may do, and what of the shop's version and set-up stands in the way of writing back. Only what reading orders needs is a must.

use super::probe::notice;
use super::settings::Settings;
use super::ship::shipped_state;
use super::tables::{CarrierWire, Tables};
use super::xml::Root;
use comptoir_model::account::{Notice, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;

/// What must be readable.
const READS: &[&str] = &[
    "addresses",
    "carriers",
    "combinations",
    "configurations",
    "countries",
    "currencies",
    "customers",
    "languages",
    "messages",
    "order_cart_rules",
    "order_details",
    "order_payments",
    "order_slip",
    "order_states",
    "orders",
    "products",
    "shop_urls",
    "shops",
    "states",
    "taxes",
];

/// What write-back to orders needs beside that.
const ORDERS: &[(&str, &str)] = &[
    ("order_histories", "POST"),
    ("order_carriers", "GET"),
    ("order_carriers", "PATCH"),
];

/// What shipments need beside that.
const SHIPMENTS: &[(&str, &str)] = &[("messages", "POST")];

/// What stock needs.
const STOCK: &[(&str, &str)] = &[("stock_availables", "GET"), ("stock_availables", "PATCH")];

/// What version and rights say.
///
/// # Errors
/// [`Code::MissingRight`] for a key that may not read what orders need.
pub(super) fn judged(version: &str, root: &Root) -> Result<Vec<Notice>, Fault> {
    let missing: Vec<&str> = READS
        .iter()
        .copied()
        .filter(|resource| !root.allows(resource, "GET"))
        .collect();
    if !missing.is_empty() {
        let why = format!(
            "the key lacks the right to read {}: tick `View (GET)` for each in Advanced Parameters > Webservice",
            missing.join(", ")
        );
        return Err(Fault::locked(Code::MissingRight, why));
    }
    let mut notices = Vec::new();
    let old = version.starts_with("1.");
    for (needed, what) in [
        (
            ORDERS,
            "orders can be read; states, tracking numbers and shipments cannot be written back without",
        ),
        (
            SHIPMENTS,
            "shipments cannot be written into orders, where a private message notes them, without",
        ),
        (STOCK, "stock cannot be read and written without"),
    ] {
        let missing = lacking(root, needed, old);
        if !missing.is_empty() {
            let detail = format!("{what} {}", missing.join(", "));
            notices.push(notice(Severity::Warning, Code::ReadOnlyKey, detail));
        }
    }
    notices.extend(of_version(version));
    Ok(notices)
}

/// What is missing of what is needed. A shop before 8 has PUT where a later one has PATCH.
fn lacking(root: &Root, needed: &[(&str, &str)], old: bool) -> Vec<String> {
    needed
        .iter()
        .map(|(resource, method)| match *method {
            "PATCH" if old => (*resource, "PUT"),
            method => (*resource, method),
        })
        .filter(|(resource, method)| !root.allows(resource, method))
        .map(|(resource, method)| format!("{method} {resource}"))
        .collect()
}

fn of_version(version: &str) -> Option<Notice> {
    let mut parts = version
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let (severity, detail) = match (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) {
        (8, _) => return None,
        (9, _) => (
            Severity::Info,
            "was written for from the documentation, and was not verified",
        ),
        (1, 7) => (
            Severity::Warning,
            "is read as far as its webservice goes, and was not verified; tracking numbers and stock are written to it as whole rows",
        ),
        (0 | 1, _) => (
            Severity::Error,
            "is older than 1.7, the oldest version that is supported",
        ),
        _ => (
            Severity::Warning,
            "is newer than 9, the newest version that is known",
        ),
    };
    let detail = format!("PrestaShop {version} {detail}");
    Some(notice(severity, Code::UnsupportedVersion, detail))
}

/// What stands in the way of shipments, for a key that may write them.
pub(super) fn of_shipments(root: &Root, settings: &Settings, tables: &Tables) -> Vec<Notice> {
    let mut notices = Vec::new();
    if !root.allows("messages", "POST") {
        return notices;
    }
    for (named, field) in [
        (&settings.shipped_status, "shipped_status"),
        (&settings.partly_shipped_status, "partly_shipped_status"),
    ] {
        let known = |id: &String| tables.states.get(id).is_some_and(|state| !state.deleted);
        if let Some(id) = named.as_ref().filter(|id| !known(id)) {
            let detail = format!("`{field}` names order state {id}, which the shop does not have");
            notices.push(notice(Severity::Warning, Code::BadValue, detail));
        }
    }
    if settings.shipped_status.is_none() && shipped_state(tables).is_none() {
        let detail = "the shop has no order state that is flagged as shipped; name one in `shipped_status`, or orders that have left stay open";
        notices.push(notice(Severity::Warning, Code::MissingSetting, detail));
    }
    let silent = |carrier: &&CarrierWire| !carrier.deleted && carrier.url.trim().is_empty();
    let mut silent: Vec<&CarrierWire> = tables.carriers.values().filter(silent).collect();
    silent.sort_by_key(|carrier| carrier.id.parse::<u64>().unwrap_or(u64::MAX));
    if !silent.is_empty() {
        let names: Vec<&str> = silent.iter().map(|carrier| carrier.name.trim()).collect();
        let detail = format!(
            "the shop mails no tracking numbers of carriers without a tracking URL (Shipping > Carriers): {}",
            names.join(", ")
        );
        notices.push(notice(Severity::Info, Code::MissingSetting, detail));
    }
    notices
}
