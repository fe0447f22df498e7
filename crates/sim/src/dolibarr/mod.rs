//! A simulator of one Dolibarr (its REST API, 17.0.2 or 20), with the quirks that were measured on live rebranded builds of both. Not
//! Dolibarr.
//!
//! **Reproduced as measured or taped**
//! - A create answers the bare id; actions answer the whole record; ids, numbers and states are texts, `"31.00000000"`.
//! - An empty list is 404 in 17; in 20 that of orders is `[]` and that of third parties is 404 still.
//! - `sqlfilters`: a value ends at its first colon up to 17, and is 0 when its quote is then missing; brackets in it are 400; texts are
//!   compared without regard to case.
//! - Nothing is unique but a product's reference and an order's number. An order of an unknown third party is 500 with a page of HTML
//!   before its JSON; a line of free text without `product_type` as well; an order takes a product that is not there.
//! - A third party, contact or order takes any field and does not say which it knows. An order's date is a day.
//! - `PUT` of a line empties what it leaves out, the price included. Lines of an order that is no draft: POST 400, PUT 200 and `false`,
//!   DELETE 405. `PUT` of an order takes a state; validating again is 304 with an empty body, validating a cancelled one works.
//! - Unit prices are rounded to 5 decimals, totals to 2: the total with tax is that of the exact net, and the tax the rest.
//! - A missing right is 401 in 17 and 403 in 20, a wrong key 401 at another stage. While the module API is off everything is answered
//!   200 with a sentence in HTML.
//! - Two clients that validate at once take the same number: see [`Trouble::SameNumber`].
//! - Stock: validating an order takes nothing and moves no product; validating a shipment takes the goods, and those in kits, and moves
//!   their products' `tms`. The virtual stock counts what suppliers bring. A movement is done as often as it is sent. Without the right
//!   the fields of stock are left out of an answer of 200.
//! - Shipments name the order's line in `fk_origin_line` (17) or `fk_elementdet` (20), show no modification time, want `notrigger`, and
//!   leave their order "being shipped" however much of it has left. Constants of the set-up are told to administrators.
//!
//! **Not simulated**: invoices, stock that goes down with the order or the invoice, lots, several entities, other currencies, local taxes, extra fields of more than a value,
//! fields that nothing here reads.

mod amounts;
mod filter;
mod hands;
mod http;
mod orders;
mod records;
mod shipments;
mod stock;
mod trouble;

pub use hands::Packer;
pub use http::error_body;
pub use orders::{HeldLine, HeldOrder};
pub use shipments::HeldShipment;
pub use trouble::Trouble;

use crate::catalogue::ErpProduct;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A record's fields as they are answered.
type Row = Map<String, Value>;

/// When goods leave the stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Falls {
    /// When a shipment is validated.
    Shipment,
    /// Never by itself: no rule is set, as in a new instance.
    Never,
}

/// How a simulated Dolibarr is.
#[derive(Debug, Clone)]
pub struct DolibarrOptions {
    /// 17 or 20.
    pub version: u32,
    /// The hub's key.
    pub key: String,
    /// Whether that user may read and write orders; third parties and products it always may.
    pub rights: bool,
    /// Whether it may read stocks.
    pub stocks: bool,
    /// Whether it may read shipments.
    pub shipments: bool,
    /// Whether it is told constants of the set-up.
    pub admin: bool,
    /// When goods leave the stock.
    pub falls: Falls,
    /// The seed of what happens by chance.
    pub seed: u64,
    /// How often a person writes at the same moment as the hub: a create then meets a deadlock and a validate a number taken twice,
    /// from 0 to 1.
    pub race_rate: f64,
    /// The instant of the first write, in seconds since 1970. Each later one is a second later.
    pub starts: i64,
    /// Time goes by as outside instead, to the second.
    pub wall: bool,
}

impl Default for DolibarrOptions {
    fn default() -> Self {
        DolibarrOptions {
            version: 17,
            key: "sim-dolibarr-key-0123456789abcdef".to_owned(),
            rights: true,
            stocks: true,
            shipments: true,
            admin: false,
            falls: Falls::Shipment,
            seed: 0,
            race_rate: 0.0,
            starts: 1_795_322_411,
            wall: false,
        }
    }
}

struct State {
    options: DolibarrOptions,
    tables: BTreeMap<&'static str, BTreeMap<i64, Row>>,
    last: BTreeMap<&'static str, i64>,
    now: i64,
    frozen: bool,
    numbers: u32,
    shipped: u32,
    stock: BTreeMap<(i64, i64), Decimal>,
    kits: BTreeMap<i64, Vec<(i64, Decimal, bool)>>,
    coming: BTreeMap<i64, Decimal>,
    calls: Vec<String>,
    troubles: Vec<(String, Trouble)>,
    api: bool,
    rng: SmallRng,
}

impl State {
    fn table(&self, name: &str) -> Option<&BTreeMap<i64, Row>> {
        self.tables.get(name)
    }

    fn row(&mut self, table: &str, id: i64) -> Option<&mut Row> {
        self.tables.get_mut(table)?.get_mut(&id)
    }

    /// The time of a write.
    fn tick(&mut self) -> i64 {
        if self.options.wall {
            self.now = jiff::Timestamp::now().as_second();
        } else if !self.frozen {
            self.now += 1;
        }
        self.now
    }

