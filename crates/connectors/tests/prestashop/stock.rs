//! Stock: what is counted, how it is read, and what becomes of a batch of quantities.

use crate::stage::*;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::port::{Connector, Cursor, Record, Seen, Step, Write};
use comptoir_model::stock::{Level, Stock};
use comptoir_sim::prestashop::{Goods, ShopOptions};
use serde_json::json;

const NOW: &str = "2026-11-22T04:00:00Z";

/// One of everything: a mug, a shirt in two sizes that share a reference, an e-book, a pack.
fn offer(stage: &Stage) {
    stage.shop.offer("MUG", Goods::Simple, 12);
    let (shirt, _) = stage.shop.offer("SHIRT", Goods::Combined, 0);
    stage.shop.offer("SHIRT", Goods::Of(shirt), 5);
    stage.shop.offer("SHIRT", Goods::Of(shirt), 7);
    stage.shop.offer("EBOOK", Goods::Virtual, 0);
    stage.shop.offer("SET", Goods::Pack, 3);
    for sku in ["POT", "TRAY", "JAR"] {
        stage.shop.offer(sku, Goods::Simple, 20);
    }
}

fn stock(record: &Record) -> &Stock {
    record.document.as_stock().unwrap()
}

fn line(record: &Record) -> String {
    let stock = stock(record);
    let quantity = stock.levels.first().and_then(|level| level.available);
    let quantity = quantity.map_or("-".to_owned(), |quantity| quantity.to_string());
    let more = if stock.backorders { " below zero" } else { "" };
    format!("{} {} {quantity}{more}", record.id, stock.sku)
}

pub fn set(id: &str, quantity: &str) -> Write {
    Write {
        key: WriteKey(format!("shop/stock/{id}")),
        kind: Kind::Stock,
        step: Step::Update,
        target: Some(id.into()),
        document: Document::Stock(Stock {
            managed: true,
            levels: vec![Level::pool(dec(quantity))],
            ..Stock::default()
        }),
        before: None,
        expects: None,
    }
}

/// Requests that changed something.
fn changes(stage: &Stage) -> Vec<String> {
    let asked = stage.shop.asked().into_iter();
    asked.filter(|asked| asked.starts_with('P')).collect()
}

async fn all(connector: &dyn Connector) -> (Vec<Record>, Cursor) {
    read_on(connector, Kind::Stock, &Cursor::start()).await
}

#[tokio::test]
async fn everything_is_read_once_product_by_product_and_only_what_is_counted_has_a_level() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    stage.shop.edit("stock_availables", 2, |row| {
        drop(row.insert("quantity".to_owned(), json!("12")))
    });
    let connector = stage.plain();
    let (records, _) = all(&*connector).await;
    let lines: Vec<String> = records.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "1 MUG 12",
            "2 SHIRT -",
            "2-1 SHIRT 5",
            "2-2 SHIRT 7",
            "3 EBOOK -",
            "4 SET -",
            "5 POT 20",
            "6 TRAY 20",
            "7 JAR 20"
        ]
    );
    let managed: Vec<bool> = records.iter().map(|record| stock(record).managed).collect();
    assert_eq!(
        managed,
        [true, false, true, true, false, false, true, true, true]
    );
    // Pages of three products: three lists each, and the settings once.
    assert_eq!(stage.asked("stock_availables"), 3);
    assert_eq!(stage.asked("configurations"), 1);
    assert!(records.iter().all(|record| record.raw.is_none()));
}

#[tokio::test]
async fn after_the_whole_reading_the_stream_brings_what_is_new_and_not_what_was_sold() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    let connector = stage.plain();
    let (_, cursor) = all(&*connector).await;
    stage.pass(3_600);
    let (settled, cursor) = read_on(&*connector, Kind::Stock, &cursor).await;
    assert!(
        settled.len() <= 9,
        "what changed while it was read may come again"
    );
    stage.pass(3_600);
    stage
        .shop
        .sell("buyer@example.test", &[("MUG", 2)])
        .unwrap();
    stage.shop.offer("LAMP", Goods::Simple, 4);
    let (records, cursor) = read_on(&*connector, Kind::Stock, &cursor).await;
    let lines: Vec<String> = records.iter().map(line).collect();
    assert_eq!(lines, ["8 LAMP 4"]);
    let (records, _) = read_on(&*connector, Kind::Stock, &cursor).await;
    assert!(records.is_empty(), "{records:?}");
    // A reading by id tells what was sold, and so does the next whole one.
    let seen = connector.read(Kind::Stock, &["1".into()]).await.unwrap();
    let [Seen::Record(mug)] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(line(mug), "1 MUG 10");
    let (records, _) = all(&*connector).await;
    assert_eq!(line(&records[0]), "1 MUG 10");
}

