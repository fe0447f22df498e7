//! Dolibarr's REST API: one call at a time, and what its answers mean.

use super::demand::Demand;
use super::fault;
use super::wire::Raw;
use super::{Settings, StockFalls};
use comptoir_kit::auth::Auth;
use comptoir_kit::clock::Clock;
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Http, HttpOptions, Method, Priority};
use comptoir_kit::spec::Kit;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Rows per page of a question.
const PAGE: usize = 100;
/// Pages of one question after which it is no question.
const PAGES: usize = 20;

/// One instance, with what was learnt of it.
pub(super) struct Api {
    http: Http,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    learnt: Mutex<Learnt>,
    /// What open orders have taken of the stock. Held while it is read, so that two readings do not read it twice.
    pub(super) demand: tokio::sync::Mutex<Demand>,
}

/// What does not change while a connection is open.
#[derive(Default)]
pub(super) struct Learnt {
    /// The zone that the server itself tells.
    pub(super) zone: Option<String>,
    /// Ids of countries, by ISO code; none for those it does not have.
    pub(super) countries: HashMap<String, Option<String>>,
    /// Ids of states, by country id and Dolibarr's code.
    pub(super) states: HashMap<String, HashMap<String, String>>,
    /// Ids of payment types, by id, code and label in lower case.
    pub(super) payment_types: Option<HashMap<String, String>>,
    /// Names of shipping methods, by id.
    pub(super) carriers: Option<HashMap<String, String>>,
    /// When stock goes down, once it was asked for; none inside where Dolibarr does not say.
    pub(super) stock_falls: Option<Option<StockFalls>>,
}

impl Api {
    pub(super) fn open(settings: Settings, kit: Kit) -> Result<Self, Fault> {
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            // Where Dolibarr compresses its JSON, the page of a failure stands before it uncompressed, and nobody can read either.
            ("accept-encoding".to_owned(), "identity".to_owned()),
        ];
        if let Some(entity) = settings.entity {
            headers.push(("dolapientity".to_owned(), entity.to_string()));
        }
        let options = HttpOptions {
            auth: Auth::Header {
                name: "dolapikey".to_owned(),
                value: settings.key.clone(),
            },
            slots: 1,
            deadline: Duration::from_secs(60),
            headers,
            ..HttpOptions::default()
        };
        Ok(Api {
            http: kit.http.open(&settings.url, options)?,
            clock: kit.clock,
            settings,
            learnt: Mutex::default(),
            demand: tokio::sync::Mutex::default(),
        })
    }

    /// What was learnt.
    pub(super) fn learnt(&self) -> MutexGuard<'_, Learnt> {
        // Every change is complete before anything can panic.
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server's time zone: as it tells, else as the settings say.
    pub(super) fn zone(&self) -> String {
        let told = self.learnt().zone.clone();
        told.unwrap_or_else(|| self.settings.time_zone.clone())
    }

    /// The address and the entity: what tells one instance from another.
    pub(super) fn site(&self) -> String {
        let url = self.settings.url.trim_end_matches('/');
        match self.settings.entity {
            Some(entity) => format!("{url}#{entity}"),
            None => url.to_owned(),
        }
    }

    pub(super) fn rests(&self) -> Option<Duration> {
        self.http.rests()
    }

    /// A call that reads.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Fault> {
        self.get_as(what, path, query, Priority::Orders).await
    }

    /// A call that reads, with its place in the queue.
    pub(super) async fn get_as<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        query: &[(&str, &str)],
        priority: Priority,
    ) -> Result<T, Fault> {
        let mut call = Call::get(what, full(path)).priority(priority);
        for (name, value) in query {
            call = call.query(*name, value);
        }
        let answer = self.http.send(call).await?;
        decoded(&answer, path)
    }

    /// A list of records. None is answered by an empty list, or by 404 up to 17 and in some lists later.
    pub(super) async fn list(&self, list: List<'_>) -> Result<Raw, Fault> {
        let call = list.call();
        let answer = self.http.send(call).await?;
        rows(&answer, list.path)
    }

    /// All rows of a question.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        what: &'static str,
        path: &str,
        filter: &str,
    ) -> Result<Vec<T>, Fault> {
        let mut found = Vec::new();
        for page in 0..PAGES {
            let list = List {
                page,
                filter,
                ..List::of(what, path, PAGE)
            };
            let rows = self.list(list).await?;
            let full = rows.len() >= PAGE;
            for row in rows {
                found.push(decode::json(row.get().as_bytes())?);
            }
            if !full {
                return Ok(found);
            }
        }
        Err(Fault::bug(format!(
            "`{path}`: a question with more than {found} answers",
            found = PAGE * PAGES
        )))
    }

    /// A call that writes.
    pub(super) async fn write(&self, write: Change<'_>) -> Result<Value, Fault> {
        let wait = write.until.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            return Err(Fault::later(
                Code::TimedOut,
                "the time of the batch was over before this was sent",
            ));
        }
        let mut call = Call::new(write.what, write.method, full(write.path)).deadline(wait);
        if let Some(body) = &write.body {
            call = call.json(body)?;
        }
        let answer = self.http.send(call).await?;
        // "Already so": nothing to do is done.
        if answer.status == 304 {
            return Ok(Value::Null);
        }
        match decoded(&answer, write.path) {
            // Dolibarr says no to some changes with 200 and `false`.
            Ok(Value::Bool(false)) => Err(Fault::refused(
                Code::NotDone,
                format!("Dolibarr did not do `{}`", write.path),
            )),
            other => other,
        }
    }
}

