//! From what the system sends to the canonical documents.

use super::wire;
use comptoir_kit::decode;
use comptoir_kit::page::Stamp;
use comptoir_kit::time;
use comptoir_model::account::{Account, Choice};
use comptoir_model::address::Address;
use comptoir_model::document::Document;
use comptoir_model::equation::settle_rounding;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::order::{Life, Line, LineTax, Order, Paid, TaxLine, Totals};
use comptoir_model::port::{Record, Seen, Unreadable};
use jiff::Timestamp;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// A record, or why it cannot be read.
pub(super) type Item = Result<Record, Unreadable>;

/// One row of a list.
pub(super) fn item(row: &RawValue) -> Item {
    // Everything may be stored here. Where a system sends keys, password hashes or card data, take them out of this first.
    let raw = row.get().to_owned();
    let read = decode::json::<wire::Order>(raw.as_bytes()).and_then(|wire| {
        let version = instant(&wire.updated_at, "updated_at")?.to_string();
        Ok((wire.id.clone(), version, order(wire)?))
    });
    match read {
        Ok((id, version, order)) => Ok(Record {
            id,
            version,
            document: Document::Order(Box::new(order)),
            raw: Some(raw),
        }),
        Err(fault) => {
            let head = decode::json::<wire::Head>(raw.as_bytes());
            let id = head.ok().and_then(|head| head.id);
            Err(Unreadable { id, fault, raw })
        }
    }
}

/// What the cursor needs to know of an item.
pub(super) fn stamp(item: &Item) -> Stamp {
    match item {
        Ok(record) => Stamp {
            id: record.id.to_string(),
            version: record.version.clone(),
            at: record.version.parse().ok(),
        },
        // Its text is as stable as the item itself.
        Err(item) => Stamp {
            id: item
                .id
                .as_ref()
                .map_or(item.raw.clone(), RemoteId::to_string),
            version: item.raw.clone(),
            at: None,
        },
    }
}

/// One answer for each id asked for.
pub(super) fn seen(ids: &[RemoteId], items: impl Iterator<Item = Item>) -> Vec<Seen> {
    let mut found = HashMap::new();
    for item in items {
        match item {
            Ok(record) => found.insert(record.id.clone(), Seen::Record(Box::new(record))),
            Err(item) => match item.id.clone() {
                Some(id) => found.insert(id, Seen::Unreadable(Box::new(item))),
                None => None,
            },
        };
    }
    let gone = |id: &RemoteId| Seen::Gone(id.clone());
    ids.iter()
        .map(|id| found.remove(id).unwrap_or_else(|| gone(id)))
        .collect()
}

/// What the test of the connection learns.
pub(super) fn account(info: wire::Info, site: String) -> Account {
    let statuses = info.statuses.into_iter().map(|word| Choice {
        id: word.as_str().into(),
        name: word,
        includes_tax: false,
        currency: None,
        rate: None,
        company: None,
    });
    Account {
        title: info.title,
        version: info.version,
        site,
        time_zone: "UTC".to_owned(),
        currency: info.currency.parse().ok(),
        price_decimals: None,
        quantity_decimals: None,
        choices: [("statuses".to_owned(), statuses.collect())].into(),
        fields: Default::default(),
        notices: Vec::new(),
    }
}

fn instant(text: &str, field: &str) -> Result<Timestamp, Fault> {
    time::utc(text).map_err(|error| Fault::bug(error.to_string()).at(field))
}

fn order(wire: wire::Order) -> Result<Order, Fault> {
    let currency = wire.currency.parse();
    let currency = currency.map_err(|_| Fault::bug("expected a currency").at("currency"))?;
    let mut order = Order::empty(wire.number, currency);
    order.status.life = match wire.status.as_str() {
        "new" => Life::Draft,
        "open" => Life::Open,
        "done" => Life::Completed,
        "cancelled" => Life::Cancelled,
        _ => Life::OnHold,
    };
    order.status.word = wire.status;
    order.status.paid = if wire.paid { Paid::Yes } else { Paid::No };
    order.dates.placed = Some(instant(&wire.created_at, "created_at")?);
    order.email = wire.buyer.email.clone();
    order.bill_to = address(wire.buyer);
    order.ship_to = order.bill_to.clone();
    for line in wire.lines {
        add_tax(&mut order, &line);
        order.lines.push(self::line(line));
    }
    order.totals = Totals {
        total: wire.total,
        tax: wire.tax,
        ..Totals::default()
    };
    settle_rounding(&mut order);
    Ok(order)
}

fn line(wire: wire::Line) -> Line {
    let each = wire.net.checked_div(wire.quantity);
    let taxes = match wire.tax_code.is_empty() {
        true => Vec::new(),
        false => vec![LineTax {
            code: wire.tax_code,
            amount: wire.tax,
        }],
    };
    Line {
        id: wire.id,
        sku: wire.sku.trim().to_owned(),
        title: wire.title,
        quantity: wire.quantity,
        unit_price: each.unwrap_or_default(),
        subtotal: wire.net,
        net: wire.net,
        tax: wire.tax,
        taxes,
        ..Line::default()
    }
}

/// Adds a line's tax to the order's sums by tax.
fn add_tax(order: &mut Order, line: &wire::Line) {
    if line.tax_code.is_empty() {
        return;
    }
    let known = order.taxes.iter_mut().find(|tax| tax.code == line.tax_code);
    match known {
        Some(known) => known.amount += line.tax,
        None => order.taxes.push(TaxLine {
            code: line.tax_code.clone(),
            title: line.tax_code.clone(),
            rate: line.tax_rate,
            compound: false,
            amount: line.tax,
            shipping: Default::default(),
            channel_liable: false,
        }),
    }
}

fn address(buyer: wire::Buyer) -> Address {
    Address {
        first_name: buyer.first_name,
        last_name: buyer.last_name,
        line1: buyer.street,
        postcode: buyer.postcode,
        city: buyer.city,
        country: buyer.country.parse().ok(),
        ..Address::default()
    }
}
