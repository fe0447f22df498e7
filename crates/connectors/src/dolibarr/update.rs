//! Changing an order, line by line: only what differs between what was decided before and what is decided now. Lines that a person
//! added stay. Every call is one change, so one that is refused half-way has those before it taken back.

use super::api::{Api, Change};
use super::map::Held;
use super::order::{self, Fields};
use super::wire::OrderLine;
use super::write;
use comptoir_kit::batch::{Results, fail_rest};
use comptoir_kit::http::Method;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::order::{Line, Order};
use comptoir_model::port::Write;
use serde_json::{Value, json};
use tokio::time::Instant;

/// One change of an order, and what takes it back.
#[derive(Debug)]
enum Edit {
    /// A new line.
    Add(Fields),
    /// A line by its id: as it shall be, and as it is.
    Alter(i64, Fields, Fields),
    /// Fields of the header: as they shall be, and as they are.
    Header(Fields, Fields),
    /// Another contact in a role.
    Contact(i64, &'static str),
    /// A contact that is no longer one.
    Unlink(i64, &'static str),
    /// A line that goes, and what it is.
    Remove(i64, Fields),
}

/// Changes orders.
pub(super) async fn update(api: &Api, batch: &[Write], until: Instant, results: &mut Results) {
    let targets = write::targets(api, batch, results).await;
    let mut done = Vec::new();
    for (at, write) in batch.iter().enumerate() {
        let Some((id, held)) = targets.get(&at) else {
            continue;
        };
        let result = match plan(api, write, held).await {
            Ok(edits) => run(api, *id, edits, until).await,
            Err(fault) => Err(fault),
        };
        match result {
            Ok(()) => done.push((at, *id)),
            Err(fault) if write::is_of_all(&fault) => {
                results[at] = Some(Err(fault.clone()));
                break;
            }
            Err(fault) => results[at] = Some(Err(fault)),
        }
    }
    write::read_back(api, &done, results).await;
    let not_tried = Fault::later(
        Code::Unreachable,
        "an earlier write of the batch found no way",
    );
    fail_rest(results, &not_tried);
}

async fn plan(api: &Api, write: &Write, held: &Held) -> Result<Vec<Edit>, Fault> {
    write::unmoved(api, write, held)?;
    let before = write.before.as_ref().and_then(|before| before.as_order());
    let (Some(before), Some(after)) = (before, write.document.as_order()) else {
        return Err(Fault::bug(
            "an update needs the order as decided before and now",
        ));
    };
    let mut edits = lines(api, before, after, held)?;
    if !edits.is_empty() && held.order.state() != 0 {
        let why = "lines can be changed while the order is a draft only: put it back to draft in Dolibarr, or change them there";
        return Err(Fault::refused(Code::WrongState, why).at("statut"));
    }
    edits.extend(header(api, before, after, held).await?);
    edits.extend(contacts(before, after)?);
    // What cannot be taken back as it was comes last.
    edits.sort_by_key(|edit| matches!(edit, Edit::Remove(..)));
    Ok(edits)
}

fn lines(api: &Api, before: &Order, after: &Order, held: &Held) -> Result<Vec<Edit>, Fault> {
    let mut edits = Vec::new();
    let find = |order: &Order, id: &str| order.lines.iter().find(|line| line.id == id).cloned();
    for line in &after.lines {
        let ours = held
            .order
            .lines
            .iter()
            .find(|there| there.ref_ext == line.id);
        match (find(before, &line.id), ours) {
            (Some(old), _) if old == *line => {}
            (Some(old), _) => {
                let Some(there) = ours.or_else(|| by_content(held, &old)) else {
                    return Err(Fault::refused(
                        Code::EditedInTarget,
                        "a line that should be changed is not in Dolibarr's order any more",
                    ));
                };
                edits.push(altered(api, there, line)?);
            }
            // Added by an earlier try whose answer was lost.
            (None, Some(there)) => edits.push(altered(api, there, line)?),
            (None, None) => {
                let mut fields = order::line(api, line, None)?;
                fields.insert("rang".to_owned(), json!(-1));
                edits.push(Edit::Add(fields));
            }
        }
    }
    for line in &before.lines {
        if find(after, &line.id).is_some() {
            continue;
        }
        let ours = held
            .order
            .lines
            .iter()
            .find(|there| there.ref_ext == line.id);
        if let Some(there) = ours.or_else(|| by_content(held, line)) {
            edits.push(Edit::Remove(there.id, as_it_is(there)));
        }
    }
    Ok(edits)
}

fn altered(api: &Api, there: &OrderLine, line: &Line) -> Result<Edit, Fault> {
    let mut fields = order::line(api, line, Some(there))?;
    // A line that was adopted keeps what it carries.
    if there.ref_ext != line.id {
        fields.insert("ref_ext".to_owned(), json!(there.ref_ext));
    }
    Ok(Edit::Alter(there.id, fields, as_it_is(there)))
}

/// A line as it came, in the fields that a change of it needs.
fn as_it_is(there: &OrderLine) -> Fields {
    let rate = there.tva_tx.normalize();
    let rate = if there.vat_src_code.is_empty() {
        rate.to_string()
    } else {
        format!("{rate} ({})", there.vat_src_code)
    };
    let fields = json!({
        "fk_product": there.fk_product.as_ref().map(|id| id.as_str()),
        "desc": there.desc,
        "qty": there.qty.normalize().to_string(),
        "subprice": there.subprice.normalize().to_string(),
        "tva_tx": rate,
        "remise_percent": there.remise_percent.normalize().to_string(),
        "product_type": there.product_type,
        "ref_ext": there.ref_ext,
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// The only line without a key of ours that is what was decided: in an order that was adopted, not created.
fn by_content<'a>(held: &'a Held, line: &Line) -> Option<&'a OrderLine> {
    let same = |there: &&OrderLine| {
        super::key::line_kind(&there.ref_ext).is_none()
            && there.fk_product == line.product
            && there.qty == line.quantity
            && there.subprice == line.unit_price
    };
    let mut fitting = held.order.lines.iter().filter(same);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

/// Fields of the header that differ. What is decided no more is emptied.
async fn header(
    api: &Api,
    before: &Order,
    after: &Order,
    held: &Held,
) -> Result<Option<Edit>, Fault> {
    let (old, new) = (
        order::header(api, before).await?,
        order::header(api, after).await?,
    );
    let mut fields = Fields::new();
    for (field, value) in &new {
        if old.get(field) != Some(value) {
            // A change takes the date under the name of its column.
            let field = if field == "date" {
                "date_commande"
            } else {
                field
            };
            fields.insert(field.to_owned(), value.clone());
        }
    }
    let gone = old
        .keys()
        .filter(|field| !new.contains_key(*field) && *field != "date");
    fields.extend(gone.map(|field| (field.clone(), Value::Null)));
    if fields.is_empty() {
        return Ok(None);
    }
    let raw: Fields = serde_json::from_str(&held.raw).unwrap_or_default();
    let was = fields.keys().map(|field| {
        let value = raw.get(field).cloned().unwrap_or(Value::Null);
        (field.clone(), value)
    });
    let was = was.collect();
    Ok(Some(Edit::Header(fields, was)))
}

fn contacts(before: &Order, after: &Order) -> Result<Vec<Edit>, Fault> {
    let (old, new) = (order::contacts(before)?, order::contacts(after)?);
    let link = new.iter().filter(|link| !old.contains(link));
    let unlink = old.iter().filter(|link| !new.contains(link));
    let link = link.map(|(contact, role)| Edit::Contact(*contact, role));
    Ok(link
        .chain(unlink.map(|(contact, role)| Edit::Unlink(*contact, role)))
        .collect())
}

async fn run(api: &Api, order: i64, edits: Vec<Edit>, until: Instant) -> Result<(), Fault> {
    let mut undo = Vec::new();
    for edit in edits {
        match apply(api, order, edit, until).await {
            Ok(inverse) => undo.push(inverse),
            Err(fault) => {
                // Half an update would look like a person's edit. Where the last one may have been done, all stays as it is: the
                // state proves it.
                if fault.next != Next::Unknown {
                    take_back(api, order, undo, until).await;
                }
                return Err(fault);
            }
        }
    }
    Ok(())
}

/// Makes a change; answers what takes it back.
async fn apply(api: &Api, order: i64, edit: Edit, until: Instant) -> Result<Edit, Fault> {
    let send = async |what, method, path: String, body: Option<Value>| {
        let change = Change {
            what,
            method,
            path: &path,
            body,
            until,
        };
        api.write(change).await
    };
    match edit {
        Edit::Add(fields) => {
            let path = format!("orders/{order}/lines");
            let body = Some(Value::Object(fields.clone()));
            let id = send("orders.lines.add", Method::Post, path, body).await?;
            let id = id.as_i64().or_else(|| id.as_str()?.parse().ok());
            Ok(Edit::Remove(id.unwrap_or_default(), fields))
        }
        Edit::Alter(line, fields, was) => {
            let path = format!("orders/{order}/lines/{line}");
            let body = Some(Value::Object(fields.clone()));
            send("orders.lines.change", Method::Put, path, body).await?;
            Ok(Edit::Alter(line, was, fields))
        }
        Edit::Header(fields, was) => {
            let path = format!("orders/{order}");
            let body = Some(Value::Object(fields.clone()));
            send("orders.change", Method::Put, path, body).await?;
            Ok(Edit::Header(was, fields))
        }
        Edit::Contact(contact, role) => {
            write::link(api, order, contact, role, until).await?;
            Ok(Edit::Unlink(contact, role))
        }
        Edit::Unlink(contact, role) => {
            let path = format!("orders/{order}/contact/{contact}/{role}");
            send("orders.contact.remove", Method::Delete, path, None).await?;
            Ok(Edit::Contact(contact, role))
        }
        Edit::Remove(line, was) => {
            let path = format!("orders/{order}/lines/{line}");
            send("orders.lines.remove", Method::Delete, path, None).await?;
            Ok(Edit::Add(was))
        }
    }
}

async fn take_back(api: &Api, order: i64, undo: Vec<Edit>, until: Instant) {
    for edit in undo.into_iter().rev() {
        if let Err(fault) = apply(api, order, edit, until).await {
            tracing::warn!(%fault, "a part of a refused update was not taken back");
        }
    }
}
