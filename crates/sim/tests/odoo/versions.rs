//! What one version does and another does not, as measured on live 16.0, 17.0, 18.0 and 19.0.

use crate::served::{Served, erp, of};
use comptoir_sim::odoo::{ErpOptions, Version};
use serde_json::{Value, json};

const ALL: [Version; 4] = [Version::V16, Version::V17, Version::V18, Version::V19];

async fn order(served: &Served, price: f64) -> (i64, i64) {
    let partner = served.partner("Customer").await;
    let line = json!([0, 0, {"product_id": 1, "product_uom_qty": 2, "price_unit": price}]);
    let vals = json!([{"partner_id": partner, "order_line": [line]}]);
    let made = served.rpc("sale.order", "create", vals, json!({})).await;
    let id = made.unwrap().as_i64().unwrap();
    let domain = json!([[["order_id", "=", id]]]);
    let lines = served
        .rpc("sale.order.line", "search", domain, json!({}))
        .await;
    (id, lines.unwrap()[0].as_i64().unwrap())
}

async fn price_after(served: &Served, line: i64, vals: Value) -> f64 {
    let model = "sale.order.line";
    let wrote = served
        .rpc(model, "write", json!([[line], vals]), json!({}))
        .await;
    assert_eq!(wrote, Ok(json!(true)));
    let args = json!([[line], ["price_unit"]]);
    let read = served.rpc(model, "read", args, json!({})).await.unwrap();
    read[0]["price_unit"].as_f64().unwrap()
}

#[tokio::test]
async fn a_changed_quantity_brings_the_list_price_back() {
    for version in ALL {
        let served = Served::of(version).await;
        let (_, line) = order(&served, 12.5).await;
        let alone = price_after(&served, line, json!({"product_uom_qty": 3})).await;
        assert_eq!(alone, 15.0, "{version}");
        let said = json!({"product_uom_qty": 4, "price_unit": 12.5});
        assert_eq!(price_after(&served, line, said).await, 12.5, "{version}");
        // From 18 on a price that was written later than the line counts as meant.
        let later = price_after(&served, line, json!({"product_uom_qty": 5})).await;
        let kept = version >= Version::V18;
        assert_eq!(later, if kept { 12.5 } else { 15.0 }, "{version}");
    }
}

#[tokio::test]
async fn a_confirmed_order_is_cancelled_at_once_in_19_only() {
    for version in ALL {
        let served = Served::of(version).await;
        let (id, _) = order(&served, 15.0).await;
        let call = async |method: &str, named: Value| {
            served
                .rpc("sale.order", method, json!([[id]]), named)
                .await
                .unwrap()
        };
        assert_eq!(call("action_confirm", json!({})).await, json!(true));
        let asks = version < Version::V19;
        assert_eq!(call("action_cancel", json!({})).await.is_object(), asks);
        let state = async || call("read", json!({"fields": ["state"]})).await[0]["state"].clone();
        assert_eq!(state().await, if asks { "sale" } else { "cancel" });
        let told = json!({"context": {"disable_cancel_warning": true}});
        assert_eq!(call("action_cancel", told).await, json!(true));
        assert_eq!(state().await, "cancel");
    }
}

#[tokio::test]
async fn a_rule_that_refuses_one_blames_the_first_as_well_from_18_on() {
    for version in ALL {
        let served = Served::of(version).await;
        let rows = json!([
            ["id", "name", "vat"],
            [
                ["hub.a", "A", ""],
                ["hub.b", "B", ""],
                ["hub.c", "C", "FR00000000000"]
            ]
        ]);
        let told = served.rpc("res.partner", "load", rows, json!({})).await;
        let messages = told.unwrap()["messages"].clone();
        let records: Vec<i64> = messages
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["record"].as_i64().unwrap())
            .collect();
        let expected: &[i64] = if version >= Version::V18 {
            &[0, 2]
        } else {
            &[2]
        };
        assert_eq!(records, expected, "{version}");
    }
}

#[tokio::test]
async fn a_variant_moves_with_its_template_from_17_on() {
    for version in ALL {
        let served = Served::of(version).await;
        let stamp = async || {
            let args = json!([[1], ["write_date"]]);
            let read = served.rpc("product.product", "read", args, json!({})).await;
            read.unwrap()[0]["write_date"].clone()
        };
        let before = stamp().await;
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        let vals = json!([[1], {"name": "Renamed"}]);
        let wrote = served
            .rpc("product.template", "write", vals, json!({}))
            .await;
        assert_eq!(wrote, Ok(json!(true)));
        assert_eq!(
            before != stamp().await,
            version >= Version::V17,
            "{version}"
        );
    }
}

#[tokio::test]
async fn an_address_below_a_customer_takes_a_right_of_accounting_from_18_on() {
    for version in ALL {
        let options = ErpOptions {
            forbidden: vec![("account.move".to_owned(), "read".to_owned())],
            ..of(version)
        };
        let served = Served::start(erp(options)).await;
        let parent = served.partner("Customer").await;
        let vals = json!([{"name": "Depot", "type": "delivery", "parent_id": parent}]);
        let made = served.rpc("res.partner", "create", vals, json!({})).await;
        match version >= Version::V18 {
            true => assert_eq!(made, Err("odoo.exceptions.AccessError".to_owned())),
            false => assert!(made.is_ok(), "{version}"),
        }
    }
}
