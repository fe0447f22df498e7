//! The shipments that we wrote into an order, as one text of JSON in its meta data: WooCommerce has no place of its own for them.

use super::wire::Meta;
use comptoir_model::code::Code;
use comptoir_model::fault::Fault;
use comptoir_model::key::RemoteId;
use comptoir_model::shipment::Shipment;
use serde::{Deserialize, Serialize};

/// The key of the meta data.
pub(super) const KEY: &str = "_comptoir_shipments";

/// The text. `notify` of a shipment in it says that the buyer was told.
#[derive(Debug, Serialize, Deserialize)]
struct Marks {
    v: u8,
    shipments: Vec<Shipment>,
}

/// The shipments of an order. Those of another order are left out: plug-ins copy meta data into follow-up orders of a subscription.
///
/// # Errors
/// [`Code::WrongState`] when somebody changed the text so that it cannot be read: writing over it could tell a buyer twice.
pub(super) fn read(meta: &[Meta], order: &RemoteId) -> Result<Vec<Shipment>, Fault> {
    let mut shipments: Vec<Shipment> = Vec::new();
    for row in meta.iter().filter(|row| row.key == KEY) {
        let text = row.value.as_str().unwrap_or_default();
        if text.is_empty() && (row.value.is_null() || row.value.is_string()) {
            continue;
        }
        let marks = serde_json::from_str::<Marks>(text).ok();
        let Some(marks) = marks.filter(|marks| marks.v == 1) else {
            let why = "the shipments that Comptoir noted in the order cannot be read; delete this meta data of the order in the shop";
            return Err(Fault::refused(Code::WrongState, why).at(KEY));
        };
        for shipment in marks.shipments {
            if shipment.order != *order || shipment.key.is_none() {
                continue;
            }
            put(&mut shipments, shipment);
        }
    }
    Ok(shipments)
}

/// Puts a shipment in the place of the one with its key, or at the end.
pub(super) fn put(shipments: &mut Vec<Shipment>, shipment: Shipment) {
    match shipments.iter_mut().find(|known| known.key == shipment.key) {
        Some(known) => *known = shipment,
        None => shipments.push(shipment),
    }
}

/// The text of these shipments.
pub(super) fn text(shipments: Vec<Shipment>) -> String {
    // Plain data always has a JSON form.
    serde_json::to_string(&Marks { v: 1, shipments }).unwrap_or_default()
}
