//! Reading: pages, ties, the repeated hour, credit slips, bulk.

use crate::stage::*;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::equation::{self, Tolerance};
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, Paid, Shipped};
use comptoir_model::port::{Cursor, Query, Seen};
use comptoir_sim::prestashop::{Sale, ShopOptions, Trouble};
use serde_json::json;
use std::collections::BTreeSet;

#[tokio::test]
async fn an_order_is_whole_and_equal_to_the_cent() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.shop.place(&Sale {
        guest: true,
        company: Some(("Exemple SARL".to_owned(), "FR11123456782".to_owned())),
        voucher: Some(10),
        message: "Ring twice.".to_owned(),
        ..sale("guest@example.test")
    });
    let (records, _) = read_on(&*stage.plain(), Kind::Order, &Cursor::start()).await;
    assert_eq!(ids(&records), [id]);
    let order = order(&records[0]);
    assert!(equation::check(order, Tolerance::default()).is_empty());
    // Goods 50.19 and 58.50 with tax, less a tenth; shipping 7.00 and 8.40.
    assert_eq!(
        (order.totals.total, order.totals.tax, order.totals.rounding),
        (dec("61.05"), dec("8.88"), dec("0"))
    );
    assert_eq!(
        (order.customer.as_ref(), order.email.as_str()),
        (None, "guest@example.test")
    );
    assert_eq!(
        (order.bill_to.company.as_str(), order.vat_number.as_str()),
        ("Exemple SARL", "FR11123456782")
    );
    assert_eq!(
        (order.note.as_str(), order.language.as_str()),
        ("Ring twice.", "fr-FR")
    );
    assert_eq!(order.lines[0].product.as_ref().unwrap().as_str(), "1-9");
    assert_eq!(
        (order.status.life, order.status.paid, order.status.shipped),
        (Life::Open, Paid::Yes, Shipped::No)
    );
    assert_eq!(order.shipping[0].method, "2", "the reference of carrier 5");
    let raw = records[0].raw.as_deref().unwrap();
    for never in ["5ecre7", "d0wn10ad", "notarealhash", "card_"] {
        assert!(!raw.contains(never), "{never}");
    }
    let asked = stage.shop.asked().join("\n");
    assert!(
        !asked.contains("passwd") && !asked.contains("secure_key"),
        "never asked for"
    );
}

#[tokio::test]
async fn pages_of_one_second_lose_and_repeat_nothing() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let mut placed = stage.sell(2);
    // Seven within one second, on pages of three.
    placed.extend((0..7).map(|n| stage.shop.place(&sale(&format!("tie{n}@example.test")))));
    placed.extend(stage.sell(2));
    let connector = stage.plain();
    let (records, cursor) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
    let read = ids(&records);
    assert_eq!(
        read.iter().collect::<BTreeSet<_>>().len(),
        read.len(),
        "none twice"
    );
    assert_eq!(read, placed);
    let (again, cursor) = read_on(&*connector, Kind::Order, &cursor).await;
    assert!(again.is_empty(), "the overlap repeats nothing unchanged");
    // Shipped within the second of its last change.
    stage.shop.enter(placed[10], 4);
    let (changed, _) = read_on(&*connector, Kind::Order, &cursor).await;
    assert_eq!(ids(&changed), [placed[10]]);
    assert_eq!(order(&changed[0]).status.life, Life::Completed);
}

/// Sells every 500 s through the night the clocks go back, and polls in between; every order must come once.
async fn through_the_night(poll_every: usize) -> (Vec<u64>, Vec<u64>) {
    let stage = Stage::open("2026-10-24T22:00:00Z").await;
    let connector = stage.connect(json!({"page_size": 20}));
    let (mut placed, mut read) = (Vec::new(), Vec::new());
    let mut cursor = Cursor::start();
    for round in 0..50 {
        stage.pass(500);
        placed.push(
            stage
                .shop
                .place(&sale(&format!("night{round}@example.test"))),
        );
        if round % poll_every == 0 {
            stage.pass(1);
            let (records, next) = read_on(&*connector, Kind::Order, &cursor).await;
            read.extend(ids(&records));
            cursor = next;
        }
    }
    let (records, _) = read_on(&*connector, Kind::Order, &cursor).await;
    read.extend(ids(&records));
    (placed, read)
}

#[tokio::test]
async fn the_repeated_hour_of_autumn_loses_and_doubles_no_order() {
    for poll_every in [1, 3, 49] {
        let (placed, mut read) = through_the_night(poll_every).await;
        read.sort_unstable();
        assert_eq!(read, placed, "polled every {poll_every}");
    }
}

