//! A connection has one owner at a time.

use crate::make::{erp, own, shop};
use crate::place::on_both;
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_store::StoreError;
use std::time::Duration;

fn account(site: &str) -> Account {
    serde_json::from_value(serde_json::json!({
        "title": "Example shop", "version": "Shop 1.0", "site": site
    }))
    .unwrap()
}

on_both! {
    async fn is_taken_once(place: Place) {
        let store = place.open().await;
        let first = own(&store, "first").await;
        assert_eq!((first.epoch, first.previous), (1, None));
        assert!(store.acquire(&erp(), "second", 60_000, |_| false).await.unwrap().is_none());
        let row = store.connection(&erp()).await.unwrap().unwrap();
        assert_eq!((row.owner.as_deref(), row.epoch, row.lease_until), (Some("first"), 1, first.lease_until));
        // Another connection is another matter.
        assert!(store.acquire(&shop(), "second", 60_000, |_| false).await.unwrap().is_some());
        assert_eq!(store.connections().await.unwrap().len(), 2);
    }

    /// The refused one leaves no lock behind: everybody else goes on at once.
    async fn a_refusal_blocks_nobody(place: Place) {
        let store = place.open().await;
        let other = place.open().await;
        own(&store, "first").await;
        assert!(other.acquire(&erp(), "second", 60_000, |_| false).await.unwrap().is_none());
        let soon = Duration::from_secs(5);
        tokio::time::timeout(soon, store.poll_now(&erp())).await.expect("not blocked").unwrap();
    }

    async fn lease_ends_by_the_clock_of_the_database(place: Place) {
        let store = place.open().await;
        let first = store.acquire(&erp(), "first", 300, |_| false).await.unwrap().unwrap();
        let now = store.now().await.unwrap();
        assert!(first.lease_until - now <= 300 && first.lease_until > now - 1_000);
        assert!(store.acquire(&erp(), "second", 300, |_| false).await.unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(350)).await;
        let second = store.acquire(&erp(), "second", 300, |_| false).await.unwrap().unwrap();
        assert_eq!(second.epoch, 2);
        assert_eq!(second.previous, Some(first.lease_until), "its last calls may still be under way");
    }

    async fn renewing_keeps_it(place: Place) {
        let store = place.open().await;
        let mut first = store.acquire(&erp(), "first", 200, |_| false).await.unwrap().unwrap();
        store.renew(&mut first, 60_000).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
        assert!(store.acquire(&erp(), "second", 200, |_| false).await.unwrap().is_none());
        // A lease that is over can be renewed while nobody took the connection.
        store.renew(&mut first, -1).await.unwrap();
        store.renew(&mut first, -1).await.unwrap();
        store.acquire(&erp(), "second", 60_000, |_| false).await.unwrap().unwrap();
        let until = first.lease_until;
        let lost = store.renew(&mut first, 60_000).await.unwrap_err();
        assert!(matches!(lost, StoreError::OwnershipLost));
        assert_eq!(first.lease_until, until);
    }

    async fn released_it_is_free_at_once(place: Place) {
        let store = place.open().await;
        let first = own(&store, "first").await;
        store.release(&first).await.unwrap();
        let second = own(&store, "second").await;
        assert_eq!((second.epoch, second.previous), (2, None), "given back: nothing is under way");
        // Who lost it gives nothing back.
        store.release(&first).await.unwrap();
        assert_eq!(store.connection(&erp()).await.unwrap().unwrap().owner.as_deref(), Some("second"));
    }

    async fn of_a_dead_process_it_is_free(place: Place) {
        let store = place.open().await;
        own(&store, "dead").await;
        assert!(store.acquire(&erp(), "second", 60_000, |owner| owner == "somebody").await.unwrap().is_none());
        let second = store.acquire(&erp(), "second", 60_000, |owner| owner == "dead").await.unwrap().unwrap();
        assert_eq!((second.epoch, second.previous), (2, None));
        // The same name again is the same process started anew: nobody waits for its own lease.
        let again = own(&store, "second").await;
        assert_eq!((again.epoch, again.previous), (3, Some(second.lease_until)));
    }

    async fn one_of_many_wins(place: Place) {
        let stores = [place.open().await, place.open().await];
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..16 {
            let store = stores[n % 2].clone();
            tasks.spawn(async move { store.acquire(&erp(), &format!("owner-{n}"), 60_000, |_| false).await.unwrap() });
        }
        let taken: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].epoch, 1);
    }

    async fn keeps_what_a_probe_found_and_its_pause(place: Place) {
        let store = place.open().await;
        assert!(store.connection(&erp()).await.unwrap().is_none());
        store.set_account(&erp(), &account("one")).await.unwrap();
        store.set_account(&erp(), &account("two")).await.unwrap();
        let fault = Fault::locked(Code::StoreBusy, "the key was refused");
        store.pause(&erp(), Some(9_000), Some(&fault)).await.unwrap();
        let first = own(&store, "first").await;
        let row = store.connection(&erp()).await.unwrap().unwrap();
        assert_eq!(row.account.unwrap().site, "two");
        assert!(row.account_at.is_some_and(|at| at > 0));
        assert_eq!((row.paused_until, row.pause_cause), (Some(9_000), Some(fault)));
        assert_eq!(row.epoch, first.epoch);
        store.pause(&erp(), None, None).await.unwrap();
        let row = store.connection(&erp()).await.unwrap().unwrap();
        assert_eq!((row.paused_until, row.pause_cause), (None, None));
        // A pause may come before anybody owns the connection.
        store.pause(&shop(), Some(9_000), None).await.unwrap();
        assert_eq!(store.connection(&shop()).await.unwrap().unwrap().paused_until, Some(9_000));
    }
}
