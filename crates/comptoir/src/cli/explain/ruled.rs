//! What the mapping rules made of an order, recomputed: they are pure, so nothing of it needs to be stored.

use super::super::Context;
use crate::config::FlowConfig;
use crate::out;
use crate::workspace::Workspace;
use comptoir_engine::shelf;
use comptoir_model::document::Document;
use comptoir_rules::mapping::{Beside, Failure};
use comptoir_rules::order::Reason;
use comptoir_store::{RecordRow, StoreError};
use serde::Serialize;

/// What each rule wrote and why.
#[derive(Debug, Clone, Serialize)]
pub struct Ruled {
    /// The revision whose rules these are: the head.
    pub revision: i64,
    /// What was written.
    pub fields: Vec<Reason>,
    /// Rules that stop the order.
    pub failures: Vec<Failure>,
}

impl Ruled {
    /// For an order that is still kept, of a flow with rules.
    ///
    /// # Errors
    /// The store's.
    pub async fn of(
        workspace: &Workspace,
        config: &FlowConfig,
        row: &RecordRow,
    ) -> Result<Option<Self>, StoreError> {
        let order = row.document.as_ref().and_then(Document::as_order);
        let Some(order) = order.filter(|_| !config.mapping.is_empty()) else {
            return Ok(None);
        };
        let store = &workspace.store;
        let target = store.connection(&config.to).await?;
        let account = target.and_then(|row| row.account);
        let stock = match account.filter(|_| config.mapping.reads_stock()) {
            Some(account) => {
                let orders = std::iter::once(order);
                Some(shelf::on_hand(store, &config.to, &account, orders).await?)
            }
            None => None,
        };
        let beside = Beside {
            source: config.from.as_str(),
            raw: row.raw.as_deref(),
            stock: stock.as_ref(),
        };
        let mapped = config.mapping.apply(order.clone(), beside);
        Ok(Some(Ruled {
            revision: workspace.revision,
            fields: mapped.reasons,
            failures: mapped.failures,
        }))
    }

    /// Leaves only the fields whose name holds a text.
    pub fn keep(&mut self, field: &str) {
        self.fields.retain(|reason| reason.to.contains(field));
        self.failures.retain(|failure| failure.to.contains(field));
    }

    /// Prints it.
    pub fn show(&self, context: &Context) {
        out::line(format!(
            "{} {}",
            context.either("rules of revision", "règles de la révision"),
            self.revision
        ));
        for reason in &self.fields {
            let value = match &reason.value {
                Some(serde_json::Value::String(text)) => format!(" = \"{text}\""),
                Some(value) => format!(" = {value}"),
                None => String::new(),
            };
            let row = reason.row.as_ref();
            let row = row.map_or_else(String::new, |row| format!(" [{row}]"));
            let rule = reason.rule.as_deref().unwrap_or_default();
            out::line(format!(
                "  {}{value} ← {}{row} ({rule})",
                reason.to, reason.from
            ));
        }
        for failure in &self.failures {
            out::line(format!(
                "  ✗ {}: {} ({}) [{}]",
                failure.to, failure.why, failure.rule, failure.code
            ));
        }
    }
}
