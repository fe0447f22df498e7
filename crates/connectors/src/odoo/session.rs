//! Opening a database: the version without a login chooses the face, one login keeps the user's id, `fields_get` tells what the
//! instance can do. All of it once per opened connection.

use super::goods::Goods;
use super::progress::Progress;
use super::rpc::{self, Ask, Face, Rpc};
use super::wire::{Field, Fields, ServerVersion, Small, User, UserContext};
use super::{Protocol, Settings, fault};
use comptoir_kit::http::{Call, Effect, Http};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::money::Currency;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::Instant;

/// The first version whose `/json/2` is spoken.
const JSON2_FROM: u32 = 19;
/// SKUs remembered at most; then all are forgotten.
const MOST_SKUS: usize = 20_000;
/// How long the name of a key that Odoo did not have counts as free.
const FREE_FOR: Duration = Duration::from_secs(30);
/// So many free names are remembered before the old ones are forgotten.
const MOST_FREE: usize = 5_000;
/// The versions a connection is opened to.
const OLDEST: u32 = 16;

/// What runs on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    /// As it says itself: `16.0`.
    pub(super) text: String,
    /// `16`.
    pub(super) major: u32,
}

impl Version {
    /// Reads `16.0`, `19.0+e` or `saas~18.2`.
    fn parse(text: &str) -> Option<Self> {
        let plain = text.trim_start_matches("saas~");
        let digits: String = plain.chars().take_while(char::is_ascii_digit).collect();
        Some(Version {
            text: text.to_owned(),
            major: digits.parse().ok()?,
        })
    }
}

/// What the instance has of the models that are written.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    pub(super) order: Fields,
    pub(super) line: Fields,
    pub(super) partner: Fields,
    pub(super) product: Fields,
}

impl Known {
    /// The field of an order line's taxes: `tax_ids` in 19, `tax_id` in 16.
    pub(super) fn taxes(&self) -> &'static str {
        if self.line.contains_key("tax_ids") {
            "tax_ids"
        } else {
            "tax_id"
        }
    }
}

/// The wanted fields that there are.
pub(super) fn present<'a>(known: &Fields, wanted: &[&'a str]) -> Vec<&'a str> {
    wanted
        .iter()
        .copied()
        .filter(|field| known.contains_key(*field))
        .collect()
}

/// An opened database.
pub(super) struct Session {
    pub(super) rpc: Rpc,
    pub(super) version: Version,
    pub(super) known: Known,
    /// The company that what names none goes to.
    pub(super) company: i64,
    /// Installed languages.
    pub(super) languages: Vec<String>,
    /// The module of our external ids.
    pub(super) module: String,
    /// The language of new customers without one.
    pub(super) language: Option<String>,
    /// How many calls are made at once.
    pub(super) at_once: usize,
    /// What it has of goods, as far as it was asked.
    pub(super) goods: Goods,
    /// Whether external ids may be searched, as far as is known.
    searches_keys: AtomicBool,
    countries: OnceCell<HashMap<String, i64>>,
    /// SKUs that Odoo told lately, by product.
    skus: Mutex<HashMap<i64, String>>,
    /// Names of our keys that Odoo did not have when it was asked, and when that was.
    free: Mutex<HashMap<String, Instant>>,
}

impl Session {
    /// Opens the database that the settings name.
    ///
    /// # Errors
    /// [`Code::WrongAddress`], [`Code::UnsupportedVersion`], [`Code::WrongDatabase`], [`Code::WrongKey`], [`Code::MissingRight`],
    /// or that it cannot be reached.
    pub(super) async fn open(
        http: &Http,
        settings: &Settings,
        progress: &Arc<Progress>,
    ) -> Result<Self, Fault> {
        let version = version(http).await?;
        let face = match settings.protocol {
            Protocol::Json2 => Face::Json2,
            Protocol::JsonRpc => Face::JsonRpc,
            Protocol::Auto if version.major >= JSON2_FROM => Face::Json2,
            Protocol::Auto => Face::JsonRpc,
        };
        let mut rpc = Rpc {
            http: http.clone(),
            face,
            database: settings.database.clone(),
            uid: 0,
            key: settings.key.clone(),
            context: context(),
            progress: Some(progress.clone()),
        };
        if face == Face::JsonRpc {
            rpc.uid = login(http, settings).await?;
        }
        let user: UserContext = rpc
            .call(Ask::read("user.context", "res.users", "context_get"))
            .await
            .map_err(fault::of_everything)?;
        if face == Face::Json2 {
            rpc.uid = user.uid.unwrap_or_default();
        }
        let company = company(&mut rpc, settings).await?;
        let known = known(&rpc).await?;
        let languages = languages(&rpc).await?;
        if let Some(language) = &settings.language {
            if !languages.contains(language) {
                let why =
                    format!("Odoo has no language `{language}`; install it or choose another");
                return Err(Fault::locked(Code::BadValue, why).at("language"));
            }
            // A language that is not installed is refused in 19 and passed over in 16.
            rpc.context.insert("lang".to_owned(), json!(language));
        }
        // Only the opening goes on from what was answered before.
        rpc.progress = None;
        Ok(Session {
            rpc,
            version,
            known,
            company,
            languages,
            module: settings.external_id_module.clone(),
            language: settings.language.clone(),
            at_once: settings.at_once,
            goods: Goods::default(),
            searches_keys: AtomicBool::new(true),
            countries: OnceCell::new(),
            skus: Mutex::default(),
            free: Mutex::default(),
        })
    }

