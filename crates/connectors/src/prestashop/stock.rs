//! Reading stock. The shop keeps no time of a change of stock, and selling moves nothing that has one. So it is read whole, product by
//! product by id; afterwards the stream brings what is new or was changed by hand, and everything else comes with the next whole reading.

use super::Shop;
use super::ask::{List, Mark};
use super::product::product_of;
use super::read::{KindCursor, id_of, is_number};
use super::shelf::{self, Habits, Item, Shelves};
use comptoir_kit::decode;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Cursor, Page, Seen, Unreadable};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How long the shop's habits are believed.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Where reading stock stands.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockCursor {
    v: u8,
    /// In a whole reading: the last product that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    product: Option<u64>,
    /// Products that changed since the whole reading began.
    changed: Cursor,
}

impl StockCursor {
    fn open(since: &Cursor) -> Result<Self, Fault> {
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

impl Shop {
    /// Everything from the start on, then what is new or was changed.
    pub(super) async fn stock_changes(&self, since: &Cursor) -> Result<Page, Fault> {
        let cursor = if since.is_start() {
            StockCursor {
                v: 1,
                product: Some(0),
                changed: self.since(Kind::Product, self.kit.clock.now()),
            }
        } else {
            StockCursor::open(since)?
        };
        match cursor.product {
            Some(last) => self.whole_page(last, cursor.changed).await,
            None => self.changed_page(&cursor.changed).await,
        }
    }

    /// The products after one, by id.
    async fn whole_page(&self, last: u64, changed: Cursor) -> Result<Page, Fault> {
        let size = self.settings.page_size;
        let list = List::of("stock.products", "products", shelf::PRODUCT)
            .beyond(last)
            .limited(0, size)
            .stock();
        let products = self.rows(list).await?;
        let ids: Vec<u64> = products
            .iter()
            .filter_map(|row| {
                let mark: Mark = decode::json(row.get().as_bytes()).ok()?;
                mark.id.parse().ok()
            })
            .collect();
        let more = products.len() >= size as usize;
        let next = ids.iter().max().copied().unwrap_or(last);
        // A shop that ignores the filter would be read from the start for ever.
        if ids.iter().any(|id| *id <= last) || (more && next <= last) {
            return Err(Fault::locked(
                Code::UnsupportedVersion,
                "the shop ignores the id that products are asked from; PrestaShop 1.7 or later is needed, without a module that rewrites lists",
            ));
        }
        let items = self.shelves(products).await?;
        Ok(page(
            items,
            StockCursor {
                v: 1,
                product: more.then_some(next),
                changed,
            },
            more,
        ))
    }

    /// Products that are new or were changed by hand.
    async fn changed_page(&self, changed: &Cursor) -> Result<Page, Fault> {
        let mut cursor = KindCursor::open(changed, Kind::Product, Timestamp::UNIX_EPOCH)?;
        let (products, more) = self.next_batch(Kind::Product, &mut cursor).await?;
        let ids: Vec<RemoteId> = products.iter().filter_map(id_of).collect();
        let items = self.items_of(&ids).await?;
        let next = StockCursor {
            v: 1,
            product: None,
            changed: cursor.close(),
        };
        Ok(page(items, next, more))
    }

    /// The stock of products and combinations.
    pub(super) async fn read_stock(&self, ids: &[RemoteId]) -> Result<Vec<Seen>, Fault> {
        let mut found = self.stocked(ids).await?;
        let seen = |id: &RemoteId| match found.remove(id) {
            Some(Ok(item)) => Seen::Record(Box::new(item.record())),
            Some(Err(unreadable)) => Seen::Unreadable(Box::new(unreadable)),
            None => Seen::Gone(id.clone()),
        };
        Ok(ids.iter().map(seen).collect())
    }

    /// Items by their id; none of what is gone.
    pub(super) async fn stocked(
        &self,
        ids: &[RemoteId],
    ) -> Result<BTreeMap<RemoteId, Result<Item, Unreadable>>, Fault> {
        let items = self.items_of(ids).await?;
        let own = |item: &Result<Item, Unreadable>| match item {
            Ok(item) => Some(item.id.clone()),
            Err(unreadable) => unreadable.id.clone(),
        };
        Ok(items
            .into_iter()
            .filter_map(|item| Some((own(&item)?, item)))
            .collect())
    }

    /// Everything of the products that these ids belong to.
    async fn items_of(&self, ids: &[RemoteId]) -> Result<Vec<Result<Item, Unreadable>>, Fault> {
        let products: BTreeSet<&str> = ids
            .iter()
            .map(|id| product_of(id).0)
            .filter(|id| is_number(id))
            .collect();
        let products: Vec<&str> = products.into_iter().collect();
        let list = List::of("stock.products", "products", shelf::PRODUCT).stock();
        let rows = self.rows_by(list, "id", &products).await?;
        self.shelves(rows).await
    }

    /// The items of products, by their rows.
    async fn shelves(
        &self,
        products: Vec<super::ask::Row>,
    ) -> Result<Vec<Result<Item, Unreadable>>, Fault> {
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let habits = self.habits().await?;
        let marks: Vec<Mark> = products
            .iter()
            .filter_map(|row| decode::json(row.get().as_bytes()).ok())
            .collect();
        let ids: Vec<&str> = marks.iter().map(|mark| mark.id.as_str()).collect();
        let ids: Vec<&str> = ids.into_iter().filter(|id| is_number(id)).collect();
        let combinations =
            List::of("stock.combinations", "combinations", shelf::COMBINATION).stock();
        let shelves = Shelves {
            combinations: self.rows_by(combinations, "id_product", &ids).await?,
            stock: self
                .rows_by(self.stock_rows("stock.rows"), "id_product", &ids)
                .await?,
            products,
        };
        let shop = self.settings.shop_id.map(|id| id.to_string());
        Ok(shelves.items(habits, shop.as_deref()))
    }

    /// The list of rows of stock, whole: a shop before 8 takes a row as a whole only.
    pub(super) fn stock_rows(&self, what: &'static str) -> List {
        List::of(what, "stock_availables", "full").stock()
    }

    /// How the shop keeps stock, as fresh as it needs to be.
    async fn habits(&self) -> Result<Habits, Fault> {
        let now = self.kit.clock.now();
        let mut kept = self.habits.lock().await;
        if let Some((at, habits)) = *kept
            && now.duration_since(at) < FRESH
        {
            return Ok(habits);
        }
        let facts = self.facts().await?;
        let is = |name: &str, value: &str| facts.get(name).is_some_and(|text| text.trim() == value);
        let habits = Habits {
            counts: !is("PS_STOCK_MANAGEMENT", "0") && !is("PS_STOCK_MANAGEMENT", ""),
            below_zero: is("PS_ORDER_OUT_OF_STOCK", "1"),
        };
        *kept = Some((now, habits));
        Ok(habits)
    }
}

fn page(items: Vec<Result<Item, Unreadable>>, next: StockCursor, more: bool) -> Page {
    Page {
        items: items
            .into_iter()
            .map(|item| item.map(|item| item.record()))
            .collect(),
        gone: Vec::new(),
        next: next.close(),
        more,
    }
}
