//! Mapping rules: `[[rule]]` of a flow, and rule sets under `rules/` that flows share.

use super::parse::{FlowConfig, read_toml};
use super::{Files, Problem, table};
use comptoir_model::code::Code;
use comptoir_model::key::Kind;
use comptoir_rules::mapping::{Place, Row, Rules, Wrong};
use serde::Deserialize;

/// A file of `rules/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSet {
    #[serde(default)]
    rule: Vec<Row>,
}

/// Compiles the rules of a flow: its own first, then its sets in their order.
///
/// # Errors
/// Everything that is wrong with them.
pub(super) fn compile(path: &str, files: &Files, flow: &FlowConfig) -> Result<Rules, Vec<Problem>> {
    let text = files.get(path).map_or("", String::as_str);
    let mut problems = Vec::new();
    let mut rows = placed(path, text, flow.rule.clone());
    for name in &flow.rules {
        let set = format!("rules/{name}.toml");
        match files.get(&set) {
            Some(text) => match read_toml::<RuleSet>(&set, text) {
                Ok(read) => rows.extend(placed(&set, text, read.rule)),
                Err(problem) => problems.push(problem),
            },
            None => problems.push(no_set(path, text, files, name)),
        }
    }
    if !rows.is_empty() && flow.kind != Kind::Order {
        let problem = Problem::new(
            Code::BadRule,
            format!(
                "a flow of kind `{}` has no mapping rules; they are for orders",
                flow.kind
            ),
            format!(
                "un flux du type `{}` n'a pas de règles ; elles sont pour les commandes",
                flow.kind
            ),
        );
        problems.push(problem.file(path).line(rows[0].0.line));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if rows.is_empty() {
        return Ok(Rules::default());
    }
    Rules::compile(rows, table::every(files)).map_err(|wrong| {
        wrong
            .into_iter()
            .map(|wrong| problem_of(wrong, files))
            .collect()
    })
}

/// What is wrong with a rule set that no flow uses: nobody else would say so.
pub(super) fn unused(path: &str, text: &str, files: &Files) -> Vec<Problem> {
    let name = path.trim_start_matches("rules/").trim_end_matches(".toml");
    let uses = |(path, text): (&String, &String)| {
        path.starts_with("flows/")
            && text
                .parse::<toml::Table>()
                .is_ok_and(|flow| names(&flow).any(|used| used == name))
    };
    if files.iter().any(uses) {
        return Vec::new();
    }
    match read_toml::<RuleSet>(path, text) {
        Ok(set) => match Rules::compile(placed(path, text, set.rule), table::every(files)) {
            Ok(_) => Vec::new(),
            Err(wrong) => wrong
                .into_iter()
                .map(|wrong| problem_of(wrong, files))
                .collect(),
        },
        Err(problem) => vec![problem],
    }
}

fn names(flow: &toml::Table) -> impl Iterator<Item = &str> {
    let list = flow.get("rules").and_then(toml::Value::as_array);
    list.into_iter().flatten().filter_map(toml::Value::as_str)
}

fn no_set(path: &str, text: &str, files: &Files, name: &str) -> Problem {
    let known: Vec<&str> = files
        .keys()
        .filter_map(|key| key.strip_prefix("rules/")?.strip_suffix(".toml"))
        .collect();
    let problem = Problem::new(
        Code::UnknownName,
        format!("`rules` names `{name}`, which is no rule set"),
        format!("`rules` nomme `{name}`, qui n'est pas un jeu de règles"),
    )
    .file(path)
    .line(super::parse::line_of(text, "rules"));
    match known.is_empty() {
        true => problem.fix(
            format!("make rules/{name}.toml"),
            format!("créer rules/{name}.toml"),
        ),
        false => problem.suggest(name, known),
    }
}

/// The rows with the line of their `[[rule]]`.
fn placed(path: &str, text: &str, rows: Vec<Row>) -> Vec<(Place, Row)> {
    let mut lines = heads(text);
    rows.into_iter()
        .map(|row| {
            let line = lines.next().unwrap_or_default();
            let file = path.to_owned();
            (Place { file, line }, row)
        })
        .collect()
}

fn heads(text: &str) -> impl Iterator<Item = usize> {
    let head = |line: &str| {
        let line = line.split('#').next().unwrap_or_default();
        line.split_whitespace().collect::<String>() == "[[rule]]"
    };
    text.lines()
        .enumerate()
        .filter(move |(_, line)| head(line))
        .map(|(index, _)| index + 1)
}

/// A wrong rule as a problem of the configuration: file, line of the setting, what is wrong, and the nearest right word.
pub fn problem_of(wrong: Wrong, files: &Files) -> Problem {
    let Place { file, line } = wrong.place;
    let text = files.get(&file).map_or("", String::as_str);
    let code = match wrong.setting {
        "to" | "from" => Code::UnknownRuleField,
        _ => Code::BadRule,
    };
    let [english, french] = *wrong.what;
    let problem = Problem::new(code, english, french)
        .file(file)
        .line(setting_line(text, line, wrong.setting));
    match (wrong.unknown, wrong.fix) {
        (Some((word, known)), _) => problem.suggest(&word, known.iter().map(String::as_str)),
        (None, Some(fix)) => {
            let [english, french] = *fix;
            problem.fix(english, french)
        }
        (None, None) => problem,
    }
}

/// The line of a setting of the rule whose `[[rule]]` is on this line.
fn setting_line(text: &str, head: usize, setting: &str) -> Option<usize> {
    let own = text
        .lines()
        .enumerate()
        .skip(head)
        .take_while(|(_, line)| !line.trim_start().starts_with('['));
    let gives = |line: &str| {
        line.split_once('=')
            .is_some_and(|(name, _)| name.trim() == setting)
    };
    let mut own = own.filter(|(_, line)| gives(line));
    own.next()
        .map(|(index, _)| index + 1)
        .or((head > 0).then_some(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn workspace(rules: &str) -> Files {
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
            (
                "flows/orders.toml".to_owned(),
                format!("from = \"shop\"\nto = \"erp\"\nrules = [\"shared\"]\n\n{rules}"),
            ),
            (
                "rules/shared.toml".to_owned(),
                "[[rule]]\nto = \"placement.team\"\nvalue = \"Web\"\n".to_owned(),
            ),
            (
                "tables/countries.csv".to_owned(),
                "from,to\nFR,Lyon\n".to_owned(),
            ),
        ])
    }

    fn problem(rules: &str) -> Problem {
        parse(&workspace(rules)).unwrap_err().remove(0)
    }

    fn fix(problem: &Problem) -> &str {
        problem.fix.as_ref().map_or("", |fix| &fix[0])
    }

    #[test]
    fn a_wrong_rule_names_file_line_field_and_the_nearest_right_one() {
        let wrong = problem("[[rule]]\nto = \"placement.warehouse\"\nfrom = \"ship_to.contry\"\n");
        assert_eq!(wrong.file.as_deref(), Some("flows/orders.toml"));
        assert_eq!(wrong.line, Some(7));
        assert_eq!(wrong.code, Code::UnknownRuleField);
        assert!(
            wrong.what[0].contains("`ship_to.contry`") || wrong.what[0].contains("ship_to.contry")
        );
        assert_eq!(fix(&wrong), "did you mean `country`?");

        let wrong = problem("[[rule]]\nto = \"placement.werehouse\"\nvalue = \"1\"\n");
        assert_eq!(
            (wrong.line, fix(&wrong)),
            (Some(6), "did you mean `warehouse`?")
        );

        let wrong = problem("[[rule]]\nto = \"note\"\nexpr = \"uper(note)\"\n");
        assert_eq!(
            (wrong.line, fix(&wrong)),
            (Some(7), "did you mean `upper`?")
        );

        let wrong =
            problem("[[rule]]\nto = \"note\"\nfrom = \"ship_to.country\"\nlookup = \"contries\"\n");
        assert_eq!(
            (wrong.line, fix(&wrong)),
            (Some(8), "did you mean `countries`?")
        );

        let wrong = problem("[[rule]]\nto = \"note\"\nfrm = \"x\"\n");
        assert_eq!(
            (wrong.code, wrong.line, fix(&wrong)),
            (Code::UnknownSetting, Some(7), "did you mean `from`?")
        );

        let wrong = problem("[[rule]]\nto = \"totals.total\"\nvalue = \"1\"\n");
        assert!(wrong.what[0].contains("no rule changes"), "{wrong}");
    }

    #[test]
    fn sets_come_after_the_rules_of_the_flow_and_a_rule_that_is_never_reached_is_refused() {
        assert!(parse(&workspace("")).is_ok());
        let wrong = problem("[[rule]]\nto = \"placement.team\"\nvalue = \"Shop\"\n");
        assert_eq!(wrong.file.as_deref(), Some("rules/shared.toml"));
        assert!(wrong.what[0].contains("flows/orders.toml:5"), "{wrong}");
        let mut files = workspace("");
        files.remove("rules/shared.toml");
        assert_eq!(
            fix(&parse(&files).unwrap_err()[0]),
            "make rules/shared.toml"
        );
    }

    #[test]
    fn a_set_that_no_flow_uses_is_checked_as_well() {
        let mut files = workspace("");
        let text = "[[rule]]\nto = \"nothing\"\nvalue = 1\n";
        files.insert("rules/other.toml".to_owned(), text.to_owned());
        let problems = parse(&files).unwrap_err();
        assert_eq!(problems[0].file.as_deref(), Some("rules/other.toml"));
    }
}
