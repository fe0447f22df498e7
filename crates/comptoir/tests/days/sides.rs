//! The simulated systems of a day, each served on a port of its own.

use comptoir_engine::connection::Connection;
use comptoir_kit::spec::Kit;
use comptoir_model::key::ConnectionName;
use comptoir_sim::market::{Erp, Settings, Shop};
use comptoir_sim::server::Server;
use std::ops::Deref;

/// A system and its server.
pub struct Served<T> {
    side: T,
    server: Server,
    name: &'static str,
}

impl<T> Deref for Served<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.side
    }
}

impl Served<Shop> {
    pub async fn shop(name: &'static str, side: Shop) -> Self {
        let server = Server::start(side.router()).await.unwrap();
        Served { side, server, name }
    }

    pub fn connection(&self) -> Connection {
        connect(self.name, self.side.settings(&self.server.url()))
    }
}

impl Served<Erp> {
    pub async fn erp(side: Erp) -> Self {
        let server = Server::start(side.router()).await.unwrap();
        Served {
            side,
            server,
            name: "erp",
        }
    }

    pub fn connection(&self) -> Connection {
        connect(self.name, self.side.settings(&self.server.url()))
    }
}

fn connect(name: &str, settings: Settings) -> Connection {
    let mut all = comptoir_connectors::ALL.iter();
    let spec = all.find(|spec| spec.name == settings.connector).unwrap();
    let name: ConnectionName = name.parse().unwrap();
    let kit = Kit::new(name.clone());
    let mut connection = Connection::new(name, (spec.open)(settings.values, kit).unwrap());
    // The simulators work on nothing once a connection is cut.
    connection.settle_seconds = Some(1);
    connection
}
