//! A shop in memory, behind the port: orders, stock that its sales lower, and the shipments written into its orders.

use crate::fakes::{Fate, READS, account, operation, record};
use crate::feed::Feed;
use async_trait::async_trait;
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Seen, Step,
    Unreadable, Write, Written,
};
use comptoir_model::rounding::Rounding;
use comptoir_model::shipment::Shipment;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

const STOCK: Operation = Operation {
    overwrites: true,
    ..operation(Kind::Stock, Step::Update, Guard::None, Proof::State)
};
const SHIPMENT: Operation = operation(Kind::Shipment, Step::Create, Guard::Find, Proof::State);

const fn capabilities(writes: &'static [Operation]) -> Capabilities {
    Capabilities {
        reads: READS,
        finds: &[],
        writes,
        hooks: false,
        hooks_resent: false,
        slots: 1,
        rounding: Rounding::PER_LINE,
    }
}

static OVERWRITES: Capabilities = capabilities(&[STOCK, SHIPMENT]);
static COMPARES: Capabilities = capabilities(&[
    Operation {
        compares: true,
        ..STOCK
    },
    SHIPMENT,
]);

/// An order as it was at one time; none for an item that no connector can read.
type Change = (RemoteId, Option<Order>);

/// A shop: orders in the order of their last change.
#[derive(Clone, Default)]
pub struct Shop {
    orders: Arc<Mutex<Vec<Change>>>,
    /// Its stock.
    pub stock: Feed,
    /// Whether it sets a stock only where it still is what the write says.
    pub compares: bool,
    fates: Arc<Mutex<VecDeque<Fate>>>,
    down: Arc<Mutex<Option<Fault>>>,
    told: Arc<Mutex<Vec<String>>>,
    puts: Arc<AtomicUsize>,
    /// Runs before and after every call: a buyer may come at any moment.
    pub meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

/// What happens beside the calls.
pub type Meanwhile = Box<dyn FnMut(&Shop) + Send>;

impl Shop {
    fn changes(&self) -> MutexGuard<'_, Vec<Change>> {
        self.orders.lock().unwrap()
    }

    /// Places or changes an order.
    pub fn put(&self, id: &str, order: Order) {
        self.changes().push((id.into(), Some(order)));
    }

    /// Sells: the order is placed and the shop takes its goods off its own stock.
    pub fn sell(&self, id: &str, order: Order) {
        for line in &order.lines {
            self.stock.take(&line.sku, line.quantity);
        }
        self.put(id, order);
    }

    /// Adds an item that no connector can read.
    pub fn put_unreadable(&self, id: &str) {
        self.changes().push((id.into(), None));
    }

    /// An order as it is now.
    pub fn order(&self, id: &str) -> Order {
        let changes = self.changes();
        let of_id = changes.iter().rev().find(|(known, _)| known.as_str() == id);
        of_id.and_then(|(_, order)| order.clone()).unwrap()
    }

