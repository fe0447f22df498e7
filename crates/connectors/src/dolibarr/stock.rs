//! Stock: every product with its warehouses, less what validated orders have taken of it and have not shipped.
//!
//! The stream brings products whose `tms` moved (a movement of stock moves it), and those on orders whose `tms` moved: validating an
//! order moves no product.

use super::StockFalls;
use super::api::{Api, List};
use super::demand::{self, Demand, Taken};
use super::filter;
use super::map;
use super::read;
use super::sweep::Sweep;
use super::wire::{Product, Raw};
use comptoir_kit::batch::number;
use comptoir_kit::decode;
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::{Digest, Document};
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::RemoteId;
use comptoir_model::port::{Cursor, Page, Record, Seen, Unreadable};
use comptoir_model::stock::{Level, Stock};
use serde_json::value::RawValue;
use std::collections::{BTreeSet, HashMap};

/// Orders per page of the stream beside the products.
const ORDERS: usize = 50;

/// What changed since a cursor; everything at the start.
pub(super) async fn changes(api: &Api, since: &Cursor, page: usize) -> Result<Page, Fault> {
    let falls = demand::falls(api).await?;
    let mut demand = api.demand.lock().await;
    let mut sweep = Sweep::open(since)?;
    if sweep.begins() {
        if sweep.is_whole() {
            demand.forget();
        }
        let newest = demand::newest(api).await?;
        sweep.begin(api.clock.now(), demand::begin(api, newest));
    }
    if falls != StockFalls::Order {
        demand.refresh(api).await?;
    }
    let mut items = Vec::new();
    if let Some(after) = sweep.after() {
        let rows = swept(api, &sweep, after, page).await?;
        let read = stocks(api, &mut demand, falls, &rows).await?;
        for (row, item) in rows.iter().zip(read) {
            if is_fresh(api, &mut sweep, row, &item) {
                items.push(item);
            }
        }
        if rows.len() >= page {
            return Ok(page_of(items, Vec::new(), &sweep, true));
        }
        sweep.through();
    }
    let (more, gone) = touched(api, &mut demand, falls, &mut sweep, &mut items).await?;
    Ok(page_of(items, gone, &sweep, more))
}

fn page_of(items: Vec<read::Item>, gone: Vec<RemoteId>, sweep: &Sweep, more: bool) -> Page {
    Page {
        items,
        gone,
        next: sweep.cursor(),
        more,
    }
}

/// The next page of products.
async fn swept(api: &Api, sweep: &Sweep, after: i64, page: usize) -> Result<Raw, Fault> {
    let mut filter = format!("(t.rowid:>:{after})");
    if let Some(since) = sweep.since(demand::overlap(&api.settings)) {
        filter = format!("{} and {filter}", filter::since(since, &api.zone()));
    }
    let list = List {
        filter: &filter,
        priority: Priority::Stock,
        stock: true,
        ..List::of("stock.changes", "products", page)
    };
    api.list(list).await
}

fn is_fresh(api: &Api, sweep: &mut Sweep, row: &RawValue, item: &read::Item) -> bool {
    let brief = read::brief(row);
    let version = match item {
        Ok(record) => record.version.clone(),
        Err(unreadable) => Digest::of(unreadable.raw.as_bytes()).to_string(),
    };
    let at = map::instant(&brief.date_modification, &api.zone());
    sweep.take(brief.id, &version, at)
}

