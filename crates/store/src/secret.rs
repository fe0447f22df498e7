//! Secrets, sealed with XChaCha20-Poly1305 under a master key that is never in the store.

use crate::error::{StoreError, damaged};
use crate::open::Store;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use std::fmt;

/// How long the value before stays live when a secret is replaced: a rotation loses nothing.
const OVERLAP_MS: i64 = 24 * 3_600_000;
const NONCE: usize = 24;

/// The key that seals secrets.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A key from the text of an environment variable or a file: at least 16 characters.
    pub fn from_text(text: &str) -> Result<Self, StoreError> {
        if text.trim().len() < 16 {
            return Err(StoreError::WrongMasterKey);
        }
        Ok(MasterKey(Sha256::digest(text.trim().as_bytes()).into()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }

    fn seal(&self, name: &str, text: &str) -> Result<Vec<u8>, StoreError> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload {
            msg: text.as_bytes(),
            aad: name.as_bytes(),
        };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(damaged)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<String, StoreError> {
        let (nonce, sealed) = sealed
            .split_at_checked(NONCE)
            .ok_or_else(|| damaged("secret"))?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        let text = self
            .cipher()
            .decrypt(&XNonce::from(nonce), payload)
            .map_err(|_| StoreError::WrongMasterKey)?;
        String::from_utf8(text).map_err(damaged)
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(•••)")
    }
}

impl Store {
    /// Seals a secret. The newest value before it stays live for a day.
    pub async fn put_secret(
        &self,
        master: &MasterKey,
        name: &str,
        value: &str,
    ) -> Result<(), StoreError> {
        let any = "SELECT name, sealed FROM secret ORDER BY n DESC LIMIT 1";
        let rows = self.db.ask(any, Vec::new()).await?;
        if let Some(row) = rows.first() {
            // One master key for all: another one would lock this value in beside the others.
            master.open(&row.string(0)?, &row.blob(1)?.unwrap_or_default())?;
        }
        let sealed = master.seal(name, value)?;
        let mut tx = self.db.begin().await?;
        tx.alone("secret").await?;
        let until = tx.now().await? + OVERLAP_MS;
        let sql = "DELETE FROM secret WHERE name = $1 AND until IS NOT NULL";
        tx.run(sql, vec![name.into()]).await?;
        let sql = "UPDATE secret SET until = $1 WHERE name = $2";
        tx.run(sql, vec![until.into(), name.into()]).await?;
        let sql = "INSERT INTO secret (name, n, sealed, until) \
                   SELECT $1, coalesce(max(n), 0) + 1, $2, NULL FROM secret WHERE name = $1";
        tx.run(sql, vec![name.into(), sealed.into()]).await?;
        tx.commit().await
    }

    /// The live values of a secret, newest first: two during a rotation.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when another key sealed them.
    pub async fn secrets(&self, master: &MasterKey, name: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT sealed FROM secret WHERE name = $1 AND (until IS NULL OR until > $2) ORDER BY n DESC";
        let now = self.now().await?;
        let rows = self.db.ask(sql, vec![name.into(), now.into()]).await?;
        rows.iter()
            .map(|row| master.open(name, &row.blob(0)?.unwrap_or_default()))
            .collect()
    }

    /// The names of all secrets.
    pub async fn secret_names(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT name FROM secret ORDER BY name";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter().map(|row| row.string(0)).collect()
    }

    /// Deletes every value of a secret.
    pub async fn delete_secret(&self, name: &str) -> Result<(), StoreError> {
        self.db
            .run("DELETE FROM secret WHERE name = $1", vec![name.into()])
            .await?;
        Ok(())
    }
}
