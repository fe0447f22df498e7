//! `plan` and `apply`: what would be written, and writing exactly that.

use super::{Context, patiently};
use crate::exit::{self, Failure};
use crate::workspace::{Role, Workspace, owner_name};
use crate::{out, words};
use clap::Args;
use comptoir_engine::connection::Connection;
use comptoir_engine::decide::Proposal;
use comptoir_engine::hub::Hub;
use comptoir_engine::preview::{Next, Preview, preview};
use comptoir_model::Decimal;
use comptoir_model::account::Account;
use comptoir_model::document::Digest;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_model::port::Step;
use comptoir_store::{PlanRow, PlanState, WorkRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The flow; all flows without it.
    flow: Option<FlowName>,
    /// Records looked at, at most.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
}

#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The plan's id, as `plan` printed it.
    plan: String,
}

/// A stored plan: which records, and the digest of what was planned for each.
#[derive(Debug, Serialize, Deserialize)]
struct Items {
    revision: i64,
    records: BTreeMap<String, String>,
}

#[derive(Debug, Default, Serialize)]
struct Summary {
    plan: Option<String>,
    flow: String,
    writes: BTreeMap<String, usize>,
    skipped: BTreeMap<String, usize>,
    stopped: BTreeMap<String, usize>,
    nothing: usize,
    unreachable: Option<String>,
    /// No order of the flow has been read yet: that nothing is to be written says nothing.
    unread: bool,
    /// What the orders to be created come to, by currency.
    amounts: BTreeMap<String, Decimal>,
    samples: Vec<String>,
}

/// Runs `plan`.
pub async fn plan(context: &Context, arguments: PlanArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let hub = workspace.hub(&owner_name()).await?;
    let mut summaries = Vec::new();
    let counts = workspace.store.counts().await?;
    for name in workspace.config.flows.keys() {
        if arguments.flow.as_ref().is_some_and(|flow| flow != name) {
            continue;
        }
        let works = workspace.store.open_work(name, arguments.limit).await?;
        let previews = look_ahead(&hub, name, works).await?;
        let mut summary = summarise(name, &previews);
        summary.unread = counts.iter().all(|row| row.flow != *name);
        let records = writes_of(&previews);
        if !records.is_empty() {
            summary.plan = Some(keep(&workspace, name, records).await?);
        }
        summaries.push(summary);
    }
    if context.json {
        out::json(&summaries);
    } else {
        summaries.iter().for_each(|summary| show(context, summary));
    }
    Ok(exit::OK)
}

/// The account of a connection: as last probed by a running hub, else probed now.
pub async fn account_of(hub: &Hub, connection: &Connection) -> Result<Arc<Account>, Failure> {
    let known = hub.store.connection(&connection.name).await?;
    Ok(Arc::new(match known.and_then(|row| row.account) {
        Some(account) => account,
        None => patiently(|| connection.connector.probe()).await?,
    }))
}

async fn look_ahead(
    hub: &Hub,
    name: &FlowName,
    works: Vec<WorkRow>,
) -> Result<Vec<Preview>, Failure> {
    let Some(flow) = hub.flow(name) else {
        return Ok(Vec::new());
    };
    let Some(target) = hub.connections.get(&flow.target) else {
        return Ok(Vec::new());
    };
    let account = account_of(hub, target).await?;
    Ok(preview(hub, target, account, works).await?)
}

/// The records that would be written, with the digest of their own step. Buyers that would be created first are left out of it: which
/// of a buyer's orders brings the buyer along is chance.
fn writes_of(previews: &[Preview]) -> BTreeMap<String, String> {
    previews
        .iter()
        .filter_map(|preview| match &preview.next {
            Next::Write(proposal) => Some((preview.record.id.to_string(), digest_of(proposal))),
            _ => None,
        })
        .collect()
}

fn digest_of(proposal: &Proposal) -> String {
    let mut bytes = proposal.document.to_json();
    bytes.extend(proposal.key().as_str().as_bytes());
    bytes.extend(proposal.step.as_str().as_bytes());
    Digest::of(&bytes).to_string()
}

async fn keep(
    workspace: &Workspace,
    flow: &FlowName,
    records: BTreeMap<String, String>,
) -> Result<String, Failure> {
    let items = Items {
        revision: workspace.revision,
        records,
    };
    let items =
        serde_json::to_vec(&items).map_err(|error| Failure::new(exit::STORE, error.to_string()))?;
    let digest = Digest::of(&items);
    let id = digest.to_string()[..12].to_owned();
    workspace
        .store
        .put_plan(PlanRow {
            id: id.clone(),
            flow: flow.clone(),
            digest,
            at: workspace.store.now().await?,
            author: "cli".to_owned(),
            items,
            state: PlanState::Open,
        })
        .await?;
    Ok(id)
}

