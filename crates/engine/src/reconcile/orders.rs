//! Orders of a shop and their orders in the ERP: ids, totals, states, lines; missing on either side, doubled, deleted, edited by hand.

use super::{Drift, Reconciled, Remedy, Run, Side, Stopped, Why};
use crate::decide::{
    Decision, Missing, Source, Target, content_digest, wanted_lines, with_rounding_marked,
};
use crate::gather;
use crate::preview::{self, Next, Preview};
use crate::turn::{Item, Pass, with_case};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{Kind, RecordKey, RemoteId};
use comptoir_model::order::{Life, Line, Order};
use comptoir_model::port::{Query, Record};
use comptoir_rules::agree::{self, Difference};
use comptoir_rules::mapping::Mapped;
use comptoir_rules::total::rounding_amount;
use comptoir_store::{LinkState, WorkRow, WorkState};
use std::collections::{BTreeSet, HashMap};

/// Rounds of questions about products before lines are left uncompared.
const ROUNDS: usize = 3;

/// Compares the orders of both sides.
pub async fn compare(run: &Run<'_>, report: &mut Reconciled) -> Result<(), Stopped> {
    let mut numbers: BTreeSet<String> = BTreeSet::new();
    let mut seen: BTreeSet<RemoteId> = BTreeSet::new();
    let mut linked: BTreeSet<RemoteId> = BTreeSet::new();
    let mut cursor = Some(run.begin(run.source, Kind::Order));
    while let Some(at) = cursor {
        let (records, next, _) = run.page(run.source, Kind::Order, &at).await?;
        cursor = next;
        // A page may repeat what an earlier one held.
        let fresh = records
            .into_iter()
            .filter(|record| seen.insert(record.id.clone()))
            .filter_map(SeenOrder::of)
            .collect::<Vec<_>>();
        numbers.extend(fresh.iter().filter_map(SeenOrder::number));
        linked.extend(compare_page(run, fresh, report).await?);
    }
    from_the_target(run, &numbers, seen, &linked, report).await
}

/// An order of the source as it is now.
struct SeenOrder {
    id: RemoteId,
    digest: Digest,
    /// None when it is gone.
    order: Option<Order>,
}

impl SeenOrder {
    fn of(record: Record) -> Option<Self> {
        let digest = Digest::of(&record.document.to_json());
        match record.document {
            Document::Order(order) => Some(SeenOrder {
                id: record.id,
                digest,
                order: Some(*order),
            }),
            _ => None,
        }
    }

    fn gone(id: RemoteId) -> Self {
        SeenOrder {
            id,
            digest: Digest::of(b"gone"),
            order: None,
        }
    }

    fn number(&self) -> Option<String> {
        self.order.as_ref().map(|order| order.number.clone())
    }

    fn source(&self, run: &Run<'_>) -> Source {
        Source {
            key: RecordKey {
                connection: run.flow.source.clone(),
                kind: Kind::Order,
                id: self.id.clone(),
            },
            digest: self.digest,
            order: self.order.clone().map(Mapped::from),
            shipment: None,
            missing: match self.order {
                Some(_) => Missing::No,
                None => Missing::Gone,
            },
        }
    }

    fn row(&self, run: &Run<'_>) -> WorkRow {
        WorkRow {
            flow: run.flow.name.clone(),
            kind: Kind::Order,
            src: self.id.clone(),
            root: String::new(),
            state: WorkState::Due,
            cause: None,
            due: None,
            want: self.digest,
            done: None,
            tries: 0,
            rounds: 0,
            since: 0,
            approved: None,
        }
    }
}

/// A difference that is looked into.
struct Suspect {
    index: usize,
    difference: Difference,
    side: Side,
    why: Why,
}

