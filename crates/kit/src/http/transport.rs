//! The wire, or tapes in its place.

use crate::http::address::encode_query;
use crate::http::call::{Call, Effect, Method};
use crate::tape::Replay;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use reqwest::{Client, Url, redirect, retry};
use std::error::Error;
use std::io;
use std::time::Duration;

/// A request about to leave.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) what: &'static str,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl Outgoing {
    /// Path and query as they go on the wire.
    pub(crate) fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.url.path().to_owned()
        } else {
            format!("{}?{}", self.url.path(), encode_query(&self.query))
        }
    }
}

/// Status, headers, body.
pub(crate) type Parts = (u16, Vec<(String, String)>, Vec<u8>);

/// Why there is no whole answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection: the request has surely not left.
    NotSent(String),
    /// The request cannot be sent by anyone, or no tape answers it.
    Unusable(String),
    /// The connection ended before the answer did.
    Cut(&'static str),
    /// The answer passed the limit.
    TooLarge(usize),
    /// The deadline passed.
    TimedOut,
}

impl Failure {
    /// One word for logs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Failure::NotSent(_) => "not_sent",
            Failure::Unusable(_) => "unusable",
            Failure::Cut(_) => "cut",
            Failure::TooLarge(_) => "too_large",
            Failure::TimedOut => "timed_out",
        }
    }

    /// What the engine does next.
    pub(crate) fn fault(self, call: &Call, deadline: Duration) -> Fault {
        let lost = match call.effect {
            Effect::Read => Next::Later { after: None },
            Effect::Write => Next::Unknown,
        };
        let what = call.what;
        match self {
            Failure::NotSent(why) => Fault::later(Code::Unreachable, format!("`{what}`: {why}")),
            Failure::Unusable(why) => Fault::bug(format!("`{what}`: {why}")),
            Failure::Cut(why) => Fault::new(lost, Code::AnswerCut, format!("`{what}`: {why}")),
            Failure::TooLarge(limit) => {
                let next = match call.effect {
                    Effect::Read => Next::Refused,
                    Effect::Write => Next::Unknown,
                };
                let why = format!("`{what}`: the answer is larger than {limit} bytes");
                Fault::new(next, Code::TooLarge, why)
            }
            Failure::TimedOut => {
                let why = format!("`{what}`: no answer within {} s", deadline.as_secs_f32());
                Fault::new(lost, Code::TimedOut, why)
            }
        }
    }
}

/// Where answers come from.
pub(crate) enum Transport {
    /// The network.
    Network(Client),
    /// Tapes.
    Tapes(Replay),
}

impl Transport {
    /// A client with its connection pool.
    pub(crate) fn network(connect: Duration, slots: usize) -> Result<Self, Fault> {
        // The provider is the process's; whoever comes second finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("Comptoir/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            // Only the binary reads the environment.
            .no_proxy()
            .referer(false)
            .connect_timeout(connect)
            // Below the five seconds after which many servers hang up: a write must not meet a connection that is just closing.
            .pool_idle_timeout(Duration::from_secs(4))
            .pool_max_idle_per_host(slots)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| {
                let why = format!("no HTTP client can be made: {}", root(&error));
                Fault::new(Next::Bug, Code::Unreachable, why)
            })?;
        Ok(Transport::Network(client))
    }

    /// One exchange.
    pub(crate) async fn exchange(
        &self,
        outgoing: &Outgoing,
        limit: usize,
    ) -> Result<Parts, Failure> {
        match self {
            Transport::Network(client) => over_network(client, outgoing, limit).await,
            Transport::Tapes(replay) => {
                let parts = replay.answer(outgoing).map_err(Failure::Unusable)?;
                if parts.2.len() > limit {
                    return Err(Failure::TooLarge(limit));
                }
                Ok(parts)
            }
        }
    }
}

async fn over_network(
    client: &Client,
    outgoing: &Outgoing,
    limit: usize,
) -> Result<Parts, Failure> {
    let unusable = |_| Failure::Unusable("the request cannot be built".to_owned());
    let method = reqwest::Method::from_bytes(outgoing.method.as_str().as_bytes())
        .map_err(|_| Failure::Unusable("the method is none".to_owned()))?;
    let mut url = outgoing.url.clone();
    if !outgoing.query.is_empty() {
        url.set_query(Some(&encode_query(&outgoing.query)));
    }
    let mut request = client.request(method, url);
    for (name, value) in &outgoing.headers {
        request = request.header(name, value);
    }
    if let Some(body) = &outgoing.body {
        request = request.body(body.clone());
    }
    let request = request.build().map_err(unusable)?;
    let mut response = client.execute(request).await.map_err(unanswered)?;
    let status = response.status().as_u16();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect();
    if response
        .content_length()
        .is_some_and(|size| size > limit as u64)
    {
        return Err(Failure::TooLarge(limit));
    }
    let size = response.content_length().unwrap_or_default();
    let mut body = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > limit => {
                return Err(Failure::TooLarge(limit));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok((status, headers, body)),
            Err(_) => return Err(Failure::Cut("the answer was cut")),
        }
    }
}

/// Tells "never left" from "left, no answer". Texts are our own: the library's repeat addresses.
fn unanswered(error: reqwest::Error) -> Failure {
    if error.is_builder() {
        return Failure::Unusable("the request cannot be built".to_owned());
    }
    if !error.is_connect() {
        return Failure::Cut("the connection ended without an answer");
    }
    if error.is_timeout() {
        return Failure::NotSent("no connection in time".to_owned());
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if text.contains("dns error") {
            return Failure::NotSent("the name of the host is not known".to_owned());
        }
        if text.contains("certificate") || text.contains("Certificate") {
            return Failure::NotSent(format!("TLS failed: {}", root(inner)));
        }
        if let Some(kind) = inner.downcast_ref::<io::Error>().map(io::Error::kind)
            && kind == io::ErrorKind::ConnectionRefused
        {
            return Failure::NotSent("the connection was refused".to_owned());
        }
        cause = inner.source();
    }
    Failure::NotSent("no connection".to_owned())
}

/// The innermost cause.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}
