//! Shipments: tracking numbers, states, mails, and the marks that tell of them.

use crate::stage::*;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::{Connector, Cursor, Seen, Step, Write, Written};
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState, ShippedLine};
use comptoir_sim::prestashop::{ShopOptions, Trouble};
use serde_json::json;

const NOW: &str = "2026-11-22T04:00:00Z";

/// A shipment of an ERP for an order: two shirts of its first line.
pub fn shipment(number: u32, order: u64, tracking: &[&str]) -> Shipment {
    let parcels = tracking.iter().map(|tracking| Parcel {
        tracking: (*tracking).to_owned(),
        carrier: "La Poste".to_owned(),
        url: format!("https://parcels.example.test/?n={tracking}"),
    });
    Shipment {
        order: order.to_string().into(),
        number: format!("WH/OUT/{number}"),
        key: Some(WriteKey(format!("erp/shipment/{number}"))),
        state: ShipmentState::Shipped,
        location: None,
        lines: vec![ShippedLine {
            line: (2 * order - 1).to_string(),
            key: None,
            sku: "SHIRT-S".to_owned(),
            quantity: 2.into(),
        }],
        parcels: parcels.collect(),
        shipped_at: Some(at("2026-11-22T03:00:00Z")),
        completes: false,
        notify: false,
    }
}

pub fn write(shipment: &Shipment) -> Write {
    Write {
        key: shipment.key.clone().unwrap(),
        kind: Kind::Shipment,
        step: Step::Create,
        target: Some(shipment.order.clone()),
        document: Document::Shipment(shipment.clone()),
        before: None,
        expects: None,
    }
}

async fn put(connector: &dyn Connector, shipment: &Shipment) -> Result<Order, Fault> {
    let results = connector.write(&[write(shipment)]).await;
    results.into_iter().next().unwrap().map(seen)
}

fn seen(written: Written) -> Order {
    order(&written.seen.unwrap()).clone()
}

async fn read(connector: &dyn Connector, id: u64) -> Order {
    let ids = [id.to_string().into()];
    let seen = connector.read(Kind::Order, &ids).await.unwrap();
    let Seen::Record(record) = &seen[0] else {
        panic!("{seen:?}")
    };
    order(record).clone()
}

pub fn completing(shipment: Shipment) -> Shipment {
    Shipment {
        completes: true,
        ..shipment
    }
}

pub fn telling(shipment: Shipment) -> Shipment {
    Shipment {
        notify: true,
        ..shipment
    }
}

/// Requests that changed something, without ids.
fn changes(stage: &Stage) -> Vec<String> {
    let asked = stage.shop.asked().into_iter();
    let asked = asked.filter(|asked| asked.starts_with('P'));
    asked
        .map(|asked| {
            let (path, query) = asked.split_once('?').unwrap();
            let path = path.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/');
            format!("{} {query}", path.replace(" /api/", " "))
                .trim()
                .to_owned()
        })
        .collect()
}

fn number(stage: &Stage, id: u64) -> String {
    let row = stage.shop.row("orders", id).unwrap();
    row["shipping_number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_shipment_that_completes_is_written_once_and_told_by_one_mail() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let wanted = telling(completing(shipment(7, id, &["6A1"])));
    for _ in 0..3 {
        let order = put(&*connector, &wanted).await.unwrap();
        assert_eq!(order.shipments, std::slice::from_ref(&wanted));
        assert_eq!(order.status.word, "4");
        assert_eq!(order.status.life, Life::Completed);
        assert_eq!(order.attributes["tracking_number"], "6A1");
        // A mark is no note of the buyer.
        assert_eq!(order.note, "");
    }
    assert_eq!(stage.shop.mailed(), [format!("{id} in transit 6A1")]);
    assert_eq!(
        changes(&stage),
        [
            "PATCH order_carriers sendemail=1",
            "POST order_histories",
            "POST messages"
        ]
    );
    assert_eq!(read(&*stage.plain(), id).await.shipments, [wanted]);
}

#[tokio::test]
async fn parts_stand_beside_each_other_and_change_no_state() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let first = shipment(7, id, &["6A1", "6A2"]);
    let order = put(&*connector, &first).await.unwrap();
    assert_eq!(
        (order.status.word.as_str(), number(&stage, id)),
        ("2", "6A1, 6A2".to_owned())
    );
    // Somebody types another number beside them.
    stage.shop.edit("order_carriers", 1, |row| {
        row.insert("tracking_number".to_owned(), json!("6A1, 6A2, HAND"));
    });
    let last = completing(shipment(8, id, &["6B1"]));
    let order = put(&*connector, &last).await.unwrap();
    assert_eq!(order.shipments, [first, last]);
    assert_eq!(order.status.word, "4");
    assert_eq!(number(&stage, id), "6A1, 6A2, HAND, 6B1");
    assert!(stage.shop.mailed().is_empty());
    // One call of messages for a whole page of orders, as before.
    let asked = stage.asked("messages");
    read_on(
        &*stage.connect(json!({"page_size": 100})),
        Kind::Order,
        &Cursor::start(),
    )
    .await;
    assert_eq!(stage.asked("messages"), asked + 1);
}

