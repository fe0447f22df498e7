//! Stock: levels of both sides, kits, and what orders take until the ERP's figures show it.

use crate::make::{due, end, erp, flow, id, ids, shop};
use crate::place::on_both;
use comptoir_model::Decimal;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::stock::{Level, Stock};
use comptoir_store::{
    Commit, KitPut, LevelPut, LevelsSeen, ReservePut, Reserved, Store, WorkDue, WorkState,
};
use std::collections::BTreeMap;

fn level(item: &str, sku: &str, available: i64, as_of: i64) -> LevelPut {
    LevelPut {
        connection: shop(),
        item: id(item),
        stock: Stock {
            sku: sku.to_owned(),
            managed: true,
            levels: vec![Level::pool(available.into())],
            ..Stock::default()
        },
        as_of,
        zeroed_at: None,
    }
}

async fn keep(store: &Store, commit: Commit) {
    store.commit(None, commit).await.unwrap();
}

async fn levels(store: &Store, levels: Vec<LevelPut>) {
    let commit = Commit {
        levels,
        ..Commit::default()
    };
    keep(store, commit).await;
}

async fn available(store: &Store, item: &str) -> Option<Decimal> {
    let rows = store.levels(&shop(), &ids([item])).await.unwrap();
    rows.get(&id(item))
        .and_then(|row| row.stock.levels[0].available)
}

fn take(order: &str, takes: &[(&str, i64)]) -> ReservePut {
    let takes = takes
        .iter()
        .map(|(sku, quantity)| ((*sku).to_owned(), Decimal::from(*quantity)));
    ReservePut {
        flow: flow(),
        order: id(order),
        target: erp(),
        takes: takes.collect(),
    }
}

/// What is in flight of each item for a reading that began at a time.
async fn in_flight(store: &Store, as_of: i64) -> BTreeMap<String, Decimal> {
    let skus = ["MUG", "CUP"].map(str::to_owned);
    let rows = store.in_flight(&erp(), &skus, as_of).await.unwrap();
    let mut sums = BTreeMap::new();
    for row in rows {
        *sums.entry(row.sku.clone()).or_insert(Decimal::ZERO) += row.in_flight(as_of);
    }
    sums.retain(|_, sum| !sum.is_zero());
    sums
}

fn sums(of: &[(&str, i64)]) -> BTreeMap<String, Decimal> {
    of.iter()
        .map(|(sku, sum)| ((*sku).to_owned(), Decimal::from(*sum)))
        .collect()
}

