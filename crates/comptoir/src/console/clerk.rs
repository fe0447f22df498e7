//! The clerk: beside the road of a record it makes the cards that lists, sums and the search need, and notes each hour how flows stand.
//! What it makes can be made anew at any time; losing it loses nothing.

use super::amount::millionths;
use comptoir_engine::hub::Hub;
use comptoir_model::document::Document;
use comptoir_model::order::Order;
use comptoir_model::shipment::Shipment;
use comptoir_store::{CardPut, Sample, StoreError, Uncarded};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Cards made at once.
const BATCH: usize = 400;
/// How often it looks.
const LOOK: Duration = Duration::from_secs(2);
/// A record is stored this long, at most, after its reading began.
const LATE_MS: i64 = 10 * 60_000;
/// How often it notes how flows stand.
const SAMPLE_MS: i64 = 60_000;
const HOUR_MS: i64 = 3_600_000;
/// How long samples are kept.
const KEEP_MS: i64 = 60 * 86_400_000;
/// Lengths of the beginnings of an e-mail that it is found by.
pub const BEGINNINGS: [usize; 3] = [8, 5, 3];

/// Works until it is told to stop. A full store is waited for; it tells the owners' story, not this one's.
pub async fn run(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) -> Result<(), StoreError> {
    // The first look is at everything: what was stored while no clerk worked, and what an older Comptoir stored.
    let mut since = 0;
    let mut sampled = 0;
    while !*stop.borrow() {
        let more = match file(&hub, &mut since).await {
            Ok(more) => more,
            Err(StoreError::Full) => false,
            Err(error) => return Err(error),
        };
        let now = hub.store.now().await?;
        if now - sampled >= SAMPLE_MS {
            sampled = now;
            match sample(&hub, now).await {
                Ok(()) | Err(StoreError::Full) => {}
                Err(error) => return Err(error),
            }
        }
        if more {
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        }
    }
    Ok(())
}

/// Makes the next cards. Answers whether there are more to make.
async fn file(hub: &Hub, since: &mut i64) -> Result<bool, StoreError> {
    let now = hub.store.now().await?;
    let missing = hub.store.uncarded(*since, BATCH).await?;
    let cards: Vec<CardPut> = missing.iter().map(|record| card(hub, record)).collect();
    if !cards.is_empty() {
        hub.store.put_cards(&cards).await?;
    }
    if missing.len() < BATCH {
        *since = now - LATE_MS;
        return Ok(false);
    }
    Ok(true)
}

/// The card of a record.
fn card(hub: &Hub, record: &Uncarded) -> CardPut {
    let mut card = CardPut {
        key: record.key.clone(),
        digest: record.digest,
        number: String::new(),
        at: record.seen_at,
        seen_at: record.seen_at,
        amount: None,
        currency: String::new(),
        word: String::new(),
        parent: String::new(),
        terms: vec![term('n', record.key.id.as_str())],
    };
    match &record.document {
        Some(Document::Order(order)) => of_order(hub, order, &mut card),
        Some(Document::Shipment(shipment)) => of_shipment(shipment, &mut card),
        Some(Document::Refund(refund)) => {
            card.amount = millionths(refund.amount);
            card.currency = refund.currency.code().to_owned();
            card.parent = refund.order.to_string();
            card.at = refund.at.map_or(card.at, |at| at.as_millisecond());
        }
        Some(Document::Invoice(invoice)) => {
            card.number.clone_from(&invoice.number);
            card.terms.push(term('n', &invoice.number));
            card.amount = millionths(invoice.total);
            card.currency = invoice.currency.code().to_owned();
            card.parent = invoice
                .order
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
        }
        Some(Document::Product(product)) => {
            card.number.clone_from(&product.sku);
            card.terms.push(term('s', &product.sku));
        }
        Some(Document::Customer(customer)) => card.terms.extend(email_terms(hub, &customer.email)),
        _ => {}
    }
    card.terms.retain(|term| term.len() > 2);
    card
}

fn of_order(hub: &Hub, order: &Order, card: &mut CardPut) {
    card.number.clone_from(&order.number);
    card.amount = millionths(order.totals.total);
    card.currency = order.currency.code().to_owned();
    card.word.clone_from(&order.status.word);
    let placed = order.dates.placed.map(|at| at.as_millisecond());
    card.at = placed.unwrap_or(card.at);
    let numbers = [&order.number, &order.reference, &order.purchase_order];
    card.terms.extend(numbers.map(|number| term('n', number)));
    card.terms
        .extend(order.lines.iter().map(|line| term('s', &line.sku)));
    let parcels = order
        .shipments
        .iter()
        .flat_map(|shipment| &shipment.parcels);
    card.terms
        .extend(parcels.map(|parcel| term('t', &parcel.tracking)));
    card.terms.extend(email_terms(hub, &order.email));
}

fn of_shipment(shipment: &Shipment, card: &mut CardPut) {
    card.number.clone_from(&shipment.number);
    card.parent = shipment.order.to_string();
    card.at = shipment
        .shipped_at
        .map_or(card.at, |at| at.as_millisecond());
    card.word = format!("{:?}", shipment.state).to_lowercase();
    card.terms.push(term('n', &shipment.number));
    let parcels = shipment.parcels.iter();
    card.terms
        .extend(parcels.map(|parcel| term('t', &parcel.tracking)));
}

/// A word to be found by: what sort it is, and the text without regard to case and outer spaces.
pub fn term(sort: char, text: &str) -> String {
    format!("{sort}:{}", text.trim().to_lowercase())
}

/// The words an e-mail is found by: hashes of it and of its beginnings under this site's own key.
pub fn email_terms(hub: &Hub, email: &str) -> Vec<String> {
    let email = email.trim().to_lowercase();
    if email.is_empty() {
        return Vec::new();
    }
    let mut terms = vec![hashed(hub, 'e', &email)];
    for length in BEGINNINGS {
        let beginning: String = email.chars().take(length).collect();
        if beginning.chars().count() == length {
            terms.push(hashed(hub, 'b', &beginning));
        }
    }
    terms
}

/// A personal word as it may be stored.
pub fn hashed(hub: &Hub, sort: char, text: &str) -> String {
    let hash = hub.keyed_hash(text);
    format!("{sort}:{}", &hash[..hash.len().min(24)])
}

/// Notes how each flow stands.
async fn sample(hub: &Hub, now: i64) -> Result<(), StoreError> {
    let hour = now - now.rem_euclid(HOUR_MS);
    let mut samples = Vec::new();
    for flow in hub.working() {
        let held = hub.store.held_sums(&flow.name, &flow.source).await?;
        let held: u64 = held.iter().map(|sum| sum.count).sum();
        let open = hub
            .store
            .overdue(&flow.name, flow.kind, &flow.target, now)
            .await?;
        let moved = hub.store.activity(&flow.target, hour).await?;
        let moved = moved
            .iter()
            .find(|moved| moved.flow.as_ref() == Some(&flow.name));
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        samples.push(Sample {
            flow: flow.name.clone(),
            at: hour,
            held: number(held),
            open: number(open.map_or(0, |open| open.count)),
            done: number(moved.map_or(0, |moved| moved.count)),
        });
    }
    hub.store.put_samples(&samples, now - KEEP_MS).await
}
