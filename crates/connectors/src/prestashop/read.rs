//! Changes and reads by id.

use super::ask::{List, Mark, Row};
use super::local::{wall, written};
use super::wire::{CUSTOMER, ORDER};
use super::{Shop, keep, product};
use comptoir_kit::decode;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An item of a list, decoded or not.
pub(super) type Item = Result<Record, Unreadable>;

/// Where reading one list stands, by the shop's wall clock.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListCursor {
    at: Cursor,
    /// How much longer the overlap is until the reading under way ends, in seconds: it may have begun before the clocks went back.
    extra: u64,
}

/// Where reading a kind stands. A credit slip does not move its order's time of change, so slips are a list of their own.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindCursor {
    v: u8,
    list: ListCursor,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slips: Option<ListCursor>,
}

impl ListCursor {
    fn at(at: Cursor) -> Self {
        ListCursor { at, extra: 0 }
    }
}

impl KindCursor {
    /// `began` is the wall time before which a first reading of orders meets every credit slip with its order.
    pub(super) fn open(since: &Cursor, kind: Kind, began: Timestamp) -> Result<Self, Fault> {
        if since.is_start() {
            return Ok(KindCursor {
                v: 1,
                list: ListCursor::at(Cursor::start()),
                slips: (kind == Kind::Order).then(|| ListCursor::at(TimestampCursor::since(began))),
            });
        }
        serde_json::from_str(&since.0)
            .ok()
            .filter(|cursor: &KindCursor| {
                cursor.v == 1 && cursor.slips.is_some() == (kind == Kind::Order)
            })
            .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))
    }

    pub(super) fn close(&self) -> Cursor {
        // Plain data always has a JSON form.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }
}

/// A page of one list, oldest change first.
struct Batch {
    items: Vec<Item>,
    more: bool,
    next: ListCursor,
}

/// An item that cannot be read, from its main row.
pub(super) fn unreadable(json: &str, id: Option<RemoteId>, fault: Fault) -> Unreadable {
    let own = || {
        let mark = decode::json::<Mark>(json.as_bytes()).ok()?;
        Some(mark.id)
            .filter(|id| !id.is_empty())
            .map(RemoteId::from)
    };
    Unreadable {
        id: id.or_else(own),
        fault: Fault {
            code: Code::Unreadable,
            ..fault
        },
        raw: keep::raw(json),
    }
}

/// What the cursor needs to know of an item. The shop's time of change has whole seconds, so a digest tells two changes of one second apart.
fn stamp(item: &Item) -> Stamp {
    match item {
        Ok(record) => {
            let digest = Digest::of(&record.document.to_json()).to_string();
            Stamp {
                id: record.id.to_string(),
                version: format!("{} {}", record.version, &digest[..16]),
                at: wall(&record.version),
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
                at: mark.and_then(|mark| wall(&mark.date_upd)),
            }
        }
    }
}

impl Shop {
    /// Where to begin for what has changed since an instant.
    pub(super) fn since(&self, kind: Kind, at: Timestamp) -> Cursor {
        let list = ListCursor::at(TimestampCursor::since(self.clock.earliest_wall(at)));
        KindCursor {
            v: 1,
            slips: (kind == Kind::Order).then(|| list.clone()),
            list,
        }
        .close()
    }

    /// A wall time that is surely past in the shop, whatever its clock says.
    fn a_day_ago(&self) -> Timestamp {
        let now = self.clock.wall(self.kit.clock.now());
        now.checked_sub(SignedDuration::from_hours(24))
            .unwrap_or(now)
    }

    /// Orders, and at the end of their list those that got a credit slip meanwhile.
    pub(super) async fn order_changes(&self, since: &Cursor) -> Result<Page, Fault> {
        let mut cursor = KindCursor::open(since, Kind::Order, self.a_day_ago())?;
        let orders = self.batch(Kind::Order, &cursor.list).await?;
        cursor.list = orders.next;
        let (mut items, mut more) = (orders.items, orders.more);
        if let Some(slips) = cursor.slips.as_mut().filter(|_| !more) {
            let batch = self.batch(Kind::Refund, slips).await?;
            *slips = batch.next;
            more = batch.more;
            items.extend(self.orders_of(batch.items, &items).await?);
        }
        Ok(Page {
            items,
            gone: Vec::new(),
            next: cursor.close(),
            more,
        })
    }

