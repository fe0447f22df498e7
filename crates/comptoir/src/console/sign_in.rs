//! Signing in and out, and the first user by a one-time link.

use super::caller::{self, Act, Fields, LASTS_MS, comes_from_here, cookie_name};
use super::refusal::{Refusal, Said};
use super::visitor::Visitor;
use super::{Desk, frame, password, wording};
use axum::Extension;
use axum::extract::{Form, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use comptoir_model::code::{Code, Language};
use comptoir_store::{Person, Role, Store, StoreError};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Failures of one name or address before each further try has to wait.
const FREE: i64 = 5;
/// The longest wait, and how long failures are remembered.
const LONGEST_MS: i64 = 15 * 60_000;
/// How long the one-time link holds.
const FIRST_MS: i64 = 24 * 3_600_000;
/// The cookie that ties a sign-in form to the browser it was shown in.
const FORM: &str = "comptoir_form";

/// The fields of a form sent by nobody in particular.
type Typed = Form<Vec<(String, String)>>;

/// Makes the one-time link with which the first user is made, unless there is one. It replaces any before it.
pub async fn one_time_link(store: &Store, address: &str) -> Result<Option<String>, StoreError> {
    if store.has_people().await? {
        return Ok(None);
    }
    let key = password::secret();
    let until = store.now().await? + FIRST_MS;
    store.set_first_key(&password::kept(&key), until).await?;
    Ok(Some(format!("{address}/first?key={key}")))
}

fn set_cookie(response: &mut Response, name: &str, value: &str, https: bool, seconds: i64) {
    let secure = if https { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// An address inside of the console to go to, from what a form or link says.
fn inside(next: &str) -> &str {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    if ours { next } else { "/" }
}

/// `GET /language/fr`: keeps the language and goes back.
pub async fn language(
    Path(chosen): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let from = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok());
    let from = from.and_then(|from| from.split_once("://")?.1.split_once('/'));
    let from = from.map(|(_, path)| format!("/{path}")).unwrap_or_default();
    let back = query.get("back").cloned().unwrap_or(from);
    let mut response = Redirect::to(inside(&back)).into_response();
    let chosen = if chosen == "fr" { "fr" } else { "en" };
    let year = 365 * 86_400;
    set_cookie(&mut response, wording::COOKIE, chosen, visitor.https, year);
    response
}

/// What a form of nobody in particular shows and carries.
struct Asked<'a> {
    language: Language,
    problem: Option<String>,
    token: &'a str,
}

impl Asked<'_> {
    fn t<'t>(&self, english: &'t str, french: &'t str) -> &'t str {
        crate::words::either(self.language, english, french)
    }

    fn problem(&self) -> Markup {
        html! {
            input type="hidden" name="form" value=(self.token);
            @if let Some(problem) = &self.problem {
                div.note.bad role="alert" { (super::icon::icon("bad")) div { (problem) } }
            }
        }
    }

    fn sign_in(&self, name: &str, next: &str) -> Markup {
        let title = self.t("Sign in", "Se connecter");
        let body = html! {
            h1 { (title) }
            form.stack method="post" action="/sign-in" {
                (self.problem())
                input type="hidden" name="next" value=(next);
                label.field { span { (self.t("Name", "Nom")) }
                    input name="name" value=(name) autocomplete="username" autocapitalize="none" required autofocus[name.is_empty()]; }
                label.field { span { (self.t("Password", "Mot de passe")) }
                    input name="password" type="password" autocomplete="current-password" required autofocus[!name.is_empty()]; }
                button.btn.go { (title) }
            }
            p.mute { (self.t(
                "Forgotten? Whoever runs the machine sets a new one: comptoir user passwd NAME.",
                "Oublié ? La personne qui gère la machine en choisit un nouveau : comptoir user passwd NOM.")) }
        };
        frame::bare(self.language, title, body)
    }

    fn first(&self, name: &str, key: &str) -> Markup {
        let title = self.t("Welcome. Who are you?", "Bienvenue. Qui êtes-vous ?");
        let body = html! {
            h1 { (title) }
            p.sub { (self.t(
                "You become the administrator of this hub. From then on nobody sees it without signing in.",
                "Vous devenez l’administrateur de ce hub. Dès lors, personne ne le voit sans se connecter.")) }
            form.stack method="post" action="/first" {
                (self.problem())
                input type="hidden" name="key" value=(key);
                label.field { span { (self.t("Name", "Nom")) }
                    input name="name" value=(name) autocomplete="username" autocapitalize="none" required pattern="[a-z0-9._\\-]{2,40}" autofocus;
                    small { (self.t("Small letters, digits, dots and hyphens.", "Minuscules, chiffres, points et tirets.")) } }
                label.field { span { (self.t("Password", "Mot de passe")) }
                    input name="password" type="password" autocomplete="new-password" required minlength=(password::SHORTEST);
                    small { (self.t("12 characters or more; a few words are best.", "12 caractères ou plus ; quelques mots, c’est le mieux.")) } }
                button.btn.go { (self.t("Begin", "Commencer")) }
            }
        };
        frame::bare(self.language, title, body)
    }
}

