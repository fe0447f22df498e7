//! `reconcile`: reads both sides anew, compares them record by record, and with `--repair` hands what may be repaired to the hub.

mod telling;

use super::plan::keep;
use super::{Context, plan};
use crate::exit::{self, Failure};
use crate::out;
use crate::words;
use crate::workspace::{Role, Workspace, owner_name};
use clap::Args;
use comptoir_engine::flow::{Flow, Mode};
use comptoir_engine::hub::Hub;
use comptoir_engine::plan::{Plan, Planned};
use comptoir_engine::reconcile::repair::repair;
use comptoir_engine::reconcile::{Drift, Reconciled, Scope, Stopped, reconcile};
use comptoir_model::fault::Fault;
use comptoir_model::key::FlowName;
use comptoir_store::PlanState;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use telling::{cause, difference, remedy};

/// Differences shown one by one; the count says how many more there are, and `--json` has them all.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub struct ReconcileArguments {
    /// The flow; all flows without it.
    flow: Option<FlowName>,
    /// Only what either side says has changed since this instant, such as 2026-11-01T00:00:00Z; what was deleted is found without it.
    #[arg(long)]
    since: Option<Timestamp>,
    /// Repairs what may be repaired, after asking. What people did by hand stays as it is.
    #[arg(long)]
    repair: bool,
    /// Repairs without asking.
    #[arg(long, requires = "repair")]
    yes: bool,
}

/// What came of one flow.
#[derive(Debug, Serialize)]
struct Outcome {
    #[serde(flatten)]
    report: Reconciled,
    /// The plan of the repairs that were handed to the hub.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<String>,
    /// Records handed to the hub to be repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_over: Option<usize>,
}

/// Runs the command. Without `--repair` nothing is written anywhere.
pub async fn run(context: &Context, arguments: ReconcileArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    if let Some(flow) = &arguments.flow
        && !workspace.config.flows.contains_key(flow)
    {
        return Err(Failure::no_flow(flow));
    }
    let hub = workspace.hub(&owner_name()).await?;
    let scope = Scope {
        since: arguments.since,
        patient: false,
    };
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    for flow in &hub.flows {
        let named = arguments.flow.as_ref();
        let wanted = named.is_none_or(|name| *name == flow.name);
        if !wanted || flow.mode == Mode::Off {
            continue;
        }
        out::progress(format!("{} …", flow.name));
        let report = reconcile(&hub, flow, scope).await;
        let report = report.map_err(|stopped| failed(context, &flow.name, stopped));
        out::progress_done();
        let outcome = Outcome {
            report: report?,
            plan: None,
            handed_over: None,
        };
        outcomes.insert(flow.name.to_string(), outcome);
    }
    if !context.json {
        outcomes
            .iter()
            .for_each(|(flow, outcome)| show(context, flow, &outcome.report));
    }
    if arguments.repair && may_repair(context, &outcomes, arguments.yes)? {
        for flow in &hub.flows {
            if let Some(outcome) = outcomes.get_mut(flow.name.as_str()) {
                hand_over(context, &workspace, &hub, flow, outcome).await?;
            }
        }
    }
    if context.json {
        out::json(&outcomes);
    }
    let left = outcomes.values().any(|outcome| {
        let repaired = outcome.handed_over.unwrap_or_default() > 0;
        let open = |drift: &&Drift| !(repaired && drift.repairable);
        outcome.report.drift.iter().any(|drift| open(&drift))
    });
    Ok(if left { exit::FINDINGS } else { exit::OK })
}

fn failed(context: &Context, flow: &FlowName, stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Store(error) => error.into(),
        Stopped::Fault(fault) => unreadable(context, flow, &fault),
    }
}

fn unreadable(context: &Context, flow: &FlowName, fault: &Fault) -> Failure {
    let why = words::fault(context.language, fault);
    Failure::new(exit::CONNECTION, format!("{flow}: {why}"))
}

