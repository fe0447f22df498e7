//! What is left in an order of each shipment that was written into it: private messages, which the shop shows to no buyer and keeps with the
//! order, and which are read with every order anyway. They are only ever added; of several about one shipment the last counts.
//!
//! `Comptoir shipment 1/1 0123456789abcdef {…}`: which part of how many, a digest of the whole, and a part of its JSON. A message holds 1600
//! characters. What the shop would take for markup or script, and throw away or refuse, is written as JSON escapes.

use super::wire::MessageWire;
use comptoir_model::Decimal;
use comptoir_model::document::Digest;
use comptoir_model::key::{RemoteId, WriteKey};
use comptoir_model::shipment::{Parcel, Shipment, ShipmentState, ShippedLine};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How every mark begins.
const PREFIX: &str = "Comptoir shipment ";

/// Characters of JSON in one message.
const PART: usize = 1400;

/// A shipment as it is noted.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Noted {
    key: WriteKey,
    number: String,
    state: ShipmentState,
    /// Line, quantity, stock keeping unit.
    lines: Vec<(String, Decimal, String)>,
    /// Tracking number, carrier, address to follow it on.
    parcels: Vec<(String, String, String)>,
    at: Option<Timestamp>,
    completes: bool,
    told: bool,
}

/// The texts that note a shipment.
pub(super) fn texts(shipment: &Shipment) -> Vec<String> {
    let noted = Noted {
        key: shipment
            .key
            .clone()
            .unwrap_or_else(|| WriteKey(String::new())),
        number: shipment.number.clone(),
        state: shipment.state,
        lines: shipment
            .lines
            .iter()
            .map(|part| (part.line.clone(), part.quantity, part.sku.clone()))
            .collect(),
        parcels: shipment
            .parcels
            .iter()
            .map(|parcel| {
                (
                    parcel.tracking.clone(),
                    parcel.carrier.clone(),
                    parcel.url.clone(),
                )
            })
            .collect(),
        at: shipment.shipped_at,
        completes: shipment.completes,
        told: shipment.notify,
    };
    // Plain data always has a JSON form.
    let json = harmless(&serde_json::to_string(&noted).unwrap_or_default());
    let digest = digest(&json);
    // All of it is ASCII now, so that it can be cut anywhere.
    let parts: Vec<&[u8]> = json.as_bytes().chunks(PART).collect();
    let count = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(place, part)| {
            let part = String::from_utf8_lossy(part);
            format!("{PREFIX}{}/{count} {digest} {part}", place + 1)
        })
        .collect()
}

fn digest(json: &str) -> String {
    Digest::of(json.as_bytes()).to_string()[..16].to_owned()
}

