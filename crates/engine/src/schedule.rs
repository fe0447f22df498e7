//! When a flow polls, and when it keeps quiet. Cron expressions and quiet hours follow the clocks of the flow's time zone.

use crate::flow::Flow;
use croner::errors::CronError;
use croner::{CivilDateTime, Cron, CronDateTime, Resolution, Weekday};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use std::cmp::Ordering;
use std::str::FromStr;

/// Why a text is no cron expression, in croner's words.
///
/// # Errors
/// For a text that is none.
pub fn check_cron(text: &str) -> Result<(), String> {
    Cron::from_str(text)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

/// When a flow polls next after `now` (unix ms): its cron expression, else its interval. An expression that never comes again
/// falls back to the interval.
pub fn next_poll(flow: &Flow, now: i64) -> i64 {
    let by_cron = flow
        .cron
        .as_deref()
        .and_then(|text| Cron::from_str(text).ok())
        .and_then(|cron| {
            cron.find_next_occurrence(&LocalTime(local(flow, now)?), false)
                .ok()
                .map(|next| next.0.timestamp().as_millisecond())
        });
    by_cron.unwrap_or(now + flow.poll_ms)
}

/// The end (unix ms) of the quiet hours that `now` lies in; none outside of them.
pub fn quiet_until(flow: &Flow, now: i64) -> Option<i64> {
    let (from, until) = flow.quiet?;
    let local = local(flow, now)?;
    let minute =
        u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs());
    let over_midnight = from > until;
    let quiet = if over_midnight {
        minute >= from || minute < until
    } else {
        minute >= from && minute < until
    };
    if !quiet {
        return None;
    }
    let day = if over_midnight && minute >= from {
        local.date().checked_add(1.day()).ok()?
    } else {
        local.date()
    };
    let (hour, minute) = (
        i8::try_from(until / 60).ok()?,
        i8::try_from(until % 60).ok()?,
    );
    let end = local
        .time_zone()
        .to_timestamp(day.at(hour, minute, 0, 0))
        .ok()?;
    Some(end.as_millisecond().max(now + 1))
}

/// `"03:00"` as a minute of the day.
pub fn minute_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// The next time after `after` (unix ms) that the clocks of the flow's zone show a minute of the day.
pub fn next_at(flow: &Flow, minute: u16, after: i64) -> i64 {
    let next = || {
        let local = local(flow, after)?;
        let (hour, minute) = (
            i8::try_from(minute / 60).ok()?,
            i8::try_from(minute % 60).ok()?,
        );
        let today = local.date().at(hour, minute, 0, 0);
        let zone = local.time_zone();
        let at = zone.to_timestamp(today).ok()?.as_millisecond();
        if at > after {
            return Some(at);
        }
        let tomorrow = today.checked_add(1.day()).ok()?;
        Some(zone.to_timestamp(tomorrow).ok()?.as_millisecond())
    };
    next().unwrap_or(after + 24 * 3_600_000)
}

fn local(flow: &Flow, now: i64) -> Option<ZonedDateTime> {
    let zone = TimeZone::get(&flow.time_zone).unwrap_or(TimeZone::UTC);
    Some(
        Timestamp::from_millisecond(now)
            .ok()?
            .to_zoned_datetime(zone),
    )
}

/// Our clock as croner asks for it.
#[derive(Clone)]
struct LocalTime(ZonedDateTime);

impl CronDateTime for LocalTime {
    fn to_civil(&self) -> CivilDateTime {
        let part = |value: i8| u32::from(value.unsigned_abs());
        let time = &self.0;
        let date = croner::CivilDate::from_parts_unchecked(
            i32::from(time.year()),
            part(time.month()),
            part(time.day()),
        );
        let clock = croner::CivilTime::from_parts_unchecked(
            part(time.hour()),
            part(time.minute()),
            part(time.second()),
        );
        CivilDateTime::new(date, clock)
    }

