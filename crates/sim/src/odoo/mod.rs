//! A simulator of one Odoo database (16.0 to 19.0), with the quirks that were measured on live servers. Not Odoo.
//!
//! **Reproduced as measured or taped**
//! - `/jsonrpc` answers 200 for every error (`error.code` 200 up to 18, 0 in 19; `data.name` tells what it is); a method that returns
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
//!   never moves the product; a template's price moves the variant from 17 on.
//! - `action_confirm` again: true in 16, `UserError` later; it sets `date_order` to now. `action_cancel` of a confirmed order: a wizard
//!   up to 18 unless `disable_cancel_warning`. A confirmed order cannot be deleted.
//! - Prices are rounded to 2 decimals up to 18 and kept by 19; discounts have 2; rounding per line or globally as [`Rounding`] says;
//!   tax first and net as the rest from 18 on, the other way before; some floats carry the noise that Odoo's do.
//! - The order's currency comes from its price list; a `currency_id` that is written contradicts it without a word.
//! - Quantities of a product are those of the warehouse that the context names (`warehouse_id` from 18 on, which passes `warehouse` over). Demand
//!   that nothing is reserved for is in `outgoing_qty` and not in `free_qty`; a transfer's `write_date` moves with its state and its tracking
//!   number, not with a move's; a line of a bill of materials does not move the bill.
//! - Confirming plans moves in a transfer and reserves what is there; what arrives later is reserved by itself in 17 and later and when told
//!   in 16. What does not leave becomes a backorder: a move of which nothing left goes over as it is, the rest of another is a new move.
//!   What is called off keeps its planned quantity.
//! - A changed quantity brings the list price back, from 18 on unless another price was written after the line was made. `load` with
//!   `mode: update` and `noupdate` leaves known records alone. An address below a customer takes a right of accounting from 18 on.
//! - Numbers and ids of transactions that were rolled back are lost.
//!
//! **Taken from Odoo's sources, not measured**: times in `load` are in the user's zone (context `tz`); contacts below a company carry its VAT number.
//!
//! **Not simulated**: invoices and payments, several companies, translated values, fiscal positions that replace taxes, deliveries in
//! several steps, a delivery's own buttons and wizards (people send by hand), returns, units other than one, VAT numbers other than
//! French ones by their key, `tax_totals`, fields that the catalog does not list.

mod actions;
mod amounts;
mod call;
mod catalog;
mod cell;
mod contacts;
mod delivery;
mod domain;
mod hand;
mod http;
mod ledger;
mod load;
mod methods;
mod names;
mod options;
mod pattern;
pub mod people;
mod read;
mod sale;
mod schema;
mod seed;
mod session;
mod shelf;
mod store;
mod trouble;
mod value;
mod version;
mod warehouse;

pub(crate) use call::with_effect;
pub use hand::{HandEdit, HandOrder, HandPartner};
pub use http::error_body;
pub use ledger::{ErpContents, ErpLine, ErpOrder, ErpPartner, ErpVersion, Hand};
pub use options::{ErpOptions, ErpProduct, ErpTax, Rounding};
pub use version::Version;
pub use warehouse::{ErpDelivery, ErpStock};

use comptoir_model::money::Currency;
use ledger::Ledger;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use schema::M;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::Store;

/// The user whose key the hub has.
const HUB: i64 = 2;
/// The user that simulated people are.
const PERSON: i64 = 6;

struct State {
    store: Store,
    ledger: Ledger,
    calls: BTreeMap<String, u64>,
    writes: u64,
    key: String,
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
            key: options.key.clone(),
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

    /// The hub's key ends, as on its day of expiry, and this one takes its place.
    pub fn set_key(&self, key: &str) {
        key.clone_into(&mut self.state().key);
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
}
