//! How fast orders come into this ERP: the hub against a script that makes five calls for each, one after the other, on the same server.

use crate::erp::{Books, Erp};
use crate::hub::Hub;
use crate::shop::{Goods, Shop, sku};
use crate::{Servers, say, suite, traps};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What a hub must be faster by (a real Odoo; a simulator says nothing about it).
const GOAL: f64 = 4.0;

/// Measures both and prints both. Neither confirms.
pub async fn run(
    servers: &Servers,
    live: bool,
    shop: &Shop,
    erp: &Erp,
    goods: &Goods,
    books: &Books,
) {
    let count = servers.race;
    let orders: Vec<Value> = (0..count).map(|index| traps::plain(goods, index)).collect();
    let placed = shop.place_all(&orders).await;
    let start = placed.iter().map(|order| order.at.clone()).min().unwrap();
    let began = Instant::now();
    for index in 0..count {
        book(erp, goods, books, index).await;
    }
    let script = began.elapsed();
    let connection = format!("race-{}", goods.run);
    let plan = suite::plan(&connection, goods, &start, books);
    let mut hub = Hub::new(servers, &plan);
    let began = Instant::now();
    // From the start of its process: testing both connections and reading the shop are in it.
    hub.start();
    while erp.count(&connection, false).await < count {
        assert!(began.elapsed() < servers.patience, "{}", hub.last_words());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let hub_took = began.elapsed();
    hub.settle(count).await;
    hub.stop().await;
    assert_eq!(erp.count(&connection, false).await, count);
    let rate = |took: Duration| count as f64 / took.as_secs_f64();
    let ratio = rate(hub_took) / rate(script);
    let verdict = match (live, ratio >= GOAL) {
        (true, true) => format!("goal of {GOAL} times reached"),
        (true, false) => format!("GOAL OF {GOAL} TIMES MISSED"),
        (false, _) => {
            "no verdict: a simulator answers at once, which a real server does not".to_owned()
        }
    };
    say(format!(
        "   {count} orders: the hub {:.2} s ({:.1}/s, from the start of its process), a script of five calls each {:.2} s \
         ({:.1}/s): {ratio:.1} times; {verdict}",
        hub_took.as_secs_f64(),
        rate(hub_took),
        script.as_secs_f64(),
        rate(script)
    ));
}

/// One order as most people's script books it.
async fn book(erp: &Erp, goods: &Goods, books: &Books, index: usize) {
    let run = &goods.run;
    let email = format!("script{index}.{run}@example.test");
    let reference = format!("script-{run}-{index}");
    let search = |domain: Value| json!({ "domain": domain });
    let known = erp
        .call(
            "res.partner",
            "search",
            json!([]),
            search(json!([["email", "=", email]])),
        )
        .await;
    let partner = match known[0].as_i64() {
        Some(id) => id,
        None => {
            let values = json!({
                "name": format!("Live script {index} {run}"), "email": email,
                "street": "1 rue de l’Exemple", "zip": "69003", "city": "Lyon",
            });
            erp.create("res.partner", values).await
        }
    };
    let domain = json!([["client_order_ref", "=", reference]]);
    let there = erp
        .call("sale.order", "search", json!([]), search(domain))
        .await;
    assert_eq!(there, json!([]));
    let names = ["MUG", "BOOK", "SET", "SHIP"];
    let skus = names.map(|name| sku(run, name));
    let rows = erp
        .rows(
            "product.product",
            json!([["default_code", "in", skus]]),
            &["default_code"],
        )
        .await;
    let tax = if erp.version < 19 {
        "tax_id"
    } else {
        "tax_ids"
    };
    let charged = [
        ("MUG", 2, 15.0, 0),
        ("BOOK", 1, 19.94, 1),
        ("SET", 1, 48.0, 0),
        ("SHIP", 1, 8.28, 0),
    ];
    let lines: Vec<Value> = charged
        .iter()
        .map(|(name, quantity, price, rate)| {
            let code = sku(run, name);
            let row = rows.iter().find(|row| row["default_code"] == code);
            json!([0, 0, {
                "product_id": row.unwrap()["id"], "name": code, "product_uom_qty": quantity,
                "price_unit": price, tax: [[6, 0, [books.taxes[*rate].1]]],
            }])
        })
        .collect();
    let values = json!({
        "partner_id": partner, "client_order_ref": reference,
        "pricelist_id": books.price_lists["EUR"], "order_line": lines,
    });
    erp.create("sale.order", values).await;
}
