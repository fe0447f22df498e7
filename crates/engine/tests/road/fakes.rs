//! An ERP in memory, behind the port. It does what a connector would tell, and fails on demand.

use crate::feed::Feed;
use async_trait::async_trait;
use comptoir_model::Decimal;
use comptoir_model::account::{Account, Choice};
use comptoir_model::code::Code;
use comptoir_model::customer::Customer;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::{
    Candidate, Capabilities, Connector, Cursor, Guard, Operation, Page, Proof, Query, Reads,
    Record, Seen, Step, Write, Written,
};
use comptoir_model::rounding::Rounding;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const READS: &[Reads] = &[
    reads(Kind::Order),
    reads(Kind::Stock),
    reads(Kind::Shipment),
    Reads {
        kind: Kind::Customer,
        cursor: "",
        changes: false,
        page: 0,
        ids: 50,
    },
];

const fn reads(kind: Kind) -> Reads {
    Reads {
        kind,
        cursor: "number",
        changes: true,
        page: 50,
        ids: 50,
    }
}

pub(crate) const fn operation(kind: Kind, step: Step, guard: Guard, proof: Proof) -> Operation {
    Operation {
        kind,
        step,
        guard,
        proof,
        settle_seconds: 0,
        // Whoever waited for a deadline after a cut would not settle within a test.
        deadline_seconds: 300,
        batch: 10,
        overwrites: false,
        reserves_stock: false,
        compares: false,
    }
}

static ERP: Capabilities = Capabilities {
    reads: READS,
    finds: &[
        (Kind::Order, &["key", "reference"]),
        (Kind::Customer, &["key", "email", "vat_number"]),
        (Kind::Product, &["sku"]),
    ],
    writes: &[
        operation(Kind::Customer, Step::Create, Guard::Find, Proof::Key),
        operation(Kind::Order, Step::Create, Guard::Find, Proof::Key),
        operation(Kind::Order, Step::Update, Guard::None, Proof::State),
        Operation {
            reserves_stock: true,
            ..operation(Kind::Order, Step::Confirm, Guard::None, Proof::State)
        },
        operation(Kind::Order, Step::Cancel, Guard::None, Proof::State),
    ],
    hooks: false,
    hooks_resent: false,
    slots: 1,
    rounding: Rounding::PER_LINE,
};

/// Something a look-up table may point to.
pub(crate) fn choice(id: &str, name: &str) -> Choice {
    Choice {
        id: id.into(),
        name: name.to_owned(),
        includes_tax: false,
        currency: None,
        rate: None,
        company: None,
    }
}

pub(crate) fn account(title: &str) -> Account {
    let tax = Choice {
        includes_tax: true,
        rate: Some(Decimal::from(20)),
        ..choice("7", "VAT 20 %")
    };
    Account {
        title: title.to_owned(),
        version: format!("{title} 1"),
        site: format!("{title}.example"),
        time_zone: String::new(),
        currency: None,
        price_decimals: None,
        quantity_decimals: None,
        choices: BTreeMap::from([("taxes".to_owned(), vec![tax])]),
        fields: BTreeMap::new(),
        notices: Vec::new(),
    }
}

pub(crate) fn record(id: &RemoteId, version: u64, order: &Order) -> Record {
    Record {
        id: id.clone(),
        version: version.to_string(),
        document: Document::Order(Box::new(order.clone())),
        raw: None,
    }
}

/// What becomes of a write.
#[derive(Debug, Clone)]
pub enum Fate {
    /// Not done, and this is answered.
    Instead(Fault),
    /// Done, and this is answered.
    After(Fault),
    /// Done and answered as it should be.
    Well,
}

impl Fate {
    /// Done, but the answer is lost.
    pub fn lost() -> Self {
        Fate::After(Fault::unknown(Code::TimedOut, "no answer"))
    }

    /// Not done, and the answer is lost.
    pub fn dropped() -> Self {
        Fate::Instead(Fault::unknown(Code::TimedOut, "no answer"))
    }
}

