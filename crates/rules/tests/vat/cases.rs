//! Decisions: every row of `vat_decision_cases.csv`, and `docs/vat-cases.md` written from them.

use comptoir_model::code::Language;
use comptoir_rules::vat::number::{Reading, VatNumber, read};
use comptoir_rules::vat::place::Place;
use comptoir_rules::vat::rate::Rates;
use comptoir_rules::vat::sale::{
    Buyer, Checked, Choices, NumberState, Open, Sale, Seller, Supply, Unavailable, WithoutNumber,
    classify,
};
use comptoir_rules::vat::treatment::{Treatment, Verdict};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::LazyLock;

type Row = BTreeMap<String, String>;

/// Whether the row has no third party behind it.
fn unreviewed(row: &Row) -> bool {
    row["source"].contains("rule applied by the author of this file")
}

/// The file names these places in words.
const IN_WORDS: [(&str, &str); 11] = [
    ("Buesingen", "DE-BUS"),
    ("Aland (AX)", "FI-01"),
    ("Canary Islands", "ES-CN"),
    ("Ceuta", "ES-CE"),
    ("Saint-Martin (971 prefix trap)", "FR-MF"),
    ("Martinique", "FR-972"),
    ("Guyane", "FR-973"),
    ("Reunion", "FR-974"),
    ("Saint-Pierre-et-Miquelon", "FR-975"),
    ("French Polynesia", "FR-987"),
    ("Livigno", "IT-LIV"),
];

fn cases() -> Vec<Row> {
    super::rows(include_str!("../vectors/vat_decision_cases.csv"))
}

static NUMBERS: LazyLock<Vec<Row>> =
    LazyLock::new(|| super::rows(include_str!("../vectors/vat_numbers.csv")));

/// A number of that country that reads well; which one does not matter to a decision.
fn some_number(country: &str) -> VatNumber {
    let wanted = if country == "GR" { "EL" } else { country };
    let row = NUMBERS
        .iter()
        .find(|row| row["country"] == wanted && row["expected"] == "valid");
    match read(&row.unwrap()["input"], None) {
        Some(Reading::Good(number)) => number,
        other => panic!("{country}: {other:?}"),
    }
}

fn number_state(row: &Row) -> NumberState {
    let checked = Checked {
        at: 0,
        consultation: "WAPIAAAA".to_owned(),
    };
    let number = || some_number(&row["vat_number_country"]);
    match row["vat_number_state"].as_str() {
        "none" => NumberState::None,
        "valid" => NumberState::Valid {
            number: number(),
            checked,
        },
        "invalid" => NumberState::Invalid {
            number: number(),
            checked,
        },
        "unavailable" => NumberState::Unavailable {
            number: number(),
            last_valid: None,
        },
        "cached_valid" => NumberState::Unavailable {
            number: number(),
            last_valid: Some((checked, 3)),
        },
        other => panic!("{other}"),
    }
}

/// Decides a row. What its columns do not say is said by its group or note.
fn decide(row: &Row, choices: Choices, rates: &Rates) -> Result<Verdict, Open> {
    let ship_from = Place::by_code(&row["ship_from"]).unwrap();
    let to = Place::told_by(
        row["buyer_country"].parse().unwrap(),
        &row["buyer_postcode"],
        "",
        "",
    )
    .unwrap();
    let (supply, class) = match row["supply"].as_str() {
        "digital" => (Supply::Electronic, "standard"),
        "ebook" => (Supply::Electronic, "books"),
        "service" => (Supply::Services, "standard"),
        "multi_purpose_gift_card" => (Supply::Voucher, "standard"),
        _ => (Supply::Goods, "standard"),
    };
    let seller = Seller {
        home: Place::by_code(&row["seller_country"]).unwrap(),
        established: BTreeSet::new(),
        registered: BTreeSet::new(),
        oss: row["oss"] == "y",
        ioss: row["group"] == "import_distance_sale",
        over_threshold: row["over_10k"] == "y",
        small_business: row["group"] == "small_business",
    };
    let worth = match row["supply"].as_str() {
        "goods_over_150eur" => 151,
        _ => 100,
    };
    let number = number_state(row);
    let sale = Sale {
        on: row["date"].parse().unwrap(),
        supply,
        class,
        from: &ship_from,
        to: &to,
        collected: row["supply"] == "goods_click_and_collect",
        buyer: match row["buyer_type"].as_str() {
            "business" => Buyer::Business,
            _ => Buyer::Consumer,
        },
        number: &number,
        worth_in_euros: Some(Decimal::from(worth)),
    };
    classify(&sale, &seller, choices, rates)
}

