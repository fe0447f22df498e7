//! The two faces of one API: `/jsonrpc` up to Odoo 18, `/json/2` from 19.

use super::fault;
use super::progress::Progress;
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Effect, Http, Priority, encode};
use comptoir_kit::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::{Fault, Next};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a write may take: below Odoo's own limit of 120 s, above what its retries of a contended write need.
const WRITING: Duration = Duration::from_secs(90);
/// How long a reading may take.
const READING: Duration = Duration::from_secs(60);

/// Which API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    /// `/jsonrpc`, every answer 200.
    JsonRpc,
    /// `/json/2/{model}/{method}`, named arguments, real statuses.
    Json2,
}

/// One call of a method of a model.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    what: &'static str,
    model: &'static str,
    method: &'static str,
    ids: Option<Vec<i64>>,
    args: Vec<(&'static str, Value)>,
    options: Vec<(&'static str, Value)>,
    context: Map<String, Value>,
    effect: Effect,
    priority: Priority,
    until: Option<Instant>,
}

impl Ask {
    /// A call that changes nothing.
    pub(super) fn read(what: &'static str, model: &'static str, method: &'static str) -> Self {
        Ask {
            what,
            model,
            method,
            ids: None,
            args: Vec::new(),
            options: Vec::new(),
            context: Map::new(),
            effect: Effect::Read,
            priority: Priority::Orders,
            until: None,
        }
    }

    /// A call that may change something, to be given up at an instant.
    pub(super) fn write(
        what: &'static str,
        model: &'static str,
        method: &'static str,
        until: Instant,
    ) -> Self {
        Ask {
            effect: Effect::Write,
            until: Some(until),
            ..Ask::read(what, model, method)
        }
    }

    /// `search_read` of fields.
    pub(super) fn search(
        what: &'static str,
        model: &'static str,
        domain: Value,
        fields: &[&str],
    ) -> Self {
        Ask::read(what, model, "search_read")
            .arg("domain", domain)
            .option("fields", json!(fields))
    }

    /// The records it is about. Without ids `/json/2` says yes to a write or an action and does nothing.
    pub(super) fn ids(mut self, ids: &[i64]) -> Self {
        self.ids = Some(ids.to_vec());
        self
    }

    /// An argument; by position on one face, by name on the other.
    pub(super) fn arg(mut self, name: &'static str, value: Value) -> Self {
        self.args.push((name, value));
        self
    }

    /// An argument that goes by name on both faces.
    pub(super) fn option(mut self, name: &'static str, value: Value) -> Self {
        self.options.push((name, value));
        self
    }

    /// An entry of the context.
    pub(super) fn context(mut self, name: &str, value: Value) -> Self {
        self.context.insert(name.to_owned(), value);
        self
    }

    /// Archived records too.
    pub(super) fn archived_too(self) -> Self {
        self.context("active_test", json!(false))
    }

    /// Its place in the queue.
    pub(super) fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    fn subject(&self) -> String {
        format!("{}.{}", self.model, self.method)
    }
}

/// An opened database.
#[derive(Clone)]
pub(super) struct Rpc {
    pub(super) http: Http,
    pub(super) face: Face,
    pub(super) database: String,
    pub(super) uid: i64,
    pub(super) key: Secret,
    /// The context of every call.
    pub(super) context: Map<String, Value>,
    /// While it is opened or probed: what an interrupted attempt learnt already.
    pub(super) progress: Option<Arc<Progress>>,
}

impl Rpc {
    /// Makes a call and reads its result.
    ///
    /// # Errors
    /// What [`fault`] makes of Odoo's refusal, and the faults of [`Http::send`].
    pub(super) async fn call<T: DeserializeOwned>(&self, ask: Ask) -> Result<T, Fault> {
        let subject = ask.subject();
        let effect = ask.effect;
        let call = self.request(ask)?;
        let progress = self.progress.as_ref().filter(|_| effect == Effect::Read);
        // By digest: the body of one face holds the key.
        let body = call.body.as_deref().unwrap_or_default();
        let asked = progress.map(|_| format!("{subject} {}", Digest::of(body)));
        if let (Some(progress), Some(asked)) = (progress, &asked)
            && let Some(known) = progress.known(asked)
        {
            return result(&known, &subject, effect);
        }
        let answer = self.http.send(call).await?;
        let raw = unwrap(self.face, &answer, &subject, &self.database)?;
        if let (Some(progress), Some(asked)) = (progress, asked) {
            progress.keep(asked, &raw);
        }
        result(&raw, &subject, effect)
    }

    /// The same, going on from what an interrupted attempt learnt.
    pub(super) fn going_on(&self, progress: &Arc<Progress>) -> Rpc {
        Rpc {
            progress: Some(progress.clone()),
            ..self.clone()
        }
    }

    fn request(&self, ask: Ask) -> Result<Call, Fault> {
        let deadline = match ask.until {
            None => READING,
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                if left < Duration::from_secs(1) {
                    let why = format!(
                        "`{}` was not sent: the time for this batch is over",
                        ask.what
                    );
                    return Err(Fault::later(Code::TimedOut, why));
                }
                left.min(WRITING)
            }
        };
        let mut context = self.context.clone();
        context.extend(ask.context);
        let call = match self.face {
            Face::JsonRpc => {
                let ids = ask.ids.into_iter().map(|ids| json!(ids));
                let args: Vec<Value> = ids
                    .chain(ask.args.into_iter().map(|(_, value)| value))
                    .collect();
                let mut named: Map<String, Value> = named(ask.options);
                named.insert("context".to_owned(), Value::Object(context));
                let key = self.key.expose();
                let args = json!([
                    self.database,
                    self.uid,
                    key,
                    ask.model,
                    ask.method,
                    args,
                    named
                ]);
                service(ask.what, "object", "execute_kw", args)?
            }
            Face::Json2 => {
                let mut body = named(ask.args);
                body.extend(named(ask.options));
                if let Some(ids) = ask.ids {
                    body.insert("ids".to_owned(), json!(ids));
                }
                body.insert("context".to_owned(), Value::Object(context));
                let path = format!("json/2/{}/{}", encode(ask.model), encode(ask.method));
                Call::post(ask.what, path)
                    .header("x-odoo-database", &self.database)
                    .json(&body)?
            }
        };
        let call = call.deadline(deadline).priority(ask.priority);
        Ok(match ask.effect {
            Effect::Read => call.reading(),
            Effect::Write => call,
        })
    }
}

