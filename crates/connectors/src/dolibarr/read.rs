//! Reading: changes by `tms`, and records by id.

use super::api::{Api, List};
use super::filter;
use super::map::{self, Held};
use super::wire::{self, Brief, Raw};
use comptoir_kit::batch::number;
use comptoir_kit::decode;
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::money::Currency;
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// One record: decoded, or why not.
pub(super) type Item = Result<Record, Unreadable>;

/// The part of the API that has a kind.
///
/// # Errors
/// A bug fault for a kind that is not read here.
pub(super) fn path(kind: Kind) -> Result<&'static str, Fault> {
    match kind {
        Kind::Order => Ok("orders"),
        Kind::Customer => Ok("thirdparties"),
        Kind::Product => Ok("products"),
        other => Err(Fault::bug(format!("Dolibarr's {other} is not read"))),
    }
}

fn priority(path: &str) -> Priority {
    match path {
        "products" => Priority::Catalogue,
        _ => Priority::Orders,
    }
}

/// What changed since a cursor, oldest first.
pub(super) async fn changes(
    api: &Api,
    kind: Kind,
    since: &Cursor,
    page: usize,
) -> Result<Page, Fault> {
    let path = path(kind)?;
    let overlap = Duration::from_secs(api.settings.overlap_seconds.into());
    let cursor = TimestampCursor::open(since, overlap, api.clock.now())?;
    let zone = api.zone();
    let filter = cursor.from().map(|from| filter::since(from, &zone));
    let window = Window {
        path,
        filter: filter.as_deref().unwrap_or_default(),
        offset: cursor.offset() as usize,
        limit: page,
        priority: priority(path),
    };
    let rows = self::window(api, window).await?;
    let full = rows.len() >= page;
    let mut stamps = Vec::with_capacity(rows.len());
    let mut items = Vec::with_capacity(rows.len());
    for row in &rows {
        let brief = brief(row);
        let item = item(path, row, api.settings.currency);
        stamps.push(Stamp {
            id: brief.id.to_string(),
            version: match &item {
                Ok(record) => record.version.clone(),
                Err(unreadable) => Digest::of(unreadable.raw.as_bytes()).to_string(),
            },
            at: map::instant(&brief.date_modification, &zone),
        });
        items.push(item);
    }
    let taken = cursor.take(&stamps, full);
    let fresh = items.into_iter().zip(&taken.fresh);
    Ok(Page {
        items: fresh
            .filter(|(_, fresh)| **fresh)
            .map(|(item, _)| item)
            .collect(),
        gone: Vec::new(),
        next: taken.next,
        more: taken.more,
    })
}

/// Rows of a part of the API, oldest change first.
pub(super) struct Window<'a> {
    /// The part.
    pub(super) path: &'a str,
    /// `sqlfilters`, or empty.
    pub(super) filter: &'a str,
    /// Rows before the first.
    pub(super) offset: usize,
    /// Rows at most.
    pub(super) limit: usize,
    /// Its place in the queue.
    pub(super) priority: Priority,
}

/// So many rows from an offset on. Dolibarr counts in whole pages, so an offset between two takes both.
pub(super) async fn window(api: &Api, window: Window<'_>) -> Result<Raw, Fault> {
    let Window { offset, limit, .. } = window;
    let list = List {
        page: offset / limit,
        filter: window.filter,
        by_time: true,
        priority: window.priority,
        ..List::of("changes", window.path, limit)
    };
    let skip = offset % limit;
    let mut rows = api.list(list).await?;
    if skip > 0 && rows.len() >= limit {
        let next = List {
            page: list.page + 1,
            ..list
        };
        rows.extend(api.list(next).await?);
    }
    rows.drain(..skip.min(rows.len()));
    rows.truncate(limit);
    Ok(rows)
}

/// What is looked at of a row before it is decoded.
pub(super) fn brief(row: &RawValue) -> Brief {
    serde_json::from_str(row.get()).unwrap_or_default()
}

