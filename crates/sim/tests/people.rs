//! People of the shop work by hand.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use comptoir_sim::people::People;
use comptoir_sim::woocommerce::{Deed, Shop, ShopOptions};
use std::collections::BTreeSet;

#[test]
fn people_edit_cancel_put_back_and_trash_and_every_deed_is_kept() {
    let shop = Shop::new(ShopOptions {
        orders: 300,
        ..ShopOptions::default()
    });
    let before = shop.orders();
    let mut people = People::new(shop.clone(), 5);
    for _ in 0..200 {
        people.act();
    }
    let deeds: BTreeSet<Deed> = people.acts().iter().map(|act| act.deed).collect();
    assert_eq!(deeds.len(), 6, "{deeds:?}");
    let mut moved = 0;
    for old in before {
        let now = shop.order(old.id).unwrap();
        let kept: Vec<Deed> = people
            .acts()
            .iter()
            .filter(|act| act.order == old.id)
            .map(|act| act.deed)
            .collect();
        assert_eq!(now.touched, kept);
        match kept.last() {
            None => assert_eq!(now, old),
            Some(Deed::Trashed) => assert_eq!(now.status, "trash"),
            Some(Deed::Cancelled) => assert_eq!(now.status, "cancelled"),
            Some(_) => assert!(now.modified > old.modified),
        }
        if kept.contains(&Deed::Quantity) {
            assert!(now.total > old.total, "{} for {}", now.total, old.total);
            moved += 1;
        }
    }
    assert!(moved > 0);
}

#[test]
fn the_same_people_do_the_same() {
    let acts = |seed| {
        let shop = Shop::new(ShopOptions::default());
        let mut people = People::new(shop, seed);
        (0..50).filter_map(|_| people.act()).collect::<Vec<_>>()
    };
    assert_eq!(acts(1), acts(1));
    assert_ne!(acts(1), acts(2));
}
