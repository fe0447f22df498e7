//! What Dolibarr's answers mean. Its status alone lies: 401 is a wrong key as well as a missing right, 404 is an empty list, 200 is
//! the page that says that the API is off, and 500 is a number taken by another client, an impossible value, or a real failure. What
//! tells them apart is the stage at which it failed, the database's own code, and Dolibarr's words that begin with `Error`.

use comptoir_kit::http::{Answer, Effect};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The shape of a refusal.
#[derive(Debug, Deserialize)]
struct Refusal {
    error: Inner,
    #[serde(default)]
    debug: Debug,
}

#[derive(Debug, Deserialize)]
struct Inner {
    #[serde(default)]
    message: String,
    /// Details under "0", "1" …
    #[serde(flatten)]
    details: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Debug {
    #[serde(default)]
    stages: Stages,
}

#[derive(Debug, Default, Deserialize)]
struct Stages {
    #[serde(default)]
    failure: Vec<String>,
}

/// The JSON of an answer, also behind a page of HTML or a warning of PHP that came first.
pub(super) fn json_of(text: &str) -> Option<&str> {
    let valid = |part: &str| serde_json::from_str::<&serde_json::value::RawValue>(part).is_ok();
    if valid(text) {
        return Some(text);
    }
    let starts = text.match_indices('\n').map(|(at, _)| at + 1);
    starts
        .filter(|at| {
            text[*at..].starts_with(['{', '[', '"'])
                || text[*at..].starts_with(|c: char| c.is_ascii_digit())
        })
        .map(|at| text[at..].trim())
        .find(|part| valid(part))
}

/// The page that Dolibarr answers, with 200, while the API is switched off.
pub(super) fn is_switched_off(text: &str) -> bool {
    text.len() < 2_000 && text.contains("<b>Api</b>") && json_of(text).is_none()
}

/// The fault of an answer that is no success. `subject` is what was called, such as `orders`.
pub(super) fn of_answer(answer: &Answer, subject: &str) -> Fault {
    let text = answer.text();
    if is_switched_off(&text) {
        return Fault::locked(
            Code::WrongAddress,
            "Dolibarr's API is off: enable the module API / Web services (REST server)",
        );
    }
    let refusal = json_of(&text).and_then(|json| serde_json::from_str::<Refusal>(json).ok());
    match refusal {
        Some(refusal) => of_refusal(answer, &text, &refusal, subject),
        None => not_dolibarr(answer, &text, subject),
    }
}

fn of_refusal(answer: &Answer, text: &str, refusal: &Refusal, subject: &str) -> Fault {
    let message = refusal.error.message.as_str();
    match answer.status {
        401 | 403 => of_rights(message, &refusal.debug.stages.failure, subject),
        404 if message == "Not Found" => Fault::locked(
            Code::UnsupportedVersion,
            format!("this Dolibarr has no `{subject}` in its API"),
        ),
        404 => Fault::gone(
            Code::RecordGone,
            format!("`{subject}`: the record does not exist in Dolibarr any more"),
        ),
        400 => of_request(message, subject),
        405 | 409 => Fault::refused(
            Code::WrongState,
            format!("Dolibarr refuses `{subject}` in the record's present state"),
        ),
        429 => answer.later(Code::TooManyRequests, "the server asks to slow down"),
        500.. => of_failure(answer, text, refusal, subject),
        status => Fault::bug(format!("`{subject}`: Dolibarr answers {status}")),
    }
}

/// 401 at the stage of authentication is the key. Later, or 403, it is a right; of one record where the login is named.
fn of_rights(message: &str, stages: &[String], subject: &str) -> Fault {
    let named = message.split_once(": ").map_or("", |(_, rest)| rest);
    let failed_key = stages.iter().any(|stage| stage == "authenticate")
        || named.starts_with("Failed to login")
        // In production mode the stages are not told.
        || (stages.is_empty() && message == "Unauthorized");
    if failed_key {
        return Fault::locked(
            Code::WrongKey,
            "Dolibarr refuses the API key: it is wrong, was made anew, or its user is disabled; copy it again from the user's card",
        );
    }
    if named.starts_with("Access not allowed") {
        return Fault::refused(
            Code::MissingRight,
            format!("the user of the key may not see this record of `{subject}`"),
        );
    }
    Fault::locked(
        Code::MissingRight,
        format!("`{subject}` is not allowed: {}", right(subject)),
    )
}

/// What to do so that a part of the API may be called.
pub(super) fn right(subject: &str) -> &'static str {
    match subject.split('/').next().unwrap_or_default() {
        "orders" => {
            "enable the module Sales Orders and give the user of the key “Read customers orders” and “Create/modify customers orders”"
        }
        "thirdparties" => {
            "enable the module Third Parties and give the user of the key “Read third parties”, “Create/modify third parties” and “Extend access to all third parties”"
        }
        "contacts" => "give the user of the key “Read contacts” and “Create/modify contacts”",
        "products" => {
            "enable the module Products (or Services) and give the user of the key “Read products” (and “Read services”)"
        }
        "warehouses" => {
            "enable the module Stocks and give the user of the key “Read stocks” (later versions say “Read warehouses and stocks”)"
        }
        "shipments" => "enable the module Shipments and give the user of the key “Read sendings”",
        _ => "give the user of the key the right to it",
    }
}

fn of_request(message: &str, subject: &str) -> Fault {
    let what = message.strip_prefix("Bad Request: ").unwrap_or_default();
    if let Some(field) = what.strip_suffix(" field missing") {
        return Fault::refused(
            Code::MissingField,
            format!("`{subject}` needs a field that was not sent"),
        )
        .at(shown(field));
    }
    if what.starts_with("Error when validating parameter") || what.contains("JSON") {
        return Fault::bug(format!("`{subject}`: Dolibarr does not read the request"));
    }
    Fault::refused(
        Code::Refused,
        format!("Dolibarr refuses `{subject}`; entering the same in Dolibarr shows its reason"),
    )
}