#[tokio::test]
async fn what_is_below_zero_follows_the_product_and_then_the_shop() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    for (row, behaviour) in [(1, "1"), (7, "0")] {
        stage.shop.edit("stock_availables", row, |row| {
            row.insert("out_of_stock".to_owned(), json!(behaviour));
        });
    }
    let below = |records: &[Record]| -> Vec<String> {
        let below = records.iter().filter(|record| stock(record).backorders);
        below.map(|record| record.id.to_string()).collect()
    };
    assert_eq!(below(&all(&*stage.plain()).await.0), ["1"]);
    stage.shop.edit("configurations", 6, |row| {
        row.insert("value".to_owned(), json!("1"));
    });
    assert_eq!(
        below(&all(&*stage.plain()).await.0),
        ["1", "2-1", "2-2", "6", "7"]
    );
    // A shop that counts nothing.
    stage.shop.edit("configurations", 5, |row| {
        row.insert("value".to_owned(), json!("0"));
    });
    let (records, _) = all(&*stage.plain()).await;
    assert!(records.iter().all(|record| !stock(record).managed));
    let results = stage.plain().write(&[set("1", "4")]).await;
    assert_eq!(fault(results[0].clone()), (Next::Refused, Code::WrongState));
}

#[tokio::test]
async fn what_is_gone_is_said_to_be_gone() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    let ids: Vec<RemoteId> = ["2-2", "99", "2-9", "1", "x"].map(RemoteId::from).to_vec();
    let seen = stage.plain().read(Kind::Stock, &ids).await.unwrap();
    let gone: Vec<bool> = seen
        .iter()
        .map(|seen| matches!(seen, Seen::Gone(_)))
        .collect();
    assert_eq!(gone, [false, true, true, false, true]);
}

#[tokio::test]
async fn many_quantities_go_out_in_one_call_and_are_read_back() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    let connector = stage.plain();
    let writes = [
        set("1", "4"),
        set("2-1", "0"),
        set("2-2", "9"),
        set("5", "20"),
        set("6", "-3"),
    ];
    let results = connector.write(&writes).await;
    let lines: Vec<String> = results
        .iter()
        .map(|result| line(result.as_ref().unwrap().seen.as_ref().unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            "1 MUG 4",
            "2-1 SHIRT 0",
            "2-2 SHIRT 9",
            "5 POT 20",
            "6 TRAY -3"
        ]
    );
    // Nothing is sent for what already is there, and the shop adds the sizes up itself.
    assert_eq!(changes(&stage), ["PATCH /api/stock_availables?"]);
    assert_eq!(
        stage.shop.row("stock_availables", 2).unwrap()["quantity"],
        "9"
    );
    let row = stage.shop.row("stock_availables", 1).unwrap();
    assert_eq!(
        (&row["out_of_stock"], &row["id_product"]),
        (&json!("2"), &json!("1"))
    );
}

#[tokio::test]
async fn one_bad_item_fails_alone() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    // Below what the shop takes without a word of what is wrong with it.
    stage.shop.spoil_stock(7);
    let writes = [
        set("1", "4"),
        set("99", "1"),
        set("3", "1"),
        set("2", "1"),
        set("5", "1.5"),
        set("5", "8"),
        set("6", "9"),
        set("7", "10"),
        set("1", "4"),
    ];
    let results = stage.plain().write(&writes).await;
    let shown: Vec<String> = results
        .into_iter()
        .map(|result| match result {
            Ok(written) => line(written.seen.as_ref().unwrap()),
            Err(fault) => format!("{:?} {:?}", fault.next, fault.code),
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 MUG 4",
            "Gone RecordGone",
            "Refused WrongState",
            "Refused WrongState",
            "Refused BadValue",
            "Refused Refused",
            "6 TRAY 9",
            "7 JAR 10",
            "1 MUG 4"
        ]
    );
}

