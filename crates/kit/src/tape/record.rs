//! Writes tapes of what is exchanged, cleaned of secrets and personal data. For connector authors; off unless asked for.

use crate::http::{Answer, Outgoing};
use crate::secret::Secret;
use crate::tape::{Exchange, Headers, Redactor, Request, Response};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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

/// Writes one numbered file per exchange into a folder.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    written: usize,
    redactor: Redactor,
}

impl Recorder {
    /// Makes the folder; numbering goes on after what it holds.
    pub(crate) fn open(folder: &Path, secrets: Vec<Secret>) -> Result<Self, Fault> {
        let unusable = |_| Fault::refused(Code::BadValue, "the folder for tapes cannot be used");
        std::fs::create_dir_all(folder).map_err(unusable)?;
        let written = std::fs::read_dir(folder).map_err(unusable)?.count();
        Ok(Recorder {
            folder: folder.to_owned(),
            state: Mutex::new(State {
                written,
                redactor: Redactor::new(secrets),
            }),
        })
    }

    /// Writes one exchange. A tape that cannot be written never fails the call.
    pub(crate) fn write(&self, outgoing: &Outgoing, answer: &Answer) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.written += 1;
        let name = format!(
            "{:03}-{}.json",
            state.written,
            outgoing.what.replace(['.', '/', ' '], "-")
        );
        let exchange = clean(&mut state.redactor, outgoing, answer);
        let written = serde_json::to_vec_pretty(&exchange)
            .map_err(std::io::Error::other)
            .and_then(|text| std::fs::write(self.folder.join(&name), text));
        if let Err(error) = written {
            tracing::warn!(tape = name, error = %error.kind(), "a tape was not written");
        }
    }
}

fn clean(redactor: &mut Redactor, outgoing: &Outgoing, answer: &Answer) -> Exchange {
    let mut path = redactor.text(outgoing.url.path());
    if !outgoing.query.is_empty() {
        path = format!("{path}?{}", redactor.query(&outgoing.query));
    }
    let sent = outgoing
        .body
        .as_ref()
        .map(|body| redactor.body(&String::from_utf8_lossy(body)));
    Exchange {
        note: format!("{} answers {}", outgoing.what, answer.status),
        request: Request {
            method: outgoing.method.as_str().to_owned(),
            path,
            headers: kept(redactor, &outgoing.headers),
            body: sent,
        },
        response: Response {
            status: answer.status,
            headers: kept(redactor, &answer.headers),
            body: redactor.body(&String::from_utf8_lossy(&answer.body)),
        },
    }
}

fn kept(redactor: &mut Redactor, headers: &[(String, String)]) -> Headers {
    let mut kept = Headers::new();
    for (name, value) in headers {
        if !KEPT.contains(&name.as_str()) {
            continue;
        }
        let value = redactor.header(name, value);
        kept.entry(name.clone())
            .and_modify(|values| {
                values.push('\n');
                values.push_str(&value);
            })
            .or_insert(value);
    }
    kept
}