/// Compares some orders of the source. Answers the target's records that carry our key without a link.
async fn compare_page(
    run: &Run<'_>,
    orders: Vec<SeenOrder>,
    report: &mut Reconciled,
) -> Result<BTreeSet<RemoteId>, Stopped> {
    let ids: Vec<RemoteId> = orders.iter().map(|order| order.id.clone()).collect();
    let parts: Vec<(RemoteId, String)> = ids.iter().map(|id| (id.clone(), String::new())).collect();
    let (store, flow) = (&run.hub.store, run.flow);
    let links = store
        .links(&flow.source, Kind::Order, &parts, &flow.target)
        .await?;
    let mut works = run.works(&ids).await?;
    let known = store.digests(&flow.source, Kind::Order, &ids).await?;
    let mut to_compare = Vec::new();
    for order in orders {
        let linked = links
            .get(&(order.id.clone(), String::new()))
            .is_some_and(|link| link.state != LinkState::Gone);
        let passed_over = order
            .order
            .as_ref()
            .and_then(|order| flow.passes_over(order));
        if !linked && (passed_over.is_some() || order.order.is_none()) {
            report.skipped += 1;
            continue;
        }
        let work = works.remove(&order.id);
        let is_news = known.get(&order.id).map(|known| known.0) != Some(order.digest);
        let state = work.as_ref().map(|work| work.state);
        let settled = match state {
            // What was skipped or never seen, and is the flow's business now.
            None => true,
            Some(WorkState::Skipped) if is_news => true,
            Some(state) => report.is_settled(state),
        };
        if settled {
            let row = work.unwrap_or_else(|| order.row(run));
            to_compare.push((order, row));
        }
    }
    look_closer(run, to_compare, report).await
}

/// Reads the orders of the target that these are linked to, and compares the pairs.
async fn look_closer(
    run: &Run<'_>,
    orders: Vec<(SeenOrder, WorkRow)>,
    report: &mut Reconciled,
) -> Result<BTreeSet<RemoteId>, Stopped> {
    if orders.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut pass = run.pass().await?;
    let sources: HashMap<RemoteId, Source> = orders
        .iter()
        .map(|(order, _)| (order.id.clone(), order.source(run)))
        .collect();
    let rows: Vec<WorkRow> = orders.into_iter().map(|(_, row)| row).collect();
    let mut items = gather::items_as_seen(&mut pass, rows, sources).await?;
    let linked = items.iter().filter_map(|item| item.link.as_ref());
    let ids = linked.map(|link| link.id.clone()).collect();
    let held = run.by_ids(run.target, Kind::Order, ids).await?;
    for item in &mut items {
        let Some(link) = &mut item.link else { continue };
        item.target = None;
        match held.get(&link.id) {
            Some(Some(record)) => {
                item.target = record.document.as_order().map(|order| Target {
                    order: Some(order.clone()),
                    version: record.version.clone(),
                    fresh: true,
                });
            }
            Some(None) => link.gone = true,
            None => {}
        }
    }
    let wanted = lines_of(&mut pass, &items).await?;
    let mut suspects = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if let Some(suspect) = differs(run, &pass, index, item, wanted.get(&index), report) {
            suspects.push(suspect);
        }
    }
    name_remedies(run, &mut pass, items, suspects, report).await
}

/// The lines that each order becomes in the target, by its place. What is held for a missing row or product has none.
async fn lines_of(
    pass: &mut Pass<'_>,
    items: &[Item],
) -> Result<HashMap<usize, Vec<Line>>, Stopped> {
    let mut wanted = HashMap::new();
    let mut open: Vec<usize> = (0..items.len())
        .filter(|&index| items[index].target.is_some() && items[index].source.order.is_some())
        .collect();
    for _ in 0..ROUNDS {
        let mut asks: BTreeSet<(Kind, Query)> = BTreeSet::new();
        let mut rest = Vec::new();
        for index in open {
            let item = &items[index];
            let Some(order) = &item.source.order else {
                continue;
            };
            match with_case(pass, item, |case| wanted_lines(case, order)) {
                Ok(lines) => drop(wanted.insert(index, lines)),
                Err(Decision::Ask(questions)) => {
                    asks.extend(questions);
                    rest.push(index);
                }
                Err(_) => {}
            }
        }
        if asks.is_empty() {
            break;
        }
        let asked = gather::ask(pass, asks).await;
        gather::note_answers(pass, asked);
        if let Some(fault) = pass.stop.take() {
            return Err(Stopped::Fault(fault));
        }
        open = rest;
    }
    Ok(wanted)
}

