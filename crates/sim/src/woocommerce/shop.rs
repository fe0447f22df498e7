//! The shop as tests and demonstrations hold it.

use super::answer::Answer;
use super::auth::{ApiKey, Call, Keys};
use super::order::{Deed, Ids, Order};
use super::product::Product;
use super::query::Query;
use super::render::Look;
use super::routes::{self, Request};
use super::state::{Customer, State, second};
use super::webhook::Webhooks;
use crate::buyers::Buyer;
use crate::catalogue::{Catalogue, Sort, catalogue};
use crate::orders::generate;
use crate::traps::{Expected, Trap};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{OriginalUri, State as Extract};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use comptoir_model::money::Currency;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How the shop is made.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    /// The seed of everything.
    pub seed: u64,
    /// How many orders there will be.
    pub orders: usize,
    /// `11.0.1`, or `8.5.2` for the quirks of the older shop.
    pub version: &'static str,
    /// Consumer key that may read and write.
    pub key: String,
    /// Its secret.
    pub secret: String,
    /// Key and secret that may only read.
    pub reader: Option<(String, String)>,
    /// Orders arrive over this span, once [`Shop::arrive`] runs; zero: all are there at the start, placed over the last hour.
    pub over: Duration,
    /// The shop sees HTTPS although it is asked over plain http, as behind a proxy that ends TLS. Otherwise only requests with
    /// `X-Forwarded-Proto: https` are seen so, and over plain http nothing but OAuth 1.0a lets anybody in.
    pub seen_as_https: bool,
    /// The shop's address; none: that of the first request.
    pub home: Option<String>,
    /// Secret of webhooks that are created without one.
    pub webhook_secret: String,
    /// Deliver webhooks to loopback addresses and odd ports too, which WordPress refuses without a filter.
    pub local_hooks: bool,
}

impl Default for ShopOptions {
    fn default() -> Self {
        ShopOptions {
            seed: 1,
            orders: 100,
            version: "11.0.1",
            key: "ck_simulated".to_owned(),
            secret: "cs_simulated".to_owned(),
            reader: None,
            over: Duration::ZERO,
            seen_as_https: false,
            home: None,
            webhook_secret: "simulated-webhook-secret".to_owned(),
            local_hooks: true,
        }
    }
}

/// An order as it is now, and what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopOrder {
    /// Id.
    pub id: u64,
    /// Number people read.
    pub number: String,
    /// Status.
    pub status: String,
    /// Currency.
    pub currency: Currency,
    /// What the sale comes to, with tax: what an ERP must book. Gift cards are payments, so they are in it.
    pub total: Decimal,
    /// Part of it that gift cards paid; the API's `total` is without it.
    pub gift_cards: Decimal,
    /// Tax in it.
    pub tax: Decimal,
    /// Traps in it.
    pub traps: Vec<Trap>,
    /// What must come of it, had nobody touched it.
    pub expected: Expected,
    /// E-mail address of the buyer.
    pub email: String,
    /// Account, or 0.
    pub customer: u64,
    /// SKU and quantity of each line; the SKU of a deleted product is empty.
    pub lines: Vec<(String, Decimal)>,
    /// What people of the shop did to it, in order.
    pub touched: Vec<Deed>,
    /// When it was placed.
    pub placed: Timestamp,
    /// When it changed last.
    pub modified: Timestamp,
}

/// A running shop. Clones are the same shop.
#[derive(Clone)]
pub struct Shop {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub state: Mutex<State>,
    pub options: ShopOptions,
    pub http: reqwest::Client,
}

