//! Reading: by id, and what changed since a cursor.

use super::map::{self, Held, HeldLine};
use super::session::{Session, present};
use super::wire::{self, Brief, Link, Raw};
use super::{external, fault, shipment, stock, template};
use crate::odoo::rpc::Ask;
use comptoir_kit::batch::number;
use comptoir_kit::decode;
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::time;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use jiff::Timestamp;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// One record: decoded, or why not.
pub(super) type Item = Result<Record, Unreadable>;

/// The model of a kind.
///
/// # Errors
/// A bug fault for a kind that is not read here.
pub(super) fn model(kind: Kind) -> Result<&'static str, Fault> {
    match kind {
        Kind::Order => Ok("sale.order"),
        Kind::Customer => Ok("res.partner"),
        Kind::Product => Ok("product.product"),
        other => Err(Fault::bug(format!("Odoo's {other} is not read"))),
    }
}

fn fields(session: &Session, kind: Kind) -> Vec<&'static str> {
    match kind {
        Kind::Order => present(&session.known.order, wire::ORDER),
        Kind::Customer => present(&session.known.partner, wire::PARTNER),
        _ => present(&session.known.product, wire::PRODUCT),
    }
}

fn priority(kind: Kind) -> Priority {
    match kind {
        Kind::Product => Priority::Catalogue,
        _ => Priority::Orders,
    }
}

/// Records by id. `read` tells a missing record (it is left out) from one the user may not see (the whole call is refused).
pub(super) async fn by_ids(
    session: &Session,
    kind: Kind,
    ids: &[RemoteId],
) -> Result<Vec<Seen>, Fault> {
    if kind == Kind::Stock {
        return stock::by_ids(session, ids).await;
    }
    if kind == Kind::Shipment {
        return shipment::by_ids(session, ids).await;
    }
    let model = model(kind)?;
    let numbers: Vec<i64> = ids.iter().filter_map(number).collect();
    let mut found: HashMap<i64, Seen> = HashMap::new();
    let mut stack = vec![numbers];
    while let Some(part) = stack.pop() {
        if part.is_empty() {
            continue;
        }
        let ask = Ask::read("read", model, "read")
            .ids(&part)
            .arg("fields", json!(fields(session, kind)))
            .priority(priority(kind));
        match session.rpc.call::<Raw>(ask).await {
            Ok(rows) => {
                for (id, item) in items(session, kind, rows).await? {
                    found.insert(id, seen(item));
                }
            }
            Err(fault) if fault.code == Code::MissingRight && part.len() > 1 => {
                let (a, b) = part.split_at(part.len() / 2);
                stack.extend([a.to_vec(), b.to_vec()]);
            }
            // One that the user may not see is there all the same, and stops no other.
            Err(fault) if fault.code == Code::MissingRight => {
                let id = Some(RemoteId(part[0].to_string()));
                let raw = String::new();
                let unreadable = Unreadable { id, fault, raw };
                found.insert(part[0], Seen::Unreadable(Box::new(unreadable)));
            }
            Err(fault) => return Err(fault::of_everything(fault)),
        }
    }
    let mut answered = BTreeSet::new();
    Ok(ids
        .iter()
        .filter(|id| answered.insert((*id).clone()))
        .map(|id| {
            let seen = number(id).and_then(|number| found.remove(&number));
            seen.unwrap_or_else(|| Seen::Gone(id.clone()))
        })
        .collect())
}

fn seen(item: Item) -> Seen {
    match item {
        Ok(record) => Seen::Record(Box::new(record)),
        Err(unreadable) => Seen::Unreadable(Box::new(unreadable)),
    }
}

/// What changed since a cursor, oldest first, archived records too.
pub(super) async fn changes(
    session: &Session,
    kind: Kind,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    if kind == Kind::Stock {
        return stock::changes(session, since, overlap, page, now).await;
    }
    if kind == Kind::Shipment {
        return shipment::changes(session, since, overlap, page, now).await;
    }
    if kind == Kind::Product && session.version.major < template::MOVES_FROM {
        return template::changes(session, since, overlap, page, now).await;
    }
    let since = match kind {
        Kind::Product => template::of_variants(since),
        _ => since.clone(),
    };
    stream(session, kind, &since, overlap, page, now).await
}