/// The merchant's own rows: the class of e-books is nobody else's to know.
fn merchant() -> Rates {
    let books: String = cases()
        .iter()
        .filter(|row| row["supply"] == "ebook")
        .map(|row| format!("{},books,{}\n", row["tax_country"], row["rate"]))
        .collect();
    Rates::read(&format!("country,class,rate\n{books}")).unwrap()
}

fn differences(row: &Row, verdict: &Verdict) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |field: &str, is: &str| {
        if row[field] != is {
            wrong.push(format!("{field}: `{is}` instead of `{}`", row[field]));
        }
    };
    same("treatment", verdict.treatment.as_str());
    same("en16931_category", verdict.category.unwrap_or_default());
    same("vatex", verdict.vatex.unwrap_or_default());
    same(
        "mention_kind",
        verdict.mention.map_or("", |mention| mention.as_str()),
    );
    let named = IN_WORDS.iter().find(|(_, code)| *code == verdict.country);
    let country = match named {
        Some((words, _)) if row["tax_country"] == *words => words,
        _ => verdict.country.as_str(),
    };
    same("tax_country", country);
    let rate = match verdict.rates.as_slice() {
        [only] => only.normalize().to_string(),
        _ => String::new(),
    };
    same("rate", &rate);
    let articles = |law: &str| -> BTreeSet<String> {
        law.split(|c: char| !c.is_ascii_digit())
            .filter(|number| !number.is_empty() && number.len() <= 3)
            .map(ToOwned::to_owned)
            .collect()
    };
    let (theirs, ours) = (articles(&row["legal_ref"]), articles(&verdict.law));
    // These groups cite what makes them special beside the article of their goods: 78(b) for carriage, 93 for the day of a rate, 30b
    // for a voucher that may buy one thing.
    let beside = ["shipping", "rate_by_date", "voucher"].contains(&row["group"].as_str());
    if !theirs.is_empty() && theirs.is_disjoint(&ours) && !beside {
        wrong.push(format!(
            "law: `{}` instead of `{}`",
            verdict.law, row["legal_ref"]
        ));
    }
    wrong
}

