//! Simulators of shops and ERPs with measured quirks and seeded faults. Always labelled as simulators.
//!
//! ```text
//! let shop = Shop::new(ShopOptions { seed: 7, orders: 500, ..Default::default() });
//! let faults = Faults::new(7, FaultRates::all(0.02), woocommerce::error_body);
//! let server = Server::start(faults.before(shop.router())).await?;      // server.url() is the shop's address
//! shop.arrive().await;                                                  // orders appear over ShopOptions::over
//! People::new(shop.clone(), 7).work(40, Duration::from_millis(20)).await;
//! faults.quiet();
//! shop.orders()                                                         // each with its traps and what must come of it
//! ```

pub(crate) mod basket;
pub(crate) mod buyers;
pub mod catalogue;
pub mod dolibarr;
pub mod fault;
pub mod hooks;
pub mod market;
pub mod odoo;
pub(crate) mod orders;
pub mod people;
pub mod prestashop;
pub mod seed;
pub mod server;
pub mod stage;
pub mod traps;
pub mod withhold;
pub mod woocommerce;

use comptoir_model::money::Currency;

/// A currency of the catalogue. Their codes are written in this crate and tested.
pub(crate) fn currency(code: &str) -> Currency {
    code.parse().unwrap_or_else(|_| fallback_currency())
}

fn fallback_currency() -> Currency {
    // Reached only by a code misspelt in this crate, which the tests of the catalogue would show.
    "EUR"
        .parse()
        .unwrap_or_else(|_| unreachable!("EUR is a currency code"))
}
