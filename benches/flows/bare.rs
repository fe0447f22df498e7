//! The naive loop: what a good engineer writes in an afternoon. A webhook receiver with its signature check, a queue in memory, and
//! eight workers that make five calls per order. Fast, and it forgets everything when it is killed.

use crate::orders::COUNTRIES;
use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use clap::Args;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use std::collections::{HashMap, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Orders per page of the backfill.
const PAGE: usize = 100;

/// How the loop runs.
#[derive(Debug, Clone, Args)]
pub struct BareArguments {
    /// Shop and ERP, `host:port`.
    #[arg(long)]
    mock: String,
    /// The secret of the webhooks.
    #[arg(long, default_value = "")]
    secret: String,
    /// Orders worked on at once.
    #[arg(long, default_value_t = 8)]
    at_once: usize,
    /// Reads the shop's list instead of waiting for webhooks.
    #[arg(long)]
    backfill: bool,
}

#[derive(Deserialize)]
struct Order {
    id: u64,
    number: String,
    billing: Billing,
    line_items: Vec<Item>,
    shipping_lines: Vec<Shipping>,
    tax_lines: Vec<Tax>,
}

#[derive(Deserialize)]
struct Billing {
    first_name: String,
    last_name: String,
    email: String,
    phone: String,
    address_1: String,
    city: String,
    postcode: String,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    sku: String,
    quantity: f64,
    total: String,
    total_tax: String,
}

#[derive(Deserialize)]
struct Shipping {
    method_title: String,
    total: String,
    total_tax: String,
}

#[derive(Deserialize)]
struct Tax {
    rate_code: String,
}

/// What waits to be worked on.
#[derive(Default)]
struct Queue {
    orders: Mutex<VecDeque<Order>>,
    bell: Notify,
}

impl Queue {
    fn push(&self, order: Order) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push_back(order);
        drop(orders);
        self.bell.notify_one();
    }

    async fn pop(&self) -> Order {
        loop {
            let rings = self.bell.notified();
            let first = {
                let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
                orders.pop_front()
            };
            match first {
                Some(order) => {
                    // Whoever waits looks too: one ring may stand for several orders.
                    self.bell.notify_one();
                    return order;
                }
                None => rings.await,
            }
        }
    }
}

/// Two orders of one customer at once must not make it twice.
#[derive(Default)]
struct Customers(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Customers {
    fn of(&self, email: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(email.to_owned()).or_default().clone()
    }
}

/// Shop and ERP, as a client sees them.
#[derive(Clone)]
pub struct Systems {
    client: Client,
    address: String,
}

impl Systems {
    /// For a mock at `host:port`.
    pub fn open(mock: &str) -> Result<Self> {
        // The client wants a provider for TLS, though nothing here is encrypted; whoever comes second finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Systems {
            client: Client::builder().no_proxy().tcp_nodelay(true).build()?,
            address: format!("http://{mock}"),
        })
    }

    /// A call of the ERP.
    pub async fn call<T: for<'a> Deserialize<'a>>(
        &self,
        model: &str,
        method: &str,
        args: serde_json::Value,
        named: serde_json::Value,
    ) -> Result<T> {
        #[derive(Deserialize)]
        struct Envelope<T> {
            result: T,
        }
        let body = json!({
            "jsonrpc": "2.0", "method": "call", "id": 1,
            "params": {
                "service": "object", "method": "execute_kw",
                "args": ["bench", 2, "key", model, method, args, named],
            },
        });
        let request = self.client.post(format!("{}/jsonrpc", self.address));
        let request = request.header("content-type", "application/json");
        let answer = request.body(serde_json::to_vec(&body)?).send().await?;
        let answer = answer.error_for_status()?.bytes().await?;
        let envelope: Envelope<T> = serde_json::from_slice(&answer)?;
        Ok(envelope.result)
    }

    /// A write to the shop.
    pub async fn put(&self, resource: &str, body: &serde_json::Value) -> Result<()> {
        let url = format!("{}/wp-json/wc/v3/{resource}", self.address);
        let request = self.client.post(url).body(serde_json::to_vec(body)?);
        let request = request.header("content-type", "application/json");
        request.send().await?.error_for_status()?.bytes().await?;
        Ok(())
    }

    async fn page(&self, page: usize) -> Result<Vec<Order>> {
        let path = format!("/wp-json/wc/v3/orders?per_page={PAGE}&page={page}");
        let request = self.client.get(format!("{}{path}", self.address));
        let answer = request.send().await?.error_for_status()?;
        Ok(serde_json::from_slice(&answer.bytes().await?)?)
    }
}

#[derive(Deserialize)]
struct Product {
    id: u64,
    default_code: String,
}

