//! Orders: totals, confirming, cancelling, currencies, domains.

use crate::served::{Served, erp, of};
use comptoir_sim::odoo::{ErpOptions, Rounding, Version};
use serde_json::{Value, json};

fn taxes_of(version: Version) -> &'static str {
    match version {
        Version::V19 => "tax_ids",
        _ => "tax_id",
    }
}

async fn order(served: &Served, lines: Vec<Value>, more: Value) -> i64 {
    let partner = served.partner("Customer").await;
    let mut vals = json!({"partner_id": partner, "order_line": lines});
    for (name, value) in more.as_object().unwrap() {
        vals[name] = value.clone();
    }
    let made = served
        .rpc("sale.order", "create", json!([vals]), json!({}))
        .await;
    made.unwrap().as_i64().unwrap()
}

async fn amounts(served: &Served, id: i64) -> (f64, f64, f64) {
    let fields = ["amount_untaxed", "amount_tax", "amount_total"];
    let read = served
        .rpc("sale.order", "read", json!([[id], fields]), json!({}))
        .await
        .unwrap();
    let number = |name: &str| read[0][name].as_f64().unwrap();
    (number(fields[0]), number(fields[1]), number(fields[2]))
}

/// The measured totals of `reference/systems/odoo.md`: 7 lines of a price, or one line of 3.
#[tokio::test]
async fn totals_are_the_measured_ones() {
    let cases = [
        (
            Version::V16,
            Rounding::PerLine,
            "20 excl",
            7,
            1.0,
            0.83,
            (5.81, 1.19, 7.00),
        ),
        (
            Version::V16,
            Rounding::Globally,
            "20 excl",
            7,
            1.0,
            0.83,
            (5.81, 1.16, 6.97),
        ),
        (
            Version::V19,
            Rounding::PerLine,
            "20 excl",
            7,
            1.0,
            0.83,
            (5.81, 1.19, 7.00),
        ),
        (
            Version::V19,
            Rounding::Globally,
            "20 excl",
            7,
            1.0,
            0.83,
            (5.81, 1.16, 6.97),
        ),
        (
            Version::V16,
            Rounding::PerLine,
            "20 incl",
            7,
            1.0,
            0.99,
            (5.81, 1.12, 6.93),
        ),
        (
            Version::V16,
            Rounding::Globally,
            "20 incl",
            7,
            1.0,
            0.99,
            (5.81, 1.12, 6.93),
        ),
        (
            Version::V19,
            Rounding::PerLine,
            "20 incl",
            7,
            1.0,
            0.99,
            (5.74, 1.19, 6.93),
        ),
        (
            Version::V19,
            Rounding::Globally,
            "20 incl",
            7,
            1.0,
            0.99,
            (5.77, 1.16, 6.93),
        ),
        (
            Version::V16,
            Rounding::PerLine,
            "20 incl",
            1,
            3.0,
            10.33,
            (25.83, 5.16, 30.99),
        ),
        (
            Version::V19,
            Rounding::Globally,
            "20 incl",
            1,
            3.0,
            10.33,
            (25.82, 5.17, 30.99),
        ),
    ];
    for (version, rounding, tax, lines, quantity, price, expected) in cases {
        let options = ErpOptions {
            rounding,
            ..of(version)
        };
        let served = Served::start(erp(options)).await;
        let tax = served.erp.tax(tax).unwrap();
        let line = json!([0, 0, {"product_id": 1, "product_uom_qty": quantity, "price_unit": price,
            taxes_of(version): [[6, 0, [tax]]]}]);
        let id = order(&served, vec![line; lines], json!({})).await;
        assert_eq!(
            amounts(&served, id).await,
            expected,
            "{version} {rounding:?} {tax} {price}"
        );
    }
}

#[tokio::test]
async fn prices_are_rounded_in_16_and_kept_in_19_and_discounts_have_two_decimals() {
    for (version, price) in [(Version::V16, 10.33), (Version::V19, 10.333)] {
        let served = Served::of(version).await;
        let line = json!([0, 0, {"product_id": 2, "product_uom_qty": 3, "price_unit": 10.333,
            "discount": 12.345, taxes_of(version): [[6, 0, []]]}]);
        let id = order(&served, vec![line], json!({})).await;
        let found = served
            .rpc(
                "sale.order.line",
                "search_read",
                json!([[["order_id", "=", id]]]),
                json!({"fields": ["price_unit", "discount", "price_subtotal"]}),
            )
            .await
            .unwrap();
        assert_eq!(found[0]["price_unit"], price);
        assert_eq!(found[0]["discount"], 12.35);
    }
}

