//! The contract suite.

use crate::shipping::{shipment, write as ship};
use crate::stage::*;
use crate::stock::set;
use comptoir_connectors::prestashop::SPEC;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_model::code::Code;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_sim::prestashop::Goods;
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn the_contract_holds() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let orders = stage.sell(7);
    stage.shop.edit("order_details", 3, |row| {
        row.insert("total_price_tax_excl".to_owned(), json!({"odd": true}));
    });
    stage.shop.slip(1, 1);
    for id in 1..=2 {
        let fields = json!({"reference": "SHIRT", "ean13": "", "upc": "", "name": "Shirt", "active": "1", "id_tax_rules_group": "1",
            "weight": "0.3", "is_virtual": "0", "cache_is_pack": "0", "date_upd": "2026-11-22 05:00:00"});
        stage.shop.add("products", fields);
        let fields = json!({"id_product": id, "reference": "SHIRT-S", "ean13": "", "upc": "", "weight": "0"});
        stage.shop.add("combinations", fields);
    }
    let connector = stage.plain();
    let mut suite = Suite::new(&SPEC, [KEY]);
    suite.declarations();
    let reading = Reading {
        unreadable: 1,
        pages_at_most: 10,
        ..Reading::of(Kind::Order, 6)
    };
    suite.reading(&*connector, &reading).await;
    let places: Vec<(u64, u64)> = (0..4)
        .map(|number| {
            stage
                .shop
                .offer(&format!("MUG-{number}"), Goods::Simple, 10)
        })
        .collect();
    for (kind, records) in [
        (Kind::Customer, 7),
        (Kind::Refund, 1),
        (Kind::Product, 8),
        // The two shirts and their sizes have none of their own.
        (Kind::Stock, 8),
    ] {
        suite
            .reading(&*connector, &Reading::of(kind, records))
            .await;
    }
    let writes = [
        into_state(orders[0], "4"),
        into_state(orders[3], "99"),
        into_state(999, "4"),
        into_state(orders[4], "4"),
    ];
    let bad = BTreeMap::from([(1, Code::Refused), (2, Code::RecordGone)]);
    let results = suite.batch(&*connector, &writes, &bad).await;
    let made = results[0].as_ref().unwrap();
    assert_eq!(order(made.seen.as_ref().unwrap()).status.word, "4");
    let id = RemoteId::from(orders[0].to_string());
    suite.proof(&*connector, &writes[0], &id).await;
    let stock = [
        set(&places[0].0.to_string(), "4"),
        set("999", "4"),
        set(&places[1].0.to_string(), "0.5"),
        set(&places[2].0.to_string(), "-1"),
    ];
    let bad = BTreeMap::from([(1, Code::RecordGone), (2, Code::BadValue)]);
    suite.batch(&*connector, &stock, &bad).await;
    suite
        .proof(&*connector, &stock[0], &places[0].0.to_string().into())
        .await;
    stage.shop.cancel(orders[5]);
    let shipments = [
        ship(&shipment(1, orders[0], &["6A1"])),
        ship(&shipment(2, 999, &["6A2"])),
        ship(&shipment(3, orders[5], &["6A3"])),
        ship(&shipment(4, orders[3], &["6A4"])),
    ];
    let bad = BTreeMap::from([(1, Code::RecordGone), (2, Code::WrongState)]);
    suite.batch(&*connector, &shipments, &bad).await;
    suite.proof(&*connector, &shipments[0], &id).await;
    let report = suite.finish();
    report.assert_passed();
    assert!(report.checks.len() > 40, "{report}");
}
