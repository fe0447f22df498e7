//! Hints, durable before a webhook is answered. Many that come at once share one commit.

use crate::db::{Db, Store, Tx, Value};
use crate::error::{StoreError, damaged};
use comptoir_model::key::{ConnectionName, Kind, RemoteId};
use comptoir_model::port::Hint;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long a commit waits for company.
const WINDOW: Duration = Duration::from_millis(2);
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

async fn collect(db: Db, mut receiver: mpsc::Receiver<Entry>) {
    while let Some(first) = receiver.recv().await {
        let mut batch = vec![first];
        let window = tokio::time::sleep(WINDOW);
        tokio::pin!(window);
        while batch.len() < BATCH {
            tokio::select! {
                next = receiver.recv() => match next {
                    Some(entry) => batch.push(entry),
                    None => break,
                },
                () = &mut window => break,
            }
        }
        let stored = store(&db, &batch).await;
        let failed = stored.err().map(|error| match error {
            StoreError::Full => (true, String::new()),
            other => (false, other.to_string()),
        });
        for entry in batch {
            let answer = match &failed {
                None => Ok(()),
                Some((true, _)) => Err(StoreError::Full),
                Some((false, why)) => Err(damaged(why)),
            };
            // Nobody waits any more when the sender of the webhook has hung up; the hint is stored all the same.
            entry.stored.send(answer).ok();
        }
    }
}

async fn store(db: &Db, batch: &[Entry]) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(&str, Kind, &str), Vec<Value>> = BTreeMap::new();
    let mut tx = db.begin().await?;
    let sql = format!("SELECT {}", db.clock());
    let now = tx.ask(&sql, Vec::new()).await?;
    let now = now.first().map_or(Ok(0), |row| row.number(0))?;
    for entry in batch {
        let remote = entry.hint.id.as_ref().map_or("", RemoteId::as_str);
        rows.insert(
            (entry.connection.as_str(), entry.hint.kind, remote),
            vec![
                entry.connection.as_str().into(),
                entry.hint.kind.as_str().into(),
                remote.into(),
                now.into(),
            ],
        );
    }
    tx.insert(
        "INSERT INTO hint (conn, kind, remote, at)",
        4,
        "ON CONFLICT (conn, kind, remote) DO UPDATE SET at = excluded.at",
        rows.into_values().collect(),
    )
    .await?;
    tx.commit().await
}

impl Tx {
    pub(crate) async fn forget_hints(
        &mut self,
        read: Vec<(ConnectionName, Kind, Option<RemoteId>, i64)>,
    ) -> Result<(), StoreError> {
        for (connection, kind, id, began) in read {
            self.run(
                "DELETE FROM hint WHERE conn = $1 AND kind = $2 AND remote = $3 AND at <= $4",
                vec![
                    connection.as_str().into(),
                    kind.as_str().into(),
                    id.map_or(String::new(), |id| id.0).into(),
                    began.into(),
                ],
            )
            .await?;
        }
        Ok(())
    }
}

impl Store {
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
            .db
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
