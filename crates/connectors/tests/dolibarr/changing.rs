//! Updates, confirmation and cancellation, while people work in the same orders.

use crate::given::*;
use crate::served::{Served, VERSIONS};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::order::{Life, Line, LineKind, Order};
use comptoir_model::port::{Record, Step, Write};
use comptoir_sim::dolibarr::Trouble;
use serde_json::json;

/// A served order, and what was decided of it.
async fn made(version: u32) -> (Served, Write, Order, Record) {
    let served = Served::of(version).await;
    let customer = served.customer("a").await;
    let order = served.order("1001", &customer, None);
    let write = create("1", order.clone());
    let seen = created(&*served.connector, &write).await;
    (served, write, order, seen)
}

#[tokio::test]
async fn an_update_writes_what_differs_and_leaves_a_person_s_line() {
    for version in VERSIONS {
        let (served, write, before, seen) = made(version).await;
        let mut after = before.clone();
        after.lines[0].quantity = dec("2");
        after.lines.remove(1);
        after
            .lines
            .push(line("line-3", &served.products[0], "1", "1", "20"));
        after.note = "autre".to_owned();
        let changed = one(&*served.connector, &change(&write, &seen, &before, &after)).await;
        let changed = changed.unwrap().seen.unwrap();
        assert_eq!(held(&changed).note, "autre");
        let kept = served.erp.orders().remove(0);
        let lines: Vec<(&str, String, String)> = kept
            .lines
            .iter()
            .map(|line| {
                (
                    line.key.as_str(),
                    line.quantity.to_string(),
                    line.price.normalize().to_string(),
                )
            })
            .collect();
        let expected = [
            ("line-1", "2", "10.33333"),
            ("shipping-1", "1", "6.9"),
            ("line-3", "1", "1"),
        ];
        assert_eq!(
            lines,
            expected.map(|(key, quantity, price)| (key, quantity.to_owned(), price.to_owned()))
        );
        // Nothing is written a second time.
        let writes = served.erp.calls().len();
        one(
            &*served.connector,
            &change(&write, &changed, &after, &after),
        )
        .await
        .unwrap();
        let more = served.erp.calls().split_off(writes);
        assert!(more.iter().all(|call| call.starts_with("GET")), "{more:?}");
    }
}

#[tokio::test]
async fn a_rounding_line_comes_changes_and_goes() {
    let (served, write, _, seen) = made(17).await;
    let with = |amount: &str| {
        let mut order = held(&seen).clone();
        order.lines = vec![Line {
            kind: LineKind::Rounding,
            taxes: Vec::new(),
            ..line("rounding", &served.products[2], "1", amount, "0")
        }];
        order
    };
    let mut none = held(&seen).clone();
    none.lines.clear();
    let mut now = seen.clone();
    for (before, after, total) in [
        (none.clone(), with("0.01"), "69.21"),
        (with("0.01"), with("-0.02"), "69.18"),
        (with("-0.02"), none.clone(), "69.20"),
    ] {
        let written = one(&*served.connector, &change(&write, &now, &before, &after)).await;
        now = written.unwrap().seen.unwrap();
        assert_eq!(held(&now).totals.total, dec(total));
    }
    assert_eq!(held(&now).lines.len(), 3);
}

#[tokio::test]
async fn half_an_update_is_taken_back() {
    let (served, write, before, seen) = made(17).await;
    let mut after = before.clone();
    after.lines[0].quantity = dec("2");
    after.lines.remove(1);
    after
        .lines
        .push(line("line-3", &served.products[0], "1", "1", "20"));
    for call in ["DELETE orders/*/lines/*", "PUT orders/*/lines/*"] {
        served.erp.trouble(call, Trouble::Deadlock);
    }
    for _ in 0..2 {
        let total = served.erp.orders()[0].total;
        let now = created(&*served.connector, &write).await;
        let fault = one(&*served.connector, &change(&write, &now, &before, &after))
            .await
            .unwrap_err();
        assert_eq!(fault.code, Code::Contention);
        let order = served.erp.orders().remove(0);
        assert_eq!((order.total, order.lines.len()), (total, 3));
    }
    assert_eq!(served.erp.orders()[0].total, held(&seen).totals.total);
}

