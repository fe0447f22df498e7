//! The settings of a connection.

use comptoir_kit::auth::{Auth, OAuth1};
use comptoir_kit::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::order::Life;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How the key travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthMode {
    /// Basic over https, OAuth 1.0a over http.
    #[default]
    Auto,
    /// The `Authorization` header.
    Basic,
    /// The query, for servers that drop the header. The secret lands in the shop's access log.
    Query,
    /// A signature; works only where WordPress does not see HTTPS.
    OAuth1,
}

/// What tells shipping methods apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ShippingKey {
    /// The method alone: `flat_rate`.
    #[default]
    Method,
    /// The method in its zone: `flat_rate:3`.
    Instance,
}

/// The unit in which the shop keeps weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WeightUnit {
    /// Kilograms.
    Kg,
    /// Grams.
    G,
    /// Pounds.
    Lbs,
    /// Ounces.
    Oz,
}

/// Where tracking numbers of shipments go, besides the note to the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tracking {
    /// Nowhere else: the shop has no plug-in for it.
    #[default]
    None,
    /// The list of the plug-ins Shipment Tracking and Advanced Shipment Tracking, which show it to the buyer and in the shop's mails.
    ShipmentTracking,
}

/// Settings of a WooCommerce connection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the shop's home page, such as https://shop.example.com. Without /wp-json.
    #[schemars(title = "Address")]
    pub url: String,
    /// The consumer key of WooCommerce > Settings > Advanced > REST API. It begins with ck_.
    #[schemars(title = "Consumer key")]
    pub key: Secret,
    /// The consumer secret shown once beside the key. It begins with cs_.
    #[schemars(title = "Consumer secret")]
    pub secret: Secret,
    /// How the key travels: auto (the default: basic over https, a signature over http), basic, query, or oauth1.
    #[serde(default)]
    #[schemars(title = "Authentication")]
    pub auth: AuthMode,
    /// Orders per page, from 2 to 100. Lower it when the shop runs out of time or memory.
    #[serde(default = "page_size")]
    #[schemars(title = "Page size", range(min = 2, max = 100))]
    pub page_size: u32,
    /// How many seconds each reading goes back before the newest record seen, from 60 on. It covers records that the shop
    /// stores late and clocks that differ.
    #[serde(default = "overlap_seconds")]
    #[schemars(title = "Overlap in seconds", range(min = 60, max = 86400))]
    pub overlap_seconds: u64,
    /// Keys of order and customer meta data that may hold a VAT number; the first with a value counts. The default lists those of the usual
    /// plug-ins.
    #[serde(default = "vat_number_keys")]
    #[schemars(title = "Meta keys of the VAT number")]
    pub vat_number_keys: Vec<String>,
    /// Keys of order meta data that may hold the buyer's own order number; the first with a value counts.
    #[serde(default = "purchase_order_keys")]
    #[schemars(title = "Meta keys of the purchase order")]
    pub purchase_order_keys: Vec<String>,
    /// Keys of order meta data that hold gift cards used as payment: an amount, or amounts by card.
    #[serde(default = "gift_card_keys")]
    #[schemars(title = "Meta keys of gift cards")]
    pub gift_card_keys: Vec<String>,
    /// Payment methods that are paid after the order: until the shop has a date of payment they count as a promise.
    #[serde(default = "promise_methods")]
    #[schemars(title = "Payment methods paid later")]
    pub promise_methods: Vec<String>,
    /// What the shop's own order statuses mean, by their key: draft, open, on_hold, completed or cancelled. A status that is neither
    /// WooCommerce's nor listed here is open when the order is paid and on hold otherwise.
    #[serde(default)]
    #[schemars(title = "Meaning of own statuses")]
    pub statuses: BTreeMap<String, Life>,
    /// What the look-up table of shipping methods reads: method (flat_rate) or instance (flat_rate:3, one row per shipping zone).
    #[serde(default)]
    #[schemars(title = "Key of shipping methods")]
    pub shipping_key: ShippingKey,
    /// The shop's unit of weight (WooCommerce > Settings > Products): kg, g, lbs or oz. Without it weights are not read.
    #[serde(default)]
    #[schemars(title = "Unit of weight")]
    pub weight_unit: Option<WeightUnit>,
    /// The plug-in that keeps tracking numbers: none (the default) or shipment-tracking (Shipment Tracking, Advanced Shipment Tracking).
    /// With a plug-in, the shop's own mail about a completed order carries the number, and the shipment that completes it sends no note.
    #[serde(default)]
    #[schemars(title = "Tracking plug-in")]
    pub tracking: Tracking,
    /// The status that an order gets when all of it has been shipped, by its key.
    #[serde(default = "shipped_status")]
    #[schemars(title = "Status of a shipped order")]
    pub shipped_status: String,
    /// The status that an order gets when a part of it has been shipped, by its key. Without it a part changes no status.
    #[serde(default)]
    #[schemars(title = "Status of a partly shipped order")]
    pub partly_shipped_status: Option<String>,
    /// What the buyer is told of a shipment, as a note that the shop mails. {number} is the shipment's number, {parcels} a line for each
    /// parcel with its carrier, tracking number and link. Both must be in it: by them a note that was sent is known again.
    #[serde(default = "shipment_note")]
    #[schemars(title = "Note about a shipment")]
    pub shipment_note: String,
}

