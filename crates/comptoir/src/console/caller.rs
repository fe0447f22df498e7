//! Who is signed in, and forms that only their own session can send.

use super::refusal::{Refusal, Said};
use super::visitor::Visitor;
use super::{Desk, Present, password, wording};
use axum::extract::{Form, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use comptoir_model::code::{Code, Language};
use comptoir_store::{Role, Store, StoreError};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// How long a session lasts without use: a working day.
pub const LASTS_MS: i64 = 12 * 3_600_000;

/// The cookie of a session. Over HTTPS its name binds it to this host and to HTTPS.
pub fn cookie_name(https: bool) -> &'static str {
    if https {
        "__Host-comptoir"
    } else {
        "comptoir_session"
    }
}

/// Whoever is signed in, with everything a page needs to speak to that person.
pub struct Caller {
    /// Name.
    pub person: String,
    /// Role.
    pub role: Role,
    /// Language.
    pub language: Language,
    /// What every form carries.
    pub form: String,
    /// The hash of the session's secret.
    pub session: Vec<u8>,
    /// The time zone of the hub.
    pub zone: TimeZone,
    /// Now (unix ms, the store's clock).
    pub now: i64,
    /// The address that was asked for, with its query.
    pub path: String,
    /// Where they come from.
    pub visitor: Visitor,
    /// The desk.
    pub desk: Desk,
    /// The present revision.
    pub present: Arc<Present>,
}

impl Caller {
    /// One of two texts.
    pub fn t<'a>(&self, english: &'a str, french: &'a str) -> &'a str {
        crate::words::either(self.language, english, french)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        self.desk.store()
    }

    /// Whether they may do what this role may.
    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Refuses who may not.
    pub fn needs(&self, role: Role) -> Result<(), Said> {
        if self.may(role) {
            return Ok(());
        }
        Err(self.refuse(Refusal::new(Code::RoleTooLow)))
    }

    /// A refusal in their language.
    pub fn refuse(&self, refusal: Refusal) -> Said {
        Said(refusal, self.language)
    }

    /// A failure of the store in their language.
    pub fn broken(&self, error: StoreError) -> Said {
        self.refuse(error.into())
    }

    /// Notes what they did.
    pub async fn did(&self, what: &str, about: &str, why: &str) -> Result<(), Said> {
        let noted = self.store().audit(&self.person, what, about, why).await;
        noted.map_err(|error| self.broken(error))
    }

    /// A time.
    pub fn moment(&self, ms: i64) -> String {
        wording::moment(self.language, &self.zone, ms, self.now)
    }

    /// How long since a time.
    pub fn ago(&self, ms: i64) -> String {
        wording::span(self.language, self.now - ms)
    }
}

/// The visitor that [`super::guard`] has noted.
pub fn visitor(parts: &Parts) -> Visitor {
    let noted = parts.extensions.get::<Visitor>().copied();
    noted.unwrap_or(Visitor {
        address: std::net::IpAddr::from([0, 0, 0, 0]),
        https: false,
        here: false,
    })
}

impl FromRequestParts<Desk> for Caller {
    type Rejection = Said;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Said> {
        let language = wording::language_of(&parts.headers);
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = path.to_owned();
        let visitor = visitor(parts);
        let said = |refusal: Refusal| Said(refusal, language);
        let secret = wording::cookie(&parts.headers, cookie_name(visitor.https));
        let session = match &secret {
            Some(secret) => desk
                .store()
                .session(&password::kept(secret), LASTS_MS)
                .await
                .map_err(|error| said(error.into()))?,
            None => None,
        };
        let (Some(session), Some(secret)) = (session, secret) else {
            let next = match parts.method {
                Method::GET if path != "/" => format!("/sign-in?next={}", encoded(&path)),
                _ => "/sign-in".to_owned(),
            };
            return Err(said(Refusal::go(next)));
        };
        let present = desk.present();
        let zone = TimeZone::get(&present.config.hub.time_zone).unwrap_or(TimeZone::UTC);
        let now = desk.store().now().await;
        Ok(Caller {
            person: session.person,
            role: session.role,
            language,
            form: password::form_token(&secret),
            session: password::kept(&secret),
            zone,
            now: now.map_err(|error| said(error.into()))?,
            path,
            visitor,
            desk: desk.clone(),
            present,
        })
    }
}

/// A text as part of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The fields of a form.
#[derive(Debug, Default)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// A field without the spaces around it; empty when it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field as it was typed.
    pub fn raw(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// Whether a form comes from a page of ours, by what the browser says of where it was. Old browsers say nothing.
pub fn comes_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    match (text("origin"), headers.get(header::HOST)) {
        (None, _) => true,
        (Some(origin), Some(host)) => {
            let name = origin.split_once("://").map_or(origin, |(_, name)| name);
            host.to_str().is_ok_and(|host| host == name)
        }
        (Some(_), None) => false,
    }
}

/// A form sent by whoever is signed in, with the token of their session in it.
pub struct Act {
    /// Who.
    pub caller: Caller,
    /// What was typed.
    pub fields: Fields,
}

impl FromRequest<Desk> for Act {
    type Rejection = Said;

    async fn from_request(request: Request, desk: &Desk) -> Result<Self, Said> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, desk).await?;
        let from_here = comes_from_here(&parts.headers);
        let request = Request::from_parts(parts, body);
        let form = Form::<Vec<(String, String)>>::from_request(request, desk).await;
        let fields = Fields(form.map(|form| form.0).unwrap_or_default());
        if !from_here || fields.get("form") != caller.form {
            return Err(caller.refuse(Refusal::new(Code::ForeignForm)));
        }
        Ok(Act { caller, fields })
    }
}
