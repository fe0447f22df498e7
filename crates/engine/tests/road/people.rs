//! People work on both sides by hand: nothing of theirs is overwritten, nothing they deleted comes back.

use crate::bench::{Bench, mug, order, total};
use comptoir_engine::decide::Verdict;
use comptoir_engine::point::Point;
use comptoir_model::Decimal;
use comptoir_model::order::{Life, Order};
use comptoir_rules::policy::{Confirm, OnChange};

async fn imported(bench: &Bench) -> comptoir_model::key::RemoteId {
    assert_eq!(bench.run().await, None);
    bench.erp.orders()[0].0.clone()
}

fn dearer(mut order: Order) -> Order {
    order.lines.push(mug("9", "5.00", "1.00"));
    total(&mut order);
    order
}

#[tokio::test]
async fn a_draft_that_a_person_edited_is_held_when_the_shop_changes_too() {
    let mut bench = Bench::new();
    bench.flow.policy.confirm = Confirm::Never;
    bench.put("1", order("1001", "a@example.test"));
    let id = imported(&bench).await;
    bench
        .erp
        .edit(&id, |order| order.note = "call before".to_owned());
    bench.put("1", dearer(order("1001", "a@example.test")));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held edited:order");
    assert_eq!(bench.erp.orders()[0].1.note, "call before");
    assert_eq!(bench.erp.orders()[0].1.lines.len(), 1);
}

#[tokio::test]
async fn an_edit_made_before_we_learnt_of_our_own_create_is_held_too() {
    let mut bench = Bench::new();
    bench.flow.policy.confirm = Confirm::Never;
    bench.put("1", order("1001", "a@example.test"));
    // The buyer's create, and then the order's own: done, and its answer never stored.
    assert!(bench.run_until(Point::Called, 1).await);
    let (id, _) = bench.erp.orders()[0].clone();
    bench.erp.edit(&id, |order| {
        order.lines[0].quantity = Decimal::from(3);
        order.lines[0].net = Decimal::from(30);
        order.lines[0].tax = Decimal::from(6);
        total(order);
    });
    let mut changed = order("1001", "a@example.test");
    changed.lines[0].quantity = Decimal::from(2);
    changed.lines[0].net = Decimal::from(20);
    changed.lines[0].tax = Decimal::from(4);
    total(&mut changed);
    bench.put("1", changed);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held edited:order");
    let held = &bench.erp.orders()[0].1;
    assert_eq!(held.lines[0].quantity, Decimal::from(3));
}

#[tokio::test]
async fn a_draft_that_nobody_touched_follows_the_shop() {
    let mut bench = Bench::new();
    bench.flow.policy.confirm = Confirm::Never;
    bench.put("1", order("1001", "a@example.test"));
    imported(&bench).await;
    bench.put("1", dearer(order("1001", "a@example.test")));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    let total = bench.erp.orders()[0].1.totals.total;
    assert_eq!(total, Decimal::from(18));
    // And a line that the shop takes away again is really removed.
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.orders()[0].1.lines.len(), 1);
}

#[tokio::test]
async fn a_confirmed_order_is_not_changed_but_proposed() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    imported(&bench).await;
    let writes = bench.erp.writes();
    bench.put("1", dearer(order("1001", "a@example.test")));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held changed:order");
    assert_eq!(bench.erp.writes(), writes);
}

#[tokio::test]
async fn what_a_person_deleted_is_not_made_again() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    let id = imported(&bench).await;
    bench.erp.delete(&id);
    let mut cancelled = order("1001", "a@example.test");
    cancelled.status.word = "cancelled".to_owned();
    cancelled.status.life = Life::Cancelled;
    bench.flow.policy.cancellations.confirmed = OnChange::Apply;
    bench.put("1", cancelled);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held gone:target");
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert!(bench.erp.orders().is_empty());
}

