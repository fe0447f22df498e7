//! The door: `/api/index.php/…`.

use super::records::{self, PARTS};
use super::trouble::{Answer, Done, Trouble};
use super::{Dolibarr, Row, State, orders, shipments, stock};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State as Given};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use rand::RngExt;
use serde_json::json;
use std::collections::BTreeMap;

/// Every address the simulator answers.
pub(super) fn router(dolibarr: Dolibarr) -> Router {
    Router::new()
        .route("/api/index.php/{*path}", any(call))
        .with_state(dolibarr)
}

async fn call(
    Given(dolibarr): Given<Dolibarr>,
    Path(path): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers.get("dolapikey").and_then(|key| key.to_str().ok());
    let mut state = dolibarr.state();
    let answer = answered(&mut state, &method, &path, &query, key, &body);
    let kind = if answer.html {
        "text/html; charset=UTF-8"
    } else {
        "application/json; charset=utf-8"
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response()
}

fn answered(
    state: &mut State,
    method: &Method,
    path: &str,
    query: &BTreeMap<String, String>,
    key: Option<&str>,
    body: &Bytes,
) -> Answer {
    if !state.api {
        return Answer::html(
            200,
            "Module <b>Api</b> must be enabled.<br><br>To activate modules, go on setup Area (Home->Setup->Modules).",
        );
    }
    if key != Some(state.options.key.as_str()) {
        return Answer::wrong_key();
    }
    let segments: Vec<&str> = path.split('/').collect();
    let starred = segments.iter().map(|part| match part.parse::<i64>() {
        Ok(_) => "*",
        Err(_) => part,
    });
    let name = format!("{method} {}", starred.collect::<Vec<_>>().join("/"));
    state.calls.push(name.clone());
    let trouble = state
        .troubles
        .iter()
        .position(|(wanted, _)| *wanted == name);
    let trouble = trouble.map(|at| state.troubles.remove(at).1);
    let trouble = trouble.or_else(|| race(state, method, &segments));
    if let Some(trouble) = trouble.filter(|trouble| trouble.is_before()) {
        return trouble.answer();
    }
    let body: Row = if body.is_empty() {
        Row::new()
    } else {
        match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) => {
                let why = "Bad Request: Error encoding/decoding JSON: Syntax error";
                return Answer::refused(400, why);
            }
        }
    };
    let answer = match route(state, method.as_str(), &segments, query, body) {
        Ok(value) => Answer::of(&value),
        Err(answer) => answer,
    };
    match trouble {
        Some(trouble) => trouble.answer(),
        None => answer,
    }
}

/// What a call meets when a person happens to write at the same moment.
fn race(state: &mut State, method: &Method, path: &[&str]) -> Option<Trouble> {
    let trouble = match path {
        [_, _, "validate"] => Trouble::SameNumber,
        ["orders" | "thirdparties" | "contacts"] if method == Method::POST => Trouble::Deadlock,
        _ => return None,
    };
    let rate = state.options.race_rate;
    (rate > 0.0 && state.rng.random_bool(rate.min(1.0))).then_some(trouble)
}

fn route(
    state: &mut State,
    method: &str,
    path: &[&str],
    query: &BTreeMap<String, String>,
    body: Row,
) -> Done {
    let (part, rest) = path.split_first().unwrap_or((&"", &[]));
    if *part == "orders" && !state.options.rights {
        return Err(state.no_right());
    }
    if *part == "shipments" && !state.options.shipments {
        return Err(state.no_right());
    }
    match (*part, rest) {
        ("status", []) => Ok(status(state)),
        ("setup", ["conf", name]) => stock::constant(state, name),
        ("stockmovements", []) if method == "POST" => stock::movement(state, &body),
        ("warehouses", []) if method == "POST" => {
            let name = body
                .get("label")
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default();
            Ok(json!(stock::add_warehouse(state, name)))
        }
        ("setup", rest) => records::setup(rest),
        ("warehouses", []) => records::list(state, "warehouses", query),
        (part, rest) => match PARTS.iter().find(|(name, ..)| *name == part) {
            Some((table, ..)) => of_table(state, table, (method, rest), query, body),
            None => Err(Answer::html(
                501,
                "API not found (failed to include API file)",
            )),
        },
    }
}

impl State {
    /// The answer to a call that the user may not make.
    pub(super) fn no_right(&self) -> Answer {
        if self.options.version < 18 {
            Answer::refused(401, "Unauthorized")
        } else {
            Answer::refused(403, "Forbidden")
        }
    }
}

/// What answers in front of a Dolibarr that fails, for the fault layer: a proxy, in HTML.
pub fn error_body(status: u16) -> (&'static str, String) {
    crate::odoo::error_body(status)
}

fn status(state: &State) -> serde_json::Value {
    let mut success = json!({"code": 200, "access_locked": "0"});
    if state.options.version < 18 {
        success["dolibarr_version"] = json!("17.0.2");
    } else {
        success["dolibarr_version"] = json!("20.0.0");
        success["timestamp_php_tz"] = json!("UTC");
    }
    json!({"success": success})
}

fn of_table(
    state: &mut State,
    table: &'static str,
    call: (&str, &[&str]),
    query: &BTreeMap<String, String>,
    body: Row,
) -> Done {
    let (method, rest) = call;
    let Some((id, rest)) = rest.split_first() else {
        return match (method, table) {
            ("GET", _) => records::list(state, table, query),
            ("POST", "orders") => orders::create(state, body),
            ("POST", "shipments") => shipments::create(state, body),
            ("POST", _) => records::create(state, table, body),
            _ => Err(Answer::refused(404, "Not Found")),
        };
    };
    if method == "GET" && matches!(*id, "ref" | "ref_ext") {
        return records::by_text(state, table, id, &rest.join("/"));
    }
    let id = id.parse().unwrap_or_default();
    match (method, table, rest) {
        ("GET", _, []) => {
            let with_stock = query
                .get("includestockdata")
                .is_some_and(|asked| asked == "1");
            records::one_with(state, table, id, with_stock)
        }
        ("GET", "products", ["stock"]) => stock::of_product(state, id),
        ("GET", "products", ["subproducts"]) => stock::parts(state, id),
        ("POST", "products", ["subproducts", "add"]) => stock::add_part(state, id, &body),
        ("GET", "orders", ["shipment"]) => shipments::of_order(state, id),
        (method, "shipments", rest) => shipments::act(state, id, (method, rest), body),
        (method, "orders", rest) => orders::act(state, id, (method, rest), body),
        ("PUT", _, []) => records::change(state, table, id, body),
        _ => Err(Answer::refused(404, "Not Found")),
    }
}
