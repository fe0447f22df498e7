//! What an ERP's shipment is in the shop's order: which of its lines left, and what the shop is to do about it.

use comptoir_model::key::WriteKey;
use comptoir_model::order::{Line, LineKind, Order};
use comptoir_model::shipment::{Shipment, ShippedLine};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a shipment may be told without a number to follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tracking {
    /// The shop hears of a shipment once a parcel of it has a tracking number.
    #[default]
    Required,
    /// The shop hears of it at once, and of a tracking number when it comes.
    Optional,
}

/// What a merchant decides about a shipment flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShipmentPolicy {
    /// Whether a tracking number is waited for.
    pub tracking: Tracking,
    /// Tell the buyer, once per shipment and only with a tracking number.
    pub notify: bool,
    /// Give the shop's order the status of a complete one once nothing is left to ship.
    pub complete: bool,
}

impl Default for ShipmentPolicy {
    fn default() -> Self {
        ShipmentPolicy {
            tracking: Tracking::Required,
            notify: true,
            complete: true,
        }
    }
}

/// How far a line of a shop's order has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The line.
    pub line: String,
    /// Ordered.
    pub ordered: Decimal,
    /// Shipped, by the shipments written into the order.
    pub shipped: Decimal,
    /// Will not be shipped: left over when the order was completed.
    pub cancelled: Decimal,
}

/// Per line of goods: ordered, shipped, cancelled.
pub fn progress(order: &Order) -> Vec<Progress> {
    let over = order.shipments.iter().any(|shipment| shipment.completes);
    let shipped = shipped(order, None);
    let counters = order
        .lines
        .iter()
        .filter(|line| is_goods(line))
        .map(|line| {
            let shipped = shipped.get(&line.id).copied().unwrap_or_default();
            let left = (line.quantity - shipped).max(Decimal::ZERO);
            Progress {
                line: line.id.clone(),
                ordered: line.quantity,
                shipped,
                cancelled: if over { left } else { Decimal::ZERO },
            }
        });
    counters.collect()
}

fn is_goods(line: &Line) -> bool {
    matches!(
        line.kind,
        LineKind::Item | LineKind::Component | LineKind::Bundle
    )
}

/// What the order's shipments have of each line, without the one of this key.
fn shipped(order: &Order, without: Option<&WriteKey>) -> BTreeMap<String, Decimal> {
    let mut sums = BTreeMap::new();
    for shipment in &order.shipments {
        if without.is_some() && shipment.key.as_ref() == without {
            continue;
        }
        for line in &shipment.lines {
            *sums.entry(line.line.clone()).or_insert(Decimal::ZERO) += line.quantity;
        }
    }
    sums
}

/// The shipment as the shop's order should show it. `key` is our key of the shipment, `order_key` our key of the order.
///
/// A line goes by the key that it carries in the ERP. Where it carries none it goes by its stock keeping unit, to the first line of the
/// shop that still misses some of it: the same product may stand on two lines. What no line of the shop has keeps its place without one.
pub fn translate(
    shipment: &Shipment,
    order: &Order,
    key: &WriteKey,
    order_key: &WriteKey,
    policy: &ShipmentPolicy,
) -> Shipment {
    let mut taken = shipped(order, Some(key));
    let mut lines: Vec<ShippedLine> = Vec::new();
    for part in &shipment.lines {
        match keyed_line(part, order, order_key) {
            Keyed::Goods(line) => put(&mut lines, &mut taken, line, part, part.quantity),
            Keyed::Other => {}
            Keyed::No => by_sku(&mut lines, &mut taken, order, part),
        }
    }
    let tracked = shipment.is_tracked();
    Shipment {
        key: Some(key.clone()),
        lines,
        location: None,
        completes: shipment.completes && policy.complete,
        notify: policy.notify && tracked,
        ..shipment.clone()
    }
}

enum Keyed<'a> {
    /// A line of goods.
    Goods(&'a Line),
    /// A line of ours that is no goods: shipping, a fee, rounding.
    Other,
    /// Not by its key.
    No,
}

fn keyed_line<'a>(part: &ShippedLine, order: &'a Order, order_key: &WriteKey) -> Keyed<'a> {
    let Some(key) = &part.key else {
        return Keyed::No;
    };
    let own = key.as_str().strip_prefix(order_key.as_str());
    match own.and_then(|rest| rest.strip_prefix('/')) {
        None => Keyed::No,
        Some(own) => match own.strip_prefix("line-") {
            None => Keyed::Other,
            Some(id) => match order.lines.iter().find(|line| line.id == id) {
                Some(line) => Keyed::Goods(line),
                None => Keyed::No,
            },
        },
    }
}

fn put(
    lines: &mut Vec<ShippedLine>,
    taken: &mut BTreeMap<String, Decimal>,
    line: &Line,
    part: &ShippedLine,
    quantity: Decimal,
) {
    *taken.entry(line.id.clone()).or_insert(Decimal::ZERO) += quantity;
    match lines.iter_mut().find(|known| known.line == line.id) {
        Some(known) => known.quantity += quantity,
        None => lines.push(ShippedLine {
            line: line.id.clone(),
            key: None,
            sku: part.sku.clone(),
            quantity,
        }),
    }
}