#[tokio::test]
async fn a_sale_beside_the_write_is_left_to_the_next_decision() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    // The second row is refused, and while the shop works on the call it sells a jar, whose turn was yet to come.
    stage.shop.spoil_stock(7);
    stage.shop.sell_meanwhile("JAR", 1);
    let results = stage
        .plain()
        .write(&[set("1", "4"), set("5", "8"), set("7", "10")])
        .await;
    assert!(results[0].is_ok());
    assert_eq!(fault(results[1].clone()).0, Next::Refused);
    assert_eq!(fault(results[2].clone()).0, Next::Moved);
    assert_eq!(stage.shop.stock("JAR"), Some(19));
}

#[tokio::test]
async fn a_failure_after_the_rows_were_written_is_a_success() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    stage.shop.fail_after_writes(1);
    let results = stage.plain().write(&[set("1", "4"), set("6", "9")]).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(changes(&stage).len(), 1);
    stage.shop.fail_after_writes(1);
    let results = stage.plain().write(&[set("1", "5")]).await;
    assert!(results[0].is_ok(), "{results:?}");
    assert_eq!(stage.shop.stock("MUG"), Some(5));
}

#[tokio::test]
async fn a_shop_before_8_gets_whole_rows_and_none_that_would_lose_something() {
    let stage = Stage::with(ShopOptions {
        now: at(NOW),
        version: "1.7.8.9".to_owned(),
        ..ShopOptions::default()
    })
    .await;
    offer(&stage);
    stage.shop.edit("stock_availables", 1, |row| {
        row.insert("location".to_owned(), json!("aisle <3> & 4"));
        row.insert("out_of_stock".to_owned(), json!("1"));
    });
    let before = stage.shop.row("stock_availables", 1).unwrap();
    let results = stage.plain().write(&[set("1", "4"), set("5", "8")]).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(changes(&stage), ["PUT /api/stock_availables?"]);
    let mut after = stage.shop.row("stock_availables", 1).unwrap();
    assert_eq!(after["quantity"], "4");
    after.insert("quantity".to_owned(), before["quantity"].clone());
    assert_eq!(after, before);
    // A field that a text does not hold cannot be sent back.
    stage.shop.edit("stock_availables", 1, |row| {
        row.insert("module_field".to_owned(), json!({"a": ["b"]}));
    });
    let sent = changes(&stage).len();
    let results = stage.plain().write(&[set("1", "6")]).await;
    assert_eq!(
        fault(results[0].clone()),
        (Next::Refused, Code::UnsupportedVersion)
    );
    assert_eq!(changes(&stage).len(), sent);
}

#[tokio::test]
async fn of_several_shops_only_the_one_of_the_connection_is_meant() {
    let stage = Stage::open(NOW).await;
    stage.shop.offer("MUG", Goods::Simple, 12);
    stage.shop.add(
        "stock_availables",
        json!({"id_product": 1, "id_product_attribute": 0, "id_shop": 2, "id_shop_group": 0, "quantity": 3, "depends_on_stock": 0,
            "out_of_stock": 2, "location": ""}),
    );
    let second = stage.connect(json!({"shop_id": 2}));
    assert_eq!(line(&all(&*second).await.0[0]), "1 MUG 3");
    assert!(second.write(&[set("1", "5")]).await[0].is_ok());
    assert_eq!(
        stage.shop.row("stock_availables", 1).unwrap()["quantity"],
        "12"
    );
    assert_eq!(
        stage.shop.row("stock_availables", 2).unwrap()["quantity"],
        "5"
    );
    let results = stage.plain().write(&[set("1", "6")]).await;
    assert_eq!(
        fault(results[0].clone()),
        (Next::Refused, Code::MissingSetting)
    );
}

#[tokio::test]
async fn a_stock_of_the_shops_own_warehouses_is_not_written() {
    let stage = Stage::open(NOW).await;
    offer(&stage);
    stage.shop.edit("stock_availables", 1, |row| {
        row.insert("depends_on_stock".to_owned(), json!("1"));
    });
    let results = stage.plain().write(&[set("1", "4"), set("6", "4")]).await;
    let refused = results[0].clone().unwrap_err();
    assert_eq!(
        (refused.next, refused.code),
        (Next::Refused, Code::WrongState)
    );
    assert!(refused.why.contains("warehouses"), "{refused}");
    assert!(results[1].is_ok());
}
