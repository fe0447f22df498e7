//! Writing: what all writes share, and creating.

use super::load::{Entry, load};
use super::map::{self, Held};
use super::session::Session;
use super::{action, external, key, order, partner, read, update};
use comptoir_kit::batch::{self, Results, fail_rest, finished, number};
use comptoir_model::code::Code;
use comptoir_model::customer::Customer;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Seen, Step, Write, Written};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// What faults call it.
const SYSTEM: &str = "Odoo";
/// How long a batch may take with all its calls: the writes of [`SENDING`], and the three readings in a row after them.
pub(super) const DEADLINE: Duration = Duration::from_secs(300);
/// When the last write of a batch has its answer or is given up; what is not sent by then is for later.
const SENDING: Duration = Duration::from_secs(110);

/// Writes a batch; one result per write, always.
pub(super) async fn write(session: &Session, batch: &[Write]) -> Vec<Result<Written, Fault>> {
    let until = Instant::now() + SENDING;
    let mut results: Results = vec![None; batch.len()];
    match batch.first().map(|write| (write.kind, write.step)) {
        Some((Kind::Order | Kind::Customer, Step::Create)) => {
            create(session, batch, until, &mut results).await;
        }
        Some((Kind::Order, Step::Update)) => {
            update::update(session, batch, until, &mut results).await;
        }
        Some((Kind::Order, step)) => {
            action::act(session, batch, step, until, &mut results).await;
        }
        _ => {}
    }
    finished(results, SYSTEM)
}

