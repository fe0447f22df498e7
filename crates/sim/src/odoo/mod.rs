//! A simulator of one Odoo database (16.0 to 19.0), with the quirks that were measured on live 16.0 and 19.0. Not Odoo.
//!
//! **Reproduced as measured or taped**
//! - `/jsonrpc` answers 200 for every error (`error.code` 200 in 16, 0 in 19; `data.name` tells what it is); a method that returns
//!   None has no `result`; an unknown database is `psycopg2.OperationalError`; a wrong password is `false`, a wrong key `AccessDenied`.
//! - `/json/2` (19): bare results and statuses (401, 403, 404, 415 and 404 in HTML, 422; `ValueError` is a permanent 500); `write` and
//!   actions without `ids` say yes and do nothing; a missing id is `MissingError` on write and left out by `read`.
//! - `create` of a list is one transaction; unknown fields are refused, totals that are written are ignored; a many2one to nothing is
//!   a `ValidationError` about deleting. Nothing is unique but a barcode and (module, name) of an external id.
//! - `load`: external ids, `.id` columns, sub-rows; any error makes `ids` false and undoes all; a key met again updates (and overwrites
//!   what people changed); one whose record was deleted creates again; the same key twice in one call: the last row wins. Two calls at
//!   once with one new key: the loser gets the serialization text inside a successful answer.
//! - `write_date` is cut to the second on the wire and has microseconds inside; up to 18 `>` brings the last record again, 19 does not;
//!   19 refuses a time with a zone. Writing the same value moves it; a line's text does not move the order, its quantity does; stock
//!   never moves the product; a template's price moves the variant only in 19.
//! - `action_confirm` again: true in 16, `UserError` later; it sets `date_order` to now. `action_cancel` of a confirmed order: a wizard
//!   in 16 unless `disable_cancel_warning`. A confirmed order cannot be deleted.
//! - Prices are rounded to 2 decimals up to 18 and kept by 19; discounts have 2; rounding per line or globally as [`Rounding`] says;
//!   tax first and net as the rest from 18 on, the other way before; some floats carry the noise that Odoo's do.
//! - The order's currency comes from its price list; a `currency_id` that is written contradicts it without a word.
//! - Numbers and ids of transactions that were rolled back are lost.
//!
//! **Taken from Odoo's sources, not measured**: times in `load` are in the user's zone (context `tz`); up to 17 a changed quantity
//! brings the list price back; `mode: update` with `noupdate` leaves known records alone; contacts below a company carry its VAT number.
//!
//! **Not simulated**: invoices and payments, several companies, translated values, fiscal positions that replace taxes, warehouses
//! beyond one, VAT numbers other than French ones by their key, `tax_totals`, fields that the catalog does not list.

mod actions;
mod amounts;
mod catalog;
mod contacts;
mod domain;
mod hand;
mod http;
mod ledger;
mod load;
mod methods;
mod names;
pub mod people;
mod read;
mod sale;
mod schema;
mod seed;
mod session;
mod store;
#[cfg(test)]
mod tests;
mod trouble;
mod value;
mod version;

pub use hand::{HandEdit, HandOrder, HandPartner};
pub use http::error_body;
pub use ledger::{ErpContents, ErpLine, ErpOrder, ErpPartner, ErpVersion, Hand};
pub use version::Version;

use comptoir_model::money::Currency;
use jiff::{SignedDuration, Timestamp};
use ledger::Ledger;
use methods::Face;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use schema::M;
use serde_json::Value as Json;
use session::{Env, Session, Vals};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use trouble::{Done, Trouble};

/// The user whose key the hub has.
const HUB: i64 = 2;
/// The user that simulated people are.
const PERSON: i64 = 6;

/// Where a company rounds its taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Each line by itself.
    PerLine,
    /// Summed over the order first.
    Globally,
}

