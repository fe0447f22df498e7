//! A served simulator with a small catalogue.

use crate::given::{line, open_with, order, person};
use comptoir_model::key::RemoteId;
use comptoir_model::order::Order;
use comptoir_model::port::Connector;
use comptoir_sim::dolibarr::{Dolibarr, DolibarrOptions};
use comptoir_sim::server::Server;
use serde_json::{Value, json};
use std::sync::Arc;

/// Both versions: 17, and 20 as what came after it.
pub const VERSIONS: [u32; 2] = [17, 20];

/// A simulator, its server and a connection to it.
pub struct Served {
    pub erp: Dolibarr,
    pub server: Server,
    pub connector: Arc<dyn Connector>,
    pub key: String,
    pub products: Vec<RemoteId>,
}

impl Served {
    pub async fn of(version: u32) -> Served {
        Served::with(DolibarrOptions {
            version,
            ..DolibarrOptions::default()
        })
        .await
    }

    pub async fn with(options: DolibarrOptions) -> Served {
        let erp = Dolibarr::new(options.clone());
        let catalogue = [("MUG-1", false), ("PORT", true), ("ROUND", true)];
        let products =
            catalogue.map(|(sku, service)| RemoteId(erp.product(sku, service, "20").to_string()));
        let server = Server::start(erp.router()).await.unwrap();
        let connector = open_with(&server.url(), &options.key, json!({}));
        Served {
            erp,
            connector,
            key: options.key,
            products: products.to_vec(),
            server,
        }
    }

    /// Another connection to it.
    pub fn open(&self, changes: Value) -> Arc<dyn Connector> {
        open_with(&self.server.url(), &self.key, changes)
    }

    pub async fn customer(&self, id: &str) -> RemoteId {
        let made = self.connector.write(&[person(id)]).await;
        made[0].as_ref().unwrap().id.clone()
    }

    /// An order of two lines and shipping.
    pub fn order(&self, number: &str, customer: &RemoteId, contact: Option<&RemoteId>) -> Order {
        let lines = vec![
            line("line-1", &self.products[0], "3", "10.33333", "20"),
            line("line-2", &self.products[0], "1.5", "14.99", "5.5"),
            line("shipping-1", &self.products[1], "1", "6.9", "20"),
        ];
        order(number, customer, contact, lines)
    }

    /// Calls of this name so far.
    pub fn calls(&self, name: &str) -> usize {
        self.erp.calls().iter().filter(|call| *call == name).count()
    }
}