/// What changed of one model.
pub(super) async fn stream(
    session: &Session,
    kind: Kind,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    let model = model(kind)?;
    let cursor = TimestampCursor::open(since, overlap, now)?;
    // 19 refuses a time with a zone (`ValueError`), and neither version gives fractions back.
    let domain = match cursor.from() {
        Some(from) => json!([["write_date", ">=", time::spaced(from)]]),
        None => json!([]),
    };
    let ask = Ask::search("changes", model, domain, &fields(session, kind))
        .option("order", json!("write_date,id"))
        .option("limit", json!(page))
        .option("offset", json!(cursor.offset()))
        .archived_too()
        .priority(priority(kind));
    let rows: Raw = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    let full = rows.len() >= page as usize;
    let times: Vec<Brief> = rows.iter().map(|row| brief(row)).collect();
    let items = items(session, kind, rows).await?;
    let stamps: Vec<Stamp> = items
        .iter()
        .zip(&times)
        .map(|((id, item), brief)| Stamp {
            id: id.to_string(),
            version: match item {
                Ok(record) => record.version.clone(),
                Err(unreadable) => Digest::of(unreadable.raw.as_bytes()).to_string(),
            },
            at: time::utc(&brief.write_date).ok(),
        })
        .collect();
    let taken = cursor.take(&stamps, full);
    let fresh = items.into_iter().zip(&taken.fresh);
    Ok(Page {
        items: fresh
            .filter(|(_, fresh)| **fresh)
            .map(|((_, item), _)| item)
            .collect(),
        gone: Vec::new(),
        next: taken.next,
        more: taken.more,
    })
}

fn brief(row: &RawValue) -> Brief {
    serde_json::from_str(row.get()).unwrap_or_default()
}

/// Rows of a kind as records, in their order.
async fn items(session: &Session, kind: Kind, rows: Raw) -> Result<Vec<(i64, Item)>, Fault> {
    match kind {
        Kind::Order => {
            let held = complete(session, rows).await?;
            let item = |(id, held): (i64, Result<Held, Unreadable>)| {
                let record = held.and_then(|held| {
                    map::record(&held).map_err(|fault| unreadable(id, fault, held.raw.clone()))
                });
                (id, record)
            };
            Ok(held.into_iter().map(item).collect())
        }
        _ => Ok(rows.into_iter().map(|row| plain(kind, &row)).collect()),
    }
}

fn unreadable(id: i64, fault: Fault, raw: String) -> Unreadable {
    Unreadable {
        id: Some(RemoteId(id.to_string())).filter(|_| id > 0),
        fault: Fault {
            code: Code::Unreadable,
            ..fault
        },
        raw,
    }
}

/// A customer or product of one row.
pub(super) fn plain(kind: Kind, row: &RawValue) -> (i64, Item) {
    let raw = row.get();
    let id = brief(row).id;
    let record = match kind {
        Kind::Customer => decode::json(raw.as_bytes())
            .map(|wire: wire::Partner| map::customer(&wire, raw.to_owned())),
        _ => decode::json(raw.as_bytes())
            .map(|wire: wire::Product| map::product(&wire, raw.to_owned())),
    };
    (
        id,
        record.map_err(|fault| unreadable(id, fault, raw.to_owned())),
    )
}

/// Orders as they stand now, with their lines. What is not there is left out.
pub(super) async fn held(session: &Session, ids: &[i64]) -> Result<HashMap<i64, Held>, Fault> {
    held_as_written(session, ids, &Lines::default()).await
}

/// What is known of the lines of orders that were just written, so that it need not be asked for.
#[derive(Default)]
pub(super) struct Lines {
    /// SKUs by product.
    pub(super) skus: HashMap<i64, String>,
    /// By order: product and key of each line, in the order of writing.
    pub(super) keys: HashMap<i64, Vec<(i64, WriteKey)>>,
}

/// [`held`], of orders some of which were just written.
pub(super) async fn held_as_written(
    session: &Session,
    ids: &[i64],
    written: &Lines,
) -> Result<HashMap<i64, Held>, Fault> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let ask = Ask::read("orders.read", "sale.order", "read")
        .ids(ids)
        .arg("fields", json!(fields(session, Kind::Order)));
    let rows = session.rpc.call::<Raw>(ask);
    let (rows, lines) = tokio::try_join!(rows, lines(session, ids, written))?;
    let complete = with_lines(rows, lines);
    let readable = complete
        .into_iter()
        .filter_map(|(id, held)| Some((id, held.ok()?)));
    Ok(readable.collect())
}

/// Order rows with their lines, SKUs and keys: three more calls for any number of orders.
async fn complete(
    session: &Session,
    rows: Raw,
) -> Result<Vec<(i64, Result<Held, Unreadable>)>, Fault> {
    let ids: Vec<i64> = rows.iter().map(|row| brief(row).id).collect();
    let lines = lines(session, &ids, &Lines::default()).await?;
    Ok(with_lines(rows, lines))
}

fn with_lines(
    rows: Raw,
    mut lines: HashMap<i64, Vec<LineRow>>,
) -> Vec<(i64, Result<Held, Unreadable>)> {
    let whole = |row: Box<RawValue>| {
        let id = brief(&row).id;
        (id, join(&row, lines.remove(&id).unwrap_or_default()))
    };
    rows.into_iter().map(whole).collect()
}