impl Shop {
    /// A shop with its catalogue, accounts and orders.
    pub fn new(options: ShopOptions) -> Shop {
        let mut ids = Ids::new();
        let catalogue = catalogue(options.seed);
        let generated = generate(options.seed, options.orders, &catalogue, &mut ids);
        let look = Look {
            home: options.home.clone().unwrap_or_default(),
            version: options.version,
            // Europe/Paris, written out so that no time zone database is needed.
            zone: TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC),
            recent: !options.version.starts_with("8."),
            decimals: 2,
        };
        let mut keys = vec![ApiKey {
            key: options.key.clone(),
            secret: options.secret.clone(),
            writes: true,
        }];
        keys.extend(options.reader.clone().map(|(key, secret)| ApiKey {
            key,
            secret,
            writes: false,
        }));
        let hooks = Webhooks::new(options.webhook_secret.clone());
        let mut state = State::new(catalogue, look, ids, Keys::new(keys), hooks);
        let start = second(Timestamp::now());
        stock_up(&mut state, start);
        for buyer in generated.accounts {
            state
                .customers
                .insert(buyer.customer, account(buyer, start));
        }
        state.waiting = generated.orders.into();
        let shop = Shop {
            inner: Arc::new(Inner {
                state: Mutex::new(state),
                http: crate::hooks::client(),
                options,
            }),
        };
        if shop.inner.options.over.is_zero() {
            shop.place_all();
        }
        shop
    }

    /// Everything at once, placed evenly over the last hour.
    fn place_all(&self) {
        let mut state = self.lock();
        let count = state.waiting.len() as i64;
        let now = Timestamp::now().as_second();
        for place in 0..count {
            let at = now - 3_600 + 3_600 * place / count.max(1);
            state.place_next(Timestamp::from_second(at).unwrap_or_default());
        }
    }

    /// Lets the orders appear over [`ShopOptions::over`]; ends when all are there.
    pub async fn arrive(&self) {
        let count = self.lock().waiting.len();
        let begin = tokio::time::Instant::now();
        let over = self.inner.options.over;
        for place in 0..count {
            let due = over.mul_f64((place + 1) as f64 / count as f64);
            tokio::time::sleep_until(begin + due).await;
            self.lock().place_next(Timestamp::now());
        }
    }

    /// The shop's HTTP interface.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// What the shop sells, and what the other side must know.
    pub fn catalogue(&self) -> Catalogue {
        self.lock().catalogue.clone()
    }

    /// Every order that has been placed and not been deleted for good, by id.
    pub fn orders(&self) -> Vec<ShopOrder> {
        self.lock().orders().map(seen).collect()
    }

    /// One order.
    pub fn order(&self, id: u64) -> Option<ShopOrder> {
        self.lock().order(id).map(seen)
    }

    /// How many orders have not been placed yet.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Sets the clock of the shop's server ahead, or with a negative number behind: what signatures and the `Date` header go by.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.lock().ahead = seconds;
    }

    /// API calls by method and route (`GET /orders/ID`), refused ones included.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.lock().calls.clone()
    }

    /// Writes that came through the API and succeeded; each item of a batch counts.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in one request leaves a shop that later assertions should still be able to look at.
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn stock_up(state: &mut State, at: Timestamp) {
    let items = state.catalogue.items.clone();
    for item in &items {
        let mut product = Product::of(item, at);
        if item.sort == Sort::Variable {
            let own = items.iter().filter(|other| other.parent == Some(item.id));
            product.variations = own.clone().map(|other| other.id).collect();
            for (name, value) in own.flat_map(|other| &other.options) {
                let option = ((*name).to_owned(), value.clone());
                if !product.options.contains(&option) {
                    product.options.push(option);
                }
            }
        }
        state.add_product(product);
    }
}

fn account(buyer: Buyer, at: Timestamp) -> Customer {
    let email = &buyer.billing.email;
    let mut meta = Vec::new();
    if !buyer.vat_number.is_empty() {
        meta.push(super::order::Meta {
            id: 10_000 + buyer.customer,
            key: "billing_vat".to_owned(),
            value: buyer.vat_number.clone().into(),
        });
    }
    Customer {
        id: buyer.customer,
        username: email.split('@').next().unwrap_or_default().to_owned(),
        created: at,
        modified: at,
        meta,
        buyer,
    }
}

