//! The contract suite.

use crate::given::*;
use crate::server::{KEY, Server, Trouble};
use comptoir_connectors::odoo::SPEC;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::{Query, Step, Write};
use serde_json::json;
use std::collections::BTreeMap;

#[tokio::test]
async fn the_contract_holds_on_both_faces() {
    for version in VERSIONS {
        let server = Server::start(version).await;
        let connector = open(&server);
        let mut suite = Suite::new(&SPEC, [KEY]);
        suite.declarations();
        let mut bad = order("1003");
        bad.lines[0].product = Some("999".into());
        let batch: Vec<Write> = vec![
            create("1", order("1001")),
            create("2", order("1002")),
            create("3", bad),
            create("4", order("1004")),
        ];
        let results = suite
            .batch(&*connector, &batch, &BTreeMap::from([(2, Code::Refused)]))
            .await;
        for at in [0, 1, 3] {
            let made = results[at].as_ref().unwrap();
            suite.proof(&*connector, &batch[at], &made.id).await;
        }
        let people = [
            person("a", "Anne"),
            person("b", "Bob"),
            person("c", "Chloé"),
        ];
        let results = suite.batch(&*connector, &people, &BTreeMap::new()).await;
        suite
            .proof(&*connector, &people[0], &results[0].as_ref().unwrap().id)
            .await;
        let seen = created(&*connector, &batch[0]).await;
        let confirm = next(&batch[0], Step::Confirm, &seen);
        let done = suite
            .batch(
                &*connector,
                std::slice::from_ref(&confirm),
                &BTreeMap::new(),
            )
            .await;
        suite
            .proof(&*connector, &confirm, &done[0].as_ref().unwrap().id)
            .await;
        server.erp().put(
            "sale.order",
            json!({"name": "S00000", "state": "draft", "currency_id": false}),
        );
        let orders = Reading {
            unreadable: 1,
            ..Reading::of(Kind::Order, 3)
        };
        suite.reading(&*connector, &orders).await;
        suite
            .reading(&*connector, &Reading::of(Kind::Customer, 3))
            .await;
        suite
            .reading(&*connector, &Reading::of(Kind::Product, 4))
            .await;
        server.erp().troubles.push((
            "res.partner.search_read".to_owned(),
            Trouble::Refused("odoo.exceptions.AccessError"),
        ));
        let query = [Query::Email("a@example.test".to_owned())];
        let fault = connector.find(Kind::Customer, &query).await.unwrap_err();
        suite.classified("a missing right", &fault, Next::Locked, Code::MissingRight);
        suite.finish().assert_passed();
    }
}
