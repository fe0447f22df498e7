//! Amounts as cards keep them, in millionths of their currency, and as people read them.

use comptoir_model::Decimal;
use comptoir_model::code::Language;
use comptoir_model::money::Currency;
use std::collections::BTreeMap;

/// An amount as a card keeps it. None when it is larger than anything that is charged.
pub fn millionths(amount: Decimal) -> Option<i64> {
    let scaled = amount.checked_mul(Decimal::from(1_000_000))?.round();
    i64::try_from(scaled.mantissa() / 10_i128.pow(scaled.scale())).ok()
}

/// `€1,284.30`, in French `1 284,30 €`.
pub fn money(language: Language, amount: i64, currency: &str) -> String {
    decimal(language, Decimal::new(amount, 6), currency)
}

/// The same for an exact amount.
pub fn decimal(language: Language, amount: Decimal, currency: &str) -> String {
    let Ok(known) = currency.parse::<Currency>() else {
        return amount.normalize().to_string();
    };
    let text = crate::words::money(language, amount, known);
    let symbol = match currency {
        "EUR" => "€",
        "GBP" => "£",
        "USD" => "$",
        _ => return text,
    };
    match language {
        Language::English => {
            let digits = text.trim_end_matches(currency).trim_end();
            match digits.strip_prefix('-') {
                Some(digits) => format!("−{symbol}{digits}"),
                None => format!("{symbol}{digits}"),
            }
        }
        Language::French => text.replace(currency, symbol).replacen('-', "−", 1),
    }
}

/// Sums by currency, as one text: `€12.00 + CHF 3.00`.
#[derive(Debug, Clone, Default)]
pub struct Sums(pub BTreeMap<String, i64>);

impl Sums {
    /// Adds an amount.
    pub fn add(&mut self, currency: &str, amount: i64) {
        if !currency.is_empty() {
            *self.0.entry(currency.to_owned()).or_default() += amount;
        }
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|amount| *amount == 0)
    }

    /// The text.
    pub fn text(&self, language: Language) -> String {
        let parts = self.0.iter().filter(|(_, amount)| **amount != 0);
        let texts: Vec<String> = parts
            .map(|(currency, amount)| money(language, *amount, currency))
            .collect();
        texts.join(" + ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_kept_to_the_millionth_and_read_as_people_write_it() {
        let amount: Decimal = "1284.30".parse().unwrap();
        assert_eq!(millionths(amount), Some(1_284_300_000));
        assert_eq!(millionths("-0.000001".parse().unwrap()), Some(-1));
        assert_eq!(millionths(Decimal::MAX), None);
        let money = |language| money(language, -1_284_300_000, "EUR");
        assert_eq!(money(Language::English), "−€1,284.30");
        assert_eq!(money(Language::French), "−1\u{202f}284,30\u{a0}€");
        assert_eq!(
            super::money(Language::English, 5_000_000, "CHF"),
            "5.00 CHF"
        );
    }
}
