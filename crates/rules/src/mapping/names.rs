//! The names in an expression, checked before it is compiled: fields against the order's schema, functions against those there are. rhai
//! itself would find both only with the first record.

use super::expression::{BadExpression, VARIABLES};
use super::function;
use super::path::{Path, Step};
use super::shape;

/// Words of the language.
const WORDS: [&str; 6] = ["true", "false", "if", "else", "switch", "in"];

/// One name with what follows it: `ship_to.country`, or `round(`.
#[derive(Debug, PartialEq, Eq)]
struct Chain {
    /// The name and the fields after it.
    path: Path,
    /// Functions called: the name itself, or what follows the fields.
    calls: Vec<String>,
}

/// The names that an expression begins its chains with.
pub fn roots(text: &str) -> impl Iterator<Item = String> {
    let chains = Reader::new(text).chains();
    chains
        .into_iter()
        .map(|chain| chain.path.root().to_owned())
        .filter(|root| !root.is_empty())
}

/// Checks every name. `list` is the list that `line` is an element of.
///
/// # Errors
/// The first name that is not there, with those that are.
pub fn check(text: &str, list: Option<&str>) -> Result<(), BadExpression> {
    for chain in Reader::new(text).chains() {
        for call in &chain.calls {
            if !function::NAMES.contains(&call.as_str()) {
                return Err(BadExpression {
                    what: [
                        format!("there is no function `{call}`"),
                        format!("il n'y a pas de fonction `{call}`"),
                    ],
                    unknown: Some((
                        call.clone(),
                        function::NAMES
                            .iter()
                            .map(|name| (*name).to_owned())
                            .collect(),
                    )),
                });
            }
        }
        let root = chain.path.root();
        if root.is_empty() || WORDS.contains(&root) || root == "_" {
            continue;
        }
        if root == "line" && list.is_none() {
            return Err(BadExpression {
                what: [
                    "`line` is known only in a rule that writes `lines[]`, `shipping[]` or `fees[]`".to_owned(),
                    "`line` n'existe que dans une règle qui écrit `lines[]`, `shipping[]` ou `fees[]`".to_owned(),
                ],
                unknown: None,
            });
        }
        if root != "line" && VARIABLES.contains(&root) {
            continue;
        }
        if let Err(nowhere) = shape::check(&chain.path, list.and_then(shape::element)) {
            let mut known = nowhere.known;
            if nowhere.name == root {
                known.extend(VARIABLES.map(str::to_owned));
            }
            let name = nowhere.name;
            return Err(BadExpression {
                what: [
                    format!("`{}`: there is no `{name}`", chain.path),
                    format!("`{}` : il n'y a pas de `{name}`", chain.path),
                ],
                unknown: Some((name, known)),
            });
        }
    }
    Ok(())
}

