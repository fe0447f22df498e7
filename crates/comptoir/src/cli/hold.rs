//! `hold`: what needs a person, grouped by cause.

use super::Context;
use crate::advice::fix;
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace};
use clap::{Args, Subcommand};
use comptoir_engine::decide::Verdict;
use comptoir_model::code::Language;
use comptoir_model::key::{FlowName, RemoteId};
use comptoir_store::WorkState;
use serde::Serialize;

#[derive(Debug, Args)]
pub struct HoldArguments {
    #[command(subcommand)]
    command: HoldCommand,
}

#[derive(Debug, Subcommand)]
enum HoldCommand {
    /// Held records by cause.
    List,
    /// The records of one cause.
    Show {
        /// The cause, as `hold list` shows it.
        cause: String,
    },
    /// Answers one held record, where the fix is a decision.
    Answer {
        /// The flow.
        flow: FlowName,
        /// The record's id in the source: of an order in the shop, of an item or a shipment in the ERP.
        record: String,
        /// What to do.
        #[arg(value_enum)]
        answer: Answer,
    },
    /// Decides everything with this cause again.
    Resume {
        /// The cause, as `hold list` shows it.
        cause: String,
    },
}

/// What a person can say to a held record.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Answer {
    /// Write what is proposed.
    Apply,
    /// Leave the ERP as it is, and be content with it.
    Keep,
    /// Make again what was deleted in the ERP.
    CreateAgain,
}

impl From<Answer> for Verdict {
    fn from(answer: Answer) -> Verdict {
        match answer {
            Answer::Apply => Verdict::Apply,
            Answer::Keep => Verdict::Keep,
            Answer::CreateAgain => Verdict::CreateAgain,
        }
    }
}

/// One cause and what it holds.
#[derive(Debug, Serialize)]
pub struct Held {
    pub cause: String,
    count: u64,
    fix: String,
    pub records: Vec<String>,
}

/// Everything held, by cause.
pub async fn list(workspace: &Workspace, language: Language) -> Result<Vec<Held>, Failure> {
    let mut held = Vec::new();
    for group in workspace.store.holds().await? {
        let records = workspace
            .store
            .held(&group.cause, 10_000)
            .await?
            .into_iter()
            .map(|row| row.src.to_string())
            .collect();
        held.push(Held {
            fix: fix(&group.cause, language),
            count: group.count,
            cause: group.cause,
            records,
        });
    }
    Ok(held)
}

/// Runs the command.
pub async fn run(context: &Context, arguments: HoldArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    match arguments.command {
        HoldCommand::List => {
            let held = list(&workspace, context.language).await?;
            if context.json {
                out::json(&held);
            } else {
                show(context, &held);
            }
        }
        HoldCommand::Show { cause } => {
            let rows = workspace.store.held(&cause, 10_000).await?;
            let records: Vec<String> = rows
                .iter()
                .map(|row| format!("{} {} {}", row.flow, row.kind, row.src))
                .collect();
            if context.json {
                out::json(&records);
            } else {
                records.iter().for_each(out::line);
            }
        }
        HoldCommand::Answer {
            flow,
            record,
            answer,
        } => {
            let id = RemoteId(record);
            let config = workspace.config.flows.get(&flow);
            let kind = config.ok_or_else(|| Failure::no_flow(&flow))?.kind;
            let known = workspace
                .store
                .work(&flow, kind, std::slice::from_ref(&id))
                .await?;
            if known
                .get(&id)
                .is_none_or(|work| work.state != WorkState::Held)
            {
                let text =
                    context.either("This record is not held.", "Cette fiche n'est pas retenue.");
                return Err(Failure::new(exit::FINDINGS, text));
            }
            let verdict = Verdict::from(answer).as_str();
            workspace.store.approve(&flow, kind, &[id], verdict).await?;
            out::line(context.either("answered", "répondu"));
        }
        HoldCommand::Resume { cause } => {
            let woken = workspace.store.resume(&cause).await?;
            if context.json {
                out::json(&serde_json::json!({ "resumed": woken }));
            } else {
                out::line(format!(
                    "{} {woken}",
                    context.either("resumed:", "repris :")
                ));
            }
        }
    }
    Ok(exit::OK)
}

fn show(context: &Context, held: &[Held]) {
    if held.is_empty() {
        out::line(context.either("Nothing is held.", "Rien n'est retenu."));
    }
    for group in held {
        out::line(format!("{:>6}  {}", group.count, group.cause));
        out::line(format!("        {}", group.fix));
    }
}
