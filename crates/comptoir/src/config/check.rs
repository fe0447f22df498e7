//! What one file of a workspace says of another, of its connector, and of the order.

use super::parse::line_of;
use super::{Config, Files, FlowConfig, Problem, quiet_minutes};
use comptoir_engine::schedule::minute_of_day;
use comptoir_model::Decimal;
use comptoir_model::code::Code;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_model::port::Step;
use comptoir_rules::order::FIELD_VALUES;

/// A file with its text, for problems that name a line.
struct Source<'a> {
    path: String,
    text: &'a str,
}

impl<'a> Source<'a> {
    fn of(files: &'a Files, path: String) -> Self {
        let text = files.get(&path).map_or("", String::as_str);
        Source { path, text }
    }

    /// A problem of one of its settings.
    fn at(&self, setting: &str, problem: Problem) -> Problem {
        problem.file(&self.path).line(line_of(self.text, setting))
    }
}

/// Adds every problem to the list.
pub(super) fn all(config: &Config, files: &Files, problems: &mut Vec<Problem>) {
    problems.extend(time_zone(config, files));
    connections(config, files, problems);
    for (name, flow) in &config.flows {
        check_flow(config, files, name, flow, problems);
    }
}

fn time_zone(config: &Config, files: &Files) -> Option<Problem> {
    let name = &config.hub.time_zone;
    jiff::tz::TimeZone::get(name).err()?;
    let problem = Problem::new(
        Code::BadValue,
        format!("there is no time zone `{name}`"),
        format!("il n'y a pas de fuseau horaire `{name}`"),
    );
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|zone| zone.as_str().to_owned())
        .collect();
    let near = super::problem::nearest(name, known.iter().map(String::as_str));
    let problem = match near {
        Some(near) => problem.suggest(name, [near]),
        None => problem.fix(
            "use an IANA name such as \"Europe/Paris\"",
            "prendre un nom IANA tel que \"Europe/Paris\"",
        ),
    };
    Some(Source::of(files, "comptoir.toml".to_owned()).at("time_zone", problem))
}

/// Connectors that do not exist, and settings that their connector does not have.
fn connections(config: &Config, files: &Files, problems: &mut Vec<Problem>) {
    for (name, connection) in &config.connections {
        let source = Source::of(files, format!("connections/{name}.toml"));
        let spec = match crate::workspace::spec(&connection.connector) {
            Ok(spec) => spec,
            Err(problem) => {
                problems.push(source.at("connector", problem));
                continue;
            }
        };
        let schema = (spec.settings)().to_value();
        let known: Vec<&str> = schema["properties"]
            .as_object()
            .map(|properties| properties.keys().map(String::as_str).collect())
            .unwrap_or_default();
        let given = connection.settings.as_object().into_iter().flatten();
        for (setting, _) in given.filter(|(setting, _)| !known.contains(&setting.as_str())) {
            let problem = Problem::new(
                Code::UnknownSetting,
                format!("connector `{}` has no setting `{setting}`", spec.name),
                format!(
                    "le connecteur `{}` n'a pas de réglage `{setting}`",
                    spec.name
                ),
            );
            let problem = problem.suggest(setting, known.iter().copied());
            problems.push(source.at(setting, problem));
        }
    }
}

fn check_flow(
    config: &Config,
    files: &Files,
    name: &FlowName,
    flow: &FlowConfig,
    problems: &mut Vec<Problem>,
) {
    let source = Source::of(files, format!("flows/{name}.toml"));
    for (setting, connection) in [("from", &flow.from), ("to", &flow.to)] {
        if !config.connections.contains_key(connection) {
            let problem = no_connection(config, setting, connection);
            problems.push(source.at(setting, problem));
        }
    }
    check_kind(config, flow, &source, problems);
    check_stock(flow, &source, problems);
    for value in flow.policy.fields.keys() {
        if FIELD_VALUES.contains(&value.as_str()) {
            continue;
        }
        let problem = Problem::new(
            Code::UnknownRuleField,
            format!("`policy.fields` names `{value}`, which is no value of an order"),
            format!("`policy.fields` nomme `{value}`, qui n'est pas une valeur de commande"),
        );
        problems.push(source.at(value, problem.suggest(value, FIELD_VALUES)));
    }
    if let Some(cron) = &flow.cron
        && let Err(why) = comptoir_engine::schedule::check_cron(cron)
    {
        let problem = Problem::new(
            Code::BadValue,
            format!("`cron = \"{cron}\"` is no schedule: {why}"),
            format!("`cron = \"{cron}\"` n'est pas un horaire : {why}"),
        )
        .fix(
            "write it as \"*/5 * * * *\" (minute hour day month weekday)",
            "l'écrire comme \"*/5 * * * *\" (minute heure jour mois jour de semaine)",
        );
        problems.push(source.at("cron", problem));
    }
    if let Some(quiet) = &flow.quiet
        && quiet_minutes(quiet).is_none()
    {
        let problem = Problem::new(
            Code::BadValue,
            format!("`quiet = \"{quiet}\"` is no span of hours"),
            format!("`quiet = \"{quiet}\"` n'est pas une plage horaire"),
        )
        .fix(
            "write it as \"22:00-06:00\"",
            "l'écrire comme \"22:00-06:00\"",
        );
        problems.push(source.at("quiet", problem));
    }
}

