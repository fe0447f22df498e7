//! Every tape against a table that was written by hand, and the canonical documents as snapshots.

use super::settings;
use crate::prestashop::ask::{Row, rows_of};
use crate::prestashop::gather::{Gathered, assemble};
use crate::prestashop::order::Reader;
use crate::prestashop::shelf::{self, Habits, Shelves};
use crate::prestashop::tables::{StateWire, Tables, Tax, TaxWire};
use crate::prestashop::wire::{
    CartRuleWire, CombinationWire, DetailWire, PaymentWire, in_first_language,
};
use crate::prestashop::{ask, fault, party, probe, product, refund, status, tables, write, xml};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Effect};
use comptoir_kit::tape::{Exchange, read_folder};
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::equation::{self, Tolerance};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::order::Order;
use comptoir_model::port::Record;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

const TABLE: &str = include_str!("table.txt");

fn table() -> BTreeMap<&'static str, &'static str> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| row.split_once(" | ").unwrap()).collect()
}

fn tapes() -> BTreeMap<String, Vec<Exchange>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/prestashop/tapes/8.2.1");
    let tapes = read_folder(&PathBuf::from(folder)).unwrap();
    tapes
        .into_iter()
        .map(|(name, tape)| (name, tape.exchanges()))
        .collect()
}

/// What one exchange asked for: method, resource, id, query.
struct Asked {
    effect: Effect,
    resource: String,
    single: bool,
    query: String,
}

fn asked(exchange: &Exchange) -> Asked {
    let path = exchange.request.path.trim_start_matches("/api");
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    Asked {
        effect: match exchange.request.method.as_str() {
            "GET" => Effect::Read,
            _ => Effect::Write,
        },
        resource: parts.next().unwrap_or_default().to_owned(),
        single: parts.next().is_some(),
        query: query
            .replace("%5B", "[")
            .replace("%5D", "]")
            .replace("%2C", ","),
    }
}

fn answer(exchange: &Exchange, effect: Effect) -> Answer {
    exchange.answer(effect, Timestamp::UNIX_EPOCH)
}

/// All rows of a resource that stand on any tape in full, the first recorded of each id.
fn taped_rows(resource: &str) -> Vec<Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for exchange in tapes().into_values().flatten() {
        let asked = asked(&exchange);
        let answer = answer(&exchange, asked.effect);
        let whole = asked.query.contains("display=full") || resource != "orders";
        let fits = asked.resource == resource && !asked.single && asked.effect == Effect::Read;
        if !fits || !whole || !answer.is_success() || !asked.query.contains("output_format=JSON") {
            continue;
        }
        for row in rows_of(&answer, resource).unwrap() {
            let mark: ask::Mark = decode::json(row.get().as_bytes()).unwrap();
            rows.entry(mark.id).or_insert(row);
        }
    }
    rows.into_values().collect()
}

fn decoded<T: DeserializeOwned>(rows: &[Row]) -> Vec<T> {
    rows.iter()
        .map(|row| decode::json(row.get().as_bytes()).unwrap())
        .collect()
}

fn by_id<T>(rows: Vec<T>, id: fn(&T) -> &str) -> HashMap<String, T> {
    rows.into_iter()
        .map(|row| (id(&row).to_owned(), row))
        .collect()
}

fn taped_tables() -> Tables {
    let taxes: Vec<TaxWire> = decoded(&taped_rows("taxes"));
    // Of the states, the tape with their flags is the first.
    Tables {
        states: by_id(decoded(&taped_rows("order_states")), |row: &StateWire| {
            &row.id
        }),
        taxes: taxes
            .into_iter()
            .map(|tax| (tax.id.clone(), Tax::from(tax)))
            .collect(),
        carriers: by_id(
            decoded(&taped_rows("carriers")),
            |row: &tables::CarrierWire| &row.id,
        ),
        currencies: by_id(
            decoded(&taped_rows("currencies")),
            |row: &tables::CurrencyWire| &row.id,
        ),
        languages: by_id(
            decoded(&taped_rows("languages")),
            |row: &tables::LanguageWire| &row.id,
        ),
        countries: by_id(
            decoded(&taped_rows("countries")),
            |row: &tables::CountryWire| &row.id,
        ),
        regions: HashMap::new(),
    }
}

