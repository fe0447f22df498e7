//! The only way a connector reaches the network: one [`Http`] per remote account.
//!
//! - every call has a deadline, which includes the wait for a slot of the [`crate::governor`];
//! - only addresses below the configured base are called, redirects are refused;
//! - requests and answers have a largest size, checked while streaming;
//! - a call that failed on its way becomes a [`Fault`] that says whether it may have been done; a status never does: that is the
//!   connector's to say;
//! - nothing is tried twice;
//! - logs hold connection, operation, method, path, status, bytes and milliseconds: no query, header or body.

mod address;
mod call;
mod count;
mod transport;

pub use address::encode;
pub use call::{Answer, Call, Effect, Method, Priority};
pub use count::Counter;

pub(crate) use address::encode_query;
pub(crate) use call::LONGEST_WAIT;
pub(crate) use transport::{Outgoing, Parts};

use crate::auth::Auth;
use crate::clock::Clock;
use crate::governor::{Governor, Outcome};
use crate::tape::{Exchange, Matching, Recording, Replay};
use address::Base;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::ConnectionName;
use count::Counters;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use transport::{Failure, Transport};

/// How an [`Http`] behaves.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// How calls are authorised.
    pub auth: Auth,
    /// Calls at once, at most. The governor may go lower.
    pub slots: usize,
    /// The deadline of calls that name none.
    pub deadline: Duration,
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// Largest answer in bytes, uncompressed.
    pub answer_limit: usize,
    /// Largest request body in bytes.
    pub request_limit: usize,
    /// Headers of every call.
    pub headers: Vec<(String, String)>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        HttpOptions {
            auth: Auth::None,
            slots: 4,
            deadline: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            answer_limit: 32 * 1024 * 1024,
            request_limit: 32 * 1024 * 1024,
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
        }
    }
}

/// Opens the HTTP side of a connection: on the network, or on tapes in tests.
#[derive(Debug, Clone)]
pub struct HttpMaker {
    connection: ConnectionName,
    clock: Clock,
    replay: Option<Replay>,
    recording: Option<Recording>,
}

impl HttpMaker {
    /// Calls go to the network.
    pub fn network(connection: ConnectionName) -> Self {
        HttpMaker {
            connection,
            clock: Clock::system(),
            replay: None,
            recording: None,
        }
    }

    /// Calls are answered from tapes.
    pub fn replaying(connection: ConnectionName, replay: Replay) -> Self {
        HttpMaker {
            replay: Some(replay),
            ..HttpMaker::network(connection)
        }
    }

    /// The same with another clock for signatures and arrival times.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The same, with everything that is exchanged kept for tapes, cleaned of secrets and personal data.
    pub fn recording(mut self, recording: Recording) -> Self {
        self.recording = Some(recording);
        self
    }

    /// Opens an account at a base address. Makes no call.
    ///
    /// # Errors
    /// [`Code::BadValue`] for an address that is none, or options that cannot work.
    pub fn open(&self, base: &str, options: HttpOptions) -> Result<Http, Fault> {
        let base = Base::parse(base)?;
        let transport = match &self.replay {
            Some(replay) => Transport::Tapes(replay.clone()),
            None => Transport::network(options.connect, options.slots)?,
        };
        if let Some(recording) = &self.recording {
            recording.account(options.auth.secrets(), &base.origin());
        }
        Ok(Http(Arc::new(Account {
            connection: self.connection.clone(),
            clock: self.clock.clone(),
            governor: Governor::new(options.slots),
            counters: Counters::default(),
            base,
            transport,
            recording: self.recording.clone(),
            options,
        })))
    }
}

/// One remote account. Cheap to clone; all clones share slots, budget and counters.
#[derive(Clone)]
pub struct Http(Arc<Account>);

struct Account {
    connection: ConnectionName,
    clock: Clock,
    base: Base,
    options: HttpOptions,
    transport: Transport,
    governor: Governor,
    counters: Counters,
    recording: Option<Recording>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({})", self.0.connection)
    }
}

impl Http {
    /// An account that answers from tapes, at `https://tape.example`, without auth.
    ///
    /// # Errors
    /// As [`HttpMaker::open`].
    pub fn replay(exchanges: Vec<Exchange>, matching: Matching) -> Result<Http, Fault> {
        let connection = "tape"
            .parse()
            .map_err(|_| Fault::bug("`tape` is a connection name"))?;
        HttpMaker::replaying(connection, Replay::new(exchanges, matching))
            .open("https://tape.example", HttpOptions::default())
    }

