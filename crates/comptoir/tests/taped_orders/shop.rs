//! A server that answers as the taped shop did. Lists are put together of recorded orders, word for word; nothing else is made up.

use crate::readings::{Reading, exchanges};
use axum::Router;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use comptoir_sim::server::Server;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// The recorded shop.
pub struct Recorded {
    orders: Mutex<Vec<Reading>>,
    /// Recorded answers by path.
    tables: BTreeMap<String, String>,
}

/// Serves these orders, and what the shop of this version was recorded saying about itself.
pub async fn serve(version: &str, orders: Vec<Reading>) -> (Arc<Recorded>, Server) {
    let mut tables = BTreeMap::new();
    // The shop of 8.5.2 was asked for its versions only; the same tables stood in both.
    for version in ["11.0.1", version] {
        for (_, exchange) in exchanges(version) {
            let path = exchange.request.path.split('?').next().unwrap_or_default();
            let asked = exchange.request.method == "GET" && exchange.response.status == 200;
            let table = [
                "system_status",
                "settings/tax",
                "taxes",
                "payment_gateways",
                "shipping/zones",
                "shipping/zones/1/methods",
                "reports/orders/totals",
            ];
            let about_itself = path == "/wp-json"
                || path
                    .strip_prefix(API)
                    .is_some_and(|path| table.contains(&path));
            if asked && about_itself {
                tables.insert(path.to_owned(), exchange.response.body);
            }
        }
    }
    let recorded = Arc::new(Recorded {
        orders: Mutex::new(orders),
        tables,
    });
    let router = Router::new().fallback(answer).with_state(recorded.clone());
    (recorded, Server::start(router).await.unwrap())
}

const API: &str = "/wp-json/wc/v3/";

async fn answer(
    State(recorded): State<Arc<Recorded>>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    uri: Uri,
) -> Response {
    let path = uri.path();
    let resource = path.strip_prefix(API).unwrap_or_default();
    match (method.as_str(), resource) {
        ("GET", "orders") => recorded.list(&query),
        ("POST", "orders/batch") => json("{}".to_owned()),
        ("GET", _) if recorded.tables.contains_key(path) => json(recorded.tables[path].clone()),
        // Zones without recorded methods.
        ("GET", _) if resource.starts_with("shipping/zones/") => json("[]".to_owned()),
        ("GET", _) => recorded.one(resource.strip_prefix("orders/").unwrap_or_default()),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn json(body: String) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json; charset=UTF-8")];
    (kind, body).into_response()
}

impl Recorded {
    /// From now on the orders are these.
    pub fn show(&self, orders: Vec<Reading>) {
        *self.orders.lock().unwrap() = orders;
    }

    fn list(&self, query: &HashMap<String, String>) -> Response {
        let asked = |name: &str| query.get(name).map(String::as_str);
        let include: Option<Vec<&str>> = asked("include").map(|ids| ids.split(',').collect());
        let trash = asked("status") == Some("trash");
        let orders = self.orders.lock().unwrap();
        let mut found: Vec<&Reading> = orders
            .iter()
            .filter(|order| (order.text("status") == "trash") == trash)
            .filter(|order| {
                let id = order.id.to_string();
                include
                    .as_ref()
                    .is_none_or(|ids| ids.contains(&id.as_str()))
            })
            // Naive times in UTC of one form: their order is that of their texts.
            .filter(|order| {
                asked("modified_after").is_none_or(|after| order.text("date_modified_gmt") > after)
            })
            .collect();
        found.sort_by_key(|order| (order.text("date_modified_gmt"), order.id));
        let number = |name: &str, default: usize| {
            asked(name).map_or(default, |number| number.parse().unwrap())
        };
        let page: Vec<&str> = found
            .iter()
            .skip(number("offset", 0))
            .take(number("per_page", 10))
            .map(|order| order.json.as_str())
            .collect();
        let mut response = json(format!("[{}]", page.join(",")));
        let total = found.len().to_string().parse().unwrap();
        response.headers_mut().insert("x-wp-total", total);
        response
    }

    fn one(&self, id: &str) -> Response {
        let orders = self.orders.lock().unwrap();
        match orders.iter().find(|order| order.id.to_string() == id) {
            Some(order) => json(order.json.clone()),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}