/// Reads an expression letter by letter, as far as names need it.
struct Reader<'a> {
    rest: &'a str,
    chains: Vec<Chain>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Reader {
            rest: text,
            chains: Vec::new(),
        }
    }

    fn chains(mut self) -> Vec<Chain> {
        while let Some(letter) = self.rest.chars().next() {
            match letter {
                '"' | '\'' => {
                    self.quoted(letter);
                }
                '`' => self.template(),
                '/' if self.rest.starts_with("//") => {
                    self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
                }
                '/' if self.rest.starts_with("/*") => {
                    self.skip(self.rest.find("*/").map_or(self.rest.len(), |end| end + 2));
                }
                '0'..='9' => {
                    let end = self
                        .rest
                        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                    self.skip(end.unwrap_or(self.rest.len()));
                }
                '.' => self.method(),
                _ if letter == '_' || letter.is_alphabetic() => self.chain(),
                _ => self.skip(letter.len_utf8()),
            }
        }
        self.chains
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// A text between quotes; the reader stands after it.
    fn quoted(&mut self, quote: char) -> &'a str {
        let inside = &self.rest[quote.len_utf8()..];
        let mut escaped = false;
        for (at, letter) in inside.char_indices() {
            match letter {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if letter == quote => {
                    self.rest = &inside[at + letter.len_utf8()..];
                    return &inside[..at];
                }
                _ => {}
            }
        }
        self.rest = "";
        inside
    }

    /// A text between backticks; what stands in `${…}` is read like any other part, what is text is left out.
    fn template(&mut self) {
        self.skip(1);
        loop {
            let (end, code) = (self.rest.find('`'), self.rest.find("${"));
            match (end, code) {
                (end, Some(code)) if end.is_none_or(|end| code < end) => {
                    self.skip(code + 2);
                    let length = closing(self.rest);
                    let inner = Reader::new(&self.rest[..length]).chains();
                    self.chains.extend(inner);
                    self.skip(length + 1);
                }
                (Some(end), _) => return self.skip(end + 1),
                _ => return self.skip(self.rest.len()),
            }
        }
    }

    fn name(&mut self) -> &'a str {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        name
    }

    /// A method called on what no name begins: `("a" + b).upper()`.
    fn method(&mut self) {
        self.skip(1);
        self.blanks();
        let name = self.name();
        self.blanks();
        if !name.is_empty() && self.rest.starts_with('(') {
            self.chains.push(Chain {
                path: Path(Vec::new()),
                calls: vec![name.to_owned()],
            });
        }
    }

    fn chain(&mut self) {
        let first = self.name();
        self.blanks();
        // What a map's key is named, or a function.
        if self.rest.starts_with('(') && !WORDS.contains(&first) {
            return self.chains.push(Chain {
                path: Path(Vec::new()),
                calls: vec![first.to_owned()],
            });
        }
        let mut steps = vec![Step::Name(first.to_owned())];
        let mut calls = Vec::new();
        while !WORDS.contains(&first) {
            self.blanks();
            let after_dot = self
                .rest
                .strip_prefix("?.")
                .or_else(|| self.rest.strip_prefix('.'));
            if let Some(rest) = after_dot {
                self.rest = rest;
                self.blanks();
                let name = self.name();
                self.blanks();
                if self.rest.starts_with('(') {
                    calls.push(name.to_owned());
                    break;
                }
                steps.push(Step::Name(name.to_owned()));
            } else if self.rest.starts_with('[') {
                steps.push(self.index());
            } else {
                break;
            }
        }
        self.chains.push(Chain {
            path: Path(steps),
            calls,
        });
    }

    /// What stands between brackets: a key that is known, or an element that is not.
    fn index(&mut self) -> Step {
        self.skip(1);
        let length = closing_bracket(self.rest);
        let inside = &self.rest[..length];
        let inner = Reader::new(inside).chains();
        self.chains.extend(inner);
        self.skip(length + 1);
        let key = inside.trim();
        match key.strip_prefix('"').and_then(|key| key.strip_suffix('"')) {
            Some(key) if !key.contains('"') => Step::Name(key.to_owned()),
            _ => Step::Index(key.parse().unwrap_or_default()),
        }
    }
}

fn closing(text: &str) -> usize {
    balanced(text, '{', '}')
}

fn closing_bracket(text: &str) -> usize {
    balanced(text, '[', ']')
}

/// Where the bracket closes that was open before the text; its end where none does.
fn balanced(text: &str, open: char, close: char) -> usize {
    let mut depth = 0_usize;
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match quote {
            Some(mark) if letter == mark => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == open => depth += 1,
            None if letter == close && depth == 0 => return at,
            None if letter == close => depth -= 1,
            None => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(text: &str) -> Option<String> {
        let error = check(text, Some("lines")).err()?;
        Some(
            error
                .unknown
                .map_or_else(|| "?".to_owned(), |(word, _)| word),
        )
    }

    #[test]
    fn a_field_that_does_not_exist_is_found_wherever_it_stands() {
        for good in [
            "ship_to.country == \"FR\" && lines[0].sku != ship_to.postcode",
            "line.quantity * 2 > 1.5",
            "`Order ${number} of ${ship_to.city}`",
            "raw.meta_data[\"x\"] == ()",
            "attributes[\"a b\"].c",
            "if source in [\"shop-fr\"] { 1 } else { 2 }",
            "switch currency { \"EUR\" => 1, _ => 2 }",
            "(number + \"x\").upper() // ship_to.contry",
            "lines.sum(\"net\")",
            "'a' + \"it is \\\" ship_to.contry\"",
        ] {
            assert_eq!(unknown(good), None, "{good}");
        }
        for (bad, name) in [
            ("ship_to.contry == 1", "contry"),
            ("shipto.country", "shipto"),
            ("lines[0].skuu", "skuu"),
            ("lines[lenght].sku", "lenght"),
            ("`x ${ship_to.citty} y`", "citty"),
            ("roundd(totals.total, 2)", "roundd"),
            ("number.uper()", "uper"),
            ("(number + 1).uper()", "uper"),
            ("line.titel", "titel"),
            ("ship_to?.contry", "contry"),
            ("eval(\"1\")", "eval"),
        ] {
            assert_eq!(unknown(bad).as_deref(), Some(name), "{bad}");
        }
        assert!(check("line.sku", None).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_stumble() {
        for text in [
            "\"",
            "`${",
            "`${`",
            "a[",
            "a[[[",
            "a.",
            "a..b",
            "/*",
            "//",
            "'",
            "é.ü[\"ß",
            "?.",
            "`${\"}\"}`",
            "a?.[",
            "…",
        ] {
            let _ = check(text, None);
        }
    }
}