#[tokio::test]
async fn a_tracking_number_that_comes_later_or_is_corrected_is_written_and_told_once() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    put(&*connector, &shipment(7, id, &[])).await.unwrap();
    assert_eq!(changes(&stage), ["POST messages"]);
    put(&*connector, &telling(shipment(7, id, &["6A1"])))
        .await
        .unwrap();
    let corrected = telling(shipment(7, id, &["6A9"]));
    let order = put(&*connector, &corrected).await.unwrap();
    assert_eq!(order.shipments, [corrected]);
    assert_eq!(number(&stage, id), "6A9");
    assert_eq!(stage.shop.mailed(), [format!("{id} in transit 6A1")]);
}

#[tokio::test]
async fn a_number_that_stands_there_untold_is_told_when_that_is_wanted() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    put(&*connector, &shipment(7, id, &["6A1"])).await.unwrap();
    let wanted = telling(shipment(7, id, &["6A1"]));
    // The mark comes before the mail, so that a try that ends between them is not followed by a second mail.
    stage.shop.revoke("order_carriers", "PATCH");
    assert!(put(&*connector, &wanted).await.is_err());
    assert!(read(&*connector, id).await.shipments[0].notify);
    let other = Stage::open(NOW).await;
    let id = other.sell(1)[0];
    let connector = other.plain();
    put(&*connector, &shipment(7, id, &["6A1"])).await.unwrap();
    for _ in 0..2 {
        put(&*connector, &telling(shipment(7, id, &["6A1"])))
            .await
            .unwrap();
    }
    assert_eq!(other.shop.mailed(), [format!("{id} in transit 6A1")]);
}

#[tokio::test]
async fn a_try_that_ended_at_any_point_is_finished_and_tells_nobody_twice() {
    for ends_after in 0..3 {
        let stage = Stage::open(NOW).await;
        let id = stage.sell(1)[0];
        let connector = stage.plain();
        let wanted = telling(completing(shipment(7, id, &["6A1"])));
        let right = [
            ("order_carriers", "PATCH"),
            ("order_histories", "POST"),
            ("messages", "POST"),
        ][ends_after];
        // What is not allowed ends the write; the hub then begins anew.
        stage.shop.revoke(right.0, right.1);
        assert!(put(&*connector, &wanted).await.is_err());
        let order = read(&*connector, id).await;
        assert!(order.shipments.is_empty(), "a mark means that all was done");
        stage.shop.grant(right.0, right.1);
        for _ in 0..2 {
            let order = put(&*connector, &wanted).await.unwrap();
            assert_eq!(order.shipments, std::slice::from_ref(&wanted));
            assert_eq!(order.status.word, "4");
        }
        assert_eq!(stage.shop.mailed().len(), 1, "ended after {ends_after}");
        let states = stage.shop.count("order_histories");
        assert_eq!(states, 2, "ended after {ends_after}");
        assert_eq!(stage.shop.count("messages"), 1);
    }
}

#[tokio::test]
async fn a_failure_after_the_write_is_a_success() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let wanted = telling(completing(shipment(7, id, &["6A1"])));
    stage.shop.fail_after_writes(3);
    let order = put(&*connector, &wanted).await.unwrap();
    assert_eq!(order.shipments, [wanted]);
    assert_eq!(changes(&stage).len(), 3);
    // The shop's own: its mail does not go out, and what was written stays.
    let id = stage.sell(1)[0];
    stage.shop.set_trouble(Trouble {
        mail_broken: true,
        ..Trouble::default()
    });
    let wanted = telling(completing(shipment(8, id, &["6A2"])));
    let order = put(&*connector, &wanted).await.unwrap();
    assert_eq!(order.shipments, [wanted]);
}

