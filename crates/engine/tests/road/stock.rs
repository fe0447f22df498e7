//! Stock on its way back to the shop.

use crate::bench::{Bench, mug, order, total};
use crate::fakes::Fate;
use comptoir_engine::decide::Verdict;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, Order};
use comptoir_model::product::Component;
use comptoir_model::stock::{Level, Stock};

/// A bench with a stock flow; the ERP can promise ten mugs, and the shop does not know.
fn bench() -> Bench {
    let mut bench = Bench::new();
    bench.add_back(Kind::Stock);
    bench.erp.stock.stock("p0", "MUG", 10);
    bench.shop.stock.stock("1", "MUG", 0);
    bench
}

/// An order of so many mugs.
fn mugs(number: &str, quantity: i64) -> Order {
    let mut order = order(number, "ada@example.test");
    let mut line = mug("1", "10.00", "2.00");
    line.quantity = quantity.into();
    line.net *= line.quantity;
    line.subtotal = line.net;
    line.tax *= line.quantity;
    line.taxes[0].amount = line.tax;
    order.lines = vec![line];
    total(&mut order);
    order
}

fn shown(bench: &Bench) -> Decimal {
    bench.shop.stock.available("1")
}

#[tokio::test]
async fn the_shop_shows_what_the_erp_can_promise_and_then_nothing_more_is_written() {
    let bench = bench();
    bench.run().await;
    assert_eq!(shown(&bench), 10.into());
    assert_eq!(bench.shop.puts(), 1);
    for _ in 0..10 {
        bench.run().await;
    }
    assert_eq!(bench.shop.puts(), 1);
    assert_eq!(bench.stands_in("stock", Kind::Stock, "p0").await, "done -");
}

#[tokio::test]
async fn a_sale_needs_no_write_before_the_erp_has_it_nor_after() {
    let mut bench = bench();
    bench.run().await;
    bench.shop.sell("1", mugs("1042", 3));
    bench.put("1", mugs("1042", 3));
    bench.run().await;
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.erp.stock.available("p0"), 7.into());
    assert_eq!(shown(&bench), 7.into());
    assert_eq!(
        bench.shop.puts(),
        1,
        "the shop had taken them off by itself"
    );
}

#[tokio::test]
async fn a_held_order_is_taken_off_and_one_that_is_filtered_out_is_not() {
    let mut bench = bench();
    let mut held = mugs("1042", 4);
    held.lines[0].taxes[0].code = "NO-ROW".to_owned();
    bench.put("1", held.clone());
    let mut pending = mugs("1043", 2);
    pending.status.word = "pending".to_owned();
    bench.put("2", pending);
    bench.run().await;
    assert_eq!(bench.stands("1").await, "held row:tax:NO-ROW");
    assert_eq!(shown(&bench), 6.into());
    // Called off by its buyer, it takes nothing any more.
    held.status.life = Life::Cancelled;
    bench.put("1", held);
    bench.run().await;
    assert_eq!(shown(&bench), 10.into());
}

#[tokio::test]
async fn orders_that_were_held_before_the_flow_of_stock_came_are_taken_off() {
    let mut bench = bench();
    let flow = bench.back.remove(0);
    let mut held = mugs("1042", 4);
    held.lines[0].taxes[0].code = "NO-ROW".to_owned();
    bench.put("1", held);
    bench.put("2", mugs("1043", 1));
    bench.run().await;
    assert_eq!(bench.stands("1").await, "held row:tax:NO-ROW");
    bench.back.push(flow);
    bench.run().await;
    // The ERP has reserved one of its ten, and four are on their way.
    assert_eq!(shown(&bench), 5.into());
}

#[tokio::test]
async fn a_right_that_is_missing_for_stock_stops_no_order() {
    let mut bench = bench();
    let refused = Fault::locked(Code::MissingRight, "the user may not read stock");
    bench.erp.stock.close(Some(refused));
    bench.put("1", mugs("1042", 1));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.shop.puts(), 0);
    assert_eq!(
        bench.erp.stock.asked(),
        1,
        "a refusal is not asked for again at once"
    );
}

