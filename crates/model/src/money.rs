//! Currencies, rounding and splitting. Amounts are [`Decimal`]; a currency knows how many decimals it has (ISO 4217).

use rust_decimal::{Decimal, RoundingStrategy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Currency([u8; 3]);

/// Why a text is no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ISO 4217 currency code (three capital letters)")]
pub struct BadCurrency(pub String);

impl Currency {
    /// The code, such as `EUR`.
    pub fn code(&self) -> &str {
        // The constructor admits ASCII capitals only.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Decimals of the minor unit: 2 for most, 0 for JPY, 3 for KWD (ISO 4217, list one).
    pub fn exponent(&self) -> u32 {
        match self.code() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF"
            | "UGX" | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            "CLF" | "UYW" => 4,
            _ => 2,
        }
    }

    /// One minor unit: 0.01 for EUR, 1 for JPY, 0.001 for KWD.
    pub fn minor_unit(&self) -> Decimal {
        Decimal::new(1, self.exponent())
    }

    /// `amount` rounded half away from zero to this currency's decimals.
    pub fn round(&self, amount: Decimal) -> Decimal {
        RoundingMode::HalfUp.round(amount, self.exponent())
    }
}

impl FromStr for Currency {
    type Err = BadCurrency;
    fn from_str(text: &str) -> Result<Self, BadCurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Currency(code)),
            _ => Err(BadCurrency(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = BadCurrency;
    fn try_from(text: String) -> Result<Self, BadCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// How half a unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Default)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// Half away from zero: 0.125 becomes 0.13 (Odoo).
    #[default]
    HalfUp,
    /// Half towards zero: 0.125 becomes 0.12 (WooCommerce when prices include tax).
    HalfDown,
    /// Half to the even neighbour.
    HalfEven,
    /// Half to the odd neighbour (a mode of PrestaShop).
    HalfOdd,
    /// Always away from zero.
    Up,
    /// Always towards zero.
    Down,
}

impl RoundingMode {
    /// `amount` with `decimals` decimals.
    pub fn round(self, amount: Decimal, decimals: u32) -> Decimal {
        let strategy = match self {
            RoundingMode::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            RoundingMode::HalfDown => RoundingStrategy::MidpointTowardZero,
            RoundingMode::HalfEven => RoundingStrategy::MidpointNearestEven,
            RoundingMode::HalfOdd => return half_odd(amount, decimals),
            RoundingMode::Up => RoundingStrategy::AwayFromZero,
            RoundingMode::Down => RoundingStrategy::ToZero,
        };
        amount.round_dp_with_strategy(decimals, strategy)
    }

    /// `amount` as a whole number of `step`s; itself where the step is zero.
    pub fn to_step(self, amount: Decimal, step: Decimal) -> Decimal {
        match amount.checked_div(step) {
            Some(steps) => self.round(steps, 0) * step,
            None => amount,
        }
    }
}

fn half_odd(amount: Decimal, decimals: u32) -> Decimal {
    let down = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointTowardZero);
    let up = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    let even = amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
    // The two differ at a half only, and one of them is even.
    if even == down { up } else { down }
}

/// Splits `total` over `weights` in steps of `unit`: proportional, exact in sum, the remainder to the largest fractions
/// (first come on a tie). Zero weights get nothing; if all are zero the split is even. `total` must be a multiple of `unit`;
/// what is not goes to the first share that gets anything. An empty `weights` answers an empty list.
pub fn allocate(total: Decimal, weights: &[Decimal], unit: Decimal) -> Vec<Decimal> {
    if weights.is_empty() {
        return Vec::new();
    }
    let absolute: Vec<Decimal> = weights.iter().map(Decimal::abs).collect();
    let sum: Decimal = absolute.iter().sum();
    let even = vec![Decimal::ONE; weights.len()];
    let (weights, sum) = if sum.is_zero() {
        (&even, Decimal::from(weights.len()))
    } else {
        (&absolute, sum)
    };
    let units = total / unit;
    let ideal: Vec<Decimal> = weights.iter().map(|weight| units * weight / sum).collect();
    let mut shares: Vec<Decimal> = ideal.iter().map(Decimal::trunc).collect();
    let step = if units.is_sign_negative() {
        Decimal::NEGATIVE_ONE
    } else {
        Decimal::ONE
    };
    let missing = units - shares.iter().sum::<Decimal>();
    let mut order: Vec<usize> = (0..weights.len())
        .filter(|&i| !weights[i].is_zero())
        .collect();
    order.sort_by(|&a, &b| {
        (ideal[b] - shares[b])
            .abs()
            .cmp(&(ideal[a] - shares[a]).abs())
            .then(a.cmp(&b))
    });
    let mut whole = missing.trunc().abs();
    for &i in order.iter().cycle() {
        if whole.is_zero() {
            break;
        }
        shares[i] += step;
        whole -= Decimal::ONE;
    }
    if let Some(&first) = order.first() {
        shares[first] += missing.fract();
    }
    shares.iter().map(|share| share * unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn currencies_know_their_decimals() {
        for (code, unit) in [
            ("EUR", "0.01"),
            ("JPY", "1"),
            ("KWD", "0.001"),
            ("CLF", "0.0001"),
        ] {
            assert_eq!(code.parse::<Currency>().unwrap().minor_unit(), dec(unit));
        }
        assert!("eur".parse::<Currency>().is_err());
        assert!("EURO".parse::<Currency>().is_err());
    }

    #[test]
    fn halves_follow_the_mode() {
        assert_eq!(RoundingMode::HalfUp.round(dec("2.995"), 2), dec("3.00"));
        assert_eq!(RoundingMode::HalfDown.round(dec("2.995"), 2), dec("2.99"));
        assert_eq!(RoundingMode::HalfEven.round(dec("2.985"), 2), dec("2.98"));
        assert_eq!(RoundingMode::HalfUp.round(dec("-0.125"), 2), dec("-0.13"));
        assert_eq!(RoundingMode::HalfOdd.round(dec("2.985"), 2), dec("2.99"));
        assert_eq!(RoundingMode::HalfOdd.round(dec("2.975"), 2), dec("2.97"));
        assert_eq!(RoundingMode::HalfOdd.round(dec("2.976"), 2), dec("2.98"));
        assert_eq!(RoundingMode::Up.round(dec("-2.971"), 2), dec("-2.98"));
        assert_eq!(RoundingMode::Down.round(dec("2.979"), 2), dec("2.97"));
        let cash = RoundingMode::HalfUp.to_step(dec("7.43"), dec("0.05"));
        assert_eq!(cash, dec("7.45"));
        assert_eq!(
            RoundingMode::HalfUp.to_step(dec("7.43"), dec("0")),
            dec("7.43")
        );
    }

    #[test]
    fn the_remainder_goes_to_the_largest_fractions() {
        let shares = allocate(dec("5.00"), &[dec("10"), dec("10"), dec("10")], dec("0.01"));
        assert_eq!(shares, [dec("1.67"), dec("1.67"), dec("1.66")]);
        assert_eq!(
            allocate(dec("1"), &[dec("0"), dec("0")], dec("0.5")),
            [dec("0.5"), dec("0.5")]
        );
        assert_eq!(
            allocate(dec("3"), &[dec("0"), dec("7")], dec("1")),
            [dec("0"), dec("3")]
        );
    }

    proptest! {
        #[test]
        fn a_split_is_exact_and_within_one_unit_of_the_ideal(
            total in -1_000_000i64..1_000_000,
            weights in prop::collection::vec(0u32..10_000, 1..12),
        ) {
            let total = Decimal::new(total, 2);
            let weights: Vec<Decimal> = weights.into_iter().map(Decimal::from).collect();
            let shares = allocate(total, &weights, dec("0.01"));
            prop_assert_eq!(shares.iter().sum::<Decimal>(), total);
            let sum: Decimal = weights.iter().sum();
            for (share, weight) in shares.iter().zip(&weights) {
                if !sum.is_zero() {
                    prop_assert!((share - total * weight / sum).abs() <= dec("0.01"));
                }
                if weight.is_zero() && !sum.is_zero() {
                    prop_assert!(share.is_zero());
                }
            }
        }

        #[test]
        fn a_split_of_the_opposite_is_the_opposite(
            total in 0i64..1_000_000,
            weights in prop::collection::vec(0u32..10_000, 1..12),
        ) {
            let weights: Vec<Decimal> = weights.into_iter().map(Decimal::from).collect();
            let plus = allocate(Decimal::new(total, 2), &weights, dec("0.01"));
            let minus = allocate(Decimal::new(-total, 2), &weights, dec("0.01"));
            for (a, b) in plus.iter().zip(&minus) {
                prop_assert_eq!(*a, -*b);
            }
        }
    }
}