    fn next_id(&mut self, table: &'static str) -> i64 {
        let last = self.last.entry(table).or_insert(0);
        *last += 1;
        *last
    }

    fn add(&mut self, table: &'static str, mut row: Row) -> i64 {
        let (id, now) = (self.next_id(table), self.tick());
        row.insert("id".to_owned(), json!(id.to_string()));
        stamp(table, &mut row, now);
        self.tables.entry(table).or_default().insert(id, row);
        id
    }

    fn touch(&mut self, table: &'static str, id: i64) {
        let now = self.tick();
        if let Some(row) = self.row(table, id) {
            stamp(table, row, now);
        }
    }
}

/// A modification time as its part of the API writes it: products as a text, shipments not at all, all else as seconds.
fn stamp(table: &str, row: &mut Row, now: i64) {
    let shown = match table {
        "products" => {
            let at = jiff::Timestamp::from_second(now).unwrap_or_default();
            json!(at.strftime("%Y-%m-%d %H:%M:%S").to_string())
        }
        "shipments" => Value::Null,
        _ => json!(now),
    };
    row.insert("date_modification".to_owned(), shown);
    // What begins so is not answered.
    row.insert("_tms".to_owned(), json!(now));
}

/// A simulated Dolibarr. Copies are the same one.
#[derive(Clone)]
pub struct Dolibarr(Arc<Mutex<State>>);

impl Dolibarr {
    /// An instance with a warehouse and the usual dictionaries, and nothing else.
    pub fn new(options: DolibarrOptions) -> Dolibarr {
        Dolibarr(Arc::new(Mutex::new(State {
            now: options.starts,
            rng: SmallRng::seed_from_u64(options.seed),
            options,
            tables: records::seeded(),
            last: BTreeMap::from([("warehouses", 1)]),
            frozen: false,
            numbers: 0,
            shipped: 0,
            stock: BTreeMap::new(),
            kits: BTreeMap::new(),
            coming: BTreeMap::new(),
            calls: Vec::new(),
            troubles: Vec::new(),
            api: true,
        })))
    }

    /// An instance with these products, such as those of [`crate::catalogue::Catalogue::erp_products`], and this much of each of them
    /// that is no service in warehouse 1. A reference is unique in Dolibarr: what is there twice is left out, so that orders of it
    /// cannot be booked, as elsewhere.
    pub fn stocked(options: DolibarrOptions, products: &[ErpProduct], each: i64) -> Dolibarr {
        let erp = Dolibarr::new(options);
        let same = |sku: &str| products.iter().filter(|product| product.sku == sku).count();
        for product in products.iter().filter(|product| same(&product.sku) == 1) {
            let id = erp.product(&product.sku, product.service, "20");
            if let Some(row) = erp.state().row("products", id) {
                row.insert("label".to_owned(), json!(product.name));
            }
            if !product.service {
                erp.set_stock(id, 1, Decimal::from(each));
            }
        }
        erp
    }

    /// How it is.
    pub fn options(&self) -> DolibarrOptions {
        self.state().options.clone()
    }

    /// Calls so far that changed something, or tried to.
    pub fn writes(&self) -> usize {
        let calls = self.calls();
        calls
            .iter()
            .filter(|call| !call.starts_with("GET "))
            .count()
    }

    /// Everything it answers over HTTP.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// Puts a product (`service`: a service) into the catalogue; answers its id.
    pub fn product(&self, sku: &str, service: bool, rate: &str) -> i64 {
        let row = json!({
            "ref": sku, "label": format!("Product {sku}"), "status": "1", "type": if service { "1" } else { "0" },
            "tva_tx": format!("{rate}.0000"), "default_vat_code": null, "barcode": null, "ref_ext": null, "weight": null,
        });
        self.state().add("products", records::row(row))
    }

    /// Orders that are there, by id.
    pub fn orders(&self) -> Vec<HeldOrder> {
        let state = self.state();
        let rows = state.table("orders").into_iter().flatten();
        rows.map(|(_, row)| HeldOrder::of(row)).collect()
    }

    /// How many third parties and contacts there are.
    pub fn parties(&self) -> (usize, usize) {
        let state = self.state();
        let count = |table| state.table(table).map_or(0, BTreeMap::len);
        (count("thirdparties"), count("contacts"))
    }

    /// A person changes a field of a record.
    pub fn edit(&self, table: &'static str, id: i64, field: &str, value: Value) {
        let mut state = self.state();
        if let Some(row) = state.row(table, id) {
            row.insert(field.to_owned(), value);
        }
        state.touch(table, id);
    }

    /// A person deletes a record.
    pub fn delete(&self, table: &'static str, id: i64) {
        if let Some(rows) = self.state().tables.get_mut(table) {
            rows.remove(&id);
        }
    }

    /// The next call of this method and path (`POST orders`, ids as `*`) meets this trouble.
    pub fn trouble(&self, call: &str, trouble: Trouble) {
        self.state().troubles.push((call.to_owned(), trouble));
    }

    /// Calls so far, as `POST orders/*/validate`.
    pub fn calls(&self) -> Vec<String> {
        self.state().calls.clone()
    }

    /// Switches the module API on or off.
    pub fn switch(&self, on: bool) {
        self.state().api = on;
    }

    /// Stops the clock, so that many records have one modification time.
    pub fn freeze(&self, frozen: bool) {
        self.state().frozen = frozen;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere is a bug of the simulator that its own test shows; what is stored is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
