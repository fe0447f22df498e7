//! Every record is always in exactly one state, and every state has its way out.

use crate::bench::{Bench, mug, order, total};
use comptoir_engine::flow::{Caps, Mode};
use comptoir_engine::plan::Plan;
use comptoir_engine::point::Point;
use comptoir_model::Decimal;
use comptoir_model::key::Kind;
use comptoir_model::order::LineTax;
use comptoir_store::{Commit, IdentityPut, PlanRow, PlanState};

#[tokio::test]
async fn each_trap_holds_its_own_order_only() {
    let mut bench = Bench::new();
    bench.put("1", order("1001", "a@example.test"));
    let mut unknown_sku = order("1002", "b@example.test");
    unknown_sku.lines[0].sku = "NOWHERE".to_owned();
    bench.put("2", unknown_sku);
    let mut unknown_tax = order("1003", "c@example.test");
    unknown_tax.lines[0].taxes = vec![LineTax {
        code: "VAT-5.5".to_owned(),
        amount: Decimal::from(2),
    }];
    bench.put("3", unknown_tax);
    let mut broken = order("1004", "d@example.test");
    broken.totals.total = Decimal::from(99);
    bench.put("4", broken);
    let mut pending = order("1005", "e@example.test");
    pending.status.word = "pending".to_owned();
    bench.put("5", pending);
    bench.put_unreadable("6");
    assert_eq!(bench.run().await, None);
    insta::assert_snapshot!(bench.state().await, @r"
    1: done - tries 0
      link o2 Live
      create proved
      confirm proved
    2: held match:product:NOWHERE tries 0
    3: held row:tax:VAT-5.5 tries 0
    4: held equation:order tries 0
    5: skipped status:pending tries 0
    6: held unreadable:order tries 0
    ");
}

#[tokio::test]
async fn a_table_row_wakes_what_waited_for_it() {
    let mut bench = Bench::new();
    let tables = std::mem::take(&mut bench.flow.policy.tables);
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "held row:tax:VAT-20");
    bench.flow.policy.tables = tables;
    bench.store().await.resume("row:tax:VAT-20").await.unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn a_cent_becomes_a_rounding_line_and_more_a_hold() {
    let mut bench = Bench::new();
    bench.erp.off_by("-0.01".parse().unwrap());
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    let (_, held) = bench.erp.orders().remove(0);
    assert_eq!(held.totals.total, Decimal::from(12));
    assert_eq!(
        held.lines.last().map(|line| line.id.as_str()),
        Some("rounding")
    );
    bench.erp.off_by("-0.10".parse().unwrap());
    bench.put("2", order("1002", "b@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("2").await, "held total:order");
}

#[tokio::test]
async fn the_product_of_the_rounding_line_is_asked_for_again_when_its_answer_is_old() {
    let mut bench = Bench::new();
    bench.erp.off_by("-0.01".parse().unwrap());
    bench.put("1", order("1001", "a@example.test"));
    assert!(bench.run_until(Point::Called, 1).await);
    let old = IdentityPut {
        dst: "erp".parse().unwrap(),
        kind: Kind::Product,
        attribute: "sku".to_owned(),
        value: "ROUNDING".to_owned(),
        ids: None,
        asked_at: Some(0),
        claimed_by: None,
    };
    let commit = Commit {
        identities: vec![old],
        ..Commit::default()
    };
    bench.store().await.commit(None, commit).await.unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn shadow_decides_and_writes_nothing_and_off_stands_in_nobodys_way() {
    let mut bench = Bench::new();
    bench.flow.mode = Mode::Shadow;
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "waiting mode:shadow");
    bench.flow.mode = Mode::Off;
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "waiting mode:off");
    assert_eq!(bench.erp.writes(), 0);
    bench.flow.mode = Mode::Live;
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn an_approved_plan_is_written_although_the_flow_is_in_shadow() {
    let mut bench = Bench::new();
    bench.flow.mode = Mode::Shadow;
    bench.put("1", order("1001", "a@example.test"));
    bench.put("2", order("1002", "b@example.test"));
    assert_eq!(bench.run().await, None);
    let kind = comptoir_model::key::Kind::Order;
    let store = bench.store().await;
    let plan = Plan::of("bound".to_owned(), &bench.preview().await);
    store
        .put_plan(PlanRow {
            id: "plan-1".to_owned(),
            flow: bench.flow.name.clone(),
            digest: comptoir_model::document::Digest::of(b""),
            at: 0,
            author: "test".to_owned(),
            items: plan.to_json(),
            state: PlanState::Open,
        })
        .await
        .unwrap();
    store
        .approve(&bench.flow.name, kind, &["1".into()], "plan-1")
        .await
        .unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.stands("2").await, "waiting mode:shadow");
    assert_eq!(bench.erp.orders().len(), 1);
    // Another policy than the one that was planned with: what comes out is not what was planned, and is not written.
    let fields = &mut bench.flow.policy.fields;
    fields.insert("number".to_owned(), "x_number".to_owned());
    store
        .approve(&bench.flow.name, kind, &["2".into()], "plan-1")
        .await
        .unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("2").await, "waiting mode:shadow");
    assert_eq!(bench.erp.orders().len(), 1);
    bench.flow.policy.fields.clear();
    // What was approved is that one plan: a later change is shown again, not written.
    let mut changed = order("1001", "a@example.test");
    changed.lines.push(mug("9", "5.00", "1.00"));
    total(&mut changed);
    bench.flow.policy.changes.confirmed = comptoir_rules::policy::OnChange::Apply;
    bench.put("1", changed);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "waiting mode:shadow");
}