#[derive(Default)]
struct Held {
    orders: BTreeMap<RemoteId, (WriteKey, u64, Order)>,
    customers: BTreeMap<RemoteId, (WriteKey, Customer)>,
    skus: BTreeMap<String, Vec<RemoteId>>,
    fates: BTreeMap<(Kind, Step), VecDeque<Fate>>,
    down: Option<Fault>,
    site: Option<String>,
    cent: Decimal,
    blind: bool,
    ids: u64,
    writes: usize,
    log: Vec<String>,
}

/// An ERP: what it holds, and what happens to the next writes.
#[derive(Clone, Default)]
pub struct Erp {
    held: Arc<Mutex<Held>>,
    /// What can be promised of its products.
    pub stock: Feed,
    /// What left its warehouse.
    pub shipments: Feed,
}

impl Erp {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    /// An ERP with these SKUs.
    pub fn with_skus(skus: &[&str]) -> Self {
        let erp = Erp::default();
        for (index, sku) in skus.iter().enumerate() {
            let id = RemoteId(format!("p{index}"));
            erp.held().skus.insert((*sku).to_owned(), vec![id]);
        }
        erp
    }

    /// Gives the next writes of a kind and step a fate each.
    pub fn next(&self, kind: Kind, step: Step, fates: impl IntoIterator<Item = Fate>) {
        self.held()
            .fates
            .entry((kind, step))
            .or_default()
            .extend(fates);
    }

    /// Every call fails like this until [`Erp::up`].
    pub fn down(&self, fault: Fault) {
        self.held().down = Some(fault);
    }

    /// Calls are answered again.
    pub fn up(&self) {
        self.held().down = None;
    }

    /// It answers as another site, or as itself again.
    pub fn answers_as(&self, site: Option<&str>) {
        self.held().site = site.map(str::to_owned);
    }

    /// From now on orders come out this much dearer than asked for.
    pub fn off_by(&self, amount: Decimal) {
        self.held().cent = amount;
    }

    /// From now on what was written is not read back.
    pub fn blind(&self) {
        self.held().blind = true;
    }

    /// Writes asked for so far, done or not.
    pub fn writes(&self) -> usize {
        self.held().writes
    }

    /// Orders by id.
    pub fn orders(&self) -> Vec<(RemoteId, Order)> {
        let held = self.held();
        held.orders
            .iter()
            .map(|(id, (_, _, order))| (id.clone(), order.clone()))
            .collect()
    }

    /// Main customers (no contacts), as their e-mails.
    pub fn emails(&self) -> Vec<String> {
        let held = self.held();
        held.customers
            .values()
            .filter(|(_, customer)| customer.parent.is_none())
            .map(|(_, customer)| customer.email.clone())
            .collect()
    }

    /// What was written, in order, with the fate of each.
    pub fn log(&self) -> Vec<String> {
        self.held().log.clone()
    }

    /// A person changes an order.
    pub fn edit(&self, id: &RemoteId, change: impl FnOnce(&mut Order)) {
        if let Some((_, version, order)) = self.held().orders.get_mut(id) {
            change(order);
            *version += 1;
        }
    }

    /// A person types an order of the shop in by hand.
    pub fn type_in(&self, reference: &str) {
        let mut held = self.held();
        let id = held.take_id("typed");
        let mut order = Order::empty("S1", "EUR".parse().unwrap());
        order.reference = reference.to_owned();
        let key = WriteKey("nobody".to_owned());
        held.orders.insert(id, (key, 1, order));
    }

    fn all_orders(&self) -> Page {
        let held = self.held();
        let records = held.orders.iter();
        let items = records.map(|(id, (_, version, order))| Ok(record(id, *version, order)));
        Page {
            items: items.collect(),
            gone: Vec::new(),
            next: Cursor::start(),
            more: false,
        }
    }

    /// A person deletes an order.
    pub fn delete(&self, id: &RemoteId) {
        self.held().orders.remove(id);
    }

    /// A confirmed order's goods can be promised to nobody else.
    fn reserve(&self, order: Option<&Order>) {
        for line in order.iter().flat_map(|order| &order.lines) {
            if let Some(product) = &line.product {
                self.stock.change(product, false, |stock| {
                    let available = &mut stock.levels[0].available;
                    *available = available.map(|available| available - line.quantity);
                });
            }
        }
    }