    /// Makes one call, once.
    ///
    /// # Errors
    /// - not sent: [`Next::Later`] ([`Code::Unreachable`] without a connection, [`Code::TooManyRequests`] without a slot in half the
    ///   deadline or while the account rests), or a refusal of the call itself;
    /// - sent and no whole answer ([`Code::TimedOut`], [`Code::AnswerCut`], [`Code::TooLarge`]): [`Next::Unknown`] for a write,
    ///   [`Next::Later`] for a read (a read's answer that is too large is [`Next::Refused`]);
    /// - redirected ([`Code::Redirected`]): [`Next::Locked`], or [`Next::Unknown`] where a write may have been done first.
    pub async fn send(&self, mut call: Call) -> Result<Answer, Fault> {
        let account = &*self.0;
        let began = Instant::now();
        let limit = call.deadline.unwrap_or(account.options.deadline);
        let mut outgoing = account.prepare(&mut call)?;
        let slot = account
            .governor
            .enter(call.priority, began + limit / 2)
            .await
            .map_err(|refusal| refusal.fault())?;
        // Signed only now: a nonce and its time must be fresh when they leave.
        account
            .options
            .auth
            .authorise(&mut outgoing, account.clock.now())?;
        let exchange = account
            .transport
            .exchange(&outgoing, account.options.answer_limit);
        let result = match tokio::time::timeout_at(began + limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(Failure::TimedOut),
        };
        let result = result.map(|(status, headers, body)| Answer {
            status,
            headers,
            body,
            effect: call.effect,
            at: account.clock.now(),
        });
        slot.leave(match &result {
            Ok(answer) => Outcome::Answered(answer),
            Err(Failure::NotSent(_) | Failure::Unusable(_)) => Outcome::NotSent,
            Err(_) => Outcome::Lost,
        });
        account.note(&call, &outgoing, &result, began.elapsed());
        let answer = result.map_err(|failure| failure.fault(&call, limit))?;
        account.refuse_redirect(&answer)?;
        Ok(answer)
    }

    /// Says that an answer's body asked to slow down, for how long if it said so.
    pub fn throttled(&self, wait: Option<Duration>) {
        self.0.governor.throttled(wait);
    }

    /// How long this account should be left alone; none when calls may go now.
    pub fn rests(&self) -> Option<Duration> {
        self.0.governor.rests()
    }

    /// What was called so far, by operation.
    pub fn counters(&self) -> BTreeMap<&'static str, Counter> {
        self.0.counters.read()
    }

    /// Scheme, host and port of the base address.
    pub fn origin(&self) -> String {
        self.0.base.origin()
    }

    /// The connection this belongs to.
    pub fn connection(&self) -> &ConnectionName {
        &self.0.connection
    }
}

impl Account {
    /// The request of a call, whose body it takes.
    fn prepare(&self, call: &mut Call) -> Result<Outgoing, Fault> {
        let size = call.body.as_ref().map_or(0, Vec::len);
        if size > self.options.request_limit {
            let why = format!(
                "the request has {size} bytes; the limit is {}",
                self.options.request_limit
            );
            return Err(Fault::refused(Code::TooLarge, why));
        }
        let mut headers = self.options.headers.clone();
        for (name, value) in &call.headers {
            headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
            headers.push((name.to_ascii_lowercase(), value.clone()));
        }
        Ok(Outgoing {
            what: call.what,
            method: call.method,
            url: self.base.join(call)?,
            query: call.query.clone(),
            headers,
            body: call.body.take(),
        })
    }

    fn note(
        &self,
        call: &Call,
        outgoing: &Outgoing,
        result: &Result<Answer, Failure>,
        took: Duration,
    ) {
        let sent = outgoing.body.as_ref().map_or(0, Vec::len) as u64;
        let received = result.as_ref().map_or(0, |answer| answer.body.len()) as u64;
        self.counters
            .add(call.what, result.is_ok(), sent, received, took);
        let status = result.as_ref().map_or(0, |answer| answer.status);
        let failure = result.as_ref().err().map_or("", Failure::word);
        tracing::debug!(
            connection = %self.connection,
            operation = call.what,
            method = call.method.as_str(),
            path = outgoing.url.path(),
            status,
            failure,
            sent,
            received,
            ms = took.as_millis() as u64,
            "call"
        );
        if let (Some(recording), Ok(answer)) = (&self.recording, result) {
            recording.keep(outgoing, answer);
        }
    }

    /// A redirect is not followed: it would lead outside the base, or turn a write into a read. Servers that send "see other" after a
    /// write have done it; those that move an address have not.
    fn refuse_redirect(&self, answer: &Answer) -> Result<(), Fault> {
        let Some(location) = answer.header("location") else {
            return Ok(());
        };
        let done_perhaps = match answer.status {
            303 => true,
            302 => self.base.is_same_site(location),
            300 | 301 | 305..=399 => false,
            _ => return Ok(()),
        };
        let next = if done_perhaps && answer.effect == Effect::Write {
            Next::Unknown
        } else {
            Next::Locked
        };
        let target = self.base.shown_target(location);
        let why = format!("{} redirects to {target}", self.base.origin());
        Err(Fault::new(next, Code::Redirected, why))
    }
}
