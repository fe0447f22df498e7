//! The real shop: a small client of WooCommerce's REST API, and what the suite puts there.

use comptoir_kit::auth::{Auth, OAuth1};
use comptoir_kit::http::{Call, Http, HttpMaker, HttpOptions, Method};
use comptoir_kit::secret::Secret;
use comptoir_model::Decimal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the shop is, and its key.
pub struct Address {
    pub url: String,
    pub key: String,
    pub secret: String,
}

/// The shop as the suite calls it.
pub struct Shop {
    http: Http,
}

/// What the suite made in the shop, by short names.
pub struct Goods {
    /// Marks everything of this run.
    pub run: String,
    /// Ids of products.
    pub products: BTreeMap<&'static str, u64>,
    /// Slug of the tax class of a rate.
    pub classes: BTreeMap<&'static str, String>,
    /// Id of an account, and its e-mail address.
    pub account: (u64, String),
}

/// An order as the shop shows it.
#[derive(Debug, Clone)]
pub struct Placed {
    pub id: u64,
    pub number: String,
    pub total: Decimal,
    pub currency: String,
    pub email: String,
    pub at: String,
    /// Codes of its taxes.
    pub taxes: Vec<String>,
}

/// Rates of the suite's own tax classes: class, country, state, percent, priority, compound.
const RATES: &[(&str, &str, &str, &str, u32, bool)] = &[
    ("standard", "FR", "", "20", 1, false),
    ("standard", "DE", "", "19", 1, false),
    ("standard", "CA", "QC", "5", 1, false),
    ("standard", "CA", "QC", "9.975", 2, true),
    ("reduced", "FR", "", "5.5", 1, false),
    ("unmapped", "FR", "", "10", 1, false),
];

/// Products: short name, tax class (none: not taxed), price, virtual.
const PRODUCTS: &[(&str, &str, &str, bool)] = &[
    ("MUG", "standard", "12.50", false),
    ("BOOK", "reduced", "18.90", false),
    ("SET", "standard", "40.00", false),
    ("PLAIN", "standard", "7.07", false),
    ("GONE", "standard", "21.00", false),
    ("CARD", "", "50.00", true),
    ("EBOOK", "standard", "9.99", true),
    ("ODD", "unmapped", "10.00", false),
    ("UNKNOWN", "standard", "11.00", false),
    ("DOUBLE", "standard", "12.00", false),
];

/// Short names of products that the ERP must know, once each.
pub const KNOWN: &[&str] = &["MUG", "BOOK", "SET", "CARD", "EBOOK", "ODD"];

/// The SKU of a product of a run.
pub fn sku(run: &str, name: &str) -> String {
    format!("LIVE-{run}-{name}")
}