#[tokio::test]
async fn an_order_changed_in_the_second_of_two_equal_hours_is_read_again() {
    let stage = Stage::open("2026-10-25T00:50:00Z").await;
    let id = stage.shop.place(&sale("a@example.test"));
    let connector = stage.plain();
    let (records, cursor) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
    // The earlier of the two instants that 02:50 can be.
    assert_eq!(
        order(&records[0]).dates.placed,
        Some(at("2026-10-25T00:50:00Z"))
    );
    // 20 minutes later, the clock shows 02:10.
    stage.go_to(at("2026-10-25T01:10:00Z"));
    stage.shop.enter(id, 4);
    assert_eq!(
        stage.shop.row("orders", id).unwrap()["date_upd"],
        "2026-10-25 02:10:00"
    );
    let (records, _) = read_on(&*connector, Kind::Order, &cursor).await;
    assert_eq!(ids(&records), [id]);
}

#[tokio::test]
async fn a_first_reading_from_a_day_on_leaves_out_what_is_older() {
    let stage = Stage::open("2026-11-20T04:00:00Z").await;
    stage.sell(2);
    stage.go_to(at("2026-11-22T04:00:00Z"));
    let new = stage.sell(2);
    let connector = stage.plain();
    let since = connector.cursor_since(Kind::Order, at("2026-11-22T04:00:00Z"));
    let (records, _) = read_on(&*connector, Kind::Order, &since).await;
    assert_eq!(ids(&records), new);
}

#[tokio::test]
async fn a_credit_slip_brings_its_order_although_the_order_did_not_move() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let placed = stage.sell(4);
    let connector = stage.plain();
    let (_, cursor) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
    // A later order takes the overlap away from the first ones.
    stage.pass(3600);
    stage.sell(1);
    let (_, cursor) = read_on(&*connector, Kind::Order, &cursor).await;
    let slip = stage.shop.slip(1, 1);
    let (records, cursor) = read_on(&*connector, Kind::Order, &cursor).await;
    assert_eq!(ids(&records), [placed[0]]);
    let mention = &order(&records[0]).refunds[0];
    assert_eq!(
        (mention.id.as_str(), mention.amount),
        (slip.to_string().as_str(), dec("22.944"))
    );
    let (again, _) = read_on(&*connector, Kind::Order, &cursor).await;
    assert!(again.is_empty());
    let seen = connector
        .read(Kind::Refund, &[slip.to_string().into(), "77".into()])
        .await
        .unwrap();
    let Seen::Record(record) = &seen[0] else {
        panic!("{seen:?}")
    };
    let Document::Refund(refund) = &record.document else {
        panic!()
    };
    assert_eq!(
        (refund.order.as_str(), refund.lines[0].line.as_str()),
        (placed[0].to_string().as_str(), "1")
    );
    assert!(matches!(&seen[1], Seen::Gone(id) if id.as_str() == "77"));
}

#[tokio::test]
async fn what_belongs_to_a_page_is_asked_for_in_bulk() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    stage.sell(30);
    let connector = stage.connect(json!({"page_size": 100}));
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.more), (30, false));
    for resource in [
        "order_details",
        "order_cart_rules",
        "messages",
        "order_payments",
        "customers",
        "addresses",
    ] {
        assert_eq!(stage.asked(resource), 1, "{resource}");
    }
    // The page, and who shares a reference.
    assert_eq!(stage.asked("orders"), 2);
    let calls = stage.shop.asked().len();
    connector.changes(Kind::Order, &page.next).await.unwrap();
    assert!(stage.shop.asked().len() - calls < 12, "tables are kept");
    assert_eq!(stage.asked("order_states"), 1);
}

#[tokio::test]
async fn a_state_made_meanwhile_is_looked_up_again() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.sell(1)[0];
    let connector = stage.plain();
    let (_, cursor) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
    let state = stage.shop.add(
        "order_states",
        json!({"name": "Packed", "template": "", "paid": "1", "shipped": "0", "delivery": "0",
        "logable": "1", "invoice": "1", "send_email": "0", "deleted": "0"}),
    );
    stage.pass(5);
    stage.shop.enter(id, state);
    let (records, _) = read_on(&*connector, Kind::Order, &cursor).await;
    let status = &order(&records[0]).status;
    assert_eq!(
        (status.word.as_str(), status.life),
        (state.to_string().as_str(), Life::Open)
    );
}