/// A line row and what was asked beside it.
pub(super) type LineRow = (Box<RawValue>, String, Option<WriteKey>);

/// An order of its rows.
pub(super) fn join(row: &RawValue, lines: Vec<LineRow>) -> Result<Held, Unreadable> {
    let texts: Vec<&str> = lines.iter().map(|(line, ..)| line.get()).collect();
    let raw = format!(
        "{{\"order\":{},\"lines\":[{}]}}",
        row.get(),
        texts.join(",")
    );
    let wrong = |fault: Fault| unreadable(brief(row).id, fault, raw.clone());
    let order: wire::Order = decode::json(row.get().as_bytes()).map_err(wrong)?;
    let mut held = Vec::with_capacity(lines.len());
    for (line, sku, key) in &lines {
        let line: wire::OrderLine = decode::json(line.get().as_bytes()).map_err(wrong)?;
        held.push(HeldLine {
            line,
            sku: sku.clone(),
            key: key.clone(),
        });
    }
    Ok(Held {
        order,
        lines: held,
        raw,
    })
}

/// What is looked at of a line before its order is put together.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct LineMark {
    #[serde(deserialize_with = "decode::integer")]
    id: i64,
    #[serde(deserialize_with = "decode::or_none")]
    order_id: Option<Link>,
    #[serde(deserialize_with = "decode::or_none")]
    product_id: Option<Link>,
}

async fn lines(
    session: &Session,
    orders: &[i64],
    written: &Lines,
) -> Result<HashMap<i64, Vec<LineRow>>, Fault> {
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let mut fields = present(&session.known.line, wire::ORDER_LINE);
    fields.push(session.known.taxes());
    let domain = json!([["order_id", "in", orders]]);
    let ask = Ask::search("orders.lines", "sale.order.line", domain, &fields)
        .option("order", json!("order_id,sequence,id"));
    let rows: Raw = session.rpc.call(ask).await?;
    let mut by_order: BTreeMap<i64, Vec<(Box<RawValue>, i64, i64)>> = BTreeMap::new();
    for row in rows {
        let mark: LineMark = serde_json::from_str(row.get()).unwrap_or_default();
        let Some(order) = mark.order_id else {
            return Err(Fault::bug("an order line names no order").at("order_id"));
        };
        let product = mark.product_id.map_or(0, |link| link.0);
        let of_order = by_order.entry(order.0).or_default();
        of_order.push((row, mark.id, product));
    }
    let mut keys: HashMap<i64, WriteKey> = HashMap::new();
    let mut unknown = Vec::new();
    let mut products = BTreeSet::new();
    for (order, lines) in &by_order {
        match written.keys.get(order).filter(|keys| same(keys, lines)) {
            Some(known) => {
                let ids = lines.iter().map(|(_, id, _)| *id);
                keys.extend(ids.zip(known.iter().map(|(_, key)| key.clone())));
            }
            None => unknown.extend(lines.iter().map(|(_, id, _)| *id)),
        }
        let strange = |product: &i64| *product > 0 && !written.skus.contains_key(product);
        products.extend(lines.iter().map(|(.., product)| *product).filter(strange));
    }
    let products: Vec<i64> = products.into_iter().collect();
    let (skus, asked) = tokio::try_join!(
        skus(session, &products),
        external::of_lines(session, &unknown)
    )?;
    keys.extend(asked);
    let row = |(row, id, product): (Box<RawValue>, i64, i64)| {
        let sku = written.skus.get(&product).or_else(|| skus.get(&product));
        (
            row,
            sku.cloned().unwrap_or_default(),
            keys.get(&id).cloned(),
        )
    };
    Ok(by_order
        .into_iter()
        .map(|(order, lines)| (order, lines.into_iter().map(row).collect()))
        .collect())
}

/// Whether these are the lines that were written, one by one. Odoo numbers the lines of one call in their order.
fn same(written: &[(i64, WriteKey)], lines: &[(Box<RawValue>, i64, i64)]) -> bool {
    written.len() == lines.len()
        && written
            .iter()
            .zip(lines)
            .all(|((product, _), (.., there))| product == there)
}

/// The SKUs of products.
pub(super) async fn skus(
    session: &Session,
    products: &[i64],
) -> Result<HashMap<i64, String>, Fault> {
    if products.is_empty() {
        return Ok(HashMap::new());
    }
    let ask = Ask::read("orders.products", "product.product", "read")
        .ids(products)
        .arg("fields", json!(["default_code"]));
    let rows: Vec<wire::Product> = session.rpc.call(ask).await?;
    let sku = |row: wire::Product| (row.id, row.default_code.trim().to_owned());
    Ok(rows.into_iter().map(sku).collect())
}
