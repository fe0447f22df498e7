//! The test of a connection, and what is learnt of the shop.

use super::ask::List;
use super::status::{LAST_OWN, Meaning, meaning};
use super::tables::{StateWire, Tables};
use super::wire::in_first_language;
use super::xml::{self, Root};
use super::{Shop, path, rights, write};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call};
use comptoir_model::account::{Account, Choice, Notice, Severity};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Orders whose payment modules are listed: the webservice has no list of modules.
const LAST_ORDERS: u32 = 200;

/// Settings of the shop that are of interest.
const SETTINGS: &[&str] = &[
    "PS_TIMEZONE",
    "PS_CURRENCY_DEFAULT",
    "PS_COUNTRY_DEFAULT",
    "PS_LANG_DEFAULT",
    "PS_TAX",
    "PS_PRICE_ROUND_MODE",
    "PS_ROUND_TYPE",
    "PS_STOCK_MANAGEMENT",
    "PS_ORDER_OUT_OF_STOCK",
];

#[derive(Debug, Clone, Deserialize)]
pub(super) struct SettingWire {
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "decode::text")]
    pub(super) value: String,
    #[serde(default, deserialize_with = "decode::text")]
    id_shop: String,
    #[serde(default, deserialize_with = "decode::text")]
    id_shop_group: String,
}

