//! How much of an item a shop may sell: what the ERP can still promise at the chosen places, less a safety buffer, less the orders that
//! the ERP does not know yet, times the shop's share.

use comptoir_model::key::RemoteId;
use comptoir_model::order::{Life, LineKind, Order};
use comptoir_model::stock::Stock;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a merchant decides about a stock flow. Defaults are the safe ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StockPolicy {
    /// The ERP's places whose goods the shop sells, by name or id. Empty: every place.
    pub locations: Vec<String>,
    /// How many of each item are kept back.
    #[schemars(with = "String")]
    pub buffer: Decimal,
    /// The shop's part of what is left, above 0 and at most 1.
    #[schemars(with = "String")]
    pub share: Decimal,
    /// If more than this percentage of the shop's items would go to zero within an hour, none does and a person is asked. 100 switches
    /// it off.
    pub zeros_at_most_percent: u32,
    /// When both sides are read whole and compared, as `HH:MM` in the hub's time zone.
    pub compare_at: String,
}

impl Default for StockPolicy {
    fn default() -> Self {
        StockPolicy {
            locations: Vec::new(),
            buffer: Decimal::ZERO,
            share: Decimal::ONE,
            zeros_at_most_percent: 30,
            compare_at: "03:00".to_owned(),
        }
    }
}

/// What the ERP can still promise of an item at the chosen places: the sum, or of a kit the whole kits that its components make. Nothing
/// when the ERP does not count it, or does not say.
///
/// `chosen` are ids of places; empty means every place. `component` answers the stock of a kit's component and what in-flight orders
/// take of it; `in_flight` is what they take of the item itself. Exact decimals all the way: 0.7 of 0.1 each are seven.
pub fn promised(
    stock: &Stock,
    chosen: &[RemoteId],
    in_flight: Decimal,
    buffer: Decimal,
    component: &dyn Fn(&RemoteId) -> Option<(Stock, Decimal)>,
) -> Option<Decimal> {
    if stock.components.is_empty() {
        let there = at_places(stock, chosen)?;
        return Some(there - buffer - in_flight);
    }
    let mut whole: Option<Decimal> = None;
    for part in &stock.components {
        if part.quantity <= Decimal::ZERO {
            continue;
        }
        let (stock, taken) = component(&part.product)?;
        if !stock.managed {
            // What is not counted never runs out.
            continue;
        }
        let there = at_places(&stock, chosen)? - taken;
        let kits = (there / part.quantity).floor();
        whole = Some(whole.map_or(kits, |least| least.min(kits)));
    }
    whole.map(|kits| kits - buffer)
}

fn at_places(stock: &Stock, chosen: &[RemoteId]) -> Option<Decimal> {
    if !stock.managed {
        return None;
    }
    let counts = |location: &Option<RemoteId>| match location {
        Some(location) => chosen.is_empty() || chosen.contains(location),
        None => true,
    };
    let levels = stock.levels.iter().filter(|level| counts(&level.location));
    let told = |level: &comptoir_model::stock::Level| level.available.or(level.on_hand);
    Some(levels.filter_map(told).sum())
}

/// The whole number that the shop may show: never below zero, never more than its share of what is left.
pub fn quantity(promised: Decimal, share: Decimal) -> Decimal {
    (promised * share).floor().max(Decimal::ZERO)
}

