//! Data that does not fit: SKUs, taxes and methods that the ERP or the tables do not know.

use crate::bench::{Bench, Setup};
use comptoir_sim::catalogue::UNKNOWN_SKU;
use serde_json::json;

fn table(name: &str) -> &'static str {
    match name {
        "tax" => "tables/taxes.csv",
        "payment" => "tables/payment_methods.csv",
        _ => "tables/shipping_methods.csv",
    }
}

/// A person of the ERP enters a product.
fn add_product(bench: &Bench, sku: &str) {
    let url = format!(
        "{}{}/json/2/product.product/create",
        bench.erp.url(),
        comptoir_sim::stage::ERP
    );
    let body = json!({"vals_list": [{"name": sku, "default_code": sku}]}).to_string();
    let (host, path) = url["http://".len()..].split_once('/').expect("a path");
    let headers = [
        ("authorization", "Bearer simulated-key"),
        ("content-type", "application/json"),
    ];
    let (status, answer) = crate::wire::post(host, &format!("/{path}"), &headers, body.as_bytes());
    assert_eq!(status, 200, "{answer}");
}

/// `check` lists all of it at once before anything is written; held orders name it, and go on once it is entered.
#[test]
fn unknown_values_are_listed_held_and_go_on() {
    let bench = Bench::new(Setup {
        orders: 60,
        ..Setup::default()
    });
    let missing = bench.stage.shop.catalogue().missing_rows();
    let rows = bench.check("CMP-0400");
    for row in &missing {
        let cause = format!("row:{}:{}", row.table, row.from);
        let [_, _, fix] = rows
            .iter()
            .find(|[subject, what, _]| subject == "orders" && what.starts_with(&cause))
            .unwrap_or_else(|| panic!("no {cause} in {rows:?}"));
        assert!(
            fix.contains(&row.from) && fix.contains(table(row.table)),
            "{fix}"
        );
    }
    let skus = bench.check("CMP-0401");
    assert_eq!(skus.len(), 1, "{skus:?}");
    assert_eq!(skus[0][1], UNKNOWN_SKU);
    assert!(skus[0][2].contains(UNKNOWN_SKU), "{skus:?}");
    bench.check("CMP-0402");

    let serve = bench.serve();
    bench.settle();
    bench.agree();
    let list = bench.does(&["hold", "list"]);
    let mut causes = vec![format!("match:product:{UNKNOWN_SKU}")];
    for row in &missing {
        causes.push(format!("row:{}:{}", row.table, row.from));
        list.says(&[table(row.table), &row.from]);
    }
    list.says(&["Give the SKU", UNKNOWN_SKU]);
    for cause in &causes {
        list.says(&[cause]);
        assert!(bench.held().contains_key(cause), "{cause}");
    }

    for row in &missing {
        bench.append(
            table(row.table),
            &format!("\"{}\",\"{}\"\n", row.from, row.to),
        );
    }
    add_product(&bench, UNKNOWN_SKU);
    bench.does(&["config", "push"]);
    let causes: Vec<&str> = causes.iter().map(String::as_str).collect();
    for cause in &causes {
        // The push decides again what a table holds; the product's cause is put right in the ERP, and resumed.
        bench.does(&["hold", "resume", cause]);
    }
    crate::process::wait("they go on", std::time::Duration::from_secs(30), || {
        let held = bench.held();
        causes.iter().all(|cause| !held.contains_key(*cause))
    });
    bench.settle();
    bench.agree_after(&causes);
    serve.stop();
}

/// A table that is corrected while no hub runs holds nothing any more at the next start.
#[test]
fn rows_that_were_missing_at_the_last_run() {
    let bench = Bench::new(Setup::default());
    let taxes = bench.read("tables/taxes.csv");
    let without: Vec<&str> = taxes
        .lines()
        .filter(|line| !line.contains("FR-TVA"))
        .collect();
    bench.write("tables/taxes.csv", &(without.join("\n") + "\n"));
    let serve = bench.serve();
    bench.settle();
    let held = bench.held();
    let french = held
        .keys()
        .filter(|cause| cause.starts_with("row:tax:FR-TVA"))
        .count();
    assert!(french > 0, "{held:?}");
    serve.stop();
    bench.write("tables/taxes.csv", &taxes);
    bench.does(&["config", "push"]);
    let serve = bench.serve();
    crate::process::wait("they go on", std::time::Duration::from_secs(30), || {
        !bench
            .held()
            .keys()
            .any(|cause| cause.starts_with("row:tax:FR-TVA"))
    });
    bench.settle();
    bench.agree();
    serve.stop();
}