#[tokio::test]
async fn a_dismissed_order_takes_nothing() {
    let mut bench = bench();
    let mut held = mugs("1042", 4);
    held.lines[0].taxes[0].code = "NO-ROW".to_owned();
    bench.put("1", held);
    bench.run().await;
    assert_eq!(shown(&bench), 6.into());
    bench.answer("1", Verdict::Keep).await;
    bench.run().await;
    assert_eq!(bench.stands("1").await, "skipped dismissed");
    assert_eq!(shown(&bench), 10.into());
}

#[tokio::test]
async fn buffer_share_and_places_are_the_flows() {
    let mut bench = bench();
    let two = Stock {
        sku: "MUG".to_owned(),
        managed: true,
        levels: [("w1", 11), ("w2", 500)]
            .map(|(place, left)| Level {
                location: Some(place.into()),
                ..Level::pool(left.into())
            })
            .to_vec(),
        ..Stock::default()
    };
    bench.erp.stock.put("p0", Document::Stock(two));
    let flow = &mut bench.back[0];
    flow.stock.buffer = 2.into();
    flow.stock.share = "0.5".parse().unwrap();
    flow.stock.locations = vec!["Somewhere".to_owned()];
    bench.run().await;
    let held = bench.stands_in("stock", Kind::Stock, "p0").await;
    assert_eq!(
        held, "held setting:stock.locations",
        "a place that the ERP does not have is no empty place"
    );
    bench.back[0].stock.locations = vec!["Main".to_owned()];
    let store = bench.store().await;
    let name = "erp".parse().unwrap();
    let mut account = store
        .connection(&name)
        .await
        .unwrap()
        .and_then(|row| row.account)
        .unwrap_or_else(|| crate::fakes::account("erp"));
    account.choices.insert(
        "warehouses".to_owned(),
        vec![crate::fakes::choice("w1", "Main")],
    );
    store.set_account(&name, &account).await.unwrap();
    store.reconsider(&"stock".parse().unwrap()).await.unwrap();
    drop(store);
    bench.run().await;
    // (11 - 2) × 0.5, down.
    assert_eq!(shown(&bench), 4.into());
}

#[tokio::test]
async fn a_kit_shows_what_its_scarcest_component_makes_and_its_orders_take_components() {
    let mut bench = bench();
    let part = |product: &str, quantity: &str| Component {
        product: product.into(),
        quantity: quantity.parse().unwrap(),
    };
    let kit = Stock {
        sku: "SET".to_owned(),
        managed: true,
        components: vec![part("p0", "2"), part("p1", "0.1")],
        ..Stock::default()
    };
    bench.erp.stock.put("kit", Document::Stock(kit));
    bench.erp.stock.stock("p1", "CUP", 7);
    bench.shop.stock.stock("set", "SET", 0);
    bench.shop.stock.stock("2", "CUP", 0);
    bench.run().await;
    assert_eq!(bench.shop.stock.available("set"), 5.into());
    // An order of one set that the ERP does not have yet: two mugs fewer, and one set fewer.
    let mut set = mugs("1042", 1);
    set.lines[0].sku = "SET".to_owned();
    set.lines[0].taxes[0].code = "NO-ROW".to_owned();
    bench.put("1", set);
    bench.run().await;
    assert_eq!(bench.stands("1").await, "held row:tax:NO-ROW");
    assert_eq!(shown(&bench), 8.into());
    assert_eq!(bench.shop.stock.available("set"), 4.into());
    // A component runs out.
    bench.erp.stock.take("CUP", 7.into());
    bench.run().await;
    assert_eq!(bench.shop.stock.available("set"), 0.into());
}

#[tokio::test]
async fn translated_copies_are_written_each_and_what_the_shop_does_not_count_is_left_alone() {
    let bench = bench();
    bench.shop.stock.stock("1-fr", "MUG", 3);
    bench.shop.stock.stock("1-de", "MUG", 3);
    bench
        .shop
        .stock
        .change(&"1-de".into(), false, |stock| stock.managed = false);
    bench.run().await;
    assert_eq!(shown(&bench), 10.into());
    assert_eq!(bench.shop.stock.available("1-fr"), 10.into());
    assert_eq!(bench.shop.stock.available("1-de"), 3.into());
}

