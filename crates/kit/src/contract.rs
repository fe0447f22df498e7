//! The contract suite: what holds for every connector, run by its tests on a scripted server or on tapes.
//!
//! ```no_run
//! # async fn test(spec: &'static comptoir_kit::spec::Spec, connector: &dyn comptoir_model::port::Connector) {
//! use comptoir_kit::contract::{Reading, Suite};
//! use comptoir_model::key::Kind;
//!
//! let mut suite = Suite::new(spec, ["cs_the_secret"]);
//! suite.declarations();
//! suite.reading(connector, &Reading::of(Kind::Order, 7)).await;
//! suite.finish().assert_passed();
//! # }
//! ```

mod declare;
mod log;

pub use log::LogCapture;

use crate::spec::Spec;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{
    Capabilities, Connector, Cursor, Guard, Page, Proof, Query, Seen, Write, Written,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use tracing::instrument::WithSubscriber;

/// What a stream of changes must yield.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Kind.
    pub kind: Kind,
    /// Where to begin.
    pub since: Cursor,
    /// Distinct records.
    pub records: usize,
    /// Items that cannot be decoded.
    pub unreadable: usize,
    /// Pages after which it surely does not end.
    pub pages_at_most: usize,
    /// Whether to read pages and the end again. Tapes that hold each page once cannot answer that.
    pub again: bool,
}

impl Reading {
    /// All of a kind from the start, all readable, on a server that can be asked again.
    pub fn of(kind: Kind, records: usize) -> Self {
        Reading {
            kind,
            since: Cursor::start(),
            records,
            unreadable: 0,
            pages_at_most: 100,
            again: true,
        }
    }
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: String,
    /// What is wrong; none when it passed.
    pub wrong: Option<String>,
}

/// What the suite found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every check, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.wrong.is_some())
    }

    /// Ends a test.
    ///
    /// # Panics
    /// When a check failed, or nothing was checked.
    pub fn assert_passed(&self) {
        assert!(!self.checks.is_empty(), "nothing was checked");
        assert!(self.failed().next().is_none(), "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            match &check.wrong {
                Some(wrong) => writeln!(f, "FAILED {}: {wrong}", check.name)?,
                None => writeln!(f, "passed {}", check.name)?,
            }
        }
        Ok(())
    }
}

/// The kind whose reading shows the state of what was written: a shipment that is part of a shop's order is read with that order.
fn state_of(capabilities: &Capabilities, kind: Kind) -> Kind {
    match kind {
        Kind::Shipment if capabilities.reads(kind).is_none() => Kind::Order,
        kind => kind,
    }
}

/// The suite for one connector. Everything it runs is watched for the given secrets, in logs and in faults.
pub struct Suite {
    spec: &'static Spec,
    secrets: Vec<String>,
    checks: Vec<Check>,
    log: LogCapture,
    faults: String,
}

impl Suite {
    /// A suite that watches for these secrets. Give every key, password and token that the connector is opened with.
    pub fn new<S: Into<String>>(spec: &'static Spec, secrets: impl IntoIterator<Item = S>) -> Self {
        Suite {
            spec,
            secrets: secrets.into_iter().map(Into::into).collect(),
            checks: Vec::new(),
            log: LogCapture::default(),
            faults: String::new(),
        }
    }

    /// The spec is sound: texts, titles and help of all settings, deadlines, batches, and proofs that the capabilities can give.
    pub fn declarations(&mut self) {
        let wrong = declare::faults(self.spec);
        self.check("the spec is sound", wrong.is_empty(), || wrong.join("; "));
    }

