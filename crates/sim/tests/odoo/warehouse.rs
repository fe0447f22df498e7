//! What happens in the warehouse: reservations, backorders, kits, more than one place.

use crate::served::{Served, dec};
use comptoir_sim::odoo::{ErpStock, HandOrder, Version};
use serde_json::{Value, json};

const BOTH: [Version; 2] = [Version::V16, Version::V19];

impl Served {
    async fn order(&self, lines: &[(&str, &str)]) -> i64 {
        let lines = lines
            .iter()
            .map(|(sku, quantity)| ((*sku).to_owned(), dec(quantity)));
        let order = HandOrder {
            partner: 1,
            reference: "BY-HAND".to_owned(),
            lines: lines.collect(),
        };
        let id = self.erp.add_order_by_hand(&order).unwrap();
        self.erp.confirm_by_hand(id).unwrap();
        id
    }

    fn stock(&self, sku: &str) -> ErpStock {
        self.erp.stock(sku, None).unwrap()
    }

    async fn found(&self, model: &str, domain: Value, fields: Value, context: Value) -> Value {
        let named = json!({"domain": domain, "fields": fields, "order": "id", "context": context});
        self.rpc(model, "search_read", json!([]), named)
            .await
            .unwrap()
    }
}

fn told(on_hand: &str, reserved: &str, outgoing: &str) -> ErpStock {
    ErpStock {
        on_hand: dec(on_hand),
        reserved: dec(reserved),
        outgoing: dec(outgoing),
    }
}

#[tokio::test]
async fn demand_beyond_what_is_there_is_reserved_when_it_comes_or_when_told() {
    for version in BOTH {
        let served = Served::of(version).await;
        let order = served.order(&[("MUG", "60")]).await;
        assert_eq!(served.stock("MUG"), told("50", "50", "60"));
        served.erp.set_stock_by_hand("MUG", dec("80")).unwrap();
        let reserved = if version == Version::V16 { "50" } else { "60" };
        assert_eq!(served.stock("MUG"), told("80", reserved, "60"));
        served.erp.reserve_by_hand(order).unwrap();
        assert_eq!(served.stock("MUG"), told("80", "60", "60"));
        assert_eq!(
            served.erp.stock("MUG", None).unwrap().available(),
            dec("20")
        );
    }
}

#[tokio::test]
async fn what_does_not_leave_is_a_backorder() {
    for version in BOTH {
        let served = Served::of(version).await;
        let order = served.order(&[("MUG", "4"), ("BOOK", "3")]).await;
        let first = served
            .erp
            .ship_part_by_hand(order, &[("MUG", dec("3"))], "T-1")
            .unwrap();
        assert_eq!(served.stock("MUG"), told("47", "1", "1"));
        let [sent, rest] = <[_; 2]>::try_from(served.erp.deliveries(order)).unwrap();
        assert_eq!(
            (sent.id, sent.state.as_str(), sent.tracking.as_str()),
            (first, "done", "T-1")
        );
        assert_eq!(sent.left, [("MUG".to_owned(), dec("3"))]);
        assert_eq!(
            (rest.backorder_of, rest.state.as_str()),
            (Some(first), "assigned")
        );
        // The move of the book went over as it was, the rest of the mugs is a new one.
        let done = if version == Version::V16 {
            "quantity_done"
        } else {
            "quantity"
        };
        let fields = json!(["product_uom_qty", "state", done, "picking_id"]);
        let moves = served
            .found("stock.move", json!([]), fields, json!({}))
            .await;
        let planned: Vec<f64> = moves
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["product_uom_qty"].as_f64().unwrap())
            .collect();
        assert_eq!(planned, [3.0, 3.0, 1.0]);
        assert_eq!(moves[0][done], 3.0);
        assert_eq!(moves[1]["picking_id"][0], rest.id);

        served.erp.cancel_backorder_by_hand(order).unwrap();
        assert_eq!(served.stock("MUG"), told("47", "0", "0"));
        let read = served
            .found(
                "stock.move",
                json!([["state", "=", "cancel"]]),
                json!(["product_uom_qty"]),
                json!({}),
            )
            .await;
        assert_eq!(read[0]["product_uom_qty"], 3.0);
        assert!(served.erp.ship_by_hand(order, "").is_err());
    }
}

#[tokio::test]
async fn a_kit_is_delivered_as_its_components() {
    for version in BOTH {
        let served = Served::of(version).await;
        served.erp.set_stock_by_hand("BOOK", dec("7")).unwrap();
        served
            .erp
            .make_kit_by_hand("BOOK", dec("2"), &[("MUG", dec("3"))])
            .unwrap();
        // Two of it are three mugs.
        assert_eq!(served.erp.stock("BOOK", None).unwrap().on_hand, dec("33"));
        let order = served.order(&[("BOOK", "4")]).await;
        assert_eq!(served.stock("MUG"), told("50", "6", "6"));
        served
            .erp
            .ship_part_by_hand(order, &[("MUG", dec("4"))], "")
            .unwrap();
        let fields = json!(["qty_delivered"]);
        let lines = served
            .found(
                "sale.order.line",
                json!([["order_id", "=", order]]),
                fields,
                json!({}),
            )
            .await;
        assert_eq!(lines[0]["qty_delivered"], 2.0);
    }
}

#[tokio::test]
async fn quantities_are_those_of_the_warehouse_in_the_context() {
    for version in BOTH {
        let served = Served::of(version).await;
        let north = served.erp.add_warehouse_by_hand("North", "WN").unwrap();
        served.erp.count_by_hand(north, "MUG", dec("7")).unwrap();
        let mug = json!([["default_code", "=", "MUG"]]);
        let asked = async |context: Value| {
            let fields = json!(["qty_available"]);
            served
                .found("product.product", mug.clone(), fields, context)
                .await[0]["qty_available"]
                .as_f64()
                .unwrap()
        };
        let (old, new) = (
            asked(json!({"warehouse": north})).await,
            asked(json!({"warehouse_id": north})).await,
        );
        let expected = if version == Version::V16 {
            (7.0, 57.0)
        } else {
            (57.0, 7.0)
        };
        assert_eq!((old, new), expected);
    }
}