fn page_size() -> u32 {
    100
}

fn overlap_seconds() -> u64 {
    120
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn vat_number_keys() -> Vec<String> {
    texts(&[
        "_billing_vat_number",
        "_billing_vat",
        "billing_vat_number",
        "billing_vat",
        "_vat_number",
        "vat_number",
        "_billing_eu_vat_number",
        "billing_eu_vat_number",
        "_billing_vat_id",
        "billing_vat_id",
        "_billing_tax_id",
        "billing_tax_id",
        "_billing_nif",
        "billing_nif",
    ])
}

fn purchase_order_keys() -> Vec<String> {
    texts(&["_po_number", "po_number", "_purchase_order_number"])
}

fn gift_card_keys() -> Vec<String> {
    texts(&["_ywgc_applied_gift_cards"])
}

fn promise_methods() -> Vec<String> {
    texts(&["bacs", "cheque", "cod"])
}

fn shipped_status() -> String {
    "completed".to_owned()
}

fn shipment_note() -> String {
    "Your order has been shipped (shipment {number}).\n{parcels}".to_owned()
}

/// Statuses that say that nothing is to be shipped.
const NOT_SHIPPED: &[&str] = &["", "cancelled", "failed", "refunded", "trash"];

impl Settings {
    /// What the types cannot say.
    ///
    /// # Errors
    /// [`Code::BadValue`], naming the setting.
    pub(super) fn checked(mut self) -> Result<Self, Fault> {
        let bad = |why: &str, field: &str| Err(Fault::refused(Code::BadValue, why).at(field));
        // People paste the address of the API.
        if let Some((root, _)) = self.url.split_once("/wp-json") {
            self.url = root.to_owned();
        }
        if self.key.is_empty() || self.secret.is_empty() {
            let field = if self.key.is_empty() { "key" } else { "secret" };
            return bad("this is empty", field);
        }
        if self.key.expose().starts_with("cs_") || self.secret.expose().starts_with("ck_") {
            return bad(
                "the key begins with ck_ and the secret with cs_; they seem to be swapped",
                "key",
            );
        }
        if !(2..=100).contains(&self.page_size) {
            return bad("a page holds 2 to 100 orders", "page_size");
        }
        if !(60..=86_400).contains(&self.overlap_seconds) {
            return bad("the overlap is 60 to 86400 seconds", "overlap_seconds");
        }
        if self.mode() == AuthMode::Query && !self.is_https() {
            return bad(
                "`query` over http would send the secret in clear; use oauth1",
                "auth",
            );
        }
        for (field, status) in [
            ("shipped_status", Some(&self.shipped_status)),
            ("partly_shipped_status", self.partly_shipped_status.as_ref()),
        ] {
            if status.is_some_and(|status| NOT_SHIPPED.contains(&status.as_str())) {
                return bad("this is no status of a shipped order", field);
            }
        }
        let has = |part: &str| self.shipment_note.contains(part);
        if !has("{number}") || !has("{parcels}") {
            let why = "the note must hold {number} and {parcels}";
            return bad(why, "shipment_note");
        }
        Ok(self)
    }

    /// Whether an order with this status is over: nothing is written into it any more.
    pub(super) fn is_over(&self, status: &str) -> bool {
        match self.statuses.get(status) {
            Some(life) => matches!(life, Life::Cancelled | Life::Trashed),
            None => matches!(status, "cancelled" | "refunded" | "trash"),
        }
    }

    /// Whether an order with this status is complete already.
    pub(super) fn is_complete(&self, status: &str) -> bool {
        let told = self.statuses.get(status) == Some(&Life::Completed);
        told || status == "completed" || status == self.shipped_status
    }

    /// Whether the address is https.
    pub(super) fn is_https(&self) -> bool {
        self.url.trim().to_ascii_lowercase().starts_with("https:")
    }

    /// How the key travels, `auto` resolved.
    pub(super) fn mode(&self) -> AuthMode {
        match self.auth {
            AuthMode::Auto if self.is_https() => AuthMode::Basic,
            AuthMode::Auto => AuthMode::OAuth1,
            mode => mode,
        }
    }

    /// The authorisation of one way.
    pub(super) fn auth(&self, mode: AuthMode) -> Auth {
        let key = self.key.expose().trim();
        let secret = Secret::new(self.secret.expose().trim());
        match mode {
            AuthMode::Auto | AuthMode::Basic => Auth::Basic {
                user: key.to_owned(),
                password: secret,
            },
            AuthMode::Query => Auth::Query(vec![
                ("consumer_key".to_owned(), Secret::new(key)),
                ("consumer_secret".to_owned(), secret),
            ]),
            AuthMode::OAuth1 => Auth::OAuth1(OAuth1::one_legged(key, secret)),
        }
    }

    /// The overlap.
    pub(super) fn overlap(&self) -> Duration {
        Duration::from_secs(self.overlap_seconds)
    }
}
