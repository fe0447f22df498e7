//! One owner per connection: it holds the lease, reads from the system, and takes turns for the records due to it.

use crate::connection::Connection;
use crate::hub::Hub;
use crate::observe::{self, Stopped};
use crate::retry;
use crate::stock;
use crate::turn;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_store::{Ownership, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::{RwLock, watch};

/// How long a lease lasts. Longer than any call's deadline, so that no call outlives it unseen.
pub const LEASE_MS: i64 = 360_000;
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(30);
/// The longest deadline of a call: a new owner writes only this long after a lost lease ended.
const LONGEST_CALL_MS: i64 = 300_000;
/// How long a pass that is under way at a stop may go on.
const GRACE: Duration = Duration::from_secs(10);
/// How long a full store is left alone before it is tried again.
const FULL: Duration = Duration::from_secs(5);

/// Owns a connection for as long as `stop` says nothing. A pass that is under way when it does may still end, within [`GRACE`].
///
/// # Errors
/// The store's, when it failed for good. A full disk is waited for: nothing is acknowledged meanwhile, so nothing is lost.
pub async fn run(
    hub: Arc<Hub>,
    connection: Arc<Connection>,
    stop: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    while !*stop.borrow() {
        let taken = tokio::select! {
            taken = take(&hub, &connection) => taken,
            () = stopped(&stop) => return Ok(()),
        };
        let result = match taken {
            Ok(ownership) => own(&hub, &connection, ownership, &stop).await,
            Err(error) => Err(error),
        };
        match result {
            Ok(()) => return Ok(()),
            Err(StoreError::OwnershipLost) => {
                tracing::warn!(connection = %connection.name, "another process took the connection over");
            }
            Err(StoreError::Full) => {
                tracing::error!(connection = %connection.name, code = %Code::DiskFull, "the store is full; waiting for room");
                pause_a_moment(&stop, FULL).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the system will not work again by itself.
fn waits_for_a_person(fault: &Fault) -> bool {
    matches!(fault.next, Next::Locked | Next::Refused | Next::Bug)
}

async fn stopped(stop: &watch::Receiver<bool>) {
    let mut stop = stop.clone();
    // A sender that is gone stops everything too.
    stop.wait_for(|stop| *stop).await.ok();
}

/// Waits, but not longer than until the stop.
async fn pause_a_moment(stop: &watch::Receiver<bool>, wait: Duration) {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stopped(stop) => {}
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

/// What the loops of one owner have in common.
struct Owner<'a> {
    hub: &'a Hub,
    connection: &'a Connection,
    lease: RwLock<Ownership>,
    failures: AtomicU32,
    /// Another site answers: nothing is read or written until the right one does.
    barred: AtomicBool,
    stop: &'a watch::Receiver<bool>,
}

async fn own(
    hub: &Hub,
    connection: &Connection,
    ownership: Ownership,
    stop: &watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let owner = Owner {
        hub,
        connection,
        lease: RwLock::new(ownership),
        failures: AtomicU32::new(0),
        barred: AtomicBool::new(false),
        stop,
    };
    let grace = async {
        stopped(stop).await;
        tokio::time::sleep(GRACE).await;
    };
    let result = tokio::select! {
        result = owner.renew() => result,
        result = owner.work() => result,
        () = grace => Ok(()),
    };
    let ownership = owner.lease.read().await.clone();
    if !matches!(result, Err(StoreError::OwnershipLost)) {
        hub.store.release(&ownership).await.ok();
    }
    result
}

impl Owner<'_> {
    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    async fn renew(&self) -> Result<(), StoreError> {
        loop {
            tokio::time::sleep(RENEW).await;
            let mut ownership = self.lease.read().await.clone();
            self.hub.store.renew(&mut ownership, LEASE_MS).await?;
            *self.lease.write().await = ownership;
        }
    }

    async fn work(&self) -> Result<(), StoreError> {
        self.forgive().await?;
        if !self.probe().await? {
            return Ok(());
        }
        // The first loop that fails ends them all: half an owner would be worse than none.
        tokio::try_join!(self.observe_on(), self.turns_on(), self.probe_again())?;
        Ok(())
    }

    /// Ends a pause that only a person can end: an owner that begins has most likely got another key or another address, and if not
    /// it is told so again at once.
    async fn forgive(&self) -> Result<(), StoreError> {
        let row = self.hub.store.connection(&self.connection.name).await?;
        let cause = row.and_then(|row| row.pause_cause);
        if cause.is_some_and(|fault| waits_for_a_person(&fault)) {
            self.hub
                .store
                .pause(&self.connection.name, None, None)
                .await?;
        }
        Ok(())
    }

    /// Probes until the system answers as the site this connection was made for. Answers no when it was stopped before.
    async fn probe(&self) -> Result<bool, StoreError> {
        while !self.is_stopped() {
            self.sit_out_the_pause().await?;
            match self.probe_once().await? {
                Ok(()) => return Ok(true),
                Err(fault) => self.pause(&fault).await?,
            }
        }
        Ok(false)
    }

    async fn probe_once(&self) -> Result<Result<(), Fault>, StoreError> {
        let (hub, connection) = (self.hub, self.connection);
        let row = hub.store.connection(&connection.name).await?;
        let paused = row.as_ref().is_some_and(|row| row.pause_cause.is_some());
        let known = row.and_then(|row| row.account);
        let probed = retry::read(&hub.patience, || connection.connector.probe()).await;
        let account = match probed {
            Ok(account) => account,
            Err(fault) => return Ok(Err(fault)),
        };
        if let Some(known) = known
            && known.site != account.site
        {
            let why = format!(
                "this connection was made for another site: {} answers in place of {}; correct the address, or make a new connection",
                account.site, known.site
            );
            return Ok(Err(Fault::locked(Code::OtherSite, why)));
        }
        hub.store.set_account(&connection.name, &account).await?;
        connection.set_account(Arc::new(account));
        self.barred.store(false, Ordering::Relaxed);
        // The pause may be one of an owner before this one.
        if self.failures.swap(0, Ordering::Relaxed) > 0 || paused {
            self.end_pause().await?;
        }
        Ok(Ok(()))
    }

    /// Looks again from time to time what the system offers: a tax that was added there must not need a restart here.
    async fn probe_again(&self) -> Result<(), StoreError> {
        while !self.is_stopped() {
            if !self.barred.load(Ordering::Relaxed) {
                pause_a_moment(self.stop, self.hub.probe_every).await;
            }
            if self.is_stopped() {
                return Ok(());
            }
            self.sit_out_the_pause().await?;
            if let Err(fault) = self.probe_once().await? {
                // Once its pause is over, others must not go on with a site that is not ours.
                let barred = fault.code == Code::OtherSite;
                self.barred.fetch_or(barred, Ordering::Relaxed);
                self.pause(&fault).await?;
            }
        }
        Ok(())
    }

    async fn observe_on(&self) -> Result<(), StoreError> {
        let (hub, connection) = (self.hub, self.connection);
        while !self.is_stopped() {
            self.rest().await?;
            let ownership = self.lease.read().await.clone();
            match observe::observe(hub, connection, &ownership).await {
                Ok(observed) => {
                    if observed.calls > 0 {
                        self.resumed().await?;
                    }
                    let now = hub.store.now().await?;
                    let until = observed.next_at.map_or(hub.idle_ms as i64, |at| at - now);
                    let wait = until.clamp(0, hub.idle_ms as i64).unsigned_abs();
                    tokio::select! {
                        () = connection.look.notified() => {}
                        () = pause_a_moment(self.stop, Duration::from_millis(wait)) => {}
                    }
                }
                Err(Stopped::Fault(fault)) => self.pause(&fault).await?,
                Err(Stopped::Store(error)) => return Err(error),
            }
        }
        Ok(())
    }

    async fn turns_on(&self) -> Result<(), StoreError> {
        let (hub, connection) = (self.hub, self.connection);
        self.wait_for_the_last_owner().await?;
        let mut forecasts = stock::Forecasts::default();
        while !self.is_stopped() {
            self.rest().await?;
            let Some(account) = connection.account() else {
                return Ok(());
            };
            if hub.store.is_halted(&connection.name).await? {
                // A person stopped it: reading goes on, and what is due stays due.
                pause_a_moment(self.stop, Duration::from_millis(hub.idle_ms)).await;
                continue;
            }
            let ownership = self.lease.read().await.clone();
            let (report, fault) = turn::pass(hub, connection, account, &ownership).await?;
            if let Some(fault) = fault {
                self.pause(&fault).await?;
                continue;
            }
            if report.records > 0 {
                self.resumed().await?;
                continue;
            }
            // Documents come first.
            let stock = stock::pass::pass(hub, connection, &ownership, &mut forecasts);
            let (report, fault) = stock.await?;
            if let Some(fault) = fault {
                self.pause(&fault).await?;
                continue;
            }
            if report.records > 0 {
                self.resumed().await?;
                continue;
            }
            tokio::select! {
                () = connection.due.notified() => {}
                () = pause_a_moment(self.stop, Duration::from_millis(hub.idle_ms)) => {}
            }
        }
        Ok(())
    }

    /// A lease that another process lost without giving it back: its last call may still be under way until the longest deadline is
    /// over.
    async fn wait_for_the_last_owner(&self) -> Result<(), StoreError> {
        let Some(lost) = self.lease.read().await.previous else {
            return Ok(());
        };
        let wait = lost + LONGEST_CALL_MS - self.hub.store.now().await?;
        if wait > 0 {
            pause_a_moment(self.stop, Duration::from_millis(wait.unsigned_abs())).await;
        }
        Ok(())
    }

    /// Waits while the connection is paused, and while another site answers in its place.
    async fn rest(&self) -> Result<(), StoreError> {
        loop {
            self.sit_out_the_pause().await?;
            if self.is_stopped() || !self.barred.load(Ordering::Relaxed) {
                return Ok(());
            }
            pause_a_moment(self.stop, Duration::from_millis(self.hub.idle_ms)).await;
        }
    }

    /// Waits while the connection is paused. The pause stands in the store, so that `status` shows it and a person can end it.
    async fn sit_out_the_pause(&self) -> Result<(), StoreError> {
        while !self.is_stopped() {
            let row = self.hub.store.connection(&self.connection.name).await?;
            let Some(until) = row.and_then(|row| row.paused_until) else {
                return Ok(());
            };
            let left = until - self.hub.store.now().await?;
            if left <= 0 {
                return Ok(());
            }
            let wait = left.min(self.hub.idle_ms as i64).unsigned_abs();
            pause_a_moment(self.stop, Duration::from_millis(wait)).await;
        }
        Ok(())
    }

    async fn pause(&self, fault: &Fault) -> Result<(), StoreError> {
        let failed = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let wait = if waits_for_a_person(fault) {
            self.hub.patience.locked_ms
        } else {
            self.hub.patience.wait_ms(failed, fault)
        };
        let until = self.hub.store.now().await? + wait;
        tracing::warn!(connection = %self.connection.name, %fault, wait_ms = wait, "paused");
        self.hub
            .store
            .pause(&self.connection.name, Some(until), Some(fault))
            .await
    }

    async fn resumed(&self) -> Result<(), StoreError> {
        if self.failures.swap(0, Ordering::Relaxed) > 0 {
            self.end_pause().await?;
        }
        Ok(())
    }

    async fn end_pause(&self) -> Result<(), StoreError> {
        tracing::info!(connection = %self.connection.name, "answers again");
        self.hub
            .store
            .pause(&self.connection.name, None, None)
            .await
    }
}
