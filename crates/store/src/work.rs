//! Work: a row per (flow, record) that is queue, hold list and status in one. And intents: what is about to be written, and what became of it.

use crate::blob::{pack, unpack};
use crate::db::{Row, Store, Tx, Value};
use crate::error::{StoreError, damaged};
use crate::record::texts;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId, WriteKey};
use comptoir_model::port::Step;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// Where a record stands in a flow. Always exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkState {
    /// To be worked on.
    Due,
    /// For something, until a time.
    Waiting,
    /// Both sides agree.
    Done,
    /// Not this flow's business, with a reason.
    Skipped,
    /// A person is needed.
    Held,
}

impl WorkState {
    const ALL: [WorkState; 5] = [
        WorkState::Due,
        WorkState::Waiting,
        WorkState::Done,
        WorkState::Skipped,
        WorkState::Held,
    ];

    /// The word used in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            WorkState::Due => "due",
            WorkState::Waiting => "waiting",
            WorkState::Done => "done",
            WorkState::Skipped => "skipped",
            WorkState::Held => "held",
        }
    }
}

impl FromStr for WorkState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        WorkState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("work state {text}"))
    }
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentState {
    /// The call is under way, or was when the process ended.
    Sent,
    /// No sure answer.
    Unknown,
    /// Done.
    Proved,
    /// Refused by the target.
    Refused,
    /// Not done; decided anew.
    Dropped,
}

impl IntentState {
    const ALL: [IntentState; 5] = [
        IntentState::Sent,
        IntentState::Unknown,
        IntentState::Proved,
        IntentState::Refused,
        IntentState::Dropped,
    ];

    /// The word used in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            IntentState::Sent => "sent",
            IntentState::Unknown => "unknown",
            IntentState::Proved => "proved",
            IntentState::Refused => "refused",
            IntentState::Dropped => "dropped",
        }
    }
}

impl FromStr for IntentState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        IntentState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("intent state {text}"))
    }
}

/// A record of the source was seen: its row becomes due when what it says is news.
#[derive(Debug, Clone)]
pub struct WorkDue {
    /// Flow.
    pub flow: FlowName,
    /// Kind.
    pub kind: Kind,
    /// Id in the source.
    pub src: RemoteId,
    /// Target.
    pub dst: ConnectionName,
    /// The root document: at most one turn runs per root.
    pub root: String,
    /// Digest of what was seen.
    pub want: Digest,
    /// When (unix ms).
    pub at: i64,
}

/// The end of a turn.
#[derive(Debug, Clone)]
pub struct WorkPut {
    /// Flow.
    pub flow: FlowName,
    /// Kind.
    pub kind: Kind,
    /// Id in the source.
    pub src: RemoteId,
    /// New state.
    pub state: WorkState,
    /// Cause or reason.
    pub cause: Option<String>,
    /// When it is due again (unix ms).
    pub due: Option<i64>,
    /// The digest both sides agree on.
    pub done: Option<Digest>,
    /// Tries that failed in a row.
    pub tries: u32,
    /// Writes since it last settled.
    pub rounds: u32,
    /// The digest this was decided on. When another was seen meanwhile the row is due at once.
    pub decided: Digest,
}

/// A stored row.
#[derive(Debug, Clone)]
pub struct WorkRow {
    /// Flow.
    pub flow: FlowName,
    /// Kind.
    pub kind: Kind,
    /// Id in the source.
    pub src: RemoteId,
    /// State.
    pub state: WorkState,
    /// Cause or reason.
    pub cause: Option<String>,
    /// When it is due (unix ms).
    pub due: Option<i64>,
    /// Digest of what was seen last.
    pub want: Digest,
    /// Tries that failed in a row.
    pub tries: u32,
    /// Writes since it last settled.
    pub rounds: u32,
    /// Since when it is in this state (unix ms).
    pub since: i64,
    /// The plan that lets it be written in a shadow flow.
    pub approved: Option<String>,
}

/// Held rows of one cause.
#[derive(Debug, Clone)]
pub struct HoldGroup {
    /// The cause.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// The oldest (unix ms).
    pub since: i64,
}

/// How many rows of a flow are in a state.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Flow.
    pub flow: FlowName,
    /// Kind.
    pub kind: Kind,
    /// State.
    pub state: WorkState,
    /// How many.
    pub count: u64,
}

