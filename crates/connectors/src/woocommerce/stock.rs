//! Stock of products and variations, each under its own id: the id that order lines name.
//!
//! A sale and a write move the time of change of what was sold, and of the product when it is a variation (measured on 11.0.1). Since
//! WooCommerce 10.3 the variations of all products are a list of their own; before, they are read through their product.

use super::batch::{Route, Update};
use super::read::{IDS, Item, as_seen, id_of, is_number, items_of, unreadable};
use super::wire::{Refusal, StockWire};
use super::{Shop, fault, party, path};
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Priority, encode};
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::document::Document;
use comptoir_model::fault::{Fault, Next};
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Record, Seen, Step, Unreadable, Write, Written};
use comptoir_model::stock::{Level, Stock};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of a product: the whole of it is fifty times as long.
const FIELDS: &str =
    "id,parent_id,type,status,sku,manage_stock,stock_quantity,backorders,date_modified_gmt";

/// Products per page where each variable one costs a call more.
const WITH_VARIATIONS: u32 = 50;

/// Where reading stock stands: variations are a list of their own.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockCursor {
    v: u8,
    products: Cursor,
    variations: Cursor,
    /// Products whose variations are read once more, where the shop has no list of them: a second sale within the second of the first
    /// leaves no mark on the product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    again: Vec<RemoteId>,
}

impl StockCursor {
    fn open(since: &Cursor) -> Result<Self, Fault> {
        if since.is_start() {
            return Ok(StockCursor {
                v: 1,
                ..StockCursor::default()
            });
        }
        serde_json::from_str(&since.0)
            .ok()
            .filter(|cursor: &StockCursor| cursor.v == 1)
            .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))
    }

    fn close(&self) -> Cursor {
        // Plain data always has a JSON form.
        Cursor(serde_json::to_string(self).unwrap_or_default())
    }
}

/// Where to begin for what has changed since both lists' instant.
pub(super) fn cursor_since(since: &Cursor) -> Cursor {
    StockCursor {
        v: 1,
        products: since.clone(),
        variations: since.clone(),
        again: Vec::new(),
    }
    .close()
}

/// The stock of one item as the shop shows it now.
struct Held {
    /// The product, of a variation.
    parent: Option<RemoteId>,
    /// In the trash: it is sold no more.
    is_trashed: bool,
    is_variable: bool,
    record: Record,
}

/// # Errors
/// A bug fault with the path that cannot be read.
fn held(json: &str) -> Result<Held, Fault> {
    let wire: StockWire = decode::json(json.as_bytes())?;
    let managed = wire.manage_stock == "true";
    let stock = Stock {
        sku: wire.sku.trim().to_owned(),
        managed,
        backorders: matches!(wire.backorders.as_str(), "yes" | "notify"),
        levels: Vec::from_iter(managed.then(|| Level {
            available: wire.stock_quantity.map(|quantity| quantity.normalize()),
            ..Level::default()
        })),
        components: Vec::new(),
    };
    Ok(Held {
        parent: wire.parent_id,
        is_trashed: wire.status == "trash",
        is_variable: wire.kind == "variable",
        record: Record {
            id: wire.id,
            version: wire.date_modified_gmt,
            document: Document::Stock(stock),
            raw: None,
        },
    })
}

/// The record of an item's stock.
///
/// # Errors
/// The item as it came, when it cannot be read.
pub(super) fn item(json: &str) -> Item {
    match held(json) {
        Ok(held) => Ok(held.record),
        Err(fault) => Err(unreadable(json, fault)),
    }
}

fn cut(call: Call) -> Call {
    call.query("_fields", FIELDS).priority(Priority::Stock)
}