fn summarise(flow: &FlowName, previews: &[Preview]) -> Summary {
    let mut summary = Summary {
        flow: flow.to_string(),
        ..Summary::default()
    };
    for preview in previews {
        match &preview.next {
            Next::Nothing => summary.nothing += 1,
            Next::Skip(reason) => *summary.skipped.entry(reason.clone()).or_default() += 1,
            Next::Stop(causes) => {
                let cause = causes.first().cloned().unwrap_or_default();
                *summary.stopped.entry(cause).or_default() += 1;
            }
            Next::Unknown(fault) => summary.unreachable = Some(fault.to_string()),
            Next::Write(_) => {}
        }
        for proposal in preview.writes() {
            let what = format!("{} {}", proposal.step.as_str(), proposal.subject.kind);
            *summary.writes.entry(what.clone()).or_default() += 1;
            if let Some(order) = proposal.document.as_order()
                && proposal.step == Step::Create
            {
                *summary
                    .amounts
                    .entry(order.currency.to_string())
                    .or_default() += order.totals.total;
            }
            if summary.samples.len() < 5 && proposal.subject.kind != Kind::Customer {
                summary
                    .samples
                    .push(format!("{what} {}", preview.record.id));
            }
        }
    }
    summary
}

fn show(context: &Context, summary: &Summary) {
    out::line(format!("{}:", summary.flow));
    for (what, count) in &summary.writes {
        out::line(format!("  + {count:>6} {what}"));
    }
    for (currency, amount) in &summary.amounts {
        if let Ok(currency) = currency.parse() {
            let amount = words::money(context.language, *amount, currency);
            out::line(format!(
                "      {} {amount}",
                context.either("orders of", "commandes pour")
            ));
        }
    }
    for (reason, count) in &summary.skipped {
        out::line(format!("  − {count:>6} {reason}"));
    }
    for (cause, count) in &summary.stopped {
        out::line(format!("  ‖ {count:>6} {cause}"));
    }
    if let Some(fault) = &summary.unreachable {
        out::line(format!("  ! {fault}"));
    }
    match &summary.plan {
        Some(plan) => out::line(format!("  comptoir apply {plan}")),
        None if summary.unread => out::line(context.either(
            "  no order has been read yet: start `comptoir serve`, and ask again",
            "  aucune commande n'a encore été lue : lancer « comptoir serve », puis redemander",
        )),
        None => out::line(context.either("  nothing to write", "  rien à écrire")),
    }
}

/// Runs `apply`: what moved since the plan is left out and listed; a plan of another revision is refused whole.
pub async fn apply(context: &Context, arguments: ApplyArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let unusable = |why: String| Failure::new(exit::CONFIGURATION, why);
    let plan = workspace
        .store
        .plan(&arguments.plan)
        .await?
        .ok_or_else(|| unusable(format!("there is no plan {}", arguments.plan)))?;
    if plan.state != PlanState::Open {
        return Err(unusable("this plan has been applied already".to_owned()));
    }
    let items: Items = serde_json::from_slice(&plan.items)
        .map_err(|error| unusable(format!("the plan cannot be read: {error}")))?;
    if items.revision != workspace.revision {
        return Err(unusable(
            context
                .either(
                    "The configuration changed since the plan; make a new one.",
                    "La configuration a changé depuis le plan ; en faire un nouveau.",
                )
                .to_owned(),
        ));
    }
    let hub = workspace.hub(&owner_name()).await?;
    let ids: Vec<RemoteId> = items.records.keys().map(RemoteId::from).collect();
    let config = workspace.config.flows.get(&plan.flow);
    let kind = config.ok_or_else(|| Failure::no_flow(&plan.flow))?.kind;
    let works = workspace.store.work(&plan.flow, kind, &ids).await?;
    let previews = look_ahead(&hub, &plan.flow, works.into_values().collect()).await?;
    let now = writes_of(&previews);
    let (same, moved): (Vec<&String>, Vec<&String>) = items
        .records
        .iter()
        .map(|(id, digest)| (id, now.get(id) == Some(digest)))
        .fold(
            (Vec::new(), Vec::new()),
            |(mut same, mut moved), (id, stands)| {
                if stands {
                    same.push(id)
                } else {
                    moved.push(id)
                }
                (same, moved)
            },
        );
    let approved: Vec<RemoteId> = same.iter().map(|id| RemoteId::from(id.as_str())).collect();
    workspace
        .store
        .approve(&plan.flow, kind, &approved, &plan.id)
        .await?;
    workspace
        .store
        .set_plan_state(&plan.id, PlanState::Applied)
        .await?;
    if context.json {
        out::json(&serde_json::json!({"approved": same, "moved": moved}));
    } else {
        out::line(format!(
            "{} {}",
            context.either("approved:", "approuvées :"),
            same.len()
        ));
        for id in moved {
            out::line(format!(
                "{} {id}",
                context.either("moved since, left out:", "modifiée depuis, laissée :")
            ));
        }
    }
    Ok(exit::OK)
}
