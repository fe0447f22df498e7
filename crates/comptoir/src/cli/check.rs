//! `check`: tests every connection and audits the data that flows would carry. One list to fix.

use super::{Context, patiently};
use crate::advice;
use crate::config::{Files, problem_of};
use crate::exit::{self, Failure};
use crate::out;
use crate::workspace::{Role, Workspace};
use comptoir_engine::connection::Connection;
use comptoir_model::account::{Account, Severity};
use comptoir_model::cause::Cause;
use comptoir_model::code::{Code, Language};
use comptoir_model::key::{ConnectionName, FlowName, Kind};
use comptoir_model::port::{Cursor, Query};
use comptoir_rules::buyer::folded_email;
use comptoir_rules::mapping::{Beside, Mapped, Rules, Wrong};
use comptoir_rules::order::needed_skus;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Orders read for the audit, at most.
const SAMPLE: usize = 500;

#[derive(Debug, Default, Serialize)]
struct Report {
    connections: BTreeMap<String, String>,
    orders_read: usize,
    skus: usize,
    skus_matched: usize,
    buyers: usize,
    buyers_known: usize,
    fixes: Vec<Fix>,
}

#[derive(Debug, Serialize)]
struct Fix {
    #[serde(serialize_with = "as_written")]
    code: Code,
    subject: String,
    what: String,
    /// What to do.
    fix: String,
}

/// `CMP-NNNN`, as everywhere else.
fn as_written<S: serde::Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

/// Where more is said about a code.
fn page(code: Code) -> String {
    format!("docs/errors/{code}.md")
}

/// Runs the command.
pub async fn run(context: &Context) -> Result<u8, Failure> {
    let workspace = Workspace::open(&context.dir, Role::Beside).await?;
    let connections = workspace.connections().await?;
    let mut report = Report::default();
    let mut accounts = BTreeMap::new();
    for connection in &connections {
        match patiently(|| connection.connector.probe()).await {
            Ok(account) => {
                report
                    .connections
                    .insert(connection.name.to_string(), account.version.clone());
                for notice in account
                    .notices
                    .iter()
                    .filter(|notice| notice.severity > Severity::Info)
                {
                    report.fixes.push(Fix {
                        code: notice.code,
                        subject: connection.name.to_string(),
                        what: notice.detail.clone(),
                        fix: page(notice.code),
                    });
                }
                accounts.insert(connection.name.clone(), account);
            }
            Err(fault) => report.fixes.push(Fix {
                code: fault.code,
                subject: connection.name.to_string(),
                fix: page(fault.code),
                what: match fault.field {
                    Some(field) => format!("{} (field `{field}`)", fault.why),
                    None => fault.why,
                },
            }),
        }
    }
    for name in workspace.config.flows.keys() {
        let (language, workspace) = (context.language, &workspace);
        audit(
            workspace,
            &connections,
            &accounts,
            name,
            language,
            &mut report,
        )
        .await?;
    }
    if context.json {
        out::json(&report);
    } else {
        show(context, &report);
    }
    Ok(if report.fixes.is_empty() {
        exit::OK
    } else {
        exit::FINDINGS
    })
}

