//! Mapping rules on the road: what they write, where they send an order, and that what they stop goes on once they are put right.

use crate::bench::{Bench, order};
use crate::fakes::choice;
use comptoir_engine::preview::Next;
use comptoir_model::key::Kind;
use comptoir_model::order::Life;
use comptoir_model::stock::Level;
use comptoir_rules::mapping::{Place, Row, Rules};
use comptoir_rules::table::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn rules(rows: &[Value], countries: &[(&str, &str)]) -> Arc<Rules> {
    let rows = rows.iter().enumerate().map(|(index, row)| {
        let row: Row = serde_json::from_value(row.clone()).unwrap();
        let file = "flows/orders.toml".to_owned();
        (
            Place {
                file,
                line: index + 1,
            },
            row,
        )
    });
    let table = Table::new(
        countries
            .iter()
            .map(|(from, to)| ((*from).to_owned(), (*to).to_owned())),
    );
    let tables = BTreeMap::from([("countries".to_owned(), table)]);
    Arc::new(Rules::compile(rows.collect(), tables).unwrap_or_else(|wrong| panic!("{wrong:?}")))
}

fn two_warehouses(bench: &Bench) {
    bench.erp.offers(
        "warehouses",
        vec![choice("w1", "Lyon"), choice("w2", "Lille")],
    );
    bench.erp.offers(
        "companies",
        vec![choice("c1", "France"), choice("c2", "Belgique")],
    );
}

#[tokio::test]
async fn an_order_is_routed_and_its_fields_are_filled_by_rules() {
    let mut bench = Bench::new();
    two_warehouses(&bench);
    bench.flow.rules = rules(
        &[
            json!({"to": "placement.warehouse", "from": "ship_to.country", "lookup": "countries"}),
            json!({"to": "placement.company", "expr": "if ship_to.country == \"BE\" { \"Belgique\" } else { \"France\" }"}),
            json!({"to": "fields.x_channel", "expr": "source + \"/\" + channel"}),
            json!({"to": "lines[].fields.x_sku", "from": "line.sku"}),
            json!({"to": "lines[].sku", "value": "CUP", "when": "line.sku == \"MUG\""}),
            json!({"to": "customer.name", "expr": "upper(first(bill_to.company, email))"}),
            json!({"to": "note", "value": "Ring twice"}),
        ],
        &[("FR", "Lyon"), ("BE", "Lille")],
    );
    for (id, number, country) in [("1", "1001", "FR"), ("2", "1002", "BE")] {
        let mut order = order(number, &format!("b{id}@example.test"));
        order.ship_to.country = country.parse().ok();
        bench.put(id, order);
    }
    assert_eq!(bench.run().await, None);
    let orders = bench.erp.orders();
    assert_eq!(orders.len(), 2);
    for (_, order) in orders {
        let (warehouse, company) = match order.reference.as_str() {
            "1001" => ("w1", "c1"),
            _ => ("w2", "c2"),
        };
        assert_eq!(order.placement.warehouse, Some(warehouse.into()));
        assert_eq!(order.placement.company, Some(company.into()));
        assert_eq!(order.attributes["x_channel"], "shop/");
        assert_eq!(order.lines[0].attributes["x_sku"], "MUG");
        assert_eq!(order.lines[0].sku, "CUP");
        assert_eq!(order.note, "Ring twice");
        assert_eq!(order.status.life, Life::Open);
    }
    assert_eq!(bench.stands("1").await, "done -");
}

#[tokio::test]
async fn what_a_rule_stops_is_held_alone_and_goes_on_when_its_table_has_the_row() {
    let mut bench = Bench::new();
    two_warehouses(&bench);
    let row =
        [json!({"to": "placement.warehouse", "from": "ship_to.country", "lookup": "countries"})];
    bench.flow.rules = rules(&row, &[("FR", "Lyon")]);
    for (id, country) in [("1", "FR"), ("2", "BE")] {
        let mut order = order(&format!("100{id}"), &format!("b{id}@example.test"));
        order.ship_to.country = country.parse().ok();
        bench.put(id, order);
    }
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    assert_eq!(bench.stands("2").await, "held row:countries:BE");
    bench.flow.rules = rules(&row, &[("FR", "Lyon"), ("BE", "Nowhere")]);
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert_eq!(
        bench.stands("2").await,
        "held rule:CMP-0432:flows/orders.toml:1"
    );
    bench.flow.rules = rules(&row, &[("FR", "Lyon"), ("BE", "Lille")]);
    bench.reconsider().await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("2").await, "done -");
    // Nothing that was confirmed is touched by new rules.
    let writes = bench.erp.writes();
    bench.flow.rules = rules(&row, &[("*", "Lille")]);
    bench.reconsider().await;
    bench.touch("1").await;
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.erp.writes(), writes);
}

#[tokio::test]
async fn a_quotation_is_left_to_a_person() {
    let mut bench = Bench::new();
    let row = json!({"to": "placement.document", "expr": "if totals.total >= 12 { \"quotation\" } else { \"order\" }"});
    bench.flow.rules = rules(&[row], &[]);
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "done -");
    let (_, held) = bench.erp.orders().remove(0);
    assert_eq!(held.status.life, Life::Draft);
}

#[tokio::test]
async fn an_order_that_is_none_of_the_flow_is_not_held_by_its_rules() {
    let mut bench = Bench::new();
    bench.flow.rules = rules(
        &[json!({"to": "fields.x", "from": "note", "on_missing": "hold"})],
        &[],
    );
    let mut pending = order("1001", "a@example.test");
    pending.status.word = "pending".to_owned();
    bench.put("1", pending);
    bench.put("2", order("1002", "b@example.test"));
    assert_eq!(bench.run().await, None);
    assert_eq!(bench.stands("1").await, "skipped status:pending");
    assert_eq!(
        bench.stands("2").await,
        "held rule:CMP-0430:flows/orders.toml:1"
    );
}

#[tokio::test]
async fn what_lies_where_decides_the_warehouse_and_a_plan_says_the_same() {
    let mut bench = Bench::new();
    two_warehouses(&bench);
    bench.add_back(Kind::Stock);
    bench.shop.stock.stock("1", "MUG", 0);
    bench.erp.stock.stock("p0", "MUG", 10);
    let at = |place: &str, available: i64| Level {
        location: Some(place.into()),
        available: Some(available.into()),
        ..Level::default()
    };
    let product = "p0".into();
    bench.erp.stock.change(&product, false, |stock| {
        stock.levels = vec![at("w1", 0), at("w2", 9)];
    });
    assert_eq!(bench.run().await, None);
    let expr = "first_covering(stock, lines, [\"Lyon\", \"Lille\"])";
    bench.flow.rules = rules(
        &[json!({"to": "placement.warehouse", "expr": expr, "on_missing": "hold"})],
        &[],
    );
    bench.flow.mode = comptoir_engine::flow::Mode::Shadow;
    bench.put("1", order("1001", "a@example.test"));
    assert_eq!(bench.run().await, None);
    let previews = bench.preview().await;
    let Next::Write(proposal) = &previews[0].next else {
        panic!("{previews:?}");
    };
    let planned = proposal.document.as_order().unwrap();
    assert_eq!(planned.placement.warehouse, Some("w2".into()));
}
