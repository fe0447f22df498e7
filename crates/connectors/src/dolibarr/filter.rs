//! Dolibarr's `sqlfilters`: `(t.field:operator:value)`, joined by `and` and `or`.
//!
//! Up to 17 a value ends at its first colon, and what then is no quoted text becomes 0: `(t.tms:>=:'2026-11-22 04:35:00')` is true of
//! every record. Brackets are refused in any version, and `in` mangles texts. So an instant is written without colons, and a text
//! with a character that means something is asked for by `like` with `_` in its place: what comes back is compared by the caller.

use comptoir_kit::time;
use jiff::{Timestamp, ToSpan};

/// Records whose field holds this text, and perhaps some others.
pub(super) fn text(field: &str, value: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " @._/+-~#,;!?&*|".contains(c);
    if value.chars().all(plain) {
        return format!("(t.{field}:=:'{value}')");
    }
    let pattern: String = value
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    format!("(t.{field}:like:'{pattern}')")
}

/// Records whose field holds these letters and digits in this order, and perhaps some others.
pub(super) fn loosely(field: &str, value: &str) -> String {
    let mut pattern = String::new();
    for c in value.chars().filter(char::is_ascii_alphanumeric) {
        if !pattern.is_empty() {
            pattern.push('%');
        }
        pattern.push(c);
    }
    format!("(t.{field}:like:'{pattern}')")
}

/// Any of these.
pub(super) fn any(criteria: &[String]) -> String {
    match criteria {
        [one] => one.clone(),
        many => format!("({})", many.join(" or ")),
    }
}

/// Records with these ids.
pub(super) fn ids(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("(t.rowid:in:{})", ids.join(","))
}

/// Records modified at this instant or later, by a clock in this zone. Around a change of the clocks an hour earlier: one local
/// time then stands for two instants, and the database takes either.
pub(super) fn since(at: Timestamp, zone: &str) -> String {
    let written = |at: Timestamp| time::naive_in(at, zone).unwrap_or_else(|_| time::naive(at));
    let offset = |at: Timestamp| {
        let local = time::utc(&written(at)).unwrap_or(at);
        local.duration_since(at)
    };
    let shifted = |hours: i64| at.checked_add(hours.hours()).unwrap_or(at);
    let from = if offset(shifted(-3)) == offset(shifted(3)) {
        at
    } else {
        shifted(-1)
    };
    let digits: String = written(from).chars().filter(char::is_ascii_digit).collect();
    format!("(t.tms:>=:'{digits}')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_holds_what_ends_it() {
        assert_eq!(
            text("ref_ext", "shop-fr/order/1"),
            "(t.ref_ext:=:'shop-fr/order/1')"
        );
        assert_eq!(text("ref", "a:(b)'c%"), "(t.ref:like:'a__b__c_')");
        assert_eq!(
            loosely("tva_intra", "FR 11"),
            "(t.tva_intra:like:'F%R%1%1')"
        );
        assert_eq!(ids(&[1, 3]), "(t.rowid:in:1,3)");
    }

    #[test]
    fn an_instant_has_no_colon_and_an_hour_more_around_a_change_of_the_clocks() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let winter = since(at("2026-11-22T04:35:00Z"), "UTC");
        assert_eq!(winter, "(t.tms:>=:'20261122043500')");
        let paris = since(at("2026-11-22T04:35:00Z"), "Europe/Paris");
        assert_eq!(paris, "(t.tms:>=:'20261122053500')");
        // 00:59 UTC is the first 02:59 of that night; 02:59 comes again an hour later.
        let back = since(at("2026-10-25T00:59:00Z"), "Europe/Paris");
        assert_eq!(back, "(t.tms:>=:'20261025015900')");
    }
}
