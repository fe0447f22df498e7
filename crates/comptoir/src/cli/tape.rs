//! `tape`: records what a configured system answers, for the tests of its connector. It only reads.

use super::{Context, patiently};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace};
use crate::{out, words};
use clap::{Args, Subcommand};
use comptoir_kit::tape::{Recorded, Recording, Replaced};
use comptoir_model::fault::Fault;
use comptoir_model::key::{ConnectionName, Kind, RemoteId};
use comptoir_model::port::{Capabilities, Connector, Cursor, Reads};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct TapeArguments {
    #[command(subcommand)]
    command: TapeCommand,
}

#[derive(Debug, Subcommand)]
enum TapeCommand {
    /// Records the test of a connection, pages of changes and reads by id, cleaned of secrets and personal data. Writes nothing to the system.
    Record(RecordArguments),
}

#[derive(Debug, Args)]
struct RecordArguments {
    /// The connection.
    connection: ConnectionName,
    /// The folder for the tapes.
    #[arg(long, value_name = "DIR")]
    into: PathBuf,
    /// Only this kind of records, such as order; several times for several kinds.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Vec<Kind>,
    /// Pages of changes of each kind.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pages: u32,
    /// Changes since this instant, such as 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
}

/// Records read again by id, at most: enough to see how such an answer looks.
const BY_ID: usize = 3;

/// One thing that was asked for.
#[derive(Debug, Serialize)]
struct Asked {
    what: String,
    exchanges: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

#[derive(Debug, Serialize)]
struct Report {
    folder: PathBuf,
    asked: Vec<Asked>,
    files: Vec<String>,
    replaced: BTreeMap<Replaced, usize>,
}

/// A kind by its word.
fn kind(text: &str) -> Result<Kind, String> {
    let known = Kind::ALL.map(|kind| kind.to_string());
    let found = Kind::ALL.into_iter().find(|kind| kind.to_string() == text);
    found.ok_or_else(|| known.join(", "))
}

/// Runs the command.
pub async fn run(context: &Context, arguments: TapeArguments) -> Result<u8, Failure> {
    let TapeCommand::Record(arguments) = arguments.command;
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let name = &arguments.connection;
    let (_, spec) = workspace.connection(name)?;
    let reads = readable(spec.capabilities, &arguments.kind, name)?;
    let recording = Recording::into_folder(&arguments.into)?;
    let connection = workspace.recorded(name, &recording).await?;
    let mut session = Session {
        context,
        connector: &*connection.connector,
        recording: &recording,
        asked: Vec::new(),
    };
    session.record(&reads, &arguments).await;
    let asked = session.asked;
    let Recorded { files, replaced } = recording.finish()?;
    let report = Report {
        folder: arguments.into,
        asked,
        files,
        replaced,
    };
    show(context, &report);
    let failed = report.asked.iter().any(|asked| asked.fault.is_some());
    Ok(if failed { exit::FINDINGS } else { exit::OK })
}

/// What the connector reads of the kinds that are wanted; all of them when none is named.
fn readable(
    capabilities: &'static Capabilities,
    kinds: &[Kind],
    name: &ConnectionName,
) -> Result<Vec<&'static Reads>, Failure> {
    let all = capabilities.reads;
    if let Some(other) = kinds
        .iter()
        .find(|kind| !all.iter().any(|reads| reads.kind == **kind))
    {
        let known: Vec<String> = all.iter().map(|reads| reads.kind.to_string()).collect();
        let known = known.join(", ");
        return Err(Failure {
            french: Some(format!("`{name}` ne lit pas `{other}` ; il lit {known}")),
            ..Failure::new(
                exit::USAGE,
                format!("`{name}` does not read `{other}`; it reads {known}"),
            )
        });
    }
    let wanted = all
        .iter()
        .filter(|reads| kinds.is_empty() || kinds.contains(&reads.kind));
    Ok(wanted.collect())
}

/// A recording under way.
struct Session<'a> {
    context: &'a Context,
    connector: &'a dyn Connector,
    recording: &'a Recording,
    asked: Vec<Asked>,
}

