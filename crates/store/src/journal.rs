//! The journal: what was seen and done, without gaps per connection.

use crate::db::{Row, Store, Tx, Value};
use crate::error::{StoreError, damaged};
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
    pub(crate) async fn put_journal(&mut self, entries: Vec<JournalPut>) -> Result<(), StoreError> {
        let mut last: BTreeMap<ConnectionName, i64> = BTreeMap::new();
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(entries.len());
        for entry in entries {
            let n = match last.get(&entry.connection) {
                Some(n) => n + 1,
                None => {
                    let sql = "SELECT coalesce(max(n), 0) FROM journal WHERE conn = $1";
                    let found = self
                        .ask(sql, vec![entry.connection.as_str().into()])
                        .await?;
                    found.first().map_or(Ok(0), |row| row.number(0))? + 1
                }
            };
            last.insert(entry.connection.clone(), n);
            rows.push(vec![
                entry.connection.as_str().into(),
                n.into(),
                entry.at.into(),
                entry.flow.map(String::from).into(),
                entry.kind.as_str().into(),
                entry.src.0.into(),
                entry.intent.into(),
                entry.what.to_string().into(),
            ]);
        }
        self.insert(
            "INSERT INTO journal (conn, n, at, flow, kind, src, intent, what)",
            8,
            "",
            rows,
        )
        .await
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
