//! A cursor over everything that changed, for records whose modification time is not told or does not say enough.
//!
//! Shipments do not show their `tms`, so no page can go on from the time of its last record. A sweep asks for what was modified since
//! an instant, by ids: a record that changes meanwhile stays in its place, and one that changes behind the sweep is met by the next.
//! Beside it goes a stream of orders, since what they do to a product or a shipment does not change its `tms`.

use comptoir_model::fault::Fault;
use comptoir_model::port::Cursor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Records remembered at most. Beyond it a sweep repeats some, which costs time and harms nothing.
const REMEMBERED: usize = 1_000;

/// Where a sweep stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sweep {
    /// Version of this form.
    v: u8,
    /// What was modified since then is asked for; none asks for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
    /// The last id of the sweep under way.
    after: i64,
    /// When it began, by our clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    /// The newest time met in it, by the server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<Timestamp>,
    /// Whether the records are through and the orders are under way.
    orders_now: bool,
    /// Where the stream of orders stands.
    orders: Cursor,
    /// Versions that the sweep before this one met.
    seen: BTreeMap<String, String>,
    /// Versions that this one met.
    met: BTreeMap<String, String>,
}

impl Sweep {
    /// Opens a cursor. The start sweeps over everything.
    ///
    /// # Errors
    /// A bug fault for a text that is no cursor of this kind.
    pub(super) fn open(cursor: &Cursor) -> Result<Self, Fault> {
        if cursor.is_start() {
            return Ok(Sweep::from(None));
        }
        serde_json::from_str(&cursor.0)
            .ok()
            .filter(|sweep: &Sweep| sweep.v == 1)
            .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))
    }

    /// A sweep over what was modified at an instant or later; over all without one.
    pub(super) fn from(since: Option<Timestamp>) -> Self {
        Sweep {
            v: 1,
            since,
            after: 0,
            began: None,
            newest: None,
            orders_now: false,
            orders: Cursor::start(),
            seen: BTreeMap::new(),
            met: BTreeMap::new(),
        }
    }

    /// The cursor to store.
    pub(super) fn cursor(&self) -> Cursor {
        // Plain data always has a JSON form.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether this sweep is about to begin.
    pub(super) fn begins(&self) -> bool {
        self.began.is_none()
    }

    /// Whether it goes over everything.
    pub(super) fn is_whole(&self) -> bool {
        self.since.is_none()
    }

    /// Begins a sweep. `orders` is where the stream of orders begins if it has not yet.
    pub(super) fn begin(&mut self, now: Timestamp, orders: Cursor) {
        self.began = Some(now);
        if self.orders.is_start() {
            self.orders = orders;
        }
    }

    /// What to ask for: what was modified since then, `overlap` before the end of the last sweep.
    pub(super) fn since(&self, overlap: Duration) -> Option<Timestamp> {
        let overlap = jiff::SignedDuration::try_from(overlap).unwrap_or_default();
        let since = self.since?;
        Some(since.checked_sub(overlap).unwrap_or(since))
    }

    /// The id after which the next page begins; none when the records are through.
    pub(super) fn after(&self) -> Option<i64> {
        (!self.orders_now).then_some(self.after)
    }

    /// Takes a record that was met: whether it is new or changed.
    pub(super) fn take(&mut self, id: i64, version: &str, at: Option<Timestamp>) -> bool {
        self.after = self.after.max(id);
        self.newest = self.newest.max(at);
        let id = id.to_string();
        let fresh = self.seen.get(&id).is_none_or(|known| known != version);
        // A sweep over everything is not remembered: the next one repeats what changed last, and that only.
        if !self.is_whole() && self.met.len() < REMEMBERED {
            self.met.insert(id, version.to_owned());
        }
        fresh
    }

    /// The last page of records was taken.
    pub(super) fn through(&mut self) {
        self.orders_now = true;
    }

    /// Where the stream of orders stands.
    pub(super) fn orders(&self) -> &Cursor {
        &self.orders
    }

    /// A page of orders was taken; the last one ends the sweep.
    pub(super) fn took_orders(&mut self, next: Cursor, more: bool, now: Timestamp) {
        self.orders = next;
        if more {
            return;
        }
        let began = self.began.take().unwrap_or(now);
        // Never beyond the newest time met: the server's clock may be behind ours.
        let reached = self.newest.take().map(|newest| newest.min(began));
        self.since = self.since.max(reached).or(Some(Timestamp::UNIX_EPOCH));
        self.after = 0;
        self.orders_now = false;
        self.seen = std::mem::take(&mut self.met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_next_sweep_begins_before_the_newest_record_and_leaves_out_what_it_knows() {
        let mut sweep = Sweep::open(&Cursor::start()).unwrap();
        sweep.begin(at(9_000), Cursor("o".to_owned()));
        assert!(sweep.is_whole() && sweep.after() == Some(0));
        assert!(sweep.take(7, "a", Some(at(5_000))));
        sweep.through();
        assert_eq!(sweep.after(), None);
        sweep.took_orders(Cursor("p".to_owned()), false, at(9_000));
        let mut sweep = Sweep::open(&sweep.cursor()).unwrap();
        assert_eq!(sweep.since(Duration::from_secs(300)), Some(at(4_700)));
        sweep.begin(at(9_100), Cursor("q".to_owned()));
        assert_eq!(sweep.orders(), &Cursor("p".to_owned()));
        assert!(sweep.take(7, "a", None), "once more after the whole sweep");
        sweep.through();
        sweep.took_orders(Cursor("r".to_owned()), false, at(9_100));
        sweep.begin(at(9_200), Cursor::start());
        assert!(!sweep.take(7, "a", None), "and then no more");
        assert!(sweep.take(7, "b", None));
    }

    #[test]
    fn an_empty_server_is_read_from_the_beginning() {
        let mut sweep = Sweep::open(&Cursor::start()).unwrap();
        sweep.begin(at(9_000), Cursor("o".to_owned()));
        sweep.through();
        sweep.took_orders(Cursor("p".to_owned()), false, at(9_000));
        assert!(!sweep.is_whole());
        assert!(sweep.since(Duration::ZERO) <= Some(at(0)));
        assert!(Sweep::open(&Cursor("{}".to_owned())).is_err());
    }
}
