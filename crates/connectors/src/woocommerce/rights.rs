//! What the key may write, and whether what the settings name is there.

use super::probe::{Found, Index, STATUSES, Setting, StatusRow};
use super::settings::Tracking;
use super::{Shop, path};
use comptoir_kit::http::Call;
use comptoir_model::account::Severity;
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};

impl Shop {
    /// An empty batch changes nothing, and is refused to a key that may only read.
    pub(super) async fn try_to_write(&self, found: &mut Found) -> Result<(), Fault> {
        let refused = match self.empty_batch("orders").await? {
            // The same key may still lack the right to edit products.
            // Whatever else is wrong with products is no reason to leave the orders alone.
            None => match self.empty_batch("products").await.ok().flatten() {
                None => return Ok(()),
                Some(fault) => Fault {
                    why: "orders can be written, and stock cannot: the user of the key must be allowed to edit products, as a shop manager is".to_owned(),
                    ..fault
                },
            },
            Some(fault) if fault.code == Code::MissingRight => fault,
            // The key was good for reading a moment ago, whatever language this is said in.
            Some(_) => Fault::locked(
                Code::ReadOnlyKey,
                "orders can be read, and nothing can be written back: neither status nor notes, stock, shipments or webhooks",
            ),
        };
        found.notice(Severity::Warning, refused.code, refused.why);
        Ok(())
    }

    /// Why the key may not write this, if so.
    async fn empty_batch(&self, resource: &str) -> Result<Option<Fault>, Fault> {
        let call = Call::post("probe.write", path(format!("{resource}/batch")))
            .json(&serde_json::json!({}))?
            .reading();
        match self.ask(call).await {
            Ok(_) => Ok(None),
            Err(fault) if fault.next == Next::Locked => Ok(Some(fault)),
            Err(fault) => Err(fault),
        }
    }

    /// Tracking numbers in the fields of a plug-in that is not there would be seen by nobody.
    pub(super) fn judge_tracking(&self, found: &mut Found, index: &Index) {
        let apis = ["wc-shipment-tracking/", "wc-ast/"];
        let has = |name: &String| apis.iter().any(|api| name.starts_with(api));
        if self.settings.tracking == Tracking::ShipmentTracking && !index.namespaces.iter().any(has)
        {
            found.notice(
                Severity::Warning,
                Code::UnknownName,
                "the setting `tracking` names the plug-in Shipment Tracking or Advanced Shipment Tracking, and the shop shows neither: tracking numbers would be kept where nobody sees them",
            );
        }
    }

    /// The statuses that shipments give must be the shop's.
    pub(super) fn judge_statuses(&self, found: &mut Found, statuses: &[StatusRow]) {
        let settings = &self.settings;
        let named = [
            ("shipped_status", Some(&settings.shipped_status)),
            (
                "partly_shipped_status",
                settings.partly_shipped_status.as_ref(),
            ),
        ];
        for (setting, word) in named {
            let Some(word) = word else { continue };
            let is_known = STATUSES.contains(&word.as_str())
                || statuses.iter().any(|status| status.slug == *word);
            if !is_known && !statuses.is_empty() {
                let detail = format!(
                    "the setting `{setting}` names the order status `{word}`, which the shop does not have: shipments that should give it are refused"
                );
                found.notice(Severity::Warning, Code::UnknownName, detail);
            }
        }
    }

    /// Whether the shop counts stock at all: the setting, for the facts. Without it nothing is known, and nothing is wrong.
    pub(super) async fn judge_stock(&self, found: &mut Found) -> Option<Setting> {
        let query = [("_fields", "id,value")];
        let settings = self.list::<Setting>("settings/products", &query).await;
        let mut settings = settings.unwrap_or_default().into_iter();
        let counts = settings.find(|setting| setting.id == "woocommerce_manage_stock")?;
        if counts.value == "no" {
            found.notice(
                Severity::Info,
                Code::WrongState,
                "the shop counts no stock, so none is written: see WooCommerce > Settings > Products > Inventory",
            );
        }
        Some(counts)
    }
}
