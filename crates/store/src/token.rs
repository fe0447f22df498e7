//! Tokens of the API. Only the hash of a token is kept.

use crate::error::StoreError;
use crate::open::Store;
use crate::value::Row;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is called.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// Until when (unix ms).
    pub until: Option<i64>,
    /// When it was made (unix ms).
    pub made_at: i64,
    /// Who made it.
    pub made_by: String,
    /// When it was last used (unix ms).
    pub used_at: Option<i64>,
}

const COLUMNS: &str = "name, scopes, until, made_at, made_by, used_at";
/// How often the use of a token is written down.
const NOTE_USE: i64 = 60_000;

fn token_row(row: &Row) -> Result<Token, StoreError> {
    Ok(Token {
        name: row.string(0)?,
        scopes: row
            .string(1)?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        until: row.int(2)?,
        made_at: row.number(3)?,
        made_by: row.string(4)?,
        used_at: row.int(5)?,
    })
}

impl Store {
    /// Makes a token, known by the hash of its secret. Answers no when the name is taken.
    pub async fn add_token(&self, token: &Token, hash: &[u8]) -> Result<bool, StoreError> {
        let sql = "INSERT INTO token (name, hash, scopes, until, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (name) DO NOTHING";
        let values = vec![
            token.name.as_str().into(),
            hash.to_vec().into(),
            token.scopes.join(" ").into(),
            token.until.into(),
            token.made_at.into(),
            token.made_by.as_str().into(),
        ];
        Ok(self.db.run(sql, values).await? > 0)
    }

    /// The token with this hash, unless its time is over.
    pub async fn token(&self, hash: &[u8]) -> Result<Option<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = $1");
        let rows = self.db.ask(&sql, vec![hash.to_vec().into()]).await?;
        let Some(token) = rows.first().map(token_row).transpose()? else {
            return Ok(None);
        };
        let now = self.now().await?;
        if token.until.is_some_and(|until| until <= now) {
            return Ok(None);
        }
        if token.used_at.is_none_or(|used| now - used > NOTE_USE) {
            let sql = "UPDATE token SET used_at = $1 WHERE name = $2";
            let values = vec![now.into(), token.name.as_str().into()];
            self.db.run(sql, values).await?;
        }
        Ok(Some(token))
    }

    /// Every token, by name.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token ORDER BY name");
        let rows = self.db.ask(&sql, Vec::new()).await?;
        rows.iter().map(token_row).collect()
    }

    /// Ends a token. Answers no when there is none of this name.
    pub async fn remove_token(&self, name: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM token WHERE name = $1";
        Ok(self.db.run(sql, vec![name.into()]).await? > 0)
    }
}
