//! The dates of shops and ERPs, most of them without a zone.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::fmt;

/// Why a text is no date. It repeats no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadTime {
    /// The text has another form.
    #[error("expected a date and time such as 2026-11-22T04:25:33")]
    Form,
    /// No such time zone.
    #[error("there is no such time zone; use an IANA name such as Europe/Paris")]
    Zone,
}

/// A UTC instant from a text without a zone (`2026-11-22T04:25:33`, `2026-11-22 04:25:33`, fractions allowed) or with `Z` or an offset.
///
/// # Errors
/// [`BadTime::Form`].
pub fn utc(text: &str) -> Result<Timestamp, BadTime> {
    let text = text.trim();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    TimeZone::UTC
        .to_timestamp(civil(text)?)
        .map_err(|_| BadTime::Form)
}

/// How sure a site-local time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// There is one such instant.
    Certain,
    /// The clocks went back: it may as well be this later instant.
    Twice(Timestamp),
    /// The clocks went forward over it: taken by the offset before the change.
    Skipped,
}

/// An instant read from a site-local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    /// The instant; the earliest of two.
    pub at: Timestamp,
    /// How sure that is.
    pub certainty: Certainty,
}

impl fmt::Display for Local {
    /// The instant, and the doubt if there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.certainty {
            Certainty::Certain => write!(f, "{}", self.at),
            Certainty::Twice(later) => {
                write!(f, "{} (the clocks went back; or {later})", self.at)
            }
            Certainty::Skipped => write!(f, "{} (the clocks went forward over it)", self.at),
        }
    }
}

/// The instant of a site-local time.
///
/// # Errors
/// [`BadTime`].
pub fn local(text: &str, zone: &str) -> Result<Local, BadTime> {
    let zone = TimeZone::get(zone).map_err(|_| BadTime::Zone)?;
    let ambiguous = zone.to_ambiguous_timestamp(civil(text.trim())?);
    let form = |_| BadTime::Form;
    // "Compatible" is the earlier instant of a repeated hour, and the offset before the change for a skipped one.
    let at = ambiguous.compatible().map_err(form)?;
    let certainty = match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Certainty::Certain,
        AmbiguousOffset::Gap { .. } => Certainty::Skipped,
        AmbiguousOffset::Fold { .. } => Certainty::Twice(ambiguous.later().map_err(form)?),
    };
    Ok(Local { at, certainty })
}

/// `2026-11-22T04:25:33`, in UTC, fractions cut.
pub fn naive(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// `2026-11-22 04:25:33`, in UTC, fractions cut.
pub fn spaced(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-22T04:25:33` as the clocks of a zone show it, fractions cut.
///
/// # Errors
/// [`BadTime::Zone`].
pub fn naive_in(at: Timestamp, zone: &str) -> Result<String, BadTime> {
    let zone = TimeZone::get(zone).map_err(|_| BadTime::Zone)?;
    Ok(zone
        .to_datetime(at)
        .strftime("%Y-%m-%dT%H:%M:%S")
        .to_string())
}

fn civil(text: &str) -> Result<DateTime, BadTime> {
    // A date alone or a text with a zone would parse as well, and mean something else.
    let zoned = |time: &str| time.contains(['Z', 'z', '+', '-', '[']);
    if text.len() < 16 || text.get(10..).is_none_or(zoned) {
        return Err(BadTime::Form);
    }
    text.parse().map_err(|_| BadTime::Form)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_without_a_zone_is_utc() {
        let expected = at("2026-11-22T04:25:33Z");
        for text in [
            "2026-11-22T04:25:33",
            "2026-11-22 04:25:33",
            "2026-11-22T04:25:33Z",
            "2026-11-22T05:25:33+01:00",
        ] {
            assert_eq!(utc(text), Ok(expected), "{text}");
        }
        assert_eq!(
            utc("2026-11-22 04:25:33.25"),
            Ok(at("2026-11-22T04:25:33.25Z"))
        );
        for text in [
            "",
            "2026-11-22",
            "22/11/2026 04:25:33",
            "0000-00-00 00:00:00",
        ] {
            assert_eq!(utc(text), Err(BadTime::Form), "{text}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_earlier_one_and_says_so() {
        let local = local("2026-10-25T02:30:00", "Europe/Paris").unwrap();
        assert_eq!(local.at, at("2026-10-25T00:30:00Z"));
        assert_eq!(
            local.certainty,
            Certainty::Twice(at("2026-10-25T01:30:00Z"))
        );
        assert_eq!(
            local.to_string(),
            "2026-10-25T00:30:00Z (the clocks went back; or 2026-10-25T01:30:00Z)"
        );
    }

    #[test]
    fn a_time_with_a_zone_is_no_local_time() {
        for text in [
            "2026-11-22T04:25:33-05:00",
            "2026-11-22T04:25:33+01:00",
            "2026-11-22T04:25:33Z",
        ] {
            assert_eq!(local(text, "Europe/Paris"), Err(BadTime::Form), "{text}");
        }
    }

    #[test]
    fn an_hour_that_never_was_is_read_by_the_offset_before() {
        let local = local("2026-03-29T02:30:00", "Europe/Paris").unwrap();
        assert_eq!(local.at, at("2026-03-29T01:30:00Z"));
        assert_eq!(local.certainty, Certainty::Skipped);
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        let instant = at("2026-11-22T04:25:33.9Z");
        assert_eq!(naive(instant), "2026-11-22T04:25:33");
        assert_eq!(spaced(instant), "2026-11-22 04:25:33");
        let paris = naive_in(instant, "Europe/Paris").unwrap();
        assert_eq!(paris, "2026-11-22T05:25:33");
        assert_eq!(
            local(&paris, "Europe/Paris").unwrap().at,
            at("2026-11-22T04:25:33Z")
        );
        assert_eq!(local(&paris, "Europe/Nowhere"), Err(BadTime::Zone));
    }
}
