//! Opening a store: once per `serve` on SQLite, never with an older program, always durable.

use crate::make::{everything, hint, shop};
use crate::place::{Place, on_both};
use comptoir_model::code::Code;
use comptoir_store::{ServeName, Store, StoreError, StoreUrl};

on_both! {
    async fn keeps_what_was_stored(place: Place) {
        let store = place.open().await;
        store.commit(None, everything("1")).await.unwrap();
        store.hint(&shop(), hint(Some("1"))).await.unwrap();
        let key = store.site_key().await.unwrap();
        let rows = place.rows().await;
        store.close().await;
        drop(store);
        let again = place.open().await;
        assert_eq!(place.rows().await, rows);
        assert_eq!(again.site_key().await.unwrap(), key, "made once");
    }

    async fn many_open_a_new_store_at_once(place: Place) {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..6 {
            let place = place.clone();
            tasks.spawn(async move { place.open().await.site_key().await.unwrap() });
        }
        let keys = tasks.join_all().await;
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
    }

    async fn a_newer_schema_is_refused(place: Place) {
        place.open().await.close().await;
        let set = match &place.url {
            StoreUrl::Sqlite(_) => "UPDATE meta SET value = CAST('99' AS BLOB) WHERE name = 'schema'",
            StoreUrl::Postgres(_) => "UPDATE meta SET value = '99'::bytea WHERE name = 'schema'",
        };
        place.run(set).await;
        let refused = Store::open(&place.url, place.options()).await.err().unwrap();
        assert!(matches!(refused, StoreError::Newer { found: 99, known: 3 }), "{refused}");
        assert_eq!(refused.code(), Code::StoreNewer);
    }

    /// The clock has milliseconds, and does not go back while this test runs.
    async fn the_clock_is_the_databases(place: Place) {
        let store = place.open().await;
        let mut last = 0;
        let mut thousandths = std::collections::BTreeSet::new();
        for _ in 0..100 {
            let now = store.now().await.unwrap();
            assert!(now >= last);
            last = now;
            thousandths.insert(now % 1_000);
            tokio::time::sleep(std::time::Duration::from_micros(700)).await;
        }
        assert!(thousandths.len() > 20);
        let here = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let here = i64::try_from(here.as_millis()).unwrap();
        assert!((here - last).abs() < 60_000, "one machine, one time: {here} {last}");
    }
}

/// Commands come and go beside a hub that starts: the first to open a file and the last to close it need it alone for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn sqlite_can_be_opened_while_others_open_and_close_it() {
    for _ in 0..10 {
        let place = Place::sqlite();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let place = place.clone();
            tasks.spawn(async move {
                for _ in 0..10 {
                    place.open().await.close().await;
                }
            });
        }
        tasks.join_all().await;
    }
}

#[tokio::test]
async fn sqlite_has_one_serve_per_file() {
    let place = Place::sqlite();
    let serve = |name: &str| {
        let mut options = place.options();
        options.serve = Some(ServeName {
            name: name.to_owned(),
            pid: 4_242,
        });
        options
    };
    let first = Store::open(&place.url, serve("the first")).await.unwrap();
    let refused = Store::open(&place.url, serve("the second")).await;
    let refused = refused.err().unwrap();
    assert_eq!(refused.code(), Code::StoreBusy);
    let text = refused.to_string();
    assert!(
        text.contains("the first") && text.contains("4242"),
        "{text}"
    );
    // Every other command works beside it.
    let beside = place.open().await;
    beside.commit(None, everything("1")).await.unwrap();
    drop(first);
    Store::open(&place.url, serve("the second")).await.unwrap();
}

#[tokio::test]
async fn sqlite_is_durable_and_private() {
    let place = Place::sqlite();
    let store = place.open().await;
    store.commit(None, everything("1")).await.unwrap();
    let StoreUrl::Sqlite(path) = &place.url else {
        unreachable!("a place on SQLite")
    };
    // Format 2 in the file's header is WAL.
    let header = std::fs::read(path).unwrap();
    assert_eq!(header[18..20], [2, 2]);
    let durability = store.durability().await.unwrap();
    assert_eq!(durability, "journal_mode=wal synchronous=2");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for end in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(end);
            let mode = std::fs::metadata(name).unwrap().permissions().mode();
            assert_eq!(
                mode & 0o077,
                0,
                "{end} is for its owner: there is personal data in it"
            );
        }
    }
}

#[tokio::test]
async fn postgres_is_durable() {
    let place = Place::postgres();
    crate::place::check(place, |place| async move {
        let store = place.open().await;
        assert_eq!(store.durability().await.unwrap(), "synchronous_commit=on");
        // A server or a role whose default is to lose commits is told otherwise.
        let lax = place.address_with("options=-c%20synchronous_commit%3Doff");
        let store = Store::open(&lax, place.options()).await.unwrap();
        assert_eq!(store.durability().await.unwrap(), "synchronous_commit=on");
    })
    .await;
}

#[test]
fn addresses_are_read() {
    assert_eq!(
        StoreUrl::parse("sqlite:a/b.db").unwrap(),
        StoreUrl::sqlite("a/b.db")
    );
    assert_eq!(
        StoreUrl::parse("sqlite:/a/b.db").unwrap(),
        StoreUrl::sqlite("/a/b.db")
    );
    assert_eq!(
        StoreUrl::parse("sqlite://b.db").unwrap(),
        StoreUrl::sqlite("b.db")
    );
    assert_eq!(
        StoreUrl::parse("sqlite:///a/b.db").unwrap(),
        StoreUrl::sqlite("/a/b.db")
    );
    let address = "postgres://comptoir:secret@db.example.test/comptoir";
    let url = StoreUrl::parse(address).unwrap();
    assert_eq!(url, StoreUrl::Postgres(address.to_owned()));
    assert!(!format!("{url:?}").contains("secret"));
    for wrong in ["", "sqlite:", "mysql://root:secret@db.example.test/x"] {
        let error = StoreUrl::parse(wrong).unwrap_err();
        assert_eq!(error.code(), Code::BadValue);
        assert!(!error.to_string().contains("secret"));
    }
}