/// The products on orders that changed: whether more orders wait, and which products are gone.
async fn touched(
    api: &Api,
    demand: &mut Demand,
    falls: StockFalls,
    sweep: &mut Sweep,
    items: &mut Vec<read::Item>,
) -> Result<(bool, Vec<RemoteId>), Fault> {
    let now = api.clock.now();
    if falls == StockFalls::Order {
        // What an order takes is taken from stock at once, which moves the product.
        let orders = sweep.orders().clone();
        sweep.took_orders(orders, false, now);
        return Ok((false, Vec::new()));
    }
    let changed = demand::orders_since(api, sweep.orders(), ORDERS).await?;
    let mut products = BTreeSet::new();
    for order in &changed.orders {
        products.extend(demand.touched(order));
    }
    let there: BTreeSet<i64> = items
        .iter()
        .filter_map(|item| number(&item.as_ref().ok()?.id))
        .collect();
    let wanted: Vec<i64> = products.difference(&there).copied().collect();
    let mut gone = Vec::new();
    for part in wanted.chunks(50) {
        for (id, seen) in of_numbers(api, demand, falls, part).await? {
            match seen {
                Seen::Record(record) => items.push(Ok(*record)),
                Seen::Unreadable(unreadable) => items.push(Err(*unreadable)),
                Seen::Gone(_) => gone.push(RemoteId(id.to_string())),
            }
        }
    }
    sweep.took_orders(changed.next, changed.more, now);
    Ok((changed.more, gone))
}

/// The stock of these products as it is now.
pub(super) async fn by_ids(api: &Api, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
    let falls = demand::falls(api).await?;
    let mut demand = api.demand.lock().await;
    if falls != StockFalls::Order {
        demand.refresh(api).await?;
    }
    let numbers: Vec<i64> = ids.iter().filter_map(number).collect();
    let mut found: HashMap<RemoteId, Seen> = of_numbers(api, &mut demand, falls, &numbers)
        .await?
        .into_iter()
        .map(|(id, seen)| (RemoteId(id.to_string()), seen))
        .collect();
    let mut answered = BTreeSet::new();
    Ok(ids
        .iter()
        .filter(|id| answered.insert((*id).clone()))
        .map(|id| found.remove(id).unwrap_or_else(|| Seen::Gone(id.clone())))
        .collect())
}

/// Products by number. A list leaves out what the user may not see as well, so what is missing is asked for by itself.
async fn of_numbers(
    api: &Api,
    demand: &mut Demand,
    falls: StockFalls,
    numbers: &[i64],
) -> Result<Vec<(i64, Seen)>, Fault> {
    let mut rows = listed(api, numbers).await?;
    let mut missing = Vec::new();
    let there: BTreeSet<i64> = rows.iter().map(|row| read::brief(row).id).collect();
    for number in numbers.iter().filter(|number| !there.contains(number)) {
        let path = format!("products/{number}");
        let query = [("includestockdata", "1")];
        match api
            .get_as("stock.read", &path, &query, Priority::Stock)
            .await
        {
            Ok(row) => rows.push(row),
            Err(fault) => missing.push((*number, not_there(*number, fault)?)),
        }
    }
    let items = stocks(api, demand, falls, &rows).await?;
    let seen = items.into_iter().map(|item| match item {
        Ok(record) => (
            number(&record.id).unwrap_or_default(),
            Seen::Record(Box::new(record)),
        ),
        Err(unreadable) => (
            unreadable.id.as_ref().and_then(number).unwrap_or_default(),
            Seen::Unreadable(Box::new(unreadable)),
        ),
    });
    Ok(seen.chain(missing).collect())
}

fn not_there(number: i64, fault: Fault) -> Result<Seen, Fault> {
    let id = RemoteId(number.to_string());
    match fault.next {
        Next::Gone => Ok(Seen::Gone(id)),
        Next::Refused => Ok(Seen::Unreadable(Box::new(Unreadable {
            id: Some(id),
            fault,
            raw: String::new(),
        }))),
        _ => Err(fault),
    }
}

async fn listed(api: &Api, numbers: &[i64]) -> Result<Raw, Fault> {
    if numbers.is_empty() {
        return Ok(Raw::new());
    }
    let filter = filter::ids(numbers);
    let list = List {
        filter: &filter,
        priority: Priority::Stock,
        stock: true,
        ..List::of("stock.read", "products", numbers.len())
    };
    api.list(list).await
}

