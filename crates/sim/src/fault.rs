//! Faults on the wire in front of any simulator: what networks, hosts and restarts do to a client.
//!
//! A fault that strikes "after" runs the inner handler first, so its effect is real and only the answer is lost. Which request
//! meets which fault depends on the seed and on the order in which requests come; every fault is counted.

use crate::seed::Seed;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 429 with `Retry-After`; nothing was done.
    TooMany,
    /// 500 or 502; nothing was done.
    ErrorBefore,
    /// 500 or 504 although it was done.
    ErrorAfter,
    /// Done, and the answer ends in the middle of its body.
    Cut,
    /// Done, and the answer comes late.
    Slow,
    /// The connection closes without an answer; nothing was done.
    ResetBefore,
    /// The connection closes without an answer although it was done.
    ResetAfter,
    /// A restart: for a moment everything answers 503 or nothing at all.
    Restart,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::TooMany,
        Kind::ErrorBefore,
        Kind::ErrorAfter,
        Kind::Cut,
        Kind::Slow,
        Kind::ResetBefore,
        Kind::ResetAfter,
        Kind::Restart,
    ];

    /// Its name in counts.
    pub fn name(self) -> &'static str {
        match self {
            Kind::TooMany => "too_many",
            Kind::ErrorBefore => "error_before",
            Kind::ErrorAfter => "error_after",
            Kind::Cut => "cut",
            Kind::Slow => "slow",
            Kind::ResetBefore => "reset_before",
            Kind::ResetAfter => "reset_after",
            Kind::Restart => "restart",
        }
    }
}

/// How often each kind strikes (0 to 1, per request) and how hard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultRates {
    /// [`Kind::TooMany`].
    pub too_many: f64,
    /// [`Kind::ErrorBefore`].
    pub error_before: f64,
    /// [`Kind::ErrorAfter`].
    pub error_after: f64,
    /// [`Kind::Cut`].
    pub cut: f64,
    /// [`Kind::Slow`].
    pub slow: f64,
    /// [`Kind::ResetBefore`].
    pub reset_before: f64,
    /// [`Kind::ResetAfter`].
    pub reset_after: f64,
    /// [`Kind::Restart`]: how often one begins.
    pub restart: f64,
    /// Seconds in `Retry-After`.
    pub retry_after: u32,
    /// The longest delay of a slow answer.
    pub slow_for: Duration,
    /// How long a restart lasts.
    pub restart_for: Duration,
}

impl FaultRates {
    /// Nothing goes wrong.
    pub const NONE: FaultRates = FaultRates {
        too_many: 0.0,
        error_before: 0.0,
        error_after: 0.0,
        cut: 0.0,
        slow: 0.0,
        reset_before: 0.0,
        reset_after: 0.0,
        restart: 0.0,
        retry_after: 1,
        slow_for: Duration::from_millis(200),
        restart_for: Duration::from_millis(300),
    };

    /// Every kind at the same rate; restarts a tenth as often.
    pub fn all(rate: f64) -> Self {
        FaultRates {
            too_many: rate,
            error_before: rate,
            error_after: rate,
            cut: rate,
            slow: rate,
            reset_before: rate,
            reset_after: rate,
            restart: rate / 10.0,
            ..FaultRates::NONE
        }
    }

    fn of(&self, kind: Kind) -> f64 {
        match kind {
            Kind::TooMany => self.too_many,
            Kind::ErrorBefore => self.error_before,
            Kind::ErrorAfter => self.error_after,
            Kind::Cut => self.cut,
            Kind::Slow => self.slow,
            Kind::ResetBefore => self.reset_before,
            Kind::ResetAfter => self.reset_after,
            Kind::Restart => self.restart,
        }
    }
}

/// What a system answers with a status when it fails: content type and body.
pub type ErrorBody = fn(u16) -> (&'static str, String);

/// The faults in front of one simulator. Clones are the same.
#[derive(Clone)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
    error_body: ErrorBody,
}

struct Inner {
    seed: u64,
    requests: u64,
    rates: FaultRates,
    on: bool,
    down_until: Option<Instant>,
    counts: BTreeMap<&'static str, u64>,
}

/// What one request meets.
#[derive(Debug, Clone, Copy)]
struct Fate {
    kind: Kind,
    /// A number for what the kind leaves open.
    dice: u64,
    rates: FaultRates,
}

impl Faults {
    /// Faults of a seed, switched on.
    pub fn new(seed: u64, rates: FaultRates, error_body: ErrorBody) -> Self {
        Faults {
            inner: Arc::new(Mutex::new(Inner {
                seed,
                requests: 0,
                rates,
                on: true,
                down_until: None,
                counts: BTreeMap::new(),
            })),
            error_body,
        }
    }