/// The five calls of one order.
async fn work(erp: &Systems, customers: &Customers, order: &Order) -> Result<()> {
    let email = order.billing.email.to_lowercase();
    let partner = {
        let lock = customers.of(&email);
        let _alone = lock.lock().await;
        let found: Vec<u64> = erp
            .call(
                "res.partner",
                "search",
                json!([[["email", "=", email]]]),
                json!({"limit": 1}),
            )
            .await?;
        match found.first() {
            Some(id) => *id,
            None => {
                let billing = &order.billing;
                let values = json!({
                    "name": format!("{} {}", billing.first_name, billing.last_name),
                    "email": email,
                    "phone": billing.phone,
                    "street": billing.address_1,
                    "city": billing.city,
                    "zip": billing.postcode,
                });
                erp.call("res.partner", "create", json!([values]), json!({}))
                    .await?
            }
        }
    };
    let there: Vec<u64> = erp
        .call(
            "sale.order",
            "search",
            json!([[["client_order_ref", "=", order.number]]]),
            json!({"limit": 1}),
        )
        .await?;
    if !there.is_empty() {
        return Ok(());
    }
    let mut skus: Vec<&str> = order
        .line_items
        .iter()
        .map(|item| item.sku.as_str())
        .collect();
    skus.push(crate::orders::SHIPPING_SKU);
    let products: Vec<Product> = erp
        .call(
            "product.product",
            "search_read",
            json!([[["default_code", "in", skus]]]),
            json!({"fields": ["default_code"]}),
        )
        .await?;
    let values = order_values(order, partner, &products)?;
    let _made: u64 = erp
        .call("sale.order", "create", json!([values]), json!({}))
        .await?;
    Ok(())
}

fn order_values(order: &Order, partner: u64, products: &[Product]) -> Result<serde_json::Value> {
    let code = order.tax_lines.first().context("no tax")?;
    let tax = COUNTRIES
        .iter()
        .position(|country| country.tax_code() == code.rate_code)
        .context("an unknown tax")?;
    let product = |sku: &str| {
        let found = products.iter().find(|product| product.default_code == sku);
        found
            .map(|product| product.id)
            .with_context(|| format!("no product {sku}"))
    };
    let line = |sku: &str, name: &str, quantity: f64, total: &str, total_tax: &str| {
        let gross: f64 = total.parse::<f64>()? + total_tax.parse::<f64>()?;
        let price = (gross / quantity * 1e6).round() / 1e6;
        anyhow::Ok(json!([0, 0, {
            "product_id": product(sku)?,
            "name": name,
            "product_uom_qty": quantity,
            "price_unit": price,
            "tax_ids": [[6, 0, [tax + 1]]],
        }]))
    };
    let mut lines = Vec::with_capacity(order.line_items.len() + 1);
    for item in &order.line_items {
        lines.push(line(
            &item.sku,
            &item.name,
            item.quantity,
            &item.total,
            &item.total_tax,
        )?);
    }
    for item in &order.shipping_lines {
        let sku = crate::orders::SHIPPING_SKU;
        lines.push(line(
            sku,
            &item.method_title,
            1.0,
            &item.total,
            &item.total_tax,
        )?);
    }
    Ok(json!({
        "partner_id": partner,
        "client_order_ref": order.number,
        "origin": format!("shop {}", order.number),
        "order_line": lines,
    }))
}

async fn worker(erp: Systems, queue: Arc<Queue>, customers: Arc<Customers>) {
    loop {
        let order = queue.pop().await;
        if let Err(error) = work(&erp, &customers, &order).await {
            // Naive: it says so and goes on.
            let _ = writeln!(std::io::stderr(), "order {}: {error:#}", order.id);
        }
    }
}

/// What the receiver needs.
#[derive(Clone)]
struct Door {
    secret: Arc<Hmac<Sha256>>,
    queue: Arc<Queue>,
}

async fn receive(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-wc-webhook-signature");
    let signature = signature.and_then(|value| BASE64.decode(value).ok());
    let mut mac = (*door.secret).clone();
    mac.update(&body);
    if mac.verify_slice(&signature.unwrap_or_default()).is_err() {
        return StatusCode::UNAUTHORIZED;
    }
    match serde_json::from_slice(&body) {
        Ok(order) => {
            door.queue.push(order);
            StatusCode::OK
        }
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn listen(secret: &str, queue: Arc<Queue>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    let door = Door {
        secret: Arc::new(Hmac::<Sha256>::new_from_slice(secret.as_bytes())?),
        queue,
    };
    let router = Router::new().route("/hooks/{shop}", post(receive));
    axum::serve(listener, router.with_state(door)).await?;
    Ok(())
}

/// Page by page, while the workers work; a page ahead at most.
async fn backfill(shop: Systems, queue: Arc<Queue>) -> Result<()> {
    for page in 1.. {
        while queue
            .orders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
            > PAGE
        {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let orders = shop.page(page).await?;
        let last = orders.len() < PAGE;
        for order in orders {
            queue.push(order);
        }
        if last {
            break;
        }
    }
    std::future::pending().await
}

/// Runs the process until it is ended.
pub fn run(arguments: &BareArguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let queue = Arc::new(Queue::default());
        let customers = Arc::new(Customers::default());
        let systems = Systems::open(&arguments.mock)?;
        for _ in 0..arguments.at_once {
            tokio::spawn(worker(systems.clone(), queue.clone(), customers.clone()));
        }
        if arguments.backfill {
            backfill(systems, queue).await
        } else {
            listen(&arguments.secret, queue).await
        }
    })
}