/// Rows of products as their stock.
async fn stocks(
    api: &Api,
    demand: &mut Demand,
    falls: StockFalls,
    rows: &Raw,
) -> Result<Vec<read::Item>, Fault> {
    let products: Vec<Result<Product, Fault>> = rows.iter().map(|row| product(row)).collect();
    if let Some(Err(fault)) = products
        .iter()
        .find(|product| matches!(product, Err(fault) if fault.next == Next::Locked))
    {
        return Err(fault.clone());
    }
    let ordered = demand.ordered();
    let by_kits = by_kits(api, demand, falls, &products, &ordered).await?;
    let rows = rows.iter().map(AsRef::as_ref);
    let item = |(product, row): (Result<Product, Fault>, &RawValue)| match product {
        Ok(product) => {
            let mut taken = demand::shared(
                ordered.get(&product.id),
                demand::open_quantity(&product, ordered.get(&product.id), falls),
            );
            for (warehouse, quantity) in by_kits.get(&product.id).into_iter().flatten() {
                *taken.entry(warehouse.clone()).or_default() += quantity;
            }
            Ok(record(
                &product,
                demand,
                taken,
                api.settings.ships_from.as_deref(),
            ))
        }
        Err(fault) => Err(Unreadable {
            id: Some(read::brief(row).id)
                .filter(|id| *id > 0)
                .map(|id| RemoteId(id.to_string())),
            fault: Fault {
                code: Code::Unreadable,
                ..fault
            },
            raw: row.get().to_owned(),
        }),
    };
    Ok(products.into_iter().zip(rows).map(item).collect())
}

/// # Errors
/// [`Code::MissingRight`] when Dolibarr leaves the stock out: it answers without it, as if there were none.
fn product(row: &RawValue) -> Result<Product, Fault> {
    let product: Product = decode::json(row.get().as_bytes())?;
    if product.stock_reel.is_none() {
        return Err(Fault::locked(
            Code::MissingRight,
            format!(
                "Dolibarr shows no stock: {}",
                super::fault::right("warehouses")
            ),
        ));
    }
    Ok(product)
}

/// What open orders of kits have taken of their parts. Dolibarr itself counts it with the shipment only.
async fn by_kits(
    api: &Api,
    demand: &mut Demand,
    falls: StockFalls,
    products: &[Result<Product, Fault>],
    ordered: &HashMap<i64, Taken>,
) -> Result<HashMap<i64, Taken>, Fault> {
    let mut by_kits: HashMap<i64, Taken> = HashMap::new();
    if !api.settings.kits {
        return Ok(by_kits);
    }
    let here = products.iter().flatten().map(|product| product.id);
    demand.kits.learn(api, &here.collect(), true).await?;
    if falls == StockFalls::Order {
        return Ok(by_kits);
    }
    demand
        .kits
        .learn(api, &ordered.keys().copied().collect(), false)
        .await?;
    let kits: Vec<i64> = ordered
        .keys()
        .copied()
        .filter(|product| demand.kits.is_kit(*product))
        .collect();
    for part in kits.chunks(50) {
        for row in &listed(api, part).await? {
            let kit = product(row)?;
            let asked = ordered.get(&kit.id);
            let taken = demand::shared(asked, demand::open_quantity(&kit, asked, falls));
            for (component, each) in demand.kits.exploded(kit.id) {
                let of_component = by_kits.entry(component).or_default();
                for (warehouse, quantity) in &taken {
                    *of_component.entry(warehouse.clone()).or_default() += quantity * each;
                }
            }
        }
    }
    Ok(by_kits)
}

fn record(product: &Product, demand: &Demand, taken: Taken, ships_from: Option<&str>) -> Record {
    let mut stock = Stock {
        sku: product.reference.trim().to_owned(),
        managed: product.is_counted(),
        ..Stock::default()
    };
    if stock.managed {
        stock.components = demand.kits.components(product.id);
        if stock.components.is_empty() {
            stock.levels = levels(product, taken, ships_from);
        }
    }
    let document = Document::Stock(stock);
    let digest = Digest::of(&document.to_json()).to_string();
    Record {
        id: RemoteId(product.id.to_string()),
        version: format!("{}/{}", product.date_modification, &digest[..16]),
        document,
        raw: None,
    }
}

