//! A shipment of an ERP on its way into the shop's order that it belongs to.

use super::{Case, Decision, Missing, Proposal, Verdict};
use comptoir_model::cause::Cause;
use comptoir_model::document::Document;
use comptoir_model::key::{Kind, RecordKey, WriteKey};
use comptoir_model::order::{Life, Order};
use comptoir_model::port::Step;
use comptoir_model::shipment::{Shipment, ShipmentState};
use comptoir_rules::shipment::{Tracking, is_shown, translate};
use jiff::{SignedDuration, Timestamp};

/// How long a shipment waits for its order to be linked: by then it is one that no shop sold.
const UNLINKED: SignedDuration = SignedDuration::from_hours(72);

/// What is left to do for a shipment.
pub fn decide(case: &Case<'_>) -> Decision {
    let shipment = match (&case.source.shipment, case.source.missing) {
        (Some(shipment), _) => shipment,
        (None, Missing::Unreadable) => {
            return Decision::Hold(vec![Cause::Unreadable(Kind::Shipment)]);
        }
        (None, Missing::Gone) if case.link.is_some() => {
            return Decision::Hold(vec![Cause::CancelledInSource]);
        }
        (None, _) => return Decision::Skip("gone".to_owned()),
    };
    let told = case.link.is_some();
    let settled = case
        .link
        .is_some_and(|link| link.base_digest == Some(case.source.digest));
    if settled && case.verdict != Some(Verdict::Repair) {
        return Decision::Nothing;
    }
    match shipment.state {
        ShipmentState::Open => return Decision::Skip("state:open".to_owned()),
        // The buyer has read of it: only a person can say what to tell now.
        ShipmentState::Cancelled if told => return Decision::Hold(vec![Cause::CancelledInSource]),
        ShipmentState::Cancelled if !shipment.completes => {
            return Decision::Skip("state:cancelled".to_owned());
        }
        ShipmentState::Cancelled | ShipmentState::Shipped | ShipmentState::Delivered => {}
    }
    if !told && !case.flow.covers(shipment.shipped_at) {
        return Decision::Skip("before-start".to_owned());
    }
    let Some(sold) = case.sold else {
        return not_linked(case, shipment);
    };
    let untold = shipment.state != ShipmentState::Cancelled && !shipment.is_tracked();
    if untold && case.flow.shipment.tracking == Tracking::Required {
        return Decision::Wait(Cause::Tracking);
    }
    let Some(target) = case.target.filter(|target| target.fresh) else {
        return Decision::Look(sold.clone());
    };
    let Some(order) = &target.order else {
        return Decision::Hold(vec![Cause::GoneInTarget]);
    };
    if matches!(order.status.life, Life::Cancelled | Life::Trashed) {
        return Decision::Hold(vec![Cause::CancelledInTarget]);
    }
    if shipment.state == ShipmentState::Cancelled && order.shipments.is_empty() {
        return Decision::Skip("nothing-shipped".to_owned());
    }
    let wanted = in_the_shop(case, shipment, order);
    if settled && is_shown(&wanted, order) {
        return Decision::Nothing;
    }
    if is_shown(&wanted, order) {
        return Decision::Link {
            subject: case.source.key.clone(),
            part: String::new(),
            id: sold.clone(),
        };
    }
    Decision::Write(Box::new(Proposal {
        subject: case.source.key.clone(),
        part: String::new(),
        step: Step::Create,
        target: Some(sold.clone()),
        document: Document::Shipment(wanted),
        before: None,
        expects: None,
        claims: Vec::new(),
    }))
}

/// The shipment as the shop's order should show it.
fn in_the_shop(case: &Case<'_>, shipment: &Shipment, order: &Order) -> Shipment {
    let sold = RecordKey {
        connection: case.flow.target.clone(),
        kind: Kind::Order,
        id: case.sold.cloned().unwrap_or_else(|| "".into()),
    };
    let (key, order_key) = (WriteKey::of(&case.source.key, ""), WriteKey::of(&sold, ""));
    let wanted = translate(shipment, order, &key, &order_key, &case.flow.shipment);
    let again = case.link.is_some() && case.verdict == Some(Verdict::Repair);
    Shipment {
        order: sold.id,
        // What the order has lost was told to its buyer once.
        notify: wanted.notify && !again,
        ..wanted
    }
}

/// The order is no shop's, or its link has yet to be found: a new shipment waits for that, an old one does not.
fn not_linked(case: &Case<'_>, shipment: &Shipment) -> Decision {
    if case.sold_elsewhere {
        return Decision::Skip("other-shop".to_owned());
    }
    let now = Timestamp::from_millisecond(case.now).unwrap_or(Timestamp::MAX);
    let left = shipment.shipped_at.unwrap_or(now);
    if now.duration_since(left) < UNLINKED {
        Decision::Wait(Cause::Link(Kind::Order, shipment.order.clone()))
    } else {
        Decision::Skip("not-linked".to_owned())
    }
}
