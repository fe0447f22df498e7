//! Documents of a fake system in the order of their last change: its stock, or its shipments.

use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Cursor, Page, Record, Seen};
use comptoir_model::shipment::Shipment;
use comptoir_model::stock::{Level, Stock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Default)]
struct Kept {
    documents: BTreeMap<RemoteId, Document>,
    log: Vec<RemoteId>,
    closed: Option<Fault>,
    asked: usize,
}

/// Documents and the order in which they changed.
#[derive(Clone, Default)]
pub struct Feed(Arc<Mutex<Kept>>);

fn record((id, document): (&RemoteId, &Document)) -> Record {
    Record {
        id: id.clone(),
        version: String::new(),
        document: document.clone(),
        raw: None,
    }
}

impl Feed {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap()
    }

    /// Puts a document, which is a change.
    pub fn put(&self, id: &str, document: Document) {
        let mut kept = self.kept();
        kept.documents.insert(id.into(), document);
        kept.log.push(id.into());
    }

    /// Puts an item of stock.
    pub fn stock(&self, id: &str, sku: &str, available: i64) {
        let stock = Stock {
            sku: sku.to_owned(),
            managed: true,
            levels: vec![Level::pool(available.into())],
            ..Stock::default()
        };
        self.put(id, Document::Stock(stock));
    }

    /// Changes a stock. What is silent does not count as a change: the system has no date for it.
    pub fn change(&self, id: &RemoteId, silent: bool, change: impl FnOnce(&mut Stock)) {
        let mut kept = self.kept();
        if let Some(Document::Stock(stock)) = kept.documents.get_mut(id) {
            change(stock);
            if !silent {
                kept.log.push(id.clone());
            }
        }
    }

    /// Takes so many of every item with a stock keeping unit away.
    pub fn take(&self, sku: &str, quantity: Decimal) {
        let ids: Vec<RemoteId> = {
            let kept = self.kept();
            let of_sku = kept
                .documents
                .iter()
                .filter(|(_, document)| document.as_stock().is_some_and(|stock| stock.sku == sku));
            of_sku.map(|(id, _)| id.clone()).collect()
        };
        for id in ids {
            self.change(&id, false, |stock| {
                let available = &mut stock.levels[0].available;
                *available = available.map(|available| available - quantity);
            });
        }
    }

    /// What is available of an item.
    pub fn available(&self, id: &str) -> Decimal {
        let kept = self.kept();
        let stock = kept.documents[&RemoteId::from(id)].as_stock().unwrap();
        stock.levels[0].available.unwrap()
    }

    /// Changes a shipment.
    pub fn ship(&self, id: &str, change: impl FnOnce(&mut Shipment)) {
        let mut kept = self.kept();
        if let Some(Document::Shipment(shipment)) = kept.documents.get_mut(&RemoteId::from(id)) {
            change(shipment);
            kept.log.push(id.into());
        }
    }

    /// Its changes are refused like this, or no longer.
    pub fn close(&self, fault: Option<Fault>) {
        self.kept().closed = fault;
    }

    /// How often its changes were asked for.
    pub fn asked(&self) -> usize {
        self.kept().asked
    }

    /// Its changes, unless they are refused.
    pub fn ask(&self, since: &Cursor) -> Result<Page, Fault> {
        let mut kept = self.kept();
        kept.asked += 1;
        if let Some(fault) = &kept.closed {
            return Err(fault.clone());
        }
        drop(kept);
        Ok(self.changes(since))
    }

    /// Removes a document without a word.
    pub fn remove(&self, id: &str) {
        self.kept().documents.remove(&RemoteId::from(id));
    }

    /// Everything at the start, then what changed since.
    pub fn changes(&self, since: &Cursor) -> Page {
        let kept = self.kept();
        let items = match since.0.parse::<usize>() {
            Ok(from) => {
                let changed = kept.log[from..].iter();
                let now = changed.filter_map(|id| kept.documents.get_key_value(id));
                now.map(|pair| Ok(record(pair))).collect()
            }
            Err(_) => kept.documents.iter().map(|pair| Ok(record(pair))).collect(),
        };
        Page {
            items,
            gone: Vec::new(),
            next: Cursor(kept.log.len().to_string()),
            more: false,
        }
    }

    /// By ids.
    pub fn read(&self, ids: &[RemoteId]) -> Vec<Seen> {
        let kept = self.kept();
        let seen = |id: &RemoteId| match kept.documents.get_key_value(id) {
            Some(pair) => Seen::Record(Box::new(record(pair))),
            None => Seen::Gone(id.clone()),
        };
        ids.iter().map(seen).collect()
    }
}
