//! What a recorder replaces before a tape is written: secrets, and what tells who a person is.
//!
//! - By the name of its field: in JSON, XML, forms and queries, in `{"key": …, "value": …}`, in rows below a list of columns, and in
//!   domains of `["field", "=", "value"]`. The whole value goes.
//! - By its form, wherever it stands: e-mail addresses, telephone numbers, addresses of machines, keys and tokens, account numbers.
//! - By its text: given secrets, and in a second pass ([`Redactor::again`]) every name, street and number that any field of the
//!   recording gave away.
//!
//! Everything else stays as it was written. The same value becomes the same placeholder within one recording, so that a story of several
//! tapes still fits together. No program knows every field in which a vendor keeps a name: each tape is read before it is committed.

mod field;
mod invent;
mod json;
mod pattern;
mod spread;
#[cfg(test)]
mod tests;

use crate::http::encode;
use crate::secret::Secret;
use invent::{invented, is_placeholder, spreads};
use json::Node;
use serde::Serialize;
use spread::Spread;
use std::collections::BTreeMap;
use std::ops::Range;

/// What was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Replaced {
    /// Keys, passwords, tokens, cookies, card numbers.
    Secret,
    /// E-mail addresses.
    Email,
    /// Names of people and companies.
    Name,
    /// Streets, towns, postal codes.
    Address,
    /// Telephone numbers.
    Phone,
    /// VAT, company, account and transaction numbers, birthdays, pictures.
    Identifier,
    /// Addresses and names of machines.
    Network,
    /// Notes that people wrote.
    Text,
}

/// What stands for a secret.
const SECRET: &str = "SECRET_TAPE";

/// Where a recording says the system was.
const ORIGIN: &str = "https://tape.example";

/// Replaces secrets and personal data.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    hosts: Vec<(String, &'static str)>,
    known: BTreeMap<(Replaced, String), String>,
    /// What is replaced wherever it stands as a whole word.
    spread: Spread,
    replaced: BTreeMap<Replaced, usize>,
    /// The bodies at hand are records of people.
    people: bool,
}

/// What is known of the value at hand.
#[derive(Debug, Clone, Copy, Default)]
struct Place<'a> {
    field: &'a str,
    /// Beside it stand the fields of a person.
    person: bool,
    /// Beside it stand the fields of a letter.
    letter: bool,
    /// It stands in a body.
    told: bool,
}

type Edits = Vec<(Range<usize>, String)>;

