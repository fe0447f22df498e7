//! Records, and their documents: compressed, content-addressed, kept while needed.

use crate::make::{document, due, end, flow, id, ids, intent, link, record, shop, stream};
use crate::place::{Place, on_both};
use comptoir_model::document::Digest;
use comptoir_model::key::Kind;
use comptoir_model::port::{Cursor, Step};
use comptoir_store::{
    Commit, IntentOutcome, IntentState, RecordPut, RecordState, Store, StreamPut, WorkState,
};

/// A retention of one second, and a "now" far after everything the tests store.
const LATER: i64 = 4_000_000_000_000;

async fn short(place: &Place) -> Store {
    place
        .open_with(|options| options.retention_ms = 1_000)
        .await
}

async fn put(store: &Store, records: Vec<RecordPut>) {
    let commit = Commit {
        records,
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

async fn kept(store: &Store, document: &[u8]) -> bool {
    let digest = Digest::of(document);
    store.document(&digest).await.unwrap().is_some()
}

on_both! {
    async fn are_read_as_they_were_put(place: Place) {
        let store = place.open().await;
        let one = document("one");
        put(&store, vec![record("1", &one, 1_000)]).await;
        let read = store.records(&shop(), Kind::Order, &ids(["1", "2"]), true).await.unwrap();
        assert_eq!(read.len(), 1);
        let row = &read[&id("1")];
        assert_eq!((row.version.as_str(), row.digest, row.state, row.seen_at), ("1", Digest::of(&one), RecordState::Live, 1_000));
        assert_eq!(row.document.as_ref().unwrap().to_json(), one);
        assert_eq!(row.raw.as_deref(), Some("raw answer for 1"));
        let read = store.records(&shop(), Kind::Order, &ids(["1"]), false).await.unwrap();
        assert!(read[&id("1")].raw.is_none() && read[&id("1")].document.is_some());
        // Kind and connection are part of the key.
        assert!(store.records(&shop(), Kind::Refund, &ids(["1"]), false).await.unwrap().is_empty());
    }

    async fn the_last_word_counts(place: Place) {
        let store = place.open().await;
        put(&store, vec![record("1", &document("a"), 1_000), record("1", &document("b"), 1_000)]).await;
        let digests = store.digests(&shop(), Kind::Order, &ids(["1"])).await.unwrap();
        assert_eq!(digests[&id("1")], (Digest::of(&document("b")), RecordState::Live));
        let gone = RecordPut { state: RecordState::Gone, document: None, raw: None, ..record("1", b"gone", 2_000) };
        put(&store, vec![gone]).await;
        let read = store.records(&shop(), Kind::Order, &ids(["1"]), true).await.unwrap();
        let row = &read[&id("1")];
        assert_eq!((row.state, row.seen_at), (RecordState::Gone, 2_000));
        assert!(row.document.is_none() && row.raw.is_none());
    }

    async fn share_documents(place: Place) {
        let store = place.open().await;
        let same = document("same");
        let puts = (0..50).map(|n| RecordPut { raw: None, ..record(&n.to_string(), &same, 1_000) });
        put(&store, puts.collect()).await;
        assert_eq!(place.number("SELECT count(*) FROM blob").await, 1);
        let sizes = store.sizes().await.unwrap();
        assert_eq!((sizes.records.rows, sizes.documents.rows), (50, 1));
    }

    async fn documents_are_compressed(place: Place) {
        let store = place.open().await;
        // Repetitive beyond what any order is: thousands to one.
        let large = document(&"x".repeat(1_000_000));
        put(&store, vec![RecordPut { raw: None, ..record("1", &large, 1_000) }]).await;
        let bytes = store.sizes().await.unwrap().documents.bytes;
        assert!(bytes < 10_000, "{bytes}");
        assert_eq!(store.document(&Digest::of(&large)).await.unwrap().unwrap().to_json(), large);
        assert!(store.document(&Digest::of(b"no such")).await.unwrap().is_none());
    }

    async fn documents_expire_when_done(place: Place) {
        let store = short(&place).await;
        let (done, skipped) = (document("done"), document("skipped"));
        let commit = Commit {
            records: vec![record("1", &done, 1_000), record("2", &skipped, 1_000)],
            due: vec![due("1", &done, 1_000), due("2", &skipped, 1_000)],
            work: vec![end("1", &done, WorkState::Done), end("2", &skipped, WorkState::Skipped)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        let now = store.now().await.unwrap();
        assert_eq!(store.expire(now).await.unwrap(), 0, "done just now");
        assert_eq!(store.expire(LATER).await.unwrap(), 4);
        assert!(!kept(&store, &done).await && !kept(&store, &skipped).await);
        // The records stay, with their digests.
        let read = store.records(&shop(), Kind::Order, &ids(["1", "2"]), true).await.unwrap();
        assert_eq!(read[&id("1")].digest, Digest::of(&done));
        assert!(read.values().all(|row| row.document.is_none() && row.raw.is_none()));
    }

    async fn documents_stay_while_needed(place: Place) {
        let store = short(&place).await;
        let states = [("1", WorkState::Due), ("2", WorkState::Waiting), ("3", WorkState::Held)];
        let mut commit = Commit::default();
        for (name, state) in states {
            commit.records.push(record(name, &document(name), 1_000));
            commit.due.push(due(name, &document(name), 1_000));
            commit.work.push(end(name, &document(name), state));
        }
        store.commit(None, commit).await.unwrap();
        assert_eq!(store.expire(LATER).await.unwrap(), 0);
        for (name, _) in states {
            let read = store.records(&shop(), Kind::Order, &ids([name]), true).await.unwrap();
            assert!(read[&id(name)].document.is_some() && read[&id(name)].raw.is_some(), "{name}");
        }
        // A document that an open record shares with a done one stays for both.
        let shared = document("1");
        let commit = Commit {
            records: vec![record("4", &shared, 1_000)],
            due: vec![due("4", &shared, 1_000)],
            work: vec![end("4", &shared, WorkState::Done)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        assert_eq!(store.expire(LATER).await.unwrap(), 1, "the raw answer of the done one");
        assert!(kept(&store, &shared).await);
    }

    /// What was last written is what a change is compared with: it stays while the record is open.
    async fn the_version_last_written_stays_while_the_record_is_open(place: Place) {
        let store = short(&place).await;
        let (old, new) = (document("old"), document("new"));
        let mut written = link("1", "9");
        written.base = Some(Digest::of(&old));
        let commit = Commit {
            records: vec![record("1", &old, 1_000)],
            due: vec![due("1", &old, 1_000)],
            work: vec![end("1", &old, WorkState::Done)],
            links: vec![written],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        let commit = Commit {
            records: vec![record("1", &new, 1_000)],
            due: vec![due("1", &new, 1_000)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        store.expire(LATER).await.unwrap();
        assert!(kept(&store, &old).await && kept(&store, &new).await);
        let commit = Commit {
            work: vec![end("1", &new, WorkState::Done)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        store.expire(LATER).await.unwrap();
        assert!(!kept(&store, &old).await && !kept(&store, &new).await);
    }

    async fn a_document_seen_again_starts_anew(place: Place) {
        let store = short(&place).await;
        let again = document("again");
        put(&store, vec![RecordPut { raw: None, ..record("1", &again, 1_000) }]).await;
        put(&store, vec![RecordPut { raw: None, ..record("2", &again, LATER) }]).await;
        assert_eq!(store.expire(LATER).await.unwrap(), 0);
        assert_eq!(store.expire(LATER + 1_001).await.unwrap(), 1);
    }

    async fn many_documents_expire_in_batches(place: Place) {
        let store = short(&place).await;
        let names: Vec<String> = (0..2_500).map(|n| n.to_string()).collect();
        let puts = names.iter().map(|name| RecordPut { raw: None, ..record(name, &document(name), 1_000) });
        put(&store, puts.collect()).await;
        assert_eq!(store.expire(LATER).await.unwrap(), 2_500);
        assert_eq!(place.number("SELECT count(*) FROM blob").await, 0);
    }

    async fn documents_of_closed_intents_expire(place: Place) {
        let store = short(&place).await;
        let commit = Commit {
            intents: vec![intent("a", "1", Step::Create, 1_000), intent("b", "2", Step::Create, 1_000)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        let outcome = IntentOutcome { id: "a".to_owned(), state: IntentState::Proved, fault: None, settle_at: None };
        store.commit(None, Commit { outcomes: vec![outcome], ..Commit::default() }).await.unwrap();
        store.expire(LATER).await.unwrap();
        let intents = store.intents_of(&flow(), Kind::Order, &ids(["1", "2"])).await.unwrap();
        assert!(intents[0].document.is_empty());
        assert_eq!(intents[1].document, document("2"), "what may still have to be proved keeps its document");
    }

    async fn streams_stand_where_they_were_left(place: Place) {
        let store = place.open().await;
        assert!(store.stream(&shop(), Kind::Order).await.unwrap().is_none());
        store.poll_now(&shop()).await.unwrap();
        for (cursor, next_at) in [("a", 5_000), ("b", 6_000)] {
            store.commit(None, Commit { stream: Some(stream(cursor, next_at)), ..Commit::default() }).await.unwrap();
        }
        let row = store.stream(&shop(), Kind::Order).await.unwrap().unwrap();
        assert_eq!((row.cursor.0.as_str(), row.next_at), ("b", 6_000));
        store.poll_now(&shop()).await.unwrap();
        let row = store.stream(&shop(), Kind::Order).await.unwrap().unwrap();
        assert_eq!((row.cursor.0.as_str(), row.next_at), ("b", 0));
        assert!(store.stream(&shop(), Kind::Refund).await.unwrap().is_none());
    }

    async fn a_stream_begun_anew_is_not_put_on_by_a_reading_under_way(place: Place) {
        let store = place.open().await;
        let read = async |from: &str, to: &str| {
            let read_from = Some(Cursor(from.to_owned()));
            let put = StreamPut { read_from, ..stream(to, 9_000) };
            store.commit(None, Commit { stream: Some(put), ..Commit::default() }).await.unwrap();
            store.stream(&shop(), Kind::Order).await.unwrap().unwrap().cursor.0
        };
        assert_eq!(read("", "a").await, "a", "the first page makes the stream");
        assert_eq!(read("a", "b").await, "b");
        store.read_again(&shop(), Kind::Order).await.unwrap();
        assert_eq!(read("b", "c").await, "", "the page was asked for before");
        let row = store.stream(&shop(), Kind::Order).await.unwrap().unwrap();
        assert_eq!(row.next_at, 0);
        assert_eq!(read("", "a").await, "a");
    }

    async fn sizes_count_what_is_there(place: Place) {
        let store = place.open().await;
        let empty = store.sizes().await.unwrap();
        assert!(empty.lines().iter().all(|(_, rows, bytes)| (*rows, *bytes) == (0, 0)));
        store.commit(None, crate::make::everything("1")).await.unwrap();
        let lines = store.sizes().await.unwrap().lines();
        let rows: Vec<_> = lines.iter().map(|(name, rows, _)| (*name, *rows)).collect();
        assert_eq!(rows, [("documents", 2), ("journal", 1), ("intents", 1), ("records", 1), ("links", 1), ("work", 1)]);
        assert!(lines.iter().all(|(_, _, bytes)| *bytes > 0));
    }
}
