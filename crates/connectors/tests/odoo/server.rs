//! A scripted server with enough of Odoo's behaviour to create, find and confirm on: both APIs, external ids, `load()`, and the quirks
//! that the recorded answers show. It is no Odoo and no simulator of one.

mod keys;
mod loading;
mod model;

pub use model::{Erp, Trouble};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use model::Refusal;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// The only database, user and key.
pub const DATABASE: &str = "books";
pub const LOGIN: &str = "hub@example.test";
pub const KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f001234567";

/// A running server.
#[derive(Clone)]
pub struct Server {
    pub address: String,
    erp: Arc<Mutex<Erp>>,
}

impl Server {
    /// An Odoo of this version with two companies, taxes, a few products and partners.
    pub async fn start(version: u32) -> Self {
        let erp = Arc::new(Mutex::new(Erp::new(version)));
        let routes = Router::new()
            .route("/jsonrpc", post(jsonrpc))
            .route("/json/2/{model}/{method}", post(json2))
            .route("/web/version", get(web_version))
            .with_state(erp.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Server { address, erp }
    }

    /// What it holds, to be looked at and changed by hand.
    pub fn erp(&self) -> MutexGuard<'_, Erp> {
        self.erp.lock().unwrap()
    }
}

type Shared = State<Arc<Mutex<Erp>>>;

async fn web_version(State(erp): Shared) -> Response {
    let version = erp.lock().unwrap().version;
    if version < 19 {
        return html(StatusCode::NOT_FOUND);
    }
    json_answer(StatusCode::OK, &json!({"version": format!("{version}.0")}))
}

fn html(status: StatusCode) -> Response {
    let page = "<!DOCTYPE html><title>Not Odoo's</title>";
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    let body = value.to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn jsonrpc(State(erp): Shared, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let (service, args) = (&request["params"]["service"], &request["params"]["args"]);
    let version = erp.lock().unwrap().version;
    let result = match (
        service.as_str().unwrap(),
        request["params"]["method"].as_str().unwrap(),
    ) {
        ("common", "version") => Ok(json!({"server_version": format!("{version}.0")})),
        ("common", "authenticate") if args[0] != DATABASE => {
            Err(Refusal::of("psycopg2.OperationalError"))
        }
        ("common", "authenticate") => {
            let known = args[1] == LOGIN && args[2] == KEY;
            Ok(if known { json!(2) } else { json!(false) })
        }
        ("object", "execute_kw") if args[2] != KEY => {
            Err(Refusal::of("odoo.exceptions.AccessDenied"))
        }
        ("object", "execute_kw") => {
            let (model, method) = (args[3].as_str().unwrap(), args[4].as_str().unwrap());
            match troubled(&erp, model, method, by_name(method, &args[5], &args[6])).await {
                Some(result) => result,
                None => return html(StatusCode::BAD_GATEWAY),
            }
        }
        _ => Err(Refusal::of("builtins.KeyError")),
    };
    let code = if version < 19 { 200 } else { 0 };
    let answer = match result {
        Ok(Value::Null) => json!({"jsonrpc": "2.0", "id": 1}),
        Ok(result) => json!({"jsonrpc": "2.0", "id": 1, "result": result}),
        Err(refusal) => json!({"jsonrpc": "2.0", "id": 1, "error": {
            "code": code, "message": "Odoo Server Error", "data": refusal.body()}}),
    };
    json_answer(StatusCode::OK, &answer)
}

/// Arguments by position as arguments by name.
fn by_name(method: &str, args: &Value, named: &Value) -> Map<String, Value> {
    let names: &[&str] = match method {
        "search_read" => &["domain"],
        "has_access" => &["ids", "operation"],
        "read" => &["ids", "fields"],
        "write" => &["ids", "vals"],
        "load" => &["fields", "data"],
        "check_access_rights" => &["operation"],
        "check_object_reference" => &["module", "xml_id"],
        "get_metadata" | "unlink" | "action_confirm" | "action_cancel" => &["ids"],
        _ => &[],
    };
    let mut all = named.as_object().unwrap().clone();
    for (name, value) in names.iter().zip(args.as_array().unwrap()) {
        all.insert((*name).to_owned(), value.clone());
    }
    all
}

async fn json2(
    State(erp): Shared,
    Path((model, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if headers
        .get("x-odoo-database")
        .is_none_or(|name| name != DATABASE)
    {
        return html(StatusCode::NOT_FOUND);
    }
    let refuse = |refusal: Refusal| json_answer(refusal.status(), &refusal.body());
    let bearer = format!("Bearer {KEY}");
    if headers
        .get("authorization")
        .is_none_or(|key| *key != bearer)
    {
        return refuse(Refusal::of("werkzeug.exceptions.Unauthorized"));
    }
    let named: Value = serde_json::from_slice(&body).unwrap();
    match troubled(&erp, &model, &method, named.as_object().unwrap().clone()).await {
        Some(Ok(result)) => json_answer(StatusCode::OK, &result),
        Some(Err(refusal)) => refuse(refusal),
        None => html(StatusCode::BAD_GATEWAY),
    }
}

/// Runs a call, with the trouble that the test ordered for it. Nothing means that the answer got lost on its way.
async fn troubled(
    erp: &Mutex<Erp>,
    model: &str,
    method: &str,
    args: Map<String, Value>,
) -> Option<Result<Value, Refusal>> {
    let trouble = {
        let mut erp = erp.lock().unwrap();
        erp.calls.push(format!("{model}.{method}"));
        erp.troubles
            .iter()
            .position(|(wanted, _)| *wanted == format!("{model}.{method}"))
            .map(|at| erp.troubles.remove(at).1)
    };
    match trouble {
        Some(Trouble::Refused(name)) => return Some(Err(Refusal::of(name))),
        Some(Trouble::Blind) => return Some(Ok(json!([]))),
        Some(Trouble::Race) => {
            let message = "could not serialize access due to concurrent update\n";
            let rows = json!({"from": 0, "to": 0});
            return Some(Ok(json!({"ids": false, "nextrow": 0, "messages": [
                {"rows": rows, "record": 0, "type": "error", "message": message}]})));
        }
        _ => {}
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let result = erp.lock().unwrap().call(model, method, &args);
    match trouble {
        Some(Trouble::Lost) => None,
        _ => Some(result),
    }
}
