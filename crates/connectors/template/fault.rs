//! What an answer means. The status alone lies: the system's own word comes first.

use super::wire;
use comptoir_kit::http::{Answer, Effect};
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;

/// The fault of an answer; none for a success.
pub(super) fn of(answer: &Answer) -> Option<Fault> {
    if answer.is_success() {
        return None;
    }
    let word = answer.json_if::<wire::Refusal>().map(|body| body.error);
    Some(match (answer.status, word.as_deref()) {
        (429, _) => answer.later(Code::TooManyRequests, "the shop asks to slow down"),
        (_, Some("key_unknown")) => Fault::locked(Code::WrongKey, "the shop does not know the key"),
        (_, Some("scope_missing")) => Fault::locked(Code::MissingRight, "the key may not do this"),
        (_, Some("no_such_order")) => {
            Fault::gone(Code::RecordGone, "the shop does not have this order")
        }
        (_, Some("bad_status")) => {
            Fault::refused(Code::Refused, "the shop has no such state").at("status")
        }
        (404, None) => Fault::locked(Code::WrongAddress, "there is no API at this address"),
        // It may have failed after it was done: the engine asks the proof.
        (500.., _) if answer.effect == Effect::Write => {
            Fault::unknown(Code::ServerError, "the shop failed")
        }
        (500.., _) => answer.later(Code::ServerError, "the shop failed"),
        _ => Fault::bug("an answer that is not known"),
    })
}
