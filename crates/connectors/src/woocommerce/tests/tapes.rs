//! Every tape against a table that was written by hand, and the canonical documents as snapshots.

use super::settings;
use crate::woocommerce::settings::AuthMode;
use crate::woocommerce::wire::{HookWire, Mark, NoteWire};
use crate::woocommerce::{batch, fault, hooks, map, probe, read, stock};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Effect};
use comptoir_kit::secret::Secret;
use comptoir_kit::tape::{Delivery, Exchange, Tape, read_folder};
use comptoir_model::document::Document;
use comptoir_model::equation::{self, Tolerance};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::port::Record;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::PathBuf;

const TABLE: &str = include_str!("table.txt");

fn table() -> BTreeMap<&'static str, &'static str> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    rows.map(|row| row.split_once(" | ").unwrap()).collect()
}

fn tapes() -> BTreeMap<String, Tape> {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/woocommerce/tapes"
    ));
    let mut tapes = BTreeMap::new();
    for version in ["8.5.2", "11.0.1"] {
        for (name, tape) in read_folder(&folder.join(version)).unwrap() {
            tapes.insert(format!("{version}/{name}"), tape);
        }
    }
    tapes
}

/// What a tape became: a line for the table, and the documents of single records for the snapshots.
#[derive(Default)]
struct Became {
    line: String,
    documents: Vec<Document>,
}

#[test]
fn every_tape_becomes_what_its_row_says() {
    let (table, tapes) = (table(), tapes());
    assert_eq!(
        TABLE.lines().filter(|line| !line.starts_with('#')).count(),
        table.len(),
        "a file has two rows"
    );
    let mut wrong = Vec::new();
    for name in table.keys() {
        if !tapes.contains_key(*name) {
            wrong.push(format!("{name}: a row without a tape"));
        }
    }
    for (name, tape) in tapes {
        let became = became(tape);
        match table.get(name.as_str()) {
            None => wrong.push(format!("{name}: a tape without a row")),
            Some(row) if *row != became.line => {
                wrong.push(format!(
                    "{name}\n  expected {row}\n  became   {}",
                    became.line
                ));
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn canonical_documents_are_as_read() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, tape) in tapes() {
            let documents = became(tape).documents;
            if !documents.is_empty() {
                insta::assert_json_snapshot!(name.replace('/', "_"), documents);
            }
        }
    });
}

fn became(tape: Tape) -> Became {
    let mut became = Became::default();
    let lines: Vec<String> = match tape {
        Tape::Exchanges(exchanges) => exchanges
            .iter()
            .map(|exchange| exchanged(exchange, &mut became.documents))
            .collect(),
        Tape::Deliveries(deliveries) => deliveries.iter().map(heard).collect(),
    };
    became.line = lines.join(" ; ");
    became
}

fn exchanged(exchange: &Exchange, documents: &mut Vec<Document>) -> String {
    let effect = match exchange.request.method.as_str() {
        "GET" => Effect::Read,
        _ => Effect::Write,
    };
    let signed = exchange.request.path.contains("oauth_");
    let mode = if signed {
        AuthMode::OAuth1
    } else {
        AuthMode::Basic
    };
    let answer = exchange.answer(effect, Timestamp::UNIX_EPOCH);
    let decoded = fault::success(answer, mode).and_then(|answer| {
        let path = exchange.request.path.trim_start_matches("/wp-json/wc/v3/");
        decoded(path, effect, &answer, documents)
    });
    decoded.unwrap_or_else(|fault| shown(&fault))
}

fn shown(fault: &Fault) -> String {
    let field = fault.field.as_deref().unwrap_or_default();
    format!("fault {} {:?} {field}", next(fault), fault.code)
        .trim_end()
        .to_owned()
}

fn next(fault: &Fault) -> &'static str {
    match fault.next {
        Next::Later { .. } => "later",
        Next::Unknown => "unknown",
        Next::Refused => "refused",
        Next::Locked => "locked",
        Next::Gone => "gone",
        Next::Moved => "moved",
        Next::Bug => "bug",
    }
}

