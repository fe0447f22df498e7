//! What the flows of stock and shipments read, on tapes of both builds.

use super::Is::{self, *};
use super::{GONE, NO_RIGHT, REFUSED};
use crate::dolibarr::api::{decoded, rows};
use crate::dolibarr::wire;
use comptoir_kit::http::Answer;
use comptoir_model::Decimal;
use serde_json::Value;

/// Answers of a rebranded 20.0 development version.
pub(super) const ROWS: &[(&str, &[Is])] = &[
    (
        "001-products-with-stock",
        &[Stocks(&[
            (46, &[("1", "18"), ("2", "5")], "20", "2"),
            (49, &[("1", "-2")], "-3", "2"),
        ])],
    ),
    (
        "002-kit-parts",
        &[Parts(&[(47, "2", true), (48, "1", false)]), Parts(&[])],
    ),
    (
        "003-shipments",
        &[Shipments(&[
            ("SH2611-0001", 1, 46, &[(156, "2")]),
            ("SH2611-0002", 2, 47, &[(158, "2")]),
        ])],
    ),
    (
        "004-order-shipments",
        &[Shipments(&[("SH2611-0001", 1, 46, &[(156, "2")])])],
    ),
    ("005-shipments-none", &[Shipments(&[]), GONE]),
    ("006-stock-rule", &[Constant("1"), REFUSED, NO_RIGHT]),
    ("007-shipments-no-right", &[NO_RIGHT]),
];

/// What the flows of stock and shipments read.
pub(super) fn check(name: &str, answer: &Answer, subject: &str, is: Is) {
    let places = |row: &wire::Product| -> Vec<(String, Decimal)> {
        let places = row.stock_warehouse.iter();
        places.map(|(id, place)| (id.clone(), place.real)).collect()
    };
    let expected = |places: &[(&str, &str)]| -> Vec<(String, Decimal)> {
        let place = |(id, real): &(&str, &str)| ((*id).to_owned(), real.parse().unwrap());
        places.iter().map(place).collect()
    };
    let shipment = |wire: &wire::Shipment| {
        let lines = wire
            .lines
            .iter()
            .map(|line| (line.origin(), line.quantity()));
        let lines: Vec<(i64, Decimal)> = lines.collect();
        (wire.number.clone(), wire.state(), wire.order(), lines)
    };
    match is {
        Places(wanted) => {
            let body: Value = decoded(answer, subject).unwrap();
            let row = serde_json::json!({"stock_warehouse": body["stock_warehouses"]});
            let row: wire::Product = serde_json::from_value(row).unwrap();
            assert_eq!(places(&row), expected(wanted), "{name}");
        }
        Stocks(wanted) => {
            let rows: Vec<wire::Product> = decoded(answer, subject).unwrap();
            assert_eq!(rows.len(), wanted.len(), "{name}");
            for (row, (id, at, virtually, shipped)) in rows.iter().zip(wanted) {
                assert_eq!((row.id, places(row)), (*id, expected(at)), "{name}");
                assert!(row.is_counted(), "{name}");
                assert_eq!(
                    row.stock_theorique,
                    Some(virtually.parse().unwrap()),
                    "{name}"
                );
                assert_eq!(
                    row.stats_expedition.qty,
                    Some(shipped.parse().unwrap()),
                    "{name}"
                );
            }
        }
        Parts(wanted) => {
            let rows: Vec<wire::Part> = decoded(answer, subject).unwrap();
            let found = rows
                .iter()
                .map(|part| (part.rowid, part.qty, part.incdec == "1"));
            let wanted = wanted
                .iter()
                .map(|(id, qty, moves)| (*id, qty.parse().unwrap(), *moves));
            assert!(found.eq(wanted), "{name}: {rows:?}");
        }
        Shipment(number, order, tracking) => {
            let wire: wire::Shipment = decoded(answer, subject).unwrap();
            assert_eq!(
                shipment(&wire),
                (number.to_owned(), 0, Some(order), vec![]),
                "{name}"
            );
            assert_eq!(wire.tracking_number, tracking, "{name}");
        }
        Shipments(wanted) => {
            let rows: Vec<wire::Shipment> = rows(answer, subject)
                .unwrap()
                .iter()
                .map(|row| serde_json::from_str(row.get()).unwrap())
                .collect();
            let found: Vec<_> = rows.iter().map(shipment).collect();
            let wanted: Vec<_> = wanted
                .iter()
                .map(|(number, state, order, lines)| {
                    let lines = lines
                        .iter()
                        .map(|(line, qty)| (*line, qty.parse().unwrap()));
                    ((*number).to_owned(), *state, Some(*order), lines.collect())
                })
                .collect();
            assert_eq!(found, wanted, "{name}");
        }
        Constant(text) => {
            assert_eq!(decoded::<Value>(answer, subject).unwrap(), text, "{name}");
        }
        other => panic!("{name}: {other:?} is checked elsewhere"),
    }
}