#[tokio::test]
async fn a_thousand_changes_while_the_shop_is_down_are_one_write_of_the_present_value() {
    let bench = bench();
    bench.run().await;
    bench
        .shop
        .down(Some(Fault::later(Code::Unreachable, "no answer")));
    for left in 0..1_000 {
        bench.erp.stock.stock("p0", "MUG", left);
        if left % 100 == 0 {
            bench.run().await;
        }
    }
    bench.shop.down(None);
    let before = bench.shop.puts();
    bench.run().await;
    assert_eq!(shown(&bench), 999.into());
    assert_eq!(bench.shop.puts() - before, 1);
}

#[tokio::test]
async fn one_bad_item_stops_no_other_and_a_lost_answer_is_written_again() {
    let bench = bench();
    bench.erp.stock.stock("p1", "CUP", 5);
    bench.shop.stock.stock("2", "CUP", 0);
    let refused = Fate::Instead(Fault::refused(Code::Refused, "this item is locked"));
    bench.shop.next([refused, Fate::dropped(), Fate::lost()]);
    bench.run().await;
    assert_eq!(
        bench.stands_in("stock", Kind::Stock, "p0").await,
        "held refused:CMP-0300"
    );
    assert_eq!(bench.stands_in("stock", Kind::Stock, "p1").await, "done -");
    assert_eq!(bench.shop.stock.available("2"), 5.into());
}

#[tokio::test]
async fn a_warehouse_that_looks_empty_does_not_empty_the_shop() {
    let bench = bench();
    let name = |number: usize| format!("SKU-{number}");
    for number in 0..40 {
        bench
            .erp
            .stock
            .stock(&format!("e{number}"), &name(number), 5);
        bench
            .shop
            .stock
            .stock(&format!("s{number}"), &name(number), 1);
    }
    bench.run().await;
    for number in 0..40 {
        bench.erp.stock.stock(
            &format!("e{number}"),
            &name(number),
            if number < 30 { 0 } else { 6 },
        );
    }
    bench.run().await;
    assert_eq!(
        bench.stands_in("stock", Kind::Stock, "e0").await,
        "held zeros:stock"
    );
    assert_eq!(
        bench.shop.stock.available("s0"),
        5.into(),
        "not one of them was emptied"
    );
    assert_eq!(
        bench.shop.stock.available("s35"),
        6.into(),
        "what does not go to zero is written"
    );
    // It was a mistake, and is right again: resuming writes nothing to zero.
    for number in 0..30 {
        bench
            .erp
            .stock
            .stock(&format!("e{number}"), &name(number), 5);
    }
    bench.store().await.resume("zeros:stock").await.unwrap();
    bench.run().await;
    assert_eq!(bench.stands_in("stock", Kind::Stock, "e0").await, "done -");
    // Few may go to zero at any time.
    bench.erp.stock.stock("e1", &name(1), 0);
    bench.run().await;
    assert_eq!(bench.shop.stock.available("s1"), 0.into());
}

#[tokio::test]
async fn a_reading_of_everything_finds_what_no_change_told_of() {
    let mut bench = bench();
    bench.run().await;
    bench.shop.stock.change(&"1".into(), true, |stock| {
        stock.levels = vec![Level::pool(55.into())]
    });
    bench.erp.stock.remove("p0");
    bench.erp.stock.stock("p9", "MUG", 8);
    bench.run().await;
    // Another flow reads everything anew, as every night does.
    bench.back.push({
        let mut more = bench.back[0].clone();
        more.name = "night".parse().unwrap();
        more
    });
    bench.back.remove(0);
    bench.run().await;
    assert_eq!(shown(&bench), 8.into());
}

#[tokio::test]
async fn a_shadow_flow_writes_nothing_and_says_so() {
    let mut bench = bench();
    bench.back[0].mode = comptoir_engine::flow::Mode::Shadow;
    bench.run().await;
    assert_eq!(bench.shop.puts(), 0);
    assert_eq!(
        bench.stands_in("stock", Kind::Stock, "p0").await,
        "waiting mode:shadow"
    );
}