/// How the simulated Odoo is.
#[derive(Debug, Clone)]
pub struct ErpOptions {
    /// Of everything random.
    pub seed: u64,
    /// Which version it is.
    pub version: Version,
    /// Name of the database.
    pub database: String,
    /// Login of the hub's user.
    pub login: String,
    /// The hub's API key.
    pub key: String,
    /// Where taxes are rounded.
    pub rounding: Rounding,
    /// How often a `load` of a new key loses a race against someone unseen, 0 to 1.
    pub race_rate: f64,
    /// How long a call works between looking and committing. Two that overlap can collide, as in PostgreSQL.
    pub latency: Duration,
    /// The most by which a `write_date` (the transaction's start) lies before the moment its record can be seen.
    pub commit_lag: Duration,
    /// Installed languages.
    pub languages: Vec<String>,
    /// Rights that the hub's user has not: model and `read`, `write`, `create` or `unlink`.
    pub forbidden: Vec<(String, String)>,
    /// Country of the company.
    pub country: String,
    /// Keep every version of every order. Off, only the last is kept.
    pub history: bool,
}

impl Default for ErpOptions {
    fn default() -> Self {
        ErpOptions {
            seed: 1,
            version: Version::V19,
            database: "erp".to_owned(),
            login: "hub@example.test".to_owned(),
            key: "simulated-key".to_owned(),
            rounding: Rounding::PerLine,
            race_rate: 0.0,
            latency: Duration::ZERO,
            commit_lag: Duration::ZERO,
            languages: vec!["en_US".to_owned()],
            forbidden: Vec::new(),
            country: "FR".to_owned(),
            history: true,
        }
    }
}

/// A product that is there from the start.
#[derive(Debug, Clone)]
pub struct ErpProduct {
    /// Internal reference.
    pub sku: String,
    /// Name.
    pub name: String,
    /// List price in the first currency.
    pub price: Decimal,
    /// Barcode; may be empty.
    pub barcode: String,
    /// On hand; none for a service.
    pub stock: Option<Decimal>,
    /// Names of its taxes.
    pub taxes: Vec<String>,
}

impl ErpProduct {
    /// A product of which there is plenty.
    pub fn new(sku: impl Into<String>, name: impl Into<String>, price: Decimal) -> ErpProduct {
        ErpProduct {
            sku: sku.into(),
            name: name.into(),
            price,
            barcode: String::new(),
            stock: Some(Decimal::from(1_000_000)),
            taxes: Vec::new(),
        }
    }

    /// A service: shipping, rounding, gift wrapping.
    pub fn service(sku: impl Into<String>, name: impl Into<String>) -> ErpProduct {
        ErpProduct {
            stock: None,
            ..ErpProduct::new(sku, name, Decimal::ZERO)
        }
    }
}

/// A sales tax that is there from the start.
#[derive(Debug, Clone)]
pub struct ErpTax {
    /// Name.
    pub name: String,
    /// Percent: 20 for 20 %.
    pub rate: Decimal,
    /// Whether prices include it.
    pub included: bool,
    /// Whether taxes after it on the same line are charged on it too (`include_base_amount`).
    pub affects_base: bool,
}

struct State {
    store: Store,
    ledger: Ledger,
    calls: BTreeMap<String, u64>,
    writes: u64,
    rng: SmallRng,
}

struct Shared {
    options: ErpOptions,
    skus: Vec<String>,
    state: Mutex<State>,
    turn: AtomicU64,
}

/// A simulated Odoo. Copies are the same one.
#[derive(Clone)]
pub struct Erp(Arc<Shared>);

impl Erp {
    /// A database with these products and taxes, and one price list for each currency; the first is the company's own.
    pub fn new(
        options: ErpOptions,
        products: Vec<ErpProduct>,
        taxes: Vec<ErpTax>,
        currencies: Vec<Currency>,
    ) -> Erp {
        let mut store = Store::new(options.version, catalog::schemas(options.version));
        seed::fill(&mut store, &options, &products, &taxes, &currencies);
        store.commit();
        let ledger = Ledger::new(!options.history);
        let state = State {
            store,
            ledger,
            calls: BTreeMap::new(),
            writes: 0,
            rng: SmallRng::seed_from_u64(options.seed),
        };
        Erp(Arc::new(Shared {
            turn: AtomicU64::new(state.store.turn),
            skus: products.into_iter().map(|product| product.sku).collect(),
            options,
            state: Mutex::new(state),
        }))
    }

    /// Everything it answers over HTTP.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// How it is.
    pub fn options(&self) -> &ErpOptions {
        &self.0.options
    }

