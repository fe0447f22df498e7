//! The mock shop: what the connector's probe asks, lists of orders, orders by id.

use crate::mock::Knobs;
use crate::orders::{self, COUNTRIES};
use crate::wire::Reply;
use std::fmt::Write as _;

/// Answers a call; its name is for counting.
pub fn answer(knobs: &Knobs, method: &str, target: &str) -> (String, Reply) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = Query::parse(query);
    let Some(resource) = path.strip_prefix("/wp-json/wc/v3/") else {
        return ("index".to_owned(), Reply::json(INDEX));
    };
    let name = match resource.strip_prefix("orders/") {
        Some(id) if id.bytes().all(|b| b.is_ascii_digit()) => "orders/ID".to_owned(),
        _ if query.get("include").is_some() => format!("{resource} by id"),
        _ => resource.to_owned(),
    };
    let reply = match resource {
        "orders" if query.get("status") == Some("trash") => total(0, "[]".to_owned()),
        "orders" => match query.get("include") {
            Some(ids) => by_id(knobs, ids),
            None => list(knobs, &query),
        },
        "system_status" => Reply::json(SYSTEM),
        "taxes" => Reply::json(taxes()),
        "payment_gateways" => Reply::json(
            r#"[{"id":"stripe","title":"Carte","enabled":true,"method_title":"Stripe"}]"#,
        ),
        "shipping/zones" => Reply::json(r#"[{"id":1,"name":"Europe"}]"#),
        "shipping/zones/1/methods" => Reply::json(
            r#"[{"instance_id":1,"title":"Livraison","method_id":"flat_rate","enabled":true}]"#,
        ),
        "reports/orders/totals" => Reply::json(r#"[{"slug":"processing","name":"Processing"}]"#),
        "settings/tax" => Reply::json("[]"),
        "orders/batch" if method == "POST" => Reply::json("{}"),
        _ => one(knobs, resource),
    };
    (name, reply)
}

const INDEX: &str = r#"{"name":"Example Shop","url":"http://127.0.0.1","gmt_offset":1,"timezone_string":"Europe/Paris","namespaces":["wc/v3"]}"#;
const SYSTEM: &str = r#"{"environment":{"home_url":"http://127.0.0.1","version":"11.0.1","wp_version":"7.1"},"settings":{"currency":"EUR","number_of_decimals":2,"order_datastore":"OrdersTableDataStore"}}"#;

fn taxes() -> String {
    let mut out = String::from("[");
    for (at, country) in COUNTRIES.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let code = country.tax_code();
        let name = code.split('-').nth(1).unwrap_or_default();
        let _ = write!(
            out,
            r#"{comma}{{"id":{},"country":"{}","state":"","name":"{name}","rate":"{}.0000","priority":1,"class":"standard"}}"#,
            at + 1,
            country.code,
            country.rate
        );
    }
    out.push(']');
    out
}

/// A list with the header that says how long it is.
pub fn total(count: u64, body: String) -> Reply {
    Reply::Answer(200, format!("x-wp-total: {count}\r\n"), body.into_bytes())
}

/// When an order was last changed (unix seconds).
fn changed(knobs: &Knobs, index: u64) -> i64 {
    knobs.since + (index / knobs.per_second.max(1)) as i64
}

fn write(knobs: &Knobs, index: u64, out: &mut String) {
    let at = jiff::Timestamp::from_second(changed(knobs, index)).unwrap_or_default();
    let at = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    orders::order(index).write_json(&at, out);
}

fn array(knobs: &Knobs, indexes: impl Iterator<Item = u64>) -> String {
    let mut out = String::with_capacity(450 * 1024);
    out.push('[');
    for (at, index) in indexes.enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(knobs, index, &mut out);
    }
    out.push(']');
    out
}

fn published(knobs: &Knobs, id: &str) -> Option<u64> {
    let index = orders::index_of(id.trim().parse().ok()?)?;
    (index < knobs.published).then_some(index)
}

fn by_id(knobs: &Knobs, ids: &str) -> Reply {
    let found: Vec<u64> = ids
        .split(',')
        .filter_map(|id| published(knobs, id))
        .collect();
    total(found.len() as u64, array(knobs, found.into_iter()))
}

fn one(knobs: &Knobs, resource: &str) -> Reply {
    let id = resource.strip_prefix("orders/").unwrap_or_default();
    match published(knobs, id) {
        Some(index) => {
            let mut out = String::with_capacity(8 * 1024);
            write(knobs, index, &mut out);
            Reply::json(out)
        }
        None => {
            let body = r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;
            Reply::Answer(404, String::new(), body.as_bytes().to_vec())
        }
    }
}

/// A page in the order of change, by number or offset.
fn list(knobs: &Knobs, query: &Query) -> Reply {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
    let size = number("per_page").unwrap_or(10);
    let offset = match (number("offset"), number("page")) {
        (Some(offset), _) => offset,
        (None, page) => (page.unwrap_or(1).max(1) - 1) * size,
    };
    let after = query
        .get("modified_after")
        .and_then(|text| format!("{text}Z").parse::<jiff::Timestamp>().ok());
    let first = match after {
        // The first that was changed later.
        Some(after) => {
            let seconds = (after.as_second() + 1 - knobs.since).max(0) as u64;
            seconds * knobs.per_second.max(1)
        }
        None => 0,
    };
    let all = knobs.published.saturating_sub(first);
    let from = (first + offset).min(knobs.published);
    let to = (from + size).min(knobs.published);
    total(all, array(knobs, from..to))
}

/// The parameters of a query, decoded.
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads one.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Query(
            pairs
                .map(|(name, value)| (decoded(name), decoded(value)))
                .collect(),
        )
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|b| char::from(b).to_digit(16));
        if let (Some(high), Some(low)) = (digit(), digit()) {
            bytes.push((high * 16 + low) as u8);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
