//! Stored plans.

use crate::error::{StoreError, damaged};
use crate::open::Store;
use comptoir_model::document::Digest;
use comptoir_model::key::FlowName;

/// Whether a plan was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanState {
    /// Not yet.
    Open,
    /// Yes.
    Applied,
}

impl PlanState {
    fn as_str(self) -> &'static str {
        match self {
            PlanState::Open => "open",
            PlanState::Applied => "applied",
        }
    }
}

/// A plan.
#[derive(Debug, Clone)]
pub struct PlanRow {
    /// Id.
    pub id: String,
    /// Flow.
    pub flow: FlowName,
    /// Digest of what it is bound to.
    pub digest: Digest,
    /// When (unix ms).
    pub at: i64,
    /// Who.
    pub author: String,
    /// What it would write, as JSON.
    pub items: Vec<u8>,
    /// State.
    pub state: PlanState,
}

impl Store {
    /// Keeps a plan. The same plan again is the same row.
    pub async fn put_plan(&self, plan: PlanRow) -> Result<(), StoreError> {
        self.db
            .run(
                "INSERT INTO plan (id, flow, digest, at, author, items, state) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, at = excluded.at",
                vec![
                    plan.id.into(),
                    plan.flow.as_str().into(),
                    plan.digest.into(),
                    plan.at.into(),
                    plan.author.into(),
                    plan.items.into(),
                    plan.state.as_str().into(),
                ],
            )
            .await?;
        Ok(())
    }

    /// A plan by its id.
    pub async fn plan(&self, id: &str) -> Result<Option<PlanRow>, StoreError> {
        let sql = "SELECT id, flow, digest, at, author, items, state FROM plan WHERE id = $1";
        let rows = self.db.ask(sql, vec![id.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(Some(PlanRow {
            id: row.string(0)?,
            flow: row.parsed(1)?,
            digest: row.digest(2)?.ok_or_else(|| damaged("plan.digest"))?,
            at: row.number(3)?,
            author: row.string(4)?,
            items: row.blob(5)?.unwrap_or_default(),
            state: if row.string(6)? == "applied" {
                PlanState::Applied
            } else {
                PlanState::Open
            },
        }))
    }

    /// Notes what became of a plan.
    pub async fn set_plan_state(&self, id: &str, state: PlanState) -> Result<(), StoreError> {
        self.db
            .run(
                "UPDATE plan SET state = $1 WHERE id = $2",
                vec![state.as_str().into(), id.into()],
            )
            .await?;
        Ok(())
    }
}
