//! What validated orders have taken of the stock and have not shipped yet. Dolibarr reserves nothing, and its "virtual stock" mixes
//! what is promised with what is ordered from suppliers; so open orders are read and kept here, without what was shipped of them.

use super::api::{Api, List};
use super::filter;
use super::kits::Kits;
use super::map;
use super::read;
use super::wire::{Brief, Order, Product};
use super::{Settings, StockFalls};
use comptoir_kit::decode;
use comptoir_kit::http::Priority;
use comptoir_kit::page::{Stamp, TimestampCursor};
use comptoir_model::Decimal;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::port::Cursor;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Orders per page.
const PAGE: usize = 100;

/// What is taken of one product, by the warehouse that the orders name; none where they name none.
pub(super) type Taken = BTreeMap<Option<RemoteId>, Decimal>;

/// An order as far as stock is concerned.
#[derive(Debug, Default)]
struct Known {
    warehouse: Option<RemoteId>,
    /// Products and quantities, while it is open.
    lines: Vec<(i64, Decimal)>,
    /// Every product that was ever seen on it: one that a person takes off it is free again.
    ever: BTreeSet<i64>,
}

/// Open orders, kept up to date by their `tms`.
#[derive(Debug, Default)]
pub(super) struct Demand {
    /// Where reading stands; the start before the first reading.
    cursor: Cursor,
    orders: HashMap<i64, Known>,
    /// Kits, where they are asked for.
    pub(super) kits: Kits,
}

impl Demand {
    /// Forgets everything: deleted orders are not told, so a whole reading begins with all that are there.
    pub(super) fn forget(&mut self) {
        self.cursor = Cursor::start();
        self.orders.clear();
        self.kits.clear();
    }

