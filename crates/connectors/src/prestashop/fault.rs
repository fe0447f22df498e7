//! What a refusal means. The webservice's own `code` decides: many refusals for good come as 500, some writes are answered 500 although they
//! were done, and PHP's own warnings are errors of their own (codes below 16).

use super::xml;
use comptoir_kit::http::{Answer, Effect};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};
use serde::Deserialize;

/// The header that every answer of the webservice carries once it has looked at the key.
const VERSION: &str = "psws-version";

#[derive(Debug, Deserialize)]
struct Refusal {
    errors: Vec<ErrorWire>,
}

#[derive(Debug, Deserialize)]
struct ErrorWire {
    #[serde(default, deserialize_with = "comptoir_kit::decode::integer")]
    code: i64,
    #[serde(default, deserialize_with = "comptoir_kit::decode::text")]
    message: String,
}

/// The refusals of an answer; empty when it holds none.
fn errors(answer: &Answer) -> Vec<(i64, String)> {
    if let Some(refusal) = answer.json_if::<Refusal>() {
        let errors = refusal.errors.into_iter();
        return errors.map(|error| (error.code, error.message)).collect();
    }
    xml::errors(&answer.text()).unwrap_or_default()
}

/// Whether an answer that is no success holds nothing against what was read but warnings of PHP: the shop reports each as an error and
/// answers 500, and the records stand beside them.
pub(super) fn only_warns(answer: &Answer) -> bool {
    let errors = errors(answer);
    answer.effect == Effect::Read
        && !errors.is_empty()
        && errors.iter().all(|(code, _)| of_php(*code))
}

/// Codes of what PHP itself reports, fatal errors left out.
fn of_php(code: i64) -> bool {
    matches!(code, 3 | 5 | 11 | 12 | 13 | 15)
}

/// The fault of an answer that is no success. `resource` is what was asked for.
pub(super) fn classify(answer: &Answer, resource: &str) -> Fault {
    let errors = errors(answer);
    let fault = match main(&errors) {
        Some((code, message)) => by_code(*code, message, answer, resource),
        None => by_status(answer, resource),
    };
    match (fault.next, answer.retry_after()) {
        (Next::Later { .. }, Some(wait)) => fault.after(wait),
        _ => fault,
    }
}

/// The refusal that counts: one with a meaning of its own before "unable to save" and before warnings of PHP.
fn main(errors: &[(i64, String)]) -> Option<&(i64, String)> {
    let weight = |code: i64| match code {
        0..=15 => 2,
        46 => 1,
        _ => 0,
    };
    errors.iter().min_by_key(|(code, _)| weight(*code))
}

fn by_code(code: i64, message: &str, answer: &Answer, resource: &str) -> Fault {
    let why = format!("the shop refused {resource} (code {code})");
    match code {
        16..=21 => wrong_key(code),
        22 => Fault::locked(
            Code::WrongAddress,
            "the webservice is switched off: switch it on in Advanced Parameters > Webservice",
        ),
        25 => Fault::locked(
            Code::MissingRight,
            format!(
                "the key may not do this with {resource}: tick the right for it in Advanced Parameters > Webservice"
            ),
        ),
        26 => Fault::locked(
            Code::MissingRight,
            format!(
                "the key has no right at all on {resource}: tick it in Advanced Parameters > Webservice"
            ),
        ),
        132 => Fault::locked(
            Code::MissingRight,
            "the key is not for this shop of the multistore: tick the shop in the key's form",
        ),
        999 => Fault::locked(
            Code::WrongAddress,
            "the multistore has no shop with this `shop_id`",
        ),
        27 => Fault::locked(
            Code::UnsupportedVersion,
            format!("this PrestaShop has no resource {resource}"),
        ),
        23 => Fault::locked(
            Code::UnsupportedVersion,
            "this PrestaShop does not know PATCH and does not say that it is older than 8.0: a proxy or module may change its answers",
        ),
        87 | 92 | 131 => Fault::gone(Code::RecordGone, "the shop does not have this record"),
        // Questions of ours that this shop does not take, and bodies of ours that it cannot read.
        28..=40 | 81 | 89 | 90 | 101 | 127 => Fault::bug(why),
        41 => field(
            Code::MissingField,
            "the shop wants a field that is missing",
            message,
        ),
        93 => field(
            Code::UnknownField,
            "the shop does not let this field be written",
            message,
        ),
        85 => field(
            Code::Refused,
            "the shop refused the value of a field",
            message,
        ),
        140 => Fault::refused(
            Code::Duplicate,
            "the shop already has one with this e-mail address",
        ),
        _ => other(why, answer),
    }
}

