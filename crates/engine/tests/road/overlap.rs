//! Records that come while others are on their way: they join the pass, once each.

use crate::bench::{Bench, order};
use comptoir_engine::hub::Hub;
use comptoir_engine::point::{Breakpoints, Point};
use comptoir_engine::{observe, turn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_come_during_a_pass_join_it_once() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    let (running, came) = (
        Arc::new(OnceLock::<Arc<Hub>>::new()),
        AtomicBool::new(false),
    );
    let (hub_at, shop) = (running.clone(), bench.shop.clone());
    let breakpoints = Breakpoints::at(move |point| {
        if point == Point::Asked && !came.swap(true, Ordering::SeqCst) {
            // One by the same buyer, and the first one again, changed.
            shop.put("2", order("1002", "a@example.test"));
            let mut changed = order("1001", "a@example.test");
            changed.note = "ring twice".to_owned();
            shop.put("1", changed);
            let hub = hub_at.get().unwrap().clone();
            block_in_place(|| Handle::current().block_on(see(&hub)));
        }
        false
    });
    let hub = Arc::new(bench.hub(breakpoints).await);
    running.set(hub.clone()).ok().unwrap();
    see(&hub).await;

    let erp = &hub.connections[&"erp".parse().unwrap()];
    let account = Arc::new(erp.connector.probe().await.unwrap());
    let taken = hub.store.acquire(&erp.name, "test", 60_000, |_| true);
    let ownership = taken.await.unwrap().unwrap();
    let (report, fault) = turn::pass(&hub, erp, account, &ownership).await.unwrap();
    assert_eq!((report.records, fault), (2, None), "both orders, once each");
    assert_eq!(bench.erp.orders().len(), 2);
    assert_eq!(bench.erp.emails(), ["a@example.test"]);

    // The change of the first is a turn of its own, after this pass.
    bench.run().await;
    let notes: Vec<String> = bench
        .erp
        .orders()
        .into_iter()
        .map(|(_, order)| order.note)
        .collect();
    assert_eq!(notes.len(), 2);
    assert_eq!(bench.stands("1").await, "held changed:order");
}

/// The shop's owner sees what is new.
async fn see(hub: &Hub) {
    let shop = &hub.connections[&"shop".parse().unwrap()];
    let taken = hub.store.acquire(&shop.name, "test", 60_000, |_| true);
    let ownership = taken.await.unwrap().unwrap();
    observe::observe(hub, shop, &ownership).await.ok().unwrap();
}
