//! The goals, the runs they need, and the table at the end.

use crate::mock::Knobs;
use crate::process::{self, Contender};
use crate::runs::{self, Load, Outcome, percentile};
use anyhow::Result;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

/// A line of the table.
struct Goal {
    number: &'static str,
    what: String,
    bare: String,
    ours: String,
    ratio: String,
    target: String,
    met: &'static str,
}

/// Everything a session measures.
pub struct Report {
    quick: bool,
    /// Interleaved runs.
    pub runs: usize,
    goals: Vec<Goal>,
}

/// What was measured, by contender.
pub type Outcomes = BTreeMap<Contender, Vec<Outcome>>;

/// Says a line.
pub fn say(text: impl std::fmt::Display) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    percentile(&values, 0.5)
}

/// The median of a value over the runs of a contender.
pub fn median_of(outcomes: &Outcomes, who: Contender, what: impl Fn(&Outcome) -> f64) -> f64 {
    let all = outcomes.get(&who).into_iter().flatten();
    median(all.map(what).collect())
}

fn latency(part: f64) -> impl Fn(&Outcome) -> f64 {
    move |outcome| percentile(&outcome.latency, part)
}

fn acknowledged(part: f64) -> impl Fn(&Outcome) -> f64 {
    move |outcome| percentile(&outcome.acknowledged, part)
}

fn describe(who: Contender, outcome: &Outcome) -> String {
    let mut text = format!(
        "  {:<9} {:>6.0} orders/s  latency {:.1} / {:.1} ms  ack {:.2} / {:.2} ms  CPU {:.3} s per 1,000  peak {:.0} MB  {:.2} ERP + {:.2} shop calls per order  (mock {:.2} s CPU, load {:.1})",
        who.name(),
        outcome.rate(),
        percentile(&outcome.latency, 0.5),
        percentile(&outcome.latency, 0.99),
        percentile(&outcome.acknowledged, 0.5),
        percentile(&outcome.acknowledged, 0.99),
        outcome.cpu_per_thousand(),
        outcome.peak,
        outcome.calls_per_order(),
        outcome.shop_calls as f64 / outcome.orders.max(1) as f64,
        outcome.mock_cpu,
        outcome.load,
    );
    if let Some((rows, bytes)) = outcome.database {
        let orders = outcome.orders.max(1) as f64;
        text.push_str(&format!(
            "  {:.1} rows, {:.0} bytes of database, {:.0} bytes written per order",
            rows as f64 / orders,
            bytes as f64 / orders,
            outcome.written / orders
        ));
    }
    for wrong in &outcome.wrong {
        text.push_str(&format!("\n            WRONG: {wrong}"));
    }
    text
}

impl Report {
    /// Nothing measured yet.
    pub fn new(quick: bool, runs: usize) -> Self {
        Report {
            quick,
            runs: runs.max(1),
            goals: Vec::new(),
        }
    }

    /// Interleaved runs of both contenders.
    async fn both(&self, title: &str, orders: u64, load: Load, knobs: Knobs) -> Result<Outcomes> {
        say(format!("\n{title} (load average {:.1})", process::load()))?;
        let mut outcomes = Outcomes::new();
        for _ in 0..self.runs {
            for who in [Contender::Bare, Contender::Comptoir] {
                let outcome = runs::run(who, orders, load, knobs).await?;
                say(describe(who, &outcome))?;
                outcomes.entry(who).or_default().push(outcome);
            }
        }
        let last = outcomes
            .get(&Contender::Comptoir)
            .and_then(|all| all.last());
        if let Some(last) = last {
            let names: Vec<String> = last
                .by_name
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            say(format!("  Comptoir's ERP calls: {}", names.join(", ")))?;
        }
        Ok(outcomes)
    }

