//! Writing stock: the quantity of rows of `stock_availables`, in one call for many.
//!
//! Such a call is not atomic: the shop takes the rows one after another and stops at the first that it refuses. What it did not take is then
//! written row by row, so that a bad one fails alone, and after a look: what a sale changed meanwhile is left to the next decision.

use super::Shop;
use super::amend::{Amendment, Manner};
use super::ask::Row;
use super::shelf::{Item, Place, StockWire, by_id};
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Step, Unreadable, Write, Written};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long a batch may take in all, so that it ends before its deadline.
const BUDGET: Duration = Duration::from_secs(110);

/// The deadline of a call for many rows, and of one for a single row.
const MANY: Duration = Duration::from_secs(60);
const ONE: Duration = Duration::from_secs(30);

/// A quantity to be written, and the item as it was looked at just before.
#[derive(Debug, Clone)]
struct Setting {
    item: Item,
    row: StockWire,
    raw: Row,
    /// The quantity as text.
    wanted: String,
    quantity: Decimal,
}

/// A batch by place: what is to be written, and what has come of it.
struct Batch {
    settings: Vec<Option<Setting>>,
    results: Vec<Option<Result<(), Fault>>>,
}

impl Shop {
    /// Writes quantities; one answer for each.
    pub(super) async fn write_stock(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let began = Instant::now();
        let mut all = self.looked_at(batch).await;
        let mut open = all.open();
        while !open.is_empty() && began.elapsed() < BUDGET {
            // The shop refuses a call that names a row twice.
            let (round, rest) = all.one_of_each_row(open);
            self.set_together(&mut all, &round, began).await;
            open = rest;
        }
        let late = Fault::later(Code::TimedOut, "the shop was too slow for all of them");
        all.fail_open(&late);
        self.seen_stock(all, batch).await
    }

    /// What is asked for, beside what stands there now. Nothing is written here.
    async fn looked_at(&self, batch: &[Write]) -> Batch {
        let asked: Vec<Result<(RemoteId, Decimal), Fault>> = batch.iter().map(quantity).collect();
        let ids: Vec<RemoteId> = asked.iter().flatten().map(|(id, _)| id.clone()).collect();
        let found = match ids.is_empty() {
            true => Ok(BTreeMap::new()),
            false => self.stocked(&ids).await,
        };
        let mut settings = Vec::with_capacity(batch.len());
        let mut results = Vec::with_capacity(batch.len());
        for asked in asked {
            let setting = asked.and_then(|(id, quantity)| {
                let found = found.as_ref().map_err(Clone::clone)?;
                setting(found.get(&id), quantity)
            });
            match setting {
                // It already is what it should be.
                Ok(setting) if setting.row.quantity == setting.quantity => {
                    settings.push(Some(setting));
                    results.push(Some(Ok(())));
                }
                Ok(setting) => {
                    settings.push(Some(setting));
                    results.push(None);
                }
                Err(fault) => {
                    settings.push(None);
                    results.push(Some(Err(fault)));
                }
            }
        }
        Batch { settings, results }
    }

    /// One call for all; what it did not do, one by one.
    async fn set_together(&self, all: &mut Batch, round: &[usize], began: Instant) {
        if let [only] = round {
            return self.set_one(all, *only).await;
        }
        let fault = match self.send_quantities(all, round, MANY).await {
            Ok(()) => return all.settle(round, &Ok(())),
            Err(fault) => fault,
        };
        if !is_of_one(&fault) {
            return all.settle(round, &Err(fault));
        }
        let Some(now) = self.quantities(all, round).await else {
            return all.settle(round, &Err(unproved(&fault)));
        };
        for place in round {
            let Some(setting) = &all.settings[*place] else {
                continue;
            };
            let held = now.get(&setting.row.id).map(|(row, _)| row.quantity);
            let result = match held {
                Some(held) if held == setting.quantity => Ok(()),
                // The call may still be worked on: only the settle time tells.
                _ if !answered(&fault) => Err(unproved(&fault)),
                Some(held) if held != setting.row.quantity => Err(Fault::moved(
                    "the shop's quantity changed while it was being written",
                )),
                _ if began.elapsed() >= BUDGET => continue,
                _ => {
                    self.set_one(all, *place).await;
                    continue;
                }
            };
            all.results[*place] = Some(result);
        }
    }

    async fn set_one(&self, all: &mut Batch, place: usize) {
        let round = [place];
        let outcome = match self.send_quantities(all, &round, ONE).await {
            Err(fault) if fault.next == Next::Unknown => {
                let now = self.quantities(all, &round).await.unwrap_or_default();
                let setting = all.settings[place].as_ref();
                let there = setting.and_then(|setting| {
                    let (row, _) = now.get(&setting.row.id)?;
                    Some(row.quantity == setting.quantity)
                });
                match there {
                    Some(true) => Ok(()),
                    _ => Err(fault),
                }
            }
            other => other,
        };
        all.settle(&round, &outcome);
    }

    async fn send_quantities(
        &self,
        all: &Batch,
        round: &[usize],
        deadline: Duration,
    ) -> Result<(), Fault> {
        let rows: Vec<Amendment<'_>> = round
            .iter()
            .filter_map(|place| all.settings[*place].as_ref())
            .map(|setting| Amendment {
                id: &setting.row.id,
                row: &setting.raw,
                field: "quantity",
                value: &setting.wanted,
            })
            .collect();
        let manner = Manner {
            what: "stock.write",
            resource: "stock_availables",
            entity: "stock_available",
            priority: Priority::Stock,
            deadline,
            mails: false,
        };
        self.amend(manner, &rows).await
    }

