//! Tracking numbers in the fields of plug-ins. WooCommerce itself has none.
//!
//! Shipment Tracking and Advanced Shipment Tracking keep the same list under `_wc_shipment_tracking_items`. A carrier they know by its
//! name gets its link from them; with a link of our own the carrier stands there as it is.

use super::keep;
use super::wire::Meta;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::WriteKey;
use comptoir_model::shipment::{Parcel, Shipment};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The key of the meta data.
pub(super) const KEY: &str = "_wc_shipment_tracking_items";

/// The plug-ins' list with this shipment's parcels in it: what other people entered stays where it stands, what an earlier writing of the
/// shipment put in and is no longer in it goes. None when nothing changes.
///
/// # Errors
/// [`Code::WrongState`] when the list is none.
pub(super) fn with(
    meta: &[Meta],
    before: Option<&Shipment>,
    shipment: &Shipment,
    now: Timestamp,
) -> Result<Option<Value>, Fault> {
    let mut items = items(meta)?;
    let known = items.clone();
    let ours = entries(shipment, now);
    let earlier = before
        .map(|before| entries(before, now))
        .unwrap_or_default();
    for old in earlier {
        if ours.iter().all(|(id, _)| *id != old.0) {
            items.retain(|item| item["tracking_id"] != *old.0);
        }
    }
    for (_, entry) in ours {
        let is_same = |name: &str, item: &Value| item[name] == entry[name];
        let own = items.iter().position(|item| is_same("tracking_id", item));
        match own {
            // A shipment without a date keeps the one it got first.
            Some(place) => merge(&mut items[place], &entry, shipment.shipped_at.is_some()),
            // Somebody was faster.
            None if items.iter().any(|item| is_same("tracking_number", item)) => {}
            None => items.push(entry),
        }
    }
    Ok((items != known).then_some(Value::Array(items)))
}

/// Brings our fields of an item up to date; the plug-in may have added some of its own, and may keep a number where we wrote a text.
fn merge(item: &mut Value, entry: &Value, with_date: bool) {
    for (name, value) in entry.as_object().into_iter().flatten() {
        if (name != "date_shipped" || with_date) && keep::scalar(&item[name]) != keep::scalar(value)
        {
            item[name] = value.clone();
        }
    }
}

/// The list as it is. PHP writes one with gaps as an object.
fn items(meta: &[Meta]) -> Result<Vec<Value>, Fault> {
    let mut items = Vec::new();
    for row in meta.iter().filter(|row| row.key == KEY) {
        match &row.value {
            Value::Array(list) => items.extend(list.iter().cloned()),
            Value::Object(list) => items.extend(list.values().cloned()),
            Value::Null => {}
            Value::String(text) if text.is_empty() => {}
            _ => {
                let why = "the order's tracking numbers are not in the form of the plug-in named by the setting `tracking`";
                return Err(Fault::refused(Code::WrongState, why).at(KEY));
            }
        }
    }
    Ok(items)
}

/// An entry for each parcel that can be followed, by an id that is the same at every writing.
fn entries(shipment: &Shipment, now: Timestamp) -> Vec<(String, Value)> {
    let key = shipment.key.as_ref().map_or("", WriteKey::as_str);
    let shipped = shipment.shipped_at.unwrap_or(now).as_second().to_string();
    let parcels = shipment.parcels.iter().enumerate();
    parcels
        .filter(|(_, parcel)| !parcel.tracking.trim().is_empty())
        .map(|(place, parcel)| {
            let id = id(key, place);
            let (provider, custom) = provider(parcel);
            let entry = json!({
                "tracking_provider": provider,
                "custom_tracking_provider": custom,
                "custom_tracking_link": parcel.url.trim(),
                "tracking_number": parcel.tracking.trim(),
                "date_shipped": shipped,
                "tracking_id": id,
            });
            (id, entry)
        })
        .collect()
}

/// A provider that the plug-in may know, by the form of its names (`la-poste`), or one that only the link explains.
fn provider(parcel: &Parcel) -> (String, String) {
    let carrier = parcel.carrier.trim();
    if !parcel.url.trim().is_empty() {
        return (String::new(), carrier.to_owned());
    }
    let mut slug = String::new();
    for c in carrier.to_lowercase().chars() {
        match c {
            c if c.is_alphanumeric() => slug.push(c),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    (slug.trim_end_matches('-').to_owned(), String::new())
}

/// The plug-ins' ids are 32 hexadecimal digits.
fn id(key: &str, place: usize) -> String {
    let mut id = Digest::of(format!("{key}/parcel-{place}").as_bytes()).to_string();
    id.truncate(32);
    id
}