    /// A goal that is a ratio of Comptoir's median to the bare loop's.
    pub fn ratio(
        &mut self,
        number: &'static str,
        what: &str,
        outcomes: &Outcomes,
        value: impl Fn(&Outcome) -> f64,
        target: Target,
    ) {
        let bare = median_of(outcomes, Contender::Bare, &value);
        let ours = median_of(outcomes, Contender::Comptoir, &value);
        let ratio = ours / bare.max(1e-9);
        let right = outcomes.values().flatten().all(|o| o.wrong.is_empty());
        let (text, met) = match target {
            Target::AtLeast(least) => (format!(">= {least}x"), ratio >= least),
            Target::AtMost(most) => (format!("<= {most}x"), ratio <= most),
            Target::None => (String::new(), true),
        };
        let met = match target {
            Target::None if right => "",
            _ if met && right => "yes",
            _ => "NO",
        };
        self.goals.push(Goal {
            number,
            what: what.to_owned(),
            bare: short(bare),
            ours: short(ours),
            ratio: format!("{ratio:.2}x"),
            target: text,
            met,
        });
    }

    /// A goal that is a value of Comptoir alone.
    pub fn value(
        &mut self,
        number: &'static str,
        what: &str,
        ours: String,
        target: &str,
        met: bool,
    ) {
        self.goals.push(Goal {
            number,
            what: what.to_owned(),
            bare: String::new(),
            ours,
            ratio: String::new(),
            target: target.to_owned(),
            met: if met { "yes" } else { "NO" },
        });
    }

    /// Goals 1, 2 and 3.
    pub async fn bursts(&mut self) -> Result<()> {
        for orders in [2_000, 10_000] {
            let title = format!("flow A: a burst of {orders} orders");
            let outcomes = self
                .both(&title, orders, Load::Burst, Knobs::default())
                .await?;
            let of = |what: &str| format!("flow A, {orders}: {what}");
            let at_least = Target::AtLeast(1.0);
            self.ratio("1", &of("orders/s"), &outcomes, Outcome::rate, at_least);
            self.ratio(
                "2",
                &of("CPU s per 1,000"),
                &outcomes,
                Outcome::cpu_per_thousand,
                Target::AtMost(3.0),
            );
            self.ratio(
                "3",
                &of("ack p99 ms"),
                &outcomes,
                acknowledged(0.99),
                Target::AtMost(10.0),
            );
        }
        Ok(())
    }

    /// Goal 4.
    pub async fn steady(&mut self) -> Result<()> {
        let orders = if self.quick { 300 } else { 1_200 };
        let outcomes = self
            .both(
                "20 orders per second",
                orders,
                Load::Steady(20),
                Knobs::default(),
            )
            .await?;
        self.ratio(
            "4",
            "20/s: latency p50 ms",
            &outcomes,
            latency(0.5),
            Target::AtMost(3.0),
        );
        self.ratio(
            "4",
            "20/s: latency p99 ms",
            &outcomes,
            latency(0.99),
            Target::None,
        );
        let calls = median_of(&outcomes, Contender::Comptoir, Outcome::calls_per_order);
        self.value(
            "5",
            "20/s: ERP calls per order",
            format!("{calls:.2}"),
            "<= 2",
            calls <= 2.0,
        );
        Ok(())
    }

    /// Goal 5, printed twice.
    pub async fn slow_erp(&mut self) -> Result<()> {
        let orders = if self.quick { 400 } else { 2_000 };
        for (title, row_us) in [
            ("an ERP at 100 ms per call", 0),
            ("an ERP at 100 ms per call + 40 ms per order row", 40_000),
        ] {
            let knobs = Knobs {
                call_us: 100_000,
                row_us,
                ..Knobs::default()
            };
            let outcomes = self
                .both(&format!("flow A, {title}"), orders, Load::Burst, knobs)
                .await?;
            let what = format!("{title}: orders/s");
            self.ratio("5", &what, &outcomes, Outcome::rate, Target::AtLeast(10.0));
            let calls = median_of(&outcomes, Contender::Comptoir, Outcome::calls_per_order);
            self.value(
                "5",
                &format!("{title}: calls per order in a backlog"),
                format!("{calls:.2}"),
                "<= 0.5",
                calls <= 0.5,
            );
        }
        Ok(())
    }

