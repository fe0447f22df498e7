//! What the tests store. Everything is made up.

use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::{Cursor, Hint, Step};
use comptoir_model::stock::Stock;
use comptoir_store::{
    Commit, IntentPut, IntentState, JournalPut, KitPut, LevelPut, LevelsSeen, LinkPut, LinkState,
    Ownership, RecordPut, RecordState, ReservePut, Reserved, Store, StreamPut, WorkDue, WorkPut,
    WorkState,
};
use std::collections::BTreeMap;

pub fn shop() -> ConnectionName {
    "shop".parse().unwrap()
}

pub fn erp() -> ConnectionName {
    "erp".parse().unwrap()
}

pub fn flow() -> FlowName {
    "orders".parse().unwrap()
}

pub fn id(id: &str) -> RemoteId {
    RemoteId::from(id)
}

pub fn ids<const N: usize>(ids: [&str; N]) -> Vec<RemoteId> {
    ids.into_iter().map(RemoteId::from).collect()
}

pub fn key(id: &str) -> RecordKey {
    RecordKey {
        connection: shop(),
        kind: Kind::Order,
        id: RemoteId::from(id),
    }
}

/// A small canonical document that differs by its name.
pub fn document(name: &str) -> Vec<u8> {
    format!(r#"{{"stock":{{"sku":"{name}","managed":true,"backorders":false}}}}"#).into_bytes()
}

pub fn record(id: &str, document: &[u8], seen_at: i64) -> RecordPut {
    RecordPut {
        connection: shop(),
        kind: Kind::Order,
        id: RemoteId::from(id),
        parent: None,
        version: "1".to_owned(),
        digest: Digest::of(document),
        state: RecordState::Live,
        document: Some(document.to_vec()),
        raw: Some(format!("raw answer for {id}")),
        seen_at,
    }
}

pub fn due(id: &str, want: &[u8], at: i64) -> WorkDue {
    WorkDue {
        flow: flow(),
        kind: Kind::Order,
        src: RemoteId::from(id),
        dst: erp(),
        root: format!("shop/order/{id}"),
        want: Digest::of(want),
        at,
    }
}

/// The end of a turn that was decided on `decided`.
pub fn end(id: &str, decided: &[u8], state: WorkState) -> WorkPut {
    WorkPut {
        flow: flow(),
        kind: Kind::Order,
        src: RemoteId::from(id),
        state,
        cause: None,
        due: None,
        done: (state == WorkState::Done).then(|| Digest::of(decided)),
        tries: 0,
        rounds: 0,
        decided: Digest::of(decided),
        since: None,
    }
}

pub fn held(id: &str, decided: &[u8], cause: &str) -> WorkPut {
    WorkPut {
        cause: Some(cause.to_owned()),
        tries: 3,
        rounds: 2,
        ..end(id, decided, WorkState::Held)
    }
}

pub fn waiting(id: &str, decided: &[u8], cause: &str, due: i64) -> WorkPut {
    WorkPut {
        cause: Some(cause.to_owned()),
        due: Some(due),
        ..end(id, decided, WorkState::Waiting)
    }
}

pub fn intent(name: &str, src: &str, step: Step, sent_at: i64) -> IntentPut {
    IntentPut {
        id: name.to_owned(),
        flow: flow(),
        kind: Kind::Order,
        src: RemoteId::from(src),
        part: String::new(),
        dst: erp(),
        step,
        key: WriteKey::of(&key(src), ""),
        document: document(src),
        before: None,
        input: Digest::of(&document(src)),
        revision: 1,
        state: IntentState::Sent,
        sent_at,
        settle_at: sent_at + 60_000,
        expects: Some("v1".to_owned()),
        target: None,
    }
}

pub fn link(src: &str, dst: &str) -> LinkPut {
    LinkPut {
        src: key(src),
        part: String::new(),
        dst: erp(),
        dst_kind: Kind::Order,
        dst_id: RemoteId::from(dst),
        key: Some(WriteKey::of(&key(src), "")),
        state: LinkState::Live,
        sole: true,
        base: Some(Digest::of(b"base")),
        put: Some(Digest::of(b"put")),
        at: 1_000,
    }
}

pub fn journal(src: &str, what: &str) -> JournalPut {
    JournalPut {
        connection: erp(),
        at: 1_000,
        flow: Some(flow()),
        kind: Kind::Order,
        src: RemoteId::from(src),
        intent: None,
        what: serde_json::json!({ "event": what }),
    }
}

pub fn stream(cursor: &str, next_at: i64) -> StreamPut {
    StreamPut {
        connection: shop(),
        kind: Kind::Order,
        read_from: None,
        cursor: Cursor(cursor.to_owned()),
        readers: String::new(),
        next_at,
        last_new: Some(5),
    }
}

pub fn hint(id: Option<&str>) -> Hint {
    Hint {
        kind: Kind::Order,
        id: id.map(RemoteId::from),
    }
}

/// A commit that writes into every table it can.
pub fn everything(id: &str) -> Commit {
    let document = document(id);
    Commit {
        records: vec![record(id, &document, 1_000)],
        stream: Some(stream(id, 2_000)),
        hints_read: Vec::new(),
        due: vec![due(id, &document, 1_000)],
        work: vec![held(id, &document, "row:tax:20")],
        intents: vec![intent(&format!("intent-{id}"), id, Step::Create, 1_000)],
        outcomes: Vec::new(),
        links: vec![link(id, &format!("target-{id}"))],
        identities: vec![comptoir_store::IdentityPut {
            dst: erp(),
            kind: Kind::Customer,
            attribute: "email".to_owned(),
            value: format!("hash-{id}"),
            ids: Some(Vec::new()),
            asked_at: Some(1_000),
            claimed_by: Some(Some(id.to_owned())),
        }],
        wake: Vec::new(),
        levels: vec![LevelPut {
            connection: shop(),
            item: RemoteId::from(id),
            stock: Stock {
                sku: format!("SKU-{id}"),
                managed: true,
                ..Stock::default()
            },
            as_of: 1_000,
            zeroed_at: None,
        }],
        levels_seen: vec![LevelsSeen {
            connection: shop(),
            items: vec![RemoteId::from(id)],
            as_of: 1_000,
        }],
        sold: vec![(shop(), format!("SKU-{id}"), 1_000)],
        levels_gone: Vec::new(),
        kits: vec![KitPut {
            connection: erp(),
            kit: RemoteId::from(id),
            components: vec![RemoteId(format!("part-of-{id}"))],
        }],
        reserves: vec![ReservePut {
            flow: flow(),
            order: RemoteId::from(id),
            target: erp(),
            takes: BTreeMap::from([(format!("SKU-{id}"), 1.into())]),
        }],
        reserved: vec![Reserved {
            flow: flow(),
            order: RemoteId::from(id),
            at: 1_000,
        }],
        stir: vec![(flow(), Kind::Stock, RemoteId::from(id))],
        journal: vec![journal(id, "create")],
    }
}

pub async fn own(store: &Store, owner: &str) -> Ownership {
    let taken = store.acquire(&erp(), owner, 60_000, |_| false).await;
    taken.unwrap().expect("the connection is free")
}
