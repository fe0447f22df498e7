//! JSON with the place of each value in its text, so that one value is replaced and everything else stays as it was written.

use std::ops::Range;

/// A value.
#[derive(Debug)]
pub(super) enum Node {
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
    /// What it says, and where it stands with its quotes.
    Text(String, Range<usize>),
    Number(Range<usize>),
    /// True, false or null.
    Word,
}

impl Node {
    /// What a text says.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text, _) => Some(text),
            _ => None,
        }
    }
}

/// Reads a text that holds an object or an array; none for anything else.
pub(super) fn parse(text: &str) -> Option<Node> {
    // This reads it with its own limit of depth and refuses what is no JSON, so that the walk below meets neither.
    serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut reader = Reader { text, at: 0 };
    let node = reader.value()?;
    matches!(node, Node::Object(_) | Node::Array(_)).then_some(node)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn value(&mut self) -> Option<Node> {
        match self.peek()? {
            b'{' => self
                .list(b'}', |reader| {
                    let name = reader.string()?.0;
                    reader.peek()?;
                    reader.at += 1;
                    Some((name, reader.value()?))
                })
                .map(Node::Object),
            b'[' => self.list(b']', Reader::value).map(Node::Array),
            b'"' => self.string().map(|(text, place)| Node::Text(text, place)),
            _ => Some(self.word()),
        }
    }

    /// What stands between two brackets, with commas.
    fn list<T>(&mut self, end: u8, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.peek()? {
                byte if byte == end => {
                    self.at += 1;
                    return Some(items);
                }
                b',' => self.at += 1,
                _ => items.push(item(self)?),
            }
        }
    }

    fn string(&mut self) -> Option<(String, Range<usize>)> {
        self.peek()?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while *bytes.get(self.at)? != b'"' {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let place = start..self.at;
        let text = serde_json::from_str(&self.text[place.clone()]).ok()?;
        Some((text, place))
    }

    fn word(&mut self) -> Node {
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest.find(|c: char| ",]}".contains(c) || c.is_ascii_whitespace());
        self.at += end.unwrap_or(rest.len());
        match rest.as_bytes().first() {
            Some(b't' | b'f' | b'n') => Node::Word,
            _ => Node::Number(start..self.at),
        }
    }
}

/// A text with some places replaced, given in their order.
pub(super) fn edited(text: &str, edits: &[(Range<usize>, String)]) -> String {
    let mut edited = String::with_capacity(text.len());
    let mut at = 0;
    for (place, new) in edits {
        edited.push_str(&text[at..place.start]);
        edited.push_str(new);
        at = place.end;
    }
    edited.push_str(&text[at..]);
    edited
}

/// A text as JSON writes it.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_replaced_and_everything_else_stays_as_it_was_written() {
        let text = "{\"a\" : [1.50, \"\\u00e9\\/\\\"x\"],\n \"b\":{\"c\":null} }";
        let Some(Node::Object(fields)) = parse(text) else {
            panic!("no object");
        };
        let Node::Array(items) = &fields[0].1 else {
            panic!("no array");
        };
        let Node::Text(said, place) = &items[1] else {
            panic!("no text");
        };
        assert_eq!(said, "é/\"x");
        assert_eq!(
            edited(text, &[(place.clone(), quoted("y"))]),
            "{\"a\" : [1.50, \"y\"],\n \"b\":{\"c\":null} }"
        );
        for none in ["", "12", "\"a\"", "{\"a\":}", "[1"] {
            assert!(parse(none).is_none(), "{none}");
        }
    }
}
