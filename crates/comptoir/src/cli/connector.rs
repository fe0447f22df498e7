//! `connector`: the connectors there are, their pages, and the files of a new one.

mod scaffold;

use super::Context;
use crate::exit::{self, Failure};
use crate::out;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct ConnectorArguments {
    #[command(subcommand)]
    command: ConnectorCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    /// Makes the files of a new connector in Comptoir's source tree. They compile and keep the contract on stub tapes.
    New {
        /// The word in configuration: lower-case letters, digits and hyphens.
        name: String,
        /// The system's own name; without it, made of the word.
        #[arg(long)]
        title: Option<String>,
        /// Comptoir's source tree, or a folder in it.
        #[arg(long, default_value = ".", value_name = "DIR")]
        tree: PathBuf,
    },
}

/// Runs the command.
pub fn run(context: &Context, arguments: ConnectorArguments) -> Result<u8, Failure> {
    match arguments.command {
        ConnectorCommand::New { name, title, tree } => new(context, &name, title, &tree),
    }
}

fn new(
    context: &Context,
    name: &str,
    title: Option<String>,
    tree: &std::path::Path,
) -> Result<u8, Failure> {
    let made = scaffold::make(tree, name, title)?;
    if context.json {
        out::json(&made.files);
        return Ok(exit::OK);
    }
    made.files.iter().for_each(out::line);
    let folder = &made.module;
    out::talk(context.either(
        "It follows an API that was made up, on tapes that are stubs. Next, at the root of the tree:",
        "Il suit une API inventée, sur des bandes de remplacement. Ensuite, à la racine de l'arborescence :",
    ));
    for (command, english, french) in [
        (
            format!("cargo test -p comptoir-connectors {folder}::"),
            "it keeps the contract as it is",
            "il respecte le contrat tel quel",
        ),
        (
            "cargo run -p comptoir -- connector pages".to_owned(),
            "its page in docs/connectors; again whenever its spec changes",
            "sa page dans docs/connectors ; à refaire dès que sa description change",
        ),
    ] {
        out::talk(format!(
            "  {command:<50} {}",
            context.either(english, french)
        ));
    }
    out::talk(context.either(
        "Then CONTRIBUTING.md, \"A connector in an afternoon\": make it speak the real API, and record real tapes.",
        "Puis CONTRIBUTING.md, « A connector in an afternoon » : lui faire parler la vraie API, et enregistrer de vraies bandes.",
    ));
    Ok(exit::OK)
}