/// An intent to store, before its call.
#[derive(Debug, Clone)]
pub struct IntentPut {
    /// Id.
    pub id: String,
    /// Flow.
    pub flow: FlowName,
    /// Kind of the subject.
    pub kind: Kind,
    /// Its id in the source.
    pub src: RemoteId,
    /// Its part.
    pub part: String,
    /// Target.
    pub dst: ConnectionName,
    /// Step.
    pub step: Step,
    /// Key.
    pub key: WriteKey,
    /// Canonical JSON of what is written.
    pub document: Vec<u8>,
    /// Canonical JSON of what was decided before.
    pub before: Option<Vec<u8>>,
    /// Digest of the source it was decided on.
    pub input: Digest,
    /// Revision of the configuration.
    pub revision: i64,
    /// State.
    pub state: IntentState,
    /// When (unix ms).
    pub sent_at: i64,
    /// When the vendor surely no longer works on it (unix ms).
    pub settle_at: i64,
    /// The version it expects.
    pub expects: Option<String>,
    /// The target's record.
    pub target: Option<RemoteId>,
}

/// What became of an intent.
#[derive(Debug, Clone)]
pub struct IntentOutcome {
    /// Id.
    pub id: String,
    /// State.
    pub state: IntentState,
    /// The fault, if there was one.
    pub fault: Option<Fault>,
    /// A new settle time (unix ms).
    pub settle_at: Option<i64>,
}

/// A stored intent.
#[derive(Debug, Clone)]
pub struct IntentRow {
    /// Id.
    pub id: String,
    /// Flow.
    pub flow: FlowName,
    /// Kind of the subject.
    pub kind: Kind,
    /// Its id in the source.
    pub src: RemoteId,
    /// Its part.
    pub part: String,
    /// Step.
    pub step: Step,
    /// Key.
    pub key: WriteKey,
    /// The target's record.
    pub target: Option<RemoteId>,
    /// Canonical JSON of what is written, while kept.
    pub document: Vec<u8>,
    /// Canonical JSON of what was decided before.
    pub before: Option<Vec<u8>>,
    /// Digest of the source it was decided on.
    pub input: Digest,
    /// Revision of the configuration.
    pub revision: i64,
    /// State.
    pub state: IntentState,
    /// When (unix ms).
    pub sent_at: i64,
    /// When the vendor surely no longer works on it (unix ms).
    pub settle_at: i64,
    /// The fault, if there was one.
    pub fault: Option<Fault>,
}

fn step_of(text: &str) -> Result<Step, StoreError> {
    [Step::Create, Step::Update, Step::Confirm, Step::Cancel]
        .into_iter()
        .find(|step| step.as_str() == text)
        .ok_or_else(|| damaged(format!("step {text}")))
}

impl Tx {
    pub(crate) async fn put_due(&mut self, due: Vec<WorkDue>) -> Result<(), StoreError> {
        let mut rows: BTreeMap<(FlowName, Kind, RemoteId), Vec<Value>> = BTreeMap::new();
        for row in due {
            rows.insert(
                (row.flow.clone(), row.kind, row.src.clone()),
                vec![
                    row.flow.as_str().into(),
                    row.kind.as_str().into(),
                    row.src.0.into(),
                    row.dst.as_str().into(),
                    row.root.into(),
                    WorkState::Due.as_str().into(),
                    row.at.into(),
                    row.want.into(),
                    0.into(),
                    0.into(),
                    row.at.into(),
                ],
            );
        }
        self.insert(
            "INSERT INTO work (flow, kind, src, dst_conn, root, state, due, want, tries, rounds, since)",
            11,
            "ON CONFLICT (flow, kind, src) DO UPDATE SET want = excluded.want, dst_conn = excluded.dst_conn, state = 'due', \
             cause = NULL, due = excluded.due, tries = 0, rounds = 0, since = excluded.since, approved = NULL WHERE work.want <> excluded.want",
            rows.into_values().collect(),
        )
        .await
    }

