//! The people of the ERP: who count the shelves and send the parcels.

use crate::dolibarr::Dolibarr;
use crate::erp::Erp;
use crate::shop::sku;
use comptoir_sim::odoo;
use serde_json::{Value, json};

/// A sale order as the ERP's people find it.
pub struct Sale {
    pub id: i64,
    pub confirmed: bool,
}

/// An ERP in the hands of its people.
pub enum Keeper {
    Odoo(OdooKeeper),
    Dolibarr(Dolibarr),
}

/// Odoo: by its API as the user who prepares it. The simulator has no forms to fill in, and hands instead.
pub struct OdooKeeper {
    pub erp: Erp,
    pub address: crate::erp::Address,
    /// Login and key of the hub.
    pub hub: (String, String),
    pub simulated: Option<odoo::Erp>,
}

/// SKU and how many.
type Part = (String, i64);

impl Keeper {
    pub fn title(&self) -> String {
        match self {
            Keeper::Odoo(odoo) => format!("an Odoo {}", odoo.erp.version),
            Keeper::Dolibarr(dolibarr) => dolibarr.title(),
        }
    }

    /// The hub's key.
    pub fn key(&self) -> &str {
        match self {
            Keeper::Odoo(odoo) => &odoo.hub.1,
            Keeper::Dolibarr(dolibarr) => &dolibarr.address.hub,
        }
    }

    /// The hub's connection, as its file.
    pub fn connection(&self) -> String {
        match self {
            Keeper::Odoo(odoo) => {
                let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
                format!(
                    "connector = \"odoo\"\nurl = {}\ndatabase = {}\nlogin = {}\nkey = \"${{LIVE_ERP_KEY}}\"\n",
                    quoted(&odoo.address.url),
                    quoted(&odoo.address.database),
                    quoted(&odoo.hub.0)
                )
            }
            Keeper::Dolibarr(dolibarr) => dolibarr.connection(),
        }
    }

    /// Makes the products of a run; answers the rows of the tables of taxes and of price lists.
    pub async fn prepare(&self, run: &str) -> [Vec<(String, String)>; 2] {
        match self {
            Keeper::Odoo(odoo) => odoo.prepare(run).await,
            Keeper::Dolibarr(dolibarr) => [dolibarr.prepare(run).await, Vec::new()],
        }
    }

    /// Somebody counts an item: so many are there.
    pub async fn count(&self, sku: &str, quantity: i64) {
        match self {
            Keeper::Odoo(odoo) => odoo.count(sku, quantity).await,
            Keeper::Dolibarr(dolibarr) => dolibarr.count(sku, quantity).await,
        }
    }

    /// The sale of a shop's order, by the hub's key and by the order's number.
    pub async fn sale(&self, key: &str, order: u64) -> Option<Sale> {
        match self {
            Keeper::Odoo(odoo) => odoo.sale(key, order).await,
            Keeper::Dolibarr(dolibarr) => dolibarr.sale(key).await,
        }
    }

    /// Somebody sends a parcel.
    pub async fn ship(&self, sale: &Sale, goods: &[Part], tracking: &str) {
        match self {
            Keeper::Odoo(odoo) => odoo.ship(sale.id, goods, tracking).await,
            Keeper::Dolibarr(dolibarr) => dolibarr.ship(sale.id, goods, tracking).await,
        }
    }

    /// A sale and what left of it, to be compared.
    pub async fn contents(&self, sale: &Sale) -> Value {
        match self {
            Keeper::Odoo(odoo) => odoo.contents(sale.id).await,
            Keeper::Dolibarr(dolibarr) => dolibarr.contents(sale.id).await,
        }
    }
}

impl OdooKeeper {
    async fn prepare(&self, run: &str) -> [Vec<(String, String)>; 2] {
        let books = self.erp.prepare(run).await;
        let counted = match self.erp.version {
            ..18 => json!({"detailed_type": "product"}),
            _ => json!({"is_storable": true}),
        };
        for name in ["MUG", "BOOK", "SET"] {
            let product = books.products[&sku(run, name)];
            let args = json!([[product], counted]);
            self.erp
                .call("product.product", "write", args, json!({}))
                .await;
        }
        let row = |(code, id): (String, i64)| (code, id.to_string());
        let lists = books.price_lists.into_iter().map(row).collect();
        [books.taxes.into_iter().map(row).collect(), lists]
    }

