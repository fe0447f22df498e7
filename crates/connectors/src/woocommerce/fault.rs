//! What a refusal means. The shop's own `code` decides; its status alone lies in both directions (500 for a refusal for good, 200 for a
//! batch that failed in part).

use super::settings::AuthMode;
use super::wire::Refusal;
use comptoir_kit::http::{Answer, Effect};
use comptoir_model::code::Code;
use comptoir_model::fault::{Fault, Next};

/// The answer of a success whose body is JSON, or the fault.
///
/// # Errors
/// What the shop says.
pub(super) fn success(answer: Answer, mode: AuthMode) -> Result<Answer, Fault> {
    if answer.is_success() && answer.is_json() {
        Ok(answer)
    } else {
        Err(classify(&answer, mode))
    }
}

/// The fault of an answer that is no success.
pub(super) fn classify(answer: &Answer, mode: AuthMode) -> Fault {
    let fault = match answer.json_if::<Refusal>() {
        Some(refusal) => by_code(&refusal, answer.status, answer.effect, mode),
        None => by_status(answer),
    };
    match (fault.next, answer.retry_after()) {
        (Next::Later { .. }, Some(wait)) => fault.after(wait),
        _ => fault,
    }
}

/// The fault of one item of a batch: the shop did nothing with it.
pub(super) fn of_item(refusal: &Refusal, mode: AuthMode) -> Fault {
    let status = refusal.status().unwrap_or(400);
    by_code(refusal, status, Effect::Write, mode)
}

fn by_code(refusal: &Refusal, status: u16, effect: Effect, mode: AuthMode) -> Fault {
    let code = refusal.code.as_str();
    match code {
        "woocommerce_rest_authentication_error" => authentication(&refusal.message, effect),
        "rest_no_route" => Fault::locked(
            Code::WrongAddress,
            "the site has no such WooCommerce API: WooCommerce is switched off, too old, or the address is that of another site",
        ),
        "rest_invalid_param" | "rest_missing_callback_param" => parameter(refusal, effect),
        "rest_invalid_json" => Fault::bug("the shop could not read the request"),
        "product_invalid_sku"
        | "product_invalid_global_unique_id"
        | "registration-error-email-exists"
        | "existing_user_email"
        | "existing_user_login"
        | "registration-error-username-exists" => Fault::refused(
            Code::Duplicate,
            format!("the shop already has one (`{code}`)"),
        ),
        // The lock behind the SKU table: another request is just making that product.
        "woocommerce_rest_product_not_created" => Fault::later(
            Code::Contention,
            "the product could not be stored, most likely because another request is making it",
        ),
        "woocommerce_rest_cannot_create_order_refund" => Fault::refused(
            Code::WrongState,
            "the shop refused the refund: the amount is more than what is left, or the gateway said no",
        ),
        "woocommerce_rest_request_entity_too_large" => {
            Fault::refused(Code::TooLarge, "the shop takes fewer items per call")
        }
        "wp_die" if status == 503 => Fault::later(Code::Maintenance, "the shop is being updated"),
        _ if code.ends_with("_invalid_id") => Fault::gone(
            Code::RecordGone,
            "the shop does not have this record any more",
        ),
        _ if status == 401 => ignored_key(mode),
        _ if status == 403 => Fault::locked(
            Code::MissingRight,
            format!("the user of the key lacks a right (`{code}`); it must be a shop manager"),
        ),
        _ => other(code, status, effect),
    }
}

/// Refusals without a meaning of their own here.
fn other(code: &str, status: u16, effect: Effect) -> Fault {
    let why = format!("the shop answered {status} (`{}`)", word(code));
    match (status, effect) {
        (429, _) => Fault::later(Code::TooManyRequests, why),
        (400..=499, _) => Fault::refused(Code::Refused, why),
        (503, _) => Fault::later(Code::ServerError, why),
        (_, Effect::Read) => Fault::later(Code::ServerError, why),
        (_, Effect::Write) => Fault::unknown(Code::ServerError, why),
    }
}

/// A vendor's code as far as it is one: plug-ins put anything there.
fn word(code: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if code.len() <= 80 && code.chars().all(plain) {
        code
    } else {
        "a code that is none"
    }
}

