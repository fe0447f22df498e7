//! An order as Odoo's fields: the header and the lines, for `load()` and for `write()`.

use super::key;
use super::load::Entry;
use super::map::note_to_html;
use super::session::Session;
use super::wire::Field;
use comptoir_kit::batch::number;
use comptoir_kit::time;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{RemoteId, WriteKey};
use comptoir_model::order::{Line, Order};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Fields of the header that are written from the document.
pub(super) const HEADER: &[&str] = &[
    "partner_id",
    "partner_invoice_id",
    "partner_shipping_id",
    "company_id",
    "client_order_ref",
    "origin",
    "date_order",
    "note",
    "pricelist_id",
    "warehouse_id",
    "fiscal_position_id",
    "team_id",
    "payment_term_id",
    "carrier_id",
    "order_line",
    "name",
    "state",
    "currency_id",
];

/// Fields of a line that are written from the document, or that belong to Odoo's own reckoning.
pub(super) const LINE: &[&str] = &[
    "product_id",
    "name",
    "product_uom_qty",
    "price_unit",
    "tax_id",
    "tax_ids",
    "discount",
    "order_id",
    "state",
    "company_id",
    "currency_id",
    "display_type",
];

/// The value of one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Text, a date, a choice.
    Text(String),
    /// A number.
    Number(Decimal),
    /// Yes or no.
    Flag(bool),
    /// Another record, by database id.
    Link(i64),
    /// Other records.
    Links(Vec<i64>),
}

impl Cell {
    /// The column of `load()` for a field with such a value.
    pub(super) fn column(&self, field: &str) -> String {
        match self {
            Cell::Link(_) | Cell::Links(_) => format!("{field}/.id"),
            _ => field.to_owned(),
        }
    }

    /// The cell of `load()`.
    pub(super) fn text(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => number.normalize().to_string(),
            Cell::Flag(flag) => u8::from(*flag).to_string(),
            Cell::Link(id) => id.to_string(),
            Cell::Links(ids) => {
                let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
                ids.join(",")
            }
        }
    }

    /// The value of `write()`.
    pub(super) fn value(&self) -> Value {
        match self {
            Cell::Text(text) => json!(text),
            // A decimal's text is a JSON number.
            Cell::Number(number) => {
                serde_json::from_str(&number.normalize().to_string()).unwrap_or(Value::Null)
            }
            Cell::Flag(flag) => json!(flag),
            Cell::Link(id) => json!(id),
            // "These and no others", also when there are none.
            Cell::Links(ids) => json!([[6, 0, ids]]),
        }
    }
}

/// Fields and their values.
pub(super) type Cells = BTreeMap<String, Cell>;

fn linked(id: &RemoteId, field: &str) -> Result<Cell, Fault> {
    let bad = || Fault::refused(Code::BadValue, "this is no id of Odoo").at(field);
    number(id).map(Cell::Link).ok_or_else(bad)
}

