//! Webhooks as the shop keeps them, and the queue of deliveries.
//!
//! Reproduced: one delivery is scheduled per webhook and record, however often it changes; a webhook is disabled, silently, at
//! its sixth failure in a row; set back to active it keeps its count, so the next failure disables it again; a new or
//! re-activated one sends an unsigned ping.

use super::answer::{Answer, Answered};
use super::listing::answer_list;
use super::query::{Query, pick};
use super::render::{ALL_METHODS, Look};
use super::state::{State, second};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::Notify;

/// Failures in a row after which a webhook is disabled: one more than this.
const MOST_FAILURES: u32 = 5;

/// One webhook.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub id: u64,
    pub name: String,
    pub status: String,
    pub topic: String,
    pub delivery_url: String,
    pub secret: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub failures: u32,
    pub ping_pending: bool,
}

/// One delivery to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Delivery {
    pub hook: u64,
    /// The record; 0 for a ping.
    pub record: u64,
}

/// All webhooks and what is to be delivered.
#[derive(Debug)]
pub(crate) struct Webhooks {
    hooks: BTreeMap<u64, Webhook>,
    last: u64,
    default_secret: String,
    queue: VecDeque<Delivery>,
    scheduled: HashSet<Delivery>,
    /// Rings when the queue gets something.
    pub bell: Arc<Notify>,
}

impl Webhooks {
    pub fn new(default_secret: String) -> Self {
        Webhooks {
            hooks: BTreeMap::new(),
            last: 0,
            default_secret,
            queue: VecDeque::new(),
            scheduled: HashSet::new(),
            bell: Arc::new(Notify::new()),
        }
    }

    /// Something happened to a record: every active webhook of that topic gets one delivery, if none is scheduled yet.
    pub fn fire(&mut self, topic: &str, record: u64) {
        let hooks: Vec<u64> = self
            .hooks
            .values()
            .filter(|hook| hook.status == "active" && hook.topic == topic)
            .map(|hook| hook.id)
            .collect();
        for hook in hooks {
            self.schedule(Delivery { hook, record });
        }
    }

    fn schedule(&mut self, delivery: Delivery) {
        if self.scheduled.insert(delivery) {
            self.queue.push_back(delivery);
            self.bell.notify_one();
        }
    }

    /// The next delivery, out of the queue. A ping that failed before goes first.
    pub fn next(&mut self) -> Option<Delivery> {
        let delivery = self.queue.pop_front()?;
        self.scheduled.remove(&delivery);
        Some(delivery)
    }

    /// Puts a delivery behind the others.
    pub fn postpone(&mut self, delivery: Delivery) {
        if self.scheduled.insert(delivery) {
            self.queue.push_back(delivery);
        }
    }

    /// How many deliveries wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub fn get(&self, id: u64) -> Option<&Webhook> {
        self.hooks.get(&id)
    }

    /// What became of a delivery.
    pub fn note(&mut self, delivery: Delivery, success: bool) {
        let Some(hook) = self.hooks.get_mut(&delivery.hook) else {
            return;
        };
        if delivery.record == 0 {
            hook.ping_pending = !success;
            return;
        }
        if success {
            hook.failures = 0;
        } else {
            hook.failures += 1;
            if hook.failures > MOST_FAILURES {
                hook.status = "disabled".to_owned();
            }
        }
    }

    /// Whether a ping has to be sent again before anything else.
    pub fn owes_ping(&self, hook: u64) -> bool {
        self.hooks.get(&hook).is_some_and(|hook| hook.ping_pending)
    }
}

fn json_of(hook: &Webhook, look: &Look) -> Value {
    let (resource, event) = hook.topic.split_once('.').unwrap_or_default();
    let action = match (resource, event) {
        ("order", "created") => "woocommerce_new_order",
        ("order", "deleted") => "wp_trash_post",
        ("order", _) => "woocommerce_update_order",
        ("product", _) => "woocommerce_update_product",
        _ => "woocommerce_update_customer",
    };
    json!({
        "id": hook.id,
        "name": hook.name,
        "status": hook.status,
        "topic": hook.topic,
        "resource": resource,
        "event": event,
        "hooks": [action],
        "delivery_url": hook.delivery_url,
        "date_created": look.local(hook.created),
        "date_created_gmt": Look::gmt(hook.created),
        "date_modified": look.local(hook.modified),
        "date_modified_gmt": Look::gmt(hook.modified),
        "_links": look.links(&format!("webhooks/{}", hook.id), ALL_METHODS, &[]),
    })
}

