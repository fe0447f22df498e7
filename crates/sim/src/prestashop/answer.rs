//! Answers as the webservice words them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

/// An answer before it becomes a response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    pub status: u16,
    pub kind: &'static str,
    pub body: String,
    /// Whether the webservice itself answers, and says its version.
    pub versioned: bool,
}

const JSON: &str = "application/json";
const XML: &str = "text/xml;charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Answer {
            status: 200,
            kind: JSON,
            body: body.to_string(),
            versioned: true,
        }
    }

    pub(crate) fn xml(status: u16, inner: &str) -> Self {
        Answer {
            status,
            kind: XML,
            body: document(inner),
            versioned: true,
        }
    }

    /// A page of PHP that died: nothing in it.
    pub(crate) fn dead() -> Self {
        Answer {
            status: 500,
            kind: HTML,
            body: String::new(),
            versioned: false,
        }
    }

    /// A page of the shop front that is not there.
    pub(crate) fn no_page() -> Self {
        Answer {
            status: 404,
            ..Answer::dead()
        }
    }

    /// No key at all.
    pub(crate) fn no_key() -> Self {
        Answer {
            status: 401,
            kind: HTML,
            body: "401 Unauthorized".to_owned(),
            versioned: false,
        }
    }

    /// A single record that is not there.
    pub(crate) fn not_there() -> Self {
        Answer {
            status: 404,
            kind: "",
            body: String::new(),
            versioned: true,
        }
    }

    pub(crate) fn errors(as_json: bool, status: u16, errors: &[(i64, &str)]) -> Self {
        if as_json {
            let errors: Vec<Value> = errors
                .iter()
                .map(|(code, message)| json!({"code": code, "message": message}))
                .collect();
            return Answer {
                status,
                ..Answer::json(&json!({ "errors": errors }))
            };
        }
        let rows: String = errors
            .iter()
            .map(|(code, message)| {
                format!(
                    "<error>\n<code><![CDATA[{code}]]></code>\n<message><![CDATA[{message}]]></message>\n</error>\n"
                )
            })
            .collect();
        Answer::xml(status, &format!("<errors>\n{rows}</errors>\n"))
    }

    pub(crate) fn response(self, version: &str, now: Timestamp) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        if let Ok(date) = HeaderValue::from_str(&date) {
            headers.insert(header::DATE, date);
        }
        if self.versioned
            && let Ok(version) = HeaderValue::from_str(version)
        {
            headers.insert("psws-version", version);
        }
        response
    }
}

pub(crate) fn document(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<prestashop xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n{inner}</prestashop>\n"
    )
}

/// What stands in front of a PrestaShop that fails, for the fault layer: an empty page.
pub fn error_body(_status: u16) -> (&'static str, String) {
    (HTML, String::new())
}
