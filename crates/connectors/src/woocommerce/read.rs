//! Changes and reads by id.

use super::settings::Settings;
use super::wire::{Mark, ProductWire};
use super::{Shop, keep, map, party, path, stock};
use comptoir_kit::decode;
use comptoir_kit::http::{Answer, Call, Priority, encode};
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_kit::time;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// An item of a list, decoded or not.
pub(super) type Item = Result<Record, Unreadable>;

/// Ids per list by id.
pub(super) const IDS: usize = 100;

/// Products per page: each variable one costs a call more.
const PRODUCTS: u32 = 50;

/// Variations of one product at most, in pages of 100.
const VARIATION_PAGES: usize = 20;

/// Where reading orders stands: the shop's list leaves out the trash, which is a list of its own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderCursor {
    v: u8,
    live: Cursor,
    trash: Cursor,
}

impl OrderCursor {
    fn open(since: &Cursor) -> Result<Self, Fault> {
        if since.is_start() {
            return Ok(OrderCursor {
                v: 1,
                live: Cursor::start(),
                trash: Cursor::start(),
            });
        }
        serde_json::from_str(&since.0)
            .ok()
            .filter(|cursor: &OrderCursor| cursor.v == 1)
            .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))
    }

    fn close(&self) -> Cursor {
        // Plain data always has a JSON form.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }
}

/// The resource of a kind.
pub(super) fn resource(kind: Kind) -> &'static str {
    match kind {
        Kind::Customer => "customers",
        Kind::Product => "products",
        _ => "orders",
    }
}

/// One item of a list.
pub(super) fn item(kind: Kind, json: &str, settings: &Settings) -> Item {
    let decoded = match kind {
        Kind::Customer => party::customer(json, settings),
        Kind::Product => party::product(json, settings),
        _ => map::order(json, settings),
    };
    decoded.map_err(|fault| unreadable(json, fault))
}

pub(super) fn unreadable(json: &str, fault: Fault) -> Unreadable {
    let mark = decode::json::<Mark>(json.as_bytes()).ok();
    Unreadable {
        id: mark.map(|mark| mark.id),
        fault: Fault {
            code: Code::Unreadable,
            ..fault
        },
        raw: keep::raw(json),
    }
}

/// The items of an answer, each as its own JSON.
pub(super) fn items_of(answer: &Answer) -> Result<Vec<&RawValue>, Fault> {
    answer.json()
}

/// Where to begin for what has changed since an instant.
pub(super) fn cursor_since(kind: Kind, at: Timestamp) -> Cursor {
    let since = TimestampCursor::since(at);
    match kind {
        Kind::Order => OrderCursor {
            v: 1,
            live: since.clone(),
            trash: since,
        }
        .close(),
        Kind::Product => since,
        Kind::Stock => stock::cursor_since(&since),
        _ => Cursor::start(),
    }
}

/// What the cursor needs to know of an item. The shop's time of change has whole seconds, so a digest tells two changes of one second apart.
fn stamp(item: &Item, json: &str) -> Stamp {
    match item {
        Ok(record) => {
            // Of what is kept of the shop's own text, where it is kept.
            let raw = record.raw.as_deref().unwrap_or(json);
            let digest = Digest::of(raw.as_bytes()).to_string();
            Stamp {
                id: record.id.to_string(),
                version: format!("{} {}", record.version, &digest[..16]),
                at: party::modified(&record.version),
            }
        }
        Err(unreadable) => {
            let digest = Digest::of(unreadable.raw.as_bytes()).to_string();
            let mark = decode::json::<Mark>(unreadable.raw.as_bytes()).ok();
            Stamp {
                id: match &unreadable.id {
                    Some(id) => id.to_string(),
                    None => digest.clone(),
                },
                version: digest,
                at: mark.and_then(|mark| party::modified(&mark.date_modified_gmt)),
            }
        }
    }
}

/// A page of one list, oldest change first.
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    pub(super) more: bool,
    pub(super) next: Cursor,
}

impl Shop {
    /// Orders, then the trash. The trash is read when the list is at its end, so it costs one small call per poll.
    pub(super) async fn order_changes(&self, since: &Cursor) -> Result<Page, Fault> {
        let mut cursor = OrderCursor::open(since)?;
        let size = self.settings.page_size;
        let live = self.batch(Kind::Order, &cursor.live, size, "any").await?;
        cursor.live = live.next;
        let (mut items, mut more) = (live.items, live.more);
        if !more {
            let trash = self
                .batch(Kind::Order, &cursor.trash, size, "trash")
                .await?;
            cursor.trash = trash.next;
            items.extend(trash.items);
            more = trash.more;
        }
        Ok(Page {
            items,
            gone: Vec::new(),
            next: cursor.close(),
            more,
        })
    }

    /// Products, each variable one followed by its variations.
    pub(super) async fn product_changes(&self, since: &Cursor) -> Result<Page, Fault> {
        let size = PRODUCTS.min(self.settings.page_size);
        let batch = self.batch(Kind::Product, since, size, "any").await?;
        let mut items = Vec::new();
        for item in batch.items {
            let parent = item.as_ref().ok().filter(|record| has_variations(record));
            let parent = parent.map(|record| record.id.clone());
            items.push(item);
            if let Some(parent) = parent {
                items.extend(self.variations(&parent).await?);
            }
        }
        Ok(Page {
            items,
            gone: Vec::new(),
            next: batch.next,
            more: batch.more,
        })
    }

