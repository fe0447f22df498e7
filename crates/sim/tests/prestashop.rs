//! The simulated PrestaShop answers what was taped the way the real one did: same status, same codes, same shape.

#![allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use comptoir_model::Decimal;
use comptoir_sim::prestashop::{Goods, Line, Sale, Shop, ShopOptions, Trouble};
use comptoir_sim::seed::Seed;
use comptoir_sim::server::Server;
use comptoir_sim::traps::{Expected, Trap};
use comptoir_sim::woocommerce::Deed;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const KEY: &str = "TAPEKEYTAPEKEYTAPEKEYTAPEKEYTAPE";

async fn shop() -> (Shop, Server) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let shop = Shop::new(ShopOptions {
        key: KEY.to_owned(),
        now: "2026-11-22T04:05:00Z".parse().unwrap(),
        ..ShopOptions::default()
    });
    // Six products, the first with eight combinations, as in the tapes.
    let (first, _) = shop.offer("demo_1", Goods::Combined, 0);
    for number in 2..=6 {
        shop.offer(&format!("demo_{number}"), Goods::Simple, 300);
    }
    for _ in 1..=8 {
        shop.offer("demo_1", Goods::Of(first), 300);
    }
    for number in 1..=10 {
        shop.place(&Sale {
            email: format!("buyer{number}@example.test"),
            guest: false,
            company: None,
            lines: vec![Line {
                product: (1, 1),
                sku: "demo_1".to_owned(),
                quantity: 2,
                price: Decimal::new(1912, 2),
                tax: Some(1),
            }],
            shipping: Decimal::from(7),
            voucher: Some(10),
            state: 11,
            message: String::new(),
        });
    }
    shop.slip(9, 1);
    let server = Server::start(shop.router()).await.unwrap();
    (shop, server)
}

/// The taped exchanges of a file.
fn taped(name: &str) -> Vec<Value> {
    let path = format!(
        "{}/../connectors/src/prestashop/tapes/8.2.1/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    match serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() {
        Value::Array(exchanges) => exchanges,
        exchange => vec![exchange],
    }
}