    /// A person deletes every customer.
    pub fn delete_customers(&self) {
        self.held().customers.clear();
    }
}

impl Held {
    fn take_id(&mut self, letter: &str) -> RemoteId {
        self.ids += 1;
        RemoteId(format!("{letter}{}", self.ids))
    }

    fn done(&mut self, write: &Write) -> Result<Written, Fault> {
        match (&write.document, write.step) {
            (Document::Customer(customer), Step::Create) => {
                if let Some(parent) = &customer.parent
                    && !self.customers.contains_key(parent)
                {
                    return Err(Fault::refused(Code::Refused, "no such customer"));
                }
                let id = self.take_id("c");
                let row = (write.key.clone(), customer.as_ref().clone());
                self.customers.insert(id.clone(), row);
                Ok(Written { id, seen: None })
            }
            (Document::Order(order), Step::Create) => {
                let customer = order.customer.clone().unwrap_or_else(|| "".into());
                if !self.customers.contains_key(&customer) {
                    return Err(Fault::refused(Code::Refused, "no such customer"));
                }
                let id = self.take_id("o");
                let mut order = order.as_ref().clone();
                order.number = id.to_string();
                order.totals.total = sum(&order) + self.cent;
                self.orders
                    .insert(id.clone(), (write.key.clone(), 1, order));
                Ok(self.seen(&id))
            }
            (Document::Order(order), step) => {
                let id = write.target.clone().unwrap_or_else(|| "".into());
                let Some((_, version, held)) = self.orders.get_mut(&id) else {
                    return Err(Fault::gone(Code::RecordGone, "gone"));
                };
                if write
                    .expects
                    .as_ref()
                    .is_some_and(|expects| *expects != version.to_string())
                {
                    return Err(Fault::moved("changed meanwhile"));
                }
                *version += 1;
                match step {
                    Step::Confirm => {
                        held.status.life = Life::Open;
                        held.dates.placed = held
                            .dates
                            .placed
                            .map(|_| "2026-12-24T00:00:00Z".parse().unwrap());
                    }
                    Step::Cancel => held.status.life = Life::Cancelled,
                    Step::Update | Step::Create => {
                        let cent = held.totals.total - sum(held);
                        update(held, write.before.as_ref(), order);
                        held.totals.total = sum(held) + cent;
                        held.dates.placed = order.dates.placed.or(held.dates.placed);
                    }
                }
                Ok(self.seen(&id))
            }
            _ => Err(Fault::bug("not this kind")),
        }
    }

    fn seen(&self, id: &RemoteId) -> Written {
        let seen = self
            .orders
            .get(id)
            .filter(|_| !self.blind)
            .map(|(_, version, order)| record(id, *version, order));
        Written {
            id: id.clone(),
            seen,
        }
    }
}

/// Quantity times price, tax included.
fn sum(order: &Order) -> Decimal {
    order
        .lines
        .iter()
        .map(|line| (line.quantity * line.unit_price).round_dp(2))
        .sum()
}

fn update(held: &mut Order, before: Option<&Document>, after: &Order) {
    let ids = |order: &Order| {
        order
            .lines
            .iter()
            .map(|line| line.id.clone())
            .collect::<Vec<_>>()
    };
    let old = before
        .and_then(Document::as_order)
        .map(ids)
        .unwrap_or_default();
    let new = ids(after);
    held.lines
        .retain(|line| !(old.contains(&line.id) || new.contains(&line.id)));
    held.lines.extend(after.lines.iter().cloned());
    if let Some(before) = before.and_then(Document::as_order)
        && before.note != after.note
    {
        held.note.clone_from(&after.note);
    }
}

