//! What the store takes: rows and bytes by what they are for.

use crate::error::StoreError;
use crate::open::Store;
use serde::Serialize;

/// Rows and bytes of one sort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Rows.
    pub rows: i64,
    /// Bytes of their contents, as stored.
    pub bytes: i64,
}

/// What everything takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// Canonical and raw documents, compressed.
    pub documents: Size,
    /// Journal.
    pub journal: Size,
    /// Intents with their documents.
    pub intents: Size,
    /// Records.
    pub records: Size,
    /// Links.
    pub links: Size,
    /// Work.
    pub work: Size,
}

impl Sizes {
    /// Name, rows and bytes, line by line.
    pub fn lines(&self) -> [(&'static str, i64, i64); 6] {
        [
            ("documents", self.documents),
            ("journal", self.journal),
            ("intents", self.intents),
            ("records", self.records),
            ("links", self.links),
            ("work", self.work),
        ]
        .map(|(name, size)| (name, size.rows, size.bytes))
    }
}

impl Store {
    /// Counts rows and bytes.
    pub async fn sizes(&self) -> Result<Sizes, StoreError> {
        let size = async |sql: &'static str| {
            let rows = self.db.ask(sql, Vec::new()).await?;
            let Some(row) = rows.first() else {
                return Ok::<Size, StoreError>(Size::default());
            };
            Ok(Size {
                rows: row.number(0)?,
                bytes: row.number(1)?,
            })
        };
        Ok(Sizes {
            documents: size("SELECT count(*), CAST(coalesce(sum(length(bytes) + 40), 0) AS BIGINT) FROM blob").await?,
            journal: size("SELECT count(*), CAST(coalesce(sum(length(what) + 60), 0) AS BIGINT) FROM journal").await?,
            intents: size("SELECT count(*), CAST(coalesce(sum(coalesce(length(doc), 0) + coalesce(length(before), 0) + 200), 0) AS BIGINT) FROM intent").await?,
            records: size("SELECT count(*), CAST(coalesce(sum(length(remote) + length(version) + 150), 0) AS BIGINT) FROM record").await?,
            links: size("SELECT count(*), CAST(coalesce(sum(length(src) + length(dst) + 200), 0) AS BIGINT) FROM link").await?,
            work: size("SELECT count(*), CAST(coalesce(sum(length(src) + 150), 0) AS BIGINT) FROM work").await?,
        })
    }
}
