//! One owner per connection: it holds the lease, reads from the system, and takes turns for the records due to it.

use crate::connection::Connection;
use crate::hub::Hub;
use crate::observe::{self, Stopped};
use crate::turn;
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_store::{Ownership, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{RwLock, watch};

/// How long a lease lasts. Longer than any call's deadline, so that no call outlives it unseen.
pub const LEASE_MS: i64 = 360_000;
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(30);
/// The longest deadline of a call: a new owner writes only this long after a lost lease ended.
const LONGEST_CALL_MS: i64 = 300_000;
/// How long a connection rests whose credentials were refused, before they are tried again.
const LOCKED_MS: i64 = 300_000;

/// Owns a connection for as long as `stop` says nothing. Comes back with the store's error when the store failed.
pub async fn run(
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    loop {
        let ownership = tokio::select! {
            taken = take(&hub, &connection) => taken?,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let work = own(&hub, &connection, ownership, stop.clone());
        match work.await {
            Ok(()) => return Ok(()),
            Err(StoreError::OwnershipLost) => {
                tracing::warn!(connection = %connection.name, "another process took the connection over");
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the connection's lease.
async fn take(hub: &Hub, connection: &Connection) -> Result<Ownership, StoreError> {
    loop {
        if let Some(ownership) = hub
            .store
            .acquire(&connection.name, &hub.owner, LEASE_MS, hub.has_ended)
            .await?
        {
            return Ok(ownership);
        }
        tokio::time::sleep(Duration::from_millis(hub.idle_ms)).await;
    }
}

async fn own(
    hub: &Arc<Hub>,
    connection: &Arc<Connection>,
    ownership: Ownership,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let lease = RwLock::new(ownership);
    let failures = AtomicU32::new(0);
    let result = tokio::select! {
        result = renew(hub, &lease) => result,
        result = work(hub, connection, &lease, &failures) => result,
        _ = stop.wait_for(|stop| *stop) => Ok(()),
    };
    let ownership = lease.read().await.clone();
    if !matches!(result, Err(StoreError::OwnershipLost)) {
        hub.store.release(&ownership).await.ok();
    }
    result
}

async fn renew(hub: &Hub, lease: &RwLock<Ownership>) -> Result<(), StoreError> {
    loop {
        tokio::time::sleep(RENEW).await;
        let mut ownership = lease.read().await.clone();
        hub.store.renew(&mut ownership, LEASE_MS).await?;
        *lease.write().await = ownership;
    }
}

async fn work(
    hub: &Hub,
    connection: &Connection,
    lease: &RwLock<Ownership>,
    failures: &AtomicU32,
) -> Result<(), StoreError> {
    let account = probe(hub, connection, failures).await?;
    let observing = observe_on(hub, connection, lease, failures);
    let turning = turns_on(hub, connection, account, lease, failures);
    let (observed, turned) = tokio::join!(observing, turning);
    observed.and(turned)
}

/// Probes until the system answers as the site this connection was made for.
async fn probe(
    hub: &Hub,
    connection: &Connection,
    failures: &AtomicU32,
) -> Result<Arc<Account>, StoreError> {
    loop {
        rest(hub, connection).await?;
        let known = hub.store.connection(&connection.name).await?;
        let known = known.and_then(|row| row.account);
        match connection.connector.probe().await {
            Ok(account)
                if known
                    .as_ref()
                    .is_some_and(|known| known.site != account.site) =>
            {
                let fault = Fault::locked(
                    Code::OtherSite,
                    format!(
                        "this connection was made for another site than {}",
                        account.site
                    ),
                );
                pause(hub, connection, &fault, failures).await?;
            }
            Ok(account) => {
                hub.store.set_account(&connection.name, &account).await?;
                resumed(hub, connection, failures).await?;
                let account = Arc::new(account);
                connection.set_account(account.clone());
                return Ok(account);
            }
            Err(fault) => pause(hub, connection, &fault, failures).await?,
        }
    }
}

async fn observe_on(
    hub: &Hub,
    connection: &Connection,
    lease: &RwLock<Ownership>,
    failures: &AtomicU32,
) -> Result<(), StoreError> {
    loop {
        rest(hub, connection).await?;
        let ownership = lease.read().await.clone();
        match observe::observe(hub, connection, &ownership).await {
            Ok(observed) => {
                if observed.calls > 0 {
                    resumed(hub, connection, failures).await?;
                }
                let now = hub.store.now().await?;
                let until = observed.next_at.map_or(hub.idle_ms as i64, |at| at - now);
                let wait = until.clamp(0, hub.idle_ms as i64) as u64;
                tokio::select! {
                    () = connection.look.notified() => {}
                    () = tokio::time::sleep(Duration::from_millis(wait)) => {}
                }
            }
            Err(Stopped::Fault(fault)) => pause(hub, connection, &fault, failures).await?,
            Err(Stopped::Store(error)) => return Err(error),
        }
    }
}

async fn turns_on(
    hub: &Hub,
    connection: &Connection,
    account: Arc<Account>,
    lease: &RwLock<Ownership>,
    failures: &AtomicU32,
) -> Result<(), StoreError> {
    wait_for_the_last_owner(hub, lease).await?;
    loop {
        rest(hub, connection).await?;
        let ownership = lease.read().await.clone();
        let (report, fault) = turn::pass(hub, connection, account.clone(), &ownership).await?;
        if let Some(fault) = fault {
            pause(hub, connection, &fault, failures).await?;
            continue;
        }
        if report.records > 0 {
            resumed(hub, connection, failures).await?;
            continue;
        }
        tokio::select! {
            () = connection.due.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(hub.idle_ms)) => {}
        }
    }
}

/// A lease that another process lost without giving it back: its last call may still be under way until the longest deadline is over.
async fn wait_for_the_last_owner(hub: &Hub, lease: &RwLock<Ownership>) -> Result<(), StoreError> {
    let Some(lost) = lease.read().await.previous else {
        return Ok(());
    };
    let now = hub.store.now().await?;
    let wait = lost + LONGEST_CALL_MS - now;
    if wait > 0 {
        tokio::time::sleep(Duration::from_millis(wait.unsigned_abs())).await;
    }
    Ok(())
}

/// Waits while the connection is paused. The pause stands in the store, so that `status` shows it and `resume` ends it.
async fn rest(hub: &Hub, connection: &Connection) -> Result<(), StoreError> {
    loop {
        let row = hub.store.connection(&connection.name).await?;
        let Some(until) = row.and_then(|row| row.paused_until) else {
            return Ok(());
        };
        let left = until - hub.store.now().await?;
        if left <= 0 {
            return Ok(());
        }
        let wait = left.min(hub.idle_ms as i64).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}

async fn pause(
    hub: &Hub,
    connection: &Connection,
    fault: &Fault,
    failures: &AtomicU32,
) -> Result<(), StoreError> {
    let failed = failures.fetch_add(1, Ordering::Relaxed) + 1;
    let wait = match fault.next {
        Next::Locked | Next::Refused | Next::Bug => LOCKED_MS,
        _ => hub.patience.wait_ms(failed, fault),
    };
    let until = hub.store.now().await? + wait;
    tracing::warn!(connection = %connection.name, %fault, wait_ms = wait, "paused");
    hub.store
        .pause(&connection.name, Some(until), Some(fault))
        .await
}

async fn resumed(
    hub: &Hub,
    connection: &Connection,
    failures: &AtomicU32,
) -> Result<(), StoreError> {
    if failures.swap(0, Ordering::Relaxed) > 0 {
        tracing::info!(connection = %connection.name, "answers again");
        hub.store.pause(&connection.name, None, None).await?;
    }
    Ok(())
}
