//! The seeded sales of a shop that is in business: the same catalogue, buyers and traps that the simulated WooCommerce has, as far as a
//! PrestaShop can hold them.
//!
//! Left out is what has no place in it: fees, gift cards as payment, quantities with decimals, several shipping lines, bundles priced on their
//! parts, lines that stay with quantity 0, compound taxes and two taxes on the shipping, carts, test orders, numbers of one's own, addresses
//! without a country, other currencies, tax that is rounded once.

use super::shop::State;
use crate::catalogue::{Catalogue, MissingRow, ShopTax};
use crate::orders::generate;
use crate::traps::{Expected, Trap};
use crate::woocommerce::order::{Ids, Order};
use comptoir_model::cause::Cause;
use serde_json::json;
use std::collections::{BTreeMap, VecDeque};

/// Countries that buyers live in; the shop's ids of them are their places here, from 101 on.
pub(crate) const COUNTRIES: [&str; 13] = [
    "FR", "BE", "DE", "ES", "IT", "NL", "GB", "CH", "US", "JP", "CA", "AT", "RE",
];

/// The modules that stand for the catalogue's payment methods.
const MODULES: [(&str, &str); 6] = [
    ("stripe", "stripe_official"),
    ("ppcp-gateway", "ps_checkout"),
    ("bacs", "ps_wirepayment"),
    ("cod", "ps_cashondelivery"),
    ("woocommerce_payments", "payplug"),
    ("klarna_payments", "klarnapayment"),
];

/// Order states that stand for the catalogue's statuses.
const STATES: [(&str, u64); 7] = [
    ("pending", 1),
    ("processing", 2),
    ("on-hold", 10),
    ("completed", 5),
    ("cancelled", 6),
    ("refunded", 7),
    ("failed", 8),
];

/// The first id of the catalogue's carriers.
const CARRIERS: u64 = 11;

const CANNOT_HOLD: [Trap; 18] = [
    Trap::TaxesOnOneLine,
    Trap::CompoundTax,
    Trap::Fee,
    Trap::NegativeFee,
    Trap::GiftCardUsed,
    Trap::GiftCardFee,
    Trap::BundleChildren,
    Trap::FractionalQuantity,
    Trap::TwoCurrencies,
    Trap::Edited,
    Trap::SeveralShippingLines,
    Trap::NoCountry,
    Trap::OrderNumber,
    Trap::Draft,
    Trap::Test,
    // This shop rounds every line, and sells in euros only.
    Trap::Rounding,
    Trap::NoDecimals,
    Trap::ThreeDecimals,
];

/// The sales of a seed, the first to be placed first.
pub(crate) fn sales(seed: u64, count: usize, catalogue: &Catalogue) -> VecDeque<Order> {
    if count == 0 {
        return VecDeque::new();
    }
    let mut ids = Ids::new();
    // A half of them can be held, and a few more.
    let generated = generate(seed, 2 * count + 120, catalogue, &mut ids);
    let mut orders: Vec<Order> = generated.orders.into_iter().filter(can_be_held).collect();
    let spare = orders.len().saturating_sub(count);
    // What is left out is ordinary: a small shop should still show its traps.
    let plain = |order: &Order| order.expected == Expected::Imported;
    let mut left = spare;
    orders.retain(|order| {
        let drop = left > 0 && plain(order);
        left -= usize::from(drop);
        !drop
    });
    orders.truncate(count);
    orders.into()
}

fn can_be_held(order: &Order) -> bool {
    let whole = order
        .lines
        .iter()
        .all(|line| line.quantity.fract().is_zero());
    let rates = order.tax_lines.len();
    // The shop spreads an amount by the lines' prices, and the sums of these orders were made otherwise.
    let fixed = order
        .coupons
        .iter()
        .any(|coupon| coupon.kind == "fixed_cart" && !coupon.discount.is_zero());
    whole
        && !order.traps.iter().any(|trap| CANNOT_HOLD.contains(trap))
        && !(fixed && rates > 1)
        && order.coupons.len() <= 1
}

/// The shop's name of a tax, which tells its rate.
pub(crate) fn tax_name(tax: &ShopTax) -> String {
    let place = [&*tax.country, &*tax.state];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} {}", place.join("-"), tax.name)
}

pub(crate) fn module(method: &str) -> &'static str {
    let found = MODULES.iter().find(|(key, _)| *key == method);
    found.map_or("ps_free_order", |(_, module)| module)
}

pub(crate) fn state_of(status: &str) -> u64 {
    let found = STATES.iter().find(|(key, _)| *key == status);
    found.map_or(2, |(_, state)| *state)
}

