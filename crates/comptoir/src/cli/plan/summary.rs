//! What a plan comes to: counts, money, caps, and some records field by field.

use super::fields::{Field, differing};
use crate::cli::Context;
use crate::{out, words};
use comptoir_engine::decide::Proposal;
use comptoir_engine::preview::{Next, Preview};
use comptoir_model::Decimal;
use comptoir_model::document::Document;
use comptoir_model::key::{FlowName, Kind};
use comptoir_model::port::Step;
use serde::Serialize;
use std::collections::BTreeMap;

/// Fields shown of one write on a terminal; `--json` has them all.
const FIELDS: usize = 12;

/// What a plan would do to the sums of the target's orders, in one currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Money {
    /// Orders that would be made.
    pub made: Decimal,
    /// Orders that would be changed: after, less before.
    pub changed: Decimal,
    /// Orders that would be called off.
    pub called_off: Decimal,
}

/// What the cap on creates leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CapRoom {
    /// Creates per rolling hour.
    pub cap: usize,
    /// Made in the last hour.
    pub made: usize,
    /// Creates of the plan that would wait for the next hours.
    pub over: usize,
}

impl CapRoom {
    /// The room under a cap; none where there is no cap (0).
    pub fn of(cap: usize, made: usize, planned: usize) -> Option<Self> {
        let room = cap.saturating_sub(made);
        (cap > 0).then_some(CapRoom {
            cap,
            made,
            over: planned.saturating_sub(room),
        })
    }
}

/// One write of a sample.
#[derive(Debug, Clone, Serialize)]
pub struct SampleWrite {
    /// `create`, `update`, `confirm`, `cancel`.
    pub step: &'static str,
    /// What is written.
    pub kind: Kind,
    /// Our key in the target.
    pub key: String,
    /// The target's record; none for a create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Field by field.
    pub fields: Vec<Field>,
}

impl SampleWrite {
    /// A write, field by field.
    pub fn of(proposal: &Proposal) -> Self {
        let state_only = matches!(proposal.step, Step::Confirm | Step::Cancel);
        SampleWrite {
            step: proposal.step.as_str(),
            kind: proposal.subject.kind,
            key: proposal.key().to_string(),
            target: proposal.target.as_ref().map(ToString::to_string),
            fields: match state_only {
                true => Vec::new(),
                false => differing(proposal.before.as_ref(), &proposal.document),
            },
        }
    }
}

/// A record of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// Its id in the source.
    pub record: String,
    /// What would be written, in order.
    pub writes: Vec<SampleWrite>,
}

/// What a plan comes to.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// Its id; none when nothing is to be written.
    pub plan: Option<String>,
    /// Its flow.
    pub flow: String,
    /// Writes by step and kind.
    pub writes: BTreeMap<String, usize>,
    /// Records that are not imported, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// Records that are held or wait, by cause.
    pub stopped: BTreeMap<String, usize>,
    /// Records that agree already.
    pub nothing: usize,
    /// The target could not be asked.
    pub unreachable: Option<String>,
    /// No record of the flow has been read yet: that nothing is to be written says nothing.
    pub unread: bool,
    /// What it does to the sums of orders, by currency.
    pub amounts: BTreeMap<String, Money>,
    /// What the flow's cap leaves.
    pub caps: Option<CapRoom>,
    /// Some records, field by field.
    pub samples: Vec<Sample>,
}

impl Summary {
    /// The summary of these previews, with so many samples.
    pub fn of(flow: &FlowName, previews: &[Preview], samples: usize) -> Self {
        let mut summary = Summary {
            flow: flow.to_string(),
            ..Summary::default()
        };
        for preview in previews {
            summary.add(preview);
        }
        let written = previews
            .iter()
            .filter(|preview| preview.writes().next().is_some());
        let sample = |preview: &Preview| Sample {
            record: preview.record.id.to_string(),
            writes: preview.writes().map(SampleWrite::of).collect(),
        };
        summary.samples = written.take(samples).map(sample).collect();
        summary
    }