fn by_sku(
    lines: &mut Vec<ShippedLine>,
    taken: &mut BTreeMap<String, Decimal>,
    order: &Order,
    part: &ShippedLine,
) {
    let mut left = part.quantity;
    let same = order
        .lines
        .iter()
        .filter(|line| is_goods(line) && !part.sku.is_empty() && line.sku == part.sku);
    let mut last = None;
    for line in same {
        let open = line.quantity - taken.get(&line.id).copied().unwrap_or_default();
        let now = left.min(open);
        if now > Decimal::ZERO {
            put(lines, taken, line, part, now);
            left -= now;
        }
        last = Some(line);
    }
    if left <= Decimal::ZERO {
        return;
    }
    match last {
        // More than was ordered left the house: it stays on the last line that it can belong to.
        Some(line) => put(lines, taken, line, part, left),
        None => lines.push(ShippedLine {
            line: String::new(),
            key: None,
            sku: part.sku.clone(),
            quantity: left,
        }),
    }
}

/// Whether a shop's order shows a shipment as it should.
pub fn is_shown(wanted: &Shipment, order: &Order) -> bool {
    let quantities = |shipment: &Shipment| -> BTreeMap<(String, String), Decimal> {
        let mut sums = BTreeMap::new();
        for line in &shipment.lines {
            let key = (
                line.line.clone(),
                if line.line.is_empty() {
                    line.sku.clone()
                } else {
                    String::new()
                },
            );
            *sums.entry(key).or_insert(Decimal::ZERO) += line.quantity;
        }
        sums
    };
    order.shipments.iter().any(|held| {
        held.key == wanted.key
            && quantities(held) == quantities(wanted)
            && held.parcels == wanted.parcels
            && (held.completes || !wanted.completes)
            && (held.notify || !wanted.notify)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::shipment::{Parcel, ShipmentState};

    fn key(text: &str) -> WriteKey {
        WriteKey(text.to_owned())
    }

    fn order(lines: &[(&str, &str, i64)]) -> Order {
        let mut order = Order::empty("1042", "EUR".parse().unwrap());
        order.lines = lines
            .iter()
            .map(|(id, sku, quantity)| Line {
                id: (*id).to_owned(),
                sku: (*sku).to_owned(),
                quantity: (*quantity).into(),
                ..Line::default()
            })
            .collect();
        order
    }

    fn shipment(lines: &[(Option<&str>, &str, i64)], tracking: &str) -> Shipment {
        let lines = lines.iter().map(|(own, sku, quantity)| ShippedLine {
            line: "900".to_owned(),
            key: own.map(|own| key(&format!("shop/order/1042/{own}"))),
            sku: (*sku).to_owned(),
            quantity: (*quantity).into(),
        });
        Shipment {
            order: "77".into(),
            number: "OUT/1".to_owned(),
            key: None,
            state: ShipmentState::Shipped,
            location: Some("3".into()),
            lines: lines.collect(),
            parcels: vec![Parcel {
                tracking: tracking.to_owned(),
                ..Parcel::default()
            }],
            shipped_at: None,
            completes: false,
            notify: false,
        }
    }

    fn told(shipment: &Shipment, order: &Order) -> Shipment {
        let (own, of_order) = (key("erp/shipment/5"), key("shop/order/1042"));
        translate(shipment, order, &own, &of_order, &ShipmentPolicy::default())
    }

    fn lines(shipment: &Shipment) -> Vec<(&str, Decimal)> {
        let line = |line: &'_ ShippedLine| line.quantity;
        shipment
            .lines
            .iter()
            .map(|l| (l.line.as_str(), line(l)))
            .collect()
    }

    #[test]
    fn lines_go_by_their_keys_and_what_is_no_goods_is_left_out() {
        let order = order(&[("1", "MUG", 2), ("2", "MUG", 3)]);
        let out = shipment(
            &[(Some("line-2"), "MUG", 3), (Some("shipping-9"), "SHIP", 1)],
            "",
        );
        assert_eq!(lines(&told(&out, &order)), [("2", 3.into())]);
    }

    #[test]
    fn without_keys_the_same_product_on_two_lines_fills_one_after_the_other() {
        let mut order = order(&[("1", "MUG", 2), ("2", "MUG", 3)]);
        let first = told(&shipment(&[(None, "MUG", 3)], "T1"), &order);
        assert_eq!(lines(&first), [("1", 2.into()), ("2", 1.into())]);
        order.shipments.push(Shipment {
            key: Some(key("erp/shipment/4")),
            ..first
        });
        let second = told(&shipment(&[(None, "MUG", 2)], "T2"), &order);
        assert_eq!(lines(&second), [("2", 2.into())]);
        // Told again it comes out the same: its own share is not counted against it.
        order.shipments.push(second.clone());
        assert_eq!(told(&shipment(&[(None, "MUG", 2)], "T2"), &order), second);
        assert!(is_shown(&second, &order));
        let other = told(&shipment(&[(None, "MUG", 2)], "T3"), &order);
        assert!(!is_shown(&other, &order));
    }

    #[test]
    fn the_buyer_is_told_only_with_a_number_to_follow() {
        let order = order(&[("1", "MUG", 2)]);
        assert!(!told(&shipment(&[(None, "MUG", 1)], ""), &order).notify);
        assert!(told(&shipment(&[(None, "MUG", 1)], "T1"), &order).notify);
    }

    #[test]
    fn counters_say_what_is_left_and_what_will_never_come() {
        let mut order = order(&[("1", "MUG", 3)]);
        let mut first = told(&shipment(&[(None, "MUG", 2)], "T1"), &order);
        order.shipments.push(first.clone());
        let counters = |order: &Order| {
            let all = progress(order);
            (all[0].ordered, all[0].shipped, all[0].cancelled)
        };
        assert_eq!(counters(&order), (3.into(), 2.into(), 0.into()));
        first.key = Some(key("erp/shipment/6"));
        first.lines.clear();
        first.completes = true;
        order.shipments.push(first);
        assert_eq!(counters(&order), (3.into(), 2.into(), 1.into()));
    }
}
