//! Systems and flows, alive: who sends what to whom, how much, how late, and whether anything is silent.

use super::caller::Caller;
use super::causes;
use super::icon::{chip, icon};
use super::wording;
use comptoir_engine::flow::Mode;
use comptoir_model::code::Language;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_store::{Activity, ConnectionRow, Halt, Scope, StoreError, StreamAge};
use maud::{Markup, html};
use std::collections::BTreeMap;

const HOUR_MS: i64 = 3_600_000;
/// A flow whose oldest due record waits longer than this is late.
const LATE_MS: i64 = 5 * 60_000;

/// How a flow stands.
pub struct FlowNow {
    /// Name.
    pub name: FlowName,
    /// What it carries.
    pub kind: Kind,
    /// Source.
    pub from: ConnectionName,
    /// Target.
    pub to: ConnectionName,
    /// Mode.
    pub mode: Mode,
    /// Entries of the journal in the last hour.
    pub moved: u64,
    /// How long the oldest due record has waited, in milliseconds.
    pub lag: Option<i64>,
    /// Held records.
    pub held: u64,
    /// A person paused it.
    pub paused: bool,
}

/// Everything that is alive.
pub struct Flows {
    /// Flows, by source and name.
    pub flows: Vec<FlowNow>,
    /// Connections.
    pub connections: Vec<ConnectionRow>,
    /// Streams.
    pub streams: Vec<StreamAge>,
    /// What is stopped.
    pub halts: Vec<Halt>,
}

impl Flows {
    /// The longest lag of all flows.
    pub fn latest_lag(&self) -> Option<i64> {
        self.flows.iter().filter_map(|flow| flow.lag).max()
    }

    /// A connection's row.
    pub fn connection(&self, name: &ConnectionName) -> Option<&ConnectionRow> {
        self.connections.iter().find(|row| row.name == *name)
    }

    /// Whether writing to it is stopped.
    fn is_halted(&self, name: &ConnectionName) -> bool {
        self.halts.iter().any(|halt| match &halt.scope {
            Scope::All => true,
            Scope::Connection(halted) => halted == name,
            Scope::Flow(_) => false,
        })
    }
}

/// Looks at everything.
pub async fn look(caller: &Caller) -> Result<Flows, StoreError> {
    let store = caller.store();
    let config = &caller.present.config;
    let mut moved: BTreeMap<FlowName, u64> = BTreeMap::new();
    for name in config.connections.keys() {
        let rows: Vec<Activity> = store.activity(name, caller.now - HOUR_MS).await?;
        for row in rows {
            if let Some(flow) = row.flow {
                *moved.entry(flow).or_default() += row.count;
            }
        }
    }
    let streams = store.streams().await?;
    let halts = store.halts().await?;
    let mut flows = Vec::new();
    for (name, flow) in &config.flows {
        let held = store.held_sums(name, &flow.from).await?;
        let lag = store.overdue(name, flow.kind, &flow.to, caller.now).await?;
        flows.push(FlowNow {
            name: name.clone(),
            kind: flow.kind,
            from: flow.from.clone(),
            to: flow.to.clone(),
            mode: flow.mode,
            moved: moved.get(name).copied().unwrap_or_default(),
            lag: lag.map(|late| (caller.now - late.since).max(0)),
            held: held.iter().map(|sum| sum.count).sum(),
            paused: halts
                .iter()
                .any(|halt| halt.scope == Scope::Flow(name.clone())),
        });
    }
    flows.sort_by(|a, b| (shop_side(a), &a.name).cmp(&(shop_side(b), &b.name)));
    Ok(Flows {
        flows,
        connections: store.connections().await?,
        streams,
        halts,
    })
}

/// The connection of a flow that stands on the left: that of orders is their source, that of stock and shipments their target.
fn shop_side(flow: &FlowNow) -> &ConnectionName {
    match is_rightward(flow) {
        true => &flow.from,
        false => &flow.to,
    }
}

fn erp_side(flow: &FlowNow) -> &ConnectionName {
    match is_rightward(flow) {
        true => &flow.to,
        false => &flow.from,
    }
}

fn is_rightward(flow: &FlowNow) -> bool {
    matches!(flow.kind, Kind::Order | Kind::Customer | Kind::Refund)
}

