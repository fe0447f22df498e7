//! `token`: who may call the API.

use super::Context;
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace};
use crate::{api, console, out};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use comptoir_model::code::{Code, Language};
use comptoir_store::Token;

#[derive(Debug, Args)]
pub struct TokenArguments {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Makes a token and shows it, this once.
    Add {
        /// What it is for.
        name: String,
        /// What it may do; several times for several.
        #[arg(long = "scope", required = true, value_parser = scopes())]
        scopes: Vec<String>,
        /// After so many days it ends.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
    },
    /// The tokens.
    List,
    /// Ends a token at once.
    Remove {
        /// Its name.
        name: String,
    },
}

fn scopes() -> PossibleValuesParser {
    PossibleValuesParser::new(api::SCOPES.map(|(name, _)| name))
}

/// Runs the command.
pub async fn run(context: &Context, arguments: TokenArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let store = &workspace.store;
    match arguments.command {
        TokenCommand::Add { name, scopes, days } => {
            let secret = format!("cmp_{}", console::new_secret());
            let now = store.now().await?;
            let token = Token {
                name: name.clone(),
                scopes,
                until: days.map(|days| now + i64::from(days) * 86_400_000),
                made_at: now,
                made_by: "cli".to_owned(),
                used_at: None,
            };
            if !store.add_token(&token, &console::kept(&secret)).await? {
                let title =
                    |language| format!("{} [{}]", Code::NameTaken.title(language), Code::NameTaken);
                return Err(Failure {
                    exit: exit::FINDINGS,
                    code: Some(Code::NameTaken),
                    text: title(Language::English),
                    french: Some(title(Language::French)),
                });
            }
            store.audit("cli", "token-add", &name, "").await?;
            if context.json {
                out::json(&serde_json::json!({ "name": name, "token": secret }));
            } else {
                out::talk(context.either(
                    "Keep it; it is shown this once:",
                    "À garder ; il ne s'affiche qu'une fois :",
                ));
                out::line(secret);
            }
        }
        TokenCommand::List => list(context, &store.tokens().await?),
        TokenCommand::Remove { name } => {
            if !store.remove_token(&name).await? {
                let text = context.either("There is no such token.", "Ce jeton n'existe pas.");
                return Err(Failure::new(exit::FINDINGS, text));
            }
            store.audit("cli", "token-remove", &name, "").await?;
            out::line(format!("{} {name}", context.either("ended:", "terminé :")));
        }
    }
    Ok(exit::OK)
}

fn list(context: &Context, tokens: &[Token]) {
    let time = |ms: i64| {
        jiff::Timestamp::from_millisecond(ms)
            .map(|at| at.to_string())
            .unwrap_or_default()
    };
    if context.json {
        let rows = tokens.iter().map(|token| {
            serde_json::json!({
                "name": token.name, "scopes": token.scopes, "until": token.until.map(time),
                "made_at": time(token.made_at), "made_by": token.made_by, "used_at": token.used_at.map(time),
            })
        });
        return out::json(&rows.collect::<Vec<_>>());
    }
    if tokens.is_empty() {
        out::line(context.either("There is no token.", "Il n'y a pas de jeton."));
    }
    for token in tokens {
        let until = token
            .until
            .map_or_else(String::new, |until| format!("  → {}", time(until)));
        out::line(format!(
            "{:<20} {}{until}",
            token.name,
            token.scopes.join(" ")
        ));
    }
}