/// A row of a part of the API as a record.
pub(super) fn item(path: &str, row: &RawValue, books: Currency) -> Item {
    let raw = row.get();
    let bytes = raw.as_bytes();
    let record = match path {
        "orders" => held(row).and_then(|held| map::record(&held, books)),
        "thirdparties" => {
            decode::json(bytes).map(|wire: wire::Party| map::third_party(&wire, raw.to_owned()))
        }
        "contacts" => {
            decode::json(bytes).map(|wire: wire::Party| map::contact(&wire, raw.to_owned()))
        }
        _ => decode::json(bytes).map(|wire: wire::Product| map::product(&wire, raw.to_owned())),
    };
    record.map_err(|fault| Unreadable {
        id: Some(brief(row).id)
            .filter(|id| *id > 0)
            .map(|id| RemoteId(named(path, id))),
        fault: Fault {
            code: Code::Unreadable,
            ..fault
        },
        raw: raw.to_owned(),
    })
}

fn named(path: &str, id: i64) -> String {
    match path {
        "contacts" => format!("{}{id}", map::CONTACT),
        _ => id.to_string(),
    }
}

/// An order's row, decoded.
pub(super) fn held(row: &RawValue) -> Result<Held, Fault> {
    Ok(Held {
        order: decode::json(row.get().as_bytes())?,
        raw: row.get().to_owned(),
    })
}

/// Records by id. A list leaves out what is not there as well as what the user may not see, so what is missing is asked for by itself.
pub(super) async fn by_ids(api: &Api, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
    let path = path(kind)?;
    let numbers: Vec<i64> = ids.iter().filter_map(number).collect();
    let mut found = of_path(api, path, &numbers).await?;
    if kind == Kind::Customer {
        let contacts: Vec<i64> = ids.iter().filter_map(map::contact_number).collect();
        found.extend(of_path(api, "contacts", &contacts).await?);
    }
    let mut answered = BTreeSet::new();
    Ok(ids
        .iter()
        .filter(|id| answered.insert((*id).clone()))
        .map(|id| found.remove(id).unwrap_or_else(|| Seen::Gone(id.clone())))
        .collect())
}

async fn of_path(api: &Api, path: &str, numbers: &[i64]) -> Result<HashMap<RemoteId, Seen>, Fault> {
    let mut found = HashMap::new();
    for row in rows(api, path, numbers).await? {
        let id = RemoteId(named(path, brief(&row).id));
        found.insert(id, seen(item(path, &row, api.settings.currency)));
    }
    for number in numbers {
        let id = RemoteId(named(path, *number));
        if found.contains_key(&id) {
            continue;
        }
        let one: Result<Box<RawValue>, Fault> =
            api.get("read", &format!("{path}/{number}"), &[]).await;
        let seen = match one {
            Ok(row) => seen(item(path, &row, api.settings.currency)),
            Err(fault) if fault.next == Next::Gone => Seen::Gone(id.clone()),
            Err(fault) if fault.next == Next::Refused => Seen::Unreadable(Box::new(Unreadable {
                id: Some(id.clone()),
                fault,
                raw: String::new(),
            })),
            Err(fault) => return Err(fault),
        };
        found.insert(id, seen);
    }
    Ok(found)
}

async fn rows(api: &Api, path: &str, numbers: &[i64]) -> Result<Raw, Fault> {
    if numbers.is_empty() {
        return Ok(Raw::new());
    }
    let filter = filter::ids(numbers);
    let list = List {
        filter: &filter,
        priority: priority(path),
        ..List::of("read", path, numbers.len())
    };
    api.list(list).await
}

/// An item as an answer to a question by id.
pub(super) fn seen(item: Item) -> Seen {
    match item {
        Ok(record) => Seen::Record(Box::new(record)),
        Err(unreadable) => Seen::Unreadable(Box::new(unreadable)),
    }
}

/// Orders as they stand now. What is not there or cannot be decoded is left out.
pub(super) async fn orders(api: &Api, ids: &[i64]) -> Result<HashMap<i64, Held>, Fault> {
    let rows = rows(api, "orders", ids).await?;
    let held = rows.iter().filter_map(|row| {
        let held = held(row).ok()?;
        Some((held.order.id, held))
    });
    Ok(held.collect())
}