/// The header's fields.
///
/// # Errors
/// [`Code::BadValue`] for a reference that is no id, [`Code::UnknownField`] for a field this instance does not have.
pub(super) fn header(session: &Session, order: &Order) -> Result<Cells, Fault> {
    let mut cells = Cells::new();
    let place = &order.placement;
    let links = [
        ("partner_id", order.customer.as_ref()),
        (
            "partner_invoice_id",
            order.bill_to.id.as_ref().or(order.customer.as_ref()),
        ),
        (
            "partner_shipping_id",
            order.ship_to.id.as_ref().or(order.customer.as_ref()),
        ),
        ("pricelist_id", place.price_list.as_ref()),
        ("warehouse_id", place.warehouse.as_ref()),
        ("fiscal_position_id", place.fiscal_position.as_ref()),
        ("team_id", place.team.as_ref()),
        ("payment_term_id", place.payment_term.as_ref()),
        ("carrier_id", place.carrier.as_ref()),
    ];
    for (field, id) in links {
        if let Some(id) = id {
            cells.insert(field.to_owned(), linked(id, field)?);
        }
    }
    cells.insert(
        "company_id".to_owned(),
        Cell::Link(company(session, order)?),
    );
    let texts = [
        ("client_order_ref", order.reference.clone()),
        ("origin", order.origin.clone()),
        (
            "date_order",
            order.dates.placed.map(time::spaced).unwrap_or_default(),
        ),
        (
            "note",
            Some(note_to_html(&order.note))
                .filter(|_| !order.note.trim().is_empty())
                .unwrap_or_default(),
        ),
    ];
    for (field, text) in texts {
        if !text.is_empty() {
            cells.insert(field.to_owned(), Cell::Text(text));
        }
    }
    for (field, value) in &order.attributes {
        let known = session.known.order.get(field);
        let known = known.filter(|known| !known.readonly && !HEADER.contains(&field.as_str()));
        let cell = match known {
            Some(known) => cell(known, value).map_err(|fault| fault.at(field))?,
            None => return Err(unknown(field)),
        };
        cells.insert(field.clone(), cell);
    }
    if let Some(field) = cells
        .keys()
        .find(|field| !session.known.order.contains_key(*field))
    {
        return Err(unknown(field));
    }
    Ok(cells)
}

fn unknown(field: &str) -> Fault {
    Fault::refused(
        Code::UnknownField,
        "this Odoo has no such field on its orders, or does not let it be written",
    )
    .at(field)
}

/// The company of an order: never left to Odoo, which would take the user's own.
pub(super) fn company(session: &Session, order: &Order) -> Result<i64, Fault> {
    match &order.placement.company {
        None => Ok(session.company),
        Some(id) => number(id).ok_or_else(|| {
            Fault::refused(Code::BadValue, "this is no id of a company of Odoo").at("company_id")
        }),
    }
}

