//! A shipment of Dolibarr as a document: whether it completes its order, its lines with our keys, its parcels.

use super::key;
use super::map;
use super::wire::{Order, Shipment as Wire};
use comptoir_model::Decimal;
use comptoir_model::key::RemoteId;
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState, ShippedLine};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Where a shipment is.
pub(super) fn state(wire: &Wire) -> ShipmentState {
    match wire.state() {
        -1 => ShipmentState::Cancelled,
        0 => ShipmentState::Open,
        2 => ShipmentState::Delivered,
        // Later versions know one more: under way.
        _ => ShipmentState::Shipped,
    }
}

fn has_left(wire: &Wire) -> bool {
    matches!(
        state(wire),
        ShipmentState::Shipped | ShipmentState::Delivered
    )
}

/// What has left so far, or is in this one: by line of the order.
fn quantities<'a>(shipments: impl IntoIterator<Item = &'a Wire>) -> BTreeMap<i64, Decimal> {
    let mut sums: BTreeMap<i64, Decimal> = BTreeMap::new();
    for line in shipments.into_iter().flat_map(|shipment| &shipment.lines) {
        *sums.entry(line.origin()).or_default() += line.quantity();
    }
    sums
}

/// Whether these hold all goods of an order. Services are not shipped.
pub(super) fn covers<'a>(order: &Order, shipments: impl IntoIterator<Item = &'a Wire>) -> bool {
    let sums = quantities(shipments);
    let goods = |line: &&super::wire::OrderLine| {
        !matches!(line.product_type.as_str(), "1" | "9") && line.qty > Decimal::ZERO
    };
    order
        .lines
        .iter()
        .filter(goods)
        .all(|line| sums.get(&line.id).is_some_and(|sum| *sum >= line.qty))
}

/// Whether nothing of the order is left to ship once this one has left: it and those that left before it hold all goods, or the order
/// was closed or cancelled without the rest and this is the last that left. `all` are the order's shipments.
pub(super) fn completes(order: &Order, this: &Wire, all: &[Wire]) -> bool {
    let place = |wire: &Wire| (map::instant(&wire.date_valid, "UTC"), wire.id);
    let left = || {
        all.iter()
            .filter(|other| has_left(other) && other.id != this.id)
    };
    let closed = matches!(order.state(), 3 | -1);
    match state(this) {
        ShipmentState::Cancelled => closed || covers(order, left()),
        ShipmentState::Open => closed || covers(order, left().chain([this])),
        ShipmentState::Shipped | ShipmentState::Delivered => {
            let earlier = left().filter(|other| place(other) < place(this));
            let is_last = left().all(|other| place(other) < place(this));
            (closed && is_last) || covers(order, earlier.chain([this]))
        }
    }
}

/// A shipment of an order as a document. None when there are no goods of the order in it.
pub(super) fn document(
    order: &Order,
    wire: &Wire,
    completes: bool,
    carrier: &str,
) -> Option<Shipment> {
    let state = state(wire);
    let lines = lines(order, wire);
    if lines.is_empty() {
        return None;
    }
    let places: BTreeSet<&RemoteId> = wire
        .lines
        .iter()
        .flat_map(|line| line.warehouses())
        .collect();
    let location = match places.len() {
        1 => places.first().map(|id| (*id).clone()),
        _ => None,
    };
    Some(Shipment {
        order: RemoteId(order.id.to_string()),
        number: wire.number.clone(),
        key: None,
        state,
        location,
        lines,
        parcels: parcels(wire, carrier),
        shipped_at: has_left(wire)
            .then(|| map::instant(&wire.date_valid, "UTC"))
            .flatten(),
        completes,
        notify: false,
    })
}

fn lines(order: &Order, wire: &Wire) -> Vec<ShippedLine> {
    let skus: BTreeMap<i64, &str> = wire
        .lines
        .iter()
        .map(|line| (line.origin(), line.product_ref.trim()))
        .collect();
    let line = |(id, quantity): (i64, Decimal)| {
        let of_order = order.lines.iter().find(|line| line.id == id)?;
        if quantity <= Decimal::ZERO {
            return None;
        }
        let sku = match of_order.product_ref.trim() {
            "" => skus.get(&id).copied().unwrap_or_default(),
            sku => sku,
        };
        Some(ShippedLine {
            line: id.to_string(),
            key: key::of_line(&order.ref_ext, &of_order.ref_ext),
            sku: sku.to_owned(),
            quantity: quantity.normalize(),
        })
    };
    quantities([wire]).into_iter().filter_map(line).collect()
}

