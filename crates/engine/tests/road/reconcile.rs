//! Both sides compared: nothing when they agree, and each planted difference by its name.

use crate::bench::{Bench, order};
use comptoir_engine::point::Breakpoints;
use comptoir_engine::reconcile::{Reconciled, Scope, Why, reconcile};
use comptoir_model::key::Kind;
use comptoir_model::order::Life;
use comptoir_model::stock::Level;
use comptoir_rules::agree::Difference;

async fn compared(bench: &Bench, flow: usize) -> Reconciled {
    let hub = bench.hub(Breakpoints::default()).await;
    let flow = hub.flows[flow].clone();
    reconcile(&hub, &flow, Scope::default()).await.unwrap()
}

/// Three booked orders and one that is held.
async fn booked() -> Bench {
    let mut bench = Bench::new();
    for id in ["1", "2", "3"] {
        bench.put(id, order(&format!("104{id}"), "ada@example.test"));
    }
    let mut held = order("1044", "ada@example.test");
    held.lines[0].taxes[0].code = "NO-ROW".to_owned();
    bench.put("4", held);
    bench.run().await;
    bench
}

#[tokio::test]
async fn agreeing_sides_show_no_drift_and_what_is_held_is_counted_as_that() {
    let bench = booked().await;
    let found = compared(&bench, 0).await;
    assert_eq!(
        (found.compared, found.held, found.under_way, found.skipped),
        (3, 1, 0, 0)
    );
    assert_eq!(found.drift, []);
}

#[tokio::test]
async fn each_planted_difference_of_orders_is_found() {
    let mut bench = booked().await;
    let ids: Vec<_> = bench.erp.orders().into_iter().map(|(id, _)| id).collect();
    bench.erp.edit(&ids[0], |order| {
        order.totals.total += comptoir_model::Decimal::ONE
    });
    bench
        .erp
        .edit(&ids[1], |order| order.status.life = Life::Cancelled);
    bench.erp.delete(&ids[2]);
    bench.erp.type_in("1042");
    // Placed since the hub read last.
    bench.put("5", order("1045", "ada@example.test"));
    let found = compared(&bench, 0).await;
    let mut names: Vec<String> = found
        .drift
        .iter()
        .map(|drift| match &drift.difference {
            Difference::Total { source, target } => format!("total {source} {target}"),
            Difference::State { .. } => "state".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        })
        .collect();
    names.sort_unstable();
    let expected = ["double", "gone", "missing", "state", "total 12 EUR 13 EUR"];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn a_quantity_that_nobody_told_of_is_found() {
    let mut bench = Bench::new();
    bench.add_back(Kind::Stock);
    bench.erp.stock.stock("p0", "MUG", 10);
    bench.erp.stock.stock("p1", "CUP", 3);
    bench.shop.stock.stock("1", "MUG", 0);
    bench.shop.stock.stock("2", "CUP", 0);
    bench.run().await;
    assert_eq!(compared(&bench, 1).await.drift, []);
    bench.shop.stock.change(&"1".into(), true, |stock| {
        stock.levels = vec![Level::pool(4.into())]
    });
    bench.erp.stock.change(&"p1".into(), true, |stock| {
        stock.levels = vec![Level::pool(9.into())]
    });
    let found = compared(&bench, 1).await;
    let differences: Vec<&Difference> = found.drift.iter().map(|drift| &drift.difference).collect();
    let quantity = Difference::Quantity {
        should: 10.into(),
        shows: Some(4.into()),
    };
    let unread = Difference::Quantity {
        should: 9.into(),
        shows: Some(3.into()),
    };
    assert_eq!(differences, [&quantity, &unread]);
    let whys: Vec<Why> = found.drift.iter().map(|drift| drift.why).collect();
    assert_eq!(whys, [Why::SetByHand, Why::NotRead]);
}
