//! `config`: check, push, pull, diff and rollback of revisions.

use super::Context;
use crate::config::{self, Files};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace};
use crate::{fit, out};
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct ConfigArguments {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Reads the files and names every problem.
    Check,
    /// Makes the files the next revision.
    Push {
        /// The revision the files were made from; refused when another has become the head since. Without it: the head.
        #[arg(long)]
        parent: Option<i64>,
    },
    /// Writes the head revision into the files.
    Pull,
    /// What the files say otherwise than the head.
    Diff,
    /// Makes an old revision the head again.
    Rollback {
        /// Its number.
        revision: i64,
    },
}

/// Runs the command.
pub async fn run(context: &Context, arguments: ConfigArguments) -> Result<u8, Failure> {
    if matches!(arguments.command, ConfigCommand::Check) {
        let files = config::read(&context.dir)?;
        let config = config::parse(&files)?;
        let counts = (config.connections.len(), config.flows.len());
        if context.json {
            out::json(&serde_json::json!({"connections": counts.0, "flows": counts.1}));
        } else {
            let text = context.either(
                "The configuration is sound:",
                "La configuration est saine :",
            );
            out::line(format!(
                "{text} {} connections, {} flows",
                counts.0, counts.1
            ));
        }
        return Ok(exit::OK);
    }
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let head = workspace.store.head().await?;
    let author = std::env::var("USER").unwrap_or_else(|_| "cli".to_owned());
    let number = match arguments.command {
        ConfigCommand::Check => head,
        ConfigCommand::Push { parent } => {
            let files = config::read(&context.dir)?;
            refuse_misfits(&workspace, &files).await?;
            let parent = parent.or(head);
            Some(
                workspace
                    .store
                    .push_revision(parent, &author, files)
                    .await?,
            )
        }
        ConfigCommand::Pull => {
            config::write(&context.dir, &head_files(&workspace, head).await?)?;
            head
        }
        ConfigCommand::Diff => {
            return diff(context, &head_files(&workspace, head).await?);
        }
        ConfigCommand::Rollback { revision } => {
            workspace.store.set_head(revision, head).await?;
            Some(revision)
        }
    };
    if context.json {
        out::json(&serde_json::json!({ "head": number }));
    } else {
        out::line(format!(
            "{} {}",
            context.either("head revision:", "révision courante :"),
            number.unwrap_or(0)
        ));
    }
    Ok(exit::OK)
}

/// Refuses files whose rules name what their target does not have.
async fn refuse_misfits(workspace: &Workspace, files: &Files) -> Result<(), Failure> {
    let next = Workspace {
        dir: workspace.dir.clone(),
        config: config::parse(files)?,
        files: files.clone(),
        revision: workspace.revision,
        store: workspace.store.clone(),
    };
    // A secret that is known to `serve` only is no reason to refuse: what the last probe found counts then.
    let connections = next.connections().await.unwrap_or_default();
    let misfits = fit::misfits(&next, files, &connections).await?;
    if misfits.is_empty() {
        Ok(())
    } else {
        Err(misfits.into())
    }
}

async fn head_files(workspace: &Workspace, head: Option<i64>) -> Result<Files, Failure> {
    let Some(head) = head else {
        return Ok(Files::new());
    };
    Ok(workspace
        .store
        .revision(head)
        .await?
        .map(|row| row.files)
        .unwrap_or_default())
}

/// Line by line per file: enough to see what a push would change.
fn diff(context: &Context, head: &Files) -> Result<u8, Failure> {
    let files = config::read(&context.dir)?;
    let mut changes = Vec::new();
    let names: std::collections::BTreeSet<&String> = head.keys().chain(files.keys()).collect();
    for name in names {
        let before: Vec<&str> = head
            .get(name)
            .map_or(Vec::new(), |text| text.lines().collect());
        let after: Vec<&str> = files
            .get(name)
            .map_or(Vec::new(), |text| text.lines().collect());
        let removed = before.iter().filter(|line| !after.contains(line));
        let added = after.iter().filter(|line| !before.contains(line));
        changes.extend(removed.map(|line| (name.clone(), '-', (*line).to_owned())));
        changes.extend(added.map(|line| (name.clone(), '+', (*line).to_owned())));
    }
    if context.json {
        out::json(&changes);
    } else {
        for (name, sign, line) in &changes {
            out::line(format!("{name}: {sign} {line}"));
        }
    }
    Ok(if changes.is_empty() {
        exit::OK
    } else {
        exit::FINDINGS
    })
}