on_both! {
    async fn an_item_that_reads_as_before_keeps_everything_but_its_time(place: Place) {
        let store = place.open().await;
        levels(&store, vec![level("1", "MUG", 5, 2_000), level("2", "MUG", 5, 9_000)]).await;
        let seen = |as_of| LevelsSeen { connection: shop(), items: ids(["1", "2", "gone"]), as_of };
        keep(&store, Commit { levels_seen: vec![seen(3_000)], ..Commit::default() }).await;
        let marks = store.level_marks(&shop(), &ids(["1", "2", "gone"])).await.unwrap();
        let times: BTreeMap<_, _> = marks.iter().map(|(item, mark)| (item.as_str(), mark.as_of)).collect();
        assert_eq!(times, BTreeMap::from([("1", 3_000), ("2", 9_000)]));
        let rows = store.levels(&shop(), &ids(["1"])).await.unwrap();
        assert_eq!(rows[&id("1")].digest, marks[&id("1")].digest);
        assert_eq!(available(&store, "1").await, Some(5.into()));
        // An earlier reading that is stored later changes nothing.
        keep(&store, Commit { levels_seen: vec![seen(1_000)], ..Commit::default() }).await;
        let rows = store.levels(&shop(), &ids(["1"])).await.unwrap();
        assert_eq!(rows[&id("1")].as_of, 3_000);
    }

    async fn all_that_is_in_flight_is_told_where_it_is_not_much(place: Place) {
        let store = place.open().await;
        let reserves = vec![take("1", &[("MUG", 2)]), take("2", &[("CUP", 1)])];
        keep(&store, Commit { reserves, ..Commit::default() }).await;
        let reserved = vec![Reserved { flow: flow(), order: id("1"), at: 1_000 }];
        keep(&store, Commit { reserved, ..Commit::default() }).await;
        let told = async |as_of, most| {
            let rows = store.all_in_flight(&erp(), as_of, most).await.unwrap();
            rows.map(|rows| rows.into_iter().map(|row| row.sku).collect::<Vec<_>>())
        };
        assert_eq!(told(2_000, 5).await, Some(vec!["CUP".to_owned()]));
        assert_eq!(told(1_000, 5).await.map(|skus| skus.len()), Some(2));
        assert_eq!(told(1_000, 1).await, None);
    }

    async fn items_that_a_flow_never_took_up_or_skipped_are_told(place: Place) {
        let store = place.open().await;
        let all = ["new", "done", "skipped"];
        levels(&store, all.map(|item| level(item, item, 1, 1_000)).to_vec()).await;
        let document = b"x";
        let work = ["done", "skipped"].map(|item| WorkDue { kind: Kind::Stock, ..due(item, document, 1_000) });
        keep(&store, Commit { due: work.to_vec(), ..Commit::default() }).await;
        let ended = [("done", WorkState::Done), ("skipped", WorkState::Skipped)];
        let ended = ended.map(|(item, state)| comptoir_store::WorkPut { kind: Kind::Stock, ..end(item, document, state) });
        keep(&store, Commit { work: ended.to_vec(), ..Commit::default() }).await;
        let asked = ids(["new", "done", "skipped", "gone"]);
        let open = store.levels_without_work(&shop(), &flow(), &asked).await.unwrap();
        assert_eq!(open, ids(["new", "skipped"]).into_iter().collect());
    }

    async fn the_later_reading_of_an_item_stays(place: Place) {
        let store = place.open().await;
        levels(&store, vec![level("1", "MUG", 5, 2_000)]).await;
        levels(&store, vec![level("1", "MUG", 9, 1_000)]).await;
        assert_eq!(available(&store, "1").await, Some(5.into()));
        levels(&store, vec![level("1", "MUG", 4, 3_000)]).await;
        assert_eq!(available(&store, "1").await, Some(4.into()));
    }

    async fn several_items_may_carry_one_sku(place: Place) {
        let store = place.open().await;
        levels(&store, vec![level("1", "MUG", 5, 1), level("1-fr", "MUG", 6, 1), level("2", "CUP", 7, 1)]).await;
        let found = store.levels_of_skus(&shop(), &["MUG".to_owned(), "NONE".to_owned()]).await.unwrap();
        let items: Vec<&str> = found["MUG"].iter().map(|row| row.item.as_str()).collect();
        assert_eq!((found.len(), items), (1, vec!["1", "1-fr"]));
    }

    async fn an_item_is_stale_from_a_sale_until_a_reading_that_began_later(place: Place) {
        let store = place.open().await;
        levels(&store, vec![level("1", "MUG", 5, 1_000)]).await;
        let stale = async || store.levels(&shop(), &ids(["1"])).await.unwrap()[&id("1")].is_stale();
        assert!(!stale().await);
        keep(&store, Commit { sold: vec![(shop(), "MUG".to_owned(), 2_000)], ..Commit::default() }).await;
        assert!(stale().await);
        levels(&store, vec![level("1", "MUG", 4, 2_000)]).await;
        assert!(stale().await, "it began with the sale at the latest");
        levels(&store, vec![level("1", "MUG", 4, 2_001)]).await;
        assert!(!stale().await);
    }

    async fn what_a_full_reading_did_not_see_is_told_and_forgotten(place: Place) {
        let store = place.open().await;
        levels(&store, vec![level("1", "MUG", 5, 1_000), level("2", "CUP", 7, 3_000)]).await;
        let old = store.levels_before(&shop(), 2_000, 10).await.unwrap();
        assert_eq!(old.iter().map(|row| row.item.as_str()).collect::<Vec<_>>(), ["1"]);
        let commit = Commit { levels_gone: vec![(shop(), id("1"))], ..Commit::default() };
        keep(&store, commit).await;
        assert_eq!(available(&store, "1").await, None);
        assert_eq!(available(&store, "2").await, Some(7.into()));
    }

    async fn what_went_to_zero_is_counted_since_a_time(place: Place) {
        let store = place.open().await;
        let zero = LevelPut { zeroed_at: Some(5_000), ..level("1", "MUG", 0, 5_000) };
        levels(&store, vec![zero, level("2", "CUP", 7, 1)]).await;
        assert_eq!(store.level_count(&shop()).await.unwrap(), 2);
        let zeroed = async |since| store.zeroed_count(&shop(), since).await.unwrap();
        assert_eq!((zeroed(4_000).await, zeroed(5_000).await), (1, 0));
        // Seen again it still counts as put.
        levels(&store, vec![level("1", "MUG", 0, 6_000)]).await;
        assert_eq!(zeroed(4_000).await, 1);
    }

    async fn a_component_leads_to_its_kits(place: Place) {
        let store = place.open().await;
        let kit = |name: &str, components: &[&str]| KitPut {
            connection: erp(),
            kit: id(name),
            components: components.iter().map(|name| id(name)).collect(),
        };
        let commit = Commit { kits: vec![kit("k1", &["a", "b"]), kit("k2", &["b"])], ..Commit::default() };
        keep(&store, commit).await;
        let pairs = async || -> Vec<(String, String)> {
            let found = store.kits_of(&erp(), &ids(["b", "c"])).await.unwrap();
            found.into_iter().map(|(RemoteId(component), RemoteId(kit))| (component, kit)).collect()
        };
        let pair = |component: &str, kit: &str| (component.to_owned(), kit.to_owned());
        assert_eq!(pairs().await, [pair("b", "k1"), pair("b", "k2")]);
        keep(&store, Commit { kits: vec![kit("k1", &["c"])], ..Commit::default() }).await;
        assert_eq!(pairs().await, [pair("b", "k2"), pair("c", "k1")]);
    }

    async fn an_order_is_in_flight_until_a_reading_that_began_after_its_proof(place: Place) {
        let store = place.open().await;
        keep(&store, Commit { reserves: vec![take("1", &[("MUG", 2), ("CUP", 1)]), take("2", &[("MUG", 3)])], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 9_000).await, sums(&[("CUP", 1), ("MUG", 5)]));
        let reserved = Reserved { flow: flow(), order: id("1"), at: 5_000 };
        keep(&store, Commit { reserved: vec![reserved.clone()], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 5_000).await, sums(&[("CUP", 1), ("MUG", 5)]), "it began with the proof at the latest");
        assert_eq!(in_flight(&store, 5_001).await, sums(&[("MUG", 3)]));
        // One more of it, ordered later: only that is on its way. Proved again: all of it until the next reading.
        keep(&store, Commit { reserves: vec![take("1", &[("MUG", 4)])], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 6_000).await, sums(&[("MUG", 5)]));
        keep(&store, Commit { reserved: vec![Reserved { at: 7_000, ..reserved.clone() }], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 6_500).await, sums(&[("MUG", 7)]));
        assert_eq!(in_flight(&store, 7_500).await, sums(&[("MUG", 3)]));
        // Proved once more without anything new: nothing begins anew.
        keep(&store, Commit { reserved: vec![Reserved { at: 9_000, ..reserved }], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 8_000).await, sums(&[("MUG", 3)]));
    }

    async fn an_order_that_is_over_takes_nothing(place: Place) {
        let store = place.open().await;
        keep(&store, Commit { reserves: vec![take("1", &[("MUG", 2)])], ..Commit::default() }).await;
        assert_eq!(store.skus_taken(&flow(), &ids(["1"])).await.unwrap().into_iter().collect::<Vec<_>>(), ["MUG"]);
        keep(&store, Commit { reserves: vec![take("1", &[])], ..Commit::default() }).await;
        assert_eq!(in_flight(&store, 9_000).await, sums(&[]));
        assert!(store.skus_taken(&flow(), &ids(["1"])).await.unwrap().is_empty());
    }

    async fn what_the_figures_have_shown_is_forgotten(place: Place) {
        let store = place.open().await;
        let reserved = |order: &str, at| Reserved { flow: flow(), order: id(order), at };
        keep(&store, Commit { reserves: vec![take("1", &[("MUG", 2)]), take("2", &[("MUG", 3)]), take("3", &[("CUP", 1)])], ..Commit::default() }).await;
        keep(&store, Commit { reserved: vec![reserved("1", 1_000), reserved("2", 3_000)], ..Commit::default() }).await;
        store.forget_shown(&erp(), 2_000).await.unwrap();
        assert_eq!(in_flight(&store, 0).await, sums(&[("CUP", 1), ("MUG", 3)]));
    }

    async fn what_is_settled_or_being_decided_is_stirred_and_what_is_held_is_not(place: Place) {
        let store = place.open().await;
        let item = |name: &str| WorkDue { kind: Kind::Stock, ..due(name, b"a", 1_000) };
        let stock = |name: &str, state| comptoir_store::WorkPut { kind: Kind::Stock, ..end(name, b"a", state) };
        let names = ["done", "skipped", "held", "due"];
        keep(&store, Commit { due: names.map(item).to_vec(), ..Commit::default() }).await;
        let ends = vec![stock("done", WorkState::Done), stock("skipped", WorkState::Skipped), stock("held", WorkState::Held)];
        keep(&store, Commit { work: ends, ..Commit::default() }).await;
        let before = store.work(&flow(), Kind::Stock, &ids(["due"])).await.unwrap();
        let stir = names.map(|name| (flow(), Kind::Stock, id(name))).to_vec();
        keep(&store, Commit { stir, ..Commit::default() }).await;
        let now = store.now().await.unwrap() + 1;
        let due = store.due_after(&erp(), Kind::Stock, now, None, 10).await.unwrap();
        assert_eq!(due.iter().map(|row| row.src.as_str()).collect::<Vec<_>>(), ["done", "due", "skipped"]);
        assert_eq!(store.due_count(&erp(), Kind::Stock, now).await.unwrap(), 3);
        let rest = store.due_after(&erp(), Kind::Stock, now, Some(&id("done")), 1).await.unwrap();
        assert_eq!(rest.iter().map(|row| row.src.as_str()).collect::<Vec<_>>(), ["due"]);
        // A turn that was decided before the stir does not settle it.
        let decided = comptoir_store::WorkPut { since: Some(before[&id("due")].since), ..stock("due", WorkState::Done) };
        keep(&store, Commit { work: vec![decided], ..Commit::default() }).await;
        let rows = store.work(&flow(), Kind::Stock, &ids(["due"])).await.unwrap();
        assert_eq!(rows[&id("due")].state, WorkState::Due);
    }
}
