//! One governor per remote account: slots, order of the waiting, and a budget learnt from what the account answers.
//!
//! Concurrency starts at the configured slots, is halved when the account throttles, fails or falls silent (once per volley), and
//! grows back by one after as many good answers as there are slots. `Retry-After` and a spent budget let the account rest.

use crate::http::{Answer, LONGEST_WAIT, Priority};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The governor. Cheap to clone; clones are the same governor.
#[derive(Debug, Clone)]
pub struct Governor(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    slots: usize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Calls allowed at once now; a fraction while it grows back.
    allowed: f64,
    running: usize,
    waiting: BTreeSet<(Priority, u64)>,
    next_ticket: u64,
    rest_until: Option<Instant>,
    /// Calls left until an instant, as the account counts.
    budget: Option<(u64, Instant)>,
    /// Calls that began before this belong to a volley that was answered for already.
    cut_at: Option<Instant>,
    /// Throttles in a row without a waiting time.
    throttles: u32,
}

/// How a call ended, for the governor.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// With an answer of any status.
    Answered(&'a Answer),
    /// It went and no whole answer came.
    Lost,
    /// It never went.
    NotSent,
}

/// Why a call got no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSlot {
    /// The account rests this long.
    Resting(Duration),
    /// All slots were taken for too long.
    Busy,
}

impl NoSlot {
    /// The fault of a call that was therefore not sent.
    pub fn fault(self) -> Fault {
        match self {
            NoSlot::Resting(wait) => Fault::new(
                Next::Later { after: Some(wait) },
                Code::TooManyRequests,
                format!("the account rests for {} s", wait.as_secs()),
            ),
            NoSlot::Busy => Fault::later(Code::TooManyRequests, "no free slot in time"),
        }
    }
}

/// A slot, held while a call is under way. Dropping it without [`Slot::leave`] (a cancelled call) frees it too.
#[derive(Debug)]
pub struct Slot {
    governor: Governor,
    began: Instant,
    left: bool,
}

enum Turn {
    Mine,
    NotBefore(Instant),
    Queued,
}

impl Governor {
    /// A governor with this many slots, at least one.
    pub fn new(slots: usize) -> Self {
        let slots = slots.max(1);
        Governor(Arc::new(Shared {
            slots,
            state: Mutex::new(State {
                allowed: slots as f64,
                running: 0,
                waiting: BTreeSet::new(),
                next_ticket: 0,
                rest_until: None,
                budget: None,
                cut_at: None,
                throttles: 0,
            }),
            changed: Notify::new(),
        }))
    }

