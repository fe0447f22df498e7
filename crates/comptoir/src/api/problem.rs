//! What the API answers when it cannot do what was asked: `application/problem+json` (RFC 9457).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use comptoir_model::code::{Code, Language};
use comptoir_store::StoreError;

/// A problem.
#[derive(Debug)]
pub struct Problem {
    /// Code.
    pub code: Code,
    /// More than the code says.
    pub detail: Option<String>,
}

impl Problem {
    /// A problem that its code says all about.
    pub fn new(code: Code) -> Self {
        Problem { code, detail: None }
    }

    /// With more words.
    pub fn with(code: Code, detail: impl Into<String>) -> Self {
        Problem {
            code,
            detail: Some(detail.into()),
        }
    }

    fn status(&self) -> StatusCode {
        match self.code {
            Code::TokenNeeded => StatusCode::UNAUTHORIZED,
            Code::ScopeMissing | Code::NoUserYet => StatusCode::FORBIDDEN,
            Code::NothingHere => StatusCode::NOT_FOUND,
            Code::BadRequest => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "an API call failed");
        // What the database says is for the log.
        Problem::new(error.code())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::json!({
            "type": format!("urn:comptoir:error:{}", self.code),
            "title": self.code.title(Language::English),
            "status": status.as_u16(),
            "detail": self.detail,
            "code": self.code.to_string(),
        });
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (status, kind, body.to_string()).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let ask = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, ask);
        }
        response
    }
}
