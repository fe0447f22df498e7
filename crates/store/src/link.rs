//! Who is who on the other side, and what the target answered to questions.

use crate::db::{Row, Store, Tx, Value};
use crate::error::{StoreError, damaged};
use comptoir_model::document::Digest;
use comptoir_model::key::{ConnectionName, Kind, RecordKey, RemoteId, WriteKey};
use comptoir_model::port::Candidate;
use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

/// What a link is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkState {
    /// We made the target's record, or found it.
    Live,
    /// It was there before us.
    Adopted,
    /// The target's record is gone.
    Gone,
}

impl LinkState {
    fn as_str(self) -> &'static str {
        match self {
            LinkState::Live => "live",
            LinkState::Adopted => "adopted",
            LinkState::Gone => "gone",
        }
    }
}

impl FromStr for LinkState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        [LinkState::Live, LinkState::Adopted, LinkState::Gone]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("link state {text}"))
    }
}

/// A link to store.
#[derive(Debug, Clone)]
pub struct LinkPut {
    /// The source's record.
    pub src: RecordKey,
    /// The part of it, or empty.
    pub part: String,
    /// The target.
    pub dst: ConnectionName,
    /// Kind there.
    pub dst_kind: Kind,
    /// Id there.
    pub dst_id: RemoteId,
    /// The key left in the target.
    pub key: Option<WriteKey>,
    /// State.
    pub state: LinkState,
    /// Whether no other record of the source may be linked to the same one.
    pub sole: bool,
    /// The source's digest last written.
    pub base: Option<Digest>,
    /// The target's content digest after our last write.
    pub put: Option<Digest>,
    /// When (unix ms).
    pub at: i64,
}

/// A stored link.
#[derive(Debug, Clone)]
pub struct LinkRow {
    /// The source's id.
    pub src: RemoteId,
    /// The part of it, or empty.
    pub part: String,
    /// Id in the target.
    pub dst_id: RemoteId,
    /// State.
    pub state: LinkState,
    /// The source's digest last written.
    pub base: Option<Digest>,
    /// The target's content digest after our last write.
    pub put: Option<Digest>,
    /// When (unix ms).
    pub at: i64,
}

/// An answer to a question, to store.
#[derive(Debug, Clone)]
pub struct IdentityPut {
    /// The target.
    pub dst: ConnectionName,
    /// Kind asked for.
    pub kind: Kind,
    /// The attribute asked for.
    pub attribute: String,
    /// The value asked for; personal ones as keyed hashes.
    pub value: String,
    /// Who was found; `None` leaves the stored answer.
    pub ids: Option<Vec<Candidate>>,
    /// When it was asked (unix ms); `None` leaves it.
    pub asked_at: Option<i64>,
    /// Who creates with it; `None` leaves it.
    pub claimed_by: Option<Option<String>>,
}

/// A stored answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRow {
    /// Who was found.
    pub ids: Vec<Candidate>,
    /// When it was asked (unix ms).
    pub asked_at: Option<i64>,
    /// Who creates with it.
    pub claimed_by: Option<String>,
}

impl Tx {
    pub(crate) async fn put_links(&mut self, links: Vec<LinkPut>) -> Result<(), StoreError> {
        let mut rows: BTreeMap<(RecordKey, String, ConnectionName), Vec<Value>> = BTreeMap::new();
        for link in links {
            rows.insert(
                (link.src.clone(), link.part.clone(), link.dst.clone()),
                vec![
                    link.src.connection.as_str().into(),
                    link.src.kind.as_str().into(),
                    link.src.id.0.into(),
                    link.part.into(),
                    link.dst.as_str().into(),
                    link.dst_kind.as_str().into(),
                    link.dst_id.0.into(),
                    link.key.map(|key| key.0).into(),
                    link.state.as_str().into(),
                    i64::from(link.sole).into(),
                    link.base.into(),
                    link.put.into(),
                    link.at.into(),
                ],
            );
        }
        self.insert(
            "INSERT INTO link (src_conn, kind, src, part, dst_conn, dst_kind, dst, write_key, state, sole, base, put, at)",
            13,
            "ON CONFLICT (src_conn, kind, src, part, dst_conn) DO UPDATE SET dst_kind = excluded.dst_kind, dst = excluded.dst, \
             write_key = excluded.write_key, state = excluded.state, sole = excluded.sole, base = excluded.base, \
             put = excluded.put, at = excluded.at",
            rows.into_values().collect(),
        )
        .await
    }

