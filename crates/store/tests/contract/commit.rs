//! A commit is stored whole or not at all, and only for the owner.

use crate::make::{
    document, due, end, erp, everything, flow, id, ids, intent, journal, link, own, record, shop,
};
use crate::place::on_both;
use comptoir_model::code::Code;
use comptoir_model::key::Kind;
use comptoir_model::port::Step;
use comptoir_store::{Commit, LinkState, RecordState, StoreError, WorkState};

on_both! {
    async fn stores_everything(place: Place) {
        let store = place.open().await;
        let before = place.rows().await;
        store.commit(None, everything("1")).await.unwrap();
        let after = place.rows().await;
        for table in ["record", "stream", "work", "intent", "link", "identity", "journal"] {
            assert_eq!(after[table], before[table] + 1, "{table}");
        }
        assert_eq!(after["blob"], before["blob"] + 2, "the document and the raw answer");
        let stream = store.stream(&shop(), Kind::Order).await.unwrap().unwrap();
        assert_eq!((stream.cursor.0.as_str(), stream.next_at, stream.last_new), ("1", 2_000, Some(5)));
    }

    /// The last table a commit writes to refuses: nothing of what came before it stays.
    async fn leaves_nothing_when_a_part_fails(place: Place) {
        let store = place.open().await;
        store.commit(None, everything("1")).await.unwrap();
        let before = place.rows().await;
        let mut commit = everything("2");
        commit.links.push(link("3", "target-1"));
        assert!(store.commit(None, commit).await.is_err());
        assert_eq!(place.rows().await, before);
        assert_eq!(store.stream(&shop(), Kind::Order).await.unwrap().unwrap().cursor.0, "1");
        // And the store works on.
        store.commit(None, everything("2")).await.unwrap();
    }

    async fn an_empty_commit_is_fine(place: Place) {
        let store = place.open().await;
        assert_eq!(store.commit(None, Commit::default()).await.unwrap(), 0);
    }

    async fn refuses_a_lost_owner(place: Place) {
        let store = place.open().await;
        let first = own(&store, "first").await;
        store.commit(Some(&first), everything("1")).await.unwrap();
        let taken = store.acquire(&erp(), "second", 60_000, |owner| owner == "first").await.unwrap();
        let second = taken.unwrap();
        assert_eq!(second.epoch, first.epoch + 1);
        let before = place.rows().await;
        let lost = store.commit(Some(&first), everything("2")).await.unwrap_err();
        assert!(matches!(lost, StoreError::OwnershipLost), "{lost}");
        assert_eq!(lost.code(), Code::OwnershipLost);
        assert_eq!(place.rows().await, before);
        store.commit(Some(&second), everything("2")).await.unwrap();
    }

    /// A takeover waits for a commit under way or comes before it: no commit of the old owner lands after it.
    async fn a_takeover_stands_between_commits(place: Place) {
        let store = place.open().await;
        let other = place.open().await;
        for round in 0..10 {
            let owner = format!("owner-{round}");
            let old = store.acquire(&erp(), &owner, 60_000, |_| true).await.unwrap().unwrap();
            let busy = tokio::spawn({
                let store = store.clone();
                async move {
                    let mut stored = 0;
                    for n in 0..200 {
                        let commit = Commit {
                            journal: vec![journal(&format!("{round}-{n}"), "turn")],
                            ..Commit::default()
                        };
                        match store.commit(Some(&old), commit).await {
                            Ok(_) => stored += 1,
                            Err(StoreError::OwnershipLost) => return stored,
                            Err(error) => panic!("{error}"),
                        }
                    }
                    stored
                }
            });
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            other.acquire(&erp(), "taker", 60_000, |_| true).await.unwrap().unwrap();
            let at_takeover = other.journal_after(&erp(), 0, 100_000).await.unwrap().len();
            busy.await.unwrap();
            let at_end = other.journal_after(&erp(), 0, 100_000).await.unwrap().len();
            assert_eq!(at_takeover, at_end, "round {round}");
        }
    }

    /// Pages of hundreds of records take several statements: no row may be missed between them.
    async fn stores_pages_of_any_size(place: Place) {
        let store = place.open().await;
        for size in [1, 3, 4, 15, 16, 63, 64, 65, 249] {
            let names: Vec<String> = (0..size).map(|n| format!("{size}-{n}")).collect();
            let mut commit = Commit::default();
            for name in &names {
                let document = document(name);
                commit.records.push(record(name, &document, 1_000));
                commit.due.push(due(name, &document, 1_000));
                commit.intents.push(intent(name, name, Step::Create, 1_000));
                commit.links.push(link(name, name));
                commit.journal.push(journal(name, "create"));
                commit.work.push(end(name, &document, WorkState::Done));
            }
            store.commit(None, commit).await.unwrap();
            let all: Vec<_> = names.iter().map(|name| id(name)).collect();
            let records = store.records(&shop(), Kind::Order, &all, true).await.unwrap();
            assert_eq!(records.len(), size);
            for name in &names {
                let record = &records[&id(name)];
                assert_eq!(record.document.as_ref().unwrap().to_json(), document(name));
                assert_eq!(record.raw.as_deref(), Some(format!("raw answer for {name}").as_str()));
            }
            let work = store.work(&flow(), Kind::Order, &all).await.unwrap();
            assert_eq!(work.values().filter(|row| row.state == WorkState::Done).count(), size);
            assert_eq!(store.intents_of(&flow(), Kind::Order, &all).await.unwrap().len(), size);
            let parts: Vec<_> = all.iter().map(|id| (id.clone(), String::new())).collect();
            let links = store.links(&shop(), Kind::Order, &parts, &erp()).await.unwrap();
            assert_eq!(links.len(), size);
            assert!(links.iter().all(|((src, _), link)| link.dst_id == *src && link.state == LinkState::Live));
            let known = store.digests(&shop(), Kind::Order, &all).await.unwrap();
            assert!(known.values().all(|(_, state)| *state == RecordState::Live));
        }
        let known = store.digests(&shop(), Kind::Order, &ids(["no such"])).await.unwrap();
        assert!(known.is_empty());
    }

    /// Text from outside may hold anything, a zero character too, which PostgreSQL cannot store: no such record may stop its page.
    async fn no_text_stops_a_page(place: Place) {
        let store = place.open().await;
        let odd = ["zero\0zero", "quote ' and \" and $1", "line\nline", "\u{1f4e6} déjà", ""];
        let mut commit = Commit::default();
        for name in odd {
            let mut record = record(name, &document("x"), 1_000);
            record.version = name.to_owned();
            record.raw = Some(name.to_owned());
            commit.records.push(record);
            commit.journal.push(journal(name, name));
        }
        store.commit(None, commit).await.unwrap();
        let records = store.records(&shop(), Kind::Order, &ids(odd), true).await.unwrap();
        assert_eq!(records.len(), odd.len());
        assert!(odd.iter().all(|name| records.values().any(|record| record.raw.as_deref() == Some(name))));
        for name in &odd[1..] {
            assert_eq!(records[&id(name)].version, *name);
        }
        assert_eq!(store.journal_after(&erp(), 0, 10).await.unwrap()[0].what["event"], odd[0]);
    }

    /// Commits that touch the same rows in another order get into each other's way on PostgreSQL, which then gives one of them up.
    async fn commits_in_each_others_way_all_succeed(place: Place) {
        let store = place.open().await;
        let other = place.open().await;
        let names: Vec<String> = (0..40).map(|n| format!("{n}")).collect();
        let commit = Commit {
            due: names.iter().map(|name| due(name, b"0", 1)).collect(),
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let store = if task % 2 == 0 { store.clone() } else { other.clone() };
            let mut names = names.clone();
            names.rotate_left(task * 5);
            tasks.spawn(async move {
                for round in 0..5 {
                    let want = format!("{task}-{round}");
                    let (a, b) = names.split_at(20);
                    for part in [a, b] {
                        let wake = part.iter().map(|name| format!("cause-{name}")).collect();
                        let mut commit = Commit { wake, ..Commit::default() };
                        for name in part {
                            commit.due.push(due(name, want.as_bytes(), 1));
                            commit.records.push(record(name, &document(&want), 1));
                            commit.work.push(crate::make::held(name, want.as_bytes(), &format!("cause-{}", names[0])));
                        }
                        store.commit(None, commit).await.unwrap();
                    }
                    store.resume(&format!("cause-{}", names[3])).await.unwrap();
                    store.reconsider(&flow()).await.unwrap();
                }
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.unwrap();
        }
        let counts = store.counts().await.unwrap();
        assert_eq!(counts.iter().map(|count| count.count).sum::<u64>(), 40);
    }

    /// A commit whose caller goes away half-way leaves nothing, and nothing locked.
    async fn a_dropped_commit_blocks_nobody(place: Place) {
        let store = place.open().await;
        let other = place.open().await;
        for n in 0..40 {
            let name = format!("dropped-{n}");
            let mut commit = Commit::default();
            for part in 0..40 {
                commit.journal.push(journal(&name, &format!("{part}")));
                commit.records.push(record(&format!("{name}-{part}"), &document(&name), 1));
            }
            let wait = std::time::Duration::from_micros(n * 150);
            let stored = tokio::time::timeout(wait, store.commit(None, commit)).await;
            let soon = std::time::Duration::from_secs(5);
            tokio::time::timeout(soon, other.poll_now(&shop())).await.expect("not blocked").unwrap();
            let rows = other.journal(&erp(), Kind::Order, &id(&name)).await.unwrap().len();
            match stored {
                Ok(stored) => {
                    stored.unwrap();
                    assert_eq!(rows, 40);
                }
                Err(_) => assert!(rows == 0 || rows == 40, "half a commit: {rows}"),
            }
        }
        let entries = store.journal_after(&erp(), 0, 10_000).await.unwrap();
        assert!((1..).zip(&entries).all(|(n, entry)| entry.n == n), "no gaps");
    }
}
