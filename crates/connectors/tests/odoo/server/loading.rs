//! `load()`.

use super::model::{Erp, Row};
use serde_json::{Value, json};

impl Erp {
    /// Rows as records; refused as a whole when one has a VAT number or tax that is not good.
    pub(super) fn load(&mut self, model: &str, args: &Row) -> Value {
        let columns: Vec<&str> = args["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c.as_str().unwrap())
            .collect();
        let data: Vec<Vec<&str>> = args["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                row.as_array()
                    .unwrap()
                    .iter()
                    .map(|cell| cell.as_str().unwrap())
                    .collect()
            })
            .collect();
        // Dates are read in the zone of the context, else in the user's, which is not UTC.
        assert_eq!(args["context"]["tz"], "UTC");
        let mut messages = Vec::new();
        for (at, row) in data.iter().enumerate() {
            let bad = columns
                .iter()
                .zip(row)
                .find(|(column, cell)| match **column {
                    "vat" => **cell == "FR00000000000",
                    "order_line/product_id/.id" | "product_id/.id" => {
                        !cell.is_empty()
                            && !self.tables["product.product"].contains_key(&cell.parse().unwrap())
                    }
                    _ => false,
                });
            if let Some((column, _)) = bad {
                let mut message = json!({"rows": {"from": at, "to": at}, "type": "error", "record": at,
                    "message": "Marie Exemple is not welcome"});
                if *column != "vat" {
                    message["field"] = json!("product_id");
                }
                messages.push(message);
            }
        }
        // 18 and 19 say what a rule refuses of the first record too.
        let by_rule = |message: &&Value| message.get("field").is_none();
        if let Some(rule) = messages.iter().find(by_rule).cloned()
            && self.version >= 18
            && rule["record"] != 0
        {
            let mut first = rule;
            first["rows"] = json!({"from": 0, "to": 0});
            first["record"] = json!(0);
            messages.insert(0, first);
        }
        if !messages.is_empty() {
            return json!({"ids": false, "messages": messages, "nextrow": 0});
        }
        let keeps = args["context"].get("mode") == Some(&json!("update"))
            && args["context"].get("noupdate") == Some(&json!(true));
        let mut ids: Vec<i64> = Vec::new();
        let mut kept = false;
        for row in &data {
            if !row[0].is_empty() {
                let key = row[0].split_once('.').unwrap().1;
                let there = self.by_key(key);
                kept = there.is_some() && keeps;
                ids.push(self.upsert(model, key, there, kept, &columns, row));
            }
            if !kept && columns.contains(&"order_line/id") {
                self.sub_line(*ids.last().unwrap(), &columns, row);
            }
        }
        for id in &ids {
            match model {
                "sale.order" => self.recompute(*id),
                "sale.order.line" => {
                    self.recompute(self.get(model, *id)["order_id"][0].as_i64().unwrap())
                }
                _ => {}
            }
        }
        json!({"ids": ids, "messages": [], "nextrow": 0})
    }

    fn upsert(
        &mut self,
        model: &str,
        key: &str,
        there: Option<i64>,
        kept: bool,
        columns: &[&str],
        row: &[&str],
    ) -> i64 {
        if kept {
            return there.unwrap();
        }
        let header = columns
            .iter()
            .zip(row)
            .filter(|(column, _)| !column.starts_with("order_line/") && **column != "id");
        let values: Row = header
            .map(|(column, cell)| self.value(column, cell))
            .collect();
        if let Some(id) = there {
            self.edit(model, id, Value::Object(values));
            return id;
        }
        let mut values = values;
        match model {
            "sale.order" => {
                values.insert("state".to_owned(), json!("draft"));
                let currency = match values.get("pricelist_id") {
                    Some(list) if list[0] == 2 => json!([2, "USD"]),
                    _ => json!([1, "EUR"]),
                };
                values.insert("currency_id".to_owned(), currency);
                values.insert("name".to_owned(), json!(format!("S{:05}", self.next + 1)));
            }
            "res.partner" => {
                let parent = values.get("parent_id").cloned();
                self.next += 1;
                let own = json!([self.next, "x"]);
                values.insert("id".to_owned(), json!(self.next));
                values.insert(
                    "commercial_partner_id".to_owned(),
                    parent.filter(|p| p.is_array()).unwrap_or(own),
                );
            }
            _ => {}
        }
        let id = self.put(model, Value::Object(values));
        self.put(
            "ir.model.data",
            json!({"module": "comptoir", "name": key, "model": model, "res_id": id}),
        );
        id
    }

    fn sub_line(&mut self, order: i64, columns: &[&str], row: &[&str]) {
        let at = columns
            .iter()
            .position(|column| *column == "order_line/id")
            .unwrap();
        if row[at].is_empty() {
            return;
        }
        let sub: Vec<&str> = columns
            .iter()
            .map(|c| c.strip_prefix("order_line/").unwrap_or(""))
            .collect();
        let fields = sub
            .iter()
            .zip(row)
            .filter(|(column, _)| !column.is_empty() && **column != "id");
        let mut values: Row = fields
            .map(|(column, cell)| self.value(column, cell))
            .collect();
        values.insert("order_id".to_owned(), json!([order, "x"]));
        let id = self.put("sale.order.line", Value::Object(values));
        let name = row[at].split_once('.').unwrap().1;
        self.put(
            "ir.model.data",
            json!({"module": "comptoir", "name": name, "model": "sale.order.line", "res_id": id}),
        );
    }

    /// A column and its cell as a field and its value.
    fn value(&self, column: &str, cell: &str) -> (String, Value) {
        let (field, link) = match column.strip_suffix("/.id") {
            Some(field) => (field, true),
            None => (column, false),
        };
        let value = match (field, link) {
            ("tax_id" | "tax_ids", _) => {
                assert_eq!(field, self.taxes(), "the other version's field");
                cell.split(',')
                    .filter_map(|id| id.parse::<i64>().ok())
                    .collect()
            }
            (_, true) if cell.is_empty() => json!(false),
            (_, true) => json!([cell.parse::<i64>().unwrap(), "x"]),
            ("product_uom_qty" | "price_unit" | "discount", _) => {
                json!(cell.parse::<f64>().unwrap())
            }
            ("is_company", _) => json!(cell == "1"),
            _ => json!(cell),
        };
        (field.to_owned(), self.rounded(field, value))
    }

    /// 16 rounds the price of one.
    pub(super) fn rounded(&self, field: &str, value: Value) -> Value {
        match value.as_f64() {
            Some(price) if field == "price_unit" && self.version < 19 => {
                json!((price * 100.0).round() / 100.0)
            }
            _ => value,
        }
    }
}
