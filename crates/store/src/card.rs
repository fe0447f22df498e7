//! Cards: what lists, sums and the search need of a record, so that no document is opened for them. They are made after the record is
//! stored, beside the road of a record, and can be made anew at any time.

use crate::blob::Unpacker;
use crate::db::transact;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::value::{Row, Value};
use comptoir_model::document::{Digest, Document};
use comptoir_model::key::{ConnectionName, Kind, RecordKey, RemoteId};
use std::collections::BTreeMap;

/// A card to store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardPut {
    /// The record.
    pub key: RecordKey,
    /// The digest of the document it was made from.
    pub digest: Digest,
    /// The number people read, or empty.
    pub number: String,
    /// When it was placed, shipped, or else seen (unix ms).
    pub at: i64,
    /// Its total, in millionths of the currency.
    pub amount: Option<i64>,
    /// Currency, or empty.
    pub currency: String,
    /// The system's own word for its state, or empty.
    pub word: String,
    /// Of a shipment or refund: the order it belongs to, in the same system; else empty.
    pub parent: String,
    /// When it was seen (unix ms). That of its first card is kept.
    pub seen_at: i64,
    /// The words it is found by.
    pub terms: Vec<String>,
}

/// A stored card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardRow {
    /// The record.
    pub key: RecordKey,
    /// The number people read, or empty.
    pub number: String,
    /// When it was placed, shipped, or else seen (unix ms).
    pub at: i64,
    /// Its total, in millionths of the currency.
    pub amount: Option<i64>,
    /// Currency, or empty.
    pub currency: String,
    /// The system's own word for its state, or empty.
    pub word: String,
    /// The order it belongs to, or empty.
    pub parent: String,
    /// When it was seen when its first card was made (unix ms).
    pub first_at: i64,
}

/// A record whose card is missing or old.
#[derive(Debug, Clone)]
pub struct Uncarded {
    /// The record.
    pub key: RecordKey,
    /// The digest of its document.
    pub digest: Digest,
    /// When it was seen (unix ms).
    pub seen_at: i64,
    /// Its document, while it is kept.
    pub document: Option<Document>,
}

/// Which cards a list shows.
#[derive(Debug, Clone)]
pub struct CardQuery {
    /// Kind.
    pub kind: Kind,
    /// Of one connection only.
    pub connection: Option<ConnectionName>,
    /// At or after (unix ms).
    pub since: i64,
    /// Before (unix ms).
    pub until: i64,
    /// Where the page before ended: the time, connection and id of its last card.
    pub after: Option<(i64, String, String)>,
    /// At most so many.
    pub limit: usize,
}

const COLUMNS: &str = "conn, kind, remote, number, at, amount, currency, word, parent, first_at";

fn key_of(row: &Row) -> Result<RecordKey, StoreError> {
    Ok(RecordKey {
        connection: row.parsed(0)?,
        kind: row.parsed(1)?,
        id: RemoteId(row.string(2)?),
    })
}

fn card_row(row: &Row) -> Result<CardRow, StoreError> {
    Ok(CardRow {
        key: key_of(row)?,
        number: row.string(3)?,
        at: row.number(4)?,
        amount: row.int(5)?,
        currency: row.string(6)?,
        word: row.string(7)?,
        parent: row.string(8)?,
        first_at: row.number(9)?,
    })
}

