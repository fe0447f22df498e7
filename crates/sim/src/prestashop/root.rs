//! The list of rights, which is read as XML only.

use super::answer::Answer;
use std::collections::{BTreeMap, BTreeSet};

/// Methods by resource.
pub(crate) type Rights = BTreeMap<String, BTreeSet<String>>;

/// What a key for this hub is given.
pub(crate) fn all<'a>(resources: impl Iterator<Item = &'a &'static str>) -> Rights {
    let mut rights: Rights = resources
        .map(|resource| ((*resource).to_owned(), BTreeSet::from(["GET".to_owned()])))
        .collect();
    for (resource, method) in [
        ("order_histories", "POST"),
        ("order_carriers", "PATCH"),
        ("order_carriers", "PUT"),
        ("stock_availables", "PATCH"),
        ("stock_availables", "PUT"),
        ("messages", "POST"),
    ] {
        rights
            .entry(resource.to_owned())
            .or_default()
            .insert(method.to_owned());
    }
    rights
}

/// The root.
pub(crate) fn root(as_json: bool, rights: &Rights) -> Answer {
    if as_json {
        return Answer::dead();
    }
    let rows: String = rights
        .iter()
        .map(|(resource, methods)| {
            let flags: String = ["GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"]
                .iter()
                .map(|method| format!(" {}=\"{}\"", method.to_lowercase(), methods.contains(*method)))
                .collect();
            format!("<{resource}{flags}>\n<description{flags}>\nRows</description>\n<schema type=\"blank\"/>\n</{resource}>\n")
        })
        .collect();
    Answer::xml(
        200,
        &format!("<api shopName=\"Simulated shop\">\n{rows}</api>\n"),
    )
}