    /// Goals 6 and 7.
    pub async fn backfill(&mut self) -> Result<()> {
        let outcomes = self
            .both(
                "flow B: 10,000 orders that are there before",
                10_000,
                Load::Backfill,
                Knobs::default(),
            )
            .await?;
        self.ratio(
            "6",
            "flow B: orders/s",
            &outcomes,
            Outcome::rate,
            Target::AtLeast(1.0),
        );
        self.ratio(
            "6",
            "flow B: CPU s per 1,000",
            &outcomes,
            Outcome::cpu_per_thousand,
            Target::None,
        );
        let small = median_of(&outcomes, Contender::Comptoir, |outcome| outcome.peak);
        let bare = median_of(&outcomes, Contender::Bare, |outcome| outcome.peak);
        self.value(
            "7",
            "flow B: peak RSS at 10,000 orders, MB above the bare loop",
            format!("{:.0} ({small:.0})", small - bare),
            "<= 60 (80)",
            small - bare <= 60.0 && small <= 80.0,
        );
        if self.quick {
            return Ok(());
        }
        say("\nflow B: 100,000 orders, Comptoir only")?;
        let outcome = runs::run(
            Contender::Comptoir,
            100_000,
            Load::Backfill,
            Knobs::default(),
        )
        .await?;
        say(describe(Contender::Comptoir, &outcome))?;
        let met = outcome.peak <= 80.0 && outcome.peak <= small * 1.15 && outcome.wrong.is_empty();
        self.value(
            "7",
            "flow B: peak RSS at 100,000 orders, MB",
            format!("{:.0}", outcome.peak),
            "the same, <= 80",
            met,
        );
        Ok(())
    }

    /// Goal 9.
    pub async fn idle(&mut self) -> Result<()> {
        say("\nidle")?;
        let mut all = Vec::new();
        for _ in 0..self.runs {
            let idle = runs::idle().await?;
            say(format!(
                "  start to first webhook {:.3} s, {:.1} MB after ten seconds (load {:.1})",
                idle.start,
                idle.rss,
                process::load()
            ))?;
            all.push(idle);
        }
        let rss = median(all.iter().map(|idle| idle.rss).collect());
        let start = median(all.iter().map(|idle| idle.start).collect());
        self.value(
            "9",
            "idle RSS, MB",
            format!("{rss:.1}"),
            "<= 30",
            rss <= 30.0,
        );
        self.value(
            "9",
            "start to first accepted webhook, s",
            format!("{start:.3}"),
            "<= 0.3",
            start <= 0.3,
        );
        Ok(())
    }

    /// Goal 10, in short: the whole-system tests do it at length.
    pub async fn faults(&mut self) -> Result<()> {
        let orders = if self.quick { 4_000 } else { 10_000 };
        for (percent, kills) in [(0, 5), (2, 3), (10, 3)] {
            say(format!(
                "\nkill -9 {kills} times, {percent} % each of 5xx before, 502 after, reset before, reset after"
            ))?;
            let limit = Duration::from_secs(if self.quick { 60 } else { 300 });
            let survived = runs::survive(orders, percent, kills, limit).await?;
            say(format!(
                "  {} orders: {} acknowledged, {} refused; {} booked within {:.1} s and {} faults; {} acknowledged and lost in the end",
                survived.orders,
                survived.acknowledged,
                survived.refused,
                survived.through,
                survived.took,
                survived.faults,
                survived.lost
            ))?;
            for wrong in &survived.wrong {
                say(format!("  WRONG: {wrong}"))?;
            }
            let what = format!("{kills} kills, {percent} % of each fault: lost / found wrong");
            let ours = format!("{} / {}", survived.lost, survived.wrong.len());
            let met = survived.lost == 0 && survived.wrong.is_empty();
            self.value("10", &what, ours, "0 / 0", met);
        }
        Ok(())
    }

    /// The table.
    pub fn table(&self) -> Result<()> {
        say(format!("\nmedian of {} interleaved runs", self.runs))?;
        say("| goal | what | bare loop | Comptoir | ratio | target | met |")?;
        say("|---|---|---|---|---|---|---|")?;
        for goal in &self.goals {
            say(format!(
                "| {} | {} | {} | {} | {} | {} | {} |",
                goal.number, goal.what, goal.bare, goal.ours, goal.ratio, goal.target, goal.met
            ))?;
        }
        Ok(())
    }
}

/// What a ratio should be.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// So many times the bare loop's, or more.
    AtLeast(f64),
    /// So many times the bare loop's, or less.
    AtMost(f64),
    /// Shown beside the goals.
    None,
}

fn short(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}