/// Something a person should look at.
pub struct Alarm {
    /// Its icon.
    pub icon: &'static str,
    /// Where to go.
    pub href: String,
    /// What it is.
    pub title: String,
    /// More words.
    pub words: String,
}

/// What is paused by a fault, late, or without an owner.
pub fn alarms(caller: &Caller, seen: &Flows) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let french = caller.language == Language::French;
    for row in &seen.connections {
        let known = caller.present.config.connections.contains_key(&row.name);
        let (Some(until), Some(fault)) = (row.paused_until, &row.pause_cause) else {
            continue;
        };
        if known && until > caller.now {
            alarms.push(Alarm {
                icon: "alarm",
                href: format!("/systems#{}", row.name),
                title: match french {
                    true => format!("{} ne répond pas comme il faut", row.name),
                    false => format!("{} does not answer as it should", row.name),
                },
                words: crate::words::fault(caller.language, fault),
            });
        }
    }
    for flow in seen.flows.iter().filter(|flow| flow.mode != Mode::Off) {
        let Some(lag) = flow.lag.filter(|lag| *lag > LATE_MS) else {
            continue;
        };
        let span = wording::span(caller.language, lag);
        alarms.push(Alarm {
            icon: "wait",
            href: "/systems".to_owned(),
            title: match french {
                true => format!("{} est en retard", flow.name),
                false => format!("{} is late", flow.name),
            },
            words: match french {
                true => format!("la plus ancienne attend depuis {span}"),
                false => format!("the oldest has waited for {span}"),
            },
        });
    }
    alarms
}

fn kind_title(caller: &Caller, kind: Kind) -> String {
    let (_, [english, french]) = causes::kind_words(kind);
    let word = match (kind, caller.language) {
        (Kind::Stock, _) => "Stock",
        (_, Language::English) => english,
        (_, Language::French) => french,
    };
    let mut letters = word.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

/// How a flow stands, in one chip.
fn state(caller: &Caller, seen: &Flows, flow: &FlowNow) -> Markup {
    if flow.mode == Mode::Off {
        return chip("idle", "skip", caller.t("Off", "Arrêté"));
    }
    if flow.paused || seen.is_halted(&flow.to) {
        return chip("held", "stop", caller.t("Paused", "Suspendu"));
    }
    if flow.held > 0 {
        let words = wording::counted(
            caller.language,
            flow.held,
            ["held", "retenue"],
            ["held", "retenues"],
        );
        return chip("held", "held", &words);
    }
    match flow.mode {
        Mode::Shadow => chip("unk", "shadow", caller.t("Shadow", "À blanc")),
        _ if flow.lag.is_some_and(|lag| lag > LATE_MS) => {
            chip("wait", "wait", caller.t("Late", "En retard"))
        }
        _ => chip("ok", "ok", caller.t("Live", "Actif")),
    }
}

/// The live picture: shops on the left, ERPs on the right, a wire for each flow. Few rows; beyond them the table goes on without wires.
pub fn map(caller: &Caller, seen: &Flows) -> Markup {
    let language = caller.language;
    let count = |n: usize, one, many| wording::counted(language, n as u64, one, many);
    let flows = count(seen.flows.len(), ["flow", "flux"], ["flows", "flux"]);
    let systems = count(
        caller.present.config.connections.len(),
        ["connection", "connexion"],
        ["connections", "connexions"],
    );
    let left = spans(seen.flows.iter().map(shop_side));
    let right = erp_rows(seen);
    let rows = seen.flows.len();
    html! {
        section.card aria-labelledby="s-map" {
            header {
                h2 #s-map { (caller.t("Systems and flows", "Systèmes et flux")) }
                span.mute.end { (systems) ", " (flows) ", " (caller.t("last hour", "dernière heure")) }
            }
            table.map {
                thead { tr {
                    th.side-h scope="col" { (caller.t("Shops", "Boutiques")) } td.side-h {}
                    th.first scope="col" { (caller.t("Flow", "Flux")) }
                    th.n scope="col" { (caller.t("Moved", "Mouvements")) }
                    th.n scope="col" { (caller.t("Lag", "Délai")) }
                    th scope="col" { (caller.t("State", "État")) }
                    td.side-h {} th.side-h scope="col" { "ERP" }
                } }
                tbody { @for (index, flow) in seen.flows.iter().enumerate() { tr {
                    @if let Some((name, span)) = left.get(&index) { th scope="rowgroup" rowspan=(span) { (node(caller, seen, name)) } }
                    @if index == 0 { td.wire rowspan=(rows) aria-hidden="true" { (wires(seen, &left, true)) } }
                    td.flow.first {
                        (icon(if is_rightward(flow) { "r" } else { "l" })) " "
                        a href={ "/systems#" (flow.name) } { (kind_title(caller, flow.kind)) span.vh { " " (flow.from) " → " (flow.to) } }
                        span.fromto aria-hidden="true" { (flow.from) " → " (flow.to) }
                    }
                    td.flow.n { (wording::number(language, flow.moved)) "/h" }
                    td.flow.n { @match flow.lag { Some(lag) => (wording::span(language, lag)), None => span.zero { "0 s" } } }
                    td.flow { (state(caller, seen, flow)) }
                    @if index == 0 { td.wire rowspan=(rows) aria-hidden="true" { (wires(seen, &right, false)) } }
                    @if let Some((name, span)) = right.get(&index) { th scope="rowgroup" rowspan=(span) { (node(caller, seen, name)) } }
                } } }
            }
        }
    }
}

/// Where each run of equal neighbours begins, and how long it is.
fn spans<'a>(
    names: impl Iterator<Item = &'a ConnectionName>,
) -> BTreeMap<usize, (ConnectionName, usize)> {
    let mut spans: BTreeMap<usize, (ConnectionName, usize)> = BTreeMap::new();
    for (index, name) in names.enumerate() {
        match spans.iter_mut().next_back() {
            Some((_, (last, length))) if last == name => *length += 1,
            _ => drop(spans.insert(index, (name.clone(), 1))),
        }
    }
    spans
}