#[tokio::test]
async fn without_an_address_to_follow_parcels_on_the_state_tells_the_buyer() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    stage.shop.edit("carriers", 5, |row| {
        row.insert("url".to_owned(), json!(""));
    });
    let connector = stage.plain();
    let wanted = telling(completing(shipment(7, id, &["6A1"])));
    for _ in 0..2 {
        put(&*connector, &wanted).await.unwrap();
    }
    assert_eq!(number(&stage, id), "6A1");
    assert_eq!(stage.shop.mailed(), [format!("{id} state 4")]);
    assert_eq!(
        changes(&stage),
        [
            "PATCH order_carriers",
            "POST order_histories sendemail=1",
            "POST messages"
        ]
    );
    // Nothing can be told of a part without a number.
    let id = stage.sell(1)[0];
    let refused = put(&*connector, &telling(shipment(8, id, &[]))).await;
    assert_eq!(fault(refused), (Next::Refused, Code::WrongState));
}

#[tokio::test]
async fn an_order_that_is_called_off_is_left_alone() {
    let stage = Stage::open(NOW).await;
    let ids = stage.sell(3);
    stage.shop.cancel(ids[0]);
    stage.shop.enter(ids[1], 7);
    let writes: Vec<Write> = [ids[0], ids[1], 77, ids[2]]
        .into_iter()
        .zip(1..)
        .map(|(id, number)| write(&shipment(number, id, &["6A1"])))
        .collect();
    let results = stage.plain().write(&writes).await;
    let faults: Vec<_> = results[..3]
        .iter()
        .map(|result| fault(result.clone()))
        .collect();
    assert_eq!(
        faults,
        [
            (Next::Refused, Code::WrongState),
            (Next::Refused, Code::WrongState),
            (Next::Gone, Code::RecordGone)
        ]
    );
    assert!(results[3].is_ok());
    assert_eq!(changes(&stage), ["PATCH order_carriers", "POST messages"]);
}

#[tokio::test]
async fn states_are_chosen_by_their_flags_or_by_the_settings() {
    let stage = Stage::open(NOW).await;
    let ids = stage.sell(4);
    // Delivered says as much as shipped, and more.
    stage.shop.enter(ids[0], 5);
    let order = put(&*stage.plain(), &completing(shipment(1, ids[0], &[])))
        .await
        .unwrap();
    assert_eq!(order.status.word, "5");
    let named = stage.connect(json!({"shipped_status": "5", "partly_shipped_status": "3"}));
    let order = put(&*named, &shipment(2, ids[1], &[])).await.unwrap();
    assert_eq!(order.status.word, "3");
    let order = put(&*named, &completing(shipment(3, ids[1], &[])))
        .await
        .unwrap();
    assert_eq!(order.status.word, "5");
    let unknown = stage.connect(json!({"shipped_status": "99"}));
    let refused = put(&*unknown, &completing(shipment(4, ids[2], &[]))).await;
    assert_eq!(fault(refused), (Next::Refused, Code::MissingSetting));
    // What is left of an order that was cancelled in the ERP completes it too.
    let rest = Shipment {
        state: ShipmentState::Cancelled,
        lines: Vec::new(),
        ..completing(shipment(5, ids[3], &[]))
    };
    let order = put(&*stage.plain(), &rest).await.unwrap();
    assert_eq!(
        (order.status.word.as_str(), &order.shipments[..]),
        ("4", &[rest][..])
    );
}

#[tokio::test]
async fn many_parcels_fit_into_the_marks_and_what_fits_into_the_field() {
    let stage = Stage::open(NOW).await;
    let id = stage.sell(1)[0];
    let numbers: Vec<String> = (0..40).map(|place| format!("6A{place:011}")).collect();
    let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let wanted = telling(shipment(7, id, &numbers));
    let connector = stage.plain();
    for _ in 0..2 {
        let order = put(&*connector, &wanted).await.unwrap();
        assert_eq!(order.shipments, std::slice::from_ref(&wanted));
    }
    assert_eq!(number(&stage, id), numbers[..4].join(", "));
    assert_eq!(stage.shop.mailed().len(), 1);
    assert!(stage.shop.count("messages") > 1);
}

#[tokio::test]
async fn a_shop_before_8_gets_whole_carrier_lines() {
    let stage = Stage::with(ShopOptions {
        now: at(NOW),
        version: "1.7.8.9".to_owned(),
        ..ShopOptions::default()
    })
    .await;
    let id = stage.sell(1)[0];
    let before = stage.shop.row("order_carriers", 1).unwrap();
    let wanted = telling(completing(shipment(7, id, &["6A1"])));
    let order = put(&*stage.plain(), &wanted).await.unwrap();
    assert_eq!(order.shipments, [wanted]);
    assert_eq!(changes(&stage)[0], "PUT order_carriers sendemail=1");
    let mut after = stage.shop.row("order_carriers", 1).unwrap();
    assert_eq!(after["tracking_number"], "6A1");
    after.insert("tracking_number".to_owned(), json!(""));
    assert_eq!(after, before);
}
