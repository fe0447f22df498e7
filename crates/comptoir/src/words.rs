//! Words of the command line in English and French, and numbers as people write them there.

use comptoir_model::Decimal;
use comptoir_model::code::Language;
use comptoir_model::fault::Fault;
use comptoir_model::money::Currency;

/// The language of `LC_ALL`, `LC_MESSAGES` or `LANG`, in this order: French when it begins with `fr`, else English.
pub fn language(environment: impl Fn(&str) -> Option<String>) -> Language {
    let chosen = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(environment)
        .find(|value| !value.is_empty());
    match chosen {
        Some(value) if value.to_lowercase().starts_with("fr") => Language::French,
        _ => Language::English,
    }
}

/// One of two texts.
pub fn either<'a>(language: Language, english: &'a str, french: &'a str) -> &'a str {
    match language {
        Language::English => english,
        Language::French => french,
    }
}

/// A fault with its code. Connectors word it in English; in French the code's title stands before that.
pub fn fault(language: Language, fault: &Fault) -> String {
    match language {
        Language::English => fault.to_string(),
        Language::French => {
            let title = fault.code.title(language).trim_end_matches('.');
            let text = fault.to_string();
            let words = text.split_once(' ').map_or("", |(_, words)| words);
            format!("{} {title} : {words}", fault.code)
        }
    }
}

/// An amount with its currency: `1,284.30 EUR`, in French `1 284,30 EUR` with narrow no-break spaces. Decimals beyond those of the
/// currency are shown and not cut: whoever looks for a difference would be told that there is none.
pub fn money(language: Language, amount: Decimal, currency: Currency) -> String {
    let amount = amount.normalize();
    let decimals = amount.scale().max(currency.exponent());
    let text = format!("{amount:.*}", decimals as usize);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (group, point) = match language {
        Language::English => (",", "."),
        Language::French => ("\u{202f}", ","),
    };
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push_str(group);
        }
        grouped.push(digit);
    }
    let fraction = if fraction.is_empty() {
        String::new()
    } else {
        format!("{point}{fraction}")
    };
    let space = match language {
        Language::English => ' ',
        Language::French => '\u{a0}',
    };
    format!("{sign}{grouped}{fraction}{space}{currency}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_environment() {
        let of = |pairs: &'static [(&str, &str)]| {
            language(|name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            })
        };
        assert_eq!(of(&[("LANG", "fr_FR.UTF-8")]), Language::French);
        assert_eq!(of(&[("LANG", "fr_FR"), ("LC_ALL", "C")]), Language::English);
        assert_eq!(of(&[]), Language::English);
    }

    #[test]
    fn money_is_written_as_people_write_it() {
        let euro: Currency = "EUR".parse().unwrap();
        let yen: Currency = "JPY".parse().unwrap();
        let amount: Decimal = "-1284.3".parse().unwrap();
        assert_eq!(money(Language::English, amount, euro), "-1,284.30 EUR");
        assert_eq!(
            money(Language::French, amount, euro),
            "-1\u{202f}284,30\u{a0}EUR"
        );
        assert_eq!(money(Language::English, Decimal::from(100), yen), "100 JPY");
        let amount: Decimal = "1508.280".parse().unwrap();
        assert_eq!(money(Language::English, amount, yen), "1,508.28 JPY");
    }
}
