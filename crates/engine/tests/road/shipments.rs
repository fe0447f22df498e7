//! Shipments on their way back into the shop's orders.

use crate::bench::{Bench, mug, order, total};
use crate::fakes::Fate;
use comptoir_engine::point::Point;
use comptoir_model::document::Document;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState, ShippedLine};
use comptoir_rules::shipment::{Tracking, progress};

/// The shop's order `1` of two lines of mugs, booked in the ERP as `o2`.
async fn booked() -> Bench {
    let mut bench = Bench::new();
    bench.add_back(Kind::Shipment);
    let mut two = order("1042", "ada@example.test");
    two.lines = vec![mug("1", "10.00", "2.00"), mug("2", "10.00", "2.00")];
    total(&mut two);
    bench.put("1", two);
    bench.run().await;
    assert_eq!(bench.stands("1").await, "done -");
    bench
}

fn parcel(tracking: &str) -> Parcel {
    Parcel {
        tracking: tracking.to_owned(),
        carrier: "Colis Exemple".to_owned(),
        url: String::new(),
    }
}

/// A shipment of these lines of the shop's order.
fn shipment(bench: &Bench, lines: &[&str], tracking: &[&str], completes: bool) -> Document {
    let (id, _) = bench.erp.orders().pop().unwrap();
    let line = |line: &&str| ShippedLine {
        line: String::new(),
        key: Some(WriteKey(format!("shop/order/1/line-{line}"))),
        sku: "MUG".to_owned(),
        quantity: 1.into(),
    };
    Document::Shipment(Shipment {
        order: id,
        number: "OUT/1".to_owned(),
        key: None,
        state: ShipmentState::Shipped,
        location: None,
        lines: lines.iter().map(line).collect(),
        parcels: tracking.iter().map(|number| parcel(number)).collect(),
        shipped_at: Some(jiff::Timestamp::now()),
        completes,
        notify: false,
    })
}

fn counters(order: &Order) -> Vec<(String, i64, i64)> {
    let whole = |number: comptoir_model::Decimal| i64::try_from(number).unwrap();
    let counters = progress(order).into_iter();
    counters
        .map(|line| (line.line, whole(line.shipped), whole(line.cancelled)))
        .collect()
}

#[tokio::test]
async fn a_part_and_then_the_rest_complete_the_order_and_each_is_told_once() {
    let bench = booked().await;
    bench
        .erp
        .shipments
        .put("7", shipment(&bench, &["2"], &["T1", "T2"], false));
    bench.run().await;
    let now = bench.shop.order("1");
    assert_eq!(
        counters(&now),
        [("1".to_owned(), 0, 0), ("2".to_owned(), 1, 0)]
    );
    assert_eq!(now.status.life, Life::Open);
    bench
        .erp
        .shipments
        .put("8", shipment(&bench, &["1"], &["T3"], true));
    bench.run().await;
    let now = bench.shop.order("1");
    assert_eq!(
        counters(&now),
        [("1".to_owned(), 1, 0), ("2".to_owned(), 1, 0)]
    );
    assert_eq!(now.status.life, Life::Completed);
    assert_eq!(bench.shop.told(), ["1 T1+T2", "1 T3"]);
    let (before, writes) = (now, bench.erp.writes());
    for _ in 0..10 {
        bench.run().await;
    }
    assert_eq!(bench.shop.order("1"), before);
    assert_eq!(
        bench.erp.writes(),
        writes,
        "what we wrote into the shop is no change of its order"
    );
    assert_eq!(bench.shop.told().len(), 2);
}

#[tokio::test]
async fn a_shipment_waits_for_its_number_unless_the_flow_says_otherwise() {
    let mut bench = booked().await;
    bench
        .erp
        .shipments
        .put("7", shipment(&bench, &["1"], &[], false));
    bench.run().await;
    assert_eq!(
        bench.stands_in("shipment", Kind::Shipment, "7").await,
        "waiting tracking:shipment"
    );
    assert!(bench.shop.order("1").shipments.is_empty());
    bench.back[0].shipment.tracking = Tracking::Optional;
    bench
        .store()
        .await
        .reconsider(&"shipment".parse().unwrap())
        .await
        .unwrap();
    bench.run().await;
    assert_eq!(bench.shop.order("1").shipments.len(), 1);
    assert!(
        bench.shop.told().is_empty(),
        "nobody is told of what cannot be followed"
    );
    bench
        .erp
        .shipments
        .ship("7", |shipment| shipment.parcels = vec![parcel("T9")]);
    bench.run().await;
    let shipments = bench.shop.order("1").shipments;
    assert_eq!(
        (shipments.len(), &*shipments[0].parcels[0].tracking),
        (1, "T9")
    );
    assert_eq!(bench.shop.told(), ["1 T9"]);
}

