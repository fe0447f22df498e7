//! A full disk: nothing half-stored, and everything goes on when there is room again.

use crate::make::{everything, hint, shop};
use crate::place::Place;
use comptoir_model::code::Code;
use comptoir_model::key::Kind;
use comptoir_store::{Commit, RecordPut, Store, StoreError};

/// Documents that do not compress.
fn large(name: &str) -> Commit {
    let records = (0..20).map(|n| {
        let noise: String = (0..4_000).map(|_| rand::random_range('a'..='z')).collect();
        RecordPut {
            raw: Some(noise),
            ..crate::make::record(&format!("{name}-{n}"), &crate::make::document(name), 1)
        }
    });
    Commit {
        records: records.collect(),
        ..everything(name)
    }
}

async fn fill(store: &Store) -> (usize, StoreError) {
    for n in 0..10_000 {
        if let Err(error) = store.commit(None, large(&format!("fill-{n}"))).await {
            return (n, error);
        }
    }
    unreachable!("the store never became full")
}

#[tokio::test]
async fn stores_nothing_half_and_goes_on_with_room() {
    let place = Place::sqlite();
    let store = place
        .open_with(|options| options.max_page_count = Some(300))
        .await;
    let (stored, error) = fill(&store).await;
    assert!(stored > 0);
    assert!(matches!(error, StoreError::Full), "{error}");
    assert_eq!(error.code(), Code::DiskFull);
    let before = place.rows().await;
    assert_eq!(before["link"], i64::try_from(stored).unwrap());
    assert_eq!(before["journal"], before["link"]);

    // It stays so, and what can be read is read.
    for n in 0..5 {
        let error = store
            .commit(None, large(&format!("more-{n}")))
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Full), "{error}");
    }
    assert_eq!(place.rows().await, before);
    assert!(store.stream(&shop(), Kind::Order).await.unwrap().is_some());

    // A webhook that cannot be stored is not answered as if it were.
    let mut refused = None;
    for n in 0..100_000 {
        let id = format!("{n}-{}", "x".repeat(2_000));
        if let Err(error) = store.hint(&shop(), hint(Some(&id))).await {
            refused = Some((n, error));
            break;
        }
    }
    let (hints, error) = refused.expect("hints take room too");
    assert!(matches!(error, StoreError::Full), "{error}");
    assert_eq!(place.number("SELECT count(*) FROM hint").await, hints);

    // Room comes back: by more disk, and by what expires.
    store.close().await;
    drop(store);
    let store = place
        .open_with(|options| options.max_page_count = Some(3_000))
        .await;
    store.commit(None, large("after")).await.unwrap();
    store.hint(&shop(), hint(Some("after"))).await.unwrap();
    let check = place
        .number("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'")
        .await;
    assert_eq!(check, 1);
}

/// The same open store finds the room that was made, without being opened again.
#[tokio::test]
async fn room_that_is_made_is_found() {
    let place = Place::sqlite();
    let store = place
        .open_with(|options| {
            options.max_page_count = Some(300);
            options.retention_ms = 0;
        })
        .await;
    let (_, error) = fill(&store).await;
    assert!(matches!(error, StoreError::Full), "{error}");
    place.run("UPDATE work SET state = 'done', since = 0").await;
    let now = store.now().await.unwrap();
    assert!(store.expire(now).await.unwrap() > 0);
    store.commit(None, large("after")).await.unwrap();
}
