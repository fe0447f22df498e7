//! What is only noted of a record, without a call: a link that was found, and the version that stands in the target.

use crate::decide::{OrderLink, first_sight};
use crate::turn::{Item, Pass};
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
            .and_then(|held| first_sight(item.source.order.as_ref(), held, tolerance));
    }
    let row = link_row(pass, item);
    notes.links.extend(row);
}

/// The stored form of an item's link.
pub fn link_row(pass: &Pass<'_>, item: &Item) -> Option<LinkPut> {
    let link = item.link.as_ref()?;
    Some(LinkPut {
        src: item.source.key.clone(),
        part: String::new(),
        dst: pass.connection.name.clone(),
        dst_kind: Kind::Order,
        dst_id: link.id.clone(),
        key: Some(WriteKey::of(&item.source.key, "")),
        state: if link.gone {
            LinkState::Gone
        } else {
            LinkState::Live
        },
        sole: true,
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
    if subject.kind == Kind::Order {
        item.link = Some(OrderLink {
            id,
            gone: false,
            base_digest: None,
            base: None,
            put: None,
        });
        notes.links.extend(link_row(pass, item));
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