/// JSON without what the shop strips (markup), refuses (script, `on…=`) or may not be able to keep (other letters). Such signs stand in texts
/// only.
fn harmless(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for sign in json.replace("cript:", "cript\\u003a").chars() {
        match sign {
            '<' | '>' | '=' | '&' | '\'' => text.push_str(&format!("\\u{:04x}", sign as u32)),
            sign if sign.is_ascii() => text.push(sign),
            sign => {
                for unit in sign.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    text
}

/// Whether a message is a part of a mark.
pub(super) fn is_mark(message: &MessageWire) -> bool {
    message.private && message.message.trim_start().starts_with(PREFIX)
}

/// The shipments that an order's messages note, the first noted first.
pub(super) fn shipments(messages: &[MessageWire], order: &RemoteId) -> Vec<Shipment> {
    let mut found: Vec<Shipment> = Vec::new();
    for noted in noted(messages) {
        let key = noted.key.clone();
        let shipment = noted.shipment(order);
        match found
            .iter_mut()
            .find(|known| known.key.as_ref() == Some(&key))
        {
            Some(known) => *known = shipment,
            None => found.push(shipment),
        }
    }
    found
}

/// The shipments as the order shows them: its one field of tracking numbers is what staff see and change, whatever was noted. Where the
/// numbers do not all fit into it nothing is known.
pub(super) fn as_shown(mut shipments: Vec<Shipment>, field: &str) -> Vec<Shipment> {
    let numbers = shipments.iter().flat_map(|shipment| &shipment.parcels);
    let numbers: Vec<&str> = numbers
        .map(|parcel| parcel.tracking.as_str())
        .filter(|number| !number.is_empty())
        .collect();
    if numbers.join(", ").chars().count() > super::ship::FIELD {
        return shipments;
    }
    let shown: Vec<&str> = field.split(',').map(str::trim).collect();
    let alone = numbers.len() == 1;
    for parcel in shipments
        .iter_mut()
        .flat_map(|shipment| &mut shipment.parcels)
    {
        let mut own = parcel.tracking.split(',').map(str::trim);
        if !parcel.tracking.is_empty() && !own.all(|number| shown.contains(&number)) {
            // What stands in place of the only number is that of this parcel.
            parcel.tracking = match alone {
                true => field.trim().to_owned(),
                false => String::new(),
            };
        }
    }
    shipments
}

/// What the marks say whose every part is there, in their order.
fn noted(messages: &[MessageWire]) -> Vec<Noted> {
    let mut parts: BTreeMap<(&str, usize), Vec<Option<&str>>> = BTreeMap::new();
    let mut found = Vec::new();
    for message in messages.iter().filter(|message| is_mark(message)) {
        let Some((place, count, digest, text)) = part(&message.message) else {
            continue;
        };
        let own = parts
            .entry((digest, count))
            .or_insert_with(|| vec![None; count]);
        own[place - 1] = Some(text);
        let Some(all) = own.iter().copied().collect::<Option<Vec<&str>>>() else {
            continue;
        };
        let json = all.concat();
        if self::digest(&json) == digest
            && let Ok(noted) = serde_json::from_str::<Noted>(&json)
        {
            found.push(noted);
        }
    }
    found
}

/// Place, count, digest and text of a part.
fn part(message: &str) -> Option<(usize, usize, &str, &str)> {
    let rest = message.trim().strip_prefix(PREFIX)?;
    let (head, rest) = rest.split_once(' ')?;
    let (digest, text) = rest.split_once(' ')?;
    let (place, count) = head.split_once('/')?;
    let (place, count): (usize, usize) = (place.parse().ok()?, count.parse().ok()?);
    (count <= 100 && (1..=count).contains(&place)).then_some((place, count, digest, text))
}

impl Noted {
    fn shipment(self, order: &RemoteId) -> Shipment {
        let line = |(line, quantity, sku)| ShippedLine {
            line,
            key: None,
            sku,
            quantity,
        };
        let parcel = |(tracking, carrier, url)| Parcel {
            tracking,
            carrier,
            url,
        };
        Shipment {
            order: order.clone(),
            number: self.number,
            key: Some(self.key),
            state: self.state,
            location: None,
            lines: self.lines.into_iter().map(line).collect(),
            parcels: self.parcels.into_iter().map(parcel).collect(),
            shipped_at: self.at,
            completes: self.completes,
            notify: self.told,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends at what it does not expect")]
mod tests {
    use super::*;

    fn shipment(key: &str, parcels: usize) -> Shipment {
        Shipment {
            order: "9".into(),
            number: "WH/OUT/<7> l’été 🎁".to_owned(),
            key: Some(WriteKey(key.to_owned())),
            state: ShipmentState::Shipped,
            location: None,
            lines: vec![
                ShippedLine {
                    line: "16".to_owned(),
                    key: None,
                    sku: "MUG".to_owned(),
                    quantity: 2.into(),
                },
                ShippedLine {
                    line: "17".to_owned(),
                    key: None,
                    sku: "OTHER".to_owned(),
                    quantity: 1.into(),
                },
            ],
            parcels: (0..parcels)
                .map(|place| Parcel {
                    tracking: format!("6A{place:011}"),
                    carrier: "La Poste".to_owned(),
                    url: format!("https://parcels.example.test/?onload=javascript:1&n={place}"),
                })
                .collect(),
            shipped_at: Some("2026-11-22T05:00:00Z".parse().unwrap()),
            completes: true,
            notify: false,
        }
    }

    fn messages(texts: &[String], private: bool) -> Vec<MessageWire> {
        let message = |text: &String| MessageWire {
            id_employee: "0".to_owned(),
            private,
            message: text.clone(),
        };
        texts.iter().map(message).collect()
    }

    #[test]
    fn what_is_noted_is_read_back_however_long_it_is() {
        for parcels in [0, 1, 60] {
            let shipment = shipment("erp/shipment/7", parcels);
            let texts = texts(&shipment);
            assert_eq!(texts.len() > 1, parcels == 60, "{}", texts.len());
            for text in &texts {
                assert!(text.len() < 1500 && text.is_ascii(), "{text}");
                let refused = ["<", ">", "=", "script:", "'"];
                assert!(refused.iter().all(|sign| !text.contains(sign)), "{text}");
            }
            let order = "9".into();
            assert_eq!(
                shipments(&messages(&texts, true), &order),
                std::slice::from_ref(&shipment)
            );
            let lost = &texts[..texts.len() - 1];
            assert!(shipments(&messages(lost, true), &order).is_empty());
            // What a buyer could have written is nothing.
            assert!(shipments(&messages(&texts, false), &order).is_empty());
        }
    }

    #[test]
    fn the_last_word_about_a_shipment_counts() {
        let first = shipment("erp/shipment/7", 0);
        let other = shipment("erp/shipment/8", 1);
        let later = Shipment {
            notify: true,
            ..shipment("erp/shipment/7", 1)
        };
        let texts: Vec<String> = [&first, &other, &later]
            .iter()
            .flat_map(|shipment| texts(shipment))
            .collect();
        let found = shipments(&messages(&texts, true), &"9".into());
        assert_eq!(found, [later, other]);
    }

    #[test]
    fn what_was_changed_or_invented_is_no_mark() {
        let texts = texts(&shipment("erp/shipment/7", 1));
        for bad in [
            texts[0].replace("MUG", "MUD").replace("6A", "7B"),
            "Comptoir shipment".to_owned(),
            "Comptoir shipment 0/1 x {}".to_owned(),
            "Comptoir shipment 2/1 x {}".to_owned(),
            "Comptoir shipment 1/99999999999 x {}".to_owned(),
        ] {
            assert!(shipments(&messages(&[bad], true), &"9".into()).is_empty());
        }
    }
}