impl Shop {
    /// Products, then variations.
    pub(super) async fn stock_changes(&self, since: &Cursor) -> Result<Page, Fault> {
        let mut cursor = StockCursor::open(since)?;
        let has_list = self.lists_variations().await?;
        let size = match has_list {
            true => self.settings.page_size,
            false => WITH_VARIATIONS.min(self.settings.page_size),
        };
        let mut parents: Vec<(RemoteId, String)> = Vec::new();
        let call = cut(Call::get("stock.products", path("products"))).query("status", "any");
        let read = |json: &str| {
            let held = held(json);
            let variable = held.as_ref().ok().filter(|held| held.is_variable);
            parents
                .extend(variable.map(|held| (held.record.id.clone(), held.record.version.clone())));
            held.map(|held| held.record)
                .map_err(|fault| unreadable(json, fault))
        };
        let products = self.changed(call, &cursor.products, size, read).await?;
        cursor.products = products.next;
        let (mut items, mut more) = (products.items, products.more);
        if !has_list {
            parents.retain(|(id, _)| items.iter().any(|item| id_of(item).as_ref() == Some(id)));
            let again = std::mem::replace(&mut cursor.again, self.recent(&parents));
            let fresh = parents.into_iter().map(|(id, _)| id);
            for parent in fresh.chain(again).collect::<BTreeSet<_>>() {
                items.extend(self.variations_of(&parent, cut, item).await?);
            }
        } else if !more {
            let call = cut(Call::get("stock.variations", path("variations")));
            let variations = self.changed(call, &cursor.variations, size, item).await?;
            cursor.variations = variations.next;
            items.extend(variations.items);
            more = variations.more;
        }
        Ok(Page {
            items,
            gone: Vec::new(),
            next: cursor.close(),
            more,
        })
    }

    /// Those that changed so recently that they may change again within the same second, by clocks that may differ.
    fn recent(&self, parents: &[(RemoteId, String)]) -> Vec<RemoteId> {
        let recent = self.kit.clock.now() - self.settings.overlap();
        let parents = parents.iter();
        let parents = parents.filter(|(_, at)| party::modified(at).is_none_or(|at| at >= recent));
        parents.map(|(id, _)| id.clone()).collect()
    }

    /// Whether the shop lists the variations of all products. Asked once: an update of the shop is met by the next start.
    async fn lists_variations(&self) -> Result<bool, Fault> {
        let ask = || async {
            let call = Call::get("stock.has_list", path("variations"))
                .query("per_page", 1)
                .query("_fields", "id")
                .priority(Priority::Stock);
            let answer = self.http.send(call).await?;
            let refusal: Option<Refusal> = answer.json_if();
            if refusal.is_some_and(|refusal| refusal.code == "rest_no_route") {
                return Ok(false);
            }
            fault::success(answer, self.mode).map(|_| true)
        };
        self.lists_variations.get_or_try_init(ask).await.copied()
    }

    /// The stock of items by id.
    pub(super) async fn read_stock(&self, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let mut found = self.stock_of(ids).await?;
        let seen = |id: &RemoteId| {
            let item = found.remove(id).map(|held| held.map(|held| held.record));
            as_seen(id, item)
        };
        Ok(ids.iter().map(seen).collect())
    }

