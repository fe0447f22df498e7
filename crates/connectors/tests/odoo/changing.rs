//! Changing, confirming and cancelling what is there.

use crate::given::*;
use crate::server::{Server, Trouble};
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::Kind;
use comptoir_model::order::{Life, Line, LineKind};
use comptoir_model::port::{Record, Seen, Step, Write, Written};
use serde_json::json;

#[tokio::test]
async fn confirming_twice_is_confirmed_and_keeps_the_shops_date() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let confirm = next(&write, Step::Confirm, &seen);
        for _ in 0..2 {
            let now = one(&*connector, &confirm).await.unwrap().seen.unwrap();
            assert_eq!(held(&now).status.life, Life::Open);
            assert_eq!(
                held(&now).dates.placed,
                Some("2026-10-25T00:30:00Z".parse().unwrap())
            );
        }
        // The answer is lost, then asked for by the state.
        let write = create("2", order("1002"));
        let seen = created(&*connector, &write).await;
        server
            .erp()
            .troubles
            .push(("sale.order.action_confirm".to_owned(), Trouble::Lost));
        let confirm = next(&write, Step::Confirm, &seen);
        assert_eq!(
            one(&*connector, &confirm).await.unwrap_err().next,
            Next::Unknown
        );
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        let Seen::Record(now) = &read[0] else {
            panic!("{read:?}")
        };
        assert_eq!(held(now).status.life, Life::Open);
        assert!(one(&*connector, &confirm).await.is_ok());
    }
}

#[tokio::test]
async fn nothing_is_done_to_an_order_that_moved() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let lines = server.erp().lines_of(number(&seen.id))[0]["id"]
            .as_i64()
            .unwrap();
        // A line's text alone does not touch the order's own time.
        server
            .erp()
            .edit("sale.order.line", lines, json!({"name": "by hand"}));
        for step in [Step::Confirm, Step::Cancel] {
            let fault = one(&*connector, &next(&write, step, &seen))
                .await
                .unwrap_err();
            assert_eq!((fault.next, fault.code), (Next::Moved, Code::TargetMoved));
        }
        assert_eq!(
            server.erp().get("sale.order", number(&seen.id))["state"],
            "draft"
        );
        // A person changed and confirmed it: not taken for our confirmation.
        server
            .erp()
            .edit("sale.order", number(&seen.id), json!({"state": "sale"}));
        let fault = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap_err();
        assert_eq!(fault.next, Next::Moved);
        server.erp().unlink("sale.order", number(&seen.id));
        let fault = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Gone, Code::RecordGone));
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        assert_eq!(read, [Seen::Gone(seen.id.clone())]);
    }
}

#[tokio::test]
async fn an_order_that_a_person_confirmed_in_the_same_second_has_moved() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let second = server.erp().get("sale.order", number(&seen.id))["write_date"].clone();
        let confirmed = json!({"state": "sale", "write_date": second});
        server.erp().edit("sale.order", number(&seen.id), confirmed);
        let mut update = next(&write, Step::Update, &seen);
        update.before = Some(update.document.clone());
        let fault = one(&*connector, &update).await.unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Moved, Code::TargetMoved));
    }
}

#[tokio::test]
async fn one_order_that_cannot_be_confirmed_stops_no_other() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut refused = order("1002");
        refused.origin = "refuse".to_owned();
        let orders = [order("1001"), refused, order("1003"), order("1004")];
        let writes: Vec<Write> = orders
            .into_iter()
            .enumerate()
            .map(|(at, order)| create(&at.to_string(), order))
            .collect();
        let made = connector.write(&writes).await;
        let mut confirms = Vec::new();
        for (write, made) in writes.iter().zip(&made) {
            confirms.push(next(
                write,
                Step::Confirm,
                made.as_ref().unwrap().seen.as_ref().unwrap(),
            ));
        }
        let id = number(confirms[3].target.as_ref().unwrap());
        server
            .erp()
            .edit("sale.order", id, json!({"state": "cancel"}));
        confirms[3].expects = None;
        let results = connector.write(&confirms).await;
        let codes: Vec<Option<Code>> = results
            .iter()
            .map(|result| result.as_ref().err().map(|f| f.code))
            .collect();
        assert_eq!(
            codes,
            [None, Some(Code::WrongState), None, Some(Code::WrongState)]
        );
    }
}

#[tokio::test]
async fn a_confirmed_order_is_cancelled_without_a_question() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let open = one(&*connector, &next(&write, Step::Confirm, &seen))
            .await
            .unwrap()
            .seen
            .unwrap();
        for _ in 0..2 {
            let gone = one(&*connector, &next(&write, Step::Cancel, &open))
                .await
                .unwrap()
                .seen
                .unwrap();
            assert_eq!(held(&gone).status.life, Life::Cancelled);
        }
    }
}

