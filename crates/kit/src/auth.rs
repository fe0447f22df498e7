//! How calls are authorised. Applied when a call leaves, never before, so that nonces and times are fresh.

mod oauth1;
mod session;

pub use oauth1::{OAuth1, Place};
pub use session::{Login, Session, Ticket};

use crate::http::Outgoing;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_model::fault::Fault;
use jiff::Timestamp;

/// How calls are authorised. A login that yields a cookie or token is a [`Session`] around the calls.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic {
        /// User, or public part of a key.
        user: String,
        /// Password, or secret part of a key.
        password: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// A header of the vendor's own.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
    /// Parameters of the query. They land in the server's own logs: use it only where a server strips headers.
    Query(Vec<(String, Secret)>),
    /// OAuth 1.0a.
    OAuth1(OAuth1),
}

impl Auth {
    /// The secrets in it, so that tapes can be cleaned of them.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Auth::None => Vec::new(),
            Auth::Basic { user, password } => {
                let header = BASE64.encode(format!("{user}:{}", password.expose()));
                vec![password.clone(), Secret::new(user), Secret::new(header)]
            }
            Auth::Bearer(token) | Auth::Header { value: token, .. } => vec![token.clone()],
            Auth::Query(pairs) => pairs.iter().map(|(_, value)| value.clone()).collect(),
            Auth::OAuth1(oauth) => oauth.secrets(),
        }
    }

    pub(crate) fn authorise(&self, outgoing: &mut Outgoing, now: Timestamp) -> Result<(), Fault> {
        match self {
            Auth::None => {}
            Auth::Basic { user, password } => {
                let pair = BASE64.encode(format!("{user}:{}", password.expose()));
                set_header(outgoing, "authorization", format!("Basic {pair}"));
            }
            Auth::Bearer(token) => {
                let value = format!("Bearer {}", token.expose());
                set_header(outgoing, "authorization", value);
            }
            Auth::Header { name, value } => {
                set_header(
                    outgoing,
                    &name.to_ascii_lowercase(),
                    value.expose().to_owned(),
                );
            }
            Auth::Query(pairs) => {
                let pairs = pairs.iter();
                outgoing
                    .query
                    .extend(pairs.map(|(name, value)| (name.clone(), value.expose().to_owned())));
            }
            Auth::OAuth1(oauth) => oauth.authorise(outgoing, now)?,
        }
        Ok(())
    }
}

pub(crate) fn set_header(outgoing: &mut Outgoing, name: &str, value: String) {
    outgoing.headers.retain(|(known, _)| known != name);
    outgoing.headers.push((name.to_owned(), value));
}
