//! Settings, the probe, and reading.

use crate::given::*;
use crate::served::{Served, VERSIONS};
use comptoir_connectors::dolibarr::SPEC;
use comptoir_kit::spec::Kit;
use comptoir_model::account::Severity;
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::{Connector, Cursor, Seen};
use comptoir_sim::dolibarr::DolibarrOptions;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn settings_that_cannot_work_are_refused_by_name() {
    let open = |change: Value| {
        let mut settings = json!({"url": "https://erp.example", "key": "k", "currency": "EUR"});
        settings
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        (SPEC.open)(settings, Kit::new("erp".parse().unwrap())).map(|_| ())
    };
    open(json!({})).unwrap();
    for (change, field) in [
        (json!({"key": ""}), "key"),
        (json!({"url": "https://erp.example/api/index.php"}), "url"),
        (json!({"currency": "Euros"}), "currency"),
        (json!({"time_zone": "Europe/Nowhere"}), "time_zone"),
        (json!({"vat_rates": ["20", "TVA"]}), "vat_rates"),
        (json!({"price_decimals": 9}), "price_decimals"),
        (json!({"overlap_seconds": 0}), "overlap_seconds"),
    ] {
        let fault = open(change).unwrap_err();
        assert_eq!(
            (fault.code, fault.field.as_deref()),
            (Code::BadValue, Some(field))
        );
    }
}

#[tokio::test]
async fn a_probe_tells_what_tables_may_point_to() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let account = served.connector.probe().await.unwrap();
        assert_eq!(account.title, "Dolibarr");
        assert_eq!(account.site, served.server.url());
        assert_eq!(
            (account.time_zone.as_str(), account.price_decimals),
            ("UTC", Some(5))
        );
        for (table, name, id) in [
            ("taxes", "20 %", "20"),
            ("taxes", "0", "0"),
            ("payment_methods", "credit card", "6"),
            ("payment_terms", "Due upon receipt", "1"),
            ("carriers", "Generic transport service", "2"),
            ("warehouses", "WH1", "1"),
        ] {
            assert_eq!(
                account.choice(table, name).map(|choice| choice.id.as_str()),
                Some(id),
                "{table}"
            );
        }
        assert_eq!(account.choice("taxes", "20").unwrap().rate, Some(dec("20")));
        assert_eq!(
            account.fields["order"],
            ["mode_reglement_id", "shipping_method_id"]
        );
        let warnings = account
            .notices
            .iter()
            .filter(|notice| notice.severity == Severity::Warning);
        let codes: Vec<Code> = warnings.map(|notice| notice.code).collect();
        let expected: &[Code] = if version == 17 {
            &[]
        } else {
            &[Code::UnsupportedVersion]
        };
        assert_eq!(codes, expected);
    }
}

#[tokio::test]
async fn a_probe_takes_given_rates_and_sees_another_time_zone() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    created(
        &*served.connector,
        &create("1", served.order("1", &customer, None)),
    )
    .await;
    let connector =
        served.open(json!({"vat_rates": ["5.50", "8.5 (NPR)"], "time_zone": "Europe/Paris"}));
    let account = connector.probe().await.unwrap();
    let rates: Vec<&str> = account.choices["taxes"]
        .iter()
        .map(|choice| choice.id.as_str())
        .collect();
    assert_eq!(rates, ["0", "5.5", "8.5 (NPR)"]);
    assert!(
        account
            .notices
            .iter()
            .any(|notice| notice.code == Code::ClockSkew)
    );
}

#[tokio::test]
async fn a_probe_says_in_words_what_is_missing() {
    let served = Served::of(17).await;
    served.erp.switch(false);
    let off = served.connector.probe().await.unwrap_err();
    assert_eq!((off.next, off.code), (Next::Locked, Code::WrongAddress));
    assert!(off.why.contains("enable the module API"), "{off}");
    served.erp.switch(true);
    let wrong = open_with(&served.server.url(), "another", json!({}))
        .probe()
        .await
        .unwrap_err();
    assert_eq!((wrong.next, wrong.code), (Next::Locked, Code::WrongKey));
    let nowhere = open_with(
        &format!("{}/erp", served.server.url()),
        &served.key,
        json!({}),
    );
    let nowhere = nowhere.probe().await.unwrap_err();
    assert_eq!(
        (nowhere.next, nowhere.code),
        (Next::Locked, Code::WrongAddress)
    );
    for version in VERSIONS {
        let options = DolibarrOptions {
            version,
            rights: false,
            ..DolibarrOptions::default()
        };
        let fault = Served::with(options)
            .await
            .connector
            .probe()
            .await
            .unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Locked, Code::MissingRight));
        assert!(
            fault.why.contains("Create/modify customers orders"),
            "{fault}"
        );
    }
}

/// Ids of all products that changed, and where to go on.
async fn all(connector: &dyn Connector, mut cursor: Cursor) -> (Vec<String>, Cursor) {
    let mut ids = Vec::new();
    loop {
        let page = connector.changes(Kind::Product, &cursor).await.unwrap();
        ids.extend(page.items.into_iter().map(|item| item.unwrap().id.0));
        cursor = page.next;
        if !page.more {
            return (ids, cursor);
        }
    }
}

#[tokio::test]
async fn many_changes_in_one_second_are_read_once_each() {
    let served = Served::of(17).await;
    served.erp.freeze(true);
    for number in 0..250 {
        served.erp.product(&format!("P-{number}"), false, "20");
    }
    let connector = &*served.connector;
    let (ids, cursor) = all(connector, Cursor::start()).await;
    assert_eq!(
        (ids.len(), ids.iter().collect::<BTreeSet<_>>().len()),
        (253, 253)
    );
    let (ids, cursor) = all(connector, cursor).await;
    assert!(ids.is_empty());
    served.erp.freeze(false);
    served.erp.edit("products", 2, "label", json!("Autre"));
    let (ids, _) = all(connector, cursor).await;
    assert_eq!(ids, ["2"]);
}

#[tokio::test]
async fn a_reading_of_changes_asks_for_no_more_than_it_must() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let at = jiff::Timestamp::from_second(DolibarrOptions::default().starts + 3600).unwrap();
        let cursor = served.connector.cursor_since(Kind::Product, at);
        let page = served
            .connector
            .changes(Kind::Product, &cursor)
            .await
            .unwrap();
        assert!(page.items.is_empty() && !page.more);
    }
}

#[tokio::test]
async fn what_is_not_there_is_gone_and_what_is_asked_twice_is_told_once() {
    let served = Served::of(20).await;
    let ids = ["1".into(), "99".into(), "x".into(), "1".into()];
    let seen = served.connector.read(Kind::Product, &ids).await.unwrap();
    assert_eq!(seen.len(), 3);
    assert!(matches!(&seen[0], Seen::Record(record) if record.id.as_str() == "1"));
    assert!(matches!(&seen[1], Seen::Gone(id) if id.as_str() == "99"));
    assert!(matches!(&seen[2], Seen::Gone(id) if id.as_str() == "x"));
}