    /// Paging ends, cursors survive storage, an unreadable item stops nothing, and what was read is not new again.
    pub async fn reading(&mut self, connector: &dyn Connector, expected: &Reading) {
        let kind = expected.kind;
        let mut cursors = vec![expected.since.clone()];
        let mut known = BTreeMap::new();
        let mut unreadable = 0;
        loop {
            let Some(page) = self
                .page(connector, kind, &cursors[cursors.len() - 1])
                .await
            else {
                return;
            };
            unreadable += page.items.iter().filter(|item| item.is_err()).count();
            known.extend(versions(&page));
            let stored = serde_json::to_string(&page.next).unwrap_or_default();
            let loaded = serde_json::from_str::<Cursor>(&stored).unwrap_or_default();
            self.check(
                &format!("{kind}: a cursor survives storage"),
                loaded == page.next,
                || "it changed".to_owned(),
            );
            cursors.push(loaded);
            if !page.more || cursors.len() > expected.pages_at_most {
                self.check(&format!("{kind}: paging ends"), !page.more, || {
                    format!("there was more after {} pages", expected.pages_at_most)
                });
                break;
            }
        }
        let ids: BTreeSet<&RemoteId> = known.keys().map(|(id, _)| id).collect();
        let records = ids.len();
        self.check(
            &format!("{kind}: every record is read"),
            records == expected.records,
            || format!("{records} instead of {}", expected.records),
        );
        self.check(
            &format!("{kind}: an unreadable item stops nothing"),
            unreadable == expected.unreadable,
            || format!("{unreadable} unreadable instead of {}", expected.unreadable),
        );
        if expected.again {
            for cursor in &cursors {
                if let Some(page) = self.page(connector, kind, cursor).await {
                    let new = versions(&page).filter(|(version, ())| !known.contains_key(version));
                    let new = new.count();
                    self.check(
                        &format!("{kind}: a repeated page has nothing new"),
                        new == 0,
                        || format!("{new} new"),
                    );
                }
            }
        }
        self.foreign_cursor(connector, kind).await;
    }

    /// A fault is what was declared for it. `after` of [`Next::Later`] does not count.
    pub fn classified(&mut self, name: &str, fault: &Fault, next: Next, code: Code) {
        self.watch(fault);
        let same_next = std::mem::discriminant(&fault.next) == std::mem::discriminant(&next);
        self.check(
            &format!("{name} is {next:?} {code}"),
            same_next && fault.code == code,
            || format!("it is {:?} {fault}", fault.next),
        );
        let titled = declare::has_titles(fault.code);
        self.check(&format!("{code} has a title"), titled, || {
            "it has none".to_owned()
        });
    }

    /// A batch loses exactly the writes that are declared bad, each with its code. Answers the results.
    pub async fn batch(
        &mut self,
        connector: &dyn Connector,
        writes: &[Write],
        bad: &BTreeMap<usize, Code>,
    ) -> Vec<Result<Written, Fault>> {
        let results = self.logged(connector.write(writes)).await;
        let name = "a batch loses only its bad items";
        self.check(name, results.len() == writes.len(), || {
            format!("{} answers to {} writes", results.len(), writes.len())
        });
        for (index, result) in results.iter().enumerate() {
            if let Err(fault) = result {
                self.watch(fault);
            }
            let got = result.as_ref().err().map(|fault| fault.code);
            let declared = bad.get(&index).copied();
            self.check(&format!("{name}: item {index}"), got == declared, || {
                format!("{result:?} instead of {declared:?}")
            });
        }
        results
    }

    /// A write that was made is found by its declared proof; where the target is the guard, making it again makes no second one.
    pub async fn proof(&mut self, connector: &dyn Connector, write: &Write, made: &RemoteId) {
        let name = format!("{} {}", write.kind, write.step.as_str());
        let operation = connector.capabilities().operation(write.kind, write.step);
        let Some(operation) = operation else {
            return self.check(&name, false, || "it is not declared".to_owned());
        };
        self.proved(connector, write, made, operation.proof, &name)
            .await;
        if operation.guard == Guard::Unique && operation.proof == Proof::Key {
            let again = self
                .logged(connector.write(std::slice::from_ref(write)))
                .await;
            let harmless = match again.first() {
                Some(Ok(written)) => written.id == *made,
                Some(Err(fault)) => fault.next == Next::Refused,
                None => false,
            };
            let name = format!("{name}: the target refuses a second one");
            self.check(&name, harmless, || format!("{again:?}"));
            self.proved(connector, write, made, operation.proof, &name)
                .await;
        }
    }

