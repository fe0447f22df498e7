//! What tells who a person is, or opens a door, by its form alone, wherever it stands.

use super::Replaced;
use super::field::is_secret;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// Beginnings of keys and tokens of vendors.
const KEY_HEADS: &[&str] = &[
    "wc_order_",
    "ck_",
    "cs_",
    "sk_live_",
    "sk_test_",
    "pk_live_",
    "pk_test_",
    "rk_live_",
    "whsec_",
    "shpat_",
    "shpss_",
    "xoxb-",
    "ghp_",
];

/// So long a run of letters and digits is no word and no number.
const LONG: usize = 32;

/// Everything found in a text, in order and without overlaps. `numbers` says whether telephone numbers, cards and addresses of machines
/// are looked for too.
pub(super) fn found(text: &str, numbers: bool) -> Vec<(Replaced, Range<usize>)> {
    let mut found = Vec::new();
    parameters(text, &mut found);
    emails(text, &mut found);
    for token in tokens(text) {
        if is_key(&text[token.clone()]) {
            found.push((Replaced::Secret, token));
        } else if is_iban(&text[token.clone()]) {
            found.push((Replaced::Identifier, token));
        }
    }
    if numbers {
        phones(text, &mut found);
        machines(text, &mut found);
    }
    found.sort_by_key(|(_, place)| (place.start, std::cmp::Reverse(place.end)));
    let mut end = 0;
    found.retain(|(_, place)| {
        let free = place.start >= end;
        end = if free { place.end } else { end };
        free
    });
    found
}

/// Values of secret parameters in addresses (`…?key=…&`), the password of an address, and what follows `Bearer` and `Basic`.
fn parameters(text: &str, found: &mut Vec<(Replaced, Range<usize>)>) {
    let name = |c: char| c.is_ascii_alphanumeric() || "_-[]".contains(c);
    for (at, _) in text.match_indices('=') {
        let start = text[..at].rfind(|c| !name(c)).map_or(0, |index| index + 1);
        let begins = start > 0 && matches!(text.as_bytes()[start - 1], b'?' | b'&' | b';');
        let value = run(text, at + 1, |c| {
            !c.is_whitespace() && !"&\"'<>;#".contains(c)
        });
        if begins && !value.is_empty() && is_secret(&text[start..at]) {
            found.push((Replaced::Secret, value));
        }
    }
    for (at, _) in text.match_indices("://") {
        let host = run(text, at + 3, |c| {
            !c.is_whitespace() && !"/?#\"'<>".contains(c)
        });
        if let Some(end) = text[host.clone()].rfind('@') {
            found.push((Replaced::Secret, host.start..host.start + end));
        }
    }
    for head in ["Bearer ", "Basic "] {
        for (at, _) in text.match_indices(head) {
            let token = run(text, at + head.len(), |c| {
                c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
            });
            if token.len() >= 8
                && text[token.clone()].contains(|c: char| c.is_ascii_digit() || c == '=')
            {
                found.push((Replaced::Secret, token));
            }
        }
    }
}

/// The place from `start` as long as characters fit.
fn run(text: &str, start: usize, fits: impl Fn(char) -> bool) -> Range<usize> {
    let rest = &text[start..];
    let length = rest.find(|c| !fits(c)).unwrap_or(rest.len());
    start..start + length
}

/// Runs of ASCII letters, digits and `_`.
fn tokens(text: &str) -> Vec<Range<usize>> {
    runs(text, |c| c.is_ascii_alphanumeric() || c == '_')
}

fn runs(text: &str, fits: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(&fits) {
        let place = run(text, at + start, &fits);
        at = place.end;
        runs.push(place);
    }
    runs
}

/// E-mail addresses, `%40` for `@` included.
fn emails(text: &str, found: &mut Vec<(Replaced, Range<usize>)>) {
    let local = |c: char| c.is_alphanumeric() || "._+-'".contains(c);
    for mark in ["@", "%40"] {
        for (at, _) in text.match_indices(mark) {
            let before = text[..at]
                .char_indices()
                .rev()
                .take_while(|(_, c)| local(*c));
            let start = before.last().map_or(at, |(index, _)| index);
            let domain = run(text, at + mark.len(), |c| {
                c.is_alphanumeric() || ".-".contains(c)
            });
            let domain = domain.start
                ..domain.start + text[domain.clone()].trim_end_matches(['.', '-']).len();
            let ours =
                text[start..at].starts_with("person") && &text[domain.clone()] == "example.test";
            if start < at && text[domain.clone()].contains('.') && !ours {
                found.push((Replaced::Email, start..domain.end));
            }
        }
    }
}

/// International telephone numbers (`+33 1 …`, eight to fifteen digits), and those of ten digits that begin with a zero.
fn phones(text: &str, found: &mut Vec<(Replaced, Range<usize>)>) {
    let digits = |place: &Range<usize>| {
        text[place.clone()]
            .chars()
            .filter(char::is_ascii_digit)
            .count()
    };
    let trimmed = |place: Range<usize>| {
        let inner = text[place.clone()].trim_end_matches(|c: char| !c.is_ascii_digit());
        place.start..place.start + inner.len()
    };
    for (start, _) in text.match_indices('+') {
        let place = trimmed(
            start..run(text, start + 1, |c| {
                c.is_ascii_digit() || " -.()\u{a0}".contains(c)
            })
            .end,
        );
        if (8..=15).contains(&digits(&place)) {
            found.push((Replaced::Phone, place));
        }
    }
    for place in runs(text, |c| c.is_ascii_digit() || " -.".contains(c)) {
        let lead = text[place.clone()]
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(0);
        let place = trimmed(place.start + lead..place.end);
        let alone = text[..place.start]
            .chars()
            .next_back()
            .is_none_or(|c| !c.is_alphanumeric() && c != '+')
            && text[place.end..]
                .chars()
                .next()
                .is_none_or(|c| !c.is_alphanumeric());
        let number = &text[place.clone()];
        let zero =
            number.starts_with('0') && number[1..].starts_with(|c: char| ('1'..='9').contains(&c));
        if alone && zero && digits(&place) == 10 {
            found.push((Replaced::Phone, place));
        } else if alone && (15..=16).contains(&digits(&place)) && is_card(number) {
            found.push((Replaced::Secret, place));
        }
    }
}

