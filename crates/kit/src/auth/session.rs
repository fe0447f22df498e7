//! Systems that want a login first and then a cookie or a token.

use crate::http::{Answer, Call, Http};
use crate::secret::Secret;
use async_trait::async_trait;
use comptoir_model::fault::Fault;
use std::sync::Arc;
use tokio::sync::Mutex;

/// The headers that a login yields.
pub type Ticket = Vec<(String, Secret)>;

/// How one system logs in.
#[async_trait]
pub trait Login: Send + Sync {
    /// Logs in and answers the headers that later calls carry (`cookie`, `authorization`, …).
    ///
    /// # Errors
    /// What the system says; wrong credentials are [`comptoir_model::fault::Next::Locked`].
    async fn login(&self, http: &Http) -> Result<Ticket, Fault>;

    /// Whether an answer says that the session is over and nothing was done.
    fn is_over(&self, answer: &Answer) -> bool;
}

/// A kept session: one login for all calls, and one more when it is over.
pub struct Session {
    http: Http,
    login: Box<dyn Login>,
    current: Mutex<Option<Arc<Ticket>>>,
}

impl Session {
    /// A session that has not begun. The account itself carries no auth.
    pub fn new(http: Http, login: impl Login + 'static) -> Self {
        Session {
            http,
            login: Box::new(login),
            current: Mutex::new(None),
        }
    }

    /// The account below.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// Makes a call with the session's headers. When the answer says that the session is over, logs in once more and sends the call
    /// again: an answer that refuses the session is proof that nothing was done.
    ///
    /// # Errors
    /// Those of [`Http::send`] and of the login.
    pub async fn send(&self, call: Call) -> Result<Answer, Fault> {
        let ticket = self.ticket(None).await?;
        let answer = self.http.send(with(call.clone(), &ticket)).await?;
        if !self.login.is_over(&answer) {
            return Ok(answer);
        }
        let ticket = self.ticket(Some(&ticket)).await?;
        self.http.send(with(call, &ticket)).await
    }

    /// The current headers, other than those that are over. Calls that meet the end together log in once: the first while the others
    /// wait for the lock and then find a newer ticket.
    async fn ticket(&self, over: Option<&Arc<Ticket>>) -> Result<Arc<Ticket>, Fault> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(ticket) if over.is_none_or(|over| !Arc::ptr_eq(over, ticket)) => {
                Ok(ticket.clone())
            }
            _ => {
                *current = None;
                let ticket = Arc::new(self.login.login(&self.http).await?);
                *current = Some(ticket.clone());
                Ok(ticket)
            }
        }
    }
}

fn with(mut call: Call, ticket: &Ticket) -> Call {
    for (name, value) in ticket {
        call.headers.push((name.clone(), value.expose().to_owned()));
    }
    call
}
