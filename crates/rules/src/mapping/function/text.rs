//! Text and SKUs.

use super::{Answer, error, fits, text_of};
use crate::mapping::expression::is_missing;
use rhai::{Array, Dynamic, Engine, ImmutableString};

/// Pieces that `split` makes, at most.
const PIECES: usize = 1_000;

pub(super) fn register(engine: &mut Engine) {
    engine.register_fn("upper", |text: &str| -> Answer<String> {
        bounded(text, str::to_uppercase)
    });
    engine.register_fn("lower", |text: &str| -> Answer<String> {
        bounded(text, str::to_lowercase)
    });
    engine.register_fn("trim", |text: &str| -> Answer<String> {
        bounded(text, |text| text.trim().to_owned())
    });
    engine.register_fn("len", |text: &str| text.chars().count() as i64);
    engine.register_fn("contains", |text: &str, part: &str| text.contains(part));
    engine.register_fn("starts_with", |text: &str, part: &str| {
        text.starts_with(part)
    });
    engine.register_fn("ends_with", |text: &str, part: &str| text.ends_with(part));
    engine.register_fn("matches", |text: &str, pattern: &str| {
        crate::table::fits_pattern(pattern, text)
    });
    engine.register_fn("replace", replace);
    engine.register_fn("cut", |text: &str, length: i64| -> Answer<String> {
        sub_string(text, 0, length)
    });
    engine.register_fn("sub_string", sub_string);
    engine.register_fn("before", |text: &str, mark: &str| -> Answer<String> {
        bounded(text, |text| {
            text.split_once(mark)
                .map_or(text, |(before, _)| before)
                .to_owned()
        })
    });
    engine.register_fn("before_last", |text: &str, mark: &str| -> Answer<String> {
        bounded(text, |text| {
            text.rsplit_once(mark)
                .map_or(text, |(before, _)| before)
                .to_owned()
        })
    });
    engine.register_fn("after", |text: &str, mark: &str| -> Answer<String> {
        bounded(text, |text| {
            text.split_once(mark)
                .map_or("", |(_, after)| after)
                .to_owned()
        })
    });
    engine.register_fn("after_last", |text: &str, mark: &str| -> Answer<String> {
        bounded(text, |text| {
            text.rsplit_once(mark)
                .map_or("", |(_, after)| after)
                .to_owned()
        })
    });
    engine.register_fn("digits", |text: &str| -> Answer<String> {
        bounded(text, |text| {
            text.chars().filter(char::is_ascii_digit).collect()
        })
    });
    engine.register_fn("sku", |text: &str| -> Answer<String> {
        bounded(text, |text| {
            text.split_whitespace().collect::<String>().to_uppercase()
        })
    });
    engine.register_fn("pad_left", pad_left);
    engine.register_fn("split", split);
    engine.register_fn("join", join);
    engine.register_fn("is_empty", |value: Dynamic| is_missing(&value));
    engine.register_fn("first", |a: Dynamic, b: Dynamic| first([a, b]));
    engine.register_fn("first", |a: Dynamic, b: Dynamic, c: Dynamic| {
        first([a, b, c])
    });
    engine.register_fn("first", |a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic| {
        first([a, b, c, d])
    });
}

/// Changing case may lengthen a text threefold.
fn bounded(text: &str, change: impl Fn(&str) -> String) -> Answer<String> {
    fits(text.len())?;
    let changed = change(text);
    fits(changed.len())?;
    Ok(changed)
}

fn replace(text: &str, old: &str, new: &str) -> Answer<String> {
    if old.is_empty() {
        return Err(error(
            "there is nothing to replace: the second text is empty",
        ));
    }
    let grown = text.matches(old).count().saturating_mul(new.len());
    fits(text.len().saturating_add(grown))?;
    Ok(text.replace(old, new))
}

fn sub_string(text: &str, from: i64, length: i64) -> Answer<String> {
    let count = |number: i64| usize::try_from(number.max(0)).unwrap_or(usize::MAX);
    bounded(text, |text| {
        text.chars().skip(count(from)).take(count(length)).collect()
    })
}

fn pad_left(text: &str, width: i64, with: &str) -> Answer<String> {
    let width = usize::try_from(width).unwrap_or_default();
    let missing = width.saturating_sub(text.chars().count());
    fits(
        missing
            .saturating_mul(with.len().max(1))
            .saturating_add(text.len()),
    )?;
    let letter = with
        .chars()
        .next()
        .ok_or_else(|| error("the letter to fill up with is missing"))?;
    let mut padded: String = std::iter::repeat_n(letter, missing).collect();
    padded.push_str(text);
    Ok(padded)
}

fn split(text: &str, mark: &str) -> Answer<Array> {
    if mark.is_empty() {
        return Err(error(
            "there is nothing to split at: the second text is empty",
        ));
    }
    fits(text.len())?;
    let pieces = text.split(mark).take(PIECES);
    Ok(pieces
        .map(|piece| Dynamic::from(ImmutableString::from(piece.trim())))
        .collect())
}

fn join(items: Array, mark: &str) -> Answer<String> {
    let mut joined = String::new();
    for item in items.iter().filter(|item| !is_missing(item)) {
        let item = text_of(item)?;
        if !joined.is_empty() {
            joined.push_str(mark);
        }
        joined.push_str(&item);
        fits(joined.len())?;
    }
    Ok(joined)
}

fn first<const N: usize>(values: [Dynamic; N]) -> Dynamic {
    let found = values.into_iter().find(|value| !is_missing(value));
    found.unwrap_or(Dynamic::UNIT)
}
