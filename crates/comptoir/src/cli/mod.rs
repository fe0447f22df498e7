//! The command line. One file per command; what they share is the workspace and the language.

mod adopt;
mod check;
mod configuration;
mod connector;
mod demo;
mod explain;
mod help;
mod hold;
mod init;
mod pause;
mod plan;
mod reconcile;
mod schema;
mod secret;
mod serve;
mod sim;
mod status;
mod sync;
mod tape;
mod token;
mod user;

pub use serve::process_has_ended;

use crate::exit::Failure;
use crate::words;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use comptoir_engine::retry::{self, Patience};
use comptoir_model::code::Language;
use comptoir_model::fault::Fault;
use std::io::IsTerminal;
use std::path::PathBuf;

/// A self-hosted hub between online shops and ERPs.
#[derive(Debug, Parser)]
#[command(name = "comptoir", version, about, max_term_width = 110)]
pub struct Arguments {
    /// The folder with comptoir.toml, connections/, flows/ and tables/.
    #[arg(long, global = true, default_value = ".", value_name = "DIR")]
    pub workspace: PathBuf,
    /// Answers as JSON on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// More talk on stderr; twice for every call.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A shop and an ERP that are simulated, 500 orders with every trap, faults on: see that both sides agree.
    Demo(demo::DemoArguments),
    /// Simulators of a shop and an ERP as a process of their own.
    Sim(sim::SimArguments),
    /// Makes a commented workspace.
    Init(init::InitArguments),
    /// Tests the connections and audits the data; one list to fix.
    Check,
    /// Shows what would be written, and writes nothing.
    Plan(plan::PlanArguments),
    /// Carries out a plan.
    Apply(plan::ApplyArguments),
    /// Runs the hub.
    Serve(serve::ServeArguments),
    /// Where everything stands.
    Status,
    /// Why a record is as it is.
    Explain(explain::ExplainArguments),
    /// Compares both sides, record by record, and repairs what may be repaired when told to.
    Reconcile(reconcile::ReconcileArguments),
    /// What needs a person.
    Hold(hold::HoldArguments),
    /// Stops writing: everywhere, to a connection, or by a flow. Reading goes on and nothing is lost.
    Pause(pause::PauseArguments),
    /// Lets what was paused go on.
    Resume(pause::GoOnArguments),
    /// Looks at records now: some by id, those of a span of time, or everything.
    Sync(sync::SyncArguments),
    /// Links what the ERP already holds.
    Adopt(adopt::AdoptArguments),
    /// Revisions of the configuration.
    Config(configuration::ConfigArguments),
    /// Sealed secrets.
    Secret(secret::SecretArguments),
    /// Who may sign in to the console.
    User(user::UserArguments),
    /// Tokens of the API.
    Token(token::TokenArguments),
    /// JSON Schemas of documents, policies and connections.
    Schema(schema::SchemaArguments),
    /// The connectors there are, and the files of a new one.
    Connector(connector::ConnectorArguments),
    /// Recorded answers of a system, for the tests of its connector.
    Tape(tape::TapeArguments),
}

impl Arguments {
    /// Reads the command line. Help and usage errors are printed, and end the program.
    pub fn of_the_command_line() -> Self {
        let command = match words::language(|name| std::env::var(name).ok()) {
            Language::English => Arguments::command(),
            Language::French => help::in_french(Arguments::command()),
        };
        let read = Arguments::from_arg_matches(&command.get_matches());
        read.unwrap_or_else(|error| error.exit())
    }
}

/// What every command knows.
#[derive(Debug, Clone)]
pub struct Context {
    /// The workspace folder.
    pub dir: PathBuf,
    /// Data as JSON.
    pub json: bool,
    /// The language of texts.
    pub language: Language,
}

impl Context {
    /// One of two texts, by language.
    pub fn either<'a>(&self, english: &'a str, french: &'a str) -> &'a str {
        words::either(self.language, english, french)
    }
}

/// Reads from a system, and again after a passing fault: whoever typed the command would only type it once more.
async fn patiently<T, F: Future<Output = Result<T, Fault>>>(
    once: impl Fn() -> F,
) -> Result<T, Fault> {
    let patience = Patience {
        first_ms: 500,
        ..Patience::default()
    };
    retry::read(&patience, once).await
}

/// Sets up logging to stderr. `COMPTOIR_LOG` overrides the level. Who runs `serve` is told of pauses and their ends without asking.
pub fn log(arguments: &Arguments) {
    let serves = matches!(arguments.command, Command::Serve(_));
    let level = match arguments.verbose.max(u8::from(serves)) {
        0 => "error",
        1 => "comptoir=info,comptoir_engine=info,warn",
        _ => "comptoir=debug,comptoir_engine=debug,comptoir_kit=debug,info",
    };
    let filter = std::env::var("COMPTOIR_LOG").unwrap_or_else(|_| level.to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Runs a command; the answer is the exit code.
pub async fn run(arguments: Arguments) -> Result<u8, Failure> {
    let context = Context {
        dir: arguments.workspace,
        json: arguments.json,
        language: words::language(|name| std::env::var(name).ok()),
    };
    match arguments.command {
        Command::Demo(arguments) => demo::run(&context, arguments).await,
        Command::Sim(arguments) => sim::run(&context, arguments).await,
        Command::Init(arguments) => init::run(&context, arguments),
        Command::Check => check::run(&context).await,
        Command::Plan(arguments) => plan::plan(&context, arguments).await,
        Command::Apply(arguments) => plan::apply(&context, arguments).await,
        Command::Serve(arguments) => serve::run(&context, arguments).await,
        Command::Status => status::run(&context).await,
        Command::Reconcile(arguments) => reconcile::run(&context, arguments).await,
        Command::Explain(arguments) => explain::run(&context, arguments).await,
        Command::Hold(arguments) => hold::run(&context, arguments).await,
        Command::Pause(arguments) => pause::pause(&context, arguments).await,
        Command::Resume(arguments) => pause::resume(&context, arguments).await,
        Command::Token(arguments) => token::run(&context, arguments).await,
        Command::User(arguments) => user::run(&context, arguments).await,
        Command::Sync(arguments) => sync::run(&context, arguments).await,
        Command::Adopt(arguments) => adopt::run(&context, arguments).await,
        Command::Config(arguments) => configuration::run(&context, arguments).await,
        Command::Schema(arguments) => schema::run(&context, arguments),
        Command::Connector(arguments) => connector::run(&context, arguments),
        Command::Tape(arguments) => tape::run(&context, arguments).await,
        Command::Secret(arguments) => secret::run(&context, arguments).await,
    }
}
