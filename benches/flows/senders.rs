//! The shop's webhooks: signed deliveries, sent in closed loop or at a steady rate, each once and never again.

use crate::mock::now_us;
use crate::orders;
use crate::process::SECRET;
use crate::wire::Line;
use anyhow::Result;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

/// What became of one delivery.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    /// The order's number in the sequence.
    pub index: u64,
    /// When it was sent (unix microseconds).
    pub sent: u64,
    /// How long the answer took, in microseconds.
    pub took: u64,
    /// Whether it was acknowledged with 200.
    pub acknowledged: bool,
}

/// A whole request that delivers `order.created`.
pub fn request(index: u64, host: &str) -> Result<Vec<u8>> {
    let mut body = String::with_capacity(8 * 1024);
    let at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S");
    orders::order(index).write_json(&at.to_string(), &mut body);
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())?;
    mac.update(body.as_bytes());
    let signature = BASE64.encode(mac.finalize().into_bytes());
    let head = format!(
        "POST /hooks/shop HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nx-wc-webhook-topic: order.created\r\nx-wc-webhook-resource: order\r\nx-wc-webhook-signature: {signature}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut request = head.into_bytes();
    request.extend_from_slice(body.as_bytes());
    Ok(request)
}

/// Requests made beforehand, so that making them costs no time of the run.
pub fn prepare(indexes: Range<u64>, host: &str) -> Result<Vec<(u64, Vec<u8>)>> {
    indexes
        .map(|index| Ok((index, request(index, host)?)))
        .collect()
}

/// Sends everything with so many senders, each its next delivery when the last was answered or refused.
pub async fn burst(requests: Vec<(u64, Vec<u8>)>, senders: usize, host: &str) -> Vec<Delivery> {
    let requests = Rc::new(requests);
    let next = Rc::new(Cell::new(0));
    let done = Rc::new(RefCell::new(Vec::with_capacity(requests.len())));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..senders {
        let (requests, next, done) = (requests.clone(), next.clone(), done.clone());
        let mut line = Line::new(host);
        tasks.spawn_local(async move {
            loop {
                let at = next.get();
                let Some((index, request)) = requests.get(at) else {
                    break;
                };
                next.set(at + 1);
                let delivery = deliver(&mut line, *index, request).await;
                done.borrow_mut().push(delivery);
                if !delivery.acknowledged {
                    // A shop's queue goes on with its next delivery a moment later.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    done.take()
}

async fn deliver(line: &mut Line, index: u64, request: &[u8]) -> Delivery {
    let sent = now_us();
    let answer = line.send(request).await;
    Delivery {
        index,
        sent,
        took: now_us() - sent,
        acknowledged: matches!(answer, Ok((200, _))),
    }
}

/// Sends one delivery every so often, each on time whether or not the last was answered.
pub async fn steady(requests: Vec<(u64, Vec<u8>)>, every: Duration, host: &str) -> Vec<Delivery> {
    let mut ticks = tokio::time::interval(every);
    let mut tasks = tokio::task::JoinSet::new();
    let lines: Rc<RefCell<Vec<Line>>> = Rc::default();
    for (index, request) in requests {
        ticks.tick().await;
        let lines = lines.clone();
        let host = host.to_owned();
        tasks.spawn_local(async move {
            let free = lines.borrow_mut().pop();
            let mut line = free.unwrap_or_else(|| Line::new(&host));
            let delivery = deliver(&mut line, index, &request).await;
            lines.borrow_mut().push(line);
            delivery
        });
    }
    let mut done = Vec::new();
    while let Some(delivery) = tasks.join_next().await {
        done.extend(delivery.ok());
    }
    done
}
