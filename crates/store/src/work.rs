//! Work: a row per (flow, record) that is queue, hold list and status in one.

use crate::db::{Tx, list, transact};
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::record::texts;
use crate::value::{Row, Value};
use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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
    /// [`WorkRow::since`] of the row this was decided on: a row that was woken or answered meanwhile is due at once too. None where no
    /// row was read.
    pub since: Option<i64>,
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
    /// The root document: at most one turn runs per root.
    pub root: String,
    /// State.
    pub state: WorkState,
    /// Cause or reason.
    pub cause: Option<String>,
    /// When it is due (unix ms).
    pub due: Option<i64>,
    /// Digest of what was seen last.
    pub want: Digest,
    /// Digest of what both sides agreed on last.
    pub done: Option<Digest>,
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

impl Tx {
    pub(crate) async fn put_due(&mut self, due: &[WorkDue]) -> Result<(), StoreError> {
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for row in due {
            rows.insert(
                (&row.flow, row.kind, &row.src),
                vec![
                    row.flow.as_str().into(),
                    row.kind.as_str().into(),
                    row.src.as_str().into(),
                    row.dst.as_str().into(),
                    row.root.as_str().into(),
                    WorkState::Due.as_str().into(),
                    row.at.into(),
                    row.want.into(),
                    0.into(),
                    0.into(),
                    row.at.into(),
                ],
            );
        }
        // What was approved was another version. What was skipped may be this flow's business by now.
        let sql = "INSERT INTO work (flow, kind, src, dst_conn, root, state, due, want, tries, rounds, since) VALUES … \
                   ON CONFLICT (flow, kind, src) DO UPDATE SET want = excluded.want, dst_conn = excluded.dst_conn, \
                   root = excluded.root, state = 'due', cause = NULL, due = excluded.due, tries = 0, rounds = 0, \
                   since = excluded.since, approved = NULL WHERE work.want <> excluded.want OR work.state = 'skipped'";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }

    /// The ends of turns. A row whose record was seen anew meanwhile is due at once instead.
    pub(crate) async fn put_work(&mut self, work: &[WorkPut], now: i64) -> Result<(), StoreError> {
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for row in work {
            rows.insert(
                (&row.flow, row.kind, &row.src),
                vec![
                    row.flow.as_str().into(),
                    row.kind.as_str().into(),
                    row.src.as_str().into(),
                    row.decided.into(),
                    row.state.as_str().into(),
                    row.cause.as_deref().into(),
                    row.due.into(),
                    row.done.into(),
                    i64::from(row.tries).into(),
                    i64::from(row.rounds).into(),
                    // No row is since before the beginning of time.
                    row.since.unwrap_or(-1).into(),
                ],
            );
        }
        let sql = "UPDATE work SET \
             state = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) THEN v.column5 ELSE 'due' END, \
             cause = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) THEN v.column6 END, \
             due = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) THEN v.column7 ELSE $1 END, \
             done = coalesce(v.column8, done), \
             tries = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) THEN v.column9 ELSE tries END, \
             rounds = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) THEN v.column10 ELSE rounds END, \
             since = CASE WHEN want = v.column4 AND v.column11 IN (-1, since) AND state <> v.column5 THEN $1 ELSE since END, \
             approved = CASE WHEN v.column11 IN (-1, since) AND v.column5 IN ('done', 'skipped', 'held') THEN NULL ELSE approved END \
             FROM (VALUES …) AS v WHERE work.flow = v.column1 AND work.kind = v.column2 AND work.src = v.column3";
        let rows = rows.into_values().collect();
        self.many(sql, &[now.into()], rows).await.map(drop)
    }

    /// Makes everything with these causes due. Answers how many rows.
    pub(crate) async fn wake(&mut self, causes: &[String], now: i64) -> Result<u64, StoreError> {
        let causes: BTreeSet<&str> = causes.iter().map(String::as_str).collect();
        let sql = "UPDATE work SET state = 'due', cause = NULL, due = $1, tries = 0, rounds = 0, since = $1 \
                   WHERE cause IN (…) AND state IN ('waiting', 'held')";
        self.many(sql, &[now.into()], list(causes)).await
    }

    /// Makes settled rows due; one that is being decided now is due once more after that.
    pub(crate) async fn stir(
        &mut self,
        records: &[(FlowName, Kind, RemoteId)],
        now: i64,
    ) -> Result<(), StoreError> {
        let records: BTreeSet<(&FlowName, Kind, &RemoteId)> = records
            .iter()
            .map(|(flow, kind, id)| (flow, *kind, id))
            .collect();
        let sql = "UPDATE work SET state = 'due', cause = NULL, due = $1, tries = 0, rounds = 0, \
                   since = CASE WHEN since < $1 THEN $1 ELSE since + 1 END FROM (VALUES …) AS v \
                   WHERE work.kind = v.column1 AND work.src = v.column2 AND work.flow = v.column3 \
                   AND work.state IN ('due', 'done', 'skipped')";
        let row = |(flow, kind, id): (&FlowName, Kind, &RemoteId)| -> Vec<Value> {
            vec![
                kind.as_str().into(),
                id.as_str().into(),
                flow.as_str().into(),
            ]
        };
        let rows = records.into_iter().map(row).collect();
        self.many(sql, &[now.into()], rows).await.map(drop)
    }
}

