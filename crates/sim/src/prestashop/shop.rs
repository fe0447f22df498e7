//! The shop itself: its tables, its clock, its people, and the door of its webservice.

use super::answer::Answer;
use super::list::{self, Query};
use super::plan;
use super::root::{self, Rights};
use super::rows::{Rows, entity, fields, installed, row};
use super::sale::Sale;
use super::trade::Known;
use super::write::{self, Asked};
use crate::catalogue::{Catalogue, MissingRow, catalogue};
use crate::woocommerce::order::Order;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a shop is set up.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    /// Its one key.
    pub key: String,
    /// The zone of its clock.
    pub zone: String,
    /// What it calls itself.
    pub domain: String,
    /// What time it is.
    pub now: Timestamp,
    /// Its version.
    pub version: String,
    /// Of a shop in business: the seed of everything.
    pub seed: u64,
    /// Of a shop in business: how many orders there will be.
    pub orders: usize,
    /// Of a shop in business: orders arrive over this span, once [`Shop::arrive`] runs; zero: all are there at the start, placed over the last
    /// hour.
    pub over: Duration,
}

impl Default for ShopOptions {
    fn default() -> Self {
        ShopOptions {
            key: "SIMULATEDKEYSIMULATEDKEYSIMULATE".to_owned(),
            zone: "Europe/Paris".to_owned(),
            domain: "shop.example".to_owned(),
            now: Timestamp::UNIX_EPOCH,
            version: "8.2.1".to_owned(),
            seed: 1,
            orders: 100,
            over: Duration::ZERO,
        }
    }
}

/// What is wrong with the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trouble {
    /// Its webservice is switched off.
    pub disabled: bool,
    /// Its mail does not go out.
    pub mail_broken: bool,
    /// Its server drops the Authorization header.
    pub drops_header: bool,
    /// A module makes PHP warn at every read: the rows come with an error, as 500.
    pub warns: bool,
    /// It ignores every filter of time.
    pub deaf: bool,
}

/// A simulated shop. Clones are the same.
#[derive(Clone)]
pub struct Shop(Arc<Mutex<State>>);

pub(crate) struct State {
    pub(crate) options: ShopOptions,
    /// Its clock is the machine's.
    pub(crate) real: bool,
    zone: TimeZone,
    tables: BTreeMap<&'static str, Rows>,
    rights: Rights,
    pub(crate) trouble: Trouble,
    asked: Vec<String>,
    /// Rows that were written through the webservice.
    pub(crate) writes: u64,
    /// Mails to buyers.
    pub(crate) mailed: Vec<String>,
    /// Rows of stock that cannot be saved.
    pub(crate) spoilt: BTreeSet<u64>,
    /// What a buyer orders while the next write is worked on.
    pub(crate) meanwhile: Option<(String, i64)>,
    /// So many writes are answered as failures once they are done.
    pub(crate) failing: usize,
    /// What it sells, when it is in business.
    pub(crate) catalogue: Option<Catalogue>,
    /// Sales to come.
    pub(crate) waiting: VecDeque<Order>,
    /// What is known of sales beyond their rows.
    pub(crate) known: BTreeMap<u64, Known>,
    /// Accounts by e-mail address.
    pub(crate) accounts: HashMap<String, u64>,
    /// Lines by order.
    pub(crate) lines_of: BTreeMap<u64, Vec<u64>>,
    /// Requests by method and resource.
    pub(crate) calls: BTreeMap<String, u64>,
}

/// Resources that can be written.
const WRITABLE: &[&str] = &[
    "messages",
    "order_carriers",
    "order_histories",
    "stock_availables",
];

impl State {
    pub(crate) fn table(&self, resource: &str) -> &Rows {
        static NONE: Rows = Rows::new();
        self.tables.get(resource).unwrap_or(&NONE)
    }

    pub(crate) fn table_mut(&mut self, resource: &'static str) -> &mut Rows {
        self.tables.entry(resource).or_default()
    }

    pub(crate) fn next_id(&self, resource: &str) -> u64 {
        self.table(resource)
            .keys()
            .next_back()
            .map_or(1, |last| last + 1)
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        match self.real {
            true => Timestamp::now(),
            false => self.options.now,
        }
    }

