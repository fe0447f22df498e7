//! Levels: what of each product can be sold, on both sides, as last read or put.

use crate::db::{Tx, list};
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::record::texts;
use crate::value::{Row, Value};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{ConnectionName, FlowName, RemoteId};
use comptoir_model::stock::Stock;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A level to store.
#[derive(Debug, Clone)]
pub struct LevelPut {
    /// The system.
    pub connection: ConnectionName,
    /// The product or variant.
    pub item: RemoteId,
    /// Its stock.
    pub stock: Stock,
    /// When the reading that saw it began, or the write that put it ended (unix ms).
    pub as_of: i64,
    /// When we put it to zero (unix ms), if this is that write.
    pub zeroed_at: Option<i64>,
}

impl LevelPut {
    /// The digest of what a stock says.
    pub fn digest(stock: &Stock) -> Digest {
        Digest::of(&Document::Stock(stock.clone()).to_json())
    }
}

/// A stored level.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelRow {
    /// The product or variant.
    pub item: RemoteId,
    /// Its stock.
    pub stock: Stock,
    /// The digest of it.
    pub digest: Digest,
    /// When the reading that saw it began, or the write that put it ended (unix ms).
    pub as_of: i64,
    /// When an order for it was seen last (unix ms): its shop has taken the goods off by itself.
    pub sold_at: Option<i64>,
}

impl LevelRow {
    /// Whether an order has changed it since it was seen.
    pub fn is_stale(&self) -> bool {
        self.sold_at.is_some_and(|at| at >= self.as_of)
    }
}

/// What tells whether a reading of an item is news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelMark {
    /// The digest of its stock.
    pub digest: Digest,
    /// When the reading that saw it began, or the write that put it ended (unix ms).
    pub as_of: i64,
}

/// Items that a reading saw as they are stored.
#[derive(Debug, Clone)]
pub struct LevelsSeen {
    /// The system.
    pub connection: ConnectionName,
    /// The items.
    pub items: Vec<RemoteId>,
    /// When the reading began (unix ms).
    pub as_of: i64,
}

/// The components of a kit, which replace those it had.
#[derive(Debug, Clone)]
pub struct KitPut {
    /// The system.
    pub connection: ConnectionName,
    /// The kit.
    pub kit: RemoteId,
    /// Its components; none for a kit that is no kit any more.
    pub components: Vec<RemoteId>,
}

const LEVEL: &str = "item, stock, digest, as_of, sold_at";

fn level_row(row: &Row) -> Result<LevelRow, StoreError> {
    Ok(LevelRow {
        item: RemoteId(row.string(0)?),
        stock: serde_json::from_str(&row.string(1)?).map_err(damaged)?,
        digest: row.digest(2)?.ok_or_else(|| damaged("level.digest"))?,
        as_of: row.number(3)?,
        sold_at: row.int(4)?,
    })
}

impl Tx {
    /// Stores levels. One that was read later than this stays.
    pub(crate) async fn put_levels(&mut self, levels: &[LevelPut]) -> Result<(), StoreError> {
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for level in levels {
            rows.insert(
                (&level.connection, &level.item),
                vec![
                    level.connection.as_str().into(),
                    level.item.as_str().into(),
                    level.stock.sku.as_str().into(),
                    serde_json::to_string(&level.stock).map_err(damaged)?.into(),
                    LevelPut::digest(&level.stock).into(),
                    level.as_of.into(),
                    level.zeroed_at.into(),
                ],
            );
        }
        let sql = "INSERT INTO level (conn, item, sku, stock, digest, as_of, zeroed_at) VALUES … \
                   ON CONFLICT (conn, item) DO UPDATE SET sku = excluded.sku, stock = excluded.stock, digest = excluded.digest, \
                   as_of = excluded.as_of, zeroed_at = coalesce(excluded.zeroed_at, level.zeroed_at) \
                   WHERE level.as_of <= excluded.as_of";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }

    /// Notes that items were seen as they are: of a hundred thousand of them only the time is written.
    pub(crate) async fn see_levels(&mut self, seen: &[LevelsSeen]) -> Result<(), StoreError> {
        let sql = "UPDATE level SET as_of = $1 WHERE conn = $2 AND as_of < $1 AND item IN (…)";
        for seen in seen {
            let fixed = [seen.as_of.into(), seen.connection.as_str().into()];
            let items: BTreeSet<&str> = seen.items.iter().map(RemoteId::as_str).collect();
            self.many(sql, &fixed, list(items)).await?;
        }
        Ok(())
    }

    /// Notes that orders for items were seen.
    pub(crate) async fn put_sold(
        &mut self,
        sold: &[(ConnectionName, String, i64)],
    ) -> Result<(), StoreError> {
        let mut by_shop: BTreeMap<(&ConnectionName, i64), BTreeSet<&str>> = BTreeMap::new();
        for (connection, sku, at) in sold {
            by_shop.entry((connection, *at)).or_default().insert(sku);
        }
        let sql = "UPDATE level SET sold_at = $1 WHERE conn = $2 AND sku IN (…)";
        for ((connection, at), skus) in by_shop {
            let fixed = [at.into(), connection.as_str().into()];
            self.many(sql, &fixed, list(skus)).await?;
        }
        Ok(())
    }

    pub(crate) async fn forget_levels(
        &mut self,
        gone: &[(ConnectionName, RemoteId)],
    ) -> Result<(), StoreError> {
        let rows: BTreeSet<(&str, &str)> = gone
            .iter()
            .map(|(connection, item)| (connection.as_str(), item.as_str()))
            .collect();
        let rows = rows
            .into_iter()
            .map(|(connection, item)| vec![connection.into(), item.into()])
            .collect();
        let sql = "DELETE FROM level WHERE (conn, item) IN (SELECT * FROM (VALUES …) AS v)";
        self.many(sql, &[], rows).await.map(drop)
    }

    pub(crate) async fn put_kits(&mut self, kits: &[KitPut]) -> Result<(), StoreError> {
        let mut by_connection: BTreeMap<&ConnectionName, BTreeMap<&RemoteId, &KitPut>> =
            BTreeMap::new();
        for kit in kits {
            let of_connection = by_connection.entry(&kit.connection).or_default();
            of_connection.insert(&kit.kit, kit);
        }
        for (connection, kits) in by_connection {
            let name = [connection.as_str().into()];
            let ids = kits.keys().map(|kit| kit.as_str());
            let sql = "DELETE FROM kit WHERE conn = $1 AND kit IN (…)";
            self.many(sql, &name, list(ids)).await?;
            let rows: BTreeSet<(&str, &str)> = kits
                .values()
                .flat_map(|kit| {
                    let components = kit.components.iter();
                    components.map(|component| (kit.kit.as_str(), component.as_str()))
                })
                .collect();
            let row = |(kit, component): (&str, &str)| -> Vec<Value> {
                vec![connection.as_str().into(), kit.into(), component.into()]
            };
            let sql = "INSERT INTO kit (conn, kit, component) VALUES …";
            let rows = rows.into_iter().map(row).collect();
            self.many(sql, &[], rows).await?;
        }
        Ok(())
    }
}

impl Store {
    /// Levels of items.
    ///
    /// # Errors
    /// The store's.
    pub async fn levels(
        &self,
        connection: &ConnectionName,
        items: &[RemoteId],
    ) -> Result<HashMap<RemoteId, LevelRow>, StoreError> {
        let sql = format!("SELECT {LEVEL} FROM level WHERE conn = $1 AND item IN (…)");
        let fixed = [connection.as_str().into()];
        let rows = self.db.ask_list(&sql, &fixed, &texts(items)).await?;
        rows.iter()
            .map(|row| level_row(row).map(|level| (level.item.clone(), level)))
            .collect()
    }

    /// What tells whether a reading of these items is news.
    ///
    /// # Errors
    /// The store's.
    pub async fn level_marks(
        &self,
        connection: &ConnectionName,
        items: &[RemoteId],
    ) -> Result<HashMap<RemoteId, LevelMark>, StoreError> {
        let sql = "SELECT item, digest, as_of FROM level WHERE conn = $1 AND item IN (…)";
        let fixed = [connection.as_str().into()];
        let rows = self.db.ask_list(sql, &fixed, &texts(items)).await?;
        let mark = |row: &Row| {
            let mark = LevelMark {
                digest: row.digest(1)?.ok_or_else(|| damaged("level.digest"))?,
                as_of: row.number(2)?,
            };
            Ok((RemoteId(row.string(0)?), mark))
        };
        rows.iter().map(mark).collect()
    }

