//! The little XML that cannot be avoided: the list of rights, refusals of writes, and the bodies of writes.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, BTreeSet};

/// What the key may do, as the root of the webservice lists it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Root {
    /// The shop's name.
    pub(super) shop: String,
    /// Methods in capitals, by resource.
    pub(super) rights: BTreeMap<String, BTreeSet<String>>,
}

impl Root {
    /// Whether a resource may be used with a method.
    pub(super) fn allows(&self, resource: &str, method: &str) -> bool {
        self.rights
            .get(resource)
            .is_some_and(|methods| methods.contains(method))
    }
}

/// Reads the root; none when this is something else.
pub(super) fn root(text: &str) -> Option<Root> {
    let mut reader = Reader::from_str(text);
    let mut found: Option<Root> = None;
    let mut depth = 0usize;
    loop {
        match reader.read_event().ok()? {
            Event::Start(tag) => {
                depth += 1;
                meet(&mut found, depth, &tag);
            }
            Event::Empty(tag) => meet(&mut found, depth + 1, &tag),
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Eof => return found,
            _ => {}
        }
    }
}

/// `prestashop` > `api` > one element per resource.
fn meet(found: &mut Option<Root>, depth: usize, tag: &BytesStart<'_>) {
    let name = String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned();
    match (depth, found) {
        (2, found) if name == "api" => {
            let shop = attributes(tag).remove("shopName").unwrap_or_default();
            *found = Some(Root {
                shop,
                rights: BTreeMap::new(),
            });
        }
        (3, Some(root)) => {
            let allowed = attributes(tag)
                .into_iter()
                .filter(|(_, value)| value == "true")
                .map(|(method, _)| method.to_ascii_uppercase());
            root.rights.insert(name, allowed.collect());
        }
        _ => {}
    }
}

fn attributes(tag: &BytesStart<'_>) -> BTreeMap<String, String> {
    let pairs = tag.attributes().flatten().map(|attribute| {
        let name = String::from_utf8_lossy(attribute.key.as_ref().as_ref()).into_owned();
        let raw = String::from_utf8_lossy(attribute.value.as_ref().as_ref()).into_owned();
        let value = quick_xml::escape::unescape(&raw).map(|text| text.into_owned());
        (name, value.unwrap_or(raw))
    });
    pairs.collect()
}

/// Codes and messages of a refusal; none when this is none. PHP's own warnings may stand before the XML.
pub(super) fn errors(text: &str) -> Option<Vec<(i64, String)>> {
    let start = text
        .find("<?xml")
        .or_else(|| text.find("<prestashop"))
        .or_else(|| text.find("<errors"))?;
    let mut reader = Reader::from_str(&text[start..]);
    let mut path: Vec<String> = Vec::new();
    let mut found: Vec<(i64, String)> = Vec::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                let name = String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned();
                if name == "error" {
                    found.push((0, String::new()));
                }
                path.push(name);
            }
            Ok(Event::End(_)) => {
                path.pop();
            }
            Ok(Event::CData(data)) => learn(&path, &mut found, data.as_ref().as_ref()),
            Ok(Event::Text(data)) => learn(&path, &mut found, data.as_ref().as_ref()),
            // A cut answer still says what it said.
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    (!found.is_empty()).then_some(found)
}

fn learn(path: &[String], found: &mut [(i64, String)], text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    let Some(last) = found.last_mut() else { return };
    match path.last().map(String::as_str) {
        Some("code") => last.0 = text.trim().parse().unwrap_or(last.0),
        Some("message") => last.1.push_str(&text),
        _ => {}
    }
}

/// The body of a write: one entity with its fields.
pub(super) fn body(entity: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    bodies(entity, &[fields.iter().map(owned).collect()])
}

/// The body of a write of several: entities beside each other. The shop refuses a wrapper around them.
pub(super) fn bodies(entity: &str, entities: &[Vec<(String, String)>]) -> Vec<u8> {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<prestashop>".to_owned();
    for fields in entities {
        text.push_str(&format!("<{entity}>"));
        for (name, value) in fields {
            text.push_str(&format!("<{name}>{}</{name}>", escape(value.as_str())));
        }
        text.push_str(&format!("</{entity}>"));
    }
    text.push_str("</prestashop>");
    text.into_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_behind_a_warning_of_php() {
        let text = "<b>Warning</b>: odd in x.php\n<?xml version=\"1.0\"?><prestashop><errors><error><code><![CDATA[41]]></code>\
                    <message><![CDATA[parameter \"a\" required]]></message></error></errors></prestashop>";
        assert_eq!(
            errors(text),
            Some(vec![(41, "parameter \"a\" required".to_owned())])
        );
        assert_eq!(errors("<html>no</html>"), None);
        assert_eq!(errors(""), None);
    }

    #[test]
    fn what_is_written_cannot_leave_its_field() {
        let text =
            String::from_utf8(body("order_carrier", &[("tracking_number", "<a>&\"")])).unwrap();
        assert!(
            text.contains("<tracking_number>&lt;a&gt;&amp;&quot;</tracking_number>"),
            "{text}"
        );
    }

    #[test]
    fn the_root_tells_the_shop_and_its_rights() {
        let text = "<?xml version=\"1.0\"?><prestashop><api shopName=\"A &amp; B\"><orders get=\"true\" post=\"false\">\
                    <description get=\"true\">x</description><schema type=\"blank\"/></orders><taxes get=\"true\"/></api></prestashop>";
        let root = root(text).unwrap();
        assert_eq!(root.shop, "A & B");
        assert!(root.allows("orders", "GET") && root.allows("taxes", "GET"));
        assert!(!root.allows("orders", "POST") && !root.allows("description", "GET"));
    }
}
