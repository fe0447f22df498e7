//! What a recorder replaces before a tape is written: secrets, and what tells who a person is.
//!
//! The same value becomes the same placeholder within one recording, so that a story of several tapes still fits together.

use crate::http::{encode, encode_query};
use crate::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields whose text is replaced by a placeholder, by name without regard to case, `_` and `-`.
const PERSONAL: &[&str] = &[
    "firstname",
    "lastname",
    "middlename",
    "fullname",
    "displayname",
    "partnername",
    "customername",
    "company",
    "companyname",
    "address",
    "address1",
    "address2",
    "street",
    "street2",
    "city",
    "postcode",
    "zip",
    "phone",
    "mobile",
    "fax",
    "email",
    "login",
    "username",
    "vat",
    "vatnumber",
    "iban",
    "birthday",
    "customeripaddress",
    "customeruseragent",
    "customernote",
    "note",
    "comment",
];

/// Parts of names of fields, parameters and headers whose value is a secret.
const SECRET_PARTS: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "consumerkey",
    "orderkey",
    "authorization",
    "cookie",
    "session",
    "signature",
    "nonce",
    "credential",
    "privatekey",
    "card",
];

/// What stands for a secret.
const SECRET: &str = "SECRET_TAPE";

/// Replaces secrets and personal data.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    known: BTreeMap<String, String>,
}

impl Redactor {
    /// A redactor that also knows these secrets by their text, wherever they stand.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let secrets = secrets.into_iter().filter(|secret| !secret.is_empty());
        Redactor {
            secrets: secrets.collect(),
            known: BTreeMap::new(),
        }
    }

    /// A header's value.
    pub fn header(&mut self, name: &str, value: &str) -> String {
        if is_secret(name) {
            SECRET.to_owned()
        } else {
            self.text(value)
        }
    }

    /// Query parameters as they go on the wire.
    pub fn query(&mut self, pairs: &[(String, String)]) -> String {
        let clean: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| (name.clone(), self.header(name, value)))
            .collect();
        encode_query(&clean)
    }

    /// A body: JSON by its fields, a form by its parameters, anything else by patterns.
    pub fn body(&mut self, body: &str) -> String {
        if let Ok(mut value) = serde_json::from_str::<Value>(body)
            && (value.is_object() || value.is_array())
        {
            self.value("", &mut value);
            return value.to_string();
        }
        let form = !body.contains(char::is_whitespace) && !body.contains('<');
        if form && body.contains('=') {
            let clean: Vec<String> = body
                .split('&')
                .map(|pair| match pair.split_once('=') {
                    Some((name, value)) => format!("{name}={}", self.header(name, value)),
                    None => self.text(pair),
                })
                .collect();
            return clean.join("&");
        }
        self.text(body)
    }

    fn value(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::Object(object) => {
                // WooCommerce and others keep fields as {"key": …, "value": …}.
                let key = object.get("key").and_then(Value::as_str).map(str::to_owned);
                for (name, inner) in object.iter_mut() {
                    match &key {
                        Some(key) if name == "value" => self.value(key, inner),
                        Some(_) if name == "key" => {}
                        _ => self.value(name, inner),
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(field, item)),
            Value::String(text) if text.is_empty() => {}
            Value::String(text) if is_secret(field) => SECRET.clone_into(text),
            Value::String(text) => {
                let clean = self.text(text);
                *text = if clean == *text && is_personal(field) {
                    self.placeholder(field, text)
                } else {
                    clean
                };
            }
            Value::Number(number) if is_secret(field) || is_personal(field) => {
                *number = 0.into();
            }
            _ => {}
        }
    }

    /// Free text: known secrets, e-mail addresses and telephone numbers.
    pub fn text(&mut self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            clean = clean.replace(secret.expose(), SECRET);
            clean = clean.replace(&encode(secret.expose()), SECRET);
        }
        for found in emails(&clean) {
            let placeholder = self.placeholder("email", &found);
            clean = clean.replace(&found, &placeholder);
        }
        for found in phones(&clean) {
            clean = clean.replace(&found, "+33 1 99 00 00 00");
        }
        clean
    }

    fn placeholder(&mut self, field: &str, text: &str) -> String {
        let number = self.known.len() + 1;
        self.known
            .entry(text.to_lowercase())
            .or_insert_with(|| match plain(field).as_str() {
                "email" | "login" | "username" => format!("person{number}@example.test"),
                "phone" | "mobile" | "fax" => "+33 1 99 00 00 00".to_owned(),
                name => format!("{name} {number}"),
            })
            .clone()
    }
}

fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn is_secret(name: &str) -> bool {
    let name = plain(name);
    name == "key" || SECRET_PARTS.iter().any(|part| name.contains(part))
}

fn is_personal(name: &str) -> bool {
    // `_billing_phone`, `shipping_city` and their like.
    let name = plain(name);
    let name = name
        .strip_prefix("billing")
        .or(name.strip_prefix("shipping"))
        .unwrap_or(&name);
    PERSONAL.contains(&name)
}

/// E-mail addresses in a text, `%40` for `@` included.
fn emails(text: &str) -> Vec<String> {
    let local = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-');
    let mut found = Vec::new();
    for mark in ["@", "%40"] {
        for (at, _) in text.match_indices(mark) {
            let before = &text[..at];
            let start = before.rfind(|c| !local(c)).map_or(0, |index| {
                index + before[index..].chars().next().map_or(1, char::len_utf8)
            });
            let after = &text[at + mark.len()..];
            let length = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
                .unwrap_or(after.len());
            let domain = after[..length].trim_end_matches('.');
            let reserved = domain == "example.test";
            if start < at && domain.contains('.') && !reserved {
                found.push(text[start..at + mark.len() + domain.len()].to_owned());
            }
        }
    }
    found
}

/// International telephone numbers (`+33 1 …`) in a text: a plus and at least eight digits.
fn phones(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in text.match_indices('+') {
        let rest = &text[start + 1..];
        let length = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')')))
            .unwrap_or(rest.len());
        let number = rest[..length].trim_end_matches(|c: char| !c.is_ascii_digit());
        if number.chars().filter(char::is_ascii_digit).count() >= 8 {
            found.push(text[start..start + 1 + number.len()].to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_who_a_person_is_goes_and_the_rest_stays() {
        let mut redactor = Redactor::default();
        let body = r#"{"id":42,"total":"12.50","order_key":"wc_1","billing":{"first_name":"Ann","email":"ann@shop.example","phone":"0199001234"},"note":"call ann@shop.example or +44 20 7946 0999","meta_data":[{"key":"_billing_phone","value":"0199001234"},{"key":"colour","value":"red"}],"customer_email":"ANN@shop.example"}"#;
        let clean = redactor.body(body);
        for gone in ["Ann", "ann@", "ANN@", "0199001234", "7946", "wc_1"] {
            assert!(!clean.contains(gone), "{gone} in {clean}");
        }
        for kept in ["\"id\":42", "\"12.50\"", "colour", "red"] {
            assert!(clean.contains(kept), "{kept} not in {clean}");
        }
        let again = redactor.text("ann@shop.example");
        assert_eq!(clean.matches(&again).count(), 3, "{clean}");
    }

    #[test]
    fn secrets_go_wherever_they_stand() {
        let mut redactor = Redactor::new(vec![Secret::new("cs_live/1")]);
        assert_eq!(
            redactor.text("key cs_live/1 and cs_live%2F1"),
            "key SECRET_TAPE and SECRET_TAPE"
        );
        let query = [
            ("consumer_secret".to_owned(), "x".to_owned()),
            ("page".to_owned(), "2".to_owned()),
        ];
        assert_eq!(redactor.query(&query), "consumer_secret=SECRET_TAPE&page=2");
        assert_eq!(redactor.header("Set-Cookie", "sid=1"), SECRET);
        assert_eq!(
            redactor.body("login=ann%40shop.example&password=p"),
            "login=person1@example.test&password=SECRET_TAPE"
        );
    }
}
