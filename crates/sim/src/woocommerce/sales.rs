//! Orders: lists, reading, writing, batches.

use super::answer::{Answer, Answered, php_json};
use super::batch::{self, Batch};
use super::intake;
use super::order::{Address, Note, Order};
use super::products::merge_meta;
use super::query::{Query, not_in_enum, pick};
use super::render;
use super::state::{State, second};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// The statuses an order may be given.
pub(crate) const STATUSES: [&str; 9] = [
    "auto-draft",
    "pending",
    "processing",
    "on-hold",
    "completed",
    "cancelled",
    "refunded",
    "failed",
    "checkout-draft",
];

/// What a list asks for.
struct Filter<'a> {
    statuses: Vec<&'a str>,
    include: Option<Vec<u64>>,
    exclude: Vec<u64>,
    customer: Option<u64>,
    search: Option<String>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    modified_after: Option<Timestamp>,
    modified_before: Option<Timestamp>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Query, state: &State) -> Result<Self, Answer> {
        let statuses = query.list("status").unwrap_or_else(|| vec!["any"]);
        let mut words = vec!["any", "trash"];
        words.extend(STATUSES);
        if statuses.iter().any(|status| !words.contains(status)) {
            return Err(not_in_enum("status[0]", &words));
        }
        let zone = &state.look.zone;
        Ok(Filter {
            statuses,
            include: query.ids("include").filter(|ids| !ids.is_empty()),
            exclude: query.ids("exclude").unwrap_or_default(),
            customer: query.get("customer").and_then(|id| id.parse().ok()),
            search: query
                .get("search")
                .filter(|text| !text.is_empty())
                .map(str::to_lowercase),
            after: query.date("after", zone)?,
            before: query.date("before", zone)?,
            modified_after: query.date("modified_after", zone)?,
            modified_before: query.date("modified_before", zone)?,
        })
    }

    fn fits(&self, order: &Order) -> bool {
        let status = order.status.as_str();
        let any = self.statuses.contains(&"any") && !matches!(status, "trash" | "auto-draft");
        (any || self.statuses.contains(&status))
            && self
                .include
                .as_ref()
                .is_none_or(|ids| ids.contains(&order.id))
            && !self.exclude.contains(&order.id)
            && self.customer.is_none_or(|id| order.customer == id)
            && self.after.is_none_or(|at| order.created > at)
            && self.before.is_none_or(|at| order.created < at)
            && self.modified_after.is_none_or(|at| order.modified > at)
            && self.modified_before.is_none_or(|at| order.modified < at)
            && self
                .search
                .as_ref()
                .is_none_or(|text| found_in(order, text))
    }
}

/// Search looks at names, addresses and the number; neither at metadata nor at the order's key.
fn found_in(order: &Order, text: &str) -> bool {
    let of = |address: &Address| {
        [
            &address.email,
            &address.first_name,
            &address.last_name,
            &address.company,
            &address.address_1,
            &address.city,
        ]
        .into_iter()
        .any(|field| field.to_lowercase().contains(text))
    };
    order.id.to_string() == text || of(&order.billing) || of(&order.shipping)
}

/// `GET /orders`.
pub(crate) fn list(state: &mut State, query: &Query) -> Answered {
    let page = query.page()?;
    let filter = Filter::read(query, state)?;
    let words = ["date", "id", "include", "title", "slug", "modified"];
    let by = query.one_of("orderby", &words, "date")?;
    let descending = query.one_of("order", &["asc", "desc"], "desc")? == "desc";
    let fits = |order: &&Order| filter.fits(order);
    let mut found: Vec<&Order> = match (filter.modified_after, &filter.include) {
        (_, Some(ids)) => ids
            .iter()
            .filter_map(|id| state.order(*id))
            .filter(fits)
            .collect(),
        (Some(at), None) => state.changed_after(at).filter(fits).collect(),
        (None, None) if by == "modified" => state.by_change().filter(fits).collect(),
        (None, None) => state.orders().filter(fits).collect(),
    };
    match by {
        "modified" => found.sort_by_key(|order| (order.modified, order.id)),
        "date" => found.sort_by_key(|order| (order.created, order.id)),
        "include" => {}
        _ => found.sort_by_key(|order| order.id),
    }
    if descending && by != "include" {
        found.reverse();
    }
    let total = found.len();
    let ids: Vec<u64> = page.of(&found).iter().map(|order| order.id).collect();
    let dp = query.decimals(state.look.decimals);
    let body = match query.fields() {
        None => joined(state, &ids, dp),
        Some(fields) => {
            let documents = ids
                .iter()
                .filter_map(|id| state.order(*id))
                .map(|order| render::order(order, &state.look, dp))
                .collect();
            php_json(&pick(Value::Array(documents), &fields, false))
        }
    };
    let address = state.look.api("orders");
    Ok(page.headers(Answer::raw(200, body), total, &address, query))
}

