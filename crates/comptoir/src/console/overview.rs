//! The overview: do both sides agree, what is alive, and what needs a person. Worth keeping open all day.

use super::amount::{self, Sums};
use super::caller::Caller;
use super::chart;
use super::flows::{self, Flows};
use super::frame::{self, Page, Place};
use super::icon::icon;
use super::needs::{self, Group};
use super::refusal::Said;
use super::wording;
use comptoir_model::code::Language;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_store::{DaySum, Sample, Share, StoreError};
use maud::{Markup, html};
use std::collections::BTreeMap;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Causes shown here; the page of what needs a person has them all.
const SHOWN: usize = 6;

/// What became of the orders of a day in one currency, in millionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Money {
    /// What the shops charged.
    pub charged: i64,
    /// What the ERPs hold of it.
    pub there: i64,
    /// On its way.
    pub open: i64,
    /// Held.
    pub held: i64,
    /// Passed over on purpose.
    pub skipped: i64,
    /// By how much orders that both sides hold differ, added up whichever way.
    pub off: i64,
}

impl Money {
    /// What nothing explains.
    pub fn unexplained(&self) -> i64 {
        self.charged - self.there - self.open - self.held - self.skipped
    }
}

/// The orders of today.
#[derive(Debug, Default)]
pub struct Today {
    /// Orders by currency and where they stand.
    pub counts: BTreeMap<(String, Share), u64>,
    /// Money by currency.
    pub money: BTreeMap<String, Money>,
}

impl Today {
    /// Adds what a store told.
    pub fn add(&mut self, sum: &DaySum) {
        let key = (sum.currency.clone(), sum.share);
        *self.counts.entry(key).or_default() += sum.count;
        let money = self.money.entry(sum.currency.clone()).or_default();
        money.charged += sum.charged;
        match sum.share {
            Share::Held => money.held += sum.charged,
            Share::Open => money.open += sum.charged,
            Share::Done => {
                money.there += sum.there;
                money.off += sum.off;
            }
            Share::Skipped => money.skipped += sum.charged,
            Share::Unseen => {}
        }
    }

