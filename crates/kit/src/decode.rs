//! Tolerant decoding of what shops and ERPs really send: numbers as text, text as numbers, `[]` for an empty object, `false` for null.
//!
//! Use the functions with `#[serde(default, deserialize_with = "decode::decimal")]`. Decimals are read from the text of the JSON number
//! and are exact. The functions read raw JSON, so they do not work below `#[serde(flatten)]` and untagged enums.

use comptoir_model::Decimal;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::str::FromStr;

/// Reads JSON.
///
/// # Errors
/// A [`comptoir_model::fault::Next::Bug`] with the path as its field. No content is repeated: it may be personal data.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Fault> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    // Read again for the path: following it costs time that a good answer need not pay.
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
        Ok(value) => match deserializer.end() {
            Ok(()) => return Ok(value),
            Err(_) => return Err(Fault::bug("something follows the JSON")),
        },
        Err(error) => error,
    };
    let path = error.path().to_string();
    let why = reason(error.inner());
    if error.inner().is_data() {
        Err(Fault::bug(why).at(path))
    } else {
        Err(Fault::bug(format!("the answer is no JSON: {why}")))
    }
}

/// What a JSON error says, without the value that it would repeat.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = match text.rfind(" at line ") {
        Some(end) => &text[..end],
        None => &text,
    };
    let harmless = [
        "unknown field ",
        "missing field ",
        "duplicate field ",
        "expected ",
    ];
    if !error.is_data() || harmless.iter().any(|start| text.starts_with(start)) {
        return text.to_owned();
    }
    match text.rfind(", expected ") {
        Some(start) => text[start + 2..].to_owned(),
        None => "a value that does not fit".to_owned(),
    }
}

/// A scalar as it was written.
enum Scalar {
    Null,
    Bool(bool),
    /// The number's own text.
    Number(String),
    Text(String),
    /// An array or object.
    Other,
}

impl Scalar {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let mut text = Box::<str>::from(raw).into_string();
        Ok(match text.as_bytes().first() {
            Some(b'n') => Scalar::Null,
            Some(b't') => Scalar::Bool(true),
            Some(b'f') => Scalar::Bool(false),
            Some(b'"') if text.contains('\\') => {
                Scalar::Text(serde_json::from_str(&text).map_err(D::Error::custom)?)
            }
            // Between the quotes stands the text itself.
            Some(b'"') => {
                text.pop();
                text.remove(0);
                Scalar::Text(text)
            }
            Some(b'{' | b'[') => Scalar::Other,
            _ => Scalar::Number(text),
        })
    }
}

/// A decimal from a number's or a text's own digits, exponents included. Beyond 28 digits the last are rounded.
pub fn decimal_of(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    // `from_str` also takes `1_000`, which no system means.
    if text.contains('_') {
        return None;
    }
    Decimal::from_str(text).ok()
}

/// A decimal from a number or text; empty, null and `false` are none.
///
/// # Errors
/// Anything else.
pub fn decimal_option<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Decimal>, D::Error> {
    let wrong = || D::Error::custom("expected a decimal");
    match Scalar::read(deserializer)? {
        Scalar::Null | Scalar::Bool(false) => Ok(None),
        Scalar::Text(text) if text.trim().is_empty() => Ok(None),
        Scalar::Text(text) | Scalar::Number(text) => decimal_of(&text).map(Some).ok_or_else(wrong),
        Scalar::Bool(true) | Scalar::Other => Err(wrong()),
    }
}

/// Like [`decimal_option`], with zero for none.
///
/// # Errors
/// As [`decimal_option`].
pub fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Ok(decimal_option(deserializer)?.unwrap_or_default())
}

/// Text from text or a number's own digits; null and `false` are none, an empty text is one.
///
/// # Errors
/// Anything else.
pub fn text_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Scalar::read(deserializer)? {
        Scalar::Null | Scalar::Bool(false) => Ok(None),
        Scalar::Bool(true) => Ok(Some("true".to_owned())),
        Scalar::Text(text) | Scalar::Number(text) => Ok(Some(text)),
        Scalar::Other => Err(D::Error::custom("expected a text")),
    }
}

/// Like [`text_option`], with an empty text for none.
///
/// # Errors
/// As [`text_option`].
pub fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text_option(deserializer)?.unwrap_or_default())
}

/// An id from a number or text; null, `false`, 0 and empty are none.
///
/// # Errors
/// Anything else.
pub fn id_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RemoteId>, D::Error> {
    let text = text(deserializer)?;
    let text = text.trim();
    Ok(Some(text)
        .filter(|id| !id.is_empty() && *id != "0")
        .map(RemoteId::from))
}

/// An id from a number or text.
///
/// # Errors
/// Anything else, and what [`id_option`] takes for none.
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RemoteId, D::Error> {
    id_option(deserializer)?.ok_or_else(|| D::Error::custom("expected an id"))
}

/// A whole number from a number or text (`"3"`, `3.0`); empty, null and `false` are none.
///
/// # Errors
/// Anything else.
pub fn integer_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    match decimal_option(deserializer)? {
        None => Ok(None),
        Some(number) if number.is_integer() => i64::try_from(number)
            .map(Some)
            .map_err(|_| D::Error::custom("expected a smaller number")),
        Some(_) => Err(D::Error::custom("expected a whole number")),
    }
}

/// Like [`integer_option`], with zero for none.
///
/// # Errors
/// As [`integer_option`].
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(integer_option(deserializer)?.unwrap_or_default())
}

