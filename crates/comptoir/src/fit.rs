//! Whether mapping rules fit the system they write to: fields that it does not have, and fixed choices that are none of its own, are told
//! when a revision is pushed or taken, and not by the first order.

use crate::config::{Files, Problem, problem_of};
use crate::exit::Failure;
use crate::workspace::Workspace;
use comptoir_engine::connection::Connection;
use comptoir_model::account::Account;
use comptoir_model::key::ConnectionName;

/// What does not fit. A target is asked anew before one of its fields is called missing: someone may have just made it. A target that
/// cannot be reached and was never probed is not judged.
pub async fn misfits(
    workspace: &Workspace,
    files: &Files,
    connections: &[Connection],
) -> Result<Vec<Problem>, Failure> {
    let mut problems = Vec::new();
    for flow in workspace.config.flows.values() {
        if flow.mapping.is_empty() {
            continue;
        }
        let known = workspace.store.connection(&flow.to).await?;
        let known = known.and_then(|row| row.account);
        if let Some(account) = &known
            && flow.mapping.check_against(account).is_empty()
        {
            continue;
        }
        let Some(account) = probed(connections, &flow.to).await.or(known) else {
            continue;
        };
        let wrong = flow.mapping.check_against(&account);
        problems.extend(wrong.into_iter().map(|wrong| problem_of(wrong, files)));
    }
    problems.dedup();
    Ok(problems)
}

async fn probed(connections: &[Connection], name: &ConnectionName) -> Option<Account> {
    let connection = connections
        .iter()
        .find(|connection| connection.name == *name)?;
    connection.connector.probe().await.ok()
}
