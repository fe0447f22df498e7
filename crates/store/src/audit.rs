//! What people did.

use crate::db::transact;
use crate::error::StoreError;
use crate::open::Store;

/// One thing that a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Number, from 1.
    pub n: i64,
    /// When (unix ms).
    pub at: i64,
    /// Who.
    pub who: String,
    /// What: a word such as `resume` or `sign-in`.
    pub what: String,
    /// What it was done to: a cause, a flow, a record.
    pub about: String,
    /// The reason that was given, or empty.
    pub why: String,
}

impl Store {
    /// Notes what a person did.
    pub async fn audit(
        &self,
        who: &str,
        what: &str,
        about: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        let last = "SELECT coalesce(max(n), 0) FROM audit";
        let sql =
            "INSERT INTO audit (n, at, who, what, about, why) VALUES ($1, $2, $3, $4, $5, $6)";
        transact!(self.db, tx => {
            tx.alone("audit").await?;
            let rows = tx.ask(last, Vec::new()).await?;
            let n = rows.first().map_or(Ok(0), |row| row.number(0))? + 1;
            let now = tx.now().await?;
            let values = vec![n.into(), now.into(), who.into(), what.into(), about.into(), why.into()];
            tx.run(sql, values).await?;
        })
    }

    /// What people did, the latest first, before entry `before`.
    pub async fn audited(&self, before: i64, limit: usize) -> Result<Vec<AuditRow>, StoreError> {
        let sql =
            "SELECT n, at, who, what, about, why FROM audit WHERE n < $1 ORDER BY n DESC LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.db.ask(sql, vec![before.into(), limit.into()]).await?;
        rows.iter()
            .map(|row| {
                Ok(AuditRow {
                    n: row.number(0)?,
                    at: row.number(1)?,
                    who: row.string(2)?,
                    what: row.string(3)?,
                    about: row.string(4)?,
                    why: row.string(5)?,
                })
            })
            .collect()
    }
}
