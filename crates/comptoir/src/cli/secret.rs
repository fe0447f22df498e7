//! `secret`: secrets sealed in the store. They are written, never shown.

use super::Context;
use crate::exit::{self, Failure};
use crate::out;
use crate::secrets::{EnvFile, MASTER_KEY, master_key};
use crate::workspace::{Role, Workspace};
use clap::{Args, Subcommand};
use std::io::Read;

#[derive(Debug, Args)]
pub struct SecretArguments {
    #[command(subcommand)]
    command: SecretCommand,
}

#[derive(Debug, Subcommand)]
enum SecretCommand {
    /// Seals the text on stdin under a name. The one before stays live for a day, so that a rotation loses nothing.
    Set {
        /// The name, as `${NAME}` in the configuration.
        name: String,
    },
    /// The names.
    List,
    /// Deletes all values of a name.
    Delete {
        /// The name.
        name: String,
    },
}

const LARGEST_SECRET: u64 = 64 * 1024;

/// Runs the command.
pub async fn run(context: &Context, arguments: SecretArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let store = &workspace.store;
    match arguments.command {
        SecretCommand::Set { name } => {
            let master = master_key(&EnvFile::read(&context.dir)?)?.ok_or_else(|| {
                Failure::new(
                    exit::CONFIGURATION,
                    format!("{MASTER_KEY} is not set: it seals the secrets"),
                )
            })?;
            let mut text = String::new();
            std::io::stdin()
                .take(LARGEST_SECRET)
                .read_to_string(&mut text)?;
            store
                .put_secret(&master, &name, text.trim_end_matches(['\r', '\n']))
                .await?;
        }
        SecretCommand::List => {
            let names = store.secret_names().await?;
            if context.json {
                out::json(&names);
            } else {
                names.iter().for_each(out::line);
            }
        }
        SecretCommand::Delete { name } => {
            store.delete_secret(&name).await?;
        }
    }
    Ok(exit::OK)
}
