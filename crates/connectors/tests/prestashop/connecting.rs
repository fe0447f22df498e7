//! The test of a connection.

use crate::stage::*;
use comptoir_connectors::prestashop::SPEC;
use comptoir_kit::spec::Kit;
use comptoir_model::account::Severity;
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::Cursor;
use comptoir_sim::prestashop::{ShopOptions, Trouble};
use serde_json::{Value, json};

fn codes(account: &comptoir_model::account::Account) -> Vec<(Severity, Code)> {
    let notices = account.notices.iter();
    notices
        .map(|notice| (notice.severity, notice.code))
        .collect()
}

#[tokio::test]
async fn the_probe_learns_the_shop() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    stage.sell(1);
    let account = stage.plain().probe().await.unwrap();
    assert_eq!(
        (account.title.as_str(), account.version.as_str()),
        ("Simulated shop", "PrestaShop 8.2.1")
    );
    assert_eq!(
        (account.site.as_str(), account.time_zone.as_str()),
        ("shop.example#1", "Europe/Paris")
    );
    assert_eq!(account.currency.unwrap().code(), "EUR");
    let ids = |table: &str| -> Vec<&str> {
        account.choices[table]
            .iter()
            .map(|choice| choice.id.as_str())
            .collect()
    };
    assert_eq!(
        ids("statuses"),
        ["1", "2", "3", "4", "5", "6", "7", "8", "10", "11", "14"]
    );
    assert_eq!(
        account.choice("statuses", "4").unwrap().name,
        "Shipped (paid, shipped, delivery, invoice, logable)"
    );
    assert_eq!(ids("taxes"), ["TVA FR 20%", "TVA FR 5.5%", "USt. AT 20%"]);
    assert_eq!(ids("payment_methods"), ["ps_wirepayment"]);
    assert_eq!(ids("shipping_methods"), ["1", "2"]);
    // Plain http, a state that nothing explains, and a carrier whose parcels nobody can follow.
    assert_eq!(
        codes(&account),
        [
            (Severity::Warning, Code::NotSeenAsHttps),
            (Severity::Warning, Code::MissingRow),
            (Severity::Info, Code::MissingSetting)
        ]
    );
    assert!(account.notices[2].detail.ends_with(": Click and collect"));
    assert!(
        account.notices[1]
            .detail
            .contains("14 (Waiting for the workshop)")
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told_apart() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let unknown = stage
        .connect(json!({"key": "0".repeat(32)}))
        .probe()
        .await
        .unwrap_err();
    assert_eq!((unknown.next, unknown.code), (Next::Locked, Code::WrongKey));
    assert!(unknown.why.contains("does not know"), "{unknown}");

    stage.shop.set_trouble(Trouble {
        drops_header: true,
        ..Trouble::default()
    });
    let dropped = stage.plain().probe().await.unwrap_err();
    assert_eq!((dropped.next, dropped.code), (Next::Locked, Code::WrongKey));
    assert!(
        dropped.why.contains("drops the Authorization header"),
        "{dropped}"
    );

    stage.shop.set_trouble(Trouble {
        disabled: true,
        ..Trouble::default()
    });
    let off = stage.plain().probe().await.unwrap_err();
    assert_eq!(off.next, Next::Locked);
    assert!(off.why.contains("switched off"), "{off}");

    stage.shop.set_trouble(Trouble::default());
    stage.shop.revoke("taxes", "GET");
    stage.shop.revoke("messages", "GET");
    let missing = stage.plain().probe().await.unwrap_err();
    assert_eq!(
        (missing.next, missing.code),
        (Next::Locked, Code::MissingRight)
    );
    assert!(missing.why.contains("read messages, taxes"), "{missing}");
    let reading = stage.plain().changes(Kind::Order, &Cursor::start()).await;
    assert!(reading.is_ok(), "an empty shop needs no tables");
    stage.sell(1);
    let reading = stage
        .plain()
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap_err();
    assert_eq!(
        (reading.next, reading.code),
        (Next::Locked, Code::MissingRight)
    );
    assert!(reading.why.contains("taxes"), "{reading}");
}

#[tokio::test]
async fn rights_to_write_are_wanted_and_not_needed() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    stage.shop.revoke("order_carriers", "PATCH");
    let account = stage.plain().probe().await.unwrap();
    let notice = account
        .notices
        .iter()
        .find(|notice| notice.code == Code::ReadOnlyKey);
    assert!(notice.unwrap().detail.contains("PATCH order_carriers"));
}

