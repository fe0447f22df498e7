//! Stock and shipments, on the simulator: what changes there, and whether it is met.

use crate::given::*;
use comptoir_connectors::odoo::SPEC;
use comptoir_kit::contract::{Reading, Suite};
use comptoir_kit::spec::Kit;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::port::{Connector, Cursor, Page, Seen, Step};
use comptoir_model::shipment::{Shipment, ShipmentState};
use comptoir_model::stock::Stock;
use comptoir_sim::odoo::{Erp, ErpOptions, ErpProduct, HandPartner, Version};
use comptoir_sim::server::Server;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

const BOTH: [Version; 2] = [Version::V16, Version::V19];

struct Given {
    erp: Erp,
    connector: Arc<dyn Connector>,
    _server: Server,
}

fn products() -> Vec<ErpProduct> {
    let good = |sku: &str, stock: &str| ErpProduct {
        stock: Some(dec(stock)),
        ..ErpProduct::new(sku, sku, dec("15"))
    };
    vec![
        good("MUG", "50"),
        good("BOOK", "1"),
        good("BOX", "10"),
        good("SET", "0"),
        good("GIFT", "0"),
        ErpProduct::service("SHIP", "Shipping"),
    ]
}

async fn given(options: ErpOptions) -> Given {
    let erp = Erp::new(
        options,
        products(),
        Vec::new(),
        vec!["EUR".parse().unwrap()],
    );
    let server = Server::start(erp.router()).await.unwrap();
    let options = erp.options();
    let settings = json!({"url": server.url(), "database": options.database, "login": options.login,
        "key": options.key, "overlap_seconds": 1});
    let connector = (SPEC.open)(settings, Kit::new("erp".parse().unwrap())).unwrap();
    Given {
        erp,
        connector,
        _server: server,
    }
}

async fn of(version: Version) -> Given {
    given(ErpOptions {
        version,
        ..ErpOptions::default()
    })
    .await
}

impl Given {
    fn id(&self, sku: &str) -> String {
        self.erp.product(sku).unwrap().to_string()
    }

    /// Everything of a kind from a cursor on.
    async fn follow(&self, kind: Kind, cursor: &mut Cursor) -> Vec<Page> {
        let mut pages = Vec::new();
        loop {
            // As it comes back from storage.
            let page = self
                .connector
                .changes(kind, &Cursor(cursor.0.clone()))
                .await
                .unwrap();
            cursor.0.clone_from(&page.next.0);
            let more = page.more;
            pages.push(page);
            if !more {
                return pages;
            }
        }
    }

    async fn stock(&self, cursor: &mut Cursor) -> BTreeMap<String, Stock> {
        let pages = self.follow(Kind::Stock, cursor).await;
        let records = pages.into_iter().flat_map(|page| page.items);
        let stock = records.map(|record| {
            let record = record.unwrap();
            (
                record.id.to_string(),
                record.document.as_stock().unwrap().clone(),
            )
        });
        stock.collect()
    }

    async fn shipments(&self, cursor: &mut Cursor) -> Vec<(RemoteId, Shipment)> {
        let pages = self.follow(Kind::Shipment, cursor).await;
        let records = pages.into_iter().flat_map(|page| page.items);
        let shipment = records.map(|record| {
            let record = record.unwrap();
            (record.id, record.document.as_shipment().unwrap().clone())
        });
        shipment.collect()
    }

    /// An order of ours, confirmed: SKU and quantity of each line.
    async fn order(&self, id: &str, lines: &[(&str, &str)]) -> i64 {
        let partner = HandPartner {
            name: "Anne Exemple".to_owned(),
            ..HandPartner::default()
        };
        let partner = self.erp.add_partner_by_hand(&partner).unwrap();
        let mut order = Order::empty("", "EUR".parse().unwrap());
        order.reference = id.to_owned();
        order.customer = Some(partner.to_string().as_str().into());
        order.bill_to.id.clone_from(&order.customer);
        order.ship_to.id.clone_from(&order.customer);
        order.dates.placed = Some("2026-10-25T00:30:00Z".parse().unwrap());
        order.placement.price_list = Some("1".into());
        for (at, (sku, quantity)) in lines.iter().enumerate() {
            let product = self.id(sku);
            let mut line = line(&format!("line-{}", at + 1), &product, quantity, "15");
            line.taxes.clear();
            order.lines.push(line);
        }
        let write = create(id, order);
        let seen = created(&*self.connector, &write).await;
        let confirmed = one(&*self.connector, &next(&write, Step::Confirm, &seen)).await;
        number(&confirmed.unwrap().id)
    }
}