    /// Orders that are there, by id.
    pub fn orders(&self) -> Vec<ErpOrder> {
        self.state().ledger.orders(false)
    }

    /// Orders that were deleted, as they were last.
    pub fn deleted_orders(&self) -> Vec<ErpOrder> {
        self.state().ledger.orders(true)
    }

    /// One order, deleted or not.
    pub fn order(&self, id: i64) -> Option<ErpOrder> {
        self.state().ledger.order(id).cloned()
    }

    /// Contacts, by id. The company's own and the users' are among them, not made by the hub.
    pub fn partners(&self) -> Vec<ErpPartner> {
        ledger::partners(&self.state().store)
    }

    /// Calls so far by `model.method`.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.state().calls.clone()
    }

    /// Calls through the API that changed something.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// The id of a tax by its name.
    pub fn tax(&self, name: &str) -> Option<i64> {
        self.named(M::Tax, name)
    }

    /// The id of the price list of a currency.
    pub fn price_list(&self, currency: Currency) -> Option<i64> {
        let name = format!("Web {currency}");
        self.named(M::Pricelist, &name)
    }

    /// The id of a product by its SKU.
    pub fn product(&self, sku: &str) -> Option<i64> {
        let state = self.state();
        let ids = state.store.with_text(M::Product, "default_code", sku);
        ids.first().copied()
    }

    fn named(&self, model: M, name: &str) -> Option<i64> {
        let state = self.state();
        let rows = state.store.table(model).rows.values();
        let named = |row: &&store::Row| state.store.get(model, row, "name").str() == name;
        let mut rows = rows.filter(named);
        rows.next().map(|row| row.id)
    }

    /// Some order that is there.
    fn some_order(&self, rng: &mut SmallRng) -> Option<i64> {
        let state = self.state();
        let rows = &state.store.table(M::Order).rows;
        let last = *rows.last_key_value()?.0;
        let from = rng.random_range(1..=last);
        rows.range(from..).next().map(|(id, _)| *id)
    }

    fn some_sku(&self, rng: &mut SmallRng) -> Option<String> {
        if self.0.skus.is_empty() {
            return None;
        }
        Some(self.0.skus[rng.random_range(0..self.0.skus.len())].clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere is a bug of the simulator that its own test shows; what is stored is still whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who acts now, without any context.
    fn env(&self, uid: i64) -> Env {
        Env {
            uid,
            now: Timestamp::now(),
            snapshot: self.0.turn.load(Ordering::Acquire),
            active_test: true,
            tz: None,
            disable_cancel_warning: false,
            company: 1,
            update_mode: false,
            noupdate: false,
        }
    }

    /// One call of the API, with the time it takes.
    async fn call(
        &self,
        model: &str,
        name: &str,
        positional: &[Json],
        named: Vals,
        face: Face,
    ) -> Done<Option<Json>> {
        *self
            .state()
            .calls
            .entry(format!("{model}.{name}"))
            .or_default() += 1;
        let version = self.options().version;
        let Some(known) = M::of(model) else {
            return Err(match face {
                Face::JsonRpc => Trouble::user(format!("Object {model} doesn't exist")),
                Face::Json2 => Trouble::not_found(format!("the model '{model}' does not exist")),
            });
        };
        if name.starts_with('_') {
            return Err(Trouble::access(match version >= Version::V18 {
                true => {
                    format!("Private methods (such as '{model}.{name}') cannot be called remotely.")
                }
                false => {
                    format!("Private methods (such as {name}) cannot be called remotely.")
                }
            }));
        }
        let Some(method) = methods::find(version, known, name) else {
            return Err(no_method(version, face, model, name));
        };
        let args = methods::by_name(&method, name, positional, &named)?;
        methods::check(&method, face, name, &args)?;
        let mut env = self.env(HUB);
        self.enter_context(&mut env, args.get("context"))?;
        if let Some(answer) = self.rights(known, name, method.right, &args)? {
            return Ok(Some(answer));
        }
        if !self.options().latency.is_zero() {
            tokio::time::sleep(self.options().latency).await;
            env.now = Timestamp::now();
        }
        let race = name == "load" && self.loses_race();
        self.transact(env, Hand::Hub, |session| {
            session.run(known, name, &args, face, race)
        })
    }

    fn loses_race(&self) -> bool {
        let rate = self.options().race_rate.clamp(0.0, 1.0);
        rate > 0.0 && self.state().rng.random_bool(rate)
    }

    /// Reads a call's context.
    fn enter_context(&self, env: &mut Env, context: Option<&Json>) -> Done<()> {
        let Some(context) = context else {
            return Ok(());
        };
        let flag = |name: &str| context.get(name).is_some_and(value::truthy);
        let options = self.options();
        if let Some(Json::Array(companies)) = context.get("allowed_company_ids") {
            // One company is all there is.
            if companies.iter().any(|company| company.as_i64() != Some(1)) {
                return Err(Trouble::access(
                    "Access to unauthorized or invalid companies.",
                ));
            }
        }
        if let Some(lang) = context.get("lang").and_then(Json::as_str) {
            // Up to 17 an unknown language is passed over.
            if options.version >= Version::V18 && !options.languages.iter().any(|l| l == lang) {
                return Err(Trouble::user(format!("Invalid language code: {lang}")));
            }
        }
        env.active_test = context.get("active_test").is_none_or(value::truthy);
        env.disable_cancel_warning = flag("disable_cancel_warning");
        env.noupdate = flag("noupdate");
        env.update_mode = context.get("mode").is_some_and(|mode| mode == "update");
        env.tz = context.get("tz").and_then(Json::as_str).map(str::to_owned);
        Ok(())
    }

    /// Refuses what the user has no right to; answers questions about rights.
    fn rights(&self, model: M, name: &str, right: &str, args: &Vals) -> Done<Option<Json>> {
        let forbidden = |right: &str| {
            let forbidden = &self.options().forbidden;
            forbidden
                .iter()
                .any(|(m, r)| m == model.name() && r == right)
        };
        if matches!(name, "check_access_rights" | "has_access") {
            let right = args
                .get("operation")
                .and_then(Json::as_str)
                .unwrap_or_default();
            let raises = name == "check_access_rights"
                && args.get("raise_exception").is_none_or(value::truthy);
            if !forbidden(right) || !raises {
                return Ok(Some(Json::Bool(!forbidden(right))));
            }
            return Err(no_right(model));
        }
        match forbidden(right) {
            true => Err(no_right(model)),
            false => Ok(None),
        }
    }

    /// One transaction: all of it, or nothing.
    fn transact<T>(
        &self,
        mut env: Env,
        by: Hand,
        work: impl FnOnce(&mut Session<'_>) -> Done<T>,
    ) -> Done<T> {
        let mut state = self.state();
        let state = &mut *state;
        let lag = self.options().commit_lag.as_micros().min(i64::MAX as u128) as i64;
        if lag > 0 {
            let lag = SignedDuration::from_micros(state.rng.random_range(0..=lag));
            env.now = env.now.checked_sub(lag).unwrap_or(env.now);
        }
        let now = env.now;
        let savepoint = state.store.savepoint();
        let mut session = Session {
            store: &mut state.store,
            env,
            rounding: self.options().rounding,
            stale: BTreeSet::new(),
        };
        let result = work(&mut session);
        if result.is_err() {
            state.store.roll_back(savepoint);
            return result;
        }
        session.settle();
        let touched = state.store.commit();
        if !touched.is_empty() {
            state.writes += u64::from(by == Hand::Hub);
            state.ledger.note(&state.store, &touched, by, now);
            self.0.turn.store(state.store.turn, Ordering::Release);
        }
        result
    }
}

fn no_method(version: Version, face: Face, model: &str, name: &str) -> Trouble {
    let new = format!("The method '{model}.{name}' does not exist");
    match face {
        Face::Json2 => Trouble::not_found(new),
        Face::JsonRpc if version >= Version::V18 => Trouble::attribute(new),
        Face::JsonRpc => {
            Trouble::attribute(format!("type object '{model}' has no attribute '{name}'"))
        }
    }
}

fn no_right(model: M) -> Trouble {
    Trouble::access(format!(
        "You are not allowed to access '{}' ({}) records.\n\nThis operation is allowed for the following groups:\n\t- Sales/Administrator\n\nContact your administrator to request access if necessary.",
        model.title(),
        model.name()
    ))
}
