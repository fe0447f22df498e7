//! Seeded drift: every row of `table.csv` is planted in simulated systems that agreed before, the comparison must find each of them and
//! nothing else, name whether it may be repaired, repair every one that may be, and leave every other one as it is.
//!
//! The hub reads only what it is told to in between, so that what is planted is what nobody has read.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends at what it does not expect, and tells by printing"
)]

mod pair;
mod plant;
mod row;
#[path = "../days/sides.rs"]
mod sides;

use comptoir_sim::market::{ErpKind, ShopKind};
use pair::{Mode, Pair};
use row::{Row, table};

async fn play(shop: ShopKind, erp: ErpKind) {
    let rows = table();
    for mode in [Mode::Confirmed, Mode::Drafts] {
        let own: Vec<Row> = rows
            .iter()
            .filter(|row| row.is_of(shop, erp) && row.mode == mode)
            .cloned()
            .collect();
        assert!(!own.is_empty());
        Pair::open(shop, erp, mode, own.len())
            .await
            .play(&own)
            .await;
    }
}

#[test]
fn the_table_has_every_kind_on_every_side_it_can_be_on() {
    let rows = table();
    assert!(rows.len() >= 100, "{} rows", rows.len());
    for shop in [ShopKind::Woocommerce, ShopKind::Prestashop] {
        for erp in [ErpKind::Odoo, ErpKind::Dolibarr] {
            let own: Vec<&Row> = rows.iter().filter(|row| row.is_of(shop, erp)).collect();
            let mut there: Vec<(&str, &str)> = own
                .iter()
                .map(|row| (row.kind.as_str(), row.side.as_str()))
                .collect();
            there.sort_unstable();
            there.dedup();
            let expected = [
                ("deleted", "erp"),
                ("deleted", "shop"),
                ("doubled", "erp"),
                ("edited by hand", "erp"),
                ("edited by hand", "shop"),
                ("line changed", "erp"),
                ("line changed", "shop"),
                ("lost tracking", "erp"),
                ("lost tracking", "shop"),
                ("missing", "erp"),
                ("missing", "shop"),
                ("stale stock", "erp"),
                ("stale stock", "shop"),
                ("total off by one minor unit", "erp"),
                ("total off by one minor unit", "shop"),
            ];
            assert_eq!(there, expected, "{shop:?} {erp:?}");
        }
    }
    let without_reason: Vec<&Row> = rows.iter().filter(|row| row.why.is_empty()).collect();
    assert!(without_reason.is_empty(), "{without_reason:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drift_between_woocommerce_and_odoo_is_found_and_what_may_be_is_repaired() {
    play(ShopKind::Woocommerce, ErpKind::Odoo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drift_between_woocommerce_and_dolibarr_is_found_and_what_may_be_is_repaired() {
    play(ShopKind::Woocommerce, ErpKind::Dolibarr).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drift_between_prestashop_and_odoo_is_found_and_what_may_be_is_repaired() {
    play(ShopKind::Prestashop, ErpKind::Odoo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_drift_between_prestashop_and_dolibarr_is_found_and_what_may_be_is_repaired() {
    play(ShopKind::Prestashop, ErpKind::Dolibarr).await;
}
