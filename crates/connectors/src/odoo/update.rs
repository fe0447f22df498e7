//! Changing an order: only what differs between what was decided before and what is decided now. Lines that a person added stay.

use super::load::{Entry, load};
use super::map::{Held, HeldLine};
use super::order::{self, Cell, Cells};
use super::rpc::Ask;
use super::session::Session;
use super::write;
use comptoir_kit::batch::Results;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::WriteKey;
use comptoir_model::order::{Line, Order};
use comptoir_model::port::Write;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use tokio::time::Instant;

/// What is to be done with one order.
#[derive(Debug, Default)]
struct Plan {
    order: i64,
    company: i64,
    /// Lines to be added, each with an external id of its own.
    added: Vec<Line>,
    /// What one `write()` changes, lines included.
    values: Map<String, Value>,
}

/// Changes orders. Added lines of all orders go in one call (a rounding line is one); everything else of an order is one `write()`,
/// so that it is done as a whole or not at all.
pub(super) async fn update(
    session: &Session,
    batch: &[Write],
    until: Instant,
    results: &mut Results,
) {
    let targets = write::targets(session, batch, results).await;
    let mut plans: HashMap<usize, Plan> = HashMap::new();
    for (at, (id, held)) in &targets {
        match plan(session, &batch[*at], *id, held) {
            Ok(plan) => {
                plans.insert(*at, plan);
            }
            Err(fault) => results[*at] = Some(Err(fault)),
        }
    }
    let added = add(session, batch, &plans, until, results).await;
    let mut done = Vec::new();
    let mut places: Vec<usize> = plans.keys().copied().collect();
    places.sort_unstable();
    for at in places {
        let (plan, mine) = (&plans[&at], added.get(&at));
        if results[at].is_none()
            && let Err(fault) = change(session, plan, until).await
        {
            results[at] = Some(Err(fault));
        }
        match &results[at] {
            None => done.push((at, plan.order)),
            // Half an update would look like a person's edit: what was added for it goes again.
            Some(Err(fault)) if fault.next != Next::Unknown => {
                take_back(session, mine.map_or(&[], Vec::as_slice), until).await;
            }
            Some(_) => {}
        }
    }
    write::read_back(session, &done, results).await;
}

fn plan(session: &Session, write: &Write, order: i64, held: &Held) -> Result<Plan, Fault> {
    write::unmoved(write, held)?;
    let before = write.before.as_ref().and_then(|before| before.as_order());
    let (Some(before), Some(after)) = (before, write.document.as_order()) else {
        return Err(Fault::bug(
            "an update needs the order as decided before and now",
        ));
    };
    let company = held.order.company_id.as_ref().map(|link| link.0);
    let mut plan = Plan {
        order,
        company: company.unwrap_or(session.company),
        values: header(session, before, after)?,
        ..Plan::default()
    };
    let mut commands = Vec::new();
    let find = |order: &Order, id: &str| order.lines.iter().find(|line| line.id == id).cloned();
    for line in &after.lines {
        let there = by_key(held, &write.key, line);
        match (find(before, &line.id), there) {
            (Some(old), _) if old == *line => {}
            (Some(old), _) => {
                let Some(there) = there.or_else(|| by_content(held, &old)) else {
                    return Err(Fault::refused(
                        Code::EditedInTarget,
                        "a line that should be changed is not in Odoo's order any more",
                    ));
                };
                let after = order::line(session, line)?;
                let cells = differing(order::line(session, &old)?, after.clone());
                commands.extend(changed(there, &kept(there, cells, after)));
            }
            // Added by an earlier try whose answer was lost.
            (None, Some(there)) => commands.extend(changed(there, &order::line(session, line)?)),
            (None, None) => plan.added.push(line.clone()),
        }
    }
    for line in &before.lines {
        if find(after, &line.id).is_some() {
            continue;
        }
        let there = by_key(held, &write.key, line).or_else(|| by_content(held, line));
        commands.extend(there.map(|there| json!([2, there.line.id, 0])));
    }
    if !commands.is_empty() {
        plan.values.insert("order_line".to_owned(), json!(commands));
    }
    Ok(plan)
}