    pub(crate) async fn put_identities(
        &mut self,
        identities: Vec<IdentityPut>,
    ) -> Result<(), StoreError> {
        let mut rows: BTreeMap<(ConnectionName, Kind, String, String), Vec<Value>> =
            BTreeMap::new();
        for identity in identities {
            let ids = identity
                .ids
                .map(|ids| serde_json::to_string(&ids))
                .transpose()
                .map_err(damaged)?;
            rows.insert(
                (
                    identity.dst.clone(),
                    identity.kind,
                    identity.attribute.clone(),
                    identity.value.clone(),
                ),
                vec![
                    identity.dst.as_str().into(),
                    identity.kind.as_str().into(),
                    identity.attribute.into(),
                    identity.value.into(),
                    ids.into(),
                    identity.asked_at.into(),
                    identity.claimed_by.clone().flatten().into(),
                ],
            );
        }
        self.insert(
            "INSERT INTO identity (dst_conn, kind, attr, value, ids, asked_at, claimed_by)",
            7,
            "ON CONFLICT (dst_conn, kind, attr, value) DO UPDATE SET ids = coalesce(excluded.ids, identity.ids), \
             asked_at = coalesce(excluded.asked_at, identity.asked_at), claimed_by = excluded.claimed_by",
            rows.into_values().collect(),
        )
        .await
    }
}

fn link_row(row: &Row) -> Result<LinkRow, StoreError> {
    Ok(LinkRow {
        src: RemoteId(row.string(0)?),
        part: row.string(1)?,
        dst_id: RemoteId(row.string(2)?),
        state: row.parsed(3)?,
        base: row.digest(4)?,
        put: row.digest(5)?,
        at: row.number(6)?,
    })
}

impl Store {
    /// Links of records and their parts to one target.
    pub async fn links(
        &self,
        source: &ConnectionName,
        kind: Kind,
        parts: &[(RemoteId, String)],
        target: &ConnectionName,
    ) -> Result<HashMap<(RemoteId, String), LinkRow>, StoreError> {
        let mut ids: Vec<String> = parts.iter().map(|(id, _)| id.0.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let sql = "SELECT src, part, dst, state, base, put, at FROM link \
                   WHERE src_conn = $1 AND kind = $2 AND dst_conn = $3 AND src IN (…)";
        let fixed = [
            source.as_str().into(),
            kind.as_str().into(),
            target.as_str().into(),
        ];
        let wanted: std::collections::HashSet<&(RemoteId, String)> = parts.iter().collect();
        let mut found = HashMap::new();
        for row in self.db.ask_list(sql, &fixed, &ids).await? {
            let link = link_row(&row)?;
            let key = (link.src.clone(), link.part.clone());
            if wanted.contains(&key) {
                found.insert(key, link);
            }
        }
        Ok(found)
    }

    /// Links that lead to these records of a target.
    pub async fn links_back(
        &self,
        target: &ConnectionName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT src, part, dst, state, base, put, at FROM link WHERE dst_conn = $1 AND dst_kind = $2 AND dst IN (…)";
        let fixed = [target.as_str().into(), kind.as_str().into()];
        let rows = self
            .db
            .ask_list(sql, &fixed, &crate::record::texts(ids))
            .await?;
        rows.iter().map(link_row).collect()
    }

    /// Stored answers to questions about these values.
    pub async fn identities(
        &self,
        target: &ConnectionName,
        kind: Kind,
        attribute: &str,
        values: &[String],
    ) -> Result<HashMap<String, IdentityRow>, StoreError> {
        let sql = "SELECT value, ids, asked_at, claimed_by FROM identity \
                   WHERE dst_conn = $1 AND kind = $2 AND attr = $3 AND value IN (…)";
        let fixed = [
            target.as_str().into(),
            kind.as_str().into(),
            attribute.into(),
        ];
        let mut found = HashMap::new();
        for row in self.db.ask_list(sql, &fixed, values).await? {
            let ids = match row.text(1)? {
                Some(text) => serde_json::from_str(&text).map_err(damaged)?,
                None => Vec::new(),
            };
            found.insert(
                row.string(0)?,
                IdentityRow {
                    ids,
                    asked_at: row.int(2)?,
                    claimed_by: row.text(3)?,
                },
            );
        }
        Ok(found)
    }
}
