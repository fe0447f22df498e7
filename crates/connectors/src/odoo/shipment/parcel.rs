//! The parcels of a transfer: one field holds all their numbers.

use crate::odoo::wire::Picking;
use comptoir_model::shipment::Parcel;

/// One parcel for each tracking number. People put several into the one field, with commas, semicolons or spaces between them.
pub(in crate::odoo) fn parcels(picking: &Picking) -> Vec<Parcel> {
    let all = picking.carrier_tracking_ref.trim();
    let between = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    let mut numbers: Vec<&str> = Vec::new();
    for number in all.split(between).filter(|number| !number.is_empty()) {
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    let carrier = picking.carrier_id.as_ref().map_or("", |link| &link.1);
    let links = links(&picking.carrier_tracking_url);
    let parcel = |(at, number): (usize, &&str)| Parcel {
        tracking: (*number).to_owned(),
        carrier: carrier.to_owned(),
        url: match &links {
            Links::One(url) => of_one(url, all, number),
            Links::Each(links) => of_each(links, at, number),
        },
    };
    numbers.iter().enumerate().map(parcel).collect()
}

/// The pages to follow parcels on: one for all, or a list of label and address as JSON, which carriers of several parcels give.
enum Links {
    One(String),
    Each(Vec<(String, String)>),
}

fn links(url: &str) -> Links {
    match serde_json::from_str(url) {
        Ok(links) => Links::Each(links),
        Err(_) => Links::One(url.to_owned()),
    }
}

/// The page of one parcel where Odoo made a single address out of the whole field.
fn of_one(url: &str, all: &str, number: &str) -> String {
    if all == number {
        return url.to_owned();
    }
    [all.to_owned(), comptoir_kit::http::encode(all)]
        .iter()
        .find(|all| url.contains(all.as_str()))
        .map_or_else(|| url.to_owned(), |all| url.replace(all.as_str(), number))
}

fn of_each(links: &[(String, String)], at: usize, number: &str) -> String {
    let own = links.iter().find(|(label, _)| label == number);
    let own = own.or_else(|| links.get(at));
    own.map(|(_, url)| url.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::wire::Link;

    fn told(tracking: &str, url: &str) -> Vec<(String, String)> {
        let picking = Picking {
            carrier_tracking_ref: tracking.to_owned(),
            carrier_tracking_url: url.to_owned(),
            carrier_id: Some(Link(1, "Shop parcel".to_owned())),
            ..Picking::default()
        };
        let parcels = parcels(&picking);
        assert!(parcels.iter().all(|parcel| parcel.carrier == "Shop parcel"));
        parcels
            .into_iter()
            .map(|parcel| (parcel.tracking, parcel.url))
            .collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn several_numbers_in_one_field_are_several_parcels() {
        assert!(told("", "").is_empty());
        let two = pairs(&[("6A1", ""), ("6A2", "")]);
        for text in ["6A1, 6A2", "6A1;6A2", " 6A1  6A2 ", "6A1,6A2,6A1"] {
            assert_eq!(told(text, ""), two, "{text}");
        }
    }

    #[test]
    fn each_parcel_has_its_own_page() {
        let page = "https://carrier.example.test/t?n=";
        let one = told("6A1", &format!("{page}6A1"));
        assert_eq!(
            one,
            pairs(&[("6A1", "https://carrier.example.test/t?n=6A1")])
        );
        let both = pairs(&[
            ("6A1", "https://carrier.example.test/t?n=6A1"),
            ("6A2", "https://carrier.example.test/t?n=6A2"),
        ]);
        assert_eq!(told("6A1, 6A2", &format!("{page}6A1, 6A2")), both);
        let json = format!("[[\"6A2\", \"{page}6A2\"], [\"6A1\", \"{page}6A1\"]]");
        assert_eq!(told("6A1, 6A2", &json), both);
    }
}
