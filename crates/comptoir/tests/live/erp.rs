//! The real ERP: a small client of Odoo's JSON-RPC, what the suite prepares there, and what it reads back.

use crate::shop::{KNOWN, sku, tax_code};
use comptoir_kit::auth::Auth;
use comptoir_kit::http::{Call, Http, HttpMaker, HttpOptions};
use comptoir_model::Decimal;
use comptoir_model::money::Currency;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where the ERP is, and its key.
pub struct Address {
    pub url: String,
    pub database: String,
    pub login: String,
    pub key: String,
}

/// The ERP as the suite calls it.
pub struct Erp {
    http: Http,
    database: String,
    key: String,
    user: i64,
    /// Its major version.
    pub version: u32,
}

/// What the suite made in the ERP: what a workspace's tables point to.
pub struct Books {
    /// Tax code of the shop and id of the tax.
    pub taxes: Vec<(String, i64)>,
    /// Currency and id of the price list.
    pub price_lists: BTreeMap<String, i64>,
    /// SKU and id of each product.
    pub products: BTreeMap<String, i64>,
}

/// A sale order as the ERP shows it.
#[derive(Debug, Clone)]
pub struct Sale {
    pub id: i64,
    pub number: String,
    pub state: String,
    pub total: Decimal,
    pub currency: String,
    pub partner: i64,
    /// Everything that anyone would call its content, to be compared.
    pub content: Value,
}

/// Stand-ins for what is no product in the shop.
pub const SERVICES: [&str; 4] = ["SHIP", "FEE", "NOSKU", "ROUNDING"];

impl Erp {
    pub async fn open(address: &Address) -> Erp {
        let options = HttpOptions {
            auth: Auth::None,
            slots: 1,
            deadline: Duration::from_secs(280),
            ..HttpOptions::default()
        };
        let maker = HttpMaker::network("live-erp".parse().unwrap());
        let mut erp = Erp {
            http: maker.open(&address.url, options).unwrap(),
            database: address.database.clone(),
            key: address.key.clone(),
            user: 0,
            version: 0,
        };
        let version = erp.ask("common", "version", json!([])).await;
        let major = version["server_version_info"][0].as_u64().unwrap();
        erp.version = u32::try_from(major).unwrap();
        let who = json!([address.database, address.login, address.key, {}]);
        let user = erp.ask("common", "authenticate", who).await;
        erp.user = user.as_i64().expect("the ERP refuses the login or the key");
        erp
    }

    /// An error is what Odoo says, without the call's arguments, which hold the key.
    async fn try_ask(&self, service: &str, method: &str, args: Value) -> Result<Value, String> {
        let body = json!({
            "jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {"service": service, "method": method, "args": args},
        });
        let call = Call::post("live", "jsonrpc").json(&body).unwrap();
        let answer = self.http.send(call).await.unwrap();
        assert!(answer.is_success(), "the ERP answers {}", answer.status);
        let mut answer: Value = answer.json().unwrap();
        match &answer["error"] {
            Value::Null => Ok(answer["result"].take()),
            error => Err(format!("{method}: {}", error["data"]["message"])),
        }
    }

    async fn ask(&self, service: &str, method: &str, args: Value) -> Value {
        let answer = self.try_ask(service, method, args).await;
        answer.unwrap_or_else(|said| panic!("{said}"))
    }

    async fn try_call(
        &self,
        model: &str,
        method: &str,
        args: Value,
        named: Value,
    ) -> Result<Value, String> {
        let all = json!([
            self.database,
            self.user,
            self.key,
            model,
            method,
            args,
            named
        ]);
        self.try_ask("object", "execute_kw", all).await
    }

    /// Calls a method of a model.
    pub async fn call(&self, model: &str, method: &str, args: Value, named: Value) -> Value {
        let answer = self.try_call(model, method, args, named).await;
        answer.unwrap_or_else(|said| panic!("{model}.{said}"))
    }