/// Creates customers or orders: a look-up of the keys that were not looked up a moment ago, one `load()` for those that are not there,
/// and a reading back. Where keys can be asked for one by one only, `load()` alone keeps what is there: see its page.
async fn create(session: &Session, batch: &[Write], until: Instant, results: &mut Results) {
    let kind = batch[0].kind;
    let model = match read::model(kind) {
        Ok(model) => model,
        Err(fault) => return fail_rest(results, &fault),
    };
    let names: Vec<String> = batch.iter().map(|write| key::name_of(&write.key)).collect();
    let unsure = names.iter().filter(|name| !session.take_free(name));
    let unsure: Vec<String> = unsure.cloned().collect();
    let mut made = match external::searched(session, model, &unsure).await {
        Ok(there) => there.unwrap_or_default(),
        Err(fault) => return fail_rest(results, &fault),
    };
    // The same key twice in one call would make one record of the last row.
    let mut taken = HashSet::new();
    let fresh: Vec<usize> = (0..batch.len())
        .filter(|&at| !made.contains_key(&names[at]) && taken.insert(&names[at]))
        .collect();
    let entries = match kind {
        Kind::Order => orders(session, batch, &fresh, results).await,
        _ => customers(session, batch, &fresh, results).await,
    };
    let mut lines = read::Lines::default();
    for (at, result) in load(session, model, entries, until).await {
        match result {
            Ok(id) => {
                // Without the look-up it may have been there already, with other lines.
                if session.searches_keys() {
                    note_lines(session, &batch[at], id, &mut lines);
                }
                made.insert(names[at].clone(), id);
            }
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    // Of a customer nobody needs more than its id.
    let mut seen = match kind {
        Kind::Order => {
            let ids: Vec<i64> = made.values().copied().collect();
            seen_as_written(session, &ids, &lines).await
        }
        _ => HashMap::new(),
    };
    for at in 0..batch.len() {
        if results[at].is_some() {
            continue;
        }
        results[at] = match made.get(&names[at]) {
            Some(id) => Some(Ok(written(*id, &mut seen))),
            // A second write of a key whose first one failed.
            None => results
                .iter()
                .zip(&names)
                .find(|(result, name)| result.is_some() && **name == names[at])
                .and_then(|(result, _)| result.clone()),
        };
    }
}

/// Notes the lines of an order that was just made, if the lines are all of products, and the SKUs that Odoo told of them.
fn note_lines(session: &Session, write: &Write, id: i64, lines: &mut read::Lines) {
    let Some(order) = write.document.as_order() else {
        return;
    };
    let mut keys = Vec::with_capacity(order.lines.len());
    for line in &order.lines {
        let Some(product) = line.product.as_ref().and_then(number) else {
            return;
        };
        lines
            .skus
            .extend(session.sku(product).map(|sku| (product, sku)));
        keys.push((product, write.key.part(&line.id)));
    }
    lines.keys.insert(id, keys);
}

/// Orders read back that were just made; none of those that cannot be. What was written stays written.
async fn seen_as_written(
    session: &Session,
    ids: &[i64],
    lines: &read::Lines,
) -> HashMap<i64, comptoir_model::port::Record> {
    match read::held_as_written(session, ids, lines).await {
        Ok(held) => held
            .into_iter()
            .filter_map(|(id, held)| Some((id, map::record(&held).ok()?)))
            .collect(),
        Err(fault) => {
            tracing::warn!(%fault, "written, but not read back");
            HashMap::new()
        }
    }
}

/// Records read back; none of those that cannot be. What was written stays written.
async fn seen(
    session: &Session,
    kind: Kind,
    ids: &[i64],
) -> HashMap<i64, comptoir_model::port::Record> {
    let ids: Vec<RemoteId> = ids.iter().map(|id| RemoteId(id.to_string())).collect();
    if ids.is_empty() {
        return HashMap::new();
    }
    match read::by_ids(session, kind, &ids).await {
        Ok(all) => all
            .into_iter()
            .filter_map(|seen| match seen {
                Seen::Record(record) => Some((number(&record.id)?, *record)),
                _ => None,
            })
            .collect(),
        Err(fault) => {
            tracing::warn!(%fault, "written, but not read back");
            HashMap::new()
        }
    }
}

fn written(id: i64, seen: &mut HashMap<i64, comptoir_model::port::Record>) -> Written {
    Written {
        id: RemoteId(id.to_string()),
        seen: seen.remove(&id),
    }
}

async fn orders(
    session: &Session,
    batch: &[Write],
    fresh: &[usize],
    results: &mut Results,
) -> Vec<Entry> {
    let lists = fresh.iter().filter_map(|&at| {
        let order = batch[at].document.as_order()?;
        number(order.placement.price_list.as_ref()?)
    });
    let mut lists: Vec<i64> = lists.collect();
    lists.sort_unstable();
    lists.dedup();
    let currencies = match session.price_list_currencies(&lists).await {
        Ok(currencies) => currencies,
        Err(fault) => {
            fail_rest(results, &fault);
            return Vec::new();
        }
    };
    let mut entries = Vec::with_capacity(fresh.len());
    for &at in fresh {
        let Some(order) = batch[at].document.as_order() else {
            results[at] = Some(Err(Fault::bug("an order's write holds no order")));
            continue;
        };
        // The price list decides the currency; a wrong one is better refused than corrected.
        let list = order.placement.price_list.as_ref().and_then(number);
        let currency = list.and_then(|list| currencies.get(&list));
        let entry = match currency {
            Some(other) if *other != order.currency => {
                let why = format!(
                    "the price list is in {other}, the order in {}",
                    order.currency
                );
                Err(Fault::refused(Code::CurrencyDiffers, why).at("pricelist_id"))
            }
            _ => order::entry(session, at, &batch[at].key, order),
        };
        match entry {
            Ok(entry) => entries.push(entry),
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    entries
}

async fn customers(
    session: &Session,
    batch: &[Write],
    fresh: &[usize],
    results: &mut Results,
) -> Vec<Entry> {
    let all: Vec<&Customer> = fresh
        .iter()
        .filter_map(|&at| batch[at].document.as_customer())
        .collect();
    let states = match partner::states(session, &all).await {
        Ok(states) => states,
        Err(fault) => {
            fail_rest(results, &fault);
            return Vec::new();
        }
    };
    let mut entries = Vec::with_capacity(fresh.len());
    for &at in fresh {
        let Document::Customer(customer) = &batch[at].document else {
            results[at] = Some(Err(Fault::bug("a customer's write holds no customer")));
            continue;
        };
        match partner::entry(session, at, &batch[at].key, customer, &states).await {
            Ok(entry) => entries.push(entry),
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    entries
}

/// The targets of a batch as they stand now, by place. What has no target, is not there any more, or is no longer what was decided on
/// has its result already.
pub(super) async fn targets(
    session: &Session,
    batch: &[Write],
    results: &mut Results,
) -> HashMap<usize, (i64, Held)> {
    match read::held(session, &batch::targets(batch)).await {
        Ok(held) => batch::placed(batch, &held, SYSTEM, results),
        Err(fault) => {
            fail_rest(results, &fault);
            HashMap::new()
        }
    }
}

/// # Errors
/// [`Code::TargetMoved`] when the order is another version now than was decided on.
pub(super) fn unmoved(write: &Write, held: &Held) -> Result<(), Fault> {
    batch::unmoved(write, &map::record(held)?.version, SYSTEM)
}

/// Gives every place that was written its result, with what Odoo holds now.
pub(super) async fn read_back(session: &Session, done: &[(usize, i64)], results: &mut Results) {
    let ids: Vec<i64> = done.iter().map(|(_, id)| *id).collect();
    let mut seen = seen(session, Kind::Order, &ids).await;
    for (at, id) in done {
        results[*at] = Some(Ok(written(*id, &mut seen)));
    }
}