/// The shop names a field in quotes, or as `Class->field`.
fn field(code: Code, why: &str, message: &str) -> Fault {
    let fault = Fault::refused(code, why);
    let arrow = message.replace("&gt;", ">");
    let named = match arrow.split_once("->") {
        Some((_, rest)) => Some(rest),
        None => arrow.split_once('"').map(|(_, rest)| rest),
    };
    let plain = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let name: String = named
        .unwrap_or_default()
        .chars()
        .take_while(plain)
        .collect();
    if name.is_empty() {
        fault
    } else {
        fault.at(name)
    }
}

fn wrong_key(code: i64) -> Fault {
    let why = match code {
        16 | 17 => "the shop saw no key",
        18 => "the shop says that this cannot be a webservice key: it has 32 characters",
        20 => {
            "the shop does not know this key, or it is switched off (Advanced Parameters > Webservice)"
        }
        _ => {
            "the key is known and has no right at all: tick its rights in Advanced Parameters > Webservice"
        }
    };
    Fault::locked(Code::WrongKey, why)
}

/// Refusals without a meaning of their own here. After a 500 a write may have been done.
fn other(why: String, answer: &Answer) -> Fault {
    match (answer.status, answer.effect) {
        (429, _) => Fault::later(Code::TooManyRequests, why),
        (400..=499, _) => Fault::refused(Code::Refused, why),
        (_, Effect::Read) => Fault::later(Code::ServerError, why),
        (_, Effect::Write) => Fault::unknown(Code::ServerError, why),
    }
}

/// Answers without a refusal that can be read: plain texts, empty ones, web pages, proxies.
fn by_status(answer: &Answer, resource: &str) -> Fault {
    let why = format!(
        "the shop answered {} to {resource} without a reason",
        answer.status
    );
    let from_webservice = answer.header(VERSION).is_some();
    let text = answer.text();
    match (answer.status, answer.effect) {
        (401, _) if text.trim() == "401 Unauthorized" => Fault::locked(
            Code::WrongKey,
            "the shop saw no key: its server drops the Authorization header; let it through (`CGIPassAuth On`), or set auth to `query`",
        ),
        (401, _) => Fault::locked(
            Code::MissingRight,
            "the web server itself asks for a password before the shop (a protected staging site?)",
        ),
        (403, _) => Fault::locked(
            Code::MissingRight,
            "a firewall or security module refuses the webservice; let this machine's address and /api through",
        ),
        (404, _) if from_webservice => {
            Fault::gone(Code::RecordGone, "the shop does not have this record")
        }
        (404, _) => Fault::locked(
            Code::WrongAddress,
            "there is a web page instead of the webservice: check the address, and that the shop's .htaccess file is generated",
        ),
        (405, _) => Fault::locked(Code::UnsupportedVersion, why),
        (413, _) => Fault::refused(
            Code::TooLarge,
            "the shop's host takes smaller requests only",
        ),
        (429, _) => Fault::later(Code::TooManyRequests, "the shop's host asks to slow down"),
        (500, Effect::Write) if text.contains("order has already been placed using this cart") => {
            Fault::refused(
                Code::Duplicate,
                "the shop already has an order of this cart",
            )
        }
        // Without a waiting time a 503 comes from a proxy that may have passed the request on.
        (503, _) if answer.retry_after().is_some() => Fault::later(Code::Maintenance, why),
        (503, Effect::Read) => Fault::later(Code::Maintenance, why),
        (500.., Effect::Read) => Fault::later(Code::ServerError, why),
        (500.., Effect::Write) => Fault::unknown(Code::ServerError, why),
        (400..=499, _) => Fault::refused(Code::Refused, why),
        (_, Effect::Write) => Fault::unknown(Code::NotUnderstood, why),
        // 200 with a web page: another site, or a broken module. It passes, or all calls fail and the connection pauses.
        (_, Effect::Read) => Fault::later(Code::WrongAddress, why),
    }
}