/// Asks as the tape did; a key that the tape's shop did not know stays unknown.
async fn ask(server: &Server, exchange: &Value) -> (u16, String) {
    let request = &exchange["request"];
    let method = request["method"].as_str().unwrap().parse().unwrap();
    let url = format!("{}{}", server.url(), request["path"].as_str().unwrap());
    let mut call = reqwest::Client::new().request(method, url);
    if request["headers"]["authorization"].is_string() {
        let unknown = exchange["note"]
            .as_str()
            .unwrap()
            .starts_with("unknown key");
        let key = if unknown { "KEY_TAPE" } else { KEY };
        call = call.header(
            "authorization",
            format!("Basic {}", BASE64.encode(format!("{key}:"))),
        );
    }
    if let Some(body) = request["body"].as_str() {
        call = call
            .header("content-type", "text/xml")
            .body(body.to_owned());
    }
    let response = call.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The error codes of a body, JSON or XML.
fn codes(body: &str) -> BTreeSet<String> {
    if let Ok(json) = serde_json::from_str::<Value>(body) {
        let errors = json["errors"].as_array().cloned().unwrap_or_default();
        return errors
            .iter()
            .map(|error| error["code"].to_string())
            .collect();
    }
    let parts = body.split("<code><![CDATA[").skip(1);
    parts
        .map(|part| part.split("]]>").next().unwrap().to_owned())
        .collect()
}

/// The elements of an XML body: names, each with its first text.
fn elements(body: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in body.split('<').skip(2) {
        let name = part.split([' ', '>', '/']).next().unwrap();
        if name.starts_with(|c: char| c.is_ascii_lowercase()) {
            let text = body.split(&format!("<{name}")).nth(1).unwrap_or_default();
            let text = text.split("<![CDATA[").nth(1).unwrap_or_default();
            let text = text.split("]]>").next().unwrap_or_default();
            found.entry(name.to_owned()).or_insert(text.to_owned());
        }
    }
    found
}

/// What a list is called, and the fields of its first row.
fn shape(body: &str) -> Option<(String, BTreeSet<String>)> {
    let json: Value = serde_json::from_str(body).ok()?;
    let (name, list) = json.as_object()?.iter().next()?;
    let first = list.as_array()?.first()?.as_object()?;
    Some((name.clone(), first.keys().cloned().collect()))
}

#[tokio::test]
async fn refusals_are_those_of_the_tapes() {
    let (shop, server) = shop().await;
    for name in [
        "001-auth-errors",
        "003-api-root-json",
        "025-orders-page-beyond",
        "027-orders-since-no-date-flag",
        "041-order-history-unknown-state",
        "071-errors-xml",
    ] {
        for exchange in taped(name) {
            let (status, body) = ask(&server, &exchange).await;
            let response = &exchange["response"];
            let note = exchange["note"].as_str().unwrap();
            assert_eq!(
                u64::from(status),
                response["status"].as_u64().unwrap(),
                "{name}: {note}"
            );
            assert_eq!(
                codes(&body),
                codes(response["body"].as_str().unwrap()),
                "{name}: {note}"
            );
        }
    }
    shop.set_trouble(Trouble {
        disabled: true,
        ..Trouble::default()
    });
    let exchange = &taped("074-webservice-disabled")[0];
    let (status, body) = ask(&server, exchange).await;
    assert_eq!(
        (status, codes(&body)),
        (503, BTreeSet::from(["22".to_owned()]))
    );
    shop.set_trouble(Trouble {
        mail_broken: true,
        ..Trouble::default()
    });
    let exchange = &taped("039-order-history-500-but-done")[0];
    let (status, body) = ask(&server, exchange).await;
    assert_eq!(
        (status, codes(&body)),
        (500, BTreeSet::from(["46".to_owned()]))
    );
    assert_eq!(
        shop.row("orders", 9).unwrap()["current_state"],
        "2",
        "and it is done"
    );
}

#[tokio::test]
async fn lists_have_the_shape_of_the_tapes() {
    let (_, server) = shop().await;
    for name in [
        "024-orders-page",
        "026-orders-since",
        "028-orders-filter-ge-ignored",
        "030-order-carriers",
        "033-order-payments-of-reference",
        "034-order-histories",
        "040-order-after-500",
        "045-order-slips",
        "046-order-slips-none",
        "047-order-cart-rules",
    ] {
        let exchange = &taped(name)[0];
        let (status, body) = ask(&server, exchange).await;
        assert_eq!(status, 200, "{name}");
        let expected = shape(exchange["response"]["body"].as_str().unwrap());
        // The tape's reference is not one of this shop.
        if name != "033-order-payments-of-reference" {
            assert_eq!(shape(&body), expected, "{name}: {body}");
        }
    }
}

#[tokio::test]
async fn orders_have_every_field_of_the_tape_but_its_rows() {
    let (_, server) = shop().await;
    let exchange = &taped("017-order-b2b-order")[0];
    let (_, body) = ask(&server, exchange).await;
    let (_, ours) = shape(&body).unwrap();
    let (_, mut theirs) = shape(exchange["response"]["body"].as_str().unwrap()).unwrap();
    theirs.remove("associations");
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn a_single_record_as_json_loses_its_zeros() {
    let (_, server) = shop().await;
    let (_, body) = ask(&server, &taped("021-order-single-json")[0]).await;
    let order: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(order["order"]["valid"], "1");
    assert!(order["order"].get("delivery_number").is_none());
}

#[tokio::test]
async fn stock_is_written_as_on_the_tapes() {
    let (shop, server) = shop().await;
    // The tape's key may try everything.
    shop.grant("stock_availables", "POST");
    for name in [
        "053-stock-availables",
        "054-stock-patch",
        "055-stock-patch-no-id",
        "056-stock-bulk-put",
        "057-stock-bulk-wrapper-refused",
        "058-stock-bulk-duplicate-id",
        "059-stock-bulk-bad-id-second",
        "060-stock-after-bad-bulk",
        "061-stock-post-refused",
        "062-stock-text-refused",
    ] {
        let exchange = &taped(name)[0];
        let (status, body) = ask(&server, exchange).await;
        let response = &exchange["response"];
        let theirs = response["body"].as_str().unwrap();
        assert_eq!(
            u64::from(status),
            response["status"].as_u64().unwrap(),
            "{name}: {body}"
        );
        assert_eq!(codes(&body), codes(theirs), "{name}");
        assert_eq!(shape(&body), shape(theirs), "{name}");
        if status == 200 && !theirs.starts_with('{') {
            let (ours, theirs) = (elements(&body), elements(theirs));
            assert_eq!(ours["quantity"], theirs["quantity"], "{name}");
            assert_eq!(
                ours.keys().collect::<Vec<_>>(),
                theirs.keys().collect::<Vec<_>>(),
                "{name}"
            );
        }
        if name == "060-stock-after-bad-bulk" {
            // What stood before the bad id was saved, what came after it was not.
            let json = |body: &str| serde_json::from_str::<Value>(body).unwrap();
            assert_eq!(json(&body), json(theirs));
        }
    }
    // A combination moves the sum of its product, and nothing that has a time of change.
    let date = shop.row("products", 1).unwrap()["date_upd"].clone();
    shop.set_stock("demo_1", 5);
    let sum: i64 = 5 + 7 * 300;
    let row = shop.row("stock_availables", 1).unwrap();
    assert_eq!(row["quantity"], sum.to_string());
    assert_eq!(shop.row("products", 1).unwrap()["date_upd"], date);
}

#[tokio::test]
async fn a_tracking_number_is_shown_by_the_order_and_does_not_move_it() {
    let (shop, server) = shop().await;
    let before = shop.row("orders", 9).unwrap()["date_upd"].clone();
    let exchange = &taped("042-order-carrier-tracking")[0];
    let (status, body) = ask(&server, exchange).await;
    assert_eq!(status, 200);
    let theirs = elements(exchange["response"]["body"].as_str().unwrap());
    let ours = elements(&body);
    assert_eq!(ours["tracking_number"], theirs["tracking_number"]);
    assert_eq!(
        ours.keys().collect::<Vec<_>>(),
        theirs.keys().collect::<Vec<_>>()
    );
    let (_, body) = ask(&server, &taped("043-order-shipping-number")[0]).await;
    assert!(body.contains("6A12345678901"), "{body}");
    assert_eq!(shop.row("orders", 9).unwrap()["date_upd"], before);
    assert!(shop.mailed().is_empty());
}

#[tokio::test]
async fn a_put_empties_what_it_does_not_name() {
    let (shop, server) = shop().await;
    let mut exchange = taped("056-stock-bulk-put")[0].clone();
    exchange["request"]["body"] =
        "<prestashop><stock_available><id>2</id><quantity>7</quantity></stock_available></prestashop>".into();
    assert_eq!(ask(&server, &exchange).await.0, 200);
    let row = shop.row("stock_availables", 2).unwrap();
    assert_eq!(
        (&row["quantity"], &row["id_product"]),
        (&"7".into(), &"0".into())
    );
}

#[test]
fn sales_take_goods_off_the_shelf_and_cancelling_puts_them_back() {
    let shop = Shop::new(ShopOptions::default());
    shop.offer("MUG", Goods::Simple, 3);
    let order = shop.sell("buyer@example.test", &[("MUG", 2)]).unwrap();
    assert_eq!(shop.stock("MUG"), Some(1));
    assert_eq!(shop.sell("buyer@example.test", &[("MUG", 2)]), None);
    shop.change_quantity(1, 1);
    assert_eq!(shop.stock("MUG"), Some(2));
    shop.cancel(order);
    assert_eq!(shop.stock("MUG"), Some(3));
    shop.cancel(order);
    assert_eq!(shop.stock("MUG"), Some(3));
    shop.enter(order, 2);
    assert_eq!(shop.stock("MUG"), Some(2));
    // Below zero only where the shop allows it.
    shop.edit("stock_availables", 1, |row| {
        row.insert("out_of_stock".to_owned(), "1".into());
    });
    assert!(shop.sell("buyer@example.test", &[("MUG", 5)]).is_some());
    assert_eq!(shop.stock("MUG"), Some(-3));
}

fn in_business(seed: u64, orders: usize) -> Shop {
    Shop::in_business(ShopOptions {
        seed,
        orders,
        ..ShopOptions::default()
    })
}

#[test]
fn a_shop_in_business_sells_the_seeded_catalogue_with_its_traps() {
    let shop = in_business(7, 200);
    let orders = shop.orders();
    assert_eq!((orders.len(), shop.waiting()), (200, 0));
    let again = in_business(7, 200).orders();
    let told = |orders: &[comptoir_sim::woocommerce::ShopOrder]| -> Vec<_> {
        let order = |order: &comptoir_sim::woocommerce::ShopOrder| {
            (
                order.number.clone(),
                order.total,
                order.lines.clone(),
                order.expected.clone(),
            )
        };
        orders.iter().map(order).collect()
    };
    assert_eq!(told(&orders), told(&again));
    for trap in [
        Trap::Guest,
        Trap::GuestWithAccountEmail,
        Trap::Company,
        Trap::TaxInclusive,
        Trap::SeveralRates,
        Trap::SameSkuTwice,
        Trap::EmptySku,
        Trap::DeletedProduct,
        Trap::BundleParent,
        Trap::ZeroTotal,
        Trap::CouponPercent,
        Trap::CouponFixed,
        Trap::FreeShipping,
        Trap::Emoji,
        Trap::LongName,
        Trap::VirtualOnly,
        Trap::Overseas,
        Trap::UnmappedTax,
        Trap::UnmappedPayment,
        Trap::UnmappedShipping,
        Trap::UnknownSku,
        Trap::DoubleSku,
        Trap::PartlyRefunded,
        Trap::Pending,
        Trap::Failed,
        Trap::Cancelled,
    ] {
        assert!(
            orders.iter().any(|order| order.traps.contains(&trap)),
            "{trap}"
        );
    }
    let held =
        |order: &&comptoir_sim::woocommerce::ShopOrder| matches!(order.expected, Expected::Held(_));
    let causes: BTreeSet<String> = orders
        .iter()
        .filter(held)
        .map(|order| match &order.expected {
            Expected::Held(cause) => cause.clone(),
            _ => String::new(),
        })
        .collect();
    for cause in [
        "row:tax:AT USt 20",
        "row:payment:klarnapayment",
        "row:shipping:14",
    ] {
        assert!(causes.contains(cause), "{cause} in {causes:?}");
    }
}

#[test]
fn what_was_sold_is_off_the_shelf_of_a_shop_in_business() {
    let shop = in_business(3, 120);
    let mut sold: BTreeMap<String, i64> = BTreeMap::new();
    for order in shop.orders() {
        // What was called off or never paid is still there.
        if matches!(order.status.as_str(), "6" | "8") {
            continue;
        }
        for (sku, quantity) in order.lines {
            *sold.entry(sku).or_default() += i64::try_from(quantity).unwrap();
        }
    }
    let catalogue = shop.catalogue().unwrap();
    let mut seen = 0;
    for item in catalogue.items.iter().filter(|item| item.stock.is_some()) {
        let left = item.stock.unwrap() - sold.get(&item.sku).copied().unwrap_or(0);
        assert_eq!(shop.stock(&item.sku), Some(left), "{}", item.sku);
        seen += usize::from(sold.contains_key(&item.sku));
    }
    assert!(seen > 10);
}

#[tokio::test]
async fn orders_arrive_over_their_span_and_staff_work_on_them() {
    let shop = Shop::in_business(ShopOptions {
        seed: 5,
        orders: 60,
        over: Duration::from_millis(300),
        ..ShopOptions::default()
    });
    assert_eq!((shop.orders().len(), shop.waiting()), (0, 60));
    shop.arrive().await;
    assert_eq!((shop.orders().len(), shop.waiting()), (60, 0));
    let mut seed = Seed::new(9);
    let mut deeds: BTreeSet<Deed> = BTreeSet::new();
    for _ in 0..60 {
        deeds.extend(shop.act(&mut seed).map(|(_, deed)| deed));
    }
    let all = [
        Deed::Quantity,
        Deed::Address,
        Deed::Cancelled,
        Deed::PutBack,
    ];
    assert_eq!(deeds, BTreeSet::from(all));
    assert!(shop.orders().iter().any(|order| !order.touched.is_empty()));
}
