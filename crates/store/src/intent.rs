//! Intents: what is about to be written, stored before the call, and what became of it.

use crate::blob::unpack;
use crate::db::Tx;
use crate::error::{StoreError, damaged};
use crate::open::Store;
use crate::record::texts;
use crate::value::{Row, Value};
use comptoir_model::document::Digest;
use comptoir_model::fault::Fault;
use comptoir_model::key::{ConnectionName, FlowName, Kind, RemoteId, WriteKey};
use comptoir_model::port::Step;
use std::collections::BTreeMap;
use std::str::FromStr;

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntentState {
    /// The call is under way, or was when the process ended.
    Sent,
    /// No sure answer.
    Unknown,
    /// Done.
    Proved,
    /// Refused by the target.
    Refused,
    /// Not done; decided anew.
    Dropped,
}

impl IntentState {
    const ALL: [IntentState; 5] = [
        IntentState::Sent,
        IntentState::Unknown,
        IntentState::Proved,
        IntentState::Refused,
        IntentState::Dropped,
    ];

    /// The word used in the store and in texts.
    pub fn as_str(self) -> &'static str {
        match self {
            IntentState::Sent => "sent",
            IntentState::Unknown => "unknown",
            IntentState::Proved => "proved",
            IntentState::Refused => "refused",
            IntentState::Dropped => "dropped",
        }
    }
}

impl FromStr for IntentState {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        IntentState::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| format!("intent state {text}"))
    }
}

/// An intent to store, before its call.
#[derive(Debug, Clone)]
pub struct IntentPut {
    /// Id.
    pub id: String,
    /// Flow.
    pub flow: FlowName,
    /// Kind of the subject.
    pub kind: Kind,
    /// Its id in the source.
    pub src: RemoteId,
    /// Its part.
    pub part: String,
    /// Target.
    pub dst: ConnectionName,
    /// Step.
    pub step: Step,
    /// Key.
    pub key: WriteKey,
    /// Canonical JSON of what is written.
    pub document: Vec<u8>,
    /// Canonical JSON of what was decided before.
    pub before: Option<Vec<u8>>,
    /// Digest of the source it was decided on.
    pub input: Digest,
    /// Revision of the configuration.
    pub revision: i64,
    /// State.
    pub state: IntentState,
    /// When (unix ms).
    pub sent_at: i64,
    /// When the vendor surely no longer works on it (unix ms).
    pub settle_at: i64,
    /// The version it expects.
    pub expects: Option<String>,
    /// The target's record.
    pub target: Option<RemoteId>,
}

/// What became of an intent.
#[derive(Debug, Clone)]
pub struct IntentOutcome {
    /// Id.
    pub id: String,
    /// State.
    pub state: IntentState,
    /// The fault, if there was one.
    pub fault: Option<Fault>,
    /// A new settle time (unix ms).
    pub settle_at: Option<i64>,
}

/// A stored intent.
#[derive(Debug, Clone)]
pub struct IntentRow {
    /// Id.
    pub id: String,
    /// Flow.
    pub flow: FlowName,
    /// Kind of the subject.
    pub kind: Kind,
    /// Its id in the source.
    pub src: RemoteId,
    /// Its part.
    pub part: String,
    /// Step.
    pub step: Step,
    /// Key.
    pub key: WriteKey,
    /// The target's record.
    pub target: Option<RemoteId>,
    /// Canonical JSON of what is written, while kept.
    pub document: Vec<u8>,
    /// Canonical JSON of what was decided before.
    pub before: Option<Vec<u8>>,
    /// Digest of the source it was decided on.
    pub input: Digest,
    /// Revision of the configuration.
    pub revision: i64,
    /// State.
    pub state: IntentState,
    /// When (unix ms).
    pub sent_at: i64,
    /// When the vendor surely no longer works on it (unix ms).
    pub settle_at: i64,
    /// The fault, if there was one.
    pub fault: Option<Fault>,
}

fn step_of(text: &str) -> Result<Step, StoreError> {
    [Step::Create, Step::Update, Step::Confirm, Step::Cancel]
        .into_iter()
        .find(|step| step.as_str() == text)
        .ok_or_else(|| damaged(format!("step {text}")))
}

impl Tx {
    /// Stores intents, with their packed documents: what is written, and what was decided before.
    pub(crate) async fn put_intents(
        &mut self,
        intents: &[IntentPut],
        packed: &[(Vec<u8>, Option<Vec<u8>>)],
    ) -> Result<(), StoreError> {
        let mut rows: Vec<Vec<Value>> = Vec::with_capacity(intents.len());
        for (intent, (document, before)) in intents.iter().zip(packed) {
            rows.push(vec![
                intent.id.as_str().into(),
                intent.flow.as_str().into(),
                intent.kind.as_str().into(),
                intent.src.as_str().into(),
                intent.part.as_str().into(),
                intent.dst.as_str().into(),
                intent.step.as_str().into(),
                intent.key.as_str().into(),
                intent.target.as_ref().map(RemoteId::as_str).into(),
                document.clone().into(),
                before.clone().into(),
                intent.input.into(),
                intent.revision.into(),
                intent.state.as_str().into(),
                intent.sent_at.into(),
                intent.settle_at.into(),
                intent.expects.as_deref().into(),
            ]);
        }
        let sql = "INSERT INTO intent (id, flow, kind, src, part, dst_conn, step, write_key, target, doc, before, input, \
                   revision, state, sent_at, settle_at, expects) VALUES …";
        self.many(sql, &[], rows).await.map(drop)
    }

