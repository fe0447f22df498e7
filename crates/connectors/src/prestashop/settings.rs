//! The settings of a connection.

use super::local::ShopClock;
use super::read::is_number;
use comptoir_kit::auth::Auth;
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
    /// The `Authorization` header.
    #[default]
    Basic,
    /// The query, for servers that drop the header. The key lands in the shop's access log.
    Query,
}

/// Settings of a PrestaShop connection.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the shop's home page, such as https://shop.example.com. Without /api.
    #[schemars(title = "Address")]
    pub url: String,
    /// The key of Advanced Parameters > Webservice: 32 characters.
    #[schemars(title = "Webservice key")]
    pub key: Secret,
    /// How the key travels: basic (the default), or query where the shop's server drops the Authorization header.
    #[serde(default)]
    #[schemars(title = "Authentication")]
    pub auth: AuthMode,
    /// The shop's time zone, such as Europe/Paris (International > Localization). PrestaShop's times have no zone of their own, so this is
    /// needed; the test of the connection compares it with the shop's.
    #[schemars(title = "Time zone")]
    pub time_zone: String,
    /// In a multistore installation, the id of the shop to read. Without it: the shop that the address leads to.
    #[serde(default)]
    #[schemars(title = "Shop id (multistore)")]
    pub shop_id: Option<u32>,
    /// Orders per page, from 2 to 100. Lower it when the shop runs out of time or memory.
    #[serde(default = "page_size")]
    #[schemars(title = "Page size", range(min = 2, max = 100))]
    pub page_size: u32,
    /// How many seconds each reading goes back before the newest record seen, from 60 on. It covers records that the shop
    /// stores late and clocks that differ. Around the night the clocks go back, the repeated hour is added by itself.
    #[serde(default = "overlap_seconds")]
    #[schemars(title = "Overlap in seconds", range(min = 60, max = 86400))]
    pub overlap_seconds: u64,
    /// What the shop's own order states mean, by their id: draft, open, on_hold, completed or cancelled. A state that is neither one of the
    /// first thirteen nor listed here is read by its flags: completed when shipped, open when paid, otherwise on hold.
    #[serde(default)]
    #[schemars(title = "Meaning of own order states")]
    pub statuses: BTreeMap<String, Life>,
    /// Whether the shop mails the buyer when a flow of orders writes a state or a tracking number. Flows of shipments say it themselves.
    #[serde(default)]
    #[schemars(title = "Mail the buyer")]
    pub send_emails: bool,
    /// The order state that an order gets when all of it has been shipped, by its id. Without it: the shop's own state for that, or the first
    /// that is flagged as shipped. An order that already is in a state flagged so stays in it.
    #[serde(default)]
    #[schemars(title = "State of a shipped order")]
    pub shipped_status: Option<String>,
    /// The order state that an order gets when a part of it has been shipped, by its id. Without it a part changes no state.
    #[serde(default)]
    #[schemars(title = "State of a partly shipped order")]
    pub partly_shipped_status: Option<String>,
    /// Payment modules that are paid after the order: until the shop says that they are paid they count as a promise.
    #[serde(default = "promise_methods")]
    #[schemars(title = "Payment modules paid later")]
    pub promise_methods: Vec<String>,
}

fn page_size() -> u32 {
    50
}

fn overlap_seconds() -> u64 {
    120
}

fn promise_methods() -> Vec<String> {
    ["ps_wirepayment", "ps_checkpayment", "ps_cashondelivery"]
        .map(str::to_owned)
        .to_vec()
}

impl Settings {
    /// What the types cannot say.
    ///
    /// # Errors
    /// [`Code::BadValue`], naming the setting.
    pub(super) fn checked(mut self) -> Result<Self, Fault> {
        let bad = |why: &str, field: &str| Err(Fault::refused(Code::BadValue, why).at(field));
        // People paste the address of the API.
        let address = self.url.trim().trim_end_matches('/');
        self.url = address.strip_suffix("/api").unwrap_or(address).to_owned();
        if self.key.is_empty() {
            return bad("this is empty", "key");
        }
        if self.key.expose().trim().len() != 32 {
            return bad("a webservice key has 32 characters", "key");
        }
        if !(2..=100).contains(&self.page_size) {
            return bad("a page holds 2 to 100 orders", "page_size");
        }
        if !(60..=86_400).contains(&self.overlap_seconds) {
            return bad("the overlap is 60 to 86400 seconds", "overlap_seconds");
        }
        if self.shop_id == Some(0) {
            return bad("shop ids begin with 1", "shop_id");
        }
        for (state, field) in [
            (&self.shipped_status, "shipped_status"),
            (&self.partly_shipped_status, "partly_shipped_status"),
        ] {
            if state.as_ref().is_some_and(|state| !is_number(state)) {
                return bad("an order state is named by its id, such as 4", field);
            }
        }
        if self.auth == AuthMode::Query && !self.is_https() {
            return bad("`query` over http would send the key in clear", "auth");
        }
        self.clock()?;
        Ok(self)
    }

    /// Whether the address is https.
    pub(super) fn is_https(&self) -> bool {
        self.url.trim().to_ascii_lowercase().starts_with("https:")
    }

    /// The clock on the shop's wall.
    ///
    /// # Errors
    /// [`Code::BadValue`] for a zone that does not exist.
    pub(super) fn clock(&self) -> Result<ShopClock, Fault> {
        ShopClock::open(&self.time_zone).ok_or_else(|| {
            let why = "there is no such time zone; use an IANA name such as Europe/Paris";
            Fault::refused(Code::BadValue, why).at("time_zone")
        })
    }

    /// The authorisation: the key is the user, and there is no password.
    pub(super) fn authorisation(&self) -> Auth {
        let key = self.key.expose().trim();
        match self.auth {
            AuthMode::Basic => Auth::Basic {
                user: key.to_owned(),
                password: Secret::new(""),
            },
            AuthMode::Query => Auth::Query(vec![("ws_key".to_owned(), Secret::new(key))]),
        }
    }

    /// The overlap.
    pub(super) fn overlap(&self) -> Duration {
        Duration::from_secs(self.overlap_seconds)
    }
}
