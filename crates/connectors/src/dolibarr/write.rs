//! Writing: what all writes share, and creating.

use super::api::{Api, Change};
use super::key::UNFINISHED;
use super::map::{self, Held};
use super::wire::{Order, Party, Product};
use super::{action, filter, order, party, read, update};
use comptoir_kit::batch::{self, Results, fail_rest, finished, number};
use comptoir_kit::http::Method;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Record, Step, Write, Written};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// What faults call it.
const SYSTEM: &str = "Dolibarr";
/// How long a batch may take with all its calls and the readings after them.
pub(super) const DEADLINE: Duration = Duration::from_secs(300);
/// When the last write of a batch has its answer or is given up; what is not sent by then is for later.
const SENDING: Duration = Duration::from_secs(110);

/// Writes a batch, one call after another; one result per write, always.
pub(super) async fn write(api: &Api, batch: &[Write]) -> Vec<Result<Written, Fault>> {
    let until = Instant::now() + SENDING;
    let mut results: Results = vec![None; batch.len()];
    match batch.first().map(|write| (write.kind, write.step)) {
        Some((Kind::Customer, Step::Create)) => customers(api, batch, until, &mut results).await,
        Some((Kind::Order, Step::Create)) => orders(api, batch, until, &mut results).await,
        Some((Kind::Order, Step::Update)) => update::update(api, batch, until, &mut results).await,
        Some((Kind::Order, step)) => action::act(api, batch, step, until, &mut results).await,
        _ => {}
    }
    finished(results, SYSTEM)
}

/// Whether nothing of this connection will work any better: the rest of a batch is not tried.
pub(super) fn is_of_all(fault: &Fault) -> bool {
    matches!(fault.next, Next::Locked) || fault.code == Code::Unreachable
}

fn written(id: impl ToString, seen: Option<Record>) -> Written {
    Written {
        id: RemoteId(id.to_string()),
        seen,
    }
}

/// Creates third parties and contacts. Dolibarr takes one key twice, so all are looked up first; what got no sure answer is looked
/// up once more.
async fn customers(api: &Api, batch: &[Write], until: Instant, results: &mut Results) {
    let keys: Vec<&str> = batch.iter().map(|write| write.key.as_str()).collect();
    let mut made = match customers_there(api, &keys).await {
        Ok(made) => made,
        Err(fault) => return fail_rest(results, &fault),
    };
    for (at, write) in batch.iter().enumerate() {
        let key = write.key.as_str();
        let result = match made.get(key) {
            Some(id) => Ok(id.clone()),
            None => customer(api, write, until).await,
        };
        if let Err(fault) = &result
            && is_of_all(fault)
        {
            return fail_rest(results, fault);
        }
        if let Ok(id) = &result {
            made.insert(key.to_owned(), id.clone());
        }
        results[at] = Some(result.map(|id| written(id, None)));
    }
}

async fn customer(api: &Api, write: &Write, until: Instant) -> Result<RemoteId, Fault> {
    let Some(customer) = write.document.as_customer() else {
        return Err(Fault::bug("a customer's write holds no customer"));
    };
    let (path, fields) = party::fields(api, customer).await?;
    let change = Change {
        what: "customers.create",
        method: Method::Post,
        path,
        body: Some(party::keyed(fields, write.key.as_str())),
        until,
    };
    match api.write(change).await {
        Ok(id) => {
            let id = created(&id)?;
            let name = if path == "contacts" { map::CONTACT } else { "" };
            Ok(RemoteId(format!("{name}{id}")))
        }
        Err(fault) if fault.next == Next::Unknown => {
            let found = customers_there(api, &[write.key.as_str()]).await;
            cleared(
                found.map(|mut found| found.remove(write.key.as_str())),
                fault,
            )
        }
        Err(fault) => Err(fault),
    }
}

