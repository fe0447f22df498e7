//! Intents: stored before the call, open until their outcome is known.

use crate::make::{document, erp, flow, id, ids, intent};
use crate::place::on_both;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::port::Step;
use comptoir_store::{Commit, IntentOutcome, IntentPut, IntentRow, IntentState, Store, StoreError};

async fn put(store: &Store, intents: Vec<IntentPut>) -> Result<u64, StoreError> {
    let commit = Commit {
        intents,
        ..Commit::default()
    };
    store.commit(None, commit).await
}

fn outcome(id: &str, state: IntentState) -> IntentOutcome {
    IntentOutcome {
        id: id.to_owned(),
        state,
        fault: None,
        settle_at: None,
    }
}

async fn close(store: &Store, outcomes: Vec<IntentOutcome>) {
    let commit = Commit {
        outcomes,
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

async fn of(store: &Store, src: &str) -> Vec<IntentRow> {
    store
        .intents_of(&flow(), Kind::Order, &ids([src]))
        .await
        .unwrap()
}

on_both! {
    async fn are_read_as_they_were_put(place: Place) {
        let store = place.open().await;
        let before = document("before");
        let full = IntentPut { before: Some(before.clone()), target: Some(id("91")), part: "p".to_owned(), ..intent("a", "1", Step::Update, 1_000) };
        put(&store, vec![full]).await.unwrap();
        let rows = of(&store, "1").await;
        let row = &rows[0];
        assert_eq!((row.id.as_str(), row.kind, row.src.clone(), row.part.as_str()), ("a", Kind::Order, id("1"), "p"));
        assert_eq!((row.step, row.key.as_str(), row.target.clone()), (Step::Update, "shop/order/1", Some(id("91"))));
        assert_eq!((row.document.clone(), row.before.clone(), row.input), (document("1"), Some(before), Digest::of(&document("1"))));
        assert_eq!((row.revision, row.state, row.sent_at, row.settle_at, row.fault.clone()), (1, IntentState::Sent, 1_000, 61_000, None));
    }

    async fn one_is_open_per_key_and_step(place: Place) {
        let store = place.open().await;
        put(&store, vec![intent("a", "1", Step::Create, 1_000)]).await.unwrap();
        assert!(put(&store, vec![intent("b", "1", Step::Create, 2_000)]).await.is_err());
        put(&store, vec![intent("c", "1", Step::Confirm, 2_000)]).await.unwrap();
        close(&store, vec![outcome("a", IntentState::Unknown)]).await;
        assert!(put(&store, vec![intent("b", "1", Step::Create, 2_000)]).await.is_err(), "it may have been done");
        close(&store, vec![outcome("a", IntentState::Dropped)]).await;
        put(&store, vec![intent("b", "1", Step::Create, 2_000)]).await.unwrap();
        // The same id twice is refused as well.
        assert!(put(&store, vec![intent("b", "5", Step::Create, 2_000)]).await.is_err());
    }

    /// One step drops what was not done and sends it anew.
    async fn one_commit_closes_and_opens(place: Place) {
        let store = place.open().await;
        put(&store, vec![intent("a", "1", Step::Create, 1_000)]).await.unwrap();
        let commit = Commit {
            outcomes: vec![outcome("a", IntentState::Dropped)],
            intents: vec![intent("b", "1", Step::Create, 2_000)],
            ..Commit::default()
        };
        store.commit(None, commit).await.unwrap();
        let states: Vec<_> = of(&store, "1").await.into_iter().map(|row| (row.id, row.state)).collect();
        assert_eq!(states, [("a".to_owned(), IntentState::Dropped), ("b".to_owned(), IntentState::Sent)]);
    }

    async fn outcomes_are_kept(place: Place) {
        let store = place.open().await;
        let names: Vec<String> = (100..250).map(|n| n.to_string()).collect();
        put(&store, names.iter().map(|name| intent(name, name, Step::Create, 1_000)).collect()).await.unwrap();
        let fault = Fault::unknown(Code::StoreBusy, "no answer");
        let outcomes = names.iter().enumerate().map(|(n, name)| match n % 3 {
            0 => outcome(name, IntentState::Proved),
            1 => IntentOutcome { fault: Some(fault.clone()), settle_at: Some(99_000), ..outcome(name, IntentState::Unknown) },
            _ => IntentOutcome { fault: Some(fault.clone()), ..outcome(name, IntentState::Refused) },
        });
        close(&store, outcomes.collect()).await;
        let proved = &of(&store, "100").await[0];
        assert_eq!((proved.state, proved.fault.clone(), proved.settle_at), (IntentState::Proved, None, 61_000));
        let unknown = &of(&store, "101").await[0];
        assert_eq!((unknown.state, unknown.fault.clone(), unknown.settle_at), (IntentState::Unknown, Some(fault.clone()), 99_000));
        let refused = &of(&store, "102").await[0];
        assert_eq!((refused.state, refused.fault.clone(), refused.settle_at), (IntentState::Refused, Some(fault.clone()), 61_000));
        let open = store.intents(&erp(), &[IntentState::Sent, IntentState::Unknown]).await.unwrap();
        assert_eq!(open.len(), 50);
        // Proved in the end: why it was not sure at first stays with it.
        close(&store, vec![outcome("101", IntentState::Proved)]).await;
        let proved = &of(&store, "101").await[0];
        assert_eq!((proved.state, proved.fault.clone()), (IntentState::Proved, Some(fault)));
    }

    async fn are_listed_by_target_and_state(place: Place) {
        let store = place.open().await;
        let elsewhere = IntentPut { dst: "other".parse().unwrap(), ..intent("d", "4", Step::Create, 1_000) };
        put(&store, vec![intent("z", "1", Step::Create, 1_000), intent("b", "2", Step::Create, 3_000), intent("c", "3", Step::Create, 2_000), elsewhere]).await.unwrap();
        close(&store, vec![outcome("b", IntentState::Proved)]).await;
        let names = async |states: &[IntentState]| {
            let rows = store.intents(&erp(), states).await.unwrap();
            rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(names(&[IntentState::Sent]).await, ["z", "c"], "oldest first");
        assert_eq!(names(&[IntentState::Unknown, IntentState::Sent]).await, ["z", "c"]);
        assert_eq!(names(&[IntentState::Sent, IntentState::Proved]).await, ["z", "c", "b"]);
        assert!(names(&[]).await.is_empty());
    }

    async fn creates_are_counted_for_the_cap(place: Place) {
        let store = place.open().await;
        let customer = IntentPut { kind: Kind::Customer, key: WriteKey("k".to_owned()), ..intent("e", "5", Step::Create, 3_000) };
        put(&store, vec![
            intent("a", "1", Step::Create, 1_000),
            intent("b", "2", Step::Create, 3_000),
            intent("c", "3", Step::Create, 2_000),
            intent("d", "4", Step::Create, 2_500),
            intent("f", "2", Step::Confirm, 3_000),
            customer,
        ]).await.unwrap();
        close(&store, ["a", "b", "c", "e", "f"].map(|name| outcome(name, IntentState::Proved)).to_vec()).await;
        assert_eq!(store.creates_since(&flow(), 2_000).await.unwrap(), [2_000, 3_000]);
    }
}