impl Redactor {
    /// A redactor that also knows these secrets by their text, wherever they stand.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let mut redactor = Redactor::default();
        redactor.watch(secrets);
        redactor
    }

    /// Knows more secrets by their text.
    pub fn watch(&mut self, secrets: Vec<Secret>) {
        let new = secrets.into_iter().filter(|secret| !secret.is_empty());
        for secret in new {
            if !self.secrets.contains(&secret) {
                self.secrets.push(secret);
            }
        }
        // A secret that another one contains must not break it into pieces.
        self.secrets
            .sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    }

    /// Hides where the system is: scheme, host and port, and the host alone.
    pub fn hide(&mut self, origin: &str) {
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let alone = host.rsplit_once(':').map_or(host, |(name, _)| name);
        for (text, new) in [
            (origin, ORIGIN),
            (host, &ORIGIN[8..]),
            (alone, &ORIGIN[8..]),
        ] {
            let known = self.hosts.iter().any(|(known, _)| known == text);
            if !text.is_empty() && !known && text != "127.0.0.1" && text != "localhost" {
                self.hosts.push((text.to_owned(), new));
            }
        }
    }

    /// What was replaced so far, and how often.
    pub fn replaced(&self) -> &BTreeMap<Replaced, usize> {
        &self.replaced
    }

    /// Says which request the next bodies belong to. A list of customers may hold their names and nothing else that marks them.
    pub fn request(&mut self, path: &str, body: Option<&str>) {
        self.people = field::asks_for_people(path, body.unwrap_or_default());
    }

    /// A header's value.
    pub fn header(&mut self, name: &str, value: &str) -> String {
        self.value(
            Place {
                field: name,
                ..Place::default()
            },
            value,
        )
    }

    /// Query parameters, as they are before they are encoded.
    pub fn query(&mut self, pairs: &[(String, String)]) -> Vec<(String, String)> {
        let clean = pairs.iter().map(|(name, value)| {
            let value = self.parameter(name, value);
            (name.clone(), value)
        });
        clean.collect()
    }

    /// A body: JSON and XML by their fields, a form by its parameters, anything else by patterns.
    pub fn body(&mut self, body: &str) -> String {
        if let Some(node) = json::parse(body) {
            let mut edits = Edits::new();
            self.walk(Place::default(), &node, &mut edits);
            return json::edited(body, &edits);
        }
        // Some servers write a page of HTML before their JSON.
        let starts = body.match_indices(['{', '[']).map(|(at, _)| at);
        for at in starts.take(50).filter(|at| *at > 0) {
            if json::parse(&body[at..]).is_some() {
                return self.body(&body[..at]) + &self.body(&body[at..]);
            }
        }
        if body.contains('<') {
            return self.markup(body);
        }
        if body.contains('=') && !body.contains(char::is_whitespace) {
            let pairs = body.split('&').map(|pair| match pair.split_once('=') {
                Some((name, value)) => format!("{name}={}", self.parameter(name, value)),
                None => self.text(pair),
            });
            return pairs.collect::<Vec<_>>().join("&");
        }
        self.text(body)
    }

    /// Free text: known secrets, and what [`pattern`] finds.
    pub fn text(&mut self, text: &str) -> String {
        self.free(Place::default(), text)
    }

    /// The second pass over what was cleaned: names, streets and numbers that fields gave away since, wherever they stand.
    pub fn again(&mut self, clean: &str) -> String {
        if let Some(node) = json::parse(clean) {
            let mut edits = Edits::new();
            self.walk_again(&node, &mut edits);
            return json::edited(clean, &edits);
        }
        self.words(clean)
    }

    fn parameter(&mut self, name: &str, value: &str) -> String {
        let found = pattern::found(value, false);
        // `filter[email]=[x]` keeps its brackets.
        match found.is_empty() || field::is_secret(name) {
            true => self.header(name, value),
            false => self.free(
                Place {
                    field: name,
                    ..Place::default()
                },
                value,
            ),
        }
    }

    /// A value under a name: the whole of it, when the name says so.
    fn value(&mut self, place: Place<'_>, text: &str) -> String {
        if text.is_empty() || is_placeholder(text) {
            return text.to_owned();
        }
        if field::is_secret(place.field) {
            if ["0", "1", "yes", "no", "true", "false"].contains(&text) {
                return text.to_owned();
            }
            // A token that an answer tells is sent elsewhere. What stands in headers and addresses is for one call only.
            if place.told && text.len() >= 12 && !text.contains(' ') {
                self.watch(vec![Secret::new(text)]);
            }
            self.count(Replaced::Secret);
            return SECRET.to_owned();
        }
        let personal = field::personal(place.field, place.person, place.letter);
        match personal.filter(|what| !field::says_nothing(*what, place.field, text)) {
            Some(what) => self.placeholder(what, place.field, text),
            None => self.free(place, text),
        }
    }

    fn walk(&mut self, place: Place<'_>, node: &Node, edits: &mut Edits) {
        match node {
            Node::Object(fields) => self.object(fields, edits),
            Node::Array(items) => self.array(place, items, edits),
            Node::Text(text, at) => {
                let clean = match is_query(place.field) {
                    true => without_literals(text),
                    false => self.value(place, text),
                };
                if clean != *text {
                    edits.push((at.clone(), json::quoted(&clean)));
                }
            }
            Node::Number(at) => {
                let personal = field::personal(place.field, place.person, place.letter);
                let counts = matches!(personal, Some(Replaced::Phone | Replaced::Identifier));
                if field::is_secret(place.field) || counts {
                    self.count(personal.unwrap_or(Replaced::Secret));
                    edits.push((at.clone(), "0".to_owned()));
                }
            }
            Node::Word => {}
        }
    }

    fn object(&mut self, fields: &[(String, Node)], edits: &mut Edits) {
        let says = |node: &Node| node.text().is_some_and(|text| !text.trim().is_empty());
        let person = fields
            .iter()
            .any(|(name, node)| field::marks_person(name) && says(node));
        let letter = fields.iter().any(|(name, _)| field::marks_letter(name));
        let beside = field::named_beside(fields);
        let columns = fields.iter().find(|(name, _)| name == "fields");
        for (name, node) in fields {
            let field = match beside {
                Some(beside) if name == "value" || name == "display_value" => beside,
                // The name itself.
                Some(_) if ["key", "display_key", "name", "id"].contains(&name.as_str()) => "",
                _ => name,
            };
            let person = person || (self.people && field::is_name(field));
            match columns {
                Some((_, Node::Array(columns))) if name == "data" => {
                    self.rows(columns, node, edits)
                }
                _ => self.walk(
                    Place {
                        field,
                        person,
                        letter,
                        told: true,
                    },
                    node,
                    edits,
                ),
            }
        }
    }

    fn array(&mut self, place: Place<'_>, items: &[Node], edits: &mut Edits) {
        match items {
            // `[["name", "email"], [["Ann", "ann@…"], …]]`
            [Node::Array(columns), rows @ Node::Array(_)] if are_columns(columns, rows) => {
                self.rows(columns, rows, edits);
            }
            // `["email", "=", "ann@…"]`
            [Node::Text(field, _), Node::Text(operator, _), value] if is_operator(operator) => {
                self.walk(
                    Place {
                        field,
                        person: false,
                        letter: false,
                        told: true,
                    },
                    value,
                    edits,
                );
            }
            // `"partner_id": [12, "Ann"]`
            [Node::Number(_), Node::Text(text, at)] if field::is_relation(place.field) => {
                let clean = self.placeholder(Replaced::Name, "name", text);
                edits.push((at.clone(), json::quoted(&clean)));
            }
            items => items.iter().for_each(|item| self.walk(place, item, edits)),
        }
    }

    fn rows(&mut self, columns: &[Node], rows: &Node, edits: &mut Edits) {
        let names: Vec<&str> = columns.iter().filter_map(Node::text).collect();
        let person = names.iter().any(|name| field::marks_person(name));
        let Node::Array(rows) = rows else {
            return;
        };
        for row in rows {
            match row {
                Node::Array(cells) if cells.len() == names.len() => {
                    for (cell, field) in cells.iter().zip(&names) {
                        self.walk(
                            Place {
                                field,
                                person,
                                letter: false,
                                told: true,
                            },
                            cell,
                            edits,
                        );
                    }
                }
                other => self.walk(Place::default(), other, edits),
            }
        }
    }

    /// XML by its elements, HTML by patterns: `<email>…</email>` with or without CDATA.
    fn markup(&mut self, text: &str) -> String {
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for (start, _) in text.match_indices('<') {
            let Some((name, inner)) = leaf(text, start) else {
                continue;
            };
            if inner.start < at {
                continue;
            }
            clean.push_str(&self.text(&text[at..inner.start]));
            clean.push_str(&self.value(
                Place {
                    field: name,
                    told: true,
                    ..Place::default()
                },
                &text[inner.clone()],
            ));
            at = inner.end;
        }
        clean + &self.text(&text[at..])
    }

    /// Known secrets and hosts by their text, then everything by its form.
    fn free(&mut self, place: Place<'_>, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            for form in [secret.expose().to_owned(), encode(secret.expose())] {
                if clean.contains(&form) {
                    *self.replaced.entry(Replaced::Secret).or_default() += 1;
                    clean = clean.replace(&form, SECRET);
                }
            }
        }
        for (host, new) in &self.hosts {
            for (host, new) in [
                (host.clone(), (*new).to_owned()),
                (encode(host), encode(new)),
            ] {
                if clean.contains(&host) {
                    *self.replaced.entry(Replaced::Network).or_default() += 1;
                    clean = clean.replace(&host, &new);
                }
            }
        }
        let found = pattern::found(&clean, !field::is_numbered(place.field));
        let edits: Edits = found
            .into_iter()
            .map(|(what, place)| {
                let new = match what {
                    Replaced::Secret => self.masked(&clean[place.clone()]),
                    what => self.placeholder(what, "", &clean[place.clone()]),
                };
                (place, new)
            })
            .collect();
        json::edited(&clean, &edits)
    }

    /// A secret found by its form. A digest keeps its length: whoever reads it as one still can.
    fn masked(&mut self, text: &str) -> String {
        self.count(Replaced::Secret);
        match text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit()) {
            true => "0".repeat(text.len()),
            false => SECRET.to_owned(),
        }
    }

    fn placeholder(&mut self, what: Replaced, name: &str, text: &str) -> String {
        if is_placeholder(text) {
            return text.to_owned();
        }
        self.count(what);
        let number = self.known.len() + 1;
        let decoded = text.replace("%40", "@");
        let key = (what, decoded.to_lowercase());
        let new = self
            .known
            .entry(key)
            .or_insert_with(|| invented(what, name, &decoded, number));
        let new = new.clone();
        if spreads(what, name, text) {
            let text = text.trim();
            self.spread.insert(text, &new);
            self.spread.insert(&text.to_uppercase(), &new);
        }
        if text.contains("%40") {
            encode(&new)
        } else {
            new
        }
    }

    fn walk_again(&mut self, node: &Node, edits: &mut Edits) {
        match node {
            Node::Object(fields) => fields
                .iter()
                .for_each(|(_, node)| self.walk_again(node, edits)),
            Node::Array(items) => items.iter().for_each(|item| self.walk_again(item, edits)),
            Node::Text(text, at) => {
                let clean = self.words(text);
                if clean != *text {
                    edits.push((at.clone(), json::quoted(&clean)));
                }
            }
            Node::Number(_) | Node::Word => {}
        }
    }

    fn words(&mut self, text: &str) -> String {
        if is_placeholder(text) {
            return text.to_owned();
        }
        let mut clean = text.to_owned();
        for secret in &self.secrets {
            if clean.contains(secret.expose()) {
                *self.replaced.entry(Replaced::Secret).or_default() += 1;
                clean = clean.replace(secret.expose(), SECRET);
            }
        }
        match self.spread.without(&clean) {
            Some((clean, count)) => {
                *self.replaced.entry(Replaced::Name).or_default() += count;
                clean
            }
            None => clean,
        }
    }

    fn count(&mut self, what: Replaced) {
        *self.replaced.entry(what).or_default() += 1;
    }
}