    async fn batch(
        &self,
        kind: Kind,
        since: &Cursor,
        size: u32,
        status: &str,
    ) -> Result<Batch, Fault> {
        let what = if kind == Kind::Order {
            "orders.list"
        } else {
            "products.list"
        };
        let call = Call::get(what, path(resource(kind))).query("status", status);
        let call = match kind {
            Kind::Product => call.priority(Priority::Catalogue),
            _ => call.query("dp", 6),
        };
        let decode = |json: &str| item(kind, json, &self.settings);
        self.changed(call, since, size, decode).await
    }

    /// The next page of a list by time of change.
    pub(super) async fn changed(
        &self,
        call: Call,
        since: &Cursor,
        size: u32,
        mut decode: impl FnMut(&str) -> Item,
    ) -> Result<Batch, Fault> {
        let cursor = TimestampCursor::open(since, self.settings.overlap(), self.kit.clock.now())?;
        let mut call = call
            .query("orderby", "modified")
            .query("order", "asc")
            .query("per_page", size)
            .query("offset", cursor.offset());
        let after = cursor.from().map(just_before);
        if let Some(after) = after {
            // Naive UTC with the flag; a `Z` beside the flag would be converted twice. The filter is exclusive.
            call = call
                .query("modified_after", time::naive(after))
                .query("dates_are_gmt", "true");
        }
        let answer = self.ask(call).await?;
        let found = items_of(&answer)?;
        let items: Vec<Item> = found.iter().map(|json| decode(json.get())).collect();
        let stamps: Vec<Stamp> = items
            .iter()
            .zip(&found)
            .map(|(item, json)| stamp(item, json.get()))
            .collect();
        refuse_deaf_shop(&stamps, after)?;
        let full = is_full(&answer, items.len(), size, cursor.offset());
        let taken = cursor.take(&stamps, full);
        let fresh = items.into_iter().zip(taken.fresh);
        Ok(Batch {
            items: fresh
                .filter(|(_, fresh)| *fresh)
                .map(|(item, _)| item)
                .collect(),
            more: taken.more,
            next: taken.next,
        })
    }

    /// The variations of a product.
    async fn variations(&self, product: &RemoteId) -> Result<Vec<Item>, Fault> {
        let decode = |json: &str| item(Kind::Product, json, &self.settings);
        let cut = |call: Call| call.priority(Priority::Catalogue);
        self.variations_of(product, cut, decode).await
    }

    /// The variations of a product, as asked for and decoded by the caller; none when it has gone meanwhile.
    pub(super) async fn variations_of(
        &self,
        product: &RemoteId,
        asked: impl Fn(Call) -> Call,
        decode: impl Fn(&str) -> Item,
    ) -> Result<Vec<Item>, Fault> {
        let mut items = Vec::new();
        for page in 1..=VARIATION_PAGES {
            let resource = format!("products/{}/variations", encode(product.as_str()));
            let call = Call::get("variations.list", path(resource))
                .query("orderby", "id")
                .query("order", "asc")
                .query("per_page", IDS)
                .query("page", page);
            let answer = match self.ask(asked(call)).await {
                Ok(answer) => answer,
                Err(fault) if fault.next == Next::Gone => break,
                Err(fault) => return Err(fault),
            };
            let found = items_of(&answer)?;
            let last = found.len() < IDS;
            items.extend(found.into_iter().map(|json| decode(json.get())));
            if last {
                break;
            }
        }
        Ok(items)
    }

    /// Records by id: lists first, then one by one what no list shows (the trash, variations, users of odd roles).
    pub(super) async fn read_by_id(
        &self,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<Seen>, Fault> {
        let mut found = BTreeMap::new();
        let known: Vec<&RemoteId> = ids.iter().filter(|id| is_number(id)).collect();
        for chunk in known.chunks(IDS) {
            let answer = self.ask(self.list_by_id(kind, chunk)).await?;
            for json in items_of(&answer)? {
                let item = item(kind, json.get(), &self.settings);
                if let Some(id) = id_of(&item) {
                    found.insert(id, item);
                }
            }
        }
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            let item = match found.remove(id) {
                Some(item) => Some(item),
                None if is_number(id) => self.read_alone(kind, id).await?,
                None => None,
            };
            seen.push(as_seen(id, item));
        }
        Ok(seen)
    }

    fn list_by_id(&self, kind: Kind, ids: &[&RemoteId]) -> Call {
        let include: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let call = Call::get("read.list", path(resource(kind)))
            .query("include", include.join(","))
            .query("per_page", ids.len());
        match kind {
            Kind::Customer => call.query("role", "all"),
            Kind::Product => call.priority(Priority::Catalogue),
            _ => call.query("dp", 6),
        }
    }