    /// The ends of turns. A row whose record was seen anew meanwhile becomes due at once instead.
    pub(crate) async fn put_work(
        &mut self,
        work: Vec<WorkPut>,
        now: i64,
    ) -> Result<(), StoreError> {
        // All columns that an insert would need are there already: the row exists, or the update finds nothing.
        for row in work {
            self.run(
                "UPDATE work SET state = CASE WHEN want = $1 THEN $2 ELSE 'due' END, \
                 cause = CASE WHEN want = $1 THEN $3 ELSE NULL END, \
                 due = CASE WHEN want = $1 THEN $4 ELSE $5 END, \
                 done = coalesce($6, done), tries = $7, rounds = $8, since = $5, \
                 approved = CASE WHEN $2 IN ('done', 'skipped', 'held') THEN NULL ELSE approved END \
                 WHERE flow = $9 AND kind = $10 AND src = $11",
                vec![
                    row.decided.into(),
                    row.state.as_str().into(),
                    row.cause.into(),
                    row.due.into(),
                    now.into(),
                    row.done.into(),
                    i64::from(row.tries).into(),
                    i64::from(row.rounds).into(),
                    row.flow.as_str().into(),
                    row.kind.as_str().into(),
                    row.src.0.into(),
                ],
            )
            .await?;
        }
        Ok(())
    }

    pub(crate) async fn put_intents(&mut self, intents: Vec<IntentPut>) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(intents.len());
        for intent in intents {
            let before = intent.before.as_deref().map(pack).transpose()?;
            rows.push(vec![
                intent.id.into(),
                intent.flow.as_str().into(),
                intent.kind.as_str().into(),
                intent.src.0.into(),
                intent.part.into(),
                intent.dst.as_str().into(),
                intent.step.as_str().into(),
                intent.key.0.into(),
                intent.target.map(|id| id.0).into(),
                pack(&intent.document)?.into(),
                before.into(),
                intent.input.into(),
                intent.revision.into(),
                intent.state.as_str().into(),
                intent.sent_at.into(),
                intent.settle_at.into(),
                intent.expects.into(),
            ]);
        }
        self.insert(
            "INSERT INTO intent (id, flow, kind, src, part, dst_conn, step, write_key, target, doc, before, input, revision, state, \
             sent_at, settle_at, expects)",
            17,
            "",
            rows,
        )
        .await
    }

    pub(crate) async fn put_outcomes(
        &mut self,
        outcomes: Vec<IntentOutcome>,
    ) -> Result<(), StoreError> {
        // Plain proofs are the many: one statement per list. Faults are the few.
        let (plain, others): (Vec<_>, Vec<_>) = outcomes
            .into_iter()
            .partition(|outcome| outcome.fault.is_none() && outcome.settle_at.is_none());
        for state in IntentState::ALL {
            let ids: Vec<String> = plain
                .iter()
                .filter(|outcome| outcome.state == state)
                .map(|outcome| outcome.id.clone())
                .collect();
            for part in ids.chunks(64) {
                let size = if part.len() == 1 { 1 } else { 64 };
                let places: Vec<String> =
                    (0..size).map(|index| format!("${}", index + 2)).collect();
                let sql = format!(
                    "UPDATE intent SET state = $1 WHERE id IN ({})",
                    places.join(",")
                );
                let last = part.last().cloned().unwrap_or_default();
                let ids = part
                    .iter()
                    .cloned()
                    .chain(std::iter::repeat(last))
                    .take(size);
                let mut values = vec![Value::from(state.as_str())];
                values.extend(ids.map(Value::from));
                self.run(&sql, values).await?;
            }
        }
        for outcome in others {
            let fault = outcome.fault.as_ref().map(serde_json::to_string);
            self.run(
                "UPDATE intent SET state = $1, fault = $2, settle_at = coalesce($3, settle_at) WHERE id = $4",
                vec![
                    outcome.state.as_str().into(),
                    fault.transpose().map_err(damaged)?.into(),
                    outcome.settle_at.into(),
                    outcome.id.into(),
                ],
            )
            .await?;
        }
        Ok(())
    }

    /// Makes everything with these causes due. Answers how many rows.
    pub(crate) async fn wake(&mut self, causes: Vec<String>, now: i64) -> Result<u64, StoreError> {
        let mut woken = 0;
        for cause in causes {
            woken += self
                .run(
                    "UPDATE work SET state = 'due', cause = NULL, due = $1, tries = 0, rounds = 0, since = $1 \
                     WHERE cause = $2 AND state IN ('waiting', 'held')",
                    vec![now.into(), cause.into()],
                )
                .await?;
        }
        Ok(woken)
    }
}