/// Compares one pair, and counts it.
fn differs(
    run: &Run<'_>,
    pass: &Pass<'_>,
    index: usize,
    item: &Item,
    wanted: Option<&Vec<Line>>,
    report: &mut Reconciled,
) -> Option<Suspect> {
    let suspect = |difference, side, why| {
        Some(Suspect {
            index,
            difference,
            side,
            why,
        })
    };
    let Some(link) = &item.link else {
        return suspect(Difference::Missing, Side::Source, Why::NotRead);
    };
    if link.gone {
        report.compared += 1;
        // What is over on both sides needs no order any more.
        let order = item.source.order.as_ref()?;
        return (!is_over(order)).then_some(Suspect {
            index,
            difference: Difference::Gone,
            side: Side::Target,
            why: Why::DeletedInTarget,
        });
    }
    let held = item.target.as_ref()?.order.as_ref()?;
    report.compared += 1;
    let Some(order) = &item.source.order else {
        return match is_over(held) {
            true => None,
            false => suspect(Difference::SourceGone, Side::Source, Why::DeletedInSource),
        };
    };
    let marked = with_case(pass, item, |case| {
        with_rounding_marked(case, held).into_owned()
    });
    if !is_over(held) && !is_over(order) {
        let sums = report.sums.entry(order.currency.to_string()).or_default();
        sums.orders += 1;
        sums.source += order.totals.total;
        sums.target += held.totals.total;
        sums.rounding += rounding_amount(&marked);
    }
    let policy = &run.flow.policy;
    let lines = || {
        let over = is_over(order) || is_over(held);
        let wanted = wanted.filter(|_| !over)?;
        agree::lines(wanted, &marked, policy.tolerance)
    };
    let difference = agree::orders(order, held, policy.confirm).or_else(lines)?;
    let settled = link.base_digest == Some(item.source.digest);
    let edited = link.put.is_some_and(|put| put != content_digest(held));
    let (side, why) = match &difference {
        Difference::State { .. } if is_over(held) => (Side::Target, Why::CalledOffInTarget),
        Difference::State { .. } if is_over(order) && settled => {
            (Side::Source, Why::CalledOffInSource)
        }
        Difference::State { .. } if is_over(order) => (Side::Source, Why::NotRead),
        Difference::State { .. } => (Side::Target, Why::SetBack),
        _ if edited => (Side::Target, Why::EditedInTarget),
        _ if !settled => (Side::Source, Why::NotRead),
        _ => (Side::Target, Why::Computed),
    };
    suspect(difference, side, why)
}

fn is_over(order: &Order) -> bool {
    matches!(order.status.life, Life::Cancelled | Life::Trashed)
}

/// Asks the decisions of a pass what they would do about each difference.
async fn name_remedies(
    run: &Run<'_>,
    pass: &mut Pass<'_>,
    items: Vec<Item>,
    suspects: Vec<Suspect>,
    report: &mut Reconciled,
) -> Result<BTreeSet<RemoteId>, Stopped> {
    let mut by_index: HashMap<usize, Suspect> = suspects
        .into_iter()
        .map(|suspect| (suspect.index, suspect))
        .collect();
    let mut asked = Vec::new();
    let mut waiting: HashMap<RemoteId, (Suspect, Option<RemoteId>, String)> = HashMap::new();
    for (index, item) in items.into_iter().enumerate() {
        let Some(suspect) = by_index.remove(&index) else {
            continue;
        };
        let id = item.source.key.id.clone();
        let target = item.link.as_ref().map(|link| link.id.clone());
        let held = item
            .target
            .as_ref()
            .and_then(|target| target.order.as_ref());
        let number = match (&item.source.order, held) {
            (Some(order), _) => order.number.clone(),
            (None, Some(held)) => held.reference.clone(),
            (None, None) => String::new(),
        };
        waiting.insert(id, (suspect, target, number));
        asked.push(item);
    }
    let mut linked = BTreeSet::new();
    for preview in preview::of_items(pass, asked).await? {
        let Some((suspect, target, number)) = waiting.remove(&preview.record.id) else {
            continue;
        };
        if let Next::Unknown(fault) = preview.next {
            return Err(Stopped::Fault(fault));
        }
        linked.extend(preview.linked.clone());
        if let (Difference::Missing, Next::Skip(_)) = (&suspect.difference, &preview.next) {
            report.skipped += 1;
            continue;
        }
        let why = match (&suspect.difference, &preview.linked) {
            (Difference::Missing, Some(_)) => Why::LostLink,
            _ => suspect.why,
        };
        let remedy = run
            .shadow()
            .unwrap_or_else(|| remedy_of(&suspect, &preview));
        let target = target.or(preview.linked.clone());
        let mut drift = Drift::new(
            &preview.record.id,
            target.as_ref(),
            suspect.difference,
            (suspect.side, why),
            remedy,
        );
        drift = drift.numbered(&number);
        if drift.repairable {
            drift.writes = preview.writes().cloned().collect();
        }
        report.drift.push(drift);
    }
    Ok(linked)
}