/// Addresses of machines, but those that every machine has.
fn machines(text: &str, found: &mut Vec<(Replaced, Range<usize>)>) {
    for place in runs(text, |c| c.is_ascii_hexdigit() || c == '.' || c == ':') {
        let inner = text[place.clone()].trim_end_matches('.');
        // A port may follow.
        let four = inner.split(':').next().unwrap_or_default();
        let alone = |end: usize| {
            let before = text[..place.start].chars().next_back();
            let after = text[end..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric())
                && after.is_none_or(|c| !c.is_alphanumeric())
        };
        let ours = |ip: Ipv4Addr| {
            ip.is_loopback() || ip.is_unspecified() || ip.octets().starts_with(&[192, 0, 2])
        };
        if four.parse::<Ipv4Addr>().is_ok_and(|ip| !ours(ip)) && alone(place.start + four.len()) {
            found.push((Replaced::Network, place.start..place.start + four.len()));
        } else if inner.len() > 6
            && inner
                .parse::<Ipv6Addr>()
                .is_ok_and(|ip| ip.segments()[..2] != [0x2001, 0xdb8])
            && alone(place.start + inner.len())
        {
            found.push((Replaced::Network, place.start..place.start + inner.len()));
        }
    }
}

/// A key or token: a vendor's own form, or too long for anything else.
fn is_key(token: &str) -> bool {
    let headed = KEY_HEADS
        .iter()
        .any(|head| token.strip_prefix(head).is_some_and(|rest| rest.len() >= 8));
    let letters = token.chars().any(|c| c.is_ascii_alphabetic());
    let digits = token.chars().filter(char::is_ascii_digit).count();
    headed || (token.len() >= LONG && !token.contains('_') && letters && digits >= 4)
}

/// An IBAN, by its check digits.
fn is_iban(token: &str) -> bool {
    let form = (15..=34).contains(&token.len())
        && token
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && token[..2].chars().all(|c| c.is_ascii_uppercase())
        && token[2..4].chars().all(|c| c.is_ascii_digit());
    if !form {
        return false;
    }
    let turned = token[4..].chars().chain(token[..4].chars());
    let rest = turned
        .filter_map(|c| c.to_digit(36))
        .fold(0_u32, |rest, value| {
            (rest * if value > 9 { 100 } else { 10 } + value) % 97
        });
    rest == 1
}

/// A card's number, by its check digit.
fn is_card(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    ('3'..='6').contains(&number.chars().next().unwrap_or('0')) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<(Replaced, &str)> {
        let found = found(text, true);
        found
            .into_iter()
            .map(|(what, place)| (what, &text[place]))
            .collect()
    }

    #[test]
    fn each_form_is_found_and_nothing_around_it() {
        use Replaced::*;
        for (text, what, part) in [
            (
                "call ann.lee+x@shop.example.",
                Email,
                "ann.lee+x@shop.example",
            ),
            (
                "?email=ann%40shop.example&page=2",
                Email,
                "ann%40shop.example",
            ),
            ("or +44 20 7946 0999, please", Phone, "+44 20 7946 0999"),
            ("tel. 01 99 00 12 34 !", Phone, "01 99 00 12 34"),
            ("0199001234", Phone, "0199001234"),
            ("from 198.51.100.7:443", Network, "198.51.100.7"),
            ("from 2a02:8428:1::42", Network, "2a02:8428:1::42"),
            ("https://s.example/pay?order=1&key=wc_x&a=b", Secret, "wc_x"),
            ("https://me:pw@s.example/", Secret, "me:pw"),
            ("Bearer abc.DEF-123", Secret, "abc.DEF-123"),
            (
                "avatar/60b9823681a52a96f18f61dbe1234567?s=96",
                Secret,
                "60b9823681a52a96f18f61dbe1234567",
            ),
            ("wc_order_c9FG2xfKMDdvq", Secret, "wc_order_c9FG2xfKMDdvq"),
            (
                "FR7630006000011234567890189",
                Identifier,
                "FR7630006000011234567890189",
            ),
            ("4111 1111 1111 1111", Secret, "4111 1111 1111 1111"),
        ] {
            assert_eq!(all(text), [(what, part)], "{text}");
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "2026-11-22T04:30:25+01:00",
            "2026-11-22 04:30:25",
            "1795322411",
            "4006381333931",
            "0.0123456789",
            "1234.50",
            "/wp-json/wc/v3/orders?page=2&per_page=100",
            "woocommerce_rest_cannot_view_this_resource_1234",
            "localhost 127.0.0.1 and 192.0.2.9",
            "person7@example.test",
            "SKU-0199-0012-34A",
            "a @ b.example",
        ] {
            assert_eq!(all(text), [], "{text}");
        }
    }
}
