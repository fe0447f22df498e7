//! Keys: Basic and query over https, OAuth 1.0a (one-legged, HMAC-SHA256) everywhere, and the 401s of the measured shops.
//!
//! Over plain http Basic and query keys are silently ignored, which looks like no key at all and like an unknown key.

use super::answer::Answer;
use super::query::{Query, decode, encode};
use axum::http::{HeaderMap, Method, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::HashMap;

/// How far a timestamp may be from the shop's clock.
const TIMESTAMP_WINDOW: i64 = 15 * 60;

/// One API key.
#[derive(Debug, Clone)]
pub(crate) struct ApiKey {
    pub key: String,
    pub secret: String,
    pub writes: bool,
}

/// The keys of the shop and the nonces used lately.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    keys: Vec<ApiKey>,
    nonces: HashMap<String, i64>,
}

/// What the authentication looks at.
pub(crate) struct Call<'a> {
    pub method: &'a Method,
    /// Scheme, host and path, without query.
    pub address: &'a str,
    pub https: bool,
    pub headers: &'a HeaderMap,
    pub query: &'a Query,
    /// Seconds of the shop's clock.
    pub now: i64,
}

impl Keys {
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Keys {
            keys,
            nonces: HashMap::new(),
        }
    }

    /// Lets a call in, or answers 401.
    pub fn check(&mut self, call: &Call<'_>) -> Result<(), Answer> {
        let key = match self.identify(call)? {
            Some(key) => key,
            None => return Err(nobody(call)),
        };
        let reading = matches!(*call.method, Method::GET | Method::HEAD | Method::OPTIONS);
        if !reading && !key.writes {
            return Err(Answer::unauthorised(
                "The API key provided does not have write permissions.",
            ));
        }
        Ok(())
    }

    fn identify(&mut self, call: &Call<'_>) -> Result<Option<ApiKey>, Answer> {
        if call.https
            && let Some((name, secret)) = plain_key(call)
        {
            // An unknown key is nobody, a wrong secret is told.
            let Some(key) = self.keys.iter().find(|key| key.key == name) else {
                return Ok(None);
            };
            if !same(&key.secret, &secret) {
                return Err(Answer::unauthorised("Consumer secret is invalid."));
            }
            return Ok(Some(key.clone()));
        }
        self.signed(call)
    }

    fn signed(&mut self, call: &Call<'_>) -> Result<Option<ApiKey>, Answer> {
        let oauth = oauth_parameters(call);
        let get = |name: &str| {
            oauth
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let (Some(name), Some(signature), Some(nonce), Some(timestamp)) = (
            get("oauth_consumer_key"),
            get("oauth_signature"),
            get("oauth_nonce"),
            get("oauth_timestamp"),
        ) else {
            return Ok(None);
        };
        let Some(key) = self.keys.iter().find(|key| key.key == name).cloned() else {
            return Err(Answer::unauthorised("Consumer key is invalid."));
        };
        if get("oauth_signature_method") != Some("HMAC-SHA256") {
            return Err(Answer::unauthorised(
                "Invalid signature - signature method is invalid.",
            ));
        }
        if !same(&sign(call, &oauth, &key.secret), signature) {
            return Err(Answer::unauthorised(
                "Invalid signature - provided signature does not match.",
            ));
        }
        let at: i64 = timestamp.parse().unwrap_or_default();
        if (call.now - at).abs() > TIMESTAMP_WINDOW {
            return Err(Answer::unauthorised("Invalid timestamp."));
        }
        self.nonces
            .retain(|_, used| call.now - *used <= TIMESTAMP_WINDOW);
        if self.nonces.insert(nonce.to_owned(), at).is_some() {
            return Err(Answer::unauthorised(
                "Invalid nonce - nonce has already been used.",
            ));
        }
        Ok(Some(key))
    }
}

/// Nobody: the wording depends on what was asked for.
fn nobody(call: &Call<'_>) -> Answer {
    let last = call.address.rsplit('/').next().unwrap_or_default();
    let single = last.parse::<u64>().is_ok() || matches!(last, "current" | "system_status");
    let (code, text) = match *call.method {
        Method::POST => (
            "woocommerce_rest_cannot_create",
            "Sorry, you are not allowed to create resources.",
        ),
        Method::PUT | Method::PATCH => (
            "woocommerce_rest_cannot_edit",
            "Sorry, you are not allowed to edit this resource.",
        ),
        Method::DELETE => (
            "woocommerce_rest_cannot_delete",
            "Sorry, you are not allowed to delete this resource.",
        ),
        _ if single => (
            "woocommerce_rest_cannot_view",
            "Sorry, you cannot view this resource.",
        ),
        _ => (
            "woocommerce_rest_cannot_view",
            "Sorry, you cannot list resources.",
        ),
    };
    Answer::error(401, code, text)
}

/// Key and secret from the header or the query.
fn plain_key(call: &Call<'_>) -> Option<(String, String)> {
    let header = call.headers.get(header::AUTHORIZATION);
    if let Some(basic) = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Basic "))
    {
        let text = String::from_utf8(BASE64.decode(basic.trim()).ok()?).ok()?;
        let (key, secret) = text.split_once(':')?;
        return Some((key.to_owned(), secret.to_owned()));
    }
    let key = call.query.get("consumer_key")?;
    let secret = call.query.get("consumer_secret")?;
    Some((key.to_owned(), secret.to_owned()))
}

/// The OAuth parameters of the query or of the header.
fn oauth_parameters(call: &Call<'_>) -> Vec<(String, String)> {
    let header = call
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("OAuth "));
    if let Some(header) = header {
        return header
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .map(|(name, value)| (decode(name), decode(value.trim_matches('"'))))
            .collect();
    }
    let pairs = call.query.pairs().iter();
    pairs
        .filter(|(name, _)| name.starts_with("oauth_"))
        .cloned()
        .collect()
}

/// The signature over method, address and every parameter but itself (RFC 5849, section 3.4).
fn sign(call: &Call<'_>, oauth: &[(String, String)], secret: &str) -> String {
    let own = call
        .query
        .pairs()
        .iter()
        .filter(|(name, _)| !name.starts_with("oauth_"));
    let mut pairs: Vec<(String, String)> = own
        .chain(oauth)
        .filter(|(name, _)| name != "oauth_signature" && name != "realm")
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    let joined: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let base = format!(
        "{}&{}&{}",
        call.method,
        encode(call.address),
        encode(&joined.join("&"))
    );
    signature(format!("{}&", encode(secret)).as_bytes(), base.as_bytes())
}

/// Base64 of an HMAC-SHA256.
pub(crate) fn signature(key: &[u8], message: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(message);
            BASE64.encode(mac.finalize().into_bytes())
        }
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    }
}

/// Comparison that does not tell by its time where texts differ. A simulator needs no such care; an example should show it.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len()
        && one
            .bytes()
            .zip(other.bytes())
            .fold(0, |differ, (a, b)| differ | (a ^ b))
            == 0
}
