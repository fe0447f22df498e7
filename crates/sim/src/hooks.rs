//! Delivering the shop's webhooks, honestly or with faults.
//!
//! Reproduced as measured: deliveries are made one after another, later than the event, with the record's state *at delivery
//! time*; several changes are one delivery; a record that is gone gives a validly signed body that is an error; an order in the
//! trash gives `{"id":N}`; a delivery is never made again; any status from 200 to 302 is success and redirects are not followed;
//! a ping is a form without signature and is sent again until it is answered; loopback addresses and odd ports are refused unless
//! [`crate::woocommerce::ShopOptions::local_hooks`] is set, which counts as a failure.

use crate::seed::Seed;
use crate::woocommerce::Shop;
use crate::woocommerce::answer::{Answer, php_json};
use crate::woocommerce::auth::signature;
use crate::woocommerce::state::State;
use crate::woocommerce::webhook::{Delivery, Webhook};
use crate::woocommerce::{customers, sales};
use reqwest::{Client, Url, redirect};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the shop waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How often deliveries go wrong on their way, each between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct HookRates {
    /// Lost; the shop believes that it was delivered.
    pub dropped: f64,
    /// Delivered twice with one delivery id.
    pub doubled: f64,
    /// Put behind the deliveries that wait.
    pub reordered: f64,
    /// Held back for up to `delay`, while others pass.
    pub delayed: f64,
    /// The longest delay.
    pub delay: Duration,
}

/// Faults of the way to the hub, and counts of what happened. Clones are the same.
#[derive(Debug, Clone)]
pub struct HookFaults {
    inner: Arc<Mutex<Faults>>,
}

#[derive(Debug)]
struct Faults {
    seed: Seed,
    rates: HookRates,
    counts: BTreeMap<&'static str, u64>,
}

/// What becomes of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Sent,
    Dropped,
    Doubled,
    Reordered,
    Delayed(Duration),
}

impl HookFaults {
    /// Faults of a seed.
    pub fn new(seed: u64, rates: HookRates) -> Self {
        HookFaults {
            inner: Arc::new(Mutex::new(Faults {
                seed: Seed::of(seed, 0x4007),
                rates,
                counts: BTreeMap::new(),
            })),
        }
    }

    /// No fault at all.
    pub fn none() -> Self {
        HookFaults::new(0, HookRates::default())
    }

    /// From now on every delivery goes well.
    pub fn quiet(&self) {
        self.lock().rates = HookRates::default();
    }

    /// Deliveries by what became of them: `sent`, `ping`, `dropped`, `doubled`, `reordered`, `delayed`, `failed`, `refused`.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, what: &'static str) {
        *self.lock().counts.entry(what).or_default() += 1;
    }

    fn fate(&self, others_wait: bool) -> Fate {
        let mut faults = self.lock();
        let rates = faults.rates;
        // Every chance is drawn, so that one rate does not move the others' luck.
        let drawn = [rates.dropped, rates.doubled, rates.reordered, rates.delayed]
            .map(|rate| faults.seed.chance(rate));
        let share = faults.seed.between(1, 1_000) as f64 / 1_000.0;
        match drawn {
            [true, ..] => Fate::Dropped,
            [_, true, ..] => Fate::Doubled,
            [_, _, true, _] if others_wait => Fate::Reordered,
            [.., true] => Fate::Delayed(rates.delay.mul_f64(share)),
            _ => Fate::Sent,
        }
    }
}

/// One delivery, ready to send.
#[derive(Debug, Clone)]
struct Parcel {
    delivery: Delivery,
    address: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// The client of a shop: it follows no redirects and asks no proxy.
pub(crate) fn client() -> Client {
    // The provider is the process's; whoever comes second finds it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .redirect(redirect::Policy::none())
        .build()
        .unwrap_or_default()
}

impl Shop {
    /// Delivers webhooks for ever, as the shop's cron would.
    pub async fn serve_hooks(&self, faults: HookFaults) {
        let bell = self.lock().hooks.bell.clone();
        loop {
            self.run_hooks(&faults).await;
            bell.notified().await;
        }
    }

    /// Delivers everything that waits, once: one run of the shop's cron. Answers how many deliveries were tried.
    pub async fn run_hooks(&self, faults: &HookFaults) -> usize {
        let mut tried = 0;
        let mut postponed = self.lock().hooks.waiting();
        loop {
            let (parcel, others) = {
                let mut state = self.lock();
                let Some(delivery) = state.hooks.next() else {
                    return tried;
                };
                let others = state.hooks.waiting() > 0;
                (pack(&mut state, delivery), others)
            };
            let Some(parcel) = parcel else { continue };
            tried += 1;
            let ping = parcel.delivery.record == 0;
            let fate = if ping {
                Fate::Sent
            } else {
                faults.fate(others && postponed > 0)
            };
            match fate {
                Fate::Sent => self.deliver(parcel, faults).await,
                Fate::Dropped => {
                    faults.count("dropped");
                    self.lock().hooks.note(parcel.delivery, true);
                }
                Fate::Doubled => {
                    faults.count("doubled");
                    self.deliver(parcel.clone(), faults).await;
                    self.deliver(parcel, faults).await;
                }
                Fate::Reordered => {
                    faults.count("reordered");
                    postponed -= 1;
                    self.lock().hooks.postpone(parcel.delivery);
                }
                Fate::Delayed(delay) => {
                    faults.count("delayed");
                    let (shop, faults) = (self.clone(), faults.clone());
                    tokio::spawn(async move {
                        tokio::time::sleep(delay).await;
                        shop.deliver(parcel, &faults).await;
                    });
                }
            }
        }
    }