fn erp_rows(seen: &Flows) -> BTreeMap<usize, (ConnectionName, usize)> {
    spans(seen.flows.iter().map(erp_side))
}

fn node(caller: &Caller, seen: &Flows, name: &ConnectionName) -> Markup {
    let row = seen.connection(name);
    let version = row
        .and_then(|row| row.account.as_ref())
        .map(|account| account.version.clone());
    let config = caller.present.config.connections.get(name);
    let about = version.or_else(|| config.map(|config| config.connector.clone()));
    let troubled = row.is_some_and(|row| row.paused_until.is_some_and(|until| until > caller.now));
    let class = if troubled || seen.is_halted(name) {
        "held"
    } else {
        "ok"
    };
    html! {
        a class={ "node " (class) } href={ "/systems#" (name) } {
            b { (name) } small { (about.unwrap_or_default()) }
        }
    }
}

/// Wires from the middle of each node to the rows of its flows: wider where more moves, dashed where nothing is written.
fn wires(seen: &Flows, nodes: &BTreeMap<usize, (ConnectionName, usize)>, left: bool) -> Markup {
    let height = seen.flows.len() * 40;
    let path = |index: usize, flow: &FlowNow| {
        let (start, (_, length)) = nodes.range(..=index).next_back()?;
        let middle = (*start as f64 + *length as f64 / 2.0) * 40.0;
        let spread = (index as f64 - *start as f64 - (*length as f64 - 1.0) / 2.0) * 5.0;
        let (node, row) = (middle + spread, index as f64 * 40.0 + 20.0);
        let (from, to) = if left { (node, row) } else { (row, node) };
        let d = format!("M0 {from:.0}C55 {from:.0} 45 {to:.0} 100 {to:.0}");
        let width = match flow.moved {
            0 => "1.25",
            1..=20 => "1.75",
            21..=200 => "2.25",
            _ => "3",
        };
        let dashed = flow.mode != Mode::Live || flow.paused;
        Some(html! { path.dash[dashed] stroke-width=(width) d=(d) {} })
    };
    html! {
        svg viewBox={ "0 0 100 " (height) } preserveAspectRatio="none" aria-hidden="true" {
            @for (index, flow) in seen.flows.iter().enumerate() {
                @if let Some(path) = path(index, flow) { (path) }
            }
        }
    }
}