#[tokio::test]
async fn the_price_list_gives_the_currency_and_the_currency_its_decimals() {
    let served = Served::of(Version::V19).await;
    for (code, price, total) in [
        ("JPY", 1250.0, 1250.0),
        ("KWD", 1.2345, 1.235),
        ("USD", 1.2345, 1.23),
    ] {
        let currency = code.parse().unwrap();
        let list = served.erp.price_list(currency).unwrap();
        let line = json!([0, 0, {"product_id": 2, "price_unit": price, "tax_ids": [[6, 0, []]]}]);
        let id = order(&served, vec![line], json!({"pricelist_id": list})).await;
        assert_eq!(amounts(&served, id).await.2, total, "{code}");
        assert_eq!(served.erp.order(id).unwrap().currency, Some(currency));
    }
    // A currency that contradicts the price list is taken without a word.
    let id = served.erp.orders()[0].id;
    let written = served
        .rpc(
            "sale.order",
            "write",
            json!([[id], {"currency_id": 1}]),
            json!({}),
        )
        .await;
    assert_eq!(written, Ok(json!(true)));
    assert_eq!(
        served.erp.order(id).unwrap().currency,
        Some("EUR".parse().unwrap())
    );
}

#[tokio::test]
async fn totals_that_are_written_are_ignored() {
    let served = Served::of(Version::V19).await;
    let id = order(&served, Vec::new(), json!({"amount_total": 99.99})).await;
    assert_eq!(amounts(&served, id).await, (0.0, 0.0, 0.0));
}

#[tokio::test]
async fn confirming_again_is_fine_in_16_and_refused_in_19() {
    for (version, again) in [
        (Version::V16, Ok(json!(true))),
        (Version::V19, Err("odoo.exceptions.UserError".to_owned())),
    ] {
        let served = Served::of(version).await;
        let line = json!([0, 0, {"product_id": 1, "product_uom_qty": 4, "price_unit": 15}]);
        let id = order(
            &served,
            vec![line],
            json!({"date_order": "2026-10-25 00:30:00"}),
        )
        .await;
        let confirm = || served.rpc("sale.order", "action_confirm", json!([[id]]), json!({}));
        assert_eq!(confirm().await, Ok(json!(true)));
        assert_eq!(confirm().await, again, "{version}");
        let now = served.erp.order(id).unwrap();
        assert_eq!(now.state, "sale");
        let confirmed = now.date_order.unwrap();
        let second = jiff::SignedDuration::from_secs(1);
        assert!(
            confirmed > now.created_at - second,
            "the date is the moment of confirming, cut to the second"
        );
        let stock = served
            .rpc(
                "product.product",
                "read",
                json!([[1], ["qty_available", "free_qty", "outgoing_qty"]]),
                json!({}),
            )
            .await
            .unwrap();
        assert_eq!(
            stock,
            json!([{"id": 1, "qty_available": 50.0, "free_qty": 46.0, "outgoing_qty": 4.0}])
        );
        let gone = served
            .rpc("sale.order", "unlink", json!([[id]]), json!({}))
            .await;
        assert_eq!(gone, Err("odoo.exceptions.UserError".to_owned()));
    }
}

#[tokio::test]
async fn cancelling_asks_first_in_16_only() {
    for version in [Version::V16, Version::V19] {
        let served = Served::of(version).await;
        let line = json!([0, 0, {"product_id": 1, "product_uom_qty": 4, "price_unit": 15}]);
        let id = order(&served, vec![line], json!({})).await;
        served.erp.confirm_by_hand(id).unwrap();
        let cancel = |context: Value| {
            served.rpc(
                "sale.order",
                "action_cancel",
                json!([[id]]),
                json!({"context": context}),
            )
        };
        let first = cancel(json!({})).await.unwrap();
        if version == Version::V16 {
            assert_eq!(first["res_model"], "sale.order.cancel");
            assert_eq!(served.erp.order(id).unwrap().state, "sale");
            assert_eq!(
                cancel(json!({"disable_cancel_warning": true})).await,
                Ok(json!(true))
            );
        } else {
            assert_eq!(first, json!(true));
        }
        assert_eq!(served.erp.order(id).unwrap().state, "cancel");
        let stock = served
            .rpc(
                "product.product",
                "read",
                json!([[1], ["free_qty"]]),
                json!({}),
            )
            .await;
        assert_eq!(
            stock.unwrap()[0]["free_qty"],
            50.0,
            "what was promised is free again"
        );
    }
}