/// The orders' JSON, which is kept between reads.
fn joined(state: &mut State, ids: &[u64], dp: u32) -> String {
    let mut body = String::from("[");
    for id in ids {
        if body.len() > 1 {
            body.push(',');
        }
        body.push_str(state.order_json(*id, dp).unwrap_or_default());
    }
    body.push(']');
    body
}

/// `GET /orders/ID`. Trashed orders are still read by id.
pub(crate) fn read(state: &mut State, id: u64, query: &Query) -> Answered {
    let dp = query.decimals(state.look.decimals);
    state
        .order_json(id, dp)
        .map(|json| Answer::raw(200, json.to_owned()))
        .ok_or_else(no_order)
}

pub(crate) fn no_order() -> Answer {
    Answer::no_such("shop_order")
}

/// The order as it is now, after a write.
fn show(state: &mut State, id: u64) -> Answered {
    let dp = state.look.decimals;
    state
        .order_json(id, dp)
        .map(|json| Answer::raw(200, json.to_owned()))
        .ok_or_else(no_order)
}

/// `POST /orders`.
pub(crate) fn create(state: &mut State, body: &Value) -> Answered {
    check(body)?;
    let order = intake::order(state, body);
    let id = order.id;
    state.insert(order);
    state.writes += 1;
    state.hooks.fire("order.created", id);
    let place = state.look.api(&format!("orders/{id}"));
    let mut answer = show(state, id)?;
    answer.status = 201;
    Ok(answer.with("location", place))
}

/// `PUT /orders/ID`.
pub(crate) fn update(state: &mut State, id: u64, body: &Value) -> Answered {
    check(body)?;
    put(state, id, body)
}

/// What a batch does: nothing is validated, and a word that is no status makes the order `pending` (measured on 11.0.1).
fn put(state: &mut State, id: u64, body: &Value) -> Answered {
    if state.order(id).is_none() {
        return Err(no_order());
    }
    let mut ids = state.ids.clone();
    state.change(id, |order, shop| {
        for (field, address) in [
            ("billing", &mut order.billing),
            ("shipping", &mut order.shipping),
        ] {
            intake::address(body.get(field), address);
        }
        let text = |field: &str| body.get(field).and_then(Value::as_str);
        if let Some(note) = text("customer_note") {
            order.note = note.to_owned();
        }
        if let Some(transaction) = text("transaction_id") {
            order.transaction = transaction.to_owned();
        }
        merge_meta(&mut order.meta, body, &mut ids);
        if intake::change_quantities(order, body) {
            crate::basket::recalculate(order, shop);
        }
        if let Some(status) = text("status") {
            let known = STATUSES.contains(&status);
            set_status(order, if known { status } else { "pending" }, ids.note());
        }
        if body.get("set_paid") == Some(&Value::Bool(true)) && order.paid.is_none() {
            order.paid = Some(second(Timestamp::now()));
        }
    });
    state.ids = ids;
    state.writes += 1;
    show(state, id)
}

/// Gives an order a status, with the dates and the note that follow.
pub(crate) fn set_status(order: &mut Order, status: &str, note: u64) {
    if order.status == status {
        return;
    }
    let now = second(Timestamp::now());
    let (from, to) = (label(&order.status), label(status));
    order.before = Some(std::mem::replace(&mut order.status, status.to_owned()));
    if matches!(status, "processing" | "completed") && order.paid.is_none() {
        order.paid = Some(now);
    }
    if status == "completed" {
        order.completed = Some(now);
    }
    order.notes.push(Note {
        id: note,
        created: now,
        text: format!("Order status changed from {from} to {to}."),
        to_customer: false,
    });
}

/// What people read for a status.
pub(crate) fn label(status: &str) -> &'static str {
    match status {
        "pending" => "Pending payment",
        "processing" => "Processing",
        "on-hold" => "On hold",
        "completed" => "Completed",
        "cancelled" => "Cancelled",
        "refunded" => "Refunded",
        "failed" => "Failed",
        "trash" => "Trash",
        _ => "Draft",
    }
}