#[tokio::test]
async fn what_stock_and_shipments_lack_is_told_by_its_name() {
    for (version, method) in [("8.2.1", "PATCH"), ("1.7.8.9", "PUT")] {
        let stage = Stage::with(ShopOptions {
            now: at("2026-11-22T04:00:00Z"),
            version: version.to_owned(),
            ..ShopOptions::default()
        })
        .await;
        stage.shop.revoke("messages", "POST");
        stage.shop.revoke("stock_availables", "GET");
        stage.shop.revoke("stock_availables", method);
        let account = stage.plain().probe().await.unwrap();
        let lacking: Vec<&str> = account
            .notices
            .iter()
            .filter(|notice| notice.code == Code::ReadOnlyKey)
            .map(|notice| {
                assert_eq!(notice.severity, Severity::Warning);
                notice.detail.split("without ").last().unwrap()
            })
            .collect();
        let stock = format!("GET stock_availables, {method} stock_availables");
        assert_eq!(lacking, ["POST messages", &stock]);
    }
    // What the settings name has to be there.
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let named = stage.connect(json!({"shipped_status": "99"}));
    let notices = named.probe().await.unwrap().notices;
    let bad = notices.iter().find(|notice| notice.code == Code::BadValue);
    assert!(bad.unwrap().detail.contains("99"));
    let opened = |value: &str| {
        let kit = Kit::new("shop".parse().unwrap());
        let value = json!({"url": "https://shop.example", "key": KEY, "time_zone": "Europe/Paris", "shipped_status": value});
        (SPEC.open)(value, kit).map(|_| ())
    };
    assert_eq!(fault(opened("Shipped")), (Next::Refused, Code::BadValue));
    assert!(opened("4").is_ok());
}

#[tokio::test]
async fn a_copy_of_the_shop_is_another_site() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let copy = Stage::with(ShopOptions {
        now: at("2026-11-22T04:00:00Z"),
        domain: "staging.example".to_owned(),
        ..ShopOptions::default()
    })
    .await;
    let (own, other) = (
        stage.plain().probe().await.unwrap(),
        copy.plain().probe().await.unwrap(),
    );
    assert_ne!(own.site, other.site);
    assert_eq!(own.site, stage.plain().probe().await.unwrap().site);
}

#[tokio::test]
async fn a_time_zone_that_is_not_the_shops_is_an_error() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let account = stage
        .connect(json!({"time_zone": "Europe/London"}))
        .probe()
        .await
        .unwrap();
    let notice = account
        .notices
        .iter()
        .find(|notice| notice.code == Code::BadValue)
        .unwrap();
    assert_eq!(notice.severity, Severity::Error);
    assert!(notice.detail.contains("Europe/Paris"));
}

#[tokio::test]
async fn versions_are_judged() {
    for (version, severity) in [
        ("1.6.1.24", Some(Severity::Error)),
        ("1.7.8.9", Some(Severity::Warning)),
        ("8.1.0", None),
        ("9.0.1", Some(Severity::Info)),
        ("10.0.0", Some(Severity::Warning)),
    ] {
        let stage = Stage::with(ShopOptions {
            now: at("2026-11-22T04:00:00Z"),
            version: version.to_owned(),
            ..ShopOptions::default()
        })
        .await;
        let account = stage.plain().probe().await.unwrap();
        let notice = account
            .notices
            .iter()
            .find(|notice| notice.code == Code::UnsupportedVersion);
        assert_eq!(notice.map(|notice| notice.severity), severity, "{version}");
    }
}

#[tokio::test]
async fn the_shop_of_a_multistore_is_named_in_every_call() {
    let stage = Stage::open("2026-11-22T04:00:00Z").await;
    let second = stage
        .shop
        .add("shops", json!({"name": "Second", "deleted": "0"}));
    stage.shop.add("shop_urls", json!({"id_shop": second, "domain": "b.example", "domain_ssl": "", "physical_uri": "/b/", "virtual_uri": "", "main": "1"}));
    let unnamed = stage.plain().probe().await.unwrap_err();
    assert!(unnamed.why.contains("shop_id"), "{unnamed}");
    let connector = stage.connect(json!({"shop_id": second}));
    let account = connector.probe().await.unwrap();
    assert_eq!(account.site, "b.example/b#2");
    let before = stage.shop.asked().len();
    connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    for asked in &stage.shop.asked()[before..] {
        assert!(asked.contains("id_shop=2"), "{asked}");
    }
}

#[test]
fn settings_that_cannot_work_are_named() {
    let good = json!({"url": "https://shop.example/api/", "key": KEY, "time_zone": "Europe/Paris"});
    let open = |name: &str, value: Value| {
        let mut settings = good.clone();
        settings[name] = value;
        (SPEC.open)(settings, Kit::new("shop".parse().unwrap())).err()
    };
    assert_eq!(open("page_size", json!(2)), None);
    for (name, value) in [
        ("key", json!("short")),
        ("time_zone", json!("Paris")),
        ("shop_id", json!(0)),
        ("page_size", json!(1000)),
        ("overlap_seconds", json!(1)),
        ("odd", json!(1)),
    ] {
        let fault = open(name, value).unwrap();
        let told = fault.field.as_deref() == Some(name) || fault.why.contains(name);
        assert!(told && fault.next == Next::Refused, "{name}: {fault}");
    }
}
