//! Hints: durable before a webhook is answered, and removed only by a read that began after them.

use crate::make::{erp, hint, id, shop};
use crate::place::on_both;
use comptoir_model::key::Kind;
use comptoir_model::port::Hint;
use comptoir_store::{Commit, Store};
use std::time::Duration;

async fn read(store: &Store, hint: Option<&str>, began: i64) {
    let commit = Commit {
        hints_read: vec![(shop(), Kind::Order, hint.map(id), began)],
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

on_both! {
    async fn floods_are_one_row(place: Place) {
        let store = place.open().await;
        for _ in 0..3 {
            store.hint(&shop(), hint(Some("1"))).await.unwrap();
            store.hint(&shop(), hint(None)).await.unwrap();
        }
        store.hint(&shop(), Hint { kind: Kind::Product, id: Some(id("1")) }).await.unwrap();
        store.hint(&erp(), hint(Some("1"))).await.unwrap();
        let hints = store.hints(&shop(), 10).await.unwrap();
        assert_eq!(hints.len(), 3);
        assert!(hints.iter().any(|row| row.kind == Kind::Order && row.remote.is_none()));
        assert_eq!(store.hints(&shop(), 2).await.unwrap().len(), 2);
        assert!(hints.is_sorted_by_key(|row| row.at));
    }

    async fn only_a_later_read_removes_it(place: Place) {
        let store = place.open().await;
        store.hint(&shop(), hint(Some("1"))).await.unwrap();
        store.hint(&shop(), hint(None)).await.unwrap();
        let at = store.hints(&shop(), 10).await.unwrap()[0].at;
        read(&store, Some("1"), at - 1).await;
        read(&store, Some("1"), at).await;
        assert_eq!(store.hints(&shop(), 10).await.unwrap().len(), 2);
        read(&store, Some("1"), at + 1).await;
        let left = store.hints(&shop(), 10).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].remote, None);
        let now = store.now().await.unwrap();
        read(&store, None, now + 1).await;
        assert!(store.hints(&shop(), 10).await.unwrap().is_empty());
    }

    /// It comes again while the read of the first one is under way: the read does not remove it.
    async fn one_that_comes_again_stays(place: Place) {
        let store = place.open().await;
        store.hint(&shop(), hint(Some("1"))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let began = store.now().await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        store.hint(&shop(), hint(Some("1"))).await.unwrap();
        read(&store, Some("1"), began).await;
        assert_eq!(store.hints(&shop(), 10).await.unwrap().len(), 1);
    }

    async fn many_are_removed_at_once(place: Place) {
        let store = place.open().await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..300 {
            let store = store.clone();
            tasks.spawn(async move { store.hint(&shop(), hint(Some(&n.to_string()))).await });
        }
        assert!(tasks.join_all().await.iter().all(Result::is_ok));
        assert_eq!(store.hints(&shop(), 1_000).await.unwrap().len(), 300);
        let began = store.now().await.unwrap() + 1;
        let hints_read = (0..299).map(|n| (shop(), Kind::Order, Some(id(&n.to_string())), began)).collect();
        store.commit(None, Commit { hints_read, ..Commit::default() }).await.unwrap();
        let left = store.hints(&shop(), 1_000).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].remote, Some(id("299")));
    }

    /// What was answered is in the database, seen from elsewhere.
    async fn is_durable_when_answered(place: Place) {
        let store = place.open().await;
        for n in 0..20 {
            store.hint(&shop(), hint(Some(&n.to_string()))).await.unwrap();
            assert_eq!(place.number("SELECT count(*) FROM hint").await, n + 1);
        }
    }

    /// The sender hangs up while it is stored: others are not hurt.
    async fn one_whose_sender_hangs_up_hurts_nobody(place: Place) {
        let store = place.open().await;
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..100 {
            let store = store.clone();
            tasks.spawn(async move {
                let name = n.to_string();
                let shop = shop();
                let stored = store.hint(&shop, hint(Some(&name)));
                if n % 2 == 0 {
                    tokio::time::timeout(Duration::from_micros(10), stored).await.ok();
                } else {
                    stored.await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        let hints = store.hints(&shop(), 1_000).await.unwrap();
        assert!((0..100).filter(|n| n % 2 == 1).all(|n| hints.iter().any(|row| row.remote == Some(id(&n.to_string())))));
    }
}
