//! Hints, durable before a webhook is answered. Many that come at once share one commit.

use crate::db::{Db, Tx, transact};
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::Value;
use comptoir_model::key::{ConnectionName, Kind, RemoteId};
use comptoir_model::port::Hint;
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::{mpsc, oneshot};

/// Hints per commit, at most.
const BATCH: usize = 256;
/// Hints waiting for a commit, at most; more wait their turn.
const QUEUE: usize = 4_096;

/// A stored hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintRow {
    /// Kind.
    pub kind: Kind,
    /// The record; none means "poll now".
    pub remote: Option<RemoteId>,
    /// When it came (unix ms).
    pub at: i64,
}

struct Entry {
    connection: ConnectionName,
    hint: Hint,
    stored: oneshot::Sender<Result<(), StoreError>>,
}

#[derive(Clone)]
pub(crate) struct Inbox(mpsc::Sender<Entry>);

impl Inbox {
    pub(crate) fn start(db: Db) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(collect(db, receiver));
        Inbox(sender)
    }
}

/// Stores what waits, all of it in one transaction. While that is made durable the next ones gather by themselves, so a lone hint
/// does not wait for company and many share one commit.
async fn collect(db: Db, mut receiver: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let failed = db.put_hints(&batch).await.err();
        for entry in batch.drain(..) {
            // Nobody waits any more when the sender of the webhook has hung up; the hint is stored all the same.
            let answer = failed.as_ref().map_or(Ok(()), |error| Err(same(error)));
            entry.stored.send(answer).ok();
        }
    }
}

/// The same fault for each of those whom it hit.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Full => StoreError::Full,
        StoreError::Database(error) => {
            StoreError::Database(sqlx::Error::Io(std::io::Error::other(error.to_string())))
        }
        other => damaged(other),
    }
}

/// A row for each record that is hinted.
fn rows_of(hints: &[Entry], now: i64) -> Vec<Vec<Value>> {
    let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    for entry in hints {
        let remote = entry.hint.id.as_ref().map_or("", RemoteId::as_str);
        rows.insert(
            (&entry.connection, entry.hint.kind, remote),
            vec![
                entry.connection.as_str().into(),
                entry.hint.kind.as_str().into(),
                remote.into(),
                now.into(),
            ],
        );
    }
    rows.into_values().collect()
}

impl Db {
    /// Stores hints: all of them, or none.
    async fn put_hints(&self, hints: &[Entry]) -> Result<(), StoreError> {
        let sql = "INSERT INTO hint (conn, kind, remote, at) VALUES … \
                   ON CONFLICT (conn, kind, remote) DO UPDATE SET at = excluded.at";
        if let Db::Sqlite { .. } = self {
            // One statement is a transaction by itself: one round trip and one write to the disk until the shops are answered.
            let rows = rows_of(hints, self.now().await?);
            return self.at_once(sql, rows).await;
        }
        transact!(self, tx => {
            let rows = rows_of(hints, tx.now().await?);
            tx.many(sql, &[], rows).await?;
        })
    }
}

impl Tx {
    /// Removes hints that a read has served which began after they came. One of the same millisecond stays, to be safe.
    pub(crate) async fn forget_hints(
        &mut self,
        read: &[(ConnectionName, Kind, Option<RemoteId>, i64)],
    ) -> Result<(), StoreError> {
        let mut reads: BTreeMap<i64, BTreeSet<(&str, &str, &str)>> = BTreeMap::new();
        for (connection, kind, id, began) in read {
            let remote = id.as_ref().map_or("", RemoteId::as_str);
            let hint = (connection.as_str(), kind.as_str(), remote);
            reads.entry(*began).or_default().insert(hint);
        }
        let sql = "DELETE FROM hint WHERE at < $1 AND (conn, kind, remote) IN (SELECT * FROM (VALUES …) AS v)";
        for (began, hints) in reads {
            let rows = hints.into_iter().map(|(connection, kind, remote)| {
                vec![connection.into(), kind.into(), remote.into()]
            });
            self.many(sql, &[began.into()], rows.collect()).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Removes hints that a step has served, where they do not stand beside what it stored.
    pub(crate) async fn forget_served(
        &self,
        read: &[(ConnectionName, Kind, Option<RemoteId>, i64)],
    ) -> Result<(), StoreError> {
        if read.is_empty() || !self.is_sqlite() {
            return Ok(());
        }
        transact!(self.hints, tx => tx.forget_hints(read).await?)
    }

    /// Stores a hint. It is durable when this comes back.
    pub async fn hint(&self, connection: &ConnectionName, hint: Hint) -> Result<(), StoreError> {
        let (stored, answer) = oneshot::channel();
        let entry = Entry {
            connection: connection.clone(),
            hint,
            stored,
        };
        let closed = || damaged("the inbox has ended");
        self.inbox.0.send(entry).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Hints of a connection, oldest first.
    pub async fn hints(
        &self,
        connection: &ConnectionName,
        limit: usize,
    ) -> Result<Vec<HintRow>, StoreError> {
        let sql = "SELECT kind, remote, at FROM hint WHERE conn = $1 ORDER BY at LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .hints
            .ask(sql, vec![connection.as_str().into(), limit.into()])
            .await?;
        rows.iter()
            .map(|row| {
                Ok(HintRow {
                    kind: row.parsed(0)?,
                    remote: Some(row.string(1)?)
                        .filter(|id| !id.is_empty())
                        .map(RemoteId),
                    at: row.number(2)?,
                })
            })
            .collect()
    }
}
