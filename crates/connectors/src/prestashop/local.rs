//! The shop's clock. Its times are those of the clock on its wall, without an offset, and its lists are sorted by them.
//!
//! Reading follows that clock, not the instants: a *wall time* is what the shop's clock shows, written down as if it were UTC. Sorting and
//! filtering then agree with the shop even in the night when an hour comes twice. What must be watched is that the wall clock goes back
//! that night: something may change "before" what was read already. The overlap is longer by that step as long as this matters, so
//! nothing is missed, and what is repeated unchanged is left out as ever.

use comptoir_kit::time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long after the clocks went back the overlap is still longer, and how long before.
const AFTER: SignedDuration = SignedDuration::from_hours(6);
const BEFORE: SignedDuration = SignedDuration::from_hours(3);

/// The clock on the shop's wall.
#[derive(Debug, Clone)]
pub(super) struct ShopClock {
    name: String,
    zone: TimeZone,
}

impl ShopClock {
    /// The clock of a zone by its IANA name; none when there is no such zone.
    pub(super) fn open(name: &str) -> Option<Self> {
        let name = name.trim();
        let zone = TimeZone::get(name).ok()?;
        Some(ShopClock {
            name: name.to_owned(),
            zone,
        })
    }

    /// The instant of a time of the shop; the earlier one of an hour that came twice. None for `0000-00-00 00:00:00` and what is no time:
    /// a date never costs an order.
    pub(super) fn instant(&self, text: &str) -> Option<Timestamp> {
        time::local(text, &self.name).ok().map(|local| local.at)
    }

    /// The wall time at an instant.
    pub(super) fn wall(&self, at: Timestamp) -> Timestamp {
        let offset = i64::from(self.offset(at));
        at.checked_add(SignedDuration::from_secs(offset))
            .unwrap_or(at)
    }

    /// The earliest wall time that anything from an instant on can have: before the clocks go back, that is after they went.
    pub(super) fn earliest_wall(&self, at: Timestamp) -> Timestamp {
        let step = self.step(at, later(at, BEFORE));
        self.wall(at).checked_sub(step).unwrap_or(Timestamp::MIN)
    }

    /// How much longer the overlap must be now.
    pub(super) fn extra_overlap(&self, now: Timestamp) -> Duration {
        let before = now.checked_sub(AFTER).unwrap_or(now);
        Duration::try_from(self.step(before, later(now, BEFORE))).unwrap_or_default()
    }

    /// By how much the wall clock goes back between two instants; zero when it does not.
    fn step(&self, first: Timestamp, last: Timestamp) -> SignedDuration {
        let step = self.offset(first) - self.offset(last);
        SignedDuration::from_secs(i64::from(step.max(0)))
    }

    fn offset(&self, at: Timestamp) -> i32 {
        self.zone.to_offset(at).seconds()
    }
}

/// The wall time of a time of the shop.
pub(super) fn wall(text: &str) -> Option<Timestamp> {
    time::utc(text).ok()
}

/// A wall time as the shop writes it.
pub(super) fn written(wall: Timestamp) -> String {
    time::spaced(wall)
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_overlap_is_an_hour_longer_around_the_repeated_hour_and_only_then() {
        let paris = ShopClock::open("Europe/Paris").unwrap();
        // The clocks went back at 01:00 UTC.
        for (now, extra) in [
            ("2026-10-24T21:59:00Z", 0),
            ("2026-10-24T22:00:00Z", 3600),
            ("2026-10-25T00:59:59Z", 3600),
            ("2026-10-25T01:30:00Z", 3600),
            ("2026-10-25T06:59:59Z", 3600),
            ("2026-10-25T07:00:00Z", 0),
            ("2026-03-29T01:00:00Z", 0),
        ] {
            assert_eq!(
                paris.extra_overlap(at(now)),
                Duration::from_secs(extra),
                "{now}"
            );
        }
        let lord_howe = ShopClock::open("Australia/Lord_Howe").unwrap();
        assert_eq!(
            lord_howe.extra_overlap(at("2026-04-04T15:00:00Z")),
            Duration::from_secs(1800)
        );
    }

    #[test]
    fn wall_times_are_what_the_clock_shows() {
        let paris = ShopClock::open("Europe/Paris").unwrap();
        assert_eq!(
            written(paris.wall(at("2026-10-25T00:30:00Z"))),
            "2026-10-25 02:30:00"
        );
        assert_eq!(
            written(paris.wall(at("2026-10-25T01:30:00Z"))),
            "2026-10-25 02:30:00"
        );
        assert_eq!(
            wall("2026-10-25 02:30:00"),
            Some(at("2026-10-25T02:30:00Z"))
        );
        // An order changed at the second 02:05 comes after 00:50 UTC, though the shop's clock said 02:50 then.
        assert_eq!(
            written(paris.earliest_wall(at("2026-10-25T00:50:00Z"))),
            "2026-10-25 01:50:00"
        );
        assert_eq!(
            paris.instant("2026-10-25 02:30:00"),
            Some(at("2026-10-25T00:30:00Z"))
        );
        assert_eq!(paris.instant("0000-00-00 00:00:00"), None);
        assert!(ShopClock::open("Europe/Nowhere").is_none());
    }
}
