//! Creating: once, whatever happens on the way; and finding again.

use crate::given::*;
use crate::served::{Served, VERSIONS};
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::order::{Life, LineKind};
use comptoir_model::port::{Query, Seen};
use comptoir_sim::dolibarr::Trouble;
use serde_json::json;

#[tokio::test]
async fn an_order_is_held_as_it_was_decided() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let customer = served.customer("a").await;
        let made = one(&*served.connector, &contact("a", &customer))
            .await
            .unwrap();
        let order = served.order("1001", &customer, Some(&made.id));
        let write = create("1", order.clone());
        let seen = created(&*served.connector, &write).await;
        let there = held(&seen);
        assert_eq!(
            (there.status.life, there.status.word.as_str()),
            (Life::Draft, "draft")
        );
        assert_eq!(
            (&there.reference, &there.origin, &there.note),
            (&order.reference, &order.origin, &order.note)
        );
        assert_eq!(there.dates.placed, None);
        assert_eq!(there.attributes["date"], json!("2026-10-25"));
        assert_eq!(there.attributes["contacts"], json!(["1"]));
        let kinds: Vec<LineKind> = there.lines.iter().map(|line| line.kind).collect();
        assert_eq!(kinds, [LineKind::Item, LineKind::Item, LineKind::Shipping]);
        for (line, decided) in there.lines.iter().zip(&order.lines) {
            assert_eq!(
                (line.quantity, line.unit_price),
                (decided.quantity, decided.unit_price)
            );
            assert_eq!(line.taxes[0].code, decided.taxes[0].code);
        }
        // 37.20 + 23.72 + 8.28, each line's total of its exact net.
        assert_eq!(there.totals.total, dec("69.20"));
        let kept = &served.erp.orders()[0];
        assert_eq!(
            (kept.key.as_str(), kept.contacts.as_slice()),
            ("shop-fr/order/1", &["SHIPPING 1".to_owned()][..])
        );
    }
}

#[tokio::test]
async fn a_create_that_failed_after_its_effect_is_found_and_not_repeated() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    for (at, trouble) in [Trouble::FailedAfter, Trouble::LostAfter]
        .into_iter()
        .enumerate()
    {
        served.erp.trouble("POST orders", trouble);
        let id = at.to_string();
        let write = create(&id, served.order(&id, &customer, None));
        assert!(one(&*served.connector, &write).await.is_ok(), "{trouble:?}");
        served.erp.trouble("POST thirdparties", trouble);
        assert!(
            one(&*served.connector, &person(&format!("x{at}")))
                .await
                .is_ok()
        );
    }
    assert_eq!((served.erp.orders().len(), served.erp.parties().0), (2, 3));
}

#[tokio::test]
async fn a_failure_that_did_nothing_says_so_and_a_proxy_s_says_nothing() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    let write = create("1", served.order("1", &customer, None));
    for (trouble, unknown, code) in [
        (Trouble::FailedBefore, false, Code::ServerError),
        (Trouble::Deadlock, false, Code::Contention),
        (Trouble::LostBefore, true, Code::TimedOut),
    ] {
        served.erp.trouble("POST orders", trouble);
        let fault = one(&*served.connector, &write).await.unwrap_err();
        assert_eq!(
            (fault.next == Next::Unknown, fault.code),
            (unknown, code),
            "{trouble:?}"
        );
        assert!(
            unknown || matches!(fault.next, Next::Later { .. }),
            "{fault:?}"
        );
    }
    assert!(served.erp.orders().is_empty());
    one(&*served.connector, &write).await.unwrap();
    one(&*served.connector, &write).await.unwrap();
    assert_eq!(served.erp.orders().len(), 1);
}

#[tokio::test]
async fn an_order_whose_contact_is_not_linked_yet_is_nobody_s_and_is_completed() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    let to = one(&*served.connector, &contact("a", &customer))
        .await
        .unwrap()
        .id;
    let write = create("1", served.order("1001", &customer, Some(&to)));
    for (call, trouble) in [
        ("POST orders/*/contact/*/SHIPPING", Trouble::LostBefore),
        ("PUT orders/*", Trouble::FailedBefore),
        ("POST orders", Trouble::FailedAfter),
    ] {
        served.erp.trouble(call, trouble);
    }
    // The contact is refused, then the key is; the draft is there all the time.
    for _ in 0..2 {
        let fault = one(&*served.connector, &write).await.unwrap_err();
        assert!(matches!(fault.next, Next::Later { .. }), "{fault:?}");
        let key = Query::Key(write.key.clone());
        assert!(found(&*served.connector, Kind::Order, key).await.is_empty());
        let reference = Query::Reference("1001".to_owned());
        assert!(
            found(&*served.connector, Kind::Order, reference)
                .await
                .is_empty()
        );
    }
    let made = one(&*served.connector, &write).await.unwrap();
    let orders = served.erp.orders();
    assert_eq!(
        (orders.len(), orders[0].key.as_str()),
        (1, "shop-fr/order/1")
    );
    assert_eq!(orders[0].contacts, ["SHIPPING 1"]);
    assert_eq!(
        found(
            &*served.connector,
            Kind::Order,
            Query::Key(write.key.clone())
        )
        .await[0]
            .id,
        made.id
    );
}