fn available(stock: &Stock) -> Vec<(String, String)> {
    let level = |level: &comptoir_model::stock::Level| {
        (
            level.location.clone().unwrap().to_string(),
            level.available.unwrap().to_string(),
        )
    };
    stock.levels.iter().map(level).collect()
}

fn at_first(quantity: &str) -> Vec<(String, String)> {
    vec![("1".to_owned(), quantity.to_owned())]
}

#[tokio::test]
async fn the_contract_holds_for_stock_and_shipments() {
    for version in BOTH {
        let given = of(version).await;
        let order = given.order("1", &[("MUG", "2")]).await;
        given.erp.ship_by_hand(order, "6A1").unwrap();
        let mut suite = Suite::new(&SPEC, [given.erp.options().key.clone()]);
        suite.declarations();
        // And the product that Odoo itself has for deliveries.
        let stock = Reading::of(Kind::Stock, products().len() + 1);
        suite.reading(&*given.connector, &stock).await;
        let shipments = Reading::of(Kind::Shipment, 1);
        suite.reading(&*given.connector, &shipments).await;
        suite.finish().assert_passed();
    }
}

#[tokio::test]
async fn stock_follows_what_is_there_what_is_reserved_and_what_is_wanted() {
    for version in BOTH {
        let given = of(version).await;
        let mut cursor = Cursor::start();
        let all = given.stock(&mut cursor).await;
        let mug = &all[&given.id("MUG")];
        assert_eq!((mug.sku.as_str(), mug.managed), ("MUG", true));
        assert_eq!(available(mug), at_first("50"));
        let service = &all[&given.id("SHIP")];
        assert!(!service.managed && service.levels.is_empty());
        // What changed while everything was read comes once more.
        given.stock(&mut cursor).await;
        assert!(given.stock(&mut cursor).await.is_empty());

        // Reserved, and wanted beyond what is there.
        let order = given.order("1", &[("MUG", "4"), ("BOOK", "3")]).await;
        let changed = given.stock(&mut cursor).await;
        assert_eq!(changed.len(), 2);
        assert_eq!(available(&changed[&given.id("MUG")]), at_first("46"));
        assert_eq!(available(&changed[&given.id("BOOK")]), at_first("-2"));

        // What leaves was promised already: nothing else than on hand is another.
        given
            .erp
            .ship_part_by_hand(order, &[("MUG", dec("4"))], "")
            .unwrap();
        let changed = given.stock(&mut cursor).await;
        let mug = &changed[&given.id("MUG")];
        assert_eq!(available(mug), at_first("46"));
        assert_eq!(mug.levels[0].on_hand, Some(dec("46")));

        // The rest is called off, and more comes in.
        given.erp.cancel_backorder_by_hand(order).unwrap();
        let changed = given.stock(&mut cursor).await;
        assert_eq!(available(&changed[&given.id("BOOK")]), at_first("1"));
        given.erp.set_stock_by_hand("BOOK", dec("9")).unwrap();
        let changed = given.stock(&mut cursor).await;
        assert_eq!(available(&changed[&given.id("BOOK")]), at_first("9"));
        assert!(given.stock(&mut cursor).await.is_empty());
    }
}

#[tokio::test]
async fn each_warehouse_has_a_level_of_its_own() {
    for version in BOTH {
        let given = of(version).await;
        let north = given.erp.add_warehouse_by_hand("North", "WN").unwrap();
        given.erp.count_by_hand(north, "MUG", dec("7")).unwrap();
        let all = given.stock(&mut Cursor::start()).await;
        let both = [("1", "50"), (north.to_string().as_str(), "7")]
            .map(|(place, quantity)| (place.to_owned(), quantity.to_owned()));
        assert_eq!(available(&all[&given.id("MUG")]), both);
        given.order("1", &[("MUG", "4")]).await;
        let mug = given.id("MUG");
        let ids = [RemoteId(mug.clone()), RemoteId("9999".to_owned())];
        let read = given.connector.read(Kind::Stock, &ids).await.unwrap();
        let Seen::Record(record) = &read[0] else {
            panic!("{read:?}")
        };
        let Document::Stock(stock) = &record.document else {
            panic!("{record:?}")
        };
        assert_eq!(available(stock)[0].1, "46");
        assert_eq!(read[1], Seen::Gone("9999".into()));
    }
}

#[tokio::test]
async fn an_archived_product_is_gone() {
    for version in BOTH {
        let given = of(version).await;
        let mut cursor = Cursor::start();
        for _ in 0..2 {
            given.stock(&mut cursor).await;
        }
        given.erp.archive_by_hand("BOX", true).unwrap();
        let pages = given.follow(Kind::Stock, &mut cursor).await;
        assert_eq!(pages[0].gone, [RemoteId(given.id("BOX"))]);
        assert!(pages[0].items.is_empty());
    }
}