/// Shows a form that carries a token which the same browser has as a cookie.
fn show(status: StatusCode, visitor: Visitor, token: &str, page: Markup) -> Response {
    let mut response = (status, page).into_response();
    set_cookie(&mut response, FORM, token, visitor.https, 3_600);
    response
}

/// Whether such a form comes back from the browser it was shown in.
fn is_own(headers: &HeaderMap, fields: &Fields) -> bool {
    let kept = wording::cookie(headers, FORM).unwrap_or_default();
    comes_from_here(headers) && kept.len() == 64 && fields.get("form") == kept
}

/// `GET /sign-in`.
pub async fn page(
    State(desk): State<Desk>,
    Query(query): Query<BTreeMap<String, String>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let language = wording::language_of(&headers);
    match desk.store().has_people().await {
        Ok(true) => {}
        Ok(false) => {
            let refusal = Refusal::new(Code::NoUserYet).with(
                "Open the one-time link that comptoir serve printed when it started, or make a user: comptoir user add.",
                "Ouvrir le lien à usage unique affiché au démarrage de comptoir serve, ou créer un compte : comptoir user add.",
            );
            return refusal.say(language);
        }
        Err(error) => return Refusal::from(error).say(language),
    }
    let token = password::secret();
    let next = query.get("next").map_or("/", |next| inside(next));
    let asked = Asked {
        language,
        problem: None,
        token: &token,
    };
    show(StatusCode::OK, visitor, &token, asked.sign_in("", next))
}

