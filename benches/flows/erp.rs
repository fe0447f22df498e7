//! The mock ERP: `/json/2` as the Odoo connector speaks it, `/jsonrpc` for its version probe and for the bare loop.

use crate::call::{Call, Text};
use crate::fixed;
use crate::mock::{Booked, Books, Knobs, now_us};
use crate::orders::{COUNTRIES, SHIPPING_SKU, SKUS};
use crate::shelf::Shelf;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt::Write as _;

/// Id of the product that stands for shipping; the others follow it.
const SHIPPING: u64 = 1_000;
/// Id of the first product that is a thing.
pub const FIRST_PRODUCT: u64 = SHIPPING + 1;

#[derive(Deserialize)]
struct PartnerValues<'a> {
    #[serde(borrow)]
    email: Text<'a>,
}

#[derive(Deserialize)]
struct OrderValues<'a> {
    partner_id: u64,
    #[serde(borrow)]
    client_order_ref: Text<'a>,
    #[serde(borrow)]
    order_line: Vec<(u8, u8, LineValues<'a>)>,
}

#[derive(Deserialize)]
struct LineValues<'a> {
    product_id: u64,
    product_uom_qty: f64,
    price_unit: f64,
    #[serde(borrow)]
    name: Text<'a>,
    tax_ids: [(u8, u8, [u64; 1]); 1],
}

struct SaleOrder {
    reference: String,
    partner: u64,
    date: String,
    origin: String,
    written: String,
    at: u64,
    lines: std::ops::Range<usize>,
    total: i64,
    tax: i64,
}

struct SaleLine {
    order: u64,
    product: u64,
    name: String,
    quantity: f64,
    price: f64,
    tax: u64,
    subtotal: i64,
    tax_amount: i64,
    /// Name of its external id; empty when it has none.
    key: String,
}

/// What the ERP holds. Ids are places in the lists, from 1.
#[derive(Default)]
pub struct Erp {
    emails: Vec<String>,
    by_email: HashMap<String, Vec<u64>>,
    orders: Vec<SaleOrder>,
    by_reference: HashMap<String, u64>,
    lines: Vec<SaleLine>,
    partner_keys: HashMap<String, u64>,
    order_keys: HashMap<String, u64>,
}

fn product_of(sku: &str) -> Option<u64> {
    if sku == SHIPPING_SKU {
        return Some(SHIPPING);
    }
    let number: u64 = sku.strip_prefix("SKU-")?.parse().ok()?;
    (number < SKUS).then_some(SHIPPING + 1 + number)
}

/// The SKU of a product.
pub fn sku_of(product: u64) -> Result<String> {
    match product.checked_sub(SHIPPING) {
        Some(0) => Ok(SHIPPING_SKU.to_owned()),
        Some(number) if number <= SKUS => Ok(format!("SKU-{:06}", number - 1)),
        _ => bail!("no product {product}"),
    }
}

fn spaced_now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

impl Erp {
    /// How many orders and partners there are.
    pub fn sizes(&self) -> (u64, u64) {
        (self.orders.len() as u64, self.emails.len() as u64)
    }

    /// Everything, for the comparison of both sides.
    pub fn books(&self) -> Books {
        let booked = |order: &SaleOrder| Booked {
            reference: order.reference.clone(),
            at: order.at,
            total: order.total,
            email: self.emails[order.partner as usize - 1].clone(),
        };
        Books {
            orders: self.orders.iter().map(booked).collect(),
            emails: self.emails.clone(),
        }
    }

