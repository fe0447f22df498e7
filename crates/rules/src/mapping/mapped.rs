//! An order as the rules left it, with the reason of every value.

use super::row::Place;
use super::target::{Cell, List, Spot, Target};
use crate::order::Reason;
use comptoir_model::Attributes;
use comptoir_model::address::{Address, Country};
use comptoir_model::cause::Cause;
use comptoir_model::code::Code;
use comptoir_model::customer::Customer;
use comptoir_model::order::Order;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Deref;

/// Which document an order becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes {
    /// A quotation: confirmed by a person.
    Quotation,
    /// An order: confirmed as the flow's policy says.
    Order,
}

/// What a rule chose among the target's choices: a name or an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The name or id.
    pub value: String,
    /// The rule.
    pub by: Place,
}

/// A rule that found nothing and says to hold, or that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The rule.
    pub rule: Place,
    /// What it writes.
    pub to: String,
    /// Page of the error docs.
    pub code: Code,
    /// What happened. It may quote the order: for a person who looks at it, never for a log.
    pub why: String,
    /// The table and the value that has no row, where that is the reason and the value is no personal one.
    #[serde(skip)]
    pub row: Option<(String, String)>,
}

impl Failure {
    /// The key under which the record is held.
    pub fn cause(&self) -> Cause {
        match &self.row {
            Some((table, value)) => Cause::row(table, value),
            None => Cause::Rule(self.code, self.rule.to_string()),
        }
    }
}

/// An order with what the rules say about it. It reads as the order itself: rules rewrite texts, addresses and tags in place. What they say
/// about the target alone stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped {
    order: Order,
    /// The target's own texts: `reference` and `origin`.
    pub texts: BTreeMap<&'static str, String>,
    /// What the target's lines are made of, by the part of their key (`line-7`): SKUs chosen by rules.
    pub skus: BTreeMap<String, String>,
    /// Fields of the target's lines.
    pub line_fields: BTreeMap<String, Attributes>,
    /// Where the target books it.
    pub spots: BTreeMap<Spot, Chosen>,
    /// Which document it becomes, where a rule says so.
    pub becomes: Option<Becomes>,
    /// Fields of the target's order.
    pub fields: Attributes,
    /// The customer's name, and whether it is a company.
    pub buyer: BTreeMap<&'static str, Value>,
    /// Fields of the target's customer.
    pub buyer_fields: Attributes,
    /// Extension fields.
    pub own: Attributes,
    /// Rules that stop the record.
    pub failures: Vec<Failure>,
    /// Why each value is what it is.
    pub reasons: Vec<Reason>,
}

impl Deref for Mapped {
    type Target = Order;

    fn deref(&self) -> &Order {
        &self.order
    }
}

impl From<Order> for Mapped {
    fn from(order: Order) -> Self {
        Mapped {
            order,
            texts: BTreeMap::new(),
            skus: BTreeMap::new(),
            line_fields: BTreeMap::new(),
            spots: BTreeMap::new(),
            becomes: None,
            fields: Attributes::new(),
            buyer: BTreeMap::new(),
            buyer_fields: Attributes::new(),
            own: Attributes::new(),
            failures: Vec::new(),
            reasons: Vec::new(),
        }
    }
}

impl Mapped {
    /// The causes that hold the record.
    pub fn causes(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = self.failures.iter().map(Failure::cause).collect();
        causes.sort();
        causes.dedup();
        causes
    }

    /// What rules say about the customer that would be made.
    pub fn shape_customer(&self, customer: &mut Customer) {
        for (field, value) in &self.buyer {
            match (*field, value) {
                ("is_company", Value::Bool(flag)) => customer.is_company = *flag,
                ("name", Value::String(name)) => customer.name.clone_from(name),
                ("phone", Value::String(phone)) => customer.phone.clone_from(phone),
                _ => {}
            }
        }
        customer.attributes.extend(self.buyer_fields.clone());
    }

