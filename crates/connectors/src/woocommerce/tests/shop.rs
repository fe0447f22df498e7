//! A scripted shop on the loopback: a simulator of the few calls that the connector makes, with the quirks that the tapes show.

use comptoir_kit::auth::OAuth1;
use comptoir_kit::secret::Secret;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const KEY: &str = "ck_test_0123456789";
pub const SECRET: &str = "cs_test_9876543210";

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub authorization: Option<String>,
    pub body: Value,
}

/// How the shop sees and treats what comes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Traits {
    /// It sees the connection as HTTPS: it takes Basic and ignores signatures.
    pub sees_https: bool,
    /// Its server drops the Authorization header.
    pub drops_header: bool,
    /// The key may only read.
    pub read_only: bool,
    /// Items a batch may hold.
    pub batch_limit: usize,
    /// It speaks French.
    pub french: bool,
    /// It ignores `modified_after`.
    pub deaf: bool,
}

#[derive(Default)]
pub struct State {
    pub traits: Traits,
    pub orders: BTreeMap<u64, Value>,
    pub customers: BTreeMap<u64, Value>,
    pub products: BTreeMap<u64, Value>,
    pub variations: BTreeMap<u64, Vec<Value>>,
    pub refunds: BTreeMap<u64, Vec<Value>>,
    pub notes: BTreeMap<u64, Vec<Value>>,
    pub hooks: BTreeMap<u64, Value>,
    pub asked: Vec<Asked>,
    pub now: i64,
}

#[derive(Clone)]
pub struct TestShop {
    pub address: String,
    state: Arc<Mutex<State>>,
}

type Reply = (u16, Value, Vec<(&'static str, String)>);

fn ok(body: Value) -> Reply {
    (200, body, Vec::new())
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"code": code, "message": message, "data": {"status": status}});
    (status, body, Vec::new())
}

