//! Work: due, waiting, done, skipped or held, and always exactly one of them.

use crate::make::{due, end, erp, flow, held, id, ids, waiting};
use crate::place::on_both;
use comptoir_model::document::Digest;
use comptoir_model::key::{FlowName, Kind};
use comptoir_store::{Commit, Store, WorkDue, WorkPut, WorkRow, WorkState};

async fn see(store: &Store, due: Vec<WorkDue>) {
    let commit = Commit {
        due,
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

async fn finish(store: &Store, work: Vec<WorkPut>) {
    let commit = Commit {
        work,
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

async fn row(store: &Store, name: &str) -> WorkRow {
    let mut rows = store
        .work(&flow(), Kind::Order, &ids([name]))
        .await
        .unwrap();
    rows.remove(&id(name)).unwrap()
}

async fn due_now(store: &Store, now: i64) -> Vec<String> {
    let rows = store.due(&erp(), &[Kind::Order], now, 100).await.unwrap();
    rows.into_iter().map(|row| row.src.0).collect()
}

on_both! {
    async fn begins_as_due(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("1", b"a", 1_000)]).await;
        let row = row(&store, "1").await;
        assert_eq!((row.state, row.due, row.since), (WorkState::Due, Some(1_000), 1_000));
        assert_eq!((row.want, row.cause, row.tries, row.rounds, row.approved), (Digest::of(b"a"), None, 0, 0, None));
        assert!(store.due(&"other".parse().unwrap(), &[Kind::Order], 9_000, 10).await.unwrap().is_empty());
    }

    async fn the_longest_due_come_first(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("b", b"a", 2_000), due("c", b"a", 2_000), due("a", b"a", 3_000), due("d", b"a", 1_000)]).await;
        assert_eq!(due_now(&store, 2_999).await, ["d", "b", "c"]);
        assert_eq!(due_now(&store, 3_000).await, ["d", "b", "c", "a"]);
        assert!(due_now(&store, 999).await.is_empty());
        let two = store.due(&erp(), &[Kind::Order], 9_000, 2).await.unwrap();
        assert_eq!(two.iter().map(|row| row.src.as_str()).collect::<Vec<_>>(), ["d", "b"]);
    }

    async fn one_turn_per_root(place: Place) {
        let store = place.open().await;
        let refund = WorkDue { kind: Kind::Refund, root: "shop/order/1".to_owned(), ..due("r1", b"a", 2_000) };
        let elsewhere = WorkDue { flow: "other".parse().unwrap(), ..due("1", b"a", 3_000) };
        see(&store, vec![due("1", b"a", 1_000), refund, elsewhere]).await;
        let rows = store.due(&erp(), &[Kind::Order, Kind::Refund], 9_000, 10).await.unwrap();
        let names: Vec<_> = rows.iter().map(|row| (row.flow.as_str(), row.src.as_str())).collect();
        assert_eq!(names, [("orders", "1"), ("other", "1")]);
    }

    async fn each_end_is_kept(place: Place) {
        let store = place.open().await;
        see(&store, ["done", "skipped", "waiting", "held"].map(|name| due(name, b"a", 1_000)).to_vec()).await;
        let skipped = WorkPut { cause: Some("filter".to_owned()), ..end("skipped", b"a", WorkState::Skipped) };
        finish(&store, vec![
            end("done", b"a", WorkState::Done),
            skipped,
            waiting("waiting", b"a", "link:order:1", 5_000),
            held("held", b"a", "row:tax:20"),
        ]).await;
        let done = row(&store, "done").await;
        assert_eq!((done.state, done.due, done.cause), (WorkState::Done, None, None));
        let skipped = row(&store, "skipped").await;
        assert_eq!((skipped.state, skipped.due, skipped.cause.as_deref()), (WorkState::Skipped, None, Some("filter")));
        let waits = row(&store, "waiting").await;
        assert_eq!((waits.state, waits.due, waits.cause.as_deref()), (WorkState::Waiting, Some(5_000), Some("link:order:1")));
        let stuck = row(&store, "held").await;
        assert_eq!((stuck.state, stuck.due, stuck.cause.as_deref()), (WorkState::Held, None, Some("row:tax:20")));
        assert_eq!((stuck.tries, stuck.rounds), (3, 2));
        assert!(stuck.since > 1_000, "since it is held, not since it was seen");
        assert!(due_now(&store, 4_999).await.is_empty());
        assert_eq!(due_now(&store, 5_000).await, ["waiting"], "waiting always ends");
        assert_eq!(place.number("SELECT count(*) FROM work WHERE done IS NOT NULL").await, 1);
    }

    async fn news_make_it_due_again_and_old_news_do_not(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("1", b"a", 1_000)]).await;
        store.approve(&flow(), Kind::Order, &ids(["1"]), "plan").await.unwrap();
        finish(&store, vec![held("1", b"a", "row:tax:20")]).await;
        see(&store, vec![due("1", b"a", 2_000)]).await;
        assert_eq!(row(&store, "1").await.state, WorkState::Held, "seen again, but nothing new");
        see(&store, vec![due("1", b"b", 3_000)]).await;
        let row = row(&store, "1").await;
        assert_eq!((row.state, row.due, row.since, row.cause), (WorkState::Due, Some(3_000), 3_000, None));
        assert_eq!((row.tries, row.rounds, row.want), (0, 0, Digest::of(b"b")));
        assert_eq!(row.approved, None, "another version was approved");
    }

    /// A turn decided on what was overtaken meanwhile: its end does not hide the news.
    async fn news_during_a_turn_win(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("1", b"a", 1_000)]).await;
        see(&store, vec![due("1", b"b", 2_000)]).await;
        let late = WorkPut { tries: 4, rounds: 7, ..end("1", b"a", WorkState::Done) };
        finish(&store, vec![late]).await;
        let row = row(&store, "1").await;
        assert_eq!((row.state, row.cause.clone(), row.want), (WorkState::Due, None, Digest::of(b"b")));
        assert_eq!((row.tries, row.rounds), (0, 0), "they were of the version before");
        let now = store.now().await.unwrap();
        assert!(row.due.is_some_and(|due| due <= now));
        assert_eq!(place.number("SELECT count(*) FROM work WHERE done IS NOT NULL").await, 1, "what was written was written");
    }

    async fn an_end_without_a_row_is_nothing(place: Place) {
        let store = place.open().await;
        finish(&store, vec![end("1", b"a", WorkState::Done)]).await;
        assert_eq!(place.number("SELECT count(*) FROM work").await, 0);
    }

    async fn since_is_when_the_state_began(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("1", b"a", 1_000)]).await;
        finish(&store, vec![waiting("1", b"a", "retry:x", 5_000)]).await;
        let first = row(&store, "1").await.since;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        finish(&store, vec![waiting("1", b"a", "retry:x", 6_000)]).await;
        let again = row(&store, "1").await;
        assert_eq!((again.since, again.due), (first, Some(6_000)));
    }

    async fn a_cause_wakes_everything_that_has_it(place: Place) {
        let store = place.open().await;
        let names: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        see(&store, names.iter().map(|name| due(name, b"a", 1_000)).collect()).await;
        let ends = names.iter().enumerate().map(|(n, name)| match n % 4 {
            0 => held(name, b"a", "row:tax:20"),
            1 => waiting(name, b"a", "row:tax:20", 9_000_000_000_000),
            2 => held(name, b"a", "row:tax:10"),
            _ => WorkPut { cause: Some("row:tax:20".to_owned()), ..end(name, b"a", WorkState::Skipped) },
        });
        finish(&store, ends.collect()).await;
        let commit = Commit { wake: vec!["row:tax:20".to_owned(), "row:tax:20".to_owned(), "no such".to_owned()], ..Commit::default() };
        assert_eq!(store.commit(None, commit).await.unwrap(), 50);
        let now = store.now().await.unwrap();
        assert_eq!(store.due(&erp(), &[Kind::Order], now, 1_000).await.unwrap().len(), 50);
        let woken = row(&store, "0").await;
        assert_eq!((woken.state, woken.cause, woken.tries, woken.rounds), (WorkState::Due, None, 0, 0));
        assert_eq!(row(&store, "2").await.state, WorkState::Held);
        assert_eq!(row(&store, "3").await.state, WorkState::Skipped);
        assert_eq!(store.resume("row:tax:10").await.unwrap(), 25);
        assert_eq!(store.resume("row:tax:10").await.unwrap(), 0);
    }

    /// The link that an order makes wakes the refund that waits for it, also when both end in one commit.
    async fn ends_come_before_wakes(place: Place) {
        let store = place.open().await;
        see(&store, vec![due("1", b"a", 1_000)]).await;
        let commit = Commit {
            work: vec![waiting("1", b"a", "link:order:9", 9_000_000_000_000)],
            wake: vec!["link:order:9".to_owned()],
            ..Commit::default()
        };
        assert_eq!(store.commit(None, commit).await.unwrap(), 1);
        assert_eq!(row(&store, "1").await.state, WorkState::Due);
    }

    async fn a_new_revision_reconsiders_what_is_open(place: Place) {
        let store = place.open().await;
        see(&store, ["1", "2", "3", "4"].map(|name| due(name, b"a", 1_000)).to_vec()).await;
        see(&store, vec![WorkDue { flow: "other".parse().unwrap(), ..due("1", b"a", 1_000) }]).await;
        finish(&store, vec![
            held("1", b"a", "row:tax:20"),
            waiting("2", b"a", "shadow", 9_000_000_000_000),
            end("3", b"a", WorkState::Done),
            end("4", b"a", WorkState::Skipped),
        ]).await;
        let other: FlowName = "other".parse().unwrap();
        finish(&store, vec![WorkPut { flow: other, ..held("1", b"a", "row:tax:20") }]).await;
        assert_eq!(store.reconsider(&flow()).await.unwrap(), 2);
        let first = row(&store, "1").await;
        assert_eq!((first.state, first.tries, first.rounds, first.cause), (WorkState::Due, 0, 0, None));
        assert_eq!(row(&store, "3").await.state, WorkState::Done);
        assert_eq!(row(&store, "4").await.state, WorkState::Skipped);
        assert_eq!(store.holds().await.unwrap()[0].count, 1, "of the other flow");
    }

    async fn approval_makes_it_due(place: Place) {
        let store = place.open().await;
        let names: Vec<String> = (0..150).map(|n| n.to_string()).collect();
        see(&store, names.iter().map(|name| due(name, b"a", 1_000)).collect()).await;
        finish(&store, names.iter().map(|name| waiting(name, b"a", "shadow", 9_000_000_000_000)).collect()).await;
        let most: Vec<_> = names[..149].iter().map(|name| id(name)).collect();
        store.approve(&flow(), Kind::Order, &most, "plan-1").await.unwrap();
        let now = store.now().await.unwrap();
        let rows = store.due(&erp(), &[Kind::Order], now, 1_000).await.unwrap();
        assert_eq!(rows.len(), 149);
        assert!(rows.iter().all(|row| row.approved.as_deref() == Some("plan-1") && row.cause.is_none()));
        assert_eq!(row(&store, "149").await.approved, None);
    }

    async fn holds_are_grouped_and_listed(place: Place) {
        let store = place.open().await;
        see(&store, ["1", "2", "3", "4"].map(|name| due(name, b"a", 1_000)).to_vec()).await;
        finish(&store, vec![held("3", b"a", "row:tax:20"), held("1", b"a", "row:tax:20"), held("2", b"a", "party:two")]).await;
        finish(&store, vec![waiting("4", b"a", "row:tax:20", 5_000)]).await;
        let holds = store.holds().await.unwrap();
        let groups: Vec<_> = holds.iter().map(|group| (group.cause.as_str(), group.count)).collect();
        assert_eq!(groups, [("row:tax:20", 2), ("party:two", 1)]);
        assert!(holds.iter().all(|group| group.since > 1_000));
        let rows = store.held("row:tax:20", 10).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.src.as_str()).collect::<Vec<_>>(), ["1", "3"], "one that waits is not held");
        assert_eq!(store.held("row:tax:20", 1).await.unwrap().len(), 1);
        assert!(store.held("no such", 10).await.unwrap().is_empty());
    }

    async fn counts_and_open_work(place: Place) {
        let store = place.open().await;
        see(&store, ["1", "2", "3"].map(|name| due(name, b"a", 1_000)).to_vec()).await;
        see(&store, vec![WorkDue { kind: Kind::Refund, ..due("r", b"a", 500) }]).await;
        finish(&store, vec![end("1", b"a", WorkState::Done), held("2", b"a", "x")]).await;
        let mut counts = store.counts().await.unwrap();
        counts.sort_by_key(|count| (count.kind, count.state));
        let counts: Vec<_> = counts.iter().map(|count| (count.kind, count.state, count.count)).collect();
        assert_eq!(counts, [
            (Kind::Order, WorkState::Due, 1),
            (Kind::Order, WorkState::Done, 1),
            (Kind::Order, WorkState::Held, 1),
            (Kind::Refund, WorkState::Due, 1),
        ]);
        let open = store.open_work(&flow(), 10).await.unwrap();
        assert_eq!(open.iter().map(|row| row.src.as_str()).collect::<Vec<_>>(), ["r", "3", "2"]);
        assert_eq!(store.open_work(&flow(), 1).await.unwrap().len(), 1);
    }
}