/// What the orders of the last month would run into.
async fn audit(
    workspace: &Workspace,
    connections: &[Connection],
    accounts: &BTreeMap<ConnectionName, Account>,
    name: &FlowName,
    language: Language,
    report: &mut Report,
) -> Result<(), Failure> {
    let flow = &workspace.config.flows[name];
    if flow.kind != Kind::Order {
        return Ok(());
    }
    let find = |name: &ConnectionName| {
        connections
            .iter()
            .find(|connection| connection.name == *name)
    };
    let (Some(source), Some(target)) = (find(&flow.from), find(&flow.to)) else {
        return Ok(());
    };
    let (Some(shop), Some(account)) = (accounts.get(&flow.from), accounts.get(&flow.to)) else {
        return Ok(());
    };
    for word in unknown_statuses(flow, shop) {
        report.fixes.push(Fix {
            code: Code::UnknownName,
            subject: format!("flows/{name}.toml"),
            what: format!("statuses: \"{word}\""),
            fix: page(Code::UnknownName),
        });
    }
    let orders = sample(source, flow.start, &flow.mapping).await?;
    report.orders_read += orders.len();
    let mut skus = BTreeSet::new();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    for order in orders
        .iter()
        .filter(|order| flow.statuses.contains(&order.status.word))
    {
        match needed_skus(order, &flow.policy) {
            Ok(needed) => skus.extend(needed),
            Err(causes) => {
                for cause in causes {
                    *missing.entry(cause.to_string()).or_default() += 1;
                }
            }
        }
    }
    for (cause, count) in missing {
        report.fixes.push(Fix {
            code: Code::MissingRow,
            subject: name.to_string(),
            what: format!("{cause} ({count})"),
            fix: advice::fix(&cause, language),
        });
    }
    for (table, row, to) in dangling(flow, account) {
        report.fixes.push(Fix {
            code: Code::UnknownName,
            subject: format!("tables/{table}.csv"),
            what: format!("{row} → {to}"),
            fix: page(Code::UnknownName),
        });
    }
    for (value, field) in unknown_fields(flow, account) {
        report.fixes.push(Fix {
            code: Code::UnknownField,
            subject: format!("flows/{name}.toml"),
            what: format!("policy.fields.{value} = \"{field}\""),
            fix: page(Code::UnknownField),
        });
    }
    for wrong in flow.mapping.check_against(account) {
        report.fixes.push(fix_of_rule(wrong, language));
    }
    match_buyers(target, &orders, flow, name, report).await?;
    match_skus(target, skus, name, language, report).await
}

/// A rule that names what the target does not have.
fn fix_of_rule(wrong: Wrong, language: Language) -> Fix {
    let subject = wrong.place.to_string();
    let problem = problem_of(wrong, &Files::new());
    let index = usize::from(language == Language::French);
    Fix {
        code: Code::UnknownField,
        subject,
        what: problem.what[index].clone(),
        fix: match problem.fix {
            Some(fix) => fix[index].clone(),
            None => page(Code::UnknownField),
        },
    }
}

/// Statuses that the flow takes and that the source does not have: no order would ever come in by them.
fn unknown_statuses<'a>(
    flow: &'a crate::config::FlowConfig,
    shop: &Account,
) -> impl Iterator<Item = &'a String> {
    let known: Option<BTreeSet<String>> = shop.choices.get("statuses").map(|choices| {
        let ids = choices.iter().map(|choice| choice.id.as_str().to_owned());
        ids.collect()
    });
    let unknown = move |word: &&String| known.as_ref().is_some_and(|known| !known.contains(*word));
    flow.statuses.iter().filter(unknown)
}

/// Fields of the target that the flow wants to fill and that the target does not have.
fn unknown_fields<'a>(
    flow: &'a crate::config::FlowConfig,
    account: &Account,
) -> Vec<(&'a str, &'a str)> {
    let Some(known) = account.fields.get(flow.kind.as_str()) else {
        return Vec::new();
    };
    flow.policy
        .fields
        .iter()
        .filter(|(_, field)| !known.contains(field))
        .map(|(value, field)| (value.as_str(), field.as_str()))
        .collect()
}

/// Buyers that several customers of the target fit. They are named by the number of one of their orders: an address is personal.
async fn match_buyers(
    target: &Connection,
    orders: &[Mapped],
    flow: &crate::config::FlowConfig,
    name: &FlowName,
    report: &mut Report,
) -> Result<(), Failure> {
    let finds = target
        .connector
        .capabilities()
        .finds(Kind::Customer, "email");
    if !flow.policy.customers.match_email || !finds {
        return Ok(());
    }
    let buyers: BTreeMap<String, &str> = orders
        .iter()
        .filter(|order| flow.statuses.contains(&order.status.word))
        .map(|order| (folded_email(&order.email), order.number.as_str()))
        .filter(|(email, _)| !email.is_empty())
        .collect();
    let queries: Vec<Query> = buyers.keys().cloned().map(Query::Email).collect();
    let answers = if queries.is_empty() {
        Vec::new()
    } else {
        patiently(|| target.connector.find(Kind::Customer, &queries)).await?
    };
    report.buyers += buyers.len();
    for (number, candidates) in buyers.values().zip(answers) {
        match candidates.len() {
            0 => {}
            1 => report.buyers_known += 1,
            several => {
                report.buyers_known += 1;
                report.fixes.push(Fix {
                    code: Code::AmbiguousCustomer,
                    subject: name.to_string(),
                    what: format!("order {number}: {several}"),
                    fix: page(Code::AmbiguousCustomer),
                });
            }
        }
    }
    Ok(())
}

