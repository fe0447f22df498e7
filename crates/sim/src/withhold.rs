//! An answer withheld after its effect: whoever waits for it can be stopped exactly between the two.
//!
//! On demand only: [`Withholder::next`] has the next write's answer withheld and says when that write's effect is done. Nobody is
//! slowed down otherwise.

use crate::odoo;
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How long an answer is withheld from a caller who goes on waiting.
const WITHHELD: Duration = Duration::from_secs(5);

/// Answers that were withheld.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// Withheld in all.
    pub answers: u64,
    /// Those whose caller had hung up before the answer was sent, while the effect was done.
    pub unheard: u64,
}

#[derive(Default)]
struct Inner {
    asked: Option<oneshot::Sender<()>>,
    counts: Withheld,
}

/// Withholds answers of the simulated ERP. Clones are the same.
#[derive(Clone, Default)]
pub struct Withholder(Arc<Mutex<Inner>>);

impl Withholder {
    /// The router, with answers of its writes withheld when that is asked for.
    pub fn before(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), pass))
    }

    /// Waits for the next write that has an effect, and leaves its caller waiting. False when none came in time.
    pub async fn next(&self, limit: Duration) -> bool {
        let (sender, done) = oneshot::channel();
        self.lock().asked = Some(sender);
        matches!(tokio::time::timeout(limit, done).await, Ok(Ok(())))
    }

    /// Counts so far.
    pub fn counts(&self) -> Withheld {
        self.lock().counts
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts an answer as unheard when the server gives it up, which it does when the caller's connection ends.
struct Waiting {
    withholder: Withholder,
    heard: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.heard {
            self.withholder.lock().counts.unheard += 1;
        }
    }
}

async fn pass(State(withholder): State<Withholder>, request: Request, next: Next) -> Response {
    let (response, effect) = odoo::with_effect(next.run(request)).await;
    if !effect {
        return response;
    }
    let asked = withholder.lock().asked.take();
    let mut waiting = Waiting {
        withholder,
        heard: true,
    };
    // Who asked may have gone away meanwhile.
    if asked.is_some_and(|asked| asked.send(()).is_ok()) {
        waiting.withholder.lock().counts.answers += 1;
        waiting.heard = false;
        tokio::time::sleep(WITHHELD).await;
        waiting.heard = true;
    }
    response
}