/// Words of a database that another client was faster: nothing was done.
const CONTENTION: &[&str] = &[
    "Deadlock found",
    "deadlock detected",
    "Lock wait timeout",
    "DB_ERROR_1213",
    "DB_ERROR_1205",
    "Record has changed since last read",
];
/// Words of a database that a value cannot be stored: nothing was done, and never will be.
const IMPOSSIBLE: &[(&str, &str)] = &[
    (
        "DB_ERROR_1366",
        "a value that its database cannot hold (an emoji, or a text for a number)",
    ),
    (
        "Incorrect string value",
        "a value that its database cannot hold (an emoji)",
    ),
    (
        "Incorrect integer value",
        "a value that its database cannot hold (a text for a number)",
    ),
    (
        "DB_ERROR_1452",
        "a reference to a record that does not exist (a third party)",
    ),
    (
        "foreign key constraint",
        "a reference to a record that does not exist (a third party)",
    ),
    ("Data too long", "a text that is too long for its field"),
];

fn of_failure(answer: &Answer, text: &str, refusal: &Refusal, subject: &str) -> Fault {
    let has = |word: &&str| text.contains(*word);
    if CONTENTION.iter().any(has) {
        return Fault::later(
            Code::Contention,
            format!("`{subject}`: another user was writing at the same moment"),
        );
    }
    if let Some(word) = dolibarr_word(refusal) {
        let (code, what) = if word.contains("AlreadyExists") || word.contains("AlreadyUsed") {
            (Code::Duplicate, "it has such a record already")
        } else if word.contains("Stock") {
            (Code::WrongState, "there is not enough stock")
        } else {
            (Code::Refused, "its message says why")
        };
        return Fault::refused(
            code,
            format!("Dolibarr refuses `{subject}` ({word}): {what}"),
        );
    }
    if text.contains("DB_ERROR_RECORD_ALREADY_EXISTS") || text.contains("Duplicate entry") {
        // The next number is read without a lock: whoever comes second takes the same one.
        return Fault::later(
            Code::Contention,
            format!("`{subject}`: another user took the same number at the same moment"),
        );
    }
    if let Some((_, what)) = IMPOSSIBLE.iter().find(|(word, _)| has(word)) {
        let fault = Fault::refused(
            Code::Refused,
            format!("Dolibarr refuses `{subject}`: it was given {what}"),
        );
        return match column(text) {
            Some(column) => fault.at(column),
            None => fault,
        };
    }
    Fault::new(
        lost(answer.effect),
        Code::ServerError,
        format!("`{subject}` failed inside Dolibarr; its log says more"),
    )
}

/// The column that the database complains about: `phone` of "for column `db`.`llx_societe`.`phone` at row 1".
fn column(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("for column ")?;
    let path = rest.split_whitespace().next()?;
    let name = shown(path.rsplit('.').next()?);
    Some(name).filter(|name| !name.is_empty())
}

/// The first of Dolibarr's own error words among the details, such as `ErrorProductAlreadyExists`.
fn dolibarr_word(refusal: &Refusal) -> Option<String> {
    let details = refusal.error.details.values().filter_map(Value::as_str);
    let texts = details.chain(std::iter::once(refusal.error.message.as_str()));
    let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
    let own = |word: &&str| {
        let rest = word.strip_prefix("Error").unwrap_or_default();
        rest.len() > 3 && rest.len() < 60 && rest.starts_with(|c: char| c.is_ascii_uppercase())
    };
    words.filter(own).map(str::to_owned).next()
}

/// An answer that is none of the API's: the web server's, a proxy's, or a page of Dolibarr itself.
fn not_dolibarr(answer: &Answer, text: &str, subject: &str) -> Fault {
    match answer.status {
        501 => Fault::locked(
            Code::WrongAddress,
            format!("Dolibarr has no API for `{subject}`: {}", right(subject)),
        ),
        503 if text.contains("not allowed from") => Fault::locked(
            Code::MissingRight,
            "Dolibarr does not take calls from this machine's address (Setup, API, allowed IP addresses)",
        ),
        429 => answer.later(Code::TooManyRequests, "the server asks to slow down"),
        413 => Fault::refused(
            Code::TooLarge,
            "the server does not take a request of this size",
        ),
        503 if answer.effect == Effect::Read => {
            answer.later(Code::Maintenance, "the server is not available now")
        }
        // PHP broke off: the request has ended, whatever came of it.
        500 => Fault::new(
            lost(answer.effect),
            Code::ServerError,
            format!("`{subject}` broke off inside Dolibarr; the log of its PHP says more"),
        ),
        // Whoever stands before Dolibarr gave up: it may still be at work.
        502.. => Fault::new(
            lost(answer.effect),
            Code::TimedOut,
            format!(
                "`{subject}`: the server answered {} in Dolibarr's place",
                answer.status
            ),
        ),
        200..=299 if answer.effect == Effect::Write => Fault::unknown(
            Code::NotUnderstood,
            format!("`{subject}`: the answer is not Dolibarr's; it may have been done"),
        ),
        status => Fault::locked(
            Code::WrongAddress,
            format!(
                "the address answers {status}, but not as Dolibarr's API does; check it and any proxy before it"
            ),
        ),
    }
}

fn lost(effect: Effect) -> Next {
    match effect {
        Effect::Read => Next::Later { after: None },
        Effect::Write => Next::Unknown,
    }
}

/// A field's name, and nothing else that may stand in its place.
fn shown(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    name.chars().filter(plain).take(60).collect()
}
