//! From the texts of a workspace to a checked configuration. Every problem is reported, each with its file and line.

use super::problem::nearest;
use super::{Files, Problem};
use comptoir_engine::flow::{Caps, Mode};
use comptoir_model::code::Code;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_rules::order::FIELD_VALUES;
use comptoir_rules::policy::{OrderPolicy, Tables};
use comptoir_rules::table::Table;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A checked workspace.
#[derive(Debug, Clone)]
pub struct Config {
    /// `comptoir.toml`.
    pub hub: HubConfig,
    /// Connections by name.
    pub connections: BTreeMap<ConnectionName, ConnectionConfig>,
    /// Flows by name.
    pub flows: BTreeMap<FlowName, FlowConfig>,
}

/// `comptoir.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubConfig {
    /// `sqlite:FILE` (relative to the workspace) or `postgres://…`, `${ENV}` allowed.
    pub store: String,
    /// The address webhooks reach this hub at. Without it polling alone does everything.
    pub public_url: Option<String>,
    /// IANA time zone of schedules and quiet hours.
    pub time_zone: String,
    /// Days that documents are kept after their record is done.
    pub keep_days: u32,
    /// First wait after a passing fault, in milliseconds.
    pub retry_first_ms: i64,
    /// Longest wait, in seconds.
    pub retry_longest_seconds: i64,
    /// Tries of one record that fails while others pass, before it is held.
    pub tries: u32,
    /// How often the store is asked for due work without a bell, in milliseconds.
    pub idle_ms: u64,
}

impl Default for HubConfig {
    fn default() -> Self {
        HubConfig {
            store: "sqlite:comptoir.db".to_owned(),
            public_url: None,
            time_zone: "UTC".to_owned(),
            keep_days: 90,
            retry_first_ms: 2_000,
            retry_longest_seconds: 300,
            tries: 8,
            idle_ms: 1_000,
        }
    }
}

/// `connections/NAME.toml`. What is not named here belongs to the connector.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// The connector's name.
    pub connector: String,
    /// Its settings, secrets not filled in yet.
    pub settings: serde_json::Value,
    /// Overrides how long an unknown outcome is waited for, in seconds.
    pub settle_seconds: Option<u32>,
}

/// `flows/NAME.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    /// What it carries.
    #[serde(default = "order")]
    pub kind: Kind,
    /// Source connection.
    pub from: ConnectionName,
    /// Target connection.
    pub to: ConnectionName,
    /// Whether it writes.
    #[serde(default)]
    pub mode: Mode,
    /// Records placed before this instant are known by id only.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// The source's status words that are imported.
    #[serde(default = "statuses")]
    pub statuses: Vec<String>,
    /// Import test orders.
    #[serde(default)]
    pub tests: bool,
    /// Milliseconds between two polls.
    #[serde(default = "every_ms")]
    pub every_ms: i64,
    /// Cron expression instead.
    #[serde(default)]
    pub cron: Option<String>,
    /// Quiet hours, `"22:00-06:00"`.
    #[serde(default)]
    pub quiet: Option<String>,
    /// Caps.
    #[serde(default)]
    pub caps: Caps,
    /// Policies.
    #[serde(default)]
    pub policy: OrderPolicy,
    /// Names of the tables under `tables/`, without `.csv`.
    #[serde(default)]
    pub tables: TableNames,
}

fn order() -> Kind {
    Kind::Order
}

fn statuses() -> Vec<String> {
    vec!["processing".to_owned(), "completed".to_owned()]
}

fn every_ms() -> i64 {
    60_000
}

/// Which file each table comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableNames {
    /// Taxes.
    pub taxes: String,
    /// Payment methods.
    pub payment_methods: String,
    /// Shipping methods.
    pub shipping_methods: String,
    /// Price lists.
    pub price_lists: String,
}

impl Default for TableNames {
    fn default() -> Self {
        TableNames {
            taxes: "taxes".to_owned(),
            payment_methods: "payment_methods".to_owned(),
            shipping_methods: "shipping_methods".to_owned(),
            price_lists: "price_lists".to_owned(),
        }
    }
}