/// The id that a create answers.
fn created(answer: &Value) -> Result<i64, Fault> {
    let id = match answer {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    id.filter(|id| *id > 0).ok_or_else(|| {
        Fault::unknown(
            Code::NotUnderstood,
            "Dolibarr answered a create without an id",
        )
    })
}

/// What a look-up after an answer that says nothing says itself: it is there; or it surely is not, since Dolibarr's own failure has
/// ended the request; or nobody knows yet.
fn cleared<T>(found: Result<Option<T>, Fault>, fault: Fault) -> Result<T, Fault> {
    match found {
        Ok(Some(found)) => Ok(found),
        Ok(None) if fault.code == Code::ServerError => Err(Fault::later(fault.code, fault.why)),
        Ok(None) | Err(_) => Err(fault),
    }
}

async fn customers_there(api: &Api, keys: &[&str]) -> Result<HashMap<String, RemoteId>, Fault> {
    let criteria: Vec<String> = keys
        .iter()
        .map(|key| filter::text("ref_ext", key))
        .collect();
    let filter = filter::any(&criteria);
    let mut there = HashMap::new();
    for (path, name) in [("thirdparties", ""), ("contacts", map::CONTACT)] {
        let rows: Vec<Party> = api.all("customers.by_key", path, &filter).await?;
        for row in rows {
            there
                .entry(row.ref_ext)
                .or_insert(RemoteId(format!("{name}{}", row.id)));
        }
    }
    Ok(there)
}

/// Creates orders as drafts. See [`customers`] for the keys.
async fn orders(api: &Api, batch: &[Write], until: Instant, results: &mut Results) {
    let keys: Vec<&str> = batch.iter().map(|write| write.key.as_str()).collect();
    let there = orders_there(api, &keys).await;
    let products = match &there {
        Ok(_) => products(api, batch).await,
        Err(fault) => Err(fault.clone()),
    };
    let (mut there, products) = match (there, products) {
        (Ok(there), Ok(products)) => (there, products),
        (Err(fault), _) | (_, Err(fault)) => return fail_rest(results, &fault),
    };
    let mut done = Vec::new();
    for (at, write) in batch.iter().enumerate() {
        let known = there.remove(write.key.as_str());
        let result = one(api, write, known, &products, until).await;
        match result {
            Ok(id) => {
                there.insert(write.key.0.clone(), (id, true));
                done.push((at, id));
            }
            Err(fault) if is_of_all(&fault) => {
                fail_rest(results, &fault);
                break;
            }
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    read_back(api, &done, results).await;
}

/// The orders of these keys: id, and whether it is complete.
async fn orders_there(api: &Api, keys: &[&str]) -> Result<HashMap<String, (i64, bool)>, Fault> {
    let both = |key: &&str| {
        [
            filter::text("ref_ext", key),
            filter::text("ref_ext", &format!("{key}{UNFINISHED}")),
        ]
    };
    let criteria: Vec<String> = keys.iter().flat_map(both).collect();
    let mut there = HashMap::new();
    for part in criteria.chunks(20) {
        let rows: Vec<Order> = api
            .all("orders.by_key", "orders", &filter::any(part))
            .await?;
        for row in rows {
            let complete = !row.ref_ext.ends_with(UNFINISHED);
            let key = row.ref_ext.trim_end_matches(UNFINISHED).to_owned();
            let known = there.entry(key).or_insert((row.id, complete));
            if complete && !known.1 {
                *known = (row.id, true);
            }
        }
    }
    Ok(there)
}

/// The products of a batch that exist. Dolibarr takes a line of a product that does not.
async fn products(api: &Api, batch: &[Write]) -> Result<BTreeSet<i64>, Fault> {
    let orders = batch.iter().filter_map(|write| write.document.as_order());
    let lines = orders.flat_map(|order| &order.lines);
    let wanted: BTreeSet<i64> = lines
        .filter_map(|line| number(line.product.as_ref()?))
        .collect();
    let wanted: Vec<i64> = wanted.into_iter().collect();
    let mut there = BTreeSet::new();
    for part in wanted.chunks(80) {
        let rows: Vec<Product> = api
            .all("products.there", "products", &filter::ids(part))
            .await?;
        there.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(there)
}

/// Creates one order, or completes it: the draft with its lines, its contacts, and only then its key, if it has contacts.
async fn one(
    api: &Api,
    write: &Write,
    known: Option<(i64, bool)>,
    products: &BTreeSet<i64>,
    until: Instant,
) -> Result<i64, Fault> {
    let Some(order) = write.document.as_order() else {
        return Err(Fault::bug("an order's write holds no order"));
    };
    if let Some((id, true)) = known {
        return Ok(id);
    }
    let contacts = order::contacts(order)?;
    let id = match known {
        Some((id, _)) => id,
        None => draft(api, write, order, !contacts.is_empty(), products, until).await?,
    };
    if contacts.is_empty() && known.is_none() {
        return Ok(id);
    }
    // From here on the order is there without its key, so nothing of it is taken for done.
    for (contact, role) in contacts {
        link(api, id, contact, role, until).await.map_err(again)?;
    }
    let change = Change {
        what: "orders.complete",
        method: Method::Put,
        path: &format!("orders/{id}"),
        body: Some(json!({"ref_ext": write.key.as_str()})),
        until,
    };
    api.write(change).await.map_err(again)?;
    Ok(id)
}

/// Linking a contact and writing the key may be repeated as often as one likes: whoever creates the order next goes on here.
fn again(fault: Fault) -> Fault {
    match fault.next {
        Next::Unknown => Fault::later(fault.code, fault.why),
        _ => fault,
    }
}

async fn draft(
    api: &Api,
    write: &Write,
    order: &comptoir_model::order::Order,
    unfinished: bool,
    products: &BTreeSet<i64>,
    until: Instant,
) -> Result<i64, Fault> {
    let mut fields = order::header(api, order).await?;
    // The date is required.
    fields
        .entry("date")
        .or_insert_with(|| json!(api.clock.now().as_second()));
    let mut lines = Vec::with_capacity(order.lines.len());
    for (rank, line) in order.lines.iter().enumerate() {
        let product = line.product.as_ref().and_then(number);
        if product.is_some_and(|product| !products.contains(&product)) {
            let why = "a product of the order does not exist in Dolibarr any more";
            return Err(Fault::refused(Code::Refused, why).at("fk_product"));
        }
        let mut fields = order::line(api, line, None)?;
        fields.insert("rang".to_owned(), json!(rank + 1));
        lines.push(Value::Object(fields));
    }
    fields.insert("lines".to_owned(), Value::Array(lines));
    let mut key = write.key.0.clone();
    if unfinished {
        key.push(UNFINISHED);
    }
    let change = Change {
        what: "orders.create",
        method: Method::Post,
        path: "orders",
        body: Some(party::keyed(fields, &key)),
        until,
    };
    match api.write(change).await {
        Ok(id) => created(&id),
        Err(fault) if fault.next == Next::Unknown => {
            let found = orders_there(api, &[write.key.as_str()]).await;
            cleared(
                found.map(|mut found| found.remove(write.key.as_str()).map(|(id, _)| id)),
                fault,
            )
        }
        Err(fault) => Err(fault),
    }
}

/// Links a contact to an order in a role. A second time is 304.
pub(super) async fn link(
    api: &Api,
    order: i64,
    contact: i64,
    role: &str,
    until: Instant,
) -> Result<(), Fault> {
    let change = Change {
        what: "orders.contact",
        method: Method::Post,
        path: &format!("orders/{order}/contact/{contact}/{role}"),
        body: None,
        until,
    };
    api.write(change).await.map(|_| ())
}

/// The targets of a batch as they stand now, by place. What has no target, or is not there any more, has its result already.
pub(super) async fn targets(
    api: &Api,
    batch: &[Write],
    results: &mut Results,
) -> HashMap<usize, (i64, Held)> {
    match read::orders(api, &batch::targets(batch)).await {
        Ok(held) => batch::placed(batch, &held, SYSTEM, results),
        Err(fault) => {
            fail_rest(results, &fault);
            HashMap::new()
        }
    }
}

/// # Errors
/// [`Code::TargetMoved`] when the order is another version now than was decided on.
pub(super) fn unmoved(api: &Api, write: &Write, held: &Held) -> Result<(), Fault> {
    let now = map::record(held, api.settings.currency)?.version;
    batch::unmoved(write, &now, SYSTEM)
}

/// Gives every place that was written its result, with what Dolibarr holds now. What was written stays written, also when it cannot
/// be read.
pub(super) async fn read_back(api: &Api, done: &[(usize, i64)], results: &mut Results) {
    let ids: BTreeSet<i64> = done.iter().map(|(_, id)| *id).collect();
    let ids: Vec<i64> = ids.into_iter().collect();
    let held = match read::orders(api, &ids).await {
        Ok(held) => held,
        Err(fault) => {
            tracing::warn!(%fault, "written, but not read back");
            HashMap::new()
        }
    };
    for (at, id) in done {
        let seen = held
            .get(id)
            .and_then(|held| map::record(held, api.settings.currency).ok());
        results[*at] = Some(Ok(written(id, seen)));
    }
}
