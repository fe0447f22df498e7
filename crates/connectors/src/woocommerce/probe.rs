//! The test of a connection, and what is learnt of the shop.

use super::settings::{AuthMode, Settings, ShippingKey};
use super::{Shop, fault, path, tax, write};
use comptoir_kit::auth::Auth;
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, HttpOptions};
use comptoir_model::Decimal;
use comptoir_model::account::{Account, Choice, Notice, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Pages of 100 tax rates read at most: American shops hold tens of thousands.
const TAX_PAGES: usize = 10;

/// Statuses that WooCommerce itself has.
pub(super) const STATUSES: &[&str] = &[
    "auto-draft",
    "cancelled",
    "checkout-draft",
    "completed",
    "draft",
    "failed",
    "on-hold",
    "pending",
    "processing",
    "refunded",
    "trash",
];

/// The root of the WordPress API, open to all.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) timezone_string: String,
    #[serde(default, deserialize_with = "decode::decimal_option")]
    pub(super) gmt_offset: Option<Decimal>,
    pub(super) namespaces: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct System {
    pub(super) environment: Environment,
    pub(super) settings: ShopSettings,
}

#[derive(Debug, Deserialize)]
pub(super) struct Environment {
    pub(super) home_url: String,
    pub(super) version: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) wp_version: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct ShopSettings {
    pub(super) currency: String,
    #[serde(default, deserialize_with = "decode::integer_option")]
    pub(super) number_of_decimals: Option<i64>,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) order_datastore: String,
}

