//! `explain`: why a record is as it is: state, cause, links, the equation on both sides, which rule made which line, and what was done.

mod taxes;

use super::Context;
use crate::advice::fix;
use crate::exit::{self, Failure};
use crate::out;
use crate::words::money;
use crate::workspace::{Role, Workspace};
use clap::Args;
use comptoir_engine::flow::Flow;
use comptoir_engine::hub::Hub;
use comptoir_engine::stock::reckoning::{Reckoning, reckon};
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::key::{FlowName, Kind, RemoteId};
use comptoir_model::order::Order;
use comptoir_rules::shipment::{Progress, progress};
use comptoir_rules::tax::TaxGroup;
use comptoir_store::WorkState;
use serde::Serialize;

#[derive(Debug, Args)]
pub struct ExplainArguments {
    /// The flow.
    flow: FlowName,
    /// The record's id in the source.
    id: String,
}

/// One order's sum, part by part.
#[derive(Debug, Clone, Serialize)]
pub struct Sum {
    /// The number people read.
    pub number: String,
    /// Currency.
    pub currency: comptoir_model::money::Currency,
    /// Lines: what, net, tax.
    pub lines: Vec<(String, Decimal, Decimal)>,
    /// Tax as stated.
    pub tax: Decimal,
    /// What no part explains.
    pub rounding: Decimal,
    /// Total.
    pub total: Decimal,
}

/// What is known of a record.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// State.
    pub state: String,
    /// Cause or reason.
    pub cause: Option<String>,
    /// What to do.
    pub fix: Option<String>,
    /// The source's sum.
    pub source: Option<Sum>,
    /// The target's id.
    pub target_id: Option<String>,
    /// The target's sum.
    pub target: Option<Sum>,
    /// Of an order: each tax on both sides, and what a difference comes from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxGroup>,
    /// Of an item of a flow of stock: why the shop shows this quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stock: Option<Reckoning>,
    /// Of a shipment: how far each line of the shop's order has left.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Progress>,
    /// What happened, oldest first.
    pub journal: Vec<serde_json::Value>,
}

/// Runs the command.
pub async fn run(context: &Context, arguments: ExplainArguments) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let explanation = explain(
        context,
        &workspace,
        &arguments.flow,
        &RemoteId::from(arguments.id),
    )
    .await?;
    if context.json {
        out::json(&explanation);
    } else {
        show(context, &explanation);
    }
    Ok(exit::OK)
}

/// Everything known of one record.
pub async fn explain(
    context: &Context,
    workspace: &Workspace,
    flow: &FlowName,
    id: &RemoteId,
) -> Result<Explanation, Failure> {
    let config = workspace
        .config
        .flows
        .get(flow)
        .ok_or_else(|| Failure::no_flow(flow))?;
    let store = &workspace.store;
    let kind = config.kind;
    let ids = [id.clone()];
    let work = store.work(flow, kind, &ids).await?.remove(id);
    let source = store
        .records(&config.from, kind, &ids, false)
        .await?
        .remove(id)
        .and_then(|row| row.document);
    let part = (id.clone(), String::new());
    let link = store
        .links(&config.from, kind, std::slice::from_ref(&part), &config.to)
        .await?
        .remove(&part);
    let target = match &link {
        Some(link) => store
            .records(
                &config.to,
                Kind::Order,
                std::slice::from_ref(&link.dst_id),
                false,
            )
            .await?
            .remove(&link.dst_id)
            .and_then(|row| row.document),
        None => None,
    };
    let journal = store
        .journal(&config.to, kind, id)
        .await?
        .into_iter()
        .map(|row| row.what)
        .collect();
    let cause = work.as_ref().and_then(|work| work.cause.clone());
    let taxes = match kind {
        Kind::Order => {
            let source = source.as_ref().and_then(Document::as_order);
            let target = target.as_ref().and_then(Document::as_order);
            taxes::taxes(workspace, config, source, target).await?
        }
        _ => Vec::new(),
    };
    let held = work
        .as_ref()
        .is_some_and(|work| work.state == WorkState::Held);
    Ok(Explanation {
        state: work.map_or_else(
            || "unknown".to_owned(),
            |work| work.state.as_str().to_owned(),
        ),
        fix: cause
            .as_ref()
            .filter(|_| held)
            .map(|cause| fix(cause, context.language)),
        cause,
        source: source.as_ref().and_then(Document::as_order).map(sum_of),
        target_id: link.map(|link| link.dst_id.to_string()),
        stock: reckoning(workspace, flow, id).await?,
        lines: match kind {
            Kind::Shipment => target.as_ref().and_then(Document::as_order).map(progress),
            _ => None,
        }
        .unwrap_or_default(),
        target: target.as_ref().and_then(Document::as_order).map(sum_of),
        taxes,
        journal,
    })
}

