//! What is only noted of a record, without a call: a link that was found, and the version that stands in the target.

use crate::decide::{OrderLink, first_sight};
use crate::turn::{Item, Pass};
use comptoir_model::cause::Cause;
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_store::{Commit, JournalPut, LinkPut, LinkState};

/// Notes the source's version as written.
pub fn rebase(pass: &Pass<'_>, item: &mut Item, notes: &mut Commit) {
    let digest = item.source.digest;
    let Some(link) = &mut item.link else { return };
    link.base_digest = Some(digest);
    link.base = None;
    if let (None, Some(target)) = (link.put, &item.target) {
        let tolerance = item.flow.policy.tolerance;
        link.put = target
            .order
            .as_ref()
            .and_then(|held| first_sight(item.source.order.as_deref(), held, tolerance));
    }
    let row = link_row(pass, item);
    notes.links.extend(row);
}

/// Whether shipments of this target may wait for the link of an order.
pub fn wakes(pass: &Pass<'_>) -> bool {
    pass.hub.reads(&pass.connection.name, Kind::Shipment)
}

/// The stored form of an item's link.
pub fn link_row(pass: &Pass<'_>, item: &Item) -> Option<LinkPut> {
    let link = item.link.as_ref()?;
    Some(LinkPut {
        src: item.source.key.clone(),
        part: String::new(),
        dst: pass.connection.name.clone(),
        dst_kind: item.source.key.kind,
        dst_id: link.id.clone(),
        key: Some(WriteKey::of(&item.source.key, "")),
        state: if link.gone {
            LinkState::Gone
        } else {
            LinkState::Live
        },
        // Many shipments are told to one order.
        sole: item.source.key.kind == Kind::Order,
        base: link.base_digest,
        put: link.put,
        at: pass.now,
    })
}

/// Notes a link that was found, for an order or for a buyer.
pub fn link(
    pass: &mut Pass<'_>,
    item: &mut Item,
    subject: RecordKey,
    part: String,
    id: RemoteId,
    notes: &mut Commit,
) {
    notes.journal.push(JournalPut {
        connection: pass.connection.name.clone(),
        at: pass.now,
        flow: Some(item.flow.name.clone()),
        kind: subject.kind,
        src: subject.id.clone(),
        intent: None,
        what: serde_json::json!({"event": "linked", "to": id, "part": part}),
    });
    if subject.kind != Kind::Customer {
        let waiting = Cause::Link(subject.kind, id.clone());
        item.link = Some(OrderLink {
            id,
            gone: false,
            // What a shop's order shows of a shipment was compared whole.
            base_digest: (subject.kind == Kind::Shipment).then_some(item.source.digest),
            base: None,
            put: None,
        });
        notes.links.extend(link_row(pass, item));
        notes.wake.extend(wakes(pass).then(|| waiting.to_string()));
        return;
    }
    let key = (subject.connection.to_string(), subject.id.clone());
    let party = pass.parties.entry(key).or_default();
    if part.is_empty() {
        party.main = Some(id.clone());
    } else {
        party.contacts.insert(part.clone(), id.clone());
    }
    notes.links.push(LinkPut {
        key: Some(WriteKey::of(&subject, &part)),
        src: subject,
        part,
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Customer,
        dst_id: id,
        state: LinkState::Live,
        sole: false,
        base: None,
        put: None,
        at: pass.now,
    });
}