    async fn product(&self, sku: &str) -> i64 {
        let domain = json!([["default_code", "=", sku]]);
        let rows = self.erp.rows("product.product", domain, &["id"]).await;
        rows[0]["id"].as_i64().unwrap()
    }

    async fn count(&self, sku: &str, quantity: i64) {
        if let Some(odoo) = &self.simulated {
            return odoo.set_stock_by_hand(sku, quantity.into()).unwrap();
        }
        let product = self.product(sku).await;
        let places = self
            .erp
            .rows("stock.warehouse", json!([]), &["lot_stock_id"])
            .await;
        let place = &places[0]["lot_stock_id"][0];
        let values =
            json!({"product_id": product, "location_id": place, "inventory_quantity": quantity});
        let domain = json!([["product_id", "=", product], ["location_id", "=", place]]);
        let there = self.erp.rows("stock.quant", domain, &["id"]).await;
        // Creating one where there is one adds to it.
        let quant = match there.first() {
            Some(quant) => {
                let id = quant["id"].as_i64().unwrap();
                let args = json!([[id], {"inventory_quantity": quantity}]);
                self.erp.call("stock.quant", "write", args, json!({})).await;
                id
            }
            None => self.erp.create("stock.quant", values).await,
        };
        let args = json!([[quant]]);
        self.erp
            .call("stock.quant", "action_apply_inventory", args, json!({}))
            .await;
    }

    async fn sale(&self, key: &str, order: u64) -> Option<Sale> {
        let connection = key.split('/').next().unwrap_or_default();
        let domain = json!([
            ["client_order_ref", "=", order.to_string()],
            ["origin", "=like", format!("{connection} %")]
        ]);
        let rows = self.erp.rows("sale.order", domain, &["state"]).await;
        let [row] = &rows[..] else {
            assert!(rows.is_empty(), "the order is there {} times", rows.len());
            return None;
        };
        Some(Sale {
            id: row["id"].as_i64().unwrap(),
            confirmed: matches!(row["state"].as_str(), Some("sale" | "done")),
        })
    }

    async fn ship(&self, sale: i64, goods: &[Part], tracking: &str) {
        if let Some(odoo) = &self.simulated {
            let goods: Vec<_> = goods
                .iter()
                .map(|(sku, quantity)| (sku.as_str(), (*quantity).into()))
                .collect();
            odoo.ship_part_by_hand(sale, &goods, tracking).unwrap();
            return;
        }
        let domain = json!([
            ["sale_id", "=", sale],
            ["state", "not in", ["done", "cancel"]]
        ]);
        let pickings = self.erp.rows("stock.picking", domain, &["state"]).await;
        let picking = &pickings[0]["id"];
        let args = json!([[picking]]);
        self.erp
            .call("stock.picking", "action_assign", args.clone(), json!({}))
            .await;
        let domain = json!([["picking_id", "=", picking]]);
        let moves = self.erp.rows("stock.move", domain, &["product_id"]).await;
        for (sku, quantity) in goods {
            let product = self.product(sku).await;
            let of_product = moves.iter().find(|row| row["product_id"][0] == product);
            let of_product = &of_product.unwrap()["id"];
            let done = match self.erp.version {
                ..17 => json!({"quantity_done": quantity}),
                _ => json!({"quantity": quantity, "picked": true}),
            };
            let args = json!([[of_product], done]);
            self.erp.call("stock.move", "write", args, json!({})).await;
        }
        let number = json!([[picking], {"carrier_tracking_ref": tracking}]);
        self.erp
            .call("stock.picking", "write", number, json!({}))
            .await;
        // What is left becomes a delivery of its own, without a question.
        let context =
            json!({"context": {"skip_backorder": true, "skip_sms": true, "skip_immediate": true}});
        self.erp
            .call("stock.picking", "button_validate", args, context)
            .await;
    }

    async fn contents(&self, sale: i64) -> Value {
        let fields = ["name", "state", "amount_total", "amount_tax", "partner_id"];
        let orders = self
            .erp
            .rows("sale.order", json!([["id", "=", sale]]), &fields)
            .await;
        let fields = [
            "product_id",
            "product_uom_qty",
            "price_unit",
            "qty_delivered",
        ];
        let domain = json!([["order_id", "=", sale]]);
        let lines = self.erp.rows("sale.order.line", domain, &fields).await;
        let domain = json!([["sale_id", "=", sale]]);
        let sent = self
            .erp
            .rows("stock.picking", domain, &["name", "state", "write_date"])
            .await;
        json!([orders, lines, sent])
    }
}
