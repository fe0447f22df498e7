//! What the console keeps: people, sessions, tokens, what people did and stopped, cards, and how everything stands.

use crate::make::{document, due, end, erp, everything, flow, held, id, ids, own, shop};
use crate::place::on_both;
use comptoir_model::document::Digest;
use comptoir_model::key::{Kind, RecordKey};
use comptoir_store::{
    CardPut, CardQuery, Commit, Person, Role, Sample, Scope, Share, Store, Token, WorkState,
};

fn person(name: &str, role: Role) -> Person {
    Person {
        name: name.to_owned(),
        role,
        password: format!("hash of {name}"),
        disabled: false,
        made_at: 1_000,
        made_by: "test".to_owned(),
        seen_at: None,
    }
}

fn card(
    connection: &comptoir_model::key::ConnectionName,
    order: &str,
    at: i64,
    amount: i64,
) -> CardPut {
    CardPut {
        key: RecordKey {
            connection: connection.clone(),
            kind: Kind::Order,
            id: id(order),
        },
        digest: Digest::of(&document(order)),
        number: format!("N{order}"),
        at,
        amount: Some(amount),
        currency: "EUR".to_owned(),
        word: "processing".to_owned(),
        parent: String::new(),
        seen_at: at,
        terms: vec![format!("n:n{order}"), "s:sku-1".to_owned()],
    }
}

fn all(kind: Kind, limit: usize) -> CardQuery {
    CardQuery {
        kind,
        connection: None,
        since: 0,
        until: 1_000_000,
        after: None,
        limit,
    }
}

async fn cards_of(store: &Store, orders: &[&str]) {
    let cards: Vec<CardPut> = orders
        .iter()
        .enumerate()
        .map(|(index, order)| card(&shop(), order, 1_000 * (index as i64 + 1), 10_000_000))
        .collect();
    store.put_cards(&cards).await.unwrap();
}

