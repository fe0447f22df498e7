//! The stock of flow C on both sides: what the mock ERP has of each item, and what the mock shop shows of it. Whole generations of
//! changes are told by a number: each one moves every hundredth item.

use crate::call::Call;
use crate::erp::{FIRST_PRODUCT, Rows, sku_of};
use crate::mock::{Knobs, now_us};
use crate::shop::{Query, total};
use crate::wire::Reply;
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Id of the first item in the shop.
pub const FIRST_ITEM: u64 = 500_001;
/// One item in so many changes with a generation.
pub const EVERY: u64 = 100;
/// When the items were last changed before anything is measured (unix seconds), ten of them in each second.
const BEFORE: i64 = 1_770_000_000;

/// What the driver reads about flow C.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Moved {
    /// When the first call about stock came (unix microseconds).
    pub first: u64,
    /// When a reading of everything began (unix microseconds).
    pub whole: u64,
    /// When the last item was written (unix microseconds).
    pub last: u64,
    /// Items that were written.
    pub written: u64,
    /// Items of which the shop shows something else than the ERP has.
    pub wrong: u64,
}

/// Both sides.
#[derive(Default)]
pub struct Shelf {
    /// What the shop shows, by item, and when it was written (unix seconds).
    shown: BTreeMap<u64, (i64, i64)>,
    moved: Moved,
    /// Rows that the ERP's last answer about stock brought.
    rows: u64,
}

/// How many of an item the ERP has.
pub fn on_hand(item: u64, generation: u64) -> i64 {
    let moves = (1..=generation).filter(|g| g % EVERY == item % EVERY);
    10 + (item % 50) as i64 + 3 * moves.count() as i64
}

/// When the ERP last changed an item (unix seconds).
fn changed(knobs: &Knobs, item: u64) -> i64 {
    let touched = knobs.generation > 0 && knobs.generation % EVERY == item % EVERY;
    match touched {
        true => knobs.changed_at,
        false => BEFORE,
    }
}

