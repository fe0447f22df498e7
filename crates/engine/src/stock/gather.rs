//! What decisions about items need, fetched from the store for many items of one flow at once.

use super::decide::{StockCase, StockDecision, decide};
use crate::decide::Verdict;
use crate::flow::Flow;
use crate::hub::Hub;
use comptoir_model::Decimal;
use comptoir_model::account::Account;
use comptoir_model::key::RemoteId;
use comptoir_model::stock::Stock;
use comptoir_rules::stock::promised;
use comptoir_store::{LevelRow, ReserveRow, StoreError, WorkRow};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is known about some items of a flow.
pub struct Known {
    /// The chosen places, by id; none when one of them is not known.
    places: Option<Vec<RemoteId>>,
    /// The ERP's items and the components of those that are kits.
    erp: HashMap<RemoteId, LevelRow>,
    /// The ERP's items by stock keeping unit, as far as they are namesakes.
    namesakes: BTreeMap<String, usize>,
    /// The kits that these components are in, whose orders take of them too.
    kits: BTreeMap<RemoteId, Vec<LevelRow>>,
    /// What orders take, by stock keeping unit.
    reserves: HashMap<String, Vec<ReserveRow>>,
    /// The shop's items by stock keeping unit.
    shop: BTreeMap<String, Vec<LevelRow>>,
}

impl Known {
    /// Everything known about these items of a flow's source.
    pub async fn load(hub: &Hub, flow: &Flow, items: &[RemoteId]) -> Result<Self, StoreError> {
        Known::load_as_seen(hub, flow, items, Vec::new()).await
    }

    /// The same, with what the source says of some of them by now in place of what is stored.
    pub async fn load_as_seen(
        hub: &Hub,
        flow: &Flow,
        items: &[RemoteId],
        seen: Vec<LevelRow>,
    ) -> Result<Self, StoreError> {
        let (store, erp_name) = (&hub.store, &flow.source);
        let mut erp = store.levels(erp_name, items).await?;
        erp.extend(seen.into_iter().map(|level| (level.item.clone(), level)));
        let parts: BTreeSet<RemoteId> = erp
            .values()
            .flat_map(|level| &level.stock.components)
            .map(|part| part.product.clone())
            .filter(|part| !erp.contains_key(part))
            .collect();
        let parts: Vec<RemoteId> = parts.into_iter().collect();
        erp.extend(store.levels(erp_name, &parts).await?);
        let all: Vec<RemoteId> = erp.keys().cloned().collect();
        let kits = load_kits(hub, flow, &all).await?;
        let skus: BTreeSet<String> = erp
            .values()
            .chain(kits.values().flatten())
            .map(|level| level.stock.sku.clone())
            .filter(|sku| !sku.is_empty())
            .collect();
        let skus: Vec<String> = skus.into_iter().collect();
        let oldest = erp
            .values()
            .map(|level| level.as_of)
            .min()
            .unwrap_or_default();
        let mut reserves: HashMap<String, Vec<ReserveRow>> = HashMap::new();
        for row in store.in_flight(erp_name, &skus, oldest).await? {
            reserves.entry(row.sku.clone()).or_default().push(row);
        }
        let namesakes = store.levels_of_skus(erp_name, &skus).await?;
        Ok(Known {
            places: places(hub, flow).await?,
            erp,
            namesakes: namesakes
                .into_iter()
                .map(|(sku, levels)| (sku, levels.len()))
                .collect(),
            kits,
            reserves,
            shop: store.levels_of_skus(&flow.target, &skus).await?,
        })
    }

    /// An item of the ERP as it was decided on.
    pub fn erp(&self, id: &RemoteId) -> Option<&LevelRow> {
        self.erp.get(id)
    }

