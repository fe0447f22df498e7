//! British, Swiss and Norwegian numbers. Why own: `eu-vat` is about the Union only, and the crates that know these three were not
//! found to be better kept than sixty lines.

use super::{Doubt, Flaw, Reading, VatNumber};

fn number(prefix: &str, national: String) -> VatNumber {
    VatNumber {
        prefix: prefix.to_owned(),
        national,
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Σ digit × weight.
fn weighted(digits: &str, weights: &[u32]) -> u32 {
    digits
        .bytes()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum()
}

fn value(digits: &str) -> u32 {
    digits
        .bytes()
        .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
}

/// United Kingdom: nine digits, with three more for a branch; GD (government) and HA (health) with a number, or in the long form
/// GD8888 + number + two check digits.
pub fn british(national: String) -> Reading {
    if let Some(kind) = national
        .get(..2)
        .filter(|kind| matches!(*kind, "GD" | "HA"))
    {
        let rest = &national[2..];
        let belongs = |digits: &str| (value(digits) < 500) == (kind == "GD");
        return match rest.len() {
            _ if !all_digits(rest) => Reading::Bad(Flaw::Shape),
            3 if belongs(rest) => Reading::Good(number("GB", national)),
            3 => Reading::Doubtful(number("GB", national), Doubt::Part),
            9 if !rest.starts_with("8888") || !belongs(&rest[4..7]) => {
                Reading::Doubtful(number("GB", national), Doubt::Part)
            }
            9 if value(&rest[4..7]) % 97 == value(&rest[7..]) => {
                Reading::Good(number("GB", national))
            }
            9 => Reading::Doubtful(number("GB", national), Doubt::CheckDigit),
            _ => Reading::Bad(Flaw::Length),
        };
    }
    if !all_digits(&national) {
        return Reading::Bad(Flaw::Shape);
    }
    if !matches!(national.len(), 9 | 12) {
        return Reading::Bad(Flaw::Length);
    }
    let sum = weighted(&national, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
    if sum != 0 && sum != 42 {
        return Reading::Doubtful(number("GB", national), Doubt::CheckDigit);
    }
    if is_disputed_british(&national) {
        return Reading::Doubtful(number("GB", national), Doubt::Disputed);
    }
    Reading::Good(number("GB", national))
}

/// Numbers whose check digits fit, from ranges that some say were never given: the old check (97) and the new one (97 − 55) each have
/// theirs.
pub fn is_disputed_british(national: &str) -> bool {
    if !all_digits(national) || national.len() < 9 {
        return false;
    }
    let (head, check) = (value(&national[..7]), value(&national[7..9]));
    let sum = weighted(&national[..7], &[8, 7, 6, 5, 4, 3, 2]) + check;
    let old = sum.is_multiple_of(97);
    let given = match old {
        true => {
            head > 0
                && head < 9_990_001
                && !(100_000..=999_999).contains(&head)
                && !(9_490_001..=9_700_000).contains(&head)
        }
        false => head > 1_000_000,
    };
    !given
}

/// Switzerland: CHE, nine digits with a check digit, and MWST, TVA, IVA or TPV.
pub fn swiss(national: String) -> Reading {
    let Some(rest) = national.strip_prefix('E') else {
        return Reading::Bad(Flaw::Shape);
    };
    let digits = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
    let ending = &rest[digits.len()..];
    if !matches!(ending, "MWST" | "TVA" | "IVA" | "TPV") || !all_digits(digits) {
        return Reading::Bad(Flaw::Shape);
    }
    if digits.len() != 9 {
        return Reading::Bad(Flaw::Length);
    }
    let check = (11 - weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11) % 11;
    let fits = check == value(&digits[8..]);
    let read = number("CH", national);
    match fits {
        true => Reading::Good(read),
        false => Reading::Doubtful(read, Doubt::CheckDigit),
    }
}

/// Norway: nine digits with a check digit, and MVA. Without MVA it is the number of an enterprise that need not be registered for VAT:
/// libraries disagree about it.
pub fn norwegian(national: String) -> Reading {
    let (digits, registered) = match national.strip_suffix("MVA") {
        Some(digits) => (digits, true),
        None => (national.as_str(), false),
    };
    if !all_digits(digits) {
        return Reading::Bad(Flaw::Shape);
    }
    if digits.len() != 9 {
        return Reading::Bad(Flaw::Length);
    }
    let check = (11 - weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    let fits = check == value(&digits[8..]);
    let read = number("NO", national.clone());
    match (fits, registered) {
        (true, true) => Reading::Good(read),
        (true, false) => Reading::Doubtful(read, Doubt::Disputed),
        (false, _) => Reading::Doubtful(read, Doubt::CheckDigit),
    }
}
