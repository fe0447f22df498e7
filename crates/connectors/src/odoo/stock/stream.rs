//! The stream of stock. A product's own `write_date` does not move with its stock (measured on 16.0 and 19.0), so what moves is read:
//! quants (on hand and reserved), moves (demand, reserved or not, and every quant that was emptied and removed), products and, in 16,
//! templates (SKU, archived), bills of materials and their lines (kits). Each has a cursor of its own over its `write_date`; together
//! they are one.

use super::target;
use crate::odoo::rpc::Ask;
use crate::odoo::session::Session;
use crate::odoo::template::MOVES_FROM;
use crate::odoo::wire::{BomLine, Goods, Link, Moved};
use crate::odoo::{fault, wire::Bom};
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::time;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Cursor, Page};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Rows of a stream per call: of each only its product is looked at.
const ROWS: u32 = 2_000;
/// Kits inside of kits are followed so deep.
const DEPTH: usize = 16;

/// Where each stream stands.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    /// While everything is read for the first time: the last product that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<i64>,
    quants: Cursor,
    moves: Cursor,
    products: Cursor,
    templates: Cursor,
    kits: Cursor,
    kit_lines: Cursor,
}

impl Place {
    fn open(since: &Cursor, overlap: Duration, now: Timestamp) -> Result<Self, Fault> {
        if !since.is_start() {
            return serde_json::from_str(&since.0)
                .map_err(|_| Fault::bug("the stored cursor is not one of Odoo's stock"));
        }
        // What changes while everything is read is read once more.
        let begin = TimestampCursor::since(now.checked_sub(overlap).unwrap_or(now));
        Ok(Place {
            after: Some(0),
            quants: begin.clone(),
            moves: begin.clone(),
            products: begin.clone(),
            templates: begin.clone(),
            kits: begin.clone(),
            kit_lines: begin,
        })
    }

    fn page(
        &self,
        records: Vec<comptoir_model::port::Record>,
        gone: Vec<RemoteId>,
        more: bool,
    ) -> Page {
        Page {
            items: records.into_iter().map(Ok).collect(),
            gone,
            // Plain data always has a JSON form.
            next: Cursor(serde_json::to_string(self).unwrap_or_default()),
            more,
        }
    }
}

/// One of the models that move with stock, or with what stock is shown of.
struct Source {
    model: &'static str,
    domain: Vec<Value>,
    fields: &'static [&'static str],
    archived: bool,
}

fn quants() -> Source {
    Source {
        model: "stock.quant",
        domain: vec![json!(["location_id.usage", "in", ["internal", "transit"]])],
        fields: &["product_id", "quantity", "reserved_quantity", "write_date"],
        archived: false,
    }
}

