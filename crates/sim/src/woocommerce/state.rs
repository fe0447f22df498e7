//! What the simulated shop holds, and the events its changes cause.

use super::auth::Keys;
use super::order::{Ids, Note, Order};
use super::product::Product;
use super::render::{self, Look};
use super::webhook::Webhooks;
use crate::buyers::Buyer;
use crate::catalogue::Catalogue;
use crate::orders::{COUPONS, Coupon};
use jiff::Timestamp;
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// An account.
#[derive(Debug, Clone)]
pub(crate) struct Customer {
    pub id: u64,
    pub buyer: Buyer,
    pub username: String,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub meta: Vec<super::order::Meta>,
}

/// An order and its JSON for one number of decimals.
#[derive(Debug, Clone)]
struct Kept {
    order: Order,
    json: Option<(u32, String)>,
}

/// The shop.
pub(crate) struct State {
    pub catalogue: Catalogue,
    pub look: Look,
    pub ids: Ids,
    pub keys: Keys,
    pub products: BTreeMap<u64, Product>,
    pub customers: BTreeMap<u64, Customer>,
    pub hooks: Webhooks,
    /// Slug and name of the tax classes that were added.
    pub tax_classes: Vec<(String, String)>,
    pub coupons: Vec<Coupon>,
    /// Orders that have not been placed yet, the next first.
    pub waiting: VecDeque<Order>,
    pub calls: BTreeMap<String, u64>,
    /// Seconds by which the shop's clock is ahead.
    pub ahead: i64,
    pub writes: u64,
    orders: BTreeMap<u64, Kept>,
    /// Orders by second of their last change.
    by_modified: BTreeSet<(i64, u64)>,
    by_sku: HashMap<String, u64>,
}

impl State {
    pub fn new(catalogue: Catalogue, look: Look, ids: Ids, keys: Keys, hooks: Webhooks) -> Self {
        State {
            catalogue,
            look,
            ids,
            keys,
            products: BTreeMap::new(),
            customers: BTreeMap::new(),
            hooks,
            tax_classes: Vec::new(),
            coupons: COUPONS.to_vec(),
            waiting: VecDeque::new(),
            calls: BTreeMap::new(),
            ahead: 0,
            writes: 0,
            orders: BTreeMap::new(),
            by_modified: BTreeSet::new(),
            by_sku: HashMap::new(),
        }
    }

    /// Adds a product.
    pub fn add_product(&mut self, product: Product) {
        if !product.sku.is_empty() {
            self.by_sku.insert(product.sku.clone(), product.id);
        }
        self.products.insert(product.id, product);
    }

    /// The product with a SKU.
    pub fn product_of(&self, sku: &str) -> Option<u64> {
        self.by_sku.get(sku).copied()
    }

    /// Takes a SKU for a product, or gives it up.
    pub fn move_sku(&mut self, from: &str, to: &str, product: u64) {
        self.by_sku.remove(from);
        if !to.is_empty() {
            self.by_sku.insert(to.to_owned(), product);
        }
    }

    /// Places the order that waits next; `at` is its time.
    pub fn place_next(&mut self, at: Timestamp) -> Option<u64> {
        let mut order = self.waiting.pop_front()?;
        let at = second(at);
        (order.created, order.modified) = (at, at);
        let promised = matches!(order.payment_method.as_str(), "bacs" | "cod" | "cheque");
        let active = matches!(order.status.as_str(), "processing" | "completed");
        if active && !(promised && order.status == "processing") {
            order.paid = Some(at);
        }
        if order.status == "completed" {
            order.completed = Some(at);
        }
        for refund in &mut order.refunds {
            refund.created = at;
        }
        if order.paid.is_some() || promised {
            let now = super::sales::label(&order.status);
            order.notes.push(Note {
                id: self.ids.note(),
                created: at,
                text: format!("Order status changed from Pending payment to {now}."),
                to_customer: false,
            });
        }
        let id = order.id;
        self.insert(order);
        self.hooks.fire("order.created", id);
        Some(id)
    }

