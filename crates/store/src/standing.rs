//! How everything stands, for those who look at it: sums of a day, what is held and why, how much moved, what is silent.

use crate::error::StoreError;
use crate::open::Store;
use crate::value::Value;
use comptoir_model::key::{ConnectionName, FlowName, Kind};

/// Where the orders of a day stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// Held.
    Held,
    /// Due or waiting.
    Open,
    /// Done.
    Done,
    /// Skipped.
    Skipped,
    /// No flow has it.
    Unseen,
}

/// Orders of a day in one currency that stand alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySum {
    /// Currency.
    pub currency: String,
    /// Where they stand.
    pub share: Share,
    /// How many.
    pub count: u64,
    /// What the source charged, in millionths.
    pub charged: i64,
    /// What the target holds for them, in millionths; of those that are not there yet, nothing.
    pub there: i64,
    /// By how much the two differ, order by order and whichever way, in millionths: what is too much on one does not make up for another.
    pub off: i64,
}

/// What is held under one cause in one flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldSum {
    /// Flow.
    pub flow: FlowName,
    /// Cause.
    pub cause: String,
    /// Currency, or empty.
    pub currency: String,
    /// How many.
    pub count: u64,
    /// The oldest (unix ms).
    pub since: i64,
    /// What they come to, in millionths.
    pub amount: i64,
}

/// How much moved at a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Flow; none for what belongs to no flow.
    pub flow: Option<FlowName>,
    /// Entries of the journal.
    pub count: u64,
    /// The latest (unix ms).
    pub last: i64,
}

/// When something new came last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamAge {
    /// Connection.
    pub connection: ConnectionName,
    /// Kind.
    pub kind: Kind,
    /// When it is polled next (unix ms).
    pub next_at: i64,
    /// When something new came last (unix ms).
    pub last_new: Option<i64>,
}

/// How a flow stood in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Flow.
    pub flow: FlowName,
    /// Beginning of the hour (unix ms).
    pub at: i64,
    /// Most that were held.
    pub held: i64,
    /// Most that were due or waiting.
    pub open: i64,
    /// Writes to the target so far in this hour.
    pub done: i64,
}

/// Records of a flow that are due and not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// How many are due.
    pub count: u64,
    /// Since when the longest (unix ms).
    pub since: i64,
}

/// Entries of the journal that are looked at to count what moved.
const LATEST: i64 = 20_000;

fn unsigned(number: i64) -> u64 {
    number.max(0).unsigned_abs()
}

