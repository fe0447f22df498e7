//! The console's language, and times and amounts as people write them in it.

use axum::http::{HeaderMap, header};
use comptoir_model::code::{Code, Language};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

/// The cookie that keeps a chosen language.
pub const COOKIE: &str = "comptoir_language";

/// The language a browser asks for: the one chosen here before, else the first of its own that is known.
pub fn language_of(headers: &HeaderMap) -> Language {
    if let Some(chosen) = cookie(headers, COOKIE) {
        return word(&chosen);
    }
    let asked = headers.get(header::ACCEPT_LANGUAGE);
    let asked = asked.and_then(|value| value.to_str().ok()).unwrap_or("en");
    let mut wanted = asked.split(',').filter_map(|part| {
        let tag = part.split(';').next()?.trim().to_lowercase();
        ["fr", "en"]
            .into_iter()
            .find(|known| tag.starts_with(known))
    });
    word(wanted.next().unwrap_or("en"))
}

/// `fr` or `en`.
pub fn word(text: &str) -> Language {
    match text {
        "fr" => Language::French,
        _ => Language::English,
    }
}

/// The value of a cookie.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter();
    let pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(known, _)| *known == name);
    found.next().map(|(_, value)| value.to_owned())
}

/// What to do about a refusal.
pub fn advice(code: Code, language: Language) -> &'static str {
    let (english, french) = match code {
        Code::NoUserYet => (
            "Open it on the machine itself, or make a user there: comptoir user add.",
            "L’ouvrir sur la machine même, ou y créer un compte : comptoir user add.",
        ),
        Code::RoleTooLow => (
            "Ask an administrator for another role, or somebody who has it to do this.",
            "Demander un autre rôle à un administrateur, ou à quelqu’un qui l’a de le faire.",
        ),
        Code::ForeignForm => (
            "Go back, reload the page and send it again. Nothing was done.",
            "Revenir en arrière, recharger la page et renvoyer. Rien n’a été fait.",
        ),
        Code::WrongFirstKey => (
            "Restart comptoir serve for a new link, or make the user there: comptoir user add.",
            "Redémarrer comptoir serve pour un nouveau lien, ou créer le compte là : comptoir user add.",
        ),
        Code::HeadMoved => (
            "Somebody changed the configuration meanwhile: look at it again, then repeat.",
            "Quelqu’un a modifié la configuration entre-temps : la relire, puis recommencer.",
        ),
        _ => ("", ""),
    };
    crate::words::either(language, english, french)
}

fn zoned(zone: &TimeZone, ms: i64) -> Option<ZonedDateTime> {
    Some(
        Timestamp::from_millisecond(ms)
            .ok()?
            .to_zoned_datetime(zone.clone()),
    )
}

/// `14:05`, in French `14 h 05`.
pub fn clock(language: Language, zone: &TimeZone, ms: i64) -> String {
    let format = crate::words::either(language, "%H:%M", "%-H\u{a0}h\u{a0}%M");
    zoned(zone, ms).map_or_else(String::new, |time| time.strftime(format).to_string())
}

const MONTHS: [[&str; 2]; 12] = [
    ["Jan", "janv."],
    ["Feb", "févr."],
    ["Mar", "mars"],
    ["Apr", "avr."],
    ["May", "mai"],
    ["Jun", "juin"],
    ["Jul", "juil."],
    ["Aug", "août"],
    ["Sep", "sept."],
    ["Oct", "oct."],
    ["Nov", "nov."],
    ["Dec", "déc."],
];

/// `25 Nov`, with the year when it is another one than now.
pub fn day(language: Language, zone: &TimeZone, ms: i64, now: i64) -> String {
    let Some(time) = zoned(zone, ms) else {
        return String::new();
    };
    let index = usize::from(time.month().unsigned_abs()).saturating_sub(1) % 12;
    let [english, french] = MONTHS[index];
    let month = crate::words::either(language, english, french);
    let this_year = zoned(zone, now).is_some_and(|now| now.year() == time.year());
    if this_year {
        format!("{} {month}", time.day())
    } else {
        format!("{} {month} {}", time.day(), time.year())
    }
}

/// The day, unless it is today, and the time.
pub fn moment(language: Language, zone: &TimeZone, ms: i64, now: i64) -> String {
    let (time, today) = (zoned(zone, ms), zoned(zone, now));
    let same = time.as_ref().map(ZonedDateTime::date) == today.as_ref().map(ZonedDateTime::date);
    let at = clock(language, zone, ms);
    if same {
        at
    } else {
        let comma = crate::words::either(language, ", ", ", ");
        format!("{}{comma}{at}", day(language, zone, ms, now))
    }
}

/// How long ago or how long: `4 s`, `12 min`, `3 h 12`, `9 days`.
pub fn span(language: Language, ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let space = '\u{a0}';
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}{space}s"),
        (0, 0, _) => format!("{minutes}{space}min"),
        (0, ..) => format!("{hours}{space}h{space}{:02}", minutes % 60),
        (1, ..) => format!("1{space}{}", crate::words::either(language, "day", "jour")),
        _ => format!(
            "{days}{space}{}",
            crate::words::either(language, "days", "jours")
        ),
    }
}

/// Midnight of the day that a moment is in, and the next one (unix ms).
pub fn day_around(zone: &TimeZone, ms: i64) -> (i64, i64) {
    let day = || {
        let time = zoned(zone, ms)?;
        let start = time.start_of_day().ok()?;
        let end = time.tomorrow().ok()?.start_of_day().ok()?;
        Some((
            start.timestamp().as_millisecond(),
            end.timestamp().as_millisecond(),
        ))
    };
    day().unwrap_or((ms - 86_400_000, ms))
}

/// A count with its word: `1 order`, `1,204 orders`, in French `1 204 commandes`.
pub fn counted(language: Language, count: u64, one: [&str; 2], many: [&str; 2]) -> String {
    let singular = match language {
        Language::English => count == 1,
        Language::French => count < 2,
    };
    let [english, french] = if singular { one } else { many };
    let word = crate::words::either(language, english, french);
    format!("{}\u{a0}{word}", number(language, count))
}

/// A count with its thousands apart.
pub fn number(language: Language, count: u64) -> String {
    let digits = count.to_string();
    let group = crate::words::either(language, ",", "\u{202f}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(group);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn the_language_is_the_chosen_one_or_the_first_known_of_the_browser() {
        let of = |name: header::HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            language_of(&headers)
        };
        let browser = header::ACCEPT_LANGUAGE;
        assert_eq!(
            of(browser.clone(), "de, fr;q=0.8, en;q=0.7"),
            Language::French
        );
        assert_eq!(of(browser.clone(), "en-GB, fr"), Language::English);
        assert_eq!(of(browser, "de"), Language::English);
        let cookie = of(header::COOKIE, "a=b; comptoir_language=fr");
        assert_eq!(cookie, Language::French);
    }

    #[test]
    fn spans_and_counts_read_as_people_write_them() {
        assert_eq!(span(Language::English, 4_999), "4\u{a0}s");
        assert_eq!(span(Language::English, 11_520_000), "3\u{a0}h\u{a0}12");
        assert_eq!(span(Language::French, 9 * 86_400_000), "9\u{a0}jours");
        let orders = |n| {
            counted(
                Language::French,
                n,
                ["order", "commande"],
                ["orders", "commandes"],
            )
        };
        assert_eq!(orders(0), "0\u{a0}commande");
        assert_eq!(orders(1204), "1\u{202f}204\u{a0}commandes");
        assert_eq!(number(Language::English, 1_000_000), "1,000,000");
    }
}