    /// What the shop's clock shows.
    pub(crate) fn now_text(&self) -> String {
        let local = self.zone.to_datetime(self.now());
        local.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    pub(crate) fn add(&mut self, resource: &'static str, fields: Value) -> u64 {
        let id = self.next_id(resource);
        self.put(resource, id, fields);
        id
    }

    /// A row with this id, in place of any other.
    pub(crate) fn put(&mut self, resource: &'static str, id: u64, fields: Value) {
        let row = row(id, fields);
        if resource == "order_details"
            && let Some(order) = row["id_order"].as_str().and_then(|id| id.parse().ok())
        {
            self.lines_of.entry(order).or_default().push(id);
        }
        self.table_mut(resource).insert(id, row);
    }
}

impl Shop {
    /// A shop with an empty book.
    pub fn new(options: ShopOptions) -> Self {
        let tables = installed(&options.zone, &options.domain);
        Shop(Arc::new(Mutex::new(State {
            zone: TimeZone::get(&options.zone).unwrap_or(TimeZone::UTC),
            rights: root::all(tables.keys()),
            tables,
            options,
            trouble: Trouble::default(),
            asked: Vec::new(),
            writes: 0,
            mailed: Vec::new(),
            spoilt: BTreeSet::new(),
            meanwhile: None,
            failing: 0,
            real: false,
            catalogue: None,
            waiting: VecDeque::new(),
            known: BTreeMap::new(),
            accounts: HashMap::new(),
            lines_of: BTreeMap::new(),
            calls: BTreeMap::new(),
        })))
    }

    /// A shop in business: it sells the seeded catalogue to seeded buyers, and its clock is the machine's. See [`Shop::arrive`].
    pub fn in_business(options: ShopOptions) -> Self {
        let goods = catalogue(options.seed);
        let shop = Shop::new(options);
        {
            let mut state = shop.lock();
            state.real = true;
            state.open_business(&goods);
            let (seed, orders) = (state.options.seed, state.options.orders);
            state.waiting = plan::sales(seed, orders, &goods);
            state.catalogue = Some(goods);
        }
        let at_once = shop.lock().options.over.is_zero();
        if at_once {
            shop.place_all();
        }
        shop
    }

    /// What a shop in business sells, and what the other side must know.
    pub fn catalogue(&self) -> Option<Catalogue> {
        self.lock().catalogue.clone()
    }

    /// The rows of a workspace's look-up tables, by file, in the words of this shop; nothing for a shop that is not in business.
    pub fn tables(&self) -> BTreeMap<&'static str, Vec<(String, String)>> {
        let goods = self.catalogue();
        goods.map(|goods| plan::tables(&goods)).unwrap_or_default()
    }

    /// The rows that are left out of those on purpose.
    pub fn missing_rows(&self) -> Vec<MissingRow> {
        let goods = self.catalogue();
        let rows = goods.map(|goods| plan::missing_rows(&goods));
        rows.unwrap_or_default()
    }

    /// The order states that a flow should import, by id.
    pub fn statuses(&self) -> Vec<String> {
        let goods = self.catalogue();
        goods
            .map(|goods| plan::statuses(&goods))
            .unwrap_or_default()
    }

    /// Requests by method and resource (`GET orders`), refused ones included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// Rows that were written through the webservice.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Its webservice.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Sets its clock.
    pub fn set_now(&self, now: Timestamp) {
        let mut state = self.lock();
        (state.options.now, state.real) = (now, false);
    }

