//! Keys, the probe and webhooks on the scripted shop.

use super::shop::{TestShop, Traits};
use super::stage::*;
use comptoir_model::account::Severity;
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::Kind;
use comptoir_model::port::Cursor;
use serde_json::json;

#[tokio::test]
async fn a_signature_opens_the_shop_over_http() {
    let shop = TestShop::start(Traits::default()).await;
    add_orders(&shop);
    let connector = connect(&shop, json!({}));
    let page = connector
        .changes(Kind::Order, &Cursor::start())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 3);
    let account = connector.probe().await.unwrap();
    let codes: Vec<Code> = account.notices.iter().map(|notice| notice.code).collect();
    assert!(codes.contains(&Code::PlainHttp), "{codes:?}");
    assert!(!codes.contains(&Code::NotSeenAsHttps), "{codes:?}");
    let asked = shop.asked("/orders");
    assert!(asked.iter().all(|asked| asked.authorization.is_none()));
    let nonces: std::collections::BTreeSet<_> = asked
        .iter()
        .map(|asked| asked.query["oauth_nonce"].clone())
        .collect();
    assert_eq!(nonces.len(), asked.len());
}

#[tokio::test]
async fn the_probe_learns_the_shop() {
    let shop = TestShop::start(HTTPS).await;
    let connector = connect(&shop, json!({"auth": "basic", "shipping_key": "instance"}));
    let account = connector.probe().await.unwrap();
    assert_eq!(account.version, "WooCommerce 11.0.1");
    assert_eq!(format!("http://{}", account.site), shop.address);
    assert_eq!(
        (account.time_zone.as_str(), account.price_decimals),
        ("Europe/Paris", Some(2))
    );
    let ids = |table: &str| -> Vec<&str> {
        account.choices[table]
            .iter()
            .map(|choice| choice.id.as_str())
            .collect()
    };
    assert_eq!(ids("taxes"), ["FR-TVA-1 20%"]);
    assert_eq!(ids("payment_methods"), ["cod", "gift_card", "other"]);
    assert_eq!(ids("shipping_methods"), ["flat_rate:3"]);
    assert_eq!(ids("statuses"), ["processing", "packed"]);
    let fact = |id: &str| account.choice("facts", id).unwrap().name.clone();
    assert_eq!(
        (fact("order_storage"), fact("prices_include_tax")),
        ("hpos".to_owned(), "no".to_owned())
    );
    let own = account
        .notices
        .iter()
        .find(|notice| notice.code == Code::MissingRow)
        .unwrap();
    assert!(own.detail.contains("packed"));
    assert!(!shop.asked("wp-json").is_empty());
    assert!(
        shop.asked("wp-json")
            .iter()
            .all(|asked| asked.authorization.is_none())
    );
}

#[tokio::test]
async fn what_shipments_and_stock_lack_is_a_notice_and_no_error() {
    let shop = TestShop::start(HTTPS).await;
    let settings = json!({
        "auth": "basic", "tracking": "shipment-tracking", "shipped_status": "sent",
        "partly_shipped_status": "packed",
    });
    let account = connect(&shop, settings).probe().await.unwrap();
    let of = |code: Code| {
        let notices = account.notices.iter();
        let notices = notices.filter(move |notice| notice.code == code);
        notices
            .map(|notice| (notice.severity, notice.detail.as_str()))
            .collect::<Vec<_>>()
    };
    let names = of(Code::UnknownName);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names
            .iter()
            .all(|(severity, _)| *severity == Severity::Warning)
    );
    assert!(names.iter().any(|(_, detail)| detail.contains("`sent`")));
    assert!(
        names
            .iter()
            .any(|(_, detail)| detail.contains("Shipment Tracking"))
    );
    let counts = of(Code::WrongState);
    assert_eq!((counts.len(), counts[0].0), (1, Severity::Info));
}

