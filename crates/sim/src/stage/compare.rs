//! Both sides of a stage compared, order by order.

use super::Report;
use crate::odoo::people::{Deed, Touched};
use crate::odoo::{Erp, ErpContents, ErpOrder, Hand};
use crate::traps::Expected;
use crate::woocommerce::ShopOrder;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The SKU of the line that makes a total equal to the cent.
const ROUNDING: &str = "ROUNDING";

/// Why an order differs that the ERP does not have at all.
pub const NOT_IN_THE_ERP: &str = "it is not in the ERP";

/// An order that people deleted in the ERP and that was made again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// The shop's id of it; empty when the shop does not have it any more.
    pub id: String,
    /// The shop's number of it.
    pub order: String,
    /// When the deleted one had been made.
    pub made: Timestamp,
    /// When it was deleted.
    pub deleted: Timestamp,
}

/// The ERP's side of a comparison.
pub(super) struct Books<'a> {
    by_number: BTreeMap<&'a str, &'a ErpOrder>,
    deleted: BTreeSet<&'a str>,
    statuses: Vec<&'static str>,
}

impl<'a> Books<'a> {
    /// Of the ERP's orders and deleted orders. `statuses` are those of the shop that are imported.
    pub(super) fn new(
        orders: &'a [ErpOrder],
        deleted: &'a [ErpOrder],
        statuses: Vec<&'static str>,
    ) -> Self {
        let mut by_number = BTreeMap::new();
        for order in orders {
            // The first of several.
            by_number
                .entry(order.client_order_ref.as_str())
                .or_insert(order);
        }
        Books {
            by_number,
            deleted: deleted
                .iter()
                .map(|order| order.client_order_ref.as_str())
                .collect(),
            statuses,
        }
    }

    /// Orders, each number counted once.
    pub(super) fn count(&self) -> usize {
        self.by_number.len()
    }

    /// Adds what became of one order of the shop.
    pub(super) fn add(&self, order: &ShopOrder, report: &mut Report) {
        let held = self.by_number.get(order.number.as_str()).copied();
        let by_erp = self.deleted.contains(order.number.as_str())
            || held.is_some_and(|held| held.touched_by_person);
        if let Some(held) = held.filter(|_| !by_erp)
            && set_back(held)
        {
            report.order_violations += 1;
        }
        if !order.touched.is_empty() || by_erp {
            report.touched.insert(order.id.to_string());
            if !by_erp && let Some(why) = self.differs(order, held) {
                report.differing.insert(order.id.to_string(), why);
            }
            return;
        }
        if held.is_none() && order.expected == Expected::Imported {
            report.orders.missing += 1;
        }
        if held.is_none()
            && let Expected::Held(cause) = &order.expected
        {
            let ids = report.planted.entry(cause.clone()).or_default();
            ids.insert(order.id.to_string());
        }
        let currency = order.currency.to_string();
        if held.is_some() || order.expected == Expected::Imported {
            *report.total.shop.entry(currency.clone()).or_default() += order.total;
        }
        if let Some(held) = held {
            *report.total.erp.entry(currency).or_default() += held.total;
            report.order_violations += usize::from(violates(order, held));
        }
        if let Some(why) = wrong(order, held) {
            report.wrong.push(format!("order {}: {why}", order.number));
        }
    }

    /// How an order that only people of the shop touched is not in the ERP as the shop has it now. Such an order must be held.
    fn differs(&self, order: &ShopOrder, held: Option<&ErpOrder>) -> Option<String> {
        let wanted = self.statuses.contains(&order.status.as_str())
            && !matches!(order.expected, Expected::Skipped(_));
        match held {
            None if wanted => Some(NOT_IN_THE_ERP.to_owned()),
            Some(held) if !wanted && held.state != "cancel" => {
                Some(format!("{} in the shop, {}", order.status, held.state))
            }
            Some(held) if wanted => unlike(order, held),
            _ => None,
        }
    }
}

/// How an order that nobody touched is not as it must be once everything has settled.
fn wrong(order: &ShopOrder, held: Option<&ErpOrder>) -> Option<String> {
    match (held, &order.expected) {
        (Some(held), Expected::Imported) => unlike(order, held),
        (Some(_), _) => Some("it should not be in the ERP".to_owned()),
        (None, Expected::Imported) => Some(NOT_IN_THE_ERP.to_owned()),
        (None, _) => None,
    }
}

fn unlike(order: &ShopOrder, held: &ErpOrder) -> Option<String> {
    if held.total != order.total || held.currency != Some(order.currency) {
        let (total, currency) = (order.total, order.currency);
        return Some(format!("{total} {currency}, {} in the ERP", held.total));
    }
    (!binding(&held.state)).then(|| format!("{} in the ERP", held.state))
}

fn binding(state: &str) -> bool {
    matches!(state, "sale" | "done")
}

/// Whether an order that nobody touched was ever confirmed at another total than the shop charged.
fn violates(order: &ShopOrder, held: &ErpOrder) -> bool {
    held.history
        .iter()
        .filter(|version| binding(&version.contents.state))
        .any(|version| version.contents.total != order.total)
}

/// Whether an older version of the shop's order was written over a newer one: people of the shop only ever raise quantities.
fn set_back(held: &ErpOrder) -> bool {
    let goods = |contents: &ErpContents| -> Decimal {
        let lines = contents.lines.iter();
        lines
            .filter(|line| line.sku != ROUNDING)
            .map(|line| line.quantity)
            .sum()
    };
    held.history
        .windows(2)
        .any(|pair| pair[1].by == Hand::Hub && goods(&pair[1].contents) < goods(&pair[0].contents))
}

/// What became of the orders that people of the ERP touched.
pub(super) fn hand_edits(shop: &[ShopOrder], erp: &Erp, touched: &[Touched], report: &mut Report) {
    let last: BTreeMap<i64, &Touched> = touched.iter().map(|deed| (deed.order, deed)).collect();
    let keys: BTreeSet<String> = erp
        .orders()
        .into_iter()
        .filter_map(|order| order.key)
        .collect();
    for (id, deed) in last {
        let Some(order) = erp.order(id) else {
            continue;
        };
        if let Some((deleted, _)) = order.deleted {
            if deed.key.as_ref().is_some_and(|key| keys.contains(key)) {
                report.deletions_undone += 1;
                let number = &order.client_order_ref;
                let in_shop = shop.iter().find(|order| order.number == *number);
                report.undone.push(Undone {
                    id: in_shop.map_or_else(String::new, |order| order.id.to_string()),
                    order: number.clone(),
                    made: order.created_at,
                    deleted,
                });
            }
            continue;
        }
        if let Some(why) = overwritten(&order.contents, deed) {
            report.edits_overwritten += 1;
            let number = &order.client_order_ref;
            report.overwritten.push(format!("order {number}: {why}"));
        }
    }
}

/// How an order is not as a person left it. A draft that a person edited may still be confirmed.
fn overwritten(now: &ErpContents, deed: &Touched) -> Option<&'static str> {
    let left = &deed.left;
    if now.lines != left.lines {
        Some("its lines were changed after a person's edit")
    } else if now.note != left.note {
        Some("its note was changed after a person's edit")
    } else if deed.deed == Deed::Confirmed && !binding(&now.state) {
        Some("a person confirmed it, and it is not confirmed any more")
    } else if deed.deed == Deed::Cancelled && now.state != "cancel" {
        Some("a person cancelled it, and it is not cancelled any more")
    } else {
        None
    }
}