    pub(crate) async fn put_outcomes(
        &mut self,
        outcomes: &[IntentOutcome],
    ) -> Result<(), StoreError> {
        let mut rows: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for outcome in outcomes {
            let fault = outcome.fault.as_ref().map(serde_json::to_string);
            rows.insert(
                &outcome.id,
                vec![
                    outcome.id.as_str().into(),
                    outcome.state.as_str().into(),
                    fault.transpose().map_err(damaged)?.into(),
                    outcome.settle_at.into(),
                ],
            );
        }
        let sql = "UPDATE intent SET state = v.column2, fault = coalesce(v.column3, intent.fault), \
                   settle_at = coalesce(v.column4, intent.settle_at) FROM (VALUES …) AS v WHERE intent.id = v.column1";
        let rows = rows.into_values().collect();
        self.many(sql, &[], rows).await.map(drop)
    }
}

const INTENT: &str = "id, flow, kind, src, part, step, write_key, target, doc, before, input, revision, state, sent_at, settle_at, fault";

fn intent_row(row: &Row) -> Result<IntentRow, StoreError> {
    let fault = row.text(15)?.map(|text| serde_json::from_str(&text));
    Ok(IntentRow {
        id: row.string(0)?,
        flow: row.parsed(1)?,
        kind: row.parsed(2)?,
        src: RemoteId(row.string(3)?),
        part: row.string(4)?,
        step: step_of(&row.string(5)?)?,
        key: WriteKey(row.string(6)?),
        target: row.text(7)?.map(RemoteId),
        document: match row.blob(8)? {
            Some(bytes) => unpack(&bytes)?,
            None => Vec::new(),
        },
        before: row.blob(9)?.map(|bytes| unpack(&bytes)).transpose()?,
        input: row.digest(10)?.ok_or_else(|| damaged("intent.input"))?,
        revision: row.number(11)?,
        state: row.parsed(12)?,
        sent_at: row.number(13)?,
        settle_at: row.number(14)?,
        fault: fault.transpose().map_err(damaged)?,
    })
}

fn oldest_first(rows: Vec<Row>) -> Result<Vec<IntentRow>, StoreError> {
    let intents: Result<Vec<IntentRow>, StoreError> = rows.iter().map(intent_row).collect();
    let mut intents = intents?;
    intents.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    Ok(intents)
}

impl Store {
    /// Intents of a target in these states, oldest first.
    pub async fn intents(
        &self,
        target: &ConnectionName,
        states: &[IntentState],
    ) -> Result<Vec<IntentRow>, StoreError> {
        let open = [IntentState::Sent, IntentState::Unknown];
        // Said in the words of the index of open intents, which are few among all.
        let index = if states.iter().all(|state| open.contains(state)) {
            "AND state IN ('sent', 'unknown')"
        } else {
            ""
        };
        let sql =
            format!("SELECT {INTENT} FROM intent WHERE dst_conn = $1 {index} AND state IN (…)");
        let states: Vec<String> = states
            .iter()
            .map(|state| state.as_str().to_owned())
            .collect();
        let fixed = [target.as_str().into()];
        oldest_first(self.db.ask_list(&sql, &fixed, &states).await?)
    }

    /// Intents of records, oldest first.
    pub async fn intents_of(
        &self,
        flow: &FlowName,
        kind: Kind,
        ids: &[RemoteId],
    ) -> Result<Vec<IntentRow>, StoreError> {
        let sql =
            format!("SELECT {INTENT} FROM intent WHERE flow = $1 AND kind = $2 AND src IN (…)");
        let fixed = [flow.as_str().into(), kind.as_str().into()];
        oldest_first(self.db.ask_list(&sql, &fixed, &texts(ids)).await?)
    }

    /// When the creates of a flow since a time were sent (unix ms), oldest first: what its cap counts.
    pub async fn creates_since(&self, flow: &FlowName, since: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT sent_at FROM intent WHERE flow = $1 AND kind = 'order' AND step = 'create' AND state = 'proved' \
                   AND sent_at >= $2 ORDER BY sent_at";
        let rows = self
            .db
            .ask(sql, vec![flow.as_str().into(), since.into()])
            .await?;
        rows.iter().map(|row| row.number(0)).collect()
    }
}