fn remedy_of(suspect: &Suspect, preview: &Preview) -> Remedy {
    match (suspect.why, &preview.next) {
        (Why::EditedInTarget | Why::SetBack, _) => Remedy::HandEdit,
        (Why::DeletedInTarget, _) => Remedy::Deleted,
        (Why::CalledOffInTarget, _) => Remedy::HandEdit,
        (_, Next::Write(_)) if suspect.difference == Difference::Missing => Remedy::Book,
        (_, Next::Write(_)) => Remedy::Follow,
        (_, Next::Stop(causes)) => Remedy::Held(causes.first().cloned().unwrap_or_default()),
        (_, Next::Nothing) if preview.linked.is_some() => Remedy::Link,
        _ => Remedy::Policy,
    }
}

/// What only the target shows: orders that nothing is linked to and that carry a number of the source, and orders whose own is gone.
async fn from_the_target(
    run: &Run<'_>,
    numbers: &BTreeSet<String>,
    seen: BTreeSet<RemoteId>,
    found: &BTreeSet<RemoteId>,
    report: &mut Reconciled,
) -> Result<(), Stopped> {
    let reads = run.target.connector.capabilities().reads(Kind::Order);
    if !reads.is_some_and(|reads| reads.changes) {
        return Ok(());
    }
    let mut cursor = Some(run.begin(run.target, Kind::Order));
    let mut read: BTreeSet<RemoteId> = BTreeSet::new();
    let mut unseen: BTreeSet<RemoteId> = BTreeSet::new();
    while let Some(at) = cursor {
        let (records, next, _) = run.page(run.target, Kind::Order, &at).await?;
        cursor = next;
        let fresh: Vec<(RemoteId, Order)> = records
            .into_iter()
            .filter(|record| read.insert(record.id.clone()))
            .filter_map(|record| match record.document {
                Document::Order(order) => Some((record.id, *order)),
                _ => None,
            })
            .collect();
        let ids: Vec<RemoteId> = fresh.iter().map(|(id, _)| id.clone()).collect();
        let store = &run.hub.store;
        let links = store
            .links_back(&run.target.name, Kind::Order, &ids)
            .await?;
        let linked: BTreeSet<RemoteId> = links.into_iter().map(|link| link.dst_id).collect();
        let ours = store
            .links_between(&run.source.name, &run.target.name, Kind::Order, &ids)
            .await?;
        let ours = ours.into_iter().map(|link| link.src);
        unseen.extend(ours.filter(|src| !seen.contains(src)));
        for (id, order) in fresh {
            let single = linked.contains(&id) || found.contains(&id) || is_over(&order);
            if single || order.reference.is_empty() {
                continue;
            }
            let doubles = numbers.contains(&order.reference)
                || (run.scope.since.is_some() && has_ours(run, &order.reference).await?);
            if doubles {
                let about = (Side::Target, Why::TypedIn);
                let drift = Drift::new(&id, Some(&id), Difference::Double, about, Remedy::Surplus);
                report.drift.push(drift.numbered(&order.reference));
            }
        }
    }
    // Known by their link and not listed by the source: deleted or binned there, or unchanged since then.
    let missed = run.by_ids(run.source, Kind::Order, unseen).await?;
    let missed: Vec<SeenOrder> = missed
        .into_iter()
        .filter_map(|(id, record)| match record {
            Some(record) => SeenOrder::of(record),
            None => Some(SeenOrder::gone(id)),
        })
        .collect();
    compare_page(run, missed, report).await.map(drop)
}

/// Whether an order of the target with this number is linked to one of the source.
async fn has_ours(run: &Run<'_>, number: &str) -> Result<bool, Stopped> {
    let query = Query::Reference(number.to_owned());
    let capabilities = run.target.connector.capabilities();
    if !capabilities.finds(Kind::Order, query.attribute()) {
        return Ok(false);
    }
    let queries = [query];
    let ask = || run.target.connector.find(Kind::Order, &queries);
    let found = crate::retry::read(&run.hub.patience, ask).await;
    let found = found.map_err(Stopped::Fault)?.into_iter().flatten();
    let ids: Vec<RemoteId> = found.map(|candidate| candidate.id).collect();
    let links = run
        .hub
        .store
        .links_between(&run.source.name, &run.target.name, Kind::Order, &ids)
        .await?;
    Ok(!links.is_empty())
}