/// `DELETE /orders/ID`: to the trash, or with `force=true` gone for good.
pub(crate) fn delete(state: &mut State, id: u64, force: bool) -> Answered {
    if !force {
        trash(state, id).ok_or_else(no_order)?;
        state.writes += 1;
        return show(state, id);
    }
    let answer = show(state, id)?;
    state.remove(id);
    state.writes += 1;
    state.hooks.fire("order.deleted", id);
    Ok(answer)
}

/// Puts an order in the trash. Its date of change moves (source of 11.0.1), but only `order.deleted` is told.
pub(crate) fn trash(state: &mut State, id: u64) -> Option<()> {
    state.alter(id, |order, _| {
        if order.status != "trash" {
            order.before = Some(std::mem::replace(&mut order.status, "trash".to_owned()));
        }
    })?;
    state.hooks.fire("order.deleted", id);
    Some(())
}

/// `POST /orders/batch`.
pub(crate) fn batch(state: &mut State, body: &Value) -> Answered {
    batch::run(state, body, |state, item| match item {
        Batch::Create(body) => create(state, body),
        // Another code than alone: `ID is invalid.`, 400.
        Batch::Update(id, _) if state.order(id).is_none() => Err(Answer::error(
            400,
            "woocommerce_rest_shop_order_invalid_id",
            "ID is invalid.",
        )),
        Batch::Update(id, body) => put(state, id, body),
        Batch::Delete(id) => delete(state, id, true),
    })
}

/// The checks WordPress makes of a body before it looks for the order.
fn check(body: &Value) -> Result<(), Answer> {
    if let Some(status) = body.get("status") {
        let known = status
            .as_str()
            .is_some_and(|status| STATUSES.contains(&status));
        if !known {
            return Err(not_in_enum("status", &STATUSES));
        }
    }
    let lines = body.get("line_items").and_then(Value::as_array);
    for (index, line) in lines.into_iter().flatten().enumerate() {
        let quantity = line.get("quantity").and_then(Value::as_f64);
        if quantity.is_some_and(|quantity| quantity.fract() != 0.0) {
            let path = format!("line_items[{index}][quantity]");
            return Err(Answer::not_of_type("line_items", &path, "integer"));
        }
    }
    Ok(())
}

/// `GET /orders/ID/notes`, the oldest first.
pub(crate) fn notes(state: &State, id: u64, query: &Query) -> Answered {
    let order = state.order(id).ok_or_else(no_order)?;
    let of_kind = query.one_of("type", &["any", "customer", "internal"], "any")?;
    let notes = order
        .notes
        .iter()
        .filter(|note| of_kind == "any" || (of_kind == "customer") == note.to_customer)
        .map(|note| render::note(note, id, &state.look));
    let mut list = Value::Array(notes.collect());
    if let Some(fields) = query.fields() {
        list = pick(list, &fields, false);
    }
    Ok(Answer::ok(&list))
}

/// `POST /orders/ID/notes`: does not move the order's date of change.
pub(crate) fn add_note(state: &mut State, id: u64, body: &Value) -> Answered {
    if state.order(id).is_none() {
        return Err(no_order());
    }
    let note = Note {
        id: state.ids.note(),
        created: second(Timestamp::now()),
        text: cleaned(body.get("note").and_then(Value::as_str).unwrap_or_default()),
        to_customer: body.get("customer_note") == Some(&Value::Bool(true)),
    };
    let document = render::note(&note, id, &state.look);
    let place = state.look.api(&format!("orders/{id}/notes/{}", note.id));
    state.touch(id, |order| order.notes.push(note));
    state.writes += 1;
    Ok(Answer::created(&document, place))
}

/// A note's text as WordPress keeps it, which cleans it like a comment: tags go, `&` is written as an entity, backslashes go.
fn cleaned(text: &str) -> String {
    let mut out = String::new();
    let text = text.replace('&', "&amp;").replace('\\', "");
    let mut rest = text.as_str();
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        rest = match tag.split_once('>') {
            Some((_, after)) if tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') => {
                after
            }
            _ => {
                out.push_str("&lt;");
                tag
            }
        };
    }
    out.push_str(rest);
    out
}

/// `GET /reports/orders/totals`.
pub(crate) fn totals(state: &State) -> Answered {
    let count = |status: &str| {
        state
            .orders()
            .filter(|order| order.status == status)
            .count()
    };
    let rows = STATUSES[1..]
        .iter()
        .map(|status| json!({ "slug": status, "name": label(status), "total": count(status) }));
    Ok(Answer::ok(&Value::Array(rows.collect())))
}

/// A decimal that JSON gives as a text or a number.
pub(crate) fn decimal(value: Option<&Value>) -> Option<Decimal> {
    match value? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    }
}