    /// Makes one record.
    pub async fn create(&self, model: &str, values: Value) -> i64 {
        let made = self
            .call(model, "create", json!([[values]]), json!({}))
            .await;
        match made.as_array() {
            Some(ids) => ids[0].as_i64().unwrap(),
            None => made.as_i64().unwrap(),
        }
    }

    /// The rows of a search.
    pub async fn rows(&self, model: &str, domain: Value, fields: &[&str]) -> Vec<Value> {
        let named = json!({"domain": domain, "fields": fields, "order": "id"});
        let rows = self.call(model, "search_read", json!([]), named).await;
        rows.as_array().unwrap().clone()
    }

    /// Products, taxes and price lists of a run.
    pub async fn prepare(&self, run: &str) -> Books {
        let mut books = Books {
            taxes: self.add_taxes(run).await,
            price_lists: BTreeMap::new(),
            products: BTreeMap::new(),
        };
        for code in ["EUR", "JPY", "KWD"] {
            let currency = self.currency(code).await;
            let values = json!({"name": format!("Live {run} {code}"), "currency_id": currency});
            let list = self.create("product.pricelist", values).await;
            books.price_lists.insert(code.to_owned(), list);
        }
        let goods = KNOWN.iter().chain(&["DOUBLE", "DOUBLE"]);
        let all = goods
            .map(|name| (name, false))
            .chain(SERVICES.iter().map(|name| (name, true)));
        for (name, service) in all {
            let mut values = json!({
                "name": format!("Live {run} {name}"), "default_code": sku(run, name),
                "list_price": 1.0, "taxes_id": [[6, 0, []]],
            });
            if service {
                let field = if self.version < 18 {
                    "detailed_type"
                } else {
                    "type"
                };
                values[field] = "service".into();
            }
            let product = self.create("product.product", values).await;
            books.products.insert(sku(run, name), product);
        }
        books
    }

    async fn add_taxes(&self, run: &str) -> Vec<(String, i64)> {
        let groups = self.rows("account.tax.group", json!([]), &["id"]).await;
        let mut taxes = Vec::new();
        // French taxes are included in prices, as the set-up recommends; the others are not.
        for (country, state, percent, priority, included, sequence) in [
            ("FR", "", "20", 1, true, 1),
            ("FR", "", "5.5", 1, true, 2),
            ("DE", "", "19", 1, false, 3),
            ("CA", "QC", "5", 1, false, 4),
            ("CA", "QC", "9.975", 2, false, 5),
        ] {
            let mut values = json!({
                "name": format!("Live {run} {country} {percent} %"), "type_tax_use": "sale",
                "amount_type": "percent", "amount": percent.parse::<f64>().unwrap(),
                "sequence": sequence,
                // The later tax of Quebec is charged on top of the first.
                "include_base_amount": percent == "5",
            });
            if self.version < 18 {
                values["price_include"] = included.into();
            } else {
                let word = if included {
                    "tax_included"
                } else {
                    "tax_excluded"
                };
                values["price_include_override"] = word.into();
            }
            if let Some(group) = groups.first() {
                values["tax_group_id"] = group["id"].clone();
            }
            let tax = self.create("account.tax", values).await;
            taxes.push((tax_code(run, country, state, percent, priority), tax));
        }
        taxes
    }

    /// A currency's id; it is switched on when it is not in use yet.
    async fn currency(&self, code: &str) -> i64 {
        let named = json!({
            "domain": [["name", "=", code]], "fields": ["id", "active"],
            "context": {"active_test": false},
        });
        let rows = self
            .call("res.currency", "search_read", json!([]), named)
            .await;
        let id = rows[0]["id"].as_i64();
        let id = id.unwrap_or_else(|| panic!("the ERP has no currency {code}"));
        if rows[0]["active"] == json!(false) {
            let args = json!([[id], {"active": true}]);
            self.call("res.currency", "write", args, json!({})).await;
        }
        id
    }

