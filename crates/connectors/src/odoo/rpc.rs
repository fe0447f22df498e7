//! The two faces of one API: `/jsonrpc` up to Odoo 18, `/json/2` from 19.

use super::fault;
use super::progress::Progress;
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Effect, Http, Priority, encode};
use comptoir_kit::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::{Fault, Next};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
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

/// An argument by its name, as the JSON text that is sent.
type Argument = (&'static str, Box<RawValue>);

/// One call of a method of a model.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    what: &'static str,
    model: &'static str,
    method: &'static str,
    ids: Option<Vec<i64>>,
    args: Vec<Argument>,
    options: Vec<Argument>,
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
    pub(super) fn arg(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.args.push((name, text_of(&value)));
        self
    }

    /// An argument that goes by name on both faces.
    pub(super) fn option(mut self, name: &'static str, value: impl Serialize) -> Self {
        self.options.push((name, text_of(&value)));
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
            progress.keep(asked, raw);
        }
        result(raw, &subject, effect)
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
                let ids = ask.ids.into_iter().map(|ids| text_of(&ids));
                let args = ask.args.into_iter().map(|(_, value)| value);
                let args: Vec<Box<RawValue>> = ids.chain(args).collect();
                let mut named = ask.options;
                named.push(("context", text_of(&context)));
                let args = (
                    &self.database,
                    self.uid,
                    self.key.expose(),
                    ask.model,
                    ask.method,
                    args,
                    Named(named),
                );
                service(ask.what, "object", "execute_kw", args)?
            }
            Face::Json2 => {
                let mut body = ask.args;
                body.extend(ask.options);
                body.extend(ask.ids.map(|ids| ("ids", text_of(&ids))));
                body.push(("context", text_of(&context)));
                let path = format!("json/2/{}/{}", encode(ask.model), encode(ask.method));
                Call::post(ask.what, path)
                    .header("x-odoo-database", &self.database)
                    .json(&Named(body))?
            }
        };
        let call = call.deadline(deadline).priority(ask.priority);
        Ok(match ask.effect {
            Effect::Read => call.reading(),
            Effect::Write => call,
        })
    }
}

/// A value as JSON text. No tree in between: a batch of orders has thousands of cells.
fn text_of(value: &impl Serialize) -> Box<RawValue> {
    // What is sent is plain data and always has a JSON form.
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Arguments as a JSON object.
struct Named(Vec<Argument>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A call of one of the services behind `/jsonrpc`.
pub(super) fn service(
    what: &'static str,
    service: &str,
    method: &str,
    args: impl Serialize,
) -> Result<Call, Fault> {
    let request = Request {
        jsonrpc: "2.0",
        method: "call",
        id: 1,
        params: Params {
            service,
            method,
            args,
        },
    };
    Call::post(what, "jsonrpc").json(&request)
}

/// What `/jsonrpc` is sent.
#[derive(Serialize)]
struct Request<'a, A> {
    jsonrpc: &'a str,
    method: &'a str,
    id: u32,
    params: Params<'a, A>,
}

#[derive(Serialize)]
struct Params<'a, A> {
    service: &'a str,
    method: &'a str,
    args: A,
}

/// What `/jsonrpc` answers. A method that returns nothing leaves `result` out.
#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: String,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
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
pub(super) fn unwrap<'a>(
    face: Face,
    answer: &'a Answer,
    subject: &str,
    database: &str,
) -> Result<&'a RawValue, Fault> {
    match face {
        Face::JsonRpc => {
            let envelope = answer
                .json::<Envelope>()
                .ok()
                .filter(|envelope| answer.is_success() && envelope.jsonrpc == "2.0")
                .ok_or_else(|| fault::not_odoo(answer, subject))?;
            match (envelope.error, envelope.result) {
                (Some(error), _) => {
                    let name = error.data.map(|data| data.name).unwrap_or_default();
                    Err(fault::of_exception(&name, subject, answer.effect))
                }
                (None, Some(result)) => Ok(result),
                (None, None) => Ok(RawValue::NULL),
            }
        }
        Face::Json2 if answer.is_success() => answer
            .json::<&RawValue>()
            .map_err(|_| fault::not_odoo(answer, subject)),
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
