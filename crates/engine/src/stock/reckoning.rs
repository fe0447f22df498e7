//! Why a shop shows this quantity of an item: the formula with its figures, and what a pass would write. The same pure function decides.

use super::decide::{Put, StockDecision, shown};
use super::gather::Known;
use crate::decide::Proposal;
use crate::flow::Flow;
use crate::hub::Hub;
use crate::preview::{Next, Preview};
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_model::port::Step;
use comptoir_rules::stock::quantity;
use comptoir_store::{StoreError, WorkRow};
use serde::Serialize;

/// The formula of one item with its figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reckoning {
    /// Stock keeping unit.
    pub sku: String,
    /// What the ERP can promise, by place; of a kit by component.
    pub available: Vec<(String, Decimal)>,
    /// Kept back.
    pub buffer: Decimal,
    /// Taken by orders that the ERP's figures do not show yet.
    pub in_flight: Decimal,
    /// The shop's share of the rest.
    pub share: Decimal,
    /// What the shop should show; none when the ERP does not count it.
    pub quantity: Option<Decimal>,
    /// The shop's items with that name, and what they were last seen or put to; none where the shop does not count.
    pub shop: Vec<(RemoteId, Option<Decimal>)>,
}

/// The formula of one item, from what is stored.
///
/// # Errors
/// The store's.
pub async fn reckon(
    hub: &Hub,
    flow: &Flow,
    id: &RemoteId,
) -> Result<Option<Reckoning>, StoreError> {
    let known = Known::load(hub, flow, std::slice::from_ref(id)).await?;
    let Some(level) = known.erp(id) else {
        return Ok(None);
    };
    let at = |place: Option<&RemoteId>| place.map(ToString::to_string).unwrap_or_default();
    let mut available: Vec<(String, Decimal)> = Vec::new();
    for place in &level.stock.levels {
        let told = place.available.or(place.on_hand).unwrap_or_default();
        available.push((at(place.location.as_ref()), told));
    }
    for part in &level.stock.components {
        let there = known
            .erp(&part.product)
            .map(|level| level.stock.levels.iter());
        let there = there
            .into_iter()
            .flatten()
            .filter_map(|level| level.available)
            .sum();
        available.push((
            format!("{} × {}", part.quantity.normalize(), part.product),
            there,
        ));
    }
    let of_shop = known.shop(&level.stock.sku).iter().map(|item| {
        let counted = item.stock.managed.then(|| shown(&item.stock)).flatten();
        (item.item.clone(), counted)
    });
    Ok(Some(Reckoning {
        sku: level.stock.sku.clone(),
        available,
        buffer: flow.stock.buffer,
        in_flight: known.in_flight(level),
        share: flow.stock.share,
        quantity: known
            .promised(flow, id)
            .map(|promised| quantity(promised, flow.stock.share)),
        shop: of_shop.collect(),
    }))
}

/// What a pass would write for these items, as far as is known without asking anybody.
///
/// # Errors
/// The store's.
pub async fn preview(
    hub: &Hub,
    flow: &Flow,
    works: &[WorkRow],
) -> Result<Vec<Preview>, StoreError> {
    let mut previews = Vec::with_capacity(works.len());
    for part in works.chunks(400) {
        let items: Vec<RemoteId> = part.iter().map(|work| work.src.clone()).collect();
        let known = Known::load(hub, flow, &items).await?;
        for work in part {
            let record = RecordKey {
                connection: flow.source.clone(),
                kind: Kind::Stock,
                id: work.src.clone(),
            };
            let (mut before, next) = match known.decide(flow, work, false) {
                StockDecision::Nothing => (Vec::new(), Next::Nothing),
                StockDecision::Skip(reason) => (Vec::new(), Next::Skip(reason.to_owned())),
                StockDecision::Hold(cause) => (Vec::new(), Next::Stop(vec![cause.to_string()])),
                // It sold since it was seen, and the shop has most likely taken that off by itself.
                StockDecision::Look => (Vec::new(), Next::Nothing),
                StockDecision::Put(puts) => proposals(&record, puts),
            };
            before.truncate(100);
            previews.push(Preview {
                record,
                input: known.erp(&work.src).map_or(work.want, |level| level.digest),
                before,
                next,
                after: Vec::new(),
                linked: None,
            });
        }
    }
    Ok(previews)
}

/// The write of a quantity.
pub fn proposal(record: &RecordKey, put: Put) -> Proposal {
    Proposal {
        subject: record.clone(),
        part: String::new(),
        step: Step::Update,
        target: Some(put.item.clone()),
        document: Document::Stock(put.document()),
        before: Some(Document::Stock(put.before)),
        expects: None,
        claims: Vec::new(),
    }
}

fn proposals(record: &RecordKey, puts: Vec<Put>) -> (Vec<Proposal>, Next) {
    let mut all: Vec<Proposal> = puts.into_iter().map(|put| proposal(record, put)).collect();
    match all.pop() {
        Some(last) => (all, Next::Write(Box::new(last))),
        None => (all, Next::Nothing),
    }
}
