//! Answers that never came, and calls that never arrived.

use crate::bench::{Bench, order};
use crate::fakes::Fate;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::port::Step;

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_not_repeated() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    bench.erp.next(Kind::Order, Step::Create, [Fate::lost()]);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.orders().len(), 2);
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn a_create_that_never_arrived_is_made_after_its_settle_time() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    bench.erp.next(Kind::Order, Step::Create, [Fate::dropped()]);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.orders().len(), 2);
    insta::assert_snapshot!(bench.state().await, @r"
    1: done - tries 0
      link o4 Live
      create dropped
      create proved
      confirm proved
    2: done - tries 0
      link o3 Live
      create proved
      confirm proved
    ");
}

#[tokio::test]
async fn a_confirm_whose_answer_is_lost_is_seen_in_the_state() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    bench.erp.next(Kind::Order, Step::Confirm, [Fate::lost()]);
    assert_eq!(bench.run().await, None);
    let confirms = bench
        .erp
        .log()
        .iter()
        .filter(|line| line.starts_with("confirm"))
        .count();
    assert_eq!(confirms, 2, "one each: {:?}", bench.erp.log());
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn a_guest_waits_while_the_account_with_the_same_address_may_be_under_way() {
    let mut bench = Bench::new();
    let mut with_account = order("1001", "same@example.test");
    with_account.customer = Some("42".into());
    bench.put("1", with_account);
    bench.put("2", order("1002", "Same@Example.test"));
    bench.put("3", order("1003", "other@example.test"));
    bench.erp.next(Kind::Customer, Step::Create, [Fate::lost()]);
    assert_eq!(bench.run().await, None);
    let same = bench
        .erp
        .emails()
        .iter()
        .filter(|email| email.to_lowercase().starts_with("same"))
        .count();
    assert_eq!(same, 1, "{:?}", bench.erp.log());
    assert_eq!(bench.erp.orders().len(), 3);
}

#[tokio::test]
async fn one_record_that_fails_while_others_pass_is_held_after_some_tries() {
    let mut bench = Bench::new();
    for (id, number) in [("1", "1001"), ("2", "1002")] {
        bench.put(id, order(number, &format!("{id}@example.test")));
    }
    let failing = || Fate::Instead(Fault::later(Code::Contention, "someone else writes"));
    let fates = [failing(), Fate::Well, failing(), failing(), failing()];
    bench.erp.next(Kind::Order, Step::Create, fates);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held tries:CMP-0206");
    assert_eq!(bench.stands("2").await, "done -");
}

#[tokio::test]
async fn when_everything_fails_the_connection_pauses_and_no_tries_count() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    bench.erp.down(Fault::later(Code::Unreachable, "down"));
    for _ in 0..5 {
        assert_eq!(
            bench.run().await.map(|fault| fault.code),
            Some(Code::Unreachable)
        );
    }
    assert_eq!(bench.stands("1").await, "due -");
    bench.erp.up();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.stands("2").await, "done -");
}

#[tokio::test]
async fn a_refused_order_is_held_alone_and_its_buyer_stays() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    let refused = Fate::Instead(Fault::refused(Code::Refused, "no").at("note"));
    bench.erp.next(Kind::Order, Step::Create, [refused]);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held refused:CMP-0300");
    assert_eq!(bench.stands("2").await, "done -");
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.erp.emails().len(), 2);
}