    /// Refunds, customers, products: by their own time of change.
    pub(super) async fn plain_changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        let mut cursor = KindCursor::open(since, kind, self.a_day_ago())?;
        let (items, more) = self.next_batch(kind, &mut cursor).await?;
        let items = match kind {
            Kind::Product => self.with_combinations(items).await?,
            _ => items,
        };
        Ok(Page {
            items,
            gone: Vec::new(),
            next: cursor.close(),
            more,
        })
    }

    /// The next items of a kind's list, and whether more wait.
    pub(super) async fn next_batch(
        &self,
        kind: Kind,
        cursor: &mut KindCursor,
    ) -> Result<(Vec<Item>, bool), Fault> {
        let batch = self.batch(kind, &cursor.list).await?;
        cursor.list = batch.next;
        Ok((batch.items, batch.more))
    }

    /// The orders of credit slips, without those that the page has already.
    async fn orders_of(&self, slips: Vec<Item>, known: &[Item]) -> Result<Vec<Item>, Fault> {
        let known: BTreeSet<RemoteId> = known.iter().filter_map(id_of).collect();
        let orders: BTreeSet<RemoteId> = slips
            .iter()
            .filter_map(order_of)
            .filter(|order| !known.contains(order))
            .collect();
        let ids: Vec<&str> = orders.iter().map(RemoteId::as_str).collect();
        let rows = self.rows_by(self.list(Kind::Order), "id", &ids).await?;
        self.items(Kind::Order, &rows).await
    }

    async fn batch(&self, kind: Kind, since: &ListCursor) -> Result<Batch, Fault> {
        let now = self.kit.clock.now();
        let extra = self.clock.extra_overlap(now).as_secs();
        let longer = Duration::from_secs(extra.max(since.extra));
        let overlap = self.settings.overlap() + longer;
        let cursor = TimestampCursor::open(&since.at, overlap, self.clock.wall(now))?;
        let size = self.settings.page_size;
        let mut list = self
            .list(kind)
            .sorted("[date_upd_ASC,id_ASC]")
            .dated()
            .limited(cursor.offset(), size);
        let after = cursor.from().map(just_before);
        if let Some(after) = after {
            list = list.after(&written(after));
        }
        let rows = self.rows(list).await?;
        let items = self.items(kind, &rows).await?;
        let stamps: Vec<Stamp> = items.iter().map(stamp).collect();
        refuse_deaf_shop(&stamps, after)?;
        let taken = cursor.take(&stamps, rows.len() >= size as usize);
        let fresh = items.into_iter().zip(taken.fresh);
        Ok(Batch {
            items: fresh
                .filter(|(_, fresh)| *fresh)
                .map(|(item, _)| item)
                .collect(),
            more: taken.more,
            next: ListCursor {
                at: taken.next,
                extra: if taken.more { longer.as_secs() } else { extra },
            },
        })
    }

    /// The list of a kind.
    pub(super) fn list(&self, kind: Kind) -> List {
        let list = match kind {
            Kind::Customer => List::of("customers.list", "customers", CUSTOMER),
            Kind::Product => {
                List::of("products.list", "products", super::wire::PRODUCT).catalogue()
            }
            Kind::Refund => List::of("slips.list", "order_slip", "full"),
            _ => List::of("orders.list", "orders", ORDER),
        };
        match self.settings.shop_id {
            // Orders name their shop, and so do the products the orders of a shop can have: the parameter alone does for those.
            Some(shop) if kind == Kind::Order => list.one_of("id_shop", &[&shop.to_string()]),
            _ => list,
        }
    }

    /// The items of rows of a kind.
    async fn items(&self, kind: Kind, rows: &[Row]) -> Result<Vec<Item>, Fault> {
        match kind {
            _ if rows.is_empty() => Ok(Vec::new()),
            Kind::Customer => self.customers(rows).await,
            Kind::Refund => self.refunds(rows).await,
            Kind::Product => {
                let item = |row: &Row| {
                    product::product(row.get()).map_err(|fault| unreadable(row.get(), None, fault))
                };
                Ok(rows.iter().map(item).collect())
            }
            _ => self.orders(rows).await,
        }
    }

    /// Records by id, in lists.
    pub(super) async fn read_by_id(
        &self,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<Seen>, Fault> {
        let combined = |id: &RemoteId| kind == Kind::Product && product::product_of(id).1;
        let mains: BTreeSet<&str> = ids
            .iter()
            .map(|id| match kind {
                Kind::Product => product::product_of(id).0,
                _ => id.as_str(),
            })
            .filter(|id| is_number(id))
            .collect();
        let mains: Vec<&str> = mains.into_iter().collect();
        let rows = self.rows_by(self.list(kind), "id", &mains).await?;
        let mut items = self.items(kind, &rows).await?;
        if ids.iter().any(combined) {
            items = self.with_combinations(items).await?;
        }
        let mut found: BTreeMap<RemoteId, Item> = items
            .into_iter()
            .filter_map(|item| Some((id_of(&item)?, item)))
            .collect();
        Ok(ids.iter().map(|id| as_seen(id, found.remove(id))).collect())
    }
}

/// The id of an item.
pub(super) fn id_of(item: &Item) -> Option<RemoteId> {
    match item {
        Ok(record) => Some(record.id.clone()),
        Err(unreadable) => unreadable.id.clone(),
    }
}

/// The order of a credit slip, of one that cannot be read too.
fn order_of(slip: &Item) -> Option<RemoteId> {
    let raw = match slip {
        Ok(record) => record.raw.as_deref()?,
        Err(unreadable) => &unreadable.raw,
    };
    let mark: Mark = decode::json(raw.as_bytes()).ok()?;
    Some(mark.id_order)
        .filter(|id| is_number(id))
        .map(RemoteId::from)
}

fn as_seen(id: &RemoteId, item: Option<Item>) -> Seen {
    match item {
        Some(Ok(record)) => Seen::Record(Box::new(record)),
        Some(Err(unreadable)) => Seen::Unreadable(Box::new(Unreadable {
            id: Some(id.clone()),
            ..unreadable
        })),
        None => Seen::Gone(id.clone()),
    }
}

/// Whether an id can be one of this shop.
pub(super) fn is_number(id: &str) -> bool {
    !id.is_empty() && id.len() <= 18 && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// A second earlier: the shop's clock ticks in seconds and its filter leaves out the time itself.
fn just_before(at: Timestamp) -> Timestamp {
    at.checked_sub(SignedDuration::from_secs(1)).unwrap_or(at)
}

/// A shop that ignores the filter, as it does with those it does not understand, would be read from the start for ever.
fn refuse_deaf_shop(stamps: &[Stamp], after: Option<Timestamp>) -> Result<(), Fault> {
    let first = stamps.iter().find_map(|stamp| stamp.at);
    match (first, after) {
        (Some(first), Some(after)) if first <= after => Err(Fault::locked(
            Code::UnsupportedVersion,
            "the shop ignores the time that changes are asked from; PrestaShop 1.7 or later is needed, without a module that rewrites lists",
        )),
        _ => Ok(()),
    }
}
