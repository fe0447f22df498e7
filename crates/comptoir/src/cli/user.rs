//! `user`: who may sign in to the console.

use super::Context;
use crate::exit::{self, Failure};
use crate::workspace::{Role as Opened, Workspace};
use crate::{console, out};
use clap::{Args, Subcommand};
use comptoir_model::code::{Code, Language};
use comptoir_store::{Person, Role};
use std::io::{BufRead as _, IsTerminal as _};

#[derive(Debug, Args)]
pub struct UserArguments {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Adds a user; the password is typed, or read from stdin.
    Add {
        /// Small letters, digits, dots and hyphens.
        name: String,
        /// What the user may do.
        #[arg(long, value_enum, default_value_t = RoleWord::Operator)]
        role: RoleWord,
    },
    /// The users.
    List,
    /// Sets a new password and signs the user out everywhere.
    Passwd {
        /// The user.
        name: String,
    },
    /// Gives a user another role.
    Role {
        /// The user.
        name: String,
        /// What the user may do.
        #[arg(value_enum)]
        role: RoleWord,
    },
    /// Lets a user in no more, and signs the user out everywhere.
    Disable {
        /// The user.
        name: String,
    },
    /// Lets a user in again.
    Enable {
        /// The user.
        name: String,
    },
}

/// A role on the command line.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum RoleWord {
    /// Looks, with personal data masked.
    Viewer,
    /// Also answers, resumes, pauses and fills tables.
    Operator,
    /// Also makes users and tokens.
    Admin,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Role {
        match word {
            RoleWord::Viewer => Role::Viewer,
            RoleWord::Operator => Role::Operator,
            RoleWord::Admin => Role::Admin,
        }
    }
}

/// A failure that its code says all about.
fn refused(code: Code) -> Failure {
    let text = |language| format!("{} [{code}]", code.title(language));
    Failure {
        exit: exit::FINDINGS,
        code: Some(code),
        text: text(Language::English),
        french: Some(text(Language::French)),
    }
}

/// Runs the command.
pub async fn run(context: &Context, arguments: UserArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Opened::Beside).await?;
    let store = &workspace.store;
    let (what, name, done) = match arguments.command {
        UserCommand::List => return list(context, &workspace).await,
        UserCommand::Add { name, role } => {
            if !console::is_name(&name) {
                return Err(refused(Code::BadRequest));
            }
            let person = Person {
                password: new_password(context, &name)?,
                role: role.into(),
                disabled: false,
                made_at: store.now().await?,
                made_by: "cli".to_owned(),
                seen_at: None,
                name: name.clone(),
            };
            if !store.add_person(&person).await? {
                return Err(refused(Code::NameTaken));
            }
            ("user-add", format!("{name} ({})", person.role), true)
        }
        UserCommand::Passwd { name } => {
            let hash = new_password(context, &name)?;
            let done = store.set_password(&name, &hash).await?;
            ("password", name, done)
        }
        UserCommand::Role { name, role } => {
            let done = store.set_role(&name, role.into()).await?;
            ("user-role", name, done)
        }
        UserCommand::Disable { name } => {
            let done = store.set_disabled(&name, true).await?;
            ("user-disable", name, done)
        }
        UserCommand::Enable { name } => {
            let done = store.set_disabled(&name, false).await?;
            ("user-enable", name, done)
        }
    };
    if !done {
        let text = context.either("There is no such user.", "Ce compte n'existe pas.");
        return Err(Failure::new(exit::FINDINGS, text));
    }
    store.audit("cli", what, &name, "").await?;
    if context.json {
        out::json(&serde_json::json!({ "done": what, "user": name }));
    } else {
        out::line(format!("{} {name}", context.either("done:", "fait :")));
    }
    Ok(exit::OK)
}

/// Asks for a password, twice at a terminal, and hashes it.
fn new_password(context: &Context, name: &str) -> Result<String, Failure> {
    let prompt = context.either("New password: ", "Nouveau mot de passe : ");
    let typed = if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password(prompt)?;
        let again = context.either("Once more: ", "Encore une fois : ");
        if rpassword::prompt_password(again)? != first {
            let text = context.either(
                "The two are not the same; nothing was changed.",
                "Les deux ne sont pas identiques ; rien n'a été changé.",
            );
            return Err(Failure::new(exit::FINDINGS, text));
        }
        first
    } else {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if !console::is_strong(name, &typed) {
        return Err(refused(Code::WeakPassword));
    }
    console::hash_password(&typed).ok_or_else(|| refused(Code::StoreBroken))
}

async fn list(context: &Context, workspace: &Workspace) -> Result<u8, Failure> {
    let people = workspace.store.people().await?;
    if context.json {
        let rows = people.iter().map(|person| {
            serde_json::json!({
                "name": person.name,
                "role": person.role.as_str(),
                "disabled": person.disabled,
                "made_at": person.made_at,
                "made_by": person.made_by,
                "seen_at": person.seen_at,
            })
        });
        out::json(&rows.collect::<Vec<_>>());
        return Ok(exit::OK);
    }
    if people.is_empty() {
        out::line(context.either("There is no user yet.", "Il n'y a pas encore de compte."));
    }
    for person in people {
        let disabled = match person.disabled {
            true => context.either("  (may not sign in)", "  (accès coupé)"),
            false => "",
        };
        out::line(format!("{:<20} {}{disabled}", person.name, person.role));
    }
    Ok(exit::OK)
}