    /// Takes out of stock what the order has to take by now, or gives it back. That moves the product's date of change, and for a
    /// variation that of its product too.
    fn settle_stock(&mut self, id: u64) {
        let Some(order) = self.order(id) else {
            return;
        };
        let (before, after) = (order.taken.clone(), order.takes());
        let (at, none) = (order.modified, Decimal::ZERO);
        let ids: BTreeSet<u64> = before.keys().chain(after.keys()).copied().collect();
        for product in ids {
            let of = |taken: &BTreeMap<u64, Decimal>| taken.get(&product).copied().unwrap_or(none);
            self.move_stock(product, of(&before) - of(&after), at);
        }
        self.touch(id, |order| order.taken = after);
    }

    /// Adds to the stock of a product that is counted.
    pub fn move_stock(&mut self, id: u64, more: Decimal, at: Timestamp) {
        if let Some(product) = self.products.get_mut(&id)
            && let Some(stock) = product.stock.filter(|_| !more.is_zero())
        {
            product.stock = Some(stock + more);
            self.modify_product(id, at);
            self.hooks.fire("product.updated", id);
        }
    }

    /// Moves a product's date of change, and that of the product whose variation it is.
    pub fn modify_product(&mut self, id: u64, at: Timestamp) {
        let parent = self.products.get(&id).map_or(0, |product| product.parent);
        for id in [id, parent] {
            if let Some(product) = self.products.get_mut(&id) {
                product.modified = at;
            }
        }
    }

    /// Adds an order.
    pub fn insert(&mut self, order: Order) {
        self.by_modified
            .insert((order.modified.as_second(), order.id));
        let id = order.id;
        self.orders.insert(id, Kept { order, json: None });
        self.settle_stock(id);
    }

    /// An order.
    pub fn order(&self, id: u64) -> Option<&Order> {
        self.orders.get(&id).map(|kept| &kept.order)
    }

    /// All orders by id.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().map(|kept| &kept.order)
    }

    /// Orders that changed after an instant (whole seconds, exclusive), the oldest change first.
    pub fn changed_after(&self, at: Timestamp) -> impl Iterator<Item = &Order> {
        self.by_modified
            .range((at.as_second() + 1, 0)..)
            .filter_map(|(_, id)| self.order(*id))
    }

    /// All orders, the oldest change first.
    pub fn by_change(&self) -> impl Iterator<Item = &Order> {
        self.by_modified
            .iter()
            .filter_map(|(_, id)| self.order(*id))
    }

    /// Changes an order, moves its date of change and tells the webhooks of changed orders.
    pub fn change<T>(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut Order, &Catalogue) -> T,
    ) -> Option<T> {
        let out = self.alter(id, change)?;
        self.hooks.fire("order.updated", id);
        Some(out)
    }

    /// Changes an order and moves its date of change.
    pub fn alter<T>(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut Order, &Catalogue) -> T,
    ) -> Option<T> {
        let now = second(Timestamp::now());
        let kept = self.orders.get_mut(&id)?;
        let before = kept.order.modified;
        let out = change(&mut kept.order, &self.catalogue);
        kept.order.modified = now;
        kept.json = None;
        self.by_modified.remove(&(before.as_second(), id));
        self.by_modified.insert((now.as_second(), id));
        self.settle_stock(id);
        Some(out)
    }

    /// Changes what does not move an order's date: a note, or what the simulation remembers.
    pub fn touch(&mut self, id: u64, change: impl FnOnce(&mut Order)) {
        if let Some(kept) = self.orders.get_mut(&id) {
            change(&mut kept.order);
            kept.json = None;
        }
    }

    /// Removes an order for good.
    pub fn remove(&mut self, id: u64) -> Option<Order> {
        let kept = self.orders.remove(&id)?;
        self.by_modified
            .remove(&(kept.order.modified.as_second(), id));
        Some(kept.order)
    }

    /// An order as JSON text with so many decimals.
    pub fn order_json(&mut self, id: u64, dp: u32) -> Option<&str> {
        let kept = self.orders.get_mut(&id)?;
        if kept.json.as_ref().is_none_or(|(had, _)| *had != dp) {
            let document = render::order(&kept.order, &self.look, dp);
            kept.json = Some((dp, super::answer::php_json(&document)));
        }
        kept.json.as_ref().map(|(_, json)| json.as_str())
    }

    /// Says where the shop is; what was rendered before is forgotten.
    pub fn move_to(&mut self, home: &str) {
        self.look.home = home.to_owned();
        for kept in self.orders.values_mut() {
            kept.json = None;
        }
    }
}

/// An instant cut to whole seconds: the resolution of every date of the shop.
pub(crate) fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
