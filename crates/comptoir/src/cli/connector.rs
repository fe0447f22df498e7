//! `connector`: the connectors there are, their pages, and the files of a new one.

mod page;
mod scaffold;
pub mod setting;

use super::Context;
use crate::exit::{self, Failure};
use crate::{out, workspace};
use clap::{Args, Subcommand};
use comptoir_connectors::{ALL, READMES};
use comptoir_kit::spec::Spec;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub struct ConnectorArguments {
    #[command(subcommand)]
    command: ConnectorCommand,
}

#[derive(Debug, Subcommand)]
enum ConnectorCommand {
    /// Every connector: how far verified, what it reads and writes.
    List,
    /// The page of one: abilities, set-up with the exact rights, settings, known limits.
    Show {
        /// The connector.
        connector: String,
    },
    /// Writes the pages of docs/connectors anew, from the connectors themselves.
    Pages {
        /// The folder of the pages.
        #[arg(long, default_value = "docs/connectors", value_name = "DIR")]
        into: PathBuf,
    },
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
        ConnectorCommand::List => list(context),
        ConnectorCommand::Show { connector } => return show(context, &connector),
        ConnectorCommand::Pages { into } => return pages(context, &into),
        ConnectorCommand::New { name, title, tree } => {
            return new(context, &name, title, &tree);
        }
    }
    Ok(exit::OK)
}

fn list(context: &Context) {
    let language = context.language;
    if context.json {
        let all: Vec<Value> = ALL.iter().map(|spec| as_json(spec)).collect();
        return out::json(&all);
    }
    let head = match context.either("en", "fr") {
        "en" => ["NAME", "SYSTEM", "VERIFIED", "READS", "WRITES"],
        _ => ["NOM", "SYSTÈME", "VÉRIFIÉ", "LIT", "ÉCRIT"],
    };
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(ALL.iter().map(|spec| {
        [
            spec.name.to_owned(),
            spec.title.to_owned(),
            page::level_word(spec.level).to_owned(),
            page::read_kinds(spec, language),
            page::written_kinds(spec, language),
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..4).map(|column| width(column).unwrap_or(0)).collect();
    for row in &rows {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let width = widths.get(at).copied().unwrap_or(0);
            format!("{cell:<width$}")
        });
        out::line(cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn show(context: &Context, name: &str) -> Result<u8, Failure> {
    let spec = workspace::spec(name)?;
    if context.json {
        let mut shown = as_json(spec);
        shown["settings"] = (spec.settings)().to_value();
        shown["setup"] = context.either(spec.setup, spec.setup_fr).into();
        out::json(&shown);
    } else {
        out::line(format!("# {}\n\n{}\n", spec.title, spec.summary));
        out::line(page::alone(spec, readme(spec), context.language).trim_end());
    }
    Ok(exit::OK)
}

fn as_json(spec: &Spec) -> Value {
    json!({
        "name": spec.name,
        "title": spec.title,
        "summary": spec.summary,
        "level": spec.level,
        "capabilities": spec.capabilities,
    })
}

fn readme(spec: &Spec) -> &'static str {
    let at = ALL.iter().position(|other| other.name == spec.name);
    at.and_then(|at| READMES.get(at))
        .copied()
        .unwrap_or_default()
}

fn pages(context: &Context, into: &Path) -> Result<u8, Failure> {
    if !into.is_dir() {
        let into = into.display();
        return Err(Failure {
            french: Some(format!(
                "il n'y a pas de dossier {into} ; lancer ceci à la racine de l'arborescence de Comptoir, ou nommer un dossier avec --into"
            )),
            ..Failure::new(
                exit::CONFIGURATION,
                format!(
                    "there is no folder {into}; run this at the root of Comptoir's source tree, or name a folder with --into"
                ),
            )
        });
    }
    let mut pages = BTreeMap::from([("README.md".to_owned(), page::index(ALL))]);
    for spec in ALL {
        pages.insert(format!("{}.md", spec.name), page::whole(spec, readme(spec)));
    }
    // Pages of connectors that are there no more; what someone wrote by hand stays.
    for entry in std::fs::read_dir(into)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let ours = std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(page::MARK));
        if ours && !pages.contains_key(&name) {
            std::fs::remove_file(&path)?;
        }
    }
    for (name, text) in &pages {
        std::fs::write(into.join(name), text)?;
    }
    let names: Vec<&String> = pages.keys().collect();
    if context.json {
        out::json(&names);
    } else {
        names
            .iter()
            .for_each(|name| out::line(into.join(name).display().to_string()));
    }
    Ok(exit::OK)
}

fn new(context: &Context, name: &str, title: Option<String>, tree: &Path) -> Result<u8, Failure> {
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
