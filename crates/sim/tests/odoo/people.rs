//! Simulated people: what they leave, stays.

use crate::served::{Served, erp, of};
use comptoir_sim::odoo::people::{Deed, Habits, Person};
use comptoir_sim::odoo::{HandEdit, HandOrder, HandPartner, Version};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

#[test]
fn people_do_things_and_every_order_stays_as_its_last_person_left_it() {
    for version in [Version::V16, Version::V19] {
        let erp = erp(of(version));
        let partner = HandPartner {
            name: "Customer".to_owned(),
            ..HandPartner::default()
        };
        let partner = erp.add_partner_by_hand(&partner).unwrap();
        for n in 0..50 {
            let order = HandOrder {
                partner,
                reference: format!("R{n}"),
                lines: vec![("MUG".to_owned(), Decimal::ONE)],
            };
            erp.add_order_by_hand(&order).unwrap();
        }
        let mut person = Person::new(3);
        let done = (0..500).filter_map(|_| person.step(&erp)).count();
        assert_eq!(done, person.deeds().len());
        let has = |wanted: fn(&Deed) -> bool| person.deeds().iter().any(|t| wanted(&t.deed));
        assert!(has(|deed| matches!(deed, Deed::Edited(_))));
        assert!(has(|deed| matches!(deed, Deed::Confirmed)));
        assert!(has(|deed| matches!(deed, Deed::Cancelled)));
        assert!(has(|deed| matches!(deed, Deed::Deleted)));
        let last: BTreeMap<i64, _> = person.deeds().iter().map(|t| (t.order, t)).collect();
        for (id, touched) in last {
            let order = erp.order(id).unwrap();
            assert_eq!(order.contents, touched.left);
            assert_eq!(order.deleted.is_some(), touched.deed == Deed::Deleted);
            assert!(order.touched_by_person);
            assert!(order.history.is_sorted_by_key(|version| version.at));
        }
    }
}

#[test]
fn the_same_seed_does_the_same() {
    let run = || {
        let erp = erp(of(Version::V19));
        let partner = erp.partners()[0].id;
        for _ in 0..10 {
            let order = HandOrder {
                partner,
                ..HandOrder::default()
            };
            erp.add_order_by_hand(&order).unwrap();
        }
        let mut person = Person::with(9, Habits::default());
        (0..100)
            .filter_map(|_| person.step(&erp))
            .map(|t| (t.order, t.deed))
            .collect::<Vec<_>>()
    };
    assert_eq!(run(), run());
}

#[tokio::test]
async fn what_people_do_is_seen_through_the_api_and_not_counted_as_the_hubs() {
    let served = Served::of(Version::V19).await;
    let partner = served.partner("Customer").await;
    let order = HandOrder {
        partner,
        reference: "BY-HAND".to_owned(),
        lines: vec![("MUG".to_owned(), Decimal::TWO)],
    };
    let id = served.erp.add_order_by_hand(&order).unwrap();
    let edit = HandEdit::Quantity(0, Decimal::from(5));
    served.erp.edit_order_by_hand(id, &edit).unwrap();
    served.erp.confirm_by_hand(id).unwrap();
    served.erp.ship_by_hand(id, "TRACK-1").unwrap();
    let read = served
        .json2(
            "stock.picking",
            "search_read",
            serde_json::json!({"domain": [["sale_id", "=", id]], "fields": ["state", "carrier_tracking_ref"]}),
        )
        .await;
    assert_eq!(read.1[0]["carrier_tracking_ref"], "TRACK-1");
    let stock = served
        .json2(
            "product.product",
            "read",
            serde_json::json!({"ids": [1], "fields": ["qty_available", "free_qty"]}),
        )
        .await;
    assert_eq!(
        stock.1,
        serde_json::json!([{"id": 1, "qty_available": 45.0, "free_qty": 45.0}])
    );
    assert_eq!(served.erp.writes(), 1, "the partner");
    assert_eq!(served.erp.calls()["res.partner.create"], 1);
    let order = served.erp.order(id).unwrap();
    assert_eq!(order.created_by, comptoir_sim::odoo::Hand::Person);
}
