//! Paths into an order, and into the shop's own answer: `ship_to.country`, `payments[0].method`, `raw.meta_data[vat_number]`.

use rhai::Dynamic;
use std::fmt;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A field, or the entry of a map.
    Name(String),
    /// An element of a list, from 0.
    Index(usize),
    /// Every element of a list; only in what a rule writes.
    Each,
}

/// A path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadPath(pub String);

impl Path {
    /// Reads a path. Between brackets stands a number (`[0]`), the key of an entry (`[vat_number]`), or nothing (`[]`, every element).
    ///
    /// # Errors
    /// [`BadPath`] for an empty name or a bracket without its other half.
    pub fn parse(text: &str) -> Result<Path, BadPath> {
        let bad = || BadPath(text.to_owned());
        let mut steps = Vec::new();
        let mut rest = text.trim();
        loop {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let name = rest[..end].trim();
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == ']') {
                return Err(bad());
            }
            steps.push(Step::Name(name.to_owned()));
            rest = &rest[end..];
            while let Some(inside) = rest.strip_prefix('[') {
                let (key, after) = inside.split_once(']').ok_or_else(bad)?;
                let key = key.trim().trim_matches(['"', '\'']);
                steps.push(match key.parse() {
                    _ if key.is_empty() => Step::Each,
                    Ok(index) => Step::Index(index),
                    Err(_) => Step::Name(key.to_owned()),
                });
                rest = after;
            }
            match rest.strip_prefix('.') {
                Some(after) => rest = after,
                None if rest.is_empty() => return Ok(Path(steps)),
                None => return Err(bad()),
            }
        }
    }

    /// The first name.
    pub fn root(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }

    /// Walks the steps after the root into `value`. Nothing where a step leads nowhere.
    pub fn walk(&self, value: &Dynamic) -> Option<Dynamic> {
        let mut here = value.clone();
        for step in &self.0[1..] {
            here = match step {
                Step::Name(name) => here.as_map_ref().ok()?.get(name.as_str())?.clone(),
                Step::Index(index) => match here.as_array_ref() {
                    Ok(items) => items.get(*index)?.clone(),
                    // The keys of meta data may be digits too.
                    Err(_) => here
                        .as_map_ref()
                        .ok()?
                        .get(index.to_string().as_str())?
                        .clone(),
                },
                Step::Each => return None,
            };
        }
        Some(here)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if index == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_what_is_none_is_refused() {
        let path = Path::parse("raw.meta_data[_vat number].x[0]").unwrap();
        assert_eq!(path.root(), "raw");
        assert_eq!(path.0[2], Step::Name("_vat number".to_owned()));
        assert_eq!(path.0[4], Step::Index(0));
        assert_eq!(Path::parse("lines[].title").unwrap().0[1], Step::Each);
        for bad in ["", ".", "a..b", "a[", "a]b", "a[0]b", "a b", "[0]"] {
            assert!(Path::parse(bad).is_err(), "{bad}");
        }
    }
}