/// `comptoir.toml` alone: what is needed to find the store.
pub fn hub(files: &Files) -> Result<HubConfig, Problem> {
    let main = files.get("comptoir.toml").map_or("", String::as_str);
    read_toml("comptoir.toml", main)
}

/// Parses and checks a workspace. The error lists every problem found.
pub fn parse(files: &Files) -> Result<Config, Vec<Problem>> {
    let mut problems = Vec::new();
    let hub = keep(hub(files), &mut problems).unwrap_or_default();
    let mut connections = BTreeMap::new();
    let mut flows = BTreeMap::new();
    for (path, text) in files {
        if let Some(name) = named(path, "connections/", ".toml") {
            let parsed = name
                .and_then(|name: ConnectionName| Ok((name, read_connection(path, text)?)))
                .map_err(|problem| problem.file(path));
            connections.extend(keep(parsed, &mut problems));
        } else if let Some(name) = named(path, "flows/", ".toml") {
            let parsed = name.and_then(|name: FlowName| {
                let mut flow: FlowConfig = read_toml(path, text)?;
                flow.policy.tables = tables(files, &flow.tables)?;
                Ok((name, flow))
            });
            flows.extend(keep(parsed, &mut problems));
        }
    }
    let config = Config {
        hub,
        connections,
        flows,
    };
    check_names(&config, files, &mut problems);
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    }
}

fn keep<T>(parsed: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|problem| problems.push(problem)).ok()
}

/// The name a file stands for, when it is in that folder.
fn named<T: std::str::FromStr<Err = comptoir_model::key::BadName>>(
    path: &str,
    folder: &str,
    ending: &str,
) -> Option<Result<T, Problem>> {
    let name = path.strip_prefix(folder)?.strip_suffix(ending)?;
    Some(name.parse().map_err(|error: comptoir_model::key::BadName| {
        Problem::new(Code::BadValue, error.to_string()).file(path)
    }))
}

/// Reads one TOML text; the problem has file, line and the nearest known setting.
fn read_toml<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| toml_problem(path, text, &error))
}

fn toml_problem(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `");
    let code = match unknown {
        Some(_) => Code::UnknownSetting,
        None if message.starts_with("unknown variant") || message.starts_with("invalid") => {
            Code::BadValue
        }
        None if message.starts_with("missing field") => Code::BadValue,
        None => Code::BadToml,
    };
    let mut problem = Problem::new(code, first_sentence(message)).file(path);
    if let Some(span) = error.span() {
        let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
        problem = problem.line(line);
    }
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some((word, known)) = quoted.split_first()
        && !known.is_empty()
    {
        problem = match nearest(word, known.iter().copied()) {
            Some(near) => problem.fix(format!("did you mean `{near}`?")),
            None => problem.fix(format!("known here: {}", known.join(", "))),
        };
    }
    problem
}

fn first_sentence(message: &str) -> String {
    let end = message.find(", expected").unwrap_or(message.len());
    message[..end].trim_end().to_owned()
}

fn read_connection(path: &str, text: &str) -> Result<ConnectionConfig, Problem> {
    let mut table: toml::Table = read_toml(path, text)?;
    let connector = match table.remove("connector") {
        Some(toml::Value::String(name)) => name,
        _ => {
            return Err(Problem::new(Code::BadValue, "missing `connector = \"NAME\"`").file(path));
        }
    };
    let settle_seconds = match table.remove("settle_seconds") {
        None => None,
        Some(toml::Value::Integer(seconds)) => u32::try_from(seconds).ok(),
        Some(_) => {
            let what = "`settle_seconds` must be a whole number";
            return Err(Problem::new(Code::BadValue, what).file(path));
        }
    };
    let settings = serde_json::to_value(table)
        .map_err(|error| Problem::new(Code::BadValue, error.to_string()).file(path))?;
    Ok(ConnectionConfig {
        connector,
        settings,
        settle_seconds,
    })
}

fn tables(files: &Files, names: &TableNames) -> Result<Tables, Problem> {
    let table = |name: &str| match files.get(&format!("tables/{name}.csv")) {
        Some(text) => read_table(&format!("tables/{name}.csv"), text),
        None => Ok(Table::default()),
    };
    Ok(Tables {
        taxes: table(&names.taxes)?,
        payment_methods: table(&names.payment_methods)?,
        shipping_methods: table(&names.shipping_methods)?,
        price_lists: table(&names.price_lists)?,
    })
}

