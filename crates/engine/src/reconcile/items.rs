//! Stock: what each item of the shop shows, against what it should show by what the ERP has now.

use super::{Drift, Reconciled, Remedy, Run, Side, Stopped, Why};
use crate::stock::decide::{StockDecision, shown};
use crate::stock::reckoning::proposal;
use crate::stock::{Known, decide::Put};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_model::port::Cursor;
use comptoir_model::stock::Stock;
use comptoir_rules::agree::Difference;
use comptoir_store::{LevelPut, LevelRow, WorkRow, WorkState};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Compares the stock of both sides. Nothing that has a time tells of every change of stock: everything is read.
pub async fn compare(run: &Run<'_>, report: &mut Reconciled) -> Result<(), Stopped> {
    let mut cursor = Some(Cursor::start());
    let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
    while let Some(at) = cursor {
        let (records, next, began) = run.page(run.source, Kind::Stock, &at).await?;
        cursor = next;
        let items: BTreeMap<RemoteId, Stock> = records
            .into_iter()
            .filter(|record| seen.insert(record.id.clone()))
            .filter_map(|record| match record.document {
                Document::Stock(stock) => Some((record.id, stock)),
                _ => None,
            })
            .collect();
        compare_page(run, items, began, report).await?;
    }
    Ok(())
}

async fn compare_page(
    run: &Run<'_>,
    items: BTreeMap<RemoteId, Stock>,
    began: i64,
    report: &mut Reconciled,
) -> Result<(), Stopped> {
    let ids: Vec<RemoteId> = items.keys().cloned().collect();
    let stored = run.hub.store.levels(&run.flow.source, &ids).await?;
    let level = |(id, stock): (&RemoteId, &Stock)| LevelRow {
        item: id.clone(),
        stock: stock.clone(),
        digest: LevelPut::digest(stock),
        as_of: began,
        sold_at: None,
    };
    let fresh: Vec<LevelRow> = items.iter().map(level).collect();
    let mut known = Known::load_as_seen(run.hub, run.flow, &ids, fresh).await?;
    let mut works = run.works(&ids).await?;
    let mut of_shop = BTreeSet::new();
    for stock in items.values() {
        let copies = known.shop(&stock.sku).iter();
        of_shop.extend(copies.map(|level| level.item.clone()));
    }
    let looked = run.hub.store.now().await?;
    let shop = run.by_ids(run.target, Kind::Stock, of_shop.clone()).await?;
    let mut shop: HashMap<RemoteId, Option<Stock>> = shop
        .into_iter()
        .map(|(id, record)| {
            let stock = record.and_then(|record| match record.document {
                Document::Stock(stock) => Some(stock),
                _ => None,
            });
            (id, stock)
        })
        .collect();
    for id in of_shop {
        shop.entry(id).or_insert(None);
    }
    let before: BTreeMap<String, Vec<RemoteId>> = items
        .values()
        .map(|stock| {
            let copies = known.shop(&stock.sku).iter();
            (
                stock.sku.clone(),
                copies.map(|level| level.item.clone()).collect(),
            )
        })
        .collect();
    known.see_shop(&shop, looked);
    for (id, stock) in &items {
        let moved = stored.get(id).is_none_or(|level| level.stock != *stock);
        let work = works.remove(id);
        let state = work.as_ref().map(|work| work.state);
        let copies = before.get(&stock.sku).map_or(&[][..], Vec::as_slice);
        if state.is_none() && copies.is_empty() {
            report.skipped += 1;
            continue;
        }
        if !matches!(state, None | Some(WorkState::Skipped))
            && !report.is_settled(state.unwrap_or(WorkState::Done))
        {
            continue;
        }
        for gone in copies.iter().filter(|id| shop.get(id) == Some(&None)) {
            let about = (Side::Target, Why::DeletedInTarget);
            let drift = Drift::new(id, Some(gone), Difference::Gone, about, Remedy::Deleted);
            report.drift.push(drift.numbered(&stock.sku));
        }
        let row = work.unwrap_or_else(|| row(run, id));
        compare_item(run, &known, &row, moved, report);
    }
    Ok(())
}

/// Compares one item with its copies in the shop.
fn compare_item(run: &Run<'_>, known: &Known, row: &WorkRow, moved: bool, report: &mut Reconciled) {
    let Some(erp) = known.erp(&row.src) else {
        return;
    };
    let number = erp.stock.sku.clone();
    let copies = known.shop(&number);
    match known.decide(run.flow, row, false) {
        StockDecision::Nothing => {
            let counted = copies.iter().filter(|level| level.stock.managed).count();
            report.compared += counted;
        }
        StockDecision::Skip(_) => report.skipped += 1,
        StockDecision::Look => report.under_way += 1,
        StockDecision::Hold(cause) => {
            report.compared += 1;
            let about = (Side::Source, Why::NotRead);
            let remedy = Remedy::Held(cause.to_string());
            let drift = Drift::new(&row.src, None, Difference::NotRead, about, remedy);
            report.drift.push(drift.numbered(&number));
        }
        StockDecision::Put(puts) => {
            report.compared += copies.iter().filter(|level| level.stock.managed).count();
            for put in puts {
                let drift = quantity(run, &row.src, put, moved);
                report.drift.push(drift.numbered(&number));
            }
        }
    }
}

fn quantity(run: &Run<'_>, item: &RemoteId, put: Put, moved: bool) -> Drift {
    let difference = Difference::Quantity {
        should: put.quantity,
        shows: shown(&put.before),
    };
    let about = match moved {
        true => (Side::Source, Why::NotRead),
        false => (Side::Target, Why::SetByHand),
    };
    let remedy = run.shadow().unwrap_or(Remedy::Put);
    let mut drift = Drift::new(item, Some(&put.item), difference, about, remedy);
    if drift.repairable {
        let record = RecordKey {
            connection: run.flow.source.clone(),
            kind: Kind::Stock,
            id: item.clone(),
        };
        drift.writes = vec![proposal(&record, put)];
    }
    drift
}

fn row(run: &Run<'_>, id: &RemoteId) -> WorkRow {
    WorkRow {
        flow: run.flow.name.clone(),
        kind: Kind::Stock,
        src: id.clone(),
        root: String::new(),
        state: WorkState::Due,
        cause: None,
        due: None,
        want: Digest::of(b""),
        done: None,
        tries: 0,
        rounds: 0,
        since: 0,
        approved: None,
    }
}
