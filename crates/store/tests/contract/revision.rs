//! Revisions of the configuration, with one head.

use crate::place::on_both;
use comptoir_store::StoreError;
use std::collections::BTreeMap;

fn files(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("comptoir.toml".to_owned(), text.to_owned())])
}

on_both! {
    async fn follow_their_parent(place: Place) {
        let store = place.open().await;
        assert_eq!(store.head().await.unwrap(), None);
        assert_eq!(store.push_revision(None, "ana", files("one")).await.unwrap(), 1);
        assert_eq!(store.push_revision(Some(1), "ben", files("two")).await.unwrap(), 2);
        assert_eq!(store.head().await.unwrap(), Some(2));
        let two = store.revision(2).await.unwrap().unwrap();
        assert_eq!((two.n, two.parent, two.author.as_str(), &two.files), (2, Some(1), "ben", &files("two")));
        assert!(two.at > 0);
        let moved = store.push_revision(Some(1), "eve", files("three")).await.unwrap_err();
        assert!(matches!(moved, StoreError::HeadMoved { head: 2 }), "{moved}");
        assert!(matches!(store.push_revision(None, "eve", files("three")).await.unwrap_err(), StoreError::HeadMoved { head: 2 }));
        assert_eq!(store.revisions().await.unwrap().len(), 2);
        assert!(store.revision(3).await.unwrap().is_none());
    }

    async fn roll_back_by_moving_the_head(place: Place) {
        let store = place.open().await;
        store.push_revision(None, "ana", files("one")).await.unwrap();
        store.push_revision(Some(1), "ana", files("two")).await.unwrap();
        assert!(matches!(store.set_head(1, Some(1)).await.unwrap_err(), StoreError::HeadMoved { head: 2 }));
        store.set_head(1, Some(2)).await.unwrap();
        assert_eq!(store.head().await.unwrap(), Some(1));
        assert!(store.set_head(9, Some(1)).await.is_err());
        assert_eq!(store.head().await.unwrap(), Some(1));
        // Numbers are never given twice.
        assert_eq!(store.push_revision(Some(1), "ana", files("three")).await.unwrap(), 3);
    }

    async fn one_of_many_pushes_wins(place: Place) {
        let stores = [place.open().await, place.open().await];
        for parent in [None, Some(1)] {
            let mut tasks = tokio::task::JoinSet::new();
            for n in 0..8 {
                let store = stores[n % 2].clone();
                tasks.spawn(async move { store.push_revision(parent, &format!("author-{n}"), files("x")).await });
            }
            let ended = tasks.join_all().await;
            assert_eq!(ended.iter().filter(|pushed| pushed.is_ok()).count(), 1);
            for refused in ended.iter().filter_map(|pushed| pushed.as_ref().err()) {
                assert!(matches!(refused, StoreError::HeadMoved { .. }), "{refused}");
            }
        }
        assert_eq!(stores[0].revisions().await.unwrap().len(), 2);
    }
}