    async fn read_alone(&self, kind: Kind, id: &RemoteId) -> Result<Option<Item>, Fault> {
        let resource = format!("{}/{}", resource(kind), encode(id.as_str()));
        let mut call = Call::get("read.one", path(resource));
        if kind == Kind::Order {
            call = call.query("dp", 6);
        }
        match self.ask(call).await {
            Ok(answer) => {
                let json: &RawValue = answer.json()?;
                Ok(Some(item(kind, json.get(), &self.settings)))
            }
            Err(fault) if fault.next == Next::Gone => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Refunds by `ORDER-REFUND`. A refund does not name its currency, so its order is asked for it.
    pub(super) async fn read_refunds(&self, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let mut by_order: BTreeMap<&str, BTreeMap<RemoteId, Item>> = BTreeMap::new();
        for id in ids {
            if let Some((order, _)) = refund_parts(id)
                && !by_order.contains_key(order)
            {
                by_order.insert(order, self.refunds_of(order).await?);
            }
        }
        let mut seen = Vec::with_capacity(ids.len());
        for id in ids {
            let item = refund_parts(id)
                .and_then(|(order, _)| by_order.get_mut(order))
                .and_then(|refunds| refunds.remove(id));
            seen.push(as_seen(id, item));
        }
        Ok(seen)
    }

    async fn refunds_of(&self, order: &str) -> Result<BTreeMap<RemoteId, Item>, Fault> {
        let call = Call::get("orders.currency", path(format!("orders/{order}")))
            .query("_fields", "id,currency")
            .priority(Priority::Shipments);
        let answer = match self.ask(call).await {
            Ok(answer) => answer,
            Err(fault) if fault.next == Next::Gone => return Ok(BTreeMap::new()),
            Err(fault) => return Err(fault),
        };
        let mark: Mark = answer.json()?;
        let currency = map::currency_of(&mark.currency)?;
        let call = Call::get("refunds.list", path(format!("orders/{order}/refunds")))
            .query("per_page", IDS)
            .query("dp", 6)
            .priority(Priority::Shipments);
        let answer = match self.ask(call).await {
            Ok(answer) => answer,
            Err(fault) if fault.next == Next::Gone => return Ok(BTreeMap::new()),
            Err(fault) => return Err(fault),
        };
        let mut refunds = BTreeMap::new();
        for json in items_of(&answer)? {
            let item = refund_item(json.get(), &mark.id, currency);
            if let Some(id) = id_of(&item) {
                refunds.insert(id, item);
            }
        }
        Ok(refunds)
    }
}

fn refund_item(json: &str, order: &RemoteId, currency: comptoir_model::money::Currency) -> Item {
    map::refund(json, order, currency).map_err(|fault| {
        let mut unreadable = unreadable(json, fault);
        unreadable.id = unreadable.id.map(|id| map::refund_id(order, &id));
        unreadable
    })
}

pub(super) fn id_of(item: &Item) -> Option<RemoteId> {
    match item {
        Ok(record) => Some(record.id.clone()),
        Err(unreadable) => unreadable.id.clone(),
    }
}

pub(super) fn as_seen(id: &RemoteId, item: Option<Item>) -> Seen {
    match item {
        Some(Ok(record)) => Seen::Record(Box::new(record)),
        Some(Err(unreadable)) => Seen::Unreadable(Box::new(Unreadable {
            id: Some(id.clone()),
            ..unreadable
        })),
        None => Seen::Gone(id.clone()),
    }
}

/// Whether an id can be one of this shop; anything else would be refused with the whole list.
pub(super) fn is_number(id: &RemoteId) -> bool {
    let text = id.as_str();
    !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn refund_parts(id: &RemoteId) -> Option<(&str, &str)> {
    let (order, refund) = id.as_str().split_once('-')?;
    let number = |text: &str| is_number(&RemoteId::from(text));
    (number(order) && number(refund)).then_some((order, refund))
}

fn has_variations(record: &Record) -> bool {
    let raw = record.raw.as_deref().unwrap_or_default();
    decode::json::<ProductWire>(raw.as_bytes())
        .is_ok_and(|wire| wire.kind == "variable" || !wire.variations.is_empty())
}

/// A second earlier: the shop's clock ticks in seconds and its filter leaves out the instant itself.
fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(1)).unwrap_or(at)
}

/// Whether more waits. A page can be short of what was asked for when a plug-in hides some; the shop's count tells.
fn is_full(answer: &Answer, got: usize, size: u32, offset: u64) -> bool {
    let total: Option<u64> = answer
        .header("x-wp-total")
        .and_then(|total| total.trim().parse().ok());
    got >= size as usize || (got > 0 && total.is_some_and(|total| total > offset + got as u64))
}

/// A shop that ignores `modified_after` would be read from the start for ever.
fn refuse_deaf_shop(stamps: &[Stamp], after: Option<Timestamp>) -> Result<(), Fault> {
    let first = stamps.iter().find_map(|stamp| stamp.at);
    match (first, after) {
        (Some(first), Some(after)) if first < after => Err(Fault::locked(
            Code::UnsupportedVersion,
            "the shop ignores the time that changes are asked from; WooCommerce 8 or later is needed, without a plug-in that rewrites lists",
        )),
        _ => Ok(()),
    }
}
