//! A whole life of an order on a live Dolibarr: `COMPTOIR_LIVE_DOLIBARR` (address), `COMPTOIR_LIVE_DOLIBARR_KEY`, and the products
//! `MUG-1` (goods), `PORT` and `ROUND` (services). Without them it is skipped and says so.

use crate::given::*;
use comptoir_model::code::Code;
use comptoir_model::key::Kind;
use comptoir_model::order::Life;
use comptoir_model::order::{Line, LineKind};
use comptoir_model::port::{Cursor, Query, Seen, Step};
use serde_json::json;

#[tokio::test]
async fn an_order_lives_on_a_live_dolibarr() {
    let given = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(address), Some(key)) = (
        given("COMPTOIR_LIVE_DOLIBARR"),
        given("COMPTOIR_LIVE_DOLIBARR_KEY"),
    ) else {
        eprintln!("skipped: COMPTOIR_LIVE_DOLIBARR and COMPTOIR_LIVE_DOLIBARR_KEY are not set");
        return;
    };
    let connector = open_with(&address, &key, json!({}));
    let connector = &*connector;
    let account = connector.probe().await.unwrap();
    eprintln!("{account:#?}");
    let run = jiff::Timestamp::now().as_second().to_string();
    let mut products = Vec::new();
    for sku in ["MUG-1", "PORT", "ROUND"] {
        let candidates = found(connector, Kind::Product, Query::Sku(sku.to_owned())).await;
        assert_eq!(candidates.len(), 1, "{sku}");
        products.push(candidates[0].id.clone());
    }
    let person = person(&run);
    let customer = one(connector, &person).await.unwrap().id;
    assert_eq!(one(connector, &person).await.unwrap().id, customer);
    let email = Query::Email(format!("{run}_X@Example.test"));
    assert_eq!(
        found(connector, Kind::Customer, email).await[0].id,
        customer
    );
    let vat = found(
        connector,
        Kind::Customer,
        Query::VatNumber("FR11123456782".to_owned()),
    )
    .await;
    assert!(vat.iter().any(|candidate| candidate.id == customer));
    let contact_write = contact(&run, &customer);
    let contact = one(connector, &contact_write).await.unwrap().id;
    assert_eq!(one(connector, &contact_write).await.unwrap().id, contact);
    eprintln!(
        "{:#?} {:#?}",
        read(connector, Kind::Customer, &customer).await,
        read(connector, Kind::Customer, &contact).await
    );

    let lines = vec![
        line("line-1", &products[0], "3", "10.33333", "20"),
        line("line-2", &products[0], "1.5", "14.99", "5.5"),
        line("shipping-1", &products[1], "1", "6.9", "20"),
    ];
    let order = order(&format!("W{run}"), &customer, Some(&contact), lines);
    let write = create(&run, order.clone());
    let seen = created(connector, &write).await;
    eprintln!("{:#?}", held(&seen));
    assert_eq!(held(&seen).note, order.note);
    assert_eq!(held(&seen).lines.len(), 3);
    assert_eq!(held(&seen).status.life, Life::Draft);
    assert_eq!(created(connector, &write).await, seen);
    assert_eq!(
        found(connector, Kind::Order, Query::Key(write.key.clone())).await[0].id,
        seen.id
    );
    let reference = Query::Reference(order.reference.clone());
    assert_eq!(found(connector, Kind::Order, reference).await.len(), 1);

    // A rounding line, as the engine decides it.
    let none = {
        let mut none = held(&seen).clone();
        none.lines.clear();
        none
    };
    let mut round = none.clone();
    round.lines = vec![Line {
        kind: LineKind::Rounding,
        taxes: Vec::new(),
        ..line("rounding", &products[2], "1", "-0.02", "0")
    }];
    let with = one(connector, &change(&write, &seen, &none, &round))
        .await
        .unwrap()
        .seen
        .unwrap();
    assert_eq!(
        held(&with).totals.total,
        held(&seen).totals.total - dec("0.02")
    );
    let stale = one(connector, &change(&write, &seen, &none, &round)).await;
    eprintln!("{stale:?}");

    // A change of the shop: another quantity, a line less, a line more, another note.
    let mut after = order.clone();
    after.lines[0].quantity = dec("2");
    after.lines.remove(1);
    after
        .lines
        .push(line("line-3", &products[0], "1", "1", "20"));
    after.note = "autre".to_owned();
    let changed = one(connector, &change(&write, &with, &order, &after))
        .await
        .unwrap()
        .seen
        .unwrap();
    eprintln!("{:#?}", held(&changed));
    assert_eq!(held(&changed).note, "autre");
    assert_eq!(held(&changed).lines.len(), 4);

    let confirmed = one(connector, &next(&write, Step::Confirm, &changed))
        .await
        .unwrap()
        .seen
        .unwrap();
    assert_eq!(held(&confirmed).status.life, Life::Open);
    let again = one(connector, &next(&write, Step::Confirm, &changed))
        .await
        .unwrap()
        .seen
        .unwrap();
    assert_eq!(again, confirmed);
    let late = one(connector, &change(&write, &confirmed, &after, &order))
        .await
        .unwrap_err();
    assert_eq!(late.code, Code::WrongState);
    let cancelled = one(connector, &next(&write, Step::Cancel, &confirmed))
        .await
        .unwrap()
        .seen
        .unwrap();
    assert_eq!(held(&cancelled).status.life, Life::Cancelled);
    let refused = one(connector, &next(&write, Step::Confirm, &cancelled))
        .await
        .unwrap_err();
    assert_eq!(refused.code, Code::WrongState);

    for kind in [Kind::Order, Kind::Customer, Kind::Product] {
        let mut cursor = Cursor::start();
        let mut read_all = 0;
        loop {
            let page = connector.changes(kind, &cursor).await.unwrap();
            for item in &page.items {
                assert!(item.is_ok(), "{item:?}");
            }
            read_all += page.items.len();
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        let again = connector.changes(kind, &cursor).await.unwrap();
        eprintln!("{kind}: {read_all}, again {}", again.items.len());
        assert!(read_all > 0 && again.items.is_empty());
    }
    assert!(matches!(
        read(connector, Kind::Order, &"999999".into()).await,
        Seen::Gone(_)
    ));
}
