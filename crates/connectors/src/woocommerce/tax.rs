//! Keys of taxes.

use super::wire::{TaxLineWire, TaxWire};
use comptoir_model::Decimal;
use comptoir_model::order::{LineTax, TaxLine};
use std::collections::HashMap;

/// The key that look-up tables of taxes read: the shop's own rate code (`FR-TVA 20-1`), with the rate behind it when the code does not tell
/// it (`CA-QC-TPS-1 5%`). Shops often name several rates alike; the code alone would then mean two taxes, and one rate changed by the
/// merchant would go unnoticed.
pub(super) fn code(rate_code: &str, percent: Option<Decimal>) -> String {
    let Some(percent) = percent.map(|percent| percent.normalize()) else {
        return rate_code.to_owned();
    };
    // The last part is the priority, which must not be taken for the rate.
    let name = rate_code
        .rsplit_once('-')
        .map_or(rate_code, |(name, _)| name);
    let digits = |c: char| !(c.is_ascii_digit() || matches!(c, '.' | ','));
    let told = name.split(digits).any(|part| {
        let part = part.replace(',', ".");
        part.parse::<Decimal>().is_ok_and(|rate| rate == percent)
    });
    if told {
        rate_code.to_owned()
    } else {
        format!("{rate_code} {percent}%").trim_start().to_owned()
    }
}

/// The rate code as the shop makes it of a rate: country, state, name and priority in capitals.
pub(super) fn rate_code(country: &str, state: &str, name: &str, priority: i64) -> String {
    let name = if name.is_empty() { "TAX" } else { name };
    let priority = priority.unsigned_abs();
    let last = if priority == 0 {
        String::new()
    } else {
        priority.to_string()
    };
    [country, state, name, &last]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("-")
        .to_ascii_uppercase()
}

/// Keys by the id of the rate, within one order.
pub(super) struct Codes(HashMap<String, String>);

impl Codes {
    /// The keys of an order's tax lines.
    pub(super) fn of(lines: &[TaxLineWire]) -> Self {
        let codes = lines.iter().map(|line| {
            (
                line.rate_id.clone(),
                code(&line.rate_code, line.rate_percent),
            )
        });
        Codes(codes.collect())
    }

    /// The taxes of one line. A rate that was not applied is none; one that no tax line explains keeps its id.
    pub(super) fn taxes(&self, taxes: &[TaxWire]) -> Vec<LineTax> {
        let mut found: Vec<LineTax> = Vec::new();
        for tax in taxes {
            let Some(amount) = tax.total else { continue };
            let code = match self.0.get(&tax.id) {
                Some(code) => code.clone(),
                None if amount.is_zero() => continue,
                None => format!("rate:{}", tax.id),
            };
            match found.iter_mut().find(|known| known.code == code) {
                Some(known) => known.amount = (known.amount + amount).normalize(),
                None => found.push(LineTax {
                    code,
                    amount: amount.normalize(),
                }),
            }
        }
        found
    }
}

/// The tax lines of an order, one per key.
pub(super) fn lines(lines: &[TaxLineWire]) -> Vec<TaxLine> {
    let mut found: Vec<TaxLine> = Vec::new();
    for line in lines {
        let code = code(&line.rate_code, line.rate_percent);
        match found.iter_mut().find(|known| known.code == code) {
            Some(known) => {
                known.amount = (known.amount + line.tax_total).normalize();
                known.shipping = (known.shipping + line.shipping_tax_total).normalize();
                known.compound |= line.compound;
            }
            None => found.push(TaxLine {
                code,
                title: line.label.clone(),
                rate: line.rate_percent.map(|rate| rate.normalize()),
                compound: line.compound,
                amount: line.tax_total.normalize(),
                shipping: line.shipping_tax_total.normalize(),
                channel_liable: false,
            }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(rate_code: &str, percent: &str) -> String {
        code(rate_code, Some(percent.parse().unwrap()))
    }

    #[test]
    fn a_code_that_tells_its_rate_stands_alone() {
        assert_eq!(with("FR-TVA 20-1", "20"), "FR-TVA 20-1");
        assert_eq!(with("FR-TVA 5.5-1", "5.5000"), "FR-TVA 5.5-1");
        assert_eq!(with("FR-TVA 5,5 %-1", "5.5"), "FR-TVA 5,5 %-1");
        assert_eq!(code("FR-TVA-1", None), "FR-TVA-1");
    }

    #[test]
    fn rates_named_alike_do_not_share_a_key() {
        assert_eq!(with("FR-TVA-1", "20"), "FR-TVA-1 20%");
        assert_eq!(with("FR-TVA-1", "5.5"), "FR-TVA-1 5.5%");
        // The priority is no rate.
        assert_eq!(with("US-CA-TAX-1", "1"), "US-CA-TAX-1 1%");
    }

    #[test]
    fn a_rate_code_is_made_as_the_shop_makes_it() {
        assert_eq!(rate_code("DE", "", "MwSt 19", 1), "DE-MWST 19-1");
        assert_eq!(rate_code("CA", "QC", "TVQ", 2), "CA-QC-TVQ-2");
        assert_eq!(rate_code("", "", "", 1), "TAX-1");
    }
}