    /// Gives the next writes a fate each.
    pub fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        self.fates.lock().unwrap().extend(fates);
    }

    /// Every call fails like this, or none any more.
    pub fn down(&self, fault: Option<Fault>) {
        *self.down.lock().unwrap() = fault;
    }

    /// Writes of stock asked for so far.
    pub fn puts(&self) -> usize {
        self.puts.load(Ordering::SeqCst)
    }

    /// What buyers were told, one line each.
    pub fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }

    fn meanwhile(&self) {
        // Taken out while it runs: what it does may be a call of its own.
        let taken = self.meanwhile.lock().unwrap().take();
        if let Some(mut happens) = taken {
            happens(self);
            *self.meanwhile.lock().unwrap() = Some(happens);
        }
    }

    fn is_down(&self) -> Result<(), Fault> {
        match &*self.down.lock().unwrap() {
            Some(fault) => Err(fault.clone()),
            None => Ok(()),
        }
    }

    fn set(&self, write: &Write) -> Result<Written, Fault> {
        let id = write.target.clone().unwrap();
        let quantity = |document: &Document| {
            let stock = document.as_stock()?;
            stock.levels[0].available
        };
        let (before, after) = (
            write.before.as_ref().and_then(quantity),
            quantity(&write.document),
        );
        let mut answer = Err(Fault::gone(Code::RecordGone, "no such item"));
        self.stock.change(&id, false, |stock| {
            if self.compares && stock.levels[0].available != before {
                answer = Err(Fault::moved("it sold meanwhile"));
                return;
            }
            stock.levels[0].available = after;
            answer = Ok(Written {
                id: id.clone(),
                seen: None,
            });
        });
        answer
    }

    fn ship(&self, write: &Write, shipment: &Shipment) -> Result<Written, Fault> {
        let id = write.target.clone().unwrap();
        let mut order = self.order(id.as_str());
        let known = order
            .shipments
            .iter()
            .position(|held| held.key == shipment.key);
        let mut shipment = shipment.clone();
        let was_told = known.is_some_and(|at| order.shipments[at].notify);
        if shipment.notify && !was_told {
            let numbers: Vec<&str> = shipment
                .parcels
                .iter()
                .map(|parcel| parcel.tracking.as_str())
                .collect();
            self.told
                .lock()
                .unwrap()
                .push(format!("{id} {}", numbers.join("+")));
        }
        shipment.notify |= was_told;
        if shipment.completes {
            order.status.life = Life::Completed;
            order.status.word = "completed".to_owned();
        }
        match known {
            Some(at) => order.shipments[at] = shipment,
            None => order.shipments.push(shipment),
        }
        self.put(id.as_str(), order.clone());
        Ok(Written {
            seen: Some(record(&id, 0, &order)),
            id,
        })
    }

    fn done(&self, write: &Write) -> Result<Written, Fault> {
        match &write.document {
            Document::Stock(_) => self.set(write),
            Document::Shipment(shipment) => self.ship(write, shipment),
            _ => Err(Fault::bug("the fake shop takes none of these")),
        }
    }
}

#[async_trait]
impl Connector for Shop {
    fn capabilities(&self) -> &'static Capabilities {
        if self.compares {
            &COMPARES
        } else {
            &OVERWRITES
        }
    }

    async fn probe(&self) -> Result<Account, Fault> {
        Ok(account("shop"))
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        self.is_down()?;
        self.meanwhile();
        if kind == Kind::Stock {
            let page = self.stock.changes(since);
            self.meanwhile();
            return Ok(page);
        }
        let page = self.orders_since(since);
        self.meanwhile();
        Ok(page)
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        self.is_down()?;
        self.meanwhile();
        let seen = match kind {
            Kind::Stock => self.stock.read(ids),
            _ => self.orders_by(ids),
        };
        self.meanwhile();
        Ok(seen)
    }

    async fn find(&self, _: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        Ok(vec![Vec::new(); queries.len()])
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let answer = |write: &Write| {
            self.is_down()?;
            self.meanwhile();
            if write.kind == Kind::Stock {
                self.puts.fetch_add(1, Ordering::SeqCst);
            }
            let fate = self.fates.lock().unwrap().pop_front();
            let answer = match fate.unwrap_or(Fate::Well) {
                Fate::Instead(fault) => Err(fault),
                Fate::After(fault) => self.done(write).and(Err(fault)),
                Fate::Well => self.done(write),
            };
            self.meanwhile();
            answer
        };
        batch.iter().map(answer).collect()
    }
}

impl Shop {
    fn orders_since(&self, since: &Cursor) -> Page {
        let from: usize = since.0.parse().unwrap_or(0);
        let changes = Shop::changes(self);
        let items = changes[from..]
            .iter()
            .enumerate()
            .map(|(index, (id, order))| match order {
                Some(order) => Ok(record(id, (from + index) as u64, order)),
                None => Err(Unreadable {
                    id: Some(id.clone()),
                    fault: Fault::bug("no order"),
                    raw: "{}".to_owned(),
                }),
            })
            .collect();
        Page {
            items,
            gone: Vec::new(),
            next: Cursor(changes.len().to_string()),
            more: false,
        }
    }

    fn orders_by(&self, ids: &[RemoteId]) -> Vec<Seen> {
        let changes = Shop::changes(self);
        let seen = |id: &RemoteId| match changes.iter().rev().find(|(known, _)| known == id) {
            Some((_, Some(order))) => Seen::Record(Box::new(record(id, 0, order))),
            _ => Seen::Gone(id.clone()),
        };
        ids.iter().map(seen).collect()
    }
}