/// The line that carries our key.
fn by_key<'a>(held: &'a Held, key: &WriteKey, line: &Line) -> Option<&'a HeldLine> {
    let key = key.part(&line.id);
    held.lines
        .iter()
        .find(|there| there.key.as_ref() == Some(&key))
}

/// The only line without a key of ours that is what was decided: in an order that was adopted, not created.
fn by_content<'a>(held: &'a Held, line: &Line) -> Option<&'a HeldLine> {
    let same = |there: &&HeldLine| {
        let product = there
            .line
            .product_id
            .as_ref()
            .map(|link| link.0.to_string());
        there.key.is_none()
            && product.as_deref() == line.product.as_ref().map(|id| id.as_str())
            && there.line.product_uom_qty == line.quantity
            && there.line.price_unit == line.unit_price
    };
    let mut fitting = held.lines.iter().filter(same);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// What a changed line is sent. A quantity that changes brings the list price back up to 18, and a product all that Odoo knows of it: what
/// should stay is said with it.
fn kept(there: &HeldLine, mut cells: Cells, after: Cells) -> Cells {
    if cells.contains_key("product_id") {
        return after;
    }
    if cells.contains_key("product_uom_qty") {
        let stands = [
            ("price_unit", there.line.price_unit),
            ("discount", there.line.discount),
        ];
        for (field, value) in stands {
            let cell = cells.entry(field.to_owned());
            cell.or_insert(Cell::Number(value));
        }
    }
    cells
}

fn changed(there: &HeldLine, cells: &Cells) -> Option<Value> {
    (!cells.is_empty()).then(|| json!([1, there.line.id, values(cells)]))
}

fn values(cells: &Cells) -> Map<String, Value> {
    let values = cells.iter();
    values
        .map(|(field, cell)| (field.clone(), cell.value()))
        .collect()
}

fn differing(before: Cells, after: Cells) -> Cells {
    let same = |(field, cell): &(String, Cell)| before.get(field) != Some(cell);
    after.into_iter().filter(same).collect()
}

/// Fields of the header that differ; what is decided no more is cleared.
fn header(session: &Session, before: &Order, after: &Order) -> Result<Map<String, Value>, Fault> {
    let before = order::header(session, before)?;
    let after = order::header(session, after)?;
    let cleared: Vec<String> = before
        .keys()
        .filter(|field| !after.contains_key(*field))
        .cloned()
        .collect();
    let mut values = values(&differing(before, after));
    values.extend(cleared.into_iter().map(|field| (field, Value::Bool(false))));
    Ok(values)
}

/// Adds the new lines of all orders in one call. Answers what was added, by place.
async fn add(
    session: &Session,
    batch: &[Write],
    plans: &HashMap<usize, Plan>,
    until: Instant,
    results: &mut Results,
) -> HashMap<usize, Vec<i64>> {
    let mut places = Vec::new();
    let mut entries: Vec<Entry> = Vec::new();
    for (at, plan) in plans {
        for line in &plan.added {
            let key = &batch[*at].key;
            let index = places.len();
            match order::line_entry(session, index, key, plan.order, plan.company, line) {
                Ok(entry) => {
                    places.push(*at);
                    entries.push(entry);
                }
                Err(fault) => results[*at] = Some(Err(fault)),
            }
        }
    }
    entries.retain(|entry| results[places[entry.index]].is_none());
    let mut added: HashMap<usize, Vec<i64>> = HashMap::new();
    for (index, result) in load(session, "sale.order.line", entries, until).await {
        let at = places[index];
        match result {
            Ok(id) => added.entry(at).or_default().push(id),
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    added
}

async fn change(session: &Session, plan: &Plan, until: Instant) -> Result<(), Fault> {
    if plan.values.is_empty() {
        return Ok(());
    }
    let ask = Ask::write("orders.write", "sale.order", "write", until)
        .ids(&[plan.order])
        .arg("vals", Value::Object(plan.values.clone()));
    session.rpc.call::<Value>(ask).await.map(|_| ())
}

async fn take_back(session: &Session, lines: &[i64], until: Instant) {
    if lines.is_empty() {
        return;
    }
    let ask = Ask::write("orders.lines.unlink", "sale.order.line", "unlink", until).ids(lines);
    if let Err(fault) = session.rpc.call::<Value>(ask).await {
        tracing::warn!(%fault, "lines of a refused update were not taken back");
    }
}