#[test]
fn every_case_of_high_or_medium_confidence_is_decided_as_it_says() {
    let rates = merchant();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for row in cases() {
        if !matches!(row["confidence"].as_str(), "high" | "medium") {
            continue;
        }
        tried += 1;
        match decide(&row, Choices::default(), &rates) {
            Ok(verdict) => {
                let differs = differences(&row, &verdict);
                if !differs.is_empty() {
                    wrong.push(format!("{}: {}", row["id"], differs.join("; ")));
                }
                assert!(!verdict.reasons.is_empty(), "{}", row["id"]);
            }
            Err(open) => wrong.push(format!("{}: {open:?}", row["id"])),
        }
    }
    assert_eq!(tried, 163);
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn a_rate_the_merchant_gives_is_one_that_its_country_has() {
    for row in cases().iter().filter(|row| row["supply"] == "ebook") {
        let known = Rates::default().on(
            &row["tax_country"],
            "",
            "reduced",
            row["date"].parse().unwrap(),
        );
        let rate: Decimal = row["rate"].parse().unwrap();
        assert!(known.contains(&rate), "{}: {known:?}", row["id"]);
    }
}

/// The row with this id, under these choices.
fn under(id: &str, choices: Choices) -> Verdict {
    let row = cases().into_iter().find(|row| row["id"] == id).unwrap();
    decide(&row, choices, &Rates::default()).unwrap()
}

fn outcome(verdict: &Verdict) -> (Treatment, &str, String) {
    let rates: Vec<String> = verdict.rates.iter().map(Decimal::to_string).collect();
    (verdict.treatment, &verdict.country, rates.join(" or "))
}

#[test]
fn without_a_valid_number_the_setting_decides() {
    for id in ["VD-023", "VD-024"] {
        let departure = under(id, Choices::default());
        assert_eq!(
            outcome(&departure),
            (Treatment::Charge, "FR", "20".to_owned()),
            "{id}"
        );
        let consumer = under(
            id,
            Choices {
                without_number: WithoutNumber::Consumer,
                ..Choices::default()
            },
        );
        assert_eq!(
            outcome(&consumer),
            (Treatment::ChargeOss, "DE", "19".to_owned()),
            "{id}"
        );
        // Which one was used is said.
        let said = |verdict: &Verdict| {
            let mut reasons = verdict.reasons.iter();
            reasons.any(|reason| reason.english.contains("without_number"))
        };
        assert!(said(&departure) && said(&consumer));
    }
}

#[test]
fn while_a_number_cannot_be_checked_the_setting_decides() {
    let with = |unavailable, trust_days| Choices {
        unavailable,
        trust_days,
        ..Choices::default()
    };
    for (id, choices, treatment) in [
        ("VD-027", Choices::default(), Treatment::PendingVerification),
        ("VD-027", with(Unavailable::Charge, 0), Treatment::Charge),
        // Nothing to trust.
        (
            "VD-027",
            with(Unavailable::Trust, 30),
            Treatment::PendingVerification,
        ),
        ("VD-026", Choices::default(), Treatment::PendingVerification),
        (
            "VD-026",
            with(Unavailable::Trust, 30),
            Treatment::ExemptIcSupply,
        ),
        (
            "VD-026",
            with(Unavailable::Trust, 2),
            Treatment::PendingVerification,
        ),
        ("VD-026", with(Unavailable::Charge, 30), Treatment::Charge),
    ] {
        assert_eq!(under(id, choices).treatment, treatment, "{id} {choices:?}");
    }
}

#[test]
fn the_disputed_rate_of_the_azores_is_the_merchants() {
    let row = cases()
        .into_iter()
        .find(|row| row["confidence"] == "disputed")
        .unwrap();
    let own = Rates::read("country,territory,class,rate\nPT,PT-20,standard,18\n").unwrap();
    for (rates, rate) in [(Rates::default(), 16), (own, 18)] {
        let verdict = decide(&row, Choices::default(), &rates).unwrap();
        assert_eq!(verdict.rates, [Decimal::from(rate)]);
    }
}

#[test]
fn a_number_that_matters_is_asked_for_and_no_other() {
    let mut asked = 0;
    for row in cases() {
        if row["vat_number_state"] != "valid" {
            continue;
        }
        let decided = decide_unasked(&row, some_number(&row["vat_number_country"]));
        let cross_border = matches!(
            row["treatment"].as_str(),
            "exempt_ic_supply" | "reverse_charge"
        );
        assert_eq!(
            matches!(decided, Err(Open::Ask(_))),
            cross_border,
            "{}: {decided:?}",
            row["id"]
        );
        asked += usize::from(cross_border);
    }
    assert_eq!(asked, 21);
}

fn decide_unasked(row: &Row, number: VatNumber) -> Result<Verdict, Open> {
    let from = Place::by_code(&row["ship_from"]).unwrap();
    let country = row["buyer_country"].parse().unwrap();
    let to = Place::told_by(country, &row["buyer_postcode"], "", "").unwrap();
    let seller = Seller {
        home: Place::by_code(&row["seller_country"]).unwrap(),
        established: BTreeSet::new(),
        registered: BTreeSet::new(),
        oss: row["oss"] == "y",
        ioss: false,
        over_threshold: row["over_10k"] == "y",
        small_business: false,
    };
    let number = NumberState::Unasked { number };
    let sale = Sale {
        on: row["date"].parse().unwrap(),
        supply: match row["supply"].as_str() {
            "digital" => Supply::Electronic,
            "service" => Supply::Services,
            _ => Supply::Goods,
        },
        class: "standard",
        from: &from,
        to: &to,
        collected: false,
        buyer: Buyer::Business,
        number: &number,
        worth_in_euros: None,
    };
    classify(&sale, &seller, Choices::default(), &Rates::default())
}

#[test]
fn what_the_page_does_not_cover_is_left_open() {
    let row = |id: &str| cases().into_iter().find(|row| row["id"] == id).unwrap();
    // Services between mainland France and its departments.
    let mut services = row("VD-151");
    services.insert("supply".into(), "digital".into());
    assert_eq!(
        decide(&services, Choices::default(), &Rates::default()),
        Err(Open::FrenchServices)
    );
    // A class nobody gave a rate for.
    let mut class = row("VD-032");
    class.insert("tax_country".into(), String::new());
    assert_eq!(
        decide(&class, Choices::default(), &Rates::default()),
        Err(Open::Rate("FR".to_owned(), "books".to_owned()))
    );
}

/// `docs/vat-cases.md`.
fn report() -> String {
    let rates = merchant();
    let rows = cases();
    let mut text = String::from(
        "# VAT cases\n\nWhat Comptoir's VAT rules were tried on. Written by `COMPTOIR_WRITE_DOCS=1 cargo test -p comptoir-rules --test vat`; the same test fails while this page is stale.\n\nThis is engineering research, not tax advice. Each case is an order with its expected treatment, country, rate, EN 16931 category, VATEX code, mention and article; a case passes when all of them come out. Where a case is from stands in `crates/rules/tests/vectors/vat_decision_cases.csv`.\n\n## Counts\n\n| confidence of the source | cases | pass | of them not reviewed |\n|---|---|---|---|\n",
    );
    for confidence in ["high", "medium", "policy", "disputed"] {
        let of: Vec<&Row> = rows
            .iter()
            .filter(|row| row["confidence"] == confidence)
            .collect();
        let pass = of.iter().filter(|row| passes(row, &rates)).count();
        let own = of.iter().filter(|row| unreviewed(row)).count();
        let _ = writeln!(text, "| {confidence} | {} | {pass} | {own} |", of.len());
    }
    text.push_str("\nCases of confidence `policy` and `disputed` have several lawful answers. They are counted with the setting that gives the answer in the file, and each other answer of the setting has a test too (`without_number`, `unavailable`, `tables/vat_rates.csv`).\n\n| treatment | cases |\n|---|---|\n");
    for treatment in Treatment::ALL {
        let count = rows
            .iter()
            .filter(|row| row["treatment"] == treatment.as_str())
            .count();
        let words = treatment.words();
        let _ = writeln!(text, "| {} | {count} |", words.of(Language::English));
    }
    let own: Vec<&Row> = rows.iter().filter(|row| unreviewed(row)).collect();
    let _ = write!(
        text,
        "\n## Not reviewed by an accountant yet\n\n{} cases have no third party behind them: whoever wrote them applied the Directive. They pass, and that says only that Comptoir applies it the same way. Have them reviewed before you rely on them.\n\n| case | what | treatment | article |\n|---|---|---|---|\n",
        own.len()
    );
    for row in own {
        let number = match row["vat_number_state"].as_str() {
            "none" => String::new(),
            state => format!(", number of {} {state}", row["vat_number_country"]),
        };
        let _ = writeln!(
            text,
            "| {} | {} {}→{} {}, {}{number} | {} {} {} | {} |",
            row["id"],
            row["supply"].replace('_', " "),
            row["ship_from"],
            row["buyer_country"],
            row["buyer_postcode"],
            row["buyer_type"],
            row["treatment"],
            row["tax_country"],
            row["rate"],
            row["legal_ref"],
        );
    }
    text
}

fn passes(row: &Row, rates: &Rates) -> bool {
    let choices = match row["vat_number_state"].as_str() {
        "cached_valid" => Choices {
            unavailable: Unavailable::Trust,
            trust_days: 30,
            ..Choices::default()
        },
        _ => Choices::default(),
    };
    decide(row, choices, rates).is_ok_and(|verdict| differences(row, &verdict).is_empty())
}

#[test]
fn the_page_of_cases_is_what_the_cases_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vat-cases.md");
    let report = report();
    if std::env::var_os("COMPTOIR_WRITE_DOCS").is_some() {
        std::fs::write(path, &report).unwrap();
    }
    let page = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        page == report,
        "docs/vat-cases.md is stale: COMPTOIR_WRITE_DOCS=1 cargo test -p comptoir-rules --test vat"
    );
}
