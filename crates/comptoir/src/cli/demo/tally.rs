//! The sums of a demonstration, counted from what the simulators hold.

use comptoir_model::Decimal;
use comptoir_sim::odoo::ErpOrder;
use comptoir_sim::stage::Stage;
use comptoir_sim::traps::{Expected, Trap};
use comptoir_sim::woocommerce::ShopOrder;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Counts of orders: `shop = erp + held + skipped` when nothing is lost.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Orders {
    pub shop: usize,
    pub erp: usize,
    pub lost: usize,
    pub doubled: usize,
    pub held: usize,
    pub skipped: usize,
}

/// Sums of one currency: `shop = erp + held + skipped` when every cent is there.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    pub shop: Decimal,
    pub erp: Decimal,
    pub held: Decimal,
    pub skipped: Decimal,
    pub rounding: Decimal,
}

/// What became of the orders with one trap.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Trapped {
    pub orders: usize,
    pub in_erp: usize,
    pub held: usize,
    pub skipped: usize,
}

/// Everything counted.
#[derive(Debug, Default)]
pub struct Tally {
    pub orders: Orders,
    pub total: BTreeMap<String, Money>,
    pub traps: BTreeMap<Trap, Trapped>,
    /// Held orders by cause: what the seed planted.
    pub planted: BTreeMap<String, BTreeSet<String>>,
    /// Ids of orders that ended with a rounding line.
    pub rounded: Vec<String>,
    /// What does not agree, in words.
    pub wrong: Vec<String>,
}

/// The SKU of the line that makes a total equal to the cent.
const ROUNDING: &str = "ROUNDING";

/// Counts both sides. `holds` is the hub's own list of held orders by cause: it must be what the seed planted.
pub fn tally(stage: &Stage, holds: &BTreeMap<String, BTreeSet<String>>) -> Tally {
    let shop = stage.shop.orders();
    let erp = stage.erp.orders();
    let mut by_number: BTreeMap<&str, Vec<&ErpOrder>> = BTreeMap::new();
    for order in &erp {
        by_number
            .entry(order.client_order_ref.as_str())
            .or_default()
            .push(order);
    }
    let mut tally = Tally::default();
    tally.orders.shop = shop.len();
    for order in &shop {
        let held = by_number.remove(order.number.as_str()).unwrap_or_default();
        tally.add(order, &held);
    }
    for number in by_number.keys() {
        tally.wrong.push(format!(
            "the ERP holds an order `{number}` that the shop does not know"
        ));
    }
    tally.compare_holds(holds);
    tally.compare_sums();
    tally
}

impl Tally {
    fn add(&mut self, order: &ShopOrder, held: &[&ErpOrder]) {
        let money = self.total.entry(order.currency.to_string()).or_default();
        money.shop += order.total;
        let mut outcome = Trapped {
            orders: 1,
            ..Trapped::default()
        };
        let traps: Vec<&str> = order.traps.iter().map(|trap| trap.name()).collect();
        let who = format!("order {} ({})", order.number, traps.join(", "));
        match (held, &order.expected) {
            ([first, more @ ..], _) => {
                self.orders.erp += 1;
                self.orders.doubled += more.len();
                outcome.in_erp = 1;
                money.erp += first.total;
                let rounding: Decimal = first
                    .lines
                    .iter()
                    .filter(|line| line.sku == ROUNDING)
                    .map(|line| line.total)
                    .sum();
                money.rounding += rounding;
                if !rounding.is_zero() {
                    self.rounded.push(order.id.to_string());
                }
                if first.total != order.total || first.currency != Some(order.currency) {
                    self.wrong.push(format!(
                        "{who}: {} {} in the shop, {} in the ERP",
                        order.total, order.currency, first.total
                    ));
                }
                if order.expected != Expected::Imported {
                    self.wrong.push(format!("{who} should not be in the ERP"));
                }
                if !matches!(first.state.as_str(), "sale" | "done") {
                    self.wrong.push(format!("{who} is not confirmed"));
                }
            }
            ([], Expected::Held(cause)) => {
                self.orders.held += 1;
                outcome.held = 1;
                money.held += order.total;
                self.planted
                    .entry(cause.clone())
                    .or_default()
                    .insert(order.id.to_string());
            }
            ([], Expected::Skipped(_)) => {
                self.orders.skipped += 1;
                outcome.skipped = 1;
                money.skipped += order.total;
            }
            ([], Expected::Imported) => {
                self.orders.lost += 1;
                self.wrong.push(format!("{who} is not in the ERP"));
            }
        }
        for trap in &order.traps {
            let sum = self.traps.entry(*trap).or_default();
            sum.orders += outcome.orders;
            sum.in_erp += outcome.in_erp;
            sum.held += outcome.held;
            sum.skipped += outcome.skipped;
        }
    }

    fn compare_holds(&mut self, holds: &BTreeMap<String, BTreeSet<String>>) {
        let causes: BTreeSet<&String> = holds.keys().chain(self.planted.keys()).collect();
        let nothing = BTreeSet::new();
        for cause in causes {
            let held = holds.get(cause).unwrap_or(&nothing);
            let planted = self.planted.get(cause).unwrap_or(&nothing);
            if held != planted {
                self.wrong
                    .push(format!("{cause}: held {held:?}, planted {planted:?}"));
            }
        }
    }

    fn compare_sums(&mut self) {
        for (currency, money) in &self.total {
            if money.shop != money.erp + money.held + money.skipped {
                self.wrong.push(format!("the sums of {currency} differ"));
            }
        }
    }
}
