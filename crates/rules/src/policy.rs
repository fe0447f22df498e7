//! What a merchant decides about an order flow. Defaults are the safe ones; `docs/defaults.md` lists them all.

use crate::table::Table;
use comptoir_model::equation::Tolerance;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What to do with a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// Write it.
    Apply,
    /// Hold it for a person, with the difference shown.
    Propose,
    /// Leave the target as it is.
    Ignore,
}

/// What to do with a change of the shop, by the state of the ERP's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangePolicy {
    /// While the ERP's order is a quotation.
    pub draft: OnChange,
    /// Once it is confirmed.
    pub confirmed: OnChange,
}

impl Default for ChangePolicy {
    fn default() -> Self {
        ChangePolicy {
            draft: OnChange::Apply,
            confirmed: OnChange::Propose,
        }
    }
}

/// When the ERP's order is made binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// As soon as the totals agree.
    #[default]
    Always,
    /// A person does it.
    Never,
}

/// What becomes of a bundle's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bundles {
    /// The components are lines; the bundle's own line only when it carries an amount.
    #[default]
    Components,
    /// The bundle is a line; a component only when it carries an amount.
    Parent,
}

/// Who a buyer becomes in the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerPolicy {
    /// Make a customer when none fits; otherwise the order is held.
    pub create: bool,
    /// Look for a company by its VAT number.
    pub match_vat_number: bool,
    /// Look for a buyer by e-mail, guests included.
    pub match_email: bool,
}

impl Default for CustomerPolicy {
    fn default() -> Self {
        CustomerPolicy {
            create: true,
            match_vat_number: true,
            match_email: true,
        }
    }
}

/// SKUs of the target's products that stand for what is no product in the shop.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LineProducts {
    /// Fees, also negative ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee: Option<String>,
    /// The rounding line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rounding: Option<String>,
    /// Discounts that are not in the lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discount: Option<String>,
    /// Lines without a SKU or whose product was deleted in the shop. Without it such an order is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_sku: Option<String>,
}

/// Fixed values: names or ids of the target's choices.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FixedPlacement {
    /// Company.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Warehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<String>,
    /// Fiscal position.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fiscal_position: Option<String>,
    /// Sales team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Payment term.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_term: Option<String>,
}

/// The look-up tables of an order flow, as the workspace's `tables/*.csv` give them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tables {
    /// Tax of the shop → tax of the target.
    pub taxes: Table,
    /// Payment method of the shop → what the ERP should read.
    pub payment_methods: Table,
    /// Shipping method of the shop → SKU of the target's product for it.
    pub shipping_methods: Table,
    /// Currency → price list of the target. Without a row: the only price list of that currency.
    pub price_lists: Table,
}

/// Everything the translation of an order needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OrderPolicy {
    /// When to confirm.
    pub confirm: Confirm,
    /// Customers.
    pub customers: CustomerPolicy,
    /// Products for lines that are no products.
    pub products: LineProducts,
    /// Fixed values.
    pub placement: FixedPlacement,
    /// Bundles.
    pub bundles: Bundles,
    /// How far totals may differ.
    pub tolerance: Tolerance,
    /// Later changes of the shop.
    pub changes: ChangePolicy,
    /// Cancellations of the shop.
    pub cancellations: ChangePolicy,
    /// Fields of the target that take values of the order: `transaction`, `payment_method`, `number`, `email`, `purchase_order` → the target's field name.
    pub fields: BTreeMap<String, String>,
    /// The tables. Filled from `tables/*.csv`, not from the flow's own file.
    #[serde(skip)]
    #[schemars(skip)]
    pub tables: Tables,
}