    /// Writes a value. The error says what does not fit, in plain words.
    pub(super) fn write(
        &mut self,
        target: &Target,
        element: usize,
        value: Value,
        by: &Place,
    ) -> Result<(), String> {
        match target {
            Target::Text(name @ ("reference" | "origin")) => {
                self.texts.insert(name, text(value)?);
            }
            Target::Text(name) => *self.text(name) = text(value)?,
            Target::Address { ship, field } => {
                let address = if *ship {
                    &mut self.order.ship_to
                } else {
                    &mut self.order.bill_to
                };
                write_address(address, field, text(value)?)?;
            }
            Target::Tags => self.order.tags = texts(value)?,
            Target::Tag => {
                let more = texts(value)?;
                let fresh: Vec<String> = more
                    .into_iter()
                    .filter(|tag| !self.order.tags.contains(tag))
                    .collect();
                self.order.tags.extend(fresh);
            }
            Target::Placement(spot) => {
                let by = by.clone();
                let value = text(value)?;
                self.spots.insert(*spot, Chosen { value, by });
            }
            Target::Document => self.becomes = Some(document(&text(value)?)?),
            Target::Field(name) => drop(self.fields.insert(name.clone(), value)),
            Target::Own(name) => drop(self.own.insert(name.clone(), value)),
            Target::CustomerField(name) => drop(self.buyer_fields.insert(name.clone(), value)),
            Target::Customer(name) => {
                let value = match *name {
                    "is_company" => Value::Bool(flag(&value)?),
                    _ => Value::String(text(value)?),
                };
                self.buyer.insert(name, value);
            }
            Target::Each(list, cell) => self.write_element(*list, cell, element, value)?,
        }
        Ok(())
    }

    fn write_element(
        &mut self,
        list: List,
        cell: &Cell,
        element: usize,
        value: Value,
    ) -> Result<(), String> {
        let part = self.part(list, element);
        match cell {
            Cell::Sku => drop(self.skus.insert(part, text(value)?)),
            Cell::Field(name) => {
                let fields = self.line_fields.entry(part).or_default();
                fields.insert(name.clone(), value);
            }
            Cell::Title => {
                let order = &mut self.order;
                let title = match list {
                    List::Lines => order.lines.get_mut(element).map(|line| &mut line.title),
                    List::Shipping => order.shipping.get_mut(element).map(|line| &mut line.title),
                    List::Fees => order.fees.get_mut(element).map(|fee| &mut fee.title),
                };
                if let Some(title) = title {
                    *title = text(value)?;
                }
            }
        }
        Ok(())
    }

    /// The part of the key of the target's line that an element becomes.
    pub(super) fn part(&self, list: List, element: usize) -> String {
        let id = match list {
            List::Lines => self.order.lines.get(element).map(|line| &line.id),
            List::Shipping => self.order.shipping.get(element).map(|line| &line.id),
            List::Fees => self.order.fees.get(element).map(|fee| &fee.id),
        };
        format!("{}-{}", list.part(), id.map_or("", String::as_str))
    }

    fn text(&mut self, name: &str) -> &mut String {
        let order = &mut self.order;
        match name {
            "purchase_order" => &mut order.purchase_order,
            "email" => &mut order.email,
            "vat_number" => &mut order.vat_number,
            "exemption" => &mut order.exemption,
            "language" => &mut order.language,
            _ => &mut order.note,
        }
    }
}

fn write_address(address: &mut Address, field: &str, value: String) -> Result<(), String> {
    let place = match field {
        "first_name" => &mut address.first_name,
        "last_name" => &mut address.last_name,
        "company" => &mut address.company,
        "line1" => &mut address.line1,
        "line2" => &mut address.line2,
        "city" => &mut address.city,
        "postcode" => &mut address.postcode,
        "region" => &mut address.region,
        "phone" => &mut address.phone,
        "subdivision" => {
            address.subdivision = Some(value);
            return Ok(());
        }
        "country" => {
            let country: Country = value.parse().map_err(|error| format!("{error}"))?;
            address.country = Some(country);
            return Ok(());
        }
        _ => &mut address.email,
    };
    *place = value;
    Ok(())
}

/// Which document a word stands for.
pub(super) fn document(word: &str) -> Result<Becomes, String> {
    match word {
        "quotation" => Ok(Becomes::Quotation),
        "order" => Ok(Becomes::Order),
        _ => Err("`placement.document` is \"quotation\" or \"order\"".to_owned()),
    }
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("a text belongs here, not a list".to_owned()),
    }
}

fn texts(value: Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => items.into_iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
}

fn flag(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(word) if word == "true" => Ok(true),
        Value::String(word) if word == "false" => Ok(false),
        _ => Err("yes or no (true or false) belongs here".to_owned()),
    }
}