    /// Reads what has changed since, or all open orders.
    pub(super) async fn refresh(&mut self, api: &Api) -> Result<(), Fault> {
        if self.cursor.is_start() {
            let from = newest(api).await?;
            self.orders.clear();
            self.read_open(api).await?;
            self.cursor = begin(api, from);
        }
        loop {
            let page = orders_since(api, &self.cursor, PAGE).await?;
            for order in &page.orders {
                self.take(order);
            }
            self.cursor = page.next;
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn read_open(&mut self, api: &Api) -> Result<(), Fault> {
        let mut after = 0;
        loop {
            let filter = format!("(t.fk_statut:in:1,2) and (t.rowid:>:{after})");
            let list = List {
                filter: &filter,
                priority: Priority::Stock,
                ..List::of("stock.open_orders", "orders", PAGE)
            };
            let rows = api.list(list).await?;
            for row in &rows {
                let brief = read::brief(row);
                after = after.max(brief.id);
                // One that cannot be decoded is shown by the stream of orders.
                if let Ok(held) = read::held(row) {
                    self.take(&held.order);
                }
            }
            if rows.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn take(&mut self, order: &Order) {
        let open = matches!(order.state(), 1 | 2);
        let lines = goods(order);
        if !open && !self.orders.contains_key(&order.id) {
            return;
        }
        let known = self.orders.entry(order.id).or_default();
        known.ever.extend(lines.iter().map(|(product, _)| *product));
        known.warehouse.clone_from(&order.warehouse_id);
        known.lines = if open { lines } else { Vec::new() };
    }

    /// Every product whose demand an order may have changed.
    pub(super) fn touched(&self, order: &Order) -> BTreeSet<i64> {
        let mut touched: BTreeSet<i64> = goods(order).iter().map(|line| line.0).collect();
        if let Some(known) = self.orders.get(&order.id) {
            touched.extend(&known.ever);
        }
        let parts: Vec<i64> = touched
            .iter()
            .flat_map(|product| self.kits.exploded(*product).into_keys())
            .collect();
        touched.extend(parts);
        touched
    }

    /// What open orders ask for, by product.
    pub(super) fn ordered(&self) -> HashMap<i64, Taken> {
        let mut ordered: HashMap<i64, Taken> = HashMap::new();
        for known in self.orders.values() {
            for (product, quantity) in &known.lines {
                let of_product = ordered.entry(*product).or_default();
                *of_product.entry(known.warehouse.clone()).or_default() += quantity;
            }
        }
        ordered
    }
}

/// The goods on an order. Services have no stock.
fn goods(order: &Order) -> Vec<(i64, Decimal)> {
    let line = |line: &super::wire::OrderLine| {
        let product = line.fk_product.as_ref()?.as_str().parse().ok()?;
        (line.product_type != "1" && product > 0).then_some((product, line.qty))
    };
    order.lines.iter().filter_map(line).collect()
}

/// What is taken of a product in all: what orders ask for and have not got, or what Dolibarr's virtual stock says of it.
pub(super) fn open_quantity(row: &Product, ordered: Option<&Taken>, falls: StockFalls) -> Decimal {
    let real = row.stock_reel.unwrap_or_default();
    let virtual_gap = || real - row.stock_theorique.unwrap_or(real);
    let quantity = match falls {
        StockFalls::Order => Decimal::ZERO,
        // Only Dolibarr knows which orders were invoiced in part.
        StockFalls::Invoice => virtual_gap(),
        StockFalls::Shipment => match row.stats_expedition.qty {
            Some(shipped) => ordered.map_or(Decimal::ZERO, |taken| taken.values().sum()) - shipped,
            None => virtual_gap(),
        },
    };
    quantity.max(Decimal::ZERO)
}

/// Shares out what is taken in all: by the warehouses that the orders name. What was shipped of them is taken off the largest share.
pub(super) fn shared(ordered: Option<&Taken>, total: Decimal) -> Taken {
    let mut taken: Taken = ordered.cloned().unwrap_or_default();
    taken.retain(|_, quantity| *quantity > Decimal::ZERO);
    let asked: Decimal = taken.values().sum();
    if asked < total {
        *taken.entry(None).or_default() += total - asked;
    }
    let mut excess = (asked - total).max(Decimal::ZERO);
    while excess > Decimal::ZERO {
        let Some((_, most)) = taken.iter_mut().max_by_key(|(_, quantity)| **quantity) else {
            break;
        };
        let off = excess.min(*most);
        if off.is_zero() {
            break;
        }
        *most -= off;
        excess -= off;
    }
    taken.retain(|_, quantity| *quantity > Decimal::ZERO);
    taken
}

/// When stock goes down, as the settings say, else as Dolibarr tells; with the shipment where nobody says.
pub(super) async fn falls(api: &Api) -> Result<StockFalls, Fault> {
    if let Some(falls) = api.settings.stock_falls {
        return Ok(falls);
    }
    let known = api.learnt().stock_falls;
    let told = match known {
        Some(told) => told,
        None => {
            let told = told(api).await?.flatten();
            api.learnt().stock_falls = Some(told);
            told
        }
    };
    Ok(told.unwrap_or(StockFalls::Shipment))
}

/// When stock goes down, as Dolibarr tells: none where this user is not told, none inside where it never does by itself.
pub(super) async fn told(api: &Api) -> Result<Option<Option<StockFalls>>, Fault> {
    // In the order in which Dolibarr itself looks.
    for (name, falls) in [
        ("STOCK_CALCULATE_ON_SHIPMENT", StockFalls::Shipment),
        ("STOCK_CALCULATE_ON_SHIPMENT_CLOSE", StockFalls::Shipment),
        ("STOCK_CALCULATE_ON_VALIDATE_ORDER", StockFalls::Order),
        ("STOCK_CALCULATE_ON_BILL", StockFalls::Invoice),
    ] {
        match constant(api, name).await? {
            None => return Ok(None),
            Some(true) => return Ok(Some(Some(falls))),
            Some(false) => {}
        }
    }
    Ok(Some(None))
}

/// Whether a constant of the set-up is on; none where this user is not told.
pub(super) async fn constant(api: &Api, name: &str) -> Result<Option<bool>, Fault> {
    let path = format!("setup/conf/{name}");
    match api
        .get::<serde_json::Value>("stock.set_up", &path, &[])
        .await
    {
        Ok(value) => {
            let text = value
                .as_str()
                .map(str::to_owned)
                .unwrap_or_else(|| value.to_string());
            Ok(Some(!matches!(text.as_str(), "" | "0" | "null" | "false")))
        }
        // 404 up to 17, 400 later: there is no such constant, so it is off.
        Err(fault) if matches!(fault.next, Next::Gone | Next::Refused) => Ok(Some(false)),
        Err(fault) if super::probe::is_optional(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The newest modification time of all orders, by the server's clock.
pub(super) async fn newest(api: &Api) -> Result<Option<Timestamp>, Fault> {
    let query = [
        ("limit", "1"),
        ("sortfield", "t.tms"),
        ("sortorder", "DESC"),
    ];
    let rows: Result<Vec<Brief>, Fault> = api
        .get_as("stock.newest_order", "orders", &query, Priority::Stock)
        .await;
    match rows {
        Ok(rows) => Ok(rows
            .first()
            .and_then(|brief| map::instant(&brief.date_modification, &api.zone()))),
        Err(fault) if fault.next == Next::Gone => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// A cursor of [`orders_since`] that begins before an instant, and with all orders without one: there are none.
pub(super) fn begin(api: &Api, newest: Option<Timestamp>) -> Cursor {
    let overlap = jiff::SignedDuration::try_from(overlap(&api.settings)).unwrap_or_default();
    let from = newest.and_then(|newest| newest.checked_sub(overlap).ok());
    TimestampCursor::since(from.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// How long before the end of the last reading the next one begins.
pub(super) fn overlap(settings: &Settings) -> Duration {
    Duration::from_secs(settings.overlap_seconds.into())
}

/// A page of orders that changed.
pub(super) struct Changed {
    /// Those that are new or changed, and can be decoded.
    pub(super) orders: Vec<Order>,
    /// Where to go on.
    pub(super) next: Cursor,
    /// Whether another page waits.
    pub(super) more: bool,
}

/// Orders that changed since a cursor.
pub(super) async fn orders_since(api: &Api, since: &Cursor, page: usize) -> Result<Changed, Fault> {
    let cursor = TimestampCursor::open(since, overlap(&api.settings), api.clock.now())?;
    let zone = api.zone();
    let filter = cursor.from().map(|from| filter::since(from, &zone));
    let window = read::Window {
        path: "orders",
        filter: filter.as_deref().unwrap_or_default(),
        offset: cursor.offset() as usize,
        limit: page,
        priority: Priority::Stock,
    };
    let rows = read::window(api, window).await?;
    let full = rows.len() >= page;
    let mut stamps = Vec::with_capacity(rows.len());
    let mut orders = Vec::with_capacity(rows.len());
    for row in &rows {
        let brief = read::brief(row);
        let order: Option<Order> = decode::json(row.get().as_bytes()).ok();
        let version = order.as_ref().map(|order| {
            let lines: Vec<String> = goods(order)
                .iter()
                .map(|(product, quantity)| format!("{product}x{quantity}"))
                .collect();
            format!(
                "{}/{}/{}",
                brief.date_modification,
                order.state(),
                lines.join(",")
            )
        });
        stamps.push(Stamp {
            id: brief.id.to_string(),
            version: version.unwrap_or_default(),
            at: map::instant(&brief.date_modification, &zone),
        });
        orders.push(order);
    }
    let taken = cursor.take(&stamps, full);
    let fresh = orders.into_iter().zip(&taken.fresh);
    Ok(Changed {
        orders: fresh
            .filter(|(_, fresh)| **fresh)
            .filter_map(|(order, _)| order)
            .collect(),
        next: taken.next,
        more: taken.more,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn taken(shares: &[(&str, &str)]) -> Taken {
        let share = |(warehouse, quantity): &(&str, &str)| {
            let warehouse = Some(*warehouse).filter(|name| !name.is_empty());
            (
                warehouse.map(|name| RemoteId(name.to_owned())),
                dec(quantity),
            )
        };
        shares.iter().map(share).collect()
    }

    #[test]
    fn what_is_open_follows_when_stock_goes_down() {
        let mut row = Product {
            stock_reel: Some(dec("20")),
            // 5 open, of which 2 were shipped, and 8 to come from a supplier.
            stock_theorique: Some(dec("25")),
            ..Product::default()
        };
        row.stats_expedition.qty = Some(dec("2"));
        let ordered = taken(&[("", "5")]);
        let open = |row: &Product, falls| open_quantity(row, Some(&ordered), falls);
        assert_eq!(open(&row, StockFalls::Shipment), dec("3"));
        assert_eq!(open(&row, StockFalls::Order), dec("0"));
        assert_eq!(open(&row, StockFalls::Invoice), dec("0"));
        row.stock_theorique = Some(dec("16"));
        assert_eq!(open(&row, StockFalls::Invoice), dec("4"));
        row.stats_expedition.qty = None;
        assert_eq!(open(&row, StockFalls::Shipment), dec("4"));
    }

    #[test]
    fn shares_add_up_to_what_is_open() {
        let ordered = taken(&[("1", "5"), ("2", "3"), ("", "1")]);
        assert_eq!(shared(Some(&ordered), dec("9")), ordered);
        let less = shared(Some(&ordered), dec("6"));
        assert_eq!(less, taken(&[("1", "2"), ("2", "3"), ("", "1")]));
        let few = shared(Some(&ordered), dec("1"));
        assert_eq!(few.values().sum::<Decimal>(), dec("1"));
        assert_eq!(shared(None, dec("2")), taken(&[("", "2")]));
        assert_eq!(
            shared(Some(&ordered), dec("10")),
            taken(&[("1", "5"), ("2", "3"), ("", "2")])
        );
    }
}
