//! Dates. There is no "now": a decision depends on what is stored only, so that it is the same tomorrow.

use super::{Answer, error, fits};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};
use rhai::Engine;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("date", |instant: &str, zone: &str| -> Answer<String> {
        Ok(zoned(instant, zone)?.date().to_string())
    });
    engine.register_fn("hour", |instant: &str, zone: &str| -> Answer<i64> {
        Ok(zoned(instant, zone)?.hour().into())
    });
    engine.register_fn("weekday", |day: &str| -> Answer<i64> {
        Ok(date(day)?.weekday().to_monday_one_offset().into())
    });
    engine.register_fn("add_days", |day: &str, days: i64| -> Answer<String> {
        let span = Span::new()
            .try_days(days)
            .map_err(|_| error("so many days cannot be added"))?;
        let moved = date(day)?
            .checked_add(span)
            .map_err(|_| error("so many days cannot be added"))?;
        Ok(moved.to_string())
    });
    engine.register_fn("days_between", |from: &str, until: &str| -> Answer<i64> {
        let span = date(from)?
            .until(date(until)?)
            .map_err(|_| error("these days are too far apart"))?;
        Ok(span.get_days().into())
    });
    engine.register_fn(
        "format_date",
        |day: &str, pattern: &str| -> Answer<String> {
            if pattern.len() > 40 {
                return Err(error("the pattern of a date has at most 40 characters"));
            }
            let text = jiff::fmt::strtime::format(pattern, date(day)?)
                .map_err(|_| error("this is no pattern of a date, such as \"%d/%m/%Y\""))?;
            fits(text.len())?;
            Ok(text)
        },
    );
}

fn zoned(instant: &str, zone: &str) -> Answer<ZonedDateTime> {
    let at: Timestamp = instant
        .parse()
        .map_err(|_| error("this is no instant; `dates.placed` is one, and may be empty"))?;
    let zone = TimeZone::get(zone)
        .map_err(|_| error("there is no such time zone; use a name such as \"Europe/Paris\""))?;
    Ok(at.to_zoned_datetime(zone))
}

/// A day from `2026-11-25`, or from an instant, whose day at Greenwich counts.
fn date(text: &str) -> Answer<Date> {
    text.get(..10)
        .and_then(|day| day.parse().ok())
        .ok_or_else(|| error("this is no day such as \"2026-11-25\"; `date(dates.placed, \"Europe/Paris\")` makes one"))
}