    /// The router with these faults in front of everything.
    pub fn before(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), strike))
    }

    /// Switches all faults off: from now on every request is answered as the simulator means it.
    pub fn quiet(&self) {
        let mut inner = self.lock();
        inner.on = false;
        inner.down_until = None;
    }

    /// Switches them on again.
    pub fn loud(&self) {
        self.lock().on = true;
    }

    /// Other rates from now on.
    pub fn set(&self, rates: FaultRates) {
        self.lock().rates = rates;
    }

    /// Everything answers 503 or nothing for so long, now.
    pub fn restart(&self, lasts: Duration) {
        let mut inner = self.lock();
        inner.down_until = Some(Instant::now() + lasts);
        *inner.counts.entry(Kind::Restart.name()).or_default() += 1;
    }

    /// Requests by what they met: `passed`, a kind's name, or `down` (during a restart).
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    /// Faults so far.
    pub fn struck(&self) -> u64 {
        let counts = self.lock();
        counts
            .counts
            .iter()
            .filter(|(what, _)| **what != "passed")
            .map(|(_, count)| count)
            .sum()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws what the next request meets.
    fn draw(&self) -> Option<Fate> {
        let mut inner = self.lock();
        inner.requests += 1;
        let mut stream = Seed::of(inner.seed, inner.requests);
        let rates = inner.rates;
        let now = Instant::now();
        let down = inner.on && inner.down_until.is_some_and(|until| now < until);
        // One request, one chance: the rates share the line from 0 to 1.
        let mut place = stream.between(0, 999_999) as f64 / 1_000_000.0;
        let struck = Kind::ALL.into_iter().find(|kind| {
            let rate = rates.of(*kind);
            let hit = place < rate;
            place -= rate;
            hit
        });
        let kind = if down {
            Some(Kind::Restart)
        } else {
            struck.filter(|_| inner.on)
        };
        let what = match kind {
            Some(_) if down => "down",
            Some(kind) => kind.name(),
            None => "passed",
        };
        *inner.counts.entry(what).or_default() += 1;
        if kind == Some(Kind::Restart) && !down {
            inner.down_until = Some(now + rates.restart_for);
        }
        kind.map(|kind| Fate {
            kind,
            dice: stream.bits(),
            rates,
        })
    }

    fn error(&self, status: u16) -> Response {
        let (kind, body) = (self.error_body)(status);
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

async fn strike(State(faults): State<Faults>, request: Request, next: Next) -> Response {
    let Some(fate) = faults.draw() else {
        return next.run(request).await;
    };
    let even = fate.dice.is_multiple_of(2);
    match fate.kind {
        Kind::TooMany => {
            let mut response = faults.error(429);
            let seconds = HeaderValue::from(fate.rates.retry_after);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
        Kind::ErrorBefore => faults.error(if even { 500 } else { 502 }),
        Kind::ErrorAfter => {
            next.run(request).await;
            faults.error(if even { 500 } else { 504 })
        }
        Kind::Cut => cut(next.run(request).await, fate.dice).await,
        Kind::Slow => {
            let response = next.run(request).await;
            let share = (fate.dice % 1_000) as f64 / 1_000.0;
            tokio::time::sleep(fate.rates.slow_for.mul_f64(share)).await;
            response
        }
        Kind::ResetBefore => closed(),
        Kind::ResetAfter => {
            next.run(request).await;
            closed()
        }
        Kind::Restart if even => closed(),
        Kind::Restart => faults.error(503),
    }
}

/// The answer, ending somewhere in its body while its `Content-Length` promises all of it.
async fn cut(response: Response, dice: u64) -> Response {
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    if bytes.is_empty() {
        return closed();
    }
    let kept = (dice % bytes.len() as u64) as usize;
    let promised = bytes.len() as u64;
    Response::from_parts(parts, Body::new(Broken::new(bytes.slice(..kept), promised)))
}

/// No answer: the connection is closed before its first byte.
fn closed() -> Response {
    Response::new(Body::new(Broken::new(Bytes::new(), 1)))
}

/// A body that breaks off.
struct Broken {
    left: Option<Bytes>,
    promised: u64,
    rested: bool,
}

impl Broken {
    fn new(kept: Bytes, promised: u64) -> Self {
        Broken {
            left: (!kept.is_empty()).then_some(kept),
            promised,
            rested: false,
        }
    }
}

/// Why the body ends. Nobody reads it: the server closes the connection on it.
#[derive(Debug)]
struct BrokeOff;

impl fmt::Display for BrokeOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated: the answer breaks off")
    }
}

impl std::error::Error for BrokeOff {}

impl HttpBody for Broken {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        if let Some(bytes) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // With a body begun, the server gets one turn to send it before the connection ends.
        if self.promised > 1 && !self.rested {
            self.rested = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(BrokeOff)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