/// A look-up table: CSV with the columns `from` and `to` (further columns are notes), comma or semicolon, a byte-order mark allowed.
fn read_table(path: &str, text: &str) -> Result<Table, Problem> {
    let text = text.trim_start_matches('\u{feff}');
    let head = text.lines().next().unwrap_or_default();
    let separator = if head.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let bad = |what: String| Problem::new(Code::BadTable, what).file(path);
    let headers = reader.headers().map_err(|error| bad(error.to_string()))?;
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header.eq_ignore_ascii_case(name))
    };
    let (Some(from), Some(to)) = (column("from"), column("to")) else {
        return Err(bad("the first line must name the columns `from` and `to`".to_owned()).line(1));
    };
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| bad(error.to_string()))?;
        let line = row
            .position()
            .map_or(0, |position| position.line() as usize);
        match (row.get(from), row.get(to)) {
            (Some(from), Some(to)) => rows.push((from.to_owned(), to.to_owned())),
            _ => return Err(bad("the row has no `to`".to_owned()).line(line)),
        }
    }
    Ok(Table::new(rows))
}

/// Connectors that do not exist, and settings that their connector does not have.
fn check_connections(config: &Config, files: &Files, problems: &mut Vec<Problem>) {
    for (name, connection) in &config.connections {
        let path = format!("connections/{name}.toml");
        let text = files.get(&path).map_or("", String::as_str);
        let at = |problem: Problem, setting: &str| match line_of(text, setting) {
            Some(line) => problem.file(&path).line(line),
            None => problem.file(&path),
        };
        let spec = match crate::workspace::spec(&connection.connector) {
            Ok(spec) => spec,
            Err(problem) => {
                problems.push(at(problem, "connector"));
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
            let what = format!("connector `{}` has no setting `{setting}`", spec.name);
            let problem = Problem::new(Code::UnknownSetting, what);
            let problem = match nearest(setting, known.iter().copied()) {
                Some(near) => problem.fix(format!("did you mean `{near}`?")),
                None => problem.fix(format!("known here: {}", known.join(", "))),
            };
            problems.push(at(problem, setting));
        }
    }
}

/// What one file says of another.
fn check_names(config: &Config, files: &Files, problems: &mut Vec<Problem>) {
    check_connections(config, files, problems);
    if jiff::tz::TimeZone::get(&config.hub.time_zone).is_err() {
        let what = format!("there is no time zone `{}`", config.hub.time_zone);
        let problem = Problem::new(Code::BadValue, what)
            .file("comptoir.toml")
            .fix("use an IANA name such as \"Europe/Paris\"");
        let text = files.get("comptoir.toml").map_or("", String::as_str);
        problems.push(match line_of(text, "time_zone") {
            Some(line) => problem.line(line),
            None => problem,
        });
    }
    for (name, flow) in &config.flows {
        let path = format!("flows/{name}.toml");
        let text = files.get(&path).map_or("", String::as_str);
        for (setting, connection) in [("from", &flow.from), ("to", &flow.to)] {
            if config.connections.contains_key(connection) {
                continue;
            }
            let what = format!("`{setting} = \"{connection}\"` names no connection");
            let mut problem = Problem::new(Code::UnknownName, what).file(&path);
            if let Some(line) = line_of(text, setting) {
                problem = problem.line(line);
            }
            let known = config.connections.keys().map(ConnectionName::as_str);
            problem = match nearest(connection.as_str(), known) {
                Some(near) => problem.fix(format!("did you mean `{near}`?")),
                None => problem.fix(format!("make connections/{connection}.toml")),
            };
            problems.push(problem);
        }
        for value in flow.policy.fields.keys() {
            if FIELD_VALUES.contains(&value.as_str()) {
                continue;
            }
            let what = format!("`policy.fields` names `{value}`, which is no value of an order");
            let problem = Problem::new(Code::UnknownRuleField, what).file(&path).fix(
                match nearest(value, FIELD_VALUES) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", FIELD_VALUES.join(", ")),
                },
            );
            problems.push(match line_of(text, value) {
                Some(line) => problem.line(line),
                None => problem,
            });
        }
        if let Some(cron) = &flow.cron
            && let Err(why) = comptoir_engine::schedule::check_cron(cron)
        {
            let what = format!("`cron = \"{cron}\"` is no schedule: {why}");
            let problem = Problem::new(Code::BadValue, what)
                .file(&path)
                .fix("write it as \"*/5 * * * *\" (minute hour day month weekday)");
            problems.push(match line_of(text, "cron") {
                Some(line) => problem.line(line),
                None => problem,
            });
        }
        if let Some(quiet) = &flow.quiet
            && quiet_minutes(quiet).is_none()
        {
            let what = format!("`quiet = \"{quiet}\"` is no span of hours");
            problems.push(
                Problem::new(Code::BadValue, what)
                    .file(&path)
                    .fix("write it as \"22:00-06:00\""),
            );
        }
    }
}

