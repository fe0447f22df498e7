//! Faults on the wire in front of the simulated shop: errors before and after the effect, cut answers, resets, restarts.

use crate::shipping::{completing, shipment, telling, write as ship};
use crate::stage::*;
use crate::stock::set;
use comptoir_connectors::prestashop::SPEC;
use comptoir_kit::clock::Clock;
use comptoir_kit::spec::Kit;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::{Connector, Cursor, Write};
use comptoir_sim::fault::{FaultRates, Faults};
use comptoir_sim::prestashop::{Goods, Shop, ShopOptions, error_body};
use comptoir_sim::server::Server;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const NOW: &str = "2026-11-22T04:00:00Z";

async fn stormy(seed: u64) -> (Shop, Faults, Server, Arc<dyn Connector>) {
    let shop = Shop::new(ShopOptions {
        key: KEY.to_owned(),
        now: at(NOW),
        ..ShopOptions::default()
    });
    for number in 0..12 {
        shop.offer(&format!("MUG-{number}"), Goods::Simple, 10);
        shop.place(&sale(&format!("buyer{number}@example.test")));
    }
    let rates = FaultRates {
        slow_for: Duration::from_millis(20),
        restart_for: Duration::from_millis(20),
        retry_after: 0,
        ..FaultRates::all(0.02)
    };
    let faults = Faults::new(seed, rates, error_body);
    let server = Server::start(faults.before(shop.router())).await.unwrap();
    let value =
        json!({"url": server.url(), "key": KEY, "time_zone": "Europe/Paris", "page_size": 5});
    let kit = Kit::new("shop".parse().unwrap()).with_clock(Clock::fixed(at(NOW)));
    let connector = (SPEC.open)(value, kit).unwrap();
    (shop, faults, server, connector)
}

async fn rest(connector: &dyn Connector) {
    let wait = connector.rests().unwrap_or(Duration::from_millis(5));
    tokio::time::sleep(wait.min(Duration::from_secs(2))).await;
}

#[tokio::test]
async fn a_read_that_failed_may_always_be_tried_again_and_loses_nothing() {
    for seed in 1..=4 {
        let (_shop, faults, _server, connector) = stormy(seed).await;
        let (mut read, mut cursor) = (BTreeMap::new(), Cursor::start());
        for _ in 0..400 {
            match connector.changes(Kind::Order, &cursor).await {
                Ok(page) => {
                    for record in page.items.into_iter().map(Result::unwrap) {
                        read.insert(record.id.clone(), record);
                    }
                    cursor = page.next;
                    if !page.more {
                        break;
                    }
                }
                Err(fault) => {
                    assert!(
                        matches!(fault.next, Next::Later { .. }),
                        "seed {seed}: {fault:?}"
                    );
                    rest(&*connector).await;
                }
            }
        }
        assert_eq!(read.len(), 12, "seed {seed}");
        for record in read.values() {
            assert_eq!(
                order(record).totals.rounding,
                dec("0"),
                "seed {seed}: nothing is missing of it"
            );
        }
        assert!(faults.struck() > 0, "seed {seed}: no fault struck");
    }
}

#[tokio::test]
async fn a_state_is_written_once_whatever_happens_to_the_answer() {
    for seed in 1..=4 {
        let (shop, faults, _server, connector) = stormy(seed).await;
        let before = shop.count("order_histories");
        for id in 1..=12 {
            let write = into_state(id, "4");
            let mut done = false;
            for _ in 0..100 {
                let results = connector.write(std::slice::from_ref(&write)).await;
                match &results[0] {
                    Ok(_) => {
                        done = true;
                        break;
                    }
                    Err(fault) => {
                        let known = matches!(fault.next, Next::Later { .. } | Next::Unknown);
                        assert!(known, "seed {seed}: {fault:?}");
                        rest(&*connector).await;
                    }
                }
            }
            assert!(done, "seed {seed}, order {id}");
            assert_eq!(shop.row("orders", id).unwrap()["current_state"], "4");
        }
        assert_eq!(
            shop.count("order_histories"),
            before + 12,
            "seed {seed}: none twice"
        );
        assert!(faults.struck() > 0, "seed {seed}: no fault struck");
    }
}

/// Writes until all of it is done; what may be done is looked at by the next try.
async fn insist(connector: &dyn Connector, seed: u64, writes: &[Write]) {
    let mut open: Vec<Write> = writes.to_vec();
    for _ in 0..200 {
        let results = connector.write(&open).await;
        let mut left = Vec::new();
        for (write, result) in open.into_iter().zip(results) {
            let Err(fault) = result else { continue };
            let known = matches!(fault.next, Next::Later { .. } | Next::Unknown | Next::Moved);
            assert!(known, "seed {seed}: {fault:?}");
            left.push(write);
        }
        open = left;
        if open.is_empty() {
            return;
        }
        rest(connector).await;
    }
    panic!("seed {seed}: {} are left", open.len());
}

#[tokio::test]
async fn a_shipment_is_written_and_told_once_whatever_happens_to_the_answers() {
    for seed in 1..=6 {
        let (shop, faults, _server, connector) = stormy(seed).await;
        let before = shop.count("order_histories");
        for ids in [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]] {
            let tracking = |id: u64| format!("6A{id}");
            let writes: Vec<Write> = ids
                .iter()
                .map(|id| ship(&telling(completing(shipment(7, *id, &[&tracking(*id)])))))
                .collect();
            insist(&*connector, seed, &writes).await;
        }
        let mut told = shop.mailed();
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 12, "seed {seed}: {told:?}");
        assert_eq!(shop.mailed().len(), 12, "seed {seed}: nobody twice");
        let states = shop.count("order_histories");
        assert_eq!(states, before + 12, "seed {seed}: no state twice");
        faults.quiet();
        let (records, _) = read_on(&*connector, Kind::Order, &Cursor::start()).await;
        for record in &records {
            let shipments = &order(record).shipments;
            assert_eq!(shipments.len(), 1, "seed {seed}");
            assert!(shipments[0].notify && shipments[0].completes);
        }
        assert!(faults.struck() > 0, "seed {seed}: no fault struck");
    }
}

#[tokio::test]
async fn quantities_are_written_whatever_happens_to_the_answers() {
    for seed in 1..=6 {
        let (shop, faults, _server, connector) = stormy(seed).await;
        for round in 0..12 {
            let writes: Vec<Write> = (1..=12)
                .map(|id| set(&id.to_string(), &(round * 12 + id).to_string()))
                .collect();
            insist(&*connector, seed, &writes).await;
            for id in 1..=12 {
                let sku = format!("MUG-{}", id - 1);
                assert_eq!(shop.stock(&sku), Some(round * 12 + id), "seed {seed}");
            }
        }
        assert!(faults.struck() > 0, "seed {seed}: no fault struck");
    }
}