    /// Those of a system's items that a flow has never taken up, or has skipped.
    ///
    /// # Errors
    /// The store's.
    pub async fn levels_without_work(
        &self,
        connection: &ConnectionName,
        flow: &FlowName,
        items: &[RemoteId],
    ) -> Result<BTreeSet<RemoteId>, StoreError> {
        let sql = "SELECT item FROM level WHERE conn = $1 AND NOT EXISTS (SELECT 1 FROM work \
                   WHERE work.kind = 'stock' AND work.src = level.item AND work.flow = $2 AND work.state <> 'skipped') AND item IN (…)";
        let fixed = [connection.as_str().into(), flow.as_str().into()];
        let rows = self.db.ask_list(sql, &fixed, &texts(items)).await?;
        rows.iter()
            .map(|row| Ok(RemoteId(row.string(0)?)))
            .collect()
    }

    /// Levels of the items that carry these stock keeping units; several items may carry one.
    ///
    /// # Errors
    /// The store's.
    pub async fn levels_of_skus(
        &self,
        connection: &ConnectionName,
        skus: &[String],
    ) -> Result<BTreeMap<String, Vec<LevelRow>>, StoreError> {
        let sql = format!("SELECT {LEVEL} FROM level WHERE conn = $1 AND sku IN (…)");
        let fixed = [connection.as_str().into()];
        let mut found: BTreeMap<String, Vec<LevelRow>> = BTreeMap::new();
        for row in self.db.ask_list(&sql, &fixed, skus).await? {
            let level = level_row(&row)?;
            let of_sku = found.entry(level.stock.sku.clone()).or_default();
            // A padded list asks for its last one several times.
            if !of_sku.iter().any(|known| known.item == level.item) {
                of_sku.push(level);
            }
        }
        Ok(found)
    }

    /// The kits that these components are in, as pairs of component and kit.
    ///
    /// # Errors
    /// The store's.
    pub async fn kits_of(
        &self,
        connection: &ConnectionName,
        components: &[RemoteId],
    ) -> Result<BTreeSet<(RemoteId, RemoteId)>, StoreError> {
        let sql = "SELECT component, kit FROM kit WHERE conn = $1 AND component IN (…)";
        let fixed = [connection.as_str().into()];
        let rows = self.db.ask_list(sql, &fixed, &texts(components)).await?;
        rows.iter()
            .map(|row| Ok((RemoteId(row.string(0)?), RemoteId(row.string(1)?))))
            .collect()
    }

    /// Items not seen since a time (unix ms): after a reading of everything they are gone. Up to a limit.
    ///
    /// # Errors
    /// The store's.
    pub async fn levels_before(
        &self,
        connection: &ConnectionName,
        before: i64,
        limit: usize,
    ) -> Result<Vec<LevelRow>, StoreError> {
        let sql = format!(
            "SELECT {LEVEL} FROM level WHERE conn = $1 AND as_of < $2 ORDER BY item LIMIT $3"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let values = vec![connection.as_str().into(), before.into(), limit.into()];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(level_row).collect()
    }

    /// How many items a system has.
    ///
    /// # Errors
    /// The store's.
    pub async fn level_count(&self, connection: &ConnectionName) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM level WHERE conn = $1";
        let rows = self.db.ask(sql, vec![connection.as_str().into()]).await?;
        count(&rows)
    }

    /// How many of a system's items we put to zero since a time (unix ms).
    ///
    /// # Errors
    /// The store's.
    pub async fn zeroed_count(
        &self,
        connection: &ConnectionName,
        since: i64,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM level WHERE conn = $1 AND zeroed_at IS NOT NULL AND zeroed_at > $2";
        let values = vec![connection.as_str().into(), since.into()];
        count(&self.db.ask(sql, values).await?)
    }
}

fn count(rows: &[Row]) -> Result<u64, StoreError> {
    rows.first()
        .map_or(Ok(0), |row| row.number(0).map(i64::unsigned_abs))
}
