//! The contract suite passes a sound connector and catches each flaw it is there for.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use async_trait::async_trait;
use comptoir_kit::contract::{Reading, Report, Suite};
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::{Kit, Spec, settings};
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads,
    Record, Seen, Step, Unreadable, Verification, Write, Written,
};
use comptoir_model::rounding::Rounding;
use comptoir_model::stock::{Level, Stock};
use jiff::Timestamp;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECRET: &str = "key_of_the_demo";

/// What is wrong with the connector under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    None,
    NeverEnds,
    StopsAtUnreadable,
    NewEveryTime,
    GarbageIsAStart,
    LogsItsKey,
    TellsItsKey,
    OneBadLosesAll,
    WritesTwice,
    AnswersTooFew,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The key of the demo.
    #[schemars(title = "Key")]
    key: Secret,
}

static OPERATIONS: [Operation; 1] = [Operation {
    kind: Kind::Stock,
    step: Step::Create,
    guard: Guard::Unique,
    proof: Proof::Key,
    settle_seconds: 60,
    deadline_seconds: 30,
    batch: 10,
    overwrites: false,
    reserves_stock: false,
    compares: false,
}];

static READS: [Reads; 1] = [Reads {
    kind: Kind::Stock,
    cursor: "time of change",
    changes: true,
    page: 3,
    ids: 10,
}];

static CAPABILITIES: Capabilities = Capabilities {
    reads: &READS,
    finds: &[(Kind::Stock, &["key"])],
    writes: &OPERATIONS,
    hooks: false,
    hooks_resent: false,
    slots: 2,
    rounding: Rounding::PER_LINE,
};

static SPEC: Spec = Spec {
    name: "demo",
    title: "Demo",
    summary: "Keeps a few stock rows in memory.",
    capabilities: &CAPABILITIES,
    level: Verification::Docs,
    settings: || schema_for!(Settings),
    setup: "Nothing.",
    setup_fr: "Rien.",
    open: |value, kit| Ok(Arc::new(Demo::open(value, kit, Flaw::None)?)),
};

struct Demo {
    key: Secret,
    flaw: Flaw,
    made: Mutex<Vec<(WriteKey, RemoteId)>>,
}