#[async_trait]
impl Connector for Erp {
    fn capabilities(&self) -> &'static Capabilities {
        &ERP
    }

    async fn probe(&self) -> Result<Account, Fault> {
        let mut account = account("erp");
        if let Some(site) = &self.held().site {
            account.site.clone_from(site);
        }
        Ok(account)
    }

    async fn changes(&self, kind: Kind, since: &Cursor) -> Result<Page, Fault> {
        if let Some(fault) = &self.held().down {
            return Err(fault.clone());
        }
        match kind {
            Kind::Stock => self.stock.ask(since),
            Kind::Shipment => Ok(self.shipments.changes(since)),
            Kind::Order => Ok(self.all_orders()),
            _ => Err(Fault::bug("nothing reads these changes of the fake ERP")),
        }
    }

    async fn read(&self, kind: Kind, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let held = self.held();
        if let Some(fault) = &held.down {
            return Err(fault.clone());
        }
        match kind {
            Kind::Stock => return Ok(self.stock.read(ids)),
            Kind::Shipment => return Ok(self.shipments.read(ids)),
            _ => {}
        }
        let seen = |id: &RemoteId| match kind {
            Kind::Order => {
                let (_, version, order) = held.orders.get(id)?;
                Some(record(id, *version, order))
            }
            _ => held.customers.get(id).map(|(_, customer)| Record {
                id: id.clone(),
                version: String::new(),
                document: Document::Customer(Box::new(customer.clone())),
                raw: None,
            }),
        };
        Ok(ids
            .iter()
            .map(|id| {
                seen(id).map_or(Seen::Gone(id.clone()), |record| {
                    Seen::Record(Box::new(record))
                })
            })
            .collect())
    }

    async fn find(&self, kind: Kind, queries: &[Query]) -> Result<Vec<Vec<Candidate>>, Fault> {
        let held = self.held();
        if let Some(fault) = &held.down {
            return Err(fault.clone());
        }
        let ids = |query: &Query| -> Vec<RemoteId> {
            match (kind, query) {
                (Kind::Product, Query::Sku(sku)) => held.skus.get(sku).cloned().unwrap_or_default(),
                (Kind::Order, query) => held
                    .orders
                    .iter()
                    .filter(|(_, (key, _, order))| match query {
                        Query::Key(wanted) => key == wanted,
                        Query::Reference(number) => order.reference == *number,
                        _ => false,
                    })
                    .map(|(id, _)| id.clone())
                    .collect(),
                (_, query) => held
                    .customers
                    .iter()
                    .filter(|(_, (key, customer))| match query {
                        Query::Key(wanted) => key == wanted,
                        Query::Email(email) => {
                            customer.parent.is_none() && customer.email.to_lowercase() == *email
                        }
                        Query::VatNumber(number) => customer.vat_number == *number,
                        _ => false,
                    })
                    .map(|(id, _)| id.clone())
                    .collect(),
            }
        };
        Ok(queries
            .iter()
            .map(|query| {
                let candidate = |id| Candidate {
                    id,
                    label: String::new(),
                };
                ids(query).into_iter().map(candidate).collect()
            })
            .collect())
    }

    async fn write(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let mut held = self.held();
        batch
            .iter()
            .map(|write| {
                held.writes += 1;
                if let Some(fault) = &held.down {
                    return Err(fault.clone());
                }
                let fates = held.fates.entry((write.kind, write.step)).or_default();
                let fate = fates.pop_front().unwrap_or(Fate::Well);
                let line = format!("{} {} {}", write.step.as_str(), write.kind, write.key);
                let happens = !matches!(fate, Fate::Instead(_));
                let answer = match fate {
                    Fate::Instead(fault) => Err(fault),
                    Fate::After(fault) => held.done(write).and(Err(fault)),
                    Fate::Well => held.done(write),
                };
                if happens && (write.kind, write.step) == (Kind::Order, Step::Confirm) {
                    let order = write.target.as_ref().and_then(|id| held.orders.get(id));
                    self.reserve(order.map(|(_, _, order)| order));
                }
                let how = match &answer {
                    Ok(_) => "done".to_owned(),
                    Err(fault) => word(fault.next).to_owned(),
                };
                held.log.push(format!("{line}: {how}"));
                answer
            })
            .collect()
    }
}

fn word(next: Next) -> &'static str {
    match next {
        Next::Later { .. } => "later",
        Next::Unknown => "unknown",
        Next::Refused => "refused",
        Next::Locked => "locked",
        Next::Gone => "gone",
        Next::Moved => "moved",
        Next::Bug => "bug",
    }
}
