//! The contract suite.

use crate::given::*;
use crate::served::{Served, VERSIONS};
use comptoir_connectors::dolibarr::SPEC;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::{Query, Step, Write};
use comptoir_sim::dolibarr::DolibarrOptions;
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn the_contract_holds_on_both_versions() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = &*served.connector;
        let mut suite = Suite::new(&SPEC, [served.key.clone()]);
        suite.declarations();
        let people = [person("a"), person("b"), person("c")];
        let made = suite.batch(connector, &people, &BTreeMap::new()).await;
        let customer = made[0].as_ref().unwrap().id.clone();
        suite.proof(connector, &people[0], &customer).await;
        let address = [contact("a", &customer)];
        let contacts = suite.batch(connector, &address, &BTreeMap::new()).await;
        let to = contacts[0].as_ref().unwrap().id.clone();
        suite.proof(connector, &address[0], &to).await;
        let mut bad = served.order("1003", &customer, None);
        bad.lines[0].product = Some("999".into());
        let batch: Vec<Write> = vec![
            create("1", served.order("1001", &customer, None)),
            create("2", served.order("1002", &customer, Some(&to))),
            create("3", bad),
            create("4", served.order("1004", &customer, None)),
        ];
        let lost = BTreeMap::from([(2, Code::Refused)]);
        let results = suite.batch(connector, &batch, &lost).await;
        for at in [0, 1, 3] {
            let id = &results[at].as_ref().unwrap().id;
            suite.proof(connector, &batch[at], id).await;
        }
        let seen = created(connector, &batch[0]).await;
        for step in [Step::Confirm, Step::Cancel] {
            let write = next(&batch[0], step, &seen);
            let write = Write {
                expects: None,
                ..write
            };
            let done = suite
                .batch(connector, std::slice::from_ref(&write), &BTreeMap::new())
                .await;
            suite
                .proof(connector, &write, &done[0].as_ref().unwrap().id)
                .await;
        }
        served
            .erp
            .edit("orders", 2, "multicurrency_code", json!("Euros"));
        let orders = Reading {
            unreadable: 1,
            ..Reading::of(Kind::Order, 2)
        };
        suite.reading(connector, &orders).await;
        suite
            .reading(connector, &Reading::of(Kind::Customer, 3))
            .await;
        suite
            .reading(connector, &Reading::of(Kind::Product, 3))
            .await;
        let order = served.erp.sell(1, "2".parse().unwrap());
        served.erp.ship(order, "6A1").unwrap();
        suite.reading(connector, &Reading::of(Kind::Stock, 3)).await;
        suite
            .reading(connector, &Reading::of(Kind::Shipment, 1))
            .await;
        let forbidden = DolibarrOptions {
            version,
            rights: false,
            ..DolibarrOptions::default()
        };
        let forbidden = Served::with(forbidden).await;
        let query = [Query::Reference("1".to_owned())];
        let fault = forbidden
            .connector
            .find(Kind::Order, &query)
            .await
            .unwrap_err();
        suite.classified("a missing right", &fault, Next::Locked, Code::MissingRight);
        suite.finish().assert_passed();
    }
}