impl Demo {
    fn open(value: serde_json::Value, _: Kit, flaw: Flaw) -> Result<Self, Fault> {
        let Settings { key } = settings(value)?;
        Ok(Demo {
            key,
            flaw,
            made: Mutex::default(),
        })
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn document() -> Document {
    Document::Stock(Stock {
        sku: "SKU-7".to_owned(),
        managed: true,
        levels: vec![Level::pool(2.into())],
        ..Stock::default()
    })
}

#[async_trait]
impl Connector for Demo {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn probe(&self) -> Result<Account, Fault> {
        Err(Fault::bug("not asked here"))
    }

    /// Eight rows, two seconds each; the fourth cannot be decoded.
    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        if self.flaw == Flaw::LogsItsKey {
            tracing::info!(key = self.key.expose(), "reading");
        }
        let garbage = self.flaw == Flaw::GarbageIsAStart && since.0.starts_with("not");
        let start = Cursor::start();
        let since = if garbage { &start } else { since };
        let cursor = TimestampCursor::open(since, Duration::from_secs(4), second(100))?;
        let rows =
            (0..8_i64).filter(|row| cursor.from().is_none_or(|from| second(row / 2) >= from));
        let stamps: Vec<Stamp> = rows
            .skip(cursor.offset() as usize)
            .take(3)
            .map(|row| Stamp {
                id: row.to_string(),
                version: "1".to_owned(),
                at: Some(second(row / 2)),
            })
            .collect();
        let taken = cursor.take(&stamps, stamps.len() == 3);
        let mut items = Vec::new();
        for (stamp, _) in stamps.iter().zip(taken.fresh).filter(|(_, fresh)| *fresh) {
            if stamp.id == "3" {
                items.push(Err(Unreadable {
                    id: Some("3".into()),
                    fault: Fault::bug("expected a decimal"),
                    raw: "{}".to_owned(),
                }));
                if self.flaw == Flaw::StopsAtUnreadable {
                    break;
                }
                continue;
            }
            let version = match self.flaw {
                Flaw::NewEveryTime => format!("{:?}", std::time::Instant::now()),
                _ => stamp.version.clone(),
            };
            items.push(Ok(Record {
                id: stamp.id.as_str().into(),
                version,
                document: document(),
                raw: None,
            }));
        }
        assert_eq!(kind, Kind::Stock);
        Ok(Page {
            items,
            gone: Vec::new(),
            next: taken.next,
            more: taken.more || self.flaw == Flaw::NeverEnds,
        })
    }

    async fn read(&self, _: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        Ok(ids.iter().cloned().map(Seen::Gone).collect())
    }

    async fn find(&self, _: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let made = self.made.lock().unwrap();
        let find = |query: &Query| {
            made.iter()
                .filter(|(key, _)| key.as_str() == query.value())
                .map(|(_, id)| Candidate {
                    id: id.clone(),
                    label: String::new(),
                })
                .collect()
        };
        Ok(queries.iter().map(find).collect())
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut made = self.made.lock().unwrap();
        let any_bad = batch
            .iter()
            .any(|write| write.key.as_str().ends_with("bad"));
        let mut results: Vec<_> = batch
            .iter()
            .map(|write| {
                let bad = write.key.as_str().ends_with("bad");
                if bad || (any_bad && self.flaw == Flaw::OneBadLosesAll) {
                    let why = match self.flaw {
                        Flaw::TellsItsKey => format!("refused with {}", self.key.expose()),
                        _ => "refused".to_owned(),
                    };
                    return Err(Fault::refused(Code::Refused, why));
                }
                let known = made.iter().any(|(key, _)| *key == write.key);
                if known && self.flaw != Flaw::WritesTwice {
                    return Err(Fault::refused(Code::Duplicate, "it is there"));
                }
                let id = RemoteId(format!("r{}", made.len()));
                made.push((write.key.clone(), id.clone()));
                Ok(Written { id, seen: None })
            })
            .collect();
        if self.flaw == Flaw::AnswersTooFew {
            results.pop();
        }
        results
    }
}

fn write(key: &str) -> Write {
    Write {
        key: WriteKey(key.to_owned()),
        kind: Kind::Stock,
        step: Step::Create,
        target: None,
        document: document(),
        before: None,
        expects: None,
    }
}

async fn run(flaw: Flaw) -> Report {
    let kit = Kit::new("demo".parse().unwrap());
    let value = serde_json::json!({"key": SECRET});
    let demo = Demo::open(value, kit, flaw).unwrap();
    let mut suite = Suite::new(&SPEC, [SECRET]);
    suite.declarations();
    let expected = Reading {
        unreadable: 1,
        pages_at_most: 12,
        ..Reading::of(Kind::Stock, 7)
    };
    suite.reading(&demo, &expected).await;
    let writes = [write("a/stock/1"), write("a/stock/bad"), write("a/stock/2")];
    let bad = BTreeMap::from([(1, Code::Refused)]);
    let results = suite.batch(&demo, &writes, &bad).await;
    if let Some(Ok(written)) = results.first() {
        suite.proof(&demo, &writes[0], &written.id).await;
    }
    let fault = Fault::later(Code::TooManyRequests, "slow down").after(Duration::from_secs(3));
    suite.classified(
        "429",
        &fault,
        Next::Later { after: None },
        Code::TooManyRequests,
    );
    suite.finish()
}

#[tokio::test]
async fn a_sound_connector_passes() {
    let report = run(Flaw::None).await;
    report.assert_passed();
    assert!(report.checks.len() > 20, "{report}");
}

#[tokio::test]
async fn each_flaw_is_caught_by_the_check_that_is_there_for_it() {
    for (flaw, check) in [
        (Flaw::NeverEnds, "stock: paging ends"),
        (Flaw::StopsAtUnreadable, "stock: every record is read"),
        (Flaw::NewEveryTime, "stock: a repeated page has nothing new"),
        (Flaw::GarbageIsAStart, "stock: a foreign cursor is an error"),
        (Flaw::LogsItsKey, "no secret in a log"),
        (Flaw::TellsItsKey, "no secret in a fault"),
        (
            Flaw::OneBadLosesAll,
            "a batch loses only its bad items: item 0",
        ),
        (
            Flaw::WritesTwice,
            "stock create: the target refuses a second one",
        ),
        (Flaw::AnswersTooFew, "a batch loses only its bad items"),
    ] {
        let report = run(flaw).await;
        let failed: Vec<&str> = report.failed().map(|failed| failed.name.as_str()).collect();
        assert!(failed.contains(&check), "{flaw:?}: {failed:?}");
    }
}

#[test]
fn a_wrong_class_is_caught() {
    let mut suite = Suite::new(&SPEC, [SECRET]);
    let fault = Fault::refused(Code::Duplicate, "there");
    suite.classified("a", &fault, Next::Unknown, Code::Duplicate);
    suite.classified("b", &fault, Next::Refused, Code::Refused);
    assert_eq!(suite.finish().failed().count(), 2);
}

#[derive(Deserialize, JsonSchema)]
struct Untitled {
    #[allow(dead_code)]
    inner: Vec<Inner>,
}

#[derive(Deserialize, JsonSchema)]
struct Inner {
    /// It has help and no title.
    #[allow(dead_code)]
    size: u32,
}

#[test]
fn an_unsound_spec_is_caught_in_every_point() {
    static OPERATION: [Operation; 1] = [Operation {
        guard: Guard::Find,
        settle_seconds: 0,
        deadline_seconds: 301,
        batch: 0,
        ..OPERATIONS[0]
    }];
    static POOR: Capabilities = Capabilities {
        finds: &[],
        writes: &OPERATION,
        slots: 0,
        rounding: Rounding::PER_LINE,
        ..CAPABILITIES
    };
    static BAD: Spec = Spec {
        name: "Demo shop",
        title: "",
        summary: "x",
        capabilities: &POOR,
        level: Verification::Docs,
        settings: || schema_for!(Untitled),
        setup: "x",
        setup_fr: "x",
        open: SPEC_OPEN,
    };
    let mut suite = Suite::new(&BAD, [SECRET]);
    suite.declarations();
    let report = suite.finish();
    let wrong = report.checks[0].wrong.clone().unwrap_or_default();
    for part in [
        "`name` is not",
        "`title` is empty",
        "no slots",
        "a deadline is 1 to 300 s",
        "a batch of none",
        "nothing finds by key",
        "needs a settle time",
        "setting `inner` has no title",
        "setting `inner` has no description",
        "setting `size` has no title",
    ] {
        assert!(wrong.contains(part), "{part} not in {wrong}");
    }
    assert!(
        !wrong.contains("setting `size` has no description"),
        "{wrong}"
    );
}

type Open = fn(serde_json::Value, Kit) -> Result<Arc<dyn Connector>, Fault>;
const SPEC_OPEN: Open = |value, kit| Ok(Arc::new(Demo::open(value, kit, Flaw::None)?));
