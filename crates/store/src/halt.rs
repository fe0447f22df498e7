//! What a person has stopped. It stays stopped until a person lets it go on, whatever else happens: a restart, a new revision, an
//! answer from the system.

use crate::db::transact;
use crate::error::StoreError;
use crate::open::Store;
use comptoir_model::cause::Cause;
use comptoir_model::key::{ConnectionName, FlowName};
use std::fmt;
use std::str::FromStr;

/// What is stopped: writing, to the connection or by the flow. Reading goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything.
    All,
    /// Writing to a connection.
    Connection(ConnectionName),
    /// A flow.
    Flow(FlowName),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::All => f.write_str("all"),
            Scope::Connection(name) => write!(f, "connection:{name}"),
            Scope::Flow(name) => write!(f, "flow:{name}"),
        }
    }
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("`{text}` is nothing that can be stopped");
        match text.split_once(':') {
            None if text == "all" => Ok(Scope::All),
            Some(("connection", name)) => name.parse().map(Scope::Connection).map_err(|_| bad()),
            Some(("flow", name)) => name.parse().map(Scope::Flow).map_err(|_| bad()),
            _ => Err(bad()),
        }
    }
}

/// A stop that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// What is stopped.
    pub scope: Scope,
    /// Who stopped it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When (unix ms).
    pub at: i64,
}

impl Store {
    /// Stops something. What is stopped already keeps who did it and why.
    pub async fn halt(&self, scope: &Scope, who: &str, why: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO halt (scope, who, why, at) VALUES ($1, $2, $3, $4) ON CONFLICT (scope) DO NOTHING";
        let now = self.now().await?;
        let values = vec![scope.to_string().into(), who.into(), why.into(), now.into()];
        self.db.run(sql, values).await.map(drop)
    }

    /// Lets something go on; what a stopped flow had to leave is due at once. Answers no when it was not stopped.
    pub async fn unhalt(&self, scope: &Scope) -> Result<bool, StoreError> {
        let sql = "DELETE FROM halt WHERE scope = $1";
        let causes: Vec<String> = match scope {
            Scope::Flow(flow) => vec![Cause::Paused(flow.to_string()).to_string()],
            _ => Vec::new(),
        };
        transact!(self.db, tx => {
            let ended = tx.run(sql, vec![scope.to_string().into()]).await? > 0;
            let now = tx.now().await?;
            tx.wake(&causes, now).await?;
            ended
        })
    }

    /// Everything that is stopped, the oldest first.
    pub async fn halts(&self) -> Result<Vec<Halt>, StoreError> {
        let sql = "SELECT scope, who, why, at FROM halt ORDER BY at, scope";
        let rows = self.db.ask(sql, Vec::new()).await?;
        rows.iter()
            .map(|row| {
                Ok(Halt {
                    scope: row.parsed(0)?,
                    who: row.string(1)?,
                    why: row.string(2)?,
                    at: row.number(3)?,
                })
            })
            .collect()
    }

    /// Whether writing to this connection is stopped.
    pub async fn is_halted(&self, connection: &ConnectionName) -> Result<bool, StoreError> {
        let halts = self.halts().await?;
        Ok(halts.iter().any(|halt| match &halt.scope {
            Scope::All => true,
            Scope::Connection(name) => name == connection,
            Scope::Flow(_) => false,
        }))
    }
}
