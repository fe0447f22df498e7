//! A pass over the items that are due for one shop: its orders are read, then what each item should show is decided and written in
//! batches.

use super::decide::{Put, StockDecision, shown};
use super::gather::Known;
use super::listing;
use super::reckoning;
use super::zeros::Forecasts;
use crate::batch::{self, Answered};
use crate::connection::Connection;
use crate::flow::{Flow, Mode};
use crate::hub::Hub;
use crate::observe::{self, Stopped};
use crate::plan::Plans;
use crate::retry;
use crate::turn::{self, Report};
use comptoir_model::cause::Cause;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{FlowName, Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::{Step, Write, Written};
use comptoir_store::{
    Commit, JournalPut, LevelPut, LevelRow, Ownership, StoreError, WorkPut, WorkRow, WorkState,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Items worked on together: four calls of a hundred.
pub(super) const PASS: usize = 400;
/// So long an item waits for company while the stock that it came with is still being read.
const COMPANY_MS: i64 = 5_000;
/// A shadow decision is made anew after this long, so that waiting ends.
const SHADOW_MS: i64 = 24 * 3_600_000;

/// How an item leaves a pass.
enum End {
    Done,
    Skipped(&'static str),
    Held(Cause),
    Waiting(Cause, i64),
    Due,
}

/// Works on the items due for a shop once.
///
/// # Errors
/// The store's.
pub async fn pass(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    forecasts: &mut Forecasts,
) -> Result<(Report, Option<Fault>), StoreError> {
    let now = hub.store.now().await?;
    let works = hub
        .store
        .due(&connection.name, &[Kind::Stock], now, PASS)
        .await?;
    if works.len() < PASS && gets_company(hub, &works, now) {
        return Ok((Report::default(), None));
    }
    let works = turn::set_aside(hub, ownership, works, now).await?;
    let mut report = Report {
        records: works.len(),
        ..Report::default()
    };
    if works.is_empty() {
        return Ok((report, None));
    }
    let mut by_flow: BTreeMap<FlowName, Vec<WorkRow>> = BTreeMap::new();
    for work in works {
        by_flow.entry(work.flow.clone()).or_default().push(work);
    }
    // What the shop shows is read before its orders are: a sale between the two is one that the orders tell of.
    for (name, works) in &by_flow {
        if let Some(flow) = hub.flow(name)
            && let Some(fault) = look_at_sold(hub, connection, ownership, &flow, works).await?
        {
            report.paused = true;
            return Ok((report, Some(fault)));
        }
    }
    // The window in which a sale is not known is the time from here to the write.
    match observe::poll_now(hub, connection, ownership, Kind::Order).await {
        Ok(()) => {}
        Err(Stopped::Store(error)) => return Err(error),
        Err(Stopped::Fault(fault)) => {
            report.paused = true;
            return Ok((report, Some(fault)));
        }
    }
    for (name, works) in by_flow {
        let Some(flow) = hub.flow(&name) else {
            continue;
        };
        // What was just read has stirred some of them again.
        let items: Vec<RemoteId> = works.into_iter().map(|work| work.src).collect();
        let works = hub
            .store
            .work(&name, Kind::Stock, &items)
            .await?
            .into_values();
        let by_now = hub.store.now().await?;
        let works = works.filter(|work| work.due.is_some_and(|due| due <= by_now));
        let mut works: Vec<WorkRow> = works.collect();
        works.sort_by(|a, b| a.src.cmp(&b.src));
        let capped = forecasts.capped(hub, connection, &flow, now).await?;
        let mut batch = Batch {
            hub,
            connection,
            flow,
            now,
            plans: Plans::default(),
            inputs: BTreeMap::new(),
            ends: Vec::new(),
            commit: Commit::default(),
        };
        let stop = batch.work(works, capped, &mut report).await?;
        hub.store.commit(Some(ownership), batch.commit).await?;
        if stop.is_some() {
            report.paused = true;
            return Ok((report, stop));
        }
    }
    Ok((report, None))
}

/// Whether more is about to be due: the stock of all their sources is being read, page after page, and none of them is old. A
/// reading of a hundred thousand items of which a few differ must not become a call for each page.
fn gets_company(hub: &Hub, works: &[WorkRow], now: i64) -> bool {
    let is_read = |work: &WorkRow| {
        let flow = hub.flow(&work.flow);
        let source = flow.and_then(|flow| hub.connections.get(&flow.source));
        source.is_some_and(|source| source.is_reading_stock())
    };
    let is_new = |work: &WorkRow| work.due.is_some_and(|due| due + COMPANY_MS > now);
    works.iter().all(|work| is_new(work) && is_read(work))
}

/// Reads the shop's items again of which orders were seen since they were. Answers the fault that pauses the connection, if one came.
async fn look_at_sold(
    hub: &Hub,
    connection: &Connection,
    ownership: &Ownership,
    flow: &Flow,
    works: &[WorkRow],
) -> Result<Option<Fault>, StoreError> {
    let items: Vec<RemoteId> = works.iter().map(|work| work.src.clone()).collect();
    let erp = hub.store.levels(&flow.source, &items).await?;
    let skus: Vec<String> = erp.into_values().map(|level| level.stock.sku).collect();
    let shop = hub.store.levels_of_skus(&connection.name, &skus).await?;
    let stale = shop.into_values().flatten().filter(LevelRow::is_stale);
    let ids: Vec<RemoteId> = stale.map(|level| level.item).collect();
    let connector = &connection.connector;
    let reads = connector.capabilities().reads(Kind::Stock);
    for chunk in ids.chunks(reads.map_or(100, |reads| reads.ids.max(1))) {
        let began = hub.store.now().await?;
        let read = retry::read(&hub.patience, || connector.read(Kind::Stock, chunk)).await;
        match read {
            Ok(seen) => {
                let commit = listing::take(hub, connection, seen, began).await?;
                hub.store.commit(Some(ownership), commit).await?;
            }
            Err(fault) => return Ok(Some(fault)),
        }
    }
    Ok(None)
}

/// The items of one flow in a pass.
struct Batch<'a> {
    hub: &'a Hub,
    connection: &'a Connection,
    flow: Arc<Flow>,
    now: i64,
    /// The plans that rows were approved under.
    plans: Plans,
    /// The digests of the ERP's items.
    inputs: BTreeMap<RemoteId, Digest>,
    ends: Vec<(WorkRow, End)>,
    commit: Commit,
}

impl Batch<'_> {
    /// Decides and writes; everything learnt is in the commit. Answers the fault that pauses the connection, if one came.
    async fn work(
        &mut self,
        works: Vec<WorkRow>,
        capped: bool,
        report: &mut Report,
    ) -> Result<Option<Fault>, StoreError> {
        let items: Vec<RemoteId> = works.iter().map(|work| work.src.clone()).collect();
        let known = Known::load(self.hub, &self.flow, &items).await?;
        let approvals = works.iter().map(|work| work.approved.as_deref());
        self.plans.load(self.hub, approvals).await?;
        let digest = |item: &RemoteId| known.erp(item).map(|level| (item.clone(), level.digest));
        self.inputs = items.iter().filter_map(digest).collect();
        let mut puts: Vec<(WorkRow, Vec<Put>)> = Vec::new();
        for work in works {
            let decision = known.decide(&self.flow, &work, capped);
            self.sort(work, decision, &mut puts);
        }
        let stop = match puts.is_empty() {
            true => None,
            false => self.write(puts, report).await?,
        };
        let ends = std::mem::take(&mut self.ends);
        for (work, end) in ends {
            let digest = known.erp(&work.src).map(|level| level.digest);
            self.commit.work.push(work_put(&work, end, digest));
        }
        Ok(stop)
    }

    fn sort(
        &mut self,
        work: WorkRow,
        decision: StockDecision,
        puts: &mut Vec<(WorkRow, Vec<Put>)>,
    ) {
        let end = match decision {
            StockDecision::Nothing => End::Done,
            StockDecision::Skip(reason) => End::Skipped(reason),
            StockDecision::Hold(cause) => {
                let causes = [cause.to_string()];
                let what = serde_json::json!({"event": "held", "causes": causes});
                let line = self.journal(&work, what);
                self.commit.journal.push(line);
                End::Held(cause)
            }
            // It sold since it was looked at: looked at again by the next pass.
            StockDecision::Look => End::Due,
            StockDecision::Put(wanted) if !self.may_put(&work, &wanted) => {
                End::Waiting(Cause::Shadow, self.now + SHADOW_MS)
            }
            StockDecision::Put(wanted) => {
                puts.push((work, wanted));
                return;
            }
        };
        self.ends.push((work, end));
    }

    /// Whether the flow writes by itself, or a plan says just this.
    fn may_put(&self, work: &WorkRow, wanted: &[Put]) -> bool {
        let record = RecordKey {
            connection: self.flow.source.clone(),
            kind: Kind::Stock,
            id: work.src.clone(),
        };
        let planned = |put: &Put| {
            let proposal = reckoning::proposal(&record, put.clone());
            self.plans.allow(work, self.input(work), &proposal)
        };
        self.flow.mode == Mode::Live || wanted.iter().all(planned)
    }

    fn input(&self, work: &WorkRow) -> Digest {
        self.inputs.get(&work.src).copied().unwrap_or(work.want)
    }

    fn level(&self, item: RemoteId, stock: comptoir_model::stock::Stock, as_of: i64) -> LevelPut {
        LevelPut {
            connection: self.connection.name.clone(),
            item,
            stock,
            as_of,
            zeroed_at: None,
        }
    }

    fn journal(&self, work: &WorkRow, what: serde_json::Value) -> JournalPut {
        JournalPut {
            connection: self.connection.name.clone(),
            at: self.now,
            flow: Some(self.flow.name.clone()),
            kind: Kind::Stock,
            src: work.src.clone(),
            intent: None,
            what,
        }
    }

    /// Writes in batches, and notes each answer.
    async fn write(
        &mut self,
        puts: Vec<(WorkRow, Vec<Put>)>,
        report: &mut Report,
    ) -> Result<Option<Fault>, StoreError> {
        let mut writes = Vec::new();
        for (work, wanted) in &puts {
            writes.extend(
                wanted
                    .iter()
                    .map(|put| (work.tries, self.write_of(work, put))),
            );
        }
        report.writes += writes.len();
        let answers = batch::call(self.connection, writes).await;
        let ended = self.hub.store.now().await?;
        let failed = |answered: &Answered| matches!(&answered.result, Err(fault) if matches!(fault.next, Next::Later { .. } | Next::Unknown));
        // One that fails alone says nothing about the shop, which has just answered.
        let all = answers.len() > 1 && answers.iter().all(failed);
        let mut answers = answers.into_iter();
        let mut stop = None;
        for (work, wanted) in puts {
            let mut end = End::Done;
            for (put, answered) in wanted.into_iter().zip(answers.by_ref()) {
                match answered.result {
                    Ok(written) => self.done(&work, put, written, ended),
                    Err(fault) => {
                        let alone = answered.alone;
                        end = self.not_done(
                            &work,
                            &put,
                            fault,
                            Failed { all, alone, ended },
                            &mut stop,
                        );
                    }
                }
            }
            self.ends.push((work, end));
        }
        Ok(stop)
    }

    fn write_of(&self, work: &WorkRow, put: &Put) -> Write {
        let key = RecordKey {
            connection: self.flow.source.clone(),
            kind: Kind::Stock,
            id: work.src.clone(),
        };
        Write {
            key: WriteKey::of(&key, ""),
            kind: Kind::Stock,
            step: Step::Update,
            target: Some(put.item.clone()),
            document: Document::Stock(put.document()),
            before: Some(Document::Stock(put.before.clone())),
            expects: None,
        }
    }

    fn done(&mut self, work: &WorkRow, put: Put, written: Written, ended: i64) {
        let stock = match written.seen.map(|record| record.document) {
            Some(Document::Stock(stock)) => stock,
            _ => put.document(),
        };
        let what = serde_json::json!({
            "event": "put",
            "item": put.item,
            "from": shown(&put.before),
            "to": put.quantity,
        });
        let line = self.journal(work, what);
        self.commit.journal.push(line);
        let zeroed_at = put.empties().then_some(ended);
        let level = self.level(put.item, stock, ended);
        self.commit.levels.push(LevelPut { zeroed_at, ..level });
    }

    fn not_done(
        &mut self,
        work: &WorkRow,
        put: &Put,
        fault: Fault,
        how: Failed,
        stop: &mut Option<Fault>,
    ) -> End {
        let what = serde_json::json!({"event": "failed", "item": put.item, "fault": fault});
        let line = self.journal(work, what);
        self.commit.journal.push(line);
        let patience = &self.hub.patience;
        let code = fault.code;
        let tries = work.tries + 1;
        match fault.next {
            Next::Gone => {
                let gone = (self.connection.name.clone(), put.item.clone());
                self.commit.levels_gone.push(gone);
                End::Due
            }
            Next::Refused => End::Held(Cause::Refused(code)),
            Next::Locked => {
                *stop = Some(fault);
                End::Due
            }
            // It sold meanwhile: read again, and decided on that.
            Next::Moved => {
                let sold = (
                    self.connection.name.clone(),
                    put.before.sku.clone(),
                    how.ended,
                );
                self.commit.sold.push(sold);
                End::Waiting(Cause::Retry(code), how.ended + patience.first_ms)
            }
            Next::Later { .. } | Next::Unknown if how.all => {
                *stop = Some(fault);
                End::Due
            }
            Next::Later { .. } | Next::Unknown | Next::Bug
                if tries >= patience.tries && how.alone =>
            {
                End::Held(match fault.next {
                    Next::Bug => Cause::Bug(code),
                    _ => Cause::Tries(code),
                })
            }
            // What was lost on the way may still arrive, and would put an old value over a new one.
            Next::Unknown => {
                let operation = self.connection.connector.capabilities();
                let operation = operation.operation(Kind::Stock, Step::Update);
                let settle = operation.map_or(0, |operation| self.connection.settle_ms(operation));
                End::Waiting(
                    Cause::Retry(code),
                    how.ended + settle.max(patience.first_ms),
                )
            }
            Next::Later { .. } | Next::Bug => {
                let wait = patience.wait_ms(tries, &fault);
                End::Waiting(Cause::Retry(code), how.ended + wait)
            }
        }
    }
}

/// The circumstances of a failed write.
struct Failed {
    /// Every write of the pass failed.
    all: bool,
    /// It was alone in its call.
    alone: bool,
    /// When the calls had ended (unix ms).
    ended: i64,
}

fn work_put(work: &WorkRow, end: End, digest: Option<Digest>) -> WorkPut {
    let tries = match end {
        End::Waiting(Cause::Retry(_), _) => work.tries + 1,
        End::Waiting(..) | End::Due => work.tries,
        End::Done | End::Skipped(_) | End::Held(_) => 0,
    };
    let (state, cause, due) = match end {
        End::Done => (WorkState::Done, None, None),
        End::Skipped(reason) => (WorkState::Skipped, Some(reason.to_owned()), None),
        End::Held(cause) => (WorkState::Held, Some(cause.to_string()), None),
        End::Waiting(cause, until) => (WorkState::Waiting, Some(cause.to_string()), Some(until)),
        End::Due => (WorkState::Due, None, Some(0)),
    };
    let settled = matches!(state, WorkState::Done | WorkState::Skipped);
    WorkPut {
        flow: work.flow.clone(),
        kind: work.kind,
        src: work.src.clone(),
        state,
        cause,
        due,
        done: digest.filter(|_| settled),
        tries,
        rounds: 0,
        decided: work.want,
        since: Some(work.since),
    }
}