/// The code under which orders show a rate: the name tells the percentage, so it stands alone.
pub fn tax_code(run: &str, country: &str, state: &str, percent: &str, priority: u32) -> String {
    let name = format!("LIVE {run} {percent}");
    let parts = [country, state, name.as_str()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{}-{priority}", parts.join("-").to_uppercase())
}

impl Shop {
    pub fn open(address: &Address) -> Shop {
        let secret = Secret::new(address.secret.clone());
        let auth = if address.url.starts_with("https:") {
            Auth::Basic {
                user: address.key.clone(),
                password: secret,
            }
        } else {
            Auth::OAuth1(OAuth1::one_legged(&address.key, secret))
        };
        let options = HttpOptions {
            auth,
            slots: 1,
            deadline: Duration::from_secs(280),
            ..HttpOptions::default()
        };
        let maker = HttpMaker::network("live-shop".parse().unwrap());
        Shop {
            http: maker.open(&address.url, options).unwrap(),
        }
    }

    /// Whether this shop says of itself that it is a simulator: its results must not pass for those of a real one.
    pub async fn is_simulated(address: &Address) -> bool {
        let maker = HttpMaker::network("live-shop".parse().unwrap());
        // Without the key, which WordPress would take for a user's password.
        let http = maker.open(&address.url, HttpOptions::default()).unwrap();
        let call = Call::get("live", "wp-json").query("_fields", "name");
        let answer = http.send(call).await.unwrap();
        assert!(answer.is_success(), "/wp-json answers {}", answer.status);
        let index: Value = answer.json().unwrap();
        index["name"] == "Simulated shop"
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Value {
        let mut call = Call::new("live", method, format!("wp-json/wc/v3/{path}"));
        for (name, value) in query {
            call = call.query(*name, *value);
        }
        if let Some(body) = body {
            call = call.json(body).unwrap();
        }
        let answer = self.http.send(call).await.unwrap();
        let text = answer.text();
        let shown: String = text.chars().take(400).collect();
        assert!(answer.is_success(), "{path}: {} {shown}", answer.status);
        answer.json::<Value>().unwrap()
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.call(Method::Get, path, query, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Value {
        self.call(Method::Post, path, &[], Some(body)).await
    }

    /// Changes an order.
    pub async fn change(&self, order: u64, body: &Value) -> Placed {
        let path = format!("orders/{order}");
        placed(&self.call(Method::Put, &path, &[], Some(body)).await)
    }

    /// Reads an order.
    pub async fn read(&self, order: u64) -> Placed {
        placed(&self.get(&format!("orders/{order}"), &[]).await)
    }

    /// Has a product counted from now on: so many are there.
    pub async fn count(&self, product: u64, quantity: i64) {
        let body = json!({"manage_stock": true, "stock_quantity": quantity});
        let path = format!("products/{product}");
        self.call(Method::Put, &path, &[], Some(&body)).await;
    }

    /// How many of a product the shop shows.
    pub async fn counted(&self, product: u64) -> Option<i64> {
        let path = format!("products/{product}");
        let shown = self.get(&path, &[("_fields", "id,stock_quantity")]).await;
        shown["stock_quantity"].as_i64()
    }

    /// What the buyer was told about an order.
    pub async fn notes(&self, order: u64) -> Vec<String> {
        let path = format!("orders/{order}/notes");
        let notes = self.get(&path, &[("type", "customer")]).await;
        let notes = notes.as_array().unwrap().iter();
        notes
            .map(|note| note["note"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    /// An order's status.
    pub async fn status(&self, order: u64) -> String {
        let order = self
            .get(&format!("orders/{order}"), &[("_fields", "id,status")])
            .await;
        order["status"].as_str().unwrap_or_default().to_owned()
    }

    /// Deletes a product of the suite for good.
    pub async fn delete_product(&self, product: u64) {
        let path = format!("products/{product}");
        self.call(Method::Delete, &path, &[("force", "true")], None)
            .await;
    }

    /// Places many, some per call.
    pub async fn place_all(&self, bodies: &[Value]) -> Vec<Placed> {
        let mut all = Vec::new();
        for some in bodies.chunks(25) {
            let answer = self.post("orders/batch", &json!({ "create": some })).await;
            all.extend(answer["create"].as_array().unwrap().iter().map(placed));
        }
        all
    }

    /// What must be so before the suite makes sense here.
    pub async fn check(&self) {
        let general = self
            .get("settings/general", &[("_fields", "id,value")])
            .await;
        assert_eq!(
            value_of(&general, "woocommerce_calc_taxes"),
            "yes",
            "switch taxes on: WooCommerce > Settings > General > Enable tax rates and calculations"
        );
        let tax = self.get("settings/tax", &[("_fields", "id,value")]).await;
        assert_ne!(
            value_of(&tax, "woocommerce_tax_based_on"),
            "base",
            "WooCommerce > Settings > Tax > Calculate tax based on must be an address of the buyer"
        );
        assert_eq!(
            value_of(&tax, "woocommerce_shipping_tax_class"),
            "inherit",
            "WooCommerce > Settings > Tax > Shipping tax class must be `based on cart items`: the suite taxes with classes of its own"
        );
    }

    /// Tax classes and rates, products, coupons and an account, all of this run.
    pub async fn stock_up(&self, run: &str) -> Goods {
        let mut classes = BTreeMap::new();
        for name in ["standard", "reduced", "unmapped"] {
            let body = json!({"name": format!("Live {run} {name}")});
            let class = self.post("taxes/classes", &body).await;
            classes.insert(name, class["slug"].as_str().unwrap().to_owned());
        }
        for (class, country, state, percent, priority, compound) in RATES {
            let body = json!({
                "country": country, "state": state, "rate": percent, "priority": priority,
                "name": format!("Live {run} {percent}"), "compound": compound, "shipping": true,
                "class": classes[class],
            });
            self.post("taxes", &body).await;
        }
        let mut products = BTreeMap::new();
        for (name, class, price, is_virtual) in PRODUCTS {
            let mut body = json!({
                "name": format!("Live {run} {name}"), "type": "simple", "regular_price": price,
                "virtual": is_virtual, "sku": sku(run, name),
                "tax_status": if class.is_empty() { "none" } else { "taxable" },
                "tax_class": classes.get(class).cloned().unwrap_or_default(),
            });
            if *name == "PLAIN" {
                body["sku"] = "".into();
            }
            let product = self.post("products", &body).await;
            products.insert(*name, product["id"].as_u64().unwrap());
        }
        for (name, kind, amount, free) in [
            ("percent", "percent", "10", false),
            ("fixed", "fixed_cart", "5", false),
            ("freeship", "percent", "0", true),
        ] {
            let body = json!({
                "code": coupon(run, name), "discount_type": kind, "amount": amount,
                "free_shipping": free,
            });
            self.post("coupons", &body).await;
        }
        let email = format!("account.{run}@example.test");
        let body = json!({
            "email": email, "username": format!("live-{run}"), "first_name": "Live", "last_name": run,
            // Nobody logs in with it.
            "password": format!("{run}-{}", std::process::id()),
        });
        let account = self.post("customers", &body).await;
        Goods {
            run: run.to_owned(),
            products,
            classes,
            account: (account["id"].as_u64().unwrap(), email),
        }
    }
}

/// A coupon's code.
pub fn coupon(run: &str, name: &str) -> String {
    format!("live-{run}-{name}")
}

fn value_of<'a>(settings: &'a Value, id: &str) -> &'a str {
    let mut rows = settings.as_array().unwrap().iter();
    let row = rows.find(|row| row["id"] == id);
    row.and_then(|row| row["value"].as_str())
        .unwrap_or_default()
}

fn placed(order: &Value) -> Placed {
    let text = |field: &str| order[field].as_str().unwrap_or_default().to_owned();
    assert!(order["id"].is_u64(), "the shop refused an order: {order}");
    let taxes = order["tax_lines"].as_array().into_iter().flatten();
    Placed {
        id: order["id"].as_u64().unwrap(),
        number: text("number"),
        total: text("total").parse().unwrap(),
        currency: text("currency"),
        email: order["billing"]["email"].as_str().unwrap().to_owned(),
        at: text("date_created_gmt"),
        taxes: taxes
            .map(|tax| tax["rate_code"].as_str().unwrap().to_owned())
            .collect(),
    }
}
