//! `plan` and `apply`: what would be written, and writing exactly that.

pub mod fields;
mod summary;

use super::{Context, patiently};
use crate::config::Problem;
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace, owner_name};
use clap::Args;
use comptoir_engine::connection::Connection;
use comptoir_engine::hub::Hub;
use comptoir_engine::plan::Plan;
use comptoir_engine::preview::{Preview, preview};
use comptoir_model::account::Account;
use comptoir_model::code::Code;
use comptoir_model::document::Digest;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_model::port::Step;
use comptoir_store::{PlanRow, PlanState, WorkRow};
use std::collections::BTreeSet;
use std::sync::Arc;
use summary::{CapRoom, Summary};

#[derive(Debug, Args)]
pub struct PlanArguments {
    /// The flow; all flows without it.
    flow: Option<FlowName>,
    /// Records looked at, at most.
    #[arg(long, default_value_t = 1_000)]
    limit: usize,
    /// Records shown field by field, per flow.
    #[arg(long, default_value_t = 5)]
    samples: usize,
}

#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// The plan's id, as `plan` printed it.
    plan: String,
}

/// Runs `plan`.
pub async fn plan(context: &Context, arguments: PlanArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    if let Some(flow) = &arguments.flow
        && !workspace.config.flows.contains_key(flow)
    {
        return Err(Failure::no_flow(flow));
    }
    let hub = workspace.hub(&owner_name()).await?;
    let mut summaries = Vec::new();
    let counts = workspace.store.counts().await?;
    for name in workspace.config.flows.keys() {
        if arguments.flow.as_ref().is_some_and(|flow| flow != name) {
            continue;
        }
        let works = workspace.store.open_work(name, arguments.limit).await?;
        let previews = look_ahead(&hub, name, works).await?;
        let mut summary = Summary::of(name, &previews, arguments.samples);
        summary.unread = counts.iter().all(|row| row.flow != *name);
        summary.caps = caps_of(&hub, name, &previews).await?;
        let plan = Plan::of(workspace.bound(name), &previews);
        if !plan.records.is_empty() {
            summary.plan = Some(keep(&workspace, name, &plan).await?);
        }
        summaries.push(summary);
    }
    if context.json {
        out::json(&summaries);
    } else {
        summaries.iter().for_each(|summary| summary.show(context));
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

/// How far the flow's cap on creates lets the plan go now.
async fn caps_of(
    hub: &Hub,
    name: &FlowName,
    previews: &[Preview],
) -> Result<Option<CapRoom>, Failure> {
    const HOUR_MS: i64 = 3_600_000;
    let Some(flow) = hub.flow(name).filter(|flow| flow.kind == Kind::Order) else {
        return Ok(None);
    };
    let now = hub.store.now().await?;
    let made = hub.store.creates_since(name, now - HOUR_MS).await?.len();
    let creates = previews.iter().flat_map(Preview::writes);
    let creates =
        creates.filter(|write| write.subject.kind == Kind::Order && write.step == Step::Create);
    Ok(CapRoom::of(
        flow.caps.creates_per_hour as usize,
        made,
        creates.count(),
    ))
}

/// Stores a plan and answers its id. The same plan again is the same row.
pub async fn keep(workspace: &Workspace, flow: &FlowName, plan: &Plan) -> Result<String, Failure> {
    let items = plan.to_json();
    let digest = Digest::of(&items);
    let id = digest.to_string()[..12].to_owned();
    let row = PlanRow {
        id: id.clone(),
        flow: flow.clone(),
        digest,
        at: workspace.store.now().await?,
        author: "cli".to_owned(),
        items,
        state: PlanState::Open,
    };
    workspace.store.put_plan(row).await?;
    Ok(id)
}

/// Runs `apply`: what moved since the plan is left out and listed; a plan under another configuration of its flow is refused whole.
pub async fn apply(context: &Context, arguments: ApplyArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let id = &arguments.plan;
    let row = workspace.store.plan(id).await?;
    let row = row.ok_or_else(|| {
        Problem::new(
            Code::NoPlan,
            format!("there is no plan {id}"),
            format!("il n'y a pas de plan {id}"),
        )
    })?;
    if row.state != PlanState::Open {
        let english = format!("plan {id} has been applied already");
        return Err(again(english, format!("le plan {id} a déjà été appliqué")).into());
    }
    let plan = Plan::from_json(&row.items).ok_or_else(|| {
        again(
            format!("plan {id} was made by another version of Comptoir"),
            format!("le plan {id} a été fait par une autre version de Comptoir"),
        )
    })?;
    let config = workspace.config.flows.get(&row.flow);
    let kind = config.ok_or_else(|| Failure::no_flow(&row.flow))?.kind;
    if plan.bound != workspace.bound(&row.flow) {
        let flow = &row.flow;
        let problem = again(
            format!(
                "what flow `{flow}` uses has changed since plan {id}: its file, its connections, a table or its caps"
            ),
            format!(
                "ce qu'utilise le flux `{flow}` a changé depuis le plan {id} : son fichier, ses connexions, une table ou ses plafonds"
            ),
        );
        return Err(problem.into());
    }
    let hub = workspace.hub(&owner_name()).await?;
    let ids: Vec<RemoteId> = plan.records.keys().cloned().collect();
    let works = workspace.store.work(&row.flow, kind, &ids).await?;
    let previews = look_ahead(&hub, &row.flow, works.into_values().collect()).await?;
    let stands: BTreeSet<&RemoteId> = previews
        .iter()
        .filter(|preview| plan.stands(preview))
        .map(|preview| &preview.record.id)
        .collect();
    let (same, moved): (Vec<RemoteId>, Vec<RemoteId>) =
        ids.into_iter().partition(|id| stands.contains(id));
    let store = &workspace.store;
    store.approve(&row.flow, kind, &same, id).await?;
    store.set_plan_state(id, PlanState::Applied).await?;
    if context.json {
        out::json(&serde_json::json!({"approved": same, "moved": moved}));
        return Ok(exit::OK);
    }
    let approved = context.either("approved:", "approuvées :");
    out::line(format!("{approved} {}", same.len()));
    let left = context.either("moved since, left out:", "modifiée depuis, laissée :");
    for id in moved {
        out::line(format!("{left} {id}"));
    }
    Ok(exit::OK)
}

/// A plan that cannot be used any more.
fn again(english: String, french: String) -> Problem {
    Problem::new(Code::StalePlan, english, french).fix(
        "make a new one: comptoir plan",
        "en faire un nouveau : comptoir plan",
    )
}

/// Whether a hub runs that takes up what is handed over.
pub async fn is_served(hub: &Hub) -> Result<bool, Failure> {
    let now = hub.store.now().await?;
    let rows = hub.store.connections().await?;
    Ok(rows
        .iter()
        .any(|row| row.owner.is_some() && row.lease_until > now))
}
