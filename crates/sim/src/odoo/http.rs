//! The two doors: `/jsonrpc`, which always answers 200, and `/json/2` of 19, with statuses of its own.

use super::methods::Face;
use super::session::Vals;
use super::trouble::{Done, Trouble};
use super::{Erp, HUB};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value as Json, json};

const JSON: &str = "application/json; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// Every address the simulator answers.
pub(super) fn router(erp: Erp) -> Router {
    let mut router = Router::new()
        .route("/jsonrpc", post(jsonrpc))
        .route("/web/webclient/version_info", post(version_info))
        .route("/web/dataset/call_kw", post(session_expired))
        .route("/web/session/authenticate", post(web_login))
        .route("/report/pdf/{report}/{id}", get(report));
    if erp.options().version.json2() {
        router = router
            .route("/web/version", get(plain_version))
            .route("/json/version", get(plain_version))
            .route("/json/2/{model}/{method}", any(json2));
    }
    router.with_state(erp)
}

fn answer(status: u16, kind: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn version_of(erp: &Erp) -> Json {
    let version = erp.options().version;
    json!({
        "server_version": version.name(),
        "server_version_info": [version.major(), 0, 0, "final", 0, ""],
        "server_serie": version.name(),
        "protocol_version": 1,
    })
}

/// A JSON-RPC answer. A method that returned nothing leaves `result` out.
fn envelope(erp: &Erp, id: &Json, result: Done<Option<Json>>) -> Response {
    let mut body = json!({"jsonrpc": "2.0", "id": id});
    match result {
        Ok(Some(result)) => body["result"] = result,
        Ok(None) => {}
        Err(trouble) => body["error"] = trouble.envelope(erp.options().version),
    }
    answer(200, JSON, body.to_string())
}

fn parse(body: &Bytes) -> Result<Json, Box<Response>> {
    serde_json::from_slice(body)
        .map_err(|_| Box::new(answer(400, HTML, "Invalid JSON data".to_owned())))
}

async fn jsonrpc(State(erp): State<Erp>, body: Bytes) -> Response {
    let request = match parse(&body) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let result = service(&erp, &request["params"]).await;
    envelope(&erp, &request["id"], result)
}

async fn service(erp: &Erp, params: &Json) -> Done<Option<Json>> {
    let method = params["method"].as_str().unwrap_or_default();
    let empty = Vec::new();
    let args = params["args"].as_array().unwrap_or(&empty);
    match (params["service"].as_str().unwrap_or_default(), method) {
        ("common", "version") => Ok(Some(version_of(erp))),
        ("common", "authenticate" | "login") => authenticate(erp, args).map(Some),
        ("object", "execute_kw" | "execute") => execute(erp, method, args).await,
        (service, method) => Err(Trouble::attribute(format!(
            "module 'odoo.service.{service}' has no attribute 'exp_{method}'"
        ))),
    }
}

/// A wrong password is no error: the answer is `false`.
fn authenticate(erp: &Erp, args: &[Json]) -> Done<Json> {
    let options = erp.options();
    let text = |at: usize| args.get(at).and_then(Json::as_str).unwrap_or_default();
    if text(0) != options.database {
        return Err(Trouble::no_database(text(0)));
    }
    Ok(
        match text(1) == options.login && text(2) == erp.state().key {
            true => Json::from(HUB),
            false => Json::Bool(false),
        },
    )
}

async fn execute(erp: &Erp, method: &str, args: &[Json]) -> Done<Option<Json>> {
    let options = erp.options();
    let text = |at: usize| args.get(at).and_then(Json::as_str).unwrap_or_default();
    if text(0) != options.database {
        return Err(Trouble::no_database(text(0)));
    }
    if args.get(1).and_then(Json::as_i64) != Some(HUB) || text(2) != erp.state().key {
        return Err(Trouble::denied());
    }
    let empty = Vec::new();
    let mut named = Vals::new();
    let positional = if method == "execute" {
        args.get(5..).unwrap_or_default()
    } else {
        if let Some(Json::Object(given)) = args.get(6) {
            named = given.clone();
        }
        args.get(5).and_then(Json::as_array).unwrap_or(&empty)
    };
    erp.call(text(3), text(4), positional, named, Face::JsonRpc)
        .await
}

async fn version_info(State(erp): State<Erp>, body: Bytes) -> Response {
    match parse(&body) {
        Ok(request) => envelope(&erp, &request["id"], Ok(Some(version_of(&erp)))),
        Err(refusal) => *refusal,
    }
}

async fn session_expired(State(erp): State<Erp>) -> Response {
    envelope(&erp, &Json::Null, Err(Trouble::session_expired()))
}

/// The browser's login. The simulator gives out no sessions: a right password is told the uid, and that is all.
async fn web_login(State(erp): State<Erp>, body: Bytes) -> Response {
    let request = match parse(&body) {
        Ok(request) => request,
        Err(refusal) => return *refusal,
    };
    let params = &request["params"];
    let args = [
        params["db"].clone(),
        params["login"].clone(),
        params["password"].clone(),
    ];
    let result = match authenticate(&erp, &args) {
        Ok(Json::Bool(_)) => Err(Trouble::denied()),
        Ok(uid) => Ok(Some(json!({"uid": uid}))),
        Err(trouble) => Err(trouble),
    };
    envelope(&erp, &Json::Null, result)
}

/// A report needs a browser's session; a key is sent to the login page.
async fn report(Path((report, id)): Path<(String, String)>) -> Response {
    let to = format!("/web/login?redirect=%2Freport%2Fpdf%2F{report}%2F{id}%3F");
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to the target URL: <a href=\"{to}\">{to}</a>. If not, click the link.\n"
    );
    let headers = [
        (header::CONTENT_TYPE, HTML.to_owned()),
        (header::LOCATION, to),
    ];
    (StatusCode::SEE_OTHER, headers, page).into_response()
}

