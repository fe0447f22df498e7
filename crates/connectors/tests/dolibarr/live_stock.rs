//! Stock and shipments of a live Dolibarr, read with the key of `COMPTOIR_LIVE_DOLIBARR_KEY`. What is read is made with that of
//! `COMPTOIR_LIVE_DOLIBARR_ADMIN`, of a user who may do everything, on an instance whose stock goes down with the shipment and that
//! has the warehouse 1. Without them it is skipped and says so.

use crate::given::*;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Connector, Cursor, Record, Seen};
use serde_json::{Value, json};

struct Live {
    address: String,
    admin: String,
    http: reqwest::Client,
}

impl Live {
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/api/index.php/{path}", self.address);
        let request = self
            .http
            .request(method.parse().unwrap(), url)
            .header("DOLAPIKEY", &self.admin)
            .header("accept", "application/json");
        let request = match body {
            Value::Null => request,
            body => request.json(&body),
        };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }
}
