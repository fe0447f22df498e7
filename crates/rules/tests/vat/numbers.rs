//! VAT numbers: every row of `vat_numbers.csv`, and every setting for those on which libraries disagree.

use comptoir_rules::vat::number::{Reading, read};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static NUMBERS: LazyLock<Vec<BTreeMap<String, String>>> =
    LazyLock::new(|| super::rows(include_str!("../vectors/vat_numbers.csv")));

/// Read without help of an address, but for the rows that give no prefix.
fn reading(input: &str, country: &str) -> Reading {
    let country = match country {
        // Its numbers are told by their prefix alone.
        "XI" => "GB",
        other => other,
    };
    read(input, country.parse().ok()).unwrap()
}

#[test]
fn every_number_of_the_vectors_reads_as_they_say() {
    let rows = &*NUMBERS;
    assert_eq!(rows.len(), 1_998);
    let mut wrong = Vec::new();
    for row in rows {
        let (valid, canonical) = match reading(&row["input"], &row["country"]) {
            Reading::Good(number) => (true, number.to_string()),
            Reading::Doubtful(..) | Reading::Bad(_) => (false, String::new()),
        };
        if valid != (row["expected"] == "valid") || (valid && canonical != row["canonical"]) {
            wrong.push(format!("{} {} {canonical}", row["id"], row["input"]));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn what_libraries_disagree_about_is_doubtful_and_nothing_else() {
    let rows = super::rows(include_str!("../vectors/vat_numbers_disputed.csv"));
    assert_eq!(rows.len(), 87);
    for row in &rows {
        let read = reading(&row["input"], &row["country"]);
        assert!(matches!(read, Reading::Doubtful(..)), "{row:?}: {read:?}");
    }
}

#[test]
fn a_prefix_comes_from_the_address_when_none_was_typed() {
    for (typed, country, canonical) in [
        ("142 431 02", "AT", None),
        ("U 142 43 102", "AT", Some("ATU14243102")),
        ("gr 094 259 216", "GR", Some("EL094259216")),
        ("094259216", "GR", Some("EL094259216")),
        ("uk 980 7806 84", "GB", Some("GB980780684")),
        ("403.019.261", "BE", Some("BE0403019261")),
        ("83 404 833 048", "FR", Some("FR83404833048")),
        ("83 404 833 048", "MC", Some("FR83404833048")),
        ("FR 83 404 833 048", "DE", Some("FR83404833048")),
    ] {
        let read = read(typed, country.parse().ok()).unwrap();
        match (canonical, read) {
            (Some(canonical), Reading::Good(number)) => assert_eq!(number.to_string(), canonical),
            (None, Reading::Bad(_)) => {}
            (_, other) => panic!("{typed} of {country}: {other:?}"),
        }
    }
    assert_eq!(read(" - ", None), None);
    assert!(matches!(read("123", None), Some(Reading::Bad(_))));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic_and_separators_change_nothing(text in "\\PC{0,24}") {
        for country in [None, "FR".parse().ok(), "GB".parse().ok(), "CH".parse().ok(), "NO".parse().ok(), "HU".parse().ok()] {
            let _ = read(&text, country);
        }
    }

    #[test]
    fn a_good_number_stays_itself(index in 0usize..1_998) {
        let row = &NUMBERS[index];
        if let Some(Reading::Good(number)) = read(&row["input"], None) {
            prop_assert_eq!(read(&number.to_string(), None), Some(Reading::Good(number)));
        }
    }
}

#[test]
fn a_doubtful_number_is_asked_about_or_rejected_by_the_setting() {
    use comptoir_rules::vat::number::Doubtful;
    use comptoir_rules::vat::sale::NumberState;
    for row in super::rows(include_str!("../vectors/vat_numbers_disputed.csv")) {
        let read = reading(&row["input"], &row["country"]);
        let state = |doubtful| NumberState::read(Some(read.clone()), doubtful);
        assert_eq!(state(Doubtful::Ask).as_str(), "unasked", "{row:?}");
        assert_eq!(state(Doubtful::Reject).as_str(), "bad_syntax", "{row:?}");
    }
}

#[test]
fn letters_that_are_not_ascii_are_no_number() {
    // `eu-vat` 0.1.11 panics on some of them: no text that a buyer types may do that.
    for typed in [
        "FR\u{fffd}0A123456789",
        "ES\u{660}12345678",
        "IE\u{c0}234567B",
    ] {
        assert!(
            matches!(read(typed, None), Some(Reading::Bad(_))),
            "{typed}"
        );
    }
}
