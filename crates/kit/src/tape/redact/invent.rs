//! What stands for a value: placeholders.

use super::{ORIGIN, Replaced, SECRET, field};

/// What stands for a value: of the same form where a form is asked for, and plainly invented.
pub(super) fn invented(what: Replaced, name: &str, text: &str, number: usize) -> String {
    let field = field::plain(name);
    let is_code =
        field.contains("zip") || field.ends_with("postcode") || field.ends_with("postalcode");
    match what {
        Replaced::Secret => SECRET.to_owned(),
        Replaced::Email => format!("person{number}@example.test"),
        Replaced::Phone => {
            let (high, low) = (number / 100 % 100, number % 100);
            match text.chars().all(|c| c.is_ascii_digit()) {
                true => format!("019900{high:02}{low:02}"),
                false => format!("+33 1 99 00 {high:02} {low:02}"),
            }
        }
        Replaced::Network if text.parse::<std::net::Ipv6Addr>().is_ok() => {
            format!("2001:db8::{number:x}")
        }
        Replaced::Network if field.contains("agent") => format!("Invented agent {number}"),
        Replaced::Network => format!("192.0.2.{}", number % 254 + 1),
        Replaced::Address if is_code => shaped(text, 0, false),
        Replaced::Address if field.ends_with("city") || field.ends_with("town") => {
            format!("Invented town {number}")
        }
        Replaced::Address => format!("{number} Invented street"),
        Replaced::Identifier if text.contains("://") => format!("{ORIGIN}/invented/{number}"),
        Replaced::Identifier if field.contains("birth") => "1970-01-01".to_owned(),
        Replaced::Identifier => shaped(text, number, true),
        Replaced::Name => format!("Invented {number}"),
        Replaced::Text => format!("Invented note {number}"),
    }
}

/// The same signs around other digits and letters. Two capitals at the start of a number are a country, and stay.
fn shaped(text: &str, number: usize, country: bool) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let mut numbers = format!("{number:0digits$}").into_bytes();
    let excess = numbers.len() - digits;
    numbers.drain(..excess);
    let mut numbers = numbers.into_iter();
    text.char_indices()
        .map(|(at, c)| match c {
            c if c.is_ascii_digit() => numbers.next().map_or('0', char::from),
            c if country && at < 2 && c.is_ascii_uppercase() => c,
            c if c.is_alphabetic() => 'X',
            c => c,
        })
        .collect()
}

/// Whether a text is one of ours already.
pub(super) fn is_placeholder(text: &str) -> bool {
    text == SECRET
        || text.starts_with("Invented ")
        || text.contains(" Invented street")
        || (text.starts_with("person") && text.ends_with("@example.test"))
}

/// Whether a value is looked for in other fields too. A town says nobody's name, and a word that begins with a small letter is too often
/// the vendor's own.
pub(super) fn spreads(what: Replaced, name: &str, text: &str) -> bool {
    let text = text.trim();
    let letters = text.chars().count();
    let capital = text.starts_with(char::is_uppercase);
    let field = field::plain(name);
    match what {
        Replaced::Name => {
            letters >= 3 && capital && !field.ends_with("author") && !field.ends_with("login")
        }
        Replaced::Address => {
            letters >= 8 && text.contains(' ') && text.contains(|c: char| c.is_ascii_digit())
        }
        Replaced::Identifier => letters >= 8,
        Replaced::Phone => letters >= 8,
        _ => false,
    }
}
