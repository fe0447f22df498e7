//! `/v1`: what all connections hold, in one shape. The read side; by tokens with scopes.

mod held;
mod list;
mod openapi;
mod problem;
mod token;

pub use problem::Problem;
pub use token::{SCOPES, Scope, Token};

use crate::console::{Desk, Visitor};
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use comptoir_model::code::Code;
use std::net::{IpAddr, SocketAddr};

/// The routes.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/v1/orders", get(list::orders))
        .route("/v1/orders/{connection}/{id}", get(list::order))
        .route("/v1/customers", get(list::customers))
        .route("/v1/products", get(list::products))
        .route("/v1/shipments", get(list::shipments))
        .route("/v1/refunds", get(list::refunds))
        .route("/v1/stock", get(list::stock))
        .route("/v1/held", get(held::list))
        .route("/v1/openapi.json", get(openapi::document))
        .route("/v1/{*rest}", get(nothing_here))
        .layer(from_fn_with_state(desk.clone(), guard))
        .with_state(desk)
}

async fn nothing_here() -> Problem {
    Problem::new(Code::NothingHere)
}

/// Like the console's: until a user exists, this machine alone is answered.
async fn guard(State(desk): State<Desk>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let present = desk.present();
    let visitor = Visitor::of(peer, request.headers(), &present.config.hub.trusted_proxies);
    request.extensions_mut().insert(visitor);
    match desk.store().has_people().await {
        Ok(false) if !visitor.here => Problem::new(Code::NoUserYet).into_response(),
        Ok(_) => next.run(request).await,
        Err(error) => Problem::from(error).into_response(),
    }
}