/// The parcels: one for each tracking number. People write several into the one field.
fn parcels(wire: &Wire, carrier: &str) -> Vec<Parcel> {
    let all = wire.tracking_number.trim();
    let numbers = all.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    let page = page(&wire.tracking_url);
    let parcel = |number: &str| Parcel {
        tracking: number.to_owned(),
        carrier: carrier.trim().to_owned(),
        // Dolibarr puts the whole field into the address.
        url: page.replacen(all, number, 1),
    };
    let mut numbers: Vec<&str> = numbers.filter(|number| !number.is_empty()).collect();
    let mut known = BTreeSet::new();
    numbers.retain(|number| known.insert(*number));
    numbers.into_iter().map(parcel).collect()
}

/// The address in a link: Dolibarr sends the link in HTML, or the number alone where the carrier has no page.
fn page(link: &str) -> &str {
    let address = link
        .split_once("href=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(address, _)| address);
    if address.starts_with("https://") || address.starts_with("http://") {
        address
    } else {
        ""
    }
}

/// The newest time that a shipment shows: it was modified then, or later.
pub(super) fn at(wire: &Wire) -> Option<Timestamp> {
    [&wire.date_creation, &wire.date_valid]
        .into_iter()
        .filter_map(|time| map::instant(time, "UTC"))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn order(state: i64) -> Order {
        let order = json!({
            "id": "8", "statut": state.to_string(), "ref_ext": "shop-fr/order/1042",
            "lines": [
                {"id": "1", "ref_ext": "line-7", "product_type": "0", "product_ref": "MUG", "qty": "3"},
                {"id": "2", "product_type": "0", "product_ref": "POT", "qty": "1"},
                {"id": "3", "ref_ext": "shipping-1", "product_type": "1", "product_ref": "SHIP", "qty": "1"},
            ],
        });
        serde_json::from_value(order).unwrap()
    }

    fn shipment(id: i64, state: i64, valid: i64, quantities: &[(i64, &str)]) -> Wire {
        let line = |(line, quantity): &(i64, &str)| json!({"fk_elementdet": line, "qty_shipped": quantity, "entrepot_id": "4"});
        let lines: Vec<Value> = quantities.iter().map(line).collect();
        let wire = json!({
            "id": id, "ref": format!("SH-{id}"), "statut": state, "origin_type": "commande", "origin_id": "8", "date_valid": valid,
            "lines": lines,
        });
        serde_json::from_value(wire).unwrap()
    }

    #[test]
    fn the_one_that_brings_the_rest_completes_an_order() {
        let all = [
            shipment(1, 1, 200, &[(1, "1"), (2, "1")]),
            shipment(2, 2, 100, &[(1, "2")]),
            shipment(3, 0, 0, &[(1, "1")]),
            shipment(4, -1, 0, &[(1, "1")]),
        ];
        let of = |state| {
            let order = order(state);
            all.each_ref().map(|this| completes(&order, this, &all))
        };
        // The second left before the first.
        assert_eq!(of(2), [true, false, true, true]);
        let all = [
            shipment(1, 1, 100, &[(1, "1")]),
            shipment(2, 1, 200, &[(1, "1")]),
        ];
        let of = |state| {
            let order = order(state);
            all.each_ref().map(|this| completes(&order, this, &all))
        };
        assert_eq!(of(2), [false, false]);
        // Closed short by a person.
        assert_eq!(of(3), [false, true]);
    }

    #[test]
    fn a_document_names_the_shops_lines() {
        let mut wire = shipment(1, 1, 1_795_591_794, &[(1, "2.000"), (2, "1"), (9, "1")]);
        wire.tracking_number = " 1Z-1, 1Z-2;1Z-1\n".to_owned();
        wire.tracking_url =
            "<a target=\"_blank\" href=\"https://track.example.test/?n=1Z-1, 1Z-2;1Z-1\">x</a>"
                .to_owned();
        let shipment = document(&order(2), &wire, true, "Colis").unwrap();
        assert_eq!(shipment.location, Some("4".into()));
        let lines: Vec<(&str, &str, String)> = shipment
            .lines
            .iter()
            .map(|line| {
                let key = line.key.as_ref().map_or("", |key| key.as_str());
                (key, line.sku.as_str(), line.quantity.to_string())
            })
            .collect();
        assert_eq!(
            lines,
            [
                ("shop-fr/order/1042/line-7", "MUG", "2".to_owned()),
                ("", "POT", "1".to_owned())
            ]
        );
        let parcels: Vec<(&str, &str)> = shipment
            .parcels
            .iter()
            .map(|parcel| (parcel.tracking.as_str(), parcel.url.as_str()))
            .collect();
        assert_eq!(
            parcels,
            [
                ("1Z-1", "https://track.example.test/?n=1Z-1"),
                ("1Z-2", "https://track.example.test/?n=1Z-2")
            ]
        );
        assert!(document(&order(2), &self::shipment(2, 0, 0, &[(9, "1")]), true, "").is_none());
    }
}
