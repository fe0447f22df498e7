//! A Dolibarr in the hands of its people: a small client of its REST API. The simulator answers these calls too.

use crate::keeper::Sale;
use crate::shop::{sku, tax_code};
use comptoir_kit::auth::Auth;
use comptoir_kit::http::{Call, Http, HttpMaker, HttpOptions, Method};
use comptoir_kit::secret::Secret;
use serde_json::{Value, json};
use std::time::Duration;

/// Where it is, and how to get in.
pub struct Address {
    pub url: String,
    /// Key of a user who may make products, count stock and send parcels.
    pub admin: String,
    /// The hub's key.
    pub hub: String,
}

/// The ERP as its people call it.
pub struct Dolibarr {
    http: Http,
    pub address: Address,
    version: String,
}

/// Where everything lies.
const WAREHOUSE: i64 = 1;

impl Dolibarr {
    pub async fn open(address: Address) -> Dolibarr {
        let options = HttpOptions {
            auth: Auth::Header {
                name: "dolapikey".to_owned(),
                value: Secret::new(address.admin.clone()),
            },
            slots: 1,
            deadline: Duration::from_secs(120),
            ..HttpOptions::default()
        };
        let maker = HttpMaker::network("live-dolibarr".parse().unwrap());
        let mut erp = Dolibarr {
            http: maker.open(&address.url, options).unwrap(),
            address,
            version: String::new(),
        };
        let status = erp.send(Method::Get, "status", Value::Null).await.unwrap();
        // A rebranded build calls it by its own name.
        let told = status["success"].as_object().into_iter().flatten();
        let mut version = told.filter(|(name, _)| name.ends_with("_version"));
        let version = version.next().and_then(|(_, version)| version.as_str());
        erp.version = version.unwrap_or_default().to_owned();
        erp
    }

    pub fn title(&self) -> String {
        format!("a Dolibarr {}", self.version)
    }

    pub fn connection(&self) -> String {
        let url = toml::Value::String(self.address.url.clone());
        format!(
            "connector = \"dolibarr\"\nurl = {url}\nkey = \"${{LIVE_ERP_KEY}}\"\ncurrency = \"EUR\"\ntime_zone = \"UTC\"\nvat_rates = [\"20\", \"5.5\"]\nstock_falls = \"shipment\"\nships_from = \"{WAREHOUSE}\"\n"
        )
    }

    /// None for a list that is empty, which is 404.
    async fn send(&self, method: Method, path: &str, body: Value) -> Option<Value> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut call = Call::new("live", method, format!("api/index.php/{path}"));
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            call = call.query(name, value);
        }
        if !body.is_null() {
            call = call.json(&body).unwrap();
        }
        let answer = self.http.send(call).await.unwrap();
        if answer.status == 404 {
            return None;
        }
        let text = answer.text().to_string();
        let shown: String = text.chars().take(300).collect();
        assert!(answer.is_success(), "{path}: {} {shown}", answer.status);
        Some(serde_json::from_str(&text).unwrap())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.send(Method::Post, path, body).await.unwrap()
    }

    pub async fn prepare(&self, run: &str) -> Vec<(String, String)> {
        let goods = ["MUG", "BOOK", "SET"].map(|name| (name, 0));
        let services = crate::erp::SERVICES.map(|name| (name, 1));
        for (name, sort) in goods.into_iter().chain(services) {
            let body = json!({
                "ref": sku(run, name), "label": format!("Live {run} {name}"), "type": sort, "status": 1,
                "price": 10, "tva_tx": 20,
            });
            self.post("products", body).await;
        }
        let row = |percent: &str| (tax_code(run, "FR", "", percent, 1), percent.to_owned());
        vec![row("20"), row("5.5")]
    }

    async fn product(&self, sku: &str) -> Value {
        let filter = format!("products?sqlfilters=(t.ref:=:'{sku}')&includestockdata=1");
        let rows = self.send(Method::Get, &filter, Value::Null).await;
        rows.unwrap_or_else(|| panic!("no product {sku}"))[0].clone()
    }

    pub async fn count(&self, sku: &str, quantity: i64) {
        let product = self.product(sku).await;
        let there = whole(&product["stock_reel"]);
        let body = json!({
            "product_id": whole(&product["id"]), "warehouse_id": WAREHOUSE, "qty": quantity - there,
        });
        self.post("stockmovements", body).await;
    }

    pub async fn sale(&self, key: &str) -> Option<Sale> {
        let filter = format!("orders?sqlfilters=(t.ref_ext:=:'{key}')");
        let rows = self.send(Method::Get, &filter, Value::Null).await?;
        let rows = rows.as_array()?;
        assert!(rows.len() < 2, "the order is there {} times", rows.len());
        let row = rows.first()?;
        let state = if row["statut"].is_null() {
            &row["status"]
        } else {
            &row["statut"]
        };
        Some(Sale {
            id: whole(&row["id"]),
            confirmed: whole(state) >= 1,
        })
    }

    pub async fn ship(&self, sale: i64, goods: &[(String, i64)], tracking: &str) {
        let order = self
            .send(Method::Get, &format!("orders/{sale}"), Value::Null)
            .await
            .unwrap();
        let mut lines = Vec::new();
        for (sku, quantity) in goods {
            let product = whole(&self.product(sku).await["id"]);
            let mut of_order = order["lines"].as_array().unwrap().iter();
            let line = of_order.find(|line| whole(&line["fk_product"]) == product);
            let line = whole(&line.unwrap()["id"]);
            // Each version knows the order's line by another name.
            lines.push(json!({
                "fk_origin_line": line, "fk_elementdet": line, "origin_line_id": line, "qty": quantity,
                "entrepot_id": WAREHOUSE,
            }));
        }
        let body = json!({
            "socid": whole(&order["socid"]), "origin": "commande", "origin_type": "commande", "origin_id": sale,
            "tracking_number": tracking, "shipping_method_id": 2, "lines": lines,
        });
        let shipment = whole(&self.post("shipments", body).await);
        self.post(
            &format!("shipments/{shipment}/validate"),
            json!({"notrigger": 0}),
        )
        .await;
    }

    pub async fn contents(&self, sale: i64) -> Value {
        let order = self
            .send(Method::Get, &format!("orders/{sale}"), Value::Null)
            .await
            .unwrap();
        let sent = self
            .send(Method::Get, &format!("orders/{sale}/shipment"), Value::Null)
            .await;
        let of = |row: &Value, fields: &[&str]| {
            let told = fields.iter().map(|field| row[*field].clone());
            Value::Array(told.collect())
        };
        let lines = order["lines"].as_array().into_iter().flatten();
        let lines: Vec<Value> = lines
            .map(|line| of(line, &["id", "qty", "subprice", "total_ttc"]))
            .collect();
        let sent = sent
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let sent: Vec<Value> = sent
            .map(|row| of(row, &["id", "tracking_number"]))
            .collect();
        json!([
            of(&order, &["ref", "statut", "status", "total_ttc"]),
            lines,
            sent
        ])
    }
}

/// A number, which Dolibarr mostly writes as a text.
fn whole(value: &Value) -> i64 {
    let text = value
        .as_str()
        .map(str::to_owned)
        .unwrap_or_else(|| value.to_string());
    let number: f64 = text.trim().parse().unwrap_or_default();
    number as i64
}
