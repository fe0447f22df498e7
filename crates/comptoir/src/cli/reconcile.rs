//! `reconcile`: reads both sides anew and compares them, record by record.

use super::Context;
use crate::exit::{self, Failure};
use crate::out;
use crate::words;
use crate::workspace::{Role, Workspace, owner_name};
use clap::Args;
use comptoir_engine::flow::Mode;
use comptoir_engine::reconcile::{Drift, Reconciled, Stopped, reconcile};
use comptoir_model::key::FlowName;
use comptoir_rules::agree::Difference;
use std::collections::BTreeMap;

/// Differences shown one by one; the count says how many more there are, and `--json` has them all.
const SHOWN: usize = 50;

#[derive(Debug, Args)]
pub struct ReconcileArguments {
    /// The flow; all flows without it.
    flow: Option<FlowName>,
}

/// Runs the command. Nothing is written anywhere.
pub async fn run(context: &Context, arguments: ReconcileArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    if let Some(flow) = &arguments.flow
        && !workspace.config.flows.contains_key(flow)
    {
        return Err(Failure::no_flow(flow));
    }
    let hub = workspace.hub(&owner_name()).await?;
    let mut reports: BTreeMap<String, Reconciled> = BTreeMap::new();
    for flow in &hub.flows {
        let wanted = arguments
            .flow
            .as_ref()
            .is_none_or(|name| *name == flow.name);
        if !wanted || flow.mode == Mode::Off {
            continue;
        }
        out::progress(format!("{} …", flow.name));
        let report = reconcile(&hub, flow)
            .await
            .map_err(|stopped| match stopped {
                Stopped::Store(error) => error.into(),
                Stopped::Fault(fault) => {
                    let why = words::fault(context.language, &fault);
                    Failure::new(exit::FINDINGS, format!("{}: {why}", flow.name))
                }
            });
        out::progress_done();
        reports.insert(flow.name.to_string(), report?);
    }
    let agree = reports.values().all(|report| report.drift.is_empty());
    if context.json {
        out::json(&reports);
    } else {
        reports
            .iter()
            .for_each(|(flow, report)| show(context, flow, report));
    }
    Ok(if agree { exit::OK } else { exit::FINDINGS })
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
    for drift in report.drift.iter().take(SHOWN) {
        out::line(format!("  ✗ {}", line(context, drift)));
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

fn line(context: &Context, drift: &Drift) -> String {
    let what = match &drift.difference {
        Difference::Missing => context
            .either("not in the target", "absente de la cible")
            .to_owned(),
        Difference::Double => context
            .either("one more of it in the target", "une de trop dans la cible")
            .to_owned(),
        Difference::Gone => context
            .either("gone in the target", "disparue de la cible")
            .to_owned(),
        Difference::Total { source, target } => format!("{source} ≠ {target}"),
        Difference::State { source, target } => format!("{source:?} ≠ {target:?}").to_lowercase(),
        Difference::Quantity { should, shows } => {
            let shows = shows.map_or_else(|| "–".to_owned(), |shows| shows.normalize().to_string());
            let is = context.either("shows", "affiche");
            let instead = context.either("instead of", "au lieu de");
            format!("{is} {shows} {instead} {}", should.normalize())
        }
        Difference::NotRead => context
            .either("changed and not read yet", "modifiée et pas encore relue")
            .to_owned(),
        Difference::NotShown => context
            .either(
                "the shop's order does not show it",
                "la commande de la boutique ne la montre pas",
            )
            .to_owned(),
    };
    match &drift.target {
        Some(target) => format!("{} ({target}): {what}", drift.record),
        None => format!("{}: {what}", drift.record),
    }
}
