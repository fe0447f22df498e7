//! Revisions of the configuration, numbered, with one head.

use crate::blob::{Packer, unpack};
use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::Row;
use std::collections::BTreeMap;

/// One revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// Number.
    pub n: i64,
    /// The revision it was made from.
    pub parent: Option<i64>,
    /// Who made it.
    pub author: String,
    /// When (unix ms).
    pub at: i64,
    /// Its files.
    pub files: BTreeMap<String, String>,
}

fn revision_row(row: &Row) -> Result<Revision, StoreError> {
    let files = row.blob(4)?.ok_or_else(|| damaged("revision.files"))?;
    Ok(Revision {
        n: row.number(0)?,
        parent: row.int(1)?,
        author: row.string(2)?,
        at: row.number(3)?,
        files: serde_json::from_slice(&unpack(&files)?).map_err(damaged)?,
    })
}

impl Tx {
    /// Whether the head is this one. It stays so until the transaction ends.
    async fn check_head(&mut self, expected: Option<i64>) -> Result<(), StoreError> {
        self.alone("revision").await?;
        let sql = "SELECT value FROM meta WHERE name = 'head'";
        let rows = self.ask(sql, Vec::new()).await?;
        let head = rows.first().map_or(Ok(None), |row| number(row.blob(0)?))?;
        if head != expected {
            let head = head.unwrap_or_default();
            return Err(StoreError::HeadMoved { head });
        }
        Ok(())
    }

    async fn put_head(&mut self, n: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (name, value) VALUES ('head', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(sql, vec![n.to_string().into_bytes().into()])
            .await?;
        Ok(())
    }
}

fn number(bytes: Option<Vec<u8>>) -> Result<Option<i64>, StoreError> {
    let Some(bytes) = bytes else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(damaged)?;
    text.parse().map(Some).map_err(damaged)
}

impl Store {
    /// Makes a new revision the head. Refused when the head is no longer `parent`.
    pub async fn push_revision(
        &self,
        parent: Option<i64>,
        author: &str,
        files: BTreeMap<String, String>,
    ) -> Result<i64, StoreError> {
        let json = serde_json::to_vec(&files).map_err(damaged)?;
        let packed = Packer::new()?.pack(&json)?;
        let mut tx = self.db.begin().await?;
        tx.check_head(parent).await?;
        let last = "SELECT coalesce(max(n), 0) FROM revision";
        let rows = tx.ask(last, Vec::new()).await?;
        let n = rows.first().map_or(Ok(0), |row| row.number(0))? + 1;
        let values = vec![
            n.into(),
            parent.into(),
            author.into(),
            tx.now().await?.into(),
            packed.into(),
        ];
        let sql = "INSERT INTO revision (n, parent, author, at, files) VALUES ($1, $2, $3, $4, $5)";
        tx.run(sql, values).await?;
        tx.put_head(n).await?;
        tx.commit().await?;
        Ok(n)
    }

    /// The head's number.
    pub async fn head(&self) -> Result<Option<i64>, StoreError> {
        number(self.meta("head").await?)
    }

    /// Makes an existing revision the head. Refused when the head is no longer `expected`.
    pub async fn set_head(&self, n: i64, expected: Option<i64>) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.check_head(expected).await?;
        let sql = "SELECT n FROM revision WHERE n = $1";
        if tx.ask(sql, vec![n.into()]).await?.is_empty() {
            return Err(damaged(format!("there is no revision {n}")));
        }
        tx.put_head(n).await?;
        tx.commit().await
    }

    /// One revision.
    pub async fn revision(&self, n: i64) -> Result<Option<Revision>, StoreError> {
        let sql = "SELECT n, parent, author, at, files FROM revision WHERE n = $1";
        let rows = self.db.ask(sql, vec![n.into()]).await?;
        rows.first().map(revision_row).transpose()
    }

    /// Every revision, oldest first.
    pub async fn revisions(&self) -> Result<Vec<Revision>, StoreError> {
        let sql = "SELECT n, parent, author, at, files FROM revision ORDER BY n";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter().map(revision_row).collect()
    }
}