fn named(pairs: Vec<(&'static str, Value)>) -> Map<String, Value> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A call of one of the services behind `/jsonrpc`.
pub(super) fn service(
    what: &'static str,
    service: &str,
    method: &str,
    args: Value,
) -> Result<Call, Fault> {
    let params = json!({"service": service, "method": method, "args": args});
    let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params});
    Call::post(what, "jsonrpc").json(&body)
}

/// What `/jsonrpc` answers. A method that returns nothing leaves `result` out.
#[derive(Deserialize)]
struct Envelope {
    jsonrpc: String,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<RpcError>,
}

#[derive(Deserialize)]
struct RpcError {
    #[serde(default)]
    data: Option<Exception>,
}

/// An exception; of its texts only the name is read. `debug` holds a traceback and is never touched.
#[derive(Deserialize)]
struct Exception {
    name: String,
}

/// The result inside an answer.
///
/// # Errors
/// The fault of the exception or of an answer that is not Odoo's.
pub(super) fn unwrap(
    face: Face,
    answer: &Answer,
    subject: &str,
    database: &str,
) -> Result<Box<RawValue>, Fault> {
    let null = || RawValue::from_string("null".to_owned()).map_err(|_| Fault::bug("no null"));
    match face {
        Face::JsonRpc => {
            let envelope = answer
                .json_if::<Envelope>()
                .filter(|envelope| answer.is_success() && envelope.jsonrpc == "2.0")
                .ok_or_else(|| fault::not_odoo(answer, subject))?;
            match (envelope.error, envelope.result) {
                (Some(error), _) => {
                    let name = error.data.map(|data| data.name).unwrap_or_default();
                    Err(fault::of_exception(&name, subject, answer.effect))
                }
                (None, Some(result)) => Ok(result),
                (None, None) => null(),
            }
        }
        Face::Json2 if answer.is_success() => answer
            .json_if::<Box<RawValue>>()
            .ok_or_else(|| fault::not_odoo(answer, subject)),
        Face::Json2 => Err(match answer.json_if::<Exception>() {
            Some(exception) => fault::of_exception(&exception.name, subject, answer.effect),
            // With an unknown database no controller of `/json/2` exists, and a page of HTML says so.
            None if answer.status == 404 => fault::wrong_database(database),
            None => fault::not_odoo(answer, subject),
        }),
    }
}

/// Reads a result.
///
/// # Errors
/// [`Next::Bug`] for a read, [`Next::Unknown`] for a write, which may well have been done.
pub(super) fn result<T: DeserializeOwned>(
    raw: &RawValue,
    subject: &str,
    effect: Effect,
) -> Result<T, Fault> {
    decode::json(raw.get().as_bytes()).map_err(|fault| {
        let next = match effect {
            Effect::Read => fault.next,
            Effect::Write => Next::Unknown,
        };
        let why = format!("the answer of `{subject}` is not understood: {}", fault.why);
        Fault { next, why, ..fault }
    })
}
