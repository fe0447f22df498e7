//! What the console answers when it cannot do what was asked: what happened, what to do, and the page that says more.

use super::frame;
use super::wording;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use comptoir_model::code::{Code, Language};
use comptoir_store::StoreError;
use maud::html;

/// A refusal, before it has a language.
#[derive(Debug)]
pub struct Refusal {
    /// Code.
    pub code: Code,
    /// More than the code says, in English and in French.
    pub detail: Option<[String; 2]>,
    /// Where to go instead of showing it.
    pub instead: Option<String>,
}

impl Refusal {
    /// A refusal that its code says all about.
    pub fn new(code: Code) -> Self {
        Refusal {
            code,
            detail: None,
            instead: None,
        }
    }

    /// With more words.
    pub fn with(mut self, english: impl Into<String>, french: impl Into<String>) -> Self {
        self.detail = Some([english.into(), french.into()]);
        self
    }

    /// Goes somewhere else instead: to sign in, and back.
    pub fn go(to: String) -> Self {
        Refusal {
            code: Code::SignInNeeded,
            detail: None,
            instead: Some(to),
        }
    }

    /// Its HTTP status.
    pub fn status(&self) -> StatusCode {
        match self.code {
            Code::NoUserYet | Code::RoleTooLow | Code::ForeignForm | Code::WrongFirstKey => {
                StatusCode::FORBIDDEN
            }
            Code::SignInNeeded => StatusCode::UNAUTHORIZED,
            Code::NothingHere => StatusCode::NOT_FOUND,
            Code::TooManySignIns => StatusCode::TOO_MANY_REQUESTS,
            Code::WrongPassword | Code::WeakPassword | Code::NameTaken | Code::BadRequest => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Code::HeadMoved => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The words of it in a language.
    pub fn words(&self, language: Language) -> String {
        let title = self.code.title(language);
        match &self.detail {
            Some([english, french]) => {
                format!(
                    "{title} {}",
                    crate::words::either(language, english, french)
                )
            }
            None => title.to_owned(),
        }
    }

    /// The page.
    pub fn say(&self, language: Language) -> Response {
        if let Some(to) = &self.instead {
            return axum::response::Redirect::to(to).into_response();
        }
        if self.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(code = %self.code, detail = ?self.detail, "a page failed");
        }
        let back = crate::words::either(language, "Back to the overview", "Retour à l’aperçu");
        let body = html! {
            h1 { (self.code.title(language)) }
            @if let Some([english, french]) = &self.detail {
                p.sub { (crate::words::either(language, english, french)) }
            }
            p.mute { (wording::advice(self.code, language)) " " span.id { (self.code) } }
            p { a.btn href="/" { (back) } }
        };
        let page = frame::bare(language, self.code.title(language), body);
        (self.status(), page).into_response()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let failure: crate::exit::Failure = error.into();
        let english = failure.text(Language::English).to_owned();
        let french = failure.text(Language::French).to_owned();
        Refusal::new(failure.code.unwrap_or(Code::StoreBroken)).with(english, french)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.say(Language::English)
    }
}

/// A refusal in the language of who is refused.
pub struct Said(pub Refusal, pub Language);

impl IntoResponse for Said {
    fn into_response(self) -> Response {
        self.0.say(self.1)
    }
}

/// An address that leads nowhere.
pub async fn nothing_here(headers: HeaderMap) -> Response {
    Refusal::new(Code::NothingHere).say(wording::language_of(&headers))
}
