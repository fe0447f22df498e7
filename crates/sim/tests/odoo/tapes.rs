//! The tapes of real servers, played against the simulator: same status, content type, error names and texts, and JSON shape; and
//! the same values where a value does not belong to the taped database. Ids are mapped as they appear. What is not compared
//! is listed below with its reason, and the test fails when a reason is not needed any more.

use crate::served::dec;
use crate::tolerated::{LEFT_OUT, NOT_ASKED, NOT_SIMULATED, OTHER_VALUES, SHAPE_ONLY};
use comptoir_sim::odoo::{Erp, ErpOptions, ErpTax, Rounding, Version};
use reqwest::Client;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

struct Exchange {
    file: String,
    note: String,
    request: Value,
    response: Value,
}

fn folder(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("../connectors/src/odoo/tapes").join(name)
}

fn exchanges(name: &str) -> Vec<Exchange> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "json"))
        .collect();
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items {
            all.push(Exchange {
                file: path.file_stem().unwrap().to_string_lossy().into_owned(),
                note: item["note"].as_str().unwrap().to_owned(),
                request: item["request"].clone(),
                response: item["response"].clone(),
            });
        }
    }
    assert!(all.len() > 30, "the tapes of {name} are there");
    all
}

/// A call as both doors have it.
struct Call {
    model: String,
    method: String,
}

fn call_of(exchange: &Exchange, body: &Value) -> Option<Call> {
    let path = exchange.request["path"].as_str().unwrap();
    if let Some(rest) = path.strip_prefix("/json/2/") {
        let (model, method) = rest.split_once('/')?;
        return Some(Call {
            model: model.to_owned(),
            method: method.to_owned(),
        });
    }
    let args = body["params"]["args"].as_array()?;
    (args.len() > 4).then(|| Call {
        model: args[3].as_str().unwrap_or_default().to_owned(),
        method: args[4].as_str().unwrap_or_default().to_owned(),
    })
}

/// Ids of the tape and what they are in the simulator, by model.
#[derive(Default)]
struct Ids(BTreeMap<(String, i64), i64>);

impl Ids {
    fn know(&mut self, model: &str, tape: i64, own: i64) {
        self.0.insert((model.to_owned(), tape), own);
    }

    fn get(&self, model: &str, tape: i64) -> i64 {
        *self.0.get(&(model.to_owned(), tape)).unwrap_or(&tape)
    }