#[tokio::test]
async fn what_a_person_changed_in_between_is_not_overwritten() {
    let (served, write, before, seen) = made(17).await;
    served.erp.freeze(true);
    served
        .erp
        .edit("orders", 1, "note_public", json!("un mot de plus"));
    let mut after = before.clone();
    after.note = "autre".to_owned();
    for step in [
        change(&write, &seen, &before, &after),
        next(&write, Step::Confirm, &seen),
        next(&write, Step::Cancel, &seen),
    ] {
        let fault = one(&*served.connector, &step).await.unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Moved, Code::TargetMoved));
    }
    assert_eq!(served.erp.orders()[0].state, 0);
}

#[tokio::test]
async fn an_order_is_confirmed_once_and_its_lines_then_stand() {
    for version in VERSIONS {
        let (served, write, before, seen) = made(version).await;
        let confirm = next(&write, Step::Confirm, &seen);
        let confirmed = one(&*served.connector, &confirm)
            .await
            .unwrap()
            .seen
            .unwrap();
        assert_eq!(
            (
                held(&confirmed).status.life,
                held(&confirmed).number.as_str()
            ),
            (Life::Open, "CO2610-0001")
        );
        assert_eq!(
            one(&*served.connector, &confirm)
                .await
                .unwrap()
                .seen
                .unwrap(),
            confirmed
        );
        assert_eq!(served.calls("POST orders/*/validate"), 1);
        let mut after = before.clone();
        after.lines.remove(1);
        let late = one(
            &*served.connector,
            &change(&write, &confirmed, &before, &after),
        )
        .await;
        assert_eq!(late.unwrap_err().code, Code::WrongState);
        let mut noted = before.clone();
        noted.note = "autre".to_owned();
        let noted = one(
            &*served.connector,
            &change(&write, &confirmed, &before, &noted),
        )
        .await;
        assert_eq!(held(&noted.unwrap().seen.unwrap()).note, "autre");
    }
}

#[tokio::test]
async fn a_number_taken_twice_is_tried_again_and_a_lost_answer_is_read() {
    let (served, write, _, seen) = made(17).await;
    let confirm = next(&write, Step::Confirm, &seen);
    for (trouble, code) in [
        (Trouble::SameNumber, Code::Contention),
        (Trouble::Deadlock, Code::Contention),
        (Trouble::FailedBefore, Code::ServerError),
    ] {
        served.erp.trouble("POST orders/*/validate", trouble);
        let fault = one(&*served.connector, &confirm).await.unwrap_err();
        assert!(
            matches!(fault.next, Next::Later { .. }) && fault.code == code,
            "{fault:?}"
        );
        assert_eq!(served.erp.orders()[0].state, 0);
    }
    served
        .erp
        .trouble("POST orders/*/validate", Trouble::LostAfter);
    let done = one(&*served.connector, &confirm).await.unwrap();
    assert_eq!(held(&done.seen.unwrap()).status.life, Life::Open);
}

#[tokio::test]
async fn an_order_is_cancelled_from_any_state_before_it_is_shipped() {
    for version in VERSIONS {
        let (served, write, _, seen) = made(version).await;
        let draft = one(&*served.connector, &next(&write, Step::Cancel, &seen)).await;
        let cancelled = draft.unwrap().seen.unwrap();
        assert_eq!(held(&cancelled).status.life, Life::Cancelled);
        // Dolibarr itself would confirm it.
        let fault = one(&*served.connector, &next(&write, Step::Confirm, &cancelled)).await;
        assert_eq!(fault.unwrap_err().code, Code::WrongState);
        for (state, warehouse, drafts) in [("1", "0", 0), ("1", "1", 1), ("2", "0", 1)] {
            served.erp.edit("orders", 1, "statut", json!(state));
            served
                .erp
                .edit("orders", 1, "warehouse_id", json!(warehouse));
            let now = created(&*served.connector, &write).await;
            let result = one(&*served.connector, &next(&write, Step::Cancel, &now)).await;
            assert_eq!(served.calls("POST orders/*/settodraft"), drafts);
            match state {
                "1" => assert_eq!(
                    held(&result.unwrap().seen.unwrap()).status.life,
                    Life::Cancelled
                ),
                _ => assert_eq!(result.unwrap_err().code, Code::WrongState),
            }
        }
    }
}

#[tokio::test]
async fn an_order_that_is_gone_is_gone() {
    let (served, write, before, seen) = made(17).await;
    served.erp.delete("orders", 1);
    for step in [
        change(&write, &seen, &before, &before),
        next(&write, Step::Confirm, &seen),
        next(&write, Step::Cancel, &seen),
    ] {
        let fault = one(&*served.connector, &step).await.unwrap_err();
        assert_eq!(fault.next, Next::Gone);
    }
}
