//! Odoo's errors, with the names and statuses recorded on tapes.

use super::version::Version;
use serde_json::{Value as Json, json};

/// An exception of Odoo.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Trouble {
    /// Qualified name, such as `odoo.exceptions.UserError`.
    pub name: &'static str,
    /// Its text.
    pub message: String,
    /// A second argument, as werkzeug's exceptions carry their status.
    pub code: Option<u16>,
    /// The mandatory field that was missing: its label and name.
    pub field: Option<(&'static str, &'static str)>,
}

/// What most functions here answer.
pub(super) type Done<T> = Result<T, Trouble>;

impl Trouble {
    fn new(name: &'static str, message: impl Into<String>) -> Trouble {
        Trouble {
            name,
            message: message.into(),
            code: None,
            field: None,
        }
    }

    fn web(name: &'static str, code: u16, message: impl Into<String>) -> Trouble {
        Trouble {
            name,
            message: message.into(),
            code: Some(code),
            field: None,
        }
    }

    pub(super) fn user(message: impl Into<String>) -> Trouble {
        Trouble::new("odoo.exceptions.UserError", message)
    }

    pub(super) fn validation(message: impl Into<String>) -> Trouble {
        Trouble::new("odoo.exceptions.ValidationError", message)
    }

    pub(super) fn access(message: impl Into<String>) -> Trouble {
        Trouble::new("odoo.exceptions.AccessError", message)
    }

    pub(super) fn denied() -> Trouble {
        Trouble::new("odoo.exceptions.AccessDenied", "Access Denied")
    }

    pub(super) fn missing(model: &str, id: i64, uid: i64) -> Trouble {
        Trouble::new(
            "odoo.exceptions.MissingError",
            format!(
                "Record does not exist or has been deleted.\n(Record: {model}({id},), User: {uid})"
            ),
        )
    }

    pub(super) fn value(message: impl Into<String>) -> Trouble {
        Trouble::new("builtins.ValueError", message)
    }

    pub(super) fn key(message: impl Into<String>) -> Trouble {
        Trouble::new("builtins.KeyError", message)
    }

    pub(super) fn attribute(message: impl Into<String>) -> Trouble {
        Trouble::new("builtins.AttributeError", message)
    }

    pub(super) fn argument(message: impl Into<String>) -> Trouble {
        Trouble::new("builtins.TypeError", message)
    }

    /// What a database that does not exist answers on `/jsonrpc`: it shows the address of the server.
    pub(super) fn no_database(name: &str) -> Trouble {
        Trouble::new(
            "psycopg2.OperationalError",
            format!(
                "connection to server at \"203.0.113.9\", port 5432 failed: FATAL:  database \"{name}\" does not exist\n"
            ),
        )
    }

    pub(super) fn session_expired() -> Trouble {
        Trouble::new("odoo.http.SessionExpiredException", "Session expired")
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Trouble {
        Trouble::web("werkzeug.exceptions.Unauthorized", 401, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Trouble {
        Trouble::web("werkzeug.exceptions.NotFound", 404, message)
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Trouble {
        Trouble::web("werkzeug.exceptions.UnprocessableEntity", 422, message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Trouble {
        Trouble::web("werkzeug.exceptions.BadRequest", 400, message)
    }

    /// The status `/json/2` answers with. A `ValueError` is permanent and still a 500.
    pub(super) fn status(&self) -> u16 {
        if let Some(code) = self.code {
            return code;
        }
        match self.name {
            "odoo.exceptions.UserError" | "odoo.exceptions.ValidationError" => 422,
            "odoo.exceptions.AccessError" | "odoo.exceptions.AccessDenied" => 403,
            "odoo.exceptions.MissingError" => 404,
            _ => 500,
        }
    }

    fn arguments(&self) -> Json {
        match self.code {
            Some(code) => json!([self.message, code]),
            None => json!([self.message]),
        }
    }

    /// A traceback of the same form as the real one, which shows server paths.
    fn debug(&self) -> String {
        let name = self.name.strip_prefix("builtins.").unwrap_or(self.name);
        format!(
            "Traceback (most recent call last):\n  File \"/opt/odoo/odoo/http.py\", line 1, in simulated\n{name}: {}\n",
            self.message
        )
    }

    /// `error.data` of JSON-RPC, and the body of `/json/2`. The keys stand in the version's order.
    pub(super) fn data(&self, version: Version) -> Json {
        if version >= Version::V19 {
            json!({"name": self.name, "message": self.message, "arguments": self.arguments(), "context": {}, "debug": self.debug()})
        } else {
            json!({"name": self.name, "debug": self.debug(), "message": self.message, "arguments": self.arguments(), "context": {}})
        }
    }

    /// `error` of JSON-RPC.
    pub(super) fn envelope(&self, version: Version) -> Json {
        let (code, message) = if self.name == "odoo.http.SessionExpiredException" {
            (100, "Odoo Session Expired")
        } else {
            (version.error_code(), "Odoo Server Error")
        };
        json!({"code": code, "message": message, "data": self.data(version)})
    }
}