#[tokio::test]
async fn the_date_of_the_last_write_moves_as_measured() {
    let served = Served::of(Version::V19).await;
    let line = json!([0, 0, {"product_id": 1, "product_uom_qty": 1, "price_unit": 15}]);
    let id = order(&served, vec![line], json!({})).await;
    let line = served.erp.order(id).unwrap().lines[0].id;
    let versions = || served.erp.order(id).unwrap().history.len();
    let poll = |since: &str| {
        let domain = json!([[["write_date", ">", since], ["id", "=", id]]]);
        served.rpc("sale.order", "search_count", domain, json!({}))
    };
    let stamp = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let created = stamp(served.erp.order(id).unwrap().created_at);
    assert_eq!(versions(), 1);
    // 19 does not find again what was written in that very second.
    assert_eq!(poll(&created).await, Ok(json!(0)));
    let write =
        |vals: Value| served.rpc("sale.order.line", "write", json!([[line], vals]), json!({}));
    let read = || {
        served.rpc(
            "sale.order",
            "read",
            json!([[id], ["write_date"]]),
            json!({}),
        )
    };
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let before = read().await.unwrap();
    write(json!({"name": "another text"})).await.unwrap();
    assert_eq!(
        read().await.unwrap(),
        before,
        "a text does not move the order"
    );
    write(json!({"product_uom_qty": 2})).await.unwrap();
    assert_ne!(read().await.unwrap(), before, "a quantity does");
    assert_eq!(versions(), 3);
    let old = Served::of(Version::V16).await;
    let id = old.partner("Someone").await;
    let read = old
        .rpc(
            "res.partner",
            "read",
            json!([[id], ["write_date"]]),
            json!({}),
        )
        .await
        .unwrap();
    let domain = json!([[["write_date", ">", read[0]["write_date"]], ["id", "=", id]]]);
    let again = old
        .rpc("res.partner", "search_count", domain, json!({}))
        .await;
    assert_eq!(again, Ok(json!(1)), "16 finds the last record again");
}

#[tokio::test]
async fn domains_are_read_like_odoo_reads_them() {
    let served = Served::of(Version::V19).await;
    let people = json!([[
        {"name": "Anna", "email": "Anna@Example.test", "ref": "A-1", "country_id": 75},
        {"name": "Bert", "email": "bert_x@example.test", "ref": "A-2", "country_id": 57},
        {"name": "Carl", "ref": "B-1", "active": false},
    ]]);
    let ids = served
        .rpc("res.partner", "create", people, json!({}))
        .await
        .unwrap();
    let [anna, bert, carl] = [&ids[0], &ids[1], &ids[2]];
    let cases = [
        (
            json!([["email", "=ilike", "anna@example.test"]]),
            vec![anna],
        ),
        (json!([["email", "=", "anna@example.test"]]), vec![]),
        (
            json!([["email", "=ilike", "bert\\_x@example.test"]]),
            vec![bert],
        ),
        (json!([["email", "=ilike", "bert%"]]), vec![bert]),
        (
            json!(["|", ["ref", "=", "A-1"], ["ref", "=", "A-2"]]),
            vec![anna, bert],
        ),
        (json!([["ref", "in", ["A-1", "B-1"]]]), vec![anna]),
        (
            json!([
                ["ref", "in", ["A-1", "B-1"]],
                ["active", "in", [true, false]]
            ]),
            vec![anna, carl],
        ),
        (
            json!([
                "&",
                ["ref", "like", "A-"],
                "!",
                ["country_id.code", "=", "FR"]
            ]),
            vec![bert],
        ),
        (
            json!([
                ["country_id.code", "in", ["FR", "DE"]],
                ["ref", "!=", false]
            ]),
            vec![anna, bert],
        ),
        (
            json!([["country_id", "=", "France"], ["ref", "!=", false]]),
            vec![anna],
        ),
        (
            json!([["id", "in", [anna, bert]], ["ref", "not in", ["A-1"]]]),
            vec![bert],
        ),
        (json!([["id", ">=", bert], ["id", "<", carl]]), vec![bert]),
        (
            json!([["id", "in", [anna, bert]], ["name", "not ilike", "ANN"]]),
            vec![bert],
        ),
    ];
    for (domain, expected) in cases {
        let found = served
            .rpc(
                "res.partner",
                "search",
                json!([domain]),
                json!({"order": "id"}),
            )
            .await
            .unwrap();
        let expected: Vec<Value> = expected.into_iter().cloned().collect();
        assert_eq!(found, Value::Array(expected), "{domain}");
    }
    let all = json!({"context": {"active_test": false}});
    let found = served
        .rpc("res.partner", "search", json!([[["ref", "=", "B-1"]]]), all)
        .await;
    assert_eq!(found.unwrap(), json!([carl]));
}

#[tokio::test]
async fn a_company_gives_its_number_to_the_contacts_below_it() {
    let served = Served::of(Version::V16).await;
    let vals = json!([{"name": "Firm", "is_company": true, "vat": "FR11123456782"}]);
    let firm = served
        .rpc("res.partner", "create", vals, json!({}))
        .await
        .unwrap();
    let vals = json!([{"name": "Contact", "parent_id": firm, "type": "delivery"}]);
    served
        .rpc("res.partner", "create", vals, json!({}))
        .await
        .unwrap();
    let found = served
        .rpc(
            "res.partner",
            "search_count",
            json!([[["vat", "=", "FR11123456782"]]]),
            json!({}),
        )
        .await;
    assert_eq!(found, Ok(json!(2)));
    assert_eq!(
        served
            .erp
            .partners()
            .iter()
            .filter(|p| p.created_by_hub)
            .count(),
        2
    );
}
