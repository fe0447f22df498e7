//! Reading changes by modification time, without losing any and without reading all again.
//!
//! Records are read in ascending order of their modification time, from an instant **on** (inclusive). Each full page moves that
//! instant forward to its last record, so records that move to the end while we read shift nothing. Only while a whole page has one
//! and the same time does an offset count; it repeats one record, so that a shift is noticed and the tie is read again.
//! At the end, the next reading starts `overlap` before the newest record (or before the start of this reading, if that was earlier):
//! what a system commits late is still met. What the overlap repeats unchanged is left out.

use comptoir_model::fault::Fault;
use comptoir_model::port::Cursor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records remembered at most. Beyond it the overlap repeats some, which costs time and harms nothing.
const REMEMBERED: usize = 1_000;

/// A cursor over modification times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampCursor {
    state: State,
    overlap: Duration,
    now: Timestamp,
}

/// The wire form inside [`Cursor`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// Version of this form.
    v: u8,
    /// Everything up to here has been read, but for what is committed late.
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark: Option<Timestamp>,
    /// Where the next page starts, inclusive.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    /// The reading under way; none between readings.
    #[serde(skip_serializing_if = "Option::is_none")]
    reading: Option<Reading>,
    /// Known records by id: version and time.
    seen: BTreeMap<String, (String, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    /// When it began, by our clock.
    began: Timestamp,
    /// The newest time met.
    newest: Option<Timestamp>,
    /// Records to leave out at the start, while a tie is longer than a page.
    offset: u64,
    /// The record that the next page must begin with, when there is an offset and pages hold more than one.
    anchor: Option<String>,
}

/// What a cursor needs to know of a record on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Its id. For an item without a readable one: anything stable, such as a digest of the item.
    pub id: String,
    /// Its version; often the modification time again.
    pub version: String,
    /// Its modification time at the resolution of the source; none takes that of the record before it.
    pub at: Option<Timestamp>,
}

/// What came of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// For each record, whether it is new or changed; the others are repeats to leave out.
    pub fresh: Vec<bool>,
    /// Whether another page waits now.
    pub more: bool,
    /// Where to go on.
    pub next: Cursor,
}

impl TimestampCursor {
    /// Opens a cursor; the start of time begins a full reading. `overlap` must be longer than the source
    /// takes to commit and our clock may be ahead of it, together.
    ///
    /// # Errors
    /// A bug fault for a text that is no cursor of this kind: reading everything again would be a silent answer to a loud mistake.
    pub fn open(cursor: &Cursor, overlap: Duration, now: Timestamp) -> Result<Self, Fault> {
        TimestampCursor::open_from(cursor, None, overlap, now)
    }