#[tokio::test]
async fn the_cap_of_a_flow_outlives_a_restart() {
    let mut bench = Bench::new();
    bench.flow.caps = Caps {
        creates_per_hour: 2,
    };
    for number in 1..=2 {
        bench.put(
            &number.to_string(),
            order(&number.to_string(), &format!("{number}@example.test")),
        );
    }
    assert_eq!(bench.run().await, None);
    bench.put("3", order("3", "3@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.orders().len(), 2);
    assert_eq!(bench.stands("3").await, "waiting cap:orders");
}

#[tokio::test]
async fn orders_before_the_start_are_known_by_id_only() {
    let mut bench = Bench::new();
    bench.flow.start = Some("2026-06-01T00:00:00Z".parse().unwrap());
    let mut old = order("1001", "a@example.test");
    old.dates.placed = Some("2026-01-01T00:00:00Z".parse().unwrap());
    bench.put("1", old);
    let mut new = order("1002", "b@example.test");
    new.dates.placed = Some("2026-07-01T00:00:00Z".parse().unwrap());
    bench.put("2", new);
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "unknown");
    assert_eq!(bench.stands("2").await, "done -");
}

#[tokio::test]
async fn what_a_flow_takes_from_now_on_is_read_again() {
    let mut bench = Bench::new();
    bench.flow.start = Some("2026-06-01T00:00:00Z".parse().unwrap());
    let placed = |number: &str, at: &str| {
        let mut order = order(number, &format!("{number}@example.test"));
        order.dates.placed = Some(at.parse().unwrap());
        order
    };
    bench.put("1", placed("1001", "2026-05-10T00:00:00Z"));
    bench.put("2", placed("1002", "2026-07-01T00:00:00Z"));
    let mut waiting = placed("1003", "2026-07-01T00:00:00Z");
    waiting.status.word = "on-hold".to_owned();
    bench.put("3", waiting);
    bench.put_unreadable("4");
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "unknown");
    assert_eq!(bench.stands("3").await, "skipped status:on-hold");

    bench.flow.start = Some("2026-05-01T00:00:00Z".parse().unwrap());
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.stands("3").await, "skipped status:on-hold");

    bench.flow.statuses.push("on-hold".to_owned());
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("3").await, "done -");
    let writes = bench.erp.writes();

    // Another name is another flow: everything is its business, and what is there already is linked.
    bench.flow.name = "orders-too".parse().unwrap();
    assert_eq!(bench.run().await, None);
    assert_eq!((bench.erp.orders().len(), bench.erp.writes()), (3, writes));
    assert_eq!(bench.stands("4").await, "held unreadable:order");
}

