//! The console: pages rendered here, in English and French, that work as plain forms and links; a little script only saves reloads.
//!
//! Nobody gets in before a user exists, except on this machine; after that nobody without signing in.

mod account;
mod amount;
mod asset;
mod beside;
mod caller;
mod causes;
mod chart;
mod clerk;
mod csv;
mod find;
mod flows;
mod frame;
mod icon;
mod live;
mod log;
mod needs;
mod overview;
mod password;
mod people;
mod record;
mod refusal;
mod revise;
mod sign_in;
mod stop;
mod systems;
mod timeline;
mod visitor;
mod wording;

pub use clerk::run as clerk;
pub use password::{hash as hash_password, is_strong, kept, secret as new_secret};
pub use sign_in::{is_name, one_time_link};
pub use visitor::{Visitor, guard};

use crate::config::Config;
use crate::workspace::Workspace;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use comptoir_engine::hub::Hub;
use comptoir_store::Store;
use std::sync::{Arc, PoisonError, RwLock};

/// What the pages look at: the store, and the hub and configuration of the present revision.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    store: Store,
    present: RwLock<Arc<Present>>,
    /// Passwords being checked at once: each takes 19 MiB and a core.
    hashing: tokio::sync::Semaphore,
    /// Open pages that are told when something moved.
    listeners: Arc<tokio::sync::Semaphore>,
}

/// Open pages at once that are told when something moved; further ones are read as they are.
const LISTENERS: usize = 200;

/// The present revision.
pub struct Present {
    /// Its hub.
    pub hub: Arc<Hub>,
    /// Its configuration.
    pub config: Config,
    /// Its number.
    pub revision: i64,
}

impl Desk {
    /// A desk over a hub and the workspace it was made from.
    pub fn new(hub: Arc<Hub>, workspace: &Workspace) -> Self {
        Desk(Arc::new(Inner {
            store: workspace.store.clone(),
            present: RwLock::new(Arc::new(Present {
                hub,
                config: workspace.config.clone(),
                revision: workspace.revision,
            })),
            hashing: tokio::sync::Semaphore::new(2),
            listeners: Arc::new(tokio::sync::Semaphore::new(LISTENERS)),
        }))
    }

    /// Looks at another revision from now on.
    pub fn turn_to(&self, hub: Arc<Hub>, workspace: &Workspace) {
        let next = Arc::new(Present {
            hub,
            config: workspace.config.clone(),
            revision: workspace.revision,
        });
        let mut present = self
            .0
            .present
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *present = next;
    }

    /// The present revision.
    pub fn present(&self) -> Arc<Present> {
        let present = self
            .0
            .present
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        present.clone()
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.0.store
    }
}

/// The pages.
pub fn router(desk: Desk) -> Router {
    Router::new()
        .route("/", get(overview::page))
        .route("/live", get(live::stream))
        .route("/systems", get(systems::page))
        .route("/find", get(find::page))
        .route("/record/{connection}/{kind}/{id}", get(record::page))
        .route("/needs", get(needs::page))
        .route("/needs.csv", get(needs::csv))
        .route("/needs/resume", post(needs::resume))
        .route("/needs/one", post(needs::one))
        .route("/needs/all", post(needs::all))
        .route("/needs/row", post(needs::row))
        .route("/sign-in", get(sign_in::page).post(sign_in::enter))
        .route("/first", get(sign_in::first).post(sign_in::make_first))
        .route("/sign-out", post(sign_in::leave))
        .route("/language/{language}", get(sign_in::language))
        .route("/stop", get(stop::page).post(stop::halt))
        .route("/stop/resume", post(stop::resume))
        .route("/account", get(account::page))
        .route("/account/password", post(account::password))
        .route("/account/sign-out", post(account::sign_out_everywhere))
        .route("/people", get(people::page).post(people::add))
        .route("/people/change", post(people::change))
        .route("/log", get(log::page))
        .fallback(refusal::nothing_here)
        .layer(from_fn_with_state(desk.clone(), guard))
        .with_state(desk)
        .route("/assets/{version}/{name}", get(asset::serve))
}
