//! Simulators of shops and ERPs with measured quirks and seeded faults. Always labelled as simulators.

pub(crate) mod basket;
pub(crate) mod buyers;
pub mod catalogue;
pub mod fault;
pub mod hooks;
pub(crate) mod orders;
pub mod people;
pub mod seed;
pub mod server;
pub mod traps;
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
