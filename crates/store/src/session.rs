//! Who is signed in, and who has failed to. Of a session only the hash of its secret is kept: a copy of the store lets nobody in.

use crate::db::transact;
use crate::error::StoreError;
use crate::open::Store;
use crate::person::{Person, Role};

/// A session that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub person: String,
    /// Role.
    pub role: Role,
    /// Until when without use (unix ms).
    pub until: i64,
}

/// How often the use of a session is written down.
const NOTE_USE: i64 = 60_000;

impl Store {
    /// Begins a session, known by the hash of its secret.
    pub async fn begin_session(
        &self,
        hash: &[u8],
        person: &str,
        lasts_ms: i64,
    ) -> Result<(), StoreError> {
        let over = "DELETE FROM session WHERE until < $1";
        let insert = "INSERT INTO session (hash, person, made_at, seen_at, until) VALUES ($1, $2, $3, $3, $4)";
        let seen = "UPDATE person SET seen_at = $1 WHERE name = $2";
        transact!(self.db, tx => {
            let now = tx.now().await?;
            tx.run(over, vec![now.into()]).await?;
            let values = vec![hash.to_vec().into(), person.into(), now.into(), (now + lasts_ms).into()];
            tx.run(insert, values).await?;
            tx.run(seen, vec![now.into(), person.into()]).await?;
        })
    }

    /// The session with this hash, if it holds: neither over nor of a person who may no longer sign in. Its use prolongs it.
    pub async fn session(&self, hash: &[u8], lasts_ms: i64) -> Result<Option<Session>, StoreError> {
        let sql = "SELECT p.name, p.role, s.until, s.seen_at FROM session s JOIN person p ON p.name = s.person \
                   WHERE s.hash = $1 AND s.until > $2 AND p.disabled = 0";
        let now = self.now().await?;
        let values = vec![hash.to_vec().into(), now.into()];
        let rows = self.db.ask(sql, values).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let session = Session {
            person: row.string(0)?,
            role: row.parsed(1)?,
            until: row.number(2)?,
        };
        if now - row.number(3)? > NOTE_USE {
            let sql = "UPDATE session SET seen_at = $1, until = $2 WHERE hash = $3";
            let values = vec![now.into(), (now + lasts_ms).into(), hash.to_vec().into()];
            self.db.run(sql, values).await?;
            let sql = "UPDATE person SET seen_at = $1 WHERE name = $2";
            let values = vec![now.into(), session.person.as_str().into()];
            self.db.run(sql, values).await?;
        }
        Ok(Some(session))
    }

    /// Ends one session.
    pub async fn end_session(&self, hash: &[u8]) -> Result<(), StoreError> {
        let sql = "DELETE FROM session WHERE hash = $1";
        self.db.run(sql, vec![hash.to_vec().into()]).await.map(drop)
    }

    /// Ends every session of a person. Answers how many.
    pub async fn end_sessions(&self, person: &str) -> Result<u64, StoreError> {
        let sql = "DELETE FROM session WHERE person = $1";
        self.db.run(sql, vec![person.into()]).await
    }

    /// How often these have failed to sign in lately, and when last (unix ms).
    pub async fn knocks(&self, who: &[String]) -> Result<Vec<(i64, i64)>, StoreError> {
        let sql = "SELECT failed, at FROM knock WHERE who IN (…)";
        let rows = self.db.ask_list(sql, &[], who).await?;
        rows.iter()
            .map(|row| Ok((row.number(0)?, row.number(1)?)))
            .collect()
    }

    /// Notes a failed sign-in; those before `since` (unix ms) are forgotten.
    pub async fn knock(&self, who: &[String], since: i64) -> Result<(), StoreError> {
        let forget = "DELETE FROM knock WHERE at < $1";
        let sql = "INSERT INTO knock (who, failed, at) VALUES ($1, 1, $2) \
                   ON CONFLICT (who) DO UPDATE SET failed = knock.failed + 1, at = excluded.at";
        transact!(self.db, tx => {
            let now = tx.now().await?;
            tx.run(forget, vec![since.into()]).await?;
            for who in who {
                tx.run(sql, vec![who.as_str().into(), now.into()]).await?;
            }
        })
    }

    /// Forgets failed sign-ins, because one went well.
    pub async fn forgive_knocks(&self, who: &str) -> Result<(), StoreError> {
        let sql = "DELETE FROM knock WHERE who = $1";
        self.db.run(sql, vec![who.into()]).await.map(drop)
    }

    /// Sets the hash of the one-time secret with which the first person may be made, until a time (unix ms).
    pub async fn set_first_key(&self, hash: &[u8], until: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (name, value) VALUES ('first_key', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        let value = [until.to_be_bytes().as_slice(), hash].concat();
        self.db.run(sql, vec![value.into()]).await.map(drop)
    }

    /// Whether this is the hash of the one-time secret.
    pub async fn is_first_key(&self, hash: &[u8]) -> Result<bool, StoreError> {
        let kept = self.meta("first_key").await?.unwrap_or_default();
        let Some((until, kept)) = kept.split_first_chunk::<8>() else {
            return Ok(false);
        };
        Ok(kept == hash && self.now().await? < i64::from_be_bytes(*until))
    }

    /// Makes the first person, unless there is one, with the one-time secret, which is used up. Answers whether it was made.
    pub async fn add_first_person(&self, person: &Person, hash: &[u8]) -> Result<bool, StoreError> {
        if !self.is_first_key(hash).await? {
            return Ok(false);
        }
        let any = "SELECT name FROM person LIMIT 1";
        let insert = "INSERT INTO person (name, role, password, disabled, made_at, made_by) VALUES ($1, $2, $3, 0, $4, $5)";
        let used = "DELETE FROM meta WHERE name = 'first_key'";
        transact!(self.db, tx => {
            tx.alone("person").await?;
            if tx.ask(any, Vec::new()).await?.is_empty() {
                let values = vec![
                    person.name.as_str().into(),
                    person.role.as_str().into(),
                    person.password.as_str().into(),
                    person.made_at.into(),
                    person.made_by.as_str().into(),
                ];
                tx.run(insert, values).await?;
                tx.run(used, Vec::new()).await?;
                true
            } else {
                false
            }
        })
    }
}