    /// Does what a call says and answers its JSON.
    pub fn answer(&mut self, knobs: &Knobs, shelf: &mut Shelf, call: &Call<'_>) -> Result<Vec<u8>> {
        let mut out = String::with_capacity(4 * 1024);
        if call.enveloped {
            out.push_str(r#"{"jsonrpc":"2.0","id":1,"result":"#);
        }
        match (call.model, call.method) {
            _ if knobs.items > 0 && shelf.erp(knobs, call, &mut out)? => {}
            ("common", _) => out.push_str(r#"{"server_version":"19.0"}"#),
            ("res.partner", "create") => self.create_partner(call, &mut out)?,
            ("res.partner", "load") => self.load_partners(call, &mut out)?,
            ("res.partner", "search") => {
                let email = call.values("email")?;
                let found = email.first().and_then(|email| self.by_email.get(&*email.0));
                write!(out, "{:?}", found.map_or(&[][..], Vec::as_slice))?;
            }
            ("res.partner", "search_read") => self.find_partners(call, &mut out)?,
            ("res.partner", "read") => self.read_partners(call, &mut out)?,
            ("sale.order", "search") => {
                let reference = call.values("client_order_ref")?;
                let found = reference.first();
                let found = found.and_then(|text| self.by_reference.get(&*text.0));
                write!(out, "{:?}", found.map_or(&[][..], std::slice::from_ref))?;
            }
            ("sale.order", "create") => self.create_order(call, &mut out)?,
            ("sale.order", "load") => self.load_orders(call, &mut out)?,
            ("sale.order", "read") => self.read_orders(call, &mut out)?,
            ("sale.order", "search_read") => self.orders_by_reference(call, &mut out)?,
            ("sale.order.line", "search_read") => self.read_lines(call, &mut out)?,
            ("product.product", "search_read") => find_products(call, &mut out)?,
            ("product.product", "read") => read_products(call, &mut out)?,
            ("ir.model.data", "search_read") => self.find_keys(call, &mut out)?,
            (model, method) => out.push_str(&fixed::answer(model, method)?),
        }
        if call.enveloped {
            out.push('}');
        }
        Ok(out.into_bytes())
    }

    fn add_partner(&mut self, email: &str) -> u64 {
        self.emails.push(email.to_owned());
        let id = self.emails.len() as u64;
        self.by_email.entry(email.to_owned()).or_default().push(id);
        id
    }

    fn create_partner(&mut self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let values = call.arguments.values.context("no values")?;
        let values: PartnerValues<'_> = serde_json::from_str(values.get())?;
        write!(out, "{}", self.add_partner(&values.email.0))?;
        Ok(())
    }

    fn load_partners(&mut self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let columns = Columns::of(&call.arguments.fields);
        let (id, email) = (columns.at("id")?, columns.at("email")?);
        let mut ids = Vec::with_capacity(call.arguments.data.len());
        for row in &call.arguments.data {
            let key = key_name(&row[id].0)?;
            let made = match self.partner_keys.get(key) {
                // Loaded with `noupdate`: what is there stays.
                Some(there) => *there,
                None => {
                    let made = self.add_partner(&row[email].0);
                    self.partner_keys.insert(key.to_owned(), made);
                    made
                }
            };
            ids.push(made);
        }
        write!(out, r#"{{"ids":{ids:?},"messages":[],"nextrow":0}}"#)?;
        Ok(())
    }

    fn find_partners(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut rows = Rows::open(out);
        for email in call.values("email")? {
            for id in self.by_email.get(&*email.0).into_iter().flatten() {
                write!(
                    rows.next(),
                    r#"{{"id":{id},"email":"{}","vat":false,"parent_id":false,"type":"contact","commercial_partner_id":[{id},"Alex"]}}"#,
                    email.0
                )?;
            }
        }
        rows.close();
        Ok(())
    }

    fn read_partners(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut rows = Rows::open(out);
        for id in &call.arguments.ids {
            let email = &self.emails[*id as usize - 1];
            write!(
                rows.next(),
                r#"{{"id":{id},"name":"Alex","is_company":false,"email":"{email}","phone":"+33 1 99 00 12 34","vat":false,"street":"1 rue","street2":false,"zip":"69003","city":"Lyon","country_code":"FR","state_id":false,"lang":"fr_FR","ref":false,"parent_id":false,"type":"contact","company_name":false,"write_date":"2026-11-22 04:36:12"}}"#
            )?;
        }
        rows.close();
        Ok(())
    }

    fn begin_order(&mut self, reference: &str, partner: u64) -> Result<u64> {
        if partner == 0 || partner > self.emails.len() as u64 {
            bail!("no partner {partner}");
        }
        self.orders.push(SaleOrder {
            reference: reference.to_owned(),
            partner,
            date: String::new(),
            origin: String::new(),
            written: spaced_now(),
            at: now_us(),
            lines: self.lines.len()..self.lines.len(),
            total: 0,
            tax: 0,
        });
        let id = self.orders.len() as u64;
        self.by_reference.insert(reference.to_owned(), id);
        Ok(id)
    }

    /// Adds a line to the order that was begun last. Its price includes its tax.
    fn add_line(&mut self, mut line: SaleLine) -> Result<()> {
        let country = COUNTRIES
            .get(line.tax as usize - 1)
            .context("no such tax")?;
        sku_of(line.product)?;
        let gross = (line.price * line.quantity * 100.0).round();
        let net = (gross * 100.0 / (100 + country.rate) as f64).round();
        line.subtotal = net as i64;
        line.tax_amount = (gross - net) as i64;
        let order = self.orders.last_mut().context("no order")?;
        order.total += gross as i64;
        order.tax += line.tax_amount;
        line.order = self.orders.len() as u64;
        self.lines.push(line);
        let end = self.lines.len();
        if let Some(order) = self.orders.last_mut() {
            order.lines.end = end;
        }
        Ok(())
    }

    fn create_order(&mut self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let values = call.arguments.values.context("no values")?;
        let values: OrderValues<'_> = serde_json::from_str(values.get())?;
        let id = self.begin_order(&values.client_order_ref.0, values.partner_id)?;
        for (_, _, line) in values.order_line {
            self.add_line(SaleLine {
                order: 0,
                product: line.product_id,
                name: line.name.0.into_owned(),
                quantity: line.product_uom_qty,
                price: line.price_unit,
                tax: line.tax_ids[0].2[0],
                subtotal: 0,
                tax_amount: 0,
                key: String::new(),
            })?;
        }
        write!(out, "{id}")?;
        Ok(())
    }

    fn load_orders(&mut self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let columns = Columns::of(&call.arguments.fields);
        let id = columns.at("id")?;
        let (reference, partner) = (
            columns.at("client_order_ref")?,
            columns.at("partner_id/.id")?,
        );
        let (date, origin) = (columns.at("date_order")?, columns.at("origin")?);
        let line = LineColumns::of(&columns)?;
        let mut ids = Vec::new();
        let mut there_already = false;
        for row in &call.arguments.data {
            if !row[id].0.is_empty() {
                let key = key_name(&row[id].0)?;
                let there = self.order_keys.get(key).copied();
                there_already = there.is_some();
                let made = match there {
                    Some(there) => there,
                    None => {
                        let made = self.begin_order(&row[reference].0, row[partner].0.parse()?)?;
                        let order = self.orders.last_mut().context("no order")?;
                        order.date = row[date].0.clone().into_owned();
                        order.origin = row[origin].0.clone().into_owned();
                        self.order_keys.insert(key.to_owned(), made);
                        made
                    }
                };
                ids.push(made);
            }
            if !there_already {
                self.add_line(line.read(row)?)?;
            }
        }
        write!(out, r#"{{"ids":{ids:?},"messages":[],"nextrow":0}}"#)?;
        Ok(())
    }

    fn read_orders(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut rows = Rows::open(out);
        for id in &call.arguments.ids {
            let Some(order) = self.orders.get(*id as usize - 1) else {
                continue;
            };
            let out = rows.next();
            write!(
                out,
                r#"{{"id":{id},"name":"S{id:05}","state":"draft","client_order_ref":"{}","origin":"#,
                order.reference
            )?;
            quoted(&order.origin, out)?;
            write!(
                out,
                r#","note":false,"date_order":"{}","write_date":"{}","amount_tax":{},"amount_total":{},"currency_id":[126,"EUR"],"partner_id":[{partner},"Alex"],"partner_invoice_id":[{partner},"Alex"],"partner_shipping_id":[{partner},"Alex"],"company_id":[1,"Example Company"],"warehouse_id":[1,"Example"],"pricelist_id":false,"fiscal_position_id":false,"team_id":false,"payment_term_id":false}}"#,
                order.date,
                order.written,
                Money(order.tax),
                Money(order.total),
                partner = order.partner,
            )?;
        }
        rows.close();
        Ok(())
    }

    fn orders_by_reference(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut rows = Rows::open(out);
        let wanted: Vec<Text<'_>> = call.list("client_order_ref")?.unwrap_or_default();
        for reference in wanted {
            if let Some(id) = self.by_reference.get(&*reference.0) {
                write!(
                    rows.next(),
                    r#"{{"id":{id},"name":"S{id:05}","state":"draft","client_order_ref":"{}"}}"#,
                    reference.0
                )?;
            }
        }
        rows.close();
        Ok(())
    }

    fn read_lines(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let orders: Vec<u64> = call.list("order_id")?.context("no orders")?;
        let mut rows = Rows::open(out);
        for order in orders {
            let Some(held) = self.orders.get(order as usize - 1) else {
                continue;
            };
            for at in held.lines.clone() {
                let line = &self.lines[at];
                let out = rows.next();
                write!(
                    out,
                    r#"{{"id":{},"order_id":[{order},"S{order:05}"],"name":"#,
                    at + 1
                )?;
                quoted(&line.name, out)?;
                write!(
                    out,
                    r#","display_type":false,"product_id":[{0},"[{1}] Product"],"product_uom_qty":{2:?},"price_unit":{3:?},"discount":0.0,"price_subtotal":{4},"price_tax":{5},"write_date":"{6}","tax_ids":[{7}]}}"#,
                    line.product,
                    sku_of(line.product)?,
                    line.quantity,
                    line.price,
                    Money(line.subtotal),
                    Money(line.tax_amount),
                    held.written,
                    line.tax
                )?;
            }
        }
        rows.close();
        Ok(())
    }

    fn find_keys(&self, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut rows = Rows::open(out);
        let models = call.values("model")?;
        let Some(Text(model)) = models.first() else {
            // Asked only whether it may be read.
            rows.close();
            return Ok(());
        };
        if let Some(ids) = call.list::<u64>("res_id")? {
            for id in ids {
                let line = self.lines.get(id as usize - 1);
                if let Some(line) = line.filter(|line| !line.key.is_empty()) {
                    let key = &line.key;
                    write!(
                        rows.next(),
                        r#"{{"id":{id},"name":"{key}","model":"{model}","res_id":{id}}}"#
                    )?;
                }
            }
        }
        let known = match &**model {
            "res.partner" => &self.partner_keys,
            _ => &self.order_keys,
        };
        let names: Vec<Text<'_>> = call.list("name")?.unwrap_or_default();
        for name in names {
            if let Some(id) = known.get(&*name.0) {
                write!(
                    rows.next(),
                    r#"{{"id":{id},"name":"{}","model":"{model}","res_id":{id}}}"#,
                    name.0
                )?;
            }
        }
        rows.close();
        Ok(())
    }
}

fn find_products(call: &Call<'_>, out: &mut String) -> Result<()> {
    let wanted: Vec<Text<'_>> = call.list("default_code")?.context("no SKUs")?;
    let mut rows = Rows::open(out);
    for sku in wanted {
        if let Some(id) = product_of(&sku.0) {
            write!(rows.next(), r#"{{"id":{id},"default_code":"{}"}}"#, sku.0)?;
        }
    }
    rows.close();
    Ok(())
}

fn read_products(call: &Call<'_>, out: &mut String) -> Result<()> {
    let mut rows = Rows::open(out);
    for id in &call.arguments.ids {
        let sku = sku_of(*id)?;
        write!(rows.next(), r#"{{"id":{id},"default_code":"{sku}"}}"#)?;
    }
    rows.close();
    Ok(())
}

/// The name of an external id without its module.
fn key_name(id: &str) -> Result<&str> {
    let (_, name) = id
        .split_once('.')
        .context("an external id without a module")?;
    Ok(name)
}

fn quoted(text: &str, out: &mut String) -> Result<()> {
    out.push_str(&serde_json::to_string(text)?);
    Ok(())
}

/// Cents as Odoo's float.
struct Money(i64);

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A JSON array under construction.
pub struct Rows<'a> {
    out: &'a mut String,
    any: bool,
}

impl<'a> Rows<'a> {
    /// Begins one.
    pub fn open(out: &'a mut String) -> Self {
        out.push('[');
        Rows { out, any: false }
    }

    /// Where the next row goes.
    pub fn next(&mut self) -> &mut String {
        if self.any {
            self.out.push(',');
        }
        self.any = true;
        self.out
    }

    /// Ends it.
    pub fn close(self) {
        self.out.push(']');
    }

    /// Takes back that it was begun.
    pub fn drop(self) {
        self.out.pop();
    }
}

/// The columns of a `load()`.
struct Columns<'a>(&'a [Text<'a>]);

impl<'a> Columns<'a> {
    fn of(fields: &'a [Text<'a>]) -> Self {
        Columns(fields)
    }

    fn at(&self, name: &str) -> Result<usize> {
        let found = self.0.iter().position(|field| field.0 == name);
        found.with_context(|| format!("no column {name}"))
    }
}

/// Where the columns of a line are.
struct LineColumns {
    key: usize,
    product: usize,
    name: usize,
    quantity: usize,
    price: usize,
    tax: usize,
}

impl LineColumns {
    fn of(columns: &Columns<'_>) -> Result<Self> {
        let at = |name: &str| columns.at(&format!("order_line/{name}"));
        Ok(LineColumns {
            key: at("id")?,
            product: at("product_id/.id")?,
            name: at("name")?,
            quantity: at("product_uom_qty")?,
            price: at("price_unit")?,
            tax: at("tax_ids/.id")?,
        })
    }

    fn read(&self, row: &[Text<'_>]) -> Result<SaleLine> {
        Ok(SaleLine {
            order: 0,
            product: row[self.product].0.parse()?,
            name: row[self.name].0.clone().into_owned(),
            quantity: row[self.quantity].0.parse()?,
            price: row[self.price].0.parse()?,
            tax: row[self.tax].0.parse()?,
            subtotal: 0,
            tax_amount: 0,
            key: key_name(&row[self.key].0)?.to_owned(),
        })
    }
}