/// Whom failures are counted for: the name, and the address it comes from. Both as hashes: what people type by mistake is often a
/// password.
fn knockers(name: &str, visitor: Visitor) -> [String; 2] {
    let hash = |text: String| {
        let bytes = password::kept(&text);
        bytes[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    };
    [
        hash(format!("name {name}")),
        hash(format!("address {}", visitor.address)),
    ]
}

/// How long a next try has to wait, in milliseconds.
fn wait_ms(knocks: &[(i64, i64)], now: i64) -> i64 {
    let waits = knocks.iter().filter(|(failed, _)| *failed >= FREE);
    let waits = waits.map(|(failed, at)| {
        let exponent = u32::try_from((failed - FREE).min(10)).unwrap_or(10);
        at + (2_000_i64 << exponent).min(LONGEST_MS) - now
    });
    waits.max().unwrap_or(0).max(0)
}

/// `POST /sign-in`.
pub async fn enter(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Typed,
) -> Result<Response, Said> {
    let language = wording::language_of(&headers);
    let said = |refusal: Refusal| Said(refusal, language);
    let broken = |error: StoreError| said(error.into());
    let fields = Fields(fields);
    if !is_own(&headers, &fields) {
        return Err(said(Refusal::new(Code::ForeignForm)));
    }
    let (name, next) = (fields.get("name"), inside(fields.get("next")));
    let store = desk.store();
    let who = knockers(name, visitor);
    let now = store.now().await.map_err(broken)?;
    let knocks = store.knocks(&who).await.map_err(broken)?;
    let wait = wait_ms(&knocks, now);
    let token = password::secret();
    let again = |refusal: Refusal| {
        let asked = Asked {
            language,
            problem: Some(refusal.words(language)),
            token: &token,
        };
        show(refusal.status(), visitor, &token, asked.sign_in(name, next))
    };
    if wait > 0 {
        let span = wording::span(language, wait.max(1_000));
        let refusal = Refusal::new(Code::TooManySignIns).with(
            format!("Next try in {span}."),
            format!("Prochain essai dans {span}."),
        );
        return Ok(again(refusal));
    }
    let person = store.person(name).await.map_err(broken)?;
    let person = person.filter(|person| !person.disabled);
    let kept = person.as_ref().map(|person| person.password.clone());
    let fits = password::check(&desk, fields.raw("password").to_owned(), kept).await;
    let (Some(person), true) = (person, fits) else {
        store.knock(&who, now - LONGEST_MS).await.map_err(broken)?;
        tracing::warn!(code = %Code::WrongPassword, "a sign-in failed");
        return Ok(again(Refusal::new(Code::WrongPassword)));
    };
    store.forgive_knocks(&who[0]).await.map_err(broken)?;
    let response = admit(store, visitor, &person.name, next).await;
    let response = response.map_err(broken)?;
    let noted = store.audit(&person.name, "sign-in", "", "").await;
    noted.map_err(broken)?;
    Ok(response)
}

/// Begins a session and goes on.
async fn admit(
    store: &Store,
    visitor: Visitor,
    name: &str,
    next: &str,
) -> Result<Response, StoreError> {
    let secret = password::secret();
    store
        .begin_session(&password::kept(&secret), name, LASTS_MS)
        .await?;
    let mut response = Redirect::to(next).into_response();
    let cookie = cookie_name(visitor.https);
    set_cookie(
        &mut response,
        cookie,
        &secret,
        visitor.https,
        LASTS_MS / 1_000,
    );
    Ok(response)
}

/// `POST /sign-out`.
pub async fn leave(act: Act) -> Result<Response, Said> {
    let caller = &act.caller;
    let ended = caller.store().end_session(&caller.session).await;
    ended.map_err(|error| caller.broken(error))?;
    caller.did("sign-out", "", "").await?;
    let mut response = Redirect::to("/sign-in").into_response();
    let https = caller.visitor.https;
    set_cookie(&mut response, caller::cookie_name(https), "", https, 0);
    Ok(response)
}

/// `GET /first?key=…`.
pub async fn first(
    State(desk): State<Desk>,
    Query(query): Query<BTreeMap<String, String>>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Response {
    let language = wording::language_of(&headers);
    let key = query.get("key").map_or("", String::as_str);
    match desk.store().is_first_key(&password::kept(key)).await {
        Ok(true) => {}
        Ok(false) => return Refusal::new(Code::WrongFirstKey).say(language),
        Err(error) => return Refusal::from(error).say(language),
    }
    let token = password::secret();
    let asked = Asked {
        language,
        problem: None,
        token: &token,
    };
    show(StatusCode::OK, visitor, &token, asked.first("", key))
}

/// Whether a name may be a user's.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    (2..=40).contains(&name.len()) && name.chars().all(plain)
}

/// `POST /first`.
pub async fn make_first(
    State(desk): State<Desk>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    Form(fields): Typed,
) -> Result<Response, Said> {
    let language = wording::language_of(&headers);
    let said = |refusal: Refusal| Said(refusal, language);
    let broken = |error: StoreError| said(error.into());
    let fields = Fields(fields);
    if !is_own(&headers, &fields) {
        return Err(said(Refusal::new(Code::ForeignForm)));
    }
    let (name, key) = (fields.get("name"), fields.get("key"));
    let typed = fields.raw("password");
    if !is_name(name) || !password::is_strong(name, typed) {
        let token = password::secret();
        let code = if is_name(name) {
            Code::WeakPassword
        } else {
            Code::BadRequest
        };
        let asked = Asked {
            language,
            problem: Some(code.title(language).to_owned()),
            token: &token,
        };
        let page = asked.first(name, key);
        return Ok(show(
            StatusCode::UNPROCESSABLE_ENTITY,
            visitor,
            &token,
            page,
        ));
    }
    let store = desk.store();
    let Some(hash) = password::hash_beside(&desk, typed.to_owned()).await else {
        return Err(said(Refusal::new(Code::StoreBroken)));
    };
    let person = Person {
        name: name.to_owned(),
        role: Role::Admin,
        password: hash,
        disabled: false,
        made_at: store.now().await.map_err(broken)?,
        made_by: name.to_owned(),
        seen_at: None,
    };
    let made = store.add_first_person(&person, &password::kept(key)).await;
    if !made.map_err(broken)? {
        return Err(said(Refusal::new(Code::WrongFirstKey)));
    }
    let noted = store.audit(name, "first-user", name, "").await;
    noted.map_err(broken)?;
    admit(store, visitor, name, "/").await.map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_cost_more_and_more_time() {
        assert_eq!(wait_ms(&[], 0), 0);
        assert_eq!(wait_ms(&[(4, 1_000)], 1_000), 0);
        assert_eq!(wait_ms(&[(5, 1_000)], 1_000), 2_000);
        assert_eq!(wait_ms(&[(5, 1_000), (8, 1_000)], 1_000), 16_000);
        assert_eq!(wait_ms(&[(90, 1_000)], 1_000), LONGEST_MS);
        assert_eq!(wait_ms(&[(5, 1_000)], 4_000), 0);
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        for there in [
            "https://example.com",
            "//example.com",
            "/\\example.com",
            "x",
            "",
        ] {
            assert_eq!(inside(there), "/", "{there}");
        }
        assert_eq!(inside("/log?before=3"), "/log?before=3");
    }

    #[test]
    fn names_are_plain() {
        assert!(is_name("ana.lopez-2"));
        for bad in ["a", "Ana", "ana lopez", "<b>", ""] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
