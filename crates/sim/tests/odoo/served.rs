//! A simulator on a port of this machine, and both ways of talking to it.

use comptoir_sim::odoo::{Erp, ErpOptions, ErpProduct, ErpTax, Version};
use reqwest::Client;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

pub fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The shop's assortment of these tests.
pub fn erp(options: ErpOptions) -> Erp {
    let tax = |name: &str, rate: &str, included| ErpTax {
        name: name.to_owned(),
        rate: dec(rate),
        included,
        affects_base: false,
    };
    let mut mug = ErpProduct::new("MUG", "Mug", dec("15.00"));
    mug.taxes = vec!["20 incl".to_owned()];
    mug.stock = Some(dec("50"));
    mug.barcode = "4006381333931".to_owned();
    Erp::new(
        options,
        vec![
            mug,
            ErpProduct::new("BOOK", "Book", dec("18.90")),
            ErpProduct::service("SHIP", "Shipping"),
        ],
        vec![
            tax("20 incl", "20", true),
            tax("20 excl", "20", false),
            tax("5.5 incl", "5.5", true),
        ],
        ["EUR", "USD", "JPY", "KWD"]
            .iter()
            .map(|code| code.parse().unwrap())
            .collect(),
    )
}

pub fn of(version: Version) -> ErpOptions {
    ErpOptions {
        version,
        ..ErpOptions::default()
    }
}

pub struct Served {
    pub erp: Erp,
    pub address: String,
    pub client: Client,
}

impl Served {
    pub async fn start(erp: Erp) -> Served {
        // Reqwest is built without a provider of its own.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = erp.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Served {
            erp,
            address,
            client: Client::new(),
        }
    }

    pub async fn of(version: Version) -> Served {
        Served::start(erp(of(version))).await
    }

    /// `/jsonrpc`: the result, or the exception's name.
    pub async fn rpc(
        &self,
        model: &str,
        method: &str,
        args: Value,
        named: Value,
    ) -> Result<Value, String> {
        let options = self.erp.options();
        let body = json!({
            "jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": "object", "method": "execute_kw",
                "args": [options.database, 2, options.key, model, method, args, named]},
        });
        let answer: Map<String, Value> = self.post("/jsonrpc", &body).await.1;
        match (answer.get("error"), answer.get("result")) {
            (Some(error), _) => Err(error["data"]["name"].as_str().unwrap().to_owned()),
            (None, result) => Ok(result.cloned().unwrap_or(Value::Null)),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Map<String, Value>) {
        let url = format!("{}{path}", self.address);
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap())
    }

    /// `/json/2`: the status and the body.
    pub async fn json2(&self, model: &str, method: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/json/2/{model}/{method}", self.address);
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header(
                "authorization",
                format!("bearer {}", self.erp.options().key),
            )
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn partner(&self, name: &str) -> i64 {
        let made = self
            .rpc("res.partner", "create", json!([{"name": name}]), json!({}))
            .await;
        made.unwrap().as_i64().unwrap()
    }
}