fn source(model: &'static str, fields: &'static [&'static str]) -> Source {
    Source {
        model,
        domain: Vec::new(),
        fields,
        archived: true,
    }
}

/// Every product once, then what may have changed.
pub(in crate::odoo) async fn changes(
    session: &Session,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    let mut place = Place::open(since, overlap, now)?;
    if let Some(last) = place.after {
        let records = super::after(session, last, page).await?;
        let full = records.len() >= page as usize;
        let end = records
            .last()
            .and_then(|record| comptoir_kit::batch::number(&record.id));
        place.after = end.filter(|_| full);
        return Ok(place.page(records, Vec::new(), full));
    }
    let (touched, more) = touched(session, &mut place, overlap, now).await?;
    let ids: Vec<i64> = touched.into_iter().collect();
    let records = super::of_products(session, &ids).await?;
    let there: BTreeSet<&RemoteId> = records.iter().map(|record| &record.id).collect();
    let ids = ids.iter().map(|id| RemoteId(id.to_string()));
    let gone: Vec<RemoteId> = ids.filter(|id| !there.contains(id)).collect();
    Ok(place.page(records, gone, more))
}

/// A page of each stream: the products whose stock may be another now.
async fn touched(
    session: &Session,
    place: &mut Place,
    overlap: Duration,
    now: Timestamp,
) -> Result<(BTreeSet<i64>, bool), Fault> {
    let moves = source(
        "stock.move",
        &["product_id", "state", "product_qty", "write_date"],
    );
    let products = source("product.product", &["default_code", "active", "write_date"]);
    let reads =
        async |source: Source, cursor: &Cursor| read(session, source, cursor, overlap, now).await;
    let (quants, moves, products) = tokio::try_join!(
        reads(quants(), &place.quants),
        reads(moves, &place.moves),
        reads(products, &place.products)
    )?;
    let product = |row: &Moved| target(&row.product_id);
    let mut ids: BTreeSet<i64> = quants.rows.iter().chain(&moves.rows).map(product).collect();
    ids.extend(products.rows.iter().map(|row| row.id));
    let mut more = quants.more || moves.more || products.more;
    (place.quants, place.moves, place.products) = (quants.next, moves.next, products.next);
    if session.version.major < MOVES_FROM {
        let templates = source("product.template", &["active", "write_date"]);
        let templates = reads(templates, &place.templates).await?;
        let changed: Vec<i64> = templates.rows.iter().map(|row| row.id).collect();
        ids.extend(variants(session, &changed).await?);
        more |= templates.more;
        place.templates = templates.next;
    }
    if session.has_kits() {
        more |= kits(session, place, overlap, now, &mut ids).await?;
    }
    ids.remove(&0);
    Ok((ids, more))
}

/// Kits whose bill of materials changed, and those they are in.
async fn kits(
    session: &Session,
    place: &mut Place,
    overlap: Duration,
    now: Timestamp,
    ids: &mut BTreeSet<i64>,
) -> Result<bool, Fault> {
    let boms = source("mrp.bom", &["product_id", "product_tmpl_id", "write_date"]);
    let lines = source(
        "mrp.bom.line",
        &["bom_id", "product_id", "product_qty", "write_date"],
    );
    let read = tokio::try_join!(
        read(session, boms, &place.kits, overlap, now),
        read(session, lines, &place.kit_lines, overlap, now)
    );
    let (boms, lines) = match read {
        Ok(read) => read,
        Err(fault) if session.kits_are_closed(&fault) => return Ok(false),
        Err(fault) => return Err(fault),
    };
    let mut changed: BTreeSet<i64> = boms.rows.iter().map(|row| row.id).collect();
    changed.extend(lines.rows.iter().map(|row| target(&row.bom_id)));
    changed.remove(&0);
    let mut known = BTreeSet::new();
    for _ in 0..DEPTH {
        let products = products_of(session, &changed).await?;
        ids.extend(&products);
        known.extend(std::mem::take(&mut changed));
        let within = used_in(session, &products).await?;
        changed.extend(within.difference(&known));
        if changed.is_empty() {
            break;
        }
    }
    let more = boms.more || lines.more;
    (place.kits, place.kit_lines) = (boms.next, lines.next);
    Ok(more)
}

/// The products that bills of materials are of.
async fn products_of(session: &Session, boms: &BTreeSet<i64>) -> Result<BTreeSet<i64>, Fault> {
    if boms.is_empty() {
        return Ok(BTreeSet::new());
    }
    let domain = json!([["id", "in", boms]]);
    let fields = ["product_id", "product_tmpl_id"];
    let ask = Ask::search("kits", "mrp.bom", domain, &fields)
        .archived_too()
        .priority(Priority::Stock);
    let rows: Vec<Bom> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    let whole = rows.iter().filter(|bom| bom.product_id.is_none());
    let templates: Vec<i64> = whole.map(|bom| target(&bom.product_tmpl_id)).collect();
    let own = rows
        .iter()
        .filter_map(|bom| bom.product_id.as_ref().map(|Link(id, _)| *id));
    let mut products: BTreeSet<i64> = own.collect();
    products.extend(variants(session, &templates).await?);
    Ok(products)
}

/// The bills of materials that products are used in.
async fn used_in(session: &Session, products: &BTreeSet<i64>) -> Result<BTreeSet<i64>, Fault> {
    if products.is_empty() {
        return Ok(BTreeSet::new());
    }
    let domain = json!([["product_id", "in", products]]);
    let ask = Ask::search("kits", "mrp.bom.line", domain, &["bom_id"]).priority(Priority::Stock);
    let rows: Vec<BomLine> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    Ok(rows.iter().map(|row| target(&row.bom_id)).collect())
}

/// The variants of templates, archived ones too.
async fn variants(session: &Session, templates: &[i64]) -> Result<Vec<i64>, Fault> {
    if templates.is_empty() {
        return Ok(Vec::new());
    }
    let domain = json!([["product_tmpl_id", "in", templates]]);
    let ask = Ask::search(
        "stock.variants",
        "product.product",
        domain,
        &["product_tmpl_id"],
    )
    .archived_too()
    .priority(Priority::Stock);
    let rows: Vec<Goods> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// A page of one stream.
struct Read {
    rows: Vec<Moved>,
    next: Cursor,
    more: bool,
}

async fn read(
    session: &Session,
    source: Source,
    since: &Cursor,
    overlap: Duration,
    now: Timestamp,
) -> Result<Read, Fault> {
    let cursor = TimestampCursor::open(since, overlap, now)?;
    let mut domain = source.domain;
    if let Some(from) = cursor.from() {
        domain.push(json!(["write_date", ">=", time::spaced(from)]));
    }
    let mut ask = Ask::search("stock.changes", source.model, json!(domain), source.fields)
        .option("order", json!("write_date,id"))
        .option("limit", json!(ROWS))
        .option("offset", json!(cursor.offset()))
        .priority(Priority::Stock);
    if source.archived {
        ask = ask.archived_too();
    }
    let rows: Vec<Moved> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    let stamps: Vec<Stamp> = rows.iter().map(stamp).collect();
    let taken = cursor.take(&stamps, rows.len() >= ROWS as usize);
    let fresh = rows
        .into_iter()
        .zip(&taken.fresh)
        .filter(|(_, fresh)| **fresh);
    Ok(Read {
        rows: fresh.map(|(row, _)| row).collect(),
        next: taken.next,
        more: taken.more,
    })
}

/// What is remembered of a row. A second holds several changes of one, so what it says is part of its version.
fn stamp(row: &Moved) -> Stamp {
    let says = format!(
        "{}/{}/{}/{}/{}/{}/{:?}",
        row.write_date,
        row.quantity,
        row.reserved_quantity,
        row.product_qty,
        row.state,
        row.default_code,
        row.active
    );
    Stamp {
        id: row.id.to_string(),
        version: Digest::of(says.as_bytes()).to_string()[..8].to_owned(),
        at: time::utc(&row.write_date).ok(),
    }
}
