//! Who calls: a token, and what it may do.

use super::problem::Problem;
use crate::console::{Desk, kept};
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use comptoir_model::code::Code;

/// What a token may do, and what that is.
pub const SCOPES: [(&str, &str); 8] = [
    ("read", "everything below"),
    ("read:orders", "orders and refunds, with their buyers"),
    ("read:customers", "customers"),
    ("read:products", "products"),
    ("read:shipments", "shipments"),
    ("read:stock", "stock"),
    ("read:held", "what is held and why"),
    ("metrics", "/metrics"),
];

/// A scope that a route asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scope(pub &'static str);

/// The token that a call carries.
pub struct Token {
    scopes: Vec<String>,
    /// The desk.
    pub desk: Desk,
}

impl Token {
    /// Refuses a token that may not do this.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        let is_read = scope.0.starts_with("read");
        let has = |wanted: &str| self.scopes.iter().any(|known| known == wanted);
        if has(scope.0) || (is_read && has("read")) {
            return Ok(());
        }
        let words = format!("this call needs the scope `{}`", scope.0);
        Err(Problem::with(Code::ScopeMissing, words))
    }
}

impl FromRequestParts<Desk> for Token {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION);
        let value = value.and_then(|value| value.to_str().ok());
        let bearer = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then_some(token.trim())
        });
        let Some(secret) = bearer else {
            return Err(Problem::new(Code::TokenNeeded));
        };
        match desk.store().token(&kept(secret)).await? {
            Some(token) => Ok(Token {
                scopes: token.scopes,
                desk: desk.clone(),
            }),
            None => Err(Problem::new(Code::TokenNeeded)),
        }
    }
}
