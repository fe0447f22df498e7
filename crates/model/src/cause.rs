//! Why a record waits or is held: a key, never free text, never personal data. Everything with one cause is resumed together.

use crate::code::Code;
use crate::key::{Kind, RemoteId};
use std::fmt;
use std::str::FromStr;

/// A cause. Its text form ([`fmt::Display`]) is what the store keeps and what `hold resume` takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// `row:TABLE:VALUE`: a look-up table has no row for a value.
    Row {
        /// The table, in the singular (`tax`, `payment`, `shipping`, `price_list`).
        table: String,
        /// The value without a row.
        value: String,
    },
    /// `match:product:SKU`: no product, or several, carry the SKU. `none` when the line has no SKU.
    Product(String),
    /// `match:customer:ID`: several customers fit, or none may be created.
    Customer(String),
    /// `setting:NAME`: a setting is missing without which this record cannot go on.
    Setting(String),
    /// `rule:CODE:FILE:LINE`: a rule found nothing, failed, or chose what the target does not have.
    Rule(Code, String),
    /// `flow:KIND`: a flow that would book this does not exist yet.
    Flow(Kind),
    /// `link:KIND:ID`: another record must be linked first.
    Link(Kind, RemoteId),
    /// `total:order`: the totals of both sides differ by more than the tolerance.
    Total,
    /// `equation:order`: the amounts of the source do not add up.
    Equation,
    /// `currency:order`: the target would book another currency.
    Currency,
    /// `edited:order`: a person changed the target, and the source changed too.
    Edited,
    /// `changed:order`: the source changed after the target was confirmed.
    Changed,
    /// `cancelled:source`: the source called off what the target works on.
    CancelledInSource,
    /// `cancelled:target`: the target called off what the source did not.
    CancelledInTarget,
    /// `gone:target`: a person deleted the record in the target.
    GoneInTarget,
    /// `unreadable:KIND`: the source's record cannot be decoded.
    Unreadable(Kind),
    /// `refused:CODE`: the target refused the data.
    Refused(Code),
    /// `unknown:CODE`: it may have been done and cannot be proved.
    Unknown(Code),
    /// `bug:CODE`: Comptoir or its connector does not understand what it sees.
    Bug(Code),
    /// `tries:CODE`: it failed several times while others passed.
    Tries(Code),
    /// `rounds:order`: it did not settle after eight writes.
    Rounds,
    /// `mode:shadow`: decided and shown, not written.
    Shadow,
    /// `mode:off`: the flow is switched off or was taken out of the configuration.
    Off,
    /// `quiet:FLOW`: the flow's quiet hours.
    Quiet(String),
    /// `paused:FLOW`: a person paused the flow.
    Paused(String),
    /// `cap:FLOW`: the flow's cap on changes is reached.
    Cap(String),
    /// `tracking:shipment`: the shop hears of a shipment once it can be followed.
    Tracking,
    /// `zeros:FLOW`: too many of a shop's items would go to zero at once.
    Zeros(String),
    /// `settle:CONNECTION`: a write may still be under way at the vendor's.
    Settle(String),
    /// `retry:CODE`: a passing fault; tried again soon.
    Retry(Code),
}

impl Cause {
    /// The page of the error docs that says what to do.
    pub fn code(&self) -> Option<Code> {
        Some(match self {
            Cause::Row { .. } => Code::MissingRow,
            Cause::Product(_) => Code::UnknownProduct,
            Cause::Customer(_) => Code::AmbiguousCustomer,
            Cause::Setting(name) if name.starts_with("placement.") => Code::NoPlacement,
            Cause::Setting(_) => Code::MissingSetting,
            Cause::Rule(code, _) => *code,
            Cause::Flow(_) => Code::RefundWaits,
            Cause::Total => Code::TotalDiffers,
            Cause::Equation => Code::EquationBroken,
            Cause::Currency => Code::CurrencyDiffers,
            Cause::Edited => Code::EditedInTarget,
            Cause::Changed => Code::ChangedAfterImport,
            Cause::CancelledInSource => Code::CancelledAfterImport,
            Cause::CancelledInTarget => Code::CancelledInTarget,
            Cause::GoneInTarget => Code::DeletedInTarget,
            Cause::Unreadable(_) => Code::Unreadable,
            Cause::Refused(code) | Cause::Bug(code) | Cause::Retry(code) => *code,
            Cause::Unknown(_) => Code::OutcomeUnknown,
            Cause::Tries(_) => Code::TriesExhausted,
            Cause::Rounds => Code::NeverSettles,
            Cause::Cap(_) => Code::CapReached,
            Cause::Zeros(_) => Code::TooManyZeros,
            Cause::Link(..)
            | Cause::Tracking
            | Cause::Shadow
            | Cause::Off
            | Cause::Quiet(_)
            | Cause::Paused(_)
            | Cause::Settle(_) => {
                return None;
            }
        })
    }

