//! How a system rounds tax: a value, so that two systems can be compared and what lies between them be said.

use crate::money::{Currency, RoundingMode};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundAt {
    /// The tax of one unit; times the quantity.
    Unit,
    /// The tax of a line.
    #[default]
    Line,
    /// The tax of all lines of one rate together.
    RateGroup,
    /// Nothing: amounts keep every decimal.
    Nowhere,
}

/// Which amount is rounded where prices include tax; the other is what remains of the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoundTarget {
    /// The tax.
    #[default]
    Tax,
    /// The net amount.
    Net,
}

/// How a system rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Rounding {
    /// What is rounded.
    pub at: RoundAt,
    /// What becomes of halves.
    pub mode: RoundingMode,
    /// What becomes of them where prices include tax, if something else.
    pub included_mode: Option<RoundingMode>,
    /// Which amount is rounded where prices include tax.
    pub target: RoundTarget,
    /// The step, where it is not the minor unit of the currency (0.05 for cash in CHF).
    #[schemars(with = "Option<String>")]
    pub increment: Option<Decimal>,
}

impl Rounding {
    /// Half up, per line, in minor units: what most systems do until they are told otherwise.
    pub const PER_LINE: Rounding = Rounding {
        at: RoundAt::Line,
        mode: RoundingMode::HalfUp,
        included_mode: None,
        target: RoundTarget::Tax,
        increment: None,
    };

    /// The mode for prices with or without tax.
    pub fn mode(&self, prices_include_tax: bool) -> RoundingMode {
        match (prices_include_tax, self.included_mode) {
            (true, Some(mode)) => mode,
            _ => self.mode,
        }
    }

    /// The step in a currency.
    pub fn step(&self, currency: Currency) -> Decimal {
        let given = self.increment.filter(|step| !step.is_zero());
        given.unwrap_or_else(|| currency.minor_unit())
    }
}

/// What a connection's file says other than its connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RoundingSetting {
    /// What is rounded.
    pub at: Option<RoundAt>,
    /// What becomes of halves.
    pub mode: Option<RoundingMode>,
    /// The same where prices include tax.
    pub included_mode: Option<RoundingMode>,
    /// Which amount is rounded where prices include tax.
    pub target: Option<RoundTarget>,
    /// The step.
    #[schemars(with = "Option<String>")]
    pub increment: Option<Decimal>,
}

impl RoundingSetting {
    /// These settings over what a connector declares.
    pub fn over(&self, declared: Rounding) -> Rounding {
        Rounding {
            at: self.at.unwrap_or(declared.at),
            mode: self.mode.unwrap_or(declared.mode),
            included_mode: match (self.included_mode, self.mode) {
                (Some(mode), _) => Some(mode),
                // Whoever names a mode means it everywhere.
                (None, Some(_)) => None,
                (None, None) => declared.included_mode,
            },
            target: self.target.unwrap_or(declared.target),
            increment: self.increment.or(declared.increment),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_goes_over_what_is_declared() {
        let declared = Rounding {
            included_mode: Some(RoundingMode::HalfDown),
            ..Rounding::PER_LINE
        };
        assert_eq!(declared.mode(true), RoundingMode::HalfDown);
        assert_eq!(declared.mode(false), RoundingMode::HalfUp);
        let setting = RoundingSetting {
            at: Some(RoundAt::RateGroup),
            mode: Some(RoundingMode::HalfEven),
            ..RoundingSetting::default()
        };
        let both = setting.over(declared);
        assert_eq!(both.at, RoundAt::RateGroup);
        assert_eq!(both.mode(true), RoundingMode::HalfEven);
        assert_eq!(RoundingSetting::default().over(declared), declared);
    }
}
