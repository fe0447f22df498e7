//! Signatures of webhooks, over the raw body, in constant time, with several live secrets.

use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::port::Incoming;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// The largest body that is taken, in bytes.
pub const LIMIT: usize = 2 * 1024 * 1024;

/// How far the time of a Standard Webhook may be from ours (the specification's own libraries use five minutes).
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// Refuses a body larger than [`LIMIT`].
///
/// # Errors
/// [`Code::OversizedWebhook`].
pub fn check_size(call: &Incoming) -> Result<(), Fault> {
    if call.body.len() > LIMIT {
        let why = format!(
            "the webhook has {} bytes; the limit is {LIMIT}",
            call.body.len()
        );
        return Err(Fault::refused(Code::OversizedWebhook, why));
    }
    Ok(())
}

/// Checks a header that holds base64 of HMAC-SHA256 over the body (Shopify, WooCommerce, Frappe).
///
/// # Errors
/// [`Code::ForgedSignature`], also when the header or every secret is missing.
pub fn verify_base64(call: &Incoming, header: &str, secrets: &[Secret]) -> Result<(), Fault> {
    let given = call.header(header).ok_or_else(unsigned)?;
    let given = BASE64.decode(given.trim()).map_err(|_| forged())?;
    verify(secrets, &[&call.body], &given)
}

/// Checks a header that holds HMAC-SHA256 over the body in hexadecimal (Sendcloud).
///
/// # Errors
/// [`Code::ForgedSignature`], also when the header or every secret is missing.
pub fn verify_hex(call: &Incoming, header: &str, secrets: &[Secret]) -> Result<(), Fault> {
    let given = call.header(header).ok_or_else(unsigned)?;
    let given = unhex(given.trim()).ok_or_else(forged)?;
    verify(secrets, &[&call.body], &given)
}

/// Checks a Standard Webhook (`webhook-id`, `webhook-timestamp`, `webhook-signature` with `v1,` entries). A secret that begins with
/// `whsec_` is the base64 of its key; any other is the key itself, as at BigCommerce.
///
/// # Errors
/// [`Code::ForgedSignature`], also for a time further away than [`TOLERANCE`].
pub fn verify_standard(call: &Incoming, secrets: &[Secret]) -> Result<(), Fault> {
    let header = |name| call.header(name).ok_or_else(unsigned);
    let id = header("webhook-id")?;
    let time = header("webhook-timestamp")?;
    let sent: i64 = time.trim().parse().map_err(|_| forged())?;
    if call.at.as_second().abs_diff(sent) > TOLERANCE.as_secs() {
        let why = "the webhook's time is too far from ours: replayed, or a wrong clock";
        return Err(Fault::refused(Code::ForgedSignature, why));
    }
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", time.as_bytes(), b".", &call.body];
    for entry in header("webhook-signature")?.split_ascii_whitespace() {
        let Some(given) = entry.strip_prefix("v1,") else {
            continue;
        };
        if let Ok(given) = BASE64.decode(given)
            && verify_keys(secrets.iter().filter_map(standard_key), &parts, &given)
        {
            return Ok(());
        }
    }
    Err(forged())
}

/// Base64 of HMAC-SHA256 over a body.
pub fn sign_base64(secret: &Secret, body: &[u8]) -> String {
    BASE64.encode(mac(secret.expose().as_bytes(), &[body]))
}

/// HMAC-SHA256 over a body in lower-case hexadecimal.
pub fn sign_hex(secret: &Secret, body: &[u8]) -> String {
    mac(secret.expose().as_bytes(), &[body])
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The three headers of a Standard Webhook that we send.
///
/// # Errors
/// [`Code::BadValue`] for a `whsec_` secret that is no base64.
pub fn sign_standard(
    secret: &Secret,
    id: &str,
    at: Timestamp,
    body: &[u8],
) -> Result<[(&'static str, String); 3], Fault> {
    let key = standard_key(secret).ok_or_else(|| {
        Fault::refused(
            Code::BadValue,
            "the webhook secret is no base64 after `whsec_`",
        )
    })?;
    let time = at.as_second().to_string();
    let mac = mac(&key, &[id.as_bytes(), b".", time.as_bytes(), b".", body]);
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time),
        ("webhook-signature", format!("v1,{}", BASE64.encode(mac))),
    ])
}

/// A fault [`Code::MalformedWebhook`].
pub fn malformed(why: impl Into<String>) -> Fault {
    Fault::refused(Code::MalformedWebhook, why)
}

fn verify(secrets: &[Secret], parts: &[&[u8]], given: &[u8]) -> Result<(), Fault> {
    let keys = secrets
        .iter()
        .map(|secret| secret.expose().as_bytes().to_vec());
    if verify_keys(keys, parts, given) {
        Ok(())
    } else {
        Err(forged())
    }
}