fn line_of(text: &str, setting: &str) -> Option<usize> {
    text.lines()
        .position(|line| line.trim_start().starts_with(setting))
        .map(|index| index + 1)
}

/// `"22:00-06:00"` as minutes of the day.
pub fn quiet_minutes(text: &str) -> Option<(u16, u16)> {
    let minutes = |part: &str| {
        let (hours, minutes) = part.trim().split_once(':')?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    let (from, until) = text.split_once('-')?;
    Some((minutes(from)?, minutes(until)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(flow: &str) -> Files {
        Files::from([
            ("comptoir.toml".to_owned(), String::new()),
            (
                "connections/shop.toml".to_owned(),
                "connector = \"woocommerce\"\n".to_owned(),
            ),
            (
                "connections/erp.toml".to_owned(),
                "connector = \"odoo\"\n".to_owned(),
            ),
            ("flows/orders.toml".to_owned(), flow.to_owned()),
            (
                "tables/taxes.csv".to_owned(),
                "\u{feff}from;to;note\nFR-TVA 20-1; TVA 20 %;x\n".to_owned(),
            ),
        ])
    }

    #[test]
    fn the_safe_defaults_hold_when_nothing_is_said() {
        let config = parse(&workspace("from = \"shop\"\nto = \"erp\"\n")).unwrap();
        let flow = &config.flows[&"orders".parse().unwrap()];
        assert_eq!(flow.mode, Mode::Shadow);
        assert_eq!(flow.statuses, ["processing", "completed"]);
        assert!(flow.policy.customers.match_email);
        assert_eq!(
            flow.policy
                .tables
                .taxes
                .get("FR-TVA 20-1")
                .map(|hit| hit.to),
            Some("TVA 20 %")
        );
    }

    #[test]
    fn a_problem_names_file_line_and_the_nearest_right_word() {
        let problems = parse(&workspace(
            "from = \"shop\"\nto = \"erp\"\nstatusses = []\n",
        ))
        .unwrap_err();
        assert_eq!(problems[0].code, Code::UnknownSetting);
        assert_eq!(problems[0].line, Some(3));
        assert_eq!(problems[0].fix.as_deref(), Some("did you mean `statuses`?"));
        let problems = parse(&workspace("from = \"shopp\"\nto = \"erp\"\n")).unwrap_err();
        assert_eq!(problems[0].code, Code::UnknownName);
        assert_eq!(problems[0].fix.as_deref(), Some("did you mean `shop`?"));
        let problems = parse(&workspace("from = \"shop\"\nto = [\n")).unwrap_err();
        assert_eq!(problems[0].code, Code::BadToml);
        let problems = parse(&workspace(
            "from = \"shop\"\nto = \"erp\"\nmode = \"life\"\n",
        ))
        .unwrap_err();
        assert_eq!(problems[0].fix.as_deref(), Some("did you mean `live`?"));
    }

    #[test]
    fn quiet_hours_are_minutes_of_the_day() {
        assert_eq!(quiet_minutes("22:00-06:30"), Some((1320, 390)));
        assert_eq!(quiet_minutes("22-6"), None);
        assert_eq!(quiet_minutes("24:00-06:00"), None);
    }
}