/// The levels of a product. What orders have taken without naming a warehouse is taken off the one that goods are shipped from, then
/// off the others, the fullest first.
fn levels(product: &Product, mut taken: Taken, ships_from: Option<&str>) -> Vec<Level> {
    let unbound = taken.remove(&None).unwrap_or_default();
    let ships_from = ships_from.map(|id| RemoteId(id.to_owned()));
    let mut places: Vec<(RemoteId, Decimal, Decimal)> = product
        .stock_warehouse
        .iter()
        .map(|(id, place)| (RemoteId(id.clone()), place.real, place.real))
        .collect();
    let named = taken.keys().flatten();
    let named = named.chain(ships_from.as_ref().filter(|_| !unbound.is_zero()));
    let missing: BTreeSet<RemoteId> = named
        .filter(|id| places.iter().all(|(place, ..)| place != *id))
        .cloned()
        .collect();
    places.extend(
        missing
            .into_iter()
            .map(|id| (id, Decimal::ZERO, Decimal::ZERO)),
    );
    for (id, _, available) in &mut places {
        *available -= taken.get(&Some(id.clone())).copied().unwrap_or_default();
    }
    places.sort_by(|(a, _, of_a), (b, _, of_b)| {
        let first = |id: &RemoteId| ships_from.as_ref() != Some(id);
        first(a)
            .cmp(&first(b))
            .then(of_b.cmp(of_a))
            .then_with(|| a.cmp(b))
    });
    let mut rest = unbound;
    for (.., available) in &mut places {
        let off = rest.min((*available).max(Decimal::ZERO));
        *available -= off;
        rest -= off;
    }
    if let Some((.., available)) = places.first_mut() {
        *available -= rest;
    }
    places.sort_by_key(|(id, ..)| (number(id), id.clone()));
    let level = |(id, real, available): (RemoteId, Decimal, Decimal)| Level {
        location: Some(id),
        on_hand: Some(real.normalize()),
        available: Some(available.normalize()),
        incoming: None,
    };
    places.into_iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dolibarr::wire::Place;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn available(
        places: &[(&str, &str)],
        taken: &[(&str, &str)],
        ships_from: Option<&str>,
    ) -> String {
        let place = |(id, real): &(&str, &str)| ((*id).to_owned(), Place { real: dec(real) });
        let product = Product {
            stock_warehouse: places.iter().map(place).collect(),
            ..Product::default()
        };
        let share = |(id, quantity): &(&str, &str)| {
            let id = Some(*id).filter(|id| !id.is_empty());
            (id.map(|id| RemoteId(id.to_owned())), dec(quantity))
        };
        let taken = taken.iter().map(share).collect();
        let levels = levels(&product, taken, ships_from);
        let shown = levels.iter().map(|level| {
            let place = level.location.as_ref().map_or("", RemoteId::as_str);
            format!("{place}:{}", level.available.unwrap_or_default())
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_names_no_warehouse_is_taken_where_goods_leave_from() {
        let places = [("2", "5"), ("10", "20")];
        assert_eq!(available(&places, &[], None), "2:5 10:20");
        assert_eq!(available(&places, &[("", "3")], None), "2:5 10:17");
        assert_eq!(available(&places, &[("", "3")], Some("2")), "2:2 10:20");
        assert_eq!(available(&places, &[("", "7")], Some("2")), "2:0 10:18");
        assert_eq!(available(&places, &[("", "30")], None), "2:0 10:-5");
        assert_eq!(
            available(&places, &[("2", "7"), ("", "1")], None),
            "2:-2 10:19"
        );
        assert_eq!(available(&[], &[("3", "1")], None), "3:-1");
        assert_eq!(available(&[], &[("", "1")], Some("3")), "3:-1");
        assert_eq!(available(&[], &[("", "1")], None), "");
    }
}
