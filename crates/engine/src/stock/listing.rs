//! Reading stock, on either side: what changed as often as the flows say, and everything once a night.

use super::pass::PASS;
use super::side::Side;
use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::observe::{Observed, Stopped};
use crate::point::Point;
use crate::retry;
use crate::schedule;
use comptoir_model::key::{FlowName, Kind};
use comptoir_model::port::{Cursor, Page, Seen};
use comptoir_store::{Commit, Ownership, StoreError, StreamPut};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a shop's own stock is looked at for new items, and for what others changed there.
const SHOP_MS: i64 = 15 * 60_000;
/// So long pages are read on end before orders and shipments have their turn again.
const ON_END: Duration = Duration::from_secs(1);
/// So many items that are news make a pass worth it before the reading is at its end.
const FULL: usize = PASS;

/// What a stream of stock remembers beside its cursor.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Listing {
    /// The flows that read it.
    flows: BTreeSet<FlowName>,
    /// When the last reading of everything began (unix ms).
    whole_since: i64,
    /// Whether that has ended.
    ended: bool,
}

/// The flows of stock that a connection is a side of.
pub fn flows(hub: &Hub, connection: &Connection) -> Vec<Arc<Flow>> {
    let of_stock = hub.working().filter(|flow| flow.kind == Kind::Stock);
    let sides =
        of_stock.filter(|flow| flow.source == connection.name || flow.target == connection.name);
    sides.cloned().collect()
}

/// Reads a connection's stock page by page when its time has come or a hint asks for it.
///
/// # Errors
/// The system's, or the store's.
pub async fn poll(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    hinted: bool,
    observed: &mut Observed,
) -> Result<(), Stopped> {
    let flows = flows(hub, connection);
    let reads = connection.connector.capabilities().reads(Kind::Stock);
    if flows.is_empty() || !reads.is_some_and(|reads| reads.changes) {
        return Ok(());
    }
    let now = hub.store.now().await?;
    let row = hub.store.stream(&connection.name, Kind::Stock).await?;
    let mut listing: Listing = row
        .as_ref()
        .and_then(|row| serde_json::from_str(&row.readers).ok())
        .unwrap_or_default();
    let names: BTreeSet<FlowName> = flows.iter().map(|flow| flow.name.clone()).collect();
    let compare = flows.iter().map(|flow| {
        let minute = schedule::minute_of_day(&flow.stock.compare_at);
        schedule::next_at(flow, minute.unwrap_or_default(), listing.whole_since)
    });
    let compare = compare.min().unwrap_or(i64::MAX);
    let anew =
        row.is_none() || !names.is_subset(&listing.flows) || (listing.ended && compare <= now);
    let (mut stands, cursor, next_at) = match row {
        Some(row) if anew => (row.cursor, Cursor::start(), 0),
        Some(row) => (row.cursor.clone(), row.cursor, row.next_at),
        None => (Cursor::start(), Cursor::start(), 0),
    };
    let sooner = |at: i64, observed: &mut Observed| {
        observed.next_at = Some(observed.next_at.map_or(at, |known| known.min(at)));
    };
    if next_at > now && !hinted {
        sooner(next_at.min(compare), observed);
        return Ok(());
    }
    if anew {
        listing.whole_since = now;
        listing.ended = false;
    }
    listing.flows = names;
    let until = Instant::now() + ON_END;
    let mut page = read_page(hub, connection, &cursor).await?;
    loop {
        observed.calls += 1;
        let more = page.page.more;
        let next = page.page.next.clone();
        let began = page.began;
        let last = !more || Instant::now() >= until;
        connection.reads_on(more);
        let side = Side {
            hub,
            connection,
            flows: &flows,
            whole: !listing.ended,
        };
        let whole_ends = !more && !listing.ended;
        let next_at = if more {
            began
        } else {
            next_poll(connection, &flows, began)
        };
        let store = async {
            let mut commit = side.commit(page.page, began).await?;
            hub.breakpoints.pass(Point::PageRead).await;
            let news = commit.due.len() + commit.stir.len();
            listing.ended |= whole_ends;
            commit.stream = Some(StreamPut {
                connection: connection.name.clone(),
                kind: Kind::Stock,
                read_from: Some(stands.clone()),
                cursor: next.clone(),
                readers: serde_json::to_string(&listing).unwrap_or_default(),
                next_at,
                last_new: (!commit.due.is_empty()).then_some(began),
            });
            if !more {
                commit.hints_read = vec![(connection.name.clone(), Kind::Stock, None, began)];
            }
            hub.store.commit(Some(ownership), commit).await?;
            hub.breakpoints.pass(Point::PageStored).await;
            if whole_ends {
                side.forget(listing.whole_since, ownership).await?;
            }
            Ok::<_, Stopped>(news)
        };
        // The next page is on its way while this one is stored.
        let ahead = async {
            match last {
                true => None,
                false => Some(read_page(hub, connection, &next).await),
            }
        };
        let (stored, ahead) = tokio::join!(store, ahead);
        let news = stored?;
        observed.changed += news;
        if connection.gather(news) >= FULL || !more {
            connection.gathered();
            ring(hub, &flows);
        }
        match ahead {
            Some(read) => page = read?,
            None => {
                sooner(next_at, observed);
                return Ok(());
            }
        }
        stands = next;
    }
}

/// A page as it came, and when its reading began (unix ms).
struct Paged {
    began: i64,
    page: Page,
}

async fn read_page(hub: &Hub, connection: &Connection, from: &Cursor) -> Result<Paged, Stopped> {
    let began = hub.store.now().await?;
    let read = || connection.connector.changes(Kind::Stock, from);
    let page = retry::read(&hub.patience, read).await;
    // Whoever waits for more to come must not wait for a system that fails.
    let page = page.inspect_err(|_| connection.reads_on(false));
    let page = page.map_err(Stopped::Fault)?;
    Ok(Paged { began, page })
}

/// When a connection's stock is read again: as a source as often as its flows say, as a target now and then.
fn next_poll(connection: &Connection, flows: &[Arc<Flow>], now: i64) -> i64 {
    let next = flows.iter().map(|flow| {
        if flow.source == connection.name {
            schedule::next_poll(flow, now)
        } else {
            now + SHOP_MS
        }
    });
    next.min().unwrap_or(now + SHOP_MS)
}

fn ring(hub: &Hub, flows: &[Arc<Flow>]) {
    for flow in flows {
        if let Some(target) = hub.connections.get(&flow.target) {
            target.due.notify_one();
        }
    }
}

/// Notes items that were read by their ids because a hint named them.
///
/// # Errors
/// The store's.
pub async fn take(
    hub: &Hub,
    connection: &Connection,
    seen: Vec<Seen>,
    began: i64,
) -> Result<Commit, StoreError> {
    let mut page = Page {
        items: Vec::new(),
        gone: Vec::new(),
        next: Cursor::start(),
        more: false,
    };
    for seen in seen {
        match seen {
            Seen::Record(record) => page.items.push(Ok(*record)),
            Seen::Unreadable(item) => page.items.push(Err(*item)),
            Seen::Gone(id) => page.gone.push(id),
        }
    }
    let flows = flows(hub, connection);
    let side = Side {
        hub,
        connection,
        flows: &flows,
        whole: false,
    };
    side.commit(page, began).await
}