    fn civil_weekday(&self) -> Weekday {
        let days = self.0.weekday().to_sunday_zero_offset();
        Weekday::from_days_from_sunday(u32::from(days.unsigned_abs()))
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, CronError> {
        let part = |value: u32| i8::try_from(value).map_err(|_| CronError::InvalidTime);
        let civil = DateTime::new(
            i16::try_from(civil.year()).map_err(|_| CronError::InvalidDate)?,
            part(civil.month())?,
            part(civil.day())?,
            part(civil.hour())?,
            part(civil.minute())?,
            part(civil.second())?,
            0,
        )
        .map_err(|_| CronError::InvalidDate)?;
        let zone = self.0.time_zone();
        let ambiguous = zone.to_ambiguous_zoned_datetime(civil);
        let whole = |time: Result<ZonedDateTime, jiff::Error>| {
            time.map(LocalTime).map_err(|_| CronError::InvalidTime)
        };
        Ok(match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => {
                Resolution::Single(whole(ambiguous.compatible())?)
            }
            AmbiguousOffset::Fold { .. } => Resolution::Ambiguous(
                whole(ambiguous.clone().earlier())?,
                whole(ambiguous.later())?,
            ),
            AmbiguousOffset::Gap { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        let moved = self
            .0
            .timestamp()
            .checked_add(SignedDuration::from_secs(seconds));
        let zone = self.0.time_zone().clone();
        Some(LocalTime(moved.ok()?.to_zoned_datetime(zone)))
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.0.timestamp().cmp(&other.0.timestamp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(cron: Option<&str>, quiet: Option<(u16, u16)>) -> Flow {
        Flow {
            cron: cron.map(str::to_owned),
            quiet,
            ..Flow::example()
        }
    }

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn an_interval_counts_from_now_and_cron_follows_the_clock_of_the_zone() {
        let now = at("2026-11-24T08:30:00Z");
        assert_eq!(next_poll(&flow(None, None), now), now + 60_000);
        // 10:00 in Paris is 09:00 UTC in winter.
        let ten = flow(Some("0 10 * * *"), None);
        assert_eq!(next_poll(&ten, now), at("2026-11-24T09:00:00Z"));
        assert!(check_cron("every day").is_err());
    }

    #[test]
    fn a_minute_of_the_day_comes_once_a_day_by_the_clock_of_the_zone() {
        let night = minute_of_day("03:00").unwrap();
        let next = |after: &str| next_at(&flow(None, None), night, at(after));
        // Paris is one hour ahead in winter, two in summer; the clocks go back on 25 October.
        assert_eq!(next("2026-11-24T12:00:00Z"), at("2026-11-25T02:00:00Z"));
        assert_eq!(next("2026-11-25T02:00:00Z"), at("2026-11-26T02:00:00Z"));
        assert_eq!(next("2026-10-24T12:00:00Z"), at("2026-10-25T02:00:00Z"));
        assert_eq!(minute_of_day("24:00"), None);
        assert_eq!(minute_of_day("3"), None);
    }

    #[test]
    fn quiet_hours_may_cross_midnight_and_end_once() {
        let night = flow(None, Some((22 * 60, 6 * 60)));
        assert_eq!(quiet_until(&night, at("2026-11-24T12:00:00Z")), None);
        assert_eq!(
            quiet_until(&night, at("2026-11-24T22:00:00Z")),
            Some(at("2026-11-25T05:00:00Z"))
        );
        assert_eq!(
            quiet_until(&night, at("2026-11-25T04:59:00Z")),
            Some(at("2026-11-25T05:00:00Z"))
        );
        assert_eq!(quiet_until(&night, at("2026-11-25T05:00:00Z")), None);
        let noon = flow(None, Some((12 * 60, 13 * 60)));
        assert_eq!(
            quiet_until(&noon, at("2026-11-24T11:30:00Z")),
            Some(at("2026-11-24T12:00:00Z"))
        );
    }
}