on_both! {
    async fn people_have_one_name_and_one_role(place: Place) {
        let store = place.open().await;
        assert!(!store.has_people().await.unwrap());
        assert!(store.add_person(&person("ana", Role::Admin)).await.unwrap());
        assert!(!store.add_person(&person("ana", Role::Viewer)).await.unwrap());
        assert!(store.has_people().await.unwrap());
        assert!(store.set_role("ana", Role::Operator).await.unwrap());
        assert!(!store.set_role("ben", Role::Operator).await.unwrap());
        let kept = store.person("ana").await.unwrap().unwrap();
        assert_eq!(kept, Person { role: Role::Operator, ..person("ana", Role::Admin) });
        assert_eq!(store.people().await.unwrap(), [kept]);
        assert_eq!(store.person("ben").await.unwrap(), None);
    }

    async fn a_session_ends_with_its_time_its_password_and_its_person(place: Place) {
        let store = place.open().await;
        for name in ["ana", "ben"] {
            store.add_person(&person(name, Role::Viewer)).await.unwrap();
        }
        let holds = async |hash: &[u8]| store.session(hash, 60_000).await.unwrap().map(|session| session.person);
        store.begin_session(b"one", "ana", 60_000).await.unwrap();
        store.begin_session(b"two", "ana", 60_000).await.unwrap();
        store.begin_session(b"ben", "ben", 60_000).await.unwrap();
        assert_eq!(holds(b"one").await.as_deref(), Some("ana"));
        assert_eq!(holds(b"none").await, None);
        store.end_session(b"one").await.unwrap();
        assert_eq!(holds(b"one").await, None);
        assert_eq!(holds(b"two").await.as_deref(), Some("ana"));
        assert!(store.set_password("ana", "another").await.unwrap());
        assert_eq!(holds(b"two").await, None);
        assert_eq!(holds(b"ben").await.as_deref(), Some("ben"));
        assert!(store.set_disabled("ben", true).await.unwrap());
        assert_eq!(holds(b"ben").await, None);
        // Not even a session that was begun all the same lets in who may not.
        store.begin_session(b"late", "ben", 60_000).await.unwrap();
        assert_eq!(holds(b"late").await, None);
        store.begin_session(b"over", "ana", -1).await.unwrap();
        assert_eq!(holds(b"over").await, None);
        store.begin_session(b"last", "ana", 60_000).await.unwrap();
        assert_eq!(store.end_sessions("ana").await.unwrap(), 1, "the one that was over went at the next sign-in");
    }

    async fn the_first_person_is_made_once_with_the_one_time_key(place: Place) {
        let store = place.open().await;
        let later = store.now().await.unwrap() + 60_000;
        store.set_first_key(b"old", later).await.unwrap();
        store.set_first_key(b"key", later).await.unwrap();
        assert!(!store.add_first_person(&person("mallory", Role::Admin), b"old").await.unwrap());
        assert!(store.add_first_person(&person("ana", Role::Admin), b"key").await.unwrap());
        assert!(!store.add_first_person(&person("mallory", Role::Admin), b"key").await.unwrap());
        // A key that was set although somebody is there makes nobody.
        store.set_first_key(b"new", later).await.unwrap();
        assert!(!store.add_first_person(&person("mallory", Role::Admin), b"new").await.unwrap());
        store.set_first_key(b"over", 1).await.unwrap();
        assert!(!store.is_first_key(b"over").await.unwrap());
        assert_eq!(store.people().await.unwrap().len(), 1);
    }

    async fn failed_sign_ins_are_counted_until_one_goes_well(place: Place) {
        let store = place.open().await;
        let who = ["name".to_owned(), "address".to_owned()];
        for _ in 0..3 {
            store.knock(&who, 0).await.unwrap();
        }
        let counts: Vec<i64> = store.knocks(&who).await.unwrap().iter().map(|knock| knock.0).collect();
        assert_eq!(counts, [3, 3]);
        store.forgive_knocks("name").await.unwrap();
        assert_eq!(store.knocks(&who).await.unwrap().len(), 1);
        // Old ones are forgotten by the next.
        let now = store.now().await.unwrap();
        store.knock(&["other".to_owned()], now + 1_000).await.unwrap();
        assert!(store.knocks(&who).await.unwrap().is_empty());
    }

    async fn a_token_is_found_by_its_hash_while_it_holds(place: Place) {
        let store = place.open().await;
        let token = |name: &str, until| Token {
            name: name.to_owned(),
            scopes: vec!["read:orders".to_owned(), "read:held".to_owned()],
            until,
            made_at: 1_000,
            made_by: "ana".to_owned(),
            used_at: None,
        };
        assert!(store.add_token(&token("erp", None), b"one").await.unwrap());
        assert!(!store.add_token(&token("erp", None), b"two").await.unwrap());
        assert!(store.add_token(&token("old", Some(5)), b"old").await.unwrap());
        let found = store.token(b"one").await.unwrap().unwrap();
        assert_eq!(found.scopes, ["read:orders", "read:held"]);
        assert_eq!(store.token(b"old").await.unwrap(), None);
        assert_eq!(store.token(b"none").await.unwrap(), None);
        assert!(store.tokens().await.unwrap()[0].used_at.is_some());
        assert!(store.remove_token("erp").await.unwrap());
        assert_eq!(store.token(b"one").await.unwrap(), None);
    }

    async fn what_people_did_is_numbered_without_gaps(place: Place) {
        let store = place.open().await;
        let at_once = (0..6).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.audit("ana", "resume", &format!("cause {n}"), "why").await })
        });
        for task in at_once.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        let rows = store.audited(i64::MAX, 4).await.unwrap();
        let numbers: Vec<i64> = rows.iter().map(|row| row.n).collect();
        assert_eq!(numbers, [6, 5, 4, 3]);
        assert_eq!(store.audited(3, 10).await.unwrap().len(), 2);
        assert_eq!(rows[0].why, "why");
    }

    async fn what_a_person_stopped_stays_stopped_until_it_is_let_go(place: Place) {
        let store = place.open().await;
        let owner = own(&store, "owner").await;
        assert!(!store.is_halted(&erp()).await.unwrap());
        let one = Scope::Flow(flow());
        store.halt(&one, "ana", "stock count").await.unwrap();
        store.halt(&one, "ben", "another reason").await.unwrap();
        let halts = store.halts().await.unwrap();
        assert_eq!((halts.len(), halts[0].who.as_str(), halts[0].why.as_str()), (1, "ana", "stock count"));
        assert!(!store.is_halted(&erp()).await.unwrap(), "a flow is not its connection");
        let mut commit = Commit {
            due: vec![due("1", b"a", 1_000), due("2", b"a", 1_000)],
            work: vec![crate::make::waiting("1", b"a", "paused:orders", 9_000_000_000_000), crate::make::waiting("2", b"a", "quiet:orders", 9_000_000_000_000)],
            ..Commit::default()
        };
        store.commit(Some(&owner), std::mem::take(&mut commit)).await.unwrap();
        assert!(store.unhalt(&one).await.unwrap());
        assert!(!store.unhalt(&one).await.unwrap());
        let work = store.work(&flow(), Kind::Order, &ids(["1", "2"])).await.unwrap();
        assert_eq!(work[&id("1")].state, WorkState::Due);
        assert_eq!(work[&id("2")].state, WorkState::Waiting, "what waits for another reason goes on waiting");
        store.halt(&Scope::Connection(erp()), "ana", "").await.unwrap();
        assert!(store.is_halted(&erp()).await.unwrap());
        assert!(!store.is_halted(&shop()).await.unwrap());
        store.halt(&Scope::All, "ana", "").await.unwrap();
        assert!(store.is_halted(&shop()).await.unwrap());
    }

    async fn a_card_is_missing_until_it_is_made_and_when_its_record_changes(place: Place) {
        let store = place.open().await;
        let owner = own(&store, "owner").await;
        store.commit(Some(&owner), everything("1")).await.unwrap();
        let missing = store.uncarded(0, 10).await.unwrap();
        assert_eq!(missing.len(), 1);
        assert!(missing[0].document.is_some());
        assert_eq!(missing[0].seen_at, 1_000);
        let mut made = card(&shop(), "1", 1_000, 5);
        made.digest = missing[0].digest;
        store.put_cards(&[made.clone()]).await.unwrap();
        assert!(store.uncarded(0, 10).await.unwrap().is_empty());
        let mut step = Commit { records: vec![crate::make::record("1", &document("changed"), 2_000)], ..Commit::default() };
        store.commit(Some(&owner), std::mem::take(&mut step)).await.unwrap();
        assert_eq!(store.uncarded(0, 10).await.unwrap().len(), 1);
        assert!(store.uncarded(2_001, 10).await.unwrap().is_empty());
        // Its words are those of its latest card.
        made.terms = vec!["n:other".to_owned()];
        store.put_cards(&[made]).await.unwrap();
        assert!(store.found_by(&["n:n1".to_owned()], 10).await.unwrap().is_empty());
        assert_eq!(store.found_by(&["n:other".to_owned()], 10).await.unwrap().len(), 1);
    }

    async fn cards_come_in_pages_the_latest_first(place: Place) {
        let store = place.open().await;
        cards_of(&store, &["1", "2", "3"]).await;
        // Two of the same moment.
        store.put_cards(&[card(&erp(), "3", 3_000, 7)]).await.unwrap();
        let mut query = all(Kind::Order, 2);
        let mut seen = Vec::new();
        loop {
            let page = store.cards(&query).await.unwrap();
            let Some(last) = page.last() else { break };
            query.after = Some((last.at, last.key.connection.to_string(), last.key.id.to_string()));
            seen.extend(page.iter().map(|card| format!("{}/{}", card.key.connection, card.key.id)));
        }
        assert_eq!(seen, ["shop/3", "erp/3", "shop/2", "shop/1"]);
        let of_shop = CardQuery { connection: Some(shop()), since: 2_000, ..all(Kind::Order, 10) };
        assert_eq!(store.cards(&of_shop).await.unwrap().len(), 2);
        let found = store.found_by(&["s:sku-1".to_owned(), "n:n3".to_owned()], 10).await.unwrap();
        assert_eq!(found.len(), 4, "each once");
        assert_eq!(store.cards_of(&shop(), Kind::Order, &ids(["2", "9"])).await.unwrap().len(), 1);
        let part = CardPut { parent: "1".to_owned(), key: RecordKey { kind: Kind::Shipment, ..card(&shop(), "77", 1, 1).key }, ..card(&shop(), "77", 1, 1) };
        store.put_cards(&[part]).await.unwrap();
        let parts = store.parts_of(&shop(), &id("1")).await.unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].key.kind, Kind::Shipment);
    }

    async fn a_day_adds_up_by_where_its_orders_stand(place: Place) {
        let store = place.open().await;
        let owner = own(&store, "owner").await;
        let orders = ["held", "open", "done", "skipped", "nobody", "shared"];
        cards_of(&store, &orders).await;
        let other = comptoir_store::WorkDue { flow: "other".parse().unwrap(), ..due("shared", b"a", 1) };
        let elsewhere = comptoir_store::WorkPut { flow: "other".parse().unwrap(), ..end("shared", b"a", WorkState::Skipped) };
        let dues = orders.iter().filter(|order| **order != "nobody").map(|order| due(order, b"a", 1)).chain([other]).collect();
        let ends = vec![
            held("held", b"a", "row:tax:20"),
            end("done", b"a", WorkState::Done),
            end("shared", b"a", WorkState::Done),
            end("skipped", b"a", WorkState::Skipped),
            elsewhere,
        ];
        let commit = Commit { due: dues, work: ends, links: vec![crate::make::link("done", "S1")], ..Commit::default() };
        store.commit(Some(&owner), commit).await.unwrap();
        store.put_cards(&[card(&erp(), "S1", 1, 9_990_000)]).await.unwrap();
        let flows = [flow(), "other".parse().unwrap()];
        let sums = store.day_sums(&shop(), &flows, 0, 100_000).await.unwrap();
        let found: Vec<(Share, u64, i64, i64)> = sums.iter().map(|sum| (sum.share, sum.count, sum.charged, sum.there)).collect();
        assert_eq!(found, [
            (Share::Held, 1, 10_000_000, 0),
            (Share::Open, 1, 10_000_000, 0),
            (Share::Done, 2, 20_000_000, 9_990_000),
            (Share::Skipped, 1, 10_000_000, 0),
            (Share::Unseen, 1, 10_000_000, 0),
        ]);
        assert_eq!(store.day_sums(&shop(), &[], 0, 100_000).await.unwrap().len(), 1);
        assert_eq!(store.placed_by(&shop(), 0, 100_000, 2_000).await.unwrap(), [(0, 1), (2_000, 2), (4_000, 2), (6_000, 1)]);
        let sums = store.held_sums(&flow(), &shop()).await.unwrap();
        assert_eq!(sums.len(), 1);
        assert_eq!((sums[0].cause.as_str(), sums[0].count, sums[0].amount), ("row:tax:20", 1, 10_000_000));
    }

    async fn what_moved_and_what_is_late_is_told_by_flow(place: Place) {
        let store = place.open().await;
        let owner = own(&store, "owner").await;
        let mut commit = everything("1");
        commit.due.push(due("2", b"a", 500));
        store.commit(Some(&owner), commit).await.unwrap();
        let moved = store.activity(&erp(), 0).await.unwrap();
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].flow.clone(), moved[0].count, moved[0].last), (Some(flow()), 1, 1_000));
        assert!(store.activity(&erp(), 1_001).await.unwrap().is_empty());
        let late = async |flow: &str, now| store.overdue(&flow.parse().unwrap(), Kind::Order, &erp(), now).await.unwrap();
        assert_eq!(late("orders", 600).await.map(|late| (late.count, late.since)), Some((1, 500)));
        assert_eq!(late("orders", 400).await, None);
        assert_eq!(late("other", 600).await, None);
        let pulse = store.pulse().await.unwrap();
        store.halt(&Scope::All, "ana", "").await.unwrap();
        assert_ne!(store.pulse().await.unwrap(), pulse);
        assert_eq!(store.journal_totals().await.unwrap(), [(erp(), 1)]);
        let streams = store.streams().await.unwrap();
        assert_eq!((streams.len(), streams[0].last_new), (1, Some(5)));
        let sample = |at, held, done| Sample { flow: flow(), at, held, open: 1, done };
        store.put_samples(&[sample(1_000, 3, 1)], 0).await.unwrap();
        store.put_samples(&[sample(1_000, 2, 5), sample(2_000, 0, 0)], 0).await.unwrap();
        assert_eq!(store.samples(0).await.unwrap(), [sample(1_000, 3, 5), sample(2_000, 0, 0)]);
        store.put_samples(&[sample(2_000, 0, 0)], 2_000).await.unwrap();
        assert_eq!(store.samples(0).await.unwrap().len(), 1);
    }
}