    fn of_field(field: &str) -> Option<&'static str> {
        Some(match field {
            "product_id" => "product.product",
            "partner_id" => "res.partner",
            "order_id" => "sale.order",
            "tax_ids" | "tax_id" | "taxes_id" => "account.tax",
            "pricelist_id" => "product.pricelist",
            "currency_id" => "res.currency",
            "location_id" => "stock.location",
            "picking_id" | "picking_ids" => "stock.picking",
            _ => return None,
        })
    }

    fn numbers(&self, model: &str, value: &mut Value) {
        match value {
            Value::Number(number) => {
                if let Some(id) = number.as_i64() {
                    *value = Value::from(self.get(model, id));
                }
            }
            Value::String(text) => {
                if let Ok(id) = text.parse() {
                    *value = Value::from(self.get(model, id).to_string());
                }
            }
            // The ids of a `(6, 0, ids)`.
            Value::Array(items) => match items.as_mut_slice() {
                [Value::Number(code), Value::Number(_), Value::Array(ids)]
                    if code.as_i64() == Some(6) =>
                {
                    ids.iter_mut().for_each(|id| self.numbers(model, id));
                }
                items => items.iter_mut().for_each(|item| self.numbers(model, item)),
            },
            _ => {}
        }
    }

    /// Values of a `create` or `write`, and anything that looks like them.
    fn vals(&self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    match Ids::of_field(name) {
                        Some(model) => self.numbers(model, value),
                        None => self.vals(value),
                    }
                }
            }
            Value::Array(items) => {
                let leaf = items
                    .first()
                    .and_then(Value::as_str)
                    .and_then(Ids::of_field);
                match (leaf, items.len()) {
                    (Some(model), 3) => self.numbers(model, &mut items[2]),
                    _ => items.iter_mut().for_each(|item| self.vals(item)),
                }
            }
            _ => {}
        }
    }

    fn rows(&self, fields: &Value, rows: &mut Value) {
        let columns: Vec<&str> = fields
            .as_array()
            .unwrap()
            .iter()
            .map(|f| f.as_str().unwrap())
            .collect();
        for row in rows.as_array_mut().unwrap() {
            for (column, cell) in columns.iter().zip(row.as_array_mut().unwrap()) {
                if let Some(path) = column.strip_suffix("/.id") {
                    let field = path.rsplit('/').next().unwrap();
                    if let Some(model) = Ids::of_field(field) {
                        self.numbers(model, cell);
                    }
                }
            }
        }
    }

    fn request(&self, call: &Call, body: &mut Value) {
        let own = |ids: &mut Value| self.numbers(&call.model, ids);
        if let Some(args) = body
            .pointer_mut("/params/args/5")
            .and_then(Value::as_array_mut)
        {
            if call.method == "load" {
                let fields = args[0].clone();
                self.rows(&fields, &mut args[1]);
                return;
            }
            let records = matches!(call.method.as_str(), "read" | "write" | "unlink")
                || call.method.starts_with("action_");
            for (at, arg) in args.iter_mut().enumerate() {
                if records && at == 0 {
                    own(arg)
                } else {
                    self.vals(arg)
                }
            }
            return;
        }
        if call.method == "load" {
            let fields = body["fields"].clone();
            self.rows(&fields, &mut body["data"]);
            return;
        }
        if let Some(ids) = body.get_mut("ids") {
            self.numbers(&call.model, ids);
        }
        for name in ["vals_list", "vals", "domain"] {
            if let Some(value) = body.get_mut(name) {
                self.vals(value);
            }
        }
    }

    /// Learns from two answers to the same question.
    fn learn(&mut self, call: &Call, tape: &Value, own: &Value) {
        let lists = match call.method.as_str() {
            "create" => (tape, own),
            "load" => (&tape["ids"], &own["ids"]),
            // The delivery of an order that was confirmed.
            "read" if call.model == "sale.order" => {
                let of_first = |answer: &Value| answer[0]["picking_ids"][0].as_i64();
                if let Some((tape, own)) = of_first(tape).zip(of_first(own)) {
                    self.know("stock.picking", tape, own);
                }
                return;
            }
            _ => return,
        };
        let ids = |value: &Value| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_i64).collect::<Vec<_>>(),
            one => one.as_i64().into_iter().collect(),
        };
        for (tape, own) in ids(lists.0).into_iter().zip(ids(lists.1)) {
            self.know(&call.model, tape, own);
        }
    }
}

struct Player {
    erp: Erp,
    client: Client,
    address: String,
    ids: Ids,
    used: BTreeSet<&'static str>,
    complaints: Vec<String>,
    compared: usize,
}

impl Player {
    async fn start(version: Version, database: &str, taxes: [(i64, &str, &str); 2]) -> Player {
        let options = ErpOptions {
            version,
            database: database.to_owned(),
            login: "admin".to_owned(),
            key: "KEY_TAPE".to_owned(),
            rounding: match version {
                Version::V16 => Rounding::PerLine,
                _ => Rounding::Globally,
            },
            ..ErpOptions::default()
        };
        let own = taxes.iter().map(|(_, name, rate)| ErpTax {
            name: (*name).to_owned(),
            rate: dec(rate),
            included: true,
            affects_base: false,
        });
        let codes = match version {
            Version::V16 => ["EUR", "USD"],
            _ => ["USD", "EUR"],
        };
        let currencies = codes.iter().map(|code| code.parse().unwrap()).collect();
        let erp = Erp::new(options, Vec::new(), own.collect(), currencies);
        let mut ids = Ids::default();
        for (tape, name, _) in taxes {
            ids.know("account.tax", tape, erp.tax(name).unwrap());
        }
        ids.know("res.currency", 126, 2);
        ids.know("stock.location", 5, 8);
        let served = crate::served::Served::start(erp.clone()).await;
        Player {
            erp,
            client: served.client,
            address: served.address,
            ids,
            used: BTreeSet::new(),
            complaints: Vec::new(),
            compared: 0,
        }
    }

    fn left_out(&mut self, exchange: &Exchange, call: Option<&Call>) -> bool {
        if let Some((note, _)) = LEFT_OUT.iter().find(|(note, _)| *note == exchange.note) {
            self.used.insert(note);
            return true;
        }
        let model = call.map(|call| call.model.as_str()).unwrap_or_default();
        match NOT_SIMULATED.iter().find(|(name, _)| *name == model) {
            Some((name, _)) => {
                self.used.insert(name);
                true
            }
            None => false,
        }
    }