    /// Waits for a slot until an instant, higher priorities first, then first come.
    ///
    /// # Errors
    /// [`NoSlot`]: at once when the account rests beyond that instant.
    pub async fn enter(&self, priority: Priority, until: Instant) -> Result<Slot, NoSlot> {
        let place = Place::take(self, priority);
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a change in between is not missed.
            changed.as_mut().enable();
            let wake = match self.try_enter(place.ticket) {
                Turn::Mine => {
                    return Ok(Slot {
                        governor: self.clone(),
                        began: Instant::now(),
                        left: false,
                    });
                }
                Turn::NotBefore(at) if at > until => {
                    return Err(NoSlot::Resting(at - Instant::now()));
                }
                Turn::NotBefore(at) => at,
                Turn::Queued if Instant::now() >= until => return Err(NoSlot::Busy),
                Turn::Queued => until,
            };
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    /// Says that a body asked to slow down. Without a time the wait doubles from one second to a minute.
    pub fn throttled(&self, wait: Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state();
        state.cut(now, now);
        state.rest(now, wait);
        drop(state);
        self.0.changed.notify_waiters();
    }

    /// How long the account rests; none when calls may go.
    pub fn rests(&self) -> Option<Duration> {
        let now = Instant::now();
        let until = self.state().resting_until(now)?;
        Some(until - now)
    }

    /// Calls allowed at once now.
    pub fn allowed(&self) -> usize {
        self.state().allowed as usize
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is complete before anything can panic.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_enter(&self, ticket: (Priority, u64)) -> Turn {
        let now = Instant::now();
        let mut state = self.state();
        if let Some(until) = state.resting_until(now) {
            return Turn::NotBefore(until);
        }
        if state.waiting.first() != Some(&ticket) || state.running >= state.allowed as usize {
            return Turn::Queued;
        }
        state.running += 1;
        if let Some((left, _)) = &mut state.budget {
            *left = left.saturating_sub(1);
        }
        Turn::Mine
    }

    fn leave(&self, began: Instant, outcome: Outcome<'_>) {
        let now = Instant::now();
        let mut state = self.state();
        state.running = state.running.saturating_sub(1);
        match outcome {
            Outcome::Answered(answer) => state.learn(answer, began, now, self.0.slots),
            Outcome::Lost => state.cut(began, now),
            Outcome::NotSent => {}
        }
        drop(state);
        self.0.changed.notify_waiters();
    }
}

impl Slot {
    /// Frees the slot and learns from how the call ended.
    pub fn leave(mut self, outcome: Outcome<'_>) {
        self.left = true;
        self.governor.leave(self.began, outcome);
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.left {
            self.governor.leave(self.began, Outcome::NotSent);
        }
    }
}

/// A place in the queue, given up when dropped.
struct Place {
    governor: Governor,
    ticket: (Priority, u64),
}

impl Place {
    fn take(governor: &Governor, priority: Priority) -> Self {
        let mut state = governor.state();
        let ticket = (priority, state.next_ticket);
        state.next_ticket += 1;
        state.waiting.insert(ticket);
        drop(state);
        Place {
            governor: governor.clone(),
            ticket,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.governor.state().waiting.remove(&self.ticket);
        self.governor.0.changed.notify_waiters();
    }
}

impl State {
    fn resting_until(&self, now: Instant) -> Option<Instant> {
        let spent = match self.budget {
            Some((0, reset)) => Some(reset),
            _ => None,
        };
        spent.max(self.rest_until).filter(|until| *until > now)
    }

    /// Halves the concurrency, once for all calls that were under way together.
    fn cut(&mut self, began: Instant, now: Instant) {
        if self.cut_at.is_none_or(|cut| began >= cut) {
            self.allowed = (self.allowed / 2.0).max(1.0);
            self.cut_at = Some(now);
        }
    }

    fn rest(&mut self, now: Instant, wait: Option<Duration>) {
        let wait = wait.unwrap_or_else(|| {
            let doubled = Duration::from_secs(1 << self.throttles.min(6));
            self.throttles += 1;
            doubled.min(Duration::from_secs(60))
        });
        self.rest_until = self.rest_until.max(Some(now + wait.min(LONGEST_WAIT)));
    }

    fn learn(&mut self, answer: &Answer, began: Instant, now: Instant, slots: usize) {
        if let Some((left, wait)) = budget(answer) {
            // Calls still under way may not be counted in the answer.
            self.budget = Some((left.saturating_sub(self.running as u64), now + wait));
        } else if self.budget.is_some_and(|(_, reset)| reset <= now) {
            self.budget = None;
        }
        let wait = answer.retry_after();
        match answer.status {
            429 => {
                self.cut(began, now);
                self.rest(now, wait);
            }
            400.. if wait.is_some() => {
                self.cut(began, now);
                self.rest(now, wait);
            }
            500.. => self.cut(began, now),
            _ => {
                self.throttles = 0;
                self.allowed = (self.allowed + 1.0 / self.allowed).min(slots as f64);
            }
        }
    }
}

/// Calls left and how long until the budget is new, from the headers that vendors use: `RateLimit-*` (seconds), `X-RateLimit-*`
/// (seconds or an epoch), and BigCommerce's `X-Rate-Limit-Requests-Left` with `X-Rate-Limit-Time-Reset-Ms`.
fn budget(answer: &Answer) -> Option<(u64, Duration)> {
    let number = |name: &str| answer.header(name)?.trim().parse::<u64>().ok();
    if let Some(left) = number("x-rate-limit-requests-left") {
        let reset = number("x-rate-limit-time-reset-ms")?;
        return Some((left, Duration::from_millis(reset).min(LONGEST_WAIT)));
    }
    for prefix in ["ratelimit", "x-ratelimit"] {
        let left = number(&format!("{prefix}-remaining"));
        let reset = number(&format!("{prefix}-reset"));
        if let (Some(left), Some(reset)) = (left, reset) {
            return Some((left, until_reset(reset, answer)));
        }
    }
    None
}

/// A reset is in seconds from now, or an epoch in seconds or milliseconds; only the size tells.
fn until_reset(reset: u64, answer: &Answer) -> Duration {
    let now = answer.at.as_millisecond().max(0) as u64;
    let wait = match reset {
        0..1_000_000_000 => Duration::from_secs(reset),
        1_000_000_000..1_000_000_000_000 => {
            Duration::from_millis((reset * 1000).saturating_sub(now))
        }
        _ => Duration::from_millis(reset.saturating_sub(now)),
    };
    wait.min(LONGEST_WAIT)
}