fn parameter(refusal: &Refusal, effect: Effect) -> Fault {
    let fault = match effect {
        // A question of ours that the shop does not take.
        Effect::Read => Fault::bug("the shop does not take a parameter of the question"),
        Effect::Write if refusal.code == "rest_missing_callback_param" => {
            Fault::refused(Code::MissingField, "the shop wants a field that is missing")
        }
        Effect::Write => Fault::refused(Code::Refused, "the shop refused the value of a field"),
    };
    match refusal.field() {
        Some(field) => fault.at(field),
        None => fault,
    }
}

/// One code for seven troubles; only the message tells them apart, and only in English. In another language the message is shown as it is:
/// it never holds more than the trouble.
fn authentication(message: &str, effect: Effect) -> Fault {
    let lower = message.to_lowercase();
    let has = |part: &str| lower.contains(part);
    if has("write permission") {
        return Fault::locked(
            Code::ReadOnlyKey,
            "the key may only read; make one with Read/Write",
        );
    }
    if has("read permission") {
        return Fault::locked(
            Code::MissingRight,
            "the key may not read; make one with Read/Write",
        );
    }
    if has("nonce") {
        // Nonces are ours and fresh: something on the way sent the request twice, and the first may have been done.
        let why = "the shop saw the same signed request twice; something between repeats requests";
        return match effect {
            Effect::Read => Fault::later(Code::SignatureRefused, why),
            Effect::Write => Fault::unknown(Code::SignatureRefused, why),
        };
    }
    if has("timestamp") {
        return Fault::locked(
            Code::ClockSkew,
            "the shop refused the time of the request: set the clocks of both machines",
        );
    }
    if has("signature") {
        return Fault::locked(
            Code::SignatureRefused,
            "the shop refused the signature: the secret is wrong, or a proxy changes the address or the query; with an https:// address nothing is signed",
        );
    }
    if has("secret is invalid") || has("key is invalid") {
        return Fault::locked(
            Code::WrongKey,
            "the consumer key or its secret is wrong; make a new key in WooCommerce > Settings > Advanced > REST API",
        );
    }
    let shown: String = message
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect();
    Fault::locked(
        Code::WrongKey,
        format!("the shop refused the key and says: {shown}"),
    )
}

/// 401 and no word about the key: it was not looked at, or the shop does not know it. The probe finds out which.
fn ignored_key(mode: AuthMode) -> Fault {
    match mode {
        AuthMode::OAuth1 => Fault::locked(
            Code::WrongAddress,
            "the shop ignored the signature, as it does when it sees the connection as HTTPS; write the address with https://",
        ),
        _ => Fault::locked(
            Code::NotSeenAsHttps,
            "the shop did not look at the key: it does not see the connection as HTTPS, drops the Authorization header, or does not know the key",
        ),
    }
}

/// Answers that WooCommerce has not written: web pages, proxies, firewalls.
fn by_status(answer: &Answer) -> Fault {
    let why = format!(
        "the address answered {} with something else than the WooCommerce API",
        answer.status
    );
    match (answer.status, answer.effect) {
        (401, _) => Fault::locked(
            Code::MissingRight,
            "the web server itself asks for a password before the shop (a protected staging site?)",
        ),
        (403, _) => Fault::locked(
            Code::MissingRight,
            "a firewall or security plug-in refuses the API; let this machine's address and /wp-json/wc/v3 through",
        ),
        (404, _) => Fault::locked(
            Code::WrongAddress,
            "there is a web page instead of the WooCommerce API: check the address, and that WordPress > Settings > Permalinks is not `Plain`",
        ),
        (429, _) => Fault::later(Code::TooManyRequests, "the shop's host asks to slow down"),
        (413, _) => Fault::refused(
            Code::TooLarge,
            "the shop's host takes smaller requests only",
        ),
        // Without a waiting time a 503 comes from a proxy that may have passed the request on.
        (503, _) if answer.retry_after().is_some() => Fault::later(Code::Maintenance, why),
        (503, Effect::Read) => Fault::later(Code::Maintenance, why),
        (500.., Effect::Read) => Fault::later(Code::ServerError, why),
        (400..=499, _) => Fault::refused(Code::Refused, why),
        (_, Effect::Write) => Fault::unknown(Code::NotUnderstood, why),
        // 200 with a web page: a maintenance plug-in or a broken one. It passes, or all calls fail and the connection pauses.
        (_, Effect::Read) => Fault::later(Code::WrongAddress, why),
    }
}
