//! Stock on the simulated shop, whose catalogue has simple products and variations of several products.

use super::simulated::{KEY, SECRET, Stage, open};
use super::stage::fault;
use crate::woocommerce::SPEC;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next as Inner, from_fn};
use axum::response::IntoResponse;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::port::{Connector, Cursor, Seen, Step, Write};
use comptoir_model::stock::{Level, Stock};
use comptoir_sim::server::Server;
use comptoir_sim::woocommerce::{Shop, ShopOptions};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What the catalogue sells: everything, and what of it is counted, by SKU.
fn catalogue(shop: &Shop) -> (usize, Vec<String>, Vec<String>) {
    let catalogue = shop.catalogue();
    let counted = |of_parent: bool| {
        let items = catalogue.items.iter();
        let items = items.filter(|item| item.stock.is_some() && item.parent.is_some() == of_parent);
        items
            .map(|item| item.sku.clone())
            .filter(|sku| !sku.is_empty())
            .collect()
    };
    (catalogue.items.len(), counted(false), counted(true))
}

fn write(id: &RemoteId, available: &str) -> Write {
    let level = Level::pool(available.parse().unwrap());
    Write {
        key: WriteKey(format!("erp/stock/{id}")),
        kind: Kind::Stock,
        step: Step::Update,
        target: Some(id.clone()),
        document: Document::Stock(Stock {
            managed: true,
            levels: vec![level],
            ..Stock::default()
        }),
        before: None,
        expects: None,
    }
}

fn id(shop: &Shop, sku: &str) -> RemoteId {
    shop.product_id(sku).unwrap().to_string().into()
}

async fn read_on(connector: &dyn Connector, since: &Cursor) -> (BTreeMap<String, Stock>, Cursor) {
    let (mut found, mut cursor) = (BTreeMap::new(), since.clone());
    loop {
        let page = connector.changes(Kind::Stock, &cursor).await.unwrap();
        for item in page.items {
            let record = item.unwrap();
            let stock = record.document.as_stock().unwrap().clone();
            found.insert(record.id.0, stock);
        }
        cursor = page.next;
        if !page.more {
            return (found, cursor);
        }
    }
}

#[tokio::test]
async fn the_contract_holds_for_stock() {
    let stage = Stage::of("11.0.1", 0).await;
    let (all, simple, variations) = catalogue(&stage.shop);
    let mut suite = Suite::new(&SPEC, [KEY, SECRET]);
    suite.declarations();
    let connector = &*stage.connector;
    suite
        .reading(connector, &Reading::of(Kind::Stock, all))
        .await;
    stage.shop.set_stock(&simple[1], None);
    let (first, second) = (id(&stage.shop, &simple[0]), id(&stage.shop, &variations[0]));
    let writes = [
        write(&first, "7"),
        write(&"999999".into(), "7"),
        write(&second, "0"),
        write(&id(&stage.shop, &simple[1]), "7"),
        write(&id(&stage.shop, &variations[1]), "-3"),
        write(&"no-number".into(), "7"),
        write(&id(&stage.shop, &simple[2]), "1.5"),
    ];
    let bad = BTreeMap::from([
        (1, Code::RecordGone),
        (3, Code::WrongState),
        (5, Code::RecordGone),
        (6, Code::Refused),
    ]);
    let results = suite.batch(connector, &writes, &bad).await;
    for (place, quantity) in [(0, "7"), (2, "0"), (4, "-3")] {
        let seen = results[place].as_ref().unwrap().seen.clone().unwrap();
        let stock = seen.document.as_stock().unwrap();
        assert!(stock.managed);
        assert_eq!(stock.levels, [Level::pool(quantity.parse().unwrap())]);
    }
    suite.proof(connector, &writes[0], &first).await;
    suite.finish().assert_passed();
    let stock = |sku: &String| stage.shop.stock(sku);
    assert_eq!(stock(&simple[0]), Some(Decimal::from(7)));
    assert_eq!(stock(&simple[1]), None, "counting is never switched on");
    assert_eq!(stock(&variations[1]), Some(Decimal::from(-3)));
    // What was seen in an answer is what a reading shows.
    let again = connector
        .read(Kind::Stock, std::slice::from_ref(&first))
        .await
        .unwrap();
    let Seen::Record(record) = &again[0] else {
        panic!("{again:?}");
    };
    assert_eq!(Some(&**record), results[0].as_ref().unwrap().seen.as_ref());
}

