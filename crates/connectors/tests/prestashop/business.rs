//! A simulated shop in business: hundreds of seeded sales, read and checked to the cent.

use crate::stage::*;
use comptoir_kit::spec::Kit;
use comptoir_model::equation::{self, Tolerance};
use comptoir_model::key::Kind;
use comptoir_model::port::{Connector, Cursor, Record};
use comptoir_sim::prestashop::{Shop, ShopOptions};
use comptoir_sim::server::Server;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

async fn business(seed: u64) -> (Shop, Server, Arc<dyn Connector>) {
    let shop = Shop::in_business(ShopOptions {
        key: KEY.to_owned(),
        seed,
        orders: 150,
        ..ShopOptions::default()
    });
    let server = Server::start(shop.router()).await.unwrap();
    let value = json!({"url": server.url(), "key": KEY, "time_zone": "Europe/Paris"});
    let kit = Kit::new("shop".parse().unwrap());
    let connector = (comptoir_connectors::prestashop::SPEC.open)(value, kit).unwrap();
    (shop, server, connector)
}

async fn all(connector: &dyn Connector, kind: Kind) -> BTreeMap<String, Record> {
    let (records, _) = read_on(connector, kind, &Cursor::start()).await;
    let records = records.into_iter();
    records
        .map(|record| (record.id.to_string(), record))
        .collect()
}

#[tokio::test]
async fn every_sale_adds_up_and_is_in_the_words_of_the_workspace() {
    for seed in [1, 7, 42] {
        let (shop, _server, connector) = business(seed).await;
        let records = all(&*connector, Kind::Order).await;
        let sold = shop.orders();
        assert_eq!(records.len(), sold.len());
        let tables = shop.tables();
        let missing = shop.missing_rows();
        let known = |table: &str, row: &str| -> BTreeSet<String> {
            let mapped = tables[table].iter().map(|(from, _)| from.clone());
            let left_out = missing.iter().filter(|missing| missing.table == row);
            mapped
                .chain(left_out.map(|missing| missing.from.clone()))
                .collect()
        };
        let taxes = known("taxes", "tax");
        let (payments, carriers) = (
            known("payment_methods", "payment"),
            known("shipping_methods", "shipping"),
        );
        for one in sold {
            let order = order(&records[&one.id.to_string()]);
            assert_eq!(order.number, one.number);
            assert_eq!((order.totals.total, order.totals.tax), (one.total, one.tax));
            assert_eq!(order.status.word, one.status);
            assert_eq!(order.email, one.email);
            assert_eq!(order.customer.is_some(), one.customer != 0);
            let found = equation::check(order, Tolerance::default());
            assert!(found.is_empty(), "seed {seed}, {}: {found:?}", one.number);
            for tax in &order.taxes {
                assert!(taxes.contains(&tax.code), "seed {seed}: {}", tax.code);
            }
            for line in &order.shipping {
                assert!(carriers.contains(&line.method), "seed {seed}: {line:?}");
            }
            let paid = order.payments.iter().map(|payment| &payment.method);
            for method in paid.filter(|method| method.as_str() != "ps_free_order") {
                assert!(payments.contains(method), "seed {seed}: {method}");
            }
        }
    }
}

#[tokio::test]
async fn its_stock_is_read_as_it_is() {
    let (shop, _server, connector) = business(7).await;
    let records = all(&*connector, Kind::Stock).await;
    let catalogue = shop.catalogue().unwrap();
    assert_eq!(records.len(), catalogue.items.len());
    let mut counted = 0;
    for item in &catalogue.items {
        let id = match item.parent {
            Some(parent) => format!("{parent}-{}", item.id),
            None => item.id.to_string(),
        };
        let stock = records[&id].document.as_stock().unwrap();
        assert_eq!(stock.sku, item.sku);
        if item.stock.is_some() {
            let level = stock.levels[0].available.unwrap();
            assert_eq!(Some(level), shop.stock(&item.sku).map(Into::into));
            counted += 1;
        }
    }
    assert!(counted > 25);
}