    /// All orders.
    pub fn all(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Those of which this holds.
    fn count(&self, is_meant: impl Fn(&str, Share) -> bool) -> u64 {
        let meant = |((currency, share), _): &(&(String, Share), &u64)| is_meant(currency, *share);
        self.counts
            .iter()
            .filter(meant)
            .map(|(_, count)| count)
            .sum()
    }

    fn explained(&self) -> bool {
        self.money
            .values()
            .all(|money| money.unexplained() == 0 && money.off == 0)
    }
}

/// The flows of orders that read from each connection.
fn sources(caller: &Caller) -> BTreeMap<ConnectionName, Vec<FlowName>> {
    let mut sources: BTreeMap<ConnectionName, Vec<FlowName>> = BTreeMap::new();
    for (name, flow) in &caller.present.config.flows {
        if flow.kind == Kind::Order {
            sources
                .entry(flow.from.clone())
                .or_default()
                .push(name.clone());
        }
    }
    sources
}

/// Adds up the orders of today.
pub async fn today(caller: &Caller) -> Result<Today, StoreError> {
    let (since, until) = wording::day_around(&caller.zone, caller.now);
    let mut today = Today::default();
    for (source, flows) in sources(caller) {
        for sum in caller
            .store()
            .day_sums(&source, &flows, since, until)
            .await?
        {
            today.add(&sum);
        }
    }
    Ok(today)
}

/// What the page shows.
struct Seen {
    today: Today,
    groups: Vec<Group>,
    flows: Flows,
    hours: Vec<(i64, u64)>,
    samples: Vec<Sample>,
}

async fn look(caller: &Caller) -> Result<Seen, StoreError> {
    let since = caller.now - DAY_MS;
    let since = since - since.rem_euclid(HOUR_MS);
    let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
    for source in sources(caller).into_keys() {
        let placed = caller
            .store()
            .placed_by(&source, since, caller.now + 1, HOUR_MS);
        for (at, count) in placed.await? {
            *hours.entry(at).or_default() += count;
        }
    }
    let all = (0..=24)
        .map(|hour| since + hour * HOUR_MS)
        .filter(|at| *at <= caller.now);
    let hours = all.map(|at| (at, hours.get(&at).copied().unwrap_or_default()));
    Ok(Seen {
        today: today(caller).await?,
        groups: needs::groups(caller).await?,
        flows: flows::look(caller).await?,
        hours: hours.collect(),
        samples: caller.store().samples(caller.now - 14 * DAY_MS).await?,
    })
}

/// `GET /`.
pub async fn page(caller: Caller) -> Result<Markup, Said> {
    let seen = look(&caller).await;
    let seen = seen.map_err(|error| caller.broken(error))?;
    let title = title(&caller, &seen.today);
    let body = html! {
        div.cols.over {
            (money_card(&caller, &seen.today))
            div.rail {
                (causes_card(&caller, &seen.groups))
                (alarms_card(&caller, &seen.flows))
            }
            (flows::map(&caller, &seen.flows))
            (trends(&caller, &seen))
        }
    };
    let mut page = Page::new(Place::Overview, &title, body);
    page.live = true;
    frame::page(&caller, page).await
}

/// The answer: how many of today's orders are held, and whether every cent is accounted for.
fn title(caller: &Caller, today: &Today) -> String {
    let french = caller.language == Language::French;
    let (all, held) = (today.all(), today.count(|_, share| share == Share::Held));
    let orders = |count| {
        wording::counted(
            caller.language,
            count,
            ["order", "commande"],
            ["orders", "commandes"],
        )
    };
    let first = match (all, held) {
        (0, _) => caller
            .t("No order yet today.", "Pas encore de commande aujourd’hui.")
            .to_owned(),
        (_, 0) if french => format!("{} aujourd’hui, aucune retenue.", orders(all)),
        (_, 0) => format!("{} today, none held.", orders(all)),
        (_, held) if french => format!("{held} sur {} retenues.", orders(all)),
        (_, held) => format!("{held} of {} are held.", orders(all)),
    };
    let second = match (all, today.explained()) {
        (0, _) => "",
        (_, true) => caller.t(
            " Every cent is accounted for.",
            " Chaque centime est expliqué.",
        ),
        (_, false) => caller.t(
            " Some money is unexplained.",
            " Une somme reste inexpliquée.",
        ),
    };
    format!("{first}{second}")
}

/// Money as an equation, a line for each currency.
fn money_card(caller: &Caller, today: &Today) -> Markup {
    let language = caller.language;
    let orders = |count| {
        wording::counted(
            language,
            count,
            ["order", "commande"],
            ["orders", "commandes"],
        )
    };
    html! {
        section.card aria-labelledby="s-money" {
            header {
                h2 #s-money { (caller.t("Money of today’s orders", "L’argent des commandes du jour")) }
                span.mute.end { (wording::day(language, &caller.zone, caller.now, caller.now)) ", " (caller.present.config.hub.time_zone) }
            }
            @if today.money.is_empty() {
                p.pad.sub { (caller.t("The first order of the day will show here.", "La première commande du jour s’affichera ici.")) }
            }
            @for (currency, money) in &today.money {
                @let text = |value: i64| amount::money(language, value, currency);
                @let counted = |share| orders(today.count(|of, is| of == currency && is == share));
                dl.eq {
                    div.e { dt { (caller.t("Charged", "Facturé")) } dd { (text(money.charged)) } dd { (orders(today.count(|of, _| of == currency))) } }
                    div.e { dt { (caller.t("In the ERPs", "Dans les ERP")) } dd { (text(money.there)) } dd { (counted(Share::Done)) } }
                    div.e { dt { (caller.t("On the way", "En route")) } dd.zero[money.open == 0] { (text(money.open)) } dd { (counted(Share::Open)) } }
                    div.e { dt { (caller.t("Held", "Retenu")) } dd.zero[money.held == 0] { (text(money.held)) } dd { (counted(Share::Held)) } }
                    div.e { dt { (caller.t("Skipped", "Ignoré")) } dd.zero[money.skipped == 0] { (text(money.skipped)) } dd { (counted(Share::Skipped)) } }
                    div.e { dt { (caller.t("Unexplained", "Inexpliqué")) } dd.zero[money.unexplained() == 0] { (text(money.unexplained())) } dd { (counted(Share::Unseen)) } }
                }
                (chart::bar(money))
            }
        }
    }
}

fn causes_card(caller: &Caller, groups: &[Group]) -> Markup {
    let language = caller.language;
    html! {
        section.card aria-labelledby="s-need" {
            header {
                h2 #s-need { (caller.t("Needs me", "À traiter")) }
                @if groups.len() > SHOWN { a href="/needs" { (caller.t("All", "Tout")) " " (groups.len()) } }
                @else if !groups.is_empty() { a href="/needs" { (caller.t("Open", "Ouvrir")) } }
            }
            @if groups.is_empty() {
                p.pad.sub { (caller.t("Nothing. What comes by itself is on its way.", "Rien. Ce qui vient de soi-même est en route.")) }
            } @else {
                ul.list { @for group in groups.iter().take(SHOWN) { li.held {
                    (icon("held"))
                    span { a href="/needs" { (group.title(language)) } small { (group.counted(language)) ", " (caller.ago(group.since)) } }
                    span.n { (Sums::text(&group.sums, language)) }
                } } }
            }
        }
    }
}

fn alarms_card(caller: &Caller, seen: &Flows) -> Markup {
    let alarms = flows::alarms(caller, seen);
    html! {
        @if !alarms.is_empty() {
            section.card aria-labelledby="s-alarm" {
                header { h2 #s-alarm { (caller.t("Alarms", "Alertes")) } a href="/systems" { (caller.t("Systems", "Systèmes")) } }
                ul.list { @for alarm in &alarms { li.held {
                    (icon(alarm.icon))
                    span { a href=(alarm.href) { (alarm.title) } small { (alarm.words) } }
                } } }
            }
        }
    }
}

fn trends(caller: &Caller, seen: &Seen) -> Markup {
    let language = caller.language;
    let now = seen.hours.last().map_or(0, |(_, count)| *count);
    let day: u64 = seen.hours.iter().map(|(_, count)| count).sum();
    let counts: Vec<f64> = seen.hours.iter().map(|(_, count)| *count as f64).collect();
    let by_hour = |pick: fn(&Sample) -> i64| {
        let mut hours: BTreeMap<i64, i64> = BTreeMap::new();
        for sample in seen
            .samples
            .iter()
            .filter(|sample| sample.at >= caller.now - DAY_MS)
        {
            *hours.entry(sample.at).or_default() += pick(sample);
        }
        hours
            .into_values()
            .map(|value| value as f64)
            .collect::<Vec<f64>>()
    };
    let (done, held) = (by_hour(|sample| sample.done), by_hour(|sample| sample.held));
    // What stands now is asked for now: a sample may be a minute old.
    let moved: u64 = seen.flows.flows.iter().map(|flow| flow.moved).sum();
    let held_now: u64 = seen.groups.iter().map(|group| group.count).sum();
    let late = seen.flows.latest_lag();
    let orders = wording::counted(
        language,
        day,
        ["order", "commande"],
        ["orders", "commandes"],
    );
    html! {
        section.trends aria-label=(caller.t("Trends", "Tendances")) {
            figure.card.trend {
                figcaption { (caller.t("Orders per hour", "Commandes par heure")) }
                p { (wording::number(language, now)) " " small { (orders) (caller.t(" in 24 hours", " en 24 heures")) } }
                (chart::bars(&counts))
            }
            figure.card.trend {
                figcaption { (caller.t("Moved per hour", "Mouvements par heure")) }
                p { (wording::number(language, moved)) " " small { (caller.t("in the last hour, all flows", "dans la dernière heure, tous les flux")) } }
                (chart::bars(&done))
            }
            figure.card.trend {
                figcaption { (caller.t("Held, most in the hour", "Retenues, au plus dans l’heure")) }
                p { (wording::number(language, held_now)) " " small { (caller.t("now, all flows", "maintenant, tous les flux")) } }
                (chart::bars(&held))
            }
            figure.card.trend {
                figcaption { (caller.t("Longest waiting to be begun", "Attente la plus longue")) }
                p { @match late { Some(ms) => (wording::span(language, ms)), None => "0 s" } " " small { (caller.t("now, all flows", "maintenant, tous les flux")) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_adds_up_or_says_what_it_cannot_explain() {
        let sum = |share, charged, there| DaySum {
            currency: "EUR".to_owned(),
            share,
            count: 1,
            charged,
            there,
            off: i64::abs(charged - there),
        };
        let mut today = Today::default();
        for sum in [
            sum(Share::Done, 100, 100),
            sum(Share::Held, 50, 0),
            sum(Share::Open, 20, 0),
            sum(Share::Skipped, 5, 0),
        ] {
            today.add(&sum);
        }
        assert!(today.explained());
        assert_eq!(today.all(), 4);
        today.add(&DaySum {
            currency: "JPY".to_owned(),
            ..sum(Share::Held, 3, 0)
        });
        let held = |currency: &str| today.count(|of, share| of == currency && share == Share::Held);
        assert_eq!((held("EUR"), held("JPY")), (1, 1));
        today.add(&sum(Share::Done, 100, 99));
        assert_eq!(today.money["EUR"].unexplained(), 1);
        today.add(&sum(Share::Done, 100, 101));
        assert_eq!(today.money["EUR"].unexplained(), 0);
        assert!(
            !today.explained(),
            "a cent too many does not explain one too few"
        );
        today.add(&sum(Share::Done, 100, 99));
        today.add(&sum(Share::Unseen, 7, 0));
        assert_eq!(today.money["EUR"].unexplained(), 8);
        assert!(!today.explained());
    }
}
