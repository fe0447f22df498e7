//! A simulated day: orders, stock and parcels at once, both sides changing, faults on every wire. When all has settled both sides must
//! agree, as `reconcile` compares them: every order, every quantity, every line of every parcel. More cycles then write nothing.
//!
//! `COMPTOIR_DAYS_SEEDS` and `COMPTOIR_DAYS_ORDERS` ask for more (docs/days.md has the long run).

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends at what it does not expect, and tells by printing"
)]

mod day;
mod sides;

use comptoir_sim::market::{ErpKind, ShopKind};
use day::Day;

fn asked(name: &str, otherwise: usize) -> usize {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

async fn days(shops: &[(&'static str, ShopKind)], erp: ErpKind) {
    let orders = asked("COMPTOIR_DAYS_ORDERS", 120);
    for seed in 1..=asked("COMPTOIR_DAYS_SEEDS", 1) as u64 {
        let day = Day::begin(shops, erp, seed, orders).await;
        day.pass().await;
        day.judge(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn woocommerce_and_odoo_agree_at_the_end_of_the_day() {
    days(&[("shop", ShopKind::Woocommerce)], ErpKind::Odoo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn woocommerce_and_dolibarr_agree_at_the_end_of_the_day() {
    days(&[("shop", ShopKind::Woocommerce)], ErpKind::Dolibarr).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_shops_and_one_odoo_agree_at_the_end_of_the_day() {
    days(
        &[
            ("shop", ShopKind::Woocommerce),
            ("shop-b", ShopKind::Prestashop),
        ],
        ErpKind::Odoo,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prestashop_and_odoo_agree_at_the_end_of_the_day() {
    days(&[("shop", ShopKind::Prestashop)], ErpKind::Odoo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prestashop_and_dolibarr_agree_at_the_end_of_the_day() {
    days(&[("shop", ShopKind::Prestashop)], ErpKind::Dolibarr).await;
}