/// A value for a field that a flow names.
///
/// # Errors
/// [`Code::BadValue`] for a value or a field of a sort that cannot be written so.
pub(super) fn cell(field: &Field, value: &Value) -> Result<Cell, Fault> {
    let bad = || {
        Fault::refused(
            Code::BadValue,
            format!(
                "the value does not fit an Odoo field of the type {}",
                field.kind
            ),
        )
    };
    if field.kind == "many2many" {
        return ids(value).map(Cell::Links).ok_or_else(bad);
    }
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => String::new(),
        _ => return Err(bad()),
    };
    match field.kind.as_str() {
        "char" | "text" | "html" | "selection" | "date" | "datetime" => Ok(Cell::Text(text)),
        "integer" | "float" | "monetary" => {
            let text = if text.is_empty() { "0" } else { &text };
            comptoir_kit::decode::decimal_of(text)
                .map(Cell::Number)
                .ok_or_else(bad)
        }
        "boolean" => match text.as_str() {
            "true" | "1" => Ok(Cell::Flag(true)),
            "false" | "0" | "" => Ok(Cell::Flag(false)),
            _ => Err(bad()),
        },
        // By its database id: a table of the workspace says which id a name has.
        "many2one" => text.trim().parse().map(Cell::Link).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

/// Whether a field is of a sort that [`cell`] writes.
pub(super) fn can_hold(field: &Field) -> bool {
    let plain = cell(field, &Value::Null).is_ok();
    !field.readonly && (plain || matches!(field.kind.as_str(), "many2one" | "many2many"))
}

/// Database ids of a list, or of a text such as `3,5`.
fn ids(value: &Value) -> Option<Vec<i64>> {
    let id = |value: &Value| match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match value {
        Value::Array(items) => items.iter().map(id).collect(),
        Value::String(text) => text
            .split(',')
            .map(|part| part.trim().parse().ok())
            .collect(),
        one => Some(vec![id(one)?]),
    }
}

/// A line's fields. Price, text and taxes are never left to Odoo, and no tax is said as such.
///
/// # Errors
/// [`Code::MissingField`] for a line without a product, [`Code::BadValue`] for a reference that is no id.
pub(super) fn line(session: &Session, line: &Line) -> Result<Cells, Fault> {
    let Some(product) = &line.product else {
        let why = "a line of an order needs a product in Odoo";
        return Err(Fault::refused(Code::MissingField, why).at("product_id"));
    };
    let taxes = session.known.taxes();
    let bad = || Fault::refused(Code::BadValue, "this is no id of a tax of Odoo").at(taxes);
    let ids: Option<Vec<i64>> = line.taxes.iter().map(|tax| tax.code.parse().ok()).collect();
    let title = [line.title.trim(), line.sku.trim(), "-"];
    let title = title.into_iter().find(|text| !text.is_empty());
    let mut cells = Cells::from([
        ("product_id".to_owned(), linked(product, "product_id")?),
        (
            "name".to_owned(),
            Cell::Text(title.unwrap_or_default().to_owned()),
        ),
        ("product_uom_qty".to_owned(), Cell::Number(line.quantity)),
        ("price_unit".to_owned(), Cell::Number(line.unit_price)),
        (taxes.to_owned(), Cell::Links(ids.ok_or_else(bad)?)),
        // A price list's discount would lower the price that the shop charged.
        ("discount".to_owned(), Cell::Number(Decimal::ZERO)),
    ]);
    for (field, value) in &line.attributes {
        let known = session.known.line.get(field);
        let known = known.filter(|known| can_hold(known) && !LINE.contains(&field.as_str()));
        let known = known.ok_or_else(|| {
            let why = "this Odoo has no such field on the lines of its orders, or does not let it be written";
            Fault::refused(Code::UnknownField, why).at(field)
        })?;
        let cell = cell(known, value).map_err(|fault| fault.at(field))?;
        cells.insert(field.clone(), cell);
    }
    Ok(cells)
}

/// The order as rows of `load()`, lines with external ids of their own.
///
/// # Errors
/// Those of [`header`] and [`line`].
pub(super) fn entry(
    session: &Session,
    index: usize,
    key: &WriteKey,
    order: &Order,
) -> Result<Entry, Fault> {
    let external = |key: &WriteKey| format!("{}.{}", session.module, key::name_of(key));
    let header = header(session, order)?;
    let mut columns = vec!["id".to_owned()];
    columns.extend(header.iter().map(|(field, cell)| cell.column(field)));
    let mut first = vec![external(key)];
    first.extend(header.values().map(Cell::text));
    let width = first.len();
    let mut rows = vec![first];
    for (at, line) in order.lines.iter().enumerate() {
        let cells = self::line(session, line)?;
        if at == 0 {
            columns.push("order_line/id".to_owned());
            let fields = cells.iter();
            columns
                .extend(fields.map(|(field, cell)| format!("order_line/{}", cell.column(field))));
        } else {
            rows.push(vec![String::new(); width]);
        }
        if let Some(row) = rows.last_mut() {
            row.push(external(&key.part(&line.id)));
            row.extend(cells.values().map(Cell::text));
        }
    }
    Ok(Entry {
        index,
        company: company(session, order)?,
        columns,
        rows,
    })
}

/// One line to be added to an order that is there, as a row of `load()`.
///
/// # Errors
/// Those of [`line`].
pub(super) fn line_entry(
    session: &Session,
    index: usize,
    key: &WriteKey,
    order: i64,
    company: i64,
    line: &Line,
) -> Result<Entry, Fault> {
    let cells = self::line(session, line)?;
    let mut columns = vec!["id".to_owned(), "order_id/.id".to_owned()];
    columns.extend(cells.iter().map(|(field, cell)| cell.column(field)));
    let mut row = vec![
        format!("{}.{}", session.module, key::name_of(&key.part(&line.id))),
        order.to_string(),
    ];
    row.extend(cells.values().map(Cell::text));
    Ok(Entry {
        index,
        company,
        columns,
        rows: vec![row],
    })
}