/// Whether repairs are wanted: asked at a terminal, unless it was said before.
fn may_repair(
    context: &Context,
    outcomes: &BTreeMap<String, Outcome>,
    yes: bool,
) -> Result<bool, Failure> {
    let reports = outcomes.values().map(|outcome| &outcome.report);
    let count: usize = reports.map(|report| report.repairable().count()).sum();
    if count == 0 || yes {
        return Ok(count > 0);
    }
    if !std::io::stdin().is_terminal() {
        let text = context.either(
            "Nobody is there to be asked: say --yes with --repair.",
            "Personne à qui demander : ajouter --yes à --repair.",
        );
        return Err(Failure::new(exit::USAGE, text));
    }
    let text = context.either("Repair these? [y/N]", "Les réparer ? [o/N]");
    out::talk(format!("{count} {text}"));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(
        answer.trim().to_lowercase().as_str(),
        "y" | "yes" | "o" | "oui"
    ))
}

/// Makes a plan of exactly what may be repaired in a flow, and hands it to the hub.
async fn hand_over(
    context: &Context,
    workspace: &Workspace,
    hub: &Hub,
    flow: &Flow,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let drifts: Vec<&Drift> = outcome.report.repairable().collect();
    if drifts.is_empty() {
        return Ok(());
    }
    let mut plan = Plan {
        bound: workspace.bound(&flow.name),
        ..Plan::default()
    };
    for drift in &drifts {
        let planned: &mut Planned = plan.records.entry(drift.record.clone()).or_default();
        let writes = drift.writes.iter();
        planned
            .writes
            .extend(writes.map(|write| format!("{} {}", write.step.as_str(), write.key())));
    }
    let id = keep(workspace, &flow.name, &plan).await?;
    let count = repair(hub, flow, &drifts, &id).await?;
    workspace
        .store
        .set_plan_state(&id, PlanState::Applied)
        .await?;
    if !context.json {
        let text = context.either(
            "handed to the hub to be repaired, plan",
            "confiées au hub pour réparation, plan",
        );
        out::line(format!("{}: {count} {text} {id}", flow.name));
        if !plan::is_served(hub).await? {
            out::talk(context.either(
                "No hub runs: it is done when `comptoir serve` does.",
                "Aucun hub en marche : ce sera fait par « comptoir serve ».",
            ));
        }
    }
    outcome.plan = Some(id);
    outcome.handed_over = Some(count);
    Ok(())
}

/// Prints what a comparison found.
pub fn show(context: &Context, flow: &str, report: &Reconciled) {
    out::line(format!(
        "{flow}: {} {}, {} {}, {} {}, {} {}",
        report.compared,
        context.either("compared", "comparées"),
        report.held,
        context.either("held", "retenues"),
        report.under_way,
        context.either("under way", "en cours"),
        report.skipped,
        context.either("skipped", "ignorées"),
    ));
    for (currency, sums) in &report.sums {
        if let Ok(currency) = currency.parse() {
            let money = |amount| words::money(context.language, amount, currency);
            out::line(format!(
                "  {} {} = {} ({} {})",
                sums.orders,
                money(sums.source),
                money(sums.target),
                context.either("rounding in it", "dont arrondis"),
                money(sums.rounding)
            ));
        }
    }
    for drift in report.drift.iter().take(SHOWN) {
        show_drift(context, drift);
    }
    let more = report.drift.len().saturating_sub(SHOWN);
    if more > 0 {
        out::line(format!("  … {more} {}", context.either("more", "de plus")));
    }
    if report.drift.is_empty() {
        let text = context.either("✓ both sides agree", "✓ les deux côtés concordent");
        out::line(format!("  {text}"));
    }
}

fn show_drift(context: &Context, drift: &Drift) {
    let number = match drift.number.as_str() {
        "" => String::new(),
        number => format!(" {number}"),
    };
    let target = match &drift.target {
        Some(target) if *target != drift.record => format!(" ({target})"),
        _ => String::new(),
    };
    let language = context.language;
    out::line(format!(
        "  ✗ {}{number}{target}: {}",
        drift.record,
        difference(language, &drift.difference)
    ));
    let mark = if drift.repairable {
        context.either("repairable", "réparable")
    } else {
        context.either("not repairable", "non réparable")
    };
    out::line(format!(
        "      {}. {mark}: {}",
        cause(language, drift.why),
        remedy(language, &drift.remedy)
    ));
}