    /// What orders take of an item that its reading cannot know: by its own name, and as a part of kits.
    pub fn in_flight(&self, level: &LevelRow) -> Decimal {
        let of = |sku: &str| -> Decimal {
            let rows = self.reserves.get(sku).map_or(&[][..], Vec::as_slice);
            rows.iter().map(|row| row.in_flight(level.as_of)).sum()
        };
        let mut taken = of(&level.stock.sku);
        for kit in self.kits.get(&level.item).into_iter().flatten() {
            let parts = &kit.stock.components;
            let each = parts.iter().filter(|part| part.product == level.item);
            let each: Decimal = each.map(|part| part.quantity).sum();
            taken += each * of(&kit.stock.sku);
        }
        taken
    }

    /// The shop's items with a stock keeping unit.
    pub fn shop(&self, sku: &str) -> &[LevelRow] {
        self.shop.get(sku).map_or(&[][..], Vec::as_slice)
    }

    /// Takes what the shop's items show by now in place of what is stored. Items that are gone have none.
    pub fn see_shop(&mut self, seen: &HashMap<RemoteId, Option<Stock>>, as_of: i64) {
        for levels in self.shop.values_mut() {
            levels.retain(|level| seen.get(&level.item) != Some(&None));
            for level in levels {
                if let Some(Some(stock)) = seen.get(&level.item) {
                    level.stock = stock.clone();
                    level.as_of = as_of;
                }
            }
        }
    }

    /// A component's stock, and what orders take of it.
    fn component(&self, id: &RemoteId) -> Option<(Stock, Decimal)> {
        let level = self.erp.get(id)?;
        Some((level.stock.clone(), self.in_flight(level)))
    }

    /// What can be promised of an item; none when the ERP does not count it, or one of the chosen places is not known.
    pub fn promised(&self, flow: &Flow, id: &RemoteId) -> Option<Decimal> {
        let level = self.erp.get(id)?;
        let places = self.places.as_deref()?;
        // What orders take of a kit is taken of its components.
        let in_flight = match level.stock.components.is_empty() {
            true => self.in_flight(level),
            false => Decimal::ZERO,
        };
        let component = |id: &RemoteId| self.component(id);
        promised(
            &level.stock,
            places,
            in_flight,
            flow.stock.buffer,
            &component,
        )
    }

    /// Decides one item.
    pub fn decide(&self, flow: &Flow, work: &WorkRow, capped: bool) -> StockDecision {
        let erp = self.erp.get(&work.src);
        let sku = erp.map_or("", |level| level.stock.sku.as_str());
        decide(&StockCase {
            flow,
            places_known: self.places.is_some(),
            erp,
            namesakes: self.namesakes.get(sku).copied().unwrap_or_default(),
            promised: self.promised(flow, &work.src),
            shop: self.shop(sku),
            capped,
            verdict: Verdict::of(work.approved.as_deref()),
        })
    }
}

/// The kits that components are in.
async fn load_kits(
    hub: &Hub,
    flow: &Flow,
    components: &[RemoteId],
) -> Result<BTreeMap<RemoteId, Vec<LevelRow>>, StoreError> {
    let pairs = hub.store.kits_of(&flow.source, components).await?;
    let ids: BTreeSet<RemoteId> = pairs.iter().map(|(_, kit)| kit.clone()).collect();
    let ids: Vec<RemoteId> = ids.into_iter().collect();
    let levels = hub.store.levels(&flow.source, &ids).await?;
    let mut kits: BTreeMap<RemoteId, Vec<LevelRow>> = BTreeMap::new();
    for (component, kit) in pairs {
        if let Some(level) = levels.get(&kit) {
            kits.entry(component).or_default().push(level.clone());
        }
    }
    Ok(kits)
}

/// The ids of the flow's chosen places, by what the ERP's probe found.
async fn places(hub: &Hub, flow: &Flow) -> Result<Option<Vec<RemoteId>>, StoreError> {
    if flow.stock.locations.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let row = hub.store.connection(&flow.source).await?;
    let account: Option<Account> = row.and_then(|row| row.account);
    let id = |name: &String| {
        let choice = account.as_ref()?.choice("warehouses", name)?;
        Some(choice.id.clone())
    };
    Ok(flow.stock.locations.iter().map(id).collect())
}