const WORK: &str = "flow, kind, src, state, cause, due, want, tries, rounds, since, approved";

fn work_row(row: &Row) -> Result<WorkRow, StoreError> {
    Ok(WorkRow {
        flow: row.parsed(0)?,
        kind: row.parsed(1)?,
        src: RemoteId(row.string(2)?),
        state: row.parsed(3)?,
        cause: row.text(4)?,
        due: row.int(5)?,
        want: row.digest(6)?.ok_or_else(|| damaged("work.want"))?,
        tries: u32::try_from(row.number(7)?).unwrap_or_default(),
        rounds: u32::try_from(row.number(8)?).unwrap_or_default(),
        since: row.number(9)?,
        approved: row.text(10)?,
    })
}

const INTENT: &str = "id, flow, kind, src, part, step, write_key, target, doc, before, input, revision, state, sent_at, settle_at, fault";

fn intent_row(row: &Row) -> Result<IntentRow, StoreError> {
    let fault = row.text(15)?.map(|text| serde_json::from_str(&text));
    Ok(IntentRow {
        id: row.string(0)?,
        flow: row.parsed(1)?,
        kind: row.parsed(2)?,
        src: RemoteId(row.string(3)?),
        part: row.string(4)?,
        step: step_of(&row.string(5)?)?,
        key: WriteKey(row.string(6)?),
        target: row.text(7)?.map(RemoteId),
        document: match row.blob(8)? {
            Some(bytes) => unpack(&bytes)?,
            None => Vec::new(),
        },
        before: row.blob(9)?.map(|bytes| unpack(&bytes)).transpose()?,
        input: row.digest(10)?.ok_or_else(|| damaged("intent.input"))?,
        revision: row.number(11)?,
        state: row.parsed(12)?,
        sent_at: row.number(13)?,
        settle_at: row.number(14)?,
        fault: fault.transpose().map_err(damaged)?,
    })
}