fn components(stock: &Stock) -> Vec<(String, String)> {
    let told = |part: &comptoir_model::product::Component| {
        (part.product.to_string(), part.quantity.to_string())
    };
    stock.components.iter().map(told).collect()
}

#[tokio::test]
async fn kits_are_known_by_their_components() {
    for version in BOTH {
        let given = of(version).await;
        let mut cursor = Cursor::start();
        given.stock(&mut cursor).await;
        let erp = &given.erp;
        // A set of two mugs and a tenth of a box; a gift of a set and a book.
        let parts = [("MUG", dec("2")), ("BOX", dec("0.1")), ("SHIP", dec("1"))];
        erp.make_kit_by_hand("SET", dec("1"), &parts).unwrap();
        erp.make_kit_by_hand("GIFT", dec("1"), &[("SET", dec("1")), ("BOOK", dec("1"))])
            .unwrap();
        let changed = given.stock(&mut cursor).await;
        let (mug, book, set, gift) = (
            given.id("MUG"),
            given.id("BOOK"),
            given.id("SET"),
            given.id("GIFT"),
        );
        let pair = |id: &str, quantity: &str| (id.to_owned(), quantity.to_owned());
        let tenth = pair(&given.id("BOX"), "0.1");
        assert_eq!(components(&changed[&set]), [pair(&mug, "2"), tenth.clone()]);
        let of_gift = [pair(&mug, "2"), pair(&book, "1"), tenth];
        assert_eq!(components(&changed[&gift]), of_gift);
        let kit = &changed[&gift];
        assert!(kit.managed && kit.levels.is_empty());
        // A change of the inner kit is one of the outer.
        erp.make_kit_by_hand("SET", dec("1"), &[("MUG", dec("3"))])
            .unwrap();
        let changed = given.stock(&mut cursor).await;
        assert_eq!(
            components(&changed[&gift]),
            [pair(&mug, "3"), pair(&book, "1")]
        );
        // A sale of kits is one of their components.
        given.order("1", &[("GIFT", "2")]).await;
        let changed = given.stock(&mut cursor).await;
        assert_eq!(available(&changed[&mug]), at_first("44"));
        assert_eq!(available(&changed[&book]), at_first("-1"));
    }
}

#[tokio::test]
async fn an_odoo_without_kits_has_stock_all_the_same() {
    for version in BOTH {
        let given = given(ErpOptions {
            version,
            manufacturing: false,
            ..ErpOptions::default()
        })
        .await;
        let mut cursor = Cursor::start();
        assert_eq!(given.stock(&mut cursor).await.len(), products().len() + 1);
        given.erp.set_stock_by_hand("MUG", dec("3")).unwrap();
        let changed = given.stock(&mut cursor).await;
        assert_eq!(available(&changed[&given.id("MUG")]), at_first("3"));
        // It was asked once.
        assert_eq!(given.erp.calls()["mrp.bom.search_read"], 1);
    }
}

#[tokio::test]
async fn shipments_tell_what_left_and_whether_the_order_is_complete() {
    for version in BOTH {
        let given = of(version).await;
        let mut cursor = Cursor::start();
        let order = given
            .order("1042", &[("MUG", "4"), ("BOX", "2"), ("SHIP", "1")])
            .await;
        let open = given.shipments(&mut cursor).await;
        assert_eq!(open.len(), 1);
        assert_eq!(
            (open[0].1.state, open[0].1.lines.len()),
            (ShipmentState::Open, 0)
        );

        let goods = [("MUG", dec("3")), ("BOX", dec("2"))];
        let first = given
            .erp
            .ship_part_by_hand(order, &goods, "6A1, 6A2")
            .unwrap();
        let seen = given.shipments(&mut cursor).await;
        let (id, shipment) = seen
            .iter()
            .find(|(_, s)| s.state == ShipmentState::Shipped)
            .unwrap();
        assert_eq!(number(id), first);
        assert_eq!(shipment.order, RemoteId(order.to_string()));
        assert_eq!(shipment.number, "WH/OUT/00001");
        assert_eq!(shipment.location, Some("1".into()));
        assert!(shipment.shipped_at.is_some() && !shipment.completes && !shipment.notify);
        let tracking: Vec<&str> = shipment
            .parcels
            .iter()
            .map(|p| p.tracking.as_str())
            .collect();
        assert_eq!(tracking, ["6A1", "6A2"]);
        let lines: Vec<_> = shipment
            .lines
            .iter()
            .map(|line| {
                (
                    line.key.clone().unwrap().0,
                    line.sku.as_str(),
                    line.quantity.to_string(),
                )
            })
            .collect();
        let key = |part: &str| WriteKey(format!("shop-fr/order/1042/{part}")).0;
        let expected = [
            (key("line-1"), "MUG", "3".to_owned()),
            (key("line-2"), "BOX", "2".to_owned()),
        ];
        assert_eq!(lines, expected);
        let backorder = seen
            .iter()
            .find(|(_, s)| s.state == ShipmentState::Open)
            .unwrap();
        assert!(backorder.1.completes);

        // A tracking number that comes later brings it again.
        given.erp.track_by_hand(first, "6A1 6A3").unwrap();
        let again = given.shipments(&mut cursor).await;
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].1.parcels[1].tracking, "6A3");

        // The rest is called off: that is what completes the order.
        given.erp.cancel_backorder_by_hand(order).unwrap();
        let end = given.shipments(&mut cursor).await;
        assert_eq!(end.len(), 1);
        assert_eq!(
            (end[0].1.state, end[0].1.completes),
            (ShipmentState::Cancelled, true)
        );
        assert!(end[0].1.lines.is_empty() && end[0].1.shipped_at.is_none());
        assert!(given.shipments(&mut cursor).await.is_empty());

        let ids = [id.clone(), RemoteId("9999".to_owned())];
        let read = given.connector.read(Kind::Shipment, &ids).await.unwrap();
        assert!(matches!(&read[0], Seen::Record(record) if record.id == *id));
        assert_eq!(read[1], Seen::Gone("9999".into()));
    }
}

