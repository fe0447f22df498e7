//! The journal: what was seen and done, without gaps per connection.

use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::{Row, Value};
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId};
use std::collections::BTreeMap;

/// An entry to store.
#[derive(Debug, Clone)]
pub struct JournalPut {
    /// The connection it happened at.
    pub connection: ConnectionName,
    /// When (unix ms).
    pub at: i64,
    /// Flow.
    pub flow: Option<FlowName>,
    /// Kind.
    pub kind: Kind,
    /// Id in the source.
    pub src: RemoteId,
    /// Intent.
    pub intent: Option<String>,
    /// What happened. Never personal data, never a secret.
    pub what: serde_json::Value,
}

/// A stored entry.
#[derive(Debug, Clone)]
pub struct JournalRow {
    /// Number, without gaps per connection.
    pub n: i64,
    /// When (unix ms).
    pub at: i64,
    /// Flow.
    pub flow: Option<FlowName>,
    /// Kind.
    pub kind: Kind,
    /// Id in the source.
    pub src: RemoteId,
    /// Intent.
    pub intent: Option<String>,
    /// What happened.
    pub what: serde_json::Value,
}

impl Tx {
    pub(crate) async fn put_journal(&mut self, entries: &[JournalPut]) -> Result<(), StoreError> {
        let mut by_connection: BTreeMap<&ConnectionName, Vec<&JournalPut>> = BTreeMap::new();
        for entry in entries {
            let of_connection = by_connection.entry(&entry.connection);
            of_connection.or_default().push(entry);
        }
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(entries.len());
        for (connection, entries) in by_connection {
            let first = self.take_numbers(connection, entries.len()).await?;
            for (n, entry) in (first..).zip(entries) {
                rows.push(vec![
                    connection.as_str().into(),
                    n.into(),
                    entry.at.into(),
                    entry.flow.as_ref().map(FlowName::as_str).into(),
                    entry.kind.as_str().into(),
                    entry.src.as_str().into(),
                    entry.intent.as_deref().into(),
                    entry.what.to_string().into(),
                ]);
            }
        }
        let sql = "INSERT INTO journal (conn, n, at, flow, kind, src, intent, what) VALUES …";
        self.many(sql, &[], rows).await.map(drop)
    }

    /// Takes the next numbers of a connection, and answers the first of them. Whoever else wants some waits until this transaction ends.
    async fn take_numbers(
        &mut self,
        connection: &ConnectionName,
        count: usize,
    ) -> Result<i64, StoreError> {
        let count = i64::try_from(count).map_err(damaged)?;
        let sql = "INSERT INTO journal_last (conn, n) VALUES ($1, $2) \
                   ON CONFLICT (conn) DO UPDATE SET n = journal_last.n + excluded.n RETURNING n";
        let values = vec![connection.as_str().into(), count.into()];
        let rows = self.ask(sql, values).await?;
        let last = rows.first().map_or(Ok(0), |row| row.number(0))?;
        Ok(last - count + 1)
    }
}

const COLUMNS: &str = "n, at, flow, kind, src, intent, what";

fn journal_row(row: &Row) -> Result<JournalRow, StoreError> {
    let flow = row.text(2)?.map(|text| text.parse());
    Ok(JournalRow {
        n: row.number(0)?,
        at: row.number(1)?,
        flow: flow.transpose().map_err(damaged)?,
        kind: row.parsed(3)?,
        src: RemoteId(row.string(4)?),
        intent: row.text(5)?,
        what: serde_json::from_str(&row.string(6)?).map_err(damaged)?,
    })
}

impl Store {
    /// What happened to a record at a connection, oldest first.
    pub async fn journal(
        &self,
        connection: &ConnectionName,
        kind: Kind,
        id: &RemoteId,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM journal WHERE conn = $1 AND kind = $2 AND src = $3 ORDER BY n"
        );
        let values = vec![
            connection.as_str().into(),
            kind.as_str().into(),
            id.as_str().into(),
        ];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(journal_row).collect()
    }

    /// What happened at a connection after entry `n`, oldest first.
    pub async fn journal_after(
        &self,
        connection: &ConnectionName,
        n: i64,
        limit: usize,
    ) -> Result<Vec<JournalRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM journal WHERE conn = $1 AND n > $2 ORDER BY n LIMIT $3");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![connection.as_str().into(), n.into(), limit.into()];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(journal_row).collect()
    }
}