    /// How many orders stand there for a connection of the hub; only confirmed ones, if asked so.
    pub async fn count(&self, connection: &str, confirmed: bool) -> usize {
        let mut domain = json!([["origin", "=like", format!("{connection} %")]]);
        if confirmed {
            let states = json!(["state", "in", ["sale", "done"]]);
            domain.as_array_mut().unwrap().push(states);
        }
        let named = json!({ "domain": domain });
        let count = self
            .call("sale.order", "search_count", json!([]), named)
            .await;
        usize::try_from(count.as_u64().unwrap()).unwrap()
    }

    /// Orders that the hub made for a connection, by the shop's number.
    pub async fn sales(&self, connection: &str) -> BTreeMap<String, Vec<Sale>> {
        let domain = json!([["origin", "=like", format!("{connection} %")]]);
        let fields = [
            "name",
            "client_order_ref",
            "origin",
            "state",
            "amount_total",
            "amount_tax",
            "currency_id",
            "partner_id",
            "partner_invoice_id",
            "partner_shipping_id",
            "date_order",
            "note",
            "pricelist_id",
        ];
        let orders = self.rows("sale.order", domain, &fields).await;
        let ids: Vec<&Value> = orders.iter().map(|order| &order["id"]).collect();
        let taxes = if self.version < 19 {
            "tax_id"
        } else {
            "tax_ids"
        };
        let fields = [
            "order_id",
            "product_id",
            "name",
            "product_uom_qty",
            "price_unit",
            "price_subtotal",
            "price_total",
            "discount",
            taxes,
        ];
        let lines = self
            .rows("sale.order.line", json!([["order_id", "in", ids]]), &fields)
            .await;
        let mut sales: BTreeMap<String, Vec<Sale>> = BTreeMap::new();
        for order in orders {
            let own = lines
                .iter()
                .filter(|line| line["order_id"][0] == order["id"]);
            let own: Vec<&Value> = own.collect();
            let text = |field: &str| order[field].as_str().unwrap_or_default().to_owned();
            let currency = order["currency_id"][1].as_str().unwrap().to_owned();
            let sale = Sale {
                id: order["id"].as_i64().unwrap(),
                number: text("client_order_ref"),
                state: text("state"),
                total: amount(&order["amount_total"], &currency),
                partner: order["partner_id"][0].as_i64().unwrap(),
                content: json!({"order": order, "lines": own}),
                currency,
            };
            sales.entry(sale.number.clone()).or_default().push(sale);
        }
        sales
    }

    /// Customers with an e-mail address, whatever its case, without contacts below others.
    pub async fn customers(&self, email: &str) -> Vec<i64> {
        let domain = json!([["email", "=ilike", email], ["parent_id", "=", false]]);
        let rows = self.rows("res.partner", domain, &["id"]).await;
        rows.iter().map(|row| row["id"].as_i64().unwrap()).collect()
    }

    /// How many deliveries each order has; none without the app that makes them.
    pub async fn deliveries(&self, orders: &[i64]) -> Option<BTreeMap<i64, usize>> {
        let domain = json!([["sale_id", "in", orders]]);
        let named = json!({"domain": domain, "fields": ["sale_id"]});
        let rows = self.try_call("stock.picking", "search_read", json!([]), named);
        let rows = rows.await.ok()?;
        let mut counts = BTreeMap::new();
        for row in rows.as_array().unwrap() {
            *counts
                .entry(row["sale_id"][0].as_i64().unwrap())
                .or_default() += 1;
        }
        Some(counts)
    }
}

/// An amount of Odoo, which is a float with a float's noise.
fn amount(value: &Value, currency: &str) -> Decimal {
    let amount: Decimal = value.to_string().parse().unwrap();
    let currency: Currency = currency.parse().unwrap();
    currency.round(amount).normalize()
}