    /// Like [`TimestampCursor::open`], with the first reading starting at an instant.
    ///
    /// # Errors
    /// As [`TimestampCursor::open`].
    pub fn open_from(
        cursor: &Cursor,
        first: Option<Timestamp>,
        overlap: Duration,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let state = if cursor.is_start() {
            State {
                v: 1,
                watermark: None,
                from: first,
                reading: None,
                seen: BTreeMap::new(),
            }
        } else {
            serde_json::from_str(&cursor.0)
                .ok()
                .filter(|state: &State| state.v == 1)
                .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))?
        };
        Ok(TimestampCursor {
            state,
            overlap,
            now,
        })
    }

    /// Where a first reading begins that wants only what was modified at an instant or later.
    pub fn since(at: Timestamp) -> Cursor {
        let state = State {
            v: 1,
            watermark: None,
            from: Some(at),
            reading: None,
            seen: BTreeMap::new(),
        };
        // Plain data always has a JSON form.
        Cursor(serde_json::to_string(&state).unwrap_or_default())
    }

    /// Ask for records modified at this instant or later; none asks for all. Where a source's filter is exclusive, ask from a tick of
    /// its clock earlier. Cut to the source's resolution, never rounded up.
    pub fn from(&self) -> Option<Timestamp> {
        self.state.from
    }

    /// Ask the source to leave out this many records of that answer.
    pub fn offset(&self) -> u64 {
        self.state
            .reading
            .as_ref()
            .map_or(0, |reading| reading.offset)
    }

    /// Everything up to here has been read, but for what is committed late.
    pub fn watermark(&self) -> Option<Timestamp> {
        self.state.watermark
    }

    /// Takes a page that was asked for with [`TimestampCursor::from`] and [`TimestampCursor::offset`], in the source's order.
    /// `full` says that it holds as many records as were asked for; ask for at least two, or a shift during a tie cannot be seen.
    pub fn take(mut self, page: &[Stamp], full: bool) -> Taken {
        let fresh = self.learn(page);
        let from = self.state.from;
        let ahead = page.iter().rev().find_map(|stamp| stamp.at).max(from);
        let reading = self.reading();
        let newest = reading.newest;
        let first = page.first().map(|stamp| &stamp.id);
        let shifted = reading.anchor.is_some() && reading.anchor.as_ref() != first;
        if shifted || (full && ahead > from) {
            // Shifted: something before the offset moved away, so the tie is read again; what is known is left out.
            (reading.offset, reading.anchor) = (0, None);
            self.state.from = if shifted { from } else { ahead };
        } else if full {
            let repeated = u64::from(page.len() > 1);
            reading.offset += page.len() as u64 - repeated;
            reading.anchor = page
                .last()
                .filter(|_| repeated == 1)
                .map(|stamp| stamp.id.clone());
        } else {
            self.finish(newest);
        }
        self.forget();
        Taken {
            fresh,
            more: self.state.reading.is_some(),
            // The state is plain data and always has a JSON form.
            next: Cursor(serde_json::to_string(&self.state).unwrap_or_default()),
        }
    }

    fn reading(&mut self) -> &mut Reading {
        let began = self.now;
        self.state.reading.get_or_insert(Reading {
            began,
            newest: None,
            offset: 0,
            anchor: None,
        })
    }

    fn learn(&mut self, page: &[Stamp]) -> Vec<bool> {
        let mut time = self.state.from;
        let mut fresh = Vec::with_capacity(page.len());
        for stamp in page {
            time = stamp.at.or(time);
            let known = self.state.seen.get(&stamp.id);
            fresh.push(known.is_none_or(|(version, _)| *version != stamp.version));
            let at = time.unwrap_or(Timestamp::UNIX_EPOCH);
            self.state
                .seen
                .insert(stamp.id.clone(), (stamp.version.clone(), at));
            let reading = self.reading();
            reading.newest = reading.newest.max(time);
        }
        fresh
    }

    /// Ends the reading. The watermark never goes back, and never beyond the start of the reading: what was committed while we read
    /// may lie before the newest record.
    fn finish(&mut self, newest: Option<Timestamp>) {
        let began = self.reading().began;
        let reached = newest.map(|newest| newest.min(began));
        self.state.watermark = self.state.watermark.max(reached);
        self.state.reading = None;
        if let Some(watermark) = self.state.watermark {
            let overlap = jiff::SignedDuration::try_from(self.overlap).unwrap_or_default();
            // Before the first instant that jiff knows there is nothing to read.
            self.state.from = watermark.checked_sub(overlap).ok();
        }
    }

    /// Drops what no later page can repeat, and the oldest beyond [`REMEMBERED`].
    fn forget(&mut self) {
        if let Some(from) = self.state.from {
            // While reading, the overlap of the end is still ahead.
            let keep_from = match &self.state.reading {
                Some(reading) => from
                    .min(reading.began)
                    .checked_sub(self.overlap)
                    .unwrap_or(from),
                None => from,
            };
            self.state.seen.retain(|_, (_, at)| *at >= keep_from);
        }
        let excess = self.state.seen.len().saturating_sub(REMEMBERED);
        if excess > 0 {
            let seen = self.state.seen.iter();
            let mut by_age: Vec<_> = seen.map(|(id, (_, at))| (*at, id.clone())).collect();
            by_age.sort();
            for (_, id) in &by_age[..excess] {
                self.state.seen.remove(id);
            }
        }
    }
}
