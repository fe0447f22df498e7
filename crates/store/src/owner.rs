//! Who works on which connection. The database's clock decides.

use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::Row;
use comptoir_model::account::Account;
use comptoir_model::fault::Fault;
use comptoir_model::key::ConnectionName;

/// The right to work on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// The connection.
    pub connection: ConnectionName,
    /// Its epoch: every commit of the owner checks it.
    pub epoch: i64,
    /// Since when (unix ms).
    pub since: i64,
    /// Until when (unix ms), unless renewed.
    pub lease_until: i64,
    /// The lease end of an owner that did not give it back and may still have calls under way.
    pub previous: Option<i64>,
}

/// A connection's row.
#[derive(Debug, Clone)]
pub struct ConnectionRow {
    /// Name.
    pub name: ConnectionName,
    /// Epoch.
    pub epoch: i64,
    /// Owner, if it has one.
    pub owner: Option<String>,
    /// Its lease (unix ms).
    pub lease_until: i64,
    /// Paused until (unix ms).
    pub paused_until: Option<i64>,
    /// Why.
    pub pause_cause: Option<Fault>,
    /// What the last probe found.
    pub account: Option<Account>,
    /// When (unix ms).
    pub account_at: Option<i64>,
}

const COLUMNS: &str =
    "name, epoch, owner, lease_until, paused_until, pause_cause, account, account_at";

fn connection_row(row: &Row) -> Result<ConnectionRow, StoreError> {
    let fault = row.text(5)?.map(|text| serde_json::from_str(&text));
    let account = row.text(6)?.map(|text| serde_json::from_str(&text));
    Ok(ConnectionRow {
        name: row.parsed(0)?,
        epoch: row.number(1)?,
        owner: row.text(2)?,
        lease_until: row.number(3)?,
        paused_until: row.int(4)?,
        pause_cause: fault.transpose().map_err(damaged)?,
        account: account.transpose().map_err(damaged)?,
        account_at: row.int(7)?,
    })
}

impl Tx {
    /// Whether this owner still has the connection. Nobody can take it before the transaction ends.
    pub(crate) async fn check(&mut self, ownership: &Ownership) -> Result<(), StoreError> {
        let locked = self.for_update();
        let sql = format!("SELECT epoch FROM connection WHERE name = $1{locked}");
        let name = ownership.connection.as_str();
        let rows = self.ask(&sql, vec![name.into()]).await?;
        match rows.first() {
            Some(row) if row.number(0)? == ownership.epoch => Ok(()),
            _ => Err(StoreError::OwnershipLost),
        }
    }
}

impl Store {
    /// Takes a connection: when it has no owner, when its owner's lease is over, or when `dead` says that the owner is a process
    /// known to have ended. `None` while another owner has it.
    pub async fn acquire(
        &self,
        connection: &ConnectionName,
        owner: &str,
        lease_ms: i64,
        dead: impl Fn(&str) -> bool,
    ) -> Result<Option<Ownership>, StoreError> {
        let insert = "INSERT INTO connection (name, epoch, lease_until) VALUES ($1, 0, 0) ON CONFLICT (name) DO NOTHING";
        let update =
            "UPDATE connection SET epoch = $1, owner = $2, lease_until = $3 WHERE name = $4";
        let mut tx = self.db.begin().await?;
        tx.run(insert, vec![connection.as_str().into()]).await?;
        let locked = tx.for_update();
        let sql = format!("SELECT {COLUMNS} FROM connection WHERE name = $1{locked}");
        let rows = tx.ask(&sql, vec![connection.as_str().into()]).await?;
        let row = connection_row(rows.first().ok_or_else(|| damaged("connection row"))?)?;
        let now = tx.now().await?;
        let known_dead = row.owner.as_deref().is_none_or(&dead);
        let own = row.owner.as_deref() == Some(owner);
        if !(known_dead || own || row.lease_until <= now) {
            return Ok(None);
        }
        let (epoch, lease_until) = (row.epoch + 1, now + lease_ms);
        let name = connection.as_str();
        let values = vec![epoch.into(), owner.into(), lease_until.into(), name.into()];
        tx.run(update, values).await?;
        tx.commit().await?;
        Ok(Some(Ownership {
            connection: connection.clone(),
            epoch,
            since: now,
            lease_until,
            previous: (!known_dead).then_some(row.lease_until),
        }))
    }

    /// Renews a lease. One that is over is renewed too, as long as nobody took the connection.
    ///
    /// # Errors
    /// [`StoreError::OwnershipLost`] when somebody did.
    pub async fn renew(&self, ownership: &mut Ownership, lease_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.check(ownership).await?;
        let lease_until = tx.now().await? + lease_ms;
        let sql = "UPDATE connection SET lease_until = $1 WHERE name = $2";
        let name = ownership.connection.as_str();
        tx.run(sql, vec![lease_until.into(), name.into()]).await?;
        tx.commit().await?;
        ownership.lease_until = lease_until;
        Ok(())
    }

    /// Gives a connection back.
    pub async fn release(&self, ownership: &Ownership) -> Result<(), StoreError> {
        self.db
            .run(
                "UPDATE connection SET owner = NULL, lease_until = 0 WHERE name = $1 AND epoch = $2",
                vec![ownership.connection.as_str().into(), ownership.epoch.into()],
            )
            .await?;
        Ok(())
    }

    /// One connection's row.
    pub async fn connection(
        &self,
        name: &ConnectionName,
    ) -> Result<Option<ConnectionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM connection WHERE name = $1");
        let rows = self.db.ask(&sql, vec![name.as_str().into()]).await?;
        rows.first().map(connection_row).transpose()
    }

    /// Every connection's row.
    pub async fn connections(&self) -> Result<Vec<ConnectionRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM connection ORDER BY name");
        let rows = self.db.ask(&sql, Vec::new()).await?;
        rows.iter().map(connection_row).collect()
    }

    /// Keeps what a probe found.
    pub async fn set_account(
        &self,
        name: &ConnectionName,
        account: &Account,
    ) -> Result<(), StoreError> {
        let text = serde_json::to_string(account).map_err(damaged)?;
        let sql = "INSERT INTO connection (name, epoch, lease_until, account, account_at) VALUES ($1, 0, 0, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET account = excluded.account, account_at = excluded.account_at";
        let now = self.now().await?;
        let values = vec![name.as_str().into(), text.into(), now.into()];
        self.db.run(sql, values).await.map(drop)
    }

    /// Pauses a connection until a time, or ends its pause.
    pub async fn pause(
        &self,
        name: &ConnectionName,
        until: Option<i64>,
        cause: Option<&Fault>,
    ) -> Result<(), StoreError> {
        let cause = cause
            .map(serde_json::to_string)
            .transpose()
            .map_err(damaged)?;
        let sql = "INSERT INTO connection (name, epoch, lease_until, paused_until, pause_cause) VALUES ($1, 0, 0, $2, $3) \
                   ON CONFLICT (name) DO UPDATE SET paused_until = excluded.paused_until, pause_cause = excluded.pause_cause";
        let values = vec![name.as_str().into(), until.into(), cause.into()];
        self.db.run(sql, values).await.map(drop)
    }
}