impl Store {
    /// Records seen since a time (unix ms) whose card is missing or old, in the order they were seen.
    pub async fn uncarded(&self, since: i64, limit: usize) -> Result<Vec<Uncarded>, StoreError> {
        let sql = "SELECT r.conn, r.kind, r.remote, r.digest, r.seen_at, b.bytes FROM record r \
                   LEFT JOIN card c ON c.conn = r.conn AND c.kind = r.kind AND c.remote = r.remote \
                   LEFT JOIN blob b ON b.hash = r.doc \
                   WHERE r.seen_at >= $1 AND (c.digest IS NULL OR c.digest <> r.digest) ORDER BY r.seen_at LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self.db.ask(sql, vec![since.into(), limit.into()]).await?;
        let mut unpacker = Unpacker::new()?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let document = match row.blob(5)? {
                Some(bytes) => {
                    Some(Document::from_json(&unpacker.unpack(&bytes)?).map_err(damaged)?)
                }
                None => None,
            };
            found.push(Uncarded {
                key: key_of(&row)?,
                digest: row.digest(3)?.ok_or_else(|| damaged("record.digest"))?,
                seen_at: row.number(4)?,
                document,
            });
        }
        Ok(found)
    }

    /// Stores cards and their words; words of older cards of the same records go.
    pub async fn put_cards(&self, cards: &[CardPut]) -> Result<(), StoreError> {
        let mut rows: BTreeMap<&RecordKey, &CardPut> = BTreeMap::new();
        rows.extend(cards.iter().map(|card| (&card.key, card)));
        let put = "INSERT INTO card (conn, kind, remote, digest, number, at, amount, currency, word, parent, first_at) VALUES … \
                   ON CONFLICT (conn, kind, remote) DO UPDATE SET digest = excluded.digest, number = excluded.number, \
                   at = excluded.at, amount = excluded.amount, currency = excluded.currency, word = excluded.word, \
                   parent = excluded.parent";
        let forget = "DELETE FROM term WHERE conn = $1 AND kind = $2 AND remote = $3";
        let words =
            "INSERT INTO term (word, at, conn, kind, remote) VALUES … ON CONFLICT DO NOTHING";
        transact!(self.db, tx => {
            let values = rows.values().map(|card| card_values(card)).collect();
            for key in rows.keys() {
                tx.run(forget, key_values(key)).await?;
            }
            tx.many(put, &[], values).await?;
            let terms = rows.values().flat_map(|card| term_values(card)).collect();
            tx.many(words, &[], terms).await.map(drop)?;
        })
    }

    /// Records that carry one of these words, each once, at most the latest `limit` of a word.
    pub async fn found_by(
        &self,
        words: &[String],
        limit: usize,
    ) -> Result<Vec<RecordKey>, StoreError> {
        let sql = "SELECT conn, kind, remote FROM term WHERE word = $1 ORDER BY at DESC, conn, kind, remote LIMIT $2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = Vec::new();
        for word in words {
            let rows = self.db.ask(sql, vec![word.as_str().into(), limit.into()]);
            for row in rows.await? {
                let key = key_of(&row)?;
                if !found.contains(&key) {
                    found.push(key);
                }
            }
        }
        Ok(found)
    }

    /// A page of cards, the latest first.
    pub async fn cards(&self, query: &CardQuery) -> Result<Vec<CardRow>, StoreError> {
        let (at, conn, remote) =
            query
                .after
                .clone()
                .unwrap_or((query.until, String::new(), String::new()));
        let of = match query.connection {
            Some(_) => "conn = $6 AND",
            None => "",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM card WHERE {of} kind = $1 AND at >= $2 AND at <= $3 \
             AND (at < $3 OR (at = $3 AND (conn, remote) < ($4, $5))) ORDER BY at DESC, conn DESC, remote DESC LIMIT {}",
            query.limit
        );
        let mut values: Vec<Value> = vec![
            query.kind.as_str().into(),
            query.since.into(),
            at.into(),
            conn.into(),
            remote.into(),
        ];
        if let Some(connection) = &query.connection {
            values.push(connection.as_str().into());
        }
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(card_row).collect()
    }

    /// Cards of records of one connection and kind.
    pub async fn cards_of(
        &self,
        connection: &ConnectionName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<CardRow>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM card WHERE conn = $1 AND kind = $2 AND remote IN (…)");
        let fixed = [connection.as_str().into(), kind.as_str().into()];
        let rows = self
            .db
            .ask_list(&sql, &fixed, &crate::record::texts(ids))
            .await?;
        let mut cards: Vec<CardRow> = rows.iter().map(card_row).collect::<Result<_, _>>()?;
        cards.sort_by(|a, b| a.key.cmp(&b.key));
        cards.dedup_by(|a, b| a.key == b.key);
        Ok(cards)
    }

    /// Shipments, refunds and invoices of an order in its own system.
    pub async fn parts_of(
        &self,
        connection: &ConnectionName,
        order: &RemoteId,
    ) -> Result<Vec<CardRow>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM card WHERE conn = $1 AND parent = $2 AND parent <> '' ORDER BY at, kind, remote"
        );
        let values = vec![connection.as_str().into(), order.as_str().into()];
        let rows = self.db.ask(&sql, values).await?;
        rows.iter().map(card_row).collect()
    }
}

fn key_values(key: &RecordKey) -> Vec<Value> {
    vec![
        key.connection.as_str().into(),
        key.kind.as_str().into(),
        key.id.as_str().into(),
    ]
}

fn card_values(card: &CardPut) -> Vec<Value> {
    let mut values = key_values(&card.key);
    values.extend([
        Value::from(card.digest),
        card.number.as_str().into(),
        card.at.into(),
        card.amount.into(),
        card.currency.as_str().into(),
        card.word.as_str().into(),
        card.parent.as_str().into(),
        card.seen_at.into(),
    ]);
    values
}

fn term_values(card: &CardPut) -> Vec<Vec<Value>> {
    let mut words: Vec<&str> = card.terms.iter().map(String::as_str).collect();
    words.sort_unstable();
    words.dedup();
    words
        .into_iter()
        .map(|word| {
            let mut values: Vec<Value> = vec![word.into(), card.at.into()];
            values.extend(key_values(&card.key));
            values
        })
        .collect()
}
