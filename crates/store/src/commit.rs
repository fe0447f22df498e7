//! One step of the road, stored whole or not at all.

use crate::blob::Packer;
use crate::db::{Tx, transact};
use crate::error::StoreError;
use crate::intent::{IntentOutcome, IntentPut};
use crate::journal::JournalPut;
use crate::level::{KitPut, LevelPut, LevelsSeen};
use crate::link::{IdentityPut, LinkPut};
use crate::open::Store;
use crate::owner::Ownership;
use crate::record::RecordPut;
use crate::reserve::{ReservePut, Reserved};
use crate::work::{WorkDue, WorkPut};
use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId};
use comptoir_model::port::Cursor;
use std::collections::BTreeMap;

/// Where a stream stands from now on.
#[derive(Debug, Clone)]
pub struct StreamPut {
    /// Connection.
    pub connection: ConnectionName,
    /// Kind.
    pub kind: Kind,
    /// The cursor that was read from. A stream that stands elsewhere by now was begun anew meanwhile, and stays so. None: wherever it
    /// stands.
    pub read_from: Option<Cursor>,
    /// The new cursor.
    pub cursor: Cursor,
    /// Who reads it, and what of it, as the engine writes that.
    pub readers: String,
    /// When to poll next (unix ms).
    pub next_at: i64,
    /// When something new came last (unix ms).
    pub last_new: Option<i64>,
}

/// Everything one step changes.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Records seen.
    pub records: Vec<RecordPut>,
    /// The stream they came from.
    pub stream: Option<StreamPut>,
    /// Hints that a read beginning at the time given has served.
    pub hints_read: Vec<(ConnectionName, Kind, Option<RemoteId>, i64)>,
    /// Rows of work that what was seen makes due.
    pub due: Vec<WorkDue>,
    /// Ends of turns.
    pub work: Vec<WorkPut>,
    /// Intents, before their calls.
    pub intents: Vec<IntentPut>,
    /// What became of intents.
    pub outcomes: Vec<IntentOutcome>,
    /// Links.
    pub links: Vec<LinkPut>,
    /// Answers to questions.
    pub identities: Vec<IdentityPut>,
    /// Causes whose rows become due.
    pub wake: Vec<String>,
    /// Levels of stock, read or put.
    pub levels: Vec<LevelPut>,
    /// Items that were read and are as they were.
    pub levels_seen: Vec<LevelsSeen>,
    /// Items of a shop, by stock keeping unit, of which an order was seen at a time (unix ms).
    pub sold: Vec<(ConnectionName, String, i64)>,
    /// Items that are gone.
    pub levels_gone: Vec<(ConnectionName, RemoteId)>,
    /// What kits are made of.
    pub kits: Vec<KitPut>,
    /// What orders take.
    pub reserves: Vec<ReservePut>,
    /// Orders whose goods the target has reserved.
    pub reserved: Vec<Reserved>,
    /// Records to decide again although nothing of their own is new. What waits or is held stays so.
    pub stir: Vec<(FlowName, Kind, RemoteId)>,
    /// Journal.
    pub journal: Vec<JournalPut>,
}

impl Commit {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.stream.is_none()
            && self.hints_read.is_empty()
            && self.due.is_empty()
            && self.work.is_empty()
            && self.intents.is_empty()
            && self.outcomes.is_empty()
            && self.links.is_empty()
            && self.identities.is_empty()
            && self.wake.is_empty()
            && self.levels.is_empty()
            && self.levels_seen.is_empty()
            && self.sold.is_empty()
            && self.levels_gone.is_empty()
            && self.kits.is_empty()
            && self.reserves.is_empty()
            && self.reserved.is_empty()
            && self.stir.is_empty()
            && self.journal.is_empty()
    }
}

