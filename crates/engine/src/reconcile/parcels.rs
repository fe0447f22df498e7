//! Shipments of an ERP and what the shop's orders show of them: every line, every number.

use super::{Drift, Reconciled, Remedy, Run, Side, Stopped, Why};
use crate::decide::{Missing, OrderLink, Source, Target, Verdict};
use crate::gather;
use crate::preview::{self, Next};
use crate::turn::Item;
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::order::Order;
use comptoir_model::shipment::{Shipment, ShipmentState};
use comptoir_rules::agree::Difference;
use comptoir_rules::shipment::{is_shown, translate};
use comptoir_store::{WorkRow, WorkState};
use std::collections::{BTreeSet, HashMap};

/// Links looked through together.
const LINKS: usize = 500;

/// Compares the shipments of the ERP with the orders of the shop.
pub async fn compare(run: &Run<'_>, report: &mut Reconciled) -> Result<(), Stopped> {
    let mut cursor = Some(run.begin(run.source, Kind::Shipment));
    let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
    while let Some(at) = cursor {
        let (records, next, _) = run.page(run.source, Kind::Shipment, &at).await?;
        cursor = next;
        let fresh = records
            .into_iter()
            .filter(|record| seen.insert(record.id.clone()));
        let shipments = fresh.filter_map(|record| {
            let digest = Digest::of(&record.document.to_json());
            match record.document {
                Document::Shipment(shipment) => Some(SeenShipment {
                    id: record.id,
                    digest,
                    shipment,
                }),
                _ => None,
            }
        });
        compare_page(run, shipments.collect(), report).await?;
    }
    match run.scope.since {
        None => missed(run, &seen, report).await,
        Some(_) => Ok(()),
    }
}

/// A shipment as it is now.
struct SeenShipment {
    id: RemoteId,
    digest: Digest,
    shipment: Shipment,
}

impl SeenShipment {
    fn source(self, run: &Run<'_>) -> Source {
        Source {
            key: key_of(run, self.id),
            digest: self.digest,
            order: None,
            shipment: Some(self.shipment),
            missing: Missing::No,
        }
    }
}

fn key_of(run: &Run<'_>, id: RemoteId) -> RecordKey {
    RecordKey {
        connection: run.flow.source.clone(),
        kind: Kind::Shipment,
        id,
    }
}

async fn compare_page(
    run: &Run<'_>,
    shipments: Vec<SeenShipment>,
    report: &mut Reconciled,
) -> Result<(), Stopped> {
    let ids: Vec<RemoteId> = shipments
        .iter()
        .map(|shipment| shipment.id.clone())
        .collect();
    let mut works = run.works(&ids).await?;
    let known = run
        .hub
        .store
        .digests(&run.flow.source, Kind::Shipment, &ids)
        .await?;
    let mut sources = HashMap::new();
    let mut rows = Vec::new();
    for seen in shipments {
        let is_news = known.get(&seen.id).map(|known| known.0) != Some(seen.digest);
        let row = match works.remove(&seen.id) {
            None => row(run, &seen),
            Some(work) if work.state == WorkState::Skipped && is_news => work,
            Some(work) if report.is_settled(work.state) => work,
            Some(_) => continue,
        };
        rows.push(row);
        sources.insert(seen.id.clone(), seen.source(run));
    }
    let mut pass = run.pass().await?;
    let mut items = gather::items_as_seen(&mut pass, rows, sources).await?;
    let orders = items.iter().filter_map(|item| item.target_id().cloned());
    let orders = run
        .by_ids(run.target, Kind::Order, orders.collect())
        .await?;
    let mut asked = Vec::new();
    let mut found: HashMap<RemoteId, Drift> = HashMap::new();
    for mut item in items.drain(..) {
        let order = item.target_id().and_then(|id| orders.get(id));
        let held = order.map(|record| {
            let document = record.as_ref().map(|record| &record.document);
            document.and_then(Document::as_order)
        });
        let Some(held) = held else {
            // No shop's order, or one that another shop sold.
            report.skipped += 1;
            continue;
        };
        if let Some(drift) = differs(run, &item, held, report) {
            item.target = Some(Target {
                order: held.cloned(),
                version: String::new(),
                fresh: true,
            });
            item.work.approved = Some(Verdict::Repair.as_str().to_owned());
            found.insert(drift.record.clone(), drift);
            asked.push(item);
        }
    }
    for preview in preview::of_items(&mut pass, asked).await? {
        let Some(mut drift) = found.remove(&preview.record.id) else {
            continue;
        };
        match preview.next {
            Next::Unknown(fault) => return Err(Stopped::Fault(fault)),
            // None of the flow's business, when it is read.
            Next::Skip(_) if drift.difference == Difference::Missing => {
                report.skipped += 1;
                continue;
            }
            // The shop shows it already; only the note of that is missing.
            Next::Nothing if drift.difference == Difference::Missing => continue,
            next => settle_remedy(run, &mut drift, next),
        }
        report.drift.push(drift);
    }
    Ok(())
}

fn settle_remedy(run: &Run<'_>, drift: &mut Drift, next: Next) {
    let decided = match (drift.why, next) {
        (Why::EditedInTarget, _) => Remedy::HandEdit,
        (Why::DeletedInTarget, _) => Remedy::Deleted,
        (_, Next::Write(proposal)) => {
            drift.writes = vec![*proposal];
            match drift.side {
                Side::Source if drift.difference != Difference::Missing => Remedy::Follow,
                _ => Remedy::Tell,
            }
        }
        (_, Next::Stop(causes)) => {
            let cause = causes.into_iter().next().unwrap_or_default();
            if cause == Cause::Tracking.to_string() {
                Remedy::NoNumber
            } else if cause == Cause::CancelledInSource.to_string() {
                Remedy::Told
            } else {
                Remedy::Held(cause)
            }
        }
        _ => Remedy::Policy,
    };
    let remedy = run.shadow().unwrap_or(decided);
    drift.repairable = remedy.is_repairable();
    if !drift.repairable {
        drift.writes.clear();
    }
    drift.remedy = remedy;
}