/// What an order takes, by stock keeping unit: goods only, and of a bundle its parts. An order that is over takes nothing.
pub fn takes(order: &Order) -> BTreeMap<String, Decimal> {
    let mut taken = BTreeMap::new();
    if matches!(order.status.life, Life::Cancelled | Life::Trashed) {
        return taken;
    }
    let with_parts: Vec<&String> = order
        .lines
        .iter()
        .filter_map(|line| line.parent.as_ref())
        .collect();
    for line in &order.lines {
        let goods = match line.kind {
            LineKind::Item | LineKind::Component => true,
            // A bundle whose parts are lines too is counted by them.
            LineKind::Bundle => !with_parts.contains(&&line.id),
            _ => false,
        };
        if goods && !line.sku.is_empty() && line.quantity > Decimal::ZERO {
            *taken.entry(line.sku.clone()).or_insert(Decimal::ZERO) += line.quantity;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use comptoir_model::order::Line;
    use comptoir_model::product::Component;
    use comptoir_model::stock::Level;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn pool(available: &str) -> Stock {
        Stock {
            managed: true,
            levels: vec![Level::pool(number(available))],
            ..Stock::default()
        }
    }

    fn kit(parts: &[(&str, &str)]) -> Stock {
        let part = |(product, quantity): &(&str, &str)| Component {
            product: (*product).into(),
            quantity: number(quantity),
        };
        Stock {
            managed: true,
            components: parts.iter().map(part).collect(),
            ..Stock::default()
        }
    }

    fn shown(stock: &Stock, parts: &[(&str, &str, &str)]) -> Option<Decimal> {
        let component = |id: &RemoteId| {
            let (_, available, taken) = parts.iter().find(|(part, ..)| *part == id.as_str())?;
            Some((pool(available), number(taken)))
        };
        promised(stock, &[], Decimal::ZERO, Decimal::ZERO, &component)
            .map(|left| quantity(left, Decimal::ONE))
    }

    /// `shared/vectors/inventory_cases.json` (facts of the sources named there): INV-04, INV-05, INV-06, INV-09, INV-11, INV-12.
    #[test]
    fn the_published_inventory_cases_come_out() {
        // INV-04: p1 = p2 + p3 and p2 = p3 + p4, exploded by the connector: p3 twice.
        let stocks = [("p3", "10", "0"), ("p4", "10", "0")];
        assert_eq!(
            shown(&kit(&[("p3", "2"), ("p4", "1")]), &stocks),
            Some(5.into())
        );
        assert_eq!(
            shown(&kit(&[("p3", "1"), ("p4", "1")]), &stocks),
            Some(10.into())
        );
        // INV-05 and INV-06: what floats would lose.
        assert_eq!(
            shown(&kit(&[("p6", "0.1")]), &[("p6", "0.7", "0")]),
            Some(7.into())
        );
        assert_eq!(
            shown(&kit(&[("prod2", "0.01")]), &[("prod2", "0.57", "0")]),
            Some(57.into())
        );
        // INV-09: 5 on hand, 3 allocated, 4 reserved: never below zero.
        assert_eq!(shown(&pool("-2"), &[]), Some(0.into()));
        // INV-11: 10 on hand, 3 reserved, 1 expired: 6 are free.
        assert_eq!(shown(&pool("6"), &[]), Some(6.into()));
        // INV-12: two warehouses with 5 and 2 free, a buffer of 2.
        let two = Stock {
            managed: true,
            levels: ["5", "2"].map(|left| Level::pool(number(left))).to_vec(),
            ..Stock::default()
        };
        let left = promised(&two, &[], Decimal::ZERO, 2.into(), &|_| None).unwrap();
        assert_eq!(quantity(left, Decimal::ONE), 5.into());
    }

    #[test]
    fn orders_on_their_way_are_taken_off_before_the_share() {
        let left = promised(&pool("10"), &[], 3.into(), 1.into(), &|_| None).unwrap();
        assert_eq!(quantity(left, number("0.5")), 3.into());
        // A component that in-flight orders have taken from makes fewer kits.
        let stocks = [("wheel", "9", "2"), ("frame", "5", "0")];
        assert_eq!(
            shown(&kit(&[("wheel", "2"), ("frame", "1")]), &stocks),
            Some(3.into())
        );
    }

    #[test]
    fn only_chosen_places_count_and_what_is_not_counted_is_not_promised() {
        let at = |place: &str, left: &str| Level {
            location: Some(place.into()),
            ..Level::pool(number(left))
        };
        let stock = Stock {
            managed: true,
            levels: vec![at("1", "4"), at("2", "30")],
            ..Stock::default()
        };
        let of = |chosen: &[RemoteId]| promised(&stock, chosen, 0.into(), 0.into(), &|_| None);
        assert_eq!(of(&["1".into()]), Some(4.into()));
        assert_eq!(of(&[]), Some(34.into()));
        let service = Stock::default();
        assert_eq!(promised(&service, &[], 0.into(), 0.into(), &|_| None), None);
        // A kit with a part nobody knows says nothing rather than something wrong.
        assert_eq!(shown(&kit(&[("unknown", "1")]), &[]), None);
    }

    #[test]
    fn an_order_takes_its_goods_once_and_a_bundle_by_its_parts() {
        let line = |id: &str, kind, parent: Option<&str>, sku: &str, quantity: &str| Line {
            id: id.to_owned(),
            kind,
            parent: parent.map(str::to_owned),
            sku: sku.to_owned(),
            quantity: number(quantity),
            ..Line::default()
        };
        let mut order = Order::empty("1", "EUR".parse().unwrap());
        order.lines = vec![
            line("1", LineKind::Item, None, "MUG", "2"),
            line("2", LineKind::Item, None, "MUG", "1.5"),
            line("3", LineKind::Bundle, None, "SET", "1"),
            line("4", LineKind::Component, Some("3"), "CUP", "6"),
            line("5", LineKind::Bundle, None, "LONE-SET", "1"),
            line("6", LineKind::Fee, None, "FEE", "1"),
            line("7", LineKind::Item, None, "", "1"),
        ];
        let taken = takes(&order);
        let expected = [("CUP", "6"), ("LONE-SET", "1"), ("MUG", "3.5")];
        let expected = expected.map(|(sku, quantity)| (sku.to_owned(), number(quantity)));
        assert_eq!(taken, BTreeMap::from(expected));
        order.status.life = Life::Cancelled;
        assert!(takes(&order).is_empty());
    }
}
