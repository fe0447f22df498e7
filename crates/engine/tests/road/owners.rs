//! Owners: what they do when the system behind a connection is not the one it was made for, or refuses the key.

use crate::bench::{Bench, order};
use comptoir_engine::hub::Hub;
use comptoir_engine::owner;
use comptoir_engine::point::Breakpoints;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::ConnectionName;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Owners of both connections, impatient.
struct Owners {
    hub: Arc<Hub>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<Result<(), comptoir_store::StoreError>>,
}

impl Owners {
    async fn start(bench: &Bench) -> Self {
        let mut hub = bench.hub(Breakpoints::default()).await;
        hub.idle_ms = 2;
        hub.probe_every = Duration::from_millis(40);
        hub.patience.locked_ms = 40;
        hub.has_ended = |_| true;
        let hub = Arc::new(hub);
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for connection in hub.connections.values() {
            tasks.spawn(owner::run(hub.clone(), connection.clone(), stopped.clone()));
        }
        Owners { hub, stop, tasks }
    }

    async fn pause(&self) -> Option<Fault> {
        let erp: ConnectionName = "erp".parse().unwrap();
        let row = self.hub.store.connection(&erp).await.unwrap();
        row.and_then(|row| row.pause_cause)
    }

    async fn end(mut self) {
        self.stop.send(true).unwrap();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
        self.hub.store.close().await;
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("waited in vain: {what}");
}

/// The address of the ERP leads elsewhere while the hub runs. However often its pause ends, nothing is written there.
#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_changes_under_a_running_hub_gets_nothing() {
    let mut bench = Bench::new();
    bench.put("1", order("1", "anna@example.com"));
    let owners = Owners::start(&bench).await;
    until("the first order", async || bench.erp.orders().len() == 1).await;
    bench.erp.answers_as(Some("staging.example"));
    until("the pause", async || {
        owners
            .pause()
            .await
            .is_some_and(|fault| fault.code == Code::OtherSite)
    })
    .await;
    // A pass that was under way may have ended after that.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let writes = bench.erp.writes();
    bench.put("2", order("2", "anna@example.com"));
    tokio::time::sleep(Duration::from_millis(800)).await;
    assert_eq!(bench.erp.writes(), writes);
    assert_eq!(bench.erp.orders().len(), 1);
    bench.erp.answers_as(None);
    until("the second order", async || bench.erp.orders().len() == 2).await;
    until("the end of the pause", async || {
        owners.pause().await.is_none()
    })
    .await;
    owners.end().await;
}

/// Whoever starts again has put something right: the pause of the run before is not sat out, and its cause does not stay.
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_for_a_person_ends_with_the_run() {
    let mut bench = Bench::new();
    bench.put("1", order("1", "anna@example.com"));
    let owners = Owners::start(&bench).await;
    until("the first order", async || bench.erp.orders().len() == 1).await;
    let erp: ConnectionName = "erp".parse().unwrap();
    let fault = Fault::locked(Code::WrongKey, "the key is wrong");
    let far = owners.hub.store.now().await.unwrap() + 3_600_000;
    owners
        .hub
        .store
        .pause(&erp, Some(far), Some(&fault))
        .await
        .unwrap();
    owners.end().await;
    bench.put("2", order("2", "anna@example.com"));
    let owners = Owners::start(&bench).await;
    until("the second order", async || bench.erp.orders().len() == 2).await;
    assert_eq!(owners.pause().await, None);
    owners.end().await;
}
