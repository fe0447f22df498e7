//! What Dolibarr sends: numbers, ids and flags as texts, and empty ones in every form.

use comptoir_kit::decode;
use comptoir_model::Decimal;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A list with each record as it came.
pub(super) type Raw = Vec<Box<serde_json::value::RawValue>>;

/// `/status`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    pub(super) success: BTreeMap<String, Value>,
}

/// An order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Order {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(rename = "ref", deserialize_with = "decode::text")]
    pub(super) number: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) ref_ext: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) ref_client: String,
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) statut: Option<i64>,
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) status: Option<i64>,
    #[serde(deserialize_with = "decode::flag")]
    pub(super) billed: bool,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) socid: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_modification: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) note_public: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) note_private: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_tva: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_ht: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_ttc: Decimal,
    #[serde(deserialize_with = "decode::text")]
    pub(super) multicurrency_code: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) multicurrency_total_ht: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) multicurrency_total_ttc: Decimal,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) cond_reglement_id: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) mode_reglement_id: String,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) shipping_method_id: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) warehouse_id: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) contacts_ids: Vec<Value>,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) array_options: BTreeMap<String, Value>,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) lines: Vec<OrderLine>,
}

impl Order {
    /// −1 cancelled, 0 draft, 1 validated, 2 being shipped, 3 delivered.
    pub(super) fn state(&self) -> i64 {
        // Versions fill the one, the other, or both.
        self.statut.or(self.status).unwrap_or_default()
    }
}

/// A line of an order.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderLine {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) ref_ext: String,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) fk_product: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) product_ref: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) product_label: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) product_type: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) label: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) desc: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) qty: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) subprice: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) remise_percent: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) tva_tx: Decimal,
    #[serde(deserialize_with = "decode::text")]
    pub(super) vat_src_code: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_ht: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) total_ttc: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) multicurrency_subprice: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) multicurrency_total_ht: Decimal,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) multicurrency_total_ttc: Decimal,
}

/// A third party or a contact.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Party {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) ref_ext: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) firstname: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) lastname: String,
    #[serde(deserialize_with = "decode::id_option")]
    pub(super) socid: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) email: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) phone_pro: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) tva_intra: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) typent_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) address: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) zip: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) town: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) country_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) state: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) default_lang: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) code_client: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_modification: String,
}

/// A product or service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Product {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(rename = "ref", deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) ref_ext: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) label: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) barcode: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) status: String,
    #[serde(rename = "type", deserialize_with = "decode::text")]
    pub(super) sort: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) tva_tx: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) default_vat_code: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) customcode: String,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) weight: Decimal,
    #[serde(deserialize_with = "decode::integer_option")]
    pub(super) weight_units: Option<i64>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_modification: String,
    /// From 21 on: whether this product is counted at all.
    #[serde(deserialize_with = "decode::or_none")]
    pub(super) stockable_product: Option<Value>,
    /// What is there in all warehouses. Left out where the user may not read stocks, or the module is off.
    #[serde(deserialize_with = "decode::decimal_option")]
    pub(super) stock_reel: Option<Decimal>,
    /// The same without what is promised and with what is to come.
    #[serde(deserialize_with = "decode::decimal_option")]
    pub(super) stock_theorique: Option<Decimal>,
    /// What is there, by warehouse. Only those that ever held some.
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) stock_warehouse: BTreeMap<String, Place>,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) stats_expedition: Sent,
}

impl Product {
    /// Whether its stock is counted: goods are, services are not.
    pub(super) fn is_counted(&self) -> bool {
        let off = |value: &Value| matches!(value.to_string().trim_matches('"'), "0" | "false");
        self.sort == "0" && !self.stockable_product.as_ref().is_some_and(off)
    }
}

/// A product in a warehouse.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Place {
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) real: Decimal,
}

/// What was shipped of a product for orders that are still open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    #[serde(deserialize_with = "decode::decimal_option")]
    pub(super) qty: Option<Decimal>,
}