    /// Odoo's id of a country; none when it does not have it.
    ///
    /// # Errors
    /// Those of a call.
    pub(super) async fn country(&self, code: &str) -> Result<Option<i64>, Fault> {
        let all = self
            .countries
            .get_or_try_init(|| async {
                let ask = Ask::search("countries", "res.country", json!([]), &["code"]);
                let rows: Vec<Small> = self.rpc.call(ask).await?;
                Ok::<_, Fault>(rows.into_iter().map(|row| (row.code, row.id)).collect())
            })
            .await?;
        Ok(all.get(code).copied())
    }

    /// Whether external ids may be searched; so it seems until a search of them is refused.
    pub(super) fn searches_keys(&self) -> bool {
        self.searches_keys.load(Ordering::Relaxed)
    }

    /// A search of external ids was refused.
    pub(super) fn keys_are_closed(&self) {
        self.searches_keys.store(false, Ordering::Relaxed);
    }

    /// Remembers SKUs as Odoo tells them, until the database is opened anew.
    pub(super) fn remember_skus(&self, told: impl Iterator<Item = (i64, String)>) {
        let mut skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        if skus.len() > MOST_SKUS {
            skus.clear();
        }
        skus.extend(told);
    }

    /// The SKU of a product, if Odoo told it lately.
    pub(super) fn sku(&self, product: i64) -> Option<String> {
        let skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        skus.get(&product).cloned()
    }

    /// Remembers names of keys that Odoo did not have when it was asked.
    pub(super) fn remember_free(&self, names: impl Iterator<Item = String>, asked: Instant) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() > MOST_FREE {
            free.retain(|_, asked| asked.elapsed() < FREE_FOR);
        }
        free.extend(names.map(|name| (name, asked)));
    }

    /// Whether Odoo said a moment ago that it does not have this name. Told once: whoever is told is about to use it.
    pub(super) fn take_free(&self, name: &str) -> bool {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.remove(name)
            .is_some_and(|asked| asked.elapsed() < FREE_FOR)
    }

    /// The installed language of a code such as `fr`, `fr-FR` or `fr_FR`; else that of the settings.
    pub(super) fn language(&self, code: &str) -> Option<&str> {
        let wanted = code.trim().replace('-', "_").to_lowercase();
        let exact = |language: &&String| language.to_lowercase() == wanted;
        let near = |language: &&String| {
            !wanted.is_empty()
                && language.to_lowercase().split('_').next() == wanted.split('_').next()
        };
        let found = self.languages.iter().find(exact);
        let found = found.or_else(|| self.languages.iter().find(near));
        found.or(self.language.as_ref()).map(String::as_str)
    }

    /// The currency an order on this price list gets.
    ///
    /// # Errors
    /// Those of a call.
    pub(super) async fn price_list_currencies(
        &self,
        lists: &[i64],
    ) -> Result<HashMap<i64, Currency>, Fault> {
        if lists.is_empty() {
            return Ok(HashMap::new());
        }
        let ask = Ask::read("price_lists", "product.pricelist", "read")
            .ids(lists)
            .arg("fields", json!(["currency_id"]));
        let rows: Vec<Small> = self.rpc.call(ask).await?;
        let currency = |row: Small| Some((row.id, row.currency_id?.1.parse().ok()?));
        Ok(rows.into_iter().filter_map(currency).collect())
    }
}

/// The context of every call: instants are UTC. `load()` reads dates by the zone of the context, or of the user when it has none.
fn context() -> Map<String, Value> {
    let mut context = Map::new();
    context.insert("tz".to_owned(), json!("UTC"));
    context
}

/// The version, without a login. `/jsonrpc` tells it on 16 to 19; where it is gone, `/web/version` of 19 and later does.
pub(super) async fn version(http: &Http) -> Result<Version, Fault> {
    let call = rpc::service("version", "common", "version", json!([]))?.reading();
    let answer = http.send(call).await?;
    let told = match rpc::unwrap(Face::JsonRpc, &answer, "common.version", "") {
        Ok(raw) => rpc::result::<ServerVersion>(raw, "common.version", Effect::Read)?,
        Err(fault) if fault.code == Code::WrongAddress => {
            let answer = http.send(Call::get("version", "web/version")).await?;
            let told = answer.is_success().then(|| answer.json_if());
            told.flatten()
                .ok_or_else(|| fault::not_odoo(&answer, "version"))?
        }
        Err(fault) => return Err(fault),
    };
    supported(&told)
}

