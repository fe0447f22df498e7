//! Stored plans.

use crate::make::flow;
use crate::place::on_both;
use comptoir_model::document::Digest;
use comptoir_store::{PlanRow, PlanState};

fn plan() -> PlanRow {
    PlanRow {
        id: "p1".to_owned(),
        flow: flow(),
        digest: Digest::of(b"bound to this"),
        at: 1_000,
        author: "ana".to_owned(),
        items: b"[1,2]".to_vec(),
        state: PlanState::Open,
    }
}

on_both! {
    async fn are_kept_until_applied(place: Place) {
        let store = place.open().await;
        assert!(store.plan("p1").await.unwrap().is_none());
        store.put_plan(plan()).await.unwrap();
        let row = store.plan("p1").await.unwrap().unwrap();
        assert_eq!((row.id.as_str(), row.flow, row.digest, row.at), ("p1", flow(), Digest::of(b"bound to this"), 1_000));
        assert_eq!((row.author.as_str(), row.items.as_slice(), row.state), ("ana", b"[1,2]".as_slice(), PlanState::Open));
        store.set_plan_state("p1", PlanState::Applied).await.unwrap();
        assert_eq!(store.plan("p1").await.unwrap().unwrap().state, PlanState::Applied);
        store.put_plan(PlanRow { at: 2_000, ..plan() }).await.unwrap();
        let again = store.plan("p1").await.unwrap().unwrap();
        assert_eq!((again.at, again.state), (2_000, PlanState::Open), "planned anew");
    }
}