impl Session<'_> {
    async fn record(&mut self, reads: &[&'static Reads], arguments: &RecordArguments) {
        let before = self.recording.exchanges();
        let probed = patiently(|| self.connector.probe()).await;
        self.note("probe".to_owned(), before, probed.err());
        // Ids that documents of one kind tell of another that has no list of its own.
        let mut mentioned: Vec<RemoteId> = Vec::new();
        for reads in reads {
            let kind = reads.kind;
            let mut ids = Vec::new();
            if reads.changes {
                ids = self.pages(kind, arguments, &mut mentioned).await;
            } else if kind == Kind::Refund {
                ids.append(&mut mentioned);
            }
            ids.truncate(BY_ID.min(reads.ids));
            if ids.is_empty() {
                if !reads.changes {
                    out::talk(format!(
                        "  {kind}: {}",
                        self.context.either("nothing names any", "rien n'en nomme")
                    ));
                }
                continue;
            }
            let before = self.recording.exchanges();
            let read = patiently(|| self.connector.read(kind, &ids)).await;
            let what = format!("{kind}: {}", self.context.either("by id", "par id"));
            self.note(what, before, read.err());
        }
    }

    /// Pages of changes of a kind; answers the ids met.
    async fn pages(
        &mut self,
        kind: Kind,
        arguments: &RecordArguments,
        mentioned: &mut Vec<RemoteId>,
    ) -> Vec<RemoteId> {
        let start = arguments
            .since
            .map(|at| self.connector.cursor_since(kind, at));
        let mut cursor = start.unwrap_or_else(Cursor::start);
        let mut ids = Vec::new();
        for number in 1..=arguments.pages {
            let before = self.recording.exchanges();
            let page = patiently(|| self.connector.changes(kind, &cursor)).await;
            let what = format!("{kind}: {} {number}", self.context.either("page", "page"));
            let page = match page {
                Ok(page) => page,
                Err(fault) => {
                    self.note(what, before, Some(fault));
                    break;
                }
            };
            self.note(what, before, None);
            for record in page.items.into_iter().flatten() {
                if let Some(order) = record.document.as_order() {
                    mentioned.extend(order.refunds.iter().map(|refund| refund.id.clone()));
                }
                ids.push(record.id);
            }
            cursor = page.next;
            if !page.more {
                break;
            }
        }
        ids
    }

    fn note(&mut self, what: String, before: usize, fault: Option<Fault>) {
        let language = self.context.language;
        let asked = Asked {
            what,
            exchanges: self.recording.exchanges() - before,
            fault: fault.map(|fault| words::fault(language, &fault)),
        };
        let sign = if asked.fault.is_some() { '✗' } else { '✓' };
        let fault = asked.fault.as_deref().unwrap_or_default();
        let exchanges = self.context.either("exchanges", "échanges");
        let said = format!(
            "{sign} {} ({} {exchanges}) {fault}",
            asked.what, asked.exchanges
        );
        out::talk(said.trim_end());
        self.asked.push(asked);
    }
}

fn show(context: &Context, report: &Report) {
    if context.json {
        out::json(report);
    } else {
        report.files.iter().for_each(out::line);
    }
    let replaced: Vec<String> = report
        .replaced
        .iter()
        .map(|(what, count)| format!("{} {count}", word(context, *what)))
        .collect();
    let replaced = match replaced.is_empty() {
        true => context.either("nothing", "rien").to_owned(),
        false => replaced.join(", "),
    };
    let folder = report.folder.display();
    let count = report.files.len();
    out::talk(match context.either("en", "fr") {
        "en" => format!("{count} exchanges in {folder}. Replaced: {replaced}."),
        _ => format!("{count} échanges dans {folder}. Remplacé : {replaced}."),
    });
    out::talk(context.either(
        "Read each file before you commit it: no program knows every field in which a vendor keeps a name. Look at free texts, custom fields and file names first.",
        "Lire chaque fichier avant de le publier : aucun programme ne connaît tous les champs où un éditeur garde un nom. Regarder d'abord les textes libres, les champs personnalisés et les noms de fichiers.",
    ));
}

fn word(context: &Context, what: Replaced) -> &'static str {
    let (english, french) = match what {
        Replaced::Secret => ("secrets", "secrets"),
        Replaced::Email => ("e-mail addresses", "adresses e-mail"),
        Replaced::Name => ("names", "noms"),
        Replaced::Address => ("parts of addresses", "parties d'adresses"),
        Replaced::Phone => ("telephone numbers", "numéros de téléphone"),
        Replaced::Identifier => (
            "numbers of people and companies",
            "numéros de personnes et de sociétés",
        ),
        Replaced::Network => ("machines", "machines"),
        Replaced::Text => ("notes", "notes"),
    };
    context.either(english, french)
}