/// Shops before 10.3 have no list of all variations: they are read through their product.
#[tokio::test]
async fn a_sale_brings_what_was_sold_and_nothing_else() {
    for version in ["11.0.1", "8.5.2"] {
        let stage = Stage::of(version, 0).await;
        let (all, simple, variations) = catalogue(&stage.shop);
        let (found, cursor) = read_on(&*stage.connector, &Cursor::start()).await;
        assert_eq!(found.len(), all, "{version}");
        let skus: BTreeSet<&str> = found
            .values()
            .filter(|stock| stock.managed)
            .map(|stock| stock.sku.as_str())
            .collect();
        assert!(
            simple
                .iter()
                .chain(&variations)
                .all(|sku| skus.contains(sku.as_str()))
        );
        // Where variations are read through their product, what changed just now is read once more.
        let cursor = if version == "11.0.1" {
            let (found, cursor) = read_on(&*stage.connector, &cursor).await;
            assert!(found.is_empty(), "nothing changed: {found:?}");
            cursor
        } else {
            cursor
        };
        let before = stage.shop.stock(&variations[0]).unwrap();
        stage
            .shop
            .sell(&[(&variations[0], 2), (&simple[0], 1)])
            .unwrap();
        stage.shop.set_backorders(&simple[1], true);
        let (found, _) = read_on(&*stage.connector, &cursor).await;
        let sold = &found[id(&stage.shop, &variations[0]).as_str()];
        assert_eq!(
            sold.levels,
            [Level::pool(before - Decimal::from(2))],
            "{version}"
        );
        assert!(found[id(&stage.shop, &simple[1]).as_str()].backorders);
        let changed: BTreeSet<&str> = found
            .values()
            .filter(|stock| stock.managed)
            .map(|stock| stock.sku.as_str())
            .collect();
        assert!(changed.contains(simple[0].as_str()));
        if version == "11.0.1" {
            assert_eq!(changed.len(), 3, "{changed:?}");
        }
    }
}

#[tokio::test]
async fn variations_of_several_products_take_a_call_each_and_products_one() {
    let stage = Stage::of("11.0.1", 0).await;
    let (_, simple, variations) = catalogue(&stage.shop);
    let skus = simple.iter().chain(&variations);
    let writes: Vec<Write> = skus.map(|sku| write(&id(&stage.shop, sku), "11")).collect();
    let results = stage.connector.write(&writes).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let calls = stage.shop.calls();
    assert_eq!(calls["POST /products/batch"], 1);
    let catalogue = stage.shop.catalogue();
    let parents: BTreeSet<u64> = catalogue
        .items
        .iter()
        .filter_map(|item| item.parent)
        .collect();
    assert!(parents.len() > 1);
    assert_eq!(
        calls["POST /products/ID/variations/batch"],
        parents.len() as u64
    );
    assert_eq!(calls["GET /products"] + calls["GET /variations"], 3);
}

#[tokio::test]
async fn an_item_that_changed_meanwhile_is_decided_again() {
    let stage = Stage::of("11.0.1", 0).await;
    let (_, simple, _) = catalogue(&stage.shop);
    let id = id(&stage.shop, &simple[0]);
    let mut moved = write(&id, "5");
    moved.expects = Some("2020-01-01T00:00:00".to_owned());
    let results = stage.connector.write(&[moved]).await;
    assert_eq!(fault(results[0].clone()).0, Next::Moved);
}

/// One product whose code of a plug-in ends PHP takes a batch down. It fails alone.
#[tokio::test]
async fn a_product_that_ends_php_fails_alone() {
    let shop = Shop::new(ShopOptions {
        orders: 0,
        seen_as_https: true,
        ..ShopOptions::default()
    });
    let (_, simple, _) = catalogue(&shop);
    let deadly = format!("\"id\":{},", shop.product_id(&simple[3]).unwrap());
    let router = shop
        .router()
        .layer(from_fn(move |request: Request, inner: Inner| {
            let deadly = deadly.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body: Bytes = to_bytes(body, 1_000_000).await.unwrap();
                if String::from_utf8_lossy(&body).contains(&deadly) {
                    let (kind, body) = comptoir_sim::woocommerce::error_body(500);
                    return (
                        axum::http::StatusCode::INTERNAL_SERVER_ERROR,
                        [("content-type", kind)],
                        body,
                    )
                        .into_response();
                }
                inner
                    .run(Request::from_parts(parts, Body::from(body)))
                    .await
            }
        }));
    let server = Server::start(router).await.unwrap();
    let connector = open(&server, json!({}));
    let writes: Vec<Write> = simple
        .iter()
        .map(|sku| write(&id(&shop, sku), "4"))
        .collect();
    let results = connector.write(&writes).await;
    for (place, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), place != 3, "{result:?}");
    }
    assert_eq!(
        fault(results[3].clone()),
        (Next::Unknown, Code::ServerError)
    );
    let all_but_one = simple
        .iter()
        .filter(|sku| shop.stock(sku) == Some(Decimal::from(4)));
    assert_eq!(all_but_one.count(), simple.len() - 1);
}

#[test]
fn a_variation_that_is_counted_with_its_product_is_not_counted_itself() {
    let mut wire = json!({
        "id": 12, "parent_id": 11, "type": "variation", "status": "publish", "sku": " TS-S ",
        "manage_stock": "parent", "stock_quantity": 7, "backorders": "notify",
        "date_modified_gmt": "2026-11-25T08:43:54",
    });
    let stock = |wire: &serde_json::Value| {
        let record = crate::woocommerce::stock::item(&wire.to_string()).unwrap();
        record.document.as_stock().unwrap().clone()
    };
    let with_product = stock(&wire);
    assert!(!with_product.managed && with_product.levels.is_empty() && with_product.backorders);
    assert_eq!(with_product.sku, "TS-S");
    wire["manage_stock"] = true.into();
    assert_eq!(stock(&wire).levels, [Level::pool(Decimal::from(7))]);
    wire["stock_quantity"] = serde_json::Value::Null;
    assert_eq!(
        stock(&wire).levels,
        [Level::default()],
        "counted, and nobody says how many"
    );
    wire.as_object_mut().unwrap().remove("manage_stock");
    assert!(crate::woocommerce::stock::item(&wire.to_string()).is_err());
}
