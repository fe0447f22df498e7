//! Our keys as Odoo external ids (`ir.model.data`), there and back.
//!
//! Letters, digits and hyphens stay; `/` becomes `__`; any other byte becomes `_` and its two hexadecimal digits. So
//! `shop-fr/customer/42/address-0a1b` is `shop-fr__customer__42__address-0a1b`, a person can read it in Odoo, and no two keys meet.
//! A dot never occurs: Odoo reads what stands before one as the module.

use comptoir_model::key::WriteKey;
use comptoir_model::order::LineKind;

/// The name of a key below its module.
pub(super) fn name_of(key: &WriteKey) -> String {
    let mut name = String::with_capacity(key.as_str().len() + 8);
    for byte in key.as_str().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            b'/' => name.push_str("__"),
            other => name.push_str(&format!("_{other:02X}")),
        }
    }
    name
}

/// The key of a name; none for a name that is not ours.
pub(super) fn key_of(name: &str) -> Option<WriteKey> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'_' {
            bytes.push(byte);
            continue;
        }
        let first = rest.next()?;
        if first == b'_' {
            bytes.push(b'/');
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let value = digit(first)? * 16 + digit(rest.next()?)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    String::from_utf8(bytes).ok().map(WriteKey)
}

/// What a line of ours is, by the last part of its key.
pub(super) fn line_kind(key: &WriteKey) -> LineKind {
    let part = key.as_str().rsplit('/').next().unwrap_or_default();
    match part.split('-').next().unwrap_or_default() {
        "shipping" => LineKind::Shipping,
        "fee" => LineKind::Fee,
        "discount" => LineKind::Discount,
        "rounding" => LineKind::Rounding,
        _ => LineKind::Item,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_its_external_id() {
        for (key, name) in [
            ("shop-fr/order/1042", "shop-fr__order__1042"),
            (
                "shop-fr/customer/42/address-0a1b",
                "shop-fr__customer__42__address-0a1b",
            ),
            ("s/order/A_1.é", "s__order__A_5F1_2E_C3_A9"),
            ("s/order/_/x", "s__order___5F__x"),
        ] {
            let key = WriteKey(key.to_owned());
            assert_eq!(name_of(&key), name);
            assert_eq!(key_of(name), Some(key));
        }
        assert_eq!(key_of("partner_root"), None);
        assert_eq!(key_of("a_"), None);
    }

    #[test]
    fn a_line_is_known_by_its_part() {
        for (part, kind) in [
            ("line-7", LineKind::Item),
            ("shipping-3", LineKind::Shipping),
            ("rounding", LineKind::Rounding),
        ] {
            let key = WriteKey("s/order/1".to_owned()).part(part);
            assert_eq!(line_kind(&key), kind);
        }
    }
}