fn spaced(at: i64) -> String {
    let at = jiff::Timestamp::from_second(at).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

impl Shelf {
    /// What happened since it was last forgotten.
    pub fn moved(&self) -> Moved {
        self.moved.clone()
    }

    /// The same, with every item compared.
    pub fn compared(&self, knobs: &Knobs) -> Moved {
        let wrong =
            (0..knobs.items).filter(|item| self.shows(*item) != on_hand(*item, knobs.generation));
        Moved {
            wrong: wrong.count() as u64,
            ..self.moved.clone()
        }
    }

    /// Forgets what happened, not what is shown.
    pub fn forget(&mut self) {
        self.moved = Moved::default();
    }

    /// Rows that the ERP's last answer about stock brought; told once.
    pub fn take_rows(&mut self) -> u64 {
        std::mem::take(&mut self.rows)
    }

    fn called(&mut self) {
        if self.moved.first == 0 {
            self.moved.first = now_us();
        }
    }

    fn shows(&self, item: u64) -> i64 {
        let written = self.shown.get(&item).map(|(quantity, _)| *quantity);
        written.unwrap_or_else(|| on_hand(item, 0))
    }

    /// Answers a call of the ERP about stock; none when it is about something else.
    pub fn erp(&mut self, knobs: &Knobs, call: &Call<'_>, out: &mut String) -> Result<bool> {
        let mut rows = Rows::open(out);
        match (call.model, call.method) {
            ("stock.quant", "search_read") => self.quants(knobs, call, &mut rows)?,
            ("product.product", "search_read") if call.asks_for("free_qty") => {
                self.products(knobs, call, &mut rows)?;
            }
            // Nothing of it changes here, and no product is a kit: that is asked all the same.
            ("stock.move" | "mrp.bom" | "mrp.bom.line", "search_read") => self.called(),
            ("product.product", "search_read") if call.compares("write_date")?.is_some() => {
                self.called();
            }
            _ => {
                rows.drop();
                return Ok(false);
            }
        }
        rows.close();
        Ok(true)
    }

    /// One quant for each item, in the order of change where that is asked for.
    fn quants(&mut self, knobs: &Knobs, call: &Call<'_>, rows: &mut Rows<'_>) -> Result<()> {
        self.called();
        let since = call.compares("write_date")?.unwrap_or_default();
        let touched = (0..knobs.items).filter(|item| item % EVERY == knobs.generation % EVERY);
        let (before, after) = (spaced(BEFORE), spaced(knobs.changed_at));
        let stale = knobs.generation == 0 || *after < *since;
        let all: Box<dyn Iterator<Item = u64>> = match since.is_empty() || *before >= *since {
            true => Box::new(0..knobs.items),
            false if stale => Box::new(std::iter::empty()),
            false => Box::new(touched),
        };
        for item in all.skip(call.offset()).take(call.limit()) {
            self.rows += 1;
            let product = FIRST_PRODUCT + item;
            let date = match changed(knobs, item) == BEFORE {
                true => &before,
                false => &after,
            };
            write!(
                rows.next(),
                r#"{{"id":{},"product_id":[{product},"[{}] Product"],"quantity":{}.0,"reserved_quantity":0.0,"write_date":"{date}"}}"#,
                item + 1,
                sku_of(product)?,
                on_hand(item, knobs.generation),
            )?;
        }
        Ok(())
    }

    /// Products with what there is of them: by their ids, or those after one.
    fn products(&mut self, knobs: &Knobs, call: &Call<'_>, rows: &mut Rows<'_>) -> Result<()> {
        self.called();
        let items: Vec<u64> = match call.list::<u64>("id")? {
            Some(ids) => ids,
            None => {
                let after = call.compares("id")?.context("products by nothing")?;
                let after: u64 = after.parse()?;
                if after == 0 {
                    self.moved.whole = now_us();
                }
                let first = (after + 1).max(FIRST_PRODUCT);
                let end = FIRST_PRODUCT + knobs.items;
                (first..end).take(call.limit()).collect()
            }
        };
        for product in items {
            self.rows += 1;
            let quantity = on_hand(product - FIRST_PRODUCT, knobs.generation);
            write!(
                rows.next(),
                r#"{{"id":{product},"default_code":"{}","type":"consu","is_storable":true,"product_tmpl_id":[{product},"Product"],"uom_id":[1,"Units"],"qty_available":{quantity}.0,"free_qty":{quantity}.0,"outgoing_qty":0.0,"incoming_qty":0.0}}"#,
                sku_of(product)?
            )?;
        }
        Ok(())
    }

    /// Answers a call of the shop about products; none when it is about something else.
    pub fn shop(
        &mut self,
        knobs: &Knobs,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Result<Option<(String, Reply)>> {
        let Some(resource) = target.strip_prefix("/wp-json/wc/v3/") else {
            return Ok(None);
        };
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        let query = Query::parse(query);
        let answer = match (method, path) {
            ("POST", "products/batch") => ("products/batch".to_owned(), self.batch(body)?),
            ("GET", "products") if query.get("include").is_some() => {
                let ids = query.get("include").unwrap_or_default();
                let ids = ids.split(',').filter_map(|id| id.parse::<u64>().ok());
                let items: Vec<u64> = ids.filter_map(|id| id.checked_sub(FIRST_ITEM)).collect();
                (
                    "products by id".to_owned(),
                    self.listed(&items, items.len()),
                )
            }
            ("GET", "products") => ("products".to_owned(), self.list(knobs, &query)),
            ("GET", "variations") => ("variations".to_owned(), total(0, "[]".to_owned())),
            _ => return Ok(None),
        };
        Ok(Some(answer))
    }

    /// A page in the order of change.
    fn list(&self, knobs: &Knobs, query: &Query) -> Reply {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<u64>().ok());
        let size = number("per_page").unwrap_or(10);
        let offset = number("offset").unwrap_or_default();
        let after = query
            .get("modified_after")
            .and_then(|text| format!("{text}Z").parse::<jiff::Timestamp>().ok())
            .map_or(i64::MIN, jiff::Timestamp::as_second);
        let first = match after < BEFORE {
            true => 0,
            false => ((after - BEFORE + 1) as u64 * 10).min(knobs.items),
        };
        let untouched = (first..knobs.items).filter(|item| !self.shown.contains_key(item));
        let mut written: Vec<(i64, u64)> = self
            .shown
            .iter()
            .filter(|(_, (_, at))| *at > after)
            .map(|(item, (_, at))| (*at, *item))
            .collect();
        written.sort_unstable();
        let all = knobs.items.saturating_sub(first);
        let items = untouched.chain(written.into_iter().map(|(_, item)| item));
        let items: Vec<u64> = items.skip(offset as usize).take(size as usize).collect();
        self.listed(&items, all as usize)
    }

    fn listed(&self, items: &[u64], all: usize) -> Reply {
        let mut out = String::with_capacity(items.len() * 200);
        let mut rows = Rows::open(&mut out);
        for item in items {
            self.row(*item, rows.next());
        }
        rows.close();
        total(all as u64, out)
    }

    fn row(&self, item: u64, out: &mut String) {
        let at = self.shown.get(&item).map(|(_, at)| *at);
        let at = jiff::Timestamp::from_second(at.unwrap_or(BEFORE + (item / 10) as i64));
        let at = at.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S");
        let _ = write!(
            out,
            r#"{{"id":{},"parent_id":0,"type":"simple","status":"publish","sku":"SKU-{item:06}","manage_stock":true,"stock_quantity":{},"backorders":"no","date_modified_gmt":"{at}"}}"#,
            FIRST_ITEM + item,
            self.shows(item),
        );
    }

    fn batch(&mut self, body: &[u8]) -> Result<Reply> {
        #[derive(Deserialize)]
        struct Batch {
            #[serde(default)]
            update: Vec<Update>,
        }
        #[derive(Deserialize)]
        struct Update {
            id: u64,
            stock_quantity: i64,
        }
        let batch: Batch = serde_json::from_slice(body)?;
        let now = now_us();
        let mut out = String::from(r#"{"update":"#);
        let mut rows = Rows::open(&mut out);
        for update in batch.update {
            let item = update.id.checked_sub(FIRST_ITEM).context("no such item")?;
            let at = (now / 1_000_000) as i64;
            self.shown.insert(item, (update.stock_quantity, at));
            self.moved.written += 1;
            self.row(item, rows.next());
        }
        self.moved.last = now_us();
        rows.close();
        out.push('}');
        Ok(Reply::json(out))
    }
}