impl ShopSettings {
    /// Whether orders have tables of their own. The API is the same either way.
    pub(super) fn order_storage(&self) -> &'static str {
        if self.order_datastore.contains("OrdersTable") {
            "hpos"
        } else {
            "posts"
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Setting {
    pub(super) id: String,
    #[serde(default)]
    pub(super) value: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rate {
    #[serde(default, deserialize_with = "decode::text")]
    country: String,
    #[serde(default, deserialize_with = "decode::text")]
    state: String,
    #[serde(default, deserialize_with = "decode::text")]
    name: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) rate: Decimal,
    #[serde(default, deserialize_with = "decode::integer")]
    priority: i64,
    #[serde(default, deserialize_with = "decode::text")]
    class: String,
}

impl Rate {
    /// The key under which orders show it.
    pub(super) fn code(&self) -> String {
        let code = tax::rate_code(&self.country, &self.state, &self.name, self.priority);
        tax::code(&code, Some(self.rate))
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct StatusRow {
    pub(super) slug: String,
    #[serde(default, deserialize_with = "decode::text")]
    name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Zone {
    // The zone of all other places has the id 0.
    pub(super) id: u64,
    #[serde(default, deserialize_with = "decode::text")]
    name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Method {
    #[serde(default, deserialize_with = "decode::text")]
    instance_id: String,
    #[serde(default, deserialize_with = "decode::text")]
    title: String,
    pub(super) method_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Gateway {
    pub(super) id: String,
    #[serde(default, deserialize_with = "decode::text")]
    title: String,
    #[serde(default, deserialize_with = "decode::text")]
    method_title: String,
}

/// Collects tables; a table that the key may not read is a notice and no failure.
pub(super) struct Found {
    pub(super) account: Account,
}

impl Found {
    pub(super) fn notice(&mut self, severity: Severity, code: Code, detail: impl Into<String>) {
        let detail = detail.into();
        self.account.notices.push(Notice {
            severity,
            code,
            detail,
        });
    }

    pub(super) fn table<T>(
        &mut self,
        name: &str,
        read: Result<Vec<T>, Fault>,
    ) -> Result<Vec<T>, Fault> {
        match read {
            Ok(rows) => Ok(rows),
            Err(fault) if fault.next == Next::Locked => {
                let detail = format!("the table `{name}` cannot be read: {}", fault.why);
                self.notice(Severity::Warning, fault.code, detail);
                Ok(Vec::new())
            }
            Err(fault) => Err(fault),
        }
    }

    fn choices(&mut self, table: &str, choices: Vec<Choice>) {
        let mut known: Vec<Choice> = Vec::new();
        for choice in choices {
            if known.iter().all(|other| other.id != choice.id) {
                known.push(choice);
            }
        }
        self.account.choices.insert(table.to_owned(), known);
    }
}

fn choice(id: impl Into<RemoteId>, name: impl Into<String>) -> Choice {
    Choice {
        id: id.into(),
        name: name.into(),
        includes_tax: false,
        currency: None,
        rate: None,
        company: None,
    }
}

impl Shop {
    /// Tests the connection and reads what is to be known.
    pub(super) async fn account(&self) -> Result<Account, Fault> {
        let index = self.index().await?;
        let call = Call::get("probe.system", path("system_status")).query(
            "_fields",
            "environment.home_url,environment.version,environment.wp_version,settings",
        );
        let answer = match self.ask(call).await {
            Ok(answer) => answer,
            Err(fault) => return Err(self.diagnose(fault).await),
        };
        let system: System = answer.json()?;
        let mut found = Found {
            account: self.described(&index, &system),
        };
        self.judge(&mut found, &system, &answer);
        self.try_to_write(&mut found).await?;
        self.judge_tracking(&mut found, &index);
        self.tables(&mut found, &system).await?;
        Ok(found.account)
    }

    /// Asked without the key: WordPress would take it for a user's password.
    async fn index(&self) -> Result<Index, Fault> {
        let open = HttpOptions {
            auth: Auth::None,
            slots: 1,
            ..HttpOptions::default()
        };
        let http = self.kit.http.open(&self.settings.url, open)?;
        let call = Call::get("probe.index", "wp-json")
            .query("_fields", "name,gmt_offset,timezone_string,namespaces");
        let answer = http.send(call).await?;
        let found = fault::success(answer, self.mode).and_then(|answer| answer.json::<Index>());
        let index = found.map_err(|fault| match fault.code {
            Code::NotUnderstood | Code::WrongAddress => Fault::locked(
                Code::WrongAddress,
                "there is no WordPress API at this address: check it, and that WordPress > Settings > Permalinks is not `Plain`",
            ),
            _ => fault,
        })?;
        if !index
            .namespaces
            .iter()
            .any(|namespace| namespace == "wc/v3")
        {
            return Err(Fault::locked(
                Code::WrongAddress,
                "WordPress answers, and has no WooCommerce API v3: WooCommerce is switched off or older than 3.5",
            ));
        }
        Ok(index)
    }

    fn described(&self, index: &Index, system: &System) -> Account {
        let environment = &system.environment;
        let storage = system.settings.order_storage();
        let fields = [write::PRIVATE_NOTE, write::CUSTOMER_NOTE].map(str::to_owned);
        Account {
            title: index.name.clone(),
            version: format!("WooCommerce {}", environment.version),
            site: site(&environment.home_url),
            time_zone: time_zone(index),
            currency: system.settings.currency.parse().ok(),
            price_decimals: system
                .settings
                .number_of_decimals
                .and_then(|decimals| u32::try_from(decimals).ok()),
            quantity_decimals: None,
            choices: BTreeMap::from([(
                "facts".to_owned(),
                vec![
                    choice("wordpress", environment.wp_version.clone()),
                    choice("order_storage", storage),
                    choice("seen_as_https", (self.mode != AuthMode::OAuth1).to_string()),
                ],
            )]),
            fields: BTreeMap::from([("order".to_owned(), fields.to_vec())]),
            notices: Vec::new(),
        }
    }

    fn judge(&self, found: &mut Found, system: &System, answer: &Answer) {
        let version = &system.environment.version;
        let major: Option<u32> = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        match major {
            Some(8..=11) => {}
            Some(0..8) => found.notice(
                Severity::Error,
                Code::UnsupportedVersion,
                format!(
                    "WooCommerce {version} is older than 8, the oldest version that is supported"
                ),
            ),
            _ => found.notice(
                Severity::Warning,
                Code::UnsupportedVersion,
                format!(
                    "WooCommerce {version} is newer than 11, the newest version that was verified"
                ),
            ),
        }
        if !self.settings.is_https() {
            found.notice(
                Severity::Warning,
                Code::PlainHttp,
                "requests are signed, but orders and their buyers travel unencrypted; outside a private network write `https://`",
            );
        }
        let own = site(&system.environment.home_url);
        if host(&own) != host(&site(&self.settings.url)) {
            found.notice(
                Severity::Warning,
                Code::OtherSite,
                format!("the shop calls itself {own}, which is another host than the address of this connection"),
            );
        }
        let date = answer.header("date").map(jiff::fmt::rfc2822::parse);
        let skew = date.and_then(Result::ok).map(|theirs| {
            let theirs = theirs.timestamp().as_second();
            theirs.abs_diff(answer.at.as_second())
        });
        if let Some(seconds) = skew.filter(|seconds| *seconds > 60) {
            found.notice(
                Severity::Warning,
                Code::ClockSkew,
                format!("the clocks of shop and hub differ by {seconds} s"),
            );
        }
    }

    async fn tables(&self, found: &mut Found, system: &System) -> Result<(), Fault> {
        let settings = self
            .list::<Setting>("settings/tax", &[("_fields", "id,value")])
            .await;
        let settings = found.table("settings", settings)?;
        let stock = self.judge_stock(found).await;
        let settings = settings.into_iter().chain(stock);
        let mut facts = found.account.choices.remove("facts").unwrap_or_default();
        facts.extend(settings.filter_map(|setting| {
            let name = setting.id.strip_prefix("woocommerce_")?.to_owned();
            Some(choice(name, super::keep::scalar(&setting.value)?))
        }));
        facts.push(choice("version", system.environment.version.clone()));
        found.choices("facts", facts);
        self.tax_table(found).await?;
        let fields = [("_fields", "id,title,enabled,method_title")];
        let gateways = self.list::<Gateway>("payment_gateways", &fields).await;
        let gateways = found.table("payment_methods", gateways)?;
        let methods = gateways.into_iter().map(|gateway| {
            let name = if gateway.title.is_empty() {
                gateway.method_title
            } else {
                gateway.title
            };
            choice(gateway.id, name)
        });
        let own = [choice("gift_card", "Gift card"), choice("other", "Other")];
        found.choices("payment_methods", methods.chain(own).collect());
        self.shipping_table(found).await?;
        self.status_table(found).await
    }

    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        resource: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, Fault> {
        let mut call = Call::get("probe.table", path(resource));
        for (name, value) in query {
            call = call.query(*name, *value);
        }
        self.ask(call).await?.json()
    }

    async fn tax_table(&self, found: &mut Found) -> Result<(), Fault> {
        let mut choices = Vec::new();
        for page in 1..=TAX_PAGES {
            let page_text = page.to_string();
            let query = [("per_page", "100"), ("page", page_text.as_str())];
            let rates = found.table("taxes", self.list::<Rate>("taxes", &query).await)?;
            let last = rates.len() < 100;
            choices.extend(rates.into_iter().map(|rate| Choice {
                rate: Some(rate.rate.normalize()),
                ..choice(rate.code(), format!("{} ({})", rate.name, rate.class))
            }));
            if last {
                break;
            }
            if page == TAX_PAGES {
                let detail =
                    "only the first 1000 tax rates are listed; others can be mapped by their code";
                found.notice(Severity::Info, Code::MissingRow, detail);
            }
        }
        found.choices("taxes", choices);
        Ok(())
    }

    async fn shipping_table(&self, found: &mut Found) -> Result<(), Fault> {
        let zones = self.list::<Zone>("shipping/zones", &[]).await;
        let mut choices = Vec::new();
        for zone in found.table("shipping_methods", zones)? {
            let resource = format!("shipping/zones/{}/methods", zone.id);
            let methods = self.list::<Method>(&resource, &[]).await;
            for method in found.table("shipping_methods", methods)? {
                choices.push(shipping_choice(&zone, &method, &self.settings));
            }
        }
        found.choices("shipping_methods", choices);
        Ok(())
    }

    async fn status_table(&self, found: &mut Found) -> Result<(), Fault> {
        let statuses = self.list::<StatusRow>("reports/orders/totals", &[]).await;
        let statuses = found.table("statuses", statuses)?;
        for status in &statuses {
            let known = STATUSES.contains(&status.slug.as_str());
            if !known && !self.settings.statuses.contains_key(&status.slug) {
                let detail = format!(
                    "the shop has a status of its own, `{}`; say under `statuses` what it means",
                    status.slug
                );
                found.notice(Severity::Warning, Code::MissingRow, detail);
            }
        }
        self.judge_statuses(found, &statuses);
        let choices = statuses
            .into_iter()
            .map(|status| choice(status.slug, status.name));
        found.choices("statuses", choices.collect());
        Ok(())
    }
}

fn shipping_choice(zone: &Zone, method: &Method, settings: &Settings) -> Choice {
    match settings.shipping_key {
        ShippingKey::Instance if !matches!(method.instance_id.as_str(), "" | "0") => choice(
            format!("{}:{}", method.method_id, method.instance_id),
            format!("{}: {}", zone.name, method.title),
        ),
        _ => choice(method.method_id.clone(), method.title.clone()),
    }
}

/// The shop's own address without its scheme, which may change from http to https one day.
pub(super) fn site(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    rest.trim_end_matches('/').to_owned()
}

fn host(site: &str) -> &str {
    let host = site.split('/').next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

/// The zone of the shop's dates. Shops set to a bare offset get the zone of that offset; its sign is the other way round.
fn time_zone(index: &Index) -> String {
    if !index.timezone_string.is_empty() {
        return index.timezone_string.clone();
    }
    match index.gmt_offset {
        Some(offset) if offset.is_zero() => "UTC".to_owned(),
        Some(offset) if offset.is_integer() => {
            let sign = if offset.is_sign_negative() { '+' } else { '-' };
            format!("Etc/GMT{sign}{}", offset.abs().normalize())
        }
        _ => String::new(),
    }
}
