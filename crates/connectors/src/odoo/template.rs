//! Products of 16: a change of the template (a name, a price) does not move its variants' `write_date`, so both are polled.

use super::read::{self, Item};
use super::rpc::Ask;
use super::session::Session;
use super::wire::{Brief, Raw};
use super::{fault, wire};
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::time;
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::port::{Cursor, Page};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// The first version whose variants move with their template (measured on 17.0, 18.0 and 19.0).
pub(super) const MOVES_FROM: u32 = 17;

/// Two cursors in one.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Both {
    variants: Cursor,
    templates: Cursor,
}

/// Where the reading of variants stands, also by a cursor that both were polled with: Odoo has been upgraded since.
pub(super) fn of_variants(since: &Cursor) -> Cursor {
    serde_json::from_str(&since.0).map_or_else(|_| since.clone(), |both: Both| both.variants)
}

/// A page of variants, and once there is no more of them a page of variants whose template changed.
pub(super) async fn changes(
    session: &Session,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    let mut both: Both = if since.is_start() {
        Both::default()
    } else {
        serde_json::from_str(&since.0)
            .map_err(|_| Fault::bug("the stored cursor is not one of Odoo's products"))?
    };
    let product = Kind::Product;
    let mut read = read::stream(session, product, &both.variants, overlap, page, now).await?;
    both.variants = read.next;
    if !read.more {
        let templates = templates(session, &both.templates, overlap, page, now).await?;
        let known = |item: &Item| {
            let id = |item: &Item| item.as_ref().ok().map(|record| record.id.clone());
            read.items
                .iter()
                .any(|other| id(other).is_some() && id(other) == id(item))
        };
        let further: Vec<Item> = templates
            .items
            .into_iter()
            .filter(|item| !known(item))
            .collect();
        read.items.extend(further);
        (both.templates, read.more) = (templates.next, templates.more);
    }
    read.next = Cursor(serde_json::to_string(&both).unwrap_or_default());
    Ok(read)
}

async fn templates(
    session: &Session,
    since: &Cursor,
    overlap: Duration,
    page: u32,
    now: Timestamp,
) -> Result<Page, Fault> {
    // The first reading of variants has everything; from then on counts what changes.
    let first = now.checked_sub(overlap).ok();
    let cursor = TimestampCursor::open_from(since, first, overlap, now)?;
    let from = cursor.from().unwrap_or(now);
    let domain = json!([["write_date", ">=", time::spaced(from)]]);
    let ask = Ask::search("changes", "product.template", domain, &["write_date"])
        .option("order", json!("write_date,id"))
        .option("limit", json!(page))
        .option("offset", json!(cursor.offset()))
        .archived_too()
        .priority(Priority::Catalogue);
    let rows: Vec<Brief> = session.rpc.call(ask).await.map_err(fault::of_everything)?;
    let stamp = |row: &Brief| Stamp {
        id: row.id.to_string(),
        version: row.write_date.clone(),
        at: time::utc(&row.write_date).ok(),
    };
    let stamps: Vec<Stamp> = rows.iter().map(stamp).collect();
    let taken = cursor.take(&stamps, rows.len() >= page as usize);
    let fresh = rows.iter().zip(&taken.fresh).filter(|(_, fresh)| **fresh);
    let changed: Vec<i64> = fresh.map(|(row, _)| row.id).collect();
    let mut items = Vec::new();
    if !changed.is_empty() {
        let domain = json!([["product_tmpl_id", "in", changed]]);
        let fields = super::session::present(&session.known.product, wire::PRODUCT);
        let ask = Ask::search("changes", "product.product", domain, &fields)
            .archived_too()
            .priority(Priority::Catalogue);
        let rows: Raw = session.rpc.call(ask).await.map_err(fault::of_everything)?;
        items = rows
            .iter()
            .map(|row| read::plain(Kind::Product, row).1)
            .collect();
    }
    Ok(Page {
        items,
        gone: Vec::new(),
        next: taken.next,
        more: taken.more,
    })
}