impl Store {
    /// Rows due now for a target, the longest due first, one per root document.
    pub async fn due(
        &self,
        target: &ConnectionName,
        now: i64,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!(
            "SELECT {WORK}, root FROM work WHERE dst_conn = $1 AND due <= $2 ORDER BY due, src LIMIT $3"
        );
        let values = vec![
            target.as_str().into(),
            now.into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let mut roots = std::collections::HashSet::new();
        let mut due = Vec::new();
        for row in self.db.ask(&sql, values).await? {
            let work = work_row(&row)?;
            if roots.insert((work.flow.clone(), row.string(11)?)) {
                due.push(work);
            }
        }
        Ok(due)
    }

    /// Rows of records.
    pub async fn work(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<HashMap<RemoteId, WorkRow>, StoreError> {
        let sql = format!("SELECT {WORK} FROM work WHERE flow = $1 AND kind = $2 AND src IN (…)");
        let fixed = [flow.as_str().into(), kind.as_str().into()];
        let rows = self.db.ask_list(&sql, &fixed, &texts(ids)).await?;
        rows.iter()
            .map(|row| work_row(row).map(|work| (work.src.clone(), work)))
            .collect()
    }

    /// Rows of a flow that are due, waiting or held, the oldest first: what a plan looks at.
    pub async fn open_work(
        &self,
        flow: &FlowName,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!(
            "SELECT {WORK} FROM work WHERE flow = $1 AND state IN ('due', 'waiting', 'held') ORDER BY since, src LIMIT $2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .db
            .ask(&sql, vec![flow.as_str().into(), limit.into()])
            .await?;
        rows.iter().map(work_row).collect()
    }

    /// Lets records of a shadow flow be written, and makes them due.
    pub async fn approve(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
        plan: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let sql = format!(
            "UPDATE work SET approved = $1, state = 'due', cause = NULL, due = {} WHERE flow = $2 AND kind = $3 AND src = $4",
            self.db.clock()
        );
        for id in ids {
            let values = vec![
                plan.into(),
                flow.as_str().into(),
                kind.as_str().into(),
                id.as_str().into(),
            ];
            tx.run(&sql, values).await?;
        }
        tx.commit().await
    }

    /// Makes records due, whatever their state.
    pub async fn touch(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        let sql = format!(
            "UPDATE work SET state = 'due', cause = NULL, due = {} WHERE flow = $1 AND kind = $2 AND src = $3",
            self.db.clock()
        );
        for id in ids {
            let values = vec![
                flow.as_str().into(),
                kind.as_str().into(),
                id.as_str().into(),
            ];
            tx.run(&sql, values).await?;
        }
        tx.commit().await
    }

    /// Intents of a target in these states, oldest first.
    pub async fn intents(
        &self,
        target: &ConnectionName,
        states: &[IntentState],
    ) -> Result<Vec<IntentRow>, StoreError> {
        let states: Vec<String> = states
            .iter()
            .map(|state| format!("'{}'", state.as_str()))
            .collect();
        let sql = format!(
            "SELECT {INTENT} FROM intent WHERE dst_conn = $1 AND state IN ({}) ORDER BY id",
            states.join(",")
        );
        let rows = self.db.ask(&sql, vec![target.as_str().into()]).await?;
        rows.iter().map(intent_row).collect()
    }

    /// Intents of records, oldest first.
    pub async fn intents_of(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<IntentRow>, StoreError> {
        let sql = format!(
            "SELECT {INTENT} FROM intent WHERE flow = $1 AND kind = $2 AND src IN (…) ORDER BY id"
        );
        let fixed = [flow.as_str().into(), kind.as_str().into()];
        let rows = self.db.ask_list(&sql, &fixed, &texts(ids)).await?;
        rows.iter().map(intent_row).collect()
    }

    /// When the creates of a flow since a time were sent (unix ms), oldest first: what its cap counts.
    pub async fn creates_since(&self, flow: &FlowName, since: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT sent_at FROM intent WHERE flow = $1 AND kind = 'order' AND step = 'create' AND state = 'proved' \
                   AND sent_at >= $2 ORDER BY sent_at";
        let rows = self
            .db
            .ask(sql, vec![flow.as_str().into(), since.into()])
            .await?;
        rows.iter().map(|row| row.number(0)).collect()
    }

    /// Decides everything with a cause again. Answers how many rows.
    pub async fn resume(&self, cause: &str) -> Result<u64, StoreError> {
        let now = self.now().await?;
        let mut tx = self.db.begin().await?;
        let woken = tx.wake(vec![cause.to_owned()], now).await?;
        tx.commit().await?;
        Ok(woken)
    }

    /// Decides everything that waits or is held again: after a new revision of the configuration.
    pub async fn reconsider(&self, flow: &FlowName) -> Result<u64, StoreError> {
        let sql = format!(
            "UPDATE work SET state = 'due', cause = NULL, due = {} WHERE flow = $1 AND state IN ('waiting', 'held')",
            self.db.clock()
        );
        self.db.run(&sql, vec![flow.as_str().into()]).await
    }

    /// Held rows by cause, the most first.
    pub async fn holds(&self) -> Result<Vec<HoldGroup>, StoreError> {
        let sql = "SELECT cause, count(*), min(since) FROM work WHERE state = 'held' GROUP BY cause ORDER BY count(*) DESC, cause";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(HoldGroup {
                    cause: row.string(0)?,
                    count: row.number(1)?.unsigned_abs(),
                    since: row.number(2)?,
                })
            })
            .collect()
    }

    /// Held rows of one cause, oldest first.
    pub async fn held(&self, cause: &str, limit: usize) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!(
            "SELECT {WORK} FROM work WHERE cause = $1 AND state = 'held' ORDER BY since, src LIMIT $2"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.db.ask(&sql, vec![cause.into(), limit.into()]).await?;
        rows.iter().map(work_row).collect()
    }

    /// How many rows are in which state.
    pub async fn counts(&self) -> Result<Vec<Counts>, StoreError> {
        let sql = "SELECT flow, kind, state, count(*) FROM work GROUP BY flow, kind, state";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Counts {
                    flow: row.parsed(0)?,
                    kind: row.parsed(1)?,
                    state: row.parsed(2)?,
                    count: row.number(3)?.unsigned_abs(),
                })
            })
            .collect()
    }
}
