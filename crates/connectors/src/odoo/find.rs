//! Questions: who carries this key, this reference, this SKU, this e-mail?

use super::rpc::Ask;
use super::session::Session;
use super::wire::{Order, Partner, Product};
use super::{external, fault, key, read};
use comptoir_model::fault::Fault;
use comptoir_model::key::{Kind, RemoteId};
use comptoir_model::port::{Candidate, Query};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Values of one `in` per call.
const MANY: usize = 500;
/// Patterns per call: each is a comparison with every partner.
const PATTERNS: usize = 80;

/// Candidates for each query, in the order of the queries. The calls go out together, as many at once as the connection may make.
pub(super) async fn find(
    session: Arc<Session>,
    kind: Kind,
    queries: &[Query],
) -> Result<Vec<Vec<Candidate>>, Fault> {
    let mut by_attribute: BTreeMap<&'static str, Vec<&Query>> = BTreeMap::new();
    for query in queries {
        by_attribute
            .entry(query.attribute())
            .or_default()
            .push(query);
    }
    let mut calls = JoinSet::new();
    for (attribute, asked) in by_attribute {
        let size = if matches!(attribute, "email" | "vat_number") {
            PATTERNS
        } else {
            MANY
        };
        for part in asked.chunks(size) {
            let part: Vec<Query> = part.iter().map(|query| (*query).clone()).collect();
            calls.spawn(ask(session.clone(), kind, attribute, part));
        }
    }
    let mut answers: HashMap<Query, Vec<Candidate>> = HashMap::new();
    while let Some(found) = calls.join_next().await {
        let lost = |_| Fault::bug("a question to Odoo was given up");
        answers.extend(found.map_err(lost)?.map_err(fault::of_everything)?);
    }
    Ok(queries
        .iter()
        .map(|query| answers.get(query).cloned().unwrap_or_default())
        .collect())
}

async fn ask(
    session: Arc<Session>,
    kind: Kind,
    attribute: &'static str,
    asked: Vec<Query>,
) -> Result<HashMap<Query, Vec<Candidate>>, Fault> {
    let part: Vec<&Query> = asked.iter().collect();
    let found = match (kind, attribute) {
        (_, "key") => keys(&session, kind, &part).await,
        (Kind::Order, "reference") => references(&session, &part).await,
        (Kind::Customer, "email") => partners(&session, &part, "email").await,
        (Kind::Customer, "vat_number") => partners(&session, &part, "vat").await,
        (Kind::Product, "sku") => skus(&session, &part).await,
        _ => Err(Fault::bug(format!("no {kind} is found by {attribute}"))),
    };
    let owned = |(query, candidates): (&Query, _)| (query.clone(), candidates);
    Ok(found?.into_iter().map(owned).collect())
}

type Found<'a> = HashMap<&'a Query, Vec<Candidate>>;

fn candidate(id: i64, label: &str) -> Candidate {
    Candidate {
        id: RemoteId(id.to_string()),
        label: label.to_owned(),
    }
}

/// The records of our keys, archived ones too.
async fn keys<'a>(session: &Session, kind: Kind, asked: &[&'a Query]) -> Result<Found<'a>, Fault> {
    let name = |query: &Query| match query {
        Query::Key(key) => key::name_of(key),
        _ => String::new(),
    };
    let names: Vec<String> = asked.iter().map(|query| name(query)).collect();
    let began = Instant::now();
    let found = external::by_names(session, read::model(kind)?, &names).await?;
    let free = names.iter().filter(|name| !found.contains_key(*name));
    session.remember_free(free.cloned(), began);
    let answer = |query: &&'a Query| {
        let id = found.get(&name(query))?;
        Some((*query, vec![candidate(*id, "")]))
    };
    Ok(asked.iter().filter_map(answer).collect())
}

/// Orders that carry a number of the shop. A cancelled one counts only where there is no other.
async fn references<'a>(session: &Session, asked: &[&'a Query]) -> Result<Found<'a>, Fault> {
    let values: Vec<&str> = asked.iter().map(|query| query.value()).collect();
    let domain = json!([["client_order_ref", "in", values]]);
    let fields = ["name", "state", "client_order_ref"];
    let ask = Ask::search("orders.by_reference", "sale.order", domain, &fields)
        .option("order", json!("id"));
    let rows: Vec<Order> = session.rpc.call(ask).await?;
    let mut found = Found::new();
    for query in asked {
        let fits = |row: &&Order| row.client_order_ref == query.value();
        let living: Vec<&Order> = rows
            .iter()
            .filter(fits)
            .filter(|row| row.state != "cancel")
            .collect();
        let rows = if living.is_empty() {
            rows.iter().filter(fits).collect()
        } else {
            living
        };
        let candidates = rows.iter().map(|row| candidate(row.id, &row.name));
        found.insert(query, candidates.collect());
    }
    Ok(found)
}

