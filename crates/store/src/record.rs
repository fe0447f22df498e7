//! Records as last seen, and where reading of each stream stands.

use crate::blob::Unpacker;
use crate::db::{Db, Tx};
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::Value;
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{ConnectionName, Kind, RecordKey, RemoteId};
use comptoir_model::port::Cursor;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// What is known of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecordState {
    /// It is there.
    Live,
    /// It was deleted.
    Gone,
    /// It cannot be decoded.
    Unreadable,
    /// A person asked for it to be forgotten.
    Erased,
}

impl RecordState {
    fn as_str(self) -> &'static str {
        match self {
            RecordState::Live => "live",
            RecordState::Gone => "gone",
            RecordState::Unreadable => "unreadable",
            RecordState::Erased => "erased",
        }
    }
}

impl FromStr for RecordState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [
            RecordState::Live,
            RecordState::Gone,
            RecordState::Unreadable,
            RecordState::Erased,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| format!("record state {text}"))
    }
}

/// A record to store.
#[derive(Debug, Clone)]
pub struct RecordPut {
    /// Where it lives.
    pub connection: ConnectionName,
    /// Kind.
    pub kind: Kind,
    /// Id there.
    pub id: RemoteId,
    /// The record it belongs to, if it belongs to one.
    pub parent: Option<RecordKey>,
    /// The system's own mark of the version.
    pub version: String,
    /// Digest of the document.
    pub digest: Digest,
    /// State.
    pub state: RecordState,
    /// Canonical JSON.
    pub document: Option<Vec<u8>>,
    /// The answer it was read from.
    pub raw: Option<String>,
    /// When the reading began (unix ms).
    pub seen_at: i64,
}

/// A stored record.
#[derive(Debug, Clone)]
pub struct RecordRow {
    /// The system's own mark of the version.
    pub version: String,
    /// Digest of the document.
    pub digest: Digest,
    /// State.
    pub state: RecordState,
    /// When it was seen (unix ms).
    pub seen_at: i64,
    /// The document, while it is kept.
    pub document: Option<Document>,
    /// The answer it was read from, when asked for and kept.
    pub raw: Option<String>,
}

/// Where a stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The cursor.
    pub cursor: Cursor,
    /// Who has read it, and what of it, as the engine wrote that.
    pub readers: String,
    /// When to poll next (unix ms).
    pub next_at: i64,
    /// When something new came last (unix ms).
    pub last_new: Option<i64>,
}

pub(crate) fn texts(ids: &[RemoteId]) -> Vec<String> {
    ids.iter().map(|id| id.0.clone()).collect()
}

impl Tx {
    /// Stores records, with the digests of their raw answers.
    pub(crate) async fn put_records(
        &mut self,
        records: &[RecordPut],
        raws: &[Option<Digest>],
    ) -> Result<(), StoreError> {
        // One statement must not touch a row twice: the last word on a record counts.
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for (record, raw) in records.iter().zip(raws) {
            let doc = record.document.as_ref().map(|_| record.digest);
            rows.insert(
                (&record.connection, record.kind, &record.id),
                vec![
                    record.connection.as_str().into(),
                    record.kind.as_str().into(),
                    record.id.as_str().into(),
                    record.version.as_str().into(),
                    record.digest.into(),
                    doc.into(),
                    (*raw).into(),
                    record.state.as_str().into(),
                    record.seen_at.into(),
                ],
            );
        }
        let sql = "INSERT INTO record (conn, kind, remote, version, digest, doc, raw, state, seen_at) VALUES … \
                   ON CONFLICT (conn, kind, remote) DO UPDATE SET version = excluded.version, digest = excluded.digest, \
                   doc = excluded.doc, raw = excluded.raw, state = excluded.state, seen_at = excluded.seen_at";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }
}

impl Store {
    /// Where a stream stands; none before its first page.
    pub async fn stream(
        &self,
        connection: &ConnectionName,
        kind: Kind,
    ) -> Result<Option<StreamRow>, StoreError> {
        let sql =
            "SELECT cursor, next_at, last_new, readers FROM stream WHERE conn = $1 AND kind = $2";
        let values = vec![connection.as_str().into(), kind.as_str().into()];
        let rows = self.db.ask(sql, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(StreamRow {
            cursor: Cursor(row.string(0)?),
            next_at: row.number(1)?,
            last_new: row.int(2)?,
            readers: row.string(3)?,
        }))
    }

    /// Begins a stream anew: everything is read again from the start, now.
    pub async fn read_again(
        &self,
        connection: &ConnectionName,
        kind: Kind,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE stream SET cursor = '', next_at = 0 WHERE conn = $1 AND kind = $2";
        let values = vec![connection.as_str().into(), kind.as_str().into()];
        self.db.run(sql, values).await?;
        Ok(())
    }

    /// Makes every stream of a connection due now.
    pub async fn poll_now(&self, connection: &ConnectionName) -> Result<(), StoreError> {
        let sql = "UPDATE stream SET next_at = 0 WHERE conn = $1";
        self.db.run(sql, vec![connection.as_str().into()]).await?;
        Ok(())
    }

    /// Digests and states of records.
    pub async fn digests(
        &self,
        connection: &ConnectionName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<HashMap<RemoteId, (Digest, RecordState)>, StoreError> {
        let sql = "SELECT remote, digest, state FROM record WHERE conn = $1 AND kind = $2 AND remote IN (…)";
        let fixed = [connection.as_str().into(), kind.as_str().into()];
        let mut found = HashMap::new();
        for row in self.db.ask_list(sql, &fixed, &texts(ids)).await? {
            if let Some(digest) = row.digest(1)? {
                found.insert(RemoteId(row.string(0)?), (digest, row.parsed(2)?));
            }
        }
        Ok(found)
    }

    /// Records with their documents, and with their raw answers when `raw` says so.
    pub async fn records(
        &self,
        connection: &ConnectionName,
        kind: Kind,
        ids: &[RemoteId],
        raw: bool,
    ) -> Result<HashMap<RemoteId, RecordRow>, StoreError> {
        let (raw_bytes, raw_join) = match (raw, &self.db) {
            (true, _) => ("x.bytes", "LEFT JOIN blob x ON x.hash = r.raw"),
            (false, Db::Sqlite { .. }) => ("NULL", ""),
            (false, Db::Postgres(_)) => ("CAST(NULL AS BYTEA)", ""),
        };
        let sql = format!(
            "SELECT r.remote, r.version, r.digest, r.state, r.seen_at, b.bytes, {raw_bytes} FROM record r \
             LEFT JOIN blob b ON b.hash = r.doc {raw_join} WHERE r.conn = $1 AND r.kind = $2 AND r.remote IN (…)"
        );
        let fixed = [connection.as_str().into(), kind.as_str().into()];
        let mut unpacker = Unpacker::new()?;
        let mut found = HashMap::new();
        for row in self.db.ask_list(&sql, &fixed, &texts(ids)).await? {
            let document = row
                .blob(5)?
                .map(|bytes| Document::from_json(&unpacker.unpack(&bytes)?).map_err(damaged))
                .transpose()?;
            let raw = row
                .blob(6)?
                .map(|bytes| String::from_utf8(unpacker.unpack(&bytes)?).map_err(damaged))
                .transpose()?;
            let Some(digest) = row.digest(2)? else {
                continue;
            };
            found.insert(
                RemoteId(row.string(0)?),
                RecordRow {
                    version: row.string(1)?,
                    digest,
                    state: row.parsed(3)?,
                    seen_at: row.number(4)?,
                    document,
                    raw,
                },
            );
        }
        Ok(found)
    }
}