#[tokio::test]
async fn a_lost_answer_and_a_power_cut_tell_nobody_twice() {
    for fate in [Fate::lost(), Fate::dropped()] {
        let bench = booked().await;
        bench.shop.next([fate]);
        bench
            .erp
            .shipments
            .put("7", shipment(&bench, &["1"], &["T1"], false));
        bench.run().await;
        // What may have been done is cleared up by the next pass.
        bench.run().await;
        assert_eq!(bench.shop.told(), ["1 T1"]);
        assert_eq!(
            bench.stands_in("shipment", Kind::Shipment, "7").await,
            "done -"
        );
    }
    for point in [Point::IntentsStored, Point::Called, Point::OutcomesStored] {
        let bench = booked().await;
        bench
            .erp
            .shipments
            .put("7", shipment(&bench, &["1"], &["T1"], false));
        bench.run_until(point, 0).await;
        bench.run().await;
        assert_eq!(bench.shop.told(), ["1 T1"], "{point:?}");
        assert_eq!(
            bench.stands_in("shipment", Kind::Shipment, "7").await,
            "done -",
            "{point:?}"
        );
    }
}

#[tokio::test]
async fn the_cancelled_rest_completes_what_has_left_and_nothing_else() {
    let bench = booked().await;
    let mut rest = shipment(&bench, &["1"], &[], true);
    if let Document::Shipment(rest) = &mut rest {
        rest.state = ShipmentState::Cancelled;
        rest.lines.clear();
    }
    bench.erp.shipments.put("8", rest.clone());
    bench.run().await;
    assert_eq!(
        bench.stands_in("shipment", Kind::Shipment, "8").await,
        "skipped nothing-shipped"
    );
    assert_eq!(bench.shop.order("1").status.life, Life::Open);
    bench
        .erp
        .shipments
        .put("7", shipment(&bench, &["2"], &["T1"], false));
    bench.run().await;
    bench.erp.shipments.put("9", rest);
    bench.run().await;
    let now = bench.shop.order("1");
    assert_eq!(now.status.life, Life::Completed);
    assert_eq!(
        counters(&now),
        [("1".to_owned(), 0, 1), ("2".to_owned(), 1, 0)]
    );
}

#[tokio::test]
async fn what_no_shop_sold_is_none_of_its_business_and_a_late_link_is_waited_for() {
    let mut bench = Bench::new();
    bench.add_back(Kind::Shipment);
    bench.put("1", order("1042", "ada@example.test"));
    // The ERP's next order will be `o2`; its shipment is seen first.
    let early = Shipment {
        order: RemoteId::from("o2"),
        number: "OUT/1".to_owned(),
        key: None,
        state: ShipmentState::Shipped,
        location: None,
        lines: Vec::new(),
        parcels: vec![parcel("T1")],
        shipped_at: Some(jiff::Timestamp::now()),
        completes: true,
        notify: false,
    };
    let old = Shipment {
        order: RemoteId::from("by-phone"),
        shipped_at: Some("2026-01-01T00:00:00Z".parse().unwrap()),
        ..early.clone()
    };
    bench.erp.shipments.put("7", Document::Shipment(early));
    bench.erp.shipments.put("8", Document::Shipment(old));
    bench.erp.down(comptoir_model::fault::Fault::later(
        comptoir_model::code::Code::Unreachable,
        "down",
    ));
    bench.run().await;
    bench.erp.up();
    bench.run().await;
    assert_eq!(
        bench.stands_in("shipment", Kind::Shipment, "8").await,
        "skipped not-linked"
    );
    assert_eq!(
        bench.stands_in("shipment", Kind::Shipment, "7").await,
        "done -"
    );
    assert_eq!(bench.shop.told(), ["1 T1"]);
}

#[tokio::test]
async fn an_order_that_is_over_or_gone_in_the_shop_is_for_a_person() {
    let mut bench = booked().await;
    let mut over = bench.shop.order("1");
    over.status.life = Life::Cancelled;
    bench.put("1", over);
    bench
        .erp
        .shipments
        .put("7", shipment(&bench, &["1"], &["T1"], false));
    bench.run().await;
    assert_eq!(
        bench.stands_in("shipment", Kind::Shipment, "7").await,
        "held cancelled:target"
    );
    assert!(bench.shop.told().is_empty());
}