/// Active variants of a SKU.
async fn skus<'a>(session: &Session, asked: &[&'a Query]) -> Result<Found<'a>, Fault> {
    let values: Vec<&str> = asked.iter().map(|query| query.value()).collect();
    let domain = json!([["default_code", "in", values]]);
    let ask = Ask::search(
        "products.by_sku",
        "product.product",
        domain,
        &["default_code"],
    )
    .option("order", json!("id"));
    let rows: Vec<Product> = session.rpc.call(ask).await?;
    let told = rows.iter();
    session.remember_skus(told.map(|row| (row.id, row.default_code.trim().to_owned())));
    let mut found = Found::new();
    for query in asked {
        let fitting = rows.iter().filter(|row| row.default_code == query.value());
        let candidates = fitting.map(|row| candidate(row.id, &row.default_code));
        found.insert(query, candidates.collect());
    }
    Ok(found)
}

/// Customers by e-mail or VAT number, case aside; one candidate per company or person.
async fn partners<'a>(
    session: &Session,
    asked: &[&'a Query],
    field: &'static str,
) -> Result<Found<'a>, Fault> {
    let patterns: Vec<Value> = asked
        .iter()
        .map(|query| json!([field, "=ilike", escaped(query.value())]))
        .collect();
    let ors = vec![json!("|"); patterns.len().saturating_sub(1)];
    let domain = Value::Array(ors.into_iter().chain(patterns).collect());
    let fields = ["email", "vat", "parent_id", "type", "commercial_partner_id"];
    let ask =
        Ask::search("customers.find", "res.partner", domain, &fields).option("order", json!("id"));
    let rows: Vec<Partner> = session.rpc.call(ask).await?;
    let mut found = Found::new();
    for query in asked {
        let fits = |row: &&Partner| match query {
            Query::Email(email) => folded(&row.email) == folded(email),
            _ => compact(&row.vat) == compact(query.value()),
        };
        let fitting: Vec<&Partner> = rows.iter().filter(fits).collect();
        found.insert(query, one_per_customer(&fitting));
    }
    Ok(found)
}

/// Contacts of one company or person are one customer: an address copied with its e-mail must not look like a second buyer.
///
/// The company or person itself where it fits; else its only contact that is a person (neither an address for goods nor for invoices);
/// else the company or person again, whose addresses the others are.
pub(super) fn one_per_customer(fitting: &[&Partner]) -> Vec<Candidate> {
    let mut groups: BTreeMap<i64, Vec<&Partner>> = BTreeMap::new();
    for partner in fitting {
        let commercial = partner.commercial_partner_id.as_ref();
        let parent = commercial.or(partner.parent_id.as_ref());
        groups
            .entry(parent.map_or(partner.id, |link| link.0))
            .or_default()
            .push(partner);
    }
    let one = |(commercial, members): (i64, Vec<&Partner>)| {
        if members.iter().any(|member| member.id == commercial) {
            return candidate(commercial, "");
        }
        let person = |member: &&&Partner| matches!(member.role.as_str(), "contact" | "");
        let mut people = members.iter().filter(person);
        match (people.next(), people.next()) {
            (Some(only), None) => candidate(only.id, ""),
            _ => candidate(commercial, ""),
        }
    };
    groups.into_iter().map(one).collect()
}

/// A text that `=ilike` takes literally: `_` and `%` stand for anything otherwise, and many an e-mail address has one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.trim().chars() {
        if matches!(c, '_' | '%' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

fn compact(text: &str) -> String {
    let kept = text.chars().filter(char::is_ascii_alphanumeric);
    kept.collect::<String>().to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odoo::wire::Link;

    fn partner(id: i64, role: &str, commercial: i64) -> Partner {
        Partner {
            id,
            role: role.to_owned(),
            commercial_partner_id: Some(Link(commercial, String::new())),
            ..Partner::default()
        }
    }

    fn ids(partners: &[Partner]) -> Vec<String> {
        let all: Vec<&Partner> = partners.iter().collect();
        let candidates = one_per_customer(&all).into_iter();
        candidates.map(|candidate| candidate.id.0).collect()
    }

    #[test]
    fn contacts_of_one_customer_are_one_candidate() {
        let company = partner(7, "contact", 7);
        let address = partner(8, "delivery", 7);
        let person = partner(9, "contact", 7);
        let other = partner(20, "contact", 20);
        assert_eq!(ids(&[company.clone(), address.clone()]), ["7"]);
        assert_eq!(ids(std::slice::from_ref(&address)), ["7"]);
        assert_eq!(ids(&[address.clone(), person.clone()]), ["9"]);
        assert_eq!(ids(&[person.clone(), partner(10, "contact", 7)]), ["7"]);
        assert_eq!(ids(&[company, other]), ["7", "20"]);
    }

    #[test]
    fn a_pattern_means_only_itself() {
        assert_eq!(
            escaped("a_b%c\\d@example.test"),
            "a\\_b\\%c\\\\d@example.test"
        );
    }
}
