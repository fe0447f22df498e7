//! Links, answers and claims.

use crate::make::{erp, id, ids, key, link, shop};
use crate::place::on_both;
use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, Kind};
use comptoir_model::port::Candidate;
use comptoir_store::{Commit, IdentityPut, IdentityRow, LinkPut, LinkState, Store, StoreError};

async fn put(store: &Store, links: Vec<LinkPut>) -> Result<u64, StoreError> {
    let commit = Commit {
        links,
        ..Commit::default()
    };
    store.commit(None, commit).await
}

async fn answer(store: &Store, identities: Vec<IdentityPut>) {
    let commit = Commit {
        identities,
        ..Commit::default()
    };
    store.commit(None, commit).await.unwrap();
}

fn identity(value: &str) -> IdentityPut {
    IdentityPut {
        dst: erp(),
        kind: Kind::Customer,
        attribute: "email".to_owned(),
        value: value.to_owned(),
        ids: None,
        asked_at: None,
        claimed_by: None,
    }
}

fn candidates(names: &[&str]) -> Vec<Candidate> {
    let candidate = |name: &&str| Candidate {
        id: id(name),
        label: String::new(),
    };
    names.iter().map(candidate).collect()
}

on_both! {
    async fn are_read_both_ways(place: Place) {
        let store = place.open().await;
        let part = LinkPut { part: "parcel-2".to_owned(), dst_id: id("92"), ..link("1", "x") };
        put(&store, vec![link("1", "91"), part]).await.unwrap();
        let parts = [(id("1"), String::new()), (id("1"), "parcel-2".to_owned()), (id("1"), "no such".to_owned())];
        let links = store.links(&shop(), Kind::Order, &parts, &erp()).await.unwrap();
        assert_eq!(links.len(), 2);
        let row = &links[&parts[0]];
        assert_eq!((&row.dst_id, row.state, row.at), (&id("91"), LinkState::Live, 1_000));
        assert_eq!((row.base, row.put), (Some(Digest::of(b"base")), Some(Digest::of(b"put"))));
        assert_eq!(links[&parts[1]].dst_id, id("92"));
        let only = store.links(&shop(), Kind::Order, &parts[..1], &erp()).await.unwrap();
        assert_eq!(only.len(), 1, "a part that was not asked for is not answered");
        let back = store.links_back(&erp(), Kind::Order, &ids(["91", "92", "93"])).await.unwrap();
        assert_eq!(back.len(), 2);
        assert!(back.iter().all(|row| row.src == id("1")));
        assert!(store.links_back(&erp(), Kind::Invoice, &ids(["91"])).await.unwrap().is_empty());
    }

    /// One order here is one order there: neither side may be linked twice.
    async fn of_documents_are_unique_both_ways(place: Place) {
        let store = place.open().await;
        put(&store, vec![link("1", "91")]).await.unwrap();
        // From the target's side: another order of the same shop cannot lead there.
        assert!(put(&store, vec![link("2", "91")]).await.is_err());
        // From the source's side: there is one row, and a new target replaces the old one.
        put(&store, vec![link("1", "92")]).await.unwrap();
        let links = store.links(&shop(), Kind::Order, &[(id("1"), String::new())], &erp()).await.unwrap();
        assert_eq!(links[&(id("1"), String::new())].dst_id, id("92"));
        put(&store, vec![link("2", "91")]).await.unwrap();
        // Another shop's order may be the same one there.
        let other: ConnectionName = "shop-b".parse().unwrap();
        let mut elsewhere = link("1", "91");
        elsewhere.src.connection = other;
        put(&store, vec![elsewhere]).await.unwrap();
    }

    async fn of_customers_are_many_to_one(place: Place) {
        let store = place.open().await;
        let customer = |name: &str| {
            let mut put = link(name, "77");
            put.src.kind = Kind::Customer;
            put.dst_kind = Kind::Customer;
            put.sole = false;
            put
        };
        put(&store, vec![customer("guest-1"), customer("guest-2"), customer("account")]).await.unwrap();
        let back = store.links_back(&erp(), Kind::Customer, &ids(["77"])).await.unwrap();
        assert_eq!(back.len(), 3);
    }

    async fn change_in_place(place: Place) {
        let store = place.open().await;
        put(&store, vec![link("1", "91")]).await.unwrap();
        put(&store, vec![LinkPut { state: LinkState::Gone, put: None, at: 2_000, ..link("1", "91") }]).await.unwrap();
        let links = store.links(&shop(), Kind::Order, &[(id("1"), String::new())], &erp()).await.unwrap();
        let row = &links[&(key("1").id, String::new())];
        assert_eq!((row.state, row.put, row.at), (LinkState::Gone, None, 2_000));
        assert_eq!(place.number("SELECT count(*) FROM link").await, 1);
    }

    async fn what_is_not_said_of_an_identity_stays(place: Place) {
        let store = place.open().await;
        answer(&store, vec![IdentityPut { claimed_by: Some(Some("order 1".to_owned())), ..identity("a") }]).await;
        answer(&store, vec![IdentityPut { ids: Some(candidates(&["7", "8"])), asked_at: Some(5), ..identity("a") }]).await;
        let read = store.identities(&erp(), Kind::Customer, "email", &["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(read.len(), 1);
        let both = IdentityRow { ids: candidates(&["7", "8"]), asked_at: Some(5), claimed_by: Some("order 1".to_owned()) };
        assert_eq!(read["a"], both);
        answer(&store, vec![IdentityPut { claimed_by: Some(None), ..identity("a") }]).await;
        let read = store.identities(&erp(), Kind::Customer, "email", &["a".to_owned()]).await.unwrap();
        assert_eq!(read["a"], IdentityRow { claimed_by: None, ..both });
        assert!(store.identities(&erp(), Kind::Customer, "vat", &["a".to_owned()]).await.unwrap().is_empty());
    }

    /// One step may claim a value and answer it, in two entries.
    async fn entries_of_one_commit_add_up(place: Place) {
        let store = place.open().await;
        answer(&store, vec![
            IdentityPut { claimed_by: Some(Some("order 1".to_owned())), ..identity("a") },
            IdentityPut { ids: Some(candidates(&["7"])), asked_at: Some(5), ..identity("a") },
            IdentityPut { ids: Some(Vec::new()), asked_at: Some(5), ..identity("b") },
        ]).await;
        let read = store.identities(&erp(), Kind::Customer, "email", &["a".to_owned(), "b".to_owned()]).await.unwrap();
        assert_eq!(read["a"], IdentityRow { ids: candidates(&["7"]), asked_at: Some(5), claimed_by: Some("order 1".to_owned()) });
        assert_eq!(read["b"], IdentityRow { ids: Vec::new(), asked_at: Some(5), claimed_by: None });
    }
}
