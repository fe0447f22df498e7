//! The cap on zeros: a warehouse that looks empty by mistake must not empty a shop.

use super::decide::{Put, StockDecision};
use super::gather::Known;
use crate::connection::Connection;
use crate::flow::Flow;
use crate::hub::Hub;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_store::{StoreError, WorkRow};
use std::collections::BTreeMap;

/// Zeros are counted over this span.
const HOUR_MS: i64 = 3_600_000;
/// So few are never stopped: a shop of five items may sell out of two.
const FEW: u64 = 10;
/// Rows looked at together.
const PAGE: usize = 400;
/// A count is believed this long.
const BELIEVED_MS: i64 = 600_000;

/// What was counted, so that a long backlog is not counted again with each pass.
#[derive(Debug, Default)]
pub struct Forecasts {
    flows: BTreeMap<FlowName, Forecast>,
    /// When the shop's items were counted last, and how many: counting a hundred thousand takes longer than writing four hundred.
    items: Option<(i64, u64)>,
}

#[derive(Debug)]
struct Forecast {
    at: i64,
    due: u64,
    capped: bool,
}

impl Forecasts {
    /// Whether more of the shop's items would go to zero than the flow allows: what went there within the last hour, and everything
    /// that is due.
    pub async fn capped(
        &mut self,
        hub: &Hub,
        connection: &Connection,
        flow: &Flow,
        now: i64,
    ) -> Result<bool, StoreError> {
        let percent = u64::from(flow.stock.zeros_at_most_percent);
        if percent >= 100 {
            return Ok(false);
        }
        let store = &hub.store;
        let gone = store.zeroed_count(&connection.name, now - HOUR_MS).await?;
        let due = store.due_count(&connection.name, Kind::Stock, now).await?;
        let most_of = |items: u64| (items * percent / 100).max(FEW);
        // A count of a while ago is good enough to say that there is no danger.
        let fits = |(at, items): (i64, u64)| now - at < BELIEVED_MS && gone + due <= most_of(items);
        if self.items.is_some_and(fits) {
            self.flows.remove(&flow.name);
            return Ok(false);
        }
        let items = store.level_count(&connection.name).await?;
        self.items = Some((now, items));
        let most = most_of(items);
        if gone + due <= most {
            self.flows.remove(&flow.name);
            return Ok(false);
        }
        if let Some(known) = self.flows.get(&flow.name)
            && now - known.at < BELIEVED_MS
            && due <= known.due
        {
            return Ok(known.capped);
        }
        let capped = gone + would_go(hub, connection, flow, now, most).await? > most;
        let forecast = Forecast {
            at: now,
            due,
            capped,
        };
        self.flows.insert(flow.name.clone(), forecast);
        Ok(capped)
    }
}

/// How many of the shop's items would go to zero by what is due; counted until it is more than `enough`.
async fn would_go(
    hub: &Hub,
    connection: &Connection,
    flow: &Flow,
    now: i64,
    enough: u64,
) -> Result<u64, StoreError> {
    let mut after: Option<RemoteId> = None;
    let mut zeros = 0;
    loop {
        let (name, after_id) = (&connection.name, after.as_ref());
        let rows = hub.store.due_after(name, Kind::Stock, now, after_id, PAGE);
        let rows = rows.await?;
        let Some(last) = rows.last() else {
            return Ok(zeros);
        };
        after = Some(last.src.clone());
        let works: Vec<WorkRow> = rows
            .into_iter()
            .filter(|row| row.flow == flow.name)
            .collect();
        let items: Vec<RemoteId> = works.iter().map(|work| work.src.clone()).collect();
        let known = Known::load(hub, flow, &items).await?;
        for work in &works {
            if let StockDecision::Put(puts) = known.decide(flow, work, false) {
                zeros += puts.iter().filter(|put| Put::empties(put)).count() as u64;
            }
        }
        if zeros > enough {
            return Ok(zeros);
        }
    }
}
