//! From the texts of a workspace to a checked configuration. Every problem is reported, each with its file and line.

use super::{Files, Problem, check, table};
use comptoir_engine::flow::{Caps, Mode};
use comptoir_model::address::Country;
use comptoir_model::code::Code;
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_model::rounding::RoundingSetting;
use comptoir_rules::policy::OrderPolicy;
use comptoir_rules::shipment::ShipmentPolicy;
use comptoir_rules::stock::StockPolicy;
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
    /// Largest size of a SQLite file in MiB; none: as the disk has room.
    pub store_at_most_mib: Option<u32>,
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
            store_at_most_mib: None,
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
    /// How the system rounds, where that is not what its connector declares.
    pub rounding: RoundingSetting,
    /// The line of each setting.
    pub lines: BTreeMap<String, usize>,
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
    /// Records placed before this instant are none of the flow's business.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// The source's status words that are imported.
    #[serde(default = "statuses")]
    pub statuses: Vec<String>,
    /// Import test orders.
    #[serde(default)]
    pub tests: bool,
    /// Only orders that go to these countries (ISO 3166-1, two letters); all when empty.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// No orders that go to these countries.
    #[serde(default)]
    pub except_countries: Vec<Country>,
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
    /// Policies of a flow of orders.
    #[serde(default)]
    pub policy: OrderPolicy,
    /// Policies of a flow of stock.
    #[serde(default)]
    pub stock: StockPolicy,
    /// Policies of a flow of shipments.
    #[serde(default)]
    pub shipment: ShipmentPolicy,
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
                flow.policy.tables = table::all(path, files, &flow.tables)?;
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
    check::all(&config, files, &mut problems);
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
        Problem::worded(Code::BadValue, error).file(path)
    }))
}

/// Reads one TOML text; the problem has file, line and the nearest known setting.
fn read_toml<T: DeserializeOwned>(path: &str, text: &str) -> Result<T, Problem> {
    toml::from_str(text).map_err(|error| toml_problem(path, text, &error))
}

/// What the TOML reader says, in its words where it has more to say than which setting is unknown or missing.
fn toml_problem(path: &str, text: &str, error: &toml::de::Error) -> Problem {
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let word = quoted.first().copied().unwrap_or_default();
    let problem = if message.starts_with("unknown field `") {
        Problem::new(
            Code::UnknownSetting,
            format!("there is no setting `{word}` here"),
            format!("il n'y a pas de réglage `{word}` ici"),
        )
    } else if message.starts_with("unknown variant `") {
        Problem::new(
            Code::BadValue,
            format!("`{word}` is none of the values that fit here"),
            format!("`{word}` n'est pas une des valeurs possibles ici"),
        )
    } else if message.starts_with("missing field `") {
        Problem::new(
            Code::BadValue,
            format!("the setting `{word}` is missing"),
            format!("il manque le réglage `{word}`"),
        )
    } else if text.parse::<toml::Table>().is_ok() {
        Problem::worded(Code::BadValue, message)
    } else {
        Problem::worded(Code::BadToml, message)
    };
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    // A missing setting has no place of its own.
    let span = error.span().filter(|_| !message.starts_with("missing"));
    let problem = problem.file(path).line(span.map(|span| line(span.start)));
    match quoted.split_first() {
        Some((word, known)) if !known.is_empty() => problem.suggest(word, known.iter().copied()),
        _ => problem,
    }
}

fn read_connection(path: &str, text: &str) -> Result<ConnectionConfig, Problem> {
    let mut table: toml::Table = read_toml(path, text)?;
    let lines = table
        .keys()
        .filter_map(|setting| Some((setting.clone(), line_of(text, setting)?)))
        .collect();
    let bad = |english: &str, french: &str, setting: &str| {
        Problem::new(Code::BadValue, english, french)
            .file(path)
            .line(line_of(text, setting))
    };
    let connector = match table.remove("connector") {
        Some(toml::Value::String(name)) => name,
        _ => {
            return Err(bad(
                "`connector = \"NAME\"` is missing",
                "il manque `connector = \"NOM\"`",
                "connector",
            ));
        }
    };
    let settle_seconds = match table.remove("settle_seconds") {
        None => None,
        Some(value) => match value.as_integer().map(u32::try_from) {
            Some(Ok(seconds)) => Some(seconds),
            _ => {
                return Err(bad(
                    "`settle_seconds` must be a whole number of seconds",
                    "`settle_seconds` doit être un nombre entier de secondes",
                    "settle_seconds",
                ));
            }
        },
    };
    let rounding = match table.remove("rounding") {
        None => RoundingSetting::default(),
        Some(value) => value.try_into().map_err(|error: toml::de::Error| {
            let problem = toml_problem(path, text, &error);
            let line = text.lines().position(|line| line.trim() == "[rounding]");
            problem.line(line.map(|index| index + 1))
        })?,
    };
    let settings = serde_json::to_value(table)
        .map_err(|error| Problem::worded(Code::BadValue, error).file(path))?;
    Ok(ConnectionConfig {
        connector,
        settings,
        settle_seconds,
        rounding,
        lines,
    })
}

/// The line on which a setting is given: `name = …`, also after dots.
pub(super) fn line_of(text: &str, setting: &str) -> Option<usize> {
    let gives = |line: &str| {
        let (name, _) = line.split_once('=')?;
        let name = name.trim();
        let last = name.rsplit('.').next().unwrap_or(name);
        (last.trim().trim_matches(['"', '\'']) == setting).then_some(())
    };
    let found = text.lines().position(|line| gives(line).is_some());
    found.map(|index| index + 1)
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

    fn fix(problem: &Problem) -> &str {
        problem.fix.as_ref().map_or("", |fix| &fix[0])
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
        assert_eq!(fix(&problems[0]), "did you mean `statuses`?");
        let problems = parse(&workspace("from = \"shopp\"\nto = \"erp\"\n")).unwrap_err();
        assert_eq!(problems[0].code, Code::UnknownName);
        assert_eq!(fix(&problems[0]), "did you mean `shop`?");
        let problems = parse(&workspace("from = \"shop\"\nto = [\n")).unwrap_err();
        assert_eq!(problems[0].code, Code::BadToml);
        let problems = parse(&workspace(
            "from = \"shop\"\nto = \"erp\"\nmode = \"life\"\n",
        ))
        .unwrap_err();
        assert_eq!(fix(&problems[0]), "did you mean `live`?");
    }

    #[test]
    fn a_connection_says_how_its_system_rounds() {
        use comptoir_model::rounding::{RoundAt, Rounding};
        let mut files = workspace("from = \"shop\"\nto = \"erp\"\n");
        let path = "connections/erp.toml";
        let text = |rest: &str| format!("connector = \"odoo\"\n[rounding]\n{rest}\n");
        files.insert(path.to_owned(), text("at = \"rate_group\""));
        let config = parse(&files).unwrap();
        let rounding = config.connections[&"erp".parse().unwrap()].rounding;
        assert_eq!(rounding.over(Rounding::PER_LINE).at, RoundAt::RateGroup);
        files.insert(path.to_owned(), text("at = \"rate_groop\""));
        let problems = parse(&files).unwrap_err();
        assert_eq!(problems[0].file.as_deref(), Some(path));
        assert_eq!(fix(&problems[0]), "did you mean `rate_group`?");
    }

    #[test]
    fn quiet_hours_are_minutes_of_the_day() {
        assert_eq!(quiet_minutes("22:00-06:30"), Some((1320, 390)));
        assert_eq!(quiet_minutes("22-6"), None);
        assert_eq!(quiet_minutes("24:00-06:00"), None);
    }
}