/// The name of an element without elements in it that begins here, and the place of its text.
fn leaf(text: &str, start: usize) -> Option<(&str, Range<usize>)> {
    let open = start + text[start..].find('>')?;
    let head = text[start + 1..open].split_whitespace().next()?;
    let name = head
        .starts_with(|c: char| c.is_ascii_alphabetic())
        .then_some(head)?;
    let rest = &text[open + 1..];
    let lead = rest.len() - rest.trim_start().len();
    let (from, until) = match rest[lead..].strip_prefix("<![CDATA[") {
        Some(_) => (open + 1 + lead + 9, "]]>"),
        None => (open + 1, "<"),
    };
    let end = from + text[from..].find(until)?;
    let closes = text[end + if until == "<" { 0 } else { 3 }..].trim_start();
    let closed = closes.strip_prefix("</")?.starts_with(name);
    (closed && end > from).then_some((name, from..end))
}

fn are_columns(columns: &[Node], rows: &Node) -> bool {
    let Node::Array(rows) = rows else {
        return false;
    };
    let fits = |row: &Node| matches!(row, Node::Array(cells) if cells.len() == columns.len());
    !columns.is_empty()
        && columns.iter().all(|column| column.text().is_some())
        && !rows.is_empty()
        && rows.iter().all(fits)
}

fn is_operator(text: &str) -> bool {
    [
        "=",
        "!=",
        "<>",
        "<",
        ">",
        "<=",
        ">=",
        "in",
        "not in",
        "like",
        "ilike",
        "=like",
        "=ilike",
        "=?",
        "not ilike",
    ]
    .contains(&text)
}

/// Whether a field holds a query of a database.
fn is_query(name: &str) -> bool {
    ["lastquery", "lastqueryerror", "lasterrorquery", "sql"].contains(&field::plain(name).as_str())
}

/// A query without its texts: what stands between single quotes.
fn without_literals(query: &str) -> String {
    let parts = query.split('\'').enumerate();
    let parts = parts.map(|(at, part)| if at % 2 == 0 { part } else { "?" });
    parts.collect::<Vec<_>>().join("'")
}