    fn add(&mut self, preview: &Preview) {
        match &preview.next {
            Next::Nothing => self.nothing += 1,
            Next::Skip(reason) => *self.skipped.entry(reason.clone()).or_default() += 1,
            Next::Stop(causes) => {
                let cause = causes.first().cloned().unwrap_or_default();
                *self.stopped.entry(cause).or_default() += 1;
            }
            Next::Unknown(fault) => self.unreachable = Some(fault.to_string()),
            Next::Write(_) => {}
        }
        for proposal in preview.writes() {
            let what = format!("{} {}", proposal.step.as_str(), proposal.subject.kind);
            *self.writes.entry(what).or_default() += 1;
            self.add_money(proposal);
        }
    }

    fn add_money(&mut self, proposal: &Proposal) {
        let Document::Order(order) = &proposal.document else {
            return;
        };
        let money = self.amounts.entry(order.currency.to_string()).or_default();
        let before = proposal.before.as_ref().and_then(Document::as_order);
        match proposal.step {
            Step::Create => money.made += order.totals.total,
            Step::Cancel => money.called_off += order.totals.total,
            // A rounding line is added to a total that stands in both.
            Step::Update => {
                let lines = |order: &comptoir_model::order::Order| -> Decimal {
                    order.lines.iter().map(|line| line.net + line.tax).sum()
                };
                let before = before.map(lines).unwrap_or_default();
                money.changed += lines(order) - before;
            }
            Step::Confirm => {}
        }
    }

    /// Prints it.
    pub fn show(&self, context: &Context) {
        out::line(format!("{}:", self.flow));
        for (what, count) in &self.writes {
            out::line(format!("  + {count:>6} {what}"));
        }
        self.show_money(context);
        for (reason, count) in &self.skipped {
            out::line(format!("  − {count:>6} {reason}"));
        }
        for (cause, count) in &self.stopped {
            out::line(format!("  ‖ {count:>6} {cause}"));
        }
        if let Some(fault) = &self.unreachable {
            out::line(format!("  ! {fault}"));
        }
        if let Some(caps) = self.caps.filter(|caps| caps.over > 0) {
            let text = context.either(
                "creates wait: the cap is {cap} an hour, {made} were made in the last one",
                "créations attendent : le plafond est de {cap} par heure, {made} dans la dernière",
            );
            let text = text
                .replace("{cap}", &caps.cap.to_string())
                .replace("{made}", &caps.made.to_string());
            out::line(format!("  ! {:>6} {text}", caps.over));
        }
        for sample in &self.samples {
            show_sample(sample);
        }
        match &self.plan {
            Some(plan) => out::line(format!("  comptoir apply {plan}")),
            None if self.unread => out::line(context.either(
                "  no order has been read yet: start `comptoir serve`, and ask again",
                "  aucune commande n'a encore été lue : lancer « comptoir serve », puis redemander",
            )),
            None => out::line(context.either("  nothing to write", "  rien à écrire")),
        }
    }

    fn show_money(&self, context: &Context) {
        for (currency, money) in &self.amounts {
            let Ok(currency) = currency.parse() else {
                continue;
            };
            let rows = [
                (context.either("orders of", "commandes pour"), money.made),
                (
                    context.either("changes of", "modifications pour"),
                    money.changed,
                ),
                (
                    context.either("called off:", "annulées :"),
                    money.called_off,
                ),
            ];
            for (label, amount) in rows.iter().filter(|(_, amount)| !amount.is_zero()) {
                let amount = words::money(context.language, *amount, currency);
                out::line(format!("      {label} {amount}"));
            }
        }
    }
}

fn show_sample(sample: &Sample) {
    for write in &sample.writes {
        let target = write.target.as_deref().unwrap_or("+");
        out::line(format!(
            "  · {} {} {} ({target})",
            sample.record, write.step, write.kind
        ));
        for field in write.fields.iter().take(FIELDS) {
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
            let line = match &field.from {
                None => format!("      {}: {}", field.field, text(&field.to)),
                Some(_) => format!(
                    "      {}: {} → {}",
                    field.field,
                    text(&field.from),
                    text(&field.to)
                ),
            };
            out::line(line);
        }
        let more = write.fields.len().saturating_sub(FIELDS);
        if more > 0 {
            out::line(format!("      … {more}"));
        }
    }
}