fn row(run: &Run<'_>, seen: &SeenShipment) -> WorkRow {
    WorkRow {
        flow: run.flow.name.clone(),
        kind: Kind::Shipment,
        src: seen.id.clone(),
        root: String::new(),
        state: WorkState::Due,
        cause: None,
        due: None,
        want: seen.digest,
        done: None,
        tries: 0,
        rounds: 0,
        since: 0,
        approved: None,
    }
}

/// Compares one shipment with the shop's order, and counts it. The remedy is named later.
fn differs(
    run: &Run<'_>,
    item: &Item,
    held: Option<&Order>,
    report: &mut Reconciled,
) -> Option<Drift> {
    let shipment = item.source.shipment.as_ref()?;
    let id = &item.source.key.id;
    let order_id = item.target_id()?.clone();
    let settled = item
        .link
        .as_ref()
        .is_some_and(|link| link.base_digest == Some(item.source.digest));
    // The rest of an order that was called off is told too: it completes the order.
    let left = match shipment.state {
        ShipmentState::Shipped | ShipmentState::Delivered => true,
        ShipmentState::Cancelled => shipment.completes && (settled || item.link.is_none()),
        ShipmentState::Open => false,
    };
    let drift = |difference, side, why| {
        let drift = Drift::new(id, Some(&order_id), difference, (side, why), Remedy::Policy);
        Some(drift.numbered(&shipment.number))
    };
    let told = item.link.as_ref();
    if !left {
        if told.is_some() && shipment.state == ShipmentState::Cancelled {
            report.compared += 1;
            return drift(Difference::SourceGone, Side::Source, Why::DeletedInSource);
        }
        report.skipped += 1;
        return None;
    }
    report.compared += 1;
    let Some(order) = held else {
        return drift(Difference::Gone, Side::Target, Why::DeletedInTarget);
    };
    let Some(link) = told else {
        return drift(Difference::Missing, Side::Source, Why::NotRead);
    };
    compare_shown(run, item, link, (shipment, order))
        .and_then(|(difference, side, why)| drift(difference, side, why))
}

/// What the shop's order shows of a shipment that it was told.
fn compare_shown(
    run: &Run<'_>,
    item: &Item,
    link: &OrderLink,
    (shipment, order): (&Shipment, &Order),
) -> Option<(Difference, Side, Why)> {
    let own = WriteKey::of(&item.source.key, "");
    let sold = RecordKey {
        connection: run.flow.target.clone(),
        kind: Kind::Order,
        id: link.id.clone(),
    };
    let wanted = translate(
        shipment,
        order,
        &own,
        &WriteKey::of(&sold, ""),
        &run.flow.shipment,
    );
    // Whether its buyer was told is not for a comparison: nobody is told twice.
    let wanted = Shipment {
        notify: false,
        ..wanted
    };
    if is_shown(&wanted, order) {
        return None;
    }
    let numbers = |shipment: &Shipment| -> Vec<String> {
        let parcels = shipment.parcels.iter();
        parcels.map(|parcel| parcel.tracking.clone()).collect()
    };
    let settled = link.base_digest == Some(item.source.digest);
    let mut held = order.shipments.iter();
    match held.find(|held| held.key.as_ref() == Some(&own)) {
        None => Some((Difference::NotShown, Side::Target, Why::TakenOut)),
        Some(held) => {
            let difference = Difference::Tracking {
                should: numbers(&wanted),
                shows: numbers(held),
            };
            let lost = held.parcels.iter().all(|parcel| parcel.tracking.is_empty());
            Some(match (settled, lost && wanted.is_tracked()) {
                (false, _) => (difference, Side::Source, Why::NotRead),
                (true, true) => (difference, Side::Target, Why::TakenOut),
                (true, false) => (difference, Side::Target, Why::EditedInTarget),
            })
        }
    }
}

/// Shipments that a shop's order was told of and that the ERP does not list any more.
async fn missed(
    run: &Run<'_>,
    seen: &BTreeSet<RemoteId>,
    report: &mut Reconciled,
) -> Result<(), Stopped> {
    let mut after: Option<RemoteId> = None;
    loop {
        let (source, target) = (&run.flow.source, &run.flow.target);
        let links = run
            .hub
            .store
            .links_after(source, Kind::Shipment, target, after.as_ref(), LINKS)
            .await?;
        let Some(last) = links.last() else {
            return Ok(());
        };
        after = Some(last.src.clone());
        let orders: HashMap<RemoteId, RemoteId> = links
            .into_iter()
            .filter(|link| !seen.contains(&link.src))
            .map(|link| (link.src, link.dst_id))
            .collect();
        let ids: Vec<RemoteId> = orders.keys().cloned().collect();
        let works = run.works(&ids).await?;
        let settled = |id: &&RemoteId| {
            let state = works.get(*id).map(|work| work.state);
            state == Some(WorkState::Done)
        };
        let asked: BTreeSet<RemoteId> = ids.iter().filter(settled).cloned().collect();
        for (id, record) in run.by_ids(run.source, Kind::Shipment, asked).await? {
            if record.is_some() {
                continue;
            }
            report.compared += 1;
            let about = (Side::Source, Why::DeletedInSource);
            let target = orders.get(&id);
            let drift = Drift::new(&id, target, Difference::SourceGone, about, Remedy::Told);
            report.drift.push(drift);
        }
    }
}