    /// A missing row.
    pub fn row(table: &str, value: &str) -> Self {
        Cause::Row {
            table: table.to_owned(),
            value: value.to_owned(),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Row { table, value } => write!(f, "row:{table}:{value}"),
            Cause::Product(sku) => write!(f, "match:product:{sku}"),
            Cause::Customer(id) => write!(f, "match:customer:{id}"),
            Cause::Setting(name) => write!(f, "setting:{name}"),
            Cause::Rule(code, place) => write!(f, "rule:{code}:{place}"),
            Cause::Flow(kind) => write!(f, "flow:{kind}"),
            Cause::Link(kind, id) => write!(f, "link:{kind}:{id}"),
            Cause::Total => f.write_str("total:order"),
            Cause::Equation => f.write_str("equation:order"),
            Cause::Currency => f.write_str("currency:order"),
            Cause::Edited => f.write_str("edited:order"),
            Cause::Changed => f.write_str("changed:order"),
            Cause::CancelledInSource => f.write_str("cancelled:source"),
            Cause::CancelledInTarget => f.write_str("cancelled:target"),
            Cause::GoneInTarget => f.write_str("gone:target"),
            Cause::Unreadable(kind) => write!(f, "unreadable:{kind}"),
            Cause::Refused(code) => write!(f, "refused:{code}"),
            Cause::Unknown(code) => write!(f, "unknown:{code}"),
            Cause::Bug(code) => write!(f, "bug:{code}"),
            Cause::Tries(code) => write!(f, "tries:{code}"),
            Cause::Rounds => f.write_str("rounds:order"),
            Cause::Shadow => f.write_str("mode:shadow"),
            Cause::Off => f.write_str("mode:off"),
            Cause::Quiet(flow) => write!(f, "quiet:{flow}"),
            Cause::Paused(flow) => write!(f, "paused:{flow}"),
            Cause::Cap(flow) => write!(f, "cap:{flow}"),
            Cause::Tracking => f.write_str("tracking:shipment"),
            Cause::Zeros(flow) => write!(f, "zeros:{flow}"),
            Cause::Settle(connection) => write!(f, "settle:{connection}"),
            Cause::Retry(code) => write!(f, "retry:{code}"),
        }
    }
}

/// Why a text is no cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no cause; `comptoir hold list` shows those that exist")]
pub struct BadCause(pub String);

impl FromStr for Cause {
    type Err = BadCause;

    fn from_str(text: &str) -> Result<Self, BadCause> {
        let bad = || BadCause(text.to_owned());
        let (head, rest) = text.split_once(':').ok_or_else(bad)?;
        let code = || Code::parse(rest).ok_or_else(bad);
        let kind = |word: &str| word.parse::<Kind>().map_err(|_| bad());
        Ok(match (head, rest) {
            ("row", rest) => {
                let (table, value) = rest.split_once(':').ok_or_else(bad)?;
                Cause::row(table, value)
            }
            ("match", rest) => match rest.split_once(':').ok_or_else(bad)? {
                ("product", sku) => Cause::Product(sku.to_owned()),
                ("customer", id) => Cause::Customer(id.to_owned()),
                _ => return Err(bad()),
            },
            ("setting", name) => Cause::Setting(name.to_owned()),
            ("rule", rest) => {
                let (code, place) = rest.split_once(':').ok_or_else(bad)?;
                Cause::Rule(Code::parse(code).ok_or_else(bad)?, place.to_owned())
            }
            ("flow", word) => Cause::Flow(kind(word)?),
            ("link", rest) => {
                let (word, id) = rest.split_once(':').ok_or_else(bad)?;
                Cause::Link(kind(word)?, id.into())
            }
            ("total", "order") => Cause::Total,
            ("equation", "order") => Cause::Equation,
            ("currency", "order") => Cause::Currency,
            ("edited", "order") => Cause::Edited,
            ("changed", "order") => Cause::Changed,
            ("cancelled", "source") => Cause::CancelledInSource,
            ("cancelled", "target") => Cause::CancelledInTarget,
            ("gone", "target") => Cause::GoneInTarget,
            ("unreadable", word) => Cause::Unreadable(kind(word)?),
            ("refused", _) => Cause::Refused(code()?),
            ("unknown", _) => Cause::Unknown(code()?),
            ("bug", _) => Cause::Bug(code()?),
            ("tries", _) => Cause::Tries(code()?),
            ("rounds", "order") => Cause::Rounds,
            ("mode", "shadow") => Cause::Shadow,
            ("mode", "off") => Cause::Off,
            ("quiet", flow) => Cause::Quiet(flow.to_owned()),
            ("paused", flow) => Cause::Paused(flow.to_owned()),
            ("cap", flow) => Cause::Cap(flow.to_owned()),
            ("tracking", "shipment") => Cause::Tracking,
            ("zeros", flow) => Cause::Zeros(flow.to_owned()),
            ("settle", connection) => Cause::Settle(connection.to_owned()),
            ("retry", _) => Cause::Retry(code()?),
            _ => return Err(bad()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_read_back_from_its_key() {
        for cause in [
            Cause::row("tax", "FR-TVA 5.5"),
            Cause::row("payment", "a:b"),
            Cause::Product("SKU:1".into()),
            Cause::Customer("42".into()),
            Cause::Setting("fee_product".into()),
            Cause::Rule(Code::RuleMissing, "flows/orders.toml:12".into()),
            Cause::Flow(Kind::Refund),
            Cause::Link(Kind::Order, "1042".into()),
            Cause::Total,
            Cause::Equation,
            Cause::Currency,
            Cause::Edited,
            Cause::Changed,
            Cause::CancelledInSource,
            Cause::CancelledInTarget,
            Cause::GoneInTarget,
            Cause::Unreadable(Kind::Order),
            Cause::Refused(Code::UnknownField),
            Cause::Unknown(Code::TimedOut),
            Cause::Bug(Code::NotUnderstood),
            Cause::Tries(Code::Contention),
            Cause::Rounds,
            Cause::Shadow,
            Cause::Off,
            Cause::Quiet("orders".into()),
            Cause::Paused("orders".into()),
            Cause::Cap("orders".into()),
            Cause::Tracking,
            Cause::Zeros("stock".into()),
            Cause::Settle("erp".into()),
            Cause::Retry(Code::ServerError),
        ] {
            assert_eq!(cause.to_string().parse::<Cause>(), Ok(cause.clone()));
        }
        assert!("nonsense".parse::<Cause>().is_err());
    }
}