/// A part of a kit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Part {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) rowid: i64,
    #[serde(deserialize_with = "decode::decimal")]
    pub(super) qty: Decimal,
    /// "1" when it goes out of stock with the kit.
    #[serde(deserialize_with = "decode::text")]
    pub(super) incdec: String,
}

/// A shipment (`expedition`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Shipment {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(rename = "ref", deserialize_with = "decode::text")]
    pub(super) number: String,
    #[serde(deserialize_with = "decode::integer_option")]
    statut: Option<i64>,
    #[serde(deserialize_with = "decode::integer_option")]
    status: Option<i64>,
    /// What it is made from, up to 17.
    #[serde(deserialize_with = "decode::text")]
    origin: String,
    /// The same in later versions.
    #[serde(deserialize_with = "decode::text")]
    origin_type: String,
    #[serde(deserialize_with = "decode::integer_option")]
    origin_id: Option<i64>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) tracking_number: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) tracking_url: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) shipping_method: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) shipping_method_id: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_creation: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_valid: String,
    #[serde(deserialize_with = "decode::or_default")]
    pub(super) lines: Vec<ShipmentLine>,
}

impl Shipment {
    /// −1 cancelled, 0 draft, 1 validated, 2 closed.
    pub(super) fn state(&self) -> i64 {
        self.statut.or(self.status).unwrap_or_default()
    }

    /// The customer's order that it is made from.
    pub(super) fn order(&self) -> Option<i64> {
        let of_order = [&self.origin, &self.origin_type]
            .into_iter()
            .any(|origin| origin == "commande");
        self.origin_id.filter(|id| of_order && *id > 0)
    }
}

/// A line of a shipment.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ShipmentLine {
    #[serde(deserialize_with = "decode::integer_option")]
    origin_line_id: Option<i64>,
    #[serde(deserialize_with = "decode::integer_option")]
    fk_origin_line: Option<i64>,
    #[serde(deserialize_with = "decode::integer_option")]
    fk_elementdet: Option<i64>,
    #[serde(deserialize_with = "decode::text")]
    pub(super) product_ref: String,
    #[serde(deserialize_with = "decode::decimal_option")]
    qty_shipped: Option<Decimal>,
    #[serde(deserialize_with = "decode::decimal")]
    qty: Decimal,
    #[serde(deserialize_with = "decode::id_option")]
    entrepot_id: Option<comptoir_model::key::RemoteId>,
    #[serde(deserialize_with = "decode::or_default")]
    details_entrepot: Vec<ShippedFrom>,
}

impl ShipmentLine {
    /// The order's line.
    pub(super) fn origin(&self) -> i64 {
        let named = [self.origin_line_id, self.fk_elementdet, self.fk_origin_line];
        named
            .into_iter()
            .flatten()
            .find(|id| *id > 0)
            .unwrap_or_default()
    }

    /// How many of it.
    pub(super) fn quantity(&self) -> Decimal {
        self.qty_shipped.unwrap_or(self.qty)
    }

    /// The warehouses that it comes from.
    pub(super) fn warehouses(&self) -> impl Iterator<Item = &comptoir_model::key::RemoteId> {
        let split = self
            .details_entrepot
            .iter()
            .filter_map(|from| from.entrepot_id.as_ref());
        split.chain(&self.entrepot_id)
    }
}

/// The part of a line that comes from one warehouse.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ShippedFrom {
    #[serde(deserialize_with = "decode::id_option")]
    entrepot_id: Option<comptoir_model::key::RemoteId>,
}

/// A row of a dictionary, or a warehouse.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Small {
    #[serde(deserialize_with = "decode::text")]
    pub(super) id: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) code: String,
    #[serde(rename = "ref", deserialize_with = "decode::text")]
    pub(super) reference: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) label: String,
}

/// `/setup/company`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Company {
    #[serde(deserialize_with = "decode::text")]
    pub(super) name: String,
    #[serde(deserialize_with = "decode::text")]
    pub(super) currency_code: String,
}

/// What is looked at of a record before it is decoded.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Brief {
    #[serde(deserialize_with = "decode::integer")]
    pub(super) id: i64,
    #[serde(deserialize_with = "decode::text")]
    pub(super) date_modification: String,
}