/// Whether the two connectors can do what a flow of this kind needs.
fn check_kind(
    config: &Config,
    flow: &FlowConfig,
    source: &Source<'_>,
    problems: &mut Vec<Problem>,
) {
    let capabilities = |connection: &ConnectionName| {
        let connection = config.connections.get(connection)?;
        let spec = crate::workspace::spec(&connection.connector).ok()?;
        Some((spec.name, spec.capabilities))
    };
    let kind = flow.kind;
    let step = match kind {
        Kind::Order | Kind::Shipment => Step::Create,
        Kind::Stock => Step::Update,
        _ => {
            let problem = Problem::new(
                Code::BadValue,
                format!("there is no flow of kind `{kind}` yet"),
                format!("il n'y a pas encore de flux du type `{kind}`"),
            )
            .fix(
                "use `order`, `stock` or `shipment`",
                "prendre `order`, `stock` ou `shipment`",
            );
            return problems.push(source.at("kind", problem));
        }
    };
    if let Some((name, can)) = capabilities(&flow.from)
        && !can.reads(kind).is_some_and(|reads| reads.changes)
    {
        let problem = Problem::new(
            Code::BadValue,
            format!("connector `{name}` does not read the changes of a {kind}"),
            format!("le connecteur `{name}` ne lit pas les changements du type `{kind}`"),
        );
        problems.push(source.at("from", problem));
    }
    if let Some((name, can)) = capabilities(&flow.to)
        && can.operation(kind, step).is_none()
    {
        let problem = Problem::new(
            Code::BadValue,
            format!("connector `{name}` writes no {kind}"),
            format!("le connecteur `{name}` n'écrit rien du type `{kind}`"),
        );
        problems.push(source.at("to", problem));
    }
}

fn check_stock(flow: &FlowConfig, source: &Source<'_>, problems: &mut Vec<Problem>) {
    let stock = &flow.stock;
    let mut bad = |setting: &str, english: &str, french: &str| {
        problems.push(source.at(setting, Problem::new(Code::BadValue, english, french)));
    };
    if stock.share <= Decimal::ZERO || stock.share > Decimal::ONE {
        bad(
            "share",
            "`stock.share` must be above 0 and at most 1",
            "`stock.share` doit être supérieur à 0 et au plus 1",
        );
    }
    if stock.buffer < Decimal::ZERO {
        bad(
            "buffer",
            "`stock.buffer` cannot be negative",
            "`stock.buffer` ne peut pas être négatif",
        );
    }
    if stock.zeros_at_most_percent > 100 {
        bad(
            "zeros_at_most_percent",
            "`stock.zeros_at_most_percent` is a percentage, from 0 to 100",
            "`stock.zeros_at_most_percent` est un pourcentage, de 0 à 100",
        );
    }
    if minute_of_day(&stock.compare_at).is_none() {
        bad(
            "compare_at",
            "`stock.compare_at` is a time of the day, such as \"03:00\"",
            "`stock.compare_at` est une heure, comme \"03:00\"",
        );
    }
}

fn no_connection(config: &Config, setting: &str, connection: &ConnectionName) -> Problem {
    let problem = Problem::new(
        Code::UnknownName,
        format!("`{setting} = \"{connection}\"` names no connection"),
        format!("`{setting} = \"{connection}\"` ne nomme aucune connexion"),
    );
    let known = config.connections.keys().map(ConnectionName::as_str);
    match super::problem::nearest(connection.as_str(), known) {
        Some(near) => problem.suggest(connection.as_str(), [near]),
        None => problem.fix(
            format!("make connections/{connection}.toml"),
            format!("créer connections/{connection}.toml"),
        ),
    }
}