/// # Errors
/// [`Code::UnsupportedVersion`].
pub(super) fn supported(told: &ServerVersion) -> Result<Version, Fault> {
    let refuse = |text: &str| {
        let why = format!("this is Odoo {text}; Comptoir works with Odoo 16 to 19");
        Err(Fault::locked(Code::UnsupportedVersion, why))
    };
    match Version::parse(&told.server_version) {
        Some(version) if version.major >= OLDEST => Ok(version),
        Some(version) => refuse(&version.text),
        None => refuse("of an unknown version"),
    }
}

async fn login(http: &Http, settings: &Settings) -> Result<i64, Fault> {
    let args = json!([settings.database, settings.login, settings.key.expose(), {}]);
    let call = rpc::service("login", "common", "authenticate", args)?.reading();
    let answer = http.send(call).await?;
    uid(
        rpc::unwrap(
            Face::JsonRpc,
            &answer,
            "common.authenticate",
            &settings.database,
        ),
        &settings.database,
    )
}

/// The user's id out of the answer to `authenticate`: `false` for a wrong login or key, and the database's own exception for an
/// unknown database.
pub(super) fn uid(
    answer: Result<&serde_json::value::RawValue, Fault>,
    database: &str,
) -> Result<i64, Fault> {
    let raw = answer.map_err(|fault| match (fault.next, fault.code) {
        (Next::Later { .. }, Code::ServerError) => fault::wrong_database(database),
        _ => fault,
    })?;
    match rpc::result::<Value>(raw, "common.authenticate", Effect::Read)?.as_i64() {
        Some(uid) => Ok(uid),
        None => Err(Fault::locked(
            Code::WrongKey,
            "Odoo does not know this login with this key; check both, and that the key has not expired",
        )),
    }
}

/// The company to work for, and the context that says so.
async fn company(rpc: &mut Rpc, settings: &Settings) -> Result<i64, Fault> {
    let ask = Ask::read("user", "res.users", "read")
        .ids(&[rpc.uid])
        .arg("fields", json!(["company_id", "company_ids"]));
    let users: Vec<User> = rpc.call(ask).await.map_err(fault::of_everything)?;
    let user = users.into_iter().next();
    let user = user.ok_or_else(|| Fault::bug("Odoo does not show the user of the key"))?;
    let own = user.company_id.map(|link| link.0).unwrap_or_default();
    let Some(wanted) = &settings.company else {
        // The first of them is the current one.
        let others = user.company_ids.iter().filter(|id| **id != own);
        let all: Vec<i64> = std::iter::once(own).chain(others.copied()).collect();
        rpc.context
            .insert("allowed_company_ids".to_owned(), json!(all));
        return Ok(own);
    };
    let ask = Ask::search("companies", "res.company", json!([]), &["name"]);
    let companies: Vec<Small> = rpc.call(ask).await.map_err(fault::of_everything)?;
    let mut fitting = companies.iter().filter(|company| {
        company.id.to_string() == *wanted || company.name.trim() == wanted.trim()
    });
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => {
            rpc.context
                .insert("allowed_company_ids".to_owned(), json!([only.id]));
            Ok(only.id)
        }
        _ => {
            let why =
                format!("Odoo has no one company `{wanted}` that the user of the key may see");
            Err(Fault::locked(Code::BadValue, why).at("company"))
        }
    }
}

async fn known(rpc: &Rpc) -> Result<Known, Fault> {
    let fields = |model: &'static str| async move {
        let ask = Ask::read("fields", model, "fields_get")
            .option("attributes", json!(["type", "readonly", "digits"]));
        rpc.call::<Fields>(ask)
            .await
            .map_err(|fault| match fault.code {
                // An unknown model is a `UserError` on one face, "not found" on the other.
                Code::Refused | Code::UnsupportedVersion => Fault::locked(
                    Code::UnsupportedVersion,
                    format!("Odoo has no `{model}`; install the app Sales"),
                ),
                _ => fault::of_everything(fault),
            })
    };
    Ok(Known {
        order: fields("sale.order").await?,
        line: fields("sale.order.line").await?,
        partner: fields("res.partner").await?,
        product: fields("product.product").await?,
    })
}

async fn languages(rpc: &Rpc) -> Result<Vec<String>, Fault> {
    let ask = Ask::search(
        "languages",
        "res.lang",
        json!([["active", "=", true]]),
        &["code"],
    );
    let rows: Vec<Small> = rpc.call(ask).await.map_err(fault::of_everything)?;
    Ok(rows.into_iter().map(|row| row.code).collect())
}

/// Fields that a flow may fill under `attributes`: those that Odoo lets write, of a sort that can be written, and that are not `ours` to
/// write.
pub(super) fn open_fields(known: &Fields, ours: &[&str]) -> Vec<String> {
    let fits = |(name, field): &(&String, &Field)| {
        !ours.contains(&name.as_str()) && super::order::can_hold(field)
    };
    let fields = known.iter().filter(fits);
    fields.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_in_every_form() {
        for (text, major) in [
            ("16.0", 16),
            ("19.0+e", 19),
            ("saas~18.2", 18),
            ("17.0-20240101", 17),
        ] {
            assert_eq!(Version::parse(text).map(|v| v.major), Some(major), "{text}");
        }
        assert_eq!(Version::parse("trunk"), None);
    }
}
