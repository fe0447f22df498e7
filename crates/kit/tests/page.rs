//! The timestamp cursor on a source that changes while it is read.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_model::port::Cursor;
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Longer than the latest commit and the error of our clock together, in seconds.
const OVERLAP: u64 = 10;
const LAG: i64 = 5;
const SKEW: i64 = 4;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn stamp(id: u32, version: u32, at: i64) -> Stamp {
    Stamp {
        id: id.to_string(),
        version: version.to_string(),
        at: Some(second(at)),
    }
}

fn open(cursor: &Cursor, now: i64) -> TimestampCursor {
    TimestampCursor::open(cursor, Duration::from_secs(OVERLAP), second(now)).unwrap()
}

/// A shop: each record has a version, a modification time, and the time from which it can be seen (a late commit).
#[derive(Default)]
struct Source {
    now: i64,
    records: BTreeMap<u32, (u32, i64, i64)>,
}

impl Source {
    fn touch(&mut self, id: u32, lag: i64) {
        let version = self.records.get(&id).map_or(0, |(version, ..)| *version) + 1;
        self.records.insert(id, (version, self.now, self.now + lag));
    }

    fn page(&self, cursor: &TimestampCursor, size: usize) -> Vec<Stamp> {
        let mut visible: Vec<_> = self
            .records
            .iter()
            .filter(|(_, (_, at, seen_from))| {
                *seen_from <= self.now && cursor.from().is_none_or(|from| second(*at) >= from)
            })
            .map(|(id, (version, at, _))| (*at, *id, *version))
            .collect();
        visible.sort();
        visible
            .into_iter()
            .skip(cursor.offset() as usize)
            .take(size)
            .map(|(at, id, version)| stamp(id, version, at))
            .collect()
    }
}

/// What happens between two pages.
#[derive(Debug, Clone)]
enum Event {
    Touch {
        id: u32,
        lag: i64,
    },
    Tick(i64),
    /// The process dies after reading a page and before storing it.
    Crash,
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..12_u32, 0..=LAG).prop_map(|(id, lag)| Event::Touch { id, lag }),
        2 => (1..8_i64).prop_map(Event::Tick),
        1 => Just(Event::Crash),
        2 => Just(Event::Nothing),
    ]
}

proptest! {
    #[test]
    fn no_change_is_lost_and_none_comes_twice(
        size in 2..5_usize,
        skew in -SKEW..=SKEW,
        before in proptest::collection::vec((0..30_u32, 0..3_i64), 0..40),
        events in proptest::collection::vec(event(), 0..60),
    ) {
        let mut source = Source::default();
        for (id, tick) in before {
            source.now += tick;
            source.touch(id, 0);
        }
        let mut met = BTreeSet::new();
        let mut cursor = Cursor::start();
        let mut watermark = None;
        // One page after each event, so that the source changes while it is read; then calm until nothing is left, twice.
        let pages = events.len();
        let calm = std::iter::repeat_with(|| Event::Nothing);
        let mut calm_since = None;
        for (page_number, event) in events.into_iter().chain(calm).enumerate() {
            prop_assert!(page_number < pages + 500, "paging does not end");
            let mut crash = false;
            match event {
                Event::Touch { id, lag } => source.touch(id, lag),
                Event::Tick(seconds) => source.now += seconds,
                Event::Crash => crash = true,
                Event::Nothing => {}
            }
            let opened = open(&cursor, source.now + skew);
            prop_assert!(opened.watermark() >= watermark, "the watermark went back");
            watermark = opened.watermark();
            let page = source.page(&opened, size);
            let taken = opened.take(&page, page.len() == size);
            if crash {
                continue;
            }
            for (stamp, fresh) in page.iter().zip(taken.fresh) {
                let new = met.insert((stamp.id.clone(), stamp.version.clone()));
                prop_assert_eq!(new, fresh, "{:?}", stamp);
            }
            cursor = taken.next;
            if !taken.more && page_number >= pages {
                match calm_since {
                    None => {
                        calm_since = Some(page_number);
                        source.now += OVERLAP as i64;
                    }
                    Some(_) => break,
                }
            }
        }
        for (id, (version, ..)) in &source.records {
            prop_assert!(met.contains(&(id.to_string(), version.to_string())), "{id} v{version} was lost");
        }
    }
}

#[test]
fn a_record_that_moves_away_during_a_tie_hides_none() {
    // Six records of one second, pages of three; between the pages the second record is changed, so the rest moves up by one.
    let page: Vec<Stamp> = (1..=3).map(|id| stamp(id, 1, 0)).collect();
    let taken = open(&Cursor::start(), 100).take(&page, true);
    let cursor = open(&taken.next, 100);
    assert_eq!((cursor.from(), cursor.offset()), (Some(second(0)), 0));
    let taken = cursor.take(&page, true);
    assert_eq!(taken.fresh, [false, false, false]);
    let cursor = open(&taken.next, 100);
    assert_eq!(cursor.offset(), 2);
    let shifted: Vec<Stamp> = vec![stamp(4, 1, 0), stamp(5, 1, 0), stamp(6, 1, 0)];
    let taken = cursor.take(&shifted, true);
    assert_eq!(taken.fresh, [true, true, true]);
    let again = open(&taken.next, 100);
    assert_eq!(
        (again.offset(), taken.more),
        (0, true),
        "the tie is read again"
    );
}

#[test]
fn what_is_committed_late_is_still_met() {
    let taken = open(&Cursor::start(), 100).take(&[stamp(1, 1, 90)], false);
    assert!(!taken.more);
    let next = open(&taken.next, 101);
    assert_eq!(next.from(), Some(second(80)));
    let late = [stamp(2, 1, 85), stamp(1, 1, 90)];
    assert_eq!(next.take(&late, false).fresh, [true, false]);
}

#[test]
fn an_unreadable_item_without_a_time_takes_that_of_the_record_before_it() {
    let odd = Stamp {
        id: "digest-of-the-item".to_owned(),
        version: String::new(),
        at: None,
    };
    let page = [stamp(1, 1, 10), odd.clone()];
    let taken = open(&Cursor::start(), 100).take(&page, false);
    assert_eq!(taken.fresh, [true, true]);
    let again = open(&taken.next, 101).take(&page, false);
    assert_eq!(again.fresh, [false, false]);
    assert_eq!(
        again.next, taken.next,
        "an idle source leaves the cursor as it is"
    );
}

#[test]
fn garbage_is_an_error_and_no_restart() {
    for garbage in ["x", "{}", "{\"v\":2,\"seen\":{}}", "1042"] {
        let cursor = Cursor(garbage.to_owned());
        let opened = TimestampCursor::open(&cursor, Duration::ZERO, second(0));
        assert!(opened.is_err(), "{garbage}");
    }
}

#[test]
fn a_huge_tie_does_not_grow_the_cursor_without_bound() {
    let mut cursor = Cursor::start();
    let mut from = 0;
    for _ in 0..50 {
        let opened = open(&cursor, 100);
        let skip = opened.offset() as u32;
        let page: Vec<Stamp> = (skip..skip + 100).map(|id| stamp(id, 1, 0)).collect();
        from = skip;
        cursor = opened.take(&page, true).next;
    }
    assert!(from > 4_000, "it moved on to {from}");
    assert!(cursor.0.len() < 100_000, "{} bytes", cursor.0.len());
}
