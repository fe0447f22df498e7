//! What a user without some right may do, and how it is refused the rest.

use crate::served::{Served, erp, of};
use comptoir_sim::odoo::{ErpOptions, Version};
use serde_json::{Value, json};

#[tokio::test]
async fn rights_can_be_missing() {
    for version in [Version::V16, Version::V19] {
        let options = ErpOptions {
            forbidden: vec![("res.partner".to_owned(), "create".to_owned())],
            ..of(version)
        };
        let served = Served::start(erp(options)).await;
        let denied = Err("odoo.exceptions.AccessError".to_owned());
        let vals = json!([{"name": "Someone"}]);
        let made = served.rpc("res.partner", "create", vals, json!({})).await;
        assert_eq!(made, denied);
        let rows = json!([["id", "name"], [["hub.p", "Someone"]]]);
        let loaded = served.rpc("res.partner", "load", rows, json!({})).await;
        assert_eq!(loaded, denied);
        let asked = json!(["create", false]);
        let may = served
            .rpc("res.partner", "check_access_rights", asked, json!({}))
            .await;
        assert_eq!(may, Ok(json!(false)));
        if version == Version::V19 {
            let asked = json!([[], "read"]);
            let may = served
                .rpc("res.partner", "has_access", asked, json!({}))
                .await;
            assert_eq!(may, Ok(json!(true)));
        }
    }
}

#[tokio::test]
async fn a_commit_can_come_later_than_its_date() {
    let options = ErpOptions {
        commit_lag: std::time::Duration::from_secs(60),
        ..of(Version::V19)
    };
    let served = Served::start(erp(options)).await;
    for n in 0..20 {
        served.partner(&format!("P{n}")).await;
    }
    let found = served
        .rpc(
            "res.partner",
            "search_read",
            json!([[["name", "like", "P"]]]),
            json!({"fields": ["write_date"], "order": "id"}),
        )
        .await
        .unwrap();
    let dates: Vec<&str> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["write_date"].as_str().unwrap())
        .collect();
    assert!(
        !dates.is_sorted(),
        "a poll that goes by the last date misses some: {dates:?}"
    );
}

#[tokio::test]
async fn a_poll_walks_the_pages_by_date_and_id_without_a_gap() {
    let served = Served::of(Version::V19).await;
    let people: Vec<Value> = (0..250).map(|n| json!({"name": format!("P{n}")})).collect();
    let made = served
        .rpc("res.partner", "create", json!([people]), json!({}))
        .await
        .unwrap();
    let domain = json!([
        ["write_date", ">=", "2000-01-01 00:00:00"],
        ["id", "in", made]
    ]);
    let unindexed = json!([
        ["write_date", ">=", "2000-01-01 00:00:00"],
        ["name", "like", "P"]
    ]);
    for domain in [domain, unindexed] {
        let mut seen = Vec::new();
        loop {
            let page = json!({"order": "write_date,id", "limit": 40, "offset": seen.len()});
            let ids = served
                .rpc("res.partner", "search", json!([domain]), page)
                .await
                .unwrap();
            let ids = ids.as_array().unwrap().clone();
            if ids.is_empty() {
                break;
            }
            seen.extend(ids);
        }
        seen.retain(|id| made.as_array().unwrap().contains(id));
        assert_eq!(Value::Array(seen), made);
    }
}

#[tokio::test]
async fn without_administration_keys_are_asked_for_one_by_one() {
    for version in [Version::V16, Version::V19] {
        let options = ErpOptions {
            forbidden: ErpOptions::not_for_users(),
            ..of(version)
        };
        let served = Served::start(erp(options)).await;
        for model in ["ir.model.data", "decimal.precision"] {
            let read = served
                .rpc(model, "search_read", json!([[]]), json!({}))
                .await;
            assert_eq!(read, Err("odoo.exceptions.AccessError".to_owned()));
        }
        let rows = json!([["id", "name"], [["hub.p", "Someone"]]]);
        let made = served.rpc("res.partner", "load", rows, json!({})).await;
        let id = made.unwrap()["ids"][0].clone();
        let ask = async |name: &str, named: Value| {
            let args = json!(["hub", name]);
            let model = "ir.model.data";
            served
                .rpc(model, "check_object_reference", args, named)
                .await
        };
        let there = Ok(json!(["res.partner", id]));
        assert_eq!(ask("p", json!({})).await, there);
        let unknown = Err("builtins.ValueError".to_owned());
        assert_eq!(ask("nobody", json!({})).await, unknown);
        let told = served
            .rpc("res.partner", "get_metadata", json!([[id]]), json!({}))
            .await;
        assert_eq!(
            told,
            Ok(json!([{"id": id, "xmlid": "hub.p", "noupdate": false,
                "xmlids": [{"xmlid": "hub.p", "noupdate": false}]}]))
        );
        // An archived one is found by whoever asks for archived ones too.
        let archived = json!([[id], {"active": false}]);
        let wrote = served
            .rpc("res.partner", "write", archived, json!({}))
            .await;
        assert_eq!(wrote, Ok(json!(true)));
        assert_eq!(ask("p", json!({})).await, Ok(json!(["res.partner", false])));
        let all = json!({"context": {"active_test": false}});
        assert_eq!(ask("p", all).await, there);
        let digits =
            json!({"allfields": ["price_unit", "product_uom_qty"], "attributes": ["digits"]});
        let told = served
            .rpc("sale.order.line", "fields_get", json!([]), digits)
            .await;
        let price = match version {
            Version::V16 => json!([16, 2]),
            _ => json!(false),
        };
        assert_eq!(
            told,
            Ok(json!({"price_unit": {"digits": price}, "product_uom_qty": {"digits": [16, 2]}}))
        );
    }
}

#[tokio::test]
async fn without_accounting_the_credit_limit_is_not_told() {
    for version in [Version::V16, Version::V19] {
        let options = ErpOptions {
            forbidden: vec![("account.move".to_owned(), "read".to_owned())],
            ..of(version)
        };
        let served = Served::start(erp(options)).await;
        let asked = json!({"allfields": ["credit_limit"], "attributes": ["type"]});
        let told = served
            .rpc("res.partner", "fields_get", json!([]), asked)
            .await;
        assert_eq!(told, Ok(json!({})));
    }
}