/// A call that changes something.
pub(super) struct Change<'a> {
    /// The operation's name.
    pub(super) what: &'static str,
    /// Its method.
    pub(super) method: Method,
    /// Its path.
    pub(super) path: &'a str,
    /// Its body.
    pub(super) body: Option<Value>,
    /// When it is given up.
    pub(super) until: Instant,
}

/// A page of a list.
#[derive(Clone, Copy)]
pub(super) struct List<'a> {
    /// The operation's name.
    pub(super) what: &'static str,
    /// The part of the API.
    pub(super) path: &'a str,
    /// Rows per page.
    pub(super) limit: usize,
    /// Which page, from 0.
    pub(super) page: usize,
    /// `sqlfilters`, or empty.
    pub(super) filter: &'a str,
    /// By modification time, oldest first; else by id.
    pub(super) by_time: bool,
    /// Its place in the queue.
    pub(super) priority: Priority,
    /// With the stock of each product.
    pub(super) stock: bool,
}

impl<'a> List<'a> {
    pub(super) fn of(what: &'static str, path: &'a str, limit: usize) -> Self {
        List {
            what,
            path,
            limit,
            page: 0,
            filter: "",
            by_time: false,
            priority: Priority::Orders,
            stock: false,
        }
    }

    fn call(&self) -> Call {
        let (fields, orders) = if self.by_time {
            ("t.tms,t.rowid", "ASC,ASC")
        } else {
            ("t.rowid", "ASC")
        };
        let mut call = Call::get(self.what, full(self.path))
            .priority(self.priority)
            .query("limit", self.limit)
            .query("page", self.page);
        if !self.filter.is_empty() || self.by_time {
            call = call.query("sortfield", fields).query("sortorder", orders);
        }
        if !self.filter.is_empty() {
            call = call.query("sqlfilters", self.filter);
        }
        if self.stock {
            call = call.query("includestockdata", 1);
        }
        call
    }
}

fn full(path: &str) -> String {
    format!("api/index.php/{path}")
}

/// The rows of a list's answer.
pub(super) fn rows(answer: &Answer, path: &str) -> Result<Raw, Fault> {
    if answer.status == 404 {
        let fault = fault::of_answer(answer, path);
        // "Not found" of a list means that it is empty.
        return if fault.next == Next::Gone {
            Ok(Raw::new())
        } else {
            Err(fault)
        };
    }
    decoded(answer, path)
}

/// The body of a success, else the fault.
pub(super) fn decoded<T: DeserializeOwned>(answer: &Answer, path: &str) -> Result<T, Fault> {
    let text = answer.text();
    if !answer.is_success() || fault::is_switched_off(&text) {
        return Err(fault::of_answer(answer, path));
    }
    match fault::json_of(&text) {
        Some(json) => decode::json(json.as_bytes()).map_err(|fault| match answer.effect {
            comptoir_kit::http::Effect::Write => Fault::unknown(fault.code, fault.why),
            comptoir_kit::http::Effect::Read => fault,
        }),
        None => Err(fault::of_answer(answer, path)),
    }
}
