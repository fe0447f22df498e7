//! The journal: without gaps per connection.

use crate::make::{erp, id, journal, shop};
use crate::place::on_both;
use comptoir_model::key::Kind;
use comptoir_store::{Commit, JournalPut};

on_both! {
    async fn is_numbered_per_connection(place: Place) {
        let store = place.open().await;
        let elsewhere = JournalPut { connection: shop(), ..journal("1", "seen") };
        let commit = Commit { journal: vec![journal("1", "create"), elsewhere, journal("2", "create"), journal("1", "confirm")], ..Commit::default() };
        store.commit(None, commit).await.unwrap();
        let of_one = store.journal(&erp(), Kind::Order, &id("1")).await.unwrap();
        let entries: Vec<_> = of_one.iter().map(|entry| (entry.n, entry.what["event"].as_str().unwrap())).collect();
        assert_eq!(entries, [(1, "create"), (3, "confirm")]);
        assert_eq!(of_one[0].flow.as_ref().unwrap().as_str(), "orders");
        assert_eq!(store.journal_after(&shop(), 0, 10).await.unwrap()[0].n, 1);
        let after = store.journal_after(&erp(), 1, 1).await.unwrap();
        assert_eq!(after.iter().map(|entry| entry.n).collect::<Vec<_>>(), [2]);
        assert!(store.journal_after(&erp(), 3, 10).await.unwrap().is_empty());
    }

    /// Several processes write at once, and some of their commits fail: the numbers still have no gap, and a reader that goes by
    /// number misses nothing.
    async fn has_no_gaps_when_many_write(place: Place) {
        let stores = [place.open().await, place.open().await];
        stores[0].commit(None, Commit { links: vec![crate::make::link("taken", "taken")], ..Commit::default() }).await.unwrap();
        let reader = tokio::spawn({
            let store = stores[0].clone();
            async move {
                let mut seen = Vec::new();
                while seen.len() < 400 {
                    let last = seen.last().copied().unwrap_or_default();
                    let rows = store.journal_after(&erp(), last, 50).await.unwrap();
                    seen.extend(rows.into_iter().map(|entry| entry.n));
                }
                seen
            }
        });
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let store = stores[task % 2].clone();
            tasks.spawn(async move {
                for n in 0..25 {
                    let name = format!("{task}-{n}");
                    let entries = vec![journal(&name, "one"), journal(&name, "two")];
                    store.commit(None, Commit { journal: entries.clone(), ..Commit::default() }).await.unwrap();
                    let fails = Commit { journal: entries, links: vec![crate::make::link(&name, "taken")], ..Commit::default() };
                    store.commit(None, fails).await.unwrap_err();
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let seen = reader.await.unwrap();
        assert!(seen.into_iter().eq(1..=400));
    }
}