#[tokio::test]
async fn states_mean_what_their_flags_and_templates_say() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let id = stage.shop.place(&Sale {
        state: 10,
        ..sale("a@example.test")
    });
    let connector = stage.connect(json!({"statuses": {"14": "open"}}));
    let read = |state: u64| {
        stage.pass(1);
        stage.shop.enter(id, state);
        let connector = connector.clone();
        async move {
            let seen = connector
                .read(Kind::Order, &[id.to_string().into()])
                .await
                .unwrap();
            let Seen::Record(record) = &seen[0] else {
                panic!()
            };
            let status = &order(record).status;
            (status.life, status.paid, status.shipped)
        }
    };
    assert_eq!(read(10).await, (Life::OnHold, Paid::No, Shipped::No));
    assert_eq!(read(8).await, (Life::Draft, Paid::Failed, Shipped::No));
    assert_eq!(read(14).await, (Life::Open, Paid::No, Shipped::No));
    assert_eq!(read(2).await, (Life::Open, Paid::Yes, Shipped::No));
    assert_eq!(read(4).await, (Life::Completed, Paid::Yes, Shipped::Yes));
    assert_eq!(
        read(7).await,
        (Life::Completed, Paid::Refunded, Shipped::Unknown)
    );
    assert_eq!(read(6).await.0, Life::Cancelled);
}

#[tokio::test]
async fn warnings_of_php_do_not_stop_reading() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    stage.sell(2);
    stage.shop.set_trouble(Trouble {
        warns: true,
        ..Trouble::default()
    });
    let (records, _) = read_on(&*stage.plain(), Kind::Order, &Cursor::start()).await;
    assert_eq!(records.len(), 2);
}

#[tokio::test]
async fn a_shop_that_ignores_the_time_is_refused_instead_of_read_for_ever() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    stage.sell(1);
    stage.pass(900);
    stage.sell(1);
    stage.shop.set_trouble(Trouble {
        deaf: true,
        ..Trouble::default()
    });
    let connector = stage.plain();
    let page = connector.changes(Kind::Order, &Cursor::start()).await;
    // The first page asks for no time; the credit slips beside it are none yet.
    let second = connector.changes(Kind::Order, &page.unwrap().next).await;
    assert_eq!(fault(second), (Next::Locked, Code::UnsupportedVersion));
}

#[tokio::test]
async fn orders_customers_and_products_are_found() {
    let stage = Stage::with(ShopOptions {
        now: at("2026-11-22T04:00:00Z"),
        ..ShopOptions::default()
    })
    .await;
    let placed = stage.sell(3);
    let reference = |id: u64| {
        stage.shop.row("orders", id).unwrap()["reference"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    // The third came of the same basket as the first.
    let shared = reference(placed[0]);
    stage.shop.edit("orders", placed[2], |row| {
        row.insert("reference".to_owned(), json!(shared));
    });
    let shirt = json!({"reference": "SHIRT", "name": "Shirt"});
    let shirt = stage.shop.add("products", shirt);
    stage.shop.add(
        "combinations",
        json!({"id_product": shirt, "reference": "SHIRT"}),
    );
    let connector = stage.plain();
    let found = async |kind, queries: &[Query]| -> Vec<Vec<String>> {
        let found = connector.find(kind, queries).await.unwrap();
        found
            .into_iter()
            .map(|one| one.into_iter().map(|c| c.id.0).collect())
            .collect()
    };
    let by = |number: String| Query::Reference(number);
    let numbers = [
        by(shared.clone()),
        by(format!("{shared}#2")),
        by(reference(placed[1])),
        by("NOSUCHONE".to_owned()),
    ];
    let expected: [&[u64]; 4] = [&[placed[0]], &[placed[2]], &[placed[1]], &[]];
    let expected: Vec<Vec<String>> = expected
        .iter()
        .map(|ids| ids.iter().map(u64::to_string).collect())
        .collect();
    assert_eq!(found(Kind::Order, &numbers).await, expected);
    let emails = [Query::Email("Buyer1@Example.test".to_owned())];
    assert_eq!(found(Kind::Customer, &emails).await, [["2"]]);
    let skus = [Query::Sku("shirt".to_owned())];
    assert_eq!(found(Kind::Product, &skus).await, [["1", "1-1"]]);
    let odd = connector
        .find(Kind::Product, &[Query::Sku("A|B".to_owned())])
        .await;
    assert_eq!(fault(odd), (Next::Refused, Code::BadValue));
}
