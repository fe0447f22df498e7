//! Stock and shipments of a live Dolibarr, read with the key of `COMPTOIR_LIVE_DOLIBARR_KEY`. What is read is made with that of
//! `COMPTOIR_LIVE_DOLIBARR_ADMIN`, of a user who may do everything, on an instance whose stock goes down with the shipment, that has
//! kits and the warehouse 1. Without them it is skipped and says so.

use crate::flows::{drain, shipment, stock};
use crate::given::*;
use comptoir_kit::auth::Auth;
use comptoir_kit::http::{Call, Http, HttpOptions, Method};
use comptoir_kit::secret::Secret;
use comptoir_kit::spec::Kit;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Connector, Cursor, Seen};
use comptoir_model::shipment::ShipmentState;
use serde_json::{Value, json};

/// Hands of a person.
struct Hands(Http);

impl Hands {
    fn new(address: &str, key: &str) -> Hands {
        let auth = Auth::Header {
            name: "dolapikey".to_owned(),
            value: Secret::new(key.to_owned()),
        };
        let options = HttpOptions {
            auth,
            ..HttpOptions::default()
        };
        let kit = Kit::new("hands".parse().unwrap());
        Hands(kit.http.open(address, options).unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::Post, path, body).await
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("api/index.php/{path}");
        let mut call = Call::new("hands", method, path.clone());
        if !body.is_null() {
            call = call.json(&body).unwrap();
        }
        let answer = self.0.send(call).await.unwrap();
        let text = answer.text().to_string();
        assert!(answer.is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn product(&self, sku: &str) -> RemoteId {
        let body = json!({"ref": sku, "label": "Produit", "type": 0, "status": 1, "price": 10, "tva_tx": 20});
        RemoteId(self.post("products", body).await.to_string())
    }

    async fn movement(&self, product: &RemoteId, quantity: i64) {
        let product: i64 = product.as_str().parse().unwrap();
        let body = json!({"product_id": product, "warehouse_id": 1, "qty": quantity});
        self.post("stockmovements", body).await;
    }

    async fn order(&self, customer: &RemoteId, product: &RemoteId, quantity: i64) -> (i64, i64) {
        let body = json!({
            "socid": customer.as_str(), "date": jiff::Timestamp::now().as_second(), "ref_ext": format!("live/order/{product}"),
            "lines": [{"fk_product": product.as_str(), "qty": quantity, "subprice": 10, "tva_tx": 20, "product_type": 0, "ref_ext": "line-1"}],
        });
        let id = self.post("orders", body).await.as_i64().unwrap();
        let body = json!({"idwarehouse": 0, "notrigger": 0});
        let order = self.post(&format!("orders/{id}/validate"), body).await;
        let line = order["lines"][0]["id"].as_str().unwrap();
        (id, line.parse().unwrap())
    }

    async fn ship(&self, customer: &RemoteId, order: (i64, i64), quantity: i64) -> RemoteId {
        let (order, line) = order;
        let body = json!({
            "socid": customer.as_str(), "origin": "commande", "origin_type": "commande", "origin_id": order,
            "tracking_number": "1Z-TEST-1, 1Z-TEST-2", "shipping_method_id": 2,
            "lines": [{"fk_origin_line": line, "fk_elementdet": line, "origin_line_id": line, "qty": quantity, "entrepot_id": 1}],
        });
        let id = self.post("shipments", body).await.as_i64().unwrap();
        self.post(&format!("shipments/{id}/validate"), json!({"notrigger": 0}))
            .await;
        RemoteId(id.to_string())
    }
}

/// On hand and available at the only place.
async fn at_hand(connector: &dyn Connector, id: &RemoteId) -> (String, String) {
    let stock = stock(connector, id).await;
    assert_eq!(stock.levels.len(), 1, "{stock:?}");
    let level = &stock.levels[0];
    assert_eq!(level.location, Some("1".into()));
    (
        level.on_hand.unwrap().to_string(),
        level.available.unwrap().to_string(),
    )
}

fn both(on_hand: &str, available: &str) -> (String, String) {
    (on_hand.to_owned(), available.to_owned())
}

#[tokio::test]
async fn stock_and_shipments_of_a_live_dolibarr() {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(address), Some(key), Some(admin)) = (
        given("COMPTOIR_LIVE_DOLIBARR"),
        given("COMPTOIR_LIVE_DOLIBARR_KEY"),
        given("COMPTOIR_LIVE_DOLIBARR_ADMIN"),
    ) else {
        eprintln!(
            "skipped: COMPTOIR_LIVE_DOLIBARR, COMPTOIR_LIVE_DOLIBARR_KEY and COMPTOIR_LIVE_DOLIBARR_ADMIN are not all set"
        );
        return;
    };
    let hands = Hands::new(&address, &admin);
    let connector = open_with(&address, &key, json!({"kits": true}));
    let connector = &*connector;
    let run = jiff::Timestamp::now().as_millisecond().to_string();
    let customer = one(connector, &person(&run)).await.unwrap().id;
    let goods = hands.product(&format!("LIVE-{run}")).await;
    let kit = hands.product(&format!("LIVE-KIT-{run}")).await;
    let part =
        json!({"subproduct_id": goods.as_str().parse::<i64>().unwrap(), "qty": 2, "incdec": 1});
    hands
        .post(&format!("products/{kit}/subproducts/add"), part)
        .await;
    hands.movement(&goods, 20).await;

    let (all, since) = drain(connector, Kind::Stock, &Cursor::start()).await;
    assert!(all.contains(&goods) && all.contains(&kit));
    assert_eq!(at_hand(connector, &goods).await, both("20", "20"));
    let parts = stock(connector, &kit).await;
    assert!(parts.levels.is_empty());
    assert_eq!(parts.components[0].product, goods);
    assert_eq!(parts.components[0].quantity, dec("2"));
    let (_, since) = drain(connector, Kind::Stock, &since).await;
    assert_eq!(drain(connector, Kind::Stock, &since).await.0, []);

    // An order takes it, at once and without moving the product.
    let order = hands.order(&customer, &goods, 5).await;
    let (changed, since) = drain(connector, Kind::Stock, &since).await;
    assert_eq!(changed, std::slice::from_ref(&goods));
    assert_eq!(at_hand(connector, &goods).await, both("20", "15"));
    hands.ship(&customer, order, 2).await;
    let (changed, since) = drain(connector, Kind::Stock, &since).await;
    assert!(changed.contains(&goods), "{changed:?}");
    assert_eq!(at_hand(connector, &goods).await, both("18", "15"));
    // So does an order of a kit, of its parts.
    let order = hands.order(&customer, &kit, 3).await;
    let (changed, since) = drain(connector, Kind::Stock, &since).await;
    assert!(changed.contains(&goods), "{changed:?}");
    assert_eq!(at_hand(connector, &goods).await, both("18", "9"));
    hands.ship(&customer, order, 2).await;
    let (changed, _) = drain(connector, Kind::Stock, &since).await;
    assert!(changed.contains(&goods), "{changed:?}");
    assert_eq!(at_hand(connector, &goods).await, both("14", "9"));
    shipments(connector, &hands, &customer, &goods).await;
}

async fn shipments(
    connector: &dyn Connector,
    hands: &Hands,
    customer: &RemoteId,
    goods: &RemoteId,
) {
    let (_, since) = drain(connector, Kind::Shipment, &Cursor::start()).await;
    let (_, since) = drain(connector, Kind::Shipment, &since).await;
    assert_eq!(drain(connector, Kind::Shipment, &since).await.0, []);
    let order = hands.order(customer, goods, 5).await;
    let first = hands.ship(customer, order, 2).await;
    let (changed, since) = drain(connector, Kind::Shipment, &since).await;
    assert_eq!(changed, std::slice::from_ref(&first));
    let seen = shipment(connector, &first).await;
    assert_eq!(seen.order.as_str(), order.0.to_string());
    assert_eq!(seen.state, ShipmentState::Shipped);
    assert!(!seen.completes && seen.shipped_at.is_some() && seen.number.starts_with("SH"));
    assert_eq!(seen.location, Some("1".into()));
    let tracking: Vec<&str> = seen
        .parcels
        .iter()
        .map(|parcel| parcel.tracking.as_str())
        .collect();
    assert_eq!(tracking, ["1Z-TEST-1", "1Z-TEST-2"]);
    assert!(!seen.parcels[0].carrier.is_empty());
    let key = format!("live/order/{goods}/line-1");
    assert_eq!(seen.lines.len(), 1);
    assert_eq!(seen.lines[0].key.as_ref().unwrap().as_str(), key);
    assert_eq!(seen.lines[0].quantity, dec("2"));
    // A number that comes later brings it again.
    let body = json!({"tracking_number": "1Z-TEST-3"});
    hands
        .send(Method::Put, &format!("shipments/{first}"), body)
        .await;
    let (changed, since) = drain(connector, Kind::Shipment, &since).await;
    assert_eq!(changed, std::slice::from_ref(&first));
    let second = hands.ship(customer, order, 3).await;
    let (changed, since) = drain(connector, Kind::Shipment, &since).await;
    assert_eq!(changed, std::slice::from_ref(&second));
    assert!(shipment(connector, &second).await.completes);
    assert!(!shipment(connector, &first).await.completes);
    hands
        .post(
            &format!("shipments/{second}/close"),
            json!({"notrigger": 0}),
        )
        .await;
    assert_eq!(
        shipment(connector, &second).await.state,
        ShipmentState::Delivered
    );
    let (changed, _) = drain(connector, Kind::Shipment, &since).await;
    assert_eq!(changed, std::slice::from_ref(&second));
    hands
        .send(Method::Delete, &format!("shipments/{first}"), Value::Null)
        .await;
    assert!(matches!(
        read(connector, Kind::Shipment, &first).await,
        Seen::Gone(_)
    ));
}