/// Whether any key made this signature. An empty key never counts: anyone could sign with it. All keys are tried, so that the time
/// taken does not tell which one fits.
fn verify_keys(keys: impl Iterator<Item = Vec<u8>>, parts: &[&[u8]], given: &[u8]) -> bool {
    let mut fits = subtle::Choice::from(0);
    for key in keys.filter(|key| !key.is_empty()) {
        fits |= mac(&key, parts).as_slice().ct_eq(given);
    }
    given.len() == SIGNATURE_BYTES && bool::from(fits)
}

const SIGNATURE_BYTES: usize = 32;

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes keys of any length, so this fails never.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

fn standard_key(secret: &Secret) -> Option<Vec<u8>> {
    match secret.expose().strip_prefix("whsec_") {
        Some(encoded) => BASE64.decode(encoded).ok(),
        None => Some(secret.expose().as_bytes().to_vec()),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8))
        .collect()
}

fn unsigned() -> Fault {
    Fault::refused(Code::ForgedSignature, "the webhook is not signed")
}

fn forged() -> Fault {
    Fault::refused(
        Code::ForgedSignature,
        "no live secret made the webhook's signature",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn vectors() -> Vec<Value> {
        let text = include_str!("../tests/vectors/webhook-hmac.json");
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    fn text(value: &Value, name: &str) -> String {
        value[name].as_str().unwrap().to_owned()
    }

    fn incoming(headers: &[(&str, &str)], body: &str, at: i64) -> Incoming {
        Incoming {
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            at: Timestamp::from_second(at).unwrap(),
        }
    }

    fn code(result: Result<(), Fault>) -> Option<Code> {
        result.err().map(|fault| fault.code)
    }

    #[test]
    fn vendor_vectors_verify_and_a_changed_body_does_not() {
        let mut checked = 0;
        for vector in vectors() {
            let Some(header) = vector["header"].as_str() else {
                continue;
            };
            let name = header.to_ascii_lowercase();
            let signature = text(&vector, "signature");
            let secrets = [Secret::new("older"), Secret::new(text(&vector, "secret"))];
            let body = text(&vector, "body");
            let verify = match vector["system"].as_str() {
                Some("sendcloud") => verify_hex,
                _ => verify_base64,
            };
            let call = incoming(&[(header, &signature)], &body, 0);
            assert_eq!(verify(&call, &name, &secrets), Ok(()), "{header}");
            let changed = incoming(&[(header, &signature)], &format!("{body} "), 0);
            let forged = Some(Code::ForgedSignature);
            assert_eq!(code(verify(&changed, &name, &secrets)), forged);
            assert_eq!(code(verify(&call, &name, &secrets[..1])), forged);
            assert_eq!(
                code(verify(&incoming(&[], &body, 0), &name, &secrets)),
                forged
            );
            checked += 1;
        }
        assert_eq!(checked, 4);
    }

    #[test]
    fn a_standard_webhook_verifies_within_its_time() {
        let vector = vectors()
            .into_iter()
            .find(|v| v["system"] == "bigcommerce")
            .unwrap();
        let secrets = [Secret::new(text(&vector, "client_secret"))];
        let headers: Vec<(&str, &str)> = vector["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let body = text(&vector, "body");
        let sent = 1_767_225_600;
        let at = |time| code(verify_standard(&incoming(&headers, &body, time), &secrets));
        assert_eq!(at(sent + 300), None);
        assert_eq!(at(sent - 300), None);
        assert_eq!(at(sent + 301), Some(Code::ForgedSignature));
        let other = [Secret::new("other")];
        let call = incoming(&headers, &body, sent);
        assert_eq!(
            code(verify_standard(&call, &other)),
            Some(Code::ForgedSignature)
        );
    }

    #[test]
    fn what_we_send_verifies() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        let headers = sign_standard(&secret, "msg_1", at, b"{}").unwrap();
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let call = incoming(&headers, "{}", 1_767_225_600);
        assert_eq!(
            verify_standard(&call, &[Secret::new("whsec_x"), secret]),
            Ok(())
        );
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        let empty = Secret::default();
        let signature = sign_base64(&empty, b"{}");
        let call = incoming(&[("x-sig", &signature)], "{}", 0);
        assert_eq!(
            code(verify_base64(&call, "x-sig", &[empty])),
            Some(Code::ForgedSignature)
        );
    }

    #[test]
    fn a_large_body_is_refused() {
        let call = incoming(&[], &"x".repeat(LIMIT + 1), 0);
        assert_eq!(code(check_size(&call)), Some(Code::OversizedWebhook));
        assert_eq!(
            code(check_size(&incoming(&[], &"x".repeat(LIMIT), 0))),
            None
        );
    }
}
