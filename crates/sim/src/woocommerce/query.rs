//! Query parameters: decoding, lists in the ways PHP takes them, validation as WordPress words it, dates, pages, fields.

use super::answer::Answer;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

/// The parameters of one request, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a query string.
    pub fn parse(text: &str) -> Self {
        let pairs = text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect();
        Query { pairs }
    }

    /// All of them.
    pub fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }

    /// The last value of a name, as PHP takes it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether a flag is set: `true` or `1`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }

    /// A list: `a,b`, `name[]=a&name[]=b` or `name[0]=a`. None when the parameter is absent.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let mut found = None;
        for (key, value) in &self.pairs {
            let indexed = key
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('[') && rest.ends_with(']'));
            if key == name || indexed {
                let values = value.split(',').map(str::trim).filter(|v| !v.is_empty());
                found.get_or_insert_with(Vec::new).extend(values);
            }
        }
        found
    }

    /// A list of ids; what is no number counts as none.
    pub fn ids(&self, name: &str) -> Option<Vec<u64>> {
        let list = self.list(name)?;
        Some(list.iter().filter_map(|id| id.parse().ok()).collect())
    }

    /// The page asked for.
    pub fn page(&self) -> Result<Page, Answer> {
        let number = self.integer("page", 1)?;
        if number < 1 {
            return Err(bounds("page", "page must be greater than or equal to 1"));
        }
        let size = self.integer("per_page", 10)?;
        if !(1..=100).contains(&size) {
            let text = "per_page must be between 1 (inclusive) and 100 (inclusive)";
            return Err(bounds("per_page", text));
        }
        Ok(Page {
            number: number as usize,
            size: size as usize,
            offset: self.integer("offset", 0)?.max(0) as usize,
        })
    }

    fn integer(&self, name: &str, default: i64) -> Result<i64, Answer> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| Answer::not_of_type(name, name, "integer")),
        }
    }

    /// One of several words, else 400 as WordPress words it.
    pub fn one_of<'a>(
        &'a self,
        name: &str,
        words: &[&str],
        default: &'a str,
    ) -> Result<&'a str, Answer> {
        let word = self.get(name).unwrap_or(default);
        if words.contains(&word) {
            Ok(word)
        } else {
            Err(not_in_enum(name, words))
        }
    }

    /// Decimals of money: `dp`, else the shop's.
    pub fn decimals(&self, default: u32) -> u32 {
        self.get("dp")
            .and_then(|text| text.parse().ok())
            .map_or(default, |dp: u32| dp.min(12))
    }

    /// A date to compare with, as the measured shops read it: naive text is site-local, or UTC with `dates_are_gmt`; text with
    /// an offset is right without that flag, and shifted once too often with it.
    pub fn date(&self, name: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Answer> {
        let Some(text) = self.get(name) else {
            return Ok(None);
        };
        let gmt = self.flag("dates_are_gmt");
        let invalid = || Answer::invalid(name, "Invalid date.", "rest_invalid_date", Value::Null);
        if let Ok(instant) = text.parse::<Timestamp>() {
            if gmt {
                let local = zone.to_datetime(instant);
                return TimeZone::UTC
                    .to_timestamp(local)
                    .map_err(|_| invalid())
                    .map(Some);
            }
            return Ok(Some(instant));
        }
        let naive: DateTime = text.parse().map_err(|_| invalid())?;
        let utc = TimeZone::UTC;
        let zone = if gmt { &utc } else { zone };
        zone.to_timestamp(naive).map_err(|_| invalid()).map(Some)
    }

    /// The names of `_fields`, dotted ones included.
    pub fn fields(&self) -> Option<Vec<&str>> {
        self.list("_fields").filter(|fields| !fields.is_empty())
    }
}

fn bounds(name: &str, text: &str) -> Answer {
    Answer::invalid(name, text, "rest_out_of_bounds", Value::Null)
}

/// 400: not one of these words.
pub(crate) fn not_in_enum(name: &str, words: &[&str]) -> Answer {
    let (last, head) = words.split_last().unwrap_or((&"", &[]));
    let text = format!("{name} is not one of {}, and {last}.", head.join(", "));
    Answer::invalid(name, &text, "rest_not_in_enum", Value::Null)
}

/// A page of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page {
    pub number: usize,
    pub size: usize,
    pub offset: usize,
}

impl Page {
    /// The records on this page.
    pub fn of<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let start = self.offset + (self.number - 1) * self.size;
        all.get(start..)
            .map_or(&[], |rest| &rest[..rest.len().min(self.size)])
    }

    /// The paging headers. A page beyond the end says that there is nothing at all, as the measured shop does.
    pub fn headers(&self, answer: Answer, total: usize, address: &str, query: &Query) -> Answer {
        let beyond = (self.number - 1) * self.size >= total && self.number > 1;
        let total = if beyond { 0 } else { total };
        let pages = total.div_ceil(self.size);
        let answer = answer
            .with("x-wp-total", total.to_string())
            .with("x-wp-totalpages", pages.to_string());
        let link = |page: usize, rel: &str| {
            format!("<{address}?{}>; rel=\"{rel}\"", with_page(query, page))
        };
        let mut links = Vec::new();
        if self.number > 1 {
            links.push(link((self.number - 1).min(pages), "prev"));
        }
        if self.number < pages {
            links.push(link(self.number + 1, "next"));
        }
        if links.is_empty() {
            answer
        } else {
            answer.with("link", links.join(", "))
        }
    }
}

