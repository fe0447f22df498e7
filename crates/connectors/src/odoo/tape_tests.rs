//! Every recorded answer of Odoo 16.0 and 19.0, and what it has to mean. The tables were written by hand from what the tapes' notes say,
//! before any of it was run.

mod nineteen_json2;
mod nineteen_jsonrpc;
mod sixteen;

use super::load::{self, Outcome};
use super::rpc::{self, Face};
use super::wire::{
    self, Brief, ExternalId, Fields, Link, Loaded, Raw, ServerVersion, Small, UserContext,
};
use super::{map, probe, read, session, shipment, stock};
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Effect, Http, Method};
use comptoir_kit::tape::{Exchange, Matching, read_folder};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::Kind;
use comptoir_model::order::Life;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// What one recorded answer means.
#[derive(Debug, Clone, Copy)]
enum Is {
    /// A version that is taken.
    Version(&'static str),
    /// A login's user.
    Uid(i64),
    /// The context of a user.
    User(i64),
    /// Fields of a model: these, and not those.
    Fields(&'static [&'static str], &'static [&'static str]),
    /// Companies, so many of which round globally.
    Companies(usize, usize),
    /// Rows of a small model, as choices.
    Choices(usize),
    /// Country or state codes.
    Codes(usize),
    /// Decimals of a unit price.
    Decimals(u32),
    /// `load()` made these.
    Made(&'static [i64]),
    /// `load()` refused this record for this field.
    Bad(usize, &'static str),
    /// `load()` came second.
    Busy,
    /// External ids of these records.
    Keys(&'static [i64]),
    /// A created id.
    Created(i64),
    /// A number of records.
    Count(i64),
    /// Products.
    Products(usize),
    /// Customers.
    Customers(usize),
    /// An order that makes a document, together with its lines on another tape of the folder.
    Order(&'static str),
    /// An order without its lines, in this currency.
    InCurrency(i64, &'static str),
    /// An order read for its state only, which makes no document.
    State(i64, Life),
    /// Lines of an order in this currency.
    Lines(usize, &'static str),
    /// Products and what can be promised of each.
    Available(&'static [(i64, &'static str)]),
    /// Rows of the stream of stock: product and quantity.
    Stirred(&'static [(i64, &'static str)]),
    /// Moves: the order's line, what was planned and what is done (or reserved, in 19).
    Moves(&'static [(i64, &'static str, &'static str)]),
    /// Transfers: id, state, and tracking numbers.
    Transfers(&'static [(i64, &'static str, &'static [&'static str])]),
    /// Records of a model that this side does not read.
    Briefs(&'static [i64]),
    /// An action or write that said yes.
    Yes,
    /// One that said no, which need not mean failure.
    No,
    /// One that said nothing.
    Nothing,
    /// An action that asks a person through this model.
    Question(&'static str),
    /// An action that leads a person on; it was done.
    Window(&'static str),
    /// A fault.
    Fault(Next, Code),
}

/// A tape and what its exchanges mean.
type Row = (&'static str, &'static [Is]);

/// The exchange as the connector's own HTTP side sees it, and what is inside.
async fn inside(exchange: &Exchange) -> Result<Box<RawValue>, Fault> {
    let method = match exchange.request.method.as_str() {
        "GET" => Method::Get,
        _ => Method::Post,
    };
    let path = exchange.request.path.trim_start_matches('/').to_owned();
    let face = if path.starts_with("json/2") || method == Method::Get {
        Face::Json2
    } else {
        Face::JsonRpc
    };
    let http = Http::replay(vec![exchange.clone()], Matching::default()).unwrap();
    let mut call = Call::new("tape", method, path.clone());
    let body = exchange.request.body.clone().unwrap_or_default();
    let reads = [
        "search",
        "read",
        "fields_get",
        "context_get",
        "version",
        "authenticate",
    ];
    if reads
        .iter()
        .any(|word| path.contains(word) || body.contains(&format!("\"{word}")))
    {
        call = call.reading();
    }
    let answer = http
        .send(call.body("application/json", body.into_bytes()))
        .await?;
    let raw = rpc::unwrap(face, &answer, "tape", "the-database");
    if exchange
        .request
        .body
        .as_ref()
        .is_some_and(|body| body.contains("\"authenticate\""))
    {
        session::uid(raw, "the-database").map(|uid| serde_json::value::to_raw_value(&uid).unwrap())
    } else {
        raw.map(ToOwned::to_owned)
    }
}

fn decoded<T: DeserializeOwned>(raw: &RawValue) -> T {
    rpc::result(raw, "tape", Effect::Read).unwrap()
}

/// What an action answers.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Reply {
    Flag(bool),
    Window(Window),
}

#[derive(Debug, Deserialize)]
struct Window {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    res_model: String,
    #[serde(default)]
    target: String,
}

/// Checks one exchange against its row. Answers the canonical result, if it has one.
fn check(name: &str, raw: Result<Box<RawValue>, Fault>, is: Is, tapes: &Tapes) -> Option<Value> {
    if let Is::Fault(next, code) = is {
        let fault = raw.expect_err(name);
        let same = std::mem::discriminant(&fault.next) == std::mem::discriminant(&next);
        assert!(
            same && fault.code == code,
            "{name}: {:?} {fault}",
            fault.next
        );
        let shown = fault.to_string();
        for leak in [
            "Traceback",
            "203.0.113",
            "KEY_TAPE",
            "Joel",
            "FR00000000000",
            "client",
        ] {
            assert!(!shown.contains(leak), "{name}: {shown}");
        }
        return None;
    }
    let raw = raw.unwrap_or_else(|fault| panic!("{name}: {fault}"));
    match is {
        Is::Made(_) | Is::Bad(..) | Is::Busy => loaded(name, &raw, is),
        Is::Yes | Is::No | Is::Nothing | Is::Question(_) | Is::Window(_) => replied(name, &raw, is),
        Is::Order(lines) => return Some(order(name, &raw, &tapes[lines])),
        Is::Products(_) | Is::Customers(_) | Is::State(..) | Is::Lines(..) => {
            return Some(canonical(name, &raw, is));
        }
        Is::Companies(count, global) => {
            let companies: Vec<Small> = decoded(&raw);
            assert_eq!(companies.len(), count, "{name}");
            assert_eq!(probe::company_notices(&companies).len(), global, "{name}");
            return Some(json!(
                companies.iter().map(probe::choice).collect::<Vec<_>>()
            ));
        }
        Is::Choices(count) => {
            let rows: Vec<Small> = decoded(&raw);
            assert_eq!(rows.len(), count, "{name}");
            return Some(json!(rows.iter().map(probe::choice).collect::<Vec<_>>()));
        }
        other => plain(name, &raw, other),
    }
    None
}

fn plain(name: &str, raw: &RawValue, is: Is) {
    match is {
        Is::Version(text) => {
            let version = session::supported(&decoded::<ServerVersion>(raw)).unwrap();
            assert_eq!(version.text, text, "{name}");
        }
        Is::Uid(uid) => assert_eq!(decoded::<i64>(raw), uid, "{name}"),
        Is::User(uid) => assert_eq!(decoded::<UserContext>(raw).uid, Some(uid), "{name}"),
        Is::Fields(has, lacks) => {
            let fields: Fields = decoded(raw);
            assert_eq!(session::present(&fields, has), has, "{name}");
            assert!(session::present(&fields, lacks).is_empty(), "{name}");
        }
        Is::Codes(count) => {
            let rows: Vec<Small> = decoded(raw);
            let sound = rows.iter().filter(|row| row.id > 0 && row.code.len() == 2);
            assert_eq!(sound.count(), count, "{name}");
        }
        Is::Decimals(digits) => {
            assert_eq!(
                probe::digits(&decoded::<Vec<Small>>(raw), &[probe::PRICE]),
                digits,
                "{name}"
            );
        }
        Is::Keys(ids) => {
            let keys: Vec<ExternalId> = decoded(raw);
            let found: Vec<i64> = keys.iter().map(|key| key.res_id).collect();
            assert_eq!(found, ids, "{name}");
        }
        Is::Created(id) => {
            // One face answers the id, the other a list of ids.
            let id_alone: Option<i64> = serde_json::from_str(raw.get()).ok();
            let made = id_alone.unwrap_or_else(|| decoded::<Vec<i64>>(raw)[0]);
            assert_eq!(made, id, "{name}");
        }
        Is::Count(count) => assert_eq!(decoded::<i64>(raw), count, "{name}"),
        Is::InCurrency(id, code) => {
            let held = read::join(&decoded::<Raw>(raw)[0], Vec::new()).unwrap();
            assert_eq!(held.order.id, id, "{name}");
            assert_eq!(map::order(&held).unwrap().currency.code(), code, "{name}");
        }
        Is::Available(_) | Is::Stirred(_) | Is::Moves(_) | Is::Transfers(_) => goods(name, raw, is),
        Is::Briefs(ids) => {
            let rows: Vec<Brief> = decoded(raw);
            let found: Vec<i64> = rows.iter().map(|row| row.id).collect();
            assert_eq!(found, ids, "{name}");
        }
        other => panic!("{name}: {other:?} is checked elsewhere"),
    }
}

fn goods(name: &str, raw: &RawValue, is: Is) {
    let exact = |text: &str| -> Decimal { text.parse().unwrap() };
    let target = |link: &Option<Link>| link.as_ref().unwrap().0;
    match is {
        Is::Available(expected) => {
            let rows: Vec<wire::Goods> = decoded(raw);
            let told = rows
                .iter()
                .map(|row| (row.id, stock::level(row, 1).available.unwrap()));
            let expected = expected.iter().map(|(id, quantity)| (*id, exact(quantity)));
            assert!(told.eq(expected), "{name}");
        }
        Is::Stirred(expected) => {
            let rows: Vec<wire::Moved> = decoded(raw);
            let told = rows
                .iter()
                .map(|row| (target(&row.product_id), row.quantity));
            let expected = expected.iter().map(|(id, quantity)| (*id, exact(quantity)));
            assert!(told.eq(expected), "{name}");
        }
        Is::Moves(expected) => {
            let rows: Vec<wire::StockMove> = decoded(raw);
            let told = rows
                .iter()
                .map(|row| (target(&row.sale_line_id), row.product_uom_qty, row.done));
            let expected = expected
                .iter()
                .map(|(line, planned, done)| (*line, exact(planned), exact(done)));
            assert!(told.eq(expected), "{name}");
        }
        Is::Transfers(expected) => {
            let rows: Vec<wire::Picking> = decoded(raw);
            assert_eq!(rows.len(), expected.len(), "{name}");
            for (row, (id, state, tracking)) in rows.iter().zip(expected) {
                assert_eq!((row.id, row.state.as_str()), (*id, *state), "{name}");
                let parcels = shipment::parcels(row);
                let told: Vec<&str> = parcels.iter().map(|p| p.tracking.as_str()).collect();
                assert_eq!(told, *tracking, "{name}");
            }
        }
        other => panic!("{name}: {other:?} is checked elsewhere"),
    }
}

fn loaded(name: &str, raw: &RawValue, is: Is) {
    let answer: Loaded = decoded(raw);
    let records = match is {
        Is::Made(ids) => ids.len(),
        Is::Bad(place, _) => place + 1,
        _ => 1,
    };
    let outcome = load::outcome(answer, &vec![1; records]).unwrap();
    match (is, outcome) {
        (Is::Made(ids), Outcome::Made(made)) => assert_eq!(made, ids, "{name}"),
        (Is::Busy, Outcome::Busy) => {}
        (Is::Bad(place, field), Outcome::Bad(bad)) => {
            assert_eq!(bad.len(), 1, "{name}");
            let fault = &bad[&place];
            assert_eq!(
                (fault.next, fault.code),
                (Next::Refused, Code::Refused),
                "{name}"
            );
            assert_eq!(fault.field.as_deref().unwrap_or_default(), field, "{name}");
        }
        (is, outcome) => panic!("{name}: {outcome:?} instead of {is:?}"),
    }
}

fn replied(name: &str, raw: &RawValue, is: Is) {
    let reply: Option<Reply> = decoded(raw);
    match (is, reply) {
        (Is::Yes, Some(Reply::Flag(true)))
        | (Is::No, Some(Reply::Flag(false)))
        | (Is::Nothing, None) => {}
        (Is::Question(model), Some(Reply::Window(window))) => {
            assert_eq!(window.kind, "ir.actions.act_window", "{name}");
            assert_eq!(
                (window.res_model.as_str(), window.target.as_str()),
                (model, "new")
            );
        }
        (Is::Window(model), Some(Reply::Window(window))) => {
            assert!(window.kind.starts_with("ir.actions.act_window"), "{name}");
            assert_eq!(window.res_model, model, "{name}");
            assert_ne!(window.target, "new", "{name}");
        }
        (is, reply) => panic!("{name}: {reply:?} instead of {is:?}"),
    }
}

fn canonical(name: &str, raw: &RawValue, is: Is) -> Value {
    let rows: Raw = decoded(raw);
    let plain = |kind| -> Value {
        let record = |row: &RawValue| {
            let record = read::plain(kind, row).1.unwrap();
            json!({"id": record.id, "version": record.version, "document": record.document})
        };
        rows.iter().map(|row| record(row)).collect()
    };
    match is {
        Is::Products(count) => {
            assert_eq!(rows.len(), count, "{name}");
            plain(Kind::Product)
        }
        Is::Customers(count) => {
            assert_eq!(rows.len(), count, "{name}");
            plain(Kind::Customer)
        }
        Is::State(id, life) => {
            let held = read::join(&rows[0], Vec::new()).unwrap();
            assert_eq!(
                (held.order.id, map::life(&held.order.state)),
                (id, life),
                "{name}"
            );
            let fault = map::order(&held).expect_err(name);
            assert_eq!(fault.field.as_deref(), Some("currency_id"), "{name}");
            json!({"id": id, "state": held.order.state, "date_order": held.order.date_order})
        }
        Is::Lines(count, currency) => {
            assert_eq!(rows.len(), count, "{name}");
            let line = |row: &RawValue| {
                let line: wire::OrderLine = decode::json(row.get().as_bytes()).unwrap();
                let held = map::HeldLine {
                    line,
                    sku: String::new(),
                    key: None,
                };
                map::line(&held, currency.parse().unwrap())
            };
            json!(rows.iter().map(|row| line(row)).collect::<Vec<_>>())
        }
        other => panic!("{name}: {other:?} is no document"),
    }
}

/// The exchanges of a folder by name.
type Tapes = BTreeMap<String, Vec<Exchange>>;

/// An order with its lines, whose sums must agree to the cent.
fn order(name: &str, raw: &RawValue, lines: &[Exchange]) -> Value {
    let answer = lines[0].answer(Effect::Read, jiff::Timestamp::UNIX_EPOCH);
    let face = match lines[0].request.path.starts_with("/json/2") {
        true => Face::Json2,
        false => Face::JsonRpc,
    };
    let rows: Raw = decoded(rpc::unwrap(face, &answer, "tape", "the-database").unwrap());
    let beside = |row: Box<RawValue>| (row, "SKU".to_owned(), None);
    let rows = rows.into_iter().map(beside).collect();
    let held = read::join(&decoded::<Raw>(raw)[0], rows).unwrap();
    let record = map::record(&held).unwrap();
    let order = record.document.as_order().unwrap();
    let lines: Decimal = order.lines.iter().map(|line| line.net + line.tax).sum();
    assert_eq!(lines, order.totals.total, "{name}");
    assert!(order.totals.rounding.is_zero(), "{name}");
    json!({"id": record.id, "version": record.version, "document": record.document})
}

async fn run(folder: &str, rows: &[Row]) -> BTreeMap<String, Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/odoo/tapes")
        .join(folder);
    let tapes = read_folder(&path).unwrap();
    let taped: Vec<&str> = tapes.iter().map(|(name, _)| name.as_str()).collect();
    let expected: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(taped, expected, "every tape has a row and every row a tape");
    let tapes: Tapes = tapes
        .into_iter()
        .map(|(name, tape)| (name, tape.exchanges()))
        .collect();
    let mut documents = BTreeMap::new();
    for (name, expected) in rows {
        let exchanges = &tapes[*name];
        assert_eq!(exchanges.len(), expected.len(), "{name}");
        for (exchange, is) in exchanges.iter().zip(*expected) {
            let label = format!("{folder}/{name} ({})", exchange.note);
            if let Some(document) = check(&label, inside(exchange).await, *is, &tapes) {
                let of_tape: &mut Vec<Value> = documents.entry((*name).to_owned()).or_default();
                of_tape.push(document);
            }
        }
    }
    documents
}

#[tokio::test]
async fn sixteen_means_what_its_table_says() {
    insta::assert_json_snapshot!("16.0", run("16.0-jsonrpc", sixteen::ROWS).await);
}

#[tokio::test]
async fn nineteen_means_what_its_table_says_on_both_faces() {
    insta::assert_json_snapshot!(
        "19.0-jsonrpc",
        run("19.0-jsonrpc", nineteen_jsonrpc::ROWS).await
    );
    insta::assert_json_snapshot!("19.0-json2", run("19.0-json2", nineteen_json2::ROWS).await);
}

#[test]
fn a_many2one_keeps_id_and_name() {
    let link: Link = serde_json::from_str("[7, \"x\"]").unwrap();
    assert_eq!(link, Link(7, "x".to_owned()));
}