fn seen(order: &Order) -> ShopOrder {
    ShopOrder {
        id: order.id,
        number: order.number.clone(),
        status: order.status.clone(),
        currency: order.currency,
        total: order.total + order.cards(),
        gift_cards: order.cards(),
        tax: order.total_tax,
        traps: order.traps.clone(),
        expected: order.expected.clone(),
        email: order.billing.email.clone(),
        customer: order.customer,
        lines: order
            .lines
            .iter()
            .map(|line| (line.sku.clone().unwrap_or_default(), line.quantity))
            .collect(),
        touched: order.touched.clone(),
        placed: order.created,
        modified: order.modified,
    }
}

async fn serve(
    Extract(shop): Extract<Shop>,
    // What was asked for, below whatever path the shop is served at: that is what a caller signs.
    OriginalUri(asked): OriginalUri,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let forwarded = headers
        .get("x-forwarded-proto")
        .is_some_and(|scheme| scheme.as_bytes() == b"https");
    let https = shop.inner.options.seen_as_https || forwarded;
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("shop.example.test");
    // What is signed is the address the caller used; behind a proxy that is https.
    let scheme = if forwarded { "https" } else { "http" };
    let origin = format!("{scheme}://{host}");
    let query = Query::parse(uri.query().unwrap_or_default());
    let segments: Vec<&str> = uri
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let mut state = shop.lock();
    if state.look.home.is_empty() {
        state.move_to(&origin);
    }
    let home = state.look.home.clone();
    let now = Timestamp::now().as_second() + state.ahead;
    let call = Call {
        method: &method,
        address: &format!("{origin}{}", asked.path()),
        https,
        headers: &headers,
        query: &query,
        now,
    };
    let answer = match segments.as_slice() {
        ["wp-json"] => super::settings::index(&state, &query),
        ["wp-json", "wc", "v3", path @ ..] => {
            *state
                .calls
                .entry(routes::pattern(&method, path))
                .or_default() += 1;
            let request = Request {
                method: &method,
                path,
                query: &query,
                body: &body,
            };
            match state.keys.check(&call) {
                Ok(()) => routes::answer(&mut state, &request),
                Err(refusal) => Err(refusal),
            }
        }
        // Plain permalinks: the keys are not looked at.
        [] if query.get("rest_route").is_some() => Err(Answer::error(
            401,
            "woocommerce_rest_cannot_view",
            "Sorry, you cannot view this resource.",
        )),
        _ => return theme_page(),
    };
    drop(state);
    let answer = answer.unwrap_or_else(|error| error);
    answer.with("date", http_date(now)).into_response(&home)
}

/// A time as HTTP writes it.
fn http_date(second: i64) -> String {
    let at = Timestamp::from_second(second).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A wrong address: the theme's page, not the API's error.
fn theme_page() -> Response {
    let page = "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head><title>Page not found &#8211; Simulated shop</title></head>\n<body></body>\n</html>\n";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let html = header::HeaderValue::from_static("text/html; charset=UTF-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}

/// What a WooCommerce shop or the host before it answers when it fails: for the fault layer. 429 comes from a host's firewall as
/// HTML, 503 from WordPress' maintenance mode as JSON, everything else is WordPress' fatal error.
pub fn error_body(status: u16) -> (&'static str, String) {
    match status {
        429 => (
            "text/html",
            "<html><body><h1>429 Too Many Requests</h1></body></html>".to_owned(),
        ),
        503 => (
            "application/json; charset=UTF-8",
            "{\"code\":\"wp_die\",\"message\":\"Briefly unavailable for scheduled maintenance. Check back in a minute.\",\"data\":{\"status\":503},\"additional_errors\":[]}".to_owned(),
        ),
        _ => (
            "application/json; charset=UTF-8",
            "{\"code\":\"internal_server_error\",\"message\":\"<p>There has been a critical error on this website.<\\/p>\",\"data\":{\"status\":500},\"additional_errors\":[]}".to_owned(),
        ),
    }
}
