//! Our keys in `ref_ext`: of a third party, contact or order the key itself, of an order's line its last part.

use comptoir_model::key::{Kind, WriteKey};
use comptoir_model::order::LineKind;

/// Behind the key of an order that is not complete yet: its contact is still to be linked. Nobody finds such an order by its key, and
/// the create that is sent again goes on with it.
pub(super) const UNFINISHED: char = '~';

/// Our key on a line of an order of ours; none for a line, or an order, that is not ours.
pub(super) fn of_line(order: &str, part: &str) -> Option<WriteKey> {
    let ours = order.split('/').nth(1) == Some(Kind::Order.as_str());
    line_kind(part).filter(|_| ours)?;
    Some(WriteKey(order.trim_end_matches(UNFINISHED).to_owned()).part(part))
}

/// What a line of ours is, by the part of our key that it carries; none for a line that is not ours.
pub(super) fn line_kind(part: &str) -> Option<LineKind> {
    match part.split('-').next().unwrap_or_default() {
        "line" => Some(LineKind::Item),
        "shipping" => Some(LineKind::Shipping),
        "fee" => Some(LineKind::Fee),
        "discount" => Some(LineKind::Discount),
        "rounding" => Some(LineKind::Rounding),
        _ => None,
    }
}