/// `GET /webhooks`. The secret and the number of failures are not shown.
pub(crate) fn list(state: &State, query: &Query) -> Answered {
    let page = query.page()?;
    let status = query.get("status").unwrap_or("all");
    let mut found: Vec<&Webhook> = state
        .hooks
        .hooks
        .values()
        .filter(|hook| status == "all" || hook.status == status)
        .collect();
    if query.one_of("order", &["asc", "desc"], "desc")? == "desc" {
        found.reverse();
    }
    let documents = page
        .of(&found)
        .iter()
        .map(|hook| json_of(hook, &state.look))
        .collect();
    answer_list(documents, found.len(), page, "webhooks", query, &state.look)
}

fn none() -> Answer {
    Answer::no_such("shop_webhook")
}

/// `GET /webhooks/ID`.
pub(crate) fn read(state: &State, id: u64, query: &Query) -> Answered {
    let document = json_of(state.hooks.get(id).ok_or_else(none)?, &state.look);
    Ok(Answer::ok(&match query.fields() {
        Some(fields) => pick(document, &fields, true),
        None => document,
    }))
}

/// `POST /webhooks`.
pub(crate) fn create(state: &mut State, body: &Value) -> Answered {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    let known = text("topic")
        .split_once('.')
        .is_some_and(|(resource, event)| {
            matches!(resource, "order" | "product" | "customer" | "coupon")
                && matches!(event, "created" | "updated" | "deleted" | "restored")
        });
    if !known {
        return Err(Answer::error(
            400,
            "woocommerce_rest_shop_webhook_invalid_topic",
            "Webhook topic must be valid.",
        ));
    }
    let address = text("delivery_url");
    if !(address.starts_with("http://") || address.starts_with("https://")) {
        return Err(Answer::error(
            400,
            "woocommerce_rest_shop_webhook_invalid_delivery_url",
            "Webhook delivery URL must be a valid URL starting with http:// or https://.",
        ));
    }
    let now = second(Timestamp::now());
    let hooks = &mut state.hooks;
    hooks.last += 1;
    let id = hooks.last;
    let or = |given: &str, default: &str| {
        if given.is_empty() {
            default.to_owned()
        } else {
            given.to_owned()
        }
    };
    let hook = Webhook {
        id,
        name: or(text("name"), "Webhook"),
        status: or(text("status"), "active"),
        topic: text("topic").to_owned(),
        delivery_url: address.to_owned(),
        secret: or(text("secret"), &hooks.default_secret),
        created: now,
        modified: now,
        failures: 0,
        ping_pending: true,
    };
    let document = json_of(&hook, &state.look);
    let active = hook.status == "active";
    hooks.hooks.insert(id, hook);
    if active {
        hooks.schedule(Delivery {
            hook: id,
            record: 0,
        });
    }
    state.writes += 1;
    let place = state.look.api(&format!("webhooks/{id}"));
    Ok(Answer::created(&document, place))
}

/// `PUT /webhooks/ID`.
pub(crate) fn update(state: &mut State, id: u64, body: &Value) -> Answered {
    let hook = state.hooks.hooks.get_mut(&id).ok_or_else(none)?;
    let was_active = hook.status == "active";
    for (field, place) in [
        ("name", &mut hook.name),
        ("status", &mut hook.status),
        ("topic", &mut hook.topic),
        ("delivery_url", &mut hook.delivery_url),
        ("secret", &mut hook.secret),
    ] {
        if let Some(value) = body.get(field).and_then(Value::as_str) {
            *place = value.to_owned();
        }
    }
    hook.modified = second(Timestamp::now());
    let activated = !was_active && hook.status == "active";
    hook.ping_pending |= activated;
    let document = json_of(hook, &state.look);
    if activated {
        state.hooks.schedule(Delivery {
            hook: id,
            record: 0,
        });
    }
    state.writes += 1;
    Ok(Answer::ok(&document))
}

/// `DELETE /webhooks/ID?force=true`.
pub(crate) fn delete(state: &mut State, id: u64, force: bool) -> Answered {
    if !force {
        return Err(Answer::error(
            501,
            "woocommerce_rest_trash_not_supported",
            "Webhooks do not support trashing.",
        ));
    }
    let hook = state.hooks.hooks.remove(&id).ok_or_else(none)?;
    state.writes += 1;
    Ok(Answer::ok(&json_of(&hook, &state.look)))
}
