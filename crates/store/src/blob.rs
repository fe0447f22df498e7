//! Documents: compressed, content-addressed, expiring.

use crate::db::{Store, Tx, Value};
use crate::error::{StoreError, damaged};
use comptoir_model::document::{Digest, Document};
use std::collections::HashMap;

/// zstd level: 3 is its own default, a good price for documents of a few kilobytes.
const LEVEL: i32 = 3;
/// No stored document is larger than this when unpacked.
const LARGEST: usize = 64 * 1024 * 1024;
/// Documents deleted per statement when they expire.
const BATCH: i64 = 1_000;

/// Packs some bytes.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::compress(bytes, LEVEL).map_err(damaged)
}

/// Unpacks them.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    zstd::bulk::decompress(bytes, LARGEST.min(bytes.len().saturating_mul(400) + 4_096))
        .map_err(damaged)
}

impl Tx {
    /// Stores documents that are not there yet; those that are count as seen again.
    pub(crate) async fn put_blobs(
        &mut self,
        documents: HashMap<Digest, Vec<u8>>,
        at: i64,
    ) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(documents.len());
        for (digest, bytes) in documents {
            rows.push(vec![digest.into(), pack(&bytes)?.into(), at.into()]);
        }
        self.insert(
            "INSERT INTO blob (hash, bytes, at)",
            3,
            "ON CONFLICT (hash) DO UPDATE SET at = excluded.at",
            rows,
        )
        .await
    }
}

impl Store {
    /// The document with this digest, while it is kept.
    pub async fn document(&self, digest: &Digest) -> Result<Option<Document>, StoreError> {
        let sql = "SELECT bytes FROM blob WHERE hash = $1";
        let rows = self.db.ask(sql, vec![Value::from(*digest)]).await?;
        let Some(bytes) = rows.first().map_or(Ok(None), |row| row.blob(0))? else {
            return Ok(None);
        };
        Document::from_json(&unpack(&bytes)?)
            .map(Some)
            .map_err(damaged)
    }

    /// Deletes documents whose retention is over and whose record is not open any more, and the documents of old intents.
    /// Answers how many went.
    pub async fn expire(&self, now: i64) -> Result<u64, StoreError> {
        let before = now - self.retention_ms;
        let mut gone = 0;
        loop {
            let deleted = self
                .db
                .run(
                    "DELETE FROM blob WHERE hash IN (SELECT b.hash FROM blob b WHERE b.at < $1 AND NOT EXISTS \
                     (SELECT 1 FROM record r JOIN work w ON w.kind = r.kind AND w.src = r.remote \
                      WHERE (r.doc = b.hash OR r.raw = b.hash) AND (w.state IN ('due', 'waiting', 'held') OR w.since >= $1)) LIMIT $2)",
                    vec![before.into(), BATCH.into()],
                )
                .await?;
            gone += deleted;
            if deleted < BATCH.unsigned_abs() {
                break;
            }
        }
        self.db
            .run(
                "UPDATE intent SET doc = NULL, before = NULL WHERE sent_at < $1 AND doc IS NOT NULL AND state NOT IN ('sent', 'unknown')",
                vec![before.into()],
            )
            .await?;
        Ok(gone)
    }
}
