//! The HTTP side of `serve`: webhooks in, and whether the hub is well.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use comptoir_engine::hub::Hub;
use comptoir_model::code::Code;
use comptoir_model::key::ConnectionName;
use comptoir_model::port::Incoming;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The largest webhook body taken.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How long a sender may take to send a body.
const SLOWEST_BODY: Duration = Duration::from_secs(30);

/// The way to the hub of the present revision: requests come in while one hub follows another.
#[derive(Clone)]
pub struct Door(Arc<RwLock<Arc<Hub>>>);

impl Door {
    /// A door that leads to this hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Door(Arc::new(RwLock::new(hub)))
    }

    /// Leads to another hub from now on.
    pub fn lead_to(&self, hub: Arc<Hub>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = hub;
    }

    fn hub(&self) -> Arc<Hub> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The routes.
pub fn router(door: Door) -> Router {
    Router::new()
        .route("/hooks/{connection}", post(hook))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(door)
}

async fn ready(State(door): State<Door>) -> Response {
    match door.hub().store.now().await {
        Ok(_) => "ready\n".into_response(),
        Err(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "the store does not answer\n",
        )
            .into_response(),
    }
}

/// Takes a webhook: verified, stored, then answered. What cannot be stored is answered 503, never 4xx: some shops delete a hook that says 4xx.
async fn hook(
    State(door): State<Door>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let hub = door.hub();
    let connection = name
        .parse::<ConnectionName>()
        .ok()
        .and_then(|name| hub.connections.get(&name).cloned())
        .filter(|connection| connection.connector.capabilities().hooks);
    let Some(connection) = connection else {
        return answer(StatusCode::NOT_FOUND, Code::UnknownHook);
    };
    let Ok(body) = tokio::time::timeout(SLOWEST_BODY, to_bytes(body, LARGEST_BODY)).await else {
        return answer(StatusCode::REQUEST_TIMEOUT, Code::SlowWebhook);
    };
    let Ok(body) = body else {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, Code::OversizedWebhook);
    };
    let headers = headers
        .iter()
        .filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        })
        .collect();
    let call = Incoming {
        headers,
        body: body.to_vec(),
        at: jiff::Timestamp::now(),
    };
    let hints = match connection.connector.hear(&call) {
        Ok(hints) => hints,
        Err(fault) => {
            tracing::warn!(connection = %connection.name, %fault, "webhook refused");
            let status = match fault.code {
                Code::ForgedSignature => StatusCode::UNAUTHORIZED,
                Code::OversizedWebhook => StatusCode::PAYLOAD_TOO_LARGE,
                _ => StatusCode::BAD_REQUEST,
            };
            return answer(status, fault.code);
        }
    };
    for hint in hints {
        if let Err(error) = hub.store.hint(&connection.name, hint).await {
            tracing::error!(connection = %connection.name, %error, "webhook not stored");
            return answer(StatusCode::SERVICE_UNAVAILABLE, error.code());
        }
    }
    connection.look.notify_one();
    StatusCode::OK.into_response()
}

fn answer(status: StatusCode, code: Code) -> Response {
    (status, format!("{code}\n")).into_response()
}
