//! After the target refused to create something: is what we took for known there still there?

use crate::end::End;
use crate::gather::remembered;
use crate::retry;
use crate::turn::{Item, Pass};
use comptoir_model::cause::Cause;
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::Seen;
use comptoir_store::{Commit, LinkPut, LinkState, StoreError};
use std::collections::BTreeSet;

/// After refused creates: looks whether the contacts that were taken for known are still there, and forgets remembered answers. A
/// record for which that changed something is decided again; the others keep the refusal.
pub async fn recheck(
    pass: &mut Pass<'_>,
    items: &mut [Item],
    doubtful: Vec<(usize, Fault)>,
) -> Result<(), StoreError> {
    pass.keep().await?;
    let mut ids: BTreeSet<RemoteId> = BTreeSet::new();
    for (index, _) in &doubtful {
        let item = &items[*index];
        if let Some(party) = pass.parties.get(&party_key(item)) {
            ids.extend(party.main.iter().chain(party.contacts.values()).cloned());
        }
    }
    let ids: Vec<RemoteId> = ids.into_iter().collect();
    let reads = pass
        .connection
        .connector
        .capabilities()
        .reads(Kind::Customer);
    let mut gone: BTreeSet<RemoteId> = BTreeSet::new();
    for chunk in ids.chunks(reads.map_or(100, |reads| reads.ids.max(1))) {
        match retry::read(&pass.hub.patience, || {
            pass.connection.connector.read(Kind::Customer, chunk)
        })
        .await
        {
            Ok(seen) => gone.extend(seen.into_iter().filter_map(|seen| match seen {
                Seen::Gone(id) => Some(id),
                _ => None,
            })),
            Err(fault) => {
                pass.stop = Some(fault);
                return Ok(());
            }
        }
    }
    let mut commit = Commit::default();
    for (index, fault) in doubtful {
        let item = &mut items[index];
        let mut changed = forget_party(pass, item, &gone, &mut commit);
        for (kind, query) in remembered(item) {
            changed |= pass.answers.forget_older(kind, &query, pass.now);
        }
        item.end = (!changed).then(|| End::Held(vec![Cause::Refused(fault.code)], Some(fault)));
    }
    pass.learnt = commit;
    Ok(())
}

fn party_key(item: &Item) -> (String, RemoteId) {
    (item.flow.source.to_string(), item.buyer.clone())
}

/// Drops the contacts of an item's buyer that are gone. Answers whether there were any.
fn forget_party(
    pass: &mut Pass<'_>,
    item: &Item,
    gone: &BTreeSet<RemoteId>,
    commit: &mut Commit,
) -> bool {
    let (connection, now) = (pass.connection.name.clone(), pass.now);
    let Some(party) = pass.parties.get_mut(&party_key(item)) else {
        return false;
    };
    let main = party.main.iter().map(|id| (String::new(), id.clone()));
    let contacts = party.contacts.iter();
    let lost: Vec<(String, RemoteId)> = main
        .chain(contacts.map(|(part, id)| (part.clone(), id.clone())))
        .filter(|(_, id)| gone.contains(id))
        .collect();
    for (part, id) in &lost {
        if part.is_empty() {
            party.main = None;
        } else {
            party.contacts.remove(part);
        }
        let src = RecordKey {
            connection: item.flow.source.clone(),
            kind: Kind::Customer,
            id: item.buyer.clone(),
        };
        commit.links.push(LinkPut {
            key: Some(WriteKey::of(&src, part)),
            src,
            part: part.clone(),
            dst: connection.clone(),
            dst_kind: Kind::Customer,
            dst_id: id.clone(),
            state: LinkState::Gone,
            sole: false,
            base: None,
            put: None,
            at: now,
        });
    }
    !lost.is_empty()
}
