//! What the instance has of goods: its warehouses, its units, whether it has kits. Asked for when it is first needed, so that a
//! connection that only books orders asks for nothing of it.

use super::fault;
use super::rpc::Ask;
use super::session::Session;
use super::wire::{Fields, Small, Unit};
use comptoir_kit::http::Priority;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long a list of warehouses is believed.
const WAREHOUSES_FOR: Duration = Duration::from_secs(300);
/// How long an Odoo without kits is believed to have none. Each question that is refused is a line in its log.
const NO_KITS_FOR: Duration = Duration::from_secs(3600);
/// Decimals kept of a unit's factor: beyond them there is only the noise of floats.
const FACTOR: u32 = 10;

/// What was learnt already.
#[derive(Default)]
pub(super) struct Goods {
    warehouses: Mutex<Option<(Instant, Vec<i64>)>>,
    fields: Mutex<HashMap<&'static str, Arc<Fields>>>,
    /// When it was said that no app brings kits, or that the user may not see them.
    no_kits: std::sync::Mutex<Option<Instant>>,
}

impl Session {
    /// The warehouses of the companies that are worked for, by id.
    ///
    /// # Errors
    /// That there is no app Inventory, or those of a call.
    pub(super) async fn warehouses(&self) -> Result<Vec<i64>, Fault> {
        let mut known = self.goods.warehouses.lock().await;
        if let Some((asked, ids)) = &*known
            && asked.elapsed() < WAREHOUSES_FOR
        {
            return Ok(ids.clone());
        }
        let ask = Ask::search("warehouses", "stock.warehouse", json!([]), &["name"])
            .option("order", json!("id"))
            .priority(Priority::Stock);
        let rows: Vec<Small> = self.rpc.call(ask).await.map_err(without_inventory)?;
        let ids: Vec<i64> = rows.into_iter().map(|row| row.id).collect();
        *known = Some((Instant::now(), ids.clone()));
        Ok(ids)
    }

    /// The fields of a model of goods.
    ///
    /// # Errors
    /// As [`Session::warehouses`].
    pub(super) async fn fields_of(&self, model: &'static str) -> Result<Arc<Fields>, Fault> {
        let mut known = self.goods.fields.lock().await;
        if let Some(fields) = known.get(model) {
            return Ok(fields.clone());
        }
        let ask = Ask::read("fields", model, "fields_get").option("attributes", json!(["type"]));
        let fields: Arc<Fields> = Arc::new(self.rpc.call(ask).await.map_err(without_inventory)?);
        known.insert(model, fields.clone());
        Ok(fields)
    }

    /// Whether kits can be asked for; so it seems until a question is refused.
    pub(super) fn has_kits(&self) -> bool {
        let refused = self
            .goods
            .no_kits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refused.is_none_or(|refused| refused.elapsed() > NO_KITS_FOR)
    }

    /// Whether a fault says that no app brings kits, or that the user may not see them; remembered for a while.
    pub(super) fn kits_are_closed(&self, fault: &Fault) -> bool {
        // An unknown model is a `UserError` on one face, "not found" on the other.
        let closed = matches!(
            fault.code,
            Code::Refused | Code::UnsupportedVersion | Code::MissingRight
        );
        if closed {
            let mut refused = self
                .goods
                .no_kits
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            *refused = Some(Instant::now());
        }
        closed
    }

    /// How many of its reference unit each of these units is: 6 for a pack of six.
    ///
    /// # Errors
    /// Those of a call.
    pub(super) async fn units(&self, ids: &BTreeSet<i64>) -> Result<Units, Fault> {
        // One unit is its own measure.
        if ids.len() < 2 {
            return Ok(Units::default());
        }
        let known = self.fields_of("uom.uom").await?;
        // `factor` turned round in 19, which came with `relative_factor`; before it `factor_inv` says the same.
        let direct = known.contains_key("relative_factor");
        let field = if direct { "factor" } else { "factor_inv" };
        let ids: Vec<i64> = ids.iter().copied().collect();
        let ask = Ask::read("units", "uom.uom", "read")
            .ids(&ids)
            .arg("fields", json!([field]))
            .priority(Priority::Stock);
        let rows: Vec<Unit> = self.rpc.call(ask).await.map_err(fault::of_everything)?;
        let factor = |row: Unit| (row.id, row.factor.round_dp(FACTOR).normalize());
        Ok(Units(rows.into_iter().map(factor).collect()))
    }
}

/// The factors of units.
#[derive(Debug, Default, Clone)]
pub(super) struct Units(HashMap<i64, Decimal>);

impl Units {
    /// Units of which the factors are known.
    #[cfg(test)]
    pub(super) fn of(factors: impl IntoIterator<Item = (i64, Decimal)>) -> Self {
        Units(factors.into_iter().collect())
    }

    /// A quantity of one unit in another. Units of different kinds are taken for the same, as Odoo does not let them meet.
    pub(super) fn convert(&self, quantity: Decimal, from: i64, to: i64) -> Decimal {
        let factor = |unit: i64| self.0.get(&unit).filter(|factor| !factor.is_zero());
        match (factor(from), factor(to)) {
            (Some(from), Some(to)) if from != to => quantity * from / to,
            _ => quantity,
        }
    }
}

/// An Odoo without the app Inventory has neither stock nor shipments.
fn without_inventory(fault: Fault) -> Fault {
    match fault.code {
        // An unknown model is a `UserError` on one face, "not found" on the other.
        Code::Refused | Code::UnsupportedVersion => Fault::locked(
            Code::UnsupportedVersion,
            "Odoo has no warehouses; install the app Inventory, or switch the flows of stock and shipments off",
        ),
        _ => fault::of_everything(fault),
    }
}
