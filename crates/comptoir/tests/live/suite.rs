//! One run: prepare both sides, set every trap, let the hub work, cut it off in the middle, and compare both sides.

use crate::erp::{Books, Erp, Sale};
use crate::hub::{Hub, Plan};
use crate::shop::{Goods, Placed, Shop};
use crate::traps::{self, Outcome, Then, Trap};
use crate::{Servers, race, say};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A trap that was set.
struct Set {
    trap: Trap,
    placed: Placed,
}

/// Runs the whole suite.
pub async fn run(servers: &Servers) {
    let run = run_id();
    let live = !Shop::is_simulated(&servers.shop).await;
    let shop = Shop::open(&servers.shop);
    let erp = Erp::open(&servers.erp).await;
    let what = match live {
        true => "LIVE SERVERS",
        false => "SIMULATORS, no real server",
    };
    say(format!(
        "== {what}: a shop and an Odoo {}; run {run}",
        erp.version
    ));
    shop.check().await;
    let goods = shop.stock_up(&run).await;
    let books = erp.prepare(&run).await;
    let connection = format!("live-{run}");
    let mut set = Vec::new();
    for trap in traps::all(&goods) {
        set.push(place(&shop, &goods, trap).await);
    }
    nobody_has_these_numbers(&erp, &set).await;
    let start = set.iter().map(|set| set.placed.at.clone()).min().unwrap();
    let mut hub = Hub::new(
        servers,
        &Plan {
            connection: &connection,
            run: &run,
            start: &start,
            confirm: "always",
            books: &books,
        },
    );
    cut_off_in_the_middle(&mut hub, &erp, &connection, &set).await;
    hub.settle(set.len()).await;
    agree(&hub, &erp, &connection, &set).await;

    for trap in traps::second_orders(&goods) {
        set.push(place(&shop, &goods, trap).await);
    }
    hub.settle(set.len()).await;
    agree(&hub, &erp, &connection, &set).await;
    let before = contents(&erp, &connection).await;

    hub.ask(&["sync", "orders", "--all"]);
    set.push(place(&shop, &goods, traps::marker(&goods, "after a repeat")).await);
    hub.settle(set.len()).await;
    agree(&hub, &erp, &connection, &set).await;
    unchanged(&before, &contents(&erp, &connection).await, "a repeat");

    hub.stop().await;
    hub.start();
    set.push(place(&shop, &goods, traps::marker(&goods, "after a restart")).await);
    hub.settle(set.len()).await;
    agree(&hub, &erp, &connection, &set).await;
    unchanged(&before, &contents(&erp, &connection).await, "a restart");
    hub.stop().await;
    report(&set);
    race::run(servers, live, &shop, &erp, &goods, &books).await;
}

/// Six letters of the time, which no other run has: digits would read as a tax rate.
pub fn run_id() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let mut left = since.unwrap().as_millis() / 100;
    let letters = std::iter::repeat_with(|| {
        let letter = u8::try_from(left % 26).unwrap();
        left /= 26;
        char::from(b'a' + letter)
    });
    letters.take(7).collect()
}

/// Places a trap's order and does to it what the trap asks for.
async fn place(shop: &Shop, goods: &Goods, trap: Trap) -> Set {
    let order = shop.post("orders", &trap.order).await;
    let id = order["id"].as_u64().unwrap();
    let placed = match trap.then {
        Then::Nothing => shop.read(id).await,
        Then::Edited => {
            let line = &order["line_items"][0]["id"];
            let line = json!({"id": line, "quantity": 1, "subtotal": "12.50", "total": "12.50"});
            shop.change(id, &json!({"line_items": [line]})).await
        }
        Then::Refunded => {
            let refund = json!({"amount": "5.00", "api_refund": false, "reason": "Live suite"});
            shop.post(&format!("orders/{id}/refunds"), &refund).await;
            shop.read(id).await
        }
        Then::ProductDeleted => {
            shop.delete_product(goods.products["GONE"]).await;
            shop.read(id).await
        }
    };
    let own = format!("LIVE {}", goods.run).to_uppercase();
    for code in &placed.taxes {
        assert!(
            code.contains(&own),
            "{}: the shop taxed with a rate of its own ({code}), not with the suite's",
            trap.name
        );
    }
    Set { trap, placed }
}

/// Orders near the flow's start are looked up by number: what other shops left under the same numbers would be taken for ours.
async fn nobody_has_these_numbers(erp: &Erp, set: &[Set]) {
    let numbers: Vec<&str> = set.iter().map(|set| set.placed.number.as_str()).collect();
    let domain = json!([["client_order_ref", "in", numbers]]);
    let known = erp.rows("sale.order", domain, &["client_order_ref"]).await;
    assert!(
        known.is_empty(),
        "the ERP holds orders with these numbers already, of another shop: use a database of its own"
    );
}

