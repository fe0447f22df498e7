//! What the server holds and how its methods behave.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A trouble ordered for the next call of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Refused with this exception; nothing is done.
    Refused(&'static str),
    /// `load()` comes second to another client.
    Race,
    /// A search that finds nothing: what is there was made just after it.
    Blind,
    /// It is done, and the answer gets lost.
    Lost,
}

/// An exception.
#[derive(Debug, Clone)]
pub struct Refusal {
    name: String,
}

impl Refusal {
    pub fn of(name: &str) -> Self {
        Refusal {
            name: name.to_owned(),
        }
    }

    pub fn body(&self) -> Value {
        json!({"name": self.name, "message": "Marie Exemple is not welcome", "arguments": [], "context": {},
            "debug": format!("Traceback (most recent call last):\n  File \"/opt/odoo/x.py\", line 1\n{}", self.name)})
    }

    pub fn status(&self) -> StatusCode {
        match self.name.rsplit('.').next().unwrap() {
            "Unauthorized" => StatusCode::UNAUTHORIZED,
            "AccessError" => StatusCode::FORBIDDEN,
            "MissingError" | "NotFound" => StatusCode::NOT_FOUND,
            "UserError" | "ValidationError" => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A record.
pub type Row = Map<String, Value>;

/// Everything.
pub struct Erp {
    pub version: u32,
    /// Records by model and id.
    pub tables: BTreeMap<String, BTreeMap<i64, Row>>,
    /// What was called.
    pub calls: Vec<String>,
    /// Models that the user may not create, as the methods about rights tell it.
    pub denied: Vec<&'static str>,
    /// The user has no right of administration: external ids and precisions are closed to it.
    pub plain_user: bool,
    /// Nor one of Invoicing: fields of accounting are closed to it.
    pub sees_accounting: bool,
    /// Troubles by `model.method`.
    pub troubles: Vec<(String, Trouble)>,
    pub(super) next: i64,
    clock: i64,
}

fn row(value: Value) -> Row {
    value.as_object().unwrap().clone()
}

impl Erp {
    pub fn new(version: u32) -> Self {
        let mut erp = Erp {
            version,
            tables: BTreeMap::new(),
            calls: Vec::new(),
            denied: Vec::new(),
            plain_user: false,
            sees_accounting: true,
            troubles: Vec::new(),
            next: 100,
            clock: 0,
        };
        let company = |id: i64, name: &str| {
            json!({"id": id, "name": name, "currency_id": [1, "EUR"],
            "tax_calculation_rounding_method": "round_per_line"})
        };
        erp.put("res.company", company(1, "Exemple SA"));
        erp.put("res.company", company(2, "Exemple Nord"));
        erp.put(
            "res.users",
            json!({"id": 2, "company_id": [1, "Exemple SA"], "company_ids": [1, 2]}),
        );
        erp.put(
            "res.lang",
            json!({"id": 1, "name": "English", "code": "en_US", "active": true}),
        );
        erp.put(
            "res.lang",
            json!({"id": 2, "name": "Français", "code": "fr_FR", "active": true}),
        );
        erp.put(
            "res.country",
            json!({"id": 75, "code": "FR", "name": "France"}),
        );
        erp.put(
            "account.tax",
            json!({"id": 10, "name": "TVA 20 % TTC", "amount": 20.0, "amount_type": "percent",
            "price_include": true, "type_tax_use": "sale", "company_id": [1, "Exemple SA"]}),
        );
        erp.put(
            "product.pricelist",
            json!({"id": 1, "name": "Public", "currency_id": [1, "EUR"], "company_id": false}),
        );
        erp.put(
            "product.pricelist",
            json!({"id": 2, "name": "USD", "currency_id": [2, "USD"], "company_id": false}),
        );
        erp.put(
            "stock.warehouse",
            json!({"id": 1, "name": "Main", "company_id": [1, "Exemple SA"]}),
        );
        erp.put("ir.config_parameter", json!({"id": 1, "key": "database.uuid", "value": "6f1c0a52-0000-4000-8000-000000000001"}));
        for (id, sku) in [(61, "MUG"), (62, "BOOK"), (63, "SHIP"), (64, "ROUND")] {
            erp.put(
                "product.product",
                json!({"id": id, "default_code": sku, "name": sku, "active": true,
                "type": "consu", "is_storable": true, "product_tmpl_id": [id + 100, sku]}),
            );
        }
        for id in [161, 162, 163, 164] {
            erp.put("product.template", json!({"id": id, "name": "x"}));
        }
        for model in [
            "account.fiscal.position",
            "crm.team",
            "account.payment.term",
        ] {
            erp.tables.entry(model.to_owned()).or_default();
        }
        erp
    }

    /// The field of a line's taxes.
    pub(super) fn taxes(&self) -> &'static str {
        if self.version < 19 {
            "tax_id"
        } else {
            "tax_ids"
        }
    }

    fn now(&mut self) -> String {
        self.clock += 1;
        let (minute, second) = (self.clock / 60, self.clock % 60);
        format!("2026-11-22 05:{minute:02}:{second:02}")
    }

    /// Puts a record there, as a person would.
    pub fn put(&mut self, model: &str, value: Value) -> i64 {
        let mut row = row(value);
        let id = row.get("id").and_then(Value::as_i64).unwrap_or_else(|| {
            self.next += 1;
            self.next
        });
        row.insert("id".to_owned(), json!(id));
        row.insert("write_date".to_owned(), json!(self.now()));
        self.tables
            .entry(model.to_owned())
            .or_default()
            .insert(id, row);
        id
    }

    /// Changes a record, as a person would: now, unless the value says when.
    pub fn edit(&mut self, model: &str, id: i64, value: Value) {
        let now = self.now();
        let record = self.tables.get_mut(model).unwrap().get_mut(&id).unwrap();
        record.insert("write_date".to_owned(), json!(now));
        record.extend(row(value));
        if model == "sale.order.line" {
            let order = record["order_id"][0].as_i64().unwrap();
            self.recompute(order);
        }
    }

    pub fn get(&self, model: &str, id: i64) -> &Row {
        &self.tables[model][&id]
    }

    pub fn rows(&self, model: &str) -> Vec<&Row> {
        self.tables
            .get(model)
            .map(|rows| rows.values().collect())
            .unwrap_or_default()
    }

    pub fn lines_of(&self, order: i64) -> Vec<&Row> {
        let lines = self.rows("sale.order.line").into_iter();
        lines.filter(|line| line["order_id"][0] == order).collect()
    }

    /// The record behind one of our external ids.
    pub fn by_key(&self, name: &str) -> Option<i64> {
        let ids = self.rows("ir.model.data").into_iter();
        let found = ids.filter(|row| row["module"] == "comptoir" && row["name"] == name);
        found.map(|row| row["res_id"].as_i64().unwrap()).next()
    }

    pub fn call(&mut self, model: &str, method: &str, args: &Row) -> Result<Value, Refusal> {
        let ids = || -> Vec<i64> {
            let ids = args.get("ids").and_then(Value::as_array);
            ids.map(|ids| ids.iter().filter_map(Value::as_i64).collect())
                .unwrap_or_default()
        };
        if args
            .get("context")
            .and_then(|context| context.get("lang"))
            .is_some_and(|lang| lang == "xx_XX")
        {
            return Err(Refusal::of("odoo.exceptions.UserError"));
        }
        let closed = matches!(model, "ir.model.data" | "decimal.precision");
        if self.plain_user && closed && method == "search_read" {
            return Err(Refusal::of("odoo.exceptions.AccessError"));
        }
        match method {
            "check_object_reference" => self.reference(args),
            "get_metadata" => Ok(self.metadata(model, &ids())),
            "context_get" => Ok(json!({"lang": "en_US", "tz": "Europe/Brussels", "uid": 2})),
            "fields_get" => Ok(self.fields_get(model)),
            "check_access_rights" if self.version < 18 => Ok(json!(!self.denied.contains(&model))),
            "has_access" if self.version >= 18 => Ok(json!(!self.denied.contains(&model))),
            "search_read" => self.search_read(model, args),
            "read" => {
                let fields = args.get("fields").cloned().unwrap_or_default();
                let known = ids()
                    .into_iter()
                    .filter_map(|id| self.tables.get(model)?.get(&id));
                Ok(known.map(|row| only(row, &fields)).collect())
            }
            "load" => Ok(self.load(model, args)),
            "write" => self.write(model, &ids(), &args["vals"]),
            "unlink" => {
                for id in ids() {
                    self.unlink(model, id);
                }
                Ok(json!(true))
            }
            "action_confirm" => self.confirm(&ids()),
            "action_cancel" => self.cancel(&ids(), args),
            _ => Err(Refusal::of("builtins.AttributeError")),
        }
    }

    fn fields_get(&self, model: &str) -> Value {
        let mut names: Vec<&str> = match model {
            "sale.order" => vec![
                "name",
                "state",
                "client_order_ref",
                "origin",
                "note",
                "date_order",
                "write_date",
                "amount_tax",
                "amount_total",
                "currency_id",
                "partner_id",
                "partner_invoice_id",
                "partner_shipping_id",
                "company_id",
                "warehouse_id",
                "pricelist_id",
                "fiscal_position_id",
                "team_id",
                "payment_term_id",
                "reference",
            ],
            "sale.order.line" => vec![
                "order_id",
                "name",
                "product_id",
                "product_uom_qty",
                "price_unit",
                "discount",
                "price_subtotal",
                "price_tax",
                "write_date",
                "display_type",
            ],
            "res.partner" => vec![
                "name",
                "is_company",
                "email",
                "phone",
                "vat",
                "street",
                "street2",
                "zip",
                "city",
                "country_code",
                "state_id",
                "lang",
                "ref",
                "parent_id",
                "type",
                "company_name",
                "write_date",
                "commercial_partner_id",
            ],
            _ => vec![
                "default_code",
                "name",
                "active",
                "type",
                "is_storable",
                "product_tmpl_id",
                "write_date",
            ],
        };
        if model == "sale.order.line" {
            names.push(self.taxes());
        }
        if model == "res.partner" && self.sees_accounting {
            names.push("credit_limit");
        }
        let field = |name: &&str| {
            let kind = if name.ends_with("_id") {
                "many2one"
            } else {
                "char"
            };
            let readonly = name.starts_with("amount") || *name == "write_date";
            let mut told = json!({"type": kind, "readonly": readonly});
            match *name {
                // Of a currency's rate 19 says neither.
                "amount_total" => told["digits"] = json!(0),
                "price_unit" if self.version >= 19 => told["digits"] = json!(false),
                "price_unit" | "product_uom_qty" => told["digits"] = json!([16, 2]),
                _ => {}
            }
            ((*name).to_owned(), told)
        };
        Value::Object(names.iter().map(field).collect())
    }

    fn search_read(&self, model: &str, args: &Row) -> Result<Value, Refusal> {
        let Some(table) = self.tables.get(model) else {
            let known = [
                "sale.order",
                "sale.order.line",
                "res.partner",
                "ir.model.data",
            ];
            return if known.contains(&model) {
                Ok(json!([]))
            } else if self.version < 19 {
                Err(Refusal::of("odoo.exceptions.UserError"))
            } else {
                Err(Refusal::of("werkzeug.exceptions.NotFound"))
            };
        };
        let all = args["context"].get("active_test") == Some(&json!(false));
        let domain = args["domain"].as_array().unwrap();
        let mut rows: Vec<&Row> = table
            .values()
            .filter(|row| all || row.get("active") != Some(&json!(false)))
            .filter(|row| fits(row, domain))
            .collect();
        if args
            .get("order")
            .and_then(Value::as_str)
            .is_some_and(|order| order.starts_with("write_date"))
        {
            rows.sort_by_key(|row| (row["write_date"].to_string(), row["id"].as_i64()));
        }
        let number = |name: &str| args.get(name).and_then(Value::as_u64).map(|n| n as usize);
        let rows = rows.into_iter().skip(number("offset").unwrap_or(0));
        let rows = rows.take(number("limit").unwrap_or(usize::MAX));
        let fields = args.get("fields").cloned().unwrap_or_default();
        Ok(rows.map(|row| only(row, &fields)).collect())
    }

    fn write(&mut self, model: &str, ids: &[i64], vals: &Value) -> Result<Value, Refusal> {
        for id in ids {
            if !self.tables[model].contains_key(id) {
                return Err(Refusal::of("odoo.exceptions.MissingError"));
            }
            let mut values = row(vals.clone());
            for command in values
                .remove("order_line")
                .iter()
                .filter_map(Value::as_array)
                .flatten()
            {
                let line = command[1].as_i64().unwrap();
                match command[0].as_i64().unwrap() {
                    1 => self.change_line(line, &command[2]),
                    2 => self.unlink("sale.order.line", line),
                    other => panic!("command {other}"),
                }
            }
            for field in [
                "partner_id",
                "pricelist_id",
                "partner_shipping_id",
                "partner_invoice_id",
            ] {
                if let Some(value) = values.get_mut(field) {
                    *value = json!([value.clone(), "x"]);
                }
            }
            self.edit(model, *id, Value::Object(values));
            if model == "sale.order" {
                self.recompute(*id);
            }
        }
        Ok(json!(true))
    }

    fn change_line(&mut self, line: i64, vals: &Value) {
        let mut values = Row::new();
        for (field, value) in vals.as_object().unwrap() {
            let value = match field.as_str() {
                "tax_id" | "tax_ids" => value[0][2].clone(),
                "product_id" => json!([value.clone(), "x"]),
                _ => self.rounded(field, value.clone()),
            };
            values.insert(field.clone(), value);
        }
        // Every version brings its own price when a quantity changes and no price is said.
        if values.contains_key("product_uom_qty") && !values.contains_key("price_unit") {
            values.insert("price_unit".to_owned(), json!(1.0));
        }
        self.edit("sale.order.line", line, Value::Object(values));
    }

    pub fn unlink(&mut self, model: &str, id: i64) {
        let gone = self.tables.get_mut(model).unwrap().remove(&id);
        let keys = self.tables.entry("ir.model.data".to_owned()).or_default();
        keys.retain(|_, row| row["model"] != model || row["res_id"] != id);
        if let Some(line) = gone.filter(|_| model == "sale.order.line") {
            self.recompute(line["order_id"][0].as_i64().unwrap());
        }
    }

    fn confirm(&mut self, ids: &[i64]) -> Result<Value, Refusal> {
        let state = |erp: &Erp, id: &i64| {
            erp.get("sale.order", *id)["state"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let open: Vec<String> = ids.iter().map(|id| state(self, id)).collect();
        let refused = |state: &String| state == "cancel" || (state == "sale" && self.version >= 17);
        if open.iter().any(refused)
            || ids
                .iter()
                .any(|id| self.get("sale.order", *id)["origin"] == "refuse")
        {
            return Err(Refusal::of("odoo.exceptions.UserError"));
        }
        for id in ids {
            self.edit(
                "sale.order",
                *id,
                json!({"state": "sale", "date_order": "2026-11-22 06:00:00"}),
            );
        }
        Ok(json!(true))
    }

    fn cancel(&mut self, ids: &[i64], args: &Row) -> Result<Value, Refusal> {
        let sale = ids
            .iter()
            .any(|id| self.get("sale.order", *id)["state"] == "sale");
        let told = args["context"].get("disable_cancel_warning") == Some(&json!(true));
        if self.version < 19 && sale && !told {
            return Ok(
                json!({"type": "ir.actions.act_window", "res_model": "sale.order.cancel", "target": "new"}),
            );
        }
        for id in ids {
            self.edit("sale.order", *id, json!({"state": "cancel"}));
        }
        Ok(json!(true))
    }

    /// Amounts of an order: each tax is 20 % and included.
    pub(super) fn recompute(&mut self, order: i64) {
        let taxes = self.taxes();
        let cents = |amount: f64| (amount * 100.0).round() / 100.0;
        let (mut total, mut tax) = (0.0, 0.0);
        for line in self
            .tables
            .entry("sale.order.line".to_owned())
            .or_default()
            .values_mut()
        {
            if line["order_id"][0] != order {
                continue;
            }
            let number = |field: &str| line.get(field).and_then(Value::as_f64).unwrap_or(0.0);
            let gross = cents(number("product_uom_qty") * number("price_unit"));
            let taxed = line
                .get(taxes)
                .and_then(Value::as_array)
                .is_some_and(|ids| !ids.is_empty());
            let net = if taxed { cents(gross / 1.2) } else { gross };
            total += gross;
            tax += gross - net;
            line.insert("price_subtotal".to_owned(), json!(net));
            line.insert("price_tax".to_owned(), json!(gross - net));
        }
        let order = self
            .tables
            .get_mut("sale.order")
            .and_then(|orders| orders.get_mut(&order));
        if let Some(order) = order {
            order.insert("amount_total".to_owned(), json!(total));
            order.insert("amount_tax".to_owned(), json!(tax));
        }
    }
}

fn only(row: &Row, fields: &Value) -> Value {
    let wanted = |name: &str| {
        name == "id"
            || fields
                .as_array()
                .is_none_or(|f| f.iter().any(|f| f == name))
    };
    let mut only: Row = row
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    for field in fields.as_array().into_iter().flatten() {
        only.entry(field.as_str().unwrap().to_owned())
            .or_insert(json!(false));
    }
    Value::Object(only)
}

/// Whether a row fits a domain: all conditions, or one of those behind `|`.
fn fits(row: &Row, domain: &[Value]) -> bool {
    let conditions: Vec<&Value> = domain.iter().filter(|term| term.is_array()).collect();
    let any = domain.iter().any(|term| term == "|");
    let mut results = conditions.iter().map(|condition| holds(row, condition));
    if any {
        results.any(|held| held)
    } else {
        results.all(|held| held)
    }
}

fn holds(row: &Row, condition: &Value) -> bool {
    let null = json!(false);
    let value = row.get(condition[0].as_str().unwrap()).unwrap_or(&null);
    // A many2one is compared by its id.
    let value = match value {
        Value::Array(link) if link.len() == 2 && link[1].is_string() => &link[0],
        other => other,
    };
    let wanted = &condition[2];
    match condition[1].as_str().unwrap() {
        "=" => value == wanted,
        "in" => wanted.as_array().unwrap().contains(value),
        ">=" => value.as_str().unwrap_or("") >= wanted.as_str().unwrap(),
        "=ilike" => {
            let pattern = wanted.as_str().unwrap().replace('\\', "").to_lowercase();
            value
                .as_str()
                .is_some_and(|value| value.to_lowercase() == pattern)
        }
        other => panic!("operator {other}"),
    }
}