#[tokio::test]
async fn an_update_writes_what_differs_and_leaves_what_people_added() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let write = create("1", order("1001"));
        let seen = created(&*connector, &write).await;
        let id = number(&seen.id);
        server.erp().put(
            "sale.order.line",
            json!({"order_id": [id, "x"], "name": "by hand", "product_id": [61, "x"],
            "product_uom_qty": 1.0, "price_unit": 1.0}),
        );
        server
            .erp()
            .edit("sale.order", id, json!({"origin": "by hand"}));
        let read = connector
            .read(Kind::Order, std::slice::from_ref(&seen.id))
            .await
            .unwrap();
        let Seen::Record(now) = &read[0] else {
            panic!("{read:?}")
        };
        let mut after = order("1001");
        after.reference = "1001-B".to_owned();
        after.lines.remove(1);
        after.lines[0].quantity = dec("4");
        after.lines.push(line("line-5", "62", "1", "2"));
        let update = Write {
            document: Document::Order(Box::new(after)),
            before: Some(Document::Order(Box::new(order("1001")))),
            ..next(&write, Step::Update, now)
        };
        let done = one(&*connector, &update).await.unwrap().seen.unwrap();
        let texts: Vec<&str> = held(&done)
            .lines
            .iter()
            .map(|line| line.title.as_str())
            .collect();
        assert_eq!(
            texts,
            ["Line line-1", "Line shipping-1", "by hand", "Line line-5"]
        );
        assert_eq!(held(&done).lines[0].quantity, dec("4"));
        // A quantity that changes brings the list price back unless the price is said with it.
        assert_eq!(held(&done).lines[0].unit_price, dec("15"));
        assert_eq!(held(&done).reference, "1001-B");
        assert_eq!(held(&done).origin, "by hand");
        assert!(server.erp().by_key("shop-fr__order__1__line-2").is_none());
        assert!(server.erp().by_key("shop-fr__order__1__line-5").is_some());
        // Decided on what is no longer so.
        assert_eq!(
            one(&*connector, &update).await.unwrap_err().next,
            Next::Moved
        );
    }
}

#[tokio::test]
async fn rounding_lines_of_many_orders_go_in_one_call() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let writes: Vec<Write> = (0..5)
            .map(|n| create(&n.to_string(), order(&n.to_string())))
            .collect();
        let made = connector.write(&writes).await;
        let rounded = |seen: &Record, amounts: [&str; 2], write: &Write| {
            let with = |amount: &str| {
                let mut order = held(seen).clone();
                order.lines.clear();
                if amount != "0" {
                    let rounding = line("rounding", "64", "1", amount);
                    order.lines.push(Line {
                        taxes: Vec::new(),
                        kind: LineKind::Rounding,
                        ..rounding
                    });
                }
                Document::Order(Box::new(order))
            };
            Write {
                document: with(amounts[1]),
                before: Some(with(amounts[0])),
                ..next(write, Step::Update, seen)
            }
        };
        let seen = |result: &Result<Written, Fault>| result.as_ref().unwrap().seen.clone().unwrap();
        let updates: Vec<Write> = writes
            .iter()
            .zip(&made)
            .map(|(write, made)| rounded(&seen(made), ["0", "0.02"], write))
            .collect();
        server.erp().calls.clear();
        let done = connector.write(&updates).await;
        let loads = server
            .erp()
            .calls
            .iter()
            .filter(|call| call.ends_with(".load"))
            .count();
        assert_eq!(loads, 1);
        assert!(
            !server
                .erp()
                .calls
                .iter()
                .any(|call| call == "sale.order.write")
        );
        for result in &done {
            let order = seen(result);
            assert_eq!(held(&order).totals.total, dec("89.72"));
            assert_eq!(held(&order).lines[3].kind, LineKind::Rounding);
        }
        let change = rounded(&seen(&done[0]), ["0.02", "-0.01"], &writes[0]);
        let changed = one(&*connector, &change).await.unwrap().seen.unwrap();
        assert_eq!(held(&changed).totals.total, dec("89.69"));
        let remove = rounded(&changed, ["-0.01", "0"], &writes[0]);
        let removed = one(&*connector, &remove).await.unwrap().seen.unwrap();
        assert_eq!(held(&removed).totals.total, dec("89.70"));
        assert_eq!(held(&removed).lines.len(), 3);
    }
}

#[tokio::test]
async fn an_update_that_is_refused_leaves_nothing_half_done() {
    let server = Server::start(19).await;
    let connector = open(&server);
    let write = create("1", order("1001"));
    let seen = created(&*connector, &write).await;
    let mut after = order("1001");
    after.reference = "1001-B".to_owned();
    after.lines.push(line("line-5", "62", "1", "2"));
    let update = Write {
        document: Document::Order(Box::new(after)),
        before: Some(Document::Order(Box::new(order("1001")))),
        ..next(&write, Step::Update, &seen)
    };
    let refused = Trouble::Refused("odoo.exceptions.UserError");
    server
        .erp()
        .troubles
        .push(("sale.order.write".to_owned(), refused));
    let fault = one(&*connector, &update).await.unwrap_err();
    assert_eq!((fault.next, fault.code), (Next::Refused, Code::Refused));
    assert_eq!(server.erp().lines_of(number(&seen.id)).len(), 3);
}