#[tokio::test]
async fn the_date_of_the_shop_survives_a_confirmation_that_sets_it_to_now() {
    let mut bench = Bench::new();
    let mut dated = order("1001", "a@example.test");
    dated.dates.placed = Some("2026-11-02T10:00:00Z".parse().unwrap());
    bench.put("1", dated.clone());
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    let (id, held) = bench.erp.orders().remove(0);
    assert_eq!(held.dates.placed, dated.dates.placed);
    // A date that a person chooses later stays.
    let chosen = Some("2026-12-01T00:00:00Z".parse().unwrap());
    bench.erp.edit(&id, |order| order.dates.placed = chosen);
    bench.touch("1").await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.orders()[0].1.dates.placed, chosen);
}

#[tokio::test]
async fn a_preview_shows_the_order_after_its_buyer_and_writes_neither() {
    let mut bench = Bench::new();
    bench.flow.mode = Mode::Shadow;
    let mut with_account = order("1001", "same@example.test");
    with_account.customer = Some("42".into());
    bench.put("1", with_account);
    bench.put("2", order("1002", "same@example.test"));
    bench.put("3", order("1003", "other@example.test"));
    assert_eq!(bench.run().await, None);
    let previews = bench.preview().await;
    let mut writes: Vec<String> = previews
        .iter()
        .flat_map(|preview| preview.writes())
        .map(|proposal| format!("{} {}", proposal.step.as_str(), proposal.subject.kind))
        .collect();
    writes.sort();
    let expected = [
        "confirm order",
        "confirm order",
        "confirm order",
        "create customer",
        "create customer",
        "create order",
        "create order",
        "create order",
    ];
    assert_eq!(writes, expected, "one buyer has two orders");
    assert_eq!(bench.erp.writes(), 0);
    assert_eq!(bench.stands("1").await, "waiting mode:shadow");
}

#[tokio::test]
async fn two_flows_of_one_shop_share_its_orders_by_country() {
    let mut bench = Bench::new();
    bench.flow.countries = vec!["FR".parse().unwrap()];
    let mut abroad = bench.flow.clone();
    abroad.name = "abroad".parse().unwrap();
    abroad.countries = Vec::new();
    abroad.except_countries = vec!["FR".parse().unwrap()];
    bench.back.push(abroad);
    for (id, country) in [("1", "FR"), ("2", "DE")] {
        let mut order = order(&format!("104{id}"), "ada@example.test");
        order.ship_to.country = Some(country.parse().unwrap());
        bench.put(id, order);
    }
    bench.run().await;
    let kind = comptoir_model::key::Kind::Order;
    let stands = async |bench: &Bench| {
        [
            bench.stands("1").await,
            bench.stands_in("abroad", kind, "1").await,
            bench.stands("2").await,
            bench.stands_in("abroad", kind, "2").await,
        ]
    };
    let expected = [
        "done -",
        "skipped country:FR",
        "skipped country:DE",
        "done -",
    ];
    assert_eq!(stands(&bench).await, expected);
    assert_eq!(bench.erp.orders().len(), 2);
    // A later change is followed by the flow that made it, and by no other.
    let mut changed = bench.shop.order("2");
    changed.note = "ring twice".to_owned();
    bench.put("2", changed);
    bench.run().await;
    assert_eq!(stands(&bench).await[2], "skipped country:DE");
    assert_eq!(bench.erp.orders().len(), 2);
}