/// Starts the hub, kills it when the first orders are in the ERP, starts it again, kills it when the first of them is confirmed, and
/// starts it again.
async fn cut_off_in_the_middle(hub: &mut Hub<'_>, erp: &Erp, connection: &str, set: &[Set]) {
    let importable = set
        .iter()
        .filter(|set| set.trap.outcome == Outcome::Imported)
        .count();
    for confirmed in [false, true] {
        hub.start();
        let began = Instant::now();
        while erp.count(connection, confirmed).await == 0 {
            assert!(
                began.elapsed() < Duration::from_secs(300),
                "nothing arrives in the ERP: {}",
                hub.last_words()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        hub.kill();
        let there = erp.count(connection, false).await;
        let done = erp.count(connection, true).await;
        say(format!(
            "   cut off with {there} of {importable} orders in the ERP, {done} of them confirmed"
        ));
    }
    hub.start();
}

/// Every trap came to what it must come to, and nobody is there twice.
async fn agree(hub: &Hub<'_>, erp: &Erp, connection: &str, set: &[Set]) {
    let (sales, holds) = (erp.sales(connection).await, hub.held());
    let mut wrong = Vec::new();
    for one in set {
        let none = Vec::new();
        let held = sales.get(&one.placed.number).unwrap_or(&none);
        if let Some(what) = difference(hub, &holds, one, held) {
            wrong.push(format!(
                "{} (order {}): {what}",
                one.trap.name, one.placed.number
            ));
        }
    }
    let ours = |number: &String| set.iter().any(|one| one.placed.number == *number);
    let strangers = sales.keys().filter(|number| !ours(number)).count();
    if strangers > 0 {
        say(format!(
            "   {strangers} orders of others arrived meanwhile; left out of account"
        ));
    }
    wrong.extend(doubled(erp, set, &sales).await);
    wrong.extend(confirmed_twice(erp, &sales).await);
    assert!(
        wrong.is_empty(),
        "\n{}\n{}",
        wrong.join("\n"),
        hub.last_words()
    );
}

fn difference(
    hub: &Hub<'_>,
    holds: &BTreeMap<u64, String>,
    one: &Set,
    held: &[Sale],
) -> Option<String> {
    let cause = holds.get(&one.placed.id).map(String::as_str);
    match &one.trap.outcome {
        Outcome::Imported if cause.is_some() => return Some(format!("held: {cause:?}")),
        Outcome::Held(expected) if cause != Some(expected) => {
            return Some(format!("held: {cause:?}, expected {expected}"));
        }
        Outcome::Skipped(expected) => {
            let (state, why) = hub.state(one.placed.id);
            if (state.as_str(), &why) != ("skipped", expected) {
                return Some(format!("{state} {why}, expected skipped {expected}"));
            }
        }
        _ => {}
    }
    match (&one.trap.outcome, held) {
        (Outcome::Imported, [sale]) => {
            let shop = (one.placed.total.normalize(), one.placed.currency.as_str());
            let same = (sale.total, sale.currency.as_str()) == shop;
            let binding = matches!(sale.state.as_str(), "sale" | "done");
            (!same || !binding).then(|| {
                format!(
                    "{} {} {} in the ERP, {} in the shop",
                    sale.state, sale.total, sale.currency, shop.0
                )
            })
        }
        (Outcome::Imported, several) => Some(format!("{} orders in the ERP", several.len())),
        (_, []) => None,
        (_, several) => Some(format!(
            "{} orders in the ERP, none expected",
            several.len()
        )),
    }
}

/// Buyers who are not exactly one customer, and orders that stand on another one.
async fn doubled(erp: &Erp, set: &[Set], sales: &BTreeMap<String, Vec<Sale>>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut known: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for one in set
        .iter()
        .filter(|one| one.trap.outcome == Outcome::Imported)
    {
        let email = one.placed.email.to_lowercase();
        let customers = match known.get(&email) {
            Some(customers) => customers.clone(),
            None => erp.customers(&email).await,
        };
        let partners = sales.get(&one.placed.number).into_iter().flatten();
        let partners: Vec<i64> = partners.map(|sale| sale.partner).collect();
        if customers.len() != 1 || partners != customers {
            wrong.push(format!(
                "the buyer of `{}` is the customers {customers:?}, its order stands on {partners:?}",
                one.trap.name
            ));
        }
        known.insert(email, customers);
    }
    wrong
}

/// Orders with more than one delivery: each confirmation makes one.
async fn confirmed_twice(erp: &Erp, sales: &BTreeMap<String, Vec<Sale>>) -> Vec<String> {
    let ids: Vec<i64> = sales.values().flatten().map(|sale| sale.id).collect();
    let Some(deliveries) = erp.deliveries(&ids).await else {
        say("   no Inventory app: that nothing is confirmed twice is seen by its state only");
        return Vec::new();
    };
    let twice = deliveries.into_iter().filter(|(_, count)| *count > 1);
    twice
        .map(|(id, count)| format!("sale order {id} has {count} deliveries"))
        .collect()
}

/// What the ERP holds of this run, to be compared.
async fn contents(erp: &Erp, connection: &str) -> BTreeMap<i64, Value> {
    let sales = erp.sales(connection).await;
    let all = sales.into_values().flatten();
    all.map(|sale| (sale.id, sale.content)).collect()
}

/// Everything that was there is as it was.
fn unchanged(before: &BTreeMap<i64, Value>, now: &BTreeMap<i64, Value>, by: &str) {
    for (id, content) in before {
        assert_eq!(
            Some(content),
            now.get(id),
            "sale order {id} was changed by {by}"
        );
    }
}

fn report(set: &[Set]) {
    let count =
        |wanted: fn(&Outcome) -> bool| set.iter().filter(|one| wanted(&one.trap.outcome)).count();
    let imported = count(|outcome| *outcome == Outcome::Imported);
    let held = count(|outcome| matches!(outcome, Outcome::Held(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    say(format!(
        "   {} orders: {imported} in the ERP, equal to the cent, once, confirmed; {held} held and {skipped} skipped as listed; \
         unchanged by a cut in the middle, a repeat and a restart",
        set.len()
    ));
}

/// The workspace of the race needs the same books.
pub fn plan<'a>(
    connection: &'a str,
    goods: &'a Goods,
    start: &'a str,
    books: &'a Books,
) -> Plan<'a> {
    Plan {
        connection,
        run: &goods.run,
        start,
        confirm: "never",
        books,
    }
}
