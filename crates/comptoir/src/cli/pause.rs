//! `pause` and `resume`: stops writing, everywhere, to a connection or by a flow, until a person lets it go on.

use super::Context;
use crate::config::Problem;
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace};
use clap::Args;
use comptoir_model::code::Code;
use comptoir_model::key::{ConnectionName, FlowName};
use comptoir_store::Scope;

#[derive(Debug, Args)]
pub struct PauseArguments {
    /// A flow or a connection; everything without it.
    name: Option<String>,
    /// Why, for the log.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub struct GoOnArguments {
    /// A flow or a connection; everything without it.
    name: Option<String>,
}

/// The flow or connection of this name.
fn scope(workspace: &Workspace, name: Option<&str>) -> Result<Scope, Failure> {
    let Some(name) = name else {
        return Ok(Scope::All);
    };
    let config = &workspace.config;
    let flow = name.parse::<FlowName>().ok();
    if let Some(flow) = flow.filter(|flow| config.flows.contains_key(flow)) {
        return Ok(Scope::Flow(flow));
    }
    let connection = name.parse::<ConnectionName>().ok();
    if let Some(connection) = connection.filter(|name| config.connections.contains_key(name)) {
        return Ok(Scope::Connection(connection));
    }
    let flows = config.flows.keys().map(FlowName::as_str);
    let known = flows.chain(config.connections.keys().map(ConnectionName::as_str));
    let problem = Problem::new(
        Code::UnknownName,
        format!("there is no flow or connection `{name}`"),
        format!("il n'y a ni flux ni connexion `{name}`"),
    );
    Err(problem.suggest(name, known).into())
}

/// Runs `pause`.
pub async fn pause(context: &Context, arguments: PauseArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let scope = scope(&workspace, arguments.name.as_deref())?;
    let who = std::env::var("USER").unwrap_or_else(|_| "cli".to_owned());
    workspace.store.halt(&scope, &who, &arguments.why).await?;
    let about = scope.to_string();
    workspace
        .store
        .audit(&who, "pause", &about, &arguments.why)
        .await?;
    say(context, &scope, context.either("paused:", "suspendu :"));
    Ok(exit::OK)
}

/// Runs `resume`.
pub async fn resume(context: &Context, arguments: GoOnArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let scope = scope(&workspace, arguments.name.as_deref())?;
    if !workspace.store.unhalt(&scope).await? {
        let text = context.either("It was not paused.", "Ce n'était pas suspendu.");
        return Err(Failure::new(exit::FINDINGS, text));
    }
    let who = std::env::var("USER").unwrap_or_else(|_| "cli".to_owned());
    let about = scope.to_string();
    workspace
        .store
        .audit(&who, "resume-writing", &about, "")
        .await?;
    say(context, &scope, context.either("resumed:", "repris :"));
    Ok(exit::OK)
}

fn say(context: &Context, scope: &Scope, what: &str) {
    if context.json {
        out::json(&serde_json::json!({ "scope": scope.to_string() }));
    } else {
        let all = context.either("everything", "tout").to_owned();
        let name = match scope {
            Scope::All => all,
            Scope::Connection(name) => name.to_string(),
            Scope::Flow(name) => name.to_string(),
        };
        out::line(format!("{what} {name}"));
    }
}
