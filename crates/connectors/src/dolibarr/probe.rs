//! What a connected Dolibarr is: its version, what the user of the key may do, and everything a look-up table may point to.

use super::api::{Api, List};
use super::demand;
use super::fault;
use super::map;
use super::order::FIELDS;
use super::wire::{Company, Order, Product, Small, Status};
use comptoir_kit::decode;
use comptoir_kit::time;
use comptoir_model::account::{Account, Choice, Notice, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The first version that this connector knows, and the last one it was written for.
const VERSIONS: std::ops::RangeInclusive<u32> = 17..=22;
/// The version of the tapes.
const VERIFIED: u32 = 17;

/// Tables of choices: the name in [`Account::choices`], and the part of the API.
const TABLES: [(&str, &str); 4] = [
    ("payment_terms", "setup/dictionary/payment_terms"),
    ("payment_methods", "setup/dictionary/payment_types"),
    ("carriers", "setup/dictionary/shipping_methods"),
    ("warehouses", "warehouses"),
];

/// The version in an answer of `/status`: forks name the field by their own name.
pub(super) fn version(status: &Status) -> Option<String> {
    let named = |(name, value): (&String, &Value)| {
        let text = value.as_str().filter(|_| name.ends_with("_version"))?;
        Some(text.to_owned())
    };
    status.success.iter().find_map(named)
}

/// Probes an instance.
pub(super) async fn probe(api: &Api) -> Result<Account, Fault> {
    let status: Status = api
        .get("status", "status", &[])
        .await
        .or_else(wrong_address)?;
    let Some(version) = version(&status) else {
        return Err(Fault::locked(
            Code::WrongAddress,
            "the address answers, but not with the version of a Dolibarr",
        ));
    };
    let zone = status
        .success
        .get("timestamp_php_tz")
        .and_then(Value::as_str);
    let known = |zone: &&str| time::naive_in(Timestamp::UNIX_EPOCH, zone).is_ok();
    api.learnt().zone = zone.filter(known).map(str::to_owned);
    let mut notices = versions(&version);
    let orders: Vec<Order> = rows(api, "orders").await?;
    rows::<Value>(api, "thirdparties").await?;
    rows::<Value>(api, "contacts").await?;
    let products: Vec<Product> = listed(
        api,
        List {
            stock: true,
            ..List::of("probe", "products", 100)
        },
    )
    .await?;
    notices.extend(zone_notice(api, &orders));
    let mut choices = BTreeMap::new();
    for (table, path) in TABLES {
        match rows::<Small>(api, path).await {
            Ok(rows) => {
                choices.insert(table.to_owned(), rows.iter().map(choice).collect());
            }
            Err(fault) if matches!(fault.code, Code::MissingRight | Code::WrongAddress) => {
                notices.push(notice(
                    Severity::Info,
                    fault.code,
                    format!("`{path}` is not used: {}", fault.why),
                ));
            }
            Err(fault) => return Err(fault),
        }
    }
    notices.extend(flows(api, &products).await?);
    choices.insert("taxes".to_owned(), taxes(api, &products));
    let company = company(api).await?;
    notices.extend(currency_notice(api, company.as_ref()));
    let title = company
        .map(|company| company.name)
        .filter(|name| !name.is_empty());
    Ok(Account {
        title: title.unwrap_or_else(|| "Dolibarr".to_owned()),
        version: format!("Dolibarr {version}"),
        site: api.site(),
        time_zone: api.zone(),
        currency: Some(api.settings.currency),
        price_decimals: Some(api.settings.price_decimals),
        quantity_decimals: None,
        choices,
        fields: BTreeMap::from([
            ("order".to_owned(), fields(api, &mut notices).await?),
            // Nobody has seen yet how extra fields of these are taken.
            ("order_line".to_owned(), Vec::new()),
            ("customer".to_owned(), Vec::new()),
        ]),
        notices,
    })
}

fn notice(severity: Severity, code: Code, detail: impl Into<String>) -> Notice {
    Notice {
        severity,
        code,
        detail: detail.into(),
    }
}

/// What the flows of stock and of shipments miss: nothing that orders need.
async fn flows(api: &Api, products: &[Product]) -> Result<Vec<Notice>, Fault> {
    let mut notices = Vec::new();
    if products.first().is_some_and(|row| row.stock_reel.is_none()) {
        let detail = format!("stock cannot be read: {}", fault::right("warehouses"));
        notices.push(notice(Severity::Warning, Code::MissingRight, detail));
    }
    match rows::<Value>(api, "shipments").await {
        Ok(_) => {}
        Err(fault) if is_optional(&fault) => {
            let detail = format!("shipments cannot be read: {}", fault::right("shipments"));
            notices.push(notice(Severity::Warning, fault.code, detail));
        }
        Err(fault) => return Err(fault),
    }
    let told = demand::told(api).await?;
    let set = api.settings.stock_falls;
    let found = match (told, set) {
        (None, None) => Some((
            Code::MissingSetting,
            "Dolibarr tells administrators only when stock goes down, and Comptoir takes it for the shipment: say it in the setting `stock_falls`",
        )),
        (Some(None), None) => Some((
            Code::MissingSetting,
            "Dolibarr has no rule for the decrease of stock (Setup, Modules, Stocks): stock does not go down by itself, and orders that nobody classifies as delivered keep their goods",
        )),
        (Some(Some(told)), Some(set)) if told != set => Some((
            Code::BadValue,
            "the setting `stock_falls` says otherwise than Dolibarr's own rule for the decrease of stock",
        )),
        _ => None,
    };
    notices.extend(found.map(|(code, detail)| notice(Severity::Info, code, detail)));
    if !api.settings.kits && demand::constant(api, "PRODUIT_SOUSPRODUITS").await? == Some(true) {
        let detail = "virtual products are on in Dolibarr: if products are kits of others, switch the setting `kits` on";
        notices.push(notice(Severity::Info, Code::MissingSetting, detail));
    }
    Ok(notices)
}

/// `/status` needs no right, so what is not there is no Dolibarr.
fn wrong_address<T>(fault: Fault) -> Result<T, Fault> {
    if fault.next == Next::Gone {
        let why = "the address leads to no Dolibarr, or its module API is off";
        return Err(Fault::locked(Code::WrongAddress, why));
    }
    Err(fault)
}

/// The last rows of a part of the API: whether it may be read shows in whether it answers.
async fn rows<T: serde::de::DeserializeOwned>(api: &Api, path: &str) -> Result<Vec<T>, Fault> {
    listed(api, List::of("probe", path, 100)).await
}

async fn listed<T: serde::de::DeserializeOwned>(
    api: &Api,
    list: List<'_>,
) -> Result<Vec<T>, Fault> {
    let rows = api.list(list).await?;
    let row = |row: Box<serde_json::value::RawValue>| decode::json(row.get().as_bytes());
    rows.into_iter().map(row).collect()
}

fn versions(version: &str) -> Vec<Notice> {
    let major: Option<u32> = version
        .split('.')
        .next()
        .and_then(|major| major.parse().ok());
    let detail = match major {
        Some(VERIFIED) => return Vec::new(),
        Some(major) if VERSIONS.contains(&major) => {
            format!("Comptoir was verified on Dolibarr {VERIFIED}, not on {version}")
        }
        _ => format!(
            "Comptoir knows Dolibarr {} to {}; this one says {version}",
            VERSIONS.start(),
            VERSIONS.end()
        ),
    };
    vec![notice(Severity::Warning, Code::UnsupportedVersion, detail)]
}

/// Order dates are midnights of the server: in another zone they are not.
fn zone_notice(api: &Api, orders: &[Order]) -> Option<Notice> {
    let zone = api.zone();
    let midnight = |order: &Order| {
        let at = map::instant(&order.date, "UTC")?;
        let local = time::naive_in(at, &zone).ok()?;
        Some(local.ends_with("00:00:00"))
    };
    let other = orders.iter().filter_map(midnight).any(|midnight| !midnight);
    other.then(|| {
        let detail = format!(
            "the server's time zone is not {zone}: put the right one into the setting `time_zone`"
        );
        notice(Severity::Warning, Code::ClockSkew, detail)
    })
}

fn choice(row: &Small) -> Choice {
    let names = [&row.label, &row.code, &row.reference];
    let name = names.into_iter().find(|name| !name.trim().is_empty());
    Choice {
        id: RemoteId(row.id.clone()),
        name: name.cloned().unwrap_or_default(),
        includes_tax: false,
        currency: None,
        rate: None,
        company: None,
    }
}

/// VAT rates: the API does not list them, so those of the settings, else those of the products. A price never includes its tax: the
/// API takes net prices.
fn taxes(api: &Api, products: &[Product]) -> Vec<Choice> {
    let mut codes: BTreeSet<String> = BTreeSet::from(["0".to_owned()]);
    let given = api.settings.vat_rates.iter();
    codes.extend(given.filter_map(|rate| map::tax_code(rate)));
    if api.settings.vat_rates.is_empty() {
        let of_products = products.iter().filter_map(|product| {
            let code = product.default_vat_code.trim();
            match code {
                "" => map::tax_code(&product.tva_tx),
                code => map::tax_code(&format!("{} ({code})", product.tva_tx)),
            }
        });
        codes.extend(of_products);
    }
    let choice = |code: String| {
        let rate = code.split(' ').next().and_then(decode::decimal_of);
        Choice {
            name: code.replacen(
                rate.map(|rate| rate.to_string())
                    .as_deref()
                    .unwrap_or_default(),
                &format!("{} %", rate.unwrap_or_default()),
                1,
            ),
            id: RemoteId(code),
            includes_tax: false,
            currency: None,
            rate,
            company: None,
        }
    };
    codes.into_iter().map(choice).collect()
}

/// The company, which administrators and named logins may read.
async fn company(api: &Api) -> Result<Option<Company>, Fault> {
    match api.get("company", "setup/company", &[]).await {
        Ok(company) => Ok(Some(company)),
        Err(fault) if is_optional(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Whether a part of the API is closed to this user, or not there.
pub(super) fn is_optional(fault: &Fault) -> bool {
    matches!(
        fault.code,
        Code::MissingRight | Code::UnsupportedVersion | Code::RecordGone | Code::WrongAddress
    )
}

fn currency_notice(api: &Api, company: Option<&Company>) -> Option<Notice> {
    let books = api.settings.currency;
    let told = company
        .map(|company| company.currency_code.trim())
        .filter(|code| !code.is_empty())?;
    (told != books.code()).then(|| {
        let detail =
            format!("Dolibarr keeps its books in {told}, the setting `currency` says {books}");
        notice(Severity::Error, Code::CurrencyDiffers, detail)
    })
}

/// Fields of an order that a flow may fill. Extra fields are told to administrators only.
async fn fields(api: &Api, notices: &mut Vec<Notice>) -> Result<Vec<String>, Fault> {
    let mut fields: Vec<String> = FIELDS.iter().map(|field| (*field).to_owned()).collect();
    let path = "setup/extrafields";
    let query = [("elementtype", "commande"), ("type", "commande")];
    match api.get::<Value>("extrafields", path, &query).await {
        Ok(Value::Object(kinds)) => {
            let of_orders = kinds.get("commande").and_then(Value::as_object);
            fields.extend(
                of_orders
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| format!("options_{name}")),
            );
        }
        Ok(_) => {}
        Err(fault) if fault.code == Code::RecordGone => {}
        Err(fault) if is_optional(&fault) => {
            let detail =
                "extra fields of orders are told to administrators only; name them as `options_…`";
            notices.push(notice(Severity::Info, Code::MissingRight, detail));
        }
        Err(fault) => return Err(fault),
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use crate::dolibarr::{SPEC, fault};

    #[test]
    fn the_set_up_names_every_right_that_a_fault_asks_for() {
        for part in [
            "orders",
            "thirdparties",
            "contacts",
            "products",
            "warehouses",
            "shipments",
        ] {
            let right = fault::right(part);
            let quoted = right.split('“').skip(1);
            for name in quoted.filter_map(|rest| rest.split('”').next()) {
                assert!(SPEC.setup.contains(name), "{name}");
            }
        }
    }
}