#[tokio::test]
async fn a_cancellation_is_applied_where_the_policy_says_so() {
    for (choice, expected, life) in [
        (OnChange::Propose, "held cancelled:source", Life::Open),
        (OnChange::Apply, "done -", Life::Cancelled),
        (OnChange::Ignore, "done -", Life::Open),
    ] {
        let mut bench = Bench::new();
        bench.flow.policy.cancellations.confirmed = choice;
        bench.put("1", order("1001", "a@example.test"));
        imported(&bench).await;
        let mut cancelled = order("1001", "a@example.test");
        cancelled.status.word = "cancelled".to_owned();
        cancelled.status.life = Life::Cancelled;
        bench.put("1", cancelled);
        assert_eq!(bench.run().await, None);
        assert_eq!(bench.stands("1").await, expected);
        assert_eq!(bench.erp.orders()[0].1.status.life, life);
    }
}

#[tokio::test]
async fn a_refund_of_an_imported_order_is_held_in_words() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    imported(&bench).await;
    let mut refunded = order("1001", "a@example.test");
    refunded.refunds.push(comptoir_model::order::RefundMention {
        id: "77".into(),
        amount: Decimal::from(5),
    });
    bench.put("1", refunded);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held flow:refund");
}

#[tokio::test]
async fn a_customer_deleted_by_hand_does_not_stop_the_next_order() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    imported(&bench).await;
    bench.erp.delete_customers();
    bench.put("2", order("1002", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("2").await, "done -");
    assert_eq!(bench.erp.emails(), ["a@example.test"]);
}

#[tokio::test]
async fn a_person_may_have_a_deleted_order_made_again_or_leave_it() {
    for (verdict, orders, expected) in [
        (Verdict::CreateAgain, 1, "done -"),
        (Verdict::Keep, 0, "done -"),
    ] {
        let mut bench = Bench::new();
        bench.put("1", order("1001", "a@example.test"));
        let id = imported(&bench).await;
        bench.erp.delete(&id);
        bench.flow.policy.changes.confirmed = OnChange::Apply;
        bench.put("1", dearer(order("1001", "a@example.test")));
        assert_eq!(bench.run().await, None);
        assert_eq!(bench.stands("1").await, "held gone:target");
        bench.answer("1", verdict).await;
        assert_eq!(bench.run().await, None);
        assert_eq!(bench.stands("1").await, expected, "{verdict:?}");
        assert_eq!(bench.erp.orders().len(), orders, "{verdict:?}");
    }
}

#[tokio::test]
async fn a_proposed_change_is_written_once_a_person_says_so() {
    for (verdict, total) in [(Verdict::Apply, 18), (Verdict::Keep, 12)] {
        let mut bench = Bench::new();
        bench.put("1", order("1001", "a@example.test"));
        imported(&bench).await;
        bench.put("1", dearer(order("1001", "a@example.test")));
        assert_eq!(bench.run().await, None);
        assert_eq!(bench.stands("1").await, "held changed:order");
        bench.answer("1", verdict).await;
        assert_eq!(bench.run().await, None);
        assert_eq!(bench.stands("1").await, "done -", "{verdict:?}");
        let held = bench.erp.orders()[0].1.totals.total;
        assert_eq!(held, Decimal::from(total), "{verdict:?}");
    }
}

#[tokio::test]
async fn a_total_that_a_person_corrected_goes_on_after_resume() {
    let mut bench = Bench::new();
    bench.erp.off_by("-0.10".parse().unwrap());
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held total:order");
    bench.erp.off_by("0".parse().unwrap());
    let id = bench.erp.orders()[0].0.clone();
    bench
        .erp
        .edit(&id, |order| order.totals.total = Decimal::from(12));
    bench.store().await.resume("total:order").await.unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn a_linked_draft_is_not_cancelled_when_the_shop_becomes_unreadable() {
    let mut bench = Bench::new();
    bench.flow.policy.confirm = Confirm::Never;
    bench.put("1", order("1001", "a@example.test"));
    imported(&bench).await;
    bench.put_unreadable("1");
    assert_eq!(bench.run().await, None);
    let life = bench.erp.orders()[0].1.status.life;
    assert_eq!(
        (bench.stands("1").await.as_str(), life),
        ("held unreadable:order", Life::Draft)
    );
}