impl Store {
    /// Stores a step in one transaction; as the owner, with the epoch checked inside it. Answers how many rows it woke.
    ///
    /// Outcomes come before intents: a step may close an intent and open the next one with the same key. Ends of turns come before
    /// what makes due again.
    ///
    /// # Errors
    /// [`StoreError::OwnershipLost`] when another owner has the connection; [`StoreError::Full`] when there is no room. Nothing is stored then.
    pub async fn commit(
        &self,
        ownership: Option<&Ownership>,
        commit: Commit,
    ) -> Result<u64, StoreError> {
        // Packed before the file's one writer is waited for: whoever waits behind us waits for the disk only.
        let packed = Packed::of(&commit)?;
        let woken = transact!(self.db, tx => {
            if let Some(ownership) = ownership {
                tx.check(ownership).await?;
            }
            tx.put(&commit, &packed).await?
        })?;
        self.forget_served(&commit.hints_read).await?;
        Ok(woken)
    }
}

/// The documents of a step, packed.
struct Packed {
    /// By digest.
    blobs: BTreeMap<Digest, Vec<u8>>,
    /// The digest of each record's raw answer.
    raws: Vec<Option<Digest>>,
    /// Of each intent: what is written, and what was decided before.
    intents: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Packed {
    fn of(commit: &Commit) -> Result<Self, StoreError> {
        let mut packer = Packer::new()?;
        let mut blobs = BTreeMap::new();
        let mut raws = Vec::with_capacity(commit.records.len());
        for record in &commit.records {
            if let Some(bytes) = &record.document {
                blobs.insert(record.digest, packer.pack(bytes)?);
            }
            let raw = record.raw.as_ref().map(|raw| raw.as_bytes());
            let digest = raw.map(Digest::of);
            if let (Some(raw), Some(digest)) = (raw, digest) {
                blobs.insert(digest, packer.pack(raw)?);
            }
            raws.push(digest);
        }
        let mut intents = Vec::with_capacity(commit.intents.len());
        for intent in &commit.intents {
            let before = intent.before.as_deref();
            let before = before.map(|bytes| packer.pack(bytes)).transpose()?;
            intents.push((packer.pack(&intent.document)?, before));
        }
        Ok(Packed {
            blobs,
            raws,
            intents,
        })
    }
}

impl Tx {
    async fn put(&mut self, commit: &Commit, packed: &Packed) -> Result<u64, StoreError> {
        if let Some(at) = commit.records.iter().map(|record| record.seen_at).max() {
            self.put_blobs(&packed.blobs, at).await?;
        }
        self.put_records(&commit.records, &packed.raws).await?;
        if let Some(stream) = &commit.stream {
            self.put_stream(stream).await?;
        }
        if let Tx::Postgres(_) = self {
            self.forget_hints(&commit.hints_read).await?;
        }
        self.put_due(&commit.due).await?;
        self.put_outcomes(&commit.outcomes).await?;
        self.put_intents(&commit.intents, &packed.intents).await?;
        self.put_links(&commit.links).await?;
        self.put_identities(&commit.identities).await?;
        self.put_levels(&commit.levels).await?;
        self.see_levels(&commit.levels_seen).await?;
        self.put_sold(&commit.sold).await?;
        self.forget_levels(&commit.levels_gone).await?;
        self.put_kits(&commit.kits).await?;
        self.put_reserves(&commit.reserves).await?;
        self.put_reserved(&commit.reserved).await?;
        let mut woken = 0;
        if !(commit.work.is_empty() && commit.wake.is_empty() && commit.stir.is_empty()) {
            let now = self.now().await?;
            self.put_work(&commit.work, now).await?;
            woken = self.wake(&commit.wake, now).await?;
            self.stir(&commit.stir, now).await?;
        }
        self.put_journal(&commit.journal).await?;
        Ok(woken)
    }

    async fn put_stream(&mut self, stream: &StreamPut) -> Result<(), StoreError> {
        let sql = "INSERT INTO stream (conn, kind, cursor, readers, next_at, last_new) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (conn, kind) DO UPDATE SET cursor = excluded.cursor, readers = excluded.readers, \
                   next_at = excluded.next_at, last_new = excluded.last_new \
                   WHERE stream.cursor = COALESCE($7, stream.cursor)";
        let read_from = stream.read_from.as_ref().map(|cursor| cursor.0.clone());
        let values = vec![
            stream.connection.as_str().into(),
            stream.kind.as_str().into(),
            stream.cursor.0.as_str().into(),
            stream.readers.as_str().into(),
            stream.next_at.into(),
            stream.last_new.into(),
            read_from.into(),
        ];
        self.run(sql, values).await.map(drop)
    }
}
