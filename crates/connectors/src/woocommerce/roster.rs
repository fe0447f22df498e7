//! New customers. The shop has no list of changed customers (it ignores `modified_after`), only one by id.
//!
//! The cursor keeps how many customers lie before the last one read, and its id. Each page begins with that last one again; when it does
//! not, accounts were deleted meanwhile, and reading steps back until it meets a known id.

use super::read::{Item, item, items_of};
use super::wire::Mark;
use super::{Shop, path};
use comptoir_kit::decode;
use comptoir_kit::http::{Call, Priority};
use comptoir_model::fault::Fault;
use comptoir_model::key::Kind;
use comptoir_model::port::{Cursor, Page};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RosterCursor {
    v: u8,
    /// The highest id read.
    last: u64,
    /// How many customers lay before it.
    before: u64,
}

impl RosterCursor {
    fn open(since: &Cursor) -> Result<Self, Fault> {
        if since.is_start() {
            return Ok(RosterCursor {
                v: 1,
                last: 0,
                before: 0,
            });
        }
        serde_json::from_str(&since.0)
            .ok()
            .filter(|cursor: &RosterCursor| cursor.v == 1)
            .ok_or_else(|| Fault::bug("the stored cursor is not one of this stream"))
    }
}

impl Shop {
    /// Accounts made since.
    pub(super) async fn new_customers(&self, since: &Cursor) -> Result<Page, Fault> {
        let mut cursor = RosterCursor::open(since)?;
        let size = u64::from(self.settings.page_size);
        loop {
            let (ids, items) = self.roster(cursor.before, size).await?;
            let first = ids.first().copied().unwrap_or(u64::MAX);
            if cursor.last > 0 && cursor.before > 0 && first > cursor.last {
                cursor.before = cursor.before.saturating_sub(size);
                continue;
            }
            let full = ids.len() as u64 >= size;
            let known = cursor.last;
            let fresh = items
                .into_iter()
                .zip(&ids)
                .filter(|(_, id)| **id > known)
                .map(|(item, _)| item)
                .collect();
            if let Some(last) = ids.last() {
                cursor.last = cursor.last.max(*last);
                cursor.before += ids.len() as u64 - 1;
            }
            return Ok(Page {
                items: fresh,
                gone: Vec::new(),
                // Plain data always has a JSON form.
                next: Cursor(serde_json::to_string(&cursor).unwrap_or_default()),
                more: full,
            });
        }
    }

    /// Customers by id, each with its number. One without a readable number counts as the one before it.
    async fn roster(&self, offset: u64, size: u64) -> Result<(Vec<u64>, Vec<Item>), Fault> {
        let call = Call::get("customers.list", path("customers"))
            .query("role", "all")
            .query("orderby", "id")
            .query("order", "asc")
            .query("per_page", size)
            .query("offset", offset)
            .priority(Priority::Catalogue);
        let answer = self.ask(call).await?;
        let mut ids: Vec<u64> = Vec::new();
        let mut items = Vec::new();
        for json in items_of(&answer)? {
            let mark = decode::json::<Mark>(json.get().as_bytes()).ok();
            let id = mark.and_then(|mark| mark.id.as_str().parse().ok());
            ids.push(id.or(ids.last().copied()).unwrap_or_default());
            items.push(item(Kind::Customer, json.get(), &self.settings));
        }
        Ok((ids, items))
    }
}