/// Decodes by what was asked, as the connector would.
fn decoded(
    path: &str,
    effect: Effect,
    answer: &Answer,
    documents: &mut Vec<Document>,
) -> Result<String, Fault> {
    let (resource, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = resource
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let partial = query.contains("_fields=");
    match parts.as_slice() {
        ["system_status"] => {
            let system: probe::System = answer.json()?;
            let (environment, settings) = (&system.environment, &system.settings);
            let decimals = settings.number_of_decimals.unwrap();
            let storage = settings.order_storage();
            Ok(format!(
                "system {} {} {decimals} {storage} {}",
                environment.version, settings.currency, environment.home_url
            ))
        }
        ["wp-json"] => {
            let index: probe::Index = answer.json()?;
            let api = index
                .namespaces
                .iter()
                .find(|name| *name == "wc/v3")
                .unwrap();
            Ok(format!("index {} {api}", index.timezone_string))
        }
        ["settings", group] => settings_row(group, answer),
        ["taxes"] => {
            let rates: Vec<probe::Rate> = answer.json()?;
            let rates = rates
                .iter()
                .map(|rate| format!("{} = {}", rate.code(), rate.rate.normalize()));
            Ok(format!("taxes {}", rates.collect::<Vec<_>>().join(", ")))
        }
        ["reports", ..] => words::<probe::StatusRow>("statuses", answer, |row| row.slug.clone()),
        ["shipping", "zones"] => words::<probe::Zone>("zones", answer, |zone| zone.id.to_string()),
        ["shipping", ..] => words::<probe::Method>("methods", answer, |row| row.method_id.clone()),
        ["payment_gateways"] => words::<probe::Gateway>("gateways", answer, |row| row.id.clone()),
        ["webhooks", ..] => hook_row(answer),
        ["orders", _, "notes"] => {
            let notes: Vec<NoteWire> = many(answer)?;
            assert!(notes.iter().all(|note| !note.note.is_empty()));
            Ok(format!("notes {}", notes.len()))
        }
        ["orders", order, "refunds"] => refunds(order, answer, documents),
        ["refunds"] => refunds("0", answer, documents),
        [kind @ .., "batch"] => batch_row(kind[0], answer, documents),
        ["coupons" | "data" | "taxes", ..] => Ok("accepted".to_owned()),
        _ if query.contains("backorders") => {
            let marks: Vec<Mark> = many(answer)?;
            let ids: Vec<&str> = marks.iter().map(|mark| mark.id.as_str()).collect();
            Ok(format!("stocks {}{}", ids.join(" "), stock_row(answer)?))
        }
        _ if partial => {
            let marks: Vec<Mark> = many(answer)?;
            let ids: Vec<&str> = marks.iter().map(|mark| mark.id.as_str()).collect();
            Ok(format!("marks {}", ids.join(" ")))
        }
        ["orders", ..] => records(Kind::Order, answer, documents),
        ["products", ..] => records(Kind::Product, answer, documents),
        ["customers", ..] => records(Kind::Customer, answer, documents),
        _ => panic!("no row of paths for {resource} ({effect:?})"),
    }
}

/// A list, or one thing as a list of one.
fn many<T: DeserializeOwned>(answer: &Answer) -> Result<Vec<T>, Fault> {
    if answer.text().trim_start().starts_with('[') {
        answer.json()
    } else {
        answer.json().map(|one| vec![one])
    }
}

fn words<T: DeserializeOwned>(
    name: &str,
    answer: &Answer,
    word: fn(&T) -> String,
) -> Result<String, Fault> {
    let rows: Vec<T> = answer.json()?;
    let rows: Vec<String> = rows.iter().map(word).collect();
    Ok(format!("{name} {}", rows.join(" ")))
}

fn settings_row(group: &str, answer: &Answer) -> Result<String, Fault> {
    let settings: Vec<probe::Setting> = answer.json()?;
    let wanted = match group {
        "general" => ["woocommerce_currency", "woocommerce_price_num_decimals"],
        _ => [
            "woocommerce_prices_include_tax",
            "woocommerce_tax_round_at_subtotal",
        ],
    };
    let value = |id: &str| {
        let setting = settings.iter().find(|setting| setting.id == id).unwrap();
        format!("{id}={}", setting.value.as_str().unwrap())
    };
    Ok(format!("settings {}", wanted.map(value).join(" ")))
}

fn hook_row(answer: &Answer) -> Result<String, Fault> {
    let hooks: Vec<HookWire> = many(answer)?;
    let shown = hooks.iter().map(|hook| {
        format!("hook {} {} {}", hook.id, hook.status, hook.topic)
            .trim_end()
            .to_owned()
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}

fn batch_row(
    resource: &str,
    answer: &Answer,
    documents: &mut Vec<Document>,
) -> Result<String, Fault> {
    let ids = ids_sent(answer);
    let ids: Vec<&RemoteId> = ids.iter().collect();
    let outcomes = batch::outcomes(answer, &ids, AuthMode::Basic)?;
    let mut shown = Vec::new();
    for (id, outcome) in ids.iter().zip(outcomes) {
        let raw = match outcome {
            Ok(raw) => raw,
            Err(fault) => {
                shown.push(format!("{} {:?}", next(&fault), fault.code));
                continue;
            }
        };
        if resource == "orders" {
            let record = map::order(raw.get(), &settings())?;
            check_raw(&record);
            let order = record.document.as_order().unwrap();
            let shipments = order.shipments.len();
            shown.push(format!(
                "ok {id} {} shipments {shipments}",
                order.status.word
            ));
            documents.push(record.document);
        } else {
            let quantity = stock::item(raw.get()).map_err(|unreadable| unreadable.fault)?;
            shown.push(format!("ok {id} {}", quantity_of(&quantity)));
        }
    }
    Ok(format!("batch {}", shown.join(", ")))
}

fn ids_sent(answer: &Answer) -> Vec<RemoteId> {
    let body: serde_json::Value = answer.json().unwrap();
    let update = body.get("update").and_then(|update| update.as_array());
    let items = update.into_iter().flatten();
    items.map(|item| RemoteId(item["id"].to_string())).collect()
}

fn records(kind: Kind, answer: &Answer, documents: &mut Vec<Document>) -> Result<String, Fault> {
    let is_list = answer.text().trim_start().starts_with('[');
    let items: Vec<read::Item> = many::<Box<serde_json::value::RawValue>>(answer)?
        .iter()
        .map(|json| read::item(kind, json.get(), &settings()))
        .collect();
    let unreadable = items.iter().filter(|item| item.is_err()).count();
    let records: Vec<Record> = items.into_iter().filter_map(Result::ok).collect();
    for record in &records {
        check_raw(record);
        if let Document::Order(order) = &record.document {
            check_money(order);
        }
    }
    if kind == Kind::Order && is_list {
        return Ok(format!("orders {} unreadable {unreadable}", records.len()));
    }
    assert_eq!(unreadable, 0);
    documents.extend(records.iter().map(|record| record.document.clone()));
    let stock = match kind {
        Kind::Product => stock_row(answer)?,
        _ => String::new(),
    };
    if is_list {
        let ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
        return Ok(format!("{kind}s {}{stock}", ids.join(" ")));
    }
    let record = &records[0];
    Ok(match &record.document {
        Document::Order(order) => order_row(&record.id, order),
        Document::Product(product) => format!("product {} {}{stock}", record.id, product.sku),
        _ => format!("{kind} {}", record.id),
    })
}

/// The same items read as stock.
fn stock_row(answer: &Answer) -> Result<String, Fault> {
    let mut row = " stock".to_owned();
    for json in many::<Box<serde_json::value::RawValue>>(answer)? {
        let record = stock::item(json.get()).map_err(|unreadable| unreadable.fault)?;
        row.push(' ');
        row.push_str(&quantity_of(&record));
    }
    Ok(row)
}

fn quantity_of(record: &Record) -> String {
    let stock = record.document.as_stock().unwrap();
    assert_eq!(stock.managed, !stock.levels.is_empty());
    let available = stock.levels.first().and_then(|level| level.available);
    available.map_or("-".to_owned(), |quantity| quantity.to_string())
}

fn word(value: impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap();
    value.as_str().unwrap().to_owned()
}

fn order_row(id: &RemoteId, order: &Order) -> String {
    let (status, totals) = (&order.status, &order.totals);
    format!(
        "order {id} {} {} {} {} {} tax {} rounding {}",
        status.word,
        word(status.life),
        word(status.paid),
        totals.total,
        order.currency,
        totals.tax,
        totals.rounding
    )
}

/// The money equations hold, and every tax of a line is one of the order.
fn check_money(order: &Order) {
    let found = equation::check(order, Tolerance::default());
    let blocking: Vec<_> = equation::blocking(&found).collect();
    assert!(blocking.is_empty(), "order {}: {blocking:?}", order.number);
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
    for never in [
        "order_key",
        "wc_order_",
        "customer_ip_address",
        "Mozilla",
        "_links",
        "avatar_url",
        "cart_hash",
    ] {
        assert!(!raw.contains(never), "{}: {never}", record.id);
    }
    assert!(decode::json::<serde_json::Value>(raw.as_bytes()).is_ok());
}

fn refunds(order: &str, answer: &Answer, documents: &mut Vec<Document>) -> Result<String, Fault> {
    let order = RemoteId::from(order);
    let euro = "EUR".parse().unwrap();
    let mut ids = Vec::new();
    let is_list = answer.text().trim_start().starts_with('[');
    for json in many::<Box<serde_json::value::RawValue>>(answer)? {
        let record = map::refund(json.get(), &order, euro)?;
        check_raw(&record);
        if !is_list && let Document::Refund(refund) = &record.document {
            documents.push(record.document.clone());
            let lines = refund.lines.len();
            return Ok(format!(
                "refund {} {} lines {lines}",
                record.id, refund.amount
            ));
        }
        documents.push(record.document);
        ids.push(record.id.0);
    }
    Ok(format!("refunds {}", ids.join(" ")))
}

fn heard(delivery: &Delivery) -> String {
    let secrets: Vec<Secret> = delivery.secret.iter().map(Secret::new).collect();
    let hints = hooks::hear(&delivery.incoming(Timestamp::UNIX_EPOCH), &secrets);
    match hints {
        Err(fault) => shown(&fault),
        Ok(hints) if hints.is_empty() => "hint nothing".to_owned(),
        Ok(hints) => {
            let id = hints[0].id.as_ref().map_or("poll", |id| id.as_str());
            format!("hint {} {id}", hints[0].kind)
        }
    }
}