    /// The rows as they stand now; none when that cannot be read.
    async fn quantities(
        &self,
        all: &Batch,
        places: &[usize],
    ) -> Option<BTreeMap<String, (StockWire, Row)>> {
        let settings = places
            .iter()
            .filter_map(|place| all.settings[*place].as_ref());
        let ids: BTreeSet<&str> = settings.map(|setting| setting.row.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let rows = self
            .rows_by(self.stock_rows("stock.read_back"), "id", &ids)
            .await;
        rows.ok().map(|rows| by_id(&rows))
    }

    /// The answers, with the items as they stand now. When that cannot be read, the writes are done all the same.
    async fn seen_stock(&self, all: Batch, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let done: Vec<usize> = all
            .results
            .iter()
            .enumerate()
            .filter(|(_, result)| matches!(result, Some(Ok(()))))
            .map(|(place, _)| place)
            .collect();
        let now = match done.is_empty() {
            true => BTreeMap::new(),
            false => self.quantities(&all, &done).await.unwrap_or_default(),
        };
        let Batch { settings, results } = all;
        let places = results.into_iter().zip(settings).zip(batch);
        places
            .map(|((result, setting), write)| {
                let lost = || Err(Fault::bug("this stock was not written"));
                result.unwrap_or_else(lost)?;
                let seen = setting.and_then(|setting| {
                    let (row, raw) = now.get(&setting.row.id)?.clone();
                    Some(setting.item.at(Place::Row(row, raw)).record())
                });
                let id = write.target.clone();
                let id = id.ok_or_else(|| Fault::bug("an update of stock needs the item's id"))?;
                Ok(Written { id, seen })
            })
            .collect()
    }
}

impl Batch {
    /// The places without a result.
    fn open(&self) -> Vec<usize> {
        let results = self.results.iter().enumerate();
        results
            .filter(|(_, result)| result.is_none())
            .map(|(place, _)| place)
            .collect()
    }

    /// The first place of each row, and the others.
    fn one_of_each_row(&self, places: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
        let mut rows = BTreeSet::new();
        places.into_iter().partition(|place| {
            let setting = self.settings[*place].as_ref();
            setting.is_some_and(|setting| rows.insert(setting.row.id.clone()))
        })
    }

    fn settle(&mut self, places: &[usize], result: &Result<(), Fault>) {
        for place in places {
            self.results[*place] = Some(result.clone());
        }
    }

    fn fail_open(&mut self, fault: &Fault) {
        let open = self.open();
        self.settle(&open, &Err(fault.clone()));
    }
}

/// Whether a fault may be that of one row only, or left some rows written: all others are the same for every row, and nothing was done.
fn is_of_one(fault: &Fault) -> bool {
    !matches!(fault.next, Next::Later { .. } | Next::Locked)
}

/// Whether the shop answered at all, so that it is not at work any more.
fn answered(fault: &Fault) -> bool {
    fault.next != Next::Unknown || fault.code == Code::ServerError
}

/// The fault of a call that may have been done in part.
fn unproved(fault: &Fault) -> Fault {
    Fault {
        next: Next::Unknown,
        ..fault.clone()
    }
}

/// What a write asks for.
fn quantity(write: &Write) -> Result<(RemoteId, Decimal), Fault> {
    let (Kind::Stock, Step::Update) = (write.kind, write.step) else {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    };
    let Some(id) = write.target.clone() else {
        return Err(Fault::bug("an update of stock needs the item's id"));
    };
    let levels = write.document.as_stock().map(|stock| &stock.levels[..]);
    let Some([level]) = levels else {
        return Err(Fault::bug("an update of stock needs one level"));
    };
    let (None, Some(quantity)) = (&level.location, level.available) else {
        let why = "a shop has one pool: its level names no place and has a quantity";
        return Err(Fault::bug(why));
    };
    let fits = |quantity: &Decimal| i32::try_from(*quantity).is_ok();
    if !quantity.fract().is_zero() || !fits(&quantity.trunc()) {
        let why = "PrestaShop counts whole pieces, up to 2147483647";
        return Err(Fault::refused(Code::BadValue, why).at("quantity"));
    }
    Ok((id, quantity.trunc()))
}

/// The item that a quantity is for, when it may be written.
fn setting(found: Option<&Result<Item, Unreadable>>, quantity: Decimal) -> Result<Setting, Fault> {
    let item = match found {
        None => {
            let why = "the shop does not have this product any more";
            return Err(Fault::gone(Code::RecordGone, why));
        }
        Some(Err(unreadable)) => return Err(unreadable.fault.clone()),
        Some(Ok(item)) => item,
    };
    if !item.managed {
        let why = "the shop does not count the stock of this: it is a pack, virtual or a product with combinations, or stock management is off";
        return Err(Fault::refused(Code::WrongState, why));
    }
    match &item.place {
        Place::Row(row, _) if row.depends_on_stock => {
            let why = "the quantity comes from the shop's own warehouses: take the product out of its advanced stock management";
            Err(Fault::refused(Code::WrongState, why).at("depends_on_stock"))
        }
        Place::Row(row, raw) => Ok(Setting {
            item: item.clone(),
            row: row.clone(),
            raw: raw.clone(),
            wanted: quantity.normalize().to_string(),
            quantity,
        }),
        Place::Missing => {
            let why = "the shop has no row of stock for this: save the product in its back office";
            Err(Fault::refused(Code::WrongState, why))
        }
        Place::Several => {
            let why = "several shops of this multistore have a stock of this: say with `shop_id` which one is meant";
            Err(Fault::refused(Code::MissingSetting, why).at("shop_id"))
        }
    }
}
