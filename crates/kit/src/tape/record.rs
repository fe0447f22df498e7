//! Writes tapes of what is exchanged, cleaned of secrets and personal data. For connector authors; off unless asked for.

use crate::http::{Answer, Outgoing, encode_query};
use crate::secret::Secret;
use crate::tape::{Exchange, Headers, Redactor, Replaced, Request, Response};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Headers that matter for what a connector does; all others are left out.
const KEPT: &[&str] = &[
    "accept",
    "allow",
    "authorization",
    "content-type",
    "cookie",
    "etag",
    "link",
    "location",
    "ratelimit-remaining",
    "ratelimit-reset",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-wp-total",
    "x-wp-totalpages",
];

/// A recording under way: one numbered file per exchange, written when it is finished or its last clone goes. Until then everything is in
/// memory: a name that an answer gives away is taken out of the exchanges before it too, and nothing unclean touches the disk.
#[derive(Debug, Clone)]
pub struct Recording(Arc<Recorder>);

/// What a recording wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// The names of the files, in the order of the exchanges.
    pub files: Vec<String>,
    /// What was replaced in them, and how often.
    pub replaced: BTreeMap<Replaced, usize>,
}

#[derive(Debug)]
struct Recorder {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    redactor: Redactor,
    exchanges: Vec<Raw>,
}

/// An exchange as it was.
#[derive(Debug)]
struct Raw {
    what: &'static str,
    path: String,
    query: Vec<(String, String)>,
    exchange: Exchange,
}

impl Recording {
    /// A recording into a folder, which is made. Numbering goes on after the files that it holds.
    ///
    /// # Errors
    /// [`Code::BadValue`] for a folder that cannot be used.
    pub fn into_folder(folder: &Path) -> Result<Self, Fault> {
        std::fs::create_dir_all(folder).map_err(unusable)?;
        std::fs::read_dir(folder).map_err(unusable)?;
        Ok(Recording(Arc::new(Recorder {
            folder: folder.to_owned(),
            state: Mutex::default(),
        })))
    }

    /// Takes these texts out, wherever they stand. The keys of the authorisation are known without it; those that a connector puts into
    /// bodies are not.
    pub fn watching(self, secrets: Vec<Secret>) -> Self {
        self.0.state().redactor.watch(secrets);
        self
    }

    /// How many exchanges there are so far.
    pub fn exchanges(&self) -> usize {
        self.0.state().exchanges.len()
    }

    /// Cleans and writes what was recorded so far, and begins anew.
    ///
    /// # Errors
    /// [`Code::BadValue`] when the files cannot be written.
    pub fn finish(&self) -> Result<Recorded, Fault> {
        self.0.finish()
    }

    /// Of an account that is recorded: its secrets, and where it is.
    pub(crate) fn account(&self, secrets: Vec<Secret>, origin: &str) {
        let mut state = self.0.state();
        state.redactor.watch(secrets);
        state.redactor.hide(origin);
    }

    /// Keeps one exchange.
    pub(crate) fn keep(&self, outgoing: &Outgoing, answer: &Answer) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let raw = Raw {
            what: outgoing.what,
            path: outgoing.url.path().to_owned(),
            query: outgoing.query.clone(),
            exchange: Exchange {
                note: format!("{} answers {}", outgoing.what, answer.status),
                request: Request {
                    method: outgoing.method.as_str().to_owned(),
                    path: String::new(),
                    headers: kept(&outgoing.headers),
                    body: outgoing.body.as_deref().map(text),
                },
                response: Response {
                    status: answer.status,
                    headers: kept(&answer.headers),
                    body: text(&answer.body),
                },
            },
        };
        self.0.state().exchanges.push(raw);
    }
}

impl Recorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self) -> Result<Recorded, Fault> {
        let mut state = self.state();
        let exchanges = std::mem::take(&mut state.exchanges);
        let redactor = &mut state.redactor;
        let exchanges = exchanges.into_iter().map(|raw| first(redactor, raw));
        let cleaned: Vec<Raw> = exchanges.collect();
        let mut number = highest(&self.folder)?;
        let mut files = Vec::new();
        for raw in cleaned {
            number += 1;
            let what = raw.what;
            let name = format!("{number:03}-{}.json", what.replace(['.', '/', ' '], "-"));
            let exchange = second(redactor, raw);
            let text = serde_json::to_vec_pretty(&exchange);
            let text = text.map_err(|_| Fault::bug("a tape has no JSON form"))?;
            std::fs::write(self.folder.join(&name), text).map_err(unusable)?;
            files.push(name);
        }
        Ok(Recorded {
            files,
            replaced: redactor.replaced().clone(),
        })
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(fault) = self.finish() {
            tracing::warn!(%fault, "tapes were not written");
        }
    }
}

fn unusable(_: std::io::Error) -> Fault {
    Fault::refused(Code::BadValue, "the folder for tapes cannot be used")
}

/// The highest number that a tape of a folder has.
fn highest(folder: &Path) -> Result<usize, Fault> {
    let mut highest = 0;
    for entry in std::fs::read_dir(folder).map_err(unusable)? {
        let name = entry.map_err(unusable)?.file_name();
        let name = name.to_string_lossy();
        let number = name
            .split('-')
            .next()
            .and_then(|number| number.parse().ok());
        highest = highest.max(number.unwrap_or(0));
    }
    Ok(highest)
}

/// Cleaned by fields, forms and given secrets.
fn first(redactor: &mut Redactor, raw: Raw) -> Raw {
    let Exchange {
        note,
        request,
        response,
    } = raw.exchange;
    redactor.request(&raw.path, request.body.as_deref());
    Raw {
        what: raw.what,
        path: redactor.text(&raw.path),
        query: redactor.query(&raw.query),
        exchange: Exchange {
            note,
            request: Request {
                headers: headers(request.headers, |name, value| redactor.header(name, value)),
                body: request.body.map(|body| redactor.body(&body)),
                ..request
            },
            response: Response {
                status: response.status,
                headers: headers(response.headers, |name, value| redactor.header(name, value)),
                body: redactor.body(&response.body),
            },
        },
    }
}

/// Cleaned of what any exchange gave away.
fn second(redactor: &mut Redactor, raw: Raw) -> Exchange {
    let Exchange {
        note,
        request,
        response,
    } = raw.exchange;
    let mut path = redactor.again(&raw.path);
    if !raw.query.is_empty() {
        let again = |(name, value): (String, String)| (name, redactor.again(&value));
        let query: Vec<_> = raw.query.into_iter().map(again).collect();
        path = format!("{path}?{}", encode_query(&query));
    }
    Exchange {
        note,
        request: Request {
            path,
            headers: headers(request.headers, |_, value| redactor.again(value)),
            body: request.body.map(|body| redactor.again(&body)),
            ..request
        },
        response: Response {
            status: response.status,
            headers: headers(response.headers, |_, value| redactor.again(value)),
            body: redactor.again(&response.body),
        },
    }
}

fn headers(headers: Headers, mut clean: impl FnMut(&str, &str) -> String) -> Headers {
    let clean = |(name, values): (String, String)| {
        let values = values.split('\n').map(|value| clean(&name, value));
        let values = values.collect::<Vec<_>>().join("\n");
        (name, values)
    };
    headers.into_iter().map(clean).collect()
}

fn kept(headers: &[(String, String)]) -> Headers {
    let mut kept = Headers::new();
    for (name, value) in headers
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
    {
        kept.entry(name.clone())
            .and_modify(|values| {
                values.push('\n');
                values.push_str(value);
            })
            .or_insert(value.clone());
    }
    kept
}