/// So many rows of a kind that are due.
const DUE: &str = "FROM work WHERE dst_conn = $1 AND kind = $2 AND due <= $3";

const WORK: &str =
    "flow, kind, src, state, cause, due, want, tries, rounds, since, approved, done, root";

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
        done: row.digest(11)?,
        root: row.string(12)?,
    })
}

impl Store {
    /// Rows of these kinds due now for a target, the longest due first, one per root document.
    pub async fn due(
        &self,
        target: &ConnectionName,
        kinds: &[Kind],
        now: i64,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!("SELECT {WORK} {DUE} ORDER BY due, src LIMIT $4");
        let mut found = Vec::new();
        for kind in kinds {
            let values = vec![
                target.as_str().into(),
                kind.as_str().into(),
                now.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
            ];
            for row in self.db.ask(&sql, values).await? {
                found.push(work_row(&row)?);
            }
        }
        if kinds.len() > 1 {
            found.sort_by(|a, b| (a.due, &a.src).cmp(&(b.due, &b.src)));
            found.truncate(limit);
        }
        let mut roots = HashSet::new();
        found.retain(|work| roots.insert((work.flow.clone(), work.root.clone())));
        Ok(found)
    }

    /// Rows of a kind due now for a target, by their ids, those after `after`.
    pub async fn due_after(
        &self,
        target: &ConnectionName,
        kind: Kind,
        now: i64,
        after: Option<&RemoteId>,
        limit: usize,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let sql = format!("SELECT {WORK} {DUE} AND src > $4 ORDER BY src LIMIT $5");
        let values = vec![
            target.as_str().into(),
            kind.as_str().into(),
            now.into(),
            after.map_or("", RemoteId::as_str).into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(work_row).collect()
    }

    /// How many rows of a kind are due now for a target.
    pub async fn due_count(
        &self,
        target: &ConnectionName,
        kind: Kind,
        now: i64,
    ) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) {DUE}");
        let values = vec![target.as_str().into(), kind.as_str().into(), now.into()];
        let rows = self.db.ask(&sql, values).await?;
        rows.first()
            .map_or(Ok(0), |row| row.number(0).map(i64::unsigned_abs))
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
        let sql = "UPDATE work SET approved = $1, state = 'due', cause = NULL, due = $2, tries = 0, rounds = 0, since = $2 \
                   WHERE flow = $3 AND kind = $4 AND src IN (…)";
        let ids: BTreeSet<&str> = ids.iter().map(RemoteId::as_str).collect();
        transact!(self.db, tx => {
            let now = tx.now().await?;
            let fixed = [plan.into(), now.into(), flow.as_str().into(), kind.as_str().into()];
            tx.many(sql, &fixed, list(ids.iter().copied())).await?;
        })
    }

    /// The states of the rows of some records, by record and flow.
    pub async fn states(
        &self,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<HashMap<(RemoteId, FlowName), WorkState>, StoreError> {
        let sql = "SELECT src, flow, state FROM work WHERE kind = $1 AND src IN (…)";
        let fixed = [kind.as_str().into()];
        let mut found = HashMap::new();
        for row in self.db.ask_list(sql, &fixed, &texts(ids)).await? {
            let key = (RemoteId(row.string(0)?), row.parsed(1)?);
            found.insert(key, row.parsed(2)?);
        }
        Ok(found)
    }

    /// Makes records due, whatever their state.
    pub async fn touch(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<(), StoreError> {
        let sql = "UPDATE work SET state = 'due', cause = NULL, due = $1, tries = 0, rounds = 0, since = $1 \
                   WHERE flow = $2 AND kind = $3 AND src IN (…)";
        let ids: BTreeSet<&str> = ids.iter().map(RemoteId::as_str).collect();
        transact!(self.db, tx => {
            let now = tx.now().await?;
            let fixed = [now.into(), flow.as_str().into(), kind.as_str().into()];
            tx.many(sql, &fixed, list(ids.iter().copied())).await?;
        })
    }

    /// Decides everything with a cause again. Answers how many rows.
    pub async fn resume(&self, cause: &str) -> Result<u64, StoreError> {
        let cause = [cause.to_owned()];
        transact!(self.db, tx => {
            let now = tx.now().await?;
            tx.wake(&cause, now).await?
        })
    }

    /// Decides everything that waits or is held again: after a new revision of the configuration. What was approved was approved
    /// under the one before.
    pub async fn reconsider(&self, flow: &FlowName) -> Result<u64, StoreError> {
        let sql = "UPDATE work SET state = 'due', cause = NULL, due = $1, tries = 0, rounds = 0, since = $1, approved = NULL \
                   WHERE flow = $2 AND state IN ('waiting', 'held')";
        transact!(self.db, tx => {
            let now = tx.now().await?;
            tx.run(sql, vec![now.into(), flow.as_str().into()]).await?
        })
    }

    /// Held rows by cause, the most first.
    pub async fn holds(&self) -> Result<Vec<HoldGroup>, StoreError> {
        let sql = "SELECT cause, count(*), min(since) FROM work WHERE state IN ('waiting', 'held') AND state = 'held' GROUP BY cause ORDER BY count(*) DESC, cause";
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
            "SELECT {WORK} FROM work WHERE cause = $1 AND state IN ('waiting', 'held') AND state = 'held' ORDER BY since, src LIMIT $2"
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
