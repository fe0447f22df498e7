//! Answers as WordPress writes them: the shape of errors, the way PHP encodes JSON, paging headers.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// An answer before it goes on the wire.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Either an answer or the error that is one too.
pub(crate) type Answered = Result<Answer, Answer>;

impl Answer {
    /// 200 with this document.
    pub fn ok(document: &Value) -> Self {
        Answer::raw(200, php_json(document))
    }

    /// JSON text that is encoded already.
    pub fn raw(status: u16, body: String) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// 201 and where it is.
    pub fn created(document: &Value, location: String) -> Self {
        Answer::raw(201, php_json(document)).with("location", location)
    }

    /// With a header.
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// `{"code","message","data":{"status"}}`.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Answer::error_with(status, code, message, json!({ "status": status }))
    }

    /// An error with other data.
    pub fn error_with(status: u16, code: &str, message: &str, data: Value) -> Self {
        let body = json!({ "code": code, "message": message, "data": data });
        Answer::raw(status, php_json(&body))
    }

    /// 400 about one parameter. `why` is its code, text and data, as WordPress details them.
    pub fn invalid(field: &str, text: &str, code: &str, data: Value) -> Self {
        let details = json!({ "code": code, "message": text, "data": data });
        let data = json!({
            "status": 400,
            "params": { field: text },
            "details": { field: details },
        });
        let message = format!("Invalid parameter(s): {field}");
        Answer::error_with(400, "rest_invalid_param", &message, data)
    }

    /// 400: of another type.
    pub fn not_of_type(field: &str, path: &str, kind: &str) -> Self {
        let text = format!("{path} is not of type {kind}.");
        Answer::invalid(field, &text, "rest_invalid_type", json!({ "param": path }))
    }

    /// 404 for a record of a kind (`shop_order`, `product` …).
    pub fn no_such(kind: &str) -> Self {
        Answer::error(
            404,
            &format!("woocommerce_rest_{kind}_invalid_id"),
            "Invalid ID.",
        )
    }

    /// 404: no route.
    pub fn no_route() -> Self {
        Answer::error(
            404,
            "rest_no_route",
            "No route was found matching the URL and request method.",
        )
    }

    /// 401 of the authentication.
    pub fn unauthorised(message: &str) -> Self {
        Answer::error(401, "woocommerce_rest_authentication_error", message)
    }

    /// The parsed body, for batches.
    pub fn document(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The answer for axum.
    pub fn into_response(self, home: &str) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        headers.insert(header::CONTENT_TYPE, json);
        // A page's own `Link` replaces the one that names the API.
        let api = format!("<{home}/wp-json/>; rel=\"https://api.w.org/\"");
        if let Ok(value) = HeaderValue::from_str(&api) {
            headers.insert(header::LINK, value);
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// JSON as PHP encodes it: slashes escaped, everything beyond ASCII as `\u` escapes.
pub(crate) fn php_json(document: &Value) -> String {
    php_escape(&document.to_string())
}

/// Escapes JSON text as PHP does. Slashes and letters beyond ASCII stand only inside texts, so the text can be walked blindly.
fn php_escape(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 4);
    let mut rest = json;
    let special = |byte: u8| byte == b'/' || !byte.is_ascii();
    while let Some(at) = rest.bytes().position(special) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut signs = from.chars();
        match signs.next() {
            Some('/') => out.push_str("\\/"),
            Some(sign) => push_units(&mut out, sign),
            None => {}
        }
        rest = signs.as_str();
    }
    out.push_str(rest);
    out
}

fn push_units(out: &mut String, sign: char) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for unit in sign.encode_utf16(&mut [0u16; 2]) {
        out.push_str("\\u");
        for shift in [12, 8, 4, 0] {
            out.push(char::from(DIGITS[usize::from(*unit >> shift & 0xF)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_escaped_as_php_does() {
        let text = json!({ "note": "été 🎁 \"x\"\n</b>" });
        let php = php_json(&text);
        assert_eq!(
            php,
            "{\"note\":\"\\u00e9t\\u00e9 \\ud83c\\udf81 \\\"x\\\"\\n<\\/b>\"}"
        );
        assert_eq!(serde_json::from_str::<Value>(&php).unwrap(), text);
    }
}
