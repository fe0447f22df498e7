//! What Odoo's refusals mean. The exception's name decides, never the HTTP status and never the text: `/jsonrpc` answers 200 to
//! everything, `/json/2` answers 500 to a permanent error, and texts change with version and language.
//!
//! Any exception ends the transaction, so what it answered was not done. The exceptions to that are a database connection that broke
//! (it may have been while committing) and answers that Odoo did not write itself.

use comptoir_kit::http::{Answer, Effect};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};

/// The one text that is ever matched: `load()` catches the database's exception and answers it as a message.
const SERIALIZATION: &str = "could not serialize access";

/// Whether a message of `load()` says that another transaction came first.
pub(super) fn is_serialization(message: &str) -> bool {
    message.contains(SERIALIZATION)
}

/// The fault of an exception, by its full Python name. `subject` is the model and method that was called.
pub(super) fn of_exception(name: &str, subject: &str, effect: Effect) -> Fault {
    let short = name.rsplit('.').next().unwrap_or(name);
    if name.starts_with("psycopg2") {
        return of_database(short, subject, effect);
    }
    match short {
        "AccessDenied" | "Unauthorized" => Fault::locked(
            Code::WrongKey,
            "Odoo refuses the login or the key: it is wrong, was deleted or has expired; make a new API key and put it into the connection",
        ),
        "SessionExpiredException" => {
            Fault::locked(Code::ExpiredKey, "Odoo says that the session has expired")
        }
        "AccessError" => Fault::refused(
            Code::MissingRight,
            format!("the user of the key may not call `{subject}`, or not on this record"),
        ),
        "MissingError" => Fault::gone(
            Code::RecordGone,
            format!("`{subject}`: the record does not exist in Odoo any more"),
        ),
        "ValidationError" | "UserError" | "RedirectWarning" => Fault::refused(
            Code::Refused,
            format!(
                "Odoo refuses `{subject}` ({short}); entering the same in Odoo shows its reason"
            ),
        ),
        "ValueError" | "KeyError" | "TypeError" => Fault::refused(
            Code::UnknownField,
            format!("`{subject}`: Odoo does not know a field or a value that was sent ({short})"),
        ),
        "AttributeError" | "NotFound" => Fault::refused(
            Code::UnsupportedVersion,
            format!(
                "Odoo has no `{subject}`; is the app that brings it installed, and the version from 16 to 19?"
            ),
        ),
        "UnprocessableEntity" | "BadRequest" => {
            Fault::bug(format!("Odoo does not take the arguments of `{subject}`"))
        }
        _ => Fault::new(
            Next::Bug,
            Code::ServerError,
            format!(
                "`{subject}` failed inside Odoo ({}); its log says more",
                shown(name)
            ),
        ),
    }
}

fn of_database(short: &str, subject: &str, effect: Effect) -> Fault {
    match short {
        "SerializationFailure" | "DeadlockDetected" | "LockNotAvailable" => {
            contention(&format!("`{subject}`"))
        }
        // The connection to the database broke; if that was while committing, it may have been done.
        "OperationalError" | "InterfaceError" | "AdminShutdown" => Fault::new(
            lost(effect),
            Code::ServerError,
            format!("`{subject}`: Odoo cannot reach its database"),
        ),
        _ => Fault::later(
            Code::ServerError,
            format!("`{subject}`: the database refused it for now"),
        ),
    }
}

/// Another transaction wrote the same record; nothing was done.
pub(super) fn contention(what: &str) -> Fault {
    Fault::later(
        Code::Contention,
        format!("{what}: another user was writing the same record"),
    )
}

/// Neither wrong data nor a wrong key: the database that the settings name.
pub(super) fn wrong_database(database: &str) -> Fault {
    Fault::locked(
        Code::WrongDatabase,
        format!(
            "Odoo answers, but does not open the database `{database}`; check its name (it is shown on the login page)"
        ),
    )
}

/// An answer that no Odoo wrote: a proxy, another program, a page of HTML.
pub(super) fn not_odoo(answer: &Answer, subject: &str) -> Fault {
    let status = answer.status;
    match status {
        429 => answer.later(
            Code::TooManyRequests,
            format!("`{subject}`: the server asks to slow down"),
        ),
        413 => Fault::refused(
            Code::TooLarge,
            format!("`{subject}`: the server does not take a request of this size"),
        ),
        503 if answer.effect == Effect::Read => answer.later(
            Code::Maintenance,
            format!("`{subject}`: the server is not available now"),
        ),
        500..=599 => Fault::new(
            lost(answer.effect),
            Code::ServerError,
            format!("`{subject}`: the server answered {status} and not as Odoo does"),
        ),
        400 | 415 => Fault::bug(format!("Odoo does not read the request of `{subject}`")),
        200..=299 if answer.effect == Effect::Write => Fault::unknown(
            Code::NotUnderstood,
            format!("`{subject}`: the answer is not Odoo's; it may have been done"),
        ),
        _ => Fault::locked(
            Code::WrongAddress,
            format!(
                "the address answers {status}, but not as Odoo does; check it and any proxy before it"
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

/// The name of a Python class, and nothing else that may stand in its place.
fn shown(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    if name.len() <= 80 && name.chars().all(plain) {
        name
    } else {
        "an exception without a name"
    }
}

/// A refusal of something that is not about one record: nothing else of this connection will work either.
pub(super) fn of_everything(fault: Fault) -> Fault {
    if fault.code == Code::MissingRight {
        return Fault {
            next: Next::Locked,
            ..fault
        };
    }
    fault
}

/// Whether fewer records in one call may fare better: the others of a refused batch were not done either.
pub(super) fn is_about_one(fault: &Fault) -> bool {
    matches!(fault.next, Next::Refused | Next::Gone | Next::Bug)
}
