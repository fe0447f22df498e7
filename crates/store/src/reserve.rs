//! What orders take of the stock, until the ERP's own figures show it.

use crate::db::{Tx, list};
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::{Row, Value};
use comptoir_model::Decimal;
use comptoir_model::key::{ConnectionName, FlowName, RemoteId};
use std::collections::{BTreeMap, BTreeSet};

/// What an order takes from now on; nothing when it is over or none of its flow's business.
#[derive(Debug, Clone)]
pub struct ReservePut {
    /// The flow of orders.
    pub flow: FlowName,
    /// The order's id in the source.
    pub order: RemoteId,
    /// The ERP it goes to.
    pub target: ConnectionName,
    /// By stock keeping unit.
    pub takes: BTreeMap<String, Decimal>,
}

/// An order that the ERP has reserved the goods of.
#[derive(Debug, Clone)]
pub struct Reserved {
    /// The flow of orders.
    pub flow: FlowName,
    /// The order's id in the source.
    pub order: RemoteId,
    /// When that was proved (unix ms).
    pub at: i64,
}

/// What one order takes of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveRow {
    /// The item.
    pub sku: String,
    /// How many it takes.
    pub quantity: Decimal,
    /// How many of these the ERP has reserved.
    pub reserved: Decimal,
    /// When that was proved (unix ms).
    pub erp_at: Option<i64>,
}

impl ReserveRow {
    /// What of it a reading of the ERP's stock that began at `as_of` (unix ms) cannot know yet.
    pub fn in_flight(&self, as_of: i64) -> Decimal {
        let not_reserved = (self.quantity - self.reserved).max(Decimal::ZERO);
        match self.erp_at {
            Some(at) if at < as_of => not_reserved,
            _ => not_reserved + self.reserved,
        }
    }
}

fn reserve_row(row: &Row) -> Result<ReserveRow, StoreError> {
    let decimal =
        |index| -> Result<Decimal, StoreError> { row.string(index)?.parse().map_err(damaged) };
    Ok(ReserveRow {
        sku: row.string(0)?,
        quantity: decimal(1)?,
        reserved: decimal(2)?,
        erp_at: row.int(3)?,
    })
}

impl Tx {
    /// Stores what orders take; what the ERP has reserved of it already stays noted.
    pub(crate) async fn put_reserves(&mut self, reserves: &[ReservePut]) -> Result<(), StoreError> {
        let mut by_flow: BTreeMap<&FlowName, BTreeMap<&RemoteId, &ReservePut>> = BTreeMap::new();
        for put in reserves {
            by_flow
                .entry(&put.flow)
                .or_default()
                .insert(&put.order, put);
        }
        for (flow, orders) in by_flow {
            let name: [Value; 1] = [flow.as_str().into()];
            let ids = || list(orders.keys().map(|order| order.as_str()));
            let nothing = "UPDATE reserve SET quantity = '0' WHERE flow = $1 AND ord IN (…)";
            self.many(nothing, &name, ids()).await?;
            let mut rows: Vec<Vec<Value>> = Vec::new();
            for put in orders.values() {
                for (sku, quantity) in &put.takes {
                    rows.push(vec![
                        flow.as_str().into(),
                        put.order.as_str().into(),
                        sku.as_str().into(),
                        put.target.as_str().into(),
                        quantity.normalize().to_string().into(),
                        "0".into(),
                    ]);
                }
            }
            let takes = "INSERT INTO reserve (flow, ord, sku, dst_conn, quantity, reserved) VALUES … \
                         ON CONFLICT (flow, ord, sku) DO UPDATE SET quantity = excluded.quantity, dst_conn = excluded.dst_conn";
            self.many(takes, &[], rows).await?;
            let empty = "DELETE FROM reserve WHERE flow = $1 AND quantity = '0' AND ord IN (…)";
            self.many(empty, &name, ids()).await?;
        }
        Ok(())
    }

    pub(crate) async fn put_reserved(&mut self, reserved: &[Reserved]) -> Result<(), StoreError> {
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for put in reserved {
            rows.insert(
                (&put.flow, &put.order),
                vec![
                    put.flow.as_str().into(),
                    put.order.as_str().into(),
                    put.at.into(),
                ],
            );
        }
        let sql = "UPDATE reserve SET reserved = quantity, erp_at = v.column3 FROM (VALUES …) AS v \
                   WHERE reserve.flow = v.column1 AND reserve.ord = v.column2 \
                   AND (reserve.reserved <> reserve.quantity OR reserve.erp_at IS NULL)";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }
}

impl Store {
    /// What orders on their way to an ERP take of these items and a reading that began at `as_of` (unix ms) cannot know yet: the rows
    /// of which any part is in flight then.
    ///
    /// # Errors
    /// The store's.
    pub async fn in_flight(
        &self,
        target: &ConnectionName,
        skus: &[String],
        as_of: i64,
    ) -> Result<Vec<ReserveRow>, StoreError> {
        let skus: BTreeSet<&String> = skus.iter().collect();
        let skus: Vec<String> = skus.into_iter().cloned().collect();
        let sql = "SELECT sku, quantity, reserved, erp_at, flow, ord FROM reserve \
                   WHERE dst_conn = $1 AND (quantity <> reserved OR erp_at IS NULL OR erp_at >= $2) AND sku IN (…)";
        let fixed = [target.as_str().into(), as_of.into()];
        let rows = self.db.ask_list(sql, &fixed, &skus).await?;
        rows.iter().map(reserve_row).collect()
    }

    /// All that is in flight to an ERP for a reading that began at `as_of` (unix ms), where that is at most so many rows; none where it
    /// is more: then the items are asked for by name.
    ///
    /// # Errors
    /// The store's.
    pub async fn all_in_flight(
        &self,
        target: &ConnectionName,
        as_of: i64,
        most: usize,
    ) -> Result<Option<Vec<ReserveRow>>, StoreError> {
        let sql = "SELECT sku, quantity, reserved, erp_at FROM reserve \
                   WHERE dst_conn = $1 AND (quantity <> reserved OR erp_at IS NULL OR erp_at >= $2) LIMIT $3";
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let values = vec![target.as_str().into(), as_of.into(), limit.into()];
        let rows = self.db.ask(sql, values).await?;
        if rows.len() > most {
            return Ok(None);
        }
        rows.iter()
            .map(reserve_row)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// The items that an order takes of.
    ///
    /// # Errors
    /// The store's.
    pub async fn skus_taken(
        &self,
        flow: &FlowName,
        orders: &[RemoteId],
    ) -> Result<BTreeSet<String>, StoreError> {
        let sql = "SELECT sku FROM reserve WHERE flow = $1 AND ord IN (…)";
        let fixed = [flow.as_str().into()];
        let rows = self
            .db
            .ask_list(sql, &fixed, &crate::record::texts(orders))
            .await?;
        rows.iter().map(|row| row.string(0)).collect()
    }

    /// Forgets what the ERP's figures have shown since a reading of everything that began at `before` (unix ms).
    ///
    /// # Errors
    /// The store's.
    pub async fn forget_shown(
        &self,
        target: &ConnectionName,
        before: i64,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM reserve WHERE dst_conn = $1 AND quantity = reserved AND erp_at < $2";
        self.db
            .run(sql, vec![target.as_str().into(), before.into()])
            .await?;
        Ok(())
    }
}