/// The query with another page. Credentials are never written into a link.
fn with_page(query: &Query, page: usize) -> String {
    let own =
        |name: &str| name == "page" || name.starts_with("oauth_") || name.starts_with("consumer_");
    let mut parts: Vec<String> = query
        .pairs()
        .iter()
        .filter(|(name, _)| !own(name))
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    parts.push(format!("page={page}"));
    parts.join("&")
}

/// Only the fields asked for. A single record keeps its `_links`, whether asked for or not; records of a list lose them.
pub(crate) fn pick(document: Value, fields: &[&str], single: bool) -> Value {
    match document {
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .map(|item| pick(item, fields, false))
                .collect(),
        ),
        Value::Object(mut object) => {
            let links = object.get("_links").cloned().filter(|_| single);
            let mut kept = keep(&mut object, fields);
            if let Some(links) = links {
                kept.insert("_links".to_owned(), links);
            }
            Value::Object(kept)
        }
        other => other,
    }
}

fn keep(object: &mut Map<String, Value>, fields: &[&str]) -> Map<String, Value> {
    let mut kept = Map::new();
    for (name, value) in std::mem::take(object) {
        if fields.contains(&name.as_str()) {
            kept.insert(name, value);
            continue;
        }
        let prefix = format!("{name}.");
        let inner: Vec<&str> = fields
            .iter()
            .filter_map(|field| field.strip_prefix(&prefix))
            .collect();
        if inner.is_empty() {
            continue;
        }
        let value = match value {
            Value::Object(mut inside) => Value::Object(keep(&mut inside, &inner)),
            other => other,
        };
        kept.insert(name, value);
    }
    kept
}

/// Percent-decoding as PHP does it for queries: `+` is a space.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (hex, bytes[at]) {
            (Some(byte), _) => {
                out.push(byte);
                at += 3;
                continue;
            }
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoding of RFC 3986, as OAuth signs it.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The body as JSON; an empty one is an empty object.
pub(crate) fn body(bytes: &[u8]) -> Result<Value, Answer> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(bytes).map_err(|_| {
        let data = json!({
            "status": 400,
            "json_error_code": 4,
            "json_error_message": "Syntax error",
        });
        Answer::error_with(400, "rest_invalid_json", "Invalid JSON body passed.", data)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paris() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    #[test]
    fn dates_are_read_as_measured() {
        let read = |query: &str| {
            let found = Query::parse(query)
                .date("modified_after", &paris())
                .unwrap();
            found.unwrap().to_string()
        };
        let t = "modified_after=2026-11-22T03:50:00";
        assert_eq!(
            read(&format!("{t}&dates_are_gmt=true")),
            "2026-11-22T03:50:00Z"
        );
        assert_eq!(read(t), "2026-11-22T02:50:00Z");
        assert_eq!(read(&format!("{t}Z")), "2026-11-22T03:50:00Z");
        assert_eq!(read(&format!("{t}%2B01:00")), "2026-11-22T02:50:00Z");
        // Converted twice: an hour too late, so a change is missed.
        assert_eq!(
            read(&format!("{t}Z&dates_are_gmt=true")),
            "2026-11-22T04:50:00Z"
        );
        assert_eq!(
            Query::parse("modified_after=yesterday")
                .date("modified_after", &paris())
                .unwrap_err()
                .status,
            400
        );
    }

    #[test]
    fn lists_come_in_three_ways() {
        for query in [
            "include=1,2",
            "include[]=1&include[]=2",
            "include%5B0%5D=1&include%5B1%5D=2",
        ] {
            assert_eq!(
                Query::parse(query).ids("include"),
                Some(vec![1, 2]),
                "{query}"
            );
        }
        assert_eq!(Query::parse("include=").ids("include"), Some(vec![]));
        assert_eq!(Query::parse("").ids("include"), None);
    }

    #[test]
    fn links_never_carry_a_key() {
        let query = Query::parse("consumer_key=ck&consumer_secret=cs&oauth_nonce=n&per_page=2");
        assert_eq!(with_page(&query, 3), "per_page=2&page=3");
    }

    #[test]
    fn fields_cut_lists_and_single_records_differently() {
        let order = json!({ "id": 1, "billing": { "email": "a", "phone": "b" }, "_links": {} });
        let fields = ["id", "billing.email"];
        assert_eq!(
            pick(order.clone(), &fields, true),
            json!({ "id": 1, "billing": { "email": "a" }, "_links": {} })
        );
        assert_eq!(
            pick(json!([order]), &fields, false),
            json!([{ "id": 1, "billing": { "email": "a" } }])
        );
    }
}