#[tokio::test]
async fn one_key_twice_in_a_batch_is_one_record() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    let write = create("1", served.order("1", &customer, None));
    let results = served.connector.write(&[write.clone(), write]).await;
    assert_eq!(
        results[0].as_ref().unwrap().id,
        results[1].as_ref().unwrap().id
    );
    let both = served.connector.write(&[person("z"), person("z")]).await;
    assert_eq!(both[0].as_ref().unwrap().id, both[1].as_ref().unwrap().id);
    assert_eq!((served.erp.orders().len(), served.erp.parties().0), (1, 2));
}

#[tokio::test]
async fn what_cannot_be_booked_right_is_refused_before_it_is_sent() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    let good = served.order("1", &customer, None);
    let mut foreign = good.clone();
    foreign.currency = "USD".parse().unwrap();
    let mut gone = good.clone();
    gone.lines[1].product = Some("77".into());
    let mut two_rates = good.clone();
    let tax = two_rates.lines[0].taxes[0].clone();
    two_rates.lines[0].taxes.push(tax);
    let mut elsewhere = good.clone();
    elsewhere.ship_to.id = Some("99".into());
    let mut unknown = good.clone();
    unknown
        .attributes
        .insert("total_ttc".to_owned(), json!("1"));
    let mut no_type = good.clone();
    no_type
        .attributes
        .insert("mode_reglement_id".to_owned(), json!("Coquillages"));
    for (order, code) in [
        (foreign, Code::CurrencyDiffers),
        (gone, Code::Refused),
        (two_rates, Code::Refused),
        (elsewhere, Code::BadValue),
        (unknown, Code::UnknownField),
        (no_type, Code::BadValue),
    ] {
        let fault = one(&*served.connector, &create("1", order))
            .await
            .unwrap_err();
        assert_eq!((fault.next, fault.code), (Next::Refused, code), "{fault}");
    }
    // A third party that is gone is the database's to refuse.
    let fault = one(
        &*served.connector,
        &create("1", served.order("1", &"99".into(), None)),
    )
    .await;
    assert_eq!(fault.unwrap_err().code, Code::Refused);
    assert!(served.erp.orders().is_empty());
    assert_eq!(served.calls("POST orders"), 1);
}

#[tokio::test]
async fn a_payment_type_is_named_by_its_code_or_label() {
    let served = Served::of(20).await;
    let customer = served.customer("a").await;
    for (at, name) in ["cb", "Credit card", "6"].into_iter().enumerate() {
        let mut order = served.order("1", &customer, None);
        order
            .attributes
            .insert("mode_reglement_id".to_owned(), json!(name));
        order
            .attributes
            .insert("options_web".to_owned(), json!("T1"));
        order.placement.payment_term = Some("1".into());
        order.placement.warehouse = Some("1".into());
        let seen = created(&*served.connector, &create(&at.to_string(), order)).await;
        assert_eq!(held(&seen).attributes["mode_reglement_id"], json!("6"));
        assert_eq!(held(&seen).attributes["options_web"], json!("T1"));
        assert_eq!(held(&seen).placement.payment_term, Some("1".into()));
    }
    assert_eq!(served.calls("GET setup/dictionary/payment_types"), 1);
}

#[tokio::test]
async fn an_emoji_is_written_as_a_box_where_the_database_takes_none() {
    let served = Served::of(17).await;
    let customer = served.customer("a").await;
    for (at, keeps) in [false, true].into_iter().enumerate() {
        let mut order = served.order("1", &customer, None);
        order.note = "Un cadeau 🎁".to_owned();
        let connector = served.open(json!({"emoji": keeps}));
        let seen = created(&*connector, &create(&at.to_string(), order)).await;
        let note = if keeps {
            "Un cadeau 🎁"
        } else {
            "Un cadeau □"
        };
        assert_eq!(held(&seen).note, note);
    }
}

#[tokio::test]
async fn customers_are_found_by_what_is_theirs_and_by_nothing_else() {
    for version in VERSIONS {
        let served = Served::of(version).await;
        let connector = &*served.connector;
        let customer = served.customer("a").await;
        one(connector, &contact("a", &customer)).await.unwrap();
        served
            .erp
            .edit("thirdparties", 1, "tva_intra", json!("FR 11 123456782"));
        served
            .erp
            .edit("contacts", 1, "email", json!("Achats@Example.test"));
        for (query, count) in [
            (Query::Email("A_X@EXAMPLE.test".to_owned()), 1),
            (Query::Email("abx@example.test".to_owned()), 0),
            (Query::Email("achats@example.test".to_owned()), 1),
            (Query::VatNumber("FR11123456782".to_owned()), 1),
            (Query::VatNumber("FR1112345678".to_owned()), 0),
            (Query::Key(WriteKey("shop-fr/customer/a".to_owned())), 1),
            (Query::Key(WriteKey("shop-fr/customer/A".to_owned())), 0),
        ] {
            let candidates = found(connector, Kind::Customer, query.clone()).await;
            assert_eq!(candidates.len(), count, "{query:?}");
            assert!(candidates.iter().all(|candidate| candidate.id == customer));
        }
        let key = WriteKey("shop-fr/customer/a".to_owned()).part("address-0a1b");
        let contact = found(connector, Kind::Customer, Query::Key(key)).await;
        assert_eq!(contact[0].id.as_str(), "contact-1");
        let Seen::Record(record) = read(connector, Kind::Customer, &contact[0].id).await else {
            panic!("no contact");
        };
        let seen = record.document.as_customer().unwrap();
        assert_eq!(seen.parent, Some(customer));
        assert_eq!(seen.address.line1, "Relais « du coin »");
    }
}
