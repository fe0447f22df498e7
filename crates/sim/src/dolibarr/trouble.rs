//! Dolibarr's refusals, in the forms recorded on tapes, and what a test may order to go wrong.

use serde_json::{Value, json};

/// What the next call of a kind meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Another client takes the same number at the same moment: 500 with a page, nothing was done.
    SameNumber,
    /// The database ends one of two transactions that wait for each other: 500 with a page, nothing was done.
    Deadlock,
    /// 500 with JSON alone, as in production mode; nothing was done.
    FailedBefore,
    /// 500 with JSON alone, although it was done.
    FailedAfter,
    /// 502 of a proxy; nothing was done.
    LostBefore,
    /// 502 of a proxy, although it was done.
    LostAfter,
}

/// An answer: its status and body.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) html: bool,
    pub(super) body: String,
}

/// What an operation here answers.
pub(super) type Done = Result<Value, Answer>;

impl Answer {
    pub(super) fn of(value: &Value) -> Answer {
        Answer {
            status: 200,
            html: false,
            body: serde_json::to_string_pretty(value).unwrap_or_default(),
        }
    }

    pub(super) fn html(status: u16, body: &str) -> Answer {
        Answer {
            status,
            html: true,
            body: body.to_owned(),
        }
    }

    /// A refusal of the API at a stage.
    fn refusal(status: u16, message: &str, stage: &str, detail: Option<&str>) -> Answer {
        let mut error = json!({"code": status, "message": message});
        if let Some(detail) = detail {
            error["0"] = json!(detail);
        }
        let stages = json!({"success": ["get", "route"], "failure": [stage, "message"]});
        let debug = json!({"source": format!("simulated at {stage} stage"), "stages": stages});
        Answer {
            status,
            ..Answer::of(&json!({"error": error, "debug": debug}))
        }
    }

    pub(super) fn refused(status: u16, message: &str) -> Answer {
        Answer::refusal(status, message, "call", None)
    }

    pub(super) fn wrong_key() -> Answer {
        Answer::refusal(401, "Unauthorized", "authenticate", None)
    }

    pub(super) fn missing(what: &str) -> Answer {
        Answer::refused(404, &format!("Not Found: {what} not found"))
    }

    /// Nothing to do: 304 with an empty body.
    pub(super) fn already() -> Answer {
        Answer {
            status: 304,
            html: false,
            body: String::new(),
        }
    }

    pub(super) fn detailed(message: &str, detail: &str) -> Answer {
        Answer::refusal(500, message, "call", Some(detail))
    }

    /// A page about the database, and then the JSON.
    pub(super) fn database(code: &str, information: &str, message: &str) -> Answer {
        let json = Answer::refused(500, message).body;
        let page = [
            "Dolibarr has detected a technical error.<br>".to_owned(),
            "<b>Database type manager:</b> simulated<br>".to_owned(),
            format!("<b>Return code for latest database access request error:</b> {code}<br>"),
            format!(
                "<b>Information for latest database access request error:</b> {information}<br>"
            ),
            "<br>".to_owned(),
            json,
        ];
        Answer {
            status: 500,
            html: false,
            body: page.join("\n"),
        }
    }
}

impl Trouble {
    /// Whether it strikes before anything is done.
    pub(super) fn is_before(self) -> bool {
        !matches!(self, Trouble::FailedAfter | Trouble::LostAfter)
    }

    pub(super) fn answer(self) -> Answer {
        let message = "Internal Server Error: Error when validating Order";
        match self {
            Trouble::SameNumber => Answer::database(
                "DB_ERROR_RECORD_ALREADY_EXISTS",
                "Duplicate entry 'CO2610-0128-1' for key 'uk_commande_ref'",
                message,
            ),
            Trouble::Deadlock => Answer::database(
                "DB_ERROR_1213",
                "Deadlock found when trying to get lock; try restarting transaction",
                message,
            ),
            Trouble::FailedBefore | Trouble::FailedAfter => {
                Answer::refused(500, "Internal Server Error")
            }
            Trouble::LostBefore | Trouble::LostAfter => {
                Answer::html(502, "<html><h1>502 Bad Gateway</h1></html>")
            }
        }
    }
}