impl Store {
    /// The orders of a connection placed in a span, by where they stand in these flows. Of an order that several flows have, the
    /// worst counts, and what a flow leaves to another counts last.
    pub async fn day_sums(
        &self,
        connection: &ConnectionName,
        flows: &[FlowName],
        since: i64,
        until: i64,
    ) -> Result<Vec<DaySum>, StoreError> {
        // Grouped by an expression: by the column itself, SQLite would walk through every order of the connection in the order of its
        // key, instead of those of the span by their index.
        let names: Vec<String> = (0..flows.len().max(1))
            .map(|n| format!("${}", n + 4))
            .collect();
        let sql = format!(
            "SELECT currency, rank, count(*), CAST(sum(charged) AS BIGINT), CAST(sum(there) AS BIGINT), CAST(sum(abs(charged - there)) AS BIGINT) FROM ( \
               SELECT c.currency, max(coalesce(c.amount, 0)) AS charged, max(coalesce(e.amount, 0)) AS there, \
               CAST(min(CASE w.state WHEN 'held' THEN 0 WHEN 'due' THEN 1 WHEN 'waiting' THEN 1 WHEN 'done' THEN 2 \
               WHEN 'skipped' THEN 3 ELSE 4 END) AS BIGINT) AS rank FROM card c \
               LEFT JOIN work w ON w.kind = 'order' AND w.src = c.remote AND w.flow IN ({}) \
               LEFT JOIN link l ON l.src_conn = c.conn AND l.kind = 'order' AND l.src = c.remote AND l.part = '' AND l.state <> 'gone' \
               LEFT JOIN card e ON e.conn = l.dst_conn AND e.kind = 'order' AND e.remote = l.dst \
               WHERE c.conn = $1 AND c.kind = 'order' AND c.at >= $2 AND c.at < $3 GROUP BY c.remote || '', c.currency) AS orders \
             GROUP BY currency, rank ORDER BY currency, rank",
            names.join(", ")
        );
        let mut values: Vec<Value> = vec![connection.as_str().into(), since.into(), until.into()];
        if flows.is_empty() {
            values.push("".into());
        }
        values.extend(flows.iter().map(|flow| Value::from(flow.as_str())));
        let rows = self.db.ask(&sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(DaySum {
                    currency: row.string(0)?,
                    share: match row.number(1)? {
                        0 => Share::Held,
                        1 => Share::Open,
                        2 => Share::Done,
                        3 => Share::Skipped,
                        _ => Share::Unseen,
                    },
                    count: unsigned(row.number(2)?),
                    charged: row.number(3)?,
                    there: row.number(4)?,
                    off: row.number(5)?,
                })
            })
            .collect()
    }

    /// Orders of a connection placed in a span, by span of `step` ms: the beginning of the span and how many.
    pub async fn placed_by(
        &self,
        connection: &ConnectionName,
        since: i64,
        until: i64,
        step: i64,
    ) -> Result<Vec<(i64, u64)>, StoreError> {
        let step = step.max(1);
        let sql = format!(
            "SELECT (at - $2) / {step}, count(*) FROM card WHERE conn = $1 AND kind = 'order' AND at >= $2 AND at < $3 \
             GROUP BY (at - $2) / {step} ORDER BY 1"
        );
        let values = vec![connection.as_str().into(), since.into(), until.into()];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter()
            .map(|row| Ok((since + row.number(0)? * step, unsigned(row.number(1)?))))
            .collect()
    }

    /// What a flow holds, by cause and currency, the oldest first.
    pub async fn held_sums(
        &self,
        flow: &FlowName,
        source: &ConnectionName,
    ) -> Result<Vec<HeldSum>, StoreError> {
        let sql = "SELECT w.cause, coalesce(c.currency, ''), count(*), min(w.since), CAST(coalesce(sum(c.amount), 0) AS BIGINT) \
                   FROM work w LEFT JOIN card c ON c.conn = $2 AND c.kind = w.kind AND c.remote = w.src \
                   WHERE w.flow = $1 AND w.state = 'held' GROUP BY w.cause, coalesce(c.currency, '') ORDER BY 4, 1";
        let values = vec![flow.as_str().into(), source.as_str().into()];
        let rows = self.db.ask(sql, values).await?;
        rows.iter()
            .map(|row| {
                Ok(HeldSum {
                    flow: flow.clone(),
                    cause: row.string(0)?,
                    currency: row.string(1)?,
                    count: unsigned(row.number(2)?),
                    since: row.number(3)?,
                    amount: row.number(4)?,
                })
            })
            .collect()
    }

    /// What moved at a connection since a time (unix ms), by flow. Of a very busy one, the latest entries only.
    pub async fn activity(
        &self,
        connection: &ConnectionName,
        since: i64,
    ) -> Result<Vec<Activity>, StoreError> {
        let last = "SELECT n FROM journal_last WHERE conn = $1";
        let rows = self.db.ask(last, vec![connection.as_str().into()]).await?;
        let last = rows.first().map_or(Ok(0), |row| row.number(0))?;
        let sql = "SELECT flow, count(*), max(at) FROM journal WHERE conn = $1 AND n > $2 AND at >= $3 GROUP BY flow";
        let values = vec![
            connection.as_str().into(),
            (last - LATEST).into(),
            since.into(),
        ];
        let rows = self.db.ask(sql, values).await?;
        rows.iter()
            .map(|row| {
                let flow = row.text(0)?.map(|name| name.parse());
                Ok(Activity {
                    flow: flow.transpose().map_err(crate::error::damaged)?,
                    count: unsigned(row.number(1)?),
                    last: row.number(2)?,
                })
            })
            .collect()
    }

    /// What of a flow is due and not begun; none when nothing is.
    pub async fn overdue(
        &self,
        flow: &FlowName,
        kind: Kind,
        target: &ConnectionName,
        now: i64,
    ) -> Result<Option<Overdue>, StoreError> {
        let sql = "SELECT count(*), min(due) FROM work WHERE dst_conn = $1 AND kind = $2 AND due <= $3 AND flow = $4 AND state = 'due'";
        let values = vec![
            target.as_str().into(),
            kind.as_str().into(),
            now.into(),
            flow.as_str().into(),
        ];
        let rows = self.db.ask(sql, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let since = row.int(1)?;
        let count = unsigned(row.number(0)?);
        Ok(since.map(|since| Overdue { count, since }))
    }

    /// A number that is another one as soon as anything was written or stopped.
    pub async fn pulse(&self) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM journal_last";
        let moved = self.db.ask(sql, Vec::new()).await?;
        let moved = moved.first().map_or(Ok(0), |row| row.number(0))?;
        let sql = "SELECT count(*), coalesce(max(at), 0) FROM halt";
        let halted = self.db.ask(sql, Vec::new()).await?;
        let halted = match halted.first() {
            Some(row) => row.number(0)? + row.number(1)?,
            None => 0,
        };
        Ok(moved.wrapping_add(halted.wrapping_mul(31)))
    }

    /// How many entries the journal of each connection has had.
    pub async fn journal_totals(&self) -> Result<Vec<(ConnectionName, i64)>, StoreError> {
        let sql = "SELECT conn, n FROM journal_last ORDER BY conn";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| Ok((row.parsed(0)?, row.number(1)?)))
            .collect()
    }

    /// Every stream that was ever read.
    pub async fn streams(&self) -> Result<Vec<StreamAge>, StoreError> {
        let sql = "SELECT conn, kind, next_at, last_new FROM stream ORDER BY conn, kind";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(StreamAge {
                    connection: row.parsed(0)?,
                    kind: row.parsed(1)?,
                    next_at: row.number(2)?,
                    last_new: row.int(3)?,
                })
            })
            .collect()
    }

    /// Notes how flows stand in this hour: the most that was held and open in it. Samples before `keep` (unix ms) go.
    pub async fn put_samples(&self, samples: &[Sample], keep: i64) -> Result<(), StoreError> {
        let forget = "DELETE FROM sample WHERE at < $1";
        let sql = "INSERT INTO sample (flow, at, held, open, done) VALUES … ON CONFLICT (flow, at) DO UPDATE SET \
                   held = CASE WHEN excluded.held > sample.held THEN excluded.held ELSE sample.held END, \
                   open = CASE WHEN excluded.open > sample.open THEN excluded.open ELSE sample.open END, \
                   done = CASE WHEN excluded.done > sample.done THEN excluded.done ELSE sample.done END";
        let rows: Vec<Vec<Value>> = samples
            .iter()
            .map(|sample| {
                vec![
                    sample.flow.as_str().into(),
                    sample.at.into(),
                    sample.held.into(),
                    sample.open.into(),
                    sample.done.into(),
                ]
            })
            .collect();
        crate::db::transact!(self.db, tx => {
            tx.run(forget, vec![keep.into()]).await?;
            tx.many(sql, &[], rows.clone()).await.map(drop)?;
        })
    }

    /// How flows stood since a time (unix ms), the oldest first.
    pub async fn samples(&self, since: i64) -> Result<Vec<Sample>, StoreError> {
        let sql = "SELECT flow, at, held, open, done FROM sample WHERE at >= $1 ORDER BY at, flow";
        let rows = self.db.ask(sql, vec![since.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(Sample {
                    flow: row.parsed(0)?,
                    at: row.number(1)?,
                    held: row.number(2)?,
                    open: row.number(3)?,
                    done: row.number(4)?,
                })
            })
            .collect()
    }
}
