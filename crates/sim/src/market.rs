//! Shops and ERPs of several kinds behind one face each: what a connection to them is set to, and what their people do meanwhile. Nothing
//! here knows what stands between them.

mod erp;
mod shop;

pub use erp::{Erp, ErpKind};
pub use shop::{Shop, ShopKind};

use crate::fault::{ErrorBody, FaultRates, Faults};
use std::time::Duration;

/// A connection to a simulated system: the connector's name and its settings. The keys are a simulator's and no secrets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The connector.
    pub connector: &'static str,
    /// Its settings.
    pub values: serde_json::Value,
}

/// Items that nobody orders and whose stock changes all the same, beside those of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Others(pub usize);

impl Others {
    /// The name of one of them.
    pub fn sku(number: usize) -> String {
        format!("G-{number:04}")
    }

    /// All names.
    pub fn skus(self) -> impl Iterator<Item = String> {
        (0..self.0).map(Self::sku)
    }
}

fn faults(seed: u64, rate: f64, body: ErrorBody) -> Faults {
    let rates = match rate > 0.0 {
        true => FaultRates {
            retry_after: 0,
            slow_for: Duration::from_millis(50),
            restart_for: Duration::from_millis(100),
            ..FaultRates::all(rate)
        },
        false => FaultRates::NONE,
    };
    Faults::new(seed, rates, body)
}