impl TestShop {
    pub async fn start(traits: Traits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            traits: Traits {
                batch_limit: if traits.batch_limit == 0 {
                    100
                } else {
                    traits.batch_limit
                },
                ..traits
            },
            now: 1_800_000_000,
            ..State::default()
        }));
        let shop = TestShop { address, state };
        let serving = shop.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shop = serving.clone();
                tokio::spawn(async move {
                    let _ = shop.serve(stream).await;
                });
            }
        });
        shop
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn asked(&self, path: &str) -> Vec<Asked> {
        let state = self.state();
        let asked = state
            .asked
            .iter()
            .filter(|asked| asked.path.ends_with(path));
        asked.cloned().collect()
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        while let Some(asked) = read(&mut stream).await? {
            let (status, body, headers) = {
                let mut state = self.state();
                state.asked.push(asked.clone());
                answer(&mut state, &asked, &self.address)
            };
            let body = body.to_string();
            let mut text = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n");
            for (name, value) in headers {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            text.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
            stream.write_all(text.as_bytes()).await?;
        }
        Ok(())
    }
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Asked>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk).await?;
        if got == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk[..got]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .map_or(0, |text| text.parse().unwrap());
    let mut body = bytes.split_off(head + 4);
    while body.len() < length {
        let mut chunk = [0; 4096];
        let got = stream.read(&mut chunk).await?;
        body.extend_from_slice(&chunk[..got]);
    }
    let mut words = line.split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    Ok(Some(Asked {
        method,
        path: path.to_owned(),
        query: query
            .map(|(name, value)| (name.to_owned(), plain(value)))
            .collect(),
        authorization: headers.get("authorization").cloned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }))
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            let hex = std::str::from_utf8(&hex).unwrap().to_owned();
            bytes.push(u8::from_str_radix(&hex, 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn answer(state: &mut State, asked: &Asked, address: &str) -> Reply {
    let Some(path) = asked.path.strip_prefix("/wp-json/wc/v3/") else {
        return ok(json!({
            "name": "Test shop", "url": address, "gmt_offset": 1,
            "timezone_string": "Europe/Paris", "namespaces": ["wp/v2", "wc/v3"],
        }));
    };
    if let Err(refused) = authorised(state, asked, address) {
        return refused;
    }
    let parts: Vec<&str> = path.split('/').collect();
    if let Some(body) = fixed(&parts, address) {
        return ok(body);
    }
    let id = |text: &str| text.parse::<u64>().unwrap_or_default();
    match (asked.method.as_str(), parts.as_slice()) {
        ("POST", ["orders", "batch"]) => batch(state, &asked.body),
        ("POST", ["products", "batch"]) => ok(json!([])),
        ("GET", ["orders"]) => list(&state.orders, asked, state.traits.deaf),
        ("GET", ["customers"]) => list(&state.customers, asked, false),
        ("GET", ["products"]) => list(&state.products, asked, state.traits.deaf),
        ("GET", ["products", product, "variations"]) => ok(json!(
            state
                .variations
                .get(&id(product))
                .cloned()
                .unwrap_or_default()
        )),
        ("GET", ["orders", order, "refunds"]) => ok(json!(
            state.refunds.get(&id(order)).cloned().unwrap_or_default()
        )),
        ("GET", ["orders", order, "notes"]) => ok(json!(
            state.notes.get(&id(order)).cloned().unwrap_or_default()
        )),
        ("POST", ["orders", order, "notes"]) => {
            state
                .notes
                .entry(id(order))
                .or_default()
                .push(asked.body.clone());
            (201, asked.body.clone(), Vec::new())
        }
        ("GET", [kind @ ("orders" | "customers" | "products"), one]) => {
            let table = match *kind {
                "orders" => &state.orders,
                "customers" => &state.customers,
                _ => &state.products,
            };
            let variations = state.variations.values().flatten();
            let variation = variations.filter(|row| *kind == "products" && row["id"] == id(one));
            let found = table.get(&id(one)).into_iter().chain(variation).next();
            match found {
                Some(row) => ok(row.clone()),
                None => refusal(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID."),
            }
        }
        (_, ["webhooks", ..]) => hooks(state, asked, &parts),
        _ => refusal(404, "rest_no_route", "No route was found."),
    }
}

/// What the probe reads; always the same.
fn fixed(parts: &[&str], address: &str) -> Option<Value> {
    Some(match parts {
        ["system_status"] => json!({
            "environment": {"home_url": address, "version": "11.0.1", "wp_version": "7.1"},
            "settings": {
                "currency": "EUR", "number_of_decimals": 2,
                "order_datastore": "X\\OrdersTableDataStore",
            },
        }),
        ["settings", "tax"] => json!([{"id": "woocommerce_prices_include_tax", "value": "no"}]),
        ["settings", "products"] => json!([{"id": "woocommerce_manage_stock", "value": "no"}]),
        ["taxes"] => json!([{
            "id": 1, "country": "FR", "state": "", "rate": "20.0000", "name": "TVA",
            "priority": 1, "class": "standard",
        }]),
        ["payment_gateways"] => json!([{"id": "cod", "title": "Cash on delivery"}]),
        ["shipping", "zones"] => json!([{"id": 0, "name": "Rest"}, {"id": 1, "name": "EU"}]),
        ["shipping", "zones", "0", "methods"] => json!([]),
        ["shipping", "zones", ..] => {
            json!([{"instance_id": 3, "title": "Express", "method_id": "flat_rate"}])
        }
        ["reports", ..] => json!([
            {"slug": "processing", "name": "Processing"}, {"slug": "packed", "name": "Packed"},
        ]),
        _ => return None,
    })
}

fn authorised(state: &State, asked: &Asked, address: &str) -> Result<(), Reply> {
    let traits = state.traits;
    let ignored = || {
        refusal(
            401,
            "woocommerce_rest_cannot_view",
            "Sorry, you cannot list resources.",
        )
    };
    let wrong = |message| refusal(401, "woocommerce_rest_authentication_error", message);
    let signed = asked.query.get("oauth_consumer_key");
    let (key, secret_fits) = if traits.sees_https {
        let basic = asked.authorization.clone().filter(|_| !traits.drops_header);
        let header = basic.and_then(|text| {
            use base64::Engine as _;
            let text = text.strip_prefix("Basic ")?.to_owned();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .ok()?;
            let text = String::from_utf8(bytes).ok()?;
            text.split_once(':')
                .map(|(key, secret)| (key.to_owned(), secret.to_owned()))
        });
        let query = asked
            .query
            .get("consumer_key")
            .zip(asked.query.get("consumer_secret"));
        let query = query.map(|(key, secret)| (key.clone(), secret.clone()));
        let Some((key, secret)) = header.or(query) else {
            return Err(ignored());
        };
        (key, secret == SECRET)
    } else {
        let Some(key) = signed else {
            return Err(ignored());
        };
        (key.clone(), signature_fits(asked, address))
    };
    if key != KEY {
        return Err(if traits.sees_https {
            ignored()
        } else {
            wrong("Consumer key is invalid.")
        });
    }
    if !secret_fits {
        let message = if traits.sees_https {
            "Consumer secret is invalid."
        } else {
            "Invalid signature - provided signature does not match."
        };
        return Err(wrong(message));
    }
    if traits.read_only && asked.method != "GET" {
        return Err(wrong(if traits.french {
            "La clé d’API fournie n’a pas de droits d’écriture."
        } else {
            "The API key provided does not have write permissions."
        }));
    }
    Ok(())
}

/// Makes the signature again from what came.
fn signature_fits(asked: &Asked, address: &str) -> bool {
    let oauth = OAuth1::one_legged(KEY, Secret::new(SECRET));
    let own = asked
        .query
        .iter()
        .filter(|(name, _)| !name.starts_with("oauth_"));
    let own: Vec<_> = own
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let url = format!("{address}{}", asked.path).parse().unwrap();
    let second: i64 = asked.query["oauth_timestamp"].parse().unwrap();
    let at = Timestamp::from_second(second).unwrap();
    let signed = oauth.parameters(&asked.method, &url, &own, &asked.query["oauth_nonce"], at);
    let signed = signed.unwrap();
    signed.last().unwrap().1 == asked.query["oauth_signature"]
}

/// Ascending by modification and id, or by id; the trash only when asked for.
fn list(table: &BTreeMap<u64, Value>, asked: &Asked, deaf: bool) -> Reply {
    let query = |name: &str| asked.query.get(name).map(String::as_str);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let trash = query("status") == Some("trash");
    let mut rows: Vec<&Value> = table
        .values()
        .filter(|row| (text(row, "status") == "trash") == trash)
        .collect();
    if let Some(after) = query("modified_after").filter(|_| !deaf) {
        assert_eq!(query("dates_are_gmt"), Some("true"));
        assert!(
            !after.ends_with('Z'),
            "a Z beside the flag is converted twice"
        );
        rows.retain(|row| text(row, "date_modified_gmt").as_str() > after);
    }
    if let Some(include) = query("include") {
        let ids: Vec<u64> = include.split(',').map(|id| id.parse().unwrap()).collect();
        rows.retain(|row| ids.contains(&row["id"].as_u64().unwrap()));
    }
    for (parameter, field) in [("email", "email"), ("search", "number")] {
        if let Some(wanted) = query(parameter) {
            rows.retain(|row| text(row, field).contains(wanted));
        }
    }
    if let Some(skus) = query("sku") {
        rows.retain(|row| {
            skus.split(',')
                .chain([skus])
                .any(|sku| text(row, "sku") == sku)
        });
    }
    if query("orderby") == Some("modified") {
        rows.sort_by_key(|row| (text(row, "date_modified_gmt"), row["id"].as_u64()));
    }
    let total = rows.len();
    let number = |name: &str, or: usize| query(name).map_or(or, |text| text.parse().unwrap());
    let rows = rows
        .into_iter()
        .skip(number("offset", 0))
        .take(number("per_page", 10));
    let body: Vec<Value> = rows.cloned().collect();
    (200, json!(body), vec![("x-wp-total", total.to_string())])
}

fn batch(state: &mut State, body: &Value) -> Reply {
    let items = body["update"].as_array().cloned().unwrap_or_default();
    if items.len() > state.traits.batch_limit {
        return refusal(
            413,
            "woocommerce_rest_request_entity_too_large",
            "Unable to accept more.",
        );
    }
    let results: Vec<Value> = items.iter().map(|item| update(state, item)).collect();
    ok(if results.is_empty() {
        json!({})
    } else {
        json!({ "update": results })
    })
}

fn update(state: &mut State, item: &Value) -> Value {
    let refused = |code: &str, data: Value| json!({"id": item["id"], "error": {"code": code, "message": "No.", "data": data}});
    state.now += 1;
    let now = comptoir_kit::time::naive(Timestamp::from_second(state.now).unwrap());
    let Some(order) = state.orders.get_mut(&item["id"].as_u64().unwrap()) else {
        return refused(
            "woocommerce_rest_shop_order_invalid_id",
            json!({"status": 400}),
        );
    };
    if item["status"] == "shipped" {
        let data = json!({"status": 400, "params": {"status": "status is not one of"}});
        return refused("rest_invalid_param", data);
    }
    if let Some(status) = item.get("status") {
        order["status"] = status.clone();
    }
    for row in item["meta_data"].as_array().into_iter().flatten() {
        let meta = order["meta_data"].as_array_mut().unwrap();
        meta.retain(|known| known["key"] != row["key"]);
        meta.push(row.clone());
    }
    order["date_modified_gmt"] = now.into();
    order.clone()
}

fn hooks(state: &mut State, asked: &Asked, parts: &[&str]) -> Reply {
    let id = parts.get(1).map(|id| id.parse::<u64>().unwrap());
    match (asked.method.as_str(), id) {
        ("GET", None) => ok(json!(state.hooks.values().collect::<Vec<_>>())),
        ("POST", None) => {
            let id = state.hooks.keys().last().copied().unwrap_or_default() + 1;
            let mut hook = asked.body.clone();
            hook["id"] = id.into();
            state.hooks.insert(id, hook.clone());
            (201, hook, Vec::new())
        }
        ("PUT", Some(id)) => {
            let hook = state.hooks.get_mut(&id).unwrap();
            for (name, value) in asked.body.as_object().unwrap() {
                hook[name] = value.clone();
            }
            ok(hook.clone())
        }
        ("DELETE", Some(id)) => ok(state.hooks.remove(&id).unwrap()),
        _ => refusal(
            404,
            "woocommerce_rest_shop_webhook_invalid_id",
            "Invalid ID.",
        ),
    }
}