    /// Webhook deliveries that wait for the next run.
    pub fn hooks_waiting(&self) -> usize {
        self.lock().hooks.waiting()
    }

    async fn deliver(&self, parcel: Parcel, faults: &HookFaults) {
        let owes = parcel.delivery.record > 0 && self.lock().hooks.owes_ping(parcel.delivery.hook);
        if owes {
            let ping = Delivery {
                record: 0,
                ..parcel.delivery
            };
            let packed = pack(&mut self.lock(), ping);
            if let Some(packed) = packed {
                self.send(packed, faults).await;
            }
        }
        self.send(parcel, faults).await;
    }

    async fn send(&self, parcel: Parcel, faults: &HookFaults) {
        if !self.inner.options.local_hooks && !reachable(&parcel.address) {
            faults.count("refused");
            self.lock().hooks.note(parcel.delivery, false);
            return;
        }
        let mut request = self.inner.http.post(&parcel.address).body(parcel.body);
        for (name, value) in parcel.headers {
            request = request.header(name, value);
        }
        let success = match request.send().await {
            Ok(answer) => (200..=302).contains(&answer.status().as_u16()),
            Err(_) => false,
        };
        faults.count(match (success, parcel.delivery.record) {
            (true, 0) => "ping",
            (true, _) => "sent",
            (false, _) => "failed",
        });
        self.lock().hooks.note(parcel.delivery, success);
    }
}

/// WordPress' safe HTTP: no loopback and private addresses, only the usual ports.
fn reachable(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let local = host == "localhost"
        || host.starts_with("127.")
        || host.starts_with("10.")
        || host.starts_with("192.168.")
        || host == "[::1]";
    let port = url.port_or_known_default().unwrap_or_default();
    !local && matches!(port, 80 | 443 | 8080)
}

/// Writes a delivery as the shop stands now. None when its webhook is gone or off: then it is lost.
fn pack(state: &mut State, delivery: Delivery) -> Option<Parcel> {
    let hook = state.hooks.get(delivery.hook)?.clone();
    if hook.status != "active" {
        return None;
    }
    let agent = format!(
        "WooCommerce/{} Hookshot (WordPress/7.1)",
        state.look.version
    );
    if delivery.record == 0 {
        return Some(Parcel {
            delivery,
            address: hook.delivery_url,
            headers: vec![
                ("user-agent", agent),
                (
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: format!("webhook_id={}", hook.id),
        });
    }
    let body = payload(state, &hook, delivery.record);
    let (resource, event) = hook.topic.split_once('.').unwrap_or_default();
    let id = Seed::of(delivery.record, state.ids.note()).hex(32);
    let headers = vec![
        ("user-agent", agent),
        ("content-type", "application/json".to_owned()),
        ("x-wc-webhook-source", format!("{}/", state.look.home)),
        ("x-wc-webhook-topic", hook.topic.clone()),
        ("x-wc-webhook-resource", resource.to_owned()),
        ("x-wc-webhook-event", event.to_owned()),
        (
            "x-wc-webhook-signature",
            signature(hook.secret.as_bytes(), body.as_bytes()),
        ),
        ("x-wc-webhook-id", hook.id.to_string()),
        ("x-wc-webhook-delivery-id", id),
    ];
    Some(Parcel {
        delivery,
        address: hook.delivery_url.clone(),
        headers,
        body,
    })
}

fn payload(state: &mut State, hook: &Webhook, record: u64) -> String {
    let (resource, event) = hook.topic.split_once('.').unwrap_or_default();
    if event == "deleted" {
        return json!({ "id": record }).to_string();
    }
    let dp = state.look.decimals;
    let found = match resource {
        "order" => state.order_json(record, dp).map(str::to_owned),
        "product" => {
            let product = state.products.get(&record);
            product.map(|product| php_json(&product.json(&state.look)))
        }
        _ => {
            let customer = state.customers.get(&record);
            customer.map(|one| php_json(&customers::json_of(one, &state.look)))
        }
    };
    found.unwrap_or_else(|| match resource {
        "order" => sales::no_order().body,
        "product" => Answer::no_such("product").body,
        _ => Answer::no_such("customer").body,
    })
}

/// The signature that a delivery of this body must carry.
pub fn hook_signature(secret: &str, body: &[u8]) -> String {
    signature(secret.as_bytes(), body)
}