#[test]
fn settings_of_shipments_are_checked() {
    for (name, value) in [
        ("shipped_status", "cancelled"),
        ("partly_shipped_status", ""),
        ("shipment_note", "It is on its way: {parcels}"),
    ] {
        let mut all = json!({"url": "https://shop.example", "key": "ck_1", "secret": "cs_1"});
        all[name] = value.into();
        let settings = comptoir_kit::spec::settings::<crate::woocommerce::Settings>(all).unwrap();
        let refused = settings.checked().unwrap_err();
        assert_eq!(
            (refused.code, refused.field.as_deref()),
            (Code::BadValue, Some(name))
        );
    }
}

#[tokio::test]
async fn a_key_that_may_only_read_is_told_in_any_language() {
    for french in [false, true] {
        let traits = Traits {
            read_only: true,
            french,
            ..HTTPS
        };
        let shop = TestShop::start(traits).await;
        let connector = basic(&shop);
        let account = connector.probe().await.unwrap();
        assert!(
            account
                .notices
                .iter()
                .any(|notice| notice.code == Code::ReadOnlyKey),
            "{french}"
        );
        let results = connector.write(&[completed("1")]).await;
        assert_eq!(fault(results[0].clone()).0, Next::Locked);
    }
}

#[tokio::test]
async fn the_reasons_of_an_ignored_key_are_told_apart() {
    // WordPress thinks it is http: the same key with a signature works.
    let shop = TestShop::start(Traits::default()).await;
    let refused = basic(&shop).probe().await.unwrap_err();
    assert_eq!(
        (refused.next, refused.code),
        (Next::Locked, Code::NotSeenAsHttps)
    );
    assert!(refused.why.contains("X-Forwarded-Proto"), "{refused}");
    // The same, and the key is unknown.
    let unknown = json!({"auth": "basic", "key": "ck_unknown"});
    let refused = connect(&shop, unknown).probe().await.unwrap_err();
    assert_eq!(refused.code, Code::WrongKey);
    // A wrong secret under a signature.
    let wrong = connect(&shop, json!({"secret": "cs_wrong"}))
        .probe()
        .await
        .unwrap_err();
    assert_eq!(wrong.code, Code::SignatureRefused);
    // It sees HTTPS, and the secret is wrong.
    let shop = TestShop::start(HTTPS).await;
    let wrong = json!({"auth": "basic", "secret": "cs_wrong"});
    assert_eq!(
        connect(&shop, wrong).probe().await.unwrap_err().code,
        Code::WrongKey
    );
    // It sees HTTPS and got a signature.
    let refused = connect(&shop, json!({})).probe().await.unwrap_err();
    assert_eq!(
        (refused.next, refused.code),
        (Next::Locked, Code::WrongAddress)
    );
}

#[tokio::test]
async fn webhooks_are_made_made_again_and_signed_anew() {
    let shop = TestShop::start(HTTPS).await;
    let connector = basic(&shop);
    let address = "https://hub.example.test/hooks/shop";
    let report = connector.tend_hooks(address).await.unwrap();
    assert_eq!((report.active.len(), report.recreated.len()), (9, 0));
    assert_eq!(shop.state().hooks.len(), 9);
    {
        let mut state = shop.state();
        let mut hooks = state.hooks.values_mut();
        hooks.next().unwrap()["status"] = "disabled".into();
        hooks.next().unwrap()["status"] = "paused".into();
        hooks.next().unwrap()["name"] = "Comptoir order.deleted 00000000".into();
    }
    let report = connector.tend_hooks(address).await.unwrap();
    assert_eq!(report.recreated, ["order.created"]);
    assert!(
        !report.active.contains(&"order.updated".to_owned()),
        "a person paused it"
    );
    let state = shop.state();
    assert_eq!(state.hooks.len(), 9);
    assert!(
        !state.hooks.contains_key(&1),
        "the one that was off is gone"
    );
    assert_eq!(state.hooks[&3]["secret"], HOOK_SECRET);
    assert_ne!(state.hooks[&3]["name"], "Comptoir order.deleted 00000000");
    let puts = state
        .asked
        .iter()
        .filter(|asked| asked.method == "PUT")
        .count();
    assert_eq!(puts, 1);
}