/// Why the shop shows a quantity, for a flow of stock.
async fn reckoning(
    workspace: &Workspace,
    flow: &FlowName,
    id: &RemoteId,
) -> Result<Option<Reckoning>, Failure> {
    let flows = workspace.flows();
    let stock = |flow: &Flow| flow.kind == Kind::Stock;
    match flows
        .iter()
        .find(|known| known.name == *flow && stock(known))
    {
        Some(flow) => {
            let hub = Hub::new(
                workspace.store.clone(),
                Vec::new(),
                Vec::new(),
                String::new(),
            );
            Ok(reckon(&hub.await?, flow, id).await?)
        }
        None => Ok(None),
    }
}

fn sum_of(order: &Order) -> Sum {
    let mut lines: Vec<(String, Decimal, Decimal)> = order
        .lines
        .iter()
        .map(|line| {
            (
                format!("{} × {}", line.quantity.normalize(), line.title),
                line.net,
                line.tax,
            )
        })
        .collect();
    lines.extend(
        order
            .shipping
            .iter()
            .map(|line| (line.title.clone(), line.net, line.tax)),
    );
    lines.extend(
        order
            .fees
            .iter()
            .map(|fee| (fee.title.clone(), fee.net, fee.tax)),
    );
    Sum {
        number: order.number.clone(),
        currency: order.currency,
        lines,
        tax: order.totals.tax,
        rounding: order.totals.rounding,
        total: order.totals.total,
    }
}

/// Prints the formula of an item with its figures.
fn show_stock(context: &Context, stock: &Reckoning) {
    out::line(format!("  {}", stock.sku));
    for (place, available) in &stock.available {
        let label = context.either("available", "disponible");
        out::line(format!("    + {} {label} {place}", available.normalize()));
    }
    let rest = [
        (
            context.either("kept back", "gardé en réserve"),
            stock.buffer,
        ),
        (
            context.either("in orders on their way", "dans les commandes en route"),
            stock.in_flight,
        ),
    ];
    for (label, amount) in rest {
        out::line(format!("    − {} {label}", amount.normalize()));
    }
    let share = context.either("share of this shop", "part de cette boutique");
    out::line(format!("    × {} {share}", stock.share.normalize()));
    let quantity = stock
        .quantity
        .map(|quantity| quantity.normalize().to_string());
    out::line(format!(
        "    = {}",
        quantity.unwrap_or_else(|| context.either("not counted", "non compté").to_owned())
    ));
    for (item, shown) in &stock.shop {
        let shown = match shown {
            Some(shown) => shown.normalize().to_string(),
            None => context
                .either("does not count it", "ne le compte pas")
                .to_owned(),
        };
        let shop = context.either("the shop's item", "l'article de la boutique");
        out::line(format!("    {shop} {item}: {shown}"));
    }
}

/// Prints an explanation.
pub fn show(context: &Context, explanation: &Explanation) {
    let cause = explanation.cause.as_deref().unwrap_or("");
    out::line(format!(
        "{}: {} {cause}",
        context.either("state", "état"),
        explanation.state
    ));
    if let Some(fix) = &explanation.fix {
        out::line(format!("  → {fix}"));
    }
    let sides = [
        (context.either("shop", "boutique"), &explanation.source),
        (context.either("ERP", "ERP"), &explanation.target),
    ];
    for (side, sum) in sides {
        let Some(sum) = sum else { continue };
        let amount = |value: Decimal| money(context.language, value, sum.currency);
        out::line(format!("{side} {}", sum.number));
        for (title, net, tax) in &sum.lines {
            out::line(format!("  {title}: {} + {}", amount(*net), amount(*tax)));
        }
        out::line(format!(
            "  {} {}, {} {}, {} {}",
            context.either("tax", "taxe"),
            amount(sum.tax),
            context.either("rounding", "arrondi"),
            amount(sum.rounding),
            context.either("total", "total"),
            amount(sum.total)
        ));
    }
    if let Some(sum) = &explanation.source {
        taxes::show(context, &explanation.taxes, sum.currency);
    }
    if let Some(stock) = &explanation.stock {
        show_stock(context, stock);
    }
    for line in &explanation.lines {
        out::line(format!(
            "  {} {}: {} {}, {} {}, {} {}",
            context.either("line", "ligne"),
            line.line,
            context.either("ordered", "commandé"),
            line.ordered.normalize(),
            context.either("shipped", "expédié"),
            line.shipped.normalize(),
            context.either("cancelled", "annulé"),
            line.cancelled.normalize(),
        ));
    }
    for event in &explanation.journal {
        out::line(format!("  {event}"));
    }
}