async fn plain_version(State(erp): State<Erp>) -> Response {
    let version = erp.options().version;
    let body = json!({
        "version_info": [version.major(), 0, 0, "final", 0, ""],
        "version": version.name(),
    });
    answer(200, JSON, body.to_string())
}

const NO_DATABASE: &str = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n<!-- Alternatively, use the X-Odoo-Database header. -->\n";
const WRONG_TYPE: &str = "<!doctype html>\n<html lang=en>\n<title>415 Unsupported Media Type</title>\n<h1>Unsupported Media Type</h1>\n<p>Request inferred type is compatible with [&#39;http&#39;] but &#39;/json/2/&lt;__model__&gt;/&lt;__method__&gt;&#39; is type=&#39;json2&#39;.<br><br>Please verify the Content-Type request header and try again.</p>\n";

async fn json2(
    State(erp): State<Erp>,
    Path((model, method)): Path<(String, String)>,
    verb: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-odoo-database").is_some_and(|name| name != erp.options().database) {
        return answer(404, HTML, NO_DATABASE.to_owned());
    }
    let version = erp.options().version;
    let refuse = |trouble: Trouble| {
        let mut refusal = answer(trouble.status(), JSON, trouble.data(version).to_string());
        if trouble.status() == 401 {
            let scheme = header::HeaderValue::from_static("Bearer ");
            refusal
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, scheme);
        }
        refusal
    };
    if verb != Method::POST {
        return refuse(Trouble::not_found(
            "Did you mean POST /json/2/<model>/<method>?",
        ));
    }
    if !header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
        return answer(415, HTML, WRONG_TYPE.to_owned());
    }
    if let Err(trouble) = bearer(&erp, header("authorization")) {
        return refuse(trouble);
    }
    let named = match serde_json::from_slice::<Json>(&body) {
        Ok(Json::Object(named)) => named,
        Ok(_) => {
            return refuse(Trouble::bad_request(
                "could not parse the body as json: not an object",
            ));
        }
        Err(_) => {
            return refuse(Trouble::bad_request(
                "could not parse the body as json: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ));
        }
    };
    match erp.call(&model, &method, &[], named, Face::Json2).await {
        Ok(result) => answer(200, JSON, result.unwrap_or(Json::Null).to_string()),
        Err(trouble) => refuse(trouble),
    }
}

fn bearer(erp: &Erp, header: Option<&str>) -> Done<()> {
    let key = header.and_then(|header| {
        let (scheme, key) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    });
    match key {
        Some(key) if key == erp.state().key => Ok(()),
        Some(_) => Err(Trouble::unauthorized("Invalid apikey")),
        None => Err(Trouble::unauthorized(
            "User not authenticated, use an API Key with a Bearer Authorization header.",
        )),
    }
}

/// What answers in front of an Odoo that fails, for the fault layer: a proxy, in HTML.
pub fn error_body(status: u16) -> (&'static str, String) {
    let text = match status {
        429 => "429 Too Many Requests",
        502 => "502 Bad Gateway",
        503 => "503 Service Temporarily Unavailable",
        504 => "504 Gateway Time-out",
        _ => "500 Internal Server Error",
    };
    let page = format!(
        "<html>\r\n<head><title>{text}</title></head>\r\n<body>\r\n<center><h1>{text}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    ("text/html", page)
}
