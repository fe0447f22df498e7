//! Every recorded answer of the rebranded Dolibarr 17.0.2, and what it has to mean. The table was written by hand from what the tapes'
//! notes say, and from looking at a running instance of that version.

mod flows;

use super::api::{decoded, rows};
use super::{map, probe, read, wire};
use comptoir_kit::http::Effect;
use comptoir_kit::tape::{Exchange, read_folder};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::Next;
use comptoir_model::order::Life;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;
use std::path::Path;

/// What one recorded answer means.
#[derive(Debug, Clone, Copy)]
enum Is {
    /// A version.
    Version(&'static str),
    /// A created id.
    Made(i64),
    /// A third party with this e-mail address and town.
    Party(&'static str, &'static str, &'static str),
    /// A list of so many third parties.
    Parties(usize),
    /// Nobody.
    Nobody,
    /// A product of this SKU.
    Product(&'static str, &'static str),
    /// An order: its number, state, total, tax and lines.
    Order(&'static str, Life, &'static str, &'static str, usize),
    /// A list of one order, modified then.
    Orders(&'static str, &'static str),
    /// A row with this id and name.
    Choice(&'static str, &'static str),
    /// Quantities by warehouse.
    Places(&'static [(&'static str, &'static str)]),
    /// Products with stock: id, what is there by warehouse, the virtual stock, and what was shipped for open orders.
    Stocks(&'static [Counted]),
    /// Parts of a kit: ids and quantities, and those that do not go out of stock with it.
    Parts(&'static [(i64, &'static str, bool)]),
    /// A shipment: its number, order and tracking numbers.
    Shipment(&'static str, i64, &'static str),
    /// A list of shipments: number, state, order, and lines as the order's line and the quantity.
    Shipments(&'static [Sent]),
    /// A constant of the set-up.
    Constant(&'static str),
    /// A record of a part that this side does not read.
    Other,
    /// Done before.
    Already,
    /// A fault.
    Fault(Next, Code),
}

type Counted = (
    i64,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);
type Sent = (&'static str, i64, i64, &'static [(i64, &'static str)]);

use Is::*;

const WRONG_KEY: Is = Fault(Next::Locked, Code::WrongKey);
const GONE: Is = Fault(Next::Gone, Code::RecordGone);
const REFUSED: Is = Fault(Next::Refused, Code::Refused);
const MISSING: Is = Fault(Next::Refused, Code::MissingField);
const NO_RIGHT: Is = Fault(Next::Locked, Code::MissingRight);
const BUG: Is = Fault(Next::Bug, Code::NotUnderstood);

const ROWS: &[(&str, &[Is])] = &[
    ("001-status", &[Version("17.0.2")]),
    ("002-auth-errors", &[WRONG_KEY, WRONG_KEY]),
    ("003-thirdparty-create", &[Made(58)]),
    ("004-thirdparty-by-ref-ext", &[Parties(1)]),
    (
        "005-thirdparty-read",
        &[Party("58", "client322411@example.test", "Lyon")],
    ),
    (
        "006-thirdparty-update",
        &[Party("58", "client322411@example.test", "Villeurbanne")],
    ),
    ("007-thirdparty-duplicate-ref-ext", &[Made(59)]),
    ("008-list-empty-404", &[Nobody]),
    ("009-product-create", &[Made(4)]),
    ("010-product-read", &[Product("4", "TP-MUG-322411")]),
    (
        "011-product-duplicate-ref",
        &[Fault(Next::Refused, Code::Duplicate)],
    ),
    ("012-product-by-ref", &[Product("4", "TP-MUG-322411")]),
    ("013-warehouses", &[Choice("1", "WH1")]),
    ("014-stock-movement", &[Made(6)]),
    ("015-stock-movement-again", &[Made(7)]),
    ("016-product-stock", &[Places(&[("1", "100")])]),
    ("017-order-create-emoji", &[REFUSED]),
    ("018-order-create", &[Made(281)]),
    (
        "019-order-read",
        &[Order("(PROV281)", Life::Draft, "45.48", "7.58", 2)],
    ),
    (
        "020-order-by-ref-ext",
        &[Order("(PROV281)", Life::Draft, "45.48", "7.58", 2)],
    ),
    ("021-order-duplicate", &[Made(282)]),
    ("022-order-bad-socid", &[REFUSED]),
    ("023-order-line-no-product-type", &[REFUSED]),
    (
        "024-order-validate",
        &[Order("CO2610-0124", Life::Open, "45.48", "7.58", 2)],
    ),
    ("025-order-validate-again", &[Already]),
    ("026-invoice-from-order", &[Other]),
    ("027-invoice-from-order-again", &[Other]),
    ("028-invoice-create", &[Made(7)]),
    ("029-invoice-validate", &[Other]),
    ("030-invoice-validate-again", &[Already]),
    ("031-invoice-read", &[Other]),
    ("032-shipment-create", &[Made(2)]),
    (
        "033-shipment-read",
        &[Shipment("(PROV2)", 281, "6A12345678901")],
    ),
    ("034-order-unknown-product", &[Made(285)]),
    // Asked for what changed from 04:35 on: a value with colons is not read, and the first order of all came.
    ("035-delta-orders", &[Orders("2", "2026-11-22T03:55:12Z")]),
    ("036-bad-sqlfilters", &[BUG]),
    (
        "037-errors",
        &[
            GONE,
            Fault(Next::Locked, Code::WrongAddress),
            MISSING,
            GONE,
            MISSING,
            Fault(Next::Refused, Code::WrongState),
            BUG,
        ],
    ),
    (
        "038-order-validate-parallel-500",
        &[Fault(Next::Later { after: None }, Code::Contention)],
    ),
    (
        "039-order-after-failed-validate",
        &[Order("(PROV289)", Life::Draft, "1.20", "0.20", 1)],
    ),
    (
        "040-order-validate-repeat",
        &[Order("CO2610-0145", Life::Open, "1.20", "0.20", 1)],
    ),
    (
        "041-products-with-stock",
        &[Stocks(&[
            (46, &[("1", "18"), ("2", "5")], "20", "2"),
            (49, &[("1", "-2")], "-3", "2"),
        ])],
    ),
    (
        "042-kit-parts",
        &[Parts(&[(47, "2", true), (48, "1", false)]), Parts(&[])],
    ),
    (
        "043-shipments",
        &[Shipments(&[
            ("SH2611-0001", 1, 48, &[(157, "2")]),
            ("SH2611-0002", 2, 49, &[(159, "2")]),
        ])],
    ),
    (
        "044-order-shipments",
        &[Shipments(&[("SH2611-0001", 1, 48, &[(157, "2")])])],
    ),
    ("045-shipments-none", &[GONE, GONE]),
    ("046-stock-rule", &[Constant("1"), GONE, NO_RIGHT]),
    ("047-shipments-no-right", &[NO_RIGHT]),
];

/// The part of the API that was called, without its query.
fn subject(exchange: &Exchange) -> &str {
    let path = exchange.request.path.split('?').next().unwrap();
    path.trim_start_matches("/api/index.php/")
}

fn check(name: &str, exchange: &Exchange, is: Is) {
    let effect = match exchange.request.method.as_str() {
        "GET" => Effect::Read,
        _ => Effect::Write,
    };
    let answer = exchange.answer(effect, Timestamp::UNIX_EPOCH);
    let subject = subject(exchange);
    let body = || decoded::<Box<RawValue>>(&answer, subject);
    match is {
        Fault(next, code) => {
            let fault = body().expect_err(name);
            let same = std::mem::discriminant(&fault.next) == std::mem::discriminant(&next);
            assert!(
                same && fault.code == code,
                "{name}: {:?} {fault}",
                fault.next
            );
            let shown = fault.to_string();
            for leak in ["llx_", "doli`", "INSERT", "KEY_TAPE", "Livrer"] {
                assert!(!shown.contains(leak), "{name}: {shown}");
            }
        }
        // Neither a success nor a fault: whoever writes takes it for done.
        Already => assert_eq!((answer.status, answer.body.len()), (304, 0), "{name}"),
        Nobody => assert!(rows(&answer, subject).unwrap().is_empty(), "{name}"),
        Parties(count) => assert_eq!(rows(&answer, subject).unwrap().len(), count, "{name}"),
        Orders(id, at) => {
            let rows = rows(&answer, subject).unwrap();
            let order = read::held(&rows[0]).unwrap().order;
            let at: Timestamp = at.parse().unwrap();
            let modified = map::instant(&order.date_modification, "UTC");
            assert_eq!(
                (order.id.to_string().as_str(), modified),
                (id, Some(at)),
                "{name}"
            );
        }
        Choice(id, label) => {
            let rows = rows(&answer, subject).unwrap();
            let small: wire::Small = serde_json::from_str(rows[0].get()).unwrap();
            assert_eq!(
                (small.id.as_str(), small.label.as_str()),
                (id, label),
                "{name}"
            );
        }
        Version(text) => {
            let status: wire::Status = decoded(&answer, subject).unwrap();
            assert_eq!(probe::version(&status).as_deref(), Some(text), "{name}");
        }
        Places(_) | Stocks(_) | Parts(_) | Shipment(..) | Shipments(_) | Constant(_) => {
            flows::check(name, &answer, subject, is);
        }
        Made(id) => assert_eq!(decoded::<i64>(&answer, subject).unwrap(), id, "{name}"),
        Other => assert!(
            decoded::<Value>(&answer, subject).unwrap().is_object(),
            "{name}"
        ),
        is => document(name, &body().unwrap(), is),
    }
}

fn document(name: &str, row: &RawValue, is: Is) {
    let part = match is {
        Party(..) => "thirdparties",
        Product(..) => "products",
        _ => "orders",
    };
    let record = read::item(part, row, "EUR".parse().unwrap()).unwrap();
    match is {
        Party(id, email, town) => {
            let customer = record.document.as_customer().unwrap();
            let found = (
                record.id.as_str(),
                customer.email.as_str(),
                customer.address.city.as_str(),
            );
            assert_eq!(found, (id, email, town), "{name}");
            assert_eq!(customer.vat_number, "FR11123456782", "{name}");
        }
        Product(id, sku) => {
            let comptoir_model::document::Document::Product(product) = record.document else {
                panic!("{name}: no product");
            };
            assert_eq!(
                (record.id.as_str(), product.sku.as_str()),
                (id, sku),
                "{name}"
            );
            assert_eq!(product.tax_class, "20", "{name}");
        }
        Order(number, life, total, tax, lines) => {
            let order = record.document.as_order().unwrap();
            assert_eq!(
                (order.number.as_str(), order.status.life),
                (number, life),
                "{name}"
            );
            let totals = (order.totals.total.to_string(), order.totals.tax.to_string());
            assert_eq!(totals, (total.to_owned(), tax.to_owned()), "{name}");
            let sum: Decimal = order.lines.iter().map(|line| line.net + line.tax).sum();
            assert_eq!(
                (order.lines.len(), sum),
                (lines, order.totals.total),
                "{name}"
            );
            assert_eq!(order.attributes["date"], "2026-10-25", "{name}");
        }
        other => panic!("{name}: {other:?} is checked elsewhere"),
    }
}

#[test]
fn every_tape_means_what_the_table_says() {
    every_tape("17.0.2-fork", ROWS);
    every_tape("20.0-fork", flows::ROWS);
}

fn every_tape(folder: &str, rows: &[(&str, &[Is])]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/dolibarr/tapes")
        .join(folder);
    let tapes = read_folder(&path).unwrap();
    let taped: Vec<&str> = tapes.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(taped, expected, "every tape has a row and every row a tape");
    for ((name, tape), (_, expected)) in tapes.into_iter().zip(rows) {
        let exchanges = tape.exchanges();
        assert_eq!(exchanges.len(), expected.len(), "{name}");
        for (exchange, is) in exchanges.iter().zip(*expected) {
            check(&format!("{name} ({})", exchange.note), exchange, *is);
        }
    }
}

/// Answers of a running instance that are not on the tapes.
#[test]
fn what_a_running_instance_answered_is_told_apart() {
    let answer = |status, effect, body: &str| comptoir_kit::http::Answer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        effect,
        at: Timestamp::UNIX_EPOCH,
    };
    let refusal = |code: u16, message: &str, stage: &str| {
        format!(
            "{{\"error\":{{\"code\":{code},\"message\":\"{message}\"}},\"debug\":{{\"source\":\"x\",\"stages\":{{\"success\":[],\"failure\":[\"{stage}\",\"message\"]}}}}}}"
        )
    };
    let off = "Module <b>Api</b> must be enabled.<br><br>To activate modules, go on setup Area (Home->Setup->Modules).";
    let cases: [(u16, &str, Effect, String, Next, Code); 9] = [
        (
            200,
            "orders",
            Effect::Write,
            off.to_owned(),
            Next::Locked,
            Code::WrongAddress,
        ),
        (
            401,
            "orders",
            Effect::Read,
            refusal(401, "Unauthorized", "call"),
            Next::Locked,
            Code::MissingRight,
        ),
        (
            403,
            "products",
            Effect::Read,
            refusal(403, "Forbidden", "call"),
            Next::Locked,
            Code::MissingRight,
        ),
        (
            401,
            "contacts",
            Effect::Write,
            refusal(
                401,
                "Unauthorized: No permission to create/update contacts",
                "call",
            ),
            Next::Locked,
            Code::MissingRight,
        ),
        (
            401,
            "orders/1",
            Effect::Read,
            refusal(
                401,
                "Unauthorized: Access not allowed for login hub",
                "call",
            ),
            Next::Refused,
            Code::MissingRight,
        ),
        (
            405,
            "orders/1/lines/2",
            Effect::Write,
            refusal(
                405,
                "Method Not Allowed: ErrorDeleteLineNotAllowedByObjectStatus",
                "call",
            ),
            Next::Refused,
            Code::WrongState,
        ),
        (
            400,
            "orders/1/lines",
            Effect::Write,
            refusal(400, "Bad Request", "call"),
            Next::Refused,
            Code::Refused,
        ),
        (
            500,
            "orders",
            Effect::Write,
            String::new(),
            Next::Unknown,
            Code::ServerError,
        ),
        (
            500,
            "orders",
            Effect::Write,
            refusal(500, "Internal Server Error: Error creating order", "call"),
            Next::Unknown,
            Code::ServerError,
        ),
    ];
    for (status, subject, effect, body, next, code) in cases {
        let fault = decoded::<Value>(&answer(status, effect, &body), subject).unwrap_err();
        assert_eq!((fault.next, fault.code), (next, code), "{status} {body}");
        assert!(!fault.to_string().contains("hub"), "{fault}");
    }
}

#[test]
fn a_field_that_the_database_complains_of_is_named() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dolibarr/tapes/17.0.2-fork");
    for (tape, field) in [
        ("017-order-create-emoji", Some("note_public")),
        ("022-order-bad-socid", None),
        ("023-order-line-no-product-type", Some("product_type")),
    ] {
        let tape = comptoir_kit::tape::Tape::read(&path.join(format!("{tape}.json"))).unwrap();
        let answer = tape.exchanges()[0].answer(Effect::Write, Timestamp::UNIX_EPOCH);
        let fault = decoded::<Value>(&answer, "orders").unwrap_err();
        assert_eq!(fault.field.as_deref(), field);
    }
}

/// Warnings of PHP may stand before what was asked for.
#[test]
fn an_answer_is_found_behind_what_php_printed_first() {
    let body =
        "<br />\n<b>Warning</b>:  Undefined array key \"x\" in file.php on line 5<br />\n281";
    assert_eq!(super::fault::json_of(body), Some("281"));
    assert_eq!(
        super::fault::json_of("page\n{\n \"a\": 1\n}"),
        Some("{\n \"a\": 1\n}")
    );
    assert_eq!(super::fault::json_of("<html>"), None);
}