/// Orders of the last month, since the flow's start if that was later; older ones where there are none.
async fn sample(
    source: &Connection,
    start: Option<Timestamp>,
    rules: &Rules,
) -> Result<Vec<Mapped>, Failure> {
    let month = SignedDuration::from_hours(31 * 24);
    let since = Timestamp::now().saturating_sub(month).ok().max(start);
    let recent = since.map_or_else(Cursor::start, |at| {
        source.connector.cursor_since(Kind::Order, at)
    });
    let orders = read(source, recent, rules).await?;
    if orders.is_empty() && start.is_none() {
        return read(source, Cursor::start(), rules).await;
    }
    Ok(orders)
}

async fn read(
    source: &Connection,
    mut cursor: Cursor,
    rules: &Rules,
) -> Result<Vec<Mapped>, Failure> {
    let mut orders = Vec::new();
    while orders.len() < SAMPLE {
        let page = patiently(|| source.connector.changes(Kind::Order, &cursor)).await?;
        let found = page.items.into_iter().filter_map(Result::ok);
        orders.extend(found.filter_map(|record| {
            let beside = Beside {
                source: source.name.as_str(),
                raw: record.raw.as_deref(),
                stock: None,
            };
            let order = record.document.as_order()?.clone();
            Some(rules.apply(order, beside))
        }));
        out::progress(format!("{} orders", orders.len()));
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    out::progress_done();
    Ok(orders)
}

/// Rows that point to nothing the target has.
fn dangling(
    flow: &crate::config::FlowConfig,
    account: &Account,
) -> Vec<(&'static str, String, String)> {
    let tables = [
        ("taxes", &flow.policy.tables.taxes),
        ("price_lists", &flow.policy.tables.price_lists),
    ];
    tables
        .into_iter()
        .flat_map(|(name, table)| table.rows().map(move |(from, to)| (name, from, to)))
        .filter(|(name, _, to)| account.choice(name, to).is_none())
        .map(|(name, from, to)| (name, from.to_owned(), to.to_owned()))
        .collect()
}

async fn match_skus(
    target: &Connection,
    skus: BTreeSet<String>,
    name: &FlowName,
    language: Language,
    report: &mut Report,
) -> Result<(), Failure> {
    let queries: Vec<Query> = skus.into_iter().map(Query::Sku).collect();
    let answers = if queries.is_empty() {
        Vec::new()
    } else {
        patiently(|| target.connector.find(Kind::Product, &queries)).await?
    };
    report.skus += queries.len();
    for (query, candidates) in queries.iter().zip(answers) {
        let code = match candidates.len() {
            1 => {
                report.skus_matched += 1;
                continue;
            }
            0 => Code::UnknownProduct,
            _ => Code::AmbiguousProduct,
        };
        report.fixes.push(Fix {
            code,
            subject: name.to_string(),
            what: query.value().to_owned(),
            fix: advice::fix(
                &Cause::Product(query.value().to_owned()).to_string(),
                language,
            ),
        });
    }
    Ok(())
}

fn show(context: &Context, report: &Report) {
    for (name, version) in &report.connections {
        out::line(format!("✓ {name}: {version}"));
    }
    out::line(format!(
        "{} {}, SKU {}/{}, {} {}/{}",
        report.orders_read,
        context.either("orders read", "commandes lues"),
        report.skus_matched,
        report.skus,
        context.either("known buyers", "acheteurs connus"),
        report.buyers_known,
        report.buyers
    ));
    for fix in &report.fixes {
        out::line(format!(
            "✗ {} {}: {} ({})",
            fix.code,
            fix.subject,
            fix.what,
            fix.code.title(context.language)
        ));
        out::line(format!("    → {}", fix.fix));
    }
    if report.fixes.is_empty() {
        out::line(context.either("Nothing to fix.", "Rien à corriger."));
    }
}