/// Yes or no from `true`, 1, `"1"`, `"yes"`, `"true"`, `"on"` and their opposites; null and empty are no.
///
/// # Errors
/// Anything else.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let word = match Scalar::read(deserializer)? {
        Scalar::Null => return Ok(false),
        Scalar::Bool(flag) => return Ok(flag),
        Scalar::Text(text) | Scalar::Number(text) => text.trim().to_ascii_lowercase(),
        Scalar::Other => return Err(D::Error::custom("expected yes or no")),
    };
    match word.as_str() {
        "1" | "yes" | "true" | "on" | "y" => Ok(true),
        "" | "0" | "no" | "false" | "off" | "n" => Ok(false),
        _ => Err(D::Error::custom("expected yes or no")),
    }
}

/// Whether a source says "nothing" so: null, `false`, `""` or a list without anything in it.
fn is_empty(json: &str) -> bool {
    let list = json
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    matches!(json, "null" | "false" | "\"\"") || list.is_some_and(|rest| rest.trim().is_empty())
}

/// A value, or its default where the source says null, `false`, `""` or `[]` for an empty one (PHP writes an empty object as `[]`).
///
/// # Errors
/// Those of the value itself.
pub fn or_default<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(or_none(deserializer)?.unwrap_or_default())
}

/// A value, or none where the source says null, `false`, `""` or `[]` (Odoo writes null as `false`).
///
/// A list or a flag keeps its own empty value: do not use it for those.
///
/// # Errors
/// Those of the value itself.
pub fn or_none<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if is_empty(raw.get()) {
        return Ok(None);
    }
    serde_json::from_str(raw.get())
        .map(Some)
        .map_err(|error| D::Error::custom(reason(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::code::Code;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Item {
        #[serde(deserialize_with = "decimal")]
        price: Decimal,
        #[serde(deserialize_with = "decimal_option")]
        rate: Option<Decimal>,
        #[serde(deserialize_with = "text")]
        sku: String,
        #[serde(deserialize_with = "id_option")]
        product: Option<RemoteId>,
        #[serde(deserialize_with = "integer")]
        quantity: i64,
        #[serde(deserialize_with = "flag")]
        virtual_: bool,
        #[serde(deserialize_with = "or_default")]
        meta: BTreeMap<String, String>,
        #[serde(deserialize_with = "or_none")]
        partner: Option<(i64, String)>,
    }

    fn item(text: &str) -> Item {
        json(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_decimal_is_exactly_what_was_written() {
        for written in [
            "8.541666666666666",
            "1234567.891",
            "0.1",
            "80.430000",
            "-0.005",
            "79228162514264337593543950335",
        ] {
            let number = item(&format!("{{\"price\": {written}}}")).price;
            assert_eq!(number.to_string(), written);
            let text = item(&format!("{{\"price\": \" {written} \"}}")).price;
            assert_eq!(text.to_string(), written);
        }
        assert_eq!(
            item("{\"price\": 1.5e-3}").price,
            Decimal::from_str("0.0015").unwrap()
        );
    }

    #[test]
    fn empty_null_and_false_are_none() {
        for nothing in ["null", "false", "\"\"", "\" \""] {
            let item = item(&format!("{{\"price\": {nothing}, \"rate\": {nothing}}}"));
            assert_eq!((item.price, item.rate), (Decimal::ZERO, None), "{nothing}");
        }
        for nothing in ["null", "false", "\"\"", "[ ]"] {
            let item = item(&format!("{{\"meta\": {nothing}, \"partner\": {nothing}}}"));
            assert_eq!((item.meta.len(), item.partner), (0, None), "{nothing}");
        }
        for nothing in ["null", "0", "\"0\"", "\"\"", "false"] {
            assert_eq!(item(&format!("{{\"product\": {nothing}}}")).product, None);
        }
    }

    #[test]
    fn numbers_and_texts_stand_for_each_other() {
        let item = item(
            r#"{"sku": 4006381333931, "product": "850", "quantity": "3", "virtual_": "yes",
                "meta": {"a": "b"}, "partner": [7, "x"]}"#,
        );
        assert_eq!(item.sku, "4006381333931");
        assert_eq!(item.product, Some("850".into()));
        assert_eq!((item.quantity, item.virtual_), (3, true));
        assert_eq!(item.partner, Some((7, "x".to_owned())));
    }

    #[test]
    fn what_does_not_fit_is_an_error_with_its_path_and_without_its_value() {
        for wrong in [
            r#"[{"price": "secret"}]"#,
            r#"[{"price": "1_000"}]"#,
            r#"[{"price": [1]}]"#,
            r#"[{"price": "1,5"}]"#,
        ] {
            let fault = json::<Vec<Item>>(wrong.as_bytes()).unwrap_err();
            assert_eq!(fault.code, Code::NotUnderstood);
            assert_eq!(fault.field.as_deref(), Some("[0].price"), "{wrong}");
            assert_eq!(fault.why, "expected a decimal");
        }
        let fault = json::<Vec<String>>(b"[{\"email\": \"guest@example.test\"}]").unwrap_err();
        assert!(!fault.to_string().contains("guest"), "{fault}");
        let fault = json::<Item>(b"<html>").unwrap_err();
        assert_eq!(fault.why, "the answer is no JSON: expected value");
    }

    #[test]
    fn the_functions_work_on_parsed_values_too() {
        let value: serde_json::Value =
            serde_json::from_str(r#"{"price": 12.5, "sku": 1}"#).unwrap();
        let item: Item = serde_json::from_value(value).unwrap();
        assert_eq!(
            (item.price.to_string(), item.sku.as_str()),
            ("12.5".to_owned(), "1")
        );
    }
}