#[derive(Debug, Clone, Deserialize)]
struct ShopWire {
    #[serde(deserialize_with = "decode::text")]
    id: String,
    #[serde(default, deserialize_with = "decode::text")]
    name: String,
    #[serde(default, deserialize_with = "decode::flag")]
    deleted: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct UrlWire {
    #[serde(default, deserialize_with = "decode::text")]
    id_shop: String,
    #[serde(default, deserialize_with = "decode::text")]
    domain: String,
    #[serde(default, deserialize_with = "decode::text")]
    domain_ssl: String,
    #[serde(default, deserialize_with = "decode::text")]
    physical_uri: String,
    #[serde(default, deserialize_with = "decode::text")]
    virtual_uri: String,
    #[serde(default, deserialize_with = "decode::flag")]
    main: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct PaidWith {
    #[serde(default, deserialize_with = "decode::text")]
    module: String,
    #[serde(default, deserialize_with = "decode::text")]
    payment: String,
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

pub(super) fn notice(severity: Severity, code: Code, detail: impl Into<String>) -> Notice {
    Notice {
        severity,
        code,
        detail: detail.into(),
    }
}

impl Shop {
    /// Tests the connection and reads what is to be known.
    pub(super) async fn account(&self) -> Result<Account, Fault> {
        let (answer, root) = self.root().await?;
        let version = answer.header("psws-version").unwrap_or_default().to_owned();
        let mut notices = rights::judged(&version, &root)?;
        let shops: Vec<ShopWire> = self
            .all(List::of("probe.shops", "shops", "id,name,deleted"))
            .await?;
        let shops: Vec<ShopWire> = shops.into_iter().filter(|shop| !shop.deleted).collect();
        let site = self.site(&shops).await?;
        let facts = self.facts().await?;
        let tables = self.tables_after(self.kit.clock.now()).await?;
        let zone = facts.get("PS_TIMEZONE").cloned().unwrap_or_default();
        notices.extend(self.warned(&zone, &shops, &answer));
        notices.extend(self.unclear_states(&tables));
        notices.extend(rights::of_shipments(&root, &self.settings, &tables));
        let currency = facts
            .get("PS_CURRENCY_DEFAULT")
            .and_then(|id| tables.currency(id));
        let mut choices = choices(&tables);
        choices.insert("payment_methods".to_owned(), self.modules().await?);
        let mut known: Vec<Choice> = facts
            .iter()
            .map(|(name, value)| choice(name.clone(), value.clone()))
            .collect();
        known.extend(
            shops
                .iter()
                .map(|shop| choice(format!("shop:{}", shop.id), shop.name.clone())),
        );
        choices.insert("facts".to_owned(), known);
        Ok(Account {
            title: root.shop,
            version: format!("PrestaShop {version}"),
            site,
            time_zone: zone,
            currency,
            price_decimals: None,
            quantity_decimals: Some(0),
            choices,
            fields: BTreeMap::from([("order".to_owned(), vec![write::TRACKING.to_owned()])]),
            notices,
        })
    }

    /// The list of rights. It is XML: as JSON the shop answers an empty 500.
    async fn root(&self) -> Result<(Answer, Root), Fault> {
        let call = Call::get("probe.root", path("")).header("accept", "text/xml");
        let answer = self.send(call, "the list of rights").await?;
        let root = xml::root(&answer.text()).ok_or_else(|| {
            Fault::locked(
                Code::WrongAddress,
                "there is no PrestaShop webservice at this address: check it, and that the webservice is switched on",
            )
        })?;
        Ok((answer, root))
    }

    /// The shop's own address and id: a copy of the shop at another address is another site.
    async fn site(&self, shops: &[ShopWire]) -> Result<String, Fault> {
        let fields = "id,id_shop,domain,domain_ssl,physical_uri,virtual_uri,main";
        let urls: Vec<UrlWire> = self
            .all(List::of("probe.urls", "shop_urls", fields))
            .await?;
        let wanted = self.settings.shop_id.map(|id| id.to_string());
        let of_shop = |url: &&UrlWire| match &wanted {
            Some(shop) => url.id_shop == *shop,
            None => shops.len() <= 1 || self.leads_here(url),
        };
        let mut found = urls.iter().filter(|url| url.main).filter(of_shop);
        let url = found.next().ok_or_else(|| {
            Fault::locked(
                Code::WrongAddress,
                "none of the shop's own addresses (Shop Parameters > Traffic & SEO) belongs to this connection: set `shop_id`",
            )
        })?;
        Ok(format!("{}#{}", url.address(), url.id_shop))
    }

    fn leads_here(&self, url: &UrlWire) -> bool {
        let own = plain(&self.settings.url);
        [&url.domain, &url.domain_ssl]
            .iter()
            .any(|domain| plain(&format!("{domain}{}{}", url.physical_uri, url.virtual_uri)) == own)
    }

    /// Settings of the shop: its own before those of its group, and those before the installation's.
    pub(super) async fn facts(&self) -> Result<BTreeMap<String, String>, Fault> {
        let fields = "id,name,value,id_shop,id_shop_group";
        let list = List::of("probe.settings", "configurations", fields)
            .one_of("name", SETTINGS)
            .unsorted();
        let mut rows: Vec<SettingWire> = self.all(list).await?;
        let shop = self.settings.shop_id.map(|id| id.to_string());
        let none = |id: &str| matches!(id, "" | "0");
        let rank = |row: &SettingWire| match (&row.id_shop, &row.id_shop_group) {
            (id, _) if !none(id) => 2,
            (_, group) if !none(group) => 1,
            _ => 0,
        };
        rows.retain(|row| none(&row.id_shop) || Some(&row.id_shop) == shop.as_ref());
        rows.sort_by_key(rank);
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }

    fn warned(&self, zone: &str, shops: &[ShopWire], answer: &Answer) -> Vec<Notice> {
        let mut notices = Vec::new();
        if zone != self.settings.time_zone.trim() {
            let detail = format!(
                "the shop's time zone is {zone}; set `time_zone` to it, or all its times are read wrongly"
            );
            notices.push(notice(Severity::Error, Code::BadValue, detail));
        }
        if shops.len() > 1 && self.settings.shop_id.is_none() {
            let detail = "this is a multistore of several shops; say with `shop_id` which one this connection is for";
            notices.push(notice(Severity::Warning, Code::MissingSetting, detail));
        }
        if !self.settings.is_https() {
            let detail = "the address is plain http: the key and the buyers travel in clear";
            notices.push(notice(Severity::Warning, Code::NotSeenAsHttps, detail));
        }
        let date = answer.header("date").map(jiff::fmt::rfc2822::parse);
        let skew = date.and_then(Result::ok).map(|theirs| {
            let theirs = theirs.timestamp().as_second();
            theirs.abs_diff(answer.at.as_second())
        });
        if let Some(seconds) = skew.filter(|seconds| *seconds > 60) {
            let detail = format!("the clocks of shop and hub differ by {seconds} s");
            notices.push(notice(Severity::Warning, Code::ClockSkew, detail));
        }
        notices
    }

    /// States that no flag explains and that the installation did not come with.
    fn unclear_states(&self, tables: &Tables) -> Vec<Notice> {
        let unclear = |state: &&StateWire| {
            let own = state.id.parse::<u64>().is_ok_and(|id| id > LAST_OWN);
            let told = state.paid || state.shipped || meaning(state) != Meaning::Flags;
            own && !told && !state.deleted && !self.settings.statuses.contains_key(&state.id)
        };
        let mut ids: Vec<&StateWire> = tables.states.values().filter(unclear).collect();
        ids.sort_by_key(|state| state.id.parse::<u64>().unwrap_or(u64::MAX));
        ids.into_iter()
            .map(|state| {
                let name = in_first_language(&state.name);
                let detail = format!(
                    "the shop has an order state of its own, {} ({name}), which is neither paid nor shipped; say under `statuses` what it means",
                    state.id
                );
                notice(Severity::Warning, Code::MissingRow, detail)
            })
            .collect()
    }

    /// The payment modules of the last orders.
    async fn modules(&self) -> Result<Vec<Choice>, Fault> {
        let list = List::of("probe.payments", "orders", "id,module,payment")
            .sorted("[id_DESC]")
            .limited(0, LAST_ORDERS);
        let rows: Vec<PaidWith> = self.all(list).await?;
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| !row.module.is_empty()) {
            names.entry(row.module).or_insert(row.payment);
        }
        Ok(names
            .into_iter()
            .map(|(module, name)| choice(module, name))
            .collect())
    }
}

impl UrlWire {
    fn address(&self) -> String {
        let domain = match self.domain_ssl.trim() {
            "" => self.domain.trim(),
            domain => domain,
        };
        plain(&format!(
            "{domain}{}{}",
            self.physical_uri, self.virtual_uri
        ))
    }
}

/// An address without its scheme and outer slashes, in lower case.
fn plain(url: &str) -> String {
    let url = url.trim().to_lowercase();
    let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    rest.trim_end_matches('/').to_owned()
}

/// What has to be mapped, and what there is.
fn choices(tables: &Tables) -> BTreeMap<String, Vec<Choice>> {
    let number = |id: &str| id.parse::<u64>().unwrap_or(u64::MAX);
    let mut states: Vec<&StateWire> = tables
        .states
        .values()
        .filter(|state| !state.deleted)
        .collect();
    states.sort_by_key(|state| number(&state.id));
    let states = states.into_iter().map(|state| {
        let flags = [
            ("paid", state.paid),
            ("shipped", state.shipped),
            ("delivery", state.delivery),
            ("invoice", state.invoice),
            ("logable", state.logable),
        ];
        let flags: Vec<&str> = flags
            .iter()
            .filter(|(_, set)| *set)
            .map(|(name, _)| *name)
            .collect();
        let name = in_first_language(&state.name);
        let name = match flags.is_empty() {
            true => name,
            false => format!("{name} ({})", flags.join(", ")),
        };
        choice(state.id.clone(), name)
    });
    let mut taxes: BTreeMap<&str, Choice> = BTreeMap::new();
    for tax in tables.taxes.values().filter(|tax| !tax.deleted) {
        taxes.insert(
            &tax.code,
            Choice {
                rate: Some(tax.rate),
                ..choice(tax.code.clone(), tax.name.clone())
            },
        );
    }
    let mut carriers: BTreeMap<u64, Choice> = BTreeMap::new();
    for carrier in tables.carriers.values().filter(|carrier| !carrier.deleted) {
        let method = carrier.method();
        carriers.insert(number(method), choice(method, carrier.name.clone()));
    }
    let mut languages: Vec<Choice> = tables
        .languages
        .values()
        .map(|language| choice(language.id.clone(), tables.language(&language.id)))
        .collect();
    languages.sort_by_key(|language| number(language.id.as_str()));
    let mut currencies: Vec<Choice> = tables
        .currencies
        .values()
        .map(|currency| Choice {
            currency: currency.iso_code.parse().ok(),
            ..choice(currency.id.clone(), currency.iso_code.clone())
        })
        .collect();
    currencies.sort_by_key(|currency| number(currency.id.as_str()));
    BTreeMap::from([
        ("statuses".to_owned(), states.collect()),
        ("taxes".to_owned(), taxes.into_values().collect()),
        (
            "shipping_methods".to_owned(),
            carriers.into_values().collect(),
        ),
        ("languages".to_owned(), languages),
        ("currencies".to_owned(), currencies),
    ])
}