/// The shop's id of a shipping method; 0 for none.
pub(crate) fn carrier(catalogue: &Catalogue, method: &str) -> u64 {
    let mut places = catalogue.shipping.iter().zip(CARRIERS..);
    places
        .find(|(known, _)| known.key == method)
        .map_or(0, |(_, id)| id)
}

/// The shop's id of a country; 0 for one it does not have.
pub(crate) fn country(code: &str) -> u64 {
    let mut places = COUNTRIES.iter().zip(101..);
    places
        .find(|(known, _)| **known == code)
        .map_or(0, |(_, id)| id)
}

/// What must come of an order, in the words of this shop.
pub(crate) fn expected(order: &Order, catalogue: &Catalogue) -> Expected {
    let row = |table: &str| {
        missing_rows(catalogue)
            .into_iter()
            .find(|row| row.table == table)
    };
    let of = |trap: Trap| {
        let table = match trap {
            Trap::UnmappedTax => "tax",
            Trap::UnmappedPayment => "payment",
            Trap::UnmappedShipping => "shipping",
            _ => return None,
        };
        let row = row(table)?;
        Some(Expected::Held(Cause::row(table, &row.from).to_string()))
    };
    match &order.expected {
        Expected::Held(_) => order
            .traps
            .iter()
            .find_map(|trap| of(*trap))
            .unwrap_or_else(|| order.expected.clone()),
        Expected::Skipped(_) => Expected::Skipped(format!("status:{}", state_of(&order.status))),
        Expected::Imported => Expected::Imported,
    }
}

/// The rows of a workspace's look-up tables, by file, in the words of this shop. What is unmapped on purpose is not in them.
pub(crate) fn tables(catalogue: &Catalogue) -> BTreeMap<&'static str, Vec<(String, String)>> {
    let taxes = catalogue.taxes.iter().filter(|tax| tax.mapped);
    let payments = catalogue.payments.iter().filter(|method| method.mapped);
    let shipping = catalogue.shipping.iter().filter(|method| method.mapped);
    BTreeMap::from([
        (
            "taxes",
            taxes
                .map(|tax| (tax_name(tax), tax.erp.to_owned()))
                .collect::<Vec<_>>(),
        ),
        (
            "payment_methods",
            payments
                .map(|method| (module(method.key).to_owned(), method.erp.to_owned()))
                .collect(),
        ),
        (
            "shipping_methods",
            shipping
                .map(|method| {
                    let carrier = carrier(catalogue, method.key);
                    (carrier.to_string(), method.erp.to_owned())
                })
                // The carrier of what is sold by hand.
                .chain([("2".to_owned(), "SHIP".to_owned())])
                .collect(),
        ),
    ])
}

/// What is unmapped on purpose, in the words of this shop.
pub(crate) fn missing_rows(catalogue: &Catalogue) -> Vec<MissingRow> {
    let words = |row: MissingRow| {
        let from = match row.table {
            "tax" => {
                let mut taxes = catalogue.taxes.iter();
                let tax = taxes.find(|tax| tax.code() == row.from);
                tax.map(tax_name)
            }
            "payment" => Some(module(&row.from).to_owned()),
            _ => Some(carrier(catalogue, &row.from).to_string()),
        };
        MissingRow {
            from: from.unwrap_or_default(),
            ..row
        }
    };
    catalogue.missing_rows().into_iter().map(words).collect()
}

/// The order states that a flow should import, by id.
pub(crate) fn statuses(catalogue: &Catalogue) -> Vec<String> {
    let states = catalogue.statuses.iter().map(|status| state_of(status));
    // Those that people of the back office enter in between are imported too.
    let mut states: Vec<u64> = states.chain([3, 4, 11]).collect();
    states.sort_unstable();
    states.iter().map(u64::to_string).collect()
}

impl State {
    /// The tables of a shop that sells this catalogue.
    pub(crate) fn open_business(&mut self, catalogue: &Catalogue) {
        let both = |text: &str| json!([{"id": "1", "value": text}, {"id": "2", "value": text}]);
        self.table_mut("taxes").clear();
        for tax in &catalogue.taxes {
            let fields = json!({"rate": format!("{:.3}", tax.rate), "name": both(&tax_name(tax)), "active": "1", "deleted": "0"});
            self.put("taxes", tax.id, fields);
        }
        for code in COUNTRIES {
            let fields = json!({"iso_code": code, "contains_states": "0"});
            self.put("countries", country(code), fields);
        }
        for method in &catalogue.shipping {
            // In the shop itself nothing is followed, and nothing is mailed of it.
            let url = match method.key {
                "local_pickup" => "",
                _ => "https://parcels.example.test/@",
            };
            let id = carrier(catalogue, method.key);
            let fields = json!({"name": method.title, "id_reference": id.to_string(), "active": "1", "deleted": "0", "url": url});
            self.put("carriers", id, fields);
        }
        self.stock_up(catalogue);
    }
}
