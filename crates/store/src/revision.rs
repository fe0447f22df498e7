//! Revisions of the configuration, numbered, with one head.

use crate::blob::{pack, unpack};
use crate::db::{Row, Store, Tx};
use crate::error::{StoreError, damaged};
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
    async fn head(&mut self) -> Result<Option<i64>, StoreError> {
        let rows = self
            .ask("SELECT value FROM meta WHERE name = 'head'", Vec::new())
            .await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        number(row.blob(0)?)
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
        let at = self.now().await?;
        let json = serde_json::to_vec(&files).map_err(damaged)?;
        let mut tx = self.db.begin().await?;
        let head = tx.head().await?;
        if head != parent {
            return Err(StoreError::HeadMoved {
                head: head.unwrap_or_default(),
            });
        }
        let rows = tx
            .ask("SELECT coalesce(max(n), 0) FROM revision", Vec::new())
            .await?;
        let n = rows.first().map_or(Ok(0), |row| row.number(0))? + 1;
        tx.run(
            "INSERT INTO revision (n, parent, author, at, files) VALUES ($1, $2, $3, $4, $5)",
            vec![
                n.into(),
                parent.into(),
                author.into(),
                at.into(),
                pack(&json)?.into(),
            ],
        )
        .await?;
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
        let head = tx.head().await?;
        if head != expected {
            return Err(StoreError::HeadMoved {
                head: head.unwrap_or_default(),
            });
        }
        let rows = tx
            .ask("SELECT n FROM revision WHERE n = $1", vec![n.into()])
            .await?;
        if rows.is_empty() {
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
