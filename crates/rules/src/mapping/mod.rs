//! Mapping rules: what a merchant changes about how an order is translated, as data.
//!
//! A rule reads the order as the shop gave it and writes what `target.rs` lists. Of several rules for one field the first one that applies
//! and finds a value writes it. Rules never read what another rule wrote, except extension fields (`ext.NAME`), so their order matters in
//! these two ways only. They are compiled once per revision, and nothing in them depends on the time.

mod document;
mod expression;
mod function;
mod mapped;
mod names;
mod path;
mod row;
mod shape;
mod target;

pub use function::NAMES as FUNCTIONS;
pub use mapped::{Becomes, Chosen, Failure, Mapped};
pub use row::{OnMissing, Place, Row, Wrong};
pub use target::{Cell, List, Spot, Target, every as targets};

mod check;
mod rule;
#[cfg(test)]
mod tests;

use crate::table::Table;
use comptoir_model::Decimal;
use comptoir_model::account::Account;
use comptoir_model::order::Order;
use rhai::{Dynamic, Engine, Map, Scope};
use rule::Rule;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What lies where, by place and SKU: what can still be promised.
pub type OnHand = BTreeMap<String, BTreeMap<String, Decimal>>;

/// What rules read beside the order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The source connection's name.
    pub source: &'a str,
    /// The shop's own answer (JSON), while it is kept.
    pub raw: Option<&'a str>,
    /// What lies where in the target, where a flow of stock reads it.
    pub stock: Option<&'a OnHand>,
}

/// The compiled rules of one flow.
pub struct Rules {
    engine: Engine,
    rules: Vec<Rule>,
    tables: Arc<BTreeMap<String, Table>>,
    reads_raw: bool,
    reads_stock: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            engine: Engine::new_raw(),
            rules: Vec::new(),
            tables: Arc::default(),
            reads_raw: false,
            reads_stock: false,
        }
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.rules.iter().map(|rule| &rule.place))
            .finish()
    }
}

impl Rules {
    /// Compiles rows, in their order, with the tables that they may look into.
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn compile(
        rows: Vec<(Place, Row)>,
        tables: BTreeMap<String, Table>,
    ) -> Result<Rules, Vec<Wrong>> {
        let tables = Arc::new(tables);
        let engine = expression::engine(Arc::clone(&tables));
        let mut wrong = Vec::new();
        let mut rules = Vec::new();
        for (place, row) in rows {
            match rule::compile(&engine, &tables, place, row) {
                Ok(rule) => rules.push(rule),
                Err(problems) => wrong.extend(problems),
            }
        }
        wrong.extend(check::unreachable(&rules));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Rules {
            reads_raw: rules.iter().any(|rule| rule.reads("raw")),
            reads_stock: rules.iter().any(|rule| rule.reads("stock")),
            engine,
            rules,
            tables,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether one reads the shop's own answer.
    pub fn reads_raw(&self) -> bool {
        self.reads_raw
    }

    /// Whether one reads what lies where.
    pub fn reads_stock(&self) -> bool {
        self.reads_stock
    }

    /// What the connected target does not have: fields, and fixed values that are none of its choices.
    pub fn check_against(&self, account: &Account) -> Vec<Wrong> {
        check::against(&self.rules, &self.tables, account)
    }

    /// The order as the rules leave it.
    pub fn apply(&self, order: Order, beside: Beside<'_>) -> Mapped {
        let mut scope = Scope::new();
        if !self.rules.is_empty() {
            scope = self.scope(&order, beside);
        }
        let mut mapped = Mapped::from(order);
        let mut run = rule::Run {
            engine: &self.engine,
            tables: &self.tables,
            scope,
            own: Map::new(),
            written: BTreeMap::new(),
        };
        for rule in &self.rules {
            run.apply(rule, &mut mapped);
        }
        mapped
    }

    /// A place to try single expressions on an order, as a person does who writes a rule.
    pub fn tryout(&self, order: &Order, beside: Beside<'_>) -> Tryout<'_> {
        Tryout {
            engine: &self.engine,
            tables: &self.tables,
            scope: self.scope(order, beside),
        }
    }

    fn scope(&self, order: &Order, beside: Beside<'_>) -> Scope<'static> {
        let mut scope = empty_scope();
        for (name, value) in document::fields(order) {
            scope.set_value(name, value);
        }
        scope.set_value("source", rhai::ImmutableString::from(beside.source));
        let raw = beside.raw.filter(|_| self.reads_raw);
        if let Some(raw) = raw.and_then(|raw| serde_json::from_str(raw).ok()) {
            scope.set_value("raw", document::json(&raw, 0));
        }
        if let Some(stock) = beside.stock.filter(|_| self.reads_stock) {
            scope.set_value("stock", stock_map(stock));
        }
        scope
    }
}

/// An order on which single expressions are tried.
pub struct Tryout<'a> {
    engine: &'a Engine,
    tables: &'a BTreeMap<String, Table>,
    scope: Scope<'static>,
}

impl Tryout<'_> {
    /// What an expression gives.
    ///
    /// # Errors
    /// What is wrong with it, in words: when it is read, or when it is evaluated.
    pub fn value(&self, text: &str) -> Result<serde_json::Value, String> {
        let expression = expression::Expression::compile(self.engine, &empty_scope(), text, None)
            .map_err(|bad| bad.what[0].clone())?;
        for table in function::tables_in(text) {
            if !self.tables.contains_key(&table) {
                return Err(format!("there is no table tables/{table}.csv"));
            }
        }
        let value = expression
            .eval(self.engine, &mut self.scope.clone())
            .map_err(|error| error.to_string())?;
        expression::to_json(&value)
            .ok_or_else(|| "a group of fields, where one value belongs".to_owned())
    }
}

/// Every variable, with nothing in it: what expressions are compiled against.
fn empty_scope() -> Scope<'static> {
    let mut scope = Scope::new();
    for name in shape::fields() {
        scope.push_dynamic(name, Dynamic::UNIT);
    }
    for name in ["raw", "ext", "stock"] {
        scope.push_dynamic(name, Dynamic::from_map(Map::new()));
    }
    scope.push_dynamic("source", Dynamic::from(rhai::ImmutableString::new()));
    scope.push_dynamic("line", Dynamic::UNIT);
    scope
}

fn stock_map(stock: &OnHand) -> Dynamic {
    let place = |items: &BTreeMap<String, Decimal>| {
        let items: Map = items
            .iter()
            .map(|(sku, quantity)| (sku.as_str().into(), Dynamic::from_decimal(*quantity)))
            .collect();
        Dynamic::from_map(items)
    };
    let places: Map = stock
        .iter()
        .map(|(name, items)| (name.as_str().into(), place(items)))
        .collect();
    Dynamic::from_map(places)
}
