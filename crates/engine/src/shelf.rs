//! What lies where in a target, for rules that route orders by it: the last reading of a flow of stock from that target.

use comptoir_model::Decimal;
use comptoir_model::account::Account;
use comptoir_model::key::{ConnectionName, RemoteId};
use comptoir_model::order::Order;
use comptoir_model::stock::Stock;
use comptoir_rules::mapping::OnHand;
use comptoir_store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};

/// What can still be promised of these orders' goods, by place (its name and its id) and SKU. A kit is as often there as its scarcest
/// component. Empty where no flow reads that stock.
///
/// # Errors
/// The store's.
pub async fn on_hand<'a>(
    store: &Store,
    target: &ConnectionName,
    account: &Account,
    orders: impl Iterator<Item = &'a Order>,
) -> Result<OnHand, StoreError> {
    let skus: BTreeSet<String> = orders
        .flat_map(|order| &order.lines)
        .map(|line| line.sku.clone())
        .filter(|sku| !sku.is_empty())
        .collect();
    let skus: Vec<String> = skus.into_iter().collect();
    if skus.is_empty() {
        return Ok(OnHand::new());
    }
    let levels = store.levels_of_skus(target, &skus).await?;
    let components: BTreeSet<RemoteId> = levels
        .values()
        .flatten()
        .flat_map(|level| &level.stock.components)
        .map(|component| component.product.clone())
        .collect();
    let components: Vec<RemoteId> = components.into_iter().collect();
    let components: HashMap<RemoteId, Stock> = match components.is_empty() {
        true => HashMap::new(),
        false => {
            let rows = store.levels(target, &components).await?;
            rows.into_iter().map(|(id, row)| (id, row.stock)).collect()
        }
    };
    let mut shelves = OnHand::new();
    for (sku, rows) in levels {
        // Of several items with one SKU nobody knows which is meant.
        let [row] = rows.as_slice() else { continue };
        for (place, quantity) in by_place(&row.stock, &components) {
            for name in names(account, &place) {
                shelves
                    .entry(name)
                    .or_default()
                    .insert(sku.clone(), quantity);
            }
        }
    }
    Ok(shelves)
}

fn names(account: &Account, place: &RemoteId) -> Vec<String> {
    let choices = account.choices.get("warehouses").into_iter().flatten();
    let named = choices.filter(|choice| choice.id == *place);
    std::iter::once(place.to_string())
        .chain(named.map(|choice| choice.name.clone()))
        .collect()
}

fn by_place(stock: &Stock, components: &HashMap<RemoteId, Stock>) -> HashMap<RemoteId, Decimal> {
    if stock.components.is_empty() {
        let levels = stock.levels.iter();
        let known = levels.filter_map(|level| Some((level.location.clone()?, level.available?)));
        return known.collect();
    }
    let mut least: Option<HashMap<RemoteId, Decimal>> = None;
    for component in &stock.components {
        let there = components
            .get(&component.product)
            .map(|stock| by_place(stock, &HashMap::new()));
        let there = there.unwrap_or_default();
        let kits = |place: &RemoteId| {
            let available = there.get(place).copied().unwrap_or_default();
            available
                .checked_div(component.quantity)
                .unwrap_or_default()
                .floor()
        };
        least = Some(match least {
            None => there
                .keys()
                .map(|place| (place.clone(), kits(place)))
                .collect(),
            Some(so_far) => so_far
                .into_iter()
                .map(|(place, count)| {
                    let count = count.min(kits(&place));
                    (place, count)
                })
                .collect(),
        });
    }
    least.unwrap_or_default()
}
