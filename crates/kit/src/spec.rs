//! What a connector tells about itself, and what it is given when it is opened.

use crate::clock::Clock;
use crate::decode;
use crate::http::HttpMaker;
use crate::secret::Secret;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::ConnectionName;
use comptoir_model::port::{Capabilities, Connector, Verification};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A connector's own page: one static each, listed in the connectors crate.
pub struct Spec {
    /// The word in configuration: lower case, digits and hyphens.
    pub name: &'static str,
    /// The system's own name.
    pub title: &'static str,
    /// What it does, in one sentence (English).
    pub summary: &'static str,
    /// What it can do.
    pub capabilities: &'static Capabilities,
    /// How far it has been verified.
    pub level: Verification,
    /// The settings of a connection: source of the docs, the console's form and the validation.
    pub settings: fn() -> schemars::Schema,
    /// The exact set-up steps and rights in the remote system (Markdown, English).
    pub setup: &'static str,
    /// The same in French.
    pub setup_fr: &'static str,
    /// Opens a connection. Makes no call; read the settings with [`settings`].
    pub open: fn(serde_json::Value, Kit) -> Result<Arc<dyn Connector>, Fault>,
}

/// What an opened connection works with.
#[derive(Debug, Clone)]
pub struct Kit {
    /// Its name.
    pub connection: ConnectionName,
    /// Opens its HTTP side.
    pub http: HttpMaker,
    /// The live webhook secrets, newest first; two during a rotation, none when webhooks are not used.
    pub webhook_secrets: Vec<Secret>,
    /// The clock.
    pub clock: Clock,
}

impl Kit {
    /// A kit with the network and the machine's clock, without webhook secrets.
    pub fn new(connection: ConnectionName) -> Self {
        Kit {
            http: HttpMaker::network(connection.clone()),
            connection,
            webhook_secrets: Vec::new(),
            clock: Clock::system(),
        }
    }

    /// The same kit with another clock, used for signatures and cursors too.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.http = self.http.with_clock(clock.clone());
        self.clock = clock;
        self
    }

    /// The same kit with other connections behind its HTTP, such as tapes.
    pub fn with_http(mut self, http: HttpMaker) -> Self {
        self.http = http.with_clock(self.clock.clone());
        self
    }

    /// The same kit with these webhook secrets, newest first.
    pub fn with_webhook_secrets(mut self, secrets: Vec<Secret>) -> Self {
        self.webhook_secrets = secrets;
        self
    }
}

/// Reads a connection's settings.
///
/// # Errors
/// [`Code::UnknownSetting`] for a name the settings do not have (they must deny unknown fields), else [`Code::BadValue`]; the fault's
/// field is the path. No value is repeated, since it may be a secret.
pub fn settings<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let why = decode::reason(error.inner());
        let code = if why.starts_with("unknown field") {
            Code::UnknownSetting
        } else {
            Code::BadValue
        };
        Fault::refused(code, why).at(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[allow(dead_code)]
        key: Secret,
        #[allow(dead_code)]
        pages: Option<Pages>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pages {
        #[allow(dead_code)]
        size: u32,
    }

    fn fault(value: serde_json::Value) -> Fault {
        settings::<Settings>(value).unwrap_err()
    }

    #[test]
    fn a_bad_setting_is_named_by_its_path_and_its_value_is_not_repeated() {
        let bad = fault(json!({"key": "k", "pages": {"size": "hush"}}));
        assert_eq!(
            (bad.code, bad.field.as_deref()),
            (Code::BadValue, Some("pages.size"))
        );
        assert_eq!(bad.why, "expected u32");
        let number = fault(json!({"key": 424242}));
        assert!(!number.to_string().contains("424242"), "{number}");
    }

    #[test]
    fn an_unknown_setting_has_its_own_code() {
        let unknown = fault(json!({"key": "k", "pages": {"sise": 4}}));
        assert_eq!(
            (unknown.code, unknown.field.as_deref()),
            (Code::UnknownSetting, Some("pages.sise"))
        );
        assert_eq!(unknown.why, "unknown field `sise`, expected `size`");
    }

    #[test]
    fn a_missing_setting_says_which() {
        assert_eq!(fault(json!({})).why, "missing field `key`");
    }
}