    async fn play(&mut self, exchange: &Exchange) {
        let text = exchange.request["body"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let call = call_of(exchange, &body);
        if self.left_out(exchange, call.as_ref()) {
            return;
        }
        if call
            .as_ref()
            .is_some_and(|call| call.method == "action_confirm")
        {
            // The tapes count one product; the other had its stock already.
            self.erp.set_stock_by_hand("TP-BOOK", dec("20")).ok();
        }
        let mut sent = text;
        if let (Some(call), false) = (&call, body.is_null()) {
            without_fields(&mut body);
            self.ids.request(call, &mut body);
            sent = body.to_string();
        }
        let url = format!(
            "{}{}",
            self.address,
            exchange.request["path"].as_str().unwrap()
        );
        let verb = exchange.request["method"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let mut request = self.client.request(verb, url).body(sent);
        for (name, value) in exchange.request["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.send().await.unwrap();
        self.compared += 1;
        let place = format!("{} ({})", exchange.file, exchange.note);
        let status = u64::from(answer.status().as_u16());
        if exchange.response["status"] != status {
            self.complain(
                &place,
                format!("status {} is {status}", exchange.response["status"]),
            );
        }
        for name in ["content-type", "www-authenticate"] {
            let own = answer
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap().trim().to_owned());
            let tape = exchange.response["headers"]
                .get(name)
                .map(|v| v.as_str().unwrap().trim().to_owned());
            if own != tape {
                self.complain(&place, format!("header {name} {tape:?} is {own:?}"));
            }
        }
        let own = answer.text().await.unwrap();
        let tape = exchange.response["body"].as_str().unwrap();
        match (
            serde_json::from_str::<Value>(tape),
            serde_json::from_str::<Value>(&own),
        ) {
            (Ok(tape), Ok(own)) => self.bodies(exchange, call.as_ref(), &place, &tape, &own),
            (Err(_), _) => {
                if tape != own {
                    self.complain(&place, format!("text is {own}"));
                }
            }
            (Ok(_), Err(_)) => self.complain(&place, format!("no JSON: {own}")),
        }
    }

    fn bodies(
        &mut self,
        exchange: &Exchange,
        call: Option<&Call>,
        place: &str,
        tape: &Value,
        own: &Value,
    ) {
        let result = |value: &Value| match value.get("jsonrpc") {
            Some(_) => value.get("result").cloned().unwrap_or(Value::Null),
            None => value.clone(),
        };
        if let Some(call) = call {
            self.ids.learn(call, &result(tape), &result(own));
            if call.method == "fields_get" {
                self.fields(place, &result(tape), &result(own));
                return;
            }
        }
        let known = SHAPE_ONLY.iter().find(|note| **note == exchange.note);
        self.used.extend(known);
        let lines = call.is_some_and(|call| call.model == "sale.order.line");
        let compare = Compare {
            values: known.is_none(),
            names: lines,
        };
        let mut found = Vec::new();
        compare.same("", tape, own, &mut found);
        for complaint in found {
            self.complain(place, complaint);
        }
    }

    /// Every field that the simulator has must be one of Odoo's, of the same type, target, need and label.
    fn fields(&mut self, place: &str, tape: &Value, own: &Value) {
        for (name, field) in own.as_object().unwrap() {
            match tape.get(name) {
                None => self.complain(place, format!("Odoo has no field {name}")),
                Some(real) => {
                    for (what, value) in real.as_object().unwrap() {
                        // Odoo calls dates of creating and writing otherwise here and there.
                        let dated = matches!(name.as_str(), "create_date" | "write_date");
                        let text = value.to_string().replace('\u{a0}', " ");
                        if !(what == "string" && dated) && text != format!("{}", field[what]) {
                            let own = &field[what];
                            self.complain(place, format!("{what} of {name}: {value} is {own}"));
                        }
                    }
                }
            }
        }
    }

    fn complain(&mut self, place: &str, text: String) {
        self.complaints.push(format!("{place}: {text}"));
    }
}

/// Takes out what the simulator does not have from the fields asked for.
fn without_fields(body: &mut Value) {
    let drop = |value: Option<&mut Value>| {
        if let Some(Value::Array(fields)) = value {
            fields.retain(|field| !NOT_ASKED.iter().any(|name| field == name));
        }
    };
    drop(body.get_mut("fields"));
    drop(body.pointer_mut("/params/args/6/fields"));
    drop(body.pointer_mut("/params/args/5/1"));
}

struct Compare {
    values: bool,
    names: bool,
}

impl Compare {
    fn same(&self, path: &str, tape: &Value, own: &Value, found: &mut Vec<String>) {
        let field = path.rsplit('.').next().unwrap_or_default();
        let other = OTHER_VALUES.iter().any(|(name, _)| *name == field)
            && !(field == "name" && (self.names || path == ".error.data.name"));
        match (tape, own) {
            (Value::Object(tape), Value::Object(own)) => {
                self.keys(path, tape, own, found);
            }
            (Value::Array(tape), Value::Array(own)) => self.lists(path, tape, own, other, found),
            _ if other => {}
            (Value::Number(_), Value::Number(_)) if is_id(field) || !self.values => {}
            (Value::String(a), Value::String(b)) if a != b && self.values => {
                found.push(format!("{path}: {a:?} is {b:?}"));
            }
            (Value::String(_), Value::String(_)) => {}
            (Value::Bool(_), _) | (_, Value::Bool(_)) if !self.values => {}
            (a, b) if a != b && (self.values || kind(a) != kind(b)) => {
                found.push(format!("{path}: {a} is {b}"));
            }
            _ => {}
        }
    }

    fn keys(
        &self,
        path: &str,
        tape: &Map<String, Value>,
        own: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        let names = |map: &Map<String, Value>| -> Vec<String> {
            let asked = |name: &&String| !NOT_ASKED.contains(&name.as_str());
            map.keys().filter(asked).cloned().collect()
        };
        if names(tape) != names(own) {
            found.push(format!(
                "{path}: keys {:?} are {:?}",
                names(tape),
                names(own)
            ));
        }
        for (name, value) in tape {
            if let Some(other) = own.get(name) {
                self.same(&format!("{path}.{name}"), value, other, found);
            }
        }
    }

    fn lists(
        &self,
        path: &str,
        tape: &[Value],
        own: &[Value],
        other: bool,
        found: &mut Vec<String>,
    ) {
        let records = tape.first().or(own.first()).is_some_and(Value::is_object);
        if records {
            if self.values && tape.len() != own.len() {
                found.push(format!("{path}: {} records are {}", tape.len(), own.len()));
            }
            for (a, b) in tape.iter().zip(own) {
                self.same(path, a, b, found);
            }
            return;
        }
        // A many2one: its name counts, its id does not.
        if let ([Value::Number(_), Value::String(a)], [Value::Number(_), Value::String(b)]) =
            (tape, own)
        {
            if a != b && self.values && !other {
                found.push(format!("{path}: {a:?} is {b:?}"));
            }
            return;
        }
        if self.values && !other && tape.len() != own.len() {
            found.push(format!("{path}: {tape:?} is {own:?}"));
        }
        for (a, b) in tape.iter().zip(own) {
            if !a.is_number() {
                self.same(path, a, b, found);
            }
        }
    }
}

fn is_id(field: &str) -> bool {
    matches!(field, "id" | "res_id" | "result" | "uid" | "")
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

#[tokio::test]
async fn the_simulator_answers_like_the_tapes() {
    let mut used = BTreeSet::new();
    let mut complaints = Vec::new();
    for (name, version, database, taxes) in [
        ("16.0-jsonrpc", Version::V16, "o16", [137, 138]),
        ("19.0-jsonrpc", Version::V19, "o19", [120, 122]),
        ("19.0-json2", Version::V19, "o19", [120, 122]),
    ] {
        let taxes = [
            (taxes[0], "TVA 20 % TTC", "20"),
            (taxes[1], "TVA 5,5 % TTC", "5.5"),
        ];
        let mut player = Player::start(version, database, taxes).await;
        for exchange in exchanges(name) {
            player.play(&exchange).await;
        }
        assert!(player.compared > 30, "{name}");
        assert!(!player.erp.orders().is_empty());
        used.extend(player.used);
        complaints.extend(player.complaints.into_iter().map(|c| format!("{name}/{c}")));
    }
    let lists = LEFT_OUT.iter().chain(NOT_SIMULATED).map(|(note, _)| *note);
    let idle: Vec<&str> = lists
        .chain(SHAPE_ONLY.iter().copied())
        .filter(|note| !used.contains(note))
        .collect();
    assert!(
        complaints.is_empty(),
        "{} differences:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    assert!(idle.is_empty(), "exceptions that nothing needs: {idle:?}");
}