    /// No secret was logged and none stands in a fault. Ends the suite.
    pub fn finish(mut self) -> Report {
        let log = self.log.text();
        for (place, text) in [("a log", log), ("a fault", self.faults.clone())] {
            // Which secret it is must not be shown either.
            let leaks = self
                .secrets
                .iter()
                .filter(|s| text.contains(s.as_str()))
                .count();
            self.check(&format!("no secret in {place}"), leaks == 0, || {
                format!("{leaks} of the given secrets")
            });
        }
        let empty = self.secrets.iter().any(String::is_empty);
        self.check("the watched secrets are real", !empty, || {
            "one is empty".to_owned()
        });
        Report {
            checks: self.checks,
        }
    }

    async fn proved(
        &mut self,
        connector: &dyn Connector,
        write: &Write,
        made: &RemoteId,
        proof: Proof,
        name: &str,
    ) {
        let found: Result<Vec<RemoteId>, Fault> = match proof {
            Proof::Key => {
                let query = [Query::Key(write.key.clone())];
                let answers = self.logged(connector.find(write.kind, &query)).await;
                answers.map(|answers| {
                    let candidates = answers.into_iter().flatten();
                    candidates.map(|candidate| candidate.id).collect()
                })
            }
            Proof::State => {
                let ids = std::slice::from_ref(made);
                let kind = state_of(connector.capabilities(), write.kind);
                let seen = self.logged(connector.read(kind, ids)).await;
                seen.map(|seen| seen.into_iter().filter_map(present).collect())
            }
            Proof::None => return,
        };
        if let Err(fault) = &found {
            self.watch(fault);
        }
        let only = found.as_ref().is_ok_and(|ids| *ids == [made.clone()]);
        self.check(&format!("{name}: found by its proof"), only, || {
            format!("{found:?}")
        });
    }

    async fn foreign_cursor(&mut self, connector: &dyn Connector, kind: Kind) {
        let foreign = Cursor("not a cursor".to_owned());
        let result = self.logged(connector.changes(kind, &foreign)).await;
        self.check(
            &format!("{kind}: a foreign cursor is an error"),
            result.is_err(),
            || "it was read as a start".to_owned(),
        );
    }

    async fn page(
        &mut self,
        connector: &dyn Connector,
        kind: Kind,
        since: &Cursor,
    ) -> Option<Page> {
        match self.logged(connector.changes(kind, since)).await {
            Ok(page) => {
                for item in page.items.iter().filter_map(|item| item.as_ref().err()) {
                    self.watch(&item.fault);
                }
                Some(page)
            }
            Err(fault) => {
                self.watch(&fault);
                self.check(&format!("{kind}: a page is read"), false, || {
                    fault.to_string()
                });
                None
            }
        }
    }

    async fn logged<T>(&self, run: impl Future<Output = T>) -> T {
        run.with_subscriber(self.log.clone()).await
    }

    fn watch(&mut self, fault: &Fault) {
        self.faults.push_str(&format!("{fault} {fault:?}\n"));
    }

    fn check(&mut self, name: &str, passed: bool, wrong: impl FnOnce() -> String) {
        self.checks.push(Check {
            name: name.to_owned(),
            wrong: (!passed).then(wrong),
        });
    }
}

/// The records of a page by id and version.
fn versions(page: &Page) -> impl Iterator<Item = ((RemoteId, String), ())> {
    page.items
        .iter()
        .flatten()
        .map(|record| ((record.id.clone(), record.version.clone()), ()))
}

fn present(seen: Seen) -> Option<RemoteId> {
    match seen {
        Seen::Record(record) => Some(record.id),
        Seen::Unreadable(unreadable) => unreadable.id,
        Seen::Gone(_) => None,
    }
}
