//! Who works on which connection. The database's clock decides.

use crate::db::{Row, Store, Tx};
use crate::error::{StoreError, damaged};
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
    /// Whether this owner still has the connection.
    pub(crate) async fn check(&mut self, ownership: &Ownership) -> Result<(), StoreError> {
        let sql = "SELECT epoch FROM connection WHERE name = $1";
        let rows = self
            .ask(sql, vec![ownership.connection.as_str().into()])
            .await?;
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
        let mut tx = self.db.begin().await?;
        let now = self.now_in(&mut tx).await?;
        let sql = "INSERT INTO connection (name, epoch, lease_until) VALUES ($1, 0, 0) ON CONFLICT (name) DO NOTHING";
        tx.run(sql, vec![connection.as_str().into()]).await?;
        let sql = format!("SELECT {COLUMNS} FROM connection WHERE name = $1");
        let rows = tx.ask(&sql, vec![connection.as_str().into()]).await?;
        let row = connection_row(rows.first().ok_or_else(|| damaged("connection row"))?)?;
        let known_dead = row.owner.as_deref().is_none_or(&dead);
        let free = known_dead || row.lease_until <= now || row.owner.as_deref() == Some(owner);
        if !free {
            return Ok(None);
        }
        let lease_until = now + lease_ms;
        let changed = tx
            .run(
                "UPDATE connection SET epoch = epoch + 1, owner = $1, lease_until = $2 WHERE name = $3 AND epoch = $4",
                vec![
                    owner.into(),
                    lease_until.into(),
                    connection.as_str().into(),
                    row.epoch.into(),
                ],
            )
            .await?;
        if changed == 0 {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(Ownership {
            connection: connection.clone(),
            epoch: row.epoch + 1,
            lease_until,
            previous: (!known_dead).then_some(row.lease_until),
        }))
    }

    async fn now_in(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        let sql = format!("SELECT {}", self.db.clock());
        let rows = tx.ask(&sql, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| row.number(0))
    }

    /// Renews a lease.
    pub async fn renew(&self, ownership: &mut Ownership, lease_ms: i64) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        tx.check(ownership).await?;
        let lease_until = self.now_in(&mut tx).await? + lease_ms;
        tx.run(
            "UPDATE connection SET lease_until = $1 WHERE name = $2",
            vec![lease_until.into(), ownership.connection.as_str().into()],
        )
        .await?;
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
        let sql = format!(
            "INSERT INTO connection (name, epoch, lease_until, account, account_at) VALUES ($1, 0, 0, $2, {0}) \
             ON CONFLICT (name) DO UPDATE SET account = excluded.account, account_at = excluded.account_at",
            self.db.clock()
        );
        self.db
            .run(&sql, vec![name.as_str().into(), text.into()])
            .await?;
        Ok(())
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
        self.db
            .run(
                "UPDATE connection SET paused_until = $1, pause_cause = $2 WHERE name = $3",
                vec![until.into(), cause.into(), name.as_str().into()],
            )
            .await?;
        Ok(())
    }
}