/// The tapes as one shop.
struct Taped {
    tables: Tables,
    all: Gathered,
}

impl Taped {
    fn read() -> Self {
        Taped {
            tables: taped_tables(),
            all: Gathered {
                details: taped_rows("order_details"),
                rules: taped_rows("order_cart_rules"),
                slips: taped_rows("order_slip"),
                messages: Vec::new(),
                payments: taped_rows("order_payments"),
                siblings: Vec::new(),
                customers: taped_rows("customers"),
                addresses: taped_rows("addresses"),
            },
        }
    }

    fn orders(&self, rows: &[Row]) -> Vec<Record> {
        let settings = settings();
        let clock = settings.clock().unwrap();
        let reader = Reader {
            settings: &settings,
            clock: &clock,
            tables: &self.tables,
        };
        let items = assemble(rows, &self.all, reader);
        items.into_iter().map(Result::unwrap).collect()
    }

    fn became(&self, exchange: &Exchange) -> String {
        let asked = asked(exchange);
        let answer = answer(exchange, asked.effect);
        let resource = if asked.resource.is_empty() {
            "the list of rights"
        } else {
            &asked.resource
        };
        if !answer.is_success() {
            return shown(&fault::classify(&answer, resource));
        }
        self.decoded(&asked, &answer)
            .unwrap_or_else(|fault| shown(&fault))
    }

    fn decoded(&self, asked: &Asked, answer: &Answer) -> Result<String, Fault> {
        if asked.resource.is_empty() {
            let root = xml::root(&answer.text()).unwrap();
            assert!(root.allows("orders", "GET") && root.allows("order_histories", "POST"));
            return Ok(format!("root {} {}", root.shop, root.rights.len()));
        }
        if asked.effect == Effect::Write || !asked.query.contains("output_format=JSON") {
            return Ok("accepted".to_owned());
        }
        let rows = rows_of(answer, &asked.resource)?;
        let full = asked.query.contains("display=full");
        let line = match asked.resource.as_str() {
            "orders" if !full => words("marks", &rows, |mark: &ask::Mark| mark.id.clone()),
            "orders" => self.order_lines(&rows),
            "products" => {
                let records = rows.iter().map(|row| product::product(row.get()).unwrap());
                let line = |record: Record| {
                    let Document::Product(product) = &record.document else {
                        panic!()
                    };
                    format!("{} {}", record.id, product.sku)
                        .trim_end()
                        .to_owned()
                };
                joined("products", records.map(line))
            }
            "customers" => {
                let records = rows
                    .iter()
                    .map(|row| party::customer(row.get(), &[], &self.tables).unwrap());
                spaced("customers", records.map(|record| record.id.to_string()))
            }
            "order_slip" => self.slip_lines(&rows),
            other => return Ok(table_line(other, asked, &rows)),
        };
        Ok(line.trim_end().to_owned())
    }

    fn order_lines(&self, rows: &[Row]) -> String {
        let lines = self.orders(rows).into_iter().map(|record| {
            check_raw(&record);
            let order = record.document.as_order().unwrap();
            if !order.lines.is_empty() {
                check_money(order);
            }
            order_line(&record, order)
        });
        joined("orders", lines)
    }

    fn slip_lines(&self, rows: &[Row]) -> String {
        let clock = settings().clock().unwrap();
        let euro = "EUR".parse().unwrap();
        let lines = rows.iter().map(|row| {
            let record = refund::record(row.get(), euro, &clock).unwrap();
            let Document::Refund(refund) = &record.document else {
                panic!()
            };
            format!("{} of {} {}", record.id, refund.order, refund.amount)
        });
        joined("refunds", lines)
    }
}

