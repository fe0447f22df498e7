//! Documents: compressed, content-addressed, expiring.

use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::Value;
use comptoir_model::document::{Digest, Document};
use std::collections::BTreeMap;
use zstd::bulk::{Compressor, Decompressor};

/// zstd level: on documents of a few kilobytes the higher ones save a few bytes in a hundred and take half as long again.
const LEVEL: i32 = 1;
/// No stored document is larger than this when unpacked.
const LARGEST: usize = 64 * 1024 * 1024;
/// Rows changed per statement when documents expire.
const BATCH: i64 = 1_000;

/// Packs documents one after the other, which is cheaper than each for itself.
pub(crate) struct Packer(Compressor<'static>);

impl Packer {
    pub(crate) fn new() -> Result<Self, StoreError> {
        Compressor::new(LEVEL).map(Packer).map_err(damaged)
    }

    pub(crate) fn pack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.0.compress(bytes).map_err(damaged)
    }
}

/// Unpacks documents one after the other, which is cheaper than each for itself.
pub(crate) struct Unpacker(Decompressor<'static>);

impl Unpacker {
    pub(crate) fn new() -> Result<Self, StoreError> {
        Decompressor::new().map(Unpacker).map_err(damaged)
    }

    /// Unpacks what a [`Packer`] packed: the size is written in front of it.
    pub(crate) fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        let size = Decompressor::upper_bound(bytes).ok_or_else(|| damaged("a packed document"))?;
        if size > LARGEST {
            return Err(damaged(format!("a document of {size} bytes")));
        }
        self.0.decompress(bytes, size).map_err(damaged)
    }
}

/// Unpacks one document.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
    Unpacker::new()?.unpack(bytes)
}

impl Tx {
    /// Stores packed documents that are not there yet; those that are count as seen again.
    pub(crate) async fn put_blobs(
        &mut self,
        documents: &BTreeMap<Digest, Vec<u8>>,
        at: i64,
    ) -> Result<(), StoreError> {
        let rows = documents
            .iter()
            .map(|(digest, packed)| vec![(*digest).into(), packed.clone().into(), at.into()]);
        let sql = "INSERT INTO blob (hash, bytes, at) VALUES … ON CONFLICT (hash) DO UPDATE SET at = excluded.at";
        self.many(sql, &[], rows.collect()).await.map(drop)
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

    /// Deletes documents whose retention is over, and the documents of old intents. Answers how many went.
    ///
    /// A document is kept while it or its record was seen within the retention, while a record that is due, waiting or held (or was
    /// so within the retention) has it as its newest version, and while such a record's link has it as the version last written.
    pub async fn expire(&self, now: i64) -> Result<u64, StoreError> {
        let before = now - self.retention_ms;
        // `at` stands outside too: a document that was seen again while this statement ran stays.
        let blobs = "DELETE FROM blob WHERE at < $1 AND hash IN (SELECT b.hash FROM blob b WHERE b.at < $1 \
             AND NOT EXISTS (SELECT 1 FROM record r JOIN work w ON w.kind = r.kind AND w.src = r.remote \
               WHERE r.doc = b.hash AND (w.state IN ('due', 'waiting', 'held') OR w.since >= $1)) \
             AND NOT EXISTS (SELECT 1 FROM record r JOIN work w ON w.kind = r.kind AND w.src = r.remote \
               WHERE r.raw = b.hash AND (w.state IN ('due', 'waiting', 'held') OR w.since >= $1)) \
             AND NOT EXISTS (SELECT 1 FROM link l JOIN work w ON w.kind = l.kind AND w.src = l.src \
               WHERE l.base = b.hash AND (w.state IN ('due', 'waiting', 'held') OR w.since >= $1)) LIMIT $2)";
        let intents = "UPDATE intent SET doc = NULL, before = NULL WHERE id IN (SELECT id FROM intent \
             WHERE sent_at < $1 AND doc IS NOT NULL AND state NOT IN ('sent', 'unknown') LIMIT $2)";
        let gone = self.in_batches(blobs, before).await?;
        self.in_batches(intents, before).await?;
        Ok(gone)
    }

    /// Runs a statement until it finds less than a batch: no transaction is long, and the owners get their turns in between.
    async fn in_batches(&self, sql: &str, before: i64) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let changed = self.db.run(sql, vec![before.into(), BATCH.into()]).await?;
            all += changed;
            if changed < BATCH.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}