    /// What the shop shows of these items now: products, then variations, then one by one what no list shows (plug-ins hide some). What is
    /// gone or in the trash is not in the answer.
    async fn stock_of(
        &self,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Result<Held, Unreadable>>, Fault> {
        let mut found = BTreeMap::new();
        let mut left: Vec<&RemoteId> = ids.iter().filter(|id| is_number(id)).collect();
        left.sort();
        left.dedup();
        for list in ["products", "variations"] {
            if left.is_empty() || (list == "variations" && !self.lists_variations().await?) {
                continue;
            }
            for chunk in left.chunks(IDS) {
                let include: Vec<&str> = chunk.iter().map(|id| id.as_str()).collect();
                let call = cut(Call::get("stock.by_id", path(list)))
                    .query("include", include.join(","))
                    .query("per_page", chunk.len());
                for json in items_of(&self.ask(call).await?)? {
                    keep(&mut found, json);
                }
            }
            left.retain(|id| !found.contains_key(*id));
        }
        for id in left {
            let resource = format!("products/{}", encode(id.as_str()));
            match self.ask(cut(Call::get("stock.one", path(resource)))).await {
                Ok(answer) => keep(&mut found, answer.json()?),
                Err(fault) if fault.next == Next::Gone => {}
                Err(fault) => return Err(fault),
            }
        }
        found.retain(|_, held| !held.as_ref().is_ok_and(|held| held.is_trashed));
        Ok(found)
    }

    /// Sets quantities. The items are looked at first: a variation is written through its product, an item that is not counted takes a
    /// quantity without a word and keeps none, and what no longer exists is told apart.
    pub(super) async fn write_stock(&self, batch: &[Write]) -> Vec<Result<Written, Fault>> {
        let targets: Vec<RemoteId> = batch
            .iter()
            .filter_map(|write| write.target.clone())
            .collect();
        let held = match self.stock_of(&targets).await {
            Ok(held) => held,
            Err(fault) => return batch.iter().map(|_| Err(fault.clone())).collect(),
        };
        let mut results: Vec<Result<Written, Fault>> = Vec::with_capacity(batch.len());
        // By product; the products themselves under none.
        let mut groups: BTreeMap<Option<RemoteId>, Vec<(usize, Update)>> = BTreeMap::new();
        for (place, write) in batch.iter().enumerate() {
            match update(write, &held) {
                Ok((parent, update)) => {
                    // Until its answer is there.
                    results.push(Err(Fault::bug("this quantity was not sent")));
                    groups.entry(parent).or_default().push((place, update));
                }
                Err(fault) => results.push(Err(fault)),
            }
        }
        for (parent, group) in groups {
            let (places, updates): (Vec<usize>, Vec<Update>) = group.into_iter().unzip();
            let outcomes = self.send_updates(&route(parent), &updates).await;
            for ((place, (id, _)), outcome) in places.into_iter().zip(&updates).zip(outcomes) {
                results[place] = outcome.and_then(|raw| written(id, &raw));
            }
        }
        results
    }
}

fn keep(found: &mut BTreeMap<RemoteId, Result<Held, Unreadable>>, json: &RawValue) {
    let held = held(json.get()).map_err(|fault| unreadable(json.get(), fault));
    let id = match &held {
        Ok(held) => Some(held.record.id.clone()),
        Err(unreadable) => unreadable.id.clone(),
    };
    if let Some(id) = id {
        found.insert(id, held);
    }
}

fn route(parent: Option<RemoteId>) -> Route {
    Route {
        what: "stock.batch",
        resource: match parent {
            Some(parent) => format!("products/{}/variations", encode(parent.as_str())),
            None => "products".to_owned(),
        },
        kind: Kind::Stock,
        step: Step::Update,
        priority: Priority::Stock,
        again: true,
    }
}

/// Where an update goes, and what it says.
fn update(
    write: &Write,
    held: &BTreeMap<RemoteId, Result<Held, Unreadable>>,
) -> Result<(Option<RemoteId>, Update), Fault> {
    let quantity = quantity(write)?;
    let Some(id) = &write.target else {
        return Err(Fault::bug("a quantity needs the item's id"));
    };
    let held = match held.get(id) {
        Some(Ok(held)) => held,
        Some(Err(unreadable)) => return Err(unreadable.fault.clone()),
        None => {
            let why = "the shop does not have this product or variation any more";
            return Err(Fault::gone(Code::RecordGone, why));
        }
    };
    if !held
        .record
        .document
        .as_stock()
        .is_some_and(|stock| stock.managed)
    {
        return Err(not_counted());
    }
    if let Some(expected) = &write.expects
        && *expected != held.record.version
    {
        return Err(Fault::moved("the product changed in the shop meanwhile"));
    }
    let number: u64 = id.as_str().parse().unwrap_or_default();
    let item = json!({ "id": number, "stock_quantity": quantity });
    Ok((held.parent.clone(), (id.clone(), item)))
}

fn not_counted() -> Fault {
    Fault::refused(
        Code::WrongState,
        "the shop does not count the stock of this item: switch its stock management on in the shop, or leave the item out of the flow",
    )
}

/// The one quantity of a write, in whole pieces: in a batch the shop cuts a fraction, and takes any text for 0.
fn quantity(write: &Write) -> Result<i64, Fault> {
    if (write.kind, write.step) != (Kind::Stock, Step::Update) {
        let what = format!("{} {}", write.kind, write.step.as_str());
        return Err(Fault::bug(format!("`{what}` is not offered")));
    }
    let levels = write.document.as_stock().map(|stock| &stock.levels[..]);
    let Some([level]) = levels else {
        return Err(Fault::bug("a shop's item has one quantity"));
    };
    let whole = |quantity: Decimal| {
        i64::try_from(quantity)
            .ok()
            .filter(|_| quantity.is_integer())
    };
    let quantity = level.available.filter(|_| level.location.is_none());
    quantity.and_then(whole).ok_or_else(|| {
        let why = "the shop takes a whole number of pieces, in one place";
        Fault::refused(Code::Refused, why).at("stock_quantity")
    })
}

/// The item as its answer shows it.
fn written(id: &RemoteId, raw: &RawValue) -> Result<Written, Fault> {
    let seen = item(raw.get()).ok();
    let stock = seen.as_ref().and_then(|record| record.document.as_stock());
    // Switched off in the moment between: the shop says nothing and keeps no quantity.
    if stock.is_some_and(|stock| !stock.managed) {
        return Err(not_counted());
    }
    Ok(Written {
        id: id.clone(),
        seen,
    })
}