fn table_line(resource: &str, asked: &Asked, rows: &[Row]) -> String {
    match resource {
        "configurations" => words("settings", rows, |row: &probe::SettingWire| {
            format!("{}={}", row.name, row.value)
        }),
        "languages" => words("languages", rows, |row: &tables::LanguageWire| {
            format!("{}={}", row.id, row.locale)
        }),
        "currencies" => words("currencies", rows, |row: &tables::CurrencyWire| {
            format!("{}={}", row.id, row.iso_code)
        }),
        "countries" => words("countries", rows, |row: &tables::CountryWire| {
            row.iso_code.clone()
        }),
        "carriers" => words("carriers", rows, |row: &tables::CarrierWire| {
            format!("{}={}", row.method(), row.name)
        }),
        "order_states" if !asked.query.contains("paid") => {
            let names = decoded::<StateWire>(rows);
            joined(
                "names",
                names.iter().map(|state| in_first_language(&state.name)),
            )
        }
        "order_states" => words("states", rows, state_line),
        "taxes" => {
            let taxes = decoded::<TaxWire>(rows).into_iter().map(Tax::from);
            joined(
                "taxes",
                taxes.map(|tax| format!("{} = {}", tax.code, tax.rate)),
            )
        }
        "order_details" => words("lines", rows, |row: &DetailWire| row.id.clone()),
        "order_carriers" => words("carrier lines", rows, |row: &write::CarrierLine| {
            row.id.clone()
        }),
        "order_cart_rules" => {
            let rules = decoded::<CartRuleWire>(rows);
            joined(
                "vouchers",
                rules
                    .iter()
                    .map(|rule| format!("{} {}", rule.name, rule.value.normalize())),
            )
        }
        "order_payments" => {
            let payments = decoded::<PaymentWire>(rows);
            let sum: Decimal = payments.iter().map(|payment| payment.amount).sum();
            format!("payments {} {}", payments.len(), sum.normalize())
        }
        "addresses" => {
            let tables = taped_tables();
            words("addresses", rows, |row| {
                party::address(row, &tables)
                    .country
                    .unwrap()
                    .code()
                    .to_owned()
            })
        }
        "combinations" => words("combinations", rows, |row: &CombinationWire| {
            product::id_of(row.id_product.as_str(), row.id.as_str())
                .unwrap()
                .to_string()
        }),
        "stock_availables" => words("stock", rows, |row: &shelf::StockWire| {
            format!("{}={}", row.id, row.quantity)
        }),
        "tax_rules" | "order_invoices" | "order_histories" => "accepted".to_owned(),
        other => panic!("no row of resources for {other}"),
    }
}

/// The life of an order in this state, unpaid and not given back.
fn state_line(state: &StateWire) -> String {
    let order = taped_rows("orders").remove(0);
    let mut wire: crate::prestashop::wire::OrderWire =
        decode::json(order.get().as_bytes()).unwrap();
    wire.current_state.clone_from(&state.id);
    let status = status::status(&wire, &taped_tables(), &settings(), Decimal::ZERO);
    format!("{}:{}", state.id, word(status.life))
}

fn spaced(name: &str, words: impl Iterator<Item = String>) -> String {
    format!("{name} {}", words.collect::<Vec<_>>().join(" "))
}

fn joined(name: &str, parts: impl Iterator<Item = String>) -> String {
    format!("{name} {}", parts.collect::<Vec<_>>().join(", "))
}

fn words<T: DeserializeOwned>(name: &str, rows: &[Row], word: impl Fn(&T) -> String) -> String {
    spaced(name, decoded::<T>(rows).iter().map(word))
}

fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap();
    value.as_str().unwrap().to_owned()
}

fn order_line(record: &Record, order: &Order) -> String {
    let (status, totals) = (&order.status, &order.totals);
    format!(
        "{} {} {} {} {} {} {} tax {} rounding {} refunds {}",
        record.id,
        order.number,
        status.word,
        word(status.life),
        word(status.paid),
        totals.total,
        order.currency,
        totals.tax,
        totals.rounding,
        order.refunds.len()
    )
}