    /// Gives it trouble, or takes it away.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.lock().trouble = trouble;
    }

    /// Takes a right from the key.
    pub fn revoke(&self, resource: &str, method: &str) {
        let mut state = self.lock();
        let methods = state.rights.get_mut(resource);
        let empty = methods.is_some_and(|methods| methods.remove(method) && methods.is_empty());
        if empty {
            state.rights.remove(resource);
        }
    }

    /// Gives the key a right.
    pub fn grant(&self, resource: &str, method: &str) {
        let mut state = self.lock();
        let methods = state.rights.entry(resource.to_owned()).or_default();
        methods.insert(method.to_owned());
    }

    /// Requests so far: method, path and query.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// Mails to buyers so far: the order and what it was about.
    pub fn mailed(&self) -> Vec<String> {
        self.lock().mailed.clone()
    }

    /// A row as the webservice shows it in full.
    pub fn row(&self, resource: &str, id: u64) -> Option<Map<String, Value>> {
        self.lock().table(resource).get(&id).cloned()
    }

    /// How many rows a resource has.
    pub fn count(&self, resource: &str) -> usize {
        self.lock().table(resource).len()
    }

    /// Writes into the shop's database by hand.
    pub fn edit(
        &self,
        resource: &'static str,
        id: u64,
        change: impl FnOnce(&mut Map<String, Value>),
    ) {
        if let Some(row) = self.lock().table_mut(resource).get_mut(&id) {
            change(row);
        }
    }

    /// Deletes a row by hand.
    pub fn delete(&self, resource: &'static str, id: u64) {
        self.lock().table_mut(resource).remove(&id);
    }

    /// The rows of a resource by id.
    pub fn rows(&self, resource: &str) -> Vec<(u64, Map<String, Value>)> {
        let state = self.lock();
        let rows = state.table(resource).iter();
        rows.map(|(id, row)| (*id, row.clone())).collect()
    }

    /// The lines of an order.
    pub fn details(&self, order: u64) -> Vec<u64> {
        self.lock().details_of(order)
    }

    /// Adds a row by hand.
    pub fn add(&self, resource: &'static str, fields: Value) -> u64 {
        self.lock().add(resource, fields)
    }

    /// A person changes the state in the back office.
    pub fn enter(&self, order: u64, state: u64) {
        self.lock().enter(order, state);
    }

    /// A person makes a credit slip for so many of a line. The order's time of change stays.
    pub fn slip(&self, detail: u64, quantity: u32) -> u64 {
        self.lock().slip(detail, quantity)
    }

    /// A buyer orders.
    pub fn place(&self, sale: &Sale) -> u64 {
        self.lock().place(sale)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lets a request in, or says why not.
    fn admit(&self, query: &Query, key: Option<String>) -> Result<(), Answer> {
        let refused =
            |status, errors: &[(i64, &str)]| Err(Answer::errors(query.as_json(), status, errors));
        if self.trouble.disabled {
            return refused(503, &[(22, "The PrestaShop webservice is disabled.")]);
        }
        let header = key.filter(|_| !self.trouble.drops_header);
        match header.or_else(|| query.get("ws_key").map(str::to_owned)) {
            None => Err(Answer::no_key()),
            Some(key) if key != self.options.key => refused(
                401,
                &[
                    (20, "Authentification key is not active"),
                    (21, "No permission for this authentication key"),
                ],
            ),
            Some(_) => Ok(()),
        }
    }

    /// Whether the key may do this with a resource.
    fn allow(&self, method: &Method, resource: &str, as_json: bool) -> Result<(), Answer> {
        let refused = |status, error| Err(Answer::errors(as_json, status, &[error]));
        if !self.tables.contains_key(resource) {
            return refused(400, (27, "Resource of this type does not exists."));
        }
        if *method == Method::PATCH && self.options.version.starts_with("1.") {
            return refused(405, (23, "Method PATCH is not valid"));
        }
        match self.rights.get(resource) {
            None => refused(
                401,
                (26, "Resource is not allowed with this authentication key"),
            ),
            Some(methods) if !methods.contains(method.as_str()) => refused(
                405,
                (25, "Method is not allowed with this authentication key"),
            ),
            Some(_) => Ok(()),
        }
    }

    fn answer(&mut self, method: &Method, path: &str, query: &Query, body: &str) -> Answer {
        let as_json = query.as_json();
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (resource, id) = match parts.as_slice() {
            ["api"] => return root::root(as_json, &self.rights),
            ["api", resource] => (*resource, None),
            ["api", resource, id] => (*resource, id.parse::<u64>().ok()),
            _ => return Answer::no_page(),
        };
        if let Err(refused) = self.allow(method, resource, as_json) {
            return refused;
        }
        match (method, resource, id) {
            (&Method::GET, _, Some(id)) => list::single(self.table(resource), entity(resource), id),
            (&Method::GET, _, None) => self.list(resource, query),
            _ => {
                let asked = Asked {
                    mails: query.get("sendemail") == Some("1"),
                };
                match WRITABLE.iter().find(|known| **known == resource) {
                    Some(known) => write::write(self, method, known, body, asked),
                    None => {
                        let error = (101, "Method is not allowed for the resource");
                        Answer::errors(as_json, 405, &[error])
                    }
                }
            }
        }
    }

    fn list(&self, resource: &str, query: &Query) -> Answer {
        let deaf = |name: &str| self.trouble.deaf && name == "filter[date_upd]";
        let heard = query.0.iter().filter(|(name, _)| !deaf(name)).cloned();
        let mut answer = list::list(
            self.table(resource),
            resource,
            &Query(heard.collect()),
            fields(resource),
        );
        if self.trouble.warns && answer.status == 200 && answer.body.starts_with('{') {
            let errors = ",\"errors\":[{\"code\":3,\"message\":\"[PHP Warning #2] Undefined array key 2 (module.php, line 98)\"}]}";
            answer.body.truncate(answer.body.len() - 1);
            answer.body.push_str(errors);
            answer.status = 500;
        }
        answer
    }
}

async fn serve(
    Extract(shop): Extract<Shop>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let query = uri.query().unwrap_or_default();
    let key = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = key.and_then(|value| BASE64.decode(value.strip_prefix("Basic ")?).ok());
    let key = key.map(|pair| {
        String::from_utf8_lossy(&pair)
            .trim_end_matches(':')
            .to_owned()
    });
    let mut state = shop.lock();
    let parsed = Query::parse(query);
    let shown: Vec<String> = parsed
        .0
        .iter()
        .filter(|(name, _)| name != "ws_key")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    state
        .asked
        .push(format!("{method} {}?{}", uri.path(), shown.join("&")));
    let resource = uri.path().split('/').filter(|part| !part.is_empty());
    let resource = resource.clone().nth(1).unwrap_or("api").to_owned();
    *state
        .calls
        .entry(format!("{method} {resource}"))
        .or_default() += 1;
    let body = String::from_utf8_lossy(&body);
    let answer = match state.admit(&parsed, key) {
        Ok(()) => state.answer(&method, uri.path(), &parsed, &body),
        Err(refused) => refused,
    };
    let version = state.options.version.clone();
    answer.response(&version, state.now())
}