#[tokio::test]
async fn the_last_of_two_shipments_completes_the_order() {
    for version in BOTH {
        let given = of(version).await;
        let order = given.order("1", &[("MUG", "4")]).await;
        let mut cursor = given
            .connector
            .cursor_since(Kind::Shipment, "2026-01-01T00:00:00Z".parse().unwrap());
        given
            .erp
            .ship_part_by_hand(order, &[("MUG", dec("1"))], "A")
            .unwrap();
        given.erp.ship_by_hand(order, "B").unwrap();
        let seen = given.shipments(&mut cursor).await;
        let told: Vec<_> = seen
            .iter()
            .map(|(_, s)| (s.lines[0].quantity.to_string(), s.completes))
            .collect();
        assert_eq!(told, [("1".to_owned(), false), ("3".to_owned(), true)]);
    }
}

#[tokio::test]
async fn kits_are_shipped_when_they_are_whole_and_a_cancelled_order_completes_nothing() {
    for version in BOTH {
        let given = of(version).await;
        let erp = &given.erp;
        erp.make_kit_by_hand("SET", dec("1"), &[("MUG", dec("2")), ("BOX", dec("1"))])
            .unwrap();
        let order = given.order("1", &[("SET", "2")]).await;
        let goods = [("MUG", dec("4")), ("BOX", dec("1"))];
        erp.ship_part_by_hand(order, &goods, "A").unwrap();
        erp.ship_by_hand(order, "B").unwrap();
        let mut cursor = Cursor::start();
        let seen = given.shipments(&mut cursor).await;
        let told: Vec<_> = seen
            .iter()
            .map(|(_, s)| (s.lines[0].sku.as_str(), s.lines[0].quantity.to_string()))
            .collect();
        assert_eq!(told, [("SET", "1".to_owned()), ("SET", "1".to_owned())]);

        let order = given.order("2", &[("MUG", "1")]).await;
        erp.cancel_by_hand(order).unwrap();
        let seen = given.shipments(&mut cursor).await;
        let last = &seen.last().unwrap().1;
        assert_eq!(
            (last.state, last.completes),
            (ShipmentState::Cancelled, false)
        );
    }
}

#[tokio::test]
async fn a_missing_right_is_told_and_hurts_only_who_needs_it() {
    for version in BOTH {
        let forbidden = ["stock.quant", "stock.move", "stock.picking"];
        let forbidden = forbidden.map(|model| (model.to_owned(), "read".to_owned()));
        let given = given(ErpOptions {
            version,
            forbidden: forbidden.to_vec(),
            ..ErpOptions::default()
        })
        .await;
        let account = given.connector.probe().await.unwrap();
        let told: Vec<&str> = account
            .notices
            .iter()
            .filter(|notice| notice.code == Code::MissingRight && notice.detail.contains("stock."))
            .map(|notice| notice.detail.as_str())
            .collect();
        assert_eq!(told.len(), 3, "{told:?}");
        let cursor = Cursor::start();
        let fault = given
            .connector
            .changes(Kind::Shipment, &cursor)
            .await
            .unwrap_err();
        assert_eq!(fault.code, Code::MissingRight);
        assert!(given.connector.changes(Kind::Order, &cursor).await.is_ok());
    }
}
