//! Who is who on the other side, and what the target answered to questions.

use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::{Row, Value};
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
    pub(crate) async fn put_links(&mut self, links: &[LinkPut]) -> Result<(), StoreError> {
        let mut rows: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for link in links {
            rows.insert(
                (&link.src, &link.part, &link.dst),
                vec![
                    link.src.connection.as_str().into(),
                    link.src.kind.as_str().into(),
                    link.src.id.as_str().into(),
                    link.part.as_str().into(),
                    link.dst.as_str().into(),
                    link.dst_kind.as_str().into(),
                    link.dst_id.as_str().into(),
                    link.key.as_ref().map(WriteKey::as_str).into(),
                    link.state.as_str().into(),
                    i64::from(link.sole).into(),
                    link.base.into(),
                    link.put.into(),
                    link.at.into(),
                ],
            );
        }
        let sql = "INSERT INTO link (src_conn, kind, src, part, dst_conn, dst_kind, dst, write_key, state, sole, base, put, at) \
                   VALUES … ON CONFLICT (src_conn, kind, src, part, dst_conn) DO UPDATE SET dst_kind = excluded.dst_kind, \
                   dst = excluded.dst, write_key = excluded.write_key, state = excluded.state, sole = excluded.sole, \
                   base = excluded.base, put = excluded.put, at = excluded.at";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }

    pub(crate) async fn put_identities(
        &mut self,
        identities: &[IdentityPut],
    ) -> Result<(), StoreError> {
        let mut merged: BTreeMap<_, IdentityPut> = BTreeMap::new();
        for put in identities {
            let key = (&put.dst, put.kind, &put.attribute, &put.value);
            match merged.get_mut(&key) {
                Some(first) => {
                    first.ids = put.ids.clone().or(first.ids.take());
                    first.asked_at = put.asked_at.or(first.asked_at);
                    first.claimed_by = put.claimed_by.clone().or(first.claimed_by.take());
                }
                None => {
                    merged.insert(key, put.clone());
                }
            }
        }
        // A claim that is said replaces the stored one, even by none; one that is not said leaves it.
        let (mut claims, mut answers) = (Vec::new(), Vec::new());
        for put in merged.into_values() {
            let ids = put.ids.as_ref().map(serde_json::to_string);
            let rows = match put.claimed_by {
                Some(_) => &mut claims,
                None => &mut answers,
            };
            rows.push(vec![
                put.dst.as_str().into(),
                put.kind.as_str().into(),
                put.attribute.into(),
                put.value.into(),
                ids.transpose().map_err(damaged)?.into(),
                put.asked_at.into(),
                put.claimed_by.flatten().into(),
            ]);
        }
        let answer = "INSERT INTO identity (dst_conn, kind, attr, value, ids, asked_at, claimed_by) VALUES … \
                      ON CONFLICT (dst_conn, kind, attr, value) DO UPDATE SET ids = coalesce(excluded.ids, identity.ids), \
                      asked_at = coalesce(excluded.asked_at, identity.asked_at)";
        let claim = format!("{answer}, claimed_by = excluded.claimed_by");
        self.many(answer, &[], answers).await?;
        self.many(&claim, &[], claims).await.map(drop)
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

    /// Links from one source that lead to these records of a target.
    pub async fn links_between(
        &self,
        source: &ConnectionName,
        target: &ConnectionName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT src, part, dst, state, base, put, at FROM link \
                   WHERE dst_conn = $1 AND dst_kind = $2 AND src_conn = $3 AND dst IN (…)";
        let fixed = [
            target.as_str().into(),
            kind.as_str().into(),
            source.as_str().into(),
        ];
        let rows = self
            .db
            .ask_list(sql, &fixed, &crate::record::texts(ids))
            .await?;
        rows.iter().map(link_row).collect()
    }

    /// Links of a kind from one source to a target, in the order of their source's ids, after one of these.
    pub async fn links_after(
        &self,
        source: &ConnectionName,
        kind: Kind,
        target: &ConnectionName,
        after: Option<&RemoteId>,
        limit: usize,
    ) -> Result<Vec<LinkRow>, StoreError> {
        let sql = "SELECT src, part, dst, state, base, put, at FROM link WHERE src_conn = $1 AND kind = $2 AND src > $3 \
                   AND dst_conn = $4 ORDER BY src, part LIMIT $5";
        let values = vec![
            source.as_str().into(),
            kind.as_str().into(),
            after.map_or("", RemoteId::as_str).into(),
            target.as_str().into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
        ];
        let rows = self.db.ask(sql, values).await?;
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