fn shown(fault: &Fault) -> String {
    let next = match fault.next {
        Next::Later { .. } => "later",
        Next::Unknown => "unknown",
        Next::Refused => "refused",
        Next::Locked => "locked",
        Next::Gone => "gone",
        Next::Moved => "moved",
        Next::Bug => "bug",
    };
    let field = fault.field.as_deref().unwrap_or_default();
    format!("fault {next} {:?} {field}", fault.code)
        .trim_end()
        .to_owned()
}

/// The money equations hold, rates included, and every tax of a line is one of the order.
fn check_money(order: &Order) {
    let found = equation::check(order, Tolerance::default());
    assert!(found.is_empty(), "order {}: {found:?}", order.number);
    let taxes = order.lines.iter().flat_map(|line| &line.taxes);
    let taxes = taxes.chain(order.shipping.iter().flat_map(|line| &line.taxes));
    for tax in taxes.chain(order.fees.iter().flat_map(|fee| &fee.taxes)) {
        assert!(
            order.tax_line(&tax.code).is_some(),
            "order {}: {}",
            order.number,
            tax.code
        );
    }
}

/// What is never kept is not kept.
fn check_raw(record: &Record) {
    let raw = record.raw.as_deref().unwrap();
    for never in ["secure_key", "passwd", "card_number", "download_hash"] {
        assert!(!raw.contains(never), "{}: {never}", record.id);
    }
    assert!(decode::json::<serde_json::Value>(raw.as_bytes()).is_ok());
}

#[test]
fn every_tape_becomes_what_its_row_says() {
    let (table, tapes, taped) = (table(), tapes(), Taped::read());
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count();
    assert_eq!(rows, table.len(), "a file has two rows");
    let mut wrong: Vec<String> = table
        .keys()
        .filter(|name| !tapes.contains_key(**name))
        .map(|name| format!("{name}: a row without a tape"))
        .collect();
    for (name, exchanges) in &tapes {
        let lines: Vec<String> = exchanges.iter().map(|one| taped.became(one)).collect();
        let became = lines.join(" ; ");
        match table.get(name.as_str()) {
            None => wrong.push(format!("{name}: a tape without a row")),
            Some(row) if *row != became => {
                wrong.push(format!("{name}\n  expected {row}\n  became   {became}"));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn canonical_documents_are_as_read() {
    let taped = Taped::read();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for name in [
            "017-order-b2b-order",
            "018-order-voucher-order",
            "022-order-list-json",
            "080-order-shipping-voucher-order",
        ] {
            let exchange = &tapes()[name][0];
            let rows = rows_of(&answer(exchange, Effect::Read), "orders").unwrap();
            let documents: Vec<Document> = taped
                .orders(&rows)
                .into_iter()
                .map(|record| record.document)
                .collect();
            insta::assert_json_snapshot!(format!("8.2.1_{name}"), documents);
        }
    });
}

/// The first product of the tapes has eight combinations that share its reference, and the sixth has none.
#[test]
fn taped_stock_is_that_of_combinations_and_never_their_sum() {
    let shelves = Shelves {
        products: taped_rows("products"),
        combinations: taped_rows("combinations"),
        stock: taped_rows("stock_availables"),
    };
    let lines = |below_zero: bool| -> Vec<String> {
        let habits = Habits {
            counts: true,
            below_zero,
        };
        let items = shelves.items(habits, None).into_iter();
        let records = items.map(|item| item.unwrap().record());
        let line = |record: Record| {
            let stock = record.document.as_stock().unwrap().clone();
            let level = stock.levels.first().and_then(|level| level.available);
            let (managed, below) = (stock.managed, stock.backorders);
            format!("{} {} {level:?} {managed} {below}", record.id, stock.sku)
        };
        records.map(line).collect()
    };
    let first: Vec<String> = lines(false).into_iter().take(9).collect();
    let of = |id: u64| {
        let quantity = if id == 1 { 296 } else { 300 };
        format!("1-{id} demo_1 Some({quantity}) true false")
    };
    let mut expected = vec!["1 demo_1 None false false".to_owned()];
    expected.extend((1..=8).map(of));
    assert_eq!(first, expected);
    assert!(lines(true)[1].ends_with("true true"));
}
