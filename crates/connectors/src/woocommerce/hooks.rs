//! Webhooks: what they say, and that they keep coming.
//!
//! A webhook is a hint. The shop sends what the order is by then, drops what fails, and switches itself off after six failures in a row.
//! Putting such a webhook back to active keeps its count of failures, so the next one would switch it off again: it is made anew.

use super::wire::HookWire;
use super::{Shop, path};
use comptoir_kit::http::{Call, Method, encode};
use comptoir_kit::secret::Secret;
use comptoir_kit::webhook::{check_size, malformed, sign_hex, verify_base64};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::Kind;
use comptoir_model::port::{Hint, HookReport, Incoming};
use serde::Deserialize;
use serde_json::json;

/// What Comptoir wants to hear. Changes of products are left to polling: each sale and each stock level would send one.
const TOPICS: &[&str] = &[
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "product.deleted",
    "product.restored",
];

/// Pages of webhooks read at most.
const PAGES: usize = 20;

/// What a delivery's body is asked for.
#[derive(Deserialize)]
struct Body {
    #[serde(default, deserialize_with = "comptoir_kit::decode::id_option")]
    id: Option<comptoir_model::key::RemoteId>,
}

/// Reads a delivery.
///
/// # Errors
/// [`Code::OversizedWebhook`], [`Code::ForgedSignature`], [`Code::MalformedWebhook`].
pub(super) fn hear(call: &Incoming, secrets: &[Secret]) -> Result<Vec<Hint>, Fault> {
    check_size(call)?;
    if is_ping(call) {
        return Ok(Vec::new());
    }
    verify_base64(call, "x-wc-webhook-signature", secrets)?;
    let topic = call
        .header("x-wc-webhook-topic")
        .ok_or_else(|| malformed("the webhook has no topic"))?;
    let kind = match topic.split('.').next().unwrap_or_default() {
        "order" => Kind::Order,
        "customer" => Kind::Customer,
        "product" => Kind::Product,
        // Coupons, and actions that other webhooks of the shop send here.
        _ => return Ok(Vec::new()),
    };
    let body: Body = serde_json::from_slice(&call.body)
        .map_err(|_| malformed("the webhook's body is no JSON object"))?;
    // A record that was deleted before the delivery makes a signed error body without its id: then polling must look.
    let hint = |kind| Hint {
        kind,
        id: body.id.clone(),
    };
    Ok(match kind {
        // Its stock is a record under the same id.
        Kind::Product => vec![hint(kind), hint(Kind::Stock)],
        _ => vec![hint(kind)],
    })
}

/// The shop greets a new webhook's address with an unsigned form. It says nothing, and must be answered 200 or it comes again and again.
fn is_ping(call: &Incoming) -> bool {
    let form = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let number = call.body.strip_prefix(b"webhook_id=");
    form && number
        .is_some_and(|id| !id.is_empty() && id.len() <= 20 && id.iter().all(u8::is_ascii_digit))
}

impl Shop {
    /// Makes sure that every topic has a live webhook to `address`, signed with the newest secret.
    pub(super) async fn tend(&self, address: &str) -> Result<HookReport, Fault> {
        let secret = self
            .kit
            .webhook_secrets
            .first()
            .filter(|secret| !secret.is_empty());
        let Some(secret) = secret else {
            let why = "webhooks need a secret: set one for this connection";
            return Err(Fault::refused(Code::MissingSecret, why));
        };
        let hooks = self.hooks().await?;
        let mut report = HookReport::default();
        for topic in TOPICS {
            let mine: Vec<&HookWire> = hooks
                .iter()
                .filter(|hook| hook.topic == *topic && hook.delivery_url == address)
                .collect();
            let name = name(topic, secret);
            if mine.iter().any(|hook| hook.status == "paused") {
                // Only a person pauses a webhook.
                continue;
            }
            let live = mine.iter().find(|hook| hook.status == "active");
            match live {
                Some(hook) if hook.name == name => {}
                Some(hook) => self.sign_anew(hook, &name, secret).await?,
                None => self.make(topic, address, &name, secret).await?,
            }
            let mut was_off = false;
            for hook in mine.iter().filter(|hook| hook.status == "disabled") {
                was_off = true;
                self.remove(hook).await?;
            }
            if was_off && live.is_none() {
                report.recreated.push((*topic).to_owned());
            }
            report.active.push((*topic).to_owned());
        }
        Ok(report)
    }

    async fn hooks(&self) -> Result<Vec<HookWire>, Fault> {
        let mut hooks = Vec::new();
        for page in 1..=PAGES {
            let call = Call::get("webhooks.list", path("webhooks"))
                .query("per_page", 100)
                .query("page", page);
            let found: Vec<HookWire> = self.ask(call).await?.json()?;
            let last = found.len() < 100;
            hooks.extend(found);
            if last {
                break;
            }
        }
        Ok(hooks)
    }

    async fn make(
        &self,
        topic: &str,
        address: &str,
        name: &str,
        secret: &Secret,
    ) -> Result<(), Fault> {
        let body = json!({
            "name": name, "topic": topic, "delivery_url": address,
            "secret": secret.expose(), "status": "active",
        });
        let call = Call::post("webhooks.create", path("webhooks")).json(&body)?;
        self.ask(call).await.map(drop)
    }

    /// The shop never tells a webhook's secret, so the name tells which one it signs with.
    async fn sign_anew(&self, hook: &HookWire, name: &str, secret: &Secret) -> Result<(), Fault> {
        let resource = format!("webhooks/{}", encode(hook.id.as_str()));
        let call = Call::new("webhooks.update", Method::Put, path(resource))
            .json(&json!({ "name": name, "secret": secret.expose() }))?;
        self.ask(call).await.map(drop)
    }

    async fn remove(&self, hook: &HookWire) -> Result<(), Fault> {
        let resource = format!("webhooks/{}", encode(hook.id.as_str()));
        let call =
            Call::new("webhooks.delete", Method::Delete, path(resource)).query("force", "true");
        match self.ask(call).await {
            Err(fault) if fault.next != Next::Gone => Err(fault),
            _ => Ok(()),
        }
    }
}

/// The name of a webhook: its topic and a mark of the secret, from which the secret cannot be computed.
fn name(topic: &str, secret: &Secret) -> String {
    let mark = sign_hex(secret, b"comptoir webhook name");
    format!("Comptoir {topic} {}", &mark[..8])
}
